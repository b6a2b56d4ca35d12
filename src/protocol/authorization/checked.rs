//! Checked: everything the request itself can get wrong has been looked at, in the order of the list below.

use super::{Addressed, Redirect, received::Rest};
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
    /// The resource the request names, to be looked up before it is checked.
    pub fn requested_resource(&self) -> Option<&str> {
        self.received.rest.as_ref().ok()?.resource.as_deref()
    }

    /// Runs the checks; the first that fails is told to the client.
    pub fn check(self, client: &Client, target: Result<Resource, NoTarget>) -> Result<Checked, Redirect> {
        match run(&self, client, target) {
            Ok((scopes, resource, code_challenge, prompt)) => {
                Ok(Checked { addressed: self, scopes, resource: Box::new(resource), code_challenge, prompt })
            }
            Err(error) => Err(self.refuse(&error)),
        }
    }
}

type Findings = (Scopes, Resource, Option<[u8; 32]>, Prompt);

fn run(addressed: &Addressed, client: &Client, target: Result<Resource, NoTarget>) -> Result<Findings, OAuthError> {
    let rest = match &addressed.received.rest {
        Ok(rest) => rest,
        Err(fault) => {
            return Err(OAuthError { code: ErrorCode::InvalidRequest, description: fault.0.clone().into() });
        }
    };
    check_request_objects(rest)?;
    check_response_type(rest)?;
    check_response_mode(rest)?;
    let prompt = read_prompt(rest)?;
    let challenge = pkce::read_challenge(
        rest.code_challenge.as_deref(),
        rest.code_challenge_method.as_deref(),
        dialect::may_skip_pkce(client.dialect),
    )?;
    let resource = target?;
    let scopes = scope::requested(&client.scopes_at(&resource), rest.scope.as_deref())?;
    Ok((scopes, resource, challenge, prompt))
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
