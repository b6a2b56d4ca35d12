//! `/console/plugins/{slug}/working`: the latest attempts to connect to a plugin, one of them as a timeline, and what
//! the doctor says of it.
//!
//! The doctor goes to an address that an owner has typed, so it is on a leash: what is special-use is not reached, all
//! its requests together are bounded, and its findings are told in sentences that quote little. It changes nothing, so
//! its form is answered with the page itself.

use std::{cmp::Reverse, time::Duration};

use actix_web::{HttpRequest, HttpResponse, web};
use chrono::TimeDelta;
use url::Url;
use uuid::Uuid;

use super::{
    entry::{Entry, Outcome, take, visit},
    paging::Part,
    try_out,
};
use crate::{
    doctor::{self, Check, Patient},
    http::{
        failure::PageError,
        pages::console::{AttemptLine, AttemptPage, CallerChoice, EventLine, Findings, Section, WorkingPage},
    },
    model::{
        attempt::Attempt,
        client::{Client, Dialect},
        flow::FlowId,
        id::ClientId,
        plugin::Plugin,
    },
    protocol::{
        dialect,
        parameters::Parameters,
        presets::{self, KnownBy, Preset},
    },
    registry::clients,
    server::{Server, examinations::NotNow},
    simulate::{
        callers,
        leash::{Bounds, Leash},
        registration::Typed,
        wire::Wire,
    },
    store::{flows::OfPlugin, owners::Page},
};

/// How many attempts stand on a page.
const ROWS: u32 = 20;
/// How many events of an attempt are told.
const EVENTS_MAX: u32 = 200;
/// How many clients are looked at for their names, and for the one that the doctor plays.
const CLIENTS: u32 = 50;
/// Documents read so long before an attempt began may have been read for it; and how many of them are told.
const DOCUMENTS_BEFORE: TimeDelta = TimeDelta::minutes(10);
const DOCUMENTS_MAX: u32 = 20;
/// What an examination may cost. The doctor needs some sixty requests where everything is there.
const BOUNDS: Bounds = Bounds { requests_max: 120, patience: Duration::from_secs(20) };
/// The longest name of a preset that is looked for.
const NAME_MAX: usize = 64;

/// Shows the page.
pub async fn show(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let show = async |entry: &Entry<'_>| {
        let plugin = entry.plugin().await?;
        let clients = clients(entry, &plugin).await?;
        let preset = usual(&clients);
        render(entry, &plugin, &clients, Looked { preset, outcome: None }).await
    };
    visit(&server, &request, show).await
}

/// Has the doctor look, and shows what it says.
pub async fn examine(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    take(&server, &request, payload, async |entry, fields| carry_out(entry, fields).await).await
}

/// Shows one attempt.
pub async fn attempt(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    visit(&server, &request, async |entry| tell(entry).await).await
}

/// As whom the doctor looks, and what came of it if it did.
struct Looked {
    preset: Option<&'static Preset>,
    outcome: Option<Result<Findings, NotNow>>,
}

/// Shows the page with why nothing is looked at now.
pub(super) async fn refuse(entry: &Entry<'_>, plugin: &Plugin, not_now: NotNow) -> Outcome {
    let clients = clients(entry, plugin).await?;
    let preset = usual(&clients);
    render(entry, plugin, &clients, Looked { preset, outcome: Some(Err(not_now)) }).await
}

async fn carry_out(entry: &Entry<'_>, fields: &Parameters) -> Outcome {
    let plugin = entry.plugin().await?;
    let name = fields.required("caller", NAME_MAX).map_err(PageError::Incomplete)?;
    let preset = playable().find(|preset| preset.name == name).ok_or(PageError::NotThere)?;
    let clients = clients(entry, &plugin).await?;
    let target = target(entry, &plugin, preset.dialect).await?;
    let outcome = look(entry, &plugin, &clients, (preset, &target)).await;
    render(entry, &plugin, &clients, Looked { preset: Some(preset), outcome: Some(outcome) }).await
}

