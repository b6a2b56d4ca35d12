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

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn with(value: &str) -> HttpRequest {
        TestRequest::default().insert_header((header::AUTHORIZATION, value)).to_http_request()
    }

    /// What is read of a user name and a password joined so.
    fn read(joined: &str) -> Option<(String, String)> {
        let read = basic(&with(&format!("Basic {}", STANDARD.encode(joined)))).ok()??;
        Some((read.client_id, read.client_secret))
    }

    #[test]
    fn both_halves_are_form_decoded() {
        for (joined, client_id, client_secret) in [
            ("c:s", "c", "s"),
            ("https%3A%2F%2Fc.example%2Fdoc:a%25b", "https://c.example/doc", "a%b"),
            ("%63%5f%2D:%41%7e", "c_-", "A~"),
            ("a+b:c+d%2Be", "a b", "c d+e"),
            ("a&b=c:d&v=e=f", "a&b=c", "d&v=e=f"),
            ("v=c:=s&", "v=c", "=s&"),
            ("c:s:t%3Au", "c", "s:t:u"),
            ("%E2%82%AC:\u{20ac}", "\u{20ac}", "\u{20ac}"),
            (":", "", ""),
            // What is no escape stands for itself, so that a secret with a percent sign serves who forgot to encode.
            ("c%:100%zz%4", "c%", "100%zz%4"),
            ("%2&6:%%41", "%2&6", "%A"),
        ] {
            assert_eq!(read(joined), Some((client_id.to_owned(), client_secret.to_owned())), "{joined}");
        }
        // Bytes that are no text match no id and no secret.
        assert_eq!(read("c:%ff"), Some(("c".to_owned(), "\u{fffd}".to_owned())));
    }

    #[test]
    fn what_is_no_basic_header_is_refused_and_another_is_not_looked_at() {
        assert_eq!(read("no colon"), None);
        for refused in ["Basic", "Basic ", "basic !!!", "Basic /////w==", "BASIC Yzpz=", "Basic Yzpz Yzpz"] {
            let request = with(refused);
            assert!(tried_basic(&request) && basic(&request).is_err(), "{refused}");
        }
        let long = STANDARD.encode(format!("c:{}", "s".repeat(2 * CREDENTIAL_LENGTH_MAX)));
        assert!(basic(&with(&format!("Basic {long}"))).is_err());
        for other in ["Bearer Yzpz", "Basics Yzpz", "", "Digest x"] {
            let request = with(other);
            assert!(!tried_basic(&request) && basic(&request).is_ok_and(|basic| basic.is_none()), "{other}");
        }
        assert!(basic(&TestRequest::default().to_http_request()).is_ok_and(|basic| basic.is_none()));
    }
}
