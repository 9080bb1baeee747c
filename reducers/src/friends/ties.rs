//! Ties: requests, and the friends that come of them.
//!
//! Keeps true: a friendship has a row on both sides and a pair in both orders; a request that is
//! shown has a row on both sides, and one that is not has its asker's alone; each lapses. A
//! refusal by the one who is asked leaves the asker's row: it looks as if nobody had answered.

use super::{admits, are_friends, has_blocked, player_of, presence};
use crate::authority::{require_database, require_player};
use crate::ordered::ranges;
use crate::sequences;
use crate::{Refusal, characters, now_micros, realms};
use haven_rules::friends::{
    Asked, Counts, FriendError, Request, State, What, ask, lapses_at_micros, validate_note,
};
use haven_rules::keys::{joint_key, keys_of, part_of};
use haven_rules::sequences::Numbered;
use haven_tables::characters::{Character, character};
use haven_tables::friends::{
    Friend, FriendDue, FriendPair, FriendTie, friend, friend_due, friend_pair, friend_presence,
    friend_tie,
};
use spacetimedb::{Identity, ReducerContext, ScheduleAt, Table, reducer, table};
use std::time::Duration;

/// How often requests that have lapsed are removed.
const SWEEP_INTERVAL: Duration = Duration::from_secs(10);
/// Most requests that one sweep removes.
const SWEEP_ROWS_MAX: usize = 200;

/// The timer of [`friend_sweep()`].
#[table(name = friend_sweep_timer, scheduled(friend_sweep))]
pub struct FriendSweepTimer {
    /// The timer's number.
    #[primary_key]
    #[auto_inc]
    pub scheduled_id: u64,
    /// When it fires.
    pub scheduled_at: ScheduleAt,
}

pub(super) fn ensure_timers(ctx: &ReducerContext) {
    if ctx.db.friend_sweep_timer().count() == 0 {
        let scheduled_at = SWEEP_INTERVAL.into();
        ctx.db.friend_sweep_timer().insert(FriendSweepTimer { scheduled_id: 0, scheduled_at });
    }
}

/// Asks the player of a name to be friends, as the character that the caller plays. Where that one
/// has asked already, they are friends at once. Whether it was shown, refused or kept away by a
/// block is not told.
///
/// # Errors
/// In this order: the caller's, `friend.not_in_world`, `friend.player_unknown`, `friend.self`,
/// `friend.blocked`, `friend.already`, `friend.request_pending`, `friend.requests_declined`,
/// `friend.too_many`, `friend.requests_too_many`, `friend.other_full`, `friend.too_fast`.
#[reducer]
pub fn friend_request(ctx: &ReducerContext, name: String) -> Result<(), Refusal> {
    let account_id = require_player(ctx)?.account_id;
    let own = characters::entity_of(ctx, account_id).ok_or(FriendError::CharacterAbsent)?;
    let (asked, other) = player_of(ctx, account_id, &name)?;
    let (ties, others) = (ties_of(ctx, account_id), ties_of(ctx, other));
    let between = |tie: &&FriendTie| tie.other_account_id == other;
    let is_pending =
        |tie: &FriendTie| tie.state == State::Asked as u8 && tie.character_id == asked.character_id;
    let asks = |tie: &FriendTie| tie.other_account_id == account_id && is(tie, State::Asked);
    let asks_back = others.iter().any(asks);
    // Those that would be gone if they became friends do not count.
    let own_counted = ties.iter().filter(|tie| !(asks_back && tie.other_account_id == other));
    let is_blocked = has_blocked(ctx, other, account_id);
    let outcome = ask(&Request {
        has_blocked: has_blocked(ctx, account_id, other),
        are_friends: are_friends(ctx, account_id, other),
        is_pending: ties.iter().filter(between).any(is_pending),
        asks_back,
        is_admitted: admits(ctx, What::Requests, other, account_id),
        is_blocked,
        own: counts(own_counted),
        other: counts(&others),
    })?;
    presence::spend_ask(ctx, account_id)?;
    match outcome {
        Asked::Friends => befriend(ctx, account_id, other),
        Asked::Shown => request(ctx, (account_id, own), (other, &asked), true),
        Asked::Hidden => request(ctx, (account_id, own), (other, &asked), false),
    }
    Ok(())
}

