//! The outermost layer: a request's id, its log line, its numbers, and the document of a refusal.
//!
//! Keeps true: no token, password or body reaches a log line; a caller's id is taken over only if
//! it is short and plain, because it stands in logs and headers.

use std::time::Instant;

use axum::{
    extract::{MatchedPath, Request, State},
    middleware::Next,
    response::Response,
};
use http::{HeaderMap, HeaderName, HeaderValue, header};
use tracing::Instrument;

use super::Shared;
use crate::problem::Problem;

/// The header of a request's id.
pub(super) const REQUEST_ID: &str = "x-request-id";
/// Longest id taken over from a caller, characters.
const REQUEST_ID_CHARS_MAX: usize = 64;

/// Gives a request its id and an answer its form.
pub(super) async fn observe(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let began = Instant::now();
    let request_id = request_id(request.headers());
    let method = request.method().clone();
    let matched = request.extensions().get::<MatchedPath>();
    let route = matched.map_or("unmatched", MatchedPath::as_str).to_owned();
    let span = tracing::info_span!("request", request_id, %method, route);
    let mut response = next.run(request).instrument(span.clone()).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        problem.render(&mut response, &request_id);
        app.metrics.refusals.with_label_values(&[problem.code()]).inc();
    }
    let value = HeaderValue::from_str(&request_id).expect("invariant: an id is plain");
    response.headers_mut().insert(HeaderName::from_static(REQUEST_ID), value);
    let (status, elapsed) = (response.status(), began.elapsed());
    let labels = [route.as_str(), method_label(&method), status.as_str()];
    app.metrics.requests.with_label_values(&labels).inc();
    let seconds = elapsed.as_secs_f64();
    app.metrics.request_seconds.with_label_values(&[route.as_str()]).observe(seconds);
    let latency_micros = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
    span.in_scope(|| tracing::info!(status = status.as_u16(), latency_micros, "answered"));
    response
}

/// Adds what keeps browsers and caches from misusing an answer.
pub(super) async fn secure_headers(request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    let mut set = |name, value| headers.insert(name, HeaderValue::from_static(value));
    set(header::X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(header::REFERRER_POLICY, "no-referrer");
    set(header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'");
    // Nearly every answer is a caller's own; the public documents say otherwise themselves.
    let cached = headers.entry(header::CACHE_CONTROL);
    cached.or_insert(HeaderValue::from_static("no-store"));
    response
}

/// The caller's id if it is short and plain, a new one otherwise.
fn request_id(headers: &HeaderMap) -> String {
    let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok());
    match given.filter(|id| is_plain(id)) {
        Some(id) => id.to_owned(),
        None => hex::encode(rand::random::<[u8; 16]>()),
    }
}

fn is_plain(id: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=REQUEST_ID_CHARS_MAX).contains(&id.len()) && id.bytes().all(plain)
}

/// The method as a label; whatever a caller makes up is one label.
fn method_label(method: &http::Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_short_plain_ids_are_taken_over() {
        let check = |id: &str, taken: bool| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_str(id).expect("a header"));
            let read = request_id(&headers);
            assert_eq!(read == id, taken, "{id}");
            assert!(is_plain(&read));
        };
        check("0b5c-A_1.x", true);
        check(&"a".repeat(64), true);
        check(&"a".repeat(65), false);
        check("", false);
        check("a b", false);
        check("<script>", false);
        check("a\"b", false);
    }
}
