//! How a secret goes into a request: in one header (RFC 9110 §5), after a word such as `Bearer`.

use std::fmt;

/// Headers that say where a request goes, how it is framed, or who asks. No secret belongs there, and whoever could write
/// one would steer what the API takes the request for.
const STEERING: &[&str] = &[
    "accept-encoding",
    "connection",
    "content-encoding",
    "content-length",
    "content-type",
    "cookie",
    "date",
    "expect",
    "forwarded",
    "host",
    "keep-alive",
    "origin",
    "range",
    "referer",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-real-ip",
    "x-rewrite-url",
];

/// The same, all that begin so.
const STEERING_BEGINNINGS: &[&str] = &["access-control-", "proxy-", "sec-", "x-consentry-", "x-forwarded-"];

/// The longest name of a header, in bytes.
const NAME_LENGTH_MAX: usize = 64;

/// The longest text before a secret, in bytes.
const PREFIX_LENGTH_MAX: usize = 32;

/// Headers that make of a request another one than its route says. A request that gets a secret goes without them.
pub const OVERRIDING: &[&str] = &[
    // It names headers that the next program on the way is to drop, such as the one with the secret (RFC 9110 §7.6.1).
    "connection",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-rewrite-url",
];

/// A header and what stands in it before the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Injection {
    header: String,
    prefix: String,
}

/// Why nothing can be put there; each message says what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAnInjection {
    /// Not the name of a header.
    #[error("that is no name of a header; write one such as authorization or x-api-key")]
    NotAName,
    /// One that steers.
    #[error("{0} says where a request goes or who asks, so no secret goes there; write one such as x-api-key")]
    Steers(String),
    /// Not what can stand before a secret.
    #[error(
        "what stands before the secret has at most {PREFIX_LENGTH_MAX} visible ASCII characters, as \"Bearer \" has"
    )]
    Prefix,
}

impl Injection {
    /// Takes the name of a header, and what stands before the secret there: `Bearer ` in `authorization`, and elsewhere
    /// nothing, unless it is said.
    pub fn new(header: &str, prefix: Option<&str>) -> Result<Self, NotAnInjection> {
        let header = header.trim().to_ascii_lowercase();
        // A token (RFC 9110 §5.6.2), but for the underscore: to many programs it is the same as the hyphen.
        let is_of_it = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^`|~".contains(c);
        if header.is_empty() || header.len() > NAME_LENGTH_MAX || !header.chars().all(is_of_it) {
            return Err(NotAnInjection::NotAName);
        }
        let steers = |beginning: &&str| header.starts_with(*beginning);
        if STEERING.contains(&header.as_str()) || STEERING_BEGINNINGS.iter().any(steers) {
            return Err(NotAnInjection::Steers(header));
        }
        let usual = if header == "authorization" { "Bearer " } else { "" };
        let prefix = prefix.unwrap_or(usual);
        let is_visible = |c: char| c.is_ascii_graphic() || c == ' ';
        if prefix.len() > PREFIX_LENGTH_MAX || !prefix.chars().all(is_visible) || prefix.starts_with(' ') {
            return Err(NotAnInjection::Prefix);
        }
        Ok(Self { header, prefix: prefix.to_owned() })
    }

    /// The header's name, in small letters.
    pub fn header(&self) -> &str {
        &self.header
    }

    /// Whether a header is this one to whoever reads it: many programs know no difference between `-` and `_`.
    pub fn is_in(&self, header: &str) -> bool {
        let same = |(one, other): (u8, u8)| one == other.to_ascii_lowercase() || (one == b'-' && other == b'_');
        header.len() == self.header.len() && self.header.bytes().zip(header.bytes()).all(same)
    }

    /// What stands before the secret.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }
}

impl fmt::Display for Injection {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}…", self.header, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bearer_is_what_authorization_usually_holds() {
        let told = |header, prefix| Injection::new(header, prefix).unwrap().to_string();
        assert_eq!(told("Authorization", None), "authorization: Bearer …");
        assert_eq!(told("authorization", Some("Token token=")), "authorization: Token token=…");
        assert_eq!(told(" X-API-Key ", None), "x-api-key: …");
    }

    #[test]
    fn a_header_is_known_however_it_is_spelled() {
        let injection = Injection::new("x-api-key", None).unwrap();
        for same in ["x-api-key", "X-API-KEY", "x_api_key", "X_Api-Key"] {
            assert!(injection.is_in(same), "{same}");
        }
        assert!(!injection.is_in("x-api-keys") && !injection.is_in("xxapixkey"));
    }

    #[test]
    fn a_header_that_steers_cannot_be_named() {
        for header in
            ["Host", "cookie", "Content-Length", "X-Forwarded-For", "x-consentry-subject", "Proxy-Authorization"]
        {
            assert_eq!(Injection::new(header, None), Err(NotAnInjection::Steers(header.to_ascii_lowercase())));
        }
        for header in ["", "x api", "x_forwarded_for", "x:y", "x\r\ny", "schlüssel", &"x".repeat(65)] {
            assert_eq!(Injection::new(header, None), Err(NotAnInjection::NotAName), "{header}");
        }
        for prefix in ["a\r\nb: ", " Bearer", "é", &"x".repeat(33)] {
            assert_eq!(Injection::new("x-api-key", Some(prefix)), Err(NotAnInjection::Prefix), "{prefix}");
        }
    }
}
