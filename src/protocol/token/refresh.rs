//! Refreshing (RFC 6749 §6): what can be decided before and after the store has looked at the line.
//!
//! The table of what a presented counter means stands with `store::families`, where it is carried out as one step.

use crate::{
    model::{
        client::{AuthenticationMethod, Client},
        family::Family,
        resource::ResourceIdentifier,
        scope::Scopes,
    },
    protocol::{
        admission,
        client_authentication::falls_short,
        error::{ErrorCode, OAuthError},
        parameters::Parameters,
        resource::{self, NoTarget},
        scope,
    },
};

/// The parameters of the grant.
#[derive(Debug)]
pub struct RefreshRequest<'a> {
    scope: Option<&'a str>,
    resource: Option<&'a str>,
}

/// One answer for everything that is wrong with a refresh token.
pub const NOT_GOOD: OAuthError =
    OAuthError::new(ErrorCode::InvalidGrant, "the refresh token is not good: unknown, ended, or another client's");

/// Why nothing came of a refresh token, for the owner: it was never one.
pub const FORGED: &str = "The refresh token is none this server made: it was cut on the way, or is another server's.";

/// It is an old one.
pub const REPLAYED: &str = "The refresh token was replaced by a newer one before, longer ago than refresh_grace allows; the connection is \
     ended, since two parties hold its tokens.";

/// And here it was one.
pub const NOT_STANDING: &str = "The connection has ended: access was taken back, it expired or was idle for too long, or its account or client \
     was disabled; or the token is another client's.";

/// Why a line that stands did not turn. Only who holds the secret of the line is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Another resource was named.
    OtherResource,
    /// The client proved itself by less than it had before, and still offers that.
    WeakerMethod {
        /// What it proved itself by.
        shown: AuthenticationMethod,
        /// What the family has had.
        had: AuthenticationMethod,
    },
    /// The plugin lets the person in no more. The caller is told what everybody is.
    ShutOut,
    /// Nothing the caller should know.
    NotGood,
}

impl From<Refusal> for OAuthError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::OtherResource => NoTarget::Other.into(),
            Refusal::WeakerMethod { shown, had } => {
                let (shown, had) = (shown.as_str(), had.as_str());
                let description = format!(
                    "the client authenticated by {shown}, but this connection has had {had}, \
                     which the client still offers"
                );
                let why = format!("Was the refresh token stolen? It was presented, and {description}.");
                Self::told(ErrorCode::InvalidGrant, description).because(why)
            }
            Refusal::ShutOut => NOT_GOOD.because(admission::SHUT_OUT),
            Refusal::NotGood => NOT_GOOD.because(NOT_STANDING),
        }
    }
}

impl<'a> RefreshRequest<'a> {
    pub(super) fn read(parameters: &'a Parameters) -> Result<Self, OAuthError> {
        // It has been opened before anybody asked who sends it, if it can be.
        parameters.required("refresh_token", 512)?;
        Ok(Self { scope: parameters.one("scope", scope::LENGTH_MAX)?, resource: resource::requested(parameters)? })
    }

    /// The checks that come before the line is touched, so that a mistake costs nothing. The resource that is named, in
    /// its canonical spelling: the line turns only if it is the line's own.
    pub fn check(&self) -> Result<Option<String>, OAuthError> {
        scope::check(self.scope)?;
        Ok(resource::read(self.resource)?)
    }

    /// Why the line of this family, which stands, did not turn for a client that proved itself so.
    pub fn refusal(&self, family: &Family, client: &Client, shown: AuthenticationMethod) -> Refusal {
        let had = family.authentication_method;
        let own = family.resource.parse::<ResourceIdentifier>().map(|own| own.canonical());
        match (resource::read(self.resource), own) {
            (Ok(Some(named)), Ok(own)) if named != own => Refusal::OtherResource,
            _ if falls_short(shown, had, client.authentication_methods) => Refusal::WeakerMethod { shown, had },
            _ => Refusal::NotGood,
        }
    }

    /// Whether a narrower `scope` is named; then the family is asked first, so that a mistake costs no rotation.
    pub fn names_scopes(&self) -> bool {
        self.scope.is_some()
    }

    /// What the access token gets out of what the family still has: a narrower `scope` narrows the token, never the
    /// family.
    pub fn scopes(&self, family: &Scopes) -> Result<Scopes, OAuthError> {
        scope::narrowed(family, self.scope)
    }
}
