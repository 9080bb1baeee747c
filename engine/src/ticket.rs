//! Tickets: the tokens the engine itself believes, which only the guard can write.
//!
//! The guard checks a caller's token and hands the engine a ticket with the same issuer and
//! subject in its place, so that the engine never sees a token from outside.
//! Keeps true: the key pair is made anew in memory by every start and never leaves the process; a
//! ticket is ES256, addressed to the engine, and valid for a minute; nothing else is accepted, and
//! nothing is ever fetched. The engine shows a caller his ticket; outside it opens nothing,
//! because the guard wants a `kid` and another audience.
//! Leaves out on purpose: who may do what, which is `guard`.

use std::time::Duration;

use async_trait::async_trait;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde::Serialize;
use spacetimedb::auth::identity::{IncomingClaims, JwtError, SpacetimeIdentityClaims};
use spacetimedb::auth::token_validation::{TokenSigner, TokenValidationError, TokenValidator};
use spacetimedb::auth::{EcKeyPair, JwtKeys};
use spacetimedb_client_api::auth::{JwtAuthProvider, TokenClaims};

use crate::EngineError;

/// Who a ticket is for.
const AUDIENCE: &str = "haven-engine";

/// How long a ticket lasts. It is used at once, so this only has to outlive one request's start.
const LIFETIME: Duration = Duration::from_mins(1);

/// Signs and checks tickets; the engine's `JwtAuthProvider`.
pub(crate) struct TicketOffice {
    keys: JwtKeys,
    checker: TicketChecker,
}

impl TicketOffice {
    /// A fresh key pair.
    pub(crate) fn new() -> Result<Self, EngineError> {
        let pair =
            EcKeyPair::generate().map_err(|error| EngineError::Keys(format!("{error:#}")))?;
        let key = DecodingKey::from_ec_pem(&pair.public_key_bytes)
            .map_err(|error| EngineError::Keys(error.to_string()))?;
        let keys =
            JwtKeys::try_from(pair).map_err(|error| EngineError::Keys(format!("{error:#}")))?;
        Ok(Self { keys, checker: TicketChecker::new(key) })
    }

    /// A ticket that makes the engine see `issuer` and `subject`.
    pub(crate) fn issue(&self, issuer: &str, subject: &str) -> Result<String, JwtError> {
        let mut claims = TokenClaims::new(issuer.to_owned(), subject.to_owned());
        claims.audience = vec![AUDIENCE.to_owned()];
        claims.encode_and_sign_with_expiry(&self.keys, Some(LIFETIME))
    }
}

impl TokenSigner for TicketOffice {
    fn sign<T: Serialize>(&self, claims: &T) -> Result<String, JwtError> {
        self.keys.sign(claims)
    }
}

impl JwtAuthProvider for TicketOffice {
    type TV = TicketChecker;

    fn validator(&self) -> &TicketChecker {
        &self.checker
    }

    fn local_issuer(&self) -> &'static str {
        "haven-engine"
    }

    fn public_key_bytes(&self) -> &[u8] {
        &self.keys.public_pem
    }
}

/// Accepts tickets and nothing else.
pub(crate) struct TicketChecker {
    key: DecodingKey,
    validation: Validation,
}

impl TicketChecker {
    fn new(key: DecodingKey) -> Self {
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_required_spec_claims(&["exp", "iss", "sub", "aud"]);
        validation.set_audience(&[AUDIENCE]);
        validation.leeway = 5;
        Self { key, validation }
    }
}

#[async_trait]
impl TokenValidator for TicketChecker {
    async fn validate_token(
        &self,
        token: &str,
    ) -> Result<SpacetimeIdentityClaims, TokenValidationError> {
        let data = decode::<IncomingClaims>(token, &self.key, &self.validation)
            .map_err(|error| TokenValidationError::Other(anyhow::anyhow!(error)))?;
        data.claims.try_into().map_err(TokenValidationError::Other)
    }
}
