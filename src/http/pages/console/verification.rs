//! The console's page about verification.

use askama::Template;

use super::{super::super::assets, Frame, Layout, Section, wrong_with};
use crate::{model::verification::Finding, registry::Wrong};

/// Whether an assistant finds what it looks for, `GET /console/plugins/{slug}/verification`.
#[derive(Debug, Clone, Template)]
#[template(path = "console/verification.html")]
pub struct VerificationPage {
    /// Shared by all pages.
    pub layout: Layout,
    /// Shared by the console.
    pub frame: Frame,
    /// The plugin's short name.
    pub slug: String,
    /// The plugin's version when it was read.
    pub version: i64,
    /// Whether a token is published.
    pub has_token: bool,
    /// Whether the last look found everything as it should be.
    pub is_verified: bool,
    /// Where the manifest stands.
    pub manifest_url: String,
    /// Where the proof of the domain stands.
    pub challenge_url: String,
    /// What was typed as another text to be served there.
    pub typed_challenge: String,
    /// What is served there; empty where nothing is.
    pub challenge: String,
    /// When somebody last looked.
    pub looked_at: Option<String>,
    /// What the look came to, in a sentence or two.
    pub says: Option<String>,
    /// Member by member.
    pub findings: Vec<Finding>,
    /// When the server looks again by itself.
    pub next: Option<String>,
    /// What was typed as the token, where somebody else was faster.
    pub typed: String,
    /// What is wrong with what was typed, which is not shown again: it may be the right token in the wrong place.
    pub wrong: Vec<Wrong>,
}

impl VerificationPage {
    fn wrong_with(&self, field: &str) -> Vec<&str> {
        wrong_with(&self.wrong, field)
    }
}
