//! Nasty input: whatever is put into whichever place, there is an answer, and it is never a 500.
//!
//! The values are a fixed list (`nasty`); each stands once in every place, in every encoding the endpoint reads.

use consentry::model::{client::Dialect, proxies::TrustedProxies};

use super::{
    by_hand::ByHand,
    nasty::{Asked, Attempt, all_are_answered, client, is_well, unhurried, values},
};
use crate::{
    harness::{
        browser::authorize,
        server::{CALLBACK, Options, PASSWORD, Registered, World},
    },
    on_both_engines,
};

/// The parameters of an endpoint, good ones, so that each nasty one is reached.
fn places(world: &World, client: &Registered) -> Vec<(&'static str, Vec<(&'static str, String)>)> {
    let own = [("client_id", client.client_id.clone()), ("client_secret", client.client_secret.clone())];
    let with = |more: &[(&'static str, &str)]| {
        let more = more.iter().map(|(name, value)| (*name, (*value).to_owned()));
        own.iter().cloned().chain(more).collect::<Vec<_>>()
    };
    let resource = world.plugin.resource.as_str();
    let code = [("grant_type", "authorization_code"), ("code", "x"), ("redirect_uri", CALLBACK), ("code_verifier", "")];
    let refresh = [("grant_type", "refresh_token"), ("refresh_token", "x"), ("scope", ""), ("resource", resource)];
    vec![
        ("/token", with(&code)),
        ("/token", with(&refresh)),
        ("/revoke", with(&[("token", "x"), ("token_type_hint", "")])),
        ("/introspect", with(&[("token", "x"), ("token_type_hint", "")])),
    ]
}

on_both_engines! {
    /// Row 39: machine endpoints, form, JSON and Basic.
    async fn nasty_values_at_machine_endpoints_are_answered(engine) {
        let world = World::new(engine).await;
        let (http, values) = (client(), values());
        assert!(values.len() > 190, "{}", values.len());
        let registered = world.client(Dialect::Action).await;
        let mut attempts = Vec::new();
        for (path, good) in places(&world, &registered) {
            let url = format!("{}{path}", world.running.url);
            for place in 0..good.len() {
                for value in &values {
                    let mut fields = good.clone();
                    fields[place].1.clone_from(value);
                    let name = format!("{path} {}", fields[place].0);
                    let json: serde_json::Map<String, serde_json::Value> =
                        fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone().into())).collect();
                    if path == "/token" {
                        attempts.push(Attempt::new(format!("{name} in JSON"), value, http.post(&url).json(&json)));
                    }
                    attempts.push(Attempt::new(name, value, http.post(&url).form(&fields)));
                }
            }
        }
        let url = format!("{}/introspect", world.running.url);
        for value in &values {
            let post = || http.post(&url).form(&[("token", "x")]);
            let escaped: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
            let own = &registered.client_id;
            attempts.extend([
                Attempt::new("basic user", value, post().basic_auth(value, Some("x"))),
                Attempt::new("basic escaped user", value, post().basic_auth(escaped, Some("x"))),
                Attempt::new("basic password", value, post().basic_auth(own, Some(value))),
            ]);
        }
        all_are_answered(Asked::Machine, attempts).await;
        is_well(&world).await;
    }

    /// Row 39: pages, in the query, in the form, and in cookies.
    async fn nasty_values_at_pages_are_answered(engine) {
        let trusted_proxies = TrustedProxies(vec!["127.0.0.1/32".parse().unwrap()]);
        let world = World::with(engine, Options { trusted_proxies, ..Options::default() }).await;
        let (http, values) = (client(), values());
        let registered = world.client(Dialect::Plugin).await;
        let browser = ByHand::new();
        let page = browser.get(&world.running, "/sign-in").await;
        browser.sign_in(&world.running, &page, "ada@example.com", PASSWORD).await;
        let csrf = browser.get(&world.running, "/").await.hidden("csrf");
        let mark = browser.cookie("consentry_browser").unwrap();
        let session = browser.cookie("consentry_session").unwrap();
        let cookies = format!("consentry_browser={mark}; consentry_session={session}");
        let url = |path: &str| format!("{}{path}", world.running.url);
        let mut attempts = Vec::new();
        let good = [
            ("response_type", "code"), ("client_id", registered.client_id.as_str()), ("redirect_uri", CALLBACK),
            ("scope", ""), ("state", ""), ("resource", ""), ("prompt", ""), ("code_challenge", ""),
            ("code_challenge_method", ""), ("response_mode", ""), ("request", ""), ("request_uri", ""),
        ];
        for value in &values {
            for place in 0..good.len() {
                let mut query = good;
                query[place].1 = value;
                let get = http.get(url(&authorize(&query))).header("cookie", &cookies);
                attempts.push(Attempt::new(format!("/authorize {}", good[place].0), value, get));
            }
            for path in ["/consent", "/sign-in"] {
                let address = url::Url::parse_with_params(&url(path), [("r", value)]).unwrap();
                let get = http.get(address).header("cookie", &cookies);
                attempts.push(Attempt::new(format!("{path} r"), value, get));
            }
            for (path, fields) in [
                ("/consent", [("csrf", csrf.as_str()), ("r", value.as_str()), ("decision", "allow")]),
                ("/consent", [("csrf", &csrf), ("r", "x"), ("decision", value)]),
                ("/consent", [("csrf", value), ("r", "x"), ("decision", "allow")]),
                ("/sign-out", [("csrf", value), ("r", ""), ("decision", "")]),
                ("/sign-in", [("csrf", &csrf), ("r", value), ("email", "a@b")]),
            ] {
                // An empty `r` at sign-in costs a password check, like the values below.
                let post = http.post(url(path)).form(&fields).header("cookie", &cookies);
                attempts.push(Attempt::new(path, value, post));
            }
            if let Ok(cookie) = reqwest::header::HeaderValue::from_bytes(value.as_bytes()) {
                for name in ["consentry_session", "consentry_browser", "x"] {
                    let planted = [format!("{name}=").as_bytes(), cookie.as_bytes()].concat();
                    let get = http.get(url("/")).header("cookie", planted);
                    attempts.push(Attempt::new(format!("cookie {name}"), value, get));
                }
                let get = http.get(url("/.well-known/ai-plugin.json")).header("host", cookie);
                attempts.push(Attempt::new("host", value, get));
            }
        }
        // Each of these costs a password check, so it is a part of the list, with all of its NUL characters.
        for value in values.iter().enumerate().filter(|(index, value)| index % 8 == 0 || value.contains('\0')) {
            // Nor may one address, or one account, be tried so often that nothing is looked at.
            let (from, nobody) = (format!("198.51.100.{}", value.0 % 250), format!("nobody{}@example.com", value.0));
            for (email, password) in [(value.1.as_str(), "x"), (&nobody, value.1)] {
                let fields = [("csrf", csrf.as_str()), ("email", email), ("password", password)];
                let post = http.post(url("/sign-in")).form(&fields).header("x-forwarded-for", &from);
                let post = post.header("cookie", format!("consentry_browser={mark}"));
                attempts.push(Attempt::new("/sign-in", value.1, post));
            }
        }
        let counted = all_are_answered(Asked::Page, attempts).await;
        assert!(counted.of(200) > 0 && counted.of(303) > 0 && counted.of(400) > 0, "pages of every kind");
        is_well(&world).await;
    }

    /// Row 39: bodies that are not what they say, at every endpoint that reads one.
    async fn broken_bodies_are_answered(engine) {
        let world = World::with(engine, unhurried()).await;
        let http = client();
        let registered = world.client(Dialect::Action).await;
        let id = &registered.client_id;
        let many = (0..10_000).map(|n| format!("p{n}=&")).collect::<Vec<_>>().concat();
        let same = "a=b&".repeat(10_000);
        let bodies: Vec<Vec<u8>> = vec![
            b"".to_vec(), b"{".to_vec(), b"[]".to_vec(), b"null".to_vec(), b"\"\"".to_vec(), b"1e999".to_vec(),
            "[".repeat(60_000).into(), "{\"a\":".repeat(10_000).into(),
            format!("{{\"a\":{}1", "[".repeat(50_000)).into(),
            b"{\"client_id\":\"\\ud800\"}".to_vec(), b"{\"client_id\":\"\\u0000\"}".to_vec(),
            format!("{{\"client_id\":\"{id}\",\"client_secret\":\"\\udfff\\ud800\"}}").into(),
            b"{\"\\u0000\":\"\\u0000\"}".to_vec(), b"{\"client_id\":1}".to_vec(), b"{\"client_id\":[\"a\"]}".to_vec(),
            b"{\"client_id\":\"a\",}".to_vec(), b"\xef\xbb\xbf{}".to_vec(), b"\xff\xfe{\0}\0".to_vec(), vec![0; 1000],
            vec![0xff; 1000], b"client_id=%ff%fe".to_vec(), b"client_id=%00&client_secret=%00".to_vec(),
            b"client_id=%ed%a0%80".to_vec(), b"client_id=%".to_vec(), b"&&&&=&=&".to_vec(), many.into(), same.into(),
            vec![b'a'; 64 * 1024], vec![b'a'; 64 * 1024 + 1], vec![b'='; 60_000], "%00".repeat(20_000).into(),
        ];
        let types: Vec<&[u8]> = vec![
            b"application/json", b"application/x-www-form-urlencoded", b"application/json; charset=utf-16",
            b"application/x-www-form-urlencoded; charset=\xff", b"", b";", b"/", b"application", b"text/plain",
            b"multipart/form-data", b"multipart/form-data; boundary=", b"application/json, text/html", b"\xff\xfe",
            b"APPLICATION/JSON;;;=", b"application/jwt",
        ];
        for (asked, paths) in [
            (Asked::Machine, ["/token", "/revoke", "/introspect", "/register"]),
            (Asked::Page, ["/sign-in", "/consent", "/sign-out", "/signed-out"]),
        ] {
            let mut attempts = Vec::new();
            for path in paths {
                let url = format!("{}{path}", world.running.url);
                for (number, body) in bodies.iter().enumerate() {
                    // All bodies in the two types that are read; the others are refused by their name.
                    for content_type in types.iter().take(if number < 5 { types.len() } else { 2 }) {
                        let post = http.post(&url).body(body.clone()).header("content-type", *content_type);
                        let content_type = String::from_utf8_lossy(content_type);
                        attempts.push(Attempt::new(format!("{path} body {number} as {content_type}"), "", post));
                    }
                }
                attempts.push(Attempt::new(format!("{path} without a type"), "", http.post(&url).body("a=b")));
                for method in ["PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "NONSENSE"] {
                    let request = http.request(reqwest::Method::from_bytes(method.as_bytes()).unwrap(), &url);
                    attempts.push(Attempt::new(format!("{method} {path}"), "", request));
                }
            }
            all_are_answered(asked, attempts).await;
        }
        let mut attempts = Vec::new();
        for query in
            ["a=b&".repeat(10_000), "%00&".repeat(5_000), "%ff".into(), "client_id=%00&redirect_uri=%00".into()]
        {
            for path in ["/authorize", "/consent", "/sign-in", "/"] {
                let get = http.get(format!("{}{path}?{query}", world.running.url));
                attempts.push(Attempt::new(format!("{path}?{query:.20}"), "", get));
            }
        }
        all_are_answered(Asked::Page, attempts).await;
        assert_eq!(world.running.refresh(&registered, "x").await.0, 400, "and the server is well");
    }
}
