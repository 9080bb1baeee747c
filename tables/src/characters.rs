//! Characters: who they are, what they can, where they were left, and who is in the world. Private
//! but for what its player subscribes to.
//!
//! Keeps true: no two characters of a realm have names that look alike, deleted ones included,
//! until they are purged; an account has at most one character in the world.

use spacetimedb::{SpacetimeType, Timestamp, table};

/// What a player asks for in a new character. What is left empty follows from the class.
#[derive(SpacetimeType, Clone, Debug, Default, Hash)]
pub struct CharacterPlan {
    /// Its name.
    pub name: String,
    /// Key of its race.
    pub race: String,
    /// Key of its class.
    pub class: String,
    /// Key of its background.
    pub background: String,
    /// How it gets its scores: 0 or 1 the standard ones, 2 bought with points, 3 rolled.
    pub method: u8,
    /// Six scores before the race adds to them: strength, dexterity, constitution, intelligence,
    /// wisdom, charisma. Empty to have them dealt by `order`.
    pub scores: Vec<i8>,
    /// Attributes, that with the highest score first.
    pub order: Vec<String>,
    /// Skills of its class.
    pub skills: Vec<String>,
    /// Keys of cantrips and spells.
    pub spells: Vec<String>,
}

/// A character. Written at creation; its owner, race and class never change.
#[table(
    name = character,
    // Read to list and count an account's characters.
    index(name = by_account, btree(columns = [account_id]))
)]
pub struct Character {
    /// Unique across realms: the realm's number in the top 16 bits. Also its entity's id.
    #[primary_key]
    pub character_id: u64,
    /// The account that plays it.
    pub account_id: u64,
    /// The name as typed, after normalisation.
    pub name: String,
    /// The name with look-alike letters folded together; what must be unique.
    #[unique]
    pub name_skeleton: String,
    /// One of `rules::characters::RACES`.
    pub race: String,
    /// One of `rules::characters::CLASSES`.
    pub class: String,
    /// When it was created.
    pub created_at: Timestamp,
}

/// A deleted character that can still be restored; without this row a character is alive.
#[table(
    name = character_deletion,
    // Read by the purge.
    index(name = by_purge_at, btree(columns = [purge_at_micros]))
)]
pub struct CharacterDeletion {
    /// The character.
    #[primary_key]
    pub character_id: u64,
    /// When it is removed for good, microseconds since 1970.
    pub purge_at_micros: i64,
    /// When it was deleted.
    pub deleted_at: Timestamp,
}

/// Where a character was when it last left the world; without this row it starts at the spawn.
#[table(name = character_position)]
pub struct CharacterPosition {
    /// The character.
    #[primary_key]
    pub character_id: u64,
    /// The world: 0 is the open world.
    pub world: u32,
    /// Millimetres east of the origin.
    pub pos_x_mm: i32,
    /// Millimetres north of the origin.
    pub pos_y_mm: i32,
    /// When it was saved.
    pub saved_at: Timestamp,
}

/// The character an account has in the world now.
#[table(name = character_presence)]
pub struct CharacterPresence {
    /// The account.
    #[primary_key]
    pub account_id: u64,
    /// The character, which is also the entity's id.
    #[unique]
    pub character_id: u64,
    /// When it entered.
    pub entered_at: Timestamp,
}

/// When a character may return to the spawn again; without a row it may now. Removed with it.
#[table(name = character_respawn_cooldown)]
pub struct CharacterRespawnCooldown {
    /// The character.
    #[primary_key]
    pub character_id: u64,
    /// Microseconds since 1970.
    pub ready_at_micros: i64,
}

/// What a character was made of, and its scores now. A character of a release before this one has
/// no row until it enters the world: then it gets that of its class. None either while content
/// does not know its race or class.
#[table(name = character_build)]
#[derive(Clone)]
pub struct CharacterBuild {
    /// The character.
    #[primary_key]
    pub character_id: u64,
    /// Key of its background in content; empty for none.
    pub background: String,
    /// How it got its scores: `rules::characters::creation::Method`.
    pub method: u8,
    /// With what its race and its increases add, 1 to 20; the other five as well.
    pub strength: i8,
    /// 1 to 20.
    pub dexterity: i8,
    /// 1 to 20.
    pub constitution: i8,
    /// 1 to 20.
    pub intelligence: i8,
    /// 1 to 20.
    pub wisdom: i8,
    /// 1 to 20.
    pub charisma: i8,
    /// The dice it was rolled with, four for each of six scores in the order they were thrown;
    /// empty for other ways.
    pub rolls: Vec<u8>,
    /// What it is good at, as content writes it, each once.
    pub skills: Vec<String>,
}

