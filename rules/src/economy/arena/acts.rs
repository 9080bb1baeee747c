//! What can be tried: by half of it what makes sense, by half what does not.

use super::realm::{Realm, wallet};
use super::{Arena, CHARACTERS, DEFS, Def, Done, account_of};
use crate::economy::EconomyError;
use crate::economy::book::Side;
use crate::economy::market::Asked;
use crate::guilds::bank::tab_id;
use crate::items::HolderKind;

/// A command, with whatever arguments.
#[derive(Clone, Debug, Hash)]
pub(super) enum Command {
    Move(u64, u32, Option<u16>),
    Equip(u64, u16),
    Unequip(u64),
    Destroy(u64, u32),
    Restore(u64),
    Buy(Def, u32, u64),
    Sell(u64, u32, u64),
    BuyBack(u64),
    PutGoods(u64, u32, u8),
    TakeGoods(u64, u32),
    PutCoins(u64),
    TakeCoins(u64),
    StaffGives(u64, u64),
    StaffTakes(u64, u64),
    Gift(u64, Def, u32),
    Freeze(u64, u64, bool),
    Send(u64, Vec<(u64, u32)>, u64, u64),
    TakeMail(u64, u64, u64),
    TakeAll,
    SendBack(u64),
    Delete(u64),
    Claim,
    Ask(u64),
    Answer(u64, bool),
    Offer(u64),
    Withdraw(u64),
    OfferCoins(u64),
    Lock(u32),
    Confirm(u64, u32),
    CancelTrade,
    CreateAuction(u64, u32, (u64, u64, u8)),
    Bid(u64, u64),
    Buyout(u64),
    CancelAuction(u64),
    Place(Def, bool, u64, u32),
    CancelOrder(u64),
    Collect,
    Leave,
    Enter,
}

impl Command {
    /// What it is called.
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Move(..) => "move",
            Self::Equip(..) => "equip",
            Self::Unequip(..) => "unequip",
            Self::Destroy(..) => "destroy",
            Self::Restore(..) => "restore",
            Self::Buy(..) => "buy",
            Self::Sell(..) => "sell",
            Self::BuyBack(..) => "buy back",
            Self::PutGoods(..) => "put goods",
            Self::TakeGoods(..) => "take goods",
            Self::PutCoins(..) => "put coins",
            Self::TakeCoins(..) => "take coins",
            Self::StaffGives(..) => "staff gives",
            Self::StaffTakes(..) => "staff takes",
            Self::Gift(..) => "gift",
            Self::Freeze(..) => "freeze",
            Self::Send(..) => "send",
            Self::TakeMail(..) => "take mail",
            Self::TakeAll => "take all",
            Self::SendBack(..) => "send back",
            Self::Delete(..) => "delete",
            Self::Claim => "claim",
            Self::Ask(..) => "ask",
            Self::Answer(..) => "answer",
            Self::Offer(..) => "offer",
            Self::Withdraw(..) => "withdraw",
            Self::OfferCoins(..) => "offer coins",
            Self::Lock(..) => "lock",
            Self::Confirm(..) => "confirm",
            Self::CancelTrade => "cancel trade",
            Self::CreateAuction(..) => "create auction",
            Self::Bid(..) => "bid",
            Self::Buyout(..) => "buyout",
            Self::CancelAuction(..) => "cancel auction",
            Self::Place(..) => "place",
            Self::CancelOrder(..) => "cancel order",
            Self::Collect => "collect",
            Self::Leave => "leave",
            Self::Enter => "enter",
        }
    }

    /// Every name, so that a run is noticed in which one of them never succeeds.
    pub(super) const NAMES: usize = 39;

    /// Who does not play does nothing.
    pub(super) fn run(&self, realm: &mut Realm, own: u64) -> Done {
        let is_staff = matches!(
            self,
            Self::StaffGives(..) | Self::StaffTakes(..) | Self::Gift(..) | Self::Freeze(..)
        );
        if !is_staff && !matches!(self, Self::Enter) && realm.away.has(own) {
            return Err(EconomyError::CharacterAbsent.into());
        }
        match *self {
            Self::Move(item, count, slot) => realm.move_within(own, item, count, slot),
            Self::Equip(item, slot) => realm.equip(own, item, slot),
            Self::Unequip(item) => realm.unequip(own, item),
            Self::Destroy(item, count) => realm.destroy(own, item, count),
            Self::Restore(item) => realm.restore(own, item),
            Self::Buy(def, count, most) => realm.buy(own, def, count, most),
            Self::Sell(item, count, least) => realm.sell(own, item, count, least),
            Self::BuyBack(item) => realm.buy_back(own, item),
            Self::PutGoods(item, count, tab) => realm.put_goods(own, item, count, tab),
            Self::TakeGoods(item, count) => realm.take_goods(own, item, count),
            Self::PutCoins(copper) => realm.put_coins(own, copper),
            Self::TakeCoins(copper) => realm.take_coins(own, copper),
            Self::StaffGives(of, copper) => realm.staff_coins(of, copper, true),
            Self::StaffTakes(of, copper) => realm.staff_coins(of, copper, false),
            Self::Gift(to, def, count) => realm.gift(to, def, count),
            Self::Freeze(item, of, is_frozen) => realm.freeze(item, of, is_frozen),
            Self::Send(to, ref attached, copper, cod) => {
                realm.send(own, to, attached, (copper, cod))
            }
            Self::TakeMail(mail, item, cod) => realm.take_mail(own, mail, item, cod),
            Self::TakeAll => realm.take_all(own),
            Self::SendBack(mail) => realm.send_back(own, mail),
            Self::Delete(mail) => realm.delete(own, mail),
            Self::Claim => realm.claim(own),
            Self::Ask(other) => realm.ask(own, other),
            Self::Answer(trade, accepts) => realm.answer(own, trade, accepts),
            Self::Offer(item) => realm.offer(own, item),
            Self::Withdraw(item) => realm.withdraw_offer(own, item),
            Self::OfferCoins(copper) => realm.offer_coins(own, copper),
            Self::Lock(revision) => realm.lock(own, revision),
            Self::Confirm(trade, revision) => realm.confirm(own, trade, revision),
            Self::CancelTrade => realm.cancel_trade(own),
            Self::CreateAuction(item, count, (bid_copper, buyout_copper, hours)) => {
                realm.create_auction(own, (item, count), Asked { bid_copper, buyout_copper, hours })
            }
            Self::Bid(auction, copper) => realm.bid(own, auction, copper),
            Self::Buyout(auction) => realm.buyout(own, auction),
            Self::CancelAuction(auction) => realm.cancel_auction(own, auction),
            Self::Place(def, is_buy, price, count) => {
                realm.place(own, (def, Side::of(is_buy)), price, count)
            }
            Self::CancelOrder(order) => realm.cancel_order(own, order),
            Self::Collect => realm.collect_all(own),
            Self::Leave => {
                realm.end_trade_of(own);
                realm.away.put(own, Some(()));
                Ok(())
            }
            Self::Enter => {
                realm.away.put(own, None);
                Ok(())
            }
        }
    }
}

