//! Crowds: when a block's courses are published one by one, and when by the tick.
//!
//! What publishing costs is messages: each course in a block goes to everybody who watches it. One
//! by one that is inputs × watchers; gathered by the tick it is ticks × watchers, whatever the
//! inputs. Keeps true: between the two limits a block stays as it is, so that it does not flicker.

/// Over how long a block's inputs are counted, microseconds.
pub const CROWD_WINDOW_MICROS: i64 = 1_000_000;
/// A block with more messages than this a second, were courses published one by one, is crowded.
pub const BLOCK_MESSAGES_MAX_PER_S: u64 = 1_000;
/// A crowded block with fewer than this is not any more.
pub const BLOCK_MESSAGES_CALM_PER_S: u64 = 500;
/// When all blocks together make more messages than this, each counts as crowded at a tenth of its
/// own limits. A third of what one core can deliver (`docs/BENCHMARKS.md`, `crowd`).
pub const REALM_MESSAGES_MAX_PER_S: u64 = 60_000;

/// What a window saw of one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Crowding {
    /// Courses set by players in it.
    pub inputs: u32,
    /// Players who watch it.
    pub watchers: u32,
    /// How long the window was, microseconds, at least [`CROWD_WINDOW_MICROS`].
    pub window_micros: i64,
    /// Messages a second of the whole realm, as last counted.
    pub realm_messages_per_s: u64,
}

impl Crowding {
    /// Messages a second, were each course published at once. Rounded down.
    pub fn messages_per_s(&self) -> u64 {
        let messages = u128::from(self.inputs) * u128::from(self.watchers) * 1_000_000;
        let window = u128::from(self.window_micros.max(1).unsigned_abs());
        u64::try_from(messages / window).unwrap_or(u64::MAX)
    }
}

/// Whether a block's courses are to be gathered by the tick from now on.
pub fn is_crowded(was_crowded: bool, seen: &Crowding) -> bool {
    let busy = seen.realm_messages_per_s > REALM_MESSAGES_MAX_PER_S;
    let part = if busy { 10 } else { 1 };
    let limit = if was_crowded { BLOCK_MESSAGES_CALM_PER_S } else { BLOCK_MESSAGES_MAX_PER_S };
    seen.messages_per_s() > limit / part
}

/// Whether so many courses make a block crowded before its second is over.
pub fn is_crowd_already(inputs: u32, watchers: u32) -> bool {
    u64::from(inputs) * u64::from(watchers) > BLOCK_MESSAGES_MAX_PER_S
}

/// Every how many ticks a crowded block is published: beyond 2,000 watchers, 40,000 messages a
/// second, each tick's messages would take longer to send than the tick lasts.
pub const fn publish_every_ticks(watchers: u32) -> i64 {
    match watchers {
        0..=2_000 => 1,
        2_001..=4_000 => 2,
        _ => 4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(inputs: u32, watchers: u32, realm: u64, was_crowded: bool, expected: bool) {
        let seen = Crowding {
            inputs,
            watchers,
            window_micros: CROWD_WINDOW_MICROS,
            realm_messages_per_s: realm,
        };
        assert_eq!(is_crowded(was_crowded, &seen), expected, "{seen:?}");
    }

    #[test]
    fn a_block_is_crowded_by_messages_and_calms_down_later() {
        check(2, 18, 36_000, false, false);
        check(10, 100, 0, false, false);
        check(10, 101, 0, false, true);
        check(10, 51, 0, true, true);
        check(10, 50, 0, true, false);
        check(0, 5_000, 0, true, false);
    }

    #[test]
    fn a_busy_realm_gathers_earlier() {
        check(10, 11, REALM_MESSAGES_MAX_PER_S, false, false);
        check(10, 11, REALM_MESSAGES_MAX_PER_S + 1, false, true);
        check(10, 6, REALM_MESSAGES_MAX_PER_S + 1, true, true);
        check(10, 5, REALM_MESSAGES_MAX_PER_S + 1, true, false);
    }

    #[test]
    fn a_crowd_is_known_before_its_second_is_over() {
        assert!(!is_crowd_already(10, 100));
        assert!(is_crowd_already(10, 101));
        assert!(is_crowd_already(1, 1_001));
        assert!(is_crowd_already(u32::MAX, u32::MAX));
    }

    #[test]
    fn a_block_sends_at_most_40_000_messages_a_second_up_to_8_000_watchers() {
        let expected = [(0, 1), (2_000, 1), (2_001, 2), (4_000, 2), (4_001, 4), (u32::MAX, 4)];
        for (watchers, ticks) in expected {
            assert_eq!(publish_every_ticks(watchers), ticks, "{watchers}");
        }
    }

    #[test]
    fn the_largest_numbers_fit() {
        check(u32::MAX, u32::MAX, u64::MAX, false, true);
        let seen = Crowding { inputs: 10, watchers: 10, window_micros: 0, realm_messages_per_s: 0 };
        assert_eq!(seen.messages_per_s(), 100_000_000);
    }
}
