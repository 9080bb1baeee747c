//! Coins and the ledger they move by, vendors, trades, the market and the auditor.
//!
//! Keeps true: every coin that moves is in one `ledger_entry` between two accounts, with the cause
//! it moved for; an account's coins are what its entries add up to.

pub mod audit;
pub mod market;
pub mod trades;
pub mod vendors;

use spacetimedb::{Filter, Identity, client_visibility_filter, table};

/// Somebody's or something's coins. Made when coins first come.
#[table(name = ledger_account, public)]
#[derive(Clone)]
pub struct LedgerAccount {
    /// Whose it is: `kind` in the upper 64 bits, `owner_id` in the lower.
    #[primary_key]
    pub owner_key: u128,
    /// Never reused.
    #[unique]
    pub ledger_account_id: u64,
    /// By kind a character, a letter, a guild and so on; of sources and sinks which one.
    pub owner_id: u64,
    /// Copper. Of what holds coins how many there are; of a source how many it gave, of a sink how
    /// many it took.
    pub copper: u64,
    /// Who may see it; nobody where it is zero.
    pub viewer: Identity,
    /// `rules::economy::PurseKind`.
    pub kind: u8,
    /// Whether staff keeps its coins from moving.
    pub is_frozen: bool,
}

#[client_visibility_filter]
const LEDGER_ACCOUNT_FILTER: Filter =
    Filter::Sql("SELECT * FROM ledger_account WHERE viewer = :sender");

/// Why coins or items moved: one row for each call that moved any.
#[table(name = ledger_cause)]
#[derive(Clone)]
pub struct LedgerCause {
    /// In the order in which they happened; below 2⁴⁸.
    #[primary_key]
    pub cause_id: u64,
    /// When, microseconds since 1970.
    pub at_micros: i64,
    /// The account that called; 0 for the realm itself.
    pub account_id: u64,
    /// The character it called as; 0 for none.
    pub character_id: u64,
    /// What it was about: by kind a letter, an auction, an order, a corpse and so on; 0 for none.
    pub subject_id: u64,
    /// The cause that this one takes back; 0 for none.
    pub reverses: u64,
    /// `rules::economy::CauseKind`.
    pub kind: u16,
}

/// Coins that moved, once: out of one account and into another. Kept for
/// `rules::economy::LEDGER_RETENTION_DAYS`, then folded into `ledger_fold`.
#[table(name = ledger_entry)]
#[derive(Clone)]
pub struct LedgerEntry {
    /// The cause's number times 2¹⁶ plus a number.
    #[primary_key]
    pub entry_key: u64,
    /// The account they left in the upper 64 bits, `entry_key` in the lower.
    #[unique]
    pub from_key: u128,
    /// The account they came to in the upper 64 bits, `entry_key` in the lower.
    #[unique]
    pub to_key: u128,
    /// The account they left.
    pub from_account_id: u64,
    /// The account they came to.
    pub to_account_id: u64,
    /// Copper, at least 1.
    pub copper: u64,
}

/// What entries that are not kept any more added up to.
#[table(name = ledger_fold)]
pub struct LedgerFold {
    /// The account.
    #[primary_key]
    pub ledger_account_id: u64,
    /// Copper that came.
    pub copper_in: u64,
    /// Copper that left.
    pub copper_out: u64,
}

/// Up to where causes are forgotten: one row.
#[table(name = ledger_swept)]
pub struct LedgerSwept {
    /// Always 0.
    #[primary_key]
    pub singleton_id: u8,
    /// No cause up to this number is there any more.
    pub cause_id: u64,
}

/// A cause that was taken back. Kept as long as that cause, so no longer than what took it back.
#[table(name = ledger_reversal)]
#[derive(Clone)]
pub struct LedgerReversal {
    /// What was taken back.
    #[primary_key]
    pub cause_id: u64,
    /// What took it back.
    pub by_cause_id: u64,
}
