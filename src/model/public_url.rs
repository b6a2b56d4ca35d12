//! The public URL: where people and programs reach the server, and its issuer identifier (RFC 8414 §2).
//!
//! Clients compare issuers byte for byte, so there is one spelling of it. `config::public` reads it, `server` splits
//! it for the rest of the house, and `protocol::metadata` holds everything that names the issuer against it.

use url::Url;

use super::{plugin::Host, redirect_uri::has_loopback_host};

/// The address people and programs reach the server at: scheme, host, perhaps a port, perhaps a path, nothing more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    text: String,
    origin_length: usize,
    host: Host,
}

impl PublicUrl {
    /// The whole address, without trailing slash; also the issuer.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Scheme, host and port: what a browser says in `Origin`.
    pub fn origin(&self) -> &str {
        &self.text[..self.origin_length]
    }

    /// The path everything stands under: empty, or such as `/auth`.
    pub fn base(&self) -> &str {
        &self.text[self.origin_length..]
    }

    /// Its host.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// `https` or `http`.
    pub fn scheme(&self) -> &'static str {
        if self.text.starts_with("https:") { "https" } else { "http" }
    }

    /// Takes a text if it is an address in its one spelling; says what is wrong and what to write otherwise.
    pub fn parse(text: &str) -> Result<Self, (String, String)> {
        let wrong = |problem: &str, cure: String| (problem.to_owned(), cure);
        let example = || "write it as https://consent.example.com or https://example.com/auth".to_owned();
        let url = Url::parse(text).map_err(|_| wrong("it is not a URL", example()))?;
        let origin = url.origin().ascii_serialization();
        let segments = || url.path().split('/').filter(|segment| !segment.is_empty());
        let spelled = segments().fold(origin.clone(), |spelled, segment| format!("{spelled}/{segment}"));
        let write = || format!("write {spelled}");
        match url.scheme() {
            "https" => {}
            "http" if has_loopback_host(&url) => {}
            "http" => {
                let cure = format!("write {}; only loopback may do without TLS", spelled.replacen("http", "https", 1));
                return Err(wrong("it is plain http", cure));
            }
            _ => return Err(wrong("it is neither https nor http on loopback", example())),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("it has a user name before the host", write()));
        }
        if url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("it has more than scheme, host, port and path", write()));
        }
        if !segments().all(is_plain) {
            let problem = "its path has more than letters, digits, \".\", \"_\", \"~\" and \"-\" between slashes";
            return Err(wrong(problem, format!("write it like {origin}/auth")));
        }
        if segments().next() == Some(".well-known") {
            let cure = format!("choose another path, such as {origin}/auth");
            return Err(wrong("its path begins with /.well-known, where the documents of every path stand", cure));
        }
        if text.ends_with('/') {
            return Err(wrong("it has a trailing slash", write()));
        }
        if text != spelled {
            return Err(wrong("it is not in its shortest spelling", write()));
        }
        let (_, host) = origin.split_once("://").unwrap_or_default();
        let host = host.parse().map_err(|_| wrong("its host is not one", example()))?;
        Ok(Self { text: spelled, origin_length: origin.len(), host })
    }
}

/// The schemes a host may be reached with: the likeliest, and the other one where that may be in use as well. A server
/// behind a proxy is not told which it was. So the public URL says it of its own host, any other host has TLS, and on
/// loopback both are thought of, the public URL's first.
pub fn schemes(host: &Host, public: Option<(&Host, &str)>) -> (&'static str, Option<&'static str>) {
    match public {
        Some((own, "http")) if own == host => ("http", None),
        Some((own, _)) if own == host => ("https", None),
        _ if !host.is_loopback() => ("https", None),
        Some((_, "https")) => ("https", Some("http")),
        _ => ("http", Some("https")),
    }
}

