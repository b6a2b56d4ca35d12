//! Two servers that are one: they share a Postgres and a public URL, and every step may come to either.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use consentry::model::client::Dialect;
use reqwest::{Client, StatusCode, header::HOST};
use serde_json::{Value, json};

use crate::{
    attacks::by_hand::ByHand,
    harness::{
        browser::{parameter, plugin_request, read},
        databases::{Engine, without_postgres},
        process::{Consentry, free_port, write_private},
        server::{CALLBACK, MASTER, Node, Options, PASSWORD, Registered, Running, World},
    },
};

/// Calls a machine endpoint of one node under the public name.
async fn post(node: &impl Node, path: &str, client: &Registered, more: &[(&str, &str)]) -> (StatusCode, Value) {
    let own = [("client_id", client.client_id.as_str()), ("client_secret", client.client_secret.as_str())];
    let request = Client::new().post(format!("{}{path}", node.own())).form(&[&own, more].concat());
    read(request.header(HOST, node.url().trim_start_matches("http://")).send().await.expect("an answer")).await
}

/// A world of two nodes.
async fn two() -> (World, Running) {
    let world = World::new(Engine::Postgres).await;
    let options = Options { public_url: Some(world.running.url.clone()), ..Options::default() };
    let second = Running::start(&world.database, options).await;
    assert_eq!(second.url, world.running.url);
    assert_ne!(second.own, world.running.own);
    (world, second)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flow_that_alternates_between_two_nodes_succeeds() {
    if without_postgres() {
        return;
    }
    let (world, b) = two().await;
    let client = world.client(Dialect::Plugin).await;
    let service = world.client(Dialect::Service).await;
    alternate(&world.running, &b, &client, &service).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flow_that_alternates_between_two_processes_succeeds() {
    if without_postgres() {
        return;
    }
    let world = World::new(Engine::Postgres).await;
    let (client, service) = (world.client(Dialect::Plugin).await, world.client(Dialect::Service).await);
    let folder = tempfile::tempdir().expect("a folder");
    write_private(&folder.path().join("master.key"), &STANDARD.encode(MASTER));
    let (first, second) = (free_port(), free_port());
    let node = |port| Consentry {
        folder: folder.path(),
        database: &world.database,
        port,
        public_url: format!("http://localhost:{first}"),
    };
    let (a, b) = (node(first).serve().await, node(second).serve().await);
    alternate(&a, &b, &client, &service).await;
}

/// Walks the whole flow, each step on the other node.
async fn alternate(a: &impl Node, b: &impl Node, client: &Registered, service: &Registered) {
    let browser = ByHand::new();

    let to_sign_in = browser.get(a, &plugin_request(client)).await;
    let sign_in = browser.get(b, to_sign_in.redirect()).await;
    let to_consent = browser.sign_in(b, &sign_in, "ada@example.com", PASSWORD).await;
    let consent = browser.get(a, to_consent.redirect()).await;
    assert!(consent.body.contains("ada@example.com"), "{}", consent.body);
    let left: url::Url = browser.decide(a, &consent, "allow").await.redirect().parse().expect("a URL");
    assert!(left.as_str().starts_with(CALLBACK), "{left}");
    assert_eq!(parameter(&left, "iss").as_deref(), Some(a.url()));

    let code = parameter(&left, "code").expect("a code");
    let fields = [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", CALLBACK)];
    let (status, tokens) = post(b, "/token", client, &fields).await;
    assert_eq!(status, 200, "{tokens}");
    let refresh = tokens["refresh_token"].as_str().expect("a token");
    let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh)];
    let (status, next) = post(a, "/token", client, &fields).await;
    assert_eq!(status, 200, "{next}");
    let (_, again) = post(b, "/token", client, &fields).await;
    assert_eq!(again["refresh_token"], next["refresh_token"], "the other node computes the same successor");

    let access = next["access_token"].as_str().expect("a token");
    assert_eq!(post(b, "/introspect", service, &[("token", access)]).await.1["active"], true);
    let next = next["refresh_token"].as_str().expect("a token");
    assert_eq!(post(a, "/revoke", client, &[("token", next)]).await.0, 200);
    let fields = [("grant_type", "refresh_token"), ("refresh_token", next)];
    assert_eq!(post(b, "/token", client, &fields).await.1["error"], "invalid_grant");
    assert_eq!(post(b, "/introspect", service, &[("token", access)]).await.1, json!({ "active": false }));

    // What one has consumed is consumed for the other, and consent given on one is remembered by the other.
    let fields = [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", CALLBACK)];
    assert_eq!(post(a, "/token", client, &fields).await.1["error"], "invalid_grant");
    assert!(browser.get(b, &plugin_request(client)).await.redirect().starts_with(CALLBACK));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_publish_the_same_keys() {
    if without_postgres() {
        return;
    }
    let (world, b) = two().await;
    let keys = |node: &Running| {
        let url = format!("{}/.well-known/jwks.json", node.own);
        async move { Client::new().get(url).send().await.expect("an answer").json::<Value>().await.expect("JSON") }
    };
    let published = keys(&world.running).await;
    assert_eq!(published["keys"].as_array().map(Vec::len), Some(1), "{published}");
    assert_eq!(published, keys(&b).await);
}
