//! One point: a server, a crowd that gathers, walks and is watched, and what came of it.
//!
//! Keeps true: nobody watches while the crowd gathers, so that it gathers in time proportional to
//! its size; the figures of all come from one window of time, the server's and the generator's too.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, ensure};
use futures::{StreamExt, TryStreamExt, stream};
use haven_gateway::stdb::{Args, Link};
use haven_rules::world::OPEN_WORLD;
use tokio::time::sleep_until;

use super::cast::{Actor, cast};
use super::client::{Client, Part, Tally};
use super::eyes::{Eyes, Window};
use super::inputs::Inputs;
use super::layout::{Formation, Layout};
use super::messages::{character_enter, watch};
use crate::bench::proc::Usage;
use crate::bench::report::approximate;
use crate::bench::server::{Target, with_server};
use crate::setup::refused;
use crate::signals::StopSignal;

/// Clients that read every row.
const OBSERVERS_MAX: u32 = 24;
/// Clients that connect, enter or subscribe at the same time.
const AT_ONCE: usize = 32;
/// From the order to walk to the first step.
const LEAD: Duration = Duration::from_millis(300);
/// How long rows of the last inputs may take to arrive.
const DRAIN: Duration = Duration::from_millis(1_500);

/// What to measure.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    pub(super) formation: Formation,
    pub(super) clients: u32,
    pub(super) inputs_per_s: u32,
    pub(super) seconds: u32,
    pub(super) warmup: u32,
}

/// What was measured.
#[derive(Clone, Debug)]
pub(super) struct Measured {
    /// p50, p95 and p99.
    pub(super) latencies_ms: [f64; 3],
    pub(super) bytes_per_client_s: f64,
    pub(super) server_cpu_share: f64,
    pub(super) generator_cpu_share: f64,
    pub(super) memory_mb: f64,
    pub(super) memory_per_client_kb: f64,
    pub(super) updates_per_s: f64,
    pub(super) messages_per_s: f64,
    pub(super) inputs_per_s: f64,
    pub(super) others_in_sight: f64,
    pub(super) unseen_share: f64,
    pub(super) errors: BTreeMap<String, u64>,
}

/// Measures a point on a server of its own.
pub(super) async fn measure(point: &Point, stop: &mut StopSignal) -> anyhow::Result<Measured> {
    let variables = [("HAVEN_REALM__CAPACITY", point.clients.to_string())];
    with_server(&variables, stop, async |server| {
        let owner = server.target.owner().await?;
        let measured = measure_on(point, &server.target, &owner).await;
        owner.close().await;
        measured
    })
    .await
}

async fn measure_on(point: &Point, target: &Target, owner: &Link) -> anyhow::Result<Measured> {
    let layout = Layout::new(point.formation, point.clients);
    let actors = cast(target, owner, point.clients).await?;
    let empty = target.usage()?;
    let clients = gather(&layout, target, owner, &actors).await?;
    let crowd = Crowd::new(point, layout, &actors);
    let mut parts = crowd.parts();
    for client in &clients {
        if let Some(part) = parts.next() {
            client.play(part).await;
        }
    }
    drop(parts);
    sleep_until(crowd.window.from.into()).await;
    let before = (target.usage()?, Usage::of_this_process()?);
    sleep_until(crowd.window.until.into()).await;
    let after = (target.usage()?, Usage::of_this_process()?);
    let mut tallies = Vec::with_capacity(clients.len());
    for client in clients {
        tallies.push(client.tally().await.context("a client's task failed")?);
    }
    let mut measured = crowd.sum_up(tallies)?;
    measured.server_cpu_share = after.0.cpu_share_since(&before.0);
    measured.generator_cpu_share = after.1.cpu_share_since(&before.1);
    measured.memory_mb = after.0.memory_mb();
    measured.memory_per_client_kb = after.0.memory_kb_since(&empty) / f64::from(point.clients);
    Ok(measured)
}

