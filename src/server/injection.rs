//! API keys on their way into requests: whoever sends one on to a plugin's API has the keys put into its headers that are
//! named for its route. They leave memory with the request and the moment after.
//!
//! `model::plugin_secret` says what a route is; `registry::plugin_secrets` is how the keys were put away. A new version is
//! used by every node within a second, the bound of everything that is cached here (`CACHED`), without a restart.

use std::{fmt, sync::Arc, time::Duration};

use moka::future::Cache;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::{Server, keyring::KeyringError};
use crate::{
    keys::place::Place,
    model::{
        Timestamp,
        audit::Origin,
        id::{PluginId, SecretId, SecretVersionId},
        plugin_secret::{SecretName, is_plain_path},
    },
    store::{StoreError, secret_uses::InjectableSecret},
    vault::SecretValue,
};

/// How long a value that was opened is used before it is read again.
const CACHED: Duration = Duration::from_secs(1);

/// The most plugins whose keys are open at a time.
const PLUGINS_MAX: u64 = 1000;

/// A request as its route is told from others: its method and its path, both as they came.
#[derive(Clone, Copy, Debug)]
pub struct Route<'a> {
    /// The method.
    pub method: &'a str,
    /// The path, without a query.
    pub path: &'a str,
}

/// A key that is in a request now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Injected {
    /// Which.
    pub name: SecretName,
    /// Which version of it.
    pub version: i64,
}

/// Why a request must not be sent on: it would go without a key that it needs.
#[derive(Debug, thiserror::Error)]
pub enum NotInjected {
    /// Its path can be read in two ways, so nobody can say which route it is.
    #[error("the path of the request can be read in more than one way")]
    Path,
    /// Two keys are named for the same header of it.
    #[error("two API keys, {0} and {1}, are named for one header of this route")]
    Ambiguous(SecretName, SecretName),
    /// A key cannot be opened.
    #[error("the API key {0} does not open: its row or its key was changed")]
    Unreadable(SecretName),
    /// They cannot be read for now.
    #[error(transparent)]
    Unread(#[from] Arc<UnreadSecrets>),
}

/// Why keys cannot be read for now; many who wait for one reading are told the same.
#[derive(Debug, thiserror::Error)]
pub enum UnreadSecrets {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The keys.
    #[error(transparent)]
    Keys(#[from] KeyringError),
}

impl NotInjected {
    /// The word of the log for what somebody has to look into; none for what passes.
    fn reason(&self) -> Option<&'static str> {
        match self {
            Self::Path => Some("path"),
            Self::Ambiguous(..) => Some("ambiguous"),
            Self::Unreadable(_) => Some("unreadable"),
            Self::Unread(_) => None,
        }
    }
}

/// A key, opened where it can be.
struct Ready {
    secret: InjectableSecret,
    value: Option<SecretValue>,
}

/// The keys that were open a moment ago; they do not print.
pub struct Injections(Cache<PluginId, Arc<Vec<Ready>>>);

impl Default for Injections {
    fn default() -> Self {
        Self(Cache::builder().max_capacity(PLUGINS_MAX).time_to_live(CACHED).build())
    }
}

impl Injections {
    /// Forgets what was open of a plugin: this process knows that it has changed.
    pub async fn forget(&self, plugin: PluginId) {
        self.0.invalidate(&plugin).await;
    }
}

impl fmt::Debug for Injections {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("Injections(…)")
    }
}

/// What a use of a version is known by until it is written down.
pub type UsedVersion = (PluginId, SecretId, i64);

