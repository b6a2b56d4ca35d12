//! Sweeping. Compiled once for each engine.

use uuid::Uuid;

use super::{Connection, Engine, locking};
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

const SIGN_IN_FAILURES: &str = "
    delete from sign_in_failures
     where subject in (select subject from sign_in_failures where forget_at <= $1 limit $2)
       and forget_at <= $1";

const DEVICES: &str = "
    delete from remembered_devices
     where id in (select id from remembered_devices where expires_at <= $1 limit $2)";

const ASSERTIONS: &str = "
    delete from assertion_ids
     where (expires_at, digest) in (select expires_at, digest from assertion_ids where expires_at <= $1 limit $2)";

/// A step that ends the links of an account holds several of them; whoever is met there is passed over.
const LINKS: &str = concat!(
    "delete from links
      where id in (select id from links where expires_at <= $1 order by id limit $2 ",
    locking!(),
    ")"
);

/// Nothing in it is worth sending any more.
const MAILS: &str = "
    delete from outgoing_mails
     where id in (select id from outgoing_mails where expires_at <= $1 limit $2)";

/// Each row is held until the step ends, so that nobody can consent to the client meanwhile. Passed over is one that
/// somebody holds: perhaps a consent is being given to it.
const UNUSED_CLIENTS: &str = concat!(
    "select c.id
       from clients c
      where c.registration = 'dynamic'
        and c.created_at <= $1
        and not exists (select 1 from consents k where k.client_id = c.id)
      order by c.created_at
      limit $2 ",
    locking!()
);

/// The condition stands again: a consent that was given between finding the client and holding it is seen now.
const SECRETS_OF_UNUSED: &str = "
    delete from client_secrets
     where client_id = $1
       and not exists (select 1 from consents where client_id = $1)";

const UNUSED_CLIENT: &str = "
    delete from clients
     where id = $1
       and not exists (select 1 from consents where client_id = $1)";

impl Engine {
    pub(in crate::store) async fn sweep(&self, sweep: &Sweep) -> StoreResult<u64> {
        let mut step = self.begin().await?;
        let mut left = 0;
        for (statement, by) in [
            (FAMILIES, sweep.families_expired_by),
            (SESSIONS, sweep.sessions_expired_by),
            (SECRETS, sweep.sessions_expired_by),
            (LINKS, sweep.sessions_expired_by),
            (MAILS, sweep.sessions_expired_by),
            (DEVICES, sweep.sessions_expired_by),
            (SIGN_IN_FAILURES, sweep.sessions_expired_by),
            (ASSERTIONS, sweep.assertions_expired_by),
        ] {
            let done = sqlx::query(statement).bind(by).bind(i64::from(sweep.rows_max)).execute(&mut *step).await?;
            left += done.rows_affected();
        }
        left += sweep_clients(&mut step, sweep).await?;
        step.commit().await?;
        Ok(left)
    }
}

async fn sweep_clients(step: &mut Connection, sweep: &Sweep) -> StoreResult<u64> {
    let unused: Vec<Uuid> = sqlx::query_scalar(UNUSED_CLIENTS)
        .bind(sweep.clients_unused_since)
        .bind(i64::from(sweep.rows_max))
        .fetch_all(&mut *step)
        .await?;
    let mut left = 0;
    for id in unused {
        sqlx::query(SECRETS_OF_UNUSED).bind(id).execute(&mut *step).await?;
        left += sqlx::query(UNUSED_CLIENT).bind(id).execute(&mut *step).await?.rows_affected();
    }
    Ok(left)
}
