//! `/.well-known/oauth-authorization-server` (RFC 8414), in every form clients try.
//!
//! For the issuer `https://h/auth` the RFC puts the document where `/.well-known/…` is inserted before the path (§3.1);
//! many clients append it to the issuer instead, or ask at the root whatever the path. All get the same bytes.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web,
};

use super::protected_resource;
use crate::{
    http::{
        failure::{self, MachineError},
        oauth::caller::answer,
        trail,
    },
    model::{counts::Refusal, flow::Step},
    protocol::metadata,
    server::Server,
};

/// Where the document stands, before any path.
pub const PLACE: &str = "/.well-known/oauth-authorization-server";

/// Serves the document at the root, and appended to the issuer.
pub async fn metadata(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    trail::at(&request, Step::Discovery);
    document(&server, &request)
}

/// Serves it before the path of the issuer, and before that of a resource registered on the host; before any other
/// there is none.
pub async fn inserted(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    trail::at(&request, Step::Discovery);
    answer(&request, serve_inserted(&server, &request).await)
}

async fn serve_inserted(server: &Server, request: &HttpRequest) -> Result<HttpResponse, MachineError> {
    // The path as it was sent: one that was percent-encoded is another spelling, and issuers have only one. Clients
    // that wrote the issuer with a slash at its end ask with one too; RFC 8414 §3.1 has them take it off first.
    let path = request.path().strip_prefix(PLACE).unwrap_or_default();
    let issuers = path.strip_suffix('/').unwrap_or(path);
    // Clients from before RFC 9728 take the resource for its own authorization server (MCP 2025-03-26) and ask here.
    if issuers == server.settings.base || protected_resource::named(server, request, path).await?.is_some() {
        return Ok(document(server, request));
    }
    let says = format!("The server's metadata was looked for at {}, where it is not.", request.path());
    trail::refused(request, Refusal::Other, says);
    let description = "no authorization server has this path in its issuer, and no resource is registered there";
    Ok(failure::json(request, StatusCode::NOT_FOUND, "not_found", description))
}

fn document(server: &Server, request: &HttpRequest) -> HttpResponse {
    trail::done(request, Step::Discovery, format!("The server's metadata was read at {}.", request.path()));
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, super::CACHE_CONTROL))
        .json(metadata::describe(&server.settings.issuer, &server.settings.mechanisms))
}
