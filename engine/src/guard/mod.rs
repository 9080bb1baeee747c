//! The guard: what stands between the network and the engine.
//!
//! The engine trusts whoever reaches it. So every request comes through here first: its route must
//! be listed, its token must be one of ours, and what goes on to the engine is written anew, with a
//! ticket in place of the token.
//! Keeps true: refuse when in doubt; the engine never sees a caller's token, path or query as it
//! was sent; tokens are never logged; every answer says which run of the engine it is from, so that
//! who waits for the disk knows whether it was this one that took what he sent.
//! Leaves out on purpose: byte budgets, connection counts and health, which stand beside it.

mod keys;
mod refusal;
mod routes;
mod swaps;
mod token;
mod written;

#[cfg(test)]
pub(crate) mod tests;

use std::sync::Arc;

use axum07::body::Body;
use axum07::extract::{Request, State};
use axum07::http::header::{AUTHORIZATION, CACHE_CONTROL, CONTENT_LENGTH, HeaderName};
use axum07::http::{HeaderMap, HeaderValue, Response, StatusCode, Uri};
use axum07::middleware::Next;
use http_body_util::Limited;

pub use keys::KeySource;
pub use refusal::Refusal;
pub(crate) use swaps::LineSwap;
pub use token::TOKEN_BYTES_MAX;
pub(crate) use written::Logbook;

use crate::ticket::TicketOffice;
use keys::KeyRing;
use refusal::Counters;
use routes::{Access, Effect, Parameters, Route};
use swaps::{Passage, Swaps};
use token::{Caller, Standing};
use written::Barrier;

/// Whom to let in.
#[derive(Debug, Clone)]
pub struct GuardConfig {
    /// The only issuer whose tokens are accepted, compared letter by letter.
    pub issuer: String,
    /// The audience of the owner's tokens, usually `haven-admin`.
    pub audience_admin: String,
    /// What stands before the database in the audience of a realm token, usually `haven-realm:`.
    pub audience_realm_prefix: String,
    /// The issuer's public keys.
    pub keys: KeySource,
}

impl GuardConfig {
    /// The usual audiences.
    pub fn new(issuer: impl Into<String>, keys: KeySource) -> Self {
        Self {
            issuer: issuer.into(),
            audience_admin: "haven-admin".to_owned(),
            audience_realm_prefix: "haven-realm:".to_owned(),
            keys,
        }
    }
}

/// What a caller may say about his address or identity, and nobody believes.
const DROPPED_REQUEST_HEADERS: [HeaderName; 4] = [
    HeaderName::from_static("cookie"),
    HeaderName::from_static("forwarded"),
    HeaderName::from_static("x-forwarded-for"),
    HeaderName::from_static("x-real-ip"),
];
/// The engine shows the ticket here.
const TICKET_HEADER: HeaderName = HeaderName::from_static("spacetime-identity-token");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// The run of the engine: another one after each start.
const RUN: HeaderName = HeaderName::from_static("x-haven-run");
/// Who asks for what anybody may know.
const NOBODY: &str = "nobody";

/// The guard's state.
pub(crate) struct Guard {
    config: GuardConfig,
    keys: KeyRing,
    tickets: Arc<TicketOffice>,
    counters: Counters,
    swaps: Swaps,
    barrier: Barrier,
    run: HeaderValue,
}

impl Guard {
    /// A guard that lets in whom `config` says, with tickets from `tickets`, and answers from
    /// `logbook` who waits for the disk.
    pub(crate) fn new(
        config: GuardConfig,
        tickets: Arc<TicketOffice>,
        logbook: Arc<dyn Logbook>,
    ) -> Self {
        let keys = KeyRing::new(config.keys.clone());
        let (counters, swaps) = (Counters::default(), Swaps::default());
        let run = HeaderValue::try_from(uuid::Uuid::new_v4().simple().to_string());
        let run = run.expect("invariant: hex digits may stand in a header");
        Self { config, keys, tickets, counters, swaps, barrier: Barrier::new(logbook), run }
    }

    /// Refusals so far, by code.
    pub(crate) fn refusals(&self) -> Vec<(&'static str, u64)> {
        self.counters.read()
    }

    /// Turns a request from outside into one for the engine, and says what its success means.
    async fn check(&self, request: Request) -> Result<Checked, Refusal> {
        let (mut parts, body) = request.into_parts();
        let route = routes::find(&parts.method, parts.uri.path())?;
        let parameters = Parameters::read(parts.uri.query().unwrap_or_default())?;
        let caller = match route.access {
            Access::Anyone => None,
            Access::Player | Access::Owner => {
                let token = bearer(&parts.headers, &parameters)?;
                let caller = self.caller(&token).await?;
                permit(&caller, &route)?;
                Some(caller)
            }
        };
        let body = limit(body, &parts.headers, route.body_bytes_max)?;
        let is_owner = caller.as_ref().is_some_and(|c| c.standing == Standing::Owner);
        let uri = route.rewrite(&parameters, is_owner);
        let effect = route.effect();
        parts.uri = Uri::try_from(uri).map_err(|_| Refusal::QueryMalformed)?;
        self.replace_headers(&mut parts.headers, caller.as_ref())?;
        Ok(Checked { request: Request::from_parts(parts, body), effect, caller })
    }

