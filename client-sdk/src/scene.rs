//! Who is seen: the rows of `entity` and `motion` joined, and what their changes mean.
//!
//! Keeps true: who moves from one watched block to another has moved, and is never reported as gone
//! and come; to tell the one from the other, who is out of view is kept for 100 ms. After a
//! reconnect only what has changed meanwhile is reported. Whoever turns out to be elsewhere than it
//! was drawn glides there (`fade`), unless it is in another world now.
//! Leaves out on purpose: the clocks, which come in as instants, and the own prediction.

use crate::event::Seen;
use crate::fade::Fade;
use crate::module_bindings::{Entity, Motion};
use haven_rules::motion::{Segment, SegmentEnd};
use haven_rules::world::chunk_parts;
use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long somebody out of view may take to come back into view elsewhere.
pub(crate) const HOLD: Duration = Duration::from_millis(100);

/// A change of a row.
#[derive(Clone, Debug)]
pub(crate) enum RowChange {
    EntityIs(Entity),
    EntityGone(Entity),
    MotionIs(Motion),
    MotionGone(Motion),
}

/// What the changes of one transaction mean for one entity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Sight {
    Entered(Seen),
    Moved { seen: Seen, course_changed: bool, block_crossed: bool },
    Left(Seen),
}

#[derive(Debug, Default)]
struct Known {
    entity: Option<Entity>,
    motion: Option<Motion>,
    shown: Option<Seen>,
    /// How it gets from where it was drawn to where it is.
    fade: Option<Fade>,
    /// When it counts as gone, while it is out of view.
    leaves_at: Option<Instant>,
}

impl Known {
    fn current(&self) -> Option<Seen> {
        let (entity, motion) = (self.entity.as_ref()?, self.motion.as_ref()?);
        let name = match &self.shown {
            Some(shown) if *shown.name == *entity.name => Arc::clone(&shown.name),
            _ => entity.name.as_str().into(),
        };
        Some(Seen {
            entity_id: entity.entity_id,
            kind: entity.kind,
            name,
            chunk_index: motion.chunk_index,
            segment: segment_of(motion),
            course_number: motion.course_number,
        })
    }

    /// Where to draw it, millimetres: at an instant of the realm's clock, and of the local one.
    fn position(&self, server_micros: i64, at: Instant) -> Option<(i32, i32)> {
        let shown = self.shown.as_ref()?;
        Some(Fade::draw(self.fade, shown.segment.predict_at(server_micros), at))
    }

    /// Shows it as it is now, without a jump.
    fn show(&mut self, seen: Seen, server_micros: i64, now: Instant) {
        let world = |seen: &Seen| chunk_parts(seen.chunk_index).0;
        let shown = self.shown.as_ref().filter(|shown| world(shown) == world(&seen));
        match shown.map(|shown| shown.segment) {
            Some(segment) if segment == seen.segment => {}
            Some(_) => {
                let truth = seen.segment.predict_at(server_micros);
                let drawn = self.position(server_micros, now);
                self.fade = drawn.and_then(|drawn| Fade::between(drawn, truth, now));
            }
            None => self.fade = None,
        }
        self.shown = Some(seen);
    }
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

/// Everybody in view.
#[derive(Debug, Default)]
pub(crate) struct Scene {
    known: HashMap<u64, Known>,
    touched: HashSet<u64>,
    /// Who is out of view, by falling patience.
    held: VecDeque<(Instant, u64)>,
}

impl Scene {
    /// Takes in a row of the transaction that is being applied.
    pub(crate) fn apply(&mut self, change: RowChange) {
        let (entity_id, same) = match &change {
            RowChange::EntityIs(row) | RowChange::EntityGone(row) => {
                let known = self.known.get(&row.entity_id).and_then(|known| known.entity.as_ref());
                (row.entity_id, known.is_some_and(|known| known.chunk_index == row.chunk_index))
            }
            RowChange::MotionIs(row) | RowChange::MotionGone(row) => {
                let known = self.known.get(&row.entity_id).and_then(|known| known.motion.as_ref());
                (row.entity_id, known.is_some_and(|known| known.chunk_index == row.chunk_index))
            }
        };
        let known = self.known.entry(entity_id).or_default();
        match change {
            RowChange::EntityIs(row) => known.entity = Some(row),
            RowChange::MotionIs(row) => known.motion = Some(row),
            // A row that is gone from one block may already be here from another.
            RowChange::EntityGone(_) if same => known.entity = None,
            RowChange::MotionGone(_) if same => known.motion = None,
            RowChange::EntityGone(_) | RowChange::MotionGone(_) => {}
        }
        self.touched.insert(entity_id);
    }

