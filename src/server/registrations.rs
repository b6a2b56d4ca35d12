//! Registrations: how fast strangers may register clients. Overall, and by the address they come from.
//!
//! Anybody may ask, so the rate is the bound on what strangers can make this server write; what nobody ever uses is
//! swept (`jobs::sweep`). A node counts for itself: several nodes together take so many times the rate.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
    num::NonZeroU32,
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use governor::{
    NotUntil, Quota, RateLimiter,
    clock::{Clock as _, Reference},
    middleware::NoOpMiddleware,
    nanos::Nanos,
    state::{InMemoryState, NotKeyed, keyed::HashMapStateStore},
};

use crate::{clock::Clock, model::proxies::TrustedProxies};

/// The part of the rate that one address can use up.
const SHARE: u32 = 4;

/// The most addresses told apart at a time. An address is forgotten when it has its whole share again.
const ADDRESSES_MAX: usize = 10_000;

/// Looking for addresses to forget takes time that grows with their number, so it is not done with every request.
const TRIM_INTERVAL: Duration = Duration::from_secs(1);

type Overall = RateLimiter<NotKeyed, InMemoryState, Pace, NoOpMiddleware<Nanos>>;
type ByAddress = RateLimiter<IpAddr, HashMapStateStore<IpAddr>, Pace, NoOpMiddleware<Nanos>>;

/// The house's clock as the limiters know it.
#[derive(Clone, Debug)]
struct Pace(Clock);

impl governor::clock::Clock for Pace {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::new(u64::try_from(self.0.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }
}

/// Counts registrations.
#[derive(Debug)]
pub struct Registrations {
    overall: Overall,
    by_address: ByAddress,
    proxies: TrustedProxies,
    pace: Pace,
    /// When addresses were last forgotten.
    trimmed_at: AtomicU64,
}

/// There were too many; how long to wait until one more is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany {
    /// At least this long, rounded up to whole seconds.
    pub retry_after_seconds: u64,
}

impl Registrations {
    /// So many registrations a minute, all at once if nobody came for a minute.
    pub fn new(per_minute: NonZeroU32, proxies: TrustedProxies, clock: &Clock) -> Self {
        let pace = Pace(clock.clone());
        let share = NonZeroU32::new(per_minute.get() / SHARE).unwrap_or(NonZeroU32::MIN);
        Self {
            overall: RateLimiter::direct_with_clock(Quota::per_minute(per_minute), pace.clone()),
            by_address: RateLimiter::hashmap_with_clock(Quota::per_minute(share), pace.clone()),
            proxies,
            trimmed_at: AtomicU64::new(pace.now().as_u64()),
            pace,
        }
    }

    /// Counts a registration from an address, if there is room for it. A proxy of the operator's that does not say whom
    /// it calls for speaks for everybody, and has no share of its own.
    pub fn count(&self, address: Option<IpAddr>) -> Result<(), TooMany> {
        let network = address.filter(|address| !self.is_a_proxy(*address)).map(network);
        if let Some(network) = network
            && self.has_room()
        {
            self.by_address.check_key(&network).map_err(|refused| self.wait(&refused))?;
        }
        self.overall.check().map_err(|refused| self.wait(&refused))
    }

    /// How many addresses are told apart at the moment.
    pub fn addresses(&self) -> usize {
        self.by_address.len()
    }

    /// Whether an address is a proxy of the operator's. Where nobody has said which there are, everybody on this
    /// machine and in networks of the operator's own may be one (RFC 1918, RFC 4193).
    fn is_a_proxy(&self, address: IpAddr) -> bool {
        if !self.proxies.are_unknown() {
            return self.proxies.have(address);
        }
        match address.to_canonical() {
            IpAddr::V4(address) => address.is_loopback() || address.is_private(),
            IpAddr::V6(address) => address.is_loopback() || address.is_unique_local(),
        }
    }

    /// Whether one more address can be told apart. If not, the overall rate alone has to do: more addresses than that
    /// have it used up anyway.
    fn has_room(&self) -> bool {
        if self.by_address.len() < ADDRESSES_MAX {
            return true;
        }
        let (now, last) = (self.pace.now(), self.trimmed_at.load(Ordering::Relaxed));
        let is_due = now.duration_since(Nanos::new(last)) >= Nanos::from(TRIM_INTERVAL);
        // Whoever replaces the time is the one who trims.
        let swap = || self.trimmed_at.compare_exchange(last, now.as_u64(), Ordering::Relaxed, Ordering::Relaxed);
        if is_due && swap().is_ok() {
            self.by_address.retain_recent();
            self.by_address.shrink_to_fit();
        }
        self.by_address.len() < ADDRESSES_MAX
    }

    fn wait(&self, refused: &NotUntil<Nanos>) -> TooMany {
        let wait = refused.wait_time_from(self.pace.now());
        TooMany { retry_after_seconds: wait.as_secs() + 1 }
    }
}

