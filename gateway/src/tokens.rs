//! The three kinds of token: for the gateway, for a realm, and the owner's.
//!
//! Keeps true: a token is for exactly one audience, so none of them opens another door.

use std::time::Duration;

use spacetimedb_lib::Identity;

use crate::keys::{Claims, KeyError, KeyStore, unix_seconds};

/// The audience of access tokens.
pub const GATEWAY_AUDIENCE: &str = "haven-gateway";
/// The audience of owner tokens.
pub const ADMIN_AUDIENCE: &str = "haven-admin";
/// The subject and role of owner tokens.
pub const OWNER: &str = "owner";

/// The audience of the tokens for one realm's database.
pub fn realm_audience(database: &str) -> String {
    format!("haven-realm:{database}")
}

/// The identity that SpacetimeDB derives from an account's tokens.
pub fn account_identity(issuer: &str, account_id: u64) -> Identity {
    Identity::from_claims(issuer, &account_id.to_string())
}

/// The identity of whoever publishes with an owner token.
pub fn owner_identity(issuer: &str) -> Identity {
    Identity::from_claims(issuer, OWNER)
}

/// An account in one of its sessions: whom an access or realm token speaks for.
#[derive(Clone, Copy, Debug)]
pub struct Bearer<'a> {
    /// The account.
    pub account_id: u64,
    /// The session that asked.
    pub session_id: u64,
    /// The name of the account's role.
    pub role: &'a str,
}

/// Signs a token for the gateway's own routes.
///
/// # Errors
/// [`KeyError::Sign`].
pub fn access_token(
    keys: &KeyStore,
    issuer: &str,
    bearer: Bearer<'_>,
    lifetime: Duration,
) -> Result<String, KeyError> {
    keys.sign(&bearer.claims(issuer, GATEWAY_AUDIENCE.to_owned(), lifetime))
}

/// Signs a token for one realm's database.
///
/// # Errors
/// [`KeyError::Sign`].
pub fn realm_token(
    keys: &KeyStore,
    issuer: &str,
    database: &str,
    bearer: Bearer<'_>,
    lifetime: Duration,
) -> Result<String, KeyError> {
    keys.sign(&bearer.claims(issuer, realm_audience(database), lifetime))
}

/// Signs a token of the databases' owner.
///
/// # Errors
/// [`KeyError::Sign`].
pub fn owner_token(
    keys: &KeyStore,
    issuer: &str,
    lifetime_seconds: u64,
) -> Result<String, KeyError> {
    let audience = ADMIN_AUDIENCE.to_owned();
    keys.sign(&claims(issuer, OWNER.to_owned(), audience, None, OWNER, lifetime_seconds))
}

impl Bearer<'_> {
    fn claims(self, issuer: &str, audience: String, lifetime: Duration) -> Claims {
        let (subject, session) = (self.account_id.to_string(), self.session_id.to_string());
        claims(issuer, subject, audience, Some(session), self.role, lifetime.as_secs())
    }
}

fn claims(
    issuer: &str,
    sub: String,
    audience: String,
    sid: Option<String>,
    role: &str,
    lifetime_seconds: u64,
) -> Claims {
    let iat = unix_seconds();
    Claims {
        iss: issuer.to_owned(),
        sub,
        aud: vec![audience],
        iat,
        exp: iat.saturating_add(lifetime_seconds),
        jti: hex::encode(rand::random::<[u8; 16]>()),
        sid,
        role: role.to_owned(),
    }
}
