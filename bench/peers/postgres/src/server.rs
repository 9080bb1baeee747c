//! A PostgreSQL server in a temporary directory, on a Unix socket of its own.

use anyhow::{Context, bail, ensure};
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// The user it runs as where this process is root's, which PostgreSQL refuses.
const USER: &str = "postgres";

/// A running server. Ends with this process at the latest.
pub struct Server {
    folder: TempDir,
    child: Child,
    /// What it says of itself.
    pub version: String,
}

impl Server {
    /// Makes a cluster and starts it.
    pub fn start(durable: bool, connections: u32) -> anyhow::Result<Self> {
        let bin = find()?;
        let folder = TempDir::new()?;
        let user = user()?;
        if let Some((uid, gid)) = user {
            chown(folder.path(), Some(uid), Some(gid))?;
        }
        let command = |name: &str| {
            let mut command = Command::new(bin.join(name));
            command.stdin(Stdio::null()).stdout(Stdio::null()).current_dir(folder.path());
            if let Some((uid, gid)) = user {
                command.uid(uid).gid(gid);
            }
            command
        };
        let data = folder.path().join("data");
        let made = command("initdb")
            .args(["--auth=trust", "--encoding=UTF8", "--no-sync", "--username=postgres", "-D"])
            .arg(&data)
            .status()
            .context("initdb cannot be run")?;
        ensure!(made.success(), "initdb failed");
        let version = Command::new(bin.join("postgres")).arg("--version").output()?;
        let version = String::from_utf8_lossy(&version.stdout).trim().to_owned();
        let mut postgres = command("postgres");
        postgres.arg("-D").arg(&data);
        for setting in [
            "listen_addresses=".to_owned(),
            format!("unix_socket_directories={}", folder.path().display()),
            format!("max_connections={}", connections + 10),
            format!("synchronous_commit={}", if durable { "on" } else { "off" }),
            // What it is told to have on machines of this size: a quarter of a small memory.
            "shared_buffers=512MB".to_owned(),
            "max_wal_size=4GB".to_owned(),
        ] {
            postgres.args(["-c", &setting]);
        }
        let log = std::fs::File::create(folder.path().join("log"))?;
        let child = postgres.stderr(log).spawn().context("postgres cannot be run")?;
        Ok(Self { folder, child, version })
    }

    /// Where its socket is.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Ends it. An immediate end: what it holds is thrown away.
    pub fn stop(self) {}
}

impl Drop for Server {
    fn drop(&mut self) {
        // SIGKILL to the postmaster; its children notice and end by themselves.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The directory of the server's programs: Debian keeps them off the path.
fn find() -> anyhow::Result<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    if let Ok(versions) = std::fs::read_dir("/usr/lib/postgresql") {
        folders.extend(versions.flatten().map(|version| version.path().join("bin")));
    }
    let found = folders.into_iter().find(|folder| folder.join("initdb").is_file());
    found.context("PostgreSQL is missing (Debian: apt install postgresql-15)")
}

/// Whom it runs as: nobody else, unless this process is root's.
fn user() -> anyhow::Result<Option<(u32, u32)>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let uid = status.lines().find_map(|line| line.strip_prefix("Uid:"));
    let uid = uid.and_then(|line| line.split_whitespace().next()).context("no uid")?;
    if uid != "0" {
        return Ok(None);
    }
    let users = std::fs::read_to_string("/etc/passwd")?;
    for line in users.lines() {
        let parts: Vec<&str> = line.split(':').collect();
        if let [name, _, uid, gid, ..] = parts[..] {
            if name == USER {
                return Ok(Some((uid.parse()?, gid.parse()?)));
            }
        }
    }
    bail!("this is root, and there is no user {USER} to run PostgreSQL as")
}
