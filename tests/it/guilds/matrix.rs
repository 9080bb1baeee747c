//! Every rank and every action: who may do what, and whom it may be done to.

use super::{Hall, Hero};
use crate::support::on_database;
use serde_json::{Value, json};
use std::fmt::Write as _;

/// An action, with arguments that are refused for another reason by whoever may do it, or change
/// nothing that matters.
fn actions(stack: u64) -> Vec<(&'static str, Value)> {
    let grant = json!({
        "rights": 0, "tab_rights": 0, "items_per_day": [0, 0, 0, 0, 0, 0], "copper_per_day": 0,
    });
    let emblem = json!({
        "symbol": 255, "symbol_color": 0, "border": 0, "border_color": 0, "ground_color": 0,
    });
    vec![
        ("guild_member_invite", json!(["Nobody There"])),
        ("guild_invite_revoke", json!([0])),
        ("guild_request_accept", json!([0])),
        ("guild_request_refuse", json!([0])),
        ("guild_member_kick", json!([0])),
        ("guild_member_promote", json!([0])),
        ("guild_member_demote", json!([0])),
        ("guild_member_ban", json!(["Nobody There"])),
        ("guild_member_unban", json!([0])),
        ("guild_leader_pass", json!([0])),
        ("guild_leader_add", json!([0])),
        ("guild_leader_claim", json!([])),
        ("guild_rank_add", json!(["", 1])),
        ("guild_rank_change", json!([15, "Any", grant])),
        ("guild_rank_remove", json!([15])),
        ("guild_message_set", json!(["a\nb"])),
        ("guild_note_set", json!([0, ""])),
        ("guild_officer_note_set", json!([0, ""])),
        ("guild_emblem_set", json!([emblem])),
        ("guild_list_show", json!([1, 0])),
        ("guild_list_show", json!([2, 0])),
        ("guild_list_show", json!([3, 0])),
        ("guild_list_show", json!([4, 0])),
        ("guild_list_show", json!([5, 0])),
        ("guild_bank_open", json!([0])),
        ("guild_bank_close", json!([])),
        ("guild_bank_put", json!([0, 1, 0, 0])),
        ("guild_bank_take", json!([stack, 0, 0])),
        ("guild_bank_move", json!([stack, 0, 0, 50])),
        ("guild_bank_move", json!([stack, 0, 1, 50])),
        ("guild_coins_put", json!([1])),
        ("guild_coins_take", json!([1])),
        ("guild_tab_buy", json!([])),
        ("guild_disband", json!([])),
    ]
}

/// Whether a reducer is a command.
fn is_command(reducer: &str) -> bool {
    const LASTS: [&str; 4] =
        ["guild_bank_put", "guild_bank_take", "guild_bank_move", "guild_found"];
    LASTS.contains(&reducer)
        || reducer.starts_with("guild_coins")
        || ["guild_tab_buy", "guild_disband"].contains(&reducer)
}

async fn tried(hero: &Hero, reducer: &str, args: &Value) -> String {
    let mut args = args.clone();
    if is_command(reducer) {
        args.as_array_mut().expect("arguments").push(hero.next());
    }
    hero.tries(reducer, args).await
}

#[test]
fn every_rank_may_do_what_it_may_and_nothing_else() {
    on_database(|database| async move {
        let hall = Hall::open(database, |_| {}).await;
        let (_, heroes) = hall.ladder().await;
        let stranger = hall.hero("Zoe").await;
        for _ in 0..2 {
            heroes[0].does("guild_tab_buy", json!([heroes[0].next()])).await;
        }
        let stack = hall.give(&heroes[0], "torch", 5).await;
        let put = json!([stack, 5, 0, 3, heroes[0].next()]);
        heroes[0].does("guild_bank_put", put).await;
        let mut table = String::new();
        for (reducer, args) in actions(stack) {
            let _ = writeln!(table, "{reducer}{args}");
            for (rank, hero) in ["leader", "officer", "veteran", "member", "initiate", "stranger"]
                .iter()
                .zip(heroes.iter().chain([&stranger]))
            {
                let answer = tried(hero, reducer, &args).await;
                let _ = writeln!(table, "  {rank:<8} {answer}");
            }
        }
        stranger.does("character_leave", json!([])).await;
        for (reducer, args) in actions(stack) {
            assert_eq!(tried(&stranger, reducer, &args).await, "guild.not_in_world", "{reducer}");
        }
        insta::assert_snapshot!(table);
    });
}

