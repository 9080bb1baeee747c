//! Sending letters: players, staff and the realm.

use super::letters::{Draft, account_of_living, box_has_room, holder, name_of, purse, write};
use super::lost;
use super::take::present;
use crate::authority::{require, require_player};
use crate::characters::{account_of, by_name};
use crate::commands::once;
use crate::content::book;
use crate::economy::{Cause, Purse, pay};
use crate::items::{Spot, make, push, stack_of, take};
use crate::ordered::ranges;
use crate::{Refusal, audit, chat, friends, now_micros};
use haven_rules::accounts::Permission;
use haven_rules::economy::{CauseKind, Sink, Source};
use haven_rules::friends::What;
use haven_rules::items::{HolderKind, ItemError};
use haven_rules::mail::{
    ATTACHMENTS_MAX, Asked, LetterKind, MailError, WORDS_MAX, delay_micros, due_key, due_keys,
    postage, rate, tidy_word, validate_amounts, validate_goods, validate_subject, validate_text,
};
use haven_tables::commands::CommandId;
use haven_tables::items::{Item, item};
use haven_tables::mail::{Mail, MailAttachment, MailGift, MailRate, mail_rate};
use spacetimedb::{ReducerContext, Table, reducer};

/// Most accounts that are forgotten in a run.
const RATE_ROWS_MAX: usize = 50;

/// What the realm sends.
pub(crate) struct RealmLetter<'a> {
    /// To whom.
    pub(crate) to_character_id: u64,
    /// Which text (`rules::mail::TEMPLATES`): clients show it in the player's language.
    pub(crate) template: &'a str,
    /// What is put into the text, by the template's order.
    pub(crate) words: Vec<String>,
    /// Stacks that go with it, wherever they are.
    pub(crate) stacks: &'a [Item],
    /// Coins that go with it, and whose they are.
    pub(crate) coins: Option<(Purse, u64)>,
}

/// Sends goods by mail, whatever they are needed for. It cannot fail: what finds no letter is in
/// the account's lost-and-found, and a letter that finds no mailbox and has nothing in it is not
/// sent. Stacks go as they are, frozen ones too; coins that staff keeps from moving stay where they
/// are.
pub(crate) fn send_by_realm(ctx: &ReducerContext, cause: &Cause, letter: RealmLetter<'_>) {
    let RealmLetter { to_character_id, template, words, stacks, coins } = letter;
    debug_assert!(haven_rules::mail::TEMPLATES.iter().any(|(key, _)| *key == template));
    let words: Vec<String> = words.iter().take(WORDS_MAX).map(|word| tidy_word(word)).collect();
    let mut coins = coins.filter(|(_, copper)| *copper > 0);
    let stacks: Vec<Item> =
        stacks.iter().filter_map(|stack| ctx.db.item().item_id().find(stack.item_id)).collect();
    let mut left = stacks.as_slice();
    loop {
        let (now, later) = left.split_at(left.len().min(ATTACHMENTS_MAX));
        let living = account_of_living(ctx, to_character_id);
        let Some(account_id) = living.filter(|_| box_has_room(ctx, to_character_id)) else {
            let account_id = lost::account_for(ctx, to_character_id);
            lost::find(ctx, cause, (account_id, to_character_id), left, coins.take());
            return;
        };
        let mail = write(
            ctx,
            Draft {
                kind: LetterKind::Realm,
                from: (0, 0),
                to: (account_id, to_character_id),
                subject: String::new(),
                text: String::new(),
                template: template.to_owned(),
                words: words.clone(),
                cod_copper: 0,
                delay_micros: 0,
            },
        );
        for stack in now {
            push(ctx, cause, stack, holder(&mail)).expect("invariant: a new letter has room");
        }
        if let Some((from, copper)) = coins.take() {
            let _ = pay(ctx, cause, from, purse(&mail), copper);
        }
        left = later;
        if left.is_empty() {
            return;
        }
    }
}

/// The cash that was asked on delivery goes to who asked for it, at once.
///
/// # Errors
/// Those of [`pay`].
pub(super) fn send_paid(
    ctx: &ReducerContext,
    cause: &Cause,
    payer: u64,
    mail: &Mail,
) -> Result<(), Refusal> {
    // Through the letter's own purse: what is paid is there before anything is sent.
    pay(ctx, cause, Purse::wallet(ctx, payer), purse(mail), mail.cod_copper)?;
    let to_character_id = mail.from_character_id;
    let words = vec![name_of(ctx, payer), mail.subject.clone()];
    let coins = Some((purse(mail), mail.cod_copper));
    let letter = RealmLetter { to_character_id, template: "cod_paid", words, stacks: &[], coins };
    send_by_realm(ctx, cause, letter);
    Ok(())
}

