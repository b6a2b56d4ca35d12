//! Groups of people. Compiled once for each engine.

use serde_json::{Value, json};
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::{Connection, Db, Engine, accounts::hold, audit, holding, reading};
use crate::{
    model::{
        Timestamp,
        access::{Group, GroupName},
        audit::{Audit, AuditAction, Subjects},
        id::{AccountId, AuditEventId, GroupId, PluginId},
    },
    store::{
        StoreError, StoreResult,
        groups::{GroupOf, Member},
    },
};

const ALL: &str = "
    select q.id, q.name, q.created_at, (select count(*) from people_group_members m where m.group_id = q.id) as members
      from people_groups q
     order by q.name
     limit 1000";

const BY_NAME: &str = "select id from people_groups where name = $1";

const NAMED: &str = "select id, name from people_groups where name in (";

const INSERT: &str = "insert into people_groups (id, name, created_at) values ($1, $2, $3) on conflict do nothing";

/// The plugins whose rules name it, in the order in which everybody holds them.
const NAMED_BY: &str = "select distinct plugin_id from access_rules where group_id = $1 order by plugin_id";

/// Whoever edits a plugin's rules is told.
const RAISE: &str = "update plugins set version = version + 1 where id = $1";

/// Of everything that goes with a group first what others look at.
const DELETE: [&str; 3] = [
    "delete from access_rules where group_id = $1",
    "delete from people_group_members where group_id = $1",
    "delete from people_groups where id = $1",
];

/// Holds it against rules that are to name it, too.
const HOLD: &str = concat!("select id from people_groups where id = $1 ", holding!());

/// Locks the row without changing it: nobody puts anybody into a group that is being deleted.
const LOCK: &str = "update people_groups set name = name where id = $1";

const MEMBERS: &str = "
    select m.account_id, a.email, m.added_at
      from people_group_members m
      join accounts a on a.id = m.account_id
     where m.group_id = $1
     order by m.added_at, m.account_id
     limit 1000";

const ADD: &str = "
    insert into people_group_members (group_id, account_id, added_at)
    values ($1, $2, $3)
    on conflict do nothing";

const REMOVE: &str = "delete from people_group_members where group_id = $1 and account_id = $2";

impl Engine {
    pub(in crate::store) async fn groups(&self) -> StoreResult<Vec<GroupOf>> {
        let rows: Vec<(Uuid, String, Timestamp, i64)> =
            reading!(self, connection => sqlx::query_as(ALL).fetch_all(&mut *connection))?;
        let group = |(id, name, created_at, members): (Uuid, String, Timestamp, i64)| {
            let group = Group { id: GroupId(id), name: name.parse().map_err(StoreError::broken)? };
            Ok(GroupOf { group, members: u64::try_from(members).map_err(StoreError::broken)?, created_at })
        };
        rows.into_iter().map(group).collect()
    }

    pub(in crate::store) async fn group(&self, name: &GroupName) -> StoreResult<Option<Group>> {
        let id: Option<Uuid> = reading!(self, connection => sqlx::query_scalar(BY_NAME)
            .bind(name.as_str())
            .fetch_optional(&mut *connection))?;
        Ok(id.map(|id| Group { id: GroupId(id), name: name.clone() }))
    }

