//! The lost-and-found: what could not be given back, account by account.
//!
//! Keeps true: what comes here is taken by its account or stays. What finds no room, and coins
//! that staff keeps from moving, are held under the number of the letter it was in and tried again.
//! Coins for a character whose wallet is frozen freeze the lost-and-found they come to, or another
//! character of the account would have them.

use super::letters::{LETTER_SLOTS, has_value, remove_head, set_due};
use super::take::present;
use crate::authority::require_player;
use crate::characters::owner_of;
use crate::commands::once;
use crate::economy::{self, Cause, Purse, copper_of, pay};
use crate::items::{self, Holder, contents, push};
use crate::ordered::ranges;
use crate::{Refusal, now_micros, realms, sequences};
use haven_rules::economy::{CauseKind, PurseKind};
use haven_rules::items::{HolderKind, ItemError};
use haven_rules::keys::{joint_key, keys_of};
use haven_rules::mail::{DAY_MICROS, DueKind, FORWARDING_DAYS, MailError, due_key, due_keys};
use haven_rules::sequences::Numbered;
use haven_tables::commands::CommandId;
use haven_tables::items::Item;
use haven_tables::mail::{
    Mail, MailDue, MailForwarding, MailHeld, mail_due, mail_forwarding, mail_held,
};
use spacetimedb::{Identity, ReducerContext, Table, reducer};

/// How often what is held is tried again, microseconds.
const HELD_MICROS: i64 = 3_600_000_000;
/// Most stacks that one claim moves.
const CLAIM_STACKS_MAX: usize = 32;
/// Most stacks that one claim looks at: those that cannot be moved are passed over.
const CLAIM_LOOKED_AT_MAX: usize = 256;
/// Most letters that one claim gets what is held of.
const CLAIM_HELD_MAX: usize = 8;
/// Most letters that one claim looks at for that.
const CLAIM_HELD_LOOKED_AT_MAX: usize = 64;
/// Most characters that are forgotten in a run.
const FORWARDING_ROWS_MAX: usize = 50;

fn purse(ctx: &ReducerContext, account_id: u64) -> Purse {
    Purse::of(PurseKind::LostAndFound, account_id, realms::viewer_of(ctx, account_id))
}

/// Moves what is the account's from the lost-and-found to the bags and the wallet of the caller's
/// character, as much as there is room for, at most `CLAIM_STACKS_MAX` stacks a call. What cannot
/// be moved is passed over; at most `CLAIM_LOOKED_AT_MAX` stacks are looked at. What was bound to a
/// character that is gone is bound to this one.
///
/// # Errors
/// In this order: the caller's, the command's (`command.…`), `mail.not_in_world`,
/// `mail.nothing_lost`, `item.no_room` and others of items and coins if nothing could be moved.
#[reducer]
pub fn lost_claim(ctx: &ReducerContext, command: CommandId) -> Result<(), Refusal> {
    let account_id = require_player(ctx)?.account_id;
    once(ctx, account_id, command, &"lost_claim", || {
        claim(ctx, account_id, present(ctx, account_id)?)
    })
}

fn claim(ctx: &ReducerContext, account_id: u64, character_id: u64) -> Result<(), Refusal> {
    let held = ranges(ctx.db.mail_held().held_key()).filter(keys_of(account_id));
    let held: Vec<MailHeld> = held.take(CLAIM_HELD_LOOKED_AT_MAX).collect();
    let stacks = contents(ctx, HolderKind::LostAndFound, account_id);
    let copper = copper_of(ctx, PurseKind::LostAndFound, account_id);
    if stacks.is_empty() && copper == 0 && held.is_empty() {
        return Err(MailError::NothingLost.into());
    }
    let cause = Cause::new(ctx, CauseKind::Claim, (account_id, character_id), 0);
    let (mut coins, mut moved, mut found) = (0, 0, 0);
    let mut refused: Refusal = ItemError::NoRoom.into();
    if copper > 0 {
        let wallet = Purse::wallet(ctx, character_id);
        match pay(ctx, &cause, purse(ctx, account_id), wallet, copper) {
            Ok(()) => coins = copper,
            Err(error) => refused = error.into(),
        }
    }
    for stack in stacks.iter().take(CLAIM_LOOKED_AT_MAX) {
        if moved == CLAIM_STACKS_MAX {
            break;
        }
        match items::claim(ctx, &cause, stack, character_id) {
            Ok(()) => moved += 1,
            Err(error) => refused = error,
        }
    }
    cause.forget_if_bare(ctx);
    // There may be room now for what is held.
    for row in held {
        if found == CLAIM_HELD_MAX {
            break;
        }
        found += usize::from(try_held(ctx, row.mail_id));
    }
    if (coins, moved, found) == (0, 0, 0) { Err(refused) } else { Ok(()) }
}

/// What is in a letter goes to an account's lost-and-found, in place of a character; the letter is
/// gone.
pub(super) fn lose(ctx: &ReducerContext, mail: &Mail, (account_id, character_id): (u64, u64)) {
    remove_head(ctx, mail);
    let copper = copper_of(ctx, PurseKind::Mail, mail.mail_id);
    let due = ctx.db.mail_due().mail_id().find(mail.mail_id);
    let due = due.expect("invariant: a letter has a row of when it is due");
    ctx.db.mail_due().mail_id().update(MailDue { to_account_id: account_id, ..due });
    let held_key = joint_key(account_id, mail.mail_id);
    ctx.db.mail_held().insert(MailHeld { mail_id: mail.mail_id, held_key });
    try_held(ctx, mail.mail_id);
    if copper > 0 {
        freeze_along(ctx, account_id, character_id);
    }
}