/// What one's own rank is given, its holder does not say, nor more than he has himself.
async fn grants_above_ones_own_are_refused(officer: &Hero, all: &Value) {
    for (rank, grant, code) in [
        (1, all, "guild.rank_too_high"),
        (0, all, "guild.rank_too_high"),
        (
            2,
            &json!({ "rights": 0, "tab_rights": 0, "items_per_day": [10, 0, 0, 0, 0, 0],
            "copper_per_day": 0 }),
            "guild.grant_too_high",
        ),
        (
            2,
            &json!({ "rights": 0, "tab_rights": 0, "items_per_day": [0, 0, 0, 0, 0, 0],
            "copper_per_day": 10 }),
            "guild.grant_too_high",
        ),
        (
            2,
            &json!({ "rights": 0, "tab_rights": 0, "items_per_day": [0, 0], "copper_per_day": 0
            }),
            "guild.grant_invalid",
        ),
    ] {
        let answer = officer.tries("guild_rank_change", json!([rank, "Some", grant])).await;
        assert_eq!(answer, code, "{rank} {grant}");
    }
}

#[test]
fn nobody_acts_on_an_equal_or_a_better() {
    on_database(|database| async move {
        let hall = Hall::open(database, |_| {}).await;
        let (_, heroes) = hall.ladder().await;
        let [leader, officer, ..] = &heroes;
        // Rights are not the reason: every rank has them.
        let all = json!({
            "rights": 0x3FFF, "tab_rights": 0x3FFFF, "items_per_day": [9, 9, 9, 9, 9, 9],
            "copper_per_day": 9,
        });
        for rank in 1..5 {
            leader
                .does("guild_rank_change", json!([rank, format!("R{}", "i".repeat(rank)), all]))
                .await;
        }
        let mut table = String::new();
        for (own, actor) in heroes.iter().enumerate() {
            for (place, other) in heroes.iter().enumerate() {
                let who = json!([other.id]);
                let mut answers = vec![];
                for (reducer, back) in [
                    ("guild_member_promote", "guild_member_demote"),
                    ("guild_member_demote", "guild_member_promote"),
                ] {
                    let answer = actor.tries(reducer, who.clone()).await;
                    if answer == "ok" {
                        leader.does(back, who.clone()).await;
                    }
                    answers.push(answer);
                }
                // Who may be kicked or banned, is tried where it is refused.
                if place <= own {
                    answers.push(actor.tries("guild_member_kick", who.clone()).await);
                    answers.push(actor.tries("guild_member_ban", json!([other.name])).await);
                }
                let _ = writeln!(table, "{own} on {place}: {}", answers.join(" "));
            }
        }
        assert_eq!(hall.count("guild_member").await, 5);
        grants_above_ones_own_are_refused(officer, &all).await;
        for (position, code) in [
            (0, "guild.rank_too_high"),
            (1, "guild.rank_too_high"),
            (6, "guild.rank_unknown"),
            (255, "guild.rank_unknown"),
        ] {
            let answer = officer.tries("guild_rank_add", json!(["Other", position])).await;
            assert_eq!(answer, code, "{position}");
        }
        for (rank, code) in [
            (0, "guild.rank_too_high"),
            (1, "guild.rank_too_high"),
            (2, "guild.rank_in_use"),
            (9, "guild.rank_unknown"),
        ] {
            assert_eq!(officer.tries("guild_rank_remove", json!([rank])).await, code, "{rank}");
        }
        insta::assert_snapshot!(table);
    });
}

#[test]
fn a_right_that_is_taken_away_is_gone_at_once_and_one_that_is_lacked_is_not_given() {
    on_database(|database| async move {
        let hall = Hall::open(database, |_| {}).await;
        let (_, [leader, officer, veteran, ..]) = hall.ladder().await;
        let grant = |rights: u32| {
            json!({ "rights": rights, "tab_rights": 0, "items_per_day": [0, 0, 0, 0, 0, 0],
                "copper_per_day": 0 })
        };
        // Ranks, and to speak.
        leader.does("guild_rank_change", json!([1, "Officer", grant(0x81)])).await;
        let answer = officer.tries("guild_member_kick", json!([veteran.id])).await;
        assert_eq!(answer, "guild.right_missing");
        let answer = officer.tries("guild_rank_change", json!([2, "Kicker", grant(0x09)])).await;
        assert_eq!(answer, "guild.grant_too_high", "to kick he may not himself");
        let answer = officer.tries("guild_rank_change", json!([2, "Talker", grant(0x01)])).await;
        assert_eq!(answer, "guild.grant_too_high", "to invite he may not himself, nor take it");
        leader.does("guild_rank_change", json!([2, "Veteran", grant(0x81)])).await;
        officer.does("guild_rank_change", json!([2, "Talker", grant(0x01)])).await;
        let rows = hall.database.rows("guild_membership").await;
        let row = rows.iter().find(|row| row["character_id"] == veteran.id).expect("shown");
        assert_eq!(row["rights"], 1);
        // What the rank has already it keeps, whoever renames it.
        leader.does("guild_rank_change", json!([2, "Kicker", grant(0x09)])).await;
        officer.does("guild_rank_change", json!([2, "Fighter", grant(0x09)])).await;
        leader.does("guild_rank_change", json!([0, "Crown", grant(0)])).await;
        leader.does("guild_member_kick", json!([veteran.id])).await;
    });
}

