//! Commands that race for the same goods: one wins, the other is told why not, totals hold.

use super::{ARROW, BAG, Office, Person, WALLET, refused};
use crate::support::client::Client;
use crate::support::on_database;
use serde_json::{Value, json};

/// Sends both at once, in that order, and answers the codes of their refusals.
async fn both(one: (&Client, &str, Value), other: (&Client, &str, Value)) -> [Option<String>; 2] {
    let (first, second) = futures::join!(one.0.call(one.1, one.2), other.0.call(other.1, other.2));
    [first, second].map(|outcome| {
        let message = outcome.err()?;
        Some(message.split(':').next().unwrap_or_default().to_owned())
    })
}

async fn with_a_letter(office: &Office, cod_copper: u64) -> (Person, Person, u64) {
    let ann = office.person("Ann").await;
    let bob = office.person("Bob").await;
    office.give(&ann, &[(ARROW, 5)], 100).await;
    office.give(&bob, &[], 100).await;
    let stack = office.stack(&ann).await;
    let letter = office.letter("Bob", &[(stack, 5)], 0, cod_copper);
    ann.player.call("mail_send", letter).await.expect("sent");
    let mail_id = office.only_letter(bob.id).await;
    office.age(mail_id).await;
    (ann, bob, mail_id)
}

#[test]
fn of_taking_twice_taking_all_returning_and_deleting_the_first_wins() {
    let names = ["mail_take", "mail_take_all", "mail_return", "mail_delete"];
    for (one, other, codes) in [
        (0, 0, [None, Some("mail.empty")]),
        (0, 1, [None, Some("mail.empty")]),
        (0, 2, [None, Some("mail.not_returnable")]),
        (0, 3, [None, None]),
        (1, 0, [None, Some("mail.empty")]),
        (1, 1, [None, Some("mail.empty")]),
        (1, 2, [None, Some("mail.not_returnable")]),
        (1, 3, [None, None]),
        (2, 0, [None, Some("mail.unknown")]),
        (2, 1, [None, Some("mail.empty")]),
        (2, 2, [None, Some("mail.unknown")]),
        (2, 3, [None, Some("mail.unknown")]),
        (3, 0, [Some("mail.not_empty"), None]),
        (3, 1, [Some("mail.not_empty"), None]),
        (3, 2, [Some("mail.not_empty"), None]),
    ] {
        on_database(|database| async move {
            let office = Office::open(database).await;
            let (ann, bob, mail_id) = with_a_letter(&office, 0).await;
            let totals = office.totals().await;
            let args = |which: usize| match which {
                0 => json!([mail_id, 0, 0, office.command()]),
                1 => json!([office.command()]),
                2 => json!([mail_id, office.command()]),
                _ => json!([mail_id]),
            };
            let player = &bob.player;
            let told = both((player, names[one], args(one)), (player, names[other], args(other)));
            let told = told.await;
            let expected = codes.map(|code| code.map(str::to_owned));
            assert_eq!(told, expected, "{} and {}", names[one], names[other]);
            assert_eq!(office.totals().await, totals);
            let taken = office.stacks(BAG, bob.id).await.len();
            let went_back = office.letters(ann.id).await.len();
            assert_eq!(taken + went_back, 1, "{} and {}", names[one], names[other]);
        });
    }
}

#[test]
fn one_command_sent_twice_sends_takes_and_pays_once() {
    on_database(|database| async move {
        let office = Office::open(database).await;
        let (ann, bob, mail_id) = with_a_letter(&office, 60).await;
        let totals = office.totals().await;
        let (player, take) = (&bob.player, json!([mail_id, 0, 60, office.command()]));
        let told = both((player, "mail_take", take.clone()), (player, "mail_take", take)).await;
        assert_eq!(told, [None, None]);
        assert_eq!(office.copper(WALLET, bob.id).await, 40);
        let paid = office.only_letter(ann.id).await;
        let (player, letter) = (&ann.player, office.letter("Bob", &[], 5, 0));
        let told = both((player, "mail_send", letter.clone()), (player, "mail_send", letter)).await;
        assert_eq!(told, [None, None]);
        assert_eq!(office.letters(bob.id).await.len(), 2);
        let take = json!([paid, 0, 0, office.command()]);
        let told = both((player, "mail_take", take.clone()), (player, "mail_take", take)).await;
        assert_eq!(told, [None, None]);
        // 100, less two letters' postage of 30, 30 for a stack, and 5; 60 that were paid.
        assert_eq!(office.copper(WALLET, ann.id).await, 100 - 60 - 30 - 5 + 60);
        assert_eq!(office.totals().await, totals);
    });
}

