//! `/console/plugins/{slug}/scopes`: what clients may ask for, each with the sentence that people read.

use actix_web::{HttpRequest, HttpResponse, web};

use super::{
    entry::{Entry, Outcome, take, visit},
    listing,
};
use crate::{
    http::{
        failure::PageError,
        pages::console::{Notice, ScopesPage, Section},
    },
    model::{plugin::Plugin, scope::NAME_LENGTH_MAX},
    protocol::parameters::Parameters,
    registry::{
        RegistryError, Wrong,
        plugins::{self, ScopeForm},
    },
    server::Server,
};

/// Shows the page.
pub async fn show(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let show = async |entry: &Entry<'_>| {
        let plugin = entry.plugin().await?;
        let forms = plugin.scopes.iter().map(|scope| ScopeForm {
            name: scope.name.clone(),
            words: scope.words.clone(),
            optional: scope.optional,
        });
        render(entry, &plugin, forms.collect(), Vec::new())
    };
    visit(&server, &request, show).await
}

/// Takes its form.
pub async fn save(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    take(&server, &request, payload, async |entry, fields| carry_out(entry, fields).await).await
}

async fn carry_out(entry: &Entry<'_>, fields: &Parameters) -> Outcome {
    let plugin = listing::seen(entry.plugin().await?, fields)?;
    let forms = read(fields)?;
    let wrong = match plugins::describe_scopes(&entry.registry(), &plugin, &forms).await {
        Ok(plugin) => return Ok(entry.lead_to(&format!("/plugins/{}", plugin.slug), Notice::Saved)),
        Err(RegistryError::Wrong(wrong)) => wrong,
        Err(RegistryError::ChangedMeanwhile) => vec![listing::changed_meanwhile()],
        Err(error) => return Err(error.into()),
    };
    render(entry, &plugin, forms, wrong)
}

/// The scopes in the order of the form: `scope` and `words` stand in pairs, `optional` names those that are ticked. A
/// pair without a name is an empty line of the form.
fn read(fields: &Parameters) -> Result<Vec<ScopeForm>, PageError> {
    let mut forms = Vec::new();
    for number in 0.. {
        let (scope, words) = (format!("scope-{number}"), format!("words-{number}"));
        let Some(name) = fields.one(&scope, 4 * NAME_LENGTH_MAX).map_err(PageError::Incomplete)? else { break };
        let words = fields.one(&words, 4096).map_err(PageError::Incomplete)?.unwrap_or_default();
        let optional = fields.one(&format!("optional-{number}"), 8).map_err(PageError::Incomplete)?.is_some();
        if !name.trim().is_empty() {
            forms.push(ScopeForm { name: name.trim().to_owned(), words: words.to_owned(), optional });
        }
    }
    Ok(forms)
}

fn render(entry: &Entry<'_>, plugin: &Plugin, scopes: Vec<ScopeForm>, wrong: Vec<Wrong>) -> Outcome {
    let is_refused = !wrong.is_empty();
    let page = ScopesPage {
        layout: entry.layout(),
        frame: entry.frame(Some((plugin, Section::Scopes)))?,
        slug: plugin.slug.clone(),
        version: plugin.version,
        scopes,
        wrong,
    };
    entry.answer(if is_refused { HttpResponse::UnprocessableEntity() } else { HttpResponse::Ok() }, &page)
}
