//! `/api/v1/plugins/{slug}/webhook`: where a plugin's own API is told of its people, the secret that signs it, and what
//! became of the last events.

use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    caller::{Answer, Caller, look, take},
    paging::time,
    problem::Problem,
};
use crate::{
    model::{id::PluginId, owner_token::OwnerScope},
    registry::webhooks::{self, Means},
    server::Server,
    store::webhooks::{Delivery, Webhook},
    tokens::webhook::WebhookSecret,
};

/// Where a plugin's API is told, and what became of the last events.
#[derive(Debug, Serialize, ToSchema)]
pub struct PluginWebhook {
    /// The webhook; null where nothing is told.
    webhook: Option<ShownWebhook>,
    /// The last 25 events, the newest first.
    deliveries: Vec<ShownDelivery>,
}

/// A webhook, with a secret if one was made just now.
#[derive(Serialize, ToSchema)]
pub struct WebhookWithSecret {
    /// The webhook.
    webhook: ShownWebhook,
    /// The new secret: answered this once.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    secret: Option<String>,
}

/// Where a plugin's API is told.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Webhook)]
pub struct ShownWebhook {
    /// Raised by every change: send it back to change what you have read.
    version: i64,
    /// Where events go.
    address: String,
    /// When the newest secret was made.
    #[schema(format = DateTime)]
    secret_made_at: String,
    /// Whether the one before signs too.
    has_old_secret: bool,
    /// Since when nothing is told; null where it has not stopped.
    #[schema(format = DateTime)]
    stopped_at: Option<String>,
    /// Why; null where it has not stopped.
    stopped_because: Option<String>,
    /// Since when nothing was taken; null where the last try was.
    #[schema(format = DateTime)]
    failing_since: Option<String>,
    /// How many events were not kept because too many were waiting.
    missed: u64,
}

/// Something that was told, or is to be.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Delivery)]
pub struct ShownDelivery {
    /// Its `webhook-id`, by which it is sent again.
    message: String,
    /// What happened, such as `person.connected`.
    r#type: &'static str,
    /// When.
    #[schema(format = DateTime)]
    happened_at: String,
    /// How it stands: `waiting`, `taken` or `given_up`.
    state: &'static str,
    /// How often it was tried.
    attempts: i64,
    /// When it was last tried; null before the first time.
    #[schema(format = DateTime)]
    tried_at: Option<String>,
    /// What came of that.
    says: Option<String>,
    /// When it is tried next; null where it is not.
    #[schema(format = DateTime)]
    next_try_at: Option<String>,
}

/// Where events are to go.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct WebhookPlace {
    /// The version that was read; 0 where there was none.
    version: i64,
    /// Such as `https://api.example.com/webhooks`.
    address: String,
}

/// What was read.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SeenWebhook {
    /// The version that was read.
    version: i64,
}

/// An event.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Message {
    /// Its `message`, as the webhook's deliveries have it.
    message: String,
}

impl From<Webhook> for ShownWebhook {
    fn from(webhook: Webhook) -> Self {
        let (stopped_at, stopped_because) = webhook.stopped.unzip();
        Self {
            version: webhook.version,
            address: webhook.address.url().to_string(),
            secret_made_at: time(webhook.secret_made_at),
            has_old_secret: webhook.has_old_secret,
            stopped_at: stopped_at.map(time),
            stopped_because,
            failing_since: webhook.failing_since.map(time),
            missed: webhook.missed,
        }
    }
}

impl From<Delivery> for ShownDelivery {
    fn from(delivery: Delivery) -> Self {
        Self {
            state: delivery.state().as_str(),
            message: delivery.id,
            r#type: delivery.event.as_str(),
            happened_at: time(delivery.created_at),
            attempts: delivery.attempts,
            tried_at: delivery.tried_at.map(time),
            says: delivery.says,
            next_try_at: delivery.due_at.map(time),
        }
    }
}

/// The webhook as it is after a change. What was told is for who may read it.
async fn changed(caller: &Caller<'_>, plugin: PluginId) -> Result<ShownWebhook, Problem> {
    let webhook = caller.server.store.webhook(plugin).await?.ok_or(Problem::NotThere)?;
    Ok(webhook.into())
}

async fn made(caller: &Caller<'_>, plugin: PluginId, secret: Option<WebhookSecret>) -> Answer {
    let webhook = changed(caller, plugin).await?;
    caller.tell(&WebhookWithSecret { webhook, secret: secret.map(|secret| secret.reveal()) })
}

/// Says where a plugin's API is told, and what became of the last events.
#[utoipa::path(
    get, path = "/plugins/{slug}/webhook", operation_id = "read_webhook", tag = "Webhook",
    responses((status = 200, description = "The webhook, if there is one", body = PluginWebhook)),
    security(("owner_token" = ["webhooks:read"]))
)]
pub async fn show(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let plugin = caller.plugin().await?.id;
        let shown = webhooks::show(&caller.registry(), plugin).await?;
        let deliveries = shown.deliveries.into_iter().map(ShownDelivery::from).collect();
        caller.tell(&PluginWebhook { webhook: shown.webhook.map(ShownWebhook::from), deliveries })
    };
    look(&server, &request, OwnerScope::WebhooksRead, act).await
}

