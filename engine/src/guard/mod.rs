//! The guard: what stands between the network and the engine.
//!
//! The engine trusts whoever reaches it. So every request comes through here first: its route must
//! be listed, its token must be one of ours, and what goes on to the engine is written anew, with a
//! ticket in place of the token.
//! Keeps true: refuse when in doubt; the engine never sees a caller's token, path or query as it
//! was sent; tokens are never logged; every answer says which run of the engine it is from, so that
//! who waits for the disk knows whether it was this one that took what he sent.
//! Leaves out on purpose: byte budgets, connection counts and health, which are the [`Door`]'s.

mod keys;
pub(crate) mod refusal;
mod routes;
mod token;
mod written;

#[cfg(test)]
pub(crate) mod tests;

use std::sync::Arc;
use std::time::Instant;

use axum07::body::Body;
use axum07::extract::{Request, State};
use axum07::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, HeaderName,
    TRANSFER_ENCODING,
};
use axum07::http::{HeaderMap, HeaderValue, Response, StatusCode, Uri};
use axum07::middleware::Next;
use http_body_util::Limited;

pub use keys::KeySource;
pub use refusal::Refusal;
pub use token::TOKEN_BYTES_MAX;
pub(crate) use written::Logbook;

use crate::door::{Door, Pass, Place};
use crate::limits::Limits;
use crate::swaps::{Opening, Swaps};
use crate::ticket::TicketOffice;
use keys::KeyRing;
use routes::{Access, Effect, Parameters, Route};
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
    /// What callers may cost.
    pub limits: Limits,
    /// Players wait until [`Engine::let_players_in`](crate::Engine::let_players_in): those who come
    /// back all at once after a crash do not keep services from getting ready for them.
    pub players_wait: bool,
}