#[test]
fn what_is_offered_in_a_trade_or_frozen_is_not_sent() {
    on_database(|database| async move {
        let office = Office::open(database).await;
        let ann = office.person("Ann").await;
        office.person("Bob").await;
        office.give(&ann, &[(ARROW, 5)], 100).await;
        let stack = office.stack(&ann).await;
        for (flags, code) in [(2, "item.locked"), (1, "item.frozen"), (3, "item.frozen")] {
            office
                .database
                .run(&format!("UPDATE item SET flags = {flags} WHERE item_id = {stack}"))
                .await;
            let letter = office.letter("Bob", &[(stack, 5)], 0, 0);
            refused(&ann.player, "mail_send", letter, code).await;
        }
    });
}

#[test]
fn one_stack_goes_with_one_letter() {
    on_database(|database| async move {
        let office = Office::open(database).await;
        let ann = office.person("Ann").await;
        let bob = office.person("Bob").await;
        office.person("Cid").await;
        office.give(&ann, &[(ARROW, 5)], 200).await;
        let totals = office.totals().await;
        let stack = office.stack(&ann).await;
        let to_bob = office.letter("Bob", &[(stack, 5)], 0, 0);
        let to_cid = office.letter("Cid", &[(stack, 1)], 0, 0);
        let player = &ann.player;
        let told = both((player, "mail_send", to_bob), (player, "mail_send", to_cid)).await;
        assert_eq!(told, [None, Some("item.unknown".to_owned())]);
        assert_eq!(office.totals().await, totals);
        office.only_letter(bob.id).await;
    });
}

#[test]
fn of_sending_and_destroying_a_stack_the_first_wins() {
    for sends_first in [true, false] {
        on_database(|database| async move {
            let office = Office::open(database).await;
            let ann = office.person("Ann").await;
            let bob = office.person("Bob").await;
            office.give(&ann, &[(ARROW, 5)], 100).await;
            let totals = office.totals().await;
            let stack = office.stack(&ann).await;
            let letter = office.letter("Bob", &[(stack, 5)], 0, 0);
            let destroy = json!([stack, 5, office.command()]);
            let (send, destroy) =
                ((&ann.player, "mail_send", letter), (&ann.player, "item_destroy", destroy));
            let told =
                if sends_first { both(send, destroy).await } else { both(destroy, send).await };
            assert_eq!(told, [None, Some("item.unknown".to_owned())]);
            assert_eq!(office.totals().await, totals, "what is destroyed can be restored");
            assert_eq!(office.letters(bob.id).await.len(), usize::from(sends_first));
        });
    }
}

#[test]
fn what_was_done_is_done_for_who_has_left_or_plays_another() {
    on_database(|database| async move {
        let office = Office::open(database).await;
        let (ann, bob) = (office.person("Ann").await, office.person("Bob").await);
        office.give(&ann, &[(ARROW, 9)], 500).await;
        let stack = office.stack(&ann).await;
        let sent = office.letter("Bob", &[(stack, 3)], 0, 0);
        ann.player.call("mail_send", sent.clone()).await.expect("sent");
        for letter in [office.letter("Bob", &[(stack, 3)], 0, 0), office.letter("Bob", &[], 5, 0)] {
            ann.player.call("mail_send", letter).await.expect("sent");
        }
        let letters = office.letters(bob.id).await;
        let mail_ids: Vec<_> =
            letters.iter().map(|row| row["mail_id"].as_u64().expect("a number")).collect();
        for mail_id in &mail_ids {
            office.age(*mail_id).await;
        }
        let done = [
            ("mail_take", json!([mail_ids[0], 0, 0, office.command()])),
            ("mail_return", json!([mail_ids[1], office.command()])),
            ("mail_take_all", json!([office.command()])),
        ];
        for (reducer, args) in &done {
            bob.player.call(reducer, args.clone()).await.expect("done");
        }
        // What came back to Ann is over.
        office.age(mail_ids[1]).await;
        let claim = json!([office.command()]);
        ann.player.call("lost_claim", claim.clone()).await.expect("claimed");
        let totals = office.totals().await;
        let letters = office.letters(bob.id).await;
        for person in [&ann, &bob] {
            person.player.call("character_leave", json!([])).await.expect("left");
        }
        for (reducer, args) in &done {
            bob.player.call(reducer, args.clone()).await.expect("was done");
        }
        for (reducer, args) in [("mail_send", &sent), ("lost_claim", &claim)] {
            ann.player.call(reducer, args.clone()).await.expect("was done");
        }
        let fresh = json!([office.command()]);
        refused(&ann.player, "lost_claim", fresh, "mail.not_in_world").await;
        let twin = office.database.create(ann.account_id, "Anna").await;
        ann.player.call("character_enter", json!([twin])).await.expect("entered");
        ann.player.call("mail_send", sent).await.expect("was done");
        assert_eq!(office.letters(bob.id).await, letters);
        assert_eq!(office.totals().await, totals);
    });
}