/// Has a plugin's API told at an address: makes the webhook, moves it, and starts it again where it had stopped.
#[utoipa::path(
    put, path = "/plugins/{slug}/webhook", operation_id = "set_webhook", tag = "Webhook", request_body = WebhookPlace,
    responses((status = 200, description = "The webhook; with its first secret", body = WebhookWithSecret)),
    security(("owner_token" = ["webhooks:write"]))
)]
pub async fn set(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let plugin = caller.plugin().await?.id;
        let WebhookPlace { version, address } = caller.json()?;
        let ring = server.keyring.current();
        let means = Means { ring: &ring, outbound: &server.teller };
        let secret = webhooks::set(&caller.registry(), means, (plugin, version), &address).await?;
        made(caller, plugin, secret).await
    };
    take(&server, &request, (payload, OwnerScope::WebhooksWrite), act).await
}

/// Makes a new secret. The one before signs beside it until it is ended.
#[utoipa::path(
    post, path = "/plugins/{slug}/webhook/secret", operation_id = "renew_webhook_secret", tag = "Webhook",
    request_body = SeenWebhook,
    responses((status = 200, description = "The webhook with its new secret", body = WebhookWithSecret)),
    security(("owner_token" = ["webhooks:write"]))
)]
pub async fn renew_secret(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let plugin = caller.plugin().await?.id;
        let SeenWebhook { version } = caller.json()?;
        let ring = server.keyring.current();
        let secret = webhooks::renew_secret(&caller.registry(), &ring, (plugin, version)).await?;
        made(caller, plugin, Some(secret)).await
    };
    take(&server, &request, (payload, OwnerScope::WebhooksWrite), act).await
}

/// Ends the secret of before.
#[utoipa::path(
    post, path = "/plugins/{slug}/webhook/secret/end-old", operation_id = "end_old_webhook_secret", tag = "Webhook",
    request_body = SeenWebhook,
    responses((status = 200, description = "The newest secret signs alone", body = ShownWebhook)),
    security(("owner_token" = ["webhooks:write"]))
)]
pub async fn end_old_secret(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let plugin = caller.plugin().await?.id;
        let SeenWebhook { version } = caller.json()?;
        webhooks::end_old_secret(&caller.registry(), plugin, version).await?;
        caller.tell(&changed(caller, plugin).await?)
    };
    take(&server, &request, (payload, OwnerScope::WebhooksWrite), act).await
}

/// Goes on telling where it had stopped, with what was not taken.
#[utoipa::path(
    post, path = "/plugins/{slug}/webhook/start", operation_id = "start_webhook", tag = "Webhook",
    request_body = SeenWebhook, responses((status = 200, description = "It goes on", body = ShownWebhook)),
    security(("owner_token" = ["webhooks:write"]))
)]
pub async fn start(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let plugin = caller.plugin().await?.id;
        let SeenWebhook { version } = caller.json()?;
        webhooks::start(&caller.registry(), plugin, version).await?;
        caller.tell(&changed(caller, plugin).await?)
    };
    take(&server, &request, (payload, OwnerScope::WebhooksWrite), act).await
}

/// Tells nothing any more, and forgets the secret and what waited.
#[utoipa::path(
    post, path = "/plugins/{slug}/webhook/remove", operation_id = "remove_webhook", tag = "Webhook",
    request_body = SeenWebhook, responses((status = 204, description = "Nothing is told any more")),
    security(("owner_token" = ["webhooks:write"]))
)]
pub async fn remove(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let plugin = caller.plugin().await?.id;
        let SeenWebhook { version } = caller.json()?;
        webhooks::remove(&caller.registry(), plugin, version).await?;
        caller.done()
    };
    take(&server, &request, (payload, OwnerScope::WebhooksWrite), act).await
}

/// Sends a test.
#[utoipa::path(
    post, path = "/plugins/{slug}/webhook/test", operation_id = "test_webhook", tag = "Webhook",
    responses((status = 204, description = "It is on its way")),
    security(("owner_token" = ["webhooks:write"]))
)]
pub async fn send_test(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let plugin = caller.plugin().await?.id;
        webhooks::send_test(&caller.registry(), plugin).await?;
        caller.done()
    };
    look(&server, &request, OwnerScope::WebhooksWrite, act).await
}

/// Sends an event once more.
#[utoipa::path(
    post, path = "/plugins/{slug}/webhook/send-again", operation_id = "send_event_again", tag = "Webhook",
    request_body = Message, responses((status = 204, description = "It is on its way")),
    security(("owner_token" = ["webhooks:write"]))
)]
pub async fn send_again(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let act = async |caller: &Caller<'_>| {
        let plugin = caller.plugin().await?.id;
        let Message { message } = caller.json()?;
        webhooks::send_again(&caller.registry(), plugin, &message).await?;
        caller.done()
    };
    take(&server, &request, (payload, OwnerScope::WebhooksWrite), act).await
}
