//! Versions of a realm's content: what may be staged, when it may be active, what then changes.
//!
//! Keeps true: what is staged is a whole pack without a fault; between two versions exactly the
//! rows change that differ, so going back brings the former rows again, byte for byte.
//! Leaves out on purpose: who may, and the tables.

use std::collections::{BTreeMap, BTreeSet};

use super::check::check;
use super::entry::{Entry, Kind};
use super::{
    AbilityDef, ArmorDef, BackgroundDef, BoardDef, CampDef, ClassDef, CreatureDef, FeatureDef,
    FilterWordDef, GatherNodeDef, ItemDef, LevelDef, LootTableDef, Pack, RaceDef, RecipeDef,
    SettingDef, SwitchDef, VendorDef, WeaponDef,
};
use crate::errors::domain_errors;

/// Longest title of a version, characters.
pub const TITLE_CHARS_MAX: usize = 80;
/// Most entries of a version.
pub const ENTRIES_MAX: usize = 8_192;
/// Longest entry, bytes of JSON.
pub const BODY_BYTES_MAX: usize = 16 << 10;
/// Longest version, bytes of all its entries together. It comes as one message of one frame, and
/// the engine ends a connection for a frame of 16 MiB.
pub const VERSION_BYTES_MAX: usize = 8 << 20;
/// Most versions that are kept.
pub const VERSIONS_MAX: usize = 16;
/// How far ahead an activation can be set, days.
pub const AHEAD_DAYS_MAX: u32 = 30;

domain_errors! {
    /// Why something about content was refused.
    ContentError {
        TitleInvalid = 2000, "content.title_invalid", "a version's title has 1 to 80 printable characters";
        EntriesInvalid = 2001, "content.entries_invalid", "a version has 1 to 8192 entries of known kinds, each key once, each up to 16 KiB, 8 MiB in all";
        PackFaulty = 2002, "content.pack_faulty", "the pack has faults: `haven content check` names each";
        VersionsTooMany = 2003, "content.versions_too_many", "16 versions are kept: drop one that is not active";
        VersionUnknown = 2004, "content.version_unknown", "there is no such version";
        VersionActive = 2005, "content.version_active", "that version is active";
        TimeInvalid = 2006, "content.time_invalid", "a version becomes active at once or within 30 days";
        NothingBefore = 2007, "content.nothing_before", "no version was active before";
    }
}

/// An entry as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StoredEntry {
    /// A word of [`Kind`].
    pub kind: String,
    /// Its key; of a level its number.
    pub key: String,
    /// The entry, JSON without spaces, fields in the order of its shape.
    pub body: String,
}

impl StoredEntry {
    /// Under what it is found among all entries.
    pub fn def_key(&self) -> String {
        format!("{}/{}", self.kind, self.key)
    }
}

/// Decides whether a version may be called so.
///
/// # Errors
/// `TitleInvalid`.
pub fn validate_title(title: &str) -> Result<(), ContentError> {
    let chars = title.chars().count();
    let is_good = (1..=TITLE_CHARS_MAX).contains(&chars) && title.trim() == title;
    if is_good && !title.chars().any(char::is_control) {
        return Ok(());
    }
    Err(ContentError::TitleInvalid)
}

/// All entries of a pack, by kind in the order of its fields, then in their own.
pub fn entries_of(pack: &Pack) -> Vec<StoredEntry> {
    let mut entries = Vec::new();
    for kind in Kind::ALL {
        match kind {
            Kind::Race => store::<RaceDef>(pack, &mut entries),
            Kind::Class => store::<ClassDef>(pack, &mut entries),
            Kind::Background => store::<BackgroundDef>(pack, &mut entries),
            Kind::Feature => store::<FeatureDef>(pack, &mut entries),
            Kind::Ability => store::<AbilityDef>(pack, &mut entries),
            Kind::Creature => store::<CreatureDef>(pack, &mut entries),
            Kind::Weapon => store::<WeaponDef>(pack, &mut entries),
            Kind::Armor => store::<ArmorDef>(pack, &mut entries),
            Kind::Camp => store::<CampDef>(pack, &mut entries),
            Kind::Item => store::<ItemDef>(pack, &mut entries),
            Kind::LootTable => store::<LootTableDef>(pack, &mut entries),
            Kind::Recipe => store::<RecipeDef>(pack, &mut entries),
            Kind::GatherNode => store::<GatherNodeDef>(pack, &mut entries),
            Kind::Board => store::<BoardDef>(pack, &mut entries),
            Kind::Level => store::<LevelDef>(pack, &mut entries),
            Kind::Vendor => store::<VendorDef>(pack, &mut entries),
            Kind::Setting => store::<SettingDef>(pack, &mut entries),
            Kind::Switch => store::<SwitchDef>(pack, &mut entries),
            Kind::FilterWord => store::<FilterWordDef>(pack, &mut entries),
        }
    }
    entries
}

