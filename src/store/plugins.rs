//! Operations on plugins and their documents.

use super::{Store, StoreResult, changing, on_either_engine};
use crate::model::{
    Timestamp,
    audit::Audit,
    gate::RouteTable,
    id::{AccountId, PluginId},
    plugin::{Document, DocumentKind, Host, Plugin},
};

/// A plugin to be imported: made when its slug is new, otherwise changed.
#[derive(Clone, Debug)]
pub struct PluginImport {
    /// The plugin as it shall be. When the slug is known, its row keeps `id` and `subject_salt` (a person must not
    /// become a stranger to the API), its catalogue is extended by [`Catalogue::put`], and it keeps its verification
    /// tokens where this names none. It keeps its state too, unless what is published changes or moves.
    ///
    /// [`Catalogue::put`]: crate::model::scope::Catalogue::put
    pub plugin: Plugin,
    /// Files to be kept with it; a kind that is not among them stays as it was.
    pub documents: Vec<Document>,
    /// What is there now, as far as whoever imports it knows.
    pub known: Known,
    /// Whether it may be given another host where API keys go to it: they would go there too.
    pub moves_keys: bool,
    /// When.
    pub at: Timestamp,
}

impl PluginImport {
    /// An import by the operator, who knows nothing of what is there and may do everything.
    pub fn of(plugin: Plugin, documents: Vec<Document>, at: Timestamp) -> Self {
        Self { plugin, documents, known: Known::Nothing, moves_keys: true, at }
    }
}

/// What somebody knows of the plugin they import.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// Nothing: what is there is changed, whatever it is. For the operator, who has all names before them.
    Nothing,
    /// That there is none of that slug; it is to be this account's, if one is named.
    New(Option<AccountId>),
    /// That it is at this version.
    Version(i64),
}

/// What became of an import.
#[derive(Clone, Debug)]
pub enum ImportPlugin {
    /// A new plugin; as it was kept.
    Created(Plugin),
    /// A known plugin, changed; as it is now.
    Updated(Plugin),
    /// Another plugin has that host.
    HostTaken {
        /// Whose it is.
        slug: String,
    },
    /// The plugin's resource is another plugin's.
    ResourceTaken {
        /// Whose it is.
        slug: String,
    },
    /// It was to be new, and there is one of that slug.
    SlugTaken,
    /// It is not at that version any more, or not there.
    ChangedMeanwhile,
    /// API keys would go to another host with it, which it may not be given.
    KeysWouldMove,
    /// The catalogue would have more than [`CATALOGUE_MAX`] scopes.
    ///
    /// [`CATALOGUE_MAX`]: crate::model::scope::CATALOGUE_MAX
    CatalogueFull,
}

impl Store {
    /// Makes or changes a plugin.
    pub async fn import_plugin(&self, import: &PluginImport, audit: &Audit) -> StoreResult<ImportPlugin> {
        changing!(self, engine => engine.import_plugin(import, audit))
    }

    /// Says which requests go on to a plugin's API; none for those of its description. `false` if there is no such plugin.
    pub async fn set_routes(&self, plugin: PluginId, routes: Option<&RouteTable>, audit: &Audit) -> StoreResult<bool> {
        changing!(self, engine => engine.set_routes(plugin, routes, audit))
    }

    /// All plugins, oldest first.
    pub async fn plugins(&self) -> StoreResult<Vec<Plugin>> {
        on_either_engine!(self, engine => engine.plugins())
    }

    /// Finds a plugin by its short name.
    pub async fn plugin_by_slug(&self, slug: &str) -> StoreResult<Option<Plugin>> {
        on_either_engine!(self, engine => engine.plugin_by_slug(slug))
    }

    /// Finds a plugin by its id.
    pub async fn plugin(&self, id: PluginId) -> StoreResult<Option<Plugin>> {
        on_either_engine!(self, engine => engine.plugin(id))
    }

    /// Finds the plugin whose documents a host serves.
    pub async fn plugin_by_host(&self, host: &Host) -> StoreResult<Option<Plugin>> {
        on_either_engine!(self, engine => engine.plugin_by_host(host))
    }

    /// Which files a plugin has.
    pub async fn document_kinds(&self, id: PluginId) -> StoreResult<Vec<DocumentKind>> {
        on_either_engine!(self, engine => engine.document_kinds(id))
    }

    /// Reads one file of the plugin a host serves.
    pub async fn document(&self, host: &Host, kind: DocumentKind) -> StoreResult<Option<Document>> {
        on_either_engine!(self, engine => engine.document(host, kind))
    }
}
