//! How requests and answers are shown: readable, and with every secret shortened before it is kept.
//! Neighbours: `wire` makes the messages, `timeline` keeps them, the page prints them.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use oauth2::http::HeaderMap;
use oauth2::http::header::{self, HeaderName};
use serde_json::Value;
use url::{Url, form_urlencoded};

/// Names whose values let somebody in. They are shown well enough to tell two apart, not well enough to use one.
const SECRETS: [&str; 7] = ["access_token", "client_secret", "code", "id_token", "refresh_token", "state", "token"];
const HEADERS: [HeaderName; 5] =
    [header::AUTHORIZATION, header::CONTENT_TYPE, header::CACHE_CONTROL, header::LOCATION, header::WWW_AUTHENTICATE];
const BODY_CHARS_MAX: usize = 4000;

/// One side of an exchange as the page prints it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Message {
    /// The request line or the status line.
    pub(super) start: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: String,
}

/// The ends of a secret and its length.
pub(super) fn shortened(secret: &str) -> String {
    let length = secret.chars().count();
    if length < 24 {
        return format!("… ({length} characters)");
    }
    let head: String = secret.chars().take(8).collect();
    let tail: String = secret.chars().skip(length - 4).collect();
    format!("{head}…{tail} ({length} characters)")
}

/// The headers worth a newcomer's attention.
pub(super) fn headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let shown = HEADERS.iter().filter_map(|name| {
        let value = headers.get(name)?.to_str().ok()?;
        Some((title_case(name.as_str()), header_value(name, value)))
    });
    shown.collect()
}

fn header_value(name: &HeaderName, value: &str) -> String {
    match value.split_once(' ') {
        Some((scheme, secret)) if name == header::AUTHORIZATION => {
            format!("{scheme} {}", shortened(secret))
        }
        _ => value.to_owned(),
    }
}

fn title_case(name: &str) -> String {
    let words = name.split('-').map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(|letter| letter.to_ascii_uppercase());
        first.into_iter().chain(letters).collect::<String>()
    });
    words.collect::<Vec<_>>().join("-").replace("Www", "WWW")
}

/// A body by its content type: JSON indented, a form one pair a line, anything else as it came.
pub(super) fn body(headers: &HeaderMap, body: &[u8]) -> String {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let text = if content_type.starts_with("application/json") {
        json(body)
    } else if content_type.starts_with("application/x-www-form-urlencoded") {
        pairs(form_urlencoded::parse(body))
    } else {
        String::from_utf8_lossy(body).into_owned()
    };
    bounded(&text)
}

/// The parameters of an address, one a line.
pub(super) fn query(url: &Url) -> String {
    bounded(&pairs(url.query_pairs()))
}

/// An address without its parameters.
pub(super) fn place(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.to_string()
}

/// The claims of a JWT, decoded for display only; nothing is decided by them. An opaque token has none.
pub(super) fn claims(token: &str) -> Option<Vec<(String, String)>> {
    let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
    let Value::Object(claims) = serde_json::from_slice(&payload).ok()? else {
        return None;
    };
    let shown = claims.into_iter().map(|(name, value)| {
        let shown = claim(&name, &value);
        (name, shown)
    });
    Some(shown.take(40).collect())
}

fn claim(name: &str, value: &Value) -> String {
    let instant = matches!(name, "exp" | "iat" | "nbf" | "auth_time")
        .then(|| value.as_i64())
        .flatten()
        .and_then(|seconds| chrono::DateTime::from_timestamp(seconds, 0));
    match (instant, value) {
        (Some(instant), _) => format!("{value} ({})", instant.format("%H:%M:%S UTC")),
        (None, Value::String(text)) => bounded(text),
        (None, other) => bounded(&other.to_string()),
    }
}

fn json(body: &[u8]) -> String {
    match serde_json::from_slice::<Value>(body) {
        Ok(mut value) => {
            hide(&mut value);
            serde_json::to_string_pretty(&value).unwrap_or_default()
        }
        Err(_) => String::from_utf8_lossy(body).into_owned(),
    }
}

/// Walks a JSON value; `code` and its like are hidden wherever they stand.
fn hide(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match member {
                    Value::String(text) if SECRETS.contains(&name.as_str()) => {
                        *text = shortened(text);
                    }
                    other => hide(other),
                }
            }
        }
        Value::Array(members) => members.iter_mut().for_each(hide),
        _ => {}
    }
}

fn pairs(pairs: form_urlencoded::Parse<'_>) -> String {
    let lines = pairs.map(|(name, value)| {
        if SECRETS.contains(&name.as_ref()) {
            format!("{name}={}", shortened(&value))
        } else {
            format!("{name}={value}")
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn bounded(text: &str) -> String {
    if text.chars().count() <= BODY_CHARS_MAX {
        return text.to_owned();
    }
    let start: String = text.chars().take(BODY_CHARS_MAX).collect();
    format!("{start}\n… (cut here)")
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "csec_0123456789abcdefghijklmnop";

    fn typed(content_type: &'static str) -> HeaderMap {
        let value = header::HeaderValue::from_static(content_type);
        HeaderMap::from_iter([(header::CONTENT_TYPE, value)])
    }

    #[test]
    fn no_secret_is_shown_whole() {
        let json = format!(r#"{{"a":[{{"refresh_token":"{SECRET}"}}],"code":"short"}}"#);
        let form = format!("client_secret={SECRET}&grant_type=refresh_token&scope=");
        let url = Url::parse(&format!("http://localhost/cb?code={SECRET}&iss=x")).unwrap();
        let mut bearer = HeaderMap::new();
        bearer.insert(header::AUTHORIZATION, format!("Bearer {SECRET}").parse().unwrap());
        for shown in [
            body(&typed("application/json"), json.as_bytes()),
            body(&typed("application/x-www-form-urlencoded"), form.as_bytes()),
            query(&url),
            format!("{:?}", headers(&bearer)),
        ] {
            assert!(!shown.contains(SECRET) && !shown.contains("short\""), "{shown}");
            assert!(shown.contains("csec_012…mnop (31 characters)"), "{shown}");
        }
    }

    #[test]
    fn an_empty_scope_stays_visible() {
        let url = Url::parse("http://localhost/authorize?scope=&client_id=a").unwrap();
        assert_eq!(query(&url), "scope=\nclient_id=a");
    }

    #[test]
    fn only_a_jwt_has_claims() {
        let payload = URL_SAFE_NO_PAD.encode(r#"{"sub":"ada","exp":0}"#);
        let claims = claims(&format!("h.{payload}.s")).unwrap();
        assert!(claims.contains(&("sub".to_owned(), "ada".to_owned())));
        assert!(claims.contains(&("exp".to_owned(), "0 (00:00:00 UTC)".to_owned())));
        assert_eq!(super::claims("cat_opaque"), None);
    }
}
