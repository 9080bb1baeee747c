//! The engine itself: started, published to, stopped, started again.
//!
//! Keeps true: every test has an engine, an issuer and a directory of its own.
//! Leaves out on purpose: the module's behaviour, of which only the tables are used here.

mod backups;
mod boot;
mod checkpoints;
mod publishes;

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;
use spacetimedb_datastore::traits::Program;
use tempfile::TempDir;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::backup::copy_below;
use crate::guard::tests::Issuer;
use crate::{
    Engine, EngineConfig, EngineError, GuardConfig, KeySource, MODULE_LOGS_BYTES_MAX, MODULE_WASM,
    publish,
};

type Socket = WebSocketStream<MaybeTlsStream<tokio::net::TcpStream>>;

/// Where the compiled module stays from test to test, below cargo's target directory: compiling it
/// takes seconds of both cores.
fn compiled() -> PathBuf {
    let program = std::env::current_exe().expect("a path");
    let target = program.ancestors().nth(3).expect("a target directory");
    let module = Program::from_bytes(MODULE_WASM).hash.to_hex();
    target.join("tmp").join(format!("compiled-{}", module.as_str()))
}

/// Keeps what an engine with that cache has compiled, if it was the first.
fn keep_compiled(cache: &Path) {
    let kept = compiled();
    if !kept.exists() && cache.exists() {
        let folder = kept.parent().expect("a folder");
        std::fs::create_dir_all(folder).expect("a folder");
        let copy = tempfile::tempdir_in(folder).expect("a folder");
        copy_below(cache, copy.path()).expect("copied");
        // Another test may have been faster.
        std::fs::rename(copy.path(), kept).ok();
    }
}

/// An issuer with a data directory, and what its owner does.
struct Host {
    issuer: Issuer,
    data: TempDir,
}

impl Host {
    fn new() -> Self {
        let data = tempfile::tempdir().expect("a temporary directory");
        Self { issuer: Issuer::new(), data }
    }

    /// Where its engine keeps compiled modules.
    fn cache(&self) -> PathBuf {
        self.data.path().join("engine/cache/wasmtime")
    }

    fn config(&self, in_memory: bool) -> EngineConfig {
        if !in_memory && !self.cache().exists() {
            copy_below(&compiled(), &self.cache()).expect("copied");
        }
        let keys = KeySource::File(self.issuer.folder.path().join("jwks.json"));
        EngineConfig {
            data_dir: self.data.path().to_owned(),
            listen: "127.0.0.1:0".parse().expect("an address"),
            in_memory,
            module_logs_bytes_max: MODULE_LOGS_BYTES_MAX,
            checkpoint_transactions: 0,
            guard: GuardConfig::new("haven", keys),
        }
    }

    async fn start(&self, in_memory: bool) -> Engine {
        Engine::start(self.config(in_memory)).await.expect("the engine starts")
    }

    async fn publish(&self, engine: &Engine) -> bool {
        let owner = self.issuer.owner_token();
        let outcome = publish(&engine.uri(), "haven", &owner, MODULE_WASM).await;
        keep_compiled(&self.cache());
        outcome.expect("the module is accepted").created
    }

    async fn sql(&self, engine: &Engine, statement: String) -> String {
        let answer = reqwest::Client::new()
            .post(format!("{}/v1/database/haven/sql", engine.uri()))
            .bearer_auth(self.issuer.owner_token())
            .body(statement.clone())
            .send()
            .await
            .expect("the engine answers");
        let status = answer.status();
        let text = answer.text().await.expect("an answer");
        assert!(status.is_success(), "{statement}: {status} {text}");
        text
    }

    /// Publishes the module with another hash: a custom section, which changes nothing else.
    async fn publish_noted(&self, engine: &Engine, note: &[u8; 4]) {
        let changed = [MODULE_WASM, &[0, 9, 4][..], note, b"\0\0\0\0"].concat();
        let owner = self.issuer.owner_token();
        publish(&engine.uri(), "haven", &owner, &changed).await.expect("accepted");
    }

