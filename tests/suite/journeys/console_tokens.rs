//! An owner makes a token in a real browser, their program uses it, and both see it end; then they are asked
//! before they disable a client ID, and delete it.

use consentry::model::{account::Role, client::Dialect};

use crate::harness::{chromium::Chromium, databases::Engine, server::World};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_makes_a_token_and_deletes_a_client_id() {
    let world = World::new(Engine::Sqlite).await;
    let running = &world.running;
    let owner = running.add_account_as("olive@example.com", "Olive Owner", Role::Owner).await;
    running.server.store.add_owner(world.plugin.id, owner, &running.operator()).await.unwrap();
    let client = world.client(Dialect::Plugin).await;
    running.redeem(&client, &running.code(&client).await).await;

    let chromium = Chromium::start().await;
    let at = |path: &str| format!("{}{path}", running.url);
    chromium.open(&at("/sign-in?next=tokens")).await;
    chromium.sign_in("olive@example.com").await;
    chromium.open(&at("/console/tokens")).await;
    chromium.reads("There is none").await;
    chromium.looks_well("console_tokens_none").await;
    chromium.evaluate("document.querySelector('[name=name]').value = 'The build'; return null;").await;
    chromium.press("Make it").await;
    chromium.reads("nothing is chosen that it may be used for").await;
    chromium.looks_well("console_tokens_wrong").await;
    let fill = "document.querySelector('[value=\"plugins:read\"]').click(); return null;";
    chromium.evaluate(fill).await;
    chromium.press("Make it").await;
    chromium.reads("The token is shown this once").await;
    chromium.looks_well("console_tokens_made").await;
    let shown = chromium.evaluate("return document.querySelector('#value-token').textContent").await;
    let token = shown.as_str().unwrap().to_owned();
    let asks = async || {
        let plugins = reqwest::Client::new().get(at("/api/v1/plugins")).bearer_auth(&token);
        plugins.send().await.unwrap().status().as_u16()
    };
    assert_eq!(asks().await, 200);
    chromium.open(&at("/console/tokens")).await;
    chromium.reads("The build").await;
    assert!(!chromium.text().await.contains(&token), "shown once");
    chromium.looks_well("console_tokens").await;
    chromium.press("End it now").await;
    chromium.reads("There is none").await;
    assert_eq!(asks().await, 401);

    let page = at(&format!("/console/plugins/todo/clients/{}", client.client_id));
    chromium.open(&page).await;
    chromium.press("Remove").await;
    chromium.reads("Remove this callback?").await;
    chromium.looks_well("console_ask_callback").await;
    chromium.press("Leave it as it is").await;
    chromium.press("Disable it").await;
    chromium.reads("One connection through it ends").await;
    chromium.looks_well("console_ask_disable").await;
    assert!(running.server.store.client(&client.client_id, running.server.clock.now()).await.unwrap().unwrap().enabled);
    chromium.press("Disable it").await;
    chromium.press("Enable it again").await;
    chromium.reads("Enabled again.").await;
    running.redeem(&client, &running.code(&client).await).await;
    chromium.open(&format!("{page}/delete")).await;
    chromium.reads("One connection through it ends").await;
    chromium.looks_well("console_delete_client").await;
    chromium.press("Delete it for good").await;
    chromium.find(".plugin-head").await;
    assert!(!chromium.text().await.contains(&client.client_id));
    chromium.has_a_quiet_console().await;
}
