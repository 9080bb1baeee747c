//! Who is connected: numbers by address and by account, and how many there may be.
//!
//! Keeps true: this machine's own addresses are not counted, for a proxy's players come from there.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::places::{Place, Places};

/// The connections there are.
#[derive(Debug, Default)]
pub(crate) struct Census {
    lines: Arc<AtomicU32>,
    addresses: Places<IpAddr>,
    accounts: Places<String>,
}

/// A connection's place among all and among those of its address.
#[derive(Debug)]
pub(crate) struct LinePlace {
    lines: Arc<AtomicU32>,
    address: Option<Place<IpAddr>>,
}

impl Drop for LinePlace {
    fn drop(&mut self) {
        self.lines.fetch_sub(1, Ordering::AcqRel);
    }
}

/// Why a connection has no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Full {
    /// There are too many altogether.
    Everybody,
    /// There are too many from its address.
    Address,
}

impl Census {
    /// Connections there are.
    pub(crate) fn lines(&self) -> u32 {
        self.lines.load(Ordering::Acquire)
    }

    /// Sockets of players there are.
    pub(crate) fn sockets(&self) -> u32 {
        self.accounts.taken()
    }

    /// A place for a connection.
    ///
    /// # Errors
    /// In this order: [`Full::Everybody`], [`Full::Address`].
    pub(crate) fn line(
        &self,
        peer: IpAddr,
        most: u32,
        most_per_address: u32,
    ) -> Result<LinePlace, Full> {
        let before = self.lines.fetch_add(1, Ordering::AcqRel);
        // From here on it is counted, and a refusal gives the place back.
        let mut place = LinePlace { lines: self.lines.clone(), address: None };
        if before >= most {
            return Err(Full::Everybody);
        }
        if let Some(network) = network_of(peer) {
            let address = self.addresses.take(network, most_per_address);
            place.address = Some(address.ok_or(Full::Address)?);
        }
        Ok(place)
    }

    /// A place for a socket of an account; none when it has as many as it may.
    pub(crate) fn socket(&self, account: &str, most: u32) -> Option<Place<String>> {
        self.accounts.take(account.to_owned(), most)
    }
}

/// What addresses are counted by: an IPv4 address, an IPv6 network of 64 bits; none for this
/// machine's own.
fn network_of(peer: IpAddr) -> Option<IpAddr> {
    let peer = peer.to_canonical();
    if peer.is_loopback() {
        return None;
    }
    Some(match peer {
        IpAddr::V4(_) => peer,
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(census: &Census, peer: &str) -> Result<LinePlace, Full> {
        census.line(peer.parse().expect("an address"), 4, 2)
    }

    #[test]
    fn an_address_has_its_number_and_all_have_theirs() {
        let census = Census::default();
        let one = line(&census, "192.0.2.1").expect("room");
        let two = line(&census, "::ffff:192.0.2.1").expect("room");
        assert_eq!(line(&census, "192.0.2.1").err(), Some(Full::Address));
        let _three = line(&census, "192.0.2.2").expect("room");
        let _four = line(&census, "192.0.2.2").expect("room");
        assert_eq!(line(&census, "192.0.2.3").err(), Some(Full::Everybody));
        assert_eq!(line(&census, "192.0.2.1").err(), Some(Full::Everybody));
        drop((one, two));
        assert_eq!(census.lines(), 2);
        assert!(line(&census, "192.0.2.1").is_ok());
    }

    #[test]
    fn networks_of_64_bits_are_one_address_and_this_machine_is_none() {
        let census = Census::default();
        let _one = line(&census, "2001:db8::1").expect("room");
        let _two = line(&census, "2001:db8::ffff:2").expect("room");
        assert_eq!(line(&census, "2001:db8::3").err(), Some(Full::Address));
        assert!(line(&census, "2001:db8:0:1::3").is_ok());
        let local = ["127.0.0.1", "127.0.0.1"].map(|peer| line(&census, peer));
        assert!(local.iter().all(Result::is_ok));
        drop(local);
        assert!(line(&census, "::1").is_ok());
    }

    #[test]
    fn an_account_has_its_number_of_sockets() {
        let census = Census::default();
        let places: Vec<_> = (0..3).map(|_| census.socket("7", 2)).collect();
        assert!(places[0].is_some() && places[1].is_some() && places[2].is_none());
        assert!(census.socket("8", 2).is_some());
        assert_eq!(census.sockets(), 2);
        drop(places);
        assert_eq!(census.sockets(), 0);
        assert!(census.socket("7", 2).is_some());
    }
}
