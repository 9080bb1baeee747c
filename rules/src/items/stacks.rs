//! Where in a holder's slots a lot goes: onto which stacks, into which free slots.
//!
//! Keeps true: the steps of a plan add up to the lot, none makes a stack too high, and none names
//! a slot twice.

use super::ItemError;

/// Where in a holder's slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spot {
    /// Added to stacks that have room for it, what is left in free slots, the first ones first.
    Anywhere,
    /// In that slot, which is free or holds a stack that it can be added to.
    Slot(u16),
}

/// A stack that lies there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct There {
    /// In which slot.
    pub slot: u16,
    /// Which one.
    pub item_id: u64,
    /// How many.
    pub count: u32,
    /// Whether the lot can be added to it: it is of the same kind and neither is marked.
    pub is_alike: bool,
}

/// A part of the lot, and where it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Into which slot.
    pub slot: u16,
    /// Onto which stack; none where the slot is free.
    pub onto: Option<u64>,
    /// How many, at least 1.
    pub count: u32,
}

/// Decides where `count` of something go. `there` is in the order of its slots.
///
/// # Errors
/// In this order: `CountInvalid`, `SlotInvalid`, `SlotTaken`, `NoRoom`.
pub fn plan(
    there: &[There],
    slots: u16,
    stack_max: u32,
    count: u32,
    spot: Spot,
) -> Result<Vec<Step>, ItemError> {
    if count == 0 {
        return Err(ItemError::CountInvalid);
    }
    match spot {
        Spot::Slot(slot) => Ok(vec![into_slot(there, slots, stack_max, count, slot)?]),
        Spot::Anywhere => anywhere(there, slots, stack_max, count),
    }
}

fn into_slot(
    there: &[There],
    slots: u16,
    stack_max: u32,
    count: u32,
    slot: u16,
) -> Result<Step, ItemError> {
    if slot >= slots {
        return Err(ItemError::SlotInvalid);
    }
    let Some(known) = there.iter().find(|known| known.slot == slot) else {
        let is_room = count <= stack_max;
        return if is_room { Ok(Step { slot, onto: None, count }) } else { Err(ItemError::NoRoom) };
    };
    if known.is_alike && count <= stack_max.saturating_sub(known.count) {
        Ok(Step { slot, onto: Some(known.item_id), count })
    } else {
        Err(ItemError::SlotTaken)
    }
}

fn anywhere(
    there: &[There],
    slots: u16,
    stack_max: u32,
    count: u32,
) -> Result<Vec<Step>, ItemError> {
    let mut left = count;
    let mut steps = vec![];
    for known in there.iter().filter(|known| known.is_alike) {
        let part = left.min(stack_max.saturating_sub(known.count));
        if part > 0 {
            left -= part;
            steps.push(Step { slot: known.slot, onto: Some(known.item_id), count: part });
        }
    }
    let free =
        (0..slots).filter(|slot| there.binary_search_by_key(slot, |known| known.slot).is_err());
    for slot in free {
        if left == 0 {
            break;
        }
        let part = left.min(stack_max.max(1));
        left -= part;
        steps.push(Step { slot, onto: None, count: part });
    }
    if left == 0 { Ok(steps) } else { Err(ItemError::NoRoom) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    const fn alike(slot: u16, count: u32) -> There {
        There { slot, item_id: 100 + slot as u64, count, is_alike: true }
    }

    const fn other(slot: u16) -> There {
        There { is_alike: false, ..alike(slot, 1) }
    }

    const fn step(slot: u16, onto: Option<u64>, count: u32) -> Step {
        Step { slot, onto, count }
    }

    #[test]
    fn a_lot_goes_onto_its_like_and_then_into_free_slots() {
        use ItemError::{CountInvalid, NoRoom, SlotInvalid, SlotTaken};
        let bag = [alike(0, 15), other(1), alike(3, 20)];
        for (count, spot, expected) in [
            (0, Spot::Anywhere, Err(CountInvalid)),
            (0, Spot::Slot(9), Err(CountInvalid)),
            (5, Spot::Anywhere, Ok(vec![step(0, Some(100), 5)])),
            (6, Spot::Anywhere, Ok(vec![step(0, Some(100), 5), step(2, None, 1)])),
            (
                45,
                Spot::Anywhere,
                Ok(vec![step(0, Some(100), 5), step(2, None, 20), step(4, None, 20)]),
            ),
            (46, Spot::Anywhere, Err(NoRoom)),
            (u32::MAX, Spot::Anywhere, Err(NoRoom)),
            (5, Spot::Slot(0), Ok(vec![step(0, Some(100), 5)])),
            (6, Spot::Slot(0), Err(SlotTaken)),
            (1, Spot::Slot(1), Err(SlotTaken)),
            (20, Spot::Slot(2), Ok(vec![step(2, None, 20)])),
            (21, Spot::Slot(2), Err(NoRoom)),
            (1, Spot::Slot(3), Err(SlotTaken)),
            (1, Spot::Slot(5), Err(SlotInvalid)),
            (1, Spot::Slot(u16::MAX), Err(SlotInvalid)),
        ] {
            assert_eq!(plan(&bag, 5, 20, count, spot), expected, "{count} {spot:?}");
        }
    }

    proptest! {
        #[test]
        fn a_plan_adds_up_and_fits(
            bag in prop::collection::btree_map(0..12_u16, (1..=20_u32, any::<bool>()), 0..12),
            slots in 1..12_u16,
            stack_max in 1..=20_u32,
            count in 0..200_u32,
            slot in prop::option::of(0..14_u16),
        ) {
            let there: Vec<There> = bag
                .iter()
                .map(|(slot, (count, is_alike))| There {
                    slot: *slot,
                    item_id: u64::from(*slot) + 1,
                    count: *count,
                    is_alike: *is_alike,
                })
                .collect();
            let spot = slot.map_or(Spot::Anywhere, Spot::Slot);
            let Ok(steps) = plan(&there, slots, stack_max, count, spot) else { return Ok(()) };
            prop_assert_eq!(steps.iter().map(|step| step.count).sum::<u32>(), count);
            let mut seen = BTreeSet::new();
            for step in steps {
                prop_assert!(step.count > 0);
                prop_assert!(seen.insert(step.slot), "a slot twice");
                let known = there.iter().find(|known| known.slot == step.slot);
                prop_assert_eq!(known.map(|known| known.item_id), step.onto);
                let before = known.map_or(0, |known| known.count);
                prop_assert!(before + step.count <= stack_max);
                prop_assert!(known.is_none_or(|known| known.is_alike));
                prop_assert!(known.is_some() || step.slot < slots);
            }
        }
    }
}
