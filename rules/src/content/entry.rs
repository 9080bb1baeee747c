//! What all entries have in common: a kind, a key, and a list in the pack.
//!
//! Keeps true: the words of kinds are the names of [`Pack`]'s fields, in their order.

use std::borrow::Cow;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{
    AbilityDef, ArmorDef, BackgroundDef, BoardDef, CampDef, ClassDef, CreatureDef, FeatureDef,
    FilterWordDef, GatherNodeDef, ItemDef, LevelDef, LootTableDef, Pack, RaceDef, RecipeDef,
    SettingDef, SwitchDef, VendorDef, WeaponDef, words,
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
        Item = "item",
        LootTable = "loot_table",
        Recipe = "recipe",
        GatherNode = "gather_node",
        Board = "board",
        Level = "level",
        Vendor = "vendor",
        Setting = "setting",
        Switch = "switch",
        FilterWord = "filter_word",
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
    ItemDef Item item |entry| &entry.key,
    LootTableDef LootTable loot_table |entry| &entry.key,
    RecipeDef Recipe recipe |entry| &entry.key,
    GatherNodeDef GatherNode gather_node |entry| &entry.key,
    BoardDef Board board |entry| &entry.key,
    LevelDef Level level |entry| entry.level.to_string(),
    VendorDef Vendor vendor |entry| &entry.key,
    SettingDef Setting setting |entry| &entry.key,
    SwitchDef Switch switch |entry| &entry.key,
    FilterWordDef FilterWord filter_word |entry| &entry.key,
}
