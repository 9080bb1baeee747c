//! A running `haven up` for the tests of the binary.

#![allow(dead_code, reason = "not every test binary uses all of it")]
#![allow(unreachable_pub, reason = "a test binary has no outside")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// The command, with nothing of this process's environment.
pub fn haven(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_haven"));
    command.args(args).env_clear().env("NO_COLOR", "1").env("COLUMNS", "100");
    command
}

/// Runs the command to its end.
pub fn run(dir: &Path, args: &[&str]) -> Output {
    haven(args).current_dir(dir).output().expect("haven runs")
}

/// A running `haven up`; ended with the test, whatever comes of it.
pub struct Up {
    /// The process.
    pub child: Child,
    /// Where the gateway is.
    pub gateway: String,
    /// Where the engine is.
    pub database: String,
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Up {
    /// Starts it in a directory and waits until it is ready.
    pub fn start(dir: &Path, listen: &str, stdb_listen: &str) -> Self {
        Self::start_in(dir, "data", [listen, stdb_listen])
    }

    /// Starts it on that data directory.
    pub fn start_in(dir: &Path, data_dir: &str, [listen, stdb_listen]: [&str; 2]) -> Self {
        let args = ["up", "--data-dir", data_dir, "--listen", listen, "--stdb-listen", stdb_listen];
        let mut command = haven(&args);
        command.current_dir(dir).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("haven starts");
        let output = child.stdout.take().expect("piped");
        let mut words: Vec<String> = vec![];
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            words.extend(line.split_whitespace().map(str::to_owned));
            if words.iter().any(|word| word == "stops") {
                break;
            }
        }
        let after = |label: &str| {
            let at = words.iter().position(|word| word == label).expect(label);
            words[at + 1].clone()
        };
        Self { gateway: after("gateway"), database: after("database"), child }
    }

    /// Ends it as a power cut would.
    pub fn kill(mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it ends");
    }

    /// Asks it to stop, and answers its exit code and how long that took.
    pub fn terminate(mut self) -> (Option<i32>, Duration) {
        let began = Instant::now();
        let id = self.child.id().to_string();
        let asked = Command::new("kill").args(["-TERM", &id]).status().expect("kill runs");
        assert!(asked.success());
        let status = self.child.wait().expect("it ends");
        (status.code(), began.elapsed())
    }
}

/// An address as it is listened on.
pub fn port_of(uri: &str) -> String {
    uri.trim_start_matches("http://").to_owned()
}