/// Connects all, brings them into the world block by block, and lets them watch.
async fn gather(
    layout: &Layout,
    target: &Target,
    owner: &Link,
    actors: &[Actor],
) -> anyhow::Result<Vec<Client>> {
    let addr = target.uri.trim_start_matches("http://");
    let addr: SocketAddr = addr.parse().context("the server's address")?;
    let connects = actors.iter().map(|actor| Client::connect(addr, &target.database, &actor.token));
    let clients: Vec<Client> = stream::iter(connects).buffered(AT_ONCE).try_collect().await?;

    let mut blocks: BTreeMap<(i32, i32), Vec<usize>> = BTreeMap::new();
    for (number, _) in (0..layout.clients()).zip(actors) {
        blocks.entry(layout.block(number)).or_default().push(number as usize);
    }
    configure(owner, layout, (0, 0)).await?;
    flatten(owner).await?;
    for (block, numbers) in blocks {
        // There is no way to put a character into a place but to let it appear there.
        configure(owner, layout, block).await?;
        let enters = numbers
            .into_iter()
            .map(|number| clients[number].ask(character_enter(actors[number].character_id)));
        stream::iter(enters).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
    }

    let watches = (0..layout.clients()).zip(&clients);
    let watches =
        watches.map(|(number, client)| client.ask(watch(&layout.chunks_in_sight(number))));
    stream::iter(watches).buffer_unordered(AT_ONCE).try_collect::<()>().await?;
    Ok(clients)
}

/// Lays out the world so that who enters appears in that block.
async fn configure(owner: &Link, layout: &Layout, spawn: (i32, i32)) -> anyhow::Result<()> {
    let definition = Args::new().with(&layout.world(spawn).definition());
    let configured = owner.call("world_configure", definition).await;
    configured.map_err(|error| refused("world_configure", &error))
}

/// Takes the land away that the server's configuration has made.
async fn flatten(owner: &Link) -> anyhow::Result<()> {
    let none = Args::new().with(&OPEN_WORLD).with(&0_u64).with("");
    let set = owner.call("world_terrain_set", none).await;
    set.map_err(|error| refused("world_terrain_set", &error))
}

/// A crowd that is about to walk.
struct Crowd<'a> {
    layout: Layout,
    actors: &'a [Actor],
    inputs: Arc<Inputs>,
    /// The clients that are counted, and those of them that have eyes; sorted.
    counted: Vec<u32>,
    observers: Vec<u32>,
    interval: Duration,
    start: Instant,
    window: Window,
}

impl<'a> Crowd<'a> {
    fn new(point: &Point, layout: Layout, actors: &'a [Actor]) -> Self {
        let start = Instant::now() + LEAD;
        let from = start + Duration::from_secs(point.warmup.into());
        let until = from + Duration::from_secs(point.seconds.into());
        let per_client = (point.warmup + point.seconds + 1) * point.inputs_per_s + 1;
        let counted: Vec<u32> =
            (0..point.clients).filter(|number| layout.is_counted(*number)).collect();
        Self {
            layout,
            actors,
            inputs: Arc::new(Inputs::new(point.clients, per_client)),
            observers: sample(&counted),
            counted,
            interval: Duration::from_secs(1) / point.inputs_per_s,
            start,
            window: Window { from, until },
        }
    }

    /// A part for each client. Clients that all steer at the same instant would measure their own
    /// convoy: each begins at a moment of its own.
    fn parts(&self) -> impl Iterator<Item = Part> {
        (0..self.layout.clients()).map(|client| Part {
            client,
            inputs: Arc::clone(&self.inputs),
            first_at: self.start + self.interval.mul_f64(rand::random_range(0.0..1.0)),
            interval: self.interval,
            window: self.window,
            end: self.window.until + DRAIN,
            eyes: self.observers.binary_search(&client).is_ok().then(|| self.eyes(client)),
        })
    }

    fn eyes(&self, client: u32) -> Eyes {
        let others = self.layout.others_in_sight(client);
        let others =
            others.filter_map(|other| Some((self.actors.get(other as usize)?.character_id, other)));
        Eyes::new(Arc::clone(&self.inputs), self.window, others)
    }

    /// What the clients counted; what was read from the system is still missing.
    fn sum_up(&self, tallies: Vec<Tally>) -> anyhow::Result<Measured> {
        let seconds = (self.window.until - self.window.from).as_secs_f64();
        let clients = f64::from(self.layout.clients());
        let observers = approximate(self.observers.len() as u64).max(1.0);
        let mut sum = Tally::default();
        let mut counted_bytes = 0;
        for (number, tally) in (0..).zip(tallies) {
            if self.layout.is_counted(number) {
                counted_bytes += tally.bytes;
            }
            sum.add(tally);
        }
        let counted = approximate(self.counted.len() as u64).max(1.0);
        let in_sight = |client: &u32| self.layout.others_in_sight(*client).count() as u64;
        let in_sight = approximate(self.counted.iter().map(in_sight).sum()) / counted;
        let observations = sum.latencies.count();
        ensure!(observations > 0, "nobody saw anybody move: {:?}", sum.errors);
        Ok(Measured {
            latencies_ms: sum.latencies.percentiles_ms(),
            bytes_per_client_s: approximate(counted_bytes) / counted / seconds,
            server_cpu_share: 0.0,
            generator_cpu_share: 0.0,
            memory_mb: 0.0,
            memory_per_client_kb: 0.0,
            updates_per_s: approximate(sum.rows) / observers * clients / seconds,
            messages_per_s: approximate(sum.messages) / seconds,
            inputs_per_s: approximate(sum.inputs) / seconds,
            others_in_sight: in_sight,
            unseen_share: approximate(sum.unseen) / approximate(observations as u64).max(1.0),
            errors: sum.errors,
        })
    }
}

