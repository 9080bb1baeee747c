//! A difference between where somebody was drawn and where it is, that fades out instead of
//! jumping.
//!
//! Keeps true: what is drawn goes on where it was, is off by no more than [`FADE_MAX_MM`] each way,
//! and shows the truth to the millimetre once [`FADE`] is over.

use std::time::{Duration, Instant};

/// How long a difference takes to fade out.
pub(crate) const FADE: Duration = Duration::from_millis(150);
/// A larger difference jumps: it is no delay but a correction. Millimetres, along either axis.
pub(crate) const FADE_MAX_MM: i32 = 4_000;

/// A difference that fades.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fade {
    /// What was shown less what is true, when it began.
    x_mm: i32,
    y_mm: i32,
    began_at: Instant,
}

impl Fade {
    /// The fade from what is shown now to the truth; none where there is no difference, or one too
    /// large.
    pub(crate) fn between(shown: (i32, i32), truth: (i32, i32), now: Instant) -> Option<Self> {
        let (x_mm, y_mm) = (shown.0.saturating_sub(truth.0), shown.1.saturating_sub(truth.1));
        let largest = x_mm.saturating_abs().max(y_mm.saturating_abs());
        (1..=FADE_MAX_MM).contains(&largest).then_some(Self { x_mm, y_mm, began_at: now })
    }

    /// Where to draw at an instant whoever is truly there, millimetres.
    pub(crate) fn draw(fade: Option<Self>, (x, y): (i32, i32), at: Instant) -> (i32, i32) {
        let Some(Self { x_mm, y_mm, began_at }) = fade else { return (x, y) };
        let left = FADE.saturating_sub(at.saturating_duration_since(began_at));
        let part = |mm: i32| {
            let part = i128::from(mm) * micros(left) / micros(FADE);
            i32::try_from(part).unwrap_or(0)
        };
        (x.saturating_add(part(x_mm)), y.saturating_add(part(y_mm)))
    }
}

fn micros(duration: Duration) -> i128 {
    i128::try_from(duration.as_micros()).unwrap_or(i128::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_difference_fades_and_a_large_one_jumps() {
        let start = Instant::now();
        let after = |millis| start + Duration::from_millis(millis);
        let fade = Fade::between((300, -150), (0, 0), start);
        assert_eq!(Fade::draw(fade, (0, 0), start), (300, -150));
        assert_eq!(Fade::draw(fade, (10, 10), after(50)), (210, -90));
        assert_eq!(Fade::draw(fade, (10, 10), after(150)), (10, 10));
        assert_eq!(Fade::between((7, 7), (7, 7), start), None);
        assert_eq!(Fade::between((FADE_MAX_MM + 1, 0), (0, 0), start), None);
        assert_eq!(Fade::between((i32::MAX, 0), (i32::MIN, 0), start), None);
    }

    proptest! {
        #[test]
        fn what_is_drawn_begins_where_it_was_and_never_overshoots(
            shown in (-4_000..=4_000_i32, -4_000..=4_000_i32),
            millis in 0..300_u64,
        ) {
            let start = Instant::now();
            let fade = Fade::between(shown, (0, 0), start);
            prop_assert_eq!(Fade::draw(fade, (0, 0), start), shown);
            let (x, y) = Fade::draw(fade, (0, 0), start + Duration::from_millis(millis));
            prop_assert!(x.abs() <= shown.0.abs() && y.abs() <= shown.1.abs());
            prop_assert!(millis < 150 || (x, y) == (0, 0));
        }
    }
}
