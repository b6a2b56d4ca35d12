//! `/sign-in`: a person proves who they are with a password, and goes on with what brought them here.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode, web};

use super::{place::Place, session};
use crate::{
    http::{
        extract::{body, cookies, visitor::Visitor},
        failure::{self, PageError},
        guard,
        oauth::{
            authorize::{Stage, follow, hand_over, leave, open, seal, stage, to_page, to_path},
            who_asks::WhoAsks,
        },
        pages::{self, Asking, SignInError, SignInPage},
        trail,
    },
    model::{account::Email, client::Client, flow::Step, redirect_uri::RedirectUri, session::Session},
    passwords,
    protocol::{
        authorization::{Checked, InFlight},
        parameters::Parameters,
    },
    server::Server,
    telemetry::metrics,
    tokens::{self, secret::SecretText},
};

/// Longest address read.
const EMAIL_LENGTH_MAX: usize = 254;

/// Shows the form.
pub async fn form(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    failure::page(&server, &request, show(&server, &request).await)
}

async fn show(server: &Server, request: &HttpRequest) -> Result<HttpResponse, PageError> {
    let query = Parameters::from_form(request.query_string().as_bytes()).map_err(PageError::Incomplete)?;
    follow(server, request, &query, Step::SignIn);
    let visitor = Visitor::read(server, request).await?;
    let Some(r) = query.one("r", tokens::request::LENGTH_MAX).map_err(PageError::Incomplete)? else {
        let next = Place::read(&query)?;
        if visitor.session.is_some() {
            return Ok(to_path(server, HttpResponse::SeeOther(), &next.path()));
        }
        return render(server, request, &visitor, &Shown { next, ..Shown::default() });
    };
    let in_flight = open(server, r, &visitor).await?;
    match stage(server, request, in_flight.clone(), &visitor).await? {
        Stage::SignIn(asked) => {
            let shown = Shown { request: r.to_owned(), ..Shown::default() };
            render(server, request, &visitor, &shown.asked_by(*asked))
        }
        // Signed in meanwhile, in another tab or by going back: no need to do it twice.
        Stage::Ask(asked) => {
            to_page(server, HttpResponse::SeeOther(), "/consent", &in_flight.shown_to(asked.attended.session()))
        }
        Stage::Answer(answered) => Ok(leave(HttpResponse::SeeOther(), &hand_over(server, request, &answered)?)),
        Stage::Refuse(redirect) => Ok(leave(HttpResponse::SeeOther(), &redirect)),
    }
}

/// What the form shows beside its fields.
#[derive(Default)]
struct Shown {
    request: String,
    /// Where the person goes afterwards when no request waits for them.
    next: Place,
    email: String,
    asking: Option<Asking>,
    /// Where consent is remembered, the form's answer leads straight back to the client.
    leads_to: Option<RedirectUri>,
    error: Option<SignInError>,
}

impl Shown {
    fn asked_by(self, (checked, client): (Checked, Client)) -> Self {
        let plugin_name = checked.resource().plugin_name.clone();
        Self {
            asking: Some(Asking { client_name: WhoAsks::of(&client).name, plugin_name }),
            leads_to: Some(checked.addressed().redirect_uri().clone()),
            ..self
        }
    }
}

fn render(server: &Server, request: &HttpRequest, visitor: &Visitor, shown: &Shown) -> Result<HttpResponse, PageError> {
    let failed = shown.error.is_some();
    let page = SignInPage {
        layout: pages::Layout::of(server, request),
        request: shown.request.clone(),
        next: shown.next,
        csrf: tokens::form::write(&server.keyring.current(), visitor.browser())?,
        email: shown.email.clone(),
        error: shown.error,
        asking: shown.asking.clone(),
    };
    let mut answer = HttpResponse::build(if failed { StatusCode::UNPROCESSABLE_ENTITY } else { StatusCode::OK });
    visitor.mark(&server.settings, &mut answer);
    Ok(pages::answer(answer, &page, shown.leads_to.as_ref())?)
}

/// Takes the form.
pub async fn sign_in(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    failure::page(&server, &request, take(&server, &request, payload).await)
}

