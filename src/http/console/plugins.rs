//! `/console`: the plugins somebody may see, newest first.

use actix_web::{HttpRequest, HttpResponse, web};

use super::entry::{Outcome, visit};
use crate::{
    http::{
        console::entry::Entry,
        failure::PageError,
        pages::console::{PluginLine, PluginsPage},
    },
    model::id::PluginId,
    protocol::parameters::Parameters,
    server::Server,
    store::owners::Page,
};

/// How many plugins stand on a page.
const ROWS: u32 = 25;

/// Shows the page.
pub async fn list(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    visit(&server, &request, async |entry| show(entry).await).await
}

async fn show(entry: &Entry<'_>) -> Outcome {
    let before = before(entry.request)?;
    // One more than is shown tells whether there is another page.
    let page = Page { before: before.map(PluginId), rows_max: ROWS + 1 };
    let mut plugins = entry.server.store.plugins_seen_by(entry.viewer(), page).await?;
    let has_more = plugins.len() > ROWS as usize;
    plugins.truncate(ROWS as usize);
    let page = PluginsPage {
        layout: entry.layout(),
        frame: entry.frame(None)?,
        older: plugins.last().filter(|_| has_more).map(|plugin| plugin.id.to_string()),
        plugins: plugins.iter().map(PluginLine::from).collect(),
        is_first_page: before.is_none(),
        may_register: entry.may_register(),
    };
    entry.answer(HttpResponse::Ok(), &page)
}

/// The row that a page begins after, as its address says; an address that says something else is nobody's.
pub(super) fn before(request: &HttpRequest) -> Result<Option<uuid::Uuid>, PageError> {
    let query = Parameters::from_form(request.query_string().as_bytes()).map_err(PageError::Incomplete)?;
    let text = query.one("before", 36).map_err(PageError::Incomplete)?;
    text.map(|text| text.parse().map_err(|_| PageError::NotThere)).transpose()
}
