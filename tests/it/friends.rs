//! Friends, requests, blocks, presence and choices on the real engine.
//!
//! Keeps true: each reducer and each refusal is in a story or in a table here; what has no friends
//! and no rights sees no row of anybody.

mod paths;

use crate::support::client::Client;
use crate::support::snapshot::Story;
use crate::support::{Database, now_micros, on_database, until};
use haven_checks::{number, text};
use serde_json::{Value, json};

/// A call is refused with a code.
pub async fn refuses(client: &Client, reducer: &str, args: Value, code: &str) {
    let refused = client.call(reducer, args.clone()).await;
    let refused = refused.expect_err(&format!("{reducer}{args} is refused"));
    assert!(refused.starts_with(&format!("{code}:")), "{reducer}{args}: {refused}, not {code}");
}

/// Whose rows those of an account are shown to, as JSON has it.
async fn viewer(database: &Database, account_id: u64) -> Value {
    let known = database.rows("account_viewer").await;
    let row = known.iter().find(|row| row["account_id"] == account_id).expect("admitted");
    row["viewer"].clone()
}

/// The rows of a table that an account is shown.
pub async fn shown(database: &Database, table: &str, account_id: u64) -> Vec<Value> {
    let viewer = viewer(database, account_id).await;
    let all = database.rows(table).await.into_iter();
    all.filter(|row| row["viewer"] == viewer).collect()
}

/// The number by which an account calls somebody of a name.
async fn tie_to(database: &Database, account_id: u64, name: &str) -> u64 {
    let rows = shown(database, "friend", account_id).await;
    let row = rows.iter().find(|row| row["name"] == name);
    number(row.unwrap_or_else(|| panic!("{name} in {rows:?}")), "friend_id")
}

/// Two become friends.
async fn befriend(database: &Database, one: (&Client, &str), other: (u64, &Client, &str)) {
    one.0.call("friend_request", json!([other.2])).await.expect("asked");
    let tie = tie_to(database, other.0, one.1).await;
    other.1.call("friend_answer", json!([tie, true])).await.expect("accepted");
}

/// Lets an account ask again as if it never had.
async fn rest(database: &Database, account_id: u64) {
    let set = "asks_on_time_at_micros = 0, tells_on_time_at_micros = 0";
    database.run(&format!("UPDATE friend_profile SET {set} WHERE account_id = {account_id}")).await;
}

#[test]
fn requests_answers_and_notes_tell_their_story() {
    on_database(|database| async move {
        let (ann_id, _, ann) = database.enter("ann@example.org", "Ann").await;
        let (bob_id, _, bob) = database.enter("bob@example.org", "Bob").await;
        let (cid_id, _, cid) = database.enter("cid@example.org", "Cid").await;
        let mut story = Story::begin(&database).await;
        for name in ["Nobody", "", "x\u{0}y", "Ann"] {
            story.call("ann", &ann, "friend_request", json!([name])).await;
        }
        story.call("ann", &ann, "friend_request", json!(["bob"])).await;
        story.call("ann", &ann, "friend_request", json!(["Bob"])).await;
        let asked = tie_to(&database, ann_id, "Bob").await;
        let asks = tie_to(&database, bob_id, "Ann").await;
        for (who, client, reducer, args) in [
            ("ann", &ann, "friend_answer", json!([asked, true])),
            ("ann", &ann, "friend_answer", json!([asks, true])),
            ("cid", &cid, "friend_answer", json!([asks, true])),
            ("cid", &cid, "friend_remove", json!([asked])),
            ("bob", &bob, "friend_remove", json!([asks])),
            ("bob", &bob, "friend_answer", json!([u64::MAX, true])),
            ("bob", &bob, "friend_note_set", json!([asks, "who is that?"])),
            ("bob", &bob, "friend_note_set", json!([asks, "two\nlines"])),
            ("bob", &bob, "friend_note_set", json!([asks, "x".repeat(121)])),
            ("cid", &cid, "friend_note_set", json!([asks, "not mine"])),
            ("bob", &bob, "friend_answer", json!([asks, true])),
            ("ann", &ann, "friend_request", json!(["Bob"])),
        ] {
            story.call(who, client, reducer, args).await;
        }
        // Both ask: that is enough.
        story.call("cid", &cid, "friend_request", json!(["Ann"])).await;
        story.call("ann", &ann, "friend_request", json!(["Cid"])).await;
        // A refusal is not told; who refused may change its mind.
        story.call("cid", &cid, "friend_request", json!(["Bob"])).await;
        let asks = tie_to(&database, bob_id, "Cid").await;
        story.call("bob", &bob, "friend_answer", json!([asks, false])).await;
        story.call("cid", &cid, "friend_request", json!(["Bob"])).await;
        story.call("bob", &bob, "friend_request", json!(["Cid"])).await;
        let friend = tie_to(&database, cid_id, "Bob").await;
        story.call("cid", &cid, "friend_remove", json!([friend])).await;
        story.call("cid", &cid, "friend_remove", json!([friend])).await;
        cid.call("character_leave", json!([])).await.expect("left");
        let mut story_out = Story::begin(&database).await;
        story_out.call("cid", &cid, "friend_request", json!(["Bob"])).await;
        insta::assert_snapshot!(story.end() + &story_out.end());
    });
}

