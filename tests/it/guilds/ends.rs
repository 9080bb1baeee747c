//! What must have one outcome: two who act at once, leaders who are gone, guilds that end.

use super::{Hall, Hero};
use crate::support::{on_database, until};
use serde_json::json;
use std::time::Duration;

const BAG: u64 = 1;
const TAB: u64 = 7;
const LOST_AND_FOUND: u64 = 8;
/// `rules::economy::PurseKind`.
const GUILD_PURSE: u64 = 5;
const LOST_COINS: u64 = 6;

#[test]
fn of_two_leaders_who_leave_at_once_one_stays() {
    on_database(|database| async move {
        let hall = Hall::open(database, |_| {}).await;
        let [ann, bob, cid] = hall.heroes(["Ann", "Bob", "Cid"]).await;
        let oak = hall.found(&ann, "Quiet Oak").await;
        for hero in [&bob, &cid] {
            hall.join(&ann, hero).await;
        }
        ann.does("guild_leader_add", json!([bob.id])).await;
        let (one, other) =
            tokio::join!(ann.tries("guild_leave", json!([])), bob.tries("guild_leave", json!([])));
        let mut answers = [one, other];
        answers.sort();
        assert_eq!(answers, ["guild.leader_stays", "ok"]);
        let guild = hall.guild(oak).await;
        assert_eq!((&guild["leaders"], &guild["members"]), (&json!(1), &json!(2)));
        // The last one stays, alone, too; who is alone may disband.
        let (last, gone) =
            if hall.member(&ann).await.is_null() { (&bob, &ann) } else { (&ann, &bob) };
        assert_eq!(gone.tries("guild_leave", json!([])).await, "guild.none");
        cid.does("guild_leave", json!([])).await;
        assert_eq!(last.tries("guild_leave", json!([])).await, "guild.leader_stays");
        last.does("guild_disband", json!([last.next()])).await;
        for table in ["guild", "guild_member", "guild_rank", "guild_membership", "guild_seen"] {
            assert_eq!(hall.count(table).await, 0, "{table}");
        }
        assert!(hall.count("guild_log").await > 0, "what happened is known for longer");
    });
}

#[test]
fn whoever_calls_too_often_waits_and_may_leave_all_the_same() {
    on_database(|database| async move {
        let hall = Hall::open(database, |_| {}).await;
        let [ann, bob] = hall.heroes(["Ann", "Bob"]).await;
        let oak = hall.found(&ann, "Quiet Oak").await;
        hall.join(&ann, &bob).await;
        hall.sql("DELETE FROM guild_pace").await;
        let mut passed = 0;
        for turn in 0..200 {
            let answer = bob.tries("guild_note_set", json!([bob.id, format!("Turn {turn}")])).await;
            if answer != "ok" {
                assert_eq!(answer, "guild.too_fast");
                break;
            }
            passed += 1;
        }
        assert!((60..200).contains(&passed), "{passed}");
        let lines = hall.count("guild_log").await;
        // As if it had called for years: nothing comes back while this runs.
        let far = "UPDATE guild_pace SET on_time_at_micros = 9000000000000000000";
        hall.sql(far).await;
        for (reducer, args) in [
            ("guild_note_set", json!([bob.id, "Again"])),
            ("guild_list_show", json!([1, 0])),
            ("guild_bank_open", json!([0])),
            ("guild_coins_put", json!([1, bob.next()])),
        ] {
            assert_eq!(bob.tries(reducer, args).await, "guild.too_fast", "{reducer}");
        }
        assert_eq!(hall.count("guild_log").await, lines, "nothing was written");
        bob.does("guild_leave", json!([])).await;
        let answer = bob.tries("guild_request_send", json!([oak, "Please"])).await;
        assert_eq!(answer, "guild.too_fast");
        ann.does("guild_message_set", json!(["Others may"])).await;
        // Who has waited begins anew, and leaves nothing behind.
        hall.sql("UPDATE guild_pace SET on_time_at_micros = 1").await;
        bob.does("character_leave", json!([])).await;
        assert_eq!(hall.count("guild_pace").await, 1, "the one who is still there");
    });
}

#[test]
fn who_passes_the_lead_on_while_the_other_leaves_still_leads() {
    on_database(|database| async move {
        let hall = Hall::open(database, |_| {}).await;
        let [ann, bob] = hall.heroes(["Ann", "Bob"]).await;
        let oak = hall.found(&ann, "Quiet Oak").await;
        hall.join(&ann, &bob).await;
        let (passed, left) = tokio::join!(
            ann.tries("guild_leader_pass", json!([bob.id])),
            bob.tries("guild_leave", json!([])),
        );
        let answers = (passed.as_str(), left.as_str());
        let expected = [("ok", "guild.leader_stays"), ("guild.target_unknown", "ok")];
        assert!(expected.contains(&answers), "{answers:?}");
        assert_eq!(hall.guild(oak).await["leaders"], 1);
    });
}

