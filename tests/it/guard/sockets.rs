//! Sockets: what the guard makes of a player's subscription, and what the engine's ticket opens.

use super::at_the_door;
use crate::support::client::Client;
use crate::support::http::{assert_problem, send};
use crate::support::{Database, PATIENCE, on_database, player_token, until};
use futures::{SinkExt, Stream, StreamExt};
use haven_gateway::tokens::account_identity;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

/// `SubscribeMulti` in BSATN: its tag, one query, a request id and a query id.
fn subscribe_in_bsatn(query: &str) -> Vec<u8> {
    let length = u32::try_from(query.len()).expect("a short query");
    let mut bytes = vec![4];
    bytes.extend(1_u32.to_le_bytes());
    bytes.extend(length.to_le_bytes());
    bytes.extend(query.as_bytes());
    bytes.extend(7_u32.to_le_bytes());
    bytes.extend(7_u32.to_le_bytes());
    bytes
}

/// Tags of server messages in BSATN, after the byte that says how they are compressed.
const IDENTITY_TOKEN: u8 = 3;
const SUBSCRIBE_MULTI_APPLIED: u8 = 8;

/// The next message that is none of the protocol's own pings.
async fn next_binary<S>(socket: &mut S) -> Vec<u8>
where
    S: Stream<Item = Result<Message, tokio_tungstenite::tungstenite::Error>> + Unpin,
{
    loop {
        let message = socket.next().await.expect("open").expect("a message");
        if let Message::Binary(bytes) = message {
            return bytes.to_vec();
        }
    }
}

#[test]
fn an_admitted_player_subscribes_with_either_protocol() {
    on_database(|database| async move {
        let account_id = database.register("ann@example.org").await;
        let json = database.admit(account_id, "player").await;
        json.subscribe(&["SELECT * FROM entity"]).await;
        json.close().await;

        let token = player_token(&database.stage.keys, &database.name, account_id, "player");
        let host = database.stage.uri.replacen("http", "ws", 1);
        let path = format!("/v1/database/{}/subscribe?compression=None", database.name);
        let mut request = format!("{host}{path}").into_client_request().expect("a request");
        let headers = request.headers_mut();
        headers.insert("authorization", format!("Bearer {token}").parse().expect("a value"));
        let protocol = "v1.bsatn.spacetimedb";
        headers.insert("sec-websocket-protocol", protocol.parse().expect("a value"));
        let connected = tokio_tungstenite::connect_async(request).await;
        let (mut socket, answer) = connected.expect("the player is let in");
        assert_eq!(answer.headers()["sec-websocket-protocol"], protocol);
        let query = subscribe_in_bsatn("SELECT * FROM entity");
        socket.send(Message::binary(query)).await.expect("sent");
        for tag in [IDENTITY_TOKEN, SUBSCRIBE_MULTI_APPLIED] {
            let message = tokio::time::timeout(PATIENCE, next_binary(&mut socket)).await;
            assert_eq!(message.expect("in time")[..2], [0, tag]);
        }
        socket.close(None).await.expect("closed");
    });
}

/// Sends one message in BSATN and waits until the server has answered it or hung up.
async fn send_in_bsatn(database: &Database, account_id: u64, message: Vec<u8>) {
    let token = player_token(&database.stage.keys, &database.name, account_id, "player");
    let host = database.stage.uri.replacen("http", "ws", 1);
    let path = format!("/v1/database/{}/subscribe?compression=None", database.name);
    let mut request = format!("{host}{path}").into_client_request().expect("a request");
    let headers = request.headers_mut();
    headers.insert("authorization", format!("Bearer {token}").parse().expect("a value"));
    let protocol = "v1.bsatn.spacetimedb";
    headers.insert("sec-websocket-protocol", protocol.parse().expect("a value"));
    let connected = tokio_tungstenite::connect_async(request).await;
    let (mut socket, _) = connected.expect("the player is let in");
    assert_eq!(next_binary(&mut socket).await[..2], [0, IDENTITY_TOKEN]);
    socket.send(Message::binary(message)).await.expect("sent");
    let answer = tokio::time::timeout(PATIENCE, socket.next()).await;
    drop(answer.expect("an answer or the end, in time"));
}

/// See `ALLOCATOR`: with one that counts what is only reserved, this ends the process.
#[test]
fn a_length_that_nothing_comes_up_to_harms_nobody_else() {
    on_database(|database| async move {
        let (_, _, player) = database.enter("ann@example.org", "Ann").await;
        let hostile = database.register("bob@example.org").await;
        database.grant(hostile, "player", 900).await.expect("admitted");
        // `world_configure` with more obstacles than there are bytes; arguments are read before
        // anybody asks who may call.
        let reducer = b"world_configure";
        let args = [&[0; 36][..], &[0xff; 4]].concat();
        let mut call = vec![0, 15, 0, 0, 0];
        call.extend([&reducer[..], &[40, 0, 0, 0], &args, &[7, 0, 0, 0, 0]].concat());
        for message in [vec![1, 0xff, 0xff, 0xff, 0xff], vec![4, 0xff, 0xff, 0xff, 0xff], call] {
            send_in_bsatn(&database, hostile, message).await;
            player.call("course_set", json!([1, 0, false])).await.expect("she plays on");
        }
    });
}

