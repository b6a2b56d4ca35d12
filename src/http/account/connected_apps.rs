//! `/connected-apps`: what a person allowed, to whom, and taking it back: one installation, or the whole app.

use std::collections::HashMap;

use actix_web::{HttpRequest, HttpResponse, web};

use super::place::Place;
use crate::{
    http::{
        extract::{body, visitor::Visitor},
        failure::{self, PageError},
        guard,
        oauth::{caller::peer, who_asks::WhoAsks},
        pages::{self, AppCard, ConnectedAppsPage, ConnectionLine, Disconnected, HistoryLine, Layout},
    },
    model::{
        audit::{Actor, AuditAction},
        family::EndReason,
        id::FamilyId,
        session::Session,
    },
    server::Server,
    store::{
        connected::{ConnectedApp, Connection, Happened},
        families::FamilyEnd,
    },
    tokens,
};

/// How much of what happened is shown.
const HAPPENED_MAX: u32 = 50;

/// Longest id in a form.
const ID_LENGTH: usize = 36;

/// Shows the page.
pub async fn list(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    failure::page(&server, &request, show(&server, &request).await)
}

async fn show(server: &Server, request: &HttpRequest) -> Result<HttpResponse, PageError> {
    let visitor = Visitor::read(server, request).await?;
    match &visitor.session {
        None => Ok(Place::ConnectedApps.after_signing_in(server)),
        Some(session) => render(server, request, &visitor, session, None).await,
    }
}

/// Takes the form of one app, or of one of its installations.
pub async fn disconnect(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    failure::page(&server, &request, take(&server, &request, payload).await)
}

async fn take(server: &Server, request: &HttpRequest, payload: web::Payload) -> Result<HttpResponse, PageError> {
    let fields = body::form(request, payload).await?;
    let visitor = Visitor::read(server, request).await?;
    guard::form::check(server, request, &visitor, &fields)?;
    let Some(session) = &visitor.session else { return Ok(Place::ConnectedApps.after_signing_in(server)) };
    let account = session.account.id;
    let consent = fields.one("consent", ID_LENGTH).map_err(PageError::Incomplete)?;
    let connection = fields.one("connection", ID_LENGTH).map_err(PageError::Incomplete)?;
    // Only what is the person's own is found, whatever the form names.
    let apps = server.store.connected_apps(account, server.clock.now()).await?;
    let audit = server.audit(Actor::Account(account), peer(request));
    let ended = match (consent, connection) {
        (Some(id), None) => match apps.iter().find(|app| app.id.0.to_string() == id) {
            Some(app) if server.store.revoke_consent(&app.key, &audit).await? => {
                Some(disconnected(server, app, Some(app.connections.len())).await?)
            }
            _ => None,
        },
        (None, Some(id)) => match installation(&apps, id) {
            Some((app, connection)) => {
                let end = FamilyEnd { id: connection.id, reason: EndReason::Disconnected };
                let was_there = server.store.end_family(&end, &audit).await?;
                if was_there { Some(disconnected(server, app, None).await?) } else { None }
            }
            None => None,
        },
        _ => None,
    };
    // Pressed twice, or in another tab: then it is gone, which is what the page shows.
    render(server, request, &visitor, session, ended).await
}

fn installation<'a>(apps: &'a [ConnectedApp], id: &str) -> Option<(&'a ConnectedApp, &'a Connection)> {
    let all = apps.iter().flat_map(|app| app.connections.iter().map(move |connection| (app, connection)));
    all.into_iter().find(|(_, connection)| connection.id.0.to_string() == id)
}

async fn disconnected(
    server: &Server,
    app: &ConnectedApp,
    connections: Option<usize>,
) -> Result<Disconnected, PageError> {
    let client_name = who(server, app).await?.name;
    Ok(Disconnected { client_name, plugin_name: app.plugin_name.clone(), connections })
}

/// Who has it, as the person was told when they allowed it.
async fn who(server: &Server, app: &ConnectedApp) -> Result<WhoAsks, PageError> {
    let client = server.store.client(&app.client_id, server.clock.now()).await?.ok_or(PageError::Unreadable)?;
    Ok(WhoAsks::of(&client))
}

async fn render(
    server: &Server,
    request: &HttpRequest,
    visitor: &Visitor,
    session: &Session,
    disconnected: Option<Disconnected>,
) -> Result<HttpResponse, PageError> {
    let account = session.account.id;
    let layout = Layout::of(server, request);
    let happened = server.store.happened_to(account, HAPPENED_MAX).await?;
    let addresses = addresses(&happened);
    let mut apps = Vec::new();
    for app in server.store.connected_apps(account, server.clock.now()).await? {
        let WhoAsks { name, origin } = who(server, &app).await?;
        let scopes = app.catalogue.iter().filter(|scope| app.scopes.contains(&scope.name));
        let language = layout.language;
        apps.push(AppCard {
            consent: app.id.0.to_string(),
            client_name: name,
            client_origin: origin,
            plugin_name: app.plugin_name.clone(),
            allows: scopes.map(|scope| scope.words_in(language.tag()).to_owned()).collect(),
            granted_on: language.date(app.granted_at),
            connections: app
                .connections
                .iter()
                .map(|connection| ConnectionLine {
                    id: connection.id.0.to_string(),
                    connected_on: language.date(connection.created_at),
                    refreshed_on: connection.rotated_at.map(|time| language.date(time)),
                    address: addresses.get(&connection.id).cloned(),
                })
                .collect(),
        });
    }
    let page = ConnectedAppsPage {
        csrf: tokens::form::write(&server.keyring.current(), visitor.browser())?,
        account: session.into(),
        apps,
        disconnected,
        history: happened.iter().filter_map(|event| HistoryLine::of(event, layout.language)).collect(),
        layout,
    };
    let mut answer = HttpResponse::Ok();
    visitor.mark(&server.settings, &mut answer);
    Ok(pages::answer(answer, &page, None)?)
}

/// From where each connection was made, as far as what is shown goes back.
fn addresses(happened: &[Happened]) -> HashMap<FamilyId, String> {
    let born = happened.iter().filter(|event| event.action == AuditAction::FamilyBorn.as_str());
    born.filter_map(|event| {
        let id = event.detail.get("family")?.as_str()?.parse().ok()?;
        Some((FamilyId(id), event.address.clone()?))
    })
    .collect()
}
