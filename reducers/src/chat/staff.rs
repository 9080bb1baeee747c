//! What staff does: mutes, taking messages back, closing reports, turning limits.
//!
//! Keeps true: each of it is audited in the transaction that does it; whoever is a shadow is not
//! told.

use super::afterwards::{found, remove};
use super::living;
use super::store::{instant, reporter_key};
use crate::authority::require;
use crate::{Refusal, audit, now_micros, realms};
use haven_rules::accounts::Permission;
use haven_rules::chat::bucket::validate_limit;
use haven_rules::chat::text::validate_reason;
use haven_rules::chat::{ChatError, default_limit, muted_until_micros};
use haven_rules::keys::joint_key;
use haven_tables::chat::moderation::{ChatMuted, ChatReported, chat_muted, chat_reported};
use haven_tables::chat::{ChatLimit, chat_limit};
use spacetimedb::{Identity, ReducerContext, Table, reducer};

/// Mutes the account of a character for that long, in place of a mute it has. A shadow goes on
/// speaking, and nobody hears it. For staff.
///
/// # Errors
/// In this order: the caller's, `chat.reason_length`, `chat.text_letters`, `chat.mute_invalid`,
/// `chat.target_unknown`.
#[reducer]
pub fn chat_mute(
    ctx: &ReducerContext,
    name: String,
    seconds: u32,
    is_shadow: bool,
    reason: String,
) -> Result<(), Refusal> {
    let actor = require(ctx, Permission::Moderate)?;
    let reason = validate_reason(&reason)?;
    let ends_at_micros = muted_until_micros(now_micros(ctx), seconds)?;
    let (_, account_id) = living(ctx, &name)?;
    let viewer = if is_shadow { Identity::ZERO } else { realms::viewer_of(ctx, account_id) };
    let detail = format!("{seconds} s: {reason}");
    let end_key = joint_key(instant(ends_at_micros), account_id);
    ctx.db.chat_muted().account_id().delete(account_id);
    ctx.db.chat_muted().insert(ChatMuted {
        account_id,
        end_key,
        viewer,
        ends_at_micros,
        is_shadow,
        reason,
    });
    let action = if is_shadow { "chat_shadow_muted" } else { "chat_muted" };
    audit::record(ctx, actor.account_id, account_id, action, &detail);
    Ok(())
}

/// Ends a mute before its time. For staff.
///
/// # Errors
/// In this order: the caller's, `chat.target_unknown`, `chat.not_muted`.
#[reducer]
pub fn chat_unmute(ctx: &ReducerContext, name: String) -> Result<(), Refusal> {
    let actor = require(ctx, Permission::Moderate)?;
    let (_, account_id) = living(ctx, &name)?;
    let was_muted = ctx.db.chat_muted().account_id().delete(account_id);
    if !was_muted {
        return Err(ChatError::NotMuted.into());
    }
    audit::record(ctx, actor.account_id, account_id, "chat_unmuted", "");
    Ok(())
}

/// Takes a message back, whosever it is. For staff.
///
/// # Errors
/// In this order: the caller's, `chat.reason_length`, `chat.text_letters`, `chat.message_unknown`.
#[reducer]
pub fn chat_message_remove(
    ctx: &ReducerContext,
    message_id: u64,
    reason: String,
) -> Result<(), Refusal> {
    let actor = require(ctx, Permission::Moderate)?;
    let reason = validate_reason(&reason)?;
    let (row, _) = found(ctx, message_id)?;
    let detail = format!("{message_id}: {reason}");
    audit::record(ctx, actor.account_id, row.sender_account_id, "chat_message_removed", &detail);
    remove(ctx, row, actor.account_id);
    Ok(())
}

/// Closes a report with what came of it. For staff.
///
/// # Errors
/// In this order: the caller's, `chat.reason_length`, `chat.text_letters`, `chat.report_unknown`.
#[reducer]
pub fn chat_report_close(
    ctx: &ReducerContext,
    report_id: u64,
    outcome: String,
) -> Result<(), Refusal> {
    let actor = require(ctx, Permission::Moderate)?;
    let outcome = validate_reason(&outcome)?;
    let row = ctx.db.chat_reported().report_id().find(report_id);
    let row = row.filter(|row| !row.is_closed).ok_or(ChatError::ReportUnknown)?;
    let detail = format!("{report_id}: {outcome}");
    audit::record(ctx, actor.account_id, row.sender_account_id, "chat_report_closed", &detail);
    ctx.db.chat_reported().report_id().update(ChatReported {
        reporter_key: reporter_key(row.reporter_account_id, report_id, true),
        is_closed: true,
        outcome,
        ..row
    });
    Ok(())
}

/// Turns how often an account may do something: a kind of chat by its number, 13 reading histories
/// and moving cursors, 14 ruling channels and reading rosters, 15 what is done to messages later,
/// 16 what many hear, of all accounts together. It holds at once. For staff.
///
/// # Errors
/// In this order: the caller's, `chat.kind_unknown`, `chat.limit_invalid`.
#[reducer]
pub fn chat_limit_set(
    ctx: &ReducerContext,
    code: u8,
    burst: u16,
    refill_millis: u32,
) -> Result<(), Refusal> {
    let actor = require(ctx, Permission::Moderate)?;
    default_limit(code).ok_or(ChatError::KindUnknown)?;
    validate_limit(burst, refill_millis)?;
    let row = ChatLimit { code, burst, refill_millis };
    if ctx.db.chat_limit().code().find(code).is_some() {
        ctx.db.chat_limit().code().update(row);
    } else {
        ctx.db.chat_limit().insert(row);
    }
    let detail = format!("{code}: {burst} at once, one more in {refill_millis} ms");
    audit::record(ctx, actor.account_id, 0, "chat_limit_set", &detail);
    Ok(())
}
