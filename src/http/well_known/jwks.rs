//! `/.well-known/jwks.json` (RFC 7517 §5): the public halves of the signing keys.

use actix_web::{HttpResponse, http::header, web};
use serde::Serialize;

use crate::{keys::signing::Jwk, server::Server};

#[derive(Serialize)]
struct JwkSet<'a> {
    keys: Vec<&'a Jwk>,
}

/// Serves the set.
pub async fn jwks(server: web::Data<Server>) -> HttpResponse {
    let ring = server.keyring.current();
    HttpResponse::Ok().insert_header((header::CACHE_CONTROL, super::CACHE_CONTROL)).json(JwkSet { keys: ring.jwks() })
}
