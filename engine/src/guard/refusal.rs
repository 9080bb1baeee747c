//! Every way the guard says no, with its code, and how often it did.
//!
//! Keeps true: a refusal tells the caller what was wrong with the request, never what the engine or
//! another caller holds; tokens appear in no message; codes are never renamed.
//! Leaves out on purpose: refusals of the module, which speak for themselves over the WebSocket.

use std::sync::atomic::{AtomicU64, Ordering};

use axum07::body::Body;
use axum07::http::{HeaderValue, Response, StatusCode, header};
use serde_json::json;

/// Why a request or a connection does not reach the engine, in the order in which it is checked;
/// what ends a socket comes after what keeps it from opening.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// There are as many connections as there may be.
    ConnectionsFull,
    /// There are as many from this address.
    AddressFull,
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
    /// Of the account's sockets none has this connection id.
    ConnectionUnknown,
    /// More body than this route takes.
    BodyTooLarge,
    /// Too many wait until something is written, in all or with this account's tokens.
    WaitersTooMany,
    /// There is no such database to wait for.
    DatabaseUnknown,
    /// What was committed is not on disk yet.
    NotWritten,
    /// What players need besides the engine is not ready yet.
    Starting,
    /// The disk is nearly full, so nobody new is let in.
    DiskLow,
    /// The log is behind, so nobody new is let in.
    LogBehind,
    /// The account has as many sockets as it may.
    AccountFull,
    /// A message on a socket beyond the limit: the socket is ended.
    MessageTooLong,
    /// A socket's request did not start like one: the socket is ended.
    SocketMalformed,
    /// A socket's reader was behind for too long: the socket is ended.
    ReaderBehind,
    /// A socket's token ended without a later one: the socket is ended.
    TokenRanOut,
    /// The guard itself failed.
    Internal,
}

/// Code, status, and a sentence for people, in the order of [`Refusal::ALL`].
const TERMS: [(&str, StatusCode, &str); Refusal::ALL.len()] = {
    use StatusCode as S;
    [
        ("guard.connections_full", S::SERVICE_UNAVAILABLE, "there are too many connections"),
        (
            "guard.address_full",
            S::TOO_MANY_REQUESTS,
            "there are too many connections from this address",
        ),
        ("guard.route_unknown", S::NOT_FOUND, "there is nothing here"),
        (
            "guard.query_malformed",
            S::BAD_REQUEST,
            "the query cannot be read, or says something twice",
        ),
        ("guard.token_missing", S::UNAUTHORIZED, "a token is needed"),
        ("guard.token_too_long", S::UNAUTHORIZED, "the token is too long"),
        (
            "guard.token_malformed",
            S::UNAUTHORIZED,
            "the token is not a signed token in compact form",
        ),
        ("guard.token_algorithm", S::UNAUTHORIZED, "only tokens signed with ES256 are accepted"),
        (
            "guard.token_key_unknown",
            S::UNAUTHORIZED,
            "the token names no key, or one that is not known",
        ),
        (
            "guard.keys_unavailable",
            S::SERVICE_UNAVAILABLE,
            "the issuer's keys cannot be had at the moment",
        ),
        ("guard.token_signature", S::UNAUTHORIZED, "the signature does not match the key"),
        (
            "guard.token_issuer",
            S::UNAUTHORIZED,
            "the token is from an issuer that is not trusted here",
        ),
        (
            "guard.token_expiry_missing",
            S::UNAUTHORIZED,
            "tokens without an expiry are not accepted",
        ),
        ("guard.token_expired", S::UNAUTHORIZED, "the token has expired"),
        ("guard.token_not_yet_valid", S::UNAUTHORIZED, "the token is not valid yet"),
        (
            "guard.token_audience",
            S::UNAUTHORIZED,
            "the token is for something else than what was asked for",
        ),
        (
            "guard.token_role",
            S::UNAUTHORIZED,
            "the token's role is not known, or does not go with its subject",
        ),
        ("guard.route_forbidden", S::FORBIDDEN, "this token does not open this route"),
        ("guard.connection_unknown", S::NOT_FOUND, "there is no such connection of this account"),
        ("guard.body_too_large", S::PAYLOAD_TOO_LARGE, "the body is larger than this route takes"),
        ("guard.waiters_too_many", S::SERVICE_UNAVAILABLE, "too many wait for the disk already"),
        ("guard.database_unknown", S::NOT_FOUND, "there is no such database"),
        (
            "guard.not_written",
            S::SERVICE_UNAVAILABLE,
            "the disk has not kept up with what was committed; ask again",
        ),
        ("guard.starting", S::SERVICE_UNAVAILABLE, "the realm is about to open; come back at once"),
        ("guard.disk_low", S::SERVICE_UNAVAILABLE, "the disk is nearly full; come back later"),
        (
            "guard.log_behind",
            S::SERVICE_UNAVAILABLE,
            "the disk has to catch up; come back in a moment",
        ),
        ("guard.account_full", S::TOO_MANY_REQUESTS, "this account has too many connections"),
        ("guard.message_too_long", S::PAYLOAD_TOO_LARGE, "the message is longer than the limit"),
        ("guard.socket_malformed", S::BAD_REQUEST, "the request does not start like one"),
        ("guard.reader_behind", S::REQUEST_TIMEOUT, "too much waits to be read"),
        ("guard.token_ran_out", S::UNAUTHORIZED, "the token of this connection has ended"),
        ("guard.internal", S::INTERNAL_SERVER_ERROR, "the guard could not do its work"),
    ]
};

