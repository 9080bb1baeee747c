//! Chat: channels, who may speak and read, history, moderation.
//!
//! What everybody may read (block, region, realm, trade) are shared rows that clients subscribe to
//! by `channel_key`; everything else comes to each hearer's inbox, where nobody else sees it. The
//! log, which histories are read from, is private.
//! Channels that players make and what moderators keep have their own files.

pub mod channels;
pub mod moderation;

use spacetimedb::{Filter, Identity, SpacetimeType, client_visibility_filter, table};

/// A link that a message is sent with.
#[derive(SpacetimeType, Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ChatLink {
    /// 1 item, 2 character (`rules::chat::text::LinkKind`).
    pub kind: u8,
    /// The item or the character.
    pub target_id: u64,
}

/// A link of a message, as it was when it was sent. It belongs where the text has U+FFFC.
#[derive(SpacetimeType, Clone, Debug, PartialEq, Eq)]
pub struct ChatPart {
    /// 1 item, 2 character.
    pub kind: u8,
    /// The item or the character.
    pub target_id: u64,
    /// The key of the item's definition, or the character's name.
    pub label: String,
}

/// A message in a page of history or a report.
#[derive(SpacetimeType, Clone, Debug, PartialEq, Eq)]
pub struct ChatLine {
    /// Rises with time, in each channel too.
    pub message_id: u64,
    /// The character that sent it.
    pub sender_id: u64,
    /// Whom it was whispered to; 0 for all other kinds.
    pub other_id: u64,
    /// When it was sent, microseconds since 1970.
    pub sent_at_micros: i64,
    /// As `chat_message.flags`.
    pub flags: u8,
    /// The sender's name then.
    pub sender_name: String,
    /// What it says now.
    pub text: String,
    /// Its links.
    pub parts: Vec<ChatPart>,
}

/// A channel of which messages are kept. Gone with the last of them.
#[table(name = chat_head)]
pub struct ChatHead {
    /// Kind and number (`rules::chat::channel_key`).
    #[primary_key]
    pub channel_key: u64,
    /// Its last message.
    pub last_message_id: u64,
    /// How many messages of it are kept.
    pub held: u32,
}

/// A message. Kept as long and as many as its kind says (`rules::chat::ChatKind::retention`).
#[table(name = chat_log)]
#[derive(Clone)]
pub struct ChatLog {
    /// Rises with time.
    #[primary_key]
    pub message_id: u64,
    /// `channel_key` in the upper 64 bits, `message_id` in the lower: read for histories.
    #[unique]
    pub place_key: u128,
    /// Until when it is kept in the upper 64 bits, `message_id` in the lower: read by the sweep.
    #[unique]
    pub expiry_key: u128,
    /// Its channel.
    pub channel_key: u64,
    /// The character that sent it.
    pub sender_id: u64,
    /// The account that sent it.
    pub sender_account_id: u64,
    /// Whom it was whispered to; 0 for all other kinds.
    pub other_id: u64,
    /// The same message in the other one's whispers; 0 where there is none.
    pub twin_message_id: u64,
    /// When it was sent, microseconds since 1970.
    pub sent_at_micros: i64,
    /// Bit 0: changed. Bit 1: taken back. Bit 2: its sender alone sees it.
    pub flags: u8,
    /// The sender's name then.
    pub sender_name: String,
    /// What it says; empty where it was taken back.
    pub text: String,
    /// Its links.
    pub parts: Vec<ChatPart>,
}

/// A message that everybody may read. As long there as its row in `chat_log`.
#[table(
    name = chat_message,
    public,
    // Subscribed to per channel.
    index(name = by_channel_key, btree(columns = [channel_key]))
)]
pub struct ChatMessage {
    /// Rises with time, in each channel too.
    #[primary_key]
    pub message_id: u64,
    /// Its channel: kind in the upper 4 bits, a block's or region's key, or 0, in the lower 60.
    pub channel_key: u64,
    /// The character that sent it.
    pub sender_id: u64,
    /// When it was sent, microseconds since 1970.
    pub sent_at_micros: i64,
    /// Bit 0: changed. Bit 1: taken back.
    pub flags: u8,
    /// The sender's name then.
    pub sender_name: String,
    /// What it says; empty where it was taken back.
    pub text: String,
    /// Its links.
    pub parts: Vec<ChatPart>,
}

