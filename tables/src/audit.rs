//! The audit trail: logins and staff actions. Append-only, private, swept after its retention.

use spacetimedb::{Identity, table};

/// One audited action. Written in the transaction of the action itself, never changed.
#[table(
    name = audit_entry,
    // Read by the sweep.
    index(name = by_at, btree(columns = [at_micros])),
    // Read by staff: what was done to an account.
    index(name = by_subject, btree(columns = [subject_account_id]))
)]
pub struct AuditEntry {
    /// Grows with time.
    #[primary_key]
    pub audit_id: u64,
    /// When, microseconds since 1970.
    pub at_micros: i64,
    /// Who called.
    pub actor: Identity,
    /// The caller's account; 0 is the owner or a gateway.
    pub actor_account_id: u64,
    /// The account it was done to; 0 is none.
    pub subject_account_id: u64,
    /// What was done, one of `rules::audit::ACTIONS`.
    pub action: String,
    /// What a reader needs besides, never a secret. At most `rules::audit::DETAIL_CHARS_MAX`.
    pub detail: String,
}
