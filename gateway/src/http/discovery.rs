//! Public documents: how to verify our tokens, and how to call us.

use std::sync::Arc;

use axum::{Extension, Json, extract::State, response::IntoResponse};
use http::header;
use serde::Serialize;
use utoipa::ToSchema;

use super::Shared;

/// How long others may keep a public document.
const CACHED: &str = "public, max-age=60";

/// The text of the OpenAPI document.
#[derive(Clone)]
pub(super) struct Description(pub(super) Arc<str>);

/// The provider metadata of OpenID Connect Discovery 1.0, as far as it applies: there is no
/// authorization endpoint, because players log in at `/v1/auth/login`.
#[derive(Serialize, ToSchema)]
pub(super) struct Provider {
    /// The `iss` of every token.
    issuer: String,
    /// Where the public keys are.
    jwks_uri: String,
    /// Where tokens come from.
    token_endpoint: String,
    /// The algorithms tokens are signed with.
    id_token_signing_alg_values_supported: [&'static str; 1],
    /// Subjects are the same for everybody.
    subject_types_supported: [&'static str; 1],
    /// None: there is no authorization endpoint.
    response_types_supported: [&'static str; 0],
    /// What tokens say.
    claims_supported: [&'static str; 8],
}

/// How to verify our tokens.
#[utoipa::path(
    get,
    operation_id = "openid_configuration",
    path = "/.well-known/openid-configuration",
    tag = "discovery",
    responses((status = 200, description = "The provider's metadata", body = Provider))
)]
pub(super) async fn openid_configuration(State(app): State<Shared>) -> impl IntoResponse {
    let provider = Provider {
        issuer: app.config.issuer.clone(),
        jwks_uri: format!("{}/.well-known/jwks.json", app.public_uri),
        token_endpoint: format!("{}/v1/auth/login", app.public_uri),
        id_token_signing_alg_values_supported: ["ES256"],
        subject_types_supported: ["public"],
        response_types_supported: [],
        claims_supported: ["iss", "sub", "aud", "iat", "exp", "jti", "sid", "role"],
    };
    ([(header::CACHE_CONTROL, CACHED)], Json(provider))
}

/// The public keys, as a JSON Web Key Set (RFC 7517).
#[utoipa::path(
    get,
    operation_id = "jwks",
    path = "/.well-known/jwks.json",
    tag = "discovery",
    responses((status = 200, description = "The public keys", body = Object))
)]
pub(super) async fn jwks(State(app): State<Shared>) -> impl IntoResponse {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, CACHED)];
    (headers, app.keys.jwks())
}

/// This document.
#[utoipa::path(
    get,
    operation_id = "openapi",
    path = "/v1/openapi.json",
    tag = "discovery",
    responses((status = 200, description = "The OpenAPI document", body = Object))
)]
pub(super) async fn openapi(Extension(text): Extension<Description>) -> impl IntoResponse {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, CACHED)];
    (headers, text.0.to_string())
}
