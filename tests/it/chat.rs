//! Chat: channels, who may speak and read, history, moderation.

mod channels;
mod company;
mod later;
mod moderation;
mod privacy;
mod retention;

use crate::support::client::Client;
use crate::support::content::srd;
use crate::support::snapshot::Story;
use crate::support::{Database, on_database};
use serde_json::{Value, json};
use std::sync::atomic::{AtomicU64, Ordering};

const SAY: u8 = 1;
const YELL: u8 = 2;
const BLOCK: u8 = 3;
const REGION: u8 = 4;
const REALM: u8 = 5;
const TRADE: u8 = 6;
const GUILD: u8 = 7;
const OFFICER: u8 = 8;
const PARTY: u8 = 9;
const RAID: u8 = 10;
const WHISPER: u8 = 11;
const CHANNEL: u8 = 12;

/// A command of some session.
fn id(sequence: u64) -> Value {
    json!({ "session": 1, "sequence": sequence })
}

/// A command that nobody has given.
fn next() -> Value {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    json!({ "session": 2, "sequence": NEXT.fetch_add(1, Ordering::Relaxed) })
}

/// Calls, and answers the code of the refusal.
async fn call(client: &Client, reducer: &str, args: Value) -> Result<(), String> {
    let outcome = client.call(reducer, args).await;
    outcome.map_err(|refused| refused.split(':').next().unwrap_or_default().to_owned())
}

async fn say(client: &Client, kind: u8, text: &str) -> Result<(), String> {
    call(client, "chat_say", json!([kind, 0, text, [], next()])).await
}

/// What lies in the inbox of an account: what was said, in its order.
async fn inbox(database: &Database, account_id: u64) -> Vec<String> {
    let delivered = database.rows("chat_delivery").await;
    let viewers = database.rows("account_viewer").await;
    let own = viewers.iter().find(|row| row["account_id"] == account_id).expect("a viewer");
    let mut lines: Vec<(u64, String)> = delivered
        .iter()
        .filter(|row| row["viewer"] == own["viewer"])
        .map(|row| {
            let text = row["text"].as_str().expect("a text").to_owned();
            (row["message_id"].as_u64().expect("a number"), text)
        })
        .collect();
    lines.sort();
    lines.into_iter().map(|(_, text)| text).collect()
}

/// Lets everybody speak as often as it likes.
async fn unlimited(database: &Database) {
    for code in 1..=16 {
        let args = json!([code, 1_000, 1]);
        database.owner.call("chat_limit_set", args).await.expect("a limit");
    }
}

#[test]
fn chat_say_reaches_a_channel_and_refuses_what_cannot_be_said() {
    on_database(|database| async move {
        database.put_in_force(&srd()).await;
        unlimited(&database).await;
        let (_, ann_id, ann) = database.enter("ann@example.org", "Ann").await;
        let bob_account = database.register("bob@example.org").await;
        let bob_id = database.create(bob_account, "Bob").await;
        let bob = database.admit(bob_account, "player").await;
        let long = "x".repeat(256);
        let mut story = Story::begin(&database).await;
        let link = |kind: u8, target_id: u64| json!([{ "kind": kind, "target_id": target_id }]);
        for (kind, channel, text, links) in [
            (REALM, 0, "Well met!", json!([])),
            (TRADE, 0, "Rope for a lamp?", json!([])),
            (BLOCK, 0, "Anybody near?", json!([])),
            (REGION, 0, "Anybody at all?", json!([])),
            (SAY, 0, "Psst.", json!([])),
            (YELL, 0, "Hey!", json!([])),
            (REALM, 0, "Ask \u{fffc}.", link(2, bob_id)),
            (REALM, 0, "That dratted door", json!([])),
            (0, 0, "x", json!([])),
            (13, 0, "x", json!([])),
            (WHISPER, 0, "x", json!([])),
            (GUILD, 0, "x", json!([])),
            (OFFICER, 0, "x", json!([])),
            (PARTY, 0, "x", json!([])),
            (RAID, 0, "x", json!([])),
            (CHANNEL, 1, "x", json!([])),
            (REALM, 0, " ", json!([])),
            (REALM, 0, long.as_str(), json!([])),
            (REALM, 0, "one\ntwo", json!([])),
            (REALM, 0, "no mark", link(2, bob_id)),
            (REALM, 0, "\u{fffc}", link(3, bob_id)),
            (REALM, 0, "\u{fffc}", link(2, 1)),
            (REALM, 0, "\u{fffc}", link(1, 1)),
            (REALM, 0, "tell me your passw0rd", json!([])),
            (REALM, 0, "go to gold.example.com", json!([])),
        ]
        .into_iter()
        .map(|(kind, channel, text, links)| (kind, channel, text.to_owned(), links))
        {
            let args = json!([kind, channel, text, links, next_of(&STORY_SAY)]);
            story.call("ann", &ann, "chat_say", args).await;
        }
        // The same command again does nothing.
        let args = json!([REALM, 0, "Well met!", [], id(1)]);
        story.call("ann", &ann, "chat_say", args).await;
        let args = json!([REALM, 0, "x", [], id(1)]);
        story.call("bob, not in the world", &bob, "chat_say", args).await;
        assert_ne!(ann_id, bob_id);
        insta::assert_snapshot!(story.end());
    });
}

