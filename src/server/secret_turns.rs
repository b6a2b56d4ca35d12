//! New versions of plugins' secrets that no person makes: a rotator has one made, or a reference leads to another value.
//! And their end where they were issued. What is due is `jobs::secrets`' and the store's affair.
//!
//! A key is made first and kept then, and a server can be killed between. So before one is made, whatever was made under the
//! same label is ended; and what could not be kept because somebody else was faster is ended at once.

use std::time::Duration;

use chrono::TimeDelta;
use tokio::time::timeout;

use super::{Server, keyring::KeyringError};
use crate::{
    keys::place::Place,
    model::{
        Timestamp,
        audit::{Actor, AuditAction, Origin},
        digest::Digest,
        id::SecretVersionId,
        plugin_secret::{SecretSource, check_value, label},
    },
    random,
    registry::{
        RegistryError,
        plugin_secrets::{GRACE_MIN, sealed_reference, version},
    },
    rotators::{Ask, RotateError},
    store::{
        StoreError, StoreResult,
        audit_log::{LogQuery, Of},
        owners::Page,
        plugin_secrets::{ChangeSecret, PluginSecretRotation, SEPARATOR, SecretDue},
        secret_revocations::{RevocationFailure, TakenRevocation},
        secret_turns::{SecretFailure, TakenSecret},
    },
    vault::SecretValue,
};

/// How long all that is asked of an issuer in one turn may take: less than a node keeps it to itself (`jobs::secrets`).
const PATIENCE: Duration = Duration::from_mins(3);

/// How long after the first failure it is tried again, and at most after any.
const WAIT: TimeDelta = TimeDelta::minutes(1);
const WAIT_MAX: TimeDelta = TimeDelta::hours(1);

/// How long what found no place in our own queue waits before it is taken again.
const NEXT_PLACE: TimeDelta = TimeDelta::seconds(5);

/// How often the audit log is told at most that no new version of a key can be made, or none of its old ones be ended.
const TOLD_EVERY: TimeDelta = TimeDelta::days(1);

/// Among how many failures of a plugin's secrets the last of one is looked for: it can have fifty.
const FAILURES_READ: u32 = 200;

/// How many labels are looked for at most that were used since a version was last issued.
const LABELS_MAX: i64 = 10;

