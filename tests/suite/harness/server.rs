//! A real server on a real port, with one of everything registered.

use std::{net::TcpListener, sync::Arc, thread};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use chrono::TimeDelta;
use consentry::{
    clock::Clock,
    http,
    keys::master::MasterKey,
    mail::Mailer,
    model::{
        account::{Role, SignUps},
        audit::{Actor, Audit, Origin},
        brand::Brand,
        client::{AuthenticationMethod, ClientKeys, ClientSecret, Dialect, Registration},
        id::{AccountId, ClientId, ClientSecretId, ResourceId},
        key_timetable::KeyTimetable,
        mechanisms::Mechanisms,
        plugin::Plugin,
        provider::{OwnLogin, Provider},
        proxies::TrustedProxies,
        resource::ResourceIdentifier,
        rotator::Rotator,
    },
    outbound,
    protocol::dialect,
    random,
    registry::Registry,
    server::{Server, Settings},
    store::{
        OpenOptions,
        accounts::NewAccount,
        clients::{NewClient, OwnWords},
        plugins::PluginImport,
        resources::{AddResource, NewResource},
    },
    tokens::secret::{CLIENT_SECRET, SecretText},
};

use super::{
    databases::{Database, Engine},
    log, minted,
    smtp::Way,
};

/// The password of every account in the tests.
pub const PASSWORD: &str = "a password of some length";

/// The master key of every server in the tests.
pub const MASTER: [u8; 32] = *b"0f3a9c71e2b84d56a7c0d91b2e6f8435";

/// Where GPT Actions and plugins are sent back to in the tests.
pub const CALLBACK: &str = "https://chat.openai.com/aip/plugin-1f2e/oauth/callback";

/// A server that runs until it is dropped.
pub struct Running {
    /// The public URL, which is the issuer.
    pub url: String,
    /// Its own address, without a path; differs from the public URL when that has one, or two servers are one.
    pub own: String,
    /// Its parts, to look at and to arrange things behind its back.
    pub server: Arc<Server>,
    stop: http::Stop,
    thread: Option<thread::JoinHandle<()>>,
}

/// A server of a test: one of its own, or a process.
pub trait Node {
    /// The public URL, under whose name it is called.
    fn url(&self) -> &str;
    /// Its own address.
    fn own(&self) -> &str;
}

impl Node for Running {
    fn url(&self) -> &str {
        &self.url
    }

    fn own(&self) -> &str {
        &self.own
    }
}

/// A client as its owner got to know it.
#[derive(Clone, Debug)]
pub struct Registered {
    /// What the wire calls it.
    pub client_id: String,
    /// Its secret; empty for a public client.
    pub client_secret: String,
}

/// How a server is started.
#[derive(Clone)]
pub struct Options {
    /// The time.
    pub clock: Clock,
    /// The grace window.
    pub refresh_grace: TimeDelta,
    /// What the server is told to open, if not the database itself: a proxy in front of it.
    pub open: Option<OpenOptions>,
    /// The public URL, if not its own address: two servers that are one.
    pub public_url: Option<String>,
    /// The path of the public URL where that is its own address: empty, or such as `/auth`.
    pub base: &'static str,
    /// What may be fetched, and from whom.
    pub outbound: outbound::Settings,
    /// In which ways clients become known.
    pub mechanisms: Mechanisms,
    /// What a client gets that belongs to no plugin and names no resource.
    pub default_resource: Option<ResourceIdentifier>,
    /// Whose word about where a call came from is believed.
    pub trusted_proxies: TrustedProxies,
    /// Where mail is handed over, if anywhere; it goes when the job is asked to send it.
    pub mail: Option<Way>,
    /// What of the operator's own the pages show.
    pub brand: Brand,
    /// The port to listen on, where others have to know it beforehand; 0 for any.
    pub port: u16,
    /// Through whom people may sign in.
    pub providers: Vec<Provider>,
    /// The owner's own sign-in page.
    pub own_login: Option<OwnLogin>,
    /// Who may make an account.
    pub sign_ups: SignUps,
    /// Who makes new versions of API keys.
    pub rotators: Vec<Rotator>,
    /// How long working keys are published, used and kept.
    pub keys: KeyTimetable,
}

impl Options {
    /// The defaults, under a path.
    pub fn under(base: &'static str) -> Self {
        Self { base, ..Self::default() }
    }
}

