//! The colour of the page on which people agree, as it was typed.

use crate::{model::brand::Colour, registry::Wrong};

/// A colour as it was typed; none where nothing was.
///
/// # Errors
///
/// What is wrong with it.
pub fn accent(typed: &str) -> Result<Option<Colour>, Wrong> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Ok(None);
    }
    let problem = "it is not a colour; write it as #0d6e5f: red, green and blue, two digits each";
    typed.parse().map(Some).map_err(|_| Wrong::new("accent_color", problem))
}
