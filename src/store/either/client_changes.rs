//! What people change about a client. Compiled once for each engine.
//!
//! Each step holds the client's row first, so that steps on one client come one after the other.

use serde_json::{Value, json};
use sqlx::types::Json;
use uuid::Uuid;

use super::{
    Connection, Engine, audit, callback_offers,
    clients::{BY_CLIENT_ID, fold, insert_secret, subjects, write_own},
    reading,
    webhook_events::tell_of_client,
};
use crate::{
    model::{
        Timestamp,
        audit::{Audit, AuditAction},
        client::{AuthenticationMethod, Client},
        id::{ClientId, ClientSecretId},
        redirect_uri::RedirectUri,
    },
    store::{
        StoreError, StoreResult,
        client_changes::{ChangeClient, ClientChange, ClientEdit, EndSecret, RotateSecret, SecretRotation, SecretUse},
        family_statements::lives,
        is_no_text,
    },
};

/// Locks the client's row without changing it.
const HOLD: &str = "
    update clients
       set generation = generation
     where client_id = $1
       and deleted_at is null";

const CHANGE: &str = "
    update clients
       set name = $2, redirect_uris = $3, enabled = $4, scopes = $5, version = version + 1
     where id = $1";

/// The newest secret stays until the end given, if it does not end before; all others end now.
const END_OLD_SECRETS: &str = "
    update client_secrets
       set expires_at = case
               when id = (select max_id from (select id as max_id from client_secrets
                                               where client_id = $1 order by created_at desc, id desc limit 1) newest)
               then $2 else $3 end
     where client_id = $1
       and (expires_at is null or expires_at > case
               when id = (select max_id from (select id as max_id from client_secrets
                                               where client_id = $1 order by created_at desc, id desc limit 1) newest)
               then $2 else $3 end)";

const END_SECRET: &str = "update client_secrets set expires_at = $2 where id = $1";

const NOTE_USE: &str = "
    update client_secrets
       set last_used_at = $2
     where id = $1
       and (last_used_at is null or last_used_at <= $3)";

const DISABLE: &str = "
    update clients
       set enabled = false, generation = generation + 1, version = version + 1
     where client_id = $1
       and deleted_at is null
       and enabled
    returning id";

const DELETE: &str = "
    update clients
       set enabled = false, generation = generation + 1, version = version + 1, deleted_at = $2
     where id = $1";

