//! Regions: what is known of them from afar, and how many players are in each.
//!
//! Keeps true: `region_count` is right to the moment; `region` follows within
//! `PUBLISH_INTERVAL`, so that a border crossed to and fro is not told to everybody.

use super::land::{bounds_of, terrain_of};
use crate::Refusal;
use crate::authority::require_database;
use crate::sequences;
use haven_rules::sequences::Numbered;
use haven_rules::world::{
    CELL_MM, LandmarkKind, chunk_parts, neighbours, region_index, region_of_block, region_parts,
};
use haven_tables::world::{
    Landmark, Region, RegionCount, landmark, region, region_count, world_config,
};
use spacetimedb::{ReducerContext, ScheduleAt, Table, reducer, table};
use std::time::Duration;

/// How often changed counts are published.
const PUBLISH_INTERVAL: Duration = Duration::from_secs(5);
/// Most regions published at once; the rest waits for the next time.
const PUBLISH_ROWS_MAX: usize = 1_000;

/// The timer of [`region_publish()`].
#[table(name = region_publish_timer, scheduled(region_publish))]
pub struct RegionPublishTimer {
    /// The timer's number.
    #[primary_key]
    #[auto_inc]
    pub scheduled_id: u64,
    /// When it fires.
    pub scheduled_at: ScheduleAt,
}

pub(crate) fn ensure_timers(ctx: &ReducerContext) {
    if ctx.db.region_publish_timer().count() == 0 {
        let scheduled_at = PUBLISH_INTERVAL.into();
        ctx.db.region_publish_timer().insert(RegionPublishTimer { scheduled_id: 0, scheduled_at });
    }
}

/// Publishes how many players are in the regions where that has changed.
///
/// # Errors
/// `realm.database_only` for clients.
#[reducer]
pub fn region_publish(ctx: &ReducerContext, _timer: RegionPublishTimer) -> Result<(), Refusal> {
    require_database(ctx)?;
    let changed: Vec<RegionCount> =
        ctx.db.region_count().by_changed().filter(true).take(PUBLISH_ROWS_MAX).collect();
    for row in changed {
        let RegionCount { region_index, players, .. } = row;
        if let Some(known) = ctx.db.region().region_index().find(region_index) {
            if known.players != players {
                ctx.db.region().region_index().update(Region { players, ..known });
            }
        }
        if players == 0 {
            ctx.db.region_count().region_index().delete(region_index);
        } else {
            let row = RegionCount { is_changed: false, ..row };
            ctx.db.region_count().region_index().update(row);
        }
    }
    Ok(())
}

/// The region of a block.
fn region_of(chunk: u64) -> u64 {
    let (world, block_x, block_y) = chunk_parts(chunk);
    region_index(world, region_of_block(block_x), region_of_block(block_y))
}

/// A player is in a block now; or in another one than before; or in none any more.
pub(crate) fn player_moved(ctx: &ReducerContext, from: Option<u64>, to: Option<u64>) {
    let (from, to) = (from.map(region_of), to.map(region_of));
    if from == to {
        return;
    }
    if let Some(to) = to {
        count(ctx, to, |players| players + 1);
        // Regions are packed as blocks are, so their neighbours are found alike.
        for region in neighbours(to) {
            describe(ctx, region);
        }
    }
    if let Some(from) = from {
        count(ctx, from, |players| players.saturating_sub(1));
    }
}

fn count(ctx: &ReducerContext, region_index: u64, change: impl FnOnce(u32) -> u32) {
    let known = ctx.db.region_count().region_index().find(region_index);
    let players = change(known.as_ref().map_or(0, |row| row.players));
    let row = RegionCount { region_index, players, is_changed: true };
    if known.is_some() {
        ctx.db.region_count().region_index().update(row);
    } else {
        ctx.db.region_count().insert(row);
    }
}

/// Writes down what there is to know of a region, the first time.
fn describe(ctx: &ReducerContext, region_index: u64) {
    if ctx.db.region().region_index().find(region_index).is_some() {
        return;
    }
    let (world, region_x, region_y) = region_parts(region_index);
    let known = terrain_of(ctx, world).map(|(_, terrain)| terrain.region(region_x, region_y));
    let (name, settlements) =
        known.map_or_else(Default::default, |known| (known.name, known.settlements));
    let count = ctx.db.region_count().region_index().find(region_index);
    let players = count.map_or(0, |row| row.players);
    ctx.db.region().insert(Region { region_index, world, players, name });
    let bounds = ctx.db.world_config().world().find(world).map(|config| bounds_of(&config));
    for settlement in settlements {
        let pos_x_mm = settlement.cell_x.saturating_mul(CELL_MM);
        let pos_y_mm = settlement.cell_y.saturating_mul(CELL_MM);
        if bounds.is_none_or(|bounds| !bounds.contains(pos_x_mm, pos_y_mm)) {
            continue;
        }
        ctx.db.landmark().insert(Landmark {
            landmark_id: sequences::next(ctx, Numbered::Landmark),
            region_index,
            pos_x_mm,
            pos_y_mm,
            kind: LandmarkKind::Settlement.code(),
            name: settlement.name,
        });
    }
}

/// Forgets the regions of a world, whose land has changed or which has ended, and answers those
/// that players are in.
pub(crate) fn forget(ctx: &ReducerContext, world: u32) -> Vec<u64> {
    let known: Vec<Region> = ctx.db.region().by_world().filter(world).collect();
    let players = |index| ctx.db.region_count().region_index().find(index).map_or(0, |c| c.players);
    let mut occupied = vec![];
    for row in known {
        ctx.db.landmark().by_region().delete(row.region_index);
        ctx.db.region().region_index().delete(row.region_index);
        if players(row.region_index) > 0 {
            occupied.push(row.region_index);
        }
    }
    occupied
}

/// Describes regions and those around them anew; others are when somebody comes near.
pub(crate) fn describe_around(ctx: &ReducerContext, occupied: Vec<u64>) {
    for region in occupied.into_iter().flat_map(neighbours) {
        describe(ctx, region);
    }
}
