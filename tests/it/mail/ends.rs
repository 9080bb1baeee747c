//! How letters end: expired, without a sender, without a recipient, before a full mailbox. Nothing
//! of value is lost on any of these ways.

use super::{ARROW, BAG, LOST, LOST_COINS, MAIL, Office, Person, TORCH, WALLET};
use crate::support::snapshot::Story;
use crate::support::{now_micros, on_database};
use haven_rules::mail::MAILBOX_LETTERS_MAX;
use serde_json::json;
use std::time::Duration;

/// Somebody with 5 arrows and 200 copper, and somebody with nothing.
async fn two(office: &Office) -> (Person, Person) {
    let ann = office.person("Ann").await;
    let bob = office.person("Bob").await;
    office.give(&ann, &[(ARROW, 5)], 200).await;
    (ann, bob)
}

/// Ann sends Bob her arrows, for so much.
async fn sends_arrows(office: &Office, ann: &Person, bob: &Person, cod_copper: u64) -> u64 {
    let stack = office.stack(ann).await;
    let letter = office.letter(&bob.name, &[(stack, 5)], 0, cod_copper);
    ann.player.call("mail_send", letter).await.expect("sent");
    office.only_letter(bob.id).await
}

async fn fill(office: &Office, person: &Person) {
    for _ in office.letters(person.id).await.len()..usize::from(MAILBOX_LETTERS_MAX) {
        let gift = office.gift(&person.name, &[], 0);
        office.database.owner.call("mail_send_by_staff", gift).await.expect("room for it");
    }
}

#[test]
fn what_nobody_pays_goes_back_and_what_nobody_takes_is_lost_and_found() {
    on_database(|database| async move {
        let office = Office::open(database).await;
        let (ann, bob) = two(&office).await;
        let mail_id = sends_arrows(&office, &ann, &bob, 75).await;
        let totals = office.totals().await;
        office.age(mail_id).await;
        let mut story = Story::begin(&office.database).await;
        office.age(mail_id).await;
        story.note("three days later").await;
        office.age(mail_id).await;
        story.note("thirty days later").await;
        assert_eq!(office.totals().await, totals);
        let claim = json!([office.command()]);
        story.call("bob", &bob.player, "lost_claim", claim).await;
        let claim = json!([office.command()]);
        story.call("ann", &ann.player, "lost_claim", claim.clone()).await;
        story.call("ann", &ann.player, "lost_claim", claim).await;
        let claim = json!([office.command()]);
        story.call("ann", &ann.player, "lost_claim", claim).await;
        assert_eq!(office.totals().await, totals);
        insta::assert_snapshot!(story.end());
    });
}

#[test]
fn a_letter_with_nothing_in_it_is_gone_when_it_is_over() {
    on_database(|database| async move {
        let office = Office::open(database).await;
        let (ann, bob) = two(&office).await;
        let letter = office.letter("Bob", &[], 0, 0);
        ann.player.call("mail_send", letter).await.expect("sent");
        let mail_id = office.only_letter(bob.id).await;
        let mut story = Story::begin(&office.database).await;
        office.age(mail_id).await;
        story.note("thirty days later").await;
        insta::assert_snapshot!(story.end());
    });
}

#[test]
fn a_full_mailbox_refuses_players_and_leaves_what_must_come_to_the_lost_and_found() {
    on_database(|database| async move {
        let office = Office::open(database).await;
        let (ann, bob) = two(&office).await;
        let mail_id = sends_arrows(&office, &ann, &bob, 75).await;
        office.age(mail_id).await;
        let letter = office.letter("Bob", &[], 33, 0);
        ann.player.call("mail_send", letter).await.expect("sent");
        let coins = office.letters(bob.id).await[1]["mail_id"].as_u64().expect("a number");
        office.age(coins).await;
        office.give(&bob, &[], 100).await;
        fill(&office, &bob).await;
        fill(&office, &ann).await;
        let totals = office.totals().await;
        let mut story = Story::begin(&office.database).await;
        let letter = office.letter("Bob", &[], 0, 0);
        story.call("ann", &ann.player, "mail_send", letter).await;
        let gift = office.gift("Ann", &[(TORCH, 1)], 0);
        story.call("owner", &office.database.owner, "mail_send_by_staff", gift).await;
        // Her mailbox is full, too: what comes back to her and what she is paid is found there.
        let back = json!([coins, office.command()]);
        story.call("bob", &bob.player, "mail_return", back).await;
        let take = json!([mail_id, 0, 75, office.command()]);
        story.call("bob", &bob.player, "mail_take", take).await;
        assert_eq!(office.totals().await, totals);
        assert_eq!(office.copper(LOST_COINS, ann.account_id).await, 33 + 75);
        let wallet = office.copper(WALLET, ann.id).await;
        let claim = json!([office.command()]);
        story.call("ann", &ann.player, "lost_claim", claim).await;
        assert_eq!(office.copper(WALLET, ann.id).await, wallet + 33 + 75);
        assert_eq!(office.totals().await, totals);
        // Now there is one place in his.
        let letter = office.letter("Bob", &[], 0, 0);
        story.call("ann", &ann.player, "mail_send", letter).await;
        insta::assert_snapshot!(story.end());
    });
}

