//! Dynamic registration: what strangers say about themselves, and how much of it.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use chrono::{DateTime, TimeDelta};
use consentry::{
    clock::Clock,
    jobs,
    model::{
        client::Dialect,
        mechanisms::{Mechanisms, RegistrationPolicy},
    },
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    harness::{
        browser::Browser,
        connector::{Connector, Proof, refresh_token},
        databases::Engine,
        server::{Options, Running, World},
    },
    on_both_engines,
};

const CALLBACK: &str = "https://app.example/cb";

async fn registered(running: &Running, more: &Value) -> Value {
    let mut body = json!({ "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none" });
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let (status, told) = running.json("/register", &body).await;
    assert_eq!(status, 201, "{told}");
    told
}

fn connector<'a>(running: &'a Running, told: &'a Value, redirect_uri: &'a str) -> Connector<'a> {
    let client_id = told["client_id"].as_str().unwrap();
    Connector { client_id, redirect_uri, ..Connector::new(running, Proof::Nothing) }
}

/// A clock that stands still, and a rate.
fn at_rest(per_minute: u32) -> Options {
    let per_minute = per_minute.try_into().unwrap();
    let registration = RegistrationPolicy { per_minute, ..RegistrationPolicy::default() };
    let mechanisms = Mechanisms { registration, ..Mechanisms::default() };
    let clock = Clock::standing_at(DateTime::from_timestamp(1_800_000_000, 0).unwrap());
    Options { clock, mechanisms, ..Options::default() }
}

/// Sends so many registrations over one connection without waiting for each answer; how many were taken and refused.
async fn flood(address: &str, count: usize, after_each_batch: impl Fn()) -> (usize, usize) {
    const BATCH: usize = 50;
    let body = r#"{"redirect_uris":["https://flood.example/cb"],"token_endpoint_auth_method":"none"}"#;
    let head = "POST /register HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ";
    let batch = format!("{head}{}\r\n\r\n{body}", body.len()).repeat(BATCH);
    let mut stream = TcpStream::connect(address).await.unwrap();
    let (mut taken, mut refused) = (0, 0);
    let mut buffer = vec![0; 256 * 1024];
    for _ in 0..count / BATCH {
        stream.write_all(batch.as_bytes()).await.unwrap();
        let mut text = String::new();
        // Every answer ends with its JSON; none holds a brace of its own but the ones around it.
        while text.matches("HTTP/1.1 ").count() < BATCH || !text.ends_with('}') {
            let length = stream.read(&mut buffer).await.unwrap();
            assert!(length > 0, "the server hung up: {text}");
            text.push_str(std::str::from_utf8(&buffer[..length]).unwrap());
        }
        taken += text.matches("HTTP/1.1 201 ").count();
        refused += text.matches("HTTP/1.1 429 ").count();
        after_each_batch();
    }
    (taken, refused)
}

