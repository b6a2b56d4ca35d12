//! What a person has connected, and where they are signed in: their own, what stands, and nothing else.

use consentry::{
    model::{
        family::EndReason,
        id::{AccountId, ConsentId},
    },
    random,
    store::{
        clients::NewClient,
        connected::{ConnectedApp, Named},
        consents::{ConsentGrant, ConsentKey},
        families::{FamilyEnd, Rotate},
    },
};

use super::facts::{World, at, audit, new_account, new_client, new_session, scopes, start};
use crate::on_both_engines;

async fn apps(world: &World, milliseconds: i64) -> Vec<ConnectedApp> {
    world.store.connected_apps(world.account, at(milliseconds)).await.unwrap()
}

async fn somebody_else(world: &World) -> AccountId {
    let other = new_account("grace@example.com");
    world.store.add_account(&other, &audit(start())).await.unwrap();
    other.id
}

on_both_engines! {
    async fn each_installation_stands_under_its_app(engine) {
        let world = World::new(engine).await;
        assert_eq!(apps(&world, 1).await[0].connections, [], "allowed, and not connected yet");
        let (first, second) = (world.family().await, world.family().await);
        let Rotate::Rotated { .. } = world.store.rotate(&world.rotation(second, 0, 500), &audit(at(500))).await.unwrap()
        else {
            panic!("the second is not refreshed")
        };
        let listed = apps(&world, 1000).await;
        let [app] = listed.as_slice() else { panic!("{listed:?}") };
        assert_eq!((app.id, &app.key), (world.consent.id, &world.consent_key()));
        assert_eq!((app.client_id.as_str(), app.scopes.to_string()), (world.client_id.as_str(), "todo.read todo.write".into()));
        assert_eq!(app.catalogue, world.plugin.scopes);
        let of = |id| app.connections.iter().find(|connection| connection.id == id).unwrap();
        assert_eq!((app.connections.len(), of(first).rotated_at, of(second).rotated_at), (2, None, Some(at(500))));

        let end = FamilyEnd { id: first, reason: EndReason::Disconnected };
        assert!(world.store.end_family(&end, &audit(at(1001))).await.unwrap());
        assert_eq!(apps(&world, 1002).await[0].connections.iter().map(|it| it.id).collect::<Vec<_>>(), [second]);
        world.store.revoke_consent(&world.consent_key(), &audit(at(1003))).await.unwrap();
        assert!(apps(&world, 1004).await.is_empty());
    }

    /// The list is cut somewhere, and what is beyond that can still be named and ended.
    async fn what_is_beyond_the_list_can_be_named(engine) {
        let world = World::new(engine).await;
        let family = world.family().await;
        for number in 0..205 {
            let client = NewClient { secret: None, ..new_client(&world.plugin) };
            world.store.add_client(&client, &audit(start())).await.unwrap();
            let grant = ConsentGrant {
                id: ConsentId(random::id(start())),
                key: ConsentKey { client_id: client.id, ..world.consent_key() },
                scopes: scopes("todo.read"),
                left_out: scopes(""),
                document: None,
            };
            world.store.grant_consent(&grant, &audit(at(1000 + number))).await.unwrap();
        }
        let other = somebody_else(&world).await;
        let listed = apps(&world, 5000).await;
        assert!(listed.len() == 200 && listed.iter().all(|app| app.id != world.consent.id));
        for named in [Named::App(world.consent.id), Named::Connection(family)] {
            let found = world.store.connected_app(world.account, named, at(5000)).await.unwrap().unwrap();
            assert_eq!((found.id, &found.key), (world.consent.id, &world.consent_key()));
            assert_eq!(found.connections.iter().map(|it| it.id).collect::<Vec<_>>(), [family]);
            assert!(world.store.connected_app(other, named, at(5000)).await.unwrap().is_none());
        }
    }

    async fn nobody_sees_what_others_have(engine) {
        let world = World::new(engine).await;
        world.family().await;
        let other = somebody_else(&world).await;
        assert!(world.store.connected_apps(other, at(1)).await.unwrap().is_empty());
        // What happened to their account: it was added, and nothing of Ada's.
        let happened = world.store.happened_to(other, 50).await.unwrap();
        assert_eq!(happened.iter().map(|it| it.action.as_str()).collect::<Vec<_>>(), ["account.added"]);
    }

    async fn what_happened_is_told_from_the_end(engine) {
        let world = World::new(engine).await;
        world.family().await;
        world.store.revoke_consent(&world.consent_key(), &audit(at(2000))).await.unwrap();
        let happened = world.store.happened_to(world.account, 50).await.unwrap();
        let actions: Vec<_> = happened.iter().map(|it| it.action.as_str()).collect();
        assert!(actions.contains(&"family.born") && actions.contains(&"consent.granted"), "{actions:?}");
        assert_eq!(world.store.happened_to(world.account, 1).await.unwrap(), happened[..1], "the last comes first");
        assert_eq!(actions[0], "consent.revoked");
        assert_eq!((happened[0].at, happened[0].address.as_deref()), (at(2000), Some("127.0.0.1")));
        assert!(happened[0].client_name.is_some(), "{happened:?}");
    }

    async fn sessions_are_listed_and_ended_by_whose_they_are(engine) {
        let world = World::new(engine).await;
        let other = somebody_else(&world).await;
        let here = new_session(world.account, "here", 0);
        let (there, theirs) = (new_session(world.account, "there", 1), new_session(other, "theirs", 1));
        for new in [&here, &there, &theirs] {
            assert!(world.store.start_session(new).await.unwrap());
        }
        let open = world.store.open_sessions(world.account, at(1)).await.unwrap();
        assert_eq!(open.iter().map(|it| it.id).collect::<Vec<_>>(), [there.id, here.id]);
        assert_eq!((open[0].address.as_deref(), open[0].user_agent.as_deref()), (Some("192.0.2.1"), Some("A browser")));
        assert!(world.store.open_sessions(world.account, here.expires_at).await.unwrap().is_empty());

        assert!(!world.store.end_session_of(world.account, theirs.id, &audit(at(2))).await.unwrap());
        assert!(world.store.session(theirs.digest, at(3)).await.unwrap().is_some());
        assert!(world.store.end_session_of(other, theirs.id, &audit(at(4))).await.unwrap());
        assert!(world.store.session(theirs.digest, at(5)).await.unwrap().is_none());

        assert_eq!(world.store.end_other_sessions(world.account, here.id, &audit(at(6))).await.unwrap(), 1);
        assert_eq!(world.store.end_other_sessions(world.account, here.id, &audit(at(7))).await.unwrap(), 0);
        assert!(world.store.session(here.digest, at(8)).await.unwrap().is_some());
        assert!(world.store.session(there.digest, at(8)).await.unwrap().is_none());
        let told = world.store.happened_to(world.account, 1).await.unwrap();
        assert_eq!((told[0].action.as_str(), &told[0].detail["sessions"]), ("account.sessions_ended", &1.into()));
    }
}