impl GuardConfig {
    /// The usual audiences and limits.
    pub fn new(issuer: impl Into<String>, keys: KeySource) -> Self {
        Self {
            issuer: issuer.into(),
            audience_admin: "haven-admin".to_owned(),
            audience_realm_prefix: "haven-realm:".to_owned(),
            keys,
            limits: Limits::default(),
            players_wait: false,
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
/// Prometheus' text format.
const PROMETHEUS: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4");
/// The run of the engine: another one after each start.
const RUN: HeaderName = HeaderName::from_static("x-haven-run");
/// Who asks for what anybody may know.
const NOBODY: &str = "nobody";

/// The guard's state.
pub(crate) struct Guard {
    config: GuardConfig,
    keys: KeyRing,
    tickets: Arc<TicketOffice>,
    swaps: Arc<Swaps>,
    logbook: Arc<dyn Logbook>,
    door: Arc<Door>,
    barrier: Barrier,
    run: String,
}

impl Guard {
    /// A guard that lets in whom `config` says, with tickets from `tickets`, and answers from
    /// `logbook` who waits for the disk; sockets open and end by `swaps`.
    pub(crate) fn new(
        config: GuardConfig,
        tickets: Arc<TicketOffice>,
        logbook: Arc<dyn Logbook>,
        swaps: Arc<Swaps>,
    ) -> Self {
        let keys = KeyRing::new(config.keys.clone());
        let door = Arc::new(Door::new(config.limits.clone(), config.players_wait));
        let run = uuid::Uuid::new_v4().simple().to_string();
        let barrier = Barrier::new(logbook.clone());
        Self { config, keys, tickets, swaps, logbook, door, barrier, run }
    }

    /// Which run of the engine this is: another one after each start, and after a database was
    /// opened again, for either loses what was not yet written.
    fn run(&self) -> HeaderValue {
        let run = match self.barrier.reopened() {
            0 => HeaderValue::try_from(&self.run),
            again => HeaderValue::try_from(format!("{}-{again}", self.run)),
        };
        run.expect("invariant: hex digits and numbers may stand in a header")
    }

    /// Where connections are counted and metered.
    pub(crate) fn door(&self) -> &Arc<Door> {
        &self.door
    }

    /// Turns a request from outside into one for the engine, or answers it.
    async fn check(&self, request: Request, pass: &Pass) -> Result<Checked, Refusal> {
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
        let effect = route.effect();
        if let (Effect::Renews, Some(caller)) = (&effect, &caller) {
            let connection = parameters.connection_id()?.ok_or(Refusal::QueryMalformed)?;
            self.door.renew(&caller.subject, connection, self.end_of(caller))?;
            return Ok(Checked::Answered(no_content()));
        }
        if effect == Effect::Counts {
            let mut page = Response::new(Body::from(self.door.metrics()));
            page.headers_mut().insert(CONTENT_TYPE, PROMETHEUS);
            return Ok(Checked::Answered(page));
        }
        let body = limit(body, &parts.headers, route.body_bytes_max)?;
        if let (Effect::Waits(database), Some(caller)) = (&effect, &caller) {
            self.barrier.wait(database, caller).await?;
            return Ok(Checked::Answered(no_content()));
        }
        let is_owner = caller.as_ref().is_some_and(|c| c.standing == Standing::Owner);
        let connection = parameters.connection_id()?.unwrap_or_else(random_connection);
        let uri = route.rewrite(&parameters, connection, is_owner);
        parts.uri = Uri::try_from(uri).map_err(|_| Refusal::QueryMalformed)?;
        let seat = match (&effect, &caller) {
            (Effect::Opens(_), Some(caller)) if caller.is_metered() => {
                let place = self.door.seat(&caller.subject)?;
                let until = self.end_of(caller);
                Some(Seat { place, account: caller.subject.clone(), connection, until })
            }
            _ => None,
        };
        if caller.as_ref().is_some_and(|caller| !caller.is_metered()) {
            pass.set_free();
        }
        self.replace_headers(&mut parts.headers, caller.as_ref())?;
        let request = Request::from_parts(parts, body);
        Ok(Checked::Goes(Box::new(Going { request, effect, seat })))
    }

    /// When a socket with this token is ended.
    fn end_of(&self, caller: &Caller) -> Instant {
        Instant::now() + caller.remaining() + self.config.limits.token_grace()
    }

    /// Waits until a socket may open, where one is asked for on a database that there is.
    async fn opening(&self, effect: &Effect) -> Option<Opening> {
        let Effect::Opens(database) = effect else { return None };
        Some(self.swaps.open(self.logbook.identity(database)?).await)
    }

    /// Has the engine answer, and opens the connection where it became a socket.
    async fn forward(
        &self,
        going: Going,
        pass: &Pass,
        next: Next,
    ) -> Result<Response<Body>, Refusal> {
        let Going { request, effect, seat } = going;
        let opening = self.opening(&effect).await;
        let response = next.run(request).await;
        match response.status() {
            StatusCode::SWITCHING_PROTOCOLS => {
                let end = opening.as_ref().ok_or(Refusal::Internal)?.end.clone();
                let until = seat.as_ref().map(|seat| seat.until);
                if let Some(seat) = &seat {
                    self.door.remember(&seat.account, seat.connection, pass);
                }
                pass.opened(end, seat.map(|seat| seat.place), until);
                Ok(response)
            }
            // The engine found a body without a declared length to be longer than the limit.
            StatusCode::PAYLOAD_TOO_LARGE => Err(Refusal::BodyTooLarge),
            _ => Ok(response),
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

/// What the guard made of a request.
enum Checked {
    /// It goes on to the engine.
    Goes(Box<Going>),
    /// It has been done here.
    Answered(Response<Body>),
}

/// A request for the engine, what its success means, and the place of the socket it may become.
struct Going {
    request: Request,
    effect: Effect,
    seat: Option<Seat>,
}

/// A player's place for the socket that he is opening.
struct Seat {
    place: Place<String>,
    account: String,
    connection: u128,
    until: Instant,
}

/// Done, with nothing to say.
fn no_content() -> Response<Body> {
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
    let pass = request.extensions().get::<Pass>().cloned().unwrap_or_default();
    let checked = match guard.check(request, &pass).await {
        Ok(Checked::Goes(going)) => guard.forward(*going, &pass, next).await,
        Ok(Checked::Answered(response)) => Ok(response),
        Err(refusal) => Err(refusal),
    };
    let mut response = checked.unwrap_or_else(|refusal| {
        guard.door.count(refusal);
        tracing::debug!(code = refusal.code(), request_id, "refused");
        refusal.response(&request_id)
    });
    let is_socket = response.status() == StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.remove(TICKET_HEADER);
    if !is_socket {
        // One connection is one request: what follows a socket's request are its frames.
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    headers.insert(RUN, guard.run());
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

/// A connection's id for a client that names none; never 0, which the engine keeps for itself.
fn random_connection() -> u128 {
    uuid::Uuid::new_v4().as_u128()
}

fn limit(body: Body, headers: &HeaderMap, bytes_max: usize) -> Result<Body, Refusal> {
    // Where there is no body, nothing may come between the head and a socket's frames.
    if bytes_max == 0 && headers.contains_key(TRANSFER_ENCODING) {
        return Err(Refusal::BodyTooLarge);
    }
    if let Some(length) = headers.get(CONTENT_LENGTH) {
        let length = length.to_str().ok().and_then(|text| text.parse::<usize>().ok());
        if length.is_none_or(|length| length > bytes_max) {
            return Err(Refusal::BodyTooLarge);
        }
    }
    Ok(Body::new(Limited::new(body, bytes_max)))
}
