//! Bags, vendors, banks of guilds, and what staff does.

use super::realm::{Realm, check_free, check_gives, sink, source, wallet};
use super::{DEFS, Def, Done, GUILDS, ITEMS, account_of};
use crate::economy::prices::{PIECES_MAX, Shelf, buy, sell, tick};
use crate::economy::{EconomyError, PurseKind, Sink, Source};
use crate::guilds::GuildError;
use crate::guilds::bank::{COINS, check_tab, tab_id};
use crate::items::stacks::Spot;
use crate::items::{
    BUY_BACK_SLOTS, DESTROYED_MAX, FLAG_FROZEN, FLAG_OFFERED, HolderKind, ItemError,
};

/// What vendors and trades are taxed, basis points.
pub(super) const TAX_BPS: u32 = 500;
/// What a member takes out of its guild's bank in a day: pieces, copper.
const PIECES_PER_DAY: u64 = 60;
const COPPER_PER_DAY: u64 = 5_000;

const fn guild_of(character: u64) -> u64 {
    character % GUILDS + 1
}

impl Realm {
    pub(super) fn move_within(
        &mut self,
        own: u64,
        item_id: u64,
        count: u32,
        slot: Option<u16>,
    ) -> Done {
        let bag = (HolderKind::Bag, own);
        let stack = self.stack_in(&[bag], item_id)?;
        self.take(&stack, count, bag, slot.map_or(Spot::Anywhere, Spot::Slot))?;
        Ok(())
    }

    pub(super) fn equip(&mut self, own: u64, item_id: u64, slot: u16) -> Done {
        let stack = self.stack_in(&[(HolderKind::Bag, own)], item_id)?;
        check_free(&stack)?;
        if ITEMS[usize::from(stack.def)].shape.stack_max > 1 {
            return Err(ItemError::NotWearable.into());
        }
        self.take(&stack, stack.count, (HolderKind::Equipment, own), Spot::Slot(slot))?;
        Ok(())
    }

    pub(super) fn unequip(&mut self, own: u64, item_id: u64) -> Done {
        let stack = self.stack_in(&[(HolderKind::Equipment, own)], item_id)?;
        self.take(&stack, stack.count, (HolderKind::Bag, own), Spot::Anywhere)?;
        Ok(())
    }

    pub(super) fn destroy(&mut self, own: u64, item_id: u64, count: u32) -> Done {
        let account = account_of(own);
        let stack = self.stack_in(&[(HolderKind::Bag, own)], item_id)?;
        check_free(&stack)?;
        let kept = (account, 0)..=(account, u64::MAX);
        let known: Vec<u64> = self.destroyed.range(kept).map(|((_, item), ())| item).collect();
        if let Some(oldest) = known.first().filter(|_| known.len() >= DESTROYED_MAX) {
            self.destroyed.put((account, *oldest), None);
            let oldest = self.stack_in(&[(HolderKind::Destroyed, account)], *oldest)?;
            self.remove(&oldest, oldest.count);
        }
        let item_id = self.take(&stack, count, (HolderKind::Destroyed, account), Spot::Anywhere)?;
        self.destroyed.put((account, item_id), Some(()));
        Ok(())
    }

    /// Staff restores what was destroyed.
    pub(super) fn restore(&mut self, own: u64, item_id: u64) -> Done {
        let account = account_of(own);
        if !self.destroyed.has((account, item_id)) {
            return Err(ItemError::NotDestroyed.into());
        }
        let stack = self.stack_in(&[(HolderKind::Destroyed, account)], item_id)?;
        self.destroyed.put((account, item_id), None);
        self.take(&stack, stack.count, (HolderKind::Bag, own), Spot::Anywhere)?;
        Ok(())
    }

    /// What is on the vendor's shelf.
    fn shelf(&self, def: Def) -> Done<Shelf> {
        let goods = &ITEMS.get(usize::from(def)).ok_or(EconomyError::GoodsUnknown)?.goods;
        let full = Shelf { stock: goods.normal_stock, price_bps: 10_000 };
        Ok(self.shelves.get(def).copied().unwrap_or(full))
    }

    pub(super) fn buy(&mut self, own: u64, def: Def, count: u32, most: u64) -> Done {
        check_pieces(count)?;
        let shelf = self.shelf(def)?;
        let bill = buy(&ITEMS[usize::from(def)].goods, shelf, count, TAX_BPS, most)?;
        self.pay(wallet(own), sink(Sink::Vendor), bill.copper)?;
        self.pay_tax(own, bill.tax)?;
        self.make(def, count, (HolderKind::Bag, own))?;
        self.shelves.put(def, Some(Shelf { stock: shelf.stock - count, ..shelf }));
        Ok(())
    }

