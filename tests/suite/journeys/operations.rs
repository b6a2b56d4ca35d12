//! Whoever runs the server looks at it: the operations listener of a real process, and what it counts.

use std::{net::TcpListener, path::Path};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::TimeDelta;
use consentry::{model::client::Dialect, store::clients::FetchedKeySet};
use reqwest::{Client, Response, StatusCode};

use crate::{
    harness::{
        browser::read,
        connector::{Connector, Proof},
        databases::{Database, Engine},
        process::{Consentry, Heard, Serving, free_port, write_private},
        server::{CALLBACK, MASTER, Node, Registered, World},
        signer::Signer,
        strangers::{Strangers, answer::Answer},
    },
    on_both_engines,
};

const PROBES: [&str; 2] = ["/health/live", "/health/ready"];

fn write_master_key(folder: &Path) {
    write_private(&folder.join("master.key"), &STANDARD.encode(MASTER));
}

async fn get(address: &str) -> Response {
    reqwest::get(address).await.expect("an answer")
}

/// How often something was counted.
async fn counted(ops: &str, name: &str) -> u64 {
    let text = get(&format!("{ops}/metrics")).await.text().await.expect("a text");
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("{name} is not in:\n{text}")).parse().expect("a number")
}

async fn ask_for_tokens(node: &Serving, client: &Registered, more: &[(&str, &str)]) -> StatusCode {
    let own = [("client_id", client.client_id.as_str()), ("client_secret", client.client_secret.as_str())];
    let request = Client::new().post(format!("{}/token", node.own())).form(&[&own, more].concat());
    read(request.send().await.expect("an answer")).await.0
}

on_both_engines! {
    async fn replays_and_downgrades_are_counted_where_only_the_operator_looks(engine) {
        let world = World::new(engine).await;
        let client = world.client(Dialect::Plugin).await;
        let folder = tempfile::tempdir().unwrap();
        write_master_key(folder.path());
        let (port, ops_port) = (free_port(), free_port());
        let public_url = world.running.url.clone();
        let consentry = Consentry { folder: folder.path(), database: &world.database, port, public_url };
        let ops_listen = format!("127.0.0.1:{ops_port}");
        let node = consentry
            .serve_with(&[("CONSENTRY_OPS_LISTEN", &ops_listen), ("CONSENTRY_REFRESH_GRACE", "0")])
            .await;
        let ops = format!("http://{ops_listen}");

        let code = world.running.code(&client).await;
        let (status, tokens) = world.running.redeem(&client, &code).await;
        assert_eq!(status, 200, "{tokens}");
        let token = tokens["refresh_token"].as_str().unwrap();
        let refresh = [("grant_type", "refresh_token"), ("refresh_token", token)];
        assert_eq!(ask_for_tokens(&node, &client, &refresh).await, 200);
        assert_eq!(counted(&ops, "consentry_refresh_replayed_total").await, 0);
        assert_eq!(ask_for_tokens(&node, &client, &refresh).await, 400);
        assert_eq!(counted(&ops, "consentry_refresh_replayed_total").await, 1);

        let code = world.running.code(&client).await;
        assert_eq!(world.running.redeem(&client, &code).await.0, 200);
        let again = [("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", CALLBACK)];
        assert_eq!(counted(&ops, "consentry_code_replayed_total").await, 0);
        assert_eq!(ask_for_tokens(&node, &client, &again).await, 400);
        assert_eq!(counted(&ops, "consentry_code_replayed_total").await, 1);

        let signer = Signer::es256("key-1");
        let signing = world.running.add_client_with_key(&world.plugin, &signer.key_set()).await;
        let connector = Connector {
            client_id: &signing.client_id,
            redirect_uri: CALLBACK,
            ..Connector::new(&world.running, Proof::Key(&signer))
        };
        let stolen = connector.connect().await;
        world.database.execute("update clients set authentication_methods = 'none private_key_jwt'").await;
        let refresh = [("grant_type", "refresh_token"), ("refresh_token", &stolen)];
        assert_eq!(counted(&ops, "consentry_refresh_downgrades_refused_total").await, 0);
        assert_eq!(ask_for_tokens(&node, &signing, &refresh).await, 400);
        assert_eq!(counted(&ops, "consentry_refresh_downgrades_refused_total").await, 1);
    }
}

