//! What an `Authorization` header holds: client credentials as `Basic` (RFC 6749 §2.3.1, RFC 7617), or a `Bearer` token
//! (RFC 6750 §2.1).

use actix_web::{HttpRequest, http::header};
use base64::{Engine, engine::general_purpose::STANDARD};

use crate::protocol::{
    client_authentication::{Basic, CREDENTIAL_LENGTH_MAX},
    error::{ErrorCode, OAuthError},
};

/// Whether the caller tried HTTP Basic; then a refusal carries a challenge.
pub fn tried_basic(request: &HttpRequest) -> bool {
    encoded(request).is_some()
}

/// Reads the header if there is one.
pub fn basic(request: &HttpRequest) -> Result<Option<Basic>, OAuthError> {
    let Some(encoded) = encoded(request) else { return Ok(None) };
    let read = || {
        let bytes = STANDARD.decode(encoded.filter(|text| text.len() <= 2 * CREDENTIAL_LENGTH_MAX)?).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let (client_id, client_secret) = text.split_once(':')?;
        Some(Basic { client_id: form_decode(client_id), client_secret: form_decode(client_secret) })
    };
    let malformed = OAuthError::new(ErrorCode::InvalidClient, "the Authorization header is not HTTP Basic");
    read().map(Some).ok_or(malformed)
}

/// The bearer token, if there is one. The body and the query are no place for it.
pub fn bearer(request: &HttpRequest) -> Option<&str> {
    let text = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = text.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

#[expect(clippy::option_option, reason = "no Basic header at all, or one whose value is not text")]
fn encoded(request: &HttpRequest) -> Option<Option<&str>> {
    let value = request.headers().get(header::AUTHORIZATION)?;
    let Ok(text) = value.to_str() else { return Some(None) };
    let (scheme, rest) = text.split_once(' ').unwrap_or((text, ""));
    scheme.eq_ignore_ascii_case("basic").then_some(Some(rest.trim()))
}

/// RFC 6749 §2.3.1 has both halves form-encoded before they are joined.
fn form_decode(text: &str) -> String {
    url::form_urlencoded::parse(format!("v={}", text.replace('&', "%26")).as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}
