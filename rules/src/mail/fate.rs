//! What becomes of a letter: delivered, sent back, lost and found, dropped.
//!
//! Keeps true: a letter goes back at most once; one that ends with something in it leaves that to
//! an account's lost-and-found; what is paid for stays with who paid; only one with nothing in it
//! is dropped.

/// Who sent a letter. The numbers stand in rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum LetterKind {
    /// A player.
    Player = 1,
    /// The realm: goods that found no other way, what was paid, what was won.
    Realm = 2,
    /// Staff.
    Staff = 3,
}

impl LetterKind {
    /// The kind with that number; what is unknown is the realm's, which keeps what is in it.
    pub fn from_code(code: u8) -> Self {
        match code {
            1 => Self::Player,
            3 => Self::Staff,
            _ => Self::Realm,
        }
    }
}

/// Where a letter is. The numbers stand in rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum LetterState {
    /// Nobody sees it yet.
    OnItsWay = 1,
    /// Its recipient sees it.
    Unread = 2,
    /// Its recipient has read it, or taken something.
    Read = 3,
}

/// Why something must be done about a letter. The numbers stand in rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum DueKind {
    /// It is delivered.
    Delivery = 1,
    /// Its time is over.
    Expiry = 2,
    /// What is held of it is tried again.
    Held = 3,
    /// Its time is over, and what is in it is paid for: it is the recipient's.
    ExpiryPaid = 4,
}

/// What becomes of a letter that its recipient does not keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Nothing is in it: it is gone.
    Drop,
    /// It goes to who sent it.
    Back,
    /// What is in it goes to the lost-and-found of the account that it was for.
    Lost,
}

/// What decides about a letter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Who sent it.
    pub kind: LetterKind,
    /// Whether it came back already.
    pub is_returned: bool,
    /// Whether what was asked for it on delivery is paid.
    pub is_paid: bool,
    /// Whether anything of value is in it.
    pub has_value: bool,
}

/// What becomes of a letter whose time is over, or whose recipient is gone.
pub fn at_the_end(letter: Letter) -> Fate {
    if !letter.has_value {
        Fate::Drop
    } else if may_go_back(letter) {
        Fate::Back
    } else {
        Fate::Lost
    }
}

/// Whether its recipient may send it back: what a player sent, with what is in it, and once; what
/// is paid for never, or its sender had it and the coins. One without anything in it does not:
/// nobody is to be annoyed by his own words.
pub fn may_go_back(letter: Letter) -> bool {
    let from_player = match letter.kind {
        LetterKind::Player => true,
        LetterKind::Realm | LetterKind::Staff => false,
    };
    from_player && letter.has_value && !letter.is_returned && !letter.is_paid
}

/// Whether a letter goes with its last thing: the realm's says nothing else.
pub fn goes_when_empty(kind: LetterKind) -> bool {
    match kind {
        LetterKind::Realm => true,
        LetterKind::Player | LetterKind::Staff => false,
    }
}
