//! The account that an owner hands to reviewers: its name and password are known to people nobody here knows, so it may
//! do no more than it is for, and no longer.

use chrono::{DateTime, TimeDelta};
use consentry::{
    clock::Clock,
    mail::Security,
    model::{access::Access, account::Role, client::Dialect, scope::Scope},
    store::access::AccessChange,
};
use reqwest::StatusCode;

use super::by_hand::{Answer, ByHand};
use crate::{
    harness::{
        browser::{parameter, plugin_request},
        databases::Engine,
        route_table::{Route, pages},
        server::{CALLBACK, Options, Registered, World},
        smtp::SmtpServer,
    },
    on_both_engines,
};

/// A server whose time stands still, and the account that its owner has made there.
struct Review {
    world: World,
    clock: Clock,
    smtp: SmtpServer,
    admin: ByHand,
    name: String,
    password: String,
}

impl Review {
    async fn new(engine: Engine) -> Self {
        let (smtp, clock) = (
            SmtpServer::start(Security::Plain, false).await,
            Clock::standing_at(DateTime::from_timestamp(1_800_000_000, 0).unwrap()),
        );
        let options = Options { clock: clock.clone(), mail: Some(smtp.way.clone()), ..Options::default() };
        let world = World::with(engine, options).await;
        world.running.add_account_as("admin@example.com", "Adam Admin", Role::Admin).await;
        let admin = ByHand::signed_in(&world.running, "admin@example.com").await;
        let page = change(&world, &admin, "make").await;
        let (name, password) = (shown(&page, "value-1"), shown(&page, "value-2"));
        Self { world, clock, smtp, admin, name, password }
    }

    /// Signs in and comes to the page that a client's request leads to.
    async fn asked(&self, request: &str) -> (ByHand, Answer) {
        let (browser, node) = (ByHand::new(), &self.world.running);
        let page = browser.get(node, browser.get(node, request).await.redirect()).await;
        let led = browser.sign_in(node, &page, &self.name, &self.password).await;
        let page = browser.get(node, led.redirect()).await;
        (browser, page)
    }

    /// Connects, as a reviewer does.
    async fn connected(&self, client: &Registered) -> (ByHand, serde_json::Value) {
        let (browser, node) = (ByHand::new(), &self.world.running);
        let page = browser.get(node, browser.get(node, &plugin_request(client)).await.redirect()).await;
        let mut answer = browser.sign_in(node, &page, &self.name, &self.password).await;
        // Who agreed before is led straight back.
        if !answer.redirect().starts_with(CALLBACK) {
            let page = browser.get(node, answer.redirect()).await;
            answer = browser.decide(node, &page, "allow").await;
        }
        let left: url::Url = answer.redirect().parse().unwrap();
        let (status, tokens) = self.world.running.redeem(client, &parameter(&left, "code").unwrap()).await;
        assert_eq!(status, StatusCode::OK, "{tokens}");
        (browser, tokens)
    }

    async fn may_sign_in(&self) -> bool {
        let browser = ByHand::new();
        let page = browser.get(&self.world.running, "/sign-in").await;
        browser.sign_in(&self.world.running, &page, &self.name, &self.password).await.location() == Some("/")
    }
}

/// What stands in a place of the page.
fn shown(page: &Answer, id: &str) -> String {
    let rest = page.body.split(&format!("id=\"{id}\">")).nth(1).unwrap_or_else(|| panic!("{}", page.body));
    rest.split('<').next().unwrap().to_owned()
}

/// Presses a button of the reviewer's page.
async fn change(world: &World, admin: &ByHand, wanted: &str) -> Answer {
    let form = admin.get(&world.running, "/console/plugins/todo/reviewer").await;
    let (csrf, account) = (form.hidden("csrf"), form.hidden("account"));
    let fields = [("csrf", csrf.as_str()), ("account", &account), ("days", "30"), ("change", wanted)];
    admin.post(&world.running, "/console/plugins/todo/reviewer", &fields).await
}

