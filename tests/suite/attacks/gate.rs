//! Rows 30 to 33: calls that are made to look, to the gate, like others than they are to the API behind it.

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use crate::{
    harness::{
        databases::Engine,
        gated::{Gated, ROUTES},
        upstream::Received,
    },
    on_both_engines,
};

/// Row 32: paths that the API may read differently go nowhere.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_path_that_can_be_read_in_two_ways_goes_nowhere() {
    let gated = Gated::new(Engine::Sqlite).await;
    let host = &gated.plugin.host;
    for path in [
        "/any/../admin",
        "/any/%2e%2e/admin",
        "/any/%2E./admin",
        "/any/./x",
        "/any/..",
        "/any/..;/admin",
        "/any;x=1/y",
        "/any//x",
        "//any/x",
        "/any/a%2fb",
        "/any/a%2Fb",
        "/any/a%5cb",
        "/any/a\\b",
        "/any/%252e%252e/x",
        "/any/%00",
        "/any/a%",
        "/any/%zz",
        "/any/%61",
        "/any/\u{e4}",
        "/any/%ff",
        "/any/a|b",
        "/any/<x>",
        "/any/a%0d%0aX: y",
        "http:/any/x",
        "any/x",
        "*",
    ] {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {}\r\nConnection: close\r\n\r\n",
            gated.token
        );
        let answer = gated.raw(request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400") || answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
    }
    assert_eq!(gated.upstream.received().len(), 0);
    // What an address can hold and means the same encoded is the same route.
    gated.routes("POST /any/{id} todo.read\nPOST /any/a:purge todo.write").await;
    let little = gated.token_with("todo.read").await;
    for path in ["/any/a:purge", "/any/a%3Apurge", "/any/a%3apurge"] {
        let answer = gated.bare("POST", path).bearer_auth(&little).send().await.unwrap();
        assert_eq!(answer.status(), 403, "{path}");
    }
    assert_eq!(gated.upstream.received().len(), 0);
    gated.routes(ROUTES).await;
    let honest = gated.call("GET", "/any/a%20b/c:d@e").send().await.unwrap();
    assert_eq!((honest.status().as_u16(), gated.upstream.last().target.as_str()), (200, "/any/a%20b/c:d@e"));
}

/// Rows 30 and 32: a call whose host is named twice, or differently, is for nobody; case and a port that is meant anyway
/// change nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_is_named_once_and_in_any_case() {
    let gated = Gated::new(Engine::Sqlite).await;
    let (host, token) = (gated.plugin.host.as_str(), &gated.token);
    let asked = async |target: &str, hosts: &str| {
        let head =
            format!("GET {target} HTTP/1.1\r\n{hosts}Authorization: Bearer {token}\r\nConnection: close\r\n\r\n");
        gated.raw(head.as_bytes()).await
    };
    for (target, hosts) in [
        ("/todos", format!("Host: {host}\r\nHost: {host}\r\n")),
        ("/todos", format!("Host: {host}\r\nHost: other.example\r\n")),
        ("/todos", format!("Host: other.example\r\nHost: {host}\r\n")),
        (&format!("http://{host}/todos"), "Host: other.example\r\n".to_owned()),
        ("http://other.example/todos", format!("Host: {host}\r\n")),
        ("/todos", format!("Host: {host}/x\r\n")),
        ("/todos", format!("Host: me@{host}\r\n")),
        ("/todos", String::new()),
    ] {
        let answer = asked(target, &hosts).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{target} {hosts}: {answer}");
    }
    assert_eq!(gated.upstream.received().len(), 0);
    for hosts in [format!("Host: {}\r\n", host.to_uppercase()), format!("hOST: {host}\r\n")] {
        let answer = asked("/todos", &hosts).await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{hosts}: {answer}");
    }
    let whole = asked(&format!("http://{host}/todos"), &format!("Host: {host}\r\n")).await;
    assert!(whole.starts_with("HTTP/1.1 200") && gated.upstream.last().target == "/todos", "{whole}");
    // Claims of proxies that nobody trusts lead nowhere else either.
    for name in ["x-forwarded-host", "x-original-host", "forwarded", "x-forwarded-server"] {
        let call = gated.bare("GET", "/status").header(name, "other.example");
        assert_eq!(call.send().await.unwrap().status(), 200);
        assert_eq!(gated.upstream.last().header("x-forwarded-host"), Some(host));
    }
}

