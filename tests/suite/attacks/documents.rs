//! Client metadata documents as a way in: documents that lie, hosts that turn on whoever fetches, and clients that are
//! nobody's. Rows 18 to 20 of the list; `outbound` has what a fetch alone withstands.

use std::net::TcpListener;

use consentry::model::mechanisms::{DocumentPolicy, HostPattern, Mechanisms};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    harness::{
        browser::Browser,
        connector::{CLIENT_ID, Connector, Proof, document, publish, shapes},
        databases::Engine,
        server::{Options, World},
        signer::Signer,
        strangers::{Strangers, answer::Answer, host::Host},
    },
    on_both_engines,
};

/// A world that can be sent to a stranger's host.
async fn world(engine: Engine, mechanisms: Mechanisms) -> (World, Host, Strangers) {
    let strangers = Strangers::new();
    let host = strangers.host("chatgpt.com");
    let options = Options { outbound: strangers.settings(), mechanisms, ..Options::default() };
    (World::with(engine, options).await, host, strangers)
}

/// What a browser is shown for a request of the client with this id.
async fn shown(world: &World, client_id: &str) -> (StatusCode, String) {
    let connector = Connector { client_id, ..Connector::new(&world.running, Proof::Nothing) };
    let page = Browser::new(&world.running).get(&connector.request(&[])).await.page();
    (page.status, page.html)
}

fn with(member: &str, value: Value) -> Value {
    let mut document = document();
    document[member] = value;
    document
}

