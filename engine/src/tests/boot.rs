//! Starting after a crash, a full disk, a flipped bit.
//!
//! Keeps true: what is done to a log here is done while no engine holds it.

use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;

use super::*;
use crate::log;

/// An engine's data with that many rows, and nobody in it.
async fn stopped_with_rows(rows: u8) -> Host {
    let host = Host::new();
    let engine = host.start(false).await;
    host.publish(&engine).await;
    for number in 1..=rows {
        host.insert(&engine, number).await;
    }
    engine.stop().await.expect("everything is written");
    host
}

impl Host {
    fn scan(&self) -> log::Scan {
        log::scan(&self.log_folder(), 0).expect("readable")
    }

    fn last_segment(&self) -> PathBuf {
        self.scan().segments.pop().expect("a segment").segment.path
    }

    fn append(&self, bytes: &[u8]) {
        let file = OpenOptions::new().append(true).open(self.last_segment());
        file.and_then(|mut file| file.write_all(bytes)).expect("written");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_empty_segment_of_a_full_disk_is_removed_and_told() {
    let host = stopped_with_rows(5).await;
    let next = host.scan().next_offset;
    let stub = host.log_folder().join(log::segment_name(next));
    fs::write(&stub, b"").expect("written");
    let engine = host.start(false).await;
    let told = engine.repairs().to_vec();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("haven") && told[0].contains(&log::segment_name(next)), "{told:?}");
    assert_eq!(host.count(&engine, "realm_owner").await, 6);
    host.insert(&engine, 9).await;
    engine.stop().await.expect("everything is written");
    assert!(host.start(false).await.repairs().is_empty(), "nothing is left to repair");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_that_was_repeated_before_an_empty_segment_is_cut_off_too() {
    let host = stopped_with_rows(5).await;
    let (before, scan) = (host.last_segment(), host.scan());
    let last = scan.last_offset().expect("a transaction");
    let mut starts = 0;
    log::walk(&host.log_folder(), 0, |_, commit| {
        if commit.first_offset < last {
            starts = commit.end_byte;
        }
    })
    .expect("readable");
    let bytes = fs::read(&before).expect("readable");
    let whole = scan.segments.last().expect("a segment").whole_bytes;
    let [from, to] = [starts, whole].map(|byte| usize::try_from(byte).expect("small"));
    host.append(&bytes[from..to]);
    let stub = host.log_folder().join(log::segment_name(scan.next_offset));
    fs::write(&stub, b"").expect("written");
    let engine = host.start(false).await;
    assert_eq!(engine.repairs().len(), 2, "{:?}", engine.repairs());
    assert_eq!(host.count(&engine, "realm_owner").await, 6);
    host.insert(&engine, 9).await;
    engine.stop().await.expect("everything is written");
    let engine = host.start(false).await;
    assert!(engine.repairs().is_empty(), "nothing is left to repair");
    assert_eq!(host.count(&engine, "realm_owner").await, 7);
    engine.stop().await.expect("everything is written");
}

#[tokio::test(flavor = "multi_thread")]
async fn unfinished_writes_cost_no_later_transaction() {
    // Fewer bytes than a commit's header, and more.
    for left in [&[1; 10][..], &[1; 60]] {
        let host = stopped_with_rows(5).await;
        host.append(left);
        for round in 0..3 {
            let engine = host.start(false).await;
            assert_eq!(engine.repairs().len(), usize::from(round == 0), "{:?}", engine.repairs());
            assert_eq!(host.count(&engine, "realm_owner").await, 6 + round);
            host.insert(&engine, 10 + u8::try_from(round).expect("small")).await;
            engine.stop().await.expect("everything is written");
        }
        assert_eq!(host.scan().damage, None);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flipped_bit_ends_in_one_line_that_says_what_is_good_and_what_to_do() {
    let host = stopped_with_rows(20).await;
    let path = host.last_segment();
    let mut bytes = fs::read(&path).expect("readable");
    let late = bytes.len() - 400;
    bytes[late] ^= 4;
    fs::write(&path, &bytes).expect("written");
    let error = Engine::start(host.config(false)).await.expect_err("the log is damaged");
    let line = error.to_string();
    assert!(matches!(error, EngineError::LogDamaged { .. }), "{line}");
    let last_good = host.scan().last_offset().expect("some are good");
    for part in ["database haven", &format!("is {last_good}, of "), "haven backup restore"] {
        assert!(line.contains(part), "{part:?} in {line}");
    }
    assert!(!line.contains('\n'), "{line}");
    assert_eq!(fs::read(&path).expect("readable"), bytes, "nothing was changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pid_file_that_nobody_holds_is_no_lock() {
    let host = stopped_with_rows(1).await;
    let file = host.data.path().join("engine/spacetime.pid");
    for text in ["1", "4194304", "not a number", ""] {
        fs::write(&file, text).expect("written");
        let engine = host.start(false).await;
        assert_eq!(host.count(&engine, "realm_owner").await, 2, "{text:?}");
        engine.stop().await.expect("everything is written");
        assert!(!file.exists(), "a stop removes it");
    }
}
