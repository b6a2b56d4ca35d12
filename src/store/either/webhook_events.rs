//! What plugins' APIs are to be told, written in the steps that it tells of. Compiled once for each engine.
//!
//! Each step finds out who is to be told in a reading that it makes anyhow, or in one by a key; where a plugin has no
//! webhook that is all.

use serde_json::{Value, json};
use sqlx::types::Json;
use uuid::Uuid;

use super::{Connection, resources::salt, sharing};
use crate::{
    model::{
        audit::{Actor, Audit},
        id::{AccountId, PluginId},
        plugin::SubjectSalt,
        webhook::{COUNTED_MAX, KEPT_AFTER, TRIED_FOR, WAITING_MAX, WebhookEvent},
    },
    store::StoreResult,
};

/// Where too many wait already, or nothing is told, nothing is kept. The row is held against its deletion alone, so that
/// people who connect at once do not wait for each other.
const INSERT: &str = concat!(
    "insert into webhook_deliveries (plugin_id, id, event, data, created_at, due_at, expires_at, forget_at)
     select w.plugin_id, $2, $3, $4, $5, $5, $6, $7
       from plugin_webhooks w
      where w.plugin_id = $1
        and w.stopped_at is null
        and (select count(*)
               from (select 1 as one
                       from webhook_deliveries d
                      where d.plugin_id = $1 and d.due_at is not null
                      limit $8) waiting) < $8 ",
    sharing!(),
    " on conflict (plugin_id, id) do nothing"
);

const MISS: &str = "update plugin_webhooks set missed = missed + 1 where plugin_id = $1 and stopped_at is null";

const OF_PLUGIN: &str = "
    select p.id, p.subject_salt, p.slug
      from plugin_webhooks w
      join plugins p on p.id = w.plugin_id
     where w.plugin_id = $1
       and w.stopped_at is null";

/// Everybody whom the account ever allowed anything, since they may keep something under its subject still.
const OF_ACCOUNT: &str = "
    select distinct p.id, p.subject_salt, p.slug
      from consents k
      join resources r on r.identifier = k.resource
      join plugin_webhooks w on w.plugin_id = r.plugin_id
      join plugins p on p.id = w.plugin_id
     where k.account_id = $1
       and w.stopped_at is null
     order by p.id";

const CONNECTIONS_OF_PLUGIN: &str = "
    select count(*)
      from (select 1 as one
              from resources r
              join consents k on k.resource = r.identifier and k.resource_generation = r.generation
             where r.plugin_id = $1
               and k.revoked_at is null
             limit $2) counted";

const CONNECTIONS_OF_CLIENT: &str = "
    select count(*)
      from (select 1 as one from consents k where k.client_id = $1 and k.revoked_at is null limit $2) counted";

/// A plugin whose API is to be told.
pub(super) struct Hearer {
    plugin: PluginId,
    salt: SubjectSalt,
    slug: String,
}

/// Its columns.
pub(super) type HearerRow = (Uuid, Vec<u8>, String);

/// Who is disconnected where many are.
pub(super) enum Many {
    /// All of the plugin.
    OfPlugin,
    /// Those of one client: its row, and what the wire calls it.
    OfClient(Uuid, String),
}

impl Hearer {
    /// Reads the columns.
    pub(super) fn of((plugin, bytes, slug): HearerRow) -> StoreResult<Self> {
        Ok(Self { plugin: PluginId(plugin), salt: salt(bytes)?, slug })
    }

    /// Lets a word about one person wait; `more` is what is known beside who it is.
    pub(super) async fn tell_of(
        &self,
        step: &mut Connection,
        (event, account): (WebhookEvent, AccountId),
        more: Value,
        audit: &Audit,
    ) -> StoreResult<()> {
        let mut data = json!({ "subject": self.salt.subject_of(account) });
        if let (Some(data), Value::Object(more)) = (data.as_object_mut(), more) {
            data.extend(more);
        }
        self.tell(step, event, data, audit).await
    }

    async fn tell(
        &self,
        step: &mut Connection,
        event: WebhookEvent,
        mut data: Value,
        audit: &Audit,
    ) -> StoreResult<()> {
        data["plugin"] = self.slug.as_str().into();
        let expires_at = audit.at + TRIED_FOR;
        let kept = sqlx::query(INSERT)
            .bind(self.plugin.0)
            .bind(self.salt.message_id(audit.id))
            .bind(event.as_str())
            .bind(Json(data))
            .bind(audit.at)
            .bind(expires_at)
            .bind(expires_at + KEPT_AFTER)
            .bind(WAITING_MAX)
            .execute(&mut *step)
            .await?;
        if kept.rows_affected() == 0 {
            sqlx::query(MISS).bind(self.plugin.0).execute(step).await?;
        }
        Ok(())
    }
}

/// The plugin, if its API is to be told anything.
pub(super) async fn hearer(step: &mut Connection, plugin: PluginId) -> StoreResult<Option<Hearer>> {
    let row: Option<HearerRow> = sqlx::query_as(OF_PLUGIN).bind(plugin.0).fetch_optional(step).await?;
    row.map(Hearer::of).transpose()
}

/// Tells that many are disconnected, in the step that does it and before it does: one word, however many they are.
pub(super) async fn tell_of_many(
    step: &mut Connection,
    plugin: PluginId,
    many: Many,
    audit: &Audit,
) -> StoreResult<()> {
    let Some(hearer) = hearer(step, plugin).await? else { return Ok(()) };
    let (statement, id, client_id) = match many {
        Many::OfPlugin => (CONNECTIONS_OF_PLUGIN, plugin.0, None),
        Many::OfClient(id, client_id) => (CONNECTIONS_OF_CLIENT, id, Some(client_id)),
    };
    let counted: i64 = sqlx::query_scalar(statement).bind(id).bind(COUNTED_MAX + 1).fetch_one(&mut *step).await?;
    if counted == 0 {
        return Ok(());
    }
    let mut data = json!({
        "connections": counted.min(COUNTED_MAX),
        "or_more": counted > COUNTED_MAX,
        "by": by(audit),
    });
    if let Some(client_id) = client_id {
        data["client_id"] = client_id.into();
    }
    hearer.tell(step, WebhookEvent::PeopleDisconnected, data, audit).await
}

/// Tells everybody whom it concerns that an account is deleted, before it is.
pub(super) async fn tell_of_deletion(step: &mut Connection, account: AccountId, audit: &Audit) -> StoreResult<()> {
    let rows: Vec<HearerRow> = sqlx::query_as(OF_ACCOUNT).bind(account.0).fetch_all(&mut *step).await?;
    for row in rows {
        Hearer::of(row)?.tell_of(step, (WebhookEvent::AccountDeleted, account), json!({}), audit).await?;
    }
    Ok(())
}

/// Lets a test wait.
pub(super) async fn tell_for_a_test(step: &mut Connection, hearer: &Hearer, audit: &Audit) -> StoreResult<()> {
    hearer.tell(step, WebhookEvent::Test, json!({}), audit).await
}

/// Who ended a connection, as its person, the plugin's owner or the server's operator.
pub(super) fn by(audit: &Audit) -> &'static str {
    match audit.actor {
        Actor::Operator => "operator",
        Actor::Account(_) => "owner",
        Actor::Client(_) | Actor::Server => "server",
    }
}
