//! Secrets: what is stored opens nothing, and nothing is delivered with a secret everybody knows.

use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use consentry::{model::client::Dialect, tokens::secret::SecretText};
use serde_json::Value;

use super::{by_hand::ByHand, connecting::Connecting};
use crate::{
    harness::{
        browser::{parameter, plugin_request},
        server::{MASTER, PASSWORD, Registered, World},
    },
    on_both_engines,
    store::tables::{Tables, hexadecimal},
};

/// The ways in which somebody may write down stored bytes.
fn spellings(bytes: &[u8]) -> Vec<String> {
    let hex = bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat();
    vec![
        hex.to_uppercase(),
        format!("\\x{hex}"),
        format!("sha256:{hex}"),
        hex,
        URL_SAFE_NO_PAD.encode(bytes),
        STANDARD.encode(bytes),
        format!("cst_cs_{}", URL_SAFE_NO_PAD.encode(bytes)),
    ]
}

/// What would be found of a text if it were stored: its second half, or, without prefix and checksum, its bytes. The
/// beginning does not count: what is no secret stands there, such as the id of a family.
fn traces(text: &str) -> Vec<String> {
    let half = &text[text.len() / 2..];
    let body = if text.starts_with("cst_") { &text[7..] } else { text };
    let bytes = URL_SAFE_NO_PAD.decode(&body[..body.len() / 4 * 4]).unwrap_or_default();
    let secret = &bytes[bytes.len().min(32).saturating_sub(11)..];
    // A part of them is enough, so every few of them are looked for.
    let parts = secret.windows(11).step_by(5).take(8).map(hexadecimal);
    parts.chain([half.to_owned(), hexadecimal(half.as_bytes())]).collect()
}

