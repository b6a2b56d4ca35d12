//! Attempts to connect, as they are read: the events of a flow put together, and what they come to.
//! The command line and the console tell them; both say of one attempt the same.

use std::cmp::Reverse;

use super::flow::{FlowEvent, FlowId, Outcome, Step};

/// One attempt, as a whole or as far as somebody may see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Its flow.
    pub id: FlowId,
    /// What happened, in that order.
    pub events: Vec<FlowEvent>,
}

/// How an attempt stands after its last step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Its last step was refused.
    Refused,
    /// The server failed at its last step.
    Failed,
    /// It led to a connection.
    Connected,
    /// The client ended the connection.
    Ended,
    /// The client became known, and no more.
    Registered,
    /// A step that leads on was followed by none.
    Stopped,
}

impl Attempt {
    /// Sorts events into their attempts; that in which something happened last comes first.
    pub fn sort(events: Vec<FlowEvent>) -> Vec<Self> {
        let mut attempts: Vec<Self> = Vec::new();
        for event in events {
            let Some(id) = event.flow_id else { continue };
            match attempts.iter_mut().find(|attempt| attempt.id == id) {
                Some(attempt) => attempt.events.push(event),
                None => attempts.push(Self { id, events: vec![event] }),
            }
        }
        attempts.sort_by_key(|attempt| Reverse(attempt.events.last().map(|event| event.at)));
        attempts
    }

    fn first_of(&self, text: impl Fn(&FlowEvent) -> Option<&String>) -> Option<&str> {
        self.events.iter().find_map(|event| text(event).map(String::as_str))
    }

    /// The client that attempts it, by its name on the wire.
    pub fn client(&self) -> Option<&str> {
        self.first_of(|event| event.client_id.as_ref())
    }

    /// What it is for.
    pub fn resource(&self) -> Option<&str> {
        self.first_of(|event| event.resource.as_ref())
    }

    /// How it stands.
    pub fn standing(&self) -> Standing {
        match self.events.last() {
            Some(FlowEvent { outcome: Outcome::Refused, .. }) => Standing::Refused,
            Some(FlowEvent { outcome: Outcome::Failed, .. }) => Standing::Failed,
            Some(FlowEvent { step: Step::Token | Step::Introspection | Step::Refresh, .. }) => Standing::Connected,
            Some(FlowEvent { step: Step::Revocation, .. }) => Standing::Ended,
            Some(FlowEvent { step: Step::Registration, .. }) => Standing::Registered,
            _ => Standing::Stopped,
        }
    }
}

impl Standing {
    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Refused => "refused",
            Self::Failed => "failed",
            Self::Connected => "connected",
            Self::Ended => "ended",
            Self::Registered => "registered",
            Self::Stopped => "stopped",
        }
    }

    /// What it means, in a sentence.
    pub fn says(self) -> &'static str {
        match self {
            Self::Refused => "It was refused at its last step.",
            Self::Failed => "The server failed at its last step; its log has the request id.",
            Self::Connected => "It was connected.",
            Self::Registered => "The client has registered itself, and did not go on with that here.",
            Self::Ended => "The client ended it.",
            Self::Stopped => {
                "Nothing came after that: somebody is still at it, went away, or was not let on by the client."
            }
        }
    }
}
