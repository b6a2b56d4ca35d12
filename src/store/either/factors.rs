//! Second factors. Compiled once for each engine.

use serde_json::json;
use uuid::Uuid;

use super::{
    Connection, Engine,
    accounts::{hold, tell},
    reading,
};
use crate::{
    model::{
        Timestamp,
        audit::{Audit, AuditAction},
        digest::Digest,
        factor::{Factors, KeptApp, KeptPasskey, RememberedDevice},
        id::{AccountId, DeviceId, PasskeyId, SessionId},
    },
    store::{
        StoreError, StoreResult,
        factors::{NewApp, NewDevice, NewPasskey, PasskeyUse},
    },
};

const PASSKEYS: &str = "
    select id, account_id, credential, name, created_at, last_used_at
      from passkeys
     where account_id = $1
     order by id";

const APP: &str = "select sealed, created_at, last_used_at from authenticator_apps where account_id = $1";

const CODES_LEFT: &str = "select count(*) from recovery_codes where account_id = $1 and used_at is null";

const DEVICES: &str = "
    select id, created_at, expires_at, address, user_agent
      from remembered_devices
     where account_id = $1
       and expires_at > $2
     order by id desc";

const HAS: &str = "
    select exists (select 1 from passkeys where account_id = $1)
        or exists (select 1 from authenticator_apps where account_id = $1)";

const PASSKEY: &str = "
    select id, account_id, credential, name, created_at, last_used_at from passkeys where credential_id = $1";

const ADD_PASSKEY: &str = "
    insert into passkeys (id, account_id, credential_id, credential, name, challenge_at, created_at)
    values ($1, $2, $3, $4, $5, $6, $7)
        on conflict (credential_id) do nothing";

const USE_PASSKEY: &str = "
    update passkeys
       set credential = $2, challenge_at = $3, last_used_at = $4
     where id = $1
       and challenge_at < $3";

const REMOVE_PASSKEY: &str = "delete from passkeys where account_id = $1 and id = $2";

const ADD_APP: &str = "
    insert into authenticator_apps (account_id, sealed, step, created_at)
    values ($1, $2, $3, $4)
        on conflict (account_id) do nothing";

const USE_APP: &str = "
    update authenticator_apps
       set step = $2, last_used_at = $3
     where account_id = $1
       and step < $2";

const REMOVE_APP: &str = "delete from authenticator_apps where account_id = $1";

const FORGET_CODES: &str = "delete from recovery_codes where account_id = $1";

const ADD_CODE: &str = "insert into recovery_codes (digest, account_id) values ($1, $2)";

const USE_CODE: &str = "
    update recovery_codes set used_at = $3 where account_id = $1 and digest = $2 and used_at is null";

const FORGET_DIGEST: &str = "delete from remembered_devices where digest = $1";

const REMEMBER: &str = "
    insert into remembered_devices (id, account_id, digest, created_at, expires_at, address, user_agent)
    values ($1, $2, $3, $4, $5, $6, $7)";

const IS_REMEMBERED: &str = "
    select exists (select 1 from remembered_devices where account_id = $1 and digest = $2 and expires_at > $3)";

const FORGET_DEVICES: &str = "delete from remembered_devices where account_id = $1 and (id = $2 or $2 is null)";

const REMOVE_PASSKEYS: &str = "delete from passkeys where account_id = $1";

const PROVE: &str = "update sessions set proven_at = $2 where id = $1";

const PROVE_BY_FACTOR: &str = "update sessions set proven_at = $2, factor_at = $2 where id = $1";

#[derive(sqlx::FromRow)]
struct PasskeyRow {
    id: Uuid,
    account_id: Uuid,
    credential: String,
    name: String,
    created_at: Timestamp,
    last_used_at: Option<Timestamp>,
}

