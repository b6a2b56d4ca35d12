//! The classic plugin: its manifest, the description of its API, its logo, and the proof of its domain.

use actix_web::{
    HttpResponse,
    http::{StatusCode, header},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::json;

use super::{Fault, Server, discovery::public, wire};

/// What the assistant's maker gave the owner to publish.
const VERIFICATION_TOKEN: &str = "8c1f5e07d2a94b6390d7be41f2c6a85e";

/// What the makers' own sample has in its place.
const SAMPLE_TOKEN: &str = "REPLACE_ME";

/// `/.well-known/ai-plugin.json`. Its `client_url` is the authorization endpoint, its `authorization_url` the token
/// endpoint.
pub async fn manifest(server: Server) -> HttpResponse {
    let long = "Keeps your list. ".repeat(10);
    let token = if server.has(Fault::ManifestPlaceholderToken) { SAMPLE_TOKEN } else { VERIFICATION_TOKEN };
    let elsewhere = "https://legal.example.net/terms".to_owned();
    let at_home = format!("{}/legal", server.origin);
    public(
        "application/json",
        &json!({
            "schema_version": "v1",
            "name_for_human": "To-do",
            "name_for_model": "todo",
            "description_for_human": if server.has(Fault::ManifestTooLong) { long.trim() } else { "Keeps your list." },
            "description_for_model": "Reads and extends the person's to-do list.",
            "auth": {
                "type": "oauth",
                "client_url": server.at("/authorize"),
                "scope": "",
                "authorization_url": server.at("/token"),
                "authorization_content_type": "application/json",
                "verification_tokens": {
                    "openai": token,
                },
            },
            "api": { "type": "openapi", "url": format!("{}/openapi.json", server.origin) },
            "logo_url": format!("{}/logo.png", server.origin),
            "contact_email": "owner@example.com",
            "legal_info_url": if server.has(Fault::ManifestForeignDomain) { elsewhere } else { at_home },
        }),
    )
}

/// What the API can do.
pub async fn openapi(server: Server) -> HttpResponse {
    if server.has(Fault::DescriptionGone) {
        return HttpResponse::NotFound().finish();
    }
    let operation = |id: &str, summary: &str, status: &str| {
        let responses = json!({ status: { "description": "Done." } });
        json!({ "operationId": id, "summary": summary, "responses": responses })
    };
    public(
        "application/json",
        &json!({
            "openapi": "3.1.0",
            "info": { "title": "To-do", "version": "1" },
            "servers": [{ "url": server.origin }],
            "paths": { "/api/items": {
                "get": operation("list_items", "The person's list.", "200"),
                "post": operation("add_item", "Adds an item.", "201"),
            } },
        }),
    )
}

/// The logo: one white pixel, as a PNG.
pub async fn logo() -> HttpResponse {
    let pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR42mP4DwABAQEAHLCMmQAAAABJRU5ErkJggg==";
    let pixel = STANDARD.decode(pixel).expect("base64");
    HttpResponse::Ok().insert_header((header::CONTENT_TYPE, "image/png")).body(pixel)
}

/// `/.well-known/openai-apps-challenge`: the token alone, as plain text.
pub async fn domain_proof(server: Server) -> HttpResponse {
    if server.has(Fault::ChallengeFileIsPage) {
        return wire::page(StatusCode::OK, "To-do", "<p>Welcome.</p>");
    }
    HttpResponse::Ok().insert_header((header::CONTENT_TYPE, "text/plain; charset=utf-8")).body(VERIFICATION_TOKEN)
}
