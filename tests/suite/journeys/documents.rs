//! Connectors that are known by their metadata documents: ChatGPT's in its three shapes, as its own host serves it, as
//! it stands pinned, and with its keys out of reach. The host is played under its real name.

use std::{sync::Arc, time::Duration};

use chrono::TimeDelta;
use consentry::model::client::AuthenticationMethod;
use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    harness::{
        browser::{Arrived, Browser, parameter},
        connected::Connected,
        connector::{
            CLIENT_ID, Connector, Proof, REDIRECT_URI, document, of_any_algorithm, publish, refresh_token, shapes,
        },
        process::Consentry,
        signer::Signer,
        strangers::answer::Answer,
    },
    on_both_engines, writes,
};

/// A document of a vendor nobody has pinned, with something else in it.
fn unknown_vendors(path: &str, members: &Value) -> Value {
    let mut document = shapes()[0].1.clone();
    document["client_id"] = json!(format!("https://client.example{path}"));
    document.as_object_mut().unwrap().extend(members.as_object().unwrap().clone());
    document
}

/// The connector with that document.
fn unknown_vendor<'a>(it: &'a Connected, client_id: &'a str) -> Connector<'a> {
    Connector { client_id, ..it.connector(Proof::Nothing) }
}

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
            publish(&it.host, &of_any_algorithm(1), &signer);
            walk(&it.connector(Proof::Key(&signer))).await;
        }
    }

    async fn a_row_made_from_the_pinned_copy_follows_its_host_and_newer_copies(engine) {
        let it = Connected::new(engine).await;
        it.host.answer("/oauth/client.json", Answer::status(403));
        it.host.answer("/oauth/jwks.json", Answer::json(&it.signer.key_set()));
        let token = it.with_key().connect().await;
        let first = it.row().await.document.unwrap();
        assert!(first.is_pinned);
        // An older program's copy knew another address to send people to.
        let old = "update clients set redirect_uris = '[\"https://chatgpt.com/old\"]'";
        it.world.database.execute(old).await;
        it.later(TimeDelta::minutes(6));
        let left = it.with_key().agreed(&[]).await;
        assert!(left.as_str().starts_with(REDIRECT_URI), "{left}");
        let renewed = it.row().await.document.unwrap();
        assert!(renewed.is_pinned && renewed.fetched_at > first.fetched_at);
        // One that says the same is no news, and costs no write.
        it.later(TimeDelta::hours(2));
        it.with_key().code(&[]).await;
        assert_eq!(it.row().await.document, Some(renewed));
        // Its host goes before it, and what that said stays when it falls silent again.
        publish(&it.host, &shapes()[1].1, &it.signer);
        it.later(TimeDelta::minutes(6));
        let (status, told) = it.connector(Proof::Nothing).refresh(&token).await;
        assert_eq!((status, &told["error"]), (StatusCode::UNAUTHORIZED, &json!("invalid_client")));
        let live = it.row().await.document.unwrap();
        assert!(!live.is_pinned);
        it.host.answer("/oauth/client.json", Answer::status(403));
        it.later(TimeDelta::hours(30));
        let (status, answer) = it.with_key().refresh(&token).await;
        assert_eq!((status, it.row().await.document), (StatusCode::OK, Some(live)), "{answer}");
    }

    async fn where_the_host_keeps_programs_out_keys_are_supplied_before_linking(engine) {
        let it = Connected::new(engine).await;
        for path in ["/oauth/client.json", "/oauth/jwks.json"] {
            it.host.answer(path, Answer::status(403));
        }
        let folder = tempfile::tempdir().unwrap();
        let keys = folder.path().join("keys.json");
        std::fs::write(&keys, it.signer.key_set().to_string()).unwrap();
        let public_url = it.world.running.url.clone();
        let consentry = Consentry { folder: folder.path(), database: &it.world.database, port: 0, public_url };
        let told =
            consentry.answer(&["client", "supply-keys", CLIENT_ID, "--jwks-file", keys.to_str().unwrap(), "--json"]);
        assert_eq!(told["keys"]["key_ids"], json!(["key-1"]), "{told}");
        walk(&it.with_key()).await;
        it.later(TimeDelta::hours(72));
        walk(&it.with_key()).await;
        assert_eq!(it.host.requests_for("/oauth/jwks.json"), 0);
    }

    async fn a_host_that_hangs_is_waited_for_once_in_a_sign_in(engine) {
        let it = Connected::new(engine).await;
        let (host, document) = (it.strangers.host("client.example"), unknown_vendors("/client.json", &json!({})));
        host.answer("/client.json", Answer::json(&document));
        let connector = unknown_vendor(&it, "https://client.example/client.json");
        let token = connector.connect().await;
        it.later(TimeDelta::hours(2));
        host.answer("/client.json", Answer::hang());
        let before = host.connections();
        connector.code(&[]).await;
        assert_eq!(connector.refresh(&token).await.0, StatusCode::OK);
        assert_eq!(host.connections(), before + 1, "however many steps it takes");
        it.later(TimeDelta::minutes(1));
        connector.code(&[]).await;
        assert_eq!(host.connections(), before + 2);
    }

    async fn whoever_goes_away_costs_no_further_look_at_a_document(engine) {
        let it = Connected::new(engine).await;
        publish(&it.host, &shapes()[0].1, &it.signer);
        let token = it.connector(Proof::Nothing).connect().await;
        it.later(TimeDelta::hours(2));
        it.host.answer("/oauth/client.json", Answer::json(&shapes()[0].1).after(Duration::from_millis(400)));
        let before = it.host.requests_for("/oauth/client.json");
        let server = Arc::clone(&it.world.running.server);
        let vanishing = async { server.client_that_asks(CLIENT_ID).await.is_ok() };
        assert!(tokio::time::timeout(Duration::from_millis(100), vanishing).await.is_err(), "it goes away meanwhile");
        let (status, answer) = it.connector(Proof::Nothing).refresh(&token).await;
        assert_eq!(status, StatusCode::OK, "{answer}");
        assert_eq!(it.host.requests_for("/oauth/client.json"), before + 1);
    }

    async fn keys_in_a_document_serve_for_a_day_after_it_could_first_not_be_read(engine) {
        let it = Connected::new(engine).await;
        let host = it.strangers.host("client.example");
        let keys = json!({ "token_endpoint_auth_method": "private_key_jwt", "jwks": it.signer.key_set() });
        host.answer("/client.json", Answer::json(&unknown_vendors("/client.json", &keys)));
        let connector = unknown_vendor(&it, "https://client.example/client.json").by(Proof::Key(&it.signer));
        let mut token = connector.connect().await;
        it.later(TimeDelta::hours(72));
        for answer in [Answer::status(410), Answer::status(503)] {
            host.answer("/client.json", answer);
            let (status, told) = connector.refresh(&token).await;
            assert_eq!(status, StatusCode::OK, "{told}");
            token = refresh_token(&told);
            it.later(TimeDelta::minutes(690));
        }
        let (status, told) = connector.refresh(&token).await;
        assert_eq!(status, StatusCode::OK, "23 hours: {told}");
        token = refresh_token(&told);
        it.later(TimeDelta::hours(2));
        let (status, told) = connector.refresh(&token).await;
        assert_eq!((status, &told["error"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("temporarily_unavailable")));
        host.answer("/client.json", Answer::json(&unknown_vendors("/client.json", &keys)));
        it.later(TimeDelta::minutes(1));
        let (status, told) = connector.refresh(&token).await;
        assert_eq!(status, StatusCode::OK, "{told}");
    }

    async fn whoever_changes_a_document_every_minute_fills_no_log(engine) {
        let it = Connected::new(engine).await;
        let host = it.strangers.host("client.example");
        let publish = |also: usize| {
            let uris = [REDIRECT_URI.to_owned(), format!("https://client.example/cb/{also}")];
            let document = unknown_vendors("/client.json", &json!({ "redirect_uris": uris }));
            host.answer("/client.json", Answer::json(&document).header("Cache-Control", "no-store"));
        };
        publish(0);
        let connector = unknown_vendor(&it, "https://client.example/client.json");
        connector.connect().await;
        for number in 1..=60 {
            publish(number);
            it.later(TimeDelta::minutes(3));
            connector.code(&[]).await;
        }
        let told = it.world.database.audited("client.changed").await;
        assert_eq!(told, 3, "one an hour in three hours");
        // And nothing that was ever acted on goes untold: what is in force is what was told last.
        let client = it.world.running.server.store.client(connector.client_id, it.clock.now()).await.unwrap().unwrap();
        let last = client.redirect_uris.last().unwrap().to_string();
        let named = format!("audit_events where action = 'client.changed' and cast(detail as text) like '%{last}\"%'");
        assert_eq!(it.world.database.count(&named).await, 1, "{last}");
    }

    async fn nor_does_who_has_keys_every_other_minute(engine) {
        let it = Connected::new(engine).await;
        let host = it.strangers.host("client.example");
        let publish = |jwks: Value| {
            let document = unknown_vendors("/client.json", &json!({ "jwks": jwks }));
            host.answer("/client.json", Answer::json(&document).header("Cache-Control", "no-store"));
        };
        publish(Value::Null);
        let connector = unknown_vendor(&it, "https://client.example/client.json");
        connector.connect().await;
        for number in 1..=60 {
            publish(if number % 2 == 0 { Value::Null } else { it.signer.key_set() });
            it.later(TimeDelta::minutes(3));
            connector.code(&[]).await;
        }
        assert_eq!(it.world.database.audited("client.changed").await, 3, "one an hour in three hours");
    }

    async fn twenty_who_wait_for_a_document_write_it_down_once(engine) {
        let written_by = async |callers: usize| {
            let it = Connected::new(engine).await;
            let document = Answer::json(&shapes()[0].1).header("Cache-Control", "no-store");
            it.host.answer("/oauth/client.json", document);
            let connector = it.connector(Proof::Nothing);
            let token = connector.connect().await;
            let rotated = connector.refresh(&token).await.0;
            // A refresh that only repeats writes nothing itself, and the document is old by now.
            it.later(TimeDelta::seconds(61));
            let refreshes = join_all((0..callers).map(|_| connector.refresh(&token)));
            let (answers, written) = writes!(it.world, refreshes.await);
            assert!(rotated == StatusCode::OK && answers.iter().all(|(status, _)| *status == StatusCode::OK));
            assert_eq!(it.host.requests_for("/oauth/client.json"), 2);
            written
        };
        let alone = written_by(1).await;
        assert!(alone > 0 && alone == written_by(20).await, "{alone}");
    }

    async fn a_document_is_kept_as_long_as_its_headers_allow_within_bounds(engine) {
        for (headers, fresh, stale) in [
            (("Cache-Control", "max-age=120"), TimeDelta::seconds(119), TimeDelta::seconds(2)),
            (("Cache-Control", "no-store"), TimeDelta::seconds(59), TimeDelta::seconds(2)),
            (("Cache-Control", "max-age=999999"), TimeDelta::hours(23), TimeDelta::hours(1)),
            (("X-Other", "nothing said"), TimeDelta::minutes(59), TimeDelta::minutes(1)),
        ] {
            let it = Connected::new(engine).await;
            let read = || it.host.requests_for("/oauth/client.json");
            it.host.answer("/oauth/client.json", Answer::json(&shapes()[0].1).header(headers.0, headers.1));
            // Both as it is remembered before anybody has consented, and as the row has it.
            for _ in 0..2 {
                Browser::new(&it.world.running).get(&it.connector(Proof::Nothing).request(&[])).await;
            }
            let mut token = it.connector(Proof::Nothing).connect().await;
            assert_eq!(read(), 1, "{headers:?}");
            for (by, times) in [(fresh, 1), (stale, 2)] {
                it.later(by);
                let (status, answer) = it.connector(Proof::Nothing).refresh(&token).await;
                assert_eq!((status, read()), (StatusCode::OK, times), "{headers:?}: {answer}");
                token = refresh_token(&answer);
            }
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
