//! The desk: the open store and what else a command needs to do one thing to it.

use std::time::Duration;

use super::failure::Failure;
use crate::{
    clock::Clock,
    config::{self, Clients, Config, Database, PublicUrl},
    model::{
        Timestamp,
        account::SignUps,
        audit::{Actor, Audit, Origin},
        id::AuditEventId,
        key_timetable::KeyTimetable,
        plugin::{Host, Plugin},
        public_url,
        rotator::Rotator,
    },
    outbound, passwords, random,
    registry::Registry,
    server,
    store::{OpenOptions, Store},
};

/// How long a command waits for the database before it counts as down.
const PATIENCE: Duration = Duration::from_secs(5);

/// What commands work at.
pub(super) struct Desk {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) public_url: Option<PublicUrl>,
    pub(super) server_name: String,
    pub(super) clients: Clients,
    pub(super) sign_ups: SignUps,
    pub(super) passwords: passwords::Settings,
    pub(super) outbound: outbound::Settings,
    pub(super) keys: KeyTimetable,
    pub(super) rotators: Vec<Rotator>,
}

/// Opens the store a configuration names.
pub(super) async fn open_store(database: &Database) -> Result<Store, Failure> {
    let options = OpenOptions {
        url: database.url.clone(),
        password: database.password.clone(),
        connections_max: database.connections_max,
        patience: PATIENCE,
        watch: None,
    };
    Ok(Store::open(&options).await?)
}

/// What may be fetched, and from where.
pub(super) fn outbound_settings(config: &config::Outbound) -> outbound::Settings {
    outbound::Settings {
        allow: config.allow.clone(),
        authorities: config.authorities.clone(),
        ..outbound::Settings::default()
    }
}

impl Desk {
    /// Opens the store; its schema must be this program's. A command goes by the clock that all nodes go by: what it
    /// writes has a time, and an event of long ago would count as one that was put among the others afterwards.
    pub(super) async fn open(config: &Config) -> Result<Self, Failure> {
        let desk = Self::open_unmigrated(config).await?;
        let refused = match desk.store.schema_state().await {
            Ok(state) => match Failure::of_schema(state) {
                None => server::measure(&desk.clock, &desk.store).await.err().map(Failure::from),
                refused => refused,
            },
            Err(error) => Some(error.into()),
        };
        match refused {
            None => Ok(desk),
            Some(failure) => {
                desk.store.close().await;
                Err(failure)
            }
        }
    }

    /// Opens the store whatever its schema.
    pub(super) async fn open_unmigrated(config: &Config) -> Result<Self, Failure> {
        let store = open_store(&config.database).await?;
        Ok(Self {
            store,
            clock: Clock::system(),
            public_url: config.public_url.clone(),
            server_name: config.server_name.clone(),
            clients: config.clients.clone(),
            sign_ups: config.sign_ups,
            passwords: config.passwords,
            outbound: outbound_settings(&config.outbound),
            keys: config.keys,
            rotators: config.rotators.clone(),
        })
    }

    /// Finds a plugin, or says how to.
    pub(super) async fn plugin(&self, slug: &str) -> Result<Plugin, Failure> {
        let missing = || Failure::not_done(format!("there is no plugin \"{slug}\"; see `consentry plugin list`"));
        self.store.plugin_by_slug(slug).await?.ok_or_else(missing)
    }

    /// Where the operator changes plugins and clients.
    pub(super) fn registry(&self) -> Registry<'_> {
        Registry {
            store: &self.store,
            clock: &self.clock,
            issuer: self.public_url.as_ref().map(PublicUrl::as_str),
            public: self.public_url.as_ref().map(|url| (url.host(), url.scheme())),
            clients_by_hand: self.clients.by_hand,
            rotators: &self.rotators,
            is_trusted: true,
            actor: Actor::Operator,
            origin: Origin::default(),
        }
    }

    /// The scheme people most likely reach a host with.
    pub(super) fn scheme(&self, host: &Host) -> &'static str {
        public_url::schemes(host, self.public_url.as_ref().map(|url| (url.host(), url.scheme()))).0
    }
}

/// The audit of a change the operator makes now.
pub(super) fn audit(at: Timestamp) -> Audit {
    Audit { id: AuditEventId(random::id(at)), at, actor: Actor::Operator, origin: Origin::default() }
}
