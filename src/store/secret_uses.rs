//! Operations on plugins' secrets as they are used: what goes into requests, sealed as it is kept, and when it last did.
//!
//! `plugin_secrets` is how they are put away; `server::injection` opens them.

use super::{Store, StoreResult, on_either_engine};
use crate::model::{
    Timestamp,
    audit::Audit,
    id::{PluginId, SecretId},
    plugin_secret::{Injection, SecretName, SecretRoute},
};

/// A secret as it goes into requests.
#[derive(Clone, Debug)]
pub struct InjectableSecret {
    /// Row id.
    pub id: SecretId,
    /// What its owners call it.
    pub name: SecretName,
    /// How it goes into a request.
    pub injection: Injection,
    /// Where.
    pub routes: Vec<SecretRoute>,
    /// The newest version.
    pub number: i64,
    /// When that was last used.
    pub last_used_at: Option<Timestamp>,
    /// Its value, sealed.
    pub sealed: Vec<u8>,
}

/// A version was used.
#[derive(Clone, Copy, Debug)]
pub struct SecretVersionUse {
    /// Of which secret.
    pub secret_id: SecretId,
    /// Which version.
    pub number: i64,
    /// When.
    pub at: Timestamp,
    /// It is not kept where a use after this is.
    pub unless_after: Timestamp,
}

impl Store {
    /// What may go into requests to a plugin's API.
    pub async fn injectable_secrets(&self, plugin: PluginId) -> StoreResult<Vec<InjectableSecret>> {
        on_either_engine!(self, engine => engine.injectable_secrets(plugin))
    }

    /// Keeps when versions were last used, and tells of the first time. `audit` makes an event of its own for each.
    pub async fn note_secret_version_uses(
        &self,
        uses: &[SecretVersionUse],
        audit: &(dyn Fn() -> Audit + Send + Sync),
    ) -> StoreResult<()> {
        on_either_engine!(self, engine => engine.note_secret_version_uses(uses, audit))
    }
}
