//! What plugins prove, and looks at it. Compiled once for each engine.

use serde_json::{Map, Value, json};
use sqlx::types::Json;
use uuid::Uuid;

use super::{
    Connection, Engine, audit, holding, locking,
    mails::enqueue,
    plugins::{PluginRow, plugin_columns},
    reading,
};
use crate::{
    model::{
        Timestamp,
        audit::{Audit, AuditAction, Subjects},
        id::PluginId,
        plugin::{Host, Plugin, PluginState},
        verification::{Finding, Look, Verification},
    },
    store::{
        StoreError, StoreResult,
        verifications::{KeepLook, LookKeeping, LookTaking, SetChallenge, SetToken, TokenSetting},
    },
};

const PLUGIN: &str = concat!("select ", plugin_columns!(), " from plugins where id = $1");

/// Whatever changes what is published holds the plugin's row first, so that a look is kept before it or not at all.
const HOLD: &str = concat!("select ", plugin_columns!(), " from plugins where id = $1 ", holding!());

const PUBLISH: &str = "
    update plugins
       set manifest = $2, state = $3, version = version + 1, updated_at = $4
     where id = $1";

const SET_STATE: &str = "update plugins set state = $2 where id = $1";

/// What was seen is forgotten; when it matched last, and that it is broken, is not.
const FORGET: &str = "
    insert into plugin_verifications (plugin_id, revision, due_at)
    values ($1, 1, $2)
    on conflict (plugin_id) do update
       set revision = plugin_verifications.revision + 1, looked_at = null, outcome = null, says = null, findings = null,
           failures = 0, failing_since = null, due_at = excluded.due_at";

const SET_CHALLENGE: &str = "
    insert into plugin_verifications (plugin_id, challenge)
    select id, $2 from plugins where id = $1
    on conflict (plugin_id) do update
       set challenge = excluded.challenge";

const CHALLENGE_OF: &str = "select challenge from plugin_verifications where plugin_id = $1";

const CHALLENGE: &str = "
    select v.challenge
      from plugins p
      join plugin_verifications v on v.plugin_id = p.id
     where p.host = $1
       and v.challenge is not null";

const FIND: &str = "
    select revision, looked_at, outcome, says, findings, failures, failing_since, verified_at, broken_at, due_at
      from plugin_verifications
     where plugin_id = $1";

const KEEP: &str = "
    insert into plugin_verifications
           (plugin_id, revision, looked_at, outcome, says, findings, failures, failing_since, verified_at, broken_at,
            due_at)
    values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
    on conflict (plugin_id) do update
       set revision = excluded.revision, looked_at = excluded.looked_at, outcome = excluded.outcome,
           says = excluded.says, findings = excluded.findings, failures = excluded.failures,
           failing_since = excluded.failing_since, verified_at = excluded.verified_at,
           broken_at = excluded.broken_at, due_at = excluded.due_at";

