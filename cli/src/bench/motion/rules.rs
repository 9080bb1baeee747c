//! What making a block of land and finding a path take, natively and inside of the database.
//!
//! Keeps true: both do the same work on the same land, and what they find is compared, so that
//! neither can leave anything out; one block or path at a time, each timed by itself.

use std::hint::black_box;
use std::time::Instant;

use anyhow::{Context, ensure};
use haven_gateway::stdb::Args;
use haven_rules::motion::{mix, path};
use haven_rules::world::GroundClass;
use spacetimedb_lib::{SpacetimeType, bsatn};
use tokio::task::yield_now;

use super::case::{Case, WALK_SPEED_MM_PER_S, Way};
use super::check::NativeLand;
use super::stage::Stage;
use super::watch::Watch;
use crate::bench::server::{Target, with_server};
use crate::bots::latency::Latencies;
use crate::signals::StopSignal;

/// Blocks along each edge of the land that blocks are taken from.
const TERRAIN_BLOCKS: u32 = 128;
/// Blocks along each edge of the land that paths lead through.
const PATH_BLOCKS: u32 = 32;
/// How far the ends of a path lie apart at most along each axis and in a straight line,
/// millimetres.
const PATH_MM_MAX: i32 = 500_000;
/// Pairs tried for each that is wanted: one in some ten is open at both ends and connected.
const TRIES: u64 = 100;
/// What chance hangs on.
const SEED: u64 = 7;

/// p50 and p99, milliseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct Measured {
    pub(super) native_ms: [f64; 2],
    pub(super) module_ms: [f64; 2],
}

/// What the module writes after each call.
#[derive(Clone, Debug, SpacetimeType)]
#[sats(crate = spacetimedb_lib)]
struct BenchResult {
    singleton_id: u8,
    calls: u64,
    hash: u64,
}

/// A call to be timed: its arguments and what it is to find.
struct Trial {
    args: Vec<i32>,
    hash: u64,
}

/// Measures blocks and paths on one server: what, and how many of it.
pub(super) async fn measure(
    cases: &[(Case, u32)],
    stop: &mut StopSignal,
    mut done: impl FnMut(Case, u32, Measured),
) -> anyhow::Result<()> {
    let variables = [("HAVEN_WORLD__TERRAIN", String::new())];
    with_server(&variables, stop, async |server| {
        let target = &server.target;
        for (case, count) in cases {
            let blocks = if *case == Case::Path { PATH_BLOCKS } else { TERRAIN_BLOCKS };
            let stage = Stage::open(target, Way::Rewritten, blocks).await?;
            let measured = measure_on(target, &stage, *case, *count).await;
            stage.close().await;
            done(*case, *count, measured?);
        }
        Ok(())
    })
    .await
}

async fn measure_on(
    target: &Target,
    stage: &Stage,
    case: Case,
    count: u32,
) -> anyhow::Result<Measured> {
    stage.lay_out(WALK_SPEED_MM_PER_S).await?;
    if case == Case::Path {
        stage.survey().await?;
        let (native, trials) = find_paths(count).await?;
        Ok(measured(native, time(target, stage, "paths_find", &trials).await?))
    } else {
        let (native, trials) = make_blocks(count).await?;
        Ok(measured(native, time(target, stage, "terrain_make", &trials).await?))
    }
}

/// Makes that many blocks here.
async fn make_blocks(count: u32) -> anyhow::Result<(Latencies, Vec<Trial>)> {
    let land = NativeLand::new(TERRAIN_BLOCKS)?;
    let half = i32::try_from(TERRAIN_BLOCKS / 2)?;
    let (mut took, mut trials) = (Latencies::default(), Vec::new());
    for number in 0..u64::from(count) {
        let (x, y) = two_below(TERRAIN_BLOCKS, number);
        let (block_x, block_y) = (x - half, y - half);
        let began = Instant::now();
        let hash = black_box(land.terrain.block(block_x, block_y).hash());
        took.add(began.elapsed());
        trials.push(Trial { args: vec![block_x, block_y], hash });
        yield_now().await;
    }
    Ok((took, trials))
}

/// Finds that many paths here.
async fn find_paths(count: u32) -> anyhow::Result<(Latencies, Vec<Trial>)> {
    let mut land = NativeLand::new(PATH_BLOCKS)?;
    let pairs = pairs(&mut land, count).await?;
    let (mut took, mut trials) = (Latencies::default(), Vec::new());
    for (from, to) in pairs {
        let began = Instant::now();
        let found = black_box(find(&mut land, from, to));
        took.add(began.elapsed());
        let hash = combine(found.unwrap_or_default().into_iter().map(place_hash));
        trials.push(Trial { args: vec![from.0, from.1, to.0, to.1], hash });
        yield_now().await;
    }
    Ok((took, trials))
}

