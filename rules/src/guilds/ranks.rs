//! Ranks: which there are at first, who may act on whom, and what may be given to a rank.
//!
//! A rank's position says how high it is: 0 is the leaders'. Keeps true: who acts stands above whom
//! he acts on, before and after; nobody gives a rank or a member what his own rank lacks, nor takes
//! that from a rank. Leaves out on purpose: what the lowest rank gives, who lets somebody in does
//! not need to have. Leaders decide what it is.

use super::GuildError;
use super::bank::TABS_MAX;
use super::rights::{RIGHTS_ALL, Right, TAB_RIGHTS_ALL, TabRight, has, on_all_tabs, set_of};

/// Most ranks a guild has.
pub const RANKS_MAX: usize = 10;
/// Fewest ranks a guild has: its leaders', and one for the others.
pub const RANKS_MIN: usize = 2;
/// The position of leaders.
pub const LEADERS: u8 = 0;
/// As many items or coins in a day as there are.
pub const ITEMS_UNBOUNDED: u32 = u32::MAX;
/// See above, copper.
pub const COPPER_UNBOUNDED: u64 = u64::MAX;

/// What a rank gives to who has it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Bits of [`Right`].
    pub rights: u32,
    /// Bits of [`TabRight`].
    pub tab_rights: u32,
    /// How many items of each tab in a day; [`ITEMS_UNBOUNDED`] for no limit.
    pub items_per_day: [u32; TABS_MAX as usize],
    /// How much copper in a day; [`COPPER_UNBOUNDED`] for no limit.
    pub copper_per_day: u64,
}

impl Grant {
    /// What leaders have, whatever is written in a rank.
    pub const ALL: Self = Self {
        rights: RIGHTS_ALL,
        tab_rights: TAB_RIGHTS_ALL,
        items_per_day: [ITEMS_UNBOUNDED; TABS_MAX as usize],
        copper_per_day: COPPER_UNBOUNDED,
    };

    /// What a new rank has.
    pub const NOTHING: Self =
        Self { rights: 0, tab_rights: 0, items_per_day: [0; TABS_MAX as usize], copper_per_day: 0 };

    /// Without the bits that mean nothing.
    #[must_use]
    pub const fn tidy(self) -> Self {
        Self {
            rights: self.rights & RIGHTS_ALL,
            tab_rights: self.tab_rights & TAB_RIGHTS_ALL,
            ..self
        }
    }
}

const fn grant(rights: &[Right], tab_rights: u32, items: u32, copper: u64) -> Grant {
    let items_per_day = [items; TABS_MAX as usize];
    Grant { rights: set_of(rights), tab_rights, items_per_day, copper_per_day: copper }
}

const VIEW: u32 = on_all_tabs(TabRight::View);
const PUT: u32 = on_all_tabs(TabRight::Put);
const TAKE: u32 = on_all_tabs(TabRight::Take);

/// The ranks of a new guild, by position: what they are called and what they give.
pub const RANKS_AT_FIRST: [(&str, Grant); 5] = [
    ("Leader", Grant::ALL),
    (
        "Officer",
        grant(
            &[
                Right::Speak,
                Right::OfficerChat,
                Right::Invite,
                Right::Kick,
                Right::Promote,
                Right::Demote,
                Right::Ban,
                Right::Message,
                Right::Notes,
                Right::OfficerNotes,
                Right::Log,
            ],
            VIEW | PUT | TAKE,
            50,
            10_000,
        ),
    ),
    ("Veteran", grant(&[Right::Speak, Right::Invite], VIEW | PUT | TAKE, 10, 1_000)),
    ("Member", grant(&[Right::Speak], VIEW | PUT, 0, 0)),
    ("Initiate", grant(&[Right::Speak], VIEW, 0, 0)),
];

/// Refuses who lacks a right.
///
/// # Errors
/// `RightMissing`.
pub fn check_right(rights: u32, right: Right) -> Result<(), GuildError> {
    if has(rights, right) { Ok(()) } else { Err(GuildError::RightMissing) }
}

/// Refuses whoever acts on an equal or a better.
///
/// # Errors
/// `RankTooHigh`.
pub fn check_above(own: u8, other: u8) -> Result<(), GuildError> {
    if own < other { Ok(()) } else { Err(GuildError::RankTooHigh) }
}

/// The position that one of that position is raised to by somebody of `own`.
///
/// # Errors
/// `RankTooHigh`: also where it would come up to one's own.
pub fn promoted(own: u8, other: u8) -> Result<u8, GuildError> {
    check_above(own, other)?;
    let to = other.checked_sub(1).ok_or(GuildError::RankTooHigh)?;
    check_above(own, to)?;
    Ok(to)
}

/// The position that one of that position is lowered to by somebody of `own`; `lowest` is the last
/// there is.
///
/// # Errors
/// In this order: `RankTooHigh`, `RankLowest`.
pub fn demoted(own: u8, other: u8, lowest: u8) -> Result<u8, GuildError> {
    check_above(own, other)?;
    if other >= lowest { Err(GuildError::RankLowest) } else { Ok(other + 1) }
}

