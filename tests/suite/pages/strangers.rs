//! Strangers who mean harm, in a real browser: a client that registered itself, one with a document, and a description
//! that is refused. Nothing of theirs runs, and nothing leaves its place. In the four looks of `look`, which has the
//! same for clients and plugins registered by hand.

use serde_json::json;

use crate::harness::{
    chromium::Chromium,
    connector::{Connector, Proof},
    databases::Engine,
    server::{Options, World},
    strangers::{Strangers, answer::Answer},
};

/// Would say so in the console if it ran.
const RUNS: &str = "</bdi></title><script>console.error('it ran')</script><img src=x onerror=alert(1)>";

/// As wide as a name may be, without a place to break it.
fn wide() -> String {
    "W".repeat(100)
}

/// As high as one may be: marks on a single letter, and writing from the right.
fn high() -> String {
    format!("Z{}\u{5e9}\u{5dc}\u{5d5}\u{5dd}", "\u{301}\u{347}".repeat(45))
}

/// A host of the longest labels.
fn long_host() -> String {
    format!("{}.{}.example", "m".repeat(63), "w".repeat(63))
}

async fn shows_well(chromium: &Chromium, world: &World, connector: Connector<'_>, name: &str) {
    chromium.open(&format!("{}{}", world.running.url, connector.request(&[]))).await;
    chromium.looks_well(&format!("sign_in_{name}")).await;
    chromium.sign_in("ada@example.com").await;
    chromium.arrives(&format!("{}/consent", world.running.url)).await;
    chromium.looks_well(&format!("consent_{name}")).await;
    chromium.press("Use another account").await;
    chromium.arrives(&format!("{}/sign-in", world.running.url)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registered_client_keeps_to_its_place() {
    let world = World::new(Engine::Sqlite).await;
    let chromium = Chromium::start().await;
    let redirect_uri = format!("https://{}/cb", long_host());
    for (name, what) in [(RUNS.to_owned(), "markup"), (wide(), "wide"), (high(), "high")] {
        let body =
            json!({ "client_name": name, "redirect_uris": [redirect_uri], "token_endpoint_auth_method": "none" });
        let (status, told) = world.running.json("/register", &body).await;
        assert_eq!(status, 201, "{told}");
        let client_id = told["client_id"].as_str().expect("an id");
        let connector =
            Connector { client_id, redirect_uri: &redirect_uri, ..Connector::new(&world.running, Proof::Nothing) };
        shows_well(&chromium, &world, connector, &format!("registered_{what}")).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_with_a_document_keeps_to_its_place() {
    let strangers = Strangers::new();
    let host = strangers.host(&long_host());
    let world = World::with(Engine::Sqlite, Options { outbound: strangers.settings(), ..Options::default() }).await;
    let chromium = Chromium::start().await;
    let redirect_uri = format!("{}.example:/cb", "n".repeat(120));
    for (name, what) in [(RUNS.to_owned(), "markup"), (wide(), "wide"), (high(), "high")] {
        let address = host.url(&format!("/{what}.json"));
        let document = json!({ "client_id": address.as_str(), "client_name": name, "redirect_uris": [redirect_uri] });
        host.answer(address.path(), Answer::json(&document));
        let (client_id, redirect_uri) = (address.as_str(), redirect_uri.as_str());
        let connector = Connector { client_id, redirect_uri, ..Connector::new(&world.running, Proof::Nothing) };
        shows_well(&chromium, &world, connector, &format!("document_{what}")).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_description_that_is_refused_keeps_to_its_place() {
    let strangers = Strangers::new();
    let host = strangers.host("client.example");
    let world = World::with(Engine::Sqlite, Options { outbound: strangers.settings(), ..Options::default() }).await;
    let chromium = Chromium::start().await;
    for (redirect_uri, what) in [(RUNS.to_owned(), "markup"), ("W".repeat(300), "wide"), (high(), "high")] {
        let address = host.url(&format!("/{what}.json"));
        host.answer(
            address.path(),
            Answer::json(&json!({ "client_id": address.as_str(), "redirect_uris": [redirect_uri] })),
        );
        let connector = Connector { client_id: address.as_str(), ..Connector::new(&world.running, Proof::Nothing) };
        chromium.open(&format!("{}{}", world.running.url, connector.request(&[]))).await;
        chromium.reads("redirect_uris[0]").await;
        chromium.looks_well(&format!("error_description_{what}")).await;
    }
}
