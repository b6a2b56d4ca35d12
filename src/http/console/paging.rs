//! Lists that come in pages, newest first. A page's address says where it begins, and one row more than is shown is read:
//! that tells whether another page follows.

use uuid::Uuid;

use super::entry::Entry;
use crate::{
    http::{failure::PageError, pages::console::Pager},
    store::owners::Page,
};

/// Which rows of a list are asked for.
#[derive(Clone, Copy)]
pub(super) struct Part {
    pub(super) before: Option<Uuid>,
    rows_max: u32,
}

impl Part {
    /// What the address asks for, with at most so many rows; an address that says something else is nobody's.
    pub(super) fn asked_for(entry: &Entry<'_>, rows_max: u32) -> Result<Self, PageError> {
        let query = entry.query()?;
        let text = query.one("before", 36).map_err(PageError::Incomplete)?;
        let before = text.map(|text| text.parse().map_err(|_| PageError::NotThere)).transpose()?;
        Ok(Self { before, rows_max })
    }

    /// How many rows are read.
    pub(super) fn rows_read(self) -> u32 {
        self.rows_max + 1
    }

    /// The same for the store, by rows of that kind.
    pub(super) fn page<K>(self, key: fn(Uuid) -> K) -> Page<K> {
        Page { before: self.before.map(key), rows_max: self.rows_read() }
    }

    /// Cuts the rows that were read to those that are shown, and answers what leads to the others. `list` is the list's
    /// address after the path of the public URL, and `query` what of it stays the same from page to page.
    pub(super) fn shown<T>(self, rows: &mut Vec<T>, id: impl Fn(&T) -> Uuid, (list, query): (&str, &str)) -> Pager {
        let has_more = rows.len() > self.rows_max as usize;
        rows.truncate(self.rows_max as usize);
        let end = rows.last().filter(|_| has_more).map(id);
        let (newest, and) = if query.is_empty() { (list.to_owned(), "?") } else { (format!("{list}?{query}"), "&") };
        Pager { older: end.map(|end| format!("{newest}{and}before={end}")), newest: self.before.map(|_| newest) }
    }
}
