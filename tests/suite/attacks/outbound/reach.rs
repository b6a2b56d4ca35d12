//! Row 19: server-side request forgery, by every way in which a URL can mean something of the inside.

use std::{net::SocketAddr, time::Duration};

use consentry::outbound::{FetchError, Fetched, Outbound, Settings};
use reqwest::tls::Certificate;
use serde_json::json;
use tokio::{net::TcpListener, time::timeout};

use super::{PLENTY, get, outbound};
use crate::harness::strangers::{Strangers, answer::Answer};

/// The strangers' settings, with something else allowed than loopback.
fn allowing(strangers: &Strangers, allow: &[&str]) -> Outbound {
    let allow = allow.iter().map(|range| range.parse().unwrap()).collect();
    outbound(Settings { allow, ..strangers.settings() })
}

/// Somebody of the inside, who counts who comes.
struct Inside {
    listener: TcpListener,
    address: SocketAddr,
}

impl Inside {
    async fn at(address: &str) -> Self {
        let listener = TcpListener::bind((address, 0)).await.unwrap();
        Self { address: listener.local_addr().unwrap(), listener }
    }

    async fn was_called(&self) -> bool {
        timeout(Duration::from_millis(50), self.listener.accept()).await.is_ok()
    }
}

fn is_refused(outcome: &Result<Fetched, FetchError>) -> bool {
    matches!(outcome, Err(FetchError::Address { .. }))
}

/// The other side of row 19: an intranet can be opened, by its addresses and its authority, and nothing else is needed.
#[tokio::test]
async fn what_the_operator_allows_is_fetched() {
    let strangers = Strangers::new();
    let host = strangers.host("intranet.example");
    host.answer("/client.json", Answer::json(&json!({})));
    let allow: Vec<_> = ["127.0.0.1/32", "::1/128"].iter().map(|range| range.parse().unwrap()).collect();
    let authorities = Certificate::from_pem_bundle(strangers.authority_pem().as_bytes()).unwrap();
    for (allow, authorities) in [(&allow, &Vec::new()), (&Vec::new(), &authorities), (&allow, &authorities)] {
        let both = !allow.is_empty() && !authorities.is_empty();
        let settings = Settings { allow: allow.clone(), authorities: authorities.clone(), ..Settings::default() };
        let outcome = outbound(settings).get(&host.local_url("/client.json"), PLENTY).await;
        assert_eq!(outcome.is_ok(), both, "{outcome:?}");
    }
    assert_eq!(host.requests(), 1);
}

/// Row 19: addresses, as they may be written in a URL.
#[tokio::test]
async fn special_addresses_are_refused_in_every_spelling_without_a_connection() {
    let strangers = Strangers::new();
    let inside = Inside::at("127.0.0.1").await;
    let port = inside.address.port();
    let outbound = allowing(&strangers, &["10.0.0.0/8"]);
    for host in [
        "127.0.0.1",
        "127.0.0.1.",
        "2130706433",
        "0x7f000001",
        "017700000001",
        "0177.0.0.1",
        "0x7f.1",
        "127.1",
        "127.0.1",
        "%31%32%37.0.0.1",
        "１２７.０.０.１",
        "①②⑦.⓪.⓪.①",
        "127。0。0。1",
        "0",
        "0.0.0.0",
        "8.8.8.8@127.0.0.1",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[0:0:0:0:0:ffff:7f00:0001]",
        "[::127.0.0.1]",
        "[::1]",
        "[::]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "a.localhost",
        "a.localhost.",
        "ｌocalhost",
        "169.254.169.254",
        "0xa9fea9fe",
        "2852039166",
        "[::ffff:a9fe:a9fe]",
        "[fd00:ec2::254]",
        "[fe80::1]",
        "192.168.0.1",
        "172.16.0.1",
        "100.100.100.200",
        "255.255.255.255",
        "224.0.0.1",
        "198.18.0.1",
        "192.0.0.192",
        "203.0.113.1",
        "240.0.0.1",
        "[2001:db8::1]",
        "[ff02::1]",
        "[100::1]",
        "[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
    ] {
        let outcome = get(&outbound, &format!("https://{host}:{port}/")).await;
        assert!(is_refused(&outcome), "{host}: {outcome:?}");
    }
    assert!(!inside.was_called().await);
    for name in ["localhost", "localhost.", "a.localhost", "a.localhost."] {
        assert_eq!(strangers.asked(name), 0, "{name} is not even looked up");
    }
}

/// Row 19: addresses behind a name of the attacker's.
#[tokio::test]
async fn a_name_that_leads_inside_is_refused_without_a_connection() {
    let strangers = Strangers::new();
    let (here, there) = (Inside::at("127.0.0.1").await, Inside::at("127.0.0.2").await);
    let outbound = allowing(&strangers, &["127.0.0.2/32"]);
    let outside = there.address;
    let mapped = SocketAddr::new("::ffff:127.0.0.1".parse().unwrap(), here.address.port());
    for (name, addresses) in [
        ("inside.example", &[here.address][..]),
        ("mapped.example", &[mapped]),
        ("first.example", &[here.address, outside]),
        ("last.example", &[outside, outside, outside, outside, outside, outside, outside, outside, here.address]),
    ] {
        strangers.lead(name, addresses);
        for url in [format!("https://{name}/"), format!("https://{name}:{}/", here.address.port())] {
            let outcome = get(&outbound, &url).await;
            assert!(is_refused(&outcome), "{url}: {outcome:?}");
            let told = outcome.unwrap_err().to_string();
            assert!(told.contains(name) && !told.contains("127.0"), "{told}");
        }
        assert_eq!(strangers.asked(name), 2, "once each");
    }
    assert!(!here.was_called().await && !there.was_called().await);
}

