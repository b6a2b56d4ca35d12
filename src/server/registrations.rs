//! Registrations: how fast strangers may register clients. Overall, and by the address they come from (`shares`).
//!
//! Anybody may ask, so the rate is the bound on what strangers can make this server write; what nobody ever uses is
//! swept (`jobs::sweep`). A node counts for itself: several nodes together take so many times the rate.

use std::{net::IpAddr, num::NonZeroU32};

use governor::{
    Quota, RateLimiter,
    middleware::NoOpMiddleware,
    nanos::Nanos,
    state::{InMemoryState, NotKeyed},
};

pub use super::shares::TooMany;
use super::shares::{Pace, Shares, wait};
use crate::{clock::Clock, model::proxies::TrustedProxies};

/// The part of the rate that one address can use up.
const SHARE: u32 = 4;

type Overall = RateLimiter<NotKeyed, InMemoryState, Pace, NoOpMiddleware<Nanos>>;

/// Counts registrations.
#[derive(Debug)]
pub struct Registrations {
    overall: Overall,
    shares: Shares,
    pace: Pace,
}

impl Registrations {
    /// So many registrations a minute, all at once if nobody came for a minute.
    pub fn new(per_minute: NonZeroU32, proxies: TrustedProxies, clock: &Clock) -> Self {
        let pace = Pace(clock.clone());
        let share = NonZeroU32::new(per_minute.get() / SHARE).unwrap_or(NonZeroU32::MIN);
        Self {
            overall: RateLimiter::direct_with_clock(Quota::per_minute(per_minute), pace.clone()),
            shares: Shares::new(share, proxies, clock),
            pace,
        }
    }

    /// Counts a registration from an address, if there is room for it. Where addresses are too many to be told apart
    /// the overall rate has to do: so many have it used up anyway.
    pub fn count(&self, address: Option<IpAddr>) -> Result<(), TooMany> {
        self.shares.count(address)?;
        self.overall.check().map_err(|refused| wait(&refused, &self.pace))
    }

    /// How many addresses are told apart at the moment.
    pub fn addresses(&self) -> usize {
        self.shares.addresses()
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use chrono::{DateTime, TimeDelta};

    use super::{super::shares::ADDRESSES_MAX, *};

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
        let mut registrations = registrations;
        registrations.shares.proxies = proxies;
        for address in ["10.0.0.9", "192.168.1.1", "fd00:2::1", "::1"] {
            assert_eq!(taken(&registrations, address, 50), 30, "{address}");
        }
        let (mut registrations, _) = at_rest(120);
        registrations.shares.proxies = TrustedProxies(vec!["127.0.0.0/8".parse().unwrap()]);
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
