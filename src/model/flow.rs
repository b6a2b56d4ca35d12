//! Flows: one attempt to connect, from discovery to the first API call, and what happened at each of its steps.
//!
//! A flow begins at the authorization endpoint, and its id is the beginning of the id of every code it leads to, and
//! so of every family: whatever shows a code, a refresh token or an access token shows its flow, and nothing has to be
//! stored or looked up for it. What comes before has no id of its own yet and is found when the flow is told:
//! registration by its client, discovery by its resource and its time.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Timestamp, id::FamilyId};

/// How many bytes at the end of a family's id are its own.
const OWN: usize = 4;

/// The id of a flow: a family's id without its last four bytes, which are zero here. Of the 74 random bits of a UUID v7
/// 42 tell flows of one millisecond apart, and 32 the codes of one flow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FlowId(Uuid);

impl FlowId {
    /// The flow that an id belongs to, whether it is a family's, a flow's or a fresh one.
    pub fn of(id: Uuid) -> Self {
        let mut bytes = id.into_bytes();
        bytes[16 - OWN..].fill(0);
        Self(Uuid::from_bytes(bytes))
    }

    /// When it began, to the millisecond: it is written in the id (RFC 9562 §5.7).
    pub fn began_at(self) -> Timestamp {
        let milliseconds = i64::try_from(self.0.as_u128() >> 80).unwrap_or_default();
        chrono::DateTime::from_timestamp_millis(milliseconds).unwrap_or_default()
    }

    /// What is not after this began before any flow or event of that time: ids begin with the time they were made at.
    pub fn begins_at(at: Timestamp) -> Uuid {
        let milliseconds = u128::try_from(at.timestamp_millis()).unwrap_or_default();
        Uuid::from_u128(milliseconds << 80)
    }

    /// The id of a code of this flow; `own` tells it from the flow's other codes.
    pub fn family(self, own: [u8; OWN]) -> FamilyId {
        let mut bytes = self.0.into_bytes();
        bytes[16 - OWN..].copy_from_slice(&own);
        FamilyId(Uuid::from_bytes(bytes))
    }

    /// As its column has it.
    pub fn uuid(self) -> Uuid {
        self.0
    }
}

impl std::fmt::Display for FlowId {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(out)
    }
}

macro_rules! steps {
    ($($(#[$doc:meta])* $name:ident = $word:literal),+ $(,)?) => {
        /// A step of a flow, in the order they are taken.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Step {
            $($(#[$doc])* $name,)+
        }

        impl Step {
            /// Every step.
            pub const ALL: &[Self] = &[$(Self::$name),+];

            /// Its word.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)+
                }
            }
        }
    };
}

steps! {
    /// A metadata document or the manifest is read.
    Discovery = "discovery",
    /// The client registers itself (RFC 7591).
    Registration = "registration",
    /// The browser comes to the authorization endpoint.
    Authorization = "authorization",
    /// The person proves who they are.
    SignIn = "sign_in",
    /// The person is asked.
    Consent = "consent",
    /// The browser goes back to the client, with a code.
    Code = "code",
    /// The code is redeemed.
    Token = "token",
    /// The API asks about the access token.
    Introspection = "introspection",
    /// The connection is renewed.
    Refresh = "refresh",
    /// The client lets go.
    Revocation = "revocation",
}

impl Step {
    /// Whether it is taken where a person sits.
    pub fn is_persons(self) -> bool {
        matches!(self, Self::Authorization | Self::SignIn | Self::Consent | Self::Code)
    }
}

/// How a step ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// The flow goes on.
    Done,
    /// It does not, or not in this way.
    Refused,
    /// The server could not say: it failed, or what it needs did.
    Failed,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 3] = [Self::Done, Self::Refused, Self::Failed];

    /// Its word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Refused => "refused",
            Self::Failed => "failed",
        }
    }
}

/// What happened at one step. Texts have been cut and hold only legible characters: callers write some of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FlowEvent {
    /// Its row. None yet, all zeros, until the event is taken.
    pub id: Uuid,
    /// The flow, if the step belongs to one alone.
    pub flow_id: Option<FlowId>,
    /// When.
    pub at: Timestamp,
    /// Which step.
    pub step: Step,
    /// How it ended.
    pub outcome: Outcome,
    /// The `client_id` of the client, if it is known here.
    pub client_id: Option<String>,
    /// For which resource.
    pub resource: Option<String>,
    /// From where.
    pub address: Option<String>,
    /// What the caller calls itself.
    pub user_agent: Option<String>,
    /// The answer's `X-Request-Id`.
    pub request_id: String,
    /// One sentence for the owner, and never for the caller.
    pub says: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_family_shows_its_flow_and_its_codes_differ() {
        let flow = FlowId::of("01936f1e-5d2b-7c3a-9f10-aabbccddeeff".parse().unwrap());
        assert_eq!(flow.to_string(), "01936f1e-5d2b-7c3a-9f10-aabb00000000");
        let (one, other) = (flow.family([1, 2, 3, 4]), flow.family([1, 2, 3, 5]));
        assert_ne!(one, other);
        assert_eq!((FlowId::of(one.0), FlowId::of(other.0), FlowId::of(flow.uuid())), (flow, flow, flow));
        assert_eq!(one.to_string(), "01936f1e-5d2b-7c3a-9f10-aabb01020304");
        assert_eq!(flow.began_at().timestamp_millis(), 0x0193_6f1e_5d2b);
        let begin = FlowId::begins_at(flow.began_at());
        assert!(begin < flow.uuid() && FlowId::of(begin).began_at() == flow.began_at());
    }
}
