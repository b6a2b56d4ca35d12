//! Working keys replaced: by the timetable, because the operator wants it, or in haste because somebody else may know one.
//!
//! A change begins now and takes effect later, at an instant that every node knows by then (`model::key_timetable`). How
//! they are used in between is `keys::ring`'s to say. The command line calls this, and `jobs::keys`.

use super::{Registry, RegistryError, RegistryResult};
use crate::{
    keys::{master::MasterKey, ring},
    model::{
        Timestamp,
        key::{KeyAlgorithm, Kid, Purpose, WrappedKey},
        key_timetable::{KeyTimetable, TakeOver},
    },
    store::keys::{KeyRotation, RotateKey, Why},
};

/// What new keys are made by.
#[derive(Clone, Copy, Debug)]
pub struct Means<'a> {
    /// What wraps them.
    pub master: &'a MasterKey,
    /// When they take over.
    pub timetable: &'a KeyTimetable,
}

/// What became of a key that was to be replaced.
#[derive(Clone, Debug)]
pub enum Replaced {
    /// This one takes over.
    By(WrappedKey),
    /// This one was made before and has not begun yet, so there is nothing to replace.
    Waits(WrappedKey),
}

/// What ends when the keys of a purpose are replaced in haste.
#[derive(Clone, Debug)]
pub struct Ending {
    /// The keys that end, oldest first.
    pub keys: Vec<WrappedKey>,
    /// How many connections there are.
    pub connections: u64,
}

/// Replaces the newest key of a purpose, of one algorithm or of each there is: what the old one made goes on.
///
/// # Errors
///
/// [`RegistryError::ChangedMeanwhile`] where somebody else was quicker.
pub async fn rotate(
    registry: &Registry<'_>,
    means: Means<'_>,
    (purpose, algorithm): (Purpose, Option<KeyAlgorithm>),
) -> RegistryResult<Vec<Replaced>> {
    let now = registry.clock.now();
    let mut replaced = Vec::new();
    for newest in newest(registry, purpose).await? {
        if algorithm.is_some_and(|algorithm| algorithm != newest.algorithm) {
            continue;
        }
        if now < newest.active_at {
            replaced.push(Replaced::Waits(newest));
            continue;
        }
        let last = registry.store.last_family_ends().await?;
        let over = means.timetable.take_over(purpose, now, last);
        replaced.push(Replaced::By(replace(registry, means, &newest, (now, over, Why::Routine)).await?));
    }
    Ok(replaced)
}

/// Replaces what the timetable says is due, and answers the new keys. What another node was quicker with is done.
pub async fn rotate_due(registry: &Registry<'_>, means: Means<'_>) -> RegistryResult<Vec<WrappedKey>> {
    let now = registry.clock.now();
    let mut made = Vec::new();
    for key in registry.store.working_keys().await?.iter().filter(|key| key.is_newest()) {
        if means.timetable.due_at(key).is_none_or(|due| now < due) {
            continue;
        }
        let last = registry.store.last_family_ends().await?;
        let over = means.timetable.take_over(key.purpose, now, last);
        match replace(registry, means, key, (now, over, Why::Routine)).await {
            Ok(new) => made.push(new),
            Err(RegistryError::ChangedMeanwhile) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(made)
}

/// What [`compromised`] would end.
pub async fn ending(registry: &Registry<'_>, purpose: Purpose) -> RegistryResult<Ending> {
    let keys = registry.store.working_keys().await?;
    let connections = registry.store.families_alive(registry.clock.now()).await?;
    Ok(Ending { keys: keys.into_iter().filter(|key| key.purpose == purpose).collect(), connections })
}

/// Replaces the keys of a purpose because somebody else may know them: all of them end within seconds, and what they made
/// with them. What is sealed in rows, and the links of the audit log, still open, so that they can be made anew.
///
/// # Errors
///
/// [`RegistryError::ChangedMeanwhile`] where somebody else was quicker.
pub async fn compromised(
    registry: &Registry<'_>,
    means: Means<'_>,
    purpose: Purpose,
) -> RegistryResult<Vec<WrappedKey>> {
    let now = registry.clock.now();
    let over = KeyTimetable::take_over_in_haste(purpose, now);
    let mut made = Vec::new();
    for newest in newest(registry, purpose).await? {
        made.push(replace(registry, means, &newest, (now, over, Why::Compromised)).await?);
    }
    Ok(made)
}

/// Wipes the keys that are needed no more, and answers which.
pub async fn end(registry: &Registry<'_>) -> RegistryResult<Vec<Kid>> {
    let now = registry.clock.now();
    let is_over = |key: &WrappedKey| key.needed_until.is_some_and(|until| until <= now);
    // Most turns find none, and a step that writes is not begun for nothing.
    if !registry.store.working_keys().await?.iter().any(is_over) {
        return Ok(Vec::new());
    }
    Ok(registry.store.end_keys(&registry.audit(now)).await?)
}

/// The last key of each algorithm that a purpose has keys of.
async fn newest(registry: &Registry<'_>, purpose: Purpose) -> RegistryResult<Vec<WrappedKey>> {
    let keys = registry.store.working_keys().await?;
    Ok(keys.into_iter().filter(|key| key.purpose == purpose && key.is_newest()).collect())
}

async fn replace(
    registry: &Registry<'_>,
    means: Means<'_>,
    old: &WrappedKey,
    (now, over, why): (Timestamp, TakeOver, Why),
) -> RegistryResult<WrappedKey> {
    let new = ring::new_key(means.master, (old.purpose, old.algorithm), now, over.at)?;
    let rotation = KeyRotation { old: old.kid, new: new.clone(), needed_until: over.needed_until, why };
    match registry.store.rotate_key(&rotation, &registry.audit(now)).await? {
        RotateKey::Rotated => Ok(new),
        RotateKey::MadeMeanwhile => Err(RegistryError::ChangedMeanwhile),
    }
}
