//! Single members of client metadata, each read as what it must be (RFC 7591 §2).
//!
//! A member that is `null` counts as not there (RFC 7592 §2.2), and so does an empty address: some libraries write every
//! member they know.

use serde_json::{Map, Value};
use url::Url;

use super::MetadataError;
use crate::model::json::{self, Bounds};

/// The longest address read.
const URL_LENGTH_MAX: usize = 2048;

/// The members of one JSON object.
pub(super) struct Members(Map<String, Value>);

impl Members {
    /// Reads a body; `what` is what it is called in an error.
    pub fn read(body: &[u8], bounds: Bounds, what: &str) -> Result<Self, MetadataError> {
        let members = json::object(body, bounds);
        members.map(Self).map_err(|problem| MetadataError::metadata(format_args!("{what} {problem}")))
    }

    /// The names of all members, known or not.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// A member of any kind.
    pub fn value(&self, name: &str) -> Option<&Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A member that is a text.
    pub fn text(&self, name: &str) -> Result<Option<&str>, MetadataError> {
        match self.value(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(_) => Err(MetadataError::metadata(format_args!("{name} is not a text"))),
        }
    }

    /// A member that is an array of texts.
    pub fn texts(&self, name: &str) -> Result<Option<Vec<&str>>, MetadataError> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let texts = value.as_array().and_then(|items| items.iter().map(Value::as_str).collect());
        texts.map(Some).ok_or_else(|| MetadataError::metadata(format_args!("{name} is not an array of texts")))
    }

    /// A member that is an `https` address: it will be fetched, or followed by people, so nothing that runs or reads
    /// (`javascript:`, `data:`, `file:`) and nothing that others on the way could change.
    pub fn https(&self, name: &str) -> Result<Option<Url>, MetadataError> {
        let Some(text) = self.text(name)?.map(str::trim).filter(|text| !text.is_empty()) else { return Ok(None) };
        let refused = |problem: &str| MetadataError::metadata(format_args!("{name} {problem}"));
        if text.len() > URL_LENGTH_MAX {
            return Err(refused("is longer than 2048 bytes"));
        }
        // The parser drops tabs and line breaks silently, and reads a backslash as a slash.
        if text.chars().any(|c| c.is_control() || c.is_whitespace() || c == '\\') {
            return Err(refused("has a space, a backslash or a control character"));
        }
        let url = Url::parse(text).map_err(|_| refused("is not an absolute URL"))?;
        match url.scheme() {
            "https" if url.username().is_empty() && url.password().is_none() => Ok(Some(url)),
            "https" => Err(refused("has a user name before the host")),
            scheme => Err(refused(&format!("has the scheme {scheme}; only https is accepted"))),
        }
    }
}
