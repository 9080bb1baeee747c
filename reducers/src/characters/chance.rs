//! Dice for new characters.
//!
//! Keeps true: a player can neither foresee them nor have them thrown again by a call that is
//! repeated. The transaction's own numbers follow from its instant, so what players never see is
//! mixed in: the salt of the account's password, and the pool that every login stirs.

use crate::now_micros;
use haven_rules::combat::source::{SECRET_BYTES, Source};
use haven_tables::accounts::account;
use haven_tables::combat::dice_pool;
use spacetimedb::ReducerContext;

/// Dice of this transaction for an account.
pub(super) fn dice(ctx: &ReducerContext, account_id: u64) -> Source {
    let secret: [u8; SECRET_BYTES] = ctx.random();
    let mut label = b"scores".to_vec();
    label.extend(account_id.to_be_bytes());
    label.extend(now_micros(ctx).to_be_bytes());
    label.extend(ctx.db.dice_pool().singleton_id().find(0).map_or_else(Vec::new, |row| row.state));
    let account = ctx.db.account().account_id().find(account_id);
    label.extend(account.map(|row| row.password_phc.into_bytes()).unwrap_or_default());
    Source::new(&secret, &label)
}
