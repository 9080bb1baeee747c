//! Content: versions staged, put in force and taken back; every refusal.

use crate::support::{Database, now_micros, on_database, until};
use crate::tidy::root;
use haven_rules::content::Pack;
use haven_rules::content::pack::{Source, read};
use haven_rules::content::versions::{BODY_BYTES_MAX, VERSIONS_MAX, entries_of};
use serde_json::{Value, json};

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
    let entry = |entry: &haven_rules::content::versions::StoredEntry| {
        json!({ "kind": entry.kind, "key": entry.key, "body": entry.body })
    };
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

        owner.call("content_rollback", json!([])).await.expect("taken back");
        assert_eq!((in_force(&database).await, active(&database).await), (before, Some(1)));
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
                but(&|entries| entries.retain(|entry| entry["key"] != "fighter")),
                "content.pack_faulty",
            ),
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
