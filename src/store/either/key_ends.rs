//! Working keys that are wiped. Compiled once for each engine.

use serde_json::json;

use super::{
    Connection, Engine, audit, audit_links,
    keys::{add, kid},
    reseals, taking,
};
use crate::{
    model::{
        audit::{Audit, AuditAction, Subjects},
        key::{Kid, Purpose},
    },
    store::{
        StoreError, StoreResult,
        keys::{GiveUp, GivingUp, Lost, SealingKeysEnded},
        reseals::SealedColumn,
    },
};

const END: &str = "
    update working_keys
       set wrapped = $2, gone_at = $1
     where needed_until <= $1 and retired_at <= $1 and gone_at is null and purpose <> $3
 returning kid, purpose";

/// What another node is about to wipe is left to it.
const ENDING: &str = concat!(
    "select kid
       from working_keys
      where purpose = $1 and needed_until <= $2 and retired_at <= $2 and gone_at is null
      order by kid ",
    taking!()
);

const GO_ON: &str = "update working_keys set needed_until = null where kid = $1";

const WIPE: &str = "update working_keys set wrapped = $3, gone_at = $2 where kid = $1 returning kid, purpose";

const GIVE_UP: &str = "
    update working_keys
       set wrapped = $3,
           gone_at = $2,
           retired_at = case when retired_at < $2 then retired_at else $2 end
     where kid = $1 and gone_at is null
 returning kid, purpose";

impl Engine {
    pub(in crate::store) async fn end_keys(&self, event: &Audit) -> StoreResult<Vec<Kid>> {
        let mut step = self.begin().await?;
        let ended: Vec<(i64, String)> = sqlx::query_as(END)
            .bind(event.at)
            .bind(Vec::<u8>::new())
            .bind(Purpose::SealData.as_str())
            .fetch_all(&mut *step)
            .await?;
        let ended = tell_of_ended(&mut step, ended, event).await?;
        step.commit().await?;
        Ok(ended)
    }

    pub(in crate::store) async fn end_sealing_keys(
        &self,
        lost: &[Lost],
        event: &Audit,
    ) -> StoreResult<SealingKeysEnded> {
        // On SQLite nobody writes meanwhile. On Postgres what is written while rows are looked at is seen or not, but it
        // was sealed an hour ago if it is sealed with one of these keys (`registry::resealing`); to keep every writer
        // out of the tables for as long would cost more than it is worth.
        let mut step = self.begin_long().await?;
        let purpose = Purpose::SealData.as_str();
        let ending: Vec<i64> = sqlx::query_scalar(ENDING).bind(purpose).bind(event.at).fetch_all(&mut *step).await?;
        let (mut wiped, mut kept) = (Vec::new(), Vec::new());
        for number in ending {
            let key = kid(number)?;
            if is_in_use(&mut step, key, lost).await? {
                sqlx::query(GO_ON).bind(number).execute(&mut *step).await?;
                kept.push(key);
            } else {
                let row = sqlx::query_as(WIPE).bind(number).bind(event.at).bind(Vec::<u8>::new());
                wiped.push(row.fetch_one(&mut *step).await?);
            }
        }
        let wiped = tell_of_ended(&mut step, wiped, event).await?;
        step.commit().await?;
        Ok(SealingKeysEnded { wiped, kept })
    }

    pub(in crate::store) async fn give_up_keys(
        &self,
        giving_up: &GivingUp,
        [ending, adding]: [&Audit; 2],
    ) -> StoreResult<GiveUp> {
        let GivingUp { kids, successors, last_link, log } = giving_up;
        let mut step = self.begin().await?;
        let mut ended = Vec::new();
        for kid in kids {
            let row = sqlx::query_as(GIVE_UP).bind(i64::from(kid.0)).bind(ending.at).bind(Vec::<u8>::new());
            ended.extend(row.fetch_optional(&mut *step).await?);
        }
        let ended = tell_of_ended(&mut step, ended, ending).await?;
        // What is not committed is undone when the step is dropped.
        if ended.len() != kids.len() || add(&mut step, successors, adding).await? != successors.len() {
            return Ok(GiveUp::ChangedMeanwhile);
        }
        // A server that still runs has them in hand. From here on no link is made with them any more.
        if audit_links::last_number_of(&mut step, kids).await? > *last_link {
            return Ok(GiveUp::ChangedMeanwhile);
        }
        if let Some(beginning) = log
            && !audit_links::begin(&mut step, beginning).await?
        {
            return Ok(GiveUp::ChangedMeanwhile);
        }
        step.commit().await?;
        Ok(GiveUp::GivenUp)
    }
}

/// Whether a row is sealed with a key, but for what is lost.
async fn is_in_use(step: &mut Connection, kid: Kid, lost: &[Lost]) -> StoreResult<bool> {
    for column in SealedColumn::ALL {
        let lost = lost.iter().find(|lost| (lost.kid, lost.column) == (kid, *column)).map_or(0, |lost| lost.rows);
        let found: bool = sqlx::query_scalar(reseals::of(*column).are_sealed_with)
            .bind(kid.0.to_be_bytes().to_vec())
            .bind(i64::try_from(lost).map_err(StoreError::broken)?)
            .fetch_one(&mut *step)
            .await?;
        if found {
            return Ok(true);
        }
    }
    Ok(false)
}

/// One event for all that ended together; none where none did.
async fn tell_of_ended(step: &mut Connection, ended: Vec<(i64, String)>, event: &Audit) -> StoreResult<Vec<Kid>> {
    let kids: Vec<Kid> = ended.iter().map(|(number, _)| kid(*number)).collect::<StoreResult<_>>()?;
    if !kids.is_empty() {
        let told =
            kids.iter().zip(&ended).map(|(kid, (_, purpose))| json!({ "kid": kid.to_string(), "purpose": purpose }));
        let detail = json!({ "keys": told.collect::<Vec<_>>() });
        audit::write(step, event, AuditAction::KeyEnded, Subjects::default(), detail).await?;
    }
    Ok(kids)
}
