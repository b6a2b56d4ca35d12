//! `/console/plugins/{slug}/webhook`: where a plugin's API is told of its people, the secret that signs it, and what
//! became of the last events. `registry::webhooks` has the changes.

use actix_web::{HttpRequest, HttpResponse, web};

use super::entry::{Entry, Outcome, is_confirmed, take, text, visit};
use crate::{
    http::{
        failure::PageError,
        pages::console::{Badge, DeliveryLine, KnownWebhook, Notice, Question, Section, WebhookPage, times},
    },
    model::{id::PluginId, plugin::Plugin},
    protocol::parameters::Parameters,
    registry::{RegistryError, RegistryResult, Wrong, webhooks},
    server::Server,
    store::webhooks::{Delivery, DeliveryState, Webhook},
    tokens::webhook::WebhookSecret,
};

/// The longest address that is read, in bytes; what it may be is the registry's to say.
const ADDRESS_MAX: usize = 4096;

/// The longest name of a message.
const MESSAGE_MAX: usize = 64;

/// What a change comes to.
enum Done {
    /// It leads back to the page, which says what was done.
    Said(Notice),
    /// A secret was made, and is shown this once.
    Made(WebhookSecret),
}

/// Shows the page.
pub async fn show(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let show = async |entry: &Entry<'_>| {
        let plugin = entry.plugin().await?;
        render(entry, &plugin, (None, None), Vec::new()).await
    };
    visit(&server, &request, show).await
}

/// Takes one of its forms.
pub async fn change(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    take(&server, &request, payload, async |entry, fields| carry_out(entry, fields).await).await
}

async fn carry_out(entry: &Entry<'_>, fields: &Parameters) -> Outcome {
    let plugin = entry.plugin().await?;
    let change = fields.required("change", 16).map_err(PageError::Incomplete)?;
    let address = text(fields, "address", ADDRESS_MAX)?;
    if change == "remove" && !is_confirmed(fields) {
        return ask(entry, &plugin, text(fields, "version", 20)?);
    }
    let typed = (change == "set").then_some(address);
    let wrong = match changed(entry, plugin.id, change, fields).await? {
        Ok(Done::Said(notice)) => {
            return Ok(entry.lead_to(&format!("/plugins/{}/webhook", plugin.slug), notice));
        }
        Ok(Done::Made(secret)) => return render(entry, &plugin, (None, Some(secret)), Vec::new()).await,
        Err(RegistryError::Wrong(wrong)) => wrong,
        Err(RegistryError::ChangedMeanwhile) => vec![Wrong::new(
            "other",
            "It was changed since you opened this page, which shows it as it is now; by somebody else, or by a second \
             press of yours",
        )],
        Err(error) => return Err(error.into()),
    };
    render(entry, &plugin, (typed, None), wrong).await
}

/// Asks before it is removed.
fn ask(entry: &Entry<'_>, plugin: &Plugin, version: &str) -> Outcome {
    let asked = Question {
        question: "Remove the webhook?".to_owned(),
        ends: "Your API is told of nothing any more.".to_owned(),
        then: "What waits is not sent, and the secret is gone: a new webhook has another one.".to_owned(),
        action: "/webhook".to_owned(),
        fields: vec![("change", "remove".to_owned()), ("version", version.to_owned())],
        button: "Remove it",
        back: "/webhook".to_owned(),
        ..Question::default()
    };
    entry.ask((plugin, Section::Webhook), asked)
}

async fn changed(
    entry: &Entry<'_>,
    plugin: PluginId,
    change: &str,
    fields: &Parameters,
) -> Result<RegistryResult<Done>, PageError> {
    let registry = entry.registry();
    let Ok(seen) = text(fields, "version", 20)?.parse::<i64>() else { return Err(PageError::NotThere) };
    let ring = entry.server.keyring.current();
    let said = |done: RegistryResult<()>, notice| done.map(|()| Done::Said(notice));
    Ok(match change {
        "set" => {
            let means = webhooks::Means { ring: &ring, outbound: &entry.server.teller };
            let set = webhooks::set(&registry, means, (plugin, seen), text(fields, "address", ADDRESS_MAX)?).await;
            set.map(|secret| secret.map_or(Done::Said(Notice::Saved), Done::Made))
        }
        "renew" => webhooks::renew_secret(&registry, &ring, (plugin, seen)).await.map(Done::Made),
        "end-old" => said(webhooks::end_old_secret(&registry, plugin, seen).await, Notice::SecretEnded),
        "start" => said(webhooks::start(&registry, plugin, seen).await, Notice::Started),
        "remove" => said(webhooks::remove(&registry, plugin, seen).await, Notice::Removed),
        "test" => said(webhooks::send_test(&registry, plugin).await, Notice::TestSent),
        "again" => {
            let message = text(fields, "message", MESSAGE_MAX)?;
            said(webhooks::send_again(&registry, plugin, message).await, Notice::SentAgain)
        }
        _ => return Err(PageError::NotThere),
    })
}

async fn render(
    entry: &Entry<'_>,
    plugin: &Plugin,
    (typed, secret): (Option<&str>, Option<WebhookSecret>),
    wrong: Vec<Wrong>,
) -> Outcome {
    let shown = webhooks::show(&entry.registry(), plugin.id).await?;
    let address = shown.webhook.as_ref().map(|webhook| webhook.address.url().to_string());
    let page = WebhookPage {
        layout: entry.layout(),
        frame: entry.frame(Some((plugin, Section::Webhook)))?,
        slug: plugin.slug.clone(),
        address: typed.map(str::to_owned).or(address).unwrap_or_default(),
        known: shown.webhook.map(known),
        secret: secret.map(|secret| secret.reveal()),
        deliveries: shown.deliveries.iter().map(line).collect(),
        wrong,
    };
    entry.answer_with(&page, &page.wrong)
}

fn known(webhook: Webhook) -> KnownWebhook {
    KnownWebhook {
        version: webhook.version,
        secret_made: times::minute(webhook.secret_made_at),
        has_old_secret: webhook.has_old_secret,
        stopped: webhook.stopped.map(|(at, because)| (times::minute(at), because)),
        failing_since: webhook.failing_since.map(times::minute),
        missed: Some(webhook.missed).filter(|missed| *missed > 0),
    }
}

fn line(delivery: &Delivery) -> DeliveryLine {
    let (class, word) = match delivery.state() {
        DeliveryState::Taken => ("good", "Taken"),
        DeliveryState::Waiting => ("waiting", "Waiting"),
        DeliveryState::GivenUp => ("bad", "Given up"),
    };
    let mut says = format!("Happened on {}.", times::minute(delivery.created_at));
    if let (Some(at), Some(what)) = (delivery.tried_at, &delivery.says) {
        says = format!("{says} {what}, on {}.", times::minute(at));
    }
    if delivery.attempts > 1 {
        says = format!("{says} Tried {} times.", delivery.attempts);
    }
    if let Some(at) = delivery.due_at {
        says = format!("{says} Next try: {}.", times::minute(at));
    }
    DeliveryLine {
        id: delivery.id.clone(),
        event: delivery.event.as_str(),
        badge: Badge { class, word },
        says,
        can_go_again: delivery.due_at.is_none(),
    }
}
