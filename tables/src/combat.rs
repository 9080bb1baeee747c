//! Combat: bodies that can fight, what lies on them, what they do, and what was rolled.
//!
//! Numbers of kinds are those of `haven_rules::combat` and of the lists in
//! `haven_rules::content` (conditions, damage types, stats), counted from 0.

use spacetimedb::{SpacetimeType, Timestamp, table};

/// A body as others see it. One row for each character in the world and each creature that is
/// awake; written when something of it changes, and when it crosses a block border.
#[table(
    name = combatant,
    public,
    // Subscribed to per block, and read to find whom an area reaches.
    index(name = by_chunk, btree(columns = [chunk_index]))
)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Combatant {
    /// Its entity.
    #[primary_key]
    pub entity_id: u64,
    /// The block it is in, always that of its `motion` row.
    pub chunk_index: u64,
    /// 0 to `hit_points_max`.
    pub hit_points: i32,
    /// At least 1.
    pub hit_points_max: i32,
    /// Lost first, at least 0.
    pub temporary_hit_points: i32,
    /// On whose side it fights: 0 players, 1 creatures, others as the owner made them.
    pub side: u32,
    /// The conditions it is in: bit `n` for condition `n`.
    pub conditions: u16,
    /// 1 to 20; of a creature that of its challenge.
    pub level: u8,
    /// 0 awake, 1 dying, 2 stable, 3 dead.
    pub vital: u8,
    /// Whether somebody plays it.
    pub is_player: bool,
}

/// What only the fight itself needs of a body. Written with its deeds.
#[table(name = combat_state)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CombatState {
    /// Its entity.
    #[primary_key]
    pub entity_id: u64,
    /// When its action is back, microseconds since 1970.
    pub action_at_micros: i64,
    /// When its bonus action is back, microseconds since 1970.
    pub bonus_action_at_micros: i64,
    /// When its reaction is back, microseconds since 1970.
    pub reaction_at_micros: i64,
    /// When it can use anything again, microseconds since 1970.
    pub ready_at_micros: i64,
    /// When it last gave or took a blow or cast, microseconds since 1970; 0 for never.
    pub fought_at_micros: i64,
    /// When it last struck from an advantage, microseconds since 1970.
    pub sneaked_at_micros: i64,
    /// The row in `motion_effect` that slows or hastens it; 0 for none.
    pub motion_effect_id: u64,
    /// What it rolled when it last began to fight.
    pub initiative: i16,
    /// Its score of dexterity then, which parts equals.
    pub dexterity: i8,
    /// Rows it has in `combat_effect`.
    pub effects: u16,
    /// Percent of its own speed.
    pub speed_percent: u16,
    /// 0 to 6.
    pub exhaustion: u8,
    /// Death saves made, 0 to 2.
    pub death_successes: u8,
    /// Death saves missed, 0 to 2.
    pub death_failures: u8,
    /// Whether it has kept its last hit point since its last long rest.
    pub has_endured: bool,
    /// Ability it concentrates on; empty for none.
    pub concentrates_on: String,
    /// Key of a creature; empty for a character.
    pub creature: String,
}

/// Something that lies on a body for a time.
#[table(
    name = combat_effect,
    public,
    // Read whenever the body fights; at most 32 rows each. Subscribed to by its player.
    index(name = by_entity, btree(columns = [entity_id])),
    // Read when somebody's concentration ends, or when somebody is gone.
    index(name = by_source, btree(columns = [source_id]))
)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CombatEffect {
    /// The effect.
    #[primary_key]
    pub effect_id: u64,
    /// On whom it lies.
    pub entity_id: u64,
    /// Who laid it.
    pub source_id: u64,
    /// When it ends, microseconds since 1970.
    pub ends_at_micros: i64,
    /// When it hurts, heals or may be shaken off next, microseconds since 1970; `i64::MAX` never.
    pub next_at_micros: i64,
    /// How often that is, milliseconds.
    pub every_millis: u32,
    /// What a modifier adds.
    pub amount: i16,
    /// What is added to its dice.
    pub dice_bonus: i16,
    /// What a save against it must reach.
    pub difficulty: i16,
    /// 1 condition, 2 modifier, 3 modifier by dice, 4 by dice and taken away, 5 resistance,
    /// 6 damage over time, 7 healing over time, 8 temporary hit points.
    pub kind: u8,
    /// Which condition, stat or type of damage.
    pub subject: u8,
    /// How many dice.
    pub dice_count: u8,
    /// Of how many sides.
    pub dice_sides: u8,
    /// Attribute that may shake it off, counted from 1; 0 for none.
    pub save: u8,
    /// Whether it ends with the concentration of who laid it.
    pub is_concentration: bool,
    /// Key of the ability it comes of.
    pub ability: String,
}

