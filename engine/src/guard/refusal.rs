//! Every way the guard says no, with its code, and how often it did.
//!
//! Keeps true: a refusal tells the caller what was wrong with the request, never what the engine or
//! another caller holds; tokens appear in no message; codes are never renamed.
//! Leaves out on purpose: refusals of the module, which speak for themselves over the WebSocket.

use std::sync::atomic::{AtomicU64, Ordering};

use axum07::body::Body;
use axum07::http::{HeaderValue, Response, StatusCode, header};
use serde_json::json;

/// Why a request does not reach the engine, in the order in which it is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No such route, for anybody.
    RouteUnknown,
    /// The query cannot be read, or repeats what must be said once.
    QueryMalformed,
    /// Neither an `Authorization` header nor a `token` in the query.
    TokenMissing,
    /// Longer than [`super::TOKEN_BYTES_MAX`].
    TokenTooLong,
    /// Not a signed token in compact form, or with parts that are not understood.
    TokenMalformed,
    /// Signed with anything but ES256.
    TokenAlgorithm,
    /// No key id, or one that the key source does not list.
    TokenKeyUnknown,
    /// The keys could not be had yet.
    KeysUnavailable,
    /// The signature is not from that key.
    TokenSignature,
    /// From somebody else than the configured issuer.
    TokenIssuer,
    /// Without an expiry.
    TokenExpiryMissing,
    /// Over.
    TokenExpired,
    /// Not yet valid, or issued in the future.
    TokenNotYetValid,
    /// For another purpose, or for another realm than the one that was asked for.
    TokenAudience,
    /// A role that is not known, or a subject that does not go with it.
    TokenRole,
    /// The route exists, for others.
    RouteForbidden,
    /// More body than this route takes.
    BodyTooLarge,
    /// Too many wait until something is written, in all or with this account's tokens.
    WaitersTooMany,
    /// There is no such database to wait for.
    DatabaseUnknown,
    /// What was committed is not on disk yet.
    NotWritten,
    /// The guard itself failed.
    Internal,
}

impl Refusal {
    /// All refusals, in the order of their checks.
    pub const ALL: [Self; 21] = [
        Self::RouteUnknown,
        Self::QueryMalformed,
        Self::TokenMissing,
        Self::TokenTooLong,
        Self::TokenMalformed,
        Self::TokenAlgorithm,
        Self::TokenKeyUnknown,
        Self::KeysUnavailable,
        Self::TokenSignature,
        Self::TokenIssuer,
        Self::TokenExpiryMissing,
        Self::TokenExpired,
        Self::TokenNotYetValid,
        Self::TokenAudience,
        Self::TokenRole,
        Self::RouteForbidden,
        Self::BodyTooLarge,
        Self::WaitersTooMany,
        Self::DatabaseUnknown,
        Self::NotWritten,
        Self::Internal,
    ];

