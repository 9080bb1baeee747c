//! Limits: what one caller may cost, and that nobody else notices when he wants more.
//!
//! Keeps true: every refusal is found in the metrics under its code.
//! Leaves out on purpose: cutting frames and budgets to the byte, which is tested beside them.

use crate::support::client::Client;
use crate::support::forge::{Forge, changed, player_claims};
use crate::support::http::{assert_problem, send};
use crate::support::{Database, PATIENCE, on_limited_stage, owner_token, player_token, until};
use haven_engine::Limits;
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// Runs a test on a database of its own behind those limits.
fn with_limits<F: Future<Output = ()>>(limits: Limits, test: impl FnOnce(Database) -> F) {
    on_limited_stage(limits, |stage| async move {
        let database = Database::publish(stage).await;
        database.configure().await;
        test(database).await;
    });
}

/// A number of the guard's metrics, by its name and labels.
async fn metric(database: &Database, name: &str) -> u64 {
    let token = owner_token(&database.stage.keys);
    let url = format!("{}/v1/metrics", database.stage.uri);
    let answer = send("GET", &url, Some(&token), None).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let line = answer.text.lines().find_map(|line| line.strip_prefix(name));
    let number = line.unwrap_or_else(|| panic!("{name} in {}", answer.text));
    number.trim().parse().expect("a number")
}

async fn refusals(database: &Database, code: &str) -> u64 {
    metric(database, &format!("haven_guard_refusals_total{{code=\"{code}\"}}")).await
}

/// Waits until a refusal was counted.
async fn counted(database: &Database, code: &str) {
    until(code, || async { (refusals(database, code).await > 0).then_some(()) }).await;
}

/// The request that opens a socket, as bytes.
fn upgrade_request(database: &Database, token: &str, query: &str) -> String {
    let host = database.stage.uri.trim_start_matches("http://");
    format!(
        "GET /v1/database/{}/subscribe{query} HTTP/1.1\r\nhost: {host}\r\n\
         authorization: Bearer {token}\r\nconnection: upgrade\r\nupgrade: websocket\r\n\
         sec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         sec-websocket-protocol: v1.json.spacetimedb\r\n\r\n",
        database.name
    )
}

/// A socket of which every byte is ours, with room for so many bytes that nobody reads.
async fn raw_socket(database: &Database, token: &str, room_bytes: u32) -> TcpStream {
    let addr = database.stage.uri.trim_start_matches("http://").parse().expect("an address");
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(room_bytes).expect("a size");
    let mut stream = socket.connect(addr).await.expect("connected");
    let request = upgrade_request(database, token, "");
    stream.write_all(request.as_bytes()).await.expect("sent");
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).await.expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 101");
    stream
}

/// A text frame as a client sends it, masked with zeros.
fn frame(text: &str) -> Vec<u8> {
    let length = u64::try_from(text.len()).expect("short");
    let mut bytes = vec![0x81, 0x80 | 0x7f];
    bytes.extend(length.to_be_bytes());
    bytes.extend([0; 4]);
    bytes.extend(text.as_bytes());
    bytes
}

/// A player who is admitted: his account and his token.
async fn player(database: &Database, email: &str) -> (u64, String) {
    let account_id = database.register(email).await;
    database.grant(account_id, "player", 900).await.expect("admitted");
    (account_id, player_token(&database.stage.keys, &database.name, account_id, "player"))
}

/// Waits until the other side has closed a raw socket, reading what is there.
async fn closed(mut stream: TcpStream) {
    let mut sink = vec![0; 64 << 10];
    let drain = async { while matches!(stream.read(&mut sink).await, Ok(1..)) {} };
    tokio::time::timeout(PATIENCE, drain).await.expect("the connection was not closed");
}

#[test]
fn an_account_has_so_many_sockets_and_no_more() {
    let limits = Limits { sockets_per_account_max: 3, ..Limits::default() };
    with_limits(limits, |database| async move {
        let (_, token) = player(&database, "ann@example.org").await;
        let connect = || Client::connect(&database.stage.uri, &database.name, &token);
        let mut sockets = vec![];
        for _ in 0..3 {
            sockets.push(connect().await.expect("a place"));
        }
        for _ in 0..20 {
            assert_eq!(connect().await.err().as_deref(), Some("429"));
        }
        assert_eq!(refusals(&database, "guard.account_full").await, 20);
        let (_, other) = player(&database, "bob@example.org").await;
        let bob = Client::connect(&database.stage.uri, &database.name, &other).await;
        bob.expect("another account has places of its own");
        sockets.pop().expect("one").close().await;
        until("a place is free", || async { connect().await.ok() }).await;
    });
}

