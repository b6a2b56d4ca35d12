//! What the owners of a plugin are told by mail because something happened to it: the letters are `people::letters`', and
//! whoever finds out what happened keeps the mails in the same step (`verifications`, `webhooks`).

use super::{
    Server,
    mails::NEWS_LIFETIME,
    people::letters::{About, Case, Facts, write_about},
};
use crate::{
    keys::KeyError,
    model::{audit::Actor, plugin::Plugin},
    store::{StoreError, mails::NewMail},
};

/// The most owners of one plugin that are told.
const TOLD_MAX: usize = 20;

impl Server {
    /// The mails that tell each owner of a plugin but whoever it was, if mail is sent.
    pub(super) async fn mails_to_owners<E>(
        &self,
        plugin: &Plugin,
        (case, key): (Case, &str),
        who: &Actor,
    ) -> Result<Vec<NewMail>, E>
    where
        E: From<StoreError> + From<KeyError>,
    {
        if !self.mails.mailer().is_on() {
            return Ok(Vec::new());
        }
        let expires_at = self.clock.now() + NEWS_LIFETIME;
        let mut mails = Vec::new();
        let owners = self.store.owners(plugin.id).await?.into_iter();
        for owner in owners.filter(|owner| who.account() != Some(owner.account_id)).take(TOLD_MAX) {
            // Nobody is written to at an address that is not known to be theirs.
            let account = self.store.account(owner.account_id).await?.map(|(account, _)| account);
            let Some(account) = account.filter(|account| account.email_verified_at.is_some()) else { continue };
            let facts = Facts {
                server: &self.settings.server_name,
                to: account.email.as_str(),
                link: None,
                language: account.language.as_deref(),
            };
            let letter = write_about(About { host: plugin.host.as_str(), key }, case, &facts);
            mails.extend(self.mail(&letter, Some(account.id), expires_at)?);
        }
        Ok(mails)
    }
}
