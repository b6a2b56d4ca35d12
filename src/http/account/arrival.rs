//! A person has shown who they are, in whatever way: a session starts in this browser, and they go on with what brought
//! them here. `sign_in`, `links` and `settling` lead here.

use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};

use super::{offer, place::Place, session, through};
use crate::{
    http::{
        extract::{cookies, visitor::Visitor},
        failure::PageError,
        oauth::authorize::{Stage, hand_over, leave, open, seal, stage, to_page, to_path},
        trail,
    },
    model::{account::Account, flow::Step},
    protocol::{authorization::InFlight, federated::Waiting},
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

/// Starts a session, marks the browser as one the account was signed in to with, and sends the person on. An account
/// that was disabled or changed meanwhile has to sign in anew.
pub(super) async fn arrive(
    server: &Server,
    request: &HttpRequest,
    mut visitor: Visitor,
    account: Account,
    errand: Errand,
) -> Result<HttpResponse, PageError> {
    let Some((session, secret)) = session::start(server, request, &visitor, account).await? else {
        tracing::info!("the account was disabled or changed while somebody signed in to it");
        return errand.anew(server);
    };
    trail::done(request, Step::SignIn, "The person signed in.");
    let settings = &server.settings;
    let mut answer = HttpResponse::SeeOther();
    answer.cookie(cookies::set_session(settings, &secret, session.auth_time, session.expires_at));
    let (ring, marks) = (server.keyring.current(), cookies::device(settings, request));
    if tokens::device::find(&ring, &marks, &session.account).is_none() {
        let marks = tokens::device::write(&ring, &marks, &session.account, random::bytes())?;
        answer.cookie(cookies::set_device(settings, marks));
    }
    let is_offered = offer::waits(server, request, &visitor, &session.account).is_some();
    visitor.session = Some(session);
    if is_offered {
        return Ok(to_path(server, answer, &format!("{}{}", offer::PATH, errand.query(server)?)));
    }
    go_on(server, request, answer, errand, &visitor).await
}

/// Leads on to what brought a person here who is signed in.
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
