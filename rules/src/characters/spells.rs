//! Spells: which a character knows, which it has ready, and how that changes.
//!
//! Keeps true: nobody has more spells than its class and level allow, nor one that is not on its
//! class's list or of a level it has no slots for. Who prepares knows the whole list up to that
//! level; its rows are the cantrips it knows and the spells it has prepared. Everybody else has a
//! row for each spell known, and all of them are ready.
//! Leaves out on purpose: slots (`combat::casting`).

use super::CharacterError;
use super::creation::are_distinct;
use crate::combat::aim::OFF_HAND_ATTACK;
use crate::combat::casting::{highest_spell_level, known_count, prepared_count};
use crate::combat::scores::modifier;
use crate::combat::sheet::{Build, casts, features_of, has_two_weapons};
use crate::content::book::Book;
use crate::content::{AbilityDef, AbilityKind, ClassDef};

/// Most spells that are looked at when a character is made.
pub const CHOSEN_MAX: usize = 64;

/// A cantrip or spell of a character.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spell {
    /// Key in content.
    pub ability: String,
    /// Whether it can be cast now.
    pub is_prepared: bool,
}

/// How many spells a character has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allowance {
    /// Cantrips known.
    pub cantrips: u8,
    /// Spells known, or prepared for who prepares.
    pub spells: u8,
    /// Highest level of them; 0 for none.
    pub highest: u8,
    /// Whether it prepares.
    pub prepares: bool,
}

/// How many spells a class has at a level, with that modifier of what it casts by.
pub fn allowance(class: &ClassDef, build: &Build) -> Allowance {
    let by = class.casting_by.map_or(0, |attribute| modifier(build.scores.get(attribute)));
    let prepared = prepared_count(class.casting, build.level, by);
    let spells = if class.prepares {
        u8::try_from(prepared).unwrap_or(0)
    } else {
        known_count(&class.spells_known, build.level)
    };
    Allowance {
        cantrips: known_count(&class.cantrips_known, build.level),
        spells,
        highest: highest_spell_level(class.casting, build.level),
        prepares: class.prepares,
    }
}

/// A class's cantrips and spells by level, then key.
fn list<'a>(class: &str, book: &'a Book) -> Vec<&'a AbilityDef> {
    let all = book.pack().ability.iter();
    let mut list: Vec<_> = all.filter(|ability| is_on_list(ability, class)).collect();
    list.sort_by_key(|ability| ability.level);
    list
}

fn is_on_list(ability: &AbilityDef, class: &str) -> bool {
    ability.kind == AbilityKind::Spell && ability.classes.iter().any(|known| known == class)
}

/// A spell by its key, if it is on the class's list and not above that level.
///
/// # Errors
/// In this order: `SpellUnknown`, `SpellTooHigh`.
fn of_list<'a>(
    key: &str,
    class: &str,
    highest: u8,
    book: &'a Book,
) -> Result<&'a AbilityDef, CharacterError> {
    let found = book.ability(key).filter(|ability| is_on_list(ability, class));
    let found = found.ok_or(CharacterError::SpellUnknown)?;
    if found.level > highest { Err(CharacterError::SpellTooHigh) } else { Ok(found) }
}

/// What was chosen without the last of the spells, where those are more than its scores allow.
pub(super) fn allowed(build: &Build, book: &Book, chosen: &[String]) -> Vec<String> {
    let most = book.class(&build.class).map_or(0, |class| allowance(class, build).spells);
    let mut spells = 0_u8;
    let is_allowed = |key: &&String| {
        let is_spell = book.ability(key).is_some_and(|ability| ability.level > 0);
        spells = spells.saturating_add(u8::from(is_spell));
        !is_spell || spells <= most
    };
    chosen.iter().filter(is_allowed).cloned().collect()
}

