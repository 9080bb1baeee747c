//! Opportunity attacks: when going away invites a strike.
//!
//! Keeps true: one reaction a round, and none by who cannot react. Leaves out on purpose: the
//! strike itself, which is a melee attack like any other.

/// Somebody goes from one distance to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leaving {
    /// How far away it was, millimetres.
    pub before_mm: u32,
    /// How far away it is.
    pub after_mm: u32,
    /// How far the other reaches.
    pub reach_mm: u32,
    /// Whether it took care: the disengage action.
    pub is_disengaged: bool,
    /// Whether it went by its own feet: not by teleport, and not pushed, pulled or carried.
    pub is_own_movement: bool,
}

/// Whether leaving gives the other a strike (SRD 5.1, "Combat", Opportunity Attacks). `may_react`
/// is whether the other has its reaction ([`super::turn`]); `sees` whether it sees who leaves; who
/// is an enemy its caller knows.
pub const fn provokes(leaving: &Leaving, may_react: bool, sees: bool) -> bool {
    let leaves = leaving.before_mm <= leaving.reach_mm && leaving.after_mm > leaving.reach_mm;
    leaves && leaving.is_own_movement && !leaving.is_disengaged && may_react && sees
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leaving_the_reach_provokes() {
        let leaving = Leaving {
            before_mm: 1_500,
            after_mm: 1_501,
            reach_mm: 1_500,
            is_disengaged: false,
            is_own_movement: true,
        };
        for (leaving, may_react, sees, expected) in [
            (leaving, true, true, true),
            (leaving, false, true, false),
            (leaving, true, false, false),
            (Leaving { after_mm: 1_500, ..leaving }, true, true, false),
            (Leaving { before_mm: 1_501, ..leaving }, true, true, false),
            (Leaving { is_disengaged: true, ..leaving }, true, true, false),
            (Leaving { is_own_movement: false, ..leaving }, true, true, false),
            (Leaving { reach_mm: 3_000, ..leaving }, true, true, false),
        ] {
            assert_eq!(provokes(&leaving, may_react, sees), expected, "{leaving:?}");
        }
    }
}
