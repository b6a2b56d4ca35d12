//! `/security`: how a person signs in: their passkeys, their authenticator app, recovery codes, and the browsers that are
//! remembered. Whatever changes something here is asked of who has shown lately that it is them, and of nobody else:
//! a browser that was left open is not enough.

use actix_web::{HttpRequest, HttpResponse, web};

use super::{
    browser_of,
    place::{self, Place},
    second_step::{ANSWER_LENGTH_MAX, Why},
};
use crate::{
    factors::qr,
    http::{
        extract::{body, cookies, visitor::Visitor},
        failure::{self, PageError},
        guard,
        oauth::authorize::{open, seal, to_path},
        pages::{self, Layout, RecoveryCodesPage, SecurityNotice, SecurityPage, SetUpAppPage},
    },
    model::{
        audit::Actor,
        factor::{Factors, PASSKEY_NAME_MAX, PASSKEYS_MAX},
        id::{DeviceId, PasskeyId},
        legible,
        session::Session,
    },
    protocol::{
        authorization::InFlight,
        error::{ErrorCode, OAuthError},
        parameters::Parameters,
    },
    server::{
        Server,
        factors::{AppOffer, FRESH},
    },
    store::StoreResult,
    tokens,
};

/// Longest id in a form, and longest code, in bytes.
const ID_LENGTH: usize = 36;
const CODE_LENGTH_MAX: usize = 64;

/// Whether somebody has shown lately that it is them, by a second factor if they have one. Whatever changes how an
/// account is signed in to asks this first, and sends who has not to `/prove`.
pub(in crate::http) async fn is_fresh(server: &Server, session: &Session) -> StoreResult<bool> {
    let has_factors = server.store.has_factors(session.account.id).await?;
    let shown_at = if has_factors { session.factor_at } else { Some(session.proven_at) };
    Ok(shown_at.is_some_and(|shown_at| server.clock.now() < shown_at + FRESH))
}

/// A visit of who is signed in.
struct Visit<'a> {
    server: &'a Server,
    request: &'a HttpRequest,
    visitor: &'a Visitor,
    session: &'a Session,
    /// The client's request that waits for a factor to be set up, if one does.
    in_flight: Option<InFlight>,
}

/// Shows the page.
pub async fn show(server: web::Data<Server>, request: HttpRequest) -> HttpResponse {
    let query = Parameters::from_form(request.query_string().as_bytes()).map_err(PageError::Incomplete);
    let shown = async {
        let query = query?;
        let visitor = Visitor::read(&server, &request).await?;
        match &visitor.session {
            None => Ok(Place::Security.after_signing_in(&server)),
            Some(session) => {
                let visit = Visit::of(&server, &request, (&visitor, session), &query).await?;
                visit.render(None).await
            }
        }
    };
    failure::page(&server, &request, shown.await)
}

/// Takes its forms.
pub async fn take(server: web::Data<Server>, request: HttpRequest, payload: web::Payload) -> HttpResponse {
    let taken = async {
        let fields = body::form(&request, payload).await?;
        let visitor = Visitor::read(&server, &request).await?;
        guard::form::check(&server, &request, &visitor, &fields).await?;
        let Some(session) = &visitor.session else { return Ok(Place::Security.after_signing_in(&server)) };
        let visit = Visit::of(&server, &request, (&visitor, session), &fields).await?;
        visit.act(&fields).await
    };
    failure::page(&server, &request, taken.await)
}

impl<'a> Visit<'a> {
    async fn of(
        server: &'a Server,
        request: &'a HttpRequest,
        (visitor, session): (&'a Visitor, &'a Session),
        fields: &Parameters,
    ) -> Result<Self, PageError> {
        let r = fields.one("r", tokens::request::LENGTH_MAX).map_err(PageError::Incomplete)?;
        // What waits may be too old by now; the page is for more than that.
        let in_flight = match r {
            Some(r) => open(server, r, visitor).await.ok(),
            None => None,
        };
        Ok(Self { server, request, visitor, session, in_flight })
    }

