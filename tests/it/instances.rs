//! Instances: who may define, open, enter and leave one, and how it ends.

use crate::support::snapshot::Story;
use crate::support::{Database, on_database, until};
use haven_rules::world::chunk_parts;
use serde_json::{Value, json};

/// A flat vale of 2×2 blocks for two characters.
pub fn vale() -> Value {
    json!({
        "name": "vale",
        "shape": {
            "min_block_x": -1, "min_block_y": -1, "max_block_x": 1, "max_block_y": 1,
            "spawn_x_mm": 500, "spawn_y_mm": 500,
            "walk_speed_mm_per_s": 1_000, "run_speed_mm_per_s": 3_000,
        },
        "seed": 5, "recipe": "", "capacity": 2, "lifetime_seconds": 3_600, "empty_seconds": 10,
    })
}

async fn with_vale(database: &Database) {
    database.owner.call("instance_define", json!([vale()])).await.expect("defined");
}

async fn place(database: &Database, entity_id: u64) -> (u32, Value, Value) {
    let rows = database.rows("motion").await;
    let row = rows.iter().find(|row| row["entity_id"] == entity_id).expect("a motion row");
    let chunk = row["chunk_index"].as_u64().expect("a number");
    (chunk_parts(chunk).0, row["pos_x_mm"].clone(), row["pos_y_mm"].clone())
}

#[test]
fn instance_define_takes_only_what_can_be_opened() {
    on_database(|database| async move {
        let (_, _, player) = database.enter("ann@example.org", "Ann").await;
        let owner = &database.owner;
        let mut story = Story::begin(&database).await;
        story.call("ann", &player, "instance_define", json!([vale()])).await;
        for (field, value) in [
            ("name", json!("")),
            ("name", json!("x".repeat(100_000))),
            ("capacity", json!(0)),
            ("capacity", json!(u32::MAX)),
            ("lifetime_seconds", json!(59)),
            ("empty_seconds", json!(u32::MAX)),
            ("recipe", json!("this is no recipe")),
            ("recipe", json!("#".repeat(40_000))),
        ] {
            let mut changed = vale();
            changed[field] = value;
            let refused = owner.call("instance_define", json!([changed])).await.expect_err(field);
            let code = refused.split(':').next().unwrap_or_default();
            story.note(&format!("owner: {field}: {code}")).await;
        }
        let mut wide = vale();
        wide["shape"]["max_block_x"] = json!(32);
        let refused = owner.call("instance_define", json!([wide])).await.expect_err("too wide");
        assert!(refused.starts_with("instance.definition_invalid:"), "{refused}");
        let mut nowhere = vale();
        nowhere["shape"]["spawn_x_mm"] = json!(i32::MAX);
        let refused = owner.call("instance_define", json!([nowhere])).await.expect_err("outside");
        assert!(refused.starts_with("world.spawn_invalid:"), "{refused}");
        insta::assert_snapshot!(story.end());
    });
}