async fn take(server: &Server, request: &HttpRequest, payload: web::Payload) -> Result<HttpResponse, PageError> {
    let fields = body::form(request, payload).await?;
    follow(server, request, &fields, Step::SignIn);
    let mut visitor = Visitor::read(server, request).await?;
    guard::form::check(server, request, &visitor, &fields)?;
    let r = fields.one("r", tokens::request::LENGTH_MAX).map_err(PageError::Incomplete)?;
    let errand = match r {
        Some(r) => Errand::Answer(Box::new(open(server, r, &visitor).await?)),
        None => Errand::Visit(Place::read(&fields)?),
    };
    let typed = fields.one("email", EMAIL_LENGTH_MAX).unwrap_or_default().unwrap_or_default();
    let password = fields.one("password", passwords::LENGTH_MAX).unwrap_or_default().unwrap_or_default();
    let (session, secret) = match authenticate(server, request, &visitor, typed, password).await? {
        Ok(started) => started,
        Err(why) => {
            metrics::sign_in_refused();
            if trail::is_a_step(request) {
                trail::refused(request, why);
            } else {
                tracing::info!(reason = why, "a sign-in was refused");
            }
            return refuse(server, request, &visitor, &errand, typed).await;
        }
    };
    trail::done(request, Step::SignIn, "The person signed in.");
    let cookie = cookies::set_session(&server.settings, &secret, session.auth_time, session.expires_at);
    visitor.session = Some(session);
    let mut answer = HttpResponse::SeeOther();
    answer.cookie(cookie);
    go_on(server, request, answer, errand, &visitor).await
}

/// What brings a person here.
enum Errand {
    /// A client's request, which they are to answer.
    Answer(Box<InFlight>),
    /// A page of their own.
    Visit(Place),
}

/// Sends a person who has just signed in to what brought them here.
async fn go_on(
    server: &Server,
    request: &HttpRequest,
    answer: actix_web::HttpResponseBuilder,
    errand: Errand,
    visitor: &Visitor,
) -> Result<HttpResponse, PageError> {
    let in_flight = match errand {
        Errand::Answer(in_flight) => *in_flight,
        Errand::Visit(place) => return Ok(to_path(server, answer, &place.path())),
    };
    match stage(server, request, in_flight.clone(), visitor).await? {
        Stage::Ask(asked) => to_page(server, answer, "/consent", &in_flight.shown_to(asked.attended.session())),
        Stage::Answer(answered) => Ok(leave(answer, &hand_over(server, request, &answered)?)),
        Stage::Refuse(redirect) => Ok(leave(answer, &redirect)),
        Stage::SignIn(_) => to_page(server, answer, "/sign-in", &in_flight),
    }
}

/// Checks the password and starts a session. Unknown and known addresses cost the same and are told the same; why
/// nobody is signed in is for the owner, and does not repeat what was typed: it may be the password.
async fn authenticate(
    server: &Server,
    request: &HttpRequest,
    visitor: &Visitor,
    email: &str,
    password: &str,
) -> Result<Result<(Session, SecretText), &'static str>, PageError> {
    let known = match email.parse::<Email>() {
        Ok(email) => server.store.account_by_email(&email).await?,
        Err(_) => None,
    };
    let hash = known.as_ref().and_then(|(_, hash)| hash.as_deref());
    let right = server.passwords.verify(hash, password).await?;
    let account = match known {
        None => return Ok(Err("No account has the address that was typed in.")),
        Some(_) if !right => return Ok(Err("The password was not the account's.")),
        Some((account, _)) if !account.enabled => return Ok(Err("The account is disabled.")),
        Some((account, _)) => account,
    };
    match session::start(server, request, visitor, account).await? {
        Some(started) => Ok(Ok(started)),
        None => Ok(Err("The account was disabled meanwhile.")),
    }
}

async fn refuse(
    server: &Server,
    request: &HttpRequest,
    visitor: &Visitor,
    errand: &Errand,
    email: &str,
) -> Result<HttpResponse, PageError> {
    let mut shown = Shown { email: email.to_owned(), error: Some(SignInError::Refused), ..Shown::default() };
    let in_flight = match errand {
        Errand::Visit(place) => {
            shown.next = *place;
            return render(server, request, visitor, &shown);
        }
        Errand::Answer(in_flight) => in_flight,
    };
    match stage(server, request, InFlight::clone(in_flight), visitor).await? {
        Stage::SignIn(asked) => shown = shown.asked_by(*asked),
        // Somebody is signed in meanwhile, in another tab. Whoever typed a wrong password is not answered as them.
        Stage::Ask(asked) => shown.leads_to = Some(asked.attended.checked().addressed().redirect_uri().clone()),
        Stage::Answer(answered) => shown.leads_to = Some(answered.redirect_uri().clone()),
        Stage::Refuse(redirect) => return Ok(leave(HttpResponse::SeeOther(), &redirect)),
    }
    shown.request = seal(server, in_flight)?;
    render(server, request, visitor, &shown)
}
