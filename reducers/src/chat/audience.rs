//! Who hears what, and who may read it afterwards: the one place that asks where somebody is, and
//! what guild, party and channels it belongs to.
//!
//! Keeps true: whoever may read a channel takes part in it now; nobody hears whom its account has
//! blocked.

use super::channels;
use crate::{characters, friends, guilds, motion, parties};
use haven_rules::chat::roles::{Action, Role, may};
use haven_rules::chat::{ChatError, ChatKind, HEARERS_MAX};
use haven_rules::combat::aim::{distance_squared, is_within};
use haven_rules::combat::areas::Point;
use haven_rules::content::book::Book;
use haven_rules::world::region::{region_index, region_of_block};
use haven_rules::world::{BLOCK_MM, EntityKind, block_of_mm, chunk_index, chunk_of};
use haven_tables::characters::character_presence;
use haven_tables::world::entity;
use spacetimedb::ReducerContext;

/// Most entities that are looked at around who speaks.
const ENTITIES_MAX: usize = 2_000;

/// The number of the channel of a kind that a character speaks in; `wanted` counts for channels
/// that players have made.
///
/// # Errors
/// In this order: `KindUnknown` for whispers, which have their own call, `NotParticipant`,
/// `NotAllowed`, `ChannelUnknown`.
pub(super) fn speaks_in(
    ctx: &ReducerContext,
    character_id: u64,
    kind: ChatKind,
    wanted: u64,
) -> Result<u64, ChatError> {
    let number = takes_part_in(ctx, character_id, kind, wanted)?;
    let is_guild = matches!(kind, ChatKind::Guild | ChatKind::Officer);
    if kind == ChatKind::Whisper {
        Err(ChatError::KindUnknown)
    } else if is_guild && !guilds::may_speak(ctx, character_id, kind == ChatKind::Officer) {
        Err(ChatError::NotAllowed)
    } else {
        Ok(number)
    }
}

/// The number of the channel of a kind that a character takes part in now.
///
/// # Errors
/// In this order: `NotParticipant`, `NotAllowed` for a guild's member who is no officer,
/// `ChannelUnknown`.
pub(super) fn takes_part_in(
    ctx: &ReducerContext,
    character_id: u64,
    kind: ChatKind,
    wanted: u64,
) -> Result<u64, ChatError> {
    let place = || motion::place_of(ctx, character_id).ok_or(ChatError::NotParticipant);
    match kind {
        ChatKind::Say | ChatKind::Yell | ChatKind::Block => {
            let (world, x_mm, y_mm) = place()?;
            Ok(chunk_of(world, x_mm, y_mm))
        }
        ChatKind::Region => {
            let (world, x_mm, y_mm) = place()?;
            let region = |mm: i32| region_of_block(block_of_mm(mm));
            Ok(region_index(world, region(x_mm), region(y_mm)))
        }
        ChatKind::Realm | ChatKind::Trade => Ok(0),
        ChatKind::Guild => guilds::guild_of(ctx, character_id).ok_or(ChatError::NotParticipant),
        ChatKind::Officer => {
            let guild_id = guilds::guild_of(ctx, character_id).ok_or(ChatError::NotParticipant)?;
            let is_officer = guilds::may_speak(ctx, character_id, true);
            if is_officer { Ok(guild_id) } else { Err(ChatError::NotAllowed) }
        }
        ChatKind::Party => {
            let circle = parties::circle_of(ctx, character_id).ok_or(ChatError::NotParticipant)?;
            Ok(circle.0)
        }
        ChatKind::Raid => parties::raid_of(ctx, character_id).ok_or(ChatError::NotParticipant),
        ChatKind::Whisper => Ok(character_id),
        ChatKind::Channel => {
            let role = channels::role_of(ctx, wanted, character_id);
            let may_read = may(role, Action::Read, Role::Outsider);
            if may_read { Ok(wanted) } else { Err(ChatError::ChannelUnknown) }
        }
    }
}

