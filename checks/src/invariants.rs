//! The rules about rows that must agree with each other.

use crate::Rule;
use crate::snapshot::{Snapshot, number, text};
use haven_rules::accounts::normalize_email;
use haven_rules::sequences::{Numbered, own_part};
use haven_rules::world::{
    OPEN_WORLD, chunk_of, chunk_parts, neighbours, region_index, region_of_block,
};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// Most sessions an account has, and most tokens a session: as the module bounds them.
const SESSIONS_MAX: usize = 16;
const TOKENS_MAX: usize = 32;
/// `content_version.state` of the one in force.
const ACTIVE: u64 = 1;

/// Every rule but that about land.
pub(crate) const RULES: [Rule; 10] = [
    ("a character in the world has all its rows, and nobody else has any", presences),
    ("rows of motion agree with each other", motions),
    ("players are counted block by block and region by region", counts),
    ("accounts, sessions and tokens belong together", accounts),
    ("characters are named apart and bounded", characters),
    ("whoever is connected is admitted", connections),
    ("instances have all their rows, and what has ended has none", instances),
    ("worlds that are gone have no land", worlds),
    ("what is in force is the active version, entry by entry", content),
    ("no row has a number that its sequence has not given", sequences),
];

pub(crate) fn set(now: &Snapshot, table: &str, column: &str) -> BTreeSet<u64> {
    now.column(table, column).into_iter().collect()
}

pub(crate) fn count_by(keys: impl IntoIterator<Item = u64>) -> BTreeMap<u64, u64> {
    let mut counts = BTreeMap::new();
    for key in keys {
        *counts.entry(key).or_default() += 1;
    }
    counts
}

/// Rows of a table whose number is in no other table.
pub(crate) fn strays(
    now: &Snapshot,
    table: &str,
    column: &str,
    others: &BTreeSet<u64>,
) -> Vec<String> {
    let rows = now.rows(table).iter().filter(|row| !others.contains(&number(row, column)));
    rows.map(|row| format!("{table} {row}")).collect()
}

fn presences(now: &Snapshot) -> Vec<String> {
    let mut found = vec![];
    let deleted = set(now, "character_deletion", "character_id");
    let owners: BTreeMap<u64, u64> = now
        .rows("character")
        .iter()
        .map(|row| (number(row, "character_id"), number(row, "account_id")))
        .collect();
    let present = set(now, "character_presence", "character_id");
    for row in now.rows("character_presence") {
        let id = number(row, "character_id");
        if owners.get(&id) != Some(&number(row, "account_id")) || deleted.contains(&id) {
            found.push(format!("present: {row}"));
        }
    }
    let wanderers = set(now, "wanderer", "entity_id");
    let creatures = set(now, "creature", "entity_id");
    let expected: BTreeSet<u64> =
        [&present, &wanderers, &creatures].into_iter().flatten().copied().collect();
    for table in ["entity", "motion", "motion_course"] {
        let there = set(now, table, "entity_id");
        if there != expected {
            let differing: Vec<_> = there.symmetric_difference(&expected).collect();
            found.push(format!("{table}: {differing:?}"));
        }
    }
    for row in now.rows("entity") {
        let id = number(row, "entity_id");
        let kind = match (present.contains(&id), wanderers.contains(&id)) {
            (true, _) => 1,
            (false, true) => 2,
            (false, false) => 3,
        };
        if row["kind"] != kind {
            found.push(format!("entity {row}"));
        }
    }
    let online = now.rows("realm_population").iter().map(|row| number(row, "online")).sum::<u64>();
    if online != u64::try_from(present.len()).unwrap_or_default() {
        found.push(format!("{online} online, {} present", present.len()));
    }
    found
}

