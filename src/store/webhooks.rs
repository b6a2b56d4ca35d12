//! Operations on webhooks: where a plugin's API is told of its people, and what it is to be told. Events are written in
//! the steps that they tell of (`consents`, `plugin_people`, `people`, `client_changes`), so no crash loses one and
//! none tells of what did not happen. Where a plugin has no webhook nothing is written.
//!
//! Any number of nodes share the work: each takes whole webhooks by moving `due_at` to when another may try, and tells
//! what is due there one after the other. One that is killed between telling and saying so tells it again.

use serde_json::Value;

use super::{Store, StoreResult, mails::NewMail, on_either_engine};
use crate::model::{
    Timestamp,
    audit::Audit,
    id::PluginId,
    webhook::{WebhookAddress, WebhookEvent},
};

/// Where a plugin's API is told.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// Whose.
    pub plugin_id: PluginId,
    /// Raised by every change that somebody makes.
    pub version: i64,
    /// Where events go.
    pub address: WebhookAddress,
    /// When the newest secret was made.
    pub secret_made_at: Timestamp,
    /// Whether the one before signs too.
    pub has_old_secret: bool,
    /// Since when nothing is told, and why.
    pub stopped: Option<(Timestamp, String)>,
    /// Since when nothing was taken.
    pub failing_since: Option<Timestamp>,
    /// How many events were not kept because too many were waiting.
    pub missed: u64,
}

/// One that is to be made.
#[derive(Clone, Debug)]
pub struct NewWebhook {
    /// Whose.
    pub plugin_id: PluginId,
    /// Where events go.
    pub address: WebhookAddress,
    /// The secret, sealed.
    pub secret: Vec<u8>,
}

/// A change.
#[derive(Clone, Debug)]
pub enum WebhookEdit {
    /// Events go there from now on, also where they had stopped.
    Move(WebhookAddress),
    /// A new secret signs from now on, and the one before beside it; where two do already, the older of them.
    Renew {
        /// The new one, sealed.
        new: Vec<u8>,
        /// The one before, sealed for the column of old ones; none where it cannot be opened.
        old: Option<Vec<u8>>,
    },
    /// The secret of before signs no more.
    EndOldSecret,
    /// It had stopped, and goes on with what was not taken.
    Start,
    /// It is no more, nor what waited.
    Remove,
}

/// A change by somebody who saw a version.
#[derive(Clone, Debug)]
pub struct WebhookChange {
    /// Whose.
    pub plugin_id: PluginId,
    /// Which version they saw.
    pub seen: i64,
    /// What is changed.
    pub edit: WebhookEdit,
}

/// What became of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeWebhook {
    /// It is made.
    Done,
    /// Somebody else was faster.
    ChangedMeanwhile,
    /// There is none.
    Gone,
}

/// Something that a plugin's API is to be told, or was.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// What the wire calls it.
    pub id: String,
    /// What happened.
    pub event: WebhookEvent,
    /// To whom, and more.
    pub data: Value,
    /// When it happened.
    pub created_at: Timestamp,
    /// When it is tried next; none once it was taken or given up.
    pub due_at: Option<Timestamp>,
    /// Until when it is tried.
    pub expires_at: Timestamp,
    /// How often it was tried.
    pub attempts: i64,
    /// The last try, and what came of it.
    pub tried_at: Option<Timestamp>,
    /// In a sentence.
    pub says: Option<String>,
    /// When it was taken.
    pub delivered_at: Option<Timestamp>,
}

/// How that stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeliveryState {
    /// It is to be told, perhaps once more.
    Waiting,
    /// It was told.
    Taken,
    /// It is told no more.
    GivenUp,
}

impl DeliveryState {
    /// The word for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Taken => "taken",
            Self::GivenUp => "given_up",
        }
    }
}

impl Delivery {
    /// How it stands.
    pub fn state(&self) -> DeliveryState {
        match (self.delivered_at, self.due_at) {
            (_, Some(_)) => DeliveryState::Waiting,
            (Some(_), None) => DeliveryState::Taken,
            (None, None) => DeliveryState::GivenUp,
        }
    }
}

/// How a node takes webhooks.
#[derive(Clone, Copy, Debug)]
pub struct WebhookTaking {
    /// Now.
    pub at: Timestamp,
    /// From when on others may take what is taken now.
    pub until: Timestamp,
    /// At most so many.
    pub webhooks_max: u32,
}

