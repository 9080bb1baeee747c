//! What is known from afar: the regions around the player, what is worth seeing in them, and the
//! instances the character may enter.

use crate::module_bindings::{InstancePass, Landmark, Region};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A region: a named square of 16×16 blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegionView {
    /// World, region x and region y (`haven_rules::world::region_parts`).
    pub region_index: u64,
    /// Its name; empty where the world is flat.
    pub name: Arc<str>,
    /// Players in it, as of a few seconds ago.
    pub players: u32,
}

/// Something worth seeing from afar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LandmarkView {
    /// Its number.
    pub landmark_id: u64,
    /// The region it lies in.
    pub region_index: u64,
    /// Millimetres east of the origin.
    pub pos_x_mm: i32,
    /// Millimetres north of the origin.
    pub pos_y_mm: i32,
    /// 1 settlement (`haven_rules::world::LandmarkKind`).
    pub kind: u8,
    /// Its name.
    pub name: Arc<str>,
}

/// An instance the character may enter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceView {
    /// Its world's number: what `enter_instance` takes.
    pub world: u32,
    /// Its kind.
    pub name: Arc<str>,
}

/// A change of a row.
#[derive(Clone, Debug)]
pub(crate) enum FarChange {
    RegionIs(Region),
    RegionGone(Region),
    LandmarkIs(Landmark),
    LandmarkGone(Landmark),
    PassIs(InstancePass),
    PassGone(InstancePass),
}

/// The regions that are watched.
#[derive(Debug, Default)]
pub(crate) struct Atlas {
    regions: BTreeMap<u64, RegionView>,
    landmarks: BTreeMap<u64, LandmarkView>,
    instances: BTreeMap<u64, InstanceView>,
}

impl Atlas {
    pub(crate) fn apply(&mut self, change: FarChange) {
        match change {
            FarChange::RegionIs(row) => {
                let Region { region_index, players, .. } = row;
                let view = RegionView { region_index, name: row.name.into(), players };
                self.regions.insert(region_index, view);
            }
            FarChange::RegionGone(row) => {
                self.regions.remove(&row.region_index);
            }
            FarChange::LandmarkIs(row) => {
                let Landmark { landmark_id, region_index, pos_x_mm, pos_y_mm, kind, .. } = row;
                let name = row.name.into();
                let view =
                    LandmarkView { landmark_id, region_index, pos_x_mm, pos_y_mm, kind, name };
                self.landmarks.insert(landmark_id, view);
            }
            FarChange::LandmarkGone(row) => {
                self.landmarks.remove(&row.landmark_id);
            }
            FarChange::PassIs(row) => {
                let view = InstanceView { world: row.world, name: row.name.into() };
                self.instances.insert(row.pass_id, view);
            }
            FarChange::PassGone(row) => {
                self.instances.remove(&row.pass_id);
            }
        }
    }

    pub(crate) fn region(&self, region_index: u64) -> Option<&RegionView> {
        self.regions.get(&region_index)
    }

    pub(crate) fn regions(&self) -> impl Iterator<Item = &RegionView> {
        self.regions.values()
    }

    pub(crate) fn landmarks(&self) -> impl Iterator<Item = &LandmarkView> {
        self.landmarks.values()
    }

    pub(crate) fn instances(&self) -> impl Iterator<Item = &InstanceView> {
        self.instances.values()
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_watched_is_known_until_it_goes() {
        let mut atlas = Atlas::default();
        let region =
            |players| Region { region_index: 4, world: 0, players, name: "Vale".to_owned() };
        let landmark = Landmark {
            landmark_id: 9,
            region_index: 4,
            pos_x_mm: 1,
            pos_y_mm: 2,
            kind: 1,
            name: "Ford".to_owned(),
        };
        atlas.apply(FarChange::RegionIs(region(0)));
        atlas.apply(FarChange::RegionIs(region(3)));
        atlas.apply(FarChange::LandmarkIs(landmark.clone()));
        let expected = RegionView { region_index: 4, name: "Vale".into(), players: 3 };
        assert_eq!(atlas.region(4), Some(&expected));
        assert_eq!((atlas.regions().count(), atlas.landmarks().count()), (1, 1));
        atlas.apply(FarChange::RegionGone(region(3)));
        atlas.apply(FarChange::LandmarkGone(landmark));
        assert_eq!((atlas.regions().count(), atlas.landmarks().count()), (0, 0));
    }
}
