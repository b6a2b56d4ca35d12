//! Masking: what lets somebody in is shortened the moment an exchange is kept, so that nothing kept can be used.

use serde_json::Value;
use url::{Url, form_urlencoded};

/// Names whose values let somebody in, or would while they are fresh.
const SECRETS: [&str; 14] = [
    "access_token",
    "assertion",
    "client_assertion",
    "client_secret",
    "code",
    "code_verifier",
    "csrf",
    "id_token",
    "password",
    "r",
    "refresh_token",
    "registration_access_token",
    "token",
    "username",
];

const HEADERS: [&str; 4] = ["authorization", "cookie", "proxy-authorization", "set-cookie"];

const CHARACTERS_MAX: usize = 4000;

/// Well enough to tell two apart, not well enough to use one.
pub fn shortened(secret: &str) -> String {
    let length = secret.chars().count();
    let head: String = secret.chars().take(if length < 24 { 0 } else { 6 }).collect();
    format!("{head}… ({length} characters)")
}

/// A header's value as it is kept.
pub fn header(name: &str, value: &str) -> String {
    match name {
        "authorization" => {
            let (scheme, secret) = value.split_once(' ').unwrap_or(("", value));
            format!("{scheme} {}", shortened(secret)).trim_start().to_owned()
        }
        "location" => address(value),
        name if HEADERS.contains(&name) => shortened(value),
        _ => value.to_owned(),
    }
}

/// An address as it is kept.
pub fn address(text: &str) -> String {
    let Ok(url) = Url::parse(text) else {
        return text
            .split_once('?')
            .map_or_else(|| text.to_owned(), |(place, query)| format!("{place}?{}", form(query)));
    };
    let Some(query) = url.query() else { return text.to_owned() };
    let place = text.split_once('?').map_or(text, |(place, _)| place);
    format!("{place}?{}", form(query))
}

fn form(query: &str) -> String {
    let pairs = form_urlencoded::parse(query.as_bytes()).map(|(name, value)| {
        let value = if SECRETS.contains(&name.as_ref()) { shortened(&value) } else { value.into_owned() };
        format!("{name}={value}")
    });
    pairs.collect::<Vec<_>>().join("&")
}

/// A body as it is kept. What is neither JSON nor a form is told by its kind and length alone: a page holds whatever its
/// server put into it, and it is not known by which name.
pub fn body(content_type: &str, bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return String::new();
    }
    let text = if let Ok(mut value) = serde_json::from_slice::<Value>(bytes) {
        mask(&mut value);
        value.to_string()
    } else if content_type.starts_with("application/x-www-form-urlencoded") {
        form(&String::from_utf8_lossy(bytes))
    } else {
        format!("({} bytes of {})", bytes.len(), if content_type.is_empty() { "no said type" } else { content_type })
    };
    text.chars().take(CHARACTERS_MAX).collect()
}

fn mask(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(text) if SECRETS.contains(&name.as_str()) => *text = shortened(text),
                    other => mask(other),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(mask),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "s3cret-s3cret-s3cret-s3cret-s3cret";

    #[test]
    fn no_secret_is_kept() {
        let token = format!(r#"{{"access_token":"{SECRET}","a":[{{"client_secret":"{SECRET}"}}],"scope":"read"}}"#);
        let kept = [
            body("application/json", token.as_bytes()),
            body("text/plain", token.as_bytes()),
            body("application/x-www-form-urlencoded", format!("code={SECRET}&password={SECRET}").as_bytes()),
            body("text/html", format!("<input value={SECRET}>").as_bytes()),
            header("authorization", &format!("Bearer {SECRET}")),
            header("set-cookie", &format!("session={SECRET}")),
            header("location", &format!("https://a.example/cb?code={SECRET}&state=x")),
            header("location", &format!("/cb?code={SECRET}")),
        ];
        for text in &kept {
            assert!(!text.contains(SECRET), "{text}");
        }
        assert!(kept[0].contains("\"scope\":\"read\"") && kept[6].ends_with("&state=x"), "{kept:?}");
    }
}
