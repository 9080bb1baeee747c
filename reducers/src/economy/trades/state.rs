//! A trade's rows: what both see of it, and its end.

use crate::items::mark;
use crate::ordered::ranges;
use haven_rules::economy::trade::{Deal, Side, Who};
use haven_rules::items::FLAG_OFFERED;
use haven_rules::keys::{joint_key, keys_of};
use haven_tables::economy::trades::{Trade, TradeOffer, TradeSide, trade, trade_offer, trade_side};
use haven_tables::items::{Item, item};
use spacetimedb::{Identity, ReducerContext, Table};

/// A trade as one of the two comes to it.
pub(super) struct Going {
    /// Which.
    pub(super) trade: Trade,
    /// Who comes to it.
    pub(super) who: Who,
    /// What is offered, and how far it is.
    pub(super) deal: Deal,
}

impl Going {
    /// The character of a side.
    pub(super) const fn character(&self, who: Who) -> u64 {
        match who {
            Who::Asker => self.trade.asker_id,
            Who::Asked => self.trade.asked_id,
        }
    }

    /// The other character.
    pub(super) const fn other_id(&self) -> u64 {
        self.character(self.who.other())
    }

    /// Shows both how far it is.
    pub(super) fn save(&self, ctx: &ReducerContext) {
        for who in [Who::Asker, Who::Asked] {
            let known = ctx.db.trade_side().character_id().find(self.character(who));
            let Some(known) = known else { continue };
            let (own, other) = (self.deal.side(who), self.deal.side(who.other()));
            ctx.db.trade_side().character_id().update(TradeSide {
                copper: own.copper,
                other_copper: other.copper,
                ends_at_micros: self.trade.ends_at_micros,
                revision: self.deal.revision,
                is_open: self.deal.is_open,
                is_locked: own.is_locked,
                other_is_locked: other.is_locked,
                has_confirmed: own.has_confirmed,
                other_has_confirmed: other.has_confirmed,
                ..known
            });
        }
    }
}

/// The trade a character is in.
pub(super) fn going_of(ctx: &ReducerContext, character_id: u64) -> Option<Going> {
    let row = ctx.db.trade_side().character_id().find(character_id)?;
    let trade = ctx.db.trade().trade_id().find(row.trade_id)?;
    let own = Side {
        copper: row.copper,
        items: offered(ctx, character_id, true),
        is_locked: row.is_locked,
        has_confirmed: row.has_confirmed,
    };
    let other = Side {
        copper: row.other_copper,
        items: offered(ctx, character_id, false),
        is_locked: row.other_is_locked,
        has_confirmed: row.other_has_confirmed,
    };
    let who = if row.has_asked { Who::Asker } else { Who::Asked };
    let sides = if row.has_asked { [own, other] } else { [other, own] };
    let deal = Deal { sides, revision: row.revision, is_open: row.is_open };
    Some(Going { trade, who, deal })
}

fn offers(ctx: &ReducerContext, character_id: u64) -> Vec<TradeOffer> {
    let keys = keys_of(character_id);
    ranges(ctx.db.trade_offer().offer_key()).filter(keys).collect()
}

fn offered(ctx: &ReducerContext, character_id: u64, is_own: bool) -> Vec<u64> {
    let rows = offers(ctx, character_id).into_iter().filter(|row| row.is_own == is_own);
    rows.map(|row| row.item_id).collect()
}

/// Makes both sides of a trade.
pub(super) fn begin_sides(ctx: &ReducerContext, trade: &Trade, tax_bps: u16) {
    for (character_id, other_id) in
        [(trade.asker_id, trade.asked_id), (trade.asked_id, trade.asker_id)]
    {
        ctx.db.trade_side().insert(TradeSide {
            character_id,
            trade_id: trade.trade_id,
            other_id,
            viewer: crate::characters::viewer_of(ctx, character_id),
            copper: 0,
            other_copper: 0,
            ends_at_micros: trade.ends_at_micros,
            revision: 0,
            tax_bps,
            is_open: false,
            has_asked: character_id == trade.asker_id,
            is_locked: false,
            other_is_locked: false,
            has_confirmed: false,
            other_has_confirmed: false,
        });
    }
}

/// Shows both a stack that is offered.
pub(super) fn show(ctx: &ReducerContext, going: &Going, stack: &Item) {
    for who in [going.who, going.who.other()] {
        let character_id = going.character(who);
        ctx.db.trade_offer().insert(TradeOffer {
            offer_key: joint_key(character_id, stack.item_id),
            item_id: stack.item_id,
            character_id,
            viewer: crate::characters::viewer_of(ctx, character_id),
            count: stack.count,
            durability: stack.durability,
            is_own: who == going.who,
            def: stack.def.clone(),
        });
    }
}

/// A stack is not offered any more: nobody sees it.
pub(super) fn hide(ctx: &ReducerContext, trade: &Trade, item_id: u64) {
    for character_id in [trade.asker_id, trade.asked_id] {
        ctx.db.trade_offer().offer_key().delete(joint_key(character_id, item_id));
    }
}

/// Ends a trade: nothing changes hands, and nothing is offered any more.
pub(super) fn end(ctx: &ReducerContext, trade: &Trade) {
    for row in offers(ctx, trade.asker_id) {
        mark(ctx, row.item_id, FLAG_OFFERED, false);
        hide(ctx, trade, row.item_id);
    }
    for character_id in [trade.asker_id, trade.asked_id] {
        ctx.db.trade_side().character_id().delete(character_id);
    }
    super::look::forget(ctx, trade.trade_id);
    ctx.db.trade().trade_id().delete(trade.trade_id);
}

/// Ends the trade a character is in, if it is in one.
pub(crate) fn end_of(ctx: &ReducerContext, character_id: u64) {
    let row = ctx.db.trade_side().character_id().find(character_id);
    if let Some(trade) = row.and_then(|row| ctx.db.trade().trade_id().find(row.trade_id)) {
        end(ctx, &trade);
    }
}

/// Somebody is dying or dead: who it is trades no more.
pub(crate) fn fell(ctx: &ReducerContext, entity_id: u64) {
    end_of(ctx, entity_id);
}

/// Staff takes a stack: a trade it is offered in ends.
pub(crate) fn unoffer(ctx: &ReducerContext, item_id: u64) {
    let Some(stack) = ctx.db.item().item_id().find(item_id) else { return };
    if stack.flags & FLAG_OFFERED != 0 {
        let (container, _) = crate::items::holder_of(ctx, &stack);
        end_of(ctx, container.owner_id);
        mark(ctx, item_id, FLAG_OFFERED, false);
    }
}

/// A character's rows are shown to somebody else than before.
pub(crate) fn rebound(ctx: &ReducerContext, character_id: u64, viewer: Identity) {
    let Some(row) = ctx.db.trade_side().character_id().find(character_id) else { return };
    ctx.db.trade_side().character_id().update(TradeSide { viewer, ..row });
    for row in offers(ctx, character_id) {
        ctx.db.trade_offer().offer_key().update(TradeOffer { viewer, ..row });
    }
}