/// Only the unreserved characters (RFC 3986 §2.3): anything else could be spelled in two ways.
fn is_plain(segment: &str) -> bool {
    segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._~-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_in_its_one_spelling_is_taken() {
        for (origin, base) in [
            ("https://consent.example.com", ""),
            ("https://a.example:8443", ""),
            ("http://localhost:8080", ""),
            ("http://[::1]:1", ""),
            ("https://a.example", "/auth"),
            ("http://localhost:8080", "/a/b"),
            ("https://a.example:8443", "/Auth/v1.0/~x_-/..."),
            ("https://a.example", "/auth/.well-known"),
        ] {
            let text = format!("{origin}{base}");
            let url = PublicUrl::parse(&text).unwrap();
            assert_eq!((url.as_str(), url.origin(), url.base()), (text.as_str(), origin, base));
            assert!(origin.ends_with(url.host().as_str()));
            assert!(origin.starts_with(url.scheme()));
        }
    }

    #[test]
    fn the_scheme_of_a_host_is_guessed_once_for_all() {
        let at = |host: &str, public: Option<(&str, &str)>| {
            let public = public.map(|(host, scheme)| (host.parse::<Host>().unwrap(), scheme));
            schemes(&host.parse().unwrap(), public.as_ref().map(|(host, scheme)| (host, *scheme)))
        };
        let (tls, plain) = (Some(("a.example", "https")), Some(("localhost:8080", "http")));
        assert_eq!(at("a.example", tls), ("https", None));
        assert_eq!(at("localhost:8080", plain), ("http", None));
        for public in [tls, plain, None] {
            for host in ["b.example", "localhost.example", "10.0.0.1"] {
                assert_eq!(at(host, public), ("https", None), "{host}");
            }
        }
        for host in ["localhost:8081", "127.0.0.1", "[::1]:1", "api.localhost"] {
            assert_eq!(at(host, plain), ("http", Some("https")), "{host}");
            assert_eq!(at(host, None), ("http", Some("https")), "{host}");
            assert_eq!(at(host, tls), ("https", Some("http")), "{host}");
        }
    }

    #[test]
    fn every_other_text_is_told_what_to_be() {
        for (text, told) in [
            ("https://a.example/", "write https://a.example"),
            ("https://a.example/auth/", "write https://a.example/auth"),
            ("https://a.example/auth//", "write https://a.example/auth"),
            ("https://a.example//auth", "write https://a.example/auth"),
            ("https://a.example/a//b", "write https://a.example/a/b"),
            ("https://a.example/x/../auth", "write https://a.example/auth"),
            ("https://a.example/./auth", "write https://a.example/auth"),
            ("https://a.example/x/%2e%2E/auth", "write https://a.example/auth"),
            ("https://a.example/x\\auth", "write https://a.example/x/auth"),
            ("https://a.example/%61uth", "like https://a.example/auth"),
            ("https://a.example/a b", "like https://a.example/auth"),
            ("https://a.example/ä", "like https://a.example/auth"),
            ("https://a.example/{tail}", "like https://a.example/auth"),
            ("https://a.example/.well-known", "such as https://a.example/auth"),
            ("https://a.example/.well-known/auth", "such as https://a.example/auth"),
            ("https://a.example?x", "write https://a.example"),
            ("https://a.example/auth?x", "write https://a.example/auth"),
            ("https://a.example/auth#x", "write https://a.example/auth"),
            ("https://A.example", "write https://a.example"),
            ("HTTPS://a.example/Auth", "write https://a.example/Auth"),
            ("https://a.example:443/auth", "write https://a.example/auth"),
            ("https://me@a.example/auth", "write https://a.example/auth"),
            (" https://a.example", "write https://a.example"),
            ("http://a.example/auth", "write https://a.example/auth;"),
            ("http://localhost.evil.example", "write https://localhost.evil.example;"),
            ("a.example", "https://consent.example.com"),
            ("javascript:alert(1)", "https://consent.example.com"),
            ("", "https://consent.example.com"),
        ] {
            let (_, cure) = PublicUrl::parse(text).unwrap_err();
            assert!(cure.ends_with(told) || told.ends_with(';') || told.starts_with("https:"), "{text}: {cure}");
            assert!(cure.contains(told), "{text}: {cure}");
        }
    }
}
