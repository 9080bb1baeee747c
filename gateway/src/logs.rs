//! Log lines for binaries: JSON for machines, coloured text for people.
//!
//! The library itself only emits events and spans; tokens, passwords and bodies are in none.

use std::io::IsTerminal;

use serde::{Deserialize, Serialize};
use tracing_subscriber::EnvFilter;

/// Form of the log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// One JSON object a line.
    #[default]
    Json,
    /// Text, coloured on a terminal.
    Pretty,
}

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The filter cannot be read.
    #[error("the log filter {filter:?} cannot be read: {reason}")]
    Filter {
        /// The filter as given.
        filter: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The process has a subscriber already.
    #[error("logging is already set up")]
    AlreadySet,
}

/// Sends the process' events to standard error.
///
/// `RUST_LOG` replaces `default_filter` where it is set.
///
/// # Errors
/// [`LogError::Filter`] for a filter that cannot be read, [`LogError::AlreadySet`] the second time.
pub fn init_logs(format: LogFormat, default_filter: &str) -> Result<(), LogError> {
    let filter = std::env::var(EnvFilter::DEFAULT_ENV).ok().filter(|text| !text.is_empty());
    let filter = filter.unwrap_or_else(|| default_filter.to_owned());
    let filter = EnvFilter::try_new(&filter)
        .map_err(|error| LogError::Filter { filter, reason: error.to_string() })?;
    // A line that cannot be written is lost: what would complain of it on standard error, which may
    // be a file on the same full disk, would panic and end the task that had something to say.
    let builder = tracing_subscriber::fmt().log_internal_errors(false);
    let builder = builder.with_env_filter(filter).with_writer(std::io::stderr);
    let set = match format {
        LogFormat::Json => builder.json().flatten_event(true).with_span_list(false).try_init(),
        LogFormat::Pretty => {
            builder.with_ansi(std::io::stderr().is_terminal()).with_target(false).try_init()
        }
    };
    set.map_err(|_| LogError::AlreadySet)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_cannot_be_read_is_named() {
        let refused = init_logs(LogFormat::Json, "haven=notalevel");
        let named =
            matches!(refused, Err(LogError::Filter { filter, .. }) if filter.contains("notalevel"));
        assert!(named || std::env::var(EnvFilter::DEFAULT_ENV).is_ok());
    }
}
