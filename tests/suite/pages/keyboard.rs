//! Without a mouse, and without JavaScript: sign-in and consent by Tab and Enter, and the focus always in sight.

use std::path::PathBuf;

use serde_json::Value;

use super::asking::{Asking, unproven_request};
use crate::harness::{
    chromium::{Chromium, Scripts},
    databases::Engine,
    landing::Landing,
    server::{PASSWORD, World},
};

const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";

/// More than any of our pages has.
const STOPS_MAX: usize = 20;

/// What has the focus: its words or name; it must show that it has it.
async fn focused(chromium: &Chromium) -> String {
    let facts = chromium
        .evaluate(
            "const it = document.activeElement, style = getComputedStyle(it), box = it.getBoundingClientRect();
             return {
                 name: it.name && it.tagName === 'INPUT' ? it.name : it.innerText.trim(),
                 tag: it.tagName,
                 outline: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
                 inView: box.top >= 0 && box.bottom <= innerHeight && box.width > 0,
             };",
        )
        .await;
    let name = facts["name"].as_str().unwrap_or_default().to_owned();
    if facts["tag"] != "BODY" {
        assert_eq!((&facts["outline"], &facts["inView"]), (&Value::Bool(true), &Value::Bool(true)), "{facts}");
    }
    name
}

/// Tabs on until something has the focus, and answers what was passed on the way.
async fn tab_to(chromium: &Chromium, wanted: &str) -> Vec<String> {
    let mut passed = Vec::new();
    for _ in 0..STOPS_MAX {
        let name = focused(chromium).await;
        if name == wanted {
            return passed;
        }
        passed.push(name);
        chromium.keys(TAB).await;
    }
    panic!("Tab never reaches {wanted}, only {passed:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_keyboard_is_enough() {
    let world = World::new(Engine::Sqlite).await;
    let landing = Landing::page();
    let chromium = Chromium::start().await;
    let callback = landing.url("/callback");
    chromium.open(&Asking { callback: &callback, ..Asking::default() }.register(&world).await).await;

    chromium.find("input[name=email]").await;
    assert_eq!(focused(&chromium).await, "email", "the first field waits for typing");
    chromium.keys("ada@example.com").await;
    chromium.keys(TAB).await;
    assert_eq!(focused(&chromium).await, "password");
    chromium.keys(TAB).await;
    assert_eq!(focused(&chromium).await, "Sign in");
    // Enter in a field submits, as everywhere.
    let password = chromium.find("input[name=password]").await;
    password.send_keys(&format!("{PASSWORD}{ENTER}")).await.unwrap();

    chromium.arrives(&format!("{}/consent", world.running.url)).await;
    chromium.find("button[value=allow]").await;
    // "Use another account" stands where the account stands; nothing else comes before the answer, and saying yes is
    // never what a stray Enter does.
    let passed = tab_to(&chromium, "Allow").await;
    let passed: Vec<_> = passed.iter().filter(|name| !name.contains('\n')).collect();
    assert_eq!(passed, ["Use another account"]);
    chromium.keys(TAB).await;
    assert_eq!(focused(&chromium).await, "Don’t allow");
    chromium.keys(ENTER).await;
    let left = chromium.arrives(&callback).await;
    assert!(left.query().is_some_and(|query| query.contains("error=access_denied")), "{left}");
    chromium.has_a_quiet_console().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn javascript_is_never_needed() {
    let world = World::new(Engine::Sqlite).await;
    let landing = Landing::page();
    let chromium = Chromium::with(Scripts::Disabled).await;
    assert_scripts_are_off(&chromium).await;

    let callback = landing.url("/callback");
    chromium.open(&Asking { callback: &callback, ..Asking::default() }.register(&world).await).await;
    chromium.sign_in("ada@example.com").await;
    chromium.arrives(&format!("{}/consent", world.running.url)).await;
    chromium.reads("Ada Lovelace").await;
    // The request waits for the other account: nothing has to be started again.
    chromium.press("Use another account").await;
    chromium.arrives(&format!("{}/sign-in", world.running.url)).await;
    chromium.sign_in("grace@example.com").await;
    chromium.arrives(&format!("{}/consent", world.running.url)).await;
    chromium.reads("Grace Hopper").await;
    chromium.press("Allow").await;
    let left = chromium.arrives(&callback).await;
    assert!(left.query().is_some_and(|query| query.contains("code=")), "{left}");
    assert_eq!(landing.asked().len(), 1, "{:?}", landing.asked());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_way_out_of_a_request_that_cannot_be_answered_is_a_link() {
    let world = World::new(Engine::Sqlite).await;
    let landing = Landing::page();
    let chromium = Chromium::with(Scripts::Disabled).await;
    let callback = landing.url("/callback");
    chromium.open(&unproven_request(&world, &callback).await).await;
    chromium.reads("cannot be answered").await;
    let passed = tab_to(&chromium, &format!("Go on to 127.0.0.1:{}", landing.port())).await;
    assert!(passed.iter().all(|name| name.contains('\n')), "nothing comes before it: {passed:?}");
    assert!(landing.asked().is_empty(), "nobody was sent there");
    chromium.keys(ENTER).await;
    let left = chromium.arrives(&callback).await;
    for part in ["error=invalid_request", "state=a%20state", "iss=http"] {
        assert!(left.query().is_some_and(|query| query.contains(part)), "{left}");
    }
    chromium.has_a_quiet_console().await;
}

/// A test that claims to run without scripts must notice when they run.
async fn assert_scripts_are_off(chromium: &Chromium) {
    let folder = tempfile::tempdir().unwrap();
    let page: PathBuf = folder.path().join("page.html");
    std::fs::write(&page, "<!doctype html><title>off</title><script>document.title = 'on'</script>").unwrap();
    chromium.open(&format!("file://{}", page.display())).await;
    assert_eq!(chromium.client.title().await.unwrap(), "off");
}
