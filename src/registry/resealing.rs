//! Sealing anew: everything that rows keep sealed is opened with the key it was sealed with and sealed with the one that
//! seals now, so that those before it can go.
//!
//! A walk looks at every sealed value there is, in batches that are kept with how far it is (`store::reseals`). It is
//! enough when a walk found nothing to do from its beginning to its end: until then another follows. `jobs::reseal` and
//! `consentry key reseal` take turns at it, on however many nodes. The keys of before end no sooner than an hour after they
//! were replaced, and after a last look.

use std::time::Duration;

use chrono::TimeDelta;
use uuid::Uuid;

use super::{Registry, RegistryResult};
use crate::{
    keys::{
        KeyError,
        place::Place,
        ring::{IN_HAND, Ring},
        seal,
    },
    model::{
        Timestamp,
        id::{AccountId, MailId, PluginId, SecretId, SecretVersionId},
        key::{Kid, Purpose, WrappedKey},
    },
    random,
    store::{
        keys::Lost,
        reseals::{Progress, Reseal, ResealEnd, ResealKeeping, ResealTaking, ResealedRow, SealedColumn, SealedRow},
    },
};

/// How many values are looked at, and perhaps sealed anew, in one step.
const BATCH: u32 = 200;

/// How long between two steps that write, so that callers get their turn.
const BREATH: Duration = Duration::from_millis(20);

/// How long a node keeps what it took to itself, from its last step on: one that is killed is followed by another then.
const HELD: TimeDelta = TimeDelta::seconds(10);

/// How long steps that only read may go on before it is kept how far they are.
const KEPT_EVERY: Duration = Duration::from_secs(3);

/// So long after a key became the one that seals, nobody seals with another: a step that began before has ended.
const SETTLED: TimeDelta = TimeDelta::minutes(1);

/// What was read out of a row is opened within this: a webhook's secret is the longest on its way, for a turn of its
/// webhook (`jobs::webhooks`).
const ON_ITS_WAY: TimeDelta = TimeDelta::minutes(10);

/// How many of the rows that nobody can open a turn names in the log.
const NAMED_MAX: u64 = 20;

/// Whether everything that is kept is sealed with the key that seals now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// No other key is kept for it.
    None,
    /// It is not, and another key took over too short a time ago, or is about to: it can begin then.
    From(Timestamp),
    /// It is not, and can begin.
    Now,
}

/// What came of a turn.
#[derive(Clone, Copy, Debug)]
pub enum Turn {
    /// Somebody else is at it, or there is nothing to be done.
    NotOurs,
    /// There is more to do.
    GoesOn(Reseal),
    /// It is done.
    Done(Reseal),
}

/// Whether there is something to seal anew.
pub async fn need(registry: &Registry<'_>) -> RegistryResult<Need> {
    let (keys, now) = (keys(registry).await?, registry.clock.now());
    if !keys.iter().any(|key| key.retired_at.is_some() && key.needed_until.is_none()) {
        return Ok(Need::None);
    }
    // The newest, also where it takes over in a moment: all would be done twice.
    let newest = keys.iter().filter(|key| key.retired_at.is_none()).map(|key| key.active_at).max();
    let from = newest.unwrap_or(now) + SETTLED;
    Ok(if from <= now { Need::Now } else { Need::From(from) })
}

/// Begins, or goes on where it was.
///
/// # Errors
///
/// As for [`turn`].
pub async fn begin(registry: &Registry<'_>, ring: &Ring) -> RegistryResult<Kid> {
    knows_all(registry, ring).await?;
    let kid = ring.sealing(Purpose::SealData)?.kid();
    registry.store.begin_reseal(kid, registry.clock.now()).await?;
    Ok(kid)
}

/// How it stands with the key that seals now.
pub async fn standing(registry: &Registry<'_>, ring: &Ring) -> RegistryResult<Option<Reseal>> {
    Ok(registry.store.reseal(ring.sealing(Purpose::SealData)?.kid()).await?)
}

