//! A person has shown who they are, in whatever way: a session starts in this browser, and they go on with what brought
//! them here. `sign_in`, `passkey`, `links` and `settling` lead here. Who has a second factor shows it first
//! (`second_step`), unless what they have shown is two by itself or the browser is remembered.

use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};

use super::{
    browser_of, half_way, offer,
    place::{self, Place},
    second_step::Why,
    session, through,
};
use crate::{
    http::{
        extract::{cookies, visitor::Visitor},
        failure::PageError,
        oauth::authorize::{Stage, hand_over, leave, open, seal, stage, to_page, to_path},
        trail,
    },
    model::{account::Account, flow::Step, redirect_uri::RedirectUri},
    protocol::{authorization::InFlight, federated::Waiting, parameters::Parameters},
    random,
    server::Server,
    tokens,
};

/// What brings a person here.
pub(super) enum Errand {
    /// A client's request, which they are to answer.
    Answer(Box<InFlight>),
    /// A page of their own.
    Visit(Place),
}

impl Errand {
    /// What a form or a query says: the request that waits under `r`, which must open in this browser, or a place.
    pub(super) async fn read(server: &Server, fields: &Parameters, visitor: &Visitor) -> Result<Self, PageError> {
        Ok(match fields.one("r", tokens::request::LENGTH_MAX).map_err(PageError::Incomplete)? {
            Some(r) => Self::Answer(Box::new(open(server, r, visitor).await?)),
            None => Self::Visit(Place::read(fields)?),
        })
    }

    /// What waits under `r`; without one, or when it is no longer to be opened in this browser, the place.
    pub(super) async fn waiting(server: &Server, r: Option<&str>, place: Place, visitor: &Visitor) -> Self {
        let waiting = match r {
            Some(r) => open(server, r, visitor).await.ok(),
            None => None,
        };
        waiting.map_or(Self::Visit(place), |in_flight| Self::Answer(Box::new(in_flight)))
    }

    /// What came back with somebody who was away.
    pub(super) fn of(waiting: Waiting) -> Self {
        match waiting {
            Waiting::Answer(in_flight) => Self::Answer(in_flight),
            Waiting::Visit(word) => Self::Visit(Place::called(&word)),
        }
    }

    /// The fields that carry it: `r`, which is empty for a page of their own, and `next`.
    pub(super) fn fields(&self, server: &Server) -> Result<(String, Place), PageError> {
        match self {
            Self::Answer(in_flight) => Ok((seal(server, in_flight)?, Place::Home)),
            Self::Visit(place) => Ok((String::new(), *place)),
        }
    }

    /// The same as a query.
    pub(super) fn query(&self, server: &Server) -> Result<String, PageError> {
        let (r, place) = self.fields(server)?;
        Ok(if r.is_empty() { through::next(place) } else { format!("?r={r}") })
    }

    /// Sends the person to where they can sign in, and then back to this.
    pub(super) fn anew(self, server: &Server) -> Result<HttpResponse, PageError> {
        match self {
            Self::Answer(in_flight) => to_page(server, HttpResponse::SeeOther(), "/sign-in", &in_flight),
            Self::Visit(place) => Ok(place.after_signing_in(server)),
        }
    }
}

/// What somebody has shown to be the account's owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    /// Its password.
    Password,
    /// A one-time link that was sent to its address.
    Link,
    /// An account at another server, or the word of the owner's own page.
    Elsewhere,
    /// One of its passkeys, which asked for a finger, a face or a PIN: two factors at once.
    Passkey,
}

