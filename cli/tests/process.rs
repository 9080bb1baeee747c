//! The `haven` binary as a user meets it: help, start, stop, restart, and its refusals.
//!
//! Every process listens on ports the system picks, in a directory that is removed, and is ended
//! by its own id.

mod up;

use serde_json::{Value, json};
use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;
use up::{Up, haven, port_of, run};

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[test]
fn the_help_tells_what_is_there() {
    let dir = TempDir::new().expect("a directory");
    let mut told = String::new();
    for command in [
        &["--help"][..],
        &["up", "--help"],
        &["gateway", "--help"],
        &["host", "--help"],
        &["publish", "--help"],
        &["token", "--help"],
        &["realm", "--help"],
        &["realm", "add", "--help"],
        &["account", "--help"],
        &["account", "role", "--help"],
        &["keys", "--help"],
        &["backup", "--help"],
        &["backup", "create", "--help"],
        &["backup", "restore", "--help"],
        &["backup", "verify", "--help"],
        &["check", "--help"],
        &["content", "--help"],
        &["content", "check", "--help"],
        &["content", "diff", "--help"],
        &["content", "stage", "--help"],
        &["content", "activate", "--help"],
        &["bots", "--help"],
        &["bench", "--help"],
        &["bench", "crowd", "--help"],
        &["bench", "motion", "--help"],
        &["bench", "plot", "--help"],
        &["torture", "--help"],
        &["world", "--help"],
        &["world", "preview", "--help"],
    ] {
        let output = run(dir.path(), command);
        assert_eq!(output.status.code(), Some(0), "{command:?}");
        let _ = writeln!(told, "$ haven {}\n{}", command.join(" "), text(&output.stdout));
    }
    insta::assert_snapshot!(told);
}

async fn post(url: &str, token: Option<&str>, body: &Value) -> (u16, Value) {
    let mut request = reqwest::Client::new().post(url).json(body);
    if let Some(token) = token {
        request = request.bearer_auth(token);
    }
    let answer = request.send().await.expect("an answer");
    (answer.status().as_u16(), answer.json().await.expect("JSON"))
}

async fn get(url: &str, token: &str) -> (u16, Value) {
    let request = reqwest::Client::new().get(url).bearer_auth(token);
    let answer = request.send().await.expect("an answer");
    (answer.status().as_u16(), answer.json().await.unwrap_or(Value::Null))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn up_stops_at_sigterm_and_finds_everything_at_the_next_start() {
    let dir = TempDir::new().expect("a directory");
    let up = Up::start_in(dir.path(), "data", ["127.0.0.1:0", "127.0.0.1:0"]);
    let (listen, stdb_listen) = (port_of(&up.gateway), port_of(&up.database));
    assert_eq!(get(&format!("{}/readyz", up.gateway), "").await.0, 200);
    // Without them a start compiles the module again, which takes ten times as long.
    let compiled = dir.path().join("data/engine/cache/wasmtime/modules");
    assert!(compiled.is_dir(), "compiled modules are kept, with a relative data directory too");
    let body = json!({ "email": "ann@example.org", "password": "correct horse" });
    let (status, session) = post(&format!("{}/v1/auth/register", up.gateway), None, &body).await;
    assert_eq!(status, 201, "{session}");
    let token = session["access_token"].as_str().expect("a token").to_owned();
    let hero = json!({ "name": "Aldric", "race": "human", "class": "fighter" });
    let characters = format!("{}/v1/characters", up.gateway);
    let (status, made) = post(&characters, Some(&token), &hero).await;
    assert_eq!(status, 201, "{made}");

    for (args, expected) in [
        (["up", "--data-dir", "data", "--listen", "127.0.0.1:0"], "in use"),
        (["up", "--data-dir", "other", "--listen", listen.as_str()], "in use"),
    ] {
        let args = [&args[..], &["--stdb-listen", "127.0.0.1:0"]].concat();
        let output = run(dir.path(), &args);
        assert_eq!(output.status.code(), Some(1), "{args:?}");
        let told = text(&output.stderr);
        assert_eq!(told.trim_end().lines().count(), 1, "one clear line: {told}");
        assert!(told.contains(expected), "{told}");
    }

    let output = run(dir.path(), &["token", "--data-dir", "data"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout).trim().split('.').count(), 3, "a token of three parts");
    let file = std::fs::metadata(dir.path().join("data/owner.token")).expect("a file");
    assert_eq!(file.permissions().mode() & 0o777, 0o600, "the owner's token is the owner's");

    let (code, took) = up.terminate();
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(10), "stopped after {took:?}");

    let up = Up::start_in(dir.path(), "data", [&listen, &stdb_listen]);
    let (status, list) = get(&characters, &token).await;
    assert_eq!(status, 200, "a token issued before still works: {list}");
    assert_eq!(list["characters"][0], made);
    assert_eq!(up.terminate().0, Some(0));
}