/// Deletes somebody who is in the world.
async fn delete(office: &Office, person: &Person) {
    person.player.call("character_leave", json!([])).await.expect("left");
    let args = json!([person.account_id, person.id]);
    office.database.owner.call("character_delete", args).await.expect("deleted");
}

/// Lets a deleted character be removed for good. That is looked after once a minute.
async fn purge(office: &Office, person: &Person) {
    let id = person.id;
    office
        .database
        .run(&format!(
            "UPDATE character_deletion SET purge_at_micros = 1 WHERE character_id = {id}"
        ))
        .await;
    let mut ticks = tokio::time::interval(Duration::from_millis(250));
    for _ in 0..400 {
        ticks.tick().await;
        let rows = office.database.rows("character").await;
        if rows.iter().all(|row| row["character_id"] != id) {
            return;
        }
    }
    panic!("the character was not removed");
}

/// Another character of the same account enters.
async fn plays(office: &Office, person: &Person, name: &str) {
    let id = office.database.create(person.account_id, name).await;
    person.player.call("character_enter", json!([id])).await.expect("entered");
}

#[test]
fn what_comes_back_to_a_sender_that_is_deleted_is_found_by_its_account() {
    on_database(|database| async move {
        let office = Office::open(database).await;
        let (ann, bob) = two(&office).await;
        let mail_id = sends_arrows(&office, &ann, &bob, 75).await;
        office.age(mail_id).await;
        let totals = office.totals().await;
        delete(&office, &ann).await;
        let mut story = Story::begin(&office.database).await;
        office.age(mail_id).await;
        story.note("three days later").await;
        plays(&office, &ann, "Amy").await;
        story.note("ann plays amy").await;
        let claim = json!([office.command()]);
        story.call("amy", &ann.player, "lost_claim", claim).await;
        assert_eq!(office.totals().await, totals);
        insta::assert_snapshot!(story.end());
    });
}

#[test]
fn what_is_on_its_way_to_a_recipient_that_is_deleted_goes_back() {
    on_database(|database| async move {
        let office = Office::open(database).await;
        let (ann, bob) = two(&office).await;
        let mail_id = sends_arrows(&office, &ann, &bob, 0).await;
        let totals = office.totals().await;
        delete(&office, &bob).await;
        let mut story = Story::begin(&office.database).await;
        office.age(mail_id).await;
        story.note("an hour later").await;
        let letter = office.letter("Bob", &[], 0, 0);
        story.call("ann", &ann.player, "mail_send", letter).await;
        let take = json!([mail_id, 0, 0, office.command()]);
        story.call("ann", &ann.player, "mail_take", take).await;
        assert_eq!(office.totals().await, totals);
        insta::assert_snapshot!(story.end());
    });
}

#[test]
fn the_letters_of_who_is_removed_for_good_go_back_or_to_its_account() {
    on_database(|database| async move {
        let office = Office::open(database).await;
        let (ann, bob) = two(&office).await;
        let cid = office.person("Cid").await;
        let mail_id = sends_arrows(&office, &ann, &bob, 75).await;
        office.age(mail_id).await;
        let gift = office.gift("Bob", &[(TORCH, 2)], 9);
        office.database.owner.call("mail_send_by_staff", gift).await.expect("sent");
        // What Bob has sent himself and what he is owed for it outlives him, too.
        office.give(&bob, &[(TORCH, 3)], 60).await;
        let torches = office.stack(&bob).await;
        let letter = office.letter("Cid", &[(torches, 3)], 0, 20);
        bob.player.call("mail_send", letter).await.expect("sent");
        let sent = office.only_letter(cid.id).await;
        office.age(sent).await;
        office.give(&cid, &[], 20).await;
        let totals = office.totals().await;
        delete(&office, &bob).await;
        purge(&office, &bob).await;
        assert_eq!(office.only_letter(ann.id).await, mail_id, "it went back");
        assert_eq!(office.stacks(LOST, bob.account_id).await.len(), 1, "what staff gave");
        assert!(office.letters(bob.id).await.is_empty());
        let take = json!([sent, 0, 20, office.command()]);
        cid.player.call("mail_take", take).await.expect("paid and taken");
        assert_eq!(office.copper(LOST_COINS, bob.account_id).await, 9 + 20);
        plays(&office, &bob, "Bert").await;
        bob.player.call("lost_claim", json!([office.command()])).await.expect("claimed");
        assert!(office.stacks(LOST, bob.account_id).await.is_empty());
        assert!(office.stacks(MAIL, mail_id).await.len() == 1);
        let (coins, items) = office.totals().await;
        assert_eq!((coins, items.get(ARROW), items.get(TORCH)), (0, Some(&5), Some(&5)));
        assert_eq!(totals.0, 0);
    });
}

