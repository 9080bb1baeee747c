//! Letters with goods and coins, from player to player and from the realm, and what could not be
//! given back.
//!
//! Keeps true: a letter is shown to its recipient's account alone, and to nobody before it is
//! delivered; each letter has one row that says when something must be done about it. What is in a
//! letter lies in the container and the purse of its number, not here.

use spacetimedb::{Filter, Identity, SpacetimeType, client_visibility_filter, table};

/// A stack, or a part of it, that goes with a letter.
#[derive(SpacetimeType, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MailAttachment {
    /// The stack, in the sender's bags.
    pub item_id: u64,
    /// How many of it, at least 1.
    pub count: u32,
}

/// Items that staff sends: they are made.
#[derive(SpacetimeType, Clone, Debug, PartialEq, Eq, Hash)]
pub struct MailGift {
    /// Key of the definition in content, kind `item`.
    pub def: String,
    /// How many, at least 1.
    pub count: u32,
}

/// A letter's head. Of a mailbox at most `rules::mail::MAILBOX_LETTERS_MAX`, those on their way
/// included; removed when its time is over.
#[table(name = mail, public)]
#[derive(Clone)]
pub struct Mail {
    /// Never reused. Also the number of its container (kind 3) and of its purse (kind 2).
    #[primary_key]
    pub mail_id: u64,
    /// The recipient in the upper 64 bits, `mail_id` in the lower: read to list a mailbox.
    #[unique]
    pub box_key: u128,
    /// Who sees it: the recipient's account; nobody while it is on its way.
    pub viewer: Identity,
    /// The recipient.
    pub to_character_id: u64,
    /// The player's character that sent it, or that it came back from; 0 for realm and staff.
    pub from_character_id: u64,
    /// What is to be paid before anything is taken out, copper; 0 for nothing.
    pub cod_copper: u64,
    /// When it was sent, microseconds since 1970.
    pub sent_at_micros: i64,
    /// When it is over, microseconds since 1970; 0 while it is on its way.
    pub expires_at_micros: i64,
    /// `rules::mail::LetterKind`.
    pub kind: u8,
    /// `rules::mail::LetterState`.
    pub state: u8,
    /// Whether it came back: then it does not go back again.
    pub is_returned: bool,
    /// What the sender was called then; empty for realm and staff.
    pub from_name: String,
    /// What a player or staff wrote; empty for the realm.
    pub subject: String,
    /// Which text of the realm it is (`rules::mail::TEMPLATES`); empty for others.
    pub template: String,
}

#[client_visibility_filter]
const MAIL_FILTER: Filter = Filter::Sql("SELECT * FROM mail WHERE viewer = :sender");

/// What stands in a letter. No row where nothing does; removed with its letter.
#[table(name = mail_text, public)]
#[derive(Clone)]
pub struct MailText {
    /// The letter.
    #[primary_key]
    pub mail_id: u64,
    /// Who sees it: as of its letter.
    pub viewer: Identity,
    /// What a player or staff wrote; empty for the realm.
    pub text: String,
    /// What is put into the realm's text, in its order; empty for others.
    pub words: Vec<String>,
}

#[client_visibility_filter]
const MAIL_TEXT_FILTER: Filter = Filter::Sql("SELECT * FROM mail_text WHERE viewer = :sender");

/// How many letters of a character nobody has read. One row for each character that ever had any,
/// removed with it.
#[table(name = mail_unread, public)]
#[derive(Clone)]
pub struct MailUnread {
    /// The character.
    #[primary_key]
    pub character_id: u64,
    /// Who sees it: its account.
    pub viewer: Identity,
    /// 0 to what a mailbox holds.
    pub unread: u16,
}

#[client_visibility_filter]
const MAIL_UNREAD_FILTER: Filter = Filter::Sql("SELECT * FROM mail_unread WHERE viewer = :sender");

/// How full a mailbox is. One row for each character that has letters.
#[table(name = mail_box)]
pub struct MailBox {
    /// The character.
    #[primary_key]
    pub character_id: u64,
    /// Those on their way included: at least 1, at most what a mailbox holds.
    pub letters: u16,
}

/// When something must be done about a letter, and between whom it goes. One row for each letter,
/// and for each that is held.
#[table(name = mail_due)]
#[derive(Clone)]
pub struct MailDue {
    /// The letter.
    #[primary_key]
    pub mail_id: u64,
    /// When, microseconds since 1970, in the upper 64 bits, `mail_id` in the lower.
    #[unique]
    pub due_key: u128,
    /// The account that sent it, which a character that is gone does not tell; 0 for the realm.
    pub from_account_id: u64,
    /// The account it goes to.
    pub to_account_id: u64,
    /// `rules::mail::DueKind`.
    pub kind: u8,
}

/// Goods that found no room in an account's lost-and-found, or that staff keeps from moving: they
/// stay in the container and the purse of that number, and it is tried again.
#[table(name = mail_held)]
pub struct MailHeld {
    /// The number of the letter that they were in.
    #[primary_key]
    pub mail_id: u64,
    /// The account in the upper 64 bits, `mail_id` in the lower.
    #[unique]
    pub held_key: u128,
}

/// How much an account has sent lately. Gone when all of it is given back, an hour after the last
/// letter at the latest.
#[table(name = mail_rate)]
pub struct MailRate {
    /// The account.
    #[primary_key]
    pub account_id: u64,
    /// When all that it has sent is given back (`rules::mail::rate`), microseconds since 1970.
    pub free_at_micros: i64,
    /// That instant in the upper 64 bits, `account_id` in the lower: read by the sweep.
    #[unique]
    pub sweep_key: u128,
}

/// Whose a character was that is removed for good. Kept for `rules::mail::FORWARDING_DAYS`.
#[table(name = mail_forwarding)]
pub struct MailForwarding {
    /// The character.
    #[primary_key]
    pub character_id: u64,
    /// When it may go, microseconds since 1970, in the upper 64 bits, `character_id` in the lower.
    #[unique]
    pub sweep_key: u128,
    /// Its account.
    pub account_id: u64,
}
