//! Token introspection (RFC 7662): who may ask about a token, and what is answered.

use serde::Serialize;

use crate::model::{
    Timestamp,
    client::{Client, Dialect},
    id::PluginId,
    resource::ResourceIdentifier,
    scope::Scopes,
};

/// What is known of a token that stands.
#[derive(Clone, Debug)]
pub struct Standing {
    /// To which client it was issued.
    pub client_id: String,
    /// For which resource.
    pub resource: String,
    /// Whose API that is.
    pub plugin_id: Option<PluginId>,
    /// What the token was made for, as far as it is to be had today.
    pub scopes: Scopes,
    /// Whom the API knows.
    pub subject: String,
    /// Unique id of an access token.
    pub jti: Option<String>,
    /// `access_token` or `refresh_token`.
    pub token_use: &'static str,
    /// Issued at, in seconds since 1970.
    pub issued_at: i64,
    /// Worth nothing from then on.
    pub expires_at: i64,
    /// When the person signed in.
    pub auth_time: Option<i64>,
}

/// The answer (RFC 7662 §2.2). A token that is not active has no other member: nothing is told about it.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Answer {
    active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sub: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_use: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    jti: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    iat: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    exp: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth_time: Option<i64>,
}

impl Standing {
    /// Whether it is for the resource the caller named, in its canonical spelling, if it named one: an API that says
    /// which it is never takes a token for another one of its plugin.
    pub fn is_for(&self, named: Option<&str>) -> bool {
        let own = || self.resource.parse::<ResourceIdentifier>().ok();
        named.is_none_or(|named| own().is_some_and(|own| own.canonical() == named))
    }
}

/// Decides whether a caller is told about a token: its own, or, as the API the token is for, that API's access tokens.
/// Otherwise the token is unknown to it; why is for the owner.
pub fn check(caller: &Client, token: Standing, named: Option<&str>, now: Timestamp) -> Result<Standing, String> {
    if !may_ask(caller, &token) {
        return Err(format!(
            "{} asked about a token that is not for its API: only a service of the plugin that {} belongs to may.",
            caller.client_id, token.resource
        ));
    }
    if !token.is_for(named) {
        let named = named.unwrap_or_default();
        return Err(format!("The API says it is {named}, and the token is for {}.", token.resource));
    }
    if now.timestamp() >= token.expires_at {
        return Err("The token has expired.".to_owned());
    }
    Ok(token)
}

/// What is left of an access token's scopes, of those that are to be had today. No scope is the API as a whole: nothing is
/// left where none is left of some, nor of the whole where only some are to be had.
pub fn left_of(named: &Scopes, allowed: &Scopes) -> Option<Scopes> {
    let left = named.intersection(allowed);
    let is_whole = named.is_empty() && allowed.is_empty();
    (is_whole || !left.is_empty()).then_some(left)
}

/// What is answered about a token that stands.
pub fn answer(issuer: &str, token: Standing) -> Answer {
    let is_access = token.token_use == "access_token";
    Answer {
        active: true,
        iss: Some(issuer.to_owned()),
        sub: Some(token.subject),
        aud: Some(token.resource),
        client_id: Some(token.client_id),
        scope: Some(token.scopes.to_string()),
        token_type: is_access.then_some("Bearer"),
        token_use: Some(token.token_use),
        jti: token.jti,
        iat: Some(token.issued_at),
        exp: Some(token.expires_at),
        auth_time: token.auth_time,
    }
}

fn may_ask(caller: &Client, token: &Standing) -> bool {
    let own = token.client_id == caller.client_id;
    let as_the_api = caller.dialect == Dialect::Service
        && token.token_use == "access_token"
        && caller.plugin_id().is_some()
        && token.plugin_id == caller.plugin_id();
    own || as_the_api
}
