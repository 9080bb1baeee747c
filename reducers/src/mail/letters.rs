//! The rows of letters: writing, delivering, sending back and removing them.
//!
//! Keeps true: a letter counts in its mailbox from the moment it is sent, so there is room when it
//! is delivered; a letter has a row in `mail_due` for as long as it has one in `mail`.

use super::lost;
use crate::characters::{account_of, characters_of};
use crate::economy::{self, Purse, copper_of};
use crate::items::{self, Holder};
use crate::ordered::ranges;
use crate::{now_micros, realms, sequences};
use haven_rules::economy::PurseKind;
use haven_rules::items::HolderKind;
use haven_rules::keys::{joint_key, keys_of};
use haven_rules::mail::fate::{Letter, at_the_end};
use haven_rules::mail::{
    ATTACHMENTS_MAX, DueKind, Fate, LetterKind, LetterState, due_key, expires_at_micros, has_room,
};
use haven_rules::sequences::Numbered;
use haven_tables::characters::character;
use haven_tables::mail::{
    Mail, MailBox, MailDue, MailText, MailUnread, mail, mail_box, mail_due, mail_forwarding,
    mail_text, mail_unread,
};
use spacetimedb::{Identity, ReducerContext, Table};

/// A letter before it has a number.
pub(super) struct Draft {
    pub(super) kind: LetterKind,
    /// Account and character; 0 for realm and staff.
    pub(super) from: (u64, u64),
    /// Account and character.
    pub(super) to: (u64, u64),
    pub(super) subject: String,
    pub(super) text: String,
    pub(super) template: String,
    pub(super) words: Vec<String>,
    pub(super) cod_copper: u64,
    pub(super) delay_micros: i64,
}

/// How many slots a letter has.
pub(super) const LETTER_SLOTS: u16 = 12;
const _: () = assert!(LETTER_SLOTS as usize == ATTACHMENTS_MAX);

/// Where a letter's stacks lie.
pub(super) fn holder(mail: &Mail) -> Holder {
    Holder::of(HolderKind::Mail, mail.mail_id, mail.viewer, LETTER_SLOTS)
}

/// Where a letter's coins lie.
pub(super) fn purse(mail: &Mail) -> Purse {
    Purse::of(PurseKind::Mail, mail.mail_id, mail.viewer)
}

/// Whether anything of value is in the letter of that number.
pub(super) fn has_value(ctx: &ReducerContext, mail_id: u64) -> bool {
    copper_of(ctx, PurseKind::Mail, mail_id) > 0 || !items::is_empty(ctx, HolderKind::Mail, mail_id)
}

/// What a character is called now; empty where it is gone.
pub(super) fn name_of(ctx: &ReducerContext, character_id: u64) -> String {
    let row = ctx.db.character().character_id().find(character_id);
    row.map(|row| row.name).unwrap_or_default()
}

/// The account of a character that letters can be delivered to.
pub(super) fn account_of_living(ctx: &ReducerContext, character_id: u64) -> Option<u64> {
    // While a character is removed for good its row is still there.
    let is_gone = ctx.db.mail_forwarding().character_id().find(character_id).is_some();
    account_of(ctx, character_id).filter(|_| !is_gone)
}

/// Whether a character's mailbox takes one more letter.
pub(super) fn box_has_room(ctx: &ReducerContext, character_id: u64) -> bool {
    let row = ctx.db.mail_box().character_id().find(character_id);
    has_room(row.map_or(0, |row| row.letters))
}

/// Writes a letter, with nothing in it yet. Its mailbox has room.
pub(super) fn write(ctx: &ReducerContext, draft: Draft) -> Mail {
    let now = now_micros(ctx);
    let mail_id = sequences::next(ctx, Numbered::Mail);
    let (to_account_id, to_character_id) = draft.to;
    let (from_account_id, from_character_id) = draft.from;
    let mail = ctx.db.mail().insert(Mail {
        mail_id,
        box_key: due_key_of(to_character_id, mail_id),
        viewer: Identity::ZERO,
        to_character_id,
        from_character_id,
        cod_copper: draft.cod_copper,
        sent_at_micros: now,
        expires_at_micros: 0,
        kind: draft.kind as u8,
        state: LetterState::OnItsWay as u8,
        is_returned: false,
        from_name: name_of(ctx, from_character_id),
        subject: draft.subject,
        template: draft.template,
    });
    if !draft.text.is_empty() || !draft.words.is_empty() {
        let (viewer, text, words) = (Identity::ZERO, draft.text, draft.words);
        ctx.db.mail_text().insert(MailText { mail_id, viewer, text, words });
    }
    count(ctx, to_character_id, 1);
    ctx.db.mail_due().insert(MailDue {
        mail_id,
        due_key: due_key(now.saturating_add(draft.delay_micros), mail_id),
        from_account_id,
        to_account_id,
        kind: DueKind::Delivery as u8,
    });
    if draft.delay_micros > 0 { mail } else { deliver(ctx, mail) }
}

