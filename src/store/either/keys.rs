//! Working keys; how they end is `key_ends`. Compiled once for each engine.

use serde_json::json;

use super::{Connection, Engine, audit, reading};
use crate::{
    model::{
        Timestamp,
        audit::{Audit, AuditAction, Subjects},
        key::{Kid, WrappedKey},
    },
    store::{
        StoreError, StoreResult,
        keys::{KeyRotation, RewrappedKey, RotateKey, Why},
    },
};

macro_rules! select {
    ($which:literal) => {
        concat!(
            "select kid, purpose, algorithm, master, wrapped, created_at, active_at, retired_at, needed_until, gone_at
               from working_keys ",
            $which,
            " order by created_at, kid"
        )
    };
}

const PRESENT: &str = select!("where gone_at is null");

const EVER: &str = select!("");

/// The index of newest keys lets one per purpose and algorithm in.
const INSERT: &str = "
    insert into working_keys (kid, purpose, algorithm, master, wrapped, created_at, active_at)
    values ($1, $2, $3, $4, $5, $6, $7)
    on conflict do nothing";

/// Of several that find the same newest key, one still does.
const RETIRE: &str = "
    update working_keys
       set retired_at = $2, needed_until = $3
     where kid = $1 and retired_at is null";

/// One that was to be used for longer, until the newest began: that does not begin any more.
const RETIRE_WITH_IT: &str = "
    update working_keys
       set retired_at = $3, needed_until = $4
     where purpose = $1 and algorithm = $2 and retired_at > $3 and gone_at is null
 returning kid";

/// Those before the newest. One that was to be used a little longer, or begin later, ends with it.
const RETIRE_EARLIER: &str = "
    update working_keys
       set retired_at = case when retired_at < $3 then retired_at else $3 end,
           needed_until = case when $4 is null then needed_until
                               when needed_until < $4 then needed_until
                               else $4 end
     where purpose = $1 and algorithm = $2 and retired_at is not null and gone_at is null
 returning kid";

const REWRAP: &str = "
    update working_keys
       set master = $3, wrapped = $4
     where kid = $1 and master = $2 and gone_at is null";

const KEEP_UNTIL: &str = "
    update working_keys
       set needed_until = case when needed_until < $2 then needed_until else $2 end
     where kid = $1 and retired_at is not null and gone_at is null";

const LAST_FAMILY_ENDS: &str = "select max(expires_at) from families";

const FAMILIES_ALIVE: &str =
    "select count(*) from families where ended_at is null and expires_at > $1 and idle_until > $1";

/// A working key as its row has it.
#[derive(sqlx::FromRow)]
struct KeyRow {
    kid: i64,
    purpose: String,
    algorithm: String,
    master: String,
    wrapped: Vec<u8>,
    created_at: Timestamp,
    active_at: Timestamp,
    retired_at: Option<Timestamp>,
    needed_until: Option<Timestamp>,
    gone_at: Option<Timestamp>,
}

impl TryFrom<KeyRow> for WrappedKey {
    type Error = StoreError;

    fn try_from(row: KeyRow) -> StoreResult<Self> {
        Ok(Self {
            kid: kid(row.kid)?,
            purpose: row.purpose.parse().map_err(StoreError::broken)?,
            algorithm: row.algorithm.parse().map_err(StoreError::broken)?,
            master: row.master,
            wrapped: row.wrapped,
            created_at: row.created_at,
            active_at: row.active_at,
            retired_at: row.retired_at,
            needed_until: row.needed_until,
            gone_at: row.gone_at,
        })
    }
}

pub(super) fn kid(number: i64) -> StoreResult<Kid> {
    Ok(Kid(number.try_into().map_err(StoreError::broken)?))
}

impl Engine {
    pub(in crate::store) async fn working_keys(&self) -> StoreResult<Vec<WrappedKey>> {
        let rows: Vec<KeyRow> = reading!(self, connection => sqlx::query_as(PRESENT).fetch_all(&mut *connection))?;
        rows.into_iter().map(WrappedKey::try_from).collect()
    }

    pub(in crate::store) async fn working_keys_ever(&self) -> StoreResult<Vec<WrappedKey>> {
        let rows: Vec<KeyRow> = reading!(self, connection => sqlx::query_as(EVER).fetch_all(&mut *connection))?;
        rows.into_iter().map(WrappedKey::try_from).collect()
    }

    pub(in crate::store) async fn add_first_keys(&self, keys: &[WrappedKey], event: &Audit) -> StoreResult<()> {
        let mut step = self.begin().await?;
        if add(&mut step, keys, event).await? > 0 {
            step.commit().await?;
        }
        Ok(())
    }