#[test]
fn a_bad_configuration_is_one_line_that_names_key_and_file() {
    let dir = TempDir::new().expect("a directory");
    let path = dir.path().join("spacetime.toml");
    for (content, key) in [
        ("[server]\nlissten = \"127.0.0.1:1\"\n", "lissten"),
        ("[server]\nlisten = \"nowhere\"\n", "listen"),
        ("[realm]\ncapacity = \"many\"\n", "capacity"),
    ] {
        std::fs::write(&path, content).expect("written");
        let output = run(dir.path(), &["up"]);
        assert_eq!(output.status.code(), Some(1), "{content}");
        let told = text(&output.stderr);
        assert_eq!(told.trim_end().lines().count(), 1, "one clear line: {told}");
        assert!(told.contains(key) && told.contains("spacetime.toml"), "{told}");
    }
    std::fs::remove_file(&path).expect("removed");
    let mut command = haven(&["up"]);
    let output = command.current_dir(dir.path()).env("HAVEN_SERVER__LISSTEN", "x").output();
    let told = text(&output.expect("haven runs").stderr);
    assert!(told.contains("HAVEN_SERVER__LISSTEN"), "{told}");
}

/// Answers the only row of a query as the owner.
async fn count(up: &Up, dir: &Path, data_dir: &str, table: &str) -> u64 {
    let token = text(&run(dir, &["token", "--data-dir", data_dir]).stdout);
    let answer = reqwest::Client::new()
        .post(format!("{}/v1/database/haven/sql", up.database))
        .bearer_auth(token.trim())
        .body(format!("SELECT COUNT(*) AS n FROM {table}"))
        .send()
        .await
        .expect("an answer");
    let answer: Value = answer.json().await.expect("JSON");
    answer[0]["rows"][0][0].as_u64().expect("a number")
}

async fn register(up: &Up, name: &str) {
    let body = json!({ "email": format!("{name}@example.org"), "password": "correct horse" });
    let (status, told) = post(&format!("{}/v1/auth/register", up.gateway), None, &body).await;
    assert_eq!(status, 201, "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_made_while_up_runs_is_verified_and_restored_by_commands() {
    let dir = TempDir::new().expect("a directory");
    let up = Up::start_in(dir.path(), "data", ["127.0.0.1:0", "127.0.0.1:0"]);
    register(&up, "ann").await;
    let create = ["backup", "create", "backups", "--data-dir", "data", "--keep", "2"];
    for generation in 1..=3 {
        let output = run(dir.path(), &create);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let told = text(&output.stdout);
        assert!(told.contains(&format!("generation-00000{generation}")), "{told}");
        assert!(told.contains("haven") && (generation < 3 || told.contains("removed")), "{told}");
    }
    register(&up, "bob").await;
    let output = run(dir.path(), &["backup", "verify", "backups"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(up.terminate().0, Some(0));

    let restore = ["backup", "restore", "backups", "--data-dir", "new"];
    let output = run(dir.path(), &restore);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    let output = run(dir.path(), &restore);
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stderr);
    assert!(told.starts_with("error: backup.target_not_empty: "), "{told}");
    let up = Up::start_in(dir.path(), "new", ["127.0.0.1:0", "127.0.0.1:0"]);
    assert_eq!(count(&up, dir.path(), "new", "account").await, 1);
    assert_eq!(up.terminate().0, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_process_leaves_no_lock_and_loses_nothing_that_was_written() {
    let dir = TempDir::new().expect("a directory");
    let mut up = Up::start_in(dir.path(), "data", ["127.0.0.1:0", "127.0.0.1:0"]);
    register(&up, "ann").await;
    assert_eq!(count(&up, dir.path(), "data", "account").await, 1);
    let pid_file = dir.path().join("data/engine/spacetime.pid");
    let noted = std::fs::read_to_string(&pid_file).expect("a pid file");
    assert_eq!(noted, up.child.id().to_string());
    up.child.kill().expect("killed");
    up.child.wait().expect("ended");
    assert!(pid_file.exists(), "nobody removed it");
    let up = Up::start_in(dir.path(), "data", ["127.0.0.1:0", "127.0.0.1:0"]);
    assert_eq!(count(&up, dir.path(), "data", "account").await, 1);
    assert_eq!(up.terminate().0, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_damaged_log_stops_the_start_with_one_line() {
    let dir = TempDir::new().expect("a directory");
    let up = Up::start_in(dir.path(), "data", ["127.0.0.1:0", "127.0.0.1:0"]);
    register(&up, "ann").await;
    assert_eq!(up.terminate().0, Some(0));
    let path = dir.path().join("data/engine/replicas/1/clog/00000000000000000000.stdb.log");
    let mut bytes = std::fs::read(&path).expect("a log");
    let middle = bytes.len() - 2_000;
    bytes[middle] ^= 1;
    std::fs::write(&path, bytes).expect("written");
    let args = ["up", "--data-dir", "data", "--listen", "127.0.0.1:0"];
    let output = run(dir.path(), &[&args[..], &["--stdb-listen", "127.0.0.1:0"]].concat());
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stderr);
    assert_eq!(told.trim_end().lines().count(), 1, "one clear line: {told}");
    for part in ["database haven", "last good transaction", "haven backup restore"] {
        assert!(told.contains(part), "{part} in {told}");
    }
}
