//! Traces of a real server, as a collector is sent them: what stands under what, and that nothing in them is a secret.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use consentry::model::client::Dialect;
use reqwest::Client;

use crate::{
    harness::{
        browser::read,
        collector::{Collector, Span},
        databases::{Database, Engine},
        process::{Consentry, Installation, free_port, write_private},
        server::{CALLBACK, MASTER, Node, PASSWORD, World},
        signer::Signer,
        strangers::{Strangers, answer::Answer},
    },
    on_both_engines,
};

const STRANGERS_TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

fn borrowed<'a>(variables: &'a [(&'static str, String)]) -> Vec<(&'static str, &'a str)> {
    variables.iter().map(|(name, value)| (*name, value.as_str())).collect()
}

/// A second node of a world's, which sends traces.
fn node<'a>(folder: &'a tempfile::TempDir, world: &'a World, database: &'a Database) -> Consentry<'a> {
    write_private(&folder.path().join("master.key"), &STANDARD.encode(MASTER));
    Consentry { folder: folder.path(), database, port: free_port(), public_url: world.running.url.clone() }
}

/// The spans that stand right under another.
fn under<'a>(spans: &'a [Span], parent: &Span) -> Vec<&'a Span> {
    spans.iter().filter(|span| span.trace == parent.trace && span.parent == parent.id).collect()
}

on_both_engines! {
    async fn a_refresh_is_one_trace_and_holds_no_secret(engine) {
        let world = World::new(engine).await;
        let client = world.client(Dialect::Plugin).await;
        let collector = Collector::start().await;
        let folder = tempfile::tempdir().unwrap();
        let consentry = node(&folder, &world, &world.database);
        let mut node = consentry.serve_with(&borrowed(&collector.variables())).await;
        let code = world.running.code(&client).await;
        let http = Client::new();
        let client_secret = client.client_secret.as_str();
        let ask = async |more: &[(&str, &str)]| {
            let own = [("client_id", client.client_id.as_str()), ("client_secret", client_secret)];
            let request = http.post(format!("{}/token?query-of-mine=1", node.own())).form(&[&own, more].concat());
            let request = request.header("traceparent", format!("00-{STRANGERS_TRACE}-b7ad6b7169203331-01"));
            let answer = request.send().await.unwrap();
            let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
            let (status, told) = read(answer).await;
            assert_eq!(status, 200, "{told}");
            (id, told)
        };
        let (_, tokens) =
            ask(&[("grant_type", "authorization_code"), ("code", &code), ("redirect_uri", CALLBACK)]).await;
        let refresh = tokens["refresh_token"].as_str().unwrap();
        let (id, next) = ask(&[("grant_type", "refresh_token"), ("refresh_token", refresh)]).await;
        assert_eq!(http.get(format!("{}/nowhere/path-of-mine", node.own())).send().await.unwrap().status(), 404);
        let sign_in = [("email", "ada@example.com"), ("password", PASSWORD)];
        http.post(format!("{}/login", node.own())).form(&sign_in).send().await.unwrap();
        // All of it is sent before the process ends.
        node.stop();

        let spans = collector.spans();
        let request = spans.iter().find(|span| span.is("request.id") == id).expect("the refresh");
        assert_eq!(request.name, "POST /token");
        assert_eq!((request.kind, request.parent.as_slice()), (2, &[][..]), "{request:?}");
        let said = ["http.request.method", "http.route", "http.response.status_code", "oauth.grant"];
        assert_eq!(said.map(|name| request.is(name)), ["POST", "/token", "200", "refresh_token"]);
        let steps = under(&spans, request);
        let names: Vec<_> = steps.iter().map(|step| step.name.as_str()).collect();
        assert_eq!(names, ["client", "rotate"], "{steps:?}");
        let system = if engine == Engine::Sqlite { "sqlite" } else { "postgresql" };
        assert!(steps.iter().all(|step| step.is("db.system.name") == system), "{steps:?}");
        let lost = spans.iter().find(|span| span.is("http.response.status_code") == "404").expect("what is nowhere");
        assert_eq!((lost.name.as_str(), lost.is("http.route")), ("GET", ""));
        let roots = spans.iter().filter(|span| span.parent.is_empty());
        assert!(roots.clone().count() >= 4 && roots.clone().all(|span| span.kind == 2), "jobs begin no traces: {spans:?}");

        let text = collector.text();
        let minted = [
            &code,
            client_secret,
            refresh,
            next["refresh_token"].as_str().unwrap(),
            next["access_token"].as_str().unwrap(),
            tokens["access_token"].as_str().unwrap(),
            &client.client_id,
            "ada@example.com",
            PASSWORD,
            "query-of-mine",
            "path-of-mine",
        ];
        for secret in minted {
            assert!(!text.contains(secret), "{secret} is in the traces");
        }
        let strangers_trace = u128::from_str_radix(STRANGERS_TRACE, 16).unwrap().to_be_bytes();
        assert!(spans.iter().all(|span| span.trace != strangers_trace), "a stranger's trace was continued");
        let log = node.log();
        assert!(!log.contains("http.route") && !log.contains("db.operation"), "spans are no lines of the log: {log}");
    }
}

