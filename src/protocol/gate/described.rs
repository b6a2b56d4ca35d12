//! The route table as an API's description has it (OpenAPI 3): each operation is a route, and its `security` says what it
//! needs (OpenAPI 3.1 §4.8.10, §4.8.30).
//!
//! A description that says nothing of security is one that was written for a server in front of it: its operations need a
//! token, whatever scopes that has. Only `security: []`, or `{}` among its alternatives, lets strangers in.

use serde_json::{Map, Value};
use url::Url;

use crate::{
    model::{
        gate::{Needs, Passage, RouteTable},
        scope::Scopes,
    },
    protocol::manifest::openapi::{self, NotADescription},
};

/// The operations of a path (OpenAPI 3.1 §4.8.9).
const METHODS: [&str; 8] = ["get", "put", "post", "delete", "options", "head", "patch", "trace"];

/// A table that was read, and what of the description is not in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Described {
    /// The table.
    pub routes: RouteTable,
    /// Operations that are refused because they cannot be told apart by whole segments of a path, or say something of
    /// security that nobody here understands: method and path, as they are written.
    pub left_out: Vec<String>,
}

/// Reads a description.
///
/// # Errors
///
/// Where it is none.
pub fn read(bytes: &[u8]) -> Result<Described, NotADescription> {
    let (_, document) = openapi::document(bytes)?;
    Ok(of(&document))
}

fn of(document: &Value) -> Described {
    let schemes = openapi::schemes(document);
    let is_ours = |name: &str| schemes.contains_key(name);
    let base = base(document);
    let (mut passages, mut left_out) = (Vec::new(), Vec::new());
    for (path, item) in document.get("paths").and_then(Value::as_object).into_iter().flatten() {
        let Some(item) = resolved(document, item) else {
            left_out.push(path.clone());
            continue;
        };
        for (method, operation) in METHODS.iter().filter_map(|method| Some((*method, item.get(*method)?))) {
            let text = format!("{} {base}{path}", method.to_ascii_uppercase());
            let security = operation.get("security").or_else(|| document.get("security"));
            match (text.parse(), needs(security, is_ours)) {
                (Ok(route), Some(needs)) => passages.push(Passage { route, needs }),
                _ => left_out.push(text),
            }
        }
    }
    let written: Vec<String> = passages.iter().map(|passage| passage.route.to_string()).collect();
    if let Ok(routes) = RouteTable::new(passages) {
        return Described { routes, left_out };
    }
    // Two paths that differ by the names of their parameters alone are forbidden there, too (§4.8.8).
    left_out.extend(written);
    Described { routes: RouteTable::default(), left_out }
}

/// What stands before each path: the path of the first server (§4.8.5).
fn base(document: &Value) -> String {
    let Some(url) = document.pointer("/servers/0/url").and_then(Value::as_str) else { return String::new() };
    let path = match Url::parse(url) {
        Ok(url) => url.path().to_owned(),
        Err(_) if url.starts_with('/') => url.to_owned(),
        Err(_) => String::new(),
    };
    path.trim_end_matches('/').to_owned()
}

/// A path's operations, where they stand or under `components` (§4.8.9, `$ref`).
fn resolved<'a>(document: &'a Value, item: &'a Value) -> Option<&'a Map<String, Value>> {
    match item.get("$ref").and_then(Value::as_str) {
        None => item.as_object(),
        // One step, and no ring of them.
        Some(reference) => {
            document.pointer(reference.strip_prefix('#')?)?.as_object().filter(|item| !item.contains_key("$ref"))
        }
    }
}

