//! `/console/new`: which kind of plugin it is to be; `/console/new/{kind}`: what its owner says of it.

use actix_web::{HttpRequest, HttpResponse, web};

use super::{
    entry::{Entry, Outcome, take, visit},
    listing,
    preview::{self, Asked},
};
use crate::{
    http::{
        failure::PageError,
        pages::console::{KindPage, ListingPage, Notice},
    },
    model::client::Dialect,
    protocol::parameters::Parameters,
    registry::{
        RegistryError,
        plugins::{self, PluginForm},
    },
    server::Server,
};

/// Asks which kind.
pub async fn kinds(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let show = async |entry: &Entry<'_>| {
        let page =
            KindPage { layout: entry.layout(), frame: entry.frame(None)?, may_register: entry.owner().may_register() };
        entry.answer(HttpResponse::Ok(), &page)
    };
    visit(&server, &request, show).await
}

/// Asks for what is to be said of it.
pub async fn form(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let show = async |entry: &Entry<'_>| {
        let kind = kind(entry)?;
        let typed = PluginForm { contact_email: entry.account.email.to_string(), ..PluginForm::default() };
        render(entry, kind, listing::Typed { form: typed, ..listing::Typed::default() }).await
    };
    visit(&server, &request, show).await
}

/// Registers it.
pub async fn register(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    take(&server, &request, payload, async |entry, fields| carry_out(entry, fields).await).await
}

async fn carry_out(entry: &Entry<'_>, fields: &Parameters) -> Outcome {
    let kind = kind(entry)?;
    if let Some(asked) = Asked::read(fields)? {
        let typed = listing::read_typed(fields)?;
        return match asked {
            Asked::Fragment => preview::answer(entry, &typed.shows(Some(kind), None)).await,
            Asked::Page => render(entry, kind, typed).await,
        };
    }
    let mut typed = listing::read(entry, fields).await?;
    if typed.wrong.is_empty() {
        match plugins::register(&entry.registry(), kind, &typed.form, Some(entry.account.id)).await {
            Ok(plugin) => {
                let path = format!("/plugins/{}/scopes", plugin.slug);
                return Ok(entry.lead_to(&path, Notice::Registered));
            }
            Err(RegistryError::Wrong(wrong)) => typed.wrong = wrong,
            Err(error) => return Err(error.into()),
        }
    }
    render(entry, kind, typed).await
}

/// The kind that the address names, for those who may register one.
fn kind(entry: &Entry<'_>) -> Result<Dialect, PageError> {
    let word = entry.request.match_info().get("kind").unwrap_or_default();
    let known = [Dialect::Plugin, Dialect::Action, Dialect::Connector].into_iter().find(|kind| kind.as_str() == word);
    known.filter(|_| entry.owner().may_register()).ok_or(PageError::NotThere)
}

async fn render(entry: &Entry<'_>, kind: Dialect, typed: listing::Typed) -> Outcome {
    let preview = preview::of(entry, &typed.shows(Some(kind), None)).await?;
    let page = ListingPage {
        layout: entry.layout(),
        frame: entry.frame(None)?,
        kind: Some(kind),
        slug: String::new(),
        version: 0,
        form: typed.form,
        pasted: typed.pasted,
        openapi_url: typed.openapi_url,
        logo_url: typed.logo_url,
        has_openapi: false,
        has_logo: false,
        proof: None,
        preview,
        wrong: typed.wrong,
    };
    entry.answer_with(&page, &page.wrong)
}