/// A service that signs; its keys are on a host of the operator's own, inside.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_set_out_of_reach_is_counted_and_told_with_its_cure() {
    let strangers = Strangers::new();
    let host = strangers.host("keys.example");
    let signer = Signer::es256("key-1");
    host.answer("/keys.json", Answer::status(403));
    let world = World::new(Engine::Sqlite).await;
    let jwks_uri = host.local_url("/keys.json").to_string();
    let client = world.running.add_service_with_keys_at(&world.plugin, &jwks_uri).await;
    // Fetched two hours ago, when its host still let programs in.
    let store = &world.running.server.store;
    let now = world.running.server.clock.now();
    let kept = store.client(&client.client_id, now).await.unwrap().unwrap();
    let (key_set, fetched_at) = (signer.key_set().to_string(), now - TimeDelta::hours(2));
    let fetched = FetchedKeySet { jwks_uri: &jwks_uri, key_set: &key_set, fetched_at };
    store.keep_key_set(kept.id, &fetched).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    write_master_key(folder.path());
    write_private(&folder.path().join("ca.pem"), &strangers.authority_pem());
    let (port, ops_port) = (free_port(), free_port());
    let public_url = world.running.url.clone();
    let consentry = Consentry { folder: folder.path(), database: &world.database, port, public_url };
    let ops_listen = format!("127.0.0.1:{ops_port}");
    let node = consentry
        .serve_with(&[
            ("CONSENTRY_OPS_LISTEN", &ops_listen),
            ("CONSENTRY_OUTBOUND_ALLOW", "127.0.0.1, ::1"),
            ("CONSENTRY_OUTBOUND_CA_FILE", "ca.pem"),
        ])
        .await;
    let ops = format!("http://{ops_listen}");
    assert_eq!(counted(&ops, "consentry_key_set_fetch_failures_total").await, 0);
    let now = world.running.server.clock.now();
    let assertion = signer.assertion(&client.client_id, &world.running.url, now);
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", assertion.as_str()),
    ];
    let answer = Client::new().post(format!("{}/token", node.own())).form(&fields).send().await.unwrap();
    let (status, told) = read(answer).await;
    assert_eq!((status.as_u16(), host.requests()), (200, 1), "the last good one serves: {told}");
    assert_eq!(counted(&ops, "consentry_key_set_fetch_failures_total").await, 1);
    let log = node.log();
    let line = log.lines().find(|line| line.contains("a client's key set could not be fetched")).expect("a line");
    for part in ["WARN", &client.client_id, "status 403", "consentry client supply-keys"] {
        assert!(line.contains(part), "{part} in {line}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_two_listeners_have_nothing_in_common_but_their_health() {
    let database = Database::migrated(Engine::Sqlite).await;
    let folder = tempfile::tempdir().unwrap();
    write_master_key(folder.path());
    let (port, ops_port) = (free_port(), free_port());
    let public_url = format!("http://localhost:{port}");
    let consentry = Consentry { folder: folder.path(), database: &database, port, public_url };
    let ops_listen = format!("127.0.0.1:{ops_port}");
    let node = consentry.serve_with(&[("CONSENTRY_OPS_LISTEN", &ops_listen)]).await;
    let ops = format!("http://{ops_listen}");

    let metrics = get(&format!("{ops}/metrics")).await;
    assert_eq!(metrics.status(), 200);
    assert_eq!(metrics.headers()["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    assert_eq!(metrics.headers()["cache-control"], "no-store");
    for unwanted in ["set-cookie", "access-control-allow-origin"] {
        assert!(!metrics.headers().contains_key(unwanted), "{unwanted}");
    }
    assert_eq!(get(&format!("{}/metrics", node.own())).await.status(), 404);
    for probe in PROBES {
        assert_eq!(get(&format!("{ops}{probe}")).await.status(), 200, "{probe}");
        assert_eq!(get(&format!("{}{probe}", node.own())).await.status(), 200, "{probe}");
    }
    for other in ["/", "/authorize", "/sign-in", "/token", "/.well-known/jwks.json", "/static/consentry.css"] {
        assert_eq!(get(&format!("{ops}{other}")).await.status(), 404, "{other}");
    }
    let posted = Client::new().post(format!("{ops}/metrics")).send().await.unwrap();
    assert_eq!((posted.status().as_u16(), posted.headers()["allow"].to_str().unwrap()), (405, "GET, HEAD"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_is_taken_ends_the_start() {
    let database = Database::migrated(Engine::Sqlite).await;
    let folder = tempfile::tempdir().unwrap();
    write_master_key(folder.path());
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let port = free_port();
    let public_url = format!("http://localhost:{port}");
    let consentry = Consentry { folder: folder.path(), database: &database, port, public_url };
    let output = consentry.command().arg("serve").env("CONSENTRY_OPS_LISTEN", &address).heard();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains(&format!("cannot listen on {address}")) && told.contains("CONSENTRY_OPS_LISTEN"), "{told}");
}
