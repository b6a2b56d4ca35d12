//! A client nobody has heard of: it finds the server, registers itself, is consented to, and keeps its connection.

use chrono::TimeDelta;
use reqwest::Client;
use serde_json::{Value, json};

use crate::{
    harness::{
        browser::{Browser, read},
        connected::Connected,
        connector::{Connector, Proof, refresh_token},
        server::World,
        signer::Signer,
        strangers::answer::Answer,
    },
    on_both_engines,
};

const CALLBACK: &str = "https://app.example/oauth/callback";

/// Registers a client that signs, with these members about its keys: its id.
async fn registered(it: &Connected, keys: &Value) -> String {
    let mut body = json!({ "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "private_key_jwt" });
    body.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
    let (status, told) = it.world.running.json("/register", &body).await;
    assert_eq!(status, 201, "{told}");
    assert_eq!(told["client_secret"], Value::Null);
    told["client_id"].as_str().unwrap().to_owned()
}

on_both_engines! {
    async fn it_registers_connects_and_refreshes_by_every_method(engine) {
        let world = World::new(engine).await;
        let http = Client::new();
        let metadata = http.get(format!("{}/.well-known/oauth-authorization-server", world.running.url));
        let (_, metadata) = read(metadata.send().await.unwrap()).await;
        let endpoint = metadata["registration_endpoint"].as_str().expect("it is advertised");
        for method in ["none", "client_secret_post", "client_secret_basic"] {
            let methods = metadata["token_endpoint_auth_methods_supported"].as_array().unwrap();
            assert!(methods.contains(&json!(method)), "{method} is advertised");
            let body = json!({
                "client_name": "Example App",
                "redirect_uris": [CALLBACK],
                "grant_types": ["authorization_code", "refresh_token"],
                "response_types": ["code"],
                "token_endpoint_auth_method": method,
            });
            let (status, told) = read(http.post(endpoint).json(&body).send().await.unwrap()).await;
            assert_eq!(status, 201, "{told}");
            let proof = match (method, told["client_secret"].as_str()) {
                ("none", None) => Proof::Nothing,
                ("client_secret_post", Some(secret)) => Proof::Secret(secret),
                ("client_secret_basic", Some(secret)) => Proof::Basic(secret),
                other => panic!("{other:?}"),
            };
            let client_id = told["client_id"].as_str().unwrap();
            let connector = Connector { client_id, redirect_uri: CALLBACK, ..Connector::new(&world.running, proof) };
            let resource = [("resource", world.plugin.resource.as_str())];
            let (status, tokens) = connector.redeem(&connector.code(&resource).await).await;
            assert_eq!(status, 200, "{method}: {tokens}");
            assert_eq!(tokens["scope"], told["scope"]);
            let (status, refreshed) = connector.refresh(&refresh_token(&tokens)).await;
            assert_eq!(status, 200, "{method}: {refreshed}");
            let wrong = [Proof::Nothing, Proof::Secret("cst_cs_x"), Proof::Basic("cst_cs_x")];
            for proof in wrong.into_iter().skip(usize::from(method == "none")) {
                let (status, refused) = connector.by(proof).refresh(&refresh_token(&refreshed)).await;
                assert_eq!((status.as_u16(), &refused["error"]), (401, &json!("invalid_client")), "{method}");
            }
        }
    }

    async fn it_signs_with_keys_it_sends_along_or_publishes(engine) {
        let it = Connected::new(engine).await;
        let host = it.strangers.host("app.example");
        host.answer("/keys.json", Answer::json(&it.signer.key_set()));
        let along = json!({ "jwks": it.signer.key_set() });
        let published = json!({ "jwks_uri": "https://app.example/keys.json" });
        for (keys, fetched) in [(along, 0), (published, 1)] {
            let client_id = registered(&it, &keys).await;
            let connector = Connector { client_id: &client_id, redirect_uri: CALLBACK, ..it.with_key() };
            let (status, tokens) = connector.redeem(&connector.code(&[]).await).await;
            assert_eq!(status, 200, "{keys}: {tokens}");
            let (status, refreshed) = connector.refresh(&refresh_token(&tokens)).await;
            assert_eq!(status, 200, "{keys}: {refreshed}");
            let access = refreshed["access_token"].as_str().unwrap();
            let (_, told) = connector.call("/introspect", &[("token", access)]).await;
            assert_eq!(told["active"], true, "{keys}: {told}");
            let stranger = Signer::es256("key-1");
            for proof in [Proof::Nothing, Proof::Secret("cst_cs_x"), Proof::Key(&stranger)] {
                let (status, refused) = connector.by(proof).refresh(&refresh_token(&refreshed)).await;
                assert_eq!((status.as_u16(), &refused["error"]), (401, &json!("invalid_client")), "{keys}");
            }
            assert_eq!(connector.refresh(&refresh_token(&refreshed)).await.0, 200);
            assert_eq!(host.requests(), fetched);
            let (status, _) = connector.call("/revoke", &[("token", &refresh_token(&refreshed))]).await;
            assert_eq!(status, 200);
            assert_eq!(connector.refresh(&refresh_token(&refreshed)).await.1["error"], "invalid_grant");
        }
    }

    /// Anybody can register, and publish something else every minute.
    async fn its_keys_are_written_down_twice_an_hour_at_most(engine) {
        let it = Connected::new(engine).await;
        let host = it.strangers.host("app.example");
        host.answer("/keys.json", Answer::json(&it.signer.key_set()));
        let client_id = registered(&it, &json!({ "jwks_uri": "https://app.example/keys.json" })).await;
        let connector = Connector { client_id: &client_id, redirect_uri: CALLBACK, ..it.with_key() };
        let mut token = connector.connect().await;
        let server = &it.world.running.server;
        let written = async || {
            let keys = server.store.client(&client_id, it.clock.now()).await.unwrap().unwrap().keys;
            (keys.fetched_at, keys.failing_since)
        };
        let mut seen = vec![written().await];
        for minute in 0..=60 {
            it.later(TimeDelta::minutes(2));
            let next = Signer::es256(&format!("key-{minute}"));
            let flaps = minute % 3 == 2;
            host.answer("/keys.json", if flaps { Answer::status(503) } else { Answer::json(&next.key_set()) });
            let (status, answer) = connector.by(Proof::Key(&next)).refresh(&token).await;
            assert_eq!(status.as_u16(), if flaps { 503 } else { 200 }, "{answer}");
            token = if flaps { token } else { refresh_token(&answer) };
            if seen.last() != Some(&written().await) {
                seen.push(written().await);
            }
        }
        // Two hours: at the beginning, after an hour that they cannot be had, at once that they can, and an hour later.
        // It has kept its connection.
        assert_eq!(seen.len(), 4, "{seen:?}");
        assert_eq!(written().await.1, None, "a day that is over is not counted on");
    }

    /// Without PKCE it is refused: it is a connector, whatever it registered.
    async fn it_needs_pkce_with_a_secret_too(engine) {
        let world = World::new(engine).await;
        let (_, told) = world.running.json("/register", &json!({ "redirect_uris": [CALLBACK] })).await;
        let address = crate::harness::browser::authorize(&[
            ("response_type", "code"),
            ("client_id", told["client_id"].as_str().unwrap()),
            ("redirect_uri", CALLBACK),
        ]);
        let page = Browser::new(&world.running).get(&address).await.page();
        assert_eq!(page.status, 400);
        assert!(page.offered().starts_with(&format!("{CALLBACK}?error=invalid_request")), "{}", page.offered());
        assert_ne!(told["client_secret"], Value::Null);
    }
}
