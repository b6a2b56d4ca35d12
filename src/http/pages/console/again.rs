//! A form of the console that came after its sender was signed out: what was typed stands in it, to be sent once more when
//! they have signed in again, in another tab.

use askama::Template;

use super::{super::super::assets, Field, Layout, secrets};

/// The page; its form is the one that was sent.
#[derive(Debug, Clone, Template)]
#[template(path = "console/again.html")]
pub struct AgainPage {
    /// Shared by all pages.
    pub layout: Layout,
    /// Where the form goes, after the public URL's own path: where it went.
    pub action: String,
    /// What it said.
    pub fields: Vec<(String, String)>,
    /// Whether an API key was typed, which is not among them.
    pub asks_for_a_key: bool,
}

impl AgainPage {
    /// The one field that is typed once more.
    fn value_field() -> Field<'static, &'static str> {
        secrets::value_field(&[], "Key")
    }
}