#[test]
fn nobody_raises_himself() {
    on_database(|database| async move {
        let hall = Hall::open(database, |_| {}).await;
        let (_, heroes) = hall.ladder().await;
        let [leader, officer, ..] = &heroes;
        for hero in [leader, officer] {
            for reducer in ["guild_member_promote", "guild_member_demote", "guild_member_kick"] {
                let answer = hero.tries(reducer, json!([hero.id])).await;
                assert_eq!(answer, "guild.target_self", "{reducer}");
            }
        }
        let answer = leader.tries("guild_leader_pass", json!([leader.id])).await;
        assert_eq!(answer, "guild.target_self");
        for hero in &heroes[1..] {
            assert_eq!(
                hero.tries("guild_leader_pass", json!([hero.id])).await,
                "guild.leaders_only"
            );
            assert_eq!(hero.tries("guild_leader_claim", json!([])).await, "guild.leader_active");
        }
    });
}

#[test]
fn who_is_sent_away_while_he_takes_has_taken_or_has_not() {
    on_database(|database| async move {
        let hall = Hall::open(database, |_| {}).await;
        let (_, [leader, officer, ..]) = hall.ladder().await;
        leader.does("guild_tab_buy", json!([leader.next()])).await;
        let torch = hall.give(&leader, "torch", 5).await;
        leader.does("guild_bank_put", json!([torch, 5, 0, 0, leader.next()])).await;
        officer.does("guild_bank_open", json!([0])).await;
        let take = json!([torch, 5, 65_535, officer.next()]);
        let (taken, kicked) = tokio::join!(
            officer.tries("guild_bank_take", take.clone()),
            leader.tries("guild_member_kick", json!([officer.id])),
        );
        assert_eq!(kicked, "ok");
        let there = (hall.items(BAG, "torch").await, hall.items(TAB, "torch").await);
        match taken.as_str() {
            "ok" => assert_eq!(there, (5, 0)),
            refused => assert_eq!((refused, there), ("guild.none", (0, 5))),
        }
        // Repeated, it says what became of it, and moves nothing.
        assert_eq!(officer.tries("guild_bank_take", take).await, taken);
        assert_eq!((hall.items(BAG, "torch").await, hall.items(TAB, "torch").await), there, "once");
        assert_eq!(hall.count("guild_bank_window").await, 0);
    });
}

#[test]
fn a_guild_with_goods_in_its_bank_is_not_disbanded() {
    on_database(|database| async move {
        let hall = Hall::open(database, |_| {}).await;
        let [ann] = hall.heroes(["Ann"]).await;
        hall.found(&ann, "Quiet Oak").await;
        ann.does("guild_tab_buy", json!([ann.next()])).await;
        hall.pay(&ann, 7).await;
        let disband = async || ann.tries("guild_disband", json!([ann.next()])).await;
        ann.does("guild_coins_put", json!([7, ann.next()])).await;
        assert_eq!(disband().await, "guild.bank_not_empty", "coins");
        ann.does("guild_coins_take", json!([7, ann.next()])).await;
        let torch = hall.give(&ann, "torch", 1).await;
        ann.does("guild_bank_put", json!([torch, 1, 0, 97, ann.next()])).await;
        assert_eq!(disband().await, "guild.bank_not_empty", "items");
        ann.does("guild_bank_take", json!([torch, 1, 65_535, ann.next()])).await;
        let command = ann.next();
        for _ in 0..2 {
            ann.does("guild_disband", json!([command])).await;
        }
        ann.does("guild_found", json!(["Quiet Oak", ann.next()])).await;
    });
}

#[test]
fn a_guild_whose_leaders_are_gone_for_long_gets_another_one() {
    on_database(|database| async move {
        let hall = Hall::open(database, |_| {}).await;
        let (oak, [leader, officer, veteran, member, initiate]) = hall.ladder().await;
        let claim = async || initiate.tries("guild_leader_claim", json!([])).await;
        leader.does("character_leave", json!([])).await;
        officer.does("character_leave", json!([])).await;
        assert_eq!(claim().await, "guild.leader_active", "not for long");
        let long_ago =
            |id: u64| format!("UPDATE guild_seen SET seen_at_micros = 1 WHERE character_id = {id}");
        // The officer is gone for long himself: the veteran follows, though the initiate asks.
        hall.sql(&long_ago(officer.id)).await;
        hall.sql(&long_ago(leader.id)).await;
        let answer = claim().await;
        // The slow look may have been there first.
        assert!(["ok", "guild.leader_active"].contains(&answer.as_str()), "{answer}");
        let rank = async |hero: &Hero| hall.member(hero).await["rank"].as_u64().expect("a number");
        assert_eq!((rank(&veteran).await, rank(&leader).await), (0, 1));
        assert_eq!((rank(&officer).await, rank(&member).await), (1, 3));
        assert_eq!(hall.guild(oak).await["leaders"], 1);
        assert_eq!(claim().await, "guild.leader_active");
        // A leader who is deleted is gone at once.
        veteran.does("character_leave", json!([])).await;
        let args = json!([veteran.account_id, veteran.id]);
        hall.database.owner.call("character_delete", args).await.expect("deleted");
        // By itself, without anybody who asks.
        until("somebody follows", || async { (rank(&member).await == 0).then_some(()) }).await;
        // Who is deleted is made nothing.
        let answer = member.tries("guild_leader_add", json!([veteran.id])).await;
        assert_eq!(answer, "guild.target_unknown");
        let answer = member.tries("guild_leader_pass", json!([veteran.id])).await;
        assert_eq!(answer, "guild.target_unknown");
    });
}

