//! Surveying: land is made ahead of need, around the blocks that players come to.
//!
//! Keeps true: a run makes at most `RUN_BLOCKS_MAX` blocks, however many wait; what is surveyed
//! once stays. So whoever looks for a path finds the land around known, and nobody waits for more
//! than a block or two.

use super::blocks;
use super::land::{Land, terrain_of};
use crate::authority::{require_database, require_room};
use crate::{Refusal, npcs};
use haven_rules::world::{SURVEY_RADIUS_BLOCKS, chunk_index, chunk_parts};
use haven_tables::world::{SurveyRequest, survey_request};
use spacetimedb::{ReducerContext, ScheduleAt, Table, TimeDuration, reducer, table};

/// How often land is surveyed, microseconds.
const INTERVAL_MICROS: i64 = 50_000;
/// Most blocks made in one run: some milliseconds.
const RUN_BLOCKS_MAX: u32 = 1;
/// Most blocks looked at in one run.
const RUN_LOOKS_MAX: u32 = 500;
/// Most blocks waiting to be surveyed around; further ones are left to whoever needs them.
const REQUESTS_MAX: u64 = 4_096;

/// The timer of [`world_survey_run()`]. There is none while no land is asked for.
#[table(name = world_survey_timer, scheduled(world_survey_run))]
pub struct WorldSurveyTimer {
    /// The timer's number.
    #[primary_key]
    #[auto_inc]
    pub scheduled_id: u64,
    /// When it fires.
    pub scheduled_at: ScheduleAt,
}

pub(crate) fn ensure_timers(ctx: &ReducerContext) {
    if ctx.db.world_survey_timer().count() == 0 {
        let scheduled_at = TimeDuration::from_micros(INTERVAL_MICROS).into();
        ctx.db.world_survey_timer().insert(WorldSurveyTimer { scheduled_id: 0, scheduled_at });
    }
}

/// Asks for the land around a block, if some of it is not known yet.
pub(crate) fn request(ctx: &ReducerContext, chunk_index: u64) {
    let (world, block_x, block_y) = chunk_parts(chunk_index);
    let Ok(land) = Land::new(ctx, world) else { return };
    let mut around = spiral().map(|(dx, dy)| (block_x + dx, block_y + dy));
    let wanted = around.any(|(x, y)| land.has(x, y) && !land.is_known(x, y))
        && terrain_of(ctx, world).is_some()
        && ctx.db.survey_request().count() < REQUESTS_MAX
        && ctx.db.survey_request().chunk_index().find(chunk_index).is_none();
    if wanted {
        ctx.db.survey_request().insert(SurveyRequest { chunk_index, done: 0 });
        ensure_timers(ctx);
    }
}

/// Makes a block of the land that was asked for. 20 times a second until all of it is made.
///
/// # Errors
/// `realm.database_only` for clients.
#[reducer]
pub fn world_survey_run(ctx: &ReducerContext, timer: WorldSurveyTimer) -> Result<(), Refusal> {
    require_database(ctx)?;
    if require_room(ctx).is_err() {
        return Ok(());
    }
    let mut looks = 0;
    while looks < RUN_LOOKS_MAX {
        let Some(request) = first_request(ctx) else {
            ctx.db.world_survey_timer().scheduled_id().delete(timer.scheduled_id);
            return Ok(());
        };
        let (world, block_x, block_y) = chunk_parts(request.chunk_index);
        let land = Land::new(ctx, world).ok().filter(|_| terrain_of(ctx, world).is_some());
        let Some(mut land) = land else {
            ctx.db.survey_request().chunk_index().delete(request.chunk_index);
            return Ok(());
        };
        let mut done = request.done;
        for (dx, dy) in spiral().skip(usize::try_from(request.done).unwrap_or(usize::MAX)) {
            if looks >= RUN_LOOKS_MAX || land.made >= RUN_BLOCKS_MAX {
                break;
            }
            looks += 1;
            done += 1;
            let (x, y) = (block_x + dx, block_y + dy);
            if !land.is_known(x, y) {
                land.block(x, y);
            }
            // Its camps could not be placed when somebody came near before it was made.
            let chunk = chunk_index(world, x, y);
            if dx.abs().max(dy.abs()) <= 1 && blocks::is_watched(ctx, chunk) {
                npcs::block_watched(ctx, chunk);
            }
        }
        if spiral().count() <= usize::try_from(done).unwrap_or(usize::MAX) {
            ctx.db.survey_request().chunk_index().delete(request.chunk_index);
        } else {
            ctx.db.survey_request().chunk_index().update(SurveyRequest { done, ..request });
        }
        if land.made >= RUN_BLOCKS_MAX {
            return Ok(());
        }
    }
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "bounded by the one row that is taken")]
fn first_request(ctx: &ReducerContext) -> Option<SurveyRequest> {
    ctx.db.survey_request().iter().next()
}

/// Blocks around one, nearest rings first.
fn spiral() -> impl Iterator<Item = (i32, i32)> {
    (0..=SURVEY_RADIUS_BLOCKS).flat_map(|ring| {
        let square = (-ring..=ring).flat_map(move |x| (-ring..=ring).map(move |y| (x, y)));
        square.filter(move |(x, y)| x.abs().max(y.abs()) == ring)
    })
}