/// The characters a message of a private kind comes to, the speaker among them.
pub(super) fn hearers(
    ctx: &ReducerContext,
    character_id: u64,
    (kind, number): (ChatKind, u64),
    book: &Book,
) -> Vec<u64> {
    match kind {
        ChatKind::Say => within(ctx, character_id, book.setting("chat_say_range_mm")),
        ChatKind::Yell => within(ctx, character_id, book.setting("chat_yell_range_mm")),
        ChatKind::Guild => guilds::members_present(ctx, number),
        ChatKind::Officer => {
            let mut members = guilds::members_present(ctx, number);
            members.retain(|member| guilds::may_speak(ctx, *member, true));
            members
        }
        ChatKind::Party => {
            parties::circle_of(ctx, character_id).map(|(_, members)| members).unwrap_or_default()
        }
        ChatKind::Raid => parties::companions(ctx, character_id),
        ChatKind::Channel => {
            let rows = channels::members(ctx, number);
            let hears = |role: u8| Role::from_code(role).is_some_and(|role| role >= Role::Member);
            rows.iter().filter(|row| hears(row.role)).map(|row| row.character_id).collect()
        }
        ChatKind::Block
        | ChatKind::Region
        | ChatKind::Realm
        | ChatKind::Trade
        | ChatKind::Whisper => vec![character_id],
    }
}

/// Who speaks, and the characters within a distance, at most `HEARERS_MAX` in all, the nearest
/// first. Blocks are looked at from the speaker's own outwards, so that a crowd far off on one side
/// leaves out nobody who stands near.
fn within(ctx: &ReducerContext, character_id: u64, range_mm: i64) -> Vec<u64> {
    let Some((world, x_mm, y_mm)) = motion::place_of(ctx, character_id) else { return vec![] };
    let at = Point { x_mm, y_mm };
    let range_mm = u32::try_from(range_mm).unwrap_or(0);
    let reach = i32::try_from(range_mm).unwrap_or(i32::MAX).min(5 * BLOCK_MM);
    let blocks = |middle: i32| {
        block_of_mm(middle.saturating_sub(reach))..=block_of_mm(middle.saturating_add(reach))
    };
    let (own_x, own_y) = (block_of_mm(x_mm), block_of_mm(y_mm));
    let away = |x: i32, y: i32| x.abs_diff(own_x).max(y.abs_diff(own_y));
    let of_column = |x: i32| blocks(y_mm).map(move |y| (away(x, y), x, y));
    let mut chunks: Vec<(u32, i32, i32)> = blocks(x_mm).flat_map(of_column).collect();
    chunks.sort_unstable();
    let mut near: Vec<(i64, u64)> = chunks
        .into_iter()
        .flat_map(|(_, x, y)| ctx.db.entity().by_chunk().filter(chunk_index(world, x, y)))
        .take(ENTITIES_MAX)
        .filter(|row| row.kind == EntityKind::Character.code() && row.entity_id != character_id)
        .filter_map(|row| {
            let (_, x_mm, y_mm) = motion::place_of(ctx, row.entity_id)?;
            let place = Point { x_mm, y_mm };
            is_within(at, place, range_mm).then(|| (distance_squared(at, place), row.entity_id))
        })
        .collect();
    near.sort_unstable();
    near.truncate(HEARERS_MAX - 1);
    let others = near.into_iter().map(|(_, entity_id)| entity_id);
    std::iter::once(character_id).chain(others).collect()
}

/// The accounts that a message of an account comes to, of those that play these characters: they
/// are in the world and have not blocked it.
pub(super) fn listeners(ctx: &ReducerContext, hearers: &[u64], account_id: u64) -> Vec<u64> {
    let present = hearers.iter().filter_map(|hearer| {
        let row = ctx.db.character_presence().character_id().find(*hearer)?;
        Some(row.account_id)
    });
    let hears = |own: &u64| *own == account_id || !friends::has_blocked(ctx, *own, account_id);
    present.filter(hears).collect()
}

/// Whether a character's account wants to hear an account.
pub(super) fn hears(ctx: &ReducerContext, character_id: u64, account_id: u64) -> bool {
    let own = characters::owner_of(ctx, character_id);
    own.is_some_and(|own| own == account_id || !friends::has_blocked(ctx, own, account_id))
}

/// The channels with a history that a character takes part in: kind and number.
pub(super) fn with_history(ctx: &ReducerContext, character_id: u64) -> Vec<(ChatKind, u64)> {
    let kinds = ChatKind::ALL.iter().filter(|kind| kind.has_history());
    let fixed = kinds
        .filter(|kind| **kind != ChatKind::Channel)
        .filter_map(|kind| Some((*kind, takes_part_in(ctx, character_id, *kind, 0).ok()?)));
    let mut found: Vec<(ChatKind, u64)> = fixed.collect();
    let own = channels::of_character(ctx, character_id);
    let members = own.iter().filter(|row| row.role >= Role::Member.code());
    found.extend(members.map(|row| (ChatKind::Channel, row.channel_id)));
    found
}
