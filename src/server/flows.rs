//! The flow record: what happened at each step of an attempt to connect, gathered in memory and kept in batches, so that
//! no request waits for it.
//!
//! `http::trail` tells what happened, `jobs::flows` has it kept, `store::flows` remembers, `consentry flow` tells it.
//! A process that is killed loses what it has not kept yet, about a second's worth: nothing is decided by it.
//!
//! Strangers can cause any number of events, so what is taken in a minute is bounded, for each client and overall; what
//! is not anybody's known client counts as one. The same said again within a minute is said once.

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasher, RandomState},
    sync::{Mutex, PoisonError},
};

use crate::{
    model::{
        flow::{FlowEvent, FlowId, Outcome, Step},
        legible::deceives,
    },
    random,
    telemetry::metrics,
};

/// The most events taken in a minute.
const EVENTS_MAX: u32 = 2000;
/// The most of one client's, and of all that have no known client.
const CLIENT_EVENTS_MAX: u32 = 300;
/// The most that are remembered as said.
const SAID_MAX: usize = 10_000;
/// The most that wait to be kept while the database does not answer.
const WAITING_MAX: usize = 4000;
/// The most that are kept in one step.
const BATCH: usize = 200;

/// Longest texts kept, in characters.
const SENTENCE_MAX: usize = 600;
const NAME_MAX: usize = 300;

const MINUTE: i64 = 60_000;

/// What has been gathered.
#[derive(Debug, Default)]
struct Gathered {
    /// Since when it is counted, in milliseconds since 1970.
    since: i64,
    count: u32,
    /// Documents are read by anybody: they are counted apart from those who are refused.
    by_client: HashMap<(Option<String>, bool), u32>,
    said: HashSet<u64>,
    waiting: Vec<FlowEvent>,
    /// When the last event happened, and how many had in that millisecond.
    last: (i64, u16),
}

/// The record, as far as it is in memory.
#[derive(Debug, Default)]
pub struct Flows {
    gathered: Mutex<Gathered>,
    hasher: RandomState,
}

impl Flows {
    /// Takes an event, if there is room for it. One that belongs to no flow yet becomes one of its own, but for the
    /// documents that were read: whose they are shows later.
    ///
    /// Its id is given here, in the order in which events are taken: several happen in one millisecond.
    pub fn take(&self, mut event: FlowEvent) {
        let who = (&event.client_id, &event.address, &event.user_agent);
        let said = self.hasher.hash_one((event.flow_id, event.step, event.outcome, who, &event.says));
        cut(&mut event);
        let mut gathered = self.lock();
        if !gathered.is_new(&event, said) {
            return;
        }
        event.id = random::id_in_place(event.at, gathered.place_at(event.at.timestamp_millis()));
        if event.flow_id.is_none() && event.step != Step::Discovery {
            event.flow_id = Some(FlowId::of(event.id));
        }
        log(&event);
        if gathered.has_room_for(&event) {
            gathered.waiting.push(event);
        } else {
            metrics::flow_event_dropped();
        }
    }

    /// The next batch to be kept.
    pub fn next(&self) -> Vec<FlowEvent> {
        let mut gathered = self.lock();
        let count = gathered.waiting.len().min(BATCH);
        gathered.waiting.drain(..count).collect()
    }

