//! What clients change about themselves (RFC 7592) and the key sets that are kept for them: each of the two sources of
//! keys knows its place.

use consentry::{
    model::{
        Timestamp,
        client::{AuthenticationMethod, Client, ClientKeys, ClientSecret, Dialect, Registration},
        digest::Digest,
        id::{ClientId, ClientSecretId},
        public_key::SigningAlgorithm,
    },
    random,
    store::clients::{ChangedRegistration, FetchedKeySet, NewClient, OwnWords},
};

use super::facts::{World, at, audit, new_client, scopes, start};
use crate::on_both_engines;

const KEYS: &str = "https://chat.example/keys.json";
const ONE: &str = r#"{"keys": [{"kid": "one"}]}"#;
const TWO: &str = r#"{"keys": [{"kid": "two"}]}"#;

/// A set as it was fetched.
pub fn fetched<'a>(jwks_uri: &'a str, key_set: &'a str, fetched_at: Timestamp) -> FetchedKeySet<'a> {
    FetchedKeySet { jwks_uri, key_set, fetched_at }
}

/// A client that registered itself, as a public one.
fn dynamic(world: &World) -> NewClient {
    let id = ClientId(random::id(start()));
    NewClient {
        id,
        client_id: "dynamic".into(),
        plugin_id: None,
        registration: Registration::Dynamic,
        dialect: Dialect::Connector,
        authentication_methods: AuthenticationMethod::None.into(),
        scopes: None,
        secret: None,
        registration_digest: Some(Digest::of("management")),
        ends_at: None,
        own_words: OwnWords::default(),
        ..new_client(&world.plugin)
    }
}

fn changed(client_id: &str) -> ChangedRegistration {
    ChangedRegistration {
        client_id: client_id.into(),
        name: "Other".into(),
        authentication_methods: AuthenticationMethod::ClientSecret.into(),
        signing_algorithm: Some(SigningAlgorithm::Es256),
        keys: ClientKeys {
            jwks_uri: Some(KEYS.into()),
            key_set: Some(ONE.into()),
            fetched_at: Some(at(3)),
            failing_since: None,
        },
        redirect_uris: vec!["http://127.0.0.1/cb".parse().unwrap()],
        scopes: Some(scopes("todo.read")),
        own_words: OwnWords::default(),
        secret: Some(ClientSecret {
            id: ClientSecretId(random::id(at(5))),
            digest: Digest::of("later"),
            created_at: at(5),
            expires_at: None,
            last_used_at: None,
        }),
    }
}

fn kid(client: &Client) -> Option<String> {
    let set: serde_json::Value = serde_json::from_str(client.keys.key_set.as_deref()?).unwrap();
    Some(set["keys"][0]["kid"].as_str().unwrap().to_owned())
}

async fn read(world: &World, client_id: &str) -> Client {
    world.store.client(client_id, at(9)).await.unwrap().unwrap()
}

