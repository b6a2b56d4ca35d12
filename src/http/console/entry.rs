//! Who is at work in the console, and what of it they may see.

use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, http::Method, web};
use askama::Template;

use crate::{
    http::{
        account::{
            place::{self, PagePath, Place},
            second_step::Why,
            security,
        },
        extract::{body, visitor::Visitor},
        failure::{self, PageError},
        guard,
        oauth::authorize::to_path,
        owner::Owner,
        pages::{
            self, Layout,
            console::{Frame, Head, Notice, Question, Section, SurePage, again::AgainPage},
        },
    },
    languages::Language,
    model::{account::Account, audit::Actor, client::Client, plugin::Plugin},
    protocol::parameters::Parameters,
    registry::{Registry, Wrong},
    server::Server,
    tokens,
};

/// Somebody who has signed in, and looks at the console.
pub(super) struct Entry<'a> {
    pub(super) server: &'a Server,
    pub(super) request: &'a HttpRequest,
    pub(super) account: Account,
    visitor: Visitor,
}

/// What a page of the console comes to.
pub(super) type Outcome = Result<HttpResponse, PageError>;

/// The field in which an API key is typed. What stands in it stands in no answer.
pub(super) const VALUE: &str = "value";

/// Shows a page to who has signed in; whoever has not does so first.
pub(super) async fn visit(
    server: &Server,
    request: &HttpRequest,
    show: impl AsyncFnOnce(&Entry<'_>) -> Outcome,
) -> HttpResponse {
    let shown = async {
        let visitor = Visitor::read(server, request).await?;
        match Entry::of(server, request, visitor) {
            Some(entry) => show(&entry).await,
            None => Ok(wanted(request).after_signing_in(server)),
        }
    };
    failure::page(server, request, shown.await)
}

/// Takes a form, which must be genuine, from who has signed in.
pub(super) async fn take(
    server: &Server,
    request: &HttpRequest,
    payload: web::Payload,
    carry_out: impl AsyncFnOnce(&Entry<'_>, &Parameters) -> Outcome,
) -> HttpResponse {
    let taken = async {
        let fields = body::long_form(request, payload).await?;
        let visitor = Visitor::read(server, request).await?;
        guard::form::check(server, request, &visitor, &fields).await?;
        match Entry::of(server, request, visitor) {
            Some(entry) if entry.is_for(&fields) => carry_out(&entry, &fields).await,
            Some(entry) => Ok(entry.lead_to("", Notice::OtherAccount)),
            // What came of no page of the console was not typed by anybody.
            None if fields.one("account", 36).is_ok_and(|id| id.is_none()) => {
                Ok(wanted(request).after_signing_in(server))
            }
            None => once_more(server, request, &fields),
        }
    };
    failure::page(server, request, taken.await)
}

/// Keeps what was typed by whoever was signed out meanwhile, but for a key, which is typed once more. The form is as genuine
/// after they have signed in: its token is their browser's and not their session's.
fn once_more(server: &Server, request: &HttpRequest, fields: &Parameters) -> Outcome {
    let path = request.path();
    let (keys, kept): (Vec<_>, Vec<_>) = fields.texts().partition(|(name, _)| *name == VALUE);
    let page = AgainPage {
        layout: layout(server, request),
        action: path.strip_prefix(server.settings.base.as_str()).unwrap_or(path).to_owned(),
        fields: kept.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        asks_for_a_key: !keys.is_empty(),
    };
    Ok(pages::answer(HttpResponse::Forbidden(), &page, None)?)
}

/// What all pages of the console share; they speak English alone.
fn layout(server: &Server, request: &HttpRequest) -> Layout {
    Layout { language: Language::English, translations: Vec::new(), ..Layout::of(server, request) }
}

/// A field of a form, at most so many bytes; one that was left out is empty.
pub(super) fn text<'a>(fields: &'a Parameters, name: &str, length_max: usize) -> Result<&'a str, PageError> {
    Ok(fields.one(name, length_max).map_err(PageError::Incomplete)?.unwrap_or_default())
}

/// Whether a form answers the question that was asked before what nobody can simply take back.
pub(super) fn is_confirmed(fields: &Parameters) -> bool {
    fields.one("confirmed", 3).is_ok_and(|answer| answer == Some("yes"))
}

/// Where whoever has to sign in first wants to be.
fn wanted(request: &HttpRequest) -> Place {
    let (_, page) = request.path().split_once("/console/").unwrap_or_default();
    match page {
        "invitations" => Place::Invitations,
        // A form that comes too late is not answered again; its page is.
        page if request.method() == Method::GET => PagePath::parse(page).map_or(Place::Console, Place::ConsolePage),
        _ => Place::Console,
    }
}

