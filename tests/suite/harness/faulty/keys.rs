//! The signing key, published and used, and the tokens that are signed with it (RFC 9068).

use actix_web::HttpResponse;
use chrono::TimeDelta;
use serde_json::json;

use super::{
    Fault, Inside, Server,
    discovery::public,
    memory::{Grant, fresh},
};
use crate::harness::signer::Signer;

/// How long an access token is good.
pub const LIFETIME: TimeDelta = TimeDelta::hours(1);

const KID: &str = "k1";

/// The key that is published, and the one that signs: the same, if nothing is wrong.
pub struct Keys {
    published: Signer,
    signing: Signer,
}

impl Keys {
    pub fn new(fault: Option<Fault>) -> Self {
        let published = Signer::es256(KID);
        let another = (fault == Some(Fault::SignedByAnotherKey)).then(|| Signer::es256(KID));
        Self { signing: another.unwrap_or_else(|| published.clone()), published }
    }
}

/// The key set.
pub async fn jwks(server: Server) -> HttpResponse {
    if server.has(Fault::KeysGone) {
        return HttpResponse::NotFound().finish();
    }
    public("application/json", &server.keys.published.key_set())
}

/// A new access token.
pub fn sign(server: &Inside, grant: &Grant) -> String {
    let now = server.now();
    let expired = server.has(Fault::TokenExpired);
    let expires_at = if expired { now - TimeDelta::minutes(10) } else { now + LIFETIME };
    let elsewhere = server.has(Fault::WrongAudience).then(|| "https://api.example.net".to_owned());
    let claims = json!({
        "iss": server.own_name(),
        "sub": grant.subject,
        "aud": elsewhere.unwrap_or_else(|| grant.resource.clone()),
        "client_id": grant.client_id,
        "scope": grant.scopes.join(" "),
        "iat": now.timestamp(),
        "exp": expires_at.timestamp(),
        "jti": fresh(""),
    });
    server.keys.signing.sign_with(&json!({ "typ": "at+jwt" }), &claims)
}
