//! Parties and raids on the real engine: invitations, members, ready checks, what ends by itself.
//!
//! Keeps true: each reducer and each refusal is in a story or in a table here; whoever is no member
//! sees no row of any party; each member's copies are what is so.

mod lasting;

use crate::friends::{flush, refuses, rows_that_came, shown, watch};
use crate::support::client::Client;
use crate::support::snapshot::Story;
use crate::support::{Database, now_micros, on_database, until};
use haven_checks::number;
use serde_json::{Value, json};

/// A character in the world.
pub struct Hero {
    /// Its name.
    pub name: &'static str,
    /// The account that plays it.
    pub account_id: u64,
    /// Its number.
    pub id: u64,
    /// Its player's connection.
    pub client: Client,
}

/// What a scheduled reducer takes.
pub fn timer() -> Value {
    let interval = json!({ "Interval": { "__time_duration_micros__": 1 } });
    json!([{ "scheduled_id": 1, "scheduled_at": interval }])
}

/// Enters as somebody new.
pub async fn hero(database: &Database, name: &'static str) -> Hero {
    let email = format!("{}@example.org", name.to_lowercase());
    let (account_id, id, client) = database.enter(&email, name).await;
    Hero { name, account_id, id, client }
}

/// The invitation of somebody to somebody.
pub async fn invitation(database: &Database, to: &Hero, from: &Hero) -> u64 {
    let rows = shown(database, "party_invitation", to.account_id).await;
    let row = rows.iter().find(|row| row["from_id"] == from.id);
    number(row.unwrap_or_else(|| panic!("{} in {rows:?}", from.name)), "invitation_id")
}

/// Takes somebody into the party of who invites.
pub async fn join(database: &Database, from: &Hero, to: &Hero) {
    from.client.call("party_invite", json!([to.name])).await.expect("invited");
    let id = invitation(database, to, from).await;
    to.client.call("party_answer", json!([id, true])).await.expect("accepted");
}

/// That every member's copies are what is so.
pub async fn assert_copies(database: &Database) {
    let seats = database.rows("party_seat").await;
    let (views, members) = (database.rows("party_view").await, database.rows("party_member").await);
    let ids: Vec<u64> = seats.iter().map(|row| number(row, "character_id")).collect();
    assert_eq!(views.len(), seats.len(), "{views:?}");
    let parties = database.rows("party").await;
    for view in &views {
        assert!(ids.contains(&number(view, "character_id")), "{view}");
        let party = parties.iter().find(|row| row["party_id"] == view["party_id"]);
        let party = party.expect("the party's row").as_object().expect("a row");
        for (column, value) in party.iter().filter(|(column, _)| *column != "turn_id") {
            assert_eq!(&view[column], value, "{column}");
        }
    }
    let sizes = parties.iter().map(|row| {
        let size = views.iter().filter(|view| view["party_id"] == row["party_id"]).count();
        size * size
    });
    assert_eq!(members.len(), sizes.sum::<usize>());
    for copy in members {
        let seat = seats.iter().find(|row| row["character_id"] == copy["character_id"]);
        let seat = seat.expect("a seat");
        for column in ["joined_at_micros", "away_ends_at_micros", "group", "answer", "is_assistant"]
        {
            assert_eq!(copy[column], seat[column], "{column} of {copy}");
        }
    }
}

