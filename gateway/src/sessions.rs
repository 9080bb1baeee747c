//! Sessions: how one begins, what its tokens are, and who bears one.
//!
//! Keeps true: a refresh token is 256 random bits that only its holder knows; who bears an access
//! token is checked against the session's row at every request, so a session that has ended is
//! over at once, everywhere.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use haven_rules::accounts::{self, AccountError, Role};
use serde::Serialize;
use spacetimedb_lib::Timestamp;
use utoipa::ToSchema;

use crate::{
    app::App,
    problem::{Problem, Refusal},
    stdb::{
        CallError, Filter, Hex,
        rows::{Account, AccountSession, RefreshToken},
    },
    tokens::{self, Bearer, GATEWAY_AUDIENCE},
};

/// What a client gets when a session begins or goes on.
#[derive(Serialize, ToSchema)]
pub(crate) struct Tokens {
    /// The account.
    #[schema(example = 1)]
    account_id: u64,
    /// Opens the routes of this gateway.
    access_token: String,
    /// Can be exchanged once for new tokens.
    refresh_token: String,
    /// Always `Bearer`.
    #[schema(example = "Bearer")]
    token_type: &'static str,
    /// Lifetime of the access token, seconds.
    #[schema(example = 900)]
    expires_in: u32,
}

/// A new refresh token.
pub(crate) struct RefreshSecret {
    secret: String,
    /// What the database knows of it.
    pub(crate) digest: Hex,
}

impl RefreshSecret {
    /// Draws one: 256 bits, 43 characters.
    pub(crate) fn generate() -> Self {
        let secret = URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
        Self { digest: Hex::sha256(secret.as_bytes()), secret }
    }
}

/// An e-mail address in its one spelling, and what accounts are looked up by.
pub(crate) struct Address {
    /// The spelling.
    pub(crate) email: String,
    /// Its SHA-256.
    pub(crate) digest: Hex,
}

impl Address {
    /// # Errors
    /// `account.email_invalid`.
    pub(crate) fn parse(text: &str) -> Result<Self, Problem> {
        let email = accounts::normalize_email(text)?;
        Ok(Self { digest: Hex::sha256(email.as_bytes()), email })
    }
}

/// Who calls, checked.
pub(crate) struct Caller {
    /// The account, active.
    pub(crate) account: Account,
    /// The session, not ended.
    pub(crate) session_id: u64,
}

impl Caller {
    /// The account's number.
    pub(crate) fn account_id(&self) -> u64 {
        self.account.account_id
    }
}

/// The account's role.
///
/// # Errors
/// `gateway.internal` for a number that no role has.
pub(crate) fn role_of(account: &Account) -> Result<Role, Problem> {
    Role::from_code(account.role).ok_or_else(|| Problem::internal("an account without a role"))
}

impl App {
    /// The account with that address.
    pub(crate) async fn account_of(&self, address: &Address) -> Result<Option<Account>, CallError> {
        self.home.query_one(Filter::hex("email_sha256", &address.digest)).await
    }

    /// The session that a refresh token just written belongs to.
    pub(crate) async fn session_of(
        &self,
        refresh: &RefreshSecret,
    ) -> Result<Option<u64>, CallError> {
        let filter = Filter::hex("token_sha256", &refresh.digest);
        let row = self.home.query_one::<RefreshToken>(filter).await?;
        Ok(row.map(|row| row.session_id))
    }

    /// The tokens of a session.
    pub(crate) fn tokens(
        &self,
        account: &Account,
        session_id: u64,
        refresh: RefreshSecret,
    ) -> Result<Tokens, Problem> {
        let (account_id, role) = (account.account_id, role_of(account)?.name());
        let bearer = Bearer { account_id, session_id, role };
        let expires_in = self.config.access_token_seconds;
        let lifetime = Duration::from_secs(u64::from(expires_in));
        let issuer = &self.config.issuer;
        Ok(Tokens {
            account_id,
            access_token: tokens::access_token(&self.keys, issuer, bearer, lifetime)?,
            refresh_token: refresh.secret,
            token_type: "Bearer",
            expires_in,
        })
    }

    /// Who bears an access token.
    ///
    /// # Errors
    /// `token.invalid`, `token.expired`, `account.banned`, `session.ended`, in that order.
    pub(crate) async fn caller(&self, token: &str) -> Result<Caller, Problem> {
        let claims = self.keys.verify(token, &self.config.issuer, GATEWAY_AUDIENCE)?;
        let session = claims.sid.and_then(|sid| sid.parse::<u64>().ok());
        let account = claims.sub.parse::<u64>().ok();
        let (Some(session_id), Some(account_id)) = (session, account) else {
            return Err(Refusal::TokenInvalid.into());
        };
        let account = Filter::number("account_id", account_id);
        let (goes_on, account) = tokio::try_join!(
            self.session_goes_on(session_id, account_id),
            self.home.query_one::<Account>(account),
        )?;
        let account = account.ok_or(Refusal::TokenInvalid)?;
        accounts::check_status(account.status)?;
        if !goes_on {
            return Err(Refusal::SessionEnded.into());
        }
        Ok(Caller { account, session_id })
    }

    /// Whether a session of that account has neither ended nor expired.
    pub(crate) async fn session_goes_on(
        &self,
        session_id: u64,
        account_id: u64,
    ) -> Result<bool, CallError> {
        let filter = Filter::number("session_id", session_id);
        let session = self.home.query_one::<AccountSession>(filter).await?;
        let own = session.filter(|session| session.account_id == account_id);
        Ok(own.is_some_and(|session| goes_on(&session)))
    }

    /// Counts an attempt to prove an account's password.
    ///
    /// # Errors
    /// `request.rate_limited`.
    pub(crate) fn check_login_rate(&self, digest: &Hex) -> Result<(), Problem> {
        let limited = |wait| Problem::from(Refusal::RateLimited).retry_after(wait);
        self.limits.check_login(digest).map_err(limited)
    }
}

/// The answer to a wrong address or password, the same for both.
pub(crate) fn bad_credentials() -> Problem {
    AccountError::BadCredentials.into()
}

fn goes_on(session: &AccountSession) -> bool {
    let now = Timestamp::now().to_micros_since_unix_epoch();
    session.expires_at_micros > now
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refresh_token_is_256_random_bits() {
        let (one, other) = (RefreshSecret::generate(), RefreshSecret::generate());
        assert_eq!(one.secret.len(), 43);
        assert_ne!(one.secret, other.secret);
        assert_eq!(one.digest, Hex::sha256(one.secret.as_bytes()));
    }

    #[test]
    fn spellings_of_one_address_have_one_digest() {
        let digest = |text| Address::parse(text).map(|address| address.digest).ok();
        assert_eq!(digest("Ann@Example.org "), digest("ann@example.org"));
        assert!(digest("ann").is_none());
    }

    #[test]
    fn a_session_goes_on_until_it_expires() {
        let now = Timestamp::now();
        let session = AccountSession {
            session_id: 1,
            account_id: 1,
            expires_at_micros: now.to_micros_since_unix_epoch() + 1_000_000,
            created_at: now,
            refreshed_at: now,
        };
        assert!(goes_on(&session));
        assert!(!goes_on(&AccountSession { expires_at_micros: 0, ..session }));
    }
}
