//! Looks at plugins' public addresses that nobody asked for: made when they are due, and told to the plugin's owners
//! where they bring news (`owners`).

use super::{Server, people::letters::Case};
use crate::{
    keys::KeyError,
    model::{id::PluginId, verification::News},
    outbound::Outbound,
    registry::{
        Registry, RegistryError,
        verification::{Verified, as_good, keep, look},
    },
    store::StoreError,
};

/// Why a look came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum LookError {
    /// It could not be made, or not be kept.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The owners cannot be told.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl From<LookError> for RegistryError {
    fn from(error: LookError) -> Self {
        match error {
            LookError::Registry(error) => error,
            LookError::Key(error) => error.into(),
        }
    }
}

impl From<StoreError> for LookError {
    fn from(error: StoreError) -> Self {
        Self::Registry(error.into())
    }
}

impl Server {
    /// Looks at a plugin's public address, keeps what that means, and tells its owners if it is news.
    pub async fn look_at(&self, plugin: PluginId) -> Result<Verified, LookError> {
        self.look_and_tell(&self.registry(), &self.verifier, plugin).await
    }

    /// The same for an owner who asked, and who sees what came of it: the others are told. Somebody else's look that was
    /// kept meanwhile is as good.
    pub async fn look_for(&self, registry: &Registry<'_>, plugin: PluginId) -> Result<Verified, LookError> {
        let began = self.clock.now();
        match self.look_and_tell(registry, &self.for_owners, plugin).await {
            Err(LookError::Registry(RegistryError::ChangedMeanwhile)) => Ok(as_good(registry, plugin, began).await?),
            looked => looked,
        }
    }

    async fn look_and_tell(
        &self,
        registry: &Registry<'_>,
        outbound: &Outbound,
        plugin: PluginId,
    ) -> Result<Verified, LookError> {
        let looked = look(registry, outbound, plugin).await?;
        let tell = |case| self.mails_to_owners::<LookError>(&looked.plugin, (case, ""), &registry.actor);
        let mails = match looked.news {
            Some(News::Broken) => tell(Case::PluginBroken).await?,
            Some(News::Mended) => tell(Case::PluginMended).await?,
            None => Vec::new(),
        };
        Ok(keep(registry, looked, mails).await?)
    }
}