/// What a new character has: what was chosen, and the first ones of the list up to what it may
/// have.
///
/// # Errors
/// In this order: `AbilitiesUnsupported`, `SpellsTooMany` for more than [`CHOSEN_MAX`]; for each
/// that was chosen `SpellUnknown`, `SpellTooHigh`; then `SpellTwice`, `SpellsTooMany`.
pub fn beginning(
    build: &Build,
    book: &Book,
    chosen: &[String],
) -> Result<Vec<Spell>, CharacterError> {
    let class = book.class(&build.class).ok_or(CharacterError::AbilitiesUnsupported)?;
    let may = allowance(class, build);
    if chosen.len() > CHOSEN_MAX {
        return Err(CharacterError::SpellsTooMany);
    }
    let (mut cantrips, mut spells) = (0_u8, 0_u8);
    for key in chosen {
        let ability = of_list(key, &class.key, may.highest, book)?;
        let count = if ability.level == 0 { &mut cantrips } else { &mut spells };
        *count = count.saturating_add(1);
    }
    if !are_distinct(chosen) {
        return Err(CharacterError::SpellTwice);
    }
    if cantrips > may.cantrips || spells > may.spells {
        return Err(CharacterError::SpellsTooMany);
    }
    let mut taken = Vec::new();
    for ability in list(&class.key, book) {
        let (count, most) = match ability.level {
            0 => (&mut cantrips, may.cantrips),
            level if level <= may.highest => (&mut spells, may.spells),
            _ => continue,
        };
        let is_chosen = chosen.contains(&ability.key);
        if is_chosen || *count < most {
            *count += u8::from(!is_chosen);
            taken.push(Spell { ability: ability.key.clone(), is_prepared: true });
        }
    }
    Ok(taken)
}

/// Whether a character knows an ability, and whether it can use it now. Basic ones everybody
/// knows, but for the other hand's attack, which needs a light weapon in each; those of features
/// come with them; spells as this file's head says. A spell that is not on the class's list any
/// more is not known.
pub fn knows(build: &Build, spells: &[Spell], ability: &AbilityDef, book: &Book) -> (bool, bool) {
    let is_known = match ability.kind {
        AbilityKind::Basic if ability.key == OFF_HAND_ATTACK => has_two_weapons(build, book),
        AbilityKind::Basic => true,
        AbilityKind::Creature | AbilityKind::Item => false,
        AbilityKind::Feature | AbilityKind::Spell => is_of_feature(build, &ability.key, book),
    };
    if is_known || ability.kind != AbilityKind::Spell {
        return (is_known, is_known);
    }
    let Some(class) = book.class(&build.class) else { return (false, false) };
    let highest = highest_spell_level(class.casting, build.level);
    if !is_on_list(ability, &class.key) || ability.level > highest {
        return (false, false);
    }
    match spells.iter().find(|spell| spell.ability == ability.key) {
        Some(spell) => (true, spell.is_prepared || !class.prepares || ability.level == 0),
        None => (class.prepares && ability.level > 0, false),
    }
}

fn is_of_feature(build: &Build, ability: &str, book: &Book) -> bool {
    let features = features_of(build, book);
    let mut defs = features.iter().filter_map(|feature| book.feature(feature));
    defs.any(|feature| feature.ability.as_deref() == Some(ability))
}

/// What a character knows, by level, then key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Keys of cantrips; they are always ready.
    pub cantrips: Vec<String>,
    /// Keys of spells.
    pub spells: Vec<String>,
    /// Keys of those spells that are ready.
    pub prepared: Vec<String>,
}

/// All that a character knows of its class's list.
pub fn all_known(build: &Build, spells: &[Spell], book: &Book) -> Known {
    let mut known = Known::default();
    for ability in list(&build.class, book) {
        let (is_known, is_prepared) = knows(build, spells, ability, book);
        let into = if ability.level == 0 { &mut known.cantrips } else { &mut known.spells };
        into.extend(is_known.then(|| ability.key.clone()));
        if is_prepared && ability.level > 0 {
            known.prepared.push(ability.key.clone());
        }
    }
    known
}

