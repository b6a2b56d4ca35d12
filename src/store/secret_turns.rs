//! Operations on plugins' secrets that the server does by itself: versions whose time has come end, new ones are made
//! where that is not left to people, and what ended here is ended where it was issued.
//!
//! Any number of nodes share the work. A new version is made in a turn: who takes a secret raises its number and moves the
//! next try to when others may take it, and what was made in another turn is not kept. What is ended where it was issued
//! may be ended there twice, so moving its time is enough.

use super::{Store, StoreResult, on_either_engine};
use crate::model::{
    Timestamp,
    audit::Audit,
    id::{PluginId, SecretId},
    plugin_secret::{SecretName, SecretSource},
};

/// How a node takes what is due.
#[derive(Clone, Copy, Debug)]
pub struct SecretTaking {
    /// Now.
    pub at: Timestamp,
    /// From when on others may take what is taken now.
    pub until: Timestamp,
    /// At most so many.
    pub rows_max: u32,
}

/// A secret for which this node is to make a new version, or look for one.
#[derive(Clone, Debug)]
pub struct TakenSecret {
    /// Row id.
    pub id: SecretId,
    /// Whose.
    pub plugin_id: PluginId,
    /// What they call it.
    pub name: SecretName,
    /// Who makes the new version.
    pub source: SecretSource,
    /// Where it is kept, sealed for it, if it is followed.
    pub follows_sealed: Option<Vec<u8>>,
    /// How long the version before is still good beside it, in seconds.
    pub grace_seconds: i64,
    /// How old a version becomes before another is due, in seconds.
    pub rotate_every_seconds: Option<i64>,
    /// Which turn this is; what is kept under another is not kept.
    pub turn: i64,
    /// How often in a row none could be made.
    pub failures: i64,
    /// Since when.
    pub failing_since: Option<Timestamp>,
    /// It was removed: nothing is to be made, and what was made and not kept is to be ended.
    pub is_removed: bool,
    /// The newest version.
    pub number: i64,
    /// Its value, sealed.
    pub sealed: Vec<u8>,
    /// The newest version that is to be ended where it was issued; 0 where there is none.
    pub issued_number: i64,
}

/// Why no new version was made, to be kept.
#[derive(Clone, Debug)]
pub struct SecretFailure {
    /// Of which secret.
    pub secret_id: SecretId,
    /// In which turn.
    pub turn: i64,
    /// A sentence without its full stop, with nothing secret in it.
    pub says: String,
    /// When it is tried again.
    pub try_at: Timestamp,
    /// Whether the log is told.
    pub is_told: bool,
}

/// A version that this node is to end where it was issued.
#[derive(Clone, Debug)]
pub struct TakenRevocation {
    /// Of which secret.
    pub secret_id: SecretId,
    /// Which version.
    pub number: i64,
    /// What it is called there.
    pub issuer_id: String,
    /// When it ended here.
    pub ended_at: Timestamp,
}

impl Store {
    /// Versions that are to end by now, the longest overdue first.
    pub async fn secret_versions_to_end(&self, at: Timestamp, rows_max: u32) -> StoreResult<Vec<(SecretId, i64)>> {
        on_either_engine!(self, engine => engine.secret_versions_to_end(at, rows_max))
    }

    /// Wipes a version whose time has come; `false` where it was wiped already, or has more time by now.
    pub async fn end_secret_version_in_time(&self, secret: SecretId, number: i64, audit: &Audit) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.end_secret_version_in_time(secret, number, audit))
    }

    /// Whether any secret is to be taken, without asking for the writer.
    pub async fn has_secrets_to_rotate(&self, at: Timestamp) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.has_secrets_to_rotate(at))
    }

    /// Takes secrets for which a new version is to be made or looked for, the longest waiting first, and those that were
    /// removed. No other node gets the same before its time.
    pub async fn take_secrets(&self, taking: &SecretTaking) -> StoreResult<Vec<TakenSecret>> {
        on_either_engine!(self, engine => engine.take_secrets(taking))
    }

    /// Keeps that there is nothing new; `false` where it was somebody else's turn meanwhile.
    pub async fn keep_secret_look(&self, secret: SecretId, turn: i64, try_at: Timestamp) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.keep_secret_look(secret, turn, try_at))
    }

    /// Keeps that nothing is left of what was made for a secret that was removed. It goes, unless versions are still to be
    /// ended where they were issued.
    pub async fn keep_secret_abandoned(&self, secret: SecretId, turn: i64) -> StoreResult<()> {
        on_either_engine!(self, engine => engine.keep_secret_abandoned(secret, turn))
    }

    /// Keeps why no new version was made; `false` where it was somebody else's turn meanwhile.
    pub async fn keep_secret_failure(&self, failure: &SecretFailure, audit: &Audit) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.keep_secret_failure(failure, audit))
    }

    /// Has the server make a new version, or look for one, as soon as it can; `false` where there is no such secret, or
    /// that is left to people.
    pub async fn ask_for_secret_rotation(&self, secret: SecretId, audit: &Audit) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.ask_for_secret_rotation(secret, audit))
    }

    /// Whether any version is to be ended where it was issued, without asking for the writer.
    pub async fn has_secret_revocations(&self, at: Timestamp) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.has_secret_revocations(at))
    }

    /// Takes versions that ended here and are to be ended where they were issued. No other node gets the same before its
    /// time.
    pub async fn take_secret_revocations(&self, taking: &SecretTaking) -> StoreResult<Vec<TakenRevocation>> {
        on_either_engine!(self, engine => engine.take_secret_revocations(taking))
    }

    /// Keeps that a version was ended where it had been issued; `false` where that is known. A secret that was removed goes
    /// with the last of them.
    pub async fn keep_secret_revocation(&self, revocation: &TakenRevocation, audit: &Audit) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.keep_secret_revocation(revocation, audit))
    }

    /// Has that tried again later.
    pub async fn put_off_secret_revocation(&self, revocation: &TakenRevocation, until: Timestamp) -> StoreResult<()> {
        on_either_engine!(self, engine => engine.put_off_secret_revocation(revocation, until))
    }
}