/// What counts as one address: an IPv4 address however it is spelled, and the /64 of an IPv6 address, which is the
/// least that anybody is given.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(Ipv6Addr::LOCALHOST) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::*;

    fn at_rest(per_minute: u32) -> (Registrations, Clock) {
        let clock = Clock::standing_at(DateTime::from_timestamp(1_800_000_000, 0).unwrap());
        (Registrations::new(NonZeroU32::new(per_minute).unwrap(), TrustedProxies::default(), &clock), clock)
    }

    fn taken(registrations: &Registrations, address: &str, tries: usize) -> usize {
        let address = Some(address.parse().unwrap());
        (0..tries).filter(|_| registrations.count(address).is_ok()).count()
    }

    #[test]
    fn the_rate_is_a_burst_and_then_one_by_one() {
        let (registrations, clock) = at_rest(120);
        assert_eq!(taken(&registrations, "127.0.0.1", 500), 120);
        assert_eq!(registrations.count(None), Err(TooMany { retry_after_seconds: 1 }));
        clock.advance(TimeDelta::milliseconds(499));
        assert_eq!(taken(&registrations, "127.0.0.1", 9), 0);
        clock.advance(TimeDelta::milliseconds(1));
        assert_eq!(taken(&registrations, "127.0.0.1", 9), 1);
        clock.advance(TimeDelta::hours(1));
        assert_eq!(taken(&registrations, "127.0.0.1", 500), 120, "what was not used does not pile up");
    }

    #[test]
    fn a_proxy_of_the_operators_speaks_for_everybody() {
        for proxy in ["127.0.0.1", "::1", "10.0.0.9", "172.18.0.1", "192.168.1.1", "::ffff:10.0.0.9", "fd00::1"] {
            let (registrations, _) = at_rest(120);
            assert_eq!(taken(&registrations, proxy, 500), 120, "{proxy}");
        }
    }

    #[test]
    fn where_proxies_are_named_everybody_else_has_a_share() {
        let (registrations, _) = at_rest(120);
        let proxies = TrustedProxies(vec!["127.0.0.0/8".parse().unwrap(), "fd00:1::/32".parse().unwrap()]);
        let registrations = Registrations { proxies, ..registrations };
        for address in ["10.0.0.9", "192.168.1.1", "fd00:2::1", "::1"] {
            assert_eq!(taken(&registrations, address, 50), 30, "{address}");
        }
        let (registrations, _) = at_rest(120);
        let registrations =
            Registrations { proxies: TrustedProxies(vec!["127.0.0.0/8".parse().unwrap()]), ..registrations };
        assert_eq!(taken(&registrations, "::ffff:127.0.0.1", 500), 120, "a proxy that says nothing");
    }

    #[test]
    fn an_address_gets_a_quarter_however_it_is_spelled() {
        let (registrations, clock) = at_rest(120);
        assert_eq!(taken(&registrations, "203.0.113.7", 50), 30);
        assert_eq!(taken(&registrations, "::ffff:203.0.113.7", 50), 0);
        assert_eq!(taken(&registrations, "203.0.113.8", 50), 30);
        assert_eq!(taken(&registrations, "2001:db8:1:2::1", 20), 20);
        assert_eq!(taken(&registrations, "2001:db8:1:2:ffff:ffff:ffff:ffff", 20), 10, "one /64");
        let waits = registrations.count(Some("2001:db8:1:2::7".parse().unwrap()));
        assert_eq!(waits, Err(TooMany { retry_after_seconds: 3 }));
        assert_eq!(taken(&registrations, "2001:db8:1:3::1", 50), 30);
        assert_eq!(taken(&registrations, "2001:db8:1:4::1", 50), 0, "all together have no more than the whole");
        clock.advance(TimeDelta::seconds(2));
        assert_eq!(taken(&registrations, "203.0.113.7", 50), 1);
    }

    #[test]
    fn no_more_addresses_are_remembered_than_there_is_room_for() {
        let (registrations, clock) = at_rest(600_000);
        for number in 0..u32::try_from(2 * ADDRESSES_MAX).unwrap() {
            let _ = registrations.count(Some(IpAddr::V4(Ipv4Addr::from_bits(0x2c00_0000 + number))));
        }
        assert_eq!(registrations.addresses(), ADDRESSES_MAX);
        assert_eq!(taken(&registrations, "203.0.113.7", 5), 5, "the overall rate has to do");
        assert_eq!(registrations.addresses(), ADDRESSES_MAX);
        clock.advance(TimeDelta::minutes(1));
        assert_eq!(taken(&registrations, "203.0.113.7", 5), 5);
        assert_eq!(registrations.addresses(), 1, "those that have their share again are forgotten");
    }
}
