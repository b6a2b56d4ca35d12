//! Clients that registered themselves: changed by themselves, and swept when nobody consents to them.

use chrono::TimeDelta;
use consentry::{
    model::{
        Timestamp,
        assertion::AssertionId,
        audit::{Actor, Audit, Origin},
        client::{AuthenticationMethod, ClientKeys, ClientSecret, Dialect, Registration},
        digest::Digest,
        id::{AuditEventId, ClientId, ClientSecretId, ConsentId},
    },
    random,
    store::{
        Store,
        assertions::AssertionUse,
        clients::{ChangedRegistration, NewClient, OwnWords},
        consents::{ConsentGrant, ConsentKey},
        sweep::Sweep,
    },
};

use super::facts::{World, at, audit, new_client, scopes, start};
use crate::{harness::aside::at_once, on_both_engines};

/// A client that registers itself, with a secret.
pub fn dynamic(world: &World, created_at: Timestamp) -> NewClient {
    let id = ClientId(random::id(created_at));
    let secret = ClientSecret {
        id: ClientSecretId(random::id(created_at)),
        digest: Digest::of(id.to_string()),
        created_at,
        expires_at: None,
        last_used_at: None,
    };
    NewClient {
        id,
        client_id: id.to_string(),
        plugin_id: None,
        registration: Registration::Dynamic,
        dialect: Dialect::Connector,
        scopes: None,
        secret: Some(secret),
        registration_digest: Some(Digest::of("token")),
        ends_at: None,
        own_words: OwnWords::default(),
        at: created_at,
        ..new_client(&world.plugin)
    }
}

async fn registered(world: &World, created_at: Timestamp) -> NewClient {
    let client = dynamic(world, created_at);
    world.store.add_client(&client, &by(&client, created_at)).await.unwrap();
    client
}

/// An audit by the client itself.
fn by(client: &NewClient, at: Timestamp) -> Audit {
    Audit { id: AuditEventId(random::id(at)), at, actor: Actor::Client(client.id), origin: Origin::default() }
}

fn grant(world: &World, client: &NewClient) -> ConsentGrant {
    let key = ConsentKey { account_id: world.account, client_id: client.id, resource: world.plugin.resource.clone() };
    ConsentGrant {
        id: ConsentId(random::id(start())),
        key,
        scopes: scopes("todo.read"),
        left_out: consentry::model::scope::Scopes::default(),
        document: None,
    }
}

fn change(client: &NewClient) -> ChangedRegistration {
    ChangedRegistration {
        client_id: client.client_id.clone(),
        name: "Renamed".into(),
        authentication_methods: AuthenticationMethod::None.into(),
        signing_algorithm: None,
        keys: ClientKeys::default(),
        redirect_uris: vec!["https://chat.example/new".parse().unwrap()],
        scopes: None,
        own_words: OwnWords::default(),
        secret: None,
    }
}

fn unused(since: Timestamp) -> Sweep {
    Sweep {
        families_expired_by: start() - TimeDelta::days(1),
        sessions_expired_by: start() - TimeDelta::days(1),
        clients_unused_since: since,
        offers_unseen_since: start() - TimeDelta::days(1),
        assertions_expired_by: start() - TimeDelta::days(1),
        rows_max: 100,
    }
}

async fn is_known(store: &Store, client: &NewClient) -> bool {
    store.client(&client.client_id, at(0)).await.unwrap().is_some()
}