impl From<PasskeyRow> for KeptPasskey {
    fn from(row: PasskeyRow) -> Self {
        Self {
            id: PasskeyId(row.id),
            account_id: AccountId(row.account_id),
            credential: row.credential,
            name: row.name,
            created_at: row.created_at,
            last_used_at: row.last_used_at,
        }
    }
}

/// What is shared, since when, and when it was last used.
type AppRow = (Vec<u8>, Timestamp, Option<Timestamp>);

/// An id, since when, until when, from where, and with what.
type DeviceRow = (Uuid, Timestamp, Timestamp, Option<String>, Option<String>);

impl Engine {
    pub(in crate::store) async fn factors(&self, account: AccountId, now: Timestamp) -> StoreResult<Factors> {
        let passkeys: Vec<PasskeyRow> =
            reading!(self, connection => sqlx::query_as(PASSKEYS).bind(account.0).fetch_all(&mut *connection))?;
        let app: Option<AppRow> =
            reading!(self, connection => sqlx::query_as(APP).bind(account.0).fetch_optional(&mut *connection))?;
        let recovery_codes_left: i64 =
            reading!(self, connection => sqlx::query_scalar(CODES_LEFT).bind(account.0).fetch_one(&mut *connection))?;
        let devices: Vec<DeviceRow> = reading!(self, connection => sqlx::query_as(DEVICES).bind(account.0).bind(now).fetch_all(&mut *connection))?;
        let device = |(id, created_at, expires_at, address, user_agent)| RememberedDevice {
            id: DeviceId(id),
            created_at,
            expires_at,
            address,
            user_agent,
        };
        Ok(Factors {
            passkeys: passkeys.into_iter().map(Into::into).collect(),
            app: app.map(|(sealed, created_at, last_used_at)| KeptApp { sealed, created_at, last_used_at }),
            recovery_codes_left,
            devices: devices.into_iter().map(device).collect(),
        })
    }

    pub(in crate::store) async fn has_factors(&self, account: AccountId) -> StoreResult<bool> {
        reading!(self, connection => sqlx::query_scalar(HAS).bind(account.0).fetch_one(&mut *connection))
    }

    pub(in crate::store) async fn passkey(&self, credential_id: &[u8]) -> StoreResult<Option<KeptPasskey>> {
        let row: Option<PasskeyRow> =
            reading!(self, connection => sqlx::query_as(PASSKEY).bind(credential_id).fetch_optional(&mut *connection))?;
        Ok(row.map(Into::into))
    }

    pub(in crate::store) async fn add_passkey(&self, passkey: &NewPasskey, event: &Audit) -> StoreResult<bool> {
        let mut step = self.begin().await?;
        if !can_have_factors(&mut step, passkey.account_id).await? {
            return Ok(false);
        }
        let added = sqlx::query(ADD_PASSKEY)
            .bind(passkey.id.0)
            .bind(passkey.account_id.0)
            .bind(passkey.credential_id.as_slice())
            .bind(&passkey.credential)
            .bind(&passkey.name)
            .bind(passkey.challenge_at)
            .bind(event.at)
            .execute(&mut *step)
            .await?;
        if added.rows_affected() == 0 {
            return Ok(false);
        }
        let detail = json!({ "passkey": passkey.id.to_string() });
        tell(&mut step, event, AuditAction::AccountPasskeyAdded, (passkey.account_id, detail)).await?;
        step.commit().await?;
        Ok(true)
    }

    pub(in crate::store) async fn use_passkey(&self, used: &PasskeyUse) -> StoreResult<bool> {
        let mut step = self.begin().await?;
        let taken = sqlx::query(USE_PASSKEY)
            .bind(used.id.0)
            .bind(&used.credential)
            .bind(used.challenge_at)
            .bind(used.at)
            .execute(&mut *step)
            .await?;
        step.commit().await?;
        Ok(taken.rows_affected() == 1)
    }

