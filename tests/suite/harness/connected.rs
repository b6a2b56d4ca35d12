//! A connector whose maker's host is ours: it is known by its metadata document, which that host serves with its keys,
//! and time stands still until it is moved.

use chrono::{DateTime, TimeDelta};
use consentry::{clock::Clock, model::client::Client};

use super::{
    connector::{CLIENT_ID, Connector, Proof},
    databases::Engine,
    server::{Options, Running, World},
    signer::Signer,
    strangers::{Strangers, host::Host},
};

/// A server, and the host of the vendor it will hear of.
pub struct Connected {
    /// The server, with everything registered.
    pub world: World,
    /// The vendor's host, under its real name.
    pub host: Host,
    /// The vendor's key.
    pub signer: Signer,
    /// The time, for the server and whatever is started later.
    pub clock: Clock,
    /// Everybody else's hosts.
    pub strangers: Strangers,
}

impl Connected {
    /// Nothing is published yet.
    pub async fn new(engine: Engine) -> Self {
        let strangers = Strangers::new();
        let host = strangers.host("chatgpt.com");
        let clock = Clock::standing_at(DateTime::from_timestamp(1_800_000_000, 0).unwrap());
        let options = Options { clock: clock.clone(), outbound: strangers.settings(), ..Options::default() };
        let world = World::with(engine, options).await;
        Self { world, host, signer: Signer::rs256("key-1"), clock, strangers }
    }

    /// The connector that calls the server.
    pub fn connector<'a>(&'a self, proof: Proof<'a>) -> Connector<'a> {
        Connector::new(&self.world.running, proof)
    }

    /// The connector with the vendor's key.
    pub fn with_key(&self) -> Connector<'_> {
        self.connector(Proof::Key(&self.signer))
    }

    /// Another server on the same database: a second node, or the first after a restart. It remembers nothing of what
    /// was fetched, and is called under its own address, since machine endpoints answer on any host.
    pub async fn another(&self) -> Running {
        let options = Options {
            clock: self.clock.clone(),
            outbound: self.strangers.settings(),
            public_url: Some(self.world.running.url.clone()),
            ..Options::default()
        };
        let mut another = Running::start(&self.world.database, options).await;
        another.url.clone_from(&another.own);
        another
    }

    /// The connector's row.
    pub async fn row(&self) -> Client {
        self.world.running.server.store.client(CLIENT_ID, self.clock.now()).await.unwrap().expect("a row")
    }

    /// Lets time pass.
    pub fn later(&self, by: TimeDelta) {
        self.clock.advance(by);
    }
}
