//! Addressed: the redirect URI is proven to be the client's, so from here on every answer goes there, and only this
//! file builds one.
//!
//! Each carries `state` unchanged and `iss` (RFC 9207), errors too. An answer a person asked for is a redirect. An
//! error nobody asked for is one only where somebody vouches for the client: anybody can register one, or publish a
//! document, and then send people through our address to their own (RFC 9700 §4.11.2). For theirs it is a link on a
//! page.

use std::fmt;

use crate::{
    model::{
        client::{Client, Registration},
        redirect_uri::RedirectUri,
    },
    protocol::{
        error::{ErrorCode, OAuthError},
        presets,
    },
};

use super::received::Received;

/// A request that knows where its answer goes.
#[derive(Clone, Debug)]
pub struct Addressed {
    pub(super) received: Received,
    redirect_uri: RedirectUri,
    issuer: String,
    is_vouched_for: bool,
}

/// Where the browser goes next: an address that has been proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect(String);

/// An error that nobody has seen yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// What is wrong.
    pub error: OAuthError,
    /// How the client is told.
    pub told: Told,
}

/// How a client is told of an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Told {
    /// The browser goes there at once.
    ByRedirect(Redirect),
    /// A person is shown where it leads, and goes there or not.
    ByLink(Box<Link>),
}

/// The same address for a person to follow; it makes no `Location` header.
#[derive(Clone, PartialEq, Eq)]
pub struct Link {
    redirect: Redirect,
    client_id: String,
    redirect_uri: RedirectUri,
    problem: String,
}

impl fmt::Debug for Link {
    // Not the address itself: it carries the client's `state`, which is no business of a log.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { client_id, redirect_uri, problem, .. } = self;
        write!(out, "Link {{ client: {client_id:?}, to: {:?}, problem: {problem:?} }}", redirect_uri.as_str())
    }
}

impl Link {
    /// The whole address.
    pub fn href(&self) -> &str {
        self.redirect.as_str()
    }

    /// Where it leads.
    pub fn redirect_uri(&self) -> &RedirectUri {
        &self.redirect_uri
    }

    /// What is wrong, for the owner's eyes.
    pub fn problem(&self) -> &str {
        &self.problem
    }
}

impl Redirect {
    /// The whole URI, for a `Location` header.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Addressed {
    pub(super) fn new(received: Received, redirect_uri: RedirectUri, client: &Client, issuer: &str) -> Self {
        Self { received, redirect_uri, issuer: issuer.to_owned(), is_vouched_for: is_vouched_for(client) }
    }

    /// Where the answer goes.
    pub fn redirect_uri(&self) -> &RedirectUri {
        &self.redirect_uri
    }

    /// The request as it came, to be sealed while a person reads.
    pub fn received(&self) -> &Received {
        &self.received
    }

    /// Answers with an error (RFC 6749 §4.1.2.1).
    pub fn refuse(&self, error: OAuthError) -> Refusal {
        let redirect = self.tell(&error);
        let told = if self.is_vouched_for {
            Told::ByRedirect(redirect)
        } else {
            Told::ByLink(Box::new(Link {
                redirect,
                client_id: self.received.client_id.clone(),
                redirect_uri: self.redirect_uri.clone(),
                problem: error.description.to_string(),
            }))
        };
        Refusal { error, told }
    }

    /// Answers that the person said no: they have seen where that leads.
    pub fn deny(&self) -> Redirect {
        self.tell(&OAuthError::new(ErrorCode::AccessDenied, "the person did not agree"))
    }

    fn tell(&self, error: &OAuthError) -> Redirect {
        self.redirect(&[("error", error.code.as_str()), ("error_description", &error.description)])
    }

    pub(super) fn redirect(&self, answer: &[(&str, &str)]) -> Redirect {
        let state = self.received.state.as_deref().map(|state| ("state", state));
        write(self.redirect_uri.as_str(), answer.iter().copied().chain(state), &self.issuer)
    }
}

/// Whether somebody vouches for where a client leads: the owner who registered it, or a vendor everybody knows.
fn is_vouched_for(client: &Client) -> bool {
    match client.registration {
        Registration::ByHand => true,
        Registration::Document => presets::document_of(&client.client_id).is_some(),
        Registration::Dynamic => false,
    }
}

fn write<'a>(redirect_uri: &str, answer: impl Iterator<Item = (&'a str, &'a str)>, issuer: &'a str) -> Redirect {
    // Appended to the registered text itself: parsing and writing it anew could change its spelling.
    let mut uri = redirect_uri.to_owned();
    uri.push(if uri.contains('?') { '&' } else { '?' });
    let query =
        url::form_urlencoded::Serializer::new(String::new()).extend_pairs(answer.chain([("iss", issuer)])).finish();
    // A space as %20 reads the same to form decoders and to those that only know percent-encoding.
    uri.push_str(&query.replace('+', "%20"));
    Redirect(uri)
}

/// The `iss` that answers would carry, read back as a client reads it; for the server's look at itself when it starts.
pub fn iss_of_an_answer(issuer: &str) -> Option<String> {
    let Redirect(answer) = write("https://client.example/", std::iter::empty(), issuer);
    let answer = url::Url::parse(&answer).ok()?;
    answer.query_pairs().find(|(name, _)| name == "iss").map(|(_, value)| value.into_owned())
}