/// Something that is being cast, for who wants to show it. Gone when it is done or broken off.
#[table(
    name = combat_cast,
    public,
    // Subscribed to per block.
    index(name = by_chunk, btree(columns = [chunk_index]))
)]
pub struct CombatCast {
    /// Who casts; it stands still.
    #[primary_key]
    pub entity_id: u64,
    /// The block it stands in.
    pub chunk_index: u64,
    /// When it began.
    pub began_at: Timestamp,
    /// When it is done.
    pub ends_at: Timestamp,
    /// Key of the ability.
    pub ability: String,
}

/// A deed that waits: for the next run of the tick, or for its cast to be done.
#[table(
    name = combat_deed,
    // Read when its user is gone, dies or breaks off.
    index(name = by_entity, btree(columns = [entity_id]))
)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CombatDeed {
    /// The deed.
    #[primary_key]
    pub deed_id: u64,
    /// Who does it.
    pub entity_id: u64,
    /// At whom it is aimed; 0 for nobody.
    pub target_id: u64,
    /// Where it is aimed, or the direction.
    pub x: i32,
    /// Where it is aimed, or the direction.
    pub y: i32,
    /// 0 oneself, 1 somebody, 2 a point, 3 a direction.
    pub aim_kind: u8,
    /// Level of the slot that was spent; 0 for none.
    pub slot_level: u8,
    /// Whether it has a row in `combat_cast`.
    pub is_cast: bool,
    /// Key of the ability.
    pub ability: String,
}

/// When something about a body must be looked at.
#[table(
    name = combat_due,
    // Read by the combat tick: the slots since its last run.
    index(name = by_slot, btree(columns = [slot])),
    // Read when the body is gone.
    index(name = by_entity, btree(columns = [entity_id]))
)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CombatDue {
    /// The row.
    #[primary_key]
    pub due_id: u64,
    /// Whom it is about.
    pub entity_id: u64,
    /// The deed, the effect, or whom it left; 0 where that is clear.
    pub subject_id: u64,
    /// Microseconds since 1970.
    pub due_at_micros: i64,
    /// The slot of that instant, or of when it was written if that was later
    /// (`rules::motion::slot_of`).
    pub slot: u16,
    /// 1 a deed is done, 2 an effect's moment or end, 3 a death save, 4 a corpse vanishes,
    /// 5 somebody may have left another's reach, 6 a rest is over, 7 a duel is over, 8 a creature
    /// thinks, 9 who is stable wakes.
    pub kind: u8,
}

/// When a body can use an ability again that has a cooldown. Gone once that is past and it is used
/// again, or with its body.
#[table(
    name = combat_cooldown,
    // Read when an ability is used; at most one row for each that has a cooldown.
    index(name = by_entity, btree(columns = [entity_id]))
)]
pub struct CombatCooldown {
    /// The row.
    #[primary_key]
    pub cooldown_id: u64,
    /// Whose.
    pub entity_id: u64,
    /// Microseconds since 1970.
    pub ready_at_micros: i64,
    /// Key of the ability.
    pub ability: String,
}

/// How much a body draws a creature, and what it did to it. Gone with either of them.
#[table(
    name = combat_threat,
    // Read when the creature thinks or dies; at most 40 rows each.
    index(name = by_creature, btree(columns = [creature_id])),
    // Read when the body heals somebody, or is gone.
    index(name = by_entity, btree(columns = [entity_id]))
)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CombatThreat {
    /// The row.
    #[primary_key]
    pub threat_id: u64,
    /// Whom it draws.
    pub creature_id: u64,
    /// Who draws it.
    pub entity_id: u64,
    /// How much.
    pub threat: u64,
    /// Damage, and half of healing.
    pub contribution: u64,
}