static STORY_SAY: AtomicU64 = AtomicU64::new(1);
static STORY_WHISPER: AtomicU64 = AtomicU64::new(1);

fn next_of(numbers: &AtomicU64) -> Value {
    id(numbers.fetch_add(1, Ordering::Relaxed))
}

#[test]
fn chat_whisper_reaches_who_is_away_too() {
    on_database(|database| async move {
        unlimited(&database).await;
        let (_, _, ann) = database.enter("ann@example.org", "Ann").await;
        let (_, bob_id, bob) = database.enter("bob@example.org", "Bob").await;
        let mut story = Story::begin(&database).await;
        for (name, text) in [("Bob", "Hello"), ("bob", "You there?"), ("Ann", "x"), ("Cid", "x")] {
            let args = json!([name, text, [], next_of(&STORY_WHISPER)]);
            story.call("ann", &ann, "chat_whisper", args).await;
        }
        bob.call("character_leave", json!([])).await.expect("left");
        story.note("bob leaves").await;
        let args = json!(["Bob", "Come back", [], next_of(&STORY_WHISPER)]);
        story.call("ann", &ann, "chat_whisper", args).await;
        bob.call("character_enter", json!([bob_id])).await.expect("entered");
        story.note("bob comes back").await;
        story.call("bob", &bob, "chat_history", json!([WHISPER, 0, 0, 2])).await;
        story.call("bob", &bob, "chat_history", json!([WHISPER, 0, 5, 50])).await;
        story.call("bob", &bob, "chat_read", json!([WHISPER, 0, 3])).await;
        story.call("bob", &bob, "chat_read", json!([WHISPER, 0, 1])).await;
        story.call("bob", &bob, "chat_read", json!([WHISPER, 0, u64::MAX])).await;
        for (reducer, args) in [
            ("chat_read", json!([SAY, 0, 1])),
            ("chat_history", json!([BLOCK, 0, 0, 1])),
            ("chat_history", json!([0, 0, 0, 1])),
            ("chat_history", json!([GUILD, 0, 0, 1])),
            ("chat_history", json!([CHANNEL, 1, 0, 1])),
        ] {
            story.call("bob", &bob, reducer, args).await;
        }
        insta::assert_snapshot!(story.end());
    });
}