#[test]
fn presence_and_choices_tell_their_story() {
    on_database(|database| async move {
        let (_, _, ann) = database.enter("ann@example.org", "Ann").await;
        let (bob_id, bobs, bob) = database.enter("bob@example.org", "Bob").await;
        let (_, _, cid) = database.enter("cid@example.org", "Cid").await;
        befriend(&database, (&ann, "Ann"), (bob_id, &bob, "Bob")).await;
        let mut story = Story::begin(&database).await;
        for (who, client, reducer, args) in [
            ("bob", &bob, "presence_set", json!([0])),
            ("bob", &bob, "presence_set", json!([5])),
            ("bob", &bob, "presence_set", json!([3])),
            ("bob", &bob, "presence_set", json!([3])),
            ("bob", &bob, "privacy_set", json!([0, 0])),
            ("bob", &bob, "privacy_set", json!([8, 0])),
            ("bob", &bob, "privacy_set", json!([1, 3])),
            // Whether it is online, for nobody; then where, for nobody.
            ("bob", &bob, "privacy_set", json!([1, 2])),
            ("bob", &bob, "privacy_set", json!([1, 1])),
            ("bob", &bob, "privacy_set", json!([2, 2])),
            ("bob", &bob, "privacy_set", json!([2, 2])),
            ("bob", &bob, "presence_set", json!([4])),
            ("bob", &bob, "presence_set", json!([1])),
            ("cid", &cid, "presence_look", json!(["Nobody"])),
            ("cid", &cid, "presence_look", json!(["Cid"])),
            ("cid", &cid, "presence_look", json!(["Bob"])),
            ("bob", &bob, "privacy_set", json!([1, 0])),
            ("cid", &cid, "presence_look", json!(["Bob"])),
            ("ann", &ann, "presence_look", json!(["Bob"])),
        ] {
            story.call(who, client, reducer, args).await;
        }
        let told = story.end();
        ann.call("character_leave", json!([])).await.expect("left");
        let mut story = Story::begin(&database).await;
        story.call("ann", &ann, "presence_look", json!(["Bob"])).await;
        insta::assert_snapshot!(told + &story.end());

        rest(&database, bob_id).await;
        let presence = async || {
            let rows = database.rows("friend_presence").await;
            rows.into_iter().find(|row| row["name"] == "Bob").expect("ann's row")
        };
        bob.call("character_leave", json!([])).await.expect("left");
        let gone = presence().await;
        let seen = gone["last_seen_at_micros"].as_i64().expect("an instant");
        assert!(gone["status"] == 0 && (now_micros() - seen).abs() < 60_000_000, "{gone}");
        // Who is invisible is not seen to come, nor to go.
        bob.call("presence_set", json!([4])).await.expect("not in the world");
        bob.call("character_enter", json!([bobs])).await.expect("entered");
        assert_eq!(presence().await, gone);
        bob.call("character_leave", json!([])).await.expect("left");
        assert_eq!(presence().await, gone);
    });
}

#[test]
fn what_somebody_plays_is_shown_where_presence_is() {
    on_database(|database| async move {
        let (_, _, ann) = database.enter("ann@example.org", "Ann").await;
        let (bob_id, _, bob) = database.enter("bob@example.org", "Bob").await;
        let other = database.create(bob_id, "Bobson").await;
        befriend(&database, (&ann, "Ann"), (bob_id, &bob, "Bob")).await;
        let ann_sees = async || {
            let rows = database.rows("friend_presence").await;
            let row = rows.iter().find(|row| row["name"] != "Ann").expect("ann's row");
            (text(row, "name").to_owned(), row["status"] != 0)
        };
        assert_eq!(ann_sees().await, ("Bob".to_owned(), true));
        bob.call("privacy_set", json!([1, 2])).await.expect("for nobody");
        bob.call("character_leave", json!([])).await.expect("left");
        bob.call("character_enter", json!([other])).await.expect("entered");
        assert_eq!(ann_sees().await, ("Bob".to_owned(), false));
        // Another status shows no more.
        bob.call("presence_set", json!([3])).await.expect("busy");
        assert_eq!(ann_sees().await, ("Bob".to_owned(), false));
        bob.call("privacy_set", json!([1, 1])).await.expect("for friends");
        assert_eq!(ann_sees().await, ("Bobson".to_owned(), true));
    });
}

