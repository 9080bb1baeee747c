//! The house's order: domain lists, file headers, and generated files that are fresh.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// The repository.
pub fn root() -> PathBuf {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR"));
    tests.parent().expect("the tests are in the repository").to_owned()
}

/// Every file below a folder.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = vec![];
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                if path.file_name().is_some_and(|name| name != "target") {
                    folders.push(path);
                }
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

/// The domains of a crate: its files and folders, less what is no domain.
fn domains(folder: &str, others: &[&str]) -> BTreeSet<String> {
    std::fs::read_dir(root().join(folder))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()))
        .filter(|name| !others.contains(&name.as_str()))
        .collect()
}

#[test]
fn every_domain_has_its_file_in_every_crate() {
    let rules = domains("rules/src", &["lib", "errors", "keys", "sequences", "walk"]);
    assert_eq!(rules, domains("tables/src", &["lib", "sequences"]));
    assert_eq!(
        rules,
        domains("reducers/src", &["lib", "authority", "ordered", "refusal", "sequences", "wheel"])
    );
    let tests = domains("tests/it", &[]);
    let missing: Vec<_> = rules.difference(&tests).collect();
    assert!(missing.is_empty(), "no tests for {missing:?}");
}

#[test]
fn the_domains_are_those_of_the_design() {
    let order = [
        "accounts",
        "realms",
        "characters",
        "world",
        "motion",
        "combat",
        "npcs",
        "items",
        "economy",
        "mail",
        "guilds",
        "parties",
        "friends",
        "chat",
        "leaderboards",
        "matchmaking",
        "instances",
        "campaigns",
        "notices",
        "content",
        "audit",
        "outbox",
        "commands",
    ];
    for domain in domains("rules/src", &["lib", "errors", "keys", "sequences", "walk"]) {
        assert!(order.contains(&domain.as_str()), "{domain} is no domain of the design");
    }
}

fn sources() -> Vec<PathBuf> {
    let crates = [
        "rules",
        "tables",
        "reducers",
        "module",
        "engine",
        "gateway",
        "client-sdk",
        "cli",
        "tests",
    ];
    crates
        .iter()
        .flat_map(|name| files_below(&root().join(name)))
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .filter(|path| !path.to_string_lossy().contains("module_bindings"))
        .collect()
}

#[test]
fn every_file_opens_with_what_it_owns() {
    for path in sources() {
        let text = std::fs::read_to_string(&path).expect("text");
        assert!(text.starts_with("//!"), "{} has no header", path.display());
    }
}

#[test]
fn lines_and_files_keep_their_bounds_and_tests_wait_for_conditions() {
    for path in sources() {
        let text = std::fs::read_to_string(&path).expect("text");
        let name = path.display();
        for (number, line) in text.lines().enumerate() {
            let long = line.chars().count() > 100 && !line.contains('"');
            assert!(!long, "{name}:{} is longer than 100 columns", number + 1);
        }
        let lines = text.lines().count();
        assert!(lines <= 600, "{name} has {lines} lines");
        for forbidden in [concat!("#[", "ignore"), concat!("#[should_", "panic")] {
            assert!(!text.contains(forbidden), "{name} has a {forbidden}]");
        }
        let waits =
            path.starts_with(root().join("tests/it")) && !name.to_string().contains("support");
        let sleep = concat!("sle", "ep(");
        assert!(!(waits && text.contains(sleep)), "{name} sleeps instead of waiting");
    }
}

#[test]
fn the_architecture_fits_on_150_lines() {
    let text = std::fs::read_to_string(root().join("docs/ARCHITECTURE.md")).expect("text");
    assert!(text.lines().count() < 150);
}