impl<'a> Entry<'a> {
    fn of(server: &'a Server, request: &'a HttpRequest, visitor: Visitor) -> Option<Self> {
        let account = visitor.session.as_ref()?.account.clone();
        Some(Self { server, request, account, visitor })
    }

    /// Whether a form is from a page of this account: another may have been signed in to since, in another tab.
    fn is_for(&self, fields: &Parameters) -> bool {
        fields.one("account", 36).is_ok_and(|id| id == Some(self.account.id.to_string().as_str()))
    }

    /// The mark of their browser.
    pub(super) fn browser(&self) -> &str {
        self.visitor.browser()
    }

    /// Leads whoever has not shown lately that it is them to do so, and then to a page: a browser that was left open is
    /// not enough for what outlives it.
    pub(super) async fn prove_first(&self, next: Place) -> Result<Option<HttpResponse>, PageError> {
        let proof = self.proof(next).await?;
        Ok(proof.map(|path| to_path(self.server, HttpResponse::SeeOther(), &path)))
    }

    /// Where whoever has not shown lately that it is them does so, and then goes on to a page. A page that says so before
    /// anything is typed spares them to type it twice.
    pub(super) async fn proof(&self, next: Place) -> Result<Option<String>, PageError> {
        let session = self.visitor.session.as_ref().ok_or(PageError::NotThere)?;
        let is_fresh = security::is_fresh(self.server, session).await?;
        Ok((!is_fresh).then(|| format!("{}?{}={}", Why::Again.path(), place::FIELD, next.word())))
    }

    /// The same as whoever asks for what is theirs, here or in the owners' API.
    pub(super) fn owner(&self) -> Owner<'_> {
        let actor = Actor::Account(self.account.id);
        Owner { server: self.server, request: self.request, account: &self.account, actor }
    }

    /// The plugin of the address, if it is theirs to see.
    pub(super) async fn plugin(&self) -> Result<Plugin, PageError> {
        self.owner().plugin().await?.ok_or(PageError::NotThere)
    }

    /// The client of the address, if it is the plugin's.
    pub(super) async fn client(&self, plugin: &Plugin) -> Result<Client, PageError> {
        self.owner().client(plugin, "client").await?.ok_or(PageError::NotThere)
    }

    /// Where they change things.
    pub(super) fn registry(&self) -> Registry<'_> {
        self.owner().registry()
    }

    /// What every page needs. A message that the address asks for is shown.
    pub(super) fn layout(&self) -> Layout {
        layout(self.server, self.request)
    }

    /// What frames a page of the console.
    pub(super) fn frame(&self, plugin: Option<(&Plugin, Section)>) -> Result<Frame, PageError> {
        let session = self.visitor.session.as_ref();
        Ok(Frame {
            csrf: tokens::form::write(&self.server.keyring.current(), self.visitor.browser())?,
            account: session.map(Into::into).ok_or(PageError::NotThere)?,
            account_id: self.account.id.to_string(),
            head: plugin.map(|(plugin, section)| Head::of(plugin, section)),
            notice: Notice::asked_for(self.request.query_string()),
        })
    }

    /// What stands in the address beside the path.
    pub(super) fn query(&self) -> Result<Parameters, PageError> {
        Parameters::from_form(self.request.query_string().as_bytes()).map_err(PageError::Incomplete)
    }

    /// Answers with the page that a form stood on, or would: refused where something is wrong with what was sent.
    pub(super) fn answer_with(&self, page: &impl Template, wrong: &[Wrong]) -> Outcome {
        let answer = if wrong.is_empty() { HttpResponse::Ok() } else { HttpResponse::UnprocessableEntity() };
        self.answer(answer, page)
    }

    /// Asks before a change that nobody can simply take back.
    pub(super) fn ask(&self, (plugin, section): (&Plugin, Section), asked: Question) -> Outcome {
        let frame = self.frame(Some((plugin, section)))?;
        let page = SurePage { layout: self.layout(), frame, slug: plugin.slug.clone(), asked };
        self.answer_with(&page, &page.asked.wrong)
    }

    /// Answers with a page.
    pub(super) fn answer(&self, mut answer: HttpResponseBuilder, page: &impl Template) -> Outcome {
        self.visitor.mark(&self.server.settings, &mut answer);
        Ok(pages::answer_with_script(answer, page, None)?)
    }

    /// Leads to a page of the console, which says what was done.
    pub(super) fn lead_to(&self, path: &str, notice: Notice) -> HttpResponse {
        to_path(self.server, HttpResponse::SeeOther(), &format!("/console{path}?done={}", notice.word()))
    }
}
