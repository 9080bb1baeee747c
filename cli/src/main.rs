//! The `haven` command: one binary that starts, administers and measures everything.
//!
//! Keeps true: it composes the other crates and decides nothing itself. A failure is one line on
//! standard error and exit code 1; wrong usage is exit code 2; a clean stop is 0.
#![allow(
    clippy::doc_markdown,
    rustdoc::bare_urls,
    rustdoc::broken_intra_doc_links,
    reason = "the documentation of arguments is their help text, for a terminal"
)]

mod account;
mod args;
mod backup;
mod bench;
mod bots;
mod check;
mod child;
mod config;
mod content;
mod dice;
mod engine_limit;
mod gateway;
mod host;
mod keys;
mod owner;
mod publish;
mod realm;
mod setup;
mod signals;
mod terminal;
mod token;
mod torture;
mod up;
mod world;

use std::process::ExitCode;

use clap::Parser;

#[cfg(not(target_env = "msvc"))]
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// Most sockets and files this process asks the system for.
const FILES_MAX: u64 = 65_536;

fn main() -> ExitCode {
    let cli = args::Cli::parse();
    // Many systems start a process with 1024; where more is refused, that has to do.
    rlimit::increase_nofile_limit(FILES_MAX).ok();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.into()),
    };
    let outcome = runtime.block_on(args::run(cli));
    // A blocking call that is still waiting must not hold up the end of the process.
    runtime.shutdown_background();
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&error),
    }
}

fn fail(error: &anyhow::Error) -> ExitCode {
    terminal::error(&format!("{error:#}"));
    ExitCode::FAILURE
}
