//! An account's characters, in whatever realm they live.
//!
//! Keeps true: a character of somebody else is as unknown as one that never was. The realm's own
//! database decides everything; names are looked at here first only to refuse early. What a player
//! may choose is in `plan`, the export in `export`.

mod export;
mod plan;

pub(super) use export::{__path_export, export};

use axum::{
    Json,
    extract::{
        Path, Query, State,
        rejection::{PathRejection, QueryRejection},
    },
};
use futures_util::{StreamExt, TryStreamExt, future::join_all, stream, try_join};
use haven_rules::{
    characters::{self, CharacterError},
    realms::RealmError,
};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use spacetimedb_lib::Timestamp;
use utoipa::{IntoParams, ToSchema};

use plan::CharacterCreation;

use super::{
    Shared,
    extract::{Body, Command},
};
use crate::{
    problem::{Problem, ProblemDocument, Refusal},
    sessions::Caller,
    stdb::{
        Filter, Link, reducers,
        rows::{Character, CharacterBuild, CharacterDeletion, CharacterProgress, Realm},
    },
};

/// Characters looked up at the same time on one link.
const CONCURRENT: usize = 8;
/// A character.
#[derive(Serialize, ToSchema)]
#[schema(as = Character)]
pub(super) struct CharacterAnswer {
    /// Its number, unique across realms.
    #[schema(example = 281_474_976_710_657_u64)]
    character_id: u64,
    /// The realm it lives in.
    #[schema(example = 1)]
    realm_id: u16,
    /// Its name.
    #[schema(example = "Brannoc")]
    name: String,
    /// Its race.
    #[schema(example = "human")]
    race: String,
    /// Its class.
    #[schema(example = "fighter")]
    class: String,
    /// Its level, 1 to 20.
    #[schema(example = 1)]
    level: u8,
    /// Its experience.
    #[schema(example = 0)]
    experience: u32,
    /// Its background; missing until it was made or has entered with content in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(example = "acolyte")]
    background: Option<String>,
    /// Its scores, with what race and levels add; missing as long as its background is.
    #[serde(skip_serializing_if = "Option::is_none")]
    scores: Option<ScoresAnswer>,
    /// When it was created, RFC 3339.
    #[schema(format = DateTime)]
    created_at: String,
    /// When it was deleted, RFC 3339; only while it can be restored.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    deleted_at: Option<String>,
}

/// Six scores.
#[derive(Serialize, ToSchema)]
#[schema(as = Scores)]
struct ScoresAnswer {
    /// 1 to 20.
    #[schema(example = 16)]
    strength: i8,
    /// 1 to 20.
    dexterity: i8,
    /// 1 to 20.
    constitution: i8,
    /// 1 to 20.
    intelligence: i8,
    /// 1 to 20.
    wisdom: i8,
    /// 1 to 20.
    charisma: i8,
}

/// The answer of the character list.
#[derive(Serialize, ToSchema)]
pub(super) struct CharacterList {
    /// The characters, by rising number, of all realms that answer.
    characters: Vec<CharacterAnswer>,
}

/// Which characters to list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct CharacterFilter {
    /// Only those of this realm.
    realm_id: Option<u16>,
}

/// Lists the caller's characters.
#[utoipa::path(
    get,
    operation_id = "character_list",
    path = "/v1/characters",
    tag = "characters",
    security(("bearer" = [])),
    params(CharacterFilter),
    responses(
        (status = 200, description = "The characters", body = CharacterList),
        (status = 401, response = ProblemDocument),
        (status = "default", response = ProblemDocument),
    )
)]
pub(super) async fn list(
    State(app): State<Shared>,
    caller: Caller,
    query: Result<Query<CharacterFilter>, QueryRejection>,
) -> Result<Json<CharacterList>, Problem> {
    let Query(filter) =
        query.map_err(|error| Problem::from(Refusal::Invalid).detail(error.body_text()))?;
    let account_id = caller.account_id();
    let mut characters = if let Some(realm_id) = filter.realm_id {
        let realm = app.realms.get(realm_id).await?;
        let link = app.realms.connected(&realm).await?;
        of_account(&link, realm_id, account_id).await?
    } else {
        of_all_realms(&app, account_id).await?
    };
    characters.sort_unstable_by_key(|character| character.character_id);
    Ok(Json(CharacterList { characters }))
}

