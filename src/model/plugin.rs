//! Plugins: one API, the host its documents are served on, and the owner's words about it.

use std::{fmt, str::FromStr};

use serde::Serialize;
use serde_json::{Map, Value};

use super::{
    account::UnknownWord,
    brand::Colour,
    id::{AccountId, PluginId},
    redirect_uri::has_loopback_host,
    scope::Catalogue,
};

/// Where a plugin stands between registration and ChatGPT having seen it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PluginState {
    /// Imported; no verification token yet.
    Draft,
    /// Its manifest publishes a verification token.
    Published,
    /// The manifest was read back through the public URL and matched.
    Verified,
}

impl PluginState {
    /// The word the database and the command line use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Published => "published",
            Self::Verified => "verified",
        }
    }
}

impl FromStr for PluginState {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        match word {
            "draft" => Ok(Self::Draft),
            "published" => Ok(Self::Published),
            "verified" => Ok(Self::Verified),
            _ => Err(UnknownWord::new("plugin state", word)),
        }
    }
}

/// A host as a browser sends it: lower case, without the scheme's default port.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Host(String);

/// A text that is not a host with an optional port.
#[derive(Debug, thiserror::Error)]
#[error("\"{0}\" is not a host; write it as api.example.com or localhost:8080")]
pub struct NotAHost(String);

impl Host {
    /// The host, with its port where it is not the scheme's own.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The host without a port.
    pub fn name(&self) -> &str {
        match self.0.rfind(':') {
            Some(colon) if !self.0.ends_with(']') => &self.0[..colon],
            _ => &self.0,
        }
    }

    /// Whether it is the computer itself, whichever that is.
    pub fn is_loopback(&self) -> bool {
        url::Url::parse(&format!("https://{self}/")).is_ok_and(|url| has_loopback_host(&url))
    }
}

impl FromStr for Host {
    type Err = NotAHost;

    fn from_str(text: &str) -> Result<Self, NotAHost> {
        let refused = || NotAHost(text.chars().take(200).collect());
        if text.is_empty() || text.contains(['/', '@', '?', '#', '\\', ' ']) {
            return Err(refused());
        }
        // Both default ports go: the server behind a proxy cannot know which scheme the caller used.
        let url = url::Url::parse(&format!("https://{text}/")).map_err(|_| refused())?;
        let name = url.host_str().filter(|name| !name.is_empty()).ok_or_else(refused)?;
        // A name with a dot at its end is the same name (RFC 1034 §3.1).
        let name = name.strip_suffix('.').filter(|name| !name.is_empty()).unwrap_or(name);
        let host = match url.port() {
            Some(port) if port != 80 => format!("{name}:{port}"),
            _ => name.to_owned(),
        };
        Ok(Self(host))
    }
}

impl fmt::Display for Host {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// The random bytes that make a plugin's pairwise subjects its own (OpenID Connect Core §8.1). Chosen at creation,
/// never changed: a person would become a stranger to the API.
#[derive(Clone, Copy)]
pub struct SubjectSalt(pub [u8; 32]);

impl fmt::Debug for SubjectSalt {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("SubjectSalt(…)")
    }
}

/// A plugin as the protocol sees it; its documents are read apart, they can be large.
#[derive(Clone, Debug)]
pub struct Plugin {
    /// Row id.
    pub id: PluginId,
    /// Short name for the command line, from `name_for_model`.
    pub slug: String,
    /// The host its manifest and documents are served on.
    pub host: Host,
    /// Draft, published or verified.
    pub state: PluginState,
    /// The API itself, behind the gate.
    pub upstream: Option<String>,
    /// Its routes, as lines of a [`RouteTable`](super::gate::RouteTable); none for those of its description.
    pub routes: Option<String>,
    /// The resource identifier tokens are bound to (RFC 8707): the API's public origin.
    pub resource: String,
    /// Makes pairwise subjects.
    pub subject_salt: SubjectSalt,
    /// What clients may ask for.
    pub scopes: Catalogue,
    /// The owner's words: `ai-plugin.json` without a computed `auth`.
    pub manifest: Value,
    /// The colour of the page on which people agree; none for the server's own.
    pub accent_color: Option<Colour>,
    /// Raised by every change, so that whoever changes it can say which one they saw. From 1.
    pub version: i64,
}

impl Plugin {
    /// A member of the manifest that is text.
    pub fn manifest_text(&self, member: &str) -> Option<&str> {
        self.manifest.get(member).and_then(Value::as_str)
    }

    /// What people call it.
    pub fn name(&self) -> &str {
        self.manifest_text("name_for_human").unwrap_or(&self.slug)
    }

    /// The verification tokens its manifest publishes, by the service that each is for.
    pub fn verification_tokens(&self) -> Option<&Map<String, Value>> {
        self.manifest.pointer("/auth/verification_tokens")?.as_object().filter(|tokens| !tokens.is_empty())
    }

    /// Its state as long as nobody has looked at what it publishes now.
    pub fn unseen_state(&self) -> PluginState {
        if self.verification_tokens().is_some() { PluginState::Published } else { PluginState::Draft }
    }

    /// Publishes these tokens beside those it has; one for the same service takes its place.
    pub fn publish(&mut self, tokens: Map<String, Value>) {
        let mut all = self.verification_tokens().cloned().unwrap_or_default();
        all.extend(tokens);
        let mut manifest = self.manifest.as_object().cloned().unwrap_or_default();
        let mut auth = match manifest.remove("auth") {
            Some(Value::Object(auth)) => auth,
            _ => Map::new(),
        };
        auth.insert("verification_tokens".to_owned(), Value::Object(all));
        manifest.insert("auth".to_owned(), Value::Object(auth));
        self.manifest = Value::Object(manifest);
    }
}

/// Whose eyes look at plugins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Viewer {
    /// Sees every plugin: an administrator.
    Administrator,
    /// Sees the plugins that are this account's.
    Owner(AccountId),
}

/// A file of the owner's, served on the plugin's host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Document {
    /// Which of the plugin's files.
    pub kind: DocumentKind,
    /// Its media type.
    pub content_type: String,
    /// Its bytes, served unchanged.
    pub body: Vec<u8>,
}

/// The files a plugin can have beside its manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocumentKind {
    /// The API's description.
    OpenApi,
    /// The picture shown at installation.
    Logo,
}

impl DocumentKind {
    /// The word the database uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OpenApi => "openapi",
            Self::Logo => "logo",
        }
    }
}

impl FromStr for DocumentKind {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        match word {
            "openapi" => Ok(Self::OpenApi),
            "logo" => Ok(Self::Logo),
            _ => Err(UnknownWord::new("document", word)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_folded_to_one_spelling() {
        for (text, host) in [
            ("API.Example.com", "api.example.com"),
            ("api.example.com:443", "api.example.com"),
            ("api.example.com.", "api.example.com"),
            ("api.example.com.:8443", "api.example.com:8443"),
            ("localhost:8080", "localhost:8080"),
            ("[::1]:8080", "[::1]:8080"),
        ] {
            assert_eq!(text.parse::<Host>().unwrap().as_str(), host);
        }
        for text in ["", "a/b", "a@b", "https://a.b", "a b", "a:b"] {
            assert!(text.parse::<Host>().is_err(), "{text}");
        }
    }
}
