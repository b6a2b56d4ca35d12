//! `/console/tokens`: what an owner's programs show to the owners' API.

use actix_web::{HttpRequest, HttpResponse, web};

use super::{
    entry::{Entry, Outcome, take, text, visit},
    owners::id,
};
use crate::{
    http::{
        account::place::Place,
        failure::PageError,
        pages::console::{Choice, Notice, TokenLine, TokensPage, times},
    },
    model::{
        id::OwnerTokenId,
        owner_token::{OwnerScope, OwnerToken},
    },
    protocol::parameters::Parameters,
    registry::{
        RegistryError, Wrong,
        owner_tokens::{self, OwnerTokenForm},
    },
    server::Server,
};

/// The longest line that is read, in bytes.
const LINE_MAX: usize = 4096;

/// Shows them.
pub async fn show(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let show = async |entry: &Entry<'_>| {
        let form = OwnerTokenForm { days: "90".to_owned(), ..OwnerTokenForm::default() };
        render(entry, form, (None, Vec::new())).await
    };
    visit(&server, &request, show).await
}

/// Takes one of its forms.
pub async fn change(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    take(&server, &request, payload, async |entry, fields| carry_out(entry, fields).await).await
}

async fn carry_out(entry: &Entry<'_>, fields: &Parameters) -> Outcome {
    let registry = entry.registry();
    match fields.required("change", 16).map_err(PageError::Incomplete)? {
        "end" => {
            owner_tokens::end(&registry, entry.account.id, OwnerTokenId(id(fields, "token")?)).await?;
            Ok(entry.lead_to("/tokens", Notice::TokenEnded))
        }
        "make" => {
            if let Some(asked) = entry.prove_first(Place::Tokens).await? {
                return Ok(asked);
            }
            let form = OwnerTokenForm {
                name: text(fields, "name", LINE_MAX)?.to_owned(),
                scopes: fields.all("scope").flatten().map(str::to_owned).collect(),
                days: text(fields, "days", LINE_MAX)?.to_owned(),
            };
            match owner_tokens::make(&registry, &entry.account, &form).await {
                Ok(made) => {
                    let shown = (form.name, made.secret.reveal().to_owned());
                    let form = OwnerTokenForm { days: form.days, ..OwnerTokenForm::default() };
                    render(entry, form, (Some(shown), Vec::new())).await
                }
                Err(RegistryError::Wrong(wrong)) => render(entry, form, (None, wrong)).await,
                Err(error) => Err(error.into()),
            }
        }
        _ => Err(PageError::NotThere),
    }
}

async fn render(
    entry: &Entry<'_>,
    form: OwnerTokenForm,
    (made, wrong): (Option<(String, String)>, Vec<Wrong>),
) -> Outcome {
    let tokens = entry.server.store.owner_tokens(entry.account.id, entry.server.clock.now()).await?;
    let choice = |scope: &OwnerScope| Choice {
        value: scope.as_str().to_owned(),
        label: scope.says().to_owned(),
        chosen: form.scopes.iter().any(|word| word == scope.as_str()),
    };
    let page = TokensPage {
        layout: entry.layout(),
        frame: entry.frame(None)?,
        tokens: tokens.iter().map(line).collect(),
        made,
        scopes: OwnerScope::ALL.iter().map(choice).collect(),
        form,
        wrong,
    };
    entry.answer_with(&page, &page.wrong)
}

fn line(token: &OwnerToken) -> TokenLine {
    let used = match token.last_used_at {
        Some(at) => format!("last used on {}", times::minute(at)),
        None => "no use noted".to_owned(),
    };
    let (made, until) = (times::minute(token.created_at), times::minute(token.expires_at));
    TokenLine {
        id: token.id.to_string(),
        name: token.name.clone(),
        scopes: token.scopes.to_string(),
        says: format!("Made on {made}, good until {until}, {used}"),
    }
}