#[test]
fn what_staff_keeps_from_moving_is_held_and_comes_when_it_may() {
    on_database(|database| async move {
        let office = Office::open(database).await;
        let (ann, bob) = two(&office).await;
        let letter = office.letter("Bob", &[], 44, 0);
        ann.player.call("mail_send", letter).await.expect("sent");
        let mail_id = office.only_letter(bob.id).await;
        office.age(mail_id).await;
        let frozen = |is_frozen: bool| {
            format!("UPDATE ledger_account SET is_frozen = {is_frozen} WHERE kind = 2")
        };
        office.database.run(&frozen(true)).await;
        let back = json!([mail_id, office.command()]);
        super::refused(&bob.player, "mail_return", back, "economy.frozen").await;
        let take = json!([mail_id, 0, 0, office.command()]);
        super::refused(&bob.player, "mail_take", take, "economy.frozen").await;
        office.age(mail_id).await;
        assert_eq!(office.only_letter(ann.id).await, mail_id, "it went back, frozen");
        let mut story = Story::begin(&office.database).await;
        office.age(mail_id).await;
        story.note("thirty days later").await;
        let claim = json!([office.command()]);
        story.call("ann", &ann.player, "lost_claim", claim).await;
        office.database.run(&frozen(false)).await;
        office.age(mail_id).await;
        story.note("staff lets them go").await;
        let claim = json!([office.command()]);
        story.call("ann", &ann.player, "lost_claim", claim).await;
        insta::assert_snapshot!(story.end());
        assert_eq!(office.totals().await.0, 0);
    });
}

#[test]
fn what_is_paid_for_and_left_stays_with_who_paid() {
    on_database(|database| async move {
        let office = Office::open(database).await;
        let (ann, bob) = (office.person("Ann").await, office.person("Bob").await);
        office.give(&ann, &[(ARROW, 5), (TORCH, 2)], 200).await;
        office.give(&bob, &[], 75).await;
        let stacks = office.stacks(BAG, ann.id).await;
        let count = |count: u64| u32::try_from(count).expect("few");
        let attached: Vec<_> = stacks.iter().map(|stack| (stack.0, count(stack.2))).collect();
        let letter = office.letter("Bob", &attached, 0, 75);
        ann.player.call("mail_send", letter).await.expect("sent");
        let mail_id = office.only_letter(bob.id).await;
        office.age(mail_id).await;
        let totals = office.totals().await;
        let first = &stacks[0];
        let take = json!([mail_id, first.0, 75, office.command()]);
        bob.player.call("mail_take", take).await.expect("paid, and one of two taken");
        let row = office.letters(bob.id).await.remove(0);
        let expires_at = row["expires_at_micros"].as_i64().expect("an instant");
        assert!(expires_at > now_micros() + 29 * 86_400_000_000, "30 days from when it is paid");
        let back = json!([mail_id, office.command()]);
        super::refused(&bob.player, "mail_return", back, "mail.not_returnable").await;
        office.age(mail_id).await;
        assert_eq!(office.stacks(LOST, bob.account_id).await, stacks[1..]);
        assert!(office.stacks(LOST, ann.account_id).await.is_empty());
        let paid = office.only_letter(ann.id).await;
        assert_ne!(paid, mail_id, "she has the coins, and not the goods");
        bob.player.call("lost_claim", json!([office.command()])).await.expect("claimed");
        assert_eq!(office.stacks(BAG, bob.id).await.len(), 2);
        assert_eq!(office.totals().await, totals);
    });
}

#[test]
fn what_is_held_and_cannot_move_leaves_no_cause() {
    on_database(|database| async move {
        let office = Office::open(database).await;
        let (ann, bob) = two(&office).await;
        let letter = office.letter("Bob", &[], 44, 0);
        ann.player.call("mail_send", letter).await.expect("sent");
        let mail_id = office.only_letter(bob.id).await;
        office.age(mail_id).await;
        office.database.run("UPDATE ledger_account SET is_frozen = true WHERE kind = 2").await;
        let causes = async || office.database.rows("ledger_cause").await.len();
        let before = causes().await;
        // It goes back, is over, and is tried again every hour.
        for _ in 0..4 {
            office.age(mail_id).await;
        }
        assert_eq!(office.database.rows("mail_held").await.len(), 1);
        assert_eq!(causes().await, before);
    });
}
