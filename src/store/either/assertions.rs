//! Used client assertions. Compiled once for each engine.

use super::{Connection, Engine, repeatable};
use crate::store::{StoreResult, assertions::AssertionUse};

/// Answers with a row unless another request was first. The update changes nothing: it is for the request that was
/// first itself, and runs again.
const USE: &str = "
    insert into assertion_ids (expires_at, digest, use_id)
    values ($1, $2, $3)
        on conflict (expires_at, digest) do update
       set use_id = excluded.use_id
     where assertion_ids.use_id = excluded.use_id
    returning use_id";

impl Engine {
    pub(in crate::store) async fn use_assertion(&self, assertion: &AssertionUse) -> StoreResult<bool> {
        repeatable!(self, connection => use_once(&mut connection, assertion))
    }
}

/// Uses an assertion within a step; the step's end decides whether it counts as used.
pub(super) async fn use_once(connection: &mut Connection, assertion: &AssertionUse) -> StoreResult<bool> {
    let ours: Option<Vec<u8>> = sqlx::query_scalar(USE)
        .bind(assertion.id.expires_at)
        .bind(assertion.id.digest.0.as_slice())
        .bind(assertion.use_id.as_slice())
        .fetch_optional(connection)
        .await?;
    Ok(ours.is_some())
}
