//! Receipts of commands: what a client's session has done, so that it is not done again. All tables
//! private: whoever repeats a command hears its result, and nobody else has any business here.
//!
//! Kept for `rules::commands::RETENTION_SECONDS` after a session's last command, for the last
//! `rules::commands::WINDOW` commands of at most `rules::commands::SESSIONS_PER_ACCOUNT_MAX`
//! sessions of an account.

use spacetimedb::{SpacetimeType, table};

/// The number a client gives a command: `session` is drawn at random when the client starts,
/// `sequence` counts its commands from 1 without gaps.
#[derive(SpacetimeType, Clone, Copy, Debug, PartialEq, Eq)]
pub struct CommandId {
    /// At least 1; means something only together with the account.
    pub session: u64,
    /// At least 1.
    pub sequence: u64,
}

/// A client's session that has done something. Written with its first command; removed with its
/// receipts when it is old, or when the account has too many.
#[table(
    name = command_session,
    // Read to bound the sessions of an account.
    index(name = by_account, btree(columns = [account_id])),
    // Read by the sweep.
    index(name = by_wheel_slot, btree(columns = [wheel_slot]))
)]
pub struct CommandSession {
    /// The account in the upper 64 bits, the client's `session` in the lower.
    #[unique]
    pub session_key: u128,
    /// Never reused.
    #[primary_key]
    pub command_session_id: u64,
    /// Whose session it is.
    pub account_id: u64,
    /// When the period began in which it was last used, microseconds since 1970.
    pub used_at_micros: i64,
    /// That period's place on the wheel (`rules::commands::wheel_slot_of`).
    pub wheel_slot: u8,
}

/// The last command that was done, of those of a session that share a slot. Overwritten by later
/// ones.
#[table(name = command_receipt)]
pub struct CommandReceipt {
    /// `command_session_id` times 64 plus the slot (`rules::commands::slot_of`).
    #[primary_key]
    pub receipt_key: u64,
    /// The command's number.
    pub sequence: u64,
    /// What it was (`rules::commands::fingerprint`).
    pub fingerprint: u64,
}
