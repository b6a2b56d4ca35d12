//! Clients (RFC 6749 §2): the programs that ask for tokens, and what each is registered for.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::{
    Generation, Timestamp,
    account::UnknownWord,
    digest::Digest,
    id::{ClientId, ClientSecretId, PluginId},
    public_key::SigningAlgorithm,
    redirect_uri::RedirectUri,
    resource::Resource,
    scope::Scopes,
};

/// How a caller speaks; what each is forgiven is decided in `protocol::dialect`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Dialect {
    /// The classic manifest: secret in the body, JSON or form, no PKCE.
    Plugin,
    /// A custom GPT's action: secret in the body or Basic, form, no PKCE.
    Action,
    /// MCP servers and other MCP clients: PKCE always.
    Connector,
    /// A program acting for itself: client credentials and introspection, no people.
    Service,
    /// Anything else that speaks OAuth 2.1: PKCE always.
    Custom,
}

impl Dialect {
    /// All of them, in the order the command line lists them.
    pub const ALL: [Self; 5] = [Self::Plugin, Self::Action, Self::Connector, Self::Service, Self::Custom];

    /// The word the database and the command line use.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Plugin => "plugin",
            Self::Action => "action",
            Self::Connector => "connector",
            Self::Service => "service",
            Self::Custom => "custom",
        }
    }
}

impl FromStr for Dialect {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        Self::ALL.into_iter().find(|dialect| dialect.as_str() == word).ok_or_else(|| UnknownWord::new("preset", word))
    }
}

/// How a client proves at the token endpoint that it is itself (RFC 7591 §2, `token_endpoint_auth_method`), the
/// weakest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthenticationMethod {
    /// A public client: nothing but PKCE.
    None,
    /// A secret, in the body or by HTTP Basic, as the dialect allows.
    ClientSecret,
    /// An assertion signed with a key of its own (RFC 7523 §2.2).
    PrivateKeyJwt,
}

impl AuthenticationMethod {
    /// All of them, the weakest first.
    pub const ALL: [Self; 3] = [Self::None, Self::ClientSecret, Self::PrivateKeyJwt];

    /// The word the database uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ClientSecret => "client_secret",
            Self::PrivateKeyJwt => "private_key_jwt",
        }
    }
}

impl FromStr for AuthenticationMethod {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        let unknown = || UnknownWord::new("authentication method", word);
        Self::ALL.into_iter().find(|method| method.as_str() == word).ok_or_else(unknown)
    }
}

/// The methods a client may use; displayed as the words the database uses, separated by spaces, the weakest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AuthenticationMethods(u8);

impl AuthenticationMethods {
    fn bit(method: AuthenticationMethod) -> u8 {
        1 << method as u8
    }

    /// Whether the method is among them.
    pub fn contains(self, method: AuthenticationMethod) -> bool {
        self.0 & Self::bit(method) != 0
    }

    /// Whether there is none.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The methods, the weakest first.
    pub fn iter(self) -> impl Iterator<Item = AuthenticationMethod> {
        AuthenticationMethod::ALL.into_iter().filter(move |method| self.contains(*method))
    }

    /// The strongest of them.
    pub fn strongest(self) -> Option<AuthenticationMethod> {
        self.iter().last()
    }
}

impl FromIterator<AuthenticationMethod> for AuthenticationMethods {
    fn from_iter<I: IntoIterator<Item = AuthenticationMethod>>(methods: I) -> Self {
        Self(methods.into_iter().fold(0, |bits, method| bits | Self::bit(method)))
    }
}

impl From<AuthenticationMethod> for AuthenticationMethods {
    fn from(method: AuthenticationMethod) -> Self {
        Self(Self::bit(method))
    }
}

impl FromStr for AuthenticationMethods {
    type Err = UnknownWord;

    fn from_str(words: &str) -> Result<Self, UnknownWord> {
        words.split(' ').map(str::parse).collect()
    }
}

impl fmt::Display for AuthenticationMethods {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<&str> = self.iter().map(AuthenticationMethod::as_str).collect();
        out.write_str(&words.join(" "))
    }
}

/// How a client came to be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Registration {
    /// Somebody registered it here.
    ByHand,
    /// Its id is the address of its own metadata document (Client ID Metadata Document).
    Document,
    /// It registered itself (RFC 7591).
    Dynamic,
}

impl Registration {
    /// The word the database uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ByHand => "by_hand",
            Self::Document => "document",
            Self::Dynamic => "dynamic",
        }
    }
}

impl FromStr for Registration {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        match word {
            "by_hand" => Ok(Self::ByHand),
            "document" => Ok(Self::Document),
            "dynamic" => Ok(Self::Dynamic),
            _ => Err(UnknownWord::new("registration", word)),
        }
    }
}

/// Where a client's public keys come from, and what is known of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientKeys {
    /// Where its key set is published.
    pub jwks_uri: Option<String>,
    /// The last good key set, as JSON.
    pub key_set: Option<String>,
    /// When it was fetched, or came with the registration or the document; none when the operator supplied it, and none
    /// is ever fetched.
    pub fetched_at: Option<Timestamp>,
    /// Since when a newer one than the last good one could not be had; none while it can.
    pub failing_since: Option<Timestamp>,
}

