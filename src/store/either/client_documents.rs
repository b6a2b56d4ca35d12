//! What clients say about themselves: metadata documents, registrations, key sets. Compiled once for each engine.

use chrono::TimeDelta;
use serde_json::json;
use sqlx::types::Json;
use uuid::Uuid;

use super::{
    Connection, Engine, audit,
    clients::{BY_CLIENT_ID, fold, insert_secret, json_of, subjects, write_own},
};
use crate::{
    model::{
        Timestamp,
        audit::{Audit, AuditAction},
        client::{Client, Dialect},
        id::ClientId,
        public_key::SigningAlgorithm,
        redirect_uri::RedirectUri,
    },
    store::{
        StoreResult,
        clients::{ChangedRegistration, ClientDocument, FetchedKeySet},
        is_no_text,
    },
};

/// How far another node may be ahead of a step's own time: it reads its clock when a fetch begins, which lasts seconds.
/// What is later than that was written by a clock that was wrong, and must not keep out what is read now.
const AHEAD_MAX: TimeDelta = TimeDelta::minutes(1);

const INSERT_DOCUMENT: &str = "
    insert into clients
           (id, client_id, registration, name, dialect, authentication_methods, redirect_uris, signing_algorithm,
            jwks_uri, key_set, key_set_fetched_at, document_fetched_at, document_fresh_until, document_is_pinned,
            created_at)
    values ($1, $2, 'document', $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $11)
        on conflict (client_id) do nothing";

/// Locks the row without changing it, so that of many who read the same document one sees that it has changed.
const LOCK_DOCUMENT: &str = "
    update clients
       set generation = generation
     where client_id = $1
       and registration = 'document'
    returning id";

/// What a client says of its keys, with the address as $6, the set as $7 and its time as $8. The set that stays is the
/// operator's, or one fetched from an address that is still named; with it stays since when no newer one could be had.
macro_rules! set_keys {
    () => {
        "jwks_uri = $6,
           key_set = case
               when key_set is not null and key_set_fetched_at is null then key_set
               when $7 is not null then $7
               when jwks_uri = $6 then key_set
           end,
           key_set_fetched_at = case
               when key_set is not null and key_set_fetched_at is null then null
               when $7 is not null then $8
               when jwks_uri = $6 then key_set_fetched_at
           end,
           key_set_failing_since = case
               when jwks_uri = $6 and $7 is null then key_set_failing_since
           end"
    };
}

/// What another node has read since is not replaced by something older; nor is anything that was read at its host by a
/// pinned copy, which in turn gives way to whatever was read there. From $12 on nobody can have read it yet.
const UPDATE_DOCUMENT: &str = concat!(
    "update clients
        set name = $2, authentication_methods = $3, redirect_uris = $4, signing_algorithm = $5, ",
    set_keys!(),
    ", document_fetched_at = $9, document_fresh_until = $10, document_is_pinned = $11
      where id = $1
        and case
                when document_is_pinned = $11
                    then document_fetched_at is null or document_fetched_at <= $9 or document_fetched_at > $12
                else document_is_pinned
            end"
);

const CHANGE_REGISTRATION: &str = concat!(
    "update clients
        set name = $2, authentication_methods = $3, redirect_uris = $4, signing_algorithm = $5, ",
    set_keys!(),
    ", scopes = $9, default_scopes = $10, registered_metadata = $11
      where client_id = $1
        and registration = 'dynamic'
        and enabled
     returning id"
);

/// The operator's set has no time, so nothing is newer than it; nor is what a slow node fetched before another one.
/// From $5 on nobody can have fetched it yet.
const KEEP_KEY_SET: &str = "
    update clients
       set key_set = $2, key_set_fetched_at = $3, key_set_failing_since = null
     where id = $1
       and jwks_uri = $4
       and (key_set is null or key_set_fetched_at <= $3 or key_set_fetched_at > $5)";

