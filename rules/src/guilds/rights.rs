//! What a rank may: a set of named rights, and what it may do with each tab of the bank.

use super::bank::TABS_MAX;

/// Something that a rank may. The number is its bit in `guild_rank.rights`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Right {
    /// To speak in the guild's channel.
    Speak = 0,
    /// To read and to speak in the officers' channel.
    OfficerChat = 1,
    /// To invite, and to answer those who ask to join.
    Invite = 2,
    /// To send members away.
    Kick = 3,
    /// To raise members, up to the rank below one's own.
    Promote = 4,
    /// To lower members.
    Demote = 5,
    /// To ban accounts and to lift bans.
    Ban = 6,
    /// To add, change and remove the ranks below one's own.
    Ranks = 7,
    /// To write the message of the day.
    Message = 8,
    /// To write the notes of others.
    Notes = 9,
    /// To read and to write officers' notes.
    OfficerNotes = 10,
    /// To change the emblem.
    Emblem = 11,
    /// To buy tabs of the bank.
    Tabs = 12,
    /// To read the log.
    Log = 13,
}

impl Right {
    /// Every right, in the order of their bits.
    pub const ALL: [Self; 14] = [
        Self::Speak,
        Self::OfficerChat,
        Self::Invite,
        Self::Kick,
        Self::Promote,
        Self::Demote,
        Self::Ban,
        Self::Ranks,
        Self::Message,
        Self::Notes,
        Self::OfficerNotes,
        Self::Emblem,
        Self::Tabs,
        Self::Log,
    ];

    /// Its bit.
    pub const fn bit(self) -> u32 {
        1 << self as u8
    }

    /// Its name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Speak => "speak",
            Self::OfficerChat => "officer_chat",
            Self::Invite => "invite",
            Self::Kick => "kick",
            Self::Promote => "promote",
            Self::Demote => "demote",
            Self::Ban => "ban",
            Self::Ranks => "ranks",
            Self::Message => "message",
            Self::Notes => "notes",
            Self::OfficerNotes => "officer_notes",
            Self::Emblem => "emblem",
            Self::Tabs => "tabs",
            Self::Log => "log",
        }
    }
}

/// All rights.
pub const RIGHTS_ALL: u32 = (1 << Right::ALL.len()) - 1;

/// Those rights as a set.
pub const fn set_of(rights: &[Right]) -> u32 {
    let mut set = 0;
    let mut index = 0;
    while index < rights.len() {
        set |= rights[index].bit();
        index += 1;
    }
    set
}

/// Whether a set has that right.
pub const fn has(rights: u32, right: Right) -> bool {
    rights & right.bit() != 0
}

/// What a rank may do with a tab. The number is added to three times the tab for its bit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum TabRight {
    /// To see what is in it. Without it the others are worth nothing.
    View = 0,
    /// To put into it, and to order it.
    Put = 1,
    /// To take out of it, as much as the rank may in a day.
    Take = 2,
}

impl TabRight {
    /// Its bit in `guild_rank.tab_rights`.
    pub const fn bit(self, tab: u8) -> u32 {
        1 << (tab * 3 + self as u8)
    }
}

/// All rights to all tabs.
pub const TAB_RIGHTS_ALL: u32 = (1 << (TABS_MAX * 3)) - 1;

/// Whether a set has that right to a tab: to see it is part of each.
pub const fn has_tab(tab_rights: u32, tab: u8, right: TabRight) -> bool {
    let needed = TabRight::View.bit(tab) | right.bit(tab);
    tab < TABS_MAX && tab_rights & needed == needed
}

/// One right to all tabs.
pub const fn on_all_tabs(right: TabRight) -> u32 {
    let (mut set, mut tab) = (0, 0);
    while tab < TABS_MAX {
        set |= right.bit(tab);
        tab += 1;
    }
    set
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn each_right_has_a_bit_and_a_name_of_its_own() {
        let bits: BTreeSet<u32> = Right::ALL.iter().map(|right| right.bit()).collect();
        let names: BTreeSet<&str> = Right::ALL.iter().map(|right| right.name()).collect();
        assert_eq!((bits.len(), names.len()), (14, 14));
        assert_eq!(bits.iter().sum::<u32>(), RIGHTS_ALL);
        for (place, right) in Right::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(right as u8), place);
            assert!(has(set_of(&[right]), right));
            assert!(!has(RIGHTS_ALL & !right.bit(), right));
        }
    }

    #[test]
    fn who_may_not_see_a_tab_may_nothing_with_it() {
        let rights = [TabRight::View, TabRight::Put, TabRight::Take];
        let mut bits = 0;
        for tab in 0..TABS_MAX {
            for right in rights {
                assert_eq!(bits & right.bit(tab), 0);
                bits |= right.bit(tab);
                assert!(has_tab(TAB_RIGHTS_ALL, tab, right));
                assert!(!has_tab(TAB_RIGHTS_ALL & !right.bit(tab), tab, right));
                assert!(!has_tab(TAB_RIGHTS_ALL & !TabRight::View.bit(tab), tab, right));
            }
        }
        assert_eq!(bits, TAB_RIGHTS_ALL);
        assert_eq!(rights.map(on_all_tabs).into_iter().sum::<u32>(), TAB_RIGHTS_ALL);
        for tab in [TABS_MAX, 7, 9] {
            assert!(!has_tab(u32::MAX, tab, TabRight::View));
        }
    }
}
