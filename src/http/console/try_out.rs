//! `/console/plugins/{slug}/try`: an owner connects to their own plugin as ChatGPT would. The server plays the caller
//! (`simulate::legs`), the owner's own browser the person.
//!
//! The button registers a client for this one time and sends the browser on with the request a caller would send. Its
//! `state` is everything that has to be known when the browser is back, sealed and bound to this browser, this account and
//! this plugin, and taken once. When the last step is done, the client is deleted with what it was given; where that is
//! never reached, because nobody came back or went away while it was played, it ends by itself. All requests are on a
//! leash, and a code goes to the issuer's own address for tokens and nowhere else.

use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use serde::{Deserialize, Serialize};
use url::Url;
use uuid::Uuid;

use super::{
    entry::{Entry, Outcome, take, text, visit},
    working,
};
use crate::{
    http::{
        failure::{Fault, PageError},
        oauth::authorize::to_path,
        pages::console::{Notice, Section, TryOutPage, TryOutStep, Words},
    },
    model::{
        Timestamp, assertion::AssertionId, client::Dialect, digest::Digest, flow::FlowId, plugin::Plugin,
        redirect_uri::RedirectUri,
    },
    protocol::{parameters::Parameters, presets::Preset},
    random,
    registry::{
        RegistryError,
        clients::{self, changes, try_outs},
    },
    server::{Server, examinations::NotNow},
    simulate::{
        callers,
        exchange::Exchange,
        journey::Step,
        leash::{Bounds, Leash},
        legs::{self, Luggage, Own},
        registration::{Client, Typed},
        wire::Wire,
    },
    store::assertions::AssertionUse,
    tokens::{
        self,
        between::{self, Return},
    },
};

/// What each leg may cost.
const BOUNDS: Bounds = Bounds { requests_max: 40, patience: Duration::from_secs(20) };

/// The longest `state` that a caller may send here.
const STATE_MAX: usize = 4096;

/// From so much on nothing is told of the first steps any more. It stands sealed again in the address of the page where
/// people are asked, and proxies take 4 KB for the whole head of the answer that leads there.
const STATE_USUAL_MAX: usize = 1536;

/// The longest outcome of a step that is carried along.
const CARRIED_MAX: usize = 120;

/// The longest code that is read.
const CODE_MAX: usize = 4096;

/// Steps in which this server alone was asked, so that what it said may be shown whole.
const OWN_STEPS: [&str; 2] = ["tokens", "refresh"];

/// The kinds of plugin that people connect to.
pub(super) const KINDS: [Dialect; 3] = [Dialect::Plugin, Dialect::Action, Dialect::Connector];

/// What the browser carries until it is back.
#[derive(Serialize, Deserialize)]
struct Carried {
    /// Milliseconds since 1970: when it is good no more, and its client ends.
    until: i64,
    plugin: Uuid,
    account: Uuid,
    kind: Dialect,
    luggage: Luggage,
    steps: Vec<Told>,
}

/// A step as it is told. What was said stays where it was said: it would be too long to be carried.
#[derive(Clone, Serialize, Deserialize)]
struct Told {
    /// Milliseconds since 1970.
    at: i64,
    name: String,
    is_good: bool,
    outcome: String,
    #[serde(skip)]
    said: Vec<Words>,
}

/// Where the button stands; whoever reloads comes back to it.
pub async fn show(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let show = async |entry: &Entry<'_>| {
        let plugin = entry.plugin().await?;
        let path = format!("/console/plugins/{}/working", plugin.slug);
        Ok(to_path(entry.server, HttpResponse::SeeOther(), &path))
    };
    visit(&server, &request, show).await
}

/// Finds out where a caller would send people, and sends this browser there.
pub async fn begin(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    take(&server, &request, payload, async |entry, fields| Box::pin(leave(entry, fields)).await).await
}

/// Plays the rest when the browser is back.
pub async fn come_back(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    visit(&server, &request, async |entry| Box::pin(arrive(entry)).await).await
}

