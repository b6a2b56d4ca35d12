//! Which pages an authorization request needs, and what its answer allows (RFC 6749 §4.1.1 and §3.3, RFC 9207,
//! RFC 8252 §7.3 and §8.6, RFC 8707, and `prompt` of OpenID Connect Core §3.1.2.1).

use consentry::model::client::Dialect;
use reqwest::header::{ACCEPT, HOST};

use super::wire::{VERIFIER, http, location, pkce_request, send, text, with, without};
use crate::{
    harness::{
        browser::{Arrived, Browser, authorize, parameter, plugin_request},
        databases::Engine,
        server::{CALLBACK, Registered, World},
    },
    on_both_engines,
};

const ADA: &str = "ada@example.com";

/// What `prompt=none` is answered.
async fn silently(world: &World, browser: &Browser, request: Vec<(&str, &str)>) -> Option<String> {
    let left = browser.get(&authorize(&with(request, "prompt", "none"))).await.left();
    assert_eq!(parameter(&left, "iss").as_deref(), Some(world.running.url.as_str()), "{left}");
    assert_eq!(parameter(&left, "state").as_deref(), Some("s-1"), "{left}");
    assert!(parameter(&left, "code").is_some() ^ parameter(&left, "error").is_some(), "{left}");
    parameter(&left, "error")
}

on_both_engines! {
    async fn prompt_none_shows_no_page_and_says_what_is_missing(engine) {
        let world = World::new(engine).await;
        let client = world.client(Dialect::Custom).await;
        let other = world.client(Dialect::Custom).await;
        let browser = Browser::new(&world.running);
        let request = || with(pkce_request(&client), "scope", "todo.read");
        assert_eq!(silently(&world, &browser, request()).await.as_deref(), Some("login_required"));
        browser.agree(&authorize(&pkce_request(&other)), ADA).await;
        assert_eq!(silently(&world, &browser, request()).await.as_deref(), Some("consent_required"));
        browser.agree(&authorize(&request()), ADA).await;
        assert_eq!(silently(&world, &browser, request()).await, None);
        // More than was consented to.
        let wider = with(request(), "scope", "todo.read todo.write");
        assert_eq!(silently(&world, &browser, wider).await.as_deref(), Some("consent_required"));
        let key = world.consent_key(&client, ADA).await;
        assert!(world.running.server.store.revoke_consent(&key, &world.running.operator()).await.unwrap());
        assert_eq!(silently(&world, &browser, request()).await.as_deref(), Some("consent_required"));
    }

    async fn remembered_consent_answers_without_a_page_until_more_is_asked(engine) {
        let world = World::new(engine).await;
        let client = world.client(Dialect::Custom).await;
        let browser = Browser::new(&world.running);
        let narrow = authorize(&with(pkce_request(&client), "scope", "todo.read"));
        let wide = authorize(&with(pkce_request(&client), "scope", "todo.read todo.write"));
        browser.agree(&narrow, ADA).await;
        let left = browser.get(&narrow).await.left();
        let answer = world.running.redeem_pkce(&client, &parameter(&left, "code").unwrap()).await;
        assert_eq!(answer.json()["scope"], "todo.read");

        let page = browser.get(&wide).await.page();
        assert_eq!(page.url.path(), "/consent");
        assert_eq!(page.html.matches("badge new").count(), 1, "only the second is new: {}", page.html);
        browser.decide(&page, "allow").await.left();
        browser.get(&wide).await.left();
        browser.get(&narrow).await.left();
        // Somebody else was never asked.
        assert_eq!(world.consent(&client, "grace@example.com").await.map(|consent| consent.scopes), None);
    }

    async fn prompt_login_and_consent_ask_again(engine) {
        let world = World::new(engine).await;
        let client = world.client(Dialect::Custom).await;
        let browser = Browser::new(&world.running);
        browser.agree(&authorize(&pkce_request(&client)), ADA).await;

        let page = browser.get(&authorize(&with(pkce_request(&client), "prompt", "consent"))).await.page();
        assert_eq!(page.url.path(), "/consent");
        let left = browser.decide(&page, "allow").await.left();
        assert!(parameter(&left, "code").is_some(), "{left}");

        let page = browser.get(&authorize(&with(pkce_request(&client), "prompt", "consent login"))).await.page();
        assert_eq!(page.url.path(), "/sign-in", "both are asked for");
        assert_eq!(browser.sign_in(&page, ADA).await.page().url.path(), "/consent", "both are asked for");
        for prompt in ["login", "select_account"] {
            let page = browser.get(&authorize(&with(pkce_request(&client), "prompt", prompt))).await.page();
            assert_eq!(page.url.path(), "/sign-in", "{prompt}");
            let left = browser.sign_in(&page, ADA).await.left();
            assert!(parameter(&left, "code").is_some(), "{prompt}: {left}");
        }
        // A word of the future asks for nothing.
        browser.get(&authorize(&with(pkce_request(&client), "prompt", "create"))).await.left();
    }
}

