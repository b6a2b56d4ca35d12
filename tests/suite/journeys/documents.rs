//! Connectors that are known by their metadata documents: ChatGPT's in its three shapes, as its own host serves it, as
//! it stands pinned, and with its keys out of reach. The host is played under its real name.

use chrono::TimeDelta;
use consentry::model::client::AuthenticationMethod;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    harness::{
        browser::{Arrived, Browser, parameter},
        connected::Connected,
        connector::{CLIENT_ID, Connector, Proof, REDIRECT_URI, document, publish, refresh_token, shapes},
        signer::Signer,
        strangers::answer::Answer,
    },
    on_both_engines,
};

/// Redeems, refreshes and refreshes again.
async fn walk(connector: &Connector<'_>) {
    let left = connector.agreed(&[("resource", &connector.running.url.replace("localhost", "LOCALHOST"))]).await;
    // The resource of the tests has a path; naming another one is refused, in the words of RFC 8707.
    assert_eq!(parameter(&left, "error").as_deref(), Some("invalid_target"), "{left}");
    let left = connector.agreed(&[]).await;
    assert!(left.as_str().starts_with(REDIRECT_URI), "{left}");
    assert_eq!(parameter(&left, "iss").as_ref(), Some(&connector.running.url));
    let (status, first) = connector.redeem(&parameter(&left, "code").unwrap()).await;
    assert_eq!(status, StatusCode::OK, "{first}");
    let (status, second) = connector.refresh(&refresh_token(&first)).await;
    assert_eq!(status, StatusCode::OK, "{second}");
    assert_ne!(refresh_token(&first), refresh_token(&second));
}

on_both_engines! {
    async fn chatgpts_document_links_and_refreshes_in_each_of_its_shapes(engine) {
        for (name, document) in shapes() {
            let it = Connected::new(engine).await;
            publish(&it.host, &document, &it.signer);
            let offered = |word: &str| document.to_string().contains(&format!("\"{word}\""));
            if offered("none") {
                walk(&it.connector(Proof::Nothing)).await;
            } else {
                let (status, told) = it.connector(Proof::Nothing).redeem(&it.connector(Proof::Nothing).code(&[]).await).await;
                assert_eq!((status, &told["error"]), (StatusCode::UNAUTHORIZED, &json!("invalid_client")), "{name}");
            }
            if offered("private_key_jwt") {
                walk(&it.connector(Proof::Key(&it.signer))).await;
            }
        }
    }

    async fn a_host_that_turns_servers_away_is_stood_in_for_by_the_pinned_copy(engine) {
        let it = Connected::new(engine).await;
        publish(&it.host, &document(), &it.signer);
        it.host.answer("/oauth/client.json", Answer::status(403));
        walk(&it.connector(Proof::Nothing)).await;
        walk(&it.connector(Proof::Key(&it.signer))).await;
        // The same for every id the vendor's template makes; the id is part of the redirect URI then.
        let templated = Connector {
            client_id: "https://chatgpt.com/oauth/cb_1a2b/client.json",
            redirect_uri: "https://chatgpt.com/connector/oauth/cb_1a2b",
            ..it.connector(Proof::Nothing)
        };
        it.host.answer("/oauth/cb_1a2b/client.json", Answer::status(403));
        templated.connect().await;
        // A document that is gone is gone.
        it.host.answer("/oauth/cb_gone/client.json", Answer::status(404));
        let gone = Connector { client_id: "https://chatgpt.com/oauth/cb_gone/client.json", ..templated };
        let page = Browser::new(&it.world.running).get(&gone.request(&[])).await.page();
        assert_eq!(page.status, StatusCode::BAD_GATEWAY);
    }

    async fn a_pinned_copy_never_takes_the_place_of_what_the_host_said(engine) {
        let it = Connected::new(engine).await;
        publish(&it.host, &shapes()[1].1, &it.signer);
        let token = it.connector(Proof::Key(&it.signer)).connect().await;
        // The pinned copy offers `none` as well; the document said keys alone.
        it.host.answer("/oauth/client.json", Answer::status(403));
        it.clock.advance(TimeDelta::minutes(61));
        let (status, told) = it.connector(Proof::Nothing).refresh(&token).await;
        assert_eq!((status, &told["error"]), (StatusCode::UNAUTHORIZED, &json!("invalid_client")));
        let (status, answer) = it.connector(Proof::Key(&it.signer)).refresh(&token).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        it.connector(Proof::Key(&it.signer)).code(&[]).await;
        let client = it.world.running.server.store.client(CLIENT_ID, it.clock.now()).await.unwrap().unwrap();
        assert_eq!(client.authentication_methods, AuthenticationMethod::PrivateKeyJwt.into());
    }

    async fn a_document_that_changes_its_methods_breaks_no_living_connection(engine) {
        let [(_, public), (_, keys), (_, both)] = shapes();
        let it = Connected::new(engine).await;
        publish(&it.host, &public, &it.signer);
        let token = it.connector(Proof::Nothing).connect().await;
        let turn = async |document: &Value, proof, token: &str| {
            publish(&it.host, document, &it.signer);
            it.clock.advance(TimeDelta::minutes(61));
            it.connector(proof).refresh(token).await
        };
        // From public to keys, as it happened in August 2026.
        let (status, answer) = turn(&keys, Proof::Key(&it.signer), &token).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        // With both offered, the stronger one stays.
        let token = refresh_token(&answer);
        let (status, told) = turn(&both, Proof::Nothing, &token).await;
        assert_eq!((status, &told["error"]), (StatusCode::BAD_REQUEST, &json!("invalid_grant")));
        let (status, answer) = turn(&both, Proof::Key(&it.signer), &token).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        // And back to public: what the document has given up cannot be asked for.
        let (status, answer) = turn(&public, Proof::Nothing, &refresh_token(&answer)).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        assert_eq!(it.world.database.count("clients").await, 1, "one row through all of it");
    }

    async fn every_algorithm_the_metadata_names_serves(engine) {
        for signer in [Signer::rs256("r"), Signer::es256("e"), Signer::eddsa("d")] {
            let it = Connected::new(engine).await;
            let mut document = shapes()[1].1.clone();
            document.as_object_mut().unwrap().remove("token_endpoint_auth_signing_alg");
            publish(&it.host, &document, &signer);
            walk(&it.connector(Proof::Key(&signer))).await;
        }
    }

    async fn nothing_is_kept_of_a_document_before_somebody_consents(engine) {
        let it = Connected::new(engine).await;
        publish(&it.host, &shapes()[0].1, &it.signer);
        let browser = Browser::new(&it.world.running);
        let page = browser.get(&it.connector(Proof::Nothing).request(&[])).await.page();
        assert!(page.html.contains("ChatGPT"));
        let Arrived::Page(consent) = browser.sign_in(&page, "ada@example.com").await else { panic!("no consent page") };
        assert!(consent.html.contains("chatgpt.com"), "the host that vouches for the name is shown");
        assert_eq!(it.world.database.count("clients").await, 0);
        browser.decide(&consent, "deny").await.left();
        assert_eq!(it.world.database.count("clients").await, 0);
        it.connector(Proof::Nothing).connect().await;
        it.connector(Proof::Nothing).connect().await;
        assert_eq!(it.world.database.count("clients").await, 1);
        let client = it.world.running.server.store.client(CLIENT_ID, it.clock.now()).await.unwrap().unwrap();
        assert!(client.authentication_methods.contains(AuthenticationMethod::None));
        assert_eq!(it.host.requests_for("/oauth/client.json"), 1, "read once, however many steps it takes");
    }
}
