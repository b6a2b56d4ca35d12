//! What a request carries that only this server can have made: a code, a refresh token or an access token, as it was
//! written. Whether it is still good is asked later.
//!
//! The keyring tells it alone, before the client is authenticated. Whoever carries nothing has nothing to gain here, so
//! nobody's host is asked for such a request, and nothing is written for it: strangers can send any number. (A client
//! that somebody registered by hand is no stranger.)

use crate::{
    http::failure::MachineError,
    model::{code::AuthorizationCode, id::FamilyId, refresh_token::RefreshToken},
    protocol::parameters::Parameters,
    server::{Server, clients::Asking},
    tokens::{self, access::Claims},
};

/// Longest text looked at.
const LENGTH_MAX: usize = 16 * 1024;

/// What an endpoint looks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sought {
    /// The grant of `grant_type`, in `code` or `refresh_token`: the token endpoint.
    Grant,
    /// A token, in `token`: revocation and introspection.
    Token,
}

/// What was found.
pub enum Carried {
    /// A code.
    Code(Box<AuthorizationCode>),
    /// A refresh token.
    Refresh(RefreshToken),
    /// An access token that has not expired.
    Access(Box<Claims>),
}

impl Carried {
    /// Reads what a request carries, where it is to stand and nowhere else: what does not belong there must neither
    /// hide it nor stand in for it. A parameter that is missing, too long or stands twice holds nothing here, and is
    /// refused by name once the client is known.
    pub async fn read(sought: Sought, server: &Server, parameters: &Parameters) -> Result<Option<Self>, MachineError> {
        let text = |name| parameters.one(name, LENGTH_MAX).ok().flatten().unwrap_or_default();
        match (sought, text("grant_type")) {
            (Sought::Grant, "authorization_code") => Self::code(server, text("code")).await,
            (Sought::Grant, "refresh_token") => Self::refresh(server, text("refresh_token")).await,
            (Sought::Grant, _) => Ok(None),
            (Sought::Token, _) => Self::token(server, text("token")).await,
        }
    }

    /// The family it belongs to, or will belong to.
    pub fn family(&self) -> Option<FamilyId> {
        match self {
            Self::Code(code) => Some(code.id),
            Self::Refresh(token) => Some(token.family_id),
            Self::Access(claims) => claims.family,
        }
    }

    /// The caller's hint is not needed, since each kind is recognisable.
    async fn token(server: &Server, text: &str) -> Result<Option<Self>, MachineError> {
        if tokens::refresh::looks_like_one(text) {
            Self::refresh(server, text).await
        } else {
            Self::access(server, text).await
        }
    }

    async fn code(server: &Server, text: &str) -> Result<Option<Self>, MachineError> {
        let now = server.clock.now();
        let ring = server.keyring.knowing(tokens::code::kid(text), &server.store, now).await?;
        Ok(tokens::code::read(&ring, text).map(|code| Self::Code(Box::new(code))))
    }

    async fn refresh(server: &Server, text: &str) -> Result<Option<Self>, MachineError> {
        let now = server.clock.now();
        let ring = server.keyring.knowing(tokens::refresh::kid(text), &server.store, now).await?;
        Ok(tokens::refresh::read(&ring, text).map(Self::Refresh))
    }

    async fn access(server: &Server, text: &str) -> Result<Option<Self>, MachineError> {
        let now = server.clock.now();
        let ring = server.keyring.knowing(tokens::access::kid(text), &server.store, now).await?;
        let claims = tokens::access::read(&ring, &server.settings.issuer, text, now);
        Ok(claims.map(|claims| Self::Access(Box::new(claims))))
    }

    /// Who may be asked on behalf of a request that carries this.
    pub fn asking(carried: Option<&Self>) -> Asking {
        if carried.is_some() { Asking::ItsHosts } else { Asking::Nobody }
    }
}
