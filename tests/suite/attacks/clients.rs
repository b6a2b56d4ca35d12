//! Clients that were disabled: whatever else happens to their row at the same time, they stay so.

use std::time::Duration;

use consentry::{
    model::{
        client::{AuthenticationMethod, Client, ClientKeys, ClientSecret, Dialect, DocumentCopy, Registration},
        id::{ClientId, ClientSecretId},
    },
    random,
    store::{
        Store,
        client_changes::{ChangeClient, ClientChange, ClientEdit, SecretRotation},
        clients::{ChangedRegistration, ClientDocument, NewClient, OwnWords},
    },
    tokens::secret::{CLIENT_SECRET, SecretText},
};
use futures_util::future::join;
use serde_json::json;

use crate::{
    harness::server::{CALLBACK, Registered, World},
    on_both_engines,
};

/// A client that registered itself, with a secret.
async fn registered_itself(world: &World) -> Registered {
    let server = &world.running.server;
    let now = server.clock.now();
    let id = ClientId(random::id(now));
    let (text, secret) = new_secret(world);
    let client = NewClient {
        id,
        client_id: id.to_string(),
        plugin_id: Some(world.plugin.id),
        registration: Registration::Dynamic,
        name: "ChatGPT".into(),
        dialect: Dialect::Plugin,
        authentication_methods: AuthenticationMethod::ClientSecret.into(),
        signing_algorithm: None,
        keys: ClientKeys::default(),
        redirect_uris: vec![CALLBACK.parse().unwrap()],
        scopes: None,
        registration_digest: None,
        ends_at: None,
        own_words: OwnWords::default(),
        secret: Some(secret),
        at: now,
    };
    server.store.add_client(&client, &world.running.operator()).await.unwrap();
    Registered { client_id: client.client_id, client_secret: text }
}

fn new_secret(world: &World) -> (String, ClientSecret) {
    let now = world.running.server.clock.now();
    let text = SecretText::new(CLIENT_SECRET, random::bytes());
    let id = ClientSecretId(random::id(now));
    (
        text.reveal().to_owned(),
        ClientSecret { id, digest: text.digest(), created_at: now, expires_at: None, last_used_at: None },
    )
}

async fn find(world: &World, client_id: &str) -> Client {
    let server = &world.running.server;
    server.store.client(client_id, server.clock.now()).await.unwrap().unwrap()
}

/// Writes everything into the client's row that anybody may write there, at another node. Answers the secrets that were
/// accepted meanwhile.
async fn write_all(world: &World, node: &Store, client_id: &str) -> [String; 2] {
    let (now, audit) = (world.running.server.clock.now(), || world.running.operator());
    let callback = "https://chat.openai.com/aip/plugin-2/oauth/callback".parse().unwrap();
    let edit = ClientEdit::AddRedirectUris(vec![callback]);
    let change = ClientChange { client_id: client_id.into(), seen: None, edit };
    assert!(matches!(node.change_client(&change, &audit()).await.unwrap(), ChangeClient::Done(_)));
    let (rotated, secret) = new_secret(world);
    let rotation = SecretRotation { client_id: client_id.into(), secret, old_expires_at: now, seen: None };
    node.rotate_secret(&rotation, &audit()).await.unwrap();
    let (changed, secret) = new_secret(world);
    let registration = ChangedRegistration {
        client_id: client_id.into(),
        name: "ChatGPT".into(),
        authentication_methods: AuthenticationMethod::ClientSecret.into(),
        signing_algorithm: None,
        keys: ClientKeys::default(),
        redirect_uris: vec![CALLBACK.parse().unwrap()],
        scopes: None,
        own_words: OwnWords::default(),
        secret: Some(secret),
    };
    node.change_registration(&registration, &audit()).await.unwrap();
    node.supply_key_set(client_id, "{\"keys\":[]}", &audit()).await.unwrap();
    [rotated, changed]
}

on_both_engines! {
    /// Row 14: whichever of two nodes comes last, the one that disables is not overruled.
    async fn a_disabled_client_is_revived_by_no_race(engine) {
        let world = World::new(engine).await;
        let node = world.database.open().await;
        let service = world.client(Dialect::Service).await;
        for round in 0..5_u64 {
            let client = registered_itself(&world).await;
            let (status, tokens) = world.running.redeem(&client, &world.running.code(&client).await).await;
            assert_eq!(status, 200, "{tokens}");
            let code = world.running.code(&client).await;
            let born = find(&world, &client.client_id).await.generation;
            let disable = async {
                tokio::time::sleep(Duration::from_millis(round * 4)).await;
                let audit = world.running.operator();
                world.running.server.store.disable_client(&client.client_id, &audit).await.unwrap()
            };
            let (accepted, disabled) = join(write_all(&world, &node, &client.client_id), disable).await;
            assert!(!disabled.expect("the client").enabled);
            // And once more, by whoever has not heard of it yet.
            let later = write_all(&world, &node, &client.client_id).await;
            let row = find(&world, &client.client_id).await;
            assert_eq!((row.enabled, row.generation), (false, born + 1));
            for secret in [&client.client_secret].into_iter().chain(&accepted).chain(&later) {
                let shown = Registered { client_id: client.client_id.clone(), client_secret: secret.clone() };
                assert_eq!(world.running.redeem(&shown, &code).await.0, 401);
                let refreshed = world.running.refresh(&shown, tokens["refresh_token"].as_str().unwrap()).await;
                assert_eq!(refreshed.0, 401);
            }
            let (_, standing) = world.running.introspect(&service, tokens["access_token"].as_str().unwrap()).await;
            assert_eq!(standing, json!({ "active": false }));
        }
        node.close().await;
    }

    /// Row 14: the document of a disabled client may be read again; that brings nothing back.
    async fn a_document_read_again_revives_no_client(engine) {
        let world = World::new(engine).await;
        let store = &world.running.server.store;
        let client_id = "https://client.example/oauth.json";
        let read = async || {
            let now = world.running.server.clock.now();
            let document = ClientDocument {
                id: ClientId(random::id(now)),
                client_id: client_id.into(),
                name: "ChatGPT".into(),
                authentication_methods: AuthenticationMethod::None.into(),
                signing_algorithm: None,
                jwks_uri: None,
                key_set: None,
                redirect_uris: vec![CALLBACK.parse().unwrap()],
                copy: DocumentCopy { fetched_at: now, fresh_until: now, is_pinned: false },
            };
            store.keep_document(&document, &world.running.operator()).await.unwrap().expect("the client")
        };
        let first = read().await;
        assert!(first.enabled);
        let (_, disabled) = join(read(), store.disable_client(client_id, &world.running.operator())).await;
        assert!(!disabled.unwrap().expect("the client").enabled);
        let again = read().await;
        assert_eq!((again.id, again.enabled, again.generation), (first.id, false, first.generation + 1));
    }
}
