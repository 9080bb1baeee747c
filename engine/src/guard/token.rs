//! Tokens from outside, checked strictly: who the caller is, or why he is nobody.
//!
//! Keeps true: ES256 only, whatever the header says; the key is found by `kid` in the configured
//! set; issuer, audience, expiry and role are required. The signature is checked by a library, the
//! claims here, each with its own refusal.
//! Leaves out on purpose: routes, and everything a token may claim beyond this.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde::Deserialize;

use super::GuardConfig;
use super::refusal::Refusal;

/// Bytes of a token; ours have about 500.
pub const TOKEN_BYTES_MAX: usize = 8 * 1024;
/// For clocks that differ.
const LEEWAY_SECONDS: i64 = 5;
/// The engine takes no more.
const SUBJECT_BYTES_MAX: usize = 128;
/// Roles of accounts; all of them play, and none of them owns a database.
const ACCOUNT_ROLES: [&str; 5] = ["player", "moderator", "game_master", "administrator", "service"];
const OWNER_ROLE: &str = "owner";
const SERVICE_ROLE: &str = "service";
/// The longest that a socket may stay without a later token.
const REMAINING_MAX: Duration = Duration::from_hours(24 * 365);

/// Who a token is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Caller {
    pub(crate) issuer: String,
    pub(crate) subject: String,
    pub(crate) standing: Standing,
    /// Whether the door's limits hold for it.
    pub(crate) is_service: bool,
    /// When the token ends, seconds since 1970.
    pub(crate) expires_at_seconds: i64,
}

impl Caller {
    /// Whether the door's limits hold: for players and staff, not for the owner or a service.
    pub(crate) fn is_metered(&self) -> bool {
        self.standing != Standing::Owner && !self.is_service
    }

    /// How long the token still lasts.
    pub(crate) fn remaining(&self) -> Duration {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let end = u64::try_from(self.expires_at_seconds).unwrap_or_default();
        // No token of ours lasts a year; one of another kind must not overflow a clock.
        Duration::from_secs(end).saturating_sub(now).min(REMAINING_MAX)
    }
}

/// What a token opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Everything that is not closed to all.
    Owner,
    /// The realms in these databases.
    Player(Vec<String>),
}

/// What the header of a token may say. What is not listed here is passed over, but for `crit`.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    typ: Option<String>,
    crit: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    role: String,
    exp: Option<i64>,
    nbf: Option<i64>,
    iat: Option<i64>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

/// The id of the key that a token says it is signed with; the first half of the check.
///
/// # Errors
///
/// In this order: too long, malformed, another algorithm than ES256, no key id.
pub(crate) fn key_id(token: &str) -> Result<String, Refusal> {
    if token.len() > TOKEN_BYTES_MAX {
        return Err(Refusal::TokenTooLong);
    }
    let parts: Vec<&str> = token.split('.').take(4).collect();
    let [header, _claims, _signature] = parts.as_slice() else {
        return Err(Refusal::TokenMalformed);
    };
    let header = URL_SAFE_NO_PAD.decode(header).map_err(|_| Refusal::TokenMalformed)?;
    let header: Header = serde_json::from_slice(&header).map_err(|_| Refusal::TokenMalformed)?;
    let other_type = header.typ.is_some_and(|typ| !typ.eq_ignore_ascii_case("JWT"));
    if header.crit.is_some() || other_type {
        return Err(Refusal::TokenMalformed);
    }
    if header.alg != "ES256" {
        return Err(Refusal::TokenAlgorithm);
    }
    header.kid.filter(|kid| !kid.is_empty()).ok_or(Refusal::TokenKeyUnknown)
}

/// Who signed `token`, given the key it named; the second half of the check.
///
/// # Errors
///
/// In this order: signature, malformed claims, issuer, expiry missing, expired, not yet valid,
/// audience, role.
pub(crate) fn caller(
    token: &str,
    key: &DecodingKey,
    config: &GuardConfig,
) -> Result<Caller, Refusal> {
    let claims = signed_claims(token, key)?;
    if claims.iss != config.issuer {
        return Err(Refusal::TokenIssuer);
    }
    let expires_at_seconds = check_times(&claims)?;
    let audiences = match claims.aud {
        Audience::One(audience) => vec![audience],
        Audience::Many(audiences) => audiences,
    };
    let standing = standing(&claims.role, &claims.sub, &audiences, config)?;
    let is_service = claims.role == SERVICE_ROLE;
    let (issuer, subject) = (claims.iss, claims.sub);
    Ok(Caller { issuer, subject, standing, is_service, expires_at_seconds })
}

fn signed_claims(token: &str, key: &DecodingKey) -> Result<Claims, Refusal> {
    use jsonwebtoken::errors::ErrorKind;

    let mut validation = Validation::new(Algorithm::ES256);
    // The claims are checked by `caller`, each with its own refusal.
    validation.required_spec_claims.clear();
    validation.validate_exp = false;
    validation.validate_aud = false;
    match decode::<Claims>(token, key, &validation) {
        Ok(data) => Ok(data.claims),
        Err(error) => Err(match error.kind() {
            ErrorKind::InvalidSignature => Refusal::TokenSignature,
            ErrorKind::InvalidAlgorithm => Refusal::TokenAlgorithm,
            _ => Refusal::TokenMalformed,
        }),
    }
}

/// When the token ends, seconds since 1970.
fn check_times(claims: &Claims) -> Result<i64, Refusal> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|_| Refusal::Internal)?;
    let now = i64::try_from(now.as_secs()).map_err(|_| Refusal::Internal)?;
    let exp = claims.exp.ok_or(Refusal::TokenExpiryMissing)?;
    if exp.saturating_add(LEEWAY_SECONDS) <= now {
        return Err(Refusal::TokenExpired);
    }
    let starts = claims.nbf.into_iter().chain(claims.iat).max();
    if starts.is_some_and(|start| start.saturating_sub(LEEWAY_SECONDS) > now) {
        return Err(Refusal::TokenNotYetValid);
    }
    Ok(exp)
}

/// A token is either for the owner's tools or for realms; one for both is for neither.
fn standing(
    role: &str,
    subject: &str,
    audiences: &[String],
    config: &GuardConfig,
) -> Result<Standing, Refusal> {
    let is_admin = audiences.contains(&config.audience_admin);
    let realms: Vec<String> = audiences
        .iter()
        .filter_map(|audience| audience.strip_prefix(&config.audience_realm_prefix))
        .filter(|database| !database.is_empty())
        .map(str::to_owned)
        .collect();
    if is_admin != realms.is_empty() {
        return Err(Refusal::TokenAudience);
    }
    // Accounts are numbers and owners are not, so neither can be given the other's identity.
    let is_account = subject.bytes().all(|byte| byte.is_ascii_digit());
    if subject.is_empty() || subject.len() > SUBJECT_BYTES_MAX {
        return Err(Refusal::TokenRole);
    }
    if is_admin && role == OWNER_ROLE && !is_account {
        return Ok(Standing::Owner);
    }
    if !is_admin && ACCOUNT_ROLES.contains(&role) && is_account {
        return Ok(Standing::Player(realms));
    }
    Err(Refusal::TokenRole)
}
