//! The cases of the motion benchmark: who moves everybody, how many there may be, and how fast.
//!
//! Keeps true: both ways of moving have the same land, the same places and the same speed for the
//! same number of walkers; where events are compared, nothing differs but the walkers.

use clap::ValueEnum;

/// Fewest walkers that are measured.
pub(super) const WALKERS_MIN: u32 = 100;
/// Most walkers that are measured.
pub(super) const WALKERS_MAX: u32 = 1_000_000;
/// Most walkers whose rows are all written every tick: more would only be late for longer.
const REWRITTEN_MAX: u32 = 100_000;
/// The walkers that others are compared with while the events stay the same.
pub(super) const SAME_EVENTS_BASE: u32 = 10_000;
/// How fast walkers walk, millimetres per second; the default of a world.
pub(super) const WALK_SPEED_MM_PER_S: i32 = 1_800;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Case {
    #[value(name = "segments")]
    Segments,
    #[value(name = "rewritten_rows")]
    RewrittenRows,
    #[value(name = "same_events")]
    SameEvents,
    #[value(name = "terrain_block")]
    TerrainBlock,
    #[value(name = "path")]
    Path,
}

/// Who moves everybody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// Haven's module: a row is written when somebody turns, and not while he walks.
    Segments,
    /// The module beside it: every row is written every tick.
    Rewritten,
}

impl Case {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Segments => "segments",
            Self::RewrittenRows => "rewritten_rows",
            Self::SameEvents => "same_events",
            Self::TerrainBlock => "terrain_block",
            Self::Path => "path",
        }
    }

    /// Whether that many walkers are measured in this case.
    pub(super) fn takes(self, walkers: u32) -> bool {
        match self {
            Self::Segments => true,
            Self::RewrittenRows => walkers <= REWRITTEN_MAX,
            Self::SameEvents => walkers >= SAME_EVENTS_BASE,
            Self::TerrainBlock | Self::Path => false,
        }
    }

    /// Whether anybody walks in it.
    pub(super) fn has_walkers(self) -> bool {
        match self {
            Self::Segments | Self::RewrittenRows | Self::SameEvents => true,
            Self::TerrainBlock | Self::Path => false,
        }
    }

    pub(super) fn way(self) -> Way {
        if self == Self::RewrittenRows { Way::Rewritten } else { Way::Segments }
    }

    /// Blocks along each edge of the land that many walk on. With the same events it is the same.
    pub(super) fn blocks(self, walkers: u32) -> u32 {
        match walkers {
            _ if self == Self::SameEvents => 64,
            ..=10_000 => 16,
            10_001..=100_000 => 64,
            _ => 128,
        }
    }

    /// How fast that many walk, millimetres per second. Whoever walks a tenth as fast turns a tenth
    /// as often: ten times as many then cause as many events.
    pub(super) fn speed_mm_per_s(self, walkers: u32) -> i32 {
        if self != Self::SameEvents {
            return WALK_SPEED_MM_PER_S;
        }
        let slower = i64::from(WALK_SPEED_MM_PER_S) * i64::from(SAME_EVENTS_BASE);
        i32::try_from(slower / i64::from(walkers)).unwrap_or(WALK_SPEED_MM_PER_S).max(2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_times_as_many_walk_a_tenth_as_fast() {
        for (walkers, speed) in [(10_000, 1_800), (100_000, 180), (1_000_000, 18)] {
            assert_eq!(Case::SameEvents.speed_mm_per_s(walkers), speed);
            assert_eq!(Case::Segments.speed_mm_per_s(walkers), WALK_SPEED_MM_PER_S);
        }
    }

    #[test]
    fn each_case_has_walkers_it_takes() {
        let taken = |case: Case| {
            [1_000, 10_000, 100_000, 1_000_000].into_iter().filter(move |n| case.takes(*n)).count()
        };
        assert_eq!(Case::value_variants().iter().map(|case| taken(*case)).sum::<usize>(), 10);
        assert_eq!(taken(Case::Path), 0);
    }
}
