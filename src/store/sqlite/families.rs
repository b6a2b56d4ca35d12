//! Token families on SQLite: the writer is alone, so a step may take several statements in one transaction. Redeeming
//! always asks for the writer, and so does whatever brings an assertion; a refresh without one looks first, and asks
//! only where there is something to write.

use serde_json::json;

use super::{Connection, Engine, assertions::use_once, audit, reading, standing::ended};
use crate::{
    model::{
        Generation, Timestamp,
        audit::{Audit, AuditAction, Subjects},
        family::EndReason,
        id::{AccountId, PluginId},
    },
    store::{
        StoreError, StoreResult,
        assertions::AssertionUse,
        families::{Redeem, Redemption, Rotate, Rotation},
        family_rows::{ATTEMPTS, BoundsRow, MovedRow, SeenRow},
        family_statements::{
            admits, bind_presented, bind_redemption, bind_rotation, end_replayed, family_and_parents, family_columns,
            granted, is_for, is_its_own, is_standing, is_to_be_written, lives, redeem_row, repeats, replays,
            rotate_row, rules_that_name, stands, stays,
        },
    },
};

const REDEEM: &str = concat!(redeem_row!(""), "returning redemption = $2, ended_at, end_reason, access_generation");

const END_REPLAYED: &str = end_replayed!();

/// What bounds the scopes of a connection under this consent.
const BOUNDS: &str = concat!(
    "select g.scopes as consent_scopes, c.scopes as client_scopes, ",
    granted!(),
    "  from consents g
       join accounts a on a.id = g.account_id
       join clients c on c.id = g.client_id
       join plugins p on p.id = $2
      where g.id = $1"
);

const SEEN: &str = concat!(
    "select ",
    family_columns!(),
    ", f.rotated_at, ",
    repeats!(),
    " as repeats",
    family_and_parents!(),
    "where ",
    stands!(),
    "and ",
    is_its_own!(),
    "and ",
    is_for!()
);

/// `$14` is whether it repeated when it was seen.
const ROTATE: &str = concat!(
    "update families as f ",
    rotate_row!(),
    "where f.id = $1 and ",
    is_its_own!(),
    "and ",
    is_to_be_written!("$14"),
    "and exists (select 1 from accounts a, clients c, consents g, resources r, plugins p
                   where a.id = f.account_id and c.id = f.client_id and g.id = f.consent_id
                     and r.identifier = f.resource and p.id = r.plugin_id and ",
    stands!(),
    "and ",
    is_for!(),
    ") returning counter as moved_counter, rotated_at as moved_rotated_at, idle_until as moved_idle_until,
                 ended_at as moved_ended_at"
);

/// Whether the row is this request's, its end and the reason, and the access generation.
type RedeemedRow = (bool, Option<Timestamp>, Option<String>, Generation);

impl Engine {
    pub(in crate::store) async fn redeem(&self, redemption: &Redemption, event: &Audit) -> StoreResult<Redeem> {
        let mut step = self.begin().await?;
        if !is_first_use(&mut step, redemption.assertion.as_ref()).await? {
            return Ok(Redeem::AssertionReplayed);
        }
        let bounds: Option<BoundsRow> = sqlx::query_as(BOUNDS)
            .bind(redemption.consent_id.0)
            .bind(redemption.plugin_id.0)
            .fetch_optional(&mut *step)
            .await?;
        let bounds = bounds.unwrap_or_default();
        let mut row: Option<RedeemedRow> = None;
        if bounds.left_of(&redemption.scopes)?.is_some() {
            row = bind_redemption!(sqlx::query_as(REDEEM), redemption).fetch_optional(&mut *step).await?;
        }
        let subjects = Subjects {
            account_id: Some(redemption.account_id),
            client_id: Some(redemption.client_id),
            plugin_id: Some(redemption.plugin_id),
        };
        let Some((ours, ended_at, end_reason, access_generation)) = row else {
            let ended_now = bind_redemption!(sqlx::query(END_REPLAYED), redemption).execute(&mut *step).await?;
            let outcome = if ended_now.rows_affected() > 0 {
                let detail = ended(redemption.id, EndReason::CodeReplayed);
                audit::write(&mut step, event, AuditAction::FamilyEnded, subjects, detail).await?;
                Redeem::Replayed
            } else {
                Redeem::NotStanding
            };
            step.commit().await?;
            return Ok(outcome);
        };
        if ours && ended_at.is_none() {
            let detail = json!({ "family": redemption.id, "scopes": redemption.scopes.to_string() });
            audit::write(&mut step, event, AuditAction::FamilyBorn, subjects, detail).await?;
            step.commit().await?;
            return Ok(Redeem::Won(redemption.born(&bounds, access_generation)?));
        }
        if ours && end_reason.as_deref() == Some(EndReason::CodeReplayed.as_str()) {
            let detail = ended(redemption.id, EndReason::CodeReplayed);
            audit::write(&mut step, event, AuditAction::FamilyEnded, subjects, detail).await?;
        }
        step.commit().await?;
        Ok(Redeem::Replayed)
    }

