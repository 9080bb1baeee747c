//! The list of error codes: a snapshot, and that each code is reached by some test.

use std::fmt::Write as _;

#[test]
fn the_list_of_error_codes_is_stable() {
    let mut list = String::new();
    for entry in haven_rules::errors::all() {
        let _ = writeln!(list, "{} {}: {}", entry.number, entry.code, entry.text);
    }
    insta::assert_snapshot!(list);
}

#[test]
fn every_error_code_is_reached_by_a_test() {
    let mut texts = std::fs::read_to_string(crate::tidy::root().join("rules/src/characters.rs"))
        .expect("text")
        .split("mod tests")
        .last()
        .unwrap_or_default()
        .to_owned();
    for path in crate::tidy::files_below(&crate::tidy::root().join("tests/it")) {
        let list = path.to_string_lossy().contains("the_list_of_error_codes");
        if !list && path.file_name().is_some_and(|name| name != "errors.rs") {
            texts += &std::fs::read_to_string(&path).expect("text");
        }
    }
    let missing: Vec<_> = haven_rules::errors::all()
        .into_iter()
        .map(|entry| entry.code)
        .filter(|code| !texts.contains(code))
        .collect();
    assert!(missing.is_empty(), "no test reaches {missing:?}");
}
