//! Checked: everything the request itself can get wrong has been looked at, in the order of the list below.

use super::{
    Addressed, Refusal,
    received::{Fault, Rest},
};
use crate::{
    model::{client::Client, resource::Resource, scope::Scopes},
    protocol::{
        dialect,
        error::{ErrorCode, OAuthError},
        pkce,
        resource::NoTarget,
        scope,
    },
};

/// A request of which only the resource, and what may be asked for there, are still to be looked at.
#[derive(Clone, Debug)]
pub struct Sound {
    addressed: Addressed,
    code_challenge: Option<[u8; 32]>,
    prompt: Prompt,
}

/// A request that may be put before a person.
#[derive(Clone, Debug)]
pub struct Checked {
    pub(super) addressed: Addressed,
    pub(super) scopes: Scopes,
    pub(super) resource: Box<Resource>,
    pub(super) code_challenge: Option<[u8; 32]>,
    pub(super) prompt: Prompt,
}

/// What `prompt` asks of the pages (OpenID Connect Core §3.1.2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prompt {
    /// No page at all.
    None,
    /// Pages, as few as possible.
    Pages {
        /// Sign in again, or as somebody else.
        login: bool,
        /// Ask for consent even if it was given.
        consent: bool,
    },
}

impl Addressed {
    /// Runs the checks that need no resource; the first that fails is told to the client. Only a request that passes
    /// them is worth looking its resource up for, and worth a line in the log when there is none.
    pub fn check(self, client: &Client) -> Result<Sound, Refusal> {
        match self.rest().and_then(|rest| run(rest, client)) {
            Ok((code_challenge, prompt)) => Ok(Sound { addressed: self, code_challenge, prompt }),
            Err(error) => Err(self.refuse(error)),
        }
    }

    fn rest(&self) -> Result<&Rest, OAuthError> {
        let told = |fault: &Fault| OAuthError::told(ErrorCode::InvalidRequest, fault.0.clone());
        self.received.rest.as_ref().map_err(told)
    }
}

impl Sound {
    /// The resource the request names, to be looked up.
    pub fn requested_resource(&self) -> Result<Option<&str>, NoTarget> {
        match &self.addressed.received.rest {
            Ok(Rest { resource: Ok(named), .. }) => Ok(named.as_deref()),
            Ok(Rest { resource: Err(refused), .. }) => Err(*refused),
            Err(_) => Ok(None),
        }
    }

    /// Runs the checks that are left, with what was found.
    pub fn at(self, client: &Client, target: Result<Resource, NoTarget>) -> Result<Checked, Refusal> {
        let Self { addressed, code_challenge, prompt } = self;
        let asked = |resource: &Resource| {
            let (allowed, default) = (client.scopes_at(resource), client.default_scopes_at(resource));
            scope::requested(&allowed, default, addressed.rest()?.scope.as_deref())
        };
        let found = target.map_err(OAuthError::from).and_then(|resource| Ok((asked(&resource)?, resource)));
        match found {
            Ok((scopes, resource)) => {
                Ok(Checked { addressed, scopes, resource: Box::new(resource), code_challenge, prompt })
            }
            Err(error) => Err(addressed.refuse(error)),
        }
    }
}

fn run(rest: &Rest, client: &Client) -> Result<(Option<[u8; 32]>, Prompt), OAuthError> {
    check_request_objects(rest)?;
    check_response_type(rest)?;
    check_response_mode(rest)?;
    let prompt = read_prompt(rest)?;
    let challenge = pkce::read_challenge(
        rest.code_challenge.as_deref(),
        rest.code_challenge_method.as_deref(),
        dialect::may_skip_pkce(client.dialect),
    )?;
    Ok((challenge, prompt))
}

fn check_request_objects(rest: &Rest) -> Result<(), OAuthError> {
    if rest.has_request {
        return Err(OAuthError::new(ErrorCode::RequestNotSupported, "request objects are not supported"));
    }
    if rest.has_request_uri {
        return Err(OAuthError::new(ErrorCode::RequestUriNotSupported, "request_uri is not supported"));
    }
    Ok(())
}

fn check_response_type(rest: &Rest) -> Result<(), OAuthError> {
    match rest.response_type.as_deref() {
        Some("code") => Ok(()),
        None => Err(OAuthError::new(ErrorCode::InvalidRequest, "response_type is missing")),
        Some(_) => Err(OAuthError::new(ErrorCode::UnsupportedResponseType, "response_type must be code")),
    }
}

fn check_response_mode(rest: &Rest) -> Result<(), OAuthError> {
    match rest.response_mode.as_deref() {
        None | Some("query") => Ok(()),
        Some(_) => Err(OAuthError::new(ErrorCode::InvalidRequest, "response_mode must be query")),
    }
}

fn read_prompt(rest: &Rest) -> Result<Prompt, OAuthError> {
    let words: Vec<&str> = rest.prompt.as_deref().unwrap_or_default().split_whitespace().collect();
    match words.as_slice() {
        ["none"] => Ok(Prompt::None),
        words if words.contains(&"none") => {
            Err(OAuthError::new(ErrorCode::InvalidRequest, "prompt=none cannot be combined"))
        }
        // A word this server does not know asks for nothing it could do.
        words => Ok(Prompt::Pages {
            login: words.contains(&"login") || words.contains(&"select_account"),
            consent: words.contains(&"consent"),
        }),
    }
}

impl Checked {
    /// Whether the person is to show anew who they are, whoever is signed in (`prompt=login`).
    pub fn wants_new_sign_in(&self) -> bool {
        matches!(self.prompt, Prompt::Pages { login: true, .. })
    }

    /// The request with its proven address.
    pub fn addressed(&self) -> &Addressed {
        &self.addressed
    }

    /// What is asked for.
    pub fn scopes(&self) -> &Scopes {
        &self.scopes
    }

    /// Where it is asked for.
    pub fn resource(&self) -> &Resource {
        &self.resource
    }
}
