//! The keys of a connector: looked for when a new one is first used, kept through its host's bad days, and never asked
//! for more often than they have to be. The connector is known by its document; the host is played under its real name.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use consentry::{
    model::{
        client::{AuthenticationMethod, ClientKeys, Dialect, Registration},
        id::ClientId,
    },
    random,
    server::{clients::Asking, key_sets::Wanted},
    store::clients::{NewClient, OwnWords},
};
use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    harness::{
        connected::Connected,
        connector::{CLIENT_ID, Connector, JWKS_URI, Proof, of_any_algorithm, publish, refresh_token},
        databases::{Engine, without_postgres},
        signer::Signer,
        strangers::answer::Answer,
    },
    on_both_engines,
};

const KEYS: &str = "/oauth/jwks.json";

/// The document that offers keys alone, for any algorithm.
fn document() -> Value {
    of_any_algorithm(1)
}

/// The document with something else in it.
fn with(member: &str, value: Value) -> Value {
    let mut document = document();
    document[member] = value;
    document
}

/// Connected, with the document that offers keys alone: the refresh token.
async fn connected(it: &Connected) -> String {
    publish(&it.host, &document(), &it.signer);
    it.with_key().connect().await
}

/// Refreshes, which must succeed: the next token.
async fn refreshed(connector: Connector<'_>, token: &str) -> String {
    let (status, answer) = connector.refresh(token).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    refresh_token(&answer)
}

/// Refreshes, which must fail: how, and what is said.
async fn refused(connector: Connector<'_>, token: &str) -> (u16, String, String) {
    let (status, answer) = connector.refresh(token).await;
    let told = |member: &str| answer[member].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
    (status.as_u16(), told("error"), told("error_description"))
}

/// The same, when that is because the keys cannot be had.
async fn put_off(connector: Connector<'_>, token: &str) {
    let (status, error, told) = refused(connector, token).await;
    assert_eq!((status, error.as_str()), (503, "temporarily_unavailable"), "{told}");
}