/// The first row whose number is that or a higher one.
macro_rules! any_of {
    ($rows:expr, $from:expr) => {{
        let from = $from;
        $rows.range(from..).next().map_or(0, |(key, _)| key)
    }};
}

impl Arena {
    /// A command that somebody thinks of.
    pub(super) fn invent(&mut self, own: u64) -> Command {
        if self.realm.away.has(own) && self.chance.one_in(2) {
            return Command::Enter;
        }
        if self.realm.trading.has(own) && self.chance.one_in(2) {
            return self.about_trades(own);
        }
        match self.chance.below(100) {
            0..=24 => self.about_bags(own),
            25..=44 => self.about_letters(own),
            45..=64 => self.about_trades(own),
            65..=81 => self.about_auctions(own),
            82..=94 => self.about_orders(own),
            _ => self.of_staff(),
        }
    }

    fn about_bags(&mut self, own: u64) -> Command {
        let (item, has) = self.stack((HolderKind::Bag, own));
        let count = self.count_of(has);
        let account = account_of(own);
        match self.chance.below(13) {
            0 => {
                let slot = u16::try_from(self.chance.below(25)).unwrap_or(0);
                let slot = if self.chance.one_in(50) { u16::MAX } else { slot };
                Command::Move(item, count, self.chance.one_in(2).then_some(slot))
            }
            1 => Command::Equip(item, u16::try_from(self.chance.below(20)).unwrap_or(0)),
            2 => Command::Unequip(self.stack((HolderKind::Equipment, own)).0),
            3 => Command::Destroy(item, count),
            4 => Command::Restore(self.stack((HolderKind::Destroyed, account)).0),
            5 | 6 => {
                let most = if self.chance.one_in(3) { self.copper(own) } else { u64::MAX };
                Command::Buy(self.def(), self.count_of(12), most)
            }
            7 | 8 => {
                let least = if self.chance.one_in(3) { self.copper(own) } else { 0 };
                Command::Sell(item, count, least)
            }
            9 => Command::BuyBack(self.stack((HolderKind::BuyBack, own)).0),
            10 => {
                let tab = if self.chance.one_in(10) { u8::MAX } else { 0 };
                Command::PutGoods(item, count, tab)
            }
            11 => {
                let tab = tab_id(own % super::GUILDS + 1, 0);
                let (item, has) = self.stack((HolderKind::GuildTab, tab));
                Command::TakeGoods(item, self.count_of(has))
            }
            _ if self.chance.one_in(2) => Command::PutCoins(self.copper(own)),
            _ => Command::TakeCoins(self.copper(own)),
        }
    }