/// Seals anew for as long as this, if nobody else is at it. The keys are those of before: who needs more than a few
/// seconds takes another turn with the keys of then.
///
/// # Errors
///
/// [`KeyError::UnknownMaster`] where a key is not known here that may have sealed something: what others can open must
/// not pass for what nobody can.
pub async fn turn(registry: &Registry<'_>, ring: &Ring, lasts: Duration) -> RegistryResult<Turn> {
    knows_all(registry, ring).await?;
    let kid = ring.sealing(Purpose::SealData)?.kid();
    let is_free = |reseal: &Reseal| reseal.finished_at.is_none() && reseal.held_until <= registry.clock.now();
    let Some(standing) = registry.store.reseal(kid).await?.filter(is_free) else { return Ok(Turn::NotOurs) };
    // Counting reads every row, so it is done once, and before it is held: it may take longer than that lasts. Once
    // something was sealed anew none left means that none is.
    let remaining = match (standing.remaining, standing.resealed) {
        (0, 0) => registry.store.sealed_otherwise(kid).await?,
        (known, _) => known,
    };
    let at = registry.clock.now();
    let Some(reseal) = registry.store.take_reseal(&ResealTaking { kid, at, until: at + HELD }).await? else {
        return Ok(Turn::NotOurs);
    };
    let began = registry.clock.elapsed();
    let mut walk = Walk { registry, ring, reseal: Reseal { remaining, ..reseal }, kept_at: began, named: 0 };
    loop {
        let is_over = registry.clock.elapsed().saturating_sub(began) >= lasts;
        match walk.step(is_over).await? {
            Step::Kept if is_over => return Ok(Turn::GoesOn(walk.reseal)),
            Step::Kept => tokio::time::sleep(BREATH).await,
            Step::Read => {}
            Step::Lost => return Ok(Turn::NotOurs),
            Step::Done => return Ok(Turn::Done(walk.reseal)),
        }
    }
}

/// Wipes keys that no row needs any more, of those whose end has come; answers which. A value that opens under no key
/// holds up nothing here either, but nothing passes for such a value only because its key does not open here.
pub(super) async fn end_keys(registry: &Registry<'_>, ring: &Ring, ending: &[WrappedKey]) -> RegistryResult<Vec<Kid>> {
    let mut lost = Vec::new();
    for key in ending {
        // The ring gives out a key until its end, and that was just now.
        let before = ring.at(key.needed_until.unwrap_or(key.created_at) - TimeDelta::milliseconds(1));
        if before.sealing_of(Purpose::SealData, key.kid).is_none() {
            continue;
        }
        for column in SealedColumn::ALL {
            let rows = lost_in(registry, &before, (*column, key.kid)).await?;
            lost.push(Lost { kid: key.kid, column: *column, rows });
        }
    }
    let ended = registry.store.end_sealing_keys(&lost, &registry.audit(registry.clock.now())).await?;
    for kid in ended.kept {
        tracing::warn!(
            key.id = %kid,
            "rows were written with a working key that was to be wiped; it stays until they are sealed anew"
        );
    }
    Ok(ended.wiped)
}

/// How many values of a column are sealed with a key and open under none. Where one of them opens they are not told
/// apart: the key stays for it.
async fn lost_in(registry: &Registry<'_>, ring: &Ring, of: (SealedColumn, Kid)) -> RegistryResult<u64> {
    let (mut count, mut after) = (0, None);
    loop {
        let rows = registry.store.sealed_with(of, after, BATCH).await?;
        if rows.iter().any(|row| place(of.0, row.id).open(ring, &row.sealed).is_some()) {
            return Ok(0);
        }
        count += rows.len() as u64;
        if rows.len() < BATCH as usize {
            return Ok(count);
        }
        after = rows.last().map(|row| row.id);
    }
}

/// Whether every key opens here that may have sealed something.
async fn knows_all(registry: &Registry<'_>, ring: &Ring) -> RegistryResult<()> {
    for key in keys(registry).await? {
        let is_needed = key.needed_until.is_none_or(|until| registry.clock.now() < until);
        if is_needed && ring.sealing_of(Purpose::SealData, key.kid).is_none() {
            return Err(KeyError::UnknownMaster { kid: key.kid, master: key.master }.into());
        }
    }
    Ok(())
}

/// The keys that may have sealed what rows keep.
async fn keys(registry: &Registry<'_>) -> RegistryResult<Vec<WrappedKey>> {
    let keys = registry.store.working_keys().await?;
    Ok(keys.into_iter().filter(|key| key.purpose == Purpose::SealData).collect())
}

/// What came of a step.
enum Step {
    /// It was kept.
    Kept,
    /// There was nothing to be kept.
    Read,
    /// It is somebody else's turn.
    Lost,
    /// Nothing was left to do.
    Done,
}

/// A walk, as one turn goes on with it.
struct Walk<'a> {
    registry: &'a Registry<'a>,
    ring: &'a Ring,
    reseal: Reseal,
    /// When it was last kept how far it is.
    kept_at: Duration,
    /// How many rows were named that nobody can open.
    named: u64,
}

