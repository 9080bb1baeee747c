//! What is worn and wielded: where it goes, who may, what it is worth, how it wears.
//!
//! Keeps true: a slot holds only what is put on there; what is broken is worth nothing.
//! Leaves out on purpose: ammunition, which is not counted, and armor that somebody is not trained
//! in, which cannot be put on at all.

use super::{BAG_SLOTS, EQUIPMENT_SLOTS, ItemError, SLOTS_MAX};
use crate::combat::sheet::{Build, Outfit};
use crate::content::book::Book;
use crate::content::{ArmorKind, ClassDef, ItemDef, WeaponProperty, Wear};
use std::ops::Range;

/// Most that a load takes off a character's speed, percent.
const LOAD_PERCENT_MAX: u16 = 90;

/// The slots of an equipment where something of that sort is put on.
pub const fn slots_of(wear: Wear) -> Range<u16> {
    match wear {
        Wear::Weapon => 0..4,
        Wear::Shield => 4..5,
        Wear::Armor => 5..6,
        Wear::Head => 6..7,
        Wear::Neck => 7..8,
        Wear::Cloak => 8..9,
        Wear::Hands => 9..10,
        Wear::Waist => 10..11,
        Wear::Feet => 11..12,
        Wear::Ring => 12..14,
        Wear::Bag => 14..EQUIPMENT_SLOTS,
    }
}

/// Where an item is put on; none where it is not.
pub fn wear_of(def: &ItemDef, book: &Book) -> Option<Wear> {
    if def.weapon.is_some() {
        return Some(Wear::Weapon);
    }
    if let Some(key) = &def.armor {
        let is_shield = book.armor(key)?.kind == ArmorKind::Shield;
        return Some(if is_shield { Wear::Shield } else { Wear::Armor });
    }
    if def.slots > 0 { Some(Wear::Bag) } else { def.worn }
}

/// Decides whether somebody may put an item on, and where that goes.
///
/// # Errors
/// In this order: `NotWearable`, then those of [`check_needs`], `ClassUnfit` for armor that the
/// class is not trained in.
pub fn check_wear(def: &ItemDef, build: &Build, book: &Book) -> Result<Wear, ItemError> {
    let wear = wear_of(def, book).ok_or(ItemError::NotWearable)?;
    check_needs(def, build)?;
    let is_trained = |class: &ClassDef| {
        let armor = def.armor.as_ref().and_then(|key| book.armor(key));
        armor.is_none_or(|armor| class.armors.contains(&armor.kind))
    };
    let class = book.class(&build.class);
    if class.is_some_and(is_trained) { Ok(wear) } else { Err(ItemError::ClassUnfit) }
}

/// Decides whether somebody is of the level and class that an item asks for.
///
/// # Errors
/// In this order: `LevelTooLow`, `ClassUnfit`.
pub fn check_needs(def: &ItemDef, build: &Build) -> Result<(), ItemError> {
    if build.level < def.level_min {
        return Err(ItemError::LevelTooLow);
    }
    if def.classes.is_empty() || def.classes.contains(&build.class) {
        Ok(())
    } else {
        Err(ItemError::ClassUnfit)
    }
}

/// The slot that something goes into: that which is asked for, or else the first free one of its
/// sort, or else the first of them.
///
/// # Errors
/// `SlotUnfit`.
pub fn slot_for(wear: Wear, asked: Option<u16>, taken: &[u16]) -> Result<u16, ItemError> {
    let mut slots = slots_of(wear);
    match asked {
        Some(slot) if slots.contains(&slot) => Ok(slot),
        Some(_) => Err(ItemError::SlotUnfit),
        None => {
            let first = slots.start;
            Ok(slots.find(|slot| !taken.contains(slot)).unwrap_or(first))
        }
    }
}

/// Decides whether all that is put on can be held: what strikes in both hands leaves none for a
/// shield. What shoots does, as long as it is not shot.
///
/// # Errors
/// `HandsFull`.
pub fn check_hands<'a>(worn: impl Iterator<Item = &'a str>, book: &Book) -> Result<(), ItemError> {
    let (mut has_shield, mut has_large) = (false, false);
    for def in worn.filter_map(|key| book.item(key)) {
        has_shield |= wear_of(def, book) == Some(Wear::Shield);
        let weapon = def.weapon.as_ref().and_then(|key| book.weapon(key));
        has_large |= weapon.is_some_and(|weapon| {
            let has = |property| weapon.properties.contains(&property);
            has(WeaponProperty::TwoHanded) && !has(WeaponProperty::Ammunition)
        });
    }
    if has_shield && has_large { Err(ItemError::HandsFull) } else { Ok(()) }
}

