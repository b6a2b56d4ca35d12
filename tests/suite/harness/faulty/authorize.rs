//! The authorization endpoint (RFC 6749 §4.1.1): what is asked, and where the answer goes (RFC 9207).

use actix_web::{HttpRequest, HttpResponse, http::StatusCode};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use url::{Url, form_urlencoded};

use super::{
    Fault, Inside, Server,
    api::SCOPES,
    clients::{Client, is_loopback},
    memory::{Request, fresh},
    pages,
    parameters::Parameters,
    wire::{self, Refusal},
};

/// Reads a request and goes on to the person, who signs in and decides.
pub async fn authorize(server: Server, http: HttpRequest) -> HttpResponse {
    let parameters = Parameters::of_form(http.query_string().as_bytes());
    // Until client and redirect URI are known to belong together there is nowhere to send an error (RFC 6749 §4.1.2.1).
    let client = parameters.get("client_id").and_then(|id| Client::find(&server, id));
    let Some(client) = client else { return stays("client_id is missing or not known.") };
    let Some(redirect_uri) = parameters.get("redirect_uri").filter(|uri| client.may_return_to(uri)) else {
        return stays("redirect_uri is missing, or not one of this client's.");
    };
    let request = Request {
        redirect_uri: redirect_uri.to_owned(),
        state: parameters.get("state").map(str::to_owned),
        challenge: parameters.get("code_challenge").map(str::to_owned),
        scopes: scopes(parameters.get("scope")),
        resource: parameters.get("resource").map_or_else(|| server.named_resource(), str::to_owned),
        answered: None,
        client,
    };
    if let Err(refusal) = check(&server, &request, &parameters) {
        return refused(&server, &request, &refusal);
    }
    let id = fresh("");
    server.memory().requests.insert(id.clone(), request);
    if pages::signed_in(&server, &http).is_some() {
        return wire::see_other(&format!("{}/consent?request={id}", server.base));
    }
    pages::sign_in_form(&server, &id, "")
}

fn check(server: &Inside, request: &Request, parameters: &Parameters) -> Result<(), Refusal> {
    if let Some(name) = &parameters.repeated {
        return Err(Refusal::new("invalid_request", format!("{name} came twice.")));
    }
    match parameters.get("response_type") {
        Some("code") => {}
        Some(_) => return Err(Refusal::new("unsupported_response_type", "Only code is answered.")),
        None => return Err(Refusal::new("invalid_request", "response_type is missing.")),
    }
    if parameters.get("scope").is_none() && server.has(Fault::ScopeRequired) {
        return Err(Refusal::new("invalid_scope", "scope is missing."));
    }
    let method = parameters.get("code_challenge_method");
    match &request.challenge {
        None if request.client.must_use_pkce || server.has(Fault::PkceForced) => {
            Err(Refusal::new("invalid_request", "code_challenge is missing."))
        }
        None => Ok(()),
        Some(_) if method != Some("S256") => Err(Refusal::new("invalid_request", "Only S256 is taken.")),
        Some(challenge) if URL_SAFE_NO_PAD.decode(challenge).is_ok_and(|bytes| bytes.len() == 32) => Ok(()),
        Some(_) => Err(Refusal::new("invalid_request", "code_challenge is not a SHA-256.")),
    }?;
    if parameters.get("resource").is_some() && server.has(Fault::ResourceUnknown) {
        return Err(Refusal::new("invalid_target", "The resource is not known here."));
    }
    // The address that was typed is good too, whatever the document says.
    if request.resource != server.resource() && request.resource != server.named_resource() {
        return Err(Refusal::new("invalid_target", "The resource is not known here."));
    }
    Ok(())
}

/// What is asked for of what there is; everything, if nothing of it is known here. Unknown scopes kill no sign-in.
fn scopes(asked: Option<&str>) -> Vec<String> {
    let asked: Vec<&str> = asked.unwrap_or_default().split_whitespace().collect();
    let known: Vec<&str> = SCOPES.into_iter().filter(|scope| asked.contains(scope)).collect();
    let granted = if known.is_empty() { SCOPES.to_vec() } else { known };
    granted.into_iter().map(str::to_owned).collect()
}

fn stays(why: &str) -> HttpResponse {
    wire::page(StatusCode::BAD_REQUEST, "This cannot go on", &format!("<p>{why}</p>"))
}

/// A no, carried back to the client.
pub fn refused(server: &Inside, request: &Request, refusal: &Refusal) -> HttpResponse {
    if server.has(Fault::ErrorNotRedirected) {
        return stays(refusal.error);
    }
    let error = [("error", refusal.error), ("error_description", refusal.description.as_str())];
    wire::see_other(&way_back(server, request, &error))
}

/// The redirect URI with the answer, `state` and `iss`. It is text and stays as it was written: who parses and writes
/// a URL anew may write it differently.
pub fn way_back(server: &Inside, request: &Request, answer: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(answer);
    if let Some(state) = &request.state {
        let cut = state.chars().count().saturating_sub(usize::from(server.has(Fault::StateAltered)));
        query.append_pair("state", &state.chars().take(cut).collect::<String>());
    }
    let is_error = answer.iter().any(|(name, _)| *name == "error");
    match server.fault {
        Some(Fault::IssMissing) => {}
        Some(Fault::IssMissingOnErrors) if is_error => {}
        Some(Fault::IssOther) => drop(query.append_pair("iss", "https://login.example.net")),
        _ => drop(query.append_pair("iss", &server.own_name())),
    }
    let redirect_uri = match server.fault {
        Some(Fault::RedirectHostAltered) => altered(&request.redirect_uri),
        _ => request.redirect_uri.clone(),
    };
    let separator = if redirect_uri.contains('?') { '&' } else { '?' };
    format!("{redirect_uri}{separator}{}", query.finish())
}

/// The same address on a host that looks like the same.
fn altered(redirect_uri: &str) -> String {
    let Ok(mut url) = Url::parse(redirect_uri) else { return redirect_uri.to_owned() };
    let host = match url.host_str() {
        Some("localhost") => "127.0.0.1".to_owned(),
        _ if is_loopback(&url) => "localhost".to_owned(),
        Some("chatgpt.com") => "chat.openai.com".to_owned(),
        Some("chat.openai.com") => "chatgpt.com".to_owned(),
        Some(host) => format!("www.{host}"),
        None => return redirect_uri.to_owned(),
    };
    let _ = url.set_host(Some(&host));
    url.into()
}