    pub(in crate::store) async fn remove_passkey(
        &self,
        account: AccountId,
        id: PasskeyId,
        event: &Audit,
    ) -> StoreResult<bool> {
        let mut step = self.begin().await?;
        hold(&mut step, account).await?;
        let removed = sqlx::query(REMOVE_PASSKEY).bind(account.0).bind(id.0).execute(&mut *step).await?;
        if removed.rows_affected() == 0 {
            return Ok(false);
        }
        let detail = json!({ "passkey": id.to_string() });
        tell(&mut step, event, AuditAction::AccountPasskeyRemoved, (account, detail)).await?;
        forget_what_stood_in(&mut step, account).await?;
        step.commit().await?;
        Ok(true)
    }

    pub(in crate::store) async fn add_authenticator_app(&self, app: &NewApp, event: &Audit) -> StoreResult<bool> {
        let mut step = self.begin().await?;
        if !can_have_factors(&mut step, app.account_id).await? {
            return Ok(false);
        }
        let added = sqlx::query(ADD_APP)
            .bind(app.account_id.0)
            .bind(app.sealed.as_slice())
            .bind(app.step)
            .bind(event.at)
            .execute(&mut *step)
            .await?;
        if added.rows_affected() == 0 {
            return Ok(false);
        }
        tell(&mut step, event, AuditAction::AccountAuthenticatorAppAdded, (app.account_id, json!({}))).await?;
        step.commit().await?;
        Ok(true)
    }

    pub(in crate::store) async fn use_authenticator_app(
        &self,
        account: AccountId,
        of: i64,
        at: Timestamp,
    ) -> StoreResult<bool> {
        let mut step = self.begin().await?;
        let taken = sqlx::query(USE_APP).bind(account.0).bind(of).bind(at).execute(&mut *step).await?;
        step.commit().await?;
        Ok(taken.rows_affected() == 1)
    }

    pub(in crate::store) async fn remove_authenticator_app(
        &self,
        account: AccountId,
        event: &Audit,
    ) -> StoreResult<bool> {
        let mut step = self.begin().await?;
        hold(&mut step, account).await?;
        if sqlx::query(REMOVE_APP).bind(account.0).execute(&mut *step).await?.rows_affected() == 0 {
            return Ok(false);
        }
        tell(&mut step, event, AuditAction::AccountAuthenticatorAppRemoved, (account, json!({}))).await?;
        forget_what_stood_in(&mut step, account).await?;
        step.commit().await?;
        Ok(true)
    }

    pub(in crate::store) async fn make_recovery_codes(
        &self,
        account: AccountId,
        codes: &[Digest],
        event: &Audit,
    ) -> StoreResult<bool> {
        let mut step = self.begin().await?;
        if !can_have_factors(&mut step, account).await? || !has(&mut step, account).await? {
            return Ok(false);
        }
        sqlx::query(FORGET_CODES).bind(account.0).execute(&mut *step).await?;
        for code in codes {
            sqlx::query(ADD_CODE).bind(code.0.as_slice()).bind(account.0).execute(&mut *step).await?;
        }
        tell(&mut step, event, AuditAction::AccountRecoveryCodesMade, (account, json!({}))).await?;
        step.commit().await?;
        Ok(true)
    }

    pub(in crate::store) async fn use_recovery_code(
        &self,
        account: AccountId,
        code: Digest,
        event: &Audit,
    ) -> StoreResult<bool> {
        let mut step = self.begin().await?;
        let taken =
            sqlx::query(USE_CODE).bind(account.0).bind(code.0.as_slice()).bind(event.at).execute(&mut *step).await?;
        if taken.rows_affected() == 0 {
            return Ok(false);
        }
        tell(&mut step, event, AuditAction::AccountRecoveryCodeUsed, (account, json!({}))).await?;
        step.commit().await?;
        Ok(true)
    }

