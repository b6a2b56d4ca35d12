//! API keys that go elsewhere because their plugin's API is said to be there: moving one that has keys takes what changing
//! a key takes, a fresh proof in the console and `secrets:write` in the owners' API.

use chrono::TimeDelta;
use consentry::{
    clock::Clock,
    model::{id::AccountId, plugin::Plugin},
    registry::plugin_secrets::{self, SettingsForm},
    vault::SecretValue,
};
use serde_json::{Value, json};

use super::by_hand::{Answer, ByHand};
use crate::{
    harness::{
        chromium::Chromium,
        databases::Engine,
        program::{Program, all_scopes, make},
        server::{Options, PASSWORD, World},
    },
    on_both_engines,
};

const LISTING: &str = "/console/plugins/own/listing";
const ELSEWHERE: &str = "https://elsewhere.example";

/// A server at a time of the test's own, with a plugin of an owner's, and a program that may do everything for them.
async fn owned(engine: Engine) -> (World, Program, AccountId, Plugin) {
    let clock = Clock::standing_at(chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap());
    let world = World::with(engine, Options { clock, ..Options::default() }).await;
    let (program, account) = Program::of_a_new_owner(&world.running, "owner@example.com").await;
    let own = world.running.add_plugin_at("own", "own.example").await;
    world.running.server.store.add_owner(own.id, account, &world.running.operator()).await.unwrap();
    (world, program, account, own)
}

async fn put_a_key(world: &World, plugin: &Plugin) {
    let form = SettingsForm { routes: vec!["* /*".into()], ..SettingsForm::default() };
    let (ring, value) = (world.running.server.keyring.current(), SecretValue::new("First-9fK2xQ7b".to_owned()));
    plugin_secrets::put(&world.running.registry(), &ring, (plugin.id, "upstream-key"), &value, &form).await.unwrap();
}

async fn host(world: &World) -> String {
    world.running.server.store.plugin_by_slug("own").await.unwrap().unwrap().host.to_string()
}

/// Saves the listing as it is, but for its address and its name.
async fn save(world: &World, browser: &ByHand, address: &str, name: &str) -> Answer {
    let form = browser.get(&world.running, LISTING).await;
    let (csrf, account, version) = (form.hidden("csrf"), form.hidden("account"), form.hidden("version"));
    let fields = [
        ("csrf", csrf.as_str()),
        ("account", &account),
        ("version", &version),
        ("name", name),
        ("api_address", address),
        ("description", "Keeps your list."),
        ("contact_email", "owner@own.example"),
        ("legal_info_url", "https://own.example/legal"),
    ];
    browser.post(&world.running, LISTING, &fields).await
}

/// The listing as it is, with another address, as a program sends it.
async fn moved(program: &Program, address: &str) -> Value {
    let plugin = program.call("GET", "/plugins/own").await.json;
    let mut listing = plugin["listing"].clone();
    listing["api_address"] = json!(address);
    json!({ "version": plugin["version"], "listing": listing })
}

