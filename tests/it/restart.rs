//! Stop and start again: what was acknowledged is there, tokens still work, gateways recover.

use crate::support::client::Client;
use crate::support::http::send;
use crate::support::{ISSUER, PATIENCE, engine_config, owner_token, rows, share_compiled, until};
use haven_client_sdk::{Event, Events, Haven};
use haven_engine::{Engine, MODULE_WASM};
use haven_gateway::keys::KeyStore;
use haven_gateway::{Gateway, GatewayConfig};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

/// How long a publish may keep a player away: from when the client knows that its connection is
/// lost until it is connected and its character is in the world again. Replacing the module is in
/// it. Sending and compiling the module is not: all play on meanwhile, and nobody is sent away
/// before that is done.
const AWAY_MAX: Duration = Duration::from_secs(10);

/// An engine on disk with a configured realm, and a gateway before it.
struct Deployment {
    dir: TempDir,
    addr: SocketAddr,
    engine: Engine,
    gateway: Gateway,
}

async fn start_engine(dir: &Path, addr: SocketAddr) -> Engine {
    let mut config = engine_config(dir, &dir.join("keys"), false);
    config.listen = addr;
    until("the port is free again", || async { Engine::start(config.clone()).await.ok() }).await
}

impl Deployment {
    async fn start() -> Self {
        let dir = TempDir::new().expect("a temporary directory");
        share_compiled(dir.path());
        let keys = KeyStore::open_or_create(dir.path().join("keys")).expect("keys");
        let any = "127.0.0.1:0".parse().expect("an address");
        let engine = start_engine(dir.path(), any).await;
        let token = owner_token(&keys);
        haven_engine::publish(&engine.uri(), "haven", &token, MODULE_WASM)
            .await
            .expect("published");
        let owner = Client::connect(&engine.uri(), "haven", &token).await.expect("the owner");
        for (reducer, args) in [
            ("realm_configure", json!([1, "Haven", true, 100])),
            ("world_configure", json!([crate::support::world()])),
            ("realm_upsert", json!([1, "Haven", engine.uri(), "haven", 100])),
        ] {
            owner.call(reducer, args).await.expect(reducer);
        }
        owner.close().await;
        let config = GatewayConfig {
            listen: any,
            home_uri: engine.uri(),
            issuer: ISSUER.to_owned(),
            keys_dir: dir.path().join("keys"),
            heartbeat_seconds: 1,
            ..GatewayConfig::default()
        };
        let gateway = Gateway::start(config).await.expect("the gateway starts");
        assert!(gateway.wait_ready(Duration::from_secs(20)).await, "the gateway is ready");
        Self { addr: engine.addr(), dir, engine, gateway }
    }

    async fn rows(&self, table: &str) -> Vec<Value> {
        let token = owner_token(self.gateway.keys());
        rows::select(&self.engine.uri(), "haven", &token, table).await
    }

    async fn stop(self) {
        self.gateway.stop().await;
        self.engine.stop().await.expect("the engine stops");
    }
}

