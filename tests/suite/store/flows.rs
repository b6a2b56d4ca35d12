//! Flow events: kept once, told in their order, and never more than may stay.

use chrono::TimeDelta;
use consentry::{
    model::{
        Timestamp,
        flow::{FlowEvent, FlowId, Outcome, Step},
        id::PluginId,
    },
    random,
    store::{
        Store,
        flows::{BeforeQuery, FlowBounds, FlowQuery, OfPlugin},
        plugins::PluginImport,
    },
};

use super::facts::{World, at, audit, new_client, plugin};
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

    async fn each_event_is_one_plugins_or_nobodys(engine) {
        let world = World::new(engine).await;
        let store = &world.store;
        let other = plugin("mail", "mail.example");
        store.import_plugin(&PluginImport::of(other.clone(), Vec::new(), at(0)), &audit(at(0))).await.unwrap();
        let mail_client = new_client(&other);
        store.add_client(&mail_client, &audit(at(0))).await.unwrap();
        let flows: Vec<FlowId> = (0..6).map(|number| flow(number * 10)).collect();
        let of = |second: i64, client: Option<&str>, resource: Option<&str>, step: Step| FlowEvent {
            client_id: client.map(str::to_owned),
            resource: resource.map(str::to_owned),
            ..event(second, Some(flows[usize::try_from(second).unwrap() / 10]), step)
        };
        let (own, others) = (Some(world.client_id.as_str()), Some(mail_client.client_id.as_str()));
        let (here, there) = (Some(world.plugin.resource.as_str()), Some(other.resource.as_str()));
        let kept = [
            // By its client; whatever a client names, it is its plugin's.
            of(10, own, None, Step::Authorization),
            of(11, own, there, Step::SignIn),
            of(20, others, here, Step::Authorization),
            // By its resource; before and after that by its flow.
            of(30, None, None, Step::Registration),
            of(31, Some("stranger"), here, Step::Authorization),
            of(32, Some("stranger"), None, Step::SignIn),
            // Somebody else presents what is not theirs.
            of(33, others, None, Step::Token),
            // Nobody's.
            of(40, Some("stranger"), Some("https://nowhere.example"), Step::Authorization),
            of(50, None, None, Step::Authorization),
        ];
        for event in &kept {
            store.keep_flow_events(std::slice::from_ref(event)).await.unwrap();
        }
        let page = async |plugin, rows_max| {
            let events = store.flows_of_plugin(OfPlugin { plugin, rows_max }, None).await.unwrap();
            events.iter().map(|event| kept.iter().position(|kept| kept.id == event.id).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(page(world.plugin.id, 9).await, [4, 5, 0, 1]);
        assert_eq!(page(world.plugin.id, 1).await, [4, 5]);
        assert_eq!(page(other.id, 9).await, [6, 2]);
        let whole = async |plugin, event: usize, rows_max| {
            let of = OfPlugin { plugin, rows_max };
            let events = store.flow_of_plugin(of, kept[event].flow_id.unwrap()).await.unwrap();
            events.iter().map(|event| kept.iter().position(|kept| kept.id == event.id).unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(whole(world.plugin.id, 4, 9).await, [3, 4, 5], "with what was nobody's yet, without another's");
        assert_eq!(whole(world.plugin.id, 4, 2).await, [4, 5], "the end of it");
        assert_eq!(whole(other.id, 4, 9).await, [3, 6]);
        assert_eq!(whole(other.id, 0, 9).await, [0; 0]);
        assert_eq!(whole(world.plugin.id, 2, 9).await, [0; 0]);
        assert_eq!(whole(world.plugin.id, 7, 9).await, [0; 0]);
    }

    async fn what_names_a_resource_in_another_spelling_or_nothing_at_all_finds_its_plugin(engine) {
        let world = World::new(engine).await;
        let store = &world.store;
        let flows: Vec<FlowId> = (0..3).map(|number| flow(number * 10)).collect();
        let of = |number: usize, resource: Option<&str>| FlowEvent {
            client_id: Some("stranger".to_owned()),
            resource: resource.map(str::to_owned),
            ..event(i64::try_from(number).unwrap() * 10, Some(flows[number]), Step::Authorization)
        };
        let found = async |plugin: PluginId| {
            let of = OfPlugin { plugin, rows_max: 9 };
            let events = store.flows_of_plugin(of, None).await.unwrap();
            let place = |event: &FlowEvent| flows.iter().position(|flow| Some(*flow) == event.flow_id).unwrap();
            events.iter().map(place).collect::<Vec<_>>()
        };
        // Where there is but one plugin, whoever comes means that one.
        store.keep_flow_events(&[of(0, None)]).await.unwrap();
        assert_eq!(found(world.plugin.id).await, [0]);
        let other = plugin("mail", "mail.example");
        store.import_plugin(&PluginImport::of(other.clone(), Vec::new(), at(0)), &audit(at(0))).await.unwrap();
        store.keep_flow_events(&[of(1, None), of(2, Some("HTTPS://Mail.example:443/"))]).await.unwrap();
        assert_eq!(found(world.plugin.id).await, [0]);
        assert_eq!(found(other.id).await, [2]);
    }

    async fn a_page_of_flows_has_the_last_of_each_step_and_goes_on_where_it_ended(engine) {
        let world = World::new(engine).await;
        let store = &world.store;
        let flows: Vec<FlowId> = (0..5).map(|number| flow(number * 10)).collect();
        let of = |second: i64, flow: FlowId, step: Step| FlowEvent {
            client_id: Some(world.client_id.clone()), ..event(second, Some(flow), step)
        };
        for (number, flow) in (0..).zip(&flows) {
            let second = number * 10;
            let steps = [of(second, *flow, Step::Authorization), of(second + 1, *flow, Step::Token)];
            store.keep_flow_events(&steps).await.unwrap();
            store.keep_flow_events(&[refused(of(second + 2, *flow, Step::Token))]).await.unwrap();
        }
        let page = async |before, rows_max| {
            let of = OfPlugin { plugin: world.plugin.id, rows_max };
            let events = store.flows_of_plugin(of, before).await.unwrap();
            let place = |event: &FlowEvent| flows.iter().position(|flow| Some(*flow) == event.flow_id).unwrap();
            assert!(events.iter().all(|event| event.step != Step::Token || event.outcome == Outcome::Refused));
            events.iter().map(|event| (place(event), event.step)).collect::<Vec<_>>()
        };
        let both = |number| [(number, Step::Authorization), (number, Step::Token)];
        assert_eq!(page(None, 2).await, [both(4), both(3)].concat());
        assert_eq!(page(Some(flows[3]), 2).await, [both(2), both(1)].concat());
        assert_eq!(page(Some(flows[1]), 2).await, both(0));
        assert_eq!(page(Some(flows[0]), 2).await, []);
        // Where there is but one plugin, every document is about it.
        let other = PluginImport::of(plugin("mail", "mail.example"), Vec::new(), at(0));
        store.import_plugin(&other, &audit(at(0))).await.unwrap();
        let read = |second: i64| FlowEvent {
            resource: Some(world.plugin.resource.clone()), client_id: None, ..event(second, None, Step::Discovery)
        };
        let elsewhere = FlowEvent { resource: None, ..read(38) };
        let documents = [read(1), read(30), read(35), elsewhere, read(41)];
        store.keep_flow_events(&documents).await.unwrap();
        let of = |rows_max| OfPlugin { plugin: world.plugin.id, rows_max };
        assert_eq!(store.documents_before(of(9), flows[4], at(2)).await.unwrap(), documents[1..3]);
        assert_eq!(store.documents_before(of(1), flows[4], at(2)).await.unwrap(), documents[2..3]);
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
