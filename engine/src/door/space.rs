//! The free space of the disk, and what follows from it.
//!
//! The engine goes on acknowledging when its disk is full, and does not start again from what is
//! left. So it is never let come to that: first nobody new is let in, then nothing changes.
//! Keeps true: each step is taken at a limit and taken back an eighth above it.
//! Leaves out on purpose: a disk that others fill faster than that can be noticed.

use std::path::Path;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use crate::limits::Limits;

/// How often the disk is looked at.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How long after realms could not all be told they are told again.
pub(crate) const TELL_AGAIN_AFTER: Duration = Duration::from_secs(2);
const MIB: u64 = 1 << 20;

/// How much room there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) enum Room {
    /// Enough.
    #[default]
    Plenty = 0,
    /// Not for newcomers.
    Low = 1,
    /// Nothing may change any more.
    Out = 2,
}

impl Room {
    /// What follows from so many free bytes.
    pub(crate) fn of(free_bytes: u64, was: Self, limits: &Limits) -> Self {
        let is_below = |mib: u32, was_below: bool| {
            let limit = u64::from(mib) * MIB;
            free_bytes < if was_below { limit + limit / 8 } else { limit }
        };
        if is_below(limits.disk_free_mib_min, was == Self::Out) {
            Self::Out
        } else if is_below(limits.disk_free_newcomers_mib, was >= Self::Low) {
            Self::Low
        } else {
            Self::Plenty
        }
    }
}

/// What was seen at the last look.
#[derive(Debug, Default)]
pub(crate) struct Space {
    free_bytes: AtomicU64,
    room: AtomicU8,
}

impl Space {
    /// How much room there is.
    pub(crate) fn room(&self) -> Room {
        match self.room.load(Ordering::Relaxed) {
            0 => Room::Plenty,
            1 => Room::Low,
            _ => Room::Out,
        }
    }

    /// Bytes that were free; 0 before the first look and where nobody looks.
    pub(crate) fn free_bytes(&self) -> u64 {
        self.free_bytes.load(Ordering::Relaxed)
    }

    /// Looks at the disk that holds `folder`; the room there is now.
    pub(crate) fn look(&self, folder: &Path, limits: &Limits) -> Room {
        let was = self.room();
        let room = match rustix::fs::statvfs(folder) {
            Ok(disk) => {
                let free_bytes = disk.f_bavail.saturating_mul(disk.f_frsize);
                self.free_bytes.store(free_bytes, Ordering::Relaxed);
                Room::of(free_bytes, was, limits)
            }
            Err(error) => {
                tracing::warn!("free space is not known: {error}");
                was
            }
        };
        self.room.store(room as u8, Ordering::Relaxed);
        room
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_step_has_a_limit_and_is_taken_back_above_it() {
        let limits =
            Limits { disk_free_newcomers_mib: 800, disk_free_mib_min: 80, ..Limits::default() };
        let mut room = Room::Plenty;
        for (mib, expected) in [
            (800, Room::Plenty),
            (799, Room::Low),
            (899, Room::Low),
            (900, Room::Plenty),
            (79, Room::Out),
            (89, Room::Out),
            (90, Room::Low),
            (10_000, Room::Plenty),
            (0, Room::Out),
            (900, Room::Plenty),
        ] {
            room = Room::of(mib * MIB, room, &limits);
            assert_eq!(room, expected, "{mib} MiB");
        }
    }

    #[test]
    fn nobody_looks_at_zero_and_the_largest_numbers_fit() {
        let never =
            Limits { disk_free_newcomers_mib: 0, disk_free_mib_min: 0, ..Limits::default() };
        assert_eq!(Room::of(0, Room::Plenty, &never), Room::Plenty);
        let all = Limits { disk_free_mib_min: u32::MAX, ..Limits::default() };
        assert_eq!(Room::of(u64::MAX, Room::Plenty, &all), Room::Plenty);
        assert_eq!(Room::of(0, Room::Plenty, &all), Room::Out);
    }

    #[test]
    fn the_disk_below_a_folder_has_a_size() {
        let (space, folder) = (Space::default(), tempfile::tempdir().expect("a directory"));
        let greedy =
            Limits { disk_free_newcomers_mib: u32::MAX, disk_free_mib_min: 0, ..Limits::default() };
        assert_eq!(space.look(folder.path(), &greedy), Room::Low);
        assert!(space.free_bytes() > 0);
        assert_eq!(space.look(Path::new("/no/such/folder"), &greedy), Room::Low);
    }
}
