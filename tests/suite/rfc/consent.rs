//! Sign-in and consent as a person with a real browser meets them: reload, back, tabs, other accounts, other browsers,
//! other sites. RFC 9700 §4.7 (forged requests) and RFC 6749 §10.12; the request is sealed into `r`.

use chrono::TimeDelta;
use consentry::{clock::Clock, model::client::Dialect};
use reqwest::StatusCode;

use super::wire::{http, location, pkce_request, send, with};
use crate::{
    harness::{
        browser::{Arrived, Browser, Page, authorize, parameter, plugin_request},
        databases::Engine,
        server::{CALLBACK, Options, PASSWORD, Registered, World},
    },
    on_both_engines,
};

const ADA: &str = "ada@example.com";
const GRACE: &str = "grace@example.com";

/// Opens a request and signs Ada in: the consent page.
async fn asked(browser: &Browser, address: &str) -> Page {
    let page = browser.get(address).await.page();
    let page = if page.url.path() == "/sign-in" { browser.sign_in(&page, ADA).await.page() } else { page };
    assert_eq!((page.url.path(), page.status), ("/consent", StatusCode::OK));
    page
}

/// Posts a form of a page with fields and headers of the test's own choosing; nothing is followed.
async fn post(
    browser: &Browser,
    page: &Page,
    path: &str,
    fields: &[(&str, &str)],
    headers: &[(&'static str, &str)],
) -> super::wire::Answer {
    let mut request = browser.http.post(page.url.join(path).unwrap()).form(fields);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    send(request).await
}

fn code(left: &url::Url) -> String {
    parameter(left, "code").unwrap_or_else(|| panic!("no code in {left}"))
}

on_both_engines! {
    async fn reload_back_and_a_double_click_all_lead_on(engine) {
        let world = World::new(engine).await;
        let client = world.client(Dialect::Plugin).await;
        let browser = Browser::new(&world.running);
        let page = asked(&browser, &plugin_request(&client)).await;
        let again = browser.get(page.url.as_str()).await.page();
        assert_eq!(again.status, 200);
        assert!(again.html.contains(ADA));

        // Both copies of the form are answered at once, as a double click does.
        let (first, second) = tokio::join!(browser.decide(&page, "allow"), browser.decide(&again, "allow"));
        for left in [first.left(), second.left()] {
            assert_eq!(parameter(&left, "state").as_deref(), Some("15014bf5-a%2Bb"));
            assert_eq!(world.running.redeem(&client, &code(&left)).await.0, 200);
        }
        // Back to the page: the answer is known by now.
        code(&browser.get(page.url.as_str()).await.left());
        // A "no" in the old form is told to this request, and does not take the earlier "yes" back.
        let left = browser.decide(&page, "deny").await.left();
        assert_eq!((parameter(&left, "error").as_deref(), parameter(&left, "code")), (Some("access_denied"), None));
        assert!(world.consent(&client, ADA).await.is_some());
    }

    async fn two_tabs_each_get_their_own_answer(engine) {
        let world = World::new(engine).await;
        let client = world.client(Dialect::Custom).await;
        let browser = Browser::new(&world.running);
        let tab = |state, scope| authorize(&with(with(pkce_request(&client), "state", state), "scope", scope));
        let first = browser.get(&tab("one", "todo.read")).await.page();
        let second = browser.get(&tab("two", "todo.write")).await.page();
        assert_eq!((first.url.path(), second.url.path()), ("/sign-in", "/sign-in"));
        let first = browser.sign_in(&first, ADA).await.page();
        // The other tab still shows the sign-in form; sending it signs in once more.
        let second = browser.sign_in(&second, ADA).await.page();
        // The first tab's form was shown under the session the second sign-in replaced: it is shown anew.
        let first = browser.decide(&first, "allow").await.page();
        assert_eq!(first.url.path(), "/consent");
        let left = browser.decide(&second, "allow").await.left();
        assert_eq!(parameter(&left, "state").as_deref(), Some("two"));
        let answer = world.running.redeem_pkce(&client, &code(&left)).await;
        assert_eq!(answer.json()["scope"], "todo.write");
        let left = browser.decide(&first, "allow").await.left();
        assert_eq!(parameter(&left, "state").as_deref(), Some("one"));
        let answer = world.running.redeem_pkce(&client, &code(&left)).await;
        assert_eq!(answer.json()["scope"], "todo.read", "what this tab asked for, not what the other did");
        let consent = world.consent(&client, ADA).await.unwrap();
        assert_eq!(consent.scopes.to_string(), "todo.read todo.write");
    }

    async fn a_no_is_told_to_the_client_and_remembered_by_nobody(engine) {
        let world = World::new(engine).await;
        let client = world.client(Dialect::Plugin).await;
        let browser = Browser::new(&world.running);
        let page = asked(&browser, &plugin_request(&client)).await;
        let left = browser.decide(&page, "deny").await.left();
        assert!(left.as_str().starts_with(CALLBACK), "{left}");
        assert_eq!(parameter(&left, "error").as_deref(), Some("access_denied"));
        assert_eq!(parameter(&left, "state").as_deref(), Some("15014bf5-a%2Bb"));
        assert_eq!(parameter(&left, "iss").as_deref(), Some(world.running.url.as_str()));
        assert_eq!(parameter(&left, "code"), None);
        assert!(world.consent(&client, ADA).await.is_none());
        let page = asked(&browser, &plugin_request(&client)).await;
        code(&browser.decide(&page, "allow").await.left());
    }

    async fn a_form_shown_to_another_account_is_shown_anew_and_never_answered(engine) {
        let world = World::new(engine).await;
        let client = world.client(Dialect::Plugin).await;
        let browser = Browser::new(&world.running);
        let adas = asked(&browser, &plugin_request(&client)).await;

        // "Use another account": signed out, and the request goes on with whoever signs in.
        let fields = [("r", adas.hidden("r")), ("csrf", adas.hidden("csrf"))];
        let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
        let page = browser.post("/sign-out", &fields).await.page();
        assert_eq!(page.url.path(), "/sign-in");
        let graces = browser.sign_in(&page, GRACE).await.page();
        assert!(graces.html.contains(GRACE) && !graces.html.contains(ADA), "{}", graces.html);

        // Ada's form is still open in another tab of the same browser.
        for decision in ["allow", "deny"] {
            let anew = browser.decide(&adas, decision).await.page();
            assert_eq!((anew.url.path(), anew.status.as_u16()), ("/consent", 200));
            assert!(anew.html.contains(GRACE), "{}", anew.html);
        }
        assert!(world.consent(&client, ADA).await.is_none());
        assert!(world.consent(&client, GRACE).await.is_none());
        code(&browser.decide(&graces, "allow").await.left());
        assert!(world.consent(&client, ADA).await.is_none());
        assert!(world.consent(&client, GRACE).await.is_some());
    }

    async fn signed_out_meanwhile_means_signing_in_again(engine) {
        let world = World::new(engine).await;
        let client = world.client(Dialect::Plugin).await;
        let browser = Browser::new(&world.running);
        let page = asked(&browser, &plugin_request(&client)).await;
        let key = world.consent_key(&client, ADA).await;
        let store = &world.running.server.store;
        assert!(store.sign_out_everywhere(key.account_id, &world.running.operator()).await.unwrap());
        let page = browser.decide(&page, "allow").await.page();
        assert_eq!(page.url.path(), "/sign-in");
        assert!(world.consent(&client, ADA).await.is_none());
        let page = browser.sign_in(&page, ADA).await.page();
        code(&browser.decide(&page, "allow").await.left());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_lives_for_an_hour_to_the_millisecond() {
    let clock = Clock::standing_at(Clock::system().now());
    let world = World::with(Engine::Sqlite, Options { clock: clock.clone(), ..Options::default() }).await;
    let client = world.client(Dialect::Plugin).await;
    let (early, late) = (Browser::new(&world.running), Browser::new(&world.running));
    let early_page = asked(&early, &plugin_request(&client)).await;
    let late_page = asked(&late, &plugin_request(&client)).await;
    let untouched = Browser::new(&world.running);
    let sign_in = untouched.get(&plugin_request(&client)).await.page();
    clock.advance(TimeDelta::hours(1) - TimeDelta::milliseconds(1));
    code(&early.decide(&early_page, "allow").await.left());
    clock.advance(TimeDelta::milliseconds(1));
    for arrived in [
        late.decide(&late_page, "allow").await,
        late.get(late_page.url.as_str()).await,
        untouched.sign_in(&sign_in, ADA).await,
    ] {
        let page = arrived.page();
        assert_eq!(page.status, 400);
        assert!(page.html.contains("This page has expired"), "{}", page.html);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_of_another_browser_or_a_changed_one_is_a_page() {
    let world = World::new(Engine::Sqlite).await;
    let client = world.client(Dialect::Plugin).await;
    let (ada, eve) = (Browser::new(&world.running), Browser::new(&world.running));
    let adas = asked(&ada, &plugin_request(&client)).await;
    let eves = asked(&eve, &plugin_request(&client)).await;
    let page = eve.get(adas.url.as_str()).await.page();
    assert_eq!(page.status, 400);
    assert!(page.html.contains("start again in this browser"), "{}", page.html);
    // Her own form token with his request.
    let (r, csrf) = (adas.hidden("r"), eves.hidden("csrf"));
    let answer = post(&eve, &eves, "/consent", &[("r", &r), ("csrf", &csrf), ("decision", "allow")], &[]).await;
    answer.assert_page(StatusCode::BAD_REQUEST, "another browser's request");

    let cut = &r[..r.len() - 1];
    let changed = r.chars().rev().collect::<String>();
    let long = "A".repeat(16 * 1024 + 1);
    for r in ["", "x", cut, changed.as_str(), long.as_str(), "%ff"] {
        let answer = send(ada.http.get(adas.url.join(&format!("/consent?r={r}")).unwrap())).await;
        answer.assert_page(StatusCode::BAD_REQUEST, r);
    }
    assert!(world.consent(&client, ADA).await.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forged_form_is_refused() {
    let world = World::new(Engine::Sqlite).await;
    let client = world.client(Dialect::Plugin).await;
    let (browser, other) = (Browser::new(&world.running), Browser::new(&world.running));
    let page = asked(&browser, &plugin_request(&client)).await;
    let foreign = asked(&other, &plugin_request(&client)).await.hidden("csrf");
    let (r, csrf) = (page.hidden("r"), page.hidden("csrf"));
    let changed = csrf.chars().rev().collect::<String>();
    for forged in ["", "x", &changed, &foreign, &r[..200]] {
        for path in ["/consent", "/sign-in", "/sign-out"] {
            let fields = [("r", r.as_str()), ("csrf", forged), ("decision", "allow"), ("email", ADA)];
            let fields = [fields.as_slice(), &[("password", PASSWORD)]].concat();
            let answer = post(&browser, &page, path, &fields, &[]).await;
            answer.assert_page(StatusCode::FORBIDDEN, path);
            assert_eq!(answer.header("set-cookie"), None, "{path}");
        }
    }
    assert!(world.consent(&client, ADA).await.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_from_another_site_is_refused() {
    let world = World::new(Engine::Sqlite).await;
    let client = world.client(Dialect::Plugin).await;
    let browser = Browser::new(&world.running);
    let page = asked(&browser, &plugin_request(&client)).await;
    let (r, csrf) = (page.hidden("r"), page.hidden("csrf"));
    let fields = [("r", r.as_str()), ("csrf", csrf.as_str()), ("decision", "allow")];
    let own = world.running.url.clone();
    for headers in [
        vec![("sec-fetch-site", "cross-site")],
        vec![("sec-fetch-site", "same-site")],
        vec![("sec-fetch-site", "none")],
        vec![("sec-fetch-site", "cross-site"), ("origin", own.as_str())],
        vec![("origin", "https://evil.example")],
        vec![("origin", "null")],
    ] {
        let answer = post(&browser, &page, "/consent", &fields, &headers).await;
        answer.assert_page(StatusCode::FORBIDDEN, &format!("{headers:?}"));
        assert!(world.consent(&client, ADA).await.is_none());
    }
    let genuine = [("sec-fetch-site", "same-origin"), ("origin", own.as_str())];
    code(&location(&post(&browser, &page, "/consent", &fields, &genuine).await));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_that_is_not_whole_is_refused() {
    let world = World::new(Engine::Sqlite).await;
    let client = world.client(Dialect::Plugin).await;
    let browser = Browser::new(&world.running);
    let page = asked(&browser, &plugin_request(&client)).await;
    let (r, csrf) = (page.hidden("r"), page.hidden("csrf"));
    let base = [("r", r.as_str()), ("csrf", csrf.as_str())];
    for extra in [vec![], vec![("decision", "maybe")], vec![("decision", "allow"), ("decision", "deny")]] {
        let fields = [base.as_slice(), &extra].concat();
        let answer = post(&browser, &page, "/consent", &fields, &[]).await;
        answer.assert_page(StatusCode::BAD_REQUEST, &format!("{extra:?}"));
    }
    let large = "x".repeat(64 * 1024);
    let fields = [base.as_slice(), &[("decision", "allow"), ("more", large.as_str())]].concat();
    post(&browser, &page, "/consent", &fields, &[]).await.assert_page(StatusCode::PAYLOAD_TOO_LARGE, "large");
    let json = browser.http.post(page.url.join("/consent").unwrap()).json(&serde_json::json!({ "decision": "allow" }));
    send(json).await.assert_page(StatusCode::BAD_REQUEST, "JSON");
    assert!(world.consent(&client, ADA).await.is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_keeps_the_address_and_the_request() {
    let world = World::new(Engine::Sqlite).await;
    let client = world.client(Dialect::Plugin).await;
    let browser = Browser::new(&world.running);
    let mut page = browser.get(&plugin_request(&client)).await.page();
    let mut told = Vec::new();
    for (email, password) in [(ADA, "not this one"), ("nobody@example.com", PASSWORD), (ADA, ""), ("\"><b>x", "y")] {
        let (r, csrf) = (page.hidden("r"), page.hidden("csrf"));
        let fields = [("r", r.as_str()), ("csrf", &csrf), ("email", email), ("password", password)];
        page = browser.post("/sign-in", &fields).await.page();
        assert_eq!((page.status.as_u16(), page.url.path()), (422, "/sign-in"));
        assert!(!page.html.contains("<b>x") && !page.html.contains(PASSWORD), "{}", page.html);
        if !email.contains('<') {
            assert!(page.html.contains(&format!("value=\"{email}\"")), "{}", page.html);
        }
        let neutral = page.html.replace(&page.hidden("r"), "").replace(&page.hidden("csrf"), "").replace(email, "");
        told.push(neutral);
    }
    assert_eq!(told[0], told[1], "whether the address is known must not be told");
    let page = browser.sign_in(&page, ADA).await.page();
    assert_eq!(page.url.path(), "/consent");
}

/// A plugin's APIs may stand on other hosts than its own, and what is agreed to at one is nothing at another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_says_at_which_of_a_plugins_apis() {
    let world = World::new(Engine::Sqlite).await;
    let client = world.client(Dialect::Custom).await;
    let host = world.running.server.settings.host.to_string();
    for identifier in ["https://mcp.example/", "https://mcp.example/mcp", "https://mcp.example:8443/mcp?tenant=1"] {
        world.running.add_resource(&world.plugin, identifier).await;
    }
    for (resource, shown) in [
        (None, format!("{host}/api")),
        (Some("https://mcp.example"), "mcp.example".to_owned()),
        (Some("https://mcp.example/mcp"), "mcp.example/mcp".to_owned()),
        (Some("https://mcp.example:8443/mcp?tenant=1"), "mcp.example:8443/mcp?tenant=1".to_owned()),
    ] {
        let request = pkce_request(&client);
        let request = resource.map_or_else(|| request.clone(), |named| with(request.clone(), "resource", named));
        let page = asked(&Browser::new(&world.running), &authorize(&request)).await;
        assert!(page.html.contains(&format!("<bdi class=\"host\">{shown}</bdi>")), "{shown}: {}", page.html);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_without_cookies_is_told_so() {
    let world = World::new(Engine::Sqlite).await;
    let client = world.client(Dialect::Plugin).await;
    let answer = world.running.look(&plugin_request(&client)).await;
    let next = answer.header("location").unwrap().to_owned();
    let answer = send(http().get(world.running.at(&next))).await;
    answer.assert_page(StatusCode::BAD_REQUEST, "no cookie");
    assert!(answer.text.contains("cookies"), "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_in_changes_the_session_and_signing_out_ends_it() {
    let world = World::new(Engine::Sqlite).await;
    let client: Registered = world.client(Dialect::Plugin).await;
    let browser = Browser::new(&world.running);
    let page = asked(&browser, &plugin_request(&client)).await;
    let csrf = page.hidden("csrf");
    let stolen = session_cookie(&browser, &page, &csrf).await;
    // Signing in again replaced the session, and what was copied before is worth nothing.
    let answer = send(http().get(page.url.clone()).header("cookie", &stolen)).await;
    answer.assert_page(StatusCode::BAD_REQUEST, "a session cookie alone");
    let Arrived::Page(out) = browser.post("/sign-out", &[("csrf", &csrf)]).await else { panic!("left") };
    assert_eq!(out.url.path(), "/signed-out");
    let home = send(http().get(world.running.at("/")).header("cookie", &stolen)).await;
    assert!(!home.text.contains(ADA), "the session is gone from the server, not only from the browser");
    let page = browser.get(page.url.as_str()).await.page();
    assert_eq!(page.url.path(), "/sign-in");
}

/// Signs Ada in once more: the cookie of the new session as it is set.
async fn session_cookie(browser: &Browser, page: &Page, csrf: &str) -> String {
    let fields = [("csrf", csrf), ("email", ADA), ("password", PASSWORD)];
    let answer = post(browser, page, "/sign-in", &fields, &[]).await;
    assert_eq!((answer.status, answer.header("location")), (303, Some("/")));
    let cookie = answer.header("set-cookie").unwrap();
    let pair = cookie.split(';').next().unwrap().to_owned();
    let home = send(http().get(page.url.join("/").unwrap()).header("cookie", &pair)).await;
    assert!(home.text.contains(ADA), "the cookie is a session: {}", home.text);
    pair
}
