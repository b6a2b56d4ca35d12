//! Masking by name: what lets somebody in is shortened before an exchange is shown. Parameters are shown where their
//! values are known to be no secrets, and only there; in JSON and in headers everything is shown but what is called like
//! a secret. What is known by its value `secrets` takes out of each text before it is taken apart.

use serde_json::Value;
use url::{Url, form_urlencoded};

use super::secrets::Secrets;

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

/// A header's value as it is shown.
pub fn header(name: &str, value: &str, secrets: &Secrets) -> String {
    match name {
        "authorization" | "proxy-authorization" => {
            let (scheme, secret) = value.split_once(' ').unwrap_or(("", value));
            format!("{scheme} {}", shortened(secret)).trim_start().to_owned()
        }
        "location" | "content-location" => address(value, secrets),
        name if is_secret(name) => shortened(value),
        _ => prose(value, secrets),
    }
}

/// An address as it is shown, whether it is one or not.
pub fn address(text: &str, secrets: &Secrets) -> String {
    let text = secrets.out_of(text);
    let (text, fragment) = text.split_once('#').map_or((text.as_str(), None), |(text, after)| (text, Some(after)));
    let (place, query) = text.split_once('?').map_or((text, None), |(place, query)| (place, Some(query)));
    let nobody = |url: Url| url.username().is_empty() && url.password().is_none();
    let mut masked = match place.rsplit_once('@') {
        Some((_, rest)) if !Url::parse(place).is_ok_and(nobody) => format!("…@{rest}"),
        _ => place.to_owned(),
    };
    masked.extend(query.map(|query| format!("?{}", form(query, secrets))));
    // Behind a slash it is a place in a document.
    let is_place = |fragment: &str| fragment.starts_with('/') && !fragment.contains(['=', '?']);
    let shown = |fragment: &str| if is_place(fragment) { fragment.to_owned() } else { form(fragment, secrets) };
    masked.extend(fragment.map(|fragment| format!("#{}", shown(fragment))));
    masked
}

fn form(text: &str, secrets: &Secrets) -> String {
    let pair = |piece: &str| {
        let (name, value) = form_urlencoded::parse(piece.as_bytes()).next().unwrap_or_default();
        match PUBLIC_PARAMETERS.contains(&name.as_ref()) {
            true => format!("{name}={}", prose(&value, secrets)),
            // What stands alone has no name, so it may be anything.
            false if value.is_empty() => shortened(&name),
            false => format!("{name}={}", shortened(&value)),
        }
    };
    text.split('&').map(pair).collect::<Vec<_>>().join("&")
}

/// A text in which addresses, parameters and tokens may stand, as it is shown. What is known goes first, while it is
/// whole: a secret may have characters at which an address would be taken apart.
pub fn prose(text: &str, secrets: &Secrets) -> String {
    let text = secrets.out_of(text);
    let ends_word = |c: char| c.is_whitespace() || "\"'`,;<>()[]{}|".contains(c);
    let mut masked = String::with_capacity(text.len());
    let mut is_value = false;
    for piece in text.split_inclusive(ends_word) {
        let word = piece.trim_end_matches(ends_word);
        let shown = if is_value { shortened(word) } else { self::word(word, secrets) };
        if !word.is_empty() {
            // `token="…"`: the value begins behind the quotation mark.
            is_value = word.strip_suffix('=').is_some_and(is_secret);
        }
        masked.push_str(&shown);
        masked.push_str(&piece[word.len()..]);
    }
    masked
}

fn word(word: &str, secrets: &Secrets) -> String {
    let is_jwt = word.starts_with("eyJ") && word.contains('.');
    match word.split_once('=') {
        _ if is_jwt => shortened(word),
        // In an address the name stands behind the place.
        Some((name, value)) if is_secret(name) && !name.contains(['?', '#', '/', '&']) => {
            format!("{name}={}", shortened(value))
        }
        _ if word.contains("://") || word.contains(['?', '#', '@']) => address(word, secrets),
        Some(_) if word.contains('&') => form(word, secrets),
        _ => word.to_owned(),
    }
}

/// A body as it is shown. What is neither a JSON object nor a form is told by its kind and length alone: a page holds
/// whatever its server put into it, and it is not known by which name.
pub fn body(content_type: &str, bytes: &[u8], secrets: &Secrets) -> String {
    if bytes.is_empty() {
        return String::new();
    }
    match serde_json::from_slice::<Value>(bytes) {
        Ok(mut value @ (Value::Object(_) | Value::Array(_))) => {
            mask(&mut value, false, secrets);
            value.to_string()
        }
        _ if content_type.to_ascii_lowercase().starts_with("application/x-www-form-urlencoded") => {
            form(&String::from_utf8_lossy(bytes), secrets)
        }
        _ => {
            let kind = if content_type.is_empty() { "no said type".to_owned() } else { prose(content_type, secrets) };
            format!("({} bytes of {kind})", bytes.len())
        }
    }
}

