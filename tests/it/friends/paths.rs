//! Every path from one player to another: what a block and a choice do to it.
//!
//! Keeps true: on each path three senders try: one like any other, one who is blocked, and one whom
//! a choice keeps out. Only the first may reach; the second must hear what the first heard, or what
//! the third did; neither may bring any row to the target. A new path is a new line of [`PATHS`].

use super::{flush, refuses, rows_that_came, shown, watch};
use crate::support::client::Client;
use crate::support::content::{set, srd};
use crate::support::{Database, on_database};
use haven_checks::number;
use haven_rules::friends::What;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What a sender must have first.
#[derive(Clone, Copy)]
enum Needs {
    Nothing,
    Guild,
    Channel,
    Coins,
}

/// A way to reach somebody.
struct Path {
    /// The call.
    reducer: &'static str,
    /// Its arguments, by the target's character and the number of what the sender has.
    args: fn(u64, u64) -> Value,
    /// What a target chooses about.
    what: What,
    /// The tables in which it arrives.
    tables: &'static [&'static str],
    needs: Needs,
}

const fn path(
    reducer: &'static str,
    args: fn(u64, u64) -> Value,
    what: What,
    tables: &'static [&'static str],
    needs: Needs,
) -> Path {
    Path { reducer, args, what, tables, needs }
}

/// The number of a sender's second command.
fn second() -> Value {
    json!({ "session": 7, "sequence": 2 })
}

/// All of them.
const PATHS: [Path; 9] = [
    path("friend_request", |_, _| json!(["Tess"]), What::Requests, &["friend"], Needs::Nothing),
    path(
        "party_invite",
        |_, _| json!(["Tess"]),
        What::Invites,
        &["party_invitation"],
        Needs::Nothing,
    ),
    path(
        "guild_member_invite",
        |_, _| json!(["Tess"]),
        What::Invites,
        &["guild_invite"],
        Needs::Guild,
    ),
    path(
        "chat_channel_invite",
        |_, channel| json!([channel, "Tess", second()]),
        What::Invites,
        &["chat_member"],
        Needs::Channel,
    ),
    path(
        "chat_whisper",
        |_, _| json!(["Tess", "hello", [], second()]),
        What::Whispers,
        &["chat_delivery", "chat_cursor"],
        Needs::Nothing,
    ),
    path(
        "mail_send",
        |_, _| json!(["Tess", "Hello", "How are you?", [], 0, 0, second()]),
        What::Mail,
        &["mail", "mail_text", "mail_unread"],
        Needs::Nothing,
    ),
    path(
        "trade_request",
        |target, _| json!([target]),
        What::Trade,
        &["trade_side"],
        Needs::Nothing,
    ),
    path(
        "coins_pay",
        |target, _| json!([target, 1, second()]),
        What::Trade,
        &["ledger_account"],
        Needs::Coins,
    ),
    path(
        "duel_offer",
        |target, _| json!([target]),
        What::Invites,
        &["combat_duel"],
        Needs::Nothing,
    ),
];

/// Somebody who tries.
struct Sender {
    account_id: u64,
    character_id: u64,
    client: Client,
}

async fn sender(database: &Database, name: &str) -> Sender {
    let email = format!("{}@example.org", name.to_lowercase());
    let (account_id, character_id, client) = database.enter(&email, name).await;
    Sender { account_id, character_id, client }
}

/// Gives a sender what it needs; its number.
async fn prepare(database: &Database, sender: &Sender, name: &str, needs: Needs) -> u64 {
    let first = json!({ "session": 7, "sequence": 1 });
    let named = format!("{name} Oak");
    match needs {
        Needs::Nothing => 0,
        Needs::Guild => {
            sender.client.call("guild_found", json!([named, first])).await.expect("founded");
            0
        }
        Needs::Channel => {
            let args = json!([named, false, first]);
            sender.client.call("chat_channel_create", args).await.expect("made");
            let rows = database.rows("chat_channel").await;
            let row = rows.iter().find(|row| row["name"] == named.as_str()).expect("a channel");
            number(row, "channel_id")
        }
        Needs::Coins => {
            // Characters' numbers rise, and so do the owner's commands.
            let id = sender.character_id;
            let command = json!({ "session": 7, "sequence": id });
            let args = json!([id, 1, "to begin with", command]);
            database.owner.call("coins_give", args).await.expect("given");
            0
        }
    }
}

