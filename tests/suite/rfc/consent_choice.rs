//! What a person may leave out (RFC 6749 §3.3: a server may grant less than was asked for, and says so).

use consentry::model::{client::Dialect, scope::Scope};

use crate::{
    harness::{
        browser::{Browser, Page, authorize, parameter},
        databases::Engine,
        server::{CALLBACK, Registered, World},
    },
    on_both_engines,
};

const ADA: &str = "ada@example.com";

/// A plugin of which only reading is not optional, and a client of it.
async fn world(engine: Engine) -> (World, Registered) {
    let mut world = World::new(engine).await;
    for name in ["todo.write", "todo.share"] {
        world.plugin.scopes.put(Scope { optional: true, ..Scope::new(name, "More") }).unwrap();
    }
    world.import(|_| ()).await;
    let client = world.client(Dialect::Plugin).await;
    (world, client)
}

fn request(client: &Registered, scope: &str) -> String {
    authorize(&[
        ("response_type", "code"),
        ("client_id", &client.client_id),
        ("redirect_uri", CALLBACK),
        ("scope", scope),
        ("state", "s"),
    ])
}

async fn asked(browser: &Browser, request: &str) -> Page {
    let page = browser.get(request).await.page();
    if page.url.path() == "/sign-in" { browser.sign_in(&page, ADA).await.page() } else { page }
}

/// Says yes with these ticked: what the token is good for.
async fn granted(world: &World, client: &Registered, browser: &Browser, page: &Page, ticked: &[&str]) -> String {
    let (r, csrf) = (page.hidden("r"), page.hidden("csrf"));
    let mut fields = vec![("r", r.as_str()), ("csrf", &csrf), ("decision", "allow")];
    fields.extend(ticked.iter().map(|name| ("scope", *name)));
    let left = browser.post("/consent", &fields).await.left();
    let code = parameter(&left, "code").unwrap_or_else(|| panic!("no code in {left}"));
    let (status, tokens) = world.running.redeem(client, &code).await;
    assert_eq!(status, 200, "{tokens}");
    let service = world.client(Dialect::Service).await;
    let (_, told) = world.running.introspect(&service, tokens["access_token"].as_str().unwrap()).await;
    assert_eq!(told["scope"], tokens["scope"], "the token and its answer say the same");
    tokens["scope"].as_str().unwrap().to_owned()
}

on_both_engines! {
    async fn what_is_unticked_is_not_granted(engine) {
        let (world, client) = world(engine).await;
        let browser = Browser::new(&world.running);
        let all = request(&client, "todo.read todo.write todo.share");
        let page = asked(&browser, &all).await;
        assert_eq!(page.html.matches("type=\"checkbox\"").count(), 2);
        assert_eq!(page.html.matches("form=\"decision\" checked").count(), 2);
        assert_eq!(granted(&world, &client, &browser, &page, &["todo.share"]).await, "todo.read todo.share");
        // Asked again, the person may think again; what they left out is new to the client.
        let page = asked(&browser, &all).await;
        assert_eq!(page.html.matches("badge new").count(), 1, "{}", page.html);
        assert_eq!(granted(&world, &client, &browser, &page, &["todo.write"]).await, "todo.read todo.write");
        // What they left out this time is taken back, so it is asked for again; what they all allow is remembered.
        let page = asked(&browser, &all).await;
        let everything = granted(&world, &client, &browser, &page, &["todo.write", "todo.share"]).await;
        assert_eq!(everything, "todo.read todo.share todo.write");
        let left = browser.get(&all).await.left();
        assert!(parameter(&left, "code").is_some(), "{left}");
    }

    /// Whatever a form says, it is the person's for what the page asked, and for nothing else.
    async fn nothing_is_granted_that_was_not_asked_for(engine) {
        let (world, client) = world(engine).await;
        let browser = Browser::new(&world.running);
        let page = asked(&browser, &request(&client, "todo.read todo.share")).await;
        let ticked = ["todo.write", "todo.share", "admin", "todo.share", "a b", "todo.read"];
        assert_eq!(granted(&world, &client, &browser, &page, &ticked).await, "todo.read todo.share");
    }

    async fn a_yes_to_nothing_is_asked_again(engine) {
        let (world, client) = world(engine).await;
        let browser = Browser::new(&world.running);
        let page = asked(&browser, &request(&client, "todo.write todo.share")).await;
        let (r, csrf) = (page.hidden("r"), page.hidden("csrf"));
        let again = browser.post("/consent", &[("r", &r), ("csrf", &csrf), ("decision", "allow")]).await.page();
        assert_eq!(again.status, 422);
        assert!(again.html.contains("Nothing is ticked") && !again.html.contains("form=\"decision\" checked"));
        assert_eq!(world.database.count("consents").await, 0);
        assert_eq!(granted(&world, &client, &browser, &again, &["todo.write"]).await, "todo.write");
        // The first form, sent once more from another tab: what is remembered makes nothing a yes.
        let again = browser.post("/consent", &[("r", &r), ("csrf", &csrf), ("decision", "allow")]).await.page();
        assert_eq!(again.status, 422);
    }

    /// A person's last word counts: in a tab where less is ticked than was allowed meanwhile in another, they get no more
    /// than it says, and the rest is taken back, from what was connected before too.
    async fn less_is_less_though_more_was_allowed(engine) {
        let (world, client) = world(engine).await;
        let browser = Browser::new(&world.running);
        let all = request(&client, "todo.read todo.write todo.share");
        let (one, two) = (asked(&browser, &all).await, asked(&browser, &all).await);
        let everything = granted(&world, &client, &browser, &one, &["todo.write", "todo.share"]).await;
        assert_eq!(everything, "todo.read todo.share todo.write");
        assert_eq!(granted(&world, &client, &browser, &two, &[]).await, "todo.read");
        assert_eq!(browser.get(&all).await.page().url.path(), "/consent");
    }
}
