//! How often a caller may ask: per address for all routes, per account for logins.
//!
//! Keeps true: an IPv6 caller is his /64 network, because that is what one customer holds; memory
//! is bounded by the callers of the last seconds, because keys that have recovered are swept.
//! Governor is used directly: the refusal needs the request's id, which a `tower_governor` error
//! handler does not see.

use std::{
    hash::Hash,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    num::NonZeroU32,
    time::Duration,
};

use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    state::keyed::DashMapStateStore,
};
use http::HeaderMap;

use crate::{config::LimitsConfig, stdb::Hex};

type Keyed<K> = RateLimiter<K, DashMapStateStore<K>, DefaultClock>;

/// Whom a request is counted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum AddressKey {
    /// One IPv4 address.
    V4(Ipv4Addr),
    /// The first 64 bits of an IPv6 address.
    V6Network(u64),
}

impl From<IpAddr> for AddressKey {
    fn from(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address),
            IpAddr::V6(address) => {
                let [a, b, c, d, ..] = address.segments().map(u64::from);
                Self::V6Network(a << 48 | b << 32 | c << 16 | d)
            }
        }
    }
}

/// Which limit a route counts against.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RouteClass {
    /// Registration, login and sessions: each may cost a hash.
    Auth,
    /// Everything else.
    Other,
}

impl RouteClass {
    /// The class of a request's path.
    pub(crate) fn of(path: &str) -> Self {
        if path.starts_with("/v1/auth/") { Self::Auth } else { Self::Other }
    }
}

/// The limits of one gateway.
pub(crate) struct Limits {
    auth: Keyed<AddressKey>,
    other: Keyed<AddressKey>,
    login: Keyed<Hex>,
    clock: DefaultClock,
}

impl Limits {
    pub(crate) fn new(config: &LimitsConfig) -> Self {
        let per_second =
            |rate, burst| Quota::per_second(at_least_one(rate)).allow_burst(at_least_one(burst));
        let interval = Duration::from_millis(u64::from(config.login_interval_millis.max(1)));
        let login = Quota::with_period(interval)
            .expect("invariant: the interval is longer than nothing")
            .allow_burst(at_least_one(config.login_burst));
        Self {
            auth: RateLimiter::dashmap(per_second(config.auth_per_second, config.auth_burst)),
            other: RateLimiter::dashmap(per_second(config.other_per_second, config.other_burst)),
            login: RateLimiter::dashmap(login),
            clock: DefaultClock::default(),
        }
    }

    /// Counts a request.
    ///
    /// # Errors
    /// How long to wait when there are too many.
    pub(crate) fn check(&self, class: RouteClass, key: AddressKey) -> Result<(), Duration> {
        match class {
            RouteClass::Auth => self.count(&self.auth, &key),
            RouteClass::Other => self.count(&self.other, &key),
        }
    }

    /// Counts an attempt to prove a password of the account with that address.
    ///
    /// # Errors
    /// How long to wait when there are too many.
    pub(crate) fn check_login(&self, email_sha256: &Hex) -> Result<(), Duration> {
        self.count(&self.login, email_sha256)
    }

    fn count<K: Hash + Eq + Clone>(&self, limiter: &Keyed<K>, key: &K) -> Result<(), Duration> {
        limiter.check_key(key).map_err(|refused| refused.wait_time_from(self.clock.now()))
    }

    /// Forgets who has recovered. Called every few seconds.
    pub(crate) fn sweep(&self) {
        self.auth.retain_recent();
        self.other.retain_recent();
        self.login.retain_recent();
        self.auth.shrink_to_fit();
        self.other.shrink_to_fit();
        self.login.shrink_to_fit();
    }

    /// How many callers are remembered.
    pub(crate) fn remembered(&self) -> usize {
        self.auth.len() + self.other.len() + self.login.len()
    }
}

fn at_least_one(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN)
}

/// Who calls: the peer, or what the nearest proxy says if it is trusted.
///
/// Proxies append to `X-Forwarded-For`, so only its last address comes from our own proxy;
/// everything before it is the caller's word.
pub(crate) fn caller(peer: IpAddr, headers: &HeaderMap, trust_forwarded_for: bool) -> IpAddr {
    if !trust_forwarded_for {
        return peer;
    }
    let last = headers.get_all("x-forwarded-for").iter().next_back();
    let last = last.and_then(|value| value.to_str().ok()).and_then(|list| list.rsplit(',').next());
    last.and_then(|text| parse_address(text.trim())).unwrap_or(peer)
}

