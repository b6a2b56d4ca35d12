//! Client metadata documents as a way in: documents that lie, hosts that turn on whoever fetches, and clients that are
//! nobody's. Rows 18 to 20 of the list; `outbound` has what a fetch alone withstands.

use std::net::TcpListener;

use chrono::{DateTime, TimeDelta};
use consentry::{
    clock::Clock,
    model::mechanisms::{DocumentPolicy, HostPattern, Mechanisms},
    outbound::Settings,
};
use reqwest::StatusCode;
use serde_json::{Value, json};
use url::Url;

use crate::{
    harness::{
        browser::Browser,
        connected::Connected,
        connector::{CLIENT_ID, Connector, Proof, REDIRECT_URI, document, of_any_algorithm, publish, shapes},
        databases::Engine,
        log,
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

    /// Row 20: anybody can name a client, make up tokens and keys, and sign with them.
    async fn whoever_carries_nothing_of_ours_makes_nobody_ask(engine) {
        let it = Connected::new(engine).await;
        let document = of_any_algorithm(2);
        publish(&it.host, &document, &it.signer);
        let token = it.with_key().connect().await;
        let registered = json!({
            "redirect_uris": ["https://app.example/cb"],
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks_uri": "https://chatgpt.com/oauth/jwks.json",
        });
        let (status, told) = it.world.running.json("/register", &registered).await;
        assert_eq!(status, StatusCode::CREATED, "{told}");
        // Both what it knows of the document and of the keys is stale.
        it.later(TimeDelta::hours(2));
        let (before, used) = (it.host.connections(), it.world.database.count("assertion_ids").await);
        let stranger = Signer::es256("key-9");
        let last = if token.ends_with('A') { 'B' } else { 'A' };
        let forged = format!("{}{last}", &token[..token.len() - 1]);
        for client_id in [CLIENT_ID, told["client_id"].as_str().unwrap()] {
            for proof in [Proof::Key(&stranger), Proof::Key(&it.signer), Proof::Nothing, Proof::Secret("guess")] {
                let connector = Connector { client_id, ..it.connector(proof) };
                for text in [forged.as_str(), "cst_rt_guess", "cst_ac_guess", "x"] {
                    let (status, told) = connector.refresh(text).await;
                    assert!(status == StatusCode::UNAUTHORIZED || told["error"] == "invalid_grant", "{told}");
                    let (status, told) = connector.redeem(text).await;
                    assert!(status == StatusCode::UNAUTHORIZED || told["error"] == "invalid_grant", "{told}");
                    connector.call("/revoke", &[("token", text)]).await;
                    let (_, told) = connector.call("/introspect", &[("token", text)]).await;
                    assert_ne!(told["active"], true);
                    it.later(TimeDelta::minutes(1));
                }
            }
        }
        assert_eq!(it.host.connections(), before);
        assert_eq!(it.world.database.count("assertion_ids").await, used);
        // Whoever has a token of ours is listened to, with a key nobody has seen.
        let next = Signer::es256("key-2");
        publish(&it.host, &document, &next);
        let connector = it.connector(Proof::Key(&next));
        let refresh = [("refresh_token", token.as_str()), ("code", "cst_ac_guess")];
        // What stands where it does not belong counts for nothing, and hides nothing.
        for grant_type in ["authorization_code", "client_credentials"] {
            let fields = [&[("grant_type", grant_type)], &refresh[..]].concat();
            let (status, told) = connector.call("/token", &fields).await;
            assert_eq!((status, it.host.connections()), (StatusCode::UNAUTHORIZED, before), "{told}");
        }
        let refresh = [&[("grant_type", "refresh_token")], &refresh[..]].concat();
        let (status, told) = connector.call("/token", &refresh).await;
        assert_eq!((status, it.host.connections()), (StatusCode::OK, before + 2), "{told}");
    }

    /// Row 41: a client that registered itself, with keys of its own, can sign any number of assertions.
    async fn an_assertion_that_comes_with_nothing_of_ours_is_not_written_down(engine) {
        let it = Connected::new(engine).await;
        let registered = json!({
            "redirect_uris": ["https://app.example/cb"],
            "token_endpoint_auth_method": "private_key_jwt",
            "jwks": it.signer.key_set(),
        });
        let (_, told) = it.world.running.json("/register", &registered).await;
        let redirect_uri = "https://app.example/cb";
        let connector =
            Connector { client_id: told["client_id"].as_str().unwrap(), redirect_uri, ..it.with_key() };
        for text in ["x", "cst_rt_guess", "a.b.c"] {
            let (status, told) = connector.call("/revoke", &[("token", text)]).await;
            assert_eq!((status, told), (StatusCode::OK, Value::Null), "{text}");
            let (status, told) = connector.call("/introspect", &[("token", text)]).await;
            assert_eq!((status, told), (StatusCode::OK, json!({ "active": false })), "{text}");
        }
        assert_eq!(it.world.database.count("assertion_ids").await, 0);
        // Who it is has to be proven all the same.
        let stranger = Signer::rs256("key-9");
        for path in ["/revoke", "/introspect"] {
            let (status, told) = connector.by(Proof::Key(&stranger)).call(path, &[("token", "x")]).await;
            assert_eq!((status, &told["error"]), (StatusCode::UNAUTHORIZED, &json!("invalid_client")), "{path}");
        }
        // And with a token of ours, each assertion is good once.
        let token = connector.connect().await;
        assert_eq!(it.world.database.count("assertion_ids").await, 1);
        let assertion = it.signer.assertion(connector.client_id, &it.world.running.url, it.clock.now());
        for (status, counted) in [(StatusCode::OK, 2), (StatusCode::UNAUTHORIZED, 2)] {
            let again = connector.by(Proof::Assertion(&assertion)).call("/introspect", &[("token", &token)]).await;
            assert_eq!((again.0, it.world.database.count("assertion_ids").await), (status, counted), "{}", again.1);
        }
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
        let (status, html) = shown(&world, &format!("https://{host}:{port}/c.json")).await;
        assert_eq!(status, StatusCode::BAD_GATEWAY, "{host}");
        assert!(html.contains("has an address that is for loopback"), "{host}: {html}");
        assert!(inside.accept().is_err(), "{host} was connected to");
    }
    // Nobody can listen there for a test; it is the reason that counts.
    for (client_id, purpose) in [
        ("https://127.0.0.1/c.json", "loopback"),
        ("https://[::1]/c.json", "loopback"),
        ("https://localhost/c.json", "loopback"),
        ("https://a.localhost./c.json", "loopback"),
        ("https://169.254.169.254/latest/meta-data", "link-local use"),
        ("https://[::ffff:a9fe:a9fe]/c.json", "link-local use"),
        ("https://10.0.0.1/c.json", "private use"),
        ("https://100.64.0.1/c.json", "sharing behind carriers"),
        ("https://[fd00::1]/c.json", "private use"),
    ] {
        let (status, html) = shown(&world, client_id).await;
        assert_eq!(status, StatusCode::BAD_GATEWAY, "{client_id}");
        assert!(html.contains(&format!("has an address that is for {purpose}")), "{client_id}: {html}");
    }
    for client_id in [
        "https://2130706433/c.json",
        "https://0x7f.1/c.json",
        "https://0177.0.0.1/c.json",
        "https://[::ffff:169.254.169.254]/c.json",
        "https://metadata@169.254.169.254/c.json",
        "https://example.com/../c.json",
        "https://example.com",
        "http://example.com/c.json",
    ] {
        let (status, html) = shown(&world, client_id).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{client_id}");
        assert!(html.contains("We don’t know this app") && html.contains("Nothing was shared"), "{client_id}: {html}");
    }
    // Where it is allowed, the very same address is connected to.
    let open = Options { outbound: Strangers::new().settings(), ..Options::default() };
    let (status, _) =
        shown(&World::with(Engine::Sqlite, open).await, &format!("https://127.0.0.1:{port}/c.json")).await;
    assert!(status == StatusCode::BAD_GATEWAY && inside.accept().is_ok());
}

/// A server that may fetch from 127.0.0.1, which stands for the outside, and from nowhere else.
async fn looking_outside(strangers: &Strangers, clock: &Clock) -> World {
    let allow = vec!["127.0.0.1/32".parse().unwrap()];
    let outbound = Settings { allow, ..strangers.settings() };
    World::with(Engine::Sqlite, Options { outbound, clock: clock.clone(), ..Options::default() }).await
}

/// A good document for that address.
fn good(address: &str) -> Answer {
    let document = shapes()[0].1.to_string().replace(CLIENT_ID, address);
    Answer::document("application/json", document).header("Cache-Control", "no-store")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_that_turns_on_whoever_fetches_costs_one_bounded_fetch() {
    let strangers = Strangers::new();
    let (host, inside) = (strangers.host("client.example"), strangers.host("inside.example"));
    let world = looking_outside(&strangers, &Clock::system()).await;
    let address = "https://client.example/c.json";
    // Whoever followed would get what it came for.
    inside.answer("/c.json", good(address));
    let elsewhere = inside.url("/c.json");
    for (how, told, answer) in [
        ("leads to the cloud's metadata", "redirects", Answer::redirect("https://169.254.169.254/latest/meta-data/")),
        ("leads to somebody else", "redirects", Answer::redirect(elsewhere.as_str())),
        ("never ends", "too large", Answer::endless()),
        ("has ten gigabytes", "too large", Answer::huge(10 * 1024 * 1024 * 1024)),
        ("hangs", "did not answer", Answer::hang()),
    ] {
        host.answer("/c.json", answer);
        let before = host.connections();
        let (status, html) = shown(&world, address).await;
        assert_eq!(status, StatusCode::BAD_GATEWAY, "{how}");
        assert!(html.contains(told), "{how}: {html}");
        assert_eq!(host.connections() - before, 1, "{how}");
        assert!(host.sent() < 8 * 1024 * 1024, "{how}");
    }
    assert_eq!(inside.connections(), 0);
    host.answer("/c.json", good(address));
    assert_eq!(shown(&world, address).await.0, StatusCode::OK, "it was the host alone");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_turns_inside_is_followed_there_by_nobody() {
    let strangers = Strangers::new();
    let host = strangers.host("rebinding.example");
    let clock = Clock::standing_at(DateTime::from_timestamp(1_800_000_000, 0).unwrap());
    let world = looking_outside(&strangers, &clock).await;
    let inside = TcpListener::bind("127.0.0.2:0").unwrap();
    inside.set_nonblocking(true).unwrap();
    // The name is a stranger's when it is looked up, and then our own.
    strangers.lead_in_turn("rebinding.example", &[&[host.address()], &[inside.local_addr().unwrap()]]);
    let address = "https://rebinding.example/c.json";
    host.answer("/c.json", good(address));
    assert_eq!(shown(&world, address).await.0, StatusCode::OK);
    assert_eq!(
        (strangers.asked("rebinding.example"), host.requests()),
        (1, 1),
        "looked up once, for vetting and for going"
    );
    clock.advance(TimeDelta::minutes(2));
    let (status, html) = shown(&world, address).await;
    assert_eq!((status, strangers.asked("rebinding.example")), (StatusCode::BAD_GATEWAY, 2));
    assert!(html.contains("has an address that is for loopback"), "{html}");
    assert!(inside.accept().is_err() && host.requests() == 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_says_which_copy_serves_and_that_keys_are_damaged() {
    log::listen();
    let it = Connected::new(Engine::Sqlite).await;
    // An id of the vendor's template that no other test has.
    let id = Url::parse(&it.world.running.url).unwrap().port().unwrap();
    let (path, client_id) = (format!("/oauth/{id}/client.json"), format!("https://chatgpt.com/oauth/{id}/client.json"));
    let redirect_uri = format!("https://chatgpt.com/connector/oauth/{id}");
    let connector = Connector { client_id: &client_id, redirect_uri: &redirect_uri, ..it.with_key() };
    let mut keys = it.signer.key_set();
    keys["keys"].as_array_mut().unwrap().push(json!({ "kty": "RSA", "n": "!" }));
    it.host.answer("/oauth/jwks.json", Answer::json(&keys));
    let told = |message: &str| {
        let log = log::told();
        log.lines().filter(|line| line.contains(&client_id) && line.contains(message)).count()
    };
    let (pinned, kept) = ("the pinned copy of a client's document serves", "the last good copy of a client's document");
    it.host.answer(&path, Answer::status(403));
    connector.connect().await;
    assert_eq!((told(pinned), told(kept)), (1, 0), "once, however many steps there were");
    assert_eq!((told("a client publishes a damaged key"), told("keys[1].n is not base64url")), (1, 1));
    it.later(TimeDelta::minutes(6));
    connector.code(&[]).await;
    assert_eq!((told(pinned), told(kept)), (2, 0));
    let document = shapes()[1].1.to_string().replace(CLIENT_ID, &client_id).replace(REDIRECT_URI, &redirect_uri);
    it.host.answer(&path, Answer::document("application/json", document));
    it.later(TimeDelta::minutes(6));
    connector.code(&[]).await;
    it.host.answer(&path, Answer::status(403));
    it.later(TimeDelta::hours(2));
    connector.code(&[]).await;
    assert_eq!((told(pinned), told(kept)), (2, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_document_that_is_refused_is_one_line_in_the_log() {
    log::listen();
    let strangers = Strangers::new();
    let world = looking_outside(&strangers, &Clock::system()).await;
    let name = format!("inside-{}.example", Url::parse(&world.running.url).unwrap().port().unwrap());
    strangers.lead(&name, &["127.0.0.2:443".parse().unwrap()]);
    let address = format!("https://{name}/c.json");
    assert_eq!(shown(&world, &address).await.0, StatusCode::BAD_GATEWAY);
    let log = log::told();
    let lines: Vec<&str> =
        log.lines().filter(|line| line.contains(&format!("the host {name} has an address"))).collect();
    assert_eq!(lines.len(), 1, "{lines:#?}");
    for part in [
        "WARN",
        "a step of a connection was refused",
        "request.id=",
        &format!("Nobody is asked to consent to {address}"),
    ] {
        assert!(lines[0].contains(part), "{part} in {}", lines[0]);
    }
}
