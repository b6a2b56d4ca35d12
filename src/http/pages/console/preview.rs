//! What people and assistants would read of what is being typed.

use askama::Template;

use super::super::super::assets;
use crate::{http::pages::ConsentPage, model::brand::Colour};

/// A preview: a part of a page, and what is fetched while somebody types.
#[derive(Debug, Clone, Template)]
#[template(path = "console/preview.html")]
pub struct Preview {
    /// The page on which people are asked, without what frames it.
    consent: String,
    /// The colour of its buttons, if it has one of its own: there is a stylesheet for each.
    accent: Option<Colour>,
    /// What stands before the path of the public URL.
    base: String,
    /// The manifest as it would be served.
    manifest: String,
    /// What it would be refused for as it stands.
    mistakes: Vec<String>,
    /// Whether something is named that is read on saving, and is not in here.
    is_read_later: bool,
}

impl Preview {
    /// Of these two. The headings of the page within stand below those of the page around it; what somebody typed is
    /// escaped and holds no tags.
    pub fn of(
        consent: &ConsentPage,
        (manifest, mistakes): (String, Vec<String>),
        is_read_later: bool,
    ) -> askama::Result<Self> {
        let page_layout = &consent.layout;
        let page = consent.as_main().render()?;
        let levels = [("<h2", "<h4"), ("</h2>", "</h4>"), ("<h1", "<h3"), ("</h1>", "</h3>")];
        let consent = levels.iter().fold(page, |page, (from, to)| page.replace(from, to));
        let (accent, base) = (page_layout.brand.accent, page_layout.base.clone());
        Ok(Self { consent, accent, base, manifest, mistakes, is_read_later })
    }
}