/// Coins have come for a character to its account's lost-and-found, or will when they may.
fn freeze_along(ctx: &ReducerContext, account_id: u64, character_id: u64) {
    if economy::is_frozen(ctx, PurseKind::Wallet, character_id) {
        economy::freeze(ctx, purse(ctx, account_id));
    }
}

/// Goods that come by no letter go to an account's lost-and-found, in place of a character.
pub(super) fn find(
    ctx: &ReducerContext,
    cause: &Cause,
    (account_id, character_id): (u64, u64),
    stacks: &[Item],
    coins: Option<(Purse, u64)>,
) {
    let to = Holder::lost_and_found(ctx, account_id);
    let left = stacks.iter().filter(|stack| push(ctx, cause, stack, to).is_err());
    let left: Vec<&Item> = left.collect();
    let has_coins = coins.is_some();
    let mut coins = coins
        .filter(|(from, copper)| pay(ctx, cause, *from, purse(ctx, account_id), *copper).is_err());
    if has_coins {
        freeze_along(ctx, account_id, character_id);
    }
    let mut left = left.as_slice();
    while !left.is_empty() || coins.is_some() {
        let (now, later) = left.split_at(left.len().min(usize::from(LETTER_SLOTS)));
        hold(ctx, cause, account_id, now, coins.take());
        left = later;
    }
}

/// Goods that an account's lost-and-found has no room for. Coins that staff keeps from moving stay
/// where they are.
fn hold(
    ctx: &ReducerContext,
    cause: &Cause,
    account_id: u64,
    stacks: &[&Item],
    coins: Option<(Purse, u64)>,
) {
    let mail_id = sequences::next(ctx, Numbered::Mail);
    let viewer = Identity::ZERO;
    let to = Holder::of(HolderKind::Mail, mail_id, viewer, LETTER_SLOTS);
    for stack in stacks {
        push(ctx, cause, stack, to).expect("invariant: a new letter has room");
    }
    if let Some((from, copper)) = coins {
        let _ = pay(ctx, cause, from, Purse::of(PurseKind::Mail, mail_id, viewer), copper);
    }
    if !has_value(ctx, mail_id) {
        return;
    }
    let held_key = joint_key(account_id, mail_id);
    ctx.db.mail_held().insert(MailHeld { mail_id, held_key });
    ctx.db.mail_due().insert(MailDue {
        mail_id,
        due_key: due_key(now_micros(ctx) + HELD_MICROS, mail_id),
        from_account_id: 0,
        to_account_id: account_id,
        kind: DueKind::Held as u8,
    });
}

/// Moves what is held to the lost-and-found, as much as there is room for. Whether anything moved.
pub(super) fn try_held(ctx: &ReducerContext, mail_id: u64) -> bool {
    let due = ctx.db.mail_due().mail_id().find(mail_id);
    let account_id =
        due.expect("invariant: what is held has a row of when it is due").to_account_id;
    let stacks = contents(ctx, HolderKind::Mail, mail_id);
    let copper = copper_of(ctx, PurseKind::Mail, mail_id);
    let cause = Cause::new(ctx, CauseKind::MailReturned, (0, 0), mail_id);
    let mut moved = false;
    let to = Holder::lost_and_found(ctx, account_id);
    for stack in &stacks {
        moved |= push(ctx, &cause, stack, to).is_ok();
    }
    if copper > 0 {
        let from = Purse::of(PurseKind::Mail, mail_id, Identity::ZERO);
        moved |= pay(ctx, &cause, from, purse(ctx, account_id), copper).is_ok();
    }
    if has_value(ctx, mail_id) {
        items::show_to(ctx, HolderKind::Mail, mail_id, Identity::ZERO);
        economy::show_to(ctx, PurseKind::Mail, mail_id, Identity::ZERO);
        set_due(ctx, mail_id, DueKind::Held, now_micros(ctx) + HELD_MICROS);
    } else {
        ctx.db.mail_held().mail_id().delete(mail_id);
        ctx.db.mail_due().mail_id().delete(mail_id);
    }
    cause.forget_if_bare(ctx);
    moved
}

/// What is lost of an account is shown to that identity.
pub(super) fn rebind(ctx: &ReducerContext, account_id: u64, viewer: Identity) {
    items::show_to(ctx, HolderKind::LostAndFound, account_id, viewer);
    economy::show_to(ctx, PurseKind::LostAndFound, account_id, viewer);
}

/// A character is about to be removed for good: what still comes for it goes to its account.
pub(super) fn forward(ctx: &ReducerContext, account_id: u64, character_id: u64) {
    let until = now_micros(ctx) + i64::from(FORWARDING_DAYS) * DAY_MICROS;
    ctx.db.mail_forwarding().insert(MailForwarding {
        character_id,
        sweep_key: due_key(until, character_id),
        account_id,
    });
}

/// Whose a character is or was. What is nobody's goes to account 0, which staff sees.
pub(super) fn account_for(ctx: &ReducerContext, character_id: u64) -> u64 {
    let gone = || ctx.db.mail_forwarding().character_id().find(character_id);
    owner_of(ctx, character_id).or_else(|| Some(gone()?.account_id)).unwrap_or(0)
}

/// Forgets characters that were removed long ago.
pub(super) fn sweep(ctx: &ReducerContext) {
    let over = ranges(ctx.db.mail_forwarding().sweep_key()).filter(due_keys(now_micros(ctx)));
    let over: Vec<u64> = over.take(FORWARDING_ROWS_MAX).map(|row| row.character_id).collect();
    for character_id in over {
        ctx.db.mail_forwarding().character_id().delete(character_id);
    }
}
