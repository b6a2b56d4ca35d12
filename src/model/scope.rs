//! Scopes (RFC 6749 §3.3): sets of names, and a plugin's catalogue that says what each name lets a client do.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

use serde::{Deserialize, Serialize};

/// The most scopes a plugin may have: a code carries them as bits of one number.
pub const CATALOGUE_MAX: usize = 128;

/// The longest scope name.
pub const NAME_LENGTH_MAX: usize = 128;

/// A set of scope names; displayed as RFC 6749's space-separated list, in alphabetical order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes(BTreeSet<String>);

/// A text that is not a list of scope names.
#[derive(Debug, thiserror::Error)]
#[error("a scope has a character outside RFC 6749 §3.3, or is longer than {NAME_LENGTH_MAX} characters")]
pub struct NotScopes;

impl Scopes {
    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The names, in alphabetical order.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// Whether the name is in the set.
    pub fn contains(&self, name: &str) -> bool {
        self.0.contains(name)
    }

    /// What both sets have.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        Self(self.0.intersection(&other.0).cloned().collect())
    }

    /// What either set has.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self(self.0.union(&other.0).cloned().collect())
    }

    /// What this set has and the other has not.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        Self(self.0.difference(&other.0).cloned().collect())
    }

    /// Whether every name of this set is in the other.
    pub fn is_subset(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }
}

impl FromStr for Scopes {
    type Err = NotScopes;

    fn from_str(text: &str) -> Result<Self, NotScopes> {
        let legal = |b: u8| matches!(b, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        // Tolerates doubled and outer spaces: real callers send them, and they mean nothing else.
        text.split(' ')
            .filter(|name| !name.is_empty())
            .map(|name| {
                let fits = name.len() <= NAME_LENGTH_MAX && name.bytes().all(legal);
                if fits { Ok(name.to_owned()) } else { Err(NotScopes) }
            })
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

impl<'a> FromIterator<&'a str> for Scopes {
    /// Gathers names that are already known to be legal.
    fn from_iter<I: IntoIterator<Item = &'a str>>(names: I) -> Self {
        Self(names.into_iter().map(str::to_owned).collect())
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, name) in self.iter().enumerate() {
            let space = if position == 0 { "" } else { " " };
            write!(out, "{space}{name}")?;
        }
        Ok(())
    }
}

/// One entry of a plugin's catalogue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// The name on the wire.
    pub name: String,
    /// What it lets a client do, in a plain sentence for the consent page.
    pub words: String,
    /// The same in other languages, by their tags (RFC 5646).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub translations: BTreeMap<String, String>,
    /// Whether a person may leave it out and allow the rest.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub optional: bool,
    /// Whether a person must show a second factor just before they allow it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub step_up: bool,
}

impl Scope {
    /// A scope that is described in one language.
    pub fn new(name: impl Into<String>, words: impl Into<String>) -> Self {
        Self { name: name.into(), words: words.into(), translations: BTreeMap::new(), optional: false, step_up: false }
    }

    /// What it lets a client do, in a language if there are words in it.
    pub fn words_in(&self, language: &str) -> &str {
        self.translations.get(language).unwrap_or(&self.words)
    }
}

/// A plugin's scopes. Entries are only ever appended, so that a position keeps its meaning in codes in flight.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Catalogue(Vec<Scope>);

/// The catalogue has no room for another scope.
#[derive(Debug, thiserror::Error)]
#[error("a plugin can have at most {CATALOGUE_MAX} scopes")]
pub struct CatalogueFull;

impl Catalogue {
    /// The entries, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Scope> {
        self.0.iter()
    }

    /// All names.
    pub fn names(&self) -> Scopes {
        self.iter().map(|scope| scope.name.as_str()).collect()
    }

    /// Adds a scope, or changes the words of the one that has its name.
    pub fn put(&mut self, scope: Scope) -> Result<(), CatalogueFull> {
        if let Some(known) = self.0.iter_mut().find(|known| known.name == scope.name) {
            *known = scope;
        } else if self.0.len() < CATALOGUE_MAX {
            self.0.push(scope);
        } else {
            return Err(CatalogueFull);
        }
        Ok(())
    }

    /// What a person agrees to who was asked for some scopes and ticked these of the ones that may be left out. `None`
    /// when nothing is left of what was asked for: that is no yes.
    pub fn agreed(&self, asked: &Scopes, ticked: &Scopes) -> Option<Scopes> {
        let names = self.iter().filter(|scope| !scope.optional || ticked.contains(&scope.name));
        let agreed: Scopes = names.map(|scope| scope.name.as_str()).filter(|name| asked.contains(name)).collect();
        (asked.is_empty() || !agreed.is_empty()).then_some(agreed)
    }

    /// The set as bits: bit *n* is the entry at position *n*. Names that are not in the catalogue are left out.
    pub fn bits(&self, scopes: &Scopes) -> u128 {
        self.0
            .iter()
            .enumerate()
            .filter(|(_, scope)| scopes.contains(&scope.name))
            .fold(0, |bits, (position, _)| bits | 1 << position)
    }

    /// The set the bits stand for. Bits beyond the catalogue are left out.
    pub fn scopes(&self, bits: u128) -> Scopes {
        self.0
            .iter()
            .enumerate()
            .filter(|(position, _)| bits & (1 << position) != 0)
            .map(|(_, scope)| scope.name.as_str())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scope_text_is_read_as_a_set() {
        let scopes: Scopes = " todo.write  todo.read todo.write ".parse().unwrap();
        assert_eq!(scopes.to_string(), "todo.read todo.write");
        assert!("".parse::<Scopes>().unwrap().is_empty());
    }

    #[test]
    fn characters_outside_the_grammar_are_refused() {
        for text in ["a\"b", "a\\b", "a\tb", "ä", "a\u{0}b"] {
            assert!(text.parse::<Scopes>().is_err(), "{text:?}");
        }
        assert!("x".repeat(NAME_LENGTH_MAX + 1).parse::<Scopes>().is_err());
    }

    #[test]
    fn only_what_was_asked_is_agreed_to_and_only_what_is_optional_left_out() {
        let mut catalogue = Catalogue::default();
        for (name, optional) in [("read", false), ("write", true), ("share", true), ("admin", false)] {
            catalogue.put(Scope { optional, ..Scope::new(name, "") }).unwrap();
        }
        let agreed = |asked: &str, ticked: &str| {
            catalogue.agreed(&asked.parse().unwrap(), &ticked.parse().unwrap()).map(|agreed| agreed.to_string())
        };
        assert_eq!(agreed("read write", "").as_deref(), Some("read"));
        assert_eq!(agreed("read write", "write").as_deref(), Some("read write"));
        assert_eq!(agreed("read write", "write share admin unknown").as_deref(), Some("read write"));
        assert_eq!(agreed("write", "share"), None);
        assert_eq!(agreed("", "write").as_deref(), Some(""));
    }

    #[test]
    fn bits_survive_the_way_there_and_back() {
        let mut catalogue = Catalogue::default();
        for position in 0..CATALOGUE_MAX {
            catalogue.put(Scope::new(format!("s{position}"), "")).unwrap();
        }
        let full = Scope::new("more", "");
        assert!(catalogue.put(full).is_err());
        let asked: Scopes = "s0 s77 s127 unknown".parse().unwrap();
        assert_eq!(catalogue.scopes(catalogue.bits(&asked)).to_string(), "s0 s127 s77");
    }
}
