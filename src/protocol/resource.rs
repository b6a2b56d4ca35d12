//! Resource indicators (RFC 8707): a token is for one API. A request that names none means the client's own, or the
//! server's default.

use serde::{Deserialize, Serialize};

use super::{
    error::{ErrorCode, OAuthError},
    parameters::Parameters,
};
use crate::model::{
    client::Client,
    resource::{LENGTH_MAX, Resource, ResourceIdentifier},
};

/// Which resource has to be looked up before anything can be decided.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// None: the request means the client's own.
    Own,
    /// The one with this canonical spelling.
    Named(String),
    /// The one with this canonical spelling, which the operator chose for requests that name none.
    Default(String),
    /// The default of the only plugin there is: the client belongs to no plugin, the request names no resource, and the
    /// operator chose none.
    Only,
}

/// Why a request has no resource; each is `invalid_target` for the caller, and a line of its own in the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum NoTarget {
    /// RFC 8707 §2: an absolute URI without fragment.
    #[error("resource is not an absolute https URL without fragment")]
    Malformed,
    /// Longer than any that is registered.
    #[error("resource is longer than {LENGTH_MAX} bytes")]
    TooLong,
    /// RFC 8707 §2 lets a request name several; no token here is for more than one.
    #[error("resource is given more than once with different values; a token is for one of them")]
    Several,
    /// Nobody registered it here.
    #[error("resource is not registered at this server")]
    Unregistered,
    /// It is another plugin's.
    #[error("resource is not one this client may ask for")]
    Foreign,
    /// There are several plugins, or none, and no resource was named.
    #[error("resource is missing: this server has several plugins or none, and the client belongs to none of them")]
    Unnamed,
    /// None was named, and nobody registered the one that would have been meant.
    #[error("resource is missing, and the one this server takes instead (default_resource) is not registered")]
    NoDefault,
    /// The code or the token is for another one.
    #[error("resource is not the one that was authorized")]
    Other,
}

impl From<NoTarget> for OAuthError {
    fn from(refused: NoTarget) -> Self {
        let why = format!("It was refused with invalid_target: {refused}; {}.", refused.cure());
        Self::told(ErrorCode::InvalidTarget, refused.to_string()).because(why)
    }
}

impl NoTarget {
    /// What helps, for the owner.
    fn cure(self) -> &'static str {
        match self {
            Self::Malformed | Self::TooLong | Self::Several => "only who wrote the client can mend that",
            Self::Unregistered => {
                "`consentry resource list` shows what is registered, `consentry resource add` registers more"
            }
            Self::Foreign => "it belongs to another plugin than the client, which needs a client of that plugin",
            Self::Unnamed => "the setting default_resource says what such clients get",
            Self::NoDefault => "`consentry resource add` registers it",
            Self::Other => "a client has to name the resource it asked for at first, or none",
        }
    }
}

/// What a request names, as it was sent: nothing, or one resource, however often it says so.
pub fn requested(parameters: &Parameters) -> Result<Option<&str>, NoTarget> {
    let mut named = parameters.all("resource").map(|text| text.ok_or(NoTarget::Malformed));
    let Some(first) = named.next().transpose()? else { return Ok(None) };
    if first.len() > LENGTH_MAX {
        return Err(NoTarget::TooLong);
    }
    for other in named {
        if other? != first {
            return Err(NoTarget::Several);
        }
    }
    Ok(Some(first))
}

/// Reads what a request names, in its canonical spelling.
pub fn read(requested: Option<&str>) -> Result<Option<String>, NoTarget> {
    let Some(text) = requested else { return Ok(None) };
    let identifier: ResourceIdentifier = text.parse().map_err(|_| NoTarget::Malformed)?;
    Ok(Some(identifier.canonical()))
}

/// Says what has to be looked up for a client that names this, or nothing; `default` is what the operator chose for
/// those who name nothing.
pub fn lookup(
    client: &Client,
    requested: Option<&str>,
    default: Option<&ResourceIdentifier>,
) -> Result<Lookup, NoTarget> {
    Ok(match (read(requested)?, &client.home) {
        (None, Some(_)) => Lookup::Own,
        (None, None) => default.map_or(Lookup::Only, |default| Lookup::Default(default.canonical())),
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
        (Lookup::Default(_), None) => Err(NoTarget::NoDefault),
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_names_one_resource_or_none() {
        let long = format!("resource=https://a.example/{}", "a".repeat(LENGTH_MAX));
        for (form, expected) in [
            ("", Ok(None)),
            ("resource=", Ok(None)),
            ("resource=&resource=a", Ok(Some("a"))),
            ("resource=a&resource=a&x=b", Ok(Some("a"))),
            ("resource=a&resource=b", Err(NoTarget::Several)),
            (&long, Err(NoTarget::TooLong)),
        ] {
            assert_eq!(requested(&Parameters::from_form(form.as_bytes()).unwrap()), expected, "{form}");
        }
        for (json, expected) in [
            (r#"{"resource":null}"#, Ok(None)),
            (r#"{"resource":"a","resource":"a"}"#, Ok(Some("a"))),
            (r#"{"resource":["a"]}"#, Err(NoTarget::Malformed)),
            (r#"{"resource":"a","resource":["a"]}"#, Err(NoTarget::Malformed)),
        ] {
            assert_eq!(requested(&Parameters::from_json(json.as_bytes()).unwrap()), expected, "{json}");
        }
    }
}
