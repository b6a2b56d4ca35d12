//! Flow events: kept once, told in their order, and never more than may stay.

use chrono::TimeDelta;
use consentry::{
    model::{
        Timestamp,
        flow::{FlowEvent, FlowId, Outcome, Step},
    },
    random,
    store::{
        Store,
        flows::{DiscoveryQuery, FlowBounds, FlowQuery},
    },
};

use super::facts::at;
use crate::{harness::databases::Database, on_both_engines};

fn event(second: i64, flow: Option<FlowId>, step: Step) -> FlowEvent {
    let at = at(second);
    FlowEvent {
        id: random::id(at),
        flow_id: flow,
        at,
        step,
        outcome: Outcome::Done,
        client_id: Some("c".to_owned()),
        resource: Some("https://a.example/".to_owned()),
        address: Some("203.0.113.7".to_owned()),
        user_agent: Some("a client/1.0".to_owned()),
        request_id: "0f".to_owned(),
        says: format!("{second} \u{1f642}."),
    }
}

fn refused(event: FlowEvent) -> FlowEvent {
    FlowEvent { outcome: Outcome::Refused, ..event }
}

fn flow(second: i64) -> FlowId {
    FlowId::of(random::id(at(second)))
}

async fn open(engine: crate::harness::databases::Engine) -> (Database, Store) {
    let database = Database::migrated(engine).await;
    let store = database.open().await;
    (database, store)
}

async fn all(store: &Store) -> Vec<FlowEvent> {
    store.flows(&FlowQuery { client_id: None, refused: false, flows_max: 1000 }).await.unwrap()
}

fn bounds(expired_by: Timestamp, per_client_max: u32, events_max: u32) -> FlowBounds {
    FlowBounds { expired_by, per_client_max, events_max }
}

