//! Plugins and their documents. Compiled once for each engine.

use serde_json::{Value, json};
use sqlx::types::Json;
use uuid::Uuid;

use super::{
    Connection, Engine, audit,
    plugin_secrets::has_secrets,
    reading,
    resources::{make_default, salt},
    verifications::forget,
};
use crate::{
    model::{
        audit::{Audit, AuditAction, Subjects},
        gate::RouteTable,
        id::{PluginId, ResourceId},
        plugin::{Document, DocumentKind, Host, Plugin},
        scope::Catalogue,
    },
    store::{
        StoreError, StoreResult, is_no_text,
        plugins::{ImportPlugin, Known, PluginImport},
        resources::NewResource,
    },
};

macro_rules! plugin_columns {
    () => {
        "id as plugin_id, slug, host, state, upstream, routes, version,
         coalesce((select identifier from resources where plugin_id = plugins.id and is_default), '') as resource,
         subject_salt, scopes as catalogue, manifest, accent_color"
    };
}
pub(super) use plugin_columns;

const ALL: &str = concat!("select ", plugin_columns!(), " from plugins order by id");
const BY_SLUG: &str = concat!("select ", plugin_columns!(), " from plugins where slug = $1");
const BY_ID: &str = concat!("select ", plugin_columns!(), " from plugins where id = $1");
const BY_HOST: &str = concat!("select ", plugin_columns!(), " from plugins where host = $1");

/// Touching the row first locks it, so that two imports of one plugin come one after the other.
const TOUCH: &str = concat!("update plugins set updated_at = $2 where slug = $1 returning ", plugin_columns!());

const INSERT: &str = "
    insert into plugins
           (id, slug, host, state, upstream, subject_salt, scopes, manifest, created_at, updated_at, accent_color)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9, $10)";

const UPDATE: &str = "
    update plugins
       set host = $2, upstream = $3, scopes = $4, manifest = $5, state = $6, accent_color = $7,
           version = version + 1
     where id = $1";

pub(super) const ADD_OWNER: &str = "
    insert into plugin_owners (plugin_id, account_id, added_at)
    values ($1, $2, $3)
    on conflict do nothing";

/// Counted as a change of the plugin, so that whoever remembers its routes reads them again.
const SET_ROUTES: &str = "
    update plugins
       set routes = $2, updated_at = $3, version = version + 1
     where id = $1
 returning id";

const PUT_DOCUMENT: &str = "
    insert into plugin_documents (plugin_id, kind, content_type, body)
    values ($1, $2, $3, $4)
    on conflict (plugin_id, kind) do update
       set content_type = excluded.content_type, body = excluded.body";

const DOCUMENT: &str = "
    select d.content_type, d.body
      from plugins p
      join plugin_documents d on d.plugin_id = p.id
     where p.host = $1
       and d.kind = $2";

const DOCUMENT_KINDS: &str = "select kind from plugin_documents where plugin_id = $1";

/// How often an import that met another one under way looks again; the other one is visible by then.
const ATTEMPTS: usize = 4;

/// A plugin as its row has it.
#[derive(sqlx::FromRow)]
pub(super) struct PluginRow {
    plugin_id: Uuid,
    slug: String,
    host: String,
    state: String,
    upstream: Option<String>,
    routes: Option<String>,
    resource: String,
    subject_salt: Vec<u8>,
    catalogue: Json<Catalogue>,
    manifest: Json<Value>,
    accent_color: Option<String>,
    version: i64,
}

impl TryFrom<PluginRow> for Plugin {
    type Error = StoreError;

    fn try_from(row: PluginRow) -> StoreResult<Self> {
        Ok(Self {
            id: PluginId(row.plugin_id),
            slug: row.slug,
            host: row.host.parse().map_err(StoreError::broken)?,
            state: row.state.parse().map_err(StoreError::broken)?,
            upstream: row.upstream,
            routes: row.routes,
            resource: row.resource,
            subject_salt: salt(row.subject_salt)?,
            scopes: row.catalogue.0,
            manifest: row.manifest.0,
            accent_color: row.accent_color.map(|colour| colour.parse()).transpose().map_err(StoreError::broken)?,
            version: row.version,
        })
    }
}

impl Engine {
    pub(in crate::store) async fn import_plugin(
        &self,
        import: &PluginImport,
        event: &Audit,
    ) -> StoreResult<ImportPlugin> {
        for _ in 0..ATTEMPTS {
            match self.try_import(import, event).await {
                Err(error) if error.is_taken() => {}
                done => return done,
            }
        }
        Err(StoreError::Contended)
    }

