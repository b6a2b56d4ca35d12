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

const INVITATIONS: &str = concat!(
    "delete from owner_invitations
      where (plugin_id, email) in (select plugin_id, email from owner_invitations where expires_at <= $1 limit $2 ",
    locking!(),
    ")
        and expires_at <= $1"
);

const OWNER_TOKENS: &str = "
    delete from owner_tokens
     where id in (select id from owner_tokens where expires_at <= $1 limit $2)";

/// Nothing in it is worth sending any more.
const MAILS: &str = "
    delete from outgoing_mails
     where id in (select id from outgoing_mails where expires_at <= $1 limit $2)";

/// A step that ends a webhook takes these rows too; whoever is met there is passed over.
const WEBHOOK_DELIVERIES: &str = concat!(
    "delete from webhook_deliveries
      where (plugin_id, id) in (select plugin_id, id from webhook_deliveries where forget_at <= $1 limit $2 ",
    locking!(),
    ")"
);

const OFFERS: &str = "
    delete from callback_offers
     where (client_id, redirect_uri) in (select client_id, redirect_uri
                                           from callback_offers
                                          where last_seen_at <= $1
                                          limit $2)
       and last_seen_at <= $1";

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

/// The client that was deleted first, held until the step ends; one that another node is at is passed over.
const DELETED: &str =
    concat!("select id from clients where deleted_at is not null order by deleted_at, id limit 1 ", locking!());

const CONSENTS_OF_DELETED: &str = "select id, account_id from consents where client_id = $1 limit $2";

/// Found by the account: families have no index of their clients, which would be written at every redemption.
const FAMILIES_OF_DELETED: &str = "
    delete from families
     where id in (select id from families where account_id = $1 and client_id = $2 limit $3)";

const CONSENT_OF_DELETED: &str = "delete from consents where id = $1";

/// What else is its own. A consent that is being given meanwhile has seen the client before it was deleted; with it the
/// client stays for the next time.
const REST_OF_DELETED: [&str; 3] = [
    "delete from client_secrets where client_id = $1",
    "delete from callback_offers where client_id = $1",
    "delete from clients where id = $1 and not exists (select 1 from consents where client_id = $1)",
];

impl Engine {
    pub(in crate::store) async fn sweep(&self, sweep: &Sweep) -> StoreResult<u64> {
        let mut step = self.begin().await?;
        let mut left = 0;
        for (statement, by) in [
            (FAMILIES, sweep.families_expired_by),
            (SESSIONS, sweep.sessions_expired_by),
            (SECRETS, sweep.sessions_expired_by),
            (LINKS, sweep.sessions_expired_by),
            (INVITATIONS, sweep.sessions_expired_by),
            (MAILS, sweep.sessions_expired_by),
            (WEBHOOK_DELIVERIES, sweep.sessions_expired_by),
            (DEVICES, sweep.sessions_expired_by),
            (SIGN_IN_FAILURES, sweep.sessions_expired_by),
            (OWNER_TOKENS, sweep.sessions_expired_by),
            (ASSERTIONS, sweep.assertions_expired_by),
            (OFFERS, sweep.offers_unseen_since),
        ] {
            let done = sqlx::query(statement).bind(by).bind(i64::from(sweep.rows_max)).execute(&mut *step).await?;
            left += done.rows_affected();
        }
        left += sweep_clients(&mut step, sweep).await?;
        left += sweep_deleted(&mut step, i64::from(sweep.rows_max)).await?;
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

/// Removes some of what is left of a client that was deleted; nothing of it has stood since. It may have a million
/// families, and nobody shall wait for all of them: the client itself leaves last, so that the rest is found.
async fn sweep_deleted(step: &mut Connection, rows_max: i64) -> StoreResult<u64> {
    let Some(client) = sqlx::query_scalar::<_, Uuid>(DELETED).fetch_optional(&mut *step).await? else { return Ok(0) };
    let consents: Vec<(Uuid, Uuid)> =
        sqlx::query_as(CONSENTS_OF_DELETED).bind(client).bind(rows_max).fetch_all(&mut *step).await?;
    let (mut left, room) = (0, u64::try_from(rows_max).unwrap_or(0));
    for (consent, account) in &consents {
        let rows = i64::try_from(room - left).unwrap_or(0);
        let ended = sqlx::query(FAMILIES_OF_DELETED).bind(account).bind(client).bind(rows).execute(&mut *step).await?;
        left += ended.rows_affected();
        if left >= room {
            return Ok(left);
        }
        left += sqlx::query(CONSENT_OF_DELETED).bind(consent).execute(&mut *step).await?.rows_affected();
        if left >= room {
            return Ok(left);
        }
    }
    if consents.is_empty() {
        for statement in REST_OF_DELETED {
            left += sqlx::query(statement).bind(client).execute(&mut *step).await?.rows_affected();
        }
    }
    Ok(left)
}
