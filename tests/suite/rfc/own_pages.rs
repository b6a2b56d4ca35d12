//! The pages for who is signed in: what they allowed and where they are signed in. Theirs alone, and ended at once.

use consentry::model::client::Dialect;
use serde_json::json;

use crate::{
    harness::{
        browser::{Arrived, Browser, Page, plugin_request},
        databases::Engine,
        server::{Registered, World},
    },
    on_both_engines,
};

const ADA: &str = "ada@example.com";
const GRACE: &str = "grace@example.com";

/// Everything that is pressed on these pages, with the field that says what.
async fn press(browser: &Browser, page: &Page, path: &str, field: (&str, &str)) -> Arrived {
    browser.post(path, &[("csrf", &page.hidden("csrf")), field]).await
}

async fn apps(browser: &Browser) -> Page {
    browser.get("/connected-apps").await.page()
}

/// Signs in on the way to a page.
async fn signed_in(world: &World, email: &str) -> Browser {
    let browser = Browser::new(&world.running);
    let page = browser.get("/connected-apps").await.page();
    assert_eq!((page.url.path(), page.hidden("next").as_str()), ("/sign-in", "connected-apps"));
    let (r, csrf, next) = (page.hidden("r"), page.hidden("csrf"), page.hidden("next"));
    let password = crate::harness::server::PASSWORD;
    let fields = [("r", r.as_str()), ("csrf", &csrf), ("next", &next), ("email", email), ("password", password)];
    let page = browser.post("/sign-in", &fields).await.page();
    assert_eq!(page.url.path(), "/connected-apps", "a person goes where they wanted to");
    browser
}

/// Connects once more: the tokens.
async fn connected(world: &World, client: &Registered) -> serde_json::Value {
    let code = world.running.code(client).await;
    let (status, tokens) = world.running.redeem(client, &code).await;
    assert_eq!(status, 200, "{tokens}");
    tokens
}

/// Whether an API may still take the access token, and what refreshing says.
async fn stands(world: &World, client: &Registered, tokens: &serde_json::Value) -> (bool, u16) {
    let service = world.client(Dialect::Service).await;
    let (_, told) = world.running.introspect(&service, tokens["access_token"].as_str().unwrap()).await;
    let (status, _) = world.running.refresh(client, tokens["refresh_token"].as_str().unwrap()).await;
    (told["active"] == json!(true), status.as_u16())
}

async fn world(engine: Engine) -> (World, Registered) {
    let world = World::new(engine).await;
    let client = world.client(Dialect::Plugin).await;
    (world, client)
}

