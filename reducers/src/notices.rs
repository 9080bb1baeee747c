//! Notices and world events: personal, realm-wide, scheduled.
//!
//! Keeps true: a plan is done in the transaction that moves it to its next time, so it is done once
//! however often its timer fires and whatever stops the process; nobody sees what is for somebody
//! else. World events (`events`) and what is done by the clock (`tick`) have their own files.

mod events;
pub mod tick;

pub use events::{world_event_begin, world_event_end};
pub use tick::notice_tick;

use crate::authority::{require, require_player};
use crate::ordered::{Walk, ranges};
use crate::{Refusal, audit, characters, now_micros, realms, sequences};
use haven_rules::accounts::Permission;
use haven_rules::keys::{joint_key, joint_keys, keys_of, part_of};
use haven_rules::notices::{
    NOTICES_MAX, NoticeError, NoticeKind, PERSONAL_MAX, PLANS_MAX, Wording, read_when,
    validate_lifetime, validate_wording,
};
use haven_rules::sequences::Numbered;
use haven_tables::notices::{
    Notice, NoticeGone, NoticeMark, NoticePersonal, NoticePlan, notice, notice_gone, notice_mark,
    notice_personal, notice_plan,
};
use spacetimedb::{Identity, ReducerContext, Table, reducer};

/// Most marks of a notice that one transaction removes.
const MARKS_MAX: usize = 1_000;
/// Marks that one scan asks for at least, by the numbers of their accounts.
const MARKS_WINDOW: u64 = 1_024;
/// The same at most.
const MARKS_WINDOW_MAX: u64 = 16_384;

/// Publishes a notice for everybody. For staff.
///
/// # Errors
/// In this order: the caller's, `notice.kind_unknown`, `notice.title_length`,
/// `notice.body_length`, `notice.text_letters`, `notice.lifetime_invalid`, `notice.too_many`.
#[reducer]
pub fn notice_publish(
    ctx: &ReducerContext,
    kind: u8,
    title: String,
    body: String,
    lifetime_seconds: u32,
) -> Result<(), Refusal> {
    let actor = require(ctx, Permission::Announce)?;
    let kind = NoticeKind::from_code(kind).ok_or(NoticeError::KindUnknown)?;
    let wording = validate_wording(&title, &body)?;
    validate_lifetime(lifetime_seconds)?;
    if ctx.db.notice().count() >= NOTICES_MAX {
        return Err(NoticeError::TooMany.into());
    }
    audit::record(ctx, actor.account_id, 0, "notice_published", &wording.title);
    publish(ctx, kind.code(), wording, lifetime_seconds, now_micros(ctx));
    Ok(())
}

/// Sends a notice to the account of a character. For staff.
///
/// # Errors
/// In this order: the caller's, `notice.kind_unknown`, `notice.title_length`,
/// `notice.body_length`, `notice.text_letters`, `notice.lifetime_invalid`,
/// `notice.target_unknown`.
#[reducer]
pub fn notice_send(
    ctx: &ReducerContext,
    name: String,
    kind: u8,
    title: String,
    body: String,
    lifetime_seconds: u32,
) -> Result<(), Refusal> {
    let actor = require(ctx, Permission::Announce)?;
    let kind = NoticeKind::from_code(kind).ok_or(NoticeError::KindUnknown)?;
    let wording = validate_wording(&title, &body)?;
    validate_lifetime(lifetime_seconds)?;
    let character = characters::by_name(ctx, &name).ok_or(NoticeError::TargetUnknown)?;
    let account_id = characters::account_of(ctx, character.character_id);
    let account_id = account_id.ok_or(NoticeError::TargetUnknown)?;
    audit::record(ctx, actor.account_id, account_id, "notice_sent", &wording.title);
    tell(ctx, account_id, kind, wording, lifetime_seconds);
    Ok(())
}

