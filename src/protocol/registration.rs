//! Dynamic registration (RFC 7591 §3, RFC 7592 §2): what a client may register of what it asks for, and what it is
//! told.
//!
//! `client_metadata` reads what it asks for; `http::oauth::register` and `registered` bring it and act.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

use super::{
    client_metadata::{ClientMetadata, MetadataError, MetadataErrorCode, Registration, TokenEndpointAuthMethod},
    error::{ErrorCode, OAuthError},
};
use crate::model::{
    client::{AuthenticationMethod, Client},
    digest::Digest,
    mechanisms::RedirectKinds,
    public_key::SigningAlgorithm,
    redirect_uri::RedirectUri,
};

/// Unknown clients, disabled ones and wrong tokens get one and the same answer: nobody is told which ids there are.
pub const NOT_GOOD: OAuthError = OAuthError::new(ErrorCode::InvalidToken, "the registration access token is not good");

/// The initial access token is missing or wrong.
pub const NOT_INITIATED: OAuthError = OAuthError::new(
    ErrorCode::InvalidToken,
    "registering here needs the initial access token of this server's operator",
);

/// Nobody may register.
pub const NOT_OPEN: OAuthError =
    OAuthError::new(ErrorCode::AccessDenied, "this server takes no registrations; ask its operator for a client ID");

impl From<MetadataError> for OAuthError {
    fn from(error: MetadataError) -> Self {
        let code = match error.code {
            MetadataErrorCode::InvalidRedirectUri => ErrorCode::InvalidRedirectUri,
            MetadataErrorCode::InvalidClientMetadata => ErrorCode::InvalidClientMetadata,
        };
        Self::told(code, error.description)
    }
}

/// Reduces what a client asks for to what it may have. Some clients list every address they might ever use, so one that
/// is not allowed must not sink the others; the answer says which were registered (RFC 7591 §3.2.1).
pub fn admit(mut registration: Registration, kinds: RedirectKinds) -> Result<Registration, OAuthError> {
    registration.metadata.redirect_uris.retain(|uri| kinds.allow(uri));
    if registration.metadata.redirect_uris.is_empty() {
        let description = "redirect_uris has none of a kind that may be registered at this server";
        return Err(OAuthError::new(ErrorCode::InvalidRedirectUri, description));
    }
    Ok(registration)
}

/// Whether a change is the client's own (RFC 7592 §2.2): it names its id, and its secret if it names one. The members
/// it must not send back are passed over, as are all that nobody here knows.
pub fn check_change(client: &Client, change: &Registration) -> Result<(), OAuthError> {
    let refused = |description| Err(OAuthError::new(ErrorCode::InvalidClientMetadata, description));
    match &change.client_id {
        None => return refused("client_id is missing"),
        Some(id) if *id != client.client_id => return refused("client_id is not the id of this client"),
        Some(_) => {}
    }
    let is_own = |shown: Digest| client.secrets.iter().filter(|secret| secret.digest == shown).count() > 0;
    if change.client_secret.is_some_and(|shown| !is_own(shown)) {
        return refused("client_secret is not the secret of this client");
    }
    Ok(())
}

/// Whether a token manages a client. Both are compared whatever was found, so that the time tells nothing either.
pub fn manages(client: Option<&Client>, token: Digest) -> bool {
    let registered = client.filter(|client| client.enabled).and_then(|client| client.registration_digest);
    // The digest of nothing that could be shown: a token has a shape, and this is not one.
    let expected = registered.unwrap_or_else(|| Digest::of("no client"));
    expected == token
}

/// What only the client itself is told; none of it is remembered here.
pub struct Credentials<'a> {
    /// Where it manages its registration.
    pub registration_client_uri: String,
    /// What it shows there.
    pub registration_access_token: &'a str,
    /// Its secret, if one was just made.
    pub client_secret: Option<&'a str>,
}

/// What a client said about itself that nothing here goes by: kept, addresses as they are read, and told again. None of
/// it is shown to people, since a stranger chose it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Said {
    /// Where a secret stands is part of it; both places are accepted.
    token_endpoint_auth_method: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    application_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    logo_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_uri: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tos_uri: Option<String>,
}

