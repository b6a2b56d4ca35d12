//! Who may connect to a plugin. Compiled once for each engine.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Connection, Engine, audit, reading};
use crate::{
    model::{
        access::{Access, Grants, Group, Rule, Who},
        audit::{Audit, AuditAction, Subjects},
        id::{AccountId, GroupId, PluginId},
    },
    store::{
        StoreError, StoreResult,
        access::{AccessChange, SetAccess, ShutOut},
        family_statements::{admits, granted, rules_that_name},
    },
};

const FIND: &str = "
    select p.version, p.is_open, w.kind, w.value, w.scopes, w.group_id, q.name as group_name
      from plugins p
      left join access_rules w on w.plugin_id = p.id and not p.is_open
      left join people_groups q on q.id = w.group_id
     where p.id = $1
     order by w.kind, q.name, w.value";

/// Holds the row, so that of two changes the second finds what the first has made.
const CHANGE: &str = "
    update plugins
       set is_open = $2, version = version + 1
     where id = $1
    returning version";

const FORGET: &str = "delete from access_rules where plugin_id = $1";

/// A group that is gone names nobody, and the rule is not written.
const PUT: &str = "
    insert into access_rules (plugin_id, kind, value, group_id, scopes)
    select $1, $2, $3, $4, $5
     where $4 is null
        or exists (select 1 from people_groups q where q.id = $4)";

const GRANTS: &str = concat!("select ", granted!(), "from accounts a, plugins p where a.id = $2 and p.id = $1");

/// The newest connections, each with whether its person is let in.
const CONNECTED: &str = concat!(
    "select a.id, ",
    admits!(),
    "  from (select k.account_id
               from resources r
               join consents k on k.resource = r.identifier and k.resource_generation = r.generation
              where r.plugin_id = $1
                and k.revoked_at is null
              limit $2) connected
       join accounts a on a.id = connected.account_id
       join plugins p on p.id = $1"
);

/// How many connections are looked at before a change.
const LOOKED_AT: i64 = 10_000;

/// The plugin's version and whether it is open, and one of its rules if there is one.
#[derive(sqlx::FromRow)]
struct RuleRow {
    version: i64,
    is_open: bool,
    kind: Option<String>,
    value: Option<String>,
    scopes: Option<String>,
    group_id: Option<Uuid>,
    group_name: Option<String>,
}

impl RuleRow {
    fn rule(self) -> StoreResult<Option<Rule>> {
        let (Some(kind), Some(value)) = (self.kind, self.value) else { return Ok(None) };
        let who = match (kind.as_str(), self.group_id, self.group_name) {
            ("everyone", ..) => Who::Everyone,
            ("domain", ..) => Who::Domain(value.parse().map_err(StoreError::broken)?),
            ("person", ..) => Who::Person(value.parse().map_err(StoreError::broken)?),
            ("group", Some(id), Some(name)) => {
                Who::Group(Group { id: GroupId(id), name: name.parse().map_err(StoreError::broken)? })
            }
            _ => return Err(StoreError::broken("a rule names nobody")),
        };
        let grants = match self.scopes {
            Some(scopes) => Grants::These(scopes.parse().map_err(StoreError::broken)?),
            None => Grants::Everything,
        };
        Ok(Some(Rule { who, grants }))
    }
}

impl Engine {
    pub(in crate::store) async fn access(&self, plugin: PluginId) -> StoreResult<Option<(i64, Access)>> {
        let rows: Vec<RuleRow> =
            reading!(self, connection => sqlx::query_as(FIND).bind(plugin.0).fetch_all(&mut *connection))?;
        let Some((version, is_open)) = rows.first().map(|row| (row.version, row.is_open)) else { return Ok(None) };
        if is_open {
            return Ok(Some((version, Access::Open)));
        }
        let rules: StoreResult<Vec<Rule>> = rows.into_iter().filter_map(|row| row.rule().transpose()).collect();
        Ok(Some((version, Access::Only(rules?))))
    }