#[test]
fn only_who_opened_it_and_who_was_invited_gets_in() {
    on_database(|database| async move {
        with_vale(&database).await;
        let (_, ann_id, ann) = database.enter("ann@example.org", "Ann").await;
        let (_, bob_id, bob) = database.enter("bob@example.org", "Bob").await;
        let (_, cid_id, cid) = database.enter("cid@example.org", "Cid").await;
        let mut story = Story::begin(&database).await;
        story.call("bob", &bob, "instance_leave", json!([])).await;
        story.call("ann", &ann, "instance_open", json!(["castle"])).await;
        story.call("ann", &ann, "instance_open", json!(["vale"])).await;
        story.call("ann", &ann, "instance_open", json!(["vale"])).await;
        story.call("bob", &bob, "instance_enter", json!([0])).await;
        story.call("bob", &bob, "instance_enter", json!([u32::MAX])).await;
        story.call("bob", &bob, "instance_enter", json!([1])).await;
        story.call("bob", &bob, "instance_invite", json!([1, bob_id])).await;
        story.call("ann", &ann, "instance_invite", json!([2, bob_id])).await;
        story.call("ann", &ann, "instance_invite", json!([1, 77])).await;
        story.call("ann", &ann, "instance_invite", json!([1, bob_id])).await;
        story.call("ann", &ann, "instance_invite", json!([1, bob_id])).await;
        story.call("ann", &ann, "instance_invite", json!([1, cid_id])).await;
        story.call("bob", &bob, "instance_enter", json!([1])).await;
        story.call("bob", &bob, "instance_enter", json!([1])).await;
        story.call("ann", &ann, "instance_enter", json!([1])).await;
        story.call("cid", &cid, "instance_enter", json!([1])).await;
        insta::assert_snapshot!(story.end());
        assert_eq!(place(&database, ann_id).await.0, 1);
        // Their courses and bounds are those of the vale.
        let refused = bob.call("course_to", json!([64_000, 0])).await.expect_err("outside");
        assert!(refused.starts_with("motion.goal_outside:"), "{refused}");
        bob.call("instance_leave", json!([])).await.expect("left");
        assert_eq!(place(&database, bob_id).await, (0, json!(32_500), json!(32_500)));
        cid.call("instance_enter", json!([1])).await.expect("there is room now");
    });
}

#[test]
fn whoever_leaves_the_realm_inside_comes_back_inside_while_it_is_open() {
    on_database(|database| async move {
        with_vale(&database).await;
        let (_, ann_id, ann) = database.enter("ann@example.org", "Ann").await;
        ann.call("instance_open", json!(["vale"])).await.expect("open");
        ann.call("instance_enter", json!([1])).await.expect("inside");
        ann.call("character_leave", json!([])).await.expect("left");
        assert_eq!(database.rows("instance").await[0]["players"], 0);
        ann.call("character_enter", json!([ann_id])).await.expect("back");
        assert_eq!(place(&database, ann_id).await, (1, json!(500), json!(500)));
        assert_eq!(database.rows("instance").await[0]["players"], 1);
    });
}

#[test]
fn whoever_comes_back_to_a_full_instance_stands_where_it_came_from() {
    on_database(|database| async move {
        with_vale(&database).await;
        let (_, ann_id, ann) = database.enter("ann@example.org", "Ann").await;
        ann.call("instance_open", json!(["vale"])).await.expect("open");
        ann.call("instance_enter", json!([1])).await.expect("inside");
        ann.call("character_leave", json!([])).await.expect("left the realm");
        let mut guests = vec![];
        for (email, name) in [("bob@example.org", "Bob"), ("cid@example.org", "Cid")] {
            let (_, guest_id, guest) = database.enter(email, name).await;
            ann.call("instance_invite", json!([1, guest_id])).await.expect("invited");
            guest.call("instance_enter", json!([1])).await.expect("a place of two");
            guests.push(guest);
        }
        ann.call("character_enter", json!([ann_id])).await.expect("back");
        assert_eq!(place(&database, ann_id).await, (0, json!(32_500), json!(32_500)));
        assert_eq!(database.rows("instance").await[0]["players"], 2);
        let refused = ann.call("instance_enter", json!([1])).await.expect_err("no place");
        assert!(refused.starts_with("instance.full:"), "{refused}");
        guests[0].call("instance_leave", json!([])).await.expect("one goes");
        ann.call("instance_enter", json!([1])).await.expect("there is room now");
    });
}