#[test]
fn invitations_tell_their_story() {
    on_database(|database| async move {
        let ann = hero(&database, "Ann").await;
        let bob = hero(&database, "Bob").await;
        let cid = hero(&database, "Cid").await;
        let mut story = Story::begin(&database).await;
        for name in ["Nobody", "", "Ann"] {
            story.call("ann", &ann.client, "party_invite", json!([name])).await;
        }
        story.call("ann", &ann.client, "party_invite", json!(["Bob"])).await;
        story.call("ann", &ann.client, "party_invite", json!(["Bob"])).await;
        let id = invitation(&database, &bob, &ann).await;
        for (who, hero, args) in [
            ("cid", &cid, json!([id, true])),
            ("ann", &ann, json!([id, true])),
            ("bob", &bob, json!([u64::MAX, true])),
            ("bob", &bob, json!([id, false])),
            ("bob", &bob, json!([id, true])),
        ] {
            story.call(who, &hero.client, "party_answer", args).await;
        }
        story.call("ann", &ann.client, "party_invite", json!(["Bob"])).await;
        let id = invitation(&database, &bob, &ann).await;
        story.call("bob", &bob.client, "party_answer", json!([id, true])).await;
        // Members who are no assistants invite nobody; who is in a party joins no other.
        story.call("bob", &bob.client, "party_invite", json!(["Cid"])).await;
        story.call("cid", &cid.client, "party_invite", json!(["Bob"])).await;
        let id = invitation(&database, &bob, &cid).await;
        story.call("bob", &bob.client, "party_answer", json!([id, true])).await;
        // Who invited has left the world, and has no party.
        story.call("bob", &bob.client, "party_leave", json!([])).await;
        cid.client.call("character_leave", json!([])).await.expect("left");
        let told = story.end();
        let mut story = Story::begin(&database).await;
        story.call("bob", &bob.client, "party_answer", json!([id, true])).await;
        story.call("cid", &cid.client, "party_invite", json!(["Bob"])).await;
        story.call("cid", &cid.client, "party_answer", json!([id, true])).await;
        story.call("cid", &cid.client, "party_leave", json!([])).await;
        story.call("bob", &bob.client, "party_leave", json!([])).await;
        insta::assert_snapshot!(told + &story.end());
        assert_copies(&database).await;
    });
}

#[test]
fn what_members_do_tells_its_story() {
    on_database(|database| async move {
        let ann = hero(&database, "Ann").await;
        let bob = hero(&database, "Bob").await;
        let cid = hero(&database, "Cid").await;
        let dan = hero(&database, "Dan").await;
        join(&database, &ann, &bob).await;
        join(&database, &ann, &cid).await;
        let mut story = Story::begin(&database).await;
        for (who, hero, reducer, args) in [
            ("bob", &bob, "party_assistant_set", json!([cid.id, true])),
            ("ann", &ann, "party_assistant_set", json!([dan.id, true])),
            ("ann", &ann, "party_assistant_set", json!([ann.id, true])),
            ("ann", &ann, "party_assistant_set", json!([bob.id, true])),
            ("ann", &ann, "party_assistant_set", json!([bob.id, true])),
            ("cid", &cid, "party_loot_set", json!([3, 2, 0])),
            ("ann", &ann, "party_loot_set", json!([9, 2, 0])),
            ("ann", &ann, "party_loot_set", json!([3, 6, 0])),
            ("ann", &ann, "party_loot_set", json!([4, 2, dan.id])),
            ("ann", &ann, "party_loot_set", json!([4, 2, cid.id])),
            ("cid", &cid, "party_marker_set", json!([0, bob.id])),
            ("cid", &cid, "party_marker_set", json!([9, bob.id])),
            ("cid", &cid, "party_marker_set", json!([1, u64::MAX])),
            ("cid", &cid, "party_marker_set", json!([1, dan.id])),
            ("bob", &bob, "party_marker_set", json!([8, dan.id])),
            ("bob", &bob, "party_marker_set", json!([8, 0])),
            ("cid", &cid, "party_ready_begin", json!([])),
            ("bob", &bob, "party_ready_answer", json!([true])),
            ("bob", &bob, "party_ready_begin", json!([])),
            ("ann", &ann, "party_ready_begin", json!([])),
            ("ann", &ann, "party_ready_answer", json!([true])),
            ("cid", &cid, "party_ready_answer", json!([false])),
            ("cid", &cid, "party_kick", json!([bob.id])),
            ("bob", &bob, "party_kick", json!([dan.id])),
            ("bob", &bob, "party_kick", json!([bob.id])),
            ("bob", &bob, "party_kick", json!([ann.id])),
            ("bob", &bob, "party_leader_pass", json!([cid.id])),
            ("ann", &ann, "party_leader_pass", json!([dan.id])),
            ("ann", &ann, "party_leader_pass", json!([ann.id])),
            ("ann", &ann, "party_leader_pass", json!([cid.id])),
            ("cid", &cid, "party_kick", json!([bob.id])),
            ("cid", &cid, "party_leave", json!([])),
            ("dan", &dan, "party_kick", json!([ann.id])),
        ] {
            story.call(who, &hero.client, reducer, args).await;
        }
        insta::assert_snapshot!(story.end());
        assert_copies(&database).await;
    });
}

