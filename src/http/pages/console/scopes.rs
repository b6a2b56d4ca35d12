//! The console's page about what clients may ask for.

use askama::Template;

use super::{super::super::assets, Frame, Layout, Section};
use crate::{
    protocol::manifest::openapi::{self, NotADescription},
    registry::{Wrong, scopes::ScopeForm},
};

/// What clients may ask for, `GET /console/plugins/{slug}/scopes`.
#[derive(Debug, Clone, Template)]
#[template(path = "console/scopes.html")]
pub struct ScopesPage {
    /// Shared by all pages.
    pub layout: Layout,
    /// Shared by the console.
    pub frame: Frame,
    /// The plugin's short name.
    pub slug: String,
    /// Its version when it was read.
    pub version: i64,
    /// The names that it has, which stay.
    pub known: Vec<String>,
    /// What stands in the fields.
    pub scopes: Vec<ScopeForm>,
    /// What is wrong with it.
    pub wrong: Vec<Wrong>,
}

/// Empty lines for what is to be added.
const EMPTY_LINES: usize = 2;

impl ScopesPage {
    fn is_known(&self, scope: &ScopeForm) -> bool {
        self.known.contains(&scope.name)
    }

    /// The lines of the form, with some empty ones at the end.
    fn lines(&self) -> Vec<ScopeForm> {
        let empty = ScopeForm { name: String::new(), words: String::new(), optional: false };
        self.scopes.iter().cloned().chain(std::iter::repeat_n(empty, EMPTY_LINES)).collect()
    }

    /// Whether its sentence is still the one that was made of its name.
    fn is_proposed(&self, scope: &ScopeForm) -> bool {
        self.is_known(scope) && scope.words == openapi::plain_words(&scope.name)
    }

    /// What is wrong with the name of one, beside which it is said.
    fn wrong_name(&self, scope: &ScopeForm) -> Option<&'static str> {
        let same_name = self.scopes.iter().filter(|other| other.name == scope.name).count();
        match openapi::scope(&scope.name, &scope.words) {
            _ if self.wrong.is_empty() || !self.scopes.contains(scope) => None,
            _ if scope.name.is_empty() => Some("Its name is missing."),
            _ if same_name > 1 => Some("This name stands twice."),
            Err(NotADescription::Name(_)) => Some("A name has no space, quote, backslash or letter beyond ASCII."),
            _ => None,
        }
    }

    /// The same for its sentence.
    fn wrong_words(&self, scope: &ScopeForm) -> Option<&'static str> {
        let is_long = matches!(openapi::scope(&scope.name, &scope.words), Err(NotADescription::Words(_)));
        (is_long && !self.wrong.is_empty()).then_some("It is too long: people will not read it.")
    }
}
