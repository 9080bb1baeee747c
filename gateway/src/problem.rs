//! Every refusal of the gateway: which status each code has, and the document that says so.
//!
//! Keeps true: this is the one place where codes meet statuses; a refusal is an RFC 9457 problem
//! document; what is our fault is logged once with its cause and sent without it.

#[cfg(test)]
mod tests;

use std::time::Duration;

use axum::{
    body::Body,
    response::{IntoResponse, Response},
};
use haven_rules::{
    accounts::AccountError, characters::CharacterError, commands::CommandError, realms::RealmError,
};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::{ToResponse, ToSchema};

use crate::{
    keys::{KeyError, TokenError},
    stdb::CallError,
};

/// The media type of a problem document.
pub(crate) const MEDIA_TYPE: &str = "application/problem+json";

/// A refusal: the document of RFC 9457 before it knows the request it answers.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    status: StatusCode,
    code: &'static str,
    title: &'static str,
    detail: Option<String>,
    retry_after: Option<Duration>,
    members: Map<String, Value>,
}

/// What a client reads. Further members may follow, as RFC 9457, 3.2 allows.
#[derive(Debug, Serialize, ToSchema, ToResponse)]
#[response(description = "A refusal", content_type = "application/problem+json")]
pub(crate) struct ProblemDocument<'a> {
    /// A URI that names the kind of problem: `urn:haven:problem:` and the code.
    #[serde(rename = "type")]
    #[schema(example = "urn:haven:problem:account.email_taken")]
    pub kind: String,
    /// What the code means.
    pub title: &'a str,
    /// The HTTP status.
    #[schema(example = 409)]
    pub status: u16,
    /// The stable code to branch on.
    #[schema(example = "account.email_taken")]
    pub code: &'a str,
    /// What is wrong with this request.
    pub detail: &'a str,
    /// The request's id, as in the header `x-request-id`.
    pub request_id: &'a str,
}

/// What the gateway itself refuses, beside what reducers refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    Malformed,
    Invalid,
    RouteUnknown,
    MethodNotAllowed,
    TooLarge,
    MediaType,
    RateLimited,
    Timeout,
    TokenMissing,
    TokenInvalid,
    TokenExpired,
    SessionEnded,
    Busy,
    Unavailable,
    NotReady,
    NotWritten,
    Internal,
}

impl Refusal {
    const fn parts(self) -> (StatusCode, &'static str, &'static str) {
        use StatusCode as S;
        match self {
            Self::Malformed => {
                (S::BAD_REQUEST, "request.malformed", "the body is not the JSON that is expected")
            }
            Self::Invalid => (S::BAD_REQUEST, "request.invalid", "a field is out of its bounds"),
            Self::RouteUnknown => (S::NOT_FOUND, "request.route_unknown", "there is no such route"),
            Self::MethodNotAllowed => (
                S::METHOD_NOT_ALLOWED,
                "request.method_not_allowed",
                "the route does not know that method",
            ),
            Self::TooLarge => (S::PAYLOAD_TOO_LARGE, "request.too_large", "the body is too large"),
            Self::MediaType => (
                S::UNSUPPORTED_MEDIA_TYPE,
                "request.media_type",
                "a body of type application/json is expected",
            ),
            Self::RateLimited => {
                (S::TOO_MANY_REQUESTS, "request.rate_limited", "too many requests; wait a little")
            }
            Self::Timeout => {
                (S::SERVICE_UNAVAILABLE, "request.timeout", "the request took too long")
            }
            Self::TokenMissing => (S::UNAUTHORIZED, "token.missing", "a bearer token is expected"),
            Self::TokenInvalid => (S::UNAUTHORIZED, "token.invalid", "the token is not valid"),
            Self::TokenExpired => (S::UNAUTHORIZED, "token.expired", "the token has expired"),
            Self::SessionEnded => (S::UNAUTHORIZED, "session.ended", "the session has ended"),
            Self::Busy => {
                (S::SERVICE_UNAVAILABLE, "gateway.busy", "too many logins at once; try again")
            }
            Self::Unavailable => {
                (S::SERVICE_UNAVAILABLE, "gateway.unavailable", "the database does not answer")
            }
            Self::NotReady => {
                (S::SERVICE_UNAVAILABLE, "gateway.not_ready", "a dependency does not answer")
            }
            Self::NotWritten => (
                S::SERVICE_UNAVAILABLE,
                "gateway.not_written",
                "it is done, and not on disk yet; ask again with the same key",
            ),
            Self::Internal => {
                (S::INTERNAL_SERVER_ERROR, "gateway.internal", "something went wrong here")
            }
        }
    }
}

