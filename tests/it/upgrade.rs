//! The release before, and this module published over it: data, timers and players come through.
//!
//! The release before is 0.1.0, `tests/fixtures/module-0.1.0.wasm`; the README beside it says how
//! it was built. Keeps true: the database is made and filled by that module and by calls that it
//! knew; what is compared are rows as the owner reads them before and after.
//! Leaves out on purpose: moving rows to tables of another shape, which no release does yet.

use crate::support::client::Client;
use crate::support::{
    Database, Stage, gateway, instant, on_database, on_stage, owner_token, player_token, sha256,
    until,
};
use haven_client_sdk::{Event, Events, Haven};
use haven_engine::{BENCH_MODULE_WASM, EngineError, MODULE_WASM};
use haven_rules::world::chunk_parts;
use haven_rules::world::terrain::{OPEN_SEED, SHIPPED};
use serde_json::{Value, json};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// The release that the fixture is.
const PREVIOUS: &str = "0.1.0";
/// How long a client may be away, from the moment the publish begins. A publish that takes longer
/// than usual, on a busy machine, makes clients wait longer between their attempts.
const AWAY: Duration = Duration::from_secs(3);
const AWAY_PER_PUBLISH: u32 = 4;
/// How many ticks are looked at.
const TICKS_COUNTED: usize = 30;
/// The middle of their gaps is 50 ms; half of it would be two timers, and twice none that keeps up.
const FASTEST_TICK_MICROS: i64 = 35_000;
const SLOWEST_TICK_MICROS: i64 = 100_000;
/// How often a tick that seems too slow is looked at: other tests may have kept the machine busy.
const LOOKS_AT_THE_TICK: usize = 5;

/// Tables that are empty most of the time.
const MOSTLY_EMPTY: [&str; 2] = ["block_input", "survey_request"];
/// Tables whose rows timers change, or that players leave rows in only while they are connected.
const LIVELY: [&str; 16] = [
    "block_input",
    "block_state",
    "character_position",
    "character_presence",
    "entity",
    "instance",
    "motion",
    "motion_course",
    "motion_due",
    "motion_path",
    "realm_connection",
    "realm_population",
    "region",
    "region_count",
    "survey_request",
    "tick_health",
];
/// Timers that are made when something has to be done at an instant.
const WHEN_NEEDED: [&str; 6] = [
    "camp_fill_timer",
    "combat_tick_timer",
    "content_activation_timer",
    "dice_day_timer",
    "trade_timer",
    "world_survey_timer",
];
/// Tables that a timer only adds to.
const GROWING: [&str; 2] = ["landmark", "terrain_block"];

fn previous_module() -> Vec<u8> {
    let file = format!("tests/fixtures/module-{PREVIOUS}.wasm");
    std::fs::read(crate::tidy::root().join(file)).expect("the fixture")
}

/// This module; where nothing has changed since, with a note that makes it another one.
fn current_module() -> Vec<u8> {
    let mut module = MODULE_WASM.to_vec();
    if module == previous_module() {
        module.extend([0, 5, 4, b'n', b'o', b't', b'e']);
    }
    module
}

/// Publishes this module over a database, as `haven publish` does.
async fn upgrade(database: &mut Database) {
    let (uri, name) = (&database.stage.uri, &database.name);
    let token = owner_token(&database.stage.keys);
    let outcome = haven_engine::publish(uri, name, &token, &current_module()).await;
    assert!(!outcome.expect("published").created, "the database is the same");
    database.owner = Client::connect(uri, name, &token).await.expect("the owner is back");
    database.owner.call("realm_upgrade", json!([])).await.expect("upgraded");
}

/// The tables of a database: those of timers, and the others.
async fn tables(database: &Database) -> (Vec<String>, Vec<String>) {
    let tables = database.rows("st_table").await.into_iter();
    let tables = tables.filter(|row| row["table_type"] == "user");
    let names = tables.map(|row| row["table_name"].as_str().expect("a name").to_owned());
    names.partition(|name| name.ends_with("_timer"))
}

/// How many rows each timer has.
async fn timers(database: &Database) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for timer in tables(database).await.0 {
        let count = database.rows(&timer).await.len();
        counts.insert(timer, count);
    }
    counts
}

/// The same, less those that come and go.
async fn steady_timers(database: &Database) -> BTreeMap<String, usize> {
    let mut counts = timers(database).await;
    counts.retain(|timer, _| !WHEN_NEEDED.contains(&timer.as_str()));
    counts
}

/// The rows of each table, as text.
async fn contents(database: &Database) -> BTreeMap<String, BTreeSet<String>> {
    let mut all = BTreeMap::new();
    for table in tables(database).await.1 {
        let rows = database.rows(&table).await;
        all.insert(table, rows.iter().map(Value::to_string).collect());
    }
    all
}

