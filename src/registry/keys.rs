//! Working keys replaced: by the timetable, because the operator wants it, or in haste because somebody else may know one.
//!
//! A change begins now and takes effect later, at an instant that every node knows by then (`model::key_timetable`). How
//! they are used in between is `keys::ring`'s to say. The command line calls this, and `jobs::keys`.

use std::time::Duration;

use super::{Registry, RegistryError, RegistryResult, resealing};
use crate::{
    audit::{chain, proof::Proof},
    keys::{
        KeyError,
        master::{self, MasterKey},
        ring::{self, Ring},
    },
    model::{
        Timestamp,
        digest::Digest,
        key::{KeyAlgorithm, Kid, Purpose, WrappedKey},
        key_timetable::{self, KeyTimetable, TakeOver},
        public_key::SigningAlgorithm,
        resource::Resource,
    },
    store::{
        Store,
        audit_links::{Forgotten, NewBeginning},
        keys::{GiveUp, GivingUp, KeyRotation, RotateKey, Why},
    },
};

/// How often it is tried to empty the database's log, where somebody reads it or it fails.
pub const SCRUBS_MAX: u32 = 3;

/// How long after one of these the next comes.
const SCRUB_INTERVAL: Duration = Duration::from_secs(1);

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

/// What was given up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GivenUp {
    /// The keys.
    pub kids: Vec<Kid>,
    /// Nobody who had a key of the table said where the audit log begins, so that this was left, and nothing was said of
    /// the links of these keys: they count as changed.
    pub is_beginning_false: bool,
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
    let mut replaced = Vec::new();
    for newest in newest(registry, purpose).await? {
        if algorithm.is_some_and(|algorithm| algorithm != newest.algorithm) {
            continue;
        }
        // Making keys takes a while, and each is to be known for as long before it is used.
        let now = registry.clock.now();
        if now < newest.active_at && !key_timetable::is_out_of_reach(&newest, now) {
            replaced.push(Replaced::Waits(newest));
            continue;
        }
        replaced.push(Replaced::By(replace_in_time(registry, means, &newest, now).await?));
    }
    Ok(replaced)
}

