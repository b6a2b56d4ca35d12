//! The pages people see, as plain data and text.
//! Each page is one struct with a template in `templates/` that extends `base.html` and escapes everything.
//! Handlers fill a struct and call [`answer`], which adds the headers; `assets` holds the stylesheet the pages name.
//!
//! Form targets and field names are a contract with people's scripts and with the handlers; below the path of the
//! public URL, if it has one, `/sign-in` takes `email`, `password`; `/consent` takes `decision` = `allow` or `deny`, and `scope` for each that is ticked of those that may be left out;
//! `/sign-out` takes nothing of its own; `/connected-apps` takes `consent` or `connection`, an id; `/sessions` takes
//! `session`, an id, `others` or `everything`; `/account` takes `change` (`name`, `verify`, `email`, `password`,
//! `set-password`, `language` or `export`) with `name`, `email`, `password`, `new_password` or `language` as it needs, and
//! it and `/account/delete` take `account`, the id of whose page it is; `/identities` takes `identity`, an id, and
//! `/identities/confirm` takes `decision` = `link` or `leave`; all of them take `csrf` and the sealed request `r`, which
//! may be empty.
//!
//! What pages say stands in `messages/`, one folder per language; a page only names it.
//!
//! Names, descriptions and scope words come from strangers. Pages isolate them with `<bdi>`; how long they may be
//! is for the constructors of `model` to say. Titles are built from our own words only, since a title cannot isolate.

use std::borrow::Cow;

use actix_web::{
    HttpRequest, HttpResponse, HttpResponseBuilder,
    http::{Method, header},
};
use askama::Template;

use super::{account::place::Place, assets, extract::language, failure::Fault};
use crate::{
    languages::{Language, Said},
    model::{
        brand::{Brand, Colour},
        redirect_uri::RedirectUri,
        session::Session,
    },
    server::{Server, shares::TooMany},
};

mod account;
mod consent;
pub mod console;
mod errors;
mod factors;
mod field;
mod links;
mod providers;
mod settings;
mod sign_in;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

pub use self::{
    account::{AppCard, ConnectedAppsPage, ConnectionLine, Disconnected, HistoryLine, SessionLine, SessionsPage},
    consent::{ClientOrigin, ClosedPage, ConsentPage, Destination, Lasts, ScopeLine},
    errors::{ErrorPage, ErrorWords, RefusedPage},
    factors::{DeviceLine, PasskeyLine, RecoveryCodesPage, SecondStepPage, SecurityNotice, SecurityPage, SetUpAppPage},
    links::{AskPage, CheckMailPage, ChoosePage, ConfirmPage, DonePage, unfit},
    providers::{ConfirmIdentityPage, IdentitiesPage, IdentityLine, Trouble, TroublePage, Way},
    settings::{At, DeletePage, DeletedPage, SettingsPage, Told},
    sign_in::{Asking, SignInError, SignInPage},
};

/// Turns a page into HTML.
///
/// # Errors
///
/// The template engine's own; writing a page of plain text to a string gives it no reason to fail.
pub fn render(page: &impl Template) -> Result<String, askama::Error> {
    page.render()
}

/// Answers with a page. `leads_to` is where the answer to one of its forms may send the browser: Chromium applies
/// `form-action` to redirects too, and a client's own redirect URI may redirect on: a website to any other, a program
/// on this computer to another port or to its maker's website. Besides, a policy cannot name an IPv6 address.
pub fn answer(
    answer: HttpResponseBuilder,
    page: &impl Template,
    leads_to: Option<&RedirectUri>,
) -> Result<HttpResponse, Fault> {
    answer_with(answer, page, leads_to, "")
}

/// The same for a page on which a passkey can be used: it may run the one script there is, which may call this server.
pub fn answer_with_script(
    answer: HttpResponseBuilder,
    page: &impl Template,
    leads_to: Option<&RedirectUri>,
) -> Result<HttpResponse, Fault> {
    answer_with(answer, page, leads_to, " script-src 'self'; connect-src 'self';")
}

