//! The reducers a service calls, one function each: the only place that knows argument orders.

use spacetimedb_lib::{Identity, SpacetimeType};

use super::{Args, CallError, Hex, Link};

type Outcome = Result<(), CallError>;

/// What `admission_grant` writes.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The identity of the account's tokens.
    pub identity: Identity,
    /// The account.
    pub account_id: u64,
    /// The session that asked.
    pub session_id: u64,
    /// The account's role, `haven_rules::accounts::Role`.
    pub role: u8,
    /// When the gateway decided, microseconds since 1970.
    pub issued_at_micros: i64,
    /// How long it lasts, seconds.
    pub lifetime_seconds: u32,
}

/// The number a client gave a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandId {
    /// Drawn at random when the client started.
    pub session: u64,
    /// Counts the session's commands.
    pub sequence: u64,
}

/// What a player chose for a new character; what is empty follows from the class.
#[derive(Clone, Debug, SpacetimeType)]
#[sats(crate = spacetimedb_lib)]
pub struct CharacterPlan {
    /// Its name.
    pub name: String,
    /// Key of its race.
    pub race: String,
    /// Key of its class.
    pub class: String,
    /// Key of its background.
    pub background: String,
    /// `haven_rules::characters::creation::Method`, or 0.
    pub method: u8,
    /// Six scores before the race adds to them, from strength to charisma.
    pub scores: Vec<i8>,
    /// Attributes, that with the highest score first.
    pub order: Vec<String>,
    /// Skills of its class.
    pub skills: Vec<String>,
    /// Keys of cantrips and spells.
    pub spells: Vec<String>,
}

/// Creates an account with its first session and refresh token.
pub async fn account_register(
    link: &Link,
    email: &str,
    email_sha256: &Hex,
    password_phc: &str,
    refresh_sha256: &Hex,
    lifetime_seconds: u32,
) -> Outcome {
    let args = Args::new()
        .with(email)
        .with(email_sha256.as_str())
        .with(password_phc)
        .with(refresh_sha256.as_str())
        .with(&lifetime_seconds);
    link.call("account_register", args).await
}

/// Replaces a password and ends the account's other sessions.
pub async fn account_password_set(
    link: &Link,
    account_id: u64,
    password_version: u32,
    password_phc: &str,
    keep_session_id: u64,
) -> Outcome {
    let args = Args::new()
        .with(&account_id)
        .with(&password_version)
        .with(password_phc)
        .with(&keep_session_id);
    link.call("account_password_set", args).await
}

/// Records a login with a wrong password.
pub async fn account_login_refused(link: &Link, account_id: u64) -> Outcome {
    link.call("account_login_refused", Args::new().with(&account_id)).await
}

/// Changes an account's role.
pub async fn account_role_set(link: &Link, account_id: u64, role: u8) -> Outcome {
    link.call("account_role_set", Args::new().with(&account_id).with(&role)).await
}

/// Bans an account or lifts its ban.
pub async fn account_status_set(link: &Link, account_id: u64, status: u8) -> Outcome {
    link.call("account_status_set", Args::new().with(&account_id).with(&status)).await
}

/// Opens a session after the gateway has verified the password of that version.
pub async fn session_open(
    link: &Link,
    account_id: u64,
    password_version: u32,
    refresh_sha256: &Hex,
    lifetime_seconds: u32,
) -> Outcome {
    let args = Args::new()
        .with(&account_id)
        .with(&password_version)
        .with(refresh_sha256.as_str())
        .with(&lifetime_seconds);
    link.call("session_open", args).await
}

/// Exchanges a refresh token. Succeeds also for a spent one, which ends the session: afterwards
/// the new token exists or does not.
pub async fn session_refresh(
    link: &Link,
    spent_sha256: &Hex,
    refresh_sha256: &Hex,
    lifetime_seconds: u32,
) -> Outcome {
    let args = Args::new()
        .with(spent_sha256.as_str())
        .with(refresh_sha256.as_str())
        .with(&lifetime_seconds);
    link.call("session_refresh", args).await
}

