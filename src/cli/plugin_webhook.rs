//! `consentry plugin webhook …`: where a plugin's API is told of its people, and the secret that signs it.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::{
    answer::{Answer, columns, shown},
    desk::Desk,
    failure::Failure,
    flags::ConfigFlags,
    key,
};
use crate::{
    keys::ring::Ring,
    model::plugin::Plugin,
    outbound::Outbound,
    registry::webhooks::{self, Means, Shown},
    store::webhooks::{Delivery, Webhook},
    tokens::webhook::WebhookSecret,
};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Show it, and what became of the last events
    Show(Which),
    /// Have the plugin's API told at an address from now on; the first time a secret is made and shown
    Set(Set),
    /// Have a test sent
    Test(Which),
    /// Have an event sent once more
    SendAgain(Again),
    /// Make a new secret; the one before signs beside it until it is ended
    RenewSecret(Which),
    /// End the secret of before
    EndOldSecret(Which),
    /// Go on where it has stopped, with what was not taken
    Start(Which),
    /// Tell nothing any more
    Remove(Which),
}

#[derive(Debug, Args)]
pub(super) struct Which {
    /// The plugin's short name
    slug: String,
}

#[derive(Debug, Args)]
pub(super) struct Set {
    /// The plugin's short name
    slug: String,
    /// Where events go, such as `https://api.example.com/webhooks`
    #[arg(long, value_name = "URL")]
    address: String,
}

#[derive(Debug, Args)]
pub(super) struct Again {
    /// The plugin's short name
    slug: String,
    /// The event, as `consentry plugin webhook show` lists it
    #[arg(long, value_name = "ID")]
    message: String,
}

pub(super) async fn run(command: Command, desk: &Desk, flags: &ConfigFlags) -> Result<Answer, Failure> {
    let registry = desk.registry();
    match command {
        Command::Show(Which { slug }) => {
            let plugin = desk.plugin(&slug).await?;
            told(desk, &plugin, None, "").await
        }
        Command::Set(Set { slug, address }) => {
            let plugin = desk.plugin(&slug).await?;
            let keyring = keyring(desk, flags).await?;
            let refused = |error: crate::outbound::OutboundError| Failure::not_done(error.to_string());
            let outbound = Outbound::new(desk.outbound.clone()).map_err(refused)?;
            let means = Means { ring: &keyring, outbound: &outbound };
            let seen = desk.store.webhook(plugin.id).await?.map_or(0, |webhook| webhook.version);
            let secret = webhooks::set(&registry, means, (plugin.id, seen), &address).await?;
            told(desk, &plugin, secret, "Set.").await
        }
        Command::RenewSecret(Which { slug }) => {
            let (plugin, webhook) = known(desk, &slug).await?;
            let keyring = keyring(desk, flags).await?;
            let secret = webhooks::renew_secret(&registry, &keyring, (plugin.id, webhook.version)).await?;
            told(desk, &plugin, Some(secret), "Both secrets sign now. End the old one when your API knows the new one.")
                .await
        }
        Command::EndOldSecret(Which { slug }) => {
            let (plugin, webhook) = known(desk, &slug).await?;
            webhooks::end_old_secret(&registry, plugin.id, webhook.version).await?;
            told(desk, &plugin, None, "Ended.").await
        }
        Command::Start(Which { slug }) => {
            let (plugin, webhook) = known(desk, &slug).await?;
            webhooks::start(&registry, plugin.id, webhook.version).await?;
            told(desk, &plugin, None, "Started.").await
        }
        Command::Remove(Which { slug }) => {
            let (plugin, webhook) = known(desk, &slug).await?;
            webhooks::remove(&registry, plugin.id, webhook.version).await?;
            told(desk, &plugin, None, "Removed.").await
        }
        Command::Test(Which { slug }) => {
            let (plugin, _) = known(desk, &slug).await?;
            webhooks::send_test(&registry, plugin.id).await?;
            told(desk, &plugin, None, "The server sends it in a moment.").await
        }
        Command::SendAgain(Again { slug, message }) => {
            let (plugin, _) = known(desk, &slug).await?;
            webhooks::send_again(&registry, plugin.id, &message).await?;
            told(desk, &plugin, None, "The server sends it in a moment.").await
        }
    }
}

async fn known(desk: &Desk, slug: &str) -> Result<(Plugin, Webhook), Failure> {
    let plugin = desk.plugin(slug).await?;
    let none = || {
        let cure = format!("set one: consentry plugin webhook set {slug} --address URL");
        Failure::not_done(format!("the plugin \"{slug}\" has no webhook; {cure}"))
    };
    let webhook = desk.store.webhook(plugin.id).await?.ok_or_else(none)?;
    Ok((plugin, webhook))
}

/// What seals the secret. No other command needs the master keys, so only these read them.
async fn keyring(desk: &Desk, flags: &ConfigFlags) -> Result<std::sync::Arc<Ring>, Failure> {
    Ok(key::open(desk, flags.master_keys()?).await?.current())
}

async fn told(desk: &Desk, plugin: &Plugin, secret: Option<WebhookSecret>, done: &str) -> Result<Answer, Failure> {
    let Shown { webhook, deliveries } = webhooks::show(&desk.registry(), plugin.id).await?;
    let secret = secret.map(|secret| secret.reveal());
    let json = json!({
        "slug": plugin.slug,
        "webhook": webhook.as_ref().map(summary),
        "secret": secret,
        "events": deliveries.iter().map(event).collect::<Vec<_>>(),
    });
    let mut lines = vec![done.to_owned()];
    lines.extend(secret.map(|secret| format!("The secret, shown this once:\n  {secret}")));
    match &webhook {
        None => lines.push(format!("The plugin \"{}\" has no webhook.", plugin.slug)),
        Some(webhook) => {
            lines.push(format!("Events go to {}", webhook.address.url()));
            lines.extend(webhook.has_old_secret.then(|| "Two secrets sign.".to_owned()));
            let stopped = webhook.stopped.as_ref();
            lines.extend(stopped.map(|(at, because)| format!("Stopped at {}: {because}.", shown(*at))));
        }
    }
    if !deliveries.is_empty() {
        let head = ["EVENT", "HAPPENED", "STATE", "LAST TRY", "ID"].map(str::to_owned);
        let row = |it: &Delivery| {
            let says = it.says.clone().unwrap_or_default();
            [it.event.as_str().to_owned(), shown(it.created_at), it.state().as_str().to_owned(), says, it.id.clone()]
        };
        lines.push(columns(&std::iter::once(head).chain(deliveries.iter().map(row)).collect::<Vec<_>>()));
    }
    lines.retain(|line| !line.is_empty());
    Ok(Answer { json, text: lines.join("\n") })
}

fn summary(webhook: &Webhook) -> Value {
    json!({
        "address": webhook.address.url().as_str(),
        "secret_made_at": shown(webhook.secret_made_at),
        "has_old_secret": webhook.has_old_secret,
        "stopped_at": webhook.stopped.as_ref().map(|(at, _)| shown(*at)),
        "stopped_because": webhook.stopped.as_ref().map(|(_, because)| because),
        "failing_since": webhook.failing_since.map(shown),
        "missed": webhook.missed,
    })
}

fn event(delivery: &Delivery) -> Value {
    json!({
        "id": delivery.id,
        "type": delivery.event.as_str(),
        "data": delivery.data,
        "happened_at": shown(delivery.created_at),
        "state": delivery.state().as_str(),
        "attempts": delivery.attempts,
        "says": delivery.says,
        "tried_at": delivery.tried_at.map(shown),
        "next_try_at": delivery.due_at.map(shown),
    })
}
