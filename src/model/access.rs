//! Who may connect to a plugin, and which of its scopes they may grant.

use std::{fmt, str::FromStr};

use super::{account::Email, id::GroupId, scope::Scopes};

/// The most rules of a plugin. Every refresh at a plugin that is not open to everybody looks through them; who has more
/// people to name puts them into a group.
pub const RULES_MAX: usize = 100;

/// Who may connect.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// Everybody, and they may grant every scope.
    #[default]
    Open,
    /// Whom one of these names; each may grant what the rules that name them say together.
    Only(Vec<Rule>),
}

/// Somebody who may connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// Who.
    pub who: Who,
    /// What they may grant.
    pub grants: Grants,
}

/// Whom a rule names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Who {
    /// Everybody with an account.
    Everyone,
    /// Whose confirmed address is at this host, and at none below it.
    Domain(Domain),
    /// Whose confirmed address is this.
    Person(Email),
    /// Who is in this group.
    Group(Group),
}

/// A group, which is known by its id: another one that gets its name some day is another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Row id.
    pub id: GroupId,
    /// What it is called.
    pub name: GroupName,
}

/// Which scopes may be granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Grants {
    /// Every one there is and will be.
    Everything,
    /// These.
    These(Scopes),
}

/// The part of an address after its `@`, in the letters it is written in there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain(String);

/// A group's name: letters that are alike to nobody's eyes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct GroupName(String);

/// A text that is not a domain.
#[derive(Debug, thiserror::Error)]
#[error("not the domain of an address")]
pub struct NotADomain;

/// A text that is no group's name.
#[derive(Debug, thiserror::Error)]
#[error(
    "a group's name has up to 64 of the letters a to z, digits, dots and hyphens, and begins with a letter or a digit"
)]
pub struct NotAGroupName;

/// Stands in a list of scopes for every scope; no scope can be called so (RFC 6749 §3.3).
const EVERYTHING: char = '"';

impl Grants {
    /// Reads what the rules that name somebody say together, as the database joins them.
    ///
    /// # Errors
    ///
    /// When a word is no scope's name.
    pub fn of_words(words: &str) -> Result<Self, super::scope::NotScopes> {
        if words.contains(EVERYTHING) { Ok(Self::Everything) } else { Ok(Self::These(words.parse()?)) }
    }

    /// What of these scopes may be granted; none where nothing is left of them. To connect with no scope at all is to use
    /// the plugin as a whole, so it is only for whom it is open as a whole.
    pub fn of(&self, scopes: &Scopes) -> Option<Scopes> {
        match self {
            Self::Everything => Some(scopes.clone()),
            Self::These(these) => Some(scopes.intersection(these)).filter(|left| !left.is_empty()),
        }
    }
}

impl Access {
    /// The rules there are; none where everybody may.
    pub fn rules(&self) -> &[Rule] {
        match self {
            Self::Open => &[],
            Self::Only(rules) => rules,
        }
    }
}

impl Domain {
    /// As it is compared.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Domain {
    type Err = NotADomain;

    /// ASCII letters alone: a name in other ones looks like another one too easily. An address whose domain is written in
    /// them is named by no domain; the person can be.
    fn from_str(text: &str) -> Result<Self, NotADomain> {
        let domain = text.trim().to_ascii_lowercase();
        let is_label = |label: &str| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        };
        let fits = domain.len() <= 253 && domain.contains('.') && domain.split('.').all(is_label);
        if fits { Ok(Self(domain)) } else { Err(NotADomain) }
    }
}

impl GroupName {
    /// As it is compared.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for GroupName {
    type Err = NotAGroupName;

    fn from_str(text: &str) -> Result<Self, NotAGroupName> {
        let name = text.trim().to_ascii_lowercase();
        let fits = (1..=64).contains(&name.len())
            && name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-'));
        if fits { Ok(Self(name)) } else { Err(NotAGroupName) }
    }
}

impl fmt::Display for GroupName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl fmt::Display for Who {
    /// As owners write it.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Everyone => out.write_str("everyone"),
            Self::Domain(domain) => write!(out, "@{}", domain.0),
            Self::Person(email) => email.fmt(out),
            Self::Group(group) => write!(out, "group:{}", group.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_what_stands_in_addresses() {
        for (text, domain) in [
            ("corp.example", "corp.example"),
            (" CORP.Example ", "corp.example"),
            ("xn--p1b.example", "xn--p1b.example"),
        ] {
            assert_eq!(text.parse::<Domain>().unwrap().as_str(), domain);
        }
        let long = format!("{}.example", "a".repeat(64));
        for text in [
            "",
            "localhost",
            "corp.example.",
            ".corp.example",
            "corp..example",
            "*.example",
            "corp_x.example",
            "-a.example",
            "a-.example",
            "corp.example/x",
            "a@corp.example",
            "c\u{430}rp.example",
            "%.example",
            "corp.example\0",
            &long,
        ] {
            assert!(text.parse::<Domain>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_groups_name_looks_like_no_other() {
        assert_eq!(" Staff-2 ".parse::<GroupName>().unwrap().as_str(), "staff-2");
        for text in ["", "-staff", "st aff", "st\u{430}ff", "a:b", &"x".repeat(65)] {
            assert!(text.parse::<GroupName>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn what_rules_say_together_is_all_of_it() {
        let scopes = |text: &str| text.parse::<Scopes>().unwrap();
        let of = |words: &str, asked: &str| {
            Grants::of_words(words).unwrap().of(&scopes(asked)).map_or("nothing".to_owned(), |left| left.to_string())
        };
        assert_eq!(of("read", "read write"), "read");
        assert_eq!(of("read write read", "write share"), "write");
        assert_eq!(of("read \"", "write share"), "share write");
        assert_eq!(of("\"", ""), "");
        assert_eq!(of("", "read"), "nothing");
        assert_eq!(of("read", ""), "nothing", "the plugin as a whole is more than some of its scopes");
        assert_eq!(of("*", "read"), "nothing", "a scope may be called so, and means nothing more");
    }
}
