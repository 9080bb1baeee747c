//! Accounts, sessions and refresh tokens: the home database's part of logging in.
//!
//! The gateway hashes passwords and tokens; what arrives here is what is stored. Keeps true: an
//! ended session has no row and no tokens, and a token is exchanged at most once.

use crate::authority::{require, require_database, require_room};
use crate::sequences;
use crate::{Refusal, audit, combat, now_micros, realms};
use haven_rules::accounts::{
    AccountError, AccountStatus, Permission, Role, check_status, normalize_email,
    session_ends_at_micros, validate_digest, validate_password_phc,
};
use haven_rules::sequences::Numbered;
use haven_tables::accounts::{
    Account, AccountSession, RefreshToken, account, account_session, refresh_token,
};
use spacetimedb::{ReducerContext, ScheduleAt, Table, reducer, table};
use std::time::Duration;

/// Most sessions an account may have; one more ends the oldest.
pub const SESSIONS_PER_ACCOUNT_MAX: usize = 16;
/// How many refresh tokens of a session are kept, so that the reuse of a spent one is detected.
pub const TOKENS_KEPT_PER_SESSION: usize = 32;
/// How often expired sessions are swept.
const SWEEP_INTERVAL: Duration = Duration::from_mins(1);
/// Most sessions one sweep removes.
const SWEEP_ROWS_MAX: usize = 500;

/// The timer of [`session_sweep()`].
#[table(name = session_sweep_timer, scheduled(session_sweep))]
pub struct SessionSweepTimer {
    /// The timer's number.
    #[primary_key]
    #[auto_inc]
    pub scheduled_id: u64,
    /// When it fires.
    pub scheduled_at: ScheduleAt,
}

pub(crate) fn ensure_timers(ctx: &ReducerContext) {
    if ctx.db.session_sweep_timer().count() == 0 {
        let scheduled_at = SWEEP_INTERVAL.into();
        ctx.db.session_sweep_timer().insert(SessionSweepTimer { scheduled_id: 0, scheduled_at });
    }
}

/// Registers an account and opens its first session. For gateways.
///
/// `email_sha256` and `refresh_sha256` are 64 lower-case hex digits, `password_phc` an argon2id
/// hash, `lifetime_seconds` 60 to 34,560,000.
///
/// # Errors
/// In this order: the caller's, `realm.read_only`, `account.email_invalid`,
/// `account.digest_invalid`, `account.password_hash_invalid`, `session.lifetime_invalid`,
/// `account.email_taken`, `session.token_taken`.
#[reducer]
pub fn account_register(
    ctx: &ReducerContext,
    email: String,
    email_sha256: String,
    password_phc: String,
    refresh_sha256: String,
    lifetime_seconds: u32,
) -> Result<(), Refusal> {
    require(ctx, Permission::Serve)?;
    require_room(ctx)?;
    if normalize_email(&email)? != email {
        return Err(AccountError::EmailInvalid.into());
    }
    validate_digest(&email_sha256)?;
    validate_digest(&refresh_sha256)?;
    validate_password_phc(&password_phc)?;
    session_ends_at_micros(now_micros(ctx), lifetime_seconds)?;
    if ctx.db.account().email_sha256().find(&email_sha256).is_some() {
        return Err(AccountError::EmailTaken.into());
    }
    let account = ctx.db.account().insert(Account {
        account_id: sequences::next(ctx, Numbered::Account),
        email_sha256,
        email,
        password_phc,
        password_version: 1,
        status: AccountStatus::Active.code(),
        role: Role::Player.code(),
        created_at: ctx.timestamp,
        last_login_at: ctx.timestamp,
    });
    open_session(ctx, account.account_id, refresh_sha256, lifetime_seconds)?;
    audit::record(ctx, 0, account.account_id, "account_registered", "");
    Ok(())
}

/// Opens a session after the gateway has verified the password of that version. For gateways.
///
/// # Errors
/// In this order: the caller's, `realm.read_only`, `account.digest_invalid`, `account.unknown`,
/// `account.bad_credentials` when the password was changed since, `account.banned`,
/// `session.lifetime_invalid`, `session.token_taken`.
#[reducer]
pub fn session_open(
    ctx: &ReducerContext,
    account_id: u64,
    password_version: u32,
    refresh_sha256: String,
    lifetime_seconds: u32,
) -> Result<(), Refusal> {
    require(ctx, Permission::Serve)?;
    require_room(ctx)?;
    validate_digest(&refresh_sha256)?;
    let account = find(ctx, account_id)?;
    if account.password_version != password_version {
        return Err(AccountError::BadCredentials.into());
    }
    check_status(account.status)?;
    open_session(ctx, account_id, refresh_sha256, lifetime_seconds)?;
    let last_login_at = ctx.timestamp;
    ctx.db.account().account_id().update(Account { last_login_at, ..account });
    audit::record(ctx, 0, account_id, "login", "");
    Ok(())
}

