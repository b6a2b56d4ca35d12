//! Who owns a plugin: added, removed, leaving. Handing over is inviting somebody, and leaving once they are there.

use super::{Registry, RegistryError, RegistryResult, Wrong};
use crate::{
    model::{
        account::Email,
        id::{AccountId, PluginId},
    },
    store::owners::RemoveOwner,
};

/// Makes the account of an address an owner, without asking; whether it was none before. For who is trusted with
/// everything: whether the address has an account is told.
///
/// # Errors
///
/// [`RegistryError::Wrong`] with what is wrong with the address; [`RegistryError::Gone`] for who may not.
pub async fn add(registry: &Registry<'_>, plugin: PluginId, email: &str) -> RegistryResult<bool> {
    if !registry.is_trusted {
        return Err(RegistryError::Gone);
    }
    let email = address(email)?;
    let Some((account, _)) = registry.store.account_by_email(&email).await? else {
        return Err(Wrong::new("email", "nobody has an account with this address; they make one first").into());
    };
    if account.reviews.is_some() {
        return Err(Wrong::new("email", "it is a reviewer's account, which owns nothing").into());
    }
    let audit = registry.audit(registry.clock.now());
    Ok(registry.store.add_owner(plugin, account.id, &audit).await?)
}

/// Takes an owner away, who may be whoever asks: leaving is the same.
///
/// # Errors
///
/// [`RegistryError::Wrong`] where there would be none left; [`RegistryError::Gone`] where they are none.
pub async fn remove(registry: &Registry<'_>, plugin: PluginId, owner: AccountId) -> RegistryResult<()> {
    let audit = registry.audit(registry.clock.now());
    match registry.store.remove_owner(plugin, owner, &audit).await? {
        RemoveOwner::Removed => Ok(()),
        RemoveOwner::WasNone => Err(RegistryError::Gone),
        RemoveOwner::IsTheLast => {
            let problem = "they are the last owner; invite somebody else, who has to accept, and remove them then";
            Err(Wrong::new("email", problem).into())
        }
    }
}

/// Takes an invitation back, or declines it.
///
/// # Errors
///
/// [`RegistryError::Gone`] where none stands.
pub async fn end_invitation(registry: &Registry<'_>, plugin: PluginId, email: &Email) -> RegistryResult<()> {
    let audit = registry.audit(registry.clock.now());
    let ended = registry.store.end_invitation(plugin, email, &audit).await?;
    if ended { Ok(()) } else { Err(RegistryError::Gone) }
}

/// Accepts an invitation to one's own address.
///
/// # Errors
///
/// [`RegistryError::Gone`] where none stands, or the address was not shown to be theirs.
pub async fn accept(registry: &Registry<'_>, plugin: PluginId, account: AccountId) -> RegistryResult<()> {
    let audit = registry.audit(registry.clock.now());
    let accepted = registry.store.accept_invitation(plugin, account, &audit).await?;
    if accepted { Ok(()) } else { Err(RegistryError::Gone) }
}

/// Reads an address.
///
/// # Errors
///
/// [`RegistryError::Wrong`] of the field `email`.
pub fn address(text: &str) -> RegistryResult<Email> {
    let wrong = |_| Wrong::new("email", "it is not an e-mail address; write it as name@example.com");
    Ok(text.parse().map_err(wrong)?)
}
