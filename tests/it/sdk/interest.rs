//! The area of interest on a long way: what is near is seen, once, and nothing else is asked for.

use super::{open, play};
use crate::support::{Database, now_micros, on_database, segment, until};
use haven_client_sdk::{Event, Events, Haven, RealmClient};
use haven_rules::motion::Segment;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

/// Where the way begins and ends, millimetres east.
const WAY_MM: std::ops::Range<i32> = -1_030_000..1_030_000;
/// Whoever is as near as this must be seen, millimetres.
const SIGHT_MM: i64 = 64_000;
/// How long a row may be on its way before its lack counts.
const ON_ITS_WAY: Duration = Duration::from_millis(400);
/// The 3×3, and what may be left behind for a moment on a straight way.
const BLOCKS_MAX: usize = 15;

/// A flat world of 2.5 km, its spawn in the west, everybody fast.
async fn lay_out(database: &Database) {
    let world = json!({
        "world": 0, "min_block_x": -20, "min_block_y": -20, "max_block_x": 20, "max_block_y": 20,
        "spawn_x_mm": WAY_MM.start, "spawn_y_mm": 500,
        "walk_speed_mm_per_s": 2_000, "run_speed_mm_per_s": 50_000, "obstacles": [],
    });
    database.owner.call("world_configure", json!([world])).await.expect("laid out");
    database.owner.call("world_vigil_set", json!([0, true])).await.expect("awake");
    // 4 blocks from south to north: some are met at once, some come along, some are never near.
    for square in 0..8 {
        let args = json!([0, -16 + square * 4, -2, 4, 25, square]);
        database.owner.call("wanderer_spawn", args).await.expect("they appear");
    }
}

/// The full view: where everybody is now.
async fn everybody(database: &Database) -> BTreeMap<u64, (i64, i64)> {
    let rows = database.rows("motion").await;
    let now = now_micros();
    let place = |row: &serde_json::Value| {
        let (x, y) = segment(row).position_at(now);
        (row["entity_id"].as_u64().expect("a number"), (i64::from(x), i64::from(y)))
    };
    rows.iter().map(place).collect()
}

/// Who has entered and not left, as the events say; each may do so only in turn.
#[derive(Default)]
struct Told {
    here: BTreeSet<u64>,
    met: BTreeSet<u64>,
    entered: usize,
}

impl Told {
    async fn listen(&mut self, events: &mut Events) {
        let soon = Duration::from_millis(1);
        while let Ok(Some(event)) = tokio::time::timeout(soon, events.next_event()).await {
            match event {
                Event::Entered { seen, .. } => {
                    self.entered += 1;
                    self.met.insert(seen.entity_id);
                    assert!(self.here.insert(seen.entity_id), "{} entered twice", seen.entity_id);
                }
                Event::Left { seen, .. } => {
                    assert!(self.here.remove(&seen.entity_id), "{} left twice", seen.entity_id);
                }
                Event::Missed { count } => panic!("{count} events missed"),
                _ => {}
            }
        }
    }
}

/// Whoever is near in the full view and is not seen; since when.
fn look(
    realm: &RealmClient,
    all: &BTreeMap<u64, (i64, i64)>,
    me: u64,
    missing: &mut BTreeMap<u64, Instant>,
) {
    let (my_x, my_y) = all[&me];
    let seen: BTreeSet<u64> = realm.nearby().iter().map(|seen| seen.entity_id).collect();
    let near = all.iter().filter(|(id, (x, y))| {
        **id != me && (x - my_x).pow(2) + (y - my_y).pow(2) <= SIGHT_MM.pow(2)
    });
    let lacking: BTreeSet<u64> = near.map(|(id, _)| *id).filter(|id| !seen.contains(id)).collect();
    missing.retain(|id, _| lacking.contains(id));
    for id in lacking {
        let since = missing.entry(id).or_insert_with(Instant::now);
        assert!(since.elapsed() < ON_ITS_WAY, "{id} is near and was not seen");
    }
}

/// Segments the client held, by entity; the next one begins where the realm said it would.
#[derive(Default)]
struct Followed {
    held: BTreeMap<u64, Segment>,
    compared: usize,
}

impl Followed {
    /// Where a segment begins at the very instant the one before it ended, the realm has computed
    /// that place: it must be the one the client would have computed.
    fn look(&mut self, realm: &RealmClient) {
        for seen in realm.nearby() {
            let before = self.held.insert(seen.entity_id, seen.segment);
            let follows =
                |before: &Segment| before.ends_at_micros == seen.segment.started_at_micros;
            if let Some(before) = before.filter(follows) {
                let expected = before.position_at(before.ends_at_micros);
                let place = (seen.segment.pos_x_mm, seen.segment.pos_y_mm);
                assert_eq!(expected, place, "{} from {before:?}", seen.entity_id);
                self.compared += 1;
            }
        }
    }
}

#[test]
fn who_walks_two_kilometres_sees_everybody_near_once_and_watches_its_ring_only() {
    on_database(|database| async move {
        lay_out(&database).await;
        let gateway = open(&database).await;
        let haven = Haven::new(&gateway.uri()).expect("a gateway");
        let (_, ann, ann_id) = play(&haven, "Ann").await;
        let mut events = ann.events();
        let mut told = Told::default();
        for seen in ann.nearby() {
            told.here.insert(seen.entity_id);
            told.met.insert(seen.entity_id);
        }
        let haste = json!([ann_id, 3, 100, 0]);
        database.owner.call("motion_effect_apply", haste).await.expect("at 100 m/s");
        ann.run(1, 0).await.expect("running east");
        let (mut missing, mut blocks_max) = (BTreeMap::new(), 0);
        let mut followed = Followed::default();
        loop {
            let all = everybody(&database).await;
            told.listen(&mut events).await;
            look(&ann, &all, ann_id, &mut missing);
            followed.look(&ann);
            blocks_max = blocks_max.max(ann.blocks_watched());
            if all[&ann_id].0 >= i64::from(WAY_MM.end) {
                break;
            }
        }
        ann.stop().await.expect("stopped");
        told.listen(&mut events).await;
        // Who looks too seldom on the way misses turns; those who stand around go on turning, each
        // of them once in 18 s.
        for enough in [4, 7, 10] {
            until("enough turns were seen", || {
                followed.look(&ann);
                std::future::ready((followed.compared >= enough).then_some(()))
            })
            .await;
        }
        assert!(blocks_max <= BLOCKS_MAX, "{blocks_max} blocks were watched at once");
        assert!(told.met.len() >= 100, "only {} of 200 were met", told.met.len());
        assert!(told.entered >= 80, "only {} entered", told.entered);
        agree_to_the_millimetre(&database, &ann).await;
        ann.disconnect().await;
        gateway.stop().await;
    });
}

/// What the client holds of everybody near gives the very positions the realm's rows give.
async fn agree_to_the_millimetre(database: &Database, realm: &RealmClient) {
    let rows = database.rows("motion").await;
    let mut compared = 0;
    for seen in realm.nearby() {
        let row = rows.iter().find(|row| row["entity_id"] == seen.entity_id).expect("a row");
        let truth = segment(row);
        // A row that changed between the two looks is another segment.
        if truth.started_at_micros != seen.segment.started_at_micros {
            continue;
        }
        for salt in 0..100 {
            let after = haven_rules::motion::mix(seen.entity_id, salt) % 60_000_000;
            let at = truth.started_at_micros + i64::try_from(after).expect("it fits");
            assert_eq!(truth.position_at(at), seen.segment.position_at(at));
        }
        compared += 1;
    }
    assert!(compared > 0, "nobody was near to compare");
}
