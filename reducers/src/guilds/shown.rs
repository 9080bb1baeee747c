//! What members in the world are shown of their guild: one row each, and pages of lists.
//!
//! Keeps true: only who is a member, and in the world, has rows here; with another rank a member
//! asks for lists anew.

use super::{Own, asking, grant_of, past, rank_row, windows, words};
use crate::ordered::{Walk, ranges};
use crate::{Refusal, characters, friends};
use haven_rules::guilds::log::line_key;
use haven_rules::guilds::ranks::check_right;
use haven_rules::guilds::rights::{Right, has};
use haven_rules::guilds::{List, PAGE_ROWS};
use haven_rules::keys::{joint_key, joint_keys, keys_of, part_of};
use haven_tables::guilds::asking::{guild_ban, guild_invite, guild_request};
use haven_tables::guilds::{
    GuildMember, GuildMembership, GuildMessage, GuildPage, guild_log, guild_member,
    guild_membership, guild_message, guild_page,
};
use spacetimedb::{Identity, ReducerContext, Table, reducer};

/// Lines of the log that one scan of a page asks for at least, by their numbers: all guilds'.
const LOG_WINDOW: u64 = 64;
/// The same at most.
const LOG_WINDOW_MAX: u64 = 65_536;

/// Shows a member who is in the world what there is.
pub(super) fn show(ctx: &ReducerContext, member: &GuildMember) {
    let GuildMember { character_id, guild_id, rank, .. } = *member;
    if !characters::is_present(ctx, character_id) {
        return;
    }
    let grant = grant_of(&rank_row(ctx, guild_id, rank));
    let message = ctx.db.guild_message().guild_id().find(guild_id);
    let (message_at_micros, message_by, message) =
        message.map_or_else(Default::default, |row| (row.at_micros, row.by_name, row.message));
    let row = GuildMembership {
        character_id,
        guild_key: joint_key(guild_id, character_id),
        viewer: characters::viewer_of(ctx, character_id),
        guild_id,
        message_at_micros,
        rights: grant.rights,
        tab_rights: grant.tab_rights,
        message_by,
        message,
    };
    match ctx.db.guild_membership().character_id().find(character_id) {
        Some(known) if known == row => {}
        Some(_) => {
            ctx.db.guild_membership().character_id().update(row);
        }
        None => {
            ctx.db.guild_membership().insert(row);
        }
    }
}

/// Shows a character nothing of its guild any more.
pub(super) fn hide(ctx: &ReducerContext, character_id: u64) {
    ctx.db.guild_membership().character_id().delete(character_id);
    withdraw(ctx, keys_of(character_id));
    windows::close(ctx, character_id);
}

/// A member's rank gives something else than before, or it has another one.
pub(super) fn rank_changed(ctx: &ReducerContext, member: &GuildMember) {
    withdraw(ctx, keys_of(member.character_id));
    show(ctx, member);
    windows::rank_changed(ctx, member.character_id);
}

/// There is another message of the day: all who are in the world are shown it, at most 500.
pub(super) fn message_changed(ctx: &ReducerContext, guild_id: u64) {
    for character_id in super::members_present(ctx, guild_id) {
        if let Some(member) = ctx.db.guild_member().character_id().find(character_id) {
            show(ctx, &member);
        }
    }
}

/// Has a member see a message of the day that nobody else does.
pub(super) fn message_for_itself(ctx: &ReducerContext, character_id: u64, own: GuildMessage) {
    if let Some(row) = ctx.db.guild_membership().character_id().find(character_id) {
        let GuildMessage { at_micros, by_name, message, .. } = own;
        let row =
            GuildMembership { message_at_micros: at_micros, message_by: by_name, message, ..row };
        ctx.db.guild_membership().character_id().update(row);
    }
}

/// A character's rows are shown to somebody else than before.
pub(super) fn rebind(ctx: &ReducerContext, character_id: u64, viewer: Identity) {
    if let Some(row) = ctx.db.guild_membership().character_id().find(character_id) {
        ctx.db.guild_membership().character_id().update(GuildMembership { viewer, ..row });
    }
    let pages = ranges(ctx.db.guild_page().page_key()).filter(keys_of(character_id));
    for row in pages.collect::<Vec<_>>() {
        ctx.db.guild_page().page_key().update(GuildPage { viewer, ..row });
    }
}

fn withdraw(ctx: &ReducerContext, keys: std::ops::RangeInclusive<u128>) {
    let pages = ranges(ctx.db.guild_page().page_key()).filter(keys);
    for key in pages.map(|row| row.page_key).collect::<Vec<_>>() {
        ctx.db.guild_page().page_key().delete(key);
    }
}

