//! A trade between two: both offer, both lock, both confirm.
//!
//! Keeps true: any change of what is offered unlocks both and has another revision; who locks or
//! confirms names the revision it saw, so nobody gives for anything but what it saw when it locked.
//! Leaves out on purpose: who they are, where they stand, and whether the goods are there.

use super::{COPPER_MAX, EconomyError};

/// Most stacks a side offers.
pub const OFFERS_MAX: usize = 8;
/// How long a trade that was asked for can be agreed to, seconds.
pub const ASK_SECONDS: u32 = 30;
/// How long a trade goes on at most, seconds.
pub const TRADE_SECONDS: u32 = 300;

/// What one of the two offers, and how far it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Side {
    /// Copper.
    pub copper: u64,
    /// Stacks, each once.
    pub items: Vec<u64>,
    /// Whether it has locked what both offer.
    pub is_locked: bool,
    /// Whether it has confirmed.
    pub has_confirmed: bool,
}

/// Both sides: the one that asked, and the one that was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deal {
    /// See above.
    pub sides: [Side; 2],
    /// Grows with each change.
    pub revision: u32,
    /// Whether it was agreed to.
    pub is_open: bool,
}

/// What one of the two does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Agrees to trade.
    Agree,
    /// Offers a stack.
    Offer(u64),
    /// Takes a stack back.
    Withdraw(u64),
    /// Offers so much copper in place of what it offered before.
    Coins(u64),
    /// Locks what both offer by that revision.
    Lock(u32),
    /// Confirms what both have locked.
    Confirm(u32),
}

/// What comes of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It goes on.
    GoesOn,
    /// Both have confirmed: what is offered changes hands.
    Done,
}

/// One of the two sides, by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// The one that asked.
    Asker = 0,
    /// The one that was asked.
    Asked = 1,
}

impl Who {
    /// The other one.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Asker => Self::Asked,
            Self::Asked => Self::Asker,
        }
    }
}

impl Deal {
    /// A side.
    pub const fn side(&self, who: Who) -> &Side {
        &self.sides[who as usize]
    }

    const fn side_mut(&mut self, who: Who) -> &mut Side {
        &mut self.sides[who as usize]
    }

    /// Takes a step.
    ///
    /// # Errors
    /// In this order: `TradeOpen` or `TradeNotOpen`; for stacks `TradeOffered`, `TradeFull` or
    /// `TradeNotOffered`; for coins `AmountInvalid`; for locks `TradeChanged`, `TradeEmpty`,
    /// `TradeNotLocked`.
    pub fn step(&mut self, who: Who, step: Step) -> Result<Outcome, EconomyError> {
        if let Step::Agree = step {
            if self.is_open {
                return Err(EconomyError::TradeOpen);
            }
            if who == Who::Asker {
                return Err(EconomyError::TradeNotOpen);
            }
            self.is_open = true;
            return Ok(Outcome::GoesOn);
        }
        if !self.is_open {
            return Err(EconomyError::TradeNotOpen);
        }
        match step {
            Step::Agree => {}
            Step::Offer(item_id) => self.offer(who, item_id)?,
            Step::Withdraw(item_id) => self.withdraw(who, item_id)?,
            Step::Coins(copper) => self.coins(who, copper)?,
            Step::Lock(revision) => self.lock(who, revision)?,
            Step::Confirm(revision) => return self.confirm(who, revision),
        }
        Ok(Outcome::GoesOn)
    }

    fn offer(&mut self, who: Who, item_id: u64) -> Result<(), EconomyError> {
        let items = &mut self.side_mut(who).items;
        if items.contains(&item_id) {
            return Err(EconomyError::TradeOffered);
        }
        if items.len() >= OFFERS_MAX {
            return Err(EconomyError::TradeFull);
        }
        items.push(item_id);
        self.changed();
        Ok(())
    }

    fn withdraw(&mut self, who: Who, item_id: u64) -> Result<(), EconomyError> {
        let items = &mut self.side_mut(who).items;
        let Some(index) = items.iter().position(|known| *known == item_id) else {
            return Err(EconomyError::TradeNotOffered);
        };
        items.remove(index);
        self.changed();
        Ok(())
    }

    fn coins(&mut self, who: Who, copper: u64) -> Result<(), EconomyError> {
        if copper > COPPER_MAX {
            return Err(EconomyError::AmountInvalid);
        }
        if self.side(who).copper != copper {
            self.side_mut(who).copper = copper;
            self.changed();
        }
        Ok(())
    }

    fn changed(&mut self) {
        self.revision = self.revision.wrapping_add(1);
        for side in &mut self.sides {
            (side.is_locked, side.has_confirmed) = (false, false);
        }
    }

    fn lock(&mut self, who: Who, revision: u32) -> Result<(), EconomyError> {
        if revision != self.revision {
            return Err(EconomyError::TradeChanged);
        }
        if self.sides.iter().all(|side| side.copper == 0 && side.items.is_empty()) {
            return Err(EconomyError::TradeEmpty);
        }
        self.side_mut(who).is_locked = true;
        Ok(())
    }

