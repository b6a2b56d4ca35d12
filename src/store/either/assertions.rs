//! Used client assertions. Compiled once for each engine.

use super::{Connection, Engine};
use crate::store::{StoreResult, assertions::AssertionUse};

/// The update changes nothing; it makes the statement answer with the row of whoever was first.
const USE: &str = "
    insert into assertion_ids (expires_at, digest, use_id)
    values ($1, $2, $3)
        on conflict (expires_at, digest) do update
       set use_id = assertion_ids.use_id
    returning use_id = $3";

impl Engine {
    pub(in crate::store) async fn use_assertion(&self, assertion: &AssertionUse) -> StoreResult<bool> {
        let mut step = self.begin().await?;
        let is_ours = use_once(&mut step, assertion).await?;
        if is_ours {
            step.commit().await?;
        }
        Ok(is_ours)
    }
}

/// Uses an assertion within a step; the step's end decides whether it counts as used.
pub(super) async fn use_once(connection: &mut Connection, assertion: &AssertionUse) -> StoreResult<bool> {
    Ok(sqlx::query_scalar(USE)
        .bind(assertion.id.expires_at)
        .bind(assertion.id.digest.0.as_slice())
        .bind(assertion.use_id.as_slice())
        .fetch_one(connection)
        .await?)
}