    fn about_letters(&mut self, own: u64) -> Command {
        let letters = self.realm.letters_of(own);
        let mail = self.chance.pick(&letters).unwrap_or(0);
        let mail =
            if self.chance.one_in(8) { any_of!(self.realm.letters, self.any()) } else { mail };
        match self.chance.below(12) {
            0..=3 => {
                let mut attached = vec![];
                for _ in 0..self.chance.below(4) {
                    let (item, has) = self.stack((HolderKind::Bag, own));
                    attached.push((item, self.count_of(has)));
                }
                if self.chance.one_in(50) {
                    attached = vec![(1, 1); 14];
                }
                let (copper, cod) = match self.chance.below(4) {
                    0 => (self.copper(own), 0),
                    1 => (0, self.copper(own)),
                    2 => (0, 0),
                    _ => (1, u64::from(self.chance.one_in(5))),
                };
                Command::Send(self.somebody(), attached, copper, cod)
            }
            4..=6 => {
                let asked = self.realm.letters.get(mail).map_or(0, |mail| mail.cod_copper);
                let cod = if self.chance.one_in(6) { self.copper(own) } else { asked };
                let (item, _) = self.stack((HolderKind::Mail, mail));
                let item = if self.chance.one_in(3) { item } else { 0 };
                Command::TakeMail(mail, item, cod)
            }
            7 | 8 => Command::TakeAll,
            9 => Command::SendBack(mail),
            10 => Command::Delete(mail),
            _ => Command::Claim,
        }
    }

    fn about_trades(&mut self, own: u64) -> Command {
        let trade_id = self.realm.trading.get(own).copied();
        let trade = trade_id.and_then(|trade_id| self.realm.trades.get(trade_id)).cloned();
        let (Some(trade_id), Some(trade)) = (trade_id, trade) else {
            let (item, _) = self.stack((HolderKind::Bag, own));
            return match self.chance.below(12) {
                0 => Command::Answer(any_of!(self.realm.trades, self.any()), true),
                1 => Command::Offer(item),
                2 => Command::Confirm(any_of!(self.realm.trades, self.any()), 0),
                3 => Command::CancelTrade,
                _ => Command::Ask(self.somebody()),
            };
        };
        let revision = match self.chance.below(10) {
            0 => trade.deal.revision.wrapping_sub(1),
            1 => u32::MAX,
            _ => trade.deal.revision,
        };
        if !trade.deal.is_open && self.chance.one_in(2) {
            return Command::Answer(trade_id, !self.chance.one_in(8));
        }
        let mine = &trade.deal.sides[usize::from(trade.both[1] == own)].items;
        match self.chance.below(24) {
            0..=5 => Command::Lock(revision),
            6..=14 => Command::Confirm(trade_id, revision),
            15 => Command::Withdraw(self.chance.pick(mine).unwrap_or(1)),
            16..=20 => Command::Offer(self.stack((HolderKind::Bag, own)).0),
            21 | 22 => Command::OfferCoins(self.copper(own)),
            _ => Command::CancelTrade,
        }
    }

    fn about_auctions(&mut self, own: u64) -> Command {
        let auction = any_of!(self.realm.auctions, self.any());
        let known = self.realm.auctions.get(auction).copied();
        match self.chance.below(8) {
            0 | 1 => {
                let (item, has) = self.stack((HolderKind::Bag, own));
                let bid = self.price();
                let buyout =
                    if self.chance.one_in(2) { 0 } else { bid.saturating_add(self.price()) };
                let hours = [12, 24, 48, 0].into_iter().nth(usize::from(self.chance.one_in(3)));
                let hours = if self.chance.one_in(20) { 0 } else { hours.unwrap_or(48) };
                Command::CreateAuction(item, self.count_of(has), (bid, buyout, hours))
            }
            2..=4 => {
                let least = known.map_or(1, |auction| auction.next_bid_copper);
                let copper = match self.chance.below(4) {
                    0 => self.copper(own),
                    1 => least.saturating_sub(1),
                    _ => least.saturating_add(self.chance.below(20)),
                };
                Command::Bid(auction, copper)
            }
            5 => Command::Buyout(auction),
            _ if self.chance.one_in(2) => {
                let own = self.realm.auctions.all().find(|(_, auction)| auction.seller == own);
                Command::CancelAuction(own.map_or(auction, |(auction_id, _)| auction_id))
            }
            _ => Command::Bid(auction, self.price()),
        }
    }

