//! Characters: names, races, classes, how many, and how long a deleted one can be restored.
//!
//! Keeps true: two names that a player could take for one another have the same skeleton.
//! What a character is made of ([`creation`]), what it has learned ([`progress`], [`spells`]) and
//! what it has left ([`resources`]) have their own files.

pub mod creation;
pub mod progress;
pub mod resources;
pub mod spells;

use crate::content::book::Book;
use crate::errors::domain_errors;
use unicode_normalization::UnicodeNormalization;
use unicode_script::{Script, UnicodeScript};

/// Shortest name in characters.
pub const NAME_CHARS_MIN: usize = 2;
/// Longest name in characters.
pub const NAME_CHARS_MAX: usize = 24;
/// Most living characters an account may have in a realm.
pub const CHARACTERS_PER_ACCOUNT_MAX: usize = 8;
/// Most characters an account may have in a realm together with those it can still restore.
pub const CHARACTERS_KEPT_PER_ACCOUNT_MAX: usize = 32;
/// How long a deleted character can be restored, days.
pub const RESTORE_DAYS: u32 = 30;
/// How often a character may return to the spawn by itself, seconds.
pub const RESPAWN_SECONDS: u32 = 300;

/// Longest appearance, bytes of JSON.
pub const APPEARANCE_BYTES_MAX: usize = 2_048;

/// The races a character can have where no content is in force; content has them all.
pub const RACES: &[&str] = &["human", "elf", "dwarf", "halfling", "orc"];
/// The classes a character can have where no content is in force; content has them all.
pub const CLASSES: &[&str] = &["fighter", "rogue", "cleric", "wizard", "ranger"];
/// Names that would be taken for staff or for the system, as skeletons are compared.
const RESERVED: &[&str] = &[
    "admin",
    "administrator",
    "gamemaster",
    "gm",
    "haven",
    "moderator",
    "nobody",
    "owner",
    "server",
    "staff",
    "support",
    "system",
];

domain_errors! {
    /// Why something about a character was refused.
    CharacterError {
        NameLength = 300, "character.name_length", "a name has 2 to 24 characters";
        NameLetters = 301, "character.name_letters", "a name has letters, and single ' or - between them";
        NameScripts = 302, "character.name_scripts", "a name's letters belong to one script";
        NameReserved = 303, "character.name_reserved", "that name is reserved";
        RaceUnknown = 304, "character.race_unknown", "there is no such race";
        ClassUnknown = 305, "character.class_unknown", "there is no such class";
        AbilitiesUnsupported = 306, "character.abilities_unsupported", "nothing can be chosen while content does not have the race and class";
        TooMany = 307, "character.too_many", "an account has at most 8 characters in a realm";
        TooManyKept = 308, "character.too_many_kept", "too many deleted characters can still be restored";
        NameTaken = 309, "character.name_taken", "a character has that name or one that looks like it";
        Unknown = 310, "character.unknown", "the account has no such character";
        Deleted = 311, "character.deleted", "the character is deleted";
        NotDeleted = 312, "character.not_deleted", "the character is not deleted";
        RestoreOver = 313, "character.restore_over", "the character can no longer be restored";
        InWorld = 314, "character.in_world", "the character is in the world";
        OtherInWorld = 315, "character.other_in_world", "another character of the account is in the world";
        NotInWorld = 316, "character.not_in_world", "the account has no character in the world";
        RespawnTooEarly = 317, "character.respawn_too_early", "a character returns to the spawn once in five minutes";
        MulticlassUnsupported = 318, "character.multiclass_unsupported", "a character has one class, and keeps it";
        BackgroundUnknown = 319, "character.background_unknown", "there is no such background";
        MethodUnknown = 320, "character.method_unknown", "scores are standard, bought with points, or rolled";
        ScoresNotStandard = 321, "character.scores_not_standard", "standard scores are 15, 14, 13, 12, 10 and 8, each once";
        ScoresNotBought = 322, "character.scores_not_bought", "six scores of 8 to 15 are bought with the points there are";
        ScoresNotChosen = 323, "character.scores_not_chosen", "who has scores rolled says their order and nothing else";
        OrderInvalid = 324, "character.order_invalid", "an order names attributes, each once, in place of scores";
        SkillsInvalid = 325, "character.skills_invalid", "a class chooses so many of its skills, each once";
        SpellUnknown = 326, "character.spell_unknown", "no such spell is on the class's list";
        SpellTooHigh = 327, "character.spell_too_high", "the spell is of a higher level than the character casts";
        SpellTwice = 328, "character.spell_twice", "a spell is named twice";
        SpellKnown = 329, "character.spell_known", "the character knows that spell already";
        SpellNotKnown = 330, "character.spell_not_known", "the character does not know that spell, or it is a cantrip";
        SpellsTooMany = 331, "character.spells_too_many", "the character cannot have one more spell";
        SpellsNotPrepared = 332, "character.spells_not_prepared", "the class prepares no spells: those it knows are ready";
        SwapNone = 333, "character.swap_none", "a spell gives way to another once for each level gained";
        AttributeUnknown = 334, "character.attribute_unknown", "there is no such attribute";
        IncreaseNone = 335, "character.increase_none", "there is no increase to choose";
        ScoreTooHigh = 336, "character.score_too_high", "a score does not rise above 20";
        AppearanceInvalid = 337, "character.appearance_invalid", "an appearance is a JSON object of at most 2,048 bytes";
        Fighting = 338, "character.fighting", "spells are not prepared in a fight";
    }
}

