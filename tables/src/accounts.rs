//! Accounts, their sessions and their refresh tokens. Gateways keep them in the home database.
//!
//! Keeps true: an address has one account, a refresh token one session, and no secret stands in
//! any row: passwords are argon2id hashes, refresh tokens their SHA-256. All tables are private.

use spacetimedb::{Timestamp, table};

/// Who may log in. Written by registration and by staff actions.
#[table(name = account)]
pub struct Account {
    /// Never reused; the subject of the account's tokens.
    #[primary_key]
    pub account_id: u64,
    /// SHA-256 of `email`, 64 lower-case hex digits. The gateway looks accounts up by it.
    #[unique]
    pub email_sha256: String,
    /// The address, normalised by `rules::accounts::normalize_email`.
    pub email: String,
    /// The argon2id hash as a PHC string, made by the gateway.
    pub password_phc: String,
    /// Counts password changes, so that a login that raced a change is refused.
    pub password_version: u32,
    /// 1 active, 2 banned (`rules::accounts::AccountStatus`).
    pub status: u8,
    /// 1 player, 2 moderator, 3 game master, 4 administrator, 5 service (`rules::accounts::Role`).
    pub role: u8,
    /// When the account was registered.
    pub created_at: Timestamp,
    /// When a session was last opened.
    pub last_login_at: Timestamp,
}

/// One login on one device: a family of refresh tokens. A session that has ended has no row: it is
/// deleted by logout, password change, ban or reuse of a spent token, and swept when it expires.
#[table(
    name = account_session,
    // Read to end all sessions of an account.
    index(name = by_account, btree(columns = [account_id])),
    // Read by the sweep.
    index(name = by_expires_at, btree(columns = [expires_at_micros]))
)]
pub struct AccountSession {
    /// The `sid` of the access tokens of this session.
    #[primary_key]
    pub session_id: u64,
    /// Whose session it is.
    pub account_id: u64,
    /// When it ends unless it is refreshed before, microseconds since 1970.
    pub expires_at_micros: i64,
    /// When it was opened by a login.
    pub created_at: Timestamp,
    /// When it was last refreshed.
    pub refreshed_at: Timestamp,
}

/// One refresh token of a session. The last `accounts::TOKENS_KEPT_PER_SESSION` spent ones stay, so
/// that their reuse is detected; all go with their session.
#[table(
    name = refresh_token,
    // Read to remove the tokens of a session that ends.
    index(name = by_session, btree(columns = [session_id]))
)]
pub struct RefreshToken {
    /// SHA-256 of the token, 64 lower-case hex digits.
    #[primary_key]
    pub token_sha256: String,
    /// The session it refreshes.
    pub session_id: u64,
    /// When it was issued.
    pub issued_at: Timestamp,
    /// When it was exchanged for the next one.
    pub spent_at: Option<Timestamp>,
}
