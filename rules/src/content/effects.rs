//! What features and abilities do: the shapes of passives, areas, saving throws and effects.

use serde::{Deserialize, Serialize};

use super::{Attribute, Condition, DamageType, OnSave, Stat};
use crate::combat::dice::Dice;

/// What is always so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Passive {
    /// Added to something.
    Modifier { stat: Stat, amount: i16 },
    /// Advantage on saving throws against a condition, or with an attribute.
    SaveAdvantage {
        #[serde(default)]
        against: Option<Condition>,
        #[serde(default)]
        attribute: Option<Attribute>,
    },
    /// The condition does not befall it.
    ConditionImmunity { condition: Condition },
    /// Damage of that type is halved.
    Resistance { damage: DamageType },
    /// So many attacks with one attack action.
    ExtraAttacks { attacks: u8 },
    /// Once a round, damage more when attacking with advantage or beside an ally, with a finesse or
    /// ranged weapon: at levels 1 to 20, number of six-sided dice.
    SneakAttack { dice: Vec<u8> },
    /// Without armor, 10 plus dexterity plus this.
    UnarmoredDefense { attribute: Attribute, shield: bool },
    /// A roll of 1 of an attack, check or save is rolled again.
    Lucky,
    /// A critical hit on this or more.
    CriticalFrom { roll: u8 },
    /// One more die of a melee weapon's damage on a critical hit, so many.
    BrutalCritical { dice: u8 },
    /// Once between long rests, 1 hit point in place of 0.
    Relentless,
    /// Half damage in place of all, none in place of half, on dexterity saves.
    Evasion,
    /// Proficient in all saving throws.
    AllSaves,
}

/// An area.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "shape", rename_all = "snake_case", deny_unknown_fields)]
pub enum Area {
    /// Around its point.
    Sphere { radius_mm: u32 },
    /// From who uses it, as wide at its end as long.
    Cone { length_mm: u32 },
    /// From who uses it.
    Line { length_mm: u32, width_mm: u32 },
    /// Its point is the middle of its ground.
    Cube { side_mm: u32 },
}

/// A saving throw.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SaveDef {
    pub attribute: Attribute,
    pub on_success: OnSave,
    /// The difficulty, for creatures; of others it follows from their attribute.
    #[serde(default)]
    pub difficulty: Option<u8>,
}

/// What an ability does to what it reaches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum EffectDef {
    /// At once.
    Damage {
        dice: Dice,
        damage: DamageType,
        /// For each slot level above its own.
        #[serde(default)]
        upcast: Option<Dice>,
        /// Whether the attribute's modifier is added.
        #[serde(default)]
        add_modifier: bool,
    },
    /// At once.
    Heal {
        dice: Dice,
        #[serde(default)]
        upcast: Option<Dice>,
        #[serde(default)]
        add_modifier: bool,
    },
    TemporaryHitPoints {
        dice: Dice,
        #[serde(default)]
        upcast: Option<Dice>,
        duration_millis: u32,
    },
    /// For a time.
    Condition {
        condition: Condition,
        duration_millis: u32,
        /// Whether it can be shaken off by the same save each round.
        #[serde(default)]
        save_ends: bool,
    },
    /// For a time.
    Modifier { stat: Stat, amount: i16, duration_millis: u32 },
    /// For a time.
    ModifierDice {
        stat: Stat,
        dice: Dice,
        /// Whether it is taken away in place of added.
        #[serde(default)]
        negative: bool,
        duration_millis: u32,
    },
    /// For a time.
    Resistance { damage: DamageType, duration_millis: u32 },
    /// Again and again.
    OverTime {
        dice: Dice,
        /// What it hurts with; none heals.
        #[serde(default)]
        damage: Option<DamageType>,
        every_millis: u32,
        duration_millis: u32,
        #[serde(default)]
        save_ends: bool,
    },
    /// Away from who uses it.
    Push { distance_mm: u32 },
    /// Towards who uses it.
    Pull { distance_mm: u32 },
    /// Oneself, to the point that is aimed at.
    Teleport,
    /// Further for a time: percent more speed.
    Dash { percent: u16, duration_millis: u32 },
    /// Creatures that fight for who uses it.
    Summon { creature: String, count: u8, duration_millis: u32 },
    /// Ends conditions.
    Cure { conditions: Vec<Condition> },
    /// Ends what spells of at most that level do; 0 for that of the slot.
    Dispel { level: u8 },
    /// A corpse comes back to life.
    Revive { hit_points: u16 },
    /// Steadies the dying.
    Stabilize,
    /// Threat, for who draws attention.
    Taunt { threat: u32 },
}
