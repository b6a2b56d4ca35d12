//! What the gate knows: which plugin's API a host leads to and its routes, and who stands behind a token. Both are
//! remembered for a moment, and looked up once for all who wait.
//!
//! `protocol::gate` decides with it, `http::gateway` asks; `server::injection` puts API keys into what goes on.

use std::{sync::Arc, time::Duration};

use moka::future::Cache;
use url::Url;

use super::{Server, keyring::KeyringError};
use crate::{
    keys::KeyError,
    model::{
        digest::Digest,
        gate::RouteTable,
        id::{FamilyId, PluginId},
        plugin::{DocumentKind, Host, Plugin},
        resource::{Resource, ResourceIdentifier},
    },
    protocol::gate::{Bearer, described},
    store::StoreError,
    tokens::{self, identity},
};

/// How long a host's plugin is used before it is read again.
const REMEMBERED: Duration = Duration::from_secs(1);

/// The most hosts that are remembered. Strangers can ask for any.
const HOSTS_MAX: u64 = 10_000;

/// The most routes that are remembered, of all plugins together.
const ROUTES_MAX: u64 = 100_000;

/// The most tokens that are remembered.
const TOKENS_MAX: u64 = 100_000;

/// The most resources of one plugin that the gate knows.
const RESOURCES_MAX: u32 = 1000;

/// The longest text that is looked at as a token.
const TOKEN_LENGTH_MAX: usize = 16 * 1024;

/// An API behind the gate.
#[derive(Debug)]
pub struct Gated {
    /// Its plugin.
    pub plugin: PluginId,
    /// The plugin's short name.
    pub slug: String,
    /// Where its requests go; without a slash at its end.
    pub upstream: Url,
    /// Which requests those are.
    pub routes: Arc<RouteTable>,
    /// What tokens for it can be for.
    pub resources: Vec<Resource>,
}

/// A token that stands, and whom it speaks for.
#[derive(Debug)]
pub struct Admitted {
    /// What it is good for.
    pub bearer: Bearer,
    /// Whose API it is for.
    pub plugin: PluginId,
    /// Whom the API knows: a pairwise subject, or the client itself.
    pub subject: String,
    /// The client it was issued to.
    pub client_id: String,
    /// The connection it belongs to; none for a client's own.
    pub family: Option<FamilyId>,
    /// The same, signed for the API.
    pub assertion: String,
}

/// Why nobody can say for now.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
    /// The store has no answer.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The table of keys cannot be read.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// An assertion cannot be signed.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// What was looked up a moment ago.
pub struct Gate {
    hosts: Option<Hosts>,
    /// Tables are read from whole documents, so the last one of each plugin stays until the plugin changes.
    tables: Cache<PluginId, (i64, Arc<RouteTable>)>,
    tokens: Option<Tokens>,
}

/// Hosts, and how often this process had changed something before they were looked up.
type Hosts = Cache<(Host, u64), Option<Arc<Gated>>>;

/// Tokens by their digest, and by how often this process had changed something before they were looked up.
type Tokens = Cache<([u8; 32], u64), Option<Arc<Admitted>>>;

impl Gate {
    /// Remembers what stands for so long; zero is not at all.
    pub fn new(standing_max_age: Duration) -> Self {
        let hosts = || Cache::builder().max_capacity(HOSTS_MAX).time_to_live(REMEMBERED.min(standing_max_age)).build();
        let tokens = || Cache::builder().max_capacity(TOKENS_MAX).time_to_live(standing_max_age).build();
        let weight = |_: &PluginId, (_, routes): &(i64, Arc<RouteTable>)| {
            u32::try_from(routes.iter().count() + 1).unwrap_or(u32::MAX)
        };
        let is_remembered = !standing_max_age.is_zero();
        Self {
            hosts: is_remembered.then(hosts),
            tables: Cache::builder().weigher(weight).max_capacity(ROUTES_MAX).build(),
            tokens: is_remembered.then(tokens),
        }
    }
}

impl Server {
    /// The API that a host leads to; none for a host of no plugin, and for a plugin that is not behind the gate.
    pub async fn gated(&self, host: &Host) -> Result<Option<Arc<Gated>>, Arc<GateError>> {
        let Some(remembered) = &self.gate.hosts else { return self.look_up(host).await.map_err(Arc::new) };
        remembered.try_get_with((host.clone(), self.store.changes()), self.look_up(host)).await
    }

    async fn look_up(&self, host: &Host) -> Result<Option<Arc<Gated>>, GateError> {
        let Some(plugin) = self.store.plugin_by_host(host).await? else { return Ok(None) };
        // What is no URL was not imported by this program, and leads nowhere.
        let Some(upstream) = plugin.upstream.as_deref().and_then(|upstream| upstream.parse().ok()) else {
            return Ok(None);
        };
        let routes = self.routes_of(&plugin).await?;
        let resources = self.store.resources_of(plugin.id, RESOURCES_MAX).await?;
        Ok(Some(Arc::new(Gated { plugin: plugin.id, slug: plugin.slug, upstream, routes, resources })))
    }

    /// A plugin's routes: its own lines, or else those of its description. What cannot be read lets nothing through.
    async fn routes_of(&self, plugin: &Plugin) -> Result<Arc<RouteTable>, GateError> {
        if let Some((version, routes)) = self.gate.tables.get(&plugin.id).await
            && version == plugin.version
        {
            return Ok(routes);
        }
        let routes = match &plugin.routes {
            Some(lines) => lines.parse().unwrap_or_default(),
            None => match self.store.document(&plugin.host, DocumentKind::OpenApi).await? {
                Some(document) => described::read(&document.body).unwrap_or_default().routes,
                None => RouteTable::default(),
            },
        };
        let routes = Arc::new(routes);
        self.gate.tables.insert(plugin.id, (plugin.version, Arc::clone(&routes))).await;
        Ok(routes)
    }

    /// Who stands behind an access token; none where nobody does.
    pub async fn admitted(&self, token: &str) -> Result<Option<Arc<Admitted>>, Arc<GateError>> {
        if token.len() > TOKEN_LENGTH_MAX {
            return Ok(None);
        }
        let Some(remembered) = &self.gate.tokens else { return self.admit(token).await.map_err(Arc::new) };
        remembered.try_get_with((Digest::of(token).0, self.store.changes()), self.admit(token)).await
    }

    async fn admit(&self, token: &str) -> Result<Option<Arc<Admitted>>, GateError> {
        let now = self.clock.now();
        let ring = self.keyring.knowing(tokens::access::kid(token), &self.store, now).await?;
        let Some(claims) = tokens::access::read(&ring, &self.settings.issuer, token, now) else { return Ok(None) };
        let Ok(resource) = claims.aud.parse::<ResourceIdentifier>() else { return Ok(None) };
        let Some(stands) = self.stands(&claims, None).await? else { return Ok(None) };
        let caller = identity::Caller {
            issuer: &self.settings.issuer,
            resource: &claims.aud,
            subject: &claims.sub,
            client_id: &claims.client_id,
            scope: &stands.scopes.to_string(),
        };
        let assertion = identity::write(&ring, stands.signing_algorithm, caller, now.timestamp())?;
        Ok(Some(Arc::new(Admitted {
            bearer: Bearer { resource: resource.canonical(), scopes: stands.scopes, expires_at: claims.exp },
            plugin: stands.plugin_id,
            subject: claims.sub,
            client_id: claims.client_id,
            family: claims.family,
            assertion,
        })))
    }
}
