//! `GET /authorize` (RFC 6749 §4.1.1): from a request to a page, a code or an error.
//!
//! `stage` runs the request through `protocol::authorization`; `/authorize`, `/sign-in` and `/consent` all use it, so
//! that a request is checked from the start at every step and nothing sealed is trusted to still hold.

use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, http::header, web};

use super::resource;
use crate::{
    http::{
        extract::visitor::Visitor,
        failure::{self, Fault, PageError},
        trail,
    },
    model::{
        client::Client,
        flow::{FlowId, Step},
        scope::Scopes,
    },
    protocol::{
        authorization::{
            Answered, Attendance, Attended, Checked, InFlight, NotAddressed, Received, Redirect, Refusal, Told,
        },
        parameters::Parameters,
    },
    random,
    server::{Server, clients::ClientFault},
    store::{clients::ClientDocument, consents::ConsentKey},
    tokens,
};

/// What has to happen next.
pub enum Stage {
    /// Somebody must sign in.
    SignIn(Box<(Checked, Client)>),
    /// The person must be asked.
    Ask(Box<Asked>),
    /// The person agreed before; nobody need be asked.
    Answer(Box<Answered>),
    /// The browser goes back to the client with an error.
    Refuse(Redirect),
}

/// What a person is asked.
pub struct Asked {
    /// The request, with the person who will answer it.
    pub attended: Attended,
    /// Who asks.
    pub client: Client,
    /// The client's document, if it has yet to be kept with the consent.
    pub unkept: Option<Box<ClientDocument>>,
}

/// The endpoint.
pub async fn authorize(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    trail::at(&request, Step::Authorization);
    failure::page(&server, &request, begin(&server, &request).await)
}

async fn begin(server: &Server, request: &HttpRequest) -> Result<HttpResponse, PageError> {
    let now = server.clock.now();
    let flow = FlowId::of(random::id(now));
    trail::of_flow(request, flow);
    let parameters = Parameters::from_form(request.query_string().as_bytes()).map_err(NotAddressed::Malformed)?;
    let received = Received::read(&parameters)?;
    let visitor = Visitor::read(server, request).await?;
    let in_flight = InFlight::start(received, visitor.browser(), flow, now);
    let mut answer = HttpResponse::SeeOther();
    visitor.mark(&server.settings, &mut answer);
    let stage = stage(server, request, in_flight.clone(), &visitor).await?;
    // Only the client says whether the flow had begun before it came here.
    let in_flight = in_flight.of_flow(trail::flow_of(request).unwrap_or(flow));
    match stage {
        Stage::SignIn(asked) => {
            tell_of(request, asked.0.scopes(), "the person is asked to sign in");
            to_page(server, answer, "/sign-in", &in_flight)
        }
        Stage::Ask(asked) => {
            if !asked.attended.is_closed() {
                tell_of(request, asked.attended.checked().scopes(), "the person is signed in, and asked to consent");
            }
            to_page(server, answer, "/consent", &in_flight.shown_to(asked.attended.session()))
        }
        Stage::Answer(answered) => {
            tell_of(request, answered.scopes(), "the person agreed to that before");
            Ok(leave(answer, &hand_over(server, request, &answered)?))
        }
        Stage::Refuse(redirect) => Ok(leave(answer, &redirect)),
    }
}

fn tell_of(request: &HttpRequest, scopes: &Scopes, next: &str) {
    trail::done(request, Step::Authorization, format!("The client asks for {}; {next}.", trail::told(scopes)));
}

/// Checks a request from the start and finds out what is still needed.
pub async fn stage(
    server: &Server,
    request: &HttpRequest,
    in_flight: InFlight,
    visitor: &Visitor,
) -> Result<Stage, PageError> {
    // Boxed, because it is large and every way of signing in has it inside.
    Box::pin(look(server, request, in_flight, visitor, |checked| checked)).await
}

/// The same when a person has answered the consent page: what they say now counts, whatever they agreed to before.
pub async fn stage_of_answer(
    server: &Server,
    request: &HttpRequest,
    in_flight: InFlight,
    visitor: &Visitor,
) -> Result<Stage, PageError> {
    // On the heap: what waits for it here has enough of its own to carry.
    Box::pin(look(server, request, in_flight, visitor, Checked::asking)).await
}