fn forged() -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("x-consentry-subject", "victim"),
        ("x-consentry-subject", "another victim"),
        ("x_consentry_subject", "victim"),
        ("x-consentry_subject", "victim"),
        ("x-consentry-scopes", "admin"),
        ("x-consentry-client", "victim"),
        ("x-consentry-identity", "eyJhbGciOiJub25lIn0.e30."),
        ("x-consentry-whatever", "x"),
        ("x-forwarded-for", "203.0.113.9"),
        ("x_forwarded_for", "203.0.113.9"),
        ("x-forwarded-uri", "/admin"),
        ("x-forwarded-proto", "ftp"),
        ("forwarded", "for=203.0.113.9"),
        ("x-real-ip", "203.0.113.9"),
        ("true-client-ip", "203.0.113.9"),
        ("x-original-url", "/admin"),
        ("x-rewrite-url", "/admin"),
        ("x-original-method", "DELETE"),
        ("x-http-method-override", "DELETE"),
        ("x-http-method", "DELETE"),
        ("x-method-override", "DELETE"),
        ("x-host", "admin.example"),
        ("x-request-id", "mine"),
        ("cookie", "sid=1"),
        ("proxy-authorization", "Basic eDp5"),
        ("te", "trailers"),
        ("accept", "text/plain"),
    ] {
        headers.append(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    headers
}

fn is_unforged(came: &Received, subject: Option<&str>) {
    assert_eq!(came.header("x-consentry-subject"), subject);
    assert_eq!((came.header("x-forwarded-for"), came.header("accept")), (Some("127.0.0.1"), Some("text/plain")));
    assert_ne!(came.header("x-request-id"), Some("mine"));
    assert_ne!(came.header("x-forwarded-proto"), Some("ftp"));
    let allowed = [
        "accept",
        "content-length",
        "host",
        "x-consentry-client",
        "x-consentry-identity",
        "x-consentry-scopes",
        "x-consentry-subject",
        "x-forwarded-for",
        "x-forwarded-host",
        "x-forwarded-proto",
        "x-request-id",
    ];
    for (name, value) in &came.headers {
        assert!(allowed.contains(&name.as_str()), "{name}: {value}");
        assert!(
            !value.contains("victim") && !value.contains("admin") && !value.contains("203.0.113"),
            "{name}: {value}"
        );
    }
}

/// Rows 30 and 31: whatever a caller says of who they are, or where the call came from, in whatever spelling.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_speaks_for_the_gate() {
    let gated = Gated::new(Engine::Sqlite).await;
    assert_eq!(gated.call("GET", "/todos").send().await.unwrap().status(), 200);
    let subject = gated.upstream.last().header("x-consentry-subject").unwrap().to_owned();
    assert_eq!(gated.call("GET", "/todos").headers(forged()).send().await.unwrap().status(), 200);
    is_unforged(&gated.upstream.last(), Some(&subject));
    // Where nobody is asked who they are, nobody is named.
    assert_eq!(gated.bare("GET", "/status").headers(forged()).send().await.unwrap().status(), 200);
    is_unforged(&gated.upstream.last(), None);
}

/// Row 31: a header that a caller lists in `Connection` goes no further, and takes none of the gate's own along.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_caller_strips_nothing_that_the_gate_says() {
    let gated = Gated::new(Engine::Sqlite).await;
    let listed = "close, x-consentry-subject, X-Consentry-Identity, x-forwarded-for, x-mine, authorization";
    let head = format!(
        "GET /todos HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nX-Mine: 1\r\nX-Other: 2\r\nConnection: {listed}\r\n\r\n",
        gated.plugin.host, gated.token
    );
    let answer = gated.raw(head.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let came = gated.upstream.last();
    assert!(came.header("x-consentry-subject").is_some() && came.header("x-consentry-identity").is_some());
    assert_eq!(came.header("x-forwarded-for"), Some("127.0.0.1"));
    assert_eq!((came.header("x-mine"), came.header("x-other")), (None, Some("2")));
}

/// Row 33, and tokens in other places than the header.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_is_for_this_api_and_stands_in_one_header() {
    let gated = Gated::new(Engine::Sqlite).await;
    let running = &gated.world.running;
    // A good token of the same person, for another plugin's API on the same server.
    let other = gated.world.client(consentry::model::client::Dialect::Action).await;
    let theirs = running.tokens(&other).await;
    let theirs = theirs["access_token"].as_str().unwrap();
    let call = |token: &str| gated.bare("GET", "/todos").bearer_auth(token);
    assert_eq!(call(theirs).send().await.unwrap().status(), 401);
    for altered in [format!("{}x", gated.token), gated.token[1..].to_owned(), format!("{}.", gated.token)] {
        assert_eq!(call(&altered).send().await.unwrap().status(), 401);
    }
    let twice = gated.call("GET", "/todos").header("authorization", format!("Bearer {}", gated.token));
    assert_eq!(twice.send().await.unwrap().status(), 400);
    for query in ["access_token=x", "a=b&access%5Ftoken=x"] {
        let call = gated.call("GET", &format!("/todos?{query}"));
        assert_eq!(call.send().await.unwrap().status(), 400, "{query}");
    }
    let form = gated.bare("POST", "/todos").form(&[("access_token", &gated.token)]);
    assert_eq!(form.send().await.unwrap().status(), 401);
    assert_eq!(gated.upstream.received().len(), 0);
}

