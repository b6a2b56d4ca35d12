//! A form of the console that came after its sender was signed out: what was typed stands in it, to be sent once more when
//! they have signed in again, in another tab.

use askama::Template;

use super::{super::super::assets, Layout};

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
}