async fn leave(entry: &Entry<'_>, fields: &Parameters) -> Outcome {
    let plugin = entry.plugin().await?;
    let word = text(fields, "kind", 32)?;
    let kind = KINDS.into_iter().find(|kind| kind.as_str() == word).ok_or(PageError::NotThere)?;
    let preset = callers::named(kind.as_str()).ok_or(PageError::NotThere)?;
    let server = entry.server;
    let turn = match server.examinations.begin(plugin.id, entry.account.id) {
        Ok(turn) => turn,
        Err(not_now) => return refuse(entry, &plugin, not_now).await,
    };
    let (own, typed) = (own(entry, &plugin), typed(entry, &plugin, kind));
    let mut steps = Vec::new();
    let mut tell = |step: Step| steps.push(told(server, step));
    let target = working::target(entry, &plugin, kind).await?;
    let wire = wire(server, &target, preset)?;
    let found = legs::find(&wire, &target, (preset, &typed), &own, &mut tell).await;
    let Some(found) = found else { return render(entry, &plugin, (kind, target, steps), None) };
    let until = server.clock.now() + try_outs::LIFETIME_MAX;
    let client = register(entry, &plugin, (kind, found.by_header), until).await?;
    let client_id = client.id.clone();
    let set_out = legs::set_out(&wire, found, &client, &own, &mut tell).await;
    drop(turn);
    let Some((asked, luggage)) = set_out else {
        end(entry, &client_id).await?;
        return render(entry, &plugin, (kind, target, steps), None);
    };
    let (plugin, account) = (plugin.id.0, entry.account.id.0);
    let carried = Carried { until: until.timestamp_millis(), plugin, account, kind, luggage, steps };
    let asked = asked.with_state(seal(entry, carried)?);
    Ok(to_path(server, HttpResponse::SeeOther(), &format!("/authorize?{}", asked.url.query().unwrap_or_default())))
}

/// Where this plugin's documents may send people and codes.
fn own(entry: &Entry<'_>, plugin: &Plugin) -> Own {
    let registry = entry.registry();
    // A connector is told the issuer's, an action those on the plugin's host.
    let [page, token] = clients::endpoints(&registry, Dialect::Connector, &plugin.host);
    let [other_page, other_token] = clients::endpoints(&registry, Dialect::Action, &plugin.host);
    Own { page, authorization: vec![other_page], token, other_tokens: vec![other_token] }
}

/// What an owner types in at the assistant's, where documents do not say it.
fn typed(entry: &Entry<'_>, plugin: &Plugin, kind: Dialect) -> Typed {
    if kind != Dialect::Action {
        return Typed::default();
    }
    let addresses = clients::endpoints(&entry.registry(), kind, &plugin.host);
    let [page, token] = addresses.map(|address| Url::parse(&address).ok());
    Typed { scope: Some(plugin.scopes.names().to_string()), endpoints: page.zip(token), ..Typed::default() }
}

fn wire(server: &Server, target: &Url, preset: &'static Preset) -> Result<Wire, PageError> {
    let clock = server.clock.clone();
    let leash = Leash::new(server.for_owners.clone(), &clock, BOUNDS);
    Wire::leashed(callers::user_agent(preset), clock, target, leash).map_err(|error| {
        tracing::error!(%error, "a try-out could not begin");
        PageError::Unreadable
    })
}

/// Where browsers come back to.
fn callback(entry: &Entry<'_>, plugin: &Plugin) -> String {
    format!("{}/console/plugins/{}/try/return", entry.server.settings.issuer, plugin.slug)
}

async fn register(
    entry: &Entry<'_>,
    plugin: &Plugin,
    (kind, by_header): (Dialect, bool),
    until: Timestamp,
) -> Result<Client, PageError> {
    let redirect_uri = callback(entry, plugin);
    let uri: RedirectUri = redirect_uri.parse().map_err(|_| PageError::Unreadable)?;
    let (client, secret) = try_outs::begin(&entry.registry(), plugin, kind, (uri, until)).await?;
    let secret = secret.map(|secret| oauth2::ClientSecret::new(secret.reveal().to_owned()));
    Ok(Client { id: client.client_id, secret, by_header, redirect_uri })
}

