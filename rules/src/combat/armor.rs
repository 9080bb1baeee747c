//! Armor and weapons in use: armor class, which attribute attacks, which dice hurt.
//!
//! Keeps true: what an armor class is made of is kept. Leaves out on purpose: who owns what.

use super::check::Edges;
use super::dice::Dice;
use crate::content::{ArmorDef, ArmorKind, Attribute, FOOT_MM, Size, WeaponDef, WeaponProperty};

/// Armor class without any armor, before dexterity.
pub const UNARMORED: i32 = 10;
/// What armor that is too heavy takes off a round's way, millimetres: 10 feet.
pub const TOO_HEAVY_MM_PER_ROUND: u32 = 10 * FOOT_MM;

/// Armor as it counts when worn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Worn {
    /// Light, medium or heavy.
    pub kind: ArmorKind,
    /// Its class.
    pub armor_class: u8,
    /// Most of dexterity's modifier that counts.
    pub dexterity_max: u8,
}

impl From<&ArmorDef> for Worn {
    fn from(def: &ArmorDef) -> Self {
        let ArmorDef { kind, armor_class, dexterity_max, .. } = *def;
        Self { kind, armor_class, dexterity_max }
    }
}

/// What counts without armor, besides dexterity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unarmored {
    /// The modifier that is added.
    pub modifier: i32,
    /// Whether it counts with a shield too.
    pub with_shield: bool,
}

/// What an armor class is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ArmorClass {
    /// Of the armor, or 10.
    pub base: i32,
    /// Of dexterity, as far as it counts.
    pub dexterity: i32,
    /// Of unarmored defense.
    pub defense: i32,
    /// Of the shield.
    pub shield: i32,
    /// All of it.
    pub total: i32,
}

/// Works out an armor class (SRD 5.1, "Equipment", Armor). Light armor counts all of dexterity,
/// medium at most 2 of it, heavy nothing of it, not even what is below 0.
pub fn armor_class(
    dexterity: i32,
    worn: Option<Worn>,
    shield: Option<u8>,
    unarmored: Option<Unarmored>,
) -> ArmorClass {
    let (base, dexterity, defense) = match worn {
        None => {
            let counts = |defense: &Unarmored| shield.is_none() || defense.with_shield;
            let defense = unarmored.filter(counts).map_or(0, |defense| defense.modifier);
            (UNARMORED, dexterity, defense.max(0))
        }
        Some(Worn { kind, armor_class, dexterity_max }) => {
            let counting = match kind {
                ArmorKind::Light => dexterity,
                ArmorKind::Medium => dexterity.min(i32::from(dexterity_max)),
                ArmorKind::Heavy | ArmorKind::Shield => 0,
            };
            (i32::from(armor_class), counting, 0)
        }
    };
    let shield = shield.map_or(0, i32::from);
    ArmorClass { base, dexterity, defense, shield, total: base + dexterity + defense + shield }
}

/// The way of a round in armor that asks for strength (SRD 5.1, "Equipment", Heavy Armor).
pub const fn speed_in(speed_mm_per_round: u32, strength: i8, strength_min: u8) -> u32 {
    if (strength as i32) < strength_min as i32 {
        speed_mm_per_round.saturating_sub(TOO_HEAVY_MM_PER_ROUND)
    } else {
        speed_mm_per_round
    }
}

/// Whether somebody who is not proficient in the armor worn may cast: no.
pub const fn may_cast(is_proficient: bool) -> bool {
    is_proficient
}

/// What armor without proficiency does to attacks, checks and saves of strength and dexterity.
pub fn unproficient_edges(is_proficient: bool, attribute: Attribute) -> Edges {
    let is_of_body = matches!(attribute, Attribute::Strength | Attribute::Dexterity);
    Edges::NONE.and_if(!is_proficient && is_of_body, Edges::DISADVANTAGE)
}

/// How a weapon is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grip {
    /// In one hand.
    OneHand,
    /// In both.
    TwoHands,
    /// In the other hand, as a bonus action.
    OffHand,
    /// Thrown or shot.
    Ranged,
}

/// Why a weapon cannot be used so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoGrip {
    /// It needs both hands.
    NeedsBothHands,
    /// A hand is taken by a shield or another weapon.
    HandTaken,
    /// Both weapons of two must be light, and in the hand.
    NotLight,
    /// It is neither thrown nor shot.
    NotRanged,
    /// It shoots, and does not strike.
    OnlyRanged,
}

