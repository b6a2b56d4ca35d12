//! `/console/plugins/{slug}/clients`: the client IDs of a plugin, and a new one with what is to be typed in elsewhere.

use actix_web::{HttpRequest, HttpResponse, web};

use super::{
    entry::{Entry, Outcome, take, text, visit},
    paging::Part,
};
use crate::{
    http::{
        failure::PageError,
        pages::console::{Badge, Choice, ClientLine, ClientsPage, HandoverPage, NewClientPage, Section},
    },
    model::{
        client::{Client, Dialect},
        id::ClientId,
        plugin::Plugin,
        scope::{Catalogue, Scope},
    },
    protocol::{
        dialect,
        parameters::Parameters,
        presets::{self, Preset},
    },
    registry::{
        RegistryError, Wrong,
        clients::{self, Handover, NewClientForm},
    },
    server::Server,
};

/// How many clients stand on a page.
const ROWS: u32 = 25;
/// The longest line of a form that is read, in bytes.
const LINE_MAX: usize = 4096;
/// The longest text of several lines.
const TEXT_MAX: usize = 32 * 1024;

/// Shows them.
pub async fn list(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    visit(&server, &request, async |entry| show(entry).await).await
}

async fn show(entry: &Entry<'_>) -> Outcome {
    let plugin = entry.plugin().await?;
    let part = Part::asked_for(entry, ROWS)?;
    let now = entry.server.clock.now();
    let mut clients = entry.server.store.clients_of(plugin.id, now, part.page(ClientId)).await?;
    let list = format!("/console/plugins/{}/clients", plugin.slug);
    let pager = part.shown(&mut clients, |client| client.id.0, (&list, ""));
    let page = ClientsPage {
        layout: entry.layout(),
        frame: entry.frame(Some((&plugin, Section::Clients)))?,
        clients: clients.iter().map(line).collect(),
        pager,
        slug: plugin.slug,
    };
    entry.answer(HttpResponse::Ok(), &page)
}

fn line(client: &Client) -> ClientLine {
    ClientLine {
        client_id: client.client_id.clone(),
        name: client.name.clone(),
        kind: dialect::in_words(client.dialect),
        badge: badge(client),
    }
}

/// Where a client stands.
pub(super) fn badge(client: &Client) -> Badge {
    let lacks_callback = dialect::authorization_code_allowed(client.dialect) && client.redirect_uris.is_empty();
    let (class, word) = match (client.enabled, lacks_callback) {
        (false, _) => ("bad", "Disabled"),
        (true, true) => ("warn", "Callback missing"),
        (true, false) => ("good", "Ready"),
    };
    Badge { class, word }
}

/// Asks for a new one; the address may say which kind.
pub async fn form(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let show = async |entry: &Entry<'_>| {
        let plugin = entry.plugin().await?;
        let query = entry.query()?;
        let preset = query.one("kind", 64).map_err(PageError::Incomplete)?.unwrap_or(Dialect::Action.as_str());
        let scopes = plugin.scopes.iter().map(|scope| scope.name.clone()).collect();
        let name = preset.parse().map(dialect::usual_name).unwrap_or_default().to_owned();
        let typed = NewClientForm { preset: preset.to_owned(), name, scopes, ..NewClientForm::default() };
        render(entry, &plugin, &typed, Vec::new())
    };
    visit(&server, &request, show).await
}

/// Registers it, and shows what is to be typed in.
pub async fn register(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    take(&server, &request, payload, async |entry, fields| carry_out(entry, fields).await).await
}

async fn carry_out(entry: &Entry<'_>, fields: &Parameters) -> Outcome {
    let plugin = entry.plugin().await?;
    let scopes: Vec<String> = fields.all("scope").flatten().map(str::to_owned).collect();
    let typed = NewClientForm {
        preset: text(fields, "preset", 64)?.to_owned(),
        name: text(fields, "name", LINE_MAX)?.to_owned(),
        callbacks: text(fields, "callbacks", TEXT_MAX)?.lines().map(str::to_owned).collect(),
        scopes: scopes.clone(),
        ..NewClientForm::default()
    };
    // On the command line no scope means all of them; a form without a tick means that none was wanted.
    if scopes.is_empty() && plugin.scopes.iter().next().is_some() {
        let none = Wrong::new("scope", "Nothing is ticked that it may ask for");
        return render(entry, &plugin, &typed, vec![none]);
    }
    match clients::register(&entry.registry(), &plugin, &typed).await {
        Ok(registered) => {
            let about = About {
                client_id: registered.client.client_id,
                name: registered.client.name,
                has_secret: registered.secret.is_some(),
                old_until: None,
                twins: registered.twins.iter().map(ToString::to_string).collect(),
                dialect: registered.client.dialect,
            };
            hand_over(entry, &plugin, about, registered.handover)
        }
        Err(RegistryError::Wrong(wrong)) => render(entry, &plugin, &typed, wrong),
        Err(error) => Err(error.into()),
    }
}

/// Each of a plugin's scopes, and whether it is ticked.
pub(super) fn choices(catalogue: &Catalogue, is_ticked: impl Fn(&str) -> bool) -> Vec<Choice> {
    let choice = |scope: &Scope| Choice {
        value: scope.name.clone(),
        label: scope.words.clone(),
        chosen: is_ticked(&scope.name),
    };
    catalogue.iter().map(choice).collect()
}

