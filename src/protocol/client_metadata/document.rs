//! Client ID Metadata Documents (draft-ietf-oauth-client-id-metadata-document): the client's id is the address of what
//! it says about itself.
//!
//! Anybody can publish one, so it proves only who controls the address. It is public, so it can hold no secret and
//! offer no method that needs one.

use url::Url;

use super::{
    ClientMetadata, MetadataError, TokenEndpointAuthMethod,
    members::Members,
    proof::{PLURAL, SINGULAR},
};
use crate::model::{
    client::{AuthenticationMethod, AuthenticationMethods},
    json::Bounds,
};

/// The largest document read: 5 kB, as the draft recommends (§6.6).
pub const DOCUMENT_BYTES_MAX: usize = 5 * 1024;

/// A document holds a key set, whose keys hold arrays; the rest is for members nobody knows yet.
const BOUNDS: Bounds = Bounds { bytes: DOCUMENT_BYTES_MAX, depth: 8 };

/// The longest address.
const ADDRESS_LENGTH_MAX: usize = 2048;

/// Why a `client_id` is no address of a document (draft §3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotADocumentAddress {
    /// Another scheme, or none.
    #[error("client_id does not begin with https://")]
    NotHttps,
    /// Longer than anybody needs.
    #[error("client_id is longer than {ADDRESS_LENGTH_MAX} bytes")]
    TooLong,
    /// What has no place in a URL as it is written (RFC 3986).
    #[error("client_id has a space, a backslash or a character outside ASCII")]
    Unprintable,
    /// It would be cut off before fetching.
    #[error("client_id has a fragment")]
    Fragment,
    /// `https://trusted@evil` reads as trusted and goes to evil.
    #[error("client_id has a user name before the host")]
    Userinfo,
    /// Two texts would name one document.
    #[error("client_id has a dot segment in its path")]
    DotSegment,
    /// A bare host is too much to be a client.
    #[error("client_id has no path")]
    NoPath,
    /// Not spelled as it would be fetched: host in capitals, default port, a number instead of an address.
    #[error("client_id is not spelled as it would be requested")]
    Spelling,
}

/// Whether a `client_id` says that it is the address of a document. No id made here begins so (draft §3).
pub fn is_document(client_id: &str) -> bool {
    client_id.starts_with("https://")
}

/// Checks the address before anything is fetched from it. A query is let through: the draft advises against it, and
/// clients have been seen with one. Where the host may lie is for `outbound` to say.
pub fn check_client_id(text: &str) -> Result<Url, NotADocumentAddress> {
    use NotADocumentAddress as No;
    if text.len() > ADDRESS_LENGTH_MAX {
        return Err(No::TooLong);
    }
    let rest = text.strip_prefix("https://").ok_or(No::NotHttps)?;
    if !text.bytes().all(|b| b.is_ascii_graphic() && b != b'\\') {
        return Err(No::Unprintable);
    }
    if text.contains('#') {
        return Err(No::Fragment);
    }
    // The text, not the parsed URL: the parser folds what is looked for here.
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let path = path.split('?').next().unwrap_or_default();
    if authority.contains('@') {
        return Err(No::Userinfo);
    }
    if path.split('/').any(is_dot_segment) {
        return Err(No::DotSegment);
    }
    if path.len() < 2 {
        return Err(No::NoPath);
    }
    Url::parse(text).ok().filter(|url| url.as_str() == text).ok_or(No::Spelling)
}

/// A dot may be written as `%2e` (WHATWG URL, "single-dot" and "double-dot URL path segment").
fn is_dot_segment(segment: &str) -> bool {
    segment.len() <= 6 && matches!(segment.to_ascii_lowercase().replace("%2e", ".").as_str(), "." | "..")
}

/// Reads a document that was fetched from `client_id`. `client_name` is demanded by MCP and by nobody else; without it
/// people are shown the host, which says more.
pub fn read_document(client_id: &Url, body: &[u8]) -> Result<ClientMetadata, MetadataError> {
    let members = Members::read(body, BOUNDS, "the document")?;
    match members.text("client_id")? {
        Some(text) if text == client_id.as_str() => {}
        Some(_) => return Err(MetadataError::metadata("client_id is not the address of the document")),
        None => return Err(MetadataError::metadata("client_id is missing")),
    }
    let is_there = |name: &&str| members.value(name).is_some();
    if let Some(secret) = members.names().filter(is_there).find(|name| name.starts_with("client_secret")) {
        return Err(MetadataError::metadata(format_args!("{secret} has no place in a document everybody can read")));
    }
    ClientMetadata::read(&members, offered(&members)?, client_id.host_str())
}

/// The methods a document offers and this server supports. Clients write one, or all, or both; without either the
/// default of RFC 7591 would be a secret, which a document cannot have, so it is a public client's.
fn offered(members: &Members) -> Result<AuthenticationMethods, MetadataError> {
    let (member, words) = match (members.text(SINGULAR)?, members.texts(PLURAL)?) {
        (None, None) => return Ok(AuthenticationMethod::None.into()),
        (Some(one), None) => (SINGULAR, vec![one]),
        (Some(one), Some(all)) if !all.contains(&one) => {
            return Err(MetadataError::metadata(format_args!("{SINGULAR} is not one of {PLURAL}")));
        }
        (_, Some(all)) => (PLURAL, all),
    };
    if let Some(symmetric) = words.iter().find(|word| word.starts_with("client_secret")) {
        return Err(MetadataError::metadata(format_args!(
            "{member} has {symmetric}, which needs a secret; a document everybody can read has none"
        )));
    }
    let known = words.into_iter().filter_map(TokenEndpointAuthMethod::of_word);
    let methods: AuthenticationMethods = known.map(TokenEndpointAuthMethod::method).collect();
    if methods.is_empty() {
        let sentence = format_args!("{member} has nothing that is supported here: none, private_key_jwt").to_string();
        return Err(MetadataError::metadata(sentence));
    }
    Ok(methods)
}