/// A name that may be given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CharacterName {
    /// As players see it: as typed, in normal form C.
    pub display: String,
    /// What must be unique: case, marks of punctuation and look-alike letters folded together.
    pub skeleton: String,
}

/// Decides whether a character may have that name.
///
/// # Errors
/// In this order: `NameLength`, `NameLetters`, `NameScripts`, `NameReserved`.
pub fn validate_name(name: &str) -> Result<CharacterName, CharacterError> {
    if name.len() > NAME_CHARS_MAX * 8 {
        return Err(CharacterError::NameLength);
    }
    let display: String = name.nfkc().collect();
    if !(NAME_CHARS_MIN..=NAME_CHARS_MAX).contains(&display.chars().count()) {
        return Err(CharacterError::NameLength);
    }
    let parts_good = display
        .split(['\'', '-'])
        .all(|part| !part.is_empty() && part.chars().all(char::is_alphabetic));
    if !parts_good {
        return Err(CharacterError::NameLetters);
    }
    let mut scripts = display
        .chars()
        .map(|letter| letter.script())
        .filter(|script| !matches!(script, Script::Common | Script::Inherited));
    let first = scripts.next().ok_or(CharacterError::NameLetters)?;
    if scripts.any(|script| script != first) {
        return Err(CharacterError::NameScripts);
    }
    let skeleton = skeleton(&display);
    if is_reserved(&skeleton) {
        return Err(CharacterError::NameReserved);
    }
    Ok(CharacterName { display, skeleton })
}

/// Whether something with that skeleton would be taken for staff or for the system.
pub(crate) fn is_reserved(skeleton: &str) -> bool {
    RESERVED.iter().any(|reserved| self::skeleton(reserved) == skeleton)
}

/// Folds case and look-alike letters (UTS 39, section 4). `i`, `I`, `l` and `L` fold into one,
/// because the capital of the one looks like the small letter of the other.
pub(crate) fn skeleton(name: &str) -> String {
    let lower = name.to_lowercase().replace(['\'', '-'], "");
    let folded: String = unicode_security::skeleton(&lower).collect();
    folded
        .to_lowercase()
        .nfd()
        .filter(|letter| letter.is_alphanumeric())
        .map(|letter| if matches!(letter, 'i' | 'ı') { 'l' } else { letter })
        .collect()
}

