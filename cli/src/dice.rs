//! `haven dice`: whether a realm's dice were those it had committed to.
//!
//! Keeps true: what is proved is decided by `haven_rules::combat::proof` alone; a record is never
//! overwritten; a day's commitment is written down before its events.

mod rows;

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, anyhow, ensure};
use clap::{Args, Subcommand};
use haven_gateway::stdb::{CallError, Filter, Link};
use haven_rules::combat::EVENT_SECONDS;
use haven_rules::combat::proof::{Day, Entry, Event, Proof, Record, prove};

use self::rows::{CombatEvent, DiceDay};
use crate::args::Loader;
use crate::content::RealmOf;
use crate::setup::refused;
use crate::signals::StopSignal;
use crate::terminal;

/// How often a recording realm is asked for new events. They stay for [`EVENT_SECONDS`].
const ASK_INTERVAL: Duration = Duration::from_secs(2);

/// Record a realm's dice, and prove that nobody has cheated
///
/// Each day has a secret, whose SHA-256 is told before its first throw (dice_day.commitment), and
/// which is told itself when the day is over (dice_day.secret). Every die follows from the secret
/// and from what stands in its event, so that anybody can throw it again then.
#[derive(Debug, Args)]
pub(crate) struct DiceArgs {
    #[command(flatten)]
    realm: RealmOf,
    #[command(subcommand)]
    command: DiceCommand,
}

#[derive(Debug, Subcommand)]
enum DiceCommand {
    /// Throw the dice of events again, and name each that is not what was thrown
    ///
    /// Without a record it looks at the realm's events of the last minute. Events of a day that is
    /// not over cannot be proved yet. The exit code is 1 when something does not agree.
    Verify {
        /// Record to look at, as `haven dice record` writes it; may be given several times
        #[arg(long, value_name = "FILE")]
        events: Vec<PathBuf>,
        /// Do not ask the realm: secrets are in the record, too, if it was written long enough
        #[arg(long, requires = "events")]
        offline: bool,
    },
    /// Write down events and days as the realm tells them, one JSON object a line
    ///
    /// Until it is stopped. Record past the end of a day for its secret to be in the record.
    Record {
        /// File to write; it must not be there yet
        #[arg(long, value_name = "FILE")]
        out: PathBuf,
        /// How long [default: until Ctrl-C or SIGTERM]
        #[arg(long, value_name = "N")]
        seconds: Option<u64>,
    },
}

/// Does what was typed.
pub(crate) async fn run(args: DiceArgs, loader: &Loader) -> anyhow::Result<()> {
    match args.command {
        DiceCommand::Verify { events, offline } => {
            let realm = (!offline).then_some(args.realm);
            let record = gather(realm, loader, &events).await?;
            tell(&prove(&record.days, &record.events), record.events.len())
        }
        DiceCommand::Record { out, seconds } => record(args.realm, loader, &out, seconds).await,
    }
}

/// What the files and the realm tell: of days what was recorded first, of events those of the files
/// if there are any.
async fn gather(
    realm: Option<RealmOf>,
    loader: &Loader,
    files: &[PathBuf],
) -> anyhow::Result<Record> {
    let mut record = Record::default();
    for file in files {
        let text = fs::read_to_string(file).with_context(|| file.display().to_string())?;
        let read = Record::read(&text).map_err(|error| anyhow!("{}: {error}", file.display()))?;
        record.days.extend(read.days);
        record.events.extend(read.events);
    }
    if let Some(realm) = realm {
        let (_, link) = realm.connect(loader).await?;
        let told = ask(&link, 0, 0).await;
        link.close().await;
        let (events, days) = told.map_err(|error| refused("the realm's dice", &error))?;
        if files.is_empty() {
            record.events = events;
        }
        record.days.extend(days);
    }
    Ok(record)
}

/// Events after a number, and days from another on; days last, so that each event's is among them.
async fn ask(
    link: &Link,
    after_event: u64,
    from_day: u32,
) -> Result<(Vec<Event>, Vec<Day>), CallError> {
    let events: Vec<CombatEvent> = link.query(Filter::above("event_id", after_event)).await?;
    let since = from_day.saturating_sub(1);
    let days: Vec<DiceDay> = link.query(Filter::above("day", since)).await?;
    let mut events: Vec<Event> = events.into_iter().map(Event::from).collect();
    let mut days: Vec<Day> = days.into_iter().map(Day::from).collect();
    events.sort_by_key(|event| event.event_id);
    days.sort_by_key(|day| day.day);
    Ok((events, days))
}

/// # Errors
/// When something does not agree.
fn tell(proof: &Proof, events: usize) -> anyhow::Result<()> {
    for (day, proved) in &proof.proved {
        let (events, dice) = (proved.events, proved.dice);
        terminal::done(&format!("day {day}: {events} events with {dice} dice are proved"));
    }
    for (day, count) in &proof.waiting {
        anstream::println!("day {day} is not over: {count} events cannot be proved yet");
    }
    for fault in &proof.faults {
        anstream::println!("{fault}");
    }
    for (day, count) in &proof.undecided {
        anstream::println!("day {day}: {count} events cannot be proved any more");
    }
    if events == 0 {
        terminal::note("there are no events to look at");
    }
    if proof.missing > 0 {
        let missing = proof.missing;
        terminal::note(&format!("{missing} numbers between these events are in none of them"));
    }
    ensure!(proof.faults.is_empty(), "{} things do not agree", proof.faults.len());
    Ok(())
}

