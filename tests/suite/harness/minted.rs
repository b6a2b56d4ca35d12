//! Every secret the harness sees, a line for each in the file `minted.txt` beside the suite's log (log.rs): what is typed,
//! planted, posted, answered, mailed and shown. `scripts/sweep-log` looks for them in that log after the tests.

use std::{
    fs::{File, OpenOptions},
    io::Write,
    os::unix::fs::OpenOptionsExt,
    sync::OnceLock,
};

use reqwest::header::{HeaderMap, SET_COOKIE};
use serde_json::Value;
use url::Url;

use super::log;

/// What holds a secret, whatever carries it: a form, a query, a member of JSON, a hidden field.
const NAMES: &[&str] = &[
    "access_token",
    "assertion",
    "client_assertion",
    "client_secret",
    "code_verifier",
    "csrf",
    "device",
    "email",
    "id_token",
    "link",
    "offer",
    "owner_token",
    "password",
    "r",
    "recovery_code",
    "refresh_token",
    "registration_access_token",
    "secret",
    "token",
    "value",
];

/// What does in a form or a query: in JSON these are names of problems and of what a plugin is.
const FORM_NAMES: &[&str] = &["code", "state"];

/// How the server's own secrets begin, wherever they stand in a text.
const BEGINNINGS: &[&str] = &["cst_", "whsec_"];

/// Notes one, under what it is.
pub fn note(kind: &str, secret: &str) {
    static LIST: OnceLock<Option<File>> = OnceLock::new();
    let list = LIST.get_or_init(|| {
        let path = log::folder()?.join("minted.txt");
        Some(OpenOptions::new().append(true).create(true).mode(0o600).open(path).expect("the list of secrets"))
    });
    let Some(mut list) = list.as_ref() else { return };
    // Whole, in one call: tests write side by side.
    let lines: String = secret.lines().map(|line| format!("{kind}\t{line}\n")).collect();
    list.write_all(lines.as_bytes()).expect("the list of secrets");
}

/// Those of a form that is sent.
pub fn in_form(fields: &[(&str, &str)]) {
    for (name, value) in fields {
        if NAMES.contains(name) || FORM_NAMES.contains(name) {
            note(name, value);
        }
    }
}

/// Those of an address: its query, and its fragment where that reads like one.
pub fn in_url(url: &Url) {
    let fragment = url.fragment().unwrap_or_default();
    for (name, value) in url.query_pairs().chain(url::form_urlencoded::parse(fragment.as_bytes())) {
        in_form(&[(&name, &value)]);
    }
}

/// The cookies that an answer sets.
pub fn in_cookies(headers: &HeaderMap) {
    for cookie in headers.get_all(SET_COOKIE) {
        let pair = cookie.to_str().ok().and_then(|cookie| cookie.split(';').next());
        if let Some((_, value)) = pair.and_then(|pair| pair.split_once('=')) {
            note("cookie", value);
        }
    }
}

/// Those of JSON, however deep.
pub fn in_json(json: &Value) {
    match json {
        Value::String(text) => in_text(text),
        Value::Array(items) => items.iter().for_each(in_json),
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(text) if NAMES.contains(&name.as_str()) => note(name, text),
                    other => in_json(other),
                }
            }
        }
        _ => {}
    }
}

/// Those of a page, a mail, or whatever else people read.
pub fn in_text(text: &str) {
    for beginning in BEGINNINGS {
        for (place, _) in text.match_indices(beginning) {
            let rest = &text[place..];
            let is_part = |letter: char| letter.is_ascii_alphanumeric() || "_-.+/=".contains(letter);
            note(beginning, &rest[..rest.find(|letter| !is_part(letter)).unwrap_or(rest.len())]);
        }
    }
}