/// Decides which spells a character has prepared: those that are named in place of all others.
/// Cantrips are not named, they are always ready.
///
/// # Errors
/// In this order: `SpellsNotPrepared`; for each of them `SpellUnknown`, `SpellTooHigh`,
/// `SpellKnown` for a cantrip; then `SpellTwice`, `SpellsTooMany`.
pub fn prepare(build: &Build, wanted: &[String], book: &Book) -> Result<(), CharacterError> {
    let class = book.class(&build.class).ok_or(CharacterError::AbilitiesUnsupported)?;
    if !class.prepares {
        return Err(CharacterError::SpellsNotPrepared);
    }
    let may = allowance(class, build);
    // More than it may have need not be looked at one by one.
    let most = usize::from(may.spells);
    for key in wanted.iter().take(most + 1) {
        if of_list(key, &class.key, may.highest, book)?.level == 0 {
            return Err(CharacterError::SpellKnown);
        }
    }
    if !are_distinct(wanted.get(..=most).unwrap_or(wanted)) {
        Err(CharacterError::SpellTwice)
    } else if wanted.len() > most {
        Err(CharacterError::SpellsTooMany)
    } else {
        Ok(())
    }
}

/// How many cantrips and how many spells a character may still learn. Who prepares learns cantrips
/// alone.
pub fn to_learn(build: &Build, spells: &[Spell], book: &Book) -> (u8, u8) {
    let Some(class) = book.class(&build.class).filter(|class| casts(class)) else { return (0, 0) };
    let may = allowance(class, build);
    let count = |is_cantrip: bool| {
        let levels = spells.iter().filter_map(|spell| book.ability(&spell.ability));
        let known = levels.filter(|ability| (ability.level == 0) == is_cantrip).count();
        u8::try_from(known).unwrap_or(u8::MAX)
    };
    let of_level = if may.prepares { 0 } else { may.spells.saturating_sub(count(false)) };
    (may.cantrips.saturating_sub(count(true)), of_level)
}

/// Decides whether a character learns one more cantrip or spell.
///
/// # Errors
/// In this order: `AbilitiesUnsupported`, `SpellUnknown`, `SpellTooHigh`, `SpellKnown`,
/// `SpellsTooMany`.
pub fn learn(
    build: &Build,
    spells: &[Spell],
    wanted: &str,
    book: &Book,
) -> Result<(), CharacterError> {
    let class = book.class(&build.class).ok_or(CharacterError::AbilitiesUnsupported)?;
    let may = allowance(class, build);
    let ability = of_list(wanted, &class.key, may.highest, book)?;
    let is_known = spells.iter().any(|spell| spell.ability == wanted);
    if is_known || may.prepares && ability.level > 0 {
        return Err(CharacterError::SpellKnown);
    }
    let (cantrips, of_level) = to_learn(build, spells, book);
    let left = if ability.level == 0 { cantrips } else { of_level };
    if left == 0 { Err(CharacterError::SpellsTooMany) } else { Ok(()) }
}

