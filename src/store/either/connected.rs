//! What a person has connected. Compiled once for each engine.

use serde_json::Value;
use sqlx::types::Json;
use uuid::Uuid;

use super::{Engine, reading};
use crate::{
    model::{
        Timestamp,
        id::{AccountId, ClientId, ConsentId, FamilyId},
        scope::Catalogue,
    },
    store::{
        StoreError, StoreResult,
        connected::{ConnectedApp, Connection, Happened, Named},
        consents::ConsentKey,
        family_statements::{family_and_parents, lives},
    },
};

/// The consents of a person that hold.
macro_rules! consents {
    () => {
        "select k.id, k.client_id as client, c.client_id, c.name as client_name, c.registration, k.resource, k.scopes,
                k.granted_at, coalesce(p.manifest ->> 'name_for_human', p.slug) as plugin_name, p.scopes as catalogue
           from consents k
           join clients c on c.id = k.client_id
           join resources r on r.identifier = k.resource
           join plugins p on p.id = r.plugin_id
          where k.account_id = $1
            and k.revoked_at is null
            and k.resource_generation = r.generation
            and c.deleted_at is null "
    };
}

/// The families of a person that have not ended at `$2`; also those that their plugin lets in no more, which may be let in
/// again, so that the person can end them.
macro_rules! families {
    () => {
        concat!(
            "select f.consent_id, f.id, f.created_at, f.rotated_at ",
            family_and_parents!(),
            "where f.account_id = $1 and ",
            lives!()
        )
    };
}

const CONSENTS: &str = concat!(consents!(), "order by k.granted_at desc, k.id limit 200");
const CONSENT: &str = concat!(consents!(), "and k.id = $2");

const FAMILIES: &str = concat!(families!(), "order by f.created_at desc, f.id limit 1000");
const FAMILIES_OF_CONSENT: &str = concat!(families!(), "and f.consent_id = $3 order by f.created_at desc, f.id");

const CONSENT_OF_FAMILY: &str = "select consent_id from families where id = $2 and account_id = $1";

/// From where somebody else did something to the account, such as an owner who ended a connection, is not told.
const HAPPENED: &str = "
    select e.at, e.action, case when e.actor = 'account' and e.actor_id <> $1 then null else e.address end as address,
           c.name as client_name, e.detail
      from audit_events e
      left join clients c on c.id = e.client_id
     where e.account_id = $1
     order by e.id desc
     limit $2";

#[derive(sqlx::FromRow)]
struct ConsentRow {
    id: Uuid,
    client: Uuid,
    client_id: String,
    client_name: String,
    registration: String,
    resource: String,
    scopes: String,
    granted_at: Timestamp,
    plugin_name: String,
    catalogue: Json<Catalogue>,
}

/// The consent it stands under, its id, when it was made and when it last refreshed.
type FamilyRow = (Uuid, Uuid, Timestamp, Option<Timestamp>);

#[derive(sqlx::FromRow)]
struct HappenedRow {
    at: Timestamp,
    action: String,
    address: Option<String>,
    client_name: Option<String>,
    detail: Json<Value>,
}

impl Engine {
    pub(in crate::store) async fn connected_apps(
        &self,
        account: AccountId,
        now: Timestamp,
    ) -> StoreResult<Vec<ConnectedApp>> {
        let consents: Vec<ConsentRow> =
            reading!(self, connection => sqlx::query_as(CONSENTS).bind(account.0).fetch_all(&mut *connection))?;
        let families: Vec<FamilyRow> = reading!(self, connection => sqlx::query_as(FAMILIES).bind(account.0).bind(now).fetch_all(&mut *connection))?;
        consents.into_iter().map(|row| app(account, row, &families)).collect()
    }

    pub(in crate::store) async fn connected_app(
        &self,
        account: AccountId,
        named: Named,
        now: Timestamp,
    ) -> StoreResult<Option<ConnectedApp>> {
        let consent: Option<Uuid> = match named {
            Named::App(id) => Some(id.0),
            Named::Connection(id) => reading!(self, connection => sqlx::query_scalar(CONSENT_OF_FAMILY)
                .bind(account.0)
                .bind(id.0)
                .fetch_optional(&mut *connection))?,
        };
        let row: Option<ConsentRow> = reading!(self, connection => sqlx::query_as(CONSENT)
            .bind(account.0)
            .bind(consent)
            .fetch_optional(&mut *connection))?;
        let Some(row) = row else { return Ok(None) };
        let families: Vec<FamilyRow> = reading!(self, connection => sqlx::query_as(FAMILIES_OF_CONSENT)
            .bind(account.0)
            .bind(now)
            .bind(row.id)
            .fetch_all(&mut *connection))?;
        app(account, row, &families).map(Some)
    }

    pub(in crate::store) async fn happened_to(&self, account: AccountId, rows_max: u32) -> StoreResult<Vec<Happened>> {
        let rows: Vec<HappenedRow> = reading!(self, connection => sqlx::query_as(HAPPENED)
                .bind(account.0)
                .bind(i64::from(rows_max))
                .fetch_all(&mut *connection))?;
        let happened = |HappenedRow { at, action, address, client_name, detail }| Happened {
            at,
            action,
            address,
            client_name,
            detail: detail.0,
        };
        Ok(rows.into_iter().map(happened).collect())
    }
}

/// A consent with what stands under it.
fn app(account: AccountId, row: ConsentRow, families: &[FamilyRow]) -> StoreResult<ConnectedApp> {
    let of_it = families.iter().filter(|(consent, ..)| *consent == row.id);
    let connections = of_it.map(|(_, id, created_at, rotated_at)| Connection {
        id: FamilyId(*id),
        created_at: *created_at,
        rotated_at: *rotated_at,
    });
    Ok(ConnectedApp {
        id: ConsentId(row.id),
        connections: connections.collect(),
        key: ConsentKey { account_id: account, client_id: ClientId(row.client), resource: row.resource },
        client_id: row.client_id,
        client_name: row.client_name,
        registration: row.registration.parse().map_err(StoreError::broken)?,
        plugin_name: row.plugin_name,
        catalogue: row.catalogue.0,
        scopes: row.scopes.parse().map_err(StoreError::broken)?,
        granted_at: row.granted_at,
    })
}
