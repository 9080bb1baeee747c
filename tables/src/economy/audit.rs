//! The auditor: how far its pass is, what it has counted, and what it found.
//!
//! Keeps true: `economy_health` tells what the last whole pass found, and nothing about anybody.

use spacetimedb::table;

/// What the last pass that came to its end found: one row.
#[table(name = economy_health, public)]
#[derive(Clone)]
pub struct EconomyHealth {
    /// Always 0.
    #[primary_key]
    pub singleton_id: u8,
    /// How many passes came to an end since the realm began.
    pub pass: u64,
    /// When it began, microseconds since 1970.
    pub began_at_micros: i64,
    /// When it ended.
    pub ended_at_micros: i64,
    /// Accounts it recounted.
    pub accounts: u64,
    /// Entries it added up; each counts once where it left and once where it came.
    pub entries: u64,
    /// Stacks it counted.
    pub stacks: u64,
    /// Definitions whose stacks it compared with what was made and what is gone.
    pub definitions: u64,
    /// Copper that all sources gave, at its end.
    pub copper_given: u64,
    /// Copper that all sinks took.
    pub copper_taken: u64,
    /// Copper that everybody and everything else holds.
    pub copper_held: u64,
    /// The cause of the first imbalance: the first that it can have come from; 0 where there is
    /// none, or no transaction of the ledger can have made it.
    pub first_cause_id: u64,
    /// How many accounts and definitions do not add up; 0 is good.
    pub imbalances: u32,
}

/// What does not add up, of the last pass that found anything: at most
/// `rules::economy::IMBALANCES_MAX` rows. For staff.
#[table(name = economy_imbalance)]
#[derive(Clone)]
pub struct EconomyImbalance {
    /// Never reused.
    #[primary_key]
    pub imbalance_id: u64,
    /// Which pass found it.
    pub pass: u64,
    /// The account, `ledger_account.ledger_account_id`; 0 for a definition of items or for all.
    pub ledger_account_id: u64,
    /// The first cause that it can have come from; 0 where it came from none of the ledger.
    pub cause_id: u64,
    /// What there should be: copper, or items.
    pub expected: i128,
    /// What there is.
    pub found: i128,
    /// Key of the items' definition; empty for coins.
    pub def: String,
}

/// The pass that goes on, or rests until the next one: one row.
#[table(name = economy_audit)]
#[derive(Clone)]
pub struct EconomyAudit {
    /// Always 0.
    #[primary_key]
    pub singleton_id: u8,
    /// `rules::economy::AuditStage`.
    pub stage: u8,
    /// The number of the pass.
    pub pass: u64,
    /// When it began, microseconds since 1970; while it rests, when the next one begins.
    pub began_at_micros: i64,
    /// The account that is recounted; those before it are done.
    pub ledger_account_id: u64,
    /// Entries out of it are added up to this one.
    pub out_up_to: u64,
    /// Entries into it are added up to this one.
    pub in_up_to: u64,
    /// What left it so far.
    pub copper_out: u128,
    /// What came to it so far.
    pub copper_in: u128,
    /// The last cause there was when it began.
    pub last_cause_id: u64,
    /// The last cause there was when the last pass began that found nothing.
    pub sound_cause_id: u64,
    /// See `economy_health`.
    pub accounts: u64,
    /// See `economy_health`.
    pub entries: u64,
    /// See `economy_health`.
    pub stacks: u64,
    /// See `economy_health`.
    pub definitions: u64,
    /// See `economy_health`.
    pub first_cause_id: u64,
    /// See `economy_health`.
    pub imbalances: u32,
}

/// How far the running pass has counted, read by whatever changes what is counted: one row, and
/// none while it rests.
#[table(name = economy_audit_mark)]
#[derive(Clone)]
pub struct EconomyAuditMark {
    /// Always 0.
    #[primary_key]
    pub singleton_id: u8,
    /// Accounts up to this one are counted.
    pub ledger_account_id: u64,
    /// Stacks up to this one are counted.
    pub item_id: u64,
    /// What counted accounts and sinks hold, less what counted sources gave.
    pub copper: i128,
}

/// How many of a kind lie in counted stacks.
#[table(name = economy_audit_count)]
pub struct EconomyAuditCount {
    /// Key of the definition.
    #[primary_key]
    pub def: String,
    /// How many.
    pub count: i128,
}
