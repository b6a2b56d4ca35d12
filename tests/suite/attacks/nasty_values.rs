//! Nasty input: whatever is put into whichever place, there is an answer, and it is never a 500.
//!
//! The values are a fixed list; each stands once in every place, in every encoding the endpoint reads.

use consentry::model::client::Dialect;
use futures_util::{StreamExt, stream};
use reqwest::{Client, RequestBuilder, redirect::Policy};

use super::by_hand::ByHand;
use crate::{
    harness::{
        browser::authorize,
        server::{CALLBACK, PASSWORD, Registered, World},
    },
    on_both_engines,
};

/// Around two hundred values somebody might have forgotten about.
#[expect(clippy::too_many_lines, reason = "a list is read line by line")]
fn values() -> Vec<String> {
    let mut all: Vec<String> = [
        "",
        " ",
        "\0",
        "a\0b",
        "\0\0\0\0",
        "\u{1}",
        "\u{7f}",
        "\u{80}",
        "\u{feff}",
        "\u{fffd}",
        "\u{ffff}",
        "\u{10ffff}",
        "\u{202e}abc",
        "\u{200b}",
        "é",
        "e\u{301}",
        "ﬃ",
        "İ",
        "ß",
        "😀",
        "\r\n",
        "a\r\nSet-Cookie: a=b",
        "\n",
        "\t",
        "null",
        "undefined",
        "true",
        "false",
        "NaN",
        "0",
        "-0",
        "-1",
        "1e309",
        "9223372036854775807",
        "9223372036854775808",
        "18446744073709551616",
        "0x7fffffff",
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        "[]",
        "{}",
        "[object Object]",
        "{\"a\":1}",
        "'",
        "\"",
        "`",
        "\\",
        "\\0",
        "' or '1'='1",
        "'; drop table families; --",
        "1; select pg_sleep(9)",
        "%",
        "%%",
        "%00",
        "%0a",
        "%2e%2e%2f",
        "%u0000",
        "%c0%ae",
        "%ff",
        "&",
        "=",
        "&=&",
        "a=b",
        "+",
        ";",
        "../../../etc/passwd",
        "..\\..\\x",
        "file:///etc/passwd",
        "http://[::1",
        "http://[::ffff:127.0.0.1]/",
        "https://",
        "https:///",
        "https://a b/",
        "//",
        "http://0/",
        "*",
        "https://\u{202e}moc.live/",
        "javascript:1",
        "data:,",
        "<script>",
        "<!--",
        "]]>",
        "${7*7}",
        "{{7*7}}",
        "#{1}",
        "%s%s%s%n",
        "$(id)",
        "|id",
        "a:b",
        ":",
        "a:",
        ":b",
        "Basic",
        "Bearer ",
        "cst_ac_",
        "cst_rt_",
        "cst_cs_",
        "cst_ss_",
        "cst_ac_A",
        "cst_rt_A",
        "cst_ac_AAAA",
        "cst_rt_====",
        "cst_ac_\0",
        ".",
        "..",
        "...",
        "a.b.c",
        "e30.e30.",
        "eyJhbGciOiJub25lIn0.e30.",
        "eyJhbGciOiJIUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6IjEifQ.e30.AAAA",
        "eyJraWQiOiIxIn0.e30.AAAA",
        "eyJraWQiOiItMSIsImFsZyI6IkVTMjU2In0.e30.AA",
        "code",
        "token",
        "S256",
        "plain",
        "none",
        "login",
        "consent",
        "openid offline_access",
        "authorization_code",
        "refresh_token",
        "client_credentials",
        "password",
        "urn:ietf:params:oauth:grant-type:device_code",
        "ada@example.com",
        "@",
        "a@",
        "@b",
        "a@b@c",
        "a@\0",
        "a\0@b",
        "xn--a@b",
        "\u{0}ada@example.com",
        "a@b\r\nBcc: c@d",
        "COM1",
        "con",
        "__proto__",
        "constructor",
    ]
    .map(str::to_owned)
    .into();
    for length in [255, 256, 257, 512, 513, 2048, 2049, 4096, 4097, 16 * 1024 + 1] {
        all.push("a".repeat(length));
        all.push("é".repeat(length / 2));
    }
    for length in [1, 5, 9, 21, 44, 75, 76, 77, 300] {
        for (byte, prefix) in [('A', "cst_ac_"), ('_', "cst_ac_"), ('A', "cst_rt_"), ('_', "cst_rt_"), ('A', "")] {
            all.push(format!("{prefix}{}", byte.to_string().repeat(length * 4 / 3)));
        }
    }
    all.push("[".repeat(2000));
    all.push(" ".repeat(2000));
    all.push(".".repeat(2000));
    all
}

fn client() -> Client {
    Client::builder().redirect(Policy::none()).build().expect("a client")
}

