//! What routes read from a request: its body, who bears its token, and numbers in its path.
//!
//! Keeps true: a route gets a body only after its bounds were checked, and a caller only after his
//! session was.

use axum::{
    Json,
    extract::{
        FromRequest, FromRequestParts, Request,
        rejection::{BytesRejection, FailedToBufferBody, JsonRejection},
    },
};
use garde::Validate;
use http::{HeaderMap, header, request::Parts};
use serde::de::DeserializeOwned;
use serde_json::json;

use super::Shared;
use crate::{
    problem::{Problem, Refusal},
    sessions::Caller,
    stdb::reducers::CommandId,
};

/// The header with a command's number.
pub(super) const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// Longest token in an `Authorization` header, bytes.
const TOKEN_BYTES_MAX: usize = 4 * 1024;
/// Longest explanation of a body that cannot be read, characters.
const DETAIL_CHARS_MAX: usize = 200;

/// A JSON body within its bounds.
///
/// Refused with `request.media_type`, `request.too_large`, `request.malformed` or
/// `request.invalid`, checked in that order.
pub(super) struct Body<T>(pub(super) T);

impl<T> FromRequest<Shared> for Body<T>
where
    T: DeserializeOwned + Validate<Context = ()>,
{
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Shared) -> Result<Self, Problem> {
        let Json(body) = Json::<T>::from_request(request, app)
            .await
            .map_err(|rejection| malformed(&rejection))?;
        match body.validate() {
            Ok(()) => Ok(Self(body)),
            Err(report) => Err(invalid(&report)),
        }
    }
}

impl FromRequestParts<Shared> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &Shared) -> Result<Self, Problem> {
        let token = bearer_token(&parts.headers).ok_or(Refusal::TokenMissing)?;
        if token.len() > TOKEN_BYTES_MAX {
            return Err(Refusal::TokenInvalid.into());
        }
        app.caller(token).await
    }
}

/// The number of a command, from the header `Idempotency-Key`; none when it is missing.
///
/// The value is the session and the sequence of the client's command as decimal numbers with a
/// hyphen between them, in quotes or not (draft-ietf-httpapi-idempotency-key-header has a string).
/// Refused with `request.invalid`; whether there may be such numbers the realm decides.
pub(super) struct Command(pub(super) Option<CommandId>);

impl FromRequestParts<Shared> for Command {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _app: &Shared) -> Result<Self, Problem> {
        let mut values = parts.headers.get_all(IDEMPOTENCY_KEY).iter();
        match (values.next(), values.next()) {
            (None, _) => Ok(Self(None)),
            (Some(value), None) => {
                let command = value.to_str().ok().and_then(command_id);
                let detail = "Idempotency-Key: two numbers with a hyphen between them";
                let invalid = || Problem::from(Refusal::Invalid).detail(detail);
                command.map(|command| Self(Some(command))).ok_or_else(invalid)
            }
            (Some(_), Some(_)) => {
                Err(Problem::from(Refusal::Invalid).detail("Idempotency-Key: one, not several"))
            }
        }
    }
}

fn command_id(value: &str) -> Option<CommandId> {
    let bare = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
    let (session, sequence) = bare.split_once('-')?;
    let number = |digits: &str| {
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse::<u64>().ok().filter(|_| plain)
    };
    Some(CommandId { session: number(session)?, sequence: number(sequence)? })
}

/// The token of `Authorization: Bearer …` (RFC 6750, 2.1).
fn bearer_token(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

fn malformed(rejection: &JsonRejection) -> Problem {
    match rejection {
        JsonRejection::MissingJsonContentType(_) => Refusal::MediaType.into(),
        JsonRejection::BytesRejection(BytesRejection::FailedToBufferBody(
            FailedToBufferBody::LengthLimitError(_),
        )) => Refusal::TooLarge.into(),
        _ => {
            let detail: String = rejection.body_text().chars().take(DETAIL_CHARS_MAX).collect();
            Problem::from(Refusal::Malformed).detail(detail)
        }
    }
}

fn invalid(report: &garde::Report) -> Problem {
    let errors: Vec<_> = report
        .iter()
        .map(|(field, error)| json!({"field": field.to_string(), "message": error.message()}))
        .collect();
    let detail = report.to_string();
    Problem::from(Refusal::Invalid)
        .detail(detail.trim_end().replace('\n', "; "))
        .member("errors", errors.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commands_number_is_read_from_its_header() {
        let check = |value: &str, expected: Option<(u64, u64)>| {
            let command = command_id(value).map(|command| (command.session, command.sequence));
            assert_eq!(command, expected, "{value}");
        };
        check("7-1", Some((7, 1)));
        check("\"7-1\"", Some((7, 1)));
        check("18446744073709551615-18446744073709551615", Some((u64::MAX, u64::MAX)));
        check("0-0", Some((0, 0)));
        for value in ["", "-", "7", "7-", "-1", "7-1-1", "+7-1", "7-+1", " 7-1", "7-x", "\"7-1"] {
            check(value, None);
        }
        check("18446744073709551616-1", None);
    }

    #[test]
    fn a_bearer_token_is_read_from_its_header() {
        let check = |value: Option<&str>, expected: Option<&str>| {
            let mut headers = HeaderMap::new();
            if let Some(value) = value {
                headers.insert(header::AUTHORIZATION, value.parse().expect("a header"));
            }
            assert_eq!(bearer_token(&headers), expected, "{value:?}");
        };
        check(Some("Bearer abc"), Some("abc"));
        check(Some("bearer  abc "), Some("abc"));
        check(None, None);
        check(Some("abc"), None);
        check(Some("Bearer "), None);
        check(Some("Basic abc"), None);
    }
}
