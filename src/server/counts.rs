//! What happened to plugins, counted in memory and kept about once a minute, so that no request waits for it and the
//! database is written to no more often when more happens.
//!
//! `http::trail` tells what happened, `jobs::counts` has it kept, `store::counts` remembers. A process that is killed
//! loses a minute of it: nothing is decided by these numbers.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use crate::model::{
    Timestamp,
    counts::{Counted, Grain},
    id::PluginId,
};

/// The most different things that wait to be kept.
const WAITING_MAX: usize = 50_000;

/// The most of those that name no plugin yet. Strangers choose what they name, and must not fill the place of the rest.
const UNRESOLVED_MAX: usize = 2_000;

/// To whose plugin something happened: the plugin's id, or what it can be found by later.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Whose {
    /// The plugin.
    Plugin(PluginId),
    /// What the wire called the resource and the client, as far as it did.
    Named {
        /// The resource.
        resource: Option<String>,
        /// The client.
        client_id: Option<String>,
    },
}

/// So often in one hour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Noted {
    /// To whom.
    pub whose: Whose,
    /// What.
    pub what: Counted,
    /// When the hour began.
    pub hour: Timestamp,
    /// How often.
    pub count: i64,
}

/// The counts, as far as they are in memory.
#[derive(Debug, Default)]
pub struct Counts {
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    counts: HashMap<(Whose, Counted, Timestamp), i64>,
    unresolved: usize,
}

impl Counts {
    /// Something happened.
    pub fn happened(&self, whose: Whose, what: Counted, at: Timestamp) {
        self.lock().add(Noted { whose, what, hour: Grain::Hour.start(at), count: 1 });
    }

    /// Everything that waits to be kept, which then waits no more.
    pub fn take(&self) -> Vec<Noted> {
        let waiting = std::mem::take(&mut *self.lock());
        let noted = |((whose, what, hour), count)| Noted { whose, what, hour, count };
        waiting.counts.into_iter().map(noted).collect()
    }

    /// How much waits.
    pub fn waiting(&self) -> usize {
        self.lock().counts.len()
    }

    /// What could not be kept waits again.
    pub fn give_back(&self, noted: Vec<Noted>) {
        let mut waiting = self.lock();
        for noted in noted {
            waiting.add(noted);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn add(&mut self, Noted { whose, what, hour, count }: Noted) {
        let is_unresolved = matches!(whose, Whose::Named { .. });
        let key = (whose, what, hour);
        if let Some(known) = self.counts.get_mut(&key) {
            *known += count;
        } else if self.counts.len() < WAITING_MAX && !(is_unresolved && self.unresolved >= UNRESOLVED_MAX) {
            self.unresolved += usize::from(is_unresolved);
            self.counts.insert(key, count);
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};
    use uuid::Uuid;

    use super::*;
    use crate::model::counts::Refusal;

    fn at(minutes: i64) -> Timestamp {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap() + TimeDelta::minutes(minutes)
    }

    fn named(number: usize) -> Whose {
        Whose::Named { resource: Some(format!("https://{number}.example")), client_id: None }
    }

    #[test]
    fn an_hour_is_one_count_and_what_was_given_back_is_not_lost() {
        let counts = Counts::default();
        let plugin = Whose::Plugin(PluginId(Uuid::nil()));
        for minute in [0, 1, 59] {
            counts.happened(plugin.clone(), Counted::TokenRequest, at(minute));
        }
        counts.happened(plugin.clone(), Counted::Refused(Refusal::InvalidGrant), at(1));
        let taken = counts.take();
        assert!(counts.take().is_empty());
        assert_eq!(taken.iter().map(|noted| noted.count).sum::<i64>(), 4);
        assert_eq!(taken.len(), 2, "the minutes are in one hour: {taken:?}");
        counts.give_back(taken);
        counts.happened(plugin, Counted::TokenRequest, at(60));
        let mut told: Vec<i64> = counts.take().iter().map(|noted| noted.count).collect();
        told.sort_unstable();
        assert_eq!(told, [1, 1, 3]);
    }

    #[test]
    fn strangers_fill_no_more_than_their_own_place() {
        let counts = Counts::default();
        for number in 0..UNRESOLVED_MAX + 10 {
            counts.happened(named(number), Counted::TokenRequest, at(0));
        }
        counts.happened(named(0), Counted::TokenRequest, at(0));
        counts.happened(Whose::Plugin(PluginId(Uuid::nil())), Counted::TokenRequest, at(0));
        let taken = counts.take();
        assert_eq!(taken.len(), UNRESOLVED_MAX + 1);
        assert!(taken.iter().any(|noted| noted.whose == named(0) && noted.count == 2));
        counts.happened(named(1), Counted::TokenRequest, at(0));
        assert_eq!(counts.take().len(), 1, "there is room again");
    }
}
