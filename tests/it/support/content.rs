//! Content in force for tests: the pack that comes with Haven, changed as a test needs.

use super::Database;
use crate::tidy::root;
use haven_rules::content::Pack;
use haven_rules::content::pack::{Source, read};
use haven_rules::content::versions::{StoredEntry, entries_of};
use serde_json::{Value, json};

/// The pack that comes with Haven.
pub fn srd() -> Pack {
    let folder = root().join("content/srd");
    let texts: Vec<(String, String)> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .map(|path| {
            let text = std::fs::read_to_string(&path).expect("readable");
            (path.display().to_string(), text)
        })
        .collect();
    let sources: Vec<_> = texts.iter().map(|(file, text)| Source { file, text }).collect();
    read(&sources).expect("a pack without fault")
}

/// A pack as `content_stage` takes it.
pub fn sent(pack: &Pack) -> Value {
    let entry =
        |entry: &StoredEntry| json!({ "kind": entry.kind, "key": entry.key, "body": entry.body });
    entries_of(pack).iter().map(entry).collect()
}

/// Sets a number of the balance.
pub fn set(pack: &mut Pack, key: &str, value: i64) {
    let setting = pack.setting.iter_mut().find(|setting| setting.key == key);
    let setting = setting.unwrap_or_else(|| panic!("there is no setting {key}"));
    setting.value = value;
}

/// Switches something on or off.
pub fn switch(pack: &mut Pack, key: &str, on: bool) {
    let switch = pack.switch.iter_mut().find(|switch| switch.key == key);
    let switch = switch.unwrap_or_else(|| panic!("there is no switch {key}"));
    switch.on = on;
}

impl Database {
    /// Puts a pack in force.
    pub async fn put_in_force(&self, pack: &Pack) {
        let args = json!(["For a test", sent(pack)]);
        self.owner.call("content_stage", args).await.expect("staged");
        let versions = self.rows("content_version").await;
        let newest = versions.iter().filter_map(|row| row["version"].as_u64()).max();
        let args = json!([newest.expect("a version"), 0]);
        self.owner.call("content_activate", args).await.expect("in force");
    }

    /// A character of a race and class, in the world: its id and its player's connection.
    pub async fn hero(&self, name: &str, race: &str, class: &str) -> (u64, super::client::Client) {
        let account_id = self.register(&format!("{}@example.org", name.to_lowercase())).await;
        let args = json!([account_id, name, race, class]);
        self.owner.call("character_create", args).await.expect("created");
        let rows = self.rows("character").await;
        let row = rows.iter().find(|row| row["name"] == name).expect("the character's row");
        let character_id = row["character_id"].as_u64().expect("a number");
        let client = self.admit(account_id, "player").await;
        client.call("character_enter", json!([character_id])).await.expect("entered");
        (character_id, client)
    }

    /// The row of a body that can fight.
    pub async fn body(&self, entity_id: u64) -> Value {
        let rows = self.rows("combatant").await;
        let row = rows.into_iter().find(|row| row["entity_id"] == entity_id);
        row.expect("a body")
    }

    /// Creatures of a side near a place: their ids.
    pub async fn creatures(&self, key: &str, at: (i32, i32), count: u32, side: u32) -> Vec<u64> {
        let known = self.creature_ids().await;
        let args = json!([0, key, at.0, at.1, count, side]);
        self.owner.call("creature_spawn", args).await.expect("spawned");
        self.creature_ids().await.into_iter().filter(|id| !known.contains(id)).collect()
    }

    async fn creature_ids(&self) -> Vec<u64> {
        let rows = self.rows("creature").await;
        rows.iter().filter_map(|row| row["entity_id"].as_u64()).collect()
    }
}
