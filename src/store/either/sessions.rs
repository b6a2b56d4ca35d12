//! Browser sessions. Compiled once for each engine.

use uuid::Uuid;

use super::{
    Engine,
    accounts::{AccountRow, account_columns},
    reading,
};
use crate::{
    model::{Timestamp, digest::Digest, id::SessionId, session::Session},
    store::{StoreError, StoreResult, sessions::NewSession},
};

const INSERT: &str = "
    insert into sessions (id, digest, account_id, account_generation, session_generation, auth_time, expires_at)
    select $1, $2, a.id, a.generation, a.session_generation, $6, $7
      from accounts a
     where a.id = $3
       and a.generation = $4
       and a.session_generation = $5
       and a.enabled";

const LIVE: &str = concat!(
    "select s.id as session_id, s.account_generation, s.auth_time, s.expires_at, ",
    account_columns!(),
    " from sessions s
      join accounts a on a.id = s.account_id
     where s.digest = $1
       and s.expires_at > $2
       and a.enabled
       and a.generation = s.account_generation
       and a.session_generation = s.session_generation"
);

const DELETE: &str = "delete from sessions where digest = $1";

/// A session and its account, as the join has them.
#[derive(sqlx::FromRow)]
struct SessionRow {
    session_id: Uuid,
    account_generation: i64,
    auth_time: Timestamp,
    expires_at: Timestamp,
    #[sqlx(flatten)]
    account: AccountRow,
}

impl TryFrom<SessionRow> for Session {
    type Error = StoreError;

    fn try_from(row: SessionRow) -> StoreResult<Self> {
        Ok(Self {
            id: SessionId(row.session_id),
            account: row.account.try_into()?,
            account_generation: row.account_generation,
            auth_time: row.auth_time,
            expires_at: row.expires_at,
        })
    }
}

impl Engine {
    pub(in crate::store) async fn start_session(&self, session: &NewSession) -> StoreResult<bool> {
        let mut step = self.begin().await?;
        if let Some(old) = session.replaces {
            sqlx::query(DELETE).bind(old.0.as_slice()).execute(&mut *step).await?;
        }
        let started = sqlx::query(INSERT)
            .bind(session.id.0)
            .bind(session.digest.0.as_slice())
            .bind(session.account_id.0)
            .bind(session.account_generation)
            .bind(session.session_generation)
            .bind(session.at)
            .bind(session.expires_at)
            .execute(&mut *step)
            .await?
            .rows_affected();
        step.commit().await?;
        Ok(started == 1)
    }

    pub(in crate::store) async fn session(&self, digest: Digest, now: Timestamp) -> StoreResult<Option<Session>> {
        let row: Option<SessionRow> = reading!(self, connection => sqlx::query_as(LIVE).bind(digest.0.as_slice()).bind(now).fetch_optional(&mut *connection))?;
        row.map(Session::try_from).transpose()
    }

    pub(in crate::store) async fn end_session(&self, digest: Digest) -> StoreResult<()> {
        let mut step = self.begin().await?;
        sqlx::query(DELETE).bind(digest.0.as_slice()).execute(&mut *step).await?;
        step.commit().await?;
        Ok(())
    }
}
