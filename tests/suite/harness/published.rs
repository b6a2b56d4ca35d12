//! A plugin on a host of its own, which a stranger answers for: what it publishes is looked at from outside, under a time
//! that stands still until it is moved.

use chrono::{DateTime, TimeDelta};
use consentry::{
    clock::Clock,
    jobs,
    model::{
        plugin::{Plugin, PluginState},
        verification::Look,
    },
    outbound::Outbound,
    protocol::manifest,
    registry::{Registry, RegistryError, verification},
};
use serde_json::{Value, json};

use super::{
    databases::Engine,
    minted,
    server::{Options, World},
    smtp::Way,
    strangers::{Strangers, answer::Answer, host::Host},
};

/// Where it is.
pub const HOST: &str = "api.todo.example";

/// A token that it is given.
pub const TOKEN: &str = "d1f4c6e0a2b94f7e8d35b1c09a7e6f21";

/// A server with a plugin whose host is a stranger's, and time that stands still.
pub struct Published {
    /// The server.
    pub world: World,
    /// Who answers for the plugin's host.
    pub host: Host,
    /// Everybody else's hosts.
    pub strangers: Strangers,
    /// The time.
    pub clock: Clock,
}

impl Published {
    /// A draft; its host answers 404.
    pub async fn new(engine: Engine) -> Self {
        Self::with_mail(engine, None).await
    }

    /// The same, from which mail goes.
    pub async fn with_mail(engine: Engine, mail: Option<Way>) -> Self {
        let strangers = Strangers::new();
        let host = strangers.host(HOST);
        let clock = Clock::standing_at(DateTime::from_timestamp(1_800_000_000, 0).unwrap());
        let options = Options { clock: clock.clone(), outbound: strangers.settings(), mail, ..Options::default() };
        let world = World::with(engine, options).await;
        world
            .import(|plugin| {
                plugin.host = HOST.parse().unwrap();
                let manifest = plugin.manifest.as_object_mut().unwrap();
                for (member, value) in [
                    ("api", json!({ "type": "openapi", "url": format!("https://{HOST}/openapi.json") })),
                    ("logo_url", json!(format!("https://{HOST}/logo.png"))),
                    ("contact_email", json!("help@todo.example")),
                    ("legal_info_url", json!("https://todo.example/legal")),
                ] {
                    manifest.insert(member.to_owned(), value);
                }
            })
            .await;
        Self { world, host, strangers, clock }
    }

    /// The same, with a token that was given and stands at the public address.
    pub async fn with_token(engine: Engine) -> Self {
        let it = Self::new(engine).await;
        it.set_token(TOKEN).await.unwrap();
        it.answer().await;
        it
    }

    /// Where changes are made.
    pub fn registry(&self) -> Registry<'_> {
        self.world.running.registry()
    }

    /// Gives it a token.
    pub async fn set_token(&self, token: &str) -> Result<Plugin, RegistryError> {
        minted::note("verification token", token);
        verification::set_verification_token(&self.registry(), (self.world.plugin.id, None), manifest::SERVICE, token)
            .await
    }

    /// What this server serves for the host.
    pub async fn served(&self) -> Value {
        let get = reqwest::Client::new().get(format!("{}{}", self.world.running.own, manifest::PLACE));
        get.header("host", HOST).send().await.unwrap().json().await.unwrap()
    }

    /// Lets the public host answer that.
    pub async fn answer(&self) {
        self.host.answer(manifest::PLACE, Answer::json(&self.served().await));
    }

    /// Its state.
    pub async fn state(&self) -> PluginState {
        self.world.running.server.store.plugin(self.world.plugin.id).await.unwrap().unwrap().state
    }

    /// Looks, as the command line does.
    pub async fn look(&self) -> Look {
        let outbound = Outbound::new(self.strangers.settings()).unwrap();
        let verified = verification::verify(&self.registry(), &outbound, self.world.plugin.id).await.unwrap();
        assert_eq!(verified.plugin.state, self.state().await);
        verified.verification.look.unwrap()
    }

    /// Lets the time of the next look come, and the server look; the state after it.
    pub async fn later(&self) -> PluginState {
        let kept = self.world.running.server.store.verification(self.world.plugin.id).await.unwrap().unwrap().1;
        self.clock.advance(kept.due_at.unwrap() - self.clock.now() + TimeDelta::seconds(1));
        jobs::verification::once(&self.world.running.server).await.unwrap();
        self.state().await
    }
}
