//! Every reducer as a story: calls in, refusals and changed rows out.

use super::Hall;
use crate::support::content::{set, srd};
use crate::support::on_database;
use crate::support::snapshot::Story;
use serde_json::json;

#[test]
fn guilds_are_founded_for_coins_and_named_apart() {
    on_database(|database| async move {
        let hall = Hall::open(database, |pack| set(pack, "guild_cost_copper", 10_000)).await;
        let [ann, bob] = hall.heroes(["Ann", "Bob"]).await;
        hall.pay(&ann, 15_000).await;
        hall.pay(&bob, 9_999).await;
        let mut story = Story::begin(&hall.database).await;
        let first = ann.next();
        for (hero, name, command) in [
            (&ann, "ab", ann.next()),
            (&ann, "Oak 7", ann.next()),
            (&ann, "Pаul's Men", ann.next()),
            (&ann, "The Staff", ann.next()),
            (&ann, "Quiet Oak", first.clone()),
            // Repeated: nothing. Another one: has one.
            (&ann, "Quiet Oak", first),
            (&ann, "Other Oak", ann.next()),
            (&bob, "quiet oak", bob.next()),
            (&bob, "Loud Elm", bob.next()),
        ] {
            let args = json!([name, command]);
            story.call(&hero.name, &hero.player, "guild_found", args).await;
        }
        insta::assert_snapshot!(story.end());
    });
}

#[test]
fn members_come_and_go() {
    on_database(|database| async move {
        let hall = Hall::open(database, |_| {}).await;
        let [ann, bob, cid] = hall.heroes(["Ann", "Bob", "Cid"]).await;
        let oak = hall.found(&ann, "Quiet Oak").await;
        let mut story = Story::begin(&hall.database).await;
        for (hero, reducer, args) in [
            (&ann, "guild_member_invite", json!(["Bob"])),
            (&bob, "guild_invite_decline", json!([oak])),
            (&ann, "guild_member_invite", json!(["Bob"])),
            (&bob, "guild_invite_accept", json!([oak])),
            (&cid, "guild_request_send", json!([oak, "I mend armour\u{7}"])),
            (&cid, "guild_request_send", json!([9_999, "I mend armour"])),
            (&cid, "guild_request_send", json!([oak, "I mend armour"])),
            (&cid, "guild_request_cancel", json!([oak])),
            (&cid, "guild_request_cancel", json!([oak])),
            (&cid, "guild_request_send", json!([oak, "I mend armour"])),
            (&ann, "guild_request_refuse", json!([cid.id])),
            (&cid, "guild_request_send", json!([oak, "I mend shields"])),
            (&ann, "guild_list_show", json!([3, 0])),
            (&ann, "guild_request_accept", json!([cid.id])),
            (&ann, "guild_list_show", json!([9, 0])),
            (&ann, "guild_list_show", json!([3, 0])),
            (&ann, "guild_member_promote", json!([bob.id])),
            (&ann, "guild_member_demote", json!([bob.id])),
            (&ann, "guild_leader_add", json!([bob.id])),
            (&ann, "guild_leader_add", json!([bob.id])),
            (&ann, "guild_member_kick", json!([bob.id])),
            (&ann, "guild_leader_pass", json!([bob.id])),
            (&ann, "guild_leave", json!([])),
            (&bob, "guild_leave", json!([])),
            (&bob, "guild_member_kick", json!([bob.id])),
            (&bob, "guild_member_kick", json!([ann.id])),
            (&bob, "guild_member_kick", json!([cid.id])),
            (&bob, "guild_member_ban", json!(["Cid"])),
            (&bob, "guild_list_show", json!([5, 0])),
            (&bob, "guild_member_unban", json!([cid.id])),
            (&bob, "guild_disband", json!([bob.next()])),
        ] {
            story.call(&hero.name, &hero.player, reducer, args).await;
        }
        insta::assert_snapshot!(story.end());
    });
}

