//! Nobody sees another's letters, what is in them, or what is lost of another's.

use super::{ARROW, Office, TORCH};
use crate::support::client::Client;
use crate::support::{on_database, until};
use serde_json::{Value, json};

const SHOWN: [&str; 6] =
    ["mail", "mail_text", "mail_unread", "item", "item_container", "ledger_account"];

/// Every table of which a client was sent a row, in a subscription or an update.
fn seen(value: &Value, found: &mut Vec<(String, String)>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(table)) = fields.get("table_name") {
                let updates = fields.get("updates").and_then(Value::as_array);
                for update in updates.into_iter().flatten() {
                    for list in ["inserts", "deletes"] {
                        for row in update[list].as_array().into_iter().flatten() {
                            found.push((table.clone(), row.to_string()));
                        }
                    }
                }
            }
            fields.values().for_each(|field| seen(field, found));
        }
        Value::Array(values) => values.iter().for_each(|value| seen(value, found)),
        _ => {}
    }
}

fn rows_seen(client: &Client) -> Vec<(String, String)> {
    let mut found = vec![];
    client.messages().iter().for_each(|message| seen(message, &mut found));
    found
}

#[test]
fn a_stranger_sees_nothing_of_letters_and_the_recipient_nothing_before_they_are_delivered() {
    on_database(|database| async move {
        let office = Office::open(database).await;
        let ann = office.person("Ann").await;
        let bob = office.person("Bob").await;
        let cid = office.person("Cid").await;
        office.give(&ann, &[(ARROW, 5), (TORCH, 1)], 200).await;
        let stack = office.stack(&ann).await;
        let queries: Vec<String> =
            SHOWN.iter().map(|table| format!("SELECT * FROM {table}")).collect();
        let queries: Vec<&str> = queries.iter().map(String::as_str).collect();
        for client in [&bob.player, &cid.player] {
            client.subscribe(&queries).await;
        }
        let (own, cids) = (rows_seen(&bob.player), rows_seen(&cid.player));
        let letter = office.letter("Bob", &[(stack, 5)], 20, 0);
        ann.player.call("mail_send", letter).await.expect("sent");
        let mail_id = office.only_letter(bob.id).await;
        // A call of his own comes after all that was sent to him before.
        super::refused(&bob.player, "mail_read", json!([mail_id]), "mail.unknown").await;
        assert_eq!(rows_seen(&bob.player), own, "it is on its way");
        office.age(mail_id).await;
        until("it is shown to its recipient", || async {
            let tables: Vec<String> =
                rows_seen(&bob.player).into_iter().map(|(table, _)| table).collect();
            SHOWN.iter().all(|shown| tables.iter().any(|table| table == shown)).then_some(())
        })
        .await;
        bob.player.call("mail_read", json!([mail_id])).await.expect("read");
        let take = json!([mail_id, stack, 0, office.command()]);
        bob.player.call("mail_take", take).await.expect("taken");
        let back = json!([mail_id, office.command()]);
        bob.player.call("mail_return", back).await.expect("sent back");
        // She does not take it: it is lost and found.
        office.age(mail_id).await;
        ann.player.call("lost_claim", json!([office.command()])).await.expect("claimed");
        let gift = office.gift("Bob", &[], 0);
        office.database.owner.call("mail_send_by_staff", gift).await.expect("sent");
        let empty = office.only_letter(bob.id).await;
        bob.player.call("mail_delete", json!([empty])).await.expect("deleted");
        super::refused(&cid.player, "mail_read", json!([mail_id]), "mail.unknown").await;
        assert_eq!(rows_seen(&cid.player), cids, "it is none of his business");
        cid.player.subscribe(&queries).await;
        let later = rows_seen(&cid.player);
        assert!(later.iter().all(|row| cids.contains(row)), "later neither: {later:?}");
    });
}

#[test]
fn tables_behind_letters_are_nobodys() {
    on_database(|database| async move {
        let office = Office::open(database).await;
        let ann = office.person("Ann").await;
        for (number, table) in
            (900..).zip(["mail_due", "mail_box", "mail_held", "mail_rate", "mail_forwarding"])
        {
            ann.player.send(&json!({ "SubscribeMulti": {
                "query_strings": [format!("SELECT * FROM {table}")],
                "request_id": number, "query_id": { "id": number },
            }}));
        }
        until("all are refused", || async {
            let messages = ann.player.messages();
            let refused = |message: &&Value| message.get("SubscriptionError").is_some();
            let applied = |message: &Value| message.get("SubscribeMultiApplied").is_some();
            assert!(!messages.iter().any(applied), "{messages:?}");
            (messages.iter().filter(refused).count() == 5).then_some(())
        })
        .await;
    });
}

#[test]
fn an_account_that_comes_with_another_identity_sees_its_letters() {
    on_database(|database| async move {
        let office = Office::open(database).await;
        let ann = office.person("Ann").await;
        // A character whose account was never here.
        let bea = office.database.register("bea@example.org").await;
        office.database.create(bea, "Bea").await;
        office.give(&ann, &[(ARROW, 5)], 200).await;
        let stack = office.stack(&ann).await;
        let letter = office.letter("Bea", &[(stack, 5)], 20, 0);
        ann.player.call("mail_send", letter).await.expect("sent");
        let rows = office.database.rows("mail").await;
        let mail_id = rows[0]["mail_id"].as_u64().expect("a number");
        office.age(mail_id).await;
        let bea = office.database.admit(bea, "player").await;
        bea.subscribe(&["SELECT * FROM mail", "SELECT * FROM mail_text", "SELECT * FROM item"])
            .await;
        let tables: Vec<String> = rows_seen(&bea).into_iter().map(|(table, _)| table).collect();
        assert_eq!(tables, ["mail", "mail_text", "item"]);
    });
}
