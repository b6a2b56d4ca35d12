//! An owner puts an API key away in the console, says where it is used, replaces it and removes it; nobody is shown it again.

use chrono::{DateTime, TimeDelta};
use consentry::{
    clock::Clock,
    keys::place::Place,
    model::{
        account::Role,
        id::SecretVersionId,
        plugin_secret::SecretSource,
        rotator::{Rotator, Way},
    },
    registry::plugin_secrets::{self, SettingsForm},
    store::plugin_secrets::PluginSecret,
    vault::SecretValue,
};

use crate::{
    attacks::by_hand::ByHand,
    harness::{
        chromium::Chromium,
        databases::Engine,
        server::{Options, World},
    },
    on_both_engines,
};

const LIST: &str = "/console/plugins/todo/secrets";
const PAGE: &str = "/console/plugins/todo/secrets/upstream-key";
const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";

/// A server at a time of the test's own, on which Olive owns the plugin. Its rotators are chosen and never asked.
async fn owned(engine: Engine) -> (World, Clock) {
    let clock = Clock::standing_at(DateTime::from_timestamp(1_800_000_000, 0).unwrap());
    let rotator = |name: &str, for_owners| {
        let way = Way::Command(vec!["/bin/false".to_owned()]);
        Rotator { name: name.to_owned(), for_owners, way }
    };
    let rotators = vec![rotator("openai", true), rotator("operators", false)];
    let world = World::with(engine, Options { clock: clock.clone(), rotators, ..Options::default() }).await;
    let olive = world.running.add_account_as("olive@example.com", "Olive Owner", Role::Owner).await;
    world.running.server.store.add_owner(world.plugin.id, olive, &world.running.operator()).await.unwrap();
    (world, clock)
}

async fn kept(world: &World, name: &str) -> PluginSecret {
    plugin_secrets::find(&world.running.registry(), world.plugin.id, name).await.unwrap()
}

/// The value that goes into requests now.
async fn used(world: &World) -> String {
    let (server, plugin) = (&world.running.server, world.plugin.id);
    let secrets = server.store.injectable_secrets(plugin).await.unwrap();
    let [secret] = secrets.as_slice() else { panic!("{} keys go into requests", secrets.len()) };
    let id = SecretVersionId::of(plugin, secret.id, secret.number);
    let value = Place::PluginSecret(id).open(&server.keyring.current(), &secret.sealed).expect("it opens");
    String::from_utf8(value).unwrap()
}

