//! An owner at work in the console, in a real browser: from nothing to a plugin that says what it does.

use consentry::model::{account::Role, id::SessionId};

use crate::harness::{chromium::Chromium, databases::Engine, server::World};

/// An API's description with two permissions, one of which nobody has put into words.
const DESCRIPTION: &str = r#"{
  "openapi": "3.1.0",
  "components": { "securitySchemes": { "people": { "type": "oauth2", "flows": { "authorizationCode": {
    "authorizationUrl": "https://a.example/authorize", "tokenUrl": "https://a.example/token",
    "scopes": { "tasks.read": "See your tasks", "tasks.write": "" } } } } } }
}"#;

async fn fill(chromium: &Chromium, field: &str, text: &str) {
    let field = chromium.find(field).await;
    field.clear().await.expect("a field");
    field.send_keys(text).await.expect("a field");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_registers_a_plugin() {
    let world = World::new(Engine::Sqlite).await;
    world.running.add_account_as("owner@example.com", "Olive Owner", Role::Owner).await;
    let url = &world.running.url;
    let chromium = Chromium::start().await;
    chromium.open(&format!("{url}/console")).await;
    chromium.sign_in("owner@example.com").await;
    chromium.arrives(&format!("{url}/console")).await;
    chromium.reads("Register your first one").await;
    chromium.looks_well("console_empty").await;
    chromium.press("Register a plugin").await;
    chromium.reads("What do you want to connect").await;
    chromium.looks_well("console_kinds").await;
    chromium.press("A classic plugin").await;
    chromium.looks_well("console_new").await;
    fill(&chromium, "#name", "Example Tasks").await;
    fill(&chromium, "#description", "Keeps your tasks.").await;
    fill(&chromium, "#api_address", "https://tasks.example.com").await;
    fill(&chromium, "#contact_email", "help@elsewhere.org").await;
    fill(&chromium, "#legal_info_url", "https://example.com/legal").await;
    chromium.evaluate("document.querySelector('summary').click(); return null;").await;
    fill(&chromium, "#openapi", "not a description").await;
    chromium.press("Register").await;
    chromium.reads("Nothing was changed").await;
    chromium.reads("its domain must belong to").await;
    chromium.looks_well("console_new_wrong").await;
    fill(&chromium, "#contact_email", "help@example.com").await;
    fill(&chromium, "#openapi", DESCRIPTION).await;
    chromium.press("Register").await;
    chromium.arrives(&format!("{url}/console/plugins/example-tasks/scopes")).await;
    chromium.reads("Registered").await;
    chromium.looks_well("console_scopes").await;
    fill(&chromium, "#words-1", "Add and remove tasks").await;
    chromium.press("Save").await;
    chromium.arrives(&format!("{url}/console/plugins/example-tasks?")).await;
    chromium.reads("Add and remove tasks").await;
    chromium.looks_well("console_overview").await;
    chromium.press("All plugins").await;
    chromium.reads("tasks.example.com").await;
    chromium.looks_well("console_plugins").await;

    let kept = world.running.server.store.plugin_by_slug("example-tasks").await.unwrap().unwrap();
    assert_eq!(kept.manifest_text("description_for_model"), Some("Keeps your tasks."));
    let words: Vec<&str> = kept.scopes.iter().map(|scope| scope.words.as_str()).collect();
    assert_eq!(words, ["See your tasks", "Add and remove tasks"]);
}

/// Two people have the same page open: the second is told, and nothing of either is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_second_of_two_who_save_is_told() {
    let world = World::new(Engine::Sqlite).await;
    let owner = world.running.add_account_as("owner@example.com", "Olive Owner", Role::Admin).await;
    world.running.server.store.add_owner(world.plugin.id, owner, &world.running.operator()).await.unwrap();
    let page = format!("{}/console/plugins/todo/listing", world.running.url);
    let [one, other] = [Chromium::start().await, Chromium::start().await];
    for chromium in [&one, &other] {
        chromium.open(&format!("{}/sign-in?next=console", world.running.url)).await;
        chromium.sign_in("owner@example.com").await;
        chromium.open(&page).await;
        chromium.find("#name").await;
    }
    fill(&one, "#name", "First").await;
    one.press("Save").await;
    one.reads("Saved.").await;
    fill(&other, "#name", "Second").await;
    other.press("Save").await;
    other.reads("Somebody else has changed this plugin").await;
    let typed = other.evaluate("return document.querySelector('#name').value").await;
    assert_eq!(typed, "Second", "what was typed is still there");
    let kept = world.running.server.store.plugin_by_slug("todo").await.unwrap().unwrap();
    assert_eq!((kept.name(), kept.version), ("First", 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_was_signed_out_loses_nothing_of_what_they_typed() {
    let world = World::new(Engine::Sqlite).await;
    let admin = world.running.add_account_as("admin@example.com", "Adam Admin", Role::Admin).await;
    let store = &world.running.server.store;
    let at = |path: &str| format!("{}{path}", world.running.url);
    let chromium = Chromium::start().await;
    chromium.open(&at("/sign-in?next=console")).await;
    chromium.sign_in("admin@example.com").await;
    chromium.open(&at("/console/plugins/todo/listing")).await;
    fill(&chromium, "#name", "Typed \"before\" <that>").await;
    let none = SessionId(uuid::Uuid::nil());
    assert_eq!(store.end_other_sessions(admin, none, &world.running.operator()).await.unwrap(), 1);
    chromium.press("Save").await;
    chromium.reads("what you typed is still here").await;
    chromium.looks_well("console_again").await;
    let way = chromium.evaluate("return document.querySelector('a[target=_blank]').href").await;
    chromium
        .in_another_tab(async || {
            chromium.open(way.as_str().unwrap()).await;
            chromium.sign_in("admin@example.com").await;
            chromium.find(".places").await;
        })
        .await;
    chromium.press("Send it once more").await;
    chromium.reads("Saved.").await;
    let kept = store.plugin_by_slug("todo").await.unwrap().unwrap();
    assert_eq!(kept.name(), "Typed \"before\" <that>");
}