fn due_key_of(owner_id: u64, mail_id: u64) -> u128 {
    joint_key(owner_id, mail_id)
}

/// Shows a letter to its recipient: from now on its time runs.
pub(super) fn deliver(ctx: &ReducerContext, mail: Mail) -> Mail {
    let to_account_id = crate::characters::owner_of(ctx, mail.to_character_id);
    let viewer = to_account_id.map_or(Identity::ZERO, |id| realms::viewer_of(ctx, id));
    let kind = LetterKind::from_code(mail.kind);
    let expires_at_micros = expires_at_micros(kind, mail.cod_copper > 0, now_micros(ctx));
    set_due(ctx, mail.mail_id, DueKind::Expiry, expires_at_micros);
    count_unread(ctx, mail.to_character_id, 1);
    let state = LetterState::Unread as u8;
    let mail = Mail { viewer, expires_at_micros, state, ..mail };
    show(ctx, &mail);
    ctx.db.mail().mail_id().update(mail.clone());
    mail
}

/// Shows what belongs to a letter to whom the letter is shown.
fn show(ctx: &ReducerContext, mail: &Mail) {
    let (mail_id, viewer) = (mail.mail_id, mail.viewer);
    if let Some(row) = ctx.db.mail_text().mail_id().find(mail_id) {
        ctx.db.mail_text().mail_id().update(MailText { viewer, ..row });
    }
    items::show_to(ctx, HolderKind::Mail, mail_id, viewer);
    economy::show_to(ctx, PurseKind::Mail, mail_id, viewer);
}

/// Says when something must be done next about a letter that has a row.
pub(super) fn set_due(ctx: &ReducerContext, mail_id: u64, kind: DueKind, at_micros: i64) {
    let row = ctx.db.mail_due().mail_id().find(mail_id);
    let row = row.expect("invariant: a letter has a row of when it is due");
    let due_key = due_key(at_micros, mail_id);
    ctx.db.mail_due().mail_id().update(MailDue { due_key, kind: kind as u8, ..row });
}

/// The letter is over, or cannot be delivered, or is sent back: what is in it goes where it can.
pub(super) fn end(ctx: &ReducerContext, mail: Mail) {
    let letter = letter_of(ctx, &mail);
    let due = ctx.db.mail_due().mail_id().find(mail.mail_id);
    let due = due.expect("invariant: a letter has a row of when it is due");
    match at_the_end(letter) {
        Fate::Drop => remove(ctx, &mail),
        Fate::Back => send_back(ctx, mail, due),
        Fate::Lost => lost::lose(ctx, &mail, (due.to_account_id, mail.to_character_id)),
    }
}

/// What decides about a letter.
pub(super) fn letter_of(ctx: &ReducerContext, mail: &Mail) -> Letter {
    let due = ctx.db.mail_due().mail_id().find(mail.mail_id);
    Letter {
        kind: LetterKind::from_code(mail.kind),
        is_returned: mail.is_returned,
        is_paid: due.is_some_and(|row| row.kind == DueKind::ExpiryPaid as u8),
        has_value: has_value(ctx, mail.mail_id),
    }
}

/// What was asked on delivery is paid: the letter asks for nothing any more, and stays from now as
/// long as one that never did.
pub(super) fn paid(ctx: &ReducerContext, mail: Mail) -> Mail {
    let kind = LetterKind::from_code(mail.kind);
    let expires_at_micros = expires_at_micros(kind, false, now_micros(ctx));
    set_due(ctx, mail.mail_id, DueKind::ExpiryPaid, expires_at_micros);
    let mail = Mail { cod_copper: 0, expires_at_micros, ..mail };
    ctx.db.mail().mail_id().update(mail.clone());
    mail
}

