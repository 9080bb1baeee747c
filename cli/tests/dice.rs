//! `haven dice` as a player and an owner meet it: records, and what they prove.

mod up;

use haven_rules::combat::dice::Roller as _;
use haven_rules::combat::proof::{Day, Entry, Event};
use haven_rules::combat::source::{SECRET_BYTES, Source, commitment, label};
use std::fs;
use std::path::Path;
use tempfile::TempDir;
use up::{Up, run};

const SECRET: [u8; SECRET_BYTES] = [7; SECRET_BYTES];

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]);
    digits.filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

fn day(secret: &str) -> Entry {
    let (commitment, secret) = (hex(&commitment(&SECRET)), secret.to_owned());
    Entry::Day(Day { day: 3, begins_at_micros: 0, commitment, secret })
}

/// Two dice, thrown as a realm throws them.
fn event(event_id: u64) -> Event {
    let label = label(3, event_id, 10, 2, "attack");
    let mut source = Source::new(&SECRET, label.as_bytes());
    let dice = [20, 6].into_iter().flat_map(|sides| [sides, source.roll(sides)]).collect();
    let ability = "attack".to_owned();
    Event { event_id, day: 3, at_micros: 10, actor_id: 2, ability, dice, lines: vec![] }
}

fn write(dir: &Path, entries: &[Entry]) {
    let line = |entry: &Entry| format!("{}\n", serde_json::to_string(entry).expect("JSON"));
    let lines: String = entries.iter().map(line).collect();
    fs::write(dir.join("record.jsonl"), lines).expect("written");
}

/// Looks at the record: whether all agreed, what was told, what was complained of.
fn verify(dir: &Path) -> (bool, String, String) {
    let output = run(dir, &["dice", "verify", "--events", "record.jsonl", "--offline"]);
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.success(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_record_proves_a_day_and_shows_one_altered_roll() {
    let dir = TempDir::new().expect("a directory");
    let dir = dir.path();
    let events = || [Entry::Event(event(4)), Entry::Event(event(5))];
    let whole = |events: [Entry; 2]| [vec![day("")], events.into(), vec![day(&hex(&SECRET))]];

    write(dir, &[vec![day("")], events().into()].concat());
    let (is_good, told, _) = verify(dir);
    assert!(is_good && told.contains("day 3 is not over: 2 events"), "{told}");

    write(dir, &whole(events()).concat());
    let (is_good, told, _) = verify(dir);
    assert!(is_good && told.contains("day 3: 2 events with 4 dice are proved"), "{told}");

    let mut altered = event(5);
    let (thrown, shown) = (altered.dice[3], altered.dice[3] % 6 + 1);
    altered.dice[3] = shown;
    write(dir, &whole([Entry::Event(event(4)), Entry::Event(altered)]).concat());
    let (is_good, told, complaint) = verify(dir);
    assert!(!is_good && complaint.contains("1 things do not agree"), "{complaint}");
    let fault = format!(
        "event 5 of day 3, attack by 2: die 2, a d6: {thrown} was thrown, the event says {shown}"
    );
    assert!(told.contains(&fault), "{told}");

    fs::write(dir.join("record.jsonl"), "\n{}\n").expect("written");
    let (is_good, _, complaint) = verify(dir);
    assert!(!is_good && complaint.contains("record.jsonl: line 2:"), "{complaint}");
}

#[test]
fn a_realm_is_recorded_into_a_new_file_alone() {
    let dir = TempDir::new().expect("a directory");
    let dir = dir.path();
    let up = Up::start_in(dir, "data", ["127.0.0.1:0", "127.0.0.1:0"]);
    let at = ["--server", up.database.as_str(), "--data-dir", "data"];
    let dice = |args: &[&str]| run(dir, &[&["dice"], args, &at].concat());
    let record = ["record", "--out", "record.jsonl", "--seconds", "1"];
    assert!(dice(&record).status.success());
    assert_eq!(fs::read_to_string(dir.join("record.jsonl")).expect("a record"), "");
    let again = dice(&record);
    let complaint = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(!again.status.success() && complaint.contains("cannot be made"), "{complaint}");
    let verified = dice(&["verify"]);
    assert!(verified.status.success());
    assert!(String::from_utf8_lossy(&verified.stderr).contains("there are no events"));
    assert_eq!(up.terminate().0, Some(0));
}
