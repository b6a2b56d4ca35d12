//! Resources (RFC 8707): what a token can be for. Each belongs to a plugin, which has one by default.
//!
//! Which one a request is for is decided in `protocol::resource`.

use std::{fmt, str::FromStr};

use url::Url;

use super::{
    id::{PluginId, ResourceId},
    plugin::{Host, SubjectSalt},
    public_key::SigningAlgorithm,
    redirect_uri::{authority, has_loopback_host},
    scope::Catalogue,
};

/// The longest identifier.
pub const LENGTH_MAX: usize = 2048;

/// A resource identifier: an `https` URL, or `http` on loopback, without fragment (RFC 8707 §2). Tokens and documents
/// say it byte for byte; two are the same when their canonical spellings are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResourceIdentifier {
    text: String,
    url: Url,
}

/// Why a text cannot identify a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAResource {
    /// Not an absolute URL, or too long.
    #[error(
        "it is not an absolute URL of at most {LENGTH_MAX} ASCII characters; write it as https://api.example.com/mcp"
    )]
    NotAbsolute,
    /// RFC 8707 §2 forbids fragments.
    #[error("it has a fragment (#…); write it without")]
    Fragment,
    /// A user name before the host.
    #[error("it has a user name before the host; write it without")]
    Userinfo,
    /// Tokens for it would cross the network readable by anybody.
    #[error("it is neither https nor http on loopback")]
    Scheme,
}

impl ResourceIdentifier {
    /// The identifier as it was registered, or asked for.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The host it is served on.
    pub fn host(&self) -> Option<Host> {
        let (_, rest) = self.text.split_once("://")?;
        rest.split(['/', '?']).next()?.parse().ok()
    }

    /// Its origin, without trailing slash.
    pub fn origin(&self) -> String {
        self.url.origin().ascii_serialization()
    }

    /// Its path, without trailing slash: empty for the root. One behind another slash stays, or a path would lose one
    /// more at each reading.
    pub fn path(&self) -> &str {
        let path = self.url.path();
        path.strip_suffix('/').filter(|rest| !rest.ends_with('/')).unwrap_or(path)
    }

    /// What follows the host, as URLs write it: path and query, without a slash that stands alone.
    pub fn tail(&self) -> String {
        let path = if self.url.path() == "/" { "" } else { self.url.path() };
        let query = self.url.query().map(|query| format!("?{query}")).unwrap_or_default();
        format!("{path}{query}")
    }

    /// What people are shown: the host, and what follows it where it is more than an origin.
    pub fn display_address(&self) -> String {
        let origin = self.origin();
        let host = origin.split_once("://").map_or(origin.as_str(), |(_, host)| host);
        format!("{host}{}", self.tail())
    }

    /// The one spelling that every spelling of it folds to: scheme and host in lower case, no default port, no dot
    /// segments (RFC 3986 §6.2.2), no trailing slash (MCP 2026-07-28, Canonical Server URI).
    pub fn canonical(&self) -> String {
        let query = self.url.query().map(|query| format!("?{query}")).unwrap_or_default();
        format!("{}{}{query}", self.origin(), self.path())
    }
}

impl FromStr for ResourceIdentifier {
    type Err = NotAResource;

    fn from_str(text: &str) -> Result<Self, NotAResource> {
        if text.len() > LENGTH_MAX || !text.bytes().all(|b| b.is_ascii_graphic() && b != b'\\') {
            return Err(NotAResource::NotAbsolute);
        }
        let url = Url::parse(text).map_err(|_| NotAResource::NotAbsolute)?;
        if text.contains('#') {
            return Err(NotAResource::Fragment);
        }
        match (url.scheme(), authority(text)) {
            ("https" | "http", None) => return Err(NotAResource::NotAbsolute),
            // The text: the parser forgets a user name that is empty.
            ("https" | "http", Some(authority)) if authority.contains('@') => return Err(NotAResource::Userinfo),
            ("https", _) => {}
            ("http", _) if has_loopback_host(&url) => {}
            _ => return Err(NotAResource::Scheme),
        }
        Ok(Self { text: text.to_owned(), url })
    }
}

impl fmt::Display for ResourceIdentifier {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

/// A registered resource, with what tokens for it are made from.
#[derive(Clone, Debug)]
pub struct Resource {
    /// Row id.
    pub id: ResourceId,
    /// What tokens say it is.
    pub identifier: ResourceIdentifier,
    /// Whose it is.
    pub plugin_id: PluginId,
    /// Its plugin's short name.
    pub plugin_slug: String,
    /// Its plugin's name for people.
    pub plugin_name: String,
    /// What a request that names no resource of the plugin means.
    pub is_default: bool,
    /// Makes pairwise subjects.
    pub subject_salt: SubjectSalt,
    /// How access tokens for it are signed.
    pub signing_algorithm: SigningAlgorithm,
    /// What clients may ask for there.
    pub scopes: Catalogue,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_resource_have_one_canonical_form() {
        for (text, canonical) in [
            ("https://api.example.com", "https://api.example.com"),
            ("HTTPS://API.example.com/", "https://api.example.com"),
            ("https://api.example.com:443/mcp", "https://api.example.com/mcp"),
            ("https://api.example.com/mcp/", "https://api.example.com/mcp"),
            ("https://api.example.com/mcp//", "https://api.example.com/mcp//"),
            ("https://api.example.com/x/../mcp/./", "https://api.example.com/mcp"),
            ("https://api.example.com/%2e%2E/mcp", "https://api.example.com/mcp"),
            ("http://localhost:8080/mcp?tenant=1", "http://localhost:8080/mcp?tenant=1"),
        ] {
            let identifier: ResourceIdentifier = text.parse().unwrap();
            assert_eq!(identifier.canonical(), canonical);
            assert_eq!(identifier.as_str(), text);
        }
        // The case of a path, what it says percent-encoded, and doubled slashes are another resource's, or none's.
        for other in ["https://api.example.com/MCP", "https://api.example.com/%6dcp", "https://api.example.com//mcp"] {
            let other: ResourceIdentifier = other.parse().unwrap();
            assert_ne!(other.canonical(), "https://api.example.com/mcp");
        }
    }

    #[test]
    fn people_are_shown_which_of_a_hosts_resources_it_is() {
        for (text, shown) in [
            ("https://API.example.com/", "api.example.com"),
            ("https://api.example.com:8443/mcp/?t=1", "api.example.com:8443/mcp/?t=1"),
            ("http://[::1]:9", "[::1]:9"),
        ] {
            assert_eq!(text.parse::<ResourceIdentifier>().unwrap().display_address(), shown);
        }
    }

    #[test]
    fn what_identifies_no_resource_is_refused() {
        for (text, refused) in [
            ("api.example.com", NotAResource::NotAbsolute),
            ("https://api.example.com/#x", NotAResource::Fragment),
            ("https://me@api.example.com", NotAResource::Userinfo),
            ("https://@api.example.com", NotAResource::Userinfo),
            ("https:api.example.com/mcp", NotAResource::NotAbsolute),
            ("https:/api.example.com/mcp", NotAResource::NotAbsolute),
            ("https:///api.example.com/mcp", NotAResource::NotAbsolute),
            ("http://api.example.com", NotAResource::Scheme),
            ("urn:example:api", NotAResource::Scheme),
            ("https://api.example.com/\u{e4}", NotAResource::NotAbsolute),
        ] {
            assert_eq!(text.parse::<ResourceIdentifier>().unwrap_err(), refused, "{text}");
        }
        assert!("https://api.example.com/".to_owned().repeat(90).parse::<ResourceIdentifier>().is_err());
    }
}