on_both_engines! {
    async fn a_browser_left_open_moves_no_api_that_has_keys(engine) {
        let (world, _, _, own) = owned(engine).await;
        let running = &world.running;
        let browser = ByHand::signed_in(running, "owner@example.com").await;
        running.server.clock.advance(TimeDelta::minutes(11));
        // Nothing goes there yet.
        assert_eq!(save(&world, &browser, "https://first.example", "Own").await.status, 303);
        assert_eq!(host(&world).await, "first.example");
        put_a_key(&world, &own).await;
        let before = world.database.count("audit_events").await;
        let page = browser.get(running, LISTING).await.body;
        assert!(page.contains("API keys go to this address") && page.contains("/prove?next=console.plugins/own/listing"));
        for address in [ELSEWHERE, "https://FIRST.example:8443", "https://own.example"] {
            let refused = save(&world, &browser, address, "Typed meanwhile").await;
            assert_eq!(refused.status, 422, "{address}");
            assert!(refused.body.contains("show once more that it is you"), "{}", refused.body);
            assert!(refused.body.contains("Typed meanwhile"), "what was typed stays");
        }
        assert_eq!((host(&world).await.as_str(), world.database.count("audit_events").await), ("first.example", before));
        // What moves nothing is not asked for it.
        assert_eq!(save(&world, &browser, "https://First.Example/", "Named anew").await.status, 303);

        let prove = browser.get(running, "/prove?next=console.plugins/own/listing").await;
        let proof = [("csrf", prove.hidden("csrf")), ("next", "console.plugins/own/listing".into()), ("password", PASSWORD.into())];
        let proof: Vec<(&str, &str)> = proof.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(browser.post(running, "/prove", &proof).await.redirect(), LISTING);
        assert!(!browser.get(running, LISTING).await.body.contains("API keys go to this address"));
        assert_eq!(save(&world, &browser, ELSEWHERE, "Named anew").await.status, 303);
        assert_eq!(host(&world).await, "elsewhere.example");
    }

    async fn a_token_without_the_scope_moves_no_api_that_has_keys(engine) {
        let (world, all, account, own) = owned(engine).await;
        let others: Vec<&str> = all_scopes().into_iter().filter(|scope| *scope != "secrets:write").collect();
        let program = Program::with(&world.running, make(&world.running, account, &others).await.secret.reveal());
        program.must("PUT", "/plugins/own/listing", &moved(&program, "https://first.example").await).await;
        put_a_key(&world, &own).await;
        let changes = world.database.audited("plugin.imported").await;
        let refused = program.call_with("PUT", "/plugins/own/listing", &moved(&program, ELSEWHERE).await).await;
        assert_eq!(refused.status, 403, "{}", refused.json);
        assert_eq!(refused.header("www-authenticate"), "Bearer error=\"insufficient_scope\", scope=\"secrets:write\"");
        assert_eq!((host(&world).await.as_str(), world.database.audited("plugin.imported").await), ("first.example", changes));
        consentry::jobs::notes::keep(&world.running.server).await.unwrap();
        assert_eq!(world.database.audited("owner_token.refused").await, 1);
        let mut named = moved(&program, "https://first.example").await;
        named["listing"]["name"] = json!("Named anew");
        assert_eq!(program.must("PUT", "/plugins/own/listing", &named).await["listing"]["name"], "Named anew");
        all.must("PUT", "/plugins/own/listing", &moved(&all, ELSEWHERE).await).await;
        assert_eq!(host(&world).await, "elsewhere.example");
        // Once there is none left, nothing goes there.
        assert_eq!(all.call("DELETE", "/plugins/own/secrets/upstream-key").await.status, 204);
        program.must("PUT", "/plugins/own/listing", &moved(&program, "https://first.example").await).await;
    }
}

/// The way that the page offers keeps what was typed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_moves_an_api_that_has_keys_shows_that_it_is_them_in_another_tab() {
    let (world, _, _, own) = owned(Engine::Sqlite).await;
    let running = &world.running;
    put_a_key(&world, &own).await;
    let chromium = Chromium::start().await;
    let at = |path: &str| format!("{}{path}", running.url);
    chromium.open(&at("/sign-in?next=console.plugins/own/listing")).await;
    chromium.sign_in("owner@example.com").await;
    chromium.arrives(&at(LISTING)).await;
    running.server.clock.advance(TimeDelta::minutes(11));
    chromium.open(&at(LISTING)).await;
    chromium.reads("API keys go to this address").await;
    chromium.looks_well("console_listing_keys").await;
    for (field, text) in
        [("#api_address", ELSEWHERE), ("#contact_email", "owner@own.example"), ("#name", "Typed meanwhile")]
    {
        let field = chromium.find(field).await;
        field.clear().await.unwrap();
        field.send_keys(text).await.unwrap();
    }
    chromium.press("Save").await;
    chromium.reads("Nothing was changed").await;
    chromium.looks_well("console_listing_unproven").await;
    let way = chromium.evaluate("return document.querySelector('form a[target=_blank]').href").await;
    chromium
        .in_another_tab(async || {
            chromium.open(way.as_str().unwrap()).await;
            chromium.find("#password").await.send_keys(PASSWORD).await.unwrap();
            chromium.keys("\u{e007}").await;
            chromium.arrives(&at(LISTING)).await;
        })
        .await;
    chromium.press("Save").await;
    chromium.arrives(&at("/console/plugins/own?")).await;
    let kept = running.server.store.plugin_by_slug("own").await.unwrap().unwrap();
    assert_eq!((kept.host.to_string().as_str(), kept.name()), ("elsewhere.example", "Typed meanwhile"));
}