    pub(in crate::store) async fn set_access(&self, change: &AccessChange, event: &Audit) -> StoreResult<SetAccess> {
        let mut step = self.begin().await?;
        let version = match put(&mut step, change.plugin_id, &change.access).await? {
            Some(version) if version == change.version + 1 => version,
            _ => return Ok(SetAccess::ChangedMeanwhile),
        };
        let subjects = Subjects { plugin_id: Some(change.plugin_id), ..Subjects::default() };
        audit::write(&mut step, event, AuditAction::PluginAccessChanged, subjects, told(&change.access)).await?;
        step.commit().await?;
        Ok(SetAccess::Done(version))
    }

    pub(in crate::store) async fn shut_out_by(&self, plugin: PluginId, access: &Access) -> StoreResult<ShutOut> {
        let mut step = self.begin().await?;
        let (inside, is_all) = let_in(&mut step, plugin).await?;
        if put(&mut step, plugin, access).await?.is_none() {
            return Ok(ShutOut { people: 0, is_all: true });
        }
        let (still, _) = let_in(&mut step, plugin).await?;
        step.rollback().await?;
        Ok(ShutOut { people: inside.difference(&still).count(), is_all })
    }

    pub(in crate::store) async fn grants_of(
        &self,
        plugin: PluginId,
        account: AccountId,
    ) -> StoreResult<Option<Grants>> {
        let row: Option<(Option<String>,)> = reading!(self, connection => sqlx::query_as(GRANTS)
            .bind(plugin.0)
            .bind(account.0)
            .fetch_optional(&mut *connection))?;
        let words = row.and_then(|(words,)| words);
        words.map(|words| Grants::of_words(&words).map_err(StoreError::broken)).transpose()
    }
}

/// Writes it; the plugin's new version, and none where it is gone or a group is.
async fn put(step: &mut Connection, plugin: PluginId, access: &Access) -> StoreResult<Option<i64>> {
    let is_open = *access == Access::Open;
    let version: Option<i64> =
        sqlx::query_scalar(CHANGE).bind(plugin.0).bind(is_open).fetch_optional(&mut *step).await?;
    sqlx::query(FORGET).bind(plugin.0).execute(&mut *step).await?;
    for rule in access.rules() {
        let (kind, value, group) = match &rule.who {
            Who::Everyone => ("everyone", String::new(), None),
            Who::Domain(domain) => ("domain", domain.as_str().to_owned(), None),
            Who::Person(email) => ("person", email.to_string(), None),
            Who::Group(group) => ("group", group.id.to_string(), Some(group.id.0)),
        };
        let scopes = match &rule.grants {
            Grants::Everything => None,
            Grants::These(scopes) => Some(scopes.to_string()),
        };
        let written =
            sqlx::query(PUT).bind(plugin.0).bind(kind).bind(value).bind(group).bind(scopes).execute(&mut *step).await?;
        if written.rows_affected() == 0 {
            return Ok(None);
        }
    }
    Ok(version)
}

/// The people who are connected and let in, and whether all connections were looked at.
async fn let_in(step: &mut Connection, plugin: PluginId) -> StoreResult<(BTreeSet<Uuid>, bool)> {
    let rows: Vec<(Uuid, bool)> =
        sqlx::query_as(CONNECTED).bind(plugin.0).bind(LOOKED_AT).fetch_all(&mut *step).await?;
    let is_all = i64::try_from(rows.len()).is_ok_and(|looked_at| looked_at < LOOKED_AT);
    Ok((rows.into_iter().filter(|(_, is_in)| *is_in).map(|(id, _)| id).collect(), is_all))
}

/// What the log is told. Of people only how many: whoever never had an account here does not stay in it.
fn told(access: &Access) -> Value {
    if *access == Access::Open {
        return json!({ "open": true });
    }
    let rules = access.rules();
    let named: Vec<String> =
        rules.iter().filter(|rule| !matches!(rule.who, Who::Person(_))).map(|rule| rule.who.to_string()).collect();
    json!({ "open": false, "rules": named, "people": rules.len() - named.len() })
}
