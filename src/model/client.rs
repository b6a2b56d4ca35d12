//! Clients (RFC 6749 §2): the programs that ask for tokens, and what each is registered for.

use std::str::FromStr;

use serde::Serialize;

use super::{
    Generation, Timestamp,
    account::UnknownWord,
    digest::Digest,
    id::{ClientId, ClientSecretId},
    plugin::Plugin,
    redirect_uri::RedirectUri,
    scope::Scopes,
};

/// How a caller speaks; what each is forgiven is decided in `protocol::dialect`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
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

/// How a client proves at the token endpoint that it is itself (RFC 7591 §2, `token_endpoint_auth_method`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthenticationMethod {
    /// A public client: nothing but PKCE.
    None,
    /// A secret, in the body or by HTTP Basic, as the dialect allows.
    ClientSecret,
}

impl AuthenticationMethod {
    /// The word the database uses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ClientSecret => "client_secret",
        }
    }
}

impl FromStr for AuthenticationMethod {
    type Err = UnknownWord;

    fn from_str(word: &str) -> Result<Self, UnknownWord> {
        match word {
            "none" => Ok(Self::None),
            "client_secret" => Ok(Self::ClientSecret),
            _ => Err(UnknownWord::new("authentication method", word)),
        }
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
}

/// A client with the plugin it belongs to and the secrets valid when it was read.
#[derive(Clone, Debug)]
pub struct Client {
    /// Row id.
    pub id: ClientId,
    /// What the wire calls `client_id`.
    pub client_id: String,
    /// What people are shown.
    pub name: String,
    /// The plugin whose API it may ask for.
    pub plugin: Plugin,
    /// How it speaks.
    pub dialect: Dialect,
    /// How it authenticates.
    pub authentication_method: AuthenticationMethod,
    /// Where people may be sent back to.
    pub redirect_uris: Vec<RedirectUri>,
    /// What it may ask for; also what it gets when it asks for nothing.
    pub scopes: Scopes,
    /// Raised when it is disabled.
    pub generation: Generation,
    /// A disabled client gets nothing, and nothing of its stands.
    pub enabled: bool,
    /// When it was registered.
    pub created_at: Timestamp,
    /// Secrets valid at the time of reading.
    pub secrets: Vec<ClientSecret>,
}
