//! Effects: who may apply them, what they do to a running segment, and when they end.

use crate::support::snapshot::Story;
use crate::support::{on_database, segment, until};
use serde_json::json;

#[test]
fn effects_are_for_staff_and_bounded() {
    on_database(|database| async move {
        let (_, ann_id, player) = database.enter("ann@example.org", "Ann").await;
        let owner = &database.owner;
        let mut story = Story::begin(&database).await;
        let apply =
            |id: u64, kind: u8, percent: u16, millis: u32| json!([id, kind, percent, millis]);
        let reducer = "motion_effect_apply";
        story.call("ann", &player, reducer, apply(ann_id, 3, 200, 0)).await;
        story.call("ann", &player, "motion_effect_clear", json!([ann_id, 2])).await;
        for args in [
            apply(ann_id, 0, 10, 0),
            apply(ann_id, 5, 10, 0),
            apply(ann_id, 1, 1, 0),
            apply(ann_id, 2, 0, 0),
            apply(ann_id, 2, 91, 0),
            apply(ann_id, 3, 201, 0),
            apply(ann_id, 3, u16::MAX, u32::MAX),
            apply(ann_id, 2, 50, 3_600_001),
            apply(12, 2, 50, 0),
        ] {
            story.call("owner", owner, reducer, args).await;
        }
        for _ in 0..16 {
            owner.call(reducer, apply(ann_id, 2, 50, 0)).await.expect("room for it");
        }
        story.note("sixteen slows").await;
        story.call("owner", owner, reducer, apply(ann_id, 2, 50, 0)).await;
        story.call("owner", owner, "motion_effect_clear", json!([ann_id, 9])).await;
        story.call("owner", owner, "motion_effect_clear", json!([ann_id, 2])).await;
        insta::assert_snapshot!(story.end());
    });
}

#[test]
fn an_effect_changes_a_running_segment_and_ends_by_itself() {
    on_database(|database| async move {
        let (_, ann_id, player) = database.enter("ann@example.org", "Ann").await;
        let owner = &database.owner;
        let speed = || async { segment(&database.rows("motion").await[0]).vel_x_mm_per_s };
        player.call("course_set", json!([-1, 0, false])).await.expect("walking west");
        assert_eq!(speed().await, -2_000);
        owner.call("motion_effect_apply", json!([ann_id, 2, 50, 0])).await.expect("slowed");
        assert_eq!(speed().await, -1_000);
        owner.call("motion_effect_apply", json!([ann_id, 1, 0, 400])).await.expect("rooted");
        assert_eq!(speed().await, 0);
        player.call("course_set", json!([-1, 0, true])).await.expect("she would run");
        until("the root has ended", || async { (speed().await == -3_000).then_some(()) }).await;
        owner.call("motion_effect_clear", json!([ann_id, 2])).await.expect("cleared");
        assert_eq!(speed().await, -6_000);
        let left = database.rows("motion_effect").await;
        assert!(left.is_empty(), "the root's row went with it: {left:?}");
        player.call("character_leave", json!([])).await.expect("left");
    });
}

#[test]
fn leaving_is_no_way_out_of_an_effect() {
    on_database(|database| async move {
        let (_, ann_id, player) = database.enter("ann@example.org", "Ann").await;
        let owner = &database.owner;
        owner.call("motion_effect_apply", json!([ann_id, 2, 50, 0])).await.expect("slowed");
        owner.call("motion_effect_apply", json!([ann_id, 1, 0, 1_500])).await.expect("rooted");
        player.call("character_leave", json!([])).await.expect("left");
        player.call("character_enter", json!([ann_id])).await.expect("back");
        player.call("course_set", json!([-1, 0, false])).await.expect("she would walk");
        let speed = || async { segment(&database.rows("motion").await[0]).vel_x_mm_per_s };
        assert_eq!(speed().await, 0, "still rooted");
        until("the root has ended", || async { (speed().await == -1_000).then_some(()) }).await;
        let effects = database.rows("motion_effect").await;
        assert_eq!(effects.len(), 1, "the slow has no end: {effects:?}");

        // What ends while she is away is gone when she comes back.
        owner.call("motion_effect_clear", json!([ann_id, 2])).await.expect("cleared");
        owner.call("motion_effect_apply", json!([ann_id, 1, 0, 1])).await.expect("rooted");
        player.call("character_leave", json!([])).await.expect("left");
        player.call("character_enter", json!([ann_id])).await.expect("back");
        until("no effect is left", || async {
            database.rows("motion_effect").await.is_empty().then_some(())
        })
        .await;
        player.call("course_set", json!([-1, 0, false])).await.expect("walking");
        assert_eq!(speed().await, -2_000);
    });
}
