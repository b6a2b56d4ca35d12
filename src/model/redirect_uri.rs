//! Redirect URIs that may be registered (RFC 6749 §3.1.2, RFC 8252 §7, RFC 9700 §2.1).
//!
//! How a presented one is compared with a registered one is decided in `protocol::redirect_uri`.

use std::{fmt, str::FromStr};

use url::{Host, Url};

/// The longest redirect URI kept.
pub const LENGTH_MAX: usize = 2048;

/// A redirect URI, kept byte for byte as it was registered: clients compare strings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectUri {
    text: String,
    url: Url,
}

/// Why a redirect URI may not be registered; each message says what to write instead.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NotARedirectUri {
    /// Not an absolute URI.
    #[error("\"{0}\" is not an absolute URI")]
    NotAbsolute(String),
    /// Longer than [`LENGTH_MAX`].
    #[error("a redirect URI may have at most {LENGTH_MAX} characters")]
    TooLong,
    /// RFC 6749 §3.1.2 forbids fragments.
    #[error("\"{0}\" has a fragment (#...); register it without")]
    Fragment(String),
    /// `https://trusted@evil` reads as trusted and goes to evil.
    #[error("\"{0}\" has a user name before the host; register it without")]
    Userinfo(String),
    /// Plain http off loopback would hand the code to the network.
    #[error("\"{0}\" is plain http; only loopback addresses may use it, others need https")]
    PlainHttp(String),
    /// A scheme that runs or reads something instead of reaching a client.
    #[error("the scheme of \"{0}\" is not allowed; use https, http on loopback, or a private-use scheme with a dot")]
    Scheme(String),
    /// A wildcard is compared as text here, so it would never match; the owner means something else.
    #[error("\"{0}\" has a wildcard; redirect URIs are compared exactly, so register each one")]
    Wildcard(String),
    /// White space or a control character, which browsers drop silently, or one that has no place in a URI (RFC 3986).
    #[error("\"{0}\" has a space, a backslash or a character outside ASCII; write it percent-encoded")]
    Unprintable(String),
}

impl RedirectUri {
    /// The registered text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The parsed form, for display and for building answers.
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Whether it points at this very computer (RFC 8252 §7.3).
    pub fn is_loopback(&self) -> bool {
        self.url.scheme() == "http" && has_loopback_host(&self.url)
    }

    /// Whether a page may be skipped on the way to it: any local program can open a loopback port or a private-use
    /// scheme, so only `https` proves who receives the code (RFC 8252 §8.6).
    pub fn is_https(&self) -> bool {
        self.url.scheme() == "https"
    }

    /// What people are shown as the place they are sent back to: the host, with a port where it says something.
    pub fn display_host(&self) -> String {
        match (self.url.host_str(), self.url.port()) {
            (Some(host), Some(port)) if !host.is_empty() => format!("{host}:{port}"),
            (Some(host), None) if !host.is_empty() => host.to_owned(),
            _ => format!("{}: (an app on this device)", self.url.scheme()),
        }
    }
}

/// Whether the URL's host is a loopback address or a name for one.
pub fn has_loopback_host(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

impl FromStr for RedirectUri {
    type Err = NotARedirectUri;

    fn from_str(text: &str) -> Result<Self, NotARedirectUri> {
        let told = || text.chars().take(200).collect::<String>();
        if text.len() > LENGTH_MAX {
            return Err(NotARedirectUri::TooLong);
        }
        if !text.bytes().all(|b| b.is_ascii_graphic() && b != b'\\') {
            return Err(NotARedirectUri::Unprintable(told()));
        }
        let url = Url::parse(text).map_err(|_| NotARedirectUri::NotAbsolute(told()))?;
        if text.contains('#') {
            return Err(NotARedirectUri::Fragment(told()));
        }
        if text.contains('*') {
            return Err(NotARedirectUri::Wildcard(told()));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(NotARedirectUri::Userinfo(told()));
        }
        match url.scheme() {
            "https" => {}
            "http" if has_loopback_host(&url) => {}
            "http" => return Err(NotARedirectUri::PlainHttp(told())),
            // RFC 8252 §7.1 wants a reverse domain name. A scheme in wide use without a dot has an authority part
            // instead, which none of the dangerous ones (javascript, data, blob, about, file …) is let through with.
            scheme if scheme.contains('.') => {}
            "file" | "filesystem" | "blob" | "data" | "javascript" | "vbscript" | "about" | "view-source" | "ws"
            | "wss" | "ftp" | "intent" => return Err(NotARedirectUri::Scheme(told())),
            _ if url.has_authority() && url.host_str().is_some_and(|host| host.contains('.')) => {}
            _ => return Err(NotARedirectUri::Scheme(told())),
        }
        Ok(Self { text: text.to_owned(), url })
    }
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_real_clients_use_is_accepted() {
        for text in [
            "https://chat.openai.com/aip/plugin-1/oauth/callback",
            "https://grok.com/connectors-oauth-exchange-code/",
            "http://127.0.0.1/callback",
            "http://[::1]:9/callback",
            "http://localhost:6274/oauth/callback",
            "cursor://anysphere.cursor-mcp/oauth/callback",
            "com.example.app:/callback",
        ] {
            assert!(text.parse::<RedirectUri>().is_ok(), "{text}");
        }
    }

    #[test]
    fn what_would_leak_or_run_is_refused() {
        for text in [
            "http://example.com/cb",
            "javascript:alert(1)//https://a.b",
            "data:text/html,x",
            "file:///etc/passwd",
            "https://a.example@evil.example/cb",
            "https://a.example/cb#x",
            "https://a.example/*",
            "https://a.example/c b",
            "https://a.example/\u{fc}",
            "https://a.example\\@evil.example/",
            "/relative",
            "javascript://a.b/%0aalert(1)",
        ] {
            assert!(text.parse::<RedirectUri>().is_err(), "{text}");
        }
    }
}
