//! Consents. Compiled once for each engine.

use serde_json::json;
use uuid::Uuid;

use super::{
    Connection, Engine, audit,
    client_documents::put_document,
    holding, reading,
    webhook_events::{Hearer, HearerRow},
};
use crate::{
    model::{
        Timestamp,
        audit::{Audit, AuditAction, Subjects},
        consent::Consent,
        id::{AccountId, AuditEventId, ClientId, ConsentId, PluginId},
        scope::Scopes,
        webhook::WebhookEvent,
    },
    store::{
        StoreError, StoreResult,
        consents::{ConsentGrant, ConsentKey},
    },
};

/// The generation of its resource, which counts with its own: a consent that was given under an older one is as good as
/// revoked. One that was removed has the generation it went with, and one that nobody registered has none.
macro_rules! generation_of {
    ($resource:literal) => {
        concat!(
            "coalesce((select r.generation from resources r where r.identifier = ",
            $resource,
            "), (select t.generation from retired_resources t where t.identifier = ",
            $resource,
            "), 0)"
        )
    };
}

macro_rules! generation_of_resource {
    () => {
        generation_of!("consents.resource")
    };
}

macro_rules! columns {
    () => {
        concat!(
            "id, account_id, client_id, resource, granted_at,
             case when resource_generation = ",
            generation_of_resource!(),
            " then scopes else '' end as scopes,
             generation + ",
            generation_of_resource!(),
            " as generation,
             case when resource_generation = ",
            generation_of_resource!(),
            " then revoked_at else coalesce(revoked_at, granted_at) end as revoked_at"
        )
    };
}

const BY_KEY: &str =
    concat!("select ", columns!(), " from consents where account_id = $1 and client_id = $2 and resource = $3");