on_both_engines! {
    async fn a_key_is_put_away_changed_replaced_and_removed(engine) {
        let (world, _) = owned(engine).await;
        let running = &world.running;
        let browser = ByHand::signed_in(running, "olive@example.com").await;
        let post = async |path: &str, fields: &[(&str, &str)]| {
            let page = browser.get(running, path).await;
            let (csrf, account) = (page.hidden("csrf"), page.hidden("account"));
            browser.post(running, path, &[&[("csrf", csrf.as_str()), ("account", &account)], fields].concat()).await
        };
        let new = [
            ("name", "upstream-key"), ("value", "  First-9fK2xQ7b\n"), ("routes", "GET /items/{id}\r\n\r\n post /items"),
            ("header", "Authorization"), ("prefix", ""), ("rotate_every", "90d"),
        ];
        let done = post(LIST, &new).await;
        assert_eq!(done.redirect(), format!("{PAGE}?done=put-away"));
        let secret = kept(&world, "upstream-key").await;
        let expected = SettingsForm {
            prefix: Some("Bearer ".into()), routes: vec!["GET /items/{id}".into(), "POST /items".into()],
            rotate_every: "90d".into(), ..SettingsForm::default()
        };
        assert_eq!(SettingsForm::from(&secret.settings), expected);
        assert_eq!(used(&world).await, "First-9fK2xQ7b");
        let twice = post(LIST, &new).await;
        assert!(twice.status == 422 && twice.body.contains("there is one of the name upstream-key"), "{}", twice.body);
        assert!(twice.body.contains("POST /items") || twice.body.contains("post /items"), "what was typed is kept");

        let (revision, version) = (secret.revision.to_string(), "1");
        let usage = [
            ("change", "change"), ("revision", revision.as_str()), ("routes", "* /v1/*"), ("header", "x-api-key"),
            ("prefix", "Bearer "), ("rotate_every", "never"), ("grace", "7d"),
        ];
        assert_eq!(post(PAGE, &usage).await.redirect(), format!("{PAGE}?done=saved"));
        let secret = kept(&world, "upstream-key").await;
        let expected = SettingsForm {
            header: "x-api-key".into(), prefix: Some(String::new()), routes: vec!["* /v1/*".into()], grace: "7d".into(),
            ..SettingsForm::default()
        };
        assert_eq!(SettingsForm::from(&secret.settings), expected);
        let late = post(PAGE, &usage).await;
        assert!(late.status == 422 && late.body.contains("Somebody else has changed this API key"), "{}", late.body);
        let revision = secret.revision.to_string();
        let wrong = [("change", "change"), ("revision", revision.as_str()), ("routes", "v1"), ("header", "Host"), ("prefix", "é")];
        let wrong = post(PAGE, &wrong).await;
        assert!(wrong.status == 422 && wrong.body.contains("value=\"Host\"") && wrong.body.contains(">v1</textarea>"), "{}", wrong.body);

        let next = [("change", "rotate"), ("version", version), ("grace", "1d"), ("value", "Second-3mP8vL0c")];
        assert_eq!(post(PAGE, &next).await.redirect(), format!("{PAGE}?done=replaced"));
        assert_eq!(post(PAGE, &next).await.status, 422, "somebody was faster, perhaps their own second press");
        assert_eq!(used(&world).await, "Second-3mP8vL0c");
        let page = browser.get(running, PAGE).await.body;
        assert!(page.contains("good until 16 January 2027, 08:00 UTC"), "{page}");
        assert_eq!(post(PAGE, &[("change", "end"), ("number", "1")]).await.redirect(), format!("{PAGE}?done=version-ended"));
        assert_eq!(post(PAGE, &[("change", "end"), ("number", "1")]).await.status, 404);
        assert_eq!(post(PAGE, &[("change", "end"), ("number", "2")]).await.status, 422, "the newest");
        let asked = post(PAGE, &[("change", "remove")]).await;
        assert!(asked.status == 200 && asked.body.contains("* /v1/*"), "what stops working: {}", asked.body);
        assert_eq!(used(&world).await, "Second-3mP8vL0c");
        let gone = post(PAGE, &[("change", "remove"), ("confirmed", "yes")]).await;
        assert_eq!(gone.redirect(), format!("{LIST}?done=key-removed"));
        assert_eq!(browser.get(running, PAGE).await.status, 404);
        assert!(running.server.store.injectable_secrets(world.plugin.id).await.unwrap().is_empty());
        let count = async |action: &str| world.database.audited(&format!("secret.{action}")).await;
        let counts = [count("added").await, count("changed").await, count("rotated").await, count("version_ended").await, count("removed").await];
        assert_eq!(counts, [1; 5]);
    }

    async fn a_key_is_given_to_a_rotator_and_taken_back(engine) {
        let (world, _) = owned(engine).await;
        let running = &world.running;
        let browser = ByHand::signed_in(running, "olive@example.com").await;
        let post = async |path: &str, fields: &[(&str, &str)]| {
            let page = browser.get(running, path).await;
            let (csrf, account) = (page.hidden("csrf"), page.hidden("account"));
            browser.post(running, path, &[&[("csrf", csrf.as_str()), ("account", &account)], fields].concat()).await
        };
        let new = [("name", "upstream-key"), ("value", "First-9fK2xQ7b"), ("rotator", "openai"), ("rotate_every", "never")];
        let wrong = post(LIST, &new).await;
        assert!(wrong.status == 422 && wrong.body.contains("say how often"), "{}", wrong.body);
        assert!(wrong.body.contains("value=\"openai\" selected"), "what was chosen stays: {}", wrong.body);
        let new = [&new[..3], &[("rotate_every", "90d")]].concat();
        assert_eq!(post(LIST, &new).await.redirect(), format!("{PAGE}?done=put-away"));
        let source = async || kept(&world, "upstream-key").await.settings.source;
        assert_eq!(source().await, SecretSource::Rotator("openai".into()));
        let host = format!(">{}</bdi>", world.plugin.host);
        assert!(browser.get(running, LIST).await.body.contains(&host), "where they go");
        let page = browser.get(running, PAGE).await.body;
        assert!(page.contains("<dt>Goes to</dt>") && page.contains(&host), "{page}");
        assert!(page.contains("the rotator openai") && page.contains("value=\"openai\" selected"), "{page}");
        let change = async |maker: &str| {
            let revision = kept(&world, "upstream-key").await.revision.to_string();
            let usage = [("change", "change"), ("revision", revision.as_str()), ("rotator", maker), ("grace", "1d")];
            post(PAGE, &usage).await
        };
        assert_eq!(change("by hand").await.redirect(), format!("{PAGE}?done=saved"));
        assert_eq!(source().await, SecretSource::People);
        assert_eq!(change("openai").await.redirect(), format!("{PAGE}?done=saved"));
        assert_eq!(source().await, SecretSource::Rotator("openai".into()));

        // An address inside the operator's network is theirs alone.
        world.database.execute("update plugins set upstream = 'http://10.1.2.3:8080'").await;
        for path in [LIST, PAGE] {
            let page = browser.get(running, path).await.body;
            assert!(page.contains("the address that the operator") && !page.contains("10.1.2.3"), "{page}");
        }

        // What the operator has set up is shown. A rotator that is not for owners stays until they leave it, for good.
        let (registry, ring) = (running.registry(), running.server.keyring.current());
        let value = SecretValue::new("Second-3mP8vL0c".to_owned());
        for (name, source) in [
            ("rotated", SecretSource::Rotator("operators".into())),
            ("followed", SecretSource::Reference("file:/run/upstream".into())),
        ] {
            let form = SettingsForm { rotate_every: "90d".into(), source: source.clone(), ..SettingsForm::default() };
            plugin_secrets::put(&registry, &ring, (world.plugin.id, name), &value, &form).await.unwrap();
            let path = format!("{LIST}/{name}");
            let page = browser.get(running, &path).await.body;
            assert!(page.contains("New keys come from"), "{page}");
            let is_followed = name == "followed";
            assert_eq!(page.contains("name=\"rotator\""), !is_followed, "{page}");
            assert_eq!(page.contains("value=\"operators\" selected"), !is_followed, "{page}");
            let save = async |maker: &str| {
                let revision = kept(&world, name).await.revision.to_string();
                post(&path, &[("change", "change"), ("revision", &revision), ("rotator", maker)]).await
            };
            if is_followed {
                for maker in ["openai", "by hand"] {
                    let answer = save(maker).await;
                    assert_eq!(answer.status, 422, "{maker}: {}", answer.body);
                }
                assert_eq!(kept(&world, name).await.settings.source, source);
                continue;
            }
            assert_eq!(save("operators").await.status, 303);
            assert_eq!(kept(&world, name).await.settings.source, source);
            assert_eq!(save("by hand").await.status, 303);
            assert_eq!(kept(&world, name).await.settings.source, SecretSource::People);
            assert_eq!(save("operators").await.status, 422, "it is not theirs to choose");
            assert!(!browser.get(running, &path).await.body.contains("value=\"operators\""));
        }
    }
}

