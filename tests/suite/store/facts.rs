//! A small world for the exam: an account, a plugin, a client and a consent, and steps made from them.

use chrono::{DateTime, TimeDelta};
use consentry::{
    model::{
        Timestamp,
        account::Role,
        audit::{Actor, Audit, Origin},
        client::{AuthenticationMethod, ClientKeys, ClientSecret, Dialect, Registration},
        consent::Consent,
        digest::Digest,
        family::Birth,
        id::{AccountId, AuditEventId, ClientId, ClientSecretId, ConsentId, FamilyId, PluginId, SessionId},
        plugin::{Plugin, PluginState, SubjectSalt},
        public_key::SigningAlgorithm,
        scope::{Catalogue, Scope, Scopes},
    },
    random,
    store::{
        Store,
        accounts::NewAccount,
        clients::{NewClient, OwnWords},
        consents::{ConsentGrant, ConsentKey},
        families::{Redemption, Rotation},
        plugins::PluginImport,
        sessions::NewSession,
    },
};

use crate::harness::databases::{Database, Engine};

/// An open store with one of everything in it.
pub struct World {
    /// Kept, so that the database lives as long as the test.
    pub database: Database,
    /// The store.
    pub store: Store,
    /// Who consents.
    pub account: AccountId,
    /// Whose API.
    pub plugin: Plugin,
    /// Who asks.
    pub client: ClientId,
    /// What the wire calls it.
    pub client_id: String,
    /// What was agreed.
    pub consent: Consent,
}

/// When the exam begins.
pub fn start() -> Timestamp {
    DateTime::from_timestamp_millis(1_800_000_000_123).unwrap()
}

/// Milliseconds after the beginning.
pub fn at(milliseconds: i64) -> Timestamp {
    start() + TimeDelta::milliseconds(milliseconds)
}

/// A place in the network, and a request from there.
pub fn origin(address: &str) -> Origin {
    Origin { address: Some(address.to_owned()), request: Some("00c0ffee00c0ffee".to_owned()) }
}

/// An audit by the operator.
pub fn audit(at: Timestamp) -> Audit {
    Audit { id: AuditEventId(random::id(at)), at, actor: Actor::Operator, origin: origin("127.0.0.1") }
}

/// A set of scopes.
pub fn scopes(text: &str) -> Scopes {
    text.parse().unwrap()
}

/// An account nobody else has.
pub fn new_account(email: &str) -> NewAccount {
    NewAccount {
        id: AccountId(random::id(start())),
        email: email.parse().unwrap(),
        name: "Ada".into(),
        role: Role::Person,
        password_hash: "$argon2id$x".into(),
        at: start(),
    }
}

/// A session that begins so many milliseconds after the beginning and lasts an hour, by its cookie.
pub fn new_session(account: AccountId, cookie: &str, milliseconds: i64) -> NewSession {
    NewSession {
        id: SessionId(random::id(at(milliseconds))),
        digest: Digest::of(cookie),
        account_id: account,
        account_generation: 1,
        session_generation: 1,
        at: at(milliseconds),
        expires_at: start() + TimeDelta::hours(1),
        address: Some("192.0.2.1".into()),
        user_agent: Some("A browser".into()),
        factor_at: None,
        replaces: None,
    }
}

/// A plugin with two scopes.
pub fn plugin(slug: &str, host: &str) -> Plugin {
    let mut catalogue = Catalogue::default();
    for name in ["todo.read", "todo.write"] {
        catalogue.put(Scope::new(name, format!("May {name}"))).unwrap();
    }
    Plugin {
        id: PluginId(random::id(start())),
        slug: slug.into(),
        host: host.parse().unwrap(),
        state: PluginState::Draft,
        upstream: Some("http://127.0.0.1:9".into()),
        routes: None,
        resource: format!("https://{host}"),
        subject_salt: SubjectSalt(random::bytes()),
        scopes: catalogue,
        manifest: serde_json::json!({ "name_for_human": "To-do", "name_for_model": slug }),
        accent_color: None,
        version: 1,
    }
}