/// Decides whether a character can have that race and class by the content in force; where none is,
/// the lists above hold. True where content has both, so that there is something to choose.
///
/// # Errors
/// In this order: `RaceUnknown`, `MulticlassUnsupported` for several classes in one, such as
/// `fighter/wizard`, `ClassUnknown`.
pub fn check_kind(race: &str, class: &str, book: &Book) -> Result<bool, CharacterError> {
    let pack = book.pack();
    let is_content = !(pack.race.is_empty() && pack.class.is_empty());
    let knows_class = |class: &str| {
        if is_content { book.class(class).is_some() } else { CLASSES.contains(&class) }
    };
    let knows_race = if is_content { book.race(race).is_some() } else { RACES.contains(&race) };
    if !knows_race {
        return Err(CharacterError::RaceUnknown);
    }
    if knows_class(class) {
        return Ok(is_content);
    }
    let mut parts = class.split(['/', ',', '+', '&']).map(str::trim);
    let is_several = class.contains(['/', ',', '+', '&']) && parts.all(knows_class);
    Err(if is_several {
        CharacterError::MulticlassUnsupported
    } else {
        CharacterError::ClassUnknown
    })
}

/// What a character that wants another class besides its own is told.
///
/// # Errors
/// In this order: `ClassUnknown`, `MulticlassUnsupported`: it is never allowed.
pub fn check_class_added(class: &str, book: &Book) -> Result<(), CharacterError> {
    let is_known = book.class(class).is_some() || CLASSES.contains(&class);
    Err(if is_known { CharacterError::MulticlassUnsupported } else { CharacterError::ClassUnknown })
}

/// Refuses what is no appearance.
///
/// # Errors
/// `AppearanceInvalid`.
pub fn validate_appearance(appearance: &str) -> Result<(), CharacterError> {
    let is_object = || {
        let read = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(appearance);
        read.is_ok()
    };
    if appearance.len() <= APPEARANCE_BYTES_MAX && is_object() {
        Ok(())
    } else {
        Err(CharacterError::AppearanceInvalid)
    }
}

/// Refuses one more character than an account may have.
///
/// # Errors
/// In this order: `TooMany`, `TooManyKept`.
pub fn check_room(living: usize, deleted: usize) -> Result<(), CharacterError> {
    if living >= CHARACTERS_PER_ACCOUNT_MAX {
        Err(CharacterError::TooMany)
    } else if living + deleted >= CHARACTERS_KEPT_PER_ACCOUNT_MAX {
        Err(CharacterError::TooManyKept)
    } else {
        Ok(())
    }
}

/// When a character deleted now is removed for good, microseconds since 1970.
pub fn purge_at_micros(now_micros: i64) -> i64 {
    now_micros.saturating_add(i64::from(RESTORE_DAYS) * 86_400_000_000)
}

