//! Refusals that somebody should hear of, on their way into the audit log.
//!
//! Strangers cause them, and as many as they like. So none is written where it is refused: of each kind about one
//! thing the first is told within seconds, and what follows once an hour, with how often it was. About different things
//! each kind has room for so many, and each of them is one that is known here: an account, a client, a connection, a token.
//! A process that is killed loses those of the last seconds, and the count of the last hour.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use chrono::TimeDelta;
use serde_json::{Map, Value};
use uuid::Uuid;

use crate::{
    model::{
        Timestamp,
        audit::{Actor, AuditAction, Origin, Subjects},
        client::{AuthenticationMethod, Client},
        family::Family,
        id::{AccountId, PluginId, SecretId},
        plugin_secret::SecretName,
    },
    store::audit::Telling,
};

/// How many things can be told of in an hour, of each kind: strangers who cause one kind as they like crowd out no other.
/// What is beyond that is counted, and is in the metrics anyhow.
pub const THINGS_MAX: usize = 500;

/// What goes on is told again after so long.
const WINDOW: TimeDelta = TimeDelta::hours(1);

/// Something was refused.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// What.
    pub action: AuditAction,
    /// The thing it is counted by.
    pub about: Uuid,
    /// The rows concerned.
    pub subjects: Subjects,
    /// Who was refused, if that is known.
    pub actor: Actor,
    /// From where.
    pub origin: Origin,
    /// Why, in names and values.
    pub detail: Map<String, Value>,
}

impl Refusal {
    /// Of something that is refused about a thing, whoever it was.
    pub fn about(action: AuditAction, about: Uuid, (subjects, origin): (Subjects, Origin)) -> Self {
        Self { action, about, subjects, actor: Actor::Server, origin, detail: Map::new() }
    }

    /// Of somebody who says to be a client.
    pub fn of_client(action: AuditAction, client: &Client, origin: Origin) -> Self {
        let plugin_id = client.home.as_ref().map(|home| home.plugin_id);
        let subjects = Subjects { client_id: Some(client.id), plugin_id, ..Subjects::default() };
        Self::about(action, client.id.0, (subjects, origin))
    }

    /// The same, where it is known who it was.
    #[must_use]
    pub fn by(mut self, actor: Actor) -> Self {
        self.actor = actor;
        self
    }

    /// With one more thing that is known.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.detail.insert(name.to_owned(), value.into());
        self
    }
}

/// What is to be written.
#[derive(Debug)]
pub struct Due {
    /// Who was refused last.
    pub actor: Actor,
    /// From where.
    pub origin: Origin,
    /// What to tell.
    pub telling: Telling,
}

struct Kept {
    last: Refusal,
    since: Timestamp,
    times: u64,
    /// When it may be told, if there is anything.
    due_at: Timestamp,
}

/// What has been gathered since it was told last.
#[derive(Default)]
pub struct Refusals {
    gathered: Mutex<Gathered>,
}

#[derive(Default)]
struct Gathered {
    kept: HashMap<AuditAction, HashMap<Uuid, Kept>>,
    dropped: u64,
}

impl Refusals {
    /// Something was refused.
    pub fn note(&self, refusal: Refusal, at: Timestamp) {
        let mut gathered = self.lock();
        let room = gathered.kept.entry(refusal.action).or_default();
        let is_full = room.len() >= THINGS_MAX;
        match room.get_mut(&refusal.about) {
            Some(kept) if kept.times == 0 => {
                (kept.last, kept.since, kept.times) = (refusal, at, 1);
            }
            Some(kept) => {
                kept.last = refusal;
                kept.times += 1;
            }
            None if is_full => gathered.dropped += 1,
            None => {
                room.insert(refusal.about, Kept { last: refusal, since: at, times: 1, due_at: at });
            }
        }
    }

    /// An account's password or second factor was guessed so often that nobody may try for a while.
    pub fn sign_in_held(&self, account: AccountId, (by, failures): (&str, u32), origin: Origin, at: Timestamp) {
        let subjects = Subjects { account_id: Some(account), ..Subjects::default() };
        let refusal = Refusal::about(AuditAction::AccountSignInHeld, account.0, (subjects, origin));
        self.note(refusal.with("by", by).with("failures", failures), at);
    }

    /// A connection was refused to its client, which proved itself in a weaker way than before.
    pub fn refresh_downgraded(&self, family: &Family, (method, origin): (AuthenticationMethod, Origin), at: Timestamp) {
        let subjects = Subjects {
            account_id: Some(family.account_id),
            client_id: Some(family.client_id),
            plugin_id: Some(family.plugin_id),
        };
        let refusal = Refusal::about(AuditAction::RefreshDowngradeRefused, family.id.0, (subjects, origin));
        let refusal = refusal.by(Actor::Client(family.client_id));
        self.note(refusal.with("family", family.id.to_string()).with("method", method.as_str()), at);
    }

