//! One point: a server, clients that gather in channels, speak and listen, and what came of it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::Context;
use futures::{StreamExt, TryStreamExt, stream};
use haven_gateway::stdb::{Args, Link};
use haven_gateway::tokens::owner_token;
use haven_rules::chat::{ChatKind, RULING_LIMIT, channel_key};
use haven_rules::world::{BLOCK_MM, OPEN_WORLD, chunk_of};
use spacetimedb_client_api_messages::websocket::{
    CallReducerFlags, ClientMessage, QueryId, SubscribeMulti,
};
use tokio::time::sleep_until;

use super::Case;
use super::talker::{Part, Talker};
use crate::bench::crowd::cast::{Actor, cast};
use crate::bench::crowd::layout::{Formation, Layout};
use crate::bench::crowd::messages::{call, character_enter, encode, framed};
use crate::bench::proc::Usage;
use crate::bench::report::approximate;
use crate::bench::server::{Target, with_server};
use crate::bots::latency::Latencies;
use crate::setup::refused;
use crate::signals::StopSignal;

/// Clients that connect, enter or subscribe at the same time.
const AT_ONCE: usize = 32;
/// How long the token that rows are counted with is good.
const TOKEN_SECONDS: u64 = 600;
/// From the order to speak to the first message.
const LEAD: Duration = Duration::from_millis(500);
/// How long the last messages may take to arrive.
const DRAIN: Duration = Duration::from_millis(1_500);

/// What to measure.
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    pub(super) case: Case,
    pub(super) clients: u32,
    pub(super) channels: u32,
    pub(super) messages_per_s: u32,
    pub(super) seconds: u32,
}

/// What was measured.
#[derive(Clone, Debug)]
pub(super) struct Measured {
    /// p50, p95 and p99.
    pub(super) latencies_ms: [f64; 3],
    pub(super) messages_per_s: f64,
    pub(super) deliveries_per_s: f64,
    pub(super) lost: u64,
    pub(super) out_of_order: u64,
    pub(super) rows: u64,
    pub(super) server_cpu_share: f64,
    pub(super) generator_cpu_share: f64,
    pub(super) memory_mb: f64,
    pub(super) errors: BTreeMap<String, u64>,
}

impl Point {
    /// The channel of a client.
    fn channel(&self, client: u32) -> u32 {
        client % self.channels
    }

    fn members(&self, channel: u32) -> u64 {
        let members = (0..self.clients).filter(|client| self.channel(*client) == channel);
        members.count() as u64
    }
}

/// Where the members of a channel of a block stand, millimetres.
fn place(channel: u32) -> (i32, i32) {
    let x = i32::try_from(channel).unwrap_or(0) * BLOCK_MM + BLOCK_MM / 2;
    (x, BLOCK_MM / 2)
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
    prepare(point, owner).await?;
    let actors = cast(target, owner, point.clients).await?;
    let talkers = gather(point, target, owner, &actors).await?;
    let epoch = Instant::now();
    let start = epoch + LEAD;
    let until = start + Duration::from_secs(point.seconds.into());
    let interval = Duration::from_secs(1) * point.clients / point.messages_per_s;
    let mut tasks = Vec::with_capacity(talkers.len());
    for (client, talker) in (0..).zip(talkers) {
        let channel = match point.case {
            Case::Shared => (ChatKind::Block.code(), 0),
            Case::Private => (ChatKind::Channel.code(), u64::from(point.channel(client)) + 1),
        };
        let first_at = start + interval.mul_f64(rand::random_range(0.0..1.0));
        let end = until + DRAIN;
        let part = Part { epoch, first_at, interval, until, end, client, channel };
        tasks.push(tokio::spawn(talker.play(part)));
    }
    sleep_until(start.into()).await;
    let before = (target.usage()?, Usage::of_this_process()?);
    sleep_until(until.into()).await;
    let after = (target.usage()?, Usage::of_this_process()?);
    let mut latencies = Latencies::default();
    let mut errors = BTreeMap::new();
    let (mut said, mut heard, mut expected, mut out_of_order) = (0, 0, 0, 0);
    for (client, task) in (0..).zip(tasks) {
        let tally = task.await.context("a client's task failed")?;
        let accepted = tally.sent.saturating_sub(tally.refused);
        said += accepted;
        heard += tally.heard;
        expected += accepted * point.members(point.channel(client));
        out_of_order += tally.out_of_order;
        latencies.extend(tally.latencies);
        for (what, times) in tally.errors {
            *errors.entry(what).or_default() += times;
        }
    }
    let seconds = f64::from(point.seconds);
    Ok(Measured {
        latencies_ms: latencies.percentiles_ms(),
        messages_per_s: approximate(said) / seconds,
        deliveries_per_s: approximate(heard) / seconds,
        lost: expected.saturating_sub(heard),
        out_of_order,
        rows: rows(target).await?,
        server_cpu_share: after.0.cpu_share_since(&before.0),
        generator_cpu_share: after.1.cpu_share_since(&before.1),
        memory_mb: after.0.memory_mb(),
        errors,
    })
}

