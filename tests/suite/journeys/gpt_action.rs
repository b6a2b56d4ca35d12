//! A GPT Action: form bodies, the secret in the body or in HTTP Basic, and two callback hosts for one action.

use consentry::model::client::Dialect;
use reqwest::{Client, StatusCode};
use serde_json::{Value, json};

use crate::{
    harness::{
        browser::{Browser, authorize, parameter, read},
        server::{Registered, World},
    },
    on_both_engines,
};

const CALLBACKS: [&str; 2] =
    ["https://chat.openai.com/aip/g-a1b2c3/oauth/callback", "https://chatgpt.com/aip/g-a1b2c3/oauth/callback"];

/// Where the action puts its secret.
#[derive(Clone, Copy, Debug)]
enum Secret {
    InBody,
    InHeader,
}

async fn post(
    world: &World,
    client: &Registered,
    secret: Secret,
    path: &str,
    more: &[(&str, &str)],
) -> (StatusCode, Value) {
    let request = Client::new().post(format!("{}{path}", world.running.url));
    let in_body = [("client_id", client.client_id.as_str()), ("client_secret", client.client_secret.as_str())];
    let request = match secret {
        Secret::InBody => request.form(&[&in_body, more].concat()),
        Secret::InHeader => request.basic_auth(&client.client_id, Some(&client.client_secret)).form(more),
    };
    read(request.send().await.expect("an answer")).await
}

on_both_engines! {
    async fn an_action_is_connected_used_and_disconnected(engine) {
        let world = World::new(engine).await;
        let service = world.client(Dialect::Service).await;
        let client = world.running.add_client(&world.plugin, Dialect::Action, &CALLBACKS).await;
        for callback in CALLBACKS {
            for secret in [Secret::InBody, Secret::InHeader] {
                let asked = authorize(&[
                    ("response_type", "code"),
                    ("client_id", &client.client_id),
                    ("redirect_uri", callback),
                    ("scope", "todo.read"),
                    ("state", "a b/c+d=="),
                ]);
                let left = Browser::new(&world.running).agree(&asked, "ada@example.com").await;
                assert!(left.as_str().starts_with(&format!("{callback}?")), "{left}");
                assert_eq!(parameter(&left, "state").as_deref(), Some("a b/c+d=="));
                let code = parameter(&left, "code").expect("a code");
                let redeem = |redirect_uri| {
                    let fields =
                        [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", redirect_uri)];
                    let (world, client) = (&world, &client);
                    async move { post(world, client, secret, "/token", &fields).await }
                };
                // A code that went to one host is not good under the name of the other.
                let twin = CALLBACKS.into_iter().find(|other| *other != callback).unwrap();
                assert_eq!(redeem(twin).await.1["error"], "invalid_grant");
                let (status, tokens) = redeem(callback).await;
                assert_eq!((status.as_u16(), tokens["token_type"].as_str()), (200, Some("bearer")), "{tokens}");
                assert_eq!(tokens["scope"], "todo.read");

                let access = tokens["access_token"].as_str().unwrap();
                let (_, active) = world.running.introspect(&service, access).await;
                assert_eq!((active["active"].as_bool(), active["scope"].as_str()), (Some(true), Some("todo.read")));

                let refresh_token = tokens["refresh_token"].as_str().unwrap();
                let fields = [("grant_type", "refresh_token"), ("refresh_token", refresh_token)];
                let (status, next) = post(&world, &client, secret, "/token", &fields).await;
                assert_eq!(status, 200, "{next}");
                let next = next["refresh_token"].as_str().unwrap();
                assert_ne!(next, refresh_token);

                assert_eq!(post(&world, &client, secret, "/revoke", &[("token", next)]).await.0, 200);
                assert_eq!(world.running.introspect(&service, access).await.1, json!({ "active": false }));
                let fields = [("grant_type", "refresh_token"), ("refresh_token", next)];
                assert_eq!(post(&world, &client, secret, "/token", &fields).await.1["error"], "invalid_grant");
            }
        }
    }
}
