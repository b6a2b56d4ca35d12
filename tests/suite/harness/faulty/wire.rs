//! What all answers share: the bot filter, the clock, what pages elsewhere may read; and how an endpoint says no.

use std::time::SystemTime;

use actix_web::{
    Error, HttpResponse,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method, StatusCode,
        header::{self, HeaderName, HeaderValue},
    },
    middleware::Next,
};
use serde_json::json;

use super::{Fault, Server};

/// Words by which a filter knows a program.
const PROGRAMS: [&str; 8] = ["openai", "chatgpt", "claude", "python", "aiohttp", "node", "curl", "bot"];

/// Where people are, and no page elsewhere has any business (RFC 9700 §2.6).
const FOR_PEOPLE: [&str; 3] = ["/authorize", "/sign-in", "/consent"];

const CROSS_ORIGIN: [(HeaderName, &str); 4] = [
    (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
    (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, OPTIONS"),
    (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type, mcp-protocol-version"),
    (header::ACCESS_CONTROL_EXPOSE_HEADERS, "www-authenticate"),
];

/// Lays over every answer what does not depend on the endpoint.
pub async fn dress(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let server = request.app_data::<Server>().expect("every request knows its server").clone();
    let is_for_people = FOR_PEOPLE.iter().any(|path| request.path().ends_with(path));
    let is_open = !is_for_people && !server.has(Fault::NoCors);
    let mut response = if is_filtered(&server, &request) {
        let page = page(StatusCode::FORBIDDEN, "Attention required", "<p>Please prove that you are human.</p>");
        request.into_response(page).map_into_right_body()
    } else if is_open && *request.method() == Method::OPTIONS {
        request.into_response(HttpResponse::NoContent().finish()).map_into_right_body()
    } else {
        next.call(request).await?.map_into_left_body()
    };
    let headers = response.headers_mut();
    if is_open {
        for (name, value) in CROSS_ORIGIN {
            headers.insert(name, HeaderValue::from_static(value));
        }
    }
    if server.has(Fault::ClockWrong) {
        let its_own = header::HttpDate::from(SystemTime::from(server.now())).to_string();
        headers.insert(header::DATE, HeaderValue::from_str(&its_own).expect("a date is a header's value"));
    }
    Ok(response)
}

fn is_filtered(server: &Server, request: &ServiceRequest) -> bool {
    match server.fault {
        Some(Fault::RefusedByUserAgent) => is_program(request),
        Some(Fault::ApiRefusedByUserAgent) => request.path() == "/mcp" && is_program(request),
        Some(Fault::RefusedWithoutUserAgent) => {
            request.headers().get(header::USER_AGENT).is_none_or(HeaderValue::is_empty)
        }
        _ => false,
    }
}

fn is_program(request: &ServiceRequest) -> bool {
    let agent = request.headers().get(header::USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or_default();
    let agent = agent.to_lowercase();
    PROGRAMS.iter().any(|word| agent.contains(word))
}

/// A page. What is put into it must be escaped already.
pub fn page(status: StatusCode, title: &str, body: &str) -> HttpResponse {
    HttpResponse::build(status)
        .insert_header((header::CONTENT_TYPE, "text/html; charset=utf-8"))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"))
        .body(format!(
            "<!doctype html>\n<html lang=\"en\"><head><title>{title}</title></head>\n\
             <body><h1>{title}</h1>\n{body}</body></html>\n"
        ))
}

/// Sends a browser on; 303, so that what was posted is not posted again (RFC 9700 §4.12).
pub fn see_other(location: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, location))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .finish()
}

/// A no, in the words of RFC 6749.
#[derive(Debug)]
pub struct Refusal {
    pub status: StatusCode,
    pub error: &'static str,
    pub description: String,
}

impl Refusal {
    /// A no with 400.
    pub fn new(error: &'static str, description: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, error, description: description.into() }
    }

    /// As JSON, which nobody keeps.
    pub fn written(&self) -> HttpResponse {
        HttpResponse::build(self.status)
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .json(json!({ "error": self.error, "error_description": self.description }))
    }
}
