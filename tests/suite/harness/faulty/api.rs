//! The API, as an MCP server and as a classic plugin's: it takes bearer tokens and says no with a challenge (RFC 6750
//! §3, RFC 9728 §5.1).
//!
//! It asks the server's memory whether a token is good, not the token's own words: so what is wrong with those is one
//! fault and not two.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::Bytes,
};
use serde_json::{Value, json};

use super::{Fault, Inside, Server};

/// All there is to allow.
pub const SCOPES: [&str; 2] = ["items.read", "items.write"];

/// The MCP server: knows how to begin, and one list of tools.
pub async fn mcp(server: Server, http: HttpRequest, body: Bytes) -> HttpResponse {
    if let Some(no) = refusal(&server, &http, &SCOPES[..1]) {
        return no;
    }
    let call: Value = serde_json::from_slice(&body).unwrap_or_default();
    let id = call["id"].clone();
    let result = match call["method"].as_str() {
        Some("initialize") => json!({
            "protocolVersion": call["params"]["protocolVersion"].as_str().unwrap_or("2026-07-28"),
            "capabilities": { "tools": {} },
            "serverInfo": { "name": "To-do", "version": "1" },
        }),
        Some("tools/list") => json!({ "tools": [] }),
        Some(method) if method.starts_with("notifications/") => return HttpResponse::Accepted().finish(),
        _ => {
            let error = json!({ "code": -32601, "message": "Method not found" });
            return HttpResponse::Ok().json(json!({ "jsonrpc": "2.0", "id": id, "error": error }));
        }
    };
    HttpResponse::Ok().json(json!({ "jsonrpc": "2.0", "id": id, "result": result }))
}

/// Reads the list.
pub async fn list(server: Server, http: HttpRequest) -> HttpResponse {
    refusal(&server, &http, &SCOPES[..1]).unwrap_or_else(|| HttpResponse::Ok().json(json!({ "items": ["Buy milk"] })))
}

/// Adds to the list, which needs both scopes.
pub async fn add(server: Server, http: HttpRequest) -> HttpResponse {
    refusal(&server, &http, &SCOPES).unwrap_or_else(|| HttpResponse::Created().json(json!({ "added": true })))
}

/// Why a call is not let in.
fn refusal(server: &Inside, http: &HttpRequest, needed: &[&str]) -> Option<HttpResponse> {
    let no = |status, error: &str| Some(challenged(server, status, error, needed));
    let header = http.headers().get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let bearer = header.and_then(|value| value.split_once(' ')).filter(|(kind, _)| kind.eq_ignore_ascii_case("bearer"));
    let Some((_, token)) = bearer else { return no(StatusCode::UNAUTHORIZED, "") };
    if server.has(Fault::ApiTakesAnyToken) {
        return None;
    }
    let memory = server.memory();
    let good = memory.access_tokens.get(token).filter(|token| token.expires_at > server.now());
    match good {
        Some(good) if !server.has(Fault::ApiRefusesToken) => {
            let suffices = needed.iter().all(|scope| good.scopes.iter().any(|granted| granted == scope));
            if suffices { None } else { no(StatusCode::FORBIDDEN, "insufficient_scope") }
        }
        _ => no(StatusCode::UNAUTHORIZED, "invalid_token"),
    }
}

/// Without a token there is no error to name (RFC 6750 §3.1).
fn challenged(server: &Inside, status: StatusCode, error: &str, needed: &[&str]) -> HttpResponse {
    let mut response = HttpResponse::build(status);
    if !server.has(Fault::NoChallenge) {
        let named = match error {
            "" => String::new(),
            _ => format!("error=\"{error}\", error_description=\"The token does not do for this.\", "),
        };
        let place = if server.has(Fault::ChallengeLeadsNowhere) { "/nowhere" } else { "/mcp" };
        let document = format!("{}/.well-known/oauth-protected-resource{place}", server.origin);
        let scope = needed.join(" ");
        let challenge = format!("Bearer {named}resource_metadata=\"{document}\", scope=\"{scope}\"");
        response.insert_header((header::WWW_AUTHENTICATE, challenge));
    }
    response.json(json!({ "error": if error.is_empty() { "unauthorized" } else { error } }))
}