async fn ready(gateway: &Gateway) -> u16 {
    send("GET", &format!("{}/readyz", gateway.uri()), None, None).await.status
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_keeps_accounts_characters_positions_and_tokens() {
    let mut here = Deployment::start().await;
    let haven = Haven::new(&here.gateway.uri()).expect("a gateway");
    let session = haven.register("ann@example.org", "correct horse").await.expect("registered");
    let made = session.create_character(None, "Ann", "elf", "ranger").await.expect("created");
    let admission = session.admission(1).await.expect("admitted");
    let realm = session.enter(1).await.expect("entered");
    realm.enter_world(made.character_id).await.expect("in the world");
    realm.go_to(34_000, 33_000).await.expect("going");
    let standing = until("the goal is reached", || async {
        let row = here.rows("motion").await.into_iter().next()?;
        (row["end_kind"] == 0 && row["course_number"] == 1).then_some(row)
    })
    .await;
    let before = (here.rows("account").await, here.rows("character").await);

    here.engine.stop().await.expect("the engine stops");
    until("the gateway says that its database is gone", || async {
        (ready(&here.gateway).await == 503).then_some(())
    })
    .await;
    let refused = haven.login("ann@example.org", "correct horse").await;
    let refused = refused.err().expect("there is no database");
    assert_eq!(refused.code(), "gateway.unavailable");

    here.engine = start_engine(here.dir.path(), here.addr).await;
    until("the gateway has recovered by itself", || async {
        (ready(&here.gateway).await == 200).then_some(())
    })
    .await;
    assert_eq!((here.rows("account").await, here.rows("character").await), before);
    let token = admission.token.clone();
    let socket = Client::connect(&here.engine.uri(), "haven", &token).await;
    socket.expect("a token issued before still works").close().await;
    haven.login("ann@example.org", "correct horse").await.expect("the account is there");

    let back = until("the client has come back by itself", || async {
        here.rows("motion").await.into_iter().next()
    })
    .await;
    for column in ["entity_id", "pos_x_mm", "pos_y_mm"] {
        assert_eq!(back[column], standing[column], "{column}");
    }
    realm.disconnect().await;
    here.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_starts_before_its_database() {
    let dir = TempDir::new().expect("a temporary directory");
    let config = GatewayConfig {
        listen: "127.0.0.1:0".parse().expect("an address"),
        // A port that was free a moment ago: nothing answers there.
        home_uri: "http://127.0.0.1:9".to_owned(),
        issuer: ISSUER.to_owned(),
        keys_dir: dir.path().join("keys"),
        ..GatewayConfig::default()
    };
    let gateway = Gateway::start(config).await.expect("it starts without a database");
    assert_eq!(ready(&gateway).await, 503);
    let alive = send("GET", &format!("{}/healthz", gateway.uri()), None, None).await;
    assert_eq!(alive.status, 200);
    let body = json!({ "email": "ann@example.org", "password": "correct horse" });
    let url = format!("{}/v1/auth/register", gateway.uri());
    let refused = send("POST", &url, None, Some(&body)).await;
    assert_eq!((refused.status, refused.code()), (503, "gateway.unavailable"));
    gateway.stop().await;
}

/// How long a client was away, by its own account of when it lost its connection and when it was in
/// the world again.
async fn time_away(events: &mut Events) -> Duration {
    let mut lost_at = None;
    while let Some(event) = events.next_event().await {
        match event {
            Event::Disconnected { at, .. } => lost_at = Some(at),
            Event::OutOfWorld { .. } => panic!("the character did not come back"),
            Event::Reconnected { at } => return at - lost_at.expect("lost before it was back"),
            _ => {}
        }
    }
    panic!("the client gave up");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publish_onto_a_running_realm_sends_a_player_away_for_seconds_only() {
    let here = Deployment::start().await;
    let haven = Haven::new(&here.gateway.uri()).expect("a gateway");
    let session = haven.register("ann@example.org", "correct horse").await.expect("registered");
    let made = session.create_character(None, "Ann", "elf", "ranger").await.expect("created");
    let realm = session.enter(1).await.expect("entered");
    realm.enter_world(made.character_id).await.expect("in the world");
    let mut events = realm.events();

    // A custom section changes the module's hash, and nothing else.
    let mut changed = MODULE_WASM.to_vec();
    changed.extend([0, 5, 4, b'n', b'o', b't', b'e']);
    let token = owner_token(here.gateway.keys());
    let uri = here.engine.uri();
    haven_engine::publish(&uri, "haven", &token, &changed).await.expect("published");
    let away = tokio::time::timeout(PATIENCE, time_away(&mut events)).await;
    let away = away.expect("the client reconnects");
    assert!(away < AWAY_MAX, "away for {away:?}");
    realm.walk(1, 0).await.expect("the player plays on");
    until("the gateway is ready", || async { (ready(&here.gateway).await == 200).then_some(()) })
        .await;
    session.characters().await.expect("the gateway serves");
    realm.disconnect().await;
    here.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_given_while_the_realm_is_away_is_done_once_when_it_is_back() {
    let mut here = Deployment::start().await;
    let token = owner_token(here.gateway.keys());
    let owner = Client::connect(&here.engine.uri(), "haven", &token).await.expect("the owner");
    let vale = json!([crate::instances::vale()]);
    owner.call("instance_define", vale).await.expect("defined");
    owner.close().await;
    let haven = Haven::new(&here.gateway.uri()).expect("a gateway");
    let session = haven.register("ann@example.org", "correct horse").await.expect("registered");
    let made = session.create_character(None, "Ann", "elf", "ranger").await.expect("created");
    let realm = session.enter(1).await.expect("entered");
    realm.enter_world(made.character_id).await.expect("in the world");

    here.engine.stop().await.expect("the engine stops");
    until("the client has noticed", || async { (!realm.is_connected()).then_some(()) }).await;
    let refused = realm.walk(1, 0).await.expect_err("no command: nobody knows what it was for");
    assert_eq!(refused.code(), "client.disconnected");
    let commands = tokio::spawn({
        let (realm, session) = (realm.clone(), session.clone());
        async move {
            let creation = session.create_character(None, "Berta", "elf", "ranger");
            tokio::join!(realm.open_instance("vale"), creation)
        }
    });
    here.engine = start_engine(here.dir.path(), here.addr).await;
    let (opened, created) = commands.await.expect("no panic");
    opened.expect("done when the realm was back");
    assert_eq!(created.expect("made when the gateway had a database again").name, "Berta");
    assert_eq!(here.rows("instance").await.len(), 1);
    assert_eq!(here.rows("character").await.len(), 2);
    realm.disconnect().await;
    here.stop().await;
}

/// A raw client of a new account with a character in the world, and what it enters again by.
async fn raw(here: &Deployment, name: &str) -> (Client, String, u64) {
    let haven = Haven::new(&here.gateway.uri()).expect("a gateway");
    let email = format!("{}@example.org", name.to_lowercase());
    let session = haven.register(&email, "correct horse").await.expect("registered");
    let made = session.create_character(None, name, "elf", "ranger").await.expect("created");
    let token = session.admission(1).await.expect("admitted").token;
    (come(here, &token, made.character_id).await, token, made.character_id)
}

async fn come(here: &Deployment, token: &str, character_id: u64) -> Client {
    until("the character is in the world", || async {
        let client = Client::connect(&here.engine.uri(), "haven", token).await.ok()?;
        client.call("character_enter", json!([character_id])).await.ok()?;
        Some(client)
    })
    .await
}

/// Two in a party that is a raid, with a marker, whose leader asks whether both are ready; a third
/// one is invited and has not answered.
async fn ready_check(here: &Deployment) -> [(Client, String, u64); 3] {
    let [ann, bob, cid] = [raw(here, "Ann").await, raw(here, "Bob").await, raw(here, "Cid").await];
    ann.0.call("party_invite", json!(["Bob"])).await.expect("invited");
    let invitation = here.rows("party_invitation").await[0]["invitation_id"].clone();
    bob.0.call("party_answer", json!([invitation, true])).await.expect("accepted");
    for (reducer, args) in [
        ("party_convert", json!([true])),
        ("party_group_set", json!([bob.2, 7])),
        ("party_marker_set", json!([3, bob.2])),
        ("party_loot_set", json!([4, 2, bob.2])),
        ("party_invite", json!(["Cid"])),
        ("party_ready_begin", json!([])),
    ] {
        ann.0.call(reducer, args).await.expect(reducer);
    }
    [ann, bob, cid]
}

/// The party, its members and whom it has invited, without what an absence changes.
async fn lasting(here: &Deployment) -> Vec<Value> {
    const TABLES: [&str; 7] = [
        "party",
        "party_seat",
        "party_view",
        "party_member",
        "party_invitation",
        "party_invitee",
        "friend_tie",
    ];
    let mut all = vec![];
    for table in TABLES {
        for mut row in here.rows(table).await {
            row["away_ends_at_micros"] = json!(0);
            all.push(row);
        }
    }
    all.sort_by_key(Value::to_string);
    all
}

/// The check goes on as it was, and ends with the last answer; or its time is over by now.
async fn answers(here: &Deployment, client: &Client, ends_at: &Value) {
    let answer = client.call("party_ready_answer", json!([true])).await;
    let party = here.rows("party").await.remove(0);
    let is_late = Some(crate::support::now_micros()) >= ends_at.as_i64();
    match answer {
        Ok(()) => assert_eq!(party["ready_state"], 2, "all have answered: {party}"),
        Err(refused) => assert!(is_late && party["ready_state"] == 3, "{refused}: {party}"),
    }
    assert_eq!(party["ready_ends_at_micros"], 0);
}

/// Who was invited before joins now; or the time of the invitation is over by now.
async fn joins(here: &Deployment, client: &Client, invitation: &Value) {
    let args = json!([invitation["invitation_id"], true]);
    let answer = client.call("party_answer", args).await;
    let is_late = Some(crate::support::now_micros()) >= invitation["lapses_at_micros"].as_i64();
    match answer {
        Ok(()) => assert_eq!(here.rows("party_seat").await.len(), 3, "the third is a member"),
        Err(refused) => {
            assert!(is_late && refused.starts_with("party.invite_unknown:"), "{refused}");
        }
    }
}

/// Two in a party with a check going on and one who is invited, and after all of it was started
/// again they are back, and all is as it was.
async fn survives(again: impl AsyncFnOnce(Deployment) -> (Deployment, Option<TempDir>)) {
    let here = Deployment::start().await;
    let [ann, bob, cid] = ready_check(&here).await;
    ann.0.call("friend_request", json!(["Bob"])).await.expect("asked");
    let before = here.rows("party").await;
    let invitation = here.rows("party_invitation").await.remove(0);
    let members = here.rows("party_seat").await.len();
    let ends_at = before[0]["ready_ends_at_micros"].clone();
    assert_ne!(ends_at, 0);

    let (here, _dir) = again(here).await;
    let mut clients = vec![];
    for (_, token, character_id) in [&ann, &bob, &cid] {
        clients.push(come(&here, token, *character_id).await);
    }
    let party = here.rows("party").await;
    for column in ["party_id", "leader_id", "markers", "loot_mode", "loot_master_id", "is_raid"] {
        assert_eq!(party[0][column], before[0][column], "{column}");
    }
    let seats = here.rows("party_seat").await;
    assert_eq!(seats.len(), members);
    assert!(seats.iter().all(|row| row["away_ends_at_micros"] == 0), "both are back: {seats:?}");
    assert_eq!(here.rows("friend_tie").await.len(), 2);
    answers(&here, &clients[1], &ends_at).await;
    joins(&here, &clients[2], &invitation).await;
    for client in clients {
        client.close().await;
    }
    here.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parties_and_ready_checks_survive_a_restart() {
    survives(async |mut here: Deployment| {
        here.engine.stop().await.expect("the engine stops");
        here.engine = start_engine(here.dir.path(), here.addr).await;
        (here, None)
    })
    .await;
}

fn copy_tree(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let to = to.join(entry.file_name());
        let kind = entry.file_type().expect("a kind");
        if kind.is_symlink() {
            // Compiled modules are shared.
            let target = std::fs::read_link(entry.path()).expect("a link");
            std::os::unix::fs::symlink(target, to).expect("a link to the same");
        } else if kind.is_dir() {
            copy_tree(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).expect("copied");
        }
    }
}

/// Waits until all that an engine was asked for is on disk, and copies its directory while it runs:
/// that is what a kill leaves, nobody was shown out and nothing was put in order.
pub(crate) async fn cut(engine: &Engine, keys: &KeyStore, dir: &Path) -> TempDir {
    let url = format!("{}/v1/database/haven/written", engine.uri());
    let token = owner_token(keys);
    until("all of it is written", || async {
        (send("GET", &url, Some(&token), None).await.status == 204).then_some(())
    })
    .await;
    let copy = TempDir::new().expect("a temporary directory");
    copy_tree(dir, copy.path());
    copy
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parties_and_ready_checks_survive_a_kill() {
    survives(async |mut here: Deployment| {
        let copy = cut(&here.engine, here.gateway.keys(), here.dir.path()).await;
        here.engine.stop().await.expect("the engine stops");
        let any = "127.0.0.1:0".parse().expect("an address");
        here.engine = start_engine(copy.path(), any).await;
        (here, Some(copy))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parties_and_friends_survive_a_publish() {
    let here = Deployment::start().await;
    let [ann, bob, cid] = ready_check(&here).await;
    ann.0.call("friend_request", json!(["Bob"])).await.expect("asked");
    let before = lasting(&here).await;
    let invitation = here.rows("party_invitation").await.remove(0);
    let ends_at = here.rows("party").await[0]["ready_ends_at_micros"].clone();
    let mut changed = MODULE_WASM.to_vec();
    changed.extend([0, 5, 4, b'n', b'o', b't', b'e']);
    let token = owner_token(here.gateway.keys());
    haven_engine::publish(&here.engine.uri(), "haven", &token, &changed).await.expect("published");
    let mut clients = vec![];
    for (_, token, character_id) in [&ann, &bob, &cid] {
        clients.push(come(&here, token, *character_id).await);
    }
    let after = lasting(&here).await;
    let steady = |rows: &[Value]| -> Vec<Value> {
        let mut rows = rows.to_vec();
        for row in &mut rows {
            // What would be different if it took longer than the check.
            for column in ["ready_state", "ready_ends_at_micros", "answer"] {
                row[column] = json!(0);
            }
        }
        rows
    };
    assert_eq!(steady(&after), steady(&before));
    answers(&here, &clients[1], &ends_at).await;
    joins(&here, &clients[2], &invitation).await;
    for client in clients {
        client.close().await;
    }
    here.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn numbers_that_a_refused_call_drew_are_given_once_though_the_process_is_killed() {
    let mut here = Deployment::start().await;
    let haven = Haven::new(&here.gateway.uri()).expect("a gateway");
    haven.register("bob@example.org", "correct horse").await.expect("registered");
    let bob = &here.rows("account").await[0]["account_id"];
    let command = |session: u64| json!({ "session": session, "sequence": 1 });
    // It is the first to draw a number for a session, and gives it back with all it did.
    let token = owner_token(here.gateway.keys());
    let owner = Client::connect(&here.engine.uri(), "haven", &token).await.expect("the owner");
    let args = json!([bob, "x", "human", "fighter", command(1)]);
    let refused = owner.call("character_create_once", args).await.expect_err("no name");
    assert!(refused.starts_with("character.name_length"), "{refused}");
    owner.close().await;
    // Her creation is a command too.
    let (ann, token, hero) = raw(&here, "Ann").await;
    for session in 2..=3 {
        let args = json!([hero, command(session)]);
        ann.call("character_enter_once", args).await.expect("there already");
    }
    let copy = cut(&here.engine, here.gateway.keys(), here.dir.path()).await;
    ann.close().await;
    here.engine.stop().await.expect("the engine stops");
    here.engine = start_engine(copy.path(), "127.0.0.1:0".parse().expect("an address")).await;
    let ann = come(&here, &token, hero).await;
    for session in 4..=6 {
        let args = json!([hero, command(session)]);
        ann.call("character_enter_once", args).await.expect("there already");
    }
    let sessions = here.rows("command_session").await;
    let mut numbers: Vec<_> =
        sessions.iter().map(|row| row["command_session_id"].as_u64()).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6].map(Some));
    ann.close().await;
    here.stop().await;
}
