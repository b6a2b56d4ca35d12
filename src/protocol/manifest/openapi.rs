//! The API's description (OpenAPI 3, JSON or YAML): which scopes there are, and what each lets a client do.
//!
//! Taken from `components.securitySchemes.*.flows.*.scopes`, where each name has a sentence, and from the `security`
//! of the operations, where a name may stand that nobody has described. What `OpenAPI` has no place for (other
//! languages, and what a person may leave out) stands in `x-scopes` beside. The document itself is served unchanged.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::model::{
    legible::deceives,
    scope::{NAME_LENGTH_MAX, Scope, Scopes},
};

/// The largest description that is read.
pub const BYTES_MAX: usize = 1024 * 1024;

/// The longest sentence that has a place on the consent page, in characters.
pub const WORDS_LENGTH_MAX: usize = 300;

/// The member beside a flow's `scopes` that says more about them.
const MORE: &str = "x-scopes";

/// The most languages that a scope is described in, beside the first.
const LANGUAGES_MAX: usize = 32;

/// How deep a YAML document may nest; JSON has a bound of its own in its parser.
const DEPTH_MAX: usize = 64;

/// What is taken from a description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// The media type it is served as.
    pub content_type: &'static str,
    /// Its scopes, in alphabetical order.
    pub scopes: Vec<Scope>,
}

/// Why a description cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum NotADescription {
    /// Larger than [`BYTES_MAX`].
    #[error("it has {0} bytes; an OpenAPI document may have at most {BYTES_MAX}")]
    TooLarge(usize),
    /// Neither JSON nor YAML, or nested or repeated beyond reason.
    #[error("it can be read neither as JSON nor as YAML: {0}")]
    Unreadable(String),
    /// Some other kind of document.
    #[error("it is not an OpenAPI 3 document: the member \"openapi\" must be \"3.…\"")]
    NotOpenApi3,
    /// A name outside RFC 6749 §3.3.
    #[error("the scope {0:?} has a space, a quote, a backslash or a non-ASCII character, or is too long")]
    Name(String),
    /// More words than the consent page has room for.
    #[error("the sentence of scope \"{0}\" has more than {WORDS_LENGTH_MAX} characters; people will not read it")]
    Words(String),
}

/// Reads a description.
pub fn read(bytes: &[u8]) -> Result<Description, NotADescription> {
    if bytes.len() > BYTES_MAX {
        return Err(NotADescription::TooLarge(bytes.len()));
    }
    let (content_type, document) = document(bytes)?;
    let version = document.get("openapi").and_then(Value::as_str);
    if !version.is_some_and(|version| version.starts_with("3.")) {
        return Err(NotADescription::NotOpenApi3);
    }
    let schemes = schemes(&document);
    let mut scopes = BTreeMap::new();
    for scheme in schemes.values() {
        described(scheme, &mut scopes)?;
    }
    required(&document, &schemes, &mut scopes)?;
    Ok(Description { content_type, scopes: scopes.into_values().collect() })
}

/// What is shown for a scope nobody has described.
pub fn plain_words(name: &str) -> String {
    format!("Use \"{name}\"")
}

/// A scope with a sentence fit for the consent page: on one line, without invisible characters.
pub fn scope(name: &str, words: &str) -> Result<Scope, NotADescription> {
    let is_one_name = name.parse::<Scopes>().is_ok_and(|scopes| scopes.contains(name));
    if !is_one_name {
        return Err(NotADescription::Name(name.chars().take(NAME_LENGTH_MAX).collect()));
    }
    let words = sentence(name, words)?;
    Ok(Scope::new(name, if words.is_empty() { plain_words(name) } else { words }))
}

/// What a person reads of a scope.
fn sentence(name: &str, words: &str) -> Result<String, NotADescription> {
    let visible: String = words.chars().filter(|c| c.is_whitespace() || !deceives(*c)).collect();
    let words = visible.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.chars().count() > WORDS_LENGTH_MAX {
        return Err(NotADescription::Words(name.to_owned()));
    }
    Ok(words)
}

/// What stands in a description, with the media type it is served as.
pub fn document(bytes: &[u8]) -> Result<(&'static str, Value), NotADescription> {
    let unreadable = |error: &dyn std::fmt::Display| NotADescription::Unreadable(error.to_string());
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    if bytes.trim_ascii_start().starts_with(b"{") {
        let document = serde_json::from_slice(bytes).map_err(|error| unreadable(&error))?;
        return Ok(("application/json", document));
    }
    // A few hundred bytes of YAML can stand for gigabytes: aliases are replayed wherever they are named.
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_depth: DEPTH_MAX,
            max_documents: 1,
            max_nodes: 100_000,
        },
        alias_limits: serde_saphyr::alias_limits! {
            max_total_replayed_events: 100_000,
        },
        with_snippet: false,
    };
    let document = serde_saphyr::from_slice_with_options(bytes, options).map_err(|error| unreadable(&error))?;
    Ok(("text/yaml", document))
}

