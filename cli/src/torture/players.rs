//! Players who do a bit of everything and keep to the rules, whatever happens to their server.
//!
//! Keeps true: what a player does follows from the run's seed and his number; what he is told goes
//! into the ledger before he goes on. An answer that neither the game nor a server that is away
//! can give is counted, and fails the run.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{bail, ensure};
use haven_client_sdk::{Event, Events, Haven, HavenError, RealmClient, Session};
use haven_rules::characters::{
    CHARACTERS_KEPT_PER_ACCOUNT_MAX, CHARACTERS_PER_ACCOUNT_MAX, CLASSES, RACES,
};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use super::ledger::Ledger;
use super::site::Reach;

/// Players' accounts hold nothing worth a secret.
const PASSWORD: &str = "nothing to hide here";
/// How long all may take to be in the world at first.
const GATHER_TIMEOUT: Duration = Duration::from_mins(2);
/// How long all may take to finish what they are at.
const DISMISS_TIMEOUT: Duration = Duration::from_mins(2);
/// How long one who waits to be brought back does so.
const STAY_TIMEOUT: Duration = Duration::from_secs(30);
/// How many of a crowd register or log in at a time: a password's hash takes a core for a while,
/// and a whole crowd's would keep the last of them waiting for longer than a request may.
const LOGINS_AT_A_TIME: usize = 16;
/// The wait before a server that is away is tried again, milliseconds.
const AGAIN_MILLIS: std::ops::Range<u64> = 50..250;
/// How the codes begin of answers that a server gives while it is away or full, and that a client
/// gives which has lost it.
const PASSING: [&str; 8] = [
    "client.unreachable",
    "client.disconnected",
    "client.closed",
    "client.timeout",
    "client.taken_over",
    "gateway.",
    "guard.",
    "realm.",
];
/// Refusals that mean that a player's view of his account was out of date, after a kill or a
/// command that was done though its answer was lost.
const OUTDATED: [&str; 7] = [
    "character.too_many",
    "character.unknown",
    "character.deleted",
    "character.not_deleted",
    "character.in_world",
    "character.not_in_world",
    "motion.not_in_world",
];

/// What a crowd does.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// How many play.
    pub(super) players: u32,
    /// Things each does per second.
    pub(super) acts_per_s: f64,
    /// Whether they wait for the SDK to bring them back when a connection breaks; otherwise they
    /// come anew.
    pub(super) stay: bool,
}

/// What a crowd counted.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Players who are in the world now.
    pub(super) in_world: AtomicU64,
    /// Things they did.
    pub(super) acts: AtomicU64,
    /// Registrations and logins.
    pub(super) logins: AtomicU64,
    /// From a lost connection until the SDK had brought a player back into the world, of each that
    /// waited for it.
    back: Mutex<Vec<Duration>>,
    /// Answers that must not be, by code.
    strange: Mutex<BTreeMap<String, u64>>,
    /// The last answer of a server that was away or full.
    passing: Mutex<Option<String>>,
}

impl Counts {
    /// Counts an answer unless it is one that a good server gives.
    fn answer(&self, what: &str, error: &HavenError) {
        let code = error.code();
        let is_fault = code.ends_with(".internal") || code.starts_with("guard.token_");
        let is_passing = PASSING.iter().any(|start| code.starts_with(start)) && !is_fault;
        let is_expected = is_passing || OUTDATED.contains(&code) || error_ends_session(error);
        if is_expected {
            let mut passing = self.passing.lock().unwrap_or_else(PoisonError::into_inner);
            *passing = Some(format!("{what}: {error}"));
        } else {
            let mut strange = self.strange.lock().unwrap_or_else(PoisonError::into_inner);
            *strange.entry(format!("{what}: {error}")).or_default() += 1;
        }
    }

