//! What must hold after every command, whatever it was, and at the end of a run.

use std::collections::{BTreeMap, BTreeSet};

use super::realm::{Realm, slots_of};
use super::{Arena, DEFS, ITEMS, PurseKind, acts::Command};
use crate::economy::COPPER_MAX;
use crate::economy::book::{Level, Side, best, worth};
use crate::economy::market::step_of;
use crate::items::{FLAG_OFFERED, HolderKind};

/// Refusals that a run of the usual length has to meet.
const MET: [&str; 24] = [
    "command.id_invalid",
    "command.too_old",
    "command.reused",
    "economy.not_in_world",
    "economy.amount_invalid",
    "economy.coins_missing",
    "economy.frozen",
    "economy.trade_changed",
    "economy.trade_unknown",
    "item.unknown",
    "item.frozen",
    "item.locked",
    "item.bound",
    "item.count_invalid",
    "item.unique_taken",
    "item.no_room",
    "item.slot_taken",
    "mail.cod_differs",
    "mail.empty",
    "market.auction_own",
    "market.bid_too_low",
    "market.goods_missing",
    "market.order_own",
    "guild.items_spent",
];

type Sound = Result<(), String>;

fn ensure(holds: bool, problem: impl FnOnce() -> String) -> Sound {
    if holds { Ok(()) } else { Err(problem()) }
}

impl Realm {
    /// What is cheap to see: sums that are kept with each change.
    pub(super) fn judge(&mut self) -> Sound {
        if let Some(problem) = self.problem.take() {
            return Err(problem);
        }
        ensure(self.coins == 0, || format!("{} copper more than sources gave", self.coins))?;
        for (def, lying) in self.lying.iter().enumerate() {
            let def = u8::try_from(def).unwrap_or(u8::MAX);
            let (made, gone) = self.tallies.get(def).copied().unwrap_or_default();
            let left = i128::from(made) - i128::from(gone);
            ensure(*lying == left, || format!("{lying} of {def} lie, {left} were made"))?;
        }
        Ok(())
    }

    /// Everything, counted anew.
    pub(super) fn judge_all(&self) -> Sound {
        self.coins_add_up()?;
        self.stacks_lie_well()?;
        self.trades_are_sound()?;
        self.market_is_sound()?;
        self.letters_are_found()
    }

    fn coins_add_up(&self) -> Sound {
        let (mut given, mut held) = (0_i128, 0_i128);
        for ((kind, owner), copper) in self.purses.all() {
            if kind == PurseKind::Source {
                given += i128::from(*copper);
                continue;
            }
            held += i128::from(*copper);
            ensure(*copper <= COPPER_MAX, || format!("{kind:?} {owner} has {copper}"))?;
            let is_there = match kind {
                PurseKind::Mail => {
                    self.letters.has(owner) || self.held.all().any(|((_, mail), ())| mail == owner)
                }
                PurseKind::Auction => self.auctions.has(owner),
                PurseKind::Order => self.orders.has(owner),
                PurseKind::Wallet
                | PurseKind::Guild
                | PurseKind::LostAndFound
                | PurseKind::Source
                | PurseKind::Sink => true,
            };
            ensure(is_there, || format!("{kind:?} {owner} has {copper} and is nowhere"))?;
        }
        ensure(given == held, || format!("sources gave {given}, {held} are held or taken"))
    }

    fn stacks_lie_well(&self) -> Sound {
        let mut lying = [0_i128; DEFS];
        let mut uniques = BTreeSet::new();
        for (place, stack) in self.places.all() {
            let (kind, owner, slot) = place;
            let shape = &ITEMS[usize::from(stack.def)].shape;
            let told = || format!("{stack:?} at {place:?}");
            ensure((1..=shape.stack_max).contains(&stack.count), told)?;
            ensure(slot < slots_of(kind), told)?;
            ensure(self.whereabouts.get(stack.item_id) == Some(&place), told)?;
            ensure(stack.bound_to == 0 || kind.takes_bound(owner, stack.bound_to), told)?;
            ensure(kind != HolderKind::Trade, told)?;
            let is_there = match kind {
                HolderKind::Auction => self.auctions.has(owner),
                HolderKind::Order => self.orders.has(owner),
                HolderKind::Mail => {
                    self.letters.has(owner) || self.held.all().any(|((_, mail), ())| mail == owner)
                }
                HolderKind::Destroyed => self.destroyed.has((owner, stack.item_id)),
                HolderKind::BuyBack => self.sold.has(stack.item_id),
                HolderKind::Bag
                | HolderKind::Equipment
                | HolderKind::Loot
                | HolderKind::GuildTab
                | HolderKind::LostAndFound
                | HolderKind::Trade => true,
            };
            ensure(is_there, || format!("{} belongs to nothing", told()))?;
            if shape.is_unique && kind.is_own() {
                ensure(uniques.insert((owner, stack.def)), told)?;
            }
            lying[usize::from(stack.def)] += i128::from(stack.count);
        }
        let both = (self.places.len(), self.whereabouts.len());
        ensure(both.0 == both.1, || format!("{both:?} places and stacks"))?;
        ensure(lying == self.lying, || format!("{lying:?}, not {:?}", self.lying))
    }

