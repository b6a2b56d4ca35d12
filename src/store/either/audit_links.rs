//! The audit log's chain. Compiled once for each engine.

use serde_json::Value;
use sqlx::{QueryBuilder, types::Json};
use uuid::Uuid;

use super::{Connection, Db, Engine, holding, reading};
use crate::{
    model::{Timestamp, digest::Digest, id::AuditEventId, key::Kid},
    store::{
        StoreError, StoreResult,
        audit_links::{AuditLink, EventRange, Forgotten, Member, NewBeginning, StoredEvent},
    },
};

macro_rules! select_events {
    () => {
        "select id, at, action, actor, actor_id, token_id, token_name, address, request_id, account_id, client_id,
                plugin_id, detail
           from audit_events "
    };
}

macro_rules! select_links {
    () => {
        "select number, made_at, node, reached, members, previous, digest, kid, mac from audit_links "
    };
}

/// An id of zeros is nobody's, so that it stands for the beginning.
const IN_RANGE: &str = concat!(select_events!(), "where id > $1 and id <= $2 order by id limit $3");
const OF_PLUGIN_IN_RANGE: &str =
    concat!(select_events!(), "where id > $1 and id <= $2 and plugin_id = $4 order by id limit $3");
const ID_IN_RANGE: &str = "select id from audit_events where id > $1 and id <= $2 order by id limit $3";
const ONE: &str = concat!(select_events!(), "where id = $1");

const LAST: &str = concat!(select_links!(), "order by number desc limit 1");
const AFTER: &str = concat!(select_links!(), "where number > $1 order by number limit $2");
const LAST_OF_KEY: &str = concat!(select_links!(), "where kid = $1 order by number desc limit 1");
const LAST_NUMBER_OF_KEY: &str = "select max(number) from audit_links where kid = $1";
const FIRST_REACHING: &str = "select min(number) from audit_links where reached >= $1";
const MEMBERS_AFTER: &str = "select members from audit_links where reached > $1";

const MADE_WITH: &str = "
    select (select count(*) from (select 1 as one from audit_links where kid = $1 limit 1) made)
           + (select count(*) from audit_forgotten where kid = $1)";

/// What a link was made of may have been read before another node made one: then there is one with its number. And its key
/// may have been given up since: whoever does that waits here, and then finds the link.
const ADD: &str = concat!(
    "insert into audit_links (number, made_at, node, reached, members, previous, digest, kid, mac)
     select $1, $2, $3, $4, $5, $6, $7, kid, $9
       from working_keys
      where kid = $8 and gone_at is null ",
    holding!(),
    " on conflict (number) do nothing"
);

const FORGOTTEN: &str = "
    select number, digest, unproven_number, unproven_digest, forgotten_at, kid, mac from audit_forgotten";

const DELETE_LINKS: &str = "delete from audit_links where number between $1 and $2";

const BEGIN_FIRST: &str = "
    insert into audit_forgotten (id, number, digest, unproven_number, unproven_digest, forgotten_at, kid, mac)
    values (1, $1, $2, $3, $4, $5, $6, $7)
    on conflict (id) do nothing";

/// All that was said is known by what authenticates it.
const BEGIN_ANEW: &str = "
    update audit_forgotten
       set number = $1, digest = $2, unproven_number = $3, unproven_digest = $4, forgotten_at = $5, kid = $6, mac = $7
     where kid = $8 and mac = $9";

/// How many events are deleted in one statement.
const BATCH: usize = 500;

#[derive(sqlx::FromRow)]
struct EventRow {
    id: Uuid,
    at: Timestamp,
    action: String,
    actor: String,
    actor_id: Option<Uuid>,
    token_id: Option<Uuid>,
    token_name: Option<String>,
    address: Option<String>,
    request_id: Option<String>,
    account_id: Option<Uuid>,
    client_id: Option<Uuid>,
    plugin_id: Option<Uuid>,
    detail: Json<Value>,
}

impl From<EventRow> for StoredEvent {
    fn from(row: EventRow) -> Self {
        Self {
            id: AuditEventId(row.id),
            at: row.at,
            action: row.action,
            actor: row.actor,
            actor_id: row.actor_id,
            token_id: row.token_id,
            token_name: row.token_name,
            address: row.address,
            request_id: row.request_id,
            account_id: row.account_id,
            client_id: row.client_id,
            plugin_id: row.plugin_id,
            detail: row.detail.0,
        }
    }
}

