//! SIGKILL at random moments while more is sent than the machine can carry.
//!
//! Keeps true: the guard's limits on single connections are lifted, so that nothing stands between
//! the flood and the engine but the governor.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, ensure};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use haven_client_sdk::{Haven, RealmClient, Session};
use rand::RngExt as _;
use rand::rngs::StdRng;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::players::{Crowd, Pace};
use super::raw::{call, socket};
use super::site::Site;
use super::{Extent, Findings, audit, finish, in_time, spread};

/// How long a server runs before it is killed again, milliseconds.
const ALIVE_MILLIS: std::ops::Range<u64> = 300..1_500;
/// How many send inputs.
const SENDERS: u32 = 100;
/// How long it is measured what the machine can carry.
const MEASURED: Duration = Duration::from_secs(3);
/// What is sent, as a multiple of that.
const OVER: f64 = 3.0;
/// How long it lasts before the first kill.
const SUSTAINED: Duration = Duration::from_secs(15);
/// How often a sender writes.
const WRITE_EVERY: Duration = Duration::from_millis(20);
/// How often it is asked how far the log is behind.
const LOOK_EVERY: Duration = Duration::from_millis(50);
const ACTS_PER_S: f64 = 0.5;

pub(super) async fn run(extent: Extent, mut chance: StdRng) -> anyhow::Result<Findings> {
    let unlimited = "1000000000";
    let mut site = Site::open(&[
        ("HAVEN_GUARD__LIMITS__INBOUND_BYTES_PER_S", unlimited),
        ("HAVEN_GUARD__LIMITS__INBOUND_BURST_BYTES", unlimited),
    ])
    .await?;
    let pace = Pace { players: extent.players, acts_per_s: ACTS_PER_S, stay: false };
    let crowd = Crowd::gather(&site.reach, extent.seed, pace).await?;
    let senders = senders(&site.reach.haven()?).await?;
    let carried_per_s = carried(&senders).await?;
    let calls = carried_per_s * OVER * WRITE_EVERY.as_secs_f64() / f64::from(SENDERS);
    let sent = Arc::new(AtomicU64::new(0));
    let mut flood = JoinSet::new();
    for (session, hero) in senders {
        flood.spawn(send_on(session, hero, calls, Arc::clone(&sent)));
    }
    let (mut ready, mut unwaited_lost, mut behind) = (vec![], 0, Behind::default());
    // Long enough for the log to fall behind as far as it is let.
    let sustained = if extent.is_short { SUSTAINED / 3 } else { SUSTAINED };
    behind.watch(&site, sustained).await;
    let sustained_per_s = per_s(sent.load(Ordering::Relaxed), sustained);
    ensure!(
        extent.is_short || sustained_per_s > carried_per_s * 1.2,
        "no overload: {sustained_per_s:.0} inputs/s were let in, {carried_per_s:.0}/s can be carried"
    );
    let kills = extent.kills.div_ceil(4);
    for number in 1..=kills {
        let alive = Duration::from_millis(chance.random_range(ALIVE_MILLIS));
        behind.watch(&site, alive).await;
        site.kill().await?;
        ready.push(site.start().await?);
        let audited = audit(&site.reach, &crowd).await;
        unwaited_lost += audited.with_context(|| format!("after kill {number}"))?.unwaited_lost;
    }
    flood.shutdown().await;
    crowd.wait_in_world(Duration::from_mins(2)).await?;
    let (kept, _) = finish(site, crowd).await?;
    in_time(&ready, extent)?;
    let Behind { millis, transactions, held } = behind;
    Ok(format!(
        "the machine carries {carried_per_s:.0} inputs/s, {sustained_per_s:.0}/s were sent; {kills} kills; \
         {kept} commands told as written, all there; {unwaited_lost} changes that nobody waited \
         for \
         lost; the log at most {millis} ms and {transactions} transactions behind, players held \
         {held} times; ready {}",
        spread(&mut ready)
    ))
}

