//! Backups of an engine that runs, and engines that start from them.
//!
//! Keeps true: what a restored engine is asked is asked over HTTP, like any other.

use std::fs;
use std::path::{Path, PathBuf};

use spacetimedb_lib::Timestamp;

use super::*;
use crate::backup::{
    BackupError, CreateOptions, Created, Manifest, RestoreOptions, create, restore, verify,
};
use crate::versions;

impl Host {
    fn backups(&self) -> PathBuf {
        self.data.path().join("backups")
    }

    async fn back_up(&self, keep: Option<usize>) -> Result<Created, BackupError> {
        create(CreateOptions {
            data_dir: self.data.path().to_owned(),
            keys_dir: self.issuer.folder.path().to_owned(),
            backups: self.backups(),
            verify: true,
            keep,
        })
        .await
    }

    /// Restores the newest generation into a new directory, and starts an engine there.
    async fn restore(&self, until: Option<Timestamp>) -> (TempDir, Engine) {
        let new = tempfile::tempdir().expect("a temporary directory");
        let options = RestoreOptions {
            backups: self.backups(),
            generation: None,
            until,
            data_dir: new.path().to_owned(),
        };
        restore(options).await.expect("restored");
        let config = EngineConfig { data_dir: new.path().to_owned(), ..self.config(false) };
        let engine = Engine::start(config).await.expect("it starts from a restored directory");
        assert!(engine.repairs().is_empty(), "{:?}", engine.repairs());
        (new, engine)
    }

    async fn realms(&self, engine: &Engine) -> u64 {
        self.count(engine, "realm").await
    }

    async fn add_realm(&self, engine: &Engine, number: u16) {
        let (name, uri) = (format!("Realm {number}"), "http://127.0.0.1:3000");
        let args = json!([number, name, uri, format!("realm-{number}"), 10]);
        self.call(engine, "realm_upsert", args).await;
    }
}

fn find<'a>(manifest: &'a Manifest, part: &str) -> &'a str {
    let file = manifest.files.iter().find(|file| file.path.contains(part));
    file.map(|file| file.path.as_str()).expect(part)
}

