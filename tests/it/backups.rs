//! Backups of a realm in use, restored and compared row by row.
//!
//! Each test has an engine on disk of its own. Compared are all tables but those that the module's
//! own clock writes whether anybody plays or not.

use crate::support::client::Client;
use crate::support::{
    ISSUER, PHC, engine_config, now_micros, owner_token, rows, sha256, share_compiled, until,
};
use haven_engine::backup::{CreateOptions, Created, RestoreOptions, create, restore};
use haven_engine::{Engine, MODULE_WASM};
use haven_gateway::keys::KeyStore;
use haven_gateway::tokens;
use haven_rules::accounts::Role;
use serde_json::{Value, json};
use spacetimedb_lib::Timestamp;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use tempfile::TempDir;

/// How many write at once, and how many numbers each has to itself.
const WRITERS: u16 = 3;
const NUMBERS: u16 = 10_000;

/// An engine on disk with a configured realm.
struct Realm {
    dir: TempDir,
    keys: KeyStore,
    engine: Engine,
}

impl Realm {
    async fn start() -> Self {
        let dir = TempDir::new().expect("a temporary directory");
        let keys = KeyStore::open_or_create(dir.path().join("keys")).expect("keys");
        let config = engine_config(dir.path(), &dir.path().join("keys"), false);
        let engine = Engine::start(config).await.expect("the engine starts");
        let token = owner_token(&keys);
        let published = haven_engine::publish(&engine.uri(), "haven", &token, MODULE_WASM).await;
        published.expect("published");
        let realm = Self { dir, keys, engine };
        let owner = realm.owner().await;
        for (reducer, args) in [
            ("realm_configure", json!([1, "Haven", true, 100])),
            ("world_configure", json!([crate::support::world()])),
        ] {
            owner.call(reducer, args).await.expect(reducer);
        }
        owner.close().await;
        realm
    }

    async fn owner(&self) -> Client {
        let token = owner_token(&self.keys);
        Client::connect(&self.engine.uri(), "haven", &token).await.expect("the owner connects")
    }

    fn backups(&self) -> PathBuf {
        self.dir.path().join("backups")
    }

    async fn back_up(&self) -> Created {
        let options = CreateOptions {
            data_dir: self.dir.path().to_owned(),
            keys_dir: self.dir.path().join("keys"),
            backups: self.backups(),
            verify: true,
            keep: None,
        };
        create(options).await.expect("backed up")
    }

    /// Waits until all that was acknowledged is on disk.
    async fn written(&self) {
        until("everything is on disk", || async {
            (self.engine.durability_backlog() == 0).then_some(())
        })
        .await;
    }

    /// An engine on what the newest generation held at that moment.
    async fn restored(&self, moment: Option<Timestamp>) -> Restored {
        let dir = TempDir::new().expect("a temporary directory");
        let options = RestoreOptions {
            backups: self.backups(),
            generation: None,
            until: moment,
            data_dir: dir.path().to_owned(),
        };
        restore(options).await.expect("restored");
        share_compiled(dir.path());
        let config = engine_config(dir.path(), &dir.path().join("keys"), false);
        let engine = Engine::start(config).await.expect("an engine starts from what was restored");
        Restored { _dir: dir, engine }
    }
}

/// A restored engine with its directory.
struct Restored {
    _dir: TempDir,
    engine: Engine,
}

async fn realm_upsert(owner: &Client, number: u16) {
    let (name, database) = (format!("Realm {number}"), format!("realm-{number}"));
    let args = json!([number, name, "http://127.0.0.1:3000", database, 10]);
    owner.call("realm_upsert", args).await.expect("listed");
}