    /// One attempt. On Postgres a name nobody had when it was looked up may be taken when it is written.
    async fn try_import(&self, import: &PluginImport, event: &Audit) -> StoreResult<ImportPlugin> {
        let mut step = self.begin().await?;
        let wanted = &import.plugin;
        let known: Option<PluginRow> =
            sqlx::query_as(TOUCH).bind(&wanted.slug).bind(import.at).fetch_optional(&mut *step).await?;
        let known = known.map(Plugin::try_from).transpose()?;
        match (import.known, &known) {
            (Known::New(_), Some(_)) => return Ok(ImportPlugin::SlugTaken),
            (Known::Version(_), None) => return Ok(ImportPlugin::ChangedMeanwhile),
            (Known::Version(seen), Some(known)) if known.version != seen => return Ok(ImportPlugin::ChangedMeanwhile),
            _ => {}
        }
        // Looked at while the plugin is held, as it is by whoever puts a key away.
        if let Some(known) = known.as_ref().filter(|known| !import.moves_keys && known.host != wanted.host)
            && has_secrets(&mut step, known.id).await?
        {
            return Ok(ImportPlugin::KeysWouldMove);
        }
        let holder: Option<PluginRow> =
            sqlx::query_as(BY_HOST).bind(wanted.host.as_str()).fetch_optional(&mut *step).await?;
        if let Some(holder) = holder.filter(|holder| holder.slug != wanted.slug) {
            return Ok(ImportPlugin::HostTaken { slug: holder.slug });
        }
        let is_new = known.is_none();
        let changes = known.as_ref().map(|known| changes(known, wanted));
        let id = match known {
            None => insert(&mut step, import).await?,
            Some(known) => {
                let mut now = Plugin { id: known.id, scopes: known.scopes.clone(), ..wanted.clone() };
                if wanted.scopes.iter().try_for_each(|scope| now.scopes.put(scope.clone())).is_err() {
                    return Ok(ImportPlugin::CatalogueFull);
                }
                // The owner's file says nothing of tokens that were given since.
                if let (None, Some(tokens)) = (now.verification_tokens(), known.verification_tokens()) {
                    now.publish(tokens.clone());
                }
                let is_seen = (&now.host, &now.manifest) == (&known.host, &known.manifest);
                now.state = if is_seen { known.state } else { now.unseen_state() };
                update(&mut step, &now).await?;
                if !is_seen {
                    forget(&mut step, &now, import.at).await?;
                }
                known.id
            }
        };
        let resource = NewResource {
            // The id made for the plugin is free for its resource: on a first import both are the plugin's first, and on
            // a later one nothing else takes it.
            id: ResourceId(wanted.id.0),
            plugin_id: id,
            identifier: wanted.resource.parse().map_err(StoreError::broken)?,
            at: import.at,
        };
        if let Err(slug) = make_default(&mut step, &resource).await? {
            return Ok(ImportPlugin::ResourceTaken { slug });
        }
        if let (true, Known::New(Some(owner))) = (is_new, import.known) {
            sqlx::query(ADD_OWNER).bind(id.0).bind(owner.0).bind(import.at).execute(&mut *step).await?;
        }
        let kept: PluginRow = sqlx::query_as(BY_ID).bind(id.0).fetch_one(&mut *step).await?;
        let kept: Plugin = kept.try_into()?;
        for document in &import.documents {
            sqlx::query(PUT_DOCUMENT)
                .bind(kept.id.0)
                .bind(document.kind.as_str())
                .bind(&document.content_type)
                .bind(&document.body)
                .execute(&mut *step)
                .await?;
        }
        let subjects = Subjects::of_plugin(kept.id);
        let detail = json!({ "slug": kept.slug, "host": kept.host, "new": is_new, "changes": changes });
        audit::write(&mut step, event, AuditAction::PluginImported, subjects, detail).await?;
        step.commit().await?;
        Ok(if is_new { ImportPlugin::Created(kept) } else { ImportPlugin::Updated(kept) })
    }

    pub(in crate::store) async fn set_routes(
        &self,
        plugin: PluginId,
        routes: Option<&RouteTable>,
        event: &Audit,
    ) -> StoreResult<bool> {
        let mut step = self.begin().await?;
        let routes = routes.map(RouteTable::to_string);
        let known: Option<Uuid> = sqlx::query_scalar(SET_ROUTES)
            .bind(plugin.0)
            .bind(&routes)
            .bind(event.at)
            .fetch_optional(&mut *step)
            .await?;
        if known.is_none() {
            return Ok(false);
        }
        let detail = json!({ "routes": routes });
        audit::write(&mut step, event, AuditAction::PluginRoutesSet, Subjects::of_plugin(plugin), detail).await?;
        step.commit().await?;
        Ok(true)
    }

