//! Trades between two.

use super::realm::{Realm, Trade, check_gives, sink, wallet};
use super::{CHARACTERS, Done, goods::TAX_BPS};
use crate::economy::prices::share_up;
use crate::economy::trade::{ASK_SECONDS, Deal, Outcome, Step, TRADE_SECONDS, Who};
use crate::economy::{EconomyError, Sink};
use crate::items::stacks::Spot;
use crate::items::{FLAG_OFFERED, HolderKind};

const BOTH: [Who; 2] = [Who::Asker, Who::Asked];

fn micros(seconds: u32) -> i64 {
    i64::from(seconds) * 1_000_000
}

impl Realm {
    pub(super) fn ask(&mut self, own: u64, other: u64) -> Done {
        if own == other {
            return Err(EconomyError::TradeSelf.into());
        }
        if !(1..=CHARACTERS).contains(&other) || self.away.has(other) {
            return Err(EconomyError::TradePartnerUnknown.into());
        }
        if self.trading.has(own) || self.trading.has(other) {
            return Err(EconomyError::TradeBusy.into());
        }
        let (trade_id, ends_at) = (self.next_id(), self.now + micros(ASK_SECONDS));
        let trade = Trade { both: [own, other], deal: Deal::default(), ends_at };
        self.trades.put(trade_id, Some(trade));
        for character in [own, other] {
            self.trading.put(character, Some(trade_id));
        }
        Ok(())
    }

    fn trade_of(&self, own: u64) -> Done<(u64, Trade, Who)> {
        let trade_id = *self.trading.get(own).ok_or(EconomyError::TradeUnknown)?;
        let trade = self.trades.get(trade_id).cloned().ok_or(EconomyError::TradeUnknown)?;
        if self.now >= trade.ends_at {
            return Err(EconomyError::TradeOver.into());
        }
        let who = if trade.both[0] == own { Who::Asker } else { Who::Asked };
        Ok((trade_id, trade, who))
    }

    /// Takes a step; one that is refused leaves the deal as it was.
    fn step(&mut self, deal: &mut Deal, who: Who, step: Step) -> Done<Outcome> {
        let before = deal.clone();
        let outcome = deal.step(who, step);
        if outcome.is_err() && *deal != before {
            self.problem.get_or_insert(format!("{step:?} was refused, but changed {before:?}"));
        }
        Ok(outcome?)
    }

    pub(super) fn answer(&mut self, own: u64, trade_id: u64, accepts: bool) -> Done {
        let (known, mut trade, who) = self.trade_of(own)?;
        if known != trade_id {
            return Err(EconomyError::TradeUnknown.into());
        }
        self.step(&mut trade.deal, who, Step::Agree)?;
        trade.ends_at = self.now + micros(TRADE_SECONDS);
        if accepts {
            self.trades.put(trade_id, Some(trade));
        } else {
            self.end_trade_of(own);
        }
        Ok(())
    }

    pub(super) fn offer(&mut self, own: u64, item_id: u64) -> Done {
        let (trade_id, mut trade, who) = self.trade_of(own)?;
        self.step(&mut trade.deal, who, Step::Offer(item_id))?;
        let stack = self.stack_in(&[(HolderKind::Bag, own)], item_id)?;
        check_gives(&stack)?;
        self.mark(item_id, FLAG_OFFERED, true);
        self.trades.put(trade_id, Some(trade));
        Ok(())
    }

    pub(super) fn withdraw_offer(&mut self, own: u64, item_id: u64) -> Done {
        let (trade_id, mut trade, who) = self.trade_of(own)?;
        self.step(&mut trade.deal, who, Step::Withdraw(item_id))?;
        self.mark(item_id, FLAG_OFFERED, false);
        self.trades.put(trade_id, Some(trade));
        Ok(())
    }

    pub(super) fn offer_coins(&mut self, own: u64, copper: u64) -> Done {
        let (trade_id, mut trade, who) = self.trade_of(own)?;
        self.step(&mut trade.deal, who, Step::Coins(copper))?;
        if self.copper(wallet(own)) < copper {
            return Err(EconomyError::CoinsMissing.into());
        }
        self.trades.put(trade_id, Some(trade));
        Ok(())
    }

    pub(super) fn lock(&mut self, own: u64, revision: u32) -> Done {
        let (trade_id, mut trade, who) = self.trade_of(own)?;
        self.step(&mut trade.deal, who, Step::Lock(revision))?;
        self.trades.put(trade_id, Some(trade));
        Ok(())
    }

    pub(super) fn confirm(&mut self, own: u64, trade_id: u64, revision: u32) -> Done {
        let (known, mut trade, who) = self.trade_of(own)?;
        if known != trade_id {
            return Err(EconomyError::TradeUnknown.into());
        }
        match self.step(&mut trade.deal, who, Step::Confirm(revision))? {
            Outcome::GoesOn => {
                self.trades.put(trade_id, Some(trade));
                Ok(())
            }
            Outcome::Done => self.exchange(trade_id, &trade),
        }
    }

    fn exchange(&mut self, trade_id: u64, trade: &Trade) -> Done {
        let [asker, asked] = trade.both;
        self.end_trade_of(asker);
        let between = (HolderKind::Trade, trade_id);
        for (who, to) in [(Who::Asker, between), (Who::Asked, (HolderKind::Bag, asker))] {
            let from = (HolderKind::Bag, trade.both[who as usize]);
            for item_id in &trade.deal.side(who).items {
                let stack = self.stack_in(&[from], *item_id)?;
                check_gives(&stack)?;
                self.take(&stack, stack.count, to, Spot::Anywhere)?;
            }
        }
        for stack in self.contents(between) {
            self.take(&stack, stack.count, (HolderKind::Bag, asked), Spot::Anywhere)?;
        }
        for who in BOTH {
            let copper = trade.deal.side(who).copper;
            let tax = share_up(copper, TAX_BPS).min(copper);
            let from = wallet(trade.both[who as usize]);
            let to = wallet(trade.both[who.other() as usize]);
            for (to, copper) in [(to, copper - tax), (sink(Sink::Tax), tax)] {
                if copper > 0 {
                    self.pay(from, to, copper)?;
                }
            }
        }
        Ok(())
    }

    pub(super) fn cancel_trade(&mut self, own: u64) -> Done {
        if self.end_trade_of(own) { Ok(()) } else { Err(EconomyError::TradeUnknown.into()) }
    }

    /// Ends the trade that somebody is in, if it is in one.
    pub(super) fn end_trade_of(&mut self, own: u64) -> bool {
        let Some(trade_id) = self.trading.get(own).copied() else { return false };
        let trade = self.trades.get(trade_id).cloned().expect("a trade of two has a row");
        for who in BOTH {
            for item_id in &trade.deal.side(who).items {
                self.mark(*item_id, FLAG_OFFERED, false);
            }
            self.trading.put(trade.both[who as usize], None);
        }
        self.trades.put(trade_id, None);
        true
    }

    /// Trades whose time is over.
    pub(super) fn trades_run(&mut self) {
        let now = self.now;
        let over = self.trades.all().filter(|(_, trade)| trade.ends_at <= now);
        let over: Vec<u64> = over.map(|(_, trade)| trade.both[0]).collect();
        for asker in over {
            self.end_trade_of(asker);
        }
    }
}
