//! Who leads a guild whose leaders are gone.
//!
//! Keeps true: as long as one leader has been there within the time, nobody follows; who follows is
//! of the highest rank, of those the one who is a member for longest.

use super::ranks::LEADERS;

/// A member as it is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Who.
    pub character_id: u64,
    /// Of its rank.
    pub position: u8,
    /// When it became a member, microseconds since 1970.
    pub joined_at_micros: i64,
    /// When it was last in the world, microseconds since 1970.
    pub seen_at_micros: i64,
    /// Whether it is deleted: it is as if it had not been there for ever.
    pub is_deleted: bool,
}

impl Candidate {
    fn is_active(&self, now_micros: i64, inactive_micros: i64) -> bool {
        !self.is_deleted && now_micros.saturating_sub(self.seen_at_micros) < inactive_micros
    }
}

/// Who becomes leader now, if anybody does. Where there is a leader, he must be gone for
/// `inactive_micros` and the one who follows must not; where there is none, somebody must follow:
/// if nobody was there within the time, who is not deleted, and if there is no such one, anybody.
pub fn successor(members: &[Candidate], now_micros: i64, inactive_micros: i64) -> Option<u64> {
    let is_active = |member: &&Candidate| member.is_active(now_micros, inactive_micros);
    let (leaders, others): (Vec<&Candidate>, Vec<&Candidate>) =
        members.iter().partition(|member| member.position == LEADERS);
    if leaders.iter().any(is_active) {
        return None;
    }
    let first = |members: &mut dyn Iterator<Item = &Candidate>| {
        members
            .min_by_key(|member| (member.position, member.joined_at_micros, member.character_id))
            .map(|member| member.character_id)
    };
    let active = first(&mut others.iter().copied().filter(is_active));
    if active.is_some() || !leaders.is_empty() {
        return active;
    }
    let living = first(&mut others.iter().copied().filter(|member| !member.is_deleted));
    living.or_else(|| first(&mut others.iter().copied()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: i64 = 1_000;
    const AGO: i64 = 100;

    /// Number, position, joined, seen.
    fn of(
        (character_id, position, joined_at_micros, seen_at_micros): (u64, u8, i64, i64),
    ) -> Candidate {
        Candidate {
            character_id,
            position,
            joined_at_micros,
            seen_at_micros,
            is_deleted: seen_at_micros < 0,
        }
    }

    #[test]
    fn the_highest_rank_follows_then_the_longest_member() {
        for (members, expected) in [
            // A leader was there; it was just not long enough ago; it was.
            (vec![(1, 0, 0, 1_000), (2, 1, 0, 1_000)], None),
            (vec![(1, 0, 0, 901), (2, 1, 0, 1_000)], None),
            (vec![(1, 0, 0, 900), (2, 1, 0, 1_000)], Some(2)),
            // One of two leaders is enough.
            (vec![(1, 0, 0, 0), (9, 0, 5, 950), (2, 1, 0, 1_000)], None),
            // Rank before time, time before number.
            (vec![(1, 0, 0, 0), (2, 2, 0, 1_000), (3, 1, 50, 1_000)], Some(3)),
            (vec![(1, 0, 0, 0), (2, 1, 9, 1_000), (3, 1, 8, 1_000)], Some(3)),
            (vec![(1, 0, 0, 0), (3, 1, 8, 1_000), (2, 1, 8, 1_000)], Some(2)),
            // Who was not there himself does not follow one who is still a leader.
            (vec![(1, 0, 0, 0), (2, 1, 0, 900), (3, 4, 9, 950)], Some(3)),
            (vec![(1, 0, 0, 0), (2, 1, 0, 900)], None),
            (vec![(1, 0, 0, 0)], None),
            // A deleted leader is gone at once, and none who is deleted follows.
            (vec![(1, 0, 0, -1), (2, 1, 0, -1), (3, 2, 0, 1_000)], Some(3)),
            // Without a leader somebody must.
            (vec![(2, 1, 0, 900), (3, 4, 9, 950)], Some(3)),
            (vec![(2, 2, 0, 0), (3, 1, 9, 0)], Some(3)),
            (vec![(2, 2, 0, 0), (3, 1, 9, -1)], Some(2)),
            (vec![(2, 2, 0, -1), (3, 1, 9, -1)], Some(3)),
            (vec![], None),
        ] {
            let candidates: Vec<_> = members.iter().copied().map(of).collect();
            assert_eq!(successor(&candidates, NOW, AGO), expected, "{members:?}");
        }
    }

    proptest! {
        #[test]
        fn a_guild_without_leaders_gets_one_and_nobody_is_passed_over(
            members in prop::collection::vec((0..5_u8, 0..99_i64, -50..1_000_i64), 1..20),
        ) {
            let members: Vec<_> = (1..)
                .zip(members)
                .map(|(id, (position, joined, seen))| of((id, position, joined, seen)))
                .collect();
            let chosen = successor(&members, NOW, AGO);
            let has_leader = members.iter().any(|member| member.position == LEADERS);
            prop_assert!(has_leader || chosen.is_some());
            if let Some(chosen) = members.iter().find(|member| Some(member.character_id) == chosen)
            {
                prop_assert!(chosen.position != LEADERS);
                let passed = members.iter().filter(|other| {
                    other.position != LEADERS
                        && other.is_active(NOW, AGO)
                        && (other.position, other.joined_at_micros)
                            < (chosen.position, chosen.joined_at_micros)
                });
                prop_assert_eq!(passed.count(), 0);
            }
        }
    }
}
