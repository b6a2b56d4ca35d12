//! `/second-step` and `/prove`: where a person shows a second factor. The first is on the way in, for who is half way
//! (`half_way`); the second is for who has signed in and is to show once more that it is them, before something that
//! matters: a change of how they sign in, or consent to what the owner of an API wants a second factor for.

use actix_web::{HttpRequest, HttpResponse, web};

use super::{
    arrival::{Arrived, Errand, complete, go_on, leads_to},
    authenticate::{Credentials, authenticate},
    browser_of, half_way,
    place::Place,
};
use crate::{
    http::{
        extract::{body, cookies, visitor::Visitor},
        failure::{self, PageError},
        guard,
        oauth::authorize::{follow, open, seal, to_page, to_path},
        pages::{self, Layout, SecondStepPage},
        trail,
    },
    model::{account::Account, counts::Refusal, factor::Factors, flow::Step},
    passwords,
    protocol::{authorization::InFlight, parameters::Parameters},
    server::{
        Server,
        factors::{Shown, Verdict},
        shares::TooMany,
    },
    telemetry::metrics,
    tokens,
};

/// Longest code read, in bytes; longest answer of a browser's.
const CODE_LENGTH_MAX: usize = 64;
pub(super) const ANSWER_LENGTH_MAX: usize = 16 * 1024;

/// Which of the two pages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The second of two steps of signing in.
    SignIn,
    /// Once more, before something that matters.
    Again,
}

impl Why {
    /// Its path, counted from the public URL.
    pub fn path(self) -> &'static str {
        match self {
            Self::SignIn => "/second-step",
            Self::Again => "/prove",
        }
    }
}

/// A visit to one of these pages.
struct Visit<'a> {
    server: &'a Server,
    request: &'a HttpRequest,
    visitor: Visitor,
    why: Why,
    account: Account,
    factors: Factors,
    /// The client's request that waits, if one does.
    in_flight: Option<InFlight>,
    /// Where they go afterwards if none does.
    next: Place,
}

/// Shows one of the pages.
pub async fn show(server: web::Data<Server>, request: HttpRequest, why: Why) -> HttpResponse {
    let query = Parameters::from_form(request.query_string().as_bytes()).map_err(PageError::Incomplete);
    let shown = async {
        let query = query?;
        follow(&server, &request, &query, Step::SignIn);
        let visitor = Visitor::read(&server, &request).await?;
        match Visit::read(&server, &request, why, visitor, &query).await? {
            Ok(visit) if visit.has_nothing_to_show() => visit.set_up(),
            // The operator took the factors away meanwhile.
            Ok(visit) if visit.why == Why::SignIn && !visit.factors.are_there() => visit.begin_anew(),
            Ok(visit) => visit.render(None).await,
            Err(elsewhere) => Ok(elsewhere),
        }
    };
    failure::page(&server, &request, shown.await)
}

/// Takes its form.
pub async fn take(server: web::Data<Server>, request: HttpRequest, payload: web::Payload, why: Why) -> HttpResponse {
    let taken = async {
        let fields = body::form(&request, payload).await?;
        let visitor = Visitor::read(&server, &request).await?;
        guard::form::check(&server, &request, &visitor, &fields).await?;
        follow(&server, &request, &fields, Step::SignIn);
        match Visit::read(&server, &request, why, visitor, &fields).await? {
            Ok(visit) => Box::pin(visit.look(&fields)).await,
            Err(elsewhere) => Ok(elsewhere),
        }
    };
    failure::page(&server, &request, taken.await)
}

/// Why the page is shown once more.
#[derive(Clone, Copy)]
enum Again {
    Wrong,
    TooMany(TooMany),
}

impl<'a> Visit<'a> {
    /// Or where somebody is sent who is not to be here.
    async fn read(
        server: &'a Server,
        request: &'a HttpRequest,
        why: Why,
        visitor: Visitor,
        fields: &Parameters,
    ) -> Result<Result<Self, HttpResponse>, PageError> {
        let r = fields.one("r", tokens::request::LENGTH_MAX).map_err(PageError::Incomplete)?;
        let in_flight = match r {
            Some(r) => Some(open(server, r, &visitor).await?),
            None => None,
        };
        let next = Place::read(fields)?;
        let account = match why {
            Why::SignIn => half_way::find(server, request, &visitor).await?,
            Why::Again => visitor.session.as_ref().map(|session| session.account.clone()),
        };
        let Some(account) = account else {
            let errand = in_flight.map_or(Errand::Visit(next), |in_flight| Errand::Answer(Box::new(in_flight)));
            return errand.anew(server).map(Err);
        };
        let factors = server.store.factors(account.id, server.clock.now()).await?;
        Ok(Ok(Self { server, request, visitor, why, account, factors, in_flight, next }))
    }

    /// Whether a password will do: it does for a page of one's own, for who has no second factor yet. Otherwise it would
    /// be all it takes to put another in the place of theirs.
    fn takes_password(&self) -> bool {
        let is_for_a_page = self.in_flight.is_none() || self.next == Place::Security;
        self.why == Why::Again && is_for_a_page && !self.factors.are_there()
    }

    fn has_nothing_to_show(&self) -> bool {
        self.why == Why::Again && !self.takes_password() && !self.factors.are_there()
    }

