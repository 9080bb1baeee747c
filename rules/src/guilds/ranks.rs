//! Ranks: which there are at first, who may act on whom, and what may be given to a rank.
//!
//! A rank's position says how high it is: 0 is the leaders'. Keeps true: who acts stands above whom
//! he acts on, before and after; nobody gives a rank what his own lacks.

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

/// Refuses to give a rank more than one's own has. What it has already it may keep.
///
/// # Errors
/// `GrantTooHigh`.
pub fn check_grant(own: &Grant, before: &Grant, after: &Grant) -> Result<(), GuildError> {
    let adds = |own: u32, before: u32, after: u32| after & !before & !own != 0;
    let is_rights_good = !adds(own.rights, before.rights, after.rights)
        && !adds(own.tab_rights, before.tab_rights, after.tab_rights);
    let mut items = own.items_per_day.iter().zip(before.items_per_day).zip(after.items_per_day);
    let is_items_good = items.all(|((own, before), after)| after <= before.max(*own));
    let is_copper_good = after.copper_per_day <= before.copper_per_day.max(own.copper_per_day);
    if is_rights_good && is_items_good && is_copper_good {
        Ok(())
    } else {
        Err(GuildError::GrantTooHigh)
    }
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

    proptest! {
        #[test]
        fn what_a_rank_gets_its_giver_has(
            own in any_grant(), before in any_grant(), after in any_grant(),
        ) {
            prop_assert_eq!(check_grant(&Grant::ALL, &before, &after), Ok(()));
            prop_assert_eq!(check_grant(&own, &before, &before), Ok(()));
            if check_grant(&own, &before, &after).is_ok() {
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
                prop_assert_eq!(check_grant(&lacks, &without, &with), refused);
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