    /// The transaction is applied; also called when [`Self::next_deadline`] has come. Takes the
    /// local clock and the realm's, microseconds since 1970.
    pub(crate) fn settle(&mut self, now: Instant, server_micros: i64) -> Vec<Sight> {
        let mut sights = Vec::new();
        for entity_id in std::mem::take(&mut self.touched) {
            self.settle_one(entity_id, now, server_micros, &mut sights);
        }
        while let Some((leaves_at, entity_id)) = self.held.front().copied() {
            if leaves_at > now {
                break;
            }
            self.held.pop_front();
            let gone = |known: &Known| known.leaves_at == Some(leaves_at);
            if self.known.get(&entity_id).is_some_and(gone) {
                let known = self.known.remove(&entity_id);
                sights.extend(known.and_then(|known| known.shown).map(Sight::Left));
            }
        }
        sights
    }

    fn settle_one(
        &mut self,
        entity_id: u64,
        now: Instant,
        server_micros: i64,
        sights: &mut Vec<Sight>,
    ) {
        let Some(known) = self.known.get_mut(&entity_id) else { return };
        match (known.shown.clone(), known.current()) {
            (None, None) => {
                if known.entity.is_none() && known.motion.is_none() {
                    self.known.remove(&entity_id);
                }
            }
            (None, Some(seen)) => {
                known.show(seen.clone(), server_micros, now);
                sights.push(Sight::Entered(seen));
            }
            (Some(before), Some(seen)) => {
                known.leaves_at = None;
                known.show(seen.clone(), server_micros, now);
                let course_changed = before.course_number != seen.course_number;
                let block_crossed = before.chunk_index != seen.chunk_index;
                if before.segment != seen.segment || course_changed || block_crossed {
                    sights.push(Sight::Moved { seen, course_changed, block_crossed });
                }
            }
            (Some(_), None) if known.leaves_at.is_none() => {
                known.leaves_at = Some(now + HOLD);
                self.held.push_back((now + HOLD, entity_id));
            }
            (Some(_), None) => {}
        }
    }

    /// When [`Self::settle`] is to be called again, whether or not anything arrives.
    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.held.front().map(|(leaves_at, _)| *leaves_at)
    }

    /// The connection is lost: nothing is certain, and everybody stays in view until
    /// [`Self::restored`].
    pub(crate) fn suspend(&mut self) {
        self.held.clear();
        self.touched.clear();
        self.known.retain(|_, known| known.shown.is_some());
        for known in self.known.values_mut() {
            (known.entity, known.motion, known.leaves_at) = (None, None, None);
        }
    }

    /// All blocks are watched again: who has not come back into view is gone.
    pub(crate) fn restored(&mut self) -> Vec<Sight> {
        let gone = |known: &Known| known.leaves_at.is_none() && known.current().is_none();
        let gone = self.known.extract_if(|_, known| gone(known));
        gone.filter_map(|(_, known)| known.shown).map(Sight::Left).collect()
    }

    /// Nobody is in view any more, and nobody is told.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    /// Somebody in view.
    pub(crate) fn seen(&self, entity_id: u64) -> Option<&Seen> {
        self.known.get(&entity_id)?.shown.as_ref()
    }

    /// Where to draw somebody in view, millimetres: at an instant of the realm's clock, and of the
    /// local one.
    pub(crate) fn position(
        &self,
        entity_id: u64,
        server_micros: i64,
        at: Instant,
    ) -> Option<(i32, i32)> {
        self.known.get(&entity_id)?.position(server_micros, at)
    }

    /// Somebody was drawn there until now, and glides to where it is.
    pub(crate) fn glide(
        &mut self,
        entity_id: u64,
        drawn: (i32, i32),
        server_micros: i64,
        now: Instant,
    ) {
        if let Some(known) = self.known.get_mut(&entity_id) {
            let truth = known.shown.as_ref().map(|shown| shown.segment.predict_at(server_micros));
            known.fade = truth.and_then(|truth| Fade::between(drawn, truth, now));
        }
    }

    /// How many inputs of its player somebody's course counts, while its row is here.
    pub(crate) fn input_number(&self, entity_id: u64) -> Option<u32> {
        Some(self.known.get(&entity_id)?.motion.as_ref()?.input_number)
    }

    /// Whether the rows of an entity are here now, not merely remembered.
    pub(crate) fn is_present(&self, entity_id: u64) -> bool {
        self.known.get(&entity_id).is_some_and(|known| known.current().is_some())
    }

    /// Everybody in view, in no order.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Seen> {
        self.known.values().filter_map(|known| known.shown.as_ref())
    }
}

#[cfg(test)]
mod glides;
#[cfg(test)]
mod tests;
