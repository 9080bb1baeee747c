//! What a recipient does with letters: reading, taking, sending back, deleting.

use super::letters::{end, has_value, letter_of, mark_read, of, purse, remove};
use super::send::send_paid;
use crate::authority::require_player;
use crate::characters::entity_of;
use crate::commands::once;
use crate::economy::{Cause, Purse, copper_of, pay};
use crate::items::{Holder, Spot, check_free, contents, take};
use crate::{Refusal, now_micros};
use haven_rules::economy::{CauseKind, EconomyError, PurseKind, purse_key};
use haven_rules::items::{HolderKind, ItemError};
use haven_rules::mail::fate::{goes_when_empty, may_go_back};
use haven_rules::mail::{LetterKind, LetterState, MailError};
use haven_tables::commands::CommandId;
use haven_tables::economy::ledger_account;
use haven_tables::mail::{Mail, mail};
use spacetimedb::ReducerContext;
use spacetimedb::reducer;

/// Most letters that one call takes from.
const TAKE_ALL_LETTERS_MAX: usize = 25;
/// Most stacks that one call takes.
const TAKE_ALL_STACKS_MAX: usize = 60;

/// Marks a letter as read; one that was read stays so.
///
/// # Errors
/// In this order: the caller's, `mail.not_in_world`, `mail.unknown`.
#[reducer]
pub fn mail_read(ctx: &ReducerContext, mail_id: u64) -> Result<(), Refusal> {
    let (_, character_id) = caller(ctx)?;
    mark_read(ctx, own(ctx, character_id, mail_id)?);
    Ok(())
}

/// Takes one stack out of a letter, or with `item_id` 0 everything, coins too: all or nothing.
/// If cash is asked on delivery it is paid first, as a whole, and `cod_copper` says how much it is;
/// the sender gets it by a letter of the realm. `cod_copper` is 0 for other letters.
///
/// # Errors
/// In this order: the caller's, `mail.not_in_world`, the command's (`command.…`), `mail.unknown`,
/// `mail.cod_differs`, `mail.empty`, `item.unknown`, those of coins (`economy.…`), those of items
/// (`item.…`).
#[reducer]
pub fn mail_take(
    ctx: &ReducerContext,
    mail_id: u64,
    item_id: u64,
    cod_copper: u64,
    command: CommandId,
) -> Result<(), Refusal> {
    let (account_id, character_id) = caller(ctx)?;
    let what = ("mail_take", mail_id, item_id, cod_copper);
    once(ctx, account_id, command, &what, || {
        let mail = own(ctx, character_id, mail_id)?;
        if mail.cod_copper != cod_copper {
            return Err(MailError::CodDiffers.into());
        }
        take_from(ctx, (account_id, character_id), mail, item_id)
    })
}

fn take_from(
    ctx: &ReducerContext,
    (account_id, character_id): (u64, u64),
    mail: Mail,
    item_id: u64,
) -> Result<(), Refusal> {
    let mut stacks = contents(ctx, HolderKind::Mail, mail.mail_id);
    let mut copper = copper_of(ctx, PurseKind::Mail, mail.mail_id);
    if stacks.is_empty() && copper == 0 {
        return Err(MailError::Empty.into());
    }
    if item_id != 0 {
        copper = 0;
        stacks.retain(|stack| stack.item_id == item_id);
        if stacks.is_empty() {
            return Err(ItemError::Unknown.into());
        }
    }
    let cause = Cause::new(ctx, CauseKind::MailTaken, (account_id, character_id), mail.mail_id);
    let mail = pay_cod(ctx, &cause, character_id, mail)?;
    for stack in &stacks {
        take(ctx, &cause, stack, stack.count, Holder::bag(ctx, character_id), Spot::Anywhere)?;
    }
    if copper > 0 {
        pay(ctx, &cause, purse(&mail), Purse::wallet(ctx, character_id), copper)?;
    }
    taken(ctx, mail);
    Ok(())
}

/// Pays what is asked on delivery: the letter asks for nothing any more.
fn pay_cod(
    ctx: &ReducerContext,
    cause: &Cause,
    character_id: u64,
    mail: Mail,
) -> Result<Mail, Refusal> {
    if mail.cod_copper == 0 {
        return Ok(mail);
    }
    send_paid(ctx, cause, character_id, &mail)?;
    let mail = Mail { cod_copper: 0, ..mail };
    ctx.db.mail().mail_id().update(mail.clone());
    Ok(mail)
}

/// Something was taken out of a letter: it counts as read, and one that says nothing else is gone
/// with the last of it.
fn taken(ctx: &ReducerContext, mail: Mail) {
    let mail = mark_read(ctx, mail);
    let is_empty = !has_value(ctx, mail.mail_id);
    if is_empty && goes_when_empty(LetterKind::from_code(mail.kind)) {
        remove(ctx, &mail);
    }
}

