//! Who may connect to a plugin. Compiled once for each engine.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use sqlx::QueryBuilder;
use uuid::Uuid;

use super::{Connection, Db, Engine, audit, holding, reading};
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

/// Those that stand, of which the plugin's version and whether it is open are no part.
const RULES: &str = "
    select p.version, p.is_open, w.kind, w.value, w.scopes, w.group_id, q.name as group_name
      from plugins p
      join access_rules w on w.plugin_id = p.id
      left join people_groups q on q.id = w.group_id
     where p.id = $1";

const GRANTS: &str = concat!("select ", granted!(), "from accounts a, plugins p where a.id = $2 and p.id = $1");

/// Who of the people who are connected is let in by the rules of `p`, which are those that stand before it, if any do.
const LET_IN: &str = concat!(
    " select a.id from connected join accounts a on a.id = connected.account_id join p on true where ",
    admits!()
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
        if !hold_groups(&mut step, &change.access).await? {
            return Ok(SetAccess::ChangedMeanwhile);
        }
        let version: Option<i64> = sqlx::query_scalar(CHANGE)
            .bind(change.plugin_id.0)
            .bind(change.access == Access::Open)
            .fetch_optional(&mut *step)
            .await?;
        let version = match version {
            Some(version) if version == change.version + 1 => version,
            _ => return Ok(SetAccess::ChangedMeanwhile),
        };
        let before: Vec<RuleRow> = sqlx::query_as(RULES).bind(change.plugin_id.0).fetch_all(&mut *step).await?;
        let before: StoreResult<Vec<Rule>> = before.into_iter().filter_map(|row| row.rule().transpose()).collect();
        let detail = told(&before?, &change.access);
        put(&mut step, change.plugin_id, &change.access).await?;
        let subjects = Subjects::of_plugin(change.plugin_id);
        audit::write(&mut step, event, AuditAction::PluginAccessChanged, subjects, detail).await?;
        step.commit().await?;
        Ok(SetAccess::Done(version))
    }

    pub(in crate::store) async fn shut_out_by(&self, plugin: PluginId, access: &Access) -> StoreResult<ShutOut> {
        let (people, looked_at) = reading!(self, connection => look(&mut connection, plugin, access))?;
        let people = usize::try_from(people).map_err(StoreError::broken)?;
        Ok(ShutOut { people, is_all: looked_at < LOOKED_AT })
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

/// Holds the groups that rules name, before the plugin, as who deletes one does; whether all of them are there.
async fn hold_groups(step: &mut Connection, access: &Access) -> StoreResult<bool> {
    let named: BTreeSet<Uuid> = access.rules().iter().filter_map(|rule| columns(&rule.who).2).collect();
    if named.is_empty() {
        return Ok(true);
    }
    let mut query = QueryBuilder::<Db>::new("select id from people_groups where id in (");
    let mut list = query.separated(", ");
    for id in &named {
        list.push_bind(*id);
    }
    query.push(concat!(") order by id ", holding!()));
    let held: Vec<(Uuid,)> = query.build_query_as().fetch_all(&mut *step).await?;
    Ok(held.len() == named.len())
}

/// Writes the rules, whatever was before.
async fn put(step: &mut Connection, plugin: PluginId, access: &Access) -> StoreResult<()> {
    sqlx::query(FORGET).bind(plugin.0).execute(&mut *step).await?;
    if access.rules().is_empty() {
        return Ok(());
    }
    let mut query = QueryBuilder::<Db>::new("insert into access_rules (plugin_id, kind, value, group_id, scopes) ");
    push_rules(&mut query, plugin, access.rules());
    query.build().execute(&mut *step).await?;
    Ok(())
}

/// How many people a change would shut out, and how many connections were looked at. In one part of the reading the
/// rules that would be written stand under the name of the table, so that it is the words of every other question that
/// answer; nothing is written, and no writer waits.
async fn look(connection: &mut Connection, plugin: PluginId, access: &Access) -> sqlx::Result<(i64, i64)> {
    let mut query = QueryBuilder::<Db>::new(
        "with connected as materialized (
             select k.account_id
               from resources r
               join consents k on k.resource = r.identifier and k.resource_generation = r.generation
              where k.revoked_at is null and r.plugin_id = ",
    );
    query.push_bind(plugin.0).push(" limit ").push_bind(LOOKED_AT);
    query.push("), still as (with access_rules (plugin_id, kind, value, group_id, scopes) as (");
    if access.rules().is_empty() {
        query.push_values([("nobody", "")], |mut row, (kind, value)| {
            row.push_bind(plugin.0).push_bind(kind).push_bind(value);
            row.push_bind(None::<Uuid>).push_bind(None::<String>);
        });
    } else {
        push_rules(&mut query, plugin, access.rules());
    }
    query.push("), p as (select ").push_bind(plugin.0).push(" as id, ").push_bind(*access == Access::Open);
    query.push(" as is_open)").push(LET_IN);
    query.push("), inside as (with p as (select id, is_open from plugins where id = ").push_bind(plugin.0);
    query.push(")").push(LET_IN);
    query.push(
        ") select (select count(distinct id) from inside where id not in (select id from still)),
                  (select count(*) from connected)",
    );
    query.build_query_as().fetch_one(connection).await
}

fn push_rules(query: &mut QueryBuilder<Db>, plugin: PluginId, rules: &[Rule]) {
    query.push_values(rules, |mut row, rule| {
        let (kind, value, group) = columns(&rule.who);
        row.push_bind(plugin.0).push_bind(kind).push_bind(value).push_bind(group).push_bind(scopes(&rule.grants));
    });
}

fn columns(who: &Who) -> (&'static str, String, Option<Uuid>) {
    match who {
        Who::Everyone => ("everyone", String::new(), None),
        Who::Domain(domain) => ("domain", domain.as_str().to_owned(), None),
        Who::Person(email) => ("person", email.to_string(), None),
        Who::Group(group) => ("group", group.id.to_string(), Some(group.id.0)),
    }
}

fn scopes(grants: &Grants) -> Option<String> {
    match grants {
        Grants::Everything => None,
        Grants::These(scopes) => Some(scopes.to_string()),
    }
}

/// What the log is told: whom the rules name and what they may grant, and how many came and went. Of people only how
/// many there are: whoever never had an account here does not stay in it.
fn told(before: &[Rule], access: &Access) -> Value {
    let rules = access.rules();
    let not_in = |some: &[Rule], others: &[Rule]| some.iter().filter(|rule| !others.contains(rule)).count();
    let (added, removed) = (not_in(rules, before), not_in(before, rules));
    if *access == Access::Open {
        return json!({ "open": true, "removed": removed });
    }
    let named: Vec<Value> = rules
        .iter()
        .filter(|rule| !matches!(rule.who, Who::Person(_)))
        .map(|rule| json!({ "who": rule.who.to_string(), "scopes": scopes(&rule.grants) }))
        .collect();
    let people = rules.len() - named.len();
    json!({ "open": false, "rules": named, "people": people, "added": added, "removed": removed })
}
