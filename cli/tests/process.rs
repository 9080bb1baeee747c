//! The `haven` binary as a user meets it: help, start, stop, restart, and its refusals.
//!
//! Every process listens on ports the system picks, in a directory that is removed, and is ended
//! by its own id.

mod up;

use serde_json::{Value, json};
use std::fmt::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Output;
use std::time::Duration;
use tempfile::TempDir;
use up::{Up, haven, port_of};

fn run(dir: &Path, args: &[&str]) -> Output {
    haven(args).current_dir(dir).output().expect("haven runs")
}

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
        &["bots", "--help"],
        &["bench", "--help"],
        &["bench", "crowd", "--help"],
        &["bench", "motion", "--help"],
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
    let up = Up::start(dir.path(), "127.0.0.1:0", "127.0.0.1:0");
    let (listen, stdb_listen) = (port_of(&up.gateway), port_of(&up.database));
    assert_eq!(get(&format!("{}/readyz", up.gateway), "").await.0, 200);
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

    let up = Up::start(dir.path(), &listen, &stdb_listen);
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
