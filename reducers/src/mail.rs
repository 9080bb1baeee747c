//! Letters with goods and coins, from player to player and from the realm, and the lost-and-found
//! of accounts.
//!
//! Keeps true: a letter has a head, one row that says when something must be done about it, and its
//! place in a mailbox from the moment it is sent; what is in it lies in the container and the purse
//! of its number, wherever it goes; nothing of value is removed.
//! Sending (`send`), taking and sending back (`take`), what is due (`due`), what could not be given
//! back (`lost`) and the rows of letters (`letters`) have their own files.

mod due;
mod letters;
mod lost;
mod send;
mod take;

pub use due::{MailDueTimer, mail_due_run, mail_due_timer};
pub use lost::lost_claim;
pub use send::{mail_send, mail_send_by_staff};
pub use take::{mail_delete, mail_read, mail_return, mail_take, mail_take_all};

pub(crate) use due::ensure_timers;
pub(crate) use send::{RealmLetter, send_by_realm};

use spacetimedb::{Identity, ReducerContext};

/// Letters are shown to their recipients whether or not they are in the world.
pub(crate) fn character_entered(_ctx: &ReducerContext, _account_id: u64, _character_id: u64) {}

/// Its letters go back where they came from; what cannot is in its account's lost-and-found.
pub(crate) fn character_purged(ctx: &ReducerContext, account_id: u64, character_id: u64) {
    lost::forward(ctx, account_id, character_id);
    for mail in letters::of(ctx, character_id) {
        letters::end(ctx, mail);
    }
    letters::forget_box(ctx, character_id);
}

/// Its letters are shown to that identity.
pub(crate) fn account_rebound(ctx: &ReducerContext, account_id: u64, viewer: Identity) {
    letters::rebind(ctx, account_id, viewer);
    lost::rebind(ctx, account_id, viewer);
}
