//! Operations on the table of working keys.

use super::{Store, StoreResult, on_either_engine};
use crate::model::{audit::Audit, key::WrappedKey};

impl Store {
    /// All working keys that are not gone.
    pub async fn working_keys(&self) -> StoreResult<Vec<WrappedKey>> {
        on_either_engine!(self, engine => engine.working_keys())
    }

    /// Adds active keys, each only if its purpose has no active key yet: several nodes may start at once, and one
    /// of them wins per purpose. Read the table again afterwards. An audit event is written when any was added.
    pub async fn add_first_keys(&self, keys: &[WrappedKey], audit: &Audit) -> StoreResult<()> {
        on_either_engine!(self, engine => engine.add_first_keys(keys, audit))
    }
}
