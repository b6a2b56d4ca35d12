//! Who is connected to a plugin. Compiled once for each engine.

use serde_json::json;
use uuid::Uuid;

use super::{
    Engine, audit, reading,
    webhook_events::{by, hearer, tell_of_everybody},
};
use crate::{
    model::{
        Timestamp,
        audit::{Audit, AuditAction, Subjects},
        id::{AccountId, ClientId, ConsentId, PluginId},
        webhook::WebhookEvent,
    },
    store::{StoreError, StoreResult, is_no_text, owners::Page, plugin_people::ConnectedPerson},
};

const IDENTIFIERS: &str = "
    select identifier from resources where plugin_id = $1 order by is_default desc, id limit 50";

/// Led by `consents_by_resource`, which has the order of the page; what a person has connected is few rows.
const PEOPLE: &str = "
    select k.id, k.account_id, a.email, a.name, c.client_id, c.name as client_name, k.scopes, k.granted_at,
           (select max(coalesce(f.rotated_at, f.created_at))
              from families f
             where f.account_id = k.account_id
               and f.consent_id = k.id
               and f.consent_generation = k.generation + k.resource_generation
               and f.ended_at is null) as last_used_at
      from consents k
      join accounts a on a.id = k.account_id
      join clients c on c.id = k.client_id
     where k.resource = $2
       and k.resource_generation = (select r.generation from resources r where r.identifier = $2 and r.plugin_id = $1)
       and k.revoked_at is null
       and c.deleted_at is null
       and k.id < $3
     order by k.id desc
     limit $4";

/// The consents that hold: given under the generation of their resource, to a client that is there.
macro_rules! connections {
    () => {
        "resources r
           join consents k on k.resource = r.identifier and k.resource_generation = r.generation
           join clients c on c.id = k.client_id
          where k.revoked_at is null
            and c.deleted_at is null "
    };
}
pub(super) use connections;

const COUNT: &str =
    concat!("select count(*) from (select 1 as one from ", connections!(), "and r.plugin_id = $1 limit $2) counted");

const DISCONNECT: &str = "
    update consents
       set scopes = '', generation = generation + 1, revoked_at = $3
     where id = $2
       and revoked_at is null
       and exists (select 1 from clients c where c.id = consents.client_id and c.deleted_at is null)
       and exists (select 1
                     from resources r
                    where r.identifier = consents.resource
                      and r.generation = consents.resource_generation
                      and r.plugin_id = $1)
    returning account_id, client_id, resource, (select c.client_id from clients c where c.id = consents.client_id)";

/// Every consent was given under the generation of its resource, so all of them end with this.
const DISCONNECT_EVERYBODY: &str = "update resources set generation = generation + 1 where plugin_id = $1";

#[derive(sqlx::FromRow)]
struct PersonRow {
    id: Uuid,
    account_id: Uuid,
    email: String,
    name: String,
    client_id: String,
    client_name: String,
    scopes: String,
    granted_at: Timestamp,
    last_used_at: Option<Timestamp>,
}

impl TryFrom<PersonRow> for ConnectedPerson {
    type Error = StoreError;

    fn try_from(row: PersonRow) -> StoreResult<Self> {
        Ok(Self {
            consent_id: ConsentId(row.id),
            account_id: AccountId(row.account_id),
            email: row.email.parse().map_err(StoreError::broken)?,
            name: row.name,
            client_id: row.client_id,
            client_name: row.client_name,
            scopes: row.scopes.parse().map_err(StoreError::broken)?,
            granted_at: row.granted_at,
            last_used_at: row.last_used_at,
        })
    }
}

impl Engine {
    pub(in crate::store) async fn identifiers_of(&self, plugin: PluginId) -> StoreResult<Vec<String>> {
        reading!(self, connection => sqlx::query_scalar(IDENTIFIERS).bind(plugin.0).fetch_all(&mut *connection))
    }

    pub(in crate::store) async fn people_of(
        &self,
        plugin: PluginId,
        resource: &str,
        page: Page<ConsentId>,
    ) -> StoreResult<Vec<ConnectedPerson>> {
        if is_no_text(resource) {
            return Ok(Vec::new());
        }
        let rows: Vec<PersonRow> = reading!(self, connection => sqlx::query_as(PEOPLE)
            .bind(plugin.0)
            .bind(resource)
            .bind(page.before.map_or(Uuid::max(), |id| id.0))
            .bind(i64::from(page.rows_max))
            .fetch_all(&mut *connection))?;
        rows.into_iter().map(ConnectedPerson::try_from).collect()
    }

    pub(in crate::store) async fn count_people_of(&self, plugin: PluginId, most: u32) -> StoreResult<u64> {
        let count: i64 = reading!(self, connection => sqlx::query_scalar(COUNT)
            .bind(plugin.0)
            .bind(i64::from(most))
            .fetch_one(&mut *connection))?;
        u64::try_from(count).map_err(StoreError::broken)
    }

    pub(in crate::store) async fn disconnect_person(
        &self,
        plugin: PluginId,
        consent: ConsentId,
        event: &Audit,
    ) -> StoreResult<bool> {
        let mut step = self.begin().await?;
        let ended: Option<(Uuid, Uuid, String, String)> =
            sqlx::query_as(DISCONNECT).bind(plugin.0).bind(consent.0).bind(event.at).fetch_optional(&mut *step).await?;
        let Some((account, client, resource, wire_id)) = ended else { return Ok(false) };
        if let Some(hearer) = hearer(&mut step, plugin).await? {
            let more = json!({ "client_id": wire_id, "resource": resource, "by": by(event) });
            let what = (WebhookEvent::PersonDisconnected, AccountId(account));
            hearer.tell_of(&mut step, what, more, event).await?;
        }
        let (account_id, client_id) = (Some(AccountId(account)), Some(ClientId(client)));
        let subjects = Subjects { account_id, client_id, plugin_id: Some(plugin) };
        let detail = json!({ "resource": resource, "by": "owner" });
        audit::write(&mut step, event, AuditAction::ConsentRevoked, subjects, detail).await?;
        step.commit().await?;
        Ok(true)
    }

    pub(in crate::store) async fn disconnect_everybody(&self, plugin: PluginId, event: &Audit) -> StoreResult<()> {
        let mut step = self.begin().await?;
        tell_of_everybody(&mut step, plugin, None, event).await?;
        sqlx::query(DISCONNECT_EVERYBODY).bind(plugin.0).execute(&mut *step).await?;
        let subjects = Subjects::of_plugin(plugin);
        audit::write(&mut step, event, AuditAction::PluginPeopleDisconnected, subjects, json!({})).await?;
        step.commit().await?;
        Ok(())
    }
}