    pub(in crate::store) async fn rotate_key(&self, rotation: &KeyRotation, event: &Audit) -> StoreResult<RotateKey> {
        let KeyRotation { old, new, needed_until, why } = rotation;
        let mut step = self.begin().await?;
        let retired = sqlx::query(RETIRE)
            .bind(i64::from(old.0))
            .bind(new.active_at)
            .bind(needed_until)
            .execute(&mut *step)
            .await?
            .rows_affected();
        // What is not committed is undone when the step is dropped.
        if retired == 0 || !insert(&mut step, new).await? {
            return Ok(RotateKey::MadeMeanwhile);
        }
        let mut replaced = vec![*old];
        let earlier: Vec<i64> = sqlx::query_scalar(match why {
            Why::Routine => RETIRE_WITH_IT,
            Why::Compromised => RETIRE_EARLIER,
        })
        .bind(new.purpose.as_str())
        .bind(new.algorithm.as_str())
        .bind(new.active_at)
        .bind(needed_until)
        .fetch_all(&mut *step)
        .await?;
        let earlier: Vec<Kid> = earlier.into_iter().map(kid).collect::<StoreResult<_>>()?;
        replaced.extend(earlier.into_iter().filter(|kid| kid != old));
        let action = match why {
            Why::Routine => AuditAction::KeyRotated,
            Why::Compromised => AuditAction::KeyCompromised,
        };
        let detail = json!({
            "kid": new.kid.to_string(),
            "purpose": new.purpose.as_str(),
            "algorithm": new.algorithm.as_str(),
            "replaces": replaced.iter().map(Kid::to_string).collect::<Vec<_>>(),
            "active_at": new.active_at,
            "needed_until": needed_until,
        });
        audit::write(&mut step, event, action, Subjects::default(), detail).await?;
        step.commit().await?;
        Ok(RotateKey::Rotated)
    }

    pub(in crate::store) async fn rewrap_keys(&self, keys: &[RewrappedKey], event: &Audit) -> StoreResult<u64> {
        let mut step = self.begin().await?;
        let mut rewrapped = Vec::new();
        for key in keys {
            let done = sqlx::query(REWRAP)
                .bind(i64::from(key.kid.0))
                .bind(&key.before)
                .bind(&key.master)
                .bind(&key.wrapped)
                .execute(&mut *step)
                .await?;
            if done.rows_affected() == 1 {
                rewrapped.push(json!({ "kid": key.kid.to_string(), "before": key.before, "master": key.master }));
            }
        }
        let count = rewrapped.len();
        if count > 0 {
            let detail = json!({ "keys": rewrapped });
            audit::write(&mut step, event, AuditAction::KeyRewrapped, Subjects::default(), detail).await?;
            step.commit().await?;
        }
        u64::try_from(count).map_err(StoreError::broken)
    }

    pub(in crate::store) async fn keep_until(&self, kid: Kid, until: Timestamp) -> StoreResult<bool> {
        let mut step = self.begin().await?;
        let done = sqlx::query(KEEP_UNTIL).bind(i64::from(kid.0)).bind(until).execute(&mut *step).await?;
        step.commit().await?;
        Ok(done.rows_affected() == 1)
    }

    pub(in crate::store) async fn last_family_ends(&self) -> StoreResult<Option<Timestamp>> {
        reading!(self, connection => sqlx::query_scalar(LAST_FAMILY_ENDS).fetch_one(&mut *connection))
    }

    pub(in crate::store) async fn families_alive(&self, now: Timestamp) -> StoreResult<u64> {
        let count: i64 =
            reading!(self, connection => sqlx::query_scalar(FAMILIES_ALIVE).bind(now).fetch_one(&mut *connection))?;
        count.try_into().map_err(StoreError::broken)
    }
}

/// Adds those that are not in another's way, and answers how many; one event for all of them.
pub(super) async fn add(step: &mut Connection, keys: &[WrappedKey], event: &Audit) -> StoreResult<usize> {
    let mut added = Vec::new();
    for key in keys {
        if insert(step, key).await? {
            added.push(json!({ "kid": key.kid.to_string(), "purpose": key.purpose.as_str() }));
        }
    }
    let count = added.len();
    if count > 0 {
        let detail = json!({ "keys": added });
        audit::write(step, event, AuditAction::KeyAdded, Subjects::default(), detail).await?;
    }
    Ok(count)
}

async fn insert(step: &mut Connection, key: &WrappedKey) -> StoreResult<bool> {
    let done = sqlx::query(INSERT)
        .bind(i64::from(key.kid.0))
        .bind(key.purpose.as_str())
        .bind(key.algorithm.as_str())
        .bind(&key.master)
        .bind(&key.wrapped)
        .bind(key.created_at)
        .bind(key.active_at)
        .execute(step)
        .await?;
    Ok(done.rows_affected() == 1)
}
