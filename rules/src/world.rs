//! The grid of the world, its bounds and its obstacles.
//!
//! `World → Block (64×64 cells) → Cell (1 m) → millimetre`. Keeps true: every position has just
//! one cell, one block and one `chunk_index`, and obstacles are whole cells.

use crate::errors::domain_errors;

mod ground;
pub mod region;
pub mod terrain;

pub use ground::{BlockGround, GROUND_BYTES, GroundClass};
pub use region::*;

/// A cell's edge, millimetres.
pub const CELL_MM: i32 = 1_000;
/// A block's edge, cells.
pub const BLOCK_CELLS: i32 = 64;
/// A block's edge, millimetres.
pub const BLOCK_MM: i32 = BLOCK_CELLS * CELL_MM;
/// Blocks reach from `-BLOCK_BOUND` to `BLOCK_BOUND - 1`: as far as millimetres fit an `i32`.
pub const BLOCK_BOUND: i32 = 32_768;
/// The open world.
pub const OPEN_WORLD: u32 = 0;
/// Fastest speed a world may be configured with, millimetres per second.
pub const SPEED_MAX_MM_PER_S: i32 = 50_000;
/// Most obstacles one world may be configured with.
pub const OBSTACLES_MAX: usize = 4_096;
/// Widest and tallest obstacle, cells.
pub const OBSTACLE_CELLS_MAX: u32 = 256;
/// Most blocks that one call may survey.
pub const SURVEY_BLOCKS_MAX: u32 = 64;
/// How far around a player land is made ahead of need, blocks.
pub const SURVEY_RADIUS_BLOCKS: i32 = 5;

domain_errors! {
    /// Why a world was not configured.
    WorldError {
        Unknown = 400, "world.unknown", "there is no such world";
        BoundsInvalid = 401, "world.bounds_invalid", "a world spans at least one block within ±32768";
        SpeedInvalid = 402, "world.speed_invalid", "speeds are 2 to 50000 mm/s, running at least walking";
        ObstaclesTooMany = 403, "world.obstacles_too_many", "a world has at most 4096 obstacles";
        ObstacleInvalid = 404, "world.obstacle_invalid", "an obstacle is 1 to 256 cells wide and inside";
        SpawnInvalid = 405, "world.spawn_invalid", "the spawn lies inside the world and in no obstacle";
        RecipeInvalid = 406, "world.recipe_invalid", "the terrain's recipe cannot be read, or nobody could stand at the spawn";
        SurveyInvalid = 407, "world.survey_invalid", "1 to 64 blocks inside the world are surveyed at once";
    }
}

/// What can stand in a world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum EntityKind {
    /// A player's character.
    Character = 1,
    /// A creature that walks about.
    Wanderer = 2,
    /// A creature that can fight.
    Creature = 3,
}

impl EntityKind {
    /// The number that stands in rows.
    pub const fn code(self) -> u8 {
        self as u8
    }
}

/// What can be seen from afar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum LandmarkKind {
    /// A village or a town.
    Settlement = 1,
}

impl LandmarkKind {
    /// The number that stands in rows.
    pub const fn code(self) -> u8 {
        self as u8
    }
}

/// The cell coordinate of a millimetre, rounding down.
pub const fn cell_of_mm(mm: i32) -> i32 {
    mm.div_euclid(CELL_MM)
}

/// The block coordinate of a millimetre, rounding down.
pub const fn block_of_mm(mm: i32) -> i32 {
    mm.div_euclid(BLOCK_MM)
}

/// The block coordinate of a cell, rounding down.
pub const fn block_of_cell(cell: i32) -> i32 {
    cell.div_euclid(BLOCK_CELLS)
}

/// The packed key of a block: world in the upper 32 bits, then biased x and y, 16 bits each.
/// Block coordinates outside of ±32768 wrap; positions in `i32` millimetres that lie in a world
/// never get there.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the low 16 bits are what the key holds"
)]
pub const fn chunk_index(world: u32, block_x: i32, block_y: i32) -> u64 {
    let biased_x = block_x.wrapping_add(BLOCK_BOUND) as u16;
    let biased_y = block_y.wrapping_add(BLOCK_BOUND) as u16;
    ((world as u64) << 32) | ((biased_x as u64) << 16) | biased_y as u64
}

