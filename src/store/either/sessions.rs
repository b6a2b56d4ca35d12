//! Browser sessions. Compiled once for each engine.

use serde_json::json;
use uuid::Uuid;

use super::{
    Engine,
    accounts::{AccountRow, account_columns},
    audit, reading,
};
use crate::{
    model::{
        Timestamp,
        audit::{Audit, AuditAction, Subjects},
        digest::Digest,
        id::{AccountId, SessionId},
        session::{OpenSession, Session},
    },
    store::{StoreError, StoreResult, sessions::NewSession},
};

const INSERT: &str = "
    insert into sessions (id, digest, account_id, account_generation, session_generation, auth_time, expires_at,
                          address, user_agent, factor_at)
    select $1, $2, a.id, a.generation, a.session_generation, $6, $7, $8, $9, $10
      from accounts a
     where a.id = $3
       and a.generation = $4
       and a.session_generation = $5
       and a.enabled
       and (a.ends_at is null or a.ends_at > $6)";

/// The sessions that live; `$2` is now.
macro_rules! live_sessions {
    () => {
        " from sessions s
          join accounts a on a.id = s.account_id
         where s.expires_at > $2
           and a.enabled
           and (a.ends_at is null or a.ends_at > $2)
           and a.generation = s.account_generation
           and a.session_generation = s.session_generation "
    };
}

const LIVE: &str = concat!(
    "select s.id as session_id, s.account_generation, s.auth_time, s.proven_at, s.factor_at, s.expires_at, ",
    account_columns!(),
    live_sessions!(),
    "and s.digest = $1"
);

const OPEN: &str = concat!(
    "select s.id, s.auth_time, s.address, s.user_agent",
    live_sessions!(),
    "and s.account_id = $1 order by s.id desc limit 100"
);

const DELETE: &str = "delete from sessions where digest = $1";

const DELETE_OF: &str = "delete from sessions where account_id = $1 and id = $2";

const DELETE_OTHERS: &str = "delete from sessions where account_id = $1 and id <> $2";

/// A session and its account, as the join has them.
#[derive(sqlx::FromRow)]
struct SessionRow {
    session_id: Uuid,
    account_generation: i64,
    auth_time: Timestamp,
    proven_at: Option<Timestamp>,
    factor_at: Option<Timestamp>,
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
            proven_at: row.proven_at.unwrap_or(row.auth_time),
            factor_at: row.factor_at,
            expires_at: row.expires_at,
        })
    }
}

/// An id, when it began, from where, and with what.
type OpenRow = (Uuid, Timestamp, Option<String>, Option<String>);

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
            .bind(&session.address)
            .bind(&session.user_agent)
            .bind(session.factor_at)
            .execute(&mut *step)
            .await
            .map_err(StoreError::from);
        match started {
            Ok(started) => {
                step.commit().await?;
                Ok(started.rows_affected() == 1)
            }
            // Its account was deleted while it was looked at.
            Err(error) if error.is_orphan() => Ok(false),
            Err(error) => Err(error),
        }
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

    pub(in crate::store) async fn open_sessions(
        &self,
        account: AccountId,
        now: Timestamp,
    ) -> StoreResult<Vec<OpenSession>> {
        let rows: Vec<OpenRow> =
            reading!(self, connection => sqlx::query_as(OPEN).bind(account.0).bind(now).fetch_all(&mut *connection))?;
        let open =
            |(id, auth_time, address, user_agent)| OpenSession { id: SessionId(id), auth_time, address, user_agent };
        Ok(rows.into_iter().map(open).collect())
    }

    pub(in crate::store) async fn end_session_of(
        &self,
        account: AccountId,
        id: SessionId,
        event: &Audit,
    ) -> StoreResult<bool> {
        Ok(self.end_sessions(DELETE_OF, account, id, event).await? > 0)
    }

    pub(in crate::store) async fn end_other_sessions(
        &self,
        account: AccountId,
        kept: SessionId,
        event: &Audit,
    ) -> StoreResult<u64> {
        self.end_sessions(DELETE_OTHERS, account, kept, event).await
    }

    async fn end_sessions(
        &self,
        statement: &'static str,
        account: AccountId,
        id: SessionId,
        event: &Audit,
    ) -> StoreResult<u64> {
        let mut step = self.begin().await?;
        let ended = sqlx::query(statement).bind(account.0).bind(id.0).execute(&mut *step).await?.rows_affected();
        if ended > 0 {
            let subjects = Subjects { account_id: Some(account), ..Subjects::default() };
            let detail = json!({ "sessions": ended });
            audit::write(&mut step, event, AuditAction::AccountSessionsEnded, subjects, detail).await?;
        }
        step.commit().await?;
        Ok(ended)
    }
}