on_both_engines! {
    async fn the_last_good_set_serves_for_a_day_from_the_first_failure_on(engine) {
        let it = Connected::new(engine).await;
        let token = connected(&it).await;
        // Nobody calls for longer than a set would serve; then the host is out of reach.
        it.later(TimeDelta::hours(72));
        it.host.answer(KEYS, Answer::status(503));
        let token = refreshed(it.with_key(), &token).await;
        it.later(TimeDelta::hours(23));
        let token = refreshed(it.with_key(), &token).await;
        it.later(TimeDelta::hours(2));
        put_off(it.with_key(), &token).await;
        // Nothing was ended for it.
        publish(&it.host, &document(), &it.signer);
        it.later(TimeDelta::minutes(1));
        let token = refreshed(it.with_key(), &token).await;
        assert_eq!(it.row().await.keys.failing_since, None);
        // And the next failure begins a day of its own.
        it.later(TimeDelta::hours(72));
        it.host.answer(KEYS, Answer::hang());
        refreshed(it.with_key(), &token).await;
    }

    async fn a_restart_does_not_begin_the_day_anew(engine) {
        let it = Connected::new(engine).await;
        let token = connected(&it).await;
        it.later(TimeDelta::hours(72));
        it.host.answer(KEYS, Answer::status(503));
        it.host.answer("/oauth/client.json", Answer::hang());
        let token = refreshed(it.with_key(), &token).await;
        let since = it.row().await.keys.failing_since;
        assert_eq!(since, Some(it.clock.now()));
        let restarted = it.another().await;
        let there = Connector::new(&restarted, Proof::Key(&it.signer));
        it.later(TimeDelta::hours(23));
        let token = refreshed(there, &token).await;
        assert_eq!(it.row().await.keys.failing_since, since, "one write, however often it fails");
        it.later(TimeDelta::hours(2));
        let again = it.another().await;
        put_off(Connector::new(&again, Proof::Key(&it.signer)), &token).await;
    }

    async fn a_new_key_is_found_when_it_is_first_used_and_looked_for_once_a_minute(engine) {
        let it = Connected::new(engine).await;
        let token = connected(&it).await;
        let asked = || it.host.requests_for(KEYS);
        let first = asked();
        // The set is fresh for an hour; it is the name nobody knows that makes the server look again.
        let next = Signer::es256("key-2");
        publish(&it.host, &document(), &next);
        it.later(TimeDelta::minutes(2));
        let token = refreshed(it.connector(Proof::Key(&next)), &token).await;
        assert_eq!(asked(), first + 1);
        let unknown = Signer::es256("key-3");
        for minute in 0..2 {
            for _ in 0..5 {
                let (status, error, _) = refused(it.connector(Proof::Key(&unknown)), &token).await;
                assert_eq!((status, error.as_str()), (401, "invalid_client"));
            }
            assert_eq!(asked(), first + 1 + minute);
            it.later(TimeDelta::minutes(1));
        }
    }

    async fn twenty_who_make_keys_up_at_once_cause_one_look(engine) {
        let it = Connected::new(engine).await;
        let token = connected(&it).await;
        it.host.answer(KEYS, Answer::json(&it.signer.key_set()).after(Duration::from_millis(200)));
        let asked = || it.host.requests_for(KEYS);
        let audience = &it.world.running.url;
        for named in [true, false] {
            it.later(TimeDelta::minutes(2));
            let before = asked();
            let stranger = Signer::es256("key-9");
            let claims = || Signer::claims(CLIENT_ID, audience, it.clock.now());
            let sign = |_| if named { stranger.sign(&claims()) } else { stranger.sign_without_name(&claims()) };
            let assertions: Vec<String> = (0..20).map(sign).collect();
            let answers = join_all(assertions.iter().map(|one| {
                let connector = it.connector(Proof::Assertion(one));
                let token = &token;
                async move { refused(connector, token).await }
            }));
            for (status, error, told) in answers.await {
                assert_eq!((status, error.as_str()), (401, "invalid_client"), "{told}");
            }
            assert_eq!(asked(), before + 1, "with a name: {named}");
        }
    }

    async fn a_new_key_without_a_name_is_found_too(engine) {
        let it = Connected::new(engine).await;
        let token = connected(&it).await;
        let next = Signer::es256("key-2");
        publish(&it.host, &document(), &next);
        it.later(TimeDelta::minutes(2));
        let nameless = next.sign_without_name(&Signer::claims(CLIENT_ID, &it.world.running.url, it.clock.now()));
        refreshed(it.connector(Proof::Assertion(&nameless)), &token).await;
    }

    async fn whoever_goes_away_does_not_use_up_the_look_of_a_minute(engine) {
        let it = Connected::new(engine).await;
        let token = connected(&it).await;
        let next = Signer::es256("key-2");
        it.host.answer(KEYS, Answer::json(&next.key_set()).after(Duration::from_millis(400)));
        it.later(TimeDelta::minutes(2));
        let before = it.host.requests_for(KEYS);
        let (server, client) = (Arc::clone(&it.world.running.server), it.row().await);
        let vanishing = async { server.key_set(&client, Wanted::Named("key-2"), Asking::ItsHosts).await };
        assert!(tokio::time::timeout(Duration::from_millis(100), vanishing).await.is_err(), "it goes away meanwhile");
        refreshed(it.connector(Proof::Key(&next)), &token).await;
        assert_eq!(it.host.requests_for(KEYS), before + 1, "what had begun was brought to its end");
    }

    async fn what_was_fetched_long_ago_verifies_nothing_after_somebody_went_away(engine) {
        let it = Connected::new(engine).await;
        let token = connected(&it).await;
        it.later(TimeDelta::hours(72));
        it.host.answer(KEYS, Answer::status(503));
        let token = refreshed(it.with_key(), &token).await;
        it.later(TimeDelta::hours(25));
        it.host.answer(KEYS, Answer::hang());
        let (server, client) = (Arc::clone(&it.world.running.server), it.row().await);
        let vanishing = async { server.key_set(&client, Wanted::Any, Asking::ItsHosts).await };
        assert!(tokio::time::timeout(Duration::from_millis(100), vanishing).await.is_err(), "it goes away meanwhile");
        put_off(it.with_key(), &token).await;
    }

    /// A crowd of the attacker's own clients must not begin the day that ends their neighbours' connections.
    async fn a_crowd_at_one_host_is_not_taken_for_its_failure(engine) {
        let it = Connected::new(engine).await;
        let host = it.strangers.host("keys.example");
        host.answer("/keys", Answer::hang());
        let (server, now) = (&it.world.running.server, it.clock.now());
        let mut clients = Vec::new();
        for number in 0..30 {
            let id = ClientId(random::id(now));
            let keys = ClientKeys {
                jwks_uri: Some("https://keys.example/keys".into()),
                key_set: Some(it.signer.key_set().to_string()),
                fetched_at: Some(now - TimeDelta::hours(2)),
                failing_since: None,
            };
            let client = NewClient {
                id,
                client_id: format!("one-of-many-{number}"),
                plugin_id: None,
                registration: Registration::Dynamic,
                name: "One of many".into(),
                dialect: Dialect::Connector,
                authentication_methods: AuthenticationMethod::PrivateKeyJwt.into(),
                signing_algorithm: None,
                keys,
                redirect_uris: vec!["https://app.example/cb".parse().unwrap()],
                scopes: None,
                own_words: OwnWords::default(),
                secret: None,
                registration_digest: None,
                ends_at: None,
                at: now,
            };
            server.store.add_client(&client, &it.world.running.operator()).await.unwrap();
            clients.push(server.store.client(&client.client_id, now).await.unwrap().unwrap());
        }
        let looks = clients.iter().map(|client| server.key_set(client, Wanted::Any, Asking::ItsHosts));
        assert!(join_all(looks).await.iter().all(Result::is_ok), "what is kept serves all of them");
        let failing = it.world.database.count("clients where key_set_failing_since is not null").await;
        assert!((1..=16).contains(&failing), "{failing}: only whose host was asked");
    }

    async fn a_set_that_is_none_is_told_as_long_as_it_is_remembered(engine) {
        let it = Connected::new(engine).await;
        publish(&it.host, &document(), &it.signer);
        let code = it.with_key().code(&[]).await;
        it.host.answer(KEYS, Answer::document("application/json", r#"{"keys":[{"kty":"RSA","n":"!"}]}"#));
        for _ in 0..2 {
            let (status, told) = it.with_key().redeem(&code).await;
            assert_eq!((status.as_u16(), &told["error"]), (401, &json!("invalid_client")), "{told}");
            assert!(told["error_description"].as_str().unwrap().contains("keys[0].n is not base64url"), "{told}");
        }
        it.later(TimeDelta::minutes(1));
        // A page that asks for proof of being human says nothing about the client.
        it.host.answer(KEYS, Answer::document("text/html", "<html>Just a moment…</html>"));
        let code = it.with_key().code(&[]).await;
        for _ in 0..2 {
            let (status, told) = it.with_key().redeem(&code).await;
            assert_eq!((status.as_u16(), &told["error"]), (503, &json!("temporarily_unavailable")), "{told}");
        }
        assert_eq!(it.host.requests_for(KEYS), 2);
    }

    async fn a_good_set_outlives_whatever_is_served_after_it(engine) {
        let it = Connected::new(engine).await;
        let mut token = connected(&it).await;
        for body in [r#"{"keys":[{"kty":"RSA","n":"!"}]}"#, r#"{"keys":[]}"#, "<html>", ""] {
            it.host.answer(KEYS, Answer::document("application/json", body));
            it.later(TimeDelta::hours(2));
            token = refreshed(it.with_key(), &token).await;
        }
        it.later(TimeDelta::hours(25));
        put_off(it.with_key(), &token).await;
    }

    async fn a_damaged_key_beside_good_ones_ends_nothing(engine) {
        let it = Connected::new(engine).await;
        let token = connected(&it).await;
        let mut set = it.signer.key_set();
        set["keys"].as_array_mut().unwrap().insert(0, json!({ "kty": "RSA", "kid": "broken", "n": "!" }));
        it.host.answer(KEYS, Answer::json(&set));
        it.later(TimeDelta::hours(2));
        let token = refreshed(it.with_key(), &token).await;
        assert_eq!(it.row().await.keys.failing_since, None);
        // One that should have been kept to itself is another matter.
        set["keys"][0] = json!({ "kty": "oct", "k": "c2VjcmV0" });
        it.host.answer(KEYS, Answer::json(&set));
        it.later(TimeDelta::hours(2));
        refreshed(it.with_key(), &token).await;
        assert_eq!(it.row().await.keys.failing_since, Some(it.clock.now()));
    }

    async fn keys_at_a_new_address_are_found_at_once(engine) {
        let it = Connected::new(engine).await;
        let token = connected(&it).await;
        it.host.answer(KEYS, Answer::status(503));
        it.later(TimeDelta::hours(2));
        let next = Signer::es256("key-2");
        put_off(it.connector(Proof::Key(&next)), &token).await;
        // Half a minute later its document names another address, where they are.
        it.host.answer("/oauth/client.json", Answer::json(&with("jwks_uri", json!("https://chatgpt.com/keys"))));
        it.host.answer("/keys", Answer::json(&next.key_set()));
        let moved = it.another().await;
        let asked = Connector::new(&moved, Proof::Nothing);
        it.later(TimeDelta::seconds(30));
        // Another node has read the document; this one reads the row.
        it.world.database.execute("update clients set document_fresh_until = document_fetched_at").await;
        assert_eq!(asked.refresh(&token).await.0, StatusCode::UNAUTHORIZED);
        assert_eq!(it.row().await.keys.jwks_uri.as_deref(), Some("https://chatgpt.com/keys"));
        refreshed(it.connector(Proof::Key(&next)), &token).await;
    }

    async fn a_set_supplied_by_hand_is_used_and_none_is_fetched(engine) {
        let it = Connected::new(engine).await;
        let token = connected(&it).await;
        let next = Signer::es256("key-2");
        let store = &it.world.running.server.store;
        let set = next.key_set().to_string();
        store.supply_key_set(CLIENT_ID, &set, &it.world.running.operator()).await.unwrap().expect("it is known");
        let before = it.host.requests_for(KEYS);
        it.later(TimeDelta::hours(30));
        let token = refreshed(it.connector(Proof::Key(&next)), &token).await;
        let (status, error, _) = refused(it.with_key(), &token).await;
        assert_eq!((status, error.as_str()), (401, "invalid_client"), "the published one is none any more");
        assert_eq!(it.host.requests_for(KEYS), before);
    }

    async fn a_set_is_kept_as_long_as_its_headers_allow_within_bounds(engine) {
        for (headers, fresh, stale) in [
            (("Cache-Control", "max-age=120"), TimeDelta::seconds(119), TimeDelta::seconds(2)),
            (("Cache-Control", "no-store"), TimeDelta::seconds(59), TimeDelta::seconds(2)),
            (("Cache-Control", "max-age=999999"), TimeDelta::hours(23), TimeDelta::hours(1)),
            (("X-Other", "nothing said"), TimeDelta::minutes(59), TimeDelta::minutes(1)),
        ] {
            let it = Connected::new(engine).await;
            publish(&it.host, &document(), &it.signer);
            it.host.answer(KEYS, Answer::json(&it.signer.key_set()).header(headers.0, headers.1));
            let token = it.with_key().connect().await;
            it.later(fresh);
            let token = refreshed(it.with_key(), &token).await;
            assert_eq!(it.host.requests_for(KEYS), 1, "{headers:?}");
            it.later(stale);
            refreshed(it.with_key(), &token).await;
            assert_eq!(it.host.requests_for(KEYS), 2, "{headers:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_one_node_has_seen_is_known_to_the_other() {
    if without_postgres() {
        return;
    }
    let it = Connected::new(Engine::Postgres).await;
    let token = connected(&it).await;
    let second = it.another().await;
    let there = |signer| Connector::new(&second, Proof::Key(signer));
    // The second one has the set in memory when the first one finds a newer one.
    let token = refreshed(there(&it.signer), &token).await;
    let next = Signer::es256("key-2");
    publish(&it.host, &document(), &next);
    it.later(TimeDelta::minutes(2));
    let token = refreshed(it.connector(Proof::Key(&next)), &token).await;
    let asked = it.host.requests_for(KEYS);
    let token = refreshed(there(&next), &token).await;
    assert_eq!(it.host.requests_for(KEYS), asked, "it serves both");
    // What the first one could not have, the second one counts from then.
    it.later(TimeDelta::hours(72));
    it.host.answer(KEYS, Answer::status(503));
    let token = refreshed(it.connector(Proof::Key(&next)), &token).await;
    it.later(TimeDelta::hours(23));
    let token = refreshed(there(&next), &token).await;
    it.later(TimeDelta::hours(2));
    put_off(there(&next), &token).await;
    put_off(it.connector(Proof::Key(&next)), &token).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_whose_keys_cannot_be_had_is_told_when_they_are_looked_for_again() {
    let it = Connected::new(Engine::Sqlite).await;
    publish(&it.host, &document(), &it.signer);
    it.host.answer(KEYS, Answer::status(403));
    let code = it.with_key().code(&[]).await;
    let assertion = it.signer.assertion(CLIENT_ID, &it.world.running.url, it.clock.now());
    let fields = [
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", &assertion),
        ("grant_type", "authorization_code"),
        ("code", &code),
    ];
    let request = reqwest::Client::new().post(format!("{}/token", it.world.running.url)).form(&fields);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.headers()["retry-after"], "60");
    assert_eq!(it.row().await.keys.jwks_uri.as_deref(), Some(JWKS_URI));
}