/// Records that a login was refused. For gateways, which bound how often an account can be tried.
///
/// # Errors
/// In this order: the caller's, `account.unknown`.
#[reducer]
pub fn account_login_refused(ctx: &ReducerContext, account_id: u64) -> Result<(), Refusal> {
    require(ctx, Permission::Serve)?;
    find(ctx, account_id)?;
    audit::record(ctx, 0, account_id, "login_refused", "");
    Ok(())
}

/// Exchanges a refresh token for the next one. For gateways.
///
/// A spent token ends its session, and the call succeeds, because an error would undo that: the new
/// token then does not exist, which is how the gateway tells.
///
/// # Errors
/// In this order: the caller's, `account.digest_invalid`, `session.lifetime_invalid`,
/// `session.unknown`, `account.banned`, `session.token_taken`.
#[reducer]
pub fn session_refresh(
    ctx: &ReducerContext,
    spent_sha256: String,
    refresh_sha256: String,
    lifetime_seconds: u32,
) -> Result<(), Refusal> {
    require(ctx, Permission::Serve)?;
    validate_digest(&spent_sha256)?;
    validate_digest(&refresh_sha256)?;
    let now = now_micros(ctx);
    let expires_at_micros = session_ends_at_micros(now, lifetime_seconds)?;
    let token = ctx.db.refresh_token().token_sha256().find(&spent_sha256);
    let token = token.ok_or(AccountError::SessionUnknown)?;
    let session = ctx.db.account_session().session_id().find(token.session_id);
    let session = session
        .filter(|session| session.expires_at_micros > now)
        .ok_or(AccountError::SessionUnknown)?;
    if token.spent_at.is_some() {
        audit::record(ctx, 0, session.account_id, "refresh_reused", "");
        end_session(ctx, session.session_id);
        return Ok(());
    }
    check_status(find(ctx, session.account_id)?.status)?;
    issue_token(ctx, session.session_id, refresh_sha256)?;
    let spent_at = Some(ctx.timestamp);
    ctx.db.refresh_token().token_sha256().update(RefreshToken { spent_at, ..token });
    let refreshed_at = ctx.timestamp;
    ctx.db.account_session().session_id().update(AccountSession {
        expires_at_micros,
        refreshed_at,
        ..session
    });
    Ok(())
}

/// Ends a session: its tokens, and its admission to this realm. For gateways.
///
/// # Errors
/// In this order: the caller's, `session.unknown`.
#[reducer]
pub fn session_close(ctx: &ReducerContext, session_id: u64) -> Result<(), Refusal> {
    require(ctx, Permission::Serve)?;
    let session = ctx.db.account_session().session_id().find(session_id);
    let session = session.ok_or(AccountError::SessionUnknown)?;
    end_session(ctx, session_id);
    audit::record(ctx, 0, session.account_id, "logout", "");
    Ok(())
}

/// Sets a new password hash and ends all other sessions of the account. For gateways, which call
/// `admission_revoke_account` next: a transaction with a hash among its arguments touches no row
/// that players can see.
///
/// # Errors
/// In this order: the caller's, `account.password_hash_invalid`, `account.unknown`,
/// `account.bad_credentials` when the password was changed since.
#[reducer]
pub fn account_password_set(
    ctx: &ReducerContext,
    account_id: u64,
    password_version: u32,
    password_phc: String,
    keep_session_id: u64,
) -> Result<(), Refusal> {
    require(ctx, Permission::Serve)?;
    validate_password_phc(&password_phc)?;
    let account = find(ctx, account_id)?;
    if account.password_version != password_version {
        return Err(AccountError::BadCredentials.into());
    }
    let password_version = password_version.wrapping_add(1);
    ctx.db.account().account_id().update(Account { password_phc, password_version, ..account });
    for session_id in sessions_of(ctx, account_id, keep_session_id) {
        delete_session(ctx, session_id);
    }
    audit::record(ctx, 0, account_id, "password_changed", "");
    Ok(())
}

/// Sets an account's role. For staff: only roles below one's own can be given or taken.
///
/// # Errors
/// In this order: the caller's, `account.role_invalid`, `account.unknown`,
/// `account.permission_denied`.
#[reducer]
pub fn account_role_set(ctx: &ReducerContext, account_id: u64, role: u8) -> Result<(), Refusal> {
    let actor = require(ctx, Permission::SetRole)?;
    let role = Role::from_code(role).ok_or(AccountError::RoleInvalid)?.code();
    let account = find(ctx, account_id)?;
    if role >= actor.rank || account.role >= actor.rank {
        return Err(AccountError::PermissionDenied.into());
    }
    let detail = format!("{} -> {role}", account.role);
    audit::record(ctx, actor.account_id, account_id, "role_set", &detail);
    ctx.db.account().account_id().update(Account { role, ..account });
    realms::set_admitted_role(ctx, account_id, role);
    Ok(())
}