#[test]
fn parties_become_raids_of_groups() {
    on_database(|database| async move {
        let mut heroes = vec![];
        for name in ["Ann", "Bob", "Cid", "Dan", "Eve", "Fay", "Gus"] {
            heroes.push(hero(&database, name).await);
        }
        let [ann, bob, .., fay, gus] = heroes.as_slice() else { panic!("seven") };
        for other in &heroes[1..5] {
            join(&database, ann, other).await;
        }
        let ask =
            async |hero: &Hero, reducer: &str, args: Value| hero.client.call(reducer, args).await;
        refuses(&ann.client, "party_invite", json!(["Fay"]), "party.full").await;
        for (hero, reducer, args, code) in [
            (bob, "party_convert", json!([true]), "party.not_leader"),
            (ann, "party_group_set", json!([bob.id, 0]), "party.group_unknown"),
            (ann, "party_group_set", json!([bob.id, 9]), "party.group_unknown"),
            (ann, "party_group_set", json!([bob.id, 2]), "party.not_raid"),
        ] {
            refuses(&hero.client, reducer, args, code).await;
        }
        ask(ann, "party_convert", json!([true])).await.expect("a raid");
        join(&database, ann, fay).await;
        for (hero, reducer, args, code) in [
            (bob, "party_group_set", json!([bob.id, 2]), "party.not_assistant"),
            (bob, "party_marker_set", json!([1, ann.id]), "party.not_assistant"),
            (ann, "party_group_set", json!([gus.id, 2]), "party.member_unknown"),
            (ann, "party_group_set", json!([fay.id, 1]), "party.group_full"),
            (ann, "party_convert", json!([false]), "party.too_large"),
            (gus, "party_convert", json!([false]), "party.none"),
        ] {
            refuses(&hero.client, reducer, args, code).await;
        }
        ask(ann, "party_group_set", json!([bob.id, 8])).await.expect("room");
        ask(ann, "party_group_set", json!([fay.id, 1])).await.expect("room");
        assert_copies(&database).await;
        fay.client.call("party_leave", json!([])).await.expect("left");
        ask(ann, "party_convert", json!([false])).await.expect("small enough");
        let groups = database.rows("party_seat").await;
        assert!(groups.iter().all(|row| row["group"] == 1), "{groups:?}");
        assert_copies(&database).await;
    });
}

#[test]
fn invitations_and_changes_are_bounded() {
    on_database(|database| async move {
        let ann = hero(&database, "Ann").await;
        let bob = hero(&database, "Bob").await;
        let cid = hero(&database, "Cid").await;
        for number in 0..20_u64 {
            let id = 1_000_000 + number;
            let key = (u128::from(bob.id) << 64) | u128::from(id);
            let values = format!("({id}, {key}, {}, false)", 9_000 + number);
            let columns = "(invitation_id, invitee_key, from_id, is_hidden)";
            database.run(&format!("INSERT INTO party_invitee {columns} VALUES {values}")).await;
        }
        refuses(&ann.client, "party_invite", json!(["Bob"]), "party.invites_too_many").await;
        ann.client.call("block_add", json!(["Cid"])).await.expect("blocked");
        refuses(&ann.client, "party_invite", json!(["Cid"]), "party.blocked").await;
        let blocks = shown(&database, "friend_block_name", ann.account_id).await;
        let block = &blocks[0]["block_id"];
        ann.client.call("block_remove", json!([block])).await.expect("no longer");

        join(&database, &ann, &cid).await;
        for turn in 0..60_u64 {
            let target = if turn % 2 == 0 { bob.id } else { 0 };
            ann.client.call("party_marker_set", json!([1, target])).await.expect("in time");
        }
        let mut refused = None;
        for turn in 0..200_u64 {
            let target = if turn % 2 == 0 { bob.id } else { 0 };
            refused = ann.client.call("party_marker_set", json!([1, target])).await.err();
            if refused.is_some() {
                break;
            }
        }
        let refused = refused.expect("too fast");
        assert!(refused.starts_with("party.too_fast:"), "{refused}");
        // Far away nothing can be marked, and nothing can be found out.
        database
            .owner
            .call("character_teleport", json!([bob.id, -200_500, -200_500]))
            .await
            .expect("put there");
        let at = format!(
            "UPDATE party_pace SET changes_on_time_at_micros = 0 WHERE account_id = {}",
            ann.account_id
        );
        database.run(&at).await;
        refuses(&ann.client, "party_marker_set", json!([2, bob.id]), "party.target_unknown").await;
        // Who is too fast for anything else may leave.
        let at = format!(
            "UPDATE party_pace SET changes_on_time_at_micros = 9000000000000000000 \
             WHERE account_id = {}",
            ann.account_id
        );
        database.run(&at).await;
        refuses(&ann.client, "party_kick", json!([cid.id]), "party.too_fast").await;
        ann.client.call("party_leave", json!([])).await.expect("always");
    });
}

