//! Telling what waits: webhooks are taken by nodes in turns, and what each try came to is kept. Compiled once for each
//! engine.

use serde_json::json;
use uuid::Uuid;

use super::{
    Engine, audit,
    mails::enqueue,
    reading, taking,
    webhooks::{DeliveryRow, address, select_deliveries},
};
use crate::{
    model::{
        Timestamp,
        audit::{Audit, AuditAction, Subjects},
        id::PluginId,
    },
    store::{
        StoreError, StoreResult,
        webhooks::{Delivery, TakenWebhook, TryKeeping, WebhookTaking},
    },
};

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

/// What a webhook that has stopped is not told waits for nobody.
const WAITING: &str = "
    select count(*)
      from webhook_deliveries d
      join plugin_webhooks w on w.plugin_id = d.plugin_id
     where d.due_at is not null
       and w.stopped_at is null";

/// The condition stands twice: what somebody else took after it was found must be left to them. People who are being
/// connected meanwhile hold the row against its deletion, which is no reason to pass it over.
const TAKE: &str = concat!(
    "update plugin_webhooks
        set due_at = $2, turn = turn + 1
      where plugin_id in (select w.plugin_id from plugin_webhooks w where ",
    is_due!(),
    "order by w.due_at limit $3 ",
    taking!(),
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
    pub(in crate::store) async fn has_due_webhooks(&self, at: Timestamp) -> StoreResult<bool> {
        let due: i64 = reading!(self, connection => sqlx::query_scalar(HAS_DUE).bind(at).fetch_one(&mut *connection))?;
        Ok(due > 0)
    }

    pub(in crate::store) async fn deliveries_waiting(&self) -> StoreResult<u64> {
        let waiting: i64 = reading!(self, connection => sqlx::query_scalar(WAITING).fetch_one(&mut *connection))?;
        u64::try_from(waiting).map_err(StoreError::broken)
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
                secret: row.secret,
                old_secret: row.old_secret,
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
        let row: Option<DeliveryRow> = reading!(self, connection => sqlx::query_as(NEXT)
            .bind(plugin.0)
            .bind(at)
            .fetch_optional(&mut *connection))?;
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
            let detail = json!({ "because": because, "mails": keeping.mails.len() });
            audit::write(
                &mut step,
                event,
                AuditAction::PluginWebhookStopped,
                Subjects::of_plugin(keeping.plugin_id),
                detail,
            )
            .await?;
            for mail in &keeping.mails {
                enqueue(&mut step, mail).await?;
            }
        } else if !keeping.delivered && keeping.due_at.is_none() {
            let detail = json!({ "message": keeping.delivery, "says": keeping.says });
            audit::write(
                &mut step,
                event,
                AuditAction::PluginWebhookGivenUp,
                Subjects::of_plugin(keeping.plugin_id),
                detail,
            )
            .await?;
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
