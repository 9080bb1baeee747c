//! Checkpoints: made while a database runs, and what a start makes of them.

use super::*;
use crate::snapshots;

/// Transactions between two of them here.
const TRANSACTIONS: u64 = 100;
/// Rows that are inserted, of which all but every tenth are deleted again.
const INSERTS: u8 = 80;

impl Host {
    fn snapshots(&self) -> Vec<u64> {
        let found = snapshots::complete(&self.data.path().join("engine/replicas/1/snapshots"));
        found.expect("readable").iter().map(|snapshot| snapshot.offset).collect()
    }

    /// All rows of all tables of the module, as text.
    async fn rows(&self, engine: &Engine) -> Vec<String> {
        let mut rows = Vec::new();
        for table in ["realm_owner", "st_table", "st_column", "st_index", "st_sequence"] {
            let text = self.sql(engine, format!("SELECT * FROM {table}")).await;
            let answer: serde_json::Value = serde_json::from_str(&text).expect("JSON");
            let found = answer[0]["rows"].as_array().expect("rows");
            let mut found: Vec<_> = found.iter().map(|row| format!("{table} {row}")).collect();
            found.sort_unstable();
            rows.append(&mut found);
        }
        rows
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_from_a_checkpoint_finds_what_a_start_from_the_whole_log_finds() {
    let host = Host::new();
    let config = EngineConfig { checkpoint_transactions: TRANSACTIONS, ..host.config(false) };
    let engine = Engine::start(config.clone()).await.expect("the engine starts");
    host.publish(&engine).await;
    assert_eq!(host.snapshots(), [0]);
    for number in 0..INSERTS {
        let number = 1 + number % 40;
        host.sql(&engine, format!("DELETE FROM realm_owner WHERE singleton_id = {number}")).await;
        host.insert(&engine, number).await;
        if number % 10 > 0 {
            let delete = format!("DELETE FROM realm_owner WHERE singleton_id = {number}");
            host.sql(&engine, delete).await;
        }
    }
    // Until the first is made; the next one would be ten seconds later.
    let made = async {
        while host.snapshots().len() < 2 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), made).await.expect("a checkpoint is made");
    host.insert(&engine, 201).await;
    // The transaction with the number 0 is one of them.
    let offset = host.snapshots()[1];
    assert!(offset + 1 >= TRANSACTIONS, "{offset}");
    let rows = host.rows(&engine).await;
    engine.stop().await.expect("everything is written");

    let without = Host::new();
    let [from, to] = [&host, &without].map(|host| host.data.path().join("engine"));
    copy_below(&from, &to).expect("copied");
    let folder = format!("engine/replicas/1/snapshots/{offset:0>20}.snapshot_dir");
    std::fs::remove_dir_all(without.data.path().join(folder)).expect("removed");
    for (name, host, checkpoints) in [("with", &host, 1), ("without", &without, 0)] {
        let engine = host.start(false).await;
        assert_eq!(host.snapshots().len(), 1 + checkpoints, "{name}");
        assert_eq!(host.rows(&engine).await, rows, "{name}");
        // Indexes and sequences are there too.
        host.insert(&engine, 202).await;
        assert_eq!(host.count(&engine, "realm_owner WHERE singleton_id = 202").await, 1, "{name}");
        engine.stop().await.expect("everything is written");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_checkpoint_that_a_crash_spoiled_is_passed_over() {
    let host = Host::new();
    let engine = host.start(false).await;
    host.publish(&engine).await;
    for number in 1..=9 {
        host.insert(&engine, number).await;
    }
    engine.stop().await.expect("everything is written");
    let folder = host.data.path().join("engine/replicas/1/snapshots");
    let (good, spoiled) = ("0".repeat(20), format!("{:0>20}", 5));
    let [from, to] = [&good, &spoiled].map(|name| folder.join(format!("{name}.snapshot_dir")));
    copy_below(&from, &to).expect("copied");
    let file = folder.join(format!("{spoiled}.snapshot_dir/{spoiled}.snapshot_bsatn"));
    std::fs::write(file, b"half of it").expect("written");
    let config = EngineConfig { checkpoint_transactions: 3, ..host.config(false) };
    let engine = Engine::start(config).await.expect("the engine starts");
    assert_eq!(host.count(&engine, "realm_owner").await, 10);
    // The next one is made from the snapshot before it.
    let made = async {
        while host.snapshots().last().is_none_or(|offset| *offset <= 5) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), made).await.expect("another is made");
    engine.stop().await.expect("everything is written");
    assert!(!host.data.path().join("engine/replicas/1/checkpoint").exists(), "it is cleared away");
    let engine = host.start(false).await;
    assert_eq!(host.count(&engine, "realm_owner").await, 10);
    engine.stop().await.expect("everything is written");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_would_replay_much_has_a_checkpoint_first() {
    let host = Host::new();
    let engine = host.start(false).await;
    host.publish(&engine).await;
    for number in 1..=9 {
        host.insert(&engine, number).await;
    }
    engine.stop().await.expect("everything is written");
    assert_eq!(host.snapshots(), [0]);
    // With so few to replay none is made, while it starts or later.
    for (transactions, checkpoints) in [(1_000, 0), (3, 1)] {
        let config = EngineConfig { checkpoint_transactions: transactions, ..host.config(false) };
        let engine = Engine::start(config).await.expect("the engine starts");
        assert_eq!(host.snapshots().len(), 1 + checkpoints, "{transactions}");
        assert_eq!(host.count(&engine, "realm_owner").await, 10);
        engine.stop().await.expect("everything is written");
    }
}
