//! What a recipient does with letters: reading, taking, sending back, deleting.

use super::letters::{end, has_value, letter_of, mark_read, of, paid, purse, remove};
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
/// Most stacks that one call looks at: those that cannot be taken are passed over.
const TAKE_ALL_LOOKED_AT_MAX: usize = 256;

/// Marks a letter as read; one that was read stays so.
///
/// # Errors
/// In this order: the caller's, `mail.not_in_world`, `mail.unknown`.
#[reducer]
pub fn mail_read(ctx: &ReducerContext, mail_id: u64) -> Result<(), Refusal> {
    let character_id = present(ctx, require_player(ctx)?.account_id)?;
    mark_read(ctx, own(ctx, character_id, mail_id)?);
    Ok(())
}

/// Takes one stack out of a letter, or with `item_id` 0 everything, coins too: all or nothing.
/// If cash is asked on delivery it is paid first, as a whole, and `cod_copper` says how much it is;
/// the sender gets it by a letter of the realm. `cod_copper` is 0 for other letters. What is left
/// in a letter that is paid for does not go back.
///
/// # Errors
/// In this order: the caller's, the command's (`command.…`), `mail.not_in_world`, `mail.unknown`,
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
    let account_id = require_player(ctx)?.account_id;
    let what = ("mail_take", mail_id, item_id, cod_copper);
    once(ctx, account_id, command, &what, || {
        let character_id = present(ctx, account_id)?;
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

/// Pays what is asked on delivery, if anything is.
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
    Ok(paid(ctx, mail))
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
/// `TAKE_ALL_LETTERS_MAX` letters and `TAKE_ALL_STACKS_MAX` stacks a call. What cannot be taken is
/// passed over, and counts as neither; at most `TAKE_ALL_LOOKED_AT_MAX` stacks are looked at.
///
/// # Errors
/// In this order: the caller's, the command's (`command.…`), `mail.not_in_world`, `mail.empty`;
/// `item.no_room` and others of items and coins if nothing could be taken.
#[reducer]
pub fn mail_take_all(ctx: &ReducerContext, command: CommandId) -> Result<(), Refusal> {
    let account_id = require_player(ctx)?.account_id;
    once(ctx, account_id, command, &"mail_take_all", || {
        take_all(ctx, (account_id, present(ctx, account_id)?))
    })
}

fn take_all(ctx: &ReducerContext, own: (u64, u64)) -> Result<(), Refusal> {
    let now = now_micros(ctx);
    let letters = of(ctx, own.1).into_iter();
    let letters = letters
        .filter(|mail| is_there(mail, now) && mail.cod_copper == 0)
        .filter(|mail| has_value(ctx, mail.mail_id));
    let refused = MailError::Empty.into();
    let mut round = Round { own, refused, letters: 0, stacks: 0, looked_at: 0 };
    for mail in letters {
        if round.is_over() {
            break;
        }
        round.take_from(ctx, mail);
    }
    if round.letters > 0 { Ok(()) } else { Err(round.refused) }
}

/// One call that takes what there is room for.
struct Round {
    /// Account and character.
    own: (u64, u64),
    /// Why the last one was not taken that was not.
    refused: Refusal,
    /// Letters that something was taken from.
    letters: usize,
    /// Stacks that were taken.
    stacks: usize,
    looked_at: usize,
}

impl Round {
    const fn is_over(&self) -> bool {
        self.letters >= TAKE_ALL_LETTERS_MAX
            || self.stacks >= TAKE_ALL_STACKS_MAX
            || self.looked_at >= TAKE_ALL_LOOKED_AT_MAX
    }

    fn take_from(&mut self, ctx: &ReducerContext, mail: Mail) {
        let cause = Cause::new(ctx, CauseKind::MailTaken, self.own, mail.mail_id);
        let mut is_touched = false;
        let copper = copper_of(ctx, PurseKind::Mail, mail.mail_id);
        if copper > 0 {
            match pay(ctx, &cause, purse(&mail), Purse::wallet(ctx, self.own.1), copper) {
                Ok(()) => is_touched = true,
                Err(error) => self.refused = error.into(),
            }
        }
        for stack in contents(ctx, HolderKind::Mail, mail.mail_id) {
            if self.is_over() {
                break;
            }
            self.looked_at += 1;
            let bag = Holder::bag(ctx, self.own.1);
            match take(ctx, &cause, &stack, stack.count, bag, Spot::Anywhere) {
                Ok(_) => {
                    self.stacks += 1;
                    is_touched = true;
                }
                Err(error) => self.refused = error,
            }
        }
        if is_touched {
            taken(ctx, mail);
            self.letters += 1;
        }
        cause.forget_if_bare(ctx);
    }
}

/// Sends a player's letter back with what is in it; it cannot come a second time.
///
/// # Errors
/// In this order: the caller's, the command's (`command.…`), `mail.not_in_world`, `mail.unknown`,
/// `mail.not_returnable`, `item.frozen`, `economy.frozen`.
#[reducer]
pub fn mail_return(ctx: &ReducerContext, mail_id: u64, command: CommandId) -> Result<(), Refusal> {
    let account_id = require_player(ctx)?.account_id;
    once(ctx, account_id, command, &("mail_return", mail_id), || {
        let mail = own(ctx, present(ctx, account_id)?, mail_id)?;
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
    let character_id = present(ctx, require_player(ctx)?.account_id)?;
    let mail = own(ctx, character_id, mail_id)?;
    if has_value(ctx, mail_id) {
        return Err(MailError::NotEmpty.into());
    }
    remove(ctx, &mail);
    Ok(())
}

/// The character of an account that is in the world. Commands look for it when they are done for
/// the first time alone.
pub(super) fn present(ctx: &ReducerContext, account_id: u64) -> Result<u64, MailError> {
    entity_of(ctx, account_id).ok_or(MailError::CharacterAbsent)
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
