//! A server under everything at once that one caller can do to it, with a bystander who plays.
//!
//! Keeps true: attackers and server are on this machine and end with the test.
//! Leaves out on purpose: how fast it stays to the millisecond, which machines differ in; what is
//! asserted is that nothing fails, nothing grows, and everything is counted.

mod up;

use haven_client_sdk::{Admission, Haven, RealmClient};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use up::Up;

/// How long the attack lasts.
const ATTACK: Duration = Duration::from_secs(10);
/// Most memory the server may ever hold, megabytes.
const MEMORY_MB_MAX: u64 = 500;
const FLOOD_CALLS: u32 = 3_000_000;
const SOCKETS_OF_ONE_ACCOUNT: u32 = 500;
const CONNECTS: u32 = 2_000;
const SLOW_HEADERS: u32 = 50;
const HUGE_FRAMES: u32 = 20;

fn addr_of(admission: &Admission) -> String {
    admission.uri.trim_start_matches("http://").to_owned()
}

/// A socket of which every byte is ours; its status line.
async fn socket(admission: &Admission) -> Option<(TcpStream, String)> {
    let mut stream = TcpStream::connect(addr_of(admission)).await.ok()?;
    let request = format!(
        "GET /v1/database/{}/subscribe HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\
         connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n\
         sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         sec-websocket-protocol: v1.json.spacetimedb\r\n\r\n",
        admission.database, admission.token
    );
    stream.write_all(request.as_bytes()).await.ok()?;
    let mut status = [0; 12];
    stream.read_exact(&mut status).await.ok()?;
    Some((stream, String::from_utf8_lossy(&status).into_owned()))
}

/// A frame whose payload is this long, as far as there are bytes.
fn frame(length: u64, text: &str) -> Vec<u8> {
    let mut bytes = vec![0x81, 0x80 | 0x7f];
    bytes.extend(length.to_be_bytes());
    bytes.extend([0; 4]);
    bytes.extend(text.as_bytes());
    bytes
}

async fn flood(admission: Admission) {
    let (mut stream, _) = socket(&admission).await.expect("let in");
    let call = r#"{"CallReducer":{"reducer":"course_to","args":"[1,1]","request_id":1,"flags":0}}"#;
    let calls = frame(call.len() as u64, call).repeat(1_000);
    for _ in 0..FLOOD_CALLS / 1_000 {
        if stream.write_all(&calls).await.is_err() {
            return;
        }
    }
}

async fn many_sockets(admission: Admission) -> u32 {
    let (mut held, mut refused) = (vec![], 0);
    for _ in 0..SOCKETS_OF_ONE_ACCOUNT {
        match socket(&admission).await {
            Some((stream, status)) if status.ends_with("101") => held.push(stream),
            _ => refused += 1,
        }
    }
    tokio::time::sleep(ATTACK / 2).await;
    refused
}

async fn huge_frames(admission: Admission) {
    let megabyte = "x".repeat(1 << 20);
    for _ in 0..HUGE_FRAMES {
        let Some((mut stream, _)) = socket(&admission).await else { continue };
        let _ = stream.write_all(&frame(32 << 20, "")).await;
        for _ in 0..32 {
            if stream.write_all(megabyte.as_bytes()).await.is_err() {
                break;
            }
        }
    }
}

async fn slow_headers(admission: Admission) {
    let Ok(mut stream) = TcpStream::connect(addr_of(&admission)).await else { return };
    for byte in "GET /v1/ping HTTP/1.1\r\nhost: somebody.example.org\r\n".bytes() {
        if stream.write_all(&[byte]).await.is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

async fn come_and_go(admission: Admission) {
    for number in 0..CONNECTS {
        if number % 4 == 0 {
            drop(socket(&admission).await);
        } else {
            drop(TcpStream::connect(addr_of(&admission)).await);
        }
    }
}

/// An account of its own, admitted.
async fn admitted(haven: &Haven, name: &str) -> Admission {
    let email = format!("{name}@example.org");
    let session = haven.register(&email, "correct horse").await.expect("registered");
    session.admission(1).await.expect("admitted")
}

async fn bystander(haven: &Haven) -> RealmClient {
    let session = haven.register("ann@example.org", "correct horse").await.expect("registered");
    let hero = session.create_character(None, "Aldric", "human", "fighter").await;
    let hero = hero.expect("created");
    let client = session.enter(1).await.expect("let in");
    client.enter_world(hero.character_id).await.expect("in the world");
    client
}

async fn metrics(up: &Up) -> String {
    let answer = reqwest::get(format!("{}/metrics", up.gateway)).await.expect("an answer");
    answer.text().await.expect("text")
}

fn number(metrics: &str, name: &str) -> u64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|number| number.trim().parse().ok()).unwrap_or_else(|| panic!("{name}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_caller_can_neither_stop_the_server_nor_be_noticed() {
    let dir = TempDir::new().expect("a directory");
    let up = Up::start(dir.path(), "127.0.0.1:0", "127.0.0.1:0");
    let haven = Haven::new(&up.gateway).expect("an address");
    let client = bystander(&haven).await;
    let mut attack = JoinSet::new();
    let flooder = admitted(&haven, "flooder").await;
    attack.spawn(flood(flooder));
    let many = admitted(&haven, "many").await;
    let refused = tokio::spawn(many_sockets(many));
    attack.spawn(huge_frames(admitted(&haven, "huge").await));
    attack.spawn(come_and_go(admitted(&haven, "coming").await));
    let slow = admitted(&haven, "slow").await;
    for _ in 0..SLOW_HEADERS {
        attack.spawn(slow_headers(slow.clone()));
    }

    let (began, mut waits) = (Instant::now(), vec![]);
    while began.elapsed() < ATTACK {
        let asked = Instant::now();
        let dx = if waits.len() % 2 == 0 { 1 } else { -1 };
        client.walk(dx, 0).await.expect("a bystander is served");
        waits.push(asked.elapsed());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let refused = refused.await.expect("counted");
    let told = metrics(&up).await;
    attack.shutdown().await;
    waits.sort();
    let (typical, p99) = (waits[waits.len() / 2], waits[waits.len() * 99 / 100]);
    assert!(typical < Duration::from_millis(100), "a bystander waits {typical:?}, p99 {p99:?}");

    assert!(refused > SOCKETS_OF_ONE_ACCOUNT / 2, "{refused} sockets were refused");
    let code =
        |code: &str| number(&told, &format!("haven_guard_refusals_total{{code=\"guard.{code}\"}}"));
    assert!(code("account_full") >= u64::from(refused), "each refusal is counted");
    assert!(code("message_too_long") > 0);
    assert!(number(&told, "haven_guard_slowed_total") > 0);
    assert!(up.peak_mb() < MEMORY_MB_MAX, "{} MB", up.peak_mb());
    client.walk(1, 0).await.expect("and goes on");
    client.disconnect().await;
    assert_eq!(up.terminate().0, Some(0), "and stops in order");
}
