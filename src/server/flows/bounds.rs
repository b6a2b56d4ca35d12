//! What the flow record takes in a minute: so much of one address, of one client, and of all. Without an end to each,
//! whoever opens `/authorize` again and again would push everybody else's steps out.
//!
//! What only whoever got somewhere can bring about (a sign-in, a consent, a code, a token) is counted overall alone, so
//! that a stranger who names a client's id cannot hide what its people do.

use std::{
    collections::{HashMap, HashSet},
    hash::Hash,
};

use crate::model::{
    Timestamp,
    flow::{FlowEvent, Outcome, Step},
};

/// The most events taken in a minute.
const EVENTS_MAX: u32 = 2000;
/// The most of those that are free to bring about.
const FREE_EVENTS_MAX: u32 = 1000;
/// The most of one client's of these, and of all that have no known client.
const CLIENT_EVENTS_MAX: u32 = 300;
/// The most from one address of these.
const ADDRESS_EVENTS_MAX: u32 = 100;
/// The most that are remembered as said.
const SAID_MAX: usize = 10_000;
/// The most that wait to be kept while the database does not answer.
pub(super) const WAITING_MAX: usize = 4000;

const MINUTE: i64 = 60_000;

/// What was taken in this minute.
#[derive(Debug, Default)]
pub(super) struct Bounds {
    /// Since when it is counted, in milliseconds since 1970.
    since: i64,
    count: u32,
    free: u32,
    /// Documents are read by anybody: they are counted apart from those who are refused.
    by_client: HashMap<(Option<String>, bool), u32>,
    by_address: HashMap<Option<String>, u32>,
    said: HashSet<u64>,
}

impl Bounds {
    /// Whether something was not said just now. While a flood says more than is remembered, everything is new.
    pub(super) fn is_new(&mut self, at: Timestamp, said: u64) -> bool {
        let now = at.timestamp_millis();
        // Clocks go back by a little all the time, and by much once in a while.
        if (now - self.since).abs() >= MINUTE {
            *self = Self { since: now, ..Self::default() };
        }
        !self.said.contains(&said) && (self.said.len() >= SAID_MAX || self.said.insert(said))
    }

    /// Counts an event, unless there are too many.
    pub(super) fn have_room_for(&mut self, event: &FlowEvent) -> bool {
        if self.count >= EVENTS_MAX {
            return false;
        }
        if is_free(event) {
            if self.free >= FREE_EVENTS_MAX {
                return false;
            }
            let of = (event.client_id.clone(), event.step == Step::Discovery);
            let has_room = is_below(&self.by_client, &of, CLIENT_EVENTS_MAX)
                && is_below(&self.by_address, &event.address, ADDRESS_EVENTS_MAX);
            if !has_room {
                return false;
            }
            *self.by_client.entry(of).or_default() += 1;
            *self.by_address.entry(event.address.clone()).or_default() += 1;
            self.free += 1;
        }
        self.count += 1;
        true
    }
}

/// Whether anybody can bring it about, as often as they like.
fn is_free(event: &FlowEvent) -> bool {
    event.outcome != Outcome::Done || matches!(event.step, Step::Discovery | Step::Authorization)
}

fn is_below<K: Eq + Hash>(counts: &HashMap<K, u32>, key: &K, max: u32) -> bool {
    counts.get(key).is_none_or(|count| *count < max)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    fn event(step: Step, outcome: Outcome, client: u32, address: u32) -> FlowEvent {
        FlowEvent {
            id: uuid::Uuid::nil(),
            flow_id: None,
            at: DateTime::from_timestamp(1_800_000_000, 0).unwrap(),
            step,
            outcome,
            client_id: (client > 0).then(|| client.to_string()),
            resource: None,
            address: Some(address.to_string()),
            user_agent: None,
            request_id: String::new(),
            says: String::new(),
        }
    }

    fn taken(bounds: &mut Bounds, events: impl Iterator<Item = FlowEvent>) -> u32 {
        events.map(|event| u32::from(bounds.have_room_for(&event))).sum()
    }

    #[test]
    fn one_client_one_address_and_all_together_leave_room_for_others() {
        let asking = |client, address| event(Step::Authorization, Outcome::Done, client, address);
        let mut bounds = Bounds::default();
        assert_eq!(taken(&mut bounds, (0..500).map(|_| asking(1, 1))), ADDRESS_EVENTS_MAX, "one address");
        assert_eq!(
            taken(&mut bounds, (0..900).map(|n| asking(1, n))),
            CLIENT_EVENTS_MAX - ADDRESS_EVENTS_MAX,
            "a client"
        );
        let refused = |n| event(Step::Token, Outcome::Refused, 0, n);
        assert_eq!(taken(&mut bounds, (0..900).map(refused)), CLIENT_EVENTS_MAX, "nobody's");
        let read = |n| event(Step::Discovery, Outcome::Done, 0, n);
        assert_eq!(taken(&mut bounds, (0..900).map(read)), CLIENT_EVENTS_MAX, "documents");
        let left = FREE_EVENTS_MAX - 3 * CLIENT_EVENTS_MAX;
        assert_eq!(taken(&mut bounds, (0..9000).map(|n| asking(n + 2, n))), left, "of all that is free");
        let arrived = |_| event(Step::Token, Outcome::Done, 1, 1);
        assert_eq!(taken(&mut bounds, (0..9000).map(arrived)), EVENTS_MAX - FREE_EVENTS_MAX, "whoever got somewhere");
    }

    #[test]
    fn a_minute_is_a_minute_though_the_clock_trembles() {
        let mut bounds = Bounds::default();
        let at = |milliseconds: i64| DateTime::from_timestamp_millis(1_800_000_000_000 + milliseconds).unwrap();
        assert!(bounds.is_new(at(0), 7));
        for later in [-5, 0, 59_999] {
            assert!(!bounds.is_new(at(later), 7), "{later}");
        }
        assert!(bounds.is_new(at(60_000), 7));
        assert!(bounds.is_new(at(-3_600_000), 7), "set back by an hour, it does not wait for that hour");
    }
}
