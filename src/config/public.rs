//! Where the server stands and what it is called: `public_url`, `listen`, `server_name`.

use std::net::SocketAddr;

use url::Url;

use super::reader::Reader;
use crate::model::{plugin::Host, redirect_uri::has_loopback_host};

/// The longest name that fits the pages' head.
const SERVER_NAME_LENGTH_MAX: usize = 60;

/// The origin people and programs reach the server at: scheme, host and perhaps a port, nothing more. It is the
/// issuer too, so there is one spelling of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicUrl {
    origin: String,
    host: Host,
}

impl PublicUrl {
    /// The origin, without trailing slash.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Its host.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// `https` or `http`.
    pub fn scheme(&self) -> &'static str {
        if self.origin.starts_with("https:") { "https" } else { "http" }
    }

    /// Takes a text if it is an origin in its one spelling; says what is wrong and what to write otherwise.
    pub fn parse(text: &str) -> Result<Self, (String, String)> {
        let wrong = |problem: &str, cure: String| (problem.to_owned(), cure);
        let example = || "write it as https://consent.example.com".to_owned();
        let url = Url::parse(text).map_err(|_| wrong("it is not a URL", example()))?;
        let origin = url.origin().ascii_serialization();
        let write = || format!("write {origin}");
        match url.scheme() {
            "https" => {}
            "http" if has_loopback_host(&url) => {}
            "http" => {
                let cure = format!("write {}; only loopback may do without TLS", origin.replacen("http", "https", 1));
                return Err(wrong("it is plain http", cure));
            }
            _ => return Err(wrong("it is neither https nor http on loopback", example())),
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(wrong("it has a user name before the host", write()));
        }
        if url.path() != "/" || url.query().is_some() || url.fragment().is_some() {
            return Err(wrong("it has more than scheme, host and port", write()));
        }
        if text.ends_with('/') {
            return Err(wrong("it has a trailing slash", write()));
        }
        if text != origin {
            return Err(wrong("it is not in its shortest spelling", write()));
        }
        let (_, host) = origin.split_once("://").unwrap_or_default();
        let host = host.parse().map_err(|_| wrong("its host is not one", example()))?;
        Ok(Self { origin, host })
    }
}

pub(super) fn read_public_url(reader: &mut Reader<'_>) -> Option<PublicUrl> {
    let text = reader.text("public_url")?;
    match PublicUrl::parse(&text) {
        Ok(url) => Some(url),
        Err((problem, cure)) => {
            reader.mistake("public_url", problem, cure);
            None
        }
    }
}

pub(super) fn read_listen(reader: &mut Reader<'_>) -> Option<SocketAddr> {
    let address = reader.text("listen")?.parse().ok();
    if address.is_none() {
        reader.mistake(
            "listen",
            "it is not an address and port",
            "write 127.0.0.1:8080, or 0.0.0.0:8080 to be reached from other machines",
        );
    }
    address
}

pub(super) fn read_server_name(reader: &mut Reader<'_>) -> Option<String> {
    let name = reader.text("server_name")?.trim().to_owned();
    let length = name.chars().count();
    if length == 0 || length > SERVER_NAME_LENGTH_MAX || name.chars().any(char::is_control) {
        let cure = format!("write 1 to {SERVER_NAME_LENGTH_MAX} characters on one line");
        reader.mistake("server_name", "it is empty, too long, or has control characters", cure);
        return None;
    }
    Some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_in_its_one_spelling_is_taken() {
        for text in ["https://consent.example.com", "https://a.example:8443", "http://localhost:8080", "http://[::1]:1"]
        {
            let url = PublicUrl::parse(text).unwrap();
            assert_eq!(url.origin(), text);
            assert!(text.ends_with(url.host().as_str()));
            assert!(text.starts_with(url.scheme()));
        }
    }

    #[test]
    fn every_other_text_is_told_what_to_be() {
        for (text, told) in [
            ("https://a.example/", "https://a.example"),
            ("https://a.example/auth", "https://a.example"),
            ("https://a.example?x", "https://a.example"),
            ("https://A.example", "https://a.example"),
            ("https://a.example:443", "https://a.example"),
            ("https://me@a.example", "https://a.example"),
            ("http://a.example", "https://a.example"),
            ("http://localhost.evil.example", "https://localhost.evil.example"),
            ("a.example", "https://consent.example.com"),
            ("javascript:alert(1)", "https://consent.example.com"),
            ("", "https://consent.example.com"),
        ] {
            let (_, cure) = PublicUrl::parse(text).unwrap_err();
            assert!(cure.contains(told), "{text}: {cure}");
        }
    }
}
