//! The pages that one-time links lead to, and those where one is asked for: `/sign-up`, `/invitation`, `/verify-email`,
//! `/reset-password`, `/change-email` and `/restore-email`.
//!
//! Opening a link changes nothing, since programs that look through mail open them too; what is sent from its page does,
//! once. Without a link `/sign-up` and `/reset-password` ask for an address: what a person is told there never depends
//! on whether somebody has it. `/change-email` is for who has signed in to the account in question: whoever reads the
//! mail may be a stranger to it. `server::people` has the steps themselves.

use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};

use super::{
    arrival::{Errand, Proof, arrive},
    place::{LinkText, Place},
};
use crate::{
    http::{
        extract::{body, language, peer, visitor::Visitor},
        failure::{self, PageError},
        guard,
        oauth::caller,
        pages::{self, AskPage, CheckMailPage, ChoosePage, ConfirmPage, DonePage, Layout},
    },
    model::{
        account::{Account, Email, Role},
        audit::Origin,
        legible,
        link::{Link, LinkPurpose, LinkState},
    },
    passwords::{self, PasswordError},
    protocol::parameters::Parameters,
    server::{
        Server,
        people::{self, Asked, Asker, PeopleError, Person},
        shares::TooMany,
    },
    store::people::Followed,
    tokens,
};

/// Longest address read, in bytes.
const EMAIL_LENGTH_MAX: usize = 254;
/// Longest text of a link read, in bytes.
const LINK_LENGTH_MAX: usize = 128;
/// Longest name read, in bytes.
const NAME_BYTES_MAX: usize = 1024;

/// A visit to one of these pages.
struct Visit<'a> {
    server: &'a Server,
    request: &'a HttpRequest,
    visitor: Visitor,
    purpose: LinkPurpose,
    /// The text of the link; empty where there is none.
    secret: String,
    /// The request in flight that is to go on afterwards; may be empty.
    r: String,
}

/// Shows the page of a purpose.
pub async fn show(server: web::Data<Server>, request: HttpRequest, purpose: LinkPurpose) -> HttpResponse {
    let query = Parameters::from_form(request.query_string().as_bytes()).map_err(PageError::Incomplete);
    let shown = async {
        let visit = Visit::read(&server, &request, purpose, &query?).await?;
        if let Some(elsewhere) = visit.must_sign_in() {
            return Ok(elsewhere);
        }
        if visit.secret.is_empty() { visit.ask("", None) } else { visit.open().await }
    };
    failure::page(&server, &request, shown.await)
}

/// Takes the form of a purpose.
pub async fn take(
    server: web::Data<Server>,
    request: HttpRequest,
    payload: web::Payload,
    purpose: LinkPurpose,
) -> HttpResponse {
    let taken = async {
        let fields = body::form(&request, payload).await?;
        let visit = Visit::read(&server, &request, purpose, &fields).await?;
        guard::form::check(&server, &request, &visit.visitor, &fields).await?;
        if let Some(elsewhere) = visit.must_sign_in() {
            return Ok(elsewhere);
        }
        if visit.secret.is_empty() { visit.send_mail(&fields).await } else { visit.follow(&fields).await }
    };
    failure::page(&server, &request, taken.await)
}

/// Why a form is shown once more.
#[derive(Clone, Copy)]
enum Again {
    /// Something in it is at fault; this message says what.
    Mistake(&'static str),
    /// Too many have been asked for.
    TooMany(TooMany),
}

impl Again {
    fn message(self) -> &'static str {
        match self {
            Self::Mistake(message) => message,
            Self::TooMany(_) => "sign-in-too-many",
        }
    }

    fn answer(again: Option<Self>) -> HttpResponseBuilder {
        match again {
            None => HttpResponse::Ok(),
            Some(Self::Mistake(_)) => HttpResponse::UnprocessableEntity(),
            Some(Self::TooMany(too_many)) => pages::too_many(too_many),
        }
    }
}

