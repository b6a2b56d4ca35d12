//! Tokens as they are handed out (RFC 6749 §5.1), and the connection they belong to.

use actix_web::{HttpResponse, http::header};
use serde_json::json;

use super::{
    Fault, Inside, keys,
    memory::{AccessToken, Family, Grant, Memory, RefreshToken, fresh},
};

/// What a token request is answered with.
pub struct Tokens {
    access_token: String,
    refresh_token: String,
    scopes: Vec<String>,
}

impl Tokens {
    /// As JSON, which nobody may keep.
    pub fn written(self, server: &Inside) -> HttpResponse {
        let mut answer = json!({
            "access_token": self.access_token,
            "token_type": "Bearer",
            "expires_in": keys::LIFETIME.num_seconds() * if server.has(Fault::ExpiresInTooLong) { 24 } else { 1 },
            "refresh_token": self.refresh_token,
            "scope": self.scopes.join(" "),
        });
        let left_out = match server.fault {
            Some(Fault::NoRefreshToken) => "refresh_token",
            Some(Fault::NoExpiresIn) => "expires_in",
            Some(Fault::TokenTypeMissing) => "token_type",
            _ => "",
        };
        answer.as_object_mut().expect("an object").remove(left_out);
        let mut response = HttpResponse::Ok();
        if !server.has(Fault::TokenCacheable) {
            response.insert_header((header::CACHE_CONTROL, "no-store"));
        }
        response.json(answer)
    }
}

impl Memory {
    /// Ends a connection, with everything that came of it.
    pub fn end(&mut self, family: &str) {
        if let Some(family) = self.families.get_mut(family) {
            family.is_alive = false;
        }
        self.access_tokens.retain(|_, token| token.family != family);
    }
}

/// The first tokens of a connection.
pub fn begin(server: &Inside, family: String, grant: &Grant) -> Tokens {
    server.memory().families.insert(family.clone(), Family { grant: grant.clone(), is_alive: true });
    let refresh_token = new_refresh_token(&mut server.memory(), &family);
    tokens(server, family, grant, refresh_token)
}

/// A refresh token of a connection.
pub fn new_refresh_token(memory: &mut Memory, family: &str) -> String {
    let text = fresh("refresh-");
    let token = RefreshToken { family: family.to_owned(), successor: None, in_hand: None };
    memory.refresh_tokens.insert(text.clone(), token);
    text
}

/// A new access token beside this refresh token.
pub fn tokens(server: &Inside, family: String, grant: &Grant, refresh_token: String) -> Tokens {
    let access_token = keys::sign(server, grant);
    let scopes = grant.scopes.clone();
    let kept = AccessToken { scopes: scopes.clone(), expires_at: server.now() + keys::LIFETIME, family };
    server.memory().access_tokens.insert(access_token.clone(), kept);
    Tokens { access_token, refresh_token, scopes }
}
