//! The realm list, and the way into a realm.
//!
//! Keeps true: a realm token is given only after the realm's own database was told to admit its
//! bearer, so a token alone opens nothing.

use std::{sync::Arc, time::Duration};

use axum::{
    Json,
    extract::{Path, State, rejection::PathRejection},
};
use haven_rules::{
    accounts,
    realms::{RealmError, check_admission},
};
use serde::Serialize;
use spacetimedb_lib::{Identity, Timestamp};
use utoipa::ToSchema;

use super::{Shared, to_the_end};
use crate::{
    problem::{Problem, ProblemDocument, Refusal},
    realms::{RealmStatus, Revocation},
    sessions::{Caller, role_of},
    stdb::{
        CallError, Filter, Link,
        reducers::{self, Grant},
        rows::{Account, Admission, Realm},
    },
    tokens::{self, Bearer},
};

/// Attempts to be the newest admission of an identity that enters twice at the same time.
const GRANT_ATTEMPTS: u32 = 3;

/// The answer of the realm list.
#[derive(Serialize, ToSchema)]
pub(super) struct RealmList {
    /// The realms, by rising number.
    realms: Vec<RealmEntry>,
}

/// One realm.
#[derive(Serialize, ToSchema)]
pub(super) struct RealmEntry {
    /// Its number.
    #[schema(example = 1)]
    realm_id: u16,
    /// Its name.
    #[schema(example = "Haven")]
    name: String,
    /// Whether it can be entered.
    status: RealmStatus,
    /// Characters in its world, a few seconds ago at most.
    population: u32,
    /// Characters that fit into its world.
    capacity: u32,
    /// Where its host is.
    #[schema(example = "http://127.0.0.1:3000")]
    uri: String,
    /// Its database on that host.
    #[schema(example = "haven")]
    database: String,
}

/// What opens a realm.
#[derive(Serialize, ToSchema)]
pub(super) struct Entry {
    /// Where the realm's host is.
    uri: String,
    /// The database to subscribe to.
    database: String,
    /// The bearer token for it.
    token: String,
    /// The identity the token has there, 64 hex digits.
    identity: String,
    /// Lifetime of the token and of the admission, seconds.
    #[schema(example = 900)]
    expires_in: u32,
}

/// Lists the realms.
#[utoipa::path(
    get,
    operation_id = "realm_list",
    path = "/v1/realms",
    tag = "realms",
    responses(
        (status = 200, description = "The realms", body = RealmList),
        (status = "default", response = ProblemDocument),
    )
)]
pub(super) async fn list(State(app): State<Shared>) -> Result<Json<RealmList>, Problem> {
    let entry = |realm: Realm| RealmEntry {
        status: app.realms.status(&realm),
        realm_id: realm.realm_id,
        name: realm.name,
        population: realm.population,
        capacity: realm.capacity,
        uri: realm.uri,
        database: realm.database,
    };
    let realms = app.realms.list().await?.into_iter().map(entry).collect();
    Ok(Json(RealmList { realms }))
}