/// Sends a letter to a character by its name, in the world or not. It costs postage; goods and
/// coins that change account are on their way for an hour, everything else is there at once. For
/// `cod_copper` above 0 the recipient pays that much before it takes anything.
///
/// # Errors
/// In this order: the caller's, the command's (`command.…`), `mail.not_in_world`,
/// `mail.subject_invalid`, `mail.text_invalid`, `mail.attachments_too_many`,
/// `mail.attachment_twice`, `mail.cod_invalid`, `economy.amount_invalid`,
/// `mail.recipient_unknown`, `mail.recipient_self`, `chat.muted` but for letters to the account's
/// own, `mail.too_often`, those of coins (`economy.…`), `item.unknown`, those of items
/// (`item.…`), `mail.mailbox_full` (also for whom the recipient has blocked, or chosen to have no
/// letters of, and for a shadow).
#[reducer]
#[expect(clippy::too_many_arguments, reason = "what a letter is")]
pub fn mail_send(
    ctx: &ReducerContext,
    to_name: String,
    subject: String,
    text: String,
    attachments: Vec<MailAttachment>,
    copper: u64,
    cod_copper: u64,
    command: CommandId,
) -> Result<(), Refusal> {
    let account_id = require_player(ctx)?.account_id;
    let asked = Wanted { to_name, subject, text, attachments, copper, cod_copper };
    once(ctx, account_id, command, &("mail_send", &asked), || {
        send(ctx, (account_id, present(ctx, account_id)?), &asked)
    })
}

/// What a player asks to be sent.
#[derive(Hash)]
struct Wanted {
    to_name: String,
    subject: String,
    text: String,
    attachments: Vec<MailAttachment>,
    copper: u64,
    cod_copper: u64,
}

fn send(ctx: &ReducerContext, from: (u64, u64), wanted: &Wanted) -> Result<(), Refusal> {
    let Wanted { copper, cod_copper, ref attachments, .. } = *wanted;
    let subject = validate_subject(&wanted.subject)?;
    let text = validate_text(&wanted.text)?;
    let item_ids: Vec<u64> =
        attachments.iter().take(ATTACHMENTS_MAX + 1).map(|attached| attached.item_id).collect();
    let asked = Asked { item_ids: &item_ids, copper, cod_copper };
    validate_goods(asked)?;
    validate_amounts(asked)?;
    let to = recipient(ctx, &wanted.to_name)?;
    if to.1 == from.1 {
        return Err(MailError::RecipientSelf.into());
    }
    let is_own = to.0 == from.0;
    if !is_own {
        chat::require_voice(ctx, from.0)?;
    }
    spend_rate(ctx, from.0)?;
    // A shadow is not told that nobody hears it, and its goods must not go where nobody sees them.
    let is_unheard = !is_own && chat::is_shadow(ctx, from.0);
    let has_room =
        !is_unheard && friends::may(ctx, What::Mail, to.0, from.0) && box_has_room(ctx, to.1);
    let book = book(ctx);
    let has_value = copper > 0 || !item_ids.is_empty();
    let delay = book.setting("mail_delay_millis").saturating_mul(1_000);
    let delay_micros = delay_micros(has_value, is_own, delay);
    let cost = postage(
        copper_setting(&book, "mail_postage_copper"),
        copper_setting(&book, "mail_postage_attachment_copper"),
        item_ids.len(),
    );
    let (kind, words) = (LetterKind::Player, vec![]);
    let template = String::new();
    let draft = Draft { kind, from, to, subject, text, template, words, cod_copper, delay_micros };
    let mail = write(ctx, draft);
    let cause = Cause::new(ctx, CauseKind::MailSent, from, mail.mail_id);
    let wallet = Purse::wallet(ctx, from.1);
    if cost > 0 {
        pay(ctx, &cause, wallet, Purse::sink(Sink::Postage), cost)?;
    }
    if copper > 0 {
        pay(ctx, &cause, wallet, purse(&mail), copper)?;
    }
    for attached in attachments {
        let stack = stack_of(ctx, &[HolderKind::Bag], from.1, attached.item_id);
        let stack = stack.ok_or(ItemError::Unknown)?;
        take(ctx, &cause, &stack, attached.count, holder(&mail), Spot::Anywhere)?;
    }
    // Last, so that a letter that cannot be paid for does not tell what the recipient takes; what
    // was done is undone.
    if has_room { Ok(()) } else { Err(MailError::MailboxFull.into()) }
}

