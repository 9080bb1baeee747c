//! What holds in every state of a realm's database, whatever was called before.
//!
//! Keeps true: a rule is checked over all rows as of one transaction, while others play; a rule
//! that is broken is told with the rows that break it. Nothing is changed.
//! Leaves out on purpose: mending.

mod ground;
mod invariants;
mod snapshot;

pub use ground::segment;
pub use snapshot::{Declarations, ReadError, Snapshot, instant, number, text};

use std::fmt;

/// A rule that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// The rule.
    pub rule: &'static str,
    /// What breaks it.
    pub rows: Vec<String>,
}

impl fmt::Display for Broken {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "broken: {}: {:?}", self.rule, self.rows)
    }
}

/// A rule's name, and what finds the rows that break it.
type Rule = (&'static str, fn(&Snapshot) -> Vec<String>);

/// Each rule once, in the order they are checked.
pub fn rules() -> impl Iterator<Item = &'static str> {
    let ground = std::iter::once(ground::RULE.0);
    invariants::RULES.iter().map(|(rule, _)| *rule).chain(ground)
}

/// Every rule but that about land.
pub fn check(now: &Snapshot) -> Vec<Broken> {
    check_all(now, &invariants::RULES)
}

/// Whether everybody stands where one can stand: at the start of his segment, now, and at its end.
/// It does not hold while an administrator lays another land under those who play.
pub fn check_ground(now: &Snapshot) -> Vec<Broken> {
    check_all(now, &[ground::RULE])
}

fn check_all(now: &Snapshot, rules: &[Rule]) -> Vec<Broken> {
    let found = rules.iter().map(|(rule, find)| Broken { rule, rows: find(now) });
    found.filter(|broken| !broken.rows.is_empty()).collect()
}
