//! What lasts and what ends by itself: absences, parties of one, checks, invitations; and what
//! members share.

use super::{Hero, assert_copies, hero, invitation, join};
use crate::combat::{Arena, FIELD, at};
use crate::friends::{refuses, shown};
use crate::support::{Database, now_micros, on_database, until};
use haven_checks::number;
use serde_json::json;

/// Lets something be due now: 0 who was away, 1 who was alone, 2 a check, 3 an invitation.
async fn is_due(database: &Database, kind: u128, subject_id: u64) {
    database.run("DELETE FROM party_due").await;
    let key = (kind << 64) | u128::from(subject_id);
    database.run(&format!("INSERT INTO party_due (due_key) VALUES ({key})")).await;
}

async fn leader(database: &Database) -> u64 {
    number(&database.rows("party").await[0], "leader_id")
}

async fn party_id(database: &Database) -> u64 {
    number(&database.rows("party").await[0], "party_id")
}

async fn three(database: &Database) -> [Hero; 3] {
    let ann = hero(database, "Ann").await;
    let bob = hero(database, "Bob").await;
    let cid = hero(database, "Cid").await;
    join(database, &ann, &bob).await;
    join(database, &ann, &cid).await;
    [ann, bob, cid]
}

async fn is_away(database: &Database, hero: &Hero) -> bool {
    let rows = database.rows("party_seat").await;
    let row = rows.iter().find(|row| row["character_id"] == hero.id).expect("a member");
    row["away_ends_at_micros"] != 0
}

#[test]
fn who_is_away_stays_a_member_for_the_grace_and_the_next_leads_then() {
    on_database(|database| async move {
        let [ann, bob, cid] = three(&database).await;
        ann.client.call("party_assistant_set", json!([cid.id, true])).await.expect("assists");
        ann.client.close().await;
        until("she is away", || async { is_away(&database, &ann).await.then_some(()) }).await;
        assert_eq!(leader(&database).await, ann.id, "she leads for the grace");
        let pass = json!([bob.id]);
        refuses(&bob.client, "party_leader_pass", pass, "party.not_leader").await;
        let back = database.connect(ann.account_id, "player").await.expect("connected");
        back.call("character_enter", json!([ann.id])).await.expect("back");
        assert!(!is_away(&database, &ann).await, "and nothing has changed");
        assert_copies(&database).await;

        bob.client.call("character_leave", json!([])).await.expect("left");
        refuses(&back, "party_leader_pass", json!([bob.id]), "party.member_away").await;
        back.call("character_leave", json!([])).await.expect("left");
        is_due(&database, 0, ann.id).await;
        until("the grace is over", || async { (leader(&database).await == cid.id).then_some(()) })
            .await;
        assert_eq!(database.rows("party_seat").await.len(), 2);
        assert_copies(&database).await;
    });
}

/// Members who were away too long wait behind many invitations of others that have lapsed.
#[test]
fn invitations_that_lapse_hold_back_nobody() {
    on_database(|database| async move {
        let [ann, bob, _cid] = three(&database).await;
        bob.client.call("character_leave", json!([])).await.expect("left");
        database.run("DELETE FROM party_due").await;
        // All of it is due at one instant, which is still to come.
        let at = u128::try_from(now_micros() + 6_000_000).expect("after 1970");
        let key = |at: u128, kind: u128, subject_id: u64| {
            (((at << 2) | kind) << 64) | u128::from(subject_id)
        };
        let insert = async |key: u128| {
            database.run(&format!("INSERT INTO party_due (due_key) VALUES ({key})")).await;
        };
        insert(key(at + 1, 0, bob.id)).await;
        for number in 0..100 {
            insert(key(at, 3, 9_000_000 + number)).await;
        }
        let left = until("the first run", || async {
            let left = database.rows("party_due").await.len();
            (left < 101).then_some(left)
        })
        .await;
        assert_eq!(left, 0, "one run does all of it");
        let seats = database.rows("party_seat").await;
        assert!(seats.iter().all(|row| row["character_id"] != bob.id), "{seats:?}");
        assert_eq!(leader(&database).await, ann.id);
    });
}