/// Creates a character. What is not chosen follows from its class.
///
/// Refused with `character.name_…`, `character.race_unknown`, `character.class_unknown`,
/// `character.multiclass_unsupported`, `character.abilities_unsupported` where no content is in
/// force, `character.background_unknown`, `character.method_unknown`, `character.order_invalid`,
/// `character.scores_…`, `character.skills_invalid`, `character.spell_…`,
/// `character.spells_too_many` (400), `realm.unknown` (404), `realm.offline` (503),
/// `character.too_many` or `character.name_taken` (409).
///
/// With an `Idempotency-Key` the answer comes when the character is on disk, and a repetition with
/// the same key has the same answer and makes no second one; then also refused with
/// `command.id_invalid` (400), `command.too_old`, `command.reused` (409),
/// `command.sessions_too_many` (429) or `gateway.not_written` (503).
#[utoipa::path(
    post,
    operation_id = "character_create",
    path = "/v1/characters",
    tag = "characters",
    security(("bearer" = [])),
    params((
        "Idempotency-Key" = Option<String>, Header,
        description = "The client's session and the number of the command in it, such as 7-1",
    )),
    request_body = CharacterCreation,
    responses(
        (status = 201, description = "Created", body = CharacterAnswer),
        (status = 400, response = ProblemDocument),
        (status = 409, response = ProblemDocument),
        (status = "default", response = ProblemDocument),
    )
)]
pub(super) async fn create(
    State(app): State<Shared>,
    caller: Caller,
    Command(command): Command,
    Body(body): Body<CharacterCreation>,
) -> Result<(StatusCode, Json<CharacterAnswer>), Problem> {
    let name = characters::validate_name(&body.name)?;
    let realm_id = body.realm_id;
    let plan = body.plan()?;
    let realm = realm_to_live_in(&app, realm_id).await?;
    let link = app.realms.connected(&realm).await?;
    let account_id = caller.account_id();
    match command {
        Some(id) => {
            let call = reducers::character_make_once(&link, account_id, &plan, id);
            link.durably(call).await?;
        }
        None => reducers::character_make(&link, account_id, &plan).await?,
    }
    let rows = link.query::<Character>(Filter::number("account_id", account_id)).await?;
    let created = rows.into_iter().find(|row| row.name_skeleton == name.skeleton);
    let created = created.ok_or_else(|| match command {
        // Made long ago, and purged since.
        Some(_) => CharacterError::Unknown.into(),
        None => Problem::internal("a created character cannot be found"),
    })?;
    let answer = whole(&link, realm.realm_id, created).await?;
    Ok((StatusCode::CREATED, Json(answer)))
}

/// Shows one of the caller's characters.
///
/// Refused with `character.unknown` (404), also when it is somebody else's.
#[utoipa::path(
    get,
    operation_id = "character_get",
    path = "/v1/characters/{id}",
    tag = "characters",
    security(("bearer" = [])),
    params(("id" = u64, Path, description = "The character's number")),
    responses(
        (status = 200, description = "The character", body = CharacterAnswer),
        (status = 404, response = ProblemDocument),
        (status = "default", response = ProblemDocument),
    )
)]
pub(super) async fn get(
    State(app): State<Shared>,
    caller: Caller,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<CharacterAnswer>, Problem> {
    let own = Own::find(&app, &caller, id).await?;
    Ok(Json(own.show().await?))
}

/// Deletes a character. It can be restored for 30 days.
///
/// Refused with `character.unknown` (404), `character.deleted` or `character.in_world` (409).
#[utoipa::path(
    delete,
    operation_id = "character_delete",
    path = "/v1/characters/{id}",
    tag = "characters",
    security(("bearer" = [])),
    params(("id" = u64, Path, description = "The character's number")),
    responses(
        (status = 204, description = "Deleted"),
        (status = 404, response = ProblemDocument),
        (status = "default", response = ProblemDocument),
    )
)]
pub(super) async fn delete(
    State(app): State<Shared>,
    caller: Caller,
    id: Result<Path<String>, PathRejection>,
) -> Result<StatusCode, Problem> {
    let own = Own::find(&app, &caller, id).await?;
    reducers::character_delete(&own.link, caller.account_id(), own.row.character_id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Restores a deleted character.
///
/// Refused with `character.unknown` (404), `character.not_deleted`, `character.restore_over` or
/// `character.too_many` (409).
#[utoipa::path(
    post,
    operation_id = "character_restore",
    path = "/v1/characters/{id}/restore",
    tag = "characters",
    security(("bearer" = [])),
    params(("id" = u64, Path, description = "The character's number")),
    responses(
        (status = 200, description = "Restored", body = CharacterAnswer),
        (status = 404, response = ProblemDocument),
        (status = "default", response = ProblemDocument),
    )
)]
pub(super) async fn restore(
    State(app): State<Shared>,
    caller: Caller,
    id: Result<Path<String>, PathRejection>,
) -> Result<Json<CharacterAnswer>, Problem> {
    let own = Own::find(&app, &caller, id).await?;
    reducers::character_restore(&own.link, caller.account_id(), own.row.character_id).await?;
    Ok(Json(own.show().await?))
}