/// The status of an account's or a session's error. None is never the caller's fault.
const fn account_status(error: AccountError) -> Option<StatusCode> {
    use AccountError as E;
    Some(match error {
        E::EmailInvalid => StatusCode::BAD_REQUEST,
        E::BadCredentials | E::SessionUnknown | E::RefreshReused => StatusCode::UNAUTHORIZED,
        E::Banned => StatusCode::FORBIDDEN,
        E::Unknown => StatusCode::NOT_FOUND,
        E::EmailTaken => StatusCode::CONFLICT,
        E::PermissionDenied
        | E::DigestInvalid
        | E::PasswordHashInvalid
        | E::LifetimeInvalid
        | E::RoleInvalid
        | E::StatusInvalid
        | E::TokenTaken => return None,
    })
}

/// The status of a realm's error.
const fn realm_status(error: RealmError) -> Option<StatusCode> {
    use RealmError as E;
    Some(match error {
        E::Closed => StatusCode::FORBIDDEN,
        E::Unknown => StatusCode::NOT_FOUND,
        E::Full | E::Offline | E::NotConfigured | E::AdmissionReplayed | E::ReadOnly => {
            StatusCode::SERVICE_UNAVAILABLE
        }
        E::DatabaseOnly
        | E::NotAdmitted
        | E::AdmissionRevoked
        | E::AdmissionExpired
        | E::TakenOver
        | E::IdInvalid
        | E::NameInvalid
        | E::UriInvalid
        | E::DatabaseInvalid
        | E::CapacityInvalid
        | E::NameTaken
        | E::AdmissionInvalid => return None,
    })
}

/// The status of a character's error.
const fn character_status(error: CharacterError) -> StatusCode {
    use CharacterError as E;
    match error {
        E::NameLength
        | E::NameLetters
        | E::NameScripts
        | E::NameReserved
        | E::RaceUnknown
        | E::ClassUnknown
        | E::AbilitiesUnsupported
        | E::MulticlassUnsupported
        | E::BackgroundUnknown
        | E::MethodUnknown
        | E::ScoresNotStandard
        | E::ScoresNotBought
        | E::ScoresNotChosen
        | E::OrderInvalid
        | E::SkillsInvalid
        | E::SpellUnknown
        | E::SpellTooHigh
        | E::SpellTwice
        | E::SpellsTooMany
        | E::AttributeUnknown
        | E::AppearanceInvalid => StatusCode::BAD_REQUEST,
        E::Unknown => StatusCode::NOT_FOUND,
        E::TooMany
        | E::TooManyKept
        | E::NameTaken
        | E::Deleted
        | E::NotDeleted
        | E::RestoreOver
        | E::InWorld
        | E::OtherInWorld
        | E::NotInWorld
        | E::RespawnTooEarly
        | E::SpellKnown
        | E::SpellNotKnown
        | E::SpellsNotPrepared
        | E::SwapNone
        | E::IncreaseNone
        | E::ScoreTooHigh
        | E::Fighting => StatusCode::CONFLICT,
    }
}

/// The status of a command's error.
const fn command_status(error: CommandError) -> StatusCode {
    match error {
        CommandError::IdInvalid => StatusCode::BAD_REQUEST,
        CommandError::SessionsTooMany => StatusCode::TOO_MANY_REQUESTS,
        CommandError::TooOld | CommandError::Reused => StatusCode::CONFLICT,
    }
}

/// The refusal of a reducer with that code, unless it is never the caller's fault.
fn of_code(code: &str) -> Option<Problem> {
    let account = AccountError::ALL.iter().find(|error| error.code() == code);
    let realm = RealmError::ALL.iter().find(|error| error.code() == code);
    let character = CharacterError::ALL.iter().find(|error| error.code() == code);
    let command = CommandError::ALL.iter().find(|error| error.code() == code);
    let (status, code, title) = match (account, realm, character, command) {
        (Some(error), _, _, _) => (account_status(*error)?, error.code(), error.text()),
        (_, Some(error), _, _) => (realm_status(*error)?, error.code(), error.text()),
        (_, _, Some(error), _) => (character_status(*error), error.code(), error.text()),
        (_, _, _, Some(error)) => (command_status(*error), error.code(), error.text()),
        (None, None, None, None) => return None,
    };
    Some(Problem::new(status, code, title))
}

