//! Notices and world events: personal, realm-wide, scheduled.
//!
//! Keeps true: what was planned for a time that passed while nothing ran is done once, for the last
//! time that has come; the phase of an event follows from its beginning and the clock alone.
//! Times that come round are read in [`schedule`].

pub mod schedule;

use crate::errors::domain_errors;
use schedule::{Due, Schedule, ScheduleError};
use unicode_normalization::UnicodeNormalization;

/// Longest title, characters.
pub const TITLE_CHARS_MAX: usize = 80;
/// Longest body, characters.
pub const BODY_CHARS_MAX: usize = 1_000;
/// Shortest life of a notice, seconds.
pub const LIFETIME_SECONDS_MIN: u32 = 10;
/// Longest life of a notice, seconds: 30 days.
pub const LIFETIME_SECONDS_MAX: u32 = 30 * 86_400;
/// How far ahead something can be planned, microseconds: a year.
pub const AHEAD_MICROS_MAX: i64 = 366 * 86_400 * 1_000_000;
/// Most notices for everybody at once.
pub const NOTICES_MAX: u64 = 50;
/// Most notices that are planned.
pub const PLANS_MAX: u64 = 100;
/// Most notices of an account; the oldest gives way.
pub const PERSONAL_MAX: usize = 100;
/// Most world events at once, waiting ones too.
pub const EVENTS_MAX: u64 = 20;
/// Most phases of a world event.
pub const PHASES_MAX: usize = 10;
/// Longest phase, seconds: a week.
pub const PHASE_SECONDS_MAX: u32 = 7 * 86_400;
/// Longest name of a phase, characters.
pub const PHASE_NAME_CHARS_MAX: usize = 40;

domain_errors! {
    /// Why something about notices was refused.
    NoticeError {
        KindUnknown = 1900, "notice.kind_unknown", "there is no such kind of notice";
        TitleLength = 1901, "notice.title_length", "a title has 1 to 80 characters";
        BodyLength = 1902, "notice.body_length", "a body has at most 1000 characters";
        TextLetters = 1903, "notice.text_letters", "a notice has no control characters but line breaks in its body";
        LifetimeInvalid = 1904, "notice.lifetime_invalid", "a notice lives 10 seconds to 30 days";
        PhasesInvalid = 1905, "notice.phases_invalid", "an event has 1 to 10 phases of 1 second to a week with names of 1 to 40 characters";
        TimeInvalid = 1906, "notice.time_invalid", "a time lies ahead, a year at most, and an end after it; there is a time or a pattern, not both";
        PatternInvalid = 1907, "notice.pattern_invalid", "a pattern has the five fields of cron";
        ZoneUnknown = 1908, "notice.zone_unknown", "there is no such time zone";
        NeverDue = 1909, "notice.never_due", "the pattern does not come within ten years, or not before its end";
        TooMany = 1910, "notice.too_many", "there are too many of them";
        TargetUnknown = 1911, "notice.target_unknown", "there is no such character";
        Unknown = 1912, "notice.unknown", "there is no such notice, plan or event";
    }
}

impl From<ScheduleError> for NoticeError {
    fn from(error: ScheduleError) -> Self {
        match error {
            ScheduleError::PatternInvalid => Self::PatternInvalid,
            ScheduleError::ZoneUnknown => Self::ZoneUnknown,
            ScheduleError::NeverDue => Self::NeverDue,
        }
    }
}

/// What a notice is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum NoticeKind {
    /// News.
    News = 1,
    /// The realm goes down, or is up again.
    Maintenance = 2,
    /// Something happens in the world.
    Event = 3,
    /// A word of staff to a player.
    Staff = 4,
    /// Something that the game tells a player.
    Game = 5,
}

impl NoticeKind {
    /// Every kind, by its number.
    pub const ALL: &'static [Self] =
        &[Self::News, Self::Maintenance, Self::Event, Self::Staff, Self::Game];

    /// The number that stands in rows.
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The kind with that number.
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.code() == code)
    }
}

/// What a notice says, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wording {
    /// One line.
    pub title: String,
    /// Any number of lines.
    pub body: String,
}

