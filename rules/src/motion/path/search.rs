//! The coarse search: any-angle A* over parts of tiles.
//!
//! Lazy Theta* (Nash, Koenig, Tovey, "Lazy Theta*: Any-Angle Path Planning and Path Length Analysis
//! in 3D", AAAI 2010) on a graph of tile parts: a part's predecessor may be any earlier part in
//! sight, so lengths are those of straight lines and not of zigzags between tiles. Where nothing is
//! in sight, the step leads to a neighbour, counts as longer by [`BLIND_STEP_PERCENT`], and is left
//! to the cells. Keeps true: equal inputs give equal paths; ties go to the part that was met last.

use super::PathError;
use super::line::{distance, is_clear};
use super::tiles::{PartId, Tiles};
use super::window::{Place, Window};
use std::collections::BinaryHeap;

/// Most parts of tiles one search expands.
pub(super) const PARTS_MAX: u32 = 7_000;
/// Most parts looked through around a goal to see whether it lies in a pocket.
pub(super) const POCKET_PARTS_MAX: usize = 1_500;
/// After how many expansions it is looked whether the goal lies in a pocket.
const POCKET_CHECK_AT: u32 = 300;
/// Most rows of cells looked through for clear lines by the coarse search.
pub(super) const SEARCH_ROWS_MAX: u32 = 200_000;
/// How the estimate of the way left is weighed against the way done, percent: at first, and after
/// [`HURRY_AT`] expansions, when it matters more to arrive within the bounds.
const ESTIMATE_PERCENT: u32 = 110;
const HURRIED_ESTIMATE_PERCENT: u32 = 150;
/// After how many expansions the search hurries.
const HURRY_AT: u32 = 2_500;
/// What a step between neighbours out of each other's sight counts, percent of its straight length.
const BLIND_STEP_PERCENT: u64 = 125;
/// Predecessors looked at when the one hoped for is out of sight.
const SIGHTS_MAX: usize = 6;
const NOWHERE: PartId = PartId::MAX;

#[derive(Clone, Copy)]
struct Visit {
    length_mm: u32,
    /// Estimate of the way left.
    left_mm: u32,
    parent: PartId,
    is_closed: bool,
}

const UNSEEN: Visit =
    Visit { length_mm: u32::MAX, left_mm: u32::MAX, parent: NOWHERE, is_closed: false };

struct Search<'s, 'w> {
    window: &'s mut Window<'w>,
    tiles: &'s mut Tiles,
    visits: Vec<Visit>,
    /// Estimated length of the whole path, inverted so that the least comes first; then the part.
    queue: BinaryHeap<(u32, PartId)>,
    estimate_percent: u32,
    near: Vec<PartId>,
    sights: Vec<(u32, PartId)>,
}

/// The places of a short way from one part's place to the other's. Steps between places need not
/// be clear, but then lead to a neighbouring tile.
pub(super) fn search(
    window: &mut Window<'_>,
    tiles: &mut Tiles,
    start: PartId,
    goal: PartId,
) -> Result<Vec<Place>, PathError> {
    let mut search = Search {
        window,
        tiles,
        visits: Vec::with_capacity(1_024),
        queue: BinaryHeap::with_capacity(1_024),
        estimate_percent: ESTIMATE_PERCENT,
        near: Vec::with_capacity(32),
        sights: Vec::with_capacity(32),
    };
    search.run(start, goal)?;
    let mut places = vec![search.place(goal)];
    let mut id = goal;
    while id != start {
        id = search.visits[id as usize].parent;
        places.push(search.place(id));
    }
    places.reverse();
    Ok(places)
}

impl Search<'_, '_> {
    fn place(&self, id: PartId) -> Place {
        self.tiles.part(id).place
    }

