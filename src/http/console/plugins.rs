//! `/console`: the plugins somebody may see, newest first.

use actix_web::{HttpRequest, HttpResponse, web};

use super::{
    entry::{Entry, Outcome, visit},
    paging::Part,
};
use crate::{
    http::pages::console::{PluginLine, PluginsPage},
    model::id::PluginId,
    server::Server,
};

/// How many plugins stand on a page.
const ROWS: u32 = 25;

/// Shows the page.
pub async fn list(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    visit(&server, &request, async |entry| show(entry).await).await
}

async fn show(entry: &Entry<'_>) -> Outcome {
    let part = Part::asked_for(entry, ROWS)?;
    let mut plugins = entry.server.store.plugins_seen_by(entry.owner().viewer(), part.page(PluginId)).await?;
    let pager = part.shown(&mut plugins, |plugin| plugin.id.0, ("/console", ""));
    let page = PluginsPage {
        layout: entry.layout(),
        frame: entry.frame(None)?,
        plugins: plugins.iter().map(PluginLine::from).collect(),
        pager,
        may_register: entry.owner().may_register(),
    };
    entry.answer(HttpResponse::Ok(), &page)
}
