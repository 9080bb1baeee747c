//! What is watched for the player: the world it is in, the blocks and the regions around it.
//!
//! Keeps true: the world is that of the character's own row, wherever that is; what is around it
//! there is in view before the old surroundings are left; the open world is always watched.

use super::{Player, Presence};
use crate::event::Event;
use crate::link::Watch;
use crate::ring::Grid;
use crate::shared::State;
use haven_rules::world::OPEN_WORLD;
use std::sync::Arc;
use std::time::Instant;

/// How far beyond its region a player must be to count as in another one, millimetres: who walks to
/// and fro across a border is told once.
const REGION_MARGIN_MM: i64 = 8_000;

impl Player {
    /// Watches what is around the character now, and nothing it has left behind.
    pub(super) fn follow(&mut self, state: &mut State, now: Instant) {
        let Some(me) = state.me.filter(|me| state.scene.is_present(*me)) else { return };
        let number = state.world_number();
        let (Some(position), Some(link)) =
            (self.shared.position_of(state, me, now), &mut self.link)
        else {
            return;
        };
        if number != self.world_watched {
            if self.world_watched != OPEN_WORLD {
                link.unwatch(Watch::World(self.world_watched));
            }
            link.watch(Watch::World(number));
            self.world_watched = number;
        }
        let Some(world) = state.worlds.get(&number).copied() else { return };
        for (ring, watch) in
            [(&mut self.ring, Watch::Block as fn(u64) -> Watch), (&mut self.far, Watch::Region)]
        {
            if ring.is_behind(number, position) {
                let change = ring.follow(number, position, &world.bounds);
                for square in change.watch {
                    link.watch(watch(square));
                    if watch(square) != Watch::Block(square) {
                        continue;
                    }
                    if self.watches_fights {
                        link.watch(Watch::Fights(square));
                    }
                    self.topics.watch_around(link, square);
                }
                for square in change.drop {
                    link.unwatch(watch(square));
                    link.unwatch(Watch::Fights(square));
                    self.topics.unwatch_around(link, square);
                }
            }
        }
        state.blocks_watched = self.ring.len();
        self.tell_region(state, number, position, now);
    }

    /// From now on watches fights in the blocks around the character, too.
    pub(in crate::driver) fn watch_fights(&mut self) {
        self.watches_fights = true;
        if let Some(link) = &mut self.link {
            self.ring.squares().for_each(|block| link.watch(Watch::Fights(block)));
        }
    }

    fn tell_region(&mut self, state: &State, number: u32, position: (i32, i32), at: Instant) {
        let near = |told: u64| Grid::REGIONS.is_near(told, number, position, REGION_MARGIN_MM);
        if self.region_told.is_some_and(near) {
            return;
        }
        let region_index = Grid::REGIONS.square_of(number, position);
        if let Some(region) = state.atlas.region(region_index) {
            self.region_told = Some(region_index);
            let name = Arc::clone(&region.name);
            self.shared.tell(state, Event::RegionEntered { region_index, name, at });
        }
    }

    /// Everything around the character is in view: tells the game if that is in another world.
    pub(super) fn world_reached(&mut self, state: &State) {
        let world = state.world_number();
        if !matches!(self.presence, Presence::In { .. }) || self.world_told == Some(world) {
            return;
        }
        if self.world_told.replace(world).is_some() {
            self.shared.tell(state, Event::WorldChanged { world, at: Instant::now() });
        }
    }

    /// Watches no surroundings any more.
    pub(super) fn leave_surroundings(&mut self) {
        let (blocks, regions) = (self.ring.clear(), self.far.clear());
        if let Some(link) = &mut self.link {
            for block in &blocks {
                link.unwatch(Watch::Fights(*block));
                self.topics.unwatch_around(link, *block);
            }
            let blocks = blocks.into_iter().map(Watch::Block);
            for watch in blocks.chain(regions.into_iter().map(Watch::Region)) {
                link.unwatch(watch);
            }
            if self.world_watched != OPEN_WORLD {
                link.unwatch(Watch::World(self.world_watched));
            }
        }
        self.world_watched = OPEN_WORLD;
        (self.world_told, self.region_told) = (None, None);
    }
}