    fn confirm(&mut self, who: Who, revision: u32) -> Result<Outcome, EconomyError> {
        if revision != self.revision {
            return Err(EconomyError::TradeChanged);
        }
        if !self.sides.iter().all(|side| side.is_locked) {
            return Err(EconomyError::TradeNotLocked);
        }
        self.side_mut(who).has_confirmed = true;
        let is_done = self.sides.iter().all(|side| side.has_confirmed);
        Ok(if is_done { Outcome::Done } else { Outcome::GoesOn })
    }
}

#[cfg(test)]
mod tests {
    use super::Who::{Asked, Asker};
    use super::*;
    use proptest::prelude::*;

    fn open() -> Deal {
        Deal { is_open: true, ..Deal::default() }
    }

    #[test]
    fn steps_are_taken_or_refused_in_order() {
        use EconomyError::{
            AmountInvalid, TradeChanged, TradeEmpty, TradeFull, TradeNotLocked, TradeNotOffered,
            TradeNotOpen, TradeOffered, TradeOpen,
        };
        let goes = Ok(Outcome::GoesOn);
        let mut deal = Deal::default();
        for (who, step, expected) in [
            (Asker, Step::Offer(1), Err(TradeNotOpen)),
            (Asker, Step::Lock(0), Err(TradeNotOpen)),
            (Asker, Step::Agree, Err(TradeNotOpen)),
            (Asked, Step::Agree, goes),
            (Asked, Step::Agree, Err(TradeOpen)),
            (Asker, Step::Lock(0), Err(TradeEmpty)),
            (Asker, Step::Confirm(0), Err(TradeNotLocked)),
            (Asker, Step::Withdraw(1), Err(TradeNotOffered)),
            (Asker, Step::Offer(1), goes),
            (Asker, Step::Offer(1), Err(TradeOffered)),
            (Asker, Step::Coins(COPPER_MAX + 1), Err(AmountInvalid)),
            (Asked, Step::Coins(50), goes),
            (Asker, Step::Lock(1), Err(TradeChanged)),
            (Asker, Step::Lock(2), goes),
            (Asker, Step::Confirm(2), Err(TradeNotLocked)),
            (Asked, Step::Lock(2), goes),
            (Asker, Step::Confirm(1), Err(TradeChanged)),
            (Asker, Step::Confirm(2), goes),
            // The same coins again are no change, other coins unlock both.
            (Asked, Step::Coins(50), goes),
            (Asked, Step::Coins(49), goes),
            (Asked, Step::Confirm(2), Err(TradeChanged)),
            (Asked, Step::Confirm(3), Err(TradeNotLocked)),
            (Asked, Step::Lock(3), goes),
            (Asker, Step::Lock(3), goes),
            (Asker, Step::Confirm(3), goes),
            (Asker, Step::Confirm(3), goes),
            (Asked, Step::Confirm(3), Ok(Outcome::Done)),
        ] {
            assert_eq!(deal.step(who, step), expected, "{who:?} {step:?}");
        }
        let mut deal = open();
        for item_id in 0..8 {
            assert_eq!(deal.step(Asker, Step::Offer(item_id)), goes);
        }
        assert_eq!(deal.step(Asker, Step::Offer(8)), Err(TradeFull));
    }

    fn any_step() -> impl Strategy<Value = (bool, Step)> {
        let step = prop_oneof![
            (0..4_u64).prop_map(Step::Offer),
            (0..4_u64).prop_map(Step::Withdraw),
            (0..3_u64).prop_map(Step::Coins),
            (0..2_u32).prop_map(Step::Lock),
            (0..2_u32).prop_map(Step::Lock),
            (0..2_u32).prop_map(Step::Confirm),
            (0..2_u32).prop_map(Step::Confirm),
        ];
        (any::<bool>(), step)
    }

    proptest! {
        #[test]
        fn nobody_gives_for_what_it_did_not_see_when_it_locked(
            steps in prop::collection::vec(any_step(), 0..200),
        ) {
            let mut deal = open();
            let mut seen = [None, None];
            let shown = |deal: &Deal| {
                deal.sides.clone().map(|side| (side.copper, side.items))
            };
            for (is_asker, step) in steps {
                let who = if is_asker { Asker } else { Asked };
                // Who is behind names an older revision.
                let late = |by: u32| deal.revision.wrapping_sub(by);
                let step = match step {
                    Step::Lock(by) => Step::Lock(late(by)),
                    Step::Confirm(by) => Step::Confirm(late(by)),
                    Step::Agree | Step::Offer(_) | Step::Withdraw(_) | Step::Coins(_) => step,
                };
                let before = deal.clone();
                let outcome = deal.step(who, step);
                if outcome.is_err() {
                    prop_assert_eq!(&before, &deal);
                    continue;
                }
                if let Step::Lock(_) = step {
                    seen[who as usize] = Some(shown(&deal));
                }
                if shown(&before) != shown(&deal) {
                    prop_assert_ne!(before.revision, deal.revision);
                    prop_assert!(deal.sides.iter().all(|side| !side.is_locked));
                }
                if outcome == Ok(Outcome::Done) {
                    for side in &seen {
                        prop_assert_eq!(side.as_ref(), Some(&shown(&deal)));
                    }
                    return Ok(());
                }
            }
        }
    }
}
