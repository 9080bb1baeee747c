//! Stop and start again: what was acknowledged is there, tokens still work, gateways recover.

use crate::support::client::Client;
use crate::support::http::send;
use crate::support::{ISSUER, engine_config, owner_token, rows, until};
use haven_client_sdk::Haven;
use haven_engine::{Engine, MODULE_WASM};
use haven_gateway::keys::KeyStore;
use haven_gateway::{Gateway, GatewayConfig};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

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

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_publish_onto_a_running_realm_is_over_within_seconds() {
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
    let began = std::time::Instant::now();
    haven_engine::publish(&uri, "haven", &token, &changed).await.expect("published");
    let back = async {
        while let Some(event) = events.next_event().await {
            if matches!(event, haven_client_sdk::Event::Reconnected { .. }) {
                return;
            }
        }
        panic!("the client gave up");
    };
    tokio::time::timeout(Duration::from_secs(10), back).await.expect("the client reconnects");
    realm.walk(1, 0).await.expect("the player plays on");
    until("the gateway is ready", || async { (ready(&here.gateway).await == 200).then_some(()) })
        .await;
    session.characters().await.expect("the gateway serves");
    assert!(began.elapsed() < Duration::from_secs(10), "took {:?}", began.elapsed());
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
