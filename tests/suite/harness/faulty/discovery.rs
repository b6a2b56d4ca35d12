//! The documents clients begin with: authorization server metadata (RFC 8414) and protected resource metadata
//! (RFC 9728).

use actix_web::{HttpResponse, http::header};
use serde_json::{Value, json};

use super::{Fault, Inside, Server, api::SCOPES};

const WELL_KNOWN: &str = "/.well-known/oauth-authorization-server";
const OPENID: &str = "/.well-known/openid-configuration";

/// Where the metadata stands. A server that does not speak OpenID has nothing at the OpenID places.
pub fn places_of_metadata(server: &Inside) -> Vec<String> {
    let (inserted, appended) = (format!("{WELL_KNOWN}{}", server.base), format!("{}{WELL_KNOWN}", server.base));
    let mut places = match server.fault {
        Some(Fault::NoMetadata) => Vec::new(),
        // At the root of the host, as if there were no path; and appended, as OpenID would have it.
        Some(Fault::NotAtInsertedPath) => vec![WELL_KNOWN.to_owned(), appended],
        Some(Fault::HalfOpenId) => vec![inserted, appended, OPENID.to_owned()],
        _ => vec![inserted, appended],
    };
    places.dedup();
    places
}

/// The authorization server's metadata, or the way there.
pub async fn metadata(server: Server) -> HttpResponse {
    if server.has(Fault::MetadataRedirects) {
        return HttpResponse::Found().insert_header((header::LOCATION, "/moved/metadata.json")).finish();
    }
    let kind = if server.has(Fault::MetadataAsHtml) { "text/html; charset=utf-8" } else { "application/json" };
    if server.has(Fault::MetadataWithoutCache) {
        return HttpResponse::Ok().insert_header((header::CONTENT_TYPE, kind)).body(describe(&server).to_string());
    }
    public(kind, &describe(&server))
}

/// Where the metadata stands when it has been moved.
pub async fn moved_metadata(server: Server) -> HttpResponse {
    if server.has(Fault::MetadataRedirects) {
        return public("application/json", &describe(&server));
    }
    HttpResponse::NotFound().finish()
}

fn describe(server: &Inside) -> Value {
    let mut metadata = json!({
        "issuer": server.own_name(),
        "authorization_endpoint": server.at("/authorize"),
        "token_endpoint": server.at("/token"),
        "registration_endpoint": server.at("/register"),
        "jwks_uri": server.at("/jwks.json"),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none", "client_secret_post", "client_secret_basic"],
        "scopes_supported": SCOPES,
        "authorization_response_iss_parameter_supported": true,
        "client_id_metadata_document_supported": true,
    });
    let members = metadata.as_object_mut().expect("an object");
    match server.fault {
        Some(Fault::NoS256) => drop(members.remove("code_challenge_methods_supported")),
        Some(Fault::NoTokenEndpoint) => drop(members.remove("token_endpoint")),
        Some(Fault::NoResponseTypes) => drop(members.remove("response_types_supported")),
        Some(Fault::NoNone) => {
            metadata["token_endpoint_auth_methods_supported"] = json!(["client_secret_post", "client_secret_basic"]);
        }
        Some(Fault::HalfOpenId) => {
            metadata["scopes_supported"] = json!([&SCOPES[..], &["openid", "email"]].concat());
            metadata["subject_types_supported"] = json!(["public"]);
            metadata["id_token_signing_alg_values_supported"] = json!(["ES256"]);
        }
        _ => {}
    }
    metadata
}

/// The resource's metadata, at the root of the host and under its path.
pub async fn resource_metadata(server: Server) -> HttpResponse {
    if server.has(Fault::NoResourceMetadata) {
        return HttpResponse::NotFound().finish();
    }
    let document = json!({
        "resource": server.named_resource(),
        "authorization_servers": [server.issuer()],
        "scopes_supported": SCOPES,
        "bearer_methods_supported": ["header"],
        "resource_name": "To-do",
    });
    public("application/json", &document)
}

/// A document for everybody, which may be kept for a while.
pub fn public(content_type: &str, document: &Value) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, content_type))
        .insert_header((header::CACHE_CONTROL, "public, max-age=300"))
        .body(document.to_string())
}