/// The rows of those who sleep where nobody is.
async fn sleepers(database: &Database) -> BTreeSet<String> {
    let ids: BTreeSet<String> =
        database.rows("wanderer").await.iter().map(|row| row["entity_id"].to_string()).collect();
    let mut found = BTreeSet::new();
    for table in ["entity", "motion", "motion_course"] {
        let rows = database.rows(table).await.into_iter();
        let rows = rows.filter(|row| ids.contains(&row["entity_id"].to_string()));
        found.extend(rows.map(|row| format!("{table} {row}")));
    }
    found
}

/// A player of the release before.
struct Player {
    account_id: u64,
    character_id: u64,
    client: Client,
}

impl Player {
    async fn enter(database: &Database, name: &str) -> Self {
        let email = format!("{name}@example.org").to_lowercase();
        let (account_id, character_id, client) = database.enter(&email, name).await;
        Self { account_id, character_id, client }
    }

    async fn call(&self, reducer: &str, args: Value) {
        self.client.call(reducer, args).await.expect(reducer);
    }

    /// World and place of the character.
    async fn place(&self, database: &Database) -> (u32, Value, Value) {
        let rows = database.rows("motion").await;
        let row = rows.iter().find(|row| row["entity_id"] == self.character_id);
        let row = row.expect("a motion row");
        let chunk = row["chunk_index"].as_u64().expect("a number");
        (chunk_parts(chunk).0, row["pos_x_mm"].clone(), row["pos_y_mm"].clone())
    }

    /// Connects again, with the admission there is, and enters.
    async fn come_back(&mut self, database: &Database) {
        let (stage, name) = (&database.stage, &database.name);
        let token = player_token(&stage.keys, name, self.account_id, "player");
        self.client = Client::connect(&stage.uri, name, &token).await.expect("still admitted");
        self.call("character_enter", json!([self.character_id])).await;
    }
}

/// Everybody who is connected when the module is published.
struct Cast {
    /// Stands in the open world, slowed.
    ann: Player,
    /// Stands in an instance.
    bob: Player,
    /// Is on a long way round a wall, very slowly.
    cid: Player,
}

/// A database of the release before with rows in all its tables.
async fn previous_release(stage: Arc<Stage>) -> (Database, Cast) {
    let database = Database::publish_module(stage, &previous_module()).await;
    database.configure().await;
    let owner = &database.owner;
    let vale = json!({
        "name": "vale",
        "shape": {
            "min_block_x": -16, "min_block_y": -16, "max_block_x": 16, "max_block_y": 16,
            "spawn_x_mm": 32_500, "spawn_y_mm": 32_500,
            "walk_speed_mm_per_s": 1_000, "run_speed_mm_per_s": 3_000,
        },
        "seed": OPEN_SEED, "recipe": SHIPPED[0].1, "capacity": 5,
        "lifetime_seconds": 3_600, "empty_seconds": 3_000,
    });
    for (reducer, args) in [
        ("realm_upsert", json!([1, "Haven", database.stage.uri, database.name, 100])),
        ("world_vigil_set", json!([0, false])),
        ("instance_define", json!([vale])),
        // Far from everybody: they sleep.
        ("wanderer_spawn", json!([0, -4, -4, 1, 20, 7])),
    ] {
        owner.call(reducer, args).await.expect(reducer);
    }
    let ann = Player::enter(&database, "Ann").await;
    let bob = Player::enter(&database, "Bob").await;
    let cid = Player::enter(&database, "Cid").await;
    let cast = Cast { ann, bob, cid };
    act(&database, &cast).await;
    log_in_and_out(&database, cast.ann.account_id).await;
    leave_behind(&database).await;
    (database, cast)
}

/// What players leave rows with while they play.
async fn act(database: &Database, cast: &Cast) {
    let owner = &database.owner;
    cast.bob.call("instance_open", json!(["vale"])).await;
    cast.bob.call("instance_invite", json!([1, cast.ann.character_id])).await;
    cast.bob.call("instance_enter", json!([1])).await;
    for (entity_id, percent) in [(cast.ann.character_id, 30), (cast.cid.character_id, 90)] {
        let slow = json!([entity_id, 2, percent, 0]);
        owner.call("motion_effect_apply", slow).await.expect("slowed");
    }
    cast.ann.call("course_to", json!([30_500, 31_500])).await;
    // Behind the wall.
    cast.cid.call("course_to", json!([75_500, 33_500])).await;
    until("ann has arrived", || async {
        let rows = database.rows("motion").await;
        let row = rows.iter().find(|row| row["entity_id"] == cast.ann.character_id)?;
        (row["end_kind"] == 0).then_some(())
    })
    .await;
    until("nobody else is awake", || async {
        let rows = database.rows("motion_due").await;
        rows.iter().all(|row| row["entity_id"] == cast.cid.character_id).then_some(())
    })
    .await;
}

