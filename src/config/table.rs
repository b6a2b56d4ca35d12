//! A table of the file, read key by key so that all that is wrong with it is told at once.

use std::collections::BTreeMap;

use url::Url;

use super::{
    reader::{NO_REFERENCE, Reader},
    sources::text_of,
};
use crate::{
    model::live::Live,
    vault::{SecretRef, SecretValue, Unfit, reference::HOW_TO_WRITE},
};

/// A table: its texts, those that are presupposed, and where it stands.
pub(super) struct Table {
    place: String,
    given: BTreeMap<String, String>,
    presupposed: BTreeMap<String, String>,
}

impl Table {
    /// Takes the texts of a table that has no other keys than these.
    pub(super) fn take(reader: &mut Reader<'_>, name: &str, (table, file): (toml::Table, &str), keys: &[&str]) -> Self {
        let mut taken =
            Self { place: format!("[{name}] in {file}"), given: BTreeMap::new(), presupposed: BTreeMap::new() };
        for (key, value) in table {
            let place = format!("{key} in {}", taken.place);
            if !keys.contains(&key.as_str()) {
                let unlike = |known: &&&str| strsim::damerau_levenshtein(known, &key);
                let nearest = keys.iter().min_by_key(unlike).unwrap_or(&"");
                reader.mistake_at(&place, "there is no such key", format!("did you mean {nearest}?"));
                continue;
            }
            let value = match value {
                toml::Value::Boolean(is_on) => Some(is_on.to_string()),
                // Lists here are of words.
                toml::Value::Array(_) => text_of(value).map(|list| list.replace(',', " ")),
                other => text_of(other),
            };
            match value {
                Some(text) => drop(taken.given.insert(key, text.trim().to_owned())),
                None => reader.mistake_at(&place, "its value is no text", format!("write {key} = \"…\"")),
            }
        }
        taken
    }

    /// Presupposes what a well-known provider has.
    pub(super) fn presuppose(&mut self, texts: &BTreeMap<String, String>) {
        self.presupposed.clone_from(texts);
    }

    /// A text, if there is one.
    pub(super) fn text(&self, key: &str) -> Option<String> {
        self.given.get(key).or_else(|| self.presupposed.get(key)).filter(|text| !text.is_empty()).cloned()
    }

    /// Tells what is wrong with a key.
    pub(super) fn mistake(&self, reader: &mut Reader<'_>, key: &str, problem: &str, cure: &str) {
        reader.mistake_at(&format!("{key} in {}", self.place), problem, cure);
    }

    /// A text that has to be there.
    pub(super) fn needed(&self, reader: &mut Reader<'_>, key: &str, cure: &str) -> Option<String> {
        let text = self.text(key);
        if text.is_none() {
            self.mistake(reader, key, "it is missing", cure);
        }
        text
    }

    /// An address that has to be there: https, without a fragment.
    pub(super) fn url(&self, reader: &mut Reader<'_>, key: &str) -> Option<Url> {
        let text = self.needed(reader, key, "write the address: https://login.example.com/…")?;
        let url = Url::parse(&text).ok().filter(|url| url.scheme() == "https" && url.fragment().is_none());
        let url = url.filter(|url| url.username().is_empty() && url.password().is_none());
        if url.is_none() {
            self.mistake(reader, key, "it is no https address", "write https://login.example.com/…");
        }
        url
    }

    /// A secret that has to be there. What it is is read only if it is needed.
    pub(super) fn secret<T: Default + Send + Sync + 'static>(
        &self,
        reader: &mut Reader<'_>,
        key: &str,
        is_needed: bool,
        judge: fn(&SecretValue) -> Result<T, Unfit>,
    ) -> Option<Live<T>> {
        let text = self.needed(reader, key, HOW_TO_WRITE)?;
        if text.parse::<SecretRef>().is_err() {
            self.mistake(reader, key, NO_REFERENCE, HOW_TO_WRITE);
            return None;
        }
        if !is_needed {
            return Some(Live::default());
        }
        reader.secret_at(&format!("{key} in {}", self.place), &text, judge)
    }
}
