//! Clients known by their metadata documents: the row is the copy, made once and brought up to date, and keys that are
//! better than the document's stay.

use chrono::TimeDelta;
use consentry::{
    model::{
        client::{AuthenticationMethod, Client, DocumentCopy, Registration},
        id::{ClientId, ConsentId},
        public_key::SigningAlgorithm,
    },
    random,
    store::{
        clients::ClientDocument,
        consents::{ConsentGrant, ConsentKey},
    },
};

use super::{
    client_keys::fetched,
    facts::{World, at, audit, new_account, scopes, start},
};
use crate::{harness::aside::at_once, on_both_engines};

const ADDRESS: &str = "https://chat.example/client.json";
/// Where its keys stand.
pub const KEYS: &str = "https://chat.example/keys.json";

/// Two key sets that differ; what they hold is nothing to the store.
const ONE: &str = r#"{"keys":[{"kid":"one"}]}"#;
const TWO: &str = r#"{"keys":[{"kid":"two"}]}"#;

/// A document as it was read so many milliseconds after the beginning, good for a minute.
pub fn document(milliseconds: i64) -> ClientDocument {
    let fetched_at = at(milliseconds);
    ClientDocument {
        id: ClientId(random::id(fetched_at)),
        client_id: ADDRESS.into(),
        name: "Chat".into(),
        authentication_methods: [AuthenticationMethod::None, AuthenticationMethod::PrivateKeyJwt].into_iter().collect(),
        signing_algorithm: Some(SigningAlgorithm::Rs256),
        jwks_uri: Some(KEYS.into()),
        key_set: None,
        redirect_uris: vec!["https://chat.example/cb".parse().unwrap()],
        copy: DocumentCopy { fetched_at, fresh_until: fetched_at + TimeDelta::minutes(1), is_pinned: false },
    }
}

async fn keep(world: &World, document: &ClientDocument) -> Client {
    let kept = world.store.keep_document(document, &audit(document.copy.fetched_at)).await.unwrap();
    let found = world.store.client(ADDRESS, at(0)).await.unwrap().unwrap();
    assert_eq!(format!("{kept:?}"), format!("{:?}", Some(&found)), "what is answered is what was stored");
    found
}

/// The text both engines give back, each in its own spacing.
fn same_json(one: Option<&str>, other: &str) -> bool {
    let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    one.map(read) == Some(read(other))
}

/// The first consent to it.
pub fn grant(world: &World, document: ClientDocument) -> ConsentGrant {
    let key = ConsentKey { client_id: document.id, ..world.consent_key() };
    ConsentGrant {
        id: ConsentId(random::id(start())),
        key,
        scopes: scopes("todo.read"),
        left_out: consentry::model::scope::Scopes::default(),
        document: Some(document),
    }
}