impl ClientKeys {
    /// Where a set is fetched from; nowhere if the client sent its own along, or the operator supplied one.
    pub fn fetched_from(&self) -> Option<&str> {
        self.jwks_uri.as_deref().filter(|_| !self.were_supplied())
    }

    /// Whether the client sent its set along with whatever else it says about itself.
    pub fn came_along(&self) -> bool {
        self.jwks_uri.is_none() && self.key_set.is_some() && self.fetched_at.is_some()
    }

    /// Whether the operator supplied the set; what the client says of its keys then changes nothing.
    pub fn were_supplied(&self) -> bool {
        self.key_set.is_some() && self.fetched_at.is_none()
    }
}

/// Which copy of a client's metadata document its row holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DocumentCopy {
    /// When it was read.
    pub fetched_at: Timestamp,
    /// Until when it need not be read again.
    pub fresh_until: Timestamp,
    /// Whether it is the pinned copy, which came with the program: what its host says goes before it.
    pub is_pinned: bool,
}

impl DocumentCopy {
    /// Whether it need not be read again. A time that has yet to come was written by a clock that was wrong, and says
    /// nothing of how old the copy is.
    pub fn is_fresh(&self, now: Timestamp) -> bool {
        self.fetched_at <= now && now < self.fresh_until
    }
}

/// One of a client's secrets: only its digest is kept.
#[derive(Clone, Debug)]
pub struct ClientSecret {
    /// Row id.
    pub id: ClientSecretId,
    /// SHA-256 of the whole secret as it was shown.
    pub digest: Digest,
    /// When it was made.
    pub created_at: Timestamp,
    /// After a rotation the older one gets an end.
    pub expires_at: Option<Timestamp>,
    /// When it was last shown here, as far as that is noted: it may be a minute more.
    pub last_used_at: Option<Timestamp>,
}

/// A client with the resource it is registered for and the secrets valid when it was read.
#[derive(Clone, Debug)]
pub struct Client {
    /// Row id.
    pub id: ClientId,
    /// What the wire calls `client_id`.
    pub client_id: String,
    /// What people are shown.
    pub name: String,
    /// The default resource of the plugin it belongs to; none for a client that may ask for any plugin's.
    pub home: Option<Resource>,
    /// How it came to be known.
    pub registration: Registration,
    /// How it speaks.
    pub dialect: Dialect,
    /// How it may authenticate.
    pub authentication_methods: AuthenticationMethods,
    /// The only algorithm it signs assertions with (RFC 7591 §2, `token_endpoint_auth_signing_alg`), if it named one.
    pub signing_algorithm: Option<SigningAlgorithm>,
    /// The keys its assertions are verified with.
    pub keys: ClientKeys,
    /// The state of its document's copy, if it has one.
    pub document: Option<DocumentCopy>,
    /// Where people may be sent back to.
    pub redirect_uris: Vec<RedirectUri>,
    /// What it may ask for; none for whatever the resource has.
    pub scopes: Option<Scopes>,
    /// What it asks for when it names nothing, if it said so when it registered; no limit, unlike `scopes`.
    pub default_scopes: Option<Scopes>,
    /// SHA-256 of the token that manages its registration (RFC 7592).
    pub registration_digest: Option<Digest>,
    /// Raised when it is disabled.
    pub generation: Generation,
    /// Raised by every change somebody makes by hand.
    pub version: i64,
    /// A disabled client gets nothing, and nothing of its stands.
    pub enabled: bool,
    /// When it was registered.
    pub created_at: Timestamp,
    /// When it is there no more; none for one that stays.
    pub ends_at: Option<Timestamp>,
    /// Secrets valid at the time of reading.
    pub secrets: Vec<ClientSecret>,
}

impl Client {
    /// What it may ask for at a resource.
    pub fn scopes_at(&self, resource: &Resource) -> Scopes {
        let offered = resource.scopes.names();
        self.scopes.as_ref().map_or_else(|| offered.clone(), |scopes| scopes.intersection(&offered))
    }

    /// What it gets there when it asks for nothing: what it said it would, as far as that is known there; otherwise
    /// everything it may ask for.
    pub fn default_scopes_at(&self, resource: &Resource) -> Scopes {
        let allowed = self.scopes_at(resource);
        let named = self.default_scopes.as_ref().map(|scopes| scopes.intersection(&allowed));
        named.filter(|known| !known.is_empty()).unwrap_or(allowed)
    }

    /// Whether it may ask for that resource at all: any one of its own plugin, or any whatever if it belongs to none.
    pub fn may_ask_for(&self, resource: &Resource) -> bool {
        self.home.as_ref().is_none_or(|home| home.plugin_id == resource.plugin_id)
    }

    /// The only plugin it may ask for, if it belongs to one.
    pub fn plugin_id(&self) -> Option<PluginId> {
        self.home.as_ref().map(|home| home.plugin_id)
    }
}
