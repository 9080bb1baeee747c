//! `haven torture`: what a server must bear, done to one of its own, and what must hold after.
//!
//! Keeps true: everything happens to servers that it starts on this machine, in directories that it
//! removes; what is done, and when, follows from a seed that is printed; after each fault all rows
//! are checked, and everything that players were told.

mod abuse;
mod backup;
mod bystanders;
mod clock;
mod commands;
mod disk;
mod economy;
mod kill;
mod ledger;
mod overload;
mod pause;
mod players;
mod raw;
mod restarts;
mod site;
mod tail;
mod upgrade;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use clap::{Args, ValueEnum};
use rand::SeedableRng as _;
use rand::rngs::StdRng;

use self::ledger::{Audit, Ledger};
use self::players::{Counts, Crowd};
use self::site::{Reach, Site, ensure_sound};
use crate::signals::StopSignal;
use crate::terminal;

/// Longest a killed server may take until it is ready again.
const READY_MAX: Duration = Duration::from_secs(2);
/// Do to a server what it must bear, and check what must hold
///
/// Each fault happens to servers of its own, on ports that are free and in temporary directories,
/// while players play who keep account of everything they were told. After each, all rows are
/// checked against the rules of every domain and against what players were told.
///
/// A run's seed is printed. With the same seed the same is done at the same moments; how the
/// machine's threads take turns is not in the seed. Nothing else should run meanwhile.
#[derive(Debug, Args)]
pub(crate) struct TortureArgs {
    /// What is done [default: all of it, one after the other]
    #[arg(value_name = "FAULT")]
    faults: Vec<Fault>,
    /// What chance follows from [default: another one each time]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,
    /// A few of everything, with 20 players, within 3 minutes; times are told and not judged
    #[arg(long)]
    short: bool,
    /// How many play [default: 200]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1_000))]
    players: Option<u32>,
    /// How often `kill` kills the server; `overload` does a quarter of that [default: 200]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    kills: Option<u32>,
    /// A small disk that is mounted there, for `disk`: it starts itself so
    #[arg(long, value_name = "DIR", hide = true)]
    disk: Option<PathBuf>,
}

/// What can be done to a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Fault {
    /// SIGKILL at random moments, under load
    Kill,
    /// SIGKILL at random moments, under three times the load the machine can carry
    Overload,
    /// A log that is torn, zeroed or overwritten behind its last sync
    Tail,
    /// A disk that others fill, slowly and at once
    Disk,
    /// A server, and clients, that stand still for seconds
    Pause,
    /// A clock that jumps
    Clock,
    /// Commands dropped, reordered and repeated
    Commands,
    /// Goods and coins of many who deal, half of it hostile or repeated, and SIGKILL
    Economy,
    /// Everything one caller can do at once, with bystanders who play
    Abuse,
    /// Host and gateway ended and started in any order
    Restarts,
    /// Backups under load, restored and compared row by row
    Backup,
    /// A module published while all play
    Upgrade,
}

impl Fault {
    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }
}

/// How much of it.
#[derive(Clone, Copy, Debug)]
struct Extent {
    seed: u64,
    is_short: bool,
    players: u32,
    kills: u32,
}

impl Extent {
    /// Chance for one fault.
    fn chance(&self, fault: Fault) -> StdRng {
        StdRng::seed_from_u64(self.seed.wrapping_add(fault as u64 + 1))
    }
}

/// A line of what was found.
type Findings = String;

