//! Gathering and crafting.
//!
//! Keeps true: what is made of materials uses them up in the same transaction; a place that was
//! gathered at is empty for everybody until its time is over. Whoever has thrown has gathered: what
//! the dice showed is not refused any more, or it would be thrown again until it is rare.

use super::moves::key_at;
use super::own::Own;
use super::store::has_free_slot;
use super::{Holder, Spot, contents, make, remove};
use crate::authority::require_player;
use crate::combat::dice::Cup;
use crate::commands::once;
use crate::content::book;
use crate::economy::Cause;
use crate::world::land::{Land, terrain_of};
use crate::{Refusal, now_micros};
use haven_rules::combat::EVENT_SECONDS;
use haven_rules::content::GatherNodeDef;
use haven_rules::content::book::Book;
use haven_rules::economy::CauseKind;
use haven_rules::items::loot::roll_entries;
use haven_rules::items::nodes::{Field, GATHER_REACH_MM, Node, place_one};
use haven_rules::items::{HolderKind, ItemError};
use haven_rules::motion::slot_of;
use haven_rules::world::chunk_parts;
use haven_rules::world::terrain::Block;
use haven_tables::commands::CommandId;
use haven_tables::items::{GatherSpent, Item, ItemWork, gather_spent, item_work};
use haven_tables::world::terrain_block;
use spacetimedb::{ReducerContext, Table, reducer};

/// Gathers at a place, by its block and its number in it (`rules::items::nodes::place`), no further
/// than 3 m from it. What is found goes into the bag; what has no room there, or cannot be had
/// twice, stays behind. The place is empty then and the time is spent, whatever was found.
///
/// # Errors
/// In this order: the caller's, the command's, `item.not_in_world`, `item.not_awake`,
/// `item.not_ready`, `item.node_unknown`, `item.too_far`, `item.node_empty`, `item.level_too_low`,
/// `item.tool_missing`, `item.no_room` where no slot of the bag is free.
#[reducer]
pub fn item_gather(
    ctx: &ReducerContext,
    chunk_index: u64,
    number: u8,
    command: CommandId,
) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    once(ctx, player.account_id, command, &("item_gather", chunk_index, number), || {
        let own = Own::awake(ctx, player)?;
        check_ready(ctx, own)?;
        let book = book(ctx);
        let node = node_at(ctx, chunk_index, number, &book).ok_or(ItemError::NodeUnknown)?;
        let world = chunk_parts(chunk_index).0;
        own.check_near(ctx, (world, node.at), GATHER_REACH_MM)?;
        let node_key = (u128::from(chunk_index) << 8) | u128::from(number);
        let now = now_micros(ctx);
        let spent = ctx.db.gather_spent().node_key().find(node_key);
        if spent.as_ref().is_some_and(|row| row.ready_at_micros > now) {
            return Err(ItemError::NodeEmpty.into());
        }
        let def = book.gather_node(&node.key).ok_or(ItemError::NodeUnknown)?;
        check_work(ctx, own, &book, def.level_min, def.tool.as_deref())?;
        if !has_free_slot(ctx, Holder::bag(ctx, own.character_id)) {
            return Err(ItemError::NoRoom.into());
        }
        find(ctx, own, chunk_index, def);
        busy(ctx, own, def.work_millis);
        let ready_at_micros = now.saturating_add(i64::from(def.respawn_millis) * 1_000);
        // Two places of a block that are ready in the same instant have two keys.
        let ready_key = key_at((ready_at_micros & !7) + i64::from(number), chunk_index);
        let row = GatherSpent { node_key, ready_key, chunk_index, ready_at_micros, number };
        // One whose time is over may still be there: the sweep takes so many at a time.
        if spent.is_some() {
            ctx.db.gather_spent().node_key().update(row);
        } else {
            ctx.db.gather_spent().insert(row);
        }
        Ok(())
    })
}

/// The place of a number in a block.
fn node_at(ctx: &ReducerContext, chunk_index: u64, number: u8, book: &Book) -> Option<Node> {
    let (world, block_x, block_y) = chunk_parts(chunk_index);
    let mut land = Land::new(ctx, world).ok()?.making_at_most(0);
    let ground = land.block(block_x, block_y)?;
    let Some((version, terrain)) = terrain_of(ctx, world) else {
        let field = Field { seed: 0, block_x, block_y, biomes: &[], ground: &ground };
        return place_one(&field, number, book);
    };
    let row = ctx.db.terrain_block().chunk_index().find(chunk_index);
    let block = Block::decode(&row.filter(|row| row.version == version)?.data)?;
    let (seed, biomes) = (terrain.seed(), &block.biomes[..]);
    place_one(&Field { seed, block_x, block_y, biomes, ground: &ground }, number, book)
}

