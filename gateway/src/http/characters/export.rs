//! One character, whole: everything a realm keeps of it, for its player to take along.
//!
//! Keeps true: rows become words and numbers that say what they are; nothing of anybody else is in
//! it. Each part is read by itself, so what changes meanwhile may show in one and not in another.

use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
};
use futures_util::try_join;
use haven_rules::characters::creation::Method;
use serde::Serialize;
use utoipa::ToSchema;

use super::{CharacterAnswer, Own, ScoresAnswer, rfc3339};
use crate::{
    http::Shared,
    problem::{Problem, ProblemDocument},
    sessions::Caller,
    stdb::{
        Filter,
        rows::{
            CharacterAppearance, CharacterBuild, CharacterPosition, CharacterProgress,
            CharacterResources, CharacterSpell, CharacterUse,
        },
    },
};

/// What the document's shape is; a later one adds members and keeps these.
const FORMAT: u16 = 1;
/// Dice of one score.
const DICE_PER_SCORE: usize = 4;

/// A character, whole.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct CharacterExport {
    /// The shape of this document: 1.
    #[schema(example = 1)]
    format: u16,
    /// Who it is.
    character: CharacterAnswer,
    /// What it was made of; missing until it was made or has entered with content in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    build: Option<BuildExport>,
    /// Increases of its scores that it has not chosen yet.
    #[schema(example = 0)]
    increases: u8,
    /// Spells it may put others in the place of.
    #[schema(example = 0)]
    swaps: u8,
    /// Spells it knows or has prepared.
    spells: Vec<SpellExport>,
    /// What it has left; missing while it has all there is.
    #[serde(skip_serializing_if = "Option::is_none")]
    resources: Option<ResourcesExport>,
    /// Uses since the rest that gives them back.
    uses: Vec<UseExport>,
    /// How it looks, if staff has said so.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    appearance: Option<serde_json::Value>,
    /// Where it last left the world; missing for the spawn.
    #[serde(skip_serializing_if = "Option::is_none")]
    position: Option<PositionExport>,
}

/// What a character was made of.
#[derive(Serialize, ToSchema)]
struct BuildExport {
    /// `standard`, `points` or `rolled`.
    #[schema(example = "rolled")]
    method: &'static str,
    /// What was rolled: four dice for each of six scores; empty if nothing was.
    rolls: Vec<Vec<u8>>,
    /// What it is good at.
    skills: Vec<String>,
}

/// A spell.
#[derive(Serialize, ToSchema)]
struct SpellExport {
    /// Its key in content.
    #[schema(example = "fire_bolt")]
    ability: String,
    /// Whether it can be cast.
    is_prepared: bool,
}

/// What is left.
#[derive(Serialize, ToSchema)]
struct ResourcesExport {
    /// Hit points; those it had when it last left while it is in the world.
    hit_points: i32,
    /// Hit dice.
    hit_dice_left: u8,
    /// Slots of levels 1 to 9.
    slots_left: Vec<u8>,
    /// 0 to 6.
    exhaustion: u8,
    /// `awake`, `dying`, `stable` or `dead`.
    #[schema(example = "awake")]
    vital: &'static str,
    /// Death saves made.
    death_successes: u8,
    /// Death saves missed.
    death_failures: u8,
    /// Whether it has kept its last hit point since its last long rest.
    has_endured: bool,
    /// When its last long rest ended, microseconds since 1970; 0 for never.
    long_rest_at_micros: i64,
}

/// Uses of an ability.
#[derive(Serialize, ToSchema)]
struct UseExport {
    /// Its key in content.
    #[schema(example = "second_wind")]
    ability: String,
    /// How often it was used.
    used: u8,
    /// Whether only a long rest gives them back.
    is_long: bool,
}

/// A place.
#[derive(Serialize, ToSchema)]
struct PositionExport {
    /// 0 is the open world.
    world: u32,
    /// Millimetres east of the origin.
    x_mm: i32,
    /// Millimetres north of the origin.
    y_mm: i32,
    /// When it was there, RFC 3339.
    #[schema(format = DateTime)]
    saved_at: String,
}

