//! Resources. Compiled once for each engine.

use serde_json::json;
use sqlx::types::Json;
use uuid::Uuid;

use super::{Connection, Engine, audit, reading, webhook_events::tell_of_everybody};
use crate::{
    model::{
        audit::{Audit, AuditAction, Subjects},
        id::{PluginId, ResourceId},
        plugin::SubjectSalt,
        public_key::SigningAlgorithm,
        resource::Resource,
        scope::Catalogue,
    },
    store::{
        StoreError, StoreResult, is_no_text,
        resources::{AddResource, NewResource, RemoveResource},
    },
};

/// A resource with what its plugin adds to it; `r` and `p` are the two.
macro_rules! resource_columns {
    () => {
        "r.id as resource_id, r.identifier, r.is_default, p.id as resource_plugin_id, p.slug as resource_plugin_slug,
         coalesce(p.manifest ->> 'name_for_human', p.slug) as resource_plugin_name, p.subject_salt,
         p.scopes as catalogue, r.signing_algorithm as resource_signing_algorithm"
    };
}
pub(super) use resource_columns;

macro_rules! select_resources {
    () => {
        concat!("select ", resource_columns!(), " from resources r join plugins p on p.id = r.plugin_id ")
    };
}

const ALL: &str = concat!(select_resources!(), "order by r.id");
const BY_CANONICAL: &str = concat!(select_resources!(), "where r.canonical = $1");
const BY_ID: &str = concat!(select_resources!(), "where r.id = $1");
const OF_PLUGIN: &str =
    concat!(select_resources!(), "where r.plugin_id = $1 order by r.is_default desc, r.id limit $2");
const BELOW: &str = concat!(select_resources!(), "where substr(r.canonical, 1, length($1)) = $1 order by r.id limit 1");
/// Two are enough to know that there is not one alone.
const DEFAULTS: &str = concat!(select_resources!(), "where r.is_default order by r.id limit 2");

const INSERT: &str = "
    insert into resources (id, plugin_id, identifier, canonical, is_default, created_at)
    values ($1, $2, $3, $4, $5, $6)
        on conflict do nothing";

/// Whoever registers an identifier again, perhaps for another plugin, must not inherit what people agreed to, also while
/// nobody had it: its generation goes on from where it went, and with it all consents, codes and families have ended.
/// A statement of its own, because on Postgres the other may have waited for whoever removed it.
const GO_ON: &str = "
    update resources
       set generation = (select t.generation + 1 from retired_resources t where t.identifier = $2)
     where id = $1
       and exists (select 1 from retired_resources t where t.identifier = $2)";

const END_DEFAULT: &str = "
    update resources
       set is_default = false
     where plugin_id = $1
       and is_default
       and canonical <> $2";

/// Its spelling stays: what was issued for it says that one.
const BEGIN_DEFAULT: &str = "
    update resources
       set is_default = true
     where plugin_id = $1
       and canonical = $2";

const DELETE: &str = "delete from resources where id = $1 and not is_default returning generation";

const SIGN_WITH: &str = "
    update resources
       set signing_algorithm = $2
     where canonical = $1
       and signing_algorithm <> $2
 returning plugin_id";

/// Until it is registered again, what is agreed to counts with this generation.
const RETIRE: &str = "
    insert into retired_resources (identifier, generation)
    values ($1, $2 + 1)
        on conflict (identifier) do update
       set generation = excluded.generation";

/// A resource as its row has it; all of it is missing where a client belongs to no plugin.
#[derive(sqlx::FromRow)]
pub(super) struct ResourceRow {
    resource_id: Option<Uuid>,
    identifier: Option<String>,
    is_default: Option<bool>,
    resource_plugin_id: Option<Uuid>,
    resource_plugin_slug: Option<String>,
    resource_plugin_name: Option<String>,
    subject_salt: Option<Vec<u8>>,
    catalogue: Option<Json<Catalogue>>,
    // A client, which may stand beside it in a row, has one of its own.
    resource_signing_algorithm: Option<String>,
}

