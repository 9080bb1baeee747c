//! An account's tokens, kept fresh.
//!
//! Keeps true: a refresh token is spent once, however many callers want a fresh access token at the
//! same time and whether or not they wait for it; so no session is lost to its own haste.

use crate::error::HavenError;
use crate::http::{Call, Http};
use crate::wire::Grant;
use reqwest::Method;
use serde_json::json;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::{Mutex, OwnedMutexGuard};

/// An access token is refreshed this long before it expires, or at a fifth of its lifetime if that
/// is less.
const REFRESH_AHEAD: Duration = Duration::from_mins(1);

struct Pair {
    access: String,
    refresh: String,
    /// When the access token is to be refreshed, and when it is of no use any more.
    stale_at: Instant,
    expires_at: Instant,
    /// Counts refreshes, so that a caller can say which token was refused.
    generation: u64,
}

impl Pair {
    fn new(grant: Grant, generation: u64) -> Self {
        let lifetime = Duration::from_secs(grant.expires_in);
        let now = Instant::now();
        Self {
            access: grant.access_token,
            refresh: grant.refresh_token,
            stale_at: now + lifetime.saturating_sub(REFRESH_AHEAD.min(lifetime / 5)),
            expires_at: now + lifetime,
            generation,
        }
    }
}

/// The tokens of one session. Clones share them.
#[derive(Clone)]
pub(crate) struct Tokens {
    http: Http,
    pair: Arc<Mutex<Pair>>,
}

impl Tokens {
    pub(crate) fn new(http: Http, grant: Grant) -> Self {
        Self { http, pair: Arc::new(Mutex::new(Pair::new(grant, 0))) }
    }

    /// The refresh token that is good now.
    pub(crate) async fn refresh_token(&self) -> String {
        self.pair.lock().await.refresh.clone()
    }

    /// An access token and its generation, refreshed if it is about to expire. Should refreshing
    /// fail for other reasons than a refusal, a token that still holds is answered.
    pub(crate) async fn access(&self) -> Result<(String, u64), HavenError> {
        let pair = Arc::clone(&self.pair).lock_owned().await;
        let now = Instant::now();
        if now < pair.stale_at {
            return Ok((pair.access.clone(), pair.generation));
        }
        let spare = (now < pair.expires_at).then(|| (pair.access.clone(), pair.generation));
        match self.refresh(pair).await {
            Err(error) if !error.ends_session() => spare.ok_or(error),
            result => result,
        }
    }

    /// An access token newer than the one of that generation, which was refused.
    pub(crate) async fn access_after(&self, refused: u64) -> Result<(String, u64), HavenError> {
        let pair = Arc::clone(&self.pair).lock_owned().await;
        if pair.generation == refused {
            self.refresh(pair).await
        } else {
            Ok((pair.access.clone(), pair.generation))
        }
    }

    /// In a task of its own: a caller who gives up must not lose the token that the gateway has
    /// already rotated to.
    async fn refresh(&self, mut pair: OwnedMutexGuard<Pair>) -> Result<(String, u64), HavenError> {
        let http = self.http.clone();
        let task = tokio::spawn(async move {
            let body = json!({ "refresh_token": pair.refresh });
            let call = Call::new(Method::POST, "/v1/auth/refresh").body(&body).once();
            let grant = http.send(&call).await?;
            *pair = Pair::new(grant, pair.generation + 1);
            Ok((pair.access.clone(), pair.generation))
        });
        task.await.unwrap_or(Err(HavenError::Closed))
    }
}
