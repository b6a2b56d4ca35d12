//! A client nobody has heard of: it finds the server, registers itself, is consented to, and keeps its connection.

use reqwest::Client;
use serde_json::{Value, json};

use crate::{
    harness::{
        browser::{Browser, read},
        connector::{Connector, Proof, refresh_token},
        server::World,
    },
    on_both_engines,
};

const CALLBACK: &str = "https://app.example/oauth/callback";

on_both_engines! {
    async fn it_registers_connects_and_refreshes_by_every_method(engine) {
        let world = World::new(engine).await;
        let http = Client::new();
        let metadata = http.get(format!("{}/.well-known/oauth-authorization-server", world.running.url));
        let (_, metadata) = read(metadata.send().await.unwrap()).await;
        let endpoint = metadata["registration_endpoint"].as_str().expect("it is advertised");
        for method in ["none", "client_secret_post", "client_secret_basic"] {
            let methods = metadata["token_endpoint_auth_methods_supported"].as_array().unwrap();
            assert!(methods.contains(&json!(method)), "{method} is advertised");
            let body = json!({
                "client_name": "Example App",
                "redirect_uris": [CALLBACK],
                "grant_types": ["authorization_code", "refresh_token"],
                "response_types": ["code"],
                "token_endpoint_auth_method": method,
            });
            let (status, told) = read(http.post(endpoint).json(&body).send().await.unwrap()).await;
            assert_eq!(status, 201, "{told}");
            let proof = match (method, told["client_secret"].as_str()) {
                ("none", None) => Proof::Nothing,
                ("client_secret_post", Some(secret)) => Proof::Secret(secret),
                ("client_secret_basic", Some(secret)) => Proof::Basic(secret),
                other => panic!("{other:?}"),
            };
            let client_id = told["client_id"].as_str().unwrap();
            let connector = Connector { client_id, redirect_uri: CALLBACK, ..Connector::new(&world.running, proof) };
            let resource = [("resource", world.plugin.resource.as_str())];
            let (status, tokens) = connector.redeem(&connector.code(&resource).await).await;
            assert_eq!(status, 200, "{method}: {tokens}");
            assert_eq!(tokens["scope"], told["scope"]);
            let (status, refreshed) = connector.refresh(&refresh_token(&tokens)).await;
            assert_eq!(status, 200, "{method}: {refreshed}");
            let wrong = [Proof::Nothing, Proof::Secret("cst_cs_x"), Proof::Basic("cst_cs_x")];
            for proof in wrong.into_iter().skip(usize::from(method == "none")) {
                let (status, refused) = connector.by(proof).refresh(&refresh_token(&refreshed)).await;
                assert_eq!((status.as_u16(), &refused["error"]), (401, &json!("invalid_client")), "{method}");
            }
        }
    }

    /// Without PKCE it is refused: it is a connector, whatever it registered.
    async fn it_needs_pkce_with_a_secret_too(engine) {
        let world = World::new(engine).await;
        let (_, told) = world.running.json("/register", &json!({ "redirect_uris": [CALLBACK] })).await;
        let address = crate::harness::browser::authorize(&[
            ("response_type", "code"),
            ("client_id", told["client_id"].as_str().unwrap()),
            ("redirect_uri", CALLBACK),
        ]);
        let page = Browser::new(&world.running).get(&address).await.page();
        assert_eq!(page.status, 400);
        assert!(page.offered().starts_with(&format!("{CALLBACK}?error=invalid_request")), "{}", page.offered());
        assert_ne!(told["client_secret"], Value::Null);
    }
}