    async fn act(&self, fields: &Parameters) -> Result<HttpResponse, PageError> {
        let text = |name, most| fields.one(name, most).map_err(PageError::Incomplete).map(Option::unwrap_or_default);
        let account = self.session.account.id;
        let act = fields.required("do", 24).map_err(PageError::Incomplete)?;
        // What was offered to who was fresh then is taken up now, however long they looked for their telephone.
        if act == "confirm-app" {
            return self.confirm_app(text("state", tokens::between::LENGTH_MAX)?, text("code", CODE_LENGTH_MAX)?).await;
        }
        if !is_fresh(self.server, self.session).await? {
            return self.prove();
        }
        let audit = self.server.audit(Actor::Account(account), crate::http::oauth::caller::origin(self.request));
        let store = &self.server.store;
        let id = text("id", ID_LENGTH)?;
        match act {
            "add-passkey" => {
                let answer = (text("answer", ANSWER_LENGTH_MAX)?, text("state", tokens::between::LENGTH_MAX)?);
                self.add_passkey(answer, text("name", PASSKEY_NAME_MAX * 4)?).await
            }
            "set-up-app" => self.set_up_app().await,
            "make-codes" => self.make_codes().await,
            "remove-passkey" | "remove-app" => {
                let factors = self.factors().await?;
                if is_last_passkey(&factors) && act == "remove-passkey" && !self.has_password().await? {
                    return self.render(Some(SecurityNotice::LastWay)).await;
                }
                let removed = match id.parse().map(PasskeyId) {
                    Ok(id) if act == "remove-passkey" => store.remove_passkey(account, id, &audit).await?,
                    _ => act == "remove-app" && store.remove_authenticator_app(account, &audit).await?,
                };
                self.render(removed.then_some(SecurityNotice::Removed)).await
            }
            "forget-devices" => {
                let one = id.parse().ok().map(DeviceId);
                if one.is_some() || id == "all" {
                    store.forget_devices(account, one, &audit).await?;
                }
                self.render(Some(SecurityNotice::Forgotten)).await
            }
            _ => Err(PageError::Incomplete(OAuthError::new(ErrorCode::InvalidRequest, "do is none of the page's"))),
        }
    }

    /// Sends them to show that it is them, and back here.
    fn prove(&self) -> Result<HttpResponse, PageError> {
        let r = match &self.in_flight {
            Some(in_flight) => format!("&r={}", seal(self.server, in_flight)?),
            None => String::new(),
        };
        let path = format!("{}?{}={}{r}", Why::Again.path(), place::FIELD, Place::Security.word());
        Ok(to_path(self.server, HttpResponse::SeeOther(), &path))
    }

    async fn add_passkey(&self, (answer, state): (&str, &str), name: &str) -> Result<HttpResponse, PageError> {
        let before = self.factors().await?;
        let name = legible::name(name).filter(|name| name.chars().count() <= PASSKEY_NAME_MAX);
        let name = name.unwrap_or_else(|| Layout::of(self.server, self.request).say("passkey-unnamed").text());
        let devices = cookies::device(&self.server.settings, self.request);
        let browser = browser_of(self.request, self.visitor, &devices);
        let account = self.session.account.id;
        let added = before.passkeys.len() < PASSKEYS_MAX
            && self.server.add_passkey(account, (answer, state, name), &browser).await?;
        if added { self.added(&before).await } else { self.render(Some(SecurityNotice::NotAdded)).await }
    }

    async fn set_up_app(&self) -> Result<HttpResponse, PageError> {
        match self.server.offer_app(self.session.account.id, self.visitor.browser())? {
            Some(offer) if self.factors().await?.app.is_none() => self.render_offer(&offer, false),
            _ => self.render(Some(SecurityNotice::NotAdded)).await,
        }
    }

