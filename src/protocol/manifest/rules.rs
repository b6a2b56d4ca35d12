//! What the manifest's texts must be: present, text, short enough, and free of characters that deceive a reader.

use serde_json::{Map, Value};

use super::Findings;
use crate::model::{account::Email, legible::deceives};

/// A text member and how long it may be, in characters: `length_max` as documented when the format was opened,
/// `length_safe` as later documentation had it.
struct TextRule {
    member: &'static str,
    length_max: usize,
    length_safe: usize,
}

const TEXTS: [TextRule; 4] = [
    TextRule { member: "name_for_human", length_max: 50, length_safe: 20 },
    TextRule { member: "name_for_model", length_max: 50, length_safe: 50 },
    TextRule { member: "description_for_human", length_max: 120, length_safe: 100 },
    TextRule { member: "description_for_model", length_max: 8000, length_safe: 8000 },
];

/// The text of a member, if it is there, is text and is not empty; says so otherwise.
pub(super) fn text<'a>(manifest: &'a Map<String, Value>, member: &str, findings: &mut Findings) -> Option<&'a str> {
    match manifest.get(member) {
        None | Some(Value::Null) => findings.mistake(member, "it is missing"),
        Some(Value::String(text)) if text.trim().is_empty() => findings.mistake(member, "it is empty"),
        Some(Value::String(text)) => return Some(text),
        Some(_) => findings.mistake(member, "it must be text"),
    }
    None
}

/// Checks every member that is plain text.
pub(super) fn check_texts(manifest: &Map<String, Value>, findings: &mut Findings) {
    match text(manifest, "schema_version", findings) {
        None | Some("v1") => {}
        Some(_) => findings.mistake("schema_version", "only \"v1\" is known; write \"v1\""),
    }
    for rule in &TEXTS {
        let Some(text) = text(manifest, rule.member, findings) else { continue };
        let length = text.chars().count();
        if length > rule.length_max {
            let problem = format!("it has {length} characters; at most {} are allowed", rule.length_max);
            findings.mistake(rule.member, problem);
        } else if length > rule.length_safe {
            let remark = format!("it has {length} characters; some readers allow only {}", rule.length_safe);
            findings.warning(rule.member, remark);
        }
        let lines_allowed = rule.member == "description_for_model";
        if text.chars().any(|c| deceives(c) && !(lines_allowed && matches!(c, '\n' | '\r' | '\t'))) {
            findings.mistake(rule.member, "it has a control character or one that reverses text; remove it");
        }
    }
    if let Some(text) = text(manifest, "contact_email", findings)
        && text.parse::<Email>().is_err()
    {
        findings.mistake("contact_email", "it is not an e-mail address");
    }
    check_api(manifest, findings);
}

fn check_api(manifest: &Map<String, Value>, findings: &mut Findings) {
    let api = match manifest.get("api") {
        Some(Value::Object(api)) => api,
        Some(_) => return findings.mistake("api", "it must be an object"),
        None => {
            return findings.mistake("api", "it is missing; write { \"type\": \"openapi\", \"url\": \"https://…\" }");
        }
    };
    if api.get("type").and_then(Value::as_str) != Some("openapi") {
        findings.mistake("api.type", "only \"openapi\" is known; write \"openapi\"");
    }
    for flag in ["is_user_authenticated", "has_user_authentication"] {
        if api.get(flag).is_some_and(|value| !value.is_boolean()) {
            findings.mistake(&format!("api.{flag}"), "it must be true or false");
        }
    }
}

/// The plugin's short name: `name_for_model` in lower case, with hyphens.
pub(super) fn slug(manifest: &Map<String, Value>, findings: &mut Findings) -> Option<String> {
    // Its absence has been told already.
    let name = manifest.get("name_for_model").and_then(Value::as_str).filter(|name| !name.trim().is_empty())?;
    if !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-') {
        findings.mistake("name_for_model", "only letters, digits and underscores are allowed, without spaces");
        return None;
    }
    if name.contains('-') {
        findings.warning("name_for_model", "it has a hyphen; some readers allow only letters, digits and underscores");
    }
    let slug = name.to_ascii_lowercase().replace('_', "-").trim_matches('-').to_owned();
    if slug.is_empty() {
        findings.mistake("name_for_model", "it needs at least one letter or digit");
        return None;
    }
    Some(slug)
}