/// A player who asks to be told everything, subscribed to all that is public.
async fn observer(database: &Database, number: u32, query: &str) -> (u64, Client) {
    let account_id = database.register(&format!("observer{number}@example.org")).await;
    database.grant(account_id, "player", 900).await.expect("admitted");
    let token = player_token(&database.stage.keys, &database.name, account_id, "player");
    let path = format!("/v1/database/{}/subscribe{query}", database.name);
    let url = format!("{}{path}", database.stage.uri);
    let client = Client::connect_to(&url, Some(&token)).await.expect(query);
    client.subscribe(&["SELECT * FROM entity", "SELECT * FROM motion"]).await;
    (account_id, client)
}

/// Waits until a client was told of a character by that kind of message.
async fn told_by(client: &Client, kind: &str, name: &str) {
    let name = format!("\\\"{name}\\\"");
    until(&format!("{name} comes as {kind}"), || async {
        let messages = client.messages();
        let update = |message: &&Value| message.get(kind).is_some();
        messages.iter().filter(update).any(|m| m.to_string().contains(&name)).then_some(())
    })
    .await;
}

/// The callers and reducers that a client was told of.
fn calls_seen(client: &Client) -> Vec<(String, String)> {
    let messages = client.messages();
    let updates = messages.iter().filter_map(|message| message.get("TransactionUpdate"));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    updates
        .map(|update| {
            let caller = text(&update["caller_identity"]["__identity__"]);
            (caller, text(&update["reducer_call"]["reducer_name"]))
        })
        .collect()
}

#[test]
fn a_players_socket_is_light_whatever_it_asks_for() {
    on_database(|database| async move {
        let mut observers = vec![];
        for (number, query) in (0..).zip([
            "",
            "?light=false",
            "?l%69ght=false",
            "?LIGHT=false",
            "?light=0&compression=None",
        ]) {
            observers.push((query, observer(&database, number, query).await));
        }
        database.owner.subscribe(&["SELECT * FROM entity", "SELECT * FROM motion"]).await;
        let (_, _, player) = database.enter("ann@example.org", "Aldric").await;
        player.call("course_set", json!([1, 0, false])).await.expect("going");

        // The owner's socket is what a player's would be without the guard.
        told_by(&database.owner, "TransactionUpdate", "Aldric").await;
        let calls = calls_seen(&database.owner);
        let entered = |(_, reducer): &(String, String)| reducer == "character_enter";
        assert!(calls.iter().any(entered), "{calls:?}");

        for (query, (account_id, client)) in &observers {
            told_by(client, "TransactionUpdateLight", "Aldric").await;
            let own_call = client.call("character_leave", json!([])).await;
            let refused = own_call.expect_err("not in the world");
            assert!(refused.starts_with("character.not_in_world:"), "{query}: {refused}");
            let own = account_identity(crate::support::ISSUER, *account_id).to_hex().to_string();
            let calls = calls_seen(client);
            assert!(!calls.is_empty(), "{query}: one's own calls are answered");
            let foreign = calls.iter().find(|(caller, _)| !caller.ends_with(&own));
            assert_eq!(foreign, None, "{query}");
            let everything = format!("{:?}", client.messages());
            for reducer in ["character_enter", "course_set"] {
                assert!(!everything.contains(reducer), "{query}: {reducer}");
            }
        }
    });
}

#[test]
fn two_wishes_about_light_in_one_query_are_refused() {
    at_the_door(async |door| {
        let bearer = format!("Bearer {}", door.good());
        let headers = [("authorization", bearer.as_str())];
        for query in ["?light=true&light=false", "?light=false&l%69ght=true"] {
            let refused = door.upgrade(&headers, query).await;
            assert_problem(&refused, 400, "guard.query_malformed", query);
        }
    });
}

#[test]
fn the_ticket_that_the_engine_shows_opens_nothing() {
    at_the_door(async |door| {
        let player = door.database.connect(door.account_id, "player").await.expect("connected");
        for (client, whose) in [(&player, "a player's"), (&door.database.owner, "the owner's")] {
            let welcome = client.wait_for("IdentityToken").await.expect("a welcome");
            let ticket = welcome["IdentityToken"]["token"].as_str().expect("a ticket");
            assert_eq!(ticket.split('.').count(), 3, "{whose}: {ticket}");
            door.refuses(whose, ticket, "guard.token_key_unknown").await;
            let refused = door.upgrade(&[], &format!("?token={ticket}")).await;
            assert_problem(&refused, 401, "guard.token_key_unknown", whose);
            let url = format!("{}/v1/database/{}/logs", door.uri(), door.database.name);
            let refused = send("GET", &url, Some(ticket), None).await;
            assert_problem(&refused, 401, "guard.token_key_unknown", whose);
        }
    });
}

#[test]
fn a_good_token_without_an_admission_is_shown_out_at_once() {
    on_database(|database| async move {
        let account_id = database.register("ann@example.org").await;
        let refused = database.connect(account_id, "player").await.err();
        assert_eq!(refused.as_deref(), Some("closed"));
        assert!(database.rows("realm_connection").await.is_empty());
        database.admit(account_id, "player").await;
    });
}
