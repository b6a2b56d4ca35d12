//! Pairwise subjects (OpenID Connect Core §8.1): each plugin knows a person under a name of its own.

use super::encode;
use crate::model::{digest::Digest, id::AccountId, plugin::SubjectSalt};

/// The `sub` under which a plugin's API knows an account: the same for ever, and of no use to any other plugin.
pub fn pairwise(salt: &SubjectSalt, account: AccountId) -> String {
    let bytes = [b"consentry pairwise subject v1".as_slice(), &salt.0, account.0.as_bytes()].concat();
    encode(&Digest::of(bytes).0[..20])
}
