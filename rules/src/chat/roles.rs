//! Channels that players make: their names, and what each role may do.
//!
//! Keeps true: nobody rules over an equal or a higher role, oneself apart; there is one owner.

use super::filter::Filter;
use super::{ChatError, text};
use unicode_normalization::UnicodeNormalization;

/// Shortest name, characters.
pub const NAME_CHARS_MIN: usize = 3;
/// Longest name, characters.
pub const NAME_CHARS_MAX: usize = 24;
/// Most channels a character is in or invited to.
pub const CHANNELS_PER_CHARACTER_MAX: usize = 10;
/// Most channels an account makes or is handed; what it inherits comes on top.
pub const CHANNELS_OWNED_MAX: usize = 3;
/// Most members of a channel, invited ones counted.
pub const MEMBERS_MAX: u16 = 500;
/// Most bans of a channel.
pub const BANS_MAX: u16 = 500;
/// How slow a channel can be, seconds between two messages of a member.
pub const SLOW_SECONDS_MAX: u16 = 3_600;

/// What somebody is to a channel, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Role {
    /// Nothing; with a place, invited by somebody that it does not hear.
    Outsider = 0,
    /// May join.
    Invited = 1,
    /// Reads and speaks.
    Member = 2,
    /// Keeps order.
    Moderator = 3,
    /// Rules.
    Owner = 4,
}

impl Role {
    /// Every role, the least first.
    pub const ALL: &'static [Self] =
        &[Self::Outsider, Self::Invited, Self::Member, Self::Moderator, Self::Owner];

    /// The number that stands in rows.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The role with that number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|role| role.code() == code)
    }
}

/// What is done in a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Read it and its history.
    Read,
    /// Say something.
    Speak,
    /// Say something though the channel is slow.
    SpeakAtOnce,
    /// Leave it, or turn an invitation down.
    Leave,
    /// Invite a character.
    Invite,
    /// Put a member out, or take an invitation back.
    Kick,
    /// Ban an account, or lift a ban.
    Ban,
    /// Take back what another member has said.
    Remove,
    /// Give or take the role of a moderator.
    SetRole,
    /// Make another member the owner.
    HandOver,
    /// Make it slow or quick.
    SetSlow,
    /// Delete it.
    Delete,
}

impl Action {
    /// Every action.
    pub const ALL: &'static [Self] = &[
        Self::Read,
        Self::Speak,
        Self::SpeakAtOnce,
        Self::Leave,
        Self::Invite,
        Self::Kick,
        Self::Ban,
        Self::Remove,
        Self::SetRole,
        Self::HandOver,
        Self::SetSlow,
        Self::Delete,
    ];

    /// Whether it is done to somebody, whose role must be lower.
    const fn is_over_somebody(self) -> bool {
        matches!(self, Self::Kick | Self::Ban | Self::Remove | Self::SetRole | Self::HandOver)
    }

    /// The least role that may.
    const fn least(self) -> Role {
        match self {
            Self::Leave => Role::Invited,
            Self::Read | Self::Speak => Role::Member,
            Self::SpeakAtOnce | Self::Invite | Self::Kick | Self::Ban | Self::Remove => {
                Role::Moderator
            }
            Self::SetRole | Self::HandOver | Self::SetSlow | Self::Delete => Role::Owner,
        }
    }
}

/// Whether a role may do that, where it is done to somebody to one of that role.
pub fn may(role: Role, action: Action, over: Role) -> bool {
    role >= action.least() && (!action.is_over_somebody() || over < role)
}

/// Who owns a channel when its owner is gone: of the moderators, else of the members, who joined
/// first, the lower number where two joined at once. Each is a role, when it joined, its number.
pub fn next_owner(members: &[(Role, i64, u64)]) -> Option<u64> {
    let eligible = members.iter().filter(|(role, _, _)| *role >= Role::Member);
    let first = eligible.max_by_key(|(role, joined_at_micros, character_id)| {
        (*role, std::cmp::Reverse((*joined_at_micros, *character_id)))
    });
    first.map(|(_, _, character_id)| *character_id)
}

/// A name as it is shown, and what must be unique.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChannelName {
    /// In normal form C.
    pub display: String,
    /// Case and look-alikes folded together.
    pub skeleton: String,
}

