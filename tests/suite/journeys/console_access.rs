//! An owner says in a real browser who may connect, is told whom that shuts out, and makes an account for reviewers, who
//! connect with it.

use consentry::model::{account::Role, client::Dialect};

use crate::harness::{
    browser::{Browser, parameter, plugin_request},
    chromium::Chromium,
    databases::Engine,
    server::World,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_says_who_may_connect() {
    let world = World::new(Engine::Sqlite).await;
    let owner = world.running.add_account_as("olive@example.com", "Olive Owner", Role::Owner).await;
    world.running.server.store.add_owner(world.plugin.id, owner, &world.running.operator()).await.unwrap();
    let client = world.client(Dialect::Plugin).await;
    let (_, tokens) = world.running.redeem(&client, &world.running.code(&client).await).await;
    let refresh = tokens["refresh_token"].as_str().unwrap();

    let chromium = Chromium::start().await;
    let at = |path: &str| format!("{}{path}", world.running.url);
    chromium.open(&at("/sign-in?next=console")).await;
    chromium.sign_in("olive@example.com").await;
    chromium.open(&at("/console/plugins/todo/access")).await;
    chromium.reads("Everybody with an account may connect").await;
    chromium.looks_well("console_access_open").await;
    let type_in = async |text: &str, button: &str| {
        let script = format!("document.querySelector('#who').value = {text:?}; return null;");
        chromium.evaluate(&script).await;
        chromium.press(button).await;
    };
    type_in("@corp", "Let only them in").await;
    chromium.reads("is not a whole domain").await;
    chromium.looks_well("console_access_wrong").await;
    type_in("@corp.example\ngrace@example.com", "Let only them in").await;
    chromium.reads("This shuts out between 1 and 4 people").await;
    chromium.looks_well("console_access_asked").await;
    assert_eq!(world.running.refresh(&client, refresh).await.0, 200, "not before it is confirmed");
    chromium.press("Shut them out").await;
    chromium.reads("Only these may connect").await;
    chromium.looks_well("console_access").await;
    assert_eq!(world.running.refresh(&client, refresh).await.0, 400);

    chromium.open(&at("/console/plugins/todo/reviewer")).await;
    chromium.reads("An account for reviewers").await;
    chromium.looks_well("console_reviewer_none").await;
    chromium.press("Make the account").await;
    chromium.reads("The password is shown this once").await;
    chromium.looks_well("console_reviewer_made").await;
    let shown = async |id: &str| {
        let text = chromium.evaluate(&format!("return document.querySelector('#{id}').textContent")).await;
        text.as_str().unwrap().to_owned()
    };
    let (name, password) = (shown("value-1").await, shown("value-2").await);
    chromium.open(&at("/console/plugins/todo/reviewer")).await;
    chromium.reads(&name).await;
    chromium.looks_well("console_reviewer").await;

    // One browser at a time: others' tests wait for theirs.
    drop(chromium);
    let reviewer = Chromium::start().await;
    reviewer.open(&at(&plugin_request(&client))).await;
    reviewer.sign_in_with(&name, &password).await;
    reviewer.arrives(&at("/consent")).await;
    reviewer.open(&at("/console")).await;
    reviewer.find(".emblem.bad").await;

    drop(reviewer);
    let outside = Chromium::start().await;
    outside.open(&at(&plugin_request(&client))).await;
    outside.sign_in("ada@example.com").await;
    outside.reads("is not open to you").await;
    outside.looks_well("closed").await;

    let browser = Browser::new(&world.running);
    let page = browser.get(&plugin_request(&client)).await.page();
    let (r, csrf) = (page.hidden("r"), page.hidden("csrf"));
    let fields = [("r", r.as_str()), ("csrf", &csrf), ("email", &name), ("password", &password)];
    let page = browser.post("/sign-in", &fields).await.page();
    let left = browser.decide(&page, "allow").await.left();
    let (status, _) = world.running.redeem(&client, &parameter(&left, "code").unwrap()).await;
    assert_eq!(status, 200);
}
