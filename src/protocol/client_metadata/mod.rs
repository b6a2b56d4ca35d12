//! Client metadata (RFC 7591 §2): what a client says about itself, read and judged.
//!
//! `document` reads what is published at a client's own address (Client ID Metadata Document), `registration` what is
//! sent to the registration endpoint (RFC 7591 §3.1); they differ in who may hold a secret. `members` reads single
//! members, `proof` how the client will prove itself. Pure: `outbound` fetches, the store keeps, `http` answers.

mod document;
mod members;
mod proof;
mod registration;

use std::fmt;

use url::Url;

pub use document::{DOCUMENT_BYTES_MAX, NotADocumentAddress, check_client_id, is_document, read_document};
use members::Members;
use proof::Proof;
pub use proof::TokenEndpointAuthMethod;
pub use registration::{ApplicationType, REGISTRATION_BYTES_MAX, Registration, read_registration};

use crate::model::{
    client::AuthenticationMethods,
    key_set::KeySet,
    legible,
    public_key::SigningAlgorithm,
    redirect_uri::{NotARedirectUri, RedirectUri},
    scope::Scopes,
};

/// The most redirect URIs of one client; the busiest known client has four.
pub const REDIRECT_URIS_MAX: usize = 20;

/// The longest name, in characters.
pub const NAME_LENGTH_MAX: usize = 100;

/// What a client says about itself and is acted on here; whatever else it says is passed over (RFC 7591 §2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientMetadata {
    /// What people are shown. A stranger chose it: it proves nothing, and stands beside the host that does.
    pub name: String,
    /// Where people may be sent back to; at least one.
    pub redirect_uris: Vec<RedirectUri>,
    /// How it can prove itself, as far as that is supported here; at least one way.
    pub methods: AuthenticationMethods,
    /// Its public keys; some are there whenever `methods` has `private_key_jwt`.
    pub keys: Keys,
    /// The only algorithm it signs assertions with, if it named one (`token_endpoint_auth_signing_alg`).
    pub signing_algorithm: Option<SigningAlgorithm>,
    /// Whether `grant_types` lists `refresh_token`.
    pub lists_refresh_token: bool,
    /// Its home page.
    pub client_uri: Option<Url>,
    /// Its picture.
    pub logo_uri: Option<Url>,
    /// What it does with data.
    pub policy_uri: Option<Url>,
    /// Its terms of service.
    pub tos_uri: Option<Url>,
    /// What it means to ask for, if it said; nothing is as good as not said.
    pub scope: Option<Scopes>,
}

/// Where a client's public keys are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keys {
    /// Nowhere.
    None,
    /// Published (`jwks_uri`).
    Uri(Url),
    /// Here (`jwks`).
    Inline(KeySet),
}

/// The error codes of RFC 7591 §3.2.2 that metadata without a software statement can meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetadataErrorCode {
    /// A redirect URI is missing or not acceptable.
    InvalidRedirectUri,
    /// Any other member is.
    InvalidClientMetadata,
}

impl MetadataErrorCode {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRedirectUri => "invalid_redirect_uri",
            Self::InvalidClientMetadata => "invalid_client_metadata",
        }
    }
}

/// Why metadata is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {description}", code.as_str())]
pub struct MetadataError {
    /// The code.
    pub code: MetadataErrorCode,
    /// One sentence that begins with the member at fault; only characters RFC 6749 allows.
    pub description: String,
}

impl MetadataError {
    fn new(code: MetadataErrorCode, sentence: impl fmt::Display) -> Self {
        Self { code, description: legible::in_a_description(&sentence.to_string()) }
    }

    fn metadata(sentence: impl fmt::Display) -> Self {
        Self::new(MetadataErrorCode::InvalidClientMetadata, sentence)
    }
}

