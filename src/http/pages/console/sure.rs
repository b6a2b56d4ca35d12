//! The question before a change that nobody can simply take back: what ends, and one button. Its form is the one that was
//! sent, with `confirmed`.

use askama::Template;

use super::{super::assets, Frame, Layout, Section, Wrong};

/// The page; it answers the form that asks for the change.
#[derive(Debug, Clone, Template)]
#[template(path = "console/sure.html")]
pub struct SurePage {
    /// Shared by all pages.
    pub layout: Layout,
    /// Shared by the console.
    pub frame: Frame,
    /// The plugin's short name.
    pub slug: String,
    /// What is asked.
    pub asked: Question,
}

/// A question about a change of a plugin.
#[derive(Debug, Clone, Default)]
pub struct Question {
    /// The question.
    pub question: String,
    /// What ends at once, in a sentence.
    pub ends: String,
    /// What else it means.
    pub then: String,
    /// Where the form goes, after the plugin's own address.
    pub action: String,
    /// What it says once more.
    pub fields: Vec<(&'static str, String)>,
    /// The button.
    pub button: &'static str,
    /// Where everything stays as it is, after the plugin's own address.
    pub back: String,
    /// What is wrong with the change.
    pub wrong: Vec<Wrong>,
}

/// A name that somebody chose, in the middle of a sentence whose direction it must not turn (UAX #9, isolates).
pub fn isolated(name: &str) -> String {
    format!("\u{2068}{name}\u{2069}")
}