/// Plans a notice for everybody: once at `at_micros`, microseconds since 1970, or where that is 0
/// whenever `pattern` says so by the clock of `zone`, until `until_micros`, 0 for ever. For staff.
///
/// # Errors
/// In this order: the caller's, `notice.kind_unknown`, `notice.title_length`,
/// `notice.body_length`, `notice.text_letters`, `notice.lifetime_invalid`, `notice.time_invalid`,
/// `notice.pattern_invalid`, `notice.zone_unknown`, `notice.never_due`, `notice.too_many`.
#[reducer]
#[expect(clippy::too_many_arguments, reason = "a notice and when it is published")]
pub fn notice_schedule(
    ctx: &ReducerContext,
    kind: u8,
    title: String,
    body: String,
    lifetime_seconds: u32,
    at_micros: i64,
    pattern: String,
    zone: String,
    until_micros: i64,
) -> Result<(), Refusal> {
    let actor = require(ctx, Permission::Announce)?;
    let kind = NoticeKind::from_code(kind).ok_or(NoticeError::KindUnknown)?;
    let Wording { title, body } = validate_wording(&title, &body)?;
    validate_lifetime(lifetime_seconds)?;
    let when = read_when(now_micros(ctx), at_micros, (&pattern, &zone), until_micros)?;
    if ctx.db.notice_plan().count() >= PLANS_MAX {
        return Err(NoticeError::TooMany.into());
    }
    let plan_id = sequences::next(ctx, Numbered::Notice);
    let detail = format!("{plan_id} {pattern} {zone}: {title}");
    audit::record(ctx, actor.account_id, 0, "notice_scheduled", &detail);
    let due_at_micros = when.first_at_micros;
    ctx.db.notice_plan().insert(NoticePlan {
        plan_id,
        due_key: joint_key(instant(due_at_micros), plan_id),
        due_at_micros,
        until_micros,
        lifetime_seconds,
        times: 0,
        kind: kind.code(),
        pattern,
        zone,
        title,
        body,
    });
    Ok(())
}

/// Takes back a notice: one that is planned, or one for everybody that is published. For staff.
///
/// # Errors
/// In this order: the caller's, `notice.unknown`.
#[reducer]
pub fn notice_cancel(ctx: &ReducerContext, number: u64) -> Result<(), Refusal> {
    let actor = require(ctx, Permission::Announce)?;
    let was_planned = ctx.db.notice_plan().plan_id().delete(number);
    if !was_planned && !withdraw(ctx, number) {
        return Err(NoticeError::Unknown.into());
    }
    audit::record(ctx, actor.account_id, 0, "notice_cancelled", &number.to_string());
    Ok(())
}

/// Marks a notice as read, one's own or one for everybody; a second time changes nothing.
///
/// # Errors
/// In this order: the caller's, `notice.unknown`.
#[reducer]
pub fn notice_read(ctx: &ReducerContext, notice_id: u64) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    let key = joint_key(player.account_id, notice_id);
    if let Some(row) = ctx.db.notice_personal().notice_key().find(key) {
        if !row.is_read {
            ctx.db.notice_personal().notice_key().update(NoticePersonal { is_read: true, ..row });
        }
        return Ok(());
    }
    ctx.db.notice().notice_id().find(notice_id).ok_or(NoticeError::Unknown)?;
    if ctx.db.notice_mark().mark_key().find(key).is_none() {
        ctx.db.notice_mark().insert(NoticeMark {
            mark_key: key,
            notice_key: joint_key(notice_id, player.account_id),
            viewer: realms::viewer_of(ctx, player.account_id),
            notice_id,
        });
    }
    Ok(())
}

/// Tells an account something; the oldest it was told gives way where it has too many.
pub(crate) fn tell(
    ctx: &ReducerContext,
    account_id: u64,
    kind: NoticeKind,
    Wording { title, body }: Wording,
    lifetime_seconds: u32,
) {
    let own: Vec<u128> = ranges(ctx.db.notice_personal().notice_key())
        .filter(keys_of(account_id))
        .map(|row| row.notice_key)
        .collect();
    let surplus = (own.len() + 1).saturating_sub(PERSONAL_MAX);
    for notice_key in own.into_iter().take(surplus) {
        ctx.db.notice_personal().notice_key().delete(notice_key);
    }
    let now = now_micros(ctx);
    let notice_id = sequences::next(ctx, Numbered::Notice);
    let expires_at_micros = now + i64::from(lifetime_seconds) * 1_000_000;
    ctx.db.notice_personal().insert(NoticePersonal {
        notice_key: joint_key(account_id, notice_id),
        expiry_key: joint_key(instant(expires_at_micros), notice_id),
        viewer: realms::viewer_of(ctx, account_id),
        notice_id,
        published_at_micros: now,
        expires_at_micros,
        kind: kind.code(),
        is_read: false,
        title,
        body,
    });
}

