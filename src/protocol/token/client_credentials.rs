//! Client credentials (RFC 6749 §4.4): a program acting for itself. Nothing is stored; the token stands with its
//! client.

use crate::{
    model::{client::Client, scope::Scopes},
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
        Ok(Self {
            scope: parameters.one("scope", scope::LENGTH_MAX)?,
            resource: parameters.one("resource", resource::LENGTH_MAX)?,
        })
    }

    /// What the token is for and what it allows.
    pub fn check(&self, client: &Client) -> Result<(String, Scopes), OAuthError> {
        let resource = resource::decide(&client.plugin.resource, self.resource)?.to_owned();
        Ok((resource, scope::narrowed(&client.scopes, self.scope)?))
    }
}