on_both_engines! {
    async fn events_come_back_as_they_were_kept_and_each_once(engine) {
        let (_database, store) = open(engine).await;
        let one = flow(1);
        let bare = FlowEvent {
            client_id: None, resource: None, address: None, user_agent: None, ..event(3, Some(one), Step::Token)
        };
        let kept = [event(1, Some(one), Step::Authorization), refused(event(2, Some(one), Step::SignIn)), bare];
        store.keep_flow_events(&kept).await.unwrap();
        store.keep_flow_events(&kept).await.unwrap();
        assert_eq!(store.flow(one).await.unwrap(), kept);
        assert_eq!(store.flow(flow(9)).await.unwrap(), []);
        for step in Step::ALL {
            store.keep_flow_events(&[event(4, Some(one), *step)]).await.unwrap();
        }
        assert_eq!(store.flow(one).await.unwrap().len(), kept.len() + Step::ALL.len());
    }

    async fn a_first_call_is_told_once_whoever_hears_of_it(engine) {
        let (_database, store) = open(engine).await;
        let (one, other) = (flow(1), flow(2));
        for number in 1..5 {
            store.keep_flow_events(&[event(number, Some(one), Step::Introspection)]).await.unwrap();
        }
        store.keep_flow_events(&[event(5, Some(other), Step::Introspection)]).await.unwrap();
        store.keep_flow_events(&[refused(event(6, Some(one), Step::Introspection))]).await.unwrap();
        let told = store.flow(one).await.unwrap();
        assert_eq!(told.iter().map(|event| event.at).collect::<Vec<_>>(), [at(1), at(6)]);
        assert_eq!(store.flow(other).await.unwrap().len(), 1);
    }

    async fn the_newest_flows_are_listed_whole(engine) {
        let (_database, store) = open(engine).await;
        let flows: Vec<FlowId> = (0..4).map(flow).collect();
        for (number, id) in (0..).zip(&flows) {
            let own = FlowEvent { client_id: Some(format!("c{}", number % 2)), ..event(number, Some(*id), Step::Code) };
            let nameless = FlowEvent { client_id: None, ..event(number, Some(*id), Step::Authorization) };
            store.keep_flow_events(&[nameless, own]).await.unwrap();
        }
        store.keep_flow_events(&[event(50, None, Step::Discovery)]).await.unwrap();
        // The oldest goes on last of all.
        store.keep_flow_events(&[refused(event(60, Some(flows[0]), Step::Token))]).await.unwrap();
        let ids = async |client: Option<&str>, refused: bool, flows_max: u32| {
            let query = FlowQuery { client_id: client.map(str::to_owned), refused, flows_max };
            let events = store.flows(&query).await.unwrap();
            let mut ids: Vec<usize> = Vec::new();
            for event in &events {
                ids.push(flows.iter().position(|id| Some(*id) == event.flow_id).unwrap());
            }
            ids
        };
        assert_eq!(ids(None, false, 2).await, [0, 0, 3, 3, 0]);
        assert_eq!(ids(Some("c1"), false, 9).await, [1, 1, 3, 3], "also what of them had no client yet");
        assert_eq!(ids(None, true, 9).await, [0, 0, 0]);
        assert_eq!(ids(Some("c1"), true, 9).await, [0; 0]);
    }

    async fn documents_are_found_by_their_time_and_what_they_speak_of(engine) {
        let (_database, store) = open(engine).await;
        let of = |second: i64, resource: Option<&str>| FlowEvent {
            resource: resource.map(str::to_owned),
            ..event(second, None, Step::Discovery)
        };
        let (a, b) = (Some("https://a.example/"), Some("https://b.example/"));
        let kept = [of(1, a), of(2, a), of(3, None), of(4, b), of(5, a)];
        store.keep_flow_events(&kept).await.unwrap();
        store.keep_flow_events(&[event(3, Some(flow(3)), Step::Registration)]).await.unwrap();
        let found = async |resource: Option<&str>| {
            let query = DiscoveryQuery { resource: resource.map(str::to_owned), from: at(2), until: at(4) };
            store.discoveries(&query).await.unwrap()
        };
        assert_eq!(found(a).await, kept[1..3]);
        assert_eq!(found(b).await, kept[2..4]);
        assert_eq!(found(None).await, kept[1..4]);
    }

    async fn no_more_stays_than_may(engine) {
        let (_database, store) = open(engine).await;
        let of = |second: i64, client: Option<&str>| FlowEvent {
            client_id: client.map(str::to_owned),
            ..event(second, Some(flow(second)), Step::Token)
        };
        let mut kept = Vec::new();
        for second in 0..10 {
            kept.extend([of(second, Some("a")), of(second, None), event(second, None, Step::Discovery)]);
            kept.push(FlowEvent { client_id: None, ..event(second, None, Step::Discovery) });
        }
        store.keep_flow_events(&kept).await.unwrap();
        let no_end = bounds(at(-1), 1000, 1000);
        assert_eq!(store.bound_flow_events(&no_end).await.unwrap(), 0);
        assert_eq!(store.bound_flow_events(&bounds(at(2), 1000, 1000)).await.unwrap(), 12, "what is too old");
        assert_eq!(store.bound_flow_events(&bounds(at(2), 5, 1000)).await.unwrap(), 8, "too much of one");
        let seconds: Vec<_> = all(&store).await.iter().map(|event| event.at).collect();
        let newest: Vec<_> = (5..10).flat_map(|second| [at(second), at(second)]).collect();
        assert_eq!(seconds, newest, "the newest stay, of clients and of nobody's");
        assert_eq!(store.bound_flow_events(&bounds(at(2), 5, 8)).await.unwrap(), 12, "too much of all");
        let query = DiscoveryQuery { resource: None, from: at(0), until: at(100) };
        let left = all(&store).await.len() + store.discoveries(&query).await.unwrap().len();
        assert_eq!(left, 8);
        let late = at(0) + TimeDelta::days(9);
        assert_eq!(store.bound_flow_events(&bounds(late, 5, 8)).await.unwrap(), 8);
    }
}
