//! Plugins for a running server, which have two scopes and a description.

use consentry::{
    model::{
        id::PluginId,
        plugin::{Document, DocumentKind, Host, Plugin, PluginState, SubjectSalt},
        scope::{Catalogue, Scope},
    },
    random,
    store::plugins::PluginImport,
};

use super::server::Running;

impl Running {
    /// Adds a plugin served on this server's own host.
    pub async fn add_plugin(&self, slug: &str) -> Plugin {
        self.add_plugin_for(slug, format!("http://{}/api", self.server.settings.host)).await
    }

    /// Adds a plugin whose API is called by that resource identifier.
    pub async fn add_plugin_for(&self, slug: &str, resource: String) -> Plugin {
        self.added_plugin(slug, resource, self.server.settings.host.clone()).await
    }

    /// Adds a plugin on a host of its own.
    pub async fn add_plugin_at(&self, slug: &str, host: &str) -> Plugin {
        self.added_plugin(slug, format!("https://{host}"), host.parse().expect("a host")).await
    }

    async fn added_plugin(&self, slug: &str, resource: String, host: Host) -> Plugin {
        let now = self.server.clock.now();
        let mut scopes = Catalogue::default();
        for (name, words) in [("todo.read", "See your to-do list"), ("todo.write", "Add and remove items")] {
            scopes.put(Scope::new(name, words)).expect("room");
        }
        let plugin = Plugin {
            id: PluginId(random::id(now)),
            slug: slug.into(),
            state: PluginState::Draft,
            upstream: None,
            routes: None,
            resource,
            host,
            subject_salt: SubjectSalt(random::bytes()),
            scopes,
            manifest: serde_json::json!({
                "schema_version": "v1",
                "name_for_human": "To-do",
                "name_for_model": slug,
                "description_for_human": "Keeps your list.",
                "description_for_model": "A to-do list.",
                "auth": { "scope": "", "authorization_content_type": "application/json", "verification_tokens": {} },
                "contact_email": "owner@example.com",
                "legal_info_url": "https://example.com/legal",
            }),
            accent_color: None,
            version: 1,
        };
        let document = Document {
            kind: DocumentKind::OpenApi,
            content_type: "application/json".into(),
            body: b"{\"openapi\":\"3.1.0\"}".to_vec(),
        };
        let import = PluginImport::of(plugin.clone(), vec![document], now);
        self.server.store.import_plugin(&import, &self.operator()).await.expect("the plugin is imported");
        plugin
    }
}
