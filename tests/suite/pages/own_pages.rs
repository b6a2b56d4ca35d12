//! A person's way in a real browser, by keyboard where it matters: consent with one thing left out, the token that
//! carries only the rest, the app among their connected apps, and its end.

use consentry::model::{client::Dialect, scope::Scope};

use crate::harness::{
    browser::{authorize, parameter},
    chromium::Chromium,
    databases::Engine,
    landing::Landing,
    server::World,
};

const SPACE: &str = " ";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_unticked_stays_away_and_what_is_connected_is_ended() {
    let mut world = World::new(Engine::Sqlite).await;
    let optional = Scope { optional: true, ..Scope::new("todo.write", "Add and remove items") };
    world.plugin.scopes.put(optional).expect("room");
    world.import(|_| ()).await;
    let landing = Landing::page();
    let callback = landing.url("/callback");
    let client = world.running.add_client(&world.plugin, Dialect::Plugin, &[&callback]).await;
    let request = authorize(&[
        ("response_type", "code"),
        ("client_id", &client.client_id),
        ("redirect_uri", &callback),
        ("scope", "todo.read todo.write"),
        ("state", "s"),
    ]);
    let chromium = Chromium::start().await;
    chromium.open(&format!("{}{request}", world.running.url)).await;
    chromium.sign_in("ada@example.com").await;
    chromium.arrives(&format!("{}/consent", world.running.url)).await;
    chromium.looks_well("consent_choice").await;
    chromium.evaluate("document.querySelector('input[type=checkbox]').focus(); return null;").await;
    chromium.keys(SPACE).await;
    chromium.press("Allow").await;
    let left = chromium.arrives(&callback).await;
    let code = parameter(&left, "code").expect("a code");
    let (status, tokens) = world.running.redeem_at(&client, &code, &callback).await;
    assert_eq!((status.as_u16(), &tokens["scope"]), (200, &"todo.read".into()), "{tokens}");

    chromium.open(&format!("{}/connected-apps", world.running.url)).await;
    chromium.reads("See your to-do list").await;
    assert!(!chromium.text().await.contains("Add and remove items"));
    chromium.looks_well("connected_apps").await;
    chromium.press("Disconnect").await;
    chromium.reads("One connection ended").await;
    chromium.looks_well("connected_apps_ended").await;
    let service = world.client(Dialect::Service).await;
    let (_, told) = world.running.introspect(&service, tokens["access_token"].as_str().expect("a token")).await;
    assert_eq!(told["active"], false, "the next call is refused");

    chromium.open(&format!("{}/sessions", world.running.url)).await;
    chromium.reads("This browser").await;
    chromium.looks_well("sessions").await;
    chromium.press("Sign out everywhere and disconnect all apps").await;
    chromium.reads("You are signed out").await;
}
