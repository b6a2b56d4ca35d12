//! Reading the audit log. Compiled once for each engine.

use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use super::{Engine, reading};
use crate::{
    model::{
        Timestamp,
        audit::UsedToken,
        id::{AccountId, AuditEventId, OwnerTokenId},
    },
    store::{
        StoreResult,
        audit_log::{LogLine, LogQuery, Of},
        is_no_text,
    },
};

/// Lines before `$1`, at most `$2` of them.
macro_rules! lines {
    ($of:literal) => {
        concat!(
            "select e.id, e.at, e.action, e.actor, e.actor_id, e.address, e.request_id, e.account_id, e.detail, e.token_id,
                    e.token_name, d.name as actor_name,
                    a.name as account_name, a.email as account_email, c.client_id, c.name as client_name,
                    p.slug as plugin_slug
               from audit_events e
               left join accounts d on d.id = e.actor_id and e.actor = 'account'
               left join accounts a on a.id = e.account_id
               left join clients c on c.id = e.client_id
               left join plugins p on p.id = e.plugin_id
              where e.id < $1 ",
            $of,
            "order by e.id desc limit $2"
        )
    };
}

const ALL: &str = lines!("");
const OF_PLUGIN: &str = lines!("and e.plugin_id = $3 ");
const OF_ACTION: &str = lines!("and e.plugin_id = $3 and e.action = $4 ");
const OF_CLIENT: &str = lines!("and e.plugin_id = $3 and e.client_id = $4 ");

#[derive(sqlx::FromRow)]
struct LogRow {
    id: Uuid,
    at: Timestamp,
    action: String,
    actor: String,
    actor_id: Option<Uuid>,
    actor_name: Option<String>,
    address: Option<String>,
    request_id: Option<String>,
    account_id: Option<Uuid>,
    account_name: Option<String>,
    account_email: Option<String>,
    client_id: Option<String>,
    client_name: Option<String>,
    plugin_slug: Option<String>,
    detail: Json<Value>,
    token_id: Option<Uuid>,
    token_name: Option<String>,
}

impl From<LogRow> for LogLine {
    fn from(row: LogRow) -> Self {
        let is_account = row.actor == "account";
        let token = |id| UsedToken { id: OwnerTokenId(id), name: row.token_name.unwrap_or_default() };
        Self {
            id: AuditEventId(row.id),
            at: row.at,
            action: row.action,
            actor: row.actor,
            actor_account: row.actor_id.filter(|_| is_account).map(AccountId),
            actor_name: row.actor_name,
            token: row.token_id.map(token),
            address: row.address,
            request_id: row.request_id,
            account_id: row.account_id.map(AccountId),
            account_name: row.account_name,
            account_email: row.account_email,
            client_id: row.client_id,
            client_name: row.client_name,
            plugin_slug: row.plugin_slug,
            detail: row.detail.0,
        }
    }
}

impl Engine {
    pub(in crate::store) async fn audit_log(&self, query: &LogQuery) -> StoreResult<Vec<LogLine>> {
        let before = query.page.before.map_or(Uuid::max(), |id| id.0);
        let rows_max = i64::from(query.page.rows_max);
        let rows: Vec<LogRow> = match &query.of {
            Of::Server => {
                reading!(self, connection => sqlx::query_as(ALL).bind(before).bind(rows_max).fetch_all(&mut *connection))?
            }
            Of::Plugin(plugin) => reading!(self, connection => sqlx::query_as(OF_PLUGIN)
                .bind(before)
                .bind(rows_max)
                .bind(plugin.0)
                .fetch_all(&mut *connection))?,
            Of::Action(_, action) if is_no_text(action) => Vec::new(),
            Of::Action(plugin, action) => reading!(self, connection => sqlx::query_as(OF_ACTION)
                .bind(before)
                .bind(rows_max)
                .bind(plugin.0)
                .bind(action)
                .fetch_all(&mut *connection))?,
            Of::Client(plugin, client) => reading!(self, connection => sqlx::query_as(OF_CLIENT)
                .bind(before)
                .bind(rows_max)
                .bind(plugin.0)
                .bind(client.0)
                .fetch_all(&mut *connection))?,
        };
        Ok(rows.into_iter().map(LogLine::from).collect())
    }
}
