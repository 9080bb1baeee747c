//! The numbers that rows are known by.
//!
//! Keeps true: a number is given once (`haven_tables::sequences`).
//! Leaves out on purpose: entities and worlds, which are counted in rows of their own, and numbers
//! that are made of others.

use crate::content::content_activation_timer;
use crate::economy::trade_timer;
use crate::npcs::camps::camp_fill_timer;
use haven_rules::sequences::{Numbered, own_part};
use haven_tables::accounts::{account, account_session};
use haven_tables::audit::audit_entry;
use haven_tables::characters::{character_spell, character_use};
use haven_tables::chat::channels::chat_channel;
use haven_tables::chat::chat_log;
use haven_tables::chat::moderation::chat_reported;
use haven_tables::combat::{
    combat_cooldown, combat_deed, combat_due, combat_effect, combat_threat,
};
use haven_tables::commands::command_session;
use haven_tables::content::content_entry;
use haven_tables::economy::audit::economy_imbalance;
use haven_tables::economy::market::{auction, market_item, market_order};
use haven_tables::economy::trades::trade;
use haven_tables::economy::vendors::{vendor, vendor_shelf};
use haven_tables::economy::{ledger_account, ledger_cause};
use haven_tables::friends::{friend, friend_block_name};
use haven_tables::guilds::{guild, guild_log};
use haven_tables::instances::instance_pass;
use haven_tables::items::{item, item_container, loot};
use haven_tables::leaderboards::{board, board_season};
use haven_tables::mail::mail;
use haven_tables::motion::motion_effect;
use haven_tables::notices::notice;
use haven_tables::npcs::camp;
use haven_tables::parties::{party, party_invitation};
use haven_tables::sequences::{Sequence, sequence};
use haven_tables::world::{landmark, obstacle};
use spacetimedb::{ReducerContext, Table};

macro_rules! greatest {
    ($($kind:ident = $code:literal, $table:ident.$column:ident;)*) => {
        /// The greatest number that a row has, 0 for none.
        #[expect(clippy::disallowed_methods, reason = "once in a realm's life")]
        fn greatest(ctx: &ReducerContext, numbered: Numbered) -> u64 {
            let greatest: Option<u64> = match numbered {
                $(Numbered::$kind => {
                    ctx.db.$table().iter().map(|row| own_part(row.$column.into())).max()
                })*
            };
            greatest.unwrap_or(0)
        }
    };
}

haven_rules::for_each_numbered!(greatest);

/// Begins what has not begun: behind the rows that a release without sequences left.
pub(crate) fn ensure(ctx: &ReducerContext) {
    for numbered in Numbered::ALL {
        of(ctx, *numbered);
    }
}

/// The sequence of a kind. It is there but where a release before sequences was published over,
/// and its owner has not upgraded yet.
fn of(ctx: &ReducerContext, numbered: Numbered) -> Sequence {
    let code = numbered as u8;
    let known = ctx.db.sequence().code().find(code);
    known.unwrap_or_else(|| {
        ctx.db.sequence().insert(Sequence { code, last: greatest(ctx, numbered) })
    })
}

/// A number that no row of the kind has had.
pub(crate) fn next(ctx: &ReducerContext, numbered: Numbered) -> u64 {
    let row = of(ctx, numbered);
    ctx.db.sequence().code().update(Sequence { last: row.last + 1, ..row }).last
}

/// The last number that a row of the kind had, 0 for none.
pub(crate) fn last(ctx: &ReducerContext, numbered: Numbered) -> u64 {
    of(ctx, numbered).last
}

/// A number as [`next`] gives it, for kinds of which there are few.
pub(crate) fn next_of_few(ctx: &ReducerContext, numbered: Numbered) -> u32 {
    u32::try_from(next(ctx, numbered)).unwrap_or(u32::MAX)
}
