//! Addressed: the redirect URI is proven, so from here on every answer is a redirect, and only this file builds one.
//!
//! Each carries `state` unchanged and `iss` (RFC 9207), errors too.

use crate::{
    model::redirect_uri::RedirectUri,
    protocol::error::{ErrorCode, OAuthError},
};

use super::received::Received;

/// A request that knows where its answer goes.
#[derive(Clone, Debug)]
pub struct Addressed {
    pub(super) received: Received,
    redirect_uri: RedirectUri,
    issuer: String,
}

/// Where the browser goes next: an address that has been proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redirect(String);

impl Redirect {
    /// The whole URI, for a `Location` header.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Addressed {
    pub(super) fn new(received: Received, redirect_uri: RedirectUri, issuer: &str) -> Self {
        Self { received, redirect_uri, issuer: issuer.to_owned() }
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
    pub fn refuse(&self, error: &OAuthError) -> Redirect {
        self.redirect(&[("error", error.code.as_str()), ("error_description", &error.description)])
    }

    /// Answers that the person said no.
    pub fn deny(&self) -> Redirect {
        self.refuse(&OAuthError::new(ErrorCode::AccessDenied, "the person did not agree"))
    }

    pub(super) fn redirect(&self, answer: &[(&str, &str)]) -> Redirect {
        let state = self.received.state.as_deref().map(|state| ("state", state));
        write(self.redirect_uri.as_str(), answer.iter().copied().chain(state), &self.issuer)
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
