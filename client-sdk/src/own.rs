//! The own character, ahead of the realm: an input shows at once, and the realm's word replaces it
//! when it comes.
//!
//! Keeps true: the newest input is what is shown until the realm has refused it, or shows a course
//! that counts it (`motion.input_number`); inputs that were overwritten in between count too,
//! refused ones do not. What was shown past the end of its segment goes on over the same ground.
//! Leaves out on purpose: how the difference to the realm's word fades (`fade`), and effects on the
//! pace, which no client sees.

use haven_rules::motion::{Course, Ground, Intent, Pace, Segment, advance};
use std::time::{Duration, Instant};

/// How long an accepted input may take to show in a row before the realm is believed anyway: a
/// crowded block is published every four ticks at most, and what it takes on the way may vary by
/// as much again.
pub(crate) const LATE_MAX: Duration = Duration::from_millis(450);

/// What an input should lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Predicted {
    /// Where it leads now.
    pub(crate) segment: Segment,
    /// What is meant, for when the segment ends.
    pub(crate) intent: Intent,
    /// How fast on easy ground.
    pub(crate) speed_mm_per_s: i32,
}

/// The prediction for the own character.
#[derive(Debug, Default)]
pub(crate) struct Own {
    /// What the newest input should lead to, until the realm has answered.
    predicted: Option<Predicted>,
    /// Inputs without an outcome.
    in_flight: u32,
    /// How many inputs of the character the realm is known to have taken in, as it counts; none
    /// until its row is here.
    taken_in: Option<u32>,
    /// What the realm's row counted last.
    counted: u32,
    /// When the realm's row is believed although it does not count the newest input.
    believe_at: Option<Instant>,
    /// Whether the last direction was run.
    running: bool,
}

impl Own {
    /// An input was sent, and should lead to that; none when nothing is known to plan with.
    pub(crate) fn input(&mut self, predicted: Option<Predicted>, running: bool) {
        self.in_flight += 1;
        self.believe_at = None;
        self.running = running;
        if predicted.is_some() {
            self.predicted = predicted;
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

    /// The outcome of the oldest input arrived.
    pub(crate) fn outcome(&mut self, accepted: bool, now: Instant) {
        self.in_flight = self.in_flight.saturating_sub(1);
        if accepted {
            self.taken_in = self.taken_in.map(|taken_in| taken_in.wrapping_add(1));
        }
        if self.in_flight == 0 && self.predicted.is_some() {
            self.believe_at = Some(if accepted { now + LATE_MAX } else { now });
        }
    }

    /// A row with a new course arrived. When all inputs have an outcome it either counts them, or
    /// somebody else has put the character where it is: believed in both cases.
    pub(crate) fn course_arrived(&mut self, now: Instant) {
        if self.believe_at.is_some() {
            self.believe_at = Some(now);
        }
    }

    /// The character is in another world: what was shown there means nothing here.
    pub(crate) fn displaced(&mut self) {
        (self.predicted, self.believe_at) = (None, None);
    }

    /// When [`Self::reconcile`] is due.
    pub(crate) fn believe_at(&self) -> Option<Instant> {
        self.believe_at
    }

    /// Compares with the inputs that the realm's row counts, and answers whether the prediction was
    /// given up for that row just now.
    pub(crate) fn reconcile(&mut self, input_number: u32, now: Instant) -> bool {
        let taken_in = self.count(input_number);
        if self.predicted.is_none() {
            self.believe_at = None;
            return false;
        }
        let answered = self.in_flight == 0 && !is_before(input_number, taken_in);
        let overdue = self.believe_at.is_some_and(|at| at <= now);
        if answered || overdue {
            self.displaced();
        }
        answered || overdue
    }

    /// Learns from a row how many inputs the realm has taken in: at first, when they are more than
    /// were sent from here, as those of an earlier connection are, and when it counts anew.
    fn count(&mut self, input_number: u32) -> u32 {
        let counts_anew =
            is_before(input_number, std::mem::replace(&mut self.counted, input_number));
        let known = self.taken_in.filter(|_| !counts_anew).unwrap_or(input_number);
        let sent = known.wrapping_add(self.in_flight);
        let unknown =
            if is_before(sent, input_number) { input_number.wrapping_sub(sent) } else { 0 };
        let known = known.wrapping_add(unknown);
        self.taken_in = Some(known);
        known
    }

    /// Where the prediction is at that instant of the realm's clock; none when there is none.
    pub(crate) fn position(&self, server_micros: i64) -> Option<(i32, i32)> {
        self.predicted.map(|predicted| predicted.segment.predict_at(server_micros))
    }

    /// When [`Self::carry`] is due, by the realm's clock.
    pub(crate) fn ends_at_micros(&self) -> Option<i64> {
        let segment = self.predicted?.segment;
        (!segment.stands()).then_some(segment.ends_at_micros)
    }

    /// Goes on where the predicted segment has ended, as the realm will.
    pub(crate) fn carry(&mut self, server_micros: i64, ground: &mut Ground<'_>) {
        if let Some(predicted) = &mut self.predicted {
            let pace = Pace::steady(predicted.speed_mm_per_s);
            let intent = predicted.intent;
            let course = Course { intent, pace: &pace, waypoints: &[], seed: 0 };
            predicted.segment = advance(predicted.segment, &course, server_micros, ground).segment;
        }
    }

    /// The connection or the character is gone; what was sent has no outcome any more, and the
    /// realm counts from the start.
    pub(crate) fn reset(&mut self) {
        *self = Self { running: self.running, ..Self::default() };
    }
}

/// Whether one count comes before another, wherever they wrap around.
fn is_before(one: u32, other: u32) -> bool {
    let ahead = other.wrapping_sub(one);
    ahead != 0 && ahead <= u32::MAX / 2
}

#[cfg(test)]
mod tests;