/// Decides whether a character puts a spell in the place of one it knows (SRD 5.1, "Classes", Bard,
/// Spells Known of 1st Level and Higher). Cantrips stay.
///
/// # Errors
/// In this order: `SwapNone` without a level gained since, `SpellNotKnown`, `SpellUnknown`,
/// `SpellTooHigh`, `SpellKnown`, also for a cantrip.
pub fn swap(
    build: &Build,
    spells: &[Spell],
    swaps: u8,
    (given, wanted): (&str, &str),
    book: &Book,
) -> Result<(), CharacterError> {
    let class = book.class(&build.class).ok_or(CharacterError::AbilitiesUnsupported)?;
    if swaps == 0 || class.prepares {
        return Err(CharacterError::SwapNone);
    }
    let known = |key: &str| spells.iter().any(|spell| spell.ability == key);
    let is_cantrip = |key: &str| book.ability(key).is_some_and(|ability| ability.level == 0);
    if !known(given) || is_cantrip(given) {
        return Err(CharacterError::SpellNotKnown);
    }
    let ability = of_list(wanted, &class.key, allowance(class, build).highest, book)?;
    if known(wanted) || ability.level == 0 { Err(CharacterError::SpellKnown) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::characters::creation::usual;
    use crate::content::tests::shipped_book;
    use proptest::prelude::*;

    fn build(class: &str, level: u8) -> Build {
        let made = usual("human", class, shipped_book()).expect("made");
        Build {
            race: "human".to_owned(),
            class: class.to_owned(),
            level,
            scores: made.scores,
            outfit: None,
        }
    }

    fn words(list: &[&str]) -> Vec<String> {
        list.iter().map(|word| (*word).to_owned()).collect()
    }

    fn keys(spells: &[Spell]) -> Vec<&str> {
        spells.iter().map(|spell| spell.ability.as_str()).collect()
    }

    /// Keys of a class's list of one level, in order.
    fn of_level(class: &str, level: u8, book: &Book) -> Vec<String> {
        let list = list(class, book);
        list.iter().filter(|it| it.level == level).map(|it| it.key.clone()).collect()
    }

    #[test]
    fn classes_have_as_many_spells_as_their_tables_say() {
        let book = shipped_book();
        for (class, level, cantrips, spells, highest) in [
            ("fighter", 20, 0, 0, 0),
            ("bard", 1, 2, 4, 1),
            ("cleric", 1, 3, 1 + 3, 1),
            ("wizard", 5, 4, 5 + 3, 3),
            ("paladin", 1, 0, 0, 0),
            ("paladin", 2, 0, 1 + 2, 1),
            ("ranger", 1, 0, 0, 0),
            ("ranger", 2, 0, 2, 1),
            ("warlock", 9, 3, 10, 5),
        ] {
            let got = allowance(book.class(class).expect("a class"), &build(class, level));
            let expected = (cantrips, spells, highest);
            assert_eq!((got.cantrips, got.spells, got.highest), expected, "{class} {level}");
        }
    }

    #[test]
    fn a_beginner_has_what_it_chose_and_the_first_of_the_list() {
        let book = shipped_book();
        let mage = build("sorcerer", 1);
        let (cantrips, spells) = (of_level("sorcerer", 0, book), of_level("sorcerer", 1, book));
        let got = beginning(&mage, book, &[]).expect("spells");
        assert_eq!(keys(&got), [&cantrips[..4], &spells[..2]].concat());
        let chosen = [spells[5].clone(), cantrips[6].clone()];
        let got = beginning(&mage, book, &chosen).expect("spells");
        let expected = [&cantrips[..3], &cantrips[6..7], &spells[..1], &spells[5..6]].concat();
        assert_eq!(keys(&got), expected);
        let second = of_level("sorcerer", 2, book)[0].clone();
        for (chosen, expected) in [
            (vec![second], CharacterError::SpellTooHigh),
            (words(&["second_wind"]), CharacterError::SpellUnknown),
            (vec![spells[0].clone(), spells[0].clone()], CharacterError::SpellTwice),
            (cantrips[..5].to_vec(), CharacterError::SpellsTooMany),
            (spells[..3].to_vec(), CharacterError::SpellsTooMany),
            (words(&["magic"; CHOSEN_MAX + 1]), CharacterError::SpellsTooMany),
        ] {
            assert_eq!(beginning(&mage, book, &chosen), Err(expected), "{chosen:?}");
        }
        let nobody = Build { class: "king".to_owned(), ..mage };
        let refused = beginning(&nobody, book, &[]);
        assert_eq!(refused, Err(CharacterError::AbilitiesUnsupported));
    }

    #[test]
    fn abilities_are_known_by_what_they_are() {
        let book = shipped_book();
        let ability = |key: &str| book.ability(key).expect("an ability");
        let basic = book.pack().ability.iter().find(|it| it.kind == AbilityKind::Basic);
        let creature = book.pack().ability.iter().find(|it| it.kind == AbilityKind::Creature);
        let fighter = build("fighter", 1);
        let known = |build: &Build, key: &str| knows(build, &[], ability(key), book);
        assert_eq!(known(&fighter, &basic.expect("one").key), (true, true));
        for (class, has_two) in [("fighter", false), ("rogue", true), ("ranger", true)] {
            assert_eq!(known(&build(class, 1), OFF_HAND_ATTACK), (has_two, has_two), "{class}");
        }
        assert_eq!(known(&fighter, &creature.expect("one").key), (false, false));
        assert_eq!(known(&fighter, "second_wind"), (true, true));
        assert_eq!(known(&fighter, "action_surge"), (false, false));
        assert_eq!(known(&build("fighter", 2), "action_surge"), (true, true));
        assert_eq!(known(&build("rogue", 20), "second_wind"), (false, false));
    }

    #[test]
    fn spells_are_known_and_ready_as_the_class_casts() {
        let book = shipped_book();
        let first = |class: &str, level| of_level(class, level, book)[0].clone();
        let row = |key: &str, is_prepared| vec![Spell { ability: key.to_owned(), is_prepared }];
        for (class, level, spell_level, row_of, expected) in [
            ("cleric", 1, 0, None, (false, false)),
            ("cleric", 1, 0, Some(true), (true, true)),
            ("cleric", 1, 1, None, (true, false)),
            ("cleric", 1, 1, Some(true), (true, true)),
            ("cleric", 1, 2, Some(true), (false, false)),
            ("cleric", 3, 2, None, (true, false)),
            ("bard", 1, 1, None, (false, false)),
            ("bard", 1, 1, Some(true), (true, true)),
            ("bard", 1, 2, Some(true), (false, false)),
            ("ranger", 1, 1, Some(true), (false, false)),
        ] {
            let key = first(class, spell_level);
            let spells = row_of.map_or_else(Vec::new, |prepared| row(&key, prepared));
            let ability = book.ability(&key).expect("a spell");
            let got = knows(&build(class, level), &spells, ability, book);
            assert_eq!(got, expected, "{class} {level} {key}");
        }
        let alien = of_level("wizard", 1, book).into_iter().find(|key| {
            book.ability(key).is_some_and(|it| !it.classes.contains(&"cleric".to_owned()))
        });
        let alien = alien.expect("a spell of wizards alone");
        let ability = book.ability(&alien).expect("a spell");
        assert_eq!(knows(&build("cleric", 20), &row(&alien, true), ability, book), (false, false));
    }

    #[test]
    fn what_is_known_is_told_in_order() {
        let book = shipped_book();
        for (class, known) in [("cleric", 9), ("sorcerer", 2), ("fighter", 0)] {
            let build = build(class, 1);
            let rows = beginning(&build, book, &[]).expect("spells");
            let got = all_known(&build, &rows, book);
            let told = [got.cantrips, got.prepared.clone()].concat();
            assert_eq!(told, keys(&rows), "{class}");
            assert_eq!(got.spells.len(), known, "{class}");
            assert!(got.prepared.iter().all(|key| got.spells.contains(key)), "{class}");
        }
    }

    #[test]
    fn who_prepares_names_spells_of_its_list() {
        use CharacterError as E;
        let book = shipped_book();
        let cleric = build("cleric", 1);
        let (cantrips, spells) = (of_level("cleric", 0, book), of_level("cleric", 1, book));
        let second = of_level("cleric", 2, book)[0].clone();
        for (wanted, expected) in [
            (vec![], Ok(())),
            (spells[..4].to_vec(), Ok(())),
            (spells[..5].to_vec(), Err(E::SpellsTooMany)),
            (vec![spells[0].clone(); 1_000], Err(E::SpellTwice)),
            (vec![cantrips[0].clone()], Err(E::SpellKnown)),
            (vec![second], Err(E::SpellTooHigh)),
            (words(&["magic"]), Err(E::SpellUnknown)),
        ] {
            assert_eq!(prepare(&cleric, &wanted, book), expected, "{wanted:?}");
        }
        assert_eq!(prepare(&build("bard", 1), &[], book), Err(E::SpellsNotPrepared));
        assert_eq!(prepare(&build("fighter", 1), &[], book), Err(E::SpellsNotPrepared));
    }

    #[test]
    fn spells_are_learned_and_swapped_as_levels_come() {
        use CharacterError as E;
        let book = shipped_book();
        let spells = beginning(&build("sorcerer", 1), book, &[]).expect("spells");
        let (first, second) = (of_level("sorcerer", 1, book), of_level("sorcerer", 2, book));
        let (third, cantrip) = (first[2].as_str(), of_level("sorcerer", 0, book)[4].clone());
        let learn = |level, key: &str| learn(&build("sorcerer", level), &spells, key, book);
        assert_eq!(to_learn(&build("sorcerer", 2), &spells, book), (0, 1));
        for (level, key, expected) in [
            (1, third, Err(E::SpellsTooMany)),
            (2, third, Ok(())),
            (2, first[0].as_str(), Err(E::SpellKnown)),
            (2, second[0].as_str(), Err(E::SpellTooHigh)),
            (3, second[0].as_str(), Ok(())),
            (3, cantrip.as_str(), Err(E::SpellsTooMany)),
            (4, cantrip.as_str(), Ok(())),
            (4, "magic", Err(E::SpellUnknown)),
        ] {
            assert_eq!(learn(level, key), expected, "{level} {key}");
        }
        let known_cantrip = spells[0].ability.as_str();
        let swap = |swaps, given: &str, wanted: &str| {
            swap(&build("sorcerer", 2), &spells, swaps, (given, wanted), book)
        };
        for (swaps, given, wanted, expected) in [
            (1, first[0].as_str(), third, Ok(())),
            (0, first[0].as_str(), third, Err(E::SwapNone)),
            (1, third, first[0].as_str(), Err(E::SpellNotKnown)),
            (1, known_cantrip, third, Err(E::SpellNotKnown)),
            (1, first[0].as_str(), "magic", Err(E::SpellUnknown)),
            (1, first[0].as_str(), second[0].as_str(), Err(E::SpellTooHigh)),
            (1, first[0].as_str(), first[1].as_str(), Err(E::SpellKnown)),
            (1, first[0].as_str(), cantrip.as_str(), Err(E::SpellKnown)),
        ] {
            assert_eq!(swap(swaps, given, wanted), expected, "{swaps} {given} {wanted}");
        }
        let cleric = build("cleric", 4);
        let rows = beginning(&build("cleric", 1), book, &[]).expect("spells");
        assert_eq!(to_learn(&cleric, &rows, book), (1, 0));
        let spell = of_level("cleric", 2, book)[0].clone();
        let refused = super::learn(&cleric, &rows, &spell, book);
        assert_eq!(refused, Err(E::SpellKnown), "who prepares knows its whole list");
    }

    proptest! {
        #[test]
        fn nobody_has_more_spells_than_it_may_or_one_it_does_not_know(
            at in any::<prop::sample::Index>(),
            level in 1_u8..=20,
            picks in prop::collection::vec(any::<prop::sample::Index>(), 0..12),
        ) {
            let book = shipped_book();
            let classes = &book.pack().class;
            let class = &classes[at.index(classes.len())];
            let build = build(&class.key, level);
            let all = &book.pack().ability;
            let chosen: Vec<_> =
                picks.iter().map(|pick| all[pick.index(all.len())].key.clone()).collect();
            let may = allowance(class, &build);
            let mut spells = beginning(&build, book, &[]).expect("spells");
            for key in &chosen {
                if learn(&build, &spells, key, book).is_ok() {
                    spells.push(Spell { ability: key.clone(), is_prepared: true });
                }
            }
            let cantrips = |key: &String| book.ability(key).is_some_and(|it| it.level == 0);
            let count = spells.iter().filter(|spell| cantrips(&spell.ability)).count();
            prop_assert!(count <= usize::from(may.cantrips));
            prop_assert!(spells.len() - count <= usize::from(may.spells));
            for spell in &spells {
                let ability = book.ability(&spell.ability).expect("an ability");
                prop_assert_eq!(knows(&build, &spells, ability, book), (true, true));
            }
            if let Ok(got) = beginning(&build, book, &chosen) {
                prop_assert!(chosen.iter().all(|key| keys(&got).contains(&key.as_str())));
            }
        }
    }
}
