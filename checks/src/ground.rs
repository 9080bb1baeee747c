//! Whether everybody stands where one can stand: rows of motion against land made natively.

use crate::Rule;
use crate::snapshot::{Snapshot, area, instant, number, text};
use haven_rules::motion::{Segment, SegmentEnd};
use haven_rules::world::terrain::{Recipe, Terrain};
use haven_rules::world::{
    Area, BLOCK_CELLS, BlockGround, CELL_MM, GroundClass, block_of_mm, chunk_parts,
};
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::{SystemTime, UNIX_EPOCH};

/// A world as its rows tell it.
struct Land<'a> {
    bounds: Area,
    terrain: Option<Terrain>,
    obstacles: Vec<&'a Value>,
    made: BTreeMap<(i32, i32), BlockGround>,
}

impl Land<'_> {
    fn is_open(&mut self, (x_mm, y_mm): (i32, i32)) -> bool {
        let blocked = |row: &&Value| area(row).contains(x_mm, y_mm);
        if !self.bounds.contains(x_mm, y_mm) || self.obstacles.iter().any(blocked) {
            return false;
        }
        let Some(terrain) = &self.terrain else { return true };
        let block = (block_of_mm(x_mm), block_of_mm(y_mm));
        let ground =
            self.made.entry(block).or_insert_with(|| terrain.block(block.0, block.1).ground);
        let inside = |mm: i32| {
            let cell = mm.div_euclid(CELL_MM).rem_euclid(BLOCK_CELLS);
            usize::try_from(cell).unwrap_or_default()
        };
        ground.class(inside(x_mm), inside(y_mm)) != GroundClass::Blocked
    }
}

fn land(now: &Snapshot, world: u32) -> Option<Land<'_>> {
    let terrain = now.rows("world_terrain").iter().find(|row| row["world"] == world);
    let terrain = terrain.map(|row| {
        let recipe = Recipe::from_toml(text(row, "recipe")).expect("it was read before");
        Terrain::new(number(row, "seed"), recipe)
    });
    let obstacles = now.rows("obstacle").iter();
    let here = |row: &&Value| chunk_parts(number(row, "chunk_index")).0 == world;
    let obstacles = obstacles.filter(here).collect();
    Some(Land { bounds: now.bounds(world)?, terrain, obstacles, made: BTreeMap::new() })
}

/// Nobody is where nobody can be.
pub(crate) const RULE: Rule = ("everybody stands where one can stand", strays);

/// Looks at everybody where the segment starts, where it is now and where it ends.
fn strays(now: &Snapshot) -> Vec<String> {
    let mut lands = BTreeMap::new();
    let mut found = vec![];
    let at = now_micros();
    for row in now.rows("motion") {
        let world = chunk_parts(number(row, "chunk_index")).0;
        let Some(land) = lands.entry(world).or_insert_with(|| land(now, world)) else { continue };
        let segment = segment(row);
        let instants = [segment.started_at_micros, at, segment.ends_at_micros];
        if !instants.into_iter().all(|at| land.is_open(segment.position_at(at))) {
            found.push(row.to_string());
        }
    }
    found
}

fn now_micros() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

/// The segment of a motion row.
///
/// # Panics
/// It is no row of `motion`.
pub fn segment(row: &Value) -> Segment {
    let number =
        |column: &str| i32::try_from(row[column].as_i64().expect("a number")).expect("it fits");
    Segment {
        started_at_micros: instant(row, "started_at"),
        ends_at_micros: instant(row, "ends_at"),
        pos_x_mm: number("pos_x_mm"),
        pos_y_mm: number("pos_y_mm"),
        vel_x_mm_per_s: number("vel_x_mm_per_s"),
        vel_y_mm_per_s: number("vel_y_mm_per_s"),
        end: SegmentEnd::from_code(u8::try_from(number("end_kind")).expect("it fits")),
    }
}