/// The security schemes whose requirements name scopes (OpenAPI 3.1 §4.8.27, §4.8.30).
pub(in crate::protocol) fn schemes(document: &Value) -> BTreeMap<&str, &Map<String, Value>> {
    let Some(Value::Object(schemes)) = document.pointer("/components/securitySchemes") else { return BTreeMap::new() };
    schemes
        .iter()
        .filter_map(|(name, scheme)| Some((name.as_str(), scheme.as_object()?)))
        .filter(|(_, scheme)| matches!(scheme.get("type").and_then(Value::as_str), Some("oauth2" | "openIdConnect")))
        .collect()
}

/// Gathers a scheme's scopes with their sentences, and what is said beside:
/// `"x-scopes": { "todo.write": { "optional": true, "step_up": true, "words": { "de": "Einträge ändern" } } }`.
fn described(scheme: &Map<String, Value>, scopes: &mut BTreeMap<String, Scope>) -> Result<(), NotADescription> {
    let flows = scheme.get("flows").and_then(Value::as_object).into_iter().flat_map(Map::values);
    for flow in flows {
        let Some(named) = flow.get("scopes").and_then(Value::as_object) else { continue };
        for (name, words) in named {
            let mut scope = scope(name, words.as_str().unwrap_or_default())?;
            if let Some(more) = flow.get(MORE).and_then(|more| more.get(name)) {
                scope.optional = more.get("optional").and_then(Value::as_bool).unwrap_or_default();
                // Whatever is written there but "no" is a wish for more safety, and not to be passed over.
                scope.step_up = more.get("step_up").is_some_and(|wish| *wish != Value::Bool(false));
                scope.translations = translations(name, more)?;
            }
            scopes.insert(name.clone(), scope);
        }
    }
    Ok(())
}

fn translations(name: &str, more: &Value) -> Result<BTreeMap<String, String>, NotADescription> {
    let words = more.get("words").and_then(Value::as_object).into_iter().flatten();
    words
        .filter_map(|(language, words)| Some((language.clone(), words.as_str()?)))
        .map(|(language, words)| Ok((language, sentence(name, words)?)))
        .filter(|translated| !translated.as_ref().is_ok_and(|(_, words)| words.is_empty()))
        .take(LANGUAGES_MAX)
        .collect()
}