#[test]
fn words_ranks_and_emblems_are_kept_and_shown_to_members() {
    on_database(|database| async move {
        let hall = Hall::open(database, |_| {}).await;
        let [ann, bob] = hall.heroes(["Ann", "Bob"]).await;
        hall.found(&ann, "Quiet Oak").await;
        hall.join(&ann, &bob).await;
        let grant = json!({
            "rights": 0xFFFF_FFFF_u32, "tab_rights": 0xFFFF_FFFF_u32,
            "items_per_day": [1, 2, 3, 4, 5, 6], "copper_per_day": 70,
        });
        let emblem = json!({
            "symbol": 127, "symbol_color": 63, "border": 15, "border_color": 1, "ground_color": 2,
        });
        let undrawn = json!({
            "symbol": 128, "symbol_color": 0, "border": 0, "border_color": 0, "ground_color": 0,
        });
        let mut story = Story::begin(&hall.database).await;
        for (hero, reducer, args) in [
            (&ann, "guild_message_set", json!(["x".repeat(257)])),
            (&ann, "guild_message_set", json!([" Raid at eight. "])),
            (&bob, "guild_message_set", json!(["Mine"])),
            (&ann, "guild_message_set", json!([""])),
            (&bob, "guild_note_set", json!([bob.id, "Mends armour"])),
            (&bob, "guild_note_set", json!([ann.id, "Boss"])),
            (&ann, "guild_note_set", json!([bob.id, "x".repeat(65)])),
            (&ann, "guild_officer_note_set", json!([bob.id, "On trial"])),
            (&bob, "guild_officer_note_set", json!([bob.id, "Good"])),
            (&bob, "guild_list_show", json!([1, 0])),
            (&ann, "guild_list_show", json!([1, ann.id])),
            (&bob, "guild_note_set", json!([bob.id, ""])),
            (&ann, "guild_emblem_set", undrawn),
            (&ann, "guild_emblem_set", emblem),
            (&ann, "guild_rank_add", json!(["Smith", 4])),
            (&ann, "guild_rank_add", json!(["Smith 4", 4])),
            (&ann, "guild_rank_change", json!([4, "Newcomer", grant])),
            (&ann, "guild_rank_remove", json!([5])),
            (&ann, "guild_list_show", json!([2, 0])),
            (&ann, "guild_list_show", json!([4, 0])),
        ] {
            story.call(&hero.name, &hero.player, reducer, args).await;
        }
        bob.does("character_leave", json!([])).await;
        story.note("Bob leaves the world").await;
        insta::assert_snapshot!(story.end());
    });
}

#[test]
fn the_bank_writes_down_what_is_put_and_taken() {
    on_database(|database| async move {
        let hall = Hall::open(database, |pack| set(pack, "guild_tab_cost_copper", 100)).await;
        let [ann] = hall.heroes(["Ann"]).await;
        hall.found(&ann, "Quiet Oak").await;
        hall.pay(&ann, 350).await;
        let torch = hall.give(&ann, "torch", 5).await;
        let mut story = Story::begin(&hall.database).await;
        let (put, take) = (ann.next(), ann.next());
        for (reducer, args) in [
            ("guild_bank_open", json!([0])),
            ("guild_bank_put", json!([torch, 5, 0, 65_535, ann.next()])),
            ("guild_tab_buy", json!([ann.next()])),
            ("guild_tab_buy", json!([ann.next()])),
            ("guild_tab_buy", json!([ann.next()])),
            ("guild_bank_open", json!([0])),
            ("guild_bank_put", json!([torch, 3, 0, 7, put])),
            ("guild_bank_put", json!([torch, 3, 0, 7, put])),
            ("guild_bank_put", json!([torch, 2, 0, 98, ann.next()])),
            ("guild_bank_put", json!([torch, 0, 0, 1, ann.next()])),
            ("guild_bank_put", json!([torch, u32::MAX, 0, 1, ann.next()])),
            ("guild_bank_put", json!([torch, 2, 1, 65_535, ann.next()])),
            ("guild_bank_move", json!([torch, 2, 0, 65_535, ann.next()])),
            ("guild_coins_put", json!([0, ann.next()])),
            ("guild_coins_put", json!([51, ann.next()])),
            ("guild_coins_put", json!([50, take])),
            ("guild_coins_take", json!([51, ann.next()])),
            ("guild_coins_take", json!([20, ann.next()])),
            ("guild_disband", json!([ann.next()])),
            ("guild_bank_close", json!([])),
        ] {
            story.call(&ann.name, &ann.player, reducer, args).await;
        }
        insta::assert_snapshot!(story.end());
    });
}

