//! What one caller, one address, and all of them together may cost: the numbers, with their units.
//!
//! Keeps true: every limit of the guard that is not a token or a route stands here, with a default
//! that a game's client does not notice and a check of its range.

use std::time::Duration;

use serde::Deserialize;

/// Limits of the guard. They hold for players; the owner's tools and services are only counted.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Connections at once, in all. 1 to 1,000,000.
    pub connections_max: u32,
    /// Connections at once from one IPv4 address or one IPv6 network of 64 bits; addresses of this
    /// machine are not counted, for a proxy's players all come from there. 1 to 1,000,000.
    pub connections_per_address_max: u32,
    /// Sockets at once of one account. 1 to 10,000.
    pub sockets_per_account_max: u32,
    /// Bytes that one connection may send in the long run, per second: what comes faster is read
    /// later. 1,024 to 1,000,000,000.
    pub inbound_bytes_per_s: u32,
    /// Bytes that one connection may send at once. 4,096 to 1,000,000,000.
    pub inbound_burst_bytes: u32,
    /// Bytes of one message to a socket; a longer one ends it. 1,024 to 33,554,432.
    pub message_bytes_max: u32,
    /// How long the request line and headers may take. Milliseconds, 100 to 300,000.
    pub header_millis_max: u32,
    /// How long a socket's reader may be behind without a second's rest before it is dropped;
    /// what it is owed meanwhile is kept in memory. Milliseconds, 100 to 300,000.
    pub reader_behind_millis_max: u32,
    /// How long a socket lives on after its token has ended. Milliseconds, 0 to 3,600,000.
    pub token_grace_millis: u32,
    /// When the log is so far behind what was acknowledged, no newcomers are let in.
    /// Milliseconds, 600 to 600,000.
    pub log_lag_newcomers_millis: u32,
    /// When it is so far behind, players are not read from until it has caught up by half.
    /// Milliseconds, at least the former, to 600,000.
    pub log_lag_millis_max: u32,
    /// With less free disk than this, no newcomers are let in; 0 never looks. MiB.
    pub disk_free_newcomers_mib: u32,
    /// With less than this, realms are read-only for players. MiB, at most the former.
    pub disk_free_mib_min: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 20_000,
            connections_per_address_max: 256,
            sockets_per_account_max: 8,
            inbound_bytes_per_s: 16 << 10,
            inbound_burst_bytes: 128 << 10,
            message_bytes_max: 64 << 10,
            header_millis_max: 10_000,
            reader_behind_millis_max: 5_000,
            token_grace_millis: 5_000,
            log_lag_newcomers_millis: 1_500,
            log_lag_millis_max: 3_000,
            disk_free_newcomers_mib: 1_024,
            disk_free_mib_min: 256,
        }
    }
}

impl Limits {
    /// Whether all numbers are in their ranges.
    ///
    /// # Errors
    /// The name of the first that is not, and its range.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        const MANY: u32 = 1_000_000;
        const MUCH: u32 = 1_000_000_000;
        const LONG: u32 = 600_000;
        let ranges = [
            ("connections_max", self.connections_max, 1, MANY),
            ("connections_per_address_max", self.connections_per_address_max, 1, MANY),
            ("sockets_per_account_max", self.sockets_per_account_max, 1, 10_000),
            ("inbound_bytes_per_s", self.inbound_bytes_per_s, 1_024, MUCH),
            ("inbound_burst_bytes", self.inbound_burst_bytes, 4_096, MUCH),
            ("message_bytes_max", self.message_bytes_max, 1_024, 32 << 20),
            ("header_millis_max", self.header_millis_max, 100, 300_000),
            ("reader_behind_millis_max", self.reader_behind_millis_max, 100, 300_000),
            ("token_grace_millis", self.token_grace_millis, 0, 3_600_000),
            ("log_lag_newcomers_millis", self.log_lag_newcomers_millis, 600, LONG),
            ("log_lag_millis_max", self.log_lag_millis_max, self.log_lag_newcomers_millis, LONG),
            ("disk_free_mib_min", self.disk_free_mib_min, 0, self.disk_free_newcomers_mib),
        ];
        for (name, value, least, most) in ranges {
            if !(least..=most).contains(&value) {
                return Err((name, format!("{value} is not within {least} to {most}")));
            }
        }
        Ok(())
    }

    pub(crate) fn header_timeout(&self) -> Duration {
        Duration::from_millis(self.header_millis_max.into())
    }

    pub(crate) fn reader_behind_max(&self) -> Duration {
        Duration::from_millis(self.reader_behind_millis_max.into())
    }

    pub(crate) fn token_grace(&self) -> Duration {
        Duration::from_millis(self.token_grace_millis.into())
    }

    pub(crate) fn log_lag_newcomers(&self) -> Duration {
        Duration::from_millis(self.log_lag_newcomers_millis.into())
    }

    pub(crate) fn log_lag_max(&self) -> Duration {
        Duration::from_millis(self.log_lag_millis_max.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_out_of_range_are_named() {
        assert_eq!(Limits::default().check(), Ok(()));
        let none = Limits { sockets_per_account_max: 0, ..Limits::default() };
        let expected = ("sockets_per_account_max", "0 is not within 1 to 10000".to_owned());
        assert_eq!(none.check(), Err(expected));
        let crossed = Limits { log_lag_millis_max: 1_000, ..Limits::default() };
        let (name, why) = crossed.check().expect_err("newcomers last");
        assert_eq!((name, &*why), ("log_lag_millis_max", "1000 is not within 1500 to 600000"));
    }
}
