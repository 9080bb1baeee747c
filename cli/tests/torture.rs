//! `haven torture`, a few of everything: each fault happens to a server of its own, in a process of
//! its own, and what must hold after is checked by the command itself.

mod up;

use std::process::Command;
use std::sync::{Mutex, PoisonError};
use tempfile::TempDir;
use up::haven;

/// One after the other: each takes all of the machine.
static ALONE: Mutex<()> = Mutex::new(());

/// Runs the command on a random seed, which it says, and answers what it printed.
fn torture(faults: &[&str]) -> String {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let dir = TempDir::new().expect("a directory");
    let mut command: Command = haven(&[&["torture", "--short"], faults].concat());
    // It starts `unshare` and `mount` for the small disk.
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    let output = command.current_dir(dir.path()).output().expect("haven runs");
    let (told, complaint) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{complaint}");
    told.into_owned()
}

#[test]
fn what_players_were_told_survives_kills_and_torn_logs() {
    let told = torture(&["kill", "overload", "tail", "commands", "restarts"]);
    assert_eq!(told.lines().count(), 5, "{told}");
    assert_eq!(
        told.matches("all there").count() + told.matches("exactly once").count(),
        5,
        "{told}"
    );
}

#[test]
fn a_server_outlives_full_disks_pauses_and_clocks_that_jump() {
    let told = torture(&["disk", "pause", "clock"]);
    assert_eq!(told.lines().count(), 3, "{told}");
}

#[test]
fn bystanders_notice_neither_abuse_nor_backups_and_come_through_an_upgrade() {
    let told = torture(&["abuse", "backup", "upgrade"]);
    assert_eq!(told.lines().count(), 3, "{told}");
}
