//! JSON from strangers (RFC 8259): measured before anything is built from it, and read without guessing.
//!
//! Metadata documents, key sets, registrations and assertions all pass here. A member that stands twice is refused at
//! any depth: two readers that pick different copies are an attack of their own.

use std::fmt;

use serde::de::{self, DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use super::legible;

/// What a text may have at most.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Its length.
    pub bytes: usize,
    /// Objects and arrays inside each other, the outermost included.
    pub depth: usize,
}

/// Why a text is not read; each message continues a sentence whose subject is the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAnObject {
    /// Longer than it may be.
    #[error("has {has} bytes; at most {most} are read")]
    TooLong {
        /// How long it is.
        has: usize,
        /// How long it may be.
        most: usize,
    },
    /// More objects and arrays inside each other than anything honest has.
    #[error("is nested more than {0} levels deep")]
    TooDeep(usize),
    /// A member stands twice in one object.
    #[error("has the member {0} twice")]
    Twice(String),
    /// JSON, but with a number larger than there are any here, or half of a surrogate pair. Refused wherever it stands:
    /// left out, it would make a member look as if it were not there.
    #[error("has a number or a text that cannot be read, in {0}")]
    Unreadable(String),
    /// Not JSON, or JSON of another kind.
    #[error("is not a JSON object")]
    Malformed,
}

/// Refuses a text that is too long or nested too deeply, without building anything from it.
pub fn measure(text: &[u8], bounds: Bounds) -> Result<(), NotAnObject> {
    if text.len() > bounds.bytes {
        return Err(NotAnObject::TooLong { has: text.len(), most: bounds.bytes });
    }
    if depth(text) > bounds.depth {
        return Err(NotAnObject::TooDeep(bounds.depth));
    }
    Ok(())
}

/// Reads one JSON object.
pub fn object(text: &[u8], bounds: Bounds) -> Result<Map<String, Value>, NotAnObject> {
    measure(text, bounds)?;
    let mut stopped = Stopped::default();
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let value = Unique(&mut stopped).deserialize(&mut deserializer).and_then(|value| {
        deserializer.end()?;
        Ok(value)
    });
    match (value, stopped) {
        (_, Stopped { twice: Some(name), .. }) => Err(NotAnObject::Twice(legible::in_a_description(&name))),
        (Ok(Value::Object(members)), _) => Ok(members),
        (Err(_), Stopped { inside, .. }) if is_json_object(text) => {
            let place = inside.map(|name| legible::in_a_description(&name));
            Err(NotAnObject::Unreadable(place.unwrap_or_else(|| "the name of a member".to_owned())))
        }
        (Ok(_) | Err(_), _) => Err(NotAnObject::Malformed),
    }
}

/// Whether the grammar takes it, without asking what its numbers and escapes mean.
fn is_json_object(text: &[u8]) -> bool {
    let opens = text.trim_ascii_start().starts_with(b"{");
    opens && std::str::from_utf8(text).is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok())
}

/// The deepest nesting. Of text that is not JSON it may be anything; the reader refuses that afterwards.
fn depth(text: &[u8]) -> usize {
    let (mut deepest, mut open) = (0_usize, 0_usize);
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'{' | b'[' => open += 1,
            b'}' | b']' => open = open.saturating_sub(1),
            b'"' => skip_string(&mut bytes),
            _ => {}
        }
        deepest = deepest.max(open);
    }
    deepest
}

/// Brackets inside a string nest nothing.
fn skip_string<'a>(bytes: &mut impl Iterator<Item = &'a u8>) {
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => _ = bytes.next(),
            b'"' => return,
            _ => {}
        }
    }
}

/// Where reading stopped before the end.
#[derive(Default)]
struct Stopped {
    /// At this member's second standing.
    twice: Option<String>,
    /// Somewhere in this member; the outermost one when they stand in each other.
    inside: Option<String>,
}

