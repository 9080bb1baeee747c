//! Who is calling, and what they may. The one place where callers are checked; fails closed.
//!
//! Keeps true: without an owner row, an admission or a connection row the answer is no.

use crate::{Refusal, now_micros};
use haven_rules::accounts::{AccountError, Permission, Role};
use haven_rules::realms::{RealmError, check_admission};
use haven_tables::realms::{Admission, admission, realm_connection, realm_notice, realm_owner};
use spacetimedb::ReducerContext;

/// A caller who holds a permission.
#[derive(Clone, Copy)]
pub(crate) struct Actor {
    /// 0 for the owner and gateways that connect as the owner.
    pub account_id: u64,
    /// Roles below this may be given and taken: the caller's own, or above all for the owner.
    pub rank: u8,
}

/// The account on whose behalf a player calls.
#[derive(Clone, Copy)]
pub(crate) struct Player {
    /// The admitted account.
    pub account_id: u64,
}

fn is_owner(ctx: &ReducerContext) -> bool {
    let owner = ctx.db.realm_owner().singleton_id().find(0);
    owner.is_some_and(|owner| owner.identity == ctx.sender)
}

/// The database's owner.
///
/// # Errors
/// `account.permission_denied` for everybody else.
pub(crate) fn require_owner(ctx: &ReducerContext) -> Result<(), Refusal> {
    if is_owner(ctx) { Ok(()) } else { Err(AccountError::PermissionDenied.into()) }
}

/// A caller whose role holds the permission; the owner holds all.
///
/// # Errors
/// In this order: the admission's, then `account.permission_denied`.
pub(crate) fn require(ctx: &ReducerContext, permission: Permission) -> Result<Actor, Refusal> {
    if is_owner(ctx) {
        return Ok(Actor { account_id: 0, rank: u8::MAX });
    }
    let admission = admitted(ctx)?;
    match Role::from_code(admission.role) {
        Some(role) if role.may(permission) => {
            Ok(Actor { account_id: admission.account_id, rank: role.code() })
        }
        Some(_) | None => Err(AccountError::PermissionDenied.into()),
    }
}

/// The database itself, calling a scheduled reducer.
///
/// # Errors
/// `realm.database_only` for every client, the owner included.
pub(crate) fn require_database(ctx: &ReducerContext) -> Result<(), Refusal> {
    if ctx.sender == ctx.identity() && ctx.connection_id.is_none() {
        Ok(())
    } else {
        Err(RealmError::DatabaseOnly.into())
    }
}

/// The admission of the caller, if it holds now.
///
/// # Errors
/// In this order: `realm.not_admitted`, `realm.admission_revoked`, `realm.admission_expired`.
pub(crate) fn admitted(ctx: &ReducerContext) -> Result<Admission, Refusal> {
    let admission = ctx.db.admission().identity().find(ctx.sender);
    let admission = admission.ok_or(RealmError::NotAdmitted)?;
    check_admission(now_micros(ctx), admission.expires_at_micros, admission.revoked)?;
    Ok(admission)
}

/// An admitted player on the connection that speaks for the account.
///
/// # Errors
/// In this order: those of [`admitted`]; `realm.not_admitted` when the admission that the
/// connection was made under has ended; `realm.taken_over`, by another connection or session;
/// `realm.read_only`.
pub(crate) fn require_player(ctx: &ReducerContext) -> Result<Player, Refusal> {
    let admission = admitted(ctx)?;
    let connection = ctx.db.realm_connection().identity().find(ctx.sender);
    let connection = connection.ok_or(RealmError::NotAdmitted)?;
    let speaks = (Some(connection.connection_id), connection.session_id)
        == (ctx.connection_id, admission.session_id);
    if !speaks {
        return Err(RealmError::TakenOver.into());
    }
    require_room(ctx)?;
    Ok(Player { account_id: admission.account_id })
}

/// That the disk has room for what somebody wants to change.
///
/// # Errors
/// `realm.read_only`.
pub(crate) fn require_room(ctx: &ReducerContext) -> Result<(), RealmError> {
    let notice = ctx.db.realm_notice().singleton_id().find(0);
    if notice.is_some_and(|row| row.is_read_only) { Err(RealmError::ReadOnly) } else { Ok(()) }
}

/// Whether the caller may connect at all: the owner, or an admitted account.
///
/// # Errors
/// Those of [`admitted`].
pub(crate) fn may_connect(ctx: &ReducerContext) -> Result<Option<Admission>, Refusal> {
    if is_owner(ctx) { Ok(None) } else { admitted(ctx).map(Some) }
}