async fn record(
    realm: RealmOf,
    loader: &Loader,
    out: &Path,
    seconds: Option<u64>,
) -> anyhow::Result<()> {
    let mut stop = StopSignal::catch()?;
    let (_, link) = realm.connect(loader).await?;
    let file = OpenOptions::new().write(true).create_new(true).open(out);
    let mut file = file.with_context(|| format!("{} cannot be made", out.display()))?;
    let ends_at = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
    let (mut taken, mut heard_at, mut is_over) = (Taken::default(), Instant::now(), false);
    loop {
        match ask(&link, taken.last_event_id, taken.first_open_day).await {
            Ok((events, days)) => {
                file.write_all(taken.lines(events, days)?.as_bytes())?;
                heard_at = Instant::now();
            }
            Err(error @ (CallError::Unavailable | CallError::Lost | CallError::Timeout)) => {
                let lasts = Duration::from_secs(EVENT_SECONDS.into());
                let word = if heard_at.elapsed() < lasts { "" } else { "; events are lost" };
                terminal::note(&format!("{error}{word}"));
            }
            Err(error) => return Err(refused("the realm's dice", &error)),
        }
        if is_over {
            break;
        }
        let left = ends_at.map(|ends_at| ends_at.saturating_duration_since(Instant::now()));
        let wait = left.unwrap_or(ASK_INTERVAL).min(ASK_INTERVAL);
        tokio::select! {
            () = stop.wait() => is_over = true,
            () = tokio::time::sleep(wait) => is_over = left.is_some_and(|left| left <= wait),
        }
    }
    file.sync_all()?;
    link.close().await;
    terminal::done(&format!("{}: {} events", out.display(), taken.events));
    Ok(())
}

/// What a recording has taken down.
#[derive(Debug, Default)]
struct Taken {
    events: u64,
    last_event_id: u64,
    /// The first day whose secret has not been told; 0 before any.
    first_open_day: u32,
    /// The days that were written, and whether with their secret.
    days: BTreeMap<u32, bool>,
}

impl Taken {
    /// What is new as lines of the record: days that somebody threw in or that run, before events.
    fn lines(&mut self, events: Vec<Event>, days: Vec<Day>) -> serde_json::Result<String> {
        let is_used = |day: &Day| {
            let is_known = self.days.contains_key(&day.day);
            is_known || day.secret.is_empty() || events.iter().any(|event| event.day == day.day)
        };
        let days: Vec<Day> = days.into_iter().filter(is_used).collect();
        let mut entries = vec![];
        for day in days {
            let is_told = !day.secret.is_empty();
            if self.days.insert(day.day, is_told) != Some(is_told) {
                entries.push(Entry::Day(day));
            }
        }
        let open = self.days.iter().find(|(_, is_told)| !**is_told).map(|(day, _)| *day);
        let last = self.days.last_key_value().map(|(day, _)| *day);
        self.first_open_day = open.or(last).unwrap_or(0);
        let known = self.last_event_id;
        for event in events.into_iter().filter(|event| event.event_id > known) {
            self.last_event_id = event.event_id;
            self.events += 1;
            entries.push(Entry::Event(event));
        }
        let mut lines = String::new();
        for entry in &entries {
            lines.push_str(&serde_json::to_string(entry)?);
            lines.push('\n');
        }
        Ok(lines)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: u32, secret: &str) -> Day {
        Day { day, begins_at_micros: 0, commitment: "c".to_owned(), secret: secret.to_owned() }
    }

    fn event(event_id: u64, day: u32) -> Event {
        let (at_micros, actor_id, ability) = (1, 2, "attack".to_owned());
        Event { event_id, day, at_micros, actor_id, ability, dice: vec![], lines: vec![] }
    }

    #[test]
    fn each_event_is_written_once_and_each_day_before_and_after_it_is_told() {
        let mut taken = Taken::default();
        let mut all = String::new();
        let mut open = vec![];
        for (events, days) in [
            (vec![event(5, 3)], vec![day(1, "s"), day(2, "s"), day(3, "")]),
            (vec![event(5, 3), event(7, 3)], vec![day(3, "")]),
            (vec![event(8, 4)], vec![day(3, "s"), day(4, "")]),
            (vec![], vec![day(4, "")]),
        ] {
            all += &taken.lines(events, days).expect("JSON");
            open.push(taken.first_open_day);
        }
        let read = Record::read(&all).expect("a record");
        let ids: Vec<u64> = read.events.iter().map(|event| event.event_id).collect();
        assert_eq!((ids, taken.events), (vec![5, 7, 8], 3));
        assert_eq!(read.days, [day(3, ""), day(3, "s"), day(4, "")]);
        assert_eq!(open, [3, 3, 4, 4]);
        let first = all.lines().next().expect("a line");
        assert!(first.contains(r#""record":"day""#), "{first}");
    }

    #[test]
    fn what_does_not_agree_fails() {
        assert!(tell(&Proof::default(), 0).is_ok());
        let proof = prove(&[], &[event(1, 9)]);
        assert_eq!(tell(&proof, 1).expect_err("a fault").to_string(), "1 things do not agree");
    }
}