on_both_engines! {
    async fn an_app_is_disconnected_with_all_its_installations(engine) {
        let (world, client) = world(engine).await;
        let (first, second) = (connected(&world, &client).await, connected(&world, &client).await);
        let browser = signed_in(&world, ADA).await;
        let page = apps(&browser).await;
        assert!(page.html.contains("2 connections") && page.html.contains("See your to-do list"), "{}", page.html);
        assert_eq!(stands(&world, &client, &first).await, (true, 200));

        let told = press(&browser, &page, "/connected-apps", ("consent", &page.hidden("consent"))).await.page();
        assert!(told.html.contains("2 connections ended") && told.html.contains("Nothing is connected"), "{}", told.html);
        for tokens in [&first, &second] {
            assert_eq!(stands(&world, &client, tokens).await, (false, 400));
        }
        // Pressed twice: it is gone, and nothing is told to have ended.
        let again = press(&browser, &page, "/connected-apps", ("consent", &page.hidden("consent"))).await.page();
        assert!(again.status.is_success() && !again.html.contains("role=\"status\""), "{}", again.html);
        // Asked again, the person is asked again.
        assert_eq!(browser.get(&plugin_request(&client)).await.page().url.path(), "/consent");
    }

    async fn one_installation_is_disconnected_and_the_others_stay(engine) {
        let (world, client) = world(engine).await;
        let (first, second) = (connected(&world, &client).await, connected(&world, &client).await);
        let browser = signed_in(&world, ADA).await;
        let page = apps(&browser).await;
        // The newest stands first.
        let told = press(&browser, &page, "/connected-apps", ("connection", &page.hidden("connection"))).await.page();
        assert!(told.html.contains("The others stay"), "{}", told.html);
        assert_eq!(stands(&world, &client, &second).await, (false, 400));
        assert_eq!(stands(&world, &client, &first).await, (true, 200));
    }

    /// Ids are names, not capabilities: whoever knows somebody else's ends nothing by it.
    async fn nobody_disconnects_or_signs_out_others(engine) {
        let (world, client) = world(engine).await;
        let tokens = connected(&world, &client).await;
        let ada = signed_in(&world, ADA).await;
        let page = apps(&ada).await;
        let (consent, sessions) = (page.hidden("consent"), ada.get("/sessions").await.page());
        let grace = signed_in(&world, GRACE).await;
        let hers = apps(&grace).await;
        assert!(hers.html.contains("Nothing is connected"), "{}", hers.html);
        for field in [("consent", consent.as_str()), ("connection", &consent)] {
            let told = press(&grace, &hers, "/connected-apps", field).await.page();
            assert!(!told.html.contains("role=\"status\""), "{}", told.html);
        }
        let another = signed_in(&world, ADA).await;
        let listed = another.get("/sessions").await.page();
        let id = listed.html.split("name=\"session\" value=\"").nth(1).unwrap().split('"').next().unwrap();
        let told = press(&grace, &hers, "/sessions", ("session", id)).await.page();
        assert!(told.html.contains("signed out already"), "{}", told.html);
        assert_eq!(apps(&ada).await.url.path(), "/connected-apps");
        assert!(sessions.html.contains("This browser"));
        assert_eq!(stands(&world, &client, &tokens).await, (true, 200));
    }

    async fn a_browser_is_signed_out_from_another(engine) {
        let (world, client) = world(engine).await;
        let tokens = connected(&world, &client).await;
        let (here, there, third) =
            (signed_in(&world, ADA).await, signed_in(&world, ADA).await, signed_in(&world, ADA).await);
        let page = here.get("/sessions").await.page();
        assert_eq!(page.html.matches("name=\"session\" value=\"0").count(), 3, "two of these, and one of connecting");
        // The newest first: the third.
        let id = page.html.split("name=\"session\" value=\"").nth(1).unwrap().split('"').next().unwrap();
        press(&here, &page, "/sessions", ("session", id)).await.page();
        assert_eq!(apps(&third).await.url.path(), "/sign-in");
        assert_eq!(apps(&there).await.url.path(), "/connected-apps");
        let told = press(&here, &page, "/sessions", ("session", "others")).await.page();
        assert!(told.html.contains("2 browsers were signed out"), "{}", told.html);
        assert_eq!(apps(&there).await.url.path(), "/sign-in");
        assert_eq!(stands(&world, &client, &tokens).await, (true, 200), "apps stay connected");

        let left = press(&here, &page, "/sessions", ("session", "everything")).await.page();
        assert_eq!(left.url.path(), "/signed-out");
        assert_eq!(apps(&here).await.url.path(), "/sign-in");
        assert_eq!(stands(&world, &client, &tokens).await, (false, 400), "and now they do not");
    }

    async fn no_form_of_another_site_ends_anything(engine) {
        let (world, client) = world(engine).await;
        let tokens = connected(&world, &client).await;
        let browser = signed_in(&world, ADA).await;
        let page = apps(&browser).await;
        let consent = page.hidden("consent");
        for (path, fields) in [
            ("/connected-apps", [("consent", consent.as_str()), ("csrf", "")]),
            ("/connected-apps", [("consent", &consent), ("csrf", "forged")]),
            ("/sessions", [("session", "everything"), ("csrf", "forged")]),
        ] {
            assert_eq!(browser.post(path, &fields).await.page().status, 403, "{path}");
        }
        let csrf = page.hidden("csrf");
        let from_elsewhere = browser
            .http
            .post(format!("{}/sessions", world.running.url))
            .header("sec-fetch-site", "cross-site")
            .form(&[("session", "everything"), ("csrf", &csrf)])
            .send()
            .await
            .unwrap();
        assert_eq!(from_elsewhere.status(), 403);
        assert_eq!(stands(&world, &client, &tokens).await, (true, 200));
    }

    /// A word that names no place leads to the front page, whatever it looks like.
    async fn signing_in_leads_to_pages_of_ours_alone(engine) {
        let (world, _) = world(engine).await;
        for next in ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "sessions/../x"] {
            let browser = Browser::new(&world.running);
            let page = browser.get("/sign-in").await.page();
            let (r, csrf) = (page.hidden("r"), page.hidden("csrf"));
            let password = crate::harness::server::PASSWORD;
            let fields = [("r", r.as_str()), ("csrf", &csrf), ("next", next), ("email", ADA), ("password", password)];
            let page = browser.post("/sign-in", &fields).await.page();
            assert_eq!(page.url.path(), "/", "{next}");
        }
    }
}