#[test]
fn blocks_tell_their_story() {
    on_database(|database| async move {
        let (ann_id, _, ann) = database.enter("ann@example.org", "Ann").await;
        let (bob_id, _, bob) = database.enter("bob@example.org", "Bob").await;
        database.create(bob_id, "Bobson").await;
        befriend(&database, (&ann, "Ann"), (bob_id, &bob, "Bob")).await;
        let mut story = Story::begin(&database).await;
        for name in ["Nobody", "Ann", "Bob", "Bob", "Bobson"] {
            story.call("ann", &ann, "block_add", json!([name])).await;
        }
        story.call("ann", &ann, "friend_request", json!(["Bobson"])).await;
        story.call("bob", &bob, "friend_request", json!(["Ann"])).await;
        story.call("bob", &bob, "friend_request", json!(["Ann"])).await;
        let blocks = shown(&database, "friend_block_name", ann_id).await;
        let block = |name: &str| {
            let row = blocks.iter().find(|row| row["name"] == name).expect("blocked");
            number(row, "block_id")
        };
        story.call("bob", &bob, "block_remove", json!([block("Bob")])).await;
        story.call("ann", &ann, "block_remove", json!([u64::MAX])).await;
        // One name is enough to be blocked by.
        story.call("ann", &ann, "block_remove", json!([block("Bob")])).await;
        story.call("ann", &ann, "friend_request", json!(["Bob"])).await;
        story.call("ann", &ann, "block_remove", json!([block("Bobson")])).await;
        // What he asked meanwhile still counts as asked.
        story.call("ann", &ann, "friend_request", json!(["Bob"])).await;
        insta::assert_snapshot!(story.end());
    });
}

/// As many rows behind friends as somebody could have.
async fn fill(database: &Database, account_id: u64, count: u64, state: u8) {
    for number in 0..count {
        let id = 1_000_000 + account_id * 1_000 + number;
        let key = (u128::from(account_id) << 64) | u128::from(id);
        let columns = "(friend_id, owner_key, account_id, other_account_id, mirror_id, \
                       character_id, lapses_at_micros, state)";
        let values = format!("({id}, {key}, {account_id}, {}, 0, 0, 0, {state})", 9_000 + number);
        database.run(&format!("INSERT INTO friend_tie {columns} VALUES {values}")).await;
    }
}

/// How often something passes until it is refused.
async fn until_too_fast(client: &Client, reducer: &str, args: impl Fn(u64) -> Value) -> u64 {
    for turn in 0..200 {
        if let Err(refused) = client.call(reducer, args(turn)).await {
            assert!(refused.starts_with("friend.too_fast:"), "{reducer}: {refused}");
            return turn;
        }
    }
    panic!("{reducer} is never too fast")
}

