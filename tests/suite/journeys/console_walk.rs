//! A newcomer in a real browser: from an invitation to a verified plugin, a GPT's action and a connection of their own.
//! What is typed and pressed on the way is counted.

use std::cell::Cell;

use consentry::{
    jobs,
    model::{account::Role, plugin::PluginState},
    outbound,
    protocol::manifest,
    server::people,
};
use serde_json::Value;

use crate::harness::{
    chromium::Chromium,
    databases::Engine,
    landing::Landing,
    published::{HOST, TOKEN},
    server::{Options, PASSWORD, World},
    strangers::{Strangers, answer::Answer},
};

/// What may be typed and pressed in all. Whoever makes the way longer says so here.
const FIELDS_MAX: u32 = 16;
const CLICKS_MAX: u32 = 30;

/// A browser, and what its person has done in it.
struct Walker {
    chromium: Chromium,
    url: String,
    fields: Cell<u32>,
    clicks: Cell<u32>,
}

impl Walker {
    async fn types(&self, field: &str, text: &str) {
        self.fields.set(self.fields.get() + 1);
        let field = self.chromium.find(&format!("main [name={field}]:not([type=hidden])")).await;
        field.clear().await.expect("a field");
        field.send_keys(text).await.expect("a field");
    }

    async fn presses(&self, words: &str) {
        self.clicks.set(self.clicks.get() + 1);
        self.chromium.press(words).await;
    }

    async fn presses_at(&self, css: &str) {
        self.clicks.set(self.clicks.get() + 1);
        self.chromium.find(css).await.click().await.expect("something to press");
    }

    async fn arrives(&self, path: &str) {
        self.chromium.arrives(&format!("{}{path}", self.url)).await;
    }

    async fn pastes_description(&self, description: &str) {
        self.presses_at("summary").await;
        self.types("openapi", description).await;
    }
}

/// An API's description with one permission and one thing to read at that address.
fn description(server: &str) -> String {
    format!(
        "{{\"openapi\":\"3.1.0\",\"servers\":[{{\"url\":\"{server}\"}}],\"paths\":{{\"/tasks\":{{\"get\":{{}}}}}},\
         \"components\":{{\"securitySchemes\":{{\"people\":{{\"type\":\"oauth2\",\"flows\":{{\"authorizationCode\":{{\
         \"authorizationUrl\":\"https://a.example/a\",\"tokenUrl\":\"https://a.example/t\",\
         \"scopes\":{{\"tasks.read\":\"See your tasks\"}}}}}}}}}}}}}}"
    )
}

