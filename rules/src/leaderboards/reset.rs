//! When a board's season ends.
//!
//! Keeps true: a season that should have ended while nobody was there ends once, and the next one
//! ends at the first instant after now; an instant depends on the board alone, not on when the
//! season began.

use crate::content::BoardDef;
use crate::notices::schedule::{Schedule, ScheduleError};

/// The zone of boards that name none.
const ZONE: &str = "UTC";

/// When a board's seasons end; none for one that is never reset.
///
/// # Errors
/// Within: in this order `PatternInvalid`, `ZoneUnknown`, `NeverDue`.
pub fn ends(def: &BoardDef) -> Option<Result<Schedule, ScheduleError>> {
    if def.reset.is_empty() {
        return None;
    }
    let zone = if def.reset_zone.is_empty() { ZONE } else { &def.reset_zone };
    let schedule = Schedule::new(&def.reset, zone);
    Some(schedule.and_then(|schedule| schedule.next_after_micros(0).map(|_| schedule)))
}

/// The next end of a season after now, microseconds since 1970; none for a board that is never
/// reset.
pub fn next_end_micros(def: &BoardDef, now_micros: i64) -> Option<i64> {
    ends(def)?.ok()?.next_after_micros(now_micros).ok()
}

/// What of a board says when its seasons end: where it is another one, so is the end.
pub fn spelled(def: &BoardDef) -> String {
    if def.reset.is_empty() { String::new() } else { format!("{} {}", def.reset, def.reset_zone) }
}
