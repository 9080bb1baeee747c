//! Chat: channels, who may speak and read, history, moderation.
//!
//! Keeps true: a kind says who hears it, how long it is kept and how much of it, and how fast one
//! may speak; a channel's key is one unsigned number that clients subscribe by.
//! Texts and what they link ([`text`]), words that are hidden or refused ([`filter`]), how often
//! one may speak ([`bucket`]) and what the roles of a channel may do ([`roles`]) have their own
//! files.

pub mod bucket;
pub mod filter;
pub mod roles;
pub mod text;

use crate::errors::domain_errors;
use bucket::Limit;

/// Longest message, characters.
pub const TEXT_CHARS_MAX: usize = 255;
/// Most links of a message.
pub const LINKS_MAX: usize = 4;
/// Longest reason of a report or a mute, characters.
pub const REASON_CHARS_MAX: usize = 200;
/// How long a sender can change a message, seconds.
pub const EDIT_SECONDS: u32 = 300;
/// How long what was delivered to a player stays in its inbox, seconds.
pub const INBOX_SECONDS: u32 = 300;
/// Most rows of all inboxes together; the oldest go first.
pub const INBOX_ROWS_MAX: u64 = 200_000;
/// How long what a message said before it was changed is kept, days.
pub const REVISION_DAYS: u32 = 30;
/// How long reports are kept, days.
pub const REPORT_DAYS: u32 = 90;
/// Most open reports of an account.
pub const REPORTS_OPEN_MAX: usize = 20;
/// Messages before a reported one that are copied with it.
pub const CONTEXT_BEFORE: usize = 10;
/// Messages after a reported one that are copied with it.
pub const CONTEXT_AFTER: usize = 5;
/// Most messages of a page of history.
pub const PAGE_MESSAGES_MAX: usize = 50;
/// Most unread messages that are counted.
pub const UNREAD_MAX: usize = 100;
/// Most cursors of a character; the one that has read least far gives way.
pub const CURSORS_MAX: usize = 40;
/// Longest mute, seconds: a year.
pub const MUTE_SECONDS_MAX: u32 = 31_536_000;
/// Hearers of a message that are counted together against [`CROWD_LIMIT`]; fewer count for nothing.
pub const CROWD_ROWS: usize = 20;
/// Most players one say or yell reaches: the nearest.
pub const HEARERS_MAX: usize = 200;

