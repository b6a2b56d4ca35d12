//! `/sign-in`: a person proves who they are with a password, and goes on with what brought them here.

use actix_web::{HttpRequest, HttpResponse, web};

use super::{
    arrival::{Errand, Proof, arrive},
    authenticate::{Credentials, Refusal, authenticate},
    identities,
    place::Place,
    through,
};
use crate::{
    http::{
        extract::{body, cookies, visitor::Visitor},
        failure::{self, PageError},
        guard,
        oauth::{
            authorize::{Stage, follow, hand_over, leave, open, seal, stage, to_page, to_path},
            who_asks::WhoAsks,
        },
        pages::{self, Asking, SignInPage},
        trail,
    },
    model::{client::Client, counts, flow::Step, link::LinkPurpose, redirect_uri::RedirectUri},
    passwords,
    protocol::{
        authorization::{Checked, InFlight},
        parameters::Parameters,
    },
    server::{Server, people},
    telemetry::metrics,
    tokens,
};

/// What asks for the form where it is not the usual way.
pub(super) const FORM: &str = "form";

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
        if leads_elsewhere(server, &query) {
            return Ok(to_path(server, HttpResponse::SeeOther(), &format!("/sign-in/own{}", through::next(next))));
        }
        return render(server, request, &visitor, &Shown { next, ..Shown::default() });
    };
    let in_flight = open(server, r, &visitor).await?;
    match stage(server, request, in_flight.clone(), &visitor).await? {
        Stage::SignIn(_) if leads_elsewhere(server, &query) => {
            to_page(server, HttpResponse::SeeOther(), "/sign-in/own", &in_flight)
        }
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

/// Whether the owner's own page is the only way to sign in. Accounts with a password, the operator's above all, still have
/// the form, for who asks for it.
fn leads_elsewhere(server: &Server, query: &Parameters) -> bool {
    let is_only = server.settings.own_login.as_ref().is_some_and(|own| own.is_only);
    is_only && !matches!(query.one(FORM, 8), Ok(Some(_)))
}

/// What the form shows beside its fields.
#[derive(Default)]
struct Shown {
    request: String,
    /// Where the person goes afterwards when no request waits for them.
    next: Place,
    email: String,
    asking: Option<Asking>,
    /// The client wants to know that the person is there, now.
    anew: bool,
    /// Where consent is remembered, the form's answer leads straight back to the client.
    leads_to: Option<RedirectUri>,
    refusal: Option<Refusal>,
}

impl Shown {
    fn asked_by(self, (checked, client): (Checked, Client)) -> Self {
        let plugin_name = checked.resource().plugin_name.clone();
        Self {
            anew: checked.wants_new_sign_in(),
            asking: Some(Asking { client_name: WhoAsks::of(&client).name, plugin_name }),
            leads_to: Some(checked.addressed().redirect_uri().clone()),
            ..self
        }
    }
}

fn render(server: &Server, request: &HttpRequest, visitor: &Visitor, shown: &Shown) -> Result<HttpResponse, PageError> {
    let page = SignInPage {
        layout: pages::Layout::of(server, request),
        request: shown.request.clone(),
        next: shown.next,
        csrf: tokens::form::write(&server.keyring.current(), visitor.browser())?,
        email: shown.email.clone(),
        error: shown.refusal.map(Refusal::told),
        asking: shown.asking.clone(),
        ways: identities::ways(server, shown.anew),
        offers_reset: people::may_ask(server, LinkPurpose::ResetPassword),
        offers_passkey: server.passkeys.is_some(),
        offers_sign_up: people::may_ask(server, LinkPurpose::SignUp),
    };
    let mut answer = match shown.refusal {
        None => HttpResponse::Ok(),
        Some(Refusal::Wrong(_) | Refusal::Passkey(_)) => HttpResponse::UnprocessableEntity(),
        Some(Refusal::TooMany(too_many)) => pages::too_many(too_many),
    };
    visitor.mark(&server.settings, &mut answer);
    Ok(pages::answer_with_script(answer, &page, shown.leads_to.as_ref())?)
}

/// Takes the form.
pub async fn sign_in(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    failure::page(&server, &request, take(&server, &request, payload).await)
}

async fn take(server: &Server, request: &HttpRequest, payload: web::Payload) -> Result<HttpResponse, PageError> {
    let fields = body::form(request, payload).await?;
    follow(server, request, &fields, Step::SignIn);
    let visitor = Visitor::read(server, request).await?;
    guard::form::check(server, request, &visitor, &fields).await?;
    let errand = Errand::read(server, &fields, &visitor).await?;
    let typed = fields.one("email", EMAIL_LENGTH_MAX).unwrap_or_default().unwrap_or_default();
    let password = fields.one("password", passwords::LENGTH_MAX).unwrap_or_default().unwrap_or_default();
    let credentials = Credentials { typed, password, device: &cookies::device(&server.settings, request) };
    let account = match authenticate(server, request, &credentials).await? {
        Ok(account) => account,
        Err(refusal) => return refuse(server, request, &visitor, &errand, (typed, refusal)).await,
    };
    arrive(server, request, visitor, (account, Proof::Password), errand).await
}

/// Counts a refusal, tells its reason, and shows the form once more.
pub(super) async fn refuse(
    server: &Server,
    request: &HttpRequest,
    visitor: &Visitor,
    errand: &Errand,
    (email, refusal): (&str, Refusal),
) -> Result<HttpResponse, PageError> {
    metrics::sign_in_refused();
    let why = refusal.why();
    if trail::is_a_step(request) {
        trail::refused(request, counts::Refusal::SignIn, why);
    } else {
        tracing::info!(reason = why, "a sign-in was refused");
    }
    let mut shown = Shown { email: email.to_owned(), refusal: Some(refusal), ..Shown::default() };
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
