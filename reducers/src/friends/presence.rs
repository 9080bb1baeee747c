//! Presence: what accounts say of themselves, where they are, and who sees it.
//!
//! Keeps true: what friends see of an account follows from its profile, its choices and whether it
//! is in the world, and is written in the transaction that changes any of it: one row for each
//! friend, of whom there are at most `TIES_MAX`. Who becomes invisible, or leaves, is seen to leave
//! then; what somebody does who is invisible is not seen at all. Nor is what somebody plays whose
//! presence is for nobody: its friends know it by the character that they saw last. Only a region
//! may come later: whoever runs to and fro over a border tells it once in a while.

use super::{chosen, may, player_of, ties};
use crate::authority::require_player;
use crate::ordered::ranges;
use crate::{Refusal, characters, motion, now_micros, realms};
use haven_rules::friends::pace::Pace;
use haven_rules::friends::{FriendError, Seen, Status, What, Whom, seen};
use haven_rules::keys::{joint_key, keys_of};
use haven_rules::world::{chunk_parts, region_index, region_of_block};
use haven_tables::characters::character;
use haven_tables::friends::{
    FriendChoice, FriendLook, FriendPlace, FriendPresence, FriendProfile, friend_choice,
    friend_look, friend_place, friend_presence, friend_profile,
};
use spacetimedb::{Identity, ReducerContext, Table, reducer};

/// How often somebody may ask for others: requests and looks.
const ASKS: Pace = Pace { burst: 20, interval_micros: 10_000_000 };
/// How often somebody may change what all its friends are told.
const TELLS: Pace = Pace { burst: 10, interval_micros: 2_000_000 };
/// How long after a region the next one is told friends at the earliest, microseconds: each is a
/// row for each of up to `TIES_MAX` friends, and a border can be crossed with every step.
const PLACE_INTERVAL_MICROS: i64 = 5_000_000;
/// How many characters' regions one sweep tells that were not told at once.
const LATE_PLACES_MAX: usize = 50;

/// Says what others see of the caller while it is in the world: 1 online, 2 away, 3 busy, 4
/// invisible. It stays so until it says something else. The same again changes nothing.
///
/// # Errors
/// In this order: the caller's, `friend.status_unknown`, `friend.too_fast`.
#[reducer]
pub fn presence_set(ctx: &ReducerContext, status: u8) -> Result<(), Refusal> {
    let account_id = require_player(ctx)?.account_id;
    let status = Status::from_code(status)?;
    let profile = profile_of(ctx, account_id);
    if profile.status == status as u8 {
        return Ok(());
    }
    let mut profile = told(ctx, profile)?;
    let playing = characters::entity_of(ctx, account_id);
    let is_in_world = playing.is_some();
    if status == Status::Invisible && is_in_world {
        profile.last_seen_at_micros = now_micros(ctx);
    }
    profile.status = status as u8;
    let shown = playing.filter(|_| shows_played(ctx, &profile));
    profile.character_id = shown.unwrap_or(profile.character_id);
    save(ctx, profile);
    show(ctx, account_id, is_in_world);
    Ok(())
}

/// Chooses for whom something of the caller's is (`rules::friends::What`): 0 everyone, 1 friends, 2
/// nobody. The same again changes nothing.
///
/// # Errors
/// In this order: the caller's, `friend.choice_unknown`, `friend.too_fast`.
#[reducer]
pub fn privacy_set(ctx: &ReducerContext, what: u8, whom: u8) -> Result<(), Refusal> {
    let account_id = require_player(ctx)?.account_id;
    let (what, whom) = (What::from_code(what)?, Whom::from_code(whom)?);
    if chosen(ctx, what, account_id) == whom {
        return Ok(());
    }
    let profile = told(ctx, profile_of(ctx, account_id))?;
    save(ctx, profile);
    let choice_key = joint_key(account_id, what as u64);
    ctx.db.friend_choice().choice_key().delete(choice_key);
    if whom != what.default_whom() {
        let viewer = realms::viewer_of(ctx, account_id);
        let (what, whom) = (what as u8, whom as u8);
        ctx.db.friend_choice().insert(FriendChoice { choice_key, viewer, what, whom });
    }
    match what {
        What::Presence | What::Where => {
            let profile = profile_of(ctx, account_id);
            let playing = characters::entity_of(ctx, account_id);
            let shown = playing.filter(|_| shows_played(ctx, &profile));
            let character_id = shown.unwrap_or(profile.character_id);
            if character_id != profile.character_id {
                save(ctx, FriendProfile { character_id, ..profile });
            }
            show(ctx, account_id, playing.is_some());
        }
        What::Whispers | What::Invites | What::Requests | What::Mail | What::Trade => {}
    }
    Ok(())
}

