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
};

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