/// Once for each time it begins, and only of a set that was fetched, by then.
const KEY_SET_FAILS: &str = "
    update clients
       set key_set_failing_since = $2
     where id = $1
       and key_set_failing_since is null
       and key_set_fetched_at <= $2";

const SUPPLY_KEY_SET: &str = "
    update clients
       set key_set = $2, key_set_fetched_at = null, key_set_failing_since = null
     where client_id = $1
    returning id";

impl Engine {
    pub(in crate::store) async fn keep_document(
        &self,
        document: &ClientDocument,
        event: &Audit,
    ) -> StoreResult<Option<Client>> {
        let mut step = self.begin().await?;
        let client = put_document(&mut step, document, event).await?;
        step.commit().await?;
        Ok(client)
    }

    pub(in crate::store) async fn change_registration(
        &self,
        changed: &ChangedRegistration,
        event: &Audit,
    ) -> StoreResult<Option<Client>> {
        if is_no_text(&changed.client_id) {
            return Ok(None);
        }
        let mut step = self.begin().await?;
        let row: Option<Uuid> = sqlx::query_scalar(CHANGE_REGISTRATION)
            .bind(&changed.client_id)
            .bind(&changed.name)
            .bind(changed.authentication_methods.to_string())
            .bind(Json(texts(&changed.redirect_uris)))
            .bind(changed.signing_algorithm.map(SigningAlgorithm::as_str))
            .bind(&changed.keys.jwks_uri)
            .bind(json_of(changed.keys.key_set.as_deref())?)
            .bind(changed.keys.fetched_at)
            .bind(changed.scopes.as_ref().map(ToString::to_string))
            .bind(changed.own_words.default_scopes.as_ref().map(ToString::to_string))
            .bind(json_of(changed.own_words.metadata.as_deref())?)
            .fetch_optional(&mut *step)
            .await?;
        let Some(id) = row else { return Ok(None) };
        if let Some(secret) = &changed.secret {
            insert_secret(&mut step, id, secret).await?;
        }
        let Some(client) = read(&mut step, &changed.client_id, event.at).await? else { return Ok(None) };
        let detail = json!({
            "redirect_uris": texts(&changed.redirect_uris),
            "authentication_methods": changed.authentication_methods.to_string(),
        });
        write_own(&mut step, event, AuditAction::ClientChanged, (&client, detail)).await?;
        step.commit().await?;
        Ok(Some(client))
    }

    pub(in crate::store) async fn keep_key_set(&self, id: ClientId, fetched: &FetchedKeySet<'_>) -> StoreResult<()> {
        let mut step = self.begin().await?;
        sqlx::query(KEEP_KEY_SET)
            .bind(id.0)
            .bind(json_of(Some(fetched.key_set))?)
            .bind(fetched.fetched_at)
            .bind(fetched.jwks_uri)
            .bind(fetched.fetched_at + AHEAD_MAX)
            .execute(&mut *step)
            .await?;
        Ok(step.commit().await?)
    }

    pub(in crate::store) async fn key_set_fails(&self, id: ClientId, since: Timestamp) -> StoreResult<()> {
        let mut step = self.begin().await?;
        sqlx::query(KEY_SET_FAILS).bind(id.0).bind(since).execute(&mut *step).await?;
        Ok(step.commit().await?)
    }

    pub(in crate::store) async fn supply_key_set(
        &self,
        client_id: &str,
        set: &str,
        event: &Audit,
    ) -> StoreResult<Option<Client>> {
        if is_no_text(client_id) {
            return Ok(None);
        }
        let mut step = self.begin().await?;
        let row: Option<Uuid> = sqlx::query_scalar(SUPPLY_KEY_SET)
            .bind(client_id)
            .bind(json_of(Some(set))?)
            .fetch_optional(&mut *step)
            .await?;
        let client = read(&mut step, client_id, event.at).await?;
        if let (Some(_), Some(client)) = (row, &client) {
            audit::write(&mut step, event, AuditAction::ClientKeysSupplied, subjects(client), json!({})).await?;
            step.commit().await?;
        }
        Ok(client)
    }
}