/// How far a character has come. Without a row: level 1 and nothing else. Public: its player
/// subscribes to its own.
#[table(name = character_progress, public)]
#[derive(Clone)]
pub struct CharacterProgress {
    /// The character.
    #[primary_key]
    pub character_id: u64,
    /// All it ever gained, less what deaths took.
    pub experience: u32,
    /// 1 to 20; never falls.
    pub level: u8,
    /// Increases of its scores that it has not chosen yet.
    pub increases: u8,
    /// Spells it may put others in the place of: one for each level that it gained.
    pub swaps: u8,
}

/// A spell a character knows, or has prepared if its class knows all of its list.
#[table(
    name = character_spell,
    // Read whenever the character casts; at most 64 rows each.
    index(name = by_character, btree(columns = [character_id]))
)]
#[derive(Clone)]
pub struct CharacterSpell {
    /// The row.
    #[primary_key]
    pub character_spell_id: u64,
    /// Whose.
    pub character_id: u64,
    /// Whether it can be cast now.
    pub is_prepared: bool,
    /// Key in content.
    pub ability: String,
}

/// What a character has left. Without a row it has all there is and is awake. Public: its player
/// subscribes to its own.
#[table(name = character_resources, public)]
#[derive(Clone)]
pub struct CharacterResources {
    /// The character.
    #[primary_key]
    pub character_id: u64,
    /// When its last long rest ended, microseconds since 1970; 0 for never.
    pub long_rest_at_micros: i64,
    /// At least 0. While it is in the world, `combatant` has the present ones.
    pub hit_points: i32,
    /// 0 to its level.
    pub hit_dice_left: u8,
    /// 0 to 6.
    pub exhaustion: u8,
    /// 0 awake, 1 dying, 2 stable, 3 dead.
    pub vital: u8,
    /// Death saves made, 0 to 2.
    pub death_successes: u8,
    /// Death saves missed, 0 to 2.
    pub death_failures: u8,
    /// Whether it has kept its last hit point since its last long rest.
    pub has_endured: bool,
    /// Spell slots of levels 1 to 9 that are left: nine numbers.
    pub slots_left: Vec<u8>,
}

/// Uses of an ability since the rest that gives them back. Without a row none. Public: its player
/// subscribes to its own.
#[table(
    name = character_use,
    public,
    // Read when the ability is used, and at each rest; at most one row for each ability it has.
    index(name = by_character, btree(columns = [character_id]))
)]
#[derive(Clone)]
pub struct CharacterUse {
    /// The row.
    #[primary_key]
    pub character_use_id: u64,
    /// Whose.
    pub character_id: u64,
    /// How often it was used, at least 1.
    pub used: u8,
    /// Whether only a long rest gives them back.
    pub is_long: bool,
    /// Key of the ability.
    pub ability: String,
}

/// How a character looks, for clients to draw; without a row as they like. Written by staff.
#[table(name = character_appearance)]
pub struct CharacterAppearance {
    /// The character.
    #[primary_key]
    pub character_id: u64,
    /// A JSON object, at most `rules::characters::APPEARANCE_BYTES_MAX`.
    pub appearance: String,
}

/// What a character in the world is worth, as content and choices have it: there from when it
/// enters until it leaves, written anew when any of it changes.
#[table(name = character_sheet, public)]
#[derive(Clone, PartialEq)]
pub struct CharacterSheet {
    /// The character.
    #[primary_key]
    pub character_id: u64,
    /// From how much experience on the next level begins; 0 where there is none.
    pub experience_next: u32,
    /// The most it can have.
    pub hit_points_max: i32,
    /// What a roll must reach to hit it.
    pub armor_class: i16,
    /// What saves against its spells must reach.
    pub spell_difficulty: i16,
    /// What is added to its spell attacks.
    pub spell_attack: i16,
    /// How far it goes in a round, millimetres.
    pub speed_mm_per_round: u32,
    /// 1 to 20.
    pub level: u8,
    /// 2 to 6.
    pub proficiency: u8,
    /// Sides of its hit dice; it has as many as levels.
    pub hit_die: u8,
    /// How many spells it may prepare; 0 for who does not prepare.
    pub prepared_max: u8,
    /// Cantrips that it may still learn.
    pub cantrips_to_learn: u8,
    /// Spells of a level that it may still learn.
    pub spells_to_learn: u8,
    /// Key of its race.
    pub race: String,
    /// Key of its class.
    pub class: String,
    /// Key of its background; empty for none.
    pub background: String,
    /// Strength, dexterity, constitution, intelligence, wisdom, charisma.
    pub scores: Vec<i8>,
    /// What is added to saving throws, in the same order.
    pub saves: Vec<i8>,
    /// All its spell slots of levels 1 to 9.
    pub slots_max: Vec<u8>,
    /// What it is good at.
    pub skills: Vec<String>,
    /// Keys of its features.
    pub features: Vec<String>,
    /// Keys of the cantrips it knows.
    pub cantrips: Vec<String>,
    /// Keys of the spells it knows, besides cantrips: of who prepares, all of its class up to the
    /// highest level it casts.
    pub spells: Vec<String>,
    /// Keys of those that it can cast now.
    pub prepared: Vec<String>,
}
