//! Operations on what plugins prove: the verification token in the manifest, the proof of the domain, and what looks at
//! the public address came to. Who looks has read nothing but what is said here, so nothing is decided twice.
//!
//! Any number of nodes share the looks that are due: each takes some by moving `due_at` to when another may try.

use super::{Store, StoreResult, mails::NewMail, on_either_engine};
use crate::model::{
    Timestamp,
    audit::Audit,
    id::PluginId,
    plugin::{Host, Plugin, PluginState},
    verification::Verification,
};

/// A verification token to be published.
#[derive(Clone, Debug)]
pub struct TokenSetting {
    /// In whose manifest.
    pub plugin_id: PluginId,
    /// For whom.
    pub service: String,
    /// The token.
    pub token: String,
    /// The version of the plugin that whoever sets it saw; none for whoever sets it whatever there is.
    pub seen: Option<i64>,
    /// When; the first look is due then.
    pub at: Timestamp,
}

/// What became of publishing a token.
#[derive(Clone, Debug)]
pub enum SetToken {
    /// It is published; the plugin as it is now.
    Published(Box<Plugin>),
    /// Somebody else has changed the plugin since; nothing is changed.
    ChangedMeanwhile,
    /// There is no such plugin.
    Gone,
}

/// What a look came to, to be kept.
#[derive(Clone, Debug)]
pub struct LookKeeping {
    /// Whose address was looked at.
    pub plugin_id: PluginId,
    /// The plugin's version that was held against it.
    pub version: i64,
    /// Its state from now on.
    pub state: PluginState,
    /// What is remembered from now on; its `revision` is the one before.
    pub verification: Verification,
    /// What its owners are told.
    pub mails: Vec<NewMail>,
}

/// What became of keeping a look.
#[derive(Clone, Debug)]
pub enum KeepLook {
    /// It is kept; the plugin as it is now.
    Kept(Box<Plugin>),
    /// The plugin was changed, or somebody else has looked, since it was read. Nothing is kept.
    ChangedMeanwhile,
    /// There is no such plugin.
    Gone,
}

/// What came of setting a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SetChallenge {
    /// It is served from now on.
    Set,
    /// Another one is served than was seen. Nothing is changed.
    ChangedMeanwhile,
    /// There is no such plugin.
    Gone,
}

/// How a node takes looks that are due.
#[derive(Clone, Copy, Debug)]
pub struct LookTaking {
    /// Now.
    pub at: Timestamp,
    /// From when on others may try what is taken now.
    pub until: Timestamp,
    /// At most so many.
    pub looks_max: u32,
}

impl Store {
    /// Publishes a verification token in a plugin's manifest, which makes it `published` and a look due. One that it
    /// publishes already changes nothing, whoever was faster.
    pub async fn set_verification_token(&self, setting: &TokenSetting, audit: &Audit) -> StoreResult<SetToken> {
        on_either_engine!(self, engine => engine.set_verification_token(setting, audit))
    }

    /// Sets what proves that the plugin's host is its owner's, in the place of what was `seen` there as far as whoever sets
    /// it knows; an empty text is nothing.
    pub async fn set_challenge(
        &self,
        plugin: PluginId,
        (token, seen): (&str, Option<&str>),
        audit: &Audit,
    ) -> StoreResult<SetChallenge> {
        on_either_engine!(self, engine => engine.set_challenge(plugin, (token, seen), audit))
    }

    /// What proves that a host is its owner's.
    pub async fn challenge(&self, host: &Host) -> StoreResult<Option<String>> {
        on_either_engine!(self, engine => engine.challenge(host))
    }

    /// What is remembered of looks at a plugin's public address.
    pub async fn remembered_looks(&self, plugin: PluginId) -> StoreResult<Verification> {
        on_either_engine!(self, engine => engine.remembered_looks(plugin))
    }

    /// The same with the plugin, for whoever looks.
    pub async fn verification(&self, plugin: PluginId) -> StoreResult<Option<(Plugin, Verification)>> {
        on_either_engine!(self, engine => engine.verification(plugin))
    }

    /// Keeps a look, with the audit event where it changes the state, and with the mails that tell of it.
    pub async fn keep_look(&self, keeping: &LookKeeping, audit: &Audit) -> StoreResult<KeepLook> {
        on_either_engine!(self, engine => engine.keep_look(keeping, audit))
    }

    /// Takes looks that are due, the longest waiting first. No other node gets the same before its time.
    pub async fn take_looks(&self, taking: &LookTaking) -> StoreResult<Vec<PluginId>> {
        on_either_engine!(self, engine => engine.take_looks(taking))
    }
}
