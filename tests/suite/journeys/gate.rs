//! The gate: an API that knows nothing of OAuth is called by whom its people let in.

use std::time::Duration;

use chrono::TimeDelta;
use consentry::{
    clock::Clock,
    model::{family::EndReason, flow::FlowId},
    registry::plugin_secrets::{self, SettingsForm},
    store::families::FamilyEnd,
    tokens::access,
    vault::SecretValue,
};
use futures_util::StreamExt;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, jwk::JwkSet};
use serde_json::{Value, json};
use tokio::time::timeout;

use crate::{
    harness::{
        databases::Engine,
        gated::Gated,
        server::{Options, Running},
    },
    on_both_engines,
};

on_both_engines! {
    async fn what_is_listed_goes_on_with_whom_it_speaks_for(engine) {
        let gated = Gated::new(engine).await;
            let call = gated.call("GET", "/todos?page=2&q=a%20b").header("accept", "application/json");
            let answer = call.header("x-trace", "kept").send().await.unwrap();
            assert_eq!(answer.status(), 200);
            let came = gated.upstream.last();
            assert_eq!((came.method.as_str(), came.target.as_str()), ("GET", "/todos?page=2&q=a%20b"));
            let claims = claims(&gated.token);
            let kid = claims["client_id"].as_str().unwrap();
            assert_eq!(came.header("x-consentry-subject"), claims["sub"].as_str());
            assert_eq!(came.header("x-consentry-client"), Some(kid));
            assert_eq!(came.header("x-consentry-scopes"), Some("todo.read todo.write"));
            assert_eq!((came.header("x-trace"), came.header("accept")), (Some("kept"), Some("application/json")));
            assert_eq!((came.header("authorization"), came.header("cookie")), (None, None));
            assert_eq!(came.header("host"), Some(gated.upstream.address.to_string().as_str()));
            assert_eq!(came.header("x-forwarded-host"), Some(gated.plugin.host.as_str()));
            assert_eq!(came.header("x-forwarded-for"), Some("127.0.0.1"));
            assert_eq!(came.header("x-request-id"), answer.headers()["x-request-id"].to_str().ok());

            let body = vec![b'x'; 300_000];
            let answer = gated.call("POST", "/todos").body(body).send().await.unwrap();
            assert_eq!(answer.json::<Value>().await.unwrap()["bytes"], 300_000);
            let parts = futures_util::stream::iter((0..100).map(|_| Ok::<_, std::io::Error>(vec![b'y'; 1000])));
            let streamed = gated.call("POST", "/todos").body(reqwest::Body::wrap_stream(parts));
            assert_eq!(streamed.send().await.unwrap().json::<Value>().await.unwrap()["bytes"], 100_000);
            assert_eq!(gated.call("DELETE", "/todos/7").send().await.unwrap().status(), 200);
            let gone = gated.call("DELETE", "/nothing").send().await.unwrap();
            assert_eq!((gone.status().as_u16(), gone.bytes().await.unwrap().len()), (204, 0));
            let head = gated.call("HEAD", "/todos").send().await.unwrap();
            assert_eq!((head.status().as_u16(), gated.upstream.last().method.as_str()), (200, "HEAD"));
            let moved = gated.call("GET", "/moved").send().await.unwrap();
            assert_eq!((moved.status().as_u16(), moved.headers()["location"].to_str().unwrap()), (302, "/elsewhere?x=1"));
        assert!(gated.upstream.connections() <= 4, "connections are used again: {}", gated.upstream.connections());
    }

    async fn who_may_not_is_told_where_to_begin(engine) {
        let gated = Gated::new(engine).await;
        let host = &gated.plugin.host;
        let metadata = format!("resource_metadata=\"https://{host}/.well-known/oauth-protected-resource\"");
            let refused = async |call: reqwest::RequestBuilder| {
                let answer = call.send().await.unwrap();
                let header = |name| answer.headers().get(name).map(|it| it.to_str().unwrap().to_owned());
                let (status, challenge, allow) = (answer.status().as_u16(), header("www-authenticate"), header("allow"));
                let body: Value = answer.json().await.unwrap();
                assert!(body["request_id"].is_string() && body["error_description"].is_string(), "{body}");
                (status, challenge.or(allow).unwrap_or_default(), body["error"].as_str().unwrap().to_owned())
            };
            let bare = refused(gated.bare("GET", "/todos")).await;
            assert_eq!(bare, (401, format!("Bearer {metadata}, scope=\"todo.read\""), "invalid_token".into()));
            let (status, challenge, _) = refused(gated.bare("GET", "/todos").bearer_auth("made-up")).await;
            assert_eq!(status, 401);
            assert!(challenge.starts_with("Bearer error=\"invalid_token\"") && challenge.contains(&metadata), "{challenge}");
            let basic = refused(gated.bare("GET", "/todos").basic_auth("a", Some("b"))).await;
            assert_eq!(basic.1, format!("Bearer {metadata}, scope=\"todo.read\""));
            let little = gated.token_with("todo.read").await;
            let (status, challenge, error) = refused(gated.bare("POST", "/todos").bearer_auth(&little)).await;
            assert_eq!((status, error.as_str()), (403, "insufficient_scope"));
            assert!(challenge.starts_with("Bearer error=\"insufficient_scope\"") && challenge.contains("scope=\"todo.write\""));
            assert_eq!(gated.bare("GET", "/todos").bearer_auth(&little).send().await.unwrap().status(), 200);
            let other = refused(gated.call("PATCH", "/todos")).await;
            assert_eq!(other, (405, "GET, POST".into(), "invalid_request".into()));
            assert_eq!(refused(gated.call("GET", "/admin")).await.0, 404);
            assert_eq!(gated.call("GET", "/me").send().await.unwrap().status(), 200);
            // What strangers may call goes on without a word about anybody.
            assert_eq!(gated.call("GET", "/status").send().await.unwrap().status(), 200);
            let came = gated.upstream.last();
            assert!(came.headers.iter().all(|(name, _)| !name.starts_with("x-consentry-") && name != "authorization"));
    }

    async fn what_was_taken_back_is_refused_at_the_next_call(engine) {
        let gated = Gated::new(engine).await;
        let status = async |token: &str| {
            gated.bare("GET", "/todos").bearer_auth(token).send().await.unwrap().status().as_u16()
        };
        let store = &gated.world.running.server.store;
        let operator = || gated.world.running.operator();
        assert_eq!((status(&gated.token).await, status(&gated.token).await), (200, 200));
        // By whoever holds the token (RFC 7009).
        let revoked = gated.fresh_token().await;
        assert_eq!(status(&revoked).await, 200);
        let answer = gated.world.running.post_basic("/revoke", &gated.client, &[("token", &revoked)]).await;
        assert_eq!(answer.status, 200);
        assert_eq!((status(&revoked).await, status(&gated.token).await), (401, 200));
        // By the person it speaks for.
        let ended = gated.fresh_token().await;
        assert_eq!(status(&ended).await, 200);
        let end = FamilyEnd { id: family(&gated.world.running, &ended), reason: EndReason::Disconnected };
        assert!(store.end_family(&end, &operator()).await.unwrap());
        assert_eq!(status(&ended).await, 401);
        // By whoever stops the client.
        store.disable_client(&gated.client.client_id, &operator()).await.unwrap();
        assert_eq!(status(&gated.token).await, 401);
    }

    async fn a_client_s_own_token_passes_as_long_as_its_client_does(engine) {
        let gated = Gated::new(engine).await;
        let service = gated
            .world
            .running
            .add_client(&gated.plugin, consentry::model::client::Dialect::Service, &[])
            .await;
        let tokens = gated.world.running.post_basic("/token", &service, &[("grant_type", "client_credentials")]).await;
        let token = tokens.json()["access_token"].as_str().unwrap().to_owned();
        let call = async || gated.bare("GET", "/todos").bearer_auth(&token).send().await.unwrap().status();
        assert_eq!(call().await, 200);
        assert_eq!(gated.upstream.last().header("x-consentry-subject"), Some(service.client_id.as_str()));
        let store = &gated.world.running.server.store;
        store.disable_client(&service.client_id, &gated.world.running.operator()).await.unwrap();
        assert_eq!(call().await, 401);
    }

    async fn the_apis_own_key_goes_along_where_a_route_names_it(engine) {
        let gated = Gated::new(engine).await;
        let running = &gated.world.running;
        let form = SettingsForm {
            header: "authorization".into(),
            routes: vec!["GET /todos".into(), "GET /unauthorized".into()],
            ..SettingsForm::default()
        };
        let value = SecretValue::new("q7-upstream-Zk2f9x-gate".to_owned());
        let ring = running.server.keyring.current();
        plugin_secrets::put(&running.registry(), &ring, (gated.plugin.id, "upstream"), &value, &form).await.unwrap();
        running.server.injections.forget(gated.plugin.id).await;
        assert_eq!(gated.call("GET", "/todos").send().await.unwrap().status(), 200);
        assert_eq!(gated.upstream.last().header("authorization"), Some("Bearer q7-upstream-Zk2f9x-gate"));
        // A HEAD is a GET of which only the head is wanted: the API knows the caller by the same key.
        let head = gated.call("HEAD", "/todos").send().await.unwrap();
        assert!(head.status() == 200 && head.bytes().await.unwrap().is_empty());
        assert_eq!(gated.upstream.last().header("authorization"), Some("Bearer q7-upstream-Zk2f9x-gate"));
        assert_eq!(gated.call("POST", "/todos").send().await.unwrap().status(), 200);
        assert_eq!(gated.upstream.last().header("authorization"), None);
        // An API that refuses its own key says nothing of the caller's token.
        let answer = gated.call("GET", "/unauthorized").send().await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.headers().get("www-authenticate")), (502, None));
    }

    async fn the_first_call_is_part_of_the_connections_story(engine) {
        let gated = Gated::new(engine).await;
        for _ in 0..3 {
            assert_eq!(gated.call("GET", "/todos").send().await.unwrap().status(), 200);
        }
        let running = &gated.world.running;
        consentry::jobs::flows::keep(&running.server).await.unwrap();
        let flow = FlowId::of(family(running, &gated.token).0);
        let told = running.server.store.flow(flow).await.unwrap();
        let calls = told.iter().filter(|event| event.says.contains("through the gate")).count();
        assert_eq!(calls, 1, "{told:?}");
    }
}