#[test]
fn staff_gives_names_and_leaders() {
    on_database(|database| async move {
        let hall = Hall::open(database, |_| {}).await;
        let (oak, [ann, bob, cid, dora, _]) = hall.ladder().await;
        let moderator = hall.database.register("mod@example.org").await;
        let moderator = hall.database.admit(moderator, "moderator").await;
        let mut story = Story::begin(&hall.database).await;
        for (who, client, reducer, args) in [
            ("Ann", &ann.player, "guild_rename", json!([oak, "Mine Alone"])),
            ("Bob", &bob.player, "guild_leader_appoint", json!([bob.id])),
            ("moderator", &moderator, "guild_rename", json!([oak, "ab"])),
            ("moderator", &moderator, "guild_rename", json!([9_999, "Green Oak"])),
            ("moderator", &moderator, "guild_rename", json!([oak, "Green Oak"])),
            ("moderator", &moderator, "guild_leader_appoint", json!([0])),
            ("moderator", &moderator, "guild_leader_appoint", json!([ann.id])),
            ("moderator", &moderator, "guild_leader_appoint", json!([bob.id])),
            ("moderator", &moderator, "guild_leader_appoint", json!([cid.id])),
            ("moderator", &moderator, "guild_leader_appoint", json!([dora.id])),
            ("Ann", &ann.player, "guild_leader_add", json!([dora.id])),
            ("owner", &hall.database.owner, "character_rename", json!([dora.id, "Dorothea"])),
        ] {
            story.call(who, client, reducer, args).await;
        }
        insta::assert_snapshot!(story.end());
    });
}

#[test]
fn names_are_without_and_texts_masked_of_words_that_are_not_said() {
    on_database(|database| async move {
        let hall = Hall::open(database, |pack| pack.filter_word = srd().filter_word).await;
        let [ann, bob] = hall.heroes(["Ann", "Bob"]).await;
        // Masked or refused in chat, whole or within, and as it reads.
        for name in ["Dratted Oak", "Undrâtted", "The Blighter", "Cheap gold for sale"] {
            let found = ann.tries("guild_found", json!([name, ann.next()])).await;
            assert_eq!(found, "chat.word_refused", "{name}");
            let opened = ann.tries("guild_charter_open", json!([name])).await;
            assert_eq!(opened, "chat.word_refused", "{name}");
        }
        let oak = hall.found(&ann, "Blighters").await;
        let rename = json!([oak, "Dunderheads"]);
        let renamed = hall.database.owner.call("guild_rename", rename).await;
        assert!(renamed.expect_err("refused").starts_with("chat.word_refused:"));
        assert_eq!(hall.guild(oak).await["name"], "Blighters");
        let grant = json!({
            "rights": 1, "tab_rights": 0, "items_per_day": [0, 0, 0, 0, 0, 0], "copper_per_day": 0,
        });
        for (reducer, args) in [
            ("guild_rank_add", json!(["Dratted", 4])),
            ("guild_rank_change", json!([4, "Dratted", grant])),
        ] {
            assert_eq!(ann.tries(reducer, args).await, "chat.word_refused", "{reducer}");
        }
        for (text, code) in [
            ("Cheap gold for sale", "chat.word_refused"),
            ("See gold-shop.com", "chat.link_refused"),
        ] {
            for (hero, reducer, args) in [
                (&ann, "guild_message_set", json!([text])),
                (&ann, "guild_note_set", json!([ann.id, text])),
                (&ann, "guild_officer_note_set", json!([ann.id, text])),
                (&bob, "guild_request_send", json!([oak, text])),
            ] {
                assert_eq!(hero.tries(reducer, args).await, code, "{reducer}");
            }
        }
        ann.does("guild_message_set", json!(["That dratted raid"])).await;
        ann.does("guild_note_set", json!([ann.id, "A dunderhead"])).await;
        ann.does("guild_officer_note_set", json!([ann.id, "Our blighter"])).await;
        bob.does("guild_request_send", json!([oak, "This dratted door"])).await;
        for (table, column, text) in [
            ("guild_message", "message", "That ******* raid"),
            ("guild_membership", "message", "That ******* raid"),
            ("guild_note", "note", "A **********"),
            ("guild_note", "officer_note", "Our ********"),
            ("guild_request", "text", "This ******* door"),
        ] {
            assert_eq!(hall.database.rows(table).await[0][column], text, "{table}.{column}");
        }
        let channel = json!(["Dratted door", true, ann.next()]);
        assert_eq!(ann.tries("chat_channel_create", channel).await, "chat.channel_name");
    });
}