on_both_engines! {
    async fn what_is_not_listed_is_refused_whoever_asks(engine) {
        let gated = Gated::new(engine).await;
        gated.routes("GET /todos todo.read").await;
            for (method, path) in [("GET", "/admin"), ("GET", "/todos/1"), ("GET", "/Todos"), ("GET", "/todos/"), ("GET", "/")] {
                assert_eq!(gated.call(method, path).send().await.unwrap().status(), 404, "{method} {path}");
            }
            for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND", "get"] {
                assert_eq!(gated.call(method, "/todos").send().await.unwrap().status(), 405, "{method}");
            }
            let trace = gated.call("TRACE", "/todos").send().await.unwrap();
            assert_eq!(trace.status(), 400);
        assert_eq!(gated.upstream.received().len(), 0);
        // A plugin whose routes nobody has said lets nothing through, and one without an upstream is no gate at all.
        gated.world.running.server.store.set_routes(gated.plugin.id, None, &gated.world.running.operator()).await.unwrap();
        assert_eq!(gated.call("GET", "/todos").send().await.unwrap().status(), 404);
        assert_eq!(gated.upstream.received().len(), 0);
    }
}

/// The bytes between two calls: lengths that contradict each other, and what hides behind them (RFC 9112 §11.2).
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_hides_in_another() {
    let gated = Gated::new(Engine::Sqlite).await;
    let (host, token) = (&gated.plugin.host, &gated.token);
    let hidden = format!("GET /any/hidden HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\r\n");
    let length = hidden.len();
    for (heads, body) in [
        (format!("Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n"), format!("0\r\n\r\n{hidden}")),
        (format!("Transfer-Encoding: chunked\r\nContent-Length: {length}\r\n"), format!("0\r\n\r\n{hidden}")),
        (format!("Content-Length: 0\r\nContent-Length: {length}\r\n"), hidden.clone()),
        (format!("Content-Length: {length}, 0\r\n"), hidden.clone()),
        ("Transfer-Encoding: xchunked\r\n".to_owned(), format!("0\r\n\r\n{hidden}")),
        ("Transfer-Encoding: chunked, identity\r\n".to_owned(), format!("0\r\n\r\n{hidden}")),
        ("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n".to_owned(), format!("0\r\n\r\n{hidden}")),
        ("Transfer-Encoding : chunked\r\n".to_owned(), format!("0\r\n\r\n{hidden}")),
        (format!("Content-Length: +{length}\r\n"), hidden.clone()),
        (format!("Content-Length: 0x{length:x}\r\n"), hidden.clone()),
    ] {
        let request = format!("POST /status HTTP/1.1\r\nHost: {host}\r\n{heads}\r\n{body}");
        let answer = gated.raw(request.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 400"), "{heads}: {answer}");
        let is_hidden = |came: &Received| came.target == "/any/hidden";
        assert!(!gated.upstream.received().iter().any(is_hidden), "{heads}: {answer}");
    }
}

/// What a method has no place for is not sent on: the API, or what is before it, would take it for the next call.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_its_method_has_not_goes_nowhere() {
    let gated = Gated::new(Engine::Sqlite).await;
    let head = |line: &str, more: &str| {
        format!("{line} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{more}\r\n", gated.plugin.host)
    };
    let chunked = format!("{}5\r\nhello\r\n0\r\n\r\n", head("GET /status", "Transfer-Encoding: chunked\r\n"));
    let answer = gated.raw(chunked.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
    assert_eq!(gated.upstream.received().len(), 0);
    let measured = format!("{}hello", head("GET /status", "Content-Length: 5\r\n"));
    let answer = gated.raw(measured.as_bytes()).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(gated.upstream.last().body, b"hello");
    let long = format!("/any/{}", "a".repeat(17_000));
    assert_eq!(gated.call("GET", &long).send().await.unwrap().status(), 414);
}
