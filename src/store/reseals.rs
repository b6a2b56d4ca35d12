//! Operations on sealing anew: a walk through every column that is kept sealed, to the key that seals now.
//!
//! One node at a time takes the walk, by raising its turn, and keeps each batch together with how far it is: one that is
//! killed loses a batch at most, and another goes on where it was. A row is changed only if it is as it was read, and is
//! left alone while somebody else holds it. Nobody ever waits here while holding a row, so no caller can be caught in a
//! knot with it. What is opened and sealed, and when a walk is enough, is `registry::resealing`'s to say.

use uuid::Uuid;

use super::{Store, StoreResult, on_either_engine};
use crate::model::{Timestamp, audit::Audit, key::Kid};

/// A column that is kept sealed with a `seal-data` key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SealedColumn {
    /// Of accounts.
    AuthenticatorApp,
    /// Of mails that wait to be sent.
    Mail,
    /// Of plugins.
    WebhookSecret,
    /// Of plugins.
    OldWebhookSecret,
    /// Of versions of plugins' secrets.
    PluginSecret,
    /// Of plugins' secrets that are kept elsewhere.
    SecretReference,
}

impl SealedColumn {
    /// All of them, in the order in which they are walked through.
    pub const ALL: &'static [Self] = &[
        Self::AuthenticatorApp,
        Self::Mail,
        Self::WebhookSecret,
        Self::OldWebhookSecret,
        Self::PluginSecret,
        Self::SecretReference,
    ];

    /// Table and column.
    pub fn name(self) -> &'static str {
        match self {
            Self::AuthenticatorApp => "authenticator_apps.sealed",
            Self::Mail => "outgoing_mails.sealed",
            Self::WebhookSecret => "plugin_webhooks.secret",
            Self::OldWebhookSecret => "plugin_webhooks.old_secret",
            Self::PluginSecret => "plugin_secret_versions.sealed",
            Self::SecretReference => "plugin_secrets.follows_sealed",
        }
    }

    /// The one after it; none after the last.
    pub fn next(self) -> Option<Self> {
        let mut rest = Self::ALL.iter().skip_while(|column| **column != self);
        rest.nth(1).copied()
    }
}

/// How far a walk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// In which column.
    pub place: SealedColumn,
    /// After which row of it; none where the column begins.
    pub after: Option<Uuid>,
    /// Rows this walk has looked at.
    pub seen: u64,
    /// Of them, those that were sealed anew or could not be had: where there was one, another walk is to come.
    pub stirred: u64,
    /// Of them, those that open under no key.
    pub unreadable: u64,
}

impl Progress {
    /// Where a walk begins.
    pub const BEGINNING: Self =
        Self { place: SealedColumn::AuthenticatorApp, after: None, seen: 0, stirred: 0, unreadable: 0 };
}

/// Sealing anew, as it stands.
#[derive(Clone, Copy, Debug)]
pub struct Reseal {
    /// The key with which everything is sealed once it is done.
    pub kid: Kid,
    /// Since when.
    pub started_at: Timestamp,
    /// How far the walk is.
    pub progress: Progress,
    /// Rows of all walks that were sealed anew.
    pub resealed: u64,
    /// How many rows are sealed with another key, as far as is known.
    pub remaining: u64,
    /// Which turn this is; what is kept under another is not kept.
    pub turn: i64,
    /// Until when somebody is at it.
    pub held_until: Timestamp,
    /// When it was done.
    pub finished_at: Option<Timestamp>,
}

/// How a node takes it.
#[derive(Clone, Copy, Debug)]
pub struct ResealTaking {
    /// To which key.
    pub kid: Kid,
    /// Now.
    pub at: Timestamp,
    /// From when on somebody else may.
    pub until: Timestamp,
}

/// What a row keeps sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedRow {
    /// The row's key.
    pub id: Uuid,
    /// The bytes.
    pub sealed: Vec<u8>,
}

