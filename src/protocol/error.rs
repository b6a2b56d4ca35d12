//! OAuth errors: the codes of RFC 6749 §4.1.2.1 and §5.2 and of the RFCs that add to them.

use std::borrow::Cow;

use crate::model::counts::Refusal;

/// An `error` code on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorCode {
    /// RFC 6749: a parameter is missing, repeated, too long or contradicts another.
    InvalidRequest,
    /// RFC 6749: the client is unknown, or did not prove to be itself.
    InvalidClient,
    /// RFC 6749: the code or token is not, or no longer, good for this client.
    InvalidGrant,
    /// RFC 6749: this client may not use this grant.
    UnauthorizedClient,
    /// RFC 6749: no such grant here.
    UnsupportedGrantType,
    /// RFC 6749: nothing of what was asked for can be given.
    InvalidScope,
    /// RFC 8707: the resource is not one of this client's.
    InvalidTarget,
    /// RFC 6750: the bearer token is not good here.
    InvalidToken,
    /// RFC 7591: a redirect URI is missing, or may not be registered.
    InvalidRedirectUri,
    /// RFC 7591: any other member of a registration is not acceptable.
    InvalidClientMetadata,
    /// RFC 7009: this kind of token cannot be revoked.
    UnsupportedTokenType,
    /// RFC 6749: the person, or the server, said no.
    AccessDenied,
    /// RFC 6749: only `code` is supported.
    UnsupportedResponseType,
    /// RFC 6749: a fault of the server's own.
    ServerError,
    /// RFC 6749: worth trying again later.
    TemporarilyUnavailable,
    /// OpenID Connect Core §3.1.2.6: `prompt=none`, and nobody is signed in.
    LoginRequired,
    /// OpenID Connect Core §3.1.2.6: `prompt=none`, and consent is missing.
    ConsentRequired,
    /// OpenID Connect Core §3.1.2.6: `prompt=none`, and a page must be shown whatever was consented to.
    InteractionRequired,
    /// OpenID Connect Core §3.1.2.6: the `request` parameter.
    RequestNotSupported,
    /// OpenID Connect Core §3.1.2.6: the `request_uri` parameter.
    RequestUriNotSupported,
}

impl ErrorCode {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::UnauthorizedClient => "unauthorized_client",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::InvalidToken => "invalid_token",
            Self::InvalidRedirectUri => "invalid_redirect_uri",
            Self::InvalidClientMetadata => "invalid_client_metadata",
            Self::UnsupportedTokenType => "unsupported_token_type",
            Self::AccessDenied => "access_denied",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::ServerError => "server_error",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::LoginRequired => "login_required",
            Self::ConsentRequired => "consent_required",
            Self::InteractionRequired => "interaction_required",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
        }
    }

    /// As what it is counted for the owner.
    pub fn counted_as(self) -> Refusal {
        match self {
            Self::InvalidRequest | Self::RequestNotSupported | Self::RequestUriNotSupported => Refusal::InvalidRequest,
            Self::InvalidClient => Refusal::InvalidClient,
            Self::InvalidGrant => Refusal::InvalidGrant,
            Self::UnauthorizedClient => Refusal::UnauthorizedClient,
            Self::UnsupportedGrantType => Refusal::UnsupportedGrantType,
            Self::UnsupportedResponseType => Refusal::UnsupportedResponseType,
            Self::InvalidScope => Refusal::InvalidScope,
            Self::InvalidTarget => Refusal::InvalidTarget,
            Self::InvalidToken => Refusal::InvalidToken,
            Self::AccessDenied => Refusal::AccessDenied,
            Self::LoginRequired | Self::ConsentRequired | Self::InteractionRequired => Refusal::InteractionRequired,
            Self::InvalidRedirectUri | Self::InvalidClientMetadata => Refusal::ClientMetadata,
            Self::UnsupportedTokenType | Self::ServerError | Self::TemporarilyUnavailable => Refusal::Other,
        }
    }
}

/// An error a client may be told. What it is told never holds anything the caller did not send or the RFC does not name;
/// what the owner is told may say more.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {description}", code.as_str())]
pub struct OAuthError {
    /// The code.
    pub code: ErrorCode,
    /// One sentence for the client's developer; only characters RFC 6749 allows.
    pub description: Cow<'static, str>,
    /// The reason in a sentence for the owner alone, where the client is told less.
    why: Option<Cow<'static, str>>,
}

impl OAuthError {
    /// An error with a fixed sentence.
    pub const fn new(code: ErrorCode, description: &'static str) -> Self {
        Self { code, description: Cow::Borrowed(description), why: None }
    }

    /// An error with a sentence made for the occasion.
    pub fn told(code: ErrorCode, description: String) -> Self {
        Self { code, description: Cow::Owned(description), why: None }
    }

    /// The same for the client, with a reason for the owner.
    #[must_use]
    pub fn because(self, why: impl Into<Cow<'static, str>>) -> Self {
        Self { why: Some(why.into()), ..self }
    }

    /// One sentence for the owner: the reason, or else what the client is told.
    pub fn for_the_owner(&self) -> Cow<'_, str> {
        match &self.why {
            Some(why) => Cow::Borrowed(why),
            None => format!("It was refused with {self}.").into(),
        }
    }
}
