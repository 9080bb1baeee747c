//! Which module each database ran from which transaction on, and the modules themselves.
//!
//! Owns `replicas/N/versions.jsonl`, to which a line is added for every published module, and the
//! programs in `program-bytes`, named by their hash. Keeps true: lines are only added; a program is
//! on disk before the line that names it.
//! Leaves out on purpose: deciding what runs. That is the database's own system table, which is
//! restored with its log; this list is for people, and tells publishing's time, which the log
//! does not.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;

use serde::{Deserialize, Serialize};
use spacetimedb::db::relational_db::Txdata;
use spacetimedb_datastore::system_tables::ST_MODULE_ID;
use spacetimedb_lib::{Timestamp, hash_bytes};
use spacetimedb_sats::{AlgebraicValue, ArrayValue};

/// The list's name in a database's folder.
pub(crate) const VERSIONS_FILE: &str = "versions.jsonl";
/// Which column of the system table of modules holds the program.
const PROGRAM_BYTES_COLUMN: usize = 4;

/// One published module.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ModuleVersion {
    /// The program's hash, hexadecimal.
    pub(crate) program: String,
    /// The transaction that made it the database's module.
    pub(crate) first_offset: u64,
    /// When that was written, microseconds since 1970.
    pub(crate) at_micros: i64,
}

impl ModuleVersion {
    /// When it was published.
    pub(crate) fn at(&self) -> Timestamp {
        Timestamp::from_micros_since_unix_epoch(self.at_micros)
    }
}

/// The program that a transaction makes the database's module, if it does.
pub(crate) fn published(tx: &Txdata) -> Option<&[u8]> {
    let inserts = &tx.mutations.as_ref()?.inserts;
    let rows = inserts.iter().find(|rows| rows.table_id == ST_MODULE_ID)?;
    match rows.rowdata.first()?.elements.get(PROGRAM_BYTES_COLUMN)? {
        AlgebraicValue::Array(ArrayValue::U8(bytes)) => Some(bytes),
        _ => None,
    }
}

/// Keeps a program and adds it to the list in `replica`.
pub(crate) fn keep(
    programs: &Path,
    replica: &Path,
    first_offset: u64,
    program: &[u8],
) -> io::Result<()> {
    let name = hash_bytes(program).to_hex().to_string();
    put(programs, &name, program)?;
    let at_micros = Timestamp::now().to_micros_since_unix_epoch();
    let mut line = serde_json::to_vec(&ModuleVersion { program: name, first_offset, at_micros })?;
    line.push(b'\n');
    let mut list =
        OpenOptions::new().create(true).append(true).open(replica.join(VERSIONS_FILE))?;
    list.write_all(&line)?;
    list.sync_all()
}

/// Writes a program where the engine's own store looks for it, unless it is there.
fn put(programs: &Path, name: &str, program: &[u8]) -> io::Result<()> {
    let (folder, file) = name.split_at(2);
    let folder = programs.join(folder);
    let path = folder.join(file);
    if path.exists() {
        return Ok(());
    }
    fs::create_dir_all(&folder)?;
    let beside = path.with_extension("new");
    let mut new = File::create(&beside)?;
    new.write_all(program)?;
    new.sync_all()?;
    fs::rename(&beside, &path)
}

/// The list in a database's folder, oldest first; a last line that was cut short is left out.
pub(crate) fn read(replica: &Path) -> io::Result<Vec<ModuleVersion>> {
    let text = match fs::read_to_string(replica.join(VERSIONS_FILE)) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    Ok(text.lines().map_while(|line| serde_json::from_str(line).ok()).collect())
}

/// The lines up to that transaction, as the file holds them.
pub(crate) fn lines_until(
    versions: &[ModuleVersion],
    last_offset: Option<u64>,
) -> io::Result<Vec<u8>> {
    let mut lines = Vec::new();
    for version in versions.iter().filter(|version| Some(version.first_offset) <= last_offset) {
        serde_json::to_writer(&mut lines, version)?;
        lines.push(b'\n');
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_kept_is_listed_with_its_program() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let (programs, replica) = (folder.path().join("programs"), folder.path());
        for (offset, program) in [(0, &b"one"[..]), (7, b"two"), (9, b"one")] {
            keep(&programs, replica, offset, program).expect("kept");
        }
        let listed = read(replica).expect("readable");
        let offsets: Vec<u64> = listed.iter().map(|version| version.first_offset).collect();
        assert_eq!(offsets, [0, 7, 9]);
        assert_eq!(listed[0].program, listed[2].program);
        let (folder, file) = listed[1].program.split_at(2);
        assert_eq!(fs::read(programs.join(folder).join(file)).expect("readable"), b"two");
        assert_eq!(fs::read_dir(&programs).expect("a folder").count(), 2, "each is kept once");
    }

    #[test]
    fn a_line_that_was_cut_short_is_left_out_and_later_ones_can_be() {
        let folder = tempfile::tempdir().expect("a temporary directory");
        for offset in [0, 7] {
            keep(&folder.path().join("programs"), folder.path(), offset, b"one").expect("kept");
        }
        let listed = read(folder.path()).expect("readable");
        let early = lines_until(&listed, Some(6)).expect("lines");
        let path = folder.path().join(VERSIONS_FILE);
        fs::write(&path, [&early[..], b"{\"program\":\"ab"].concat()).expect("written");
        assert_eq!(read(folder.path()).expect("readable"), listed[..1]);
        assert_eq!(lines_until(&listed, None).expect("lines"), b"");
    }
}