/// Accepts or refuses a request to the caller. Who is refused is not told.
///
/// # Errors
/// In this order: the caller's, `friend.unknown`, `friend.not_asked`.
#[reducer]
pub fn friend_answer(ctx: &ReducerContext, friend_id: u64, accepts: bool) -> Result<(), Refusal> {
    let account_id = require_player(ctx)?.account_id;
    let tie = own_tie(ctx, account_id, friend_id)?;
    if !is(&tie, State::Asks) {
        return Err(FriendError::NotAsked.into());
    }
    if accepts {
        befriend(ctx, account_id, tie.other_account_id);
    } else {
        take_away(ctx, &tie);
    }
    Ok(())
}

/// Ends a friendship for both, or takes back a request of the caller's.
///
/// # Errors
/// In this order: the caller's, `friend.unknown`; `friend.not_asked` for a request to the caller,
/// which is answered.
#[reducer]
pub fn friend_remove(ctx: &ReducerContext, friend_id: u64) -> Result<(), Refusal> {
    let account_id = require_player(ctx)?.account_id;
    let tie = own_tie(ctx, account_id, friend_id)?;
    match State::from_code(tie.state) {
        Some(State::Friends | State::Asked) => {
            end(ctx, &tie);
            Ok(())
        }
        Some(State::Asks) | None => Err(FriendError::NotAsked.into()),
    }
}

/// Writes a note to a friend or a request, for the caller alone.
///
/// # Errors
/// In this order: the caller's, `friend.note_invalid`, `friend.unknown`.
#[reducer]
pub fn friend_note_set(ctx: &ReducerContext, friend_id: u64, note: String) -> Result<(), Refusal> {
    let account_id = require_player(ctx)?.account_id;
    let note = validate_note(&note)?;
    own_tie(ctx, account_id, friend_id)?;
    if let Some(row) = ctx.db.friend().friend_id().find(friend_id) {
        ctx.db.friend().friend_id().update(Friend { note, ..row });
    }
    Ok(())
}

/// Removes requests that have lapsed, at most `SWEEP_ROWS_MAX` a run, and tells friends where
/// somebody is that they were not told at once.
///
/// # Errors
/// `realm.database_only` for clients.
#[reducer]
pub fn friend_sweep(ctx: &ReducerContext, _timer: FriendSweepTimer) -> Result<(), Refusal> {
    require_database(ctx)?;
    let now = u64::try_from(now_micros(ctx)).unwrap_or(0);
    let until = ..=joint_key(now, u64::MAX);
    let lapsed: Vec<FriendDue> =
        ranges(ctx.db.friend_due().due_key()).filter(until).take(SWEEP_ROWS_MAX).collect();
    for row in lapsed {
        ctx.db.friend_due().due_key().delete(row.due_key);
        if let Some(tie) = ctx.db.friend_tie().friend_id().find(part_of(row.due_key)) {
            end(ctx, &tie);
        }
    }
    presence::tell_late(ctx);
    Ok(())
}

/// What an account has, friends and requests: at most `TIES_MAX`, and requests that nobody sees.
fn ties_of(ctx: &ReducerContext, account_id: u64) -> Vec<FriendTie> {
    ranges(ctx.db.friend_tie().owner_key()).filter(keys_of(account_id)).collect()
}

fn is(tie: &FriendTie, state: State) -> bool {
    tie.state == state as u8
}

fn counts<'a>(ties: impl IntoIterator<Item = &'a FriendTie>) -> Counts {
    Counts::of(ties.into_iter().filter_map(|tie| State::from_code(tie.state)))
}

fn own_tie(
    ctx: &ReducerContext,
    account_id: u64,
    friend_id: u64,
) -> Result<FriendTie, FriendError> {
    let tie = ctx.db.friend_tie().friend_id().find(friend_id);
    tie.filter(|tie| tie.account_id == account_id).ok_or(FriendError::Unknown)
}

