//! Friends, blocks, presence and who may see it.
//!
//! Keeps true: friendship has two sides, and both agreed; requests count as friends do where there
//! is a bound; what somebody chose about an account holds on every path to it. Who is blocked is
//! answered as somebody who is not: only after all refusals it is decided that nothing arrives.
//! How often somebody may ask is decided in `pace`.

pub mod pace;

use crate::errors::domain_errors;
use unicode_normalization::UnicodeNormalization;

/// Most friends and requests, in both directions, that an account has at once.
pub const TIES_MAX: usize = 200;
/// Most requests of an account that wait for an answer.
pub const ASKED_MAX: usize = 50;
/// Most requests to an account that wait for its answer.
pub const ASKS_MAX: usize = 50;
/// Most names that an account has blocked.
pub const BLOCKS_MAX: usize = 200;
/// Longest note, characters.
pub const NOTE_CHARS_MAX: usize = 120;
/// How long a request waits for an answer, days.
pub const REQUEST_DAYS: u32 = 14;

domain_errors! {
    /// Why something about friends was refused.
    FriendError {
        CharacterAbsent = 1300, "friend.not_in_world", "the caller has no character in the world";
        PlayerUnknown = 1301, "friend.player_unknown", "there is no player of that name";
        Oneself = 1302, "friend.self", "that is the caller";
        ChoiceUnknown = 1303, "friend.choice_unknown", "there is nothing like that to choose about, or no such choice";
        StatusUnknown = 1304, "friend.status_unknown", "there is no such status";
        NoteInvalid = 1305, "friend.note_invalid", "a note is one line of at most 120 characters";
        TooFast = 1306, "friend.too_fast", "the caller has done that too often for now";
        Unknown = 1307, "friend.unknown", "the caller has no such friend or request";
        NotAsked = 1308, "friend.not_asked", "nobody waits there for the caller's answer";
        Blocked = 1309, "friend.blocked", "the caller has blocked that player";
        Already = 1310, "friend.already", "they are friends already";
        RequestPending = 1311, "friend.request_pending", "the caller has asked that player already";
        RequestsDeclined = 1312, "friend.requests_declined", "that player takes no requests";
        TooMany = 1313, "friend.too_many", "the caller has 200 friends and requests";
        RequestsTooMany = 1314, "friend.requests_too_many", "50 requests of the caller wait for an answer";
        OtherFull = 1315, "friend.other_full", "that player has no room for one more request";
        BlockUnknown = 1316, "friend.block_unknown", "the caller has no such block";
        BlocksTooMany = 1317, "friend.blocks_too_many", "the caller has blocked 200 names";
    }
}

/// What an account can choose about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum What {
    /// Whether it is seen to be online, with its status, and when it was seen last.
    Presence = 1,
    /// In which region it is.
    Where = 2,
    /// Who may whisper to it.
    Whispers = 3,
    /// Who may invite it, to parties, guilds, instances and the like.
    Invites = 4,
    /// Who may ask to be its friend.
    Requests = 5,
    /// Who may write letters to it.
    Mail = 6,
    /// Who may offer it a trade.
    Trade = 7,
}

impl What {
    /// All of it.
    pub const ALL: [Self; 7] = [
        Self::Presence,
        Self::Where,
        Self::Whispers,
        Self::Invites,
        Self::Requests,
        Self::Mail,
        Self::Trade,
    ];

    /// The one of a code.
    ///
    /// # Errors
    /// `ChoiceUnknown`.
    pub fn from_code(code: u8) -> Result<Self, FriendError> {
        let found = Self::ALL.into_iter().find(|what| *what as u8 == code);
        found.ok_or(FriendError::ChoiceUnknown)
    }

    /// What holds for an account that has chosen nothing.
    pub const fn default_whom(self) -> Whom {
        match self {
            Self::Presence | Self::Where => Whom::Friends,
            Self::Whispers | Self::Invites | Self::Requests | Self::Mail | Self::Trade => {
                Whom::Everyone
            }
        }
    }
}

/// For whom it is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Whom {
    /// Everyone who is not blocked.
    Everyone = 0,
    /// Friends.
    Friends = 1,
    /// Nobody.
    Nobody = 2,
}

impl Whom {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Everyone, Self::Friends, Self::Nobody];

    /// The one of a code.
    ///
    /// # Errors
    /// `ChoiceUnknown`.
    pub fn from_code(code: u8) -> Result<Self, FriendError> {
        let found = Self::ALL.into_iter().find(|whom| *whom as u8 == code);
        found.ok_or(FriendError::ChoiceUnknown)
    }

    /// Whether somebody is among them.
    pub const fn admits(self, is_friend: bool) -> bool {
        match self {
            Self::Everyone => true,
            Self::Friends => is_friend,
            Self::Nobody => false,
        }
    }
}

/// What an account says of itself while it is in the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Status {
    /// Not in the world, or seen so.
    Offline = 0,
    /// In the world.
    Online = 1,
    /// In the world, and not at the keyboard.
    Away = 2,
    /// In the world, and not to be disturbed.
    Busy = 3,
    /// In the world, and not seen to be.
    Invisible = 4,
}

impl Status {
    /// Those that can be chosen.
    const CHOSEN: [Self; 4] = [Self::Online, Self::Away, Self::Busy, Self::Invisible];

