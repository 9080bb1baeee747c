//! Goods through the SDK: two players trade and write, both hear of it, and a stranger does not.

use super::{hears, open, play, watch};
use crate::support::{Database, on_database, until};
use haven_client_sdk::{
    Change, Event, Events, GoodsEvent, Haven, MailEvent, RealmClient, Topic, TradeEvent,
};
use serde_json::json;

const TOPICS: [Topic; 4] = [Topic::Goods, Topic::Trade, Topic::Mail, Topic::Around];

async fn gives(database: &Database, id: u64, sequence: u64, copper: u64) {
    let command = json!({ "session": 7, "sequence": sequence });
    let args = json!([id, copper, "for a test", command]);
    database.owner.call("coins_give", args).await.expect("given");
}

/// The number of a stack of a kind that a player has.
fn stack_of(realm: &RealmClient, def: &str) -> Option<u64> {
    realm.goods().items().iter().find(|item| item.def == def).map(|item| item.item_id)
}

/// The revision that both see, once the offer is there.
async fn revision(realm: &RealmClient, offers: usize) -> (u64, u32) {
    until("the offer is seen", || async {
        let sides = realm.trade().sides();
        let side = sides.first()?;
        let is_there = realm.trade().offers().len() == offers && side.is_open;
        is_there.then_some((side.trade_id, side.revision))
    })
    .await
}

/// Bob writes to Ann, who reads it and throws it away.
async fn writes(bob: &RealmClient, ann: &RealmClient) {
    let (mut ann_hears, mut bob_hears) = (ann.events(), bob.events());
    bob.mail().send("Ann", "Thanks", "It shines.", vec![], 0, 0).await.expect("sent");
    let mail_id = hears(&mut ann_hears, |event| match event {
        Event::Mail { what: MailEvent::Letter(change), .. } => {
            change.came().filter(|letter| letter.from_name == "Bob").map(|mail| mail.mail_id)
        }
        _ => None,
    })
    .await;
    assert!(ann.mail().texts().iter().any(|text| text.text == "It shines."));
    hears(&mut bob_hears, |event| match event {
        Event::Goods { what: GoodsEvent::Account(Change::Is { row, before }), .. } => {
            before.as_ref().filter(|before| before.copper > row.copper).map(|_| ())
        }
        _ => None,
    })
    .await;
    ann.mail().mark_read(mail_id).await.expect("read");
    ann.mail().delete(mail_id).await.expect("deleted");
    hears(&mut ann_hears, |event| match event {
        Event::Mail { what: MailEvent::Letter(Change::Gone { row }), .. } => {
            (row.mail_id == mail_id).then_some(())
        }
        _ => None,
    })
    .await;
}

async fn what_is_not_there_is_refused(ann: &RealmClient, item_id: u64) {
    for (refused, code) in [
        (ann.mail().take(999_999, 0, 0).await, "mail.unknown"),
        (ann.goods().destroy(item_id, 1).await, "item.unknown"),
        (ann.loot().take_all(9).await, "item.loot_unknown"),
        (ann.vendors().buy_back(item_id).await, "economy.not_sold"),
        (ann.market().collect().await, "market.nothing_to_collect"),
        (ann.trade().cancel().await, "economy.trade_unknown"),
    ] {
        assert_eq!(refused.expect_err(code).code(), code);
    }
}

/// Of one transaction: the stack has gone, and so has the trade.
async fn both_go_at_once(hears_of: &mut Events, item_id: u64, trade_id: u64) {
    let mut gone = (false, false);
    hears(hears_of, |event| {
        match event {
            Event::Goods { what: GoodsEvent::Item(Change::Gone { row }), .. } => {
                gone.0 |= row.item_id == item_id;
            }
            Event::Trade { what: TradeEvent::Side(Change::Gone { row }), .. } => {
                gone.1 |= row.trade_id == trade_id;
            }
            _ => {}
        }
        (gone == (true, true)).then_some(())
    })
    .await;
}

#[test]
fn two_players_trade_and_write_and_both_hear_of_it() {
    on_database(|database| async move {
        database.put_in_force(&crate::support::content::srd()).await;
        let gateway = open(&database).await;
        let haven = Haven::new(&gateway.uri()).expect("a gateway");
        let (_, ann, ann_id) = play(&haven, "Ann").await;
        let (_, bob, bob_id) = play(&haven, "Bob").await;
        let (_, eve, _) = play(&haven, "Eve").await;
        for realm in [&ann, &bob, &eve] {
            watch(realm, &TOPICS).await;
        }
        let before = ann.goods().wallet_copper().unwrap_or(0);
        gives(&database, ann_id, 1, 5_000).await;
        gives(&database, bob_id, 2, 5_000).await;
        let command = json!({ "session": 7, "sequence": 3 });
        let args = json!([ann_id, "miners_pick", 1, "for a test", command]);
        database.owner.call("item_give", args).await.expect("given");
        let item_id = until("she has it", || async { stack_of(&ann, "miners_pick") }).await;
        until("and the coins", || async {
            (ann.goods().wallet_copper() == Some(before + 5_000)).then_some(())
        })
        .await;

        let (mut ann_hears, mut bob_hears) = (ann.events(), bob.events());
        ann.trade().request(bob_id).await.expect("asked");
        let trade_id = hears(&mut bob_hears, |event| match event {
            Event::Trade { what: TradeEvent::Side(change), .. } => {
                change.is().filter(|side| side.other_id == ann_id).map(|side| side.trade_id)
            }
            _ => None,
        })
        .await;
        bob.trade().answer(trade_id, true).await.expect("agreed");
        ann.trade().offer_item(item_id).await.expect("offered");
        let (_, number) = revision(&bob, 1).await;
        assert_eq!(revision(&ann, 1).await, (trade_id, number));
        for realm in [&ann, &bob] {
            realm.trade().lock(number).await.expect("locked");
        }
        for realm in [&ann, &bob] {
            realm.trade().confirm(trade_id, number).await.expect("confirmed");
        }
        hears(&mut bob_hears, |event| match event {
            Event::Goods { what: GoodsEvent::Item(change), .. } => {
                change.came().filter(|item| item.item_id == item_id).map(|_| ())
            }
            _ => None,
        })
        .await;
        both_go_at_once(&mut ann_hears, item_id, trade_id).await;
        assert!(bob.trade().sides().is_empty() && bob.trade().offers().is_empty());
        assert!(eve.trade().sides().is_empty() && stack_of(&eve, "miners_pick").is_none());

        writes(&bob, &ann).await;
        assert!(eve.mail().letters().is_empty());

        what_is_not_there_is_refused(&ann, item_id).await;
        ann.unwatch(Topic::Goods).await.expect("unwatched");
        until("her goods are not known any more", || async {
            ann.goods().items().is_empty().then_some(())
        })
        .await;
        for player in [ann, bob, eve] {
            player.disconnect().await;
        }
        gateway.stop().await;
    });
}
