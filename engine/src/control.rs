//! Which databases this engine holds, who owns them and what they are called: the control state.
//!
//! Keeps true: every change is on disk (written beside, synced, renamed) before it is answered;
//! ids are never used twice; a name belongs to one owner.
//! Leaves out on purpose: the databases' contents, replication (one replica per database, with the
//! database's own id), and energy, which this engine does not meter.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard};

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use spacetimedb::Identity;
use spacetimedb::hash::Hash;
use spacetimedb::messages::control_db::{Database, HostType};
use spacetimedb_paths::server::ServerDataDir;

/// The control state's name in the engine's folder.
pub(crate) const CONTROL_FILE: &str = "control.json";

/// The control state with its file.
pub(crate) struct Control {
    state: Mutex<State>,
    /// `None` for an engine in memory.
    file: Option<PathBuf>,
}

#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct State {
    /// The id that was given out last.
    last_id: u64,
    databases: BTreeMap<u64, DatabaseRecord>,
    /// By lower-case name.
    names: BTreeMap<String, NameRecord>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct DatabaseRecord {
    /// Hexadecimal, as all identities and hashes here.
    database_identity: String,
    owner_identity: String,
    initial_program: String,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NameRecord {
    owner_identity: String,
    /// `None` while a name is registered but points nowhere yet.
    database_identity: Option<String>,
}

/// Who a name belongs to, seen by somebody who wants it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NameClaim {
    /// It was free and is his now.
    Registered,
    /// It was his before.
    AlreadyOwned,
    /// It is somebody else's.
    Foreign,
}

impl Control {
    /// Opens the control state in `file`, or one in memory.
    pub(crate) fn open(file: Option<PathBuf>) -> anyhow::Result<Self> {
        let state = match &file {
            Some(file) => read(file)?,
            None => State::default(),
        };
        Ok(Self { state: Mutex::new(state), file })
    }

    /// Opens the control state of the engine whose files are in `data_dir`.
    pub(crate) fn open_in(data_dir: &ServerDataDir) -> anyhow::Result<Self> {
        Self::open(Some(data_dir.0.join(CONTROL_FILE))).context(CONTROL_FILE)
    }

    /// All databases, by id.
    pub(crate) fn databases(&self) -> anyhow::Result<Vec<Database>> {
        self.lock().databases.iter().map(|(id, record)| record.to_database(*id)).collect()
    }

    /// The database with this id.
    pub(crate) fn database(&self, id: u64) -> anyhow::Result<Option<Database>> {
        self.lock().databases.get(&id).map(|record| record.to_database(id)).transpose()
    }

    /// The database with this identity.
    pub(crate) fn database_of(&self, identity: &Identity) -> anyhow::Result<Option<Database>> {
        Ok(self.databases()?.into_iter().find(|d| d.database_identity == *identity))
    }

    /// Adds a database under a fresh id, which it returns. Fails when its identity is present.
    pub(crate) fn insert(&self, database: &Database) -> anyhow::Result<u64> {
        let record = DatabaseRecord {
            database_identity: hex(&database.database_identity),
            owner_identity: hex(&database.owner_identity),
            initial_program: database.initial_program.to_hex().to_string(),
        };
        let id = self.change(|state| {
            let mut records = state.databases.values();
            if records.any(|other| other.database_identity == record.database_identity) {
                return None;
            }
            state.last_id += 1;
            state.databases.insert(state.last_id, record);
            Some(state.last_id)
        })?;
        id.context("a database with this identity exists already")
    }

    /// Forgets a database. Its names stay, as they do on the stock server.
    pub(crate) fn remove(&self, id: u64) -> anyhow::Result<()> {
        self.change(|state| {
            state.databases.remove(&id);
        })
    }

    /// Forgets a database with all that leads to it, as if it had never been.
    pub(crate) fn forget(&self, id: u64, identity: &Identity) -> anyhow::Result<()> {
        let target = Some(hex(identity));
        self.change(|state| {
            state.databases.remove(&id);
            state.names.retain(|_, record| record.database_identity != target);
        })
    }

    /// Where a name leads, whatever its case.
    pub(crate) fn lookup(&self, name: &str) -> anyhow::Result<Option<Identity>> {
        let identity = self.lock().names.get(&name.to_lowercase()).cloned();
        identity.and_then(|record| record.database_identity).map(|h| parse_identity(&h)).transpose()
    }

    /// The names that lead to a database.
    pub(crate) fn names_of(&self, database: &Identity) -> Vec<String> {
        let wanted = Some(hex(database));
        let state = self.lock();
        let names = state.names.iter().filter(|(_, record)| record.database_identity == wanted);
        names.map(|(name, _)| name.clone()).collect()
    }

    /// What people call a database: its first name, or its identity while it has none.
    pub(crate) fn label(&self, database: &Identity) -> String {
        self.names_of(database).into_iter().next().unwrap_or_else(|| hex(database))
    }

