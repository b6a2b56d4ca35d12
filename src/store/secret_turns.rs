//! Operations on plugins' secrets that the server does by itself: versions whose time has come end, and new ones are made
//! where that is not left to people. What ended here is ended where it was issued by `secret_revocations`.
//!
//! Any number of nodes share the work. A new version is made in a turn: who takes a secret raises its number and moves the
//! next try to when others may take it, and what was made in another turn is not kept. Each who is asked (a rotator, a kind
//! of vault) has a queue of its own, so that one that does not answer keeps back only what is asked of it.

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

impl Store {
    /// Versions that are to end by now, the longest overdue first.
    pub async fn secret_versions_to_end(&self, at: Timestamp, rows_max: u32) -> StoreResult<Vec<(SecretId, i64)>> {
        on_either_engine!(self, engine => engine.secret_versions_to_end(at, rows_max))
    }

    /// Wipes a version whose time has come; `false` where it was wiped already, or has more time by now.
    pub async fn end_secret_version_in_time(&self, secret: SecretId, number: i64, audit: &Audit) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.end_secret_version_in_time(secret, number, audit))
    }

    /// Of whom something is to be asked by now, without asking for the writer: for each a text to take secrets by.
    pub async fn asked_for_due_secrets(&self, at: Timestamp) -> StoreResult<Vec<String>> {
        on_either_engine!(self, engine => engine.asked_for_due_secrets(at))
    }

    /// Takes secrets for which somebody is to be asked for a new version, the longest waiting first, and those that were
    /// removed. No other node gets the same before its time.
    pub async fn take_secrets(&self, asked: &str, taking: &SecretTaking) -> StoreResult<Vec<TakenSecret>> {
        on_either_engine!(self, engine => engine.take_secrets(asked, taking))
    }

    /// Keeps that there is nothing new; `false` where it was somebody else's turn meanwhile.
    pub async fn keep_secret_look(&self, secret: SecretId, turn: i64, try_at: Timestamp) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.keep_secret_look(secret, turn, try_at))
    }

    /// Has a secret taken again at that time, as if nobody had tried; `false` where it was somebody else's turn meanwhile.
    pub async fn put_off_secret(&self, secret: SecretId, turn: i64, try_at: Timestamp) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.put_off_secret(secret, turn, try_at))
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
}