/// A client of that plugin, with one secret.
pub fn new_client(plugin: &Plugin) -> NewClient {
    let id = ClientId(random::id(start()));
    NewClient {
        id,
        client_id: id.to_string(),
        plugin_id: Some(plugin.id),
        registration: Registration::ByHand,
        name: "ChatGPT".into(),
        dialect: Dialect::Plugin,
        authentication_methods: AuthenticationMethod::ClientSecret.into(),
        signing_algorithm: None,
        keys: ClientKeys::default(),
        redirect_uris: vec!["https://chat.example/cb".parse().unwrap()],
        scopes: Some(scopes("todo.read todo.write")),
        registration_digest: None,
        ends_at: None,
        own_words: OwnWords::default(),
        secret: Some(ClientSecret {
            id: ClientSecretId(random::id(start())),
            digest: Digest::of("first"),
            created_at: start(),
            expires_at: None,
            last_used_at: None,
        }),
        at: start(),
    }
}

impl World {
    /// Makes the world on an engine.
    pub async fn new(engine: Engine) -> Self {
        let database = Database::migrated(engine).await;
        let store = database.open().await;
        let account = new_account("ada@example.com");
        store.add_account(&account, &audit(start())).await.unwrap();
        let plugin = plugin("todo", "todo.example");
        store.import_plugin(&PluginImport::of(plugin.clone(), vec![], start()), &audit(start())).await.unwrap();
        let client = new_client(&plugin);
        store.add_client(&client, &audit(start())).await.unwrap();
        let grant = ConsentGrant {
            id: ConsentId(random::id(start())),
            key: ConsentKey { account_id: account.id, client_id: client.id, resource: plugin.resource.clone() },
            scopes: scopes("todo.read todo.write"),
            left_out: Scopes::default(),
            document: None,
        };
        let consent = store.grant_consent(&grant, &audit(start())).await.unwrap();
        Self { database, store, account: account.id, plugin, client: client.id, client_id: client.client_id, consent }
    }

    /// The consent's key.
    pub fn consent_key(&self) -> ConsentKey {
        ConsentKey { account_id: self.account, client_id: self.client, resource: self.plugin.resource.clone() }
    }

    /// A code of its own, about to be redeemed at the beginning; good for an hour idle and ten hours at most.
    pub fn redemption(&self) -> Redemption {
        Redemption {
            id: FamilyId(random::id(start())),
            redemption: random::bytes(),
            account_id: self.account,
            client_id: self.client,
            consent_id: self.consent.id,
            birth: Birth { account: 1, client: 1, consent: self.consent.generation },
            resource: self.plugin.resource.clone(),
            plugin_id: self.plugin.id,
            subject_salt: self.plugin.subject_salt,
            signing_algorithm: SigningAlgorithm::Es256,
            scopes: scopes("todo.read todo.write"),
            authentication_method: AuthenticationMethod::ClientSecret,
            assertion: None,
            secret_digest: Digest::of([7; 16]),
            auth_time: start(),
            at: start(),
            expires_at: start() + TimeDelta::hours(10),
            idle_until: start() + TimeDelta::hours(1),
        }
    }

    /// A redeemed family.
    pub async fn family(&self) -> FamilyId {
        let redemption = self.redemption();
        self.store.redeem(&redemption, &audit(start())).await.unwrap();
        redemption.id
    }

    /// A token of that family at a counter, presented so many milliseconds after the beginning, with a grace of two
    /// minutes.
    pub fn rotation(&self, id: FamilyId, presented: i64, milliseconds: i64) -> Rotation {
        Rotation {
            id,
            client_id: self.client,
            authentication_method: AuthenticationMethod::ClientSecret,
            formerly: [AuthenticationMethod::None; 2],
            assertion: None,
            resource: None,
            secret_digest: Digest::of([7; 16]),
            presented,
            grace: TimeDelta::minutes(2),
            at: at(milliseconds),
            idle_until: at(milliseconds) + TimeDelta::hours(1),
        }
    }
}