/// What is worth something of what is put on: keys of items, in the order of their slots. Of
/// weapons only the first brings its passives, and of items that are alike only one does.
pub fn outfit<'a>(worn: impl Iterator<Item = &'a str>, book: &Book) -> Outfit {
    let mut outfit = Outfit::default();
    let (mut seen, mut has_weapon): (Vec<&str>, bool) = (vec![], false);
    for def in worn.filter_map(|key| book.item(key)) {
        let is_second = has_weapon && def.weapon.is_some();
        if !is_second && !seen.contains(&def.key.as_str()) {
            outfit.passives.extend(def.passives.iter().cloned());
        }
        has_weapon |= def.weapon.is_some();
        seen.push(&def.key);
        outfit.keys.extend(def.weapon.clone());
        outfit.keys.extend(def.armor.clone());
    }
    outfit
}

/// Slots of a bag with what is put on.
pub fn bag_slots<'a>(worn: impl Iterator<Item = &'a str>, book: &Book) -> u16 {
    let slots = worn.filter_map(|key| book.item(key)).map(|def| u16::from(def.slots));
    slots.fold(BAG_SLOTS, u16::saturating_add).min(SLOTS_MAX)
}

/// What a class begins with, and in which slots: its weapons and armor as items of the same keys.
/// None where content has no item for one of them, or no slot is left for it.
pub fn kit<'a>(class: &'a ClassDef, book: &Book) -> Option<Vec<(&'a str, u16)>> {
    let mut kit: Vec<(&str, u16)> = vec![];
    for key in &class.equipment {
        let wear = wear_of(book.item(key)?, book)?;
        let is_free = |slot: &u16| kit.iter().all(|(_, taken)| taken != slot);
        let slot = slots_of(wear).find(is_free)?;
        kit.push((key, slot));
    }
    Some(kit)
}

/// What it costs to repair something, copper: that part of its price which is worn off, times a
/// percentage, rounded up; at least 1. None where nothing is worn off.
pub fn repair_cost(price_copper: u32, (left, whole): (u16, u16), percent: i64) -> Option<u64> {
    let worn = whole.checked_sub(left).filter(|worn| *worn > 0)?;
    let percent = u64::try_from(percent).unwrap_or(0);
    let worth = u64::from(price_copper) * u64::from(worn) * percent;
    Some(worth.div_ceil(u64::from(whole) * 100).max(1))
}

/// What is left of something after its wearer died: a percentage of the whole less, rounded up.
pub fn after_death(left: u16, whole: u16, percent: i64) -> u16 {
    let percent = u32::try_from(percent.clamp(0, 100)).unwrap_or(0);
    let lost = (u32::from(whole) * percent).div_ceil(100);
    left.saturating_sub(u16::try_from(lost).unwrap_or(u16::MAX))
}