/// How many numbers of each kind were given.
async fn given(database: &Database) -> BTreeMap<u64, u64> {
    let rows = database.rows("sequence").await;
    rows.iter().map(|row| (number(row, "code"), number(row, "last"))).collect()
}

/// How one who tries fares: what it hears, how many rows come to the target, and how many numbers
/// of each kind are drawn: who tries sees some of them.
async fn tries(
    database: &Database,
    path: &Path,
    target: &Sender,
    sender: &Sender,
    has: u64,
) -> (String, usize, Vec<u64>) {
    flush(&target.client).await;
    let before = rows_that_came(&target.client).len();
    let args = (path.args)(target.character_id, has);
    let given_before = given(database).await;
    let outcome = sender.client.call(path.reducer, args).await;
    let given_after = given(database).await;
    let drawn = given_after.iter().map(|(code, last)| last - given_before[code]).collect();
    flush(&target.client).await;
    let outcome = outcome.err().map_or("done".to_owned(), |refusal| {
        refusal.split(':').next().unwrap_or_default().to_owned()
    });
    let came = rows_that_came(&target.client).len() - before;
    sender.client.call("character_leave", json!([])).await.expect("left");
    (outcome, came, drawn)
}

/// Content in force by which nothing here has a price.
async fn free_of_charge(database: &Database) {
    let mut pack = srd();
    for key in ["guild_cost_copper", "mail_postage_copper"] {
        set(&mut pack, key, 0);
    }
    database.put_in_force(&pack).await;
}

#[test]
fn blocks_and_choices_hold_on_every_path() {
    on_database(|database| async move {
        free_of_charge(&database).await;
        let target = sender(&database, "Tess").await;
        let mut tables: Vec<&str> = PATHS.iter().flat_map(|path| path.tables).copied().collect();
        tables.dedup();
        watch(&target.client, &tables).await;
        let mut told = String::new();
        let begins = ["Ba", "De", "Fu", "Ga", "Ke", "Mu", "Na", "Re", "So"];
        for (path, begin) in PATHS.iter().zip(begins) {
            let mut heard = vec![];
            for (who, end) in [("anybody", "ros"), ("blocked", "tek"), ("kept out", "pun")] {
                let name = format!("{begin}{end}");
                let sender = sender(&database, &name).await;
                let has = prepare(&database, &sender, &name, path.needs).await;
                match who {
                    "blocked" => {
                        target.client.call("block_add", json!([name])).await.expect("blocked");
                    }
                    "kept out" => {
                        super::rest(&database, target.account_id).await;
                        let args = json!([path.what as u8, 2]);
                        target.client.call("privacy_set", args).await.expect("chosen");
                    }
                    _ => {}
                }
                let (outcome, came, drawn) = tries(&database, path, &target, &sender, has).await;
                let _ = writeln!(told, "{} {who}: {outcome}, reached: {}", path.reducer, came > 0);
                heard.push((outcome, came, drawn));
            }
            super::rest(&database, target.account_id).await;
            let args = json!([path.what as u8, 0]);
            target.client.call("privacy_set", args).await.expect("as before");
            let [(free, reached, drawn), (blocked, none, shown), (kept, nor, _)] = heard.as_slice()
            else {
                panic!("three tried")
            };
            assert_eq!((free.as_str(), *none, *nor), ("done", 0, 0), "{}", path.reducer);
            assert!(*reached > 0, "{}: anybody reaches", path.reducer);
            assert!(blocked == free || blocked == kept, "{}: {blocked}", path.reducer);
            assert!(blocked != free || drawn == shown, "{}: {drawn:?} {shown:?}", path.reducer);
        }
        insta::assert_snapshot!(told);
    });
}