/// A service that signs; its keys are on a host of its own.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_fetched_for_a_request_stands_under_it() {
    let strangers = Strangers::new();
    let host = strangers.host("keys.example");
    let signer = Signer::es256("key-1");
    host.answer("/keys-of-mine.json", Answer::status(403));
    let world = World::new(Engine::Sqlite).await;
    let jwks_uri = host.local_url("/keys-of-mine.json").to_string();
    let client = world.running.add_service_with_keys_at(&world.plugin, &jwks_uri).await;
    let collector = Collector::start().await;
    let folder = tempfile::tempdir().unwrap();
    write_private(&folder.path().join("ca.pem"), &strangers.authority_pem());
    let consentry = node(&folder, &world, &world.database);
    let own = [("CONSENTRY_OUTBOUND_ALLOW", "127.0.0.1, ::1"), ("CONSENTRY_OUTBOUND_CA_FILE", "ca.pem")];
    let mut node = consentry.serve_with(&[&borrowed(&collector.variables())[..], &own].concat()).await;
    let assertion = signer.assertion(&client.client_id, &world.running.url, world.running.server.clock.now());
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
        ("client_assertion", assertion.as_str()),
    ];
    Client::new().post(format!("{}/token", node.own())).form(&fields).send().await.unwrap();
    node.stop();
    assert_eq!(host.requests(), 1);
    let spans = collector.spans();
    let fetch = spans.iter().find(|span| span.name == "fetch").expect("the fetch");
    assert_eq!((fetch.kind, fetch.status, fetch.is("server.address")), (3, 2, "localhost"));
    assert!(fetch.is("error.type").contains("status 403"), "{fetch:?}");
    let request = spans.iter().find(|span| span.name == "POST /token").expect("the request");
    assert_eq!((&fetch.trace, &fetch.parent), (&request.trace, &request.id));
    assert!(!collector.text().contains("keys-of-mine") && !collector.text().contains(&assertion));
}

/// Whoever collects is asked by a secret that is kept elsewhere, and may be away.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_takes_nothing_holds_nothing_up() {
    let collector = Collector::start().await;
    let installed = Installation::new(Engine::Sqlite).await;
    let consentry = installed.program();
    consentry.set_up();
    let path = installed.folder.path().join("authorization");
    write_private(&path, "Bearer Zmlyc3QgdG9rZW4gZm9yIHRlc3Rz");
    let reference = format!("file:{}", path.display());
    let own = [("CONSENTRY_OTLP_AUTHORIZATION", reference.as_str()), ("CONSENTRY_SECRETS_RENEWAL", "1")];
    collector.refuse(true);
    let mut node = consentry.serve_with(&[&borrowed(&collector.variables())[..], &own].concat()).await;
    let told = async |words: &str| {
        for turn in 0.. {
            assert_eq!(reqwest::get(format!("{}/health/live", consentry.own())).await.unwrap().status(), 200);
            if node.log().contains(words) {
                return;
            }
            assert!(turn < 100, "the log never said {words:?}: {}", node.log());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    told("traces cannot be sent; they are lost until they can").await;
    assert!(node.log().contains("the collector answered 401"), "{}", node.log());
    std::fs::remove_file(&path).unwrap();
    write_private(&path, "Bearer c2Vjb25kIHRva2VuIGZvciB0ZXN0");
    told("a secret was changed, and is used from now on").await;
    collector.refuse(false);
    told("traces are sent again").await;
    node.stop();
    let last = collector.heads().pop().unwrap().to_lowercase();
    assert!(last.contains("authorization: bearer c2vjb25kihrva2vuigzvcib0zxn0"), "{last}");
    let log = node.log();
    assert!(!log.contains("Zmlyc3Qg") && !log.contains("c2Vjb25k"), "{log}");
    assert!(log.matches("traces cannot be sent").count() == 1, "once is enough: {log}");
}

/// More comes than is sent: what finds no room is lost, nothing waits for it, and the operator is told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spans_that_find_no_room_are_counted_and_told_of() {
    let collector = Collector::start().await;
    let installed = Installation::new(Engine::Sqlite).await;
    let consentry = installed.program();
    consentry.set_up();
    let ops = format!("127.0.0.1:{}", free_port());
    let own = [("OTEL_BSP_MAX_QUEUE_SIZE", "2"), ("CONSENTRY_OPS_LISTEN", ops.as_str())];
    collector.hold(true);
    let mut node = consentry.serve_with(&[&borrowed(&collector.variables())[..], &own].concat()).await;
    for _ in 0..20 {
        assert_eq!(reqwest::get(format!("{}/health/live", consentry.own())).await.unwrap().status(), 200);
    }
    let shown = reqwest::get(format!("http://{ops}/metrics")).await.unwrap().text().await.unwrap();
    let line =
        shown.lines().find_map(|line| line.strip_prefix("consentry_trace_spans_lost_total ")).expect("it is shown");
    assert!(line.parse::<u64>().unwrap() > 0, "{line}");
    collector.hold(false);
    for turn in 0.. {
        if node.log().contains("traces are lost: more was to be sent than is taken") {
            break;
        }
        assert!(turn < 150, "the log never said so: {}", node.log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    node.stop();
    assert_eq!(node.log().matches("traces are lost").count(), 1, "once a minute is enough: {}", node.log());
}
