//! Realms: what this database is, the realm list, who is admitted and who is connected.
//!
//! Keeps true: nobody connects without an admission, and one connection speaks for an account.
//! Capacity is checked where a character enters the world.

use crate::authority::{may_connect, require, require_database, require_owner};
use crate::{Refusal, audit, characters, now_micros};
use haven_rules::accounts::{AccountError, Permission, Role};
use haven_rules::realms::{
    RealmError, admission_ends_at_micros, validate_capacity, validate_realm,
    validate_realm_identity,
};
use haven_tables::realms::{
    AccountViewer, Admission, Realm, RealmConfig, RealmConnection, RealmNotice, RealmOwner,
    RealmPopulation, account_viewer, admission, realm, realm_config, realm_connection,
    realm_notice, realm_owner, realm_population,
};
use spacetimedb::{Identity, ReducerContext, ScheduleAt, Table, Timestamp, reducer, table};
use std::time::Duration;

/// How often expired admissions are swept, and their holders taken out of the world.
const SWEEP_INTERVAL: Duration = Duration::from_secs(10);
/// Most admissions one sweep removes.
const SWEEP_ROWS_MAX: usize = 500;

/// The timer of [`admission_sweep()`].
#[table(name = admission_sweep_timer, scheduled(admission_sweep))]
pub struct AdmissionSweepTimer {
    /// The timer's number.
    #[primary_key]
    #[auto_inc]
    pub scheduled_id: u64,
    /// When it fires.
    pub scheduled_at: ScheduleAt,
}

pub(crate) fn ensure_timers(ctx: &ReducerContext) {
    if ctx.db.admission_sweep_timer().count() == 0 {
        let scheduled_at = SWEEP_INTERVAL.into();
        ctx.db
            .admission_sweep_timer()
            .insert(AdmissionSweepTimer { scheduled_id: 0, scheduled_at });
    }
}

/// The database is made: its maker owns it, its timers run, nobody is admitted.
pub fn on_init(ctx: &ReducerContext) {
    ctx.db.realm_owner().insert(RealmOwner { singleton_id: 0, identity: ctx.sender });
    crate::ensure_timers(ctx);
}

/// A client connects: it becomes the one that speaks for its account.
///
/// # Errors
/// In this order: `realm.not_admitted`, `realm.admission_revoked`, `realm.admission_expired`.
pub fn on_connected(ctx: &ReducerContext) -> Result<(), Refusal> {
    let Some(admission) = may_connect(ctx)? else { return Ok(()) };
    let Some(connection_id) = ctx.connection_id else { return Ok(()) };
    let known = ctx.db.realm_connection().account_id().find(admission.account_id);
    let same =
        |row: &RealmConnection| (row.identity, row.connection_id) == (ctx.sender, connection_id);
    let sockets = known.filter(same).map_or(1, |row| row.sockets.saturating_add(1));
    ctx.db.realm_connection().account_id().delete(admission.account_id);
    ctx.db.realm_connection().insert(RealmConnection {
        identity: ctx.sender,
        account_id: admission.account_id,
        session_id: admission.session_id,
        connection_id,
        sockets,
        connected_at: ctx.timestamp,
    });
    Ok(())
}

/// A client disconnects: its character leaves the world, unless another connection took over.
pub fn on_disconnected(ctx: &ReducerContext) {
    let connection = ctx.db.realm_connection().identity().find(ctx.sender);
    let current = connection.filter(|row| Some(row.connection_id) == ctx.connection_id);
    let Some(row) = current else { return };
    if row.sockets > 1 {
        let sockets = row.sockets - 1;
        ctx.db.realm_connection().identity().update(RealmConnection { sockets, ..row });
    } else {
        ctx.db.realm_connection().identity().delete(ctx.sender);
        characters::take_out(ctx, row.account_id);
    }
}

