//! Introspection (RFC 7662): who may ask about which token, and how soon the answer follows what happened.

use chrono::TimeDelta;
use consentry::{clock::Clock, model::client::Dialect};
use reqwest::header::ORIGIN;
use serde_json::{Value, json};

use super::wire::{http, pkce_request, send, text, with};
use crate::{
    harness::{
        browser::authorize,
        databases::Engine,
        server::{Options, Registered, World},
    },
    on_both_engines,
};

/// What an inactive token is answered, and nothing more (RFC 7662 §2.2).
fn inactive() -> Value {
    json!({ "active": false })
}

async fn told(world: &World, caller: &Registered, token: &str) -> Value {
    let (status, answer) = world.running.introspect(caller, token).await;
    assert_eq!(status, 200, "{answer}");
    answer
}

async fn is_active(world: &World, caller: &Registered, token: &str) -> bool {
    let answer = told(world, caller, token).await;
    assert!(answer["active"] == true || answer == inactive(), "{answer}");
    answer["active"] == true
}

/// An action, the API's own service, and tokens Ada gave to the action.
struct Connected {
    world: World,
    client: Registered,
    service: Registered,
    access: String,
    refresh: String,
}

async fn connected(world: World) -> Connected {
    let client = world.client(Dialect::Action).await;
    let service = world.client(Dialect::Service).await;
    let tokens = world.running.tokens(&client).await;
    let (access, refresh) = (text(&tokens, "access_token").to_owned(), text(&tokens, "refresh_token").to_owned());
    assert!(is_active(&world, &service, &access).await);
    assert!(is_active(&world, &client, &refresh).await);
    Connected { world, client, service, access, refresh }
}

