//! Pairwise subjects (OpenID Connect Core §8.1): each plugin knows a person under a name of its own.

use crate::model::{id::AccountId, plugin::SubjectSalt};

/// The `sub` under which a plugin's API knows an account: the same for ever, and of no use to any other plugin.
pub fn pairwise(salt: &SubjectSalt, account: AccountId) -> String {
    salt.subject_of(account)
}
