//! Content: what a realm is made of, as data. The shapes of a pack's entries, and their limits.
//!
//! Keeps true: an entry says everything about itself in whole numbers with their unit in the name;
//! it refers to others by key; nothing here is code that a pack could bring.
//! Leaves out on purpose: reading files ([`pack`]), the ranges of the numbers ([`limits`]), and
//! what the numbers do (`combat`).
//!
//! One foot of the table game is 300 mm here, so that a square of 5 feet is 1.5 m; one round is
//! 6,000 ms.

#![allow(missing_docs, reason = "a field whose name says all has no more to say")]

mod boards;
pub mod book;
mod check;
pub mod diff;
mod effects;
mod entry;
mod goods;
pub mod known;
pub mod limits;
pub mod pack;
#[cfg(test)]
pub(crate) mod tests;
mod vendors;
pub mod versions;
mod words;

pub use boards::{BoardDef, BoardHolder, BoardItem, BoardOperator, BoardOrder, BoardReward};
pub use effects::{Area, EffectDef, Passive, SaveDef};
pub use entry::Kind;
pub use goods::{
    Binding, GatherNodeDef, ItemDef, ItemKind, LootEntry, LootTableDef, Portion, Rarity, RecipeDef,
    Wear,
};
pub use vendors::{VendorDef, VendorGoods};
pub(crate) use words::words;
pub use words::{
    AbilityKind, Action, ArmorKind, AttackKind, Attribute, Behavior, Casting, Condition,
    CreatureKind, DamageType, OnSave, School, Size, Skill, Stacking, Stat, Target, WeaponKind,
    WeaponProperty,
};

use serde::{Deserialize, Serialize};

use crate::combat::dice::Dice;

/// Longest key, characters: small letters, digits and `_`, beginning with a letter.
pub const KEY_CHARS_MAX: usize = 48;
/// Longest name, characters.
pub const NAME_CHARS_MAX: usize = 48;
/// Longest text, characters.
pub const TEXT_CHARS_MAX: usize = 600;
/// Most entries of one kind in a pack.
pub const ENTRIES_MAX: usize = 4_096;
/// Millimetres to a foot of the table game.
pub const FOOT_MM: u32 = 300;
/// Milliseconds to a round of the table game.
pub const ROUND_MILLIS: u32 = 6_000;

/// Six scores, 1 to 30.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scores {
    #[serde(default)]
    pub strength: i8,
    #[serde(default)]
    pub dexterity: i8,
    #[serde(default)]
    pub constitution: i8,
    #[serde(default)]
    pub intelligence: i8,
    #[serde(default)]
    pub wisdom: i8,
    #[serde(default)]
    pub charisma: i8,
}

impl Scores {
    /// One of them.
    pub const fn get(&self, attribute: Attribute) -> i8 {
        match attribute {
            Attribute::Strength => self.strength,
            Attribute::Dexterity => self.dexterity,
            Attribute::Constitution => self.constitution,
            Attribute::Intelligence => self.intelligence,
            Attribute::Wisdom => self.wisdom,
            Attribute::Charisma => self.charisma,
        }
    }
}

/// A people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RaceDef {
    pub key: String,
    pub name: String,
    /// Where it is from: a section of the SRD, or `original`.
    pub source: String,
    #[serde(default)]
    pub text: String,
    pub size: Size,
    /// Per round of the table game: 9000 is 30 feet.
    pub speed_mm_per_round: u32,
    /// What is added to the scores, 0 to 2 each.
    pub bonuses: Scores,
    #[serde(default)]
    pub darkvision_mm: u32,
    #[serde(default)]
    pub resistances: Vec<DamageType>,
    /// Keys of features.
    #[serde(default)]
    pub features: Vec<String>,
}

/// A feature that comes at a level.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureAt {
    /// 1 to 20.
    pub level: u8,
    /// Key of a feature.
    pub feature: String,
}

/// A calling.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassDef {
    pub key: String,
    pub name: String,
    pub source: String,
    #[serde(default)]
    pub text: String,
    /// Sides: 6, 8, 10 or 12.
    pub hit_die: u8,
    /// What it lives by, the most important first.
    pub primary: Vec<Attribute>,
    /// The two saving throws it is proficient in.
    pub saves: Vec<Attribute>,
    /// How many skills it chooses, and from which.
    pub skills_count: u8,
    pub skills: Vec<Skill>,
    #[serde(default)]
    pub armors: Vec<ArmorKind>,
    #[serde(default)]
    pub weapons: Vec<WeaponKind>,
    /// Weapons it can use besides, by key.
    #[serde(default)]
    pub weapons_besides: Vec<String>,
    pub casting: Casting,
    /// By which it casts; required unless `casting` is `none`.
    #[serde(default)]
    pub casting_by: Option<Attribute>,
    /// Whether spells are prepared after a long rest; otherwise those it knows are always ready.
    #[serde(default)]
    pub prepares: bool,
    /// Cantrips known at levels 1 to 20; empty for none.
    #[serde(default)]
    pub cantrips_known: Vec<u8>,
    /// Spells known at levels 1 to 20, for those who do not prepare; empty otherwise.
    #[serde(default)]
    pub spells_known: Vec<u8>,
    pub features: Vec<FeatureAt>,
    /// What a new one wears and wields, by key of weapons and armor.
    pub equipment: Vec<String>,
}