domain_errors! {
    /// Why something about chat was refused.
    ChatError {
        CharacterAbsent = 1400, "chat.not_in_world", "the caller has no character in the world";
        KindUnknown = 1401, "chat.kind_unknown", "there is no such kind of chat, or it is not spoken in so";
        TextLength = 1402, "chat.text_length", "a message has 1 to 255 characters";
        TextLetters = 1403, "chat.text_letters", "a message has no control characters and no heaps of marks";
        LinksInvalid = 1404, "chat.links_invalid", "a message has at most 4 links, and U+FFFC where each belongs";
        LinkUnknown = 1405, "chat.link_unknown", "a link leads to a character, or to an item of the speaker's own";
        ReasonLength = 1406, "chat.reason_length", "a reason has 1 to 200 characters";
        Muted = 1407, "chat.muted", "the account is muted";
        NotParticipant = 1408, "chat.not_participant", "the character does not take part in that channel";
        NotAllowed = 1409, "chat.not_allowed", "the character's role or rank does not allow that";
        TooFast = 1410, "chat.too_fast", "the account has done that too often just now";
        SlowMode = 1411, "chat.slow_mode", "the channel is slow: a member speaks once in a while";
        WordRefused = 1412, "chat.word_refused", "the text has a word that is not said here";
        LinkRefused = 1413, "chat.link_refused", "the text has an address, which is not allowed here";
        TargetUnknown = 1414, "chat.target_unknown", "there is no such character";
        TargetSelf = 1415, "chat.target_self", "one cannot do that to oneself";
        ChannelName = 1416, "chat.channel_name", "a channel's name has 3 to 24 letters, digits and single blanks, and no refused word";
        ChannelNameTaken = 1417, "chat.channel_name_taken", "a channel has that name or one that looks like it";
        ChannelUnknown = 1418, "chat.channel_unknown", "there is no such channel, or none that is open to the character";
        ChannelsTooMany = 1419, "chat.channels_too_many", "a character is in at most 10 channels, invitations counted";
        ChannelsOwned = 1420, "chat.channels_owned", "an account owns at most 3 channels";
        ChannelFull = 1421, "chat.channel_full", "a channel has at most 500 members, invitations counted, and 500 bans";
        Banned = 1422, "chat.banned", "the account is banned from the channel";
        AlreadyMember = 1423, "chat.already_member", "the character is a member already";
        MemberUnknown = 1424, "chat.member_unknown", "the channel has no such member or ban";
        RoleInvalid = 1425, "chat.role_invalid", "there is no such role to give";
        SlowInvalid = 1426, "chat.slow_invalid", "a channel is slow by 0 to 3600 seconds";
        MessageUnknown = 1427, "chat.message_unknown", "there is no such message that the caller could mean";
        NotEditable = 1428, "chat.not_editable", "what is said or yelled cannot be taken back";
        EditTooLate = 1429, "chat.edit_too_late", "a message can be changed for five minutes";
        AlreadyReported = 1430, "chat.already_reported", "the account has reported that message";
        ReportsTooMany = 1431, "chat.reports_too_many", "the account has 20 open reports";
        ReportUnknown = 1432, "chat.report_unknown", "there is no such open report";
        MuteInvalid = 1433, "chat.mute_invalid", "a mute lasts 1 second to a year";
        NotMuted = 1434, "chat.not_muted", "the account is not muted";
        LimitInvalid = 1435, "chat.limit_invalid", "a limit has a burst of 1 to 1000 and refills in 1 to 3600000 milliseconds";
        NoHistory = 1436, "chat.no_history", "that kind has no history and no cursor";
        Busy = 1437, "chat.busy", "more is being said to many at once than the realm delivers";
    }
}

/// Who hears what is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum ChatKind {
    /// Who is within a few steps at the instant.
    Say = 1,
    /// Who is within a shout at the instant.
    Yell = 2,
    /// Who is in the block.
    Block = 3,
    /// Who is in the region.
    Region = 4,
    /// Everybody.
    Realm = 5,
    /// Everybody, about goods.
    Trade = 6,
    /// The guild.
    Guild = 7,
    /// The guild's officers.
    Officer = 8,
    /// The party.
    Party = 9,
    /// The raid.
    Raid = 10,
    /// One character.
    Whisper = 11,
    /// The members of a channel that a player has made.
    Channel = 12,
}

/// How many messages a channel may have beyond its most, before these go together.
pub const TRIM_ROWS: u32 = 32;

/// How long messages of a channel are kept, and how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Most messages of one channel but for [`TRIM_ROWS`]; the oldest go first.
    pub rows_max: u32,
    /// How long, seconds.
    pub seconds: u32,
}

const HOUR: u32 = 3_600;
const DAY: u32 = 24 * HOUR;

const fn keeps(rows_max: u32, seconds: u32) -> Retention {
    Retention { rows_max, seconds }
}

const fn limit(burst: u16, refill_millis: u32) -> Limit {
    Limit { burst, refill_millis }
}