/// Calls a reducer once for each trial, and compares what it finds.
async fn time(
    target: &Target,
    stage: &Stage,
    reducer: &str,
    trials: &[Trial],
) -> anyhow::Result<Latencies> {
    let mut watch = Watch::open(target, &stage.database, "bench_result").await?;
    let mut took = Latencies::default();
    for trial in trials {
        stage.call(reducer, Args::new().with(&trial.args)).await?;
        let run = watch.next().await?;
        ensure!(&*run.reducer == reducer, "{} ran instead of {reducer}", run.reducer);
        let row: BenchResult = bsatn::from_slice(&run.row).context("an unreadable result")?;
        let same = row.hash == trial.hash;
        ensure!(same, "{reducer} of {:?} finds something else in the database", trial.args);
        took.add(run.took);
    }
    Ok(took)
}

fn measured(mut native: Latencies, mut module: Latencies) -> Measured {
    let ends = |[p50, _, p99]: [f64; 3]| [p50, p99];
    Measured { native_ms: ends(native.percentiles_ms()), module_ms: ends(module.percentiles_ms()) }
}

type Pair = ((i32, i32), (i32, i32));

/// Open places that are connected, or too intricately for a path to be found.
async fn pairs(land: &mut NativeLand, count: u32) -> anyhow::Result<Vec<Pair>> {
    let (wanted, mut pairs) = (count as usize, Vec::new());
    let edge = land.bounds.max_x_mm.unsigned_abs() * 2;
    for number in 0..u64::from(count) * TRIES {
        if pairs.len() == wanted {
            break;
        }
        let (x, y) = two_below(edge, number * 2);
        let (dx, dy) = two_below(PATH_MM_MAX.unsigned_abs() * 2, number * 2 + 1);
        let (dx, dy) = (dx - PATH_MM_MAX, dy - PATH_MM_MAX);
        let from = (x + land.bounds.min_x_mm, y + land.bounds.min_y_mm);
        let to = (from.0 + dx, from.1 + dy);
        let square = |mm: i32| i64::from(mm).pow(2);
        let is_near = square(dx) + square(dy) <= square(PATH_MM_MAX);
        let is_open = |land: &mut NativeLand, at| land.class_at(at) != GroundClass::Blocked;
        if is_near && is_open(land, from) && is_open(land, to) {
            let found = find(land, from, to);
            if found.is_ok() || found == Err(path::PathError::TooComplex) {
                pairs.push((from, to));
            }
        }
        yield_now().await;
    }
    ensure!(pairs.len() == wanted, "only {} pairs of places are connected", pairs.len());
    Ok(pairs)
}

fn find(
    land: &mut NativeLand,
    from: (i32, i32),
    to: (i32, i32),
) -> Result<Vec<(i32, i32)>, path::PathError> {
    let mut rows = |x: i32, y: i32| land.ground(x, y).map(path::open_rows_of);
    path::find(&mut rows, from, to)
}

/// As the module combines what it finds.
fn combine(parts: impl Iterator<Item = u64>) -> u64 {
    parts.fold(0, |hash: u64, part| hash.rotate_left(5) ^ part)
}

fn place_hash((x, y): (i32, i32)) -> u64 {
    (u64::from(x.cast_unsigned()) << 32) | u64::from(y.cast_unsigned())
}

/// Two numbers below a bound, the same for the same number.
fn two_below(bound: u32, number: u64) -> (i32, i32) {
    let mixed = mix(SEED, number);
    let part = |bits: u64| i32::try_from((bits & 0xffff_ffff) % u64::from(bound)).unwrap_or(0);
    (part(mixed), part(mixed >> 32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn pairs_are_near_each_other_and_connected() {
        let mut land = NativeLand::new(4).expect("land");
        for (from, to) in pairs(&mut land, 5).await.expect("pairs") {
            let square = |a: i32, b: i32| (i64::from(a) - i64::from(b)).pow(2);
            let apart = square(from.0, to.0) + square(from.1, to.1);
            assert!(apart <= i64::from(PATH_MM_MAX).pow(2));
            let places = find(&mut land, from, to).expect("a path");
            assert_eq!(places.last(), Some(&to));
        }
    }

    #[test]
    fn what_is_combined_depends_on_its_order() {
        assert_eq!(combine([].into_iter()), 0);
        assert_eq!(combine([7].into_iter()), 7);
        assert_ne!(combine([1, 2].into_iter()), combine([2, 1].into_iter()));
    }
}
