//! Sessions against a gateway of a few lines.

use super::*;
use crate::{Haven, RetryPolicy};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

type Log = Arc<Mutex<Vec<String>>>;

/// A gateway that accepts the access token `access-N` only while N refreshes were made, and whose
/// tokens live for that many seconds. Answers its address and a log of what it was asked.
async fn gateway(expires_in: u64) -> (String, Log) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = format!("http://{}", listener.local_addr().expect("bound"));
    let log = Log::default();
    let heard = Arc::clone(&log);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            tokio::spawn(serve(socket, Arc::clone(&heard), expires_in));
        }
    });
    (address, log)
}

async fn serve(mut socket: TcpStream, log: Log, expires_in: u64) {
    let Some((head, body)) = read(&mut socket).await else { return };
    let mut words = head.split_whitespace();
    let path = words.nth(1).unwrap_or_default().to_owned();
    let token = head.lines().find_map(|line| line.strip_prefix("authorization: Bearer "));
    let generation = {
        let mut log = log.lock().expect("no panic");
        log.push(format!("{path} {}", token.unwrap_or("-")));
        log.iter().filter(|line| line.starts_with("/v1/auth/refresh")).count()
    };
    let grant = |generation: usize| {
        json!({ "account_id": 7, "access_token": format!("access-{generation}"),
            "refresh_token": format!("refresh-{generation}"), "expires_in": expires_in })
    };
    let known = token == Some(&format!("access-{generation}"));
    let (status, answer) = match path.as_str() {
        "/v1/auth/login" => ("200 OK", grant(0)),
        "/v1/auth/refresh" => {
            tokio::time::sleep(Duration::from_millis(20)).await;
            if body.contains(&format!("\"refresh-{}\"", generation - 1)) {
                ("200 OK", grant(generation))
            } else {
                ("401 Unauthorized", json!({ "code": "session.refresh_reused" }))
            }
        }
        "/v1/auth/register" if log.lock().expect("no panic").len() < 3 => {
            ("429 Too Many Requests\r\nretry-after: 0", json!({ "code": "request.rate_limited" }))
        }
        "/v1/auth/register" => ("201 Created", grant(0)),
        _ if !known => ("401 Unauthorized", json!({ "code": "token.expired" })),
        "/v1/auth/password" => ("401 Unauthorized", json!({ "code": "account.bad_credentials" })),
        _ => ("200 OK", json!({ "characters": [] })),
    };
    let answer = answer.to_string();
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{answer}",
        answer.len()
    );
    let _ = socket.write_all(answer.as_bytes()).await;
}

async fn read(socket: &mut TcpStream) -> Option<(String, String)> {
    let mut text = String::new();
    loop {
        let mut buffer = [0; 4_096];
        let read = socket.read(&mut buffer).await.ok().filter(|read| *read > 0)?;
        text.push_str(&String::from_utf8_lossy(&buffer[..read]));
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = |line: &str| line.strip_prefix("content-length: ")?.parse::<usize>().ok();
        if body.len() >= head.lines().find_map(length).unwrap_or(0) {
            return Some((head.to_owned(), body.to_owned()));
        }
    }
}

async fn login(address: &str) -> Session {
    let haven = Haven::new(address).expect("an address");
    haven.login("ada@example.org", "password").await.expect("logged in")
}

fn heard(log: &Log) -> Vec<String> {
    log.lock().expect("no panic").clone()
}

#[tokio::test]
async fn a_fresh_token_is_used_as_it_is() {
    let (address, log) = gateway(900).await;
    let session = login(&address).await;
    assert_eq!(session.account_id(), 7);
    assert_eq!(session.characters().await, Ok(vec![]));
    assert_eq!(heard(&log), ["/v1/auth/login -", "/v1/characters access-0"]);
}

#[tokio::test]
async fn a_token_about_to_expire_is_refreshed_first() {
    let (address, log) = gateway(0).await;
    let session = login(&address).await;
    assert_eq!(session.characters().await, Ok(vec![]));
    let expected = ["/v1/auth/login -", "/v1/auth/refresh -", "/v1/characters access-1"];
    assert_eq!(heard(&log), expected);
    assert_eq!(session.refresh_token().await, "refresh-1");
}

#[tokio::test]
async fn a_refused_token_is_refreshed_once_for_all_who_wait() {
    let (address, log) = gateway(900).await;
    let session = login(&address).await;
    // Somebody else has spent a refresh, so access-0 is not known any more; the gateway counts it.
    log.lock().expect("no panic").push("/v1/auth/refresh by nobody".to_owned());
    let stale = session.characters().await.expect_err("the family is broken");
    assert_eq!(stale.code(), "session.refresh_reused");

    let (address, log) = gateway(0).await;
    let session = login(&address).await;
    let calls = (0..10).map(|_| {
        let session = session.clone();
        tokio::spawn(async move { session.tokens.access_after(0).await })
    });
    for call in calls.collect::<Vec<_>>() {
        let (token, generation) = call.await.expect("no panic").expect("refreshed");
        assert_eq!((token.as_str(), generation), ("access-1", 1));
    }
    assert_eq!(heard(&log), ["/v1/auth/login -", "/v1/auth/refresh -"]);
}

#[tokio::test]
async fn a_caller_who_gives_up_does_not_lose_the_rotated_token() {
    let (address, log) = gateway(900).await;
    let session = login(&address).await;
    let impatient = session.tokens.access_after(0);
    assert!(tokio::time::timeout(Duration::from_millis(5), impatient).await.is_err());
    assert_eq!(session.characters().await, Ok(vec![]));
    let expected = ["/v1/auth/login -", "/v1/auth/refresh -", "/v1/characters access-1"];
    assert_eq!(heard(&log), expected);
}

#[tokio::test]
async fn a_wrong_password_is_not_a_stale_token() {
    let (address, log) = gateway(900).await;
    let session = login(&address).await;
    let error = session.change_password("wrong", "password2").await.expect_err("refused");
    assert_eq!(error.code(), "account.bad_credentials");
    assert_eq!(heard(&log), ["/v1/auth/login -", "/v1/auth/password access-0"]);
}

#[tokio::test]
async fn waiting_is_opt_in() {
    let (address, log) = gateway(900).await;
    let haven = Haven::new(&address).expect("an address");
    let error = haven.register("ada@example.org", "password").await.map(|_| ()).expect_err("busy");
    let expected = HavenError::Refused {
        code: "request.rate_limited".to_owned(),
        message: "429 Too Many Requests".to_owned(),
        status: 429,
        retry_after: Some(Duration::ZERO),
    };
    assert_eq!(error, expected);
    let patient = haven.with_retry(RetryPolicy::patient());
    assert!(patient.register("ada@example.org", "password").await.is_ok());
    assert_eq!(heard(&log).len(), 3);
}

#[tokio::test]
async fn what_is_no_gateway_is_said_so() {
    for url in ["", "localhost:8080", "ftp://127.0.0.1", "http://127.0.0.1/?a=b"] {
        let error = Haven::new(url).map(|_| ()).expect_err(url);
        assert_eq!(error.code(), "client.bad_url", "{url}");
    }
    let error = Haven::new("http://127.0.0.1:1").expect("an address").realms().await;
    assert_eq!(error.expect_err("nobody there").code(), "client.unreachable");
}
