//! What the door counts, as Prometheus text.

use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of all connections.
#[derive(Debug, Default)]
pub(crate) struct Meters {
    /// Bytes that came from players' sockets and everybody's requests.
    pub(crate) inbound_bytes: Counter,
    /// Bytes that were sent.
    pub(crate) outbound_bytes: Counter,
    /// Connections accepted.
    pub(crate) accepted: Counter,
    /// Times a connection was read later because it had sent too much.
    pub(crate) slowed: Counter,
    /// Sockets whose time was extended by a new token.
    pub(crate) renewed: Counter,
}

/// A number that only grows.
#[derive(Debug, Default)]
pub(crate) struct Counter(AtomicU64);

impl Counter {
    /// So much more.
    pub(crate) fn add(&self, more: usize) {
        self.0.fetch_add(u64::try_from(more).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// The number.
    pub(crate) fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Prometheus text, one family after the other.
#[derive(Debug, Default)]
pub(crate) struct Page(String);

impl Page {
    /// A family with one number.
    pub(crate) fn number(&mut self, name: &str, kind: &str, help: &str, value: u64) {
        self.family(name, kind, help);
        self.line(&format!("{name} {value}"));
    }

    /// A family with a number for each value of a label.
    pub(crate) fn numbers(
        &mut self,
        (name, label): (&str, &str),
        kind: &str,
        help: &str,
        values: &[(&str, u64)],
    ) {
        self.family(name, kind, help);
        for (value, number) in values {
            self.line(&format!("{name}{{{label}=\"{value}\"}} {number}"));
        }
    }

    /// All of it.
    pub(crate) fn text(self) -> String {
        self.0
    }

    fn family(&mut self, name: &str, kind: &str, help: &str) {
        self.line(&format!("# HELP {name} {help}"));
        self.line(&format!("# TYPE {name} {kind}"));
    }

    fn line(&mut self, line: &str) {
        // Writing into memory does not fail.
        let _ = writeln!(self.0, "{line}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_what_prometheus_reads() {
        let counter = Counter::default();
        counter.add(3);
        let mut page = Page::default();
        page.number("haven_a_total", "counter", "How often.", counter.read());
        page.numbers(("haven_b", "code"), "gauge", "What.", &[("x", 1), ("y", 0)]);
        let expected = "# HELP haven_a_total How often.\n# TYPE haven_a_total counter\n\
                        haven_a_total 3\n# HELP haven_b What.\n# TYPE haven_b gauge\n\
                        haven_b{code=\"x\"} 1\nhaven_b{code=\"y\"} 0\n";
        assert_eq!(page.text(), expected);
    }
}
