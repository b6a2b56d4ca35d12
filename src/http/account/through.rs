//! `/sign-in/with/{provider}` and its `/callback`: a person signs in at another server, and comes back with a code.
//!
//! Leaving is a link and not a form: browsers hold a form's answer to `form-action`, wherever it leads on to. Anybody's
//! page can open that link, and all it does is to send a person to a provider of the operator's choice. Coming back is
//! what counts: `state` is ours, opens in the browser that left, once that left for this provider, for ten minutes.

use actix_web::{HttpRequest, HttpResponse, http::header, web};

use super::{
    arrival::Errand,
    place::{self, Place},
    settling::{Came, settle, trouble},
};
use crate::{
    http::{
        extract::{peer, visitor::Visitor},
        failure::{self, PageError},
        oauth::authorize::{Stage, follow, open, stage, to_page},
        pages::Trouble,
        trail,
    },
    model::{account::SignUps, flow::Step, provider::Provider},
    protocol::{
        federated::{Departure, Waiting},
        parameters::Parameters,
    },
    providers::{self, ProviderError, Return},
    random,
    server::Server,
    tokens::{
        self,
        sealed::{self, Kind},
    },
};

/// The longest code, error and issuer read.
const CODE_LENGTH_MAX: usize = 4096;
const ERROR_LENGTH_MAX: usize = 256;
const ISS_LENGTH_MAX: usize = 2048;

/// Sends a person to a provider.
pub async fn leave(server: web::Data<Server>, request: HttpRequest, name: web::Path<String>) -> HttpResponse {
    failure::page(&server, &request, send(&server, &request, &name).await)
}

async fn send(server: &Server, request: &HttpRequest, name: &str) -> Result<HttpResponse, PageError> {
    let provider = server.providers.find(name).ok_or(PageError::NotOffered)?;
    let query = Parameters::from_form(request.query_string().as_bytes()).map_err(PageError::Incomplete)?;
    follow(server, request, &query, Step::SignIn);
    let visitor = Visitor::read(server, request).await?;
    let waiting = waiting(server, &query, &visitor).await?;
    if let Waiting::Answer(in_flight) = &waiting
        && let Stage::SignIn(asked) = stage(server, request, (**in_flight).clone(), &visitor).await?
        && asked.0.wants_new_sign_in()
    {
        // A provider may not ask anything of whoever sits there, and most could not say whether it did.
        return to_page(server, HttpResponse::SeeOther(), "/sign-in", in_flight);
    }
    let texts = [(); 2].map(|()| sealed::unguessable(random::bytes()));
    let (now, nonce) = (server.clock.now(), random::bytes());
    let departure = Departure::start(name, waiting.clone(), texts, visitor.browser(), now);
    let state = sealed::write(&server.keyring.current(), Kind::Departure, &departure, (now, nonce))?;
    let sent = providers::Departure {
        redirect_uri: redirect_uri(server, name),
        state,
        nonce: departure.nonce(),
        verifier: departure.verifier(),
    };
    match server.providers.send(provider, sent).await {
        Ok(url) => {
            let mut answer = HttpResponse::SeeOther();
            visitor.mark(&server.settings, &mut answer);
            Ok(answer.insert_header((header::LOCATION, url.as_str())).finish())
        }
        Err(error) => failed(server, request, provider, (&error, &Errand::of(waiting))),
    }
}

/// What the query says is to go on.
pub(super) async fn waiting(server: &Server, query: &Parameters, visitor: &Visitor) -> Result<Waiting, PageError> {
    match query.one("r", tokens::request::LENGTH_MAX).map_err(PageError::Incomplete)? {
        Some(r) => Ok(Waiting::Answer(Box::new(open(server, r, visitor).await?))),
        None => Ok(Waiting::Visit(Place::read(query)?.word())),
    }
}

/// Where a provider sends people back to: each has an address of its own, so that no code of one is brought to another
/// (RFC 9700 §4.4.2.2).
fn redirect_uri(server: &Server, name: &str) -> String {
    format!("{}/sign-in/with/{name}/callback", server.settings.issuer)
}

