//! `haven bots`: many accounts that play through the public SDK, and what that measures.
//!
//! Keeps true: bots do nothing a player's client could not do; they start a few at a time and wait
//! when the gateway asks them to; what is measured is measured on their side of the network.

pub(crate) mod latency;
mod player;
mod report;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use clap::Args;
use futures::StreamExt;
use futures::stream;
use haven_client_sdk::{Haven, RetryPolicy};
use indicatif::ProgressBar;

use self::player::{Courses, Player};
use self::report::{Report, Tally};
use crate::{engine_limit, terminal};

/// How long bots may take to leave when the play is over.
const LEAVE_TIMEOUT: Duration = Duration::from_secs(20);

/// Play with many accounts at once and measure
///
/// Registers the accounts bot-1@bots.example and so on where they are missing, logs them in, gives
/// each a character, enters the world and changes course at random until the time is over. Then it
/// measures an empty reducer in an engine of its own, as the limit no figure can pass.
///
/// Columns: logins, inputs sent and rows received per second; the time from a bot's input to its
/// row arriving at each other bot that sees it; what went wrong. All bots share this machine with
/// the server when both run on it. All accounts share one public password: do not run it against
/// a realm that strangers reach.
#[derive(Debug, Args)]
pub(crate) struct BotsArgs {
    /// The gateway
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8080")]
    gateway: String,
    /// How many bots play
    #[arg(long, value_name = "N", default_value_t = 50,
        value_parser = clap::value_parser!(u32).range(1..=10_000))]
    count: u32,
    /// How long they play, once all are in the world
    #[arg(long, value_name = "S", default_value_t = 20,
        value_parser = clap::value_parser!(u32).range(1..=86_400))]
    seconds: u32,
    /// Changes of course per bot and second, up to 20
    #[arg(long, value_name = "R", default_value_t = 0.5, value_parser = inputs_per_second)]
    inputs_per_second: f64,
    /// The realm to play in [default: the first open one]
    #[arg(long, value_name = "ID")]
    realm: Option<u16>,
    /// Bots that log in or enter at the same time
    #[arg(long, value_name = "N", default_value_t = 8,
        value_parser = clap::value_parser!(u32).range(1..=64))]
    ramp: u32,
    /// What the accounts' addresses start with
    #[arg(long, value_name = "NAME", default_value = "bot")]
    prefix: String,
    /// Do not measure the engine's own limit
    #[arg(long)]
    no_engine_limit: bool,
    /// Also write the figures to a file
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

fn inputs_per_second(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate > 0.0 && rate <= 20.0 => Ok(rate),
        _ => Err("a number above 0, up to 20, is expected".to_owned()),
    }
}

/// Runs the bots and prints what they measured; fails when anything went wrong.
pub(crate) async fn run(args: BotsArgs) -> anyhow::Result<()> {
    // Bots have nothing to lose, and are to measure the realm and not its disk's sync.
    let haven = Haven::new(&args.gateway)?.with_retry(RetryPolicy::patient()).wait_written(false);
    let realm_id = choose_realm(&haven, args.realm).await?;
    let ramp = args.ramp as usize;
    let mut tally = Tally::default();

    let numbers = 1..=args.count;
    let accounts = each(numbers, ramp, "accounts", |number| {
        player::account(haven.clone(), args.prefix.clone(), number)
    });
    let addresses = keep(accounts.await, &mut tally);

    let started = Instant::now();
    let logins = each(addresses, ramp, "logins", |email| player::login(haven.clone(), email));
    let sessions = keep(logins.await, &mut tally);
    let logged_in = (u32::try_from(sessions.len())?, started.elapsed());

    let entries = each(sessions, ramp, "players", |session| player::enter(session, realm_id));
    let players: Vec<Player> = keep(entries.await, &mut tally);

    let played = Duration::from_secs(u64::from(args.seconds));
    play(&args, players, played, &mut tally).await;
    let engine_limit = if args.no_engine_limit {
        None
    } else {
        let spinner = terminal::spinner("measuring the engine's own limit");
        let limit = engine_limit::measure().await?;
        spinner.finish_and_clear();
        Some(limit)
    };
    let report = Report::new(args.count, logged_in, played, tally, engine_limit);
    anstream::print!("{}", report.table());
    if let Some(file) = &args.json {
        let text = serde_json::to_string_pretty(&report.document())?;
        fs::write(file, text).with_context(|| format!("{} cannot be written", file.display()))?;
    }
    ensure!(report.errors_total() == 0, "{} things went wrong", report.errors_total());
    Ok(())
}

async fn choose_realm(haven: &Haven, asked: Option<u16>) -> anyhow::Result<u16> {
    let realms = haven.realms().await?;
    match asked {
        Some(realm_id) if realms.iter().any(|realm| realm.realm_id == realm_id) => Ok(realm_id),
        Some(realm_id) => bail!("there is no realm {realm_id}"),
        None => {
            let mut open = realms.iter().filter(|realm| realm.status == "open");
            match open.next() {
                Some(realm) => Ok(realm.realm_id),
                None => bail!("no realm is open"),
            }
        }
    }
}

/// Does something for each, a few at a time, behind a progress bar.
async fn each<T, R, Work>(
    items: impl IntoIterator<Item = T>,
    at_once: usize,
    what: &'static str,
    work: impl Fn(T) -> Work,
) -> Vec<R>
where
    Work: Future<Output = R>,
{
    let items: Vec<T> = items.into_iter().collect();
    let bar = terminal::progress(items.len() as u64, what);
    let outcomes = stream::iter(items).map(work).buffer_unordered(at_once);
    let outcomes = outcomes.inspect(|_| bar.inc(1)).collect().await;
    bar.finish_and_clear();
    outcomes
}

/// Lets all players play for that long, then leave.
async fn play(args: &BotsArgs, players: Vec<Player>, seconds: Duration, tally: &mut Tally) {
    let courses = Arc::new(Courses::default());
    let interval = Duration::from_secs_f64(1.0 / args.inputs_per_second);
    let bar = terminal::progress(u64::from(args.seconds), "playing");
    let until = Instant::now() + seconds;
    let bots: Vec<_> = players
        .into_iter()
        .map(|player| tokio::spawn(player.play(Arc::clone(&courses), interval, until)))
        .collect();
    count_seconds(&bar, until).await;
    let mut rested = Vec::with_capacity(bots.len());
    for bot in bots {
        match bot.await {
            Ok((bot, counted)) => {
                tally.add(counted);
                rested.push(bot);
            }
            Err(_) => tally.error("a bot's task failed"),
        }
    }
    bar.finish_and_clear();
    let leaving = stream::iter(rested).for_each_concurrent(64, Player::leave);
    if tokio::time::timeout(LEAVE_TIMEOUT, leaving).await.is_err() {
        tally.error("some bots did not leave in time");
    }
}

async fn count_seconds(bar: &ProgressBar, until: Instant) {
    while Instant::now() < until {
        tokio::time::sleep(Duration::from_secs(1).min(until - Instant::now())).await;
        bar.inc(1);
    }
}

/// The good outcomes; the others are counted.
fn keep<T>(outcomes: Vec<Result<T, String>>, tally: &mut Tally) -> Vec<T> {
    let good = |outcome: Result<T, String>| outcome.map_err(|what| tally.error(what)).ok();
    outcomes.into_iter().filter_map(good).collect()
}
