//! The pages a connector brings people to: consent with the host that vouches for its name, and what is shown when its
//! maker's word cannot be had. In the four looks of `look`.

use consentry::model::mechanisms::{DocumentPolicy, Mechanisms};
use serde_json::json;

use crate::harness::{
    chromium::Chromium,
    connector::{CLIENT_ID, Connector, Proof, document, publish, shapes},
    databases::Engine,
    server::{Options, World},
    signer::Signer,
    strangers::{Strangers, answer::Answer},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn consent_names_the_host_that_vouches_for_the_name() {
    let strangers = Strangers::new();
    let host = strangers.host("chatgpt.com");
    publish(&host, &shapes()[2].1, &Signer::rs256("key-1"));
    let world = World::with(Engine::Sqlite, Options { outbound: strangers.settings(), ..Options::default() }).await;
    let chromium = Chromium::start().await;
    let request = Connector::new(&world.running, Proof::Nothing).request(&[]);
    chromium.open(&format!("{}{request}", world.running.url)).await;
    chromium.sign_in("ada@example.com").await;
    chromium.reads("published by chatgpt.com").await;
    chromium.looks_well("consent_document").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_famous_name_on_this_computer_is_shown_for_what_it_is() {
    let strangers = Strangers::new();
    let host = strangers.host("tools.example");
    let address = host.url("/client.json").to_string();
    let mut spoofed = document();
    spoofed["client_id"] = address.as_str().into();
    spoofed["redirect_uris"] = json!(["http://127.0.0.1/callback"]);
    host.answer("/client.json", Answer::json(&spoofed));
    let world = World::with(Engine::Sqlite, Options { outbound: strangers.settings(), ..Options::default() }).await;
    let chromium = Chromium::start().await;
    let connector = Connector {
        client_id: &address,
        redirect_uri: "http://127.0.0.1:49152/callback",
        ..Connector::new(&world.running, Proof::Nothing)
    };
    chromium.open(&format!("{}{}", world.running.url, connector.request(&[]))).await;
    chromium.sign_in("ada@example.com").await;
    chromium.reads("Allow tools.example").await;
    chromium.reads("It calls itself “ChatGPT”").await;
    chromium.reads("any program on this computer can call itself").await;
    chromium.looks_well("consent_document_loopback").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_relied_on_is_said_in_plain_words() {
    let strangers = Strangers::new();
    let host = strangers.host("client.example");
    let address = host.url("/client.json").to_string();
    let world = World::with(Engine::Sqlite, Options { outbound: strangers.settings(), ..Options::default() }).await;
    let chromium = Chromium::start().await;
    let connector = Connector { client_id: &address, ..Connector::new(&world.running, Proof::Nothing) };
    let request = format!("{}{}", world.running.url, connector.request(&[]));
    for (answer, told, name) in [
        (Answer::status(500), "could not reach the app’s maker", "error_document_unreachable"),
        (Answer::json(&json!({})), "description has a mistake", "error_document_invalid"),
    ] {
        host.answer("/client.json", answer);
        chromium.open(&request).await;
        chromium.reads(told).await;
        chromium.looks_well(name).await;
    }
    let documents = DocumentPolicy { enabled: false, ..DocumentPolicy::default() };
    let options = Options { mechanisms: Mechanisms { documents, ..Mechanisms::default() }, ..Options::default() };
    let closed = World::with(Engine::Sqlite, options).await;
    let request = Connector { client_id: CLIENT_ID, ..Connector::new(&closed.running, Proof::Nothing) }.request(&[]);
    chromium.open(&format!("{}{request}", closed.running.url)).await;
    chromium.reads("We don’t know this app").await;
    chromium.looks_well("error_document_not_accepted").await;
}
