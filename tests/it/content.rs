//! Content: versions staged, put in force and taken back; every refusal.

use crate::support::client::Client;
use crate::support::{Database, now_micros, on_database, until};
use crate::tidy::root;
use futures::future::{join, join_all};
use haven_rules::content::pack::{Source, read};
use haven_rules::content::versions::{BODY_BYTES_MAX, VERSIONS_MAX, entries_of};
use haven_rules::content::{BoardItem, BoardReward, Pack};
use serde_json::{Value, json};
use std::cell::Cell;
use std::time::{Duration, Instant};

/// The pack that comes with Haven.
fn srd() -> Pack {
    let folder = root().join("content/srd");
    let texts: Vec<(String, String)> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("readable");
            (path.display().to_string(), text)
        })
        .collect();
    let sources: Vec<_> = texts.iter().map(|(file, text)| Source { file, text }).collect();
    read(&sources).expect("a pack without fault")
}

/// A pack as `content_stage` takes it.
fn sent(pack: &Pack) -> Value {
    let entry = |entry: &haven_rules::content::versions::StoredEntry| json!({ "kind": entry.kind, "key": entry.key, "body": entry.body });
    entries_of(pack).iter().map(entry).collect()
}

/// The entries in force, in order.
async fn in_force(database: &Database) -> Vec<String> {
    let rows = database.rows("content_def").await;
    let mut rows: Vec<_> = rows.iter().map(ToString::to_string).collect();
    rows.sort_unstable();
    rows
}

/// The version in force, if there is one.
async fn active(database: &Database) -> Option<u64> {
    let rows = database.rows("content_version").await;
    rows.iter().find(|row| row["state"] == 1)?["version"].as_u64()
}

#[test]
fn a_version_is_put_in_force_whole_and_taken_back_to_the_same_rows() {
    on_database(|database| async move {
        let (owner, first) = (&database.owner, srd());
        owner.call("content_stage", json!(["First", sent(&first)])).await.expect("staged");
        assert_eq!(in_force(&database).await.len(), 0, "a staged version is not in force");
        owner.call("content_activate", json!([1, 0])).await.expect("activated");
        let before = in_force(&database).await;
        assert_eq!(before.len(), entries_of(&first).len());

        let mut second = srd();
        let setting = &mut second.setting[0];
        setting.value = setting.min;
        let removed = second.camp.pop().expect("a camp");
        owner.call("content_stage", json!(["Second", sent(&second)])).await.expect("staged");
        owner.call("content_activate", json!([2, 0])).await.expect("activated");
        let after = in_force(&database).await;
        assert_eq!(after.len(), before.len() - 1);
        let changed: Vec<_> = before.iter().filter(|row| !after.contains(row)).collect();
        assert_eq!(changed.len(), 2, "{changed:?}");
        assert!(changed.iter().any(|row| row.contains(&removed.key)), "{changed:?}");

        let later = now_micros() + 60_000_000;
        owner.call("content_activate", json!([1, later])).await.expect("scheduled");
        owner.call("content_rollback", json!([])).await.expect("taken back");
        assert_eq!((in_force(&database).await, active(&database).await), (before, Some(1)));
        assert_eq!(database.rows("content_activation_timer").await.len(), 0, "it came earlier");
        let refused = owner.call("content_rollback", json!([])).await.expect_err("the first");
        assert!(refused.starts_with("content.nothing_before:"), "{refused}");
    });
}

