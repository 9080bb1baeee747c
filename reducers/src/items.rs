//! Bags, equipment, what is in them, and where each of it came from.
//!
//! Keeps true: stacks are made, moved and removed by `store` alone, so each has one place and a
//! history; what is made and what is gone is counted. Whose slots there are (`holders`), what
//! players do with stacks (`moves`, `gear`, `uses`, `work`), and what the dead leave (`loot`,
//! `rolls`) have their own files.

mod gear;
mod holders;
mod loot;
mod moves;
mod own;
mod past;
mod rolls;
mod store;
mod sweep;
mod uses;
mod work;

pub use gear::{item_equip, item_repair, item_unequip};
pub(crate) use gear::{outfit_of, stripped, worn_by_death};
pub(crate) use haven_rules::items::stacks::Spot;
pub(crate) use holders::{Holder, close, contents, holder_of, is_empty, resize, show_to, stack_of};
pub(crate) use loot::{fallen, forget_fallen, spoils};
pub use loot::{loot_assign, loot_take, loot_take_all};
pub(crate) use moves::{claim, lay_aside, taken_back};
pub use moves::{item_destroy, item_give, item_move, item_restore, lost_item_claim};
pub use rolls::loot_roll;
pub(crate) use store::{
    bind, check_free, check_gives, give_up, make, mark, push, remove, shape_of, take,
};
pub(crate) use sweep::ensure_timers;
pub use sweep::{ItemSweepTimer, item_sweep, item_sweep_timer};
pub use uses::item_use;
pub use work::{item_craft, item_gather};

use crate::characters;
use crate::economy::Cause;
use haven_rules::economy::CauseKind;
use haven_rules::items::HolderKind;
use haven_tables::items::{LootShare, item_outfit, item_work, loot_share};
use spacetimedb::{Identity, ReducerContext};

pub(crate) fn character_entered(ctx: &ReducerContext, account_id: u64, character_id: u64) {
    gear::entered(ctx, account_id, character_id);
}

pub(crate) fn character_leaving(ctx: &ReducerContext, _account_id: u64, character_id: u64) {
    gear::unload(ctx, character_id);
}

/// What a character had is its account's; what it had a share of is others'.
pub(crate) fn character_purged(ctx: &ReducerContext, account_id: u64, character_id: u64) {
    let own = [HolderKind::Bag, HolderKind::Equipment, HolderKind::BuyBack];
    if own.iter().any(|kind| !is_empty(ctx, *kind, character_id)) {
        let cause = Cause::new(ctx, CauseKind::Purge, (account_id, character_id), character_id);
        for kind in own {
            give_up(ctx, &cause, (kind, character_id), account_id);
        }
    }
    for kind in own {
        close(ctx, kind, character_id);
    }
    for share in loot::shares_for(ctx, character_id) {
        ctx.db.loot_share().share_key().delete(share.share_key);
    }
    ctx.db.item_work().character_id().delete(character_id);
    ctx.db.item_outfit().character_id().delete(character_id);
}

pub(crate) fn account_rebound(ctx: &ReducerContext, account_id: u64, viewer: Identity) {
    for character_id in characters::characters_of(ctx, account_id) {
        for kind in [HolderKind::Bag, HolderKind::Equipment, HolderKind::BuyBack] {
            show_to(ctx, kind, character_id, viewer);
        }
        for share in loot::shares_for(ctx, character_id) {
            ctx.db.loot_share().share_key().update(LootShare { viewer, ..share });
        }
    }
    show_to(ctx, HolderKind::LostAndFound, account_id, viewer);
}
