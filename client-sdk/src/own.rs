//! The own character, ahead of the realm: an input shows at once, and the realm's word replaces it
//! when it comes.
//!
//! Keeps true: while inputs are under way the newest is what is shown; when the realm's answer
//! differs, the difference fades out instead of jumping, unless it is too large to be a delay.

use haven_rules::motion::Segment;
use std::time::{Duration, Instant};

/// How long a difference takes to fade out.
const FADE: Duration = Duration::from_millis(150);
/// A larger difference jumps: it is no delay but a correction. Millimetres.
const FADE_MAX_MM: i32 = 4_000;
/// How long an accepted input that waits for the next tick may take to show in a row: three ticks.
const PENDING_MAX: Duration = Duration::from_millis(150);

/// The prediction for the own character.
#[derive(Debug, Default)]
pub(crate) struct Own {
    /// What the newest input should lead to, until the realm has answered.
    predicted: Option<Segment>,
    /// Inputs without an outcome.
    in_flight: u32,
    /// When the realm's row is believed although it does not show the last input.
    believe_at: Option<Instant>,
    fade: Option<Fade>,
    /// Whether the last direction was run.
    running: bool,
}

#[derive(Clone, Copy, Debug)]
struct Fade {
    /// What was shown less what is true, when it began.
    x_mm: i32,
    y_mm: i32,
    began_at: Instant,
}

impl Own {
    /// An input was sent, and should lead to that; none when nothing is known to plan with.
    pub(crate) fn input(&mut self, predicted: Option<Segment>, running: bool) {
        self.in_flight += 1;
        self.believe_at = None;
        self.running = running;
        if predicted.is_some() {
            (self.predicted, self.fade) = (predicted, None);
        }
    }

    /// Whether the last direction was run: what a goal keeps.
    pub(crate) fn is_running(&self) -> bool {
        self.running
    }

    /// Inputs without an outcome.
    pub(crate) fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// The outcome of the oldest input arrived, and whether its transaction changed the course.
    pub(crate) fn outcome(&mut self, accepted: bool, course_changed: bool, now: Instant) {
        self.in_flight = self.in_flight.saturating_sub(1);
        if self.in_flight == 0 && self.predicted.is_some() {
            let pending = accepted && !course_changed;
            self.believe_at = Some(if pending { now + PENDING_MAX } else { now });
        }
    }

    /// A row with a new course arrived.
    pub(crate) fn course_arrived(&mut self, now: Instant) {
        if self.believe_at.is_some() {
            self.believe_at = Some(now);
        }
    }

    /// When [`Self::reconcile`] is due.
    pub(crate) fn believe_at(&self) -> Option<Instant> {
        self.believe_at
    }

    /// Believes the realm's segment if it is time to. `server_micros` is the realm's time now.
    pub(crate) fn reconcile(&mut self, truth: &Segment, server_micros: i64, now: Instant) {
        if self.believe_at.is_none_or(|at| at > now) {
            return;
        }
        let shown = self.position(truth, server_micros, now);
        (self.predicted, self.believe_at) = (None, None);
        let (x, y) = truth.predict_at(server_micros);
        let (x_mm, y_mm) = (shown.0.saturating_sub(x), shown.1.saturating_sub(y));
        let fades = x_mm.saturating_abs().max(y_mm.saturating_abs()) <= FADE_MAX_MM;
        self.fade = fades.then_some(Fade { x_mm, y_mm, began_at: now });
    }

    /// Where to show the character, millimetres.
    pub(crate) fn position(&self, truth: &Segment, server_micros: i64, at: Instant) -> (i32, i32) {
        if let Some(predicted) = &self.predicted {
            return predicted.predict_at(server_micros);
        }
        let (x, y) = truth.predict_at(server_micros);
        let Some(fade) = self.fade else { return (x, y) };
        let left = FADE.saturating_sub(at.saturating_duration_since(fade.began_at));
        let part = |mm: i32| {
            let part = i128::from(mm) * micros(left) / micros(FADE);
            i32::try_from(part).unwrap_or(0)
        };
        (x.saturating_add(part(fade.x_mm)), y.saturating_add(part(fade.y_mm)))
    }

    /// The connection or the character is gone; what was sent has no outcome any more.
    pub(crate) fn reset(&mut self) {
        *self = Self { running: self.running, ..Self::default() };
    }
}

fn micros(duration: Duration) -> i128 {
    i128::try_from(duration.as_micros()).unwrap_or(i128::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use haven_rules::motion::SegmentEnd;

    fn walk(started_at_micros: i64, pos_x_mm: i32, vel_x_mm_per_s: i32) -> Segment {
        Segment {
            started_at_micros,
            ends_at_micros: started_at_micros + 60_000_000,
            pos_x_mm,
            pos_y_mm: 0,
            vel_x_mm_per_s,
            vel_y_mm_per_s: 0,
            end: SegmentEnd::Edge,
        }
    }

    #[test]
    fn an_input_shows_at_once_and_the_answer_fades_in() {
        let start = Instant::now();
        let after = |millis| start + Duration::from_millis(millis);
        let mut own = Own::default();
        let standing = Segment::standing(0, 0, 0);
        own.input(Some(walk(0, 0, 1_000)), false);
        assert_eq!(own.position(&standing, 30_000, after(30)), (30, 0));
        // The realm applied it 20 ms later than it was shown.
        let truth = walk(20_000, 0, 1_000);
        own.outcome(true, true, after(40));
        own.reconcile(&truth, 40_000, after(40));
        assert_eq!(own.position(&truth, 40_000, after(40)), (40, 0));
        assert_eq!(own.position(&truth, 115_000, after(115)), (95 + 10, 0));
        assert_eq!(own.position(&truth, 190_000, after(190)), (170, 0));
    }

    #[test]
    fn an_input_that_waits_for_the_tick_is_shown_meanwhile() {
        let start = Instant::now();
        let mut own = Own::default();
        let standing = Segment::standing(0, 0, 0);
        own.input(Some(walk(0, 0, 1_000)), true);
        own.outcome(true, false, start);
        own.reconcile(&standing, 1_000, start);
        assert_eq!(own.position(&standing, 10_000, start), (10, 0), "not believed yet");
        assert_eq!(own.believe_at(), Some(start + PENDING_MAX));
        own.course_arrived(start);
        own.reconcile(&walk(5_000, 0, 1_000), 10_000, start);
        assert_eq!(own.believe_at(), None);
        assert!(own.is_running());
    }

    #[test]
    fn the_newest_of_several_inputs_is_shown_until_all_have_an_outcome() {
        let start = Instant::now();
        let mut own = Own::default();
        own.input(Some(walk(0, 0, 1_000)), false);
        own.input(Some(walk(0, 0, -1_000)), false);
        own.outcome(true, true, start);
        let truth = walk(0, 0, 1_000);
        own.reconcile(&truth, 10_000, start);
        assert_eq!((own.position(&truth, 10_000, start), own.in_flight()), ((-10, 0), 1));
        own.outcome(false, false, start);
        own.reconcile(&truth, 10_000, start);
        let faded = start + FADE;
        assert_eq!(own.position(&truth, 10_000, faded), (10, 0), "a refusal is believed at once");
    }

    #[test]
    fn a_correction_jumps() {
        let start = Instant::now();
        let mut own = Own::default();
        own.input(Some(walk(0, 0, 1_000)), false);
        own.outcome(true, true, start);
        let truth = Segment::standing(0, 50_000, 0);
        own.reconcile(&truth, 0, start);
        assert_eq!(own.position(&truth, 0, start), (50_000, 0));
    }
}