/// The rows of the friends of an account: those that are told of it.
pub(super) fn watchers_of(ctx: &ReducerContext, account_id: u64) -> Vec<u64> {
    let ties = ties_of(ctx, account_id).into_iter();
    ties.filter(|tie| is(tie, State::Friends)).map(|tie| tie.mirror_id).collect()
}

/// The characters by which the friends of an account are shown to it; none of who shows none.
pub(super) fn shown_to(ctx: &ReducerContext, account_id: u64) -> Vec<u64> {
    let ties = ties_of(ctx, account_id).into_iter().filter(|tie| is(tie, State::Friends));
    let shown = ties.filter_map(|tie| ctx.db.friend_presence().friend_id().find(tie.friend_id));
    shown.map(|row| row.character_id).filter(|character_id| *character_id != 0).collect()
}

/// Whom a row is shown to.
pub(super) fn viewer_of(ctx: &ReducerContext, friend_id: u64) -> Identity {
    let row = ctx.db.friend().friend_id().find(friend_id);
    row.map_or(Identity::ZERO, |row| row.viewer)
}

/// Makes one side of something.
fn tie(
    ctx: &ReducerContext,
    (account_id, other_account_id): (u64, u64),
    state: State,
    (character_id, name): (u64, String),
    note: String,
) -> FriendTie {
    let row = ctx.db.friend().insert(Friend {
        friend_id: sequences::next(ctx, Numbered::Friend),
        viewer: realms::viewer_of(ctx, account_id),
        since_at_micros: now_micros(ctx),
        state: state as u8,
        name,
        note,
    });
    ctx.db.friend_tie().insert(FriendTie {
        friend_id: row.friend_id,
        owner_key: joint_key(account_id, row.friend_id),
        account_id,
        other_account_id,
        mirror_id: 0,
        character_id,
        lapses_at_micros: 0,
        state: state as u8,
    })
}

/// Writes a request: the asker's row, and that of who is asked if it is shown.
fn request(
    ctx: &ReducerContext,
    (account_id, own): (u64, u64),
    (other, asked): (u64, &Character),
    is_shown: bool,
) {
    let named = (asked.character_id, asked.name.clone());
    let mut asks = tie(ctx, (account_id, other), State::Asked, named, String::new());
    asks.lapses_at_micros = lapses_at_micros(now_micros(ctx));
    if is_shown {
        let name = ctx.db.character().character_id().find(own).map(|row| row.name);
        let named = (own, name.unwrap_or_default());
        let mirror = tie(ctx, (other, account_id), State::Asks, named, String::new());
        asks.mirror_id = mirror.friend_id;
        let mirror = FriendTie { mirror_id: asks.friend_id, ..mirror };
        ctx.db.friend_tie().friend_id().update(mirror);
    } else {
        // As many numbers as a shown one takes: the asker sees those of its own rows.
        sequences::next(ctx, Numbered::Friend);
    }
    ctx.db.friend_due().insert(FriendDue { due_key: due_key(&asks) });
    ctx.db.friend_tie().friend_id().update(asks);
}

fn due_key(tie: &FriendTie) -> u128 {
    joint_key(u64::try_from(tie.lapses_at_micros).unwrap_or(0), tie.friend_id)
}

/// Makes two accounts friends: whatever there was between them gives way.
fn befriend(ctx: &ReducerContext, account_id: u64, other: u64) {
    let own = part_with(ctx, account_id, other);
    let others = part_with(ctx, other, account_id);
    let sides = [(account_id, other, own), (other, account_id, others)];
    let [one, two] = sides.map(|(account_id, other, (name, note))| {
        let shown = || presence::row_of(ctx, other, false, 0).name;
        let named = (0, name.unwrap_or_else(shown));
        tie(ctx, (account_id, other), State::Friends, named, note)
    });
    for (tie, mirror) in [(&one, &two), (&two, &one)] {
        let row = FriendTie { mirror_id: mirror.friend_id, ..tie.clone() };
        ctx.db.friend_tie().friend_id().update(row);
        let pair_key = joint_key(tie.account_id, tie.other_account_id);
        ctx.db.friend_pair().insert(FriendPair { pair_key, friend_id: tie.friend_id });
        let is_in_world = characters::entity_of(ctx, tie.other_account_id).is_some();
        let row = presence::row_of(ctx, tie.other_account_id, is_in_world, 0);
        presence::write(ctx, tie.friend_id, &row);
    }
}