impl<'a> Visit<'a> {
    async fn read(
        server: &'a Server,
        request: &'a HttpRequest,
        purpose: LinkPurpose,
        fields: &Parameters,
    ) -> Result<Self, PageError> {
        let text = |name, most| fields.one(name, most).map_err(PageError::Incomplete).map(Option::unwrap_or_default);
        let (secret, r) =
            (text("link", LINK_LENGTH_MAX)?.to_owned(), text("r", tokens::request::LENGTH_MAX)?.to_owned());
        let visitor = Visitor::read(server, request).await?;
        if secret.is_empty() && !people::may_ask(server, purpose) {
            return Err(PageError::NotOffered);
        }
        Ok(Self { server, request, visitor, purpose, secret, r })
    }

    /// Sends who is not signed in to do so first, where the link is not enough, and then back here.
    fn must_sign_in(&self) -> Option<HttpResponse> {
        let is_needed = self.purpose == LinkPurpose::ChangeEmail && self.visitor.session.is_none();
        let link = LinkText::parse(&self.secret).filter(|_| is_needed)?;
        Some(Place::ChangeEmail(link).after_signing_in(self.server))
    }

    /// Who has signed in, if that is whose link this is.
    fn owner(&self, link: &Link) -> Option<Person> {
        let (id, session) = (self.visitor.session.as_ref()?.account.id, self.visitor.session_digest?);
        (link.account_id == Some(id)).then(|| Person { id, session, origin: self.origin() })
    }

    fn layout(&self) -> Layout {
        Layout::of(self.server, self.request)
    }

    fn csrf(&self) -> Result<String, PageError> {
        Ok(tokens::form::write(&self.server.keyring.current(), self.visitor.browser())?)
    }

    fn origin(&self) -> Origin {
        caller::origin(self.request)
    }

    /// Asks for an address.
    fn ask(&self, email: &str, again: Option<Again>) -> Result<HttpResponse, PageError> {
        let page = AskPage {
            layout: self.layout(),
            purpose: self.purpose,
            request: self.r.clone(),
            csrf: self.csrf()?,
            email: email.to_owned(),
            error: again.map(Again::message),
        };
        let mut answer = Again::answer(again);
        self.visitor.mark(&self.server.settings, &mut answer);
        Ok(pages::answer(answer, &page, None)?)
    }

    /// Lets a link be mailed, and says where to look for it.
    async fn send_mail(&self, fields: &Parameters) -> Result<HttpResponse, PageError> {
        let typed = fields.one("email", EMAIL_LENGTH_MAX).unwrap_or_default().unwrap_or_default();
        let Ok(email) = typed.parse::<Email>() else {
            return self.ask(typed, Some(Again::Mistake("field-email-wrong")));
        };
        // Counted as tries to sign in are: nobody can have us write to others without end.
        if let Err(too_many) = self.server.sign_ins.count(peer::of(self.request)) {
            return self.ask(typed, Some(Again::TooMany(too_many)));
        }
        let asker = Asker {
            language: Some(language::of(self.server, self.request).tag().to_owned()),
            request: Some(self.r.clone()).filter(|r| !r.is_empty()),
        };
        let outcome = match self.purpose {
            LinkPurpose::SignUp => people::ask_to_sign_up(self.server, &email, &asker).await?,
            _ => people::ask_for_reset(self.server, &email, &asker).await?,
        };
        if outcome == Asked::NotOffered {
            return Err(PageError::NotOffered);
        }
        let page = CheckMailPage { layout: self.layout(), email: email.to_string() };
        Ok(pages::answer(HttpResponse::Ok(), &page, None)?)
    }

