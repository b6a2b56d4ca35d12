//! Authorization codes: good once, for their client, and only while what they were issued under still stands.

use chrono::{DateTime, TimeDelta};
use consentry::{
    clock::Clock,
    model::{client::Dialect, id::ConsentId},
    random,
    store::{
        consents::{ConsentGrant, ConsentKey},
        sweep::Sweep,
    },
};
use futures_util::future::join_all;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

use crate::{
    harness::{
        browser::read,
        server::{CALLBACK, Options, Registered, World},
    },
    on_both_engines,
};

fn is_invalid_grant((status, answer): &(StatusCode, Value)) -> bool {
    *status == 400 && answer["error"] == "invalid_grant"
}

/// Ada's consent for a client of the world's plugin.
async fn consent_key(world: &World, client: &Registered) -> ConsentKey {
    let store = &world.running.server.store;
    let (ada, _) = store.account_by_email(&"ada@example.com".parse().unwrap()).await.unwrap().unwrap();
    let client = store.client(&client.client_id, world.running.server.clock.now()).await.unwrap().unwrap();
    ConsentKey { account_id: ada.id, client_id: client.id, resource: world.plugin.resource.clone() }
}

on_both_engines! {
    /// Row 10.
    async fn a_code_redeemed_fifty_times_at_once_is_good_once_and_its_family_ends(engine) {
        let world = World::new(engine).await;
        let (client, service) = (world.client(Dialect::Plugin).await, world.client(Dialect::Service).await);
        let code = world.running.code(&client).await;
        let http = Client::new();
        let fields = [
            ("grant_type", "authorization_code"),
            ("client_id", &client.client_id),
            ("client_secret", &client.client_secret),
            ("code", &code),
            ("redirect_uri", CALLBACK),
        ];
        let calls = (0..50).map(|_| async {
            read(http.post(format!("{}/token", world.running.url)).form(&fields).send().await.unwrap()).await
        });
        let (won, lost): (Vec<_>, Vec<_>) = join_all(calls).await.into_iter().partition(|(status, _)| *status == 200);
        assert_eq!(won.len(), 1, "whoever comes first wins, and is answered: {lost:?}");
        assert!(lost.iter().all(is_invalid_grant), "{lost:?}");
        for (_, tokens) in won {
            let (_, standing) = world.running.introspect(&service, tokens["access_token"].as_str().unwrap()).await;
            assert_eq!(standing, json!({ "active": false }));
            let refreshed = world.running.refresh(&client, tokens["refresh_token"].as_str().unwrap()).await;
            assert!(is_invalid_grant(&refreshed), "{refreshed:?}");
        }
    }

    /// Row 10, one after the other: the thief who comes second is told nothing, and the first one's tokens die.
    async fn a_code_presented_again_ends_what_it_became(engine) {
        let world = World::new(engine).await;
        let (client, service) = (world.client(Dialect::Plugin).await, world.client(Dialect::Service).await);
        let code = world.running.code(&client).await;
        let (status, tokens) = world.running.redeem(&client, &code).await;
        assert_eq!(status, 200, "{tokens}");
        let access = tokens["access_token"].as_str().unwrap();
        assert_eq!(world.running.introspect(&service, access).await.1["active"], true);
        let again = world.running.redeem(&client, &code).await;
        assert!(is_invalid_grant(&again), "{again:?}");
        assert_eq!(world.running.introspect(&service, access).await.1, json!({ "active": false }));
        let refreshed = world.running.refresh(&client, tokens["refresh_token"].as_str().unwrap()).await;
        assert!(is_invalid_grant(&refreshed), "{refreshed:?}");
    }

    /// Row 11: another client can neither use a code nor, by showing it or a part of it, spoil it or end its family.
    async fn a_code_in_the_wrong_hands_is_worth_nothing_and_stays_good(engine) {
        let world = World::new(engine).await;
        let (client, thief) = (world.client(Dialect::Plugin).await, world.client(Dialect::Plugin).await);
        let service = world.client(Dialect::Service).await;
        let code = world.running.code(&client).await;
        let stolen = world.running.redeem(&thief, &code).await;
        assert!(is_invalid_grant(&stolen), "{stolen:?}");
        let guessed = Registered { client_id: client.client_id.clone(), client_secret: thief.client_secret.clone() };
        assert_eq!(world.running.redeem(&guessed, &code).await.0, 401);
        let (status, tokens) = world.running.redeem(&client, &code).await;
        assert_eq!(status, 200, "{tokens}");
        // Nothing but the whole code, shown by its own client, counts as a replay.
        for guess in [&code[..code.len() - 1], &code[..code.len() / 2], &code[..40]] {
            assert!(is_invalid_grant(&world.running.redeem(&client, guess).await));
        }
        assert!(is_invalid_grant(&world.running.redeem(&thief, &code).await));
        let (_, standing) = world.running.introspect(&service, tokens["access_token"].as_str().unwrap()).await;
        assert_eq!(standing["active"], true, "{standing}");
    }

    /// Row 45.
    async fn a_code_in_flight_dies_with_the_consent_even_if_it_is_given_again(engine) {
        let world = World::new(engine).await;
        let client = world.client(Dialect::Plugin).await;
        let code = world.running.code(&client).await;
        let (store, audit) = (&world.running.server.store, world.running.operator());
        let key = consent_key(&world, &client).await;
        assert!(store.revoke_consent(&key, &audit).await.unwrap());
        assert!(is_invalid_grant(&world.running.redeem(&client, &code).await));
        let id = ConsentId(random::id(world.running.server.clock.now()));
        let grant = ConsentGrant { id, key, scopes: world.plugin.scopes.names(), left_out: consentry::model::scope::Scopes::default(), document: None };
        store.grant_consent(&grant, &world.running.operator()).await.unwrap();
        assert!(is_invalid_grant(&world.running.redeem(&client, &code).await), "consenting again revives nothing");
    }

    /// Row 45.
    async fn a_code_in_flight_dies_with_its_account_and_its_client(engine) {
        let world = World::new(engine).await;
        let store = &world.running.server.store;
        let client = world.client(Dialect::Plugin).await;
        let code = world.running.code(&client).await;
        let ada = consent_key(&world, &client).await.account_id;
        assert!(store.sign_out_everywhere(ada, &world.running.operator()).await.unwrap());
        assert!(is_invalid_grant(&world.running.redeem(&client, &code).await));

        let code = world.running.code(&client).await;
        store.disable_client(&client.client_id, &world.running.operator()).await.unwrap().expect("the client");
        let (status, refused) = world.running.redeem(&client, &code).await;
        assert_eq!((status.as_u16(), refused["error"].as_str()), (401, Some("invalid_client")));
    }

    /// Row 45: the family's row outlives its code, so a sweep gives no code a second life.
    async fn a_redeemed_code_stays_used_after_its_family_ended_and_was_swept(engine) {
        let clock = Clock::standing_at(DateTime::from_timestamp(1_800_000_000, 0).unwrap());
        let world = World::with(engine, Options { clock: clock.clone(), ..Options::default() }).await;
        let client = world.client(Dialect::Plugin).await;
        let sweep = || async {
            let now = clock.now();
            let sweep = Sweep {
                families_expired_by: now,
                sessions_expired_by: now,
                clients_unused_since: now,
                offers_unseen_since: now,
                assertions_expired_by: now,
                rows_max: 1000,
            };
            world.running.server.store.sweep(&sweep).await.unwrap()
        };
        let code = world.running.code(&client).await;
        let (_, tokens) = world.running.redeem(&client, &code).await;
        let revoked = world.running.form("/revoke", &[
            ("client_id", &client.client_id),
            ("client_secret", &client.client_secret),
            ("token", tokens["refresh_token"].as_str().unwrap()),
        ]).await;
        assert_eq!(revoked.0, 200);
        assert_eq!(sweep().await, 0, "an ended family stays until it would have expired");
        assert!(is_invalid_grant(&world.running.redeem(&client, &code).await));
        clock.advance(TimeDelta::days(366));
        assert!(sweep().await > 0, "now it leaves");
        assert!(is_invalid_grant(&world.running.redeem(&client, &code).await));
    }

    /// Row 45: a code is good for a minute, to the millisecond.
    async fn a_code_expires(engine) {
        let clock = Clock::standing_at(DateTime::from_timestamp(1_800_000_000, 0).unwrap());
        let world = World::with(engine, Options { clock: clock.clone(), ..Options::default() }).await;
        let client = world.client(Dialect::Plugin).await;
        let (late, in_time) = (world.running.code(&client).await, world.running.code(&client).await);
        clock.advance(TimeDelta::milliseconds(59_999));
        assert_eq!(world.running.redeem(&client, &in_time).await.0, 200);
        clock.advance(TimeDelta::milliseconds(1));
        assert!(is_invalid_grant(&world.running.redeem(&client, &late).await));
    }
}
