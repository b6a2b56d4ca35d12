//! The parameters of a request, from a query, a form or a JSON object.

use std::collections::HashMap;

use serde_json::Value;
use url::form_urlencoded;

/// Names and values. One without a value counts as left out (RFC 6749 §3.1).
pub struct Parameters {
    values: HashMap<String, String>,
    /// One that came twice, which none may (RFC 6749 §3.1) but `resource` (RFC 8707 §2).
    pub repeated: Option<String>,
}

impl Parameters {
    /// Those of a query or a form.
    pub fn of_form(text: &[u8]) -> Self {
        Self::of(form_urlencoded::parse(text).into_owned())
    }

    /// Those of a JSON object; `None` for anything else, and for members that are no texts.
    pub fn of_json(text: &[u8]) -> Option<Self> {
        let Ok(Value::Object(members)) = serde_json::from_slice(text) else { return None };
        let pairs: Option<Vec<_>> =
            members.into_iter().map(|(name, value)| Some((name, value.as_str()?.to_owned()))).collect();
        Some(Self::of(pairs?.into_iter()))
    }

    fn of(pairs: impl Iterator<Item = (String, String)>) -> Self {
        let (mut values, mut repeated) = (HashMap::new(), None);
        for (name, value) in pairs.filter(|(_, value)| !value.is_empty()) {
            if values.contains_key(&name) {
                if name != "resource" {
                    repeated = Some(name);
                }
                continue;
            }
            values.insert(name, value);
        }
        Self { values, repeated }
    }

    /// The value of one.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(String::as_str)
    }
}
