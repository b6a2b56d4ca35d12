//! Request parameters (RFC 6749 §3.1, §3.2 and Appendix B): from a query, a form body or a JSON body.
//!
//! A parameter given twice is refused wherever it stands: two readers that pick different copies are an attack of
//! their own. A parameter without a value counts as not sent.

use std::fmt;

use serde::{
    Deserialize,
    de::{MapAccess, Visitor},
};
use serde_json::Value;
use url::form_urlencoded;

use super::error::{ErrorCode, OAuthError};
use crate::model::json::{self, Bounds};

/// The most parameters one request may have.
const COUNT_MAX: usize = 64;

/// A JSON body is flat; the rest is for members nobody here asks for.
const BOUNDS: Bounds = Bounds { bytes: 64 * 1024, depth: 8 };

/// The parameters of one request, in the order they came; a JSON member that is no text has none, which matters only to
/// whoever asks for it (RFC 6749 §3.2: unrecognized parameters are ignored).
#[derive(Clone)]
pub struct Parameters(Vec<(String, Option<String>)>);

impl fmt::Debug for Parameters {
    // Values may be secrets; names are enough to understand a request by.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_list().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

const NOT_UTF8: OAuthError = OAuthError::new(ErrorCode::InvalidRequest, "a parameter is not valid UTF-8");
const TOO_MANY: OAuthError = OAuthError::new(ErrorCode::InvalidRequest, "there are too many parameters");
const NOT_AN_OBJECT: OAuthError = OAuthError::new(ErrorCode::InvalidRequest, "the body is not a JSON object");

impl Parameters {
    /// Reads a query or an `application/x-www-form-urlencoded` body.
    pub fn from_form(raw: &[u8]) -> Result<Self, OAuthError> {
        Self::from_long_form(raw, COUNT_MAX)
    }

    /// The same for a form of our own that has more fields.
    pub fn from_long_form(raw: &[u8], count_max: usize) -> Result<Self, OAuthError> {
        let pairs: Vec<(String, String)> = form_urlencoded::parse(raw).into_owned().take(count_max + 1).collect();
        // The parser writes U+FFFD for bytes that are no UTF-8. `state` must go back byte for byte, so a replaced
        // byte is an error, unless the caller really sent that character.
        let replaced = |text: &str| text.contains('\u{fffd}');
        let sent = || {
            let raw = String::from_utf8_lossy(raw).to_ascii_lowercase();
            raw.contains("%ef%bf%bd")
        };
        if pairs.iter().any(|(name, value)| replaced(name) || replaced(value)) && !sent() {
            return Err(NOT_UTF8);
        }
        Self::bounded(pairs.into_iter().map(|(name, value)| (name, Some(value))).collect(), count_max)
    }

    /// Reads an `application/json` body: one flat object. `null` counts as not sent.
    pub fn from_json(raw: &[u8]) -> Result<Self, OAuthError> {
        json::measure(raw, BOUNDS).map_err(|_| NOT_AN_OBJECT)?;
        let Members(members) = serde_json::from_slice(raw).map_err(|_| NOT_AN_OBJECT)?;
        let pairs = members
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| match value {
                Value::String(text) => (name, Some(text)),
                _ => (name, None),
            })
            .collect();
        Self::bounded(pairs, COUNT_MAX)
    }

    fn bounded(pairs: Vec<(String, Option<String>)>, count_max: usize) -> Result<Self, OAuthError> {
        if pairs.len() > count_max { Err(TOO_MANY) } else { Ok(Self(pairs)) }
    }

    /// The value of a parameter that may stand once, with at most so many bytes.
    pub fn one(&self, name: &str, length_max: usize) -> Result<Option<&str>, OAuthError> {
        let mut values = self.0.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_deref());
        let value = values.next();
        if values.next().is_some() {
            return Err(invalid_request(format!("{name} is given more than once")));
        }
        let value = match value {
            Some(None) => return Err(invalid_request(format!("{name} is not a text"))),
            Some(text) => text,
            None => None,
        };
        if value.is_some_and(|value| value.len() > length_max) {
            return Err(invalid_request(format!("{name} is longer than {length_max} bytes")));
        }
        Ok(value.filter(|value| !value.is_empty()))
    }

    /// All values of a parameter that may stand more than once, as they came; those without a value are left out, and
    /// one that is no text is none.
    pub fn all(&self, name: &str) -> impl Iterator<Item = Option<&str>> {
        let values = self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_deref());
        values.filter(|value| *value != Some(""))
    }

    /// All of them in the order they came, without those that are no text.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().filter_map(|(name, value)| Some((name.as_str(), value.as_deref()?)))
    }

    /// The value of a parameter that must stand once.
    pub fn required(&self, name: &str, length_max: usize) -> Result<&str, OAuthError> {
        self.one(name, length_max)?.ok_or_else(|| invalid_request(format!("{name} is missing")))
    }
}

fn invalid_request(description: String) -> OAuthError {
    OAuthError::told(ErrorCode::InvalidRequest, description)
}

/// The members of a JSON object in order, repeated ones included: a map would silently keep the last.
struct Members(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Members;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                    if members.len() > COUNT_MAX {
                        break;
                    }
                }
                while map.next_entry::<serde::de::IgnoredAny, serde::de::IgnoredAny>()?.is_some() {}
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeated_parameter_is_refused_in_every_encoding() {
        for parameters in [
            Parameters::from_form(b"code=a&code=b").unwrap(),
            Parameters::from_form(b"code=a&code=a").unwrap(),
            Parameters::from_json(br#"{"code":"a","code":"b"}"#).unwrap(),
        ] {
            assert_eq!(parameters.one("code", 9).unwrap_err().code, ErrorCode::InvalidRequest);
        }
    }

    #[test]
    fn an_empty_parameter_counts_as_not_sent() {
        let parameters = Parameters::from_form(b"scope=&state").unwrap();
        assert_eq!(parameters.one("scope", 9), Ok(None));
        assert_eq!(parameters.one("state", 9), Ok(None));
        assert_eq!(Parameters::from_json(br#"{"scope":null}"#).unwrap().one("scope", 9), Ok(None));
    }

    #[test]
    fn bodies_that_are_not_what_they_say_are_refused() {
        for body in ["", "[]", "{\"a\":\"b\"", "nul", "{\"a\":\"\\ud800\"}"] {
            assert!(Parameters::from_json(body.as_bytes()).is_err(), "{body}");
        }
        assert!(Parameters::from_form(b"state=%ff").is_err());
        assert!(Parameters::from_form(b"state=%EF%BF%BD").is_ok());
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(10_000), "]".repeat(10_000));
        assert!(Parameters::from_json(deep.as_bytes()).is_err());
        let many = (0..=COUNT_MAX).map(|n| format!("p{n}=1")).collect::<Vec<_>>().join("&");
        assert!(Parameters::from_form(many.as_bytes()).is_err());
    }

    #[test]
    fn a_member_that_is_no_text_matters_only_to_whoever_asks_for_it() {
        let parameters = Parameters::from_json(br#"{"code":"c","state":1,"extra":{"deep":[1]}}"#).unwrap();
        assert_eq!(parameters.one("code", 9), Ok(Some("c")));
        assert_eq!(parameters.one("state", 9).unwrap_err().description, "state is not a text");
    }

    #[test]
    fn a_long_value_is_refused_by_name() {
        let error = Parameters::from_form(b"code=12345").unwrap().one("code", 4).unwrap_err();
        assert_eq!(error.description, "code is longer than 4 bytes");
    }
}
