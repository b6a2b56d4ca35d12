//! Operations on versions of plugins' secrets that have ended here and are to be ended where they were issued: taken,
//! kept, put off and told of, and shown as long as that has not worked.
//!
//! They may be ended there twice, so taking one only moves its time. A secret that was removed stays until its issuer has
//! ended all of it.

use super::{Store, StoreResult, on_either_engine, secret_turns::SecretTaking};
use crate::model::{
    Timestamp,
    audit::Audit,
    id::{PluginId, SecretId},
    plugin_secret::SecretName,
};

/// A version that this node is to end where it was issued.
#[derive(Clone, Debug)]
pub struct TakenRevocation {
    /// Of which secret.
    pub secret_id: SecretId,
    /// Which version.
    pub number: i64,
    /// The rotator's name, and what the key is called there.
    pub issuer_id: String,
    /// When it ended here.
    pub ended_at: Timestamp,
}

/// Why a version was not ended where it was issued, to be kept.
#[derive(Clone, Debug)]
pub struct RevocationFailure {
    /// Which.
    pub revocation: TakenRevocation,
    /// By which rotator it was made.
    pub rotator: String,
    /// A sentence without its full stop, with nothing secret in it.
    pub says: String,
    /// When it is tried again.
    pub until: Timestamp,
    /// The log is told, unless it was told of the same secret after this.
    pub unless_told_after: Timestamp,
}

/// How much waits for an issuer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LeftAtIssuers {
    /// Versions that have ended here, and secrets that were removed whose rotator is still to be asked for what nobody kept.
    pub number: u64,
    /// Since when the first of them.
    pub oldest: Option<Timestamp>,
}

/// A secret that is used no more, of which something is left where it was issued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemovedSecret {
    /// What it was called.
    pub name: SecretName,
    /// When it was removed.
    pub removed_at: Timestamp,
    /// Its versions that are still to be ended there, and when they ended here.
    pub versions: Vec<(i64, Timestamp)>,
    /// Whether its rotator is still to be asked for what it may have made while nobody could keep it.
    pub is_to_be_abandoned: bool,
    /// Since when that cannot be asked, and why.
    pub failing: Option<(Timestamp, String)>,
}

impl Store {
    /// Whose versions are to be ended by now, without asking for the writer: for each issuer a text to take them by.
    pub async fn issuers_to_revoke_at(&self, at: Timestamp) -> StoreResult<Vec<String>> {
        on_either_engine!(self, engine => engine.issuers_to_revoke_at(at))
    }

    /// Takes versions of one issuer that ended here and are to be ended there. No other node gets the same before its time.
    pub async fn take_secret_revocations(
        &self,
        issuer: &str,
        taking: &SecretTaking,
    ) -> StoreResult<Vec<TakenRevocation>> {
        on_either_engine!(self, engine => engine.take_secret_revocations(issuer, taking))
    }

    /// Keeps that a version was ended where it had been issued; `false` where that is known. A secret that was removed goes
    /// with the last of them.
    pub async fn keep_secret_revocation(&self, revocation: &TakenRevocation, audit: &Audit) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.keep_secret_revocation(revocation, audit))
    }

    /// Has that tried again at that time, as if nobody had tried.
    pub async fn delay_secret_revocation(&self, revocation: &TakenRevocation, until: Timestamp) -> StoreResult<()> {
        on_either_engine!(self, engine => engine.delay_secret_revocation(revocation, until))
    }

    /// Has that tried again later, and tells the log if it was not told lately; whether it was told now.
    pub async fn put_off_secret_revocation(&self, failure: &RevocationFailure, audit: &Audit) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.put_off_secret_revocation(failure, audit))
    }

    /// How much is still to be ended where it was issued, of all plugins.
    pub async fn left_at_issuers(&self) -> StoreResult<LeftAtIssuers> {
        on_either_engine!(self, engine => engine.left_at_issuers())
    }

    /// A plugin's secrets that were removed and are not ended yet where they were issued, the longest removed first.
    pub async fn removed_plugin_secrets(&self, plugin: PluginId) -> StoreResult<Vec<RemovedSecret>> {
        on_either_engine!(self, engine => engine.removed_plugin_secrets(plugin))
    }
}