/// Exports one of the caller's characters: everything the realm keeps of it.
///
/// Refused with `character.unknown` (404), also when it is somebody else's.
#[utoipa::path(
    get,
    operation_id = "character_export",
    path = "/v1/characters/{id}/export",
    tag = "characters",
    security(("bearer" = [])),
    params(("id" = u64, Path, description = "The character's number")),
    responses(
        (status = 200, description = "The character, whole", body = CharacterExport),
        (status = 404, response = ProblemDocument),
        (status = "default", response = ProblemDocument),
    )
)]
pub(in crate::http) async fn export(
    State(app): State<Shared>,
    caller: Caller,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<CharacterExport>, Problem> {
    let own = Own::find(&app, &caller, id).await?;
    let filter = Filter::number("character_id", own.row.character_id);
    let link = own.link.clone();
    let (build, progress, mut spells, resources, mut uses, appearance, position) = try_join!(
        link.query_one::<CharacterBuild>(filter.clone()),
        link.query_one::<CharacterProgress>(filter.clone()),
        link.query::<CharacterSpell>(filter.clone()),
        link.query_one::<CharacterResources>(filter.clone()),
        link.query::<CharacterUse>(filter.clone()),
        link.query_one::<CharacterAppearance>(filter.clone()),
        link.query_one::<CharacterPosition>(filter),
    )?;
    spells.sort_unstable_by_key(|row| row.character_spell_id);
    uses.sort_unstable_by_key(|row| row.character_use_id);
    let spell =
        |row: CharacterSpell| SpellExport { ability: row.ability, is_prepared: row.is_prepared };
    let used = |row: CharacterUse| UseExport {
        ability: row.ability,
        used: row.used,
        is_long: row.is_long,
    };
    Ok(Json(CharacterExport {
        format: FORMAT,
        character: own.show().await?,
        build: build.map(BuildExport::new),
        increases: progress.as_ref().map_or(0, |row| row.increases),
        swaps: progress.as_ref().map_or(0, |row| row.swaps),
        spells: spells.into_iter().map(spell).collect(),
        resources: resources.map(ResourcesExport::new),
        uses: uses.into_iter().map(used).collect(),
        appearance: appearance.and_then(|row| serde_json::from_str(&row.appearance).ok()),
        position: position.as_ref().map(PositionExport::new).transpose()?,
    }))
}

impl BuildExport {
    fn new(row: CharacterBuild) -> Self {
        let method = Method::from_code(row.method).unwrap_or(Method::Standard);
        let rolls = row.rolls.chunks(DICE_PER_SCORE).map(<[u8]>::to_vec).collect();
        Self { method: method.word(), rolls, skills: row.skills }
    }
}

impl ResourcesExport {
    fn new(row: CharacterResources) -> Self {
        let vital = match row.vital {
            0 => "awake",
            1 => "dying",
            2 => "stable",
            _ => "dead",
        };
        Self {
            hit_points: row.hit_points,
            hit_dice_left: row.hit_dice_left,
            slots_left: row.slots_left,
            exhaustion: row.exhaustion,
            vital,
            death_successes: row.death_successes,
            death_failures: row.death_failures,
            has_endured: row.has_endured,
            long_rest_at_micros: row.long_rest_at_micros,
        }
    }
}

impl PositionExport {
    fn new(row: &CharacterPosition) -> Result<Self, Problem> {
        let saved_at = rfc3339(row.saved_at)?;
        Ok(Self { world: row.world, x_mm: row.pos_x_mm, y_mm: row.pos_y_mm, saved_at })
    }
}

impl ScoresAnswer {
    /// The scores of a row.
    pub(super) const fn new(row: &CharacterBuild) -> Self {
        Self {
            strength: row.strength,
            dexterity: row.dexterity,
            constitution: row.constitution,
            intelligence: row.intelligence,
            wisdom: row.wisdom,
            charisma: row.charisma,
        }
    }
}
