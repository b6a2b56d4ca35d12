//! What people and assistants would read of what is being typed.

use askama::Template;

use crate::http::pages::ConsentPage;

/// A preview: a part of a page, and what is fetched while somebody types.
#[derive(Debug, Clone, Template)]
#[template(path = "console/preview.html")]
pub struct Preview {
    /// The page on which people are asked, without what frames it.
    consent: String,
    /// The manifest as it would be served.
    manifest: String,
}

impl Preview {
    /// Of these two.
    pub fn of(consent: &ConsentPage, manifest: String) -> askama::Result<Self> {
        Ok(Self { consent: consent.as_main().render()?, manifest })
    }
}
