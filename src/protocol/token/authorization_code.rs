//! Redeeming a code (RFC 6749 §4.1.3): every check that needs no database, in the order DESIGN §4 gives.
//!
//! A failure here consumes nothing and ends nothing: a wrong presenter cannot spoil the right one's code.

use crate::{
    model::{Timestamp, client::Client, code::AuthorizationCode, resource::Resource, scope::Scopes},
    protocol::{
        authorization::answered::redirect_uri_digest,
        error::{ErrorCode, OAuthError},
        parameters::Parameters,
        pkce, resource,
    },
};

/// Longest code read.
const CODE_LENGTH_MAX: usize = 2048;

/// The parameters of the grant.
#[derive(Debug)]
pub struct CodeRequest<'a> {
    redirect_uri: Option<&'a str>,
    code_verifier: Option<&'a str>,
    resource: Option<&'a str>,
}

/// A code that is good for this client; its resource has to be looked up.
#[derive(Debug)]
pub struct Good {
    /// What the code says.
    pub code: AuthorizationCode,
    auth_time: Timestamp,
}

/// A code that is good at its resource; only its single use is still to be decided, by the store.
#[derive(Debug)]
pub struct Redeemable {
    /// What the code says.
    pub code: AuthorizationCode,
    /// The resource tokens will be for.
    pub resource: Resource,
    /// What the code was issued for.
    pub scopes: Scopes,
    /// When the person signed in.
    pub auth_time: Timestamp,
}

/// One answer for everything that is wrong with a code, whoever asks: a guess learns nothing.
pub const NOT_GOOD: OAuthError =
    OAuthError::new(ErrorCode::InvalidGrant, "the code is not good: unknown, expired, used, or another client's");

/// Why nothing came of a code, for the owner: it was redeemed before.
pub const REPLAYED: &str =
    "The code was presented a second time; the connection made with it is ended, since one of the two may be a thief.";

/// And here nobody stands by it any more.
pub const NOT_STANDING: &str =
    "Between consent and redeeming, access was taken back, or the account or client disabled.";

impl<'a> CodeRequest<'a> {
    pub(super) fn read(parameters: &'a Parameters) -> Result<Self, OAuthError> {
        // It has been opened before anybody asked who sends it, if it can be.
        parameters.required("code", CODE_LENGTH_MAX)?;
        Ok(Self {
            redirect_uri: parameters.one("redirect_uri", crate::model::redirect_uri::LENGTH_MAX)?,
            code_verifier: parameters.one("code_verifier", pkce::VERIFIER_LENGTH_MAX)?,
            resource: resource::requested(parameters)?,
        })
    }

    /// Checks an opened code against the authenticated client and the request.
    pub fn check(
        &self,
        opened: Option<AuthorizationCode>,
        client: &Client,
        now: Timestamp,
    ) -> Result<Good, OAuthError> {
        let unread = "The code is none this server made, or it is so old that the key it was sealed with is gone.";
        let code = opened.ok_or_else(|| NOT_GOOD.because(unread))?;
        check_expiry(&code, now)?;
        check_client(&code, client)?;
        check_redirect_uri(&code, self.redirect_uri)?;
        pkce::verify(code.code_challenge, self.code_verifier)?;
        let auth_time = chrono::DateTime::from_timestamp_millis(code.auth_time).ok_or(NOT_GOOD)?;
        Ok(Good { code, auth_time })
    }

    /// Checks what the request names against the resource of the code, which is gone if it was not found.
    pub fn at(&self, good: Good, resource: Option<Resource>) -> Result<Redeemable, OAuthError> {
        let resource =
            resource.ok_or_else(|| NOT_GOOD.because("The code is for a resource that was removed since."))?;
        resource::agrees(&resource, self.resource)?;
        let scopes = resource.scopes.scopes(good.code.scopes);
        Ok(Redeemable { code: good.code, resource, scopes, auth_time: good.auth_time })
    }
}

fn check_expiry(code: &AuthorizationCode, now: Timestamp) -> Result<(), OAuthError> {
    let late = now.timestamp_millis() - code.expires_at;
    if late < 0 {
        return Ok(());
    }
    let late = late / 1000 + 1;
    Err(NOT_GOOD.because(format!("The code came {late} s after its end; the client has a minute to redeem it.")))
}

fn check_client(code: &AuthorizationCode, client: &Client) -> Result<(), OAuthError> {
    if code.client_id == client.id {
        return Ok(());
    }
    Err(NOT_GOOD.because(format!("The code was given to another client than {}, which presents it.", client.client_id)))
}

/// RFC 6749 §4.1.3 wants the same text as in the authorization request. OAuth 2.1 no longer sends it, because PKCE
/// proves more; so it may be left out where a verifier is checked, and never differ.
fn check_redirect_uri(code: &AuthorizationCode, redirect_uri: Option<&str>) -> Result<(), OAuthError> {
    let differs = OAuthError::new(ErrorCode::InvalidGrant, "redirect_uri is not the one the code was sent to");
    match redirect_uri {
        Some(uri) if redirect_uri_digest(uri) == code.redirect_uri => Ok(()),
        Some(_) => Err(differs.because(
            "The client redeems the code with another redirect_uri than it asked with; both must be the same text.",
        )),
        None if code.code_challenge.is_some() => Ok(()),
        None => Err(OAuthError::new(ErrorCode::InvalidRequest, "redirect_uri is missing")),
    }
}
