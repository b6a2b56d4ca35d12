//! After a revocation of any breadth, introspection and refresh agree at once that nothing stands.

use consentry::{model::client::Dialect, store::consents::ConsentKey};
use serde_json::json;

use crate::{harness::server::World, on_both_engines};

/// The ways in which a connection ends from outside.
#[derive(Clone, Copy, Debug)]
enum Ending {
    Revoke,
    WithdrawConsent,
    SignOutEverywhere,
    DisableClient,
    DeleteClient,
}

on_both_engines! {
    /// Row 27.
    async fn nothing_is_active_after_a_revocation(engine) {
        let world = World::new(engine).await;
        let service = world.client(Dialect::Service).await;
        let server = &world.running.server;
        let (ada, _) = server.store.account_by_email(&"ada@example.com".parse().unwrap()).await.unwrap().unwrap();
        for ending in [
            Ending::Revoke,
            Ending::WithdrawConsent,
            Ending::SignOutEverywhere,
            Ending::DisableClient,
            Ending::DeleteClient,
        ] {
            let client = world.client(Dialect::Plugin).await;
            let (_, tokens) = world.running.redeem(&client, &world.running.code(&client).await).await;
            let access = tokens["access_token"].as_str().unwrap();
            let refresh = tokens["refresh_token"].as_str().unwrap();
            assert_eq!(world.running.introspect(&service, access).await.1["active"], true, "{ending:?}");
            let row = server.store.client(&client.client_id, server.clock.now()).await.unwrap().unwrap();
            let audit = world.running.operator();
            match ending {
                Ending::Revoke => {
                    let fields = [("client_id", client.client_id.as_str()), ("client_secret", &client.client_secret),
                        ("token", refresh)];
                    assert_eq!(world.running.form("/revoke", &fields).await.0, 200);
                }
                Ending::WithdrawConsent => {
                    let resource = world.plugin.resource.clone();
                    let key = ConsentKey { account_id: ada.id, client_id: row.id, resource };
                    assert!(server.store.revoke_consent(&key, &audit).await.unwrap());
                }
                Ending::SignOutEverywhere => {
                    assert!(server.store.sign_out_everywhere(ada.id, &audit).await.unwrap());
                }
                Ending::DisableClient => {
                    server.store.disable_client(&client.client_id, &audit).await.unwrap().expect("the client");
                }
                Ending::DeleteClient => {
                    server.store.delete_client(&client.client_id, &audit).await.unwrap().expect("the client");
                }
            }
            let (_, standing) = world.running.introspect(&service, access).await;
            assert_eq!(standing, json!({ "active": false }), "{ending:?}");
            let (status, refused) = world.running.refresh(&client, refresh).await;
            assert!(matches!(status.as_u16(), 400 | 401), "{ending:?}: {refused}");
        }
    }

    /// Row 27: a token without a person stands with its client.
    async fn a_clients_own_token_dies_with_its_client(engine) {
        let world = World::new(engine).await;
        let (client, watcher) = (world.client(Dialect::Service).await, world.client(Dialect::Service).await);
        let (status, tokens) = world.running.form("/token", &[
            ("grant_type", "client_credentials"),
            ("client_id", &client.client_id),
            ("client_secret", &client.client_secret),
        ]).await;
        assert_eq!(status, 200, "{tokens}");
        let access = tokens["access_token"].as_str().unwrap();
        assert_eq!(world.running.introspect(&watcher, access).await.1["active"], true);
        let audit = world.running.operator();
        world.running.server.store.disable_client(&client.client_id, &audit).await.unwrap().expect("the client");
        assert_eq!(world.running.introspect(&watcher, access).await.1, json!({ "active": false }));
    }
}
