//! Whether the gateway is alive, whether it can serve, and its numbers.

use axum::{Json, extract::State, response::IntoResponse};
use http::header;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use std::sync::atomic::Ordering;

use super::Shared;
use crate::problem::{Problem, ProblemDocument, Refusal};

/// The media type of Prometheus text.
const PROMETHEUS: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The answer of a gateway that is alive.
#[derive(Serialize, ToSchema)]
pub(super) struct Alive {
    /// Always `ok`.
    #[schema(example = "ok")]
    status: &'static str,
}

/// The answer of a gateway that can serve.
#[derive(Serialize, ToSchema)]
pub(super) struct Ready {
    /// Always `ready`.
    #[schema(example = "ready")]
    status: &'static str,
    /// The home database: `up`.
    #[schema(example = "up")]
    home: &'static str,
    /// The realms whose databases are not the home database.
    realms: Vec<RealmLink>,
}

/// Whether a realm's database is connected.
#[derive(Serialize, ToSchema)]
pub(super) struct RealmLink {
    /// The realm.
    realm_id: u16,
    /// `up` or `down`.
    link: &'static str,
}

/// Whether the process serves requests at all.
#[utoipa::path(
    get,
    operation_id = "alive",
    path = "/healthz",
    tag = "health",
    responses((status = 200, description = "Alive", body = Alive))
)]
pub(super) async fn alive() -> Json<Alive> {
    Json(Alive { status: "ok" })
}

/// Whether every dependency answers. A realm elsewhere that is away is reported, but does not keep
/// the gateway from serving the others.
#[utoipa::path(
    get,
    operation_id = "ready",
    path = "/readyz",
    tag = "health",
    responses(
        (status = 200, description = "Ready", body = Ready),
        (status = 503, response = ProblemDocument),
    )
)]
pub(super) async fn ready(State(app): State<Shared>) -> Result<Json<Ready>, Problem> {
    let readiness = app.readiness().await;
    let realm = |&(realm_id, up): &(u16, bool)| RealmLink { realm_id, link: up_or_down(up) };
    let realms: Vec<RealmLink> = readiness.realms.iter().map(realm).collect();
    let home = up_or_down(readiness.home);
    if readiness.is_ready() {
        return Ok(Json(Ready { status: "ready", home, realms }));
    }
    let detail = if readiness.home {
        "the realms have not been looked after yet"
    } else {
        "the home database does not answer"
    };
    Err(Problem::from(Refusal::NotReady)
        .detail(detail)
        .member("home", json!(home))
        .member("realms", json!(realms)))
}

/// The gateway's numbers as Prometheus text; with `haven up`, the guard's as well.
#[utoipa::path(
    get,
    operation_id = "metrics",
    path = "/metrics",
    tag = "health",
    responses((status = 200, description = "The numbers", body = String,
               content_type = "text/plain"))
)]
pub(super) async fn metrics(State(app): State<Shared>) -> impl IntoResponse {
    let metrics = &app.metrics;
    metrics.link_up.reset();
    metrics.link_up.with_label_values(&["home"]).set(app.home.is_connected().into());
    for (realm_id, up) in app.realms.links() {
        metrics.link_up.with_label_values(&[realm_id.to_string().as_str()]).set(up.into());
    }
    let count = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
    metrics.limited_callers.set(count(app.limits.remembered()));
    metrics.connections.set(count(app.connections.load(Ordering::Relaxed)));
    let beside = app.beside.get().map(|source| source()).unwrap_or_default();
    ([(header::CONTENT_TYPE, PROMETHEUS)], metrics.text() + &beside)
}

fn up_or_down(up: bool) -> &'static str {
    if up { "up" } else { "down" }
}