impl Default for Options {
    fn default() -> Self {
        let refresh_grace = TimeDelta::seconds(120);
        Self {
            clock: Clock::system(),
            refresh_grace,
            open: None,
            public_url: None,
            base: "",
            outbound: outbound::Settings::default(),
            mechanisms: Mechanisms::default(),
            default_resource: None,
            trusted_proxies: TrustedProxies::default(),
            mail: None,
            brand: Brand::default(),
            port: 0,
            providers: Vec::new(),
            own_login: None,
            sign_ups: SignUps::Open,
            rotators: Vec::new(),
            keys: KeyTimetable::default(),
        }
    }
}

/// A server, its database and everything registered: what most tests begin with.
pub struct World {
    /// The server.
    pub running: Running,
    /// Kept, so that the database lives as long as the test.
    pub database: Database,
    /// The plugin.
    pub plugin: Plugin,
}

impl World {
    /// Starts on an engine with the defaults.
    pub async fn new(engine: Engine) -> Self {
        Self::with(engine, Options::default()).await
    }

    /// Starts on an engine.
    pub async fn with(engine: Engine, options: Options) -> Self {
        let database = Database::migrated(engine).await;
        let running = Running::start(&database, options).await;
        running.add_account("ada@example.com", "Ada Lovelace").await;
        running.add_account("grace@example.com", "Grace Hopper").await;
        let plugin = running.add_plugin("todo").await;
        Self { running, database, plugin }
    }

    /// Imports the plugin once more, with a change.
    pub async fn import(&self, change: impl FnOnce(&mut Plugin)) {
        let mut plugin = self.plugin.clone();
        change(&mut plugin);
        let import = PluginImport::of(plugin, Vec::new(), self.running.server.clock.now());
        self.running
            .server
            .store
            .import_plugin(&import, &self.running.operator())
            .await
            .expect("the plugin is imported");
    }

    /// Registers a client of the plugin with the tests' callback.
    pub async fn client(&self, dialect: Dialect) -> Registered {
        let callbacks: &[&str] = if dialect::authorization_code_allowed(dialect) { &[CALLBACK] } else { &[] };
        self.running.add_client(&self.plugin, dialect, callbacks).await
    }
}

