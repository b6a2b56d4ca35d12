//! Registry: what owners, and the operator, change about plugins and their clients. One function per change.
//!
//! The command line, the console and the owners' API call the same functions, so that they end in the same state and
//! say the same of what is wrong. Whether somebody may touch a plugin at all is known before anything here is called.

pub mod access;
pub mod clients;
pub mod keys;
pub mod log;
pub mod owner_tokens;
pub mod owners;
pub mod people;
pub mod plugin_secrets;
pub mod plugins;
pub mod resealing;
pub mod reviewer;
pub mod scopes;
pub mod verification;
pub mod webhooks;

use crate::{
    clock::Clock,
    keys::KeyError,
    model::{
        Timestamp,
        audit::{Actor, Audit, Origin},
        id::AuditEventId,
        plugin::Host,
        public_url,
        rotator::Rotator,
    },
    passwords::PasswordError,
    random,
    store::{Store, StoreError},
};

/// Where changes are made, and by whom.
#[derive(Clone, Debug)]
pub struct Registry<'a> {
    /// What is remembered.
    pub store: &'a Store,
    /// The time.
    pub clock: &'a Clock,
    /// The issuer; none on a command line that was not told it.
    pub issuer: Option<&'a str>,
    /// The host of the public URL and its scheme, as far as known.
    pub public: Option<(&'a Host, &'static str)>,
    /// Whether clients that send people somewhere may be registered by hand (`clients_by_hand`).
    pub clients_by_hand: bool,
    /// Who can make new versions of API keys.
    pub rotators: &'a [Rotator],
    /// Whether they may do what concerns the whole server, as the operator and administrators may.
    pub is_trusted: bool,
    /// Who makes the change.
    pub actor: Actor,
    /// From where.
    pub origin: Origin,
}

impl Registry<'_> {
    /// The audit of a change that is made now.
    pub fn audit(&self, at: Timestamp) -> Audit {
        Audit { id: AuditEventId(random::id(at)), at, actor: self.actor.clone(), origin: self.origin.clone() }
    }

    /// The scheme people most likely reach a host with.
    pub fn scheme(&self, host: &Host) -> &'static str {
        public_url::schemes(host, self.public).0
    }
}

/// What is wrong with one thing that was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// The field's name: what a form calls it, and a flag without its hyphens.
    pub field: &'static str,
    /// What is wrong with it, and what to write instead: a sentence without its full stop.
    pub problem: String,
}

impl Wrong {
    /// What people call the field; nothing where the problem says it all.
    pub fn label(&self) -> Option<String> {
        let words = match self.field {
            "other" => return None,
            "accent_color" => "colour",
            "prefix" => "word before the key",
            "rotate_every" => "when it is to be replaced",
            "rotator" => "who makes new keys",
            "routes" => "requests it goes into",
            "value" => "key",
            "api_address" => "address of the API",
            "contact_email" => "contact",
            "legal_info_url" => "terms and privacy",
            "logo_url" => "logo",
            "openapi" | "openapi_url" => "description of the API",
            field => &field.replace('_', " "),
        };
        words.chars().next().map(|first| first.to_uppercase().chain(words.chars().skip(1)).collect())
    }

    /// Says what is wrong with a field.
    pub fn new(field: &'static str, problem: impl Into<String>) -> Self {
        Self { field, problem: problem.into() }
    }
}

/// Whether somebody may touch what goes to a plugin's API in everybody's stead: its API keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// A person has shown lately that it is them, or a program shows a token that is good for API keys.
    Shown,
    /// Neither.
    Missing,
}

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// What was given is not good; everything that is wrong with it.
    #[error("{}", .0.iter().map(|wrong| format!("{}: {}", wrong.field, wrong.problem)).collect::<Vec<_>>().join("; "))]
    Wrong(Vec<Wrong>),
    /// It is not there, or not there any more.
    #[error("there is no such thing")]
    Gone,
    /// Somebody else has changed it since it was read.
    #[error("it was changed meanwhile")]
    ChangedMeanwhile,
    /// API keys would go elsewhere, by somebody who has not shown that they may say so.
    #[error("API keys go there: who moves them shows first that it is them")]
    Unproven,
    /// A password could not be hashed for now.
    #[error(transparent)]
    Password(#[from] PasswordError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What is to be kept sealed cannot be sealed.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl From<Wrong> for RegistryError {
    fn from(wrong: Wrong) -> Self {
        Self::Wrong(vec![wrong])
    }
}

/// The outcome of a change.
pub type RegistryResult<T> = Result<T, RegistryError>;
