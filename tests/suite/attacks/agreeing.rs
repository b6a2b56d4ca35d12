//! Agreeing: a yes means what stood on the page, whatever has become of the request since.

use consentry::model::scope::Scope;
use serde_json::{Value, json};

use crate::{
    harness::{
        browser::{Browser, Page, parameter},
        connector::{Connector, Proof},
        server::World,
    },
    on_both_engines,
};

const CALLBACK: &str = "https://app.example/cb";

/// A client that registered itself, to begin with reading.
struct Stranger<'a> {
    world: &'a World,
    told: Value,
}

impl<'a> Stranger<'a> {
    async fn new(world: &'a World) -> Self {
        let body = json!({ "client_name": "Example App", "redirect_uris": [CALLBACK], "scope": "todo.read",
            "token_endpoint_auth_method": "none" });
        let (status, told) = world.running.json("/register", &body).await;
        assert_eq!(status, 201, "{told}");
        Self { world, told }
    }

    fn connector(&self) -> Connector<'_> {
        let client_id = self.told["client_id"].as_str().unwrap();
        Connector { client_id, redirect_uri: CALLBACK, ..Connector::new(&self.world.running, Proof::Nothing) }
    }

    /// The page that Ada is shown.
    async fn asks(&self, browser: &Browser) -> Page {
        let sign_in = browser.get(&self.connector().request(&[])).await.page();
        let page = browser.sign_in(&sign_in, "ada@example.com").await.page();
        assert_eq!(page.url.path(), "/consent");
        page
    }

    /// Says something else of itself, as RFC 7592 lets it.
    async fn says(&self, member: &str, value: &str) {
        let mut body = self.told.clone();
        body[member] = value.into();
        let answer = reqwest::Client::new()
            .put(self.told["registration_client_uri"].as_str().unwrap())
            .bearer_auth(self.told["registration_access_token"].as_str().unwrap())
            .json(&body)
            .send();
        assert_eq!(answer.await.unwrap().status(), 200);
    }

    /// What the code in this address is good for.
    async fn granted(&self, left: &url::Url) -> String {
        let (status, tokens) = self.connector().redeem(&parameter(left, "code").expect("a code")).await;
        assert_eq!(status, 200, "{tokens}");
        tokens["scope"].as_str().unwrap().to_owned()
    }
}

/// Asserts that a yes to this page is no answer, but shows the page anew, with these words on it.
async fn is_asked_anew(world: &World, browser: &Browser, page: &Page, words: &str) -> Page {
    assert!(!page.html.contains(words), "{}", page.html);
    let anew = browser.decide(page, "allow").await.page();
    assert_eq!((anew.url.path(), anew.status.as_u16()), ("/consent", 200));
    assert!(anew.html.contains(words), "{words}: {}", anew.html);
    assert_eq!(world.database.count("consents").await, 0, "nobody has agreed to anything");
    anew
}

on_both_engines! {
    /// Row 17: while a person reads, the client asks for more, or calls itself something else.
    async fn a_yes_is_no_yes_to_what_a_client_says_since(engine) {
        let world = World::new(engine).await;
        let (stranger, browser) = (Stranger::new(&world).await, Browser::new(&world.running));
        let page = stranger.asks(&browser).await;
        stranger.says("scope", "todo.read todo.write").await;
        let page = is_asked_anew(&world, &browser, &page, "Add and remove items").await;
        stranger.says("client_name", "Another App").await;
        let page = is_asked_anew(&world, &browser, &page, "Another App").await;
        // Once the page has said it, a yes means it; what it does not grant is what nobody has read of.
        let granted = stranger.granted(&browser.decide(&page, "allow").await.left()).await;
        assert_eq!(granted, "todo.read", "saying another name, it said again where it begins");
    }

    /// Row 17: while a person reads, the plugin gets a scope, or other words for one, and a client that names none
    /// would get it.
    async fn a_yes_is_no_yes_to_what_a_plugin_has_since(engine) {
        let world = World::new(engine).await;
        let (stranger, browser) = (Stranger::new(&world).await, Browser::new(&world.running));
        stranger.says("scope", "").await;
        let page = stranger.asks(&browser).await;
        let scope = |words: &str| Scope::new("todo.share", words);
        world.import(|plugin| plugin.scopes.put(scope("Show your list to others")).unwrap()).await;
        let page = is_asked_anew(&world, &browser, &page, "Show your list to others").await;
        world.import(|plugin| plugin.scopes.put(scope("Sell your list to others")).unwrap()).await;
        let page = is_asked_anew(&world, &browser, &page, "Sell your list to others").await;
        let granted = stranger.granted(&browser.decide(&page, "allow").await.left()).await;
        assert_eq!(granted, "todo.read todo.share todo.write");
    }

    /// Row 17: nor is the address of the page, which carries a request too, a form that somebody was shown. And a no is
    /// a no, to whatever it was.
    async fn a_yes_needs_a_page_and_a_no_does_not(engine) {
        let world = World::new(engine).await;
        let (stranger, browser) = (Stranger::new(&world).await, Browser::new(&world.running));
        let page = stranger.asks(&browser).await;
        let r = page.url.query_pairs().find(|(name, _)| name == "r").unwrap().1.into_owned();
        let csrf = page.hidden("csrf");
        let fields = [("r", r.as_str()), ("csrf", &csrf), ("decision", "allow")];
        let anew = browser.post("/consent", &fields).await.page();
        assert_eq!((anew.url.path(), anew.status.as_u16()), ("/consent", 200));
        assert_eq!(world.database.count("consents").await, 0);
        stranger.says("scope", "todo.read todo.write").await;
        let left = browser.decide(&anew, "deny").await.left();
        assert_eq!(parameter(&left, "error").as_deref(), Some("access_denied"));
        assert_eq!(world.database.count("consents").await, 0);
    }
}