/// The same, sealed anew.
#[derive(Clone, Debug)]
pub struct ResealedRow {
    /// The row's key.
    pub id: Uuid,
    /// The bytes that were read.
    pub old: Vec<u8>,
    /// Those that take their place.
    pub new: Vec<u8>,
}

/// A batch, and how far the walk is with it.
#[derive(Clone, Debug)]
pub struct ResealKeeping {
    /// To which key.
    pub kid: Kid,
    /// In which turn.
    pub turn: i64,
    /// Of which column.
    pub column: SealedColumn,
    /// What is sealed anew.
    pub rows: Vec<ResealedRow>,
    /// How far the walk is.
    pub progress: Progress,
    /// How many rows were left before it.
    pub remaining: u64,
    /// Until when this node is at it.
    pub until: Timestamp,
}

/// A walk that found nothing to do any more.
#[derive(Clone, Copy, Debug)]
pub struct ResealEnd {
    /// To which key.
    pub kid: Kid,
    /// In which turn.
    pub turn: i64,
    /// What the walk saw.
    pub progress: Progress,
    /// Until when keys of before it are needed: what was read out of a row a moment ago is still to be opened.
    pub keys_needed_until: Timestamp,
}

impl Store {
    /// Sealing anew with a key, if that was ever begun.
    pub async fn reseal(&self, kid: Kid) -> StoreResult<Option<Reseal>> {
        on_either_engine!(self, engine => engine.reseal(kid))
    }

    /// Begins it, unless it is under way; what was done is done again from the beginning. One with another key that is
    /// under way ends, where that key seals no more.
    pub async fn begin_reseal(&self, kid: Kid, at: Timestamp) -> StoreResult<()> {
        on_either_engine!(self, engine => engine.begin_reseal(kid, at))
    }

    /// Takes it, unless somebody else is at it or it is done. No other node gets it before its time.
    pub async fn take_reseal(&self, taking: &ResealTaking) -> StoreResult<Option<Reseal>> {
        on_either_engine!(self, engine => engine.take_reseal(taking))
    }

    /// Counts the values that are sealed with another key. It reads every row.
    pub async fn sealed_otherwise(&self, kid: Kid) -> StoreResult<u64> {
        on_either_engine!(self, engine => engine.sealed_otherwise(kid))
    }

    /// The rows of some values that are sealed with another key.
    pub async fn rows_sealed_otherwise(&self, column: SealedColumn, kid: Kid, rows_max: u32) -> StoreResult<Vec<Uuid>> {
        on_either_engine!(self, engine => engine.rows_sealed_otherwise(column, kid, rows_max))
    }

    /// The next values of a column, in the order of their rows' keys.
    pub async fn sealed_after(
        &self,
        column: SealedColumn,
        after: Option<Uuid>,
        rows_max: u32,
    ) -> StoreResult<Vec<SealedRow>> {
        on_either_engine!(self, engine => engine.sealed_after(column, after, rows_max))
    }

    /// The same, of those alone that are sealed with a key: it reads on until it has found so many.
    pub async fn sealed_with(
        &self,
        (column, kid): (SealedColumn, Kid),
        after: Option<Uuid>,
        rows_max: u32,
    ) -> StoreResult<Vec<SealedRow>> {
        on_either_engine!(self, engine => engine.sealed_with((column, kid), after, rows_max))
    }

    /// Keeps a batch with how far the walk is, and answers how many rows were still as they had been read; none where it
    /// is somebody else's turn, and then nothing is kept.
    pub async fn keep_resealed(&self, keeping: &ResealKeeping) -> StoreResult<Option<u64>> {
        on_either_engine!(self, engine => engine.keep_resealed(keeping))
    }

    /// Says that it is done, and until when the keys are needed that had been replaced when it began. `false` where it is
    /// somebody else's turn.
    pub async fn finish_reseal(&self, end: &ResealEnd, audit: &Audit) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.finish_reseal(end, audit))
    }
}