#[derive(sqlx::FromRow)]
struct LinkRow {
    number: i64,
    made_at: Timestamp,
    node: String,
    reached: Uuid,
    members: Vec<u8>,
    previous: Vec<u8>,
    digest: Vec<u8>,
    kid: i64,
    mac: Vec<u8>,
}

impl TryFrom<LinkRow> for AuditLink {
    type Error = StoreError;

    fn try_from(row: LinkRow) -> StoreResult<Self> {
        Ok(Self {
            number: row.number,
            made_at: row.made_at,
            node: row.node,
            reached: AuditEventId(row.reached),
            members: Member::unpack(&row.members),
            previous: Digest(bytes(row.previous)?),
            digest: Digest(bytes(row.digest)?),
            kid: kid(row.kid)?,
            mac: bytes(row.mac)?,
        })
    }
}

#[derive(sqlx::FromRow)]
struct ForgottenRow {
    number: i64,
    digest: Vec<u8>,
    unproven_number: Option<i64>,
    unproven_digest: Option<Vec<u8>>,
    forgotten_at: Timestamp,
    kid: i64,
    mac: Vec<u8>,
}

fn bytes(column: Vec<u8>) -> StoreResult<[u8; 32]> {
    column.try_into().map_err(|_| StoreError::Broken("a digest in the audit log's chain has another length".into()))
}

fn kid(column: i64) -> StoreResult<Kid> {
    u32::try_from(column)
        .map(Kid)
        .map_err(|_| StoreError::Broken("a kid in the audit log's chain is out of range".into()))
}

impl Engine {
    pub(in crate::store) async fn stored_events(&self, range: &EventRange) -> StoreResult<Vec<StoredEvent>> {
        let rows_max = i64::from(range.rows_max);
        let after = range.after.map_or(Uuid::nil(), |id| id.0);
        let rows: Vec<EventRow> = match range.plugin {
            None => reading!(self, connection => sqlx::query_as(IN_RANGE)
                .bind(after)
                .bind(range.until.0)
                .bind(rows_max)
                .fetch_all(&mut *connection))?,
            Some(plugin) => reading!(self, connection => sqlx::query_as(OF_PLUGIN_IN_RANGE)
                .bind(after)
                .bind(range.until.0)
                .bind(rows_max)
                .bind(plugin.0)
                .fetch_all(&mut *connection))?,
        };
        Ok(rows.into_iter().map(StoredEvent::from).collect())
    }

    pub(in crate::store) async fn stored_event_ids(&self, range: &EventRange) -> StoreResult<Vec<AuditEventId>> {
        let ids: Vec<Uuid> = reading!(self, connection => sqlx::query_scalar(ID_IN_RANGE)
            .bind(range.after.map_or(Uuid::nil(), |id| id.0))
            .bind(range.until.0)
            .bind(i64::from(range.rows_max))
            .fetch_all(&mut *connection))?;
        Ok(ids.into_iter().map(AuditEventId).collect())
    }

    pub(in crate::store) async fn stored_event(&self, id: AuditEventId) -> StoreResult<Option<StoredEvent>> {
        let row: Option<EventRow> =
            reading!(self, connection => sqlx::query_as(ONE).bind(id.0).fetch_optional(&mut *connection))?;
        Ok(row.map(StoredEvent::from))
    }

    pub(in crate::store) async fn last_audit_link(&self) -> StoreResult<Option<AuditLink>> {
        let row: Option<LinkRow> = reading!(self, connection => sqlx::query_as(LAST).fetch_optional(&mut *connection))?;
        row.map(AuditLink::try_from).transpose()
    }

    pub(in crate::store) async fn audit_links(&self, after: i64, rows_max: u32) -> StoreResult<Vec<AuditLink>> {
        let rows: Vec<LinkRow> = reading!(self, connection => sqlx::query_as(AFTER)
            .bind(after)
            .bind(i64::from(rows_max))
            .fetch_all(&mut *connection))?;
        rows.into_iter().map(AuditLink::try_from).collect()
    }

    pub(in crate::store) async fn first_audit_link_reaching(&self, event: AuditEventId) -> StoreResult<Option<i64>> {
        reading!(self, connection => sqlx::query_scalar(FIRST_REACHING).bind(event.0).fetch_one(&mut *connection))
    }

    pub(in crate::store) async fn linked_after(&self, event: AuditEventId) -> StoreResult<Vec<Member>> {
        let columns: Vec<Vec<u8>> =
            reading!(self, connection => sqlx::query_scalar(MEMBERS_AFTER).bind(event.0).fetch_all(&mut *connection))?;
        Ok(columns.iter().flat_map(|column| Member::unpack(column)).collect())
    }