on_both_engines! {
    async fn a_disabled_client_has_no_active_token(engine) {
        let Connected { world, client, service, access, .. } = connected(World::new(engine).await).await;
        let store = &world.running.server.store;
        store.disable_client(&client.client_id, &world.running.operator()).await.unwrap();
        assert_eq!(told(&world, &service, &access).await, inactive());
        assert_eq!(world.running.introspect(&client, &access).await.0, 401, "nor may it ask");
    }

    async fn signing_out_everywhere_ends_every_token(engine) {
        let Connected { world, client, service, access, refresh } = connected(World::new(engine).await).await;
        let key = world.consent_key(&client, "ada@example.com").await;
        let store = &world.running.server.store;
        assert!(store.sign_out_everywhere(key.account_id, &world.running.operator()).await.unwrap());
        assert_eq!(told(&world, &service, &access).await, inactive());
        assert_eq!(told(&world, &client, &refresh).await, inactive());
        assert_eq!(world.running.refresh(&client, &refresh).await.0, 400);
    }

    async fn a_revoked_consent_ends_its_tokens_and_consenting_again_revives_nothing(engine) {
        let Connected { world, client, service, access, refresh } = connected(World::new(engine).await).await;
        let code = world.running.code(&client).await;
        let key = world.consent_key(&client, "ada@example.com").await;
        let store = &world.running.server.store;
        assert!(store.revoke_consent(&key, &world.running.operator()).await.unwrap());
        assert_eq!(told(&world, &service, &access).await, inactive());
        assert_eq!(told(&world, &client, &refresh).await, inactive());
        let new = world.running.tokens(&client).await;
        assert!(is_active(&world, &service, text(&new, "access_token")).await);
        assert_eq!(told(&world, &service, &access).await, inactive());
        assert_eq!(world.running.refresh(&client, &refresh).await.0, 400);
        assert_eq!(world.running.redeem(&client, &code).await.0, 400, "a code in flight ended with the consent");
    }

    async fn a_programs_own_token_stands_with_its_client(engine) {
        let world = World::new(engine).await;
        let service = world.client(Dialect::Service).await;
        let api = world.client(Dialect::Service).await;
        let fields = [("grant_type", "client_credentials")];
        let tokens = world.running.post_basic("/token", &service, &fields).await.json();
        let access = text(&tokens, "access_token");
        assert!(is_active(&world, &service, access).await);
        assert!(is_active(&world, &api, access).await);
        let store = &world.running.server.store;
        store.disable_client(&service.client_id, &world.running.operator()).await.unwrap();
        assert_eq!(told(&world, &api, access).await, inactive());
    }

    async fn an_access_token_ends_with_its_last_second(engine) {
        let clock = Clock::standing_at(Clock::system().now());
        let world = World::with(engine, Options { clock: clock.clone(), ..Options::default() }).await;
        let Connected { world, client, service, access, refresh } = connected(world).await;
        let end = told(&world, &service, &access).await["exp"].as_i64().unwrap();
        let left = TimeDelta::milliseconds(end * 1000 - clock.now().timestamp_millis());
        clock.advance(left - TimeDelta::milliseconds(1));
        assert!(is_active(&world, &service, &access).await);
        clock.advance(TimeDelta::milliseconds(1));
        assert_eq!(told(&world, &service, &access).await, inactive());
        assert!(is_active(&world, &client, &refresh).await);
        // The idle end is rounded up, by a ninetieth at most.
        clock.advance(TimeDelta::days(91));
        assert_eq!(told(&world, &client, &refresh).await, inactive());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_active_token_is_described() {
    let Connected { world, client, service, access, refresh } = connected(World::new(Engine::Sqlite).await).await;
    let answer = told(&world, &service, &access).await;
    for (member, expected) in [
        ("iss", world.running.url.as_str()),
        ("aud", world.plugin.resource.as_str()),
        ("client_id", client.client_id.as_str()),
        ("scope", "todo.read todo.write"),
        ("token_type", "Bearer"),
        ("token_use", "access_token"),
    ] {
        assert_eq!(answer[member], expected, "{answer}");
    }
    assert_eq!(answer["exp"].as_i64().unwrap() - answer["iat"].as_i64().unwrap(), 900);
    assert!(!text(&answer, "sub").contains("ada"), "{answer}");
    let names: Vec<_> = answer.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "active",
        "aud",
        "auth_time",
        "client_id",
        "exp",
        "iat",
        "iss",
        "jti",
        "scope",
        "sub",
        "token_type",
        "token_use",
    ];
    assert_eq!(names, expected);

    let of_refresh = told(&world, &client, &refresh).await;
    assert_eq!((&of_refresh["token_use"], &of_refresh["sub"]), (&"refresh_token".into(), &answer["sub"]));
    assert_eq!((&of_refresh["token_type"], &of_refresh["jti"]), (&Value::Null, &Value::Null));
    // Asking as the client itself says the same.
    assert_eq!(told(&world, &client, &access).await, answer);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refresh_token_is_described_to_its_own_client_alone() {
    let Connected { world, client, service, refresh, access } = connected(World::new(Engine::Sqlite).await).await;
    let other = world.client(Dialect::Action).await;
    assert_eq!(told(&world, &service, &refresh).await, inactive());
    assert_eq!(told(&world, &other, &refresh).await, inactive());
    assert_eq!(told(&world, &other, &access).await, inactive(), "another client is not the API either");
    assert!(is_active(&world, &client, &refresh).await);
    assert!(is_active(&world, &client, &access).await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_caller_must_have_a_secret_and_show_it() {
    let Connected { world, client, service, access, .. } = connected(World::new(Engine::Sqlite).await).await;
    let public = world.client(Dialect::Connector).await;
    let code = world.running.code_for(&authorize(&with(pkce_request(&public), "state", "x"))).await;
    let tokens = world.running.redeem_pkce(&public, &code).await.json();
    let own = text(&tokens, "access_token");
    let fields = [("client_id", public.client_id.as_str()), ("token", own)];
    let answer = world.running.post("/introspect", &fields).await;
    assert_eq!(answer.error(), (401, "invalid_client".into()));
    assert!(is_active(&world, &service, own).await);

    let anonymous = world.running.post("/introspect", &[("token", &access)]).await;
    assert_eq!(anonymous.error(), (401, "invalid_client".into()));
    let wrong = Registered { client_secret: "wrong".into(), ..service.clone() };
    let answer = world.running.post_basic("/introspect", &wrong, &[("token", &access)]).await;
    assert_eq!(answer.error(), (401, "invalid_client".into()));
    assert!(answer.header("www-authenticate").is_some());
    let secret = client.client_secret.as_str();
    let fields = [("client_id", client.client_id.as_str()), ("client_secret", secret), ("token", &access)];
    assert_eq!(world.running.post("/introspect", &fields).await.json()["active"], true);
    let answer = world.running.post_basic("/introspect", &service, &[]).await;
    assert_eq!(answer.error(), (400, "invalid_request".into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_token_is_inactive() {
    let Connected { world, service, access, .. } = connected(World::new(Engine::Sqlite).await).await;
    let code = world.running.code(&world.client(Dialect::Action).await).await;
    let (head, _) = access.rsplit_once('.').unwrap();
    let (_, body) = head.split_once('.').unwrap();
    // {"alg":"none","typ":"at+jwt"}
    let unsigned = format!("eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.{body}.");
    for token in ["x", "a.b.c", "cst_rt_AAAA", &code, &format!("{head}."), &unsigned, &format!("{access}A")] {
        assert_eq!(told(&world, &service, token).await, inactive(), "{token}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_are_for_programs_and_kept_by_nobody() {
    let Connected { world, service, access, .. } = connected(World::new(Engine::Sqlite).await).await;
    let request = http().post(world.running.at("/introspect")).header(ORIGIN, "https://app.example");
    let request = request.basic_auth(&service.client_id, Some(&service.client_secret)).form(&[("token", &access)]);
    let answer = send(request).await;
    assert_eq!(answer.json()["active"], true);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("access-control-allow-origin"), None, "an API's own secret has no place in a web page");
    let answer = world.running.look(&format!("/introspect?token={access}")).await;
    assert_eq!((answer.error(), answer.header("allow")), ((405, "invalid_request".into()), Some("POST")));
}
