//! Shelves: what lies on them, what it costs now, and the tick on which prices answer.
//!
//! Keeps true: a vendor's shelves are those of its definition in force since its last tick; a run
//! looks at `VENDORS_MAX_A_RUN` vendors at most, those that are due the longest first.

use crate::authority::require_database;
use crate::content::book;
use crate::ordered::ranges;
use crate::sequences;
use crate::{Refusal, now_micros};
use haven_rules::content::VendorGoods;
use haven_rules::economy::prices::{BPS, Goods, SHELVES_MAX, Shelf, tick};
use haven_rules::keys::joint_key;
use haven_rules::sequences::Numbered;
use haven_tables::economy::vendors::{
    Vendor, VendorDue, VendorShelf, vendor, vendor_due, vendor_shelf,
};
use spacetimedb::{ReducerContext, ScheduleAt, Table, reducer, table};
use std::collections::BTreeMap;
use std::time::Duration;

/// How often it is seen which vendors are due.
const TICK_INTERVAL: Duration = Duration::from_secs(1);
/// Most vendors a run looks at, each with [`SHELVES_MAX`] shelves at most.
const VENDORS_MAX_A_RUN: usize = 10;

/// The timer of [`vendor_tick()`].
#[table(name = vendor_tick_timer, scheduled(vendor_tick))]
pub struct VendorTickTimer {
    /// The timer's number.
    #[primary_key]
    #[auto_inc]
    pub scheduled_id: u64,
    /// When it fires.
    pub scheduled_at: ScheduleAt,
}

pub(super) fn ensure_timers(ctx: &ReducerContext) {
    if ctx.db.vendor_tick_timer().count() == 0 {
        let scheduled_at = TICK_INTERVAL.into();
        ctx.db.vendor_tick_timer().insert(VendorTickTimer { scheduled_id: 0, scheduled_at });
    }
}

/// Lets the prices of vendors that are due answer to what lies on their shelves.
///
/// # Errors
/// `realm.database_only` for clients.
#[reducer]
pub fn vendor_tick(ctx: &ReducerContext, _timer: VendorTickTimer) -> Result<(), Refusal> {
    require_database(ctx)?;
    let up_to = joint_key(u64::try_from(now_micros(ctx)).unwrap_or(0), u64::MAX);
    let due = ranges(ctx.db.vendor_due().due_key()).filter(..=up_to).take(VENDORS_MAX_A_RUN);
    let due: Vec<u64> = due.map(|row| row.vendor_id).collect();
    for vendor_id in due {
        match ctx.db.vendor().vendor_id().find(vendor_id) {
            Some(row) => {
                look_at(ctx, &row, true);
                due_again(ctx, vendor_id);
            }
            None => {
                ctx.db.vendor_due().vendor_id().delete(vendor_id);
            }
        }
    }
    Ok(())
}

/// A vendor is looked at again after the period that the content says.
pub(super) fn due_again(ctx: &ReducerContext, vendor_id: u64) {
    let period_micros = book(ctx).setting("vendor_tick_millis").saturating_mul(1_000);
    let at = u64::try_from(now_micros(ctx).saturating_add(period_micros)).unwrap_or(0);
    ctx.db.vendor_due().vendor_id().delete(vendor_id);
    ctx.db.vendor_due().insert(VendorDue { vendor_id, due_key: joint_key(at, vendor_id) });
}

/// Makes a vendor's shelves those of its definition; those that stay answer to what lies there.
pub(super) fn look_at(ctx: &ReducerContext, vendor: &Vendor, ticks: bool) {
    let mut known: BTreeMap<String, VendorShelf> =
        shelves_of(ctx, vendor.vendor_id).into_iter().map(|row| (row.def.clone(), row)).collect();
    for goods in defined(ctx, vendor) {
        if let Some(row) = known.remove(&goods.def) {
            let before = Shelf { stock: row.stock, price_bps: row.price_bps };
            let after = if ticks { tick(&goods.goods, before) } else { before };
            let shown = goods.shown(after, &row);
            if changes(&row, &shown) {
                ctx.db.vendor_shelf().shelf_id().update(shown);
            }
        } else {
            let fresh = Shelf { stock: goods.goods.normal_stock, price_bps: BPS };
            let shelf_id = sequences::next(ctx, Numbered::VendorShelf);
            let row = goods.shown(fresh, &goods.empty(vendor.vendor_id));
            ctx.db.vendor_shelf().insert(VendorShelf { shelf_id, ..row });
        }
    }
    for row in known.into_values() {
        ctx.db.vendor_shelf().shelf_id().delete(row.shelf_id);
    }
}

fn changes(row: &VendorShelf, shown: &VendorShelf) -> bool {
    let of = |row: &VendorShelf| (row.stock, row.price_bps, row.asks_copper, row.pays_copper);
    of(row) != of(shown)
}

/// A vendor's shelves.
pub(super) fn shelves_of(ctx: &ReducerContext, vendor_id: u64) -> Vec<VendorShelf> {
    ctx.db.vendor_shelf().by_vendor().filter(vendor_id).collect()
}

/// Something that a vendor deals in, as content says now.
pub(super) struct Dealt {
    def: String,
    pub(super) goods: Goods,
    pub(super) sells: bool,
    pub(super) buys: bool,
}

impl Dealt {
    fn of(price_copper: u32, goods: &VendorGoods) -> Self {
        Self {
            def: goods.item.clone(),
            goods: Goods {
                base_copper: price_copper,
                normal_stock: goods.stock,
                restock: goods.restock,
                elasticity_bps: goods.elasticity_bps,
                pays_bps: goods.pays_bps,
            },
            sells: goods.sells,
            buys: goods.buys,
        }
    }

    fn empty(&self, vendor_id: u64) -> VendorShelf {
        VendorShelf {
            shelf_id: 0,
            vendor_id,
            asks_copper: 0,
            pays_copper: 0,
            stock: 0,
            price_bps: 0,
            def: self.def.clone(),
        }
    }

    fn shown(&self, shelf: Shelf, row: &VendorShelf) -> VendorShelf {
        let Shelf { stock, price_bps } = shelf;
        let asks_copper = if self.sells { self.goods.asks(price_bps) } else { 0 };
        let pays_copper = if self.buys { self.goods.pays(price_bps) } else { 0 };
        VendorShelf { asks_copper, pays_copper, stock, price_bps, ..row.clone() }
    }
}

/// What a vendor deals in, as content says now; what content has no such item of is left out.
fn defined(ctx: &ReducerContext, vendor: &Vendor) -> Vec<Dealt> {
    let book = book(ctx);
    let Some(def) = book.vendor(&vendor.def) else { return vec![] };
    let dealt = |goods: &VendorGoods| Some(Dealt::of(book.item(&goods.item)?.price_copper, goods));
    def.goods.iter().take(SHELVES_MAX).filter_map(dealt).collect()
}

/// The shelf on which something lies, and what content says of it.
pub(super) fn goods_of(
    ctx: &ReducerContext,
    vendor: &Vendor,
    def: &str,
) -> Option<(VendorShelf, Dealt)> {
    let goods = defined(ctx, vendor).into_iter().find(|goods| goods.def == def)?;
    let row = shelves_of(ctx, vendor.vendor_id).into_iter().find(|row| row.def == def)?;
    Some((row, goods))
}