impl Server {
    /// Puts the keys that are named for a route of a plugin's API into the headers of a request to it; what stood there
    /// goes. None is named for most routes, and then the headers stay as they are.
    ///
    /// # Errors
    ///
    /// Any: the request must not be sent on. What the owners have to look into is told in the audit log.
    pub async fn inject(
        &self,
        plugin: PluginId,
        route: Route<'_>,
        headers: &mut HeaderMap,
        origin: &Origin,
    ) -> Result<Vec<Injected>, NotInjected> {
        let ready = self.injections.0.try_get_with(plugin, self.open_secrets(plugin)).await?;
        if ready.is_empty() {
            return Ok(Vec::new());
        }
        let now = self.clock.now();
        let chosen = chosen(&ready, route).and_then(|chosen| filled(&chosen));
        match chosen {
            Ok(filled) => {
                let used = filled.iter().map(|(ready, ..)| self.used(plugin, &ready.secret, now)).collect();
                for (_, name, value) in filled {
                    headers.insert(name, value);
                }
                Ok(used)
            }
            Err((error, about)) => {
                if let Some(reason) = error.reason() {
                    tracing::warn!(plugin.id = %plugin, reason, "a request to an API is not sent on: {error}");
                    self.refusals.secret_refused(plugin, (about.id, &about.name), (reason, origin.clone()), now);
                }
                Err(error)
            }
        }
    }

    fn used(&self, plugin: PluginId, secret: &InjectableSecret, now: Timestamp) -> Injected {
        self.secret_uses.used((plugin, secret.id, secret.number), secret.last_used_at, now);
        Injected { name: secret.name.clone(), version: secret.number }
    }

    /// A plugin's keys, read once for all who ask at once and in the second after.
    async fn open_secrets(&self, plugin: PluginId) -> Result<Arc<Vec<Ready>>, UnreadSecrets> {
        let mut ready = Vec::new();
        for secret in self.store.injectable_secrets(plugin).await? {
            let place = Place::PluginSecret(SecretVersionId::of(plugin, secret.id, secret.number));
            let plain = self.open_kept(place, &secret.sealed).await?;
            let value = plain.and_then(|plain| String::from_utf8(plain).ok()).map(SecretValue::new);
            ready.push(Ready { secret, value });
        }
        Ok(Arc::new(ready))
    }
}

/// What went wrong, and about which key it is told.
type About<'a> = (NotInjected, &'a InjectableSecret);

/// The keys that are named for a route.
fn chosen<'a>(all: &'a [Ready], route: Route<'_>) -> Result<Vec<&'a Ready>, About<'a>> {
    if let Some(first) = all.first()
        && !is_plain_path(route.path)
    {
        return Err((NotInjected::Path, &first.secret));
    }
    let is_named = |ready: &&Ready| ready.secret.routes.iter().any(|named| named.matches(route.method, route.path));
    let chosen: Vec<&Ready> = all.iter().filter(is_named).collect();
    for (place, one) in chosen.iter().enumerate() {
        let header = one.secret.injection.header();
        if let Some(other) = chosen[..place].iter().find(|other| other.secret.injection.header() == header) {
            let (other, one) = (&other.secret, &one.secret);
            return Err((NotInjected::Ambiguous(other.name.clone(), one.name.clone()), one));
        }
    }
    Ok(chosen)
}

/// The headers as they are sent; a log that prints them leaves these values out.
fn filled<'a>(chosen: &[&'a Ready]) -> Result<Vec<(&'a Ready, HeaderName, HeaderValue)>, About<'a>> {
    let fill = |ready: &&'a Ready| {
        let Ready { secret, value } = *ready;
        let unreadable = || (NotInjected::Unreadable(secret.name.clone()), secret);
        let value = value.as_ref().ok_or_else(unreadable)?;
        let injection = &secret.injection;
        let text = zeroize::Zeroizing::new([injection.prefix(), value.reveal()].concat());
        let name = HeaderName::from_bytes(injection.header().as_bytes()).map_err(|_| unreadable())?;
        let mut value = HeaderValue::from_str(&text).map_err(|_| unreadable())?;
        value.set_sensitive(true);
        Ok((*ready, name, value))
    };
    chosen.iter().map(fill).collect()
}
