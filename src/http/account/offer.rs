//! `/identities/confirm`: whether somebody at a provider, with the address of the account that is signed in, shall be
//! linked with it. Asked once, right after signing in, wherever that was done.
//!
//! The offer waits in a cookie, sealed and bound to the browser, so that every way of signing in leads past it
//! (`arrival`). Whatever is answered, it is gone, and what brought the person here goes on.

use actix_web::{HttpRequest, HttpResponse, cookie::Cookie, web};

use super::{
    arrival::{Errand, go_on, leads_to},
    place::Place,
};
use crate::{
    http::{
        extract::{body, cookies, visitor::Visitor},
        failure::{self, PageError},
        guard,
        oauth::{authorize::to_path, caller::origin},
        pages::{self, ConfirmIdentityPage, Layout, Trouble},
    },
    keys::KeyError,
    model::{account::Account, audit::Actor, id::IdentityId, provider::Shown},
    protocol::{federated::Offer, parameters::Parameters},
    random,
    server::Server,
    store::identities::{LinkIdentity, NewIdentity},
    tokens::{
        self,
        sealed::{self, Kind},
    },
};

/// Length of what says which offer was shown, in letters.
const MARK_LENGTH: usize = 32;

/// Where it is asked.
pub(super) const PATH: &str = "/identities/confirm";

/// The cookie of an offer.
pub(super) fn make(server: &Server, shown: &Shown, label: &str, browser: &str) -> Result<Cookie<'static>, KeyError> {
    let now = server.clock.now();
    let offer = Offer::of(shown, label, browser, now).ok_or(KeyError::Refused)?;
    let text = sealed::write(&server.keyring.current(), Kind::Offer, &offer, (now, random::bytes()))?;
    Ok(cookies::set_offer(&server.settings, text))
}

/// The offer that waits for whoever is signed in to this account.
pub(super) async fn waits(
    server: &Server,
    request: &HttpRequest,
    visitor: &Visitor,
    account: &Account,
) -> Result<Option<Offer>, PageError> {
    let Some(text) = cookies::offer(&server.settings, request) else { return Ok(None) };
    let now = server.clock.now();
    let ring = server.keyring.knowing(sealed::kid(&text), &server.store, now).await?;
    let offer: Option<Offer> = sealed::read(&ring, Kind::Offer, &text);
    Ok(offer.filter(|offer| offer.is_for(account, visitor.known_browser(), now)))
}

/// Asks.
pub async fn ask(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    failure::page(&server, &request, show(&server, &request).await)
}

async fn show(server: &Server, request: &HttpRequest) -> Result<HttpResponse, PageError> {
    let query = Parameters::from_form(request.query_string().as_bytes()).map_err(PageError::Incomplete)?;
    let visitor = Visitor::read(server, request).await?;
    let errand = errand(server, &query, &visitor).await?;
    let Some(session) = &visitor.session else { return errand.anew(server) };
    let Some(offer) = waits(server, request, &visitor, &session.account).await? else {
        return go_on(server, request, HttpResponse::SeeOther(), errand, &visitor).await;
    };
    let leads_to = match &errand {
        Errand::Answer(in_flight) => leads_to(server, request, Some(&**in_flight), &visitor).await?,
        Errand::Visit(_) => None,
    };
    let (r, next) = errand.fields(server)?;
    let page = ConfirmIdentityPage {
        layout: Layout::of(server, request),
        csrf: tokens::form::write(&server.keyring.current(), visitor.browser())?,
        account: session.into(),
        request: r,
        next,
        offer: marked(&offer),
        label: offer.label,
    };
    Ok(pages::answer(HttpResponse::Ok(), &page, leads_to.as_ref())?)
}

/// Takes the answer.
pub async fn answer(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    failure::page(&server, &request, take(&server, &request, payload).await)
}

async fn take(server: &Server, request: &HttpRequest, payload: web::Payload) -> Result<HttpResponse, PageError> {
    let fields = body::form(request, payload).await?;
    let visitor = Visitor::read(server, request).await?;
    guard::form::check(server, request, &visitor, &fields).await?;
    let errand = errand(server, &fields, &visitor).await?;
    let Some(session) = &visitor.session else { return errand.anew(server) };
    let decision = fields.one("decision", 16).map_err(PageError::Incomplete)?;
    if decision == Some("link")
        && let Some(offer) = waits(server, request, &visitor, &session.account).await?
    {
        // Another may have come into its place, by a page that was opened meanwhile.
        if fields.one("offer", MARK_LENGTH).map_err(PageError::Incomplete)? != Some(marked(&offer).as_str()) {
            let path = format!("{PATH}{}", errand.query(server)?);
            return Ok(to_path(server, HttpResponse::SeeOther(), &path));
        }
        let account = session.account.id;
        let at = server.clock.now();
        let identity = NewIdentity {
            id: IdentityId(random::id(at)),
            provider: offer.provider,
            subject: offer.subject,
            email: session.account.email.clone(),
            at,
        };
        let audit = server.audit(Actor::Account(account), origin(request));
        match server.store.link_identity(account, &identity, &audit).await? {
            LinkIdentity::Linked => {}
            LinkIdentity::Taken | LinkIdentity::NotStanding => {
                return super::settling::trouble(server, request, &offer.label, (Trouble::NotLinked, &errand));
            }
        }
    }
    let mut answer = HttpResponse::SeeOther();
    answer.cookie(cookies::remove_offer(&server.settings));
    go_on(server, request, answer, errand, &visitor).await
}

fn marked(offer: &Offer) -> String {
    format!("{:032x}", u128::from_be_bytes(offer.mark()))
}

async fn errand(server: &Server, fields: &Parameters, visitor: &Visitor) -> Result<Errand, PageError> {
    let r = fields.one("r", tokens::request::LENGTH_MAX).map_err(PageError::Incomplete)?;
    Ok(Errand::waiting(server, r.filter(|r| !r.is_empty()), Place::read(fields)?, visitor).await)
}