    /// How long players were away whose connection was lost, since this was asked last.
    pub(super) fn take_back(&self) -> Vec<Duration> {
        std::mem::take(&mut *self.back.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The last answer of a server that was away or full.
    fn last_passing(&self) -> String {
        let last = self.passing.lock().unwrap_or_else(PoisonError::into_inner);
        last.clone().unwrap_or_default()
    }

    /// Fails when something was answered that must not be.
    pub(super) fn ensure_none_strange(&self) -> anyhow::Result<()> {
        let strange = self.strange.lock().unwrap_or_else(PoisonError::into_inner);
        ensure!(strange.is_empty(), "answers that must not be: {strange:?}");
        Ok(())
    }
}

/// Sessions whose last refresh was not yet written are over after a kill.
fn error_ends_session(error: &HavenError) -> bool {
    matches!(error, HavenError::Refused { status: 401, .. })
}

/// Players at play.
pub(super) struct Crowd {
    tasks: JoinSet<()>,
    stop: watch::Sender<bool>,
    pace: Pace,
    /// What they were told.
    pub(super) ledger: Arc<Ledger>,
    /// What they counted.
    pub(super) counts: Arc<Counts>,
}

impl Crowd {
    /// Lets them come, and waits until all are in the world.
    pub(super) async fn gather(reach: &Reach, seed: u64, pace: Pace) -> anyhow::Result<Self> {
        let (stop, stopped) = watch::channel(false);
        let (ledger, counts) = (Arc::<Ledger>::default(), Arc::<Counts>::default());
        let haven = reach.haven()?;
        let door = Arc::new(Semaphore::new(LOGINS_AT_A_TIME));
        let mut tasks = JoinSet::new();
        for number in 0..pace.players {
            let player = Player {
                haven: haven.clone(),
                door: Arc::clone(&door),
                number,
                accounts: 0,
                names: 0,
                chance: StdRng::seed_from_u64(seed ^ (u64::from(number) << 32)),
                tag: seed,
                ledger: Arc::clone(&ledger),
                counts: Arc::clone(&counts),
                stopped: stopped.clone(),
                rest: Duration::from_secs_f64(1.0 / pace.acts_per_s),
                stay: pace.stay,
            };
            tasks.spawn(player.live());
        }
        let crowd = Self { tasks, stop, pace, ledger, counts };
        crowd.wait_in_world(GATHER_TIMEOUT).await?;
        Ok(crowd)
    }

    /// Whether all are in the world.
    fn all_in_world(&self) -> bool {
        self.counts.in_world.load(Ordering::Relaxed) >= u64::from(self.pace.players)
    }

    /// Waits until all are in the world; how long that took.
    pub(super) async fn wait_in_world(&self, patience: Duration) -> anyhow::Result<Duration> {
        let began = Instant::now();
        while !self.all_in_world() {
            self.counts.ensure_none_strange()?;
            if began.elapsed() > patience {
                let there = self.counts.in_world.load(Ordering::Relaxed);
                let all = self.pace.players;
                let last = self.counts.last_passing();
                bail!("only {there} of {all} players are in the world after {patience:?}: {last}");
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(began.elapsed())
    }

    /// Lets everybody finish and go; fails when something was answered that must not be.
    pub(super) async fn dismiss(mut self) -> anyhow::Result<(Arc<Ledger>, Arc<Counts>)> {
        let _ = self.stop.send(true);
        let all = async { while self.tasks.join_next().await.is_some() {} };
        if timeout(DISMISS_TIMEOUT, all).await.is_err() {
            let last = self.counts.last_passing();
            bail!("{} players do not finish what they are at: {last}", self.tasks.len());
        }
        self.counts.ensure_none_strange()?;
        Ok((self.ledger, self.counts))
    }
}

/// One of them.
struct Player {
    haven: Haven,
    /// Through which only so many of the crowd go at a time, to register or log in.
    door: Arc<Semaphore>,
    number: u32,
    /// Accounts he has had.
    accounts: u32,
    /// Names he has used.
    names: u32,
    chance: StdRng,
    tag: u64,
    ledger: Arc<Ledger>,
    counts: Arc<Counts>,
    stopped: watch::Receiver<bool>,
    rest: Duration,
    stay: bool,
}

/// A character as its player knows it.
struct Kept {
    character_id: u64,
    name: String,
    is_deleted: bool,
}

/// An account and what it has.
struct Holding {
    session: Session,
    kept: Vec<Kept>,
    has_instance: bool,
}

impl Holding {
    /// A name for the character in the world: the first, which is never deleted.
    fn hero(&self) -> Option<u64> {
        self.kept.first().map(|kept| kept.character_id)
    }
}

/// Counts a player as in the world for as long as it lives.
struct Here(Arc<Counts>);

impl Here {
    fn new(counts: &Arc<Counts>) -> Self {
        counts.in_world.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(counts))
    }
}

impl Drop for Here {
    fn drop(&mut self) {
        self.0.in_world.fetch_sub(1, Ordering::Relaxed);
    }
}

/// He was told to stop.
struct Stopped;

impl Player {
    async fn live(mut self) {
        let mut stopped = self.stopped.clone();
        // What is under way when he is told to stop is finished by himself.
        while !*stopped.borrow_and_update() {
            let Ok(mut holding) = self.begin().await else { return };
            while !self.is_stopped() && holding.kept.len() < CHARACTERS_KEPT_PER_ACCOUNT_MAX {
                if self.play(&mut holding).await.is_err() {
                    break;
                }
            }
        }
    }

    fn is_stopped(&self) -> bool {
        *self.stopped.borrow()
    }

    /// Waits a moment before something is tried again.
    async fn pause(&mut self) -> Result<(), Stopped> {
        let wait = Duration::from_millis(self.chance.random_range(AGAIN_MILLIS));
        tokio::time::sleep(wait).await;
        if self.is_stopped() { Err(Stopped) } else { Ok(()) }
    }

    /// A new account with its first character.
    async fn begin(&mut self) -> Result<Holding, Stopped> {
        self.accounts += 1;
        let Self { number, accounts, tag, .. } = *self;
        let email = format!("player-{tag}-{number}-{accounts}@players.example");
        let session = self.log_in(&email).await?;
        let mut holding = Holding { session, kept: vec![], has_instance: false };
        while holding.kept.is_empty() {
            if self.create(&mut holding).await.is_err() {
                self.pause().await?;
            }
        }
        Ok(holding)
    }

    /// Registers, or logs in where the registration was done and its answer lost.
    async fn log_in(&mut self, email: &str) -> Result<Session, Stopped> {
        self.counts.logins.fetch_add(1, Ordering::Relaxed);
        loop {
            let turn = Arc::clone(&self.door).acquire_owned().await;
            let error = match self.haven.register(email, PASSWORD).await {
                Ok(session) => return Ok(session),
                Err(error) if error.code() == "account.email_taken" => {
                    match self.haven.login(email, PASSWORD).await {
                        Ok(session) => return Ok(session),
                        Err(error) => error,
                    }
                }
                Err(error) => error,
            };
            self.counts.answer("register", &error);
            drop(turn);
            self.pause().await?;
        }
    }

    /// One visit to the realm, until the connection is lost or he wants to come anew. An error
    /// means that the session is over.
    async fn play(&mut self, holding: &mut Holding) -> Result<(), HavenError> {
        let Some(hero) = holding.hero() else { return Ok(()) };
        let realm = match holding.session.enter(1).await {
            Ok(realm) => realm,
            Err(error) => return self.fail("enter", error).await,
        };
        let mut events = realm.events();
        if let Err(error) = realm.enter_world(hero).await {
            realm.disconnect().await;
            return self.fail("enter_world", error).await;
        }
        let here = Here::new(&self.counts);
        let outcome = self.stay(holding, &realm, &mut events, here).await;
        realm.disconnect().await;
        outcome
    }

    async fn fail(&mut self, what: &str, error: HavenError) -> Result<(), HavenError> {
        self.counts.answer(what, &error);
        if error_ends_session(&error) {
            return Err(error);
        }
        // Whether he is to stop is asked by those who call.
        let _ = self.pause().await;
        Ok(())
    }

    async fn stay(
        &mut self,
        holding: &mut Holding,
        realm: &RealmClient,
        events: &mut Events,
        mut here: Here,
    ) -> Result<(), HavenError> {
        let mut next = Instant::now() + self.rest.mul_f64(self.chance.random::<f64>());
        while !self.is_stopped() {
            tokio::select! {
                event = events.next_event() => match event {
                    Some(Event::Disconnected { at, .. }) if self.stay => {
                        drop(here);
                        if !self.comes_back(events, at).await {
                            return Ok(());
                        }
                        here = Here::new(&self.counts);
                    }
                    None | Some(Event::Disconnected { .. } | Event::OutOfWorld { .. }) => break,
                    Some(_) => {}
                },
                () = tokio::time::sleep_until(next) => {
                    // Between nothing and twice the rest, so that they do not march in step.
                    next = Instant::now() + self.rest.mul_f64(2.0 * self.chance.random::<f64>());
                    self.counts.acts.fetch_add(1, Ordering::Relaxed);
                    if !self.act(holding, realm).await? {
                        break;
                    }
                }
            }
        }
        Ok(())
    }

    /// Waits for the SDK to bring him back, who was sent away at that moment.
    async fn comes_back(&self, events: &mut Events, lost_at: std::time::Instant) -> bool {
        let back = async {
            while let Some(event) = events.next_event().await {
                if let Event::Reconnected { at, .. } = event {
                    return Some(at - lost_at);
                }
            }
            None
        };
        let took = timeout(STAY_TIMEOUT, back).await.unwrap_or_default();
        let mut back = self.counts.back.lock().unwrap_or_else(PoisonError::into_inner);
        back.push(took.unwrap_or(STAY_TIMEOUT));
        took.is_some()
    }

    /// Does one thing; `false` when he wants to come anew.
    async fn act(
        &mut self,
        holding: &mut Holding,
        realm: &RealmClient,
    ) -> Result<bool, HavenError> {
        let outcome = match self.chance.random_range(0..100) {
            0..80 => {
                let [dx, dy] = self.chance.random::<[i16; 2]>();
                realm.steer(dx | 1, dy, self.chance.random()).map(|_| ())
            }
            80..88 => self.create(holding).await,
            88..91 => self.delete_or_restore(holding, false).await,
            91..94 => self.delete_or_restore(holding, true).await,
            94..96 => self.leave_and_enter(holding, realm).await,
            96 => self.open_instance(holding, realm).await,
            97..99 => self.look(holding).await,
            _ => return Ok(false),
        };
        let Err(error) = outcome else { return Ok(true) };
        self.counts.answer("act", &error);
        if error_ends_session(&error) {
            return Err(error);
        }
        if OUTDATED.contains(&error.code()) {
            self.look(holding).await.ok();
        }
        Ok(true)
    }

    async fn leave_and_enter(
        &mut self,
        holding: &Holding,
        realm: &RealmClient,
    ) -> Result<(), HavenError> {
        realm.leave().await?;
        match holding.hero() {
            Some(hero) => realm.enter_world(hero).await.map(|_| ()),
            None => Ok(()),
        }
    }

    async fn open_instance(
        &mut self,
        holding: &mut Holding,
        realm: &RealmClient,
    ) -> Result<(), HavenError> {
        if holding.has_instance {
            return Ok(());
        }
        let era = self.ledger.era();
        realm.open_instance("hollow").await?;
        holding.has_instance = true;
        self.ledger.opened(holding.session.account_id(), era);
        Ok(())
    }

    async fn create(&mut self, holding: &mut Holding) -> Result<(), HavenError> {
        let living = holding.kept.iter().filter(|kept| !kept.is_deleted).count();
        if living >= CHARACTERS_PER_ACCOUNT_MAX {
            return self.delete_or_restore(holding, false).await;
        }
        self.names += 1;
        let name = spelled(self.tag, self.number, self.names);
        let race = RACES[self.chance.random_range(0..RACES.len())];
        let class = CLASSES[self.chance.random_range(0..CLASSES.len())];
        let asked = self.ledger.ask(holding.session.account_id(), &name);
        match holding.session.create_character(None, &name, race, class).await {
            Ok(made) => {
                self.ledger.told(asked);
                let character_id = made.character_id;
                holding.kept.push(Kept { character_id, name, is_deleted: false });
                Ok(())
            }
            Err(error) => {
                // Anything else leaves it open whether it was done.
                if error.code().starts_with("character.") {
                    self.ledger.refused(&asked);
                }
                Err(error)
            }
        }
    }

    /// Deletes one that lives, or restores one that does not; never the first.
    async fn delete_or_restore(
        &mut self,
        holding: &mut Holding,
        restore: bool,
    ) -> Result<(), HavenError> {
        let living = holding.kept.iter().filter(|kept| !kept.is_deleted).count();
        if restore && living >= CHARACTERS_PER_ACCOUNT_MAX {
            return Ok(());
        }
        let candidates = holding.kept.iter_mut().skip(1).filter(|kept| kept.is_deleted == restore);
        let mut candidates: Vec<_> = candidates.collect();
        if candidates.is_empty() {
            return Ok(());
        }
        let chosen = self.chance.random_range(0..candidates.len());
        let kept = candidates.swap_remove(chosen);
        let era = self.ledger.change(&kept.name);
        let outcome = if restore {
            holding.session.restore_character(kept.character_id).await.map(|_| ())
        } else {
            holding.session.delete_character(kept.character_id).await
        };
        // After an error it may be done or not: what is refused may be a repetition.
        if outcome.is_ok() {
            kept.is_deleted = !restore;
            self.ledger.changed(&kept.name, kept.is_deleted, era);
        }
        outcome
    }

    /// Reads what he has. What he reads is not what he was told, so the ledger does not hear of it.
    async fn look(&mut self, holding: &mut Holding) -> Result<(), HavenError> {
        let there = holding.session.characters().await?;
        for found in there {
            let is_deleted = found.deleted_at.is_some();
            match holding.kept.iter_mut().find(|kept| kept.name == found.name) {
                Some(kept) => kept.is_deleted = is_deleted,
                None => holding.kept.push(Kept {
                    character_id: found.character_id,
                    name: found.name,
                    is_deleted,
                }),
            }
        }
        Ok(())
    }
}

/// A name for each run, player and wish, of syllables whose letters look like no others.
pub(super) fn spelled(tag: u64, player: u32, wish: u32) -> String {
    const CONSONANTS: [char; 8] = ['b', 'd', 'f', 'g', 'k', 'p', 't', 'z'];
    const VOWELS: [char; 4] = ['a', 'e', 'u', 'y'];
    let mut rest = (tag % 32) | (u64::from(player % 1_024) << 5) | (u64::from(wish) << 15);
    let mut name = String::new();
    while rest > 0 || name.len() < 6 {
        let [low, ..] = rest.to_le_bytes();
        name.push(CONSONANTS[usize::from(low & 7)]);
        name.push(VOWELS[usize::from(low >> 3 & 3)]);
        rest >>= 5;
    }
    name[..1].to_uppercase() + &name[1..]
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_are_good_and_nobody_else_has_them() {
        let mut names = BTreeSet::new();
        for player in [0, 1, 31, 32, 199] {
            for wish in 1..200 {
                let name = spelled(9, player, wish);
                haven_rules::characters::validate_name(&name).expect("a good name");
                assert!(names.insert(name));
            }
        }
    }
}