#[test]
fn what_is_said_and_yelled_reaches_as_far_as_a_voice() {
    on_database(|database| async move {
        database.put_in_force(&srd()).await;
        unlimited(&database).await;
        let (_, ann_id, ann) = database.enter("ann@example.org", "Ann").await;
        let mut others = vec![];
        // A block's border lies between; a step beyond each range there is one more.
        for (name, away) in [("Bob", 20_000), ("Cid", 20_001), ("Dag", 100_000), ("Eve", 100_001)] {
            let email = format!("{}@example.org", name.to_lowercase());
            let (account_id, character_id, client) = database.enter(&email, name).await;
            let args = json!([character_id, 10_500 + away, 10_500]);
            database.owner.call("character_teleport", args).await.expect("put");
            others.push((account_id, client));
        }
        let args = json!([ann_id, 10_500, 10_500]);
        database.owner.call("character_teleport", args).await.expect("put");
        say(&ann, SAY, "softly").await.expect("said");
        say(&ann, YELL, "loudly").await.expect("yelled");
        let mut heard = vec![];
        for (account_id, _) in &others {
            heard.push(inbox(&database, *account_id).await);
        }
        assert_eq!(heard, [vec!["softly", "loudly"], vec!["loudly"], vec!["loudly"], vec![]],);
        let shared = database.rows("chat_message").await;
        assert!(shared.is_empty(), "nobody else can read it: {shared:?}");
    });
}

/// More than are looked at, in a block that lies west of who speaks.
#[test]
fn a_crowd_far_off_leaves_out_nobody_who_stands_near() {
    on_database(|database| async move {
        database.put_in_force(&srd()).await;
        unlimited(&database).await;
        let (ann_account, ann_id, ann) = database.enter("ann@example.org", "Ann").await;
        let (bob_account, bob_id, _bob) = database.enter("bob@example.org", "Bob").await;
        for (character_id, x_mm) in [(ann_id, 10_500), (bob_id, 12_500)] {
            let args = json!([character_id, x_mm, 10_500]);
            database.owner.call("character_teleport", args).await.expect("put");
        }
        let crowd = json!([0, -1, -1, 1, 2_200, 7]);
        database.owner.call("wanderer_spawn", crowd).await.expect("they appear");
        let entities = database.rows("entity").await.len();
        assert!(entities > 2_100, "{entities} are there");
        say(&ann, SAY, "Well met").await.expect("said");
        for account_id in [ann_account, bob_account] {
            assert_eq!(inbox(&database, account_id).await, ["Well met"], "{account_id}");
        }
    });
}

#[test]
fn whoever_goes_on_speaking_is_too_fast_and_limits_turn_at_once() {
    on_database(|database| async move {
        let (_, _, ann) = database.enter("ann@example.org", "Ann").await;
        let owner = &database.owner;
        owner.call("chat_limit_set", json!([REALM, 3, 3_600_000])).await.expect("a limit");
        for _ in 0..3 {
            say(&ann, REALM, "again").await.expect("within the burst");
        }
        let refused = say(&ann, REALM, "again").await;
        assert_eq!(refused.expect_err("the fourth"), "chat.too_fast");
        say(&ann, TRADE, "elsewhere").await.expect("each kind has its own");
        let (_, _, bob) = database.enter("bob@example.org", "Bob").await;
        say(&bob, REALM, "me").await.expect("each account has its own");
        ann.call("character_leave", json!([])).await.expect("left");
        let characters = database.rows("character").await;
        let row = characters.iter().find(|row| row["name"] == "Ann").expect("a row");
        ann.call("character_enter", json!([row["character_id"]])).await.expect("entered");
        let refused = say(&ann, REALM, "again").await;
        assert_eq!(refused.expect_err("going out and in helps nobody"), "chat.too_fast");
        owner.call("chat_limit_set", json!([REALM, 4, 3_600_000])).await.expect("a limit");
        say(&ann, REALM, "again").await.expect("one more");
        // Pages and cursors read the log alike.
        owner.call("chat_limit_set", json!([13, 2, 3_600_000])).await.expect("a limit");
        call(&ann, "chat_history", json!([REALM, 0, 0, 1])).await.expect("the first");
        call(&ann, "chat_read", json!([REALM, 0, 1])).await.expect("the second");
        let refused = call(&ann, "chat_read", json!([REALM, 0, 2])).await;
        assert_eq!(refused.expect_err("the third"), "chat.too_fast");
    });
}