async fn look(
    entry: &Entry<'_>,
    plugin: &Plugin,
    clients: &[Client],
    (preset, target): (&'static Preset, &Url),
) -> Result<Findings, NotNow> {
    let server = entry.server;
    let examination = server.examinations.begin(plugin.id, entry.account.id)?;
    let clock = server.clock.clone();
    let leash = Leash::new(server.for_owners.clone(), &clock, BOUNDS);
    let checks = match Wire::leashed(callers::OWN, clock, target, leash) {
        Ok(wire) => {
            let (target, changes_only) = (target.clone(), Some(endpoints(entry, plugin)));
            let patient = Patient { target, preset, typed: typed(clients, preset), account: None, changes_only };
            doctor::examine(&wire, &patient).await.checks
        }
        Err(error) => vec![Check::left_out("reach.answers", format!("anything: {error}"))],
    };
    drop(examination);
    Ok(Findings::of(target.as_str(), &preset.about, checks))
}

/// How many resources of a plugin are looked at for one that people paste.
const RESOURCES_MAX: u32 = 20;

/// Where a caller of this kind begins: whoever speaks MCP at the server's whole address, which is a resource of its own
/// beside the plugin's origin; everybody else at the plugin's host.
pub(super) async fn target(entry: &Entry<'_>, plugin: &Plugin, kind: Dialect) -> Result<Url, PageError> {
    let origin = Url::parse(&plugin.resource).map_err(|_| PageError::NotThere)?;
    Ok(if kind == Dialect::Connector { pasted(entry, plugin).await?.unwrap_or(origin) } else { origin })
}

/// The address of a plugin's MCP server, if it has one: a manifest's API is a host, what has a path is pasted.
async fn pasted(entry: &Entry<'_>, plugin: &Plugin) -> Result<Option<Url>, PageError> {
    let resources = entry.server.store.resources_of(plugin.id, RESOURCES_MAX).await?;
    let mut urls = resources.iter().filter_map(|resource| Url::parse(resource.identifier.as_str()).ok());
    Ok(urls.find(|url| url.path() != "/"))
}

/// This server's own, in each spelling, and those of the same names on the plugin's host: nothing is left behind at any
/// other for an owner. What the plugin's host leads to is its owner's to say, so that a token that was made up may be
/// tried at a server of their own; nothing that is worth anything is.
fn endpoints(entry: &Entry<'_>, plugin: &Plugin) -> Vec<String> {
    let issuer = &entry.server.settings.issuer;
    let on_the_plugins_host = clients::endpoints(&entry.registry(), Dialect::Action, &plugin.host);
    let own = ["/token", "/register"].map(|path| format!("{issuer}{path}"));
    own.into_iter().chain(on_the_plugins_host).collect()
}

/// What the owner of the client that is played has typed in at the assistant's. Its secret is known to nobody here.
fn typed(clients: &[Client], preset: &Preset) -> Typed {
    let client = clients.iter().find(|client| client.dialect == preset.dialect);
    match client.filter(|_| preset.known_by.contains(&KnownBy::Hand)) {
        Some(client) => Typed {
            client_id: Some(client.client_id.clone()),
            redirect_uri: client.redirect_uris.first().map(|uri| uri.as_str().to_owned()),
            ..Typed::default()
        },
        None => Typed::default(),
    }
}

/// Callers that send people somewhere.
fn playable() -> impl Iterator<Item = &'static Preset> {
    let sends_people =
        |preset: &&Preset| matches!(preset.dialect, Dialect::Plugin | Dialect::Action | Dialect::Connector);
    presets::all().iter().filter(sends_people)
}

/// The caller whose client was registered last: one with its callback, or else the first that speaks as it does.
fn usual(clients: &[Client]) -> Option<&'static Preset> {
    let of = |client: &Client| {
        let is_there = |callback: &str| client.redirect_uris.iter().any(|uri| uri.as_str() == callback);
        let own = playable().find(|preset| preset.fixed_callbacks().any(is_there));
        own.or_else(|| playable().find(|preset| preset.dialect == client.dialect))
    };
    clients.iter().find_map(of)
}

async fn clients(entry: &Entry<'_>, plugin: &Plugin) -> Result<Vec<Client>, PageError> {
    let page: Page<ClientId> = Page { before: None, rows_max: CLIENTS };
    Ok(entry.server.store.clients_of(plugin.id, entry.server.clock.now(), page).await?)
}

/// What people call the client of an attempt; its id on the wire, where it is none of the plugin's own.
fn name(attempt: &Attempt, clients: &[Client]) -> String {
    let id = attempt.client().unwrap_or("Nobody known");
    clients.iter().find(|client| client.client_id == id).map_or(id, |client| &client.name).to_owned()
}