    pub(in crate::store) async fn plugins(&self) -> StoreResult<Vec<Plugin>> {
        let rows: Vec<PluginRow> = reading!(self, connection => sqlx::query_as(ALL).fetch_all(&mut *connection))?;
        rows.into_iter().map(Plugin::try_from).collect()
    }

    pub(in crate::store) async fn plugin_by_slug(&self, slug: &str) -> StoreResult<Option<Plugin>> {
        if is_no_text(slug) {
            return Ok(None);
        }
        let row: Option<PluginRow> =
            reading!(self, connection => sqlx::query_as(BY_SLUG).bind(slug).fetch_optional(&mut *connection))?;
        row.map(Plugin::try_from).transpose()
    }

    pub(in crate::store) async fn plugin(&self, id: PluginId) -> StoreResult<Option<Plugin>> {
        let row: Option<PluginRow> =
            reading!(self, connection => sqlx::query_as(BY_ID).bind(id.0).fetch_optional(&mut *connection))?;
        row.map(Plugin::try_from).transpose()
    }

    pub(in crate::store) async fn plugin_by_host(&self, host: &Host) -> StoreResult<Option<Plugin>> {
        let row: Option<PluginRow> =
            reading!(self, connection => sqlx::query_as(BY_HOST).bind(host.as_str()).fetch_optional(&mut *connection))?;
        row.map(Plugin::try_from).transpose()
    }

    pub(in crate::store) async fn document_kinds(&self, id: PluginId) -> StoreResult<Vec<DocumentKind>> {
        let kinds: Vec<String> = reading!(self, connection => sqlx::query_scalar(DOCUMENT_KINDS)
                .bind(id.0)
                .fetch_all(&mut *connection))?;
        kinds.iter().map(|kind| kind.parse().map_err(StoreError::broken)).collect()
    }

    pub(in crate::store) async fn document(&self, host: &Host, kind: DocumentKind) -> StoreResult<Option<Document>> {
        let row: Option<(String, Vec<u8>)> = reading!(self, connection => sqlx::query_as(DOCUMENT)
                .bind(host.as_str())
                .bind(kind.as_str())
                .fetch_optional(&mut *connection))?;
        Ok(row.map(|(content_type, body)| Document { kind, content_type, body }))
    }
}

/// What an import says otherwise than the plugin did: members of the manifest by their names, scopes with both sentences.
fn changes(known: &Plugin, wanted: &Plugin) -> Value {
    let members = |plugin: &Plugin| plugin.manifest.as_object().cloned().unwrap_or_default();
    let (before, after) = (members(known), members(wanted));
    let mut changed: Vec<&str> = before.keys().chain(after.keys()).map(String::as_str).collect();
    changed.sort_unstable();
    changed.dedup();
    changed.retain(|member| before.get(*member) != after.get(*member));
    if known.host != wanted.host {
        changed.push("host");
    }
    if known.accent_color != wanted.accent_color {
        changed.push("accent_color");
    }
    let scopes = wanted.scopes.iter().filter_map(|scope| {
        let before = known.scopes.iter().find(|known| known.name == scope.name);
        (before != Some(scope)).then(|| json!({ "before": before, "after": scope }))
    });
    json!({ "members": changed, "scopes": scopes.collect::<Vec<_>>() })
}

async fn insert(step: &mut Connection, import: &PluginImport) -> StoreResult<PluginId> {
    let plugin = &import.plugin;
    sqlx::query(INSERT)
        .bind(plugin.id.0)
        .bind(&plugin.slug)
        .bind(plugin.host.as_str())
        .bind(plugin.state.as_str())
        .bind(&plugin.upstream)
        .bind(plugin.subject_salt.0.as_slice())
        .bind(Json(&plugin.scopes))
        .bind(Json(&plugin.manifest))
        .bind(import.at)
        .bind(plugin.accent_color.map(|colour| colour.to_string()))
        .execute(&mut *step)
        .await?;
    forget(step, plugin, import.at).await?;
    Ok(plugin.id)
}

async fn update(step: &mut Connection, plugin: &Plugin) -> StoreResult<()> {
    sqlx::query(UPDATE)
        .bind(plugin.id.0)
        .bind(plugin.host.as_str())
        .bind(&plugin.upstream)
        .bind(Json(&plugin.scopes))
        .bind(Json(&plugin.manifest))
        .bind(plugin.state.as_str())
        .bind(plugin.accent_color.map(|colour| colour.to_string()))
        .execute(step)
        .await?;
    Ok(())
}
