//! The page of the console about tokens for the owners' API.

use askama::Template;

use super::{super::super::assets, Choice, Field, Frame, Layout, Section, wrong_with};
use crate::registry::{Wrong, owner_tokens::OwnerTokenForm};

/// What programs show to the owners' API, `/console/tokens`.
#[derive(Debug, Clone, Template)]
#[template(path = "console/tokens.html")]
pub struct TokensPage {
    /// Shared by all pages.
    pub layout: Layout,
    /// Shared by the console.
    pub frame: Frame,
    /// Those that are good, the newest first.
    pub tokens: Vec<TokenLine>,
    /// The name and the text of one that was made a moment ago.
    pub made: Option<(String, String)>,
    /// What one may be used for.
    pub scopes: Vec<Choice>,
    /// What was typed.
    pub form: OwnerTokenForm,
    /// What is wrong with it.
    pub wrong: Vec<Wrong>,
}

/// A token in the list.
#[derive(Debug, Clone)]
pub struct TokenLine {
    /// Its id.
    pub id: String,
    /// What its owner calls it.
    pub name: String,
    /// What it may be used for.
    pub scopes: String,
    /// When it was made, when it ends, and when it was used.
    pub says: String,
}

impl TokensPage {
    fn wrong_with(&self, field: &str) -> Vec<&str> {
        wrong_with(&self.wrong, field)
    }

    fn name_field(&self) -> Field<'_, &str> {
        Field {
            hint: Some("So that you know it again: what uses it, and where."),
            value: &self.form.name,
            wrong: wrong_with(&self.wrong, "name"),
            ..Field::new("name", "Name", ("text", 100))
        }
    }

    fn days_field(&self) -> Field<'_, &str> {
        Field {
            hint: Some("From 1 to 366."),
            value: &self.form.days,
            wrong: wrong_with(&self.wrong, "days"),
            ..Field::new("days", "For how many days", ("text", 3))
        }
    }
}