    /// The one of a code that a player may choose.
    ///
    /// # Errors
    /// `StatusUnknown`.
    pub fn from_code(code: u8) -> Result<Self, FriendError> {
        let found = Self::CHOSEN.into_iter().find(|status| *status as u8 == code);
        found.ok_or(FriendError::StatusUnknown)
    }
}

/// How things are between an account and another one, in the row of the one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum State {
    /// They are friends.
    Friends = 1,
    /// It has asked.
    Asked = 2,
    /// The other one asks.
    Asks = 3,
}

impl State {
    /// The one of a code.
    pub fn from_code(code: u8) -> Option<Self> {
        [Self::Friends, Self::Asked, Self::Asks].into_iter().find(|state| *state as u8 == code)
    }
}

/// How many friends and requests an account has.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Friends.
    pub friends: usize,
    /// Requests of its own.
    pub asked: usize,
    /// Requests to it that it is shown.
    pub asks: usize,
}

impl Counts {
    /// Of the states of all its rows.
    pub fn of(states: impl IntoIterator<Item = State>) -> Self {
        let mut counts = Self::default();
        for state in states {
            match state {
                State::Friends => counts.friends += 1,
                State::Asked => counts.asked += 1,
                State::Asks => counts.asks += 1,
            }
        }
        counts
    }

    /// All of them.
    pub const fn total(self) -> usize {
        self.friends + self.asked + self.asks
    }
}

/// What a request is decided by.
#[derive(Clone, Copy, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "what is asked one by one")]
pub struct Request {
    /// The asker has blocked the other one.
    pub has_blocked: bool,
    /// They are friends.
    pub are_friends: bool,
    /// The asker has asked for that name already.
    pub is_pending: bool,
    /// The other one has asked the asker.
    pub asks_back: bool,
    /// The other one takes requests of such as the asker.
    pub is_admitted: bool,
    /// The other one has blocked the asker.
    pub is_blocked: bool,
    /// What the asker has; requests between the two are not counted where `asks_back`.
    pub own: Counts,
    /// What the other one has.
    pub other: Counts,
}

/// What becomes of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// Both have asked: they are friends.
    Friends,
    /// The other one is shown it.
    Shown,
    /// The asker sees it wait, and nobody else sees anything.
    Hidden,
}

/// Decides on a request. That the asker is blocked changes no refusal.
///
/// # Errors
/// In this order: `Blocked`, `Already`, `RequestPending`, `RequestsDeclined`, `TooMany`,
/// `RequestsTooMany`, `OtherFull`.
pub fn ask(request: &Request) -> Result<Asked, FriendError> {
    if request.has_blocked {
        return Err(FriendError::Blocked);
    }
    if request.are_friends {
        return Err(FriendError::Already);
    }
    if request.is_pending {
        return Err(FriendError::RequestPending);
    }
    let is_mutual = request.asks_back && !request.is_blocked;
    if !is_mutual && !request.is_admitted {
        return Err(FriendError::RequestsDeclined);
    }
    if request.own.total() >= TIES_MAX {
        return Err(FriendError::TooMany);
    }
    if is_mutual {
        return Ok(Asked::Friends);
    }
    if request.own.asked >= ASKED_MAX {
        return Err(FriendError::RequestsTooMany);
    }
    if request.other.total() >= TIES_MAX || request.other.asks >= ASKS_MAX {
        return Err(FriendError::OtherFull);
    }
    Ok(if request.is_blocked { Asked::Hidden } else { Asked::Shown })
}

/// When a request that is made now lapses, microseconds since 1970.
pub fn lapses_at_micros(now_micros: i64) -> i64 {
    now_micros.saturating_add(i64::from(REQUEST_DAYS) * 86_400_000_000)
}

/// A note as it is kept: in normal form C.
///
/// # Errors
/// `NoteInvalid`.
pub fn validate_note(note: &str) -> Result<String, FriendError> {
    if note.len() > NOTE_CHARS_MAX * 8 {
        return Err(FriendError::NoteInvalid);
    }
    let note: String = note.nfc().collect();
    let is_good = note.chars().count() <= NOTE_CHARS_MAX && !note.chars().any(char::is_control);
    if is_good { Ok(note) } else { Err(FriendError::NoteInvalid) }
}

/// What others see of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// As what it is seen.
    pub status: Status,
    /// Whether its region is seen.
    pub is_place_shown: bool,
    /// When it was seen last, microseconds since 1970; 0 while it is seen, or where that is not
    /// shown.
    pub last_seen_at_micros: i64,
}

/// What those see of an account who are admitted to its presence, or to its place, or not.
pub fn seen(
    status: Status,
    is_in_world: bool,
    last_seen_at_micros: i64,
    sees_presence: bool,
    sees_place: bool,
) -> Seen {
    let hidden = Seen { status: Status::Offline, is_place_shown: false, last_seen_at_micros: 0 };
    if !sees_presence {
        return hidden;
    }
    match status {
        Status::Online | Status::Away | Status::Busy if is_in_world => {
            Seen { status, is_place_shown: sees_place, last_seen_at_micros: 0 }
        }
        Status::Online | Status::Away | Status::Busy | Status::Invisible | Status::Offline => {
            Seen { last_seen_at_micros, ..hidden }
        }
    }
}

#[cfg(test)]
mod tests;