/// Makes or updates the row of a client with a document, within a step.
pub(super) async fn put_document(
    step: &mut Connection,
    document: &ClientDocument,
    event: &Audit,
) -> StoreResult<Option<Client>> {
    let before = if insert_document(step, document).await? {
        None
    } else {
        let known: Option<Uuid> =
            sqlx::query_scalar(LOCK_DOCUMENT).bind(&document.client_id).fetch_optional(&mut *step).await?;
        let Some(id) = known else { return Ok(None) };
        let before = read(&mut *step, &document.client_id, event.at).await?;
        update_document(step, id, document).await?;
        before
    };
    let Some(client) = read(&mut *step, &document.client_id, event.at).await? else { return Ok(None) };
    let action = match &before {
        None => Some(AuditAction::ClientAdded),
        Some(before) if says_the_same(before, &client) => None,
        Some(_) => Some(AuditAction::ClientChanged),
    };
    if let Some(action) = action {
        let detail = json!({
            "registration": client.registration,
            "redirect_uris": texts(&client.redirect_uris),
            "authentication_methods": client.authentication_methods.to_string(),
            "jwks_uri": client.keys.jwks_uri,
        });
        audit::write(step, event, action, subjects(&client), detail).await?;
    }
    Ok(Some(client))
}

/// Makes the row unless the id is anybody's.
async fn insert_document(step: &mut Connection, document: &ClientDocument) -> StoreResult<bool> {
    let done = sqlx::query(INSERT_DOCUMENT)
        .bind(document.id.0)
        .bind(&document.client_id)
        .bind(&document.name)
        .bind(Dialect::Connector.as_str())
        .bind(document.authentication_methods.to_string())
        .bind(Json(texts(&document.redirect_uris)))
        .bind(document.signing_algorithm.map(SigningAlgorithm::as_str))
        .bind(&document.jwks_uri)
        .bind(json_of(document.key_set.as_deref())?)
        .bind(read_with_the_document(document))
        .bind(document.copy.fetched_at)
        .bind(document.copy.fresh_until)
        .bind(document.copy.is_pinned)
        .execute(step)
        .await?;
    Ok(done.rows_affected() == 1)
}

async fn update_document(step: &mut Connection, id: Uuid, document: &ClientDocument) -> StoreResult<()> {
    sqlx::query(UPDATE_DOCUMENT)
        .bind(id)
        .bind(&document.name)
        .bind(document.authentication_methods.to_string())
        .bind(Json(texts(&document.redirect_uris)))
        .bind(document.signing_algorithm.map(SigningAlgorithm::as_str))
        .bind(&document.jwks_uri)
        .bind(json_of(document.key_set.as_deref())?)
        .bind(read_with_the_document(document))
        .bind(document.copy.fetched_at)
        .bind(document.copy.fresh_until)
        .bind(document.copy.is_pinned)
        .bind(document.copy.fetched_at + AHEAD_MAX)
        .execute(step)
        .await?;
    Ok(())
}

/// When a set was fetched that stands in the document itself.
fn read_with_the_document(document: &ClientDocument) -> Option<Timestamp> {
    document.key_set.as_ref().map(|_| document.copy.fetched_at)
}

/// Whether nothing changed but the time of reading: that is no event.
fn says_the_same(before: &Client, after: &Client) -> bool {
    before.redirect_uris == after.redirect_uris
        && before.authentication_methods == after.authentication_methods
        && before.signing_algorithm == after.signing_algorithm
        && before.keys.jwks_uri == after.keys.jwks_uri
        && before.keys.key_set == after.keys.key_set
}

async fn read(step: &mut Connection, client_id: &str, now: Timestamp) -> StoreResult<Option<Client>> {
    let rows = sqlx::query_as(BY_CLIENT_ID).bind(now).bind(client_id).fetch_all(step).await?;
    Ok(fold(rows)?.pop())
}

fn texts(uris: &[RedirectUri]) -> Vec<&str> {
    uris.iter().map(RedirectUri::as_str).collect()
}