on_both_engines! {
    /// Row 41: the rate holds for all together, says how long to wait, and is asked before the body is read.
    async fn registering_without_end_is_slowed_down(engine) {
        let world = World::with(engine, at_rest(6)).await;
        let running = &world.running;
        for _ in 0..6 {
            registered(running, &json!({})).await;
        }
        let post = |body: String| {
            let request = reqwest::Client::new().post(format!("{}/register", running.url));
            request.header("content-type", "text/plain").body(body).send()
        };
        for body in ["{}".to_owned(), "[".repeat(100_000)] {
            let answer = post(body).await.unwrap();
            assert_eq!(answer.status(), 429, "before anything else is looked at");
            assert_eq!(answer.headers()["retry-after"], "11");
            assert_eq!(answer.headers()["cache-control"], "no-store");
            let error: Value = answer.json().await.unwrap();
            assert_eq!(error["error"], "temporarily_unavailable");
            assert!(error["request_id"].is_string(), "{error}");
        }
        running.server.clock.advance(TimeDelta::seconds(10));
        let told = registered(running, &json!({})).await;
        let body = json!({ "redirect_uris": [CALLBACK] });
        assert_eq!(running.json("/register", &body).await.0, 429);
        // Changing writes as well, and counts as well; looking and leaving do not.
        let manage = |method| {
            let request = reqwest::Client::new().request(method, told["registration_client_uri"].as_str().unwrap());
            request.bearer_auth(told["registration_access_token"].as_str().unwrap()).json(&body).send()
        };
        assert_eq!(manage(reqwest::Method::PUT).await.unwrap().status(), 429);
        assert_eq!(manage(reqwest::Method::GET).await.unwrap().status(), 200);
        assert_eq!(manage(reqwest::Method::DELETE).await.unwrap().status(), 204);
        assert_eq!(world.database.count("audit_events where action like 'client.%'").await, 0);
    }

    /// Row 41: a client nobody consents to is gone after its age, and one that somebody uses never.
    async fn what_nobody_uses_is_forgotten(engine) {
        let world = World::with(engine, at_rest(120)).await;
        let running = &world.running;
        let (used, unused) = (registered(running, &json!({})).await, registered(running, &json!({})).await);
        let clock = &running.server.clock;
        clock.advance(TimeDelta::days(7) - TimeDelta::milliseconds(1));
        let token = connector(running, &used, CALLBACK).connect().await;
        jobs::sweep::once(&running.server).await.unwrap();
        let browser = Browser::new(running);
        let request = connector(running, &unused, CALLBACK).request(&[]);
        assert_eq!(browser.get(&request).await.page().status, 200, "not yet");
        clock.advance(TimeDelta::milliseconds(1));
        jobs::sweep::once(&running.server).await.unwrap();
        assert_eq!(browser.get(&request).await.page().status, 400, "it is unknown");
        clock.advance(TimeDelta::days(80));
        jobs::sweep::once(&running.server).await.unwrap();
        assert_eq!(connector(running, &used, CALLBACK).refresh(&token).await.0, 200);
    }

    /// Row 41: nobody can say who they are by saying so.
    async fn a_spoofed_software_identity_is_not_believed(engine) {
        let world = World::new(engine).await;
        let running = &world.running;
        let genuine = world.client(Dialect::Plugin).await;
        let spoofed = json!({
            "client_id": genuine.client_id,
            "client_secret": "cst_cs_chosen-by-the-caller",
            "software_id": "4NRB1-0XZABZI9E6-5SM3R",
            "software_version": "9",
            "software_statement": "eyJhbGciOiJub25lIn0.eyJzb2Z0d2FyZV9pZCI6IngiLCJjbGllbnRfbmFtZSI6IkNoYXRHUFQifQ.",
            "client_id_issued_at": 1,
            "registration_access_token": "chosen",
            "registration": "by_hand",
            "plugin_id": world.plugin.id.to_string(),
            "dialect": "plugin",
            "enabled": true,
            "client_name": "Example",
        });
        let told = registered(running, &spoofed).await;
        for member in ["client_id", "client_id_issued_at", "registration_access_token", "client_secret"] {
            assert_ne!(told[member], spoofed[member], "{member}");
        }
        for member in ["software_id", "software_version", "software_statement", "plugin_id", "dialect"] {
            assert_eq!(told[member], Value::Null, "{member} is not registered");
        }
        let now = running.server.clock.now();
        let row = running.server.store.client(told["client_id"].as_str().unwrap(), now).await.unwrap().unwrap();
        assert_eq!((row.dialect, row.home.is_none(), row.name.as_str()), (Dialect::Connector, true, "Example"));
    }

    /// Row 18: it calls itself like somebody known and sends the code to a program on this computer.
    async fn a_borrowed_name_is_shown_as_unproven_with_a_warning(engine) {
        let world = World::new(engine).await;
        let running = &world.running;
        let loopback = "http://127.0.0.1:43117/callback";
        let more = json!({
            "client_name": "ChatGPT",
            "redirect_uris": [loopback],
            "client_uri": "https://chatgpt.com/",
            "logo_uri": "https://chatgpt.com/logo.png",
        });
        let told = registered(running, &more).await;
        let connector = connector(running, &told, loopback);
        let browser = Browser::new(running);
        let sign_in = browser.get(&connector.request(&[])).await.page();
        let page = browser.sign_in(&sign_in, "ada@example.com").await.page();
        assert_eq!(page.url.path(), "/consent");
        for words in [
            "This app chose its name by itself. Nobody has checked who made it.",
            "A program on this computer",
            "127.0.0.1:43117",
            "any program on this computer can call itself <bdi>ChatGPT</bdi>",
        ] {
            assert!(page.html.contains(words), "{words}: {}", page.html);
        }
        for vouching in ["published by", "Set up by the people", "chatgpt.com", "logo.png"] {
            assert!(!page.html.contains(vouching), "{vouching}: {}", page.html);
        }
        // Every time anew: whoever answered the loopback port last time need not be who answers now.
        browser.decide(&page, "allow").await.left();
        assert_eq!(browser.get(&connector.request(&[])).await.page().url.path(), "/consent");
    }

    /// Rows 17 and 18: agreeing to one address is not agreeing to the next one a stranger names.
    async fn an_unproven_client_is_asked_about_every_time(engine) {
        let world = World::new(engine).await;
        let running = &world.running;
        let other = "https://evil.example/cb";
        let told = registered(running, &json!({ "redirect_uris": [CALLBACK, other] })).await;
        let browser = Browser::new(running);
        let sign_in = browser.get(&connector(running, &told, CALLBACK).request(&[])).await.page();
        let page = browser.sign_in(&sign_in, "ada@example.com").await.page();
        browser.decide(&page, "allow").await.left();
        let page = browser.get(&connector(running, &told, other).request(&[])).await.page();
        assert_eq!(page.url.path(), "/consent");
        assert!(page.html.contains("evil.example"), "{}", page.html);
        // Changed by the client since, as RFC 7592 lets it.
        let changed = json!({
            "client_id": told["client_id"],
            "redirect_uris": ["https://later.example/cb"],
            "token_endpoint_auth_method": "none",
        });
        let answer = reqwest::Client::new()
            .put(told["registration_client_uri"].as_str().unwrap())
            .bearer_auth(told["registration_access_token"].as_str().unwrap())
            .json(&changed)
            .send();
        assert_eq!(answer.await.unwrap().status(), 200);
        let page = browser.get(&connector(running, &told, "https://later.example/cb").request(&[])).await.page();
        assert_eq!(page.url.path(), "/consent");
    }
}

