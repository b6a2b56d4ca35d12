//! Redirect URIs: nobody is ever sent to an address that its client has not registered, letter for letter.

use consentry::model::{client::Dialect, redirect_uri::RedirectUri, resource::ResourceIdentifier};
use serde_json::json;

use super::by_hand::{self, ByHand};
use crate::{
    harness::{
        browser::{Arrived, Browser, authorize, parameter, plugin_request},
        connector,
        databases::Engine,
        server::{CALLBACK, Options, PASSWORD, Registered, World},
        strangers::{Strangers, answer::Answer},
    },
    on_both_engines,
};

/// Asks to be sent back to an address.
fn request(client: &Registered, redirect_uri: &str) -> String {
    authorize(&[
        ("response_type", "code"),
        ("client_id", &client.client_id),
        ("redirect_uri", redirect_uri),
        ("state", "s"),
    ])
}

/// Where strangers want people to be sent, and what people are shown of it.
const STRANGE: [(&str, &str); 3] = [
    ("https://evil.example/cb", "evil.example"),
    ("http://127.0.0.1/cb", "127.0.0.1"),
    ("com.example.evil:/cb", "com.example.evil"),
];

/// A request of a client nobody vouches for.
#[derive(Clone, Copy)]
struct Stranger<'a> {
    client_id: &'a str,
    redirect_uri: &'a str,
}

impl Stranger<'_> {
    /// A world with one that registered itself and one that published a document, and what they are called.
    async fn both(engine: Engine, strangers: &Strangers) -> (World, [String; 2]) {
        let host = strangers.host("evil.example");
        let address = host.url("/client.json").to_string();
        let uris = STRANGE.map(|(uri, _)| uri);
        let said = json!({ "client_id": address, "redirect_uris": uris, "token_endpoint_auth_method": "none" });
        host.answer("/client.json", Answer::json(&said));
        let world = World::with(engine, Options { outbound: strangers.settings(), ..Options::default() }).await;
        let (status, told) = world.running.json("/register", &said).await;
        assert_eq!(status, 201, "{told}");
        // Read once while its host is there: from then on it is known for an hour.
        let request = Stranger { client_id: &address, redirect_uri: uris[0] }.request(&[]);
        assert_eq!(ByHand::new().get(&world.running, &request).await.status, 303);
        (world, [told["client_id"].as_str().unwrap().to_owned(), address])
    }

    /// What is right, with one of its parameters said differently or added.
    fn request(self, changes: &[(&str, &str)]) -> String {
        let right = [
            ("response_type", "code"),
            ("client_id", self.client_id),
            ("redirect_uri", self.redirect_uri),
            ("state", "a state"),
            ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
            ("code_challenge_method", "S256"),
        ];
        let kept = right.iter().filter(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
        authorize(&kept.chain(changes).copied().collect::<Vec<_>>())
    }
}

/// Asserts that this leads nowhere by itself, and by a click to the client with everything it must be told.
fn is_a_page_that_leads_to(page: &by_hand::Answer, redirect_uri: &str, error: &str, issuer: &str) {
    assert_eq!((page.status, page.location(), page.header("refresh")), (400, None, ""), "{page:?}");
    assert!(!page.body.contains("http-equiv"), "{}", page.body);
    let offered = page.offered();
    assert!(offered.starts_with(&format!("{redirect_uri}?error={error}&")), "{offered}");
    let offered: url::Url = offered.parse().unwrap();
    assert_eq!(parameter(&offered, "state").as_deref(), Some("a state"));
    assert_eq!(parameter(&offered, "iss").as_deref(), Some(issuer));
}

/// Asserts that the browser is shown an error page, and stays.
async fn stays(browser: &Browser, address: &str) {
    match browser.get(address).await {
        Arrived::Page(page) => {
            assert_eq!((page.url.path(), page.status.as_u16()), ("/authorize", 400), "{address}");
        }
        Arrived::Left(url) => panic!("{address} left for {url}"),
    }
}

/// A world whose Ada has signed in and agreed already: nothing but the address stands between a request and a code.
async fn agreed(engine: Engine) -> (World, Registered, Browser) {
    let world = World::new(engine).await;
    let client = world.client(Dialect::Plugin).await;
    let browser = Browser::new(&world.running);
    browser.agree(&plugin_request(&client), "ada@example.com").await;
    let again = browser.get(&plugin_request(&client)).await.left();
    assert!(parameter(&again, "code").is_some(), "consent is remembered: {again}");
    (world, client, browser)
}