/// Says what this database is. Owner only; saying the same again changes nothing.
///
/// # Errors
/// In this order: `account.permission_denied`, `realm.id_invalid`, `realm.name_invalid`,
/// `realm.capacity_invalid`.
#[reducer]
pub fn realm_configure(
    ctx: &ReducerContext,
    realm_id: u16,
    name: String,
    is_home: bool,
    capacity: u32,
) -> Result<(), Refusal> {
    require_owner(ctx)?;
    validate_realm_identity(realm_id, &name)?;
    validate_capacity(capacity)?;
    let known = ctx.db.realm_config().singleton_id().find(0);
    let same = known.as_ref().is_some_and(|row| {
        (row.realm_id, row.is_home, row.capacity) == (realm_id, is_home, capacity)
            && row.name == name
    });
    if same {
        return Ok(());
    }
    audit::record(ctx, 0, 0, "realm_configured", &format!("{realm_id} {name}"));
    let configured_at = ctx.timestamp;
    let row = RealmConfig { singleton_id: 0, realm_id, is_home, capacity, name, configured_at };
    if known.is_some() {
        ctx.db.realm_config().singleton_id().update(row);
    } else {
        ctx.db.realm_config().insert(row);
        ctx.db.realm_population().insert(RealmPopulation {
            singleton_id: 0,
            online: 0,
            changed_at: ctx.timestamp,
        });
    }
    Ok(())
}

/// Has players' calls refused while the disk is nearly full, or no longer; the same again changes
/// nothing. Owner only: the database's host calls it.
///
/// # Errors
/// `account.permission_denied`.
#[reducer]
pub fn realm_read_only_set(ctx: &ReducerContext, read_only: bool) -> Result<(), Refusal> {
    require_owner(ctx)?;
    let known = ctx.db.realm_notice().singleton_id().find(0).is_some();
    if known == read_only {
        return Ok(());
    }
    if read_only {
        ctx.db.realm_notice().insert(RealmNotice {
            singleton_id: 0,
            is_read_only: true,
            text: RealmError::ReadOnly.text().to_owned(),
            since: ctx.timestamp,
        });
    } else {
        ctx.db.realm_notice().singleton_id().delete(0);
    }
    let action = if read_only { "realm_read_only" } else { "realm_writable" };
    audit::record(ctx, 0, 0, action, "");
    Ok(())
}

/// Makes what a new version of the module needs. Owner only; called after every publish.
///
/// # Errors
/// `account.permission_denied`.
#[reducer]
pub fn realm_upgrade(ctx: &ReducerContext) -> Result<(), Refusal> {
    require_owner(ctx)?;
    crate::ensure_timers(ctx);
    Ok(())
}

/// Adds a realm to the list, or changes it; the same again changes nothing. For staff.
///
/// # Errors
/// In this order: the caller's, `realm.id_invalid`, `realm.name_invalid`, `realm.uri_invalid`,
/// `realm.database_invalid`, `realm.capacity_invalid`, `realm.name_taken`.
#[reducer]
pub fn realm_upsert(
    ctx: &ReducerContext,
    realm_id: u16,
    name: String,
    uri: String,
    database: String,
    capacity: u32,
) -> Result<(), Refusal> {
    let actor = require(ctx, Permission::ManageRealms)?;
    validate_realm(realm_id, &name, &uri, &database, capacity)?;
    let namesake = ctx.db.realm().name().find(&name);
    if namesake.is_some_and(|row| row.realm_id != realm_id) {
        return Err(RealmError::NameTaken.into());
    }
    let detail = format!("{realm_id} {name}");
    if let Some(row) = ctx.db.realm().realm_id().find(realm_id) {
        let same = (&row.name, &row.uri, &row.database) == (&name, &uri, &database)
            && row.capacity == capacity;
        if same {
            return Ok(());
        }
        audit::record(ctx, actor.account_id, 0, "realm_changed", &detail);
        ctx.db.realm().realm_id().update(Realm { name, uri, database, capacity, ..row });
    } else {
        audit::record(ctx, actor.account_id, 0, "realm_added", &detail);
        ctx.db.realm().insert(Realm {
            realm_id,
            closed: false,
            capacity,
            population: 0,
            name,
            uri,
            database,
            created_at: ctx.timestamp,
            heartbeat_at: Timestamp::UNIX_EPOCH,
        });
    }
    Ok(())
}

/// Closes a realm to players who are not in it. For staff.
///
/// # Errors
/// In this order: the caller's, `realm.unknown`.
#[reducer]
pub fn realm_close(ctx: &ReducerContext, realm_id: u16) -> Result<(), Refusal> {
    set_closed(ctx, realm_id, true)
}

