//! How often somebody may do what costs others something: so many at once, then one each while.
//!
//! Keeps true: over any time no more pass than the burst and one for each interval. One number is
//! kept (a generic cell rate algorithm, ITU-T I.371): when the next one would be on time if each
//! had waited for its turn.

/// A limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// How many pass at once, at least 1.
    pub burst: u32,
    /// How long until another one may, microseconds, at least 1.
    pub interval_micros: i64,
}

impl Pace {
    /// One more at that instant: what is kept from then on, or none where it comes too early.
    /// `on_time_at_micros` is what was kept, 0 for who has done nothing yet.
    pub fn spend(self, on_time_at_micros: i64, now_micros: i64) -> Option<i64> {
        let ahead = i64::from(self.burst.saturating_sub(1)).saturating_mul(self.interval_micros);
        let on_time = on_time_at_micros.max(now_micros);
        let is_early = on_time.saturating_sub(now_micros) > ahead;
        (!is_early).then(|| on_time.saturating_add(self.interval_micros))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PACE: Pace = Pace { burst: 3, interval_micros: 10 };

    #[test]
    fn a_burst_passes_and_then_one_each_interval() {
        let mut kept = 0;
        for (now, passes) in [
            (100, true),
            (100, true),
            (100, true),
            (100, false),
            (109, false),
            (110, true),
            (110, false),
            (200, true),
            (200, true),
            (200, true),
            (200, false),
        ] {
            let next = PACE.spend(kept, now);
            assert_eq!(next.is_some(), passes, "{now}");
            kept = next.unwrap_or(kept);
        }
        assert_eq!(PACE.spend(i64::MAX, 0), None);
        assert!(PACE.spend(0, i64::MAX).is_some());
    }

    proptest! {
        #[test]
        fn no_more_pass_than_the_burst_and_one_for_each_interval(
            burst in 1..20_u32,
            interval_micros in 1..50_i64,
            mut instants in prop::collection::vec(1..2_000_i64, 1..200),
        ) {
            instants.sort_unstable();
            let pace = Pace { burst, interval_micros };
            let mut kept = 0;
            let mut passed: Vec<i64> = vec![];
            for now in instants {
                if let Some(next) = pace.spend(kept, now) {
                    kept = next;
                    passed.push(now);
                }
            }
            for (first, from) in passed.iter().enumerate() {
                for (last, to) in passed.iter().enumerate().skip(first) {
                    let count = i64::try_from(last - first + 1).expect("few");
                    prop_assert!(count <= i64::from(burst) + (to - from) / interval_micros);
                }
            }
        }
    }
}
