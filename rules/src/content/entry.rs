//! What all entries have in common: a kind, a key, and a list in the pack.
//!
//! Keeps true: the words of kinds are the names of [`Pack`]'s fields, in their order.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{
    AbilityDef, ArmorDef, BackgroundDef, CampDef, ClassDef, CreatureDef, FeatureDef, LevelDef,
    Pack, RaceDef, SettingDef, SwitchDef, WeaponDef, words,
};

words! {
    /// What an entry describes.
    Kind {
        Race = "race",
        Class = "class",
        Background = "background",
        Feature = "feature",
        Ability = "ability",
        Creature = "creature",
        Weapon = "weapon",
        Armor = "armor",
        Camp = "camp",
        Level = "level",
        Setting = "setting",
        Switch = "switch",
    }
}

/// An entry of a pack.
pub(super) trait Entry: Serialize + DeserializeOwned + PartialEq + 'static {
    /// Its kind.
    const KIND: Kind;

    /// What others refer to it by; a level's number.
    fn key(&self) -> Cow<'_, str>;

    /// All of its kind.
    fn list(pack: &Pack) -> &Vec<Self>;

    /// The same, to add to it.
    fn list_mut(pack: &mut Pack) -> &mut Vec<Self>;
}

macro_rules! entries {
    ($($def:ident $kind:ident $field:ident |$entry:ident| $key:expr,)*) => {$(
        impl Entry for $def {
            const KIND: Kind = Kind::$kind;

            fn key(&self) -> Cow<'_, str> {
                let $entry = self;
                Cow::from($key)
            }

            fn list(pack: &Pack) -> &Vec<Self> {
                &pack.$field
            }

            fn list_mut(pack: &mut Pack) -> &mut Vec<Self> {
                &mut pack.$field
            }
        }
    )*};
}

entries! {
    RaceDef Race race |entry| &entry.key,
    ClassDef Class class |entry| &entry.key,
    BackgroundDef Background background |entry| &entry.key,
    FeatureDef Feature feature |entry| &entry.key,
    AbilityDef Ability ability |entry| &entry.key,
    CreatureDef Creature creature |entry| &entry.key,
    WeaponDef Weapon weapon |entry| &entry.key,
    ArmorDef Armor armor |entry| &entry.key,
    CampDef Camp camp |entry| &entry.key,
    LevelDef Level level |entry| entry.level.to_string(),
    SettingDef Setting setting |entry| &entry.key,
    SwitchDef Switch switch |entry| &entry.key,
}