const INSERT: &str = concat!(
    "insert into consents (id, account_id, client_id, resource, scopes, granted_at, resource_generation)
     values ($1, $2, $3, $4, $5, $6, ",
    generation_of!("$4"),
    ")
     on conflict (account_id, client_id, resource) do nothing
     returning ",
    columns!()
);

const HOLD_RESOURCE: &str = concat!("select generation from resources where identifier = $1 ", holding!());

/// Locks the row without changing it, so that whoever widens it sees what everybody before has added.
const LOCK: &str = concat!(
    "update consents
        set generation = generation
      where account_id = $1 and client_id = $2 and resource = $3
     returning ",
    columns!()
);

const WIDEN: &str = concat!(
    "update consents
        set scopes = $2, granted_at = $3, revoked_at = null, resource_generation = ",
    generation_of_resource!(),
    " where id = $1
     returning ",
    columns!()
);

const REVOKE: &str = "
    update consents
       set scopes = '', generation = generation + 1, revoked_at = $4
     where account_id = $1
       and client_id = $2
       and resource = $3
       and revoked_at is null";

/// The plugin of a resource; with more where its API is told of its people.
const PLUGIN_OF: &str = "
    select r.plugin_id, case when w.plugin_id is null then null else p.subject_salt end as salt, p.slug,
           coalesce((select c.client_id from clients c where c.id = $2), '') as client_id
      from resources r
      join plugins p on p.id = r.plugin_id
      left join plugin_webhooks w on w.plugin_id = r.plugin_id and w.stopped_at is null
     where r.identifier = $1";

/// A consent as its row has it.
#[derive(sqlx::FromRow)]
struct ConsentRow {
    id: Uuid,
    account_id: Uuid,
    client_id: Uuid,
    resource: String,
    scopes: String,
    generation: i64,
    granted_at: Timestamp,
    revoked_at: Option<Timestamp>,
}

impl TryFrom<ConsentRow> for Consent {
    type Error = StoreError;

    fn try_from(row: ConsentRow) -> StoreResult<Self> {
        Ok(Self {
            id: ConsentId(row.id),
            account_id: AccountId(row.account_id),
            client_id: ClientId(row.client_id),
            resource: row.resource,
            scopes: row.scopes.parse().map_err(StoreError::broken)?,
            generation: row.generation,
            granted_at: row.granted_at,
            revoked_at: row.revoked_at,
        })
    }
}

impl Engine {
    pub(in crate::store) async fn consent(&self, key: &ConsentKey) -> StoreResult<Option<Consent>> {
        let row: Option<ConsentRow> = reading!(self, connection => sqlx::query_as(BY_KEY)
                .bind(key.account_id.0)
                .bind(key.client_id.0)
                .bind(&key.resource)
                .fetch_optional(&mut *connection))?;
        row.map(Consent::try_from).transpose()
    }

    pub(in crate::store) async fn grant_consent(&self, grant: &ConsentGrant, event: &Audit) -> StoreResult<Consent> {
        // Most grants say again what was said; they need no writer.
        let known = self.consent(&grant.key).await?.filter(|known| covers(known, grant));
        if let (Some(known), None) = (known, &grant.document) {
            return Ok(known);
        }
        let mut step = self.begin().await?;
        // First of all rows: what ends every consent of a resource at once comes before this step or after it.
        sqlx::query(HOLD_RESOURCE).bind(&grant.key.resource).execute(&mut *step).await?;
        let mut grant = grant.clone();
        if let Some(document) = &grant.document {
            // The document's event is made from the consent's: one step is told under two ids.
            let event = &Audit { id: AuditEventId(document.id.0), ..event.clone() };
            let client = put_document(&mut step, document, event).await?;
            let client = client.ok_or_else(|| StoreError::broken("a document's address is another client's id"))?;
            grant.key.client_id = client.id;
        }
        let (consent, connects) = if let Some(first) = insert(&mut step, &grant, event).await? {
            (first, true)
        } else {
            let known = lock(&mut step, &grant.key).await?;
            if covers(&known, &grant) {
                step.commit().await?;
                return Ok(known);
            }
            (widen(&mut step, &known, &grant, event).await?, known.revoked_at.is_some())
        };
        let detail = json!({ "resource": consent.resource, "scopes": consent.scopes.to_string() });
        let (subjects, hearer) = subjects(&mut step, &grant.key).await?;
        if let Some((hearer, client_id)) = hearer.filter(|_| connects) {
            let more = json!({
                "client_id": client_id,
                "resource": consent.resource,
                "scopes": consent.scopes.iter().collect::<Vec<_>>(),
            });
            let what = (WebhookEvent::PersonConnected, consent.account_id);
            hearer.tell_of(&mut step, what, more, event).await?;
        }
        audit::write(&mut step, event, AuditAction::ConsentGranted, subjects, detail).await?;
        step.commit().await?;
        Ok(consent)
    }

    pub(in crate::store) async fn revoke_consent(&self, key: &ConsentKey, event: &Audit) -> StoreResult<bool> {
        let mut step = self.begin().await?;
        let revoked = sqlx::query(REVOKE)
            .bind(key.account_id.0)
            .bind(key.client_id.0)
            .bind(&key.resource)
            .bind(event.at)
            .execute(&mut *step)
            .await?
            .rows_affected();
        if revoked == 0 {
            return Ok(false);
        }
        let detail = json!({ "resource": key.resource });
        let (subjects, hearer) = subjects(&mut step, key).await?;
        if let Some((hearer, client_id)) = hearer {
            let more = json!({ "client_id": client_id, "resource": key.resource, "by": "person" });
            let what = (WebhookEvent::PersonDisconnected, key.account_id);
            hearer.tell_of(&mut step, what, more, event).await?;
        }
        audit::write(&mut step, event, AuditAction::ConsentRevoked, subjects, detail).await?;
        step.commit().await?;
        Ok(true)
    }
}

/// Whether the grant changes nothing.
fn covers(known: &Consent, grant: &ConsentGrant) -> bool {
    let takes_back = !known.scopes.intersection(&grant.left_out).is_empty();
    known.revoked_at.is_none() && grant.scopes.is_subset(&known.scopes) && !takes_back
}

/// Makes the row unless there is one.
async fn insert(step: &mut Connection, grant: &ConsentGrant, event: &Audit) -> StoreResult<Option<Consent>> {
    let row: Option<ConsentRow> = sqlx::query_as(INSERT)
        .bind(grant.id.0)
        .bind(grant.key.account_id.0)
        .bind(grant.key.client_id.0)
        .bind(&grant.key.resource)
        .bind(grant.scopes.to_string())
        .bind(event.at)
        .fetch_optional(step)
        .await?;
    row.map(Consent::try_from).transpose()
}

/// Reads the row, which is known to be there, and keeps everybody else from changing it.
async fn lock(step: &mut Connection, key: &ConsentKey) -> StoreResult<Consent> {
    let row: ConsentRow =
        sqlx::query_as(LOCK).bind(key.account_id.0).bind(key.client_id.0).bind(&key.resource).fetch_one(step).await?;
    row.try_into()
}

/// Changes a row that is locked; after a revocation nothing of before counts.
async fn widen(step: &mut Connection, known: &Consent, grant: &ConsentGrant, event: &Audit) -> StoreResult<Consent> {
    let before = if known.revoked_at.is_some() { Scopes::default() } else { known.scopes.clone() };
    let row: ConsentRow = sqlx::query_as(WIDEN)
        .bind(known.id.0)
        .bind(before.without(&grant.left_out).union(&grant.scopes).to_string())
        .bind(event.at)
        .fetch_one(step)
        .await?;
    row.try_into()
}

/// Whom an event is about; it stands in the log of the plugin whose API was meant, too. And who is to be told of it, with
/// what the wire calls the client.
async fn subjects(step: &mut Connection, key: &ConsentKey) -> StoreResult<(Subjects, Option<(Hearer, String)>)> {
    let row: Option<(Uuid, Option<Vec<u8>>, String, String)> =
        sqlx::query_as(PLUGIN_OF).bind(&key.resource).bind(key.client_id.0).fetch_optional(step).await?;
    let (account_id, client_id) = (Some(key.account_id), Some(key.client_id));
    let plugin_id = row.as_ref().map(|(plugin, ..)| PluginId(*plugin));
    let hearer = match row {
        Some((plugin, Some(salt), slug, client_id)) => {
            let row: HearerRow = (plugin, salt, slug);
            Some((Hearer::of(row)?, client_id))
        }
        _ => None,
    };
    Ok((Subjects { account_id, client_id, plugin_id }, hearer))
}