on_both_engines! {
    /// Row 22: a stolen database proves nothing.
    async fn what_is_stored_of_a_secret_is_not_the_secret(engine) {
        let world = World::new(engine).await;
        let client = world.client(Dialect::Action).await;
        let server = &world.running.server;
        let row = server.store.client(&client.client_id, server.clock.now()).await.unwrap().unwrap();
        let digest = row.secrets[0].digest.0;
        assert_eq!(digest, SecretText::parse("cst_cs_", &client.client_secret).unwrap().digest().0);
        for stored in spellings(&digest) {
            let thief = Registered { client_id: client.client_id.clone(), client_secret: stored.clone() };
            let (status, refused) = world.running.refresh(&thief, "x").await;
            assert_eq!((status.as_u16(), refused["error"].as_str()), (401, Some("invalid_client")), "{stored}");
            assert_eq!(world.running.introspect(&thief, "x").await.0, 401, "{stored}");
        }
        // A password's stored text is not the password, and a session's digest is not the session.
        let (_, hash) = server.store.account_by_email(&"ada@example.com".parse().unwrap()).await.unwrap().unwrap();
        let browser = ByHand::new();
        let page = browser.get(&world.running, "/sign-in").await;
        assert_eq!(browser.sign_in(&world.running, &page, "ada@example.com", &hash.unwrap()).await.status, 422);
        let genuine = ByHand::new();
        let page = genuine.get(&world.running, "/sign-in").await;
        genuine.sign_in(&world.running, &page, "ada@example.com", crate::harness::server::PASSWORD).await;
        let session = genuine.cookie("consentry_session").unwrap();
        let stored = SecretText::parse("cst_ss_", &session).unwrap().digest().0;
        for stored in spellings(&stored).into_iter().chain([format!("cst_ss_{}", URL_SAFE_NO_PAD.encode(stored))]) {
            let thief = ByHand::new();
            thief.plant("consentry_session", &stored);
            assert!(!thief.get(&world.running, "/").await.body.contains("ada@example.com"), "{stored}");
        }
    }

    /// Row 40: nothing everybody knows opens anything, and an empty secret is none.
    async fn usual_secrets_open_nothing(engine) {
        let world = World::new(engine).await;
        let client = world.client(Dialect::Action).await;
        for guess in ["", "secret", "password", "admin", "changeme", "null", "undefined", "client_secret", "*", "%"] {
            let own = client.client_id.as_str();
            for client_id in [own, "admin", "consentry", "demo", "chatgpt", "*", "%", "' or 1=1 --"] {
                let guess = Registered { client_id: client_id.into(), client_secret: guess.into() };
                assert_eq!(world.running.refresh(&guess, "x").await.0, 401, "{guess:?}");
                assert_eq!(world.running.introspect(&guess, "x").await.0, 401, "{guess:?}");
            }
        }
        let browser = ByHand::new();
        let page = browser.get(&world.running, "/sign-in").await;
        for (email, password) in
            [("admin@example.com", "admin"), ("admin", "admin"), ("ada@example.com", ""), ("", "")]
        {
            assert_eq!(browser.sign_in(&world.running, &page, email, password).await.status, 422, "{email}");
        }
    }

    /// Row 40: two installations share no key, even under one master key; what one made is nothing to the other.
    async fn each_installation_makes_its_own_keys(engine) {
        let (one, other) = (World::new(engine).await, World::new(engine).await);
        let keys = |world: &World| {
            let url = format!("{}/.well-known/jwks.json", world.running.url);
            async move { reqwest::get(url).await.unwrap().json::<Value>().await.unwrap()["keys"][0]["x"].clone() }
        };
        let published = keys(&one).await;
        assert!(published.is_string());
        assert_ne!(published, keys(&other).await);
        let client = one.client(Dialect::Plugin).await;
        let (_, tokens) = one.running.redeem(&client, &one.running.code(&client).await).await;
        let service = other.client(Dialect::Service).await;
        for token in ["access_token", "refresh_token"] {
            let (_, told) = other.running.introspect(&service, tokens[token].as_str().unwrap()).await;
            assert_eq!(told["active"], false);
        }
        let stranger = other.client(Dialect::Plugin).await;
        let code = one.running.code(&client).await;
        assert_eq!(other.running.redeem(&stranger, &code).await.1["error"], "invalid_grant");
        let refreshed = other.running.refresh(&stranger, tokens["refresh_token"].as_str().unwrap()).await;
        assert_eq!(refreshed.1["error"], "invalid_grant");
    }

    /// Row 29: after a whole flow nothing that was shown, typed or handed out stands in the database, in any form that
    /// opens something.
    async fn nothing_that_is_stored_opens_anything(engine) {
        let world = World::new(engine).await;
        let (client, service) = (world.client(Dialect::Plugin).await, world.client(Dialect::Service).await);
        let browser = ByHand::new();
        let start = browser.get(&world.running, &plugin_request(&client)).await;
        let page = browser.get(&world.running, start.redirect()).await;
        browser.sign_in(&world.running, &page, "ada@example.com", "a mistyped password").await;
        let signed_in = browser.sign_in(&world.running, &page, "ada@example.com", PASSWORD).await;
        let consent = browser.get(&world.running, signed_in.redirect()).await;
        let left = browser.decide(&world.running, &consent, "allow").await.redirect().parse().unwrap();
        let code = parameter(&left, "code").unwrap();
        let (_, tokens) = world.running.redeem(&client, &code).await;
        let text = |answer: &Value, name: &str| answer[name].as_str().unwrap().to_owned();
        let (access, first) = (text(&tokens, "access_token"), text(&tokens, "refresh_token"));
        let (_, next) = world.running.refresh(&client, &first).await;
        let second = text(&next, "refresh_token");
        world.running.introspect(&service, &access).await;
        world.running.redeem(&client, &code).await;
        consentry::jobs::flows::keep(&world.running.server).await.unwrap();
        let stored = Tables::everything(&world.database).await;
        assert!(stored.contains("The person signed in."), "the flow record was read");
        let kept = SecretText::parse("cst_cs_", &client.client_secret).unwrap().digest().0;
        assert!(stored.contains("ada@example.com") && stored.contains(&hexadecimal(&kept)), "the database was read");
        let cookie = |name| browser.cookie(name).unwrap();
        let (session, mark) = (cookie("consentry_session"), cookie("consentry_browser"));
        for (kind, secret) in [
            ("password", PASSWORD), ("mistyped password", "a mistyped password"), ("r", &consent.hidden("r")),
            ("form token", &consent.hidden("csrf")), ("code", &code), ("access token", &access),
            ("refresh token", &first), ("next refresh token", &second), ("client secret", &client.client_secret),
            ("the API's secret", &service.client_secret), ("session", &session), ("browser mark", &mark),
        ] {
            for form in traces(secret) {
                assert!(!stored.contains(&form), "{kind} is in the database");
            }
        }
        assert!(!stored.contains(&hexadecimal(&MASTER)), "the master key is in the database");
    }

    /// Row 29: the same of what connectors show, and are shown when they register.
    async fn nothing_that_is_stored_of_a_connector_opens_anything(engine) {
        let connecting = Connecting::new(engine).await;
        let kept = SecretText::parse("cst_ra_", &connecting.register().await.token).unwrap().digest().0;
        let secrets = connecting.with_every_mistake().await;
        consentry::jobs::flows::keep(&connecting.world.running.server).await.unwrap();
        let stored = Tables::everything(&connecting.world.database).await;
        let key = connecting.signer.key_set()["keys"][0]["n"].as_str().unwrap().to_owned();
        assert!(stored.contains(&key) && stored.contains(&hexadecimal(&kept)), "the database was read");
        for (kind, secret) in secrets {
            for form in traces(&secret) {
                assert!(!stored.contains(&form), "{kind} is in the database");
            }
        }
    }
}