impl Walk<'_> {
    /// Looks at the next values, and keeps what they became. In the last step of a turn it is given back.
    async fn step(&mut self, is_last: bool) -> RegistryResult<Step> {
        let Self { registry, ring, .. } = *self;
        let Progress { place: column, after, .. } = self.reseal.progress;
        let values = registry.store.sealed_after(column, after, BATCH).await?;
        let now = registry.clock.now();
        let mut rows = Vec::new();
        for value in &values {
            match anew(ring, column, value, now)? {
                Anew::Sealed(row) => rows.push(row),
                Anew::AsItShouldBe => {}
                Anew::Unreadable => self.unreadable(column, value.id),
            }
        }
        let progress = &mut self.reseal.progress;
        progress.seen += values.len() as u64;
        progress.stirred += rows.len() as u64;
        match values.last() {
            Some(last) if values.len() == BATCH as usize => progress.after = Some(last.id),
            _ => match column.next() {
                Some(next) => (progress.place, progress.after) = (next, None),
                None if progress.stirred == 0 => return self.finish(now).await,
                None => *progress = Progress::BEGINNING,
            },
        }
        let is_due = registry.clock.elapsed().saturating_sub(self.kept_at) >= KEPT_EVERY;
        if rows.is_empty() && !is_due && !is_last {
            return Ok(Step::Read);
        }
        let keeping = ResealKeeping {
            kid: self.reseal.kid,
            turn: self.reseal.turn,
            column,
            rows,
            progress: self.reseal.progress,
            remaining: self.reseal.remaining,
            until: if is_last { now } else { now + HELD },
        };
        let Some(changed) = registry.store.keep_resealed(&keeping).await? else { return Ok(Step::Lost) };
        self.kept_at = registry.clock.elapsed();
        self.reseal.resealed += changed;
        self.reseal.remaining = self.reseal.remaining.saturating_sub(changed);
        Ok(Step::Kept)
    }

    async fn finish(&mut self, now: Timestamp) -> RegistryResult<Step> {
        let Reseal { kid, turn, progress, .. } = self.reseal;
        let newest = keys(self.registry).await?.into_iter().find(|key| key.kid == kid);
        // Whoever was held up with an older key in hand finds it as long as that.
        let in_hand = newest.map(|key| key.active_at + IN_HAND);
        let needed_until = in_hand.into_iter().fold(now + ON_ITS_WAY, Timestamp::max);
        let end = ResealEnd { kid, turn, progress, keys_needed_until: needed_until };
        if !self.registry.store.finish_reseal(&end, &self.registry.audit(now)).await? {
            return Ok(Step::Lost);
        }
        self.reseal.finished_at = Some(now);
        self.reseal.remaining = progress.unreadable;
        Ok(Step::Done)
    }

    /// It holds up nothing: whoever needs it cannot open it either.
    fn unreadable(&mut self, column: SealedColumn, id: Uuid) {
        self.reseal.progress.unreadable += 1;
        if self.named < NAMED_MAX {
            self.named += 1;
            let column = column.name();
            tracing::error!(row.column = column, row.id = %id, "what a row keeps sealed opens under no key; it stays as it is");
        }
    }
}

/// What becomes of a value.
enum Anew {
    Sealed(ResealedRow),
    AsItShouldBe,
    Unreadable,
}

fn anew(ring: &Ring, column: SealedColumn, value: &SealedRow, now: Timestamp) -> Result<Anew, KeyError> {
    if seal::kid_of(&value.sealed) == Some(ring.sealing(Purpose::SealData)?.kid()) {
        return Ok(Anew::AsItShouldBe);
    }
    let place = place(column, value.id);
    let Some(plain) = place.open(ring, &value.sealed) else { return Ok(Anew::Unreadable) };
    let new = place.seal(ring, &plain, now, random::bytes())?;
    Ok(Anew::Sealed(ResealedRow { id: value.id, old: value.sealed.clone(), new }))
}

fn place(column: SealedColumn, id: Uuid) -> Place {
    match column {
        SealedColumn::AuthenticatorApp => Place::AuthenticatorApp(AccountId(id)),
        SealedColumn::Mail => Place::Mail(MailId(id)),
        SealedColumn::WebhookSecret => Place::WebhookSecret(PluginId(id)),
        SealedColumn::OldWebhookSecret => Place::OldWebhookSecret(PluginId(id)),
        SealedColumn::PluginSecret => Place::PluginSecret(SecretVersionId(id)),
        SealedColumn::SecretReference => Place::SecretReference(SecretId(id)),
    }
}
