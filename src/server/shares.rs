//! Shares: how often one address may do something that strangers may do. An address is what the least of networks is.
//!
//! A node counts for itself: several nodes together take so many times the rate.

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
    state::keyed::HashMapStateStore,
};

use crate::{clock::Clock, model::proxies::TrustedProxies};

/// The most addresses told apart at a time. An address is forgotten when it has its whole share again.
pub(super) const ADDRESSES_MAX: usize = 10_000;

/// Looking for addresses to forget takes time that grows with their number, so it is not done with every request.
const TRIM_INTERVAL: Duration = Duration::from_secs(1);

type ByAddress = RateLimiter<IpAddr, HashMapStateStore<IpAddr>, Pace, NoOpMiddleware<Nanos>>;

/// The house's clock as the limiters know it.
#[derive(Clone, Debug)]
pub(super) struct Pace(pub(super) Clock);

impl governor::clock::Clock for Pace {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::new(u64::try_from(self.0.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }
}

/// There were too many; how long to wait until one more is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany {
    /// At least this long, rounded up to whole seconds.
    pub retry_after_seconds: u64,
}

/// Counts by address.
#[derive(Debug)]
pub struct Shares {
    by_address: ByAddress,
    pub(super) proxies: TrustedProxies,
    pace: Pace,
    /// When addresses were last forgotten.
    trimmed_at: AtomicU64,
}

impl Shares {
    /// So many a minute for each address, all at once if it did not come for a minute.
    pub fn new(per_minute: NonZeroU32, proxies: TrustedProxies, clock: &Clock) -> Self {
        let pace = Pace(clock.clone());
        Self {
            by_address: RateLimiter::hashmap_with_clock(Quota::per_minute(per_minute), pace.clone()),
            proxies,
            trimmed_at: AtomicU64::new(pace.now().as_u64()),
            pace,
        }
    }

    /// Counts one more from an address, if there is room for it. A proxy of the operator's that does not say whom it
    /// calls for speaks for everybody, and has no share of its own; nor have those too many to be told apart.
    pub fn count(&self, address: Option<IpAddr>) -> Result<(), TooMany> {
        let network = address.filter(|address| !self.is_a_proxy(*address)).map(network);
        if let Some(network) = network
            && self.has_room()
        {
            self.by_address.check_key(&network).map_err(|refused| wait(&refused, &self.pace))?;
        }
        Ok(())
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

    /// Whether one more address can be told apart. If not, other bounds have to do.
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
}

/// How long somebody who was refused has to wait.
pub(super) fn wait(refused: &NotUntil<Nanos>, pace: &Pace) -> TooMany {
    let wait = refused.wait_time_from(pace.now());
    TooMany { retry_after_seconds: wait.as_secs() + 1 }
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