/// Decides whether a notice may say that.
///
/// # Errors
/// In this order: `TitleLength`, `BodyLength`, `TextLetters`.
pub fn validate_wording(title: &str, body: &str) -> Result<Wording, NoticeError> {
    let is_long = |text: &str, chars_max: usize| {
        text.len() > chars_max * 8 || text.chars().count() > chars_max
    };
    if title.len() > TITLE_CHARS_MAX * 8 {
        return Err(NoticeError::TitleLength);
    }
    if body.len() > BODY_CHARS_MAX * 8 {
        return Err(NoticeError::BodyLength);
    }
    let title: String = title.trim().nfc().collect();
    let body: String = body.trim().nfc().collect();
    if title.is_empty() || is_long(&title, TITLE_CHARS_MAX) {
        return Err(NoticeError::TitleLength);
    }
    if is_long(&body, BODY_CHARS_MAX) {
        return Err(NoticeError::BodyLength);
    }
    let is_bad = |letter: char| letter.is_control() && letter != '\n';
    if title.chars().any(char::is_control) || body.chars().any(is_bad) {
        return Err(NoticeError::TextLetters);
    }
    Ok(Wording { title, body })
}

/// Refuses a life that is none.
///
/// # Errors
/// `LifetimeInvalid`.
pub fn validate_lifetime(seconds: u32) -> Result<(), NoticeError> {
    let is_good = (LIFETIME_SECONDS_MIN..=LIFETIME_SECONDS_MAX).contains(&seconds);
    if is_good { Ok(()) } else { Err(NoticeError::LifetimeInvalid) }
}

/// When something is to happen: once, or whenever a pattern says so.
#[derive(Clone, Debug)]
pub struct When {
    /// The pattern, if it comes round.
    pub schedule: Option<Schedule>,
    /// The first time, microseconds since 1970.
    pub first_at_micros: i64,
}

/// Reads when something is to happen: at an instant where `at_micros` is not 0, else by a pattern;
/// `until_micros` is where it ends, 0 for never.
///
/// # Errors
/// In this order: `TimeInvalid`, `PatternInvalid`, `ZoneUnknown`, `NeverDue`.
pub fn read_when(
    now_micros: i64,
    at_micros: i64,
    (pattern, zone): (&str, &str),
    until_micros: i64,
) -> Result<When, NoticeError> {
    let is_ahead = |micros: i64| micros > now_micros && micros - now_micros <= AHEAD_MICROS_MAX;
    let is_once = at_micros != 0;
    let has_time = if is_once { is_ahead(at_micros) } else { !pattern.is_empty() };
    let is_both = is_once && !pattern.is_empty();
    if !has_time || is_both || until_micros != 0 && until_micros <= now_micros.max(at_micros) {
        return Err(NoticeError::TimeInvalid);
    }
    if is_once {
        return Ok(When { schedule: None, first_at_micros: at_micros });
    }
    let schedule = Schedule::new(pattern, zone)?;
    let first_at_micros = schedule.next_after_micros(now_micros)?;
    if until_micros != 0 && first_at_micros > until_micros {
        return Err(NoticeError::NeverDue);
    }
    Ok(When { schedule: Some(schedule), first_at_micros })
}

/// What has come of a plan that was to happen at that instant; none while it has not come.
pub fn due(
    schedule: Option<&Schedule>,
    due_at_micros: i64,
    until_micros: i64,
    now_micros: i64,
) -> Option<Due> {
    let due = match schedule {
        Some(schedule) => schedule.due(due_at_micros, now_micros)?,
        None if now_micros < due_at_micros => return None,
        None => Due { last_at_micros: due_at_micros, next_at_micros: None },
    };
    let is_within = |at: &i64| until_micros == 0 || *at <= until_micros;
    // Of what was missed, the last that still lay before the end is told.
    let last_at_micros = match schedule {
        Some(schedule) if !is_within(&due.last_at_micros) => {
            schedule.last_up_to_micros(until_micros).unwrap_or(due_at_micros).max(due_at_micros)
        }
        Some(_) | None => due.last_at_micros,
    };
    Some(Due { last_at_micros, next_at_micros: due.next_at_micros.filter(is_within) })
}

