//! The grants (RFC 6749 §4.1.3, §4.4 and §6, RFC 7636 §4.6): what is checked before anything is consumed, how long a
//! code lives, and what the tokens are.

use chrono::TimeDelta;
use consentry::{clock::Clock, model::client::Dialect};
use serde_json::Value;

use super::wire::{Answer, VERIFIER, pkce_request, text, with};
use crate::{
    harness::{
        browser::{authorize, plugin_request},
        databases::Engine,
        server::{CALLBACK, Options, Registered, World},
    },
    on_both_engines,
};

/// Redeems with each parameter of the test's own choosing; `None` leaves it out.
async fn redeem(
    world: &World,
    client: &Registered,
    code: &str,
    redirect_uri: Option<&str>,
    verifier: Option<&str>,
) -> Answer {
    let mut fields =
        vec![("grant_type", "authorization_code"), ("client_id", client.client_id.as_str()), ("code", code)];
    let secret = Some(client.client_secret.as_str()).filter(|secret| !secret.is_empty());
    for (name, value) in [("client_secret", secret), ("redirect_uri", redirect_uri), ("code_verifier", verifier)] {
        fields.extend(value.map(|value| (name, value)));
    }
    world.running.post("/token", &fields).await
}

async fn refresh(world: &World, client: &Registered, token: &str, extra: &[(&str, &str)]) -> Answer {
    let fields = [
        ("grant_type", "refresh_token"),
        ("client_id", client.client_id.as_str()),
        ("client_secret", client.client_secret.as_str()),
        ("refresh_token", token),
    ];
    world.running.post("/token", &[fields.as_slice(), extra].concat()).await
}

fn bad_grant() -> (u16, String) {
    (400, "invalid_grant".into())
}