fn store<T: Entry>(pack: &Pack, entries: &mut Vec<StoredEntry>) {
    entries.extend(T::list(pack).iter().map(|entry| StoredEntry {
        kind: T::KIND.word().to_owned(),
        key: entry.key().into_owned(),
        body: serde_json::to_string(entry).expect("invariant: an entry is plain values"),
    }));
}

/// The pack that stored entries make.
///
/// # Errors
/// In this order: `EntriesInvalid`, `PackFaulty`.
pub fn pack_of(entries: &[StoredEntry]) -> Result<Pack, ContentError> {
    let keys: BTreeSet<_> = entries.iter().map(|entry| (&entry.kind, &entry.key)).collect();
    let bytes: usize = entries.iter().map(|entry| entry.body.len()).sum();
    let is_short = bytes <= VERSION_BYTES_MAX
        && entries.iter().all(|entry| entry.body.len() <= BODY_BYTES_MAX);
    if !(1..=ENTRIES_MAX).contains(&entries.len()) || keys.len() < entries.len() || !is_short {
        return Err(ContentError::EntriesInvalid);
    }
    let mut pack = Pack::default();
    for entry in entries {
        load_into(&mut pack, entry)?;
    }
    if check(&pack, &BTreeSet::new()).is_empty() { Ok(pack) } else { Err(ContentError::PackFaulty) }
}

/// Adds a stored entry to a pack.
///
/// # Errors
/// In this order: `EntriesInvalid` for a kind there is not, `PackFaulty`.
pub(super) fn load_into(pack: &mut Pack, entry: &StoredEntry) -> Result<(), ContentError> {
    let kind = Kind::ALL.iter().find(|kind| kind.word() == entry.kind);
    match kind.ok_or(ContentError::EntriesInvalid)? {
        Kind::Race => load::<RaceDef>(pack, entry),
        Kind::Class => load::<ClassDef>(pack, entry),
        Kind::Background => load::<BackgroundDef>(pack, entry),
        Kind::Feature => load::<FeatureDef>(pack, entry),
        Kind::Ability => load::<AbilityDef>(pack, entry),
        Kind::Creature => load::<CreatureDef>(pack, entry),
        Kind::Weapon => load::<WeaponDef>(pack, entry),
        Kind::Armor => load::<ArmorDef>(pack, entry),
        Kind::Camp => load::<CampDef>(pack, entry),
        Kind::Item => load::<ItemDef>(pack, entry),
        Kind::LootTable => load::<LootTableDef>(pack, entry),
        Kind::Recipe => load::<RecipeDef>(pack, entry),
        Kind::GatherNode => load::<GatherNodeDef>(pack, entry),
        Kind::Board => load::<BoardDef>(pack, entry),
        Kind::Level => load::<LevelDef>(pack, entry),
        Kind::Vendor => load::<VendorDef>(pack, entry),
        Kind::Setting => load::<SettingDef>(pack, entry),
        Kind::Switch => load::<SwitchDef>(pack, entry),
        Kind::FilterWord => load::<FilterWordDef>(pack, entry),
    }
}

fn load<T: Entry>(pack: &mut Pack, stored: &StoredEntry) -> Result<(), ContentError> {
    let entry: T = serde_json::from_str(&stored.body).map_err(|_| ContentError::PackFaulty)?;
    if entry.key() != stored.key {
        return Err(ContentError::PackFaulty);
    }
    T::list_mut(pack).push(entry);
    Ok(())
}

/// When a version becomes active that is to at that instant; `None` for at once.
///
/// # Errors
/// `TimeInvalid`.
pub fn activation_at_micros(now_micros: i64, at_micros: i64) -> Result<Option<i64>, ContentError> {
    let ahead = i64::from(AHEAD_DAYS_MAX) * 86_400_000_000;
    match at_micros {
        0 => Ok(None),
        at if at > now_micros && at <= now_micros.saturating_add(ahead) => Ok(Some(at)),
        _ => Err(ContentError::TimeInvalid),
    }
}

/// What an activation does to the rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// Rows that go, by their `def_key`.
    pub removed: Vec<String>,
    /// Rows that are there afterwards and were not, or not so.
    pub written: Vec<StoredEntry>,
}

