//! Publishing a module to a SpacetimeDB, this engine's or another, over HTTP.
//!
//! Keeps true: the answer says whether the database is new; a refusal carries the server's words.
//! Leaves out on purpose: deleting data, and calling the upgrade reducer, which is the caller's.

use serde::Deserialize;

use crate::EngineError;

/// What a publication did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishOutcome {
    /// The database's identity, hexadecimal.
    pub database_identity: String,
    /// The database is new; otherwise its module was updated, or was up to date.
    pub created: bool,
}

#[derive(Deserialize)]
enum Answer {
    Success { database_identity: DatabaseIdentity, op: String },
    PermissionDenied {},
}

/// The engine writes identities as `{"__identity__": "0x…"}` or as plain hexadecimal text.
#[derive(Deserialize)]
#[serde(untagged)]
enum DatabaseIdentity {
    Text(String),
    Tagged { __identity__: String },
}

/// A client for `uri`: what runs on this machine is never asked through a proxy.
pub(crate) fn http_client(uri: &str) -> reqwest::Client {
    let url = url::Url::parse(uri).ok();
    let is_here = match url.as_ref().and_then(url::Url::host) {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback(),
        None => false,
    };
    let builder = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let builder = if is_here { builder.no_proxy() } else { builder };
    builder.build().unwrap_or_default()
}

/// Publishes `wasm` as `database` at `uri` (`http://127.0.0.1:3000`), with the owner's token.
///
/// # Errors
///
/// [`EngineError::Unreachable`], or [`EngineError::PublishRefused`] when the token, the name, the
/// module or the migration is not accepted; the database is then as it was.
pub async fn publish(
    uri: &str,
    database: &str,
    owner_token: &str,
    wasm: &[u8],
) -> Result<PublishOutcome, EngineError> {
    let unreachable = |error: reqwest::Error| EngineError::Unreachable {
        uri: uri.to_owned(),
        reason: error.without_url().to_string(),
    };
    let address = format!("{}/v1/database/{database}", uri.trim_end_matches('/'));
    let answer = http_client(uri)
        .put(address)
        .bearer_auth(owner_token)
        .header("content-type", "application/wasm")
        .body(wasm.to_vec())
        .send()
        .await
        .map_err(unreachable)?;
    let status = answer.status();
    let text = answer.text().await.map_err(unreachable)?;
    let refused = |reason: String| EngineError::PublishRefused {
        database: database.to_owned(),
        status: status.as_u16(),
        reason,
    };
    if !status.is_success() {
        return Err(refused(text.trim().to_owned()));
    }
    match serde_json::from_str(&text) {
        Ok(Answer::Success { database_identity, op }) => Ok(PublishOutcome {
            database_identity: match database_identity {
                DatabaseIdentity::Text(hex) => hex,
                DatabaseIdentity::Tagged { __identity__ } => {
                    __identity__.trim_start_matches("0x").to_owned()
                }
            },
            created: op == "created",
        }),
        Ok(Answer::PermissionDenied {}) => Err(refused("the name is somebody else's".to_owned())),
        Err(error) => Err(refused(format!("an answer that is not understood: {error}"))),
    }
}