/// World, block x and block y of a packed key.
pub const fn chunk_parts(chunk_index: u64) -> (u32, i32, i32) {
    let block_x = ((chunk_index >> 16) & 0xffff) as i32 - BLOCK_BOUND;
    let block_y = (chunk_index & 0xffff) as i32 - BLOCK_BOUND;
    ((chunk_index >> 32) as u32, block_x, block_y)
}

/// The packed key of the block a position lies in.
pub const fn chunk_of(world: u32, x_mm: i32, y_mm: i32) -> u64 {
    chunk_index(world, block_of_mm(x_mm), block_of_mm(y_mm))
}

/// The 3×3 blocks around and including one, less those beyond the grid; sorted.
pub fn neighbours(chunk: u64) -> Vec<u64> {
    let (world, block_x, block_y) = chunk_parts(chunk);
    let inside = |block: i32| (-BLOCK_BOUND..BLOCK_BOUND).contains(&block);
    let mut ring = Vec::with_capacity(9);
    for x in (block_x - 1..=block_x + 1).filter(|x| inside(*x)) {
        for y in (block_y - 1..=block_y + 1).filter(|y| inside(*y)) {
            ring.push(chunk_index(world, x, y));
        }
    }
    ring
}

/// A rectangle of millimetres: minimum inclusive, maximum exclusive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Area {
    /// Westernmost millimetre.
    pub min_x_mm: i32,
    /// Southernmost millimetre.
    pub min_y_mm: i32,
    /// First millimetre to the east of it.
    pub max_x_mm: i32,
    /// First millimetre to the north of it.
    pub max_y_mm: i32,
}

impl Area {
    /// Whether the position lies in it.
    pub const fn contains(&self, x_mm: i32, y_mm: i32) -> bool {
        self.min_x_mm <= x_mm
            && x_mm < self.max_x_mm
            && self.min_y_mm <= y_mm
            && y_mm < self.max_y_mm
    }

    /// The nearest position inside.
    pub fn clamp(&self, x_mm: i32, y_mm: i32) -> (i32, i32) {
        (x_mm.clamp(self.min_x_mm, self.max_x_mm - 1), y_mm.clamp(self.min_y_mm, self.max_y_mm - 1))
    }
}

/// A rectangle of cells that nothing can enter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CellRect {
    /// Its westernmost cell.
    pub cell_x: i32,
    /// Its southernmost cell.
    pub cell_y: i32,
    /// How many cells wide, 1 to [`OBSTACLE_CELLS_MAX`].
    pub width_cells: u32,
    /// How many cells high, 1 to [`OBSTACLE_CELLS_MAX`].
    pub height_cells: u32,
}

/// A world as it is configured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorldPlan {
    /// Westernmost block.
    pub min_block_x: i32,
    /// Southernmost block.
    pub min_block_y: i32,
    /// First block to the east of it.
    pub max_block_x: i32,
    /// First block to the north of it.
    pub max_block_y: i32,
    /// Where characters enter, millimetres.
    pub spawn_x_mm: i32,
    /// Where characters enter, millimetres.
    pub spawn_y_mm: i32,
    /// Walking speed, millimetres per second.
    pub walk_speed_mm_per_s: i32,
    /// Running speed, millimetres per second.
    pub run_speed_mm_per_s: i32,
    /// What stands in the way.
    pub obstacles: Vec<CellRect>,
}

/// Decides whether a world can be, and answers its bounds and its obstacles cut at block borders.
///
/// # Errors
/// In this order: `BoundsInvalid`, `SpeedInvalid`, `ObstaclesTooMany`, `ObstacleInvalid`,
/// `SpawnInvalid`.
pub fn validate_world(plan: &WorldPlan) -> Result<(Area, Vec<(u64, Area)>), WorldError> {
    let bounds = bounds_of(plan).ok_or(WorldError::BoundsInvalid)?;
    let speeds = plan.walk_speed_mm_per_s..=plan.run_speed_mm_per_s;
    if *speeds.start() < 2 || *speeds.end() > SPEED_MAX_MM_PER_S || speeds.is_empty() {
        return Err(WorldError::SpeedInvalid);
    }
    if plan.obstacles.len() > OBSTACLES_MAX {
        return Err(WorldError::ObstaclesTooMany);
    }
    let mut cut = Vec::new();
    for obstacle in &plan.obstacles {
        let area = area_of(obstacle, &bounds).ok_or(WorldError::ObstacleInvalid)?;
        cut_at_blocks(&area, &mut cut);
    }
    let spawn_blocked = cut.iter().any(|(_, area)| area.contains(plan.spawn_x_mm, plan.spawn_y_mm));
    if spawn_blocked || !bounds.contains(plan.spawn_x_mm, plan.spawn_y_mm) {
        return Err(WorldError::SpawnInvalid);
    }
    Ok((bounds, cut))
}

