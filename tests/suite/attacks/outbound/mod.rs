//! What strangers' URLs can make this server do: reach where only it can reach (`reach`, row 19), and wear itself or
//! others out (`cost`, row 20). Here the craft that fetches is driven alone, against real TLS servers; everything that
//! fetches uses it.

mod cost;
mod reach;

use std::time::Duration;

use consentry::outbound::{FetchError, Fetched, Limits, Outbound, Settings};
use url::Url;

use crate::harness::strangers::{Strangers, answer::Answer};

const PLENTY: Limits = Limits { bytes_max: 5 * 1024, patience: Duration::from_secs(10) };

fn outbound(settings: Settings) -> Outbound {
    Outbound::new(settings).expect("outgoing TLS")
}

async fn get(outbound: &Outbound, url: &str) -> Result<Fetched, FetchError> {
    outbound.get(&Url::parse(url).expect(url), PLENTY).await
}

/// What all rows are measured against.
#[tokio::test]
async fn an_honest_document_is_fetched() {
    let strangers = Strangers::new();
    let host = strangers.host("honest.example");
    let answer = Answer::document("application/json", "{}").header("Cache-Control", "max-age=60");
    host.answer("/client.json", answer);
    let outbound = outbound(strangers.settings());
    let fetched = outbound.get(&host.url("/client.json?a=b#c"), PLENTY).await.unwrap();
    assert_eq!(fetched, Fetched { body: b"{}".to_vec(), max_age: Some(Duration::from_mins(1)) });
    assert_eq!(host.last_user_agent().unwrap(), format!("consentry/{}", env!("CARGO_PKG_VERSION")));
    assert!(host.last_head().starts_with("GET /client.json?a=b HTTP/1.1\r\n"), "{}", host.last_head());
    let again = outbound.get(&host.url("/client.json"), PLENTY).await.unwrap();
    assert_eq!((again.body, host.connections()), (fetched.body, 2), "no connection is kept");
}

/// Row 20: each kind of failure is told as what it is, in a line that can be logged as it is.
#[tokio::test]
async fn what_failed_is_told_apart() {
    let strangers = Strangers::new();
    let host = strangers.host("failing.example");
    for status in [201, 204, 206, 400, 403, 404, 410, 429, 500, 503] {
        host.answer("/", Answer::status(status));
        assert_eq!(outbound(strangers.settings()).get(&host.url("/"), PLENTY).await, Err(FetchError::Status(status)));
    }
    host.answer("/", Answer::broken("{}"));
    let outbound = outbound(strangers.settings());
    let broken = outbound.get(&host.url("/"), PLENTY).await;
    assert!(matches!(broken, Err(FetchError::Unreachable(_))), "half a document is none: {broken:?}");
    assert_eq!(get(&outbound, "https://unknown.example/").await, Err(FetchError::NoSuchHost));
    let long = format!("https://{}example/", "a.".repeat(200));
    assert_eq!(get(&outbound, &long).await, Err(FetchError::NoSuchHost));
    let url = host.url("/");
    host.close().await;
    let gone = outbound.get(&url, PLENTY).await;
    assert_eq!(gone, Err(FetchError::Unreachable("nobody listens there")));
}
