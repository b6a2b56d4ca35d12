//! Signing in. Compiled once for each engine.

use super::{Engine, reading};
use crate::{
    model::{Timestamp, digest::Digest, id::AccountId},
    store::{
        StoreError, StoreResult,
        sign_ins::{Failures, SignInFailure},
    },
};

const KNOWN: &str = "
    select failures, held_until
      from sign_in_failures
     where subject = $1
       and forget_at > $2";

const COUNT: &str = "
    insert into sign_in_failures (subject, failures, held_until, forget_at)
    values ($1, 1, $2, $3)
        on conflict (subject) do update
       set failures = case when sign_in_failures.forget_at > $4 then sign_in_failures.failures + 1 else 1 end,
           held_until = case when sign_in_failures.held_until > excluded.held_until
                             then sign_in_failures.held_until
                             else excluded.held_until end,
           forget_at = case when sign_in_failures.forget_at > excluded.forget_at
                            then sign_in_failures.forget_at
                            else excluded.forget_at end";

const FORGET: &str = "delete from sign_in_failures where subject = $1";

const STRENGTHEN: &str = "update accounts set password_hash = $3 where id = $1 and password_hash = $2";

impl Engine {
    pub(in crate::store) async fn sign_in_failures(
        &self,
        subject: Digest,
        now: Timestamp,
    ) -> StoreResult<Option<Failures>> {
        let row: Option<(i64, Timestamp)> = reading!(self, connection => sqlx::query_as(KNOWN).bind(subject.0.as_slice()).bind(now).fetch_optional(&mut *connection))?;
        let read =
            |(count, held_until)| Ok(Failures { count: u32::try_from(count).map_err(StoreError::broken)?, held_until });
        row.map(read).transpose()
    }

    pub(in crate::store) async fn sign_in_failed(&self, failure: &SignInFailure) -> StoreResult<()> {
        let mut step = self.begin().await?;
        sqlx::query(COUNT)
            .bind(failure.subject.0.as_slice())
            .bind(failure.held_until)
            .bind(failure.forget_at)
            .bind(failure.at)
            .execute(&mut *step)
            .await?;
        Ok(step.commit().await?)
    }

    pub(in crate::store) async fn forget_sign_in_failures(&self, subject: Digest) -> StoreResult<()> {
        let mut step = self.begin().await?;
        sqlx::query(FORGET).bind(subject.0.as_slice()).execute(&mut *step).await?;
        Ok(step.commit().await?)
    }

    pub(in crate::store) async fn strengthen_password(
        &self,
        account: AccountId,
        checked: &str,
        stronger: &str,
    ) -> StoreResult<bool> {
        let mut step = self.begin().await?;
        let done = sqlx::query(STRENGTHEN).bind(account.0).bind(checked).bind(stronger).execute(&mut *step).await?;
        step.commit().await?;
        Ok(done.rows_affected() == 1)
    }
}