on_both_engines! {
    async fn a_client_that_registered_itself_is_kept_as_it_is(engine) {
        let world = World::new(engine).await;
        let new = NewClient {
            keys: ClientKeys { key_set: Some(ONE.into()), ..ClientKeys::default() },
            ..dynamic(&world)
        };
        world.store.add_client(&new, &audit(start())).await.unwrap();
        let client = read(&world, "dynamic").await;
        assert_eq!((client.id, client.registration), (new.id, Registration::Dynamic));
        assert!(client.home.is_none() && client.scopes.is_none() && client.document.is_none());
        assert_eq!(client.registration_digest, Some(Digest::of("management")));
        assert_eq!((kid(&client).as_deref(), client.keys.fetched_at), (Some("one"), None));
        let ids: Vec<String> = world.store.clients(at(9)).await.unwrap().into_iter().map(|one| one.client_id).collect();
        assert_eq!(ids.len(), 2, "listed with those that belong to a plugin");
    }

    async fn a_registration_is_replaced_by_what_its_client_says(engine) {
        let world = World::new(engine).await;
        world.store.add_client(&dynamic(&world), &audit(start())).await.unwrap();
        let before = read(&world, "dynamic").await;
        let wanted = changed("dynamic");
        let answered = world.store.change_registration(&wanted, &audit(at(5))).await.unwrap().unwrap();
        let client = read(&world, "dynamic").await;
        assert_eq!(format!("{answered:?}"), format!("{client:?}"));
        assert_eq!((client.name.as_str(), client.signing_algorithm), ("Other", Some(SigningAlgorithm::Es256)));
        assert_eq!(client.authentication_methods, wanted.authentication_methods);
        assert_eq!(client.redirect_uris, wanted.redirect_uris);
        assert_eq!(client.scopes, wanted.scopes);
        assert_eq!((client.keys.jwks_uri.as_deref(), kid(&client).as_deref()), (Some(KEYS), Some("one")));
        assert_eq!(client.keys.fetched_at, Some(at(3)));
        assert_eq!(client.secrets.iter().map(|secret| secret.digest).collect::<Vec<_>>(), [Digest::of("later")]);
        // Who it is, and how it is managed, is not its to say.
        assert_eq!((client.id, client.dialect, client.generation), (before.id, before.dialect, before.generation));
        assert_eq!((client.registration_digest, client.created_at), (before.registration_digest, before.created_at));
        assert_eq!(world.database.audited("client.changed").await, 1);
    }

    async fn a_change_wipes_no_better_keys(engine) {
        let world = World::new(engine).await;
        world.store.add_client(&dynamic(&world), &audit(start())).await.unwrap();
        world.store.change_registration(&changed("dynamic"), &audit(at(4))).await.unwrap().unwrap();
        let bare = |jwks_uri: &str| ChangedRegistration {
            keys: ClientKeys { jwks_uri: Some(jwks_uri.into()), ..ClientKeys::default() },
            secret: None,
            ..changed("dynamic")
        };
        let client = world.store.change_registration(&bare(KEYS), &audit(at(5))).await.unwrap().unwrap();
        assert_eq!(kid(&client).as_deref(), Some("one"), "fetched from where it still publishes");
        let client = world.store.change_registration(&bare("https://a.example/k"), &audit(at(6))).await.unwrap().unwrap();
        assert_eq!(kid(&client), None);
        world.store.supply_key_set("dynamic", TWO, &audit(at(7))).await.unwrap().unwrap();
        let client = world.store.change_registration(&bare(KEYS), &audit(at(8))).await.unwrap().unwrap();
        assert_eq!(kid(&client).as_deref(), Some("two"), "the operator's stays");
    }

    async fn only_an_enabled_client_that_registered_itself_changes(engine) {
        let world = World::new(engine).await;
        world.store.add_client(&dynamic(&world), &audit(start())).await.unwrap();
        world.store.disable_client("dynamic", &audit(at(1))).await.unwrap();
        let with_zero = "dynamic\0";
        for client_id in ["dynamic", world.client_id.as_str(), "nobody", "", with_zero] {
            let before = world.store.client(client_id, at(9)).await.unwrap();
            let answer = world.store.change_registration(&changed(client_id), &audit(at(5))).await.unwrap();
            assert!(answer.is_none(), "{client_id:?}");
            let after = world.store.client(client_id, at(9)).await.unwrap();
            assert_eq!(format!("{before:?}"), format!("{after:?}"), "{client_id:?}");
        }
        assert_eq!(world.database.audited("client.changed").await, 0);
        assert_eq!(world.database.count("client_secrets").await, 1);
    }

    async fn the_last_fetched_key_set_is_kept(engine) {
        let world = World::new(engine).await;
        let new = NewClient {
            keys: ClientKeys { jwks_uri: Some(KEYS.into()), ..ClientKeys::default() },
            ..dynamic(&world)
        };
        world.store.add_client(&new, &audit(start())).await.unwrap();
        for (set, name, milliseconds) in [(ONE, "one", 5), (TWO, "two", 6)] {
            world.store.keep_key_set(new.id, &fetched(KEYS, set, at(milliseconds))).await.unwrap();
            let client = read(&world, "dynamic").await;
            assert_eq!((kid(&client).as_deref(), client.keys.fetched_at), (Some(name), Some(at(milliseconds))));
            assert_eq!(client.keys.jwks_uri.as_deref(), Some(KEYS));
        }
        // One that comes late, from where the client no longer publishes, is nobody's.
        world.store.keep_key_set(new.id, &fetched("https://old.example/keys", ONE, at(7))).await.unwrap();
        assert_eq!(kid(&read(&world, "dynamic").await).as_deref(), Some("two"));
        // A client that left meanwhile is no fault.
        world.store.keep_key_set(ClientId(random::id(start())), &fetched(KEYS, ONE, at(7))).await.unwrap();
    }

    async fn a_set_fetched_earlier_replaces_none_fetched_later(engine) {
        let world = World::new(engine).await;
        let new = NewClient {
            keys: ClientKeys { jwks_uri: Some(KEYS.into()), ..ClientKeys::default() },
            ..dynamic(&world)
        };
        world.store.add_client(&new, &audit(start())).await.unwrap();
        for (set, milliseconds, name, kept_at) in [
            (TWO, 6, "two", 6),
            (ONE, 5, "two", 6),
            (ONE, 6, "one", 6),
            // What was fetched in the future was fetched on a clock that was wrong.
            (TWO, 60_008, "two", 60_008),
            (ONE, 8, "two", 60_008),
            (ONE, 7, "one", 7),
        ] {
            world.store.keep_key_set(new.id, &fetched(KEYS, set, at(milliseconds))).await.unwrap();
            let client = read(&world, "dynamic").await;
            assert_eq!((kid(&client).as_deref(), client.keys.fetched_at), (Some(name), Some(at(kept_at))));
        }
    }

    async fn since_when_no_newer_set_can_be_had_is_remembered_from_the_first_failure_on(engine) {
        let world = World::new(engine).await;
        let new = NewClient {
            keys: ClientKeys { jwks_uri: Some(KEYS.into()), ..ClientKeys::default() },
            ..dynamic(&world)
        };
        world.store.add_client(&new, &audit(start())).await.unwrap();
        let since = async || read(&world, "dynamic").await.keys.failing_since;
        let fails = async |milliseconds| world.store.key_set_fails(new.id, at(milliseconds)).await.unwrap();
        let keep = async |milliseconds| {
            world.store.keep_key_set(new.id, &fetched(KEYS, ONE, at(milliseconds))).await.unwrap();
        };
        fails(4).await;
        assert_eq!(since().await, None, "there is no set that could grow old");
        keep(5).await;
        for (milliseconds, expected) in [(4, None), (7, Some(at(7))), (9, Some(at(7))), (6, Some(at(7)))] {
            fails(milliseconds).await;
            assert_eq!(since().await, expected, "{milliseconds}");
        }
        keep(4).await;
        assert_eq!(since().await, Some(at(7)), "an older set ends nothing");
        keep(10).await;
        assert_eq!(since().await, None);
        // A client that describes itself anew has the same day for keys at the same address.
        fails(11).await;
        let change = |jwks_uri: Option<&str>, key_set: Option<&str>, milliseconds| ChangedRegistration {
            keys: ClientKeys {
                jwks_uri: jwks_uri.map(Into::into),
                key_set: key_set.map(Into::into),
                fetched_at: key_set.map(|_| at(milliseconds)),
                failing_since: None,
            },
            secret: None,
            ..changed("dynamic")
        };
        for (jwks_uri, key_set, milliseconds, expected) in [
            (Some(KEYS), None, 12, Some(at(11))),
            (Some("https://chat.example/other.json"), None, 13, None),
            (None, Some(ONE), 14, None),
        ] {
            let changed = change(jwks_uri, key_set, milliseconds);
            let client = world.store.change_registration(&changed, &audit(at(milliseconds))).await.unwrap().unwrap();
            assert_eq!(client.keys.failing_since, expected, "{jwks_uri:?}");
        }
        fails(15).await;
        assert_eq!(since().await, Some(at(15)), "keys that came along grow old too");
        world.store.supply_key_set("dynamic", TWO, &audit(at(16))).await.unwrap().unwrap();
        fails(17).await;
        assert_eq!(since().await, None, "the operator's never do");
    }

    async fn a_supplied_key_set_is_final(engine) {
        let world = World::new(engine).await;
        let id = world.client_id.clone();
        world.store.keep_key_set(world.client, &fetched(KEYS, ONE, at(5))).await.unwrap();
        let supplied = world.store.supply_key_set(&id, TWO, &audit(at(6))).await.unwrap().unwrap();
        assert_eq!((kid(&supplied).as_deref(), supplied.keys.fetched_at), (Some("two"), None));
        world.store.keep_key_set(world.client, &fetched(KEYS, ONE, at(7))).await.unwrap();
        assert_eq!(kid(&read(&world, &id).await).as_deref(), Some("two"), "nothing fetched replaces it");
        let again = world.store.supply_key_set(&id, ONE, &audit(at(8))).await.unwrap().unwrap();
        assert_eq!(kid(&again).as_deref(), Some("one"), "the operator may");
        assert_eq!(world.database.audited("client.keys_supplied").await, 2);
        for nobody in ["nobody", "", "\0"] {
            assert!(world.store.supply_key_set(nobody, ONE, &audit(at(8))).await.unwrap().is_none(), "{nobody:?}");
        }
        assert_eq!(world.database.audited("client.keys_supplied").await, 2);
    }

    async fn what_is_no_json_is_kept_nowhere(engine) {
        let world = World::new(engine).await;
        assert!(world.store.keep_key_set(world.client, &fetched(KEYS, "{", at(5))).await.is_err());
        assert!(world.store.supply_key_set(&world.client_id, "", &audit(at(5))).await.is_err());
        assert!(read(&world, &world.client_id).await.keys.key_set.is_none());
        assert_eq!(world.database.audited("client.keys_supplied").await, 0);
    }
}
