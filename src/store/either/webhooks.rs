//! Webhooks, and what became of the last events. Compiled once for each engine.
//!
//! Whoever changes both holds the webhook's row first, and what waits there after it.

use serde_json::{Value, json};
use sqlx::types::Json;

use super::{
    Engine, audit, holding, reading,
    webhook_events::{hearer, tell_for_a_test},
};
use crate::{
    model::{
        Timestamp,
        audit::{Audit, AuditAction, Subjects},
        id::PluginId,
        webhook::{KEPT_AFTER, TRIED_FOR, WebhookAddress},
    },
    store::{
        StoreError, StoreResult, is_no_text,
        webhooks::{ChangeWebhook, Delivery, NewWebhook, Webhook, WebhookChange, WebhookEdit},
    },
};

macro_rules! select_webhook {
    () => {
        "select version, address, secret_made_at, old_secret is not null as has_old_secret, stopped_at, stopped_because,
                failing_since, missed
           from plugin_webhooks
          where plugin_id = $1 "
    };
}

const FIND: &str = select_webhook!();
const HOLD: &str = concat!(select_webhook!(), holding!());

const ADD: &str = "
    insert into plugin_webhooks (plugin_id, address, secret, secret_made_at, created_at, due_at)
    values ($1, $2, $3, $4, $4, $4)
    on conflict (plugin_id) do nothing";

/// What failed at another address says nothing of this one.
const MOVE: &str = "
    update plugin_webhooks
       set version = version + 1, address = $2, stopped_at = null, stopped_because = null, failures = 0,
           failing_since = null, due_at = $3, turn = turn + 1
     where plugin_id = $1";

const START: &str = "
    update plugin_webhooks
       set version = version + 1, stopped_at = null, stopped_because = null, failures = 0, failing_since = null,
           due_at = $2
     where plugin_id = $1";

/// A turn that is under way signs with what it took, and so with the older secret, which goes on. Where two sign
/// already, the newer one makes room: perhaps its answer was lost, and nobody has it.
const RENEW: &str = "
    update plugin_webhooks
       set version = version + 1, old_secret = coalesce(old_secret, $4), secret = $2, secret_made_at = $3
     where plugin_id = $1";

const SECRET: &str = "select secret from plugin_webhooks where plugin_id = $1";

const END_OLD_SECRET: &str = "
    update plugin_webhooks set version = version + 1, old_secret = null, turn = turn + 1, due_at = $2
     where plugin_id = $1";

const REMOVE: &str = "delete from plugin_webhooks where plugin_id = $1";

/// All that was not taken, and is not too old to be kept.
const BEGIN_AGAIN: &str = "
    update webhook_deliveries
       set due_at = $2, expires_at = $3, forget_at = $4, attempts = 0
     where plugin_id = $1
       and delivered_at is null
       and due_at is null";

const ONE_AGAIN: &str = "
    update webhook_deliveries
       set due_at = $3, expires_at = $4, forget_at = $5, attempts = 0, delivered_at = null
     where plugin_id = $1
       and id = $2
       and due_at is null
       and exists (select 1 from plugin_webhooks w where w.plugin_id = $1 and w.stopped_at is null)";

const IS_TEST_WAITING: &str = "
    select count(*) from webhook_deliveries where plugin_id = $1 and due_at is not null and event = 'webhook.test'";

macro_rules! select_deliveries {
    () => {
        "select id, event, data, created_at, due_at, expires_at, attempts, tried_at, says, delivered_at
           from webhook_deliveries
          where plugin_id = $1 "
    };
}
pub(super) use select_deliveries;

const DELIVERIES: &str = concat!(select_deliveries!(), "order by created_at desc, id desc limit $2");

#[derive(sqlx::FromRow)]
struct WebhookRow {
    version: i64,
    address: String,
    secret_made_at: Timestamp,
    has_old_secret: bool,
    stopped_at: Option<Timestamp>,
    stopped_because: Option<String>,
    failing_since: Option<Timestamp>,
    missed: i64,
}

impl WebhookRow {
    fn of(self, plugin_id: PluginId) -> StoreResult<Webhook> {
        Ok(Webhook {
            plugin_id,
            version: self.version,
            address: address(&self.address)?,
            secret_made_at: self.secret_made_at,
            has_old_secret: self.has_old_secret,
            stopped: self.stopped_at.map(|at| (at, self.stopped_because.unwrap_or_default())),
            failing_since: self.failing_since,
            missed: u64::try_from(self.missed).map_err(StoreError::broken)?,
        })
    }
}

#[derive(sqlx::FromRow)]
pub(super) struct DeliveryRow {
    id: String,
    event: String,
    data: Json<Value>,
    created_at: Timestamp,
    due_at: Option<Timestamp>,
    expires_at: Timestamp,
    attempts: i64,
    tried_at: Option<Timestamp>,
    says: Option<String>,
    delivered_at: Option<Timestamp>,
}

impl TryFrom<DeliveryRow> for Delivery {
    type Error = StoreError;

    fn try_from(row: DeliveryRow) -> StoreResult<Self> {
        Ok(Self {
            event: row.event.parse().map_err(StoreError::broken)?,
            id: row.id,
            data: row.data.0,
            created_at: row.created_at,
            due_at: row.due_at,
            expires_at: row.expires_at,
            attempts: row.attempts,
            tried_at: row.tried_at,
            says: row.says,
            delivered_at: row.delivered_at,
        })
    }
}

impl Engine {
    pub(in crate::store) async fn webhook(&self, plugin: PluginId) -> StoreResult<Option<Webhook>> {
        let row: Option<WebhookRow> =
            reading!(self, connection => sqlx::query_as(FIND).bind(plugin.0).fetch_optional(&mut *connection))?;
        row.map(|row| row.of(plugin)).transpose()
    }

