//! Mail that waits to be sent. Compiled once for each engine.

use uuid::Uuid;

use super::{Connection, Engine, locking, reading};
use crate::{
    model::{Timestamp, id::MailId},
    store::{
        StoreError, StoreResult,
        mails::{MailTaking, MailsWaiting, NewMail, TakenMail},
    },
};

const INSERT: &str = "
    insert into outgoing_mails (id, account_id, sealed, due_at, created_at, expires_at)
    values ($1, $2, $3, $4, $5, $6)";

/// What is due only when it expires is not waiting for anybody.
const WAITING: &str = "
    select count(*),
           coalesce(sum(case when due_at < expires_at then 1 else 0 end), 0),
           coalesce(sum(case when due_at <= $1 then 1 else 0 end), 0)
      from outgoing_mails
     where expires_at > $1";

/// The condition stands twice: what somebody else took after it was found must be left to them.
const TAKE: &str = concat!(
    "update outgoing_mails
        set due_at = $2, attempts = attempts + 1
      where id in (select id
                     from outgoing_mails
                    where due_at <= $1 and expires_at > $1
                    order by due_at
                    limit $3 ",
    locking!(),
    ") and due_at <= $1
    returning id, sealed, attempts, created_at, expires_at"
);

const PUT_BACK: &str = "update outgoing_mails set due_at = $3 where id = $1 and attempts = $2";

const REMOVE: &str = "delete from outgoing_mails where id = $1";

type TakenRow = (Uuid, Vec<u8>, i64, Timestamp, Timestamp);

impl Engine {
    pub(in crate::store) async fn mails_waiting(&self, now: Timestamp) -> StoreResult<MailsWaiting> {
        let (kept, waiting, due): (i64, i64, i64) =
            reading!(self, connection => sqlx::query_as(WAITING).bind(now).fetch_one(&mut *connection))?;
        let count = |number: i64| u64::try_from(number).map_err(StoreError::broken);
        Ok(MailsWaiting { kept: count(kept)?, waiting: count(waiting)?, due: count(due)? })
    }

    pub(in crate::store) async fn take_mails(&self, taking: &MailTaking) -> StoreResult<Vec<TakenMail>> {
        let mut step = self.begin().await?;
        let rows: Vec<TakenRow> = sqlx::query_as(TAKE)
            .bind(taking.at)
            .bind(taking.until)
            .bind(i64::from(taking.mails_max))
            .fetch_all(&mut *step)
            .await?;
        step.commit().await?;
        let taken = |(id, sealed, attempts, created_at, expires_at)| TakenMail {
            id: MailId(id),
            sealed,
            attempts,
            created_at,
            expires_at,
        };
        Ok(rows.into_iter().map(taken).collect())
    }

    pub(in crate::store) async fn put_back_mail(&self, mail: &TakenMail, due_at: Timestamp) -> StoreResult<()> {
        let mut step = self.begin().await?;
        sqlx::query(PUT_BACK).bind(mail.id.0).bind(mail.attempts).bind(due_at).execute(&mut *step).await?;
        Ok(step.commit().await?)
    }

    pub(in crate::store) async fn remove_mail(&self, id: MailId) -> StoreResult<()> {
        let mut step = self.begin().await?;
        sqlx::query(REMOVE).bind(id.0).execute(&mut *step).await?;
        Ok(step.commit().await?)
    }
}

/// Lets a mail wait, in the step that causes it.
pub(super) async fn enqueue(step: &mut Connection, mail: &NewMail) -> StoreResult<()> {
    sqlx::query(INSERT)
        .bind(mail.id.0)
        .bind(mail.account_id.map(|id| id.0))
        .bind(&mail.sealed)
        .bind(mail.due_at)
        .bind(mail.at)
        .bind(mail.expires_at)
        .execute(step)
        .await?;
    Ok(())
}