/// Looks for the player of a name; `friend_look` has what that one lets the caller see. Whether it
/// is not there, or shows nothing, or has blocked the caller is not told.
///
/// # Errors
/// In this order: the caller's, `friend.not_in_world`, `friend.player_unknown`, `friend.self`,
/// `friend.too_fast`.
#[reducer]
pub fn presence_look(ctx: &ReducerContext, name: String) -> Result<(), Refusal> {
    let account_id = require_player(ctx)?.account_id;
    characters::entity_of(ctx, account_id).ok_or(FriendError::CharacterAbsent)?;
    let (character, other) = player_of(ctx, account_id, &name)?;
    spend_ask(ctx, account_id)?;
    let profile = profile_of(ctx, other);
    let is_seen = profile.status != Status::Invisible as u8;
    let played = characters::entity_of(ctx, other).filter(|_| is_seen);
    // That somebody plays another character is for friends to see.
    let is_that_one = played == Some(character.character_id);
    let sees = |what: What| may(ctx, what, other, account_id);
    let was_that_one = profile.character_id == character.character_id;
    let sees_presence = sees(What::Presence) && (is_that_one || played.is_none() && was_that_one);
    let seen = seen_of(&profile, is_that_one, sees_presence, sees(What::Where));
    ctx.db.friend_look().account_id().delete(account_id);
    ctx.db.friend_look().insert(FriendLook {
        account_id,
        viewer: realms::viewer_of(ctx, account_id),
        looked_at_micros: now_micros(ctx),
        region_index: region_of(ctx, &seen, character.character_id),
        last_seen_at_micros: seen.last_seen_at_micros,
        status: seen.status as u8,
        name: character.name,
    });
    Ok(())
}

/// Whether an account is shown that a character is in the world: it is its own, or its account is
/// not invisible and lets that one see its presence.
pub(crate) fn shows_presence(ctx: &ReducerContext, character_id: u64, by_account_id: u64) -> bool {
    let Some(account_id) = characters::owner_of(ctx, character_id) else { return false };
    let is_visible = || {
        profile_of(ctx, account_id).status != Status::Invisible as u8
            && may(ctx, What::Presence, account_id, by_account_id)
    };
    characters::is_present(ctx, character_id) && (account_id == by_account_id || is_visible())
}

/// One more request or look of an account.
///
/// # Errors
/// `friend.too_fast`.
pub(super) fn spend_ask(ctx: &ReducerContext, account_id: u64) -> Result<(), FriendError> {
    let profile = profile_of(ctx, account_id);
    let kept = ASKS.spend(profile.asks_on_time_at_micros, now_micros(ctx));
    let asks_on_time_at_micros = kept.ok_or(FriendError::TooFast)?;
    save(ctx, FriendProfile { asks_on_time_at_micros, ..profile });
    Ok(())
}

/// One more change that all friends are told.
fn told(ctx: &ReducerContext, profile: FriendProfile) -> Result<FriendProfile, FriendError> {
    let kept = TELLS.spend(profile.tells_on_time_at_micros, now_micros(ctx));
    let tells_on_time_at_micros = kept.ok_or(FriendError::TooFast)?;
    Ok(FriendProfile { tells_on_time_at_micros, ..profile })
}

/// What an account says of itself; online where it has never said anything.
fn profile_of(ctx: &ReducerContext, account_id: u64) -> FriendProfile {
    let row = ctx.db.friend_profile().account_id().find(account_id);
    row.unwrap_or_else(|| FriendProfile {
        account_id,
        viewer: realms::viewer_of(ctx, account_id),
        character_id: 0,
        last_seen_at_micros: 0,
        asks_on_time_at_micros: 0,
        tells_on_time_at_micros: 0,
        status: Status::Online as u8,
    })
}

