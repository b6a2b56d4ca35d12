//! The token endpoint (RFC 6749 §3.2): the phases every grant shares, and a file per grant for its own part.
//!
//! Order: parameters are read, the client is authenticated, the grant is allowed to it, the grant's own checks run,
//! the store takes its one step, the answer is minted.

pub mod answer;
pub mod authorization_code;
pub mod client_credentials;
pub mod refresh;

use super::{
    dialect,
    error::{ErrorCode, OAuthError},
    parameters::Parameters,
};
use crate::model::client::Client;

/// A token request, by grant.
#[derive(Debug)]
pub enum TokenRequest<'a> {
    /// RFC 6749 §4.1.3.
    AuthorizationCode(authorization_code::CodeRequest<'a>),
    /// RFC 6749 §6.
    Refresh(refresh::RefreshRequest<'a>),
    /// RFC 6749 §4.4.2.
    ClientCredentials(client_credentials::ClientCredentialsRequest<'a>),
}

impl<'a> TokenRequest<'a> {
    /// The grant, as `grant_type` has it.
    pub fn grant_type(&self) -> &'static str {
        match self {
            Self::AuthorizationCode(_) => "authorization_code",
            Self::Refresh(_) => "refresh_token",
            Self::ClientCredentials(_) => "client_credentials",
        }
    }

    /// Reads the parameters of whichever grant is asked for, if the client may use it.
    pub fn read(parameters: &'a Parameters, client: &Client) -> Result<Self, OAuthError> {
        let (request, allowed) = match parameters.required("grant_type", 128)? {
            "authorization_code" => {
                let request = authorization_code::CodeRequest::read(parameters)?;
                (Self::AuthorizationCode(request), dialect::authorization_code_allowed(client.dialect))
            }
            "refresh_token" => {
                let request = refresh::RefreshRequest::read(parameters)?;
                (Self::Refresh(request), dialect::authorization_code_allowed(client.dialect))
            }
            "client_credentials" => {
                let request = client_credentials::ClientCredentialsRequest::read(parameters)?;
                (Self::ClientCredentials(request), dialect::client_credentials_allowed(client.dialect))
            }
            _ => {
                let description = "grant_type must be authorization_code, refresh_token or client_credentials";
                return Err(OAuthError::new(ErrorCode::UnsupportedGrantType, description));
            }
        };
        if allowed {
            Ok(request)
        } else {
            Err(OAuthError::new(ErrorCode::UnauthorizedClient, "this client may not use this grant"))
        }
    }
}