on_both_engines! {
    async fn a_document_that_is_not_good_lets_nobody_in(engine) {
        let (world, vendor, strangers) = world(engine, Mechanisms::default()).await;
        // Not a vendor whose document is pinned.
        let host = strangers.host("client.example");
        let address = host.url("/client.json").to_string();
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(1000), "]".repeat(1000));
        let twice = document().to_string().replacen('{', "{\"redirect_uris\":[\"https://evil.example/\"],", 1);
        for (fault, told, body) in [
            ("not JSON", "not a JSON object", "<html>".to_owned()),
            ("nothing", "not a JSON object", String::new()),
            ("another client's", "client_id", with("client_id", json!("https://client.example/other.json")).to_string()),
            ("no redirect URI", "redirect_uris", with("redirect_uris", json!([])).to_string()),
            ("one that runs", "redirect_uris", with("redirect_uris", json!(["javascript:alert(1)"])).to_string()),
            ("a shared secret", "token_endpoint_auth_method",
                with("token_endpoint_auth_method", json!("client_secret_post")).to_string()),
            ("a secret for all to read", "client_secret", with("client_secret", json!("s")).to_string()),
            ("keys nowhere", "jwks", with("token_endpoint_auth_method", json!("private_key_jwt")).to_string()),
            ("too deep", "nested", deep),
            ("a member twice", "redirect_uris twice", twice),
        ] {
            host.answer("/client.json", Answer::document("application/json", body.replace(CLIENT_ID, &address)));
            let (status, html) = shown(&world, &address).await;
            assert_eq!(status, StatusCode::BAD_REQUEST, "{fault}");
            assert!(html.contains("Nothing was shared") && html.contains(told), "{fault}: {html}");
        }
        host.answer("/client.json", Answer::json(&with("padding", json!("x".repeat(6000)))));
        assert_eq!(shown(&world, &address).await.0, StatusCode::BAD_GATEWAY, "too large");
        assert_eq!(world.database.count("clients").await, 0);
        // None of the failures was kept: a good one is let in at once.
        let good = shapes()[0].1.to_string().replace(CLIENT_ID, &address);
        host.answer("/client.json", Answer::document("application/json", good));
        assert_eq!(shown(&world, &address).await.0, StatusCode::OK);
        publish(&vendor, &shapes()[0].1, &Signer::rs256("key-1"));
        Connector::new(&world.running, Proof::Nothing).connect().await;
    }

    async fn only_a_redirect_uri_of_the_document_is_gone_to(engine) {
        let (world, host, _others) = world(engine, Mechanisms::default()).await;
        publish(&host, &shapes()[0].1, &Signer::rs256("key-1"));
        for redirect_uri in ["https://evil.example/cb", "https://chatgpt.com/connector_platform_oauth_redirect?x=1"] {
            let connector = Connector { redirect_uri, ..Connector::new(&world.running, Proof::Nothing) };
            let page = Browser::new(&world.running).get(&connector.request(&[])).await.page();
            assert_eq!(page.status, StatusCode::BAD_REQUEST, "{redirect_uri}");
        }
    }

    async fn a_client_nobody_consented_to_costs_the_token_endpoint_no_fetch(engine) {
        let (world, host, _others) = world(engine, Mechanisms::default()).await;
        publish(&host, &shapes()[0].1, &Signer::rs256("key-1"));
        let (status, told) = Connector::new(&world.running, Proof::Nothing).refresh("cst_rt_guess").await;
        assert_eq!((status, &told["error"]), (StatusCode::UNAUTHORIZED, &json!("invalid_client")));
        assert_eq!(host.connections(), 0);
    }

    async fn a_host_that_is_not_accepted_is_not_even_asked(engine) {
        let patterns = |hosts: &[&str]| hosts.iter().map(|host| HostPattern((*host).to_owned())).collect();
        for documents in [
            DocumentPolicy { enabled: false, ..DocumentPolicy::default() },
            DocumentPolicy { denied_hosts: patterns(&["chatgpt.com"]), ..DocumentPolicy::default() },
            DocumentPolicy { allowed_hosts: patterns(&[".chatgpt.com", "other.example"]), ..DocumentPolicy::default() },
        ] {
            let enabled = documents.enabled;
            let (world, host, _others) = world(engine, Mechanisms { documents, ..Mechanisms::default() }).await;
            publish(&host, &shapes()[0].1, &Signer::rs256("key-1"));
            let (status, _) = shown(&world, CLIENT_ID).await;
            assert_eq!((status, host.connections()), (StatusCode::BAD_REQUEST, 0));
            let metadata = reqwest::get(format!("{}/.well-known/oauth-authorization-server", world.running.url)).await;
            let metadata: Value = metadata.unwrap().json().await.unwrap();
            assert_eq!(metadata["client_id_metadata_document_supported"] == true, enabled);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn addresses_that_are_not_for_strangers_are_not_fetched_from_in_any_spelling() {
    let world = World::new(Engine::Sqlite).await;
    let inside = TcpListener::bind("127.0.0.1:0").unwrap();
    inside.set_nonblocking(true).unwrap();
    let port = inside.local_addr().unwrap().port();
    for host in ["127.0.0.1", "localhost", "a.localhost", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]"] {
        let (status, _) = shown(&world, &format!("https://{host}:{port}/c.json")).await;
        assert!(status == StatusCode::BAD_REQUEST || status == StatusCode::BAD_GATEWAY, "{host}: {status}");
        assert!(inside.accept().is_err(), "{host} was connected to");
    }
    for client_id in [
        "https://127.0.0.1/c.json",
        "https://2130706433/c.json",
        "https://0x7f.1/c.json",
        "https://0177.0.0.1/c.json",
        "https://[::1]/c.json",
        "https://[::ffff:169.254.169.254]/c.json",
        "https://169.254.169.254/latest/meta-data",
        "https://10.0.0.1/c.json",
        "https://localhost/c.json",
        "https://a.localhost./c.json",
        "https://metadata@169.254.169.254/c.json",
        "https://example.com/../c.json",
        "https://example.com",
        "http://example.com/c.json",
    ] {
        let (status, html) = shown(&world, client_id).await;
        assert!(status == StatusCode::BAD_REQUEST || status == StatusCode::BAD_GATEWAY, "{client_id}: {status}");
        assert!(html.contains("Nothing was shared"), "{client_id}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_turns_on_whoever_fetches_costs_one_bounded_fetch() {
    let strangers = Strangers::new();
    let host = strangers.host("client.example");
    let options = Options { outbound: strangers.settings(), ..Options::default() };
    let world = World::with(Engine::Sqlite, options).await;
    for (how, answer) in [
        ("leads to the cloud's metadata", Answer::redirect("https://169.254.169.254/latest/meta-data/")),
        ("never ends", Answer::endless()),
        ("has ten gigabytes", Answer::huge(10 * 1024 * 1024 * 1024)),
        ("hangs", Answer::hang()),
    ] {
        host.answer("/c.json", answer);
        let before = host.connections();
        let (status, _) = shown(&world, "https://client.example/c.json").await;
        assert_eq!(status, StatusCode::BAD_GATEWAY, "{how}");
        assert_eq!(host.connections() - before, 1, "{how}");
        assert!(host.sent() < 8 * 1024 * 1024, "{how}");
    }
    // A name that is first a stranger's and then our own.
    let own = [std::net::SocketAddr::from(([169, 254, 169, 254], 0))];
    strangers.lead_in_turn("rebinding.example", &[&[host.address()], &own]);
    host.answer("/c.json", Answer::json(&json!({})));
    let (status, _) = shown(&world, "https://rebinding.example/c.json").await;
    assert_eq!((status, strangers.asked("rebinding.example")), (StatusCode::BAD_GATEWAY, 1));
}