/// Refuses phases that an event cannot have: each a name and how long it lasts, seconds.
///
/// # Errors
/// `PhasesInvalid`.
pub fn validate_phases(phases: &[(&str, u32)]) -> Result<(), NoticeError> {
    let is_good = |(name, seconds): &(&str, u32)| {
        (1..=PHASE_NAME_CHARS_MAX).contains(&name.chars().count())
            && !name.chars().any(char::is_control)
            && (1..=PHASE_SECONDS_MAX).contains(seconds)
    };
    let is_some = (1..=PHASES_MAX).contains(&phases.len());
    if is_some && phases.iter().all(is_good) { Ok(()) } else { Err(NoticeError::PhasesInvalid) }
}

/// Where an event stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It begins at an instant that has not come, microseconds since 1970.
    Waiting(i64),
    /// A phase, counted from 0, and between which instants it lies.
    Phase(usize, i64, i64),
    /// It is over.
    Over,
}

/// Where an event that begins then stands now, by how long its phases last, seconds.
pub fn standing(begins_at_micros: i64, seconds: &[u32], now_micros: i64) -> Standing {
    if now_micros < begins_at_micros {
        return Standing::Waiting(begins_at_micros);
    }
    let mut began = begins_at_micros;
    for (index, seconds) in seconds.iter().enumerate() {
        let ends = began.saturating_add(i64::from(*seconds) * 1_000_000);
        if now_micros < ends {
            return Standing::Phase(index, began, ends);
        }
        began = ends;
    }
    Standing::Over
}

