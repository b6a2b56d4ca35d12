//! Try-outs: an owner connects to their own plugin as a caller would, by a client that is there for this one time. It has
//! an end of its own, so that one whose owner went away in the middle is no burden to anybody. Until then it can be disabled
//! and deleted, and nothing else about it changes.

use chrono::TimeDelta;

use super::{Read, Registry, RegistryResult, add, callbacks::Callbacks};
use crate::{
    model::{Timestamp, client::Dialect, plugin::Plugin, redirect_uri::RedirectUri},
    store::clients::NewClient,
    tokens::secret::SecretText,
};

/// What the person reads who is asked for consent, who is the owner.
const NAME: &str = "Your own try-out";

/// How long its client is there at the most; it is deleted when the try-out has come to its end.
pub const LIFETIME_MAX: TimeDelta = TimeDelta::hours(1);

/// Registers a client for one try-out. That clients by hand are not wanted here is no hindrance: this one sends people
/// nowhere but back to this server, and cannot be made to.
pub async fn begin(
    registry: &Registry<'_>,
    plugin: &Plugin,
    dialect: Dialect,
    (callback, ends_at): (RedirectUri, Timestamp),
) -> RegistryResult<(NewClient, Option<SecretText>)> {
    let read = Read {
        dialect,
        name: NAME.to_owned(),
        callbacks: Callbacks { uris: vec![callback], twins: Vec::new() },
        scopes: plugin.scopes.names(),
        keys: None,
    };
    add(registry, plugin, read, Some(ends_at)).await
}