/// Every table of parties that clients read.
const PERSONAL: [&str; 3] = ["party_view", "party_member", "party_invitation"];
/// Those that they do not.
const PRIVATE: [&str; 5] = ["party", "party_seat", "party_invitee", "party_due", "party_pace"];

#[test]
fn a_stranger_sees_nothing_of_parties_and_nobody_reads_what_is_private() {
    on_database(|database| async move {
        let ann = hero(&database, "Ann").await;
        let bob = hero(&database, "Bob").await;
        let sam = hero(&database, "Sam").await;
        watch(&sam.client, &PERSONAL).await;
        watch(&bob.client, &PERSONAL).await;
        join(&database, &ann, &bob).await;
        for (hero, reducer, args) in [
            (&ann, "party_marker_set", json!([1, sam.id])),
            (&ann, "party_ready_begin", json!([])),
            (&bob, "party_ready_answer", json!([true])),
            (&ann, "party_loot_set", json!([3, 2, 0])),
            (&bob, "party_leave", json!([])),
            (&ann, "party_leave", json!([])),
        ] {
            hero.client.call(reducer, args).await.expect(reducer);
        }
        flush(&sam.client).await;
        flush(&bob.client).await;
        assert_eq!(rows_that_came(&sam.client), Vec::<Value>::new());
        assert!(rows_that_came(&bob.client).len() > 6, "a member sees them");
        for table in PERSONAL {
            assert_eq!(database.rows(table).await.len(), 0, "{table}: nothing stays");
        }
        for table in PRIVATE {
            sam.client.send(&json!({ "SubscribeMulti": {
                "query_strings": [format!("SELECT * FROM {table}")],
                "request_id": 900, "query_id": { "id": 900 },
            }}));
        }
        until("all are refused", || async {
            let messages = sam.client.messages();
            let refused = messages.iter().filter(|it| it.get("SubscriptionError").is_some());
            (refused.count() == PRIVATE.len()).then_some(())
        })
        .await;
    });
}

#[test]
fn copies_follow_an_account_to_another_identity() {
    on_database(|database| async move {
        let ann = hero(&database, "Ann").await;
        let bob = hero(&database, "Bob").await;
        let cid = hero(&database, "Cid").await;
        join(&database, &ann, &bob).await;
        cid.client.call("party_invite", json!(["Ann"])).await.expect("invited");
        let identity = json!({ "__identity__": format!("0x{}", "ab".repeat(32)) });
        let args = json!([identity, ann.account_id, ann.account_id, 1, now_micros(), 900]);
        database.owner.call("admission_grant", args).await.expect("admitted");
        for (table, count) in PERSONAL.into_iter().zip([1, 2, 1]) {
            assert_eq!(shown(&database, table, ann.account_id).await.len(), count, "{table}");
        }
    });
}