/// Tells an account something, unless it was told so under the same title and has not read it yet:
/// for what others can have told as often as they like.
pub(crate) fn tell_once(
    ctx: &ReducerContext,
    account_id: u64,
    kind: NoticeKind,
    wording: Wording,
    lifetime_seconds: u32,
) {
    let mut own = ranges(ctx.db.notice_personal().notice_key()).filter(keys_of(account_id));
    let is_told =
        own.any(|row| !row.is_read && row.kind == kind.code() && row.title == wording.title);
    if !is_told {
        tell(ctx, account_id, kind, wording, lifetime_seconds);
    }
}

/// Shows everybody a notice that was due then. It lives from now on, however late it is.
fn publish(
    ctx: &ReducerContext,
    kind: u8,
    Wording { title, body }: Wording,
    lifetime_seconds: u32,
    due_at_micros: i64,
) {
    let now = now_micros(ctx);
    let notice_id = sequences::next(ctx, Numbered::Notice);
    let expires_at_micros = now + i64::from(lifetime_seconds) * 1_000_000;
    ctx.db.notice().insert(Notice {
        notice_id,
        expiry_key: joint_key(instant(expires_at_micros), notice_id),
        due_at_micros,
        published_at_micros: now,
        expires_at_micros,
        audience: 0,
        kind,
        title,
        body,
    });
}

/// Takes a notice for everybody away, and as many of its marks as one transaction should; whether
/// there was one.
fn withdraw(ctx: &ReducerContext, notice_id: u64) -> bool {
    let is_gone = ctx.db.notice().notice_id().delete(notice_id);
    if is_gone {
        if let Some(account_id) = remove_marks(ctx, notice_id, 0) {
            ctx.db.notice_gone().insert(NoticeGone { notice_id, account_id });
        }
    }
    is_gone
}

/// Removes marks of a notice that is gone, from an account on; from which on there may be more.
fn remove_marks(ctx: &ReducerContext, notice_id: u64, account_id: u64) -> Option<u64> {
    let walk = Walk::new(account_id, MARKS_WINDOW).up_to(MARKS_WINDOW_MAX);
    let marks: Vec<u128> = walk.rows(MARKS_MAX, |accounts| {
        let rows = ranges(ctx.db.notice_mark().notice_key());
        rows.filter(joint_keys(notice_id, &accounts)).map(|row| row.notice_key).collect()
    });
    for notice_key in &marks {
        ctx.db.notice_mark().notice_key().delete(*notice_key);
    }
    let last = marks.last().filter(|_| marks.len() == MARKS_MAX)?;
    part_of(*last).checked_add(1)
}

/// An instant as the upper half of a key.
fn instant(micros: i64) -> u64 {
    u64::try_from(micros).unwrap_or(0)
}

pub(crate) fn ensure_timers(ctx: &ReducerContext) {
    tick::ensure_timers(ctx);
}

pub(crate) fn character_entered(_ctx: &ReducerContext, _account_id: u64, _character_id: u64) {}

pub(crate) fn character_purged(_ctx: &ReducerContext, _account_id: u64, _character_id: u64) {}

pub(crate) fn account_rebound(ctx: &ReducerContext, account_id: u64, viewer: Identity) {
    let own: Vec<NoticePersonal> =
        ranges(ctx.db.notice_personal().notice_key()).filter(keys_of(account_id)).collect();
    for row in own {
        ctx.db.notice_personal().notice_key().update(NoticePersonal { viewer, ..row });
    }
    let marks: Vec<NoticeMark> =
        ranges(ctx.db.notice_mark().mark_key()).filter(keys_of(account_id)).collect();
    for row in marks {
        ctx.db.notice_mark().mark_key().update(NoticeMark { viewer, ..row });
    }
}