    fn render_offer(&self, offer: &AppOffer, is_wrong: bool) -> Result<HttpResponse, PageError> {
        let Self { server, request, session, .. } = self;
        let email = session.account.email.as_str();
        let url = offer.key.to_url(&server.settings.server_name, email);
        let page = SetUpAppPage {
            layout: Layout::of(server, request),
            csrf: self.csrf()?,
            request: self.r()?,
            state: offer.state.clone(),
            key: offer.key.to_text(),
            drawing: url.and_then(|url| qr::draw(&url)),
            is_wrong,
        };
        let answer = if is_wrong { HttpResponse::UnprocessableEntity() } else { HttpResponse::Ok() };
        Ok(pages::answer(answer, &page, None)?)
    }

    async fn confirm_app(&self, state: &str, code: &str) -> Result<HttpResponse, PageError> {
        let account = self.session.account.id;
        let devices = cookies::device(&self.server.settings, self.request);
        let browser = browser_of(self.request, self.visitor, &devices);
        let Some(offer) = self.server.app_offered(account, state, &browser).await? else {
            return self.render(Some(SecurityNotice::NotAdded)).await;
        };
        let before = self.factors().await?;
        match self.server.add_app(account, (&offer.key, code), &browser).await? {
            None => self.render_offer(&offer, true),
            Some(true) => self.added(&before).await,
            Some(false) => self.render(Some(SecurityNotice::NotAdded)).await,
        }
    }

    /// What was set up has just been shown, so it counts as that too. With the first factor come recovery codes.
    async fn added(&self, before: &Factors) -> Result<HttpResponse, PageError> {
        self.server.store.prove_session_by_factor(self.session.id, self.server.clock.now()).await?;
        if before.recovery_codes_left == 0 && !before.are_there() {
            return self.make_codes().await;
        }
        self.render(Some(SecurityNotice::Added)).await
    }

    async fn make_codes(&self) -> Result<HttpResponse, PageError> {
        let devices = cookies::device(&self.server.settings, self.request);
        let browser = browser_of(self.request, self.visitor, &devices);
        let Some(codes) = self.server.make_recovery_codes(self.session.account.id, &browser).await? else {
            return self.render(None).await;
        };
        let page = RecoveryCodesPage { layout: Layout::of(self.server, self.request), request: self.r()?, codes };
        Ok(pages::answer(HttpResponse::Ok(), &page, None)?)
    }

    async fn factors(&self) -> Result<Factors, PageError> {
        Ok(self.server.store.factors(self.session.account.id, self.server.clock.now()).await?)
    }

    async fn has_password(&self) -> Result<bool, PageError> {
        Ok(self.server.store.account(self.session.account.id).await?.is_some_and(|(_, hash)| hash.is_some()))
    }

    fn csrf(&self) -> Result<String, PageError> {
        Ok(tokens::form::write(&self.server.keyring.current(), self.visitor.browser())?)
    }

    fn r(&self) -> Result<String, PageError> {
        let r = self.in_flight.as_ref().map(|in_flight| seal(self.server, in_flight)).transpose()?;
        Ok(r.unwrap_or_default())
    }

    async fn render(&self, notice: Option<SecurityNotice>) -> Result<HttpResponse, PageError> {
        let layout = Layout::of(self.server, self.request);
        let page = SecurityPage {
            request: self.r()?,
            csrf: self.csrf()?,
            account: self.session.into(),
            offers_passkeys: self.server.passkeys.is_some(),
            notice,
            ..SecurityPage::of(layout, self.factors().await?)
        };
        let mut answer = HttpResponse::Ok();
        self.visitor.mark(&self.server.settings, &mut answer);
        Ok(pages::answer_with_script(answer, &page, None)?)
    }
}

fn is_last_passkey(factors: &Factors) -> bool {
    factors.passkeys.len() == 1
}
