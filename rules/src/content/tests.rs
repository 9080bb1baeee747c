//! Tests of packs: a table of bad inputs through one `check`, what always holds, and the packs that
//! are shipped.

use std::fmt::Write as _;
use std::path::Path;
use std::sync::LazyLock;

use proptest::prelude::*;

use super::book::Book;
use super::diff::{Change, What, diff};
use super::pack::{Fault, Source, read};
use super::{ENTRIES_MAX, Kind, Pack};

mod bounds;

/// One good entry of each kind.
const GOOD: &str = include_str!("tests/good.toml");

/// Twenty good levels.
pub(super) fn levels() -> String {
    (1..=20).fold(String::new(), |mut text, level: u32| {
        let (experience, proficiency) = ((level - 1) * 300, 2 + (level - 1) / 4);
        writeln!(text, "[[level]]\nlevel = {level}\nexperience = {experience}")
            .expect("invariant: into a text");
        writeln!(text, "proficiency = {proficiency}\n").expect("invariant: into a text");
        text
    })
}

fn read_texts(good: &str, levels: &str) -> Result<Pack, Vec<String>> {
    let sources =
        [Source { file: "levels.toml", text: levels }, Source { file: "good.toml", text: good }];
    read(&sources).map_err(|faults| faults.iter().map(ToString::to_string).collect())
}

/// Changes one place of the good pack, and expects these faults at the line of that place.
fn check(from: &str, to: &str, expected: &[&str]) {
    let levels = levels();
    let (file, good, levels) = if let Some(at) = GOOD.find(from) {
        assert_eq!(GOOD.matches(from).count(), 1, "{from:?} stands there more than once");
        (("good.toml", at), GOOD.replacen(from, to, 1), levels)
    } else {
        let at = levels.find(from).expect("invariant: the place is there");
        (("levels.toml", at), GOOD.to_owned(), levels.replacen(from, to, 1))
    };
    let text = if file.0 == "good.toml" { &good } else { &levels };
    let found = read_texts(&good, &levels).err().unwrap_or_default();
    let line_at = |at: usize| text[..at].matches('\n').count() + 1;
    let (first, last) = (line_at(file.1), line_at(file.1) + to.matches('\n').count());
    // What is missing is complained of where the entry begins.
    let headers = text.match_indices("[[").map(|(at, _)| at).filter(|at| *at <= file.1);
    let header =
        headers.filter(|at| !text[*at..].starts_with("[[ability.")).last().map_or(1, line_at);
    let mut bare = Vec::new();
    for fault in found {
        let mut parts = fault.splitn(3, ':');
        assert_eq!(parts.next(), Some(file.0), "{fault}");
        let line: usize = parts.next().and_then(|line| line.parse().ok()).unwrap_or(0);
        let is_there = (first..=last).contains(&line) || line == header;
        assert!(is_there, "{fault}: line {header} or {first} to {last} expected");
        bare.push(parts.next().unwrap_or_default().trim().to_owned());
    }
    assert_eq!(bare, expected, "{from:?} to {to:?}");
}

#[test]
fn a_good_pack_is_read_and_comes_back_from_its_fields() {
    let pack = read_texts(GOOD, &levels()).expect("invariant: it is good");
    assert_eq!(pack.level.len(), 20);
    assert_eq!(pack.ability[1].effects.len(), 2);
    let value = toml::Value::try_from(&pack).expect("invariant: TOML has all of it");
    assert_eq!(value.try_into::<Pack>(), Ok(pack));
}