/// An officer with an alt must not come by that way to what leaders gave a rank below him.
#[test]
fn a_rank_below_that_has_more_is_neither_given_nor_changed_nor_removed() {
    on_database(|database| async move {
        let hall = Hall::open(database, |_| {}).await;
        let (_, [leader, officer, veteran, member, initiate]) = hall.ladder().await;
        let grant = |rights: u32, copper: u64| {
            json!({ "rights": rights, "tab_rights": 0x3F, "items_per_day": [0, 0, 0, 0, 0, 0],
                "copper_per_day": copper })
        };
        // All but what the officer's rank gives: he may raise, lower and change ranks, and take 9.
        leader.does("guild_rank_change", json!([1, "Officer", grant(0xB5, 9)])).await;
        leader.does("guild_rank_change", json!([2, "Banker", grant(0x01, 1_000_000)])).await;
        leader.does("guild_rank_change", json!([3, "Member", grant(0x01, 5)])).await;
        leader.does("guild_rank_change", json!([4, "Initiate", grant(0x01, 0)])).await;
        officer.does("guild_member_promote", json!([initiate.id])).await;
        for other in [&initiate, &member] {
            let answer = officer.tries("guild_member_promote", json!([other.id])).await;
            assert_eq!(answer, "guild.grant_too_high", "{}", other.name);
        }
        for copper in [0, 999_999, 1_000_001] {
            let args = json!([2, "Banker", grant(0x01, copper)]);
            let answer = officer.tries("guild_rank_change", args).await;
            assert_eq!(answer, "guild.grant_too_high", "{copper}");
        }
        // Another name, and what he has himself.
        officer.does("guild_rank_change", json!([2, "Purser", grant(0x05, 1_000_000)])).await;
        officer.does("guild_member_demote", json!([veteran.id])).await;
        assert_eq!(hall.member(&veteran).await["rank"], 3);
        assert_eq!(
            officer.tries("guild_rank_remove", json!([2])).await,
            "guild.grant_too_high",
            "nobody has it now"
        );
        // Down is no other way.
        officer.does("guild_rank_add", json!(["Guest", 2])).await;
        for other in [&veteran, &member, &initiate] {
            for _ in 0..2 {
                leader.does("guild_member_promote", json!([other.id])).await;
            }
        }
        let answer = officer.tries("guild_member_demote", json!([member.id])).await;
        assert_eq!(answer, "guild.grant_too_high");
        // Nor is a rank that becomes that of new members.
        officer.does("guild_rank_remove", json!([4])).await;
        let answer = officer.tries("guild_rank_remove", json!([3])).await;
        assert_eq!(answer, "guild.grant_too_high");
        leader.does("guild_member_demote", json!([member.id])).await;
        assert_eq!(hall.member(&member).await["rank"], 2);
        leader.does("guild_rank_remove", json!([3])).await;
    });
}

#[test]
fn ranks_are_added_and_removed_between_two_and_ten() {
    on_database(|database| async move {
        let hall = Hall::open(database, |_| {}).await;
        let [ann, bob] = hall.heroes(["Ann", "Bob"]).await;
        let guild_id = hall.found(&ann, "Quiet Oak").await;
        for (number, position) in [(5, 1), (6, 3), (7, 7), (8, 8), (9, 1)] {
            let name = format!("Rank {}", "i".repeat(number));
            ann.does("guild_rank_add", json!([name, position])).await;
        }
        let answer = ann.tries("guild_rank_add", json!(["Eleventh", 1])).await;
        assert_eq!(answer, "guild.ranks_too_many");
        let mut ranks = hall.database.rows("guild_rank").await;
        ranks.sort_by_key(|row| row["position"].as_u64());
        let order: Vec<_> = ranks.iter().map(|row| row["rank"].as_u64().expect("one")).collect();
        assert_eq!(order, [0, 9, 5, 1, 6, 2, 3, 4, 7, 8]);
        hall.join(&ann, &bob).await;
        assert_eq!(hall.member(&bob).await["rank"], 8, "the lowest");
        for rank in [9, 5, 1, 6, 2, 3, 4, 7] {
            ann.does("guild_rank_remove", json!([rank])).await;
        }
        assert_eq!(ann.tries("guild_rank_remove", json!([8])).await, "guild.ranks_too_few");
        assert_eq!(bob.tries("guild_leader_claim", json!([])).await, "guild.leader_active");
        let answer = ann.tries("guild_member_demote", json!([bob.id])).await;
        assert_eq!(answer, "guild.rank_lowest");
        let answer = ann.tries("guild_member_promote", json!([bob.id])).await;
        assert_eq!(answer, "guild.rank_too_high", "up to one's own");
        ann.does("guild_leader_pass", json!([bob.id])).await;
        assert_eq!(hall.member(&ann).await["rank"], 8);
        assert_eq!(hall.guild(guild_id).await["leaders"], 1);
    });
}
