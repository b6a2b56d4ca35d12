//! Assets: the style sheet, compiled into the binary.

use actix_web::{HttpRequest, HttpResponse, http::{StatusCode, header}, web};

use super::failure;

/// Serves an asset. Pages ask for it under a version of its own, so it may be kept for ever.
pub async fn asset(request: HttpRequest, file: web::Path<String>) -> HttpResponse {
    let (content_type, body): (_, &'static [u8]) = match file.as_str() {
        "consentry.css" => ("text/css; charset=utf-8", include_bytes!("../../static/consentry.css")),
        _ => return failure::json(&request, StatusCode::NOT_FOUND, "not_found", "there is no such asset"),
    };
    HttpResponse::Ok()
        .insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .content_type(content_type)
        .body(body)
}
