//! Goods and coins change hands.
//!
//! Keeps true: each side gets what it saw when it locked; where anything cannot move, nothing does.

use super::state::{Going, end};
use crate::Refusal;
use crate::economy::{Cause, Purse, pay};
use crate::items::{Holder, Spot, check_gives, contents, stack_of, take};
use haven_rules::economy::prices::share_up;
use haven_rules::economy::trade::{OFFERS_MAX, Who};
use haven_rules::economy::{CauseKind, Sink};
use haven_rules::items::{HolderKind, ItemError};
use haven_tables::economy::trades::trade_side;
use spacetimedb::{Identity, ReducerContext};

/// Ends a trade that both have confirmed.
///
/// # Errors
/// In this order: those of items (`item.…`), those of coins (`economy.…`).
pub(super) fn exchange(
    ctx: &ReducerContext,
    account_id: u64,
    own: u64,
    going: &Going,
) -> Result<(), Refusal> {
    let trade_id = going.trade.trade_id;
    let side = ctx.db.trade_side().character_id().find(own);
    let tax_bps = side.map_or(0, |row| u32::from(row.tax_bps));
    // What was offered can move from now on; where something is refused all of this is undone.
    end(ctx, &going.trade);
    let cause = Cause::new(ctx, CauseKind::Trade, (account_id, own), trade_id);
    let slots = u16::try_from(OFFERS_MAX).unwrap_or(u16::MAX);
    let between = Holder::of(HolderKind::Trade, trade_id, Identity::ZERO, slots);
    // Both bags may be full: one side's goods make room before the other side's come.
    let [asker, asked] = [Who::Asker, Who::Asked].map(|who| going.character(who));
    give(ctx, &cause, asker, &going.deal.side(Who::Asker).items, between)?;
    let to = Holder::bag(ctx, asker);
    give(ctx, &cause, asked, &going.deal.side(Who::Asked).items, to)?;
    for stack in contents(ctx, HolderKind::Trade, trade_id) {
        take(ctx, &cause, &stack, stack.count, Holder::bag(ctx, asked), Spot::Anywhere)?;
    }
    for who in [Who::Asker, Who::Asked] {
        let copper = going.deal.side(who).copper;
        let tax = share_up(copper, tax_bps).min(copper);
        let from = Purse::wallet(ctx, going.character(who));
        let to = Purse::wallet(ctx, going.character(who.other()));
        for (to, copper) in [(to, copper - tax), (Purse::sink(Sink::Tax), tax)] {
            if copper > 0 {
                pay(ctx, &cause, from, to, copper)?;
            }
        }
    }
    Ok(())
}

fn give(
    ctx: &ReducerContext,
    cause: &Cause,
    from: u64,
    items: &[u64],
    to: Holder,
) -> Result<(), Refusal> {
    for item_id in items {
        let stack = stack_of(ctx, &[HolderKind::Bag], from, *item_id).ok_or(ItemError::Unknown)?;
        check_gives(&stack)?;
        take(ctx, cause, &stack, stack.count, to, Spot::Anywhere)?;
    }
    Ok(())
}
