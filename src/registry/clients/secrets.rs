//! Secrets of clients: made, shown once, renewed with two valid at the same time, ended.

use chrono::TimeDelta;

use super::{Registry, RegistryError, RegistryResult, Wrong, find_to_change};
use crate::{
    model::{
        Timestamp,
        client::{Client, ClientSecret},
        id::ClientSecretId,
    },
    random,
    store::client_changes::{EndSecret, RotateSecret, SecretRotation},
    tokens::secret::{CLIENT_SECRET, SecretText},
};

/// The longest that an old secret stays valid beside a new one.
const KEPT_MAX: TimeDelta = TimeDelta::days(30);

/// A secret that was made just now.
#[derive(Debug)]
pub struct Rotated {
    /// The client as it is now.
    pub client: Client,
    /// The new secret: shown this once.
    pub secret: SecretText,
    /// When the one before ends, unless it ends before.
    pub old_expires_at: Timestamp,
}

/// A secret just made: its text, and what is kept of it.
pub fn new_secret(at: Timestamp) -> (SecretText, ClientSecret) {
    let text = SecretText::new(CLIENT_SECRET, random::bytes());
    let id = ClientSecretId(random::id(at));
    let kept = ClientSecret { id, digest: text.digest(), created_at: at, expires_at: None, last_used_at: None };
    (text, kept)
}

/// Gives a client a new secret. The one before stays valid for so long, so that it can be replaced everywhere; `seen` is
/// the one before as whoever asks knows it.
///
/// # Errors
///
/// [`RegistryError::Wrong`] for a client without secrets, or a time that is too long; [`RegistryError::Gone`];
/// [`RegistryError::ChangedMeanwhile`] where another one is the newest.
pub async fn rotate(
    registry: &Registry<'_>,
    client_id: &str,
    keep_old: TimeDelta,
    seen: Option<ClientSecretId>,
) -> RegistryResult<Rotated> {
    if keep_old < TimeDelta::zero() || keep_old > KEPT_MAX {
        return Err(Wrong::new("keep_old", format!("choose at most {} days", KEPT_MAX.num_days())).into());
    }
    find_to_change(registry, client_id).await?;
    let at = registry.clock.now();
    let (secret, kept) = new_secret(at);
    let old_expires_at = at + keep_old;
    let rotation = SecretRotation { client_id: client_id.to_owned(), secret: kept, old_expires_at, seen };
    match registry.store.rotate_secret(&rotation, &registry.audit(at)).await? {
        RotateSecret::Rotated(client) => Ok(Rotated { client: *client, secret, old_expires_at }),
        RotateSecret::Unknown => Err(RegistryError::Gone),
        RotateSecret::ChangedMeanwhile => Err(RegistryError::ChangedMeanwhile),
        RotateSecret::HasNoSecret => {
            let problem = format!("the client {client_id} authenticates without a secret, so there is none to rotate");
            Err(Wrong::new("other", problem).into())
        }
    }
}

/// Ends a secret now, if the client is left with one that has no end.
///
/// # Errors
///
/// [`RegistryError::Wrong`] for a secret that is not valid any more, or is the last one; [`RegistryError::Gone`].
pub async fn end(registry: &Registry<'_>, client_id: &str, secret: ClientSecretId) -> RegistryResult<Client> {
    find_to_change(registry, client_id).await?;
    match registry.store.end_secret(client_id, secret, &registry.audit(registry.clock.now())).await? {
        EndSecret::Ended(client) => Ok(*client),
        EndSecret::Unknown => Err(RegistryError::Gone),
        EndSecret::NoSuchSecret => {
            Err(Wrong::new("secret", "the client has no such secret, or it is no longer valid").into())
        }
        EndSecret::IsTheLast => {
            let problem =
                "without it the client would be left with none; give it a new one first, or disable the client";
            Err(Wrong::new("secret", problem).into())
        }
    }
}
