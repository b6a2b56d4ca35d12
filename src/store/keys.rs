//! Operations on the table of working keys. What the times in it mean is `model::key`'s to say.

use super::{Store, StoreResult, audit_links::NewBeginning, on_either_engine, reseals::SealedColumn};
use crate::model::{
    Timestamp,
    audit::Audit,
    key::{Kid, WrappedKey},
};

/// One key takes over from another.
#[derive(Clone, Debug)]
pub struct KeyRotation {
    /// The newest of its purpose and algorithm.
    pub old: Kid,
    /// What takes over, at its `active_at`.
    pub new: WrappedKey,
    /// Until when what the old one made may come back; none while that is not known.
    pub needed_until: Option<Timestamp>,
    /// Why.
    pub why: Why,
}

/// Why a key is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It is time, or the operator wants it.
    Routine,
    /// Somebody else may know it, and those before it: all of the same purpose and algorithm end as the newest does.
    Compromised,
}

/// What became of replacing a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RotateKey {
    /// The new one takes over.
    Rotated,
    /// The old one has a successor already, or is gone; nothing was written.
    MadeMeanwhile,
}

/// Keys that nobody can open any more, and what comes in their place.
#[derive(Clone, Debug)]
pub struct GivingUp {
    /// Which.
    pub kids: Vec<Kid>,
    /// One for each purpose and algorithm whose newest is among them.
    pub successors: Vec<WrappedKey>,
    /// The greatest number of a link of the audit log that was made with one of them when this was decided.
    pub last_link: Option<i64>,
    /// From where on the audit log can be proved, where links of it were made with any of them.
    pub log: Option<NewBeginning>,
}

/// What became of giving keys up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GiveUp {
    /// They are gone, and what comes in their place is there.
    GivenUp,
    /// The keys or the log are others than they were; nothing was written.
    ChangedMeanwhile,
}

/// A working key, wrapped by another master key than before.
#[derive(Clone, Debug)]
pub struct RewrappedKey {
    /// Which.
    pub kid: Kid,
    /// The master key that wrapped it when it was read.
    pub before: String,
    /// The one that wraps it now.
    pub master: String,
    /// Nonce, ciphertext and tag.
    pub wrapped: Vec<u8>,
}

/// Values of a column that are sealed with a key and open under none: they keep no key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost {
    /// The key.
    pub kid: Kid,
    /// The column.
    pub column: SealedColumn,
    /// How many there are.
    pub rows: u64,
}

/// What became of the keys whose end had come, and which had sealed what rows keep.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SealingKeysEnded {
    /// They were wiped.
    pub wiped: Vec<Kid>,
    /// A row is sealed with each of them still, so they are without an end again.
    pub kept: Vec<Kid>,
}

impl Store {
    /// All working keys that are not gone.
    pub async fn working_keys(&self) -> StoreResult<Vec<WrappedKey>> {
        on_either_engine!(self, engine => engine.working_keys())
    }

    /// All there ever were, oldest first.
    pub async fn working_keys_ever(&self) -> StoreResult<Vec<WrappedKey>> {
        on_either_engine!(self, engine => engine.working_keys_ever())
    }

    /// Adds keys, each only if there is none of its purpose and algorithm: several nodes may start at once, and one of
    /// them wins each. Read the table again afterwards. An audit event is written when any was added.
    pub async fn add_first_keys(&self, keys: &[WrappedKey], audit: &Audit) -> StoreResult<()> {
        on_either_engine!(self, engine => engine.add_first_keys(keys, audit))
    }

    /// Adds a key and says when the one before it ends making things. However many do so at once, one succeeds.
    pub async fn rotate_key(&self, rotation: &KeyRotation, audit: &Audit) -> StoreResult<RotateKey> {
        on_either_engine!(self, engine => engine.rotate_key(rotation, audit))
    }

    /// Keeps keys as another master key wraps them, each only if it is still wrapped as it was when it was read; answers
    /// how many. Keys that are gone stay gone.
    pub async fn rewrap_keys(&self, keys: &[RewrappedKey], audit: &Audit) -> StoreResult<u64> {
        on_either_engine!(self, engine => engine.rewrap_keys(keys, audit))
    }

    /// Says until when a key is needed that another one has taken over from, where that was not known, or was to be later.
    /// Whether there was such a key.
    pub async fn keep_until(&self, kid: Kid, until: Timestamp) -> StoreResult<bool> {
        on_either_engine!(self, engine => engine.keep_until(kid, until))
    }

    /// Wipes the keys that are needed no more, and answers which; but for those that sealed what rows keep.
    pub async fn end_keys(&self, audit: &Audit) -> StoreResult<Vec<Kid>> {
        on_either_engine!(self, engine => engine.end_keys(audit))
    }

    /// Wipes the keys that sealed what rows keep and are needed no more, each only if no row is sealed with it still, but
    /// for what is lost. Somebody was held up between sealing and writing such a row: its key is without an end again, so
    /// that another walk follows. It reads every sealed value where there is such a key.
    pub async fn end_sealing_keys(&self, lost: &[Lost], audit: &Audit) -> StoreResult<SealingKeysEnded> {
        on_either_engine!(self, engine => engine.end_sealing_keys(lost, audit))
    }

    /// Wipes keys at once although what they made may come back, because nobody can open them any more, and puts others in
    /// their place. One event tells of those that end, another of those that are added.
    pub async fn give_up_keys(&self, giving_up: &GivingUp, audit: [&Audit; 2]) -> StoreResult<GiveUp> {
        on_either_engine!(self, engine => engine.give_up_keys(giving_up, audit))
    }

    /// When the last connection ends that there is, at the latest.
    pub async fn last_family_ends(&self) -> StoreResult<Option<Timestamp>> {
        on_either_engine!(self, engine => engine.last_family_ends())
    }

    /// How many connections have not ended.
    pub async fn families_alive(&self, now: Timestamp) -> StoreResult<u64> {
        on_either_engine!(self, engine => engine.families_alive(now))
    }
}