    /// What is marked as offered is offered in one trade, and the other way round.
    fn trades_are_sound(&self) -> Sound {
        let mut offered = BTreeSet::new();
        for (trade_id, trade) in self.trades.all() {
            for (side, own) in trade.deal.sides.iter().zip(trade.both) {
                let told = || format!("{trade_id} {trade:?}");
                ensure(self.trading.get(own) == Some(&trade_id), told)?;
                for item_id in &side.items {
                    let place = self.whereabouts.get(*item_id);
                    let is_own = place.is_some_and(|at| (at.0, at.1) == (HolderKind::Bag, own));
                    ensure(is_own && offered.insert(*item_id), told)?;
                }
            }
        }
        let is_marked = |flags: u8| flags & FLAG_OFFERED != 0;
        let marked = self.places.all().filter(|(_, stack)| is_marked(stack.flags));
        let marked: BTreeSet<u64> = marked.map(|(_, stack)| stack.item_id).collect();
        ensure(marked == offered, || format!("{marked:?} are marked, {offered:?} offered"))?;
        let both = (self.trading.len(), self.trades.len() * 2);
        ensure(both.0 == both.1, || format!("{both:?} who trade"))
    }

    fn market_is_sound(&self) -> Sound {
        for (auction_id, auction) in self.auctions.all() {
            let told = || format!("auction {auction_id}: {auction:?}");
            let copper = self.copper((PurseKind::Auction, auction_id));
            ensure(copper == auction.bid_copper + auction.deposit_copper, told)?;
            ensure(self.contents((HolderKind::Auction, auction_id)).len() == 1, told)?;
        }
        let mut levels: BTreeMap<_, (u64, u32)> = BTreeMap::new();
        for (order_id, order) in self.orders.all() {
            let told = || format!("order {order_id}: {order:?}");
            let copper = self.copper((PurseKind::Order, order_id));
            let stacks = self.contents((HolderKind::Order, order_id));
            let pieces: u32 = stacks.iter().map(|stack| stack.count).sum();
            let (coins, goods) = match order.side {
                Side::Buy => (worth(order.price_copper, order.remaining), 0),
                Side::Sell => (0, order.remaining),
            };
            ensure(copper == coins + order.coins_due, told)?;
            ensure(pieces == goods + order.goods_due, told)?;
            if order.remaining > 0 {
                let step = step_of(order.price_copper).map_err(|_| told())?;
                let level = levels.entry((order.def, order.side, step)).or_default();
                *level = (level.0 + u64::from(order.remaining), level.1 + 1);
            }
        }
        let known = self.levels.all().map(|(key, level)| (key, (level.count, level.orders)));
        let known: BTreeMap<_, _> = known.collect();
        ensure(known == levels, || format!("{known:?} at the steps, {levels:?} wait"))?;
        self.books_do_not_cross()
    }

    fn books_do_not_cross(&self) -> Sound {
        for def in 0..u8::try_from(DEFS).unwrap_or(0) {
            let shelf = Seen { realm: self, def };
            let (buy, sell) = (best(&shelf, Side::Buy), best(&shelf, Side::Sell));
            let cross = buy.zip(sell).is_some_and(|(buy, sell)| buy.0 >= sell.0);
            // Left behind only where more could be met than one call meets, and then it went back.
            ensure(!cross, || format!("{def}: {buy:?} and {sell:?} could meet"))?;
        }
        Ok(())
    }

    fn letters_are_found(&self) -> Sound {
        for (mail_id, mail) in self.letters.all() {
            let is_found =
                self.boxes.has((mail.to, mail_id)) && self.letters_due.has((mail.due_at, mail_id));
            ensure(is_found, || format!("letter {mail_id}: {mail:?}"))?;
        }
        let both = (self.letters.len(), self.boxes.len(), self.letters_due.len());
        ensure(both.0 == both.1 && both.0 == both.2, || format!("{both:?} letters"))
    }
}

/// A book that is only looked at.
struct Seen<'a> {
    realm: &'a Realm,
    def: u8,
}

impl crate::economy::book::Shelf for Seen<'_> {
    fn top(&self, side: Side) -> u128 {
        self.realm.tops.get((self.def, side)).copied().unwrap_or(0)
    }

    fn set_top(&mut self, _: Side, _: u128) {}

    fn word(&self, side: Side, word: u8) -> u128 {
        self.realm.words.get((self.def, side, word)).copied().unwrap_or(0)
    }

    fn set_word(&mut self, _: Side, _: u8, _: u128) {}

    fn level(&self, side: Side, step: u16) -> Level {
        self.realm.levels.get((self.def, side, step)).copied().unwrap_or_default()
    }

    fn set_level(&mut self, _: Side, _: u16, _: Level) {}

    fn links(&self, order_id: u64) -> crate::economy::book::Links {
        self.realm.links.get(order_id).copied().unwrap_or_default()
    }

    fn set_links(&mut self, _: u64, _: Option<crate::economy::book::Links>) {}
}

impl Arena {
    /// A run in which nothing happens proves nothing.
    pub(super) fn judge_run(&self, commands: u64) {
        if commands < super::COMMANDS {
            return;
        }
        let count = &self.count;
        assert_eq!(count.done.len(), Command::NAMES, "each is done: {count:?}");
        for code in MET {
            assert!(count.refused.contains_key(code), "{code}: {count:?}");
        }
        let (done, refused): (u64, u64) = (count.done.values().sum(), count.refused.values().sum());
        assert!(done > commands / 5 && refused > commands / 5, "{done} {refused}");
        assert!(count.repeated > commands / 100, "{}", count.repeated);
    }
}
