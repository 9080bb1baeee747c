//! Vendors are placed and removed by staff.

use super::shelves;
use crate::authority::require;
use crate::content::book;
use crate::sequences;
use crate::world::land::Land;
use crate::{Refusal, audit};
use haven_rules::accounts::Permission;
use haven_rules::economy::EconomyError;
use haven_rules::motion::MotionError;
use haven_rules::sequences::Numbered;
use haven_rules::world::{OPEN_WORLD, cell_of_mm, chunk_of};
use haven_tables::economy::vendors::{Vendor, vendor, vendor_due, vendor_shelf};
use spacetimedb::{ReducerContext, Table, reducer};

/// Most vendors of a realm.
const VENDORS_MAX: u64 = 500;

/// Places a vendor of the content in the open world. For staff.
///
/// # Errors
/// In this order: the caller's, `economy.vendor_unknown` where content knows no such,
/// `economy.vendors_too_many`, `world.unknown`, `motion.goal_outside`, `motion.goal_blocked`.
#[reducer]
pub fn vendor_place(
    ctx: &ReducerContext,
    def: String,
    x_mm: i32,
    y_mm: i32,
) -> Result<(), Refusal> {
    let actor = require(ctx, Permission::ManageGoods)?;
    book(ctx).vendor(&def).ok_or(EconomyError::VendorUnknown)?;
    if ctx.db.vendor().count() >= VENDORS_MAX {
        return Err(EconomyError::VendorsTooMany.into());
    }
    let mut land = Land::new(ctx, OPEN_WORLD)?;
    if !land.bounds().contains(x_mm, y_mm) {
        return Err(MotionError::GoalOutside.into());
    }
    if !land.is_open(cell_of_mm(x_mm), cell_of_mm(y_mm)) {
        return Err(MotionError::GoalBlocked.into());
    }
    let row = ctx.db.vendor().insert(Vendor {
        vendor_id: sequences::next(ctx, Numbered::Vendor),
        chunk_index: chunk_of(OPEN_WORLD, x_mm, y_mm),
        pos_x_mm: x_mm,
        pos_y_mm: y_mm,
        def,
    });
    shelves::look_at(ctx, &row, false);
    shelves::due_again(ctx, row.vendor_id);
    let detail = format!("{} {} {x_mm} {y_mm}", row.vendor_id, row.def);
    audit::record(ctx, actor.account_id, 0, "vendor_placed", &detail);
    Ok(())
}

/// Removes a vendor; what was sold to it cannot be bought back any more. For staff.
///
/// # Errors
/// In this order: the caller's, `economy.vendor_unknown`.
#[reducer]
pub fn vendor_remove(ctx: &ReducerContext, vendor_id: u64) -> Result<(), Refusal> {
    let actor = require(ctx, Permission::ManageGoods)?;
    let row = ctx.db.vendor().vendor_id().find(vendor_id).ok_or(EconomyError::VendorUnknown)?;
    for shelf in shelves::shelves_of(ctx, vendor_id) {
        ctx.db.vendor_shelf().shelf_id().delete(shelf.shelf_id);
    }
    ctx.db.vendor_due().vendor_id().delete(vendor_id);
    ctx.db.vendor().vendor_id().delete(vendor_id);
    audit::record(ctx, actor.account_id, 0, "vendor_removed", &format!("{vendor_id} {}", row.def));
    Ok(())
}