    /// Puts a batch back that could not be kept.
    pub fn put_back(&self, mut batch: Vec<FlowEvent>) {
        let mut gathered = self.lock();
        batch.append(&mut gathered.waiting);
        gathered.waiting = batch;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Gathered> {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gathered {
    /// Whether an event was not said just now. While a flood says more than is remembered, everything is new.
    fn is_new(&mut self, event: &FlowEvent, said: u64) -> bool {
        let now = event.at.timestamp_millis();
        if now - self.since >= MINUTE || now < self.since {
            let waiting = std::mem::take(&mut self.waiting);
            *self = Self { since: now, waiting, last: self.last, ..Self::default() };
        }
        !self.said.contains(&said) && (self.said.len() >= SAID_MAX || self.said.insert(said))
    }

    fn place_at(&mut self, now: i64) -> u16 {
        let (last, place) = self.last;
        self.last = (now, if now == last { place.wrapping_add(1) } else { 0 });
        self.last.1
    }

    /// Counts an event, unless there are too many.
    fn has_room_for(&mut self, event: &FlowEvent) -> bool {
        if self.count >= EVENTS_MAX || self.waiting.len() >= WAITING_MAX {
            return false;
        }
        let own = self.by_client.entry((event.client_id.clone(), event.step == Step::Discovery)).or_default();
        let has_room = *own < CLIENT_EVENTS_MAX;
        *own += u32::from(has_room);
        self.count += u32::from(has_room);
        has_room
    }
}

/// The same in the log, where a refusal is told once and here. From where a machine called helps whoever guards the
/// network; where a person sits is no business of the log's. Texts of callers are written in quotation marks.
fn log(event: &FlowEvent) {
    let (id, client) = (event.flow_id.map(tracing::field::display), event.client_id.as_deref());
    let (step, request, says) = (event.step.as_str(), event.request_id.as_str(), event.says.as_str());
    let is_persons = matches!(event.step, Step::Authorization | Step::SignIn | Step::Consent | Step::Code);
    let address = event.address.as_deref().filter(|_| !is_persons);
    match event.outcome {
        Outcome::Done if event.step == Step::Discovery => {
            tracing::debug!(
                flow.step = step,
                request.id = request,
                client.address = address,
                says,
                "a document was read"
            );
        }
        Outcome::Done => tracing::info!(
            flow.id = id,
            flow.step = step,
            request.id = request,
            client.id = client,
            client.address = address,
            says,
            "a step of a connection was taken"
        ),
        Outcome::Refused => tracing::warn!(
            flow.id = id,
            flow.step = step,
            request.id = request,
            client.id = client,
            client.address = address,
            says,
            "a step of a connection was refused"
        ),
    }
}

/// Callers write some of the texts.
fn cut(event: &mut FlowEvent) {
    let legible = |text: &str, max: usize| -> String {
        text.chars().take(max).map(|c| if deceives(c) { '\u{fffd}' } else { c }).collect()
    };
    event.says = legible(&event.says, SENTENCE_MAX);
    for text in [&mut event.client_id, &mut event.resource, &mut event.user_agent].into_iter().flatten() {
        *text = legible(text, NAME_MAX);
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta};

    use super::*;

    fn event(second: i64, client_id: Option<&str>, says: &str) -> FlowEvent {
        let at = DateTime::from_timestamp(1_800_000_000, 0).unwrap() + TimeDelta::seconds(second);
        FlowEvent {
            id: uuid::Uuid::nil(),
            flow_id: None,
            at,
            step: Step::Token,
            outcome: Outcome::Refused,
            client_id: client_id.map(str::to_owned),
            resource: None,
            address: None,
            user_agent: None,
            request_id: "1".to_owned(),
            says: says.to_owned(),
        }
    }

    fn waiting(flows: &Flows) -> Vec<FlowEvent> {
        std::iter::repeat_with(|| flows.next()).take_while(|batch| !batch.is_empty()).flatten().collect()
    }

    #[test]
    fn what_is_said_again_within_a_minute_is_said_once() {
        let flows = Flows::default();
        for second in [0, 1, 59, 60, 61] {
            flows.take(event(second, Some("a"), "x"));
        }
        flows.take(event(61, Some("a"), "y"));
        flows.take(event(61, Some("b"), "x"));
        assert_eq!(waiting(&flows).len(), 4);
    }

    #[test]
    fn one_client_leaves_room_for_others_and_all_together_have_an_end() {
        let flows = Flows::default();
        for number in 0..1000 {
            flows.take(event(0, None, &number.to_string()));
        }
        flows.take(event(0, Some("known"), "x"));
        assert_eq!(waiting(&flows).len(), CLIENT_EVENTS_MAX as usize + 1);
        for number in 0..3 * EVENTS_MAX {
            flows.take(event(0, Some(&number.to_string()), "x"));
        }
        assert_eq!(waiting(&flows).len(), (EVENTS_MAX - CLIENT_EVENTS_MAX - 1) as usize);
        flows.take(event(60, None, "a minute later"));
        assert_eq!(waiting(&flows).len(), 1);
    }

    #[test]
    fn what_cannot_be_kept_waits_in_its_order_and_not_without_end() {
        let flows = Flows::default();
        for minute in 0..10 {
            for number in 0..2 * EVENTS_MAX {
                flows.take(event(minute * 60, Some(&number.to_string()), "x"));
            }
        }
        let first = flows.next();
        let id = first[0].id;
        flows.put_back(first);
        let all = waiting(&flows);
        assert_eq!((all.len(), all[0].id), (WAITING_MAX, id));
    }

    #[test]
    fn strangers_texts_are_cut_and_legible() {
        let flows = Flows::default();
        flows.take(event(0, Some(&"x".repeat(9000)), &format!("a\u{1b}[2J\0{}", "y".repeat(9000))));
        let kept = flows.next().remove(0);
        assert_eq!(kept.client_id.unwrap().len(), NAME_MAX);
        assert!(kept.says.starts_with("a\u{fffd}[2J\u{fffd}y") && kept.says.chars().count() == SENTENCE_MAX);
        assert!(kept.flow_id.is_some(), "it is a flow of its own");
    }
}