    fn run(&mut self, start: PartId, goal: PartId) -> Result<(), PathError> {
        self.visits.resize(self.tiles.len(), UNSEEN);
        self.visits[start as usize].length_mm = 0;
        self.queue.push((u32::MAX, start));
        let mut expanded = 0;
        while let Some((_, id)) = self.queue.pop() {
            if self.visits[id as usize].is_closed {
                continue;
            }
            expanded += 1;
            self.window.work.parts += 1;
            if expanded > PARTS_MAX || self.window.work.rows > SEARCH_ROWS_MAX {
                return Err(PathError::TooComplex);
            }
            if expanded == HURRY_AT {
                self.estimate_percent = HURRIED_ESTIMATE_PERCENT;
            }
            if expanded == POCKET_CHECK_AT && self.is_pocket(goal) {
                return Err(PathError::NoPath);
            }
            let mut near = std::mem::take(&mut self.near);
            self.tiles.neighbours(self.window, id, &mut near);
            self.visits.resize(self.tiles.len(), UNSEEN);
            if id != start {
                self.settle(id, &near);
            }
            self.visits[id as usize].is_closed = true;
            if id == goal {
                return Ok(());
            }
            for next in near.iter().copied() {
                self.offer(id, next, goal);
            }
            self.near = near;
        }
        Err(if self.window.cut_off { PathError::TooComplex } else { PathError::NoPath })
    }

    /// Hopes that the parent of the part just closed sees its neighbour.
    fn offer(&mut self, id: PartId, next: PartId, goal: PartId) {
        if self.visits[next as usize].is_closed {
            return;
        }
        let parent = match self.visits[id as usize].parent {
            NOWHERE => id,
            parent => parent,
        };
        let place = self.place(next);
        let length_mm =
            self.visits[parent as usize].length_mm + distance(self.place(parent), place);
        let mut left_mm = self.visits[next as usize].left_mm;
        if length_mm < self.visits[next as usize].length_mm {
            if left_mm == u32::MAX {
                left_mm = distance(place, self.place(goal));
            }
            self.visits[next as usize] = Visit { length_mm, left_mm, parent, is_closed: false };
            let whole = length_mm.saturating_add(left_mm / 100 * self.estimate_percent);
            self.queue.push((u32::MAX - whole, next));
        }
    }

    /// Finds a parent that is really in sight, or else a neighbour.
    fn settle(&mut self, id: PartId, near: &[PartId]) {
        let place = self.place(id);
        let hoped = self.visits[id as usize].parent;
        if is_clear(self.window, self.place(hoped), place) {
            return;
        }
        self.sights.clear();
        let mut blind = (u32::MAX, NOWHERE);
        for other in near.iter().copied() {
            let visit = self.visits[other as usize];
            if !visit.is_closed {
                continue;
            }
            let step = distance(self.place(other), place);
            self.sights.push((visit.length_mm + step, other));
            let length = u64::from(visit.length_mm) + u64::from(step) * BLIND_STEP_PERCENT / 100;
            blind = blind.min((u32::try_from(length).unwrap_or(u32::MAX), other));
            if visit.parent != NOWHERE && visit.parent != hoped {
                let parent = visit.parent;
                let far = self.visits[parent as usize].length_mm;
                self.sights.push((far + distance(self.place(parent), place), parent));
            }
        }
        self.sights.sort_unstable();
        self.sights.dedup();
        let mut found = blind;
        for (length, other) in self.sights.iter().copied().take(SIGHTS_MAX) {
            if other != hoped && length < found.0 && {
                let from = self.tiles.part(other).place;
                is_clear(self.window, from, place)
            } {
                found = (length, other);
                break;
            }
        }
        let visit = &mut self.visits[id as usize];
        (visit.length_mm, visit.parent) = found;
    }

    /// Whether the goal's surroundings end before they meet anything the search has seen.
    fn is_pocket(&mut self, goal: PartId) -> bool {
        if self.visits[goal as usize].length_mm != u32::MAX {
            return false;
        }
        let was_cut_off = std::mem::replace(&mut self.window.cut_off, false);
        let is_pocket = self.is_closed_off(goal);
        self.window.cut_off |= was_cut_off;
        is_pocket
    }

    fn is_closed_off(&mut self, goal: PartId) -> bool {
        let mut met = vec![goal];
        let mut is_met = vec![false; self.tiles.len()];
        is_met[goal as usize] = true;
        let mut next = 0;
        let mut near = Vec::with_capacity(32);
        while let Some(id) = met.get(next).copied() {
            next += 1;
            if next > POCKET_PARTS_MAX || self.window.cut_off {
                return false;
            }
            self.window.work.parts += 1;
            self.tiles.neighbours(self.window, id, &mut near);
            is_met.resize(self.tiles.len(), false);
            for other in near.iter().copied() {
                if self.visits.get(other as usize).is_some_and(|visit| visit.length_mm != u32::MAX)
                {
                    return false;
                }
                if !is_met[other as usize] {
                    is_met[other as usize] = true;
                    met.push(other);
                }
            }
        }
        true
    }
}
