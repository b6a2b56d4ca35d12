//! Operations on plugins' secrets: API keys that go into requests, each with versions of which the newest is used and the
//! one before stays good for a while. The store gets and gives values sealed (`keys::place`).
//!
//! People change them by `registry::plugin_secrets`; `secret_turns` is how nodes share what the server does by itself.

use chrono::TimeDelta;

use super::{Store, StoreResult, on_either_engine};
use crate::model::{
    Timestamp,
    audit::Audit,
    id::{PluginId, SecretId, SecretVersionId},
    plugin_secret::{Injection, SecretName, SecretRoute, SecretSource},
};

/// What can be changed about a secret without a new version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretSettings {
    /// How it goes into a request.
    pub injection: Injection,
    /// Where it is used, and nowhere else.
    pub routes: Vec<SecretRoute>,
    /// How long the version before is still good beside a new one.
    pub grace: TimeDelta,
    /// How old a version becomes before another is due.
    pub rotate_every: Option<TimeDelta>,
    /// Who makes new versions.
    pub source: SecretSource,
}

/// When something is to be done about a secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SecretDue {
    /// When the newest version is due for another.
    pub due_at: Option<Timestamp>,
    /// When the server makes one, or looks for one.
    pub try_at: Option<Timestamp>,
}

/// A secret, without anything that is secret.
#[derive(Clone, Debug)]
pub struct PluginSecret {
    /// Row id.
    pub id: SecretId,
    /// Whose.
    pub plugin_id: PluginId,
    /// What they call it.
    pub name: SecretName,
    /// Raised by every change that somebody makes.
    pub revision: i64,
    /// What can be changed about it.
    pub settings: SecretSettings,
    /// When something is to be done.
    pub due: SecretDue,
    /// Since when no new version can be made, and why.
    pub failing: Option<(Timestamp, String)>,
    /// When it was put away.
    pub created_at: Timestamp,
    /// The newest first; there is always one.
    pub versions: Vec<SecretVersion>,
}

impl PluginSecret {
    /// The number of the newest version, which is used.
    pub fn newest(&self) -> i64 {
        self.versions.first().map_or(0, |newest| newest.number)
    }

    /// Its versions that have ended here and are still to be ended where they were issued, the oldest first.
    pub fn left_at_issuer(&self) -> impl Iterator<Item = (i64, Timestamp)> {
        let left = self.versions.iter().rev().filter(|version| version.is_to_be_revoked);
        left.filter_map(|version| version.ended_at.map(|ended| (version.number, ended)))
    }

    /// When it was last used, whichever version of it.
    pub fn last_used_at(&self) -> Option<Timestamp> {
        self.versions.iter().filter_map(|version| version.last_used_at).max()
    }
}

/// A version, without its value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretVersion {
    /// 1 for the first.
    pub number: i64,
    /// When it was put away.
    pub made_at: Timestamp,
    /// Until when it is good beside newer ones; none for the newest.
    pub ends_at: Option<Timestamp>,
    /// When its value was wiped.
    pub ended_at: Option<Timestamp>,
    /// The rotator that made it and is to end it where it was issued; none once that is done.
    pub rotator: Option<String>,
    /// Whether it is still to be ended where it was issued.
    pub is_to_be_revoked: bool,
    /// When it was last used.
    pub last_used_at: Option<Timestamp>,
}

/// What stands between a rotator's name and what its issuer calls a key.
pub const SEPARATOR: char = '/';

/// A version to be.
#[derive(Clone, Debug)]
pub struct NewSecretVersion {
    /// Its id, made of its secret and its number.
    pub id: SecretVersionId,
    /// Its number.
    pub number: i64,
    /// Its value, sealed for it.
    pub sealed: Vec<u8>,
    /// The rotator that made it and what its issuer calls it, where it can be ended there.
    pub issuer_id: Option<String>,
}

/// A secret to be.
#[derive(Clone, Debug)]
pub struct NewSecret {
    /// Row id.
    pub id: SecretId,
    /// Whose.
    pub plugin_id: PluginId,
    /// What they call it.
    pub name: SecretName,
    /// How and where it is used.
    pub settings: SecretSettings,
    /// When something is to be done.
    pub due: SecretDue,
    /// Where it is kept, sealed for it, if it is followed.
    pub follows_sealed: Option<Vec<u8>>,
    /// Its first version.
    pub version: NewSecretVersion,
    /// How many a plugin may have.
    pub secrets_max: u32,
}