    /// A second factor is wanted of somebody who has none: they set one up, and go on from there.
    fn set_up(&self) -> Result<HttpResponse, PageError> {
        match &self.in_flight {
            Some(in_flight) => to_page(self.server, HttpResponse::SeeOther(), &Place::Security.path(), in_flight),
            None => Ok(to_path(self.server, HttpResponse::SeeOther(), &Place::Security.path())),
        }
    }

    fn begin_anew(self) -> Result<HttpResponse, PageError> {
        let next = self.next;
        let errand = self.in_flight.map_or(Errand::Visit(next), |in_flight| Errand::Answer(Box::new(in_flight)));
        errand.anew(self.server)
    }

    async fn render(&self, again: Option<Again>) -> Result<HttpResponse, PageError> {
        let request = self.in_flight.as_ref().map(|in_flight| seal(self.server, in_flight)).transpose()?;
        let page = SecondStepPage {
            layout: Layout::of(self.server, self.request),
            why: self.why,
            request: request.unwrap_or_default(),
            next: self.next,
            csrf: tokens::form::write(&self.server.keyring.current(), self.visitor.browser())?,
            name: self.account.name.clone(),
            offers_passkey: self.server.passkeys.is_some() && !self.factors.passkeys.is_empty(),
            offers_code: self.factors.app.is_some() || self.factors.recovery_codes_left > 0,
            offers_password: self.takes_password(),
            error: again.map(|again| match again {
                Again::Wrong => "second-step-wrong",
                Again::TooMany(_) => "sign-in-too-many",
            }),
        };
        let mut answer = match again {
            None => HttpResponse::Ok(),
            Some(Again::Wrong) => HttpResponse::UnprocessableEntity(),
            Some(Again::TooMany(too_many)) => pages::too_many(too_many),
        };
        self.visitor.mark(&self.server.settings, &mut answer);
        let leads_to = leads_to(self.server, self.request, self.in_flight.as_ref(), &self.visitor).await?;
        Ok(pages::answer_with_script(answer, &page, leads_to.as_ref())?)
    }

    async fn look(self, fields: &Parameters) -> Result<HttpResponse, PageError> {
        let text = |name, most| fields.one(name, most).unwrap_or_default().unwrap_or_default();
        let (answer, state) = (text("answer", ANSWER_LENGTH_MAX), text("state", tokens::between::LENGTH_MAX));
        let password = text("password", passwords::LENGTH_MAX);
        if self.takes_password() && !password.is_empty() {
            return Box::pin(self.look_at_password(password, fields)).await;
        }
        let shown = if answer.is_empty() {
            Shown::Code(text("code", CODE_LENGTH_MAX))
        } else {
            Shown::Passkey { answer, state }
        };
        let devices = cookies::device(&self.server.settings, self.request);
        let browser = browser_of(self.request, &self.visitor, &devices);
        match self.server.look_at_factor(&self.account, shown, &browser).await? {
            Verdict::Right => Box::pin(self.go_on(true, fields)).await,
            Verdict::Wrong(reason) => {
                metrics::sign_in_refused();
                if trail::is_a_step(self.request) {
                    trail::refused(self.request, Refusal::SignIn, reason);
                } else {
                    tracing::info!(reason, "a second factor was refused");
                }
                self.render(Some(Again::Wrong)).await
            }
            Verdict::TooMany(too_many) => self.render(Some(Again::TooMany(too_many))).await,
        }
    }

    async fn look_at_password(self, password: &str, fields: &Parameters) -> Result<HttpResponse, PageError> {
        let devices = cookies::device(&self.server.settings, self.request);
        let credentials = Credentials { typed: self.account.email.as_str(), password, device: &devices };
        match authenticate(self.server, self.request, &credentials).await? {
            Ok(account) if account.id == self.account.id => Box::pin(self.go_on(false, fields)).await,
            Ok(_) => self.render(Some(Again::Wrong)).await,
            Err(refusal) => {
                tracing::info!(reason = refusal.why(), "a password was refused");
                self.render(Some(refusal.too_many().map_or(Again::Wrong, Again::TooMany))).await
            }
        }
    }

    async fn go_on(self, by_factor: bool, fields: &Parameters) -> Result<HttpResponse, PageError> {
        let Self { server, request, visitor, why, account, in_flight, next, .. } = self;
        if why == Why::SignIn {
            let remember = fields.one("remember", 8).unwrap_or_default().is_some();
            let errand = in_flight.map_or(Errand::Visit(next), |in_flight| Errand::Answer(Box::new(in_flight)));
            return complete(server, request, visitor, Arrived { account, by_factor, remember }, errand).await;
        }
        let Some(session) = &visitor.session else { return Err(PageError::Unreadable) };
        let now = server.clock.now();
        if by_factor {
            server.store.prove_session_by_factor(session.id, now).await?;
        } else {
            server.store.prove_session(session.id, now).await?;
        }
        match in_flight {
            Some(in_flight) if next == Place::Security => {
                to_page(server, HttpResponse::SeeOther(), &next.path(), &in_flight)
            }
            Some(in_flight) => {
                let errand = Errand::Answer(Box::new(in_flight));
                go_on(server, request, HttpResponse::SeeOther(), errand, &visitor).await
            }
            None => Ok(to_path(server, HttpResponse::SeeOther(), &next.path())),
        }
    }
}