/// Takes what there is room for out of the letters that ask for no cash, the oldest first: at most
/// `TAKE_ALL_LETTERS_MAX` letters and `TAKE_ALL_STACKS_MAX` stacks a call.
///
/// # Errors
/// In this order: the caller's, `mail.not_in_world`, the command's (`command.…`), `mail.empty`;
/// `item.no_room` and others of items and coins if nothing could be taken.
#[reducer]
pub fn mail_take_all(ctx: &ReducerContext, command: CommandId) -> Result<(), Refusal> {
    let (account_id, character_id) = caller(ctx)?;
    once(ctx, account_id, command, &"mail_take_all", || take_all(ctx, (account_id, character_id)))
}

fn take_all(ctx: &ReducerContext, (account_id, character_id): (u64, u64)) -> Result<(), Refusal> {
    let now = now_micros(ctx);
    let letters = of(ctx, character_id).into_iter();
    let letters = letters
        .filter(|mail| is_there(mail, now) && mail.cod_copper == 0)
        .filter(|mail| has_value(ctx, mail.mail_id))
        .take(TAKE_ALL_LETTERS_MAX);
    let mut refused: Refusal = MailError::Empty.into();
    let (mut is_taken, mut stacks) = (false, 0);
    for mail in letters {
        if stacks >= TAKE_ALL_STACKS_MAX {
            break;
        }
        let cause = Cause::new(ctx, CauseKind::MailTaken, (account_id, character_id), mail.mail_id);
        let mut is_touched = false;
        let copper = copper_of(ctx, PurseKind::Mail, mail.mail_id);
        if copper > 0 {
            match pay(ctx, &cause, purse(&mail), Purse::wallet(ctx, character_id), copper) {
                Ok(()) => is_touched = true,
                Err(error) => refused = error.into(),
            }
        }
        for stack in contents(ctx, HolderKind::Mail, mail.mail_id) {
            if stacks >= TAKE_ALL_STACKS_MAX {
                break;
            }
            let bag = Holder::bag(ctx, character_id);
            match take(ctx, &cause, &stack, stack.count, bag, Spot::Anywhere) {
                Ok(_) => {
                    stacks += 1;
                    is_touched = true;
                }
                Err(error) => refused = error,
            }
        }
        if is_touched {
            taken(ctx, mail);
            is_taken = true;
        }
        cause.forget_if_bare(ctx);
    }
    if is_taken { Ok(()) } else { Err(refused) }
}

/// Sends a player's letter back with what is in it; it cannot come a second time.
///
/// # Errors
/// In this order: the caller's, `mail.not_in_world`, the command's (`command.…`), `mail.unknown`,
/// `mail.not_returnable`, `item.frozen`, `economy.frozen`.
#[reducer]
pub fn mail_return(ctx: &ReducerContext, mail_id: u64, command: CommandId) -> Result<(), Refusal> {
    let (account_id, character_id) = caller(ctx)?;
    once(ctx, account_id, command, &("mail_return", mail_id), || {
        let mail = own(ctx, character_id, mail_id)?;
        if !may_go_back(letter_of(ctx, &mail)) {
            return Err(MailError::NotReturnable.into());
        }
        for stack in contents(ctx, HolderKind::Mail, mail_id) {
            check_free(&stack)?;
        }
        let purse = ctx.db.ledger_account().owner_key().find(purse_key(PurseKind::Mail, mail_id));
        if purse.is_some_and(|row| row.is_frozen) {
            return Err(EconomyError::Frozen.into());
        }
        end(ctx, mail);
        Ok(())
    })
}

/// Removes a letter with nothing of value in it.
///
/// # Errors
/// In this order: the caller's, `mail.not_in_world`, `mail.unknown`, `mail.not_empty`.
#[reducer]
pub fn mail_delete(ctx: &ReducerContext, mail_id: u64) -> Result<(), Refusal> {
    let (_, character_id) = caller(ctx)?;
    let mail = own(ctx, character_id, mail_id)?;
    if has_value(ctx, mail_id) {
        return Err(MailError::NotEmpty.into());
    }
    remove(ctx, &mail);
    Ok(())
}

/// The caller's account and character.
pub(super) fn caller(ctx: &ReducerContext) -> Result<(u64, u64), Refusal> {
    let player = require_player(ctx)?;
    let character_id = entity_of(ctx, player.account_id).ok_or(MailError::CharacterAbsent)?;
    Ok((player.account_id, character_id))
}

/// A letter that the character has got and that is not over.
fn own(ctx: &ReducerContext, character_id: u64, mail_id: u64) -> Result<Mail, MailError> {
    let now = now_micros(ctx);
    let mail = ctx.db.mail().mail_id().find(mail_id);
    let mail = mail.filter(|mail| mail.to_character_id == character_id && is_there(mail, now));
    mail.ok_or(MailError::Unknown)
}

fn is_there(mail: &Mail, now_micros: i64) -> bool {
    mail.state != LetterState::OnItsWay as u8 && now_micros < mail.expires_at_micros
}
