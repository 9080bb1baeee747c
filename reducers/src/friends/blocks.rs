//! Blocks: whom an account wants nothing of.
//!
//! Keeps true: an account is blocked for as long as at least one of its names is; the blocked
//! notices nothing that somebody who is not could not meet as well.

use super::{player_of, ties};
use crate::authority::require_player;
use crate::ordered::ranges;
use crate::sequences;
use crate::{Refusal, guilds, now_micros, parties, realms};
use haven_rules::friends::{BLOCKS_MAX, FriendError};
use haven_rules::keys::{joint_key, keys_of};
use haven_rules::sequences::Numbered;
use haven_tables::friends::{
    FriendBlock, FriendBlockLink, FriendBlockName, friend_block, friend_block_link,
    friend_block_name,
};
use spacetimedb::{Identity, ReducerContext, Table, reducer};

/// Blocks the player of a name, with all its characters: it is a friend no more, its requests and
/// invitations to parties and guilds are gone, and nothing of it arrives. Again changes nothing.
///
/// # Errors
/// In this order: the caller's, `friend.player_unknown`, `friend.self`, `friend.blocks_too_many`.
#[reducer]
pub fn block_add(ctx: &ReducerContext, name: String) -> Result<(), Refusal> {
    let account_id = require_player(ctx)?.account_id;
    let (character, other_account_id) = player_of(ctx, account_id, &name)?;
    let known = links(ctx, account_id);
    let is_same = |link: &FriendBlockLink| {
        let row = ctx.db.friend_block_name().block_id().find(link.block_id);
        link.other_account_id == other_account_id
            && row.is_some_and(|row| row.name == character.name)
    };
    if known.iter().any(is_same) {
        return Ok(());
    }
    if known.len() >= BLOCKS_MAX {
        return Err(FriendError::BlocksTooMany.into());
    }
    let row = ctx.db.friend_block_name().insert(FriendBlockName {
        block_id: sequences::next(ctx, Numbered::FriendBlockName),
        viewer: realms::viewer_of(ctx, account_id),
        blocked_at_micros: now_micros(ctx),
        name: character.name,
    });
    let (block_id, owner_key) = (row.block_id, joint_key(account_id, row.block_id));
    ctx.db.friend_block_link().insert(FriendBlockLink { block_id, owner_key, other_account_id });
    let pair_key = joint_key(account_id, other_account_id);
    if let Some(row) = ctx.db.friend_block().pair_key().find(pair_key) {
        ctx.db.friend_block().pair_key().update(FriendBlock { names: row.names + 1, ..row });
        return Ok(());
    }
    ctx.db.friend_block().insert(FriendBlock { pair_key, names: 1 });
    ties::blocked(ctx, account_id, other_account_id);
    parties::blocked(ctx, account_id, other_account_id);
    guilds::blocked(ctx, account_id, other_account_id);
    Ok(())
}

/// Takes back a block, by its number. What was kept from the caller meanwhile stays so.
///
/// # Errors
/// In this order: the caller's, `friend.block_unknown`.
#[reducer]
pub fn block_remove(ctx: &ReducerContext, block_id: u64) -> Result<(), Refusal> {
    let account_id = require_player(ctx)?.account_id;
    let link = ctx.db.friend_block_link().block_id().find(block_id);
    let is_own = |link: &FriendBlockLink| link.owner_key == joint_key(account_id, block_id);
    let link = link.filter(is_own).ok_or(FriendError::BlockUnknown)?;
    ctx.db.friend_block_link().block_id().delete(block_id);
    ctx.db.friend_block_name().block_id().delete(block_id);
    let pair_key = joint_key(account_id, link.other_account_id);
    match ctx.db.friend_block().pair_key().find(pair_key) {
        Some(row) if row.names > 1 => {
            ctx.db.friend_block().pair_key().update(FriendBlock { names: row.names - 1, ..row });
        }
        Some(_) | None => {
            ctx.db.friend_block().pair_key().delete(pair_key);
        }
    }
    Ok(())
}

/// All blocks of an account, at most [`BLOCKS_MAX`].
fn links(ctx: &ReducerContext, account_id: u64) -> Vec<FriendBlockLink> {
    ranges(ctx.db.friend_block_link().owner_key()).filter(keys_of(account_id)).collect()
}

pub(super) fn rebound(ctx: &ReducerContext, account_id: u64, viewer: Identity) {
    for link in links(ctx, account_id) {
        if let Some(row) = ctx.db.friend_block_name().block_id().find(link.block_id) {
            ctx.db.friend_block_name().block_id().update(FriendBlockName { viewer, ..row });
        }
    }
}