    pub(in crate::store) async fn groups_named(&self, names: &[GroupName]) -> StoreResult<Vec<Group>> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let rows: Vec<(Uuid, String)> = reading!(self, connection => named(&mut connection, names))?;
        let group =
            |(id, name): (Uuid, String)| Ok(Group { id: GroupId(id), name: name.parse().map_err(StoreError::broken)? });
        rows.into_iter().map(group).collect()
    }

    pub(in crate::store) async fn create_group(&self, group: &Group, event: &Audit) -> StoreResult<bool> {
        let mut step = self.begin().await?;
        let made =
            sqlx::query(INSERT).bind(group.id.0).bind(group.name.as_str()).bind(event.at).execute(&mut *step).await?;
        if made.rows_affected() == 0 {
            return Ok(false);
        }
        let detail = json!({ "group": group.id, "name": group.name.as_str() });
        tell(&mut step, event, AuditAction::GroupCreated, (None, detail)).await?;
        step.commit().await?;
        Ok(true)
    }

    pub(in crate::store) async fn delete_group(&self, group: GroupId, event: &Audit) -> StoreResult<bool> {
        let mut step = self.begin().await?;
        let held: Option<Uuid> = sqlx::query_scalar(HOLD).bind(group.0).fetch_optional(&mut *step).await?;
        if held.is_none() {
            return Ok(false);
        }
        let named_by: Vec<Uuid> = sqlx::query_scalar(NAMED_BY).bind(group.0).fetch_all(&mut *step).await?;
        for plugin in named_by {
            sqlx::query(RAISE).bind(plugin).execute(&mut *step).await?;
            let subjects = Subjects::of_plugin(PluginId(plugin));
            let told = of_plugin(event, plugin);
            audit::write(&mut step, &told, AuditAction::PluginAccessChanged, subjects, json!({ "deleted": group }))
                .await?;
        }
        for statement in DELETE {
            sqlx::query(statement).bind(group.0).execute(&mut *step).await?;
        }
        tell(&mut step, event, AuditAction::GroupDeleted, (None, json!({ "group": group }))).await?;
        step.commit().await?;
        Ok(true)
    }

    pub(in crate::store) async fn members_of(&self, group: GroupId) -> StoreResult<Vec<Member>> {
        let rows: Vec<(Uuid, String, Timestamp)> =
            reading!(self, connection => sqlx::query_as(MEMBERS).bind(group.0).fetch_all(&mut *connection))?;
        let member = |(id, email, added_at): (Uuid, String, Timestamp)| {
            Ok(Member { account_id: AccountId(id), email: email.parse().map_err(StoreError::broken)?, added_at })
        };
        rows.into_iter().map(member).collect()
    }

    pub(in crate::store) async fn add_member(
        &self,
        group: GroupId,
        account: AccountId,
        event: &Audit,
    ) -> StoreResult<bool> {
        let mut step = self.begin().await?;
        if hold(&mut step, account).await?.is_none() {
            return Ok(false);
        }
        if sqlx::query(LOCK).bind(group.0).execute(&mut *step).await?.rows_affected() == 0 {
            return Ok(false);
        }
        let added = sqlx::query(ADD).bind(group.0).bind(account.0).bind(event.at).execute(&mut *step).await?;
        if added.rows_affected() == 0 {
            return Ok(false);
        }
        let detail = json!({ "group": group });
        tell(&mut step, event, AuditAction::GroupMemberAdded, (Some(account), detail)).await?;
        step.commit().await?;
        Ok(true)
    }

    pub(in crate::store) async fn remove_member(
        &self,
        group: GroupId,
        account: AccountId,
        event: &Audit,
    ) -> StoreResult<bool> {
        let mut step = self.begin().await?;
        let removed = sqlx::query(REMOVE).bind(group.0).bind(account.0).execute(&mut *step).await?;
        if removed.rows_affected() == 0 {
            return Ok(false);
        }
        let detail = json!({ "group": group });
        tell(&mut step, event, AuditAction::GroupMemberRemoved, (Some(account), detail)).await?;
        step.commit().await?;
        Ok(true)
    }
}

async fn named(connection: &mut Connection, names: &[GroupName]) -> sqlx::Result<Vec<(Uuid, String)>> {
    let mut query = QueryBuilder::<Db>::new(NAMED);
    let mut list = query.separated(", ");
    for name in names {
        list.push_bind(name.as_str());
    }
    query.push(")");
    query.build_query_as().fetch_all(connection).await
}

/// The event of one of the plugins that go with a group: the same again when the step runs again.
fn of_plugin(event: &Audit, plugin: Uuid) -> Audit {
    let mut id = event.id.0.into_bytes();
    // What tells the time and the kind of id stands in the first nine.
    id.iter_mut().zip(plugin.into_bytes()).skip(9).for_each(|(byte, other)| *byte ^= other);
    Audit { id: AuditEventId(Uuid::from_bytes(id)), ..event.clone() }
}

async fn tell(
    step: &mut Connection,
    event: &Audit,
    action: AuditAction,
    (account_id, detail): (Option<AccountId>, Value),
) -> StoreResult<()> {
    audit::write(step, event, action, Subjects { account_id, ..Subjects::default() }, detail).await
}
