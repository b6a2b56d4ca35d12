//! Freshness (RFC 9111 §4.2): how long the host's cache headers allow its answer to be kept. How long it is kept is
//! decided above, which has bounds of its own.
//!
//! What is kept is kept once for everybody, so this is a shared cache in the RFC's words: `s-maxage` goes before
//! `max-age`, and both before `Expires`. `private` is not heeded: no document fetched here is about a person. What is
//! said but not understood counts as stale, as §4.2.1 advises.

use std::time::Duration;

use chrono::DateTime;
use reqwest::header::{AGE, CACHE_CONTROL, DATE, EXPIRES, HeaderMap, HeaderName};

/// "Infinity" of §1.2.2.
const SECONDS_MAX: u64 = 1 << 31;

/// How long the answer may be kept; zero if not at all; `None` if nothing is said.
pub(super) fn max_age(headers: &HeaderMap) -> Option<Duration> {
    let lifetime = match CacheControl::of(headers) {
        CacheControl::NotKept => return Some(Duration::ZERO),
        CacheControl::Kept(seconds) => seconds,
        CacheControl::Silent => seconds_to_expiry(headers)?,
    };
    let seconds = lifetime.saturating_sub(age(headers));
    Some(Duration::from_secs(seconds))
}

/// What all `Cache-Control` lines say together.
enum CacheControl {
    NotKept,
    Kept(u64),
    Silent,
}

impl CacheControl {
    fn of(headers: &HeaderMap) -> Self {
        let (mut shared, mut any) = (None, None);
        for line in headers.get_all(CACHE_CONTROL) {
            let Ok(line) = line.to_str() else { return Self::NotKept };
            for directive in directives(line) {
                let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
                let seconds = seconds(value.trim().trim_matches('"')).unwrap_or(0);
                match name.trim().to_ascii_lowercase().as_str() {
                    "no-store" | "no-cache" => return Self::NotKept,
                    // Said twice, the shorter holds.
                    "s-maxage" => shared = Some(shared.map_or(seconds, |other: u64| other.min(seconds))),
                    "max-age" => any = Some(any.map_or(seconds, |other: u64| other.min(seconds))),
                    _ => {}
                }
            }
        }
        shared.or(any).map_or(Self::Silent, Self::Kept)
    }
}

/// Cut at commas that stand outside of quotes.
fn directives(line: &str) -> impl Iterator<Item = &str> {
    let mut quoted = false;
    line.split(move |c| {
        quoted ^= c == '"';
        c == ',' && !quoted
    })
}

/// Delta-seconds (§1.2.2); too many are as good as infinity.
fn seconds(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(SECONDS_MAX).min(SECONDS_MAX))
}

/// How old the answer was already when it came.
fn age(headers: &HeaderMap) -> u64 {
    text(headers, AGE).and_then(|age| seconds(age.trim())).unwrap_or(0)
}

/// `Expires` less `Date`, both by the host's clock, so that ours does not matter. One of them missing or not a date,
/// as in `Expires: 0`, is stale.
fn seconds_to_expiry(headers: &HeaderMap) -> Option<u64> {
    headers.get(EXPIRES)?;
    let date = |name| DateTime::parse_from_rfc2822(text(headers, name)?.trim()).ok();
    let lifetime = date(EXPIRES).zip(date(DATE)).map_or(0, |(expires, sent)| (expires - sent).num_seconds());
    Some(u64::try_from(lifetime).unwrap_or(0).min(SECONDS_MAX))
}

fn text(headers: &HeaderMap, name: HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    const NOON: &str = "Sun, 06 Nov 1994 12:00:00 GMT";
    const AN_HOUR_LATER: &str = "Sun, 06 Nov 1994 13:00:00 GMT";

    fn seconds_of(lines: &[(&'static str, &str)]) -> Option<u64> {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, HeaderValue::from_bytes(value.as_bytes()).expect("a header"));
        }
        max_age(&headers).map(|age| age.as_secs())
    }

    #[test]
    fn cache_control_is_read_as_it_is_written() {
        for (line, expected) in [
            ("max-age=60", Some(60)),
            ("public, max-age=60", Some(60)),
            ("MAX-AGE = 60 , must-revalidate", Some(60)),
            ("max-age=\"60\"", Some(60)),
            ("private, max-age=60", Some(60)),
            ("max-age=60, s-maxage=10", Some(10)),
            ("s-maxage=600, max-age=0", Some(600)),
            ("max-age=60, max-age=30", Some(30)),
            ("max-age=99999999999999999999999", Some(SECONDS_MAX)),
            ("max-age=0", Some(0)),
            ("max-age=-1", Some(0)),
            ("max-age=soon", Some(0)),
            ("max-age", Some(0)),
            ("no-store, max-age=60", Some(0)),
            ("max-age=60, no-cache", Some(0)),
            ("max-age=60, no-cache=\"a, b\"", Some(0)),
            ("extension=\"no-store, max-age=1\", max-age=60", Some(60)),
            ("max-age=60, \u{e9}", Some(0)),
            ("public", None),
            ("", None),
        ] {
            assert_eq!(seconds_of(&[("cache-control", line)]), expected, "{line}");
        }
        assert_eq!(seconds_of(&[("cache-control", "max-age=60"), ("cache-control", "no-store")]), Some(0));
        assert_eq!(seconds_of(&[]), None);
    }

    #[test]
    fn age_is_taken_off() {
        for (age, expected) in [("10", 50), ("60", 0), ("600", 0), ("old", 60), ("", 60)] {
            assert_eq!(seconds_of(&[("cache-control", "max-age=60"), ("age", age)]), Some(expected), "{age}");
        }
    }

    #[test]
    fn expires_is_counted_from_the_hosts_own_date() {
        assert_eq!(seconds_of(&[("date", NOON), ("expires", AN_HOUR_LATER)]), Some(3600));
        assert_eq!(seconds_of(&[("date", NOON), ("expires", AN_HOUR_LATER), ("age", "600")]), Some(3000));
        assert_eq!(seconds_of(&[("date", AN_HOUR_LATER), ("expires", NOON)]), Some(0));
        assert_eq!(seconds_of(&[("date", NOON), ("expires", "0")]), Some(0));
        assert_eq!(seconds_of(&[("expires", AN_HOUR_LATER)]), Some(0));
        assert_eq!(seconds_of(&[("date", NOON)]), None);
        let both = [("date", NOON), ("expires", AN_HOUR_LATER), ("cache-control", "max-age=60")];
        assert_eq!(seconds_of(&both), Some(60), "max-age goes before it");
    }
}