#[test]
fn what_has_a_fault_is_not_staged_and_changes_nothing() {
    on_database(|database| async move {
        let pack = srd();
        let good = sent(&pack);
        let but = |change: &dyn Fn(&mut Vec<Value>)| {
            let mut entries = good.as_array().expect("entries").clone();
            change(&mut entries);
            Value::from(entries)
        };
        let long = "x".repeat(BODY_BYTES_MAX + 1);
        let mut prized = srd();
        let items = vec![BoardItem { item: "no_such_thing".to_owned(), count: 1 }];
        let reward = BoardReward { from_rank: 1, to_rank: 1, copper: 5, items };
        prized.board[0].rewards = vec![reward];
        let faulty = [
            ("", good.clone(), "content.title_invalid"),
            ("A", json!([]), "content.entries_invalid"),
            ("A", but(&|entries| entries.push(entries[0].clone())), "content.entries_invalid"),
            ("A", but(&|entries| entries[0]["kind"] = json!("spell")), "content.entries_invalid"),
            ("A", but(&|entries| entries[0]["body"] = json!(long)), "content.entries_invalid"),
            ("A", but(&|entries| entries[0]["body"] = json!("{")), "content.pack_faulty"),
            ("A", but(&|entries| entries[0]["key"] = json!("other")), "content.pack_faulty"),
            // Somebody refers to it.
            (
                "A",
                but(&|entries| entries.retain(|entry| entry["key"] != "wizard")),
                "content.pack_faulty",
            ),
            // It refers to what is not there.
            ("A", sent(&prized), "content.pack_faulty"),
        ];
        for (title, entries, code) in faulty {
            let refused = database.owner.call("content_stage", json!([title, entries])).await;
            let refused = refused.expect_err(code);
            assert!(refused.starts_with(&format!("{code}:")), "{code}: {refused}");
        }
        assert_eq!(database.rows("content_version").await.len(), 0);
        assert_eq!(database.rows("content_entry").await.len(), 0);
    });
}

#[test]
fn only_the_owner_changes_content() {
    on_database(|database| async move {
        let ann = database.register("ann@example.org").await;
        let administrator = database.admit(ann, "administrator").await;
        let timer = json!([{ "scheduled_id": 0, "scheduled_at": { "Interval":
            { "__time_duration_micros__": 1 } }, "version": 1 }]);
        for (reducer, args, code) in [
            ("content_stage", json!(["A", []]), "account.permission_denied"),
            ("content_activate", json!([1, 0]), "account.permission_denied"),
            ("content_rollback", json!([]), "account.permission_denied"),
            ("content_drop", json!([1]), "account.permission_denied"),
            ("content_activate_due", timer, "realm.database_only"),
        ] {
            let refused = administrator.call(reducer, args).await.expect_err(reducer);
            assert!(refused.starts_with(&format!("{code}:")), "{reducer}: {refused}");
        }
    });
}

#[test]
fn versions_are_known_by_number_bounded_and_dropped_unless_in_force() {
    on_database(|database| async move {
        let (owner, pack) = (&database.owner, sent(&srd()));
        let refused = async |reducer: &str, args: Value, code: &str| {
            let refused = owner.call(reducer, args).await.expect_err(code);
            assert!(refused.starts_with(&format!("{code}:")), "{reducer}: {refused}");
        };
        refused("content_activate", json!([1, 0]), "content.version_unknown").await;
        refused("content_drop", json!([1]), "content.version_unknown").await;
        refused("content_rollback", json!([]), "content.nothing_before").await;
        for number in 1..=VERSIONS_MAX {
            let title = format!("Version {number}");
            owner.call("content_stage", json!([title, pack])).await.expect("staged");
        }
        refused("content_stage", json!(["More", pack]), "content.versions_too_many").await;
        owner.call("content_activate", json!([2, 0])).await.expect("activated");
        refused("content_activate", json!([2, 0]), "content.version_active").await;
        refused("content_drop", json!([2]), "content.version_active").await;
        owner.call("content_drop", json!([1])).await.expect("dropped");
        refused("content_activate", json!([1, 0]), "content.version_unknown").await;
        owner.call("content_stage", json!(["More", pack])).await.expect("staged");
    });
}

#[test]
fn a_version_becomes_active_by_itself_at_its_instant() {
    on_database(|database| async move {
        let owner = &database.owner;
        owner.call("content_stage", json!(["Later", sent(&srd())])).await.expect("staged");
        for at in [1, now_micros() - 1_000_000, i64::MAX, i64::MIN] {
            let refused = owner.call("content_activate", json!([1, at])).await.expect_err("a time");
            assert!(refused.starts_with("content.time_invalid:"), "{refused}");
        }
        let at = now_micros() + 1_500_000;
        owner.call("content_activate", json!([1, at])).await.expect("scheduled");
        assert_eq!(active(&database).await, None);
        until("it is active", || async { active(&database).await }).await;
        assert!(now_micros() >= at, "not before its instant");
        let rows = database.rows("content_version").await;
        assert_eq!(rows[0]["activate_at_micros"], 0);
        assert_eq!(database.rows("content_activation_timer").await.len(), 0);
    });
}

/// Most time an activation of 1,000 rows may take, on a machine that does much else.
const ACTIVATION_MAX: Duration = Duration::from_secs(2);
/// Rows that change.
const CHANGED_MIN: usize = 1_000;