#[test]
fn a_fault_hides_no_other() {
    let bad = GOOD
        .replace("range_mm = 36000", "range_mm = \"far\"\nradius = 3\nlevel = -1")
        .replace("dice = \"1d10\"\n", "dice = \"1x10\"\n")
        .replace("[[camp]]", "[[tent]]")
        .replace("ability = \"strike\"", "ability = \"fire_bolt\"")
        .replace("hit_die = 10", "hit_die = 9");
    let sources = [
        Source { file: "b.toml", text: "[[race]\n" },
        Source { file: "good.toml", text: &bad.replace("level = 1\nschool", "school") },
        Source { file: "a.toml", text: "race = 5\n\n[[switch]]\n" },
        Source { file: "levels.toml", text: &levels() },
    ];
    let faults = read(&sources).err().unwrap_or_default();
    let found: Vec<_> = faults.iter().map(ToString::to_string).collect();
    let bolt = "ability fire_bolt:";
    let expected = [
        "a.toml:1: race is not written as [[…]]".to_owned(),
        "a.toml:3: switch without a key: missing field `key`".to_owned(),
        "b.toml:1: unclosed array table, expected `]`".to_owned(),
        "good.toml:16: class fighter: hit_die is 9, not 6, 8, 10 or 12".to_owned(),
        format!("good.toml:86: {bolt} range_mm: invalid type: string \"far\", expected u32"),
        format!("good.toml:87: {bolt} unknown field `radius`"),
        format!("good.toml:88: {bolt} level: invalid value: integer `-1`, expected u8"),
        format!("good.toml:93: {bolt} effects: \"1x10\" is not dice as in 2d6+3"),
        "good.toml:188: there is no kind tent".to_owned(),
    ];
    assert_eq!(found.len(), expected.len(), "{found:#?}");
    for (found, expected) in std::iter::zip(&found, &expected) {
        assert!(found.starts_with(expected), "{found} is not {expected}");
    }
}

#[test]
fn a_pack_is_not_endless() {
    let mut text = String::new();
    for number in 0..=ENTRIES_MAX {
        writeln!(text, "[[switch]]\nkey = \"s{number}\"\ntext = \"x\"\non = true")
            .expect("invariant: into a text");
    }
    let levels = levels();
    let read_all = |text: &str| {
        let sources = [Source { file: "a", text: &levels }, Source { file: "b", text }];
        let is_about_entries = |fault: &&Fault| !fault.problem.starts_with("key is");
        read(&sources)
            .map_err(|faults| faults.iter().find(is_about_entries).map(ToString::to_string))
    };
    let fault =
        format!("b:{}: switch s4096: is one more than 4096, the most of a kind", 4096 * 4 + 1);
    assert_eq!(read_all(&text), Err(Some(fault)));
    let long = "#".repeat(super::limits::FILE_BYTES_MAX + 1);
    let fault = "b: has 2097153 bytes, at most 2097152".to_owned();
    assert_eq!(read_all(&long), Err(Some(fault)));
    let many = vec![Source { file: "a", text: "" }; super::limits::FILES_MAX + 1];
    let faults = read(&many).err().unwrap_or_default();
    assert_eq!(faults[0].to_string(), "the pack: has 257 files, at most 256");
}

#[test]
fn packs_differ_by_kind_key_and_field() {
    let old = read_texts(GOOD, &levels()).expect("invariant: it is good");
    let new = GOOD
        .replace("key = \"pvp\"", "key = \"duels\"")
        .replace("range_mm = 36000\n", "range_mm = 30000\n")
        .replace("concentration = true\n", "targets_max = 3\n")
        .replace("casting_by = \"charisma\"", "casting_by = \"wisdom\"");
    let new = read_texts(&new, &levels()).expect("invariant: it is good");
    let change = |kind, key: &str, what| Change { kind, key: key.to_owned(), what };
    let changed = |fields: &[&str]| What::Changed {
        fields: fields.iter().map(ToString::to_string).collect(),
    };
    assert_eq!(
        diff(&old, &new),
        [
            change(Kind::Class, "bard", changed(&["casting_by"])),
            change(
                Kind::Ability,
                "fire_bolt",
                changed(&["concentration", "range_mm", "targets_max"])
            ),
            change(Kind::Switch, "duels", What::Added),
            change(Kind::Switch, "pvp", What::Removed),
        ]
    );
    assert_eq!(diff(&old, &old), []);
}