/// Decides whether a channel may have that name.
///
/// # Errors
/// `ChannelName`.
pub fn validate_name(name: &str, filter: &Filter) -> Result<ChannelName, ChatError> {
    if name.len() > NAME_CHARS_MAX * 8 {
        return Err(ChatError::ChannelName);
    }
    let display: String = name.nfkc().collect();
    let is_word = |word: &str| !word.is_empty() && word.chars().all(char::is_alphanumeric);
    let is_good = (NAME_CHARS_MIN..=NAME_CHARS_MAX).contains(&display.chars().count())
        && display.split(' ').all(is_word)
        && filter.is_clean(&display);
    if !is_good {
        return Err(ChatError::ChannelName);
    }
    Ok(ChannelName { skeleton: text::skeleton(&display), display })
}

/// Refuses a slowness that is none.
///
/// # Errors
/// `SlowInvalid`.
pub fn validate_slow(seconds: u16) -> Result<(), ChatError> {
    if seconds <= SLOW_SECONDS_MAX { Ok(()) } else { Err(ChatError::SlowInvalid) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::fmt::Write as _;

    /// Every role and every action: what it may over an outsider, an invited one, a member, a
    /// moderator and the owner; one letter each.
    #[test]
    fn the_matrix_of_roles_and_actions() {
        let mut shown = String::new();
        for action in Action::ALL {
            let _ = write!(shown, "{action:?}:");
            for role in Role::ALL {
                let over = Role::ALL.iter().map(|over| may(*role, *action, *over));
                let letters: String = over.map(|may| if may { '+' } else { '-' }).collect();
                let _ = write!(shown, " {letters}");
            }
            shown.push('\n');
        }
        assert_eq!(
            shown,
            "\
Read: ----- ----- +++++ +++++ +++++
Speak: ----- ----- +++++ +++++ +++++
SpeakAtOnce: ----- ----- ----- +++++ +++++
Leave: ----- +++++ +++++ +++++ +++++
Invite: ----- ----- ----- +++++ +++++
Kick: ----- ----- ----- +++-- ++++-
Ban: ----- ----- ----- +++-- ++++-
Remove: ----- ----- ----- +++-- ++++-
SetRole: ----- ----- ----- ----- ++++-
HandOver: ----- ----- ----- ----- ++++-
SetSlow: ----- ----- ----- ----- +++++
Delete: ----- ----- ----- ----- +++++
"
        );
    }

    #[test]
    fn the_next_owner_is_the_first_of_the_highest() {
        use Role::{Invited, Member, Moderator, Owner};
        for (members, expected) in [
            (vec![], None),
            (vec![(Invited, 1, 1)], None),
            (vec![(Invited, 0, 1), (Member, 5, 2), (Member, 4, 3)], Some(3)),
            (vec![(Member, 1, 2), (Moderator, 9, 3), (Moderator, 8, 4)], Some(4)),
            (vec![(Member, 1, 9), (Member, 1, 2)], Some(2)),
            (vec![(Owner, 9, 9), (Moderator, 1, 2)], Some(9)),
        ] {
            assert_eq!(next_owner(&members), expected, "{members:?}");
        }
    }

    #[test]
    fn names_are_short_plain_and_decent() {
        let filter = Filter::new([("oaf", true, true)]);
        for (name, expected) in [
            ("Night Watch", Some(("Night Watch", "nlghtwatch"))),
            ("n1ght watch", Some(("n1ght watch", "nlghtwatch"))),
            ("Ärger 7", Some(("Ärger 7", "arger7"))),
            ("ab", None),
            ("a b  c", None),
            (" abc", None),
            ("abc\n", None),
            ("a-b-c", None),
            ("The Oaf", None),
            ("abcdefghijklmnopqrstuvwxy", None),
        ] {
            let read = validate_name(name, &filter).ok();
            let read = read.as_ref().map(|name| (name.display.as_str(), name.skeleton.as_str()));
            assert_eq!(read, expected, "{name:?}");
        }
        assert_eq!(validate_slow(3_600), Ok(()));
        assert_eq!(validate_slow(3_601), Err(ChatError::SlowInvalid));
    }

    proptest! {
        /// A higher role may all that a lower one may.
        #[test]
        fn rights_grow_with_the_role(
            role in 0_u8..4,
            action in proptest::sample::select(Action::ALL),
            over in proptest::sample::select(Role::ALL),
        ) {
            let (lower, higher) = (Role::from_code(role), Role::from_code(role + 1));
            let (lower, higher) = (lower.expect("a role"), higher.expect("a role"));
            prop_assert!(!may(lower, action, over) || may(higher, action, over));
        }
    }
}
