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
        flows::{BeforeQuery, FlowBounds, FlowQuery},
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
        // Refused to somebody else, such as the API, it is this client's all the same.
        let of_the_api = FlowEvent { client_id: Some("api".to_owned()), ..event(61, Some(flows[1]), Step::Introspection) };
        store.keep_flow_events(&[refused(of_the_api)]).await.unwrap();
        assert_eq!(ids(Some("c1"), true, 9).await, [1, 1, 1]);
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
        let registered = |second: i64, client: &str| FlowEvent {
            client_id: Some(client.to_owned()),
            ..event(second, Some(flow(second)), Step::Registration)
        };
        let this = flow(9);
        let own = FlowEvent { flow_id: Some(this), ..registered(1, "c") };
        store.keep_flow_events(&[registered(3, "another"), refused(registered(3, "c")), own]).await.unwrap();
        let found = async |resource: Option<&str>| {
            let (client_id, resource) = (Some("c".to_owned()), resource.map(str::to_owned));
            let query = BeforeQuery { client_id, resource, from: at(2), until: at(4) };
            store.before_a_flow(this, &query).await.unwrap()
        };
        assert_eq!(found(a).await, kept[1..3]);
        assert_eq!(found(b).await, kept[2..4]);
        assert_eq!(found(None).await, kept[1..4]);
        store.keep_flow_events(&[registered(-500, "c")]).await.unwrap();
        assert_eq!(found(b).await[0].at, at(-500), "a registration is its client's, however long ago");
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
        let beyond = async |by: Timestamp, per_client_max: u32, per_address_max: u32, events_max: u32| {
            let rows_max = 1000;
            let bounds = FlowBounds { expired_by: by, per_client_max, per_address_max, events_max, rows_max };
            let ids = store.flow_events_beyond(&bounds).await.unwrap();
            let few = store.flow_events_beyond(&FlowBounds { rows_max: 2, ..bounds }).await.unwrap();
            assert_eq!(few.len(), ids.len().min(2), "a few at a time");
            store.remove_flow_events(&ids).await.unwrap();
            ids.len()
        };
        assert_eq!(beyond(at(-1), 1000, 1000, 1000).await, 0);
        assert_eq!(beyond(at(2), 1000, 1000, 1000).await, 12, "what is too old");
        assert_eq!(beyond(at(2), 5, 1000, 1000).await, 8, "too much of one");
        let seconds: Vec<_> = all(&store).await.iter().map(|event| event.at).collect();
        let newest: Vec<_> = (5..10).flat_map(|second| [at(second), at(second)]).collect();
        assert_eq!(seconds, newest, "the newest stay, of clients and of nobody's");
        assert_eq!(beyond(at(2), 5, 1000, 8).await, 12, "too much of all");
        assert_eq!(beyond(at(2), 5, 3, 8).await, 5, "too much from one address");
        let nowhere = FlowEvent { address: None, ..event(9, Some(flow(9)), Step::SignIn) };
        let many: Vec<_> = (0..5).map(|_| FlowEvent { id: random::id(at(9)), ..nowhere.clone() }).collect();
        store.keep_flow_events(&many).await.unwrap();
        assert_eq!(beyond(at(2), 100, 3, 100).await, 0, "people have no address here, and no share to use up");
        assert_eq!(beyond(at(0) + TimeDelta::days(9), 100, 100, 100).await, 8);
    }
}