fn save(ctx: &ReducerContext, row: FriendProfile) {
    if ctx.db.friend_profile().account_id().find(row.account_id).is_some() {
        ctx.db.friend_profile().account_id().update(row);
    } else {
        ctx.db.friend_profile().insert(row);
    }
}

/// Whether friends are shown which character an account plays.
fn shows_played(ctx: &ReducerContext, profile: &FriendProfile) -> bool {
    profile.status != Status::Invisible as u8
        && chosen(ctx, What::Presence, profile.account_id).admits(true)
}

/// What is seen of a profile.
fn seen_of(
    profile: &FriendProfile,
    is_in_world: bool,
    sees_presence: bool,
    sees_place: bool,
) -> Seen {
    let status = Status::from_code(profile.status).unwrap_or(Status::Online);
    seen(status, is_in_world, profile.last_seen_at_micros, sees_presence, sees_place)
}

/// The region of a character that is in the world, where it is seen.
fn region_of(ctx: &ReducerContext, seen: &Seen, character_id: u64) -> u64 {
    let chunk = seen.is_place_shown.then(|| motion::chunk_of(ctx, character_id)).flatten();
    chunk.map_or(0, region_of_chunk)
}

fn region_of_chunk(chunk: u64) -> u64 {
    let (world, block_x, block_y) = chunk_parts(chunk);
    region_index(world, region_of_block(block_x), region_of_block(block_y))
}

/// The row that a friend has of an account, but for whose it is. `gone` is a character that is
/// being removed, 0 for none.
pub(super) fn row_of(
    ctx: &ReducerContext,
    account_id: u64,
    is_in_world: bool,
    gone: u64,
) -> FriendPresence {
    let profile = profile_of(ctx, account_id);
    let sees = |what: What| chosen(ctx, what, account_id).admits(true);
    let seen = seen_of(&profile, is_in_world, sees(What::Presence), sees(What::Where));
    let (character_id, name) = played(ctx, &profile, gone);
    FriendPresence {
        friend_id: 0,
        viewer: Identity::ZERO,
        character_id,
        region_index: region_of(ctx, &seen, character_id),
        last_seen_at_micros: seen.last_seen_at_micros,
        status: seen.status as u8,
        name,
    }
}

/// The character that an account was last seen to play: another one where that is gone, or where it
/// was never seen.
fn played(ctx: &ReducerContext, profile: &FriendProfile, gone: u64) -> (u64, String) {
    let find = |character_id: u64| ctx.db.character().character_id().find(character_id);
    let any = || {
        let mut all = characters::characters_of(ctx, profile.account_id);
        all.sort_unstable();
        let is_there = |id: &u64| *id != gone && characters::account_of(ctx, *id).is_some();
        all.into_iter().find(is_there).and_then(find)
    };
    let row = find(profile.character_id).or_else(any);
    row.map_or_else(Default::default, |row| (row.character_id, row.name))
}

/// Shows all friends of an account what they see of it now.
fn show(ctx: &ReducerContext, account_id: u64, is_in_world: bool) {
    tell(ctx, account_id, &row_of(ctx, account_id, is_in_world, 0));
}

fn tell(ctx: &ReducerContext, account_id: u64, row: &FriendPresence) {
    for friend_id in ties::watchers_of(ctx, account_id) {
        write(ctx, friend_id, row);
    }
}

/// Writes what the owner of a row sees; a row that is so already is left alone.
pub(super) fn write(ctx: &ReducerContext, friend_id: u64, row: &FriendPresence) {
    let viewer = ties::viewer_of(ctx, friend_id);
    let row = FriendPresence { friend_id, viewer, ..row.clone() };
    match ctx.db.friend_presence().friend_id().find(friend_id) {
        Some(known) if known == row => {}
        Some(_) => {
            ctx.db.friend_presence().friend_id().update(row);
        }
        None => {
            ctx.db.friend_presence().insert(row);
        }
    }
}

/// A character is in the world. What its account plays is told unless it is invisible, or its
/// presence is for nobody.
pub(super) fn entered(ctx: &ReducerContext, account_id: u64, character_id: u64) {
    let profile = profile_of(ctx, account_id);
    let is_seen = shows_played(ctx, &profile);
    let character_id = if is_seen { character_id } else { profile.character_id };
    save(ctx, FriendProfile { character_id, ..profile });
    show(ctx, account_id, true);
}

