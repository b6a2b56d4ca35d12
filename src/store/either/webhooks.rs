//! Webhooks, and telling what waits there. Compiled once for each engine.
//!
//! Whoever changes both holds the webhook's row first, and what waits there after it.

use serde_json::{Value, json};
use sqlx::types::Json;
use uuid::Uuid;

use super::{
    Engine, audit, holding, locking, reading,
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
        webhooks::{
            ChangeWebhook, Delivery, NewWebhook, TakenWebhook, TryKeeping, Webhook, WebhookChange, WebhookEdit,
            WebhookTaking,
        },
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

/// A turn that is under way signs with what it took; what it is telling is told with the secret of before, which goes on.
const RENEW: &str = "
    update plugin_webhooks
       set version = version + 1, old_secret = secret, secret = $2, secret_made_at = $3
     where plugin_id = $1";

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

const DELIVERIES: &str = concat!(select_deliveries!(), "order by created_at desc, id desc limit $2");
const NEXT: &str = concat!(select_deliveries!(), "and due_at <= $2 order by due_at, id limit 1");

macro_rules! is_due {
    () => {
        "w.due_at <= $1
         and w.stopped_at is null
         and exists (select 1 from webhook_deliveries d where d.plugin_id = w.plugin_id and d.due_at <= $1) "
    };
}

const HAS_DUE: &str =
    concat!("select count(*) from (select 1 as one from plugin_webhooks w where ", is_due!(), "limit 1) due");

/// The condition stands twice: what somebody else took after it was found must be left to them.
const TAKE: &str = concat!(
    "update plugin_webhooks
        set due_at = $2, turn = turn + 1
      where plugin_id in (select w.plugin_id from plugin_webhooks w where ",
    is_due!(),
    "order by w.due_at limit $3 ",
    locking!(),
    ") and due_at <= $1
    returning plugin_id, address, secret, old_secret, turn, failures, failing_since"
);

const KEEP: &str = "
    update plugin_webhooks
       set due_at = coalesce($3, due_at),
           failures = case when $4 then 0 else failures + $5 end,
           failing_since = case when $4 then null when $5 = 0 then failing_since else coalesce(failing_since, $6) end
     where plugin_id = $1
       and turn = $2
       and stopped_at is null";

const KEEP_OF_DELIVERY: &str = "
    update webhook_deliveries
       set due_at = $3, attempts = attempts + $4, tried_at = $5, says = $6, delivered_at = $7
     where plugin_id = $1
       and id = $2";

const STOP: &str = "update plugin_webhooks set stopped_at = $2, stopped_because = $3 where plugin_id = $1";

const GIVE_ALL_UP: &str = "update webhook_deliveries set due_at = null where plugin_id = $1 and due_at is not null";

const RELEASE: &str = "update plugin_webhooks set due_at = $3 where plugin_id = $1 and turn = $2";

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
struct DeliveryRow {
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

#[derive(sqlx::FromRow)]
struct TakenRow {
    plugin_id: Uuid,
    address: String,
    secret: Vec<u8>,
    old_secret: Option<Vec<u8>>,
    turn: i64,
    failures: i64,
    failing_since: Option<Timestamp>,
}

impl Engine {
    pub(in crate::store) async fn webhook(&self, plugin: PluginId) -> StoreResult<Option<Webhook>> {
        let row: Option<WebhookRow> =
            reading!(self, connection => sqlx::query_as(FIND).bind(plugin.0).fetch_optional(&mut *connection))?;
        row.map(|row| row.of(plugin)).transpose()
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
        audit::write(&mut step, event, AuditAction::PluginWebhookSet, of(webhook.plugin_id), detail).await?;
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
            WebhookEdit::Renew(secret) => {
                (sqlx::query(RENEW).bind(id).bind(secret).bind(at), AuditAction::PluginWebhookSecretRenewed)
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
        audit::write(&mut step, event, action, of(change.plugin_id), detail).await?;
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
        tell_for_a_test(&mut step, &hearer, event).await?;
        step.commit().await?;
        Ok(true)
    }

    pub(in crate::store) async fn send_again(&self, plugin: PluginId, id: &str, at: Timestamp) -> StoreResult<bool> {
        if is_no_text(id) {
            return Ok(false);
        }
        let mut step = self.begin().await?;
        let expires_at = at + TRIED_FOR;
        let again = sqlx::query(ONE_AGAIN)
            .bind(plugin.0)
            .bind(id)
            .bind(at)
            .bind(expires_at)
            .bind(expires_at + KEPT_AFTER)
            .execute(&mut *step)
            .await?;
        step.commit().await?;
        Ok(again.rows_affected() == 1)
    }

    pub(in crate::store) async fn deliveries(&self, plugin: PluginId, rows_max: u32) -> StoreResult<Vec<Delivery>> {
        let rows: Vec<DeliveryRow> = reading!(self, connection => sqlx::query_as(DELIVERIES)
            .bind(plugin.0)
            .bind(i64::from(rows_max))
            .fetch_all(&mut *connection))?;
        rows.into_iter().map(Delivery::try_from).collect()
    }

    pub(in crate::store) async fn has_due_webhooks(&self, at: Timestamp) -> StoreResult<bool> {
        let due: i64 = reading!(self, connection => sqlx::query_scalar(HAS_DUE).bind(at).fetch_one(&mut *connection))?;
        Ok(due > 0)
    }

    pub(in crate::store) async fn take_webhooks(&self, taking: &WebhookTaking) -> StoreResult<Vec<TakenWebhook>> {
        let mut step = self.begin().await?;
        let rows: Vec<TakenRow> = sqlx::query_as(TAKE)
            .bind(taking.at)
            .bind(taking.until)
            .bind(i64::from(taking.webhooks_max))
            .fetch_all(&mut *step)
            .await?;
        step.commit().await?;
        let taken = |row: TakenRow| {
            Ok(TakenWebhook {
                plugin_id: PluginId(row.plugin_id),
                address: address(&row.address)?,
                secrets: std::iter::once(row.secret).chain(row.old_secret).collect(),
                turn: row.turn,
                failures: row.failures,
                failing_since: row.failing_since,
            })
        };
        rows.into_iter().map(taken).collect()
    }

    pub(in crate::store) async fn due_delivery(
        &self,
        plugin: PluginId,
        at: Timestamp,
    ) -> StoreResult<Option<Delivery>> {
        let row: Option<DeliveryRow> = reading!(self, connection => sqlx::query_as(NEXT).bind(plugin.0).bind(at).fetch_optional(&mut *connection))?;
        row.map(Delivery::try_from).transpose()
    }

    pub(in crate::store) async fn keep_try(&self, keeping: &TryKeeping, event: &Audit) -> StoreResult<bool> {
        let id = keeping.plugin_id.0;
        let mut step = self.begin().await?;
        let held = sqlx::query(KEEP)
            .bind(id)
            .bind(keeping.turn)
            .bind(keeping.rest_until)
            .bind(keeping.delivered)
            .bind(i64::from(keeping.counts))
            .bind(keeping.at)
            .execute(&mut *step)
            .await?;
        if held.rows_affected() == 0 {
            return Ok(false);
        }
        sqlx::query(KEEP_OF_DELIVERY)
            .bind(id)
            .bind(&keeping.delivery)
            .bind(keeping.due_at)
            .bind(i64::from(keeping.counts))
            .bind(keeping.at)
            .bind(&keeping.says)
            .bind(keeping.delivered.then_some(keeping.at))
            .execute(&mut *step)
            .await?;
        if let Some(because) = keeping.stop {
            sqlx::query(STOP).bind(id).bind(keeping.at).bind(because).execute(&mut *step).await?;
            sqlx::query(GIVE_ALL_UP).bind(id).execute(&mut *step).await?;
            let detail = json!({ "because": because });
            audit::write(&mut step, event, AuditAction::PluginWebhookStopped, of(keeping.plugin_id), detail).await?;
        } else if !keeping.delivered && keeping.due_at.is_none() {
            let detail = json!({ "message": keeping.delivery, "says": keeping.says });
            audit::write(&mut step, event, AuditAction::PluginWebhookGivenUp, of(keeping.plugin_id), detail).await?;
        }
        step.commit().await?;
        Ok(true)
    }

    pub(in crate::store) async fn release_webhook(&self, webhook: &TakenWebhook, at: Timestamp) -> StoreResult<()> {
        let mut step = self.begin().await?;
        sqlx::query(RELEASE).bind(webhook.plugin_id.0).bind(webhook.turn).bind(at).execute(&mut *step).await?;
        Ok(step.commit().await?)
    }
}

fn address(text: &str) -> StoreResult<WebhookAddress> {
    text.parse().map_err(StoreError::broken)
}

fn of(plugin: PluginId) -> Subjects {
    Subjects { plugin_id: Some(plugin), ..Subjects::default() }
}
