//! Masking by name: what lets somebody in is shortened the moment an exchange is kept. Parameters are shown where their
//! values are known to be no secrets, and only there; in JSON and in headers everything is shown but what is called like
//! a secret. What is known by its value is for `secrets`.

use serde_json::Value;
use url::{Url, form_urlencoded};

/// Parameters whose values everybody may see.
const PUBLIC_PARAMETERS: [&str; 20] = [
    "audience",
    "client_assertion_type",
    "client_id",
    "code_challenge",
    "code_challenge_method",
    "error",
    "error_description",
    "error_uri",
    "expires_in",
    "grant_type",
    "iss",
    "prompt",
    "redirect_uri",
    "resource",
    "response_mode",
    "response_type",
    "scope",
    "state",
    "token_type",
    "token_type_hint",
];

/// What is in the name of a secret, without case and punctuation.
const PARTS: [&str; 13] = [
    "accesskey",
    "apikey",
    "assertion",
    "cookie",
    "credential",
    "csrf",
    "jwt",
    "passw",
    "secret",
    "session",
    "token",
    "username",
    "verifier",
];

/// Whole names of secrets.
const NAMES: [&str; 8] = ["authorization", "code", "key", "otp", "pin", "proxyauthorization", "r", "sid"];

/// How names end that only speak about secrets.
const ABOUT: [&str; 14] = [
    "alg",
    "challenge",
    "endpoint",
    "expiresat",
    "expiresin",
    "hint",
    "iframe",
    "method",
    "methods",
    "supported",
    "type",
    "types",
    "uri",
    "url",
];

/// Published by those who show that a manifest is theirs.
const PUBLISHED: &str = "verificationtokens";

/// Well enough to tell two apart, not well enough to use one.
pub fn shortened(secret: &str) -> String {
    let length = secret.chars().count();
    let head: String = secret.chars().take(if length < 24 { 0 } else { 6 }).collect();
    if length == 0 { String::new() } else { format!("{head}… ({length} characters)") }
}

/// A header's value as it is kept.
pub fn header(name: &str, value: &str) -> String {
    match name {
        "authorization" | "proxy-authorization" => {
            let (scheme, secret) = value.split_once(' ').unwrap_or(("", value));
            format!("{scheme} {}", shortened(secret)).trim_start().to_owned()
        }
        "location" | "content-location" => address(value),
        name if is_secret(name) => shortened(value),
        _ => prose(value),
    }
}

/// An address as it is kept, whether it is one or not.
pub fn address(text: &str) -> String {
    let (text, fragment) = text.split_once('#').map_or((text, None), |(text, fragment)| (text, Some(fragment)));
    let (place, query) = text.split_once('?').map_or((text, None), |(place, query)| (place, Some(query)));
    let nobody = |url: Url| url.username().is_empty() && url.password().is_none();
    let mut masked = match place.rsplit_once('@') {
        Some((_, rest)) if !Url::parse(place).is_ok_and(nobody) => format!("…@{rest}"),
        _ => place.to_owned(),
    };
    masked.extend(query.map(|query| format!("?{}", form(query))));
    // Behind a slash it is a place in a document.
    let is_place = |fragment: &str| fragment.starts_with('/') && !fragment.contains(['=', '?']);
    let shown = |fragment: &str| if is_place(fragment) { fragment.to_owned() } else { form(fragment) };
    masked.extend(fragment.map(|fragment| format!("#{}", shown(fragment))));
    masked
}

fn form(text: &str) -> String {
    let pair = |piece: &str| {
        let (name, value) = form_urlencoded::parse(piece.as_bytes()).next().unwrap_or_default();
        match PUBLIC_PARAMETERS.contains(&name.as_ref()) {
            true => format!("{name}={}", prose(&value)),
            // What stands alone has no name, so it may be anything.
            false if value.is_empty() => shortened(&name),
            false => format!("{name}={}", shortened(&value)),
        }
    };
    text.split('&').map(pair).collect::<Vec<_>>().join("&")
}

/// A text in which addresses, parameters and tokens may stand, as it is kept.
pub fn prose(text: &str) -> String {
    let ends_word = |c: char| c.is_whitespace() || "\"'`,;<>()[]{}|".contains(c);
    let mut masked = String::with_capacity(text.len());
    let mut is_value = false;
    for piece in text.split_inclusive(ends_word) {
        let word = piece.trim_end_matches(ends_word);
        let shown = if is_value { shortened(word) } else { self::word(word) };
        if !word.is_empty() {
            // `token="…"`: the value begins behind the quotation mark.
            is_value = word.strip_suffix('=').is_some_and(is_secret);
        }
        masked.push_str(&shown);
        masked.push_str(&piece[word.len()..]);
    }
    masked
}

fn word(word: &str) -> String {
    let is_jwt = word.starts_with("eyJ") && word.contains('.');
    match word.split_once('=') {
        _ if is_jwt => shortened(word),
        _ if word.contains("://") || word.contains(['?', '#', '@']) => address(word),
        Some((name, value)) if is_secret(name) => format!("{name}={}", shortened(value)),
        _ => word.to_owned(),
    }
}

