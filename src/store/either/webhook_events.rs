//! What plugins' APIs are to be told, written in the steps that it tells of. Compiled once for each engine.
//!
//! Each step finds out who is to be told in a reading that it makes anyhow, or in one by a key; where a plugin has no
//! webhook that is all.

use serde_json::{Value, json};
use sqlx::types::Json;
use uuid::Uuid;

use super::{Connection, holding, plugin_people::connections, resources::salt, sharing};
use crate::{
    model::{
        audit::{Actor, Audit},
        client::Client,
        id::{AccountId, PluginId},
        plugin::SubjectSalt,
        resource::Resource,
        webhook::{COUNTED_MAX, KEPT_AFTER, TRIED_FOR, WAITING_MAX, WebhookEvent},
    },
    store::StoreResult,
};

/// Where too many wait already, or nothing is told, nothing is kept but what may not be lost ($9): that waits for a
/// start. The row is held against its deletion alone, so people who connect at once do not wait for each other as long
/// as all is kept.
const INSERT: &str = concat!(
    "insert into webhook_deliveries (plugin_id, id, event, data, created_at, due_at, expires_at, forget_at)
     select w.plugin_id, $2, $3, $4, $5, case when w.stopped_at is null then $5 end, $6, $7
       from plugin_webhooks w
      where w.plugin_id = $1
        and ($9 or (w.stopped_at is null
                    and (select count(*)
                           from (select 1 as one
                                   from webhook_deliveries d
                                  where d.plugin_id = $1 and d.due_at is not null
                                  limit $8) waiting) < $8)) ",
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

/// Everybody whom the account allowed something by a consent that is still kept, standing or ended, since they may keep
/// something under its subject. What went with a deleted client or a removed resource is known no more.
const OF_ACCOUNT: &str = "
    select distinct p.id, p.subject_salt, p.slug
      from consents k
      join resources r on r.identifier = k.resource
      join plugin_webhooks w on w.plugin_id = r.plugin_id
      join plugins p on p.id = w.plugin_id
     where k.account_id = $1
     order by p.id";

/// Every step that connects somebody holds its resource first, so each of those is counted or comes afterwards.
const HOLD_RESOURCES: &str =
    concat!("select id from resources where plugin_id = $1 and id = coalesce($2, id) order by id ", holding!());

const CONNECTIONS_OF_PLUGIN: &str = concat!(
    "select count(*) from (select 1 as one from ",
    connections!(),
    "and r.plugin_id = $1 and r.id = coalesce($2, r.id) limit $3) counted"
);

/// A client may be connected to many plugins; each hears of its own.
const CONNECTIONS_OF_CLIENT: &str = concat!(
    "select p.id, p.subject_salt, p.slug, count(*)
       from (select r.plugin_id from ",
    connections!(),
    "and k.client_id = $1 limit $2) ended
       join plugin_webhooks w on w.plugin_id = ended.plugin_id
       join plugins p on p.id = w.plugin_id
      where w.stopped_at is null
      group by p.id, p.subject_salt, p.slug
      order by p.id"
);

/// A plugin whose API is to be told.
pub(super) struct Hearer {
    plugin: PluginId,
    salt: SubjectSalt,
    slug: String,
}

/// Its columns.
pub(super) type HearerRow = (Uuid, Vec<u8>, String);

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
        self.tell(step, event, data, audit).await?;
        Ok(())
    }

    /// Tells that so many are disconnected at once: one word, however many they are, and none where there is nobody.
    async fn tell_of_many(
        &self,
        step: &mut Connection,
        connections: i64,
        (what, which): (&str, Option<&str>),
        audit: &Audit,
    ) -> StoreResult<()> {
        if connections == 0 {
            return Ok(());
        }
        let mut data = json!({
            "connections": connections.min(COUNTED_MAX),
            "or_more": connections > COUNTED_MAX,
            "by": by(audit),
        });
        if let Some(which) = which {
            data[what] = which.into();
        }
        self.tell(step, WebhookEvent::PeopleDisconnected, data, audit).await?;
        Ok(())
    }

    /// Lets a word wait; whether it is kept.
    async fn tell(
        &self,
        step: &mut Connection,
        event: WebhookEvent,
        mut data: Value,
        audit: &Audit,
    ) -> StoreResult<bool> {
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
            // Told once of each person, so nobody can pile it up; and who does not hear it keeps what is to be
            // forgotten.
            .bind(event == WebhookEvent::AccountDeleted)
            .execute(&mut *step)
            .await?;
        if kept.rows_affected() == 0 {
            sqlx::query(MISS).bind(self.plugin.0).execute(step).await?;
            return Ok(false);
        }
        Ok(true)
    }
}

