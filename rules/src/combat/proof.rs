//! Proofs: whether the dice of an event are those that the secret of its day throws.
//!
//! Keeps true: what is proved follows from what was told before the dice fell (the commitment),
//! what was told when the day was over (the secret), and the event itself; whatever of these does
//! not fit is named, with what was expected and what was found. Leaves out on purpose: where days
//! and events come from, and whether an event's label was chosen freely (docs/COMBAT.md).

#[cfg(test)]
mod tests;
mod words;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::dice::Roller;
use super::source::{SECRET_BYTES, Source, commitment, label};

/// A line of a record may be so long, bytes: an event has 32 lines of words at most.
pub const RECORD_LINE_BYTES_MAX: usize = 1 << 20;

/// A day as its row told it at some time. Times are microseconds since 1970.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Day {
    /// Counted from 1.
    pub day: u32,
    /// When it began.
    pub begins_at_micros: i64,
    /// SHA-256 of the secret, hexadecimal.
    pub commitment: String,
    /// The secret, hexadecimal; empty while the day is not over.
    pub secret: String,
}

/// An event as its row told it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its number.
    pub event_id: u64,
    /// The day whose secret threw its dice.
    pub day: u32,
    /// When, microseconds since 1970.
    pub at_micros: i64,
    /// Who did it; 0 for nobody.
    pub actor_id: u64,
    /// What it was.
    pub ability: String,
    /// Each die in the order they were thrown: its sides, and what it showed.
    pub dice: Vec<u8>,
    /// What was decided, target by target.
    pub lines: Vec<Line>,
}

/// What an event says of one target, as far as dice decide it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Who.
    pub target_id: u64,
    /// What the d20 showed; 0 without a roll.
    pub natural: u8,
    /// What was added to it.
    pub modifier: i16,
    /// What it had to reach.
    pub against: i16,
    /// As `Verdict::code` in `deed` has it.
    pub verdict: u8,
    /// Damage or healing as rolled.
    pub rolled: i32,
    /// What arrived.
    pub amount: i32,
    /// All of it in words.
    pub text: String,
}

/// A line of a record: what somebody who watches writes down, one JSON object a line.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "record", rename_all = "snake_case")]
pub enum Entry {
    /// A day as it was told then; the same day again when its secret was told.
    Day(Day),
    /// An event.
    Event(Event),
}

/// A line that is no [`Entry`]: its number, counted from 1, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: String,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.problem)
    }
}

impl std::error::Error for Unreadable {}

/// What was written down: days as they were told at some time, and events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// As often as they were told.
    pub days: Vec<Day>,
    /// In the order of the record.
    pub events: Vec<Event>,
}

impl Record {
    /// Reads the lines of a record; empty ones are skipped.
    ///
    /// # Errors
    /// The first line that is longer than [`RECORD_LINE_BYTES_MAX`] or no [`Entry`].
    pub fn read(text: &str) -> Result<Self, Unreadable> {
        let mut record = Self::default();
        for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let unreadable = |problem: String| Unreadable { line: at + 1, problem };
            if line.len() > RECORD_LINE_BYTES_MAX {
                return Err(unreadable(format!("longer than {RECORD_LINE_BYTES_MAX} bytes")));
            }
            let entry =
                serde_json::from_str(line).map_err(|error| unreadable(error.to_string()))?;
            match entry {
                Entry::Day(day) => record.days.push(day),
                Entry::Event(event) => record.events.push(event),
            }
        }
        Ok(record)
    }
}

