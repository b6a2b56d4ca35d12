//! The token endpoint (RFC 6749 §3.2), for forms and for JSON.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::Bytes,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use consentry::model::digest::Digest;

use super::{
    Fault, Inside, Server,
    clients::{self, Client},
    grants::{self, Tokens},
    memory,
    parameters::Parameters,
    refresh, wire,
    wire::Refusal,
};

/// Answers with tokens, or says why not.
pub async fn token(server: Server, http: HttpRequest, body: Bytes) -> HttpResponse {
    match answer(&server, &http, &body).await {
        Ok(tokens) => tokens.written(&server),
        Err(refusal) => refused(&server, &http, refusal),
    }
}

async fn answer(server: &Inside, http: &HttpRequest, body: &[u8]) -> Result<Tokens, Refusal> {
    let parameters = read(server, http, body)?;
    if let Some(name) = &parameters.repeated {
        return Err(Refusal::new("invalid_request", format!("{name} came twice.")));
    }
    let client = clients::authenticate(server, http.headers(), &parameters)?;
    match parameters.get("grant_type") {
        Some("authorization_code") => redeem(server, &client, &parameters),
        Some("refresh_token") => refresh::refresh(server, &client, &parameters).await,
        Some(_) => Err(Refusal::new("unsupported_grant_type", "Codes and refresh tokens are taken, nothing else.")),
        None => Err(Refusal::new("invalid_request", "grant_type is missing.")),
    }
}

fn read(server: &Inside, http: &HttpRequest, body: &[u8]) -> Result<Parameters, Refusal> {
    let kind = http.headers().get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let refused = |what: &str| Err(Refusal::new("invalid_request", what));
    match kind.split(';').next().unwrap_or_default().trim() {
        "application/x-www-form-urlencoded" if server.has(Fault::FormRefused) => refused("The body is not JSON."),
        "application/json" if server.has(Fault::JsonRefused) => refused("The body is not a form."),
        "application/x-www-form-urlencoded" => Ok(Parameters::of_form(body)),
        "application/json" => Parameters::of_json(body)
            .ok_or_else(|| Refusal::new("invalid_request", "The body is not a JSON object of texts.")),
        _ => refused("The body is neither a form nor JSON."),
    }
}

fn redeem(server: &Inside, client: &Client, parameters: &Parameters) -> Result<Tokens, Refusal> {
    let refused = |why: &str| Err(Refusal::new("invalid_grant", why));
    let mut memory = server.memory();
    let presented = parameters.get("code").unwrap_or_default();
    let Some(code) = memory.codes.get_mut(presented) else { return refused("The code is not known.") };
    if code.request.client.id != client.id {
        return refused("The code is another client's.");
    }
    if let Some(family) = code.family.clone().filter(|_| !server.has(Fault::CodeReusable)) {
        // Whoever was first may have been a thief (RFC 6749 §4.1.2).
        memory.end(&family);
        return refused("The code was used before.");
    }
    if code.expires_at < server.now() {
        return refused("The code has expired.");
    }
    let is_same = parameters.get("redirect_uri") == Some(&code.request.redirect_uri);
    if !is_same && !server.has(Fault::RedirectUriIgnored) {
        return refused("redirect_uri is not the one the code was sent to.");
    }
    let proof = parameters.get("code_verifier").map(|verifier| URL_SAFE_NO_PAD.encode(Digest::of(verifier).0));
    let is_forgiven = server.has(Fault::VerifierIgnored) || (server.has(Fault::VerifierOptional) && proof.is_none());
    if proof != code.request.challenge && !is_forgiven {
        return refused("code_verifier does not match the challenge.");
    }
    if parameters.get("resource").is_some_and(|resource| resource != code.grant.resource) {
        return Err(Refusal::new("invalid_target", "The resource is not the one the code was asked for."));
    }
    let (family, grant) = (memory::fresh(""), code.grant.clone());
    code.family = Some(family.clone());
    drop(memory);
    Ok(grants::begin(server, family, &grant))
}

fn refused(server: &Inside, http: &HttpRequest, refusal: Refusal) -> HttpResponse {
    if server.has(Fault::TokenErrorIsHtml) {
        return wire::page(refusal.status, "Something went wrong", "<p>Please try again later.</p>");
    }
    let is_ok = server.has(Fault::TokenErrorIs200);
    let refusal = if is_ok { Refusal { status: StatusCode::OK, ..refusal } } else { refusal };
    let mut response = refusal.written();
    if refusal.status == StatusCode::UNAUTHORIZED && http.headers().contains_key(header::AUTHORIZATION) {
        let challenge = header::HeaderValue::from_static("Basic realm=\"token\"");
        response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    }
    response
}