/// Row 19: the name means a public address when it is looked at, and an inner one when it is connected to. Here
/// 127.0.0.1 is the public one, and the only one that may be fetched from.
#[tokio::test]
async fn a_name_that_changes_its_meaning_is_connected_to_where_it_was_vetted() {
    let strangers = Strangers::new();
    let host = strangers.host("rebinding.example");
    host.answer("/", Answer::document("text/plain", "from outside"));
    let inside = Inside::at("127.0.0.2").await;
    strangers.lead_in_turn("rebinding.example", &[&[host.address()], &[inside.address]]);
    let outbound = allowing(&strangers, &["127.0.0.1/32"]);
    assert_eq!(outbound.get(&host.url("/"), PLENTY).await.unwrap().body, b"from outside");
    assert_eq!(strangers.asked("rebinding.example"), 1, "looked up once, and not again to connect");
    let second = outbound.get(&host.url("/"), PLENTY).await;
    assert!(is_refused(&second), "the next fetch looks again: {second:?}");
    assert_eq!((strangers.asked("rebinding.example"), host.requests()), (2, 1));
    assert!(!inside.was_called().await);
}

/// Row 19.
#[tokio::test]
async fn no_redirect_is_followed() {
    let strangers = Strangers::new();
    let host = strangers.host("redirecting.example");
    let inside = Inside::at("127.0.0.1").await;
    let outbound = outbound(strangers.settings());
    let inner = format!("https://{}/", inside.address);
    for to in ["https://169.254.169.254/latest/meta-data/", inner.as_str(), "/elsewhere", "//redirecting.example/x"] {
        for status in [300, 301, 302, 303, 304, 305, 307, 308, 399] {
            host.answer("/", Answer::redirect(to).but(status));
            let outcome = outbound.get(&host.url("/"), PLENTY).await;
            assert_eq!(outcome, Err(FetchError::Redirected), "{status} {to}");
        }
    }
    assert_eq!(host.requests(), host.requests_for("/"));
    assert!(!inside.was_called().await);
}

/// Row 19: what is not https could be anything on the inside, and anybody in between.
#[tokio::test]
async fn only_https_is_spoken() {
    let strangers = Strangers::new();
    let inside = Inside::at("127.0.0.1").await;
    strangers.lead("plain.example", &[inside.address]);
    let outbound = outbound(strangers.settings());
    let port = inside.address.port();
    for url in [
        "http://plain.example/".to_owned(),
        format!("http://127.0.0.1:{port}/"),
        format!("ftp://127.0.0.1:{port}/"),
        format!("gopher://127.0.0.1:{port}/"),
        "file:///etc/passwd".to_owned(),
        "data:application/json,{}".to_owned(),
        "unix:/run/postgresql".to_owned(),
    ] {
        assert_eq!(get(&outbound, &url).await, Err(FetchError::NotHttps), "{url}");
    }
    assert!(!inside.was_called().await);
    assert_eq!(strangers.asked("plain.example"), 0);
}

/// Row 19: somebody between the name and the host.
#[tokio::test]
async fn a_certificate_for_another_name_or_from_another_authority_is_refused() {
    let (strangers, others) = (Strangers::new(), Strangers::new());
    let (wrong_name, wrong_authority) = (strangers.host("other.example"), others.host("true.example"));
    let outbound = outbound(strangers.settings());
    for host in [&wrong_name, &wrong_authority] {
        host.answer("/", Answer::document("text/plain", "a lie"));
        strangers.lead("true.example", &[host.address()]);
        let outcome = get(&outbound, "https://true.example/").await;
        assert!(matches!(outcome, Err(FetchError::Unreachable(why)) if why.contains("certificate")), "{outcome:?}");
        assert_eq!((host.connections(), host.requests()), (1, 0), "not a word was said");
    }
}

/// Row 19: nothing is handed out that was not asked for.
#[tokio::test]
async fn a_host_learns_nothing_but_the_url() {
    let strangers = Strangers::new();
    let host = strangers.host("curious.example");
    host.answer("/", Answer::document("text/plain", "").header("Set-Cookie", "id=1; Path=/"));
    let outbound = outbound(strangers.settings());
    for _ in 0..2 {
        get(&outbound, "https://ada:lovelace@curious.example/#fragment").await.unwrap();
        let head = host.last_head().to_lowercase();
        let names: Vec<_> =
            head.lines().skip(1).filter_map(|line| line.split_once(':')).map(|(name, _)| name).collect();
        assert_eq!(names, ["accept", "user-agent", "host"], "{head}");
        assert!(!head.contains("fragment") && !head.contains("lovelace"), "{head}");
    }
}