/// Refuses to change of a rank what one's own lacks, whether it is given or taken: rights that
/// change are one's own, and a limit that changes is at most one's own, before and after.
///
/// # Errors
/// `GrantTooHigh`.
pub fn check_grant(own: &Grant, before: &Grant, after: &Grant) -> Result<(), GuildError> {
    let is_bits_good = |own: u32, before: u32, after: u32| (before ^ after) & !own == 0;
    let is_limit_good =
        |own: u64, before: u64, after: u64| before == after || before.max(after) <= own;
    check_change(own, before, after, is_bits_good, is_limit_good)
}

/// Refuses to give a member another rank that has more than the one before, where one's own lacks
/// what it has more. Taking is not looked at: who is lowered keeps less, whoever lowers him.
///
/// # Errors
/// `GrantTooHigh`.
pub fn check_gain(own: &Grant, before: &Grant, after: &Grant) -> Result<(), GuildError> {
    let is_bits_good = |own: u32, before: u32, after: u32| after & !before & !own == 0;
    let is_limit_good = |own: u64, before: u64, after: u64| after <= before.max(own);
    check_change(own, before, after, is_bits_good, is_limit_good)
}

/// Asks the same of each set of rights and of each limit.
fn check_change(
    own: &Grant,
    before: &Grant,
    after: &Grant,
    is_bits_good: impl Fn(u32, u32, u32) -> bool,
    is_limit_good: impl Fn(u64, u64, u64) -> bool,
) -> Result<(), GuildError> {
    let mut items = own.items_per_day.iter().zip(before.items_per_day).zip(after.items_per_day);
    let is_good = is_bits_good(own.rights, before.rights, after.rights)
        && is_bits_good(own.tab_rights, before.tab_rights, after.tab_rights)
        && items.all(|((own, before), after)| {
            is_limit_good(u64::from(*own), before.into(), after.into())
        })
        && is_limit_good(own.copper_per_day, before.copper_per_day, after.copper_per_day);
    if is_good { Ok(()) } else { Err(GuildError::GrantTooHigh) }
}

/// Refuses to remove a rank that has what one's own lacks, and to make a rank that has it that of
/// new members: `next` is the lowest then, where the one that is removed was.
///
/// # Errors
/// `GrantTooHigh`.
pub fn check_removal(own: &Grant, rank: &Grant, next: Option<&Grant>) -> Result<(), GuildError> {
    check_grant(own, rank, &Grant::NOTHING)?;
    next.map_or(Ok(()), |next| check_gain(own, rank, next))
}

/// Refuses one more rank than there may be.
///
/// # Errors
/// `RanksTooMany`.
pub fn check_rank_room(ranks: usize) -> Result<(), GuildError> {
    if ranks < RANKS_MAX { Ok(()) } else { Err(GuildError::RanksTooMany) }
}