    /// Answers a request that may pass.
    async fn answer(&self, checked: Checked, next: Next) -> Result<Response<Body>, Refusal> {
        let Checked { request, effect, caller } = checked;
        if let Effect::Waits(database) = &effect {
            let caller = caller.ok_or(Refusal::Internal)?;
            return self.barrier.wait(database, &caller).await.map(|()| written());
        }
        let line = request.extensions().get::<LineSwap>().cloned();
        let passage = self.passage(&effect).await;
        let response = next.run(request).await;
        if let (StatusCode::SWITCHING_PROTOCOLS, Some(line)) = (response.status(), &line) {
            passage.opened(line);
        }
        match response.status() {
            // The engine found a body without a declared length to be longer than the limit.
            StatusCode::PAYLOAD_TOO_LARGE => Err(Refusal::BodyTooLarge),
            _ => Ok(response),
        }
    }

    /// Waits for its turn, where a request has to.
    async fn passage(&self, effect: &Effect) -> Passage {
        match effect {
            Effect::Opens(database) => self.swaps.open(database).await,
            Effect::Publishes(database) => self.swaps.publish(database).await,
            Effect::Waits(_) | Effect::None => Passage::Other,
        }
    }

    async fn caller(&self, token: &str) -> Result<Caller, Refusal> {
        let kid = token::key_id(token)?;
        let key = self.keys.key(&kid).await?;
        token::caller(token, &key, &self.config)
    }

    fn replace_headers(
        &self,
        headers: &mut HeaderMap,
        caller: Option<&Caller>,
    ) -> Result<(), Refusal> {
        for name in &DROPPED_REQUEST_HEADERS {
            headers.remove(name);
        }
        let (issuer, subject) = match caller {
            Some(caller) => (caller.issuer.as_str(), caller.subject.as_str()),
            None => (NOBODY, NOBODY),
        };
        let ticket = self.tickets.issue(issuer, subject).map_err(|_| Refusal::Internal)?;
        let mut value =
            HeaderValue::try_from(format!("Bearer {ticket}")).map_err(|_| Refusal::Internal)?;
        value.set_sensitive(true);
        // `insert` replaces all values of the header that there were.
        headers.insert(AUTHORIZATION, value);
        Ok(())
    }
}

/// A request that may pass, written anew for the engine.
struct Checked {
    request: Request,
    effect: Effect,
    /// Who asks; none where anybody may.
    caller: Option<Caller>,
}

/// Everything that was committed is on disk.
fn written() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The layer: every request to the engine passes through this function.
pub(crate) async fn admit(
    State(guard): State<Arc<Guard>>,
    request: Request,
    next: Next,
) -> Response<Body> {
    let request_id = uuid::Uuid::new_v4().to_string();
    let answered = match guard.check(request).await {
        Ok(checked) => guard.answer(checked, next).await,
        Err(refusal) => Err(refusal),
    };
    let mut response = answered.unwrap_or_else(|refusal| {
        guard.counters.count(refusal);
        tracing::debug!(code = refusal.code(), request_id, "refused");
        refusal.response(&request_id)
    });
    let headers = response.headers_mut();
    headers.remove(TICKET_HEADER);
    headers.insert(RUN, guard.run.clone());
    if let Ok(value) = HeaderValue::try_from(request_id) {
        headers.insert(REQUEST_ID, value);
    }
    response
}

/// The token: from the one `Authorization` header if there is any, else from the query.
fn bearer(headers: &HeaderMap, parameters: &Parameters) -> Result<String, Refusal> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (first, second) = (values.next(), values.next());
    if second.is_some() {
        return Err(Refusal::TokenMalformed);
    }
    let Some(value) = first else {
        return parameters.token.clone().ok_or(Refusal::TokenMissing);
    };
    let text = value.to_str().map_err(|_| Refusal::TokenMalformed)?;
    match text.split_once(' ') {
        Some((scheme, token)) if scheme.eq_ignore_ascii_case("bearer") => {
            Ok(token.trim().to_owned())
        }
        _ => Err(Refusal::TokenMalformed),
    }
}

fn permit(caller: &Caller, route: &Route<'_>) -> Result<(), Refusal> {
    let Standing::Player(databases) = &caller.standing else {
        return Ok(());
    };
    if route.access == Access::Owner {
        return Err(Refusal::RouteForbidden);
    }
    match route.database {
        Some(database) if !databases.iter().any(|own| own == database) => {
            Err(Refusal::TokenAudience)
        }
        _ => Ok(()),
    }
}

fn limit(body: Body, headers: &HeaderMap, bytes_max: usize) -> Result<Body, Refusal> {
    if let Some(length) = headers.get(CONTENT_LENGTH) {
        let length = length.to_str().ok().and_then(|text| text.parse::<usize>().ok());
        if length.is_none_or(|length| length > bytes_max) {
            return Err(Refusal::BodyTooLarge);
        }
    }
    Ok(Body::new(Limited::new(body, bytes_max)))
}