/// Opens a closed realm. For staff.
///
/// # Errors
/// In this order: the caller's, `realm.unknown`.
#[reducer]
pub fn realm_open(ctx: &ReducerContext, realm_id: u16) -> Result<(), Refusal> {
    set_closed(ctx, realm_id, false)
}

fn set_closed(ctx: &ReducerContext, realm_id: u16, closed: bool) -> Result<(), Refusal> {
    let actor = require(ctx, Permission::ManageRealms)?;
    let row = ctx.db.realm().realm_id().find(realm_id).ok_or(RealmError::Unknown)?;
    let action = if closed { "realm_closed" } else { "realm_opened" };
    audit::record(ctx, actor.account_id, 0, action, &realm_id.to_string());
    ctx.db.realm().realm_id().update(Realm { closed, ..row });
    Ok(())
}

/// Reports that a realm's database answers, and how many play there. For gateways.
///
/// # Errors
/// In this order: the caller's, `realm.unknown`.
#[reducer]
pub fn realm_heartbeat(
    ctx: &ReducerContext,
    realm_id: u16,
    population: u32,
) -> Result<(), Refusal> {
    require(ctx, Permission::Serve)?;
    let row = ctx.db.realm().realm_id().find(realm_id).ok_or(RealmError::Unknown)?;
    let heartbeat_at = ctx.timestamp;
    ctx.db.realm().realm_id().update(Realm { population, heartbeat_at, ..row });
    Ok(())
}

/// Admits a player to this realm, or renews the admission. For gateways. If the identity was
/// another account's, that one's character leaves the world.
///
/// `issued_at_micros` is the gateway's clock, microseconds since 1970, at most 60 s off;
/// `lifetime_seconds` is 1 to 3600.
///
/// # Errors
/// In this order: the caller's, `account.role_invalid`, `realm.admission_invalid`,
/// `realm.admission_replayed`.
#[reducer]
pub fn admission_grant(
    ctx: &ReducerContext,
    identity: Identity,
    account_id: u64,
    session_id: u64,
    role: u8,
    issued_at_micros: i64,
    lifetime_seconds: u32,
) -> Result<(), Refusal> {
    require(ctx, Permission::Serve)?;
    let role = Role::from_code(role).ok_or(AccountError::RoleInvalid)?.code();
    let last = ctx.db.admission().identity().find(identity);
    let expires_at_micros = admission_ends_at_micros(
        now_micros(ctx),
        issued_at_micros,
        lifetime_seconds,
        last.as_ref().map(|row| row.issued_at_micros),
    )?;
    let row = Admission {
        identity,
        account_id,
        session_id,
        issued_at_micros,
        expires_at_micros,
        role,
        revoked: false,
    };
    if let Some(before) = last {
        ctx.db.admission().identity().update(row);
        if before.account_id != account_id {
            show_out(ctx, identity, before.account_id);
        }
    } else {
        ctx.db.admission().insert(row);
    }
    bind_viewer(ctx, account_id, identity);
    Ok(())
}

/// Whom the account's personal rows are shown to from now on.
fn bind_viewer(ctx: &ReducerContext, account_id: u64, viewer: Identity) {
    let known = ctx.db.account_viewer().account_id().find(account_id);
    let row = AccountViewer { account_id, viewer };
    match known {
        Some(known) if known.viewer == viewer => return,
        Some(_) => {
            ctx.db.account_viewer().account_id().update(row);
        }
        None => {
            ctx.db.account_viewer().insert(row);
        }
    }
    crate::account_rebound(ctx, account_id, viewer);
}

/// Whom the account's personal rows are shown to: nobody while it was never admitted here.
pub(crate) fn viewer_of(ctx: &ReducerContext, account_id: u64) -> Identity {
    let known = ctx.db.account_viewer().account_id().find(account_id);
    known.map_or(Identity::ZERO, |row| row.viewer)
}

/// Takes back what a session holds; its character leaves the world. For gateways.
///
/// # Errors
/// The caller's.
#[reducer]
pub fn admission_revoke(ctx: &ReducerContext, session_id: u64) -> Result<(), Refusal> {
    require(ctx, Permission::Serve)?;
    revoke_session(ctx, session_id);
    Ok(())
}