on_both_engines! {
    async fn nobody_consented_and_it_leaves_to_the_millisecond(engine) {
        let world = World::new(engine).await;
        let (older, younger) = (registered(&world, at(100)).await, registered(&world, at(101)).await);
        assert_eq!(world.store.sweep(&unused(at(99))).await.unwrap(), 0);
        assert_eq!(world.store.sweep(&unused(at(100))).await.unwrap(), 1);
        assert!(!is_known(&world.store, &older).await && is_known(&world.store, &younger).await);
        assert_eq!(world.database.count("client_secrets").await, 2, "the secret of the one that left is gone");
        assert_eq!(world.store.sweep(&unused(at(101))).await.unwrap(), 1);
        assert_eq!(world.store.sweep(&unused(at(99_999_999))).await.unwrap(), 0);
        assert!(world.store.client(&world.client_id, at(0)).await.unwrap().is_some(), "registered by hand");
    }

    async fn one_with_a_consent_stays_even_when_it_was_taken_back(engine) {
        let world = World::new(engine).await;
        let client = registered(&world, at(1)).await;
        let grant = grant(&world, &client);
        world.store.grant_consent(&grant, &audit(at(2))).await.unwrap();
        assert_eq!(world.store.sweep(&unused(at(1000))).await.unwrap(), 0);
        world.store.revoke_consent(&grant.key, &audit(at(3))).await.unwrap();
        assert_eq!(world.store.sweep(&unused(at(1000))).await.unwrap(), 0);
        assert!(is_known(&world.store, &client).await);
    }

    async fn a_batch_is_no_larger_than_it_may_be(engine) {
        let world = World::new(engine).await;
        for number in 0..5 {
            registered(&world, at(number)).await;
        }
        let mut batches = Vec::new();
        for _ in 0..4 {
            batches.push(world.store.sweep(&Sweep { rows_max: 2, ..unused(at(10)) }).await.unwrap());
        }
        assert_eq!(batches, [2, 2, 1, 0]);
    }

    /// Whoever is first wins, and nothing is left half done: no consent without a client, no client lost that has one,
    /// no sweep that fails.
    async fn a_consent_given_at_the_same_time_wins_or_finds_no_client(engine) {
        let world = World::new(engine).await;
        for _ in 0..10 {
            let client = registered(&world, at(1)).await;
            let outcomes = at_once(4, |number| {
                let (store, grant) = (world.store.clone(), grant(&world, &client));
                async move {
                    if number % 2 == 0 {
                        return store.sweep(&unused(at(10))).await.map(|_| None).expect("the sweep goes on");
                    }
                    match store.grant_consent(&grant, &audit(at(2))).await {
                        Ok(_) => Some(true),
                        Err(error) => {
                            assert!(error.is_orphan(), "{error}");
                            Some(false)
                        }
                    }
                }
            })
            .await;
            let given = outcomes.contains(&Some(true));
            assert_eq!(is_known(&world.store, &client).await, given, "{outcomes:?}");
            let id = &client.client_id;
            let secrets = format!("client_secrets where client_id = (select id from clients where client_id = '{id}')");
            assert_eq!(world.database.count(&secrets).await, i64::from(given));
        }
    }

    async fn what_strangers_do_to_their_own_clients_is_no_event(engine) {
        let world = World::new(engine).await;
        let before = world.database.count("audit_events").await;
        let client = registered(&world, at(1)).await;
        world.store.change_registration(&change(&client), &by(&client, at(2))).await.unwrap().unwrap();
        let other = registered(&world, at(1)).await;
        world.store.disable_client(&other.client_id, &by(&other, at(3))).await.unwrap().unwrap();
        assert_eq!(world.database.count("audit_events").await, before);
        world.store.grant_consent(&grant(&world, &client), &audit(at(4))).await.unwrap();
        world.store.change_registration(&change(&client), &by(&client, at(5))).await.unwrap().unwrap();
        world.store.disable_client(&client.client_id, &by(&client, at(6))).await.unwrap().unwrap();
        assert_eq!(world.database.audited("client.changed").await, 1);
        assert_eq!(world.database.audited("client.disabled").await, 1);
        let another = registered(&world, at(1)).await;
        world.store.disable_client(&another.client_id, &audit(at(7))).await.unwrap().unwrap();
        assert_eq!(world.database.audited("client.disabled").await, 2, "the operator's doing is one");
    }

    async fn a_registration_is_replaced_by_what_its_client_says_now(engine) {
        let world = World::new(engine).await;
        let client = registered(&world, at(1)).await;
        let changed = change(&client);
        let now = world.store.change_registration(&changed, &by(&client, at(2))).await.unwrap().unwrap();
        assert_eq!((now.name.as_str(), &now.redirect_uris), ("Renamed", &changed.redirect_uris));
        assert_eq!(now.authentication_methods, AuthenticationMethod::None.into());
        assert_eq!((now.scopes, now.secrets.len(), now.generation), (None, 1, 1));
        let secret = ClientSecret { id: ClientSecretId(random::id(at(3))), ..now.secrets[0].clone() };
        let again = ChangedRegistration { secret: Some(secret), scopes: Some(scopes("todo.read")), ..changed.clone() };
        let now = world.store.change_registration(&again, &by(&client, at(3))).await.unwrap().unwrap();
        assert_eq!((now.scopes, now.secrets.len()), (Some(scopes("todo.read")), 2));
        world.store.disable_client(&client.client_id, &by(&client, at(4))).await.unwrap();
        for client_id in [client.client_id.as_str(), &world.client_id, "nobody", "\0"] {
            let changed = ChangedRegistration { client_id: client_id.into(), ..changed.clone() };
            assert!(world.store.change_registration(&changed, &audit(at(5))).await.unwrap().is_none(), "{client_id}");
        }
    }

    async fn a_used_assertion_is_forgotten_when_its_time_has_come(engine) {
        let world = World::new(engine).await;
        for expires_at in [at(100), at(101)] {
            let id = AssertionId { expires_at, digest: Digest::of("assertion") };
            assert!(world.store.use_assertion(&AssertionUse { id, use_id: random::bytes() }).await.unwrap());
        }
        let sweep = |by| Sweep { assertions_expired_by: by, ..unused(start() - TimeDelta::days(1)) };
        assert_eq!(world.store.sweep(&sweep(at(99))).await.unwrap(), 0);
        assert_eq!(world.store.sweep(&sweep(at(100))).await.unwrap(), 1);
        let id = AssertionId { expires_at: at(101), digest: Digest::of("assertion") };
        assert!(!world.store.use_assertion(&AssertionUse { id, use_id: random::bytes() }).await.unwrap());
        assert_eq!(world.store.sweep(&sweep(at(101))).await.unwrap(), 1);
    }
}
