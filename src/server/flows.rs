//! The flow record: what happened at each step of an attempt to connect, gathered in memory and kept in batches, so that
//! no request waits for it.
//!
//! `http::trail` tells what happened, `jobs::flows` has it kept, `store::flows` remembers, `consentry flow` tells it.
//! A process that is killed loses what it has not kept yet, about a second's worth: nothing is decided by it.
//!
//! Strangers can cause any number of events (`flows/bounds.rs` bounds them). The same said again within a minute is said
//! once, and what goes well is told only where it is news.

mod bounds;

use std::{
    collections::HashSet,
    hash::{BuildHasher, RandomState},
    sync::{Mutex, MutexGuard, PoisonError},
};

use self::bounds::{Bounds, WAITING_MAX};
use crate::{
    model::{
        flow::{FlowEvent, FlowId, Outcome, Step},
        legible::deceives,
    },
    random,
    telemetry::metrics,
};

/// The most that are kept in one step.
const BATCH: usize = 200;
/// The most flows of which something is remembered here.
const REMEMBERED_MAX: usize = 10_000;

/// Longest texts kept, in characters.
const SENTENCE_MAX: usize = 600;
const NAME_MAX: usize = 300;

/// What has been gathered.
#[derive(Debug, Default)]
struct Gathered {
    bounds: Bounds,
    waiting: Vec<FlowEvent>,
    /// When the last event happened, and how many had in that millisecond.
    last: (i64, u16),
    /// Flows that clients began by registering, and have not gone on with.
    registered: HashSet<FlowId>,
    /// Those whose API has been called.
    called: HashSet<FlowId>,
    /// Those whose last step at the token endpoint or the API was refused.
    unsettled: HashSet<FlowId>,
}

/// The record, as far as it is in memory.
#[derive(Debug, Default)]
pub struct Flows {
    gathered: Mutex<Gathered>,
    hasher: RandomState,
}

impl Flows {
    /// Takes an event, if it is news and there is room for it. One that belongs to no flow yet becomes one of its own,
    /// but for the documents that were read: whose they are shows later.
    ///
    /// Its id is given here, in the order in which events are taken: several happen in one millisecond.
    pub fn take(&self, mut event: FlowEvent) {
        let who = (&event.client_id, &event.address, &event.user_agent, &event.resource);
        let said = self.hasher.hash_one((event.flow_id, event.step, event.outcome, who, &event.says));
        {
            let mut gathered = self.lock();
            if !gathered.is_news(&event) || !gathered.bounds.is_new(event.at, said) {
                return;
            }
            let waiting = gathered.waiting.len();
            if waiting >= WAITING_MAX || !gathered.bounds.have_room_for(&event) {
                metrics::flow_event_dropped();
                return;
            }
            event.id = random::id_in_place(event.at, gathered.place_at(event.at.timestamp_millis()));
            if event.flow_id.is_none() && event.step != Step::Discovery {
                event.flow_id = Some(FlowId::of(event.id));
            }
            cut(&mut event);
            gathered.waiting.push(event.clone());
        }
        log(&event);
    }

    /// Whether it would be news that this step of a flow went well. Asked on the ways that must be fast, before anything
    /// is written down.
    pub fn awaits(&self, flow: FlowId, step: Step) -> bool {
        let gathered = self.lock();
        gathered.unsettled.contains(&flow) || (step == Step::Introspection && !gathered.called.contains(&flow))
    }

    /// Whether a client that registered itself goes on, now and here for the first time, with the flow it began by that.
    /// Later ones are attempts of their own: some clients register once for many people.
    pub fn goes_on(&self, registered: FlowId) -> bool {
        self.lock().registered.remove(&registered)
    }

    /// The next batch to be kept. It waits until it is.
    pub fn next(&self) -> Vec<FlowEvent> {
        self.lock().waiting.iter().take(BATCH).cloned().collect()
    }

    /// These need wait no longer.
    pub fn settle(&self, batch: &[FlowEvent]) {
        self.lock().waiting.retain(|event| batch.iter().all(|kept| kept.id != event.id));
    }

    /// How much waits to be kept.
    pub fn waiting(&self) -> usize {
        self.lock().waiting.len()
    }

    fn lock(&self) -> MutexGuard<'_, Gathered> {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Gathered {
    /// What goes well again and again is told once: a flow's first call to the API, and the first thing that went well
    /// after something did not.
    fn is_news(&mut self, event: &FlowEvent) -> bool {
        let Some(flow) = event.flow_id else { return true };
        match (event.step, event.outcome) {
            (Step::Refresh | Step::Introspection, Outcome::Refused | Outcome::Failed) => {
                remember(&mut self.unsettled, flow)
            }
            (Step::Refresh, Outcome::Done) => self.unsettled.remove(&flow),
            (Step::Introspection, Outcome::Done) => {
                // Both are asked: one call settles what was refused, and is the first.
                let settles = self.unsettled.remove(&flow);
                let is_first = !self.called.contains(&flow) && remember(&mut self.called, flow);
                settles || is_first
            }
            (Step::Registration, Outcome::Done) => remember(&mut self.registered, flow),
            _ => true,
        }
    }

    fn place_at(&mut self, now: i64) -> u16 {
        let (last, place) = self.last;
        self.last = if now > last { (now, 0) } else { (last, place.wrapping_add(1)) };
        self.last.1
    }
}

/// A set that is full begins anew: something is then told twice, or not to have gone on.
fn remember(flows: &mut HashSet<FlowId>, flow: FlowId) -> bool {
    if flows.len() >= REMEMBERED_MAX {
        flows.clear();
    }
    flows.insert(flow);
    true
}