/// A duel that is offered or fought.
#[table(name = combat_duel, public)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CombatDuel {
    /// Who offered it.
    #[primary_key]
    pub entity_id: u64,
    /// To whom.
    #[unique]
    pub other_id: u64,
    /// Where it began, millimetres.
    pub pos_x_mm: i32,
    /// Where it began, millimetres.
    pub pos_y_mm: i32,
    /// When the offer or the duel ends, microseconds since 1970.
    pub ends_at_micros: i64,
    /// Whether it was accepted.
    pub is_on: bool,
}

/// Somebody rests.
#[table(name = combat_rest, public)]
pub struct CombatRest {
    /// Who.
    #[primary_key]
    pub entity_id: u64,
    /// When it began, microseconds since 1970.
    pub began_at_micros: i64,
    /// When it is over, microseconds since 1970.
    pub ends_at_micros: i64,
    /// Whether everything comes back.
    pub is_long: bool,
}

/// What happened to one target, once.
#[derive(SpacetimeType, Clone, Debug, PartialEq, Eq)]
pub struct CombatLine {
    /// Who.
    pub target_id: u64,
    /// Damage or healing as rolled.
    pub rolled: i32,
    /// What arrived.
    pub amount: i32,
    /// What was added to the d20.
    pub modifier: i16,
    /// What it had to reach.
    pub against: i16,
    /// What the d20 showed; 0 without a roll.
    pub natural: u8,
    /// 0 no roll, 1 miss, 2 hit, 3 critical hit, 4 saved, 5 not saved.
    pub verdict: u8,
    /// Type of damage, counted from 1; 0 for none.
    pub damage: u8,
    /// Whether it healed.
    pub is_healing: bool,
    /// 0 nothing, 1 endured, 2 dying, 3 knocked out, 4 a death save missed, 5 dead.
    pub fell: u8,
    /// All of it in words, with every die.
    pub text: String,
}

/// What was decided, with every die. Gone a minute later (`rules::combat::EVENT_SECONDS`).
#[table(
    name = combat_event,
    public,
    // Subscribed to per block.
    index(name = by_chunk, btree(columns = [chunk_index])),
    // Read by the sweep.
    index(name = by_slot, btree(columns = [slot]))
)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CombatEvent {
    /// The event; part of what its dice hang on.
    #[primary_key]
    pub event_id: u64,
    /// The block of who did it.
    pub chunk_index: u64,
    /// Who did it; 0 for nobody.
    pub actor_id: u64,
    /// When, microseconds since 1970; part of what its dice hang on.
    pub at_micros: i64,
    /// The dice's day (`dice_day`).
    pub day: u32,
    /// The slot of its end.
    pub slot: u16,
    /// Key of the ability, or what else it was: `death_save`.
    pub ability: String,
    /// Each die in the order they were thrown: its sides, and what it showed.
    pub dice: Vec<u8>,
    /// What happened, target by target.
    pub lines: Vec<CombatLine>,
}

/// A day of dice. Its secret's hash is told before the first throw, the secret when it is over.
#[table(name = dice_day, public)]
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiceDay {
    /// Counted from 1.
    #[primary_key]
    pub day: u32,
    /// When it begins, microseconds since 1970.
    pub begins_at_micros: i64,
    /// When it ends, microseconds since 1970.
    pub ends_at_micros: i64,
    /// SHA-256 of the secret, hexadecimal.
    pub commitment: String,
    /// The secret, hexadecimal; empty until the day is over.
    pub secret: String,
}

/// The secret of a day that is not over. Private; written by the module alone.
#[table(name = dice_secret)]
pub struct DiceSecret {
    /// The day.
    #[primary_key]
    pub day: u32,
    /// 32 bytes.
    pub secret: Vec<u8>,
}

/// What the next secret is made from: stirred by every login, whose tokens nobody can foresee.
#[table(name = dice_pool)]
#[derive(Clone)]
pub struct DicePool {
    /// Always 0.
    #[primary_key]
    pub singleton_id: u8,
    /// The number of the next event.
    pub next_event_id: u64,
    /// The day that runs; 0 before the first.
    pub day: u32,
    /// 32 bytes.
    pub state: Vec<u8>,
}