/// What a requirement comes to: the alternatives, of which each may name several schemes.
fn needs(security: Option<&Value>, is_ours: impl Fn(&str) -> bool) -> Option<Needs> {
    let Some(security) = security else { return Some(Needs::Token(vec![Scopes::default()])) };
    let alternatives = security.as_array()?;
    // Another way in, such as a key of the API's own, is none here: callers have tokens, and must have what those ask for.
    let (mut ours, mut has_others) = (Vec::new(), false);
    for alternative in alternatives {
        let alternative = alternative.as_object()?;
        if alternative.is_empty() {
            return Some(Needs::Nothing);
        }
        let mut scopes = None;
        for (_, names) in alternative.iter().filter(|(scheme, _)| is_ours(scheme)) {
            let mut all = scopes.unwrap_or_else(Scopes::default);
            for name in names.as_array()? {
                all = all.union(&name.as_str()?.parse().ok()?);
            }
            scopes = Some(all);
        }
        has_others |= scopes.is_none();
        ours.extend(scopes);
    }
    // Whatever has one of these passes; one without scopes is passed by every token.
    if let Some(any) = ours.iter().find(|scopes| scopes.is_empty()) {
        return Some(Needs::Token(vec![any.clone()]));
    }
    Some(match (ours.is_empty(), has_others) {
        (true, false) => Needs::Nothing,
        (true, true) => Needs::Token(vec![Scopes::default()]),
        (false, _) => Needs::Token(ours),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn table(mut document: Value) -> String {
        document["components"] = json!({
            "securitySchemes": { "oauth": { "type": "oauth2" }, "key": { "type": "apiKey" } },
            "pathItems": { "Shared": { "get": { "security": [{ "oauth": ["shared"] }] } } },
        });
        let read = of(&document);
        let left_out: Vec<String> = read.left_out.iter().map(|line| format!("! {line}\n")).collect();
        format!("{}{}", read.routes, left_out.concat())
    }

    #[test]
    fn each_operation_needs_what_its_security_says() {
        let read = table(json!({
            "servers": [{ "url": "https://api.example/v1/" }],
            "security": [{ "oauth": ["usual"] }],
            "paths": {
                "/a": {
                    "summary": "x", "parameters": [],
                    "get": {},
                    "post": { "security": [{ "oauth": ["write", "more"] }, { "oauth": ["admin"], "key": [] }] },
                    "put": { "security": [{ "key": [] }] },
                    "delete": { "security": [{ "oauth": ["write"] }, { "oauth": [] }] },
                    "head": { "security": [{ "oauth": ["write"] }, { "key": [] }] },
                    "patch": { "security": [] },
                    "options": { "security": [{ "oauth": ["write"] }, {}] },
                },
                "/b/{id}": { "$ref": "#/components/pathItems/Shared" },
            },
        }));
        assert_eq!(
            read,
            "GET /v1/a usual\nPUT /v1/a\nPOST /v1/a more write | admin\nDELETE /v1/a\nOPTIONS /v1/a public\n\
             HEAD /v1/a write\nPATCH /v1/a public\nGET /v1/b/{id} shared\n"
        );
    }

    #[test]
    fn who_says_nothing_of_security_wants_a_token() {
        assert_eq!(table(json!({ "paths": { "/a": { "get": {} } } })), "GET /a\n");
        assert_eq!(table(json!({ "servers": [{ "url": "/" }], "paths": { "/a": { "get": {} } } })), "GET /a\n");
        assert_eq!(table(json!({ "servers": [{ "url": "/v2" }], "paths": { "/a": { "get": {} } } })), "GET /v2/a\n");
        assert_eq!(table(json!({ "security": [], "paths": { "/a": { "get": {} } } })), "GET /a public\n");
    }

    #[test]
    fn what_cannot_be_told_apart_is_left_out_and_refused() {
        let read = table(json!({ "paths": {
            "/a/{id}.json": { "get": {} },
            "/a/../b": { "get": {} },
            "/c": { "get": { "security": "oauth" }, "post": { "security": [{ "oauth": ["a\"b"] }] } },
            "/d": { "$ref": "elsewhere.json#/x" },
            "/e": { "get": {} },
        } }));
        assert_eq!(read, "GET /e\n! GET /a/../b\n! GET /a/{id}.json\n! GET /c\n! POST /c\n! /d\n");
        let twice = table(json!({ "paths": { "/a/{id}": { "get": {} }, "/a/{name}": { "get": {} } } }));
        assert_eq!(twice, "! GET /a/{id}\n! GET /a/{name}\n");
    }
}
