//! What the owner is told of a failure, in one sentence, for the flow record. The caller, and the person in front of a
//! page, are told less.

use std::borrow::Cow;

use actix_web::HttpRequest;

use super::{Fault, MachineError, PageError};
use crate::{
    http::trail,
    model::counts::Refusal,
    protocol::authorization::{NotAddressed, in_flight::Stopped},
    server::documents::RefusedDocument,
};

impl Fault {
    /// One sentence for the owner. What exactly failed is the operator's, who finds it in the log.
    pub(super) fn for_the_owner(&self) -> &'static str {
        if self.passes() {
            "The server could not answer for a while; its log says why."
        } else {
            "The server failed; its log says why."
        }
    }
}

impl MachineError {
    /// Tells the owner, in one sentence.
    pub(super) fn tell(&self, request: &HttpRequest) {
        match self {
            Self::Caller(error) | Self::Basic(error) => {
                trail::refused(request, error.code.counted_as(), error.for_the_owner());
            }
            Self::TooLarge => {
                trail::refused(request, Refusal::InvalidRequest, "The client sent a body of more than 64 KiB.");
            }
            Self::TooMany(_) => trail::refused(
                request,
                Refusal::Other,
                "There were more registrations than registration_rate lets in a minute, or more than a quarter of that \
                 from one address.",
            ),
            Self::Fault(fault) => trail::failed(request, fault.for_the_owner()),
        }
    }
}

impl PageError {
    /// As what it is counted.
    pub(super) fn counted_as(&self) -> Refusal {
        match self {
            Self::NotAddressed(NotAddressed::UnknownClient { .. }) => Refusal::InvalidClient,
            Self::NotAddressed(NotAddressed::ForeignRedirectUri { .. }) => Refusal::RedirectUri,
            Self::NotAddressed(NotAddressed::NotForPeople) => Refusal::UnauthorizedClient,
            Self::NotAddressed(NotAddressed::Malformed(error)) => error.code.counted_as(),
            Self::Refused(error, _) => error.code.counted_as(),
            Self::Document(_) => Refusal::ClientMetadata,
            _ => Refusal::Page,
        }
    }

    /// One sentence for the owner; the page says no more than helps the person.
    pub(super) fn for_the_owner(&self) -> Cow<'_, str> {
        match self {
            Self::NotAddressed(error) => error.for_the_owner(),
            Self::Refused(error, _) => error.for_the_owner(),
            Self::Document(RefusedDocument { client_id, why }) => {
                format!("Nobody is asked to consent to {client_id}: {why}.").into()
            }
            Self::Stopped(Stopped::TooOld) => "The person took longer than an hour.".into(),
            Self::Stopped(Stopped::OtherBrowser) => {
                "The page was opened in another browser than the one it was for, or that browser keeps no cookies of \
                 this server."
                    .into()
            }
            Self::Unreadable => {
                "The address the browser came with was cut or changed on the way, or is from before an upgrade.".into()
            }
            Self::ForgedForm => "The form did not come from a page of this server in this browser.".into(),
            Self::Incomplete(error) => format!("The browser sent an incomplete form: {error}.").into(),
            Self::TooLarge => "The browser sent a form of more than 64 KiB.".into(),
            Self::LinkGone => "The person came with a link that was used or has ended.".into(),
            Self::NotThere => "The person came to a page that is not there for them.".into(),
            Self::NotOffered => "The person came to a page that the configuration switches off.".into(),
            Self::Fault(fault) => fault.for_the_owner().into(),
        }
    }
}
