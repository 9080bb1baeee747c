//! What the tests stand on: one engine for all of them, a database for each.
//!
//! Keeps true: everything listens on ports the system picks and lives in directories that are
//! removed; the engine stops when the last test that uses it ends, so no process outlives the run.

pub mod chance;
pub mod client;
pub mod content;
pub mod forge;
pub mod http;
pub mod rows;
pub mod snapshot;

use client::Client;
use haven_engine::{
    Engine, EngineConfig, GuardConfig, KeySource, Limits, MODULE_LOGS_BYTES_MAX, MODULE_WASM,
};
use haven_gateway::keys::KeyStore;
use haven_gateway::tokens::{self, Bearer};
use haven_gateway::{Gateway, GatewayConfig};
use haven_rules::sequences::Numbered;
use serde_json::{Value, json};
use std::future::Future;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;
use tempfile::TempDir;
use tokio::runtime::Runtime;

/// The issuer of every token in the tests.
pub const ISSUER: &str = "haven-tests";
/// How long a test waits for a condition before it fails.
pub const PATIENCE: Duration = Duration::from_secs(20);

static SHARED: Mutex<Weak<Stage>> = Mutex::new(Weak::new());
static NEXT_NUMBER: AtomicU32 = AtomicU32::new(1);

/// A running engine in memory, its keys, and the runtime all of it runs on.
pub struct Stage {
    engine: Option<Engine>,
    /// The deployment's signing keys.
    pub keys: Arc<KeyStore>,
    /// Where the engine listens.
    pub uri: String,
    runtime: Option<Runtime>,
    keys_dir: TempDir,
}

impl Stage {
    fn start(limits: Limits) -> Self {
        let keys_dir = TempDir::new().expect("a temporary directory");
        let keys = Arc::new(KeyStore::open_or_create(keys_dir.path()).expect("keys"));
        share_compiled(keys_dir.path());
        let runtime = Runtime::new().expect("a runtime");
        let mut config = engine_config(keys_dir.path(), keys_dir.path(), true);
        config.guard.limits = limits;
        let engine = runtime.block_on(Engine::start(config)).expect("the engine starts");
        let uri = engine.uri();
        Self { engine: Some(engine), keys, uri, runtime: Some(runtime), keys_dir }
    }

    /// The keys as the gateway reads them.
    pub fn keys_dir(&self) -> &Path {
        self.keys_dir.path()
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let (engine, runtime) = (self.engine.take(), self.runtime.take());
        if let (Some(engine), Some(runtime)) = (engine, runtime) {
            let stopped = runtime.block_on(engine.stop());
            runtime.shutdown_timeout(Duration::from_secs(2));
            stopped.expect("the engine stops");
        }
    }
}

/// Lets an engine keep compiled modules where all of the tests keep theirs: below cargo's target
/// directory, by what they were compiled from. Compiling one takes seconds of both cores.
pub fn share_compiled(data_dir: &Path) {
    let shared = Path::new(env!("CARGO_TARGET_TMPDIR")).join("wasmtime");
    let cache = data_dir.join("engine/cache");
    for folder in [&shared, &cache] {
        std::fs::create_dir_all(folder).expect("a folder for compiled modules");
    }
    std::os::unix::fs::symlink(shared, cache.join("wasmtime")).expect("a link to it");
}

/// An engine that trusts the keys of that directory.
pub fn engine_config(data_dir: &Path, keys_dir: &Path, in_memory: bool) -> EngineConfig {
    EngineConfig {
        data_dir: data_dir.to_owned(),
        listen: "127.0.0.1:0".parse().expect("an address"),
        in_memory,
        module_logs_bytes_max: MODULE_LOGS_BYTES_MAX,
        checkpoint_transactions: 0,
        guard: GuardConfig::new(ISSUER, KeySource::File(keys_dir.join("jwks.json"))),
    }
}

/// Runs a test on the shared engine.
pub fn on_stage<F: Future<Output = ()>>(test: impl FnOnce(Arc<Stage>) -> F) {
    let stage = {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        shared.upgrade().unwrap_or_else(|| {
            let stage = Arc::new(Stage::start(Limits::default()));
            *shared = Arc::downgrade(&stage);
            stage
        })
    };
    let runtime = stage.runtime.as_ref().expect("a running stage").handle().clone();
    // A stage cannot stop inside its own runtime: this clone is the last to go.
    runtime.block_on(test(stage.clone()));
    drop(stage);
}

