//! What calls do to rows: sent, delivered, read, taken, paid, sent back.

use super::{ARROW, Office, TORCH};
use crate::support::on_database;
use crate::support::snapshot::Story;
use serde_json::json;

#[test]
fn a_letter_of_an_own_character_is_there_at_once_and_empties_into_bag_and_wallet() {
    on_database(|database| async move {
        let office = Office::open(database).await;
        let ann = office.person("Ann").await;
        office.database.create(ann.account_id, "Amy").await;
        office.give(&ann, &[(ARROW, 7), (TORCH, 1)], 500).await;
        let stack = office.stack(&ann).await;
        let mut story = Story::begin(&office.database).await;
        let letter = office.letter("amy", &[(stack, 3)], 120, 0);
        story.call("ann", &ann.player, "mail_send", letter.clone()).await;
        story.call("ann", &ann.player, "mail_send", letter).await;
        ann.player.call("character_leave", json!([])).await.expect("left");
        let amy = office.database.rows("character").await;
        let amy = amy.iter().find(|row| row["name"] == "Amy").expect("Amy")["character_id"].clone();
        ann.player.call("character_enter", json!([amy])).await.expect("entered");
        story.note("ann plays amy").await;
        story.call("amy", &ann.player, "mail_read", json!([2])).await;
        story.call("amy", &ann.player, "mail_read", json!([2])).await;
        story.call("amy", &ann.player, "mail_delete", json!([2])).await;
        let take = json!([2, 0, 0, office.command()]);
        story.call("amy", &ann.player, "mail_take", take.clone()).await;
        story.call("amy", &ann.player, "mail_take", take).await;
        story.call("amy", &ann.player, "mail_delete", json!([2])).await;
        story.call("amy", &ann.player, "mail_delete", json!([2])).await;
        insta::assert_snapshot!(story.end());
    });
}

#[test]
fn cash_on_delivery_is_paid_before_anything_is_taken_and_reaches_who_asked_for_it() {
    on_database(|database| async move {
        let office = Office::open(database).await;
        let ann = office.person("Ann").await;
        let bob = office.person("Bob").await;
        office.give(&ann, &[(ARROW, 5), (TORCH, 2)], 100).await;
        let stack = office.stack(&ann).await;
        let mut story = Story::begin(&office.database).await;
        let letter = office.letter("Bob", &[(stack, 5)], 0, 75);
        story.call("ann", &ann.player, "mail_send", letter).await;
        let mail_id = office.only_letter(bob.id).await;
        // Nobody has it while it is on its way.
        let early = json!([mail_id, 0, 75, office.command()]);
        story.call("bob", &bob.player, "mail_take", early).await;
        office.age(mail_id).await;
        story.note("an hour later").await;
        for cod_copper in [0, 74, 76, u64::MAX] {
            let take = json!([mail_id, 0, cod_copper, office.command()]);
            story.call("bob", &bob.player, "mail_take", take).await;
        }
        // He has no coins.
        let take = json!([mail_id, stack, 75, office.command()]);
        story.call("bob", &bob.player, "mail_take", take.clone()).await;
        office.give(&bob, &[], 80).await;
        story.note("bob gets coins").await;
        story.call("bob", &bob.player, "mail_take", take.clone()).await;
        story.call("bob", &bob.player, "mail_take", take).await;
        let paid = office.only_letter(ann.id).await;
        let take = json!([paid, 0, 0, office.command()]);
        story.call("ann", &ann.player, "mail_take", take).await;
        insta::assert_snapshot!(story.end());
    });
}

#[test]
fn a_letter_goes_back_once_with_what_is_left_in_it() {
    on_database(|database| async move {
        let office = Office::open(database).await;
        let ann = office.person("Ann").await;
        let bob = office.person("Bob").await;
        office.give(&ann, &[(ARROW, 5), (TORCH, 2)], 100).await;
        let stack = office.stack(&ann).await;
        let letter = office.letter("Bob", &[(stack, 5)], 40, 0);
        ann.player.call("mail_send", letter).await.expect("sent");
        let mail_id = office.only_letter(bob.id).await;
        office.age(mail_id).await;
        let mut story = Story::begin(&office.database).await;
        let take = json!([mail_id, stack, 0, office.command()]);
        story.call("bob", &bob.player, "mail_take", take).await;
        let back = json!([mail_id, office.command()]);
        story.call("bob", &bob.player, "mail_return", back.clone()).await;
        story.call("bob", &bob.player, "mail_return", back).await;
        let again = json!([mail_id, office.command()]);
        story.call("bob", &bob.player, "mail_return", again).await;
        let again = json!([mail_id, office.command()]);
        story.call("ann", &ann.player, "mail_return", again).await;
        let all = json!([office.command()]);
        story.call("ann", &ann.player, "mail_take_all", all).await;
        insta::assert_snapshot!(story.end());
    });
}

#[test]
fn a_renamed_recipient_keeps_its_letters_and_gets_more_under_its_new_name() {
    on_database(|database| async move {
        let office = Office::open(database).await;
        let ann = office.person("Ann").await;
        let bob = office.person("Bob").await;
        office.give(&ann, &[(ARROW, 5)], 200).await;
        let stack = office.stack(&ann).await;
        let letter = office.letter("Bob", &[(stack, 5)], 0, 0);
        ann.player.call("mail_send", letter).await.expect("sent");
        let mail_id = office.only_letter(bob.id).await;
        let owner = &office.database.owner;
        let mut story = Story::begin(&office.database).await;
        story.call("owner", owner, "character_rename", json!([bob.id, "Bertram"])).await;
        office.age(mail_id).await;
        story.note("an hour later").await;
        for name in ["Bob", "Bertram"] {
            let letter = office.letter(name, &[], 0, 0);
            story.call("ann", &ann.player, "mail_send", letter).await;
        }
        let back = json!([mail_id, office.command()]);
        story.call("bertram", &bob.player, "mail_return", back).await;
        insta::assert_snapshot!(story.end());
    });
}

#[test]
fn staff_sends_goods_and_leaves_a_trace() {
    on_database(|database| async move {
        let office = Office::open(database).await;
        let ann = office.person("Ann").await;
        let owner = &office.database.owner;
        let mut story = Story::begin(&office.database).await;
        for (gift, who) in [
            (office.gift("Ann", &[(ARROW, 30), (TORCH, 1)], 12), owner),
            (office.gift("Ann", &[(ARROW, 1)], 0), &ann.player),
            (office.gift("Nemo", &[(ARROW, 1)], 0), owner),
            (office.gift("Ann", &[("", 1)], 0), owner),
            (office.gift("Ann", &[(ARROW, 0)], 0), owner),
            (office.gift("Ann", &[(ARROW, u32::MAX)], 0), owner),
            (office.gift("Ann", &[(ARROW, 1); 13], 0), owner),
            (office.gift("Ann", &[], u64::MAX), owner),
        ] {
            story.call("somebody", who, "mail_send_by_staff", gift).await;
        }
        insta::assert_snapshot!(story.end());
    });
}
