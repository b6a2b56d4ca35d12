//! The flow record: an attempt that fails at each possible step in turn, and what its owner is told of it.
//!
//! `browser` fails where people are, `machine` where the client and the API are; `whole` goes all the way.

mod browser;
mod machine;
mod whole;

use std::collections::HashSet;

use chrono::TimeDelta;
use consentry::{
    clock::Clock,
    jobs,
    model::flow::{FlowEvent, FlowId, Outcome, Step},
    random,
    store::flows::{BeforeQuery, FlowQuery},
};

use crate::harness::{
    databases::Engine,
    server::{Options, World},
};

/// A server whose clock stands, and the flows that were seen of it.
struct Recorded {
    world: World,
    clock: Clock,
    seen: HashSet<FlowId>,
}

impl Recorded {
    async fn new(engine: Engine) -> Self {
        Self::with(engine, Options::default()).await
    }

    async fn with(engine: Engine, options: Options) -> Self {
        let clock = Clock::standing_at(Clock::system().now());
        let world = World::with(engine, Options { clock: clock.clone(), ..options }).await;
        Self { world, clock, seen: HashSet::new() }
    }

    /// The events of all flows, as they are kept.
    async fn events(&self) -> Vec<FlowEvent> {
        let server = &self.world.running.server;
        jobs::flows::keep(server).await.unwrap();
        let all = FlowQuery { client_id: None, refused: false, flows_max: 1000 };
        server.store.flows(&all).await.unwrap()
    }

    /// The events of the one flow that is new since the last look. What is said again within a minute is said once, so
    /// a minute goes by.
    async fn newest(&mut self) -> Vec<FlowEvent> {
        let mut events = self.events().await;
        events.retain(|event| event.flow_id.is_none_or(|flow| !self.seen.contains(&flow)));
        let flows: HashSet<FlowId> = events.iter().filter_map(|event| event.flow_id).collect();
        assert_eq!(flows.len(), 1, "one attempt, one flow: {events:#?}");
        self.seen.extend(flows);
        self.clock.advance(TimeDelta::minutes(1));
        events
    }

    /// The newest flow was refused at this step, for this reason.
    async fn refused_at(&mut self, step: Step, why: &str) {
        let events = self.newest().await;
        let last = events.last().unwrap();
        assert_eq!((last.step, last.outcome), (step, Outcome::Refused), "{why}: {events:#?}");
        assert!(last.says.contains(why), "{why:?} is not in {:?}", last.says);
        assert!(last.says.ends_with('.'), "a sentence: {:?}", last.says);
    }

    /// What was read of documents.
    async fn discoveries(&self) -> Vec<FlowEvent> {
        let server = &self.world.running.server;
        jobs::flows::keep(server).await.unwrap();
        let now = self.clock.now();
        let query = BeforeQuery { client_id: None, resource: None, from: now - TimeDelta::hours(1), until: now };
        server.store.before_a_flow(FlowId::of(random::id(now)), &query).await.unwrap()
    }
}

/// The steps of events, each with whether it was done.
fn steps(events: &[FlowEvent]) -> Vec<(Step, bool)> {
    events.iter().map(|event| (event.step, event.outcome == Outcome::Done)).collect()
}
