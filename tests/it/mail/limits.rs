//! What is refused, and what is bounded.

use super::{ARROW, BAG, Office, TORCH, WALLET, refused};
use crate::support::client::Client;
use crate::support::{on_database, until};
use serde_json::{Value, json};

async fn unknown_letters_are_refused(office: &Office, player: &Client) {
    for mail_id in [0, 1, u64::MAX] {
        refused(player, "mail_read", json!([mail_id]), "mail.unknown").await;
        refused(player, "mail_delete", json!([mail_id]), "mail.unknown").await;
        let args = json!([mail_id, 0, 0, office.command()]);
        refused(player, "mail_take", args, "mail.unknown").await;
        refused(player, "mail_return", json!([mail_id, office.command()]), "mail.unknown").await;
    }
}

#[test]
fn letters_that_cannot_be_are_refused_and_change_nothing() {
    on_database(|database| async move {
        let office = Office::open(database).await;
        let ann = office.person("Ann").await;
        let bob = office.person("Bob").await;
        office.give(&ann, &[(ARROW, 5)], 100).await;
        office.give(&bob, &[(ARROW, 5)], 0).await;
        let (own, foreign) = (office.stack(&ann).await, office.stack(&bob).await);
        let before = crate::support::snapshot::all_rows(&office.database).await;
        let with = |subject: String, text: String| {
            json!(["Bob", subject, text, [], 0, 0, office.command()])
        };
        let many: Vec<(u64, u32)> = (1..=13).map(|id| (id, 1)).collect();
        let huge = 1_u64 << 61;
        for (letter, code) in [
            (with(String::new(), String::new()), "mail.subject_invalid"),
            (with("x".repeat(61), String::new()), "mail.subject_invalid"),
            (with("two\nlines".to_owned(), String::new()), "mail.subject_invalid"),
            (with("x".to_owned(), "x".repeat(2_001)), "mail.text_invalid"),
            (with("x".to_owned(), "x".repeat(60_000)), "mail.text_invalid"),
            (with("x".to_owned(), "\u{202E}".to_owned()), "mail.text_invalid"),
            (office.letter("Bob", &many, 0, 0), "mail.attachments_too_many"),
            (office.letter("Bob", &[(own, 1), (own, 1)], 0, 0), "mail.attachment_twice"),
            (office.letter("Bob", &[], 0, 5), "mail.cod_invalid"),
            (office.letter("Bob", &[(own, 1)], 5, 5), "mail.cod_invalid"),
            (office.letter("Bob", &[], huge, 0), "economy.amount_invalid"),
            (office.letter("Bob", &[(own, 1)], 0, u64::MAX), "economy.amount_invalid"),
            (office.letter("Nemo", &[], 0, 0), "mail.recipient_unknown"),
            (office.letter("", &[], 0, 0), "mail.recipient_unknown"),
            (office.letter(&"x".repeat(10_000), &[], 0, 0), "mail.recipient_unknown"),
            (office.letter("ANN", &[], 0, 0), "mail.recipient_self"),
            (office.letter("Bob", &[], 71, 0), "economy.coins_missing"),
            (office.letter("Bob", &[(foreign, 1)], 0, 0), "item.unknown"),
            (office.letter("Bob", &[(0, 1)], 0, 0), "item.unknown"),
            (office.letter("Bob", &[(u64::MAX, 1)], 0, 0), "item.unknown"),
            (office.letter("Bob", &[(own, 0)], 0, 0), "item.count_invalid"),
            (office.letter("Bob", &[(own, 6)], 0, 0), "item.count_invalid"),
            (office.letter("Bob", &[(own, u32::MAX)], 0, 0), "item.count_invalid"),
        ] {
            refused(&ann.player, "mail_send", letter, code).await;
        }
        unknown_letters_are_refused(&office, &ann.player).await;
        refused(&ann.player, "mail_take_all", json!([office.command()]), "mail.empty").await;
        refused(&ann.player, "lost_claim", json!([office.command()]), "mail.nothing_lost").await;
        let zero = json!({ "session": 0, "sequence": 1 });
        refused(&ann.player, "lost_claim", json!([zero]), "command.id_invalid").await;
        let after = crate::support::snapshot::all_rows(&office.database).await;
        assert_eq!(before, after);

        ann.player.call("character_leave", json!([])).await.expect("left");
        let letter = office.letter("Bob", &[], 0, 0);
        for (reducer, args) in [
            ("mail_send", letter),
            ("mail_read", json!([1])),
            ("mail_delete", json!([1])),
            ("mail_take", json!([1, 0, 0, office.command()])),
            ("mail_take_all", json!([office.command()])),
            ("mail_return", json!([1, office.command()])),
            ("lost_claim", json!([office.command()])),
        ] {
            refused(&ann.player, reducer, args, "mail.not_in_world").await;
        }
        let at = json!({ "Time": { "__timestamp_micros_since_unix_epoch__": 0 } });
        let timer = json!([{ "scheduled_id": 1, "scheduled_at": at }]);
        refused(&ann.player, "mail_due_run", timer, "realm.database_only").await;
    });
}