/// Ends a session.
pub async fn session_close(link: &Link, session_id: u64) -> Outcome {
    link.call("session_close", Args::new().with(&session_id)).await
}

/// Says what a database is.
pub async fn realm_configure(
    link: &Link,
    realm_id: u16,
    name: &str,
    is_home: bool,
    capacity: u32,
) -> Outcome {
    let args = Args::new().with(&realm_id).with(name).with(&is_home).with(&capacity);
    link.call("realm_configure", args).await
}

/// Adds a realm to the list or changes it.
pub async fn realm_upsert(
    link: &Link,
    realm_id: u16,
    name: &str,
    uri: &str,
    database: &str,
    capacity: u32,
) -> Outcome {
    let args = Args::new().with(&realm_id).with(name).with(uri).with(database).with(&capacity);
    link.call("realm_upsert", args).await
}

/// Closes a realm to players.
pub async fn realm_close(link: &Link, realm_id: u16) -> Outcome {
    link.call("realm_close", Args::new().with(&realm_id)).await
}

/// Opens a realm to players.
pub async fn realm_open(link: &Link, realm_id: u16) -> Outcome {
    link.call("realm_open", Args::new().with(&realm_id)).await
}

/// Tells the home database that a realm answers, and how many play there.
pub async fn realm_heartbeat(link: &Link, realm_id: u16, population: u32) -> Outcome {
    link.call("realm_heartbeat", Args::new().with(&realm_id).with(&population)).await
}

/// Does what a newly published module needs.
pub async fn realm_upgrade(link: &Link) -> Outcome {
    link.call("realm_upgrade", Args::new()).await
}

/// Admits an identity to a realm.
pub async fn admission_grant(link: &Link, grant: &Grant) -> Outcome {
    let args = Args::new()
        .with(&grant.identity)
        .with(&grant.account_id)
        .with(&grant.session_id)
        .with(&grant.role)
        .with(&grant.issued_at_micros)
        .with(&grant.lifetime_seconds);
    link.call("admission_grant", args).await
}

/// Takes back what a session was admitted with.
pub async fn admission_revoke(link: &Link, session_id: u64) -> Outcome {
    link.call("admission_revoke", Args::new().with(&session_id)).await
}

/// Takes back what an account was admitted with, except for one session.
pub async fn admission_revoke_account(
    link: &Link,
    account_id: u64,
    keep_session_id: u64,
) -> Outcome {
    let args = Args::new().with(&account_id).with(&keep_session_id);
    link.call("admission_revoke_account", args).await
}

/// Makes a character with what its class has use for.
pub async fn character_create(
    link: &Link,
    account_id: u64,
    name: &str,
    race: &str,
    class: &str,
) -> Outcome {
    let args = Args::new().with(&account_id).with(name).with(race).with(class);
    link.call("character_create", args).await
}

/// Makes a character of what its player chose.
pub async fn character_make(link: &Link, account_id: u64, plan: &CharacterPlan) -> Outcome {
    link.call("character_make", Args::new().with(&account_id).with(plan)).await
}

/// Makes a character, once for all calls under that number of the account.
pub async fn character_make_once(
    link: &Link,
    account_id: u64,
    plan: &CharacterPlan,
    command: CommandId,
) -> Outcome {
    let args = Args::new().with(&account_id).with(plan);
    let args = args.with(&command.session).with(&command.sequence);
    link.call("character_make_once", args).await
}

/// Deletes a character; it can be restored for a while.
pub async fn character_delete(link: &Link, account_id: u64, character_id: u64) -> Outcome {
    link.call("character_delete", Args::new().with(&account_id).with(&character_id)).await
}

/// Restores a deleted character.
pub async fn character_restore(link: &Link, account_id: u64, character_id: u64) -> Outcome {
    link.call("character_restore", Args::new().with(&account_id).with(&character_id)).await
}
