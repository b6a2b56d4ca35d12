//! Every page at 390 and 1280 pixels, light and dark: nothing sticks out, the console is silent, axe-core finds no
//! barrier. `CONSENTRY_TEST_PAGES_DIR=/some/folder scripts/test pages::look` leaves pictures of them there.

use consentry::model::{
    brand::Brand,
    provider::{Provider, Speaks},
};
use zeroize::Zeroizing;

use super::asking::{Asking, unproven_request};
use crate::harness::{
    chromium::Chromium,
    databases::Engine,
    server::{Options, World},
};

async fn sign_in_and_stop_at_consent(asking: Asking<'_>, name: &str) {
    let world = World::new(Engine::Sqlite).await;
    let chromium = Chromium::start().await;
    chromium.open(&asking.register(&world).await).await;
    chromium.sign_in("ada@example.com").await;
    chromium.arrives(&format!("{}/consent", world.running.url)).await;
    chromium.looks_well(name).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sign_in_before_and_after_a_mistake() {
    let world = World::new(Engine::Sqlite).await;
    let chromium = Chromium::start().await;
    chromium.open(&Asking::default().register(&world).await).await;
    chromium.arrives(&format!("{}/sign-in", world.running.url)).await;
    chromium.looks_well("sign_in").await;
    chromium.sign_in_with("ada@example.com", "not the password").await;
    chromium.reads("do not match").await;
    chromium.looks_well("sign_in_refused").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn consent_for_a_website() {
    sign_in_and_stop_at_consent(Asking::default(), "consent").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn consent_for_a_program_on_this_computer() {
    let asking = Asking { callback: "http://127.0.0.1:49152/callback", ..Asking::default() };
    sign_in_and_stop_at_consent(asking, "consent_loopback").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn consent_for_an_app_on_this_device() {
    let asking = Asking { callback: "com.example.notes:/callback", ..Asking::default() };
    sign_in_and_stop_at_consent(asking, "consent_app").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn consent_to_many_things() {
    let names: Vec<_> = (1..=24).map(|number| format!("area{number}.manage")).collect();
    let scopes: Vec<_> = names.iter().map(|name| (name.as_str(), "See and change everything in this area")).collect();
    sign_in_and_stop_at_consent(Asking { scopes: &scopes, ..Asking::default() }, "consent_many").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn consent_to_the_plugin_as_a_whole() {
    sign_in_and_stop_at_consent(Asking { scopes: &[], ..Asking::default() }, "consent_no_scope").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn consent_for_names_that_mean_harm() {
    let endless = "W".repeat(300);
    let accents = format!("Z{}", "\u{301}\u{347}".repeat(120));
    let turned = "\u{202e}moc.elgoog yb dehsilbup <b>bold</b> &amp; \u{5e9}\u{5dc}\u{5d5}\u{5dd}";
    let words = format!("{endless} {accents}");
    let callback = format!("https://{}.{}.example/cb", "a".repeat(63), "b".repeat(63));
    let asking = Asking {
        client_name: &endless,
        plugin_name: turned,
        description: &accents,
        scopes: &[("todo.read", &words), ("x.y.z", turned)],
        callback: &callback,
    };
    let world = World::new(Engine::Sqlite).await;
    let chromium = Chromium::start().await;
    chromium.open(&asking.register(&world).await).await;
    chromium.looks_well("sign_in_hostile").await;
    chromium.sign_in("ada@example.com").await;
    chromium.arrives(&format!("{}/consent", world.running.url)).await;
    chromium.looks_well("consent_hostile").await;
}

/// What a person sees instead of being sent on by a client nobody vouches for.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_cannot_be_answered() {
    let world = World::new(Engine::Sqlite).await;
    let chromium = Chromium::start().await;
    let long = format!("https://{}.{}.example/cb", "a".repeat(63), "b".repeat(63));
    for (callback, name) in [
        ("https://app.example/callback", "refused"),
        ("http://127.0.0.1:49152/callback", "refused_loopback"),
        ("com.example.notes:/callback", "refused_app"),
        (&long, "refused_hostile"),
    ] {
        chromium.open(&unproven_request(&world, callback).await).await;
        chromium.reads("cannot be answered").await;
        chromium.looks_well(name).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn error_home_and_signed_out() {
    let world = World::new(Engine::Sqlite).await;
    let chromium = Chromium::start().await;
    chromium.open(&format!("{}/authorize?client_id=nobody", world.running.url)).await;
    chromium.find(".emblem.bad").await;
    chromium.looks_well("error").await;
    chromium.open(&format!("{}/nowhere", world.running.url)).await;
    chromium.find(".emblem.bad").await;
    chromium.looks_well("error_not_found").await;

    chromium.open(&world.running.url).await;
    chromium.reads("You are not signed in").await;
    chromium.looks_well("home").await;
    chromium.open(&format!("{}/sign-in", world.running.url)).await;
    chromium.looks_well("sign_in_plain").await;
    chromium.sign_in("ada@example.com").await;
    chromium.reads("Ada Lovelace").await;
    chromium.looks_well("home_signed_in").await;
    chromium.press("Sign out").await;
    chromium.reads("You are signed out").await;
    chromium.looks_well("signed_out").await;
}

/// Colours that nobody could read as they are, with a logo: axe-core measures the contrasts in both schemes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_in_an_operators_own_look() {
    for (name, colour) in [("yellow", "#ffee00"), ("night", "#050510")] {
        let logo = consentry::pictures::logo(consentry::demo::LOGO).expect("a picture");
        let brand = Brand::new(Some(colour.parse().expect("a colour")), Some(logo));
        let world = World::with(Engine::Sqlite, Options { brand, ..Options::under("/auth") }).await;
        let chromium = Chromium::start().await;
        chromium.open(&Asking::default().register(&world).await).await;
        chromium.arrives(&format!("{}/sign-in", world.running.url)).await;
        chromium.looks_well(&format!("brand_{name}_sign_in")).await;
        let mark = chromium.evaluate("return document.querySelector('.mark').naturalWidth").await;
        assert_eq!(mark, 256, "the operator's logo is shown");
        let button = "return getComputedStyle(document.querySelector('.button.primary')).backgroundColor";
        assert_ne!(chromium.evaluate(button).await, "rgb(13, 110, 95)", "the accent is the operator's");
        chromium.sign_in("ada@example.com").await;
        chromium.arrives(&format!("{}/consent", world.running.url)).await;
        chromium.looks_well(&format!("brand_{name}_consent")).await;
    }
    let plain = World::new(Engine::Sqlite).await;
    for file in ["accent-.css", "accent-red.css", "accent-12345.css", "brand.png"] {
        let there = reqwest::get(format!("{}/static/{file}", plain.running.url)).await.expect("an answer");
        assert_eq!(there.status(), 404, "{file}");
    }
}

/// Signing in through others, who one is there, showing once more that it is oneself, and an app to be set up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_ways_to_sign_in() {
    let provider = Provider {
        name: "work".to_owned(),
        label: "Example Inc.".to_owned(),
        client_id: "consentry".to_owned(),
        client_secret: Zeroizing::new("a secret".to_owned()).into(),
        scopes: Vec::new(),
        makes_accounts: false,
        speaks: Speaks::OpenId { issuer: "https://login.example.com".to_owned() },
    };
    let world = World::with(Engine::Sqlite, Options { providers: vec![provider], ..Options::default() }).await;
    let chromium = Chromium::start().await;
    let at = |path: &str| format!("{}{path}", world.running.url);
    chromium.open(&at("/sign-in")).await;
    chromium.reads("Example Inc.").await;
    chromium.looks_well("sign_in_ways").await;
    chromium.open(&at("/sign-in/with/work/callback?state=made-up")).await;
    chromium.looks_well("sign_in_elsewhere_failed").await;
    chromium.open(&at("/sign-in?next=identities")).await;
    chromium.sign_in("ada@example.com").await;
    chromium.arrives(&at("/identities")).await;
    chromium.looks_well("identities").await;
    chromium.open(&at("/prove?next=security")).await;
    chromium.find("input[type=password]").await;
    chromium.looks_well("prove").await;
    chromium.open(&at("/security")).await;
    chromium.evaluate("document.querySelector('button[value=set-up-app]').click(); return null;").await;
    chromium.find("svg.qr").await;
    chromium.looks_well("set_up_app").await;
}