on_both_engines! {
    async fn a_document_makes_a_client(engine) {
        let world = World::new(engine).await;
        let document = document(5);
        let client = keep(&world, &document).await;
        assert_eq!((client.id, client.client_id.as_str()), (document.id, ADDRESS));
        assert_eq!((client.name.as_str(), client.registration), ("Chat", Registration::Document));
        assert!(client.home.is_none() && client.scopes.is_none(), "it is nobody's, and may ask for anything");
        assert_eq!(client.authentication_methods, document.authentication_methods);
        assert_eq!(client.signing_algorithm, Some(SigningAlgorithm::Rs256));
        assert_eq!((client.keys.jwks_uri.as_deref(), client.keys.key_set), (Some(KEYS), None));
        assert_eq!(client.redirect_uris, document.redirect_uris);
        assert_eq!(client.document, Some(document.copy));
        assert_eq!((client.generation, client.enabled, client.created_at), (1, true, at(5)));
        assert!(client.secrets.is_empty() && client.registration_digest.is_none());
        assert_eq!(world.database.audited("client.added").await, 2, "the world's own, and this one");
    }

    async fn reading_it_again_is_told_only_if_it_says_something_else(engine) {
        let world = World::new(engine).await;
        let first = keep(&world, &document(5)).await;
        let again = document(70_000);
        let client = keep(&world, &again).await;
        assert_eq!((client.id, client.created_at), (first.id, at(5)));
        assert_eq!(client.document, Some(again.copy), "how fresh it is, is kept");
        assert_eq!(world.database.audited("client.changed").await, 0);

        // A name alone is no event: its maker must not be able to fill the log by changing it every minute.
        assert_eq!(keep(&world, &ClientDocument { name: "Chat 2".into(), ..document(75_000) }).await.name, "Chat 2");
        assert_eq!(world.database.audited("client.changed").await, 0);

        let moved = ClientDocument { redirect_uris: vec!["https://chat.example/new".parse().unwrap()], ..document(80_000) };
        let other_keys = Some("https://chat.example/other.json".into());
        for (what, changed) in [
            ("redirect URIs", moved.clone()),
            ("methods", ClientDocument { authentication_methods: AuthenticationMethod::None.into(), ..document(100_000) }),
            ("algorithm", ClientDocument { signing_algorithm: None, ..document(120_000) }),
            ("key set", ClientDocument { key_set: Some(ONE.into()), ..document(140_000) }),
            ("address of keys", ClientDocument { jwks_uri: other_keys, ..document(160_000) }),
        ] {
            let told = world.database.audited("client.changed").await;
            let client = keep(&world, &changed).await;
            assert_eq!(world.database.audited("client.changed").await, told + 1, "{what}");
            assert_eq!((client.id, &client.name), (first.id, &changed.name), "{what}");
            assert_eq!(client.authentication_methods, changed.authentication_methods, "{what}");
            assert_eq!(client.signing_algorithm, changed.signing_algorithm, "{what}");
            assert_eq!((client.keys.jwks_uri, client.redirect_uris), (changed.jwks_uri, changed.redirect_uris), "{what}");
            // As it was, without the key set that came with the document.
            let later = (changed.copy.fetched_at - start()).num_milliseconds() + 10_000;
            keep(&world, &ClientDocument { jwks_uri: None, ..document(later) }).await;
            keep(&world, &document(later)).await;
        }
    }

    async fn an_id_that_is_another_registrations_is_left_alone(engine) {
        let world = World::new(engine).await;
        let before = world.store.client(&world.client_id, at(1)).await.unwrap();
        let stranger = ClientDocument { client_id: world.client_id.clone(), ..document(5) };
        assert!(world.store.keep_document(&stranger, &audit(at(5))).await.unwrap().is_none());
        let after = world.store.client(&world.client_id, at(1)).await.unwrap();
        assert_eq!(format!("{before:?}"), format!("{after:?}"));
        assert_eq!(world.database.audited("client.added").await, 1);
        assert_eq!(world.database.audited("client.changed").await, 0);
        assert!(world.store.grant_consent(&grant(&world, stranger), &audit(at(5))).await.is_err());
        assert_eq!(world.database.count("consents").await, 1, "nor is anything agreed to with it");
    }

    async fn an_older_reading_replaces_nothing(engine) {
        let world = World::new(engine).await;
        keep(&world, &ClientDocument { name: "New".into(), ..document(9) }).await;
        let client = keep(&world, &ClientDocument { name: "Old".into(), ..document(5) }).await;
        assert_eq!((client.name.as_str(), client.document), ("New", Some(document(9).copy)));
        // One that was read in the future was read on a clock that was wrong.
        keep(&world, &document(60_010)).await;
        assert_eq!(keep(&world, &document(10)).await.document, Some(document(60_010).copy), "it may be another node's");
        assert_eq!(keep(&world, &document(9)).await.document, Some(document(9).copy));
    }

    async fn a_pinned_copy_gives_way_to_what_was_read_and_never_the_other_way_round(engine) {
        let world = World::new(engine).await;
        let pinned = |milliseconds, name: &str| {
            let live = document(milliseconds);
            ClientDocument { name: name.into(), copy: DocumentCopy { is_pinned: true, ..live.copy }, ..live }
        };
        let kept = async |document: ClientDocument| {
            let client = keep(&world, &document).await;
            (client.name, client.document.unwrap())
        };
        for (next, name, is_pinned, at_milliseconds) in [
            (pinned(5, "Pinned"), "Pinned", true, 5),
            (pinned(9, "Pinned later"), "Pinned later", true, 9),
            (pinned(8, "Pinned earlier"), "Pinned later", true, 9),
            // Another node read it at its host before this one took the pinned copy.
            (ClientDocument { name: "Live".into(), ..document(7) }, "Live", false, 7),
            (pinned(20, "Pinned again"), "Live", false, 7),
            (ClientDocument { name: "Live later".into(), ..document(21) }, "Live later", false, 21),
        ] {
            let said = next.name.clone();
            let (kept, copy) = kept(next).await;
            assert_eq!((kept.as_str(), copy.is_pinned), (name, is_pinned), "{said}");
            assert_eq!(copy.fetched_at, at(at_milliseconds), "{said}");
        }
        // Nor by way of a consent to what was pinned a moment ago.
        world.store.grant_consent(&grant(&world, pinned(30, "Pinned")), &audit(at(30))).await.unwrap();
        assert_eq!(world.store.client(ADDRESS, at(31)).await.unwrap().unwrap().name, "Live later");
    }

    async fn keys_of_a_document_have_one_day_wherever_they_stand(engine) {
        let world = World::new(engine).await;
        let since = async || world.store.client(ADDRESS, at(0)).await.unwrap().unwrap().keys.failing_since;
        let inline = |milliseconds| ClientDocument {
            jwks_uri: None,
            key_set: Some(ONE.into()),
            ..document(milliseconds)
        };
        let id = keep(&world, &inline(5)).await.id;
        world.store.key_set_fails(id, at(6)).await.unwrap();
        assert_eq!(since().await, Some(at(6)));
        keep(&world, &inline(7)).await;
        assert_eq!(since().await, None, "they were read again with the document");
        keep(&world, &document(8)).await;
        world.store.keep_key_set(id, &fetched(KEYS, ONE, at(9))).await.unwrap();
        world.store.key_set_fails(id, at(10)).await.unwrap();
        keep(&world, &document(11)).await;
        assert_eq!(since().await, Some(at(10)), "reading the document says nothing about keys beside it");
        keep(&world, &ClientDocument { jwks_uri: Some("https://chat.example/new".into()), ..document(12) }).await;
        assert_eq!(since().await, None);
    }

    async fn the_operators_key_set_stays(engine) {
        let world = World::new(engine).await;
        keep(&world, &document(5)).await;
        let supplied = world.store.supply_key_set(ADDRESS, ONE, &audit(at(6))).await.unwrap().unwrap();
        assert!(same_json(supplied.keys.key_set.as_deref(), ONE));
        for changed in [
            document(7),
            ClientDocument { key_set: Some(TWO.into()), ..document(8) },
            ClientDocument { jwks_uri: Some("https://chat.example/other.json".into()), ..document(9) },
            ClientDocument { jwks_uri: None, ..document(10) },
        ] {
            let client = keep(&world, &changed).await;
            assert!(same_json(client.keys.key_set.as_deref(), ONE), "{:?}", client.keys);
            assert_eq!((client.keys.fetched_at, client.keys.jwks_uri), (None, changed.jwks_uri));
        }
    }

    async fn a_fetched_key_set_stays_while_its_address_does(engine) {
        let world = World::new(engine).await;
        let id = keep(&world, &document(5)).await.id;
        world.store.keep_key_set(id, &fetched(KEYS, ONE, at(6))).await.unwrap();
        let client = keep(&world, &ClientDocument { name: "Chat 2".into(), ..document(7) }).await;
        assert!(same_json(client.keys.key_set.as_deref(), ONE));
        assert_eq!(client.keys.fetched_at, Some(at(6)));
        let moved = ClientDocument { jwks_uri: Some("https://chat.example/other.json".into()), ..document(8) };
        let client = keep(&world, &moved).await;
        assert_eq!((client.keys.key_set, client.keys.fetched_at), (None, None), "the old address's keys are nobody's");
        world.store.keep_key_set(id, &fetched("https://chat.example/other.json", TWO, at(9))).await.unwrap();
        let client = keep(&world, &ClientDocument { jwks_uri: None, ..document(10) }).await;
        assert_eq!((client.keys.key_set, client.keys.fetched_at), (None, None));
    }

    async fn a_key_set_in_the_document_replaces_what_was_fetched(engine) {
        let world = World::new(engine).await;
        let id = keep(&world, &document(5)).await.id;
        world.store.keep_key_set(id, &fetched(KEYS, ONE, at(6))).await.unwrap();
        let client = keep(&world, &ClientDocument { jwks_uri: None, key_set: Some(TWO.into()), ..document(7) }).await;
        assert!(same_json(client.keys.key_set.as_deref(), TWO));
        assert_eq!((client.keys.fetched_at, client.keys.jwks_uri), (Some(at(7)), None));
        let client = keep(&world, &ClientDocument { jwks_uri: None, key_set: Some(ONE.into()), ..document(8) }).await;
        assert!(same_json(client.keys.key_set.as_deref(), ONE));
        assert_eq!(client.keys.fetched_at, Some(at(8)));
        let client = keep(&world, &document(9)).await;
        assert_eq!(client.keys.key_set, None, "an address again, and nothing fetched from it yet");
    }

    async fn twenty_who_read_it_at_once_make_one_row(engine) {
        let world = World::new(engine).await;
        let answers = at_once(20, |_| {
            let store = world.store.clone();
            async move { store.keep_document(&document(5), &audit(at(5))).await.unwrap().unwrap().id }
        })
        .await;
        assert!(answers.iter().all(|id| *id == answers[0]), "{answers:?}");
        assert_eq!(world.database.count("clients").await, 2);
        assert_eq!(world.database.audited("client.added").await, 2, "told once");
        let answers = at_once(20, |_| {
            let store = world.store.clone();
            let changed = ClientDocument { signing_algorithm: None, ..document(6) };
            async move { store.keep_document(&changed, &audit(at(6))).await.unwrap().unwrap().signing_algorithm }
        })
        .await;
        assert!(answers.iter().all(Option::is_none));
        assert_eq!(world.database.audited("client.changed").await, 1, "told once");
    }

    async fn agreeing_makes_the_client_and_the_consent_in_one_step(engine) {
        let world = World::new(engine).await;
        let first = grant(&world, document(5));
        let consent = world.store.grant_consent(&first, &audit(at(5))).await.unwrap();
        let client = world.store.client(ADDRESS, at(6)).await.unwrap().unwrap();
        assert_eq!((consent.id, consent.client_id, client.id), (first.id, client.id, first.key.client_id));
        assert_eq!(consent.scopes, scopes("todo.read"));
        assert_eq!(world.database.audited("client.added").await, 2);
        assert_eq!(world.database.audited("consent.granted").await, 2);

        // The second person's request had read the document too, before the row was there.
        let grace = new_account("grace@example.com");
        world.store.add_account(&grace, &audit(start())).await.unwrap();
        let mut second = grant(&world, document(7));
        second.key.account_id = grace.id;
        let hers = world.store.grant_consent(&second, &audit(at(7))).await.unwrap();
        assert_eq!((hers.client_id, hers.account_id), (client.id, grace.id), "one client for both");
        assert_ne!(second.key.client_id, client.id);
        assert_eq!(world.database.count("clients").await, 2);
        assert_eq!(world.database.audited("client.added").await, 2);
        assert_eq!(world.store.client(ADDRESS, at(8)).await.unwrap().unwrap().document, Some(document(7).copy));

        // And the first one's again, with more.
        let mut wider = grant(&world, document(9));
        wider.scopes = scopes("todo.write");
        let wider = world.store.grant_consent(&wider, &audit(at(9))).await.unwrap();
        assert_eq!((wider.id, wider.client_id), (consent.id, client.id));
        assert_eq!(wider.scopes, scopes("todo.read todo.write"));
        assert_eq!(world.database.count("consents").await, 3);
        assert_eq!(world.database.audited("consent.granted").await, 4);
    }

    async fn twenty_people_who_agree_at_once_share_one_client(engine) {
        let world = World::new(engine).await;
        for number in 0..20 {
            let account = new_account(&format!("person-{number}@example.com"));
            world.store.add_account(&account, &audit(start())).await.unwrap();
        }
        let accounts = {
            let mut accounts = Vec::new();
            for number in 0..20 {
                let email = format!("person-{number}@example.com").parse().unwrap();
                accounts.push(world.store.account_by_email(&email).await.unwrap().unwrap().0.id);
            }
            accounts
        };
        let answers = at_once(20, |number| {
            let store = world.store.clone();
            let mut grant = grant(&world, document(5));
            grant.key.account_id = accounts[number];
            async move { store.grant_consent(&grant, &audit(at(5))).await.unwrap().client_id }
        })
        .await;
        assert!(answers.iter().all(|id| *id == answers[0]), "{answers:?}");
        assert_eq!(world.database.count("clients").await, 2);
        assert_eq!(world.database.count("consents").await, 21);
        assert_eq!(world.database.audited("client.added").await, 2);
    }
}
