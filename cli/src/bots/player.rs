//! One bot: an account, a character, a walk at random, and what it sees of the others.

use std::collections::{HashMap, VecDeque};
use std::sync::{Mutex, PoisonError, RwLock};
use std::time::{Duration, Instant};

use haven_client_sdk::{Event, Events, Haven, HavenError, RealmClient, Session};
use haven_rules::characters::{CLASSES, RACES};

use super::report::Tally;

/// Bots' accounts hold nothing worth a secret.
const PASSWORD: &str = "bots play with an open hand";
/// Inputs of one bot that may still be on their way to others.
const COURSES_KEPT: u32 = 64;
/// Names tried before giving up.
const NAMES_MAX: u32 = 8;
/// How long rows of the last inputs may take to arrive.
const DRAIN: Duration = Duration::from_millis(500);

/// When each bot's last inputs were sent, by entity and course number.
#[derive(Debug, Default)]
pub(super) struct Courses(RwLock<HashMap<u64, Mutex<Sent>>>);

/// Course numbers and when each was sent, oldest first.
type Sent = VecDeque<(u32, Instant)>;

impl Courses {
    /// Makes room for an entity, so that `sent` and `latency` only read the map.
    fn add(&self, entity_id: u64) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).entry(entity_id).or_default();
    }

    fn sent(&self, entity_id: u64, course_number: u32, at: Instant) {
        let map = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let Some(courses) = map.get(&entity_id) else { return };
        let mut courses = courses.lock().unwrap_or_else(PoisonError::into_inner);
        courses.push_back((course_number, at));
        if courses.len() > COURSES_KEPT as usize {
            courses.pop_front();
        }
    }

    /// How long the input that made this course has been on its way; none for a course that no
    /// bot of ours has set.
    fn latency(&self, entity_id: u64, course_number: u32, seen_at: Instant) -> Option<Duration> {
        let map = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let courses = map.get(&entity_id)?.lock().unwrap_or_else(PoisonError::into_inner);
        let (_, at) = courses.iter().rev().find(|(number, _)| *number == course_number)?;
        seen_at.checked_duration_since(*at)
    }
}

/// Makes an account unless it is there already; answers its address.
pub(super) async fn account(haven: Haven, prefix: String, number: u32) -> Result<String, String> {
    let email = format!("{prefix}-{number}@bots.example");
    match haven.register(&email, PASSWORD).await {
        Ok(_) => Ok(email),
        Err(error) if error.code() == "account.email_taken" => Ok(email),
        Err(error) => Err(describe("register", &error)),
    }
}

/// Logs an account in.
pub(super) async fn login(haven: Haven, email: String) -> Result<Session, String> {
    haven.login(&email, PASSWORD).await.map_err(|error| describe("login", &error))
}

/// Enters the realm and its world with the account's character, made where it is missing.
pub(super) async fn enter(session: Session, realm_id: u16) -> Result<Player, String> {
    let character_id = character(&session, realm_id).await?;
    let realm = session.enter(realm_id).await.map_err(|error| describe("enter", &error))?;
    let entered = realm.enter_world(character_id).await;
    let me = entered.map_err(|error| describe("enter_world", &error))?;
    Ok(Player { realm, entity_id: me.entity_id })
}

async fn character(session: &Session, realm_id: u16) -> Result<u64, String> {
    let kept = session.characters().await.map_err(|error| describe("characters", &error))?;
    let usable = kept.iter().find(|kept| kept.realm_id == realm_id && kept.deleted_at.is_none());
    if let Some(character) = usable {
        return Ok(character.character_id);
    }
    let mut tried = 0;
    loop {
        let (race, class) = (RACES[pick(RACES.len())], CLASSES[pick(CLASSES.len())]);
        match session.create_character(Some(realm_id), &name(), race, class).await {
            Ok(character) => return Ok(character.character_id),
            Err(error) if error.code() == "character.name_taken" && tried < NAMES_MAX => tried += 1,
            Err(error) => return Err(describe("create_character", &error)),
        }
    }
}

/// A name that can be spoken, of syllables whose letters look like no others.
fn name() -> String {
    const CONSONANTS: [&str; 10] = ["B", "D", "F", "G", "H", "K", "P", "S", "T", "Z"];
    const VOWELS: [&str; 4] = ["a", "e", "u", "y"];
    let syllable = || format!("{}{}", CONSONANTS[pick(10)], VOWELS[pick(4)]);
    let word: String = (0..5).map(|_| syllable()).collect();
    word[..1].to_owned() + &word[1..].to_lowercase()
}

