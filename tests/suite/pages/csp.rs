//! The pages' content policy must let the answer out: Chromium applies `form-action` to every redirect that follows a
//! form, ours to the client and the client's own after that. Each test presses the real button and looks where the
//! browser ends up.

use super::asking::Asking;
use crate::harness::{chromium::Chromium, databases::Engine, landing::Landing, server::World};

/// Signs in and says yes.
async fn allow(chromium: &Chromium, world: &World, callback: &str) -> String {
    let address = Asking { callback, ..Asking::default() }.register(world).await;
    chromium.open(&address).await;
    chromium.sign_in("ada@example.com").await;
    chromium.arrives(&format!("{}/consent", world.running.url)).await;
    chromium.press("Allow").await;
    address
}

/// The policy refused nothing.
async fn assert_nothing_was_refused(chromium: &Chromium) {
    let refused: Vec<_> = chromium
        .console()
        .await
        .into_iter()
        .filter(|entry| entry.message.contains("Content Security Policy"))
        .collect();
    assert!(refused.is_empty(), "{refused:#?}");
}

async fn ends_up(callback: &str, at: &str) {
    let world = World::new(Engine::Sqlite).await;
    let chromium = Chromium::start().await;
    allow(&chromium, &world, callback).await;
    let left = chromium.arrives(at).await;
    assert!(at != callback || left.query().is_some_and(|query| query.contains("code=")), "{left}");
    assert_nothing_was_refused(&chromium).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_answer_reaches_a_website_from_consent_and_from_sign_in() {
    // Nobody answers there, but the browser has left for it: its address is the callback's, with the code.
    let callback = "https://client.example/callback";
    let world = World::new(Engine::Sqlite).await;
    let chromium = Chromium::start().await;
    let address = allow(&chromium, &world, callback).await;
    let left = chromium.arrives(callback).await;
    assert!(left.query().is_some_and(|query| query.contains("code=")), "{left}");
    assert_nothing_was_refused(&chromium).await;

    // Consent is remembered for a website, so now the sign-in form itself is what leads there.
    chromium.open(&world.running.url).await;
    chromium.press("Sign out").await;
    chromium.reads("You are signed out").await;
    chromium.open(&address).await;
    chromium.sign_in("ada@example.com").await;
    let left = chromium.arrives(callback).await;
    assert!(left.query().is_some_and(|query| query.contains("code=")), "{left}");
    assert_nothing_was_refused(&chromium).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_answer_reaches_a_program_on_this_computer() {
    let landing = Landing::page();
    let callback = landing.url("/callback");
    ends_up(&callback, &callback).await;
    assert!(landing.asked()[0].contains("code="), "{:?}", landing.asked());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_answer_reaches_a_program_that_calls_itself_localhost() {
    let landing = Landing::page();
    let callback = format!("http://localhost:{}/callback", landing.port());
    ends_up(&callback, &callback).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_answer_reaches_a_program_on_ipv6() {
    // A content policy has no way of naming an IPv6 address.
    let landing = Landing::page_on_ipv6();
    let callback = landing.url("/callback");
    ends_up(&callback, &callback).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_may_send_on_to_another_port() {
    let last = Landing::page();
    let first = Landing::sending_on_to(&last.url("/done"));
    ends_up(&first.url("/callback"), &last.url("/done")).await;
    assert_eq!((first.asked().len(), last.asked().len()), (1, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_may_send_on_to_its_makers_website() {
    let landing = Landing::sending_on_to("https://maker.example/signed-in");
    ends_up(&landing.url("/callback"), "https://maker.example/signed-in").await;
    assert_eq!(landing.asked().len(), 1);
}