/// A character is about to leave.
pub(super) fn leaving(ctx: &ReducerContext, account_id: u64, character_id: u64) {
    ctx.db.friend_place().character_id().delete(character_id);
    let profile = profile_of(ctx, account_id);
    if profile.status != Status::Invisible as u8 {
        save(ctx, FriendProfile { last_seen_at_micros: now_micros(ctx), ..profile });
    }
    ctx.db.friend_look().account_id().delete(account_id);
    show(ctx, account_id, false);
}

/// A character that is in the world goes from block to block: in another region friends see that,
/// `PLACE_INTERVAL_MICROS` after the last one at the earliest. What is later is told with the next
/// block behind that, or by the sweep.
pub(crate) fn moved(ctx: &ReducerContext, character_id: u64, from_chunk: u64, to_chunk: u64) {
    let known = ctx.db.friend_place().character_id().find(character_id);
    let is_late = known.as_ref().is_some_and(|row| row.due_key != told_key(character_id));
    if !is_late && region_of_chunk(from_chunk) == region_of_chunk(to_chunk) {
        return;
    }
    let Some(row) = known else { return tell_place(ctx, character_id) };
    let next_at_micros = row.told_at_micros + PLACE_INTERVAL_MICROS;
    if next_at_micros <= now_micros(ctx) {
        tell_place(ctx, character_id);
    } else if !is_late {
        let due_key = joint_key(u64::try_from(next_at_micros).unwrap_or(0), character_id);
        ctx.db.friend_place().character_id().update(FriendPlace { due_key, ..row });
    }
}

/// Tells friends where those are of whom they were not told at once.
pub(super) fn tell_late(ctx: &ReducerContext) {
    let now = u64::try_from(now_micros(ctx)).unwrap_or(0);
    let due = ranges(ctx.db.friend_place().due_key()).filter(..=joint_key(now, u64::MAX));
    let due: Vec<u64> = due.take(LATE_PLACES_MAX).map(|row| row.character_id).collect();
    for character_id in due {
        tell_place(ctx, character_id);
    }
}

/// The key of a character of which nothing is left to tell: it is never due.
const fn told_key(character_id: u64) -> u128 {
    joint_key(u64::MAX, character_id)
}

/// Tells friends the region of a character that is in the world, and notes when.
fn tell_place(ctx: &ReducerContext, character_id: u64) {
    let Some(account_id) = characters::owner_of(ctx, character_id) else { return };
    show(ctx, account_id, true);
    let (due_key, told_at_micros) = (told_key(character_id), now_micros(ctx));
    let row = FriendPlace { due_key, character_id, told_at_micros };
    if ctx.db.friend_place().character_id().find(character_id).is_some() {
        ctx.db.friend_place().character_id().update(row);
    } else {
        ctx.db.friend_place().insert(row);
    }
}

/// A character of an account has another name.
pub(super) fn renamed(ctx: &ReducerContext, account_id: u64) {
    show(ctx, account_id, characters::entity_of(ctx, account_id).is_some());
}

/// A character is gone for good: its account is known by another one.
pub(super) fn purged(ctx: &ReducerContext, account_id: u64, character_id: u64) {
    let profile = profile_of(ctx, account_id);
    if profile.character_id != character_id {
        return;
    }
    save(ctx, FriendProfile { character_id: 0, ..profile });
    let is_in_world = characters::entity_of(ctx, account_id).is_some();
    tell(ctx, account_id, &row_of(ctx, account_id, is_in_world, character_id));
}

pub(super) fn rebound(ctx: &ReducerContext, account_id: u64, viewer: Identity) {
    if let Some(row) = ctx.db.friend_profile().account_id().find(account_id) {
        ctx.db.friend_profile().account_id().update(FriendProfile { viewer, ..row });
    }
    if let Some(row) = ctx.db.friend_look().account_id().find(account_id) {
        ctx.db.friend_look().account_id().update(FriendLook { viewer, ..row });
    }
    let choices: Vec<FriendChoice> =
        ranges(ctx.db.friend_choice().choice_key()).filter(keys_of(account_id)).collect();
    for row in choices {
        ctx.db.friend_choice().choice_key().update(FriendChoice { viewer, ..row });
    }
}
