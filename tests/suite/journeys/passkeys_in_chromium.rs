//! In real Chromium, without a mouse, with an authenticator that the browser itself plays: somebody makes an account, adds
//! a passkey and signs in with that alone, allows less than was asked for, and takes it back.

use consentry::model::{client::Dialect, scope::Scope};
use serde_json::json;

use super::people::Town;
use crate::harness::{browser::parameter, chromium::Chromium, databases::Engine, landing::Landing, smtp::link};

const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";
const SPACE: &str = " ";

/// Goes from one thing to the next until the focus is where this script says, and presses a key there.
async fn go_to(chromium: &Chromium, what: &str, is_there: &str, key: &str) {
    let script = format!("const at = document.activeElement; return Boolean({is_there});");
    for _ in 0..80 {
        if chromium.evaluate(&script).await == json!(true) {
            return chromium.keys(key).await;
        }
        chromium.keys(TAB).await;
    }
    panic!("no way to {what}; the page says: {}", chromium.text().await);
}

async fn choose(chromium: &Chromium, words: &str) {
    chromium.reads(words).await;
    let is_there = format!("at.matches('a, button') && at.innerText.trim() === {}", json!(words));
    go_to(chromium, words, &is_there, ENTER).await;
}

async fn write(chromium: &Chromium, field: &str, text: &str) {
    chromium.find(&format!("input[name={field}]")).await;
    go_to(chromium, field, &format!("at.name === {}", json!(field)), text).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newcomer_lives_by_passkey_and_keyboard() {
    let town = Town::new(Engine::Sqlite).await;
    let scope = Scope { optional: true, ..Scope::new("todo.write", "Add and remove items") };
    town.world.import(|plugin| plugin.scopes.put(scope).unwrap()).await;
    let (running, landing) = (&town.world.running, Landing::page());
    let callback = landing.url("/callback");
    let client = running.add_client(&town.world.plugin, Dialect::Plugin, &[&callback]).await;
    let chromium = Chromium::start().await;
    chromium.has_an_authenticator().await;
    let request = crate::harness::browser::authorize(&[
        ("response_type", "code"),
        ("client_id", &client.client_id),
        ("redirect_uri", &callback),
        ("scope", ""),
        ("state", "s"),
    ]);
    chromium.open(&format!("{}{request}", running.url)).await;
    chromium.looks_well("sign_in_with_passkey").await;
    choose(&chromium, "Make an account").await;
    write(&chromium, "email", "joan@example.com").await;
    choose(&chromium, "Send me a link").await;
    chromium.reads("Look into your mail").await;
    let (url, secret) = link(&town.mail_to("joan@example.com").await);
    chromium.open(&format!("{url}?link={secret}")).await;
    write(&chromium, "name", "Joan Clarke").await;
    write(&chromium, "password", "seven unlikely herons disagree").await;
    choose(&chromium, "Make the account").await;
    chromium.arrives(&format!("{}/consent", running.url)).await;

    chromium.open(&format!("{}/security", running.url)).await;
    write(&chromium, "name", "My laptop").await;
    choose(&chromium, "Add a passkey").await;
    chromium.reads("Your recovery codes").await;
    chromium.looks_well("recovery_codes").await;
    choose(&chromium, "I have kept them").await;
    chromium.reads("My laptop").await;
    chromium.reads("10 codes are left").await;
    chromium.looks_well("security").await;
    choose(&chromium, "Sign out").await;
    chromium.arrives(&format!("{}/signed-out", running.url)).await;

    // The password alone is not enough now; and a passkey will do as the second step.
    chromium.open(&format!("{}/sign-in", running.url)).await;
    write(&chromium, "email", "joan@example.com").await;
    write(&chromium, "password", "seven unlikely herons disagree").await;
    choose(&chromium, "Sign in").await;
    chromium.arrives(&format!("{}/second-step", running.url)).await;
    chromium.looks_well("second_step").await;
    choose(&chromium, "Use a passkey").await;
    chromium.reads("Joan Clarke").await;
    choose(&chromium, "Sign out").await;
    chromium.arrives(&format!("{}/signed-out", running.url)).await;

    chromium.open(&format!("{}{request}", running.url)).await;
    choose(&chromium, "Sign in with a passkey").await;
    chromium.arrives(&format!("{}/consent", running.url)).await;
    go_to(&chromium, "the scope", "at.value === 'todo.write'", SPACE).await;
    choose(&chromium, "Allow").await;
    let code = parameter(&chromium.arrives(&callback).await, "code").expect("a code");
    let (status, tokens) = running.redeem_at(&client, &code, &callback).await;
    assert_eq!((status.as_u16(), tokens["scope"].as_str()), (200, Some("todo.read")), "{tokens}");
    let service = town.world.client(Dialect::Service).await;
    let access = tokens["access_token"].as_str().expect("a token");
    assert_eq!(running.introspect(&service, access).await.1["active"], json!(true));

    chromium.open(&format!("{}/connected-apps", running.url)).await;
    choose(&chromium, "Disconnect").await;
    chromium.reads("One connection ended").await;
    assert_eq!(running.introspect(&service, access).await.1["active"], json!(false), "the next call is refused");
    let refresh = tokens["refresh_token"].as_str().expect("a token");
    assert_eq!(running.refresh(&client, refresh).await.0, 400);
}
