//! The classic plugin: `scope=` empty, JSON at the token endpoint, the secret in the body.

use consentry::model::client::Dialect;
use serde_json::json;

use crate::{
    harness::{
        browser::{Browser, parameter, plugin_request},
        server::{CALLBACK, World},
    },
    on_both_engines,
};

on_both_engines! {
    async fn a_plugin_is_installed_refreshed_and_disconnected(engine) {
        let world = World::new(engine).await;
        let client = world.client(Dialect::Plugin).await;
        let service = world.client(Dialect::Service).await;
        let left = Browser::new(&world.running).agree(&plugin_request(&client), "ada@example.com").await;
        assert!(left.as_str().starts_with(CALLBACK), "{left}");
        assert_eq!(parameter(&left, "state").as_deref(), Some("15014bf5-a%2Bb"));
        assert_eq!(parameter(&left, "iss").as_deref(), Some(world.running.url.as_str()));

        let (status, tokens) = world.running.json("/token", &json!({
            "grant_type": "authorization_code",
            "client_id": client.client_id,
            "client_secret": client.client_secret,
            "code": parameter(&left, "code"),
            "redirect_uri": CALLBACK,
        })).await;
        assert_eq!(status, 200, "{tokens}");
        assert_eq!(tokens["token_type"], "bearer");
        assert_eq!(tokens["scope"], "todo.read todo.write");

        let access = tokens["access_token"].as_str().unwrap();
        let (_, active) = world.running.introspect(&service, access).await;
        assert_eq!(active["active"], true, "{active}");

        let (status, next) = world.running.json("/token", &json!({
            "grant_type": "refresh_token",
            "refresh_token": tokens["refresh_token"],
            "client_id": client.client_id,
            "client_secret": client.client_secret,
        })).await;
        assert_eq!(status, 200, "{next}");
        assert_ne!(next["refresh_token"], tokens["refresh_token"]);

        let (status, _) = world.running.form("/revoke", &[
            ("client_id", &client.client_id),
            ("client_secret", &client.client_secret),
            ("token", next["refresh_token"].as_str().unwrap()),
        ]).await;
        assert_eq!(status, 200);
        let (_, inactive) = world.running.introspect(&service, access).await;
        assert_eq!(inactive, json!({ "active": false }));
        let (status, refused) = world.running.refresh(&client, next["refresh_token"].as_str().unwrap()).await;
        assert_eq!((status.as_u16(), refused["error"].as_str()), (400, Some("invalid_grant")));
    }
}
