//! Letters with goods and coins, from player to player and from the realm.
//!
//! Keeps true: what is in a letter is taken by its recipient, goes back once, or ends in an
//! account's lost-and-found; a letter that is dropped has nothing in it. What may be written and
//! what it costs is here; what becomes of a letter is in [`fate`].

pub mod fate;
pub mod rate;

pub use fate::{DueKind, Fate, LetterKind, LetterState};

use crate::economy::{COPPER_MAX, EconomyError};
use crate::errors::domain_errors;
use crate::keys::joint_key;
use unicode_normalization::UnicodeNormalization;

/// Most stacks that go with a letter.
pub const ATTACHMENTS_MAX: usize = 12;
/// Most letters a mailbox holds, those on their way included.
pub const MAILBOX_LETTERS_MAX: u16 = 100;
/// Longest subject, characters.
pub const SUBJECT_CHARS_MAX: usize = 60;
/// Longest text, characters.
pub const TEXT_CHARS_MAX: usize = 2_000;
/// Most words that are put into a text of the realm.
pub const WORDS_MAX: usize = 8;
/// Longest of them, characters; what is longer is cut.
pub const WORD_CHARS_MAX: usize = 100;
/// How long a letter stays after it is delivered, days.
pub const EXPIRY_DAYS: u32 = 30;
/// How long one stays for which cash is asked on delivery, days.
pub const EXPIRY_COD_DAYS: u32 = 3;
/// How long one of staff stays, days.
pub const EXPIRY_STAFF_DAYS: u32 = 90;
/// For how long it is known whose a character was that is removed for good, days.
pub const FORWARDING_DAYS: u32 = 365;
/// A day, microseconds.
pub const DAY_MICROS: i64 = 86_400_000_000;

domain_errors! {
    /// Why something about mail was refused.
    MailError {
        CharacterAbsent = 1000, "mail.not_in_world", "the caller has no character in the world";
        SubjectInvalid = 1001, "mail.subject_invalid", "a subject has 1 to 60 characters on one line";
        TextInvalid = 1002, "mail.text_invalid", "a text has at most 2,000 characters that can be read";
        AttachmentsTooMany = 1003, "mail.attachments_too_many", "at most 12 stacks go with a letter";
        AttachmentTwice = 1004, "mail.attachment_twice", "a stack is attached once";
        CodInvalid = 1005, "mail.cod_invalid", "cash on delivery is asked for items, and no coins go with them";
        RecipientUnknown = 1006, "mail.recipient_unknown", "there is no character of that name";
        RecipientSelf = 1007, "mail.recipient_self", "a character writes to others";
        TooOften = 1008, "mail.too_often", "the account has sent as many letters as it may for now";
        MailboxFull = 1009, "mail.mailbox_full", "the recipient takes no more letters now";
        Unknown = 1010, "mail.unknown", "the caller's character has no such letter";
        CodDiffers = 1011, "mail.cod_differs", "who takes what is paid on delivery says how much it is";
        Empty = 1012, "mail.empty", "there is nothing to take";
        NotReturnable = 1013, "mail.not_returnable", "what a player sent goes back with what is in it, and once";
        NotEmpty = 1014, "mail.not_empty", "something of value is in the letter";
        NothingLost = 1015, "mail.nothing_lost", "nothing of the account's is in the lost-and-found";
    }
}

/// Texts of the realm, and what their words are, in order. Clients show them in the player's
/// language; to one they do not know they show its words.
pub const TEMPLATES: &[(&str, &[&str])] = &[
    ("auction_outbid", &["item", "how many", "copper of the bid"]),
    ("auction_sold", &["item", "how many", "copper of the price"]),
    ("auction_unsold", &["item", "how many"]),
    ("auction_won", &["item", "how many", "copper of the price"]),
    ("cod_paid", &["who paid", "subject of the letter"]),
    ("leaderboard_reward", &["board", "season", "rank"]),
    ("loot_won", &["item"]),
    ("order_ended", &["item", "how many", "copper of each"]),
];

/// What a player asks to be sent, before anything is looked up.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The stacks that go with it.
    pub item_ids: &'a [u64],
    /// Coins that go with it.
    pub copper: u64,
    /// Coins that are asked for it.
    pub cod_copper: u64,
}