/// Builds a value and stops at the first member that stands twice.
struct Unique<'a>(&'a mut Stopped);

impl<'de> DeserializeSeed<'de> for Unique<'_> {
    type Value = Value;

    fn deserialize<D: de::Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Unique<'_> {
    type Value = Value;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("JSON")
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = sequence.next_element_seed(Unique(&mut *self.0))? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            if members.contains_key(&name) {
                self.0.twice = Some(name);
                return Err(de::Error::custom("a member stands twice"));
            }
            match map.next_value_seed(Unique(&mut *self.0)) {
                Ok(value) => members.insert(name, value),
                Err(error) => {
                    self.0.inside = Some(name);
                    return Err(error);
                }
            };
        }
        Ok(Value::Object(members))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Bounds = Bounds { bytes: 64, depth: 3 };

    #[test]
    fn an_object_is_read_whole() {
        let text = r#"{"a":[1,-2,0.5,"x",{}],"b":null,"c":true}"#;
        assert_eq!(Value::Object(object(text.as_bytes(), SMALL).unwrap()), text.parse::<Value>().unwrap());
    }

    #[test]
    fn whatever_is_not_one_object_is_refused() {
        for text in ["", "[]", "1", "nul", "{", "{}{}", "{} x", "{a:1}", "{\"a\":01}", "{\"a\":1e999", "[1e999]"] {
            assert_eq!(object(text.as_bytes(), SMALL), Err(NotAnObject::Malformed), "{text}");
        }
        assert_eq!(object(b"{\"a\":\"\xff\"}", SMALL), Err(NotAnObject::Malformed));
    }

    #[test]
    fn what_is_json_and_cannot_be_read_is_told_where_it_stands() {
        for (text, place) in [
            (r#"{"a":1e999}"#, "a"),
            (r#"{"a":"\ud800"}"#, "a"),
            (r#"{"b":1,"a":[{"c":-1e400}]}"#, "a"),
            (r#" {"\udfff":1}"#, "the name of a member"),
            (r#"{"a \"b\"":"\udc00\ud800"}"#, "a 'b'"),
        ] {
            assert_eq!(object(text.as_bytes(), SMALL), Err(NotAnObject::Unreadable(place.into())), "{text}");
        }
        let told = object(br#"{"a":1e999}"#, SMALL).unwrap_err().to_string();
        assert_eq!(told, "has a number or a text that cannot be read, in a");
        assert!(object(br#"{"a":"\ud83d\ude42","b":1e308,"c":0.000001e-999}"#, SMALL).is_ok(), "these can be read");
    }

    #[test]
    fn what_is_long_or_deep_is_refused_before_it_is_built() {
        let long = format!("{{{}}}", " ".repeat(63));
        assert_eq!(object(long.as_bytes(), SMALL), Err(NotAnObject::TooLong { has: 65, most: 64 }));
        assert!(object(br#"{"a":[[1]]}"#, SMALL).is_ok());
        assert_eq!(object(br#"{"a":[[[1]]]}"#, SMALL), Err(NotAnObject::TooDeep(3)));
        let deep = "[".repeat(1_000_000);
        let roomy = Bounds { bytes: 2_000_000, depth: 8 };
        assert_eq!(object(deep.as_bytes(), roomy), Err(NotAnObject::TooDeep(8)));
        assert!(object(br#"{"a":"[[[[[[\"[[[["}"#, SMALL).is_ok(), "brackets in a string nest nothing");
    }

    #[test]
    fn a_member_that_stands_twice_is_refused_at_any_depth() {
        for text in [r#"{"a":1,"a":1}"#, r#"{"b":[{"a":1,"a":2}]}"#, r#"{"a":1,"\u0061":2}"#] {
            assert_eq!(object(text.as_bytes(), SMALL), Err(NotAnObject::Twice("a".into())), "{text}");
        }
        assert!(object(br#"{"a":{"a":1}}"#, SMALL).is_ok());
    }
}