    pub(in crate::store) async fn webhook_secret(&self, plugin: PluginId) -> StoreResult<Option<Vec<u8>>> {
        reading!(self, connection => sqlx::query_scalar(SECRET).bind(plugin.0).fetch_optional(&mut *connection))
    }

    pub(in crate::store) async fn add_webhook(&self, webhook: &NewWebhook, event: &Audit) -> StoreResult<bool> {
        let mut step = self.begin().await?;
        let added = sqlx::query(ADD)
            .bind(webhook.plugin_id.0)
            .bind(webhook.address.url().as_str())
            .bind(&webhook.secret)
            .bind(event.at)
            .execute(&mut *step)
            .await?;
        if added.rows_affected() == 0 {
            return Ok(false);
        }
        let detail = json!({ "host": webhook.address.host() });
        audit::write(&mut step, event, AuditAction::PluginWebhookSet, Subjects::of_plugin(webhook.plugin_id), detail)
            .await?;
        step.commit().await?;
        Ok(true)
    }

    pub(in crate::store) async fn change_webhook(
        &self,
        change: &WebhookChange,
        event: &Audit,
    ) -> StoreResult<ChangeWebhook> {
        let (id, at) = (change.plugin_id.0, event.at);
        let mut step = self.begin().await?;
        let row: Option<WebhookRow> = sqlx::query_as(HOLD).bind(id).fetch_optional(&mut *step).await?;
        let Some(known) = row else { return Ok(ChangeWebhook::Gone) };
        if known.version != change.seen {
            return Ok(ChangeWebhook::ChangedMeanwhile);
        }
        let (statement, action) = match &change.edit {
            WebhookEdit::Move(to) => {
                let moved = sqlx::query(MOVE).bind(id).bind(to.url().as_str()).bind(at);
                (moved, AuditAction::PluginWebhookSet)
            }
            WebhookEdit::Renew { new, old } => {
                let renewed = sqlx::query(RENEW).bind(id).bind(new).bind(at).bind(old);
                (renewed, AuditAction::PluginWebhookSecretRenewed)
            }
            WebhookEdit::EndOldSecret => {
                (sqlx::query(END_OLD_SECRET).bind(id).bind(at), AuditAction::PluginWebhookSecretEnded)
            }
            WebhookEdit::Start => (sqlx::query(START).bind(id).bind(at), AuditAction::PluginWebhookStarted),
            WebhookEdit::Remove => (sqlx::query(REMOVE).bind(id), AuditAction::PluginWebhookRemoved),
        };
        statement.execute(&mut *step).await?;
        if known.stopped_at.is_some() && matches!(change.edit, WebhookEdit::Move(_) | WebhookEdit::Start) {
            let expires_at = at + TRIED_FOR;
            let again = sqlx::query(BEGIN_AGAIN).bind(id).bind(at).bind(expires_at).bind(expires_at + KEPT_AFTER);
            again.execute(&mut *step).await?;
        }
        let detail = match &change.edit {
            WebhookEdit::Move(to) => json!({ "host": to.host() }),
            _ => json!({}),
        };
        audit::write(&mut step, event, action, Subjects::of_plugin(change.plugin_id), detail).await?;
        step.commit().await?;
        Ok(ChangeWebhook::Done)
    }

    pub(in crate::store) async fn add_webhook_test(&self, plugin: PluginId, event: &Audit) -> StoreResult<bool> {
        let mut step = self.begin().await?;
        // Held, so that of many presses one is told.
        let held: Option<WebhookRow> = sqlx::query_as(HOLD).bind(plugin.0).fetch_optional(&mut *step).await?;
        let Some(hearer) = hearer(&mut step, plugin).await?.filter(|_| held.is_some()) else { return Ok(false) };
        let waiting: i64 = sqlx::query_scalar(IS_TEST_WAITING).bind(plugin.0).fetch_one(&mut *step).await?;
        if waiting > 0 {
            return Ok(false);
        }
        if !tell_for_a_test(&mut step, &hearer, event).await? {
            return Ok(false);
        }
        audit::write(&mut step, event, AuditAction::PluginWebhookTested, Subjects::of_plugin(plugin), json!({}))
            .await?;
        step.commit().await?;
        Ok(true)
    }

    pub(in crate::store) async fn send_again(&self, plugin: PluginId, id: &str, event: &Audit) -> StoreResult<bool> {
        if is_no_text(id) {
            return Ok(false);
        }
        let mut step = self.begin().await?;
        let expires_at = event.at + TRIED_FOR;
        let again = sqlx::query(ONE_AGAIN)
            .bind(plugin.0)
            .bind(id)
            .bind(event.at)
            .bind(expires_at)
            .bind(expires_at + KEPT_AFTER)
            .execute(&mut *step)
            .await?;
        if again.rows_affected() == 0 {
            return Ok(false);
        }
        let detail = json!({ "message": id });
        audit::write(&mut step, event, AuditAction::PluginWebhookSentAgain, Subjects::of_plugin(plugin), detail)
            .await?;
        step.commit().await?;
        Ok(true)
    }

    pub(in crate::store) async fn deliveries(&self, plugin: PluginId, rows_max: u32) -> StoreResult<Vec<Delivery>> {
        let rows: Vec<DeliveryRow> = reading!(self, connection => sqlx::query_as(DELIVERIES)
            .bind(plugin.0)
            .bind(i64::from(rows_max))
            .fetch_all(&mut *connection))?;
        rows.into_iter().map(Delivery::try_from).collect()
    }
}

pub(super) fn address(text: &str) -> StoreResult<WebhookAddress> {
    text.parse().map_err(StoreError::broken)
}