/// Where a character is from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BackgroundDef {
    pub key: String,
    pub name: String,
    pub source: String,
    #[serde(default)]
    pub text: String,
    /// Two.
    pub skills: Vec<Skill>,
    /// What one begins with, copper.
    pub coins: u32,
}

/// What a race or class brings: something that can be used, or something that is always so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FeatureDef {
    pub key: String,
    pub name: String,
    pub source: String,
    pub text: String,
    /// Key of an ability.
    #[serde(default)]
    pub ability: Option<String>,
    #[serde(default)]
    pub passives: Vec<Passive>,
}

/// Something that can be used.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AbilityDef {
    pub key: String,
    pub name: String,
    pub source: String,
    #[serde(default)]
    pub text: String,
    pub kind: AbilityKind,
    /// Of a spell: 0 for a cantrip, up to 9. Of all others 0.
    #[serde(default)]
    pub level: u8,
    #[serde(default)]
    pub school: Option<School>,
    /// Classes on whose list the spell is, by key.
    #[serde(default)]
    pub classes: Vec<String>,
    pub action: Action,
    /// How long it is cast, 0 to 60,000.
    #[serde(default)]
    pub cast_millis: u32,
    /// How long until it can be used again, 0 to 86,400,000.
    #[serde(default)]
    pub cooldown_millis: u32,
    /// Uses between long rests; 0 for any number.
    #[serde(default)]
    pub uses_per_long_rest: u8,
    /// Uses between rests; 0 for any number.
    #[serde(default)]
    pub uses_per_short_rest: u8,
    /// Uses at levels 1 to 20, in place of whichever number above is not 0; empty for the same at
    /// all levels.
    #[serde(default)]
    pub uses_by_level: Vec<u8>,
    pub target: Target,
    /// 0 to 300,000; 1500 for touch.
    #[serde(default)]
    pub range_mm: u32,
    #[serde(default)]
    pub area: Option<Area>,
    #[serde(default)]
    pub attack: Option<AttackKind>,
    #[serde(default)]
    pub save: Option<SaveDef>,
    /// Most that are reached, of those in the area; 0 for all.
    #[serde(default)]
    pub targets_max: u8,
    #[serde(default)]
    pub concentration: bool,
    /// Whether a cantrip's dice double at level 5, treble at 11 and so on at 17.
    #[serde(default)]
    pub scales: bool,
    /// Whether friends in its area are spared.
    #[serde(default)]
    pub spares_allies: bool,
    #[serde(default)]
    pub stacking: Option<Stacking>,
    pub effects: Vec<EffectDef>,
}

/// A creature's own attack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreatureAttack {
    pub name: String,
    /// What is added to the roll.
    pub to_hit: i8,
    /// 1500 for 5 feet; of a ranged one its normal range.
    pub range_mm: u32,
    /// Beyond the normal range, with disadvantage; 0 for a melee attack.
    #[serde(default)]
    pub long_range_mm: u32,
    pub dice: Dice,
    pub damage: DamageType,
    /// A second kind of damage.
    #[serde(default)]
    pub extra_dice: Option<Dice>,
    #[serde(default)]
    pub extra_damage: Option<DamageType>,
    /// Most of it among the attacks of one action; 0 for any number.
    #[serde(default)]
    pub times_max: u8,
    /// What a hit forces besides.
    #[serde(default)]
    pub save: Option<SaveDef>,
    #[serde(default)]
    pub condition: Option<Condition>,
    #[serde(default)]
    pub condition_millis: u32,
}

/// A phase of a boss.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PhaseDef {
    /// Begins when hit points fall below so many percent, 1 to 99.
    pub below_percent: u8,
    /// Abilities it has from then on, by key.
    pub abilities: Vec<String>,
    pub behaviors: Vec<Behavior>,
}