    pub(in crate::store) async fn remember_device(&self, device: &NewDevice) -> StoreResult<()> {
        let mut step = self.begin().await?;
        if !can_have_factors(&mut step, device.account_id).await? {
            return Ok(());
        }
        sqlx::query(FORGET_DIGEST).bind(device.digest.0.as_slice()).execute(&mut *step).await?;
        sqlx::query(REMEMBER)
            .bind(device.id.0)
            .bind(device.account_id.0)
            .bind(device.digest.0.as_slice())
            .bind(device.at)
            .bind(device.expires_at)
            .bind(&device.address)
            .bind(&device.user_agent)
            .execute(&mut *step)
            .await?;
        Ok(step.commit().await?)
    }

    pub(in crate::store) async fn is_device_remembered(
        &self,
        account: AccountId,
        digest: Digest,
        now: Timestamp,
    ) -> StoreResult<bool> {
        reading!(self, connection => sqlx::query_scalar(IS_REMEMBERED)
            .bind(account.0)
            .bind(digest.0.as_slice())
            .bind(now)
            .fetch_one(&mut *connection))
    }

    pub(in crate::store) async fn forget_devices(
        &self,
        account: AccountId,
        id: Option<DeviceId>,
        event: &Audit,
    ) -> StoreResult<u64> {
        let mut step = self.begin().await?;
        let forgotten = sqlx::query(FORGET_DEVICES).bind(account.0).bind(id.map(|id| id.0)).execute(&mut *step).await?;
        let count = forgotten.rows_affected();
        if count > 0 {
            tell(&mut step, event, AuditAction::AccountDevicesForgotten, (account, json!({ "devices": count })))
                .await?;
            step.commit().await?;
        }
        Ok(count)
    }

    pub(in crate::store) async fn remove_factors(&self, account: AccountId, event: &Audit) -> StoreResult<bool> {
        let mut step = self.begin().await?;
        if hold(&mut step, account).await?.is_none() || !has(&mut step, account).await? {
            return Ok(false);
        }
        for statement in [REMOVE_PASSKEYS, REMOVE_APP] {
            sqlx::query(statement).bind(account.0).execute(&mut *step).await?;
        }
        forget_what_stood_in(&mut step, account).await?;
        tell(&mut step, event, AuditAction::AccountFactorsRemoved, (account, json!({}))).await?;
        step.commit().await?;
        Ok(true)
    }

    pub(in crate::store) async fn prove_session(&self, id: SessionId, at: Timestamp) -> StoreResult<bool> {
        self.prove(PROVE, id, at).await
    }

    pub(in crate::store) async fn prove_session_by_factor(&self, id: SessionId, at: Timestamp) -> StoreResult<bool> {
        self.prove(PROVE_BY_FACTOR, id, at).await
    }

    async fn prove(&self, statement: &'static str, id: SessionId, at: Timestamp) -> StoreResult<bool> {
        let mut step = self.begin().await?;
        let proven = sqlx::query(statement).bind(id.0).bind(at).execute(&mut *step).await?;
        step.commit().await?;
        Ok(proven.rows_affected() == 1)
    }
}

/// Holds an account, and says whether it is one that can be used.
async fn can_have_factors(step: &mut Connection, account: AccountId) -> StoreResult<bool> {
    Ok(hold(step, account).await?.is_some_and(|(account, _)| account.enabled))
}

async fn has(step: &mut Connection, account: AccountId) -> StoreResult<bool> {
    sqlx::query_scalar(HAS).bind(account.0).fetch_one(step).await.map_err(StoreError::from)
}

/// With the last factor goes what stood in for one: nobody is to find it there when they set up another years later.
async fn forget_what_stood_in(step: &mut Connection, account: AccountId) -> StoreResult<()> {
    if !has(step, account).await? {
        sqlx::query(FORGET_CODES).bind(account.0).execute(&mut *step).await?;
        sqlx::query(FORGET_DEVICES).bind(account.0).bind(None::<Uuid>).execute(step).await?;
    }
    Ok(())
}