/// Lets somebody in who has shown who they are: at once, or where a second factor is asked for after that.
pub(super) async fn arrive(
    server: &Server,
    request: &HttpRequest,
    visitor: Visitor,
    (account, proof): (Account, Proof),
    errand: Errand,
) -> Result<HttpResponse, PageError> {
    let by_factor = proof == Proof::Passkey;
    let devices = cookies::device(&server.settings, request);
    let is_enough = by_factor
        || !server.store.has_factors(account.id).await?
        || server.remembers(&account, &browser_of(request, &visitor, &devices)).await?;
    if is_enough {
        return complete(server, request, visitor, Arrived { account, by_factor, remember: false }, errand).await;
    }
    let mut answer = HttpResponse::SeeOther();
    answer.cookie(half_way::begin(server, &visitor, &account)?);
    visitor.mark(&server.settings, &mut answer);
    let path = Why::SignIn.path();
    match errand {
        Errand::Answer(in_flight) => to_page(server, answer, path, &in_flight),
        Errand::Visit(place) => Ok(to_path(server, answer, &format!("{path}?{}={}", place::FIELD, place.word()))),
    }
}

/// Somebody who has shown all that is asked for.
pub(super) struct Arrived {
    /// Who.
    pub(super) account: Account,
    /// Whether a second factor was shown.
    pub(super) by_factor: bool,
    /// Whether this browser is to be remembered.
    pub(super) remember: bool,
}

/// Starts a session, marks the browser as one the account was signed in to with, and sends the person on. An account
/// that was disabled or changed meanwhile has to sign in anew.
pub(super) async fn complete(
    server: &Server,
    request: &HttpRequest,
    mut visitor: Visitor,
    Arrived { account, by_factor, remember }: Arrived,
    errand: Errand,
) -> Result<HttpResponse, PageError> {
    let Some((session, secret)) = session::start(server, request, &visitor, (account, by_factor)).await? else {
        tracing::info!("the account was disabled or changed while somebody signed in to it");
        return errand.anew(server);
    };
    trail::done(request, Step::SignIn, "The person signed in.");
    let settings = &server.settings;
    let mut answer = HttpResponse::SeeOther();
    answer.cookie(cookies::set_session(settings, &secret, session.auth_time, session.expires_at));
    let marks = cookies::device(settings, request);
    let ring = server.keyring.knowing(tokens::device::kids(&marks), &server.store, server.clock.now()).await?;
    // A browser that is remembered gets a mark of its own making: copies of the one before are worth nothing.
    let known = tokens::device::find(&ring, &marks, &session.account).filter(|_| !remember);
    let number = known.unwrap_or_else(random::bytes);
    if known.is_none() {
        let marks = tokens::device::write(&ring, &marks, &session.account, number)?;
        answer.cookie(cookies::set_device(settings, marks));
    }
    if remember {
        server.remember(session.account.id, number, &browser_of(request, &visitor, &marks)).await?;
    }
    answer.cookie(cookies::remove_second_step(settings));
    if let Some(language) = session::language(server, request, &session.account) {
        answer.cookie(language);
    }
    let is_offered = offer::waits(server, request, &visitor, &session.account).await?.is_some();
    visitor.session = Some(session);
    if is_offered {
        return Ok(to_path(server, answer, &format!("{}{}", offer::PATH, errand.query(server)?)));
    }
    go_on(server, request, answer, errand, &visitor).await
}

/// Sends somebody who is signed in on with what brought them here.
pub(super) async fn go_on(
    server: &Server,
    request: &HttpRequest,
    answer: HttpResponseBuilder,
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

/// Where the answer to a form of ours may lead while a request waits, as far as that is certain now.
pub(super) async fn leads_to(
    server: &Server,
    request: &HttpRequest,
    in_flight: Option<&InFlight>,
    visitor: &Visitor,
) -> Result<Option<RedirectUri>, PageError> {
    let Some(in_flight) = in_flight else { return Ok(None) };
    Ok(match stage(server, request, in_flight.clone(), visitor).await? {
        Stage::SignIn(asked) => Some(asked.0.addressed().redirect_uri().clone()),
        Stage::Ask(asked) => Some(asked.attended.checked().addressed().redirect_uri().clone()),
        Stage::Answer(answered) => Some(answered.redirect_uri().clone()),
        Stage::Refuse(_) => None,
    })
}
