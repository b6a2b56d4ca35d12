//! `/console/plugins/{slug}/people`: who is connected to a plugin, disconnected one by one; `/people/everybody`: all at
//! once, by whoever types the plugin's name.

use actix_web::{HttpRequest, HttpResponse, web};

use super::{
    entry::{Entry, Outcome, take, text, visit},
    owners::id,
    paging::Part,
};
use crate::{
    http::{
        failure::PageError,
        pages::console::{
            Notice, Section,
            people::{EverybodyPage, PeoplePage, PersonLine},
            times,
        },
    },
    model::{account::Role, id::ConsentId, plugin::Plugin, resource},
    protocol::parameters::Parameters,
    registry::{Wrong, people},
    server::Server,
    store::plugin_people::ConnectedPerson,
};

/// How many stand on a page.
const ROWS: u32 = 25;

/// How far they are counted.
const COUNTED: u32 = 1000;

/// Shows who is connected.
pub async fn list(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    visit(&server, &request, async |entry| render(entry).await).await
}

/// Disconnects one.
pub async fn disconnect(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let carry_out = async |entry: &Entry<'_>, fields: &Parameters| {
        let plugin = entry.plugin().await?;
        people::disconnect(&entry.registry(), &plugin, ConsentId(id(fields, "consent")?)).await?;
        Ok(entry.lead_to(&format!("/plugins/{}/people", plugin.slug), Notice::Disconnected))
    };
    take(&server, &request, payload, carry_out).await
}

/// Asks whether everybody is meant.
pub async fn ask(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let show = async |entry: &Entry<'_>| {
        let plugin = entry.plugin().await?;
        confirm(entry, &plugin, Vec::new()).await
    };
    visit(&server, &request, show).await
}

/// Disconnects everybody.
pub async fn everybody(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let carry_out = async |entry: &Entry<'_>, fields: &Parameters| {
        let plugin = entry.plugin().await?;
        let typed = text(fields, "confirm", 256)?;
        if typed.trim() != plugin.slug {
            let wrong = Wrong::new("confirm", format!("that is not {}; nobody was disconnected", plugin.slug));
            return confirm(entry, &plugin, vec![wrong]).await;
        }
        people::disconnect_everybody(&entry.registry(), &plugin).await?;
        Ok(entry.lead_to(&format!("/plugins/{}/people", plugin.slug), Notice::Disconnected))
    };
    take(&server, &request, payload, carry_out).await
}

async fn confirm(entry: &Entry<'_>, plugin: &Plugin, wrong: Vec<Wrong>) -> Outcome {
    let count = entry.server.store.count_people_of(plugin.id, COUNTED).await?;
    let count = match count {
        1 => "one connection".to_owned(),
        count if count >= u64::from(COUNTED) => format!("{COUNTED} connections or more"),
        count => format!("{count} connections"),
    };
    let frame = entry.frame(Some((plugin, Section::People)))?;
    let page = EverybodyPage { layout: entry.layout(), frame, slug: plugin.slug.clone(), count, wrong };
    entry.answer_with(&page, &page.wrong)
}

async fn render(entry: &Entry<'_>) -> Outcome {
    let plugin = entry.plugin().await?;
    let part = Part::asked_for(entry, ROWS)?;
    let query = entry.query()?;
    let named = query.one("resource", resource::LENGTH_MAX).map_err(PageError::Incomplete)?;
    let mut identifiers = entry.server.store.identifiers_of(plugin.id).await?;
    let wanted = named.unwrap_or(&plugin.resource);
    // What is not this plugin's is as if it were not there.
    let place = identifiers.iter().position(|it| it == wanted).ok_or(PageError::NotThere)?;
    let resource = identifiers.remove(place);
    let mut people = entry.server.store.people_of(plugin.id, &resource, part.page(ConsentId)).await?;
    let (list, query) =
        (format!("/console/plugins/{}/people", plugin.slug), format!("resource={}", encoded(&resource)));
    let pager = part.shown(&mut people, |person| person.consent_id.0, (&list, &query));
    let is_administrator = entry.account.role == Role::Admin;
    let line = |person: &ConnectedPerson| PersonLine {
        id: person.consent_id.to_string(),
        subject: people::subject_of(&plugin, person.account_id),
        email: is_administrator.then(|| person.email.to_string()),
        client: person.client_name.clone(),
        may: person.scopes.iter().map(|name| words_of(&plugin, name)).collect(),
        since: times::minute(person.granted_at),
        last_used: person.last_used_at.map(times::minute),
    };
    let page = PeoplePage {
        layout: entry.layout(),
        frame: entry.frame(Some((&plugin, Section::People)))?,
        slug: plugin.slug.clone(),
        others: identifiers.into_iter().map(|it| (it.clone(), encoded(&it))).collect(),
        resource,
        people: people.iter().map(line).collect(),
        pager,
    };
    entry.answer(HttpResponse::Ok(), &page)
}

/// The sentence of a scope; its name, where the plugin has it no longer.
fn words_of(plugin: &Plugin, name: &str) -> String {
    let known = plugin.scopes.iter().find(|scope| scope.name == name);
    known.map_or(name, |scope| &scope.words).to_owned()
}

/// A text as it stands in an address.
pub(super) fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
