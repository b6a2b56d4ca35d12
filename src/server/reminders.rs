//! Telling owners that an API key of theirs is due for a new version, or late. `jobs::due_secrets` looks which.

use super::{Server, people::letters::Case};
use crate::{
    model::{
        audit::{Actor, Origin},
        plugin_secret::Notice,
    },
    registry::RegistryError,
    store::due_secrets::{DueSecret, DueTelling},
};

impl Server {
    /// Tells the owners of one, by mail where mail is sent, and the log where it is late. `false` where another node was
    /// faster, or it is not due any more.
    pub async fn remind(&self, secret: DueSecret, notice: Notice) -> Result<bool, RegistryError> {
        let Some(plugin) = self.store.plugin(secret.plugin_id).await? else { return Ok(false) };
        let case = match notice {
            Notice::Soon => Case::ApiKeyDue,
            Notice::Overdue => Case::ApiKeyOverdue,
        };
        let (name, slug) = (secret.name.clone(), plugin.slug.as_str());
        let mails = self.mails_to_owners::<RegistryError>(&plugin, (case, name.as_str()), &Actor::Server).await?;
        let is_overdue = notice == Notice::Overdue;
        let telling = DueTelling { secret, is_overdue, mails };
        let told = self.store.tell_of_due_secret(&telling, &self.audit(Actor::Server, Origin::default())).await?;
        if told && is_overdue {
            tracing::warn!(secret.name = %name, plugin.slug = slug, "an API key is overdue for a new version");
        }
        Ok(told)
    }
}
