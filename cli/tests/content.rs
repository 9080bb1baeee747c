//! `haven content` as an owner meets it: a realm's versions, and packs with faults.

mod up;

use std::fs;
use std::path::Path;
use tempfile::TempDir;
use up::{Up, run};

/// Runs a command on the realm: whether it did, what it told, what it complained of.
fn content(dir: &Path, up: &Up, args: &[&str]) -> (bool, String, String) {
    let at = ["--server", up.database.as_str(), "--data-dir", "data"];
    let output = run(dir, &[&["content"], args, &at].concat());
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.success(), text(&output.stdout), text(&output.stderr))
}

/// What a command told that did what it was asked.
fn told(dir: &Path, up: &Up, args: &[&str]) -> String {
    let (is_done, told, complaint) = content(dir, up, args);
    assert!(is_done, "{args:?}: {complaint}");
    told
}

/// The pack that comes with Haven as a folder, in which each of these texts is replaced once.
fn pack(dir: &Path, name: &str, changes: &[(&str, &str, &str)]) {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../content/srd");
    fs::create_dir(dir.join(name)).expect("a folder");
    for entry in fs::read_dir(shipped).expect("a folder") {
        let path = entry.expect("an entry").path();
        let file = path.file_name().and_then(|name| name.to_str()).expect("a name");
        let mut text = fs::read_to_string(&path).expect("readable");
        for (of, from, to) in changes {
            if of == &file {
                assert!(text.contains(from), "{of}: {from}");
                text = text.replacen(from, to, 1);
            }
        }
        fs::write(dir.join(name).join(file), text).expect("written");
    }
}

/// The rows of `content list`, by their words.
fn versions(dir: &Path, up: &Up) -> Vec<String> {
    let table = told(dir, up, &["list"]);
    let rows = table.lines().skip(1).map(|line| line.split("  ").map(str::trim));
    rows.map(|words| {
        let words: Vec<_> = words.filter(|word| !word.is_empty()).take(3).collect();
        words.join(", ")
    })
    .collect()
}

#[test]
fn a_realm_begins_with_the_shipped_pack_and_keeps_what_its_owner_puts_in_force() {
    let dir = TempDir::new().expect("a directory");
    let dir = dir.path();
    let shipped = format!("1, Haven {}", env!("CARGO_PKG_VERSION"));
    let up = Up::start_in(dir, "data", ["127.0.0.1:0", "127.0.0.1:0"]);
    assert_eq!(versions(dir, &up), [format!("{shipped}, in force")]);
    assert!(told(dir, &up, &["diff"]).contains("in force: 0;"));

    pack(dir, "spring", &[("settings.toml", "value = 1500", "value = 1000")]);
    let diff = told(dir, &up, &["diff", "spring"]);
    let words: Vec<_> = diff.lines().nth(1).expect("a row").split_whitespace().collect();
    let expected = ["changed", "setting", "global_cooldown_millis", "0", "–", "–", "value"];
    assert_eq!(words, expected, "{diff}");
    assert!(diff.contains("differ from what is in force: 1;"), "{diff}");
    let staged = told(dir, &up, &["stage", "spring"]);
    assert!(staged.contains("version 2 \"spring\" is staged"), "{staged}");
    let active = told(dir, &up, &["activate", "2"]);
    assert!(active.contains("version 2 \"spring\" is in force"), "{active}");
    let now = [format!("{shipped}, was in force"), "2, spring, in force".to_owned()];
    assert_eq!(versions(dir, &up), now);
    assert_eq!(up.terminate().0, Some(0));

    let up = Up::start_in(dir, "data", ["127.0.0.1:0", "127.0.0.1:0"]);
    assert_eq!(versions(dir, &up), now, "another start changes nothing");
    let (is_done, _, complaint) = content(dir, &up, &["drop", "2"]);
    assert!(!is_done && complaint.contains("content.version_active"), "{complaint}");
    let back = told(dir, &up, &["rollback"]);
    assert!(back.contains(&format!("version 1 \"Haven {}\"", env!("CARGO_PKG_VERSION"))), "{back}");
    let at = "2000-01-01T00:00:00Z";
    let (is_done, _, complaint) = content(dir, &up, &["activate", "2", "--at", at]);
    assert!(!is_done && complaint.contains("content.time_invalid"), "{complaint}");
    told(dir, &up, &["drop", "2"]);
    assert_eq!(versions(dir, &up), [format!("{shipped}, in force")]);
    assert_eq!(up.terminate().0, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_of_a_release_without_content_gets_the_shipped_pack_at_its_next_start() {
    let dir = TempDir::new().expect("a directory");
    let dir = dir.path();
    let up = Up::start_in(dir, "data", ["127.0.0.1:0", "127.0.0.1:0"]);
    let token = fs::read_to_string(dir.join("data/owner.token")).expect("a token");
    // What such a database is like once the module is published over it: the tables are empty.
    for table in ["content_def", "content_entry", "content_version"] {
        let url = format!("{}/v1/database/haven/sql", up.database);
        let request = reqwest::Client::new().post(url).bearer_auth(token.trim());
        let answer = request.body(format!("DELETE FROM {table}")).send().await;
        assert_eq!(answer.expect("an answer").status(), 200, "{table}");
    }
    assert_eq!(versions(dir, &up).len(), 0);
    assert_eq!(up.terminate().0, Some(0));
    let up = Up::start_in(dir, "data", ["127.0.0.1:0", "127.0.0.1:0"]);
    assert_eq!(versions(dir, &up).len(), 1);
    assert!(told(dir, &up, &["diff"]).contains("in force: 0;"));
    assert_eq!(up.terminate().0, Some(0));
}

#[test]
fn a_pack_with_faults_changes_nothing_and_each_is_named_with_file_and_line() {
    let dir = TempDir::new().expect("a directory");
    let dir = dir.path();
    let up = Up::start_in(dir, "data", ["127.0.0.1:0", "127.0.0.1:0"]);
    pack(
        dir,
        "bad",
        &[
            ("settings.toml", "value = 1500", "value = 10001"),
            ("races.toml", "features = [\"", "features = [\"no_such_"),
            ("weapons.toml", "dice = \"1d", "dice = \"1x"),
        ],
    );
    for command in ["check", "stage", "diff"] {
        let (is_done, told, complaint) = content(dir, &up, &[command, "bad"]);
        assert!(!is_done, "{command}");
        assert_eq!(complaint, "error: bad: 3 faults\n", "{command}");
        let lines: Vec<_> = told.lines().collect();
        assert_eq!(lines.len(), 3, "{told}");
        for (line, part) in std::iter::zip(
            lines,
            [
                ("bad/races.toml:", "features[0] is \"no_such_"),
                ("bad/settings.toml:", "value is 10001, at most 10000"),
                ("bad/weapons.toml:", "is not dice as in 2d6+3"),
            ],
        ) {
            let number = line.strip_prefix(part.0).and_then(|rest| rest.split(':').next());
            assert!(number.is_some_and(|number| number.parse::<u32>().is_ok()), "{line}");
            assert!(line.contains(part.1), "{line}");
        }
    }
    assert_eq!(versions(dir, &up).len(), 1);
    assert!(told(dir, &up, &["diff"]).contains("in force: 0;"));
    assert_eq!(up.terminate().0, Some(0));
}