/// What a choice or a block answers is asked last: who could not reach anybody like that learns
/// nothing of it.
#[test]
fn whoever_could_not_reach_anybody_does_not_learn_of_a_block() {
    on_database(|database| async move {
        let vale = json!([crate::instances::vale()]);
        database.owner.call("instance_define", vale).await.expect("defined");
        database.put_in_force(&srd()).await;
        let target = sender(&database, "Tess").await;
        let bob = sender(&database, "Bob").await;
        bob.client.call("instance_open", json!(["vale"])).await.expect("opened");
        let world = &database.rows("instance").await[0]["world"];
        let guest = json!([world, target.character_id]);
        bob.client.call("instance_invite", guest.clone()).await.expect("invited");
        target.client.call("block_add", json!(["Bob"])).await.expect("blocked");
        bob.client.call("instance_invite", guest).await.expect("again changes nothing");
        let away = json!([bob.character_id, 200_500, 200_500]);
        database.owner.call("character_teleport", away).await.expect("put");
        let id = target.character_id;
        let letter = |sequence: u64| {
            let command = json!({ "session": 7, "sequence": sequence });
            json!(["Tess", "Hello", "How are you?", [], 1_000_000, 0, command])
        };
        for (reducer, args, code) in [
            ("trade_request", json!([id]), "economy.trade_too_far"),
            ("coins_pay", json!([id, 1, second()]), "economy.trade_too_far"),
            ("mail_send", letter(3), "economy.coins_missing"),
        ] {
            refuses(&bob.client, reducer, args, code).await;
        }
    });
}

#[test]
fn presence_is_seen_by_those_alone_for_whom_it_is() {
    on_database(|database| async move {
        let target = sender(&database, "Tess").await;
        let ann = sender(&database, "Ann").await;
        let bob = sender(&database, "Bob").await;
        target.client.call("block_add", json!(["Bob"])).await.expect("blocked");
        let look = async |who: &Sender| {
            who.client.call("presence_look", json!(["Tess"])).await.expect("looked");
            let rows = shown(&database, "friend_look", who.account_id).await;
            let row = &rows[0];
            (row["status"].clone(), row["region_index"] != 0, row["last_seen_at_micros"] != 0)
        };
        let nothing = (json!(0), false, false);
        // By default for friends; then for everybody, which is never for the blocked.
        assert_eq!(look(&ann).await, nothing);
        for what in [What::Presence, What::Where] {
            let args = json!([what as u8, 0]);
            target.client.call("privacy_set", args).await.expect("chosen");
        }
        assert_eq!(look(&ann).await, (json!(1), true, false));
        assert_eq!(look(&bob).await, nothing);
        target.client.call("presence_set", json!([4])).await.expect("invisible");
        assert_eq!(look(&ann).await, (json!(0), false, true), "seen to leave just now");
        assert_eq!(look(&bob).await, nothing);
        target.client.call("presence_set", json!([1])).await.expect("seen again");
        target.client.call("character_leave", json!([])).await.expect("left");
        assert_eq!(look(&ann).await, (json!(0), false, true));
        assert_eq!(look(&bob).await, nothing);
        let everyone = json!([What::Presence as u8, 2]);
        target.client.call("privacy_set", everyone).await.expect("chosen");
        assert_eq!(look(&ann).await, nothing);
        // An invitation does not tell either whether somebody is there.
        for who in [&ann, &bob] {
            who.client.call("party_invite", json!(["Tess"])).await.expect("it seems so");
            refuses(&who.client, "party_invite", json!(["Tess"]), "party.invite_pending").await;
        }
    });
}

#[test]
fn a_block_takes_away_what_was_on_its_way_and_keeps_the_blocked_out_of_instances() {
    on_database(|database| async move {
        let vale = json!([crate::instances::vale()]);
        database.owner.call("instance_define", vale).await.expect("defined");
        let target = sender(&database, "Tess").await;
        let bob = sender(&database, "Bob").await;
        bob.client.call("friend_request", json!(["Tess"])).await.expect("asked");
        bob.client.call("party_invite", json!(["Tess"])).await.expect("invited");
        bob.client.call("instance_open", json!(["vale"])).await.expect("opened");
        let world = &database.rows("instance").await[0]["world"];
        let before = shown(&database, "friend", bob.account_id).await;
        let invitation = shown(&database, "party_invitation", target.account_id).await;
        target.client.call("block_add", json!(["Bob"])).await.expect("blocked");
        for table in ["friend", "party_invitation"] {
            assert_eq!(shown(&database, table, target.account_id).await.len(), 0, "{table}");
        }
        assert_eq!(shown(&database, "friend", bob.account_id).await, before, "he sees no change");
        let id = &invitation[0]["invitation_id"];
        refuses(&target.client, "party_answer", json!([id, true]), "party.invite_unknown").await;
        let guest = json!([world, target.character_id]);
        refuses(&bob.client, "instance_invite", guest, "instance.guest_unknown").await;
    });
}