impl ResourceRow {
    /// The resource, if there is one.
    pub(super) fn into_resource(self) -> StoreResult<Option<Resource>> {
        let Some(id) = self.resource_id else { return Ok(None) };
        let missing = || StoreError::broken("a resource lacks a column");
        Ok(Some(Resource {
            id: ResourceId(id),
            identifier: self.identifier.ok_or_else(missing)?.parse().map_err(StoreError::broken)?,
            is_default: self.is_default.ok_or_else(missing)?,
            plugin_id: PluginId(self.resource_plugin_id.ok_or_else(missing)?),
            plugin_slug: self.resource_plugin_slug.ok_or_else(missing)?,
            plugin_name: self.resource_plugin_name.ok_or_else(missing)?,
            subject_salt: salt(self.subject_salt.ok_or_else(missing)?)?,
            signing_algorithm: self
                .resource_signing_algorithm
                .ok_or_else(missing)?
                .parse()
                .map_err(StoreError::broken)?,
            scopes: self.catalogue.ok_or_else(missing)?.0,
        }))
    }
}

/// Reads the column.
pub(super) fn salt(bytes: Vec<u8>) -> StoreResult<SubjectSalt> {
    let bytes = bytes.try_into().map_err(|_| StoreError::broken("a subject salt has another length"))?;
    Ok(SubjectSalt(bytes))
}

impl Engine {
    pub(in crate::store) async fn resource(&self, canonical: &str) -> StoreResult<Option<Resource>> {
        if is_no_text(canonical) {
            return Ok(None);
        }
        let row: Option<ResourceRow> = reading!(self, connection => sqlx::query_as(BY_CANONICAL)
                .bind(canonical)
                .fetch_optional(&mut *connection))?;
        one(row)
    }

    pub(in crate::store) async fn resource_by_id(&self, id: ResourceId) -> StoreResult<Option<Resource>> {
        let row: Option<ResourceRow> =
            reading!(self, connection => sqlx::query_as(BY_ID).bind(id.0).fetch_optional(&mut *connection))?;
        one(row)
    }

    pub(in crate::store) async fn resources(&self) -> StoreResult<Vec<Resource>> {
        let rows: Vec<ResourceRow> = reading!(self, connection => sqlx::query_as(ALL).fetch_all(&mut *connection))?;
        rows.into_iter().filter_map(|row| row.into_resource().transpose()).collect()
    }

    pub(in crate::store) async fn resources_of(&self, plugin: PluginId, rows_max: u32) -> StoreResult<Vec<Resource>> {
        let rows: Vec<ResourceRow> = reading!(self, connection => sqlx::query_as(OF_PLUGIN)
            .bind(plugin.0)
            .bind(i64::from(rows_max))
            .fetch_all(&mut *connection))?;
        rows.into_iter().filter_map(|row| row.into_resource().transpose()).collect()
    }

    pub(in crate::store) async fn resource_below(&self, origin: &str) -> StoreResult<Option<Resource>> {
        let folder = format!("{origin}/");
        if is_no_text(&folder) {
            return Ok(None);
        }
        let row: Option<ResourceRow> =
            reading!(self, connection => sqlx::query_as(BELOW).bind(&folder).fetch_optional(&mut *connection))?;
        one(row)
    }

    pub(in crate::store) async fn only_default_resource(&self) -> StoreResult<Option<Resource>> {
        let mut rows: Vec<ResourceRow> =
            reading!(self, connection => sqlx::query_as(DEFAULTS).fetch_all(&mut *connection))?;
        let only = rows.pop().filter(|_| rows.is_empty());
        one(only)
    }

    pub(in crate::store) async fn add_resource(
        &self,
        resource: &NewResource,
        event: &Audit,
    ) -> StoreResult<AddResource> {
        let mut step = self.begin().await?;
        let inserted = insert(&mut step, resource, false).await?;
        let kept = find(&mut step, &resource.identifier.canonical()).await?;
        let Some(kept) = kept else { return Err(StoreError::broken("a resource is not found by its own spelling")) };
        if kept.plugin_id != resource.plugin_id {
            return Ok(AddResource::Taken { slug: kept.plugin_slug });
        }
        if !inserted {
            return Ok(AddResource::Known(kept));
        }
        let subjects = Subjects::of_plugin(kept.plugin_id);
        let detail = json!({ "resource": kept.identifier.as_str() });
        audit::write(&mut step, event, AuditAction::ResourceAdded, subjects, detail).await?;
        step.commit().await?;
        Ok(AddResource::Added(kept))
    }

