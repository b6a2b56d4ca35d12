//! `/sign-in/own` and its `/callback`: bring your own login. The person goes to the owner's own sign-in page with a
//! challenge, which is sealed, and comes back with an answer to it, which that page has signed.
//!
//! The challenge binds the answer to this browser and to ten minutes, so an answer that somebody else was given is worth
//! nothing here; and it is used once, so that going back in the history of a shared computer signs nobody in again.

use actix_web::{HttpRequest, HttpResponse, http::header, web};

use super::{
    arrival::Errand,
    place::Place,
    settling::{Came, settle, trouble},
    through::{returned, waiting},
};
use crate::{
    http::{
        extract::{language, peer, visitor::Visitor},
        failure::{self, PageError},
        oauth::authorize::follow,
        pages::Trouble,
    },
    model::{assertion::AssertionId, digest::Digest, flow::Step, provider::OWN},
    protocol::{federated::Departure, parameters::Parameters},
    random,
    server::Server,
    store::assertions::AssertionUse,
    tokens::{
        own_answer,
        sealed::{self, Kind},
    },
};

/// Sends a person to the owner's page.
pub async fn leave(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    failure::page(&server, &request, send(&server, &request).await)
}

async fn send(server: &Server, request: &HttpRequest) -> Result<HttpResponse, PageError> {
    let own = server.settings.own_login.as_ref().ok_or(PageError::NotOffered)?;
    let query = Parameters::from_form(request.query_string().as_bytes()).map_err(PageError::Incomplete)?;
    follow(server, request, &query, Step::SignIn);
    let visitor = Visitor::read(server, request).await?;
    let waiting = waiting(server, &query, &visitor).await?;
    let now = server.clock.now();
    // A nonce and a verifier are for providers; here the whole challenge is the nonce.
    let departure = Departure::start(OWN, waiting, [String::new(), String::new()], visitor.browser(), now);
    let sealing = (now, random::bytes());
    let challenge = sealed::write(&server.keyring.current(), Kind::Departure, &departure, sealing)?;
    let mut url = own.url.clone();
    let tag = language::of(server, request).tag();
    url.query_pairs_mut().append_pair("challenge", &challenge).append_pair("language", tag);
    let mut answer = HttpResponse::SeeOther();
    visitor.mark(&server.settings, &mut answer);
    Ok(answer.insert_header((header::LOCATION, url.as_str())).finish())
}

/// Takes a person back.
pub async fn come_back(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    failure::page(&server, &request, receive(&server, &request).await)
}

async fn receive(server: &Server, request: &HttpRequest) -> Result<HttpResponse, PageError> {
    let own = server.settings.own_login.as_ref().ok_or(PageError::NotOffered)?;
    let query = Parameters::from_form(request.query_string().as_bytes()).map_err(PageError::Incomplete)?;
    let visitor = Visitor::read(server, request).await?;
    let home = Errand::Visit(Place::Home);
    // Whoever guesses is slowed down as at a password.
    if let Err(too_many) = server.sign_ins.count(peer::of(request)) {
        return trouble(server, request, &own.label, (Trouble::TooMany(too_many), &home));
    }
    let text = query.one("answer", own_answer::LENGTH_MAX).map_err(PageError::Incomplete)?.unwrap_or_default();
    let now = server.clock.now();
    let (challenge, shown) = match own_answer::read(&own.key.get(), text, &server.settings.issuer, now) {
        Ok(answer) => answer,
        Err(error) => {
            tracing::warn!(%error, "an answer of the own sign-in page was not taken");
            return trouble(server, request, &own.label, (Trouble::NotBelieved, &home));
        }
    };
    let departure = match returned(server, &challenge, OWN, &visitor).await? {
        Ok(departure) => departure,
        Err(problem) => return trouble(server, request, &own.label, (problem, &home)),
    };
    // By the challenge: however many answers were written to it, one is taken.
    let digest = Digest::of([b"consentry own login v1".as_slice(), challenge.as_bytes()].concat());
    let id = AssertionId { expires_at: departure.ends_at(), digest };
    let errand = Errand::of(departure.into_waiting());
    if !server.store.use_assertion(&AssertionUse { id, use_id: random::bytes() }).await? {
        tracing::info!("an answer of the own sign-in page came a second time");
        return trouble(server, request, &own.label, (Trouble::NotBack, &errand));
    }
    let came = Came { shown, label: own.label.clone(), errand, may_make: true };
    Box::pin(settle(server, request, visitor, came)).await
}
