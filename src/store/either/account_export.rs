//! Everything that is kept of a person. Compiled once for each engine.

use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use super::{Engine, reading};
use crate::{
    model::{
        Timestamp,
        id::{AccountId, AuditEventId, FamilyId, SessionId},
    },
    store::{
        StoreResult,
        account_export::{
            AccountExport, ExportedAccount, ExportedConnection, ExportedConsent, ExportedEvent, ExportedIdentity,
            ExportedSession,
        },
    },
};

const IDENTITIES: &str = "
    select provider, subject, email, linked_at, last_used_at from identities where account_id = $1 order by id";

const CONSENTS: &str = "
    select c.client_id, c.name as client_name, k.resource, k.scopes, k.granted_at, k.revoked_at
      from consents k
      join clients c on c.id = k.client_id
     where k.account_id = $1
     order by k.id";

const SESSIONS: &str = "
    select id, auth_time, expires_at, address, user_agent from sessions where account_id = $1 order by id";

const CONNECTIONS: &str = "
    select f.id, c.client_id, f.resource, f.scopes, f.created_at, f.rotated_at, f.expires_at, f.ended_at
      from families f
      left join clients c on c.id = f.client_id
     where f.account_id = $1
     order by f.id";

const EVENTS: &str = "
    select id, at, action, actor, address, detail from audit_events where account_id = $1 order by id";

/// An id, when the person signed in, when it ends, from where, and with what.
type SessionRow = (Uuid, Timestamp, Timestamp, Option<String>, Option<String>);

#[derive(sqlx::FromRow)]
struct ConnectionRow {
    id: Uuid,
    client_id: Option<String>,
    resource: String,
    scopes: String,
    created_at: Timestamp,
    rotated_at: Option<Timestamp>,
    expires_at: Timestamp,
    ended_at: Option<Timestamp>,
}

#[derive(sqlx::FromRow)]
struct EventRow {
    id: Uuid,
    at: Timestamp,
    action: String,
    actor: String,
    address: Option<String>,
    detail: Json<Value>,
}

impl From<ConnectionRow> for ExportedConnection {
    fn from(row: ConnectionRow) -> Self {
        Self {
            family: FamilyId(row.id),
            client_id: row.client_id,
            resource: row.resource,
            scopes: row.scopes,
            created_at: row.created_at,
            rotated_at: row.rotated_at,
            expires_at: row.expires_at,
            ended_at: row.ended_at,
        }
    }
}

impl From<EventRow> for ExportedEvent {
    fn from(row: EventRow) -> Self {
        Self {
            event_id: AuditEventId(row.id),
            at: row.at,
            action: row.action,
            actor: row.actor,
            address: row.address,
            detail: row.detail.0,
        }
    }
}

/// Reads all rows of a person with one statement.
macro_rules! all_of {
    ($engine:expr, $id:expr, $statement:expr) => {
        reading!($engine, connection => sqlx::query_as($statement).bind($id.0).fetch_all(&mut *connection))?
    };
}

impl Engine {
    pub(in crate::store) async fn export_account(&self, id: AccountId) -> StoreResult<Option<AccountExport>> {
        let Some((account, _)) = self.account(id).await? else { return Ok(None) };
        let identities: Vec<ExportedIdentity> = all_of!(self, id, IDENTITIES);
        let consents: Vec<ExportedConsent> = all_of!(self, id, CONSENTS);
        let sessions: Vec<SessionRow> = all_of!(self, id, SESSIONS);
        let connections: Vec<ConnectionRow> = all_of!(self, id, CONNECTIONS);
        let events: Vec<EventRow> = all_of!(self, id, EVENTS);
        let session = |(id, signed_in_at, expires_at, address, user_agent)| ExportedSession {
            session_id: SessionId(id),
            signed_in_at,
            address,
            user_agent,
            expires_at,
        };
        Ok(Some(AccountExport {
            account: ExportedAccount {
                account_id: account.id,
                email: account.email,
                email_verified_at: account.email_verified_at,
                name: account.name,
                role: account.role,
                language: account.language,
                enabled: account.enabled,
                created_at: account.created_at,
            },
            identities,
            consents,
            sessions: sessions.into_iter().map(session).collect(),
            connections: connections.into_iter().map(Into::into).collect(),
            events: events.into_iter().map(Into::into).collect(),
        }))
    }
}
