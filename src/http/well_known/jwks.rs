//! `/.well-known/jwks.json` (RFC 7517 §5): the public halves of the signing keys.

use actix_web::{HttpResponse, http::header, web};
use serde::Serialize;

use crate::{keys::signing::Jwk, model::key::Purpose, server::Server};

#[derive(Serialize)]
struct JwkSet<'a> {
    keys: Vec<&'a Jwk>,
}

/// Serves the set, for as long as new keys are published before they are used.
pub async fn jwks(server: web::Data<Server>) -> HttpResponse {
    let (ring, is_fresh) = server.keyring.fresh(&server.store, server.clock.now()).await;
    let is_whole = ring.unreadable().iter().all(|row| row.purpose != Purpose::Sign);
    let kept = if is_fresh && is_whole {
        format!("public, max-age={}", server.settings.keys.jwks_max_age.num_seconds())
    } else {
        // The database does not answer here, and another node may have published a key meanwhile; or there is one that
        // does not open here.
        "no-cache".to_owned()
    };
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, kept)).json(JwkSet { keys: ring.jwks() })
}