/// Led by the client's consents: families have no index of their clients, which would be written at every redemption.
/// SQLite keeps the order of a cross join, and would else go through all families where its statistics mislead it. Null
/// where there are more consents than that, of which one cannot know how many are of today without reading them.
const COUNT_FAMILIES: &str = concat!(
    "select case
                when (select count(*) from (select 1 from consents where client_id = $1 limit $3 + 1) agreed) <= $3
                then (select count(*)
                        from (select 1
                                from consents g
                               cross join families f
                                join accounts a on a.id = f.account_id
                                join clients c on c.id = f.client_id
                                join resources r on r.identifier = f.resource
                               where g.client_id = $1
                                 and f.account_id = g.account_id
                                 and f.consent_id = g.id
                                 and f.client_id = $1
                                 and ",
    lives!(),
    "limit $3 + 1) standing)
            end"
);

impl Engine {
    pub(in crate::store) async fn change_client(
        &self,
        change: &ClientChange,
        event: &Audit,
    ) -> StoreResult<ChangeClient> {
        let mut step = self.begin().await?;
        let Some(mut client) = hold(&mut step, &change.client_id, event.at).await? else {
            return Ok(ChangeClient::Unknown);
        };
        if change.seen.is_some_and(|seen| seen != client.version) {
            return Ok(ChangeClient::ChangedMeanwhile);
        }
        let Some((action, detail)) = edit(&mut client, &change.edit) else {
            return Ok(ChangeClient::Done(Box::new(client)));
        };
        sqlx::query(CHANGE)
            .bind(client.id.0)
            .bind(&client.name)
            .bind(Json(texts(&client.redirect_uris)))
            .bind(client.enabled)
            .bind(client.scopes.as_ref().map(ToString::to_string))
            .execute(&mut *step)
            .await?;
        client.version += 1;
        if let ClientEdit::AddRedirectUris(uris) = &change.edit {
            callback_offers::remove(&mut step, client.id, uris).await?;
        }
        audit::write(&mut step, event, action, subjects(&client), detail).await?;
        step.commit().await?;
        Ok(ChangeClient::Done(Box::new(client)))
    }

    pub(in crate::store) async fn rotate_secret(
        &self,
        rotation: &SecretRotation,
        event: &Audit,
    ) -> StoreResult<RotateSecret> {
        let mut step = self.begin().await?;
        let at = rotation.secret.created_at;
        let Some(client) = hold(&mut step, &rotation.client_id, at).await? else { return Ok(RotateSecret::Unknown) };
        if !client.authentication_methods.contains(AuthenticationMethod::ClientSecret) {
            return Ok(RotateSecret::HasNoSecret);
        }
        // Renewed twice by one press, the secret that is in use would be the one that ends at once.
        if rotation.seen.is_some() && client.secrets.first().map(|newest| newest.id) != rotation.seen {
            return Ok(RotateSecret::ChangedMeanwhile);
        }
        sqlx::query(END_OLD_SECRETS)
            .bind(client.id.0)
            .bind(rotation.old_expires_at)
            .bind(at)
            .execute(&mut *step)
            .await?;
        insert_secret(&mut step, client.id.0, &rotation.secret).await?;
        let Some(client) = read(&mut step, &rotation.client_id, at).await? else { return Ok(RotateSecret::Unknown) };
        let detail = json!({ "old_expires_at": rotation.old_expires_at });
        audit::write(&mut step, event, AuditAction::ClientSecretRotated, subjects(&client), detail).await?;
        step.commit().await?;
        Ok(RotateSecret::Rotated(Box::new(client)))
    }

    pub(in crate::store) async fn end_secret(
        &self,
        client_id: &str,
        secret: ClientSecretId,
        event: &Audit,
    ) -> StoreResult<EndSecret> {
        let mut step = self.begin().await?;
        let Some(mut client) = hold(&mut step, client_id, event.at).await? else { return Ok(EndSecret::Unknown) };
        let valid = client.secrets.len();
        client.secrets.retain(|known| known.id != secret);
        if client.secrets.len() == valid {
            return Ok(EndSecret::NoSuchSecret);
        }
        if client.secrets.iter().all(|left| left.expires_at.is_some()) {
            return Ok(EndSecret::IsTheLast);
        }
        sqlx::query(END_SECRET).bind(secret.0).bind(event.at).execute(&mut *step).await?;
        let detail = json!({ "secret": secret });
        audit::write(&mut step, event, AuditAction::ClientSecretEnded, subjects(&client), detail).await?;
        step.commit().await?;
        Ok(EndSecret::Ended(Box::new(client)))
    }

    pub(in crate::store) async fn note_secret_uses(&self, uses: &[SecretUse]) -> StoreResult<()> {
        let mut step = self.begin().await?;
        for used in uses {
            sqlx::query(NOTE_USE).bind(used.id.0).bind(used.at).bind(used.unless_after).execute(&mut *step).await?;
        }
        Ok(step.commit().await?)
    }

    pub(in crate::store) async fn disable_client(&self, client_id: &str, event: &Audit) -> StoreResult<Option<Client>> {
        if is_no_text(client_id) {
            return Ok(None);
        }
        let mut step = self.begin().await?;
        let disabled: Option<(Uuid,)> = sqlx::query_as(DISABLE).bind(client_id).fetch_optional(&mut *step).await?;
        let client = read(&mut step, client_id, event.at).await?;
        if let (Some(_), Some(client)) = (disabled, &client) {
            write_own(&mut step, event, AuditAction::ClientDisabled, (client, json!({}))).await?;
            step.commit().await?;
        }
        Ok(client)
    }

    pub(in crate::store) async fn delete_client(&self, client_id: &str, event: &Audit) -> StoreResult<Option<Client>> {
        let mut step = self.begin().await?;
        let Some(client) = hold(&mut step, client_id, event.at).await? else { return Ok(None) };
        tell_of_client(&mut step, &client, event).await?;
        sqlx::query(DELETE).bind(client.id.0).bind(event.at).execute(&mut *step).await?;
        // The row will be gone: what it was called stands here.
        let detail = json!({ "client_id": client.client_id, "name": client.name });
        audit::write(&mut step, event, AuditAction::ClientDeleted, subjects(&client), detail).await?;
        step.commit().await?;
        Ok(Some(client))
    }

    pub(in crate::store) async fn count_families(
        &self,
        client: ClientId,
        now: Timestamp,
        most: u32,
    ) -> StoreResult<Option<u32>> {
        let count: Option<i64> = reading!(self, connection => sqlx::query_scalar(COUNT_FAMILIES)
            .bind(client.0)
            .bind(now)
            .bind(i64::from(most))
            .fetch_one(&mut *connection))?;
        let count = count.map(u32::try_from).transpose().map_err(StoreError::broken)?;
        Ok(count.filter(|count| *count <= most))
    }
}

/// Makes the change to what was read, and says what the audit log is told of it; nothing where it changes nothing.
fn edit(client: &mut Client, edit: &ClientEdit) -> Option<(AuditAction, Value)> {
    match edit {
        ClientEdit::Rename(name) => {
            let before = std::mem::replace(&mut client.name, name.clone());
            (before != *name).then(|| (AuditAction::ClientRenamed, json!({ "name": name, "before": before })))
        }
        ClientEdit::AddRedirectUris(uris) => {
            let new: Vec<_> = uris.iter().filter(|uri| !client.redirect_uris.contains(uri)).cloned().collect();
            let detail = json!({ "redirect_uris": texts(&new) });
            let is_news = !new.is_empty();
            client.redirect_uris.extend(new);
            is_news.then_some((AuditAction::ClientRedirectUrisAdded, detail))
        }
        ClientEdit::RemoveRedirectUris(uris) => {
            let (gone, kept): (Vec<_>, Vec<_>) = client.redirect_uris.drain(..).partition(|uri| uris.contains(uri));
            client.redirect_uris = kept;
            let detail = json!({ "redirect_uris": texts(&gone) });
            (!gone.is_empty()).then_some((AuditAction::ClientRedirectUrisRemoved, detail))
        }
        ClientEdit::Scopes(scopes) => {
            let before = client.scopes.replace(scopes.clone());
            let is_news = before.as_ref() != Some(scopes);
            let detail = json!({ "scopes": scopes.to_string(), "before": before.map(|before| before.to_string()) });
            is_news.then_some((AuditAction::ClientScopesChanged, detail))
        }
        ClientEdit::Enable => {
            let was_enabled = std::mem::replace(&mut client.enabled, true);
            (!was_enabled).then(|| (AuditAction::ClientEnabled, json!({})))
        }
    }
}

/// Reads the client and keeps everybody else from changing it.
pub(super) async fn hold(step: &mut Connection, client_id: &str, now: Timestamp) -> StoreResult<Option<Client>> {
    if is_no_text(client_id) {
        return Ok(None);
    }
    sqlx::query(HOLD).bind(client_id).execute(&mut *step).await?;
    read(step, client_id, now).await
}

async fn read(step: &mut Connection, client_id: &str, now: Timestamp) -> StoreResult<Option<Client>> {
    let rows = sqlx::query_as(BY_CLIENT_ID).bind(now).bind(client_id).fetch_all(step).await?;
    Ok(fold(rows)?.pop())
}

fn texts(uris: &[RedirectUri]) -> Vec<&str> {
    uris.iter().map(RedirectUri::as_str).collect()
}