#[test]
fn friends_requests_blocks_and_what_is_told_are_bounded() {
    on_database(|database| async move {
        let (ann_id, _, ann) = database.enter("ann@example.org", "Ann").await;
        let (bob_id, _, bob) = database.enter("bob@example.org", "Bob").await;
        let (cid_id, _, cid) = database.enter("cid@example.org", "Cid").await;
        fill(&database, ann_id, 50, 2).await;
        refuses(&ann, "friend_request", json!(["Cid"]), "friend.requests_too_many").await;
        fill(&database, bob_id, 50, 3).await;
        refuses(&cid, "friend_request", json!(["Bob"]), "friend.other_full").await;
        // Pending requests count as friends do.
        database.run(&format!("DELETE FROM friend_tie WHERE account_id = {bob_id}")).await;
        fill(&database, bob_id, 150, 1).await;
        database.run(&format!("DELETE FROM friend_tie WHERE account_id = {ann_id}")).await;
        fill(&database, ann_id, 49, 2).await;
        for number in 0..50_u64 {
            let id = 5_000_000 + number;
            let key = (u128::from(bob_id) << 64) | u128::from(id);
            let values = format!("({id}, {key}, {bob_id}, {}, 0, 0, 0, 2)", 7_000 + number);
            let columns = "(friend_id, owner_key, account_id, other_account_id, mirror_id, \
                           character_id, lapses_at_micros, state)";
            database.run(&format!("INSERT INTO friend_tie {columns} VALUES {values}")).await;
        }
        refuses(&bob, "friend_request", json!(["Cid"]), "friend.too_many").await;
        refuses(&cid, "friend_request", json!(["Bob"]), "friend.other_full").await;

        for number in 0..200_u64 {
            let id = 1_000_000 + number;
            let key = (u128::from(cid_id) << 64) | u128::from(id);
            let values = format!("({id}, {key}, {})", 9_000 + number);
            let columns = "(block_id, owner_key, other_account_id)";
            database.run(&format!("INSERT INTO friend_block_link {columns} VALUES {values}")).await;
        }
        refuses(&cid, "block_add", json!(["Ann"]), "friend.blocks_too_many").await;

        let passed = until_too_fast(&ann, "presence_set", |turn| json!([2 + turn % 2])).await;
        assert!(passed >= 10, "{passed}");
        until_too_fast(&ann, "privacy_set", |turn| json!([1, turn % 2])).await;
        let passed = until_too_fast(&ann, "presence_look", |_| json!(["Bob"])).await;
        assert!(passed >= 20, "{passed}");
        refuses(&ann, "friend_request", json!(["Cid"]), "friend.too_fast").await;
        rest(&database, ann_id).await;
        ann.call("friend_request", json!(["Cid"])).await.expect("the fiftieth");
        bob.call("privacy_set", json!([5, 2])).await.expect("no requests");
        refuses(&ann, "friend_request", json!(["Bob"]), "friend.requests_declined").await;
    });
}

#[test]
fn a_request_lapses() {
    on_database(|database| async move {
        let (ann_id, _, ann) = database.enter("ann@example.org", "Ann").await;
        let (bob_id, _, bob) = database.enter("bob@example.org", "Bob").await;
        ann.call("friend_request", json!(["Bob"])).await.expect("asked");
        let tie = tie_to(&database, ann_id, "Bob").await;
        database.run("DELETE FROM friend_due").await;
        database.run(&format!("INSERT INTO friend_due (due_key) VALUES ({tie})")).await;
        // The next sweep is at hand; clients cannot call it.
        let timers = database.rows("friend_sweep_timer").await;
        assert_eq!(timers.len(), 1);
        let sweep = crate::parties::timer();
        refuses(&bob, "friend_sweep", sweep, "realm.database_only").await;
        until("the request has lapsed", || async {
            database.rows("friend_tie").await.is_empty().then_some(())
        })
        .await;
        for account_id in [ann_id, bob_id] {
            assert_eq!(shown(&database, "friend", account_id).await.len(), 0);
        }
    });
}

/// Every table of friends that clients read.
pub const PERSONAL: [&str; 6] = [
    "friend",
    "friend_presence",
    "friend_look",
    "friend_profile",
    "friend_choice",
    "friend_block_name",
];
/// Those that they do not.
const PRIVATE: [&str; 6] = [
    "friend_tie",
    "friend_pair",
    "friend_due",
    "friend_block",
    "friend_block_link",
    "friend_place",
];

/// Rows that came to a client, beside the answers to its calls.
pub fn rows_that_came(client: &Client) -> Vec<Value> {
    fn collect(value: &Value, found: &mut Vec<Value>) {
        match value {
            Value::Object(fields) => {
                for (key, value) in fields {
                    let rows = value.as_array().filter(|_| key == "inserts" || key == "deletes");
                    found.extend(rows.into_iter().flatten().cloned());
                    collect(value, found);
                }
            }
            Value::Array(values) => values.iter().for_each(|value| collect(value, found)),
            _ => {}
        }
    }
    let mut found = vec![];
    for message in client.messages() {
        collect(&message, &mut found);
    }
    found
}

/// Whatever was to come to a client has come: its own call is answered after it.
pub async fn flush(client: &Client) {
    refuses(client, "presence_set", json!([9]), "friend.status_unknown").await;
}

/// Subscribes to all of some tables.
pub async fn watch(client: &Client, tables: &[&str]) {
    let queries: Vec<String> = tables.iter().map(|it| format!("SELECT * FROM {it}")).collect();
    client.subscribe(&queries.iter().map(String::as_str).collect::<Vec<_>>()).await;
}