/// Ends everything that a try-out made.
async fn end(entry: &Entry<'_>, client_id: &str) -> Result<(), PageError> {
    match changes::delete(&entry.registry(), client_id).await {
        Ok(_) | Err(RegistryError::Gone) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

async fn refuse(entry: &Entry<'_>, plugin: &Plugin, not_now: NotNow) -> Outcome {
    working::refuse(entry, plugin, not_now).await
}

/// A step, and when it was over.
fn told(server: &Server, step: Step) -> Told {
    let is_own = OWN_STEPS.contains(&step.name);
    let words = |exchange: Exchange| Words {
        asked: exchange.request,
        answered: exchange.answer,
        sent: if is_own { exchange.request_body } else { String::new() },
        got: if is_own { exchange.answer_body } else { String::new() },
    };
    Told {
        at: server.clock.now().timestamp_millis(),
        name: step.name.to_owned(),
        is_good: step.is_good,
        outcome: step.outcome,
        said: step.exchanges.into_iter().map(words).collect(),
    }
}

fn seal(entry: &Entry<'_>, mut carried: Carried) -> Result<String, PageError> {
    for step in &mut carried.steps {
        if let Some((end, _)) = step.outcome.char_indices().nth(CARRIED_MAX) {
            step.outcome.truncate(end);
            step.outcome.push('…');
        }
    }
    let (ring, now) = (entry.server.keyring.current(), entry.server.clock.now());
    let until = Timestamp::from_timestamp_millis(carried.until).ok_or(PageError::Unreadable)?;
    let write = |carried: &Carried| {
        let write = between::write(&ring, Return::TryOut, (entry.browser(), until), carried, (now, random::bytes()));
        write.map_err(Fault::from)
    };
    let state = write(&carried)?;
    if state.len() <= STATE_USUAL_MAX {
        return Ok(state);
    }
    carried.steps.clear();
    Ok(write(&carried)?)
}

/// What a browser came back with, if it is the one that left, for this plugin and account, and not again.
async fn opened(entry: &Entry<'_>, plugin: &Plugin, state: &str) -> Result<Option<Carried>, PageError> {
    let (server, now) = (entry.server, entry.server.clock.now());
    let ring = server.keyring.knowing(between::kid(state), &server.store, now).await?;
    let carried: Option<Carried> = between::read(&ring, Return::TryOut, (entry.browser(), now), state);
    Ok(carried.filter(|carried| carried.plugin == plugin.id.0 && carried.account == entry.account.id.0))
}

/// Whether nobody has come back with it before, on any node. All returns of one try-out are one entry, for as long as it
/// is good.
async fn is_first(entry: &Entry<'_>, until: i64, client_id: &str) -> Result<bool, PageError> {
    let digest = Digest::of([b"consentry try-out v1".as_slice(), client_id.as_bytes()].concat());
    let expires_at = Timestamp::from_timestamp_millis(until).ok_or(PageError::Unreadable)?;
    let id = AssertionId { expires_at, digest };
    Ok(entry.server.store.use_assertion(&AssertionUse { id, use_id: random::bytes() }).await?)
}

async fn arrive(entry: &Entry<'_>) -> Outcome {
    let plugin = entry.plugin().await?;
    let query = entry.query()?;
    let state = query.one("state", STATE_MAX).ok().flatten().unwrap_or_default();
    let over = || Ok(entry.lead_to(&format!("/plugins/{}/working", plugin.slug), Notice::TryOutOver));
    let Some(carried) = opened(entry, &plugin, state).await? else { return over() };
    let Carried { until, kind, luggage, mut steps, .. } = carried;
    // Whatever may fail goes before it is used up.
    let preset = callers::named(kind.as_str()).ok_or(PageError::NotThere)?;
    let target = working::target(entry, &plugin, kind).await?;
    let (wire, client_id) = (wire(entry.server, &target, preset)?, luggage.client_id.clone());
    let turn = match entry.server.examinations.go_on(plugin.id) {
        Ok(turn) => turn,
        Err(not_now) => return refuse(entry, &plugin, not_now).await,
    };
    if !is_first(entry, until, &client_id).await? {
        return over();
    }
    let location = format!("{}?{}", callback(entry, &plugin), entry.request.query_string());
    let mut tell = |step: Step| steps.push(told(entry.server, step));
    legs::arrive(&wire, luggage, (&location, state), &mut tell).await;
    end(entry, &client_id).await?;
    drop(turn);
    let code = query.one("code", CODE_MAX).ok().flatten().unwrap_or_default();
    let flow = flow_of(entry, code).await?;
    render(entry, &plugin, (kind, target, steps), flow)
}

/// The attempt that a code was given in.
async fn flow_of(entry: &Entry<'_>, code: &str) -> Result<Option<String>, PageError> {
    let server = entry.server;
    let ring = server.keyring.knowing(tokens::code::kid(code), &server.store, server.clock.now()).await?;
    Ok(tokens::code::read(&ring, code).map(|code| FlowId::of(code.id.0).to_string()))
}

fn render(
    entry: &Entry<'_>,
    plugin: &Plugin,
    (kind, target, steps): (Dialect, Url, Vec<Told>),
    flow: Option<String>,
) -> Outcome {
    let step = |told: Told| TryOutStep::of(&told.name, (told.at, told.is_good), &told.outcome, told.said);
    let page = TryOutPage {
        layout: entry.layout(),
        frame: entry.frame(Some((plugin, Section::Working)))?,
        slug: plugin.slug.clone(),
        kind,
        target: target.to_string(),
        steps: steps.into_iter().map(step).collect(),
        flow,
    };
    let mut answer = HttpResponse::Ok();
    answer.insert_header((header::CACHE_CONTROL, "no-store"));
    entry.answer(answer, &page)
}
