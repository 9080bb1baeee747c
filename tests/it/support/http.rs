//! Plain HTTP for the tests: a request in, status, headers and JSON out.

use reqwest::Method;
use serde_json::Value;
use std::sync::OnceLock;

/// What came back.
#[derive(Debug)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The headers.
    pub headers: reqwest::header::HeaderMap,
    /// The body as text.
    pub text: String,
    /// The body as JSON; null if it is none.
    pub json: Value,
}

impl Answer {
    /// A header's value, empty if it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The problem document's code, empty if there is none.
    pub fn code(&self) -> &str {
        self.json["code"].as_str().unwrap_or_default()
    }
}

/// Sends a request with an optional bearer token and an optional JSON body.
pub async fn send(method: &str, url: &str, token: Option<&str>, body: Option<&Value>) -> Answer {
    let text = body.map(Value::to_string);
    let mut headers = vec![];
    if text.is_some() {
        headers.push(("content-type", "application/json"));
    }
    let bearer = token.map(|token| format!("Bearer {token}"));
    if let Some(bearer) = &bearer {
        headers.push(("authorization", bearer));
    }
    send_raw(method, url, &headers, text.unwrap_or_default()).await
}

/// Sends a request as it is given.
pub async fn send_raw(
    method: &str,
    url: &str,
    headers: &[(&str, &str)],
    body: impl Into<reqwest::Body>,
) -> Answer {
    static CLIENT: OnceLock<reqwest::Client> = OnceLock::new();
    // No pool: each test has its own runtime time span, and connections must not outlive a stage.
    let client = CLIENT.get_or_init(|| {
        reqwest::Client::builder().pool_max_idle_per_host(0).build().expect("a client")
    });
    let method = Method::from_bytes(method.as_bytes()).expect("a method");
    let mut request = client.request(method, url).body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let answer = request.send().await.expect("an answer");
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let text = answer.text().await.expect("a body");
    let json = serde_json::from_str(&text).unwrap_or(Value::Null);
    Answer { status, headers, text, json }
}
