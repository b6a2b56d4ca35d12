//! Looks at plugins' public addresses that nobody asked for: made when they are due, and told to the plugin's owners
//! where they bring news.

use super::{
    Server,
    people::letters::{Case, Facts, write_about},
};
use crate::{
    keys::KeyError,
    model::{audit::Actor, id::PluginId, plugin::Plugin, verification::News},
    outbound::Outbound,
    registry::{
        Registry, RegistryError,
        verification::{Verified, as_good, keep, look},
    },
    server::mails::NEWS_LIFETIME,
    store::{StoreError, mails::NewMail},
};

/// The most owners of one plugin that are told.
const TOLD_MAX: usize = 20;

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
        let registry = Registry {
            store: &self.store,
            clock: &self.clock,
            issuer: Some(&self.settings.issuer),
            public: Some((&self.settings.host, self.settings.scheme())),
            clients_by_hand: false,
            is_trusted: false,
            actor: Actor::Server,
            address: None,
        };
        self.look_and_tell(&registry, &self.verifier, plugin).await
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
        let mails = match looked.news {
            Some(news) => self.mails_of(&looked.plugin, news, &registry.actor).await?,
            None => Vec::new(),
        };
        Ok(keep(registry, looked, mails).await?)
    }

    async fn mails_of(&self, plugin: &Plugin, news: News, asked: &Actor) -> Result<Vec<NewMail>, LookError> {
        if !self.mails.mailer().is_on() {
            return Ok(Vec::new());
        }
        let case = match news {
            News::Broken => Case::PluginBroken,
            News::Mended => Case::PluginMended,
        };
        let expires_at = self.clock.now() + NEWS_LIFETIME;
        let mut mails = Vec::new();
        let owners = self.store.owners(plugin.id).await?.into_iter();
        for owner in owners.filter(|owner| *asked != Actor::Account(owner.account_id)).take(TOLD_MAX) {
            // Nobody is written to at an address that is not known to be theirs.
            let account = self.store.account(owner.account_id).await?.map(|(account, _)| account);
            let Some(account) = account.filter(|account| account.email_verified_at.is_some()) else { continue };
            let facts = Facts {
                server: &self.settings.server_name,
                to: account.email.as_str(),
                link: None,
                language: account.language.as_deref(),
            };
            let letter = write_about(plugin.host.as_str(), case, &facts);
            mails.extend(self.mail(&letter, Some(account.id), expires_at)?);
        }
        Ok(mails)
    }
}