/// The plugin, if its API is to be told anything.
pub(super) async fn hearer(step: &mut Connection, plugin: PluginId) -> StoreResult<Option<Hearer>> {
    let row: Option<HearerRow> = sqlx::query_as(OF_PLUGIN).bind(plugin.0).fetch_optional(step).await?;
    row.map(Hearer::of).transpose()
}

/// Tells that everybody is disconnected from a plugin, or from one of its resources: in the step that does it, and
/// before it does.
pub(super) async fn tell_of_everybody(
    step: &mut Connection,
    plugin: PluginId,
    resource: Option<&Resource>,
    audit: &Audit,
) -> StoreResult<()> {
    let id = resource.map(|resource| resource.id.0);
    sqlx::query(HOLD_RESOURCES).bind(plugin.0).bind(id).execute(&mut *step).await?;
    let Some(hearer) = hearer(step, plugin).await? else { return Ok(()) };
    let counted: i64 = sqlx::query_scalar(CONNECTIONS_OF_PLUGIN)
        .bind(plugin.0)
        .bind(id)
        .bind(COUNTED_MAX + 1)
        .fetch_one(&mut *step)
        .await?;
    let which = resource.map(|resource| resource.identifier.as_str());
    hearer.tell_of_many(step, counted, ("resource", which), audit).await
}

/// Tells that all of a client's connections end, in the step that ends them and before it does.
pub(super) async fn tell_of_client(step: &mut Connection, client: &Client, audit: &Audit) -> StoreResult<()> {
    // One of a plugin's own is counted no further than is told; of others nobody knows beforehand whose people they
    // have.
    let counted_max = if client.plugin_id().is_some() { COUNTED_MAX + 1 } else { i64::MAX };
    let rows: Vec<(Uuid, Vec<u8>, String, i64)> =
        sqlx::query_as(CONNECTIONS_OF_CLIENT).bind(client.id.0).bind(counted_max).fetch_all(&mut *step).await?;
    for (plugin, salt, slug, connections) in rows {
        let hearer = Hearer::of((plugin, salt, slug))?;
        hearer.tell_of_many(step, connections, ("client_id", Some(client.client_id.as_str())), audit).await?;
    }
    Ok(())
}

/// Tells everybody whom it concerns that an account is deleted, before it is.
pub(super) async fn tell_of_deletion(step: &mut Connection, account: AccountId, audit: &Audit) -> StoreResult<()> {
    let rows: Vec<HearerRow> = sqlx::query_as(OF_ACCOUNT).bind(account.0).fetch_all(&mut *step).await?;
    for row in rows {
        Hearer::of(row)?.tell_of(step, (WebhookEvent::AccountDeleted, account), json!({}), audit).await?;
    }
    Ok(())
}

/// Lets a test wait; whether it does.
pub(super) async fn tell_for_a_test(step: &mut Connection, hearer: &Hearer, audit: &Audit) -> StoreResult<bool> {
    hearer.tell(step, WebhookEvent::Test, json!({}), audit).await
}

/// Who ended a connection: the plugin's owner, the server's operator, or the server where a try-out's time was over.
pub(super) fn by(audit: &Audit) -> &'static str {
    match audit.actor {
        Actor::Operator => "operator",
        Actor::Account(_) | Actor::Program(_) => "owner",
        Actor::Client(_) | Actor::Server => "server",
    }
}