impl Running {
    /// Starts a server on a free port, in a thread of its own.
    pub async fn start(database: &Database, options: Options) -> Self {
        log::listen();
        minted::note("password", PASSWORD);
        minted::note("master key", &STANDARD.encode(MASTER));
        minted::note("master key", &String::from_utf8_lossy(&MASTER));
        let listener = TcpListener::bind(("127.0.0.1", options.port)).expect("a free port");
        let own = format!("http://localhost:{}", listener.local_addr().expect("an address").port());
        let url = options.public_url.unwrap_or_else(|| format!("{own}{}", options.base));
        let store = consentry::store::Store::open(&options.open.unwrap_or_else(|| database.options()))
            .await
            .expect("the database opens");
        let defaults = Settings::defaults(&url, "Example Accounts").expect("a URL with a host");
        let settings = Settings {
            refresh_grace: options.refresh_grace,
            mechanisms: options.mechanisms,
            default_resource: options.default_resource,
            trusted_proxies: options.trusted_proxies,
            brand: options.brand,
            sign_ups: options.sign_ups,
            providers: options.providers,
            own_login: options.own_login,
            rotators: options.rotators,
            keys: options.keys,
            ..defaults
        };
        let server = Server::assemble(settings, options.clock, store, vec![MasterKey::new(MASTER)], options.outbound)
            .await
            .expect("the server starts");
        let mailer = options.mail.map_or_else(Mailer::none, |way| way.mailer(server.settings.host.as_str()));
        let server = Arc::new(server.with_mailer(mailer));
        let listening = Arc::clone(&server);
        let (sender, receiver) = std::sync::mpsc::channel();
        let thread = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(async move {
                let running = http::listen(listening, listener).expect("the server listens");
                sender.send(running.stop()).expect("the test waits");
                running.run().await.expect("the server runs");
            });
        });
        let stop = receiver.recv().expect("the server answers");
        Self { url, own, server, stop, thread: Some(thread) }
    }

    /// Adds a person.
    pub async fn add_account(&self, email: &str, name: &str) -> AccountId {
        self.add_account_as(email, name, Role::Person).await
    }

    /// Adds somebody who may be more than a person.
    pub async fn add_account_as(&self, email: &str, name: &str, role: Role) -> AccountId {
        // One hash for all: Argon2 is slow on purpose, and what it costs is not what most tests are about.
        static HASH: tokio::sync::OnceCell<String> = tokio::sync::OnceCell::const_new();
        minted::note("email", email);
        let hash = HASH.get_or_init(async || self.server.passwords.hash(PASSWORD).await.expect("a hash")).await;
        let now = self.server.clock.now();
        let account = NewAccount {
            id: AccountId(random::id(now)),
            email: email.parse().expect("an address"),
            name: name.into(),
            role,
            password_hash: hash.clone(),
            at: now,
        };
        self.server.store.add_account(&account, &self.operator()).await.expect("the account is added");
        account.id
    }

    /// Registers a further resource of a plugin.
    pub async fn add_resource(&self, plugin: &Plugin, identifier: &str) {
        let now = self.server.clock.now();
        let resource = NewResource {
            id: ResourceId(random::id(now)),
            plugin_id: plugin.id,
            identifier: identifier.parse().expect("an identifier"),
            at: now,
        };
        let added = self.server.store.add_resource(&resource, &self.operator()).await.expect("an answer");
        assert!(matches!(added, AddResource::Added(_)), "{added:?}");
    }

    /// Registers a client that proves itself with a key of this set.
    pub async fn add_client_with_key(&self, plugin: &Plugin, key_set: &serde_json::Value) -> Registered {
        let keys = ClientKeys { key_set: Some(key_set.to_string()), ..ClientKeys::default() };
        self.register(plugin, Dialect::Custom, &[CALLBACK], keys).await
    }

    /// Registers a program that acts for itself and proves itself with a key of this set.
    pub async fn add_service_with_key(&self, plugin: &Plugin, key_set: &serde_json::Value) -> Registered {
        let keys = ClientKeys { key_set: Some(key_set.to_string()), ..ClientKeys::default() };
        self.register(plugin, Dialect::Service, &[], keys).await
    }

    /// Registers a service that proves itself with a key published at this address.
    pub async fn add_service_with_keys_at(&self, plugin: &Plugin, jwks_uri: &str) -> Registered {
        let keys = ClientKeys { jwks_uri: Some(jwks_uri.to_owned()), ..ClientKeys::default() };
        self.register(plugin, Dialect::Service, &[], keys).await
    }

    /// Registers a client.
    pub async fn add_client(&self, plugin: &Plugin, dialect: Dialect, callbacks: &[&str]) -> Registered {
        self.register(plugin, dialect, callbacks, ClientKeys::default()).await
    }

    async fn register(&self, plugin: &Plugin, dialect: Dialect, callbacks: &[&str], keys: ClientKeys) -> Registered {
        let now = self.server.clock.now();
        let id = ClientId(random::id(now));
        let has_key = keys != ClientKeys::default();
        let authentication_method =
            if has_key { AuthenticationMethod::PrivateKeyJwt } else { dialect::authentication_method(dialect) };
        let secret = (authentication_method == AuthenticationMethod::ClientSecret)
            .then(|| SecretText::new(CLIENT_SECRET, random::bytes()));
        let client = NewClient {
            id,
            client_id: id.to_string(),
            plugin_id: Some(plugin.id),
            registration: Registration::ByHand,
            name: "ChatGPT".into(),
            dialect,
            authentication_methods: authentication_method.into(),
            signing_algorithm: None,
            keys,
            redirect_uris: callbacks.iter().map(|uri| uri.parse().expect("a redirect URI")).collect(),
            scopes: Some(plugin.scopes.names()),
            registration_digest: None,
            ends_at: None,
            own_words: OwnWords::default(),
            secret: secret.as_ref().map(|secret| ClientSecret {
                id: ClientSecretId(random::id(now)),
                digest: secret.digest(),
                created_at: now,
                expires_at: None,
                last_used_at: None,
            }),
            at: now,
        };
        self.server.store.add_client(&client, &self.operator()).await.expect("the client is added");
        let client_secret = secret.map(|secret| secret.reveal().to_owned()).unwrap_or_default();
        minted::note("client_secret", &client_secret);
        Registered { client_id: client.client_id, client_secret }
    }

    /// Where the operator changes things.
    pub fn registry(&self) -> Registry<'_> {
        Registry {
            store: &self.server.store,
            clock: &self.server.clock,
            issuer: None,
            public: None,
            clients_by_hand: true,
            rotators: self.server.rotators.all(),
            is_trusted: true,
            actor: Actor::Operator,
            origin: Origin::default(),
        }
    }

    /// An audit by the operator.
    pub fn operator(&self) -> Audit {
        self.server.audit(Actor::Operator, Origin::default())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Not gracefully: a test that failed may have left a connection open. On a thread of its own, because the
        // test's runtime is busy dropping.
        let stop = self.stop.clone();
        let stopping = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
            runtime.block_on(stop.now());
        });
        let _ = stopping.join();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