    /// An API key was not given to a request that it might have been meant for; none, where nobody can say which.
    pub fn secret_refused(
        &self,
        plugin: PluginId,
        secret: Option<(SecretId, &SecretName)>,
        (reason, origin): (&str, Origin),
        at: Timestamp,
    ) {
        let subjects = Subjects::of_plugin(plugin);
        let about = secret.map_or(plugin.0, |(id, _)| id.0);
        let refusal = Refusal::about(AuditAction::SecretRefused, about, (subjects, origin));
        let name = secret.map(|(_, name)| name.as_str());
        self.note(refusal.with("name", name).with("reason", reason), at);
    }

    /// What is to be told now, and how many were let go because there were too many things. What was told and did not
    /// happen again for an hour is forgotten.
    pub fn take(&self, now: Timestamp) -> (Vec<Due>, u64) {
        let mut gathered = self.lock();
        let mut due = Vec::new();
        for room in gathered.kept.values_mut() {
            room.retain(|_, kept| {
                if kept.due_at > now {
                    return true;
                }
                if kept.times == 0 {
                    return false;
                }
                due.push(told(kept));
                (kept.times, kept.due_at) = (0, now + WINDOW);
                true
            });
        }
        (due, std::mem::take(&mut gathered.dropped))
    }

    /// How much is still to be told.
    pub fn waiting(&self) -> usize {
        self.lock().kept.values().flat_map(HashMap::values).filter(|kept| kept.times > 0).count()
    }

    /// Everything that was not told, because the process ends.
    pub fn take_all(&self) -> Vec<Due> {
        let kept = std::mem::take(&mut self.lock().kept);
        kept.values().flat_map(HashMap::values).filter(|kept| kept.times > 0).map(told).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Gathered> {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn told(kept: &Kept) -> Due {
    let last = kept.last.clone().with("times", kept.times).with("since", kept.since.to_rfc3339());
    let telling = Telling { action: last.action, subjects: last.subjects, detail: Value::Object(last.detail) };
    Due { actor: last.actor, origin: last.origin, telling }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn at(second: i64) -> Timestamp {
        DateTime::from_timestamp(1_800_000_000 + second, 0).unwrap()
    }

    fn refusal(about: u128) -> Refusal {
        let unknown = (Subjects::default(), Origin::default());
        Refusal::about(AuditAction::ClientAuthenticationRefused, Uuid::from_u128(about), unknown)
    }

    /// How often each that is told happened.
    fn times(refusals: &Refusals, second: i64) -> Vec<u64> {
        refusals.take(at(second)).0.iter().map(|due| due.telling.detail["times"].as_u64().unwrap()).collect()
    }

    #[test]
    fn the_first_is_told_at_once_and_the_rest_once_an_hour() {
        let refusals = Refusals::default();
        for second in 0..10 {
            refusals.note(refusal(1), at(second));
        }
        assert_eq!(times(&refusals, 10), [10]);
        for second in 11..3000 {
            refusals.note(refusal(1), at(second));
            assert_eq!(times(&refusals, second), [0; 0]);
        }
        refusals.note(refusal(2), at(3000));
        assert_eq!(times(&refusals, 3000), [1], "another thing has an hour of its own");
        assert_eq!(times(&refusals, 3610), [2989]);
        assert_eq!(times(&refusals, 7209), [0; 0]);
        assert_eq!(times(&refusals, 7210), [0; 0], "it is over");
        refusals.note(refusal(1), at(7300));
        assert_eq!(times(&refusals, 7300), [1]);
        refusals.note(refusal(1), at(7301));
        assert_eq!(refusals.take_all().len(), 1);
        assert_eq!(refusals.take_all().len(), 0);
    }

    #[test]
    fn however_many_things_are_refused_what_is_told_is_bounded() {
        let refusals = Refusals::default();
        for about in 0..2 * THINGS_MAX as u128 {
            refusals.note(refusal(about), at(0));
        }
        let (due, dropped) = refusals.take(at(0));
        assert_eq!((due.len(), dropped), (THINGS_MAX, THINGS_MAX as u64));
        refusals.note(refusal(7_000_000), at(3599));
        assert_eq!(refusals.take(at(3599)).0.len(), 0);
        refusals.take(at(3600));
        refusals.note(refusal(7_000_000), at(3601));
        assert_eq!(refusals.take(at(3601)).0.len(), 1);
    }

    #[test]
    fn what_strangers_cause_crowds_out_nothing_else() {
        let refusals = Refusals::default();
        for about in 0..2 * THINGS_MAX as u128 {
            refusals.note(refusal(about), at(0));
        }
        refusals.note(Refusal { action: AuditAction::AccountSignInHeld, ..refusal(7) }, at(1));
        let (due, _) = refusals.take(at(1));
        assert!(due.iter().any(|due| due.telling.action == AuditAction::AccountSignInHeld));
    }
}