/// The pack that comes with Haven, with some abilities and creatures twice.
fn large() -> Pack {
    let mut pack = srd();
    let mut abilities = pack.ability.clone();
    for ability in &mut abilities {
        ability.key = format!("{}_2", ability.key.chars().take(46).collect::<String>());
    }
    let mut creatures = pack.creature.clone();
    for creature in &mut creatures {
        creature.key = format!("{}_2", creature.key.chars().take(46).collect::<String>());
    }
    pack.ability.extend(abilities);
    pack.creature.extend(creatures);
    pack
}

/// The same with a change in nearly all entries.
fn changed(mut pack: Pack) -> Pack {
    pack.race.iter_mut().for_each(|race| race.speed_mm_per_round += 300);
    pack.class.iter_mut().for_each(|class| "Changed.".clone_into(&mut class.text));
    pack.background.iter_mut().for_each(|background| background.coins += 1);
    pack.feature.iter_mut().for_each(|feature| "Changed.".clone_into(&mut feature.text));
    pack.ability.iter_mut().for_each(|ability| ability.range_mm /= 2);
    pack.creature.iter_mut().for_each(|creature| creature.sight_mm /= 2);
    pack.weapon.iter_mut().for_each(|weapon| weapon.price_copper += 1);
    pack.armor.iter_mut().for_each(|armor| armor.price_copper += 1);
    pack.camp.iter_mut().for_each(|camp| camp.respawn_millis += 1_000);
    pack
}

/// How many entries each update of the content brought a player.
fn updates_of(player: &Client) -> Vec<usize> {
    let mut counts = vec![];
    for message in player.messages() {
        let update = &message["TransactionUpdateLight"]["update"];
        for table in update["tables"].as_array().into_iter().flatten() {
            if table["table_name"] == "content_def" {
                let updates = table["updates"].as_array().into_iter().flatten();
                let inserts = updates.filter_map(|update| update["inserts"].as_array());
                counts.push(inserts.map(Vec::len).sum());
            }
        }
    }
    counts
}

#[test]
fn a_large_activation_interrupts_nobody() {
    on_database(|database| async move {
        let (owner, first) = (&database.owner, large());
        let second = changed(first.clone());
        let mut players: Vec<Client> = vec![];
        // Without those that look alike.
        for letter in "abcdefghjkmnopqrstuv".chars() {
            let (email, name) = (format!("{letter}@example.org"), format!("Pla{letter}er"));
            players.push(database.enter(&email, &name).await.2);
        }
        for (title, pack) in [("First", &first), ("Second", &second)] {
            owner.call("content_stage", json!([title, sent(pack)])).await.expect("staged");
        }
        owner.call("content_activate", json!([1, 0])).await.expect("activated");
        let before = in_force(&database).await;
        // The hardest case: everybody wants all of it.
        for player in &players {
            player.subscribe(&["SELECT * FROM content_def"]).await;
        }

        let is_over = Cell::new(false);
        let is_over = &is_over;
        let play = join_all(players.iter().map(|player| async move {
            let mut calls = 0_u32;
            while !is_over.get() {
                let (dx, dy) = (calls % 3, calls % 2);
                player.call("course_set", json!([dx, dy, false])).await.expect("goes on");
                calls += 1;
            }
            // Still the same connection: this client never makes another.
            player.call("course_set", json!([0, 0, false])).await.expect("still connected");
            calls
        }));
        let change = async {
            let began = Instant::now();
            owner.call("content_activate", json!([2, 0])).await.expect("activated");
            let took = began.elapsed();
            let after = in_force(&database).await;
            owner.call("content_rollback", json!([])).await.expect("taken back");
            is_over.set(true);
            (took, after)
        };
        let (calls, (took, after)) = join(play, change).await;
        assert!(took < ACTIVATION_MAX, "{took:?}");
        assert!(calls.iter().all(|calls| *calls > 0), "{calls:?}");
        assert_eq!(after.len(), before.len());
        let differ = after.iter().filter(|row| before.binary_search(row).is_err()).count();
        assert!(differ >= CHANGED_MIN, "{differ}");
        assert_eq!(in_force(&database).await, before);
        for player in &players {
            let updates = until("both changes came", || async {
                Some(updates_of(player)).filter(|updates| updates.len() >= 2)
            });
            assert_eq!(updates.await, [differ, differ], "each in one transaction");
        }
    });
}
