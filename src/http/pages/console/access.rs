//! The page of the console about who may connect.

use askama::Template;

use super::{super::super::assets, Field, Frame, Layout, Section, wrong_with};
use crate::registry::Wrong;

/// Who may connect, `GET /console/plugins/{slug}/access`; with what would come of a change, where that shuts people out.
#[derive(Debug, Clone, Template)]
#[template(path = "console/access.html")]
pub struct AccessPage {
    /// Shared by all pages.
    pub layout: Layout,
    /// Shared by the console.
    pub frame: Frame,
    /// The plugin's short name.
    pub slug: String,
    /// The version of the plugin that is shown.
    pub version: i64,
    /// Whether everybody may.
    pub is_open: bool,
    /// Who else.
    pub rules: Vec<RuleLine>,
    /// What could be granted: a name, its sentence, and whether it is ticked.
    pub scopes: Vec<(String, String, bool)>,
    /// Whether all of it is.
    pub grants_all: bool,
    /// Whom somebody typed.
    pub who: String,
    /// What is to be confirmed.
    pub asked: Option<Asked>,
    /// What is wrong.
    pub wrong: Vec<Wrong>,
}

/// Somebody who may connect, in the list.
#[derive(Debug, Clone)]
pub struct RuleLine {
    /// As an owner writes it.
    pub who: String,
    /// What they may grant; none for everything.
    pub grants: Option<String>,
}

/// A change that shuts people out.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The word of its button.
    pub change: String,
    /// Whom, in words.
    pub people: String,
}

impl AccessPage {
    fn wrong_with(&self, field: &str) -> Vec<&str> {
        wrong_with(&self.wrong, field)
    }
}

/// The account for reviewers, `GET /console/plugins/{slug}/reviewer`.
#[derive(Clone, Template)]
#[template(path = "console/reviewer.html")]
pub struct ReviewerPage {
    /// Shared by all pages.
    pub layout: Layout,
    /// Shared by the console.
    pub frame: Frame,
    /// The plugin's short name.
    pub slug: String,
    /// The account, if there was one.
    pub access: Option<Access>,
    /// Its password, where it was made a moment ago.
    pub password: Option<String>,
    /// How many days somebody typed.
    pub days: String,
    /// What is wrong.
    pub wrong: Vec<Wrong>,
}

/// How reviewers get in.
#[derive(Debug, Clone)]
pub struct Access {
    /// What they sign in with.
    pub name: String,
    /// Until when.
    pub until: String,
    /// Whether that is over.
    pub is_over: bool,
}

impl ReviewerPage {
    fn stands(&self) -> bool {
        self.access.as_ref().is_some_and(|access| !access.is_over)
    }

    fn field(&self) -> Field<'_, &str> {
        Field {
            hint: Some("From today on; at most 180. Everything that was begun with the account ends then."),
            value: &self.days,
            wrong: wrong_with(&self.wrong, "days"),
            ..Field::new("days", "Days", ("number", 3))
        }
    }
}