/// Shows the caller a page of a list of its guild, as it is now: `guild_page` has at most 50 lines
/// that come after `cursor`, that of the last line seen or 0, in the place of those it had.
///
/// # Errors
/// In this order: the caller's, `guild.not_in_world`, `guild.none`, `guild.too_fast`,
/// `guild.list_unknown`, `guild.right_missing`.
#[reducer]
pub fn guild_list_show(ctx: &ReducerContext, list: u8, cursor: u64) -> Result<(), Refusal> {
    let own = Own::find(ctx)?;
    let list = List::from_code(list)?;
    let rights = own.grant().rights;
    if let Some(right) = list.right() {
        check_right(rights, right)?;
    }
    let first = u64::from(list as u8) << 8;
    let (character_id, viewer) =
        (own.character_id(), characters::viewer_of(ctx, own.character_id()));
    withdraw(ctx, joint_key(character_id, first)..=joint_key(character_id, first | 0xFF));
    let lines = match list {
        List::Notes => notes(ctx, &own, cursor, has(rights, Right::OfficerNotes)),
        List::Log => log(ctx, &own, cursor),
        List::Requests => requests(ctx, &own, cursor),
        List::Invites => invites(ctx, &own, cursor),
        List::Bans => bans(ctx, &own, cursor),
    };
    for (place, line) in (0_u8..).zip(lines) {
        let page_key = joint_key(character_id, first | u64::from(place));
        ctx.db.guild_page().insert(GuildPage { page_key, viewer, place, list: list as u8, ..line });
    }
    Ok(())
}

/// A line about somebody.
fn line(cursor: u64, subject: (u64, String)) -> GuildPage {
    GuildPage {
        page_key: 0,
        viewer: Identity::ZERO,
        cursor,
        at_micros: 0,
        subject_id: subject.0,
        amount: 0,
        list: 0,
        place: 0,
        line: 0,
        tab: 0,
        by_name: String::new(),
        subject: subject.1,
        text: String::new(),
        officer_text: String::new(),
    }
}

fn notes(ctx: &ReducerContext, own: &Own, cursor: u64, is_officer: bool) -> Vec<GuildPage> {
    let members = super::members_of(ctx, own.guild_id());
    let after = members.into_iter().filter(|member| *member > cursor).take(PAGE_ROWS);
    let rows = after.filter_map(|member| ctx.db.guild_member().character_id().find(member));
    rows.map(|row| {
        let note = words::note_of(ctx, row.character_id);
        let officer_text = if is_officer { note.officer_note } else { String::new() };
        let subject = (row.character_id, row.name);
        GuildPage {
            text: note.note,
            officer_text,
            at_micros: row.joined_at_micros,
            tab: row.rank,
            ..line(row.character_id, subject)
        }
    })
    .collect()
}

fn log(ctx: &ReducerContext, own: &Own, cursor: u64) -> Vec<GuildPage> {
    let guild_id = own.guild_id();
    let numbers = past::numbers(ctx);
    let newest = if cursor == 0 { u64::MAX } else { cursor - 1 };
    let part = |log_id: u64| part_of(line_key(guild_id, log_id));
    let from = part(newest.min(*numbers.end()));
    let walk = Walk::new(from, LOG_WINDOW).up_to(LOG_WINDOW_MAX).until(part(*numbers.start()));
    let rows = walk.rows(PAGE_ROWS, |parts| {
        let rows = ranges(ctx.db.guild_log().line_key());
        rows.filter(joint_keys(guild_id, &parts)).collect()
    });
    rows.into_iter()
        .map(|row| GuildPage {
            at_micros: row.at_micros,
            amount: row.amount,
            line: row.line,
            tab: row.tab,
            by_name: row.by_name,
            ..line(row.log_id, (row.subject_id, row.subject))
        })
        .collect()
}

fn requests(ctx: &ReducerContext, own: &Own, cursor: u64) -> Vec<GuildPage> {
    let rows = ranges(ctx.db.guild_request().guild_key()).filter(keys_of(own.guild_id()));
    let rows = rows.filter(|row| !asking::is_unheard(ctx, row.character_id));
    let after = rows.filter(|row| row.character_id > cursor).take(PAGE_ROWS);
    // Whom the officer has blocked asks without a word.
    let is_blocked = |character_id| {
        let asker = characters::owner_of(ctx, character_id);
        asker.is_some_and(|asker| friends::has_blocked(ctx, own.account_id, asker))
    };
    after
        .map(|row| GuildPage {
            at_micros: row.ends_at_micros,
            text: if is_blocked(row.character_id) { String::new() } else { row.text },
            ..line(row.character_id, (row.character_id, row.name))
        })
        .collect()
}

fn invites(ctx: &ReducerContext, own: &Own, cursor: u64) -> Vec<GuildPage> {
    let rows = ranges(ctx.db.guild_invite().guild_key()).filter(keys_of(own.guild_id()));
    let after = rows.filter(|row| row.character_id > cursor).take(PAGE_ROWS);
    after
        .map(|row| GuildPage {
            at_micros: row.ends_at_micros,
            by_name: row.by_name,
            ..line(row.character_id, (row.character_id, row.name))
        })
        .collect()
}

fn bans(ctx: &ReducerContext, own: &Own, cursor: u64) -> Vec<GuildPage> {
    let rows = ranges(ctx.db.guild_ban().ban_key()).filter(keys_of(own.guild_id()));
    let mut bans: Vec<_> = rows.filter(|row| row.character_id > cursor).collect();
    bans.sort_unstable_by_key(|row| row.character_id);
    bans.truncate(PAGE_ROWS);
    bans.into_iter()
        .map(|row| GuildPage {
            at_micros: row.at_micros,
            by_name: row.by_name,
            ..line(row.character_id, (row.character_id, row.name))
        })
        .collect()
}
