//! The manifest's `auth`: what of it is the owner's to say, and the rest, which the server computes.
//!
//! The trap of the format: `client_url` is the *authorization* endpoint and `authorization_url` is the *token*
//! endpoint. Nobody has to know, because nobody but this file writes them.

use serde_json::{Map, Value, json};
use url::Url;

use super::Findings;
use crate::model::{
    legible::deceives,
    placeholder,
    plugin::{Host, Plugin},
    scope::Scopes,
};

/// What a token request may be sent as; the classic format's own sample says JSON.
const CONTENT_TYPES: [&str; 2] = ["application/json", "application/x-www-form-urlencoded"];

/// What the verification token is for that the classic store hands out.
pub const SERVICE: &str = "openai";

/// Where the connectors' vendor looks for the proof that a host is its owner's.
pub const CHALLENGE_PLACE: &str = "/.well-known/openai-apps-challenge";

/// A verification token is opaque; those seen have 32 hexadecimal digits.
const TOKEN_LENGTHS: std::ops::RangeInclusive<usize> = 8..=512;

const INSTRUCTIONS_LENGTH_MAX: usize = 1000;

/// The manifest as it is served: the owner's words and the computed `auth`.
///
/// `scheme` is the one people reach the server with. The endpoints stand on the plugin's host even if the issuer is
/// another: callers insist that they share a root domain with the API.
pub fn served(plugin: &Plugin, scheme: &str) -> Value {
    let mut manifest = plugin.manifest.as_object().cloned().unwrap_or_default();
    let mut auth = match manifest.remove("auth") {
        Some(Value::Object(auth)) => auth,
        _ => Map::new(),
    };
    auth.insert("type".to_owned(), json!("oauth"));
    auth.insert("client_url".to_owned(), json!(authorization_endpoint(&plugin.host, scheme)));
    auth.insert("authorization_url".to_owned(), json!(token_endpoint(&plugin.host, scheme)));
    auth.entry("scope").or_insert_with(|| json!(""));
    auth.entry("authorization_content_type").or_insert_with(|| json!(CONTENT_TYPES[0]));
    auth.entry("verification_tokens").or_insert_with(|| json!({}));
    manifest.insert("auth".to_owned(), Value::Object(auth));
    Value::Object(manifest)
}

/// Where a caller of the plugin on `host` sends people.
pub fn authorization_endpoint(host: &Host, scheme: &str) -> String {
    format!("{scheme}://{host}/authorize")
}

/// Where a caller of the plugin on `host` redeems codes.
pub fn token_endpoint(host: &Host, scheme: &str) -> String {
    format!("{scheme}://{host}/token")
}

fn host_of(url: &Url) -> Option<Host> {
    let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}{port}", url.host_str()?).parse().ok()
}

/// Checks the owner's `auth` and keeps what is the owner's to say: `scope`, `authorization_content_type`,
/// `verification_tokens` and `instructions`.
pub(super) fn owners_part(auth: Option<Value>, host: &Host, findings: &mut Findings) -> Value {
    let auth = match auth {
        Some(Value::Object(auth)) => auth,
        None | Some(Value::Null) => Map::new(),
        Some(_) => {
            findings.mistake("auth", "it must be an object");
            Map::new()
        }
    };
    check_computed(&auth, host, findings);
    let mut kept = Map::new();
    kept.insert("scope".to_owned(), json!(scope(&auth, findings)));
    kept.insert("authorization_content_type".to_owned(), json!(content_type(&auth, findings)));
    kept.insert("verification_tokens".to_owned(), Value::Object(verification_tokens(&auth, findings)));
    if let Some(instructions) = instructions(&auth, findings) {
        kept.insert("instructions".to_owned(), json!(instructions));
    }
    Value::Object(kept)
}