fn answer_with(
    mut answer: HttpResponseBuilder,
    page: &impl Template,
    leads_to: Option<&RedirectUri>,
    scripts: &str,
) -> Result<HttpResponse, Fault> {
    let form_action = match leads_to {
        None => "'self'".to_owned(),
        Some(uri) if uri.is_website() => "'self' https:".to_owned(),
        Some(uri) if uri.is_loopback() => "'self' http: https:".to_owned(),
        Some(uri) => format!("'self' {}:", uri.url().scheme()),
    };
    let policy = format!(
        "default-src 'none';{scripts} style-src 'self'; img-src 'self'; frame-ancestors 'none'; base-uri 'none'; \
         form-action {form_action}"
    );
    Ok(answer
        .insert_header((header::CONTENT_SECURITY_POLICY, policy))
        .content_type("text/html; charset=utf-8")
        .body(render(page)?))
}

/// The beginning of an answer to whoever has tried too often: a page says it, and a header for how long.
pub fn too_many(TooMany { retry_after_seconds }: TooMany) -> HttpResponseBuilder {
    let mut answer = HttpResponse::TooManyRequests();
    answer.insert_header((header::RETRY_AFTER, retry_after_seconds.to_string()));
    answer
}

/// What every page needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The name the operator gave this server; at the top of each page and in each title.
    pub server_name: String,
    /// What of the operator's own stands in the place of ours.
    pub brand: BrandLinks,
    /// The path of the public URL, which every address on a page begins with; may be empty.
    pub base: String,
    /// The language of its words.
    pub language: Language,
    /// Where the same page is to be had in each language; none for the answer to a form, which is sent once.
    pub translations: Vec<Translation>,
}

/// What of the operator's own look there is, below `/static/`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BrandLinks {
    /// The colour their accents begin at, if they have one: there is a stylesheet for each.
    pub accent: Option<Colour>,
    /// Whether there is a logo.
    pub has_logo: bool,
    /// Changes whenever the logo does.
    pub version: String,
}

impl BrandLinks {
    fn of(brand: &Brand) -> Self {
        let version = brand.version().to_owned();
        Self { accent: brand.accent(), has_logo: brand.logo().is_some(), version }
    }
}

/// A page in a language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Translation {
    /// The language.
    pub language: Language,
    /// A query alone: it leads to the page it stands on and nowhere else.
    pub href: String,
}

impl Layout {
    /// The same for every page of a server, in the language of whoever asks.
    pub fn of(server: &Server, request: &HttpRequest) -> Self {
        let href = |to| language::query_with(request.query_string(), to);
        let translations = match *request.method() {
            Method::GET => Language::ALL.map(|language| Translation { language, href: href(language) }).to_vec(),
            _ => Vec::new(),
        };
        Self {
            server_name: server.settings.server_name.clone(),
            brand: BrandLinks::of(&server.settings.brand),
            base: server.settings.base.clone(),
            language: language::of(server, request),
            translations,
        }
    }

    /// The same for a page that says what went wrong: its address is not to be gone to again.
    pub fn once(server: &Server, request: &HttpRequest) -> Self {
        Self { translations: Vec::new(), ..Self::of(server, request) }
    }

    /// A message in the page's language.
    pub fn say(&self, id: impl Into<Cow<'static, str>>) -> Said {
        self.language.say(id)
    }
}

/// The end of signing out when no request waits for another account.
#[derive(Debug, Clone, Template)]
#[template(path = "signed_out.html")]
pub struct SignedOutPage {
    /// Shared by all pages.
    pub layout: Layout,
}

/// The front page, `GET /`: what this server is, and who is signed in.
#[derive(Debug, Clone, Template)]
#[template(path = "home.html")]
pub struct HomePage {
    /// Shared by all pages.
    pub layout: Layout,
    /// Who is signed in.
    pub account: Option<SignedIn>,
    /// Whether they look after plugins.
    pub has_console: bool,
    /// The form token of the sign-out form; unused when nobody is signed in.
    pub csrf: String,
}

/// An account as a page shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    /// The person's name.
    pub name: String,
    /// The person's email address.
    pub email: String,
}

impl From<&Session> for SignedIn {
    fn from(session: &Session) -> Self {
        Self { name: session.account.name.clone(), email: session.account.email.to_string() }
    }
}

impl SignedIn {
    fn initial(&self) -> String {
        initial(&self.name)
    }
}

/// The letter that stands for a name where there is no picture.
fn initial(name: &str) -> String {
    name.chars()
        .find(|character| character.is_alphanumeric())
        .map_or_else(|| "•".to_owned(), |c| c.to_uppercase().collect())
}
