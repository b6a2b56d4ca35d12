//! A leash: what a wire keeps to when a server asks for somebody else, who says what is asked and reads what was
//! answered. It reaches nothing that strangers' URLs may not reach (`outbound`), and all requests of it together have a
//! number and an end, so that whoever is asked is not worn out, nor whoever asks.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use tokio::time::timeout;
use url::Url;

use super::wire::{Heard, Silence};
use crate::{clock::Clock, outbound::Outbound};

/// What all requests together may cost.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// At most so many.
    pub requests_max: u32,
    /// Within this time.
    pub patience: Duration,
}

/// The bounds, and what is left of them.
#[derive(Debug)]
pub struct Leash {
    outbound: Outbound,
    until: Duration,
    requests: AtomicU32,
}

impl Leash {
    /// From now on.
    pub fn new(outbound: Outbound, clock: &Clock, bounds: Bounds) -> Self {
        let requests = AtomicU32::new(bounds.requests_max);
        Self { outbound, until: clock.elapsed() + bounds.patience, requests }
    }

    /// Who vets the connections.
    pub(super) fn outbound(&self) -> &Outbound {
        &self.outbound
    }

    /// Lets one request go, if it may and there is something left for it.
    pub(super) async fn hold(&self, clock: &Clock, url: &Url, asking: impl Future<Output = Heard>) -> Heard {
        self.outbound.admit(url).map_err(Silence::NotAdmitted)?;
        let used_up = || Silence::UsedUp(url.origin().ascii_serialization());
        let left = self.until.saturating_sub(clock.elapsed());
        let has_more = self.requests.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        if left.is_zero() || has_more.is_err() {
            return Err(used_up());
        }
        timeout(left, asking).await.unwrap_or_else(|_| Err(used_up()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        outbound::Settings,
        simulate::{
            callers,
            wire::{Request, Wire},
        },
    };

    fn wire(target: &str, requests_max: u32, patience: Duration) -> Wire {
        // Loopback is let through, so that something is asked.
        let allow = vec!["127.0.0.0/8".parse().unwrap()];
        let outbound = Outbound::new(Settings { allow, ..Settings::default() }).unwrap();
        let clock = Clock::system();
        let leash = Leash::new(outbound, &clock, Bounds { requests_max, patience });
        Wire::leashed(callers::OWN, clock, &target.parse().unwrap(), leash).unwrap()
    }

    #[tokio::test]
    async fn requests_are_counted_on_all_lines_together() {
        // Nobody listens there: the port was somebody's a moment ago.
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let at = format!("http://127.0.0.1:{port}/");
        let wire = wire(&at, 2, Duration::from_mins(1));
        let ask = async |wire: &Wire| wire.send(Request::get(&at.parse().unwrap())).await.unwrap_err();
        assert!(matches!(ask(&wire).await, Silence::Unreachable { .. }));
        assert!(matches!(ask(&wire.aside()).await, Silence::Unreachable { .. }));
        for wire in [&wire, &wire.aside(), &wire.browsing().unwrap()] {
            assert!(matches!(ask(wire).await, Silence::UsedUp(_)));
        }
    }

    #[tokio::test]
    async fn time_is_counted_on_all_lines_together() {
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let at = format!("http://{}/", silent.local_addr().unwrap());
        let wire = wire(&at, 9, Duration::from_millis(100));
        for wire in [&wire, &wire.aside()] {
            let heard = wire.send(Request::get(&at.parse().unwrap())).await;
            assert!(matches!(heard, Err(Silence::UsedUp(_))), "{heard:?}");
        }
    }

    #[tokio::test]
    async fn what_is_special_is_not_asked_in_any_way() {
        for at in ["https://10.0.0.1/", "https://[::1]/", "http://[::1]:9/", "https://169.254.169.254/"] {
            let heard = wire(at, 9, Duration::from_mins(1)).send(Request::get(&at.parse().unwrap())).await;
            assert!(matches!(heard, Err(Silence::NotAdmitted(_))), "{at}: {heard:?}");
        }
    }
}
