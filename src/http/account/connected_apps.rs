//! `/connected-apps`: what a person allowed, to whom, and taking it back: one installation, or the whole app.

use std::collections::HashMap;

use actix_web::{HttpRequest, HttpResponse, web};

use super::place::Place;
use crate::{
    http::{
        extract::{body, visitor::Visitor},
        failure::{self, PageError},
        guard,
        oauth::{caller::origin, who_asks::WhoAsks},
        pages::{self, AppCard, ConnectedAppsPage, ConnectionLine, Disconnected, HistoryLine, Layout},
    },
    model::{
        audit::{Actor, Audit, AuditAction},
        family::EndReason,
        id::{AccountId, ConsentId, FamilyId},
        session::Session,
    },
    server::Server,
    store::{
        StoreResult,
        connected::{ConnectedApp, Happened, Named},
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
    guard::form::check(server, request, &visitor, &fields).await?;
    let Some(session) = &visitor.session else { return Ok(Place::ConnectedApps.after_signing_in(server)) };
    let account = session.account.id;
    let consent = fields.one("consent", ID_LENGTH).map_err(PageError::Incomplete)?;
    let connection = fields.one("connection", ID_LENGTH).map_err(PageError::Incomplete)?;
    let named = match (consent.map(str::parse), connection.map(str::parse)) {
        (Some(Ok(id)), None) => Some(Named::App(ConsentId(id))),
        (None, Some(Ok(id))) => Some(Named::Connection(FamilyId(id))),
        _ => None,
    };
    let ended = match named {
        Some(named) => end(server, account, named, &server.audit(Actor::Account(account), origin(request))).await?,
        None => None,
    };
    // Pressed twice, or in another tab: then it is gone, which is what the page shows.
    render(server, request, &visitor, session, ended).await
}

/// Ends what is named and the person's own, and says what that was.
async fn end(server: &Server, account: AccountId, named: Named, audit: &Audit) -> StoreResult<Option<Disconnected>> {
    let Some(app) = server.store.connected_app(account, named, audit.at).await? else { return Ok(None) };
    let (was_there, connections) = match named {
        Named::App(_) => (server.store.revoke_consent(&app.key, audit).await?, Some(app.connections.len())),
        Named::Connection(id) if app.connections.iter().any(|connection| connection.id == id) => {
            (server.store.end_family(&FamilyEnd { id, reason: EndReason::Disconnected }, audit).await?, None)
        }
        Named::Connection(_) => (false, None),
    };
    let client_name = who(&app).name;
    Ok(was_there.then_some(Disconnected { client_name, plugin_name: app.plugin_name, connections }))
}

/// Who has it, as the person was told when they allowed it.
fn who(app: &ConnectedApp) -> WhoAsks {
    WhoAsks::known(app.registration, &app.client_id, app.client_name.clone())
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
        let WhoAsks { name, origin } = who(&app);
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