#[test]
fn a_stranger_sees_nothing_of_friends_and_nobody_reads_what_is_private() {
    on_database(|database| async move {
        let (_, _, ann) = database.enter("ann@example.org", "Ann").await;
        let (bob_id, bobs, bob) = database.enter("bob@example.org", "Bob").await;
        let sam_id = database.register("sam@example.org").await;
        let sam = database.admit(sam_id, "player").await;
        watch(&sam, &PERSONAL).await;
        watch(&ann, &PERSONAL).await;
        befriend(&database, (&ann, "Ann"), (bob_id, &bob, "Bob")).await;
        for (client, reducer, args) in [
            (&bob, "presence_set", json!([2])),
            (&bob, "privacy_set", json!([2, 0])),
            (&ann, "presence_look", json!(["Bob"])),
            (&bob, "character_leave", json!([])),
            (&bob, "character_enter", json!([bobs])),
            (&ann, "block_add", json!(["Bob"])),
        ] {
            client.call(reducer, args).await.expect(reducer);
        }
        flush(&sam).await;
        flush(&ann).await;
        assert_eq!(rows_that_came(&sam), Vec::<Value>::new());
        assert!(rows_that_came(&ann).len() > 6, "who is one of them sees her own");
        for table in PRIVATE {
            sam.send(&json!({ "SubscribeMulti": {
                "query_strings": [format!("SELECT * FROM {table}")],
                "request_id": 900, "query_id": { "id": 900 },
            }}));
        }
        until("all are refused", || async {
            let messages = sam.messages();
            let refused = messages.iter().filter(|it| it.get("SubscriptionError").is_some());
            (refused.count() == PRIVATE.len()).then_some(())
        })
        .await;
    });
}

#[test]
fn rows_follow_an_account_to_another_identity() {
    on_database(|database| async move {
        let (ann_id, _, ann) = database.enter("ann@example.org", "Ann").await;
        let (bob_id, _, bob) = database.enter("bob@example.org", "Bob").await;
        let (cid_id, _, cid) = database.enter("cid@example.org", "Cid").await;
        befriend(&database, (&ann, "Ann"), (bob_id, &bob, "Bob")).await;
        befriend(&database, (&ann, "Ann"), (cid_id, &cid, "Cid")).await;
        for (reducer, args) in [
            ("privacy_set", json!([6, 2])),
            ("presence_look", json!(["Bob"])),
            ("block_add", json!(["Bob"])),
        ] {
            ann.call(reducer, args).await.expect(reducer);
        }
        bob.call("friend_request", json!(["Ann"])).await.expect("it seems so");
        bob.call("block_add", json!(["Ann"])).await.expect("in turn");
        let before = counts(&database, ann_id).await;
        // The same account comes with the identity of another issuer.
        let identity = json!({ "__identity__": format!("0x{}", "ab".repeat(32)) });
        let args = json!([identity, ann_id, ann_id, 1, now_micros(), 900]);
        database.owner.call("admission_grant", args).await.expect("admitted");
        assert_eq!(counts(&database, ann_id).await, before);
        assert_eq!(before, [1, 1, 1, 1, 1, 1]);
    });
}

async fn counts(database: &Database, account_id: u64) -> Vec<usize> {
    let mut counts = vec![];
    for table in PERSONAL {
        counts.push(shown(database, table, account_id).await.len());
    }
    counts
}

#[test]
fn a_friend_is_followed_from_region_to_region() {
    on_database(|database| async move {
        let (_, _, ann) = database.enter("ann@example.org", "Ann").await;
        let (bob_id, bobs, bob) = database.enter("bob@example.org", "Bob").await;
        befriend(&database, (&ann, "Ann"), (bob_id, &bob, "Bob")).await;
        let region = async || {
            let rows = database.rows("friend_presence").await;
            let row = rows.iter().find(|row| text(row, "name") == "Bob").expect("ann's row");
            number(row, "region_index")
        };
        let before = region().await;
        let args = json!([bobs, -32_500, -32_500]);
        database.owner.call("character_teleport", args).await.expect("put there");
        let after = region().await;
        assert!(before != 0 && after != 0 && before != after, "{before} {after}");
        // Over the border and back at once: the last one comes, and later.
        for place in [32_500, -32_500, 32_500] {
            let args = json!([bobs, place, place]);
            database.owner.call("character_teleport", args).await.expect("put there");
            assert_eq!(region().await, after, "not with every step");
        }
        until("the last one is told", || async { (region().await == before).then_some(()) }).await;
        bob.call("character_leave", json!([])).await.expect("left");
        assert!(database.rows("friend_place").await.is_empty());
    });
}