/// Admits the caller to a realm.
///
/// Refused with `realm.unknown` (404), `realm.closed` (403), `realm.offline` or `realm.full`
/// (503), checked in that order. Who is admitted already is admitted on, also to a realm that is
/// closed or full.
#[utoipa::path(
    post,
    operation_id = "realm_enter",
    path = "/v1/realms/{realm_id}/enter",
    tag = "realms",
    security(("bearer" = [])),
    params(("realm_id" = u16, Path, description = "The realm's number")),
    responses(
        (status = 200, description = "Admitted", body = Entry),
        (status = 403, response = ProblemDocument),
        (status = 503, response = ProblemDocument),
        (status = "default", response = ProblemDocument),
    )
)]
pub(super) async fn enter(
    State(app): State<Shared>,
    caller: Caller,
    realm_id: Result<Path<String>, PathRejection>,
) -> Result<Json<Entry>, Problem> {
    let Path(realm_id) = realm_id.map_err(|_| RealmError::Unknown)?;
    let realm_id: u16 = realm_id.parse().map_err(|_| RealmError::Unknown)?;
    let realm = app.realms.get(realm_id).await?;
    let link = match app.realms.connected(&realm).await {
        Err(_) if realm.closed => return Err(RealmError::Closed.into()),
        result => result?,
    };
    let identity = tokens::account_identity(&app.config.issuer, caller.account_id());
    if !is_admitted(&link, identity).await? {
        if realm.closed {
            return Err(RealmError::Closed.into());
        }
        if app.realms.population(&link).await? >= realm.capacity {
            return Err(RealmError::Full.into());
        }
    }
    let expires_in = app.config.realm_token_seconds;
    let role = role_of(&caller.account)?;
    let grant = Grant {
        identity,
        account_id: caller.account_id(),
        session_id: caller.session_id,
        role: role.code(),
        issued_at_micros: 0,
        lifetime_seconds: expires_in,
    };
    to_the_end(admit_and_confirm(Arc::clone(&app), link, grant)).await?;
    let bearer = Bearer {
        account_id: caller.account_id(),
        session_id: caller.session_id,
        role: role.name(),
    };
    let lifetime = Duration::from_secs(u64::from(expires_in));
    let (issuer, database) = (&app.config.issuer, &realm.database);
    let token = tokens::realm_token(&app.keys, issuer, database, bearer, lifetime)?;
    let identity = identity.to_hex().to_string();
    Ok(Json(Entry { uri: realm.uri, database: realm.database, token, identity, expires_in }))
}

/// Whether an identity may play in that realm now.
async fn is_admitted(link: &Link, identity: Identity) -> Result<bool, CallError> {
    let row = link.query_one::<Admission>(Filter::identity("identity", identity)).await?;
    let now_micros = Timestamp::now().to_micros_since_unix_epoch();
    let good = |row: Admission| check_admission(now_micros, row.expires_at_micros, row.revoked);
    Ok(row.is_some_and(|row| good(row).is_ok()))
}

/// Grants an admission, and takes it back unless its reasons still hold: who logged out or was
/// banned meanwhile was revoked before he was admitted.
async fn admit_and_confirm(app: Shared, link: Link, grant: Grant) -> Result<(), Problem> {
    let (account_id, session_id, role) = (grant.account_id, grant.session_id, grant.role);
    let granted = admit(&link, grant).await;
    // Lost or late, it may have been granted all the same.
    if !matches!(granted, Ok(()) | Err(CallError::Lost | CallError::Timeout)) {
        return Ok(granted?);
    }
    if let Err(problem) = confirm(&app, account_id, session_id, role).await {
        app.realms.revoke_in(&[link], Revocation::Session(session_id)).await;
        return Err(problem);
    }
    Ok(granted?)
}

/// Refuses who may not be admitted any more: `account.banned`, `session.ended`, or `gateway.busy`
/// for another role than before, in that order.
async fn confirm(app: &Shared, account_id: u64, session_id: u64, role: u8) -> Result<(), Problem> {
    let account = Filter::number("account_id", account_id);
    let (goes_on, account) = tokio::try_join!(
        app.session_goes_on(session_id, account_id),
        app.home.query_one::<Account>(account),
    )?;
    let account = account.ok_or(Refusal::SessionEnded)?;
    accounts::check_status(account.status)?;
    if !goes_on {
        return Err(Refusal::SessionEnded.into());
    }
    if account.role != role {
        return Err(Problem::from(Refusal::Busy).detail("the account changed meanwhile; try again"));
    }
    Ok(())
}

/// Grants an admission as of now. Two at the same instant may overtake each other: the one that
/// came second asks again.
async fn admit(link: &Link, mut grant: Grant) -> Result<(), CallError> {
    let mut attempt = 1;
    loop {
        grant.issued_at_micros = Timestamp::now().to_micros_since_unix_epoch();
        match reducers::admission_grant(link, &grant).await {
            Err(error)
                if error.code() == Some(RealmError::AdmissionReplayed.code())
                    && attempt < GRANT_ATTEMPTS =>
            {
                attempt += 1;
            }
            result => return result,
        }
    }
}
