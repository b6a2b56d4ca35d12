//! Where people are: the authorization request, signing in, consenting.

use chrono::TimeDelta;
use consentry::model::{
    client::Dialect,
    flow::{FlowEvent, Outcome, Step},
};

use super::Recorded;
use crate::{
    attacks::by_hand::ByHand,
    harness::{
        browser::{Browser, authorize, plugin_request},
        connector::{Connector, Proof},
        server::{CALLBACK, PASSWORD, Registered},
    },
    on_both_engines,
};

fn with(request: &str, name: &str, value: &str) -> String {
    let query = request.split_once('?').unwrap().1;
    let pairs = url::form_urlencoded::parse(query.as_bytes()).into_owned();
    let pairs: Vec<(String, String)> = pairs.filter(|(known, _)| known != name).collect();
    let mut pairs: Vec<(&str, &str)> = pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    pairs.push((name, value));
    authorize(&pairs)
}

on_both_engines! {
    async fn a_request_that_is_refused_says_why(engine) {
        let mut recorded = Recorded::new(engine).await;
        let plugin = recorded.world.client(Dialect::Plugin).await;
        let connector = recorded.world.client(Dialect::Connector).await;
        let service = recorded.world.client(Dialect::Service).await;
        let disabled = recorded.world.client(Dialect::Plugin).await;
        let running = &recorded.world.running;
        running.server.store.disable_client(&disabled.client_id, &running.operator()).await.unwrap();
        let asking = |client: &Registered| plugin_request(client);
        let unknown = Registered { client_id: "nobody-1f2e".into(), client_secret: String::new() };
        let cases = [
            (asking(&unknown), "No client is registered here as \"nobody-1f2e\""),
            (asking(&disabled), "is disabled"),
            (asking(&service), "is a service"),
            (with(&asking(&plugin), "redirect_uri", "https://evil.example/cb"), "\"https://evil.example/cb\", which is not"),
            (with(&asking(&plugin), "redirect_uri", ""), "redirect_uri is missing"),
            (asking(&connector), "code_challenge is missing"),
            (with(&asking(&plugin), "response_type", "token"), "response_type must be code"),
            (with(&asking(&plugin), "resource", "https://other.example/"), "resource is not registered at this server"),
            (with(&asking(&plugin), "scope", "\""), "scope has a character"),
            (with(&asking(&plugin), "prompt", "none"), "nobody is signed in"),
        ];
        for (request, why) in cases {
            ByHand::new().get(&recorded.world.running, &request).await;
            recorded.refused_at(Step::Authorization, why).await;
        }
        let asked_for = recorded.events().await.into_iter().find_map(|event| event.resource);
        assert_eq!(asked_for.as_deref(), Some("https://other.example/"), "the resource that was named is told");
    }

    async fn a_sign_in_that_fails_says_why(engine) {
        let mut recorded = Recorded::new(engine).await;
        let client = recorded.world.client(Dialect::Plugin).await;
        let typed = [
            ("nobody@example.com", PASSWORD, "No account has the address"),
            ("ada@example.com", "a password of another length", "The password was not"),
        ];
        for (email, password, why) in typed {
            let browser = ByHand::new();
            let start = browser.get(&recorded.world.running, &plugin_request(&client)).await.redirect().to_owned();
            let page = browser.get(&recorded.world.running, &start).await;
            browser.sign_in(&recorded.world.running, &page, email, password).await;
            recorded.refused_at(Step::SignIn, why).await;
            let told = format!("{:?}", recorded.events().await);
            assert!(!told.contains(password) && !told.contains(email), "what was typed is in {told}");
        }
        // In another browser, with a form of somebody else's, an hour later.
        let browser = ByHand::new();
        let start = browser.get(&recorded.world.running, &plugin_request(&client)).await.redirect().to_owned();
        ByHand::new().get(&recorded.world.running, &start).await;
        recorded.refused_at(Step::SignIn, "another browser").await;
        let browser = ByHand::new();
        let start = browser.get(&recorded.world.running, &plugin_request(&client)).await.redirect().to_owned();
        let r = browser.get(&recorded.world.running, &start).await.hidden("r");
        browser.post(&recorded.world.running, "/sign-in", &[("r", &r), ("csrf", "x"), ("email", "a@b.example")]).await;
        recorded.refused_at(Step::SignIn, "did not come from a page of this server").await;
        let browser = ByHand::new();
        let start = browser.get(&recorded.world.running, &plugin_request(&client)).await.redirect().to_owned();
        recorded.clock.advance(TimeDelta::minutes(61));
        browser.get(&recorded.world.running, &start).await;
        recorded.refused_at(Step::SignIn, "longer than an hour").await;
        // Cut on the way, so that it no longer shows which flow it was: a flow of its own, beside the one it cut off.
        let browser = ByHand::new();
        let start = browser.get(&recorded.world.running, &plugin_request(&client)).await.redirect().to_owned();
        recorded.newest().await;
        browser.get(&recorded.world.running, &start[..start.len() - 5]).await;
        recorded.refused_at(Step::SignIn, "cut or changed").await;
    }

    async fn a_consent_that_is_not_given_says_why(engine) {
        let mut recorded = Recorded::new(engine).await;
        let client = recorded.world.client(Dialect::Plugin).await;
        let browser = Browser::new(&recorded.world.running);
        let page = browser.get(&plugin_request(&client)).await.page();
        let page = browser.sign_in(&page, "ada@example.com").await.page();
        browser.decide(&page, "deny").await.left();
        recorded.refused_at(Step::Consent, "The person said no").await;
        let page = browser.get(&plugin_request(&client)).await.page();
        browser.decide(&page, "perhaps").await.page();
        recorded.refused_at(Step::Consent, "decision is allow or deny").await;
        let page = browser.get(&plugin_request(&client)).await.page();
        let running = &recorded.world.running;
        running.server.store.disable_client(&client.client_id, &running.operator()).await.unwrap();
        browser.decide(&page, "allow").await.page();
        recorded.refused_at(Step::Consent, "is disabled").await;
    }

    /// A client nobody vouches for is told by a link on a page; its owner all the same.
    async fn an_error_on_a_page_is_told_too(engine) {
        let mut recorded = Recorded::new(engine).await;
        let registration = serde_json::json!({ "redirect_uris": [CALLBACK], "token_endpoint_auth_method": "none" });
        let (status, client) = recorded.world.running.json("/register", &registration).await;
        assert_eq!(status, 201, "{client}");
        let connector = Connector {
            client_id: client["client_id"].as_str().unwrap(),
            redirect_uri: CALLBACK,
            ..Connector::new(&recorded.world.running, Proof::Nothing)
        };
        let request = with(&connector.request(&[]), "code_challenge_method", "plain");
        ByHand::new().get(&recorded.world.running, &request).await;
        recorded.refused_at(Step::Authorization, "code_challenge_method must be S256").await;
    }

    async fn a_sign_in_that_leads_to_no_client_is_no_flow(engine) {
        let recorded = Recorded::new(engine).await;
        let browser = Browser::new(&recorded.world.running);
        let csrf = browser.get("/sign-in").await.page().hidden("csrf");
        for password in ["a password of another length", PASSWORD] {
            let fields = [("csrf", csrf.as_str()), ("email", "ada@example.com"), ("password", password)];
            browser.post("/sign-in", &fields).await.page();
        }
        assert_eq!(recorded.events().await, []);
    }

    async fn a_first_mistake_does_not_hide_that_it_went_on(engine) {
        let mut recorded = Recorded::new(engine).await;
        let client = recorded.world.client(Dialect::Plugin).await;
        let browser = ByHand::new();
        let running = &recorded.world.running;
        let start = browser.get(running, &plugin_request(&client)).await.redirect().to_owned();
        let page = browser.get(running, &start).await;
        browser.sign_in(running, &page, "ada@example.com", "a password of another length").await;
        browser.sign_in(running, &page, "ada@example.com", PASSWORD).await;
        let events = recorded.newest().await;
        let told = |event: &FlowEvent| (event.step, event.outcome);
        let expected = [
            (Step::Authorization, Outcome::Done),
            (Step::SignIn, Outcome::Refused),
            (Step::SignIn, Outcome::Done),
        ];
        assert_eq!(events.iter().map(told).collect::<Vec<_>>(), expected);
    }
}
