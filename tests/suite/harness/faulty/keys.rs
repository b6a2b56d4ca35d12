//! The signing key, published and used, and the tokens that are signed with it (RFC 9068).

use actix_web::HttpResponse;
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{
    Fault, Inside, Server,
    discovery::public,
    memory::{Grant, fresh},
};
use crate::harness::signer::Signer;

/// How long an access token is good.
pub const LIFETIME: TimeDelta = TimeDelta::hours(1);

const KID: &str = "k1";

/// The keys that are published, and the one that signs: the same, if nothing is wrong.
pub struct Keys {
    published: Vec<Signer>,
    signing: Signer,
}

impl Keys {
    pub fn new(fault: Option<Fault>) -> Self {
        let signing = Signer::es256(KID);
        let published = match fault {
            Some(Fault::SignedByAnotherKey) => vec![Signer::es256(KID)],
            Some(Fault::SigningKeyRetired) => vec![Signer::es256("k2")],
            Some(Fault::KidMissing) => vec![Signer::es256("k2"), signing.clone()],
            _ => vec![signing.clone()],
        };
        Self { published, signing }
    }
}

/// The key set.
pub async fn jwks(server: Server) -> HttpResponse {
    if server.has(Fault::KeysGone) {
        return HttpResponse::NotFound().finish();
    }
    let keys: Vec<Value> = server.keys.published.iter().map(|key| key.key_set()["keys"][0].clone()).collect();
    public("application/json", &json!({ "keys": keys }))
}

/// A new access token.
pub fn sign(server: &Inside, grant: &Grant) -> String {
    let now = server.now();
    let expired = server.has(Fault::TokenExpired);
    let expires_at = if expired { now - TimeDelta::minutes(10) } else { now + LIFETIME };
    let elsewhere = server.has(Fault::WrongAudience).then(|| "https://api.example.net".to_owned());
    let claims = json!({
        "iss": if server.has(Fault::TokenIssuerOther) { "http://auth.internal:8080".into() } else { server.own_name() },
        "sub": grant.subject,
        "aud": elsewhere.unwrap_or_else(|| grant.resource.clone()),
        "client_id": grant.client_id,
        "scope": grant.scopes.join(" "),
        "iat": now.timestamp(),
        "exp": expires_at.timestamp(),
        "jti": fresh(""),
    });
    let mut header = json!({ "typ": "at+jwt" });
    if server.has(Fault::KidMissing) {
        header["kid"] = Value::Null;
    }
    server.keys.signing.sign_with(&header, &claims)
}