/// The same in the log, where a refusal is told once and here. From where a machine called helps whoever guards the
/// network. Texts of callers are written in quotation marks.
fn log(event: &FlowEvent) {
    let id = event.flow_id.map(tracing::field::display);
    let (client, resource) = (event.client_id.as_deref(), event.resource.as_deref());
    let (request, address) = (event.request_id.as_str(), event.address.as_deref());
    let (step, says) = (event.step.as_str(), event.says.as_str());
    macro_rules! write {
        ($level:ident, $message:literal) => {
            tracing::$level!(
                flow.id = id,
                flow.step = step,
                request.id = request,
                client.id = client,
                client.address = address,
                resource,
                says,
                $message
            )
        };
    }
    match (event.step, event.outcome) {
        (Step::Discovery, _) => write!(debug, "a document was asked for"),
        (_, Outcome::Done) => write!(info, "a step of a connection was taken"),
        (_, Outcome::Refused) => write!(warn, "a step of a connection was refused"),
        // What failed is told with its cause where it did.
        (_, Outcome::Failed) => {}
    }
}

/// Callers write some of the texts. Where a person sits is no business of the record's.
fn cut(event: &mut FlowEvent) {
    let legible = |text: &str, max: usize| -> String {
        text.chars().take(max).map(|c| if deceives(c) { '\u{fffd}' } else { c }).collect()
    };
    event.says = legible(&event.says, SENTENCE_MAX);
    for text in [&mut event.client_id, &mut event.resource, &mut event.user_agent].into_iter().flatten() {
        *text = legible(text, NAME_MAX);
    }
    if event.step.is_persons() {
        event.address = None;
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
        let batches = std::iter::repeat_with(|| {
            let batch = flows.next();
            flows.settle(&batch);
            batch
        });
        batches.take_while(|batch| !batch.is_empty()).flatten().collect()
    }

    #[test]
    fn what_is_said_again_within_a_minute_is_said_once() {
        let flows = Flows::default();
        for second in [0, 1, 59, 60, 61] {
            flows.take(event(second, Some("a"), "x"));
        }
        flows.take(event(61, Some("a"), "y"));
        flows.take(event(61, Some("b"), "x"));
        flows.take(FlowEvent { resource: Some("https://a.example".to_owned()), ..event(61, Some("a"), "x") });
        assert_eq!(waiting(&flows).len(), 5, "of something else it is something else");
    }

    #[test]
    fn what_cannot_be_kept_waits_in_its_order_and_not_without_end() {
        let flows = Flows::default();
        for minute in 0..10 {
            for number in 0..2000 {
                let done = FlowEvent { step: Step::Code, outcome: Outcome::Done, ..event(minute * 60, Some("a"), "") };
                flows.take(FlowEvent { says: number.to_string(), ..done });
            }
        }
        let first = flows.next();
        assert_eq!(flows.next(), first, "nothing leaves before it is kept");
        flows.settle(&first);
        let rest = waiting(&flows);
        assert_eq!(first.len() + rest.len(), WAITING_MAX);
        assert!(first.iter().chain(&rest).map(|event| event.id).is_sorted());
    }

    #[test]
    fn what_goes_well_again_and_again_is_told_once_and_again_after_it_did_not() {
        let flows = Flows::default();
        let flow = FlowId::of(random::id(event(0, None, "").at));
        let go = |second: i64, step: Step, outcome: Outcome| {
            told(&flows, FlowEvent { flow_id: Some(flow), step, outcome, ..event(second, Some("a"), "x") }).len()
        };
        let (refresh, call) = (Step::Refresh, Step::Introspection);
        assert!(!flows.awaits(flow, refresh) && flows.awaits(flow, call));
        assert_eq!(go(0, refresh, Outcome::Done), 0, "nobody waited for it");
        assert_eq!(go(1, call, Outcome::Done), 1, "the first call");
        assert!(!flows.awaits(flow, call));
        assert_eq!(go(70, call, Outcome::Done), 0);
        assert_eq!(go(140, refresh, Outcome::Refused), 1);
        assert!(flows.awaits(flow, refresh) && flows.awaits(flow, call));
        assert_eq!(go(210, refresh, Outcome::Done), 1, "it goes on");
        assert_eq!(go(280, refresh, Outcome::Done), 0);
    }

    #[test]
    fn a_registration_is_gone_on_with_once() {
        let flows = Flows::default();
        let flow = FlowId::of(random::id(event(0, None, "").at));
        assert!(!flows.goes_on(flow));
        let (step, outcome) = (Step::Registration, Outcome::Done);
        flows.take(FlowEvent { flow_id: Some(flow), step, outcome, ..event(0, Some("a"), "x") });
        assert!(flows.goes_on(flow) && !flows.goes_on(flow));
    }

    /// What is told of an event.
    fn told(flows: &Flows, event: FlowEvent) -> Vec<FlowEvent> {
        flows.take(event);
        waiting(flows)
    }

    #[test]
    fn strangers_texts_are_cut_and_legible() {
        let flows = Flows::default();
        flows.take(event(0, Some(&"x".repeat(9000)), &format!("a\u{1b}[2J\0{}", "y".repeat(9000))));
        let kept = flows.next().remove(0);
        assert_eq!(kept.client_id.unwrap().len(), NAME_MAX);
        assert!(kept.says.starts_with("a\u{fffd}[2J\u{fffd}y") && kept.says.chars().count() == SENTENCE_MAX);
        assert!(kept.flow_id.is_some(), "it is a flow of its own");
        flows.take(FlowEvent { step: Step::SignIn, address: Some("203.0.113.7".to_owned()), ..event(1, None, "z") });
        assert_eq!(waiting(&flows)[1].address, None, "where a person sits");
    }
}