fn motions(now: &Snapshot) -> Vec<String> {
    let mut found = vec![];
    let moving = set(now, "motion", "entity_id");
    for table in ["motion_due", "motion_path"] {
        found.extend(strays(now, table, "entity_id", &moving));
    }
    let shown: BTreeMap<u64, u64> = now
        .rows("entity")
        .iter()
        .map(|row| (number(row, "entity_id"), number(row, "chunk_index")))
        .collect();
    for row in now.rows("motion") {
        let place = |column: &str| i32::try_from(row[column].as_i64().unwrap_or_default());
        let chunk = number(row, "chunk_index");
        let (x, y) = (place("pos_x_mm").expect("fits"), place("pos_y_mm").expect("fits"));
        let agrees = chunk == chunk_of(chunk_parts(chunk).0, x, y)
            && shown.get(&number(row, "entity_id")) == Some(&chunk);
        if !agrees {
            found.push(format!("motion {row}"));
        }
    }
    let paths = set(now, "motion_path", "entity_id");
    let players = set(now, "character_presence", "character_id");
    for row in now.rows("motion_course") {
        let id = number(row, "entity_id");
        let agrees =
            row["has_path"] == paths.contains(&id) && row["is_player"] == players.contains(&id);
        if !agrees {
            found.push(format!("motion_course {row}"));
        }
    }
    found
}

fn counts(now: &Snapshot) -> Vec<String> {
    let players = set(now, "character_presence", "character_id");
    let chunks = now.rows("motion").iter();
    let chunks = chunks.filter(|row| players.contains(&number(row, "entity_id")));
    let chunks: Vec<u64> = chunks.map(|row| number(row, "chunk_index")).collect();
    let watchers = count_by(chunks.iter().copied().flat_map(neighbours));
    let inside = count_by(chunks.iter().copied());
    let regions = count_by(chunks.iter().map(|chunk| {
        let (world, x, y) = chunk_parts(*chunk);
        region_index(world, region_of_block(x), region_of_block(y))
    }));
    let mut found = vec![];
    for (table, key, column, expected) in [
        ("block_state", "chunk_index", "players", &inside),
        ("block_state", "chunk_index", "watchers", &watchers),
        ("region_count", "region_index", "players", &regions),
    ] {
        let rows = now.rows(table).iter().map(|row| (number(row, key), number(row, column)));
        let counted: BTreeMap<u64, u64> = rows.filter(|(_, count)| *count > 0).collect();
        if counted != *expected {
            found.push(format!("{table}.{column}: {counted:?}, expected {expected:?}"));
        }
    }
    found
}

fn accounts(now: &Snapshot) -> Vec<String> {
    let accounts = set(now, "account", "account_id");
    let sessions = set(now, "account_session", "session_id");
    let mut found = strays(now, "account_session", "account_id", &accounts);
    found.extend(strays(now, "refresh_token", "session_id", &sessions));
    for row in now.rows("account") {
        let email = text(row, "email");
        if normalize_email(email).as_deref() != Ok(email) {
            found.push(format!("account {row}"));
        }
    }
    let emails: BTreeSet<_> =
        now.rows("account").iter().map(|row| text(row, "email_sha256")).collect();
    if emails.len() != accounts.len() {
        found.push(format!("{} accounts, {} addresses", accounts.len(), emails.len()));
    }
    for (table, column, most) in [
        ("account_session", "account_id", SESSIONS_MAX),
        ("refresh_token", "session_id", TOKENS_MAX),
    ] {
        let most = u64::try_from(most).unwrap_or_default();
        let over =
            count_by(now.column(table, column)).into_iter().filter(|(_, count)| *count > most);
        found.extend(over.map(|(key, count)| format!("{table}: {count} of {column} {key}")));
    }
    found
}

fn characters(now: &Snapshot) -> Vec<String> {
    let characters = set(now, "character", "character_id");
    let mut found = vec![];
    for table in [
        "character_deletion",
        "character_position",
        "character_respawn_cooldown",
        "character_build",
        "character_progress",
        "character_spell",
        "character_resources",
        "character_use",
        "character_appearance",
    ] {
        found.extend(strays(now, table, "character_id", &characters));
    }
    let skeletons = now.rows("character").iter().map(|row| text(row, "name_skeleton"));
    if skeletons.collect::<BTreeSet<_>>().len() != characters.len() {
        found.push("two of one name".to_owned());
    }
    let deleted = set(now, "character_deletion", "character_id");
    let living = now.rows("character").iter();
    let living = living.filter(|row| !deleted.contains(&number(row, "character_id")));
    let living = count_by(living.map(|row| number(row, "account_id")));
    let over = living.into_iter().filter(|(_, count)| *count > 8);
    found.extend(over.map(|(account, count)| format!("{count} characters of {account}")));
    found
}

