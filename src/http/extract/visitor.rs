//! Who is in front of a page: a browser, and perhaps somebody signed in.

use actix_web::{HttpRequest, HttpResponseBuilder};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::cookies;
use crate::{
    http::failure::PageError,
    model::{digest::Digest, session::Session},
    random,
    server::{Server, Settings},
};

/// The pages of a reviewer's account, counted from the public URL. It cannot change how it is signed in to, owns nothing,
/// and links nothing.
const REVIEWERS_PAGES: [&str; 8] =
    ["", "/", "/authorize", "/consent", "/sign-in", "/sign-out", "/connected-apps", "/sessions"];

/// A browser, and perhaps somebody signed in.
#[derive(Debug)]
pub struct Visitor {
    browser: String,
    is_new: bool,
    /// The digest of the session cookie, valid or not.
    pub session_digest: Option<Digest>,
    /// Who is signed in.
    pub session: Option<Session>,
}

impl Visitor {
    /// Looks at the cookies; a session costs one reading. What is not a reviewer's is not there for them, whichever page
    /// it is: those that are stand in a list.
    pub async fn read(server: &Server, request: &HttpRequest) -> Result<Self, PageError> {
        let known = cookies::browser(&server.settings, request);
        let session_digest = cookies::session(&server.settings, request).map(|text| text.digest());
        let session = match session_digest {
            Some(digest) => server.store.session(digest, server.clock.now()).await?,
            None => None,
        };
        let is_reviewer = session.as_ref().is_some_and(|session| session.account.reviews.is_some());
        let path = request.path().strip_prefix(server.settings.base.as_str());
        if is_reviewer && path.is_none_or(|path| !REVIEWERS_PAGES.contains(&path)) {
            return Err(PageError::NotThere);
        }
        let is_new = known.is_none();
        let browser = known.unwrap_or_else(|| URL_SAFE_NO_PAD.encode(random::bytes::<16>()));
        Ok(Self { browser, is_new, session_digest, session })
    }

    /// The browser's mark; a new one is set by [`Visitor::mark`].
    pub fn browser(&self) -> &str {
        &self.browser
    }

    /// The browser's mark if it came with the request.
    pub fn known_browser(&self) -> Option<&str> {
        (!self.is_new).then_some(self.browser.as_str())
    }

    /// Sets the mark on an answer if the browser had none.
    pub fn mark(&self, settings: &Settings, answer: &mut HttpResponseBuilder) {
        if self.is_new {
            answer.cookie(cookies::set_browser(settings, &self.browser));
        }
    }
}
