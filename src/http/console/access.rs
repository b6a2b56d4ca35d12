//! `/console/plugins/{slug}/access`: who may connect, and what they may grant.

use actix_web::{HttpRequest, HttpResponse, web};

use super::{
    entry::{Entry, Outcome, is_confirmed, take, text, visit},
    listing,
};
use crate::{
    http::{
        failure::PageError,
        pages::console::{
            Notice, Section,
            access::{AccessPage, Asked, RuleLine},
        },
    },
    model::{
        access::{Access, Grants, Rule},
        plugin::Plugin,
        scope::{CATALOGUE_MAX, Scopes},
    },
    protocol::parameters::Parameters,
    registry::{
        RegistryError, Wrong,
        access::{self, Change, Outcome as Changed},
    },
    server::Server,
};

/// The longest list of names that is read.
const WHO_MAX: usize = 32 * 1024;

/// Shows the page.
pub async fn show(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let show = async |entry: &Entry<'_>| {
        let plugin = entry.plugin().await?;
        let (version, access) = access::read(&entry.registry(), &plugin).await?;
        render(entry, &Plugin { version, ..plugin }, &access, Typed::default())
    };
    visit(&server, &request, show).await
}

/// Takes one of its forms.
pub async fn change(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    take(&server, &request, payload, async |entry, fields| carry_out(entry, fields).await).await
}

/// What somebody typed, and what came of it.
#[derive(Default)]
struct Typed {
    who: String,
    scopes: Option<Scopes>,
    asked: Option<Asked>,
    wrong: Vec<Wrong>,
}

async fn carry_out(entry: &Entry<'_>, fields: &Parameters) -> Outcome {
    let plugin = listing::seen(entry.plugin().await?, fields)?;
    let registry = entry.registry();
    let (_, now) = access::read(&registry, &plugin).await?;
    let (word, who) = (text(fields, "change", 16)?, text(fields, "who", WHO_MAX)?.to_owned());
    let names: Vec<&str> = fields.all("scope").flatten().take(CATALOGUE_MAX).collect();
    // Two ways to say it on the form, and what is ticked counts only where it is to count.
    let scopes = (text(fields, "grants", 16)? == "these")
        .then(|| plugin.scopes.names().intersection(&names.into_iter().collect()));
    let wanted = match word {
        "open" => Change::Open,
        "add" => Change::Add { who: who.clone(), scopes: scopes.clone() },
        "remove" => Change::Remove { who: who.clone() },
        _ => return Err(PageError::NotThere),
    };
    let outcome = if is_confirmed(fields) {
        access::change_anyway(&registry, &plugin, &wanted).await.map(|_| None)
    } else {
        access::change(&registry, &plugin, &wanted).await.map(|outcome| match outcome {
            Changed::Made(..) => None,
            Changed::ShutsOut(people) => Some(people),
        })
    };
    let wrong = match outcome {
        Ok(None) => return Ok(entry.lead_to(&format!("/plugins/{}/access", plugin.slug), Notice::Saved)),
        Ok(Some(people)) => {
            let asked = Some(Asked { change: word.to_owned(), people });
            return render(entry, &plugin, &now, Typed { who, scopes, asked, wrong: Vec::new() });
        }
        Err(RegistryError::Wrong(wrong)) => wrong,
        Err(RegistryError::ChangedMeanwhile) => vec![listing::changed_meanwhile()],
        Err(error) => return Err(error.into()),
    };
    render(entry, &plugin, &now, Typed { who, scopes, asked: None, wrong })
}

fn render(entry: &Entry<'_>, plugin: &Plugin, access: &Access, typed: Typed) -> Outcome {
    let line = |rule: &Rule| RuleLine {
        who: rule.who.to_string(),
        grants: match &rule.grants {
            Grants::Everything => None,
            Grants::These(scopes) => Some(scopes.to_string()),
        },
    };
    let chosen = |name: &str| typed.scopes.as_ref().is_some_and(|scopes| scopes.contains(name));
    let page = AccessPage {
        layout: entry.layout(),
        frame: entry.frame(Some((plugin, Section::Access)))?,
        slug: plugin.slug.clone(),
        version: plugin.version,
        is_open: *access == Access::Open,
        rules: access.rules().iter().map(line).collect(),
        scopes: plugin.scopes.iter().map(|it| (it.name.clone(), it.words.clone(), chosen(&it.name))).collect(),
        grants_all: typed.scopes.is_none(),
        who: typed.who,
        asked: typed.asked,
        wrong: typed.wrong,
    };
    entry.answer_with(&page, &page.wrong)
}