/// Another secret that goes into the same header of the same requests: which is meant, nobody could say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overlap {
    /// Its name.
    pub name: SecretName,
    /// Of the routes that were given, the one that is its as well.
    pub route: SecretRoute,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AddSecret {
    /// It is kept.
    Added,
    /// The plugin has one of that name.
    NameTaken,
    /// The plugin has as many as it may have.
    TooMany,
    /// Another one is in its way.
    Overlaps(Overlap),
}

/// A new version takes over.
#[derive(Clone, Debug)]
pub struct PluginSecretRotation {
    /// Of which secret.
    pub secret_id: SecretId,
    /// Whose it is.
    pub plugin_id: PluginId,
    /// The new version: one above the newest that was seen.
    pub version: NewSecretVersion,
    /// Until when the ones before are good at most.
    pub old_until: Timestamp,
    /// When something is to be done next.
    pub due: SecretDue,
    /// The turn of the node that does it; none where somebody else does.
    pub turn: Option<i64>,
    /// The revision that somebody else has seen, by which they know when the next is due.
    pub revision: Option<i64>,
}

/// A change of how or where a secret is used, by somebody who saw a revision.
#[derive(Clone, Debug)]
pub struct SecretChange {
    /// Of which secret.
    pub secret_id: SecretId,
    /// Whose it is.
    pub plugin_id: PluginId,
    /// Which revision they saw.
    pub seen: i64,
    /// What it becomes.
    pub settings: SecretSettings,
    /// When something is to be done.
    pub due: SecretDue,
}

/// What became of a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChangeSecret {
    /// It is made.
    Done,
    /// Somebody else was faster.
    ChangedMeanwhile,
    /// There is none, or no such version.
    Gone,
    /// Another one is in its way.
    Overlaps(Overlap),
}

impl Store {
    /// Puts a secret away.
    pub async fn add_plugin_secret(&self, secret: &NewSecret, audit: &Audit) -> StoreResult<AddSecret> {
        on_either_engine!(self, engine => engine.add_plugin_secret(secret, audit))
    }

    /// A plugin's secrets by name, with the versions that are known of.
    pub async fn plugin_secrets(&self, plugin: PluginId) -> StoreResult<Vec<PluginSecret>> {
        on_either_engine!(self, engine => engine.plugin_secrets(plugin))
    }

    /// Whether a plugin has any.
    pub async fn has_plugin_secrets(&self, plugin: PluginId) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.has_plugin_secrets(plugin))
    }

    /// One of them.
    pub async fn plugin_secret(&self, plugin: PluginId, name: &SecretName) -> StoreResult<Option<PluginSecret>> {
        on_either_engine!(self, engine => engine.plugin_secret(plugin, name))
    }

    /// Whose secrets have that name.
    pub async fn plugins_with_secret(&self, name: &SecretName) -> StoreResult<Vec<PluginId>> {
        on_either_engine!(self, engine => engine.plugins_with_secret(name))
    }

    /// Lets a version take over from those before, which stay good for a while. Whoever saw another newest one changes
    /// nothing.
    pub async fn rotate_plugin_secret(
        &self,
        rotation: &PluginSecretRotation,
        audit: &Audit,
    ) -> StoreResult<ChangeSecret> {
        on_either_engine!(self, engine => engine.rotate_plugin_secret(rotation, audit))
    }

    /// Wipes a version that is not the newest. What ended before, or is no more, is [`ChangeSecret::Gone`].
    pub async fn end_secret_version(&self, secret: SecretId, number: i64, audit: &Audit) -> StoreResult<ChangeSecret> {
        on_either_engine!(self, engine => engine.end_secret_version(secret, number, audit))
    }

    /// Changes how or where a secret is used.
    pub async fn change_plugin_secret(&self, change: &SecretChange, audit: &Audit) -> StoreResult<ChangeSecret> {
        on_either_engine!(self, engine => engine.change_plugin_secret(change, audit))
    }

    /// Wipes all versions of a secret. It is not there any more, but for what is still to be ended where it was issued.
    pub async fn remove_plugin_secret(&self, secret: SecretId, audit: &Audit) -> StoreResult<ChangeSecret> {
        on_either_engine!(self, engine => engine.remove_plugin_secret(secret, audit))
    }
}
