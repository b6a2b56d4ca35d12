//! The pages people see, as plain data and text.
//! Each page is one struct with a template in `templates/` that extends `base.html` and escapes everything.
//! Handlers fill a struct and call [`answer`], which adds the headers; `assets` holds the stylesheet the pages name.
//!
//! Form targets and field names are a contract with people's scripts and with the handlers; below the path of the
//! public URL, if it has one, `/sign-in` takes `email`, `password`; `/consent` takes `decision` = `allow` or `deny`;
//! `/sign-out` takes nothing of its own; all of them take `csrf` and the sealed request `r`, which may be empty.
//!
//! Names, descriptions and scope words come from strangers. Pages isolate them with `<bdi>`; how long they may be
//! is for the constructors of `model` to say. Titles are built from our own words only, since a title cannot isolate.

use std::fmt;

use actix_web::{HttpResponse, HttpResponseBuilder, http::header};
use askama::Template;

use super::{assets, failure::Fault};
use crate::{model::redirect_uri::RedirectUri, server::Server};

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

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
    mut answer: HttpResponseBuilder,
    page: &impl Template,
    leads_to: Option<&RedirectUri>,
) -> Result<HttpResponse, Fault> {
    let form_action = match leads_to {
        None => "'self'".to_owned(),
        Some(uri) if uri.is_website() => "'self' https:".to_owned(),
        Some(uri) if uri.is_loopback() => "'self' http: https:".to_owned(),
        Some(uri) => format!("'self' {}:", uri.url().scheme()),
    };
    let policy = format!(
        "default-src 'none'; style-src 'self'; img-src 'self'; frame-ancestors 'none'; base-uri 'none'; \
         form-action {form_action}"
    );
    Ok(answer
        .insert_header((header::CONTENT_SECURITY_POLICY, policy))
        .content_type("text/html; charset=utf-8")
        .body(render(page)?))
}

/// What every page needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The name the operator gave this server; at the top of each page and in each title.
    pub server_name: String,
    /// The path of the public URL, which every address on a page begins with; may be empty.
    pub base: String,
}

impl Layout {
    /// The same for every page of a server.
    pub fn of(server: &Server) -> Self {
        Self { server_name: server.settings.server_name.clone(), base: server.settings.base.clone() }
    }
}

/// Where a person signs in: `GET /sign-in`, and the answer to a `POST` that failed.
#[derive(Debug, Clone, Template)]
#[template(path = "sign_in.html")]
pub struct SignInPage {
    /// Shared by all pages.
    pub layout: Layout,
    /// The sealed authorization request, field `r`; empty when nobody asks for anything.
    pub request: String,
    /// The form token, field `csrf`.
    pub csrf: String,
    /// What was typed before, so that a failed attempt need not type it again; otherwise empty.
    pub email: String,
    /// Why the last attempt failed.
    pub error: Option<SignInError>,
    /// Who sent the person here, and for what.
    pub asking: Option<Asking>,
}

impl SignInPage {
    /// Whether what was typed is at fault: only then are the fields themselves marked.
    fn doubts_fields(&self) -> bool {
        matches!(self.error, Some(SignInError::Refused))
    }
}

/// Who sends a person to sign in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asking {
    /// The client's display name.
    pub client_name: String,
    /// The plugin's display name.
    pub plugin_name: String,
}

/// Why signing in failed, as far as the person may know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignInError {
    /// Unknown address, wrong password or closed account: never told apart, or strangers could list accounts.
    Refused,
    /// Too many tries: the password was not looked at.
    TooMany,
}

impl fmt::Display for SignInError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused => f.write_str("That email address and password do not match. Please try again."),
            Self::TooMany => f.write_str("There were too many attempts. Please wait a few minutes, then try again."),
        }
    }
}

