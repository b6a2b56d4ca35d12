//! Callbacks that are offered to owners. Compiled once for each engine.

use serde_json::json;

use super::{Connection, Engine, audit, clients::subjects, reading};
use crate::{
    model::{
        Timestamp,
        audit::{Audit, AuditAction},
        client::Client,
        id::ClientId,
        redirect_uri::RedirectUri,
    },
    store::{
        StoreResult,
        callback_offers::{CallbackOffer, CallbackSeen},
    },
};

const NOTE: &str = "
    insert into callback_offers (client_id, redirect_uri, first_seen_at, last_seen_at, seen)
    select id, $2, $3, $4, $5
      from clients
     where id = $1
       and enabled
       and deleted_at is null
        on conflict (client_id, redirect_uri) do update
       set last_seen_at = excluded.last_seen_at, seen = callback_offers.seen + excluded.seen";

/// The ones asked for last stay: who wants one approved asks for it once more, and finds it in front.
const BOUND: &str = "
    delete from callback_offers
     where client_id = $1
       and redirect_uri not in (select redirect_uri
                                  from callback_offers
                                 where client_id = $1
                                 order by last_seen_at desc, redirect_uri
                                 limit $2)";

const OFFERS: &str = "
    select redirect_uri, first_seen_at, last_seen_at, seen
      from callback_offers
     where client_id = $1
       and last_seen_at > $2
     order by last_seen_at desc, redirect_uri
     limit 50";

const REMOVE: &str = "delete from callback_offers where client_id = $1 and redirect_uri = $2";

impl Engine {
    pub(in crate::store) async fn note_callbacks(&self, seen: &[CallbackSeen], per_client_max: u32) -> StoreResult<()> {
        let mut step = self.begin().await?;
        // In one order, so that two nodes do not wait for each other's rows.
        let mut seen: Vec<&CallbackSeen> = seen.iter().collect();
        seen.sort_by_key(|seen| (seen.client_id, seen.redirect_uri.as_str()));
        for noted in &seen {
            sqlx::query(NOTE)
                .bind(noted.client_id.0)
                .bind(noted.redirect_uri.as_str())
                .bind(noted.first_at)
                .bind(noted.last_at)
                .bind(i64::from(noted.times))
                .execute(&mut *step)
                .await?;
        }
        seen.dedup_by_key(|seen| seen.client_id);
        for noted in seen {
            sqlx::query(BOUND).bind(noted.client_id.0).bind(i64::from(per_client_max)).execute(&mut *step).await?;
        }
        Ok(step.commit().await?)
    }

    pub(in crate::store) async fn callback_offers(
        &self,
        client: ClientId,
        since: Timestamp,
    ) -> StoreResult<Vec<CallbackOffer>> {
        let rows: Vec<(String, Timestamp, Timestamp, i64)> = reading!(self, connection => sqlx::query_as(OFFERS)
            .bind(client.0)
            .bind(since)
            .fetch_all(&mut *connection))?;
        let offer = |(redirect_uri, first_seen_at, last_seen_at, seen): (String, Timestamp, Timestamp, i64)| {
            // One that may be registered no more is offered no more.
            let redirect_uri = redirect_uri.parse().ok()?;
            Some(CallbackOffer { redirect_uri, first_seen_at, last_seen_at, seen })
        };
        Ok(rows.into_iter().filter_map(offer).collect())
    }

    pub(in crate::store) async fn dismiss_callbacks(
        &self,
        client: &Client,
        redirect_uris: &[RedirectUri],
        event: &Audit,
    ) -> StoreResult<bool> {
        let mut step = self.begin().await?;
        if remove(&mut step, client.id, redirect_uris).await? == 0 {
            return Ok(false);
        }
        let detail = json!({ "redirect_uris": redirect_uris.iter().map(RedirectUri::as_str).collect::<Vec<_>>() });
        audit::write(&mut step, event, AuditAction::ClientCallbackDismissed, subjects(client), detail).await?;
        step.commit().await?;
        Ok(true)
    }
}

/// Takes offers away within a step, and answers how many there were.
pub(super) async fn remove(step: &mut Connection, client: ClientId, uris: &[RedirectUri]) -> StoreResult<u64> {
    let mut removed = 0;
    for uri in uris {
        removed += sqlx::query(REMOVE).bind(client.0).bind(uri.as_str()).execute(&mut *step).await?.rows_affected();
    }
    Ok(removed)
}