#[test]
fn a_letter_is_its_recipients_business_alone() {
    on_database(|database| async move {
        let office = Office::open(database).await;
        let ann = office.person("Ann").await;
        let bob = office.person("Bob").await;
        let cid = office.person("Cid").await;
        office.give(&ann, &[(ARROW, 5)], 100).await;
        let stack = office.stack(&ann).await;
        let letter = office.letter("Bob", &[(stack, 5)], 0, 0);
        ann.player.call("mail_send", letter).await.expect("sent");
        let mail_id = office.only_letter(bob.id).await;
        let tries = || {
            [
                ("mail_read", json!([mail_id])),
                ("mail_delete", json!([mail_id])),
                ("mail_take", json!([mail_id, 0, 0, office.command()])),
                ("mail_take", json!([mail_id, stack, 0, office.command()])),
                ("mail_return", json!([mail_id, office.command()])),
            ]
        };
        // While it is on its way not even he has it.
        for person in [&ann, &bob, &cid] {
            for (reducer, args) in tries() {
                refused(&person.player, reducer, args, "mail.unknown").await;
            }
        }
        office.age(mail_id).await;
        for person in [&ann, &cid] {
            for (reducer, args) in tries() {
                refused(&person.player, reducer, args, "mail.unknown").await;
            }
        }
        refused(&bob.player, "mail_delete", json!([mail_id]), "mail.not_empty").await;
        let take = json!([mail_id, 77, 0, office.command()]);
        refused(&bob.player, "mail_take", take, "item.unknown").await;
        // What is over is not taken any more, even before it is handled.
        office
            .database
            .run(&format!("UPDATE mail SET expires_at_micros = 1 WHERE mail_id = {mail_id}"))
            .await;
        for (reducer, args) in tries() {
            refused(&bob.player, reducer, args, "mail.unknown").await;
        }
    });
}

#[test]
fn letters_without_goods_and_those_of_staff_do_not_go_back() {
    on_database(|database| async move {
        let office = Office::open(database).await;
        let ann = office.person("Ann").await;
        let bob = office.person("Bob").await;
        office.give(&ann, &[], 100).await;
        let letter = office.letter("Bob", &[], 0, 0);
        ann.player.call("mail_send", letter).await.expect("sent");
        let gift = office.gift("Bob", &[(TORCH, 1)], 5);
        office.database.owner.call("mail_send_by_staff", gift).await.expect("sent");
        for letter in office.letters(bob.id).await {
            let back = json!([letter["mail_id"], office.command()]);
            refused(&bob.player, "mail_return", back, "mail.not_returnable").await;
        }
        let words = office.letters(bob.id).await[0]["mail_id"].clone();
        let take = json!([words, 0, 0, office.command()]);
        refused(&bob.player, "mail_take", take, "mail.empty").await;
    });
}

#[test]
fn a_full_bag_takes_nothing_of_a_letter_or_what_there_is_room_for() {
    on_database(|database| async move {
        let office = Office::open(database).await;
        let ann = office.person("Ann").await;
        let slots = u32::from(haven_rules::items::BAG_SLOTS);
        // All slots but one, one stack each.
        for _ in 0..slots - 1 {
            office.give(&ann, &[(TORCH, 20)], 0).await;
        }
        let gift = office.gift("Ann", &[(ARROW, 20), (TORCH, 20)], 8);
        office.database.owner.call("mail_send_by_staff", gift).await.expect("sent");
        let mail_id = office.only_letter(ann.id).await;
        let take = json!([mail_id, 0, 0, office.command()]);
        refused(&ann.player, "mail_take", take, "item.no_room").await;
        assert_eq!(office.copper(WALLET, ann.id).await, 0);
        let all = json!([office.command()]);
        ann.player.call("mail_take_all", all).await.expect("what there is room for");
        assert_eq!(office.copper(WALLET, ann.id).await, 8);
        assert_eq!(office.stacks(BAG, ann.id).await.len(), usize::try_from(slots).expect("few"));
        assert_eq!(office.stacks(super::MAIL, mail_id).await.len(), 1);
        refused(&ann.player, "mail_take_all", json!([office.command()]), "item.no_room").await;
    });
}