fn mask(value: &mut Value, hides: bool, secrets: &Secrets) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                // Errors have numbers that are called codes.
                let is_number = value.is_number() && name == "code";
                mask(value, hides || is_secret(name) && !is_number, secrets);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| mask(value, hides, secrets)),
        Value::String(text) => *text = if hides { shortened(text) } else { prose(text, secrets) },
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
        let none = Secrets::default();
        for json in [
            r#"{"access_token":"SECRET","a":[{"client_secret":"SECRET"}]}"#,
            r#"{"access_token":31415926535}"#,
            r#"{"refresh_token":{"value":"SECRET","n":[31415926]}}"#,
            r#"{"accessToken":"SECRET","Id-Token":"SECRET","API_KEY":"SECRET"}"#,
            r#"{"registration_access_token":"SECRET","registration_client_uri":"https://a.example/r?t=SECRET"}"#,
            r#"{"deep":{"er":[[{"password":"SECRET"}]]},"code":"SECRET"}"#,
            r#"{"message":"your token=SECRET is bad, so is code=\"SECRET\" and /x?y=SECRET"}"#,
            r#"{"message":"password=a#b-SECRET, secret=SECRET?, a=b&code=SECRET and token=x@SECRET"}"#,
            r#"{"html":"<a href='https://x:SECRET@a.example/'>"}"#,
            r#""SECRET""#,
            "31415926535",
            "SECRET",
            "<input name=code value=SECRET>",
            "<form method=post action='https://a.example/cb'><input type=hidden name=code value=SECRET></form>",
        ] {
            hides(&body("application/json", json.replace("SECRET", SECRET).as_bytes(), &none));
            hides(&body("text/html", json.replace("SECRET", SECRET).as_bytes(), &none));
        }
        let form = "code=SECRET&password=SECRET&my_own=SECRET&SECRET&SECRET=&state=x;token=SECRET";
        let kind = "Application/X-WWW-Form-Urlencoded; charset=utf-8";
        hides(&body(kind, form.replace("SECRET", SECRET).as_bytes(), &none));
    }

    #[test]
    fn no_secret_stands_in_a_kept_header_or_address() {
        let none = Secrets::default();
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
            hides(&header(name, &value.replace("SECRET", SECRET), &none));
        }
        hides(&address(&format!("https://mcp.example/mcp?api={SECRET}"), &none));
    }

    #[test]
    fn what_is_known_is_found_before_it_is_taken_apart() {
        for secret in ["summer-holiday#2026!", "correct horse b@ttery staple", "is this it? yes, &c=d"] {
            let secrets = Secrets::default();
            secrets.learn(secret);
            let json = serde_json::json!({ "error": format!("wrong password {secret}"), secret: 1 }).to_string();
            let encoded: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
            for shown in [
                body("application/json", json.as_bytes(), &secrets),
                body("application/x-www-form-urlencoded", format!("state={encoded}&a={encoded}").as_bytes(), &secrets),
                body(secret, b"<p>", &secrets),
                header("x-echo", &format!("you said {secret}"), &secrets),
                header("location", &format!("/retry/{secret}?error={encoded}#{secret}"), &secrets),
                prose(&format!("It says {secret}."), &secrets),
            ] {
                let shown = secrets.out_of(&shown);
                let parts = ["holiday", "2026", "horse", "ttery", "this it", "yes"];
                assert!(parts.iter().all(|part| !shown.contains(part)), "{secret}: {shown}");
            }
        }
    }

    #[test]
    fn what_is_no_secret_stays_readable() {
        let none = Secrets::default();
        let metadata = r##"{"$ref":"#/components/x","authorization_servers":["https://a.example"],"code":1,
            "bearer_methods_supported":["header"],"expires_in":300,"token_endpoint":"https://a.example/token",
            "token_type":"Bearer","verification_tokens":{"a":"b"}}"##;
        let read = |text: &str| serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(read(&body("", metadata.as_bytes(), &none)), read(metadata));
        let form = "grant_type=refresh_token&scope=&resource=https://a.example/mcp";
        assert_eq!(body("application/x-www-form-urlencoded", form.as_bytes(), &none), form);
        let callback = "https://a.example/cb?iss=https://a.example&state=x";
        assert_eq!(address(callback, &none), callback);
        let challenge = r#"Bearer error="invalid_token", resource_metadata="https://a.example/x", scope="a b""#;
        assert_eq!(header("www-authenticate", challenge, &none), challenge);
    }
}