/// The same in a real browser, by keyboard alone; every page on the way is fit to be seen.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_owner_looks_after_keys_in_a_browser() {
    let (world, clock) = owned(Engine::Sqlite).await;
    let running = &world.running;
    let chromium = Chromium::start().await;
    let at = |path: &str| format!("{}{path}", running.url);
    chromium.open(&at("/sign-in?next=console.plugins/todo/secrets")).await;
    chromium.sign_in("olive@example.com").await;
    chromium.reads("They are put into requests here and shown to nobody").await;
    chromium.looks_well("console_secrets_none").await;

    chromium.find("#name").await.click().await.unwrap();
    let header = "authorization".len();
    for keys in ["Upstream Key", TAB, "changeme-please", TAB, "items", TAB, TAB, TAB, TAB, TAB, ENTER] {
        chromium.keys(keys).await;
    }
    chromium.reads("Nothing was changed").await;
    chromium.reads("it is a placeholder").await;
    assert_eq!(chromium.evaluate("return document.querySelector('#value').value").await, "", "no page tells a key");
    assert_eq!(chromium.evaluate("return document.querySelector('#header').value.length").await, header);
    chromium.looks_well("console_secrets_wrong").await;
    for (field, typed) in
        [("#name", "upstream-key"), ("#value", "First-9fK2xQ7b"), ("#routes", "GET /items/{id}\nPOST /items")]
    {
        let field = chromium.find(field).await;
        field.clear().await.unwrap();
        field.send_keys(typed).await.unwrap();
    }
    chromium.evaluate("document.querySelector('#rotate_every').value = '90d'; return null;").await;
    chromium.press("Put it away").await;
    chromium.arrives(&at(PAGE)).await;
    chromium.reads("Put away. Nobody is shown it again").await;
    assert_eq!(used(&world).await, "First-9fK2xQ7b");
    chromium.looks_well("console_secret_new").await;

    chromium.evaluate("document.querySelector('#rotator').value = 'openai'; return null;").await;
    chromium.press("Save").await;
    chromium.reads("New keys come from").await;
    chromium.looks_well("console_secret_rotated").await;

    clock.advance(TimeDelta::minutes(5));
    chromium.find("#value").await.send_keys("Second-3mP8vL0c").await.unwrap();
    chromium.press("Use the new key").await;
    chromium.reads("The new key is used from now on").await;
    assert_eq!(used(&world).await, "Second-3mP8vL0c");
    chromium.looks_well("console_secret").await;

    // More keys of every kind, and somebody who has been away for a while.
    for (name, routes, rotate_every) in [
        (
            "billing",
            vec!["POST /invoices", "GET /invoices/{id}", "GET /invoices", "DELETE /invoices/{id}", "* /refunds/*"],
            "150m",
        ),
        ("search", vec!["GET /search"], "1h"),
        ("spare", vec![], ""),
    ] {
        let routes = routes.into_iter().map(str::to_owned).collect();
        let form = SettingsForm {
            header: "x-api-key".into(),
            routes,
            rotate_every: rotate_every.into(),
            ..SettingsForm::default()
        };
        let (ring, value) = (running.server.keyring.current(), SecretValue::new("Another-5tG7hW2z".to_owned()));
        plugin_secrets::put(&running.registry(), &ring, (world.plugin.id, name), &value, &form).await.unwrap();
    }
    chromium.open(&at(LIST)).await;
    chromium.reads("Used nowhere").await;
    chromium.looks_well("console_secrets").await;
    clock.advance(TimeDelta::hours(2));
    chromium.open(&at(LIST)).await;
    for badge in ["Due soon", "Overdue", "Used nowhere", "Ready"] {
        chromium.reads(badge).await;
    }
    chromium.reads("Show that it is you").await;
    chromium.looks_well("console_secrets_proof").await;
    chromium.open(&at(PAGE)).await;
    chromium.reads("Show that it is you").await;
    chromium.looks_well("console_secret_proof").await;
    chromium.press("Show that it is you").await;
    chromium.find("#password").await.send_keys(crate::harness::server::PASSWORD).await.unwrap();
    chromium.keys(ENTER).await;
    chromium.arrives(&at(PAGE)).await;
    chromium.press("End it now").await;
    chromium.reads("That version is wiped").await;
    chromium.press("Remove the API key").await;
    chromium.reads("These requests go to your API without a key then").await;
    chromium.looks_well("console_ask_secret").await;
    chromium.press("Remove it").await;
    chromium.reads("No request gets that key any more").await;
    assert_eq!(chromium.evaluate("return document.querySelectorAll('a[href$=\"/upstream-key\"]').length").await, 0);

    // Whoever is signed out while they type is given back what they typed, but for the key.
    let page = at(&format!("{LIST}/search"));
    chromium.open(&page).await;
    chromium.find("#value").await.send_keys("Third-6dR4nY1s").await.unwrap();
    world.database.execute("delete from sessions").await;
    chromium.press("Use the new key").await;
    chromium.reads("no page shows it again").await;
    chromium.looks_well("console_again_key").await;
    let way = chromium.evaluate("return document.querySelector('a[target=_blank]').href").await;
    chromium
        .in_another_tab(async || {
            chromium.open(way.as_str().unwrap()).await;
            chromium.sign_in("olive@example.com").await;
            chromium.find(".places").await;
        })
        .await;
    chromium.find("#value").await.send_keys("Third-6dR4nY1s").await.unwrap();
    chromium.press("Send it once more").await;
    chromium.reads("The new key is used from now on").await;
    assert_eq!(kept(&world, "search").await.versions.len(), 2);
    chromium.has_a_quiet_console().await;
}