    pub(in crate::store) async fn sign_for(
        &self,
        canonical: &str,
        algorithm: SigningAlgorithm,
        event: &Audit,
    ) -> StoreResult<Option<Resource>> {
        if is_no_text(canonical) {
            return Ok(None);
        }
        let mut step = self.begin().await?;
        let changed: Option<Uuid> =
            sqlx::query_scalar(SIGN_WITH).bind(canonical).bind(algorithm.as_str()).fetch_optional(&mut *step).await?;
        let Some(kept) = find(&mut step, canonical).await? else { return Ok(None) };
        if let Some(plugin) = changed {
            let subjects = Subjects::of_plugin(PluginId(plugin));
            let detail = json!({ "resource": kept.identifier.as_str(), "algorithm": algorithm.as_str() });
            audit::write(&mut step, event, AuditAction::ResourceSigningChanged, subjects, detail).await?;
            step.commit().await?;
        }
        Ok(Some(kept))
    }

    pub(in crate::store) async fn remove_resource(
        &self,
        canonical: &str,
        event: &Audit,
    ) -> StoreResult<RemoveResource> {
        if is_no_text(canonical) {
            return Ok(RemoveResource::Unknown);
        }
        let mut step = self.begin().await?;
        let Some(known) = find(&mut step, canonical).await? else { return Ok(RemoveResource::Unknown) };
        tell_of_everybody(&mut step, known.plugin_id, Some(&known), event).await?;
        let generation: Option<i64> = sqlx::query_scalar(DELETE).bind(known.id.0).fetch_optional(&mut *step).await?;
        let Some(generation) = generation else {
            // Made the default, or removed by somebody else, since it was found.
            let kept = find(&mut step, canonical).await?;
            return Ok(kept.map_or(RemoveResource::Unknown, RemoveResource::IsDefault));
        };
        sqlx::query(RETIRE).bind(known.identifier.as_str()).bind(generation).execute(&mut *step).await?;
        let subjects = Subjects::of_plugin(known.plugin_id);
        let detail = json!({ "resource": known.identifier.as_str() });
        audit::write(&mut step, event, AuditAction::ResourceRemoved, subjects, detail).await?;
        step.commit().await?;
        Ok(RemoveResource::Removed(known))
    }
}

fn one(row: Option<ResourceRow>) -> StoreResult<Option<Resource>> {
    row.map_or(Ok(None), ResourceRow::into_resource)
}

async fn find(step: &mut Connection, canonical: &str) -> StoreResult<Option<Resource>> {
    one(sqlx::query_as(BY_CANONICAL).bind(canonical).fetch_optional(step).await?)
}

/// Makes the row unless there is one.
async fn insert(step: &mut Connection, resource: &NewResource, is_default: bool) -> StoreResult<bool> {
    let done = sqlx::query(INSERT)
        .bind(resource.id.0)
        .bind(resource.plugin_id.0)
        .bind(resource.identifier.as_str())
        .bind(resource.identifier.canonical())
        .bind(is_default)
        .bind(resource.at)
        .execute(&mut *step)
        .await?;
    let is_new = done.rows_affected() == 1;
    if is_new {
        sqlx::query(GO_ON).bind(resource.id.0).bind(resource.identifier.as_str()).execute(step).await?;
    }
    Ok(is_new)
}

/// Makes a resource its plugin's default; the one before stays registered, since tokens for it are about. The slug of
/// the plugin that has it, when that is another.
pub(super) async fn make_default(step: &mut Connection, resource: &NewResource) -> StoreResult<Result<(), String>> {
    let canonical = resource.identifier.canonical();
    sqlx::query(END_DEFAULT).bind(resource.plugin_id.0).bind(&canonical).execute(&mut *step).await?;
    if insert(&mut *step, resource, true).await? {
        return Ok(Ok(()));
    }
    let begun = sqlx::query(BEGIN_DEFAULT).bind(resource.plugin_id.0).bind(&canonical).execute(&mut *step).await?;
    if begun.rows_affected() == 1 {
        return Ok(Ok(()));
    }
    // Looked for only now: on Postgres another plugin may have registered it a moment before the row was to be there.
    let holder = find(&mut *step, &canonical).await?;
    holder.map(|holder| Err(holder.plugin_slug)).ok_or_else(|| StoreError::broken("a resource came and went"))
}
