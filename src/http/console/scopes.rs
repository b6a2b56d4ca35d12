//! `/console/plugins/{slug}/scopes`: what clients may ask for, each with the sentence that people read.

use actix_web::{HttpRequest, HttpResponse, web};

use super::{
    entry::{Entry, Outcome, take, text, visit},
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
        scopes::{self, ScopeForm},
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
    let (forms, mut wrong) = read(fields)?;
    if wrong.is_empty() {
        wrong = match scopes::describe(&entry.registry(), &plugin, &forms).await {
            Ok(plugin) => return Ok(entry.lead_to(&format!("/plugins/{}", plugin.slug), Notice::Saved)),
            Err(RegistryError::Wrong(wrong)) => wrong,
            Err(RegistryError::ChangedMeanwhile) => vec![listing::changed_meanwhile()],
            Err(error) => return Err(error.into()),
        };
    }
    render(entry, &plugin, forms, wrong)
}

/// How many lines of the form are read: every scope a plugin can have, and the empty ones.
const LINES_MAX: usize = 128 + 8;

/// The scopes in the order of the form: `scope-N`, `words-N` and `optional-N` are one line, which may be empty.
fn read(fields: &Parameters) -> Result<(Vec<ScopeForm>, Vec<Wrong>), PageError> {
    let (mut forms, mut wrong): (Vec<ScopeForm>, _) = (Vec::new(), Vec::new());
    for number in 0..LINES_MAX {
        let (scope, words) = (format!("scope-{number}"), format!("words-{number}"));
        let name = text(fields, &scope, 4 * NAME_LENGTH_MAX)?.trim();
        let words = text(fields, &words, 4096)?;
        let optional = fields.one(&format!("optional-{number}"), 8).map_err(PageError::Incomplete)?.is_some();
        if name.is_empty() && words.trim().is_empty() {
            continue;
        }
        if name.is_empty() {
            wrong.push(Wrong::new("scope", format!("the sentence \"{words}\" stands beside no name")));
        }
        forms.push(ScopeForm { name: name.to_owned(), words: words.to_owned(), optional });
    }
    Ok((forms, wrong))
}

fn render(entry: &Entry<'_>, plugin: &Plugin, scopes: Vec<ScopeForm>, wrong: Vec<Wrong>) -> Outcome {
    let page = ScopesPage {
        layout: entry.layout(),
        frame: entry.frame(Some((plugin, Section::Scopes)))?,
        slug: plugin.slug.clone(),
        version: plugin.version,
        known: plugin.scopes.names().iter().map(str::to_owned).collect(),
        scopes,
        wrong,
    };
    entry.answer_with(&page, &page.wrong)
}