fn bounds_of(plan: &WorldPlan) -> Option<Area> {
    // One block less than the grid, so that a millimetre beyond the world still fits an `i32`.
    let valid = |min: i32, max: i32| -BLOCK_BOUND < min && min < max && max < BLOCK_BOUND;
    if !valid(plan.min_block_x, plan.max_block_x) || !valid(plan.min_block_y, plan.max_block_y) {
        return None;
    }
    Some(Area {
        min_x_mm: plan.min_block_x.checked_mul(BLOCK_MM)?,
        min_y_mm: plan.min_block_y.checked_mul(BLOCK_MM)?,
        max_x_mm: plan.max_block_x.checked_mul(BLOCK_MM)?,
        max_y_mm: plan.max_block_y.checked_mul(BLOCK_MM)?,
    })
}

fn area_of(rect: &CellRect, bounds: &Area) -> Option<Area> {
    let sizes = 1..=OBSTACLE_CELLS_MAX;
    if !sizes.contains(&rect.width_cells) || !sizes.contains(&rect.height_cells) {
        return None;
    }
    let min_x_mm = rect.cell_x.checked_mul(CELL_MM)?;
    let min_y_mm = rect.cell_y.checked_mul(CELL_MM)?;
    let max_x_mm = min_x_mm.checked_add(i32::try_from(rect.width_cells).ok()? * CELL_MM)?;
    let max_y_mm = min_y_mm.checked_add(i32::try_from(rect.height_cells).ok()? * CELL_MM)?;
    let inside = bounds.contains(min_x_mm, min_y_mm) && bounds.contains(max_x_mm - 1, max_y_mm - 1);
    inside.then_some(Area { min_x_mm, min_y_mm, max_x_mm, max_y_mm })
}