/// Adds the scopes that operations ask for and no scheme describes.
fn required(
    document: &Value,
    schemes: &BTreeMap<&str, &Map<String, Value>>,
    scopes: &mut BTreeMap<String, Scope>,
) -> Result<(), NotADescription> {
    let operations = document
        .get("paths")
        .and_then(Value::as_object)
        .into_iter()
        .flat_map(Map::values)
        .filter_map(Value::as_object)
        .flat_map(Map::values);
    let requirements = operations
        .chain([document])
        .filter_map(|operation| operation.get("security")?.as_array())
        .flatten()
        .filter_map(Value::as_object)
        .flatten();
    for (_, names) in requirements.filter(|(scheme, _)| schemes.contains_key(scheme.as_str())) {
        for name in names.as_array().into_iter().flatten().filter_map(Value::as_str) {
            if !scopes.contains_key(name) {
                scopes.insert(name.to_owned(), scope(name, "")?);
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names_and_words(bytes: &[u8]) -> Vec<(String, String)> {
        read(bytes).unwrap().scopes.into_iter().map(|scope| (scope.name, scope.words)).collect()
    }

    const YAML: &str = r#"
openapi: "3.1.0"
info: { title: To-do, version: "1" }
security:
  - oauth: [todo.read]
paths:
  /todos:
    get:
      security: [{ oauth: [todo.read, todo.list] }]
    post:
      security: [{ oauth: [todo.write] }, { key: [not.a.scope] }]
components:
  securitySchemes:
    key: { type: apiKey, in: header, name: X-Key }
    oauth:
      type: oauth2
      flows:
        authorizationCode:
          authorizationUrl: https://api.example.com/authorize
          tokenUrl: https://api.example.com/token
          scopes:
            todo.read: See your
              to-do list
            todo.write: ""
"#;

    #[test]
    fn yaml_and_json_say_the_same() {
        let expected = [
            ("todo.list", "Use \"todo.list\""),
            ("todo.read", "See your to-do list"),
            ("todo.write", "Use \"todo.write\""),
        ]
        .map(|(name, words)| (name.to_owned(), words.to_owned()));
        assert_eq!(names_and_words(YAML.as_bytes()), expected);
        let value: Value = serde_saphyr::from_str(YAML).unwrap();
        let json = serde_json::to_vec(&value).unwrap();
        assert_eq!(names_and_words(&json), expected);
        assert_eq!(read(&json).unwrap().content_type, "application/json");
        assert_eq!(read(YAML.as_bytes()).unwrap().content_type, "text/yaml");
    }

    #[test]
    fn more_is_said_of_a_scope_beside_the_others() {
        let more = "
          x-scopes:
            todo.write: { optional: true, step_up: true, words: { de: Einträge\u{202e} ändern, ja: \"\", es: 7 } }
            nowhere: { optional: true }
";
        let read = |document: &str| read(document.as_bytes()).map(|description| description.scopes);
        let scopes = read(&format!("{}{more}", YAML.trim_end())).unwrap();
        let told: Vec<_> = scopes.iter().map(|scope| (scope.words_in("de"), scope.optional)).collect();
        assert_eq!(told, [("Use \"todo.list\"", false), ("See your to-do list", false), ("Einträge ändern", true)]);
        assert_eq!(scopes.iter().map(|scope| scope.step_up).collect::<Vec<_>>(), [false, false, true]);
        assert_eq!(scopes[2].words_in("ja"), "Use \"todo.write\"", "no words are no translation");
        let endless = more.replace("Einträge", &"x".repeat(WORDS_LENGTH_MAX + 1));
        assert!(matches!(read(&format!("{}{endless}", YAML.trim_end())), Err(NotADescription::Words(_))));
    }

    #[test]
    fn a_document_without_scopes_has_none() {
        assert!(names_and_words(b"openapi: 3.0.3\npaths: {}").is_empty());
        // Members of the wrong kind are no reason to fail: they name no scope.
        assert!(names_and_words(br#"{"openapi":"3.0.3","paths":[],"components":7,"security":{"a":1}}"#).is_empty());
    }

    #[test]
    fn other_documents_are_refused() {
        assert_eq!(read(b"{\"swagger\":\"2.0\"}"), Err(NotADescription::NotOpenApi3));
        assert_eq!(read(b"hello"), Err(NotADescription::NotOpenApi3));
        assert!(matches!(read(b"{\"openapi\":"), Err(NotADescription::Unreadable(_))));
        assert!(matches!(read(b"a: b: c"), Err(NotADescription::Unreadable(_))));
        assert!(matches!(read(b"openapi: \xff"), Err(NotADescription::Unreadable(_))));
    }

    #[test]
    fn hostile_documents_end_quickly() {
        let large = vec![b' '; BYTES_MAX + 1];
        assert_eq!(read(&large), Err(NotADescription::TooLarge(BYTES_MAX + 1)));
        let deep_json = format!("{{\"openapi\":{}", "[".repeat(100_000));
        assert!(matches!(read(deep_json.as_bytes()), Err(NotADescription::Unreadable(_))));
        let deep_yaml = format!("openapi: 3.0.0\nx: {}", "[".repeat(100_000));
        assert!(matches!(read(deep_yaml.as_bytes()), Err(NotADescription::Unreadable(_))));
        // Each line names the one before ten times: 10^9 values from a few hundred bytes.
        let level =
            |level: usize| format!("a{level}: &a{level} [{}]\n", vec![format!("*a{}", level - 1); 10].join(", "));
        let bomb = format!("openapi: 3.0.0\na0: &a0 [x]\n{}", (1..10).map(level).collect::<String>());
        assert!(matches!(read(bomb.as_bytes()), Err(NotADescription::Unreadable(_))));
    }

    #[test]
    fn names_and_sentences_are_fit_for_the_consent_page() {
        assert!(matches!(scope("a b", ""), Err(NotADescription::Name(_))));
        assert!(matches!(scope("", ""), Err(NotADescription::Name(_))));
        assert!(matches!(scope("ä", ""), Err(NotADescription::Name(_))));
        assert!(matches!(scope("a", &"x".repeat(WORDS_LENGTH_MAX + 1)), Err(NotADescription::Words(_))));
        assert_eq!(scope("a", " See\n\u{202e}all\u{0} ").unwrap().words, "See all");
    }
}