fn has(weapon: &WeaponDef, property: WeaponProperty) -> bool {
    weapon.properties.contains(&property)
}

/// Whether it is meant for shooting: it needs ammunition.
pub fn shoots(weapon: &WeaponDef) -> bool {
    has(weapon, WeaponProperty::Ammunition)
}

/// Decides whether a weapon can be used so; `main` is what the main hand holds for an attack with
/// the other one (SRD 5.1, "Equipment", Weapon Properties; "Combat", Two-Weapon Fighting).
///
/// # Errors
/// In the order of `NoGrip`.
pub fn check_grip(
    weapon: &WeaponDef,
    grip: Grip,
    is_hand_taken: bool,
    main: Option<&WeaponDef>,
) -> Result<(), NoGrip> {
    let needs_both = has(weapon, WeaponProperty::TwoHanded);
    let is_light = |weapon: &WeaponDef| has(weapon, WeaponProperty::Light) && !shoots(weapon);
    let is_ranged = shoots(weapon) || has(weapon, WeaponProperty::Thrown);
    match grip {
        Grip::OneHand | Grip::OffHand if needs_both => Err(NoGrip::NeedsBothHands),
        Grip::TwoHands if is_hand_taken => Err(NoGrip::HandTaken),
        Grip::Ranged if is_hand_taken && needs_both => Err(NoGrip::HandTaken),
        Grip::OffHand if !is_light(weapon) || !main.is_some_and(is_light) => Err(NoGrip::NotLight),
        Grip::Ranged if !is_ranged => Err(NoGrip::NotRanged),
        Grip::OneHand | Grip::TwoHands if shoots(weapon) => Err(NoGrip::OnlyRanged),
        Grip::OneHand | Grip::TwoHands | Grip::OffHand | Grip::Ranged => Ok(()),
    }
}

/// By which attribute a weapon attacks: a finesse weapon by the better of strength and dexterity,
/// one that shoots by dexterity, all others by strength, thrown ones too.
pub fn attack_attribute(weapon: &WeaponDef, strength: i32, dexterity: i32) -> Attribute {
    let is_by_dexterity =
        if has(weapon, WeaponProperty::Finesse) { dexterity > strength } else { shoots(weapon) };
    if is_by_dexterity { Attribute::Dexterity } else { Attribute::Strength }
}

/// What a weapon makes of an attack by somebody of a size: heavy ones are too large for the small.
pub fn weapon_edges(weapon: &WeaponDef, size: Size) -> Edges {
    let is_too_large = has(weapon, WeaponProperty::Heavy) && size <= Size::Small;
    Edges::NONE.and_if(is_too_large, Edges::DISADVANTAGE)
}

/// The dice of a weapon, with the attribute's modifier. In both hands a versatile weapon has other
/// dice; from the other hand only a modifier below 0 counts, unless a style says otherwise.
pub fn weapon_dice(weapon: &WeaponDef, grip: Grip, modifier: i32, off_hand_counts: bool) -> Dice {
    let (dice, modifier) = match grip {
        Grip::TwoHands => (weapon.dice_two_handed.unwrap_or(weapon.dice), modifier),
        Grip::OffHand if !off_hand_counts => (weapon.dice, modifier.min(0)),
        Grip::OneHand | Grip::OffHand | Grip::Ranged => (weapon.dice, modifier),
    };
    let added = i16::try_from(modifier.clamp(-100, 100)).unwrap_or(0);
    Dice { bonus: dice.bonus.saturating_add(added), ..dice }
}