/// Row 6: no address of a scheme that runs or reads something, in any member, however it is written.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_runs_something_is_not_registered() {
    let world = World::with(Engine::Sqlite, at_rest(10_000)).await;
    let running = &world.running;
    for address in [
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        " javascript:alert(1)",
        "java\tscript:alert(1)",
        "javascript://app.example/%0aalert(1)",
        "data:text/html,<script>alert(1)</script>",
        "data:image/svg+xml;base64,PHN2Zy8+",
        "vbscript:msgbox(1)",
        "file:///etc/passwd",
        "blob:https://app.example/1",
        "about:blank",
        "view-source:https://app.example/",
        "https://app.example@evil.example/",
        "//evil.example/cb",
    ] {
        for member in ["redirect_uris", "client_uri", "logo_uri", "policy_uri", "tos_uri", "jwks_uri"] {
            let mut body = json!({ "redirect_uris": [CALLBACK] });
            body[member] = if member == "redirect_uris" { json!([CALLBACK, address]) } else { json!(address) };
            let (status, refused) = running.json("/register", &body).await;
            assert_eq!(status, 400, "{member} {address}: {refused}");
            assert!(refused["error_description"].as_str().unwrap().starts_with(member), "{refused}");
        }
    }
    assert_eq!(world.database.count("clients").await, 0);
}

on_both_engines! {
    /// Row 41: a hundred thousand registrations, while people's connections go on as if nothing were happening; what is
    /// taken is what the rate allows, and it is gone after its age.
    async fn a_hundred_thousand_registrations_leave_the_server_answering(engine) {
        const CALLERS: usize = 4;
        const EACH: usize = 25_000;
        // Without a window every refresh turns the line: each is a durable write, and none a free repetition.
        let options = Options { refresh_grace: TimeDelta::zero(), ..at_rest(120) };
        let world = World::with(engine, options).await;
        let running = &world.running;
        let used = registered(running, &json!({})).await;
        let mut newest = connector(running, &used, CALLBACK).connect().await;
        running.server.clock.advance(TimeDelta::minutes(1));

        let address = running.own.trim_start_matches("http://").to_owned();
        let done = Arc::new(AtomicBool::new(false));
        let callers: Vec<_> = (0..CALLERS)
            .map(|_| {
                let (address, clock) = (address.clone(), running.server.clock.clone());
                // All together they take a minute of the server's time.
                tokio::spawn(async move { flood(&address, EACH, || clock.advance(TimeDelta::milliseconds(30))).await })
            })
            .collect();
        let flooding = tokio::spawn({
            let done = Arc::clone(&done);
            async move {
                let (mut taken, mut refused) = (0, 0);
                for caller in callers {
                    let counted = caller.await.unwrap();
                    (taken, refused) = (taken + counted.0, refused + counted.1);
                }
                done.store(true, Ordering::Relaxed);
                (taken, refused)
            }
        });
        let mut answered = 0;
        while !done.load(Ordering::Relaxed) {
            let (status, tokens) = connector(running, &used, CALLBACK).refresh(&newest).await;
            assert_eq!(status, 200, "{tokens}");
            newest = refresh_token(&tokens);
            answered += 1;
        }
        let (taken, refused) = flooding.await.unwrap();
        assert_eq!(taken + refused, CALLERS * EACH, "every one has its answer");
        assert!((120..=241).contains(&taken), "{taken}");
        assert!(answered >= 20, "only {answered} refreshes were answered meanwhile");
        let expected = i64::try_from(taken).unwrap() + 1;
        assert_eq!(world.database.count("clients where registration = 'dynamic'").await, expected);

        running.server.clock.advance(TimeDelta::days(7));
        jobs::sweep::once(&running.server).await.unwrap();
        assert_eq!(world.database.count("clients where registration = 'dynamic'").await, 1);
        assert_eq!(connector(running, &used, CALLBACK).refresh(&newest).await.0, 200);
    }
}
