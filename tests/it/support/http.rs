//! Plain HTTP for the tests: a request in, status, headers and JSON out.

use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use serde_json::Value;
use std::sync::OnceLock;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

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

/// Every refusal is the same document, with the headers that go with it.
#[track_caller]
pub fn assert_problem(answer: &Answer, status: u16, code: &str, case: &str) {
    let text = &answer.text;
    assert_eq!((answer.status, answer.code()), (status, code), "{case}: {text}");
    assert_eq!(answer.header("content-type"), "application/problem+json", "{case}");
    assert_eq!(answer.json["status"], status, "{case}");
    for member in ["type", "title", "detail", "request_id"] {
        let filled = answer.json[member].as_str().is_some_and(|text| !text.is_empty());
        assert!(filled, "{case}: {member} in {text}");
    }
    assert_eq!(answer.json["request_id"], answer.header("x-request-id"), "{case}");
    let wait = answer.header("retry-after").parse::<u32>().ok();
    assert_eq!(wait.is_some_and(|wait| wait > 0), matches!(status, 429 | 503), "{case}");
    assert_eq!(answer.header("www-authenticate").is_empty(), status != 401, "{case}");
}

/// Sends a request byte by byte as it is given, with what no client library would send: the
/// request line, the headers with the body, and nothing else but `Host` and `Connection: close`.
pub async fn send_bytes(uri: &str, request_line: &str, rest: &str) -> Answer {
    let host = uri.trim_start_matches("http://");
    let mut stream = TcpStream::connect(host).await.expect("a connection");
    let head = format!("{request_line} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n");
    // Who is refused early may find the connection closed before the body is through.
    let _ = stream.write_all(format!("{head}{rest}").as_bytes()).await;
    let mut bytes = vec![];
    let _ = stream.read_to_end(&mut bytes).await;
    parse(&bytes)
}

/// Reads an answer whose body follows its head as it is.
pub fn parse(bytes: &[u8]) -> Answer {
    let answer = String::from_utf8_lossy(bytes);
    let (head, text) = answer.split_once("\r\n\r\n").expect("an answer with a head");
    let mut lines = head.lines();
    let status = lines.next().and_then(|line| line.split(' ').nth(1));
    let status = status.and_then(|status| status.parse().ok()).expect("a status");
    let mut headers = HeaderMap::new();
    for (name, value) in lines.filter_map(|line| line.split_once(": ")) {
        let name: HeaderName = name.parse().expect("a header's name");
        headers.append(name, HeaderValue::from_str(value).expect("a header's value"));
    }
    let json = serde_json::from_str(text).unwrap_or(Value::Null);
    Answer { status, headers, text: text.to_owned(), json }
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
