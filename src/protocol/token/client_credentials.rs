//! Client credentials (RFC 6749 §4.4): a program acting for itself. Nothing is stored; the token stands with its
//! client.

use crate::{
    model::{client::Client, resource::Resource, scope::Scopes},
    protocol::{error::OAuthError, parameters::Parameters, resource, scope},
};

/// The parameters of the grant.
#[derive(Debug)]
pub struct ClientCredentialsRequest<'a> {
    scope: Option<&'a str>,
    resource: Option<&'a str>,
}

impl<'a> ClientCredentialsRequest<'a> {
    pub(super) fn read(parameters: &'a Parameters) -> Result<Self, OAuthError> {
        Ok(Self { scope: parameters.one("scope", scope::LENGTH_MAX)?, resource: resource::requested(parameters)? })
    }

    /// The resource that is named, to be looked up.
    pub fn requested_resource(&self) -> Option<&'a str> {
        self.resource
    }

    /// What the token allows at the resource.
    pub fn check(&self, client: &Client, resource: &Resource) -> Result<Scopes, OAuthError> {
        scope::narrowed(&client.scopes_at(resource), self.scope)
    }
}
