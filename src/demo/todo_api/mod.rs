//! The sample API: to-do items, kept apart by the person (`sub`) a token speaks for.
//! Written as an API owner would write it, against Consentry's public contract only:
//! `token` verifies RFC 9068 access tokens, `standing` asks introspection (RFC 7662) whether they still stand.
//!
//! ```text
//! request → token (signature, iss, aud, exp) → standing (active?) → scope → items
//! ```

mod items;
mod refusal;
mod signing_keys;
mod standing;
mod token;

use actix_web::http::header::{self, HeaderValue};
use actix_web::{HttpRequest, HttpResponse, web};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::json;

use self::items::{Items, Text};
use self::refusal::{Refusal, Refused};
use self::standing::{Introspection, Standing};
use self::token::Verifier;
use super::{Secret, bounded};
use crate::protocol::bearer::Target;

/// Room for the longest allowed item in its longest JSON escape, and no more.
const BODY_BYTES_MAX: usize = 4096;

/// What the sample API has to be told.
#[derive(Debug)]
pub struct TodoApiConfig {
    /// The one canonical issuer, without a trailing slash.
    pub issuer: String,
    /// What the `aud` of a token has to name for the token to be meant for this API.
    pub audience: String,
    /// Where its metadata is served (RFC 9728): callers without a good token are sent there.
    pub resource_metadata: String,
    /// Client id and secret of the `service` client that may ask introspection.
    pub introspection: (String, Secret),
    /// The clock.
    pub now: fn() -> DateTime<Utc>,
}

/// The sample API's state; one for all workers.
#[derive(Debug)]
pub struct TodoApi {
    verifier: Verifier,
    introspection: Introspection,
    resource_metadata: String,
    items: Items,
    now: fn() -> DateTime<Utc>,
}

impl TodoApi {
    /// Prepares the API; nothing is fetched before the first call.
    ///
    /// # Errors
    /// When the outgoing HTTP client cannot be built, which means that TLS cannot be set up on this machine.
    pub fn new(config: TodoApiConfig) -> reqwest::Result<Self> {
        let http = bounded::client()?;
        let (client_id, client_secret) = config.introspection;
        Ok(Self {
            introspection: Introspection::new(
                format!("{}/introspect", config.issuer),
                client_id,
                client_secret,
                http.clone(),
            ),
            verifier: Verifier::new(config.issuer, config.audience, http),
            resource_metadata: config.resource_metadata,
            items: Items::default(),
            now: config.now,
        })
    }

    /// The person a request may act for; who may not is told where tokens come from.
    async fn admit(&self, request: &HttpRequest, scope: &'static str) -> Result<String, Refused> {
        let target = Target { resource_metadata: &self.resource_metadata, scope };
        self.check(request, scope).await.map_err(|refusal| refusal.challenged(target))
    }

    /// Every check an API owes its users, in order.
    async fn check(&self, request: &HttpRequest, scope: &'static str) -> Result<String, Refusal> {
        let token = bearer(request)?;
        let claims = self.verifier.verify(token, (self.now)()).await?;
        // The signature says who was meant when the token was made; only the server knows whether the person still means it.
        let Standing::Active { scope: today } = self.introspection.ask(token).await? else {
            return Err(Refusal::InvalidToken("The connection has ended."));
        };
        if claims.allows(scope) && today.is_none_or(|today| token::contains(&today, scope)) {
            Ok(claims.sub)
        } else {
            Err(Refusal::InsufficientScope(scope))
        }
    }
}

/// Mounts the API: `/todos`, `/todos/{id}` and `/openapi.json`.
pub fn configure(cfg: &mut web::ServiceConfig, state: web::Data<TodoApi>) {
    cfg.app_data(state)
        .service(
            web::resource("/todos")
                .app_data(web::JsonConfig::default().limit(BODY_BYTES_MAX))
                .route(web::get().to(list))
                .route(web::post().to(add)),
        )
        .route("/todos/{id}", web::delete().to(remove))
        .route("/openapi.json", web::get().to(openapi));
}

async fn list(request: HttpRequest, api: web::Data<TodoApi>) -> Result<HttpResponse, Refused> {
    let person = api.admit(&request, "todo.read").await?;
    Ok(private().json(json!({ "items": api.items.of(&person) })))
}

#[derive(Deserialize)]
struct NewItem {
    text: String,
}

/// The body is looked at only after the caller was admitted: a stranger learns nothing from sending nonsense.
async fn add(
    request: HttpRequest,
    api: web::Data<TodoApi>,
    body: Result<web::Json<NewItem>, actix_web::Error>,
) -> Result<HttpResponse, Refused> {
    let person = api.admit(&request, "todo.write").await?;
    let text = Text::new(&body.map_err(|error| Refusal::of_body(&error))?.text)?;
    let item = api.items.add(&person, text, (api.now)())?;
    Ok(HttpResponse::Created()
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::LOCATION, format!("/todos/{}", item.id)))
        .json(item))
}

async fn remove(request: HttpRequest, api: web::Data<TodoApi>, id: web::Path<String>) -> Result<HttpResponse, Refused> {
    let person = api.admit(&request, "todo.write").await?;
    let removed = id.parse().is_ok_and(|number| api.items.remove(&person, number));
    if removed { Ok(HttpResponse::NoContent().finish()) } else { Err(Refusal::NoSuchItem.into()) }
}

async fn openapi() -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .insert_header((header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"))
        .body(include_str!("../openapi.json"))
}

fn private() -> actix_web::HttpResponseBuilder {
    let mut answer = HttpResponse::Ok();
    answer.insert_header((header::CACHE_CONTROL, "no-store"));
    answer
}

/// The token of `Authorization: Bearer …` (RFC 6750 §2.1); the scheme's case does not matter.
fn bearer(request: &HttpRequest) -> Result<&str, Refusal> {
    let mut values = request.headers().get_all(header::AUTHORIZATION);
    let first = values.next().ok_or(Refusal::NoToken)?;
    if values.next().is_some() {
        return Err(Refusal::InvalidToken("Authorization was sent twice."));
    }
    HeaderValue::to_str(first)
        .ok()
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .filter(|token| !token.is_empty())
        .ok_or(Refusal::NoToken)
}

#[cfg(test)]
mod tests;