/// Bans an account, which ends its sessions, or lifts its ban. For staff, on roles below one's own.
///
/// # Errors
/// In this order: the caller's, `account.status_invalid`, `account.unknown`,
/// `account.permission_denied`.
#[reducer]
pub fn account_status_set(
    ctx: &ReducerContext,
    account_id: u64,
    status: u8,
) -> Result<(), Refusal> {
    let actor = require(ctx, Permission::SetStatus)?;
    let status = AccountStatus::from_code(status).ok_or(AccountError::StatusInvalid)?;
    let account = find(ctx, account_id)?;
    if account.role >= actor.rank {
        return Err(AccountError::PermissionDenied.into());
    }
    let detail = format!("{} -> {}", account.status, status.code());
    audit::record(ctx, actor.account_id, account_id, "status_set", &detail);
    ctx.db.account().account_id().update(Account { status: status.code(), ..account });
    if status == AccountStatus::Banned {
        for session_id in sessions_of(ctx, account_id, 0) {
            end_session(ctx, session_id);
        }
    }
    Ok(())
}

/// Removes expired sessions and their tokens, at most `SWEEP_ROWS_MAX` a run.
///
/// # Errors
/// `realm.database_only` for clients.
#[reducer]
pub fn session_sweep(ctx: &ReducerContext, _timer: SessionSweepTimer) -> Result<(), Refusal> {
    require_database(ctx)?;
    let expired: Vec<u64> = ctx
        .db
        .account_session()
        .by_expires_at()
        .filter(..=now_micros(ctx))
        .take(SWEEP_ROWS_MAX)
        .map(|session| session.session_id)
        .collect();
    for session_id in expired {
        end_session(ctx, session_id);
    }
    Ok(())
}

fn find(ctx: &ReducerContext, account_id: u64) -> Result<Account, AccountError> {
    ctx.db.account().account_id().find(account_id).ok_or(AccountError::Unknown)
}

fn open_session(
    ctx: &ReducerContext,
    account_id: u64,
    refresh_sha256: String,
    lifetime_seconds: u32,
) -> Result<(), AccountError> {
    let expires_at_micros = session_ends_at_micros(now_micros(ctx), lifetime_seconds)?;
    let mut sessions: Vec<AccountSession> =
        ctx.db.account_session().by_account().filter(account_id).collect();
    sessions.sort_by_key(|session| (session.refreshed_at, session.session_id));
    let surplus = (sessions.len() + 1).saturating_sub(SESSIONS_PER_ACCOUNT_MAX);
    for session in sessions.iter().take(surplus) {
        delete_session(ctx, session.session_id);
    }
    let session = ctx.db.account_session().insert(AccountSession {
        session_id: sequences::next(ctx, Numbered::AccountSession),
        account_id,
        expires_at_micros,
        created_at: ctx.timestamp,
        refreshed_at: ctx.timestamp,
    });
    issue_token(ctx, session.session_id, refresh_sha256)
}

fn issue_token(
    ctx: &ReducerContext,
    session_id: u64,
    token_sha256: String,
) -> Result<(), AccountError> {
    if ctx.db.refresh_token().token_sha256().find(&token_sha256).is_some() {
        return Err(AccountError::TokenTaken);
    }
    combat::dice::stir(ctx, token_sha256.as_bytes());
    let mut kept: Vec<RefreshToken> =
        ctx.db.refresh_token().by_session().filter(session_id).collect();
    kept.sort_by_key(|token| token.issued_at);
    let surplus = (kept.len() + 1).saturating_sub(TOKENS_KEPT_PER_SESSION);
    for token in kept.into_iter().take(surplus) {
        ctx.db.refresh_token().token_sha256().delete(token.token_sha256);
    }
    let issued_at = ctx.timestamp;
    ctx.db.refresh_token().insert(RefreshToken {
        token_sha256,
        session_id,
        issued_at,
        spent_at: None,
    });
    Ok(())
}

/// Ends a session: its tokens, and what it holds in this realm.
fn end_session(ctx: &ReducerContext, session_id: u64) {
    delete_session(ctx, session_id);
    realms::revoke_session(ctx, session_id);
}

fn delete_session(ctx: &ReducerContext, session_id: u64) {
    ctx.db.account_session().session_id().delete(session_id);
    ctx.db.refresh_token().by_session().delete(session_id);
}

/// The sessions of an account but one; 0 leaves none out.
fn sessions_of(ctx: &ReducerContext, account_id: u64, keep_session_id: u64) -> Vec<u64> {
    let sessions = ctx.db.account_session().by_account().filter(account_id);
    sessions.map(|row| row.session_id).filter(|id| *id != keep_session_id).collect()
}