#[test]
fn an_account_sends_so_many_letters_an_hour_with_whichever_character() {
    on_database(|database| async move {
        let office = Office::open(database).await;
        let ann = office.person("Ann").await;
        let bob = office.person("Bob").await;
        office.give(&ann, &[], 10_000).await;
        for _ in 0..60 {
            let letter = office.letter("Bob", &[], 0, 0);
            ann.player.call("mail_send", letter).await.expect("within the hour's");
        }
        let letter = office.letter("Bob", &[], 0, 0);
        refused(&ann.player, "mail_send", letter, "mail.too_often").await;
        assert_eq!(office.letters(bob.id).await.len(), 60);
        let unread = office.database.rows("mail_unread").await;
        let unread = unread.iter().find(|row| row["character_id"] == bob.id).expect("a row");
        assert_eq!(unread["unread"], 60);
        let rates = office.database.rows("mail_rate").await;
        assert_eq!(rates.len(), 1);
        let free: &Value = &rates[0]["free_at_micros"];
        let sooner = free.as_i64().expect("an instant") - 61_000_000;
        office.database.run(&format!("UPDATE mail_rate SET free_at_micros = {sooner}")).await;
        let letter = office.letter("Bob", &[], 0, 0);
        ann.player.call("mail_send", letter).await.expect("a minute later");
        let letter = office.letter("Bob", &[], 0, 0);
        refused(&ann.player, "mail_send", letter, "mail.too_often").await;
    });
}

#[test]
fn what_an_account_has_sent_is_forgotten_when_all_is_given_back() {
    on_database(|database| async move {
        let office = Office::open(database).await;
        let ann = office.person("Ann").await;
        let bob = office.person("Bob").await;
        for person in [&ann, &bob] {
            office.give(person, &[], 1_000).await;
        }
        for (person, to) in [(&ann, "Bob"), (&bob, "Ann")] {
            let letter = office.letter(to, &[], 0, 0);
            person.player.call("mail_send", letter).await.expect("sent");
        }
        // As if all had been given back to Ann: her key with an instant of 0.
        let account_id = ann.account_id;
        let set = format!("free_at_micros = 0, sweep_key = {account_id}");
        let query = format!("UPDATE mail_rate SET {set} WHERE account_id = {account_id}");
        office.database.run(&query).await;
        let left = async || {
            let rates = office.database.rows("mail_rate").await.into_iter();
            rates.map(|row| row["account_id"].clone()).collect::<Vec<_>>()
        };
        until("hers is gone", || async { (left().await.len() == 1).then_some(()) }).await;
        assert_eq!(left().await, [json!(bob.account_id)], "he has not got all back");
        let letter = office.letter("Bob", &[], 0, 0);
        ann.player.call("mail_send", letter).await.expect("sent");
        assert_eq!(left().await.len(), 2);
    });
}

#[test]
fn who_is_blocked_or_not_chosen_finds_a_full_mailbox() {
    on_database(|database| async move {
        let office = Office::open(database).await;
        let ann = office.person("Ann").await;
        let bob = office.person("Bob").await;
        office.give(&ann, &[(ARROW, 5)], 100).await;
        let stack = office.stack(&ann).await;
        bob.player.call("block_add", json!(["Ann"])).await.expect("blocked");
        let before = crate::support::snapshot::all_rows(&office.database).await;
        for attached in [&[][..], &[(stack, 5)]] {
            let letter = office.letter("Bob", attached, 0, 0);
            refused(&ann.player, "mail_send", letter, "mail.mailbox_full").await;
        }
        let after = crate::support::snapshot::all_rows(&office.database).await;
        assert_eq!(before, after, "nothing is gone");
        // 6 is mail; 1 friends, 2 nobody, 0 everyone.
        for whom in [1, 2] {
            bob.player.call("privacy_set", json!([6, whom])).await.expect("chosen");
            let letter = office.letter("Bob", &[], 0, 0);
            refused(&ann.player, "mail_send", letter, "mail.mailbox_full").await;
        }
        let blocks = office.database.rows("friend_block_name").await;
        let args = json!([blocks[0]["block_id"]]);
        bob.player.call("block_remove", args).await.expect("taken back");
        bob.player.call("privacy_set", json!([6, 0])).await.expect("chosen");
        let letter = office.letter("Bob", &[(stack, 5)], 0, 0);
        ann.player.call("mail_send", letter).await.expect("sent");
    });
}