/// Sends all requests, a few at a time, and holds every one to an answer below 500.
async fn all_are_answered(requests: Vec<(String, RequestBuilder)>) {
    let mut answers =
        stream::iter(requests).map(|(name, request)| async move { (name, request.send().await) }).buffer_unordered(8);
    while let Some((name, answer)) = answers.next().await {
        let status = answer.unwrap_or_else(|error| panic!("{name:.300}: no answer: {error}")).status();
        assert!(status.as_u16() < 500, "{name:.300}: {status}");
    }
}

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
        let mut requests = Vec::new();
        for (path, good) in places(&world, &registered) {
            let url = format!("{}{path}", world.running.url);
            for place in 0..good.len() {
                for value in &values {
                    let mut fields = good.clone();
                    fields[place].1.clone_from(value);
                    let name = format!("{path} {}={value:?}", fields[place].0);
                    let json: serde_json::Map<String, serde_json::Value> =
                        fields.iter().map(|(name, value)| ((*name).to_owned(), value.clone().into())).collect();
                    if path == "/token" {
                        requests.push((format!("{name} in JSON"), http.post(&url).json(&json)));
                    }
                    requests.push((name, http.post(&url).form(&fields)));
                }
            }
        }
        let url = format!("{}/introspect", world.running.url);
        for value in &values {
            let post = || http.post(&url).form(&[("token", "x")]);
            requests.push((format!("basic user {value:?}"), post().basic_auth(value, Some("x"))));
            let escaped: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
            requests.push((format!("basic escaped user {value:?}"), post().basic_auth(escaped, Some("x"))));
            requests.push((format!("basic password {value:?}"), post().basic_auth(&registered.client_id, Some(value))));
        }
        all_are_answered(requests).await;
    }

    /// Row 39: pages, in the query, in the form, and in cookies.
    async fn nasty_values_at_pages_are_answered(engine) {
        let world = World::new(engine).await;
        let (http, values) = (client(), values());
        let registered = world.client(Dialect::Plugin).await;
        let browser = ByHand::new();
        let page = browser.get(&world.running, "/sign-in").await;
        browser.sign_in(&world.running, &page, "ada@example.com", PASSWORD).await;
        let csrf = browser.get(&world.running, "/").await.hidden("csrf");
        let mark = browser.cookie("consentry_browser").unwrap();
        let cookies = format!("consentry_browser={mark}; consentry_session={}", browser.cookie("consentry_session").unwrap());
        let url = |path: &str| format!("{}{path}", world.running.url);
        let mut requests = Vec::new();
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
                requests.push((format!("/authorize {}={value:?}", good[place].0), get));
            }
            for path in ["/consent", "/sign-in"] {
                let address = url::Url::parse_with_params(&url(path), [("r", value)]).unwrap();
                let get = http.get(address).header("cookie", &cookies);
                requests.push((format!("{path} r={value:?}"), get));
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
                requests.push((format!("{path} {value:?}"), post));
            }
            if let Ok(cookie) = reqwest::header::HeaderValue::from_bytes(value.as_bytes()) {
                for name in ["consentry_session", "consentry_browser", "x"] {
                    let planted = [format!("{name}=").as_bytes(), cookie.as_bytes()].concat();
                    let get = http.get(url("/")).header("cookie", planted);
                    requests.push((format!("cookie {name}={value:?}"), get));
                }
                requests.push((format!("host {value:?}"), http.get(url("/.well-known/ai-plugin.json")).header("host", cookie)));
            }
        }
        // Each of these costs a password check, so it is a part of the list, with all of its NUL characters.
        for value in values.iter().enumerate().filter(|(index, value)| index % 8 == 0 || value.contains('\0')) {
            for fields in [[("email", value.1.as_str()), ("password", "x")], [("email", "ada@example.com"), ("password", value.1)]] {
                let fields = [("csrf", csrf.as_str()), fields[0], fields[1]];
                let post = http.post(url("/sign-in")).form(&fields).header("cookie", format!("consentry_browser={mark}"));
                requests.push((format!("/sign-in {fields:?}"), post));
            }
        }
        all_are_answered(requests).await;
    }

    /// Row 39: bodies that are not what they say, at every endpoint that reads one.
    async fn broken_bodies_are_answered(engine) {
        let world = World::new(engine).await;
        let http = client();
        let registered = world.client(Dialect::Action).await;
        let id = &registered.client_id;
        let many = (0..10_000).map(|n| format!("p{n}=&")).collect::<Vec<_>>().concat();
        let same = "a=b&".repeat(10_000);
        let bodies: Vec<Vec<u8>> = vec![
            b"".to_vec(), b"{".to_vec(), b"[]".to_vec(), b"null".to_vec(), b"\"\"".to_vec(), b"1e999".to_vec(),
            "[".repeat(60_000).into(), "{\"a\":".repeat(10_000).into(), format!("{{\"a\":{}1", "[".repeat(50_000)).into(),
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
        let mut requests = Vec::new();
        for path in ["/token", "/revoke", "/introspect", "/sign-in", "/consent", "/sign-out"] {
            for (number, body) in bodies.iter().enumerate() {
                // All bodies in the two types that are read; the others are refused by their name.
                for content_type in types.iter().take(if number < 5 { types.len() } else { 2 }) {
                    let post = http.post(format!("{}{path}", world.running.url)).body(body.clone());
                    let post = post.header("content-type", *content_type);
                    let content_type = String::from_utf8_lossy(content_type);
                    requests.push((format!("{path} body {number} as {content_type}"), post));
                }
            }
            requests.push((format!("{path} without a type"), http.post(format!("{}{path}", world.running.url)).body("a=b")));
            for method in ["PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "NONSENSE"] {
                let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
                requests.push((format!("{method} {path}"), http.request(method, format!("{}{path}", world.running.url))));
            }
        }
        for query in ["a=b&".repeat(10_000), "%00&".repeat(5_000), "%ff".into(), "client_id=%00&redirect_uri=%00".into()] {
            for path in ["/authorize", "/consent", "/sign-in", "/"] {
                requests.push((format!("{path}?{query:.20}"), http.get(format!("{}{path}?{query}", world.running.url))));
            }
        }
        all_are_answered(requests).await;
        assert_eq!(world.running.refresh(&registered, "x").await.0, 400, "and the server is well");
    }
}
