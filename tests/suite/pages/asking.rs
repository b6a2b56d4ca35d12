//! Who asks for consent: plugins and clients of every kind, with names of every kind, registered as an owner would.

use consentry::{
    model::{
        client::{ClientKeys, ClientSecret, Dialect, Registration},
        id::{ClientId, ClientSecretId, PluginId},
        plugin::Plugin,
        scope::{Catalogue, Scope},
    },
    protocol::dialect,
    random,
    store::{
        clients::{NewClient, OwnWords},
        plugins::{ImportPlugin, PluginImport},
    },
    tokens::secret::{CLIENT_SECRET, SecretText},
};

use crate::harness::{
    browser::authorize,
    server::{CALLBACK, World},
};

/// A plugin and a client of it, before they are registered.
#[derive(Clone, Copy, Debug)]
pub struct Asking<'a> {
    /// The client's name.
    pub client_name: &'a str,
    /// The plugin's name.
    pub plugin_name: &'a str,
    /// The plugin's description for people.
    pub description: &'a str,
    /// Scopes and what they allow.
    pub scopes: &'a [(&'a str, &'a str)],
    /// Where the answer goes.
    pub callback: &'a str,
}

impl Default for Asking<'_> {
    fn default() -> Self {
        Self {
            client_name: "ChatGPT",
            plugin_name: "To-do list",
            description: "Keeps your to-do items, so that you can talk about what is next.",
            scopes: &[("todo.read", "See your to-do list"), ("todo.write", "Add and remove items")],
            callback: CALLBACK,
        }
    }
}

/// Registers a client as anybody can, and answers with the address of a request of its that lacks its `response_type`.
pub async fn unproven_request(world: &World, callback: &str) -> String {
    let (status, told) = world.running.json("/register", &serde_json::json!({ "redirect_uris": [callback] })).await;
    assert_eq!(status, 201, "{told}");
    let client_id = told["client_id"].as_str().expect("an id");
    let request = authorize(&[("client_id", client_id), ("redirect_uri", callback), ("state", "a state")]);
    format!("{}{request}", world.running.url)
}

impl Asking<'_> {
    /// Registers both, and answers with the address people are sent to.
    pub async fn register(self, world: &World) -> String {
        let plugin = self.plugin(world).await;
        let client_id = self.client(world, &plugin).await;
        let request = authorize(&[
            ("response_type", "code"),
            ("client_id", &client_id),
            ("redirect_uri", self.callback),
            ("scope", ""),
            ("state", "a state"),
        ]);
        format!("{}{request}", world.running.url)
    }

    async fn plugin(&self, world: &World) -> Plugin {
        let server = &world.running.server;
        let now = server.clock.now();
        let id = PluginId(random::id(now));
        let mut scopes = Catalogue::default();
        for (name, words) in self.scopes {
            scopes.put(Scope::new(*name, *words)).expect("room");
        }
        let mut plugin = Plugin {
            id,
            slug: format!("asking-{id}"),
            // A host of its own: the one of the tests' plugin is taken.
            host: format!("asking-{id}.example").parse().expect("a host"),
            resource: format!("https://asking-{id}.example"),
            scopes,
            ..world.plugin.clone()
        };
        plugin.manifest["name_for_human"] = self.plugin_name.into();
        plugin.manifest["description_for_human"] = self.description.into();
        let import = PluginImport::of(plugin.clone(), Vec::new(), now);
        let imported = server.store.import_plugin(&import, &world.running.operator()).await.expect("an answer");
        assert!(matches!(imported, ImportPlugin::Created(_)), "{imported:?}");
        plugin
    }

    async fn client(&self, world: &World, plugin: &Plugin) -> String {
        let server = &world.running.server;
        let now = server.clock.now();
        let id = ClientId(random::id(now));
        let secret = SecretText::new(CLIENT_SECRET, random::bytes());
        let client = NewClient {
            id,
            client_id: id.to_string(),
            plugin_id: Some(plugin.id),
            registration: Registration::ByHand,
            name: self.client_name.into(),
            dialect: Dialect::Plugin,
            authentication_methods: dialect::authentication_method(Dialect::Plugin).into(),
            signing_algorithm: None,
            keys: ClientKeys::default(),
            registration_digest: None,
            ends_at: None,
            own_words: OwnWords::default(),
            redirect_uris: vec![self.callback.parse().expect("a redirect URI")],
            scopes: Some(plugin.scopes.names()),
            secret: Some(ClientSecret {
                id: ClientSecretId(random::id(now)),
                digest: secret.digest(),
                created_at: now,
                expires_at: None,
                last_used_at: None,
            }),
            at: now,
        };
        server.store.add_client(&client, &world.running.operator()).await.expect("the client is added");
        client.client_id
    }
}
