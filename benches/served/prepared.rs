//! What a load needs to be there before: an account, a plugin, two clients, and codes to redeem, all made with the
//! server's own library.

use std::time::Duration;

use chrono::TimeDelta;
use consentry::{
    clock::Clock,
    keys::master::MasterKey,
    model::{
        account::Role,
        audit::{Actor, Origin},
        client::{AuthenticationMethod, ClientKeys, ClientSecret, Dialect, Registration},
        code::AuthorizationCode,
        digest::Digest,
        family::Birth,
        id::{AccountId, ClientId, ClientSecretId, ConsentId, FamilyId, PluginId},
        plugin::{Plugin, PluginState, SubjectSalt},
        scope::{Catalogue, Scope, Scopes},
    },
    outbound, random,
    server::{Server, Settings},
    store::{
        OpenOptions, Store,
        accounts::NewAccount,
        clients::{NewClient, OwnWords},
        consents::{ConsentGrant, ConsentKey},
        plugins::PluginImport,
    },
    tokens::{
        self,
        secret::{CLIENT_SECRET, SecretText},
    },
};

use crate::{Outcome, process::Place};

/// Where the clients send people.
pub const CALLBACK: &str = "https://client.example/callback";

/// A client with what it proves itself by.
pub struct Registered {
    /// What the wire calls `client_id`.
    pub id: String,
    /// Its secret.
    pub secret: String,
}

/// What was made.
pub struct Prepared {
    /// A plugin's client, for people.
    pub client: Registered,
    /// One that acts for itself.
    pub service: Registered,
    /// Codes for the first one.
    pub codes: Vec<String>,
    /// The server's parts, for whatever else is to be made; its store is still to be closed.
    pub server: Server,
}

/// Makes an account, a plugin of this name, two clients and so many codes.
pub async fn prepare(place: &Place, slug: &str, codes: usize) -> Outcome<Prepared> {
    let store = Store::open(&OpenOptions {
        url: place.database_url.clone(),
        password: None,
        connections_max: 2,
        patience: Duration::from_secs(5),
        watch: None,
    })
    .await?;
    store.migrate().await?;
    let settings = Settings::defaults(&place.public_url, "Load")?;
    let master_keys = vec![MasterKey::new(place.master)];
    let server = Server::assemble(settings, Clock::system(), store, master_keys, outbound::Settings::default()).await?;
    let now = server.clock.now();
    let account_id = account(&server, "load@example.com", Role::Person, "none").await?;
    let mut scopes = Catalogue::default();
    scopes.put(Scope::new("todo.read", "See your list"))?;
    let plugin = Plugin {
        id: PluginId(random::id(now)),
        slug: slug.into(),
        host: server.settings.host.clone(),
        state: PluginState::Draft,
        upstream: None,
        routes: None,
        resource: place.public_url.clone(),
        subject_salt: SubjectSalt(random::bytes()),
        scopes,
        manifest: serde_json::json!({ "name_for_human": "Load" }),
        accent_color: None,
        version: 1,
    };
    let audit = || server.audit(Actor::Operator, Origin::default());
    server.store.import_plugin(&PluginImport::of(plugin.clone(), vec![], now), &audit()).await?;
    let (client_row, client) = register(&server, &plugin, Dialect::Plugin).await?;
    let (_, service) = register(&server, &plugin, Dialect::Service).await?;
    let grant = ConsentGrant {
        id: ConsentId(random::id(now)),
        key: ConsentKey { account_id, client_id: client_row, resource: plugin.resource.clone() },
        scopes: plugin.scopes.names(),
        left_out: Scopes::default(),
        document: None,
    };
    let consent = server.store.grant_consent(&grant, &audit()).await?;
    let resource = server.store.resource(&place.public_url).await?.ok_or("the resource is not registered")?;
    let ring = server.keyring.current();
    let codes = (0..codes)
        .map(|_| {
            let code = AuthorizationCode {
                id: FamilyId(random::id(now)),
                account_id,
                client_id: client_row,
                consent_id: consent.id,
                resource_id: resource.id,
                birth: Birth { account: 1, client: 1, consent: 1 },
                redirect_uri: Digest::of(CALLBACK).short(),
                scopes: 1,
                code_challenge: None,
                auth_time: now.timestamp_millis(),
                // Preparing is not measured, so these codes live longer than real ones.
                expires_at: (now + TimeDelta::minutes(30)).timestamp_millis(),
            };
            tokens::code::write(&ring, &code, now, random::bytes())
        })
        .collect::<Result<_, _>>()?;
    Ok(Prepared { client, service, codes, server })
}

/// Makes an account.
pub async fn account(server: &Server, email: &str, role: Role, password_hash: &str) -> Outcome<AccountId> {
    let at = server.clock.now();
    let id = AccountId(random::id(at));
    let (email, name, password_hash) = (email.parse()?, "Load".into(), password_hash.into());
    let account = NewAccount { id, email, name, role, password_hash, at };
    server.store.add_account(&account, &server.audit(Actor::Operator, Origin::default())).await?;
    Ok(id)
}

async fn register(server: &Server, plugin: &Plugin, dialect: Dialect) -> Outcome<(ClientId, Registered)> {
    let now = server.clock.now();
    let id = ClientId(random::id(now));
    let secret = SecretText::new(CLIENT_SECRET, random::bytes());
    let client = NewClient {
        id,
        client_id: id.to_string(),
        plugin_id: Some(plugin.id),
        registration: Registration::ByHand,
        name: "Load".into(),
        dialect,
        authentication_methods: AuthenticationMethod::ClientSecret.into(),
        signing_algorithm: None,
        keys: ClientKeys::default(),
        redirect_uris: vec![CALLBACK.parse()?],
        scopes: Some(plugin.scopes.names()),
        registration_digest: None,
        ends_at: None,
        own_words: OwnWords::default(),
        secret: Some(ClientSecret {
            id: ClientSecretId(random::id(now)),
            digest: secret.digest(),
            created_at: now,
            expires_at: None,
            last_used_at: None,
        }),
        at: now,
    };
    server.store.add_client(&client, &server.audit(Actor::Operator, Origin::default())).await?;
    Ok((id, Registered { id: client.client_id, secret: secret.reveal().to_owned() }))
}