on_both_engines! {
    /// Row 53: the one plugin, though nobody else may connect to it, and no other.
    async fn a_reviewer_connects_to_one_plugin_alone(engine) {
        let review = Review::new(engine).await;
        let world = &review.world;
        let client = world.client(Dialect::Plugin).await;
        let access = Access::Only(vec![]);
        let store = &world.running.server.store;
        let (version, _) = store.access(world.plugin.id).await.unwrap().unwrap();
        let shut = AccessChange { plugin_id: world.plugin.id, version, access };
        store.set_access(&shut, &world.running.operator()).await.unwrap();
        review.connected(&client).await;
        let other = world.running.add_plugin_at("own", "own.example").await;
        let theirs = world.running.add_client(&other, Dialect::Plugin, &[CALLBACK]).await;
        let (browser, page) = review.asked(&plugin_request(&theirs)).await;
        assert!(page.status == 403 && page.body.contains("is not open to you"), "{} {}", page.status, page.body);
        let yes = browser.decide(&world.running, &page, "allow").await;
        assert_eq!((yes.status, yes.location()), (403, None));
        assert_eq!(world.database.count("consents").await, 1);
    }

    /// Row 53: every other page is as if it were not there: the console, the account, and what a factor is added at.
    async fn a_reviewer_sees_no_page_that_changes_anything(engine) {
        let review = Review::new(engine).await;
        let node = &review.world.running;
        let browser = ByHand::new();
        let page = browser.get(node, "/sign-in").await;
        assert_eq!(browser.sign_in(node, &page, &review.name, &review.password).await.location(), Some("/"));
        let csrf = browser.get(node, "/").await.hidden("csrf");
        // The last two say the same to anybody.
        let own = [
            "", "/", "/authorize", "/consent", "/sign-in", "/sign-out", "/connected-apps", "/sessions", "/account/deleted",
            "/signed-out",
        ];
        let (accounts, events) = (review.world.database.count("accounts").await, review.world.database.count("audit_events").await);
        let mut tried = 0;
        for Route { path, takes_a_form } in pages().into_iter().filter(|route| !own.contains(&route.path.as_str())) {
            let shown = browser.get(node, &path).await;
            assert!((400..500).contains(&shown.status), "{path}: {} {}", shown.status, shown.body);
            if takes_a_form {
                let fields = [("csrf", csrf.as_str()), ("change", "email"), ("email", "eve@evil.example"), ("password", &review.password)];
                let answer = browser.post(node, &path, &fields).await;
                assert!(answer.status >= 400 && answer.status < 500, "{path}: {} {:?}", answer.status, answer.location());
            }
            tried += 1;
        }
        assert!(tried > 20, "{tried}");
        assert_eq!(review.world.database.count("accounts").await, accounts);
        assert_eq!(review.world.database.count("audit_events").await, events);
        for path in ["/connected-apps", "/sessions"] {
            assert_eq!(browser.get(node, path).await.status, 200, "{path}");
        }
    }

    /// Row 53: its end is the end of all that was begun with it, by itself, by its owner, and with a new password.
    async fn what_a_reviewer_began_ends_with_the_account(engine) {
        let review = Review::new(engine).await;
        let (node, client) = (&review.world.running, review.world.client(Dialect::Plugin).await);
        let over = async |refresh: &str, access: &str, browser: &ByHand| {
            assert_eq!(node.refresh(&client, refresh).await.0, StatusCode::BAD_REQUEST);
            let shown = [("client_id", client.client_id.as_str()), ("client_secret", &client.client_secret), ("token", access)];
            assert_eq!(node.form("/introspect", &shown).await.1["active"], false);
            assert_eq!(browser.get(node, "/sessions").await.location(), Some("/sign-in?next=sessions"));
        };
        review.clock.advance(TimeDelta::days(30) - TimeDelta::seconds(30));
        let (browser, tokens) = review.connected(&client).await;
        let (refresh, access) = (tokens["refresh_token"].as_str().unwrap(), tokens["access_token"].as_str().unwrap());
        assert_eq!(node.refresh(&client, refresh).await.0, StatusCode::OK);
        assert_eq!(browser.get(node, "/sessions").await.status, 200);
        review.clock.advance(TimeDelta::seconds(30));
        over(refresh, access, &browser).await;
        assert!(!review.may_sign_in().await);

        let mut review = Review::new(engine).await;
        let client = review.world.client(Dialect::Plugin).await;
        for word in ["make", "end"] {
            let (_, tokens) = review.connected(&client).await;
            let page = change(&review.world, &review.admin, word).await;
            let refreshed = review.world.running.refresh(&client, tokens["refresh_token"].as_str().unwrap()).await;
            assert_eq!(refreshed.0, StatusCode::BAD_REQUEST, "{word}");
            assert!(!review.may_sign_in().await, "{word}");
            if word == "make" { review.password = shown(&page, "value-2"); }
        }
        assert_eq!(change(&review.world, &review.admin, "end").await.status, 404, "it is over");

        // What an administrator has disabled no owner brings back.
        let review = Review::new(engine).await;
        review.world.database.execute("update accounts set enabled = false where reviews is not null").await;
        let page = change(&review.world, &review.admin, "make").await;
        assert!(page.body.contains("an administrator has disabled this account"), "{}", page.body);
        assert!(!review.may_sign_in().await);
    }

    /// Row 53: nobody gets in by mail, and no factor is asked for where a person's would be.
    async fn a_reviewer_has_a_password_and_nothing_else(engine) {
        let review = Review::new(engine).await;
        let node = &review.world.running;
        let stranger = ByHand::new();
        let page = stranger.get(node, "/reset-password").await;
        let (csrf, r) = (page.hidden("csrf"), page.hidden("r"));
        let told = stranger.post(node, "/reset-password", &[("csrf", &csrf), ("r", &r), ("email", &review.name)]).await;
        assert!(told.body.contains("Look into your mail"), "told the same as anybody: {}", told.body);
        assert_eq!(review.world.database.count("links where account_id is not null").await, 0);
        consentry::jobs::mail::once(&review.world.running.server).await.unwrap();
        assert!(review.smtp.mails().is_empty());
        review.world.import(|plugin| {
            let scope = Scope { step_up: true, ..Scope::new("todo.write", "Add and remove items") };
            plugin.scopes.put(scope).unwrap();
        }).await;
        let client = review.world.client(Dialect::Plugin).await;
        review.connected(&client).await;
    }
}
