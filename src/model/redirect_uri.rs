//! Redirect URIs that may be registered (RFC 6749 §3.1.2, RFC 8252 §7, RFC 9700 §2.1).
//!
//! How a presented one is compared with a registered one is decided in `protocol::redirect_uri`.

use std::{fmt, str::FromStr};

use url::{Host, Url};

/// The longest redirect URI kept.
pub const LENGTH_MAX: usize = 2048;

/// Schemes that run, read or start something on a person's device instead of reaching a client. These are the known
/// ones; what is none of them is still shown to people as some app on their device, before anything goes there.
const DANGEROUS: &[&str] = &[
    "about",
    "afp",
    "android-app",
    "blob",
    "callto",
    "chrome",
    "data",
    "facetime",
    "file",
    "filesystem",
    "ftp",
    "git",
    "hcp",
    "help",
    "intent",
    "jar",
    "javascript",
    "mailto",
    "market",
    "mhtml",
    "nfs",
    "rdp",
    "rlogin",
    "resource",
    "search",
    "sftp",
    "shell",
    "sip",
    "sips",
    "smb",
    "sms",
    "ssh",
    "steam",
    "tel",
    "telnet",
    "tftp",
    "vbscript",
    "view-source",
    "vnc",
    "webcal",
    "ws",
    "wss",
];

/// How the schemes of whole families begin: Windows' own, its search, Apple's stores, directories, repositories.
const DANGEROUS_BEGINNINGS: &[&str] = &["ms-", "search-", "itms", "ldap", "svn", "chrome-"];

/// How those of a browser's extensions end.
const DANGEROUS_END: &str = "-extension";

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
    /// A scheme that runs, reads or starts something instead of reaching a client.
    #[error("the scheme of \"{0}\" is not allowed; use https, http on loopback, or a private-use scheme")]
    Scheme(String),
    /// A private-use scheme that could be anybody's (RFC 8252 §7.1).
    #[error("the scheme of \"{0}\" has no dot; write com.example.app:/path, or put a host after //")]
    Undotted(String),
    /// `https:host/path`: whoever reads it beside an address of ours takes it for a path of ours.
    #[error("\"{0}\" has no host right after ://")]
    NoAuthority(String),
    /// A wildcard is compared as text here, so it would never match; the owner means something else.
    #[error("\"{0}\" has a wildcard; redirect URIs are compared exactly, so register each one")]
    Wildcard(String),
    /// White space or a control character, which browsers drop silently, or one that has no place in a URI (RFC 3986).
    #[error("\"{0}\" has a space, a backslash or a character outside ASCII; write it percent-encoded")]
    Unprintable(String),
}

impl NotARedirectUri {
    /// Whether it only names a kind of address that is not for clients. In a list such a one is left out; the others
    /// could be meant to be read differently than they are, or to harm, so they spoil it.
    pub fn is_of_another_kind(&self) -> bool {
        matches!(self, Self::PlainHttp(_) | Self::Undotted(_))
    }
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

    /// Whether it points at this very computer (RFC 8252 §7.3), with a certificate or without: any program can make one
    /// for itself.
    pub fn is_loopback(&self) -> bool {
        self.is_on_the_web() && has_loopback_host(&self.url)
    }

    /// Whether it points at a website. Only that proves who receives the code: any local program can open a loopback
    /// port or a private-use scheme (RFC 8252 §8.6).
    pub fn is_website(&self) -> bool {
        self.url.scheme() == "https" && !self.is_loopback()
    }

    /// What people are shown as the place they are sent back to: the host, with a port where it says something. What
    /// stands in the place of a host after a private-use scheme is an app's own word, and no place at all.
    pub fn display_host(&self) -> String {
        match (self.url.host_str(), self.url.port()) {
            (Some(host), Some(port)) if self.is_on_the_web() => format!("{host}:{port}"),
            (Some(host), None) if self.is_on_the_web() => host.to_owned(),
            _ => format!("{}: (an app on this device)", self.url.scheme()),
        }
    }

    fn is_on_the_web(&self) -> bool {
        matches!(self.url.scheme(), "https" | "http")
    }
}

/// What stands between `://` and the path, as it is written. The parser reads `https:host`, `https:/host` and
/// `https:///host` alike, but what a browser is sent keeps its text, and the first two then mean paths of ours.
pub fn authority(text: &str) -> Option<&str> {
    let (_, rest) = text.split_once(':')?;
    rest.strip_prefix("//")?.split(['/', '?', '#']).next().filter(|authority| !authority.is_empty())
}

/// Whether the URL's host is a loopback address or a name for one.
pub fn has_loopback_host(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        // `[::ffff:127.0.0.1]` leads to the same place.
        Some(Host::Ipv6(address)) => address.to_canonical().is_loopback(),
        Some(Host::Domain(name)) => {
            let name = name.strip_suffix('.').unwrap_or(name);
            name == "localhost" || name.ends_with(".localhost")
        }
        None => false,
    }
}