impl CharacterAnswer {
    fn new(
        realm_id: u16,
        row: Character,
        deletion: Option<CharacterDeletion>,
        build: Option<CharacterBuild>,
        progress: Option<&CharacterProgress>,
    ) -> Result<Self, Problem> {
        let scores = build.as_ref().map(ScoresAnswer::new);
        Ok(Self {
            character_id: row.character_id,
            realm_id,
            name: row.name,
            race: row.race,
            class: row.class,
            level: progress.map_or(1, |row| row.level),
            experience: progress.map_or(0, |row| row.experience),
            background: build.map(|row| row.background),
            scores,
            created_at: rfc3339(row.created_at)?,
            deleted_at: deletion.map(|row| rfc3339(row.deleted_at)).transpose()?,
        })
    }
}

/// A character that is known to be the caller's.
struct Own {
    link: Link,
    realm_id: u16,
    row: Character,
}

impl Own {
    async fn find(
        app: &Shared,
        caller: &Caller,
        id: Result<Path<String>, PathRejection>,
    ) -> Result<Self, Problem> {
        let unknown = || Problem::from(CharacterError::Unknown);
        let Path(id) = id.map_err(|_| unknown())?;
        let character_id: u64 = id.parse().map_err(|_| unknown())?;
        // The realm's number stands in the top 16 bits.
        let [high, low, ..] = character_id.to_be_bytes();
        let realm_id = u16::from_be_bytes([high, low]);
        let realm = match app.realms.get(realm_id).await {
            Err(problem) if problem.code() == RealmError::Unknown.code() => return Err(unknown()),
            result => result?,
        };
        let link = app.realms.connected(&realm).await?;
        let filter = Filter::number("character_id", character_id);
        let row = link.query_one::<Character>(filter).await?;
        let row = row.filter(|row| row.account_id == caller.account_id()).ok_or_else(unknown)?;
        Ok(Self { link, realm_id, row })
    }

    async fn show(self) -> Result<CharacterAnswer, Problem> {
        whole(&self.link, self.realm_id, self.row).await
    }
}

/// The characters of every realm that answers. One that is away hides its own only.
async fn of_all_realms(app: &Shared, account_id: u64) -> Result<Vec<CharacterAnswer>, Problem> {
    let realms = app.realms.list().await?;
    let each = realms.iter().map(|realm| async move {
        let link = app.realms.connected(realm).await?;
        of_account(&link, realm.realm_id, account_id).await
    });
    let mut characters = Vec::new();
    for (realm, found) in realms.iter().zip(join_all(each).await) {
        match found {
            Ok(found) => characters.extend(found),
            Err(problem) => {
                let (realm_id, code) = (realm.realm_id, problem.code());
                tracing::warn!(realm_id, code, "a realm's characters are missing from a list");
            }
        }
    }
    Ok(characters)
}

async fn of_account(
    link: &Link,
    realm_id: u16,
    account_id: u64,
) -> Result<Vec<CharacterAnswer>, Problem> {
    let rows = link.query::<Character>(Filter::number("account_id", account_id)).await?;
    stream::iter(rows)
        .map(|row| whole(link, realm_id, row))
        .buffered(CONCURRENT)
        .try_collect()
        .await
}

/// A character with what stands in other rows.
async fn whole(link: &Link, realm_id: u16, row: Character) -> Result<CharacterAnswer, Problem> {
    let filter = Filter::number("character_id", row.character_id);
    let (deletion, build, progress) = try_join!(
        link.query_one::<CharacterDeletion>(filter.clone()),
        link.query_one::<CharacterBuild>(filter.clone()),
        link.query_one::<CharacterProgress>(filter),
    )?;
    CharacterAnswer::new(realm_id, row, deletion, build, progress.as_ref())
}

/// The realm asked for, or the first of the list.
async fn realm_to_live_in(app: &Shared, realm_id: Option<u16>) -> Result<Realm, Problem> {
    if let Some(realm_id) = realm_id {
        return app.realms.get(realm_id).await;
    }
    let first = app.realms.list().await?.into_iter().next();
    first.ok_or_else(|| RealmError::Unknown.into())
}

fn rfc3339(timestamp: Timestamp) -> Result<String, Problem> {
    timestamp.to_rfc3339().map_err(Problem::internal)
}