/// A body as it is kept. What is neither a JSON object nor a form is told by its kind and length alone: a page holds
/// whatever its server put into it, and it is not known by which name.
pub fn body(content_type: &str, bytes: &[u8]) -> String {
    if bytes.is_empty() {
        return String::new();
    }
    match serde_json::from_slice::<Value>(bytes) {
        Ok(mut value @ (Value::Object(_) | Value::Array(_))) => {
            mask(&mut value, false);
            value.to_string()
        }
        _ if content_type.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded") => {
            form(&String::from_utf8_lossy(bytes))
        }
        _ => {
            let kind = if content_type.is_empty() { "no said type" } else { content_type };
            format!("({} bytes of {kind})", bytes.len())
        }
    }
}

fn mask(value: &mut Value, hides: bool) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                // Errors have numbers that are called codes.
                let is_number = value.is_number() && name == "code";
                mask(value, hides || is_secret(name) && !is_number);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| mask(value, hides)),
        Value::String(text) => *text = if hides { shortened(text) } else { prose(text) },
        Value::Number(number) if hides => *value = Value::String(shortened(&number.to_string())),
        _ => {}
    }
}

/// Whether what has this name lets somebody in.
fn is_secret(name: &str) -> bool {
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let is_about = name == PUBLISHED || ABOUT.iter().any(|end| name.ends_with(end));
    NAMES.contains(&name.as_str()) || !is_about && PARTS.iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "s3cret-s3cret-s3cret-s3cret-s3cret";

    fn hides(kept: &str) {
        assert!(!kept.contains(SECRET) && !kept.contains("31415926"), "{kept}");
    }

    #[test]
    fn no_secret_stands_in_a_kept_body() {
        for json in [
            r#"{"access_token":"SECRET","a":[{"client_secret":"SECRET"}]}"#,
            r#"{"access_token":31415926535}"#,
            r#"{"refresh_token":{"value":"SECRET","n":[31415926]}}"#,
            r#"{"accessToken":"SECRET","Id-Token":"SECRET","API_KEY":"SECRET"}"#,
            r#"{"registration_access_token":"SECRET","registration_client_uri":"https://a.example/r?t=SECRET"}"#,
            r#"{"deep":{"er":[[{"password":"SECRET"}]]},"code":"SECRET"}"#,
            r#"{"message":"your token=SECRET is bad, so is code=\"SECRET\" and /x?y=SECRET"}"#,
            r#"{"html":"<a href='https://x:SECRET@a.example/'>"}"#,
            r#""SECRET""#,
            "31415926535",
            "SECRET",
            "<input name=code value=SECRET>",
            "<form method=post action='https://a.example/cb'><input type=hidden name=code value=SECRET></form>",
        ] {
            hides(&body("application/json", json.replace("SECRET", SECRET).as_bytes()));
            hides(&body("text/html", json.replace("SECRET", SECRET).as_bytes()));
        }
        let form = "code=SECRET&password=SECRET&my_own=SECRET&SECRET&SECRET=&state=x;token=SECRET";
        hides(&body("Application/X-WWW-Form-Urlencoded; charset=utf-8", form.replace("SECRET", SECRET).as_bytes()));
    }

    #[test]
    fn no_secret_stands_in_a_kept_header_or_address() {
        for (name, value) in [
            ("authorization", "Bearer SECRET"),
            ("authorization", "SECRET"),
            ("proxy-authorization", "Basic SECRET"),
            ("set-cookie", "session=SECRET; Path=/"),
            ("x-api-key", "SECRET"),
            ("x-amz-security-token", "SECRET"),
            ("mcp-session-id", "SECRET"),
            ("location", "https://a.example/cb?code=SECRET&state=x"),
            ("location", "https://a.example/cb#access_token=SECRET"),
            ("location", "https://a.example/cb#SECRET"),
            ("location", "https://a.example/#/cb?id_token=SECRET"),
            ("location", "https://ada:SECRET@a.example/cb"),
            ("location", "https:\\\\ada:SECRET@a.example/cb"),
            ("location", "/cb?code=SECRET"),
            ("location", "?SECRET"),
            ("refresh", "0; url=https://a.example/cb?code=SECRET"),
            ("link", "<https://a.example/?k=SECRET>; rel=next"),
            ("www-authenticate", "Bearer error=\"invalid_token\", error_description=\"access_token=SECRET\""),
            ("www-authenticate", "Bearer token=\"SECRET\""),
            ("www-authenticate", "Bearer error_description=\"eyJhbGciOiJub25lIn0.SECRET is old\""),
        ] {
            hides(&header(name, &value.replace("SECRET", SECRET)));
        }
        hides(&address(&format!("https://mcp.example/mcp?api={SECRET}")));
    }

    #[test]
    fn what_is_no_secret_stays_readable() {
        let metadata = r##"{"$ref":"#/components/x","authorization_servers":["https://a.example"],"code":1,
            "bearer_methods_supported":["header"],"expires_in":300,"token_endpoint":"https://a.example/token",
            "token_type":"Bearer","verification_tokens":{"a":"b"}}"##;
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(read(&body("", metadata.as_bytes())), read(metadata));
        let form = "grant_type=refresh_token&scope=&resource=https://a.example/mcp";
        assert_eq!(body("application/x-www-form-urlencoded", form.as_bytes()), form);
        let callback = "https://a.example/cb?iss=https://a.example&state=x";
        assert_eq!(address(callback), callback);
        let challenge = r#"Bearer error="invalid_token", resource_metadata="https://a.example/x", scope="a b""#;
        assert_eq!(header("www-authenticate", challenge), challenge);
    }
}