#[test]
fn whoever_is_inside_when_an_instance_ends_stands_where_it_came_from() {
    on_database(|database| async move {
        with_vale(&database).await;
        let (_, ann_id, ann) = database.enter("ann@example.org", "Ann").await;
        ann.call("instance_open", json!(["vale"])).await.expect("open");
        ann.call("instance_enter", json!([1])).await.expect("inside");
        ann.call("course_set", json!([1, 0, true])).await.expect("running");
        database.run("UPDATE instance SET ends_at_micros = 1, closes_at_micros = 1").await;
        until("it has ended", || async {
            database.rows("instance").await.is_empty().then_some(())
        })
        .await;
        assert_eq!(place(&database, ann_id).await, (0, json!(32_500), json!(32_500)));
        let motion = database.rows("motion").await;
        assert_eq!(motion[0]["vel_x_mm_per_s"], 0, "her course ended with it");
        ann.call("course_set", json!([-1, 0, true])).await.expect("and she goes on");
        assert_eq!(database.rows("instance_return").await, Vec::<Value>::new());
    });
}

#[test]
fn an_empty_instance_ends_and_leaves_nothing_behind() {
    on_database(|database| async move {
        with_vale(&database).await;
        let (_, ann_id, ann) = database.enter("ann@example.org", "Ann").await;
        let before = ["world_config", "world_terrain", "block_state"];
        let mut counts = vec![];
        for table in before {
            counts.push(database.rows(table).await.len());
        }
        ann.call("instance_open", json!(["vale"])).await.expect("open");
        ann.call("instance_enter", json!([1])).await.expect("inside");
        database
            .owner
            .call("wanderer_spawn", json!([1, -1, -1, 2, 10, 3]))
            .await
            .expect("they live");
        ann.call("character_leave", json!([])).await.expect("she left the realm");
        until("it has ended", || async {
            database.rows("instance").await.is_empty().then_some(())
        })
        .await;
        for table in ["instance_pass", "instance_return", "wanderer", "motion", "entity"] {
            assert_eq!(database.rows(table).await, Vec::<Value>::new(), "{table}");
        }
        ann.call("character_enter", json!([ann_id])).await.expect("back");
        assert_eq!(place(&database, ann_id).await, (0, json!(32_500), json!(32_500)));
        for (table, count) in before.into_iter().zip(counts) {
            let rows = database.rows(table).await;
            assert_eq!(rows.len(), count, "{table}: {rows:?}");
        }
        let refused = ann.call("instance_enter", json!([1])).await.expect_err("it is over");
        assert!(refused.starts_with("instance.unknown:"), "{refused}");
    });
}

#[test]
fn an_instance_has_so_many_guests_and_a_realm_so_many_instances() {
    on_database(|database| async move {
        with_vale(&database).await;
        let (_, _, ann) = database.enter("ann@example.org", "Ann").await;
        let (_, bob_id, bob) = database.enter("bob@example.org", "Bob").await;
        ann.call("instance_open", json!(["vale"])).await.expect("open");
        for guest in 0..38 {
            let row = format!("({}, {}, 1, 'vale')", 100 + guest, 5_000 + guest);
            let columns = "(pass_id, character_id, world, name)";
            database.run(&format!("INSERT INTO instance_pass {columns} VALUES {row}")).await;
        }
        ann.call("instance_invite", json!([1, bob_id])).await.expect("the 39th guest");
        let cid = database.register("cid@example.org").await;
        let cid_id = database.create(cid, "Cid").await;
        let refused = ann.call("instance_invite", json!([1, cid_id])).await.expect_err("a 40th");
        assert!(refused.starts_with("instance.guests_too_many:"), "{refused}");

        for number in 0..999_u32 {
            let row = format!(
                "({}, {}, 0, 9000000000000000, 9000000000000000, 1, 'vale')",
                10_000 + number,
                20_000 + number
            );
            let columns = "(world, account_id, opened_at_micros, ends_at_micros, \
                           closes_at_micros, players, name)";
            database.run(&format!("INSERT INTO instance {columns} VALUES {row}")).await;
        }
        let refused = bob.call("instance_open", json!(["vale"])).await.expect_err("the 1001st");
        assert!(refused.starts_with("instance.too_many:"), "{refused}");
    });
}