/// What does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wrong {
    /// Two commitments were told for one day.
    CommitmentChanged {
        /// Told first.
        first: String,
        /// Told later.
        later: String,
    },
    /// The secret is not 32 bytes in hexadecimal digits.
    SecretUnreadable,
    /// The secret is not the one that was committed to.
    SecretDiffers {
        /// What was told before.
        commitment: String,
        /// SHA-256 of what was told after.
        found: String,
    },
    /// No day of that number was ever told.
    DayUnknown,
    /// It was before its day began, microseconds since 1970.
    BeforeItsDay {
        /// When the day began.
        begins_at_micros: i64,
        /// When the event was.
        at_micros: i64,
    },
    /// The last die has sides but shows nothing, or one has less than two sides.
    NoDie,
    /// A die shows something else than was thrown.
    DieDiffers {
        /// Which, counted from 1.
        number: usize,
        /// Its sides.
        sides: u8,
        /// What was thrown.
        thrown: u8,
        /// What the event says.
        shown: u8,
    },
    /// A die was thrown that no line tells of.
    DieUntold {
        /// Its sides.
        sides: u8,
        /// What it shows.
        shown: u8,
    },
    /// A line tells of a die that was not thrown.
    DieNotThrown {
        /// Whom the line is about.
        target_id: u64,
        /// What it says that the die showed.
        shown: u8,
    },
    /// The verdict is not what the die, what was added and what was to be reached come to.
    VerdictDiffers {
        /// Whom the line is about.
        target_id: u64,
        /// The die and what was added.
        total: i32,
        /// What was to be reached.
        against: i32,
        /// What the line says.
        verdict: u8,
    },
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CommitmentChanged { first, later } => {
                write!(f, "the commitment {first} was told, and later {later}")
            }
            Self::SecretUnreadable => write!(f, "the secret is not 64 hexadecimal digits"),
            Self::SecretDiffers { commitment, found } => {
                write!(f, "the secret's hash is {found}, and {commitment} was told before")
            }
            Self::DayUnknown => write!(f, "its day was never told"),
            Self::BeforeItsDay { begins_at_micros, at_micros } => {
                write!(f, "it was at {at_micros}, and its day began at {begins_at_micros}")
            }
            Self::NoDie => write!(f, "its dice are no list of sides and numbers"),
            Self::DieDiffers { number, sides, thrown, shown } => {
                write!(f, "die {number}, a d{sides}: {thrown} was thrown, the event says {shown}")
            }
            Self::DieUntold { sides, shown } => {
                write!(f, "a d{sides} that shows {shown} is in no line")
            }
            Self::DieNotThrown { target_id, shown } => {
                write!(
                    f,
                    "the line about {target_id} has a die that shows {shown}: none was thrown"
                )
            }
            Self::VerdictDiffers { target_id, total, against, verdict } => {
                let says = word_of(*verdict);
                write!(f, "the line about {target_id} says {says} of {total} against {against}")
            }
        }
    }
}

/// A verdict in words.
const fn word_of(verdict: u8) -> &'static str {
    match verdict {
        1 => "miss",
        2 => "hit",
        3 => "critical hit",
        4 => "saved",
        5 => "not saved",
        _ => "nothing",
    }
}

/// Something that does not fit, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The day.
    pub day: u32,
    /// The event's number, who did it and what; none where it is about the day.
    pub event: Option<(u64, u64, String)>,
    /// What.
    pub wrong: Wrong,
}

impl Fault {
    fn of(event: &Event, wrong: Wrong) -> Self {
        let Event { day, event_id, actor_id, .. } = *event;
        Self { day, event: Some((event_id, actor_id, event.ability.clone())), wrong }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { day, event, wrong } = self;
        match event {
            Some((event_id, actor_id, ability)) => {
                write!(f, "event {event_id} of day {day}, {ability} by {actor_id}: {wrong}")
            }
            None => write!(f, "day {day}: {wrong}"),
        }
    }
}

/// How much was proved of a day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Proved {
    /// Events whose dice are those of the secret.
    pub events: u64,
    /// Their dice.
    pub dice: u64,
}

/// What came of looking at events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proof {
    /// What was proved, by day.
    pub proved: BTreeMap<u32, Proved>,
    /// Events whose day's secret is not told yet, by day.
    pub waiting: BTreeMap<u32, u64>,
    /// Events of days whose commitment or secret is wrong, by day: nothing can be said of them.
    pub undecided: BTreeMap<u32, u64>,
    /// Numbers between the first and the last event that no event has.
    pub missing: u64,
    /// What does not fit: days first, then events in their order.
    pub faults: Vec<Fault>,
}

/// What was told of a day.
struct Told<'a> {
    commitment: &'a str,
    begins_at_micros: i64,
    secret: Secret,
}

enum Secret {
    Known([u8; SECRET_BYTES]),
    NotTold,
    /// It was told, and is wrong; or its commitment is.
    Wrong,
}

impl<'a> Told<'a> {
    fn first(day: &'a Day) -> Self {
        let Day { commitment, begins_at_micros, .. } = day;
        Self { commitment, begins_at_micros: *begins_at_micros, secret: Secret::NotTold }
    }
}

/// Looks at events. Days may be given as often as they were told; that nobody changed them
/// meanwhile is looked at, too.
pub fn prove(days: &[Day], events: &[Event]) -> Proof {
    let mut proof = Proof { missing: missing(events), ..Proof::default() };
    let told = secrets(days, &mut proof.faults);
    for event in events {
        let outcome = match told.get(&event.day) {
            None => Err(Wrong::DayUnknown),
            Some(day) if event.at_micros < day.begins_at_micros => Err(Wrong::BeforeItsDay {
                begins_at_micros: day.begins_at_micros,
                at_micros: event.at_micros,
            }),
            Some(Told { secret: Secret::Wrong, .. }) => {
                *proof.undecided.entry(event.day).or_default() += 1;
                continue;
            }
            Some(Told { secret: Secret::NotTold, .. }) => {
                *proof.waiting.entry(event.day).or_default() += 1;
                continue;
            }
            Some(Told { secret: Secret::Known(secret), .. }) => check_event(secret, event),
        };
        match outcome {
            Ok(dice) => {
                let proved = proof.proved.entry(event.day).or_default();
                proved.events += 1;
                proved.dice += dice;
            }
            Err(wrong) => proof.faults.push(Fault::of(event, wrong)),
        }
    }
    proof
}

