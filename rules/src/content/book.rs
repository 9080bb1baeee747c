//! The book: what is in force, found by key, for the rules that play with it.
//!
//! Keeps true: each list is in the order of its keys, so that an entry is found in a few steps and
//! whoever goes through a list does so in the same order everywhere. A known setting always has a
//! number that the rules can count with.
//! Leaves out on purpose: where the entries come from, and whether they are without fault.

use super::entry::Entry;
use super::versions::{StoredEntry, load_into};
use super::{
    AbilityDef, ArmorDef, BackgroundDef, BoardDef, CampDef, ClassDef, CreatureDef, FeatureDef,
    FilterWordDef, GatherNodeDef, ItemDef, LevelDef, LootTableDef, Pack, RaceDef, RecipeDef,
    SettingDef, SwitchDef, VendorDef, WeaponDef, known,
};

/// Entries by key. The default is an empty one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Book {
    /// Each list in the order of its keys.
    pack: Pack,
}

impl Book {
    /// The book of a pack.
    pub fn new(mut pack: Pack) -> Self {
        sort::<RaceDef>(&mut pack);
        sort::<ClassDef>(&mut pack);
        sort::<BackgroundDef>(&mut pack);
        sort::<FeatureDef>(&mut pack);
        sort::<AbilityDef>(&mut pack);
        sort::<CreatureDef>(&mut pack);
        sort::<WeaponDef>(&mut pack);
        sort::<ArmorDef>(&mut pack);
        sort::<CampDef>(&mut pack);
        sort::<ItemDef>(&mut pack);
        sort::<LootTableDef>(&mut pack);
        sort::<RecipeDef>(&mut pack);
        sort::<GatherNodeDef>(&mut pack);
        sort::<BoardDef>(&mut pack);
        pack.level.sort_by_key(|level| level.level);
        sort::<VendorDef>(&mut pack);
        sort::<SettingDef>(&mut pack);
        sort::<SwitchDef>(&mut pack);
        sort::<FilterWordDef>(&mut pack);
        Self { pack }
    }

    /// The book of stored entries, and the `def_key` of those that cannot be read: entries that
    /// were staged when their shape was another.
    pub fn of(entries: impl IntoIterator<Item = StoredEntry>) -> (Self, Vec<String>) {
        let (mut pack, mut unreadable) = (Pack::default(), Vec::new());
        for entry in entries {
            if load_into(&mut pack, &entry).is_err() {
                unreadable.push(entry.def_key());
            }
        }
        (Self::new(pack), unreadable)
    }

    /// All of it, each list in the order of its keys.
    pub const fn pack(&self) -> &Pack {
        &self.pack
    }

    /// An ability by its key.
    pub fn ability(&self, key: &str) -> Option<&AbilityDef> {
        find(&self.pack.ability, key)
    }

    /// A creature by its key.
    pub fn creature(&self, key: &str) -> Option<&CreatureDef> {
        find(&self.pack.creature, key)
    }

    /// A race by its key.
    pub fn race(&self, key: &str) -> Option<&RaceDef> {
        find(&self.pack.race, key)
    }

    /// A class by its key.
    pub fn class(&self, key: &str) -> Option<&ClassDef> {
        find(&self.pack.class, key)
    }

    /// A background by its key.
    pub fn background(&self, key: &str) -> Option<&BackgroundDef> {
        find(&self.pack.background, key)
    }

    /// A feature by its key.
    pub fn feature(&self, key: &str) -> Option<&FeatureDef> {
        find(&self.pack.feature, key)
    }

    /// A weapon by its key.
    pub fn weapon(&self, key: &str) -> Option<&WeaponDef> {
        find(&self.pack.weapon, key)
    }

    /// Armor or a shield by its key.
    pub fn armor(&self, key: &str) -> Option<&ArmorDef> {
        find(&self.pack.armor, key)
    }

    /// A camp by its key.
    pub fn camp(&self, key: &str) -> Option<&CampDef> {
        find(&self.pack.camp, key)
    }

    /// All camps, by key.
    pub fn camps(&self) -> &[CampDef] {
        &self.pack.camp
    }

    /// An item by its key.
    pub fn item(&self, key: &str) -> Option<&ItemDef> {
        find(&self.pack.item, key)
    }

    /// All items, by key.
    pub fn items(&self) -> &[ItemDef] {
        &self.pack.item
    }

    /// All loot tables, by key.
    pub fn loot_tables(&self) -> &[LootTableDef] {
        &self.pack.loot_table
    }

    /// A recipe by its key.
    pub fn recipe(&self, key: &str) -> Option<&RecipeDef> {
        find(&self.pack.recipe, key)
    }