/// A webhook this node is to serve now.
#[derive(Clone, Debug)]
pub struct TakenWebhook {
    /// Whose.
    pub plugin_id: PluginId,
    /// Where events go.
    pub address: WebhookAddress,
    /// The secret that signs, sealed.
    pub secret: Vec<u8>,
    /// The one of before, if it signs too, sealed.
    pub old_secret: Option<Vec<u8>>,
    /// Which turn this is; what is kept under another is not kept.
    pub turn: i64,
    /// How often in a row nothing was taken.
    pub failures: i64,
    /// Since when.
    pub failing_since: Option<Timestamp>,
}

/// What a try came to, to be kept.
#[derive(Clone, Debug)]
pub struct TryKeeping {
    /// Whose.
    pub plugin_id: PluginId,
    /// In which turn.
    pub turn: i64,
    /// Of which event.
    pub delivery: String,
    /// When.
    pub at: Timestamp,
    /// In a sentence.
    pub says: String,
    /// Whether it was a try at all.
    pub counts: bool,
    /// Whether it was taken.
    pub delivered: bool,
    /// When it is tried again.
    pub due_at: Option<Timestamp>,
    /// Until when the host is left alone; none where the turn goes on.
    pub rest_until: Option<Timestamp>,
    /// Why nothing more is told.
    pub stop: Option<&'static str>,
    /// Tells the plugin's owners that it has stopped; kept only if it does.
    pub mails: Vec<NewMail>,
}

impl Store {
    /// A plugin's webhook, if it has one.
    pub async fn webhook(&self, plugin: PluginId) -> StoreResult<Option<Webhook>> {
        on_either_engine!(self, engine => engine.webhook(plugin))
    }

    /// The secret with which a plugin is told, sealed.
    pub async fn webhook_secret(&self, plugin: PluginId) -> StoreResult<Option<Vec<u8>>> {
        on_either_engine!(self, engine => engine.webhook_secret(plugin))
    }

    /// Makes a webhook; `false` where there is one already.
    pub async fn add_webhook(&self, webhook: &NewWebhook, audit: &Audit) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.add_webhook(webhook, audit))
    }

    /// Changes one, if it is as whoever changes it has seen it.
    pub async fn change_webhook(&self, change: &WebhookChange, audit: &Audit) -> StoreResult<ChangeWebhook> {
        on_either_engine!(self, engine => engine.change_webhook(change, audit))
    }

    /// Lets a test wait to be told, named by the audit; `false` where one waits already or too much does, or nothing is
    /// told.
    pub async fn add_webhook_test(&self, plugin: PluginId, audit: &Audit) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.add_webhook_test(plugin, audit))
    }

    /// Has an event told again, from now on and for as long as a new one; `false` where it is none of the plugin's, or
    /// waits anyhow.
    pub async fn send_again(&self, plugin: PluginId, delivery: &str, audit: &Audit) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.send_again(plugin, delivery, audit))
    }

    /// The last events of a plugin, the newest first.
    pub async fn deliveries(&self, plugin: PluginId, rows_max: u32) -> StoreResult<Vec<Delivery>> {
        on_either_engine!(self, engine => engine.deliveries(plugin, rows_max))
    }

    /// Whether any webhook has something to tell now, without asking for the writer.
    pub async fn has_due_webhooks(&self, at: Timestamp) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.has_due_webhooks(at))
    }

    /// Counts the events that wait to be told, without asking for the writer.
    pub async fn deliveries_waiting(&self) -> StoreResult<u64> {
        on_either_engine!(self, engine => engine.deliveries_waiting())
    }

    /// Takes webhooks that have something to tell, the longest waiting first. No other node gets the same before its
    /// time.
    pub async fn take_webhooks(&self, taking: &WebhookTaking) -> StoreResult<Vec<TakenWebhook>> {
        on_either_engine!(self, engine => engine.take_webhooks(taking))
    }

    /// What a plugin's API is to be told next.
    pub async fn due_delivery(&self, plugin: PluginId, at: Timestamp) -> StoreResult<Option<Delivery>> {
        on_either_engine!(self, engine => engine.due_delivery(plugin, at))
    }

    /// Keeps what a try came to; `false` where it was somebody else's turn meanwhile, or the webhook is no more or
    /// another.
    pub async fn keep_try(&self, keeping: &TryKeeping, audit: &Audit) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.keep_try(keeping, audit))
    }

    /// Gives a webhook back, so that it is taken again when there is more to tell.
    pub async fn release_webhook(&self, webhook: &TakenWebhook, at: Timestamp) -> StoreResult<()> {
        on_either_engine!(self, engine => engine.release_webhook(webhook, at))
    }
}