impl Problem {
    fn new(status: StatusCode, code: &'static str, title: &'static str) -> Self {
        let retry_after = match status {
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => {
                Some(Duration::from_secs(1))
            }
            _ => None,
        };
        Self { status, code, title, detail: None, retry_after, members: Map::new() }
    }

    /// Our own fault: logs the cause once and answers without it.
    pub(crate) fn internal(cause: impl std::fmt::Display) -> Self {
        tracing::error!(%cause, "an internal error");
        Refusal::Internal.into()
    }

    /// Says what is wrong with this very request.
    #[must_use]
    pub(crate) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Says when to come back; rounded up to a second.
    #[must_use]
    pub(crate) fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(wait);
        self
    }

    /// Adds a member to the document.
    #[must_use]
    pub(crate) fn member(mut self, name: &str, value: Value) -> Self {
        self.members.insert(name.to_owned(), value);
        self
    }

    /// The stable code.
    pub(crate) fn code(&self) -> &'static str {
        self.code
    }

    /// Fills a response with the document, now that the request's id is known.
    pub(crate) fn render(&self, response: &mut Response, request_id: &str) {
        let document = ProblemDocument {
            kind: format!("urn:haven:problem:{}", self.code),
            title: self.title,
            status: self.status.as_u16(),
            code: self.code,
            detail: self.detail.as_deref().unwrap_or(self.title),
            request_id,
        };
        let mut value =
            serde_json::to_value(&document).expect("invariant: a problem document is plain JSON");
        if let Value::Object(object) = &mut value {
            object.extend(self.members.clone());
        }
        *response.body_mut() = Body::from(value.to_string());
        let headers = response.headers_mut();
        headers.remove(header::CONTENT_LENGTH);
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
    }
}

impl IntoResponse for Problem {
    /// The status and the headers; the document follows where the request's id is known.
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        let headers = response.headers_mut();
        if let Some(wait) = self.retry_after {
            let seconds = wait.as_millis().div_ceil(1_000).max(1);
            let value = HeaderValue::try_from(seconds.to_string());
            headers.insert(header::RETRY_AFTER, value.expect("invariant: digits"));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let (status, code, title) = refusal.parts();
        Self::new(status, code, title)
    }
}

impl From<AccountError> for Problem {
    fn from(error: AccountError) -> Self {
        of_code(error.code()).unwrap_or_else(|| Self::internal(error))
    }
}

impl From<RealmError> for Problem {
    fn from(error: RealmError) -> Self {
        let problem = of_code(error.code()).unwrap_or_else(|| Self::internal(error));
        match error {
            RealmError::Full => problem.retry_after(Duration::from_secs(10)),
            RealmError::Offline => problem.retry_after(Duration::from_secs(5)),
            RealmError::ReadOnly => problem.retry_after(Duration::from_secs(30)),
            _ => problem,
        }
    }
}

impl From<CharacterError> for Problem {
    fn from(error: CharacterError) -> Self {
        of_code(error.code()).unwrap_or_else(|| Self::internal(error))
    }
}

impl From<TokenError> for Problem {
    fn from(error: TokenError) -> Self {
        match error {
            TokenError::Invalid => Refusal::TokenInvalid.into(),
            TokenError::Expired => Refusal::TokenExpired.into(),
        }
    }
}

impl From<KeyError> for Problem {
    fn from(error: KeyError) -> Self {
        Self::internal(error)
    }
}

impl From<CallError> for Problem {
    fn from(error: CallError) -> Self {
        match &error {
            CallError::Refused { code, .. } => {
                of_code(code).unwrap_or_else(|| Self::internal(error))
            }
            CallError::Unavailable | CallError::Lost | CallError::Timeout => {
                Refusal::Unavailable.into()
            }
            CallError::NotWritten => Refusal::NotWritten.into(),
            CallError::Broken(_) | CallError::Query(_) => Self::internal(error),
        }
    }
}