/// At most [`OBSERVERS_MAX`] of them, sorted. Clients are numbered block after block, so that
/// every so-manieth would stand in a few blocks only: steps of the golden ratio fall everywhere.
fn sample(clients: &[u32]) -> Vec<u32> {
    if clients.len() <= OBSERVERS_MAX as usize {
        return clients.to_vec();
    }
    let step = |number: u32| u64::from(number.wrapping_mul(0x9e37_79b9));
    let index = |number| (step(number) * clients.len() as u64) >> 32;
    let chosen = (0..OBSERVERS_MAX)
        .filter_map(|number| clients.get(usize::try_from(index(number)).unwrap_or(0)).copied());
    chosen.collect::<BTreeSet<u32>>().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use haven_engine::{Engine, EngineConfig, GuardConfig, KeySource, MODULE_LOGS_BYTES_MAX};
    use haven_gateway::keys::KeyStore;
    use haven_gateway::stdb::reducers::realm_configure;
    use haven_gateway::tokens::owner_token;

    const ISSUER: &str = "haven-bench-test";

    /// The module on an engine inside this process.
    async fn start(dir: &std::path::Path) -> (Engine, Target) {
        let keys = KeyStore::open_or_create(dir.join("keys")).expect("keys");
        let engine = Engine::start(EngineConfig {
            data_dir: dir.to_owned(),
            listen: "127.0.0.1:0".parse().expect("an address"),
            in_memory: true,
            module_logs_bytes_max: MODULE_LOGS_BYTES_MAX,
            checkpoint_transactions: 0,
            guard: GuardConfig::new(ISSUER, KeySource::File(keys.jwks_path())),
        });
        let engine = engine.await.expect("the engine starts");
        let (uri, database, issuer) = (engine.uri(), "crowd".to_owned(), ISSUER.to_owned());
        let token = owner_token(&keys, ISSUER, 60).expect("a token");
        let module = haven_engine::MODULE_WASM;
        haven_engine::publish(&uri, &database, &token, module).await.expect("published");
        let (keys, process_id) = (Arc::new(keys), std::process::id());
        (engine, Target { uri, database, issuer, keys, process_id })
    }

    #[test]
    fn observers_stand_everywhere() {
        assert_eq!(sample(&[3, 5, 8]), [3, 5, 8]);
        for clients in [100, 1_200, 4_000] {
            let layout = Layout::new(Formation::TenByTen, clients);
            let observers = sample(&(0..clients).collect::<Vec<u32>>());
            assert!((22..=24).contains(&observers.len()), "{clients}: {observers:?}");
            assert!(observers.is_sorted());
            let blocks: BTreeSet<_> =
                observers.iter().map(|client| layout.block(*client)).collect();
            assert!(blocks.len() >= 15, "{clients}: {blocks:?}");
        }
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_small_crowd_sees_each_other_move() {
        let dir = tempfile::TempDir::new().expect("a directory");
        let (engine, target) = start(dir.path()).await;
        let owner = target.owner().await.expect("a link");
        realm_configure(&owner, 1, "Haven", true, 20).await.expect("configured");
        let formation = Formation::Packed;
        let point = Point { formation, clients: 20, inputs_per_s: 5, seconds: 1, warmup: 0 };
        let measured = measure_on(&point, &target, &owner).await.expect("measured");
        owner.close().await;
        engine.stop().await.expect("stopped");
        assert_eq!(measured.errors, BTreeMap::new());
        assert!((measured.others_in_sight - 19.0).abs() < 1e-9, "{measured:?}");
        assert!((80.0..=100.0).contains(&measured.inputs_per_s), "{measured:?}");
        assert!(measured.updates_per_s >= 20.0 * measured.inputs_per_s * 0.8, "{measured:?}");
        assert!(measured.unseen_share < 0.01, "{measured:?}");
    }
}