/// Rolls what is found, and puts what there is room for into the bag.
fn find(ctx: &ReducerContext, own: Own, chunk_index: u64, def: &GatherNodeDef) {
    let mut cup = Cup::open(ctx);
    let mut throws = cup.event(ctx, own.character_id, &def.key);
    let mut goods = vec![];
    roll_entries(&def.entries, &mut throws, &mut goods);
    let ends_at = now_micros(ctx) + i64::from(EVENT_SECONDS) * 1_000_000;
    throws.tell(ctx, chunk_index, slot_of(ends_at), vec![]);
    cup.close(ctx);
    let cause = own.cause(ctx, CauseKind::Craft, chunk_index);
    let to = Holder::bag(ctx, own.character_id);
    for (item, count) in &goods {
        // What has no room is not made.
        let _ = make(ctx, &cause, item, *count, to, Spot::Anywhere);
    }
    cause.forget_if_bare(ctx);
}

/// Makes something by a recipe of what is in the caller's bag.
///
/// # Errors
/// In this order: the caller's, the command's, `item.not_in_world`, `item.not_awake`,
/// `item.not_ready`, `item.recipe_unknown`, `item.level_too_low`, `item.tool_missing`,
/// `item.material_missing`, `item.unique_taken`, `item.no_room`.
#[reducer]
pub fn item_craft(ctx: &ReducerContext, recipe: String, command: CommandId) -> Result<(), Refusal> {
    let player = require_player(ctx)?;
    once(ctx, player.account_id, command, &("item_craft", &recipe), || {
        let own = Own::awake(ctx, player)?;
        check_ready(ctx, own)?;
        let book = book(ctx);
        let def = book.recipe(&recipe).ok_or(ItemError::RecipeUnknown)?;
        check_work(ctx, own, &book, def.level_min, def.tool.as_deref())?;
        let cause = own.cause(ctx, CauseKind::Craft, 0);
        for material in &def.materials {
            use_up(ctx, own, &cause, &material.item, u32::from(material.count))?;
        }
        let to = Holder::bag(ctx, own.character_id);
        make(ctx, &cause, &def.item, u32::from(def.count), to, Spot::Anywhere)?;
        busy(ctx, own, def.work_millis);
        Ok(())
    })
}

/// Uses up so many of something in the bag, what lies last first; what cannot be moved is spared.
///
/// # Errors
/// `item.material_missing`.
fn use_up(
    ctx: &ReducerContext,
    own: Own,
    cause: &Cause,
    def: &str,
    count: u32,
) -> Result<(), ItemError> {
    let bag = contents(ctx, HolderKind::Bag, own.character_id);
    let usable = |stack: &&Item| stack.def == def && stack.flags == 0;
    let mut left = count;
    for stack in bag.iter().rev().filter(usable) {
        let part = left.min(stack.count);
        if part > 0 {
            remove(ctx, cause, stack, part)?;
            left -= part;
        }
    }
    if left == 0 { Ok(()) } else { Err(ItemError::MaterialMissing) }
}

/// # Errors
/// `item.not_ready`.
fn check_ready(ctx: &ReducerContext, own: Own) -> Result<(), ItemError> {
    let row = ctx.db.item_work().character_id().find(own.character_id);
    let is_busy = row.is_some_and(|row| row.ready_at_micros > now_micros(ctx));
    if is_busy { Err(ItemError::NotReady) } else { Ok(()) }
}

/// # Errors
/// In this order: `item.level_too_low`, `item.tool_missing`.
fn check_work(
    ctx: &ReducerContext,
    own: Own,
    book: &Book,
    level_min: u8,
    tool: Option<&str>,
) -> Result<(), ItemError> {
    if own.build(ctx, book)?.level < level_min {
        return Err(ItemError::LevelTooLow);
    }
    let bag = contents(ctx, HolderKind::Bag, own.character_id);
    let has_tool = tool.is_none_or(|tool| bag.iter().any(|stack| stack.def == tool));
    if has_tool { Ok(()) } else { Err(ItemError::ToolMissing) }
}

/// The character is at work for so long.
fn busy(ctx: &ReducerContext, own: Own, work_millis: u32) {
    let ready_at_micros = now_micros(ctx).saturating_add(i64::from(work_millis) * 1_000);
    let row = ItemWork { character_id: own.character_id, ready_at_micros };
    if ctx.db.item_work().character_id().find(own.character_id).is_some() {
        ctx.db.item_work().character_id().update(row);
    } else {
        ctx.db.item_work().insert(row);
    }
}