/// Where a person says yes or no: `GET /consent`.
#[derive(Debug, Clone, Template)]
#[template(path = "consent.html")]
pub struct ConsentPage {
    /// Shared by all pages.
    pub layout: Layout,
    /// The sealed authorization request, field `r` of both forms.
    pub request: String,
    /// The form token, field `csrf` of both forms.
    pub csrf: String,
    /// The client's display name.
    pub client_name: String,
    /// Who stands behind that name.
    pub client_origin: ClientOrigin,
    /// The plugin's display name.
    pub plugin_name: String,
    /// The plugin's description for people; may be empty.
    pub plugin_description: String,
    /// A whole path on this server: the pages' content policy loads images from nowhere else.
    pub logo: Option<String>,
    /// Where the answer goes.
    pub destination: Destination,
    /// What is asked for, in the order it is to be read; empty means the plugin as a whole.
    pub scopes: Vec<ScopeLine>,
    /// Name of the account that is signed in.
    pub account_name: String,
    /// Address of the account that is signed in.
    pub account_email: String,
    /// The plugin owner's address from the manifest.
    pub contact_email: String,
    /// The legal page from the manifest; shown only when it is a web address.
    pub legal_info_url: String,
    /// Which of the plugin's APIs it is: its host, and its path if it has one.
    pub api_address: String,
    /// The whole path of the page on which connections are ended, once this server has one.
    pub connected_apps: Option<String>,
}

impl ConsentPage {
    fn client_initial(&self) -> String {
        initial(&self.client_name)
    }

    fn plugin_initial(&self) -> String {
        initial(&self.plugin_name)
    }

    fn account_initial(&self) -> String {
        initial(&self.account_name)
    }

    /// On a first consent everything is new, and a badge on every line would tell nothing.
    fn only_some_are_new(&self) -> bool {
        self.scopes.iter().any(|scope| !scope.is_new)
    }

    /// The legal page as a link, unless its scheme could do something else than open a web page.
    fn legal_link(&self) -> Option<String> {
        let url = url::Url::parse(&self.legal_info_url).ok()?;
        matches!(url.scheme(), "https" | "http").then(|| url.to_string())
    }
}

/// Who stands behind a client's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClientOrigin {
    /// Its metadata document, whose host is the name shown; this is what it calls itself there.
    Stranger(String),
    /// The plugin's owner registered it.
    Owner,
    /// This host published its metadata document, and we fetched it from there.
    Host(String),
    /// It registered itself; its name is its own claim.
    Unproven,
}

/// Where the answer to an authorization request goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// A website; its host, in its ASCII form.
    Site(String),
    /// A loopback address, with its port if it has one: some program on the person's own machine.
    ThisComputer(String),
    /// A scheme of an app's own: whatever app has claimed it.
    App(String),
}

impl Destination {
    /// Its name in a sentence.
    fn name(&self) -> &str {
        let (Self::Site(name) | Self::ThisComputer(name) | Self::App(name)) = self;
        name
    }

    /// What a proven redirect URI is to a person.
    pub fn of(uri: &RedirectUri) -> Self {
        if uri.is_loopback() {
            Self::ThisComputer(uri.display_host())
        } else if uri.is_website() {
            Self::Site(uri.display_host())
        } else {
            Self::App(uri.url().scheme().to_owned())
        }
    }
}

/// One permission on the consent page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeLine {
    /// The scope as it stands in the request.
    pub name: String,
    /// What it allows, to be read after "can": "Read your to-do items".
    pub words: String,
    /// Whether the person has not allowed it to this client yet.
    pub is_new: bool,
}

/// What a person sees instead of a redirect that would not be safe, or when something broke.
#[derive(Debug, Clone, Template)]
#[template(path = "error.html")]
pub struct ErrorPage {
    /// Shared by all pages.
    pub layout: Layout,
    /// What happened, in a few of our own words; also the browser's title.
    pub title: String,
    /// What that means, in a sentence or two.
    pub message: String,
    /// What the person can do about it; may be empty.
    pub advice: String,
    /// Finds this request in the logs.
    pub request_id: String,
}

/// What a person sees instead of a redirect that an app nobody vouches for asked for: where it would lead.
#[derive(Debug, Clone, Template)]
#[template(path = "refused.html")]
pub struct RefusedPage {
    /// Shared by all pages.
    pub layout: Layout,
    /// What happened, in a few of our own words; also the browser's title.
    pub title: String,
    /// What that means, in a sentence or two.
    pub message: String,
    /// Where the app is, as far as it says so.
    pub destination: Destination,
    /// The address that tells it so: one of its own, proven by `protocol::authorization`.
    pub link: String,
    /// What is wrong with its request, for its owner.
    pub problem: String,
    /// Finds this request in the logs.
    pub request_id: String,
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
