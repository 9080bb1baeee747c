//! Whether everybody is where he may be: rows of `motion` against land made natively.
//!
//! Keeps true: each row is looked at where its segment starts, where it is now and where it ends;
//! the land is made by this process and not read from the database.

use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Context;
use haven_client_sdk::module_bindings::Motion;
use haven_rules::motion::{Segment, SegmentEnd};
use haven_rules::world::terrain::{OPEN_SEED, Recipe, Terrain};
use haven_rules::world::{
    Area, BLOCK_CELLS, BLOCK_MM, BlockGround, CELL_MM, GroundClass, block_of_mm,
};
use spacetimedb_client_api_messages::websocket::BsatnRowList;
use spacetimedb_lib::bsatn;
use tokio::task::yield_now;

use super::stage::recipe;

/// Rows that are looked at before somebody else may run.
const ROWS_AT_ONCE: u64 = 64;

/// What came of looking.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Checked {
    /// Rows that were looked at.
    pub(super) rows: u64,
    /// Rows that break a rule, by which.
    pub(super) violations: BTreeMap<String, u64>,
}

/// The shipped land as far as it was needed, with a world's edges around it.
pub(super) struct NativeLand {
    pub(super) terrain: Terrain,
    pub(super) bounds: Area,
    grounds: BTreeMap<(i32, i32), BlockGround>,
}

impl NativeLand {
    /// Land of that many blocks along each edge, around the origin.
    pub(super) fn new(blocks: u32) -> anyhow::Result<Self> {
        let recipe = Recipe::from_toml(recipe()).context("the shipped recipe")?;
        let half_mm = i32::try_from(blocks / 2)? * BLOCK_MM;
        let bounds =
            Area { min_x_mm: -half_mm, min_y_mm: -half_mm, max_x_mm: half_mm, max_y_mm: half_mm };
        let terrain = Terrain::new(OPEN_SEED, recipe);
        Ok(Self { terrain, bounds, grounds: BTreeMap::new() })
    }

    /// The ground of a block; none outside of the world.
    pub(super) fn ground(&mut self, block_x: i32, block_y: i32) -> Option<&BlockGround> {
        let corner = (block_x.checked_mul(BLOCK_MM)?, block_y.checked_mul(BLOCK_MM)?);
        if !self.bounds.contains(corner.0, corner.1) {
            return None;
        }
        let made = || self.terrain.block(block_x, block_y).ground;
        Some(self.grounds.entry((block_x, block_y)).or_insert_with(made))
    }

    /// What the ground is like at a position; blocked outside of the world.
    pub(super) fn class_at(&mut self, (x_mm, y_mm): (i32, i32)) -> GroundClass {
        let inside = |mm: i32| {
            let cell = mm.div_euclid(CELL_MM).rem_euclid(BLOCK_CELLS);
            usize::try_from(cell).unwrap_or(0)
        };
        let ground = self.ground(block_of_mm(x_mm), block_of_mm(y_mm));
        ground.map_or(GroundClass::Blocked, |ground| ground.class(inside(x_mm), inside(y_mm)))
    }
}

/// Looks at all rows of a world of that many blocks, in which nobody is faster than that.
pub(super) async fn check(
    rows: &BsatnRowList,
    blocks: u32,
    speed_mm_per_s: i32,
) -> anyhow::Result<Checked> {
    let mut land = NativeLand::new(blocks)?;
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros())?;
    let mut checked = Checked::default();
    for row in rows {
        let row: Motion = bsatn::from_slice(&row).context("a row of motion cannot be read")?;
        if let Some(violation) = violation_of(&row, now, speed_mm_per_s, &mut land) {
            *checked.violations.entry(violation.to_owned()).or_default() += 1;
        }
        checked.rows += 1;
        if checked.rows.is_multiple_of(ROWS_AT_ONCE) {
            yield_now().await;
        }
    }
    Ok(checked)
}

fn violation_of(
    row: &Motion,
    now: i64,
    speed_mm_per_s: i32,
    land: &mut NativeLand,
) -> Option<&'static str> {
    let square = |speed: i32| i64::from(speed).pow(2);
    if square(row.vel_x_mm_per_s) + square(row.vel_y_mm_per_s) > square(speed_mm_per_s) {
        return Some("walkers faster than they can walk");
    }
    let segment = segment_of(row);
    for at in [segment.started_at_micros, now, segment.ends_at_micros] {
        let place = segment.position_at(at);
        if !land.bounds.contains(place.0, place.1) {
            return Some("walkers outside of the world");
        }
        if land.class_at(place) == GroundClass::Blocked {
            return Some("walkers in a blocked cell");
        }
    }
    None
}

fn segment_of(row: &Motion) -> Segment {
    Segment {
        started_at_micros: row.started_at.to_micros_since_unix_epoch(),
        ends_at_micros: row.ends_at.to_micros_since_unix_epoch(),
        pos_x_mm: row.pos_x_mm,
        pos_y_mm: row.pos_y_mm,
        vel_x_mm_per_s: row.vel_x_mm_per_s,
        vel_y_mm_per_s: row.vel_y_mm_per_s,
        end: SegmentEnd::from_code(row.end_kind),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use spacetimedb_lib::Timestamp;

    fn row(place: (i32, i32), velocity: (i32, i32)) -> Motion {
        Motion {
            entity_id: 1,
            chunk_index: 0,
            started_at: Timestamp::from_micros_since_unix_epoch(1_000_000),
            ends_at: Timestamp::from_micros_since_unix_epoch(2_000_000),
            pos_x_mm: place.0,
            pos_y_mm: place.1,
            vel_x_mm_per_s: velocity.0,
            vel_y_mm_per_s: velocity.1,
            course_number: 1,
            input_number: 0,
            end_kind: 1,
        }
    }

    #[test]
    fn who_breaks_a_rule_is_found() {
        let mut land = NativeLand::new(4).expect("land");
        let edge = land.bounds.max_x_mm;
        let cells = (-128..128).flat_map(|y| (-128..128).map(move |x| (x, y)));
        let mut places = cells.map(|(x, y)| (x * CELL_MM + 500, y * CELL_MM + 500));
        let blocked = places.find(|place| land.class_at(*place) == GroundClass::Blocked);
        let blocked = blocked.expect("something in the way");
        let mut check = |row: &Motion, expected: Option<&str>| {
            assert_eq!(violation_of(row, 1_500_000, 1_800, &mut land), expected, "{row:?}");
        };
        check(&row((4_500, 4_500), (0, 0)), None);
        check(&row((4_500, 4_500), (1_800, 0)), None);
        check(&row((4_500, 4_500), (1_800, 1)), Some("walkers faster than they can walk"));
        check(&row((edge, 0), (0, 0)), Some("walkers outside of the world"));
        check(&row(blocked, (0, 0)), Some("walkers in a blocked cell"));
    }
}