/// Refuses to restore a character whose time is over; the purge takes it at its next run.
///
/// # Errors
/// `RestoreOver`.
pub fn check_restore(now_micros: i64, purge_at_micros: i64) -> Result<(), CharacterError> {
    if now_micros < purge_at_micros { Ok(()) } else { Err(CharacterError::RestoreOver) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::tests::read_shipped;
    use proptest::prelude::*;

    fn check(name: &str, expected: Result<&str, CharacterError>) {
        let got = validate_name(name);
        assert_eq!(got.as_ref().map(|name| name.display.as_str()), expected.as_ref().copied());
    }

    #[test]
    fn names_follow_the_rules() {
        check("Aldric", Ok("Aldric"));
        check("O'Brien", Ok("O'Brien"));
        check("Jean-Luc", Ok("Jean-Luc"));
        check("Åse", Ok("Åse"));
        check("Ольга", Ok("Ольга"));
        check("x", Err(CharacterError::NameLength));
        check("", Err(CharacterError::NameLength));
        check(&"x".repeat(25), Err(CharacterError::NameLength));
        check(&"x".repeat(1_000_000), Err(CharacterError::NameLength));
        for name in ["Bob7", "a b", "'ab", "ab-", "a--b", "a\u{200b}b", "<b>x", "a\nb", "🙂🙂"]
        {
            check(name, Err(CharacterError::NameLetters));
        }
        check("Pаul", Err(CharacterError::NameScripts));
        check("Admin", Err(CharacterError::NameReserved));
        check("ADMlN", Err(CharacterError::NameReserved));
        check("G-M", Err(CharacterError::NameReserved));
    }

    #[test]
    fn names_that_look_alike_have_one_skeleton() {
        let skeleton_of = |name| validate_name(name).map(|name| name.skeleton);
        for (one, other) in [
            ("Aldric", "ALDRIC"),
            ("Ilya", "llya"),
            ("MaIl", "mall"),
            ("Jean-Luc", "JeanLuc"),
            ("Cope", "Соре"),
            ("Corn", "Com"),
            ("ﬁn", "fin"),
        ] {
            assert_eq!(skeleton_of(one), skeleton_of(other), "{one} {other}");
        }
        assert_ne!(skeleton_of("Aldric"), skeleton_of("Aldrec"));
    }

    #[test]
    fn kinds_are_those_of_the_content_or_of_the_lists() {
        let (none, shipped) = (Book::default(), Book::new(read_shipped()));
        for race in RACES {
            for class in CLASSES {
                assert_eq!(check_kind(race, class, &none), Ok(false));
                assert_eq!(check_kind(race, class, &shipped), Ok(true), "{race} {class}");
            }
        }
        for (race, class, without, with) in [
            ("tiefling", "bard", Err(CharacterError::RaceUnknown), Ok(true)),
            ("elf", "bard", Err(CharacterError::ClassUnknown), Ok(true)),
            ("Elf", "wizard", Err(CharacterError::RaceUnknown), Err(CharacterError::RaceUnknown)),
            ("elf", "", Err(CharacterError::ClassUnknown), Err(CharacterError::ClassUnknown)),
            ("elf", "/", Err(CharacterError::ClassUnknown), Err(CharacterError::ClassUnknown)),
            (
                "elf",
                "fighter/king",
                Err(CharacterError::ClassUnknown),
                Err(CharacterError::ClassUnknown),
            ),
            (
                "elf",
                "fighter / wizard",
                Err(CharacterError::MulticlassUnsupported),
                Err(CharacterError::MulticlassUnsupported),
            ),
        ] {
            assert_eq!(check_kind(race, class, &none), without, "{race} {class}");
            assert_eq!(check_kind(race, class, &shipped), with, "{race} {class}");
        }
        let added = |class| check_class_added(class, &shipped);
        assert_eq!(added("bard"), Err(CharacterError::MulticlassUnsupported));
        assert_eq!(added("king"), Err(CharacterError::ClassUnknown));
    }

    #[test]
    fn an_appearance_is_an_object_of_bounded_size() {
        for good in ["{}", r#"{"hair":"red","scars":[1,2]}"#] {
            assert_eq!(validate_appearance(good), Ok(()), "{good}");
        }
        let filled = |count: usize| format!(r#"{{"a":"{}"}}"#, "x".repeat(count));
        assert_eq!(validate_appearance(&filled(APPEARANCE_BYTES_MAX - 8)), Ok(()));
        let long = filled(APPEARANCE_BYTES_MAX - 7);
        for bad in ["", "[]", "null", "{", "{} {}", "red", long.as_str()] {
            let refused = validate_appearance(bad);
            assert_eq!(refused, Err(CharacterError::AppearanceInvalid), "{bad}");
        }
    }

    #[test]
    fn room_is_bounded() {
        assert_eq!(check_room(7, 24), Ok(()));
        assert_eq!(check_room(8, 0), Err(CharacterError::TooMany));
        assert_eq!(check_room(0, 32), Err(CharacterError::TooManyKept));
        assert_eq!(purge_at_micros(0), 30 * 86_400_000_000);
        assert_eq!(check_restore(9, 10), Ok(()));
        // character.restore_over
        assert_eq!(check_restore(10, 10), Err(CharacterError::RestoreOver));
    }

    proptest! {
        #[test]
        fn any_text_gets_an_answer(name in "\\PC{0,40}") {
            if let Ok(valid) = validate_name(&name) {
                prop_assert!(!valid.skeleton.is_empty());
                let upper = validate_name(&valid.display.to_uppercase());
                if let Ok(upper) = upper {
                    prop_assert_eq!(upper.skeleton, valid.skeleton);
                }
            }
        }
    }
}
