//! A world's bounds and speeds.

use crate::module_bindings::WorldConfig;
use haven_rules::world::Area;

/// A world as it is configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct World {
    /// Its number: 0 is the open world, others are instances.
    pub world: u32,
    /// Where one can be.
    pub bounds: Area,
    /// Where characters without a position enter, millimetres.
    pub spawn_x_mm: i32,
    /// Where characters without a position enter, millimetres.
    pub spawn_y_mm: i32,
    /// How fast characters walk.
    pub walk_speed_mm_per_s: i32,
    /// How fast characters run.
    pub run_speed_mm_per_s: i32,
}

impl World {
    pub(crate) fn new(row: &WorldConfig) -> Self {
        let WorldConfig { min_x_mm, min_y_mm, max_x_mm, max_y_mm, .. } = *row;
        Self {
            world: row.world,
            bounds: Area { min_x_mm, min_y_mm, max_x_mm, max_y_mm },
            spawn_x_mm: row.spawn_x_mm,
            spawn_y_mm: row.spawn_y_mm,
            walk_speed_mm_per_s: row.walk_speed_mm_per_s,
            run_speed_mm_per_s: row.run_speed_mm_per_s,
        }
    }

    /// How fast a character goes, millimetres per second.
    pub fn speed_mm_per_s(&self, running: bool) -> i32 {
        if running { self.run_speed_mm_per_s } else { self.walk_speed_mm_per_s }
    }
}