on_both_engines! {
    /// Row 1.
    async fn a_foreign_redirect_uri_is_refused_before_anybody_is_asked(engine) {
        let (world, client, browser) = agreed(engine).await;
        stays(&browser, &request(&client, "https://evil.example/callback")).await;
        stays(&browser, &request(&client, "")).await;
        // And at the token endpoint it is checked once more; the mistake does not consume the code.
        let code = world.running.code(&client).await;
        for redirect_uri in ["https://evil.example/callback", "https://chat.openai.com/", ""] {
            let (status, refused) = world.running.form("/token", &[
                ("grant_type", "authorization_code"),
                ("client_id", &client.client_id),
                ("client_secret", &client.client_secret),
                ("code", &code),
                ("redirect_uri", redirect_uri),
            ]).await;
            assert_eq!(status, 400, "{redirect_uri}: {refused}");
        }
        let (status, tokens) = world.running.redeem(&client, &code).await;
        assert_eq!(status, 200, "{tokens}");
    }

    /// Rows 2, 3 and 7.
    async fn a_redirect_uri_that_only_resembles_the_registered_one_is_refused(engine) {
        let (_world, client, browser) = agreed(engine).await;
        for resembling in [
            // A user name before the host, or what some parser takes for one.
            "https://chat.openai.com@evil.example/aip/plugin-1f2e/oauth/callback",
            "https://chat.openai.com:443@evil.example/aip/plugin-1f2e/oauth/callback",
            "https://evil.example@chat.openai.com/aip/plugin-1f2e/oauth/callback",
            "https://@chat.openai.com/aip/plugin-1f2e/oauth/callback",
            "https://chat.openai.com\\@evil.example/aip/plugin-1f2e/oauth/callback",
            "https://chat.openai.com%40evil.example/aip/plugin-1f2e/oauth/callback",
            "https://chat.openai.com.evil.example/aip/plugin-1f2e/oauth/callback",
            // Port, query, fragment, case, path.
            "https://chat.openai.com:443/aip/plugin-1f2e/oauth/callback",
            "https://chat.openai.com:8443/aip/plugin-1f2e/oauth/callback",
            "https://chat.openai.com/aip/plugin-1f2e/oauth/callback?next=https://evil.example",
            "https://chat.openai.com/aip/plugin-1f2e/oauth/callback?",
            "https://chat.openai.com/aip/plugin-1f2e/oauth/callback#x",
            "https://CHAT.openai.com/aip/plugin-1f2e/oauth/callback",
            "HTTPS://chat.openai.com/aip/plugin-1f2e/oauth/callback",
            "https://chat.openai.com/aip/plugin-1F2E/oauth/callback",
            "https://chat.openai.com/aip/plugin-1f2e/oauth/callback/",
            "https://chat.openai.com/aip/plugin-1f2e/oauth/callback/../../../plugin-evil/oauth/callback",
            "https://chat.openai.com/aip/./plugin-1f2e/oauth/callback",
            "https://chat.openai.com/aip/plugin-1f2e/oauth/callbac%6b",
            "https://chat.openai.com/aip//plugin-1f2e/oauth/callback",
            "http://chat.openai.com/aip/plugin-1f2e/oauth/callback",
            " https://chat.openai.com/aip/plugin-1f2e/oauth/callback",
            "https://chat.openai.com/aip/plugin-1f2e/oauth/callback ",
            "https://chat.openai.com/aip/plugin-1f2e/oauth/callback\0",
            "https://chat.openai.com/aip/plugin-1f2e/oauth/callback\r\nLocation: https://evil.example",
            // Another tenant of the same host.
            "https://chat.openai.com/aip/plugin-evil/oauth/callback",
            "https://chat.openai.com/aip/g-evil/oauth/callback",
            "https://chat.openai.com/",
            "//evil.example/callback",
        ] {
            stays(&browser, &request(&client, resembling)).await;
        }
    }

    /// Row 3: an address that a browser would take for a path of ours, where a parser takes it for another host's.
    async fn an_address_is_a_whole_one_or_none(engine) {
        let world = World::new(engine).await;
        for address in [
            "https:chat.openai.com/cb",
            "https:/chat.openai.com/cb",
            "https:///chat.openai.com/cb",
            "HTTPS:chat.openai.com/cb",
            "http:127.0.0.1/cb",
            "http:/localhost/cb",
            "https://@chat.openai.com/cb",
        ] {
            let body = json!({ "redirect_uris": ["https://chat.openai.com/cb", address] });
            let (status, refused) = world.running.json("/register", &body).await;
            assert_eq!((status.as_u16(), &refused["error"]), (400, &"invalid_redirect_uri".into()), "{address}");
            assert!(refused["error_description"].as_str().unwrap().starts_with("redirect_uris[1]"), "{refused}");
            assert!(address.parse::<ResourceIdentifier>().is_err(), "{address} could be a resource");
        }
        assert_eq!(world.database.count("clients").await, 0);
    }

    /// Row 3: on loopback the port is free, and nothing else.
    async fn only_the_port_of_a_loopback_address_may_vary(engine) {
        let world = World::new(engine).await;
        let client = world.running.add_client(&world.plugin, Dialect::Connector, &["http://127.0.0.1/callback"]).await;
        let browser = Browser::new(&world.running);
        let other_port = browser.get(&request(&client, "http://127.0.0.1:5123/callback")).await.left();
        assert_eq!(parameter(&other_port, "error").as_deref(), Some("invalid_request"), "PKCE is missing");
        for other in [
            "http://127.0.0.1:5123/other",
            "http://127.0.0.1:5123/callback?x=1",
            "http://localhost:5123/callback",
            "http://127.0.0.2:5123/callback",
            "http://127.1:5123/callback",
            "http://2130706433:5123/callback",
            "http://127.0.0.1:5123@evil.example/callback",
            "http://127.0.0.1.evil.example/callback",
            "https://127.0.0.1:5123/callback",
        ] {
            stays(&browser, &request(&client, other)).await;
        }
    }

    /// Row 5.
    async fn no_error_leaves_the_server_before_client_and_address_are_proven(engine) {
        let (_world, client, browser) = agreed(engine).await;
        let evil = "https://evil.example/callback";
        for query in [
            format!("response_type=token&client_id={}&redirect_uri={evil}", client.client_id),
            format!("client_id={}&redirect_uri={evil}&prompt=none", client.client_id),
            format!("response_type=code&client_id={}&redirect_uri={evil}&scope=%22", client.client_id),
            format!("response_type=code&client_id={}&redirect_uri={evil}&state=a&state=b", client.client_id),
            format!("response_type=code&client_id={}&redirect_uri={CALLBACK}&redirect_uri={evil}", client.client_id),
            format!("response_type=code&client_id={0}&client_id={0}&redirect_uri={CALLBACK}", client.client_id),
            format!("response_type=code&client_id=nobody&redirect_uri={CALLBACK}"),
            format!("response_type=code&redirect_uri={CALLBACK}"),
            format!("response_type=code&client_id={}", client.client_id),
            format!("error=x&error_uri={evil}"),
            String::new(),
        ] {
            stays(&browser, &format!("/authorize?{query}")).await;
        }
        // Once the address is proven, the same faults are told to the client, with its state and the issuer.
        let told = browser.get(&request(&client, CALLBACK).replace("=code", "=token")).await.left();
        assert_eq!(parameter(&told, "error").as_deref(), Some("unsupported_response_type"));
        assert_eq!(parameter(&told, "state").as_deref(), Some("s"));
        assert!(parameter(&told, "iss").is_some());
    }

    /// Row 5: an error is no way to send people from our address to one that anybody could have named.
    async fn an_error_sends_nobody_to_a_strangers_address(engine) {
        let strangers = Strangers::new();
        let (world, clients) = Stranger::both(engine, &strangers).await;
        for client_id in &clients {
            for (redirect_uri, shown) in STRANGE {
                for (name, value, error) in [
                    ("response_type", "token", "unsupported_response_type"),
                    ("scope", "\"", "invalid_scope"),
                    ("resource", "https://nowhere.example/mcp", "invalid_target"),
                    ("code_challenge_method", "plain", "invalid_request"),
                    ("prompt", "none", "login_required"),
                ] {
                    let request = Stranger { client_id, redirect_uri }.request(&[(name, value)]);
                    let page = ByHand::new().get(&world.running, &request).await;
                    is_a_page_that_leads_to(&page, redirect_uri, error, &world.running.url);
                    assert!(page.body.contains(&format!("<bdi class=\"host\">{shown}</bdi>")), "{}", page.body);
                }
            }
        }
    }

    /// Row 5: the same on every page in between, when what was asked for has gone meanwhile.
    async fn an_error_met_on_the_way_sends_nobody_there_either(engine) {
        let strangers = Strangers::new();
        let (world, clients) = Stranger::both(engine, &strangers).await;
        let store = &world.running.server.store;
        for client_id in &clients {
            for (redirect_uri, _) in STRANGE {
                let mcp = "https://mcp.example/mcp";
                world.running.add_resource(&world.plugin, mcp).await;
                let request = Stranger { client_id, redirect_uri }.request(&[("resource", mcp)]);
                let browser = ByHand::new();
                let sign_in = browser.get(&world.running, &request).await.redirect().to_owned();
                let form = browser.get(&world.running, &sign_in).await;
                let consent = browser.sign_in(&world.running, &form, "ada@example.com", PASSWORD).await;
                let consent = consent.redirect().to_owned();
                let form = browser.get(&world.running, &consent).await;
                assert_eq!(form.status, 200, "{form:?}");
                store.remove_resource(mcp, &world.running.operator()).await.unwrap();
                for page in [
                    browser.get(&world.running, &sign_in).await,
                    browser.get(&world.running, &consent).await,
                    browser.get(&world.running, &request).await,
                    browser.decide(&world.running, &form, "allow").await,
                ] {
                    is_a_page_that_leads_to(&page, redirect_uri, "invalid_target", &world.running.url);
                }
            }
        }
    }

    /// Row 5, the other side: where somebody vouches for the client, and where a person has just been asked, the client
    /// is told at once.
    async fn an_error_goes_at_once_where_somebody_vouches_or_was_asked(engine) {
        let strangers = Strangers::new();
        let known = strangers.host("chatgpt.com");
        known.answer("/oauth/client.json", Answer::json(&connector::shapes()[0].1));
        let (world, clients) = Stranger::both(engine, &strangers).await;
        let by_hand = world.client(Dialect::Connector).await;
        for (client_id, redirect_uri) in
            [(by_hand.client_id.as_str(), CALLBACK), (connector::CLIENT_ID, connector::REDIRECT_URI)]
        {
            let request = Stranger { client_id, redirect_uri }.request(&[("response_type", "token")]);
            let left = ByHand::new().get(&world.running, &request).await.redirect().to_owned();
            assert!(left.starts_with(&format!("{redirect_uri}?error=unsupported_response_type")), "{left}");
        }
        for client_id in &clients {
            for (redirect_uri, _) in STRANGE {
                let browser = ByHand::new();
                let request = Stranger { client_id, redirect_uri }.request(&[]);
                let sign_in = browser.get(&world.running, &request).await.redirect().to_owned();
                let form = browser.get(&world.running, &sign_in).await;
                let consent = browser.sign_in(&world.running, &form, "ada@example.com", PASSWORD).await;
                let form = browser.get(&world.running, consent.redirect()).await;
                let left = browser.decide(&world.running, &form, "deny").await.redirect().to_owned();
                assert!(left.starts_with(&format!("{redirect_uri}?error=access_denied")), "{left}");
            }
        }
    }

    /// Rows 6 and 7: schemes that run or read something, and wildcards, can be neither registered nor used.
    async fn a_scheme_that_runs_something_is_no_redirect_uri(engine) {
        let (_world, client, browser) = agreed(engine).await;
        for uri in [
            "javascript:alert(1)",
            "JavaScript:alert(1)//https://chat.openai.com",
            "javascript://chat.openai.com/%0aalert(1)",
            "java\tscript:alert(1)",
            "data:text/html,<script>alert(1)</script>",
            "vbscript:x",
            "file:///etc/passwd",
            "blob:https://chat.openai.com/1",
            "about:blank",
            "view-source:https://chat.openai.com/",
            "intent://chat.openai.com/#Intent;scheme=http;end",
            "ms-officecmd://chat.openai.com/",
            "chrome-extension://chat.openai.com/cb",
            "itms-services://chat.openai.com/",
            "https://chat.openai.com/aip/*/oauth/callback",
            "https://*.openai.com/callback",
        ] {
            assert!(uri.parse::<RedirectUri>().is_err(), "{uri} could be registered");
            stays(&browser, &request(&client, uri)).await;
        }
    }
}