/// Where an event stands that may come round, and when it began or begins: where one is over, the
/// next is waited for.
pub fn standing_of_round(
    schedule: Option<&Schedule>,
    begins_at_micros: i64,
    seconds: &[u32],
    now_micros: i64,
) -> (i64, Standing) {
    let found = standing(begins_at_micros, seconds, now_micros);
    let Some(schedule) = schedule.filter(|_| found == Standing::Over) else {
        return (begins_at_micros, found);
    };
    // One that began while nothing ran and still lasts is joined where it is.
    let last = schedule.last_up_to_micros(now_micros).filter(|last| *last > begins_at_micros);
    if let Some(last) = last {
        let found = standing(last, seconds, now_micros);
        if found != Standing::Over {
            return (last, found);
        }
    }
    match schedule.next_after_micros(now_micros) {
        Ok(next) => (next, Standing::Waiting(next)),
        Err(_) => (begins_at_micros, Standing::Over),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: i64 = 1_000_000;
    const DAY: i64 = 86_400 * SECOND;

    #[test]
    fn wordings_are_bounded() {
        for (title, body, expected) in [
            ("Hello", "", Ok(())),
            (" Hello ", "one\ntwo", Ok(())),
            ("", "", Err(NoticeError::TitleLength)),
            (&"x".repeat(81), "", Err(NoticeError::TitleLength)),
            (&"x".repeat(100_000), "", Err(NoticeError::TitleLength)),
            ("Hello", &"x".repeat(1_001), Err(NoticeError::BodyLength)),
            ("Hello", &"x".repeat(100_000), Err(NoticeError::BodyLength)),
            ("Hel\nlo", "", Err(NoticeError::TextLetters)),
            ("Hello", "a\u{7}", Err(NoticeError::TextLetters)),
        ] {
            assert_eq!(validate_wording(title, body).map(|_| ()), expected, "{}", title.len());
        }
        for (seconds, is_good) in [(9, false), (10, true), (2_592_000, true), (2_592_001, false)] {
            assert_eq!(validate_lifetime(seconds).is_ok(), is_good, "{seconds}");
        }
    }

    #[test]
    fn a_time_lies_ahead_and_is_one() {
        let daily = ("0 4 * * *", "UTC");
        for (at, pattern, until, expected) in [
            (11, ("", ""), 0, Ok(11)),
            (10, ("", ""), 0, Err(NoticeError::TimeInvalid)),
            (-1, ("", ""), 0, Err(NoticeError::TimeInvalid)),
            (i64::MAX, ("", ""), 0, Err(NoticeError::TimeInvalid)),
            (0, ("", ""), 0, Err(NoticeError::TimeInvalid)),
            (11, daily, 0, Err(NoticeError::TimeInvalid)),
            (11, ("", ""), 11, Err(NoticeError::TimeInvalid)),
            (11, ("", ""), 12, Ok(11)),
            (0, daily, 0, Ok(4 * 3_600 * SECOND)),
            (0, daily, 10, Err(NoticeError::TimeInvalid)),
            (0, daily, 3_600 * SECOND, Err(NoticeError::NeverDue)),
            (0, ("0 4 * *", "UTC"), 0, Err(NoticeError::PatternInvalid)),
            (0, ("0 4 * * *", "Mars"), 0, Err(NoticeError::ZoneUnknown)),
            (0, ("0 0 30 2 *", "UTC"), 0, Err(NoticeError::NeverDue)),
        ] {
            let read = read_when(10, at, pattern, until).map(|when| when.first_at_micros);
            assert_eq!(read, expected, "{at} {pattern:?} {until}");
        }
    }

    #[test]
    fn a_plan_that_ended_while_nothing_ran_is_told_for_its_last_time() {
        let daily = Schedule::new("0 4 * * *", "UTC").expect("a schedule");
        let four = 4 * 3_600 * SECOND;
        let told = due(Some(&daily), four, 2 * DAY, 10 * DAY);
        let expected = Due { last_at_micros: DAY + four, next_at_micros: None };
        assert_eq!(told, Some(expected));
        assert_eq!(due(None, 5, 0, 4), None);
        let once = Due { last_at_micros: 5, next_at_micros: None };
        assert_eq!(due(None, 5, 0, DAY), Some(once));
    }

    #[test]
    fn phases_follow_from_the_clock() {
        use Standing::{Over, Phase, Waiting};
        let seconds = [10, 5];
        for (now, expected) in [
            (0, Waiting(SECOND)),
            (SECOND - 1, Waiting(SECOND)),
            (SECOND, Phase(0, SECOND, 11 * SECOND)),
            (11 * SECOND - 1, Phase(0, SECOND, 11 * SECOND)),
            (11 * SECOND, Phase(1, 11 * SECOND, 16 * SECOND)),
            (16 * SECOND, Over),
            (i64::MAX, Over),
        ] {
            assert_eq!(standing(SECOND, &seconds, now), expected, "{now}");
        }
        assert_eq!(validate_phases(&[("Gathering", 10)]), Ok(()));
        for phases in
            [vec![], vec![("", 1)], vec![("x", 0)], vec![("x", 604_801)], vec![("x", 1); 11]]
        {
            assert_eq!(validate_phases(&phases), Err(NoticeError::PhasesInvalid));
        }
    }

    #[test]
    fn an_event_that_comes_round_is_joined_or_waited_for() {
        let daily = Schedule::new("0 4 * * *", "UTC").expect("a schedule");
        let four = 4 * 3_600 * SECOND;
        let stands = |now| standing_of_round(Some(&daily), four, &[3_600], now);
        let hour = 3_600 * SECOND;
        assert_eq!(stands(0), (four, Standing::Waiting(four)));
        assert_eq!(stands(four), (four, Standing::Phase(0, four, four + hour)));
        assert_eq!(stands(four + hour), (DAY + four, Standing::Waiting(DAY + four)));
        let third = 2 * DAY + four;
        assert_eq!(stands(third + 1), (third, Standing::Phase(0, third, third + hour)));
        assert_eq!(standing_of_round(None, four, &[1], DAY), (four, Standing::Over));
    }

    proptest! {
        /// Phases lie one after the other, and at any time there is exactly one.
        #[test]
        fn there_is_one_phase_at_a_time(
            seconds in proptest::collection::vec(1_u32..1_000, 1..10),
            now in 0_i64..10_000_000_000,
        ) {
            let whole: i64 = seconds.iter().map(|seconds| i64::from(*seconds) * SECOND).sum();
            match standing(SECOND, &seconds, now) {
                Standing::Waiting(at) => prop_assert!(now < at && at == SECOND),
                Standing::Phase(index, began, ends) => {
                    prop_assert!(began <= now && now < ends);
                    prop_assert_eq!(ends - began, i64::from(seconds[index]) * SECOND);
                }
                Standing::Over => prop_assert!(now >= SECOND + whole),
            }
        }
    }
}
