//! Calls to the gateway: JSON out, JSON or a refusal in.
//!
//! Keeps true: a call that may have taken effect is repeated only when its sender says that it is
//! harmless; waits are those the gateway asks for.

use crate::error::HavenError;
use crate::retry::RetryPolicy;
use crate::wire::ProblemDocument;
use reqwest::{Client, Method, Response, Url, header};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::Duration;

/// Longest wait for a connection to the gateway.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest wait for an answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);
/// What the gateway answers when it has too much to do, or a caller asks too often.
const TOO_MANY_REQUESTS: u16 = 429;
const SERVICE_UNAVAILABLE: u16 = 503;
/// The header with a command's number.
const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// The code of a 503 that says that nothing was begun.
const BUSY: &str = "gateway.busy";

/// One gateway and the connections to it.
#[derive(Clone)]
pub(crate) struct Http {
    client: Client,
    base: Arc<str>,
    retry: Option<RetryPolicy>,
}

/// One call.
pub(crate) struct Call<'a> {
    method: Method,
    path: &'a str,
    token: Option<&'a str>,
    key: Option<&'a str>,
    body: Option<serde_json::Value>,
    /// Whether a call that may have taken effect may be sent again.
    repeatable: bool,
}

impl<'a> Call<'a> {
    pub(crate) fn new(method: Method, path: &'a str) -> Self {
        Self { method, path, token: None, key: None, body: None, repeatable: true }
    }

    pub(crate) fn token(self, token: &'a str) -> Self {
        Self { token: Some(token), ..self }
    }

    /// The number of a command, by which the gateway recognises a repetition.
    pub(crate) fn key(self, key: &'a str) -> Self {
        Self { key: Some(key), ..self }
    }

    pub(crate) fn body(self, body: &impl Serialize) -> Self {
        Self { body: serde_json::to_value(body).ok(), ..self }
    }

    pub(crate) fn once(self) -> Self {
        Self { repeatable: false, ..self }
    }
}

impl Http {
    /// # Errors
    /// `client.bad_url`; `client.unreachable` when TLS cannot be set up.
    pub(crate) fn new(gateway_url: &str) -> Result<Self, HavenError> {
        let bad = |reason: String| HavenError::BadUrl(format!("{gateway_url}: {reason}"));
        let url = Url::parse(gateway_url).map_err(|error| bad(error.to_string()))?;
        if !matches!(url.scheme(), "http" | "https") || url.query().is_some() {
            return Err(bad("expected http://host:port or https://host".to_owned()));
        }
        let client = Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .timeout(ANSWER_TIMEOUT)
            .build()
            .map_err(|error| HavenError::Unreachable(error.to_string()))?;
        let base = url.as_str().trim_end_matches('/').into();
        Ok(Self { client, base, retry: None })
    }

    /// What requests to others than the gateway go through.
    pub(crate) fn client(&self) -> Client {
        self.client.clone()
    }

    pub(crate) fn with_retry(self, policy: RetryPolicy) -> Self {
        Self { retry: Some(policy), ..self }
    }

    /// Sends a call and reads its answer; nothing is read as `null`.
    pub(crate) async fn send<T: DeserializeOwned>(&self, call: &Call<'_>) -> Result<T, HavenError> {
        let mut attempts = 0;
        loop {
            attempts += 1;
            let error = match self.attempt(call).await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            let Some(wait) = self.wait_after(call, attempts, &error) else { return Err(error) };
            tokio::time::sleep(wait).await;
        }
    }

    fn wait_after(&self, call: &Call<'_>, attempts: u32, error: &HavenError) -> Option<Duration> {
        let policy = self.retry?;
        let HavenError::Refused { code, status, retry_after, .. } = error else { return None };
        let worth = match *status {
            TOO_MANY_REQUESTS => true,
            SERVICE_UNAVAILABLE => call.repeatable || code == BUSY,
            _ => false,
        };
        if worth { policy.wait_after(attempts, *retry_after, rand::random()) } else { None }
    }

    async fn attempt<T: DeserializeOwned>(&self, call: &Call<'_>) -> Result<T, HavenError> {
        let mut request =
            self.client.request(call.method.clone(), format!("{}{}", self.base, call.path));
        if let Some(token) = call.token {
            request = request.bearer_auth(token);
        }
        if let Some(key) = call.key {
            request = request.header(IDEMPOTENCY_KEY, key);
        }
        if let Some(body) = &call.body {
            request = request.json(body);
        }
        let answer = request.send().await.map_err(|error| unreachable_because(&error))?;
        if !answer.status().is_success() {
            return Err(refusal(answer).await);
        }
        let bytes = answer.bytes().await.map_err(|error| unreachable_because(&error))?;
        let text: &[u8] = if bytes.is_empty() { b"null" } else { &bytes };
        serde_json::from_slice(text)
            .map_err(|error| HavenError::Protocol(format!("{}: {error}", call.path)))
    }
}

/// The innermost cause says it; those around it only repeat it.
fn unreachable_because(error: &reqwest::Error) -> HavenError {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    let at = error.url().map_or_else(|| "the gateway".to_owned(), ToString::to_string);
    HavenError::Unreachable(format!("{at}: {cause}"))
}

async fn refusal(answer: Response) -> HavenError {
    let status = answer.status();
    let seconds = |value: &header::HeaderValue| value.to_str().ok()?.trim().parse().ok();
    let retry_after =
        answer.headers().get(header::RETRY_AFTER).and_then(seconds).map(Duration::from_secs);
    let bytes = answer.bytes().await.unwrap_or_default();
    let problem: ProblemDocument = serde_json::from_slice(&bytes).unwrap_or_default();
    let or = |text: String, other: String| if text.is_empty() { other } else { text };
    HavenError::Refused {
        code: or(problem.code, format!("http.{}", status.as_u16())),
        message: or(problem.detail, or(problem.title, status.to_string())),
        status: status.as_u16(),
        retry_after,
    }
}