on_both_engines! {
    async fn a_wrong_presenter_cannot_spoil_a_code(engine) {
        let world = World::new(engine).await;
        let client = world.client(Dialect::Custom).await;
        let other = world.client(Dialect::Custom).await;
        let code = world.running.code_pkce(&client).await;
        let callback = Some(CALLBACK);
        let right = Some(VERIFIER);
        let changed = VERIFIER.replace('d', "e");
        let (short, padded) = (&VERIFIER[..42], format!("{VERIFIER}="));
        let cut = &code[..code.len() - 1];
        for (case, answer) in [
            ("another client", redeem(&world, &other, &code, callback, right).await),
            ("another verifier", redeem(&world, &client, &code, callback, Some(&changed)).await),
            ("a short verifier", redeem(&world, &client, &code, callback, Some(short)).await),
            ("a padded verifier", redeem(&world, &client, &code, callback, Some(&padded)).await),
            ("no verifier", redeem(&world, &client, &code, callback, None).await),
            ("another address", redeem(&world, &client, &code, Some("https://chatgpt.com/"), right).await),
            ("nearly the address", redeem(&world, &client, &code, Some(&format!("{CALLBACK}/")), right).await),
            ("nearly the code", redeem(&world, &client, cut, callback, right).await),
            ("no code of ours", redeem(&world, &client, "cst_ac_AAAA", callback, right).await),
        ] {
            assert_eq!(answer.error(), bad_grant(), "{case}");
        }
        let elsewhere = [
            ("grant_type", "authorization_code"),
            ("client_id", &client.client_id),
            ("client_secret", &client.client_secret),
            ("code", &code),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
            ("resource", "https://elsewhere.example"),
        ];
        assert_eq!(world.running.post("/token", &elsewhere).await.error(), (400, "invalid_target".into()));
        // OAuth 2.1 no longer sends the address where a verifier proves more.
        assert_eq!(redeem(&world, &client, &code, None, right).await.status, 200);
    }

    async fn a_code_lives_for_sixty_seconds_to_the_millisecond(engine) {
        let clock = Clock::standing_at(Clock::system().now());
        let world = World::with(engine, Options { clock: clock.clone(), ..Options::default() }).await;
        let client = world.client(Dialect::Plugin).await;
        let (first, second) = (world.running.code(&client).await, world.running.code(&client).await);
        clock.advance(TimeDelta::milliseconds(59_999));
        let (status, tokens) = world.running.redeem(&client, &first).await;
        assert_eq!(status, 200, "{tokens}");
        assert_eq!(tokens["expires_in"], 900);
        clock.advance(TimeDelta::milliseconds(1));
        let (status, refused) = world.running.redeem(&client, &second).await;
        assert_eq!((status.as_u16(), text(&refused, "error")), (400, "invalid_grant"));
        // What came of the first one lives on.
        assert_eq!(refresh(&world, &client, text(&tokens, "refresh_token"), &[]).await.status, 200);
    }

    async fn a_code_used_twice_ends_what_came_of_it(engine) {
        let world = World::new(engine).await;
        let client = world.client(Dialect::Plugin).await;
        let service = world.client(Dialect::Service).await;
        let code = world.running.code(&client).await;
        let (_, tokens) = world.running.redeem(&client, &code).await;
        let (status, refused) = world.running.redeem(&client, &code).await;
        assert_eq!((status.as_u16(), text(&refused, "error")), (400, "invalid_grant"));
        assert_eq!(refresh(&world, &client, text(&tokens, "refresh_token"), &[]).await.error(), bad_grant());
        let (_, inactive) = world.running.introspect(&service, text(&tokens, "access_token")).await;
        assert_eq!(inactive, serde_json::json!({ "active": false }));
    }

    async fn a_narrower_scope_narrows_the_token_and_not_the_line(engine) {
        let world = World::new(engine).await;
        let client = world.client(Dialect::Plugin).await;
        let service = world.client(Dialect::Service).await;
        let tokens = world.running.tokens(&client).await;
        let first = text(&tokens, "refresh_token");
        // A mistake costs nothing: the line has not moved.
        let extra = [("scope", "todo.delete")];
        assert_eq!(refresh(&world, &client, first, &extra).await.error(), (400, "invalid_scope".into()));
        let extra = [("resource", "https://elsewhere.example")];
        assert_eq!(refresh(&world, &client, first, &extra).await.error(), (400, "invalid_target".into()));

        let narrow = refresh(&world, &client, first, &[("scope", "todo.read")]).await.json();
        assert_eq!(narrow["scope"], "todo.read");
        let (_, active) = world.running.introspect(&service, text(&narrow, "access_token")).await;
        assert_eq!(active["scope"], "todo.read");
        let next = refresh(&world, &client, text(&narrow, "refresh_token"), &[]).await.json();
        assert_eq!(next["scope"], "todo.read todo.write");
        let next = refresh(&world, &client, text(&next, "refresh_token"), &[("scope", "")]).await.json();
        assert_eq!(next["scope"], "todo.read todo.write");
    }

    async fn a_refresh_token_is_its_clients_alone(engine) {
        let world = World::new(engine).await;
        let client = world.client(Dialect::Plugin).await;
        let other = world.client(Dialect::Plugin).await;
        let tokens = world.running.tokens(&client).await;
        let token = text(&tokens, "refresh_token");
        assert_eq!(refresh(&world, &other, token, &[]).await.error(), bad_grant());
        let access = text(&tokens, "access_token");
        let changed = format!("{}{}", &token[..token.len() - 1], if token.ends_with('A') { 'Q' } else { 'A' });
        // An access token is longer than any refresh token can be, so it is refused before it is read.
        assert_eq!(refresh(&world, &client, access, &[]).await.error(), (400, "invalid_request".into()));
        for wrong in ["x", "cst_rt_AAAA", &changed, &format!("{token}=")] {
            assert_eq!(refresh(&world, &client, wrong, &[]).await.error(), bad_grant(), "{wrong}");
        }
        assert_eq!(refresh(&world, &client, token, &[]).await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_verifier_without_a_challenge_is_refused() {
    let world = World::new(Engine::Sqlite).await;
    let client = world.client(Dialect::Plugin).await;
    let code = world.running.code(&client).await;
    assert_eq!(redeem(&world, &client, &code, Some(CALLBACK), Some(VERIFIER)).await.error(), bad_grant());
    // Without a verifier the address must be sent, as RFC 6749 §4.1.3 says.
    assert_eq!(redeem(&world, &client, &code, None, None).await.error(), (400, "invalid_request".into()));
    assert_eq!(redeem(&world, &client, &code, Some(CALLBACK), None).await.status, 200);

    // A plugin that does send a challenge is held to it.
    let code = world.running.code_pkce(&client).await;
    assert_eq!(redeem(&world, &client, &code, Some(CALLBACK), None).await.error(), bad_grant());
    assert_eq!(redeem(&world, &client, &code, Some(CALLBACK), Some(VERIFIER)).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_is_short_whatever_was_asked() {
    let world = World::new(Engine::Sqlite).await;
    let callback = format!("https://client.example/{}", "c".repeat(1900));
    let client = world.running.add_client(&world.plugin, Dialect::Custom, &[&callback]).await;
    let (state, scope) = ("s".repeat(4096), format!("todo.read todo.write {}", "x".repeat(4000)));
    let request = with(with(pkce_request(&client), "state", &state), "redirect_uri", &callback);
    let request = with(with(request, "scope", &scope), "resource", &world.plugin.resource);
    let code = world.running.code_for(&authorize(&request)).await;
    assert!(code.len() <= 512, "{} characters", code.len());
    assert_eq!(redeem(&world, &client, &code, Some(&callback), Some(VERIFIER)).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_grant_is_for_those_who_may_use_it() {
    let world = World::new(Engine::Sqlite).await;
    let plugin = world.client(Dialect::Plugin).await;
    let service = world.client(Dialect::Service).await;
    for (client, grant, extra, expected) in [
        (&plugin, "client_credentials", vec![], "unauthorized_client"),
        (&service, "authorization_code", vec![("code", "x"), ("redirect_uri", CALLBACK)], "unauthorized_client"),
        (&service, "refresh_token", vec![("refresh_token", "x")], "unauthorized_client"),
        (&plugin, "password", vec![("username", "a"), ("password", "b")], "unsupported_grant_type"),
        (&plugin, "implicit", vec![], "unsupported_grant_type"),
        (&plugin, "Authorization_Code", vec![], "unsupported_grant_type"),
        (&plugin, "urn:ietf:params:oauth:grant-type:device_code", vec![], "unsupported_grant_type"),
    ] {
        let fields =
            [("grant_type", grant), ("client_id", &client.client_id), ("client_secret", &client.client_secret)];
        let answer = world.running.post("/token", &[fields.as_slice(), &extra].concat()).await;
        assert_eq!(answer.error(), (400, expected.into()), "{grant}");
    }
}

async fn credentials(world: &World, client: &Registered, extra: &[(&str, &str)]) -> Answer {
    world
        .running
        .post_basic("/token", client, &[[("grant_type", "client_credentials")].as_slice(), extra].concat())
        .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_acting_for_itself_gets_an_access_token_alone() {
    let world = World::new(Engine::Sqlite).await;
    let service = world.client(Dialect::Service).await;
    let tokens = credentials(&world, &service, &[]).await.json();
    let names: Vec<_> = tokens.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(names, ["access_token", "expires_in", "scope", "token_type"], "no refresh token: RFC 6749 §4.4.3");
    assert_eq!((&tokens["scope"], &tokens["expires_in"]), (&"todo.read todo.write".into(), &900.into()));
    let (_, active) = world.running.introspect(&service, text(&tokens, "access_token")).await;
    assert_eq!((&active["sub"], &active["active"]), (&Value::from(service.client_id.as_str()), &true.into()));
    assert_eq!(credentials(&world, &service, &[("scope", "todo.write")]).await.json()["scope"], "todo.write");
    let unknown = credentials(&world, &service, &[("scope", "todo.delete")]).await;
    assert_eq!(unknown.error(), (400, "invalid_scope".into()));
    let elsewhere = credentials(&world, &service, &[("resource", "https://elsewhere.example")]).await;
    assert_eq!(elsewhere.error(), (400, "invalid_target".into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn token_type_is_spelled_as_each_caller_expects() {
    let world = World::new(Engine::Sqlite).await;
    for (dialect, expected) in [(Dialect::Plugin, "bearer"), (Dialect::Action, "bearer")] {
        let client = world.client(dialect).await;
        let code = world.running.code_for(&plugin_request(&client)).await;
        let tokens = redeem(&world, &client, &code, Some(CALLBACK), None).await.json();
        assert_eq!(tokens["token_type"], expected, "{dialect:?}");
        let next = refresh(&world, &client, text(&tokens, "refresh_token"), &[]).await.json();
        assert_eq!(next["token_type"], expected, "{dialect:?}");
    }
    for dialect in [Dialect::Connector, Dialect::Custom] {
        let client = world.client(dialect).await;
        let code = world.running.code_pkce(&client).await;
        assert_eq!(world.running.redeem_pkce(&client, &code).await.json()["token_type"], "Bearer", "{dialect:?}");
    }
    let service = world.client(Dialect::Service).await;
    assert_eq!(credentials(&world, &service, &[]).await.json()["token_type"], "Bearer");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_public_client_refreshes_without_a_secret() {
    let world = World::new(Engine::Sqlite).await;
    let client = world.client(Dialect::Connector).await;
    let code = world.running.code_pkce(&client).await;
    let tokens = world.running.redeem_pkce(&client, &code).await.json();
    let token = text(&tokens, "refresh_token");
    let fields = [("grant_type", "refresh_token"), ("client_id", &client.client_id), ("refresh_token", token)];
    let next = world.running.post("/token", &fields).await;
    assert_eq!(next.status, 200, "{next:?}");
    assert_ne!(text(&next.json(), "refresh_token"), token, "a public client's refresh token is used once");
}
