//! Looking around: who is near, what the land is like, what is known from afar.
//!
//! Keeps true: looking never waits for the realm. Land is made when it is first asked for, in the
//! caller's thread and while nobody else waits: about a millisecond a block.

use super::RealmClient;
use crate::event::{Events, Seen};
use crate::regions::{InstanceView, LandmarkView, RegionView};
use crate::shared::Traffic;
use crate::world::World;
use haven_rules::motion::{Intent, Segment};
use haven_rules::world::terrain::{Biome, Block};
use haven_rules::world::{Area, BLOCK_CELLS, GroundClass, cell_of_mm, chunk_of, chunk_parts};
use std::sync::Arc;
use std::time::{Duration, Instant};

impl RealmClient {
    /// The own character, while it is in the world.
    pub fn me(&self) -> Option<Seen> {
        self.shared.lock().me().cloned()
    }

    /// Everybody else in view, in no order.
    pub fn nearby(&self) -> Vec<Seen> {
        let state = self.shared.lock();
        let number = state.world_number();
        let others = state.scene.all().filter(|seen| Some(seen.entity_id) != state.me);
        others.filter(|seen| chunk_parts(seen.chunk_index).0 == number).cloned().collect()
    }

    /// Somebody in view.
    pub fn seen(&self, entity_id: u64) -> Option<Seen> {
        self.shared.lock().scene.seen(entity_id).cloned()
    }

    /// Where to draw somebody in view at an instant, now or soon: millimetres east and north of the
    /// origin. The own character answers inputs at once, ahead of the realm; others glide where
    /// news of them comes late. Within 150 ms of the news both are where the realm has them.
    pub fn position_of(&self, entity_id: u64, at: Instant) -> Option<(i32, i32)> {
        let state = self.shared.lock();
        self.shared.position_of(&state, entity_id, at)
    }

    /// What a course in that direction would be from here and now, over the land and around its
    /// obstacles: how it ends, and when.
    pub fn foresee(&self, dx: i16, dy: i16, running: bool) -> Option<Segment> {
        let foreseen = self.shared.foresee_unlocked(Intent::direction(dx, dy), running);
        foreseen.map(|predicted| predicted.segment)
    }

    /// Bounds and speeds of the world the character is in, and of the open world before it is in
    /// any; none if the realm has no world yet, and for the moment it takes to learn of another.
    pub fn world(&self) -> Option<World> {
        self.shared.lock().world().copied()
    }

    /// What was put in the way in the blocks around; what belongs to the land is in
    /// [`Self::block`].
    pub fn obstacles(&self) -> Vec<Area> {
        let number = self.shared.lock().world_number();
        self.shared.land.obstacles(number)
    }

    /// How the ground is walked at a place in the world the character is in, as far as obstacles
    /// are in view; none beyond its bounds.
    pub fn ground_at(&self, x_mm: i32, y_mm: i32) -> Option<GroundClass> {
        self.shared.land.class_at(&self.world()?, (x_mm, y_mm))
    }

    /// How high the land is at a place above the sea, centimetres: under water, its bed. 0 where
    /// the world is flat, none beyond its bounds.
    pub fn height_at_cm(&self, x_mm: i32, y_mm: i32) -> Option<i16> {
        if !self.world()?.bounds.contains(x_mm, y_mm) {
            return None;
        }
        match self.cell_at(x_mm, y_mm) {
            Some((block, cell)) => block.heights_cm.get(cell).copied(),
            None => Some(0),
        }
    }

    /// What country a place is; none where the world is flat, and beyond its bounds.
    pub fn biome_at(&self, x_mm: i32, y_mm: i32) -> Option<Biome> {
        let (block, cell) = self.cell_at(x_mm, y_mm)?;
        block.biomes.get(cell).copied()
    }

    /// A block of the world the character is in, to draw: heights, biomes, ground and features as
    /// the realm's recipe makes them, without [`Self::obstacles`]. None where the world is flat,
    /// beyond its bounds, and for blocks of other worlds. The last 256 are kept.
    pub fn block(&self, chunk_index: u64) -> Option<Arc<Block>> {
        self.shared.land.block(&self.world()?, chunk_index)
    }

    fn cell_at(&self, x_mm: i32, y_mm: i32) -> Option<(Arc<Block>, usize)> {
        let world = self.world().filter(|world| world.bounds.contains(x_mm, y_mm))?;
        let block = self.shared.land.block(&world, chunk_of(world.world, x_mm, y_mm))?;
        let inside = |mm: i32| cell_of_mm(mm).rem_euclid(BLOCK_CELLS);
        let cell = inside(y_mm) * BLOCK_CELLS + inside(x_mm);
        Some((block, usize::try_from(cell).ok()?))
    }

    /// The regions around the character that are known, in the order of their keys: those of the
    /// 3×3 around that somebody has been near.
    pub fn regions(&self) -> Vec<RegionView> {
        self.shared.lock().atlas.regions().cloned().collect()
    }

    /// What is worth seeing from afar in the regions around, in the order of its numbers.
    pub fn landmarks(&self) -> Vec<LandmarkView> {
        self.shared.lock().atlas.landmarks().cloned().collect()
    }

    /// The instances the character may enter: those it opened and those it was invited into.
    pub fn instances(&self) -> Vec<InstanceView> {
        self.shared.lock().atlas.instances().cloned().collect()
    }

    /// The realm's clock at an instant, as estimated here: microseconds since 1970.
    pub fn server_micros(&self, at: Instant) -> i64 {
        let state = self.shared.lock();
        self.shared.server_micros(&state, at)
    }

    /// The quickest recent round trip of a call; none before the first.
    pub fn round_trip(&self) -> Option<Duration> {
        self.shared.lock().clock.round_trip()
    }

    /// What went over the connection.
    pub fn traffic(&self) -> Traffic {
        self.shared.traffic.read()
    }

    /// How many blocks are watched: 9 as a rule, and a few more at a border.
    pub fn blocks_watched(&self) -> usize {
        self.shared.lock().blocks_watched
    }

    /// Whether there is a connection; if not, it is being restored or closed for good.
    pub fn is_connected(&self) -> bool {
        self.shared.lock().connected
    }

    /// Listens to what happens from now on. Any number of listeners may.
    pub fn events(&self) -> Events {
        self.shared.listen()
    }
}