impl ChatKind {
    /// Every kind, by its number.
    pub const ALL: &'static [Self] = &[
        Self::Say,
        Self::Yell,
        Self::Block,
        Self::Region,
        Self::Realm,
        Self::Trade,
        Self::Guild,
        Self::Officer,
        Self::Party,
        Self::Raid,
        Self::Whisper,
        Self::Channel,
    ];

    /// The number that stands in rows.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The kind with that number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.code() == code)
    }

    /// Whether everybody in the realm may read it: its messages are shared rows.
    pub const fn is_shared(self) -> bool {
        matches!(self, Self::Block | Self::Region | Self::Realm | Self::Trade)
    }

    /// Whether it has a history to page through and a cursor. What is said aloud is gone, and who
    /// is elsewhere now was not there.
    pub const fn has_history(self) -> bool {
        !matches!(self, Self::Say | Self::Yell | Self::Block | Self::Region)
    }

    /// Whether its messages can be changed and taken back by who sent them.
    pub const fn is_editable(self) -> bool {
        !matches!(self, Self::Say | Self::Yell)
    }

    /// How long and how much of a channel of the kind is kept. What is said aloud is kept for
    /// moderators only.
    pub const fn retention(self) -> Retention {
        match self {
            Self::Say | Self::Yell | Self::Block => keeps(50, HOUR),
            Self::Region => keeps(100, HOUR),
            Self::Realm | Self::Trade | Self::Party | Self::Raid => keeps(200, DAY),
            Self::Guild => keeps(500, 30 * DAY),
            Self::Officer | Self::Whisper => keeps(200, 30 * DAY),
            Self::Channel => keeps(300, 14 * DAY),
        }
    }

    /// How often an account may speak so where no row says otherwise.
    pub const fn limit(self) -> Limit {
        match self {
            Self::Say | Self::Block | Self::Whisper | Self::Channel => limit(8, 1_000),
            Self::Yell => limit(2, 5_000),
            Self::Region => limit(5, 2_000),
            Self::Realm | Self::Trade => limit(3, 3_000),
            Self::Guild | Self::Officer | Self::Party | Self::Raid => limit(10, 500),
        }
    }
}

/// Reading histories and moving cursors. What besides speaking is limited has numbers that follow
/// those of the kinds.
pub const HISTORY_LIMIT: u8 = 13;
/// Making, joining and ruling channels, and reading who is in them.
pub const RULING_LIMIT: u8 = 14;
/// Reporting, changing and taking back messages.
pub const AFTERWARDS_LIMIT: u8 = 15;
/// What comes to inboxes, of all accounts together, in units of [`CROWD_ROWS`] hearers.
pub const CROWD_LIMIT: u8 = 16;
/// How many things are limited.
pub const LIMITS_COUNT: usize = 16;

/// The limit of a number where no row says otherwise; none for a number that is none.
pub fn default_limit(code: u8) -> Option<Limit> {
    match code {
        HISTORY_LIMIT => Some(limit(10, 1_000)),
        RULING_LIMIT => Some(limit(10, 2_000)),
        AFTERWARDS_LIMIT => Some(limit(5, 3_000)),
        CROWD_LIMIT => Some(limit(250, 2)),
        _ => ChatKind::from_code(code).map(ChatKind::limit),
    }
}

/// Bits of a channel's key that hold its number.
const NUMBER_BITS: u32 = 60;

/// The key of a channel: the kind in the upper 4 bits, the number's lower 60 below. The number is a
/// block's or region's key, a guild, a party, a character for what is whispered to it and by it, a
/// channel; 0 for realm and trade.
pub const fn channel_key(kind: ChatKind, number: u64) -> u64 {
    ((kind as u64) << NUMBER_BITS) | (number & ((1 << NUMBER_BITS) - 1))
}

/// The kind of a channel's key.
pub fn kind_of(channel_key: u64) -> Option<ChatKind> {
    ChatKind::from_code(u8::try_from(channel_key >> NUMBER_BITS).ok()?)
}

/// The number of a channel's key.
pub const fn number_of(channel_key: u64) -> u64 {
    channel_key & ((1 << NUMBER_BITS) - 1)
}

/// Whether a message that was sent then can still be changed.
pub fn is_editable_at(sent_at_micros: i64, now_micros: i64) -> bool {
    now_micros.saturating_sub(sent_at_micros) <= i64::from(EDIT_SECONDS) * 1_000_000
}

/// Until when a message that is sent now is kept, microseconds since 1970.
pub fn kept_until_micros(kind: ChatKind, now_micros: i64) -> i64 {
    now_micros.saturating_add(i64::from(kind.retention().seconds) * 1_000_000)
}

/// How many of a channel's oldest messages go, where it has so many. They go many at a time,
/// because finding the oldest costs as much as reading all of the channel.
pub fn surplus(kind: ChatKind, held: u32) -> u32 {
    let over = held.saturating_sub(kind.retention().rows_max);
    if over < TRIM_ROWS { 0 } else { over }
}