/// The files below a folder of `content`, with their texts.
fn shipped(folder: &str) -> Vec<(String, String)> {
    let content = Path::new(env!("CARGO_MANIFEST_DIR")).join("../content").join(folder);
    let entries = std::fs::read_dir(content).expect("invariant: the folder is there");
    let mut files = Vec::new();
    for entry in entries {
        let path = entry.expect("invariant: it can be listed").path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
        if path.extension().is_some_and(|extension| extension == "toml") {
            let text = std::fs::read_to_string(&path).expect("invariant: it can be read");
            files.push((format!("content/{folder}/{name}"), text));
        }
    }
    files
}

pub(crate) fn read_shipped() -> Pack {
    let files = shipped("srd");
    let sources: Vec<_> = files.iter().map(|(file, text)| Source { file, text }).collect();
    let faults = match read(&sources) {
        Ok(pack) => return pack,
        Err(faults) => faults,
    };
    let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
    panic!("{} faults:\n{}", faults.len(), faults.join("\n"));
}

/// The shipped book, read once: tests that go through many cases would read it for each.
pub(crate) fn shipped_book() -> &'static Book {
    static BOOK: LazyLock<Book> = LazyLock::new(|| Book::new(read_shipped()));
    &BOOK
}

#[test]
fn shipped_files_are_without_fault_and_whole() {
    let pack = read_shipped();
    let of_srd = |source: &str| source.starts_with("SRD 5.1");
    assert_eq!(pack.race.iter().filter(|race| of_srd(&race.source)).count(), 9);
    assert_eq!(pack.class.len(), 12);
    assert_eq!(pack.weapon.iter().filter(|weapon| of_srd(&weapon.source)).count(), 37);
    assert_eq!(pack.armor.iter().filter(|armor| of_srd(&armor.source)).count(), 13);
    assert_eq!(pack.background.len(), 6);
    for race in crate::characters::RACES {
        assert!(pack.race.iter().any(|def| def.key == *race), "{race}");
    }
    for class in crate::characters::CLASSES {
        assert!(pack.class.iter().any(|def| def.key == *class), "{class}");
    }
    for class in &pack.class {
        assert!(class.features.len() >= 2, "{}", class.key);
    }
}

#[test]
fn whatever_is_shipped_is_used() {
    let pack = read_shipped();
    for feature in &pack.feature {
        let key = &feature.key;
        let of_races = pack.race.iter().flat_map(|race| &race.features);
        let of_classes = pack.class.iter().flat_map(|class| &class.features).map(|at| &at.feature);
        assert!(of_races.chain(of_classes).any(|used| used == key), "feature {key} is nobody's");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_gets_an_answer(text in "\\PC{0,200}") {
        let answer = read(&[Source { file: "any", text: &text }]);
        prop_assert!(answer.is_err());
    }

    #[test]
    fn any_change_of_a_good_text_gets_an_answer(
        at in 0..GOOD.len(), cut in 0..40_usize, paste in "[\\[\\]{}=\"a-z0-9_,.#\n -]{0,12}",
    ) {
        let end = (at + cut).min(GOOD.len());
        let text = format!("{}{paste}{}", &GOOD[..at], &GOOD[end..]);
        match read_texts(&text, &levels()) {
            Ok(pack) => prop_assert!(diff(&pack, &pack).is_empty()),
            Err(faults) => prop_assert!(!faults.is_empty()),
        }
    }

    #[test]
    fn the_order_of_files_does_not_matter(first in 0..12_usize) {
        let levels = levels();
        let mut files: Vec<_> =
            GOOD.split_inclusive("\n\n").map(str::to_owned).collect();
        files.retain(|text| text.contains("[[") && !text.contains("fire"));
        let names: Vec<_> = (0..files.len()).map(|number| format!("{number:02}.toml")).collect();
        let mut sources: Vec<_> = std::iter::zip(&names, &files)
            .map(|(file, text)| Source { file, text })
            .chain([Source { file: "levels.toml", text: &levels }])
            .collect();
        let sorted = read(&sources);
        sources.rotate_left(first % files.len());
        prop_assert_eq!(read(&sources), sorted);
    }
}
