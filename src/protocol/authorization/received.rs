//! Received: the parameters of an authorization request, read and bounded; nothing is believed yet.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::Addressed;
use crate::{
    model::{
        client::{AuthenticationMethod, Client, Registration},
        redirect_uri::{self, RedirectUri},
    },
    protocol::{
        client_authentication::{CREDENTIAL_LENGTH_MAX, unknown},
        dialect,
        error::OAuthError,
        parameters::Parameters,
        presets, redirect_uri as matching,
        resource::{self, NoTarget},
        scope,
    },
};

/// Longest `state`. It goes back byte for byte.
const STATE_LENGTH_MAX: usize = 4096;

/// The parameters of an authorization request. Field order is the order of their bytes while in flight.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Received {
    pub(super) client_id: String,
    pub(super) redirect_uri: String,
    pub(super) state: Option<String>,
    pub(super) rest: Result<Rest, Fault>,
}

/// What is checked once there is somewhere to send an error to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Rest {
    pub(super) response_type: Option<String>,
    pub(super) response_mode: Option<String>,
    pub(super) scope: Option<String>,
    pub(super) resource: Result<Option<String>, NoTarget>,
    pub(super) code_challenge: Option<String>,
    pub(super) code_challenge_method: Option<String>,
    pub(super) prompt: Option<String>,
    pub(super) has_request: bool,
    pub(super) has_request_uri: bool,
}

/// A fault in a parameter that does not decide where the answer goes; told once the address is proven.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Fault(pub(super) String);

impl From<OAuthError> for Fault {
    fn from(error: OAuthError) -> Self {
        Self(error.description.into_owned())
    }
}

/// Why a request ends with a page for the person, and never with a redirect.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAddressed {
    /// `client_id` or `redirect_uri` is missing, repeated or too long.
    #[error("{0}")]
    Malformed(OAuthError),
    /// No such client, or it is disabled.
    #[error("the client is unknown or disabled")]
    UnknownClient {
        /// What it is called, for the owner's eyes.
        client_id: String,
        /// Whether there is one.
        is_disabled: bool,
    },
    /// The client may not send people here at all.
    #[error("this client may not ask for authorization codes")]
    NotForPeople,
    /// The redirect URI is not registered for the client.
    #[error("the redirect URI is not registered for this client")]
    ForeignRedirectUri {
        /// What was presented, for the owner's eyes.
        presented: String,
        /// How its client became known.
        registration: Registration,
        /// The same, where it looks like the client's own: its owner is asked about it, and nobody is sent there.
        offer: Option<Box<RedirectUri>>,
    },
}

impl NotAddressed {
    /// One sentence for the owner.
    pub fn for_the_owner(&self) -> Cow<'_, str> {
        match self {
            Self::Malformed(error) => {
                format!("The browser was sent here with a request that is wrong: {error}.").into()
            }
            Self::UnknownClient { client_id, is_disabled: true } => {
                format!("The client {client_id:?} is disabled.").into()
            }
            Self::UnknownClient { client_id, .. } => unknown(client_id).into(),
            Self::NotForPeople => {
                "The client is a service: it may not ask people. Register one with another preset.".into()
            }
            Self::ForeignRedirectUri { presented, registration, offer } => {
                let asks = format!("The client asks to send the browser back to {presented:?}");
                match registration {
                    Registration::ByHand if offer.is_some() => format!(
                        "{asks}, which is not registered for it but looks like its own: its callback may have changed. \
                         Compare it with what is shown where the client runs, and approve it among its callbacks here."
                    ),
                    Registration::ByHand => format!(
                        "{asks}, which is not registered for it; if that is its callback, add it to those of the client."
                    ),
                    Registration::Dynamic => format!("{asks}, which it did not register."),
                    Registration::Document => format!("{asks}, which its document does not have."),
                }
                .into()
            }
        }
    }
}

impl Received {
    /// Reads the parameters. What decides the address must be right at once, everything else may wait.
    pub fn read(parameters: &Parameters) -> Result<Self, NotAddressed> {
        let client_id =
            parameters.required("client_id", CREDENTIAL_LENGTH_MAX).map_err(NotAddressed::Malformed)?.to_owned();
        let redirect_uri =
            parameters.required("redirect_uri", redirect_uri::LENGTH_MAX).map_err(NotAddressed::Malformed)?.to_owned();
        // A state given twice cannot be given back, so the error goes without one.
        let (state, state_fault) = match parameters.one("state", STATE_LENGTH_MAX) {
            Ok(state) => (state.map(str::to_owned), None),
            Err(error) => (None, Some(Fault::from(error))),
        };
        let rest = match state_fault {
            Some(fault) => Err(fault),
            None => Rest::read(parameters).map_err(Fault::from),
        };
        Ok(Self { client_id, redirect_uri, state, rest })
    }

    /// The client it claims to come from.
    pub fn client_id(&self) -> &str {
        &self.client_id
    }

    /// The resource it names, where it names one that can be read.
    pub fn resource(&self) -> Option<&str> {
        self.rest.as_ref().ok()?.resource.as_ref().ok()?.as_deref()
    }

    /// Proves where the answer goes: a known client, and one of its own redirect URIs.
    pub fn address(self, client: Option<&Client>, issuer: &str) -> Result<Addressed, NotAddressed> {
        let client = client.filter(|client| client.enabled).ok_or_else(|| self.of_nobody(client.is_some()))?;
        if !dialect::authorization_code_allowed(client.dialect) {
            return Err(NotAddressed::NotForPeople);
        }
        if let Some(redirect_uri) = matching::find(&client.redirect_uris, &self.redirect_uri) {
            return Ok(Addressed::new(self, redirect_uri, client, issuer));
        }
        let registration = client.registration;
        // Without a secret or a key, whoever has a callback of the same vendor's could be approved by mistake, and needs
        // nothing else to be given people's tokens.
        let proves_itself = !client.authentication_methods.contains(AuthenticationMethod::None);
        let offer = match registration {
            Registration::ByHand if proves_itself => {
                presets::plausible(client.dialect, &client.redirect_uris, &self.redirect_uri)
            }
            Registration::ByHand | Registration::Document | Registration::Dynamic => None,
        };
        Err(NotAddressed::ForeignRedirectUri { presented: self.redirect_uri, registration, offer: offer.map(Box::new) })
    }

    fn of_nobody(&self, is_disabled: bool) -> NotAddressed {
        NotAddressed::UnknownClient { client_id: self.client_id.clone(), is_disabled }
    }
}

impl Rest {
    fn read(parameters: &Parameters) -> Result<Self, OAuthError> {
        let short = |name| parameters.one(name, 256).map(|value| value.map(str::to_owned));
        Ok(Self {
            response_type: short("response_type")?,
            response_mode: short("response_mode")?,
            scope: parameters.one("scope", scope::LENGTH_MAX)?.map(str::to_owned),
            resource: resource::requested(parameters).map(|named| named.map(str::to_owned)),
            code_challenge: short("code_challenge")?,
            code_challenge_method: short("code_challenge_method")?,
            prompt: short("prompt")?,
            has_request: parameters.one("request", usize::MAX)?.is_some(),
            has_request_uri: parameters.one("request_uri", usize::MAX)?.is_some(),
        })
    }
}
