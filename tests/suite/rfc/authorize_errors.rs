//! What is wrong with an authorization request, and who is told (RFC 6749 §4.1.2.1, RFC 9207, RFC 7636 §4.4.1).
//!
//! Before the redirect URI is proven the person is shown a page; afterwards the client is told by a redirect.

use consentry::model::client::Dialect;
use reqwest::StatusCode;
use url::Url;

use super::wire::{location, pkce_request, with, without};
use crate::harness::{
    browser::{authorize, parameter},
    databases::Engine,
    server::{CALLBACK, Registered, World},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_is_not_known_or_may_not_ask_gets_a_page() {
    let world = World::new(Engine::Sqlite).await;
    let right = world.client(Dialect::Custom).await;
    let disabled = world.client(Dialect::Custom).await;
    let store = &world.running.server.store;
    store.disable_client(&disabled.client_id, &world.running.operator()).await.unwrap();
    let service = world.client(Dialect::Service).await;
    let long = "x".repeat(2049);
    let request = || pkce_request(&right);
    let cases = [
        ("unknown", with(request(), "client_id", "nobody")),
        ("disabled", with(request(), "client_id", &disabled.client_id)),
        ("a service", with(request(), "client_id", &service.client_id)),
        ("too long", with(request(), "client_id", &long)),
        ("empty", with(request(), "client_id", "")),
        ("missing", without(request(), "client_id")),
        ("twice", [request(), vec![("client_id", right.client_id.as_str())]].concat()),
        ("nothing at all", vec![]),
    ];
    for (case, parameters) in cases {
        world.running.look(&authorize(&parameters)).await.assert_page(StatusCode::BAD_REQUEST, case);
    }
    let unreadable = format!("{}&state=%ff", authorize(&without(request(), "state")));
    world.running.look(&unreadable).await.assert_page(StatusCode::BAD_REQUEST, "state is not UTF-8");
    world.running.look("/authorize?%").await.assert_page(StatusCode::BAD_REQUEST, "a lone percent sign");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redirect_uri_that_differs_in_one_byte_gets_a_page() {
    let world = World::new(Engine::Sqlite).await;
    let client = world.client(Dialect::Custom).await;
    let request = || pkce_request(&client);
    let long = format!("{CALLBACK}?{}", "x".repeat(2100));
    for presented in [
        "https://evil.example/callback",
        "https://chat.openai.com/aip/plugin-1f2e/oauth/callback/",
        "https://chat.openai.com/aip/plugin-1f2e/oauth/callback?",
        "https://chat.openai.com/aip/plugin-1f2e/oauth/callback?x=1",
        "https://chat.openai.com/aip/plugin-1f2e/oauth/callback#x",
        "https://chat.openai.com/aip/plugin-1f2e/oauth/callbac",
        "https://chat.openai.com/aip/plugin-1f2e/oauth/callback ",
        "https://chat.openai.com/aip/plugin-1f2e/oauth/%63allback",
        "https://chat.openai.com/aip/plugin-1f2e/x/../oauth/callback",
        "https://chat.openai.com/AIP/plugin-1f2e/oauth/callback",
        "https://CHAT.openai.com/aip/plugin-1f2e/oauth/callback",
        "https://chat.openai.com:443/aip/plugin-1f2e/oauth/callback",
        "https://chat.openai.com.evil.example/aip/plugin-1f2e/oauth/callback",
        "https://chat.openai.com@evil.example/aip/plugin-1f2e/oauth/callback",
        "https://evil.example\\@chat.openai.com/aip/plugin-1f2e/oauth/callback",
        "https://chatgpt.com/aip/plugin-1f2e/oauth/callback",
        "http://chat.openai.com/aip/plugin-1f2e/oauth/callback",
        "//chat.openai.com/aip/plugin-1f2e/oauth/callback",
        "/aip/plugin-1f2e/oauth/callback",
        "javascript:alert(1)",
        "https://chat.openai.com/aip/plugin-1f2e/oauth/callback\r\nSet-Cookie: a=b",
        "*",
        &long,
    ] {
        let answer = world.running.look(&authorize(&with(request(), "redirect_uri", presented))).await;
        answer.assert_page(StatusCode::BAD_REQUEST, presented);
        assert!(!answer.text.contains("evil.example"), "the page must not lead there either: {presented}");
    }
    let twice = [request(), vec![("redirect_uri", CALLBACK)]].concat();
    for (case, parameters) in [
        ("missing", without(request(), "redirect_uri")),
        ("empty", with(request(), "redirect_uri", "")),
        ("twice, the same", twice),
    ] {
        world.running.look(&authorize(&parameters)).await.assert_page(StatusCode::BAD_REQUEST, case);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_clients_redirect_uri_is_foreign() {
    let world = World::new(Engine::Sqlite).await;
    let other = "https://other.example/callback";
    world.running.add_client(&world.plugin, Dialect::Custom, &[other]).await;
    let client = world.client(Dialect::Custom).await;
    let request = with(pkce_request(&client), "redirect_uri", other);
    world.running.look(&authorize(&request)).await.assert_page(StatusCode::BAD_REQUEST, "another client's");
}

/// Sends a request that must come back to the client with an error: the code and the redirect.
async fn refused(world: &World, parameters: &[(&str, &str)]) -> (String, Url) {
    let answer = world.running.look(&authorize(parameters)).await;
    let left = location(&answer);
    assert!(left.as_str().starts_with(&format!("{CALLBACK}?error=")), "{parameters:?}: {left}");
    assert_eq!(parameter(&left, "iss").as_deref(), Some(world.running.url.as_str()), "{left}");
    assert_eq!(parameter(&left, "code"), None, "{left}");
    assert!(parameter(&left, "error_description").is_some_and(|words| !words.is_empty()), "{left}");
    (parameter(&left, "error").expect("an error"), left)
}

async fn assert_refused(world: &World, request: Vec<(&str, &str)>, expected: &str) {
    let state = request.iter().find(|(name, _)| *name == "state").map(|(_, value)| (*value).to_owned());
    let (error, left) = refused(world, &request).await;
    assert_eq!(error, expected, "{request:?}");
    assert_eq!(parameter(&left, "state"), state, "{request:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_else_is_wrong_is_told_to_the_client() {
    let world = World::new(Engine::Sqlite).await;
    let client = world.client(Dialect::Custom).await;
    let request = || pkce_request(&client);
    let long_scope = "a".repeat(4097);
    let long_challenge = "a".repeat(300);
    let resource = format!("{}#fragment", world.plugin.resource);
    let elsewhere = "https://elsewhere.example/api";
    for (name, value, expected) in [
        ("response_type", "token", "unsupported_response_type"),
        ("response_type", "code token", "unsupported_response_type"),
        ("response_type", "CODE", "unsupported_response_type"),
        ("response_type", "", "invalid_request"),
        ("response_mode", "fragment", "invalid_request"),
        ("response_mode", "form_post", "invalid_request"),
        ("scope", "todo.read\u{1}", "invalid_scope"),
        ("scope", "\"todo.read\"", "invalid_scope"),
        ("scope", &long_scope, "invalid_request"),
        ("resource", elsewhere, "invalid_target"),
        ("resource", "not a url", "invalid_target"),
        ("resource", &resource, "invalid_target"),
        ("request", "eyJhbGciOiJub25lIn0.e30.", "request_not_supported"),
        ("request_uri", "https://client.example/request", "request_uri_not_supported"),
        ("prompt", "none login", "invalid_request"),
        ("code_challenge_method", "plain", "invalid_request"),
        ("code_challenge_method", "s256", "invalid_request"),
        ("code_challenge_method", "S512", "invalid_request"),
        ("code_challenge_method", "", "invalid_request"),
        ("code_challenge", "", "invalid_request"),
        ("code_challenge", "tooshort", "invalid_request"),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM=", "invalid_request"),
        ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw+cM", "invalid_request"),
        ("code_challenge", &long_challenge, "invalid_request"),
    ] {
        assert_refused(&world, with(request(), name, value), expected).await;
    }
    assert_refused(&world, without(request(), "response_type"), "invalid_request").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parameter_given_twice_is_told_to_the_client() {
    let world = World::new(Engine::Sqlite).await;
    let client = world.client(Dialect::Custom).await;
    for (name, value) in [
        ("response_type", "code"),
        ("scope", "todo.read"),
        ("code_challenge", "x"),
        ("code_challenge_method", "S256"),
        ("prompt", "login"),
    ] {
        let first = with(pkce_request(&client), name, value);
        assert_refused(&world, [first, vec![(name, value)]].concat(), "invalid_request").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_state_that_cannot_be_given_back_is_left_out() {
    let world = World::new(Engine::Sqlite).await;
    let client = world.client(Dialect::Custom).await;
    let long = "s".repeat(4097);
    for request in [
        [pkce_request(&client), vec![("state", "s-2")]].concat(),
        [pkce_request(&client), vec![("state", "s-1")]].concat(),
        with(pkce_request(&client), "state", &long),
    ] {
        let (error, left) = refused(&world, &request).await;
        assert_eq!((error.as_str(), parameter(&left, "state")), ("invalid_request", None), "{left}");
    }
    let longest = "s".repeat(4096);
    let request = with(with(pkce_request(&client), "state", &longest), "response_type", "token");
    assert_refused(&world, request, "unsupported_response_type").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn state_goes_back_unchanged_whatever_it_is() {
    let world = World::new(Engine::Sqlite).await;
    let client = world.client(Dialect::Plugin).await;
    for state in [
        "15014bf5-a%2Bb",
        "a b+c",
        "&error=none&code=x#",
        "{\"a\":[1,\"é\u{1f600}\"]}",
        "\r\nSet-Cookie: a=b",
        "%",
        "\u{fffd}",
        "<script>",
        "eyJhbGciOiJIUzI1NiJ9.e30.x==",
    ] {
        let request = with(with(without(pkce_request(&client), "scope"), "state", state), "response_type", "id_token");
        let (_, left) = refused(&world, &request).await;
        assert_eq!(parameter(&left, "state").as_deref(), Some(state));
        assert_eq!(left.query_pairs().filter(|(name, _)| name == "error").count(), 1, "{left}");
        assert_eq!(left.fragment(), None, "{left}");
    }
    let none = with(without(pkce_request(&client), "state"), "response_type", "token");
    assert_eq!(parameter(&refused(&world, &none).await.1, "state"), None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pkce_may_be_left_out_only_where_the_dialect_never_sends_it() {
    let world = World::new(Engine::Sqlite).await;
    let bare = |client: &Registered| {
        let parameters = without(without(pkce_request(client), "code_challenge"), "code_challenge_method");
        authorize(&parameters)
    };
    for (dialect, needs_it) in
        [(Dialect::Plugin, false), (Dialect::Action, false), (Dialect::Connector, true), (Dialect::Custom, true)]
    {
        let client = world.client(dialect).await;
        let answer = world.running.look(&bare(&client)).await;
        assert_eq!(answer.status, 303);
        let to = answer.header("location").unwrap();
        if needs_it {
            assert!(to.starts_with(&format!("{CALLBACK}?error=invalid_request&")), "{dialect:?}: {to}");
        } else {
            assert!(to.starts_with("/sign-in?r="), "{dialect:?}: {to}");
        }
        // Whoever sends a challenge is held to it, and `plain` is for nobody.
        assert_refused(&world, with(pkce_request(&client), "code_challenge_method", "plain"), "invalid_request").await;
        assert_refused(&world, without(pkce_request(&client), "code_challenge"), "invalid_request").await;
        assert_refused(&world, without(pkce_request(&client), "code_challenge_method"), "invalid_request").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_is_added_to_a_redirect_uri_that_has_a_query() {
    let world = World::new(Engine::Sqlite).await;
    let callback = "https://client.example/cb?tenant=a%20b&x";
    let client = world.running.add_client(&world.plugin, Dialect::Custom, &[callback]).await;
    let request = with(with(pkce_request(&client), "redirect_uri", callback), "response_type", "token");
    let answer = world.running.look(&authorize(&request)).await;
    let to = answer.header("location").unwrap();
    assert!(to.starts_with(&format!("{callback}&error=unsupported_response_type&")), "{to}");
}
