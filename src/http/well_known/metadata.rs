//! `/.well-known/oauth-authorization-server` (RFC 8414), in every form clients try.
//!
//! For the issuer `https://h/auth` the RFC puts the document where `/.well-known/…` is inserted before the path (§3.1);
//! many clients append it to the issuer instead, or ask at the root whatever the path. All get the same bytes.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web,
};

use crate::{http::failure, protocol::metadata, server::Server};

/// Where the document stands, before any path.
pub const PLACE: &str = "/.well-known/oauth-authorization-server";

/// Serves the document at the root, and appended to the issuer.
pub async fn metadata(server: web::Data<Server>) -> HttpResponse {
    document(&server)
}

/// Serves it before the path of the issuer; before any other there is none.
pub async fn inserted(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    // The path as it was sent: one that was percent-encoded is another spelling, and issuers have only one.
    let path = request.path().strip_prefix(PLACE).unwrap_or_default();
    if names_this_server(&server, path) {
        return document(&server);
    }
    let description = "no authorization server has this path in its issuer";
    failure::json(&request, StatusCode::NOT_FOUND, "not_found", description)
}

/// Whether whoever asks before this path, which begins with a slash, may be told about this server: the issuer's own
/// path does. This is the place to let the paths of protected resources in.
fn names_this_server(server: &Server, path: &str) -> bool {
    path == server.settings.base
}

fn document(server: &Server) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, super::CACHE_CONTROL))
        .json(metadata::describe(&server.settings.issuer, &server.settings.mechanisms))
}
