//! A server with a path of its host to itself, in Chromium: the stylesheet comes, the forms lead where they should, and
//! the content policy refuses nothing.

use super::asking::Asking;
use crate::harness::{
    chromium::Chromium,
    databases::Engine,
    landing::Landing,
    server::{Options, World},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pages_are_whole_and_lead_back_to_the_client() {
    let world = World::with(Engine::Sqlite, Options::under("/auth")).await;
    let chromium = Chromium::start().await;
    let landing = Landing::page();
    let callback = landing.url("/callback");
    let address = Asking { callback: &callback, ..Asking::default() }.register(&world).await;
    chromium.open(&address).await;
    chromium.arrives(&format!("{}/sign-in?", world.running.url)).await;
    chromium.looks_well("sign_in_under_a_path").await;
    let rules = chromium.evaluate("return document.styleSheets[0].cssRules.length;").await;
    assert!(rules.as_u64() > Some(10), "{rules}");
    chromium.sign_in("ada@example.com").await;
    chromium.arrives(&format!("{}/consent?", world.running.url)).await;
    chromium.looks_well("consent_under_a_path").await;
    chromium.press("Allow").await;
    let left = chromium.arrives(&callback).await;
    assert!(left.query().is_some_and(|query| query.contains("code=")), "{left}");

    chromium.open(&world.running.url).await;
    chromium.press("Sign out").await;
    chromium.arrives(&format!("{}/signed-out", world.running.url)).await;
    chromium.reads("You are signed out").await;
    chromium.has_a_quiet_console().await;
}
