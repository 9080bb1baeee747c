//! Why a configuration was refused: one line that names the key and where it was said.

use std::fmt;
use std::path::Path;

use figment::Figment;
use figment::error::Kind;

use super::load::{DERIVED, Environment};

/// A refused configuration. Its `Display` is one line: `source: key: what is wrong`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConfigError {
    source: String,
    key: String,
    problem: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.key.is_empty() {
            write!(formatter, "{}: {}", self.source, self.problem)
        } else {
            write!(formatter, "{}: {}: {}", self.source, self.key, self.problem)
        }
    }
}

impl std::error::Error for ConfigError {}

impl ConfigError {
    /// A file that cannot be read or is not TOML.
    pub(crate) fn of_file(file: &Path, problem: &str) -> Self {
        let problem = one_line(problem);
        Self { source: file.display().to_string(), key: String::new(), problem }
    }

    /// A value that was read and cannot be.
    pub(crate) fn of_key(key: &str, problem: &str, file: &Path, env: &Environment) -> Self {
        let source = env.variable_of(key).unwrap_or_else(|| file.display().to_string());
        Self { source, key: key.to_owned(), problem: one_line(problem) }
    }

    /// What the deserialiser refused.
    pub(crate) fn of_figment(
        error: &figment::Error,
        values: &Figment,
        file: &Path,
        env: &Environment,
    ) -> Self {
        let mut path = error.path.clone();
        let value = values.find_value(&path.join(".")).ok();
        let problem = match &error.kind {
            Kind::UnknownField(field, known) => {
                // Deep inside, the path ends at the table; at the top, at the key itself.
                if path.last() != Some(field) {
                    path.push(field.clone());
                }
                unknown_key(known, &path.join("."))
            }
            Kind::Message(message) => match value.as_ref().and_then(|value| value.as_str()) {
                Some(text) => format!("{text:?} cannot be taken: {message}"),
                None => message.clone(),
            },
            Kind::MissingField(field) => {
                path.push(field.to_string());
                "is missing".to_owned()
            }
            Kind::InvalidType(actual, expected) | Kind::InvalidValue(actual, expected) => {
                format!("{actual} is not {expected}")
            }
            Kind::UnknownVariant(variant, known) => {
                format!("`{variant}` is not one of {}", known.join(", "))
            }
            other => other.to_string(),
        };
        Self::of_key(&path.join("."), &problem, file, env)
    }
}

fn unknown_key(known: &[&str], key: &str) -> String {
    let table = key.rsplit_once('.').map_or("", |(table, _)| table);
    let derived = |name: &&&str| DERIVED.iter().all(|(key, _)| *key != format!("{table}.{name}"));
    let names: Vec<&str> = known.iter().filter(derived).copied().collect();
    format!("unknown key; known are {}", names.join(", "))
}

/// The TOML parser draws the offending line; its first and last lines say all.
fn one_line(text: &str) -> String {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let first = lines.next().unwrap_or_default().to_owned();
    match lines.next_back() {
        Some(last) => format!("{first}: {last}"),
        None => first,
    }
}
