//! The console's pages about API keys. None of them has a field for a value that was typed: it goes in and stays there.

use askama::Template;

use super::{super::super::assets, Badge, Choice, Field, Frame, Layout, Section, wrong_with};
use crate::registry::Wrong;

/// The API keys of a plugin, `GET /console/plugins/{slug}/secrets`.
#[derive(Debug, Clone, Template)]
#[template(path = "console/secrets.html")]
pub struct SecretsPage {
    /// Shared by all pages.
    pub layout: Layout,
    /// Shared by the console.
    pub frame: Frame,
    /// The plugin's short name.
    pub slug: String,
    /// The host they go to; none where the operator has set another address for the API.
    pub goes_to: Option<String>,
    /// By name.
    pub secrets: Vec<PluginSecretLine>,
    /// Removed ones of which something is left where they were issued: what they were called, and what is left.
    pub removed: Vec<(String, String)>,
    /// Where whoever has not lately shown that it is them does so first, after the public URL.
    pub proof: Option<String>,
    /// What was typed as a name.
    pub name: String,
    /// How and where the new one is to be used.
    pub usage: Usage,
    /// What is wrong with it.
    pub wrong: Vec<Wrong>,
}

/// An API key in the list.
#[derive(Debug, Clone)]
pub struct PluginSecretLine {
    /// What its owners call it.
    pub name: String,
    /// Where it stands.
    pub badge: Badge,
    /// Where it is used, as far as there is room.
    pub routes: Vec<String>,
    /// How many routes more there are; none in most cases.
    pub more: Option<usize>,
    /// Its newest version, when that was put away, used, and is to be replaced.
    pub says: String,
    /// What is still to be ended where it was issued.
    pub left: Option<String>,
}

/// One API key, `GET /console/plugins/{slug}/secrets/{name}`.
#[derive(Debug, Clone, Template)]
#[template(path = "console/secret.html")]
pub struct SecretPage {
    /// Shared by all pages.
    pub layout: Layout,
    /// Shared by the console.
    pub frame: Frame,
    /// The plugin's short name.
    pub slug: String,
    /// What its owners call it.
    pub name: String,
    /// Its revision when it was read.
    pub revision: i64,
    /// The number of its newest version when it was read.
    pub version: i64,
    /// Where it stands.
    pub badge: Badge,
    /// How it stands in a request: what is before it.
    pub injection: String,
    /// Where it is used, as it is.
    pub routes: Vec<String>,
    /// What else is known of it: what it is, and what is so.
    pub facts: Vec<(&'static str, String)>,
    /// Since when the server cannot make a new version, and why.
    pub failing: Option<(String, String)>,
    /// Where the server looks for new versions, so that none is typed here.
    pub follows: Option<String>,
    /// Its versions, the newest first.
    pub versions: Vec<VersionLine>,
    /// Where whoever has not lately shown that it is them does so first, after the public URL.
    pub proof: Option<String>,
    /// For how long the version before stays good this once.
    pub overlaps: Vec<Choice>,
    /// How and where it is used, as it stands in the fields.
    pub usage: Usage,
    /// What is wrong.
    pub wrong: Vec<Wrong>,
}

/// A version in the list.
#[derive(Debug, Clone)]
pub struct VersionLine {
    /// Its number.
    pub number: i64,
    /// Where it stands.
    pub badge: Badge,
    /// When it was put away, used, and ends.
    pub says: String,
    /// Whether it can be ended.
    pub can_end: bool,
}

/// What stands in the fields about how and where a key is used.
#[derive(Debug, Clone)]
pub struct Usage {
    /// One in each line.
    pub routes: String,
    /// The header.
    pub header: String,
    /// What stands before it there.
    pub prefix: String,
    /// How often it is to be replaced.
    pub ages: Vec<Choice>,
    /// Who makes new ones; empty where there is nothing to choose.
    pub makers: Vec<Choice>,
    /// How long the version before stays good; none where that is not asked.
    pub overlaps: Option<Vec<Choice>>,
}

impl Usage {
    fn header_field<'a>(&'a self, wrong: &'a [Wrong]) -> Field<'a, &'a str> {
        Field {
            hint: Some(
                "authorization for most APIs; x-api-key and the like for some. Your API's documentation says which.",
            ),
            value: &self.header,
            wrong: wrong_with(wrong, "header"),
            ..Field::new("header", "Header", ("text", 64))
        }
    }

    fn prefix_field<'a>(&'a self, wrong: &'a [Wrong]) -> Field<'a, &'a str> {
        // A key that is there has one, if an empty one.
        let hint = match self.overlaps {
            None => {
                "What stands before the key in the header. Where this is empty: Bearer in authorization, nothing elsewhere."
            }
            Some(_) => "What stands before the key in the header, such as Bearer. Empty where the key stands alone.",
        };
        Field {
            optional: Some("optional"),
            hint: Some(hint),
            value: &self.prefix,
            wrong: wrong_with(wrong, "prefix"),
            ..Field::new("prefix", "Word before the key", ("text", 32))
        }
    }
}

/// The field for a key. Nothing ever stands in it.
pub(super) fn value_field<'a>(wrong: &'a [Wrong], label: &'a str) -> Field<'a, &'a str> {
    Field {
        hint: Some("Paste it here. It is kept sealed, put into requests, and shown to nobody again, not even to you."),
        wrong: wrong_with(wrong, "value"),
        ..Field::new("value", label, ("password", 8192))
    }
}

impl SecretsPage {
    fn name_field(&self) -> Field<'_, &str> {
        Field {
            hint: Some("So that you know it again, such as upstream-key: small letters, digits and hyphens."),
            value: &self.name,
            wrong: wrong_with(&self.wrong, "name"),
            ..Field::new("name", "Name", ("text", 64))
        }
    }

    fn value_field(&self) -> Field<'_, &str> {
        value_field(&self.wrong, "Key")
    }

    fn wrong_with(&self, field: &str) -> Vec<&str> {
        wrong_with(&self.wrong, field)
    }
}

impl SecretPage {
    fn value_field(&self) -> Field<'_, &str> {
        value_field(&self.wrong, "New key")
    }

    fn wrong_with(&self, field: &str) -> Vec<&str> {
        wrong_with(&self.wrong, field)
    }
}
