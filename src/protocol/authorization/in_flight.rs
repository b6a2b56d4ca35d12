//! A request in flight: sealed into the parameter `r` while a person signs in and reads.
//!
//! Bound to the browser it was started in, from sign-in on also to the session and account it is shown to, and from the
//! consent page on to what stood there.

use serde::{Deserialize, Serialize};

use super::Received;
use crate::model::{
    Timestamp,
    digest::Digest,
    flow::FlowId,
    id::{AccountId, SessionId},
    session::Session,
};

/// How long a person may take.
const LIFETIME: chrono::TimeDelta = chrono::TimeDelta::hours(1);

/// What `r` holds. Field order is the order of its bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InFlight {
    received: Received,
    /// Milliseconds since 1970.
    received_at: i64,
    flow: FlowId,
    browser: [u8; 16],
    shown_to: Option<(SessionId, AccountId)>,
    asking: Option<Question>,
}

/// What a consent page asked, as a digest: compared, and never a source of what is granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question(pub(super) [u8; 16]);

/// Why `r` cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Stopped {
    /// Older than an hour.
    #[error("the request is too old")]
    TooOld,
    /// Started in another browser, or this one does not keep cookies.
    #[error("the request was started in another browser")]
    OtherBrowser,
}

impl InFlight {
    /// A request that starts now, in the browser with this cookie.
    pub fn start(received: Received, browser: &str, flow: FlowId, now: Timestamp) -> Self {
        let browser = Digest::of(browser).short();
        Self { received, received_at: now.timestamp_millis(), flow, browser, shown_to: None, asking: None }
    }

    /// The same as a part of another flow.
    #[must_use]
    pub fn of_flow(self, flow: FlowId) -> Self {
        Self { flow, ..self }
    }

    /// The flow it is a part of.
    pub fn flow(&self) -> FlowId {
        self.flow
    }

    /// Checks that it is young enough and came back to its own browser.
    pub fn resume(self, browser: Option<&str>, now: Timestamp) -> Result<Self, Stopped> {
        if now >= self.received_at() + LIFETIME {
            return Err(Stopped::TooOld);
        }
        match browser {
            Some(browser) if Digest::of(browser).begins_with(&self.browser) => Ok(self),
            _ => Err(Stopped::OtherBrowser),
        }
    }

    /// Binds it to the session and account it is shown to.
    #[must_use]
    pub fn shown_to(self, session: &Session) -> Self {
        Self { shown_to: Some((session.id, session.account.id)), ..self }
    }

    /// Whether it was shown to this very session and account: only then may its form be answered.
    pub fn was_shown_to(&self, session: &Session) -> bool {
        self.shown_to == Some((session.id, session.account.id))
    }

    /// Binds it to what the page asks.
    #[must_use]
    pub fn asking(self, question: Question) -> Self {
        Self { asking: Some(question), ..self }
    }

    /// Whether the page asked this very thing: only then does a yes mean it.
    pub fn asked(&self, question: Question) -> bool {
        self.asking == Some(question)
    }

    /// When it first arrived.
    pub fn received_at(&self) -> Timestamp {
        chrono::DateTime::from_timestamp_millis(self.received_at).unwrap_or_default()
    }

    /// The request itself, to be checked again from the start: nothing sealed is trusted to still hold.
    pub fn into_received(self) -> Received {
        self.received
    }

    /// The client it claims to come from.
    pub fn client_id(&self) -> &str {
        self.received.client_id()
    }

    /// The resource it names, before anything about it is checked.
    pub fn resource(&self) -> Option<&str> {
        self.received.resource()
    }
}
