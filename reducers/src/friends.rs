//! Friends, blocks, presence and who may see it.
//!
//! Keeps true: a friendship has two rows that name each other, and so has a request that is shown;
//! who is blocked is in nobody's row but the blocker's; what others see of an account is written in
//! the transaction that changes it. Blocks (`blocks`), requests and friends (`ties`), presence and
//! choices (`presence`) have their own files.

mod blocks;
mod presence;
mod ties;

pub use blocks::{block_add, block_remove};
pub use presence::{presence_look, presence_set, privacy_set};
pub use ties::{
    FriendSweepTimer, friend_answer, friend_note_set, friend_remove, friend_request, friend_sweep,
    friend_sweep_timer,
};

pub(crate) use presence::{moved, shows_presence};

use crate::Refusal;
use crate::characters;
use haven_rules::friends::{FriendError, What, Whom};
use haven_rules::keys::joint_key;
use haven_tables::characters::Character;
use haven_tables::friends::{friend_block, friend_choice, friend_pair};
use spacetimedb::{Identity, ReducerContext};

pub(crate) fn ensure_timers(ctx: &ReducerContext) {
    ties::ensure_timers(ctx);
}

pub(crate) fn character_entered(ctx: &ReducerContext, account_id: u64, character_id: u64) {
    presence::entered(ctx, account_id, character_id);
}

pub(crate) fn character_leaving(ctx: &ReducerContext, account_id: u64, character_id: u64) {
    presence::leaving(ctx, account_id, character_id);
}

pub(crate) fn character_purged(ctx: &ReducerContext, account_id: u64, character_id: u64) {
    presence::purged(ctx, account_id, character_id);
}

pub(crate) fn account_rebound(ctx: &ReducerContext, account_id: u64, viewer: Identity) {
    blocks::rebound(ctx, account_id, viewer);
    presence::rebound(ctx, account_id, viewer);
    ties::rebound(ctx, account_id, viewer);
}

/// A character has another name than that before: its friends see it, and whoever asks it or is
/// asked by it. Requests that it does not see or has refused show the one before until they lapse:
/// nothing leads to them. A look shows it until the next one, and a block what was blocked.
pub(crate) fn character_renamed(
    ctx: &ReducerContext,
    (account_id, character_id): (u64, u64),
    before: &str,
    name: &str,
) {
    ties::renamed(ctx, (account_id, character_id), before, name);
    presence::renamed(ctx, account_id);
}

/// The characters by which an account's friends are shown to it.
pub(crate) fn friends_of(ctx: &ReducerContext, account_id: u64) -> Vec<u64> {
    ties::shown_to(ctx, account_id)
}

/// Whether an account has blocked another one: nothing of that one reaches it.
pub(crate) fn has_blocked(ctx: &ReducerContext, account_id: u64, other_account_id: u64) -> bool {
    let pair_key = joint_key(account_id, other_account_id);
    ctx.db.friend_block().pair_key().find(pair_key).is_some()
}

/// Whether two accounts are friends.
pub(crate) fn are_friends(ctx: &ReducerContext, account_id: u64, other_account_id: u64) -> bool {
    let pair_key = joint_key(account_id, other_account_id);
    ctx.db.friend_pair().pair_key().find(pair_key).is_some()
}

/// Whether what an account has chosen admits another one; blocks are not looked at. Who is refused
/// by this may be told so. Who is let in by it and blocked must not notice that: it is answered as
/// if it had reached the account.
pub(crate) fn admits(
    ctx: &ReducerContext,
    what: What,
    of_account_id: u64,
    by_account_id: u64,
) -> bool {
    let is_friend = || are_friends(ctx, of_account_id, by_account_id);
    of_account_id == by_account_id || chosen(ctx, what, of_account_id).admits(is_friend())
}

/// Whether another one may do that to an account: it is admitted, and not blocked.
pub(crate) fn may(
    ctx: &ReducerContext,
    what: What,
    of_account_id: u64,
    by_account_id: u64,
) -> bool {
    admits(ctx, what, of_account_id, by_account_id)
        && !has_blocked(ctx, of_account_id, by_account_id)
}

/// What an account has chosen.
fn chosen(ctx: &ReducerContext, what: What, account_id: u64) -> Whom {
    let choice_key = joint_key(account_id, what as u64);
    let row = ctx.db.friend_choice().choice_key().find(choice_key);
    let whom = row.and_then(|row| Whom::from_code(row.whom).ok());
    whom.unwrap_or(what.default_whom())
}

/// Another player's living character of that name, and its account.
///
/// # Errors
/// In this order: `friend.player_unknown`, `friend.self`.
fn player_of(
    ctx: &ReducerContext,
    account_id: u64,
    name: &str,
) -> Result<(Character, u64), Refusal> {
    let found = characters::by_name(ctx, name).ok_or(FriendError::PlayerUnknown)?;
    let other = characters::account_of(ctx, found.character_id);
    let other = other.ok_or(FriendError::PlayerUnknown)?;
    if other == account_id {
        return Err(FriendError::Oneself.into());
    }
    Ok((found, other))
}
