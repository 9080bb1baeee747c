//! Rows and what is said, as events.

use super::rows::{ChatDelivery, ChatMessage, MailUnread};
use super::{Change, ChatEvent, Heard, Kept, MailEvent, Report, Told, Topic};
use proptest::prelude::*;
use spacetimedb_sdk::Identity;
use std::collections::BTreeMap;
use std::sync::Arc;

fn message(channel_key: u64, message_id: u64, text: &str) -> Arc<ChatMessage> {
    Arc::new(ChatMessage {
        message_id,
        channel_key,
        sender_id: 1,
        sent_at_micros: 0,
        flags: 0,
        sender_name: "Ann".to_owned(),
        text: text.to_owned(),
        parts: vec![],
    })
}

fn delivery(channel_key: u64, message_id: u64) -> Arc<ChatDelivery> {
    Arc::new(ChatDelivery {
        delivery_key: message_id.into(),
        message_key: message_id.into(),
        viewer: Identity::from_byte_array([0; 32]),
        message_id,
        channel_key,
        sender_id: 1,
        other_id: 0,
        sent_at_micros: 0,
        flags: 0,
        sender_name: "Ann".to_owned(),
        text: "by the inbox".to_owned(),
        parts: vec![],
    })
}

fn unread(character_id: u64, unread: u16) -> Arc<MailUnread> {
    Arc::new(MailUnread { character_id, viewer: Identity::from_byte_array([0; 32]), unread })
}

fn said(kept: &mut Kept) -> Vec<(u64, bool)> {
    let told = kept.take_told();
    let said = told.iter().filter_map(|told| match told {
        Told::Chat(event) => event.said().map(|said| (said.message_id, said.is_new)),
        _ => None,
    });
    said.collect()
}

fn is(kept: &mut Kept, row: &Arc<MailUnread>) {
    kept.apply(Report::MailUnread(Heard::Is(Arc::clone(row))));
}

#[test]
fn a_row_is_told_when_it_came_changed_and_went_and_not_otherwise() {
    let mut kept = Kept::default();
    let [one, two] = [unread(1, 1), unread(1, 2)];
    let event = |change| vec![Told::Mail(MailEvent::Unread(change))];
    is(&mut kept, &one);
    assert_eq!(kept.take_told(), event(Change::Is { row: Arc::clone(&one), before: None }));
    is(&mut kept, &one);
    assert_eq!(kept.take_told(), [], "another subscription brought it too");
    is(&mut kept, &two);
    let before = Some(Arc::clone(&one));
    assert_eq!(kept.take_told(), event(Change::Is { row: Arc::clone(&two), before }));
    kept.apply(Report::MailUnread(Heard::Gone(one)));
    assert_eq!(kept.take_told(), [], "what went is not what is there");
    kept.apply(Report::MailUnread(Heard::Gone(Arc::clone(&two))));
    assert_eq!(kept.take_told(), event(Change::Gone { row: two }));
    assert_eq!(kept.mail_unread.rows().count(), 0);
}

#[test]
fn a_reconnect_tells_what_has_changed_meanwhile() {
    let mut kept = Kept::default();
    let [same, old, new, gone] = [unread(1, 1), unread(2, 1), unread(2, 5), unread(3, 1)];
    for row in [&same, &old, &gone] {
        is(&mut kept, row);
    }
    kept.take_told();
    kept.suspend();
    assert_eq!(kept.mail_unread.rows().count(), 3, "they stay in view");
    for row in [&same, &new] {
        is(&mut kept, row);
    }
    kept.settle();
    let changed = Change::Is { row: new, before: Some(old) };
    let events = [changed, Change::Gone { row: gone }].map(|c| Told::Mail(MailEvent::Unread(c)));
    assert_eq!(kept.take_told(), events);
    kept.settle();
    assert_eq!(kept.take_told(), []);
}

#[test]
fn what_is_said_is_told_once_in_order_whatever_table_brings_it() {
    let mut kept = Kept::default();
    let message_is = |kept: &mut Kept, row: &Arc<ChatMessage>| {
        kept.apply(Report::ChatMessage(Heard::Is(Arc::clone(row))));
    };
    for id in [9, 4, 7] {
        message_is(&mut kept, &message(1, id, ""));
    }
    kept.apply(Report::ChatDelivery(Heard::Is(delivery(1, 8))));
    kept.apply(Report::ChatDelivery(Heard::Is(delivery(2, 5))));
    assert_eq!(said(&mut kept), [(4, true), (5, true), (7, true), (8, true), (9, true)]);
    message_is(&mut kept, &message(1, 7, "changed"));
    assert_eq!(said(&mut kept), [(7, false)]);
    // It goes by its age, and comes back with another subscription.
    kept.apply(Report::ChatMessage(Heard::Gone(message(1, 9, ""))));
    message_is(&mut kept, &message(1, 9, ""));
    message_is(&mut kept, &message(1, 10, ""));
    assert_eq!(said(&mut kept), [(10, true)]);
}

#[test]
fn a_message_that_goes_by_its_age_is_not_told() {
    let mut kept = Kept::default();
    kept.apply(Report::ChatMessage(Heard::Is(message(1, 1, ""))));
    kept.take_told();
    kept.apply(Report::ChatMessage(Heard::Gone(message(1, 1, ""))));
    assert_eq!(kept.take_told(), []);
    assert_eq!(kept.chat_message.rows().count(), 0);
}

#[test]
fn what_is_said_names_where_it_was_said() {
    let event = ChatEvent::Message(Change::Is { row: message(3, 4, "Hail"), before: None });
    let said = event.said().expect("a message");
    assert_eq!((said.channel_key, said.sender_name, said.text), (3, "Ann", "Hail"));
    assert_eq!(ChatEvent::Message(Change::Gone { row: message(3, 4, "") }).said(), None);
}

#[test]
fn topics_name_queries_of_one_column_at_most() {
    let queries = Topic::wares("torch").queries();
    let hash = haven_rules::economy::market::def_hash("torch");
    assert_eq!(queries[0], format!("SELECT * FROM auction WHERE def_hash = {hash}"));
    assert_eq!(
        Topic::Channel(6 << 60).queries(),
        ["SELECT * FROM chat_message WHERE channel_key = 6917529027641081856"]
    );
    assert_eq!(Topic::Trade.queries(), ["SELECT * FROM trade_side", "SELECT * FROM trade_offer"]);
}

proptest! {
    #[test]
    fn of_each_channel_every_message_is_told_once_in_order(
        batches in prop::collection::vec(
            prop::collection::vec((1..4_u64, any::<bool>()), 0..6), 0..20),
    ) {
        let (mut kept, mut next) = (Kept::default(), 0);
        let mut sent: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        let mut heard: BTreeMap<u64, Vec<u64>> = BTreeMap::new();
        for batch in batches {
            let first = next;
            for (channel, _) in &batch {
                next += 1;
                sent.entry(*channel).or_default().push(next);
            }
            // Within a transaction rows come in any order; here backwards.
            for (number, (channel, is_shared)) in batch.iter().enumerate().rev() {
                let message_id = first + number as u64 + 1;
                kept.apply(if *is_shared {
                    Report::ChatMessage(Heard::Is(message(*channel, message_id, "")))
                } else {
                    Report::ChatDelivery(Heard::Is(delivery(*channel, message_id)))
                });
            }
            for told in kept.take_told() {
                if let Told::Chat(event) = &told {
                    let said = event.said().expect("a message");
                    heard.entry(said.channel_key).or_default().push(said.message_id);
                }
            }
        }
        prop_assert_eq!(heard, sent);
    }
}
