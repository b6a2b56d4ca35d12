//! The accounts of reviewers. Compiled once for each engine.

use serde_json::{Value, json};
use uuid::Uuid;

use super::{Connection, Engine, audit, owners::LOCK, reading};
use crate::{
    model::{
        Timestamp,
        audit::{Audit, AuditAction, Subjects},
        id::{AccountId, PluginId},
    },
    store::{
        StoreError, StoreResult,
        reviewers::{NewReviewer, PutReviewer, Reviewer},
    },
};

const FIND: &str = "select id, email, created_at, ends_at from accounts where reviews = $1 and ends_at is not null";

const INSERT: &str = "
    insert into accounts (id, email, name, role, password_hash, created_at, reviews, ends_at)
    values ($1, $2, $3, 'person', $4, $5, $6, $7)";

const RENEW: &str = "
    update accounts
       set password_hash = $2, ends_at = $3,
           generation = generation + 1, session_generation = session_generation + 1
     where reviews = $1
    returning id";

/// What an administrator has disabled is theirs to enable again.
const DISABLED: &str = "select count(*) > 0 from accounts where reviews = $1 and not enabled";

const PROLONG: &str = "update accounts set ends_at = $2 where reviews = $1 and ends_at > $3 returning id";

const END: &str = "
    update accounts
       set ends_at = $2, generation = generation + 1
     where reviews = $1
       and ends_at > $2
    returning id";

type Row = (Uuid, String, Timestamp, Timestamp);

fn reviewer((id, email, created_at, ends_at): Row) -> StoreResult<Reviewer> {
    let email = email.parse().map_err(StoreError::broken)?;
    Ok(Reviewer { account_id: AccountId(id), email, created_at, ends_at })
}

impl Engine {
    pub(in crate::store) async fn reviewer_of(&self, plugin: PluginId) -> StoreResult<Option<Reviewer>> {
        let row: Option<Row> =
            reading!(self, connection => sqlx::query_as(FIND).bind(plugin.0).fetch_optional(&mut *connection))?;
        row.map(reviewer).transpose()
    }

    pub(in crate::store) async fn put_reviewer(&self, new: &NewReviewer, event: &Audit) -> StoreResult<PutReviewer> {
        let mut step = self.begin().await?;
        // Of two who make one at once the second finds the first one's.
        sqlx::query(LOCK).bind(new.plugin_id.0).execute(&mut *step).await?;
        if sqlx::query_scalar(DISABLED).bind(new.plugin_id.0).fetch_one(&mut *step).await? {
            return Ok(PutReviewer::IsDisabled);
        }
        let known: Option<Uuid> = sqlx::query_scalar(RENEW)
            .bind(new.plugin_id.0)
            .bind(&new.password_hash)
            .bind(new.ends_at)
            .fetch_optional(&mut *step)
            .await?;
        if known.is_none() {
            sqlx::query(INSERT)
                .bind(new.id.0)
                .bind(new.email.as_str())
                .bind(&new.name)
                .bind(&new.password_hash)
                .bind(event.at)
                .bind(new.plugin_id.0)
                .bind(new.ends_at)
                .execute(&mut *step)
                .await?;
        }
        let about = (new.plugin_id, known.unwrap_or(new.id.0));
        let detail = json!({ "ends_at": new.ends_at, "renewed": known.is_some() });
        tell(&mut step, event, AuditAction::PluginReviewerMade, (about, detail)).await?;
        let row: Row = sqlx::query_as(FIND).bind(new.plugin_id.0).fetch_one(&mut *step).await?;
        step.commit().await?;
        Ok(PutReviewer::Done(reviewer(row)?))
    }

    pub(in crate::store) async fn prolong_reviewer(
        &self,
        plugin: PluginId,
        ends_at: Timestamp,
        event: &Audit,
    ) -> StoreResult<bool> {
        let mut step = self.begin().await?;
        let known: Option<Uuid> =
            sqlx::query_scalar(PROLONG).bind(plugin.0).bind(ends_at).bind(event.at).fetch_optional(&mut *step).await?;
        let Some(id) = known else { return Ok(false) };
        let detail = json!({ "ends_at": ends_at });
        tell(&mut step, event, AuditAction::PluginReviewerProlonged, ((plugin, id), detail)).await?;
        step.commit().await?;
        Ok(true)
    }

    pub(in crate::store) async fn end_reviewer(&self, plugin: PluginId, event: &Audit) -> StoreResult<bool> {
        let mut step = self.begin().await?;
        let known: Option<Uuid> =
            sqlx::query_scalar(END).bind(plugin.0).bind(event.at).fetch_optional(&mut *step).await?;
        let Some(id) = known else { return Ok(false) };
        tell(&mut step, event, AuditAction::PluginReviewerEnded, ((plugin, id), json!({}))).await?;
        step.commit().await?;
        Ok(true)
    }
}

async fn tell(
    step: &mut Connection,
    event: &Audit,
    action: AuditAction,
    ((plugin, account), detail): ((PluginId, Uuid), Value),
) -> StoreResult<()> {
    let subjects = Subjects { account_id: Some(AccountId(account)), plugin_id: Some(plugin), ..Subjects::default() };
    audit::write(step, event, action, subjects, detail).await
}