/// Replaces what the timetable says is due, and answers the new keys. What another node was quicker with is done.
pub async fn rotate_due(registry: &Registry<'_>, means: Means<'_>) -> RegistryResult<Vec<WrappedKey>> {
    let mut made = Vec::new();
    for key in registry.store.working_keys().await?.iter().filter(|key| key.is_newest()) {
        let now = registry.clock.now();
        if !means.timetable.is_due(key, now) && !key_timetable::is_out_of_reach(key, now) {
            continue;
        }
        match replace_in_time(registry, means, key, now).await {
            Ok(new) => made.push(new),
            Err(RegistryError::ChangedMeanwhile) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(made)
}

/// Replaces a key by the timetable.
async fn replace_in_time(
    registry: &Registry<'_>,
    means: Means<'_>,
    newest: &WrappedKey,
    now: Timestamp,
) -> RegistryResult<WrappedKey> {
    let last_family_ends = match newest.purpose {
        Purpose::Mac => registry.store.last_family_ends().await?,
        _ => None,
    };
    let over = means.timetable.take_over(newest.purpose, now, last_family_ends);
    replace(registry, means, newest, (now, over, Why::Routine)).await
}

/// What [`compromised`] would end.
pub async fn ending(registry: &Registry<'_>, purpose: Purpose) -> RegistryResult<Ending> {
    let keys = registry.store.working_keys().await?;
    // Counting takes a while where there are many, and who does not need the number must not wait for it.
    let connections = match purpose {
        Purpose::Mac => registry.store.families_alive(registry.clock.now()).await?,
        _ => 0,
    };
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
    let mut made = Vec::new();
    for newest in newest(registry, purpose).await? {
        let now = registry.clock.now();
        let over = KeyTimetable::take_over_in_haste(purpose, now);
        made.push(replace(registry, means, &newest, (now, over, Why::Compromised)).await?);
    }
    Ok(made)
}

/// Has access tokens for a resource, by its canonical spelling, signed with an algorithm. The algorithm's first key is
/// made when the first resource asks for it; answers when it begins, where it has not yet: until then tokens are signed as
/// they were before. That is with ES256, whatever the resource says by then; one that wanted another algorithm goes on with
/// it, and has to be told again.
///
/// # Errors
///
/// [`RegistryError::Gone`] where there is no such resource.
pub async fn sign_for(
    registry: &Registry<'_>,
    means: Means<'_>,
    canonical: &str,
    algorithm: SigningAlgorithm,
) -> RegistryResult<(Resource, Option<Timestamp>)> {
    let (now, store) = (registry.clock.now(), registry.store);
    let resource = store.resource(canonical).await?.ok_or(RegistryError::Gone)?;
    let kind = (Purpose::Sign, KeyAlgorithm::from(algorithm));
    let is_of_kind = |key: &&WrappedKey| (key.purpose, key.algorithm) == kind;
    if !store.working_keys().await?.iter().any(|key| is_of_kind(&key) && key.is_newest()) {
        let first = ring::new_key(means.master, kind, now, now + means.timetable.lead(Purpose::Sign))?;
        store.add_first_keys(&[first], &registry.audit(now)).await?;
    }
    let keys = store.working_keys().await?;
    let begins = keys.iter().filter(is_of_kind).map(|key| key.active_at).min().filter(|begins| now < *begins);
    if begins.is_some() && resource.signing_algorithm != SigningAlgorithm::Es256 {
        return Ok((resource, begins));
    }
    let resource = store.sign_for(canonical, algorithm, &registry.audit(now)).await?.ok_or(RegistryError::Gone)?;
    Ok((resource, begins))
}

/// Wipes the keys that are needed no more, and answers which. Whether rows need those that sealed them is looked up first;
/// where that fails, they alone stay.
pub async fn end(registry: &Registry<'_>, ring: &Ring) -> RegistryResult<Vec<Kid>> {
    let now = registry.clock.now();
    let mut ending = registry.store.working_keys().await?;
    ending.retain(|key| key.needed_until.is_some_and(|until| until <= now));
    // Most turns find none, and a step that writes is not begun for nothing.
    if ending.is_empty() {
        return Ok(Vec::new());
    }
    let mut wiped = registry.store.end_keys(&registry.audit(now)).await?;
    ending.retain(|key| key.purpose == Purpose::SealData);
    if !ending.is_empty() {
        match resealing::end_keys(registry, ring, &ending).await {
            Ok(kids) => wiped.extend(kids),
            Err(error) => tracing::warn!(
                %error,
                "whether rows need the working keys that sealed them could not be looked up; these keys stay until it can"
            ),
        }
    }
    if !wiped.is_empty() {
        scrub(registry.store, SCRUBS_MAX).await;
    }
    Ok(wiped)
}

/// What was wiped or wrapped anew is to stand in no file of the database any more. Nothing depends on it, so nothing fails
/// by it; it is tried so often.
pub async fn scrub(store: &Store, tries: u32) {
    let mut last = Ok(false);
    for turn in 0..tries {
        if turn > 0 {
            tokio::time::sleep(SCRUB_INTERVAL).await;
        }
        last = store.scrub().await;
        if matches!(last, Ok(true)) {
            return;
        }
    }
    match last {
        Ok(_) => {
            tracing::warn!(
                "somebody reads the database for long, and keeps the bytes of keys that were wiped in its log"
            );
        }
        Err(error) => tracing::warn!(%error, "the bytes of keys that were wiped may stand in a file still"),
    }
}

/// Gives up the keys that none of the master keys opens, because those that would are lost; answers which. Those that were
/// in use have successors at once, wrapped by the first master key: nothing is signed with an algorithm, and no link of
/// the audit log made, before there is a key.
///
/// # Errors
///
/// [`KeyError::Missing`] without a master key; [`RegistryError::ChangedMeanwhile`] where the keys, or where the audit log
/// begins, became others.
pub async fn give_up(registry: &Registry<'_>, masters: &[MasterKey]) -> RegistryResult<GivenUp> {
    let (now, store) = (registry.clock.now(), registry.store);
    let wrapping = masters.first().ok_or(KeyError::Missing("wrap others"))?;
    let keys = store.working_keys().await?.into_iter();
    let (open, shut): (Vec<_>, Vec<_>) = keys.partition(|key| master::unwrap(masters, key).is_ok());
    if shut.is_empty() {
        return Ok(GivenUp::default());
    }
    let successor = |key: &WrappedKey| ring::new_key(wrapping, (key.purpose, key.algorithm), now, now);
    let successors: Vec<WrappedKey> =
        shut.iter().filter(|key| key.is_newest()).map(successor).collect::<Result<_, KeyError>>()?;
    let ring = Ring::unwrap(masters, &[open, successors.clone()].concat(), now);
    let of_links: Vec<Kid> = shut.iter().filter(|key| key.purpose == Purpose::Audit).map(|key| key.kid).collect();
    let last_link = last_link_of(store, &of_links).await?;
    let before = store.audit_forgotten().await?;
    // What somebody said of it who had no key stays what it is, and is found.
    let is_false = |said: &Forgotten| !of_links.contains(&said.kid) && !Proof::new(&ring, None).is_of(said);
    let is_beginning_false = !of_links.is_empty() && before.as_ref().is_some_and(is_false);
    let log = if of_links.is_empty() || is_beginning_false {
        None
    } else {
        begin_proof_anew(before, &ring, (&of_links, last_link))?
    };
    let last_link = last_link.map(|(number, _)| number);
    let giving_up = GivingUp { kids: shut.iter().map(|key| key.kid).collect(), successors, last_link, log };
    match store.give_up_keys(&giving_up, [&registry.audit(now), &registry.audit(now)]).await? {
        GiveUp::GivenUp => {
            scrub(store, SCRUBS_MAX).await;
            Ok(GivenUp { kids: giving_up.kids, is_beginning_false })
        }
        GiveUp::ChangedMeanwhile => Err(RegistryError::ChangedMeanwhile),
    }
}

/// The number and digest of the last link that was made with one of the keys.
async fn last_link_of(store: &Store, kids: &[Kid]) -> RegistryResult<Option<(i64, Digest)>> {
    let mut last = None;
    for kid in kids {
        let link = store.last_audit_link_of(*kid).await?.map(|link| (link.number, link.digest));
        last = link.into_iter().chain(last).max_by_key(|(number, _)| *number);
    }
    Ok(last)
}

/// Where keys of links are given up, nobody can tell any more what was written before. What is there from now on can be
/// told: the last of those links is named under a key that is there, and closes those before it. Where the log began goes
/// on being said, now under that key; where it was a lost one before, as what is not proved.
fn begin_proof_anew(
    before: Option<Forgotten>,
    ring: &Ring,
    (given_up, last_link): (&[Kid], Option<(i64, Digest)>),
) -> RegistryResult<Option<NewBeginning>> {
    let is_to_be_said_anew = before.as_ref().is_some_and(|said| given_up.contains(&said.kid));
    let unproven_before = before.as_ref().and_then(|said| said.unproven);
    // Whether that was said by who had the lost key cannot be told any more, so it is not proved either.
    let said = before.as_ref().filter(|said| is_to_be_said_anew && said.number > 0);
    let said = said.map(|said| (said.number, said.digest));
    let unproven = said.into_iter().chain(last_link).chain(unproven_before).max_by_key(|(number, _)| *number);
    if !is_to_be_said_anew && unproven == unproven_before {
        return Ok(None);
    }
    let begins = before.as_ref().map_or((0, chain::BEGINNING), |said| (said.number, said.digest));
    let now = chain::begin_after(begins, unproven, ring.as_of(), ring.chaining()?);
    Ok(Some(NewBeginning { before, now }))
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
