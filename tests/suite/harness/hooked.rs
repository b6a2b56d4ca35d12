//! A plugin whose own API is told of its people, at a stranger's host; what it was told is read as a receiver would.

use std::sync::Arc;

use consentry::{
    clock::Clock,
    jobs,
    model::client::Dialect,
    registry::{
        Registry,
        webhooks::{self, Means},
    },
    store::webhooks::Webhook,
    tokens::webhook::WebhookSecret,
};
use serde_json::{Value, json};

use super::{
    browser::{Browser, parameter, plugin_request},
    databases::Engine,
    minted,
    server::{Options, Registered, World},
    smtp::Way,
    strangers::{Strangers, answer::Answer, host::Host},
};

/// Where its API is.
pub const HOST: &str = "api.todo.example";

/// What came.
#[derive(Clone, Debug)]
pub struct Message {
    /// The headers of the format, as JSON.
    pub headers: Value,
    /// The body as it came.
    pub body: String,
    /// The same, read.
    pub event: Value,
}

/// A server, and an API that takes what it is told.
pub struct Hooked {
    /// The server.
    pub world: World,
    /// The API.
    pub host: Host,
    /// Everybody else's hosts.
    pub strangers: Strangers,
    /// What signs.
    pub secret: WebhookSecret,
}

impl Hooked {
    /// Under this time.
    pub async fn new(engine: Engine, clock: Clock) -> Self {
        Self::with_mail(engine, clock, None).await
    }

    /// The same, mail being handed over there.
    pub async fn with_mail(engine: Engine, clock: Clock, mail: Option<Way>) -> Self {
        let strangers = Strangers::new();
        let host = strangers.host(HOST);
        host.answer("/hook", Answer::status(204));
        let options = Options { clock, mail, outbound: strangers.settings(), ..Options::default() };
        let world = World::with(engine, options).await;
        let mut it = Self { world, host, strangers, secret: WebhookSecret::new([0; 32]) };
        it.secret = it.set(it.host.url("/hook").as_str()).await.unwrap().expect("the first secret");
        it
    }

    /// Where changes are made.
    pub fn registry(&self) -> Registry<'_> {
        self.world.running.registry()
    }

    /// Sets the address.
    pub async fn set(&self, address: &str) -> consentry::registry::RegistryResult<Option<WebhookSecret>> {
        let server = &self.world.running.server;
        let ring = server.keyring.current();
        let means = Means { ring: &ring, outbound: &server.teller };
        let plugin = self.world.plugin.id;
        let seen = server.store.webhook(plugin).await.unwrap().map_or(0, |webhook| webhook.version);
        let set = webhooks::set(&self.registry(), means, (plugin, seen), address).await;
        if let Ok(Some(secret)) = &set {
            minted::note("webhook secret", &secret.reveal());
        }
        set
    }

    /// The webhook as it stands.
    pub async fn webhook(&self) -> Webhook {
        self.world.running.server.store.webhook(self.world.plugin.id).await.unwrap().expect("a webhook")
    }

    /// What the last event came to.
    pub async fn says(&self) -> String {
        let deliveries = self.world.running.server.store.deliveries(self.world.plugin.id, 1).await.unwrap();
        deliveries[0].says.clone().unwrap_or_default()
    }

    /// Connects somebody by a client of their own, and answers it with what it was given.
    pub async fn connect(&self, email: &str) -> (Registered, Value) {
        let client = self.world.client(Dialect::Plugin).await;
        let left = Browser::new(&self.world.running).agree(&plugin_request(&client), email).await;
        let (status, tokens) = self.world.running.redeem(&client, &parameter(&left, "code").unwrap()).await;
        assert_eq!(status, 200, "{tokens}");
        (client, tokens)
    }

    /// Tells what is due, as the job does; all that has come so far.
    pub async fn told(&self) -> Vec<Message> {
        jobs::webhooks::once(&Arc::clone(&self.world.running.server)).await.unwrap();
        self.host.messages().into_iter().map(message).collect()
    }
}

fn message((head, body): (String, String)) -> Message {
    assert!(head.starts_with("POST /hook"), "{head}");
    let header = |name: &str| {
        let mut lines = head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
    };
    let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    let headers: serde_json::Map<_, _> = names.iter().map(|name| ((*name).to_owned(), json!(header(name)))).collect();
    let event = serde_json::from_str(&body).unwrap();
    Message { headers: headers.into(), body, event }
}
