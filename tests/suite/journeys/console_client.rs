//! An owner takes a scope from a client in a real browser, and is told what that means and what is not to be had.

use consentry::model::{account::Role, client::Dialect};

use crate::harness::{chromium::Chromium, databases::Engine, server::World};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_takes_a_scope_from_a_client() {
    let world = World::new(Engine::Sqlite).await;
    let owner = world.running.add_account_as("olive@example.com", "Olive Owner", Role::Owner).await;
    world.running.server.store.add_owner(world.plugin.id, owner, &world.running.operator()).await.unwrap();
    let client = world.client(Dialect::Plugin).await;
    let (_, tokens) = world.running.redeem(&client, &world.running.code(&client).await).await;

    let chromium = Chromium::start().await;
    chromium.open(&format!("{}/sign-in?next=console", world.running.url)).await;
    chromium.sign_in("olive@example.com").await;
    chromium.open(&format!("{}/console/plugins/todo/clients/{}", world.running.url, client.client_id)).await;
    chromium.reads("connections go on without it, from their next refresh").await;
    chromium.reads("Add and remove items").await;
    chromium.looks_well("console_client").await;
    let ticks = async || {
        let script = "return [...document.querySelectorAll('[name=scope]')].map(it => it.checked).join()";
        chromium.evaluate(script).await.as_str().unwrap().to_owned()
    };
    assert_eq!(ticks().await, "true,true");
    let toggle = async |number: usize| chromium.find(&format!("#may-{number}")).await.click().await.unwrap();
    toggle(1).await;
    toggle(2).await;
    chromium.press("Save what it may ask for").await;
    chromium.reads("leave it at least one").await;
    assert_eq!(ticks().await, "false,false", "as it was ticked");
    chromium.looks_well("console_client_wrong").await;
    toggle(1).await;
    chromium.press("Save what it may ask for").await;
    chromium.reads("Saved.").await;
    assert_eq!(ticks().await, "true,false");
    let (_, refreshed) = world.running.refresh(&client, tokens["refresh_token"].as_str().unwrap()).await;
    assert_eq!(refreshed["scope"], "todo.read");
}
