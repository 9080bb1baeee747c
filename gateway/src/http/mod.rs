//! The HTTP contract: the routes, their order of checks, and the document that describes them.
//!
//! Keeps true: every answer passes the same layers, so every answer has a request id and every
//! refusal is a problem document, also for what no route handles. From the outside inwards: id and
//! log line, cross-origin rules, panics, limits and time, then the route.

mod accounts;
mod characters;
mod discovery;
mod extract;
mod gate;
mod health;
mod observe;
mod realms;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use axum::{
    Extension, Router,
    extract::DefaultBodyLimit,
    middleware::{from_fn, from_fn_with_state},
    response::{IntoResponse, Response},
};
use http::{HeaderName, HeaderValue, Method, header};
use tower_http::{
    catch_panic::CatchPanicLayer,
    cors::{AllowOrigin, Any, CorsLayer},
};
use utoipa::{
    Modify, OpenApi,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    app::App,
    problem::{Problem, ProblemDocument, Refusal},
};

/// What every route gets.
pub(crate) type Shared = Arc<App>;

/// Runs a section to its end, also when the caller hangs up or the request's time is over.
async fn to_the_end<T: Send + 'static>(
    section: impl Future<Output = Result<T, Problem>> + Send + 'static,
) -> Result<T, Problem> {
    tokio::spawn(section).await.unwrap_or_else(|error| Err(Problem::internal(error)))
}

/// The description of the contract; the routes add themselves.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "Haven gateway",
        description = "Accounts, tokens, realms and characters. Refusals are RFC 9457 problem \
                       documents with a stable `code`.",
    ),
    components(schemas(ProblemDocument), responses(ProblemDocument)),
    modifiers(&BearerScheme)
)]
struct Description;

struct BearerScheme;

impl Modify for BearerScheme {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT");
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer.build()));
    }
}

/// Every route with its description.
fn routes() -> OpenApiRouter<Shared> {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(accounts::register))
        .routes(routes!(accounts::login))
        .routes(routes!(accounts::refresh))
        .routes(routes!(accounts::logout))
        .routes(routes!(accounts::password))
        .routes(routes!(realms::list))
        .routes(routes!(realms::enter))
        .routes(routes!(characters::list, characters::create))
        .routes(routes!(characters::get, characters::delete))
        .routes(routes!(characters::restore))
        .routes(routes!(characters::export))
        .routes(routes!(health::alive))
        .routes(routes!(health::ready))
        .routes(routes!(health::metrics))
        .routes(routes!(discovery::openid_configuration))
        .routes(routes!(discovery::jwks))
        .routes(routes!(discovery::openapi))
}

/// The whole service.
pub(crate) fn router(app: Shared) -> Router {
    let (router, document) = routes().split_for_parts();
    let text = document.to_json().expect("invariant: the description is plain JSON");
    router
        .fallback(async || Problem::from(Refusal::RouteUnknown))
        .method_not_allowed_fallback(async || Problem::from(Refusal::MethodNotAllowed))
        .layer(Extension(discovery::Description(text.into())))
        .layer(DefaultBodyLimit::max(app.config.body_bytes_max))
        .layer(from_fn_with_state(Arc::clone(&app), gate::time))
        .layer(from_fn_with_state(Arc::clone(&app), gate::size))
        .layer(from_fn_with_state(Arc::clone(&app), gate::rate))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(cors(&app.config.cors_origins))
        .layer(from_fn(observe::secure_headers))
        .layer(from_fn_with_state(Arc::clone(&app), observe::observe))
        .with_state(app)
}

/// Which pages may call the gateway from a browser: none unless configured.
fn cors(origins: &[String]) -> CorsLayer {
    let request_id = HeaderName::from_static(observe::REQUEST_ID);
    let layer = CorsLayer::new()
        .allow_methods([Method::GET, Method::POST, Method::DELETE])
        .allow_headers([
            header::AUTHORIZATION,
            header::CONTENT_TYPE,
            HeaderName::from_static(extract::IDEMPOTENCY_KEY),
            request_id.clone(),
        ])
        .expose_headers([request_id, header::RETRY_AFTER])
        .max_age(std::time::Duration::from_mins(10));
    if origins.iter().any(|origin| origin == "*") {
        return layer.allow_origin(Any);
    }
    let origins = origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok());
    layer.allow_origin(AllowOrigin::list(origins))
}

/// A panic is our fault: the cause goes to the log, not to the caller.
#[expect(clippy::needless_pass_by_value, reason = "the signature is tower-http's")]
fn panicked(cause: Box<dyn std::any::Any + Send>) -> Response {
    let text = cause.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| cause.downcast_ref::<&str>().copied());
    Problem::internal(text.unwrap_or("a panic without words")).into_response()
}