/// What was told of each day, in all.
fn secrets<'a>(days: &'a [Day], faults: &mut Vec<Fault>) -> BTreeMap<u32, Told<'a>> {
    let mut told: BTreeMap<u32, Told<'a>> = BTreeMap::new();
    for day in days {
        let known = told.entry(day.day).or_insert_with(|| Told::first(day));
        let outcome = if *known.commitment != day.commitment {
            let (first, later) = (known.commitment.to_owned(), day.commitment.clone());
            Err(Wrong::CommitmentChanged { first, later })
        } else if day.secret.is_empty() || matches!(known.secret, Secret::Wrong) {
            continue;
        } else {
            check_secret(day)
        };
        known.secret = match outcome {
            Ok(secret) => Secret::Known(secret),
            Err(wrong) => {
                faults.push(Fault { day: day.day, event: None, wrong });
                Secret::Wrong
            }
        };
    }
    told
}

/// Numbers between the first and the last event that none has.
fn missing(events: &[Event]) -> u64 {
    let mut ids: Vec<u64> = events.iter().map(|event| event.event_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let gap = |pair: &[u64]| pair[1] - pair[0] - 1;
    ids.windows(2).map(gap).fold(0, u64::saturating_add)
}

/// The secret of a day that is over.
///
/// # Errors
/// In this order: `SecretUnreadable`, `SecretDiffers`.
fn check_secret(day: &Day) -> Result<[u8; SECRET_BYTES], Wrong> {
    let secret = bytes_of(&day.secret).ok_or(Wrong::SecretUnreadable)?;
    let found = hex_of(&commitment(&secret));
    if found == day.commitment {
        Ok(secret)
    } else {
        Err(Wrong::SecretDiffers { commitment: day.commitment.clone(), found })
    }
}

/// Throws the dice of an event again; how many there were.
///
/// # Errors
/// In this order: `NoDie`, `DieDiffers`, `DieNotThrown`, `VerdictDiffers`, `DieUntold`.
fn check_event(secret: &[u8; SECRET_BYTES], event: &Event) -> Result<u64, Wrong> {
    let Event { day, event_id, at_micros, actor_id, .. } = *event;
    let label = label(day, event_id, at_micros, actor_id, &event.ability);
    let mut source = Source::new(secret, label.as_bytes());
    let thrown = thrown(event)?;
    for (at, (sides, shown)) in thrown.iter().copied().enumerate() {
        let thrown = source.roll(sides);
        if thrown != shown {
            return Err(Wrong::DieDiffers { number: at + 1, sides, thrown, shown });
        }
    }
    words::check(event, &thrown)?;
    Ok(u64::try_from(thrown.len()).unwrap_or(u64::MAX))
}

/// Each die's sides and what it shows.
///
/// # Errors
/// `NoDie`.
fn thrown(event: &Event) -> Result<Vec<(u8, u8)>, Wrong> {
    let die = |pair: &[u8]| match pair {
        [sides, shown] if *sides >= 2 => Ok((*sides, *shown)),
        _ => Err(Wrong::NoDie),
    };
    event.dice.chunks(2).map(die).collect()
}

/// Whether a line's verdict is what its numbers come to.
///
/// # Errors
/// `VerdictDiffers`.
fn check_verdict(line: &Line) -> Result<(), Wrong> {
    let Line { target_id, natural, modifier, against, verdict, .. } = *line;
    if natural == 0 {
        return Ok(());
    }
    let (total, against) = (i32::from(natural) + i32::from(modifier), i32::from(against));
    let reaches = total >= against;
    let is_hit = natural >= 20 || natural > 1 && reaches;
    let is_good = match verdict {
        1 => !is_hit,
        2 | 3 => is_hit,
        4 => reaches,
        5 => !reaches,
        _ => true,
    };
    if is_good { Ok(()) } else { Err(Wrong::VerdictDiffers { target_id, total, against, verdict }) }
}

/// The bytes of 64 hexadecimal digits.
fn bytes_of(text: &str) -> Option<[u8; SECRET_BYTES]> {
    let digits: Vec<u8> = text
        .chars()
        .map(|digit| digit.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    let bytes: Vec<u8> =
        digits.chunks(2).map(|pair| (pair[0] << 4) | pair[pair.len() - 1]).collect();
    if digits.len() == 2 * SECRET_BYTES { bytes.try_into().ok() } else { None }
}

fn hex_of(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}
