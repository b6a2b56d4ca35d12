//! `/.well-known/oauth-authorization-server` (RFC 8414).

use actix_web::{HttpResponse, http::header, web};

use crate::{protocol::metadata, server::Server};

/// Serves the document.
pub async fn metadata(server: web::Data<Server>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, super::CACHE_CONTROL))
        .json(metadata::describe(&server.settings.issuer))
}
