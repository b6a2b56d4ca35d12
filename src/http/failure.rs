//! Failures as answers: RFC-shaped JSON for machines, a page in plain words for people. Never HTML where JSON is
//! due, never a 500 for something the caller did.

mod for_the_owner;
mod refused_document;

use std::{borrow::Cow, sync::Arc};

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
};
use askama::Template;
use serde::Serialize;

use super::{
    extract::credentials,
    guard::request_id,
    pages::{self, Destination, ErrorPage, ErrorWords, RefusedPage},
    trail,
};
use crate::{
    charts::ChartError,
    keys::KeyError,
    protocol::{
        authorization::{Link, NotAddressed, in_flight::Stopped},
        error::{ErrorCode, OAuthError},
    },
    registry::RegistryError,
    server::people::PeopleError,
    server::{Server, documents::RefusedDocument, gate::GateError, keyring::KeyringError, registrations::TooMany},
    store::StoreError,
};

/// How long a caller is asked to wait while storage is down, in seconds.
pub(super) const RETRY_AFTER: &str = "5";

/// And how long while its keys cannot be had: until then they are not looked for again.
const RETRY_AFTER_FOR_KEYS: &str = "60";

/// Something that went wrong on our side. It is logged once, where it is turned into an answer.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The store has no outcome.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The table of keys cannot be read.
    #[error(transparent)]
    Keyring(#[from] KeyringError),
    /// A page does not render.
    #[error(transparent)]
    Page(#[from] askama::Error),
    /// A chart cannot be drawn.
    #[error(transparent)]
    Chart(#[from] ChartError),
    /// The password workers are busy, or failed.
    #[error(transparent)]
    Password(#[from] crate::passwords::PasswordError),
    /// Too much mail waits to be sent.
    #[error("too much mail waits to be sent")]
    MailIsBehind,
    /// Too much is being fetched.
    #[error("too much is being fetched at once")]
    FetchesAreBehind,
    /// The gate cannot look up what it needs.
    #[error(transparent)]
    Gate(#[from] Arc<GateError>),
}

impl From<PeopleError> for Fault {
    fn from(error: PeopleError) -> Self {
        match error {
            PeopleError::Store(error) => error.into(),
            PeopleError::Key(error) => error.into(),
            PeopleError::Keyring(error) => error.into(),
            PeopleError::Password(error) => error.into(),
            PeopleError::MailIsBehind => Self::MailIsBehind,
        }
    }
}

impl From<RegistryError> for PageError {
    fn from(error: RegistryError) -> Self {
        match error {
            RegistryError::Store(error) => error.into(),
            RegistryError::Key(error) => error.into(),
            RegistryError::Password(error) => error.into(),
            RegistryError::Gone => Self::NotThere,
            // A page tells these itself, beside the fields; a form of ours that has no such fields cannot cause them.
            RegistryError::Wrong(_) | RegistryError::ChangedMeanwhile | RegistryError::Unproven => {
                Self::Incomplete(OAuthError::new(ErrorCode::InvalidRequest, "the form is not one of this server's"))
            }
        }
    }
}

impl Fault {
    /// Whether trying again later may help.
    pub(super) fn passes(&self) -> bool {
        match self {
            Self::Store(error) | Self::Keyring(KeyringError::Store(error)) => error.passes(),
            Self::Password(error) => matches!(error, crate::passwords::PasswordError::Busy),
            Self::MailIsBehind | Self::FetchesAreBehind | Self::Keyring(KeyringError::Behind) => true,
            Self::Gate(error) => match &**error {
                GateError::Store(error) | GateError::Keyring(KeyringError::Store(error)) => error.passes(),
                GateError::Keyring(error) => matches!(error, KeyringError::Behind),
                GateError::Key(_) => false,
            },
            _ => false,
        }
    }

    pub(super) fn log(&self, request: &HttpRequest) {
        let (id, path) = (request_id::of(request), request.path());
        if self.passes() {
            tracing::warn!(request.id = %id, http.path = path, error = %self, "cannot answer for now");
        } else {
            tracing::error!(request.id = %id, http.path = path, error = %self, "cannot answer");
        }
    }
}

/// Why a machine endpoint answers with an error.
#[derive(Debug, thiserror::Error)]
pub enum MachineError {
    /// The caller's.
    #[error(transparent)]
    Caller(#[from] OAuthError),
    /// The caller's, and it had tried HTTP Basic (RFC 6749 §5.2).
    #[error("client authentication by HTTP Basic failed: {0}")]
    Basic(OAuthError),
    /// The body has more than 64 KiB.
    #[error("the body is too large")]
    TooLarge,
    /// The caller's, or that of many callers together: more than the rate allows.
    #[error("the rate is exceeded")]
    TooMany(TooMany),
    /// Ours.
    #[error(transparent)]
    Fault(Fault),
}

impl<F: Into<Fault>> From<F> for MachineError {
    fn from(fault: F) -> Self {
        Self::Fault(fault.into())
    }
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    error: &'a str,
    error_description: &'a str,
    request_id: &'a str,
}

impl MachineError {
    /// What it is called on the wire.
    pub(super) fn code(&self) -> ErrorCode {
        match self {
            Self::Caller(error) | Self::Basic(error) => error.code,
            Self::TooLarge => ErrorCode::InvalidRequest,
            // RFC 7591 has no word for it; of all that clients know, this one says best what to do.
            Self::TooMany(_) => ErrorCode::TemporarilyUnavailable,
            Self::Fault(fault) if fault.passes() => ErrorCode::TemporarilyUnavailable,
            Self::Fault(_) => ErrorCode::ServerError,
        }
    }

    /// The answer (RFC 6749 §5.2).
    pub fn answer(&self, request: &HttpRequest) -> HttpResponse {
        self.tell(request);
        let code = self.code();
        let (status, description): (_, Cow<'_, str>) = match self {
            Self::Caller(error) | Self::Basic(error) => {
                let status = match code {
                    ErrorCode::InvalidClient | ErrorCode::InvalidToken => StatusCode::UNAUTHORIZED,
                    ErrorCode::AccessDenied => StatusCode::FORBIDDEN,
                    ErrorCode::ServerError => StatusCode::INTERNAL_SERVER_ERROR,
                    ErrorCode::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
                    _ => StatusCode::BAD_REQUEST,
                };
                (status, Cow::Borrowed(&error.description))
            }
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "the body has more than 64 KiB".into()),
            Self::TooMany(_) => (
                StatusCode::TOO_MANY_REQUESTS,
                "there are too many registrations at the moment; try again later".into(),
            ),
            Self::Fault(fault) => {
                fault.log(request);
                if fault.passes() {
                    let description = "the server cannot answer for now; try again in a few seconds";
                    (StatusCode::SERVICE_UNAVAILABLE, description.into())
                } else {
                    let description = "the server failed; its log knows more under the request id";
                    (StatusCode::INTERNAL_SERVER_ERROR, description.into())
                }
            }
        };
        let mut answer = HttpResponse::build(status);
        if matches!(self, Self::Basic(error) if error.code == ErrorCode::InvalidClient) {
            answer.insert_header((header::WWW_AUTHENTICATE, "Basic realm=\"consentry\", charset=\"UTF-8\""));
        }
        if code == ErrorCode::InvalidToken {
            // RFC 6750 §3.1: whoever showed no token has made no mistake with one.
            let showed_one = credentials::bearer(request).is_some();
            let challenge = if showed_one { "Bearer error=\"invalid_token\"" } else { "Bearer" };
            answer.insert_header((header::WWW_AUTHENTICATE, challenge));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE {
            let seconds = if matches!(self, Self::Fault(_)) { RETRY_AFTER } else { RETRY_AFTER_FOR_KEYS };
            answer.insert_header((header::RETRY_AFTER, seconds));
        }
        if let Self::TooMany(TooMany { retry_after_seconds }) = self {
            answer.insert_header((header::RETRY_AFTER, retry_after_seconds.to_string()));
        }
        answer.insert_header((header::CACHE_CONTROL, "no-store")).json(ErrorBody {
            error: code.as_str(),
            error_description: &description,
            request_id: &request_id::of(request),
        })
    }
}

/// Why a page endpoint shows an error page.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// The request cannot be answered to its sender.
    #[error(transparent)]
    NotAddressed(#[from] NotAddressed),
    /// The client is told of an error only by whoever follows this.
    #[error("the request of a client nobody vouches for cannot be answered: {0}")]
    Refused(OAuthError, Box<Link>),
    /// The client's metadata document says nothing.
    #[error(transparent)]
    Document(RefusedDocument),
    /// The request in flight cannot go on.
    #[error(transparent)]
    Stopped(#[from] Stopped),
    /// `r` is not something this server sealed.
    #[error("the request in flight cannot be read")]
    Unreadable,
    /// The form did not come from a page of ours in this browser.
    #[error("the form is not genuine")]
    ForgedForm,
    /// The form lacks something every form of ours has.
    #[error("the form is incomplete: {0}")]
    Incomplete(OAuthError),
    /// The body has more than 64 KiB.
    #[error("the body is too large")]
    TooLarge,
    /// A one-time link was used, or ended.
    #[error("the link cannot be used any more")]
    LinkGone,
    /// It is not there, or is not theirs to see.
    #[error("there is nothing at this address for whoever asks")]
    NotThere,
    /// The operator lets nobody do this by themselves.
    #[error("this is not offered here")]
    NotOffered,
    /// Ours.
    #[error(transparent)]
    Fault(Fault),
}

impl<F: Into<Fault>> From<F> for PageError {
    fn from(fault: F) -> Self {
        Self::Fault(fault.into())
    }
}

impl PageError {
    /// What the page says, and with which status.
    fn words(&self) -> (StatusCode, ErrorWords) {
        let (status, id) = match self {
            Self::NotAddressed(NotAddressed::UnknownClient { .. }) => (StatusCode::BAD_REQUEST, "error-unknown-client"),
            Self::NotAddressed(NotAddressed::ForeignRedirectUri { .. }) => {
                (StatusCode::BAD_REQUEST, "error-foreign-redirect-uri")
            }
            Self::NotAddressed(NotAddressed::NotForPeople | NotAddressed::Malformed(_)) => {
                (StatusCode::BAD_REQUEST, "error-malformed")
            }
            Self::Document(RefusedDocument { why, .. }) => return refused_document::words(why),
            Self::Refused(..) => (StatusCode::BAD_REQUEST, "error-refused"),
            Self::Stopped(Stopped::TooOld) => (StatusCode::BAD_REQUEST, "error-too-old"),
            Self::Stopped(Stopped::OtherBrowser) => (StatusCode::BAD_REQUEST, "error-other-browser"),
            Self::Unreadable | Self::Incomplete(_) => (StatusCode::BAD_REQUEST, "error-unreadable"),
            Self::ForgedForm => (StatusCode::FORBIDDEN, "error-forged-form"),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "error-too-large"),
            Self::LinkGone => (StatusCode::GONE, "error-link-gone"),
            Self::NotThere => (StatusCode::NOT_FOUND, "error-not-found"),
            Self::NotOffered => (StatusCode::NOT_FOUND, "error-not-offered"),
            Self::Fault(fault) if fault.passes() => (StatusCode::SERVICE_UNAVAILABLE, "error-for-now"),
            Self::Fault(_) => (StatusCode::INTERNAL_SERVER_ERROR, "error-ours"),
        };
        (status, id.into())
    }

    /// The page.
    pub fn answer(&self, server: &Server, request: &HttpRequest) -> HttpResponse {
        if let Self::Fault(fault) = self {
            fault.log(request);
            trail::failed(request, self.for_the_owner());
        } else if trail::is_a_step(request) {
            trail::refused(request, self.counted_as(), self.for_the_owner());
        } else {
            let id = request_id::of(request);
            tracing::info!(request.id = %id, http.path = request.path(), reason = ?self, "showed an error page");
        }
        let (status, words) = self.words();
        match self {
            Self::Refused(_, link) => refused_page(server, request, link, status),
            _ => error_page(server, request, status, words),
        }
    }
}

/// Turns either outcome of a page endpoint into its answer.
pub fn page(server: &Server, request: &HttpRequest, outcome: Result<HttpResponse, PageError>) -> HttpResponse {
    outcome.unwrap_or_else(|error| error.answer(server, request))
}

/// A page that says it.
pub(super) fn error_page(
    server: &Server,
    request: &HttpRequest,
    status: StatusCode,
    words: ErrorWords,
) -> HttpResponse {
    let layout = pages::Layout::once(server, request);
    written(status, &ErrorPage { layout, words, request_id: request_id::of(request) })
}

fn refused_page(server: &Server, request: &HttpRequest, link: &Link, status: StatusCode) -> HttpResponse {
    let page = RefusedPage {
        layout: pages::Layout::once(server, request),
        destination: Destination::of(link.redirect_uri()),
        link: link.href().to_owned(),
        problem: link.problem().to_owned(),
        request_id: request_id::of(request),
    };
    written(status, &page)
}

fn written(status: StatusCode, page: &impl Template) -> HttpResponse {
    let mut answer = HttpResponse::build(status);
    if status == StatusCode::SERVICE_UNAVAILABLE {
        answer.insert_header((header::RETRY_AFTER, RETRY_AFTER));
    }
    match pages::render(page) {
        Ok(html) => answer.content_type("text/html; charset=utf-8").body(html),
        Err(error) => {
            tracing::error!(%error, "an error page does not render");
            answer.finish()
        }
    }
}

/// A small JSON error outside the words of an RFC.
pub fn json(request: &HttpRequest, status: StatusCode, error: &str, description: &str) -> HttpResponse {
    HttpResponse::build(status).insert_header((header::CACHE_CONTROL, "no-store")).json(ErrorBody {
        error,
        error_description: description,
        request_id: &request_id::of(request),
    })
}

/// What cannot be done just now, and may be in a moment.
pub(super) fn for_now(request: &HttpRequest) -> HttpResponse {
    let description = "the server cannot do this for now; try again in a moment";
    let mut answer = json(request, StatusCode::SERVICE_UNAVAILABLE, "temporarily_unavailable", description);
    answer.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static(RETRY_AFTER));
    answer
}
