//! Resource indicators (RFC 8707): a token is for one API. A request that names none means the client's own.

use super::error::{ErrorCode, OAuthError};
use crate::model::{
    client::Client,
    resource::{LENGTH_MAX as IDENTIFIER_LENGTH_MAX, Resource, ResourceIdentifier},
};

/// Longest `resource` read.
pub const LENGTH_MAX: usize = IDENTIFIER_LENGTH_MAX;

/// Which resource has to be looked up before anything can be decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// None: the request means the client's own.
    Own,
    /// The one with this canonical spelling.
    Named(String),
    /// The only one there is: the client belongs to no plugin, and the request names none.
    Only,
}

/// Why a request has no resource; each is `invalid_target` for the caller, and a line of its own in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoTarget {
    /// RFC 8707 §2: an absolute URI without fragment.
    #[error("resource is not an absolute https URL without fragment")]
    Malformed,
    /// Nobody registered it here.
    #[error("resource is not registered at this server")]
    Unregistered,
    /// It is another plugin's.
    #[error("resource is not one this client may ask for")]
    Foreign,
    /// There are several, and none was named.
    #[error("resource is missing: this server has several or none, and the client belongs to none of them")]
    Unnamed,
    /// The code or the token is for another one.
    #[error("resource is not the one that was authorized")]
    Other,
}

impl From<NoTarget> for OAuthError {
    fn from(refused: NoTarget) -> Self {
        Self { code: ErrorCode::InvalidTarget, description: refused.to_string().into() }
    }
}

/// Reads what a request names, in its canonical spelling.
pub fn read(requested: Option<&str>) -> Result<Option<String>, NoTarget> {
    let Some(text) = requested else { return Ok(None) };
    let identifier: ResourceIdentifier = text.parse().map_err(|_| NoTarget::Malformed)?;
    Ok(Some(identifier.canonical()))
}

/// Says what has to be looked up for a client that names this, or nothing.
pub fn lookup(client: &Client, requested: Option<&str>) -> Result<Lookup, NoTarget> {
    Ok(match (read(requested)?, &client.home) {
        (None, Some(_)) => Lookup::Own,
        (None, None) => Lookup::Only,
        (Some(named), Some(home)) if home.identifier.canonical() == named => Lookup::Own,
        (Some(named), _) => Lookup::Named(named),
    })
}

/// Decides with what was found.
pub fn decide(client: &Client, lookup: &Lookup, found: Option<Resource>) -> Result<Resource, NoTarget> {
    match (lookup, found) {
        (Lookup::Own, _) => client.home.clone().ok_or(NoTarget::Unnamed),
        (_, Some(resource)) if client.may_ask_for(&resource) => Ok(resource),
        (_, Some(_)) => Err(NoTarget::Foreign),
        (Lookup::Named(_), None) => Err(NoTarget::Unregistered),
        (Lookup::Only, None) => Err(NoTarget::Unnamed),
    }
}

/// Whether a request that names this, or nothing, means the resource something was authorized for.
pub fn agrees(authorized: &Resource, requested: Option<&str>) -> Result<(), NoTarget> {
    match read(requested)? {
        Some(named) if named != authorized.identifier.canonical() => Err(NoTarget::Other),
        _ => Ok(()),
    }
}