    /// Claims a name for `owner`.
    pub(crate) fn claim(&self, name: &str, owner: &Identity) -> anyhow::Result<NameClaim> {
        let name = name.to_lowercase();
        let owner_identity = hex(owner);
        self.change(|state| match state.names.get(&name) {
            Some(record) if record.owner_identity == owner_identity => NameClaim::AlreadyOwned,
            Some(_) => NameClaim::Foreign,
            None => {
                state.names.insert(name, NameRecord { owner_identity, database_identity: None });
                NameClaim::Registered
            }
        })
    }

    /// Lets a name that was claimed before lead to a database.
    pub(crate) fn point(&self, name: &str, database: &Identity) -> anyhow::Result<()> {
        let target = Some(hex(database));
        self.change(|state| {
            if let Some(record) = state.names.get_mut(&name.to_lowercase()) {
                record.database_identity = target;
            }
        })
    }

    /// Replaces all names of a database. `false`, and nothing changed, when one is somebody else's.
    pub(crate) fn replace_names(
        &self,
        database: &Identity,
        owner: &Identity,
        names: &[String],
    ) -> anyhow::Result<bool> {
        let (target, owner_identity) = (Some(hex(database)), hex(owner));
        let names: Vec<String> = names.iter().map(|name| name.to_lowercase()).collect();
        self.change(|state| {
            let foreign = state.names.iter().any(|(name, record)| {
                let touched = names.contains(name) || record.database_identity == target;
                touched && record.owner_identity != owner_identity
            });
            if foreign {
                return false;
            }
            state.names.retain(|_, record| record.database_identity != target);
            for name in names {
                let record = NameRecord {
                    owner_identity: owner_identity.clone(),
                    database_identity: target.clone(),
                };
                state.names.insert(name, record);
            }
            true
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("invariant: no change of the control state panics")
    }

    /// Applies `change` to a copy, writes the copy, and only then lets it be seen.
    fn change<R>(&self, change: impl FnOnce(&mut State) -> R) -> anyhow::Result<R> {
        let mut state = self.lock();
        let mut next = state.clone();
        let result = change(&mut next);
        if let Some(file) = &self.file {
            write(file, &next)?;
        }
        *state = next;
        Ok(result)
    }
}

impl DatabaseRecord {
    fn to_database(&self, id: u64) -> anyhow::Result<Database> {
        Ok(Database {
            id,
            database_identity: parse_identity(&self.database_identity)?,
            owner_identity: parse_identity(&self.owner_identity)?,
            host_type: HostType::Wasm,
            initial_program: Hash::from_hex(&self.initial_program)?,
        })
    }
}

fn hex(identity: &Identity) -> String {
    identity.to_hex().to_string()
}

fn parse_identity(text: &str) -> anyhow::Result<Identity> {
    Ok(Identity::from_hex(text)?)
}

fn read(file: &Path) -> anyhow::Result<State> {
    match fs::read(file) {
        Ok(bytes) => Ok(serde_json::from_slice(&bytes)?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(State::default()),
        Err(error) => Err(error.into()),
    }
}

fn write(file: &Path, state: &State) -> anyhow::Result<()> {
    let beside = file.with_extension("json.new");
    let mut new = fs::File::create(&beside)?;
    new.write_all(&serde_json::to_vec_pretty(state)?)?;
    new.sync_all()?;
    fs::rename(&beside, file)?;
    if let Some(folder) = file.parent() {
        fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity(n: u8) -> Identity {
        Identity::from_byte_array([n; 32])
    }

    fn database(n: u8) -> Database {
        Database {
            id: 0,
            database_identity: identity(n),
            owner_identity: identity(100),
            host_type: HostType::Wasm,
            initial_program: Hash::from_byte_array([n; 32]),
        }
    }

    #[test]
    fn what_was_changed_is_found_after_reopening() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let file = folder.path().join("control.json");
        let control = Control::open(Some(file.clone())).expect("an empty state");
        let id = control.insert(&database(1)).expect("written");
        assert_eq!(control.claim("Haven", &identity(100)).expect("written"), NameClaim::Registered);
        control.point("haven", &identity(1)).expect("written");
        drop(control);

        let control = Control::open(Some(file)).expect("the state that was written");
        let found = control.database(id).expect("readable").expect("present");
        assert!(found == Database { id, ..database(1) });
        assert_eq!(control.lookup("HAVEN").expect("readable"), Some(identity(1)));
        assert_eq!(control.names_of(&identity(1)), ["haven"]);
    }

    #[test]
    fn ids_are_never_used_twice() {
        let control = Control::open(None).expect("in memory");
        let first = control.insert(&database(1)).expect("in memory");
        control.remove(first).expect("in memory");
        assert!(control.insert(&database(2)).expect("in memory") > first);
    }

    #[test]
    fn a_name_of_somebody_else_is_not_taken() {
        let control = Control::open(None).expect("in memory");
        control.claim("haven", &identity(1)).expect("in memory");
        assert_eq!(control.claim("HAVEN", &identity(2)).expect("in memory"), NameClaim::Foreign);
        let names = ["haven".to_owned()];
        assert!(!control.replace_names(&identity(9), &identity(2), &names).expect("in memory"));
        assert!(control.replace_names(&identity(9), &identity(1), &names).expect("in memory"));
        assert_eq!(control.lookup("haven").expect("in memory"), Some(identity(9)));
    }
}