    /// A kind of place where something is gathered, by its key.
    pub fn gather_node(&self, key: &str) -> Option<&GatherNodeDef> {
        find(&self.pack.gather_node, key)
    }

    /// All kinds of places where something is gathered, by key.
    pub fn gather_nodes(&self) -> &[GatherNodeDef] {
        &self.pack.gather_node
    }

    /// A leaderboard by its key.
    pub fn board(&self, key: &str) -> Option<&BoardDef> {
        find(&self.pack.board, key)
    }

    /// All leaderboards, by key.
    pub fn boards(&self) -> &[BoardDef] {
        &self.pack.board
    }

    /// A level by its number, 1 to 20.
    pub fn level(&self, level: u8) -> Option<&LevelDef> {
        let index = self.pack.level.binary_search_by_key(&level, |entry| entry.level).ok()?;
        self.pack.level.get(index)
    }

    /// A vendor by its key.
    pub fn vendor(&self, key: &str) -> Option<&VendorDef> {
        find(&self.pack.vendor, key)
    }

    /// A number of the balance: that of the content, else the rules' own, within the range they can
    /// count with; 0 for a key they do not know.
    pub fn setting(&self, key: &str) -> i64 {
        let Some(known) = known::setting(key) else { return 0 };
        let value = find(&self.pack.setting, key).map_or(known.value, |setting| setting.value);
        value.clamp(*known.range.start(), *known.range.end())
    }

    /// All words that are masked or refused, by key.
    pub fn filter_words(&self) -> &[FilterWordDef] {
        &self.pack.filter_word
    }

    /// Whether something is switched on; what there is no switch for is not.
    pub fn switch(&self, key: &str) -> bool {
        find(&self.pack.switch, key).is_some_and(|switch| switch.on)
    }
}

fn sort<T: Entry>(pack: &mut Pack) {
    T::list_mut(pack).sort_by(|one, other| one.key().cmp(&other.key()));
}

/// The entry of a key in a list that is in the order of its keys.
fn find<'a, T: Entry>(list: &'a [T], key: &str) -> Option<&'a T> {
    let index = list.binary_search_by(|entry| entry.key().as_ref().cmp(key)).ok()?;
    list.get(index)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::tests::read_shipped;
    use crate::content::versions::entries_of;

    #[test]
    fn every_entry_is_found_by_its_key() {
        let pack = read_shipped();
        let book = Book::new(pack.clone());
        macro_rules! found {
            ($($list:ident)*) => {
                $(for entry in &pack.$list {
                    assert_eq!(book.$list(&entry.key), Some(entry));
                })*
            };
        }
        found!(ability creature race class background feature weapon armor camp);
        found!(item recipe gather_node vendor board);
        for level in &pack.level {
            assert_eq!(book.level(level.level), Some(level));
        }
        for switch in &pack.switch {
            assert_eq!(book.switch(&switch.key), switch.on, "{}", switch.key);
        }
        assert_eq!(book.camps().len(), pack.camp.len());
        assert_eq!((book.ability("no_such"), book.level(0), book.level(21)), (None, None, None));
        assert!(!book.switch("no_such"));
    }

    #[test]
    fn a_setting_is_that_of_the_content_within_its_range_or_the_rules_own() {
        let mut pack = read_shipped();
        let empty = Book::default();
        for known in known::SETTINGS {
            assert_eq!(empty.setting(known.key), known.value, "{}", known.key);
        }
        assert_eq!(empty.setting("no_such"), 0);
        let known = known::SETTINGS[0].clone();
        for (value, expected) in [
            (known.value + 1, known.value + 1),
            (i64::MAX, *known.range.end()),
            (i64::MIN, *known.range.start()),
        ] {
            for setting in pack.setting.iter_mut().filter(|setting| setting.key == known.key) {
                setting.value = value;
            }
            assert_eq!(Book::new(pack.clone()).setting(known.key), expected, "{value}");
        }
    }

    #[test]
    fn a_book_of_stored_entries_is_that_of_the_pack_and_leaves_out_what_cannot_be_read() {
        let pack = read_shipped();
        let mut entries = entries_of(&pack);
        let (book, unreadable) = Book::of(entries.clone());
        assert_eq!((book, unreadable), (Book::new(pack), Vec::new()));
        "{}".clone_into(&mut entries[0].body);
        "spell".clone_into(&mut entries[1].kind);
        let keys = [entries[0].def_key(), entries[1].def_key()];
        let (book, unreadable) = Book::of(entries.clone());
        assert_eq!(unreadable, keys);
        assert_eq!(book.race(&entries[0].key), None);
        assert!(book.race(&entries[2].key).is_some());
    }
}
