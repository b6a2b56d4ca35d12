//! Who is connected to a plugin: disconnected one by one, or all at once.
//!
//! An owner learns of a person what their API learns: the pairwise subject, and what is allowed to which client. Names
//! and addresses are for administrators and the operator; nobody has shared them with the owner.

use super::{Registry, RegistryError, RegistryResult};
use crate::{
    model::{
        id::{AccountId, ConsentId},
        plugin::Plugin,
    },
    store::{owners::Page, plugin_people::ConnectedPerson},
    tokens::subject,
};

/// How many are looked at in one statement where somebody is looked for.
const BATCH: u32 = 500;

/// The name under which the plugin's API knows somebody.
pub fn subject_of(plugin: &Plugin, account: AccountId) -> String {
    subject::pairwise(&plugin.subject_salt, account)
}

/// Takes one consent back, with what stands on it.
///
/// # Errors
///
/// [`RegistryError::Gone`] when it is none of the plugin's, or does not hold.
pub async fn disconnect(registry: &Registry<'_>, plugin: &Plugin, consent: ConsentId) -> RegistryResult<()> {
    let audit = registry.audit(registry.clock.now());
    let done = registry.store.disconnect_person(plugin.id, consent, &audit).await?;
    if done { Ok(()) } else { Err(RegistryError::Gone) }
}

/// Takes everybody's consent back, with what stands on them.
///
/// # Errors
///
/// The store's.
pub async fn disconnect_everybody(registry: &Registry<'_>, plugin: &Plugin) -> RegistryResult<()> {
    let audit = registry.audit(registry.clock.now());
    Ok(registry.store.disconnect_everybody(plugin.id, &audit).await?)
}

/// All that a person allows at a plugin, found by their subject. A subject cannot be turned back, so everybody is
/// looked at, in batches: for the command line, where somebody waits who knows why.
///
/// # Errors
///
/// The store's.
pub async fn find(registry: &Registry<'_>, plugin: &Plugin, subject: &str) -> RegistryResult<Vec<ConnectedPerson>> {
    let mut found = Vec::new();
    for resource in registry.store.identifiers_of(plugin.id).await? {
        let mut before = None;
        loop {
            let page = Page { before, rows_max: BATCH };
            let people = registry.store.people_of(plugin.id, &resource, page).await?;
            before = people.last().map(|person| person.consent_id);
            let is_last = people.len() < BATCH as usize;
            found.extend(people.into_iter().filter(|person| subject_of(plugin, person.account_id) == subject));
            if is_last {
                break;
            }
        }
    }
    Ok(found)
}
