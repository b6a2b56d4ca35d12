//! Revocation (RFC 7009): a client lets go of a token, and what goes with it.

use consentry::model::client::Dialect;
use reqwest::header::ORIGIN;
use serde_json::{Value, json};

use super::wire::{Answer, http, send, text};
use crate::{
    harness::{
        databases::Engine,
        server::{Registered, World},
    },
    on_both_engines,
};

async fn revoke(world: &World, client: &Registered, token: &str, extra: &[(&str, &str)]) -> Answer {
    let fields = [("client_id", client.client_id.as_str()), ("client_secret", &client.client_secret), ("token", token)];
    world.running.post("/revoke", &[fields.as_slice(), extra].concat()).await
}

/// Asserts the one answer for everything that is done, or needs no doing (RFC 7009 §2.2).
fn assert_done(answer: &Answer) {
    assert_eq!((answer.status, answer.text.as_str()), (200, ""), "{answer:?}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

async fn is_active(world: &World, service: &Registered, token: &str) -> bool {
    let (status, answer) = world.running.introspect(service, token).await;
    assert_eq!(status, 200);
    answer["active"].as_bool().unwrap()
}

fn inactive() -> Value {
    json!({ "active": false })
}

on_both_engines! {
    async fn a_refresh_token_takes_its_whole_line_with_it(engine) {
        let world = World::new(engine).await;
        let client = world.client(Dialect::Plugin).await;
        let service = world.client(Dialect::Service).await;
        let (kept, ended) = (world.running.tokens(&client).await, world.running.tokens(&client).await);
        assert_done(&revoke(&world, &client, text(&ended, "refresh_token"), &[]).await);
        assert!(!is_active(&world, &service, text(&ended, "access_token")).await);
        let (status, refused) = world.running.refresh(&client, text(&ended, "refresh_token")).await;
        assert_eq!((status.as_u16(), text(&refused, "error")), (400, "invalid_grant"));
        // Another installation of the same client and person is another line, and stays.
        assert!(is_active(&world, &service, text(&kept, "access_token")).await);
        assert_eq!(world.running.refresh(&client, text(&kept, "refresh_token")).await.0, 200);
        // Twice is as good as once.
        assert_done(&revoke(&world, &client, text(&ended, "refresh_token"), &[]).await);
    }

    async fn a_superseded_refresh_token_ends_the_line_too(engine) {
        let world = World::new(engine).await;
        let client = world.client(Dialect::Plugin).await;
        let tokens = world.running.tokens(&client).await;
        let (_, next) = world.running.refresh(&client, text(&tokens, "refresh_token")).await;
        assert_done(&revoke(&world, &client, text(&tokens, "refresh_token"), &[]).await);
        assert_eq!(world.running.refresh(&client, text(&next, "refresh_token")).await.0, 400);
    }

    async fn an_access_token_dies_and_its_line_lives(engine) {
        let world = World::new(engine).await;
        let client = world.client(Dialect::Plugin).await;
        let service = world.client(Dialect::Service).await;
        let tokens = world.running.tokens(&client).await;
        let access = text(&tokens, "access_token");
        assert_done(&revoke(&world, &client, access, &[("token_type_hint", "access_token")]).await);
        assert!(!is_active(&world, &service, access).await);
        let (status, next) = world.running.refresh(&client, text(&tokens, "refresh_token")).await;
        assert_eq!(status, 200, "{next}");
        assert!(is_active(&world, &service, text(&next, "access_token")).await);
        // The old one, revoked again, takes nothing of the new generation with it.
        assert_done(&revoke(&world, &client, access, &[]).await);
        assert!(is_active(&world, &service, text(&next, "access_token")).await);
    }

    async fn a_token_of_another_client_is_refused_and_stays(engine) {
        let world = World::new(engine).await;
        let client = world.client(Dialect::Plugin).await;
        let other = world.client(Dialect::Plugin).await;
        let service = world.client(Dialect::Service).await;
        let tokens = world.running.tokens(&client).await;
        for token in [text(&tokens, "access_token"), text(&tokens, "refresh_token")] {
            for caller in [&other, &service] {
                assert_eq!(revoke(&world, caller, token, &[]).await.error(), (400, "invalid_grant".into()));
            }
        }
        assert!(is_active(&world, &service, text(&tokens, "access_token")).await);
        assert_eq!(world.running.refresh(&client, text(&tokens, "refresh_token")).await.0, 200);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_no_token_is_done_already() {
    let world = World::new(Engine::Sqlite).await;
    let client = world.client(Dialect::Plugin).await;
    let tokens = world.running.tokens(&client).await;
    let code = world.running.code(&client).await;
    let refresh = text(&tokens, "refresh_token");
    let changed = format!("{}{}", &refresh[..refresh.len() - 1], if refresh.ends_with('A') { 'Q' } else { 'A' });
    for token in ["x", "cst_rt_", "cst_rt_AAAA", "a.b.c", &changed, &code, "\u{1f600}"] {
        for hint in ["access_token", "refresh_token", "something_new"] {
            assert_done(&revoke(&world, &client, token, &[("token_type_hint", hint)]).await);
        }
    }
    assert_eq!(world.running.redeem(&client, &code).await.0, 200, "a code is no token and was not touched");
    assert_eq!(world.running.refresh(&client, refresh).await.0, 200);
    // A wrong hint does not keep the token from being found (RFC 7009 §2.1).
    let (_, next) = world.running.refresh(&client, refresh).await;
    let next = text(&next, "refresh_token");
    assert_done(&revoke(&world, &client, next, &[("token_type_hint", "access_token")]).await);
    assert_eq!(world.running.refresh(&client, next).await.0, 400);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_caller_proves_itself_as_at_the_token_endpoint() {
    let world = World::new(Engine::Sqlite).await;
    let client = world.client(Dialect::Plugin).await;
    let tokens = world.running.tokens(&client).await;
    let token = text(&tokens, "refresh_token");
    let wrong = Registered { client_secret: "wrong".into(), ..client.clone() };
    assert_eq!(revoke(&world, &wrong, token, &[]).await.error(), (401, "invalid_client".into()));
    assert_eq!(world.running.post("/revoke", &[("token", token)]).await.error(), (401, "invalid_client".into()));
    assert_eq!(revoke(&world, &client, "", &[]).await.error(), (400, "invalid_request".into()));
    assert_eq!(revoke(&world, &client, token, &[("token", token)]).await.error(), (400, "invalid_request".into()));
    let long = "x".repeat(17 * 1024);
    assert_eq!(revoke(&world, &client, &long, &[]).await.error(), (400, "invalid_request".into()));
    assert_eq!(world.running.refresh(&client, token).await.0, 200, "none of that ended it");

    let action = world.client(Dialect::Action).await;
    let service = world.client(Dialect::Service).await;
    let tokens = world.running.tokens(&action).await;
    let access = text(&tokens, "access_token");
    assert_done(&world.running.post_basic("/revoke", &action, &[("token", access)]).await);
    assert_eq!(world.running.introspect(&service, access).await.1, inactive());

    let connector = world.client(Dialect::Connector).await;
    let code = world.running.code_pkce(&connector).await;
    let tokens = world.running.redeem_pkce(&connector, &code).await.json();
    let fields = [("client_id", connector.client_id.as_str()), ("token", text(&tokens, "refresh_token"))];
    assert_done(&world.running.post("/revoke", &fields).await);
    assert_eq!(world.running.introspect(&service, text(&tokens, "access_token")).await.1, inactive());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_web_page_may_revoke() {
    let world = World::new(Engine::Sqlite).await;
    let client = world.client(Dialect::Plugin).await;
    let fields = [("client_id", &client.client_id), ("client_secret", &client.client_secret)];
    let request = http().post(world.running.at("/revoke")).header(ORIGIN, "https://app.example");
    let answer = send(request.form(&[fields.as_slice(), &[("token", &"x".to_owned())]].concat())).await;
    assert_done(&answer);
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    let answer = world.running.look("/revoke?token=x").await;
    assert_eq!(answer.error(), (405, "invalid_request".into()));
    assert_eq!(answer.header("allow"), Some("POST"));
}