/// The claims of a token, unchecked.
fn claims(token: &str) -> Value {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

fn family(running: &Running, token: &str) -> consentry::model::id::FamilyId {
    let ring = running.server.keyring.current();
    let claims = access::read(&ring, &running.server.settings.issuer, token, running.server.clock.now());
    claims.unwrap().family.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_assertion_says_the_same_and_is_signed() {
    let clock = Clock::standing_at(Clock::system().now());
    let gated = Gated::with(Engine::Sqlite, Options { clock: clock.clone(), ..Options::default() }).await;
    assert_eq!(gated.call("GET", "/todos").send().await.unwrap().status(), 200);
    let came = gated.upstream.last();
    let assertion = came.header("x-consentry-identity").unwrap().to_owned();
    let keys: JwkSet =
        reqwest::get(format!("{}/.well-known/jwks.json", gated.world.running.own)).await.unwrap().json().await.unwrap();
    let header = jsonwebtoken::decode_header(&assertion).unwrap();
    assert_eq!(header.typ.as_deref(), Some("consentry-identity+jwt"));
    let key = DecodingKey::from_jwk(keys.find(&header.kid.unwrap()).unwrap()).unwrap();
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_issuer(&[&gated.world.running.url]);
    validation.set_audience(&[&gated.plugin.resource]);
    let said = jsonwebtoken::decode::<Value>(&assertion, &key, &validation).unwrap().claims;
    let token = claims(&gated.token);
    assert_eq!([&said["sub"], &said["client_id"]], [&token["sub"], &token["client_id"]]);
    assert_eq!(said["scope"], json!("todo.read todo.write"));
    assert_eq!(said["exp"].as_i64().unwrap() - said["iat"].as_i64().unwrap(), 120);
    // It opens no door here, neither as a token nor asked about.
    assert_eq!(gated.bare("GET", "/todos").bearer_auth(&assertion).send().await.unwrap().status(), 401);
    // Every second at the latest there is a fresh one.
    clock.advance(TimeDelta::minutes(1));
    tokio::time::sleep(Duration::from_millis(1100)).await;
    assert_eq!(gated.call("GET", "/todos").send().await.unwrap().status(), 200);
    assert_ne!(gated.upstream.last().header("x-consentry-identity"), Some(assertion.as_str()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_come_as_they_happen_and_end_with_whoever_listens() {
    let gated = Gated::new(Engine::Sqlite).await;
    let answer = gated.call("GET", "/events").send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "text/event-stream");
    let mut events = answer.bytes_stream();
    for _ in 0..3 {
        let event = timeout(Duration::from_secs(5), events.next()).await.expect("nothing is held back");
        assert!(event.unwrap().unwrap().starts_with(b"data: tick"));
    }
}
