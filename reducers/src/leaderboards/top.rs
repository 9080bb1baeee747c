//! Top pages, which everybody can watch.
//!
//! Keeps true: a page is written by the tick alone, row by row where one differs, so that a board
//! on which much happens costs its watchers one message a tick.

use super::seasons;
use super::trees::{Rows, Season};
use haven_rules::keys::joint_key;
use haven_tables::characters::character;
use haven_tables::leaderboards::{BoardTop, board_season, board_top, board_top_due};
use spacetimedb::{ReducerContext, Table};
use std::collections::BTreeMap;

/// Most pages that one tick looks at.
const PAGES_PER_TICK: usize = 8;

/// Looks at the pages that have changed, those first that wait for longest: what changes all the
/// time holds back no others.
pub(super) fn refresh(ctx: &ReducerContext) {
    if ctx.db.board_top_due().count() == 0 {
        return;
    }
    #[expect(clippy::disallowed_methods, reason = "bounded by the seasons that are kept")]
    let rows = ctx.db.board_top_due().iter();
    let mut due: Vec<(i64, u64)> = rows.map(|row| (row.since_at_micros, row.tree_id)).collect();
    due.sort_unstable();
    due.truncate(PAGES_PER_TICK);
    for (_, tree_id) in due {
        ctx.db.board_top_due().tree_id().delete(tree_id);
        look(ctx, tree_id);
    }
}

/// The name that is shown of a record.
pub(super) fn name_of(ctx: &ReducerContext, holder_id: u64, has_characters: bool) -> String {
    let row = has_characters.then(|| ctx.db.character().character_id().find(holder_id)).flatten();
    row.map(|row| row.name).unwrap_or_default()
}

fn look(ctx: &ReducerContext, tree_id: u64) {
    let Some(kept) = ctx.db.board_season().tree_id().find(tree_id) else { return };
    let most = seasons::top_of(ctx, &kept);
    let rows = Rows::new(ctx, tree_id);
    let mut season = Season::open(&rows);
    let page = season.tree.page(0, most);
    let mut shown: BTreeMap<u128, BoardTop> =
        ctx.db.board_top().by_tree().filter(tree_id).map(|row| (row.owner_key, row)).collect();
    for entry in &page {
        let owner_key = joint_key(entry.holder_id, tree_id);
        let standing = season.order.standing(entry.key);
        let row = BoardTop {
            owner_key,
            tree_id,
            holder_id: entry.holder_id,
            score: standing.score,
            subscore: standing.subscore,
            sequence: entry.key.sequence,
            name: name_of(ctx, entry.holder_id, season.has_characters()),
        };
        match shown.remove(&owner_key) {
            Some(known) if known == row => {}
            Some(_) => {
                ctx.db.board_top().owner_key().update(row);
            }
            None => {
                ctx.db.board_top().insert(row);
            }
        }
    }
    for owner_key in shown.into_keys() {
        ctx.db.board_top().owner_key().delete(owner_key);
    }
    let last = page.get(most.saturating_sub(1)).map(|entry| entry.key);
    season.cut(last);
    season.save();
}