fn copper_setting(book: &haven_rules::content::book::Book, key: &str) -> u64 {
    u64::try_from(book.setting(key)).unwrap_or(0)
}

/// The account and the character of that name, if it is living.
fn recipient(ctx: &ReducerContext, name: &str) -> Result<(u64, u64), MailError> {
    let row = by_name(ctx, name).ok_or(MailError::RecipientUnknown)?;
    let account_id = account_of(ctx, row.character_id).ok_or(MailError::RecipientUnknown)?;
    Ok((account_id, row.character_id))
}

/// One letter more of the account's hour.
fn spend_rate(ctx: &ReducerContext, account_id: u64) -> Result<(), MailError> {
    let known = ctx.db.mail_rate().account_id().find(account_id);
    let spent = known.as_ref().map_or(0, |row| row.free_at_micros);
    let per_hour = book(ctx).setting("mail_letters_per_hour");
    let free_at_micros = rate::spend(spent, now_micros(ctx), per_hour)?;
    let sweep_key = due_key(free_at_micros, account_id);
    let row = MailRate { account_id, free_at_micros, sweep_key };
    if known.is_some() {
        ctx.db.mail_rate().account_id().update(row);
    } else {
        ctx.db.mail_rate().insert(row);
    }
    Ok(())
}

/// Forgets the accounts to which all is given back: without a row nothing is spent.
pub(super) fn sweep_rates(ctx: &ReducerContext) {
    let free = ranges(ctx.db.mail_rate().sweep_key()).filter(due_keys(now_micros(ctx)));
    let free: Vec<u64> = free.take(RATE_ROWS_MAX).map(|row| row.account_id).collect();
    for account_id in free {
        ctx.db.mail_rate().account_id().delete(account_id);
    }
}

/// Sends a letter of staff: items in it are made, coins are given, postage is none, and it is there
/// at once. For staff.
///
/// # Errors
/// In this order: the caller's, the command's (`command.…`), `mail.subject_invalid`,
/// `mail.text_invalid`, `mail.attachments_too_many`, `economy.amount_invalid`,
/// `mail.recipient_unknown`, `mail.mailbox_full`, those of items (`item.…`).
#[reducer]
pub fn mail_send_by_staff(
    ctx: &ReducerContext,
    to_name: String,
    subject: String,
    text: String,
    gifts: Vec<MailGift>,
    copper: u64,
    command: CommandId,
) -> Result<(), Refusal> {
    let actor = require(ctx, Permission::ManageGoods)?;
    let what = ("mail_send_by_staff", &to_name, &subject, &text, &gifts, copper);
    once(ctx, actor.account_id, command, &what, || {
        let subject = validate_subject(&subject)?;
        let text = validate_text(&text)?;
        if gifts.len() > ATTACHMENTS_MAX {
            return Err(MailError::AttachmentsTooMany.into());
        }
        validate_amounts(Asked { item_ids: &[], copper, cod_copper: 0 })?;
        let to = recipient(ctx, &to_name)?;
        if !box_has_room(ctx, to.1) {
            return Err(MailError::MailboxFull.into());
        }
        give(ctx, actor.account_id, to, (subject, text), &gifts, copper)
    })
}

fn give(
    ctx: &ReducerContext,
    actor_account_id: u64,
    to: (u64, u64),
    (subject, text): (String, String),
    gifts: &[MailGift],
    copper: u64,
) -> Result<(), Refusal> {
    let (kind, words, cod_copper, delay_micros) = (LetterKind::Staff, vec![], 0, 0);
    let (from, template) = ((0, 0), String::new());
    let why = subject.clone();
    let draft = Draft { kind, from, to, subject, text, template, words, cod_copper, delay_micros };
    let mail = write(ctx, draft);
    let cause = Cause::new(ctx, CauseKind::Staff, (actor_account_id, 0), mail.mail_id);
    for gift in gifts {
        make(ctx, &cause, &gift.def, gift.count, holder(&mail), Spot::Anywhere)?;
    }
    if copper > 0 {
        pay(ctx, &cause, Purse::source(Source::Staff), purse(&mail), copper)?;
    }
    let gifts: Vec<String> =
        gifts.iter().map(|gift| format!("{} {}", gift.count, gift.def)).collect();
    let detail = format!("{} {copper} {}: {why}", mail.mail_id, gifts.join(", "));
    audit::record(ctx, actor_account_id, to.0, "mail_sent", &detail);
    Ok(())
}