/// All rows of all tables that do not change by themselves, sorted.
async fn everything(engine: &Engine, keys: &KeyStore) -> BTreeMap<String, Vec<String>> {
    let (uri, token) = (engine.uri(), owner_token(keys));
    let tables = rows::sql(&uri, "haven", &token, "SELECT table_name FROM st_table").await;
    let names = tables.iter().filter_map(|row| row["table_name"].as_str());
    let mut found = BTreeMap::new();
    for name in names {
        let by_clock = name.ends_with("_timer") || name == "tick_health";
        if by_clock || name.starts_with("st_") {
            continue;
        }
        let table = rows::select(&uri, "haven", &token, name).await;
        let mut lines: Vec<String> = table.iter().map(Value::to_string).collect();
        lines.sort();
        found.insert(name.to_owned(), lines);
    }
    found
}

fn numbers(found: &[Value]) -> Vec<u16> {
    let number = |row: &Value| u16::try_from(row["realm_id"].as_u64().expect("a number"));
    let mut numbers: Vec<u16> = found.iter().map(|row| number(row).expect("it fits")).collect();
    numbers.sort_unstable();
    numbers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_under_load_holds_a_beginning_of_what_each_wrote() {
    let realm = Arc::new(Realm::start().await);
    let ended = Arc::new(AtomicBool::new(false));
    let done: Arc<Vec<AtomicU16>> = Arc::new((0..WRITERS).map(|_| AtomicU16::new(0)).collect());
    let mut writers = Vec::new();
    for writer in 0..WRITERS {
        let (realm, ended, done) = (realm.clone(), ended.clone(), done.clone());
        writers.push(tokio::spawn(async move {
            let owner = realm.owner().await;
            for number in 1..NUMBERS {
                if ended.load(Ordering::Relaxed) {
                    break;
                }
                realm_upsert(&owner, writer * NUMBERS + number).await;
                done[usize::from(writer)].store(number, Ordering::Relaxed);
            }
            owner.close().await;
        }));
    }
    let count = || -> Vec<u16> { done.iter().map(|done| done.load(Ordering::Relaxed)).collect() };
    let reached = |least: Vec<u16>| {
        let now = count();
        async move { now.iter().zip(&least).all(|(now, least)| now >= least).then_some(()) }
    };
    until("all write", || reached(vec![50; 3])).await;
    let before = count();
    let later: Vec<u16> = before.iter().map(|count| count + 50).collect();
    until("they went on", || reached(later.clone())).await;
    let created = realm.back_up().await;
    let after = count();
    ended.store(true, Ordering::Relaxed);
    for writer in writers {
        writer.await.expect("a writer ends");
    }
    let restored = realm.restored(None).await;
    let token = owner_token(&realm.keys);
    let found = rows::select(&restored.engine.uri(), "haven", &token, "realm").await;
    let found = numbers(&found);
    for writer in 0..WRITERS {
        let range = writer * NUMBERS..(writer + 1) * NUMBERS;
        let own: Vec<u16> = found.iter().copied().filter(|number| range.contains(number)).collect();
        let held = u16::try_from(own.len()).expect("it fits");
        let expected: Vec<u16> = (1..=held).map(|number| range.start + number).collect();
        assert_eq!(own, expected, "writer {writer}: a beginning, without a hole");
        let index = usize::from(writer);
        assert!((before[index]..=after[index] + 1).contains(&held), "{before:?} {held} {after:?}");
    }
    let counts = created.manifest.databases[0].counts.as_ref().expect("counted");
    assert_eq!(counts.get("realm"), Some(&(found.len() as u64)));
    restored.engine.stop().await.expect("the restored engine stops");
    let realm = Arc::into_inner(realm).expect("nobody else has it");
    realm.engine.stop().await.expect("the engine stops");
}

/// Plays a little: an account, a character, an admission, steps in the world.
async fn play(realm: &Realm) {
    let owner = realm.owner().await;
    let token = sha256("token");
    let args = json!(["ann@example.org", sha256("ann"), PHC, token, 3600]);
    owner.call("account_register", args).await.expect("registered");
    let (uri, token) = (realm.engine.uri(), owner_token(&realm.keys));
    let account = &rows::select(&uri, "haven", &token, "account").await[0]["account_id"];
    let account_id = account.as_u64().expect("a number");
    let args = json!([account_id, "Aldric", "human", "fighter"]);
    owner.call("character_create", args).await.expect("created");
    let identity = tokens::account_identity(ISSUER, account_id).to_hex().to_string();
    let identity = json!({ "__identity__": format!("0x{identity}") });
    let role = Role::from_name("player").expect("a role").code();
    let args = json!([identity, account_id, account_id, role, now_micros(), 900]);
    owner.call("admission_grant", args).await.expect("admitted");
    let token = crate::support::player_token(&realm.keys, "haven", account_id, "player");
    let player = Client::connect(&uri, "haven", &token).await.expect("the player connects");
    let table = rows::select(&uri, "haven", &owner_token(&realm.keys), "character").await;
    player.call("character_enter", json!([table[0]["character_id"]])).await.expect("entered");
    player.close().await;
    owner.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_row_of_every_table_is_restored() {
    let realm = Realm::start().await;
    play(&realm).await;
    // Timers still change rows of who has left: its last inputs, and how many are in a region. The
    // first sweep of chat leaves the row in which it says how far it is.
    let expected = until("the player has left, and nothing of it is counted any more", || async {
        let left = everything(&realm.engine, &realm.keys).await;
        let passing = ["realm_connection", "block_input", "region_count"];
        let is_over = passing.iter().all(|table| left[*table].is_empty());
        (is_over && !left["chat_swept"].is_empty()).then_some(left)
    })
    .await;
    realm.written().await;
    realm.back_up().await;
    let restored = realm.restored(None).await;
    let found = everything(&restored.engine, &realm.keys).await;
    assert_eq!(found.len(), expected.len());
    for (table, rows) in &expected {
        assert_eq!(found.get(table), Some(rows), "{table}");
    }
    assert!(expected.values().filter(|rows| !rows.is_empty()).count() >= 8, "some have rows");
    restored.engine.stop().await.expect("the restored engine stops");
    realm.engine.stop().await.expect("the engine stops");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_until_a_moment_is_the_state_of_that_moment() {
    let realm = Realm::start().await;
    let owner = realm.owner().await;
    let mut moments = Vec::new();
    for number in 1..=4 {
        realm_upsert(&owner, number).await;
        let args = json!([number, number * 10]);
        owner.call("realm_heartbeat", args).await.expect("counted");
        let seen = listed(&realm.engine, &realm.keys).await;
        moments.push((Timestamp::now(), seen));
    }
    owner.close().await;
    realm.written().await;
    realm.back_up().await;
    for (moment, expected) in moments {
        let restored = realm.restored(Some(moment)).await;
        assert_eq!(listed(&restored.engine, &realm.keys).await, expected, "{moment}");
        restored.engine.stop().await.expect("the restored engine stops");
    }
    realm.engine.stop().await.expect("the engine stops");
}

/// The realm list and what was noted about it.
async fn listed(engine: &Engine, keys: &KeyStore) -> (Vec<String>, Vec<String>) {
    let all = everything(engine, keys).await;
    (all["realm"].clone(), all["audit_entry"].clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_leaves_the_data_directory_as_it_is() {
    let realm = Realm::start().await;
    realm.written().await;
    realm.engine.stop().await.expect("the engine stops");
    let before = sizes(&realm.dir.path().join("engine"));
    let options = CreateOptions {
        data_dir: realm.dir.path().to_owned(),
        keys_dir: realm.dir.path().join("keys"),
        backups: realm.dir.path().join("backups"),
        verify: true,
        keep: Some(1),
    };
    create(options).await.expect("backed up");
    assert_eq!(sizes(&realm.dir.path().join("engine")), before);
}

fn sizes(folder: &Path) -> Vec<(PathBuf, u64)> {
    let files = crate::tidy::files_below(folder).into_iter();
    files.map(|path| (path.clone(), path.metadata().expect("there").len())).collect()
}