    /// Shows what a link is good for.
    async fn open(&self) -> Result<HttpResponse, PageError> {
        match people::look(self.server, self.purpose, &self.secret).await? {
            LinkState::Standing(link) if self.purpose == LinkPurpose::ChangeEmail && self.owner(&link).is_none() => {
                Err(PageError::LinkGone)
            }
            LinkState::Standing(link) => self.render(&link, "", None),
            LinkState::Used | LinkState::Gone => Err(PageError::LinkGone),
        }
    }

    fn render(&self, link: &Link, name: &str, again: Option<Again>) -> Result<HttpResponse, PageError> {
        let mut answer = Again::answer(again);
        self.visitor.mark(&self.server.settings, &mut answer);
        if matches!(self.purpose, LinkPurpose::VerifyEmail | LinkPurpose::ChangeEmail) {
            let page = ConfirmPage {
                layout: self.layout(),
                purpose: self.purpose,
                link: self.secret.clone(),
                csrf: self.csrf()?,
                email: link.email.to_string(),
                error: again.map(Again::message),
            };
            return Ok(pages::answer(answer, &page, None)?);
        }
        let page = ChoosePage {
            layout: self.layout(),
            purpose: self.purpose,
            link: self.secret.clone(),
            csrf: self.csrf()?,
            email: link.email.to_string(),
            name: name.to_owned(),
            length_min: self.server.settings.passwords.length_min,
            error: again.map(Again::message),
        };
        Ok(pages::answer(answer, &page, None)?)
    }

    /// Does what a link is good for.
    async fn follow(self, fields: &Parameters) -> Result<HttpResponse, PageError> {
        let LinkState::Standing(link) = people::look(self.server, self.purpose, &self.secret).await? else {
            return Err(PageError::LinkGone);
        };
        let password = fields.one("password", passwords::LENGTH_MAX).unwrap_or_default().unwrap_or_default();
        let typed = fields.one("name", NAME_BYTES_MAX).unwrap_or_default().unwrap_or_default();
        let followed = match self.purpose {
            LinkPurpose::SignUp | LinkPurpose::Invitation => {
                let Some(name) = legible::name(typed) else {
                    return self.render(&link, typed, Some(Again::Mistake("field-name-wrong")));
                };
                people::sign_up(self.server, &self.secret, (&name, password), self.origin()).await
            }
            LinkPurpose::ResetPassword | LinkPurpose::RestoreEmail => {
                people::reset_password(self.server, &self.secret, password, self.origin()).await
            }
            LinkPurpose::VerifyEmail => people::verify_email(self.server, &self.secret, self.origin()).await,
            LinkPurpose::ChangeEmail => match self.owner(&link) {
                Some(person) => people::confirm_email(self.server, &person, &self.secret).await,
                None => return Err(PageError::LinkGone),
            },
        };
        match followed {
            Ok(Followed::Done(account)) => self.done(*account, &link).await,
            Ok(Followed::EmailTaken) => self.render(&link, typed, Some(Again::Mistake("field-email-taken"))),
            Ok(Followed::LinkGone) => Err(PageError::LinkGone),
            Err(PeopleError::Password(PasswordError::Unfit(unfit))) => {
                self.render(&link, typed, Some(Again::Mistake(pages::unfit(unfit))))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Whoever has just made an account is signed in, and goes on with what brought them here, if that was in this
    /// browser. All others sign in themselves.
    async fn done(self, account: Account, link: &Link) -> Result<HttpResponse, PageError> {
        if !matches!(self.purpose, LinkPurpose::SignUp | LinkPurpose::Invitation) {
            let page = DonePage { layout: self.layout(), purpose: self.purpose };
            return Ok(pages::answer(HttpResponse::Ok(), &page, None)?);
        }
        // Whoever was invited to look after plugins begins there.
        let place = if account.role == Role::Person { Place::Home } else { Place::Console };
        let errand = Errand::waiting(self.server, link.request.as_deref(), place, &self.visitor).await;
        Box::pin(arrive(self.server, self.request, self.visitor, (account, Proof::Link), errand)).await
    }
}
