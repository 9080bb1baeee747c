//! How often an account sends letters: so many at once, then one after another.
//!
//! Keeps true: what an account has spent is one instant, and time alone gives it back. This is the
//! generic cell rate algorithm (ITU-T I.371), with an hour for its bucket.

use super::MailError;

/// An hour, microseconds.
pub const HOUR_MICROS: i64 = 3_600_000_000;

/// What an account has spent after one more letter: until when it is spent. An hour's letters may
/// be sent at once; each is given back an hour after the one before it, divided by their number.
/// The division rounds down.
///
/// # Errors
/// `TooOften`.
pub fn spend(spent_until_micros: i64, now_micros: i64, per_hour: i64) -> Result<i64, MailError> {
    let step = HOUR_MICROS / per_hour.clamp(1, HOUR_MICROS);
    let spent = spent_until_micros.max(now_micros).saturating_add(step);
    if spent.saturating_sub(now_micros) > HOUR_MICROS {
        return Err(MailError::TooOften);
    }
    Ok(spent)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_hours_letters_may_be_sent_at_once_and_then_one_by_one() {
        let now = 1_700_000_000_000_000;
        let mut spent = 0;
        for _ in 0..60 {
            spent = spend(spent, now, 60).expect("an hour's");
        }
        assert_eq!(spent, now + HOUR_MICROS);
        assert_eq!(spend(spent, now, 60), Err(MailError::TooOften));
        let minute = 60_000_000;
        assert_eq!(spend(spent, now + minute - 1, 60), Err(MailError::TooOften));
        let after = spend(spent, now + minute, 60).expect("one is given back");
        assert_eq!(spend(after, now + minute, 60), Err(MailError::TooOften));
        assert!(spend(after, now + 3 * HOUR_MICROS, 60).is_ok());
    }

    #[test]
    fn numbers_that_make_no_sense_refuse_or_allow_but_do_not_fail() {
        assert_eq!(spend(i64::MAX, 0, 60), Err(MailError::TooOften));
        assert!(spend(i64::MIN, i64::MIN, 60).is_ok());
        assert!(spend(0, i64::MAX, 60).is_ok());
        assert!(spend(0, 0, 0).is_ok());
        assert!(spend(0, 0, i64::MAX).is_ok());
    }

    proptest! {
        #[test]
        fn in_no_hour_are_there_more_than_twice_as_many(
            pauses in prop::collection::vec(0..200_000_000_i64, 1..400),
            per_hour in 1..100_i64,
        ) {
            let (mut now, mut spent, mut sent) = (1_700_000_000_000_000, 0, vec![]);
            for pause in pauses {
                now += pause;
                if let Ok(after) = spend(spent, now, per_hour) {
                    spent = after;
                    sent.push(now);
                }
            }
            for (index, first) in sent.iter().enumerate() {
                let within = sent[index..].iter().filter(|at| **at - first < HOUR_MICROS).count();
                prop_assert!(i64::try_from(within).expect("few") <= 2 * per_hour);
            }
        }
    }
}
