//! Forms are answered only when they come from our own page in the same browser: fetch metadata, then a form token.

use actix_web::{HttpRequest, http::header};

use crate::{
    http::{extract::visitor::Visitor, failure::PageError},
    protocol::parameters::Parameters,
    server::Server,
    tokens,
};

/// The hidden field that carries the form token.
pub const FIELD: &str = "csrf";

/// Refuses a form that another site sent, or that was shown to another browser.
pub async fn check(
    server: &Server,
    request: &HttpRequest,
    visitor: &Visitor,
    fields: &Parameters,
) -> Result<(), PageError> {
    let field = fields.one(FIELD, 256).map_err(PageError::Incomplete)?.unwrap_or_default();
    let browser = visitor.known_browser().unwrap_or_default();
    // Another node may have written the form.
    let ring = server.keyring.knowing(tokens::form::kid(field), &server.store, server.clock.now()).await?;
    let genuine = !browser.is_empty() && tokens::form::is_genuine(&ring, browser, field);
    if genuine && is_same_origin(request, &server.settings.origin) { Ok(()) } else { Err(PageError::ForgedForm) }
}

/// Browsers say where a request comes from in `Sec-Fetch-Site` and `Origin`; programs that say neither hold no
/// cookies of a person.
fn is_same_origin(request: &HttpRequest, origin: &str) -> bool {
    let said = |name: &str| request.headers().get(name).map(|value| value.to_str().unwrap_or("unreadable"));
    match (said("sec-fetch-site"), said(header::ORIGIN.as_str())) {
        (Some(site), _) => site == "same-origin",
        (None, Some(from)) => from == origin,
        (None, None) => true,
    }
}
