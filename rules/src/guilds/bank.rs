//! The bank: its size, and how much is taken out of it in a day.
//!
//! A day is no date: it begins with the first thing that is taken after the one before it is over.
//! Keeps true: within a day no more is taken than the limit says, whatever the limit was before;
//! nothing is ever reset, because what is over is seen from the instant it began at.

use super::GuildError;

/// Most tabs of a bank.
pub const TABS_MAX: u8 = 6;
/// Slots of each tab.
pub const TAB_SLOTS: u16 = 98;
/// Most members who have the same tab open: each has a copy of it.
pub const TAB_VIEWERS_MAX: usize = 50;
/// How long a limit counts what was taken, microseconds.
pub const DAY_MICROS: i64 = 86_400_000_000;
/// The place of coins among what a member takes; tabs have their own numbers.
pub const COINS: u8 = 7;
/// A slot that says that any will do.
pub const ANYWHERE: u16 = u16::MAX;

/// The number of a tab among all guilds'.
pub const fn tab_id(guild_id: u64, tab: u8) -> u64 {
    guild_id * 8 + tab as u64
}

/// The guild and the tab of such a number.
pub const fn tab_parts(tab_id: u64) -> (u64, u8) {
    (tab_id / 8, (tab_id % 8) as u8)
}

/// What somebody took in the day that began then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Taken {
    /// Microseconds since 1970.
    pub began_at_micros: i64,
    /// How much since.
    pub amount: u64,
}

impl Taken {
    /// What counts at that instant: nothing once the day is over.
    #[must_use]
    pub const fn at(self, now_micros: i64) -> Self {
        let is_over = now_micros.saturating_sub(self.began_at_micros) >= DAY_MICROS;
        if is_over { Self { began_at_micros: now_micros, amount: 0 } } else { self }
    }

    /// How much more may be taken at that instant. `limit` is `None` for no limit.
    pub const fn left(self, now_micros: i64, limit: Option<u64>) -> u64 {
        match limit {
            Some(limit) => limit.saturating_sub(self.at(now_micros).amount),
            None => u64::MAX,
        }
    }

    /// After so much more was taken, or nothing where the limit says no.
    pub fn take(self, now_micros: i64, limit: Option<u64>, amount: u64) -> Option<Self> {
        if amount > self.left(now_micros, limit) {
            return None;
        }
        let now = self.at(now_micros);
        Some(Self { amount: now.amount.saturating_add(amount), ..now })
    }
}

/// Refuses a tab that the bank does not have.
///
/// # Errors
/// `TabUnknown`.
pub fn check_tab(tab: u8, tabs: u8) -> Result<(), GuildError> {
    if tab < tabs.min(TABS_MAX) { Ok(()) } else { Err(GuildError::TabUnknown) }
}

/// What the next tab costs: each costs as often the first one's price as there are then.
///
/// # Errors
/// `TabsTooMany`.
pub fn tab_cost(tabs: u8, tabs_max: u8, first_copper: u64) -> Result<u64, GuildError> {
    if tabs >= tabs_max.min(TABS_MAX) {
        return Err(GuildError::TabsTooMany);
    }
    Ok(first_copper.saturating_mul(u64::from(tabs) + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_limit_counts_a_day_from_the_first_that_was_taken() {
        let day = DAY_MICROS;
        let at = |began_at_micros, amount| Taken { began_at_micros, amount };
        for (taken, now, limit, amount, expected) in [
            (at(0, 0), day, Some(10), 10, Some(at(day, 10))),
            (at(0, 0), day, Some(10), 11, None),
            (at(day, 4), day + 1, Some(10), 6, Some(at(day, 10))),
            (at(day, 4), day + 1, Some(10), 7, None),
            (at(day, 10), 2 * day - 1, Some(10), 1, None),
            (at(day, 10), 2 * day, Some(10), 1, Some(at(2 * day, 1))),
            // A lower limit counts what was taken under a higher one; no limit counts it, too.
            (at(day, 10), day + 1, Some(5), 1, None),
            (at(day, 10), day + 1, None, u64::MAX, Some(at(day, u64::MAX))),
            (at(day, u64::MAX), day + 1, Some(5), 1, None),
            // A clock that was set back gives nothing.
            (at(day, 10), 0, Some(10), 1, None),
            (at(i64::MIN, 10), i64::MAX, Some(10), 1, Some(at(i64::MAX, 1))),
        ] {
            assert_eq!(taken.take(now, limit, amount), expected, "{taken:?} {now} {amount}");
        }
    }

    #[test]
    fn tabs_are_numbered_and_cost_more_and_more() {
        assert_eq!(tab_parts(tab_id(7, 5)), (7, 5));
        assert_eq!(check_tab(0, 0), Err(GuildError::TabUnknown));
        assert_eq!(check_tab(5, 6), Ok(()));
        assert_eq!(check_tab(6, 200), Err(GuildError::TabUnknown));
        assert_eq!(tab_cost(0, 2, 500), Ok(500));
        assert_eq!(tab_cost(1, 2, 500), Ok(1_000));
        assert_eq!(tab_cost(2, 2, 500), Err(GuildError::TabsTooMany));
        assert_eq!(tab_cost(6, 200, 500), Err(GuildError::TabsTooMany));
        assert_eq!(tab_cost(5, 6, u64::MAX), Ok(u64::MAX));
    }

    proptest! {
        #[test]
        fn within_a_day_no_more_than_the_limit_is_taken(
            limit in 0..1_000_u64,
            steps in prop::collection::vec((0..DAY_MICROS / 4, 0..400_u64), 0..60),
        ) {
            let (mut now, mut taken) = (1, Taken::default());
            let mut done: Vec<(i64, u64)> = vec![];
            for (wait, amount) in steps {
                now += wait;
                if let Some(after) = taken.take(now, Some(limit), amount) {
                    taken = after;
                    done.push((now, amount));
                }
                let since = taken.began_at_micros;
                let sum: u64 =
                    done.iter().filter(|(at, _)| *at >= since).map(|(_, amount)| amount).sum();
                prop_assert!(sum <= limit);
            }
        }
    }
}