/// A client whose values are shown.
pub(super) struct About {
    pub(super) client_id: String,
    pub(super) name: String,
    pub(super) has_secret: bool,
    pub(super) old_until: Option<String>,
    pub(super) twins: Vec<String>,
    pub(super) dialect: Dialect,
}

/// What to do then. Who reads this has no command line, which the dialects' own words speak of.
fn next(then: Option<&'static str>, dialect: Dialect) -> Option<&'static str> {
    match dialect {
        Dialect::Plugin => Some(
            "A verification token is shown then: paste it on the page Verification. The callback that people are sent \
             back to goes on this client's page.",
        ),
        Dialect::Action => Some(
            "Once that is saved, a callback URL is shown there: add it on the next page. If it changes later, the new one \
             is offered on this client's page when somebody tries to connect.",
        ),
        Dialect::Connector | Dialect::Service | Dialect::Custom => then,
    }
}

/// Shows what is to be typed in elsewhere, this once.
pub(super) fn hand_over(entry: &Entry<'_>, plugin: &Plugin, about: About, handover: Handover) -> Outcome {
    let page = HandoverPage {
        layout: entry.layout(),
        frame: entry.frame(Some((plugin, Section::Clients)))?,
        slug: plugin.slug.clone(),
        client_id: about.client_id,
        name: about.name,
        place: handover.place.to_owned(),
        fields: handover.fields.into_iter().map(|(field, value)| (field.to_owned(), value)).collect(),
        has_secret: about.has_secret,
        old_until: about.old_until,
        twins: about.twins,
        then: next(handover.then, about.dialect).map(str::to_owned),
    };
    let mut answer = HttpResponse::Ok();
    answer.insert_header((actix_web::http::header::CACHE_CONTROL, "no-store"));
    entry.answer(answer, &page)
}

/// Kinds that are one caller's own, which is listed by them.
const OWN_KINDS: [Dialect; 2] = [Dialect::Plugin, Dialect::Action];

/// What a client can be, the chosen one marked; nothing stands there twice.
fn groups(typed: &str) -> [Vec<Choice>; 3] {
    let is_own_kind = |caller: &Preset| OWN_KINDS.contains(&caller.dialect);
    let named = presets::named(typed).filter(|caller| is_own_kind(caller));
    let chosen = named.map_or(typed, |caller| caller.dialect.as_str());
    let choice =
        |value: &str, label: &str| Choice { value: value.to_owned(), label: label.to_owned(), chosen: value == chosen };
    let kind = |kind: Dialect, label| choice(kind.as_str(), label);
    let vendor = presets::all().iter().find(|caller| is_own_kind(caller)).map(|caller| &caller.vendor);
    let (own, others): (Vec<_>, Vec<_>) =
        presets::all().iter().filter(|caller| !is_own_kind(caller)).partition(|caller| Some(&caller.vendor) == vendor);
    let callers = |callers: Vec<&Preset>| callers.into_iter().map(|it| choice(&it.name, &it.about)).collect::<Vec<_>>();
    let own_kinds = OWN_KINDS.map(|it| kind(it, dialect::in_words(it))).to_vec();
    let else_kinds = [Dialect::Service, Dialect::Custom].map(|it| kind(it, dialect::in_words(it)));
    [
        [own_kinds, callers(own)].concat(),
        callers(others),
        [vec![kind(Dialect::Connector, "Another MCP client")], else_kinds.to_vec()].concat(),
    ]
}

fn render(entry: &Entry<'_>, plugin: &Plugin, typed: &NewClientForm, wrong: Vec<Wrong>) -> Outcome {
    let page = NewClientPage {
        layout: entry.layout(),
        frame: entry.frame(Some((plugin, Section::Clients)))?,
        slug: plugin.slug.clone(),
        groups: groups(&typed.preset),
        name: typed.name.clone(),
        callbacks: typed.callbacks.join("\n"),
        scopes: choices(&plugin.scopes, |name| typed.scopes.iter().any(|it| it == name)),
        wrong,
    };
    entry.answer_with(&page, &page.wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_a_client_can_be_is_listed_once() {
        let listed: Vec<Choice> = groups("action").into_iter().flatten().collect();
        let mut values: Vec<&str> = listed.iter().map(|choice| choice.value.as_str()).collect();
        values.sort_unstable();
        let kinds = Dialect::ALL.into_iter().map(Dialect::as_str);
        let callers = presets::all().iter().filter(|it| !OWN_KINDS.contains(&it.dialect)).map(|it| it.name.as_str());
        let mut all: Vec<&str> = kinds.chain(callers).collect();
        all.sort_unstable();
        assert_eq!(values, all);
        assert_eq!(listed.iter().filter(|choice| choice.chosen).count(), 1);
        // A caller that a kind stands for is chosen by that kind.
        let own = presets::all().iter().find(|it| OWN_KINDS.contains(&it.dialect)).unwrap();
        let chosen = groups(&own.name).into_iter().flatten().find(|choice| choice.chosen).unwrap();
        assert_eq!(chosen.value, own.dialect.as_str());
    }
}
