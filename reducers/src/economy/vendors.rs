//! Vendors: buying of them, selling to them, and having back what was sold.
//!
//! Keeps true: coins for what vendors sell go to `Sink::Vendor`, coins for what they buy come from
//! `Source::Vendor`, taxes go to `Sink::Tax`; what they sell is made, and what was sold to them
//! lies in the seller's `BuyBack` until it is bought back or gone. A shelf's stock is a number of
//! the simulation, not a stack.

mod shelves;
mod sold;
mod staff;

pub use shelves::{VendorTickTimer, vendor_tick, vendor_tick_timer};
pub use sold::{VendorBuyBackTimer, vendor_buy_back, vendor_buy_back_sweep, vendor_buy_back_timer};
pub use staff::{vendor_place, vendor_remove};

pub(super) use sold::{purged, rebound};

use super::ledger::{Cause, Purse, pay};
use super::near::{place_of, require_awake};
use crate::Refusal;
use crate::commands::once;
use crate::content::book;
use crate::items::{Holder, Spot, check_gives, make, shape_of, stack_of};
use haven_rules::combat::aim::is_within;
use haven_rules::combat::areas::Point;
use haven_rules::economy::prices::{Bill, PIECES_MAX, Shelf, buy, sell};
use haven_rules::economy::{CauseKind, EconomyError, Sink, Source};
use haven_rules::items::{HolderKind, ItemError};
use haven_rules::world::OPEN_WORLD;
use haven_tables::commands::CommandId;
use haven_tables::economy::vendors::{Vendor, VendorShelf, vendor, vendor_shelf};
use spacetimedb::{ReducerContext, reducer};

pub(super) fn ensure_timers(ctx: &ReducerContext) {
    shelves::ensure_timers(ctx);
    sold::ensure_timers(ctx);
}

/// Buys pieces of a vendor who is near, for `copper_max` in all, tax included, or less.
///
/// # Errors
/// In this order: the caller's, the command's (`command.…`), `economy.not_in_world`,
/// `economy.not_awake`, `item.count_invalid`, `economy.vendor_unknown`, `economy.vendor_too_far`,
/// `economy.goods_unknown`, `economy.worthless`, `economy.stock_missing`, `economy.price_changed`,
/// `economy.frozen`, `economy.coins_missing`, those of making items (`item.…`).
#[reducer]
pub fn vendor_buy(
    ctx: &ReducerContext,
    vendor_id: u64,
    def: String,
    count: u32,
    copper_max: u64,
    command: CommandId,
) -> Result<(), Refusal> {
    let player = crate::authority::require_player(ctx)?;
    let what = ("vendor_buy", vendor_id, def.as_str(), count, copper_max);
    once(ctx, player.account_id, command, &what, || buy_of(ctx, vendor_id, &def, count, copper_max))
}

fn buy_of(
    ctx: &ReducerContext,
    vendor_id: u64,
    def: &str,
    count: u32,
    copper_max: u64,
) -> Result<(), Refusal> {
    let (player, own) = require_awake(ctx)?;
    check_count(count)?;
    let vendor = near_vendor(ctx, own, vendor_id)?;
    let (row, goods) = shelves::goods_of(ctx, &vendor, def).ok_or(EconomyError::GoodsUnknown)?;
    if !goods.sells {
        return Err(EconomyError::GoodsUnknown.into());
    }
    let bill = buy(&goods.goods, shelf_of(&row), count, tax_bps(ctx), copper_max)?;
    let cause = Cause::new(ctx, CauseKind::Vendor, (player.account_id, own), vendor_id);
    let wallet = Purse::wallet(ctx, own);
    pay(ctx, &cause, wallet, Purse::sink(Sink::Vendor), bill.copper)?;
    pay_tax(ctx, &cause, wallet, bill)?;
    make(ctx, &cause, def, count, Holder::bag(ctx, own), Spot::Anywhere)?;
    let stock = row.stock.saturating_sub(count);
    ctx.db.vendor_shelf().shelf_id().update(VendorShelf { stock, ..row });
    Ok(())
}

