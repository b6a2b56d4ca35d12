//! `/console/plugins/{slug}/working`: the latest attempts to connect to a plugin, one of them as a timeline, and what
//! the doctor says of it.
//!
//! The look itself is `http::owner::examination`. It changes nothing, so its form is answered with the page itself.

use std::cmp::Reverse;

use actix_web::{HttpRequest, HttpResponse, web};
use url::Url;
use uuid::Uuid;

use super::{
    entry::{Entry, Outcome, take, visit},
    paging::Part,
    try_out,
};
use crate::{
    http::{
        failure::PageError,
        owner::{
            attempts,
            examination::{self, clients, pasted, playable, usual},
        },
        pages::console::{AttemptLine, AttemptPage, CallerChoice, EventLine, Findings, Section, WorkingPage},
    },
    model::{
        attempt::Attempt,
        client::{Client, Dialect},
        flow::FlowId,
        plugin::Plugin,
    },
    protocol::{dialect, parameters::Parameters, presets::Preset},
    server::{Server, examinations::NotNow},
    store::flows::OfPlugin,
};

/// How many attempts stand on a page.
const ROWS: u32 = 20;
/// The longest name of a preset that is looked for.
const NAME_MAX: usize = 64;

/// Shows the page.
pub async fn show(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let show = async |entry: &Entry<'_>| {
        let plugin = entry.plugin().await?;
        let clients = clients(&entry.owner(), &plugin).await?;
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
    let clients = clients(&entry.owner(), plugin).await?;
    let preset = usual(&clients);
    render(entry, plugin, &clients, Looked { preset, outcome: Some(Err(not_now)) }).await
}

async fn carry_out(entry: &Entry<'_>, fields: &Parameters) -> Outcome {
    let plugin = entry.plugin().await?;
    let name = fields.required("caller", NAME_MAX).map_err(PageError::Incomplete)?;
    let preset = playable().find(|preset| preset.name == name).ok_or(PageError::NotThere)?;
    let clients = clients(&entry.owner(), &plugin).await?;
    let target = target(entry, &plugin, preset.dialect).await?;
    let looked = examination::look(&entry.owner(), &plugin, &clients, (preset, &target)).await;
    let outcome = looked.map(|checks| Findings::of(target.as_str(), &preset.about, checks));
    render(entry, &plugin, &clients, Looked { preset: Some(preset), outcome: Some(outcome) }).await
}

/// Where a caller of this kind begins.
pub(super) async fn target(entry: &Entry<'_>, plugin: &Plugin, kind: Dialect) -> Result<Url, PageError> {
    examination::target(&entry.owner(), plugin, kind).await?.ok_or(PageError::NotThere)
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
        None if pasted(&entry.owner(), plugin).await?.is_some() => Dialect::Connector,
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
    let owner = entry.owner();
    let told = attempts::read(&owner, &plugin, FlowId::of(id)).await?.ok_or(PageError::NotThere)?;
    let attempt = told.attempt;
    let clients = clients(&owner, &plugin).await?;
    let page = AttemptPage {
        layout: entry.layout(),
        frame: entry.frame(Some((&plugin, Section::Working)))?,
        slug: plugin.slug.clone(),
        id: attempt.id.to_string(),
        client: name(&attempt, &clients),
        resource: attempt.resource().unwrap_or(&plugin.resource).to_owned(),
        badge: attempt.standing().into(),
        meaning: attempt.standing().says(),
        before: told.before.iter().map(EventLine::from).collect(),
        events: attempt.events.iter().map(EventLine::from).collect(),
        has_more: told.has_more,
    };
    entry.answer(HttpResponse::Ok(), &page)
}
