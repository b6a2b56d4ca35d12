//! Row ids: UUID v7, so that keys are inserted in time order. Names, never capabilities.
//!
//! Made in `random.rs`; bound by the store as the engine's native type.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! ids {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl std::fmt::Display for $name {
            fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                self.0.fmt(out)
            }
        }
    )+};
}

ids! {
    /// A person who can sign in.
    AccountId,
    /// A registered plugin: one API and its manifest.
    PluginId,
    /// A registered client's row; what the wire calls `client_id` is text of its own.
    ClientId,
    /// One client secret of a client.
    ClientSecretId,
    /// What one account allows one client at one resource.
    ConsentId,
    /// An authorization code and, once it is redeemed, the token family born from it.
    FamilyId,
    /// A browser session.
    SessionId,
    /// What a token can be for: one API, or one of its endpoints.
    ResourceId,
    /// A one-time link; what stands in it is a secret of its own.
    LinkId,
    /// A passkey of an account.
    PasskeyId,
    /// People of this server under one name.
    GroupId,
    /// A browser that is remembered.
    DeviceId,
    /// A mail that waits to be sent.
    MailId,
    /// Somebody at a provider, linked with an account.
    IdentityId,
    /// A token of an owner's program.
    OwnerTokenId,
    /// One line of the audit log.
    AuditEventId,
    /// An API key of a plugin's, through all its versions.
    SecretId,
    /// One version of it.
    SecretVersionId,
}