/// Runs the faults in order; the first that breaks something ends it.
pub(crate) async fn run(args: TortureArgs) -> anyhow::Result<()> {
    hush_connections();
    let mut stop = StopSignal::catch()?;
    let seed = args.seed.unwrap_or_else(|| u64::from(rand::random::<u32>()));
    let (players, kills) = if args.short { (20, 4) } else { (200, 200) };
    let extent = Extent {
        seed,
        is_short: args.short,
        players: args.players.unwrap_or(players),
        kills: args.kills.unwrap_or(kills),
    };
    let faults = if args.faults.is_empty() { Fault::value_variants() } else { &*args.faults };
    if let Some(disk) = &args.disk {
        anstream::println!("{}", torture(Fault::Disk, extent, Some(disk)).await?);
        return Ok(());
    }
    terminal::note(&format!("seed {seed}"));
    for &fault in faults {
        let began = Instant::now();
        let spinner = terminal::spinner(fault.name());
        let outcome = tokio::select! {
            outcome = torture(fault, extent, None) => outcome,
            () = stop.wait() => bail!("interrupted"),
        };
        spinner.finish_and_clear();
        let name = fault.name();
        match outcome {
            Ok(findings) => {
                let seconds = began.elapsed().as_secs();
                terminal::done(&format!("{name:<9} {findings} ({seconds} s)"));
            }
            Err(error) => bail!("{error:#} (again: haven torture {name} --seed {seed})"),
        }
    }
    Ok(())
}

/// A connection of a player panics in a task of its own when it ends while something is sent; what
/// holds it makes an error of that. At a kill there are hundreds, and looking up where each comes
/// from takes the cores that the server needs to start.
fn hush_connections() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let place = panic.location().map_or("", |place| place.file());
        if !place.contains("spacetimedb-sdk-") {
            usual(panic);
        }
    }));
}

async fn torture(fault: Fault, extent: Extent, disk: Option<&Path>) -> anyhow::Result<Findings> {
    let chance = extent.chance(fault);
    match fault {
        Fault::Kill => kill::run(extent, chance).await,
        Fault::Overload => overload::run(extent, chance).await,
        Fault::Tail => tail::run(extent, chance).await,
        Fault::Disk => disk::run(extent, disk).await,
        Fault::Pause => pause::run(extent, chance).await,
        Fault::Clock => clock::run(extent, chance).await,
        Fault::Commands => commands::run(extent, chance).await,
        Fault::Economy => economy::run(extent, chance).await,
        Fault::Abuse => abuse::run(extent).await,
        Fault::Restarts => restarts::run(extent, chance).await,
        Fault::Backup => backup::run(extent, chance).await,
        Fault::Upgrade => upgrade::run(extent).await,
    }
}

/// Checks everything while players play on.
async fn audit(reach: &Reach, crowd: &Crowd) -> anyhow::Result<Audit> {
    crowd.counts.ensure_none_strange()?;
    let before = crowd.ledger.page();
    let now = reach.snapshot().await?;
    ensure_sound(&now)?;
    crowd.ledger.audit(&before, &now)
}

/// Checks everything when nobody plays any more; how many commands were told as written.
async fn audit_end(reach: &Reach, ledger: &Ledger) -> anyhow::Result<u64> {
    let now = reach.snapshot().await?;
    ensure_sound(&now)?;
    Ok(ledger.audit(&ledger.page(), &now)?.kept)
}

/// Lets the players go, and kills the server once more, so that only what is on disk counts; how
/// many commands were told as written, and what was counted.
async fn finish(mut site: Site, crowd: Crowd) -> anyhow::Result<(u64, Arc<Counts>)> {
    let (ledger, counts) = crowd.dismiss().await?;
    site.kill().await?;
    site.start().await?;
    let kept = audit_end(&site.reach, &ledger).await?;
    site.stop().await?;
    Ok((kept, counts))
}

/// Whether a killed server was ready again in time, each time. A short form runs where the machine
/// has other work.
fn in_time(ready: &[Duration], extent: Extent) -> anyhow::Result<()> {
    let slowest = ready.iter().max().copied().unwrap_or_default();
    ensure!(extent.is_short || slowest <= READY_MAX, "it took {slowest:?} to be ready again");
    Ok(())
}

/// Durations as their median and largest, seconds.
fn spread(durations: &mut [Duration]) -> String {
    durations.sort_unstable();
    let (Some(most), middle) = (durations.last(), durations.len() / 2) else {
        return "never".to_owned();
    };
    format!("p50 {:.2} s, at most {:.2} s", durations[middle].as_secs_f64(), most.as_secs_f64())
}