/// Sessions: one more, exchanged once; and a refused login, a role and a ban.
async fn log_in_and_out(database: &Database, account_id: u64) {
    let other = database.register("dan@example.org").await;
    let (first, second) = (sha256("first"), sha256("second"));
    for (reducer, args) in [
        ("session_open", json!([account_id, 1, first, 3_600])),
        ("session_refresh", json!([first, second, 3_600])),
        ("account_login_refused", json!([account_id])),
        ("account_role_set", json!([other, 3])),
        ("account_status_set", json!([other, 2])),
    ] {
        database.owner.call(reducer, args).await.expect(reducer);
    }
}

/// A player who has left, and one character that was deleted.
async fn leave_behind(database: &Database) {
    let eve = Player::enter(database, "Eve").await;
    eve.call("character_respawn", json!([])).await;
    eve.client.close().await;
    let second = database.create(eve.account_id, "Fay").await;
    let deleted = json!([eve.account_id, second]);
    database.owner.call("character_delete", deleted).await.expect("deleted");
    until("eve is out of the world", || async {
        (database.rows("character_presence").await.len() == 3).then_some(())
    })
    .await;
}

/// The instants of the movement ticks that a watcher has seen.
fn ticks_seen(watcher: &Client) -> Vec<i64> {
    let messages = watcher.messages();
    let updates = messages.iter().filter_map(|message| message.get("TransactionUpdate"));
    let ticks = updates.filter(|update| update["reducer_call"]["reducer_name"] == "motion_tick");
    ticks.map(|update| instant(update, "timestamp")).collect()
}

/// How long the movement tick takes from one course that waits for it to the next, microseconds,
/// in the middle of many: a player never stops steering.
async fn tick_micros(database: &Database, player: &Client) -> i64 {
    let (stage, name) = (&database.stage, &database.name);
    let watcher = Client::connect(&stage.uri, name, &owner_token(&stage.keys)).await;
    let watcher = watcher.expect("the owner watches");
    watcher.subscribe(&["SELECT * FROM motion"]).await;
    let turns = Cell::new(0_i16);
    while ticks_seen(&watcher).len() <= TICKS_COUNTED {
        let seen = ticks_seen(&watcher).len();
        until("the tick takes up a course", || async {
            turns.set(-turns.get() | 1);
            player.call("course_set", json!([turns.get(), 0, false])).await.expect("steered");
            (ticks_seen(&watcher).len() > seen).then_some(())
        })
        .await;
    }
    player.call("course_set", json!([0, 0, false])).await.expect("stopped");
    let at = ticks_seen(&watcher);
    watcher.close().await;
    let mut gaps: Vec<i64> = at.windows(2).map(|pair| pair[1] - pair[0]).collect();
    gaps.sort_unstable();
    gaps[gaps.len() / 2]
}

/// The tick goes on as before: never faster, and slower only while the machine is busy.
async fn assert_steady(before: i64, database: &Database, player: &Client) {
    let slowest = (2 * before).max(SLOWEST_TICK_MICROS);
    let mut after = tick_micros(database, player).await;
    for _ in 1..LOOKS_AT_THE_TICK {
        if after < slowest {
            break;
        }
        after = tick_micros(database, player).await;
    }
    assert!((FASTEST_TICK_MICROS..slowest).contains(&after), "from {before} to {after}");
}

#[test]
fn rows_timers_and_players_come_through_an_upgrade_from_0_1_0() {
    on_stage(|stage| async move {
        let (mut database, mut cast) = previous_release(stage).await;
        let tick = tick_micros(&database, &cast.ann.client).await;
        until("ann stands", || async {
            let rows = database.rows("motion_due").await;
            rows.iter().all(|row| row["entity_id"] == cast.cid.character_id).then_some(())
        })
        .await;
        let before = contents(&database).await;
        for (table, rows) in &before {
            let is_filled = !rows.is_empty() || MOSTLY_EMPTY.contains(&table.as_str());
            assert!(is_filled, "the release before left {table} empty");
        }
        let asleep = sleepers(&database).await;
        let places = (cast.ann.place(&database).await, cast.bob.place(&database).await);
        let running = timers(&database).await;

        upgrade(&mut database).await;
        for player in [&cast.ann, &cast.bob, &cast.cid] {
            player.client.wait_closed().await;
        }
        let after = contents(&database).await;
        for (table, rows) in &before {
            let now = after.get(table).unwrap_or_else(|| panic!("{table} is gone"));
            if GROWING.contains(&table.as_str()) {
                assert!(now.is_superset(rows), "{table} has lost rows");
            } else if !LIVELY.contains(&table.as_str()) {
                assert_eq!(now, rows, "{table}");
            }
        }
        assert_eq!(sleepers(&database).await, asleep);

        // Once more changes nothing.
        database.owner.call("realm_upgrade", json!([])).await.expect("upgraded again");
        until("each timer is there once", || async {
            let now = timers(&database).await;
            let once = |(timer, count): (&String, &usize)| {
                *count == 1 || (WHEN_NEEDED.contains(&timer.as_str()) && *count == 0)
            };
            let are_there = running.keys().all(|timer| now.contains_key(timer));
            (are_there && now.iter().all(once)).then_some(())
        })
        .await;

        cast.ann.come_back(&database).await;
        cast.bob.come_back(&database).await;
        cast.cid.come_back(&database).await;
        assert_eq!((cast.ann.place(&database).await, cast.bob.place(&database).await), places);
        assert_steady(tick, &database, &cast.ann.client).await;
        let entered = database.rows("realm_population").await;
        assert_eq!(entered[0]["online"], 3);
    });
}