#[test]
fn who_is_purged_leaves_its_guild_in_order() {
    on_database(|database| async move {
        let hall = Hall::open(database, |_| {}).await;
        let [ann, bob, cid] = hall.heroes(["Ann", "Bob", "Cid"]).await;
        let oak = hall.found(&ann, "Quiet Oak").await;
        hall.join(&ann, &bob).await;
        let elm = hall.found(&cid, "Loud Elm").await;
        cid.does("guild_tab_buy", json!([cid.next()])).await;
        hall.pay(&cid, 7).await;
        cid.does("guild_coins_put", json!([7, cid.next()])).await;
        let torch = hall.give(&cid, "torch", 5).await;
        cid.does("guild_bank_put", json!([torch, 5, 0, 97, cid.next()])).await;
        bob.does("character_leave", json!([])).await;
        hall.sql("UPDATE guild_seen SET seen_at_micros = 1").await;
        for hero in [&ann, &cid] {
            hero.does("character_leave", json!([])).await;
            let args = json!([hero.account_id, hero.id]);
            hall.database.owner.call("character_delete", args).await.expect("deleted");
        }
        assert!(!hall.member(&cid).await.is_null(), "it can be restored");
        hall.sql("UPDATE character_deletion SET purge_at_micros = 1").await;
        // Once a minute.
        let mut look = tokio::time::interval(Duration::from_millis(500));
        for _ in 0..200 {
            look.tick().await;
            if hall.member(&cid).await.is_null() {
                break;
            }
        }
        // Nobody was there for long, and still somebody must lead.
        assert_eq!(hall.guild(oak).await["leaders"], 1);
        assert_eq!(hall.member(&bob).await["rank"], 0);
        assert!(hall.guild(elm).await.is_null(), "it had one member");
        until("the account has what was in the bank", || async {
            (hall.count("guild_estate").await == 0).then_some(())
        })
        .await;
        let torches = (hall.items(TAB, "torch").await, hall.items(LOST_AND_FOUND, "torch").await);
        assert_eq!(torches, (0, 5));
        let coins =
            (hall.copper(GUILD_PURSE, elm).await, hall.copper(LOST_COINS, cid.account_id).await);
        assert_eq!(coins, (0, 7));
    });
}

/// Eleven banks without a guild, as many as one run hands over and one more behind them.
#[test]
fn banks_that_staff_keeps_from_moving_hold_back_no_others() {
    on_database(|database| async move {
        const FIRST: u64 = 9_000_001;
        let hall = Hall::open(database, |_| {}).await;
        let [ann] = hall.heroes(["Ann"]).await;
        let zero = "0".repeat(64);
        for number in 0..11 {
            let (guild_id, is_frozen) = (FIRST + number, number < 10);
            let key = (u128::from(GUILD_PURSE) << 64) | u128::from(guild_id);
            let columns = "owner_key, ledger_account_id, owner_id, copper, viewer, kind, is_frozen";
            let values =
                format!("{key}, {guild_id}, {guild_id}, 7, 0x{zero}, {GUILD_PURSE}, {is_frozen}");
            hall.insert("ledger_account", columns, &values).await;
            let values = format!("{guild_id}, {}", ann.account_id);
            hall.insert("guild_estate", "guild_id, account_id", &values).await;
        }
        let last = FIRST + 10;
        let is_gone = async || hall.copper(GUILD_PURSE, last).await == 0;
        // A run each ten seconds, and the last one may have to wait for the second.
        until("a run has passed those that are frozen", || async {
            let rows = hall.database.rows("guild_sweep_state").await;
            (rows[0]["estate_guild_id"] != 0 || is_gone().await).then_some(())
        })
        .await;
        until("the last one is handed over", || async { is_gone().await.then_some(()) }).await;
        assert_eq!(hall.copper(LOST_COINS, ann.account_id).await, 7);
        let estates = hall.database.rows("guild_estate").await;
        assert!(estates.iter().all(|row| row["guild_id"] != last), "{estates:?}");
        assert_eq!(estates.len(), 10, "what is frozen waits");
        // A run that moves nothing leaves nothing in the ledger.
        let causes = hall.database.rows("ledger_cause").await;
        let of_frozen = causes.iter().filter(|row| {
            let subject = row["subject_id"].as_u64().expect("a number");
            (FIRST..last).contains(&subject)
        });
        assert_eq!(of_frozen.count(), 0);
    });
}
