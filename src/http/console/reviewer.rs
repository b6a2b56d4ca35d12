//! `/console/plugins/{slug}/reviewer`: the account for reviewers of an assistant's vendor.

use actix_web::{HttpRequest, HttpResponse, web};

use super::entry::{Entry, Outcome, take, text, visit};
use crate::{
    http::{
        extract::peer,
        failure::PageError,
        pages::console::{
            Notice, Section,
            access::{Access as ReviewerAccess, ReviewerPage},
            times,
        },
    },
    model::plugin::Plugin,
    protocol::parameters::Parameters,
    registry::{
        RegistryError, Wrong,
        reviewer::{self, DAYS, Made},
    },
    server::Server,
};

/// Shows the page.
pub async fn show(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let show = async |entry: &Entry<'_>| {
        let plugin = entry.plugin().await?;
        render(entry, &plugin, None, (DAYS.to_string(), Vec::new())).await
    };
    visit(&server, &request, show).await
}

/// Takes one of its forms.
pub async fn change(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    take(&server, &request, payload, async |entry, fields| carry_out(entry, fields).await).await
}

async fn carry_out(entry: &Entry<'_>, fields: &Parameters) -> Outcome {
    let plugin = entry.plugin().await?;
    let (registry, days) = (entry.registry(), text(fields, "days", 16)?);
    let done = match fields.required("change", 16).map_err(PageError::Incomplete)? {
        "make" if entry.server.sign_ins.count(peer::of(entry.request)).is_err() => {
            Err(Wrong::new("other", "There was too much at once. Try again in a minute").into())
        }
        "make" => match reviewer::make(&registry, &entry.server.passwords, &plugin, days).await {
            Ok(made) => return render(entry, &plugin, Some(made), (DAYS.to_string(), Vec::new())).await,
            Err(error) => Err(error),
        },
        "prolong" => reviewer::prolong(&registry, &plugin, days).await,
        "end" => reviewer::finish(&registry, &plugin).await,
        _ => return Err(PageError::NotThere),
    };
    match done {
        Ok(()) => Ok(entry.lead_to(&format!("/plugins/{}/reviewer", plugin.slug), Notice::Saved)),
        Err(RegistryError::Wrong(wrong)) => render(entry, &plugin, None, (days.to_owned(), wrong)).await,
        Err(error) => Err(error.into()),
    }
}

async fn render(
    entry: &Entry<'_>,
    plugin: &Plugin,
    made: Option<Made>,
    (days, wrong): (String, Vec<Wrong>),
) -> Outcome {
    let password = made.as_ref().map(|made| made.password.clone());
    let reviewer = match made {
        Some(made) => Some(made.reviewer),
        None => reviewer::find(&entry.registry(), plugin).await?,
    };
    let now = entry.server.clock.now();
    let access = reviewer.map(|reviewer| ReviewerAccess {
        name: reviewer.email.to_string(),
        until: times::minute(reviewer.ends_at),
        is_over: reviewer.ends_at <= now,
    });
    let page = ReviewerPage {
        layout: entry.layout(),
        frame: entry.frame(Some((plugin, Section::Access)))?,
        slug: plugin.slug.clone(),
        access,
        password,
        days,
        wrong,
    };
    entry.answer_with(&page, &page.wrong)
}