/// A world with a host of somebody's own on the internet, and this computer within reach.
async fn world(strangers: &Strangers) -> World {
    let mut allow = strangers.settings().allow;
    for range in ["127.0.0.0/8", "::1/128"] {
        allow.push(range.parse().unwrap());
    }
    let outbound = outbound::Settings { allow, ..strangers.settings() };
    World::with(Engine::Sqlite, Options { outbound, ..Options::default() }).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_newcomer_goes_from_an_invitation_to_a_connection() {
    let strangers = Strangers::new();
    let public = strangers.host(HOST);
    // This server reaches itself by the name that people reach it by.
    strangers.lead("localhost", &["127.0.0.1:0".parse().unwrap()]);
    let world = world(&strangers).await;
    let running = &world.running;
    let server = &running.server;
    let email = "olive@example.com".parse().unwrap();
    let invited = people::invitation(&server.store, &running.url, (&email, Role::Owner), &running.operator()).await;
    let (link, _) = invited.unwrap().expect("an invitation");
    let api = Landing::page();
    let walker = Walker {
        chromium: Chromium::start().await,
        url: running.url.clone(),
        fields: Cell::new(0),
        clicks: Cell::new(0),
    };
    let chromium = &walker.chromium;

    // An account, by the link of the invitation.
    chromium.open(&link).await;
    walker.types("name", "Olive Owner").await;
    walker.types("password", PASSWORD).await;
    walker.presses_at("main button.primary").await;
    walker.arrives("/console").await;

    // A classic plugin, until it is verified.
    walker.presses("Register a plugin").await;
    walker.presses("A classic plugin").await;
    walker.types("name", "Example Tasks").await;
    walker.types("description", "Keeps your tasks.").await;
    walker.types("api_address", &format!("https://{HOST}")).await;
    walker.types("legal_info_url", &format!("https://{HOST}/legal")).await;
    walker.types("contact_email", "help@todo.example").await;
    walker.pastes_description(&description(&format!("https://{HOST}"))).await;
    chromium.reads("Allow ChatGPT to use Example Tasks?").await;
    chromium.reads("See your tasks").await;
    chromium.looks_well("console_preview").await;
    walker.presses("Register").await;
    walker.arrives("/console/plugins/example-tasks/scopes").await;
    walker.presses("Save").await;
    walker.presses("Create a client ID, and paste it into the other program").await;
    chromium.looks_well("console_new_client").await;
    walker.presses_at("#preset option[value=plugin]").await;
    walker.presses("Create it").await;
    chromium.reads("OAuth Client ID").await;
    chromium.looks_well("console_handover").await;
    walker.presses_at("main a.button.primary").await;
    walker.types("callback", "https://chat.openai.com/aip/plugin-1f2e/oauth/callback").await;
    walker.presses("Add the callback").await;
    chromium.reads("https://chatgpt.com/aip/plugin-1f2e/oauth/callback").await;
    chromium.looks_well("console_client").await;
    walker.presses("Verification").await;
    walker.types("token", TOKEN).await;
    walker.presses("Publish the token").await;
    chromium.reads("The token is published").await;
    // What the host answers is what this server serves for it: its owner sends such requests on.
    let asking = reqwest::Client::new().get(format!("{}{}", running.own, manifest::PLACE)).header("host", HOST);
    let document: Value = asking.send().await.unwrap().json().await.unwrap();
    public.answer(manifest::PLACE, Answer::json(&document));
    walker.presses("Check now").await;
    chromium.reads("Verified").await;
    chromium.looks_well("console_verification").await;
    let verified = server.store.plugin_by_slug("example-tasks").await.unwrap().unwrap();
    assert_eq!(verified.state, PluginState::Verified);
    walker.presses("Client IDs").await;
    chromium.reads("Ready").await;
    chromium.looks_well("console_clients").await;

    // A GPT's action, on this server under its other name.
    walker.presses("All plugins").await;
    walker.presses("Register a plugin").await;
    walker.presses("An action of a custom GPT").await;
    walker.types("name", "Example Lists").await;
    walker.types("description", "Keeps your lists.").await;
    let own = running.own.replace("localhost", "127.0.0.1");
    walker.types("api_address", &own).await;
    walker.types("legal_info_url", "https://example.com/legal").await;
    walker.pastes_description(&description(&api.url(""))).await;
    walker.presses("Register").await;
    walker.arrives("/console/plugins/example-lists/scopes").await;
    walker.presses("Save").await;
    walker.presses("Create a client ID, and paste it into the other program").await;
    walker.presses("Create it").await;
    chromium.reads("Token Exchange Method").await;
    walker.presses_at("main a.button.primary").await;
    walker.types("callback", "https://chat.openai.com/aip/g-1f2e/oauth/callback").await;
    walker.presses("Add the callback").await;
    chromium.reads("https://chatgpt.com/aip/g-1f2e/oauth/callback").await;

    // They connect to it themselves.
    walker.presses("Is it working?").await;
    chromium.reads("Nobody has tried to connect").await;
    walker.presses("Try it as ChatGPT").await;
    chromium.reads("Allow Your own try-out to use Example Lists?").await;
    chromium.looks_well("console_try_out_asked").await;
    walker.presses("Allow").await;
    chromium.reads("A connection was made, used and renewed, and then ended.").await;
    chromium.looks_well("console_try_out").await;
    assert!(api.asked().iter().any(|asked| asked.contains("/tasks")), "{:?}", api.asked());
    jobs::flows::keep(server).await.unwrap();
    walker.presses("The same attempt as this server saw it").await;
    chromium.reads("Step by step").await;
    for step in ["Request", "Answer", "Sent back", "Tokens"] {
        chromium.reads(step).await;
    }
    jobs::counts::keep(server).await.unwrap();
    walker.presses("Numbers").await;
    chromium.reads("Token requests").await;
    chromium.looks_well("console_numbers").await;
    let drawn = chromium.evaluate("return document.querySelector('main').innerText").await;
    assert!(drawn.as_str().is_some_and(|text| text.contains('2')), "{drawn}");

    let (fields, clicks) = (walker.fields.get(), walker.clicks.get());
    println!("a newcomer types {fields} fields and presses {clicks} times");
    assert!(fields <= FIELDS_MAX && clicks <= CLICKS_MAX, "{fields} fields and {clicks} clicks");
}
