//! Initiative: in which order things happen that fall into the same tick.
//!
//! Keeps true: the order depends on rolls, scores and ids alone, and never on how rows happen to
//! lie.

use super::check::{Throw, Total, throw};
use super::dice::Roller;

/// Somebody who acts in a tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// What it rolled when the fight began, modifiers included.
    pub initiative: i32,
    /// Its score of dexterity, which parts equals.
    pub dexterity: i8,
    /// Who; parts all others, the lower first.
    pub entity_id: u64,
}

/// Rolls for initiative: a check of dexterity (SRD 5.1, "Combat", Initiative).
pub fn roll_initiative<'a>(of: &Throw<'a>, roller: &mut dyn Roller) -> Total<'a> {
    throw(of, roller)
}

/// Puts those who act in the same tick in order: the highest first.
pub fn order(places: &mut [Place]) {
    places.sort_unstable_by(|one, other| {
        let rank = |place: &Place| (place.initiative, place.dexterity);
        rank(other).cmp(&rank(one)).then(one.entity_id.cmp(&other.entity_id))
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn place((initiative, dexterity, entity_id): (i32, i8, u64)) -> Place {
        Place { initiative, dexterity, entity_id }
    }

    #[test]
    fn the_highest_act_first() {
        let mut places = [(9, 18, 1), (15, 10, 4), (15, 12, 3), (15, 10, 2)].map(place);
        order(&mut places);
        assert_eq!(places.map(|place| place.entity_id), [3, 2, 4, 1]);
    }

    proptest! {
        #[test]
        fn the_order_does_not_depend_on_where_they_stood(
            rolls in prop::collection::vec((1_i32..5, 8_i8..12), 1..12),
            turn in 0_usize..12,
        ) {
            let with_ids = (0..).zip(&rolls);
            let mut one: Vec<Place> =
                with_ids.map(|(id, (roll, dexterity))| place((*roll, *dexterity, id))).collect();
            let mut other = one.clone();
            other.rotate_left(turn % rolls.len());
            order(&mut one);
            order(&mut other);
            prop_assert_eq!(one, other);
        }
    }
}
