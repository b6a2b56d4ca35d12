//! An owner at work, in their browser (`console::entry`) or by a program of theirs (`api::caller`): what of the plugins
//! is theirs, and where they change it. Both ask here, so that neither lets in whom the other does not.
//!
//! Who they are was found out before. `examination` is the doctor's look at what is theirs, `attempts` what is known of an
//! attempt to connect.

pub(super) mod attempts;
pub(super) mod examination;

use actix_web::HttpRequest;

use crate::{
    http::oauth::caller,
    model::{
        account::{Account, Role},
        audit::Actor,
        client::Client,
        plugin::{Plugin, Viewer},
    },
    registry::Registry,
    server::Server,
    store::StoreResult,
};

/// The longest short name of a plugin that is looked for.
const SLUG_LENGTH_MAX: usize = 64;

/// Who is at work, and what they have asked for.
pub(super) struct Owner<'a> {
    pub(super) server: &'a Server,
    pub(super) request: &'a HttpRequest,
    pub(super) account: &'a Account,
    /// Who the log says it was.
    pub(super) actor: Actor,
}

impl<'a> Owner<'a> {
    /// Whose eyes look.
    pub(super) fn viewer(&self) -> Viewer {
        match self.account.role {
            Role::Admin => Viewer::Administrator,
            Role::Owner | Role::Person => Viewer::Owner(self.account.id),
        }
    }

    /// Whether they may register a plugin.
    pub(super) fn may_register(&self) -> bool {
        matches!(self.account.role, Role::Owner | Role::Admin)
    }

    /// The plugin of the address, if it is theirs to see: somebody else's is as if it were not there.
    pub(super) async fn plugin(&self) -> StoreResult<Option<Plugin>> {
        let slug = self.named("slug");
        if slug.len() > SLUG_LENGTH_MAX {
            return Ok(None);
        }
        self.server.store.plugin_seen_by(self.viewer(), slug).await
    }

    /// The client that stands in the address under this name, if it is the plugin's.
    pub(super) async fn client(&self, plugin: &Plugin, name: &str) -> StoreResult<Option<Client>> {
        let found = self.server.store.client(self.named(name), self.server.clock.now()).await?;
        Ok(found.filter(|client| client.plugin_id() == Some(plugin.id)))
    }

    /// What stands in the address in the place of a name.
    pub(super) fn named(&self, name: &str) -> &'a str {
        self.request.match_info().get(name).unwrap_or_default()
    }

    /// Where they change things.
    pub(super) fn registry(&self) -> Registry<'a> {
        let settings = &self.server.settings;
        Registry {
            store: &self.server.store,
            clock: &self.server.clock,
            issuer: Some(&settings.issuer),
            public: Some((&settings.host, settings.scheme())),
            clients_by_hand: settings.clients_by_hand,
            rotators: self.server.rotators.all(),
            is_trusted: self.account.role == Role::Admin,
            actor: self.actor.clone(),
            origin: caller::origin(self.request),
        }
    }
}
