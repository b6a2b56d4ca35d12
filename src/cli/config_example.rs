//! `consentry config-example`: the example configuration, from the table of keys.

use serde_json::{Value, json};

use super::answer::Answer;
use crate::config::{example, keys::KEYS};

pub(super) fn run() -> Answer {
    let keys: Vec<Value> = KEYS
        .iter()
        .map(|key| json!({ "name": key.name, "variable": key.variable(), "default": key.default, "about": key.sentence }))
        .collect();
    Answer { json: Value::Array(keys), text: example::text() }
}