/// Accounts with a character each.
async fn senders(haven: &Haven) -> anyhow::Result<Vec<(Session, u64)>> {
    let comes = async |number: u32| -> anyhow::Result<(Session, u64)> {
        let email = format!("sender-{number}@players.example");
        let session = haven.register(&email, "sends too much").await?;
        let name = format!("{}x", super::players::spelled(31, 1_000, number + 1));
        let hero = session.create_character(None, &name, "orc", "ranger").await?;
        Ok((session, hero.character_id))
    };
    let coming = stream::iter(0..SENDERS).map(comes).buffer_unordered(16);
    coming.try_collect().await
}

/// Inputs per second when each waits for the answer to the one before.
async fn carried(senders: &[(Session, u64)]) -> anyhow::Result<f64> {
    let mut walkers = JoinSet::new();
    let (count, mut realms) = (Arc::new(AtomicU64::new(0)), vec![]);
    for (session, hero) in senders {
        let realm = session.enter(1).await?;
        realm.enter_world(*hero).await?;
        realms.push(realm);
    }
    for realm in &realms {
        walkers.spawn(walk(realm.clone(), Arc::clone(&count)));
    }
    tokio::time::sleep(MEASURED).await;
    let carried = count.load(Ordering::Relaxed);
    walkers.shutdown().await;
    for realm in realms {
        realm.disconnect().await;
    }
    ensure!(carried > 0, "nobody can walk");
    Ok(per_s(carried, MEASURED))
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
fn per_s(count: u64, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}

async fn walk(realm: RealmClient, count: Arc<AtomicU64>) {
    for step in 0_u64.. {
        let dx = if step % 2 == 0 { 1 } else { -1 };
        if realm.walk(dx, 0).await.is_ok() {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Sends inputs at a pace, whatever becomes of them, and comes again when the server does.
async fn send_on(session: Session, hero: u64, calls_per_write: f64, sent: Arc<AtomicU64>) {
    loop {
        if let Ok(admission) = session.admission(1).await
            && let Ok((stream, true)) = socket(&admission).await
        {
            let (mut answers, mut stream) = stream.into_split();
            // What it is told is read and thrown away: it floods, it does not stand in the way.
            let reader = tokio::spawn(async move {
                let mut bytes = vec![0; 1 << 16];
                while answers.read(&mut bytes).await.is_ok_and(|read| read > 0) {}
            });
            let enter = call("character_enter", &format!("[{hero}]"));
            let steps = [call("course_set", "[1,0,false]"), call("course_set", "[-1,0,false]")];
            let (mut owed, mut written) = (0.0, stream.write_all(&enter).await);
            let mut ticks = tokio::time::interval(WRITE_EVERY);
            for step in 0_usize.. {
                ticks.tick().await;
                owed += calls_per_write;
                while owed >= 1.0 && written.is_ok() {
                    written = stream.write_all(&steps[step % 2]).await;
                    sent.fetch_add(1, Ordering::Relaxed);
                    owed -= 1.0;
                }
                if written.is_err() {
                    break;
                }
            }
            reader.abort();
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// How far the log was behind at most.
#[derive(Clone, Copy, Debug, Default)]
struct Behind {
    millis: u64,
    transactions: u64,
    /// How often players were held.
    held: u64,
}

impl Behind {
    /// Looks for that long.
    async fn watch(&mut self, site: &Site, time: Duration) {
        let until = Instant::now() + time;
        let mut held = 0;
        while Instant::now() < until {
            if let Ok(Ok(told)) = tokio::time::timeout_at(until, site.reach.metrics()).await {
                self.millis = self.millis.max(told.number("haven_engine_log_lag_millis"));
                let backlog = told.number("haven_engine_log_backlog_transactions");
                self.transactions = self.transactions.max(backlog);
                held = told.number("haven_guard_players_held_total");
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
        self.held += held;
    }
}