/// Until when a mute lasts, microseconds since 1970.
///
/// # Errors
/// `MuteInvalid`.
pub fn muted_until_micros(now_micros: i64, seconds: u32) -> Result<i64, ChatError> {
    if (1..=MUTE_SECONDS_MAX).contains(&seconds) {
        Ok(now_micros.saturating_add(i64::from(seconds) * 1_000_000))
    } else {
        Err(ChatError::MuteInvalid)
    }
}

/// A cursor only goes forward, and not beyond what there is.
pub fn cursor_moved(known: u64, wanted: u64, last: u64) -> u64 {
    known.max(wanted.min(last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_of_kinds_are_stable_and_fit_their_bits() {
        for (index, kind) in ChatKind::ALL.iter().enumerate() {
            assert_eq!(usize::from(kind.code()), index + 1);
            assert_eq!(ChatKind::from_code(kind.code()), Some(*kind));
            assert!(kind.code() < 16);
        }
        assert_eq!(ChatKind::from_code(0), None);
        assert_eq!(ChatKind::from_code(13), None);
    }

    #[test]
    fn everything_that_is_limited_has_a_limit() {
        for code in 1..=u8::try_from(LIMITS_COUNT).expect("few") {
            let limit = default_limit(code).expect("a limit");
            assert_eq!(bucket::validate_limit(limit.burst, limit.refill_millis), Ok(limit));
        }
        assert_eq!(default_limit(0), None);
        assert_eq!(default_limit(17), None);
    }

    #[test]
    fn what_everybody_reads_is_no_private_kind() {
        let shared: Vec<_> = ChatKind::ALL.iter().filter(|kind| kind.is_shared()).collect();
        let expected = [ChatKind::Block, ChatKind::Region, ChatKind::Realm, ChatKind::Trade];
        assert_eq!(shared, expected.iter().collect::<Vec<_>>());
    }

    #[test]
    fn mutes_have_an_end() {
        assert_eq!(muted_until_micros(5, 1), Ok(1_000_005));
        assert_eq!(muted_until_micros(0, 0), Err(ChatError::MuteInvalid));
        assert_eq!(muted_until_micros(0, MUTE_SECONDS_MAX + 1), Err(ChatError::MuteInvalid));
        assert!(muted_until_micros(i64::MAX, 1).is_ok());
    }

    #[test]
    fn a_message_can_be_changed_for_five_minutes() {
        let limit = i64::from(EDIT_SECONDS) * 1_000_000;
        assert!(is_editable_at(0, limit));
        assert!(!is_editable_at(0, limit + 1));
        assert!(!is_editable_at(i64::MIN, i64::MAX));
    }

    fn kinds() -> impl Strategy<Value = ChatKind> {
        proptest::sample::select(ChatKind::ALL)
    }

    proptest! {
        #[test]
        fn a_key_tells_kind_and_number(kind in kinds(), number in 0..(1_u64 << 60)) {
            let key = channel_key(kind, number);
            prop_assert_eq!(kind_of(key), Some(kind));
            prop_assert_eq!(number_of(key), number);
        }

        /// However many are sent, no more than the kind's rows stay, and none goes too early.
        #[test]
        fn a_channel_keeps_its_newest(kind in kinds(), sent in 1_u32..2_000) {
            let mut held = 0;
            for _ in 0..sent {
                held += 1;
                let gone = surplus(kind, held);
                prop_assert!(gone == 0 || gone == TRIM_ROWS);
                held -= gone;
                prop_assert!(held < kind.retention().rows_max + TRIM_ROWS);
            }
            prop_assert!(held >= sent.min(kind.retention().rows_max));
        }

        #[test]
        fn a_cursor_never_goes_back_nor_beyond(
            known in 0_u64..100,
            wanted in 0_u64..200,
            last in 0_u64..100,
        ) {
            let known = known.min(last);
            let moved = cursor_moved(known, wanted, last);
            prop_assert!(moved >= known && moved <= last);
        }
    }
}
