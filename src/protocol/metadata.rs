//! Authorization server metadata (RFC 8414): what this server can do, true to the letter.

use serde::Serialize;

/// The document at `/.well-known/oauth-authorization-server`.
#[derive(Clone, Debug, Serialize)]
pub struct Metadata {
    issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    revocation_endpoint: String,
    introspection_endpoint: String,
    jwks_uri: String,
    response_types_supported: [&'static str; 1],
    response_modes_supported: [&'static str; 1],
    grant_types_supported: [&'static str; 3],
    code_challenge_methods_supported: [&'static str; 1],
    token_endpoint_auth_methods_supported: [&'static str; 3],
    revocation_endpoint_auth_methods_supported: [&'static str; 3],
    introspection_endpoint_auth_methods_supported: [&'static str; 2],
    authorization_response_iss_parameter_supported: bool,
}

/// Describes the server whose issuer identifier this is; the issuer is the public origin, without trailing slash.
pub fn describe(issuer: &str) -> Metadata {
    let at = |path: &str| format!("{issuer}{path}");
    let methods = ["client_secret_post", "client_secret_basic", "none"];
    Metadata {
        issuer: issuer.to_owned(),
        authorization_endpoint: at("/authorize"),
        token_endpoint: at("/token"),
        revocation_endpoint: at("/revoke"),
        introspection_endpoint: at("/introspect"),
        jwks_uri: at("/.well-known/jwks.json"),
        response_types_supported: ["code"],
        response_modes_supported: ["query"],
        grant_types_supported: ["authorization_code", "refresh_token", "client_credentials"],
        code_challenge_methods_supported: ["S256"],
        token_endpoint_auth_methods_supported: methods,
        revocation_endpoint_auth_methods_supported: methods,
        introspection_endpoint_auth_methods_supported: ["client_secret_post", "client_secret_basic"],
        authorization_response_iss_parameter_supported: true,
    }
}