    fn about_orders(&mut self, own: u64) -> Command {
        let orders = self.realm.orders_of.range((own, 0)..=(own, u64::MAX));
        let orders: Vec<u64> = orders.map(|((_, order_id), ())| order_id).collect();
        let order = self.chance.pick(&orders).unwrap_or(1);
        match self.chance.below(10) {
            0..=6 => {
                let count = self.count_of(30);
                Command::Place(self.def(), self.chance.one_in(2), self.price(), count)
            }
            7 if self.chance.one_in(3) => {
                Command::CancelOrder(any_of!(self.realm.orders, self.any()))
            }
            7 | 8 => Command::CancelOrder(order),
            _ if self.chance.one_in(5) => Command::Leave,
            _ => Command::Collect,
        }
    }

    fn of_staff(&mut self) -> Command {
        let of = 1 + self.chance.below(CHARACTERS);
        match self.chance.below(10) {
            0..=3 => {
                let most = if self.chance.one_in(100) { u64::MAX } else { 3_000 };
                let copper = if self.chance.one_in(300) { super::super::COPPER_MAX } else { 0 };
                Command::StaffGives(of, copper.max(self.chance.below(most)))
            }
            4 => {
                let all = self.realm.copper(wallet(of));
                let copper = if self.chance.one_in(2) { all } else { self.copper(of) };
                Command::StaffTakes(of, copper)
            }
            5..=7 => Command::Gift(of, self.def(), self.count_of(8)),
            8 => {
                let any = self.any();
                let item =
                    if self.chance.one_in(2) { any_of!(self.realm.whereabouts, any) } else { 0 };
                Command::Freeze(item, of, true)
            }
            _ => {
                let frozen = self.realm.frozen.all().next().map_or(of, |((_, of), ())| of);
                let is_it = |stack: &super::realm::Stack| stack.flags & 1 != 0;
                let item = self.realm.places.all().find(|(_, stack)| is_it(stack));
                let item = item.map_or(0, |(_, stack)| stack.item_id);
                let item = if self.chance.one_in(2) { item } else { 0 };
                Command::Freeze(item, frozen, false)
            }
        }
    }

    /// A number up to the last one that was given.
    fn any(&mut self) -> u64 {
        let last = self.realm.next_id();
        self.chance.below(last)
    }

    /// A stack in a holder, mostly: its number and its count.
    fn stack(&mut self, holder: (HolderKind, u64)) -> (u64, u32) {
        let known = match self.chance.below(12) {
            0 => {
                let item = any_of!(self.realm.whereabouts, self.any());
                let place = self.realm.whereabouts.get(item).copied();
                place.and_then(|place| self.realm.places.get(place).copied())
            }
            1 if self.chance.one_in(10) => return (u64::MAX, 1),
            _ => {
                let known = self.realm.contents(holder);
                self.chance.pick(&known)
            }
        };
        known.map_or((0, 1), |stack| (stack.item_id, stack.count))
    }

    /// All of so many, some, or what cannot be.
    fn count_of(&mut self, has: u32) -> u32 {
        match self.chance.below(12) {
            0 => 0,
            1 => u32::MAX,
            2 => has.saturating_add(1),
            3..=7 => has,
            _ => 1 + u32::try_from(self.chance.below(has.into())).unwrap_or(0),
        }
    }

    /// All that somebody has, some of it, or what cannot be.
    fn copper(&mut self, own: u64) -> u64 {
        let has = self.realm.copper(wallet(own));
        match self.chance.below(12) {
            0 => 0,
            1 => u64::MAX,
            2 => has.saturating_add(1),
            3 => has,
            _ => 1 + self.chance.below(has.min(2_000)),
        }
    }

    /// A price that somebody asks, or one that cannot be.
    fn price(&mut self) -> u64 {
        match self.chance.below(20) {
            0 => 0,
            1 => u64::MAX,
            2 => 1_001,
            3 => 9_990_000_000_000,
            _ => 10 + self.chance.below(12),
        }
    }

    /// Somebody, or now and then nobody.
    fn somebody(&mut self) -> u64 {
        if self.chance.one_in(40) { u64::MAX } else { 1 + self.chance.below(CHARACTERS) }
    }

    fn def(&mut self) -> Def {
        let defs = u64::try_from(DEFS).unwrap_or(0);
        if self.chance.one_in(40) {
            Def::MAX
        } else if self.chance.one_in(2) {
            0
        } else {
            Def::try_from(self.chance.below(defs)).unwrap_or(0)
        }
    }
}
