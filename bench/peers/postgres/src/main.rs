//! The transfer of `haven bench economy` on PostgreSQL: one call of a stored function is one
//! transaction, through a pool of connections over a Unix socket.
//!
//! Starts a server of its own in a temporary directory and ends it, whatever comes of it. Prints
//! one line of JSON.

mod server;

use anyhow::{Context, ensure};
use clap::Parser;
use deadpool_postgres::{Manager, ManagerConfig, Pool, RecyclingMethod};
use server::Server;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use tokio_postgres::NoTls;

/// What each account begins with, copper.
const COPPER: i64 = 1_000_000_000;

#[derive(Parser)]
#[command(about = "The transfer of `haven bench economy`, on PostgreSQL")]
struct Args {
    /// Transfers under way at once, each on a connection of the pool.
    #[arg(long, default_value_t = 32, value_parser = clap::value_parser!(u32).range(1..=200))]
    in_flight: u32,
    /// Accounts, two to a pair that pays to and fro.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(2..=100_000))]
    accounts: u32,
    /// The measuring window, in seconds.
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=600))]
    seconds: u32,
    /// Transfers before the window, in seconds.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(0..=60))]
    warmup: u32,
    /// Whether a transfer is answered when it is on disk; else PostgreSQL writes it up to 0.6 s
    /// later, as Haven's engine does.
    #[arg(long)]
    durable: bool,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let server = Server::start(args.durable, args.in_flight)?;
    let measured = measure(&args, &server).await;
    server.stop();
    println!("{}", measured?);
    Ok(())
}

async fn measure(args: &Args, server: &Server) -> anyhow::Result<serde_json::Value> {
    let pool = connect(args, server).await?;
    prepare(&pool, args.accounts).await?;
    let (measures, ends) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
    let players: Vec<_> = (0..args.in_flight)
        .map(|number| {
            let (pool, accounts) = (pool.clone(), args.accounts);
            let (measures, ends) = (measures.clone(), ends.clone());
            tokio::spawn(async move { pay(pool, number, accounts, &measures, &ends).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_secs(args.warmup.into())).await;
    measures.store(true, Ordering::Relaxed);
    let began = Instant::now();
    tokio::time::sleep(Duration::from_secs(args.seconds.into())).await;
    ends.store(true, Ordering::Relaxed);
    let mut times = vec![];
    for player in players {
        times.extend(player.await??);
    }
    let seconds = began.elapsed().as_secs_f64();
    ensure!(!times.is_empty(), "no transfer was done");
    let total: i64 = {
        let client = pool.get().await?;
        client.query_one("SELECT sum(copper)::bigint FROM account", &[]).await?.get(0)
    };
    ensure!(total == COPPER * i64::from(args.accounts), "copper was made or lost: {total}");
    times.sort_unstable();
    let at = |share: f64| {
        let index = ((times.len() - 1) as f64 * share) as usize;
        times[index].as_secs_f64() * 1_000.0
    };
    Ok(serde_json::json!({
        "peer": "postgres",
        "transactions_per_s": times.len() as f64 / seconds,
        "p50_ms": at(0.5),
        "p99_ms": at(0.99),
        "version": server.version,
        "durable": args.durable,
    }))
}

async fn connect(args: &Args, server: &Server) -> anyhow::Result<Pool> {
    let mut config = tokio_postgres::Config::new();
    config.host_path(server.folder()).user("postgres").dbname("postgres");
    let recycling = ManagerConfig { recycling_method: RecyclingMethod::Fast };
    let manager = Manager::from_config(config, NoTls, recycling);
    let size = usize::try_from(args.in_flight)?;
    let pool = Pool::builder(manager).max_size(size).build()?;
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        match pool.get().await {
            Ok(_) => return Ok(pool),
            Err(error) if Instant::now() > deadline => {
                return Err(error).context("PostgreSQL does not answer");
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn prepare(pool: &Pool, accounts: u32) -> anyhow::Result<()> {
    let client = pool.get().await?;
    client.batch_execute(include_str!("schema.sql")).await?;
    let fill = "INSERT INTO account SELECT number, $2::bigint FROM generate_series(1, $1::bigint) number";
    client.execute(fill, &[&i64::from(accounts), &COPPER]).await?;
    client.batch_execute("VACUUM ANALYZE").await?;
    Ok(())
}

/// One player after the other pays the one beside it, and is paid back.
async fn pay(
    pool: Pool,
    number: u32,
    accounts: u32,
    measures: &AtomicBool,
    ends: &AtomicBool,
) -> anyhow::Result<Vec<Duration>> {
    let mut times = vec![];
    let mut sequence = 0_i64;
    while !ends.load(Ordering::Relaxed) {
        sequence += 1;
        let turn = i64::from(number) + sequence / 2;
        let pair = turn % i64::from(accounts / 2);
        let (one, other) = (pair * 2 + 1, pair * 2 + 2);
        let (payer, payee) = if sequence % 2 == 0 { (one, other) } else { (other, one) };
        let began = Instant::now();
        let client = pool.get().await?;
        let statement =
            client.prepare_cached("SELECT transfer($1, $2, $3, $4, $5)").await?;
        let session = i64::from(number);
        client.execute(&statement, &[&payer, &payee, &1_i64, &session, &sequence]).await?;
        drop(client);
        if measures.load(Ordering::Relaxed) {
            times.push(began.elapsed());
        }
    }
    Ok(times)
}