/// Runs a test on an engine of its own, whose keys it may change.
pub fn on_own_stage<F: Future<Output = ()>>(test: impl FnOnce(Arc<Stage>) -> F) {
    on_limited_stage(Limits::default(), test);
}

/// Runs a test on an engine of its own with those limits.
pub fn on_limited_stage<F: Future<Output = ()>>(
    limits: Limits,
    test: impl FnOnce(Arc<Stage>) -> F,
) {
    let stage = Arc::new(Stage::start(limits));
    let runtime = stage.runtime.as_ref().expect("a running stage").handle().clone();
    runtime.block_on(test(stage.clone()));
    drop(stage);
}

/// Runs a test on a database of its own with the default realm and world.
pub fn on_database<F: Future<Output = ()>>(test: impl FnOnce(Database) -> F) {
    on_stage(|stage| async move {
        let database = Database::publish(stage).await;
        database.configure().await;
        test(database).await;
    });
}

/// Waits until a condition holds.
pub async fn until<T, F: Future<Output = Option<T>>>(
    what: &str,
    mut probe: impl FnMut() -> F,
) -> T {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        if let Some(found) = probe().await {
            return found;
        }
        assert!(tokio::time::Instant::now() < deadline, "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A database of a test's own, and its owner.
pub struct Database {
    /// Its name.
    pub name: String,
    /// The engine it is on.
    pub stage: Arc<Stage>,
    /// A connection of its owner.
    pub owner: Client,
}

impl Database {
    /// Publishes the module under a new name. `HAVEN_TEST_MODULE` names another one than that the
    /// engine carries, for whoever changes nothing but the module.
    pub async fn publish(stage: Arc<Stage>) -> Self {
        match std::env::var_os("HAVEN_TEST_MODULE") {
            Some(path) => {
                let module = std::fs::read(path).expect("a module");
                Self::publish_module(stage, &module).await
            }
            None => Self::publish_module(stage, MODULE_WASM).await,
        }
    }

    /// Publishes any module under a new name.
    pub async fn publish_module(stage: Arc<Stage>, module: &[u8]) -> Self {
        let name = format!("test-{}", NEXT_NUMBER.fetch_add(1, Ordering::Relaxed));
        let token = owner_token(&stage.keys);
        haven_engine::publish(&stage.uri, &name, &token, module).await.expect("published");
        let owner = Client::connect(&stage.uri, &name, &token).await.expect("the owner connects");
        Self { name, stage, owner }
    }

    /// Configures the default realm and world.
    pub async fn configure(&self) {
        for (reducer, args) in [
            ("realm_configure", json!([1, "Haven", true, 100])),
            ("world_configure", json!([world()])),
        ] {
            self.owner.call(reducer, args).await.expect(reducer);
        }
    }

    /// Registers an account and answers its id.
    pub async fn register(&self, email: &str) -> u64 {
        let digest = sha256(email);
        let args = json!([email, digest, PHC, sha256(&format!("token of {email}")), 3600]);
        self.owner.call("account_register", args).await.expect("registered");
        let rows = self.rows("account").await;
        let row = rows.iter().find(|row| row["email"] == email).expect("the account's row");
        row["account_id"].as_u64().expect("a number")
    }

    /// Admits an account and connects it.
    pub async fn admit(&self, account_id: u64, role: &str) -> Client {
        self.grant(account_id, role, 900).await.expect("admitted");
        self.connect(account_id, role).await.expect("the player connects")
    }

    /// Admits an account for that long.
    pub async fn grant(&self, account_id: u64, role: &str, seconds: u32) -> Result<(), String> {
        let identity = tokens::account_identity(ISSUER, account_id).to_hex().to_string();
        let role = haven_rules::accounts::Role::from_name(role).expect("a role").code();
        let identity = json!({ "__identity__": format!("0x{identity}") });
        let args = json!([identity, account_id, account_id, role, now_micros(), seconds]);
        self.owner.call("admission_grant", args).await
    }

    /// Connects an account without admitting it.
    pub async fn connect(&self, account_id: u64, role: &str) -> Result<Client, String> {
        let token = player_token(&self.stage.keys, &self.name, account_id, role);
        Client::connect(&self.stage.uri, &self.name, &token).await
    }

    /// A new character of an account.
    pub async fn create(&self, account_id: u64, name: &str) -> u64 {
        let args = json!([account_id, name, "human", "fighter"]);
        self.owner.call("character_create", args).await.expect("created");
        let rows = self.rows("character").await;
        let row = rows.iter().find(|row| row["name"] == name).expect("the character's row");
        row["character_id"].as_u64().expect("a number")
    }

    /// An account in the world: its id, its character and its connection.
    pub async fn enter(&self, email: &str, name: &str) -> (u64, u64, Client) {
        let account_id = self.register(email).await;
        let character_id = self.create(account_id, name).await;
        let client = self.admit(account_id, "player").await;
        client.call("character_enter", json!([character_id])).await.expect("entered");
        (account_id, character_id, client)
    }

    /// Runs a statement as the owner: how a test lets time pass.
    pub async fn run(&self, statement: &str) {
        let bearer = format!("Bearer {}", owner_token(&self.stage.keys));
        let url = format!("{}/v1/database/{}/sql", self.stage.uri, self.name);
        let headers = [("authorization", bearer.as_str())];
        let answer = http::send_raw("POST", &url, &headers, statement.to_owned()).await;
        assert_eq!(answer.status, 200, "{statement}: {}", answer.text);
    }

    /// All rows of a table, as the owner sees them.
    pub async fn rows(&self, table: &str) -> Vec<Value> {
        rows::select(&self.stage.uri, &self.name, &owner_token(&self.stage.keys), table).await
    }

    /// The last number that was given to a row of a kind.
    pub async fn last(&self, numbered: Numbered) -> u64 {
        let code = numbered as u64;
        let all = self.rows("sequence").await;
        let row = all.iter().find(|row| row["code"] == code).expect("a sequence");
        row["last"].as_u64().expect("a number")
    }
}

impl Drop for Database {
    /// Its timers would go on beside all tests that are to come.
    fn drop(&mut self) {
        let Some(runtime) = &self.stage.runtime else { return };
        let bearer = format!("Bearer {}", owner_token(&self.stage.keys));
        let url = format!("{}/v1/database/{}", self.stage.uri, self.name);
        runtime.spawn(async move {
            http::send_raw("DELETE", &url, &[("authorization", &bearer)], "").await;
        });
    }
}

impl Database {
    /// Where an entity is now, by the row the owner sees.
    pub async fn position(&self, entity_id: u64) -> (i32, i32) {
        let rows = self.rows("motion").await;
        let row = rows.iter().find(|row| row["entity_id"] == entity_id).expect("a motion row");
        segment(row).position_at(now_micros())
    }
}

pub use haven_checks::{instant, segment};

/// A password hash of the right form.
pub const PHC: &str = "$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo";

/// The test world: 8×8 blocks around the origin, a wall east of the spawn.
pub fn world() -> Value {
    json!({
        "world": 0, "min_block_x": -4, "min_block_y": -4, "max_block_x": 4, "max_block_y": 4,
        "spawn_x_mm": 32_500, "spawn_y_mm": 32_500,
        "walk_speed_mm_per_s": 2_000, "run_speed_mm_per_s": 6_000,
        "obstacles": [{ "cell_x": 50, "cell_y": 30, "width_cells": 20, "height_cells": 6 }],
    })
}

/// SHA-256 in lower-case hex.
pub fn sha256(text: &str) -> String {
    haven_gateway::stdb::Hex::sha256(text.as_bytes()).as_str().to_owned()
}

/// Now, microseconds since 1970.
pub fn now_micros() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    i64::try_from(since.expect("after 1970").as_micros()).expect("before 294247")
}

/// A token of the databases' owner.
pub fn owner_token(keys: &KeyStore) -> String {
    tokens::owner_token(keys, ISSUER, 600).expect("a token")
}

/// A realm token as the gateway would mint it.
pub fn player_token(keys: &KeyStore, database: &str, account_id: u64, role: &str) -> String {
    let bearer = Bearer { account_id, session_id: account_id, role };
    tokens::realm_token(keys, ISSUER, database, bearer, Duration::from_mins(15)).expect("a token")
}

/// A gateway before that database.
pub async fn gateway(
    stage: &Stage,
    database: &str,
    change: impl FnOnce(&mut GatewayConfig),
) -> Gateway {
    let mut config = GatewayConfig {
        listen: "127.0.0.1:0".parse().expect("an address"),
        home_uri: stage.uri.clone(),
        home_database: database.to_owned(),
        issuer: ISSUER.to_owned(),
        keys_dir: stage.keys_dir().to_owned(),
        heartbeat_seconds: 1,
        ..GatewayConfig::default()
    };
    change(&mut config);
    Gateway::start(config).await.expect("the gateway starts")
}