    pub(in crate::store) async fn rotate(&self, rotation: &Rotation, event: &Audit) -> StoreResult<Rotate> {
        for _ in 0..ATTEMPTS {
            let mut seen = self.see(rotation).await?;
            if let Some(line) = &seen
                && line.family.is_left_nothing()?
            {
                seen = None;
            }
            let unsettled = seen.as_ref().filter(|seen| !seen.is_settled(rotation.authentication_method));
            let moved = if unsettled.is_some() || rotation.assertion.is_some() {
                match self.turn(rotation, unsettled, event).await? {
                    Turned::Moved(moved) => moved,
                    Turned::AssertionReplayed => return Ok(Rotate::AssertionReplayed),
                }
            } else {
                None
            };
            let Some(seen) = seen else { return Ok(Rotate::NotStanding) };
            if let Some(outcome) = rotation.outcome(seen, moved)? {
                return Ok(outcome);
            }
        }
        Err(StoreError::Contended)
    }

    /// Looks at the line without the writer.
    async fn see(&self, rotation: &Rotation) -> StoreResult<Option<SeenRow>> {
        reading!(self, connection => bind_presented!(sqlx::query_as(SEEN), rotation)
                .fetch_optional(&mut *connection))
    }

    /// Uses the assertion, and changes the line if one was seen that still is to be changed.
    async fn turn(&self, rotation: &Rotation, seen: Option<&SeenRow>, event: &Audit) -> StoreResult<Turned> {
        let mut step = self.begin().await?;
        if !is_first_use(&mut step, rotation.assertion.as_ref()).await? {
            return Ok(Turned::AssertionReplayed);
        }
        let mut moved: Option<MovedRow> = None;
        if let Some(seen) = seen {
            let query = bind_rotation!(sqlx::query_as(ROTATE), rotation).bind(seen.repeats);
            moved = query.fetch_optional(&mut *step).await?;
            if moved.as_ref().is_some_and(|moved| moved.moved_ended_at.is_some()) {
                let subjects = Subjects {
                    account_id: Some(AccountId(seen.family.account_id)),
                    client_id: Some(rotation.client_id),
                    plugin_id: Some(PluginId(seen.family.plugin_id)),
                };
                let detail = ended(rotation.id, EndReason::RefreshReplayed);
                audit::write(&mut step, event, AuditAction::FamilyEnded, subjects, detail).await?;
            }
        }
        step.commit().await?;
        Ok(Turned::Moved(moved))
    }
}

/// What became of a step on a line.
enum Turned {
    /// What it changed, if anything.
    Moved(Option<MovedRow>),
    /// The assertion had been used; nothing was written.
    AssertionReplayed,
}

/// Whether the step may go on: there is no assertion, or it had not been used.
async fn is_first_use(step: &mut Connection, assertion: Option<&AssertionUse>) -> StoreResult<bool> {
    match assertion {
        Some(assertion) => use_once(step, assertion).await,
        None => Ok(true),
    }
}