#[test]
fn the_same_module_again_sends_nobody_away() {
    on_database(|database| async move {
        let (_, character_id, player) = database.enter("ann@example.org", "Ann").await;
        let (uri, token) = (&database.stage.uri, owner_token(&database.stage.keys));
        let again = haven_engine::publish(uri, &database.name, &token, MODULE_WASM).await;
        again.expect("published");
        player.call("course_set", json!([1, 0, false])).await.expect("she walks on");
        let rows = database.rows("motion").await;
        assert!(rows.iter().any(|row| row["entity_id"] == character_id));
    });
}

async fn reconnected(events: &mut Events) {
    while let Some(event) = events.next_event().await {
        if matches!(event, Event::Reconnected { .. }) {
            return;
        }
    }
    panic!("the client gave up");
}

#[test]
fn a_connected_client_is_back_within_3_s_of_an_upgrade_from_0_1_0() {
    on_stage(|stage| async move {
        let mut database = Database::publish_module(stage, &previous_module()).await;
        database.configure().await;
        let listed = json!([1, "Haven", database.stage.uri, database.name, 100]);
        database.owner.call("realm_upsert", listed).await.expect("listed");
        let gateway = gateway(&database.stage, &database.name, |_| {}).await;
        assert!(gateway.wait_ready(Duration::from_secs(20)).await, "the gateway is ready");
        let haven = Haven::new(&gateway.uri()).expect("a gateway");
        let session = haven.register("ann@example.org", "correct horse").await.expect("registered");
        let account_id = database.rows("account").await[0]["account_id"].as_u64();
        let character_id = database.create(account_id.expect("a number"), "Ann").await;
        let realm = session.enter(1).await.expect("entered");
        let sessions = database.rows("account_session").await;
        let mut events = realm.events();

        let began = Instant::now();
        upgrade(&mut database).await;
        let published = began.elapsed();
        let back = tokio::time::timeout(crate::support::PATIENCE, reconnected(&mut events)).await;
        back.expect("the client is back");
        let away = began.elapsed();
        let most = AWAY.max(published * AWAY_PER_PUBLISH);
        assert!(away <= most, "away for {away:?}, the publish took {published:?}");
        assert_eq!(database.rows("account_session").await, sessions);
        assert_eq!(session.characters().await.expect("served").len(), 1);
        realm.enter_world(character_id).await.expect("in the world");
        realm.walk(1, 0).await.expect("walking");
        realm.disconnect().await;
        gateway.stop().await;
    });
}

#[test]
fn a_module_that_cannot_take_over_is_refused_and_the_realm_goes_on() {
    on_stage(|stage| async move {
        let (mut database, mut cast) = previous_release(stage).await;
        let tick = tick_micros(&database, &cast.ann.client).await;
        let (before, running) = (contents(&database).await, steady_timers(&database).await);
        let (uri, name) = (&database.stage.uri, &database.name);
        let token = owner_token(&database.stage.keys);
        // It has none of the realm's tables: they would have to be dropped.
        let refused = haven_engine::publish(uri, name, &token, BENCH_MODULE_WASM).await;
        assert!(matches!(refused, Err(EngineError::PublishRefused { .. })), "{refused:?}");
        database.owner = Client::connect(uri, name, &token).await.expect("the owner is back");
        let after = contents(&database).await;
        for (table, rows) in before.iter().filter(|(table, _)| !LIVELY.contains(&table.as_str())) {
            assert!(after[table].is_superset(rows), "{table} has lost rows");
        }
        assert_eq!(steady_timers(&database).await, running);
        cast.ann.come_back(&database).await;
        assert_steady(tick, &database, &cast.ann.client).await;
    });
}
