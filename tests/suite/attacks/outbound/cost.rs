//! Row 20: amplification, and documents that are huge or slow. Each costs one bounded fetch.

use std::time::Duration;

use consentry::outbound::{FetchError, Limits};
use tokio::time::{Instant, timeout};
use url::Url;

use super::{PLENTY, get, outbound};
use crate::harness::strangers::{Strangers, answer::Answer, host::Host};

const IMPATIENT: Limits = Limits { bytes_max: 5 * 1024, patience: Duration::from_millis(700) };

/// What an impatient fetch may take on a busy machine.
const SOON: Duration = Duration::from_secs(5);

/// What a host can get rid of into the buffers of a connection that is not read to its end.
const BUFFERS_MAX: usize = 16 * 1024 * 1024;

/// Row 20.
#[tokio::test]
async fn a_large_answer_costs_no_more_than_the_bound() {
    let strangers = Strangers::new();
    let host = strangers.host("large.example");
    let outbound = outbound(strangers.settings());
    let bytes_max = u64::try_from(PLENTY.bytes_max).unwrap();
    host.answer("/just", Answer::huge(bytes_max));
    assert_eq!(outbound.get(&host.url("/just"), PLENTY).await.unwrap().body.len(), PLENTY.bytes_max);
    let ten_gigabytes = 10 * 1024 * 1024 * 1024;
    for (path, answer) in [
        ("/announced", Answer::huge(ten_gigabytes)),
        ("/one-more", Answer::huge(bytes_max + 1)),
        ("/absurd", Answer::huge(1 << 62)),
        ("/endless", Answer::endless()),
    ] {
        host.answer(path, answer);
        let began = Instant::now();
        assert_eq!(outbound.get(&host.url(path), PLENTY).await, Err(FetchError::TooLarge), "{path}");
        assert!(began.elapsed() < SOON, "{path}");
        host.until_left_alone().await;
    }
    assert!(host.sent() < 4 * BUFFERS_MAX, "{}", host.sent());
    assert_eq!(host.connections(), 5, "one each");
}

/// An answer with so many lines in its head.
fn with_lines(count: usize) -> Answer {
    // Three of them are the media type, and what every answer of such a host has: its length, and that it is the last.
    let answer = Answer::document("text/plain", "");
    (0..count - 3).fold(answer, |answer, number| answer.header("X-Many", &number.to_string()))
}

/// Row 20: a head of many lines is bounded by us, at fewer than the library would take.
#[tokio::test]
async fn a_head_of_many_lines_is_refused() {
    let strangers = Strangers::new();
    let host = strangers.host("large.example");
    let outbound = outbound(strangers.settings());
    host.answer("/", with_lines(64));
    assert_eq!(outbound.get(&host.url("/"), PLENTY).await.unwrap().body, b"");
    for count in [65, 99, 10_000] {
        host.answer("/", with_lines(count));
        let outcome = outbound.get(&host.url("/"), PLENTY).await;
        assert!(matches!(outcome, Err(FetchError::Unreachable(_))), "{count}: {outcome:?}");
    }
    host.until_left_alone().await;
}

/// Row 20: one of long lines is bounded by the library, whose bound can be neither set nor taken out.
#[tokio::test]
async fn a_large_head_is_refused_too() {
    let strangers = Strangers::new();
    let host = strangers.host("large.example");
    host.answer("/long", Answer::status(200).header("X-Long", &"x".repeat(4 * 1024 * 1024)));
    let outcome = outbound(strangers.settings()).get(&host.url("/long"), PLENTY).await;
    assert!(matches!(outcome, Err(FetchError::Unreachable(_))), "{outcome:?}");
    host.until_left_alone().await;
}

/// Row 20: a few bytes that unpack to many stay a few bytes.
#[tokio::test]
async fn nothing_is_unpacked() {
    let strangers = Strangers::new();
    let host = strangers.host("packed.example");
    // The letter a, as gzip has it.
    let packed = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0x4b, 4, 0, 0x43, 0xbe, 0xb7, 0xe8, 1, 0, 0, 0];
    host.answer("/", Answer::document("text/plain", packed).header("Content-Encoding", "gzip"));
    assert_eq!(outbound(strangers.settings()).get(&host.url("/"), PLENTY).await.unwrap().body, packed);
}

/// Row 20: every way of being slow.
#[tokio::test]
async fn a_slow_host_costs_one_connection_and_the_patience() {
    let strangers = Strangers::new();
    let (slow, stalling) = (strangers.host("slow.example"), strangers.host("stalling.example"));
    slow.answer("/hang", Answer::hang());
    slow.answer("/drip", Answer::drip("a".repeat(100)));
    stalling.stall();
    strangers.silence("silent.example");
    let outbound = outbound(strangers.settings());
    let silent = Url::parse("https://silent.example/").unwrap();
    for url in [slow.url("/hang"), slow.url("/drip"), stalling.url("/"), silent] {
        let began = Instant::now();
        assert_eq!(outbound.get(&url, IMPATIENT).await, Err(FetchError::TooSlow), "{url}");
        let took = began.elapsed();
        assert!(took >= IMPATIENT.patience && took < SOON, "{url}: {took:?}");
    }
    assert_eq!((slow.connections(), stalling.connections()), (2, 1));
    slow.until_left_alone().await;
    stalling.until_left_alone().await;
}

/// Row 20: the server is not to be aimed at anybody.
#[tokio::test]
async fn two_at_once_are_all_that_an_origin_sees() {
    let strangers = Strangers::new();
    let host = strangers.host("victim.example");
    host.answer("/", Answer::document("text/plain", "").after(Duration::from_millis(100)));
    let outbound = outbound(strangers.settings());
    let fetches = (0..10).map(|number| {
        // The last dot and the default port change nothing about who it is.
        let name = ["victim.example", "VICTIM.example:443", "victim.example"][number % 3];
        let (outbound, url) = (outbound.clone(), format!("https://{name}/"));
        tokio::spawn(async move { get(&outbound, &url).await })
    });
    for fetch in fetches.collect::<Vec<_>>() {
        fetch.await.unwrap().unwrap();
    }
    assert_eq!((host.requests(), host.open_most()), (10, 2));
}

/// Row 20: a host that keeps its callers waiting keeps no others waiting, and its own only as long as they like.
#[tokio::test]
async fn who_gets_no_turn_in_time_is_told_so() {
    let strangers = Strangers::new();
    let (slow, quick) = (strangers.host("slow.example"), strangers.host("quick.example"));
    slow.answer("/", Answer::hang());
    quick.answer("/", Answer::document("text/plain", ""));
    let outbound = outbound(strangers.settings());
    let hanging: Vec<_> = (0..2)
        .map(|_| {
            let (outbound, url) = (outbound.clone(), slow.url("/"));
            tokio::spawn(async move { outbound.get(&url, PLENTY).await })
        })
        .collect();
    until_two_are_open(&slow).await;
    assert_eq!(outbound.get(&slow.url("/"), IMPATIENT).await, Err(FetchError::Busy));
    assert_eq!(slow.connections(), 2);
    outbound.get(&quick.url("/"), PLENTY).await.unwrap();
    for fetch in hanging {
        fetch.abort();
    }
    slow.until_left_alone().await;
    slow.answer("/", Answer::document("text/plain", ""));
    outbound.get(&slow.url("/"), PLENTY).await.expect("the turns of those who went away are free");
}

async fn until_two_are_open(host: &Host) {
    let open = async {
        while host.open() < 2 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(SOON, open).await.expect("both are connected");
}
