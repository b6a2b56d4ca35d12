//! From a name to the addresses that are connected to. Each connection resolves once and is made to what was looked at
//! here: a name that means something else a moment later (DNS rebinding) gains nothing.

use std::{
    io,
    net::{SocketAddr, ToSocketAddrs},
    pin::Pin,
    sync::Arc,
    time::Duration,
};

use reqwest::dns::{Addrs, Name, Resolving};
use tokio::sync::Semaphore;

use super::{FetchError, admission::Admission};

/// The answer of a [`Resolve`], to come. An error that holds a [`FetchError`] is told as that one.
pub type Lookup = Pin<Box<dyn Future<Output = io::Result<Vec<SocketAddr>>> + Send>>;

/// Somebody who knows what names mean.
pub trait Resolve: Send + Sync {
    /// All addresses of the name. Port 0 stands for the URL's; another one is connected to when the URL names none,
    /// by which tests put servers of their own in the place of real hosts.
    fn resolve(&self, name: String) -> Lookup;

    /// Another one whose lookups do not wait for this one's, if that makes a difference.
    fn apart(&self) -> Option<Arc<dyn Resolve>> {
        None
    }
}

/// How many lookups the system may have in hand. They cannot be broken off, and the threads they wait in are those
/// that passwords are hashed on: name servers that do not answer must not stop people from signing in.
const LOOKUPS_MAX: usize = 32;

/// How long one waits for the others: less than half the patience of any fetch, which is what is left at the least
/// when its turn comes. So it ends first, and nothing is held against a host whose name nobody has looked up.
const LOOKUP_WAIT_MAX: Duration = Duration::from_millis(500);

/// The system's own resolver, with its hosts file and its settings.
pub struct System {
    lookups: Arc<Semaphore>,
}

impl Default for System {
    fn default() -> Self {
        Self { lookups: Arc::new(Semaphore::new(LOOKUPS_MAX)) }
    }
}

impl Resolve for System {
    fn apart(&self) -> Option<Arc<dyn Resolve>> {
        Some(Arc::new(Self::default()))
    }

    fn resolve(&self, name: String) -> Lookup {
        let lookups = Arc::clone(&self.lookups);
        Box::pin(async move {
            let lookup = tokio::time::timeout(LOOKUP_WAIT_MAX, lookups.acquire_owned()).await;
            let Ok(Ok(lookup)) = lookup else { return Err(io::Error::other(FetchError::Busy)) };
            let done = tokio::task::spawn_blocking(move || {
                // Held until the system is done, also when the caller has gone away meanwhile.
                let _lookup = lookup;
                Ok((name.as_str(), 0).to_socket_addrs()?.collect())
            });
            done.await.map_err(io::Error::other)?
        })
    }
}

/// How many of a name's addresses are tried. A name may have thousands, and one fetch shall not knock at every door.
const ADDRESSES_MAX: usize = 8;

/// Longest name (RFC 1035 §3.1), written with its dots.
pub(super) const NAME_LENGTH_MAX: usize = 253;

/// Stands between reqwest and the resolver: what it hands on has been looked at, and only that is connected to.
pub(super) struct Vetting {
    pub(super) resolver: Arc<dyn Resolve>,
    pub(super) admission: Arc<Admission>,
}

impl reqwest::dns::Resolve for Vetting {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        let (lookup, admission) = (self.resolver.resolve(host.clone()), Arc::clone(&self.admission));
        Box::pin(async move {
            let mut addresses =
                lookup.await.map_err(|error| error.downcast::<FetchError>().unwrap_or(FetchError::NoSuchHost))?;
            if addresses.is_empty() {
                return Err(FetchError::NoSuchHost.into());
            }
            // One that is special is reason enough: an honest host has none, and which one is connected to is not
            // ours to foresee.
            for address in &addresses {
                admission.check(&host, address.ip())?;
            }
            addresses.truncate(ADDRESSES_MAX);
            Ok::<Addrs, _>(Box::new(addresses.into_iter()))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use super::*;

    struct Fixed(Vec<SocketAddr>);

    impl Resolve for Fixed {
        fn resolve(&self, _: String) -> Lookup {
            let addresses = self.0.clone();
            Box::pin(async move { Ok(addresses) })
        }
    }

    async fn vetted(addresses: &[&str]) -> Result<Vec<SocketAddr>, FetchError> {
        let addresses = addresses.iter().map(|address| SocketAddr::new(address.parse().expect("an address"), 0));
        let resolver = Arc::new(Fixed(addresses.collect()));
        let vetting = Vetting { resolver, admission: Arc::new(Admission::new(Vec::new())) };
        let name = Name::from_str("a.example").expect("a name");
        let vetted = reqwest::dns::Resolve::resolve(&vetting, name).await;
        vetted.map(Iterator::collect).map_err(|error| *error.downcast::<FetchError>().expect("an error of ours"))
    }

    #[tokio::test]
    async fn public_addresses_pass_up_to_a_number() {
        assert_eq!(vetted(&["8.8.8.8", "2606:4700::1111"]).await.expect("both").len(), 2);
        assert_eq!(vetted(&["8.8.8.8"; 100]).await.expect("some").len(), ADDRESSES_MAX);
        assert_eq!(vetted(&[]).await, Err(FetchError::NoSuchHost));
    }

    #[tokio::test]
    async fn one_special_address_spoils_them_all_wherever_it_stands() {
        let mut many = ["8.8.8.8"; 100];
        many[99] = "169.254.169.254";
        for addresses in [&["127.0.0.1"][..], &["8.8.8.8", "10.0.0.1"], &["10.0.0.1", "8.8.8.8"], &["::1"], &many] {
            assert!(matches!(vetted(addresses).await, Err(FetchError::Address { .. })), "{addresses:?}");
        }
    }

    #[tokio::test]
    async fn a_name_that_nobody_has_time_for_is_not_held_against_its_host() {
        let system = System { lookups: Arc::new(Semaphore::new(0)) };
        let vetting = Vetting { resolver: Arc::new(system), admission: Arc::new(Admission::new(Vec::new())) };
        let name = Name::from_str("a.example").expect("a name");
        let outcome = reqwest::dns::Resolve::resolve(&vetting, name).await;
        let error =
            outcome.map(|_| ()).expect_err("none to be had").downcast::<FetchError>().expect("an error of ours");
        assert!(error.is_ours(), "{error}");
    }

    #[tokio::test]
    async fn the_system_knows_itself() {
        let addresses = System::default().resolve("localhost".to_owned()).await.expect("the system's resolver");
        assert!(addresses.iter().all(|address| address.ip().is_loopback() && address.port() == 0), "{addresses:?}");
    }
}