fn cut_at_blocks(area: &Area, cut: &mut Vec<(u64, Area)>) {
    for block_x in block_of_mm(area.min_x_mm)..=block_of_mm(area.max_x_mm - 1) {
        for block_y in block_of_mm(area.min_y_mm)..=block_of_mm(area.max_y_mm - 1) {
            let piece = Area {
                min_x_mm: area.min_x_mm.max(block_x * BLOCK_MM),
                min_y_mm: area.min_y_mm.max(block_y * BLOCK_MM),
                max_x_mm: area.max_x_mm.min((block_x + 1) * BLOCK_MM),
                max_y_mm: area.max_y_mm.min((block_y + 1) * BLOCK_MM),
            };
            cut.push((chunk_index(OPEN_WORLD, block_x, block_y), piece));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plan() -> WorldPlan {
        WorldPlan {
            min_block_x: -2,
            min_block_y: -2,
            max_block_x: 2,
            max_block_y: 2,
            spawn_x_mm: 0,
            spawn_y_mm: 0,
            walk_speed_mm_per_s: 1_500,
            run_speed_mm_per_s: 5_000,
            obstacles: vec![],
        }
    }

    fn check(change: impl FnOnce(&mut WorldPlan), expected: Option<WorldError>) {
        let mut plan = plan();
        change(&mut plan);
        assert_eq!(validate_world(&plan).err(), expected, "{plan:?}");
    }

    #[test]
    fn a_world_must_be_possible() {
        let rock = CellRect { cell_x: 3, cell_y: 3, width_cells: 2, height_cells: 1 };
        check(|plan| plan.obstacles.push(rock), None);
        check(|plan| plan.max_block_x = -2, Some(WorldError::BoundsInvalid));
        check(|plan| plan.min_block_y = i32::MIN, Some(WorldError::BoundsInvalid));
        check(|plan| plan.max_block_y = BLOCK_BOUND, Some(WorldError::BoundsInvalid));
        check(|plan| plan.walk_speed_mm_per_s = 1, Some(WorldError::SpeedInvalid));
        check(|plan| plan.run_speed_mm_per_s = 1_499, Some(WorldError::SpeedInvalid));
        check(|plan| plan.run_speed_mm_per_s = i32::MAX, Some(WorldError::SpeedInvalid));
        check(|plan| plan.obstacles = vec![rock; 4_097], Some(WorldError::ObstaclesTooMany));
        for rect in [
            CellRect { width_cells: 0, ..rock },
            CellRect { height_cells: 257, ..rock },
            CellRect { cell_x: 127, ..rock },
            CellRect { cell_x: i32::MAX, ..rock },
            CellRect { cell_y: i32::MIN, ..rock },
        ] {
            check(|plan| plan.obstacles.push(rect), Some(WorldError::ObstacleInvalid));
        }
        check(|plan| plan.spawn_x_mm = 128_000, Some(WorldError::SpawnInvalid));
        check(
            |plan| {
                plan.obstacles.push(rock);
                (plan.spawn_x_mm, plan.spawn_y_mm) = (3_500, 3_500);
            },
            Some(WorldError::SpawnInvalid),
        );
    }

    #[test]
    fn errors_are_checked_in_their_order() {
        let rock = CellRect { cell_x: 3, cell_y: 3, width_cells: 0, height_cells: 1 };
        let mut plan = WorldPlan {
            max_block_x: i32::MAX,
            run_speed_mm_per_s: 0,
            spawn_x_mm: i32::MAX,
            obstacles: vec![rock; OBSTACLES_MAX + 1],
            ..plan()
        };
        let mut found = vec![WorldError::Unknown];
        for mend in [
            |plan: &mut WorldPlan| plan.max_block_x = 2,
            |plan: &mut WorldPlan| plan.run_speed_mm_per_s = 5_000,
            |plan: &mut WorldPlan| plan.obstacles.truncate(1),
            |plan: &mut WorldPlan| plan.obstacles.clear(),
            |plan: &mut WorldPlan| plan.spawn_x_mm = 0,
        ] {
            found.extend(validate_world(&plan).err());
            mend(&mut plan);
        }
        assert_eq!(found, WorldError::ALL[..6]);
        assert!(validate_world(&plan).is_ok());
    }

    #[test]
    fn the_widest_world_fits() {
        check(
            |plan| {
                plan.min_block_x = 1 - BLOCK_BOUND;
                plan.max_block_x = BLOCK_BOUND - 1;
            },
            None,
        );
    }

    #[test]
    fn obstacles_are_cut_at_block_borders() {
        let mut plan = plan();
        plan.spawn_x_mm = 70_000;
        plan.obstacles = vec![CellRect { cell_x: -1, cell_y: -1, width_cells: 2, height_cells: 2 }];
        let (_, pieces) = validate_world(&plan).expect("valid");
        assert_eq!(pieces.len(), 4);
        for (chunk, area) in pieces {
            assert_eq!(chunk, chunk_of(OPEN_WORLD, area.min_x_mm, area.min_y_mm));
            assert_eq!(chunk, chunk_of(OPEN_WORLD, area.max_x_mm - 1, area.max_y_mm - 1));
        }
    }

    proptest! {
        #[test]
        fn packed_keys_unpack(world: u32, x in -32_768..32_768_i32, y in -32_768..32_768_i32) {
            prop_assert_eq!(chunk_parts(chunk_index(world, x, y)), (world, x, y));
        }

        #[test]
        fn a_position_lies_in_its_block_and_ring(x: i32, y: i32) {
            let x = x.clamp(-2_097_000_000, 2_097_000_000);
            let y = y.clamp(-2_097_000_000, 2_097_000_000);
            let chunk = chunk_of(0, x, y);
            let (_, block_x, block_y) = chunk_parts(chunk);
            prop_assert!(block_x * BLOCK_MM <= x && x - block_x * BLOCK_MM < BLOCK_MM);
            prop_assert!(block_y * BLOCK_MM <= y && y - block_y * BLOCK_MM < BLOCK_MM);
            prop_assert!(neighbours(chunk).contains(&chunk));
            prop_assert!(neighbours(chunk).len() <= 9);
        }
    }
}