/// Lays flat land out, and lets everybody speak as fast as it likes.
async fn prepare(point: &Point, owner: &Link) -> anyhow::Result<()> {
    let layout = Layout::new(Formation::TenByTen, point.clients);
    let definition = Args::new().with(&layout.world((0, 0)).definition());
    let none = Args::new().with(&OPEN_WORLD).with(&0_u64).with("");
    for (reducer, args) in [("world_configure", definition), ("world_terrain_set", none)] {
        owner.call(reducer, args).await.map_err(|error| refused(reducer, &error))?;
    }
    for code in [ChatKind::Block.code(), ChatKind::Channel.code(), RULING_LIMIT] {
        let args = Args::new().with(&code).with(&1_000_u16).with(&1_u32);
        let set = owner.call("chat_limit_set", args).await;
        set.map_err(|error| refused("chat_limit_set", &error))?;
    }
    Ok(())
}

/// Connects all, brings them into the world and into their channels, and lets them listen.
async fn gather(
    point: &Point,
    target: &Target,
    owner: &Link,
    actors: &[Actor],
) -> anyhow::Result<Vec<Talker>> {
    let addr = target.uri.trim_start_matches("http://");
    let addr: SocketAddr = addr.parse().context("the server's address")?;
    let enters = (0..).zip(actors).map(async |(client, actor): (u32, &Actor)| {
        let database = &target.database;
        let mut talker = Talker::connect(point.case, addr, database, &actor.token).await?;
        talker.ask(character_enter(actor.character_id)).await?;
        let (x_mm, y_mm) = place(point.channel(client));
        let args = Args::new().with(&actor.character_id).with(&x_mm).with(&y_mm);
        let put = owner.call("character_teleport", args).await;
        put.map_err(|error| refused("character_teleport", &error))?;
        anyhow::Ok(talker)
    });
    let mut talkers: Vec<Talker> = stream::iter(enters).buffered(AT_ONCE).try_collect().await?;
    if point.case == Case::Private {
        for (client, talker) in (0..).zip(&mut talkers) {
            let name = format!("Bench {}", word(point.channel(client)));
            let (reducer, mut args) = if client < point.channels {
                ("chat_channel_create", [encode(&name), encode(&true)].concat())
            } else {
                ("chat_channel_join", encode(&name))
            };
            args.extend(talker.command());
            talker.ask(call(reducer, &args, CallReducerFlags::FullUpdate)).await?;
        }
    }
    for (client, talker) in (0..).zip(&mut talkers) {
        let query = match point.case {
            Case::Shared => {
                let (x_mm, y_mm) = place(point.channel(client));
                let block = chunk_of(OPEN_WORLD, x_mm, y_mm);
                let key = channel_key(ChatKind::Block, block);
                format!("SELECT * FROM chat_message WHERE channel_key = {key}")
            }
            Case::Private => "SELECT * FROM chat_delivery".to_owned(),
        };
        let query_strings = Box::new([query.into()]);
        let (request_id, query_id) = (1, QueryId::new(1));
        let watch = SubscribeMulti { query_strings, request_id, query_id };
        talker.ask(framed(&ClientMessage::SubscribeMulti(watch))).await?;
    }
    Ok(talkers)
}

/// A word for a number, as names of channels that look like no other.
fn word(number: u32) -> String {
    const WORDS: [&str; 10] =
        ["Ash", "Birch", "Cedar", "Elm", "Fern", "Gorse", "Hazel", "Oak", "Pine", "Yew"];
    let word = WORDS.get(number as usize % WORDS.len()).copied().unwrap_or_default();
    format!("{word} {}", number as usize / WORDS.len())
}

/// Rows of messages and inboxes that there are.
async fn rows(target: &Target) -> anyhow::Result<u64> {
    let token = owner_token(&target.keys, &target.issuer, TOKEN_SECONDS)?;
    let url = format!("{}/v1/database/{}/sql", target.uri, target.database);
    let mut sum = 0;
    for table in ["chat_log", "chat_message", "chat_delivery"] {
        let query = format!("SELECT COUNT(*) AS rows FROM {table}");
        let asked = reqwest::Client::new().post(&url).bearer_auth(&token).body(query).send().await;
        let answer: serde_json::Value = asked?.error_for_status()?.json().await?;
        let count = answer.pointer("/0/rows/0/0").and_then(serde_json::Value::as_u64);
        sum += count.with_context(|| format!("rows of {table}: {answer}"))?;
    }
    Ok(sum)
}