    /// The word clients branch on.
    pub fn code(self) -> &'static str {
        match self {
            Self::RouteUnknown => "guard.route_unknown",
            Self::QueryMalformed => "guard.query_malformed",
            Self::TokenMissing => "guard.token_missing",
            Self::TokenTooLong => "guard.token_too_long",
            Self::TokenMalformed => "guard.token_malformed",
            Self::TokenAlgorithm => "guard.token_algorithm",
            Self::TokenKeyUnknown => "guard.token_key_unknown",
            Self::KeysUnavailable => "guard.keys_unavailable",
            Self::TokenSignature => "guard.token_signature",
            Self::TokenIssuer => "guard.token_issuer",
            Self::TokenExpiryMissing => "guard.token_expiry_missing",
            Self::TokenExpired => "guard.token_expired",
            Self::TokenNotYetValid => "guard.token_not_yet_valid",
            Self::TokenAudience => "guard.token_audience",
            Self::TokenRole => "guard.token_role",
            Self::RouteForbidden => "guard.route_forbidden",
            Self::BodyTooLarge => "guard.body_too_large",
            Self::WaitersTooMany => "guard.waiters_too_many",
            Self::DatabaseUnknown => "guard.database_unknown",
            Self::NotWritten => "guard.not_written",
            Self::Internal => "guard.internal",
        }
    }

    /// The HTTP status.
    pub fn status(self) -> u16 {
        self.http_status().as_u16()
    }

    fn http_status(self) -> StatusCode {
        match self {
            Self::RouteUnknown | Self::DatabaseUnknown => StatusCode::NOT_FOUND,
            Self::QueryMalformed => StatusCode::BAD_REQUEST,
            Self::TokenMissing
            | Self::TokenTooLong
            | Self::TokenMalformed
            | Self::TokenAlgorithm
            | Self::TokenKeyUnknown
            | Self::TokenSignature
            | Self::TokenIssuer
            | Self::TokenExpiryMissing
            | Self::TokenExpired
            | Self::TokenNotYetValid
            | Self::TokenAudience
            | Self::TokenRole => StatusCode::UNAUTHORIZED,
            Self::KeysUnavailable | Self::WaitersTooMany | Self::NotWritten => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::RouteForbidden => StatusCode::FORBIDDEN,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// A sentence for people.
    fn detail(self) -> &'static str {
        match self {
            Self::RouteUnknown => "there is nothing here",
            Self::QueryMalformed => "the query cannot be read, or says something twice",
            Self::TokenMissing => "a token is needed",
            Self::TokenTooLong => "the token is too long",
            Self::TokenMalformed => "the token is not a signed token in compact form",
            Self::TokenAlgorithm => "only tokens signed with ES256 are accepted",
            Self::TokenKeyUnknown => "the token names no key, or one that is not known",
            Self::KeysUnavailable => "the issuer's keys cannot be had at the moment",
            Self::TokenSignature => "the signature does not match the key",
            Self::TokenIssuer => "the token is from an issuer that is not trusted here",
            Self::TokenExpiryMissing => "tokens without an expiry are not accepted",
            Self::TokenExpired => "the token has expired",
            Self::TokenNotYetValid => "the token is not valid yet",
            Self::TokenAudience => "the token is for something else than what was asked for",
            Self::TokenRole => "the token's role is not known, or does not go with its subject",
            Self::RouteForbidden => "this token does not open this route",
            Self::BodyTooLarge => "the body is larger than this route takes",
            Self::WaitersTooMany => "too many wait for the disk already",
            Self::DatabaseUnknown => "there is no such database",
            Self::NotWritten => "the disk has not kept up with what was committed; ask again",
            Self::Internal => "the guard could not do its work",
        }
    }

    /// The problem document (RFC 9457).
    pub(crate) fn response(self, request_id: &str) -> Response<Body> {
        let (code, status) = (self.code(), self.http_status());
        let document = json!({
            "type": format!("urn:haven:problem:{code}"),
            "title": status.canonical_reason().unwrap_or("Refused"),
            "status": status.as_u16(),
            "code": code,
            "detail": self.detail(),
            "request_id": request_id,
        });
        let mut response = Response::new(Body::from(document.to_string()));
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if status == StatusCode::UNAUTHORIZED {
            let challenge = match self {
                Self::TokenMissing => "Bearer",
                _ => "Bearer error=\"invalid_token\"",
            };
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

/// How often each refusal occurred.
#[derive(Default)]
pub(crate) struct Counters([AtomicU64; Refusal::ALL.len()]);

impl Counters {
    /// One more.
    pub(crate) fn count(&self, refusal: Refusal) {
        if let Some(counter) = self.0.get(refusal as usize) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Code and number, for every refusal there is.
    pub(crate) fn read(&self) -> Vec<(&'static str, u64)> {
        let numbers = self.0.iter().map(|counter| counter.load(Ordering::Relaxed));
        Refusal::ALL.iter().map(|refusal| refusal.code()).zip(numbers).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_has_a_code_of_its_own_and_counts_under_it() {
        let counters = Counters::default();
        for (index, refusal) in Refusal::ALL.into_iter().enumerate() {
            assert_eq!(refusal as usize, index);
            assert!(refusal.code().starts_with("guard."));
            counters.count(refusal);
        }
        assert!(counters.read().iter().all(|(_, number)| *number == 1));
        let mut codes: Vec<_> = Refusal::ALL.map(Refusal::code).into();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), Refusal::ALL.len());
    }
}
