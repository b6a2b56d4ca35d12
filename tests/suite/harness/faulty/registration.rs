//! Dynamic client registration (RFC 7591), open to everybody.

use actix_web::{HttpResponse, http::header, web::Bytes};
use chrono::TimeDelta;
use serde_json::{Map, Value, json};
use url::Url;

use super::{
    Fault, Inside, Server,
    api::SCOPES,
    clients::{Callbacks, Client, Proof, is_loopback},
    memory::fresh,
    wire::Refusal,
};

/// What it reads; the rest it passes over, as RFC 7591 §2 says.
const KNOWN: [&str; 6] =
    ["client_name", "redirect_uris", "grant_types", "response_types", "token_endpoint_auth_method", "scope"];

/// Takes a client in.
pub async fn register(server: Server, body: Bytes) -> HttpResponse {
    match registered(&server, &body) {
        Ok(answer) => HttpResponse::Created().insert_header((header::CACHE_CONTROL, "no-store")).json(answer),
        Err(refusal) => refusal.written(),
    }
}

fn registered(server: &Inside, body: &[u8]) -> Result<Value, Refusal> {
    let refused = |description: String| Refusal::new("invalid_client_metadata", description);
    let members: Map<String, Value> =
        serde_json::from_slice(body).map_err(|_| refused("The body is not a JSON object.".into()))?;
    let unknown = members.keys().find(|name| !KNOWN.contains(&name.as_str()));
    if let Some(name) = unknown.filter(|_| server.has(Fault::RegistrationRefusesUnknown)) {
        return Err(refused(format!("{name} is not known here.")));
    }
    let mut callbacks = redirect_uris(members.get("redirect_uris"))?;
    if server.has(Fault::RegistrationDropsCallbacks) {
        callbacks.truncate(1);
    }
    let of_one_vendor = |uri: &String| uri.starts_with("https://claude.ai/");
    if server.has(Fault::RegistrationKnowsOneVendor) && !callbacks.iter().all(of_one_vendor) {
        return Err(Refusal::new("invalid_redirect_uri", "This callback is not on the list."));
    }
    let id = fresh("client-");
    let method = members.get("token_endpoint_auth_method").map_or(Some("client_secret_basic"), Value::as_str);
    // RFC 7591 §3.2.1 lets a server choose another method than was asked for.
    let expires = server.has(Fault::ClientExpires);
    let method = if expires { Some("client_secret_post") } else { method };
    let secret = fresh("secret-");
    let proof = match method {
        Some("none") => Proof::Nothing,
        Some("client_secret_post") => Proof::SecretInBody(secret.clone()),
        Some("client_secret_basic") => Proof::SecretInHeader(secret.clone()),
        _ => return Err(refused("token_endpoint_auth_method is not supported.".into())),
    };
    let name = members.get("client_name").and_then(Value::as_str).unwrap_or(&id).to_owned();
    let mut answer = json!({
        "client_id": id,
        "client_id_issued_at": server.now().timestamp(),
        "client_name": name,
        "redirect_uris": callbacks,
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": method,
        "scope": SCOPES.join(" "),
    });
    if !matches!(proof, Proof::Nothing) {
        answer["client_secret"] = secret.into();
        let in_a_month = server.now() + TimeDelta::days(30);
        answer["client_secret_expires_at"] = if expires { in_a_month.timestamp() } else { 0 }.into();
    }
    if let Some(kind) = members.get("application_type") {
        answer["application_type"] = kind.clone();
    }
    let callbacks = Callbacks::These(callbacks);
    let client = Client { id: id.clone(), name, callbacks, proof, must_use_pkce: true };
    server.memory().clients.insert(id, client);
    Ok(answer)
}

fn redirect_uris(member: Option<&Value>) -> Result<Vec<String>, Refusal> {
    let refused = || Refusal::new("invalid_redirect_uri", "redirect_uris must be https, loopback or an app's own.");
    let all = member.and_then(Value::as_array).filter(|all| !all.is_empty()).ok_or_else(refused)?;
    let one = |value: &Value| {
        let text = value.as_str()?;
        let url = Url::parse(text).ok().filter(|url| url.fragment().is_none())?;
        let forbidden = matches!(url.scheme(), "http" | "javascript" | "data" | "file" | "blob" | "vbscript");
        (!forbidden || is_loopback(&url)).then(|| text.to_owned())
    };
    all.iter().map(|value| one(value).ok_or_else(refused)).collect()
}
