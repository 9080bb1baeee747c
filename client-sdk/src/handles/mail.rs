//! Letters.
//!
//! Keeps true: what moves something is a command (`crate::handles`).

use crate::error::HavenError;
use crate::kept::rows::{Mail, MailText, MailUnread};
use crate::link::Call;
use crate::module_bindings::MailAttachment;
use std::sync::Arc;

handle! {
    /// Letters. [`Topic::Mail`](crate::Topic::Mail) keeps them known here;
    /// what is in them is among [`GoodsHandle::items`](crate::GoodsHandle::items).
    MailHandle
}

impl MailHandle<'_> {
    /// Sends a letter to a character by its name, in the world or not. It costs postage; goods and
    /// coins that change account are on their way for an hour, everything else is there at once.
    /// For `cod_copper` above 0 the recipient pays that much before it takes anything.
    ///
    /// # Errors
    /// `mail.not_in_world`, `mail.subject_invalid`, `mail.text_invalid`,
    /// `mail.attachments_too_many`, `mail.attachment_twice`, `mail.cod_invalid`,
    /// `economy.amount_invalid`, `mail.recipient_unknown`, `mail.recipient_self`, `chat.muted` but
    /// for letters to the account's own, `mail.too_often`, those of coins (`economy.…`),
    /// `item.unknown`, those of items (`item.…`), `mail.mailbox_full` (also for whom the recipient
    /// has blocked, or chosen to have no letters of).
    pub async fn send(
        &self,
        to_name: &str,
        subject: &str,
        text: &str,
        attachments: Vec<MailAttachment>,
        copper: u64,
        cod_copper: u64,
    ) -> Result<(), HavenError> {
        let to_name = to_name.to_owned();
        let subject = subject.to_owned();
        let text = text.to_owned();
        self.realm
            .command(|command| Call::MailSend {
                to_name,
                subject,
                text,
                attachments,
                copper,
                cod_copper,
                command,
            })
            .await
    }

    /// Marks a letter as read; one that was read stays so.
    ///
    /// # Errors
    /// `mail.not_in_world`, `mail.unknown`.
    pub async fn mark_read(&self, mail_id: u64) -> Result<(), HavenError> {
        self.realm.ask(Call::MailRead { mail_id }).await
    }

    /// Takes one stack out of a letter, or with `item_id` 0 everything, coins too: all of it or
    /// nothing. If cash is asked on delivery it is paid first, as a whole, and `cod_copper` says
    /// how much it is; the sender gets it by a letter of the realm. `cod_copper` is 0 for other
    /// letters. What is left in a letter that is paid for does not go back.
    ///
    /// # Errors
    /// `mail.not_in_world`, `mail.unknown`, `mail.cod_differs`, `mail.empty`, `item.unknown`, those
    /// of coins (`economy.…`), those of items (`item.…`).
    pub async fn take(
        &self,
        mail_id: u64,
        item_id: u64,
        cod_copper: u64,
    ) -> Result<(), HavenError> {
        self.realm.command(|command| Call::MailTake { mail_id, item_id, cod_copper, command }).await
    }

    /// Takes what there is room for out of the letters that ask for no cash, the oldest first: at
    /// most `TAKE_ALL_LETTERS_MAX` letters and `TAKE_ALL_STACKS_MAX` stacks a call. What cannot be
    /// taken is passed over.
    ///
    /// # Errors
    /// `mail.not_in_world`, `mail.empty`; `item.no_room` and others of items and coins if nothing
    /// could be taken.
    pub async fn take_all(&self) -> Result<(), HavenError> {
        self.realm.command(|command| Call::MailTakeAll { command }).await
    }

    /// Sends a player's letter back with what is in it; it cannot come a second time.
    ///
    /// # Errors
    /// `mail.not_in_world`, `mail.unknown`, `mail.not_returnable`, `item.frozen`, `economy.frozen`.
    pub async fn send_back(&self, mail_id: u64) -> Result<(), HavenError> {
        self.realm.command(|command| Call::MailReturn { mail_id, command }).await
    }

    /// Removes a letter with nothing of value in it.
    ///
    /// # Errors
    /// `mail.not_in_world`, `mail.unknown`, `mail.not_empty`.
    pub async fn delete(&self, mail_id: u64) -> Result<(), HavenError> {
        self.realm.ask(Call::MailDelete { mail_id }).await
    }

    snapshots! {
        /// Letters to own characters.
        letters = mail: Mail;
        /// What they say.
        texts = mail_text: MailText;
        /// How many are unread, by character.
        unread = mail_unread: MailUnread;
    }
}
