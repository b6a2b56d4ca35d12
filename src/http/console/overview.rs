//! `/console/plugins/{slug}`: where a plugin stands, and what is to be done next.

use actix_web::{HttpRequest, HttpResponse, web};

use super::entry::{Entry, Outcome, visit};
use crate::{
    http::pages::console::{OverviewPage, Section, Step},
    model::{
        id::ClientId,
        plugin::{DocumentKind, PluginState},
    },
    protocol::manifest,
    server::Server,
    store::owners::Page,
};

/// How many clients are looked at for what is missing.
const CLIENTS: u32 = 50;

/// Shows the page.
pub async fn show(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    visit(&server, &request, async |entry| render(entry).await).await
}

async fn render(entry: &Entry<'_>) -> Outcome {
    let plugin = entry.plugin().await?;
    let store = &entry.server.store;
    let page: Page<ClientId> = Page { before: None, rows_max: CLIENTS };
    let clients = store.clients_of(plugin.id, entry.server.clock.now(), page).await?;
    let is_described = store.has_document(plugin.id, DocumentKind::OpenApi).await?;
    let steps = vec![
        Step { done: true, path: "/listing", says: "Say what it is" },
        Step { done: is_described, path: "/listing", says: "Give the API's description (OpenAPI)" },
        Step {
            done: plugin.scopes.iter().next().is_some(),
            path: "/scopes",
            says: "Say what it may do, in plain sentences",
        },
    ];
    let (scheme, _) = entry.server.settings.schemes_of(&plugin.host);
    let served = manifest::served(&plugin, scheme);
    let page = OverviewPage {
        layout: entry.layout(),
        frame: entry.frame(Some((&plugin, Section::Overview)))?,
        manifest_url: format!("{scheme}://{}/.well-known/ai-plugin.json", plugin.host),
        manifest: serde_json::to_string_pretty(&served).unwrap_or_default(),
        is_verified: plugin.state == PluginState::Verified,
        clients: clients.len(),
        scopes: plugin.scopes.iter().map(|scope| (scope.name.clone(), scope.words.clone())).collect(),
        resource: plugin.resource,
        steps,
    };
    entry.answer(HttpResponse::Ok(), &page)
}
