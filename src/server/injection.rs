//! API keys on their way into requests: whoever sends one on to a plugin's API has the keys put into its headers that are
//! named for its route. They stay sealed until then, and leave memory with the request.
//!
//! `model::plugin_secret` says what a route is; `registry::plugin_secrets` is how the keys were put away. A new version is
//! used by every node a second after it was put away, and after however long a reading takes, without a restart.

use std::{sync::Arc, time::Duration};

use moka::future::Cache;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use zeroize::Zeroizing;

use super::{Server, keyring::KeyringError};
use crate::{
    keys::place::Place,
    model::{
        audit::Origin,
        id::{PluginId, SecretId, SecretVersionId},
        plugin_secret::{OVERRIDING, SecretName, is_plain_path},
    },
    store::{StoreError, secret_uses::InjectableSecret},
};

/// How long what was read is used before it is read again.
const CACHED: Duration = Duration::from_secs(1);

/// The most routes that are remembered, of all plugins together.
const ROUTES_MAX: u64 = 100_000;

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
    Store(#[from] Arc<StoreError>),
    /// What opens them cannot be read for now.
    #[error(transparent)]
    Keys(#[from] KeyringError),
}

/// The keys of plugins as they were read a moment ago, sealed.
#[derive(Debug)]
pub struct Injections(Cache<PluginId, Arc<Vec<InjectableSecret>>>);

impl Default for Injections {
    fn default() -> Self {
        let weight = |_: &PluginId, secrets: &Arc<Vec<InjectableSecret>>| {
            let routes: usize = secrets.iter().map(|secret| secret.routes.len()).sum();
            u32::try_from(routes + 1).unwrap_or(u32::MAX)
        };
        Self(Cache::builder().weigher(weight).max_capacity(ROUTES_MAX).time_to_live(CACHED).build())
    }
}

impl Injections {
    /// Forgets what was read of a plugin: this process knows that it has changed.
    pub async fn forget(&self, plugin: PluginId) {
        self.0.invalidate(&plugin).await;
    }
}

/// What a use of a version is known by until it is written down.
pub type UsedVersion = (SecretId, i64);

impl Server {
    /// Puts the keys that are named for a route of a plugin's API into the headers of a request to it. What stood there
    /// goes, however it was spelled, and so does what would make of it a request to another route. No key is named for most
    /// routes, and then the headers stay as they are.
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
        let reading = async { self.store.injectable_secrets(plugin).await.map(Arc::new) };
        let secrets = self.injections.0.try_get_with(plugin, reading).await?;
        let now = self.clock.now();
        let refused = |error: NotInjected, about: Option<&InjectableSecret>, reason| {
            let about = about.map(|secret| (secret.id, &secret.name));
            self.refusals.secret_refused(plugin, about, (reason, origin.clone()), now);
            error
        };
        let chosen = match chosen(&secrets, route) {
            Chosen::These(chosen) => chosen,
            Chosen::Unclear => return Err(refused(NotInjected::Path, None, "path")),
            Chosen::Two(one, other) => {
                let error = NotInjected::Ambiguous(one.name.clone(), other.name.clone());
                return Err(refused(error, Some(other), "ambiguous"));
            }
        };
        let mut filled = Vec::with_capacity(chosen.len());
        for secret in &chosen {
            let unreadable = || refused(NotInjected::Unreadable(secret.name.clone()), Some(secret), "unreadable");
            filled.push(self.fill(plugin, secret).await?.ok_or_else(unreadable)?);
        }
        if !chosen.is_empty() {
            let is_dropped = |name: &HeaderName| {
                OVERRIDING.contains(&name.as_str()) || chosen.iter().any(|secret| secret.injection.is_in(name.as_str()))
            };
            let dropped: Vec<HeaderName> = headers.keys().filter(|name| is_dropped(name)).cloned().collect();
            for name in dropped {
                headers.remove(name);
            }
        }
        headers.extend(filled);
        let used = |secret: &&InjectableSecret| {
            self.secret_uses.used((secret.id, secret.number), secret.last_used_at, now);
            Injected { name: secret.name.clone(), version: secret.number }
        };
        Ok(chosen.iter().map(used).collect())
    }

    /// A key as it stands in a request; none where it does not open. A log that prints headers leaves it out.
    async fn fill(
        &self,
        plugin: PluginId,
        secret: &InjectableSecret,
    ) -> Result<Option<(HeaderName, HeaderValue)>, KeyringError> {
        let place = Place::PluginSecret(SecretVersionId::of(plugin, secret.id, secret.number));
        let Some(value) = self.open_kept(place, &secret.sealed).await?.map(Zeroizing::new) else { return Ok(None) };
        let text = Zeroizing::new([secret.injection.prefix().as_bytes(), &value].concat());
        let name = HeaderName::from_bytes(secret.injection.header().as_bytes()).ok();
        let value = HeaderValue::from_bytes(&text).ok();
        Ok(name.zip(value).map(|(name, mut value)| {
            value.set_sensitive(true);
            (name, value)
        }))
    }
}

/// The keys for a route.
enum Chosen<'a> {
    /// Those that are named for it.
    These(Vec<&'a InjectableSecret>),
    /// It can be read as more than one.
    Unclear,
    /// These share a header.
    Two(&'a InjectableSecret, &'a InjectableSecret),
}

fn chosen<'a>(all: &'a [InjectableSecret], route: Route<'_>) -> Chosen<'a> {
    if all.iter().any(|secret| !secret.routes.is_empty()) && !is_plain_path(route.path) {
        return Chosen::Unclear;
    }
    let is_named = |secret: &&InjectableSecret| secret.routes.iter().any(|it| it.matches(route.method, route.path));
    let chosen: Vec<&InjectableSecret> = all.iter().filter(is_named).collect();
    for (place, one) in chosen.iter().enumerate() {
        let header = one.injection.header();
        if let Some(other) = chosen[..place].iter().find(|other| other.injection.is_in(header)) {
            return Chosen::Two(other, one);
        }
    }
    Chosen::These(chosen)
}