/// Removes the rows that an account has of another one; the name it knew it by and what it had
/// noted, the latest of each.
fn part_with(ctx: &ReducerContext, account_id: u64, other: u64) -> (Option<String>, String) {
    let mut known = (None, String::new());
    for tie in ties_of(ctx, account_id).iter().filter(|tie| tie.other_account_id == other) {
        if let Some(row) = ctx.db.friend().friend_id().find(tie.friend_id) {
            known.0 = Some(row.name);
            if !row.note.is_empty() {
                known.1 = row.note;
            }
        }
        take_away(ctx, tie);
    }
    known
}

/// Ends something for both sides.
fn end(ctx: &ReducerContext, tie: &FriendTie) {
    let mirror = ctx.db.friend_tie().friend_id().find(tie.mirror_id);
    take_away(ctx, tie);
    if let Some(mirror) = mirror {
        take_away(ctx, &mirror);
    }
}

/// Removes one side; the other one, if there is one, belongs to nothing any more.
fn take_away(ctx: &ReducerContext, tie: &FriendTie) {
    ctx.db.friend().friend_id().delete(tie.friend_id);
    ctx.db.friend_presence().friend_id().delete(tie.friend_id);
    ctx.db.friend_tie().friend_id().delete(tie.friend_id);
    if is(tie, State::Friends) {
        let pair_key = joint_key(tie.account_id, tie.other_account_id);
        ctx.db.friend_pair().pair_key().delete(pair_key);
    }
    if tie.lapses_at_micros != 0 {
        ctx.db.friend_due().due_key().delete(due_key(tie));
    }
    if let Some(mirror) = ctx.db.friend_tie().friend_id().find(tie.mirror_id) {
        ctx.db.friend_tie().friend_id().update(FriendTie { mirror_id: 0, ..mirror });
    }
}

/// An account has blocked another one: what was between them ends. Requests of the blocked stay
/// where it alone sees them.
pub(super) fn blocked(ctx: &ReducerContext, account_id: u64, other: u64) {
    for tie in ties_of(ctx, account_id).iter().filter(|tie| tie.other_account_id == other) {
        match State::from_code(tie.state) {
            Some(State::Friends | State::Asked) => end(ctx, tie),
            Some(State::Asks) | None => take_away(ctx, tie),
        }
    }
}

/// Has the rows of others about a character say its new name: of each tie of its account that shows
/// one to the other.
pub(super) fn renamed(
    ctx: &ReducerContext,
    (account_id, character_id): (u64, u64),
    before: &str,
    name: &str,
) {
    for tie in ties_of(ctx, account_id) {
        let mirror = ctx.db.friend_tie().friend_id().find(tie.mirror_id);
        let row = ctx.db.friend().friend_id().find(tie.mirror_id);
        let (Some(mirror), Some(row)) = (mirror, row) else { continue };
        // Of friends it is not written down by which character they know each other.
        let is_friend = is(&mirror, State::Friends) && row.name == before;
        if is_friend || mirror.character_id == character_id {
            ctx.db.friend().friend_id().update(Friend { name: name.to_owned(), ..row });
        }
    }
}

pub(super) fn rebound(ctx: &ReducerContext, account_id: u64, viewer: Identity) {
    for tie in ties_of(ctx, account_id) {
        if let Some(row) = ctx.db.friend().friend_id().find(tie.friend_id) {
            ctx.db.friend().friend_id().update(Friend { viewer, ..row });
        }
        if let Some(row) = ctx.db.friend_presence().friend_id().find(tie.friend_id) {
            ctx.db
                .friend_presence()
                .friend_id()
                .update(haven_tables::friends::FriendPresence { viewer, ..row });
        }
    }
}
