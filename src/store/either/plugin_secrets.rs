//! Plugins' secrets: put away, replaced, ended, removed. Compiled once for each engine.
//!
//! Whoever changes a secret or its versions holds the secret's row first.

use serde_json::json;

use super::{
    Connection, Engine, audit, holding,
    plugin_secret_rows::{Row, SettingsRow, WIPED, gathered, lines, routes, told, told_of_change},
    reading,
};
use crate::{
    model::{
        Timestamp,
        audit::{Audit, AuditAction, Subjects},
        id::{PluginId, SecretId, SecretVersionId},
        plugin_secret::SecretName,
    },
    store::{
        StoreError, StoreResult,
        plugin_secrets::{
            AddSecret, ChangeSecret, NewSecret, NewSecretVersion, Overlap, PluginSecret, PluginSecretRotation,
            SecretChange, SecretSettings,
        },
    },
};

/// How many versions of a secret are remembered that have ended.
const REMEMBERED: i64 = 20;

const COUNT: &str = "select count(*) from plugin_secrets where plugin_id = $1 and removed_at is null";

/// Held, so that of many at once no more are added than may be.
const HOLD_PLUGIN: &str = concat!("select id from plugins where id = $1 ", holding!());

const IN_HEADER: &str = "
    select name, routes from plugin_secrets
     where plugin_id = $1 and header = $2 and id <> $3 and removed_at is null
     order by name";