/// The condition stands twice: what somebody else took after it was found must be left to them.
const TAKE: &str = concat!(
    "update plugin_verifications
        set due_at = $2
      where plugin_id in (select plugin_id
                            from plugin_verifications
                           where due_at <= $1
                           order by due_at
                           limit $3 ",
    locking!(),
    ") and due_at <= $1
    returning plugin_id"
);

/// What is remembered, as its row has it.
#[derive(sqlx::FromRow)]
struct VerificationRow {
    revision: i64,
    looked_at: Option<Timestamp>,
    outcome: Option<String>,
    says: Option<String>,
    findings: Option<Json<Vec<Finding>>>,
    failures: i64,
    failing_since: Option<Timestamp>,
    verified_at: Option<Timestamp>,
    broken_at: Option<Timestamp>,
    due_at: Option<Timestamp>,
}

impl TryFrom<VerificationRow> for Verification {
    type Error = StoreError;

    fn try_from(row: VerificationRow) -> StoreResult<Self> {
        let look = match (row.looked_at, row.outcome, row.says, row.findings) {
            (Some(at), Some(outcome), Some(says), Some(findings)) => {
                Some(Look { at, outcome: outcome.parse().map_err(StoreError::broken)?, says, findings: findings.0 })
            }
            _ => None,
        };
        Ok(Self {
            revision: row.revision,
            look,
            failures: u32::try_from(row.failures).map_err(StoreError::broken)?,
            failing_since: row.failing_since,
            verified_at: row.verified_at,
            broken_at: row.broken_at,
            due_at: row.due_at,
        })
    }
}

impl Engine {
    pub(in crate::store) async fn set_verification_token(
        &self,
        setting: &TokenSetting,
        event: &Audit,
    ) -> StoreResult<SetToken> {
        let mut step = self.begin().await?;
        let Some(known) = plugin(HOLD, &mut step, setting.plugin_id).await? else { return Ok(SetToken::Gone) };
        let token = Value::from(setting.token.as_str());
        let mut wanted = known.clone();
        wanted.publish(Map::from_iter([(setting.service.clone(), token)]));
        if wanted.manifest == known.manifest {
            return Ok(SetToken::Published(Box::new(known)));
        }
        if setting.seen.is_some_and(|seen| seen != known.version) {
            return Ok(SetToken::ChangedMeanwhile);
        }
        sqlx::query(PUBLISH)
            .bind(known.id.0)
            .bind(Json(&wanted.manifest))
            .bind(wanted.unseen_state().as_str())
            .bind(setting.at)
            .execute(&mut *step)
            .await?;
        forget(&mut step, &wanted, setting.at).await?;
        let detail = json!({ "service": setting.service });
        audit::write(&mut step, event, AuditAction::PluginVerificationTokenSet, Subjects::of_plugin(known.id), detail)
            .await?;
        let Some(now) = plugin(PLUGIN, &mut step, known.id).await? else { return Ok(SetToken::Gone) };
        step.commit().await?;
        Ok(SetToken::Published(Box::new(now)))
    }

    pub(in crate::store) async fn set_challenge(
        &self,
        id: PluginId,
        (token, seen): (&str, Option<&str>),
        event: &Audit,
    ) -> StoreResult<SetChallenge> {
        let mut step = self.begin().await?;
        if plugin(HOLD, &mut step, id).await?.is_none() {
            return Ok(SetChallenge::Gone);
        }
        let served: Option<(Option<String>,)> =
            sqlx::query_as(CHALLENGE_OF).bind(id.0).fetch_optional(&mut *step).await?;
        let served = served.and_then(|row| row.0).unwrap_or_default();
        if served != token && seen.is_some_and(|seen| seen != served) {
            return Ok(SetChallenge::ChangedMeanwhile);
        }
        sqlx::query(SET_CHALLENGE).bind(id.0).bind(token).execute(&mut *step).await?;
        audit::write(&mut step, event, AuditAction::PluginChallengeSet, Subjects::of_plugin(id), json!({})).await?;
        step.commit().await?;
        Ok(SetChallenge::Set)
    }

    pub(in crate::store) async fn challenge(&self, host: &Host) -> StoreResult<Option<String>> {
        reading!(self, connection => sqlx::query_scalar(CHALLENGE).bind(host.as_str()).fetch_optional(&mut *connection))
    }

    pub(in crate::store) async fn remembered_looks(&self, id: PluginId) -> StoreResult<Verification> {
        let row: Option<VerificationRow> =
            reading!(self, connection => sqlx::query_as(FIND).bind(id.0).fetch_optional(&mut *connection))?;
        Ok(row.map(Verification::try_from).transpose()?.unwrap_or_default())
    }

    pub(in crate::store) async fn verification(&self, id: PluginId) -> StoreResult<Option<(Plugin, Verification)>> {
        // Read first: what is changed between the two readings has raised it, and then nothing of the look is kept.
        let known = self.remembered_looks(id).await?;
        Ok(self.plugin(id).await?.map(|plugin| (plugin, known)))
    }

    pub(in crate::store) async fn keep_look(&self, keeping: &LookKeeping, event: &Audit) -> StoreResult<KeepLook> {
        let mut step = self.begin().await?;
        let Some(mut held) = plugin(HOLD, &mut step, keeping.plugin_id).await? else { return Ok(KeepLook::Gone) };
        let row: Option<VerificationRow> = sqlx::query_as(FIND).bind(held.id.0).fetch_optional(&mut *step).await?;
        let revision = row.map_or(0, |row| row.revision);
        if held.version != keeping.version || revision != keeping.verification.revision {
            return Ok(KeepLook::ChangedMeanwhile);
        }
        keep(&mut step, held.id, &keeping.verification).await?;
        if held.state != keeping.state {
            sqlx::query(SET_STATE).bind(held.id.0).bind(keeping.state.as_str()).execute(&mut *step).await?;
            let was_verified = std::mem::replace(&mut held.state, keeping.state) == PluginState::Verified;
            let action = match keeping.state {
                PluginState::Verified => Some(AuditAction::PluginVerified),
                _ if was_verified => Some(AuditAction::PluginUnverified),
                _ => None,
            };
            if let Some(action) = action {
                let outcome = keeping.verification.look.as_ref().map(|look| look.outcome.as_str());
                audit::write(&mut step, event, action, Subjects::of_plugin(held.id), json!({ "outcome": outcome }))
                    .await?;
            }
        }
        for mail in &keeping.mails {
            enqueue(&mut step, mail).await?;
        }
        step.commit().await?;
        Ok(KeepLook::Kept(Box::new(held)))
    }

    pub(in crate::store) async fn take_looks(&self, taking: &LookTaking) -> StoreResult<Vec<PluginId>> {
        let mut step = self.begin().await?;
        let taken: Vec<Uuid> = sqlx::query_scalar(TAKE)
            .bind(taking.at)
            .bind(taking.until)
            .bind(i64::from(taking.looks_max))
            .fetch_all(&mut *step)
            .await?;
        step.commit().await?;
        Ok(taken.into_iter().map(PluginId).collect())
    }
}

/// Forgets what was seen of a plugin whose manifest or host has changed; a look is due if it has anything to verify.
pub(super) async fn forget(step: &mut Connection, plugin: &Plugin, at: Timestamp) -> StoreResult<()> {
    let due_at = (plugin.unseen_state() != PluginState::Draft).then_some(at);
    sqlx::query(FORGET).bind(plugin.id.0).bind(due_at).execute(step).await?;
    Ok(())
}

async fn keep(step: &mut Connection, plugin: PluginId, kept: &Verification) -> StoreResult<()> {
    let look = kept.look.as_ref();
    sqlx::query(KEEP)
        .bind(plugin.0)
        .bind(kept.revision + 1)
        .bind(look.map(|look| look.at))
        .bind(look.map(|look| look.outcome.as_str()))
        .bind(look.map(|look| look.says.as_str()))
        .bind(look.map(|look| Json(&look.findings)))
        .bind(i64::from(kept.failures))
        .bind(kept.failing_since)
        .bind(kept.verified_at)
        .bind(kept.broken_at)
        .bind(kept.due_at)
        .execute(step)
        .await?;
    Ok(())
}

async fn plugin(statement: &'static str, step: &mut Connection, id: PluginId) -> StoreResult<Option<Plugin>> {
    let row: Option<PluginRow> = sqlx::query_as(statement).bind(id.0).fetch_optional(step).await?;
    row.map(Plugin::try_from).transpose()
}
