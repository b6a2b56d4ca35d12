//! Consents. Compiled once for each engine.

use serde_json::json;
use uuid::Uuid;

use super::{Engine, audit, reading};
use crate::{
    model::{
        Timestamp,
        audit::{Audit, AuditAction, Subjects},
        consent::Consent,
        id::{AccountId, ClientId, ConsentId},
        scope::Scopes,
    },
    store::{
        StoreError, StoreResult,
        consents::{ConsentGrant, ConsentKey},
    },
};

macro_rules! columns {
    () => {
        "id, account_id, client_id, resource, scopes, generation, granted_at, revoked_at"
    };
}

const BY_KEY: &str =
    concat!("select ", columns!(), " from consents where account_id = $1 and client_id = $2 and resource = $3");

const INSERT: &str = concat!(
    "insert into consents (id, account_id, client_id, resource, scopes, granted_at)
     values ($1, $2, $3, $4, $5, $6)
     on conflict (account_id, client_id, resource) do nothing
     returning ",
    columns!()
);

/// Only if the row is still as it was read: another tab may have widened it meanwhile.
const WIDEN: &str = concat!(
    "update consents
        set scopes = $2, granted_at = $3, revoked_at = null
      where id = $1
        and scopes = $4
        and generation = $5
     returning ",
    columns!()
);

const REVOKE: &str = "
    update consents
       set scopes = '', generation = generation + 1, revoked_at = $4
     where account_id = $1
       and client_id = $2
       and resource = $3
       and revoked_at is null";

/// How often a grant that lost a race looks again; each loss means that somebody else's grant went through.
const ATTEMPTS: usize = 16;

/// A consent as its row has it.
#[derive(sqlx::FromRow)]
struct ConsentRow {
    id: Uuid,
    account_id: Uuid,
    client_id: Uuid,
    resource: String,
    scopes: String,
    generation: i64,
    granted_at: Timestamp,
    revoked_at: Option<Timestamp>,
}

impl TryFrom<ConsentRow> for Consent {
    type Error = StoreError;

    fn try_from(row: ConsentRow) -> StoreResult<Self> {
        Ok(Self {
            id: ConsentId(row.id),
            account_id: AccountId(row.account_id),
            client_id: ClientId(row.client_id),
            resource: row.resource,
            scopes: row.scopes.parse().map_err(StoreError::broken)?,
            generation: row.generation,
            granted_at: row.granted_at,
            revoked_at: row.revoked_at,
        })
    }
}

impl Engine {
    pub(in crate::store) async fn consent(&self, key: &ConsentKey) -> StoreResult<Option<Consent>> {
        let row: Option<ConsentRow> = reading!(self, connection => sqlx::query_as(BY_KEY)
                .bind(key.account_id.0)
                .bind(key.client_id.0)
                .bind(&key.resource)
                .fetch_optional(&mut *connection))?;
        row.map(Consent::try_from).transpose()
    }

    pub(in crate::store) async fn grant_consent(&self, grant: &ConsentGrant, event: &Audit) -> StoreResult<Consent> {
        for _ in 0..ATTEMPTS {
            let known = self.consent(&grant.key).await?;
            let covers = |known: &&Consent| known.revoked_at.is_none() && grant.scopes.is_subset(&known.scopes);
            if let Some(known) = known.as_ref().filter(covers) {
                return Ok(known.clone());
            }
            if let Some(consent) = self.try_grant(grant, known.as_ref(), event).await? {
                return Ok(consent);
            }
        }
        Err(StoreError::Unavailable(sqlx::Error::PoolTimedOut))
    }

    /// One attempt; `None` when the row is no longer as it was read.
    async fn try_grant(
        &self,
        grant: &ConsentGrant,
        known: Option<&Consent>,
        event: &Audit,
    ) -> StoreResult<Option<Consent>> {
        let mut step = self.begin().await?;
        let row: Option<ConsentRow> = match known {
            None => {
                sqlx::query_as(INSERT)
                    .bind(grant.id.0)
                    .bind(grant.key.account_id.0)
                    .bind(grant.key.client_id.0)
                    .bind(&grant.key.resource)
                    .bind(grant.scopes.to_string())
                    .bind(event.at)
                    .fetch_optional(&mut *step)
                    .await?
            }
            Some(known) => {
                let before = if known.revoked_at.is_some() { Scopes::default() } else { known.scopes.clone() };
                sqlx::query_as(WIDEN)
                    .bind(known.id.0)
                    .bind(before.union(&grant.scopes).to_string())
                    .bind(event.at)
                    .bind(known.scopes.to_string())
                    .bind(known.generation)
                    .fetch_optional(&mut *step)
                    .await?
            }
        };
        let Some(consent) = row.map(Consent::try_from).transpose()? else { return Ok(None) };
        let detail = json!({ "resource": consent.resource, "scopes": consent.scopes.to_string() });
        audit::write(&mut step, event, AuditAction::ConsentGranted, subjects(&grant.key), detail).await?;
        step.commit().await?;
        Ok(Some(consent))
    }

    pub(in crate::store) async fn revoke_consent(&self, key: &ConsentKey, event: &Audit) -> StoreResult<bool> {
        let mut step = self.begin().await?;
        let revoked = sqlx::query(REVOKE)
            .bind(key.account_id.0)
            .bind(key.client_id.0)
            .bind(&key.resource)
            .bind(event.at)
            .execute(&mut *step)
            .await?
            .rows_affected();
        if revoked == 0 {
            return Ok(false);
        }
        let detail = json!({ "resource": key.resource });
        audit::write(&mut step, event, AuditAction::ConsentRevoked, subjects(key), detail).await?;
        step.commit().await?;
        Ok(true)
    }
}

fn subjects(key: &ConsentKey) -> Subjects {
    Subjects { account_id: Some(key.account_id), client_id: Some(key.client_id), plugin_id: None }
}
