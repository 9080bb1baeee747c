//! Coins and the ledger they move by, vendors, trades, the market and the auditor.
//!
//! Keeps true: coins move through `pay` alone, so each that leaves an account comes to another, and
//! the entry that says so is written in the same transaction as the reason.

mod auctions;
mod audit;
mod goods;
mod ledger;
pub mod market;
mod near;
mod orders;
mod pay;
mod retention;
mod reversal;
mod trades;
mod vendors;

pub use auctions::{auction_bid, auction_buyout, auction_cancel, auction_create};
pub use audit::{EconomyAuditTimer, economy_audit_begin, economy_audit_slice, economy_audit_timer};
pub use goods::{Goods, coins_give, coins_take, goods_freeze, goods_thaw};
pub use market::{market_sweep, market_tick};
pub use orders::{market_collect, order_cancel, order_place};
pub use pay::coins_pay;
pub use retention::{LedgerSweepTimer, ledger_sweep, ledger_sweep_timer};
pub use reversal::cause_reverse;
pub use trades::{
    TradeTimer, trade_answer, trade_cancel, trade_confirm, trade_lock, trade_look,
    trade_offer_coins, trade_offer_item, trade_request, trade_timer, trade_withdraw,
};
pub use vendors::{
    VendorBuyBackTimer, VendorTickTimer, vendor_buy, vendor_buy_back, vendor_buy_back_sweep,
    vendor_buy_back_timer, vendor_place, vendor_remove, vendor_sell, vendor_tick,
    vendor_tick_timer,
};

pub(crate) use audit::stack_counted;
pub(crate) use ledger::{Cause, Purse, copper_of, freeze, is_frozen, pay, show_to};
pub(crate) use trades::fell;

use crate::characters;
use haven_rules::economy::{CauseKind, PurseKind};
use spacetimedb::{Identity, ReducerContext};

pub(crate) fn ensure_timers(ctx: &ReducerContext) {
    audit::ensure_timers(ctx);
    retention::ensure_timers(ctx);
    vendors::ensure_timers(ctx);
    market::ensure_timers(ctx);
}

pub(crate) fn character_entered(_ctx: &ReducerContext, _account_id: u64, _character_id: u64) {}

pub(crate) fn character_leaving(ctx: &ReducerContext, _account_id: u64, character_id: u64) {
    trades::end_of(ctx, character_id);
}

/// Its coins go to the account's lost-and-found, frozen if they were; what it sold is sold.
pub(crate) fn character_purged(ctx: &ReducerContext, account_id: u64, character_id: u64) {
    trades::end_of(ctx, character_id);
    auctions::character_purged(ctx, account_id, character_id);
    orders::character_purged(ctx, account_id, character_id);
    let caller = (account_id, character_id);
    let copper = copper_of(ctx, PurseKind::Wallet, character_id);
    // A frozen wallet without a coin in it has coins that are to come: bids, orders, letters.
    if copper > 0 || is_frozen(ctx, PurseKind::Wallet, character_id) {
        let cause = Cause::new(ctx, CauseKind::Purge, caller, character_id);
        let (from, to) = (Purse::wallet(ctx, character_id), Purse::lost_and_found(ctx, account_id));
        // Where it would be more than an account holds, it stays where it is.
        let _ = ledger::give_up(ctx, &cause, from, to, copper);
        cause.forget_if_bare(ctx);
    }
    vendors::purged(ctx, caller);
}

pub(crate) fn account_rebound(ctx: &ReducerContext, account_id: u64, viewer: Identity) {
    show_to(ctx, PurseKind::LostAndFound, account_id, viewer);
    for character_id in characters::characters_of(ctx, account_id) {
        show_to(ctx, PurseKind::Wallet, character_id, viewer);
        trades::rebound(ctx, character_id, viewer);
        vendors::rebound(ctx, character_id, viewer);
    }
    auctions::account_rebound(ctx, account_id, viewer);
    orders::account_rebound(ctx, account_id, viewer);
}
