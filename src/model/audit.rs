//! Audit events: who changed what, when and from where. Never a secret, never a token.
//!
//! The store writes each in the transaction of the change it tells of.

mod action;

pub use action::AuditAction;
use uuid::Uuid;

use super::{
    Timestamp,
    id::{AccountId, AuditEventId, ClientId, OwnerTokenId, PluginId},
};

/// Who made a change. They are not compared: a person and their program are one, so it is their `account` that is.
#[derive(Clone, Debug)]
pub enum Actor {
    /// A person who has signed in, in their browser.
    Account(AccountId),
    /// A program of theirs.
    Program(Program),
    /// A client, at a machine endpoint.
    Client(ClientId),
    /// The operator, on the command line.
    Operator,
    /// The server itself.
    Server,
}

/// A program that acts for a person, by a token of the owners' API.
#[derive(Clone, Debug)]
pub struct Program {
    /// Whom it acts for.
    pub account_id: AccountId,
    /// By which token.
    pub token: UsedToken,
}

/// A token that something was done by. Its name is kept beside its id, because a token that has ended is deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsedToken {
    /// Row id.
    pub id: OwnerTokenId,
    /// What its owner called it then.
    pub name: String,
}

impl Actor {
    /// The person, in their browser or by a program.
    pub fn account(&self) -> Option<AccountId> {
        match self {
            Self::Account(id) => Some(*id),
            Self::Program(program) => Some(program.account_id),
            Self::Client(_) | Self::Operator | Self::Server => None,
        }
    }

    /// The token, where it was a program.
    pub fn token(&self) -> Option<&UsedToken> {
        match self {
            Self::Program(program) => Some(&program.token),
            _ => None,
        }
    }
}

/// What every audited store operation is told beside its own facts; the operation itself knows what happened.
#[derive(Clone, Debug)]
pub struct Audit {
    /// The event's row id, made beforehand so that a retried statement writes it once.
    pub id: AuditEventId,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// From where.
    pub origin: Origin,
}

impl AuditEventId {
    /// What is not after this was made in that millisecond at the latest.
    pub fn last_of(at: Timestamp) -> Self {
        let milliseconds = u128::try_from(at.timestamp_millis()).unwrap_or(0);
        Self(Uuid::from_u128(milliseconds << 80 | u128::MAX >> 48))
    }

    /// When it was made (RFC 9562 §5.7).
    pub fn time(self) -> Timestamp {
        let milliseconds = i64::try_from(self.0.as_u128() >> 80).unwrap_or(i64::MAX);
        Timestamp::from_timestamp_millis(milliseconds).unwrap_or(Timestamp::MAX_UTC)
    }
}

/// Where something came from; empty for what nobody asked for over the network.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// The peer's network address.
    pub address: Option<String>,
    /// The id of the request, by which the log and the answer name it too.
    pub request: Option<String>,
}

/// The rows an event is about, for looking it up later.
#[derive(Clone, Copy, Debug, Default)]
pub struct Subjects {
    /// The account concerned.
    pub account_id: Option<AccountId>,
    /// The client concerned.
    pub client_id: Option<ClientId>,
    /// The plugin concerned.
    pub plugin_id: Option<PluginId>,
}

impl Subjects {
    /// A plugin, and nobody in particular.
    pub fn of_plugin(plugin: PluginId) -> Self {
        Self { plugin_id: Some(plugin), ..Self::default() }
    }
}