/// Whether a letter can hold what is asked.
///
/// # Errors
/// In this order: `AttachmentsTooMany`, `AttachmentTwice`, `CodInvalid`.
pub fn validate_goods(asked: Asked<'_>) -> Result<(), MailError> {
    if asked.item_ids.len() > ATTACHMENTS_MAX {
        return Err(MailError::AttachmentsTooMany);
    }
    let mut item_ids = asked.item_ids.to_vec();
    item_ids.sort_unstable();
    if item_ids.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(MailError::AttachmentTwice);
    }
    if asked.cod_copper > 0 && (asked.copper > 0 || asked.item_ids.is_empty()) {
        return Err(MailError::CodInvalid);
    }
    Ok(())
}

/// Whether amounts are amounts.
///
/// # Errors
/// `economy.amount_invalid`.
pub fn validate_amounts(asked: Asked<'_>) -> Result<(), EconomyError> {
    let good = asked.copper <= COPPER_MAX && asked.cod_copper <= COPPER_MAX;
    if good { Ok(()) } else { Err(EconomyError::AmountInvalid) }
}

/// A subject as it is stored: normal form C.
///
/// # Errors
/// `SubjectInvalid`.
pub fn validate_subject(subject: &str) -> Result<String, MailError> {
    let subject = normalized(subject, SUBJECT_CHARS_MAX, |_| false);
    let subject = subject.ok_or(MailError::SubjectInvalid)?;
    if subject.trim().is_empty() { Err(MailError::SubjectInvalid) } else { Ok(subject) }
}

/// A text as it is stored: normal form C. Lines may be broken.
///
/// # Errors
/// `TextInvalid`.
pub fn validate_text(text: &str) -> Result<String, MailError> {
    normalized(text, TEXT_CHARS_MAX, |letter| letter == '\n').ok_or(MailError::TextInvalid)
}

/// A word of the realm's as it is stored: what cannot be shown is left out, what is too long cut.
pub fn tidy_word(word: &str) -> String {
    word.chars().filter(|letter| !is_hidden(*letter)).take(WORD_CHARS_MAX).collect()
}

fn normalized(text: &str, chars_max: usize, allowed: fn(char) -> bool) -> Option<String> {
    // A character has at most four bytes, and normal form C makes at most three of one.
    if text.len() > chars_max * 12 {
        return None;
    }
    let text: String = text.nfc().collect();
    let good = text.chars().all(|letter| allowed(letter) || !is_hidden(letter));
    (good && text.chars().count() <= chars_max).then_some(text)
}

/// Control characters, and those that turn the direction of what stands after them.
fn is_hidden(letter: char) -> bool {
    letter.is_control() || matches!(letter, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// What a letter costs, copper: a base, and something for each stack. Neither rounds.
pub fn postage(base_copper: u64, attachment_copper: u64, attachments: usize) -> u64 {
    let attachments = u64::try_from(attachments).unwrap_or(u64::MAX);
    base_copper.saturating_add(attachment_copper.saturating_mul(attachments))
}

/// How long a letter is on its way, microseconds: goods and coins that change account take their
/// time, so that what was stolen can be kept from moving on; everything else is there at once.
pub fn delay_micros(has_value: bool, is_same_account: bool, delay_micros: i64) -> i64 {
    if has_value && !is_same_account { delay_micros } else { 0 }
}

/// When a letter is over that is delivered now, microseconds since 1970.
pub fn expires_at_micros(kind: LetterKind, asks_cash: bool, now_micros: i64) -> i64 {
    let days = match kind {
        LetterKind::Staff => EXPIRY_STAFF_DAYS,
        LetterKind::Player | LetterKind::Realm if asks_cash => EXPIRY_COD_DAYS,
        LetterKind::Player | LetterKind::Realm => EXPIRY_DAYS,
    };
    now_micros.saturating_add(i64::from(days) * DAY_MICROS)
}

/// Whether a mailbox has room for one more.
pub fn has_room(letters: u16) -> bool {
    letters < MAILBOX_LETTERS_MAX
}

/// The key of what is found by an instant: the instant above, the number below.
pub fn due_key(at_micros: i64, number: u64) -> u128 {
    let at_micros = u64::try_from(at_micros).unwrap_or(0);
    joint_key(at_micros, number)
}

/// The keys of all that is due by now.
pub fn due_keys(now_micros: i64) -> std::ops::RangeInclusive<u128> {
    0..=due_key(now_micros, u64::MAX)
}

#[cfg(test)]
mod tests;
