//! Owners of plugins, and the plugins somebody may see. Compiled once for each engine.

use serde_json::json;
use uuid::Uuid;

use super::{
    Connection, Engine, audit,
    invitations::END_BY_INVITER,
    plugins::{ADD_OWNER, PluginRow, plugin_columns},
    reading,
};
use crate::{
    model::{
        Timestamp,
        audit::{Audit, AuditAction, Subjects},
        id::{AccountId, PluginId},
        plugin::{Plugin, Viewer},
    },
    store::{
        StoreError, StoreResult, is_no_text,
        owners::{Owner, Page, RemoveOwner},
    },
};

const ALL: &str =
    concat!("select ", plugin_columns!(), " from plugins where plugins.id < $1 order by plugins.id desc limit $2");

/// The join is led by the owner's own rows, which are in the order of the page.
const OF_OWNER: &str = concat!(
    "select ",
    plugin_columns!(),
    "  from plugins
       join plugin_owners o on o.plugin_id = plugins.id
      where o.account_id = $3
        and o.plugin_id < $1
      order by o.plugin_id desc
      limit $2"
);

const COUNT_OF_OWNER: &str =
    "select count(*) from (select 1 as one from plugin_owners where account_id = $1 limit $2) owned";

const SEEN_BY_OWNER: &str = concat!(
    "select ",
    plugin_columns!(),
    "  from plugins
      where slug = $1
        and exists (select 1 from plugin_owners o where o.plugin_id = plugins.id and o.account_id = $2)"
);

const OWNERS: &str = "
    select o.account_id, a.email, a.name, o.added_at
      from plugin_owners o
      join accounts a on a.id = o.account_id
     where o.plugin_id = $1
     order by o.added_at, o.account_id";

/// Locks the plugin's row without changing it.
pub(super) const LOCK: &str = "update plugins set version = version where id = $1";

/// Locks the plugin's row, so that of two owners who leave at once one stays; and raises its version, so that a change
/// under way by whoever leaves comes too late.
const LEAVE: &str = "update plugins set version = version + 1 where id = $1";

const COUNT: &str = "select count(*) from plugin_owners where plugin_id = $1";

const REMOVE: &str = "delete from plugin_owners where plugin_id = $1 and account_id = $2";

impl Engine {
    pub(in crate::store) async fn plugins_seen_by(
        &self,
        viewer: Viewer,
        page: Page<PluginId>,
    ) -> StoreResult<Vec<Plugin>> {
        let before = page.before.map_or(Uuid::max(), |id| id.0);
        let rows_max = i64::from(page.rows_max);
        let rows: Vec<PluginRow> = match viewer {
            Viewer::Administrator => {
                reading!(self, connection => sqlx::query_as(ALL).bind(before).bind(rows_max).fetch_all(&mut *connection))?
            }
            Viewer::Owner(account) => reading!(self, connection => sqlx::query_as(OF_OWNER)
                .bind(before)
                .bind(rows_max)
                .bind(account.0)
                .fetch_all(&mut *connection))?,
        };
        rows.into_iter().map(Plugin::try_from).collect()
    }

    pub(in crate::store) async fn count_plugins_of(&self, account: AccountId, most: u32) -> StoreResult<u32> {
        let count: i64 = reading!(self, connection => sqlx::query_scalar(COUNT_OF_OWNER)
            .bind(account.0)
            .bind(i64::from(most))
            .fetch_one(&mut *connection))?;
        u32::try_from(count).map_err(StoreError::broken)
    }

    pub(in crate::store) async fn plugin_seen_by(&self, viewer: Viewer, slug: &str) -> StoreResult<Option<Plugin>> {
        let Viewer::Owner(account) = viewer else { return self.plugin_by_slug(slug).await };
        if is_no_text(slug) {
            return Ok(None);
        }
        let row: Option<PluginRow> = reading!(self, connection => sqlx::query_as(SEEN_BY_OWNER)
            .bind(slug)
            .bind(account.0)
            .fetch_optional(&mut *connection))?;
        row.map(Plugin::try_from).transpose()
    }

    pub(in crate::store) async fn owners(&self, plugin: PluginId) -> StoreResult<Vec<Owner>> {
        let rows: Vec<(Uuid, String, String, Timestamp)> =
            reading!(self, connection => sqlx::query_as(OWNERS).bind(plugin.0).fetch_all(&mut *connection))?;
        let owner = |(id, email, name, added_at): (Uuid, String, String, Timestamp)| {
            let email = email.parse().map_err(StoreError::broken)?;
            Ok(Owner { account_id: AccountId(id), email, name, added_at })
        };
        rows.into_iter().map(owner).collect()
    }

    pub(in crate::store) async fn add_owner(
        &self,
        plugin: PluginId,
        account: AccountId,
        event: &Audit,
    ) -> StoreResult<bool> {
        let mut step = self.begin().await?;
        let added = sqlx::query(ADD_OWNER).bind(plugin.0).bind(account.0).bind(event.at).execute(&mut *step).await?;
        if added.rows_affected() == 0 {
            return Ok(false);
        }
        tell(&mut step, event, AuditAction::PluginOwnerAdded, (plugin, account)).await?;
        step.commit().await?;
        Ok(true)
    }

    pub(in crate::store) async fn remove_owner(
        &self,
        plugin: PluginId,
        account: AccountId,
        event: &Audit,
    ) -> StoreResult<RemoveOwner> {
        let mut step = self.begin().await?;
        sqlx::query(LEAVE).bind(plugin.0).execute(&mut *step).await?;
        let removed = sqlx::query(REMOVE).bind(plugin.0).bind(account.0).execute(&mut *step).await?;
        if removed.rows_affected() == 0 {
            return Ok(RemoveOwner::WasNone);
        }
        let left: i64 = sqlx::query_scalar(COUNT).bind(plugin.0).fetch_one(&mut *step).await?;
        if left == 0 {
            return Ok(RemoveOwner::IsTheLast);
        }
        for statement in END_BY_INVITER {
            sqlx::query(statement).bind(plugin.0).bind(account.0).bind(event.at).execute(&mut *step).await?;
        }
        tell(&mut step, event, AuditAction::PluginOwnerRemoved, (plugin, account)).await?;
        step.commit().await?;
        Ok(RemoveOwner::Removed)
    }
}

pub(super) async fn tell(
    step: &mut Connection,
    event: &Audit,
    action: AuditAction,
    (plugin, account): (PluginId, AccountId),
) -> StoreResult<()> {
    let subjects = Subjects { account_id: Some(account), plugin_id: Some(plugin), ..Subjects::default() };
    audit::write(step, event, action, subjects, json!({})).await
}