fn pick(below: usize) -> usize {
    usize::try_from(rand::random::<u32>()).unwrap_or(0) % below
}

fn describe(what: &str, error: &HavenError) -> String {
    format!("{what}: {}", error.code())
}

/// A bot in the world.
pub(super) struct Player {
    realm: RealmClient,
    entity_id: u64,
}

impl Player {
    /// Changes course at random until the time is over, and counts what it sees.
    pub(super) async fn play(
        self,
        courses: std::sync::Arc<Courses>,
        interval: Duration,
        until: Instant,
    ) -> (Self, Tally) {
        courses.add(self.entity_id);
        let mut events = self.realm.events();
        let rows_before = self.realm.traffic().rows;
        let mut tally = Tally::default();
        // Bots that all steer at the same instant would measure their own convoy.
        let mut next =
            Instant::now() + interval.mul_f64(f64::from(rand::random::<u16>()) / 65_536.0);
        while next < until {
            self.watch(&mut events, &courses, &mut tally, next).await;
            self.steer(&courses, &mut tally);
            next += interval;
        }
        self.watch(&mut events, &courses, &mut tally, until).await;
        tally.updates = self.realm.traffic().rows.saturating_sub(rows_before);
        self.watch(&mut events, &courses, &mut tally, until + DRAIN).await;
        (self, tally)
    }

    fn steer(&self, courses: &Courses, tally: &mut Tally) {
        let component = || i16::from_le_bytes(rand::random::<[u8; 2]>()) | 1;
        let sent_at = Instant::now();
        match self.realm.steer(component(), component(), rand::random()) {
            Ok(course_number) => {
                courses.sent(self.entity_id, course_number, sent_at);
                tally.inputs += 1;
            }
            Err(error) => tally.error(describe("steer", &error)),
        }
    }

    async fn watch(
        &self,
        events: &mut Events,
        courses: &Courses,
        tally: &mut Tally,
        until: Instant,
    ) {
        let until = tokio::time::Instant::from_std(until);
        while let Ok(event) = tokio::time::timeout_at(until, events.next_event()).await {
            match event {
                Some(Event::Moved { seen, course_changed: true, at, .. })
                    if seen.entity_id != self.entity_id =>
                {
                    let number = seen.course_number;
                    if let Some(latency) = courses.latency(seen.entity_id, number, at) {
                        tally.latencies.add(latency);
                    }
                }
                Some(Event::Refused { code, .. }) => tally.error(format!("refused: {code}")),
                Some(Event::Disconnected { .. }) => tally.error("disconnected"),
                Some(Event::TakenOver { .. }) => tally.error("taken over"),
                Some(Event::OutOfWorld { .. }) => tally.error("out of the world"),
                Some(Event::Missed { .. }) => tally.error("events missed"),
                Some(Event::Closed { error, .. }) => tally.error(describe("closed", &error)),
                Some(_) => {}
                // Closed for good: there is nothing more to see.
                None => return tokio::time::sleep_until(until).await,
            }
        }
    }

    /// Leaves the world and says goodbye.
    pub(super) async fn leave(self) {
        // Whoever is out already need not leave.
        let _ = self.realm.leave().await;
        self.realm.disconnect().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bots_names_may_be_given() {
        for _ in 0..200 {
            let name = name();
            haven_rules::characters::validate_name(&name).expect("a good name");
        }
    }

    #[test]
    fn an_input_is_found_by_entity_and_course() {
        let (courses, start) = (Courses::default(), Instant::now());
        let at = |millis| start + Duration::from_millis(millis);
        courses.sent(1, 1, at(0));
        assert_eq!(courses.latency(1, 1, at(9)), None, "nobody by that number");
        courses.add(1);
        courses.sent(1, 7, at(0));
        courses.sent(1, 8, at(5));
        assert_eq!(courses.latency(1, 7, at(9)), Some(Duration::from_millis(9)));
        assert_eq!(courses.latency(1, 8, at(9)), Some(Duration::from_millis(4)));
        assert_eq!(courses.latency(1, 9, at(9)), None);
        assert_eq!(courses.latency(1, 8, at(1)), None, "never before it was sent");
        (9..9 + COURSES_KEPT).for_each(|number| courses.sent(1, number, at(6)));
        assert_eq!(courses.latency(1, 8, at(9)), None, "long gone");
    }
}