#[test]
fn there_are_so_many_connections_and_who_is_turned_away_hears_why() {
    let limits = Limits { connections_max: 12, ..Limits::default() };
    with_limits(limits, |database| async move {
        let addr = database.stage.uri.trim_start_matches("http://").to_owned();
        let mut idle = vec![];
        let turned_away = loop {
            let mut stream = TcpStream::connect(&addr).await.expect("connected");
            let mut words = String::new();
            let read = stream.read_to_string(&mut words);
            match tokio::time::timeout(Duration::from_millis(200), read).await {
                Ok(_) => break words,
                Err(_) => idle.push(stream),
            }
            assert!(idle.len() < 12, "more than there may be");
        };
        let (head, document) = turned_away.split_once("\r\n\r\n").expect("a head");
        assert!(head.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{head}");
        let document: serde_json::Value = serde_json::from_str(document).expect("JSON");
        assert_eq!(document["code"], "guard.connections_full");
        // Who was there before is served; who has gone makes room.
        database.owner.call("realm_configure", json!([1, "Haven", true, 100])).await.expect("ok");
        drop(idle);
        until("there is room", || async {
            let url = format!("{}/v1/ping", database.stage.uri);
            let answer = reqwest::Client::new().get(&url).send().await;
            answer.ok().filter(|answer| answer.status() == 401)
        })
        .await;
        assert!(refusals(&database, "guard.connections_full").await > 0);
    });
}

#[test]
fn a_message_beyond_the_limit_ends_its_socket_alone() {
    with_limits(Limits::default(), |database| async move {
        let (_, token) = player(&database, "ann@example.org").await;
        let (_, other) = player(&database, "bob@example.org").await;
        let bystander = Client::connect(&database.stage.uri, &database.name, &other).await;
        let bystander = bystander.expect("connected");
        let long = " ".repeat(Limits::default().message_bytes_max as usize + 1);
        let mut stream = raw_socket(&database, &token, 64 << 10).await;
        stream.write_all(&frame(&long)).await.expect("sent");
        closed(stream).await;
        // Of 32 MiB only the header is needed.
        let mut stream = raw_socket(&database, &token, 64 << 10).await;
        stream.write_all(&[0x82, 0xff, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0]).await.expect("sent");
        closed(stream).await;
        assert_eq!(refusals(&database, "guard.message_too_long").await, 2);
        let refused = bystander.call("character_leave", json!([])).await.expect_err("not in it");
        assert!(refused.starts_with("character.not_in_world"), "{refused}");
    });
}

#[test]
fn frames_cannot_hide_in_the_request() {
    with_limits(Limits::default(), |database| async move {
        let (_, token) = player(&database, "ann@example.org").await;
        let addr = database.stage.uri.trim_start_matches("http://").to_owned();
        let big = [0x82, 0xff, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0];
        for (case, before) in [("right behind the head", ""), ("after empty lines", "\r\n\r\n")] {
            let request = format!("{before}{}", upgrade_request(&database, &token, ""));
            let mut stream = TcpStream::connect(&addr).await.expect("connected");
            stream.write_all(&[request.as_bytes(), &big].concat()).await.expect(case);
            closed(stream).await;
        }
        let chunked = upgrade_request(&database, &token, "")
            .replace("\r\n\r\n", "\r\ntransfer-encoding: chunked\r\n\r\n");
        let mut stream = TcpStream::connect(&addr).await.expect("connected");
        stream.write_all(&[chunked.as_bytes(), b"0\r\n\r\n"].concat()).await.expect("sent");
        let mut answer = String::new();
        let read = stream.read_to_string(&mut answer);
        let _ = tokio::time::timeout(PATIENCE, read).await.expect("an end");
        assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    });
}

#[test]
fn a_socket_ends_with_its_token_unless_a_later_one_is_shown() {
    let limits = Limits { token_grace_millis: 100, ..Limits::default() };
    with_limits(limits, |database| async move {
        let (account_id, _) = player(&database, "ann@example.org").await;
        let (other_id, other) = player(&database, "bob@example.org").await;
        let forge = Forge::new(&database.stage.keys);
        let token = |seconds: i64| {
            let claims = player_claims(&database.name, account_id);
            let exp = claims["iat"].as_i64().expect("seconds") + seconds;
            forge.sign(&forge.header(), &changed(&claims, &json!({ "exp": exp })))
        };
        assert_ne!(account_id, other_id);
        let url = format!("{}/v1/database/{}", database.stage.uri, database.name);
        let connect = async |id: &str| {
            let url = format!("{url}/subscribe?connection_id={id}");
            Client::connect_to(&url, Some(&token(2))).await.expect("connected")
        };
        let (left_alone, renewed) = (connect("a1").await, connect("a2").await);
        let renew = async |id: &str, token: &str| {
            send("POST", &format!("{url}/renew?connection_id={id}"), Some(token), None).await
        };
        for (case, id, token, status, code) in [
            ("another's connection", "a2", &other, 404, "guard.connection_unknown"),
            ("no such connection", "a3", &token(60), 404, "guard.connection_unknown"),
            ("no number", "x", &token(60), 400, "guard.query_malformed"),
            ("zero", "0", &token(60), 400, "guard.query_malformed"),
        ] {
            assert_problem(&renew(id, token).await, status, code, case);
        }
        let nobody = send("POST", &format!("{url}/renew?connection_id=a2"), None, None).await;
        assert_problem(&nobody, 401, "guard.token_missing", "nobody");
        assert_eq!(renew("a2", &token(60)).await.status, 204);
        assert_eq!(renew("a2", &token(1)).await.status, 204, "which takes nothing away");
        left_alone.wait_closed().await;
        assert_eq!(refusals(&database, "guard.token_ran_out").await, 1);
        assert_eq!(metric(&database, "haven_guard_renewed_total").await, 2);
        let refused = renewed.call("character_leave", json!([])).await.expect_err("not in it");
        assert!(refused.starts_with("character.not_in_world"), "{refused}");
    });
}

#[test]
fn headers_that_trickle_in_are_not_waited_for() {
    let limits = Limits { header_millis_max: 1_000, ..Limits::default() };
    with_limits(limits, |database| async move {
        let addr = database.stage.uri.trim_start_matches("http://").to_owned();
        let mut stream = TcpStream::connect(&addr).await.expect("connected");
        let began = Instant::now();
        let trickle = async {
            let mut pace = tokio::time::interval(Duration::from_millis(100));
            for byte in "GET /v1/ping HTTP/1.1\r\nhost: x\r\n".bytes() {
                pace.tick().await;
                if stream.write_all(&[byte]).await.is_err() {
                    break;
                }
            }
        };
        tokio::time::timeout(PATIENCE, trickle).await.expect("the connection was closed");
        closed(stream).await;
        assert!(began.elapsed() < Duration::from_secs(6), "{:?}", began.elapsed());
    });
}

#[test]
fn a_reader_that_does_not_read_is_dropped() {
    let limits = Limits {
        reader_behind_millis_max: 500,
        // As fast as the engine answers; faster, and it is the engine that ends the connection.
        inbound_bytes_per_s: 200_000,
        ..Limits::default()
    };
    with_limits(limits, |database| async move {
        let (_, token) = player(&database, "ann@example.org").await;
        let mut stream = raw_socket(&database, &token, 4 << 10).await;
        let call = json!({ "CallReducer": {
            "reducer": "character_leave", "args": "[]", "request_id": 1, "flags": 0,
        }});
        let call = frame(&call.to_string());
        // Answers pile up: in the kernel first, then in the engine, then it is over.
        let flood = async { while stream.write_all(&call).await.is_ok() {} };
        tokio::time::timeout(PATIENCE, flood).await.expect("the connection was closed");
        counted(&database, "guard.reader_behind").await;
    });
}

#[test]
fn a_flooder_is_read_slowly_and_a_bystander_does_not_notice() {
    with_limits(Limits::default(), |database| async move {
        let (_, _, bystander) = database.enter("ann@example.org", "Aldric").await;
        let (_, flooder) = player(&database, "bob@example.org").await;
        let before = metric(&database, "haven_guard_inbound_bytes_total").await;
        let mut stream = raw_socket(&database, &flooder, 64 << 10).await;
        let call = json!({ "CallReducer": {
            "reducer": "course_set", "args": "[1,0,false]", "request_id": 1, "flags": 0,
        }});
        let calls = frame(&call.to_string()).repeat(100);
        let flood = tokio::spawn(async move {
            let mut bytes = 0;
            while let Ok(sent) = stream.write(&calls).await {
                bytes += sent;
            }
            bytes
        });
        let (mut waits, mut pace) = (vec![], tokio::time::interval(Duration::from_millis(20)));
        for number in 0..100 {
            let began = Instant::now();
            let dx = if number % 2 == 0 { 1 } else { -1 };
            bystander.call("course_set", json!([dx, 0, false])).await.expect("going");
            waits.push(began.elapsed());
            pace.tick().await;
        }
        flood.abort();
        waits.sort();
        let typical = waits[waits.len() / 2];
        assert!(typical < Duration::from_millis(50), "{waits:?}");
        assert!(metric(&database, "haven_guard_slowed_total").await > 0);
        let limits = Limits::default();
        let inbound = metric(&database, "haven_guard_inbound_bytes_total").await - before;
        // The burst, some seconds' worth, what is read at once, and everybody else's.
        let most = u64::from(limits.inbound_burst_bytes + 60 * limits.inbound_bytes_per_s);
        assert!(inbound < most, "{inbound} bytes were read");
    });
}