/// Into the mailbox of who sent it, at once; where that is full or gone, into the lost-and-found.
fn send_back(ctx: &ReducerContext, mail: Mail, due: MailDue) {
    let sender = mail.from_character_id;
    if account_of_living(ctx, sender).is_none() || !box_has_room(ctx, sender) {
        lost::lose(ctx, &mail, (due.from_account_id, sender));
        return;
    }
    leave_box(ctx, &mail);
    count(ctx, sender, 1);
    ctx.db.mail_due().mail_id().update(MailDue {
        from_account_id: due.to_account_id,
        to_account_id: due.from_account_id,
        ..due
    });
    let mail = Mail {
        box_key: due_key_of(sender, mail.mail_id),
        to_character_id: sender,
        from_character_id: mail.to_character_id,
        from_name: name_of(ctx, mail.to_character_id),
        cod_copper: 0,
        is_returned: true,
        ..mail
    };
    deliver(ctx, mail);
}

/// Removes a letter with nothing in it.
pub(super) fn remove(ctx: &ReducerContext, mail: &Mail) {
    ctx.db.mail_due().mail_id().delete(mail.mail_id);
    remove_head(ctx, mail);
}

/// Removes a letter's head and text.
pub(super) fn remove_head(ctx: &ReducerContext, mail: &Mail) {
    leave_box(ctx, mail);
    // Its purse is known for as long as its entries are, but nobody needs to see it.
    economy::show_to(ctx, PurseKind::Mail, mail.mail_id, Identity::ZERO);
    ctx.db.mail_text().mail_id().delete(mail.mail_id);
    ctx.db.mail().mail_id().delete(mail.mail_id);
}

fn leave_box(ctx: &ReducerContext, mail: &Mail) {
    count(ctx, mail.to_character_id, -1);
    if mail.state == LetterState::Unread as u8 {
        count_unread(ctx, mail.to_character_id, -1);
    }
}

/// The recipient has read the letter, or taken something.
pub(super) fn mark_read(ctx: &ReducerContext, mail: Mail) -> Mail {
    if mail.state != LetterState::Unread as u8 {
        return mail;
    }
    count_unread(ctx, mail.to_character_id, -1);
    let mail = Mail { state: LetterState::Read as u8, ..mail };
    ctx.db.mail().mail_id().update(mail.clone());
    mail
}

/// All letters of a character, those on their way too: as many as a mailbox holds.
pub(super) fn of(ctx: &ReducerContext, character_id: u64) -> Vec<Mail> {
    ranges(ctx.db.mail().box_key()).filter(keys_of(character_id)).collect()
}

/// The letters of an account are shown to another identity than before.
pub(super) fn rebind(ctx: &ReducerContext, account_id: u64, viewer: Identity) {
    for character_id in characters_of(ctx, account_id) {
        if let Some(row) = ctx.db.mail_unread().character_id().find(character_id) {
            ctx.db.mail_unread().character_id().update(MailUnread { viewer, ..row });
        }
        let delivered = |mail: &Mail| mail.state != LetterState::OnItsWay as u8;
        for mail in of(ctx, character_id).into_iter().filter(delivered) {
            let mail = Mail { viewer, ..mail };
            show(ctx, &mail);
            ctx.db.mail().mail_id().update(mail);
        }
    }
}

/// Removes the rows of a mailbox that has no letters any more.
pub(super) fn forget_box(ctx: &ReducerContext, character_id: u64) {
    ctx.db.mail_box().character_id().delete(character_id);
    ctx.db.mail_unread().character_id().delete(character_id);
}

fn count(ctx: &ReducerContext, character_id: u64, change: i16) {
    let known = ctx.db.mail_box().character_id().find(character_id);
    let before = known.as_ref().map_or(0, |row| row.letters);
    let letters = before.saturating_add_signed(change);
    let row = MailBox { character_id, letters };
    match (known.is_some(), letters) {
        (true, 0) => {
            ctx.db.mail_box().character_id().delete(character_id);
        }
        (true, _) => {
            ctx.db.mail_box().character_id().update(row);
        }
        (false, _) => {
            ctx.db.mail_box().insert(row);
        }
    }
}

fn count_unread(ctx: &ReducerContext, character_id: u64, change: i16) {
    let known = ctx.db.mail_unread().character_id().find(character_id);
    let before = known.as_ref().map_or(0, |row| row.unread);
    let unread = before.saturating_add_signed(change);
    if let Some(row) = known {
        ctx.db.mail_unread().character_id().update(MailUnread { unread, ..row });
    } else {
        let viewer = crate::characters::viewer_of(ctx, character_id);
        ctx.db.mail_unread().insert(MailUnread { character_id, viewer, unread });
    }
}
