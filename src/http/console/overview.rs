//! `/console/plugins/{slug}`: where a plugin stands, and what is to be done next.

use actix_web::{HttpRequest, HttpResponse, web};

use super::entry::{Entry, Outcome, visit};
use crate::{
    http::pages::console::{OverviewPage, Section, Step},
    model::{
        client::Dialect,
        id::ClientId,
        plugin::{DocumentKind, PluginState},
        scope::Scope,
    },
    protocol::manifest::{self, openapi},
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
    let is_described = store.document_kinds(plugin.id).await?.contains(&DocumentKind::OpenApi);
    let has_callback = clients.iter().any(|client| !client.redirect_uris.is_empty());
    // What is to be done next stands one click away.
    let to_clients = if clients.is_empty() { "/clients/new".to_owned() } else { "/clients".to_owned() };
    let without = clients.iter().find(|client| client.redirect_uris.is_empty()).filter(|_| !has_callback);
    let to_callback = without.map_or(to_clients.clone(), |client| format!("/clients/{}", client.client_id));
    // Words that were made of a name are to be written anew.
    let is_told = |scope: &Scope| scope.words != openapi::plain_words(&scope.name);
    let has_scopes = plugin.scopes.iter().next().is_some() && plugin.scopes.iter().all(is_told);
    let wants_token = clients.iter().any(|client| client.dialect == Dialect::Plugin);
    let mut steps = vec![
        Step { done: true, path: "/listing".into(), says: "Say what it is" },
        Step { done: is_described, path: "/listing".into(), says: "Give the API's description (OpenAPI)" },
        Step { done: has_scopes, path: "/scopes".into(), says: "Say what it may do, in plain sentences" },
        Step {
            done: !clients.is_empty(),
            path: to_clients,
            says: "Create a client ID, and paste it into the other program",
        },
        Step { done: has_callback, path: to_callback, says: "Paste here the callback URL that it shows you" },
    ];
    if wants_token || plugin.state != PluginState::Draft {
        let done = plugin.state == PluginState::Verified;
        steps.push(Step {
            done,
            path: "/verification".into(),
            says: "Publish the token it shows, and see it verified",
        });
    }
    let (scheme, _) = entry.server.settings.schemes_of(&plugin.host);
    let served = manifest::served(&plugin, scheme);
    let page = OverviewPage {
        layout: entry.layout(),
        frame: entry.frame(Some((&plugin, Section::Overview)))?,
        manifest_url: format!("{scheme}://{}/.well-known/ai-plugin.json", plugin.host),
        manifest: serde_json::to_string_pretty(&served).unwrap_or_default(),
        scopes: plugin.scopes.iter().map(|scope| (scope.name.clone(), scope.words.clone())).collect(),
        resource: plugin.resource,
        steps,
    };
    entry.answer(HttpResponse::Ok(), &page)
}