/// Says so when the file and the server disagree about what the server computes.
fn check_computed(auth: &Map<String, Value>, host: &Host, findings: &mut Findings) {
    match auth.get("type") {
        None => {}
        Some(Value::String(kind)) if kind == "oauth" => {}
        Some(_) => findings.warning("auth.type", "the server serves \"oauth\" instead of what the file says"),
    }
    for (member, path, what) in
        [("client_url", "/authorize", "authorization"), ("authorization_url", "/token", "token")]
    {
        let Some(text) = auth.get(member).and_then(Value::as_str) else { continue };
        let agrees = Url::parse(text).is_ok_and(|url| host_of(&url).as_ref() == Some(host) && url.path() == path);
        if !agrees {
            let remark = format!(
                "the {what} endpoint is computed by the server; it serves …{host}{path} instead of what the file says"
            );
            findings.warning(&format!("auth.{member}"), remark);
        }
    }
}

fn scope(auth: &Map<String, Value>, findings: &mut Findings) -> String {
    match auth.get("scope") {
        None | Some(Value::Null) => return String::new(),
        Some(Value::String(text)) if text.parse::<Scopes>().is_ok() => return text.trim().to_owned(),
        Some(_) => findings.mistake("auth.scope", "it must be scope names separated by spaces, or \"\" for all"),
    }
    String::new()
}

fn content_type(auth: &Map<String, Value>, findings: &mut Findings) -> &'static str {
    let Some(value) = auth.get("authorization_content_type") else { return CONTENT_TYPES[0] };
    let known = CONTENT_TYPES.into_iter().find(|known| value.as_str() == Some(known));
    known.unwrap_or_else(|| {
        let problem = format!("it must be \"{}\" or \"{}\"", CONTENT_TYPES[0], CONTENT_TYPES[1]);
        findings.mistake("auth.authorization_content_type", problem);
        CONTENT_TYPES[0]
    })
}

fn verification_tokens(auth: &Map<String, Value>, findings: &mut Findings) -> Map<String, Value> {
    match auth.get("verification_tokens") {
        None | Some(Value::Null) => Map::new(),
        Some(Value::Object(tokens)) => {
            for (service, token) in tokens {
                let checked = token.as_str().ok_or(NotAToken::NotText).and_then(check_token);
                if let Err(problem) = checked {
                    findings.mistake(&format!("auth.verification_tokens.{service}"), problem.to_string());
                }
            }
            tokens.clone()
        }
        Some(_) => {
            findings.mistake("auth.verification_tokens", "it must be an object: { \"service\": \"token\" }");
            Map::new()
        }
    }
}

/// Why a text is no token. The text itself is not repeated: it may be the right one in the wrong place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAToken {
    /// A number, a list, nothing.
    #[error("it must be text")]
    NotText,
    /// What samples show.
    #[error(
        "it is a placeholder; leave it out until the assistant has shown you the token, then put that in its place"
    )]
    Placeholder,
    /// Something else.
    #[error("it does not look like a token: 8 to 512 visible ASCII characters without spaces")]
    Shape,
}

/// Whether a text looks like a token that an assistant hands out, and like none of the texts that stand in for one.
pub fn check_token(token: &str) -> Result<(), NotAToken> {
    if placeholder::looks_like_one(token) {
        return Err(NotAToken::Placeholder);
    }
    let is_shaped = token.bytes().all(|byte| byte.is_ascii_graphic()) && TOKEN_LENGTHS.contains(&token.len());
    if is_shaped { Ok(()) } else { Err(NotAToken::Shape) }
}

fn instructions(auth: &Map<String, Value>, findings: &mut Findings) -> Option<String> {
    match auth.get("instructions")? {
        Value::String(text)
            if text.chars().count() <= INSTRUCTIONS_LENGTH_MAX && !text.chars().any(|c| deceives(c) && c != '\n') =>
        {
            Some(text.clone())
        }
        Value::Null => None,
        _ => {
            let problem = format!("it must be plain text of at most {INSTRUCTIONS_LENGTH_MAX} characters");
            findings.mistake("auth.instructions", problem);
            None
        }
    }
}