fn parse_address(text: &str) -> Option<IpAddr> {
    let address = text.parse::<IpAddr>().ok();
    address.or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(address: &str) -> AddressKey {
        AddressKey::from(address.parse::<IpAddr>().expect("an address"))
    }

    #[test]
    fn an_ipv6_caller_is_his_network() {
        assert_eq!(key("2001:db8:1:2::1"), key("2001:db8:1:2:ffff:ffff:ffff:ffff"));
        assert_ne!(key("2001:db8:1:2::1"), key("2001:db8:1:3::1"));
        assert_ne!(key("10.0.0.1"), key("10.0.0.2"));
        assert_eq!(key("::ffff:10.0.0.1"), key("10.0.0.1"));
    }

    #[test]
    fn a_burst_is_allowed_and_what_follows_waits() {
        let config = LimitsConfig { auth_per_second: 1, auth_burst: 3, ..LimitsConfig::default() };
        let limits = Limits::new(&config);
        for _ in 0..3 {
            assert_eq!(limits.check(RouteClass::Auth, key("10.0.0.1")), Ok(()));
        }
        let wait = limits.check(RouteClass::Auth, key("10.0.0.1")).expect_err("a refusal");
        assert!(wait <= Duration::from_secs(1) && wait > Duration::ZERO);
        assert_eq!(limits.check(RouteClass::Auth, key("10.0.0.2")), Ok(()));
        assert_eq!(limits.check(RouteClass::Other, key("10.0.0.1")), Ok(()));
    }

    #[test]
    fn an_account_is_limited_whoever_asks() {
        let config = LimitsConfig {
            login_interval_millis: 6_000,
            login_burst: 2,
            ..LimitsConfig::default()
        };
        let limits = Limits::new(&config);
        let account = Hex::sha256(b"ann@example.org");
        assert!(limits.check_login(&account).is_ok() && limits.check_login(&account).is_ok());
        let wait = limits.check_login(&account).expect_err("a refusal");
        assert!(wait > Duration::from_secs(4) && wait <= Duration::from_secs(6), "{wait:?}");
        assert!(limits.check_login(&Hex::sha256(b"ben@example.org")).is_ok());
    }

    #[test]
    fn who_has_recovered_is_forgotten() {
        let config =
            LimitsConfig { other_per_second: 1_000, other_burst: 1, ..LimitsConfig::default() };
        let limits = Limits::new(&config);
        for number in 0..100u32 {
            let address = IpAddr::V4(Ipv4Addr::from(number));
            assert!(limits.check(RouteClass::Other, address.into()).is_ok());
        }
        assert_eq!(limits.remembered(), 100);
        let began = std::time::Instant::now();
        while limits.remembered() > 0 && began.elapsed() < Duration::from_secs(5) {
            limits.sweep();
        }
        assert_eq!(limits.remembered(), 0);
    }

    #[test]
    fn forwarded_addresses_count_only_when_trusted() {
        let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let mut headers = HeaderMap::new();
        let check = |headers: &HeaderMap, trust, expected: &str| {
            assert_eq!(caller(peer, headers, trust).to_string(), expected);
        };
        check(&headers, true, "127.0.0.1");
        headers.append("x-forwarded-for", "1.1.1.1, 2.2.2.2".parse().expect("a value"));
        check(&headers, false, "127.0.0.1");
        check(&headers, true, "2.2.2.2");
        headers.append("x-forwarded-for", "[2001:db8::1]:443".parse().expect("a value"));
        check(&headers, true, "2001:db8::1");
        headers.append("x-forwarded-for", "nonsense".parse().expect("a value"));
        check(&headers, true, "127.0.0.1");
    }

    #[test]
    fn routes_that_hash_are_a_class_of_their_own() {
        assert_eq!(RouteClass::of("/v1/auth/login"), RouteClass::Auth);
        assert_eq!(RouteClass::of("/v1/realms"), RouteClass::Other);
        assert_eq!(RouteClass::of("/"), RouteClass::Other);
    }
}