#[test]
fn a_party_of_one_ends_unless_somebody_joins() {
    on_database(|database| async move {
        let [ann, bob, cid] = three(&database).await;
        bob.client.call("party_leave", json!([])).await.expect("left");
        cid.client.call("party_leave", json!([])).await.expect("left");
        let party = &database.rows("party").await[0];
        assert_ne!(party["alone_ends_at_micros"], 0);
        join(&database, &ann, &bob).await;
        assert_eq!(database.rows("party").await[0]["alone_ends_at_micros"], 0);
        assert_eq!(database.rows("party_due").await.len(), 0, "nothing is due any more");
        bob.client.call("party_leave", json!([])).await.expect("left");
        is_due(&database, 1, party_id(&database).await).await;
        until("it has ended", || async { database.rows("party").await.is_empty().then_some(()) })
            .await;
        for table in ["party_seat", "party_view", "party_member"] {
            assert_eq!(database.rows(table).await.len(), 0, "{table}");
        }
    });
}

#[test]
fn a_ready_check_and_an_invitation_end_by_themselves() {
    on_database(|database| async move {
        let [ann, bob, cid] = three(&database).await;
        ann.client.call("party_ready_begin", json!([])).await.expect("asked");
        refuses(&ann.client, "party_ready_begin", json!([]), "party.ready_going").await;
        bob.client.call("party_ready_answer", json!([true])).await.expect("ready");
        is_due(&database, 2, party_id(&database).await).await;
        until("the check is over", || async {
            (database.rows("party").await[0]["ready_state"] == 3).then_some(())
        })
        .await;
        refuses(&cid.client, "party_ready_answer", json!([true]), "party.ready_none").await;
        assert_copies(&database).await;

        let dan = hero(&database, "Dan").await;
        ann.client.call("party_invite", json!(["Dan"])).await.expect("invited");
        let id = invitation(&database, &dan, &ann).await;
        is_due(&database, 3, id).await;
        until("it has lapsed", || async {
            database.rows("party_invitation").await.is_empty().then_some(())
        })
        .await;
        refuses(&dan.client, "party_answer", json!([id, true]), "party.invite_unknown").await;
        // Who may not invite any more takes nobody in either.
        ann.client.call("party_assistant_set", json!([bob.id, true])).await.expect("assists");
        bob.client.call("party_invite", json!(["Dan"])).await.expect("invited");
        let id = invitation(&database, &dan, &bob).await;
        ann.client.call("party_assistant_set", json!([bob.id, false])).await.expect("no more");
        refuses(&dan.client, "party_answer", json!([id, true]), "party.invite_over").await;
        let tick = crate::parties::timer();
        refuses(&dan.client, "party_tick", tick, "realm.database_only").await;
    });
}

#[test]
fn members_near_share_experience_and_nobody_else_does() {
    on_database(|database| async move {
        let arena = Arena::open(database, |_| {}).await;
        let ann = arena.hero("Ann", "fighter", FIELD).await;
        let bob = arena.hero("Bob", "fighter", FIELD).await;
        let cid = arena.hero("Cid", "fighter", FIELD).await;
        let dan = arena.hero("Dan", "fighter", FIELD).await;
        for name in ["Bob", "Cid"] {
            ann.player.call("party_invite", json!([name])).await.expect("invited");
        }
        for hero in [&bob, &cid] {
            let rows = shown(&arena.database, "party_invitation", hero.account_id).await;
            let id = number(&rows[0], "invitation_id");
            hero.player.call("party_answer", json!([id, true])).await.expect("accepted");
        }
        // One of them is too far away, and one is no member.
        arena.put(cid.id, (FIELD.0 - 100_000, FIELD.1)).await;
        let wolf = arena.database.creatures("wolf", FIELD, 1, 1).await[0];
        arena.make(wolf, 1, 0).await;
        arena.makes_sure(ann.id).await;
        let worth = 50;
        let gained = until("the wolf falls", || async {
            // Refused while the action is not back.
            let _ = ann.uses("attack", at(wolf)).await;
            let rows = arena.database.rows("character_progress").await;
            let of = |id: u64| {
                let row = rows.iter().find(|row| row["character_id"] == id);
                row.map_or(0, |row| number(row, "experience"))
            };
            let gained = [&ann, &bob, &cid, &dan].map(|hero| of(hero.id));
            (gained[0] > 0).then_some(gained)
        })
        .await;
        assert_eq!(gained, [worth / 2, worth / 2, 0, 0]);
    });
}
