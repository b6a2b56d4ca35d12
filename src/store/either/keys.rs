//! Working keys. Compiled once for each engine.

use serde_json::json;

use super::{Engine, audit, reading};
use crate::{
    model::{
        Timestamp,
        audit::{Audit, AuditAction, Subjects},
        key::{Kid, WrappedKey},
    },
    store::{StoreError, StoreResult},
};

const PRESENT: &str = "
    select kid, purpose, algorithm, state, master, wrapped, created_at, active_at, retired_at
      from working_keys
     where state <> 'gone'
     order by kid";

/// The index of active keys lets one per purpose in.
const INSERT: &str = "
    insert into working_keys (kid, purpose, algorithm, state, master, wrapped, created_at, active_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8)
    on conflict do nothing";

/// A working key as its row has it.
#[derive(sqlx::FromRow)]
struct KeyRow {
    kid: i64,
    purpose: String,
    algorithm: String,
    state: String,
    master: String,
    wrapped: Vec<u8>,
    created_at: Timestamp,
    active_at: Option<Timestamp>,
    retired_at: Option<Timestamp>,
}

impl TryFrom<KeyRow> for WrappedKey {
    type Error = StoreError;

    fn try_from(row: KeyRow) -> StoreResult<Self> {
        Ok(Self {
            kid: Kid(row.kid.try_into().map_err(StoreError::broken)?),
            purpose: row.purpose.parse().map_err(StoreError::broken)?,
            algorithm: row.algorithm.parse().map_err(StoreError::broken)?,
            state: row.state.parse().map_err(StoreError::broken)?,
            master: row.master,
            wrapped: row.wrapped,
            created_at: row.created_at,
            active_at: row.active_at,
            retired_at: row.retired_at,
        })
    }
}

impl Engine {
    pub(in crate::store) async fn working_keys(&self) -> StoreResult<Vec<WrappedKey>> {
        let rows: Vec<KeyRow> = reading!(self, connection => sqlx::query_as(PRESENT).fetch_all(&mut *connection))?;
        rows.into_iter().map(WrappedKey::try_from).collect()
    }

    pub(in crate::store) async fn add_first_keys(&self, keys: &[WrappedKey], event: &Audit) -> StoreResult<()> {
        let mut step = self.begin().await?;
        let mut added = Vec::new();
        for key in keys {
            let rows = sqlx::query(INSERT)
                .bind(i64::from(key.kid.0))
                .bind(key.purpose.as_str())
                .bind(key.algorithm.as_str())
                .bind(key.state.as_str())
                .bind(&key.master)
                .bind(&key.wrapped)
                .bind(key.created_at)
                .bind(key.active_at)
                .execute(&mut *step)
                .await?
                .rows_affected();
            if rows == 1 {
                added.push(json!({ "kid": key.kid.to_string(), "purpose": key.purpose.as_str() }));
            }
        }
        if added.is_empty() {
            return Ok(());
        }
        let detail = json!({ "keys": added });
        audit::write(&mut step, event, AuditAction::KeyAdded, Subjects::default(), detail).await?;
        step.commit().await?;
        Ok(())
    }
}
