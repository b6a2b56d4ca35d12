//! The account with which reviewers of an assistant's vendor look at a plugin: a name and a password, no second factor,
//! this one plugin, and an end.

use chrono::TimeDelta;

use super::{Registry, RegistryError, RegistryResult, Wrong};
use crate::{
    model::{Timestamp, id::AccountId, plugin::Plugin},
    passwords::Passwords,
    random,
    store::reviewers::{NewReviewer, PutReviewer, Reviewer},
};

/// How many days it lasts unless somebody says otherwise.
pub const DAYS: i64 = 30;

/// And at most, from the day on which that is said.
pub const DAYS_MAX: i64 = 180;

/// Of what a password is made: nothing that is taken for something else when it is typed from paper.
const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz23456789-";

/// An account as its owner hands it on; the password is told this once.
pub struct Made {
    /// The account.
    pub reviewer: Reviewer,
    /// Its password.
    pub password: String,
}

/// The plugin's account, if it has had one.
///
/// # Errors
///
/// The store's.
pub async fn find(registry: &Registry<'_>, plugin: &Plugin) -> RegistryResult<Option<Reviewer>> {
    Ok(registry.store.reviewer_of(plugin.id).await?)
}

/// Makes it, or gives it a new password.
///
/// # Errors
///
/// [`RegistryError::Wrong`] of the field `days`, also where the account is disabled.
pub async fn make(registry: &Registry<'_>, passwords: &Passwords, plugin: &Plugin, days: &str) -> RegistryResult<Made> {
    let at = registry.clock.now();
    let ends_at = end(at, days)?;
    let text =
        |bytes: &[u8]| -> String { bytes.iter().map(|byte| char::from(LETTERS[usize::from(byte % 32)])).collect() };
    // 120 bits: whatever the rules for people's own passwords say, nobody guesses it.
    let password = text(&random::bytes::<24>()).replace('-', "x");
    let address = format!("reviewer-{}@reviewers.invalid", text(&random::bytes::<8>()).replace('-', "x"));
    let new = NewReviewer {
        id: AccountId(random::id(at)),
        plugin_id: plugin.id,
        // A name that never leads to a mailbox (RFC 2606).
        email: address.parse().map_err(|_| RegistryError::Gone)?,
        name: "Reviewer".to_owned(),
        password_hash: passwords.hash(&password).await?,
        ends_at,
    };
    match registry.store.put_reviewer(&new, &registry.audit(at)).await? {
        PutReviewer::Done(reviewer) => Ok(Made { reviewer, password }),
        PutReviewer::IsDisabled => {
            Err(Wrong::new("days", "an administrator has disabled this account; ask them to enable it first").into())
        }
    }
}

/// Lets it last so many days from now.
///
/// # Errors
///
/// [`RegistryError::Wrong`] of the field `days`; [`RegistryError::Gone`] where none stands.
pub async fn prolong(registry: &Registry<'_>, plugin: &Plugin, days: &str) -> RegistryResult<()> {
    let at = registry.clock.now();
    let done = registry.store.prolong_reviewer(plugin.id, end(at, days)?, &registry.audit(at)).await?;
    if done { Ok(()) } else { Err(RegistryError::Gone) }
}

/// Ends it now, with its sessions and connections.
///
/// # Errors
///
/// [`RegistryError::Gone`] where none stands.
pub async fn finish(registry: &Registry<'_>, plugin: &Plugin) -> RegistryResult<()> {
    let done = registry.store.end_reviewer(plugin.id, &registry.audit(registry.clock.now())).await?;
    if done { Ok(()) } else { Err(RegistryError::Gone) }
}

fn end(at: Timestamp, days: &str) -> RegistryResult<Timestamp> {
    let days = days.trim().parse().ok().filter(|days| (1..=DAYS_MAX).contains(days));
    let wrong = || Wrong::new("days", format!("write a number of days from 1 to {DAYS_MAX}"));
    Ok(at + TimeDelta::days(days.ok_or_else(wrong)?))
}
