//! Groups of people. Compiled once for each engine.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Connection, Engine, accounts::hold, audit, reading};
use crate::{
    model::{
        Timestamp,
        access::{Group, GroupName},
        audit::{Audit, AuditAction, Subjects},
        id::{AccountId, GroupId},
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

const INSERT: &str = "insert into people_groups (id, name, created_at) values ($1, $2, $3) on conflict do nothing";

/// Of everything that goes with a group first what others look at; whoever edits a plugin's rules is told.
const DELETE: [&str; 4] = [
    "update plugins
        set version = version + 1
      where id in (select w.plugin_id from access_rules w where w.group_id = $1)",
    "delete from access_rules where group_id = $1",
    "delete from people_group_members where group_id = $1",
    "delete from people_groups where id = $1",
];

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
        sqlx::query(LOCK).bind(group.0).execute(&mut *step).await?;
        let mut deleted = 0;
        for statement in DELETE {
            deleted = sqlx::query(statement).bind(group.0).execute(&mut *step).await?.rows_affected();
        }
        if deleted == 0 {
            return Ok(false);
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

async fn tell(
    step: &mut Connection,
    event: &Audit,
    action: AuditAction,
    (account_id, detail): (Option<AccountId>, Value),
) -> StoreResult<()> {
    audit::write(step, event, action, Subjects { account_id, ..Subjects::default() }, detail).await
}
