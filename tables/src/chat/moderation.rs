//! What moderators keep: mutes, reports with their context, what messages said before.

use super::{ChatLine, ChatPart};
use spacetimedb::{Filter, Identity, client_visibility_filter, table};

/// An account that may not speak. Gone at its end.
#[table(name = chat_muted, public)]
#[derive(Clone)]
pub struct ChatMuted {
    /// The account.
    #[primary_key]
    pub account_id: u64,
    /// The end in the upper 64 bits, the account in the lower: read by the sweep.
    #[unique]
    pub end_key: u128,
    /// Whom it is shown to; nobody where it is a shadow.
    pub viewer: Identity,
    /// When it ends, microseconds since 1970.
    pub ends_at_micros: i64,
    /// Whether the account goes on speaking and nobody hears it.
    pub is_shadow: bool,
    /// Why.
    pub reason: String,
}

#[client_visibility_filter]
const CHAT_MUTED_FILTER: Filter = Filter::Sql("SELECT * FROM chat_muted WHERE viewer = :sender");

/// What a message said before it was changed or taken back. Kept for `rules::chat::REVISION_DAYS`.
#[table(name = chat_revision)]
pub struct ChatRevision {
    /// When it was changed in the upper 64 bits, `message_id` in the lower: in the order in which
    /// it happened; read by the sweep.
    #[primary_key]
    pub revision_key: u128,
    /// `message_id` in the upper 64 bits, when in the lower: read for a message.
    #[unique]
    pub said_key: u128,
    /// Its channel.
    pub channel_key: u64,
    /// The account that had sent it.
    pub sender_account_id: u64,
    /// The account that changed it; 0 for the owner.
    pub by_account_id: u64,
    /// Whether it was taken back.
    pub is_removal: bool,
    /// What it said.
    pub text: String,
    /// Its links.
    pub parts: Vec<ChatPart>,
}

/// A report of a message, with what was said around it. Kept for `rules::chat::REPORT_DAYS`.
#[table(name = chat_reported)]
#[derive(Clone)]
pub struct ChatReported {
    /// Rises with time.
    #[primary_key]
    pub report_id: u64,
    /// `message_id` in the upper 64 bits, who reported it in the lower.
    #[unique]
    pub pair_key: u128,
    /// Who reported it in the upper 64 bits, the topmost of them set where it is closed,
    /// `report_id` in the lower: read to bound open ones.
    #[unique]
    pub reporter_key: u128,
    /// The account that reported it.
    pub reporter_account_id: u64,
    /// The account that is reported.
    pub sender_account_id: u64,
    /// The message.
    pub message_id: u64,
    /// Its channel.
    pub channel_key: u64,
    /// When, microseconds since 1970.
    pub reported_at_micros: i64,
    /// Whether it is done with.
    pub is_closed: bool,
    /// Why.
    pub reason: String,
    /// What came of it.
    pub outcome: String,
    /// The message and those around it, the oldest first, as they were when it was reported.
    pub context: Vec<ChatLine>,
}

/// Up to where reports and inboxes are swept: one row.
#[table(name = chat_swept)]
pub struct ChatSwept {
    /// Always 0.
    #[primary_key]
    pub singleton_id: u8,
    /// No report up to this number is there any more.
    pub report_id: u64,
    /// No inbox holds a message with this number or a lower one.
    pub message_id: u64,
}