const ADD: &str = "
    insert into plugin_secrets
           (id, plugin_id, name, header, prefix, routes, grace_seconds, rotate_every_seconds, due_at, rotator, follows,
            follows_sealed, try_at, created_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
    on conflict (plugin_id, name) where removed_at is null do nothing";

const ADD_VERSION: &str = "
    insert into plugin_secret_versions (id, secret_id, number, sealed, issuer_id, made_at)
    values ($1, $2, $3, $4, $5, $6)";

macro_rules! listed {
    ($narrower:literal) => {
        concat!(
            "select s.id, s.name, s.revision, s.header, s.prefix, s.routes, s.grace_seconds, s.rotate_every_seconds,
                    s.due_at, s.rotator, s.follows, s.try_at, s.failing_since, s.says, s.created_at,
                    v.number, v.made_at, v.ends_at, v.ended_at, v.revoke_at is not null as is_to_be_revoked,
                    v.last_used_at, v.issuer_id
               from plugin_secrets s
               join plugin_secret_versions v on v.secret_id = s.id
              where s.plugin_id = $1
                and s.removed_at is null ",
            $narrower,
            " order by s.name, v.number desc"
        )
    };
}

const LIST: &str = listed!("");

const FIND: &str = listed!("and s.name = $2");

const HAS_ANY: &str = "select exists (select 1 from plugin_secrets where plugin_id = $1 and removed_at is null)";

const NAMED: &str = "select plugin_id from plugin_secrets where name = $1 and removed_at is null order by plugin_id";

const HOLD: &str = concat!(
    "select plugin_id, name, revision, turn, header, prefix, routes, grace_seconds, rotate_every_seconds, rotator, follows
       from plugin_secrets
      where id = $1 and removed_at is null ",
    holding!()
);

const NEWEST: &str = "select max(number) from plugin_secret_versions where secret_id = $1";

/// Those before the new one are good until then, and not longer than they were to be.
const OLD_UNTIL: &str = "
    update plugin_secret_versions
       set ends_at = case when ends_at < $3 then ends_at else $3 end,
           revoke_at = case when issuer_id is null then null when revoke_at < $3 then revoke_at else $3 end
     where secret_id = $1 and number < $2 and ended_at is null";

/// A failure is of a version that is not the newest any more; whoever is still making one makes it for nothing, and nobody
/// else begins to until they are done.
const TURNED: &str = "
    update plugin_secrets
       set revision = revision + 1, turn = turn + 1, due_at = $2, try_at = $3, told_at = null, failures = 0,
           failing_since = null, says = null, taken_until = case when $4 then null else taken_until end
     where id = $1";

/// What has ended, and is ended elsewhere too.
const FORGET: &str = "
    delete from plugin_secret_versions
     where secret_id = $1 and number < $2 and ended_at is not null and revoke_at is null";

const END: &str = "
    update plugin_secret_versions
       set sealed = $4, ends_at = $3, ended_at = $3, revoke_at = case when issuer_id is null then null else $3 end
     where secret_id = $1 and number = $2 and ended_at is null";

const CHANGE: &str = "
    update plugin_secrets
       set revision = revision + 1, turn = turn + 1, header = $2, prefix = $3, routes = $4, grace_seconds = $5,
           rotate_every_seconds = $6, due_at = $7, try_at = $8,
           told_at = case when due_at = $7 then told_at end
     where id = $1";

/// What failed before says nothing of who makes the next version. A reference is given once, when the secret is put away.
const CHANGE_SOURCE: &str = "
    update plugin_secrets
       set rotator = $2, follows = $3, follows_sealed = null, failures = 0, failing_since = null, says = null
     where id = $1";

const END_ALL: &str = "
    update plugin_secret_versions
       set sealed = $3, ends_at = $2, ended_at = $2, revoke_at = case when issuer_id is null then null else $2 end
     where secret_id = $1 and ended_at is null";

/// A rotator is asked once more, to end what it may have made while nobody could keep it.
const REMOVE: &str = "
    update plugin_secrets
       set removed_at = $2, due_at = null, turn = turn + 1, try_at = case when rotator is null then null else $2 end
     where id = $1";

/// One that was removed, once nothing of it is left where it was issued.
pub(super) const DELETE: &str = "
    delete from plugin_secrets
     where id = $1
       and removed_at is not null
       and try_at is null
       and not exists (select 1 from plugin_secret_versions v where v.secret_id = $1 and v.revoke_at is not null)";

/// A secret that somebody holds.
#[derive(sqlx::FromRow)]
pub(super) struct Held {
    plugin_id: uuid::Uuid,
    pub(super) name: String,
    revision: i64,
    turn: i64,
    #[sqlx(flatten)]
    settings: SettingsRow,
}

impl Held {
    pub(super) fn subjects(&self) -> Subjects {
        Subjects::of_plugin(PluginId(self.plugin_id))
    }
}

impl Engine {
    pub(in crate::store) async fn add_plugin_secret(
        &self,
        secret: &NewSecret,
        event: &Audit,
    ) -> StoreResult<AddSecret> {
        let (id, plugin) = (secret.id.0, secret.plugin_id.0);
        let mut step = self.begin().await?;
        sqlx::query(HOLD_PLUGIN).bind(plugin).execute(&mut *step).await?;
        let count: i64 = sqlx::query_scalar(COUNT).bind(plugin).fetch_one(&mut *step).await?;
        if count >= i64::from(secret.secrets_max) {
            return Ok(AddSecret::TooMany);
        }
        let settings = &secret.settings;
        if let Some(overlap) = overlap(&mut step, (secret.plugin_id, secret.id), settings).await? {
            let is_itself = overlap.name == secret.name;
            return Ok(if is_itself { AddSecret::NameTaken } else { AddSecret::Overlaps(overlap) });
        }
        let (rotator, follows) = (settings.source.rotator(), settings.source.reference());
        let added = sqlx::query(ADD)
            .bind(id)
            .bind(plugin)
            .bind(secret.name.as_str())
            .bind(settings.injection.header())
            .bind(settings.injection.prefix())
            .bind(lines(&settings.routes))
            .bind(settings.grace.num_seconds())
            .bind(settings.rotate_every.map(|age| age.num_seconds()))
            .bind(secret.due.due_at)
            .bind(rotator)
            .bind(follows)
            .bind(&secret.follows_sealed)
            .bind(secret.due.try_at)
            .bind(event.at)
            .execute(&mut *step)
            .await?;
        if added.rows_affected() == 0 {
            return Ok(AddSecret::NameTaken);
        }
        add_version(&mut step, secret.id, &secret.version, event.at).await?;
        let mut detail = told(settings);
        detail["name"] = json!(secret.name.as_str());
        audit::write(&mut step, event, AuditAction::SecretAdded, Subjects::of_plugin(secret.plugin_id), detail).await?;
        step.commit().await?;
        Ok(AddSecret::Added)
    }

    pub(in crate::store) async fn plugin_secrets(&self, plugin: PluginId) -> StoreResult<Vec<PluginSecret>> {
        let rows: Vec<Row> =
            reading!(self, connection => sqlx::query_as(LIST).bind(plugin.0).fetch_all(&mut *connection))?;
        gathered(plugin, rows)
    }

    pub(in crate::store) async fn has_plugin_secrets(&self, plugin: PluginId) -> StoreResult<bool> {
        reading!(self, connection => has_secrets(&mut connection, plugin))
    }

    pub(in crate::store) async fn plugin_secret(
        &self,
        plugin: PluginId,
        name: &SecretName,
    ) -> StoreResult<Option<PluginSecret>> {
        let rows: Vec<Row> = reading!(self, connection => sqlx::query_as(FIND)
            .bind(plugin.0)
            .bind(name.as_str())
            .fetch_all(&mut *connection))?;
        Ok(gathered(plugin, rows)?.pop())
    }

    pub(in crate::store) async fn plugins_with_secret(&self, name: &SecretName) -> StoreResult<Vec<PluginId>> {
        let ids: Vec<uuid::Uuid> = reading!(self, connection => sqlx::query_scalar(NAMED)
            .bind(name.as_str())
            .fetch_all(&mut *connection))?;
        Ok(ids.into_iter().map(PluginId).collect())
    }

    pub(in crate::store) async fn rotate_plugin_secret(
        &self,
        rotation: &PluginSecretRotation,
        event: &Audit,
    ) -> StoreResult<ChangeSecret> {
        let (id, version) = (rotation.secret_id, &rotation.version);
        let mut step = self.begin().await?;
        let Some(held) = hold(&mut step, id).await? else { return Ok(ChangeSecret::Gone) };
        let newest: i64 = sqlx::query_scalar(NEWEST).bind(id.0).fetch_one(&mut *step).await?;
        let is_seen = |seen: Option<i64>, held: i64| seen.is_none_or(|seen| seen == held);
        let is_as_seen = is_seen(rotation.turn, held.turn) && is_seen(rotation.revision, held.revision);
        if newest + 1 != version.number || !is_as_seen {
            return Ok(ChangeSecret::ChangedMeanwhile);
        }
        add_version(&mut step, id, version, event.at).await?;
        sqlx::query(OLD_UNTIL).bind(id.0).bind(version.number).bind(rotation.old_until).execute(&mut *step).await?;
        let due = &rotation.due;
        sqlx::query(TURNED)
            .bind(id.0)
            .bind(due.due_at)
            .bind(due.try_at)
            .bind(rotation.turn.is_some())
            .execute(&mut *step)
            .await?;
        sqlx::query(FORGET).bind(id.0).bind(version.number - REMEMBERED).execute(&mut *step).await?;
        let detail = json!({
            "name": held.name,
            "version": version.number,
            "old_until": rotation.old_until,
            "due_at": due.due_at,
        });
        audit::write(&mut step, event, AuditAction::SecretRotated, held.subjects(), detail).await?;
        step.commit().await?;
        Ok(ChangeSecret::Done)
    }

    pub(in crate::store) async fn end_secret_version(
        &self,
        secret: SecretId,
        number: i64,
        event: &Audit,
    ) -> StoreResult<ChangeSecret> {
        let mut step = self.begin().await?;
        let Some(held) = hold(&mut step, secret).await? else { return Ok(ChangeSecret::Gone) };
        let newest: i64 = sqlx::query_scalar(NEWEST).bind(secret.0).fetch_one(&mut *step).await?;
        if newest == number || !end(&mut step, (secret, number), event.at).await? {
            return Ok(ChangeSecret::Gone);
        }
        let detail = json!({ "name": held.name, "version": number });
        audit::write(&mut step, event, AuditAction::SecretVersionEnded, held.subjects(), detail).await?;
        step.commit().await?;
        Ok(ChangeSecret::Done)
    }

    pub(in crate::store) async fn change_plugin_secret(
        &self,
        change: &SecretChange,
        event: &Audit,
    ) -> StoreResult<ChangeSecret> {
        let mut step = self.begin().await?;
        sqlx::query(HOLD_PLUGIN).bind(change.plugin_id.0).execute(&mut *step).await?;
        let Some(held) = hold(&mut step, change.secret_id).await? else { return Ok(ChangeSecret::Gone) };
        if held.revision != change.seen {
            return Ok(ChangeSecret::ChangedMeanwhile);
        }
        let settings = &change.settings;
        if let Some(overlap) = overlap(&mut step, (change.plugin_id, change.secret_id), settings).await? {
            return Ok(ChangeSecret::Overlaps(overlap));
        }
        let (subjects, before) = (held.subjects(), held.settings.settings()?);
        sqlx::query(CHANGE)
            .bind(change.secret_id.0)
            .bind(settings.injection.header())
            .bind(settings.injection.prefix())
            .bind(lines(&settings.routes))
            .bind(settings.grace.num_seconds())
            .bind(settings.rotate_every.map(|age| age.num_seconds()))
            .bind(change.due.due_at)
            .bind(change.due.try_at)
            .execute(&mut *step)
            .await?;
        if before.source != settings.source {
            let (rotator, follows) = (settings.source.rotator(), settings.source.reference());
            sqlx::query(CHANGE_SOURCE).bind(change.secret_id.0).bind(rotator).bind(follows).execute(&mut *step).await?;
        }
        let mut detail = told_of_change(&before, settings);
        detail["name"] = json!(held.name);
        audit::write(&mut step, event, AuditAction::SecretChanged, subjects, detail).await?;
        step.commit().await?;
        Ok(ChangeSecret::Done)
    }

    pub(in crate::store) async fn remove_plugin_secret(
        &self,
        secret: SecretId,
        event: &Audit,
    ) -> StoreResult<ChangeSecret> {
        let mut step = self.begin().await?;
        let Some(held) = hold(&mut step, secret).await? else { return Ok(ChangeSecret::Gone) };
        sqlx::query(END_ALL).bind(secret.0).bind(event.at).bind(WIPED).execute(&mut *step).await?;
        sqlx::query(REMOVE).bind(secret.0).bind(event.at).execute(&mut *step).await?;
        sqlx::query(DELETE).bind(secret.0).execute(&mut *step).await?;
        let detail = json!({ "name": held.name });
        audit::write(&mut step, event, AuditAction::SecretRemoved, held.subjects(), detail).await?;
        step.commit().await?;
        Ok(ChangeSecret::Done)
    }
}

pub(super) async fn hold(step: &mut Connection, secret: SecretId) -> StoreResult<Option<Held>> {
    Ok(sqlx::query_as(HOLD).bind(secret.0).fetch_optional(step).await?)
}

/// Whether a plugin has any.
pub(super) async fn has_secrets(connection: &mut Connection, plugin: PluginId) -> StoreResult<bool> {
    Ok(sqlx::query_scalar(HAS_ANY).bind(plugin.0).fetch_one(connection).await?)
}

/// Whether another secret of the plugin goes into the same header of the same requests. Whoever asks holds the plugin.
async fn overlap(
    step: &mut Connection,
    (plugin, secret): (PluginId, SecretId),
    settings: &SecretSettings,
) -> StoreResult<Option<Overlap>> {
    let others: Vec<(String, String)> = sqlx::query_as(IN_HEADER)
        .bind(plugin.0)
        .bind(settings.injection.header())
        .bind(secret.0)
        .fetch_all(step)
        .await?;
    for (name, its) in others {
        let its = routes(&its)?;
        if let Some(route) = settings.routes.iter().find(|route| its.iter().any(|its| its.overlaps(route))) {
            let name = name.parse().map_err(StoreError::broken)?;
            return Ok(Some(Overlap { name, route: route.clone() }));
        }
    }
    Ok(None)
}

async fn add_version(
    step: &mut Connection,
    secret: SecretId,
    version: &NewSecretVersion,
    at: Timestamp,
) -> StoreResult<()> {
    let SecretVersionId(id) = version.id;
    sqlx::query(ADD_VERSION)
        .bind(id)
        .bind(secret.0)
        .bind(version.number)
        .bind(&version.sealed)
        .bind(&version.issuer_id)
        .bind(at)
        .execute(step)
        .await?;
    Ok(())
}

/// Wipes a version; whether there was something to wipe.
async fn end(step: &mut Connection, (secret, number): (SecretId, i64), at: Timestamp) -> StoreResult<bool> {
    let ended = sqlx::query(END).bind(secret.0).bind(number).bind(at).bind(WIPED).execute(step).await?;
    Ok(ended.rows_affected() > 0)
}