/// Sells some or all of a stack of the caller's bag to a vendor who is near, for `copper_min` in
/// all, tax taken out, or more.
///
/// # Errors
/// In this order: the caller's, the command's (`command.…`), `economy.not_in_world`,
/// `economy.not_awake`, `item.count_invalid`, `economy.vendor_unknown`, `economy.vendor_too_far`,
/// `item.unknown`, `item.frozen`, `item.locked`, `item.bound`, `item.count_invalid`,
/// `economy.goods_unknown`, `economy.stock_full`, `economy.worthless`, `economy.price_changed`,
/// `economy.frozen`, `economy.too_rich`, `item.no_room` where staff has frozen all that can be
/// bought back.
#[reducer]
pub fn vendor_sell(
    ctx: &ReducerContext,
    vendor_id: u64,
    item_id: u64,
    count: u32,
    copper_min: u64,
    command: CommandId,
) -> Result<(), Refusal> {
    let player = crate::authority::require_player(ctx)?;
    let what = ("vendor_sell", vendor_id, item_id, count, copper_min);
    once(ctx, player.account_id, command, &what, || {
        sell_to(ctx, vendor_id, item_id, count, copper_min)
    })
}

fn sell_to(
    ctx: &ReducerContext,
    vendor_id: u64,
    item_id: u64,
    count: u32,
    copper_min: u64,
) -> Result<(), Refusal> {
    let (player, own) = require_awake(ctx)?;
    check_count(count)?;
    let vendor = near_vendor(ctx, own, vendor_id)?;
    let stack = stack_of(ctx, &[HolderKind::Bag], own, item_id).ok_or(ItemError::Unknown)?;
    // What is bound is not sold either, or characters would be made for what they begin with.
    check_gives(&stack)?;
    if count > stack.count {
        return Err(ItemError::CountInvalid.into());
    }
    let known = shelves::goods_of(ctx, &vendor, &stack.def).filter(|(_, goods)| goods.buys);
    let (row, goods) = known.ok_or(EconomyError::GoodsUnknown)?;
    let whole = shape_of(ctx, &stack.def).map_or(0, |shape| shape.durability);
    let wear = (stack.durability, whole);
    let bill = sell(&goods.goods, shelf_of(&row), count, wear, tax_bps(ctx), copper_min)?;
    let cause = Cause::new(ctx, CauseKind::Vendor, (player.account_id, own), vendor_id);
    let wallet = Purse::wallet(ctx, own);
    pay(ctx, &cause, Purse::source(Source::Vendor), wallet, bill.copper)?;
    pay_tax(ctx, &cause, wallet, bill)?;
    sold::keep(ctx, &cause, own, (&stack, count), (vendor_id, bill.copper))?;
    let stock = row.stock.saturating_add(count);
    ctx.db.vendor_shelf().shelf_id().update(VendorShelf { stock, ..row });
    Ok(())
}

fn pay_tax(
    ctx: &ReducerContext,
    cause: &Cause,
    wallet: Purse,
    bill: Bill,
) -> Result<(), EconomyError> {
    if bill.tax == 0 { Ok(()) } else { pay(ctx, cause, wallet, Purse::sink(Sink::Tax), bill.tax) }
}

fn check_count(count: u32) -> Result<(), ItemError> {
    if (1..=PIECES_MAX).contains(&count) { Ok(()) } else { Err(ItemError::CountInvalid) }
}

const fn shelf_of(row: &VendorShelf) -> Shelf {
    Shelf { stock: row.stock, price_bps: row.price_bps }
}

/// A vendor whom a character can deal with.
///
/// # Errors
/// In this order: `economy.vendor_unknown`, `economy.vendor_too_far`.
fn near_vendor(ctx: &ReducerContext, own: u64, vendor_id: u64) -> Result<Vendor, EconomyError> {
    let row = ctx.db.vendor().vendor_id().find(vendor_id).ok_or(EconomyError::VendorUnknown)?;
    let reach_mm = u32::try_from(book(ctx).setting("vendor_range_mm")).unwrap_or(0);
    let stands = Point { x_mm: row.pos_x_mm, y_mm: row.pos_y_mm };
    let is_near = place_of(ctx, own)
        .is_some_and(|(world, at)| world == OPEN_WORLD && is_within(at, stands, reach_mm));
    if is_near { Ok(row) } else { Err(EconomyError::VendorFar) }
}

/// What is taken of what is paid, basis points.
fn tax_bps(ctx: &ReducerContext) -> u32 {
    u32::try_from(book(ctx).setting("vendor_tax_bps")).unwrap_or(0)
}