/// Refuses one rank less than there must be.
///
/// # Errors
/// `RanksTooFew`.
pub fn check_rank_left(ranks: usize) -> Result<(), GuildError> {
    if ranks > RANKS_MIN { Ok(()) } else { Err(GuildError::RanksTooFew) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const HIGH: GuildError = GuildError::RankTooHigh;

    #[test]
    fn nobody_acts_on_an_equal_or_a_better_and_nobody_comes_up_to_him() {
        // By own position and the other's, of five ranks: may it act, raise to, lower to.
        for own in 0..5_u8 {
            for other in 0..5_u8 {
                let is_below = other > own;
                assert_eq!(check_above(own, other).is_ok(), is_below, "{own} {other}");
                let raised = if other > own + 1 { Ok(other - 1) } else { Err(HIGH) };
                assert_eq!(promoted(own, other), raised, "{own} {other}");
                let lowered = match (is_below, other) {
                    (false, _) => Err(HIGH),
                    (true, 4) => Err(GuildError::RankLowest),
                    (true, _) => Ok(other + 1),
                };
                assert_eq!(demoted(own, other, 4), lowered, "{own} {other}");
            }
        }
        assert_eq!(promoted(0, 0), Err(HIGH));
        assert_eq!(promoted(u8::MAX, u8::MAX), Err(HIGH));
    }

    #[test]
    fn ranks_at_first_give_less_and_less() {
        for pair in RANKS_AT_FIRST.windows(2) {
            let (above, below) = (&pair[0].1, &pair[1].1);
            assert_eq!(above.rights | below.rights, above.rights);
            assert_eq!(above.tab_rights | below.tab_rights, above.tab_rights);
            assert!(above.items_per_day >= below.items_per_day);
            assert!(above.copper_per_day >= below.copper_per_day);
            assert_eq!(below.tidy(), *below);
        }
    }

    #[test]
    fn numbers_of_ranks_are_bounded() {
        assert_eq!(check_rank_room(9), Ok(()));
        assert_eq!(check_rank_room(10), Err(GuildError::RanksTooMany));
        assert_eq!(check_rank_left(3), Ok(()));
        assert_eq!(check_rank_left(2), Err(GuildError::RanksTooFew));
    }

    fn any_grant() -> impl Strategy<Value = Grant> {
        let parts = (any::<u32>(), any::<u32>(), any::<[u32; 6]>(), any::<u64>());
        parts.prop_map(|(rights, tab_rights, items_per_day, copper_per_day)| {
            Grant { rights, tab_rights, items_per_day, copper_per_day }.tidy()
        })
    }

    #[test]
    fn a_rank_that_has_more_is_neither_given_nor_changed_nor_removed() {
        let [(_, leader), (_, officer), (_, veteran), (_, member), (_, initiate)] = RANKS_AT_FIRST;
        let banker = Grant { copper_per_day: COPPER_UNBOUNDED, ..member };
        let keeper = Grant { tab_rights: VIEW | PUT | TAKE, ..member };
        let refused = Err(GuildError::GrantTooHigh);
        for (own, before, after, gain, change) in [
            (officer, initiate, member, Ok(()), Ok(())),
            (officer, member, banker, refused, refused),
            (officer, banker, member, Ok(()), refused),
            (officer, banker, banker, Ok(()), Ok(())),
            (leader, member, banker, Ok(()), Ok(())),
            (leader, banker, member, Ok(()), Ok(())),
            // A limit is not the only thing.
            (member, initiate, keeper, refused, refused),
            (member, keeper, initiate, Ok(()), refused),
            (veteran, keeper, officer, refused, refused),
        ] {
            assert_eq!(check_gain(&own, &before, &after), gain, "{own:?} {before:?} {after:?}");
            assert_eq!(check_grant(&own, &before, &after), change, "{own:?} {before:?} {after:?}");
        }
        assert_eq!(check_removal(&officer, &banker, None), refused);
        assert_eq!(check_removal(&officer, &member, None), Ok(()));
        assert_eq!(check_removal(&officer, &initiate, Some(&banker)), refused, "that of new ones");
        assert_eq!(check_removal(&officer, &initiate, Some(&member)), Ok(()));
        assert_eq!(check_removal(&leader, &initiate, Some(&banker)), Ok(()));
    }

    proptest! {
        #[test]
        fn what_changes_of_a_rank_its_changer_has(
            own in any_grant(), before in any_grant(), after in any_grant(),
        ) {
            prop_assert_eq!(check_grant(&Grant::ALL, &before, &after), Ok(()));
            prop_assert_eq!(check_grant(&own, &before, &before), Ok(()));
            // It holds both ways, and whoever may change a rank so may give it so.
            let changed = check_grant(&own, &before, &after);
            prop_assert_eq!(changed, check_grant(&own, &after, &before));
            if changed.is_ok() {
                prop_assert_eq!(check_gain(&own, &before, &after), Ok(()));
                prop_assert_eq!((before.rights ^ after.rights) | own.rights, own.rights);
                let most = before.copper_per_day.max(after.copper_per_day);
                let is_same = before.copper_per_day == after.copper_per_day;
                prop_assert!(is_same || most <= own.copper_per_day);
            }
            for right in Right::ALL {
                let lacks = Grant { rights: own.rights & !right.bit(), ..own };
                let without = Grant { rights: before.rights & !right.bit(), ..before };
                let with = Grant { rights: without.rights | right.bit(), ..without };
                let refused = Err(GuildError::GrantTooHigh);
                prop_assert_eq!(check_grant(&lacks, &without, &with), refused);
                prop_assert_eq!(check_grant(&lacks, &with, &without), refused);
            }
        }

        #[test]
        fn what_a_member_gets_its_giver_has(
            own in any_grant(), before in any_grant(), after in any_grant(),
        ) {
            prop_assert_eq!(check_gain(&Grant::ALL, &before, &after), Ok(()));
            prop_assert_eq!(check_gain(&own, &before, &before), Ok(()));
            prop_assert_eq!(check_gain(&own, &before, &Grant::NOTHING), Ok(()));
            if check_gain(&own, &before, &after).is_ok() {
                let both = own.rights | before.rights;
                prop_assert_eq!(both | after.rights, both);
                let both = own.tab_rights | before.tab_rights;
                prop_assert_eq!(both | after.tab_rights, both);
                let most = own.copper_per_day.max(before.copper_per_day);
                prop_assert!(after.copper_per_day <= most);
            }
            for right in Right::ALL {
                let lacks = Grant { rights: own.rights & !right.bit(), ..own };
                let without = Grant { rights: before.rights & !right.bit(), ..before };
                let with = Grant { rights: without.rights | right.bit(), ..without };
                let refused = Err(GuildError::GrantTooHigh);
                prop_assert_eq!(check_gain(&lacks, &without, &with), refused);
                prop_assert_eq!(check_gain(&lacks, &with, &without), Ok(()));
            }
        }

        #[test]
        fn who_was_acted_on_is_still_below(own in 0..10_u8, other in 0..10_u8) {
            if let Ok(to) = promoted(own, other) {
                prop_assert!(own < to && to < other);
            }
            if let Ok(to) = demoted(own, other, 9) {
                prop_assert!(own < other && other < to && to <= 9);
            }
        }
    }
}