fn is_dangerous(scheme: &str) -> bool {
    DANGEROUS.contains(&scheme)
        || DANGEROUS_BEGINNINGS.iter().any(|beginning| scheme.starts_with(beginning))
        || scheme.ends_with(DANGEROUS_END)
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
        let authority = authority(text);
        // The text: the parser forgets a user name that is empty.
        if authority.is_some_and(|authority| authority.contains('@')) {
            return Err(NotARedirectUri::Userinfo(told()));
        }
        match (url.scheme(), authority) {
            ("https" | "http", None) => return Err(NotARedirectUri::NoAuthority(told())),
            ("https", _) => {}
            ("http", _) if has_loopback_host(&url) => {}
            ("http", _) => return Err(NotARedirectUri::PlainHttp(told())),
            (scheme, _) if is_dangerous(scheme) => return Err(NotARedirectUri::Scheme(told())),
            // RFC 8252 §7.1 wants a reverse domain name. Schemes in wide use without a dot have an authority instead.
            (scheme, None) if !scheme.contains('.') => return Err(NotARedirectUri::Undotted(told())),
            _ => {}
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
            "warp://mcp/oauth2callback",
            "vscode://vscode.github-authentication/did-authenticate",
            "com.example.app:/callback",
        ] {
            assert!(text.parse::<RedirectUri>().is_ok(), "{text}");
        }
    }

    #[test]
    fn what_would_leak_or_run_is_refused() {
        for text in [
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
            "ssh://a.example/",
            "chrome-extension://abcdefgh/cb",
            "moz-extension://x/cb",
            "ms-officecmd://x/",
            "MS-MsDt://x/",
            "search-ms://x/",
            "search://x/",
            "itms-services://x/",
            "sftp://a.example/",
            "vnc://a.example/",
            "git://a.example/",
            "svn+ssh://a.example/",
            "ldaps://a.example/",
            "sms://1/",
            "market://details",
            "android-app://com.example/",
        ] {
            assert!(text.parse::<RedirectUri>().is_err_and(|refused| !refused.is_of_another_kind()), "{text}");
        }
    }

    #[test]
    fn what_a_browser_would_take_for_a_path_of_ours_is_refused() {
        for text in [
            "https:a.example/cb",
            "https:/a.example/cb",
            "https:///a.example/cb",
            "https:////a.example/cb",
            "HTTPS:a.example",
            "http:127.0.0.1/cb",
            "http:/localhost:8080/cb",
            "https://",
        ] {
            assert!(text.parse::<RedirectUri>().is_err(), "{text}");
        }
        for text in ["https://@a.example/cb", "https://:@a.example/cb", "com.example.app://me@host/cb"] {
            assert!(matches!(text.parse::<RedirectUri>(), Err(NotARedirectUri::Userinfo(_))), "{text}");
        }
        assert!("https://a.example/cb/@me".parse::<RedirectUri>().is_ok(), "a path may have any of these");
        assert!("com.example.app:/cb//@me".parse::<RedirectUri>().is_ok());
    }

    #[test]
    fn another_kind_is_told_from_what_harms() {
        for text in ["http://a.example/cb", "warp:/oauth2callback", "warp:///oauth2callback", "app:callback"] {
            assert!(text.parse::<RedirectUri>().is_err_and(|refused| refused.is_of_another_kind()), "{text}");
        }
    }

    #[test]
    fn this_computer_is_no_website_whatever_it_is_called() {
        for host in ["localhost", "LOCALHOST.", "app.localhost", "127.0.0.1", "127.1", "[::1]", "[::ffff:127.9.9.9]"] {
            for scheme in ["http", "https"] {
                let uri: RedirectUri = format!("{scheme}://{host}:8443/cb").parse().unwrap();
                assert!(uri.is_loopback() && !uri.is_website(), "{uri}");
            }
        }
        for text in ["https://localhost.example/cb", "https://[::ffff:10.0.0.1]/cb", "https://128.0.0.1/cb"] {
            let uri: RedirectUri = text.parse().unwrap();
            assert!(uri.is_website() && !uri.is_loopback(), "{uri}");
        }
        let app: RedirectUri = "warp://localhost/cb".parse().unwrap();
        assert!(!app.is_website() && !app.is_loopback());
    }

    #[test]
    fn the_word_of_an_app_is_no_place() {
        for (text, shown) in [
            ("https://a.example:8443/cb", "a.example:8443"),
            ("http://127.0.0.1:9/cb", "127.0.0.1:9"),
            ("warp://bank.example/cb", "warp: (an app on this device)"),
            ("com.example.app:/cb", "com.example.app: (an app on this device)"),
        ] {
            assert_eq!(text.parse::<RedirectUri>().unwrap().display_host(), shown);
        }
    }
}
