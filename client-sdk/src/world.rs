//! The world's bounds and speeds, and the ground as far as it is watched.

use crate::module_bindings::{Obstacle, WorldConfig};
use haven_rules::motion::Ground;
use haven_rules::world::{Area, CELL_MM, block_of_cell, chunk_index};
use std::collections::HashMap;

/// A world as it is configured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct World {
    /// Its number; 0 is the open world.
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

/// The obstacles of the watched blocks.
#[derive(Debug, Default)]
pub(crate) struct Obstacles {
    blocks: HashMap<u64, Vec<(u64, Area)>>,
}

impl Obstacles {
    pub(crate) fn put(&mut self, row: &Obstacle) {
        self.take(row);
        let Obstacle { min_x_mm, min_y_mm, max_x_mm, max_y_mm, .. } = *row;
        let area = Area { min_x_mm, min_y_mm, max_x_mm, max_y_mm };
        self.blocks.entry(row.chunk_index).or_default().push((row.obstacle_id, area));
    }

    pub(crate) fn take(&mut self, row: &Obstacle) {
        if let Some(areas) = self.blocks.get_mut(&row.chunk_index) {
            areas.retain(|(obstacle_id, _)| *obstacle_id != row.obstacle_id);
            if areas.is_empty() {
                self.blocks.remove(&row.chunk_index);
            }
        }
    }

    pub(crate) fn clear(&mut self) {
        self.blocks.clear();
    }

    pub(crate) fn areas(&self) -> impl Iterator<Item = Area> + '_ {
        self.blocks.values().flatten().map(|(_, area)| *area)
    }

    fn is_blocked(&self, world: u32, cell_x: i32, cell_y: i32) -> bool {
        let chunk = chunk_index(world, block_of_cell(cell_x), block_of_cell(cell_y));
        let hit = |(_, area): &(u64, Area)| area.contains(cell_x * CELL_MM, cell_y * CELL_MM);
        self.blocks.get(&chunk).is_some_and(|areas| areas.iter().any(hit))
    }

    /// Plans on the ground of a world: what is not watched is free.
    pub(crate) fn plan<T>(&self, world: &World, plan: impl FnOnce(&mut Ground<'_>) -> T) -> T {
        let number = world.world;
        let mut is_blocked = |x: i32, y: i32| self.is_blocked(number, x, y);
        plan(&mut Ground { bounds: world.bounds, is_blocked: &mut is_blocked })
    }
}