/// A message that came to a player. Kept for `rules::chat::INBOX_SECONDS`.
#[table(name = chat_delivery, public)]
#[derive(Clone)]
pub struct ChatDelivery {
    /// The account in the upper 64 bits, `message_id` in the lower.
    #[primary_key]
    pub delivery_key: u128,
    /// `message_id` in the upper 64 bits, the account in the lower: read to change what a message
    /// says everywhere, and by the sweep.
    #[unique]
    pub message_key: u128,
    /// Whom it is shown to.
    pub viewer: Identity,
    /// Rises with time, in each channel too.
    pub message_id: u64,
    /// Its channel.
    pub channel_key: u64,
    /// The character that sent it.
    pub sender_id: u64,
    /// Whom it was whispered to; 0 for all other kinds.
    pub other_id: u64,
    /// When it was sent, microseconds since 1970.
    pub sent_at_micros: i64,
    /// Bit 0: changed. Bit 1: taken back.
    pub flags: u8,
    /// The sender's name then.
    pub sender_name: String,
    /// What it says; empty where it was taken back.
    pub text: String,
    /// Its links.
    pub parts: Vec<ChatPart>,
}

#[client_visibility_filter]
const CHAT_DELIVERY_FILTER: Filter =
    Filter::Sql("SELECT * FROM chat_delivery WHERE viewer = :sender");

/// The page of history that a player asked for last. Gone when its character leaves.
#[table(name = chat_page, public)]
pub struct ChatPage {
    /// The account.
    #[primary_key]
    pub account_id: u64,
    /// Whom it is shown to.
    pub viewer: Identity,
    /// The channel.
    pub channel_key: u64,
    /// The messages are older than this one; 0 for the newest.
    pub before_message_id: u64,
    /// The oldest first.
    pub lines: Vec<ChatLine>,
    /// Whether there are older ones.
    pub has_more: bool,
}

#[client_visibility_filter]
const CHAT_PAGE_FILTER: Filter = Filter::Sql("SELECT * FROM chat_page WHERE viewer = :sender");

/// How far a character has read a channel. At most `rules::chat::CURSORS_MAX` of a character.
#[table(name = chat_cursor, public)]
#[derive(Clone)]
pub struct ChatCursor {
    /// The character in the upper 64 bits, the channel in the lower.
    #[primary_key]
    pub cursor_key: u128,
    /// Whom it is shown to.
    pub viewer: Identity,
    /// The character.
    pub character_id: u64,
    /// The channel.
    pub channel_key: u64,
    /// The last message that was read.
    pub read_message_id: u64,
    /// Messages after it when the row was written, at most `rules::chat::UNREAD_MAX`.
    pub unread: u16,
}

#[client_visibility_filter]
const CHAT_CURSOR_FILTER: Filter = Filter::Sql("SELECT * FROM chat_cursor WHERE viewer = :sender");

/// How often an account, or all together, may do what is limited. One row for each; the defaults
/// are in `rules::chat::default_limit`.
#[table(name = chat_limit, public)]
pub struct ChatLimit {
    /// A kind of chat, or one of the numbers after them.
    #[primary_key]
    pub code: u8,
    /// Times at once.
    pub burst: u16,
    /// How long until one more.
    pub refill_millis: u32,
}

/// What an account, or all together, used up of what is limited. Gone when all of it is back.
#[table(name = chat_bucket)]
pub struct ChatBucket {
    /// The account; 0 for all together.
    #[primary_key]
    pub account_id: u64,
    /// When all of it is full in the upper 64 bits, the account in the lower: read by the sweep.
    #[unique]
    pub full_key: u128,
    /// By number less 1: when it is full, microseconds since 1970.
    pub full_at_micros: Vec<i64>,
}
