//! Keys as a way in: clients that name hosts for their keys which only this server can reach, or which turn on whoever
//! fetches. Rows 19 and 20; `documents` has the same of clients' descriptions.

use std::net::TcpListener;

use consentry::outbound::Settings;
use reqwest::StatusCode;
use serde_json::json;

use crate::{
    harness::{
        connector::{Connector, Proof},
        server::{Options, World},
        signer::Signer,
        strangers::{Strangers, answer::Answer},
    },
    on_both_engines,
};

const CALLBACK: &str = "https://app.example/cb";

on_both_engines! {
    async fn keys_are_fetched_from_nowhere_that_is_not_for_strangers(engine) {
        let strangers = Strangers::new();
        let (host, elsewhere) = (strangers.host("keys.example"), strangers.host("elsewhere.example"));
        let inside = TcpListener::bind("127.0.0.2:0").unwrap();
        inside.set_nonblocking(true).unwrap();
        let inner = inside.local_addr().unwrap();
        strangers.lead("inner.example", &[inner]);
        // 127.0.0.1 stands for the outside.
        let outbound = Settings { allow: vec!["127.0.0.1/32".parse().unwrap()], ..strangers.settings() };
        let world = World::with(engine, Options { outbound, ..Options::default() }).await;
        let signer = Signer::es256("key-1");
        elsewhere.answer("/keys.json", Answer::json(&signer.key_set()));
        host.answer("/redirects", Answer::redirect(elsewhere.url("/keys.json").as_str()));
        host.answer("/hangs", Answer::hang());
        host.answer("/huge", Answer::huge(10 * 1024 * 1024 * 1024));
        host.answer("/endless", Answer::endless());
        let on_host = |path: &str| host.url(path).to_string();
        for (jwks_uri, connections) in [
            (format!("https://{inner}/keys.json"), 0),
            (format!("https://inner.example:{}/keys.json", inner.port()), 0),
            ("https://169.254.169.254/latest/meta-data".to_owned(), 0),
            ("https://[::ffff:a9fe:a9fe]/keys".to_owned(), 0),
            (format!("https://localhost:{}/keys.json", inner.port()), 0),
            (on_host("/redirects"), 1),
            (on_host("/hangs"), 1),
            (on_host("/huge"), 1),
            (on_host("/endless"), 1),
        ] {
            let registered = json!({
                "redirect_uris": [CALLBACK],
                "token_endpoint_auth_method": "private_key_jwt",
                "jwks_uri": jwks_uri,
            });
            let (status, told) = world.running.json("/register", &registered).await;
            assert_eq!(status, StatusCode::CREATED, "{jwks_uri}: {told}");
            let client_id = told["client_id"].as_str().unwrap();
            let proof = Proof::Key(&signer);
            let connector = Connector { client_id, redirect_uri: CALLBACK, running: &world.running, proof };
            let code = connector.code(&[]).await;
            let before = host.connections();
            for _ in 0..3 {
                let (status, told) = connector.redeem(&code).await;
                let expected = (StatusCode::SERVICE_UNAVAILABLE, &json!("temporarily_unavailable"));
                assert_eq!((status, &told["error"]), expected, "{jwks_uri}: {told}");
            }
            assert_eq!(host.connections() - before, connections, "{jwks_uri}");
            assert!(host.sent() < 8 * 1024 * 1024, "{jwks_uri}");
        }
        assert!(inside.accept().is_err() && elsewhere.connections() == 0);
    }
}
