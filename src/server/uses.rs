//! When things were last used that are shown or sent, such as owners' tokens: gathered in passing and written down in the
//! background, for each at most once a minute. No request waits for it, and a process that is killed loses the last
//! seconds of it.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Mutex, PoisonError},
};

use chrono::TimeDelta;

use crate::model::Timestamp;

/// Most things of which a use waits to be written down.
const THINGS_MAX: usize = 10_000;

/// A use is written down again after so long.
pub const USE_AGE_MIN: TimeDelta = TimeDelta::minutes(1);

/// What has been gathered since the last time, by what things are known by.
#[derive(Debug)]
pub struct Uses<Id> {
    gathered: Mutex<HashMap<Id, Timestamp>>,
}

impl<Id> Default for Uses<Id> {
    fn default() -> Self {
        Self { gathered: Mutex::default() }
    }
}

impl<Id: Copy + Eq + Hash + Ord> Uses<Id> {
    /// Something was used, and before that last then. What was written down less than a minute ago is news to nobody.
    pub fn used(&self, id: Id, last: Option<Timestamp>, at: Timestamp) {
        if last.is_some_and(|last| at - last < USE_AGE_MIN) {
            return;
        }
        let mut gathered = self.gathered.lock().unwrap_or_else(PoisonError::into_inner);
        if gathered.len() < THINGS_MAX || gathered.contains_key(&id) {
            gathered.insert(id, at);
        }
    }

    /// How much was gathered and not written down yet.
    pub fn waiting(&self) -> usize {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// What was gathered, to be written down: it is gathered no more. In one order, so that two nodes do not wait for each
    /// other's rows.
    pub fn take(&self) -> Vec<(Id, Timestamp)> {
        let gathered = std::mem::take(&mut *self.gathered.lock().unwrap_or_else(PoisonError::into_inner));
        let mut uses: Vec<(Id, Timestamp)> = gathered.into_iter().collect();
        uses.sort_unstable();
        uses
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    #[test]
    fn a_use_is_noted_at_most_once_a_minute() {
        let at = |second: i64| DateTime::from_timestamp(1_800_000_000 + second, 0).unwrap();
        let uses = Uses::default();
        for second in [100, 101] {
            for (id, last) in [(3, None), (2, Some(at(60))), (1, Some(at(0)))] {
                uses.used(id, last, at(second));
            }
        }
        assert_eq!(uses.take(), [(1, at(101)), (3, at(101))]);
        assert_eq!(uses.take(), [], "once");
    }

    #[test]
    fn however_many_things_are_used_what_waits_is_bounded() {
        let uses = Uses::default();
        for id in 0..THINGS_MAX + 5 {
            uses.used(id, None, DateTime::UNIX_EPOCH);
        }
        assert_eq!(uses.take().len(), THINGS_MAX);
    }
}