impl Said {
    /// What it just said.
    pub fn of(registration: &Registration) -> Self {
        let ClientMetadata { client_uri, logo_uri, policy_uri, tos_uri, .. } = &registration.metadata;
        let text = |url: &Option<Url>| url.as_ref().map(ToString::to_string);
        Self {
            token_endpoint_auth_method: registration.method.as_str().to_owned(),
            application_type: registration.application_type.map(|kind| kind.as_str().to_owned()),
            client_uri: text(client_uri),
            logo_uri: text(logo_uri),
            policy_uri: text(policy_uri),
            tos_uri: text(tos_uri),
        }
    }

    /// What it said once, as it was kept; nothing for a client from before anything was.
    pub fn kept(text: Option<&str>) -> Self {
        text.and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default()
    }

    /// The text to keep.
    pub fn to_keep(&self) -> Option<String> {
        serde_json::to_string(self).ok()
    }

    /// The same with a method the client really has, which may have changed since.
    fn true_of(self, client: &Client) -> Self {
        let has = |method: &TokenEndpointAuthMethod| client.authentication_methods.contains(method.method());
        let said = TokenEndpointAuthMethod::of_word(&self.token_endpoint_auth_method).filter(has);
        let method = said.unwrap_or_else(|| strongest(client)).as_str().to_owned();
        Self { token_endpoint_auth_method: method, ..self }
    }
}

/// What a client is told about itself (RFC 7591 §3.2.1, RFC 7592 §3).
#[derive(Serialize)]
pub struct ClientInformation<'a> {
    client_id: &'a str,
    client_id_issued_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<&'a str>,
    /// Secrets made here never expire by themselves, which is written as zero; there with every secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret_expires_at: Option<i64>,
    registration_access_token: &'a str,
    registration_client_uri: String,
    client_name: &'a str,
    redirect_uris: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_endpoint_auth_signing_alg: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jwks_uri: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jwks: Option<Value>,
    /// What it can use, whatever it listed: refreshing comes with every consent.
    grant_types: [&'static str; 2],
    response_types: [&'static str; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[serde(flatten)]
    said: Said,
}

impl<'a> ClientInformation<'a> {
    /// What a client is registered as; `scope` is what it gets when it asks for nothing, if that is known.
    pub fn new(client: &'a Client, said: Said, scope: Option<String>, credentials: Credentials<'a>) -> Self {
        // The inline set in force, be it the client's own or one the operator put in its place: a client that sends
        // back what it was told keeps its keys. A set that was fetched stands where the client says.
        let own_set = client.keys.key_set.as_deref().filter(|_| client.keys.jwks_uri.is_none());
        Self {
            client_id: &client.client_id,
            client_id_issued_at: client.created_at.timestamp(),
            client_secret: credentials.client_secret,
            client_secret_expires_at: credentials.client_secret.map(|_| 0),
            registration_access_token: credentials.registration_access_token,
            registration_client_uri: credentials.registration_client_uri,
            client_name: &client.name,
            redirect_uris: client.redirect_uris.iter().map(RedirectUri::as_str).collect(),
            token_endpoint_auth_signing_alg: client.signing_algorithm.map(SigningAlgorithm::as_str),
            jwks_uri: client.keys.jwks_uri.as_deref(),
            jwks: own_set.and_then(|set| serde_json::from_str(set).ok()),
            grant_types: ["authorization_code", "refresh_token"],
            response_types: ["code"],
            scope,
            said: said.true_of(client),
        }
    }
}

/// The strongest of a client's methods in the words of the registry; the default of RFC 7591 §2 stands for a secret.
fn strongest(client: &Client) -> TokenEndpointAuthMethod {
    match client.authentication_methods.strongest() {
        Some(AuthenticationMethod::PrivateKeyJwt) => TokenEndpointAuthMethod::PrivateKeyJwt,
        Some(AuthenticationMethod::ClientSecret) => TokenEndpointAuthMethod::ClientSecretBasic,
        Some(AuthenticationMethod::None) | None => TokenEndpointAuthMethod::None,
    }
}
