//! The page of the console about tokens for the owners' API.

use askama::Template;

use super::{super::super::assets, Choice, Frame, Layout, Line, Section, wrong_with};
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
    /// The text of one that was made a moment ago.
    pub made: Option<String>,
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
    fn name_line(&self) -> Line<'_> {
        Line {
            name: "name",
            label: "Name",
            hint: "So that you know it again: what uses it, and where.",
            kind: "text",
            length_max: 100,
            required: true,
            value: &self.form.name,
            wrong: wrong_with(&self.wrong, "name"),
        }
    }

    fn days_line(&self) -> Line<'_> {
        Line {
            name: "days",
            label: "For how many days",
            hint: "From 1 to 366.",
            kind: "text",
            length_max: 3,
            required: true,
            value: &self.form.days,
            wrong: wrong_with(&self.wrong, "days"),
        }
    }
}
