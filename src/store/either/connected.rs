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
        connected::{ConnectedApp, Connection, Happened},
        consents::ConsentKey,
        family_statements::{family_and_parents, is_standing},
    },
};

const CONSENTS: &str = "
    select k.id, k.client_id as client, c.client_id, k.resource, k.scopes, k.granted_at,
           coalesce(p.manifest ->> 'name_for_human', p.slug) as plugin_name, p.scopes as catalogue
      from consents k
      join clients c on c.id = k.client_id
      join resources r on r.identifier = k.resource
      join plugins p on p.id = r.plugin_id
     where k.account_id = $1
       and k.revoked_at is null
     order by k.granted_at desc, k.id
     limit 200";

const FAMILIES: &str = concat!(
    "select f.consent_id, f.id, f.created_at, f.rotated_at ",
    family_and_parents!(),
    "where f.account_id = $1 and ",
    is_standing!(),
    "order by f.created_at desc, f.id limit 1000"
);

const HAPPENED: &str = "
    select e.at, e.action, e.address, c.name as client_name, e.detail
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
        let app = |row: ConsentRow| {
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
                plugin_name: row.plugin_name,
                catalogue: row.catalogue.0,
                scopes: row.scopes.parse().map_err(StoreError::broken)?,
                granted_at: row.granted_at,
            })
        };
        consents.into_iter().map(app).collect()
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