impl Refusal {
    /// All refusals, in the order of their checks.
    pub const ALL: [Self; 32] = [
        Self::ConnectionsFull,
        Self::AddressFull,
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
        Self::ConnectionUnknown,
        Self::BodyTooLarge,
        Self::WaitersTooMany,
        Self::DatabaseUnknown,
        Self::NotWritten,
        Self::Starting,
        Self::DiskLow,
        Self::LogBehind,
        Self::AccountFull,
        Self::MessageTooLong,
        Self::SocketMalformed,
        Self::ReaderBehind,
        Self::TokenRanOut,
        Self::Internal,
    ];

    /// The word clients branch on.
    pub fn code(self) -> &'static str {
        self.terms().0
    }

    /// The HTTP status.
    pub fn status(self) -> u16 {
        self.http_status().as_u16()
    }

    fn http_status(self) -> StatusCode {
        self.terms().1
    }

    /// A sentence for people.
    fn detail(self) -> &'static str {
        self.terms().2
    }

    fn terms(self) -> (&'static str, StatusCode, &'static str) {
        TERMS[self as usize]
    }

    /// The whole response for a connection that is not read, as bytes.
    pub(crate) fn last_words(self) -> String {
        let id = uuid::Uuid::new_v4().to_string();
        let (status, document) = (self.http_status(), self.document(&id).to_string());
        let retry = if self.is_for_now() { "retry-after: 1\r\n" } else { "" };
        format!(
            "HTTP/1.1 {status}\r\ncontent-type: application/problem+json\r\n\
             content-length: {}\r\nx-request-id: {id}\r\nconnection: close\r\n{retry}\r\n\
             {document}",
            document.len()
        )
    }

    /// Whether the same may be asked again in a moment.
    fn is_for_now(self) -> bool {
        let status = self.http_status();
        status == StatusCode::SERVICE_UNAVAILABLE || status == StatusCode::TOO_MANY_REQUESTS
    }

    fn document(self, request_id: &str) -> serde_json::Value {
        let (code, status) = (self.code(), self.http_status());
        json!({
            "type": format!("urn:haven:problem:{code}"),
            "title": status.canonical_reason().unwrap_or("Refused"),
            "status": status.as_u16(),
            "code": code,
            "detail": self.detail(),
            "request_id": request_id,
        })
    }

    /// The problem document (RFC 9457).
    pub(crate) fn response(self, request_id: &str) -> Response<Body> {
        let (status, document) = (self.http_status(), self.document(request_id));
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
        if self.is_for_now() {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

/// How often each refusal occurred.
#[derive(Debug)]
pub(crate) struct Counters([AtomicU64; Refusal::ALL.len()]);

impl Default for Counters {
    fn default() -> Self {
        Self(std::array::from_fn(|_| AtomicU64::new(0)))
    }
}

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
