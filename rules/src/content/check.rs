//! What is checked of a pack: keys, texts, numbers, and whatever one entry says of another.
//!
//! Keeps true: every offence is found, and each names its entry and field. Leaves out on purpose:
//! what the shapes themselves refuse, and lines, which `pack` knows.

use std::collections::BTreeSet;

use super::entry::{Entry, Kind};
use super::limits::{self, Range};
use super::{KEY_CHARS_MAX, NAME_CHARS_MAX, Pack, TEXT_CHARS_MAX};

mod abilities;
mod boards;
mod creatures;
mod equipment;
mod goods;
mod people;
mod vendors;

/// Something that is wrong with an entry.
#[derive(Debug)]
pub(super) struct Offence {
    pub(super) kind: Kind,
    pub(super) key: String,
    /// The entry's place among its kind; none where it is about the kind as a whole.
    pub(super) index: Option<usize>,
    /// The field, as in `effects[0].dice`; empty where it is about the entry as a whole.
    pub(super) path: String,
    /// What is wrong with it: what follows the field's name.
    pub(super) problem: String,
}

/// Everything that is wrong with a pack. `broken` are keys of entries that could not be read:
/// others may refer to them.
pub(super) fn check(pack: &Pack, broken: &BTreeSet<(Kind, String)>) -> Vec<Offence> {
    let mut keys: BTreeSet<_> = broken.iter().map(|(kind, key)| (*kind, key.as_str())).collect();
    macro_rules! gather {
        ($($list:ident $kind:ident),*) => {
            $(keys.extend(pack.$list.iter().map(|entry| (Kind::$kind, entry.key.as_str())));)*
        };
    }
    gather!(class Class, feature Feature, ability Ability, creature Creature);
    gather!(weapon Weapon, armor Armor, item Item);
    let mut check =
        Check { keys, kind: Kind::Race, key: String::new(), index: None, offences: Vec::new() };
    check.each(&pack.race, people::race);
    check.each(&pack.class, people::class);
    check.each(&pack.background, people::background);
    check.each(&pack.feature, people::feature);
    check.each(&pack.ability, abilities::ability);
    check.each(&pack.creature, creatures::creature);
    check.each(&pack.weapon, equipment::weapon);
    check.each(&pack.armor, equipment::armor);
    check.each(&pack.camp, creatures::camp);
    check.each(&pack.item, goods::item);
    check.each(&pack.loot_table, goods::loot_table);
    check.each(&pack.recipe, goods::recipe);
    check.each(&pack.gather_node, goods::gather_node);
    check.each(&pack.board, boards::board);
    check.board_count(pack.board.len());
    check.each(&pack.level, people::level);
    check.each(&pack.vendor, vendors::vendor);
    check.each(&pack.setting, equipment::setting);
    check.each(&pack.switch, equipment::switch);
    check.each(&pack.filter_word, equipment::filter_word);
    if !broken.iter().any(|(kind, _)| *kind == Kind::Level) {
        people::levels(&mut check, &pack.level);
    }
    check.offences
}

/// Keeps all offences of the entry that is looked at.
struct Check<'a> {
    /// Whatever can be referred to.
    keys: BTreeSet<(Kind, &'a str)>,
    kind: Kind,
    key: String,
    index: Option<usize>,
    offences: Vec<Offence>,
}

