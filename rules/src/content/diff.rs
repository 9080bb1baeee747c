//! What differs between two packs, for whoever is about to change a realm's content.
//!
//! Keeps true: two packs without a difference have the same entries, whatever their order; changes
//! come by kind in the order of [`Pack`]'s fields, then by key.

use std::collections::{BTreeMap, BTreeSet};

use toml::Value;

use super::entry::{Entry, Kind};
use super::{
    AbilityDef, ArmorDef, BackgroundDef, BoardDef, CampDef, ClassDef, CreatureDef, FeatureDef,
    FilterWordDef, GatherNodeDef, ItemDef, LevelDef, LootTableDef, Pack, RaceDef, RecipeDef,
    SettingDef, SwitchDef, VendorDef, WeaponDef,
};

/// How an entry differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// It is only in the new pack.
    Added,
    /// It is only in the old pack.
    Removed,
    /// It is in both, and not the same.
    Changed {
        /// Names of the fields that differ, by the alphabet.
        fields: Vec<String>,
    },
}

/// An entry that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Its kind.
    pub kind: Kind,
    /// Its key; of a level its number.
    pub key: String,
    /// How it differs.
    pub what: What,
}

/// All entries in which two packs differ, by kind, then by key.
pub fn diff(old: &Pack, new: &Pack) -> Vec<Change> {
    let mut changes = Vec::new();
    for kind in Kind::ALL {
        changes.extend(match kind {
            Kind::Race => changes_of::<RaceDef>(old, new),
            Kind::Class => changes_of::<ClassDef>(old, new),
            Kind::Background => changes_of::<BackgroundDef>(old, new),
            Kind::Feature => changes_of::<FeatureDef>(old, new),
            Kind::Ability => changes_of::<AbilityDef>(old, new),
            Kind::Creature => changes_of::<CreatureDef>(old, new),
            Kind::Weapon => changes_of::<WeaponDef>(old, new),
            Kind::Armor => changes_of::<ArmorDef>(old, new),
            Kind::Camp => changes_of::<CampDef>(old, new),
            Kind::Item => changes_of::<ItemDef>(old, new),
            Kind::LootTable => changes_of::<LootTableDef>(old, new),
            Kind::Recipe => changes_of::<RecipeDef>(old, new),
            Kind::GatherNode => changes_of::<GatherNodeDef>(old, new),
            Kind::Board => changes_of::<BoardDef>(old, new),
            Kind::Level => changes_of::<LevelDef>(old, new),
            Kind::Vendor => changes_of::<VendorDef>(old, new),
            Kind::Setting => changes_of::<SettingDef>(old, new),
            Kind::Switch => changes_of::<SwitchDef>(old, new),
            Kind::FilterWord => changes_of::<FilterWordDef>(old, new),
        });
    }
    changes
}

fn changes_of<T: Entry>(old: &Pack, new: &Pack) -> Vec<Change> {
    let by_key = |pack| T::list(pack).iter().map(|entry| (entry.key(), entry));
    let (old, new): (BTreeMap<_, &T>, BTreeMap<_, &T>) =
        (by_key(old).collect(), by_key(new).collect());
    let keys: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    let mut changes = Vec::new();
    for key in keys {
        let what = match (old.get(key), new.get(key)) {
            (None, _) => What::Added,
            (_, None) => What::Removed,
            (Some(old), Some(new)) if old == new => continue,
            (Some(old), Some(new)) => What::Changed { fields: fields(*old, *new) },
        };
        changes.push(Change { kind: T::KIND, key: key.to_string(), what });
    }
    changes
}

/// Names of the fields that differ. A field that is left out differs from one that is there.
fn fields<T: Entry>(old: &T, new: &T) -> Vec<String> {
    let (old, new) = (table(old), table(new));
    let names: BTreeSet<_> = old.keys().chain(new.keys()).collect();
    let differs = |name: &&&String| old.get(**name) != new.get(**name);
    names.iter().filter(differs).map(|name| (*name).clone()).collect()
}

fn table<T: Entry>(entry: &T) -> BTreeMap<String, Value> {
    match Value::try_from(entry) {
        Ok(Value::Table(table)) => table.into_iter().collect(),
        // Entries are tables of texts, numbers and lists, all of which TOML has.
        Ok(_) | Err(_) => BTreeMap::new(),
    }
}