/// Why a turn came to nothing; the secret is taken again after a while.
#[derive(Debug, thiserror::Error)]
pub enum SecretTurnError {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The keys.
    #[error(transparent)]
    Keys(#[from] KeyringError),
    /// What was made could not be sealed.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

/// Why there is no new value.
enum NotHad {
    /// Nobody was asked: this server asks too much at once.
    NotAsked,
    /// What is told of it.
    Failed(String),
}

/// A value that may become a version.
struct New {
    value: SecretValue,
    /// The rotator's name, and what its issuer calls the key.
    issued: Option<(String, String)>,
}

impl Server {
    /// Makes a new version of a secret, or looks whether there is one, and keeps what came of it.
    pub async fn renew_plugin_secret(&self, taken: &TakenSecret) -> Result<(), SecretTurnError> {
        let found = match &taken.source {
            SecretSource::Rotator(rotator) if taken.is_removed => return self.clear_away(taken, rotator).await,
            SecretSource::Rotator(rotator) => self.have_made(taken, rotator).await?,
            SecretSource::Reference(_) => self.follow(taken).await?,
            // Nothing is due then.
            SecretSource::People => return Ok(()),
        };
        let new = match found {
            Ok(new) => new,
            Err(NotHad::Failed(says)) => return self.keep_failure(taken, says).await,
            Err(NotHad::NotAsked) => return Ok(self.wait_for_a_place(taken).await?),
        };
        if let Err(error) = check_value(new.value.reveal()) {
            return self.keep_failure(taken, format!("what it led to is no key: {error}")).await;
        }
        let is_known = self.is_newest(taken, &new.value).await?;
        match &taken.source {
            SecretSource::Reference(_) if is_known => {
                let next = self.clock.now() + self.renewal();
                self.store.keep_secret_look(taken.id, taken.turn, next).await?;
                Ok(())
            }
            // Kept as a new version, it would be ended with the one before.
            _ if is_known => self.keep_failure(taken, "it gave the key that is in use already".to_owned()).await,
            _ => self.keep_version(taken, new).await,
        }
    }

    /// Has a key made, once nothing is left of what was made and not kept.
    async fn have_made(&self, taken: &TakenSecret, rotator: &str) -> StoreResult<Result<New, NotHad>> {
        // Counted from before anything is asked: whoever stood still meanwhile ends nothing that another has kept.
        let began = self.clock.elapsed();
        let Some(plugin) = self.store.plugin(taken.plugin_id).await? else {
            return Ok(Err(NotHad::Failed("its plugin is gone".to_owned())));
        };
        let labels = labels(taken);
        let ask = Ask { label: &label(taken.id, taken.number + 1), plugin: &plugin.slug, name: taken.name.as_str() };
        let making = async {
            self.rotators.abandon(rotator, &labels, self.clock.now()).await?;
            self.rotators.make(rotator, ask, self.clock.now()).await
        };
        let left = PATIENCE.saturating_sub(self.clock.elapsed().saturating_sub(began));
        let made = timeout(left, making).await.unwrap_or(Err(RotateError::TooSlow));
        Ok(match made {
            // Where it was made is kept also of one that has no name there: its label is not to be ended any more.
            Ok(made) => Ok(New { value: made.value, issued: Some((rotator.to_owned(), made.id.unwrap_or_default())) }),
            Err(error) if error.is_ours() => Err(NotHad::NotAsked),
            Err(error) => Err(NotHad::Failed(format!("the rotator {rotator} made none: {error}"))),
        })
    }

    /// Ends what was made and not kept for a secret that is no more.
    async fn clear_away(&self, taken: &TakenSecret, rotator: &str) -> Result<(), SecretTurnError> {
        let labels = labels(taken);
        let ending = timeout(PATIENCE, self.rotators.abandon(rotator, &labels, self.clock.now()));
        match ending.await.unwrap_or(Err(RotateError::TooSlow)) {
            Ok(()) => Ok(self.store.keep_secret_abandoned(taken.id, taken.turn).await?),
            Err(error) if error.is_ours() => Ok(self.wait_for_a_place(taken).await?),
            Err(error) => self.keep_failure(taken, format!("the rotator {rotator} ended none: {error}")).await,
        }
    }

    /// Has it taken again soon. Who was not asked has not failed, so nothing is counted or told.
    async fn wait_for_a_place(&self, taken: &TakenSecret) -> StoreResult<()> {
        self.store.put_off_secret(taken.id, taken.turn, self.clock.now() + NEXT_PLACE).await.map(drop)
    }

    async fn follow(&self, taken: &TakenSecret) -> Result<Result<New, NotHad>, KeyringError> {
        let sealed = taken.follows_sealed.as_deref().unwrap_or_default();
        let plain = self.open_kept(Place::SecretReference(taken.id), sealed).await?;
        let reference = plain.and_then(|plain| sealed_reference(taken.plugin_id, &plain));
        // As it was given, and not as anybody wrote it into the database.
        let Some(reference) = reference else {
            let says = "what it follows does not open: its row or its key was changed";
            return Ok(Err(NotHad::Failed(says.to_owned())));
        };
        let read = timeout(PATIENCE, self.secrets.keepers.read(&reference)).await;
        Ok(match read {
            Ok(Ok(value)) => Ok(New { value, issued: None }),
            Ok(Err(error)) => Err(NotHad::Failed(format!("{error}; {}", error.cure()))),
            Err(_) => Err(NotHad::Failed(format!("{reference} took too long"))),
        })
    }

    /// Whether that is the value of the newest version. One that does not open is another.
    async fn is_newest(&self, taken: &TakenSecret, value: &SecretValue) -> Result<bool, KeyringError> {
        let id = SecretVersionId::of(taken.plugin_id, taken.id, taken.number);
        let newest = self.open_kept(Place::PluginSecret(id), &taken.sealed).await?;
        let asked = Digest::of(value.reveal());
        Ok(newest.is_some_and(|newest| Digest::of(newest) == asked))
    }

    async fn keep_version(&self, taken: &TakenSecret, new: New) -> Result<(), SecretTurnError> {
        let audit = self.audit(Actor::Server, Origin::default());
        let number = taken.number + 1;
        let ring = self.keyring.current();
        let mut version = version(&ring, (taken.plugin_id, taken.id, number), &new.value, audit.at)?;
        version.issuer_id = new.issued.as_ref().map(|(rotator, id)| format!("{rotator}{SEPARATOR}{id}"));
        let due_at = taken.rotate_every_seconds.map(|seconds| audit.at + TimeDelta::seconds(seconds));
        let try_at = match taken.source {
            SecretSource::Reference(_) => Some(audit.at + self.renewal()),
            SecretSource::Rotator(_) | SecretSource::People => due_at,
        };
        let rotation = PluginSecretRotation {
            secret_id: taken.id,
            plugin_id: taken.plugin_id,
            version,
            // Requests that took the one before are on their way, whatever people chose for one that leaks.
            old_until: audit.at + TimeDelta::seconds(taken.grace_seconds).max(GRACE_MIN),
            due: SecretDue { due_at, try_at },
            turn: Some(taken.turn),
            revision: None,
        };
        if self.store.rotate_plugin_secret(&rotation, &audit).await? == ChangeSecret::Done {
            tracing::info!(
                plugin.id = %taken.plugin_id,
                secret.name = %taken.name,
                secret.version = number,
                "a new version of an API key takes over"
            );
            return Ok(());
        }
        // Where the database came to no outcome nobody knows whether it was kept, and so it is left to the next turn.
        if let Some((rotator, id)) = new.issued.filter(|(_, id)| !id.is_empty())
            && let Err(error) = self.rotators.end(&rotator, &id, audit.at).await
        {
            tracing::warn!(
                %error,
                plugin.id = %taken.plugin_id,
                secret.name = %taken.name,
                secret.label = label(taken.id, number),
                "a key that was made is not needed, and could not be ended where it was issued"
            );
        }
        Ok(())
    }

    async fn keep_failure(&self, taken: &TakenSecret, says: String) -> Result<(), SecretTurnError> {
        let [jitter] = random::bytes();
        let mut wait = spread(wait(taken.failures), jitter).min(WAIT_MAX);
        if matches!(taken.source, SecretSource::Reference(_)) {
            wait = wait.min(self.renewal());
        }
        let audit = self.audit(Actor::Server, Origin::default());
        // The log has told that one that was removed is no more.
        let is_told =
            !taken.is_removed && (taken.failing_since.is_none() || !self.was_told_of(taken, audit.at).await?);
        tracing::warn!(
            plugin.id = %taken.plugin_id,
            secret.name = %taken.name,
            failures = taken.failures + 1,
            reason = says,
            "no new version of an API key could be made; it is tried again"
        );
        let (secret_id, turn, try_at) = (taken.id, taken.turn, audit.at + wait);
        let failure = SecretFailure { secret_id, turn, says, try_at, is_told };
        self.store.keep_secret_failure(&failure, &audit).await?;
        Ok(())
    }

    /// Whether the log was told of it lately.
    async fn was_told_of(&self, taken: &TakenSecret, at: Timestamp) -> StoreResult<bool> {
        let failures = Of::Action(taken.plugin_id, AuditAction::SecretRotationFailed.as_str().to_owned());
        let newest = LogQuery { of: failures, page: Page { before: None, rows_max: FAILURES_READ } };
        let lines = self.store.audit_log(&newest).await?;
        Ok(lines.iter().any(|line| line.at > at - TOLD_EVERY && line.detail["name"] == taken.name.as_str()))
    }

    /// How often what is referred to is read.
    fn renewal(&self) -> TimeDelta {
        TimeDelta::from_std(self.secrets.every).map_or(WAIT_MAX, |every| every.min(TimeDelta::days(1)))
    }

    /// Ends a version where it was issued, and keeps what came of it.
    pub async fn revoke_plugin_secret(&self, taken: TakenRevocation) -> StoreResult<()> {
        let (rotator, id) = taken.issuer_id.split_once(SEPARATOR).unwrap_or_default();
        let audit = self.audit(Actor::Server, Origin::default());
        if id.is_empty() {
            // Whoever made it said of no name by which to end it.
            return self.store.keep_secret_revocation(&taken, &audit).await.map(drop);
        }
        let ending = timeout(PATIENCE, self.rotators.end(rotator, id, self.clock.now())).await;
        let Err(error) = ending.unwrap_or(Err(RotateError::TooSlow)) else {
            return self.store.keep_secret_revocation(&taken, &audit).await.map(drop);
        };
        if error.is_ours() {
            return self.store.delay_secret_revocation(&taken, audit.at + NEXT_PLACE).await;
        }
        tracing::warn!(
            %error,
            secret.rotator = rotator,
            secret.label = label(taken.secret_id, taken.number),
            "a version of an API key could not be ended where it was issued; it is tried again"
        );
        // The longer it has failed, the longer it waits.
        let wait = (audit.at - taken.ended_at).clamp(WAIT, WAIT_MAX);
        let failure = RevocationFailure {
            rotator: rotator.to_owned(),
            says: error.to_string(),
            until: audit.at + wait,
            unless_told_after: audit.at - TOLD_EVERY,
            revocation: taken,
        };
        self.store.put_off_secret_revocation(&failure, &audit).await.map(drop)
    }
}

/// The labels under which something may have been made and not kept: of the version to come, and of those that people put
/// in since the last one that an issuer made.
fn labels(taken: &TakenSecret) -> Vec<String> {
    let next = taken.number + 1;
    let first = (taken.issued_number + 1).max(next - LABELS_MAX + 1);
    (first..=next).map(|number| label(taken.id, number)).collect()
}

/// How long after so many failures in a row it is tried again.
fn wait(failures: i64) -> TimeDelta {
    (WAIT * (1 << failures.clamp(0, 10))).min(WAIT_MAX)
}

/// A fifth less or more, so that not all that failed together is tried together.
fn spread(wait: TimeDelta, jitter: u8) -> TimeDelta {
    wait * 4 / 5 + wait * i32::from(jitter) * 2 / (5 * 255)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_is_tried_less_and_less_often_and_at_least_hourly() {
        let minutes: Vec<i64> = (0..8).map(|failures| wait(failures).num_minutes()).collect();
        assert_eq!(minutes, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(wait(i64::MAX), WAIT_MAX);
        assert_eq!((spread(WAIT_MAX, 0).num_minutes(), spread(WAIT_MAX, 255).num_minutes()), (48, 72));
    }
}
