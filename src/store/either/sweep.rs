//! Sweeping. Compiled once for each engine.

use super::Engine;
use crate::store::{StoreResult, sweep::Sweep};

/// The condition stands twice: a family that was refreshed after it was found must stay.
const FAMILIES: &str = "
    delete from families
     where id in (select id from families where expires_at <= $1 or idle_until <= $1 limit $2)
       and (expires_at <= $1 or idle_until <= $1)";

const SESSIONS: &str = "
    delete from sessions
     where id in (select id from sessions where expires_at <= $1 limit $2)";

const SECRETS: &str = "
    delete from client_secrets
     where id in (select id from client_secrets where expires_at is not null and expires_at <= $1 limit $2)";

impl Engine {
    pub(in crate::store) async fn sweep(&self, sweep: &Sweep) -> StoreResult<u64> {
        let mut step = self.begin().await?;
        let mut left = 0;
        for (statement, by) in [
            (FAMILIES, sweep.families_expired_by),
            (SESSIONS, sweep.sessions_expired_by),
            (SECRETS, sweep.sessions_expired_by),
        ] {
            let done = sqlx::query(statement).bind(by).bind(i64::from(sweep.rows_max)).execute(&mut *step).await?;
            left += done.rows_affected();
        }
        step.commit().await?;
        Ok(left)
    }
}
