//! What is not there: addresses outside the route table, and methods an address does not have. Told in the form the
//! caller reads.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
};

use super::failure::{error_page, json};
use crate::server::Server;

/// Anything that is not in the route table, or not on this host.
pub fn not_found(server: &Server, request: &HttpRequest) -> HttpResponse {
    if wants_html(request) {
        return error_page(server, request, StatusCode::NOT_FOUND, "error-not-found".into());
    }
    json(request, StatusCode::NOT_FOUND, "not_found", "there is nothing at this address on this host")
}

/// An address asked with a method it does not have; which it has is said in `Allow` (RFC 9110 §15.5.6).
pub fn method_not_allowed(server: &Server, request: &HttpRequest, methods: &'static str) -> HttpResponse {
    if !wants_html(request) {
        return machine_method_not_allowed(request, methods);
    }
    let mut answer = error_page(server, request, StatusCode::METHOD_NOT_ALLOWED, "error-method".into());
    answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static(methods));
    answer
}

/// The same for machine endpoints: never HTML.
pub fn machine_method_not_allowed(request: &HttpRequest, methods: &'static str) -> HttpResponse {
    let description = "this endpoint does not have that method";
    let mut answer = json(request, StatusCode::METHOD_NOT_ALLOWED, "invalid_request", description);
    answer.headers_mut().insert(header::ALLOW, HeaderValue::from_static(methods));
    answer
}

fn wants_html(request: &HttpRequest) -> bool {
    let accept = request.headers().get(header::ACCEPT).map(HeaderValue::as_bytes).unwrap_or_default();
    accept.windows(9).any(|window| window == b"text/html")
}