    /// The commit log of the only database.
    fn log_folder(&self) -> PathBuf {
        self.data.path().join("engine/replicas/1/clog")
    }

    /// Calls a reducer as the owner.
    async fn call(&self, engine: &Engine, reducer: &str, args: serde_json::Value) {
        let answer = reqwest::Client::new()
            .post(format!("{}/v1/database/haven/call/{reducer}", engine.uri()))
            .bearer_auth(self.issuer.owner_token())
            .json(&args)
            .send()
            .await
            .expect("the engine answers");
        let status = answer.status();
        assert!(status.is_success(), "{reducer}: {status} {:?}", answer.text().await);
    }

    /// Commits one row that is recognised by its number.
    async fn insert(&self, engine: &Engine, number: u8) {
        let identity = format!("{number:02x}").repeat(32);
        let row = format!("({number}, 0x{identity})");
        let statement = format!("INSERT INTO realm_owner (singleton_id, identity) VALUES {row}");
        self.sql(engine, statement).await;
    }

    async fn count(&self, engine: &Engine, table: &str) -> u64 {
        let text = self.sql(engine, format!("SELECT COUNT(*) AS n FROM {table}")).await;
        let answer: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        answer[0]["rows"][0][0].as_u64().expect("a number")
    }

    async fn connect(&self, engine: &Engine) -> Socket {
        let uri = format!("ws://{}/v1/database/haven/subscribe", engine.addr());
        let mut request = uri.into_client_request().expect("an address");
        let headers = request.headers_mut();
        let bearer = format!("Bearer {}", self.issuer.owner_token());
        headers.insert("authorization", bearer.parse().expect("a value"));
        let protocol = "v1.json.spacetimedb".parse().expect("a value");
        headers.insert("sec-websocket-protocol", protocol);
        connect_async(request).await.expect("the owner is let in").0
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_there_after_a_stop() {
    let host = Host::new();
    let engine = host.start(false).await;
    assert!(host.publish(&engine).await);
    for number in 1..=50 {
        host.insert(&engine, number).await;
    }
    assert!(engine.durability_backlog() > 0, "the disk is slower than this");
    let listen = engine.addr();
    engine.stop().await.expect("everything is written");

    let again = EngineConfig { listen, ..host.config(false) };
    let engine = Engine::start(again).await.expect("directory and address are free again");
    assert_eq!(host.count(&engine, "realm_owner").await, 51);
    assert!(!host.publish(&engine).await, "the database is known already");
    engine.stop().await.expect("everything is written");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_disconnects_every_client() {
    let host = Host::new();
    let engine = host.start(false).await;
    host.publish(&engine).await;
    let mut sockets = Vec::new();
    for _ in 0..20 {
        sockets.push(host.connect(&engine).await);
    }
    // A handshake is answered before the engine has run `client_connected`.
    while engine.connected_clients().await < 20 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(engine.close_connections().await, "all connections are closed");
    assert_eq!(engine.connected_clients().await, 0, "and have left their rows");
    engine.stop().await.expect("everything is written");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_realm_is_read_only_while_its_disk_has_no_room() {
    let host = Host::new();
    let engine = host.start(false).await;
    host.publish(&engine).await;
    assert_eq!(host.count(&engine, "realm_notice").await, 0);
    engine.stop().await.expect("everything is written");

    let mut config = host.config(false);
    config.guard.limits.disk_free_newcomers_mib = u32::MAX;
    config.guard.limits.disk_free_mib_min = u32::MAX;
    let engine = Engine::start(config).await.expect("the engine starts");
    // The owner's tools go on, or nobody could make room.
    while host.count(&engine, "realm_notice").await == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let answer = reqwest::Client::new()
        .get(format!("{}/v1/database/haven/subscribe", engine.uri()))
        .bearer_auth(host.issuer.token(&json!({})))
        .send()
        .await
        .expect("the guard answers");
    assert_eq!(answer.status(), 503);
    assert!(answer.text().await.expect("a body").contains("guard.disk_low"));
    assert!(engine.metrics().text().contains("haven_engine_disk_room 2\n"));
    engine.stop().await.expect("everything is written");

    let engine = host.start(false).await;
    while host.count(&engine, "realm_notice").await > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    engine.stop().await.expect("everything is written");
}

#[tokio::test(flavor = "multi_thread")]
async fn players_wait_until_they_are_let_in_and_tools_do_not() {
    let host = Host::new();
    let mut config = host.config(true);
    config.guard.players_wait = true;
    let engine = Engine::start(config).await.expect("the engine starts");
    host.publish(&engine).await;
    assert_eq!(host.count(&engine, "realm_notice").await, 0);
    let comes = async || {
        let answer = reqwest::Client::new()
            .get(format!("{}/v1/database/haven/subscribe", engine.uri()))
            .bearer_auth(host.issuer.token(&json!({})))
            .send()
            .await
            .expect("the guard answers");
        let status = answer.status().as_u16();
        (status, answer.text().await.expect("a body").contains("guard.starting"))
    };
    assert_eq!(comes().await, (503, true));
    engine.let_players_in();
    // It asks for no socket, which is all that is wrong with it now.
    let (status, is_starting) = comes().await;
    assert!((400..500).contains(&status) && !is_starting, "{status}");
    engine.stop().await.expect("everything is written");
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_leaves_nothing_behind() {
    let host = Host::new();
    let engine = host.start(true).await;
    host.publish(&engine).await;
    host.insert(&engine, 1).await;
    assert_eq!(engine.durability_backlog(), 0);
    let folder = engine.folder().to_owned();
    assert!(folder.exists());
    engine.stop().await.expect("nothing to write");
    assert!(!folder.exists(), "the temporary folder is gone");
    assert!(std::fs::read_dir(host.data.path()).expect("readable").next().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_port_that_is_taken_is_one_clear_line() {
    let host = Host::new();
    let engine = host.start(true).await;
    let listen = engine.addr();
    let error = Engine::start(EngineConfig { listen, ..host.config(true) }).await.err();
    assert!(matches!(error, Some(EngineError::PortTaken(addr)) if addr == listen));
    let line = EngineError::PortTaken(listen).to_string();
    assert!(line.contains(&listen.to_string()) && !line.contains('\n'), "{line}");
    engine.stop().await.expect("nothing to write");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_data_directory_in_use_is_one_clear_line_and_free_after_a_stop() {
    let host = Host::new();
    let engine = host.start(false).await;
    let error = Engine::start(host.config(false)).await.expect_err("it is in use");
    assert!(matches!(error, EngineError::DataDirInUse { .. }), "{error}");
    let pid = std::process::id().to_string();
    assert!(error.to_string().contains(&pid) && !error.to_string().contains('\n'), "{error}");
    engine.stop().await.expect("nothing to write");
    host.start(false).await.stop().await.expect("nothing to write");
}

#[tokio::test(flavor = "multi_thread")]
async fn data_of_another_release_is_left_alone() {
    let host = Host::new();
    host.start(false).await.stop().await.expect("nothing to write");
    let file = host.data.path().join("engine/metadata.toml");
    std::fs::write(&file, "version = \"1.99.0\"\nedition = \"haven\"\n").expect("writable");
    let error = Engine::start(host.config(false)).await.expect_err("it is too new");
    assert!(matches!(error, EngineError::DataDirUnusable { .. }), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_refused_calls_log_stays_below_its_bound() {
    const BYTES_MAX: u64 = 4_000;
    let host = Host::new();
    let config = EngineConfig { module_logs_bytes_max: BYTES_MAX, ..host.config(false) };
    let engine = Engine::start(config).await.expect("the engine starts");
    host.publish(&engine).await;
    let folder = host.data.path().join("engine/replicas/1/module_logs");
    let size = || -> u64 {
        let files = std::fs::read_dir(&folder).expect("a folder").filter_map(Result::ok);
        files.map(|file| file.metadata().expect("there").len()).sum()
    };
    let url = format!("{}/v1/database/haven/call/realm_close", engine.uri());
    let refuse = async || {
        let call = reqwest::Client::new().post(&url).bearer_auth(host.issuer.owner_token());
        let answer = call.json(&json!([9])).send().await.expect("the engine answers");
        assert!(!answer.status().is_success());
    };
    while size() <= 2 * BYTES_MAX {
        refuse().await;
    }
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    while size() > BYTES_MAX {
        assert!(tokio::time::Instant::now() < deadline, "{} bytes", size());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let short = size();
    refuse().await;
    assert!(size() > short, "the engine writes on into the same file");
    engine.stop().await.expect("everything is written");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_module_that_is_none_is_refused_with_a_reason() {
    let host = Host::new();
    let engine = host.start(true).await;
    let owner = host.issuer.owner_token();
    let error = publish(&engine.uri(), "haven", &owner, b"not wasm").await.err();
    assert!(matches!(error, Some(EngineError::PublishRefused { status: 500, .. })), "{error:?}");
    let player = host.issuer.token(&json!({}));
    // A short body: the guard answers before it reads one, and a long one would not be sent whole.
    let error = publish(&engine.uri(), "haven", &player, b"not wasm").await.err();
    assert!(matches!(error, Some(EngineError::PublishRefused { status: 403, .. })), "{error:?}");
    assert!(host.publish(&engine).await, "neither left a database behind");
    engine.stop().await.expect("nothing to write");
    let error = publish("http://127.0.0.1:1", "haven", &owner, MODULE_WASM).await.err();
    assert!(matches!(error, Some(EngineError::Unreachable { .. })), "{error:?}");
}

impl Host {
    /// Asks whether everything is on disk; answers the status.
    async fn written(&self, engine: &Engine) -> u16 {
        let answer = reqwest::Client::new()
            .get(format!("{}/v1/database/haven/written", engine.uri()))
            .bearer_auth(self.issuer.owner_token())
            .send()
            .await
            .expect("the engine answers");
        answer.status().as_u16()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_barrier_was_asked_about_is_in_the_files_when_it_opens() {
    let host = Host::new();
    let engine = host.start(false).await;
    host.publish(&engine).await;
    for number in 1..=3 {
        host.insert(&engine, number).await;
        assert!(engine.durability_backlog() > 0, "the disk is slower than this");
        // One task looks at the log for all of them.
        let answers = futures::future::join_all((0..50).map(|_| host.written(&engine))).await;
        assert!(answers.iter().all(|status| *status == 204), "{answers:?}");
        // As a machine would find them that has lost its power now.
        let copy = Host::new();
        copy_files(host.data.path(), copy.data.path());
        let found = copy.start(false).await;
        assert_eq!(copy.count(&found, "realm_owner").await, 1 + u64::from(number));
        found.stop().await.expect("nothing to write");
    }
    engine.stop().await.expect("everything is written");
}

/// Copies a folder that is being written to, without the lock on it.
fn copy_files(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("readable") {
        let path = entry.expect("an entry").path();
        let copied = to.join(path.file_name().expect("a name"));
        if path.is_dir() {
            copy_files(&path, &copied);
        } else if path.extension().is_none_or(|extension| extension != "pid") {
            std::fs::copy(&path, &copied).expect("copied");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_barrier_is_always_open_in_memory() {
    let host = Host::new();
    let engine = host.start(true).await;
    host.publish(&engine).await;
    host.insert(&engine, 1).await;
    let began = std::time::Instant::now();
    assert_eq!(host.written(&engine).await, 204);
    assert!(began.elapsed() < Duration::from_millis(250), "nothing is waited for");
    engine.stop().await.expect("nothing to write");
}
