//! Telling plugins' APIs: opens the secrets, signs by Standard Webhooks, sends, and keeps what came of it. What is told
//! and when is `jobs::webhooks`' and the store's affair, what a try means `protocol::webhook`'s.

use std::{iter, time::Duration};

use chrono::{SecondsFormat, TimeDelta};
use reqwest::{
    Method, Request, StatusCode,
    header::{CONTENT_TYPE, HeaderValue},
};
use serde_json::json;

use super::{Server, keyring::KeyringError, people::letters::Case};
use crate::{
    keys::{KeyError, place::Place},
    model::{
        audit::{Actor, AuditAction, Origin},
        id::PluginId,
    },
    outbound::FetchError,
    protocol::webhook::{Before, Fate, Tried, meaning},
    random,
    store::{
        StoreError,
        audit_log::{LogQuery, Of},
        mails::NewMail,
        owners::Page,
        webhooks::{Delivery, TakenWebhook, TryKeeping},
    },
    tokens::webhook::{self, WebhookSecret},
};

/// How long an owner's API may take for its answer.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// How often owners are told at most that their webhook has stopped.
const TOLD_EVERY: TimeDelta = TimeDelta::days(1);

/// Among how many stops the last is looked for of which they were told.
const STOPS_READ: u32 = 100;

/// Why nothing could be told.
#[derive(Debug, thiserror::Error)]
pub enum TellError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The keys.
    #[error(transparent)]
    Keys(#[from] KeyringError),
}

impl From<KeyError> for TellError {
    fn from(error: KeyError) -> Self {
        Self::Keys(error.into())
    }
}

impl Server {
    /// What tells a plugin's owners that its webhook stopped: once a day, however often one of them has it begin again.
    async fn mails_of_a_stop(&self, plugin: PluginId) -> Result<Vec<NewMail>, TellError> {
        let stops = Of::Action(plugin, AuditAction::PluginWebhookStopped.as_str().to_owned());
        let newest = LogQuery { of: stops, page: Page { before: None, rows_max: STOPS_READ } };
        let (stops, since) = (self.store.audit_log(&newest).await?, self.clock.now() - TOLD_EVERY);
        if stops.iter().any(|stop| stop.at > since && stop.detail["mails"].as_u64() > Some(0)) {
            return Ok(Vec::new());
        }
        match self.store.plugin(plugin).await? {
            Some(plugin) => self.mails_to_owners(&plugin, (Case::WebhookStopped, ""), &Actor::Server).await,
            None => Ok(Vec::new()),
        }
    }

    /// Tells a plugin's API one thing, and keeps what came of it; whether it goes on with the next.
    pub async fn tell(&self, webhook: &TakenWebhook, delivery: &Delivery) -> Result<bool, TellError> {
        let (tried, says) = self.try_to_tell(webhook, delivery).await?;
        let at = self.clock.now();
        let before = Before {
            attempts: delivery.attempts,
            expires_at: delivery.expires_at,
            failures: webhook.failures,
            failing_since: webhook.failing_since,
        };
        let [jitter] = random::bytes();
        let meant = meaning(tried, before, at, jitter);
        let mails = match meant.stop {
            // What is kept of the try does not hang on who can be told of it.
            Some(_) => self.mails_of_a_stop(webhook.plugin_id).await.unwrap_or_else(|error| {
                tracing::warn!(%error, "the owners of a webhook that stopped cannot be told");
                Vec::new()
            }),
            None => Vec::new(),
        };
        let keeping = TryKeeping {
            plugin_id: webhook.plugin_id,
            turn: webhook.turn,
            delivery: delivery.id.clone(),
            at,
            says,
            counts: meant.counts,
            delivered: meant.fate == Fate::Delivered,
            due_at: if let Fate::Again(next) = meant.fate { Some(next) } else { None },
            rest_until: meant.rest_until,
            stop: meant.stop,
            mails,
        };
        let kept = self.store.keep_try(&keeping, &self.audit(Actor::Server, Origin::default())).await?;
        Ok(kept && keeping.delivered)
    }

    async fn try_to_tell(&self, webhook: &TakenWebhook, delivery: &Delivery) -> Result<(Tried, String), KeyringError> {
        let secrets = self.secrets_of(webhook).await?;
        if secrets.is_empty() {
            tracing::error!(
                plugin.id = %webhook.plugin_id,
                "a webhook's secret does not open: its row or its key was changed"
            );
            return Ok((Tried::NotTaken, "Nothing was sent: its secret cannot be read here. Renew it".to_owned()));
        }
        let request = self.signed(webhook, &secrets, delivery);
        Ok(match self.teller.tell(request, PATIENCE).await {
            Ok(status) if status.is_success() => (Tried::Taken, format!("Taken, with status {}", status.as_u16())),
            Ok(StatusCode::GONE) => (Tried::Gone, "Answered that it is gone for good (status 410)".to_owned()),
            Ok(status) if status.is_redirection() => {
                let says = format!("Answered with status {}; redirections are not followed", status.as_u16());
                (Tried::NotTaken, says)
            }
            Ok(status) => (Tried::NotTaken, format!("Answered with status {}", status.as_u16())),
            Err(error) if error.is_ours() => (Tried::NotMade, "Too much was being sent at once".to_owned()),
            Err(FetchError::TooSlow) => (Tried::NotTaken, format!("No answer within {} seconds", PATIENCE.as_secs())),
            Err(error) => (Tried::NotTaken, format!("Not sent: {error}")),
        })
    }

    async fn secrets_of(&self, webhook: &TakenWebhook) -> Result<Vec<WebhookSecret>, KeyringError> {
        let old = webhook.old_secret.as_ref().map(|sealed| (Place::OldWebhookSecret(webhook.plugin_id), sealed));
        let mut secrets = Vec::new();
        for (place, sealed) in iter::once((Place::WebhookSecret(webhook.plugin_id), &webhook.secret)).chain(old) {
            let plain = self.open_kept(place, sealed).await?;
            secrets.extend(plain.and_then(|plain| WebhookSecret::from_bytes(&plain)));
        }
        Ok(secrets)
    }

    /// The same message each time it is tried, under the time of this try.
    fn signed(&self, webhook: &TakenWebhook, secrets: &[WebhookSecret], delivery: &Delivery) -> Request {
        let body = json!({
            "type": delivery.event.as_str(),
            "timestamp": delivery.created_at.to_rfc3339_opts(SecondsFormat::Millis, true),
            "data": delivery.data,
        });
        let (body, timestamp) = (body.to_string(), self.clock.now().timestamp());
        let mut request = Request::new(Method::POST, webhook.address.url().clone());
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        for (name, value) in webhook::headers(secrets, &delivery.id, timestamp, &body) {
            // An id is of our own making, so all of them can stand in a header.
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
        *request.body_mut() = Some(body.into());
        request
    }
}