/// Takes back what an account holds through any session but one; 0 keeps none. For gateways.
///
/// # Errors
/// The caller's.
#[reducer]
pub fn admission_revoke_account(
    ctx: &ReducerContext,
    account_id: u64,
    keep_session_id: u64,
) -> Result<(), Refusal> {
    require(ctx, Permission::Serve)?;
    let held: Vec<Admission> = ctx
        .db
        .admission()
        .by_account()
        .filter(account_id)
        .filter(|row| row.session_id != keep_session_id)
        .collect();
    for row in held {
        revoke(ctx, row);
    }
    let connection = ctx.db.realm_connection().account_id().find(account_id);
    if let Some(row) = connection.filter(|row| row.session_id != keep_session_id) {
        show_out(ctx, row.identity, account_id);
    }
    Ok(())
}

/// Removes expired admissions, at most `SWEEP_ROWS_MAX` a run; who still relies on one leaves.
///
/// # Errors
/// `realm.database_only` for clients.
#[reducer]
pub fn admission_sweep(ctx: &ReducerContext, _timer: AdmissionSweepTimer) -> Result<(), Refusal> {
    require_database(ctx)?;
    let expired: Vec<Admission> = ctx
        .db
        .admission()
        .by_expires_at()
        .filter(..=now_micros(ctx))
        .take(SWEEP_ROWS_MAX)
        .collect();
    for row in expired {
        ctx.db.admission().identity().delete(row.identity);
        show_out(ctx, row.identity, row.account_id);
    }
    Ok(())
}

/// Takes back what a session holds in this realm.
pub(crate) fn revoke_session(ctx: &ReducerContext, session_id: u64) {
    let held: Vec<Admission> = ctx.db.admission().by_session().filter(session_id).collect();
    for row in held {
        revoke(ctx, row);
    }
    let connected: Vec<RealmConnection> =
        ctx.db.realm_connection().by_session().filter(session_id).collect();
    for row in connected {
        show_out(ctx, row.identity, row.account_id);
    }
}

/// Carries a new role into the admissions an account holds here.
pub(crate) fn set_admitted_role(ctx: &ReducerContext, account_id: u64, role: u8) {
    let held: Vec<Admission> = ctx.db.admission().by_account().filter(account_id).collect();
    for row in held {
        ctx.db.admission().identity().update(Admission { role, ..row });
    }
}

fn revoke(ctx: &ReducerContext, row: Admission) {
    let (identity, account_id) = (row.identity, row.account_id);
    ctx.db.admission().identity().update(Admission { revoked: true, ..row });
    show_out(ctx, identity, account_id);
}

/// Ends what an identity's connection could do, if it speaks for that account. The socket stays
/// open: it can still read.
fn show_out(ctx: &ReducerContext, identity: Identity, account_id: u64) {
    let connection = ctx.db.realm_connection().identity().find(identity);
    if connection.is_some_and(|row| row.account_id == account_id) {
        ctx.db.realm_connection().identity().delete(identity);
        characters::take_out(ctx, account_id);
    }
}

/// This database's configuration.
///
/// # Errors
/// `realm.not_configured`.
pub(crate) fn config(ctx: &ReducerContext) -> Result<RealmConfig, RealmError> {
    ctx.db.realm_config().singleton_id().find(0).ok_or(RealmError::NotConfigured)
}

/// Counts one more character into the world.
///
/// # Errors
/// In this order: `realm.not_configured`, `realm.full`.
pub(crate) fn count_in(ctx: &ReducerContext) -> Result<(), RealmError> {
    let config = config(ctx)?;
    let row = ctx.db.realm_population().singleton_id().find(0).ok_or(RealmError::NotConfigured)?;
    if row.online >= config.capacity {
        return Err(RealmError::Full);
    }
    set_online(ctx, row.online + 1);
    Ok(())
}

/// Counts one character out of the world.
pub(crate) fn count_out(ctx: &ReducerContext) {
    if let Some(row) = ctx.db.realm_population().singleton_id().find(0) {
        set_online(ctx, row.online.saturating_sub(1));
    }
}

fn set_online(ctx: &ReducerContext, online: u32) {
    let changed_at = ctx.timestamp;
    let row = RealmPopulation { singleton_id: 0, online, changed_at };
    ctx.db.realm_population().singleton_id().update(row);
}