impl ClientMetadata {
    /// Reads what documents and registrations have alike. Without a name people are shown a host: the document's, or
    /// else the one they are sent back to.
    fn read(members: &Members, offered: AuthenticationMethods, host: Option<&str>) -> Result<Self, MetadataError> {
        let redirect_uris = read_redirect_uris(members)?;
        let Proof { methods, keys, signing_algorithm } = Proof::read(members, offered)?;
        check_list(members, "response_types", "code")?;
        let grant_types = check_list(members, "grant_types", "authorization_code")?;
        let host =
            || host.map_or_else(|| redirect_uris.iter().take(1).map(RedirectUri::display_host).collect(), Into::into);
        Ok(Self {
            name: read_name(members)?.unwrap_or_else(host),
            redirect_uris,
            methods,
            keys,
            signing_algorithm,
            lists_refresh_token: grant_types.is_some_and(|types| types.contains(&"refresh_token")),
            client_uri: members.https("client_uri")?,
            logo_uri: members.https("logo_uri")?,
            policy_uri: members.https("policy_uri")?,
            tos_uri: members.https("tos_uri")?,
            scope: read_scope(members)?,
        })
    }
}

fn read_redirect_uris(members: &Members) -> Result<Vec<RedirectUri>, MetadataError> {
    let refused = |sentence: String| MetadataError::new(MetadataErrorCode::InvalidRedirectUri, sentence);
    let texts = match members.texts("redirect_uris") {
        Err(error) => return Err(refused(error.description)),
        Ok(None) => return Err(refused("redirect_uris is missing".to_owned())),
        Ok(Some(texts)) => texts,
    };
    if texts.is_empty() || texts.len() > REDIRECT_URIS_MAX {
        let count = texts.len();
        return Err(refused(format!("redirect_uris has {count} entries; 1 to {REDIRECT_URIS_MAX} are accepted")));
    }
    let mut uris: Vec<RedirectUri> = Vec::with_capacity(texts.len());
    let mut left_out = None;
    for (index, text) in texts.into_iter().enumerate() {
        let told = |problem: NotARedirectUri| refused(format!("redirect_uris[{index}]: {problem}"));
        match text.parse() {
            Ok(uri) if uris.contains(&uri) => {}
            Ok(uri) => uris.push(uri),
            // Some clients list every address they might ever use: one that is not for clients must not sink the rest.
            Err(problem) if problem.is_of_another_kind() => left_out = left_out.or_else(|| Some(told(problem))),
            Err(problem) => return Err(told(problem)),
        }
    }
    match left_out {
        Some(refused) if uris.is_empty() => Err(refused),
        _ => Ok(uris),
    }
}

/// A name that is legible and short once the space around and inside it is folded; a blank one counts as none.
fn read_name(members: &Members) -> Result<Option<String>, MetadataError> {
    let Some(text) = members.text("client_name")?.map(str::trim) else { return Ok(None) };
    if text.chars().any(legible::deceives) {
        return Err(MetadataError::metadata("client_name has an invisible character or one that turns the writing"));
    }
    let name = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match name.chars().count() {
        0 => Ok(None),
        1..=NAME_LENGTH_MAX => Ok(Some(name)),
        count => Err(MetadataError::metadata(format_args!(
            "client_name has {count} characters; at most {NAME_LENGTH_MAX} are shown to people"
        ))),
    }
}

fn read_scope(members: &Members) -> Result<Option<Scopes>, MetadataError> {
    let scope = members.text("scope")?.map(str::parse::<Scopes>).transpose();
    let scope = scope.map_err(|problem| MetadataError::metadata(format_args!("scope: {problem}")))?;
    Ok(scope.filter(|scope| !scope.is_empty()))
}

/// A list that must hold the one word without which this server is of no use to the client. Other words are what the
/// client does elsewhere.
fn check_list<'a>(
    members: &'a Members,
    name: &str,
    needed: &'static str,
) -> Result<Option<Vec<&'a str>>, MetadataError> {
    let words = members.texts(name)?;
    match &words {
        Some(words) if !words.contains(&needed) => {
            Err(MetadataError::metadata(format_args!("{name} does not list {needed}, and nothing else is of use here")))
        }
        _ => Ok(words),
    }
}

#[cfg(test)]
mod tests;