/// How many attacks one action has; what must be loaded shoots once.
pub fn attacks_with(weapon: &WeaponDef, attacks: u8) -> u8 {
    if has(weapon, WeaponProperty::Loading) { attacks.min(1) } else { attacks }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::content::{DamageType, WeaponKind};

    /// A weapon of some dice and properties.
    pub(in crate::combat) fn weapon(dice: &str, properties: &[WeaponProperty]) -> WeaponDef {
        WeaponDef {
            key: "weapon".into(),
            name: "Weapon".into(),
            source: "original".into(),
            kind: WeaponKind::Martial,
            dice: dice.parse().expect("dice"),
            dice_two_handed: None,
            damage: DamageType::Slashing,
            properties: properties.to_vec(),
            range_mm: 1_500,
            long_range_mm: 0,
            price_copper: 0,
            weight_g: 0,
        }
    }

    #[test]
    fn armor_counts_dexterity_by_its_kind() {
        let worn = |kind, armor_class, dexterity_max| Worn { kind, armor_class, dexterity_max };
        let light = Some(worn(ArmorKind::Light, 11, 10));
        let medium = Some(worn(ArmorKind::Medium, 14, 2));
        let heavy = Some(worn(ArmorKind::Heavy, 18, 0));
        let barbarian = Some(Unarmored { modifier: 3, with_shield: true });
        let monk = Some(Unarmored { modifier: 3, with_shield: false });
        for (dexterity, worn, shield, unarmored, expected) in [
            (3, None, None, None, 13),
            (3, light, None, None, 14),
            (3, medium, None, None, 16),
            (-1, medium, None, None, 13),
            (-1, heavy, Some(2), None, 20),
            (3, heavy, None, barbarian, 18),
            (2, None, Some(2), barbarian, 17),
            (2, None, Some(2), monk, 14),
            (2, None, None, monk, 15),
        ] {
            let class = armor_class(dexterity, worn, shield, unarmored);
            assert_eq!(class.total, expected, "{class:?}");
            let parts = class.base + class.dexterity + class.defense + class.shield;
            assert_eq!(parts, expected);
        }
        assert_eq!((speed_in(9_000, 12, 13), speed_in(9_000, 13, 13)), (6_000, 9_000));
        let clumsy = unproficient_edges(false, Attribute::Dexterity);
        assert_eq!(clumsy, Edges::DISADVANTAGE);
        assert_eq!(unproficient_edges(false, Attribute::Wisdom), Edges::NONE);
        assert!(!may_cast(false));
    }

    #[test]
    fn weapons_are_held_as_they_can_be() {
        use WeaponProperty::{Ammunition, Light, Thrown, TwoHanded};
        let (axe, maul) = (weapon("1d6", &[Light, Thrown]), weapon("2d6", &[TwoHanded]));
        let (bow, sword) = (weapon("1d8", &[Ammunition, TwoHanded]), weapon("1d8", &[]));
        for (weapon, grip, is_taken, main, expected) in [
            (&axe, Grip::OneHand, true, None, Ok(())),
            (&axe, Grip::OffHand, true, Some(&axe), Ok(())),
            (&axe, Grip::OffHand, true, Some(&sword), Err(NoGrip::NotLight)),
            (&sword, Grip::OffHand, true, Some(&axe), Err(NoGrip::NotLight)),
            (&maul, Grip::OneHand, false, None, Err(NoGrip::NeedsBothHands)),
            (&maul, Grip::TwoHands, true, None, Err(NoGrip::HandTaken)),
            (&bow, Grip::Ranged, true, None, Err(NoGrip::HandTaken)),
            (&bow, Grip::Ranged, false, None, Ok(())),
            (&bow, Grip::TwoHands, false, None, Err(NoGrip::OnlyRanged)),
            (&sword, Grip::Ranged, false, None, Err(NoGrip::NotRanged)),
        ] {
            assert_eq!(check_grip(weapon, grip, is_taken, main), expected, "{grip:?}");
        }
    }

    #[test]
    fn grips_and_properties_change_dice() {
        let mut sword = weapon("1d8", &[WeaponProperty::Versatile]);
        sword.dice_two_handed = Some(Dice::new(1, 10));
        for (grip, modifier, counts, expected) in [
            (Grip::OneHand, 3, false, "1d8+3"),
            (Grip::TwoHands, 3, false, "1d10+3"),
            (Grip::OffHand, 3, false, "1d8"),
            (Grip::OffHand, -1, false, "1d8-1"),
            (Grip::OffHand, 3, true, "1d8+3"),
        ] {
            assert_eq!(weapon_dice(&sword, grip, modifier, counts).to_string(), expected);
        }
        let crossbow = weapon("1d8", &[WeaponProperty::Loading]);
        assert_eq!((attacks_with(&crossbow, 3), attacks_with(&sword, 3)), (1, 3));
    }
}
