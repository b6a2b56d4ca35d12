//! An API behind the gate on its bad days, and callers who do not stop: each costs what it may and is answered clearly.

use std::time::Duration;

use futures_util::StreamExt;
use reqwest::Body;
use serde_json::Value;

use crate::harness::{databases::Engine, gated::Gated};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_api_that_dies_or_talks_nonsense_is_told_from_the_gate() {
    let gated = Gated::new(Engine::Sqlite).await;
    for path in ["/slam", "/garbage", "/two-lengths"] {
        let answer = gated.call("GET", path).send().await.unwrap();
        assert_eq!(answer.status(), 502, "{path}");
        let told: Value = answer.json().await.unwrap();
        assert_eq!(told["error"], "bad_gateway", "{path}: {told}");
        assert!(!told.to_string().contains(&gated.upstream.address.port().to_string()), "{told}");
    }
    // What began and broke off does not pass for the whole.
    for path in ["/die", "/die-in-a-chunk"] {
        let answer = gated.call("GET", path).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer.bytes().await.unwrap_err();
    }
    // Nobody listens.
    gated.world.import(|_| ()).await;
    let server = &gated.world.running.server;
    let mut plugin = gated.plugin.clone();
    plugin.upstream = Some("http://127.0.0.1:1".to_owned());
    let import = consentry::store::plugins::PluginImport::of(plugin, Vec::new(), server.clock.now());
    server.store.import_plugin(&import, &gated.world.running.operator()).await.unwrap();
    assert_eq!(gated.call("GET", "/todos").send().await.unwrap().status(), 502);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_what_changes_nothing_is_sent_twice() {
    let gated = Gated::new(Engine::Sqlite).await;
    let count = |path: &str| gated.upstream.received().iter().filter(|came| came.target == path).count();
    for _ in 0..4 {
        // A kept connection that the API closes when it is used again.
        assert_eq!(gated.call("GET", "/stale").send().await.unwrap().status(), 200);
    }
    let before = count("/slam");
    assert_eq!(gated.call("GET", "/slam").send().await.unwrap().status(), 502);
    assert_eq!(count("/slam") - before, 2);
    for method in ["POST", "PUT", "DELETE", "PATCH"] {
        let before = count("/slam");
        assert_eq!(gated.call(method, "/slam").body("x").send().await.unwrap().status(), 502);
        assert_eq!(gated.call(method, "/slam").send().await.unwrap().status(), 502);
        assert_eq!(count("/slam") - before, 2, "{method}: once each");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_without_end_waits_for_its_reader() {
    let gated = Gated::new(Engine::Sqlite).await;
    let before = gated.upstream.sent();
    let answer = gated.call("GET", "/endless").send().await.unwrap();
    let mut parts = answer.bytes_stream();
    let mut taken = 0;
    while taken < 1_000_000 {
        taken += parts.next().await.unwrap().unwrap().len();
    }
    // Nobody reads any more, and soon nothing comes any more.
    let mut sent = 0;
    for _ in 0..50 {
        tokio::time::sleep(Duration::from_millis(200)).await;
        let now = gated.upstream.sent() - before;
        if now == sent {
            break;
        }
        sent = now;
    }
    assert_eq!(gated.upstream.sent() - before, sent, "it stands still");
    assert!(sent < 64 * 1024 * 1024, "what waits is little: {sent}");
    drop(parts);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_without_end_is_cut() {
    let gated = Gated::new(Engine::Sqlite).await;
    let endless =
        || Body::wrap_stream(futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>(vec![b'x'; 65_536])));
    // The answer comes while the caller still writes; a client may see that, or only that nobody listens any more.
    match gated.call("POST", "/todos").body(endless()).send().await {
        Ok(answer) => assert_eq!(answer.status(), 413),
        Err(error) => assert!(error.is_request() || error.is_body(), "{error}"),
    }
    // One that says so itself is refused before anything of it is read.
    let head = format!(
        "POST /todos HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Length: 11000000\r\n\r\n",
        gated.plugin.host, gated.token
    );
    assert!(gated.raw(head.as_bytes()).await.starts_with("HTTP/1.1 413"));
    // Nothing of them passed for a whole call.
    assert!(gated.upstream.received().iter().all(|came| came.body.len() < 10 * 1024 * 1024));
    let fits = gated.call("POST", "/todos").body(vec![b'x'; 9 * 1024 * 1024]).send().await.unwrap();
    assert_eq!(fits.json::<Value>().await.unwrap()["bytes"], 9 * 1024 * 1024);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_is_cut_short_is_no_call() {
    let gated = Gated::new(Engine::Sqlite).await;
    for (more, part) in [("Content-Length: 1000", "only this"), ("Transfer-Encoding: chunked", "9\r\nonly this\r\n")] {
        let head = format!(
            "POST /todos HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\n{more}\r\n\r\n{part}",
            gated.plugin.host, gated.token
        );
        // The connection is given up by the caller two seconds later.
        assert_eq!(gated.raw(head.as_bytes()).await, "");
    }
    // Another that is whole comes through, and they do not.
    assert_eq!(gated.call("POST", "/todos").body("whole").send().await.unwrap().status(), 200);
    let posted: Vec<_> = gated.upstream.received().into_iter().filter(|came| came.method == "POST").collect();
    assert_eq!(posted.iter().map(|came| came.body.as_slice()).collect::<Vec<_>>(), [b"whole"]);
}

/// An API that speaks another protocol all of a sudden, or says two lengths.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_answer_that_is_no_answer_is_told_as_that() {
    let gated = Gated::new(Engine::Sqlite).await;
    assert_eq!(gated.call("GET", "/any/upgraded").send().await.unwrap().status(), 502);
    let answer = gated.call("GET", "/any/both-lengths").send().await.unwrap();
    assert_eq!((answer.status().as_u16(), answer.text().await.unwrap()), (200, "whole".to_owned()));
}

/// Single-host mode: the API's answers stand beside the pages on which people sign in.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_api_s_page_does_not_act_on_ours() {
    for gated in [Gated::new(Engine::Sqlite).await, Gated::beside_the_pages(Engine::Sqlite).await] {
        let is_beside = gated.plugin.host == gated.world.running.server.settings.host;
        let answer = gated.bare("GET", "/page").header("cookie", "__Host-session=mine").send().await.unwrap();
        let header = |name| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
        for gone in ["set-cookie", "clear-site-data", "service-worker-allowed", "x-consentry-subject", "x-hop"] {
            assert_eq!(header(gone), None, "{gone}");
        }
        assert_eq!(header("x-mine").as_deref(), Some("kept"));
        assert_eq!(header("x-content-type-options").as_deref(), Some("nosniff"));
        let policy = if is_beside { "sandbox" } else { "default-src *" };
        assert_eq!(header("content-security-policy").as_deref(), Some(policy));
        assert_eq!(gated.upstream.last().header("cookie"), None);
    }
}
