//! The engine's own limit: what a module with one empty reducer does on this machine, now.
//!
//! A figure of Haven is worth something only beside it. Keeps true: the same client as Haven's own
//! services (`stdb::Link`), the same guard, an engine of its own in memory, one measurement at a
//! time; nothing is left behind.

mod empty_module;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
use futures::StreamExt;
use futures::stream::FuturesUnordered;
use haven_engine::{Engine, EngineConfig, GuardConfig, KeySource, MODULE_LOGS_BYTES_MAX};
use haven_gateway::keys::KeyStore;
use haven_gateway::stdb::{Args, CallError, Link, LinkConfig};
use haven_gateway::tokens::{ADMIN_AUDIENCE, owner_token, realm_audience};
use tempfile::TempDir;

use crate::bots::latency::Latencies;

const ISSUER: &str = "haven-engine-limit";
const DATABASE: &str = "engine-limit";
/// How long calls are made one after the other, for their latency.
const ONE_BY_ONE: Duration = Duration::from_secs(2);
/// How long calls are made side by side, for their rate.
const SIDE_BY_SIDE: Duration = Duration::from_secs(3);
/// Calls under way at once in the second part.
const IN_FLIGHT: usize = 512;

/// What an empty reducer costs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct EngineLimit {
    /// Calls per second with [`IN_FLIGHT`] under way on one connection.
    pub(crate) calls_per_s: f64,
    /// Round trips of calls made one after the other.
    pub(crate) latencies: [f64; 3],
}

/// Measures it; takes about six seconds.
pub(crate) async fn measure() -> anyhow::Result<EngineLimit> {
    let measured = measure_beside().await;
    measured.context("the engine's own limit could not be measured")
}

/// Measures in an engine of its own, and stops it whatever comes of it.
async fn measure_beside() -> anyhow::Result<EngineLimit> {
    let dir = TempDir::new()?;
    let keys = Arc::new(KeyStore::open_or_create(dir.path().join("keys"))?);
    let engine = Engine::start(EngineConfig {
        data_dir: dir.path().to_owned(),
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        in_memory: true,
        module_logs_bytes_max: MODULE_LOGS_BYTES_MAX,
        checkpoint_transactions: 0,
        guard: GuardConfig {
            issuer: ISSUER.to_owned(),
            audience_admin: ADMIN_AUDIENCE.to_owned(),
            audience_realm_prefix: realm_audience(""),
            keys: KeySource::File(keys.jwks_path()),
            limits: haven_engine::Limits::default(),
            players_wait: false,
        },
    })
    .await?;
    let measured = measure_on(&engine, keys).await;
    let stopped = engine.stop().await;
    let limit = measured?;
    stopped?;
    Ok(limit)
}

async fn measure_on(engine: &Engine, keys: Arc<KeyStore>) -> anyhow::Result<EngineLimit> {
    let token = owner_token(&keys, ISSUER, 60)?;
    let wasm = empty_module::wasm()?;
    haven_engine::publish(&engine.uri(), DATABASE, &token, &wasm).await?;
    let link = Link::open(LinkConfig::owner(&engine.uri(), DATABASE, keys, ISSUER));
    anyhow::ensure!(link.wait_connected(Duration::from_secs(10)).await, "no connection");
    let latencies = one_by_one(&link).await?;
    let calls_per_s = side_by_side(&link).await?;
    link.close().await;
    Ok(EngineLimit { calls_per_s, latencies })
}

async fn one_by_one(link: &Link) -> Result<[f64; 3], CallError> {
    let mut latencies = Latencies::default();
    let started = Instant::now();
    while started.elapsed() < ONE_BY_ONE {
        let called = Instant::now();
        link.call(empty_module::REDUCER, Args::new()).await?;
        latencies.add(called.elapsed());
    }
    Ok(latencies.percentiles_ms())
}

async fn side_by_side(link: &Link) -> Result<f64, CallError> {
    let call = || link.call(empty_module::REDUCER, Args::new());
    let mut under_way: FuturesUnordered<_> = (0..IN_FLIGHT).map(|_| call()).collect();
    let (started, mut calls) = (Instant::now(), 0_u32);
    while let Some(answered) = under_way.next().await {
        answered?;
        calls += 1;
        if started.elapsed() < SIDE_BY_SIDE {
            under_way.push(call());
        }
    }
    Ok(f64::from(calls) / started.elapsed().as_secs_f64())
}
