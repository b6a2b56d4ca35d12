//! Everything that is kept of a person. Compiled once for each engine.

use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use super::{Engine, reading};
use crate::{
    model::{
        Timestamp,
        id::{AccountId, AuditEventId, FamilyId, LinkId, SessionId},
    },
    store::{
        StoreResult,
        account_export::{
            AccountExport, ExportedAccount, ExportedConnection, ExportedConsent, ExportedEvent, ExportedGroup,
            ExportedIdentity, ExportedLink, ExportedOwnerToken, ExportedPlugin, ExportedSession,
        },
    },
};

const IDENTITIES: &str = "
    select provider, subject, email, linked_at, last_used_at from identities where account_id = $1 order by id";

const CONSENTS: &str = "
    select c.client_id, c.name as client_name, k.resource, k.scopes, k.granted_at,
           case
               when k.resource_generation = r.generation then k.revoked_at
               else coalesce(k.revoked_at, k.granted_at)
           end as revoked_at
      from consents k
      left join resources r on r.identifier = k.resource
      join clients c on c.id = k.client_id
     where k.account_id = $1
     order by k.id";

const PLUGINS: &str = "
    select p.slug as plugin, o.added_at
      from plugin_owners o
      join plugins p on p.id = o.plugin_id
     where o.account_id = $1
     order by p.id";

const OWNER_TOKENS: &str = "
    select name, scopes, created_at, expires_at, last_used_at from owner_tokens where account_id = $1 order by id";

const GROUPS: &str = "
    select q.name as called, m.added_at
      from people_group_members m
      join people_groups q on q.id = m.group_id
     where m.account_id = $1
     order by q.id";

const SESSIONS: &str = "
    select id, auth_time, expires_at, address, user_agent from sessions where account_id = $1 order by id";

const CONNECTIONS: &str = "
    select f.id, c.client_id, f.resource, f.scopes, f.auth_time, f.created_at, f.rotated_at, f.idle_until, f.expires_at,
           f.ended_at, f.end_reason
      from families f
      left join clients c on c.id = f.client_id
     where f.account_id = $1
     order by f.id";

const LINKS: &str = "
    select id, purpose, email, language, created_at, expires_at, used_at, ended_at
      from links
     where account_id = $1
     order by id";

const EVENTS: &str = "
    select e.id, e.at, e.action, e.actor,
           case when e.actor = 'account' and e.actor_id <> $1 then null else e.address end as address, c.client_id, e.detail
      from audit_events e
      left join clients c on c.id = e.client_id
     where e.account_id = $1
     order by e.id";

/// An id, when the person signed in, when it ends, from where, and with what.
type SessionRow = (Uuid, Timestamp, Timestamp, Option<String>, Option<String>);

#[derive(sqlx::FromRow)]
struct ConnectionRow {
    id: Uuid,
    client_id: Option<String>,
    resource: String,
    scopes: String,
    auth_time: Timestamp,
    created_at: Timestamp,
    rotated_at: Option<Timestamp>,
    idle_until: Timestamp,
    expires_at: Timestamp,
    ended_at: Option<Timestamp>,
    end_reason: Option<String>,
}

#[derive(sqlx::FromRow)]
struct LinkRow {
    id: Uuid,
    purpose: String,
    email: String,
    language: Option<String>,
    created_at: Timestamp,
    expires_at: Timestamp,
    used_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
}

#[derive(sqlx::FromRow)]
struct EventRow {
    id: Uuid,
    at: Timestamp,
    action: String,
    actor: String,
    address: Option<String>,
    client_id: Option<String>,
    detail: Json<Value>,
}

impl From<ConnectionRow> for ExportedConnection {
    fn from(row: ConnectionRow) -> Self {
        Self {
            family: FamilyId(row.id),
            client_id: row.client_id,
            resource: row.resource,
            scopes: row.scopes,
            signed_in_at: row.auth_time,
            created_at: row.created_at,
            rotated_at: row.rotated_at,
            idle_until: row.idle_until,
            expires_at: row.expires_at,
            ended_at: row.ended_at,
            end_reason: row.end_reason,
        }
    }
}

impl From<LinkRow> for ExportedLink {
    fn from(row: LinkRow) -> Self {
        Self {
            link_id: LinkId(row.id),
            purpose: row.purpose,
            email: row.email,
            language: row.language,
            created_at: row.created_at,
            expires_at: row.expires_at,
            used_at: row.used_at,
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
            client_id: row.client_id,
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
        let plugins: Vec<ExportedPlugin> = all_of!(self, id, PLUGINS);
        let owner_tokens: Vec<ExportedOwnerToken> = all_of!(self, id, OWNER_TOKENS);
        let groups: Vec<ExportedGroup> = all_of!(self, id, GROUPS);
        let sessions: Vec<SessionRow> = all_of!(self, id, SESSIONS);
        let connections: Vec<ConnectionRow> = all_of!(self, id, CONNECTIONS);
        let links: Vec<LinkRow> = all_of!(self, id, LINKS);
        let events: Vec<EventRow> = all_of!(self, id, EVENTS);
        // Those that have expired and were not swept are still kept.
        let factors = self.factors(id, Timestamp::UNIX_EPOCH).await?;
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
            factors: factors.into(),
            sessions: sessions.into_iter().map(session).collect(),
            plugins,
            owner_tokens,
            groups,
            connections: connections.into_iter().map(Into::into).collect(),
            links: links.into_iter().map(Into::into).collect(),
            events: events.into_iter().map(Into::into).collect(),
        }))
    }
}