impl Check<'_> {
    fn each<T: Entry>(&mut self, list: &[T], of: fn(&mut Self, &T)) {
        let mut seen = BTreeSet::new();
        self.kind = T::KIND;
        for (index, entry) in list.iter().enumerate() {
            let key = entry.key();
            self.index = Some(index);
            key.as_ref().clone_into(&mut self.key);
            if !seen.insert(key) {
                let field = if T::KIND == Kind::Level { "level" } else { "key" };
                self.fail(field, "is there twice");
            }
            of(self, entry);
        }
    }

    /// More boards than every submission of a feed should look at.
    fn board_count(&mut self, count: usize) {
        self.index = None;
        self.key.clear();
        self.length("boards", count, 0, limits::BOARDS_MAX, "entries");
    }

    fn fail(&mut self, path: &str, problem: impl Into<String>) {
        self.offences.push(Offence {
            kind: self.kind,
            key: self.key.clone(),
            index: self.index,
            path: path.to_owned(),
            problem: problem.into(),
        });
    }

    fn key(&mut self, key: &str) {
        let mut letters = key.chars();
        let begins = letters.next().is_some_and(|letter| letter.is_ascii_lowercase());
        let is_good = |letter: char| matches!(letter, 'a'..='z' | '0'..='9' | '_');
        if !begins || !letters.all(is_good) || key.len() > KEY_CHARS_MAX {
            let problem = "is not 1 to 48 of a-z, 0-9 and _, with a letter first";
            self.fail("key", problem);
        }
    }

    fn name(&mut self, path: &str, name: &str) {
        self.words(path, name, 1, NAME_CHARS_MAX);
    }

    fn source(&mut self, source: &str) {
        self.words("source", source, 1, limits::SOURCE_CHARS_MAX);
    }

    /// A text that has to be there.
    fn text(&mut self, text: &str) {
        self.words("text", text, 1, TEXT_CHARS_MAX);
    }

    fn text_if_any(&mut self, text: &str) {
        self.words("text", text, 0, TEXT_CHARS_MAX);
    }

    fn words(&mut self, path: &str, text: &str, min: usize, max: usize) {
        self.length(path, text.chars().count(), min, max, "characters");
        if text.trim() != text || text.chars().any(char::is_control) {
            self.fail(path, "has blanks around it or control characters in it");
        }
    }

    fn length(&mut self, path: &str, length: usize, min: usize, max: usize, of: &str) {
        if length > max {
            self.fail(path, format!("has {length} {of}, at most {max}"));
        } else if length < min {
            self.fail(path, format!("has {length} {of}, at least {min}"));
        }
    }

    fn range(&mut self, path: &str, value: impl Into<i64>, range: &Range) {
        let value = value.into();
        if value > *range.end() {
            self.fail(path, format!("is {value}, at most {}", range.end()));
        } else if value < *range.start() {
            self.fail(path, format!("is {value}, at least {}", range.start()));
        }
    }

    /// A list that is not too long and has nothing twice.
    fn list<T: Ord>(&mut self, path: &str, list: &[T]) {
        self.length(path, list.len(), 0, limits::LIST_MAX, "entries");
        if list.iter().collect::<BTreeSet<_>>().len() != list.len() {
            self.fail(path, "has something twice");
        }
    }

    /// A list of keys, all of which are there.
    fn keys(&mut self, path: &str, kind: Kind, keys: &[String]) {
        self.list(path, keys);
        for (index, key) in keys.iter().enumerate() {
            self.refers(&format!("{path}[{index}]"), &[kind], key);
        }
    }

    /// A key of one of those kinds.
    fn refers(&mut self, path: &str, kinds: &[Kind], key: &str) {
        if !kinds.iter().any(|kind| self.keys.contains(&(*kind, key))) {
            let words: Vec<_> = kinds.iter().map(|kind| kind.word()).collect();
            let key: String = key.chars().take(KEY_CHARS_MAX).collect();
            self.fail(path, format!("is {key:?}, but there is no such {}", words.join(" or ")));
        }
    }

    /// A number for each level, never falling; or none at all.
    fn by_level(&mut self, path: &str, numbers: &[u8], range: &Range) {
        if !numbers.is_empty() && numbers.len() != limits::LEVELS {
            let problem = format!("has {} numbers, not {}", numbers.len(), limits::LEVELS);
            self.fail(path, problem);
        }
        for (index, number) in numbers.iter().enumerate() {
            self.range(&format!("{path}[{index}]"), *number, range);
        }
        if !numbers.is_sorted() {
            self.fail(path, "falls");
        }
    }
}
