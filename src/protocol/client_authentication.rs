//! Client authentication (RFC 6749 §2.3): one credential, in the way the client's dialect allows.

use std::fmt;

use super::{
    dialect,
    error::{ErrorCode, OAuthError},
    parameters::Parameters,
};
use crate::model::{
    Timestamp,
    client::{AuthenticationMethod, Client},
    digest::Digest,
};

/// Longest `client_id` and `client_secret` read.
pub const CREDENTIAL_LENGTH_MAX: usize = 2048;

/// How the credentials came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Via {
    /// In the body, beside the other parameters.
    Body,
    /// In an `Authorization: Basic` header, already decoded (RFC 6749 §2.3.1).
    Basic,
}

/// What a request says about who is calling; nothing is proven yet.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The client's id.
    pub client_id: String,
    /// SHA-256 of the secret, when one came.
    pub secret: Option<Digest>,
    /// How they came.
    pub via: Via,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Credentials({:?} via {:?})", self.client_id, self.via)
    }
}

/// The user name and password of an `Authorization: Basic` header.
pub struct Basic {
    /// Decoded user name.
    pub client_id: String,
    /// Decoded password.
    pub client_secret: String,
}

const UNKNOWN: OAuthError = OAuthError::new(ErrorCode::InvalidClient, "the client is unknown or did not prove itself");

impl Credentials {
    /// Gathers the credentials of a request; two at once are refused (RFC 6749 §2.3).
    pub fn read(basic: Option<Basic>, parameters: &Parameters) -> Result<Self, OAuthError> {
        let refused = |description| Err(OAuthError::new(ErrorCode::InvalidRequest, description));
        let client_id = parameters.one("client_id", CREDENTIAL_LENGTH_MAX)?;
        let client_secret = parameters.one("client_secret", CREDENTIAL_LENGTH_MAX)?;
        match (basic, client_id, client_secret) {
            (Some(_), _, Some(_)) => refused("there are two client credentials; send one"),
            (Some(basic), Some(client_id), None) if basic.client_id != client_id => {
                refused("client_id differs from the one in the Authorization header")
            }
            (Some(basic), _, None) => {
                Ok(Self { client_id: basic.client_id, secret: Some(Digest::of(basic.client_secret)), via: Via::Basic })
            }
            (None, Some(client_id), secret) => {
                Ok(Self { client_id: client_id.to_owned(), secret: secret.map(Digest::of), via: Via::Body })
            }
            (None, None, _) => Err(OAuthError::new(ErrorCode::InvalidClient, "client_id is missing")),
        }
    }
}

/// Decides whether the credentials prove the client that was found under their `client_id`, if any was.
///
/// Unknown, disabled and unproven clients get one and the same answer; a known one that sends its secret the wrong way
/// is told so, since its developer has no other way to find out.
pub fn authenticate(client: Option<Client>, credentials: &Credentials, now: Timestamp) -> Result<Client, OAuthError> {
    let client = client.filter(|client| client.enabled).ok_or(UNKNOWN)?;
    if credentials.via == Via::Basic && !dialect::accepts_basic(client.dialect) {
        return Err(OAuthError::new(ErrorCode::InvalidClient, "this client sends its secret in the body"));
    }
    let proven = match (client.authentication_method, credentials.secret) {
        (AuthenticationMethod::None, None) => true,
        // A public client that shows a secret is not the one that was registered.
        (AuthenticationMethod::None, Some(_)) | (AuthenticationMethod::ClientSecret, None) => false,
        (AuthenticationMethod::ClientSecret, Some(shown)) => {
            client
                .secrets
                .iter()
                .filter(|secret| secret.expires_at.is_none_or(|end| now < end))
                // Counted, not sought: every secret is compared, so the time tells nothing about which one matched.
                .filter(|secret| secret.digest == shown)
                .count()
                > 0
        }
    };
    if proven { Ok(client) } else { Err(UNKNOWN) }
}