fn connections(now: &Snapshot) -> Vec<String> {
    let key = |row: &Value| (row["identity"].to_string(), row["account_id"].to_string());
    let admitted = now.rows("admission").iter().filter(|row| row["revoked"] == false);
    let admitted: BTreeSet<_> = admitted.map(key).collect();
    let rows = now.rows("realm_connection").iter();
    let mut found: Vec<String> = rows
        .filter(|row| !admitted.contains(&key(row)))
        .map(|row| format!("connected, not admitted: {row}"))
        .collect();
    let connected = set(now, "realm_connection", "account_id");
    found.extend(strays(now, "character_presence", "account_id", &connected));
    found
}

fn instances(now: &Snapshot) -> Vec<String> {
    let open = set(now, "instance", "world");
    let mut found = strays(now, "instance_pass", "world", &open);
    found.extend(strays(now, "instance_return", "world", &open));
    let worlds = set(now, "world_config", "world");
    let mut expected = open.clone();
    expected.insert(u64::from(OPEN_WORLD));
    if worlds != expected {
        found.push(format!("worlds {worlds:?}, expected {expected:?}"));
    }
    let players = set(now, "character_presence", "character_id");
    let inside = now.rows("motion").iter();
    let inside = inside.filter(|row| players.contains(&number(row, "entity_id")));
    let inside = count_by(inside.map(|row| u64::from(chunk_parts(number(row, "chunk_index")).0)));
    for row in now.rows("instance") {
        let count = inside.get(&number(row, "world")).copied().unwrap_or_default();
        if row["players"] != count {
            found.push(format!("instance {row}, {count} inside"));
        }
    }
    found
}

fn worlds(now: &Snapshot) -> Vec<String> {
    let worlds = set(now, "world_config", "world");
    let mut found = vec![];
    for table in ["world_terrain", "world_vigil", "terrain_block", "wanderer"] {
        found.extend(strays(now, table, "world", &worlds));
    }
    let rows = now.rows("motion").iter().chain(now.rows("entity"));
    let lost =
        rows.filter(|row| !worlds.contains(&u64::from(chunk_parts(number(row, "chunk_index")).0)));
    found.extend(lost.map(|row| format!("nowhere: {row}")));
    found
}

fn content(now: &Snapshot) -> Vec<String> {
    let versions = now.rows("content_version");
    let active: Vec<u64> = versions
        .iter()
        .filter(|row| row["state"] == ACTIVE)
        .map(|row| number(row, "version"))
        .collect();
    let mut found =
        strays(now, "content_entry", "version", &set(now, "content_version", "version"));
    if active.len() > 1 {
        found.push(format!("versions {active:?} are active"));
    }
    let counts = count_by(now.column("content_entry", "version"));
    for row in versions {
        let entries = counts.get(&number(row, "version")).copied().unwrap_or_default();
        if entries != number(row, "entries") {
            found.push(format!("{entries} entries: content_version {row}"));
        }
    }
    let entry = |row| (text(row, "kind"), text(row, "key"), text(row, "body"));
    let entries = now.rows("content_entry").iter();
    let wanted: BTreeSet<_> =
        entries.filter(|row| active.contains(&number(row, "version"))).map(entry).collect();
    let there: BTreeSet<_> = now.rows("content_def").iter().map(entry).collect();
    let differing = there.symmetric_difference(&wanted);
    found.extend(differing.map(|(kind, key, _)| format!("content_def {kind}/{key}")));
    found
}

fn sequences(now: &Snapshot) -> Vec<String> {
    // A realm that a release without sequences was published in, and that was not upgraded yet.
    let given: BTreeMap<u64, u64> =
        now.rows("sequence").iter().map(|row| (number(row, "code"), number(row, "last"))).collect();
    if given.is_empty() {
        return vec![];
    }
    let mut found = vec![];
    for kind in Numbered::ALL {
        let (table, column) = kind.place();
        let last = given.get(&u64::from(*kind as u8)).copied().unwrap_or_default();
        let beyond = now.rows(table).iter().filter(|row| own_part(number(row, column)) > last);
        found.extend(beyond.map(|row| format!("{table} {row}, the last is {last}")));
    }
    found
}