    pub(super) fn sell(&mut self, own: u64, item_id: u64, count: u32, least: u64) -> Done {
        check_pieces(count)?;
        let stack = self.stack_in(&[(HolderKind::Bag, own)], item_id)?;
        check_gives(&stack)?;
        if count > stack.count {
            return Err(ItemError::CountInvalid.into());
        }
        let shelf = self.shelf(stack.def)?;
        let goods = &ITEMS[usize::from(stack.def)].goods;
        let bill = sell(goods, shelf, count, (0, 0), TAX_BPS, least)?;
        self.pay(source(Source::Vendor), wallet(own), bill.copper)?;
        self.pay_tax(own, bill.tax)?;
        let kept = self.contents((HolderKind::BuyBack, own));
        if kept.len() >= usize::from(BUY_BACK_SLOTS) {
            let oldest = kept.iter().min_by_key(|kept| kept.item_id).ok_or(ItemError::NoRoom)?;
            self.sold.put(oldest.item_id, None);
            self.remove(oldest, oldest.count);
        }
        let item_id = self.take(&stack, count, (HolderKind::BuyBack, own), Spot::Anywhere)?;
        self.sold.put(item_id, Some((own, bill.copper)));
        let stock = shelf.stock + count;
        self.shelves.put(stack.def, Some(Shelf { stock, ..shelf }));
        Ok(())
    }

    pub(super) fn buy_back(&mut self, own: u64, item_id: u64) -> Done {
        let offer = self.sold.get(item_id).copied().filter(|offer| offer.0 == own);
        let (_, copper) = offer.ok_or(EconomyError::NotSold)?;
        let stack = self.stack_in(&[(HolderKind::BuyBack, own)], item_id)?;
        self.take(&stack, stack.count, (HolderKind::Bag, own), Spot::Anywhere)?;
        self.pay(wallet(own), sink(Sink::Vendor), copper)?;
        self.sold.put(item_id, None);
        let shelf = self.shelf(stack.def)?;
        let stock = shelf.stock.saturating_sub(stack.count);
        self.shelves.put(stack.def, Some(Shelf { stock, ..shelf }));
        Ok(())
    }

    fn pay_tax(&mut self, own: u64, tax: u64) -> Done {
        if tax == 0 { Ok(()) } else { self.pay(wallet(own), sink(Sink::Tax), tax) }
    }

    /// The vendor's prices and stock go their way.
    pub(super) fn restock(&mut self) -> Done {
        for (def, item) in (0_u8..).zip(&ITEMS) {
            let shelf = self.shelf(def)?;
            self.shelves.put(def, Some(tick(&item.goods, shelf)));
        }
        Ok(())
    }

    pub(super) fn put_goods(&mut self, own: u64, item_id: u64, count: u32, tab: u8) -> Done {
        check_tab(tab, 1)?;
        let stack = self.stack_in(&[(HolderKind::Bag, own)], item_id)?;
        let to = (HolderKind::GuildTab, tab_id(guild_of(own), tab));
        self.take(&stack, count, to, Spot::Anywhere)?;
        Ok(())
    }

    pub(super) fn take_goods(&mut self, own: u64, item_id: u64, count: u32) -> Done {
        let tab = (HolderKind::GuildTab, tab_id(guild_of(own), 0));
        let stack = self.stack_in(&[tab], item_id)?;
        self.spend(own, 0, PIECES_PER_DAY, count.into(), GuildError::ItemsSpent)?;
        self.take(&stack, count, (HolderKind::Bag, own), Spot::Anywhere)?;
        Ok(())
    }

    pub(super) fn put_coins(&mut self, own: u64, copper: u64) -> Done {
        self.pay(wallet(own), (PurseKind::Guild, guild_of(own)), copper)
    }

    pub(super) fn take_coins(&mut self, own: u64, copper: u64) -> Done {
        self.spend(own, COINS, COPPER_PER_DAY, copper, GuildError::CopperSpent)?;
        self.pay((PurseKind::Guild, guild_of(own)), wallet(own), copper)
    }

    fn spend(&mut self, own: u64, what: u8, limit: u64, amount: u64, spent: GuildError) -> Done {
        let taken = self.taken.get((own, what)).copied().unwrap_or_default();
        let taken = taken.take(self.now, Some(limit), amount).ok_or(spent)?;
        self.taken.put((own, what), Some(taken));
        Ok(())
    }

    /// Staff gives coins, or takes them.
    pub(super) fn staff_coins(&mut self, of: u64, copper: u64, gives: bool) -> Done {
        if gives {
            self.pay(source(Source::Staff), wallet(of), copper)
        } else {
            self.pay(wallet(of), sink(Sink::Staff), copper)
        }
    }

    /// Staff keeps a stack, or somebody's coins, from moving, or does not any more.
    pub(super) fn freeze(&mut self, item_id: u64, of: u64, is_frozen: bool) -> Done {
        if item_id == 0 {
            self.frozen.put(wallet(of), is_frozen.then_some(()));
            return Ok(());
        }
        let place = self.whereabouts.get(item_id).copied().ok_or(ItemError::Unknown)?;
        let stack = self.places.get(place).copied().ok_or(ItemError::Unknown)?;
        if is_frozen && stack.flags & FLAG_OFFERED != 0 {
            self.end_trade_of(place.1);
        }
        self.mark(item_id, FLAG_FROZEN, is_frozen);
        Ok(())
    }

    /// Staff makes something.
    pub(super) fn gift(&mut self, to: u64, def: Def, count: u32) -> Done {
        if usize::from(def) >= DEFS {
            return Err(ItemError::DefinitionUnknown.into());
        }
        self.make(def, count, (HolderKind::Bag, to))
    }
}

fn check_pieces(count: u32) -> Done {
    if (1..=PIECES_MAX).contains(&count) { Ok(()) } else { Err(ItemError::CountInvalid.into()) }
}
