//! The SDK against a real gateway and realm: two clients that see each other, and generated files.

mod company;
mod fights;
mod goods;
mod interest;

use crate::support::{Database, gateway, on_database, until};
use haven_client_sdk::{Event, Events, Haven, RealmClient, Session, Topic};
use haven_gateway::Gateway;
use serde_json::json;
use std::time::Duration;

async fn open(database: &Database) -> Gateway {
    let args = json!([1, "Haven", database.stage.uri, database.name, 100]);
    database.owner.call("realm_upsert", args).await.expect("listed");
    let gateway = gateway(&database.stage, &database.name, |_| {}).await;
    assert!(gateway.wait_ready(Duration::from_secs(20)).await, "the gateway is ready");
    gateway
}

async fn play(haven: &Haven, name: &str) -> (Session, RealmClient, u64) {
    let email = format!("{name}@example.org");
    let session = haven.register(&email, "correct horse").await.expect("registered");
    let made = session.create_character(None, name, "human", "rogue").await.expect("created");
    let realm = session.enter(1).await.expect("entered");
    realm.enter_world(made.character_id).await.expect("in the world");
    (session, realm, made.character_id)
}

async fn next_of(events: &mut Events, wanted: impl Fn(&Event) -> bool) -> Event {
    let search = async {
        loop {
            let event = events.next_event().await.expect("an open client");
            if wanted(&event) {
                return event;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), search).await.expect("an event in time")
}

/// What an event that is waited for says.
async fn hears<T>(events: &mut Events, mut wanted: impl FnMut(&Event) -> Option<T>) -> T {
    let search = async {
        loop {
            let event = events.next_event().await.expect("an open client");
            if let Some(found) = wanted(&event) {
                return found;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(20), search).await.expect("an event in time")
}

async fn watch(realm: &RealmClient, topics: &[Topic]) {
    for topic in topics {
        realm.watch(*topic).await.expect("watched");
    }
}

#[test]
fn two_players_see_each_other_enter_walk_turn_cross_a_border_and_leave() {
    on_database(|database| async move {
        let gateway = open(&database).await;
        let haven = Haven::new(&gateway.uri()).expect("a gateway");
        let (_, ann, ann_id) = play(&haven, "Ann").await;
        let mut seen_by_ann = ann.events();
        let (_, bob, bob_id) = play(&haven, "Bob").await;
        let of_bob = |id: u64| {
            move |event: &Event| match event {
                Event::Entered { seen, .. } => seen.entity_id == id,
                _ => false,
            }
        };
        next_of(&mut seen_by_ann, of_bob(bob_id)).await;
        assert!(bob.nearby().iter().any(|seen| seen.entity_id == ann_id && &*seen.name == "Ann"));

        bob.run(-1, 0).await.expect("running west");
        let turned = next_of(&mut seen_by_ann, |event| match event {
            Event::Moved { seen, course_changed, .. } => {
                seen.entity_id == bob_id && *course_changed
            }
            _ => false,
        })
        .await;
        let Event::Moved { seen, .. } = turned else { unreachable!("filtered above") };
        assert_eq!(seen.segment.vel_x_mm_per_s, -6_000);
        let crossed = next_of(&mut seen_by_ann, |event| match event {
            Event::Moved { seen, block_crossed, .. } => seen.entity_id == bob_id && *block_crossed,
            Event::Left { seen, .. } => panic!("{} left while crossing", seen.name),
            _ => false,
        })
        .await;
        let Event::Moved { seen, .. } = crossed else { unreachable!("filtered above") };
        assert_eq!(haven_rules::world::chunk_parts(seen.chunk_index), (0, -1, 0));

        bob.leave().await.expect("left");
        next_of(&mut seen_by_ann, |event| match event {
            Event::Left { seen, .. } => seen.entity_id == bob_id,
            _ => false,
        })
        .await;
        assert!(ann.nearby().is_empty());
        ann.disconnect().await;
        bob.disconnect().await;
        gateway.stop().await;
    });
}

#[test]
fn client_and_server_agree_on_positions_to_the_millimetre() {
    on_database(|database| async move {
        let gateway = open(&database).await;
        let haven = Haven::new(&gateway.uri()).expect("a gateway");
        let (_, ann, ann_id) = play(&haven, "Ann").await;
        let (_, bob, _) = play(&haven, "Bob").await;
        for (dx, dy) in [(7, 3), (-5, 2), (-1, -9), (3, -1)] {
            ann.run(dx, dy).await.expect("running");
            let row = until("the row is there", || async {
                let rows = database.rows("motion").await;
                rows.into_iter().find(|row| row["entity_id"] == json!(ann_id))
            })
            .await;
            let number = row["course_number"].as_u64().expect("a number");
            let seen = until("bob has seen the course", || async {
                bob.seen(ann_id).filter(|seen| u64::from(seen.course_number) == number)
            })
            .await;
            for (column, value) in [
                ("pos_x_mm", seen.segment.pos_x_mm),
                ("pos_y_mm", seen.segment.pos_y_mm),
                ("vel_x_mm_per_s", seen.segment.vel_x_mm_per_s),
                ("vel_y_mm_per_s", seen.segment.vel_y_mm_per_s),
            ] {
                assert_eq!(row[column], json!(value), "{column}");
            }
        }
        ann.stop().await.expect("stopped");
        let rest = until("ann stands", || async {
            let rows = database.rows("motion").await;
            rows.into_iter().find(|row| row["entity_id"] == json!(ann_id) && row["end_kind"] == 0)
        })
        .await;
        let place = (rest["pos_x_mm"].as_i64(), rest["pos_y_mm"].as_i64());
        until("both see her there", || async {
            let now = std::time::Instant::now();
            let agree = [&ann, &bob].iter().all(|client| {
                client.position_of(ann_id, now).map(|(x, y)| (Some(x.into()), Some(y.into())))
                    == Some(place)
            });
            agree.then_some(())
        })
        .await;
        ann.disconnect().await;
        bob.disconnect().await;
        gateway.stop().await;
    });
}

#[test]
fn refusals_reach_the_game_with_their_codes() {
    on_database(|database| async move {
        let gateway = open(&database).await;
        let haven = Haven::new(&gateway.uri()).expect("a gateway");
        let (session, ann, _) = play(&haven, "Ann").await;
        let refused = ann.go_to(i32::MAX, 0).await.expect_err("outside");
        assert_eq!(refused.code(), "motion.goal_outside");
        let refused = session.create_character(None, "ann", "elf", "wizard").await;
        assert_eq!(refused.expect_err("taken").code(), "character.name_taken");
        let refused = haven.register("ann@example.org", "other password").await;
        assert_eq!(refused.err().expect("taken").code(), "account.email_taken");
        let refused = session.enter(9).await.err().expect("no such realm");
        assert_eq!(refused.code(), "realm.unknown");
        session.logout().await.expect("logged out");
        let refused = ann.walk(1, 0).await.expect_err("the session has ended");
        assert_eq!(refused.code(), "realm.admission_revoked");
        ann.disconnect().await;
        gateway.stop().await;
    });
}

/// The reducers that players call, and the SDK with them.
const PLAYER_REDUCERS: [&str; 139] = [
    "ability_use",
    "auction_bid",
    "auction_buyout",
    "auction_cancel",
    "auction_create",
    "block_add",
    "block_remove",
    "board_ask",
    "board_join",
    "cast_cancel",
    "character_enter",
    "character_enter_once",
    "character_leave",
    "character_respawn",
    "chat_channel_ban",
    "chat_channel_create",
    "chat_channel_delete",
    "chat_channel_invite",
    "chat_channel_join",
    "chat_channel_kick",
    "chat_channel_leave",
    "chat_channel_role_set",
    "chat_channel_roster",
    "chat_channel_slow_set",
    "chat_channel_unban",
    "chat_edit",
    "chat_history",
    "chat_read",
    "chat_remove",
    "chat_report",
    "chat_say",
    "chat_whisper",
    "coins_pay",
    "course_follow",
    "course_set",
    "course_to",
    "death_return",
    "duel_answer",
    "duel_end",
    "duel_offer",
    "friend_answer",
    "friend_note_set",
    "friend_remove",
    "friend_request",
    "guild_bank_close",
    "guild_bank_move",
    "guild_bank_open",
    "guild_bank_put",
    "guild_bank_take",
    "guild_charter_open",
    "guild_charter_sign",
    "guild_charter_withdraw",
    "guild_coins_put",
    "guild_coins_take",
    "guild_disband",
    "guild_emblem_set",
    "guild_found",
    "guild_invite_accept",
    "guild_invite_decline",
    "guild_invite_revoke",
    "guild_leader_add",
    "guild_leader_claim",
    "guild_leader_pass",
    "guild_leave",
    "guild_list_show",
    "guild_member_ban",
    "guild_member_demote",
    "guild_member_invite",
    "guild_member_kick",
    "guild_member_promote",
    "guild_member_unban",
    "guild_message_set",
    "guild_note_set",
    "guild_officer_note_set",
    "guild_rank_add",
    "guild_rank_change",
    "guild_rank_remove",
    "guild_request_accept",
    "guild_request_cancel",
    "guild_request_refuse",
    "guild_request_send",
    "guild_tab_buy",
    "instance_enter",
    "instance_invite",
    "instance_leave",
    "instance_open",
    "instance_open_once",
    "item_craft",
    "item_destroy",
    "item_equip",
    "item_gather",
    "item_move",
    "item_repair",
    "item_unequip",
    "item_use",
    "loot_assign",
    "loot_roll",
    "loot_take",
    "loot_take_all",
    "lost_claim",
    "lost_item_claim",
    "mail_delete",
    "mail_read",
    "mail_return",
    "mail_send",
    "mail_take",
    "mail_take_all",
    "market_collect",
    "notice_read",
    "order_cancel",
    "order_place",
    "party_answer",
    "party_assistant_set",
    "party_convert",
    "party_group_set",
    "party_invite",
    "party_kick",
    "party_leader_pass",
    "party_leave",
    "party_loot_set",
    "party_marker_set",
    "party_ready_answer",
    "party_ready_begin",
    "presence_look",
    "presence_set",
    "privacy_set",
    "rest_begin",
    "rest_end",
    "trade_answer",
    "trade_cancel",
    "trade_confirm",
    "trade_lock",
    "trade_offer_coins",
    "trade_offer_item",
    "trade_request",
    "trade_withdraw",
    "vendor_buy",
    "vendor_buy_back",
    "vendor_sell",
];

#[test]
fn the_committed_bindings_are_fresh() {
    use haven_engine::{BindingsLanguage, MODULE_WASM, generate_player_bindings};
    let generated = generate_player_bindings(BindingsLanguage::Rust, MODULE_WASM, &PLAYER_REDUCERS);
    let generated = generated.expect("bindings");
    let folder = crate::tidy::root().join("client-sdk/src/module_bindings");
    let mut names: Vec<String> = vec![];
    for (name, text) in generated {
        // As snapshots are: whoever changes the module on purpose has them written.
        if std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always") {
            std::fs::write(folder.join(&name), &text).expect("written");
        }
        let committed = std::fs::read_to_string(folder.join(&name)).unwrap_or_default();
        assert_eq!(committed, text, "{name} is stale");
        names.push(name);
    }
    for path in crate::tidy::files_below(&folder) {
        let name = path.strip_prefix(&folder).expect("below").to_string_lossy().into_owned();
        assert!(names.contains(&name), "{name} is not generated any more");
    }
}
