//! What a request must pass before its route sees it: its caller's limits, its size, the clock.

use std::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::header;

use super::Shared;
use crate::{
    limits::{self, AddressKey, RouteClass},
    problem::{Problem, Refusal},
    server::Peer,
};

/// Refuses who asks too often: `request.rate_limited`.
pub(super) async fn rate(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let unknown = Peer(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
    let peer = request.extensions().get::<Peer>().copied().unwrap_or(unknown);
    let trust = app.config.trust_forwarded_for;
    let caller = limits::caller(peer.0, request.headers(), trust);
    let class = RouteClass::of(request.uri().path());
    match app.limits.check(class, AddressKey::from(caller)) {
        Ok(()) => next.run(request).await,
        Err(wait) => Problem::from(Refusal::RateLimited).retry_after(wait).into_response(),
    }
}

/// Refuses a body that is announced as too large before it arrives: `request.too_large`. One that
/// only turns out to be is refused where it is read.
pub(super) async fn size(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let announced = request.headers().get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|bytes| bytes > app.config.body_bytes_max) {
        return Problem::from(Refusal::TooLarge).into_response();
    }
    next.run(request).await
}

/// Gives up what takes too long: `request.timeout`.
pub(super) async fn time(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let limit = Duration::from_secs(u64::from(app.config.request_timeout_seconds));
    match tokio::time::timeout(limit, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::from(Refusal::Timeout).into_response(),
    }
}
