//! Whether a call may pass: its route, its token, its scopes. Who may not is told as RFC 6750 and MCP's authorization
//! have it: where the API's metadata stands, and which scopes would do.

use std::sync::Arc;

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{self, HeaderValue},
    },
};

use super::{Stopped, malformed, target::Target};
use crate::{
    http::{extract::credentials, failure, trail},
    model::{
        counts::Refusal,
        flow::{FlowId, Step},
        gate::{Found, Needs},
        resource::Resource,
    },
    protocol::{
        bearer::{self, Problem},
        gate::{self, Refused},
    },
    server::{Server, gate::Admitted},
};

/// The parameter in which tokens do not come (RFC 6750 §2.3): it would go on to the API, and into its log.
const TOKEN_PARAMETER: &str = "access_token";

/// A call that may pass.
pub struct Passed<'a> {
    /// Who calls, where the route asks for that.
    pub admitted: Option<Arc<Admitted>>,
    /// As which method it was looked at: a `HEAD` as a `GET`.
    pub as_method: &'a str,
}

/// Looks whether a call may pass.
pub async fn admit<'a>(server: &Server, request: &HttpRequest, target: &'a Target<'_>) -> Result<Passed<'a>, Stopped> {
    let (needs, as_method) = match target.api.routes.find(target.route.method, target.route.path) {
        Found::Here(passage, as_method) => (&passage.needs, as_method),
        Found::OtherMethods(methods) => return Err(Stopped::Answered(wrong_method(request, &methods))),
        Found::Nowhere => return Err(Stopped::NotThere),
    };
    if url::form_urlencoded::parse(target.query.as_bytes()).any(|(name, _)| name == TOKEN_PARAMETER) {
        return Err(malformed(request, "a token comes in the Authorization header and nowhere else"));
    }
    if *needs == Needs::Nothing {
        return Ok(Passed { admitted: None, as_method });
    }
    // A plugin has a resource for its whole host, so there is one unless it was made for another host.
    let resource = gate::resource_of(&target.api.resources, &target.host, target.route.path);
    let resource = resource.ok_or(Stopped::NotThere)?;
    trail::at(request, Step::Introspection);
    trail::about(request, target.api.plugin);
    trail::towards(request, resource.identifier.as_str());
    if request.headers().get_all(header::AUTHORIZATION).count() > 1 {
        return Err(malformed(request, "there is more than one Authorization header"));
    }
    let token = credentials::bearer(request);
    let admitted = match token {
        Some(token) => server.admitted(token).await?,
        None => None,
    };
    let brought = token.map(|_| admitted.as_deref().filter(|it| it.plugin == target.api.plugin).map(|it| &it.bearer));
    let now = server.clock.now();
    if let Err(refused) = gate::check(needs, resource, brought, now) {
        return Err(Stopped::Answered(challenge(request, resource, &refused)));
    }
    if let Some(admitted) = &admitted {
        tell_of_the_first(server, request, admitted);
    }
    Ok(Passed { admitted, as_method })
}

/// Tells of a call, where it may be the first of its connection; the record takes that one alone.
fn tell_of_the_first(server: &Server, request: &HttpRequest, admitted: &Admitted) {
    let Some(family) = admitted.family else { return };
    trail::of_flow(request, FlowId::of(family.0));
    trail::of_client(request, &admitted.client_id);
    trail::done_again(
        server,
        request,
        Step::Introspection,
        "The API was called with an access token, through the gate.",
    );
}

fn challenge(request: &HttpRequest, resource: &Resource, refused: &Refused) -> HttpResponse {
    let (status, problem, code, description, scopes) = match refused {
        Refused::Missing(scopes) => {
            let description = "a token is needed: Authorization: Bearer …";
            (StatusCode::UNAUTHORIZED, Problem::Missing, "invalid_token", description, scopes)
        }
        Refused::Invalid(why, scopes) => {
            trail::refused(request, Refusal::InvalidToken, *why);
            (StatusCode::UNAUTHORIZED, Problem::InvalidToken(why), "invalid_token", *why, scopes)
        }
        Refused::Insufficient(scopes) => {
            let why = "The token does not allow this; these scopes would.";
            trail::refused(
                request,
                Refusal::Other,
                format!("A call needs {}, which its token lacks.", trail::told(scopes)),
            );
            (StatusCode::FORBIDDEN, Problem::InsufficientScope(why), "insufficient_scope", why, scopes)
        }
    };
    let place = bearer::resource_metadata_url(&resource.identifier);
    let scope = scopes.to_string();
    let value = bearer::challenge(problem, bearer::Target { resource_metadata: &place, scope: &scope });
    let mut answer = failure::json(request, status, code, description);
    // The challenge is visible ASCII by construction.
    if let Ok(value) = HeaderValue::from_str(&value) {
        answer.headers_mut().insert(header::WWW_AUTHENTICATE, value);
    }
    answer
}

fn wrong_method(request: &HttpRequest, methods: &[&str]) -> HttpResponse {
    let description = "the API has another method at this address";
    let mut answer = failure::json(request, StatusCode::METHOD_NOT_ALLOWED, "invalid_request", description);
    if let Ok(value) = HeaderValue::from_str(&methods.join(", ")) {
        answer.headers_mut().insert(header::ALLOW, value);
    }
    answer
}
