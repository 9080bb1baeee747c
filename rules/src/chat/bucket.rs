//! How often one may do something: a bucket of tokens, kept as one instant.
//!
//! A bucket holds `burst` tokens and gets one back every `refill_millis`. It is kept as the instant
//! at which it is full again, as cells are metered in networks (GCRA, ITU-T I.371): nothing has to
//! be counted up while nothing happens.
//! Keeps true: within any time there are at most `burst` uses and one for each `refill_millis`.

use super::ChatError;

/// A bucket's size and pace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Uses at once, 1 to 1,000.
    pub burst: u16,
    /// How long until one more, 1 to 3,600,000.
    pub refill_millis: u32,
}

/// Refuses limits that would let all or nothing through.
///
/// # Errors
/// `LimitInvalid`.
pub fn validate_limit(burst: u16, refill_millis: u32) -> Result<Limit, ChatError> {
    let is_good = (1..=1_000).contains(&burst) && (1..=3_600_000).contains(&refill_millis);
    if is_good { Ok(Limit { burst, refill_millis }) } else { Err(ChatError::LimitInvalid) }
}

/// Takes a token out of a bucket that is full at that instant, microseconds since 1970; when it is
/// full again then.
///
/// # Errors
/// `TooFast` when there is none.
pub fn take(limit: Limit, full_at_micros: i64, now_micros: i64) -> Result<i64, ChatError> {
    take_several(limit, 1, full_at_micros, now_micros)
}

/// The same for several tokens at once, all of them or none.
///
/// # Errors
/// `TooFast` when there are not as many.
pub fn take_several(
    limit: Limit,
    tokens: u16,
    full_at_micros: i64,
    now_micros: i64,
) -> Result<i64, ChatError> {
    let refill_micros = i64::from(limit.refill_millis) * 1_000;
    let taken_micros = refill_micros * i64::from(tokens);
    let full_at_micros = full_at_micros.max(now_micros).saturating_add(taken_micros);
    let ahead_micros = full_at_micros.saturating_sub(now_micros);
    if ahead_micros <= refill_micros * i64::from(limit.burst) {
        Ok(full_at_micros)
    } else {
        Err(ChatError::TooFast)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn limits_are_bounded() {
        assert!(validate_limit(1, 1).is_ok());
        assert!(validate_limit(1_000, 3_600_000).is_ok());
        for (burst, refill_millis) in [(0, 1), (1_001, 1), (1, 0), (1, 3_600_001)] {
            assert_eq!(validate_limit(burst, refill_millis), Err(ChatError::LimitInvalid));
        }
    }

    #[test]
    fn a_burst_empties_the_bucket_and_time_fills_it() {
        let limit = Limit { burst: 3, refill_millis: 1_000 };
        let mut full_at = 0;
        for _ in 0..3 {
            full_at = take(limit, full_at, 10).expect("a token");
        }
        assert_eq!(take(limit, full_at, 10), Err(ChatError::TooFast));
        assert_eq!(take(limit, full_at, 1_000_009), Err(ChatError::TooFast));
        full_at = take(limit, full_at, 1_000_010).expect("one is back");
        assert_eq!(take(limit, full_at, 1_000_010), Err(ChatError::TooFast));
        for _ in 0..3 {
            full_at = take(limit, full_at, 60_000_000).expect("full again, and no fuller");
        }
        assert_eq!(take(limit, full_at, 60_000_000), Err(ChatError::TooFast));
    }

    #[test]
    fn several_are_taken_together_or_not_at_all() {
        let limit = Limit { burst: 5, refill_millis: 1_000 };
        assert_eq!(take_several(limit, 0, 7, 7), Ok(7));
        let full_at = take_several(limit, 4, 0, 0).expect("four tokens");
        assert_eq!(take_several(limit, 2, full_at, 0), Err(ChatError::TooFast));
        assert_eq!(take_several(limit, 2, full_at, 1_000_000), Ok(6_000_000));
        assert_eq!(take_several(limit, 6, 0, 0), Err(ChatError::TooFast));
        let most = Limit { burst: 1_000, refill_millis: 3_600_000 };
        assert_eq!(take_several(most, u16::MAX, i64::MAX, 0), Err(ChatError::TooFast));
    }

    #[test]
    fn a_limit_that_is_narrowed_holds_at_once() {
        let full_at = take(Limit { burst: 100, refill_millis: 1_000 }, 0, 0).expect("a token");
        let narrow = Limit { burst: 1, refill_millis: 1_000 };
        assert_eq!(take(narrow, full_at, 0), Err(ChatError::TooFast));
    }

    proptest! {
        /// From any use on, within any time: at most the burst and what has come back.
        #[test]
        fn no_time_has_more_uses_than_its_limit(
            burst in 1_u16..20,
            refill_millis in 1_u32..5_000,
            waits in proptest::collection::vec(0_i64..3_000_000, 1..200),
        ) {
            let limit = Limit { burst, refill_millis };
            let (mut now, mut full_at, mut uses) = (0_i64, 0_i64, vec![]);
            for wait in waits {
                now += wait;
                if let Ok(next) = take(limit, full_at, now) {
                    full_at = next;
                    uses.push(now);
                }
            }
            for (first, from) in uses.iter().enumerate() {
                for (last, to) in uses.iter().enumerate().skip(first) {
                    let most = i64::from(burst) + (to - from) / (i64::from(refill_millis) * 1_000);
                    let count = i64::try_from(last - first + 1).expect("few");
                    prop_assert!(count <= most, "{} within {}", count, to - from);
                }
            }
        }
    }
}