async fn look(
    server: &Server,
    request: &HttpRequest,
    in_flight: InFlight,
    visitor: &Visitor,
    with: impl Fn(Checked) -> Checked,
) -> Result<Stage, PageError> {
    trail::of_flow(request, in_flight.flow());
    // Whose API is meant is told to its owner also where the client is nobody's, or is refused.
    if let Some(resource) = in_flight.resource() {
        trail::towards(request, resource);
    }
    let (client, unkept) = match server.client_that_asks(in_flight.client_id()).await {
        Ok(known) => known.map(|known| (known.client, known.unkept)).unzip(),
        Err(ClientFault::Store(error)) => return Err(error.into()),
        Err(ClientFault::Document(error)) => return Err(PageError::Document(error)),
    };
    let received_at = in_flight.received_at();
    if let Some(client) = &client {
        trail::by(request, client);
    }
    let client_id = in_flight.client_id().to_owned();
    let addressed = in_flight.into_received().address(client.as_ref(), &server.settings.issuer);
    if let (Err(NotAddressed::ForeignRedirectUri { offer: Some(offer), .. }), Some(client)) = (&addressed, &client) {
        server.notes.callback_refused(client.id, offer, server.clock.now());
    }
    let addressed = addressed?;
    let Some(client) = client else { return Err(NotAddressed::UnknownClient { client_id, is_disabled: false }.into()) };
    let sound = match addressed.check(&client) {
        Ok(sound) => sound,
        Err(refusal) => return refuse(request, refusal),
    };
    let target = resource::find(server, &client, sound.requested_resource()).await?;
    if let Ok(resource) = &target {
        trail::towards(request, resource.identifier.as_str());
        trail::about(request, resource.plugin_id);
    }
    let checked = match sound.at(&client, target) {
        Ok(checked) => checked,
        Err(refusal) => return refuse(request, refusal),
    };
    let (person, consent) = match &visitor.session {
        Some(session) => {
            let plugin = checked.resource().plugin_id;
            let grants = server.store.grants_of(plugin, session.account.id).await?;
            let key = ConsentKey {
                account_id: session.account.id,
                client_id: client.id,
                resource: checked.resource().identifier.to_string(),
            };
            (Some((session.clone(), grants)), server.store.consent(&key).await?)
        }
        None => (None, None),
    };
    Ok(match with(checked).attend(person, consent, &client, received_at) {
        Attendance::SignIn(checked) => Stage::SignIn(Box::new((checked, client))),
        Attendance::Ask(attended) => Stage::Ask(Box::new(Asked { attended, client, unkept: unkept.flatten() })),
        Attendance::Answer(answered) => Stage::Answer(Box::new(answered)),
        Attendance::Refuse(refusal) => return refuse(request, refusal),
    })
}

/// Where nobody vouches for the client, the person is shown where the error would lead.
fn refuse(request: &HttpRequest, Refusal { error, told }: Refusal) -> Result<Stage, PageError> {
    match told {
        Told::ByRedirect(redirect) => {
            trail::refused(request, error.code.counted_as(), error.for_the_owner());
            Ok(Stage::Refuse(redirect))
        }
        Told::ByLink(link) => Err(PageError::Refused(error, link)),
    }
}

/// Seals the code of an answered request and builds the redirect that carries it.
pub fn hand_over(server: &Server, request: &HttpRequest, answered: &Answered) -> Result<Redirect, Fault> {
    let now = server.clock.now();
    let flow = trail::flow_of(request).unwrap_or_else(|| FlowId::of(random::id(now)));
    let code = answered.code(flow.family(random::bytes()), now);
    let text = tokens::code::write(&server.keyring.current(), &code, now, random::bytes())?;
    let place = answered.redirect_uri().as_str();
    trail::done(request, Step::Code, format!("The browser is sent back to {place} with a code."));
    Ok(answered.hand_over(&text))
}

/// Sends the browser to a page of ours with the request in flight.
pub fn to_page(
    server: &Server,
    answer: HttpResponseBuilder,
    path: &str,
    in_flight: &InFlight,
) -> Result<HttpResponse, PageError> {
    Ok(to_path(server, answer, &format!("{path}?r={}", seal(server, in_flight)?)))
}

/// Sends the browser to an address of ours, counted from the public URL.
pub fn to_path(server: &Server, mut answer: HttpResponseBuilder, path: &str) -> HttpResponse {
    answer.insert_header((header::LOCATION, format!("{}{path}", server.settings.base))).finish()
}

/// Sends the browser back to the client. 303, so that no form is ever posted on (RFC 9700 §4.12).
pub fn leave(mut answer: HttpResponseBuilder, redirect: &Redirect) -> HttpResponse {
    answer.insert_header((header::LOCATION, redirect.as_str())).finish()
}

/// Seals a request in flight into the text of `r`.
pub fn seal(server: &Server, in_flight: &InFlight) -> Result<String, Fault> {
    let ring = server.keyring.current();
    Ok(tokens::request::write(&ring, in_flight, server.clock.now(), random::bytes())?)
}

/// Opens `r` and checks that it came back to its browser in time.
pub async fn open(server: &Server, r: &str, visitor: &Visitor) -> Result<InFlight, PageError> {
    let now = server.clock.now();
    let ring = server.keyring.knowing(tokens::request::kid(r), &server.store, now).await?;
    let in_flight: InFlight = tokens::request::read(&ring, r).ok_or(PageError::Unreadable)?;
    Ok(in_flight.resume(visitor.known_browser(), now)?)
}

/// Says which step of which flow a page's request is, before anything about it is checked. A page that nothing in
/// flight brought somebody to is no step.
pub fn follow(server: &Server, request: &HttpRequest, parameters: &Parameters, step: Step) {
    let Ok(Some(r)) = parameters.one("r", tokens::request::LENGTH_MAX) else { return };
    trail::at(request, step);
    // A label for the record, which waits for nothing.
    let in_flight: Option<InFlight> = tokens::request::read(&server.keyring.current(), r);
    if let Some(in_flight) = in_flight {
        trail::of_flow(request, in_flight.flow());
        // It was known when this was sealed.
        trail::of_client(request, in_flight.client_id());
    }
}

/// Anywhere else than below the public URL `/authorize` only points there, query and all.
pub async fn point_to_the_public_url(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let query = request.query_string();
    let location = format!("{}/authorize{}{query}", server.settings.issuer, if query.is_empty() { "" } else { "?" });
    HttpResponse::SeeOther().insert_header((header::LOCATION, location)).finish()
}
