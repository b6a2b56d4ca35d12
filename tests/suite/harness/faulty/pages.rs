//! What a person sees: a form to sign in, in which anybody may, and one to consent.

use actix_web::{
    HttpRequest, HttpResponse,
    cookie::{Cookie, SameSite},
    http::StatusCode,
    web::Bytes,
};
use chrono::TimeDelta;
use url::Url;

use super::{
    Inside, Server, authorize,
    memory::{Code, Grant, Request, fresh},
    parameters::Parameters,
    wire::{self, Refusal},
};

const COOKIE: &str = "faulty_session";

/// Who is signed in.
pub fn signed_in(server: &Inside, http: &HttpRequest) -> Option<String> {
    let cookie = http.cookie(COOKIE)?;
    server.memory().sessions.get(cookie.value()).cloned()
}

/// The form in which to sign in, for a request that stands.
pub fn sign_in_form(server: &Inside, request: &str, problem: &str) -> HttpResponse {
    let body = format!(
        "<p>{problem}</p>\n<form method=\"post\" action=\"{}/sign-in\">\n\
         <input type=\"hidden\" name=\"request\" value=\"{request}\">\n\
         <label>E-mail <input type=\"email\" name=\"email\" required></label>\n\
         <label>Password <input type=\"password\" name=\"password\" required></label>\n\
         <button type=\"submit\">Sign in</button>\n</form>\n",
        server.base
    );
    wire::page(StatusCode::OK, "Sign in", &body)
}

/// Signs a person in and goes on to the consent form.
pub async fn sign_in(server: Server, body: Bytes) -> HttpResponse {
    let fields = Parameters::of_form(&body);
    let Some(id) = fields.get("request").filter(|id| server.memory().requests.contains_key(*id)) else {
        return nothing_to_do();
    };
    let (Some(email), Some(_)) = (fields.get("email").filter(|text| text.contains('@')), fields.get("password")) else {
        return sign_in_form(&server, id, "Please type in your e-mail address and your password.");
    };
    let session = fresh("");
    server.memory().sessions.insert(session.clone(), email.to_owned());
    let cookie = Cookie::build(COOKIE, session).path("/").http_only(true).same_site(SameSite::Lax).finish();
    let mut response = wire::see_other(&format!("{}/consent?request={id}", server.base));
    response.add_cookie(&cookie).expect("a cookie is a header's value");
    response
}

/// The form in which to consent.
pub async fn consent(server: Server, http: HttpRequest) -> HttpResponse {
    let fields = Parameters::of_form(http.query_string().as_bytes());
    let id = fields.get("request").unwrap_or_default();
    let request = server.memory().requests.get(id).cloned();
    let Some(request) = request else { return nothing_to_do() };
    let Some(email) = signed_in(&server, &http) else { return sign_in_form(&server, id, "") };
    let host = Url::parse(&request.redirect_uri).ok().and_then(|url| url.host_str().map(str::to_owned));
    let body = format!(
        "<p>{} asks to act for {} and is answered at {}: {}.</p>\n\
         <form method=\"post\" action=\"{}/consent\">\n<input type=\"hidden\" name=\"request\" value=\"{id}\">\n\
         <button type=\"submit\" name=\"decision\" value=\"allow\">Allow</button>\n\
         <button type=\"submit\" name=\"decision\" value=\"deny\">Deny</button>\n</form>\n",
        escaped(&request.client.name),
        escaped(&email),
        escaped(&host.unwrap_or_else(|| request.redirect_uri.clone())),
        request.scopes.join(", "),
        server.base,
    );
    wire::page(StatusCode::OK, "Allow access?", &body)
}

/// Takes the decision, and sends the browser back to the client. A second click is sent to the same place.
pub async fn decide(server: Server, http: HttpRequest, body: Bytes) -> HttpResponse {
    let fields = Parameters::of_form(&body);
    let id = fields.get("request").unwrap_or_default();
    let request = server.memory().requests.get(id).cloned();
    let (Some(request), Some(email)) = (request, signed_in(&server, &http)) else { return nothing_to_do() };
    if let Some(answered) = &request.answered {
        return wire::see_other(answered);
    }
    let answer = match fields.get("decision") {
        Some("allow") => wire::see_other(&allowed(&server, &request, &email)),
        Some("deny") => {
            let refusal = Refusal::new("access_denied", "The person said no.");
            authorize::refused(&server, &request, &refusal)
        }
        _ => return nothing_to_do(),
    };
    let location = answer.headers().get("location").and_then(|place| place.to_str().ok()).map(str::to_owned);
    if let Some(request) = server.memory().requests.get_mut(id) {
        request.answered = location;
    }
    answer
}

fn allowed(server: &Inside, request: &Request, email: &str) -> String {
    let grant = Grant {
        client_id: request.client.id.clone(),
        subject: email.to_lowercase(),
        scopes: request.scopes.clone(),
        resource: request.resource.clone(),
    };
    let code = fresh("code-");
    let expires_at = server.now() + TimeDelta::minutes(1);
    let kept = Code { request: request.clone(), grant, expires_at, family: None };
    server.memory().codes.insert(code.clone(), kept);
    authorize::way_back(server, request, &[("code", &code)])
}

/// What the manifest's `legal_info_url` leads to.
pub async fn legal() -> HttpResponse {
    wire::page(StatusCode::OK, "Terms", "<p>It is a test.</p>")
}

fn nothing_to_do() -> HttpResponse {
    wire::page(StatusCode::BAD_REQUEST, "Nothing to do", "<p>Begin again at the application you came from.</p>")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