/// Takes a person back.
pub async fn come_back(server: web::Data<Server>, request: HttpRequest, name: web::Path<String>) -> HttpResponse {
    failure::page(&server, &request, receive(&server, &request, &name).await)
}

async fn receive(server: &Server, request: &HttpRequest, name: &str) -> Result<HttpResponse, PageError> {
    let provider = server.providers.find(name).ok_or(PageError::NotOffered)?;
    let query = Parameters::from_form(request.query_string().as_bytes()).map_err(PageError::Incomplete)?;
    let visitor = Visitor::read(server, request).await?;
    let text = |name, most| query.one(name, most).map_err(PageError::Incomplete);
    let Some(state) = text("state", sealed::LENGTH_MAX)? else { return Err(PageError::Unreadable) };
    let departure = match returned(server, state, name, &visitor).await? {
        Ok(departure) => departure,
        Err(problem) => return trouble(server, request, &provider.label, (problem, &Errand::Visit(Place::Home))),
    };
    if let Waiting::Answer(in_flight) = departure.clone().into_waiting() {
        trail::at(request, Step::SignIn);
        trail::of_flow(request, in_flight.flow());
        trail::of_client(request, in_flight.client_id());
    }
    let errand = Errand::of(departure.clone().into_waiting());
    if let Some(error) = text("error", ERROR_LENGTH_MAX)? {
        tracing::info!(provider = name, error, "somebody came back from a provider without having signed in");
        return trouble(server, request, &provider.label, (Trouble::NotSignedIn, &errand));
    }
    let Some(code) = text("code", CODE_LENGTH_MAX)? else { return Err(PageError::Unreadable) };
    // Each makes this server ask the provider something, so they are counted as tries to sign in are.
    if let Err(too_many) = server.sign_ins.count(peer::of(request)) {
        return trouble(server, request, &provider.label, (Trouble::TooMany(too_many), &errand));
    }
    let back = Return {
        redirect_uri: &redirect_uri(server, name),
        code,
        iss: text("iss", ISS_LENGTH_MAX)?,
        nonce: departure.nonce(),
        verifier: departure.verifier(),
        now: server.clock.now(),
    };
    match server.providers.receive(provider, back).await {
        Ok(shown) => {
            let may_make = provider.makes_accounts || server.settings.sign_ups == SignUps::Open;
            let came = Came { shown, label: provider.label.clone(), errand, may_make };
            Box::pin(settle(server, request, visitor, came)).await
        }
        Err(error) => failed(server, request, provider, (&error, &errand)),
    }
}

/// What a person left with, if it is they who are back; otherwise what to tell them.
pub(super) async fn returned(
    server: &Server,
    state: &str,
    from: &str,
    visitor: &Visitor,
) -> Result<Result<Departure, Trouble>, PageError> {
    let now = server.clock.now();
    let ring = server.keyring.knowing(sealed::kid(state), &server.store, now).await?;
    let left: Departure = sealed::read(&ring, Kind::Departure, state).ok_or(PageError::Unreadable)?;
    Ok(left.end(from, visitor.known_browser(), now).map_err(|error| {
        tracing::info!(provider = from, %error, "what came back from a provider was not taken");
        Trouble::from(error)
    }))
}

fn failed(
    server: &Server,
    request: &HttpRequest,
    provider: &Provider,
    (error, errand): (&ProviderError, &Errand),
) -> Result<HttpResponse, PageError> {
    let problem = match error {
        ProviderError::Fetch(_) => Trouble::Unreachable,
        ProviderError::Refused(_) | ProviderError::Untrusted(_) => Trouble::NotBelieved,
    };
    tracing::warn!(provider = provider.name, %error, "nobody could be signed in through a provider");
    trouble(server, request, &provider.label, (problem, errand))
}

/// The query that carries on what is to go on.
pub(super) fn next(place: Place) -> String {
    format!("?{}={}", place::FIELD, place.word())
}