#[test]
fn who_is_muted_writes_to_no_other_account() {
    on_database(|database| async move {
        let office = Office::open(database).await;
        let ann = office.person("Ann").await;
        let bob = office.person("Bob").await;
        office.give(&ann, &[(ARROW, 5)], 1_000).await;
        office.give(&bob, &[(TORCH, 1)], 1_000).await;
        let twin = office.database.create(ann.account_id, "Anna").await;
        let owner = &office.database.owner;
        // What was sent before: to her, and by her for cash.
        let (arrow, torch) = (office.stack(&ann).await, office.stack(&bob).await);
        let letter = office.letter("Ann", &[(torch, 1)], 0, 0);
        bob.player.call("mail_send", letter).await.expect("sent");
        let to_ann = office.only_letter(ann.id).await;
        office.age(to_ann).await;
        let letter = office.letter("Bob", &[(arrow, 2)], 0, 40);
        ann.player.call("mail_send", letter).await.expect("sent");
        let to_bob = office.only_letter(bob.id).await;
        office.age(to_bob).await;
        let mute = json!(["Ann", 3_600, false, "abuse"]);
        owner.call("chat_mute", mute).await.expect("muted");
        let arrow = office.stack(&ann).await;
        let before = crate::support::snapshot::all_rows(&office.database).await;
        for attached in [&[][..], &[(arrow, 1)]] {
            let letter = office.letter("Bob", attached, 0, 0);
            refused(&ann.player, "mail_send", letter, "chat.muted").await;
        }
        let letter = office.letter("Nemo", &[], 0, 0);
        refused(&ann.player, "mail_send", letter, "mail.recipient_unknown").await;
        let after = crate::support::snapshot::all_rows(&office.database).await;
        assert_eq!(before, after, "nothing is gone");
        // What has no new words of hers goes, and so does what stays within her account.
        let back = json!([to_ann, office.command()]);
        ann.player.call("mail_return", back).await.expect("sent back");
        let pay = json!([to_bob, 0, 40, office.command()]);
        bob.player.call("mail_take", pay).await.expect("paid and taken");
        assert_eq!(office.letters(ann.id).await.len(), 1, "what was paid");
        let letter = office.letter("Anna", &[(arrow, 1)], 0, 0);
        ann.player.call("mail_send", letter).await.expect("to her own");
        assert_eq!(office.letters(twin).await.len(), 1);
        // A shadow is not told: it finds all mailboxes full.
        let mute = json!(["Ann", 3_600, true, "abuse"]);
        owner.call("chat_mute", mute).await.expect("muted");
        let arrow = office.stack(&ann).await;
        for attached in [&[][..], &[(arrow, 1)]] {
            let letter = office.letter("Bob", attached, 0, 0);
            refused(&ann.player, "mail_send", letter, "mail.mailbox_full").await;
        }
        let letter = office.letter("Anna", &[], 0, 0);
        ann.player.call("mail_send", letter).await.expect("to her own");
        owner.call("chat_unmute", json!(["Ann"])).await.expect("lifted");
        let letter = office.letter("Bob", &[(arrow, 1)], 0, 0);
        ann.player.call("mail_send", letter).await.expect("sent");
    });
}

#[test]
fn what_cannot_be_taken_does_not_hold_up_the_rest() {
    on_database(|database| async move {
        let office = Office::open(database).await;
        let ann = office.person("Ann").await;
        let owner = &office.database.owner;
        // One more letter than one call takes from, all of them before the one that counts.
        for _ in 0..26 {
            let gift = office.gift("Ann", &[(TORCH, 1)], 0);
            owner.call("mail_send_by_staff", gift).await.expect("sent");
        }
        office.database.run(&format!("UPDATE item SET flags = 1 WHERE def = '{TORCH}'")).await;
        refused(&ann.player, "mail_take_all", json!([office.command()]), "item.frozen").await;
        let gift = office.gift("Ann", &[(ARROW, 5)], 7);
        owner.call("mail_send_by_staff", gift).await.expect("sent");
        ann.player.call("mail_take_all", json!([office.command()])).await.expect("taken");
        assert_eq!(office.stacks(BAG, ann.id).await.len(), 1);
        assert_eq!(office.copper(WALLET, ann.id).await, 7);
    });
}