fn flip(path: &Path) {
    let mut bytes = fs::read(path).expect("readable");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    // A hard link must keep being one: the file is written, not replaced.
    fs::write(path, bytes).expect("written");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_of_a_running_engine_starts_and_holds_every_written_row() {
    let host = Host::new();
    let engine = host.start(false).await;
    host.publish(&engine).await;
    host.call(&engine, "realm_configure", json!([1, "Haven", true, 100])).await;
    for number in 1..=20 {
        host.add_realm(&engine, number).await;
    }
    while engine.durability_backlog() > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let created = host.back_up(None).await.expect("backed up");
    let entry = &created.manifest.databases[0];
    assert_eq!((entry.label(), entry.first_offset), ("haven", Some(0)));
    assert!(entry.last_offset > Some(20) && entry.last_tx_at.is_some());
    assert_eq!(entry.counts.as_ref().and_then(|counts| counts.get("realm")), Some(&20));
    engine.stop().await.expect("everything is written");

    let (_new, restored) = host.restore(None).await;
    assert_eq!(host.realms(&restored).await, 20);
    host.add_realm(&restored, 21).await;
    restored.stop().await.expect("everything is written");
    verify(host.backups(), None).await.expect("an engine elsewhere changes no backup");
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_backup_and_what_is_restored_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    fn check(folder: &Path) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            let mode = fs::metadata(&path).expect("there").permissions().mode() & 0o777;
            assert_eq!(mode, if path.is_dir() { 0o700 } else { 0o600 }, "{}", path.display());
            if path.is_dir() {
                check(&path);
            }
        }
    }
    let host = Host::new();
    let engine = host.start(false).await;
    host.publish(&engine).await;
    let created = host.back_up(None).await.expect("backed up");
    engine.stop().await.expect("everything is written");
    check(&created.path);
    assert!(created.path.join("keys/jwks.json").is_file());
    let new = tempfile::tempdir().expect("a temporary directory");
    let data_dir = new.path().join("data");
    let options =
        RestoreOptions { backups: host.backups(), generation: None, until: None, data_dir };
    restore(options).await.expect("restored");
    check(new.path());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_generation_shares_what_did_not_change_and_old_ones_go() {
    let host = Host::new();
    let engine = host.start(false).await;
    host.publish(&engine).await;
    engine.stop().await.expect("everything is written");
    // A torn tail makes the engine go on in a new segment; the first is never written again.
    let first = host.log_folder().join(crate::log::segment_name(0));
    let mut bytes = fs::read(&first).expect("readable");
    bytes.extend([1; 60]);
    fs::write(&first, bytes).expect("written");
    let engine = host.start(false).await;
    host.insert(&engine, 1).await;
    let one = host.back_up(None).await.expect("backed up");
    assert_eq!(one.reused_bytes, 0);
    host.insert(&engine, 2).await;
    while engine.durability_backlog() > 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let two = host.back_up(None).await.expect("backed up");
    engine.stop().await.expect("everything is written");
    let sealed = find(&one.manifest, "/clog/00000000000000000000");
    assert!(two.reused_bytes > MODULE_WASM.len() as u64, "{} bytes", two.reused_bytes);
    assert!(two.copied_bytes < 100_000, "{} bytes", two.copied_bytes);
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        let inode =
            |created: &Created| fs::metadata(created.path.join(sealed)).expect("there").ino();
        assert_eq!(inode(&one), inode(&two), "one file on disk");
    }
    // A shared file that went bad is not shared on.
    flip(&two.path.join(sealed));
    let three = host.back_up(Some(2)).await.expect("backed up");
    assert_eq!(three.removed, [1]);
    verify(host.backups(), Some(3)).await.expect("the third is good");
    let error = verify(host.backups(), Some(2)).await.expect_err("the second is not");
    assert_eq!(error.code(), "backup.file_changed");
    assert!(error.to_string().contains(sealed), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_flipped_byte_and_missing_file_is_named() {
    let host = Host::new();
    let engine = host.start(false).await;
    host.publish(&engine).await;
    let created = host.back_up(None).await.expect("backed up");
    engine.stop().await.expect("everything is written");
    let paths: Vec<String> = created.manifest.files.iter().map(|file| file.path.clone()).collect();
    assert!(paths.len() >= 6, "{paths:?}");
    for path in paths.iter().map(String::as_str).chain(["manifest.json"]) {
        let file = created.path.join(path);
        flip(&file);
        let error = verify(host.backups(), None).await.expect_err(path);
        assert_eq!(error.code(), "backup.file_changed");
        assert!(error.to_string().contains(path), "{error}");
        flip(&file);
        let away = created.path.join("away");
        fs::rename(&file, &away).expect("moved");
        let error = verify(host.backups(), None).await.expect_err(path);
        assert_eq!(error.code(), "backup.file_missing");
        assert!(error.to_string().contains(path), "{error}");
        fs::rename(&away, &file).expect("moved back");
    }
    verify(host.backups(), None).await.expect("whole again");
    let entry = created.manifest.databases[0].clone();
    let mut wrong = created.manifest;
    wrong.databases[0].counts.get_or_insert_default().insert("realm".to_owned(), 7);
    wrong.write(&created.path).expect("written");
    let error = verify(host.backups(), None).await.expect_err("there are no seven realms");
    assert_eq!(error.code(), "backup.counts_differ", "{error} {entry:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_moment_before_a_publish_starts_with_the_module_of_that_moment() {
    let host = Host::new();
    let engine = host.start(false).await;
    host.publish(&engine).await;
    host.call(&engine, "realm_configure", json!([1, "Haven", true, 100])).await;
    host.add_realm(&engine, 1).await;
    host.publish_noted(&engine, b"note").await;
    let before_second = Timestamp::now();
    host.add_realm(&engine, 2).await;
    host.publish_noted(&engine, b"more").await;
    host.add_realm(&engine, 3).await;
    engine.stop().await.expect("everything is written");
    let listed = versions::read(&host.data.path().join("engine/replicas/1")).expect("readable");
    assert_eq!(listed.len(), 3, "{listed:?}");
    assert!(listed.is_sorted_by_key(|version| version.first_offset));
    let created = host.back_up(None).await.expect("backed up");
    assert_eq!(created.manifest.databases[0].module, listed[2].program);

    let before_first = Timestamp::from_micros_since_unix_epoch(listed[1].at_micros - 1);
    for (until, module, realms) in [
        (before_first, &listed[0], 1),
        (before_second, &listed[1], 1),
        (listed[2].at(), &listed[2], 2),
    ] {
        let (new, restored) = host.restore(Some(until)).await;
        assert_eq!(host.realms(&restored).await, realms);
        let row = host.sql(&restored, "SELECT program_hash FROM st_module".to_owned()).await;
        restored.stop().await.expect("everything is written");
        // SQL writes hashes as numbers, so their bytes the other way round, without leading zeros.
        let mut number = hex::decode(&module.program).expect("hexadecimal");
        number.reverse();
        let number = hex::encode(number);
        let number = number.trim_start_matches('0');
        assert!(row.contains(&format!("0x{number}")), "{} in {row}", module.program);
        let kept = versions::read(&new.path().join("engine/replicas/1")).expect("readable");
        assert_eq!(kept.last(), Some(module));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_have_codes_and_leave_nothing() {
    let host = Host::new();
    let error = host.back_up(None).await.expect_err("no engine was ever here");
    assert_eq!(error.code(), "backup.nothing_there");
    let engine = host.start(false).await;
    host.publish(&engine).await;
    engine.stop().await.expect("everything is written");
    host.back_up(None).await.expect("backed up");
    let new = tempfile::tempdir().expect("a temporary directory");
    fs::write(new.path().join("mine"), b"mine").expect("written");
    let epoch = Timestamp::UNIX_EPOCH;
    for (data_dir, generation, until, code) in [
        (new.path().to_owned(), None, None, "backup.target_not_empty"),
        (new.path().join("mine"), None, None, "backup.target_not_empty"),
        (new.path().join("new"), Some(9), None, "backup.generation_unknown"),
        (new.path().join("new"), None, Some(epoch), "backup.until_too_early"),
    ] {
        let options = RestoreOptions { backups: host.backups(), generation, until, data_dir };
        let error = restore(options).await.expect_err(code);
        assert_eq!(error.code(), code, "{error}");
    }
    assert_eq!(fs::read_dir(new.path()).expect("a folder").count(), 1);
    let hidden = |entry: &fs::DirEntry| entry.file_name().to_string_lossy().starts_with(".work");
    let left = fs::read_dir(host.backups()).expect("a folder").filter_map(Result::ok);
    assert_eq!(left.filter(hidden).count(), 0);
}
