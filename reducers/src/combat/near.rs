//! Who is near: bodies around a place, and what stands between.
//!
//! Keeps true: at most `BODIES_MAX` rows are looked at; land that is not made
//! hides what is behind it.

use super::bodies::{self, Body};
use crate::motion;
use crate::world::land::Land;
use haven_rules::combat::aim::{distance_squared, is_within};
use haven_rules::combat::areas::Point;
use haven_rules::content::book::Book;
use haven_rules::motion::path;
use haven_rules::world::{BLOCK_MM, block_of_mm, chunk_index};
use haven_tables::combat::{Combatant, combatant};
use spacetimedb::ReducerContext;
use std::rc::Rc;

/// Most bodies that are looked at around one place.
const BODIES_MAX: usize = 1_000;

/// Rows of bodies in the blocks that a circle touches.
fn rows_around(ctx: &ReducerContext, world: u32, at: Point, radius_mm: u32) -> Vec<Combatant> {
    let radius = i32::try_from(radius_mm).unwrap_or(i32::MAX).min(5 * BLOCK_MM);
    let blocks = |middle: i32| {
        block_of_mm(middle.saturating_sub(radius))..=block_of_mm(middle.saturating_add(radius))
    };
    let chunks =
        blocks(at.x_mm).flat_map(|x| blocks(at.y_mm).map(move |y| chunk_index(world, x, y)));
    chunks.flat_map(|chunk| ctx.db.combatant().by_chunk().filter(chunk)).take(BODIES_MAX).collect()
}

/// Bodies within a distance of a place, the nearest first, equals by their id.
pub(crate) fn around(
    ctx: &ReducerContext,
    world: u32,
    at: Point,
    radius_mm: u32,
    book: &Rc<Book>,
) -> Vec<Body> {
    let rows = rows_around(ctx, world, at, radius_mm);
    let mut near: Vec<(i64, u64, Combatant)> = rows
        .into_iter()
        .filter_map(|row| {
            let (_, x_mm, y_mm) = motion::place_of(ctx, row.entity_id)?;
            let place = Point { x_mm, y_mm };
            let is_near = is_within(at, place, radius_mm);
            is_near.then(|| (distance_squared(at, place), row.entity_id, row))
        })
        .collect();
    near.sort_unstable_by_key(|(distance, entity_id, _)| (*distance, *entity_id));
    near.into_iter().filter_map(|(_, _, row)| bodies::load_row(ctx, row, book)).collect()
}

/// Whether nothing stands between two places.
pub(crate) fn sees(ctx: &ReducerContext, world: u32, from: Point, to: Point) -> bool {
    let Ok(land) = Land::new(ctx, world) else { return false };
    let mut land = land.making_at_most(0);
    path::is_clear(&mut land, (from.x_mm, from.y_mm), (to.x_mm, to.y_mm))
}