/// A creature.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreatureDef {
    pub key: String,
    pub name: String,
    pub source: String,
    #[serde(default)]
    pub text: String,
    pub kind: CreatureKind,
    pub size: Size,
    /// `0`, `1/8`, `1/4`, `1/2`, `1` … `20`.
    pub challenge: String,
    pub armor_class: u8,
    /// Hit points are its average, rounded down.
    pub hit_dice: Dice,
    /// 9000 for 30 feet.
    pub speed_mm_per_round: u32,
    pub scores: Scores,
    /// What is added to saving throws it is proficient in, in all.
    #[serde(default)]
    pub saves: Vec<SaveBonus>,
    #[serde(default)]
    pub resistances: Vec<DamageType>,
    #[serde(default)]
    pub immunities: Vec<DamageType>,
    #[serde(default)]
    pub vulnerabilities: Vec<DamageType>,
    #[serde(default)]
    pub condition_immunities: Vec<Condition>,
    /// How far it notices players, 0 to 120,000.
    pub sight_mm: u32,
    /// How far from home it follows, 0 to 300,000.
    pub leash_mm: u32,
    /// Attacks with one action, 1 to 6.
    pub attacks_per_action: u8,
    pub attacks: Vec<CreatureAttack>,
    /// By key.
    #[serde(default)]
    pub abilities: Vec<String>,
    pub behaviors: Vec<Behavior>,
    #[serde(default)]
    pub phases: Vec<PhaseDef>,
}

/// What is added to a saving throw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SaveBonus {
    pub attribute: Attribute,
    pub bonus: i8,
}

/// A weapon.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WeaponDef {
    pub key: String,
    pub name: String,
    pub source: String,
    pub kind: WeaponKind,
    pub dice: Dice,
    /// In two hands, if it is versatile.
    #[serde(default)]
    pub dice_two_handed: Option<Dice>,
    pub damage: DamageType,
    #[serde(default)]
    pub properties: Vec<WeaponProperty>,
    /// 1500 in the hand, 3000 with reach; of what is shot or thrown its normal range.
    pub range_mm: u32,
    /// With disadvantage beyond the normal range; 0 where it cannot be shot or thrown.
    #[serde(default)]
    pub long_range_mm: u32,
    pub price_copper: u32,
    pub weight_g: u32,
}

/// Armor or a shield.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ArmorDef {
    pub key: String,
    pub name: String,
    pub source: String,
    pub kind: ArmorKind,
    /// Of armor the class itself, of a shield what it adds.
    pub armor_class: u8,
    /// Most of dexterity's modifier that counts.
    pub dexterity_max: u8,
    #[serde(default)]
    pub strength_min: u8,
    #[serde(default)]
    pub stealth_disadvantage: bool,
    pub price_copper: u32,
    pub weight_g: u32,
}

/// Creatures that live together, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CampDef {
    pub key: String,
    pub name: String,
    /// How likely it is among those that fit a place, 1 to 1,000.
    pub weight: u16,
    /// Names of biomes it is found in, as `haven world preview` draws them; empty for all.
    #[serde(default)]
    pub biomes: Vec<String>,
    /// How far from the realm's home at least and at most, metres.
    pub home_m_min: u32,
    pub home_m_max: u32,
    pub radius_mm: u32,
    /// How long after the last of them is dead it is filled again.
    pub respawn_millis: u32,
    pub members: Vec<CampMember>,
}

/// One kind of creature in a camp.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CampMember {
    /// Key of a creature.
    pub creature: String,
    pub count_min: u8,
    pub count_max: u8,
}

/// A level.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LevelDef {
    /// 1 to 20.
    pub level: u8,
    /// From so much on.
    pub experience: u32,
    /// 2 to 6.
    pub proficiency: u8,
}

/// A number of the balance.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SettingDef {
    pub key: String,
    pub text: String,
    pub value: i64,
    pub min: i64,
    pub max: i64,
}

/// Something that can be switched off.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SwitchDef {
    pub key: String,
    pub text: String,
    pub on: bool,
}

/// A word that is masked or refused in what players write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilterWordDef {
    pub key: String,
    /// As it is written; found as it reads (`chat::filter`).
    pub word: String,
    /// Whether only the whole word counts, not one that has it within.
    pub is_whole: bool,
    /// Whether the text is refused, in place of the word being masked.
    pub is_refused: bool,
}

/// Everything together.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Pack {
    pub race: Vec<RaceDef>,
    pub class: Vec<ClassDef>,
    pub background: Vec<BackgroundDef>,
    pub feature: Vec<FeatureDef>,
    pub ability: Vec<AbilityDef>,
    pub creature: Vec<CreatureDef>,
    pub weapon: Vec<WeaponDef>,
    pub armor: Vec<ArmorDef>,
    pub camp: Vec<CampDef>,
    pub item: Vec<ItemDef>,
    pub loot_table: Vec<LootTableDef>,
    pub recipe: Vec<RecipeDef>,
    pub gather_node: Vec<GatherNodeDef>,
    pub board: Vec<BoardDef>,
    pub level: Vec<LevelDef>,
    pub vendor: Vec<VendorDef>,
    pub setting: Vec<SettingDef>,
    pub switch: Vec<SwitchDef>,
    pub filter_word: Vec<FilterWordDef>,
}
