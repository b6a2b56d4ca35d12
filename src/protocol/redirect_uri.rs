//! Matching a presented redirect URI with the registered ones: byte for byte (RFC 9700 §2.1).
//!
//! The one exception is the port of a loopback address, which a native client chooses at run time (RFC 8252 §7.3).

use url::{Host, Url};

use crate::model::redirect_uri::RedirectUri;

/// Finds what is registered for the presented text and answers the presented URI, which the answer must go to.
pub fn find(registered: &[RedirectUri], presented: &str) -> Option<RedirectUri> {
    // Parsing again refuses what may not be registered either, before anything is compared.
    let candidate: RedirectUri = presented.parse().ok()?;
    registered
        .iter()
        .any(|known| known.as_str() == presented || same_but_for_the_port(known, &candidate))
        .then_some(candidate)
}

fn same_but_for_the_port(known: &RedirectUri, presented: &RedirectUri) -> bool {
    is_port_free(known)
        && is_port_free(presented)
        && without_port(known.url()) == without_port(presented.url())
        // The parser folds spellings (dot segments, case, `127.1`); outside the port the text must be the same too.
        && texts_agree(known, presented)
}

/// Whether the port says nothing: RFC 8252 §7.3 names the two literals, and real clients register `localhost` too.
/// A name below `localhost` is some server's own and keeps its port.
fn is_port_free(uri: &RedirectUri) -> bool {
    let literal = match uri.url().host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    literal && uri.url().scheme() == "http"
}

fn without_port(url: &Url) -> (Option<&str>, &str, Option<&str>) {
    (url.host_str(), url.path(), url.query())
}

fn texts_agree(known: &RedirectUri, presented: &RedirectUri) -> bool {
    fn parts(uri: &RedirectUri) -> Option<(&str, &str)> {
        let rest = uri.as_str().strip_prefix("http://")?;
        let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let host = match authority.rfind(':') {
            Some(colon) if !authority.ends_with(']') => &authority[..colon],
            _ => authority,
        };
        Some((host, path))
    }
    parts(known).is_some() && parts(known) == parts(presented)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(registered: &str, presented: &str) -> bool {
        find(&[registered.parse().unwrap()], presented).is_some()
    }

    #[test]
    fn only_the_loopback_port_may_differ() {
        assert!(matches("https://a.example/cb", "https://a.example/cb"));
        assert!(matches("http://127.0.0.1/cb", "http://127.0.0.1:5000/cb"));
        assert!(matches("http://localhost:1/cb?x=1", "http://localhost:2/cb?x=1"));
        assert!(matches("http://[::1]/cb", "http://[::1]:5000/cb"));
    }

    #[test]
    fn nothing_else_may() {
        for presented in [
            "https://a.example/cb/",
            "https://a.example/cb?x=1",
            "https://A.example/cb",
            "https://a.example:8443/cb",
            "https://a.example:443/cb",
            "https://a.example/x/../cb",
            "https://a.example/%63b",
            "https://a.example@evil.example/cb",
            "https://evil.example/cb",
            "https://a.example/cb#f",
            "http://a.example/cb",
            "",
        ] {
            assert!(!matches("https://a.example/cb", presented), "{presented}");
        }
        for presented in [
            "http://127.0.0.1:5000/other",
            "http://127.0.0.1:5000/cb?x",
            "http://127.0.0.1:5000/x/../cb",
            "http://127.1:5000/cb",
            "http://localhost:5000/cb",
            "https://127.0.0.1:5000/cb",
            "http://127.0.0.1:5000@evil.example/cb",
            "http://127.0.0.1.evil.example/cb",
        ] {
            assert!(!matches("http://127.0.0.1/cb", presented), "{presented}");
        }
        assert!(!matches("http://app.localhost:1/cb", "http://app.localhost:2/cb"));
    }
}