/// Scopes of the tokens Ada gives when asked like this.
async fn granted(world: &World, client: &Registered, address: &str) -> String {
    let code = world.running.code_for(address).await;
    text(&world.running.redeem_pkce(client, &code).await.json(), "scope").to_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_scope_that_names_nothing_of_ours_means_the_clients_own() {
    let world = World::new(Engine::Sqlite).await;
    let both = "todo.read todo.write";
    let long = format!("https://scopes.example/{}", "x".repeat(200));
    for (scope, expected) in [
        (None, both),
        (Some(""), both),
        (Some("  "), both),
        (Some("openid offline_access"), both),
        (Some(&long), both),
        (Some("todo.write"), "todo.write"),
        (Some("openid todo.read offline_access"), "todo.read"),
        (Some("todo.write todo.read todo.write"), both),
    ] {
        // A client each, so that no consent is remembered from the line above.
        let client = world.client(Dialect::Custom).await;
        let request = pkce_request(&client);
        let request = scope.map_or_else(|| request.clone(), |scope| with(request.clone(), "scope", scope));
        assert_eq!(granted(&world, &client, &authorize(&request)).await, expected, "{scope:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_own_resource_may_be_named_and_unknown_parameters_are_ignored() {
    let world = World::new(Engine::Sqlite).await;
    let client = world.client(Dialect::Custom).await;
    let request = with(pkce_request(&client), "resource", &world.plugin.resource);
    let request = with(with(request, "response_mode", "query"), "nonce", "n-0S6_WzA2Mj");
    let code = world.running.code_for(&authorize(&request)).await;
    assert_eq!(world.running.redeem_pkce(&client, &code).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_a_loopback_address_the_port_is_free_and_consent_is_always_asked() {
    let world = World::new(Engine::Sqlite).await;
    for (registered, presented) in [
        ("http://127.0.0.1/callback", "http://127.0.0.1:53121/callback"),
        ("http://localhost:8080/callback?a=1", "http://localhost:53122/callback?a=1"),
        ("http://[::1]/callback", "http://[::1]:53123/callback"),
    ] {
        let client = world.running.add_client(&world.plugin, Dialect::Connector, &[registered]).await;
        let browser = Browser::new(&world.running);
        let request = || with(pkce_request(&client), "redirect_uri", presented);
        let left = browser.agree(&authorize(&request()), ADA).await;
        assert!(left.as_str().starts_with(presented), "{left}");

        // RFC 8252 §8.6: any program on this computer may be listening this time.
        let page = browser.get(&authorize(&request())).await.page();
        assert_eq!(page.url.path(), "/consent");
        assert_eq!(silently(&world, &browser, request()).await.as_deref(), Some("interaction_required"));

        // The code belongs to the address it was sent to, port and all.
        let code = parameter(&left, "code").unwrap();
        let redeem = |redirect_uri| {
            let fields = [
                ("grant_type", "authorization_code"),
                ("client_id", client.client_id.as_str()),
                ("code", code.as_str()),
                ("redirect_uri", redirect_uri),
                ("code_verifier", VERIFIER),
            ];
            let request = http().post(world.running.at("/token")).form(&fields);
            async move { send(request).await }
        };
        assert_eq!(redeem(registered).await.error(), (400, "invalid_grant".into()));
        assert_eq!(redeem(presented).await.status, 200);

        let elsewhere = with(request(), "redirect_uri", "http://127.0.0.1:53121/elsewhere");
        let answer = world.running.look(&authorize(&elsewhere)).await;
        assert_eq!((answer.status, answer.header("location")), (400, None));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_answer_is_a_303_with_code_state_and_issuer_and_nothing_else() {
    let world = World::new(Engine::Sqlite).await;
    let client = world.client(Dialect::Custom).await;
    let browser = Browser::new(&world.running);
    browser.agree(&authorize(&pkce_request(&client)), ADA).await;
    let answer = send(browser.http.get(world.running.at(&authorize(&pkce_request(&client))))).await;
    let left = location(&answer);
    let names: Vec<_> = left.query_pairs().map(|(name, _)| name.into_owned()).collect();
    assert_eq!(names, ["code", "state", "iss"]);
    assert!(left.as_str().starts_with(&format!("{CALLBACK}?code=")), "{left}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("access-control-allow-origin"), None);

    let longest = "s".repeat(4096);
    let left = browser.get(&authorize(&with(pkce_request(&client), "state", &longest))).await.left();
    let code = parameter(&left, "code").unwrap();
    assert!(code.len() <= 512, "{} characters", code.len());
    assert!(code.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'), "{code}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_authorization_request_is_a_get() {
    let world = World::new(Engine::Sqlite).await;
    let client = world.client(Dialect::Plugin).await;
    let address = world.running.at(&plugin_request(&client));
    for host in [world.plugin.host.as_str(), "api.example.com"] {
        let answer = send(http().post(&address).header(HOST, host)).await;
        assert_eq!(answer.error(), (405, "invalid_request".into()));
        assert_eq!((answer.header("allow"), answer.header("location")), (Some("GET"), None), "RFC 9110 §15.5.6");
    }
    let answer = send(http().post(&address).header(ACCEPT, "text/html")).await;
    assert_eq!(answer.status, 405);
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_another_host_it_only_points_to_the_public_one() {
    let world = World::new(Engine::Sqlite).await;
    let client = world.client(Dialect::Plugin).await;
    for query in [
        plugin_request(&client),
        "/authorize".to_owned(),
        "/authorize?state=a%2Bb+c&&x=%zz&state='%22&client_id=nobody".to_owned(),
    ] {
        let answer = send(http().get(world.running.at(&query)).header(HOST, "api.example.com")).await;
        // Byte for byte, and whatever it says: it is looked at there, not here.
        let sent = world.running.at(&query).parse::<url::Url>().unwrap().to_string();
        assert_eq!((answer.status, answer.header("location")), (303, Some(sent.as_str())));
        assert_eq!(answer.header("set-cookie"), None);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_disabled_while_the_person_reads_gets_nothing() {
    let world = World::new(Engine::Sqlite).await;
    let client = world.client(Dialect::Plugin).await;
    let browser = Browser::new(&world.running);
    let page = browser.get(&plugin_request(&client)).await.page();
    let page = browser.sign_in(&page, ADA).await.page();
    assert_eq!(page.url.path(), "/consent");
    let store = &world.running.server.store;
    store.disable_client(&client.client_id, &world.running.operator()).await.unwrap();
    let Arrived::Page(refused) = browser.decide(&page, "allow").await else { panic!("left for the client") };
    assert_eq!(refused.status, 400);
    assert!(refused.html.contains("We don’t know this app"), "{}", refused.html);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_answer_of_a_request_leads_to_a_page_of_ours() {
    let world = World::new(Engine::Sqlite).await;
    let client = world.client(Dialect::Custom).await;
    let answer = world.running.look(&authorize(&without(pkce_request(&client), "state"))).await;
    assert_eq!(answer.status, 303);
    assert!(answer.header("location").unwrap().starts_with("/sign-in?r="), "{answer:?}");
    let cookie = answer.header("set-cookie").unwrap();
    for attribute in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(cookie.contains(attribute), "{cookie}");
    }
    assert!(!answer.text.contains("cst_"), "{answer:?}");
}

/// What is accepted can be gone on with: every parameter as long as it may be, through all pages to the code.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_as_long_as_may_be_is_answered() {
    let world = World::new(Engine::Sqlite).await;
    let fill = |start: &str, length: usize| format!("{start}{}", "x".repeat(length - start.len()));
    let (callback, mcp) = (fill("https://app.example/", 2048), fill("https://mcp.example/", 2048));
    world.running.add_resource(&world.plugin, &mcp).await;
    let client = world.running.add_client(&world.plugin, Dialect::Custom, &[&callback]).await;
    let (state, prompt) = (fill("s", 4096), fill("x", 256));
    let scope = format!("{:4096}", "todo.read");
    let mut request = pkce_request(&client);
    for (name, value) in
        [("redirect_uri", &callback), ("resource", &mcp), ("state", &state), ("scope", &scope), ("prompt", &prompt)]
    {
        request = with(request, name, value);
    }
    let browser = Browser::new(&world.running);
    let page = browser.get(&authorize(&request)).await.page();
    assert_eq!(page.url.path(), "/sign-in");
    let page = browser.sign_in(&page, ADA).await.page();
    assert_eq!(page.url.path(), "/consent");
    let left = browser.decide(&page, "allow").await.left();
    assert_eq!(parameter(&left, "state"), Some(state.clone()));
    assert!(parameter(&left, "code").is_some(), "{left}");
    // A byte more is told at once.
    for (name, value) in [("state", fill("s", 4097)), ("scope", fill("todo.read ", 4097))] {
        let told = browser.get(&authorize(&with(request.clone(), name, &value))).await.left();
        assert_eq!(parameter(&told, "error").as_deref(), Some("invalid_request"), "{name}");
    }
}
