//! How far a tick has come on the wheel of slots that its due rows stand in.
//!
//! Keeps true: a row that is due is found by the first run of the tick after it, whatever this
//! instance of the module remembers; without memory the whole wheel is looked at.

use std::cell::Cell;

/// How far back a run looks before the one before it, microseconds: calls may run a little after
/// the instant they carry.
const OVERLAP_MICROS: i64 = 1_000_000;
/// How far back one of so many runs looks: a call may have waited for longer behind a great one.
const DEEP_MICROS: i64 = 60_000_000;
/// Runs from one deep look to the next: some five seconds.
const DEEP_RUNS: u32 = 100;

/// What one tick remembers between its runs.
pub(crate) struct Wheel {
    /// Up to when everything that was due has been handled; 0 when nothing is known.
    handled_until: Cell<i64>,
    runs: Cell<u32>,
}

impl Wheel {
    /// Nothing is known.
    pub(crate) const fn new() -> Self {
        Self { handled_until: Cell::new(0), runs: Cell::new(0) }
    }

    /// From when on a run of the tick has to look.
    pub(crate) fn look_from(&self) -> i64 {
        let run = self.runs.get();
        self.runs.set((run + 1) % DEEP_RUNS);
        let back = if run == 0 { DEEP_MICROS } else { OVERLAP_MICROS };
        self.handled_until.get().saturating_sub(back)
    }

    /// Everything up to that instant has been handled.
    pub(crate) fn handled_until(&self, micros: i64) {
        self.handled_until.set(micros);
    }
}
