//! What a party shares: experience, and turns to take.
//!
//! Keeps true: what is shared is given in whole and once.

use crate::combat::experience::shares;

/// Somebody, or a party, who contributed to a creature's end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// How much: of a party, of all who struck and are near.
    pub contribution: u64,
    /// Who shares in it: of a party all members near, whether they struck or not.
    pub members: Vec<u64>,
}

/// Divides a reward: among claims by contribution, within one in equal parts, the first ones one
/// more where it does not come out even. A claim of nobody gets nothing; the parts sum to the whole
/// where there is anybody.
pub fn divide(whole: u32, claims: &[Claim]) -> Vec<(u64, u32)> {
    let claims: Vec<&Claim> = claims.iter().filter(|claim| !claim.members.is_empty()).collect();
    let contributions: Vec<u64> = claims.iter().map(|claim| claim.contribution).collect();
    let parts = shares(whole, &contributions);
    let within = |(claim, part): (&&Claim, u32)| {
        let equal = vec![0; claim.members.len()];
        claim.members.iter().copied().zip(shares(part, &equal)).collect::<Vec<_>>()
    };
    claims.iter().zip(parts).flat_map(within).collect()
}

/// Whose turn it is: of those who are eligible the next after who had the last one, in the order in
/// which they became members, from the first again after the last. None where nobody is eligible.
pub fn next_in_turn(members: &[u64], eligible: &[u64], last_id: u64) -> Option<u64> {
    let last = members.iter().position(|member| *member == last_id);
    let after = last.map_or(0, |at| at + 1);
    let in_turn = members.iter().cycle().skip(after).take(members.len());
    in_turn.copied().find(|member| eligible.contains(member))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn claim(contribution: u64, members: &[u64]) -> Claim {
        Claim { contribution, members: members.to_vec() }
    }

    #[test]
    fn rewards_are_divided_by_claims_and_then_evenly() {
        for (whole, claims, expected) in [
            (100, vec![claim(7, &[1])], vec![(1, 100)]),
            (100, vec![claim(7, &[1, 2, 3])], vec![(1, 34), (2, 33), (3, 33)]),
            (100, vec![claim(30, &[1, 2]), claim(10, &[3])], vec![(1, 38), (2, 37), (3, 25)]),
            (1, vec![claim(30, &[1, 2]), claim(10, &[3])], vec![(1, 1), (2, 0), (3, 0)]),
            (100, vec![claim(30, &[]), claim(10, &[3])], vec![(3, 100)]),
            (100, vec![], vec![]),
        ] {
            assert_eq!(divide(whole, &claims), expected, "{whole} {claims:?}");
        }
    }

    #[test]
    fn turns_go_round() {
        let members = [4, 2, 9];
        for (eligible, last, expected) in [
            (&[4, 2, 9][..], 0, Some(4)),
            (&[4, 2, 9], 4, Some(2)),
            (&[4, 2, 9], 9, Some(4)),
            (&[4, 9], 4, Some(9)),
            (&[4], 4, Some(4)),
            (&[7], 4, None),
            (&[], 4, None),
            // Who had the last one has left.
            (&[4, 2, 9], 77, Some(4)),
        ] {
            assert_eq!(next_in_turn(&members, eligible, last), expected, "{eligible:?} {last}");
        }
        assert_eq!(next_in_turn(&[], &[1], 1), None);
    }

    proptest! {
        #[test]
        fn what_is_divided_is_given_in_whole(
            whole in any::<u32>(),
            sizes in prop::collection::vec((any::<u64>(), 0..6_u64), 1..20),
        ) {
            let claims: Vec<Claim> = sizes
                .iter()
                .enumerate()
                .map(|(at, (contribution, size))| {
                    let first = u64::try_from(at).expect("small") * 100;
                    claim(*contribution, &(first..first + size).collect::<Vec<_>>())
                })
                .collect();
            let given: u64 = divide(whole, &claims).iter().map(|(_, part)| u64::from(*part)).sum();
            let is_anybody = sizes.iter().any(|(_, size)| *size > 0);
            prop_assert_eq!(given, if is_anybody { u64::from(whole) } else { 0 });
        }

        #[test]
        fn everybody_has_a_turn_before_anybody_has_another(size in 1..40_u64) {
            let members: Vec<u64> = (1..=size).collect();
            let mut last = 0;
            let mut had = vec![];
            for _ in 0..size {
                last = next_in_turn(&members, &members, last).expect("somebody");
                had.push(last);
            }
            had.sort_unstable();
            prop_assert_eq!(had, members);
        }
    }
}
