//! `/identities`: who a person is at other servers, linking another, and unlinking.

use actix_web::{HttpRequest, HttpResponse, web};
use uuid::Uuid;

use super::{
    place::{self, Place},
    second_step::Why,
    security::is_fresh,
};
use crate::{
    http::{
        extract::{body, visitor::Visitor},
        failure::{self, PageError},
        guard,
        oauth::{authorize::to_path, caller::origin},
        pages::{self, IdentitiesPage, IdentityLine, Layout, Way},
    },
    model::{
        audit::Actor,
        id::IdentityId,
        provider::{Identity, OWN, Provider},
        session::Session,
    },
    server::Server,
    store::identities::Unlink,
    tokens,
};

/// Longest id in a form.
const ID_LENGTH: usize = 36;

/// Shows the page.
pub async fn list(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    failure::page(&server, &request, show(&server, &request).await)
}

async fn show(server: &Server, request: &HttpRequest) -> Result<HttpResponse, PageError> {
    let visitor = Visitor::read(server, request).await?;
    match &visitor.session {
        None => Ok(Place::Identities.after_signing_in(server)),
        Some(session) => render(server, request, (&visitor, session), None).await,
    }
}

/// Takes the form of one identity.
pub async fn unlink(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    failure::page(&server, &request, take(&server, &request, payload).await)
}

async fn take(server: &Server, request: &HttpRequest, payload: web::Payload) -> Result<HttpResponse, PageError> {
    let fields = body::form(request, payload).await?;
    let visitor = Visitor::read(server, request).await?;
    guard::form::check(server, request, &visitor, &fields).await?;
    let Some(session) = &visitor.session else { return Ok(Place::Identities.after_signing_in(server)) };
    if !is_fresh(server, session).await? {
        let path = format!("{}?{}={}", Why::Again.path(), place::FIELD, Place::Identities.word());
        return Ok(to_path(server, HttpResponse::SeeOther(), &path));
    }
    let account = session.account.id;
    let id = fields.one("identity", ID_LENGTH).map_err(PageError::Incomplete)?;
    let unlinked = match id.and_then(|id| id.parse::<Uuid>().ok()) {
        Some(id) => {
            let audit = server.audit(Actor::Account(account), origin(request));
            server.store.unlink_identity(account, IdentityId(id), &offered(server), &audit).await?
        }
        None => Unlink::NotThere,
    };
    let told = match unlinked {
        Unlink::Unlinked | Unlink::NotThere => ("identities-unlinked", true),
        Unlink::LastWay => ("identities-last-way", false),
    };
    render(server, request, (&visitor, session), Some(told)).await
}

async fn render(
    server: &Server,
    request: &HttpRequest,
    (visitor, session): (&Visitor, &Session),
    told: Option<(&'static str, bool)>,
) -> Result<HttpResponse, PageError> {
    let layout = Layout::of(server, request);
    let identities = server.store.identities(session.account.id).await?;
    let line = |identity: &Identity| IdentityLine::of(identity, label(server, identity), layout.language);
    let is_linked = |key: &str| identities.iter().any(|identity| identity.provider == key);
    let all = server.providers.all().iter();
    let page = IdentitiesPage {
        csrf: tokens::form::write(&server.keyring.current(), visitor.browser())?,
        account: session.into(),
        identities: identities.iter().map(line).collect(),
        ways: all.filter(|provider| !is_linked(&provider.key())).map(way).collect(),
        told,
        layout,
    };
    let mut answer = HttpResponse::Ok();
    visitor.mark(&server.settings, &mut answer);
    Ok(pages::answer(answer, &page, None)?)
}

/// What an identity's server is called, while it is offered.
fn label<'a>(server: &'a Server, identity: &Identity) -> Option<&'a str> {
    if identity.provider == OWN {
        return server.settings.own_login.as_ref().map(|own| own.label.as_str());
    }
    let provider = server.providers.all().iter().find(|provider| provider.key() == identity.provider);
    provider.map(|provider| provider.label.as_str())
}

/// What identities of providers that are offered are kept under.
fn offered(server: &Server) -> Vec<String> {
    let own = server.settings.own_login.iter().map(|_| OWN.to_owned());
    own.chain(server.providers.all().iter().map(Provider::key)).collect()
}

fn way(provider: &Provider) -> Way {
    Way { path: format!("with/{}", provider.name), label: provider.label.clone() }
}

/// Every way to sign in elsewhere, the owner's own first. A provider may let in whoever sits at the browser without a
/// question, so none is a way where the person is to sign in anew.
pub(super) fn ways(server: &Server, anew: bool) -> Vec<Way> {
    let own = server.settings.own_login.iter().map(|own| Way { path: OWN.to_owned(), label: own.label.clone() });
    let others = server.providers.all().iter().filter(|_| !anew).map(way);
    own.chain(others).collect()
}
