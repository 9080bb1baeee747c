//! What happened to stacks, and how many were ever made and are gone.

use crate::economy::Cause;
use haven_rules::items::Happened;
use haven_rules::keys::joint_key;
use haven_tables::items::{ItemContainer, ItemHistory, ItemTally, item_history, item_tally};
use spacetimedb::{ReducerContext, Table};

/// A line of a stack's history.
#[derive(Clone, Copy)]
pub(super) struct Line<'a> {
    pub(super) item_id: u64,
    /// The stack it was split from or merged into; 0 for none.
    pub(super) other_item_id: u64,
    pub(super) def: &'a str,
    pub(super) count: u32,
    pub(super) happened: Happened,
    pub(super) from: Option<&'a ItemContainer>,
    pub(super) to: Option<&'a ItemContainer>,
}

/// Writes a line.
pub(super) fn tell(ctx: &ReducerContext, cause: &Cause, line: Line<'_>) {
    let history_key = cause.next_history();
    let (stack, other) = (line.item_id, line.other_item_id);
    crate::economy::stack_counted(ctx, line.def, line.happened, (stack, other), line.count);
    let of = |container: Option<&ItemContainer>| {
        container.map_or((0, 0), |container| (container.kind, container.owner_id))
    };
    let ((from_kind, from_owner_id), (to_kind, to_owner_id)) = (of(line.from), of(line.to));
    ctx.db.item_history().insert(ItemHistory {
        history_key,
        item_key: joint_key(line.item_id, history_key),
        other_key: joint_key(line.other_item_id, history_key),
        item_id: line.item_id,
        other_item_id: line.other_item_id,
        from_owner_id,
        to_owner_id,
        count: line.count,
        from_kind,
        to_kind,
        happened: line.happened as u8,
        def: line.def.to_owned(),
    });
}

/// Counts what was made.
pub(super) fn count_made(ctx: &ReducerContext, def: &str, count: u32) {
    tally(ctx, def, |row| row.made += u64::from(count));
}

/// Counts what is gone.
pub(super) fn count_gone(ctx: &ReducerContext, def: &str, count: u32) {
    tally(ctx, def, |row| row.gone += u64::from(count));
}

fn tally(ctx: &ReducerContext, def: &str, change: impl FnOnce(&mut ItemTally)) {
    let known = ctx.db.item_tally().def().find(def.to_owned());
    let is_known = known.is_some();
    let mut row = known.unwrap_or_else(|| ItemTally { def: def.to_owned(), made: 0, gone: 0 });
    change(&mut row);
    if is_known {
        ctx.db.item_tally().def().update(row);
    } else {
        ctx.db.item_tally().insert(row);
    }
}