/// What a load takes off the speed of who carries it, percent: nothing up to what it carries with
/// ease, a third up to half as much again, two thirds up to twice that, beyond that nearly all.
/// (House rule; after the variant of SRD 5.1, "Using Ability Scores", Encumbrance.)
pub fn load_percent(weight_g: u64, strength: i8, g_per_strength: i64) -> u16 {
    let strength = u64::try_from(strength.max(1)).unwrap_or(1);
    let eased = strength * u64::try_from(g_per_strength.max(1)).unwrap_or(1);
    match weight_g {
        weight if weight <= eased => 0,
        weight if weight <= eased + eased / 2 => 33,
        weight if weight <= eased * 2 => 66,
        _ => LOAD_PERCENT_MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::combat::sheet::of_character;
    use crate::combat::stage::build;
    use crate::content::tests::shipped_book;
    use proptest::prelude::*;

    fn item(key: &str) -> &'static ItemDef {
        shipped_book().item(key).expect("shipped")
    }

    #[test]
    fn every_class_begins_with_what_it_may_put_on_and_is_worth_the_same() {
        let book = shipped_book();
        for class in &book.pack().class {
            let kit = kit(class, book).expect("an item for each");
            let own = build("human", &class.key, 1);
            for (key, slot) in &kit {
                let wear = check_wear(item(key), &own, book).expect("it may put it on");
                assert_eq!(slot_for(wear, Some(*slot), &[]), Ok(*slot), "{key}");
            }
            check_hands(kit.iter().map(|(key, _)| *key), book).expect("it can hold it");
            let mut worn = kit.clone();
            worn.sort_unstable_by_key(|(_, slot)| *slot);
            let outfit = outfit(worn.iter().map(|(key, _)| *key), book);
            let equipped = Build { outfit: Some(outfit), ..own.clone() };
            assert_eq!(of_character(&equipped, book), of_character(&own, book), "{}", class.key);
        }
    }

    #[test]
    fn every_weapon_and_armor_has_an_item_of_its_price_and_weight() {
        let book = shipped_book();
        for weapon in &book.pack().weapon {
            let def = item(&weapon.key);
            assert_eq!(def.weapon.as_ref(), Some(&weapon.key));
            assert_eq!((def.price_copper, def.weight_g), (weapon.price_copper, weapon.weight_g));
        }
        for armor in &book.pack().armor {
            let def = item(&armor.key);
            assert_eq!(def.armor.as_ref(), Some(&armor.key));
            assert_eq!((def.price_copper, def.weight_g), (armor.price_copper, armor.weight_g));
        }
        assert!(book.items().len() >= 130);
    }

    #[test]
    fn what_is_alike_and_further_weapons_bring_nothing_more() {
        let book = shipped_book();
        let count = |keys: &[&str]| outfit(keys.iter().copied(), book).passives.len();
        let (sword, ring) = (count(&["longsword_2"]), count(&["ring_of_protection"]));
        assert!(sword > 0 && ring > 0);
        assert_eq!(count(&["longsword_2", "rapier_2", "dagger_1"]), sword);
        assert_eq!(count(&["longsword", "rapier_2"]), 0, "the first counts");
        assert_eq!(count(&["ring_of_protection", "ring_of_protection"]), ring);
        assert_eq!(count(&["ring_of_protection", "longsword_2"]), sword + ring);
    }

    #[test]
    fn who_may_put_on_what() {
        let book = shipped_book();
        for (key, class, level, expected) in [
            ("longsword", "wizard", 1, Ok(Wear::Weapon)),
            ("chain_mail", "fighter", 1, Ok(Wear::Armor)),
            ("chain_mail", "wizard", 1, Err(ItemError::ClassUnfit)),
            ("shield", "cleric", 1, Ok(Wear::Shield)),
            ("shield", "rogue", 1, Err(ItemError::ClassUnfit)),
            ("longsword_2", "fighter", 5, Err(ItemError::LevelTooLow)),
            ("longsword_2", "fighter", 6, Ok(Wear::Weapon)),
            ("backpack", "wizard", 1, Ok(Wear::Bag)),
            ("ring_of_protection", "wizard", 4, Ok(Wear::Ring)),
            ("ration", "fighter", 1, Err(ItemError::NotWearable)),
            ("longsword", "king", 1, Err(ItemError::ClassUnfit)),
        ] {
            let own = Build { class: class.to_owned(), ..build("human", "fighter", level) };
            assert_eq!(check_wear(item(key), &own, book), expected, "{key} {class} {level}");
        }
    }

    #[test]
    fn a_slot_is_asked_for_or_found() {
        assert_eq!(slot_for(Wear::Ring, None, &[]), Ok(12));
        assert_eq!(slot_for(Wear::Ring, None, &[12]), Ok(13));
        assert_eq!(slot_for(Wear::Ring, None, &[12, 13]), Ok(12));
        assert_eq!(slot_for(Wear::Ring, Some(13), &[]), Ok(13));
        assert_eq!(slot_for(Wear::Ring, Some(11), &[]), Err(ItemError::SlotUnfit));
        assert_eq!(slot_for(Wear::Armor, Some(u16::MAX), &[]), Err(ItemError::SlotUnfit));
        let mut all: Vec<u16> = Wear::ALL.iter().flat_map(|wear| slots_of(*wear)).collect();
        all.sort_unstable();
        assert_eq!(all, (0..EQUIPMENT_SLOTS).collect::<Vec<_>>(), "each slot is of one sort");
    }

    #[test]
    fn hands_bags_and_costs() {
        let book = shipped_book();
        let hands = |keys: &[&str]| check_hands(keys.iter().copied(), book);
        assert_eq!(hands(&["greataxe", "handaxe"]), Ok(()));
        assert_eq!(hands(&["greataxe", "shield"]), Err(ItemError::HandsFull));
        assert_eq!(hands(&["light_crossbow", "shield", "mace"]), Ok(()));
        let slots = |keys: &[&str]| bag_slots(keys.iter().copied(), book);
        assert_eq!(slots(&[]), 20);
        assert_eq!(slots(&["backpack", "pouch", "longsword", "no_such"]), 34);
        assert_eq!(repair_cost(1_500, (100, 100), 20), None);
        assert_eq!(repair_cost(1_500, (50, 100), 20), Some(150));
        assert_eq!(repair_cost(1_500, (0, 100), 20), Some(300));
        assert_eq!(repair_cost(1, (99, 100), 20), Some(1));
        assert_eq!(repair_cost(u32::MAX, (0, u16::MAX), 1_000), Some(42_949_672_950));
        assert_eq!(after_death(100, 100, 10), 90);
        assert_eq!(after_death(5, 100, 10), 0);
        assert_eq!(after_death(100, 101, 10), 89);
        assert_eq!(after_death(7, 100, 0), 7);
        for (weight, percent) in
            [(0, 0), (68_040, 0), (68_041, 33), (102_060, 33), (102_061, 66), (136_081, 90)]
        {
            assert_eq!(load_percent(weight, 10, 6_804), percent, "{weight}");
        }
    }

    proptest! {
        #[test]
        fn a_repair_costs_no_more_than_its_percentage_of_the_price(
            price in 0..100_000_000_u32, left in 0..=1_000_u16, whole in 1..=1_000_u16,
            percent in 0..=1_000_i64,
        ) {
            let cost = repair_cost(price, (left, whole), percent);
            prop_assert_eq!(cost.is_some(), left < whole);
            let most = u64::from(price) * percent.unsigned_abs() / 100 + 1;
            prop_assert!(cost.is_none_or(|cost| (1..=most).contains(&cost)));
        }
    }
}