    pub(in crate::store) async fn is_chained_with(&self, key: Kid) -> StoreResult<bool> {
        let key = i64::from(key.0);
        let made: i64 =
            reading!(self, connection => sqlx::query_scalar(MADE_WITH).bind(key).fetch_one(&mut *connection))?;
        Ok(made > 0)
    }

    pub(in crate::store) async fn add_audit_link(&self, link: &AuditLink) -> StoreResult<bool> {
        let mut step = self.begin().await?;
        let added = sqlx::query(ADD)
            .bind(link.number)
            .bind(link.made_at)
            .bind(&link.node)
            .bind(link.reached.0)
            .bind(Member::pack(&link.members))
            .bind(link.previous.0.as_slice())
            .bind(link.digest.0.as_slice())
            .bind(i64::from(link.kid.0))
            .bind(link.mac.as_slice())
            .execute(&mut *step)
            .await?
            .rows_affected();
        step.commit().await?;
        Ok(added == 1)
    }

    pub(in crate::store) async fn audit_forgotten(&self) -> StoreResult<Option<Forgotten>> {
        let row: Option<ForgottenRow> =
            reading!(self, connection => sqlx::query_as(FORGOTTEN).fetch_optional(&mut *connection))?;
        let forgotten = |row: ForgottenRow| {
            Ok(Forgotten {
                number: row.number,
                digest: Digest(bytes(row.digest)?),
                unproven: match row.unproven_number.zip(row.unproven_digest) {
                    Some((number, digest)) => Some((number, Digest(bytes(digest)?))),
                    None => None,
                },
                forgotten_at: row.forgotten_at,
                kid: kid(row.kid)?,
                mac: bytes(row.mac)?,
            })
        };
        row.map(forgotten).transpose()
    }

    pub(in crate::store) async fn forget_audit_links(
        &self,
        links: &[AuditLink],
        beginning: &NewBeginning,
    ) -> StoreResult<bool> {
        let (Some(first), Some(last)) = (links.first(), links.last()) else { return Ok(false) };
        let mut step = self.begin().await?;
        // Another node that deletes the same waits here, and then finds them gone.
        let left = sqlx::query(DELETE_LINKS).bind(first.number).bind(last.number).execute(&mut *step).await?;
        if left.rows_affected() != links.len() as u64 {
            return Ok(false);
        }
        for members in links.iter().flat_map(|link| link.members.chunks(BATCH)) {
            let mut delete = QueryBuilder::<Db>::new("delete from audit_events where id in (");
            let mut ids = delete.separated(", ");
            for member in members {
                ids.push_bind(member.event.0);
            }
            delete.push(")");
            delete.build().execute(&mut *step).await?;
        }
        // Somebody may have given up keys of links since: what they said of those is not to be lost.
        if !begin(&mut step, beginning).await? {
            return Ok(false);
        }
        step.commit().await?;
        Ok(true)
    }

    pub(in crate::store) async fn last_audit_link_of(&self, key: Kid) -> StoreResult<Option<AuditLink>> {
        let key = i64::from(key.0);
        let row: Option<LinkRow> =
            reading!(self, connection => sqlx::query_as(LAST_OF_KEY).bind(key).fetch_optional(&mut *connection))?;
        row.map(AuditLink::try_from).transpose()
    }
}

/// The greatest number of a link that was made with one of the keys.
pub(super) async fn last_number_of(step: &mut Connection, kids: &[Kid]) -> StoreResult<Option<i64>> {
    let mut last = None;
    for kid in kids {
        let number: Option<i64> =
            sqlx::query_scalar(LAST_NUMBER_OF_KEY).bind(i64::from(kid.0)).fetch_one(&mut *step).await?;
        last = last.max(number);
    }
    Ok(last)
}

/// Says where the log begins; `false` where another thing is said of it than when that was decided.
pub(super) async fn begin(step: &mut Connection, NewBeginning { before, now }: &NewBeginning) -> StoreResult<bool> {
    let said = sqlx::query(if before.is_some() { BEGIN_ANEW } else { BEGIN_FIRST })
        .bind(now.number)
        .bind(now.digest.0.as_slice())
        .bind(now.unproven.map(|(number, _)| number))
        .bind(now.unproven.map(|(_, digest)| digest.0.to_vec()))
        .bind(now.forgotten_at)
        .bind(i64::from(now.kid.0))
        .bind(now.mac.as_slice());
    let said = match before {
        Some(before) => said.bind(i64::from(before.kid.0)).bind(before.mac.as_slice()),
        None => said,
    };
    Ok(said.execute(step).await?.rows_affected() == 1)
}