/// What must change from the rows that are (`def_key` and body) to those of a version.
pub fn step(active: &BTreeMap<String, String>, version: &[StoredEntry]) -> Step {
    let wanted: BTreeSet<String> = version.iter().map(StoredEntry::def_key).collect();
    let removed = active.keys().filter(|key| !wanted.contains(*key)).cloned().collect();
    let differs = |entry: &&StoredEntry| active.get(&entry.def_key()) != Some(&entry.body);
    Step { removed, written: version.iter().filter(differs).cloned().collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::pack::{Source, read};
    use crate::content::tests::levels;

    fn good() -> Pack {
        let (good, levels) = (include_str!("tests/good.toml"), levels());
        let files = [Source { file: "good", text: good }, Source { file: "levels", text: &levels }];
        read(&files).expect("a pack without fault")
    }

    fn rows(entries: &[StoredEntry]) -> BTreeMap<String, String> {
        entries.iter().map(|entry| (entry.def_key(), entry.body.clone())).collect()
    }

    fn apply(active: &mut BTreeMap<String, String>, step: Step) {
        for key in step.removed {
            active.remove(&key);
        }
        active.extend(step.written.into_iter().map(|entry| (entry.def_key(), entry.body)));
    }

    #[test]
    fn a_pack_is_the_same_after_it_was_stored() {
        let pack = good();
        let entries = entries_of(&pack);
        assert_eq!(pack_of(&entries), Ok(pack));
    }

    #[test]
    fn what_is_no_version_is_refused() {
        let entries = entries_of(&good());
        let changed = |change: &dyn Fn(&mut Vec<StoredEntry>)| {
            let mut entries = entries.clone();
            change(&mut entries);
            pack_of(&entries).expect_err("a fault")
        };
        let twice = changed(&|entries| entries.push(entries[0].clone()));
        assert_eq!(twice, ContentError::EntriesInvalid);
        assert_eq!(changed(&|entries| entries.clear()), ContentError::EntriesInvalid);
        let kind = changed(&|entries| "spell".clone_into(&mut entries[0].kind));
        assert_eq!(kind, ContentError::EntriesInvalid);
        let long = changed(&|entries| entries[0].body.push_str(&" ".repeat(BODY_BYTES_MAX)));
        assert_eq!(long, ContentError::EntriesInvalid);
        let many = changed(&|entries| {
            let mut entry = entries[0].clone();
            entry.body = " ".repeat(BODY_BYTES_MAX);
            let copies = (0..=VERSION_BYTES_MAX / BODY_BYTES_MAX)
                .map(|number| StoredEntry { key: number.to_string(), ..entry.clone() });
            *entries = copies.collect();
        });
        assert_eq!(many, ContentError::EntriesInvalid);
        let other = changed(&|entries| "other".clone_into(&mut entries[0].key));
        assert_eq!(other, ContentError::PackFaulty);
        assert_eq!(changed(&|entries| entries[0].body.clear()), ContentError::PackFaulty);
        let level = changed(&|entries| entries.retain(|entry| entry.def_key() != "level/7"));
        assert_eq!(level, ContentError::PackFaulty);
    }

    #[test]
    fn a_step_changes_what_differs_and_a_step_back_brings_the_same_rows() {
        let before = entries_of(&good());
        let mut after = before.clone();
        after[0].body.push(' ');
        let gone = after.pop().expect("an entry");
        let mut active = rows(&before);
        let step_on = step(&active, &after);
        assert_eq!(step_on.removed, [gone.def_key()]);
        assert_eq!(step_on.written, [after[0].clone()]);
        apply(&mut active, step_on);
        assert_eq!(active, rows(&after));
        let back = step(&active, &before);
        apply(&mut active, back);
        assert_eq!(active, rows(&before));
        assert_eq!(step(&active, &before), Step::default());
    }

    #[test]
    fn titles_and_times_have_bounds() {
        for (title, is_good) in
            [("a", true), ("", false), (" a", false), ("a\n", false), (&*"x".repeat(81), false)]
        {
            assert_eq!(validate_title(title).is_ok(), is_good, "{title:?}");
        }
        let day = 86_400_000_000;
        for (at, expected) in [
            (0, Ok(None)),
            (1_001, Ok(Some(1_001))),
            (1_000, Err(ContentError::TimeInvalid)),
            (-1, Err(ContentError::TimeInvalid)),
            (1_000 + 30 * day, Ok(Some(1_000 + 30 * day))),
            (1_001 + 30 * day, Err(ContentError::TimeInvalid)),
            (i64::MAX, Err(ContentError::TimeInvalid)),
        ] {
            assert_eq!(activation_at_micros(1_000, at), expected, "{at}");
        }
        assert!(activation_at_micros(i64::MAX, i64::MAX).is_err());
    }
}