async fn render(entry: &Entry<'_>, plugin: &Plugin, clients: &[Client], looked: Looked) -> Outcome {
    let part = Part::asked_for(entry, ROWS)?;
    let of = OfPlugin { plugin: plugin.id, rows_max: part.rows_read() };
    let mut attempts = Attempt::sort(entry.server.store.flows_of_plugin(of, part.before.map(FlowId::of)).await?);
    attempts.sort_by_key(|attempt| Reverse(attempt.id));
    let list = format!("/console/plugins/{}/working", plugin.slug);
    let pager = part.shown(&mut attempts, |attempt| attempt.id.uuid(), (&list, ""));
    let is_chosen = |preset: &Preset| looked.preset.is_some_and(|chosen| chosen.name == preset.name);
    let choice = |preset: &Preset| CallerChoice {
        name: preset.name.clone(),
        about: preset.about.clone(),
        is_chosen: is_chosen(preset),
    };
    let (findings, not_now) = match looked.outcome {
        Some(Ok(findings)) => (Some(findings), None),
        Some(Err(not_now)) => (None, Some(told(not_now))),
        None => (None, None),
    };
    let is_refused = not_now.is_some();
    let page = WorkingPage {
        layout: entry.layout(),
        frame: entry.frame(Some((plugin, Section::Working)))?,
        slug: plugin.slug.clone(),
        callers: playable().map(choice).collect(),
        kinds: kinds(entry, plugin, clients).await?,
        not_now,
        findings,
        attempts: attempts.iter().map(|attempt| AttemptLine::of(attempt, name(attempt, clients))).collect(),
        pager,
    };
    entry.answer(if is_refused { HttpResponse::TooManyRequests() } else { HttpResponse::Ok() }, &page)
}

/// As which kind of caller it can be tried out; the one that fits is chosen.
async fn kinds(entry: &Entry<'_>, plugin: &Plugin, clients: &[Client]) -> Result<Vec<CallerChoice>, PageError> {
    let of_client = clients.iter().map(|client| client.dialect).find(|kind| try_out::KINDS.contains(kind));
    let fits = match of_client {
        Some(kind) => kind,
        None if pasted(entry, plugin).await?.is_some() => Dialect::Connector,
        None => Dialect::Plugin,
    };
    let choice = |kind: &Dialect| CallerChoice {
        name: kind.as_str().to_owned(),
        about: dialect::in_words(*kind).to_owned(),
        is_chosen: *kind == fits,
    };
    Ok(try_out::KINDS.iter().map(choice).collect())
}

fn told(not_now: NotNow) -> String {
    match not_now {
        NotNow::Underway => "This plugin is being looked at or tried out just now. Come back in a moment.".to_owned(),
        NotNow::Busy => "Other plugins are being looked at just now. Try again in a moment.".to_owned(),
        NotNow::TooMany(wait) => {
            format!("That was often enough for now. Try again in {} seconds.", wait.retry_after_seconds)
        }
    }
}

async fn tell(entry: &Entry<'_>) -> Outcome {
    let plugin = entry.plugin().await?;
    let id: Uuid =
        entry.request.match_info().get("flow").unwrap_or_default().parse().map_err(|_| PageError::NotThere)?;
    let id = FlowId::of(id);
    let store = &entry.server.store;
    let of = |rows_max| OfPlugin { plugin: plugin.id, rows_max };
    let mut events = store.flow_of_plugin(of(EVENTS_MAX + 1), id).await?;
    if events.is_empty() {
        return Err(PageError::NotThere);
    }
    let has_more = events.len() > EVENTS_MAX as usize;
    if has_more {
        events.remove(0);
    }
    let attempt = Attempt { id, events };
    let clients = clients(entry, &plugin).await?;
    let before = store.documents_before(of(DOCUMENTS_MAX), id, id.began_at() - DOCUMENTS_BEFORE).await?;
    let page = AttemptPage {
        layout: entry.layout(),
        frame: entry.frame(Some((&plugin, Section::Working)))?,
        slug: plugin.slug.clone(),
        id: id.to_string(),
        client: name(&attempt, &clients),
        resource: attempt.resource().unwrap_or(&plugin.resource).to_owned(),
        badge: attempt.standing().into(),
        meaning: attempt.standing().says(),
        before: before.iter().map(EventLine::from).collect(),
        events: attempt.events.iter().map(EventLine::from).collect(),
        has_more,
    };
    entry.answer(HttpResponse::Ok(), &page)
}
