//! Keys in the wrong hands: whoever knows one that was ended can do nothing with it.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use consentry::{
    clock::Clock,
    jobs,
    keys::master::MasterKey,
    model::{
        client::Dialect, key::Purpose, key_timetable::KeyTimetable, public_key::SigningAlgorithm,
        resource::ResourceIdentifier,
    },
    registry::keys::{Means, compromised, sign_for},
    tokens,
};
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use serde_json::Value;

use crate::{
    harness::{
        server::{MASTER, Options, Running, World},
        signer::Signer,
    },
    on_both_engines,
};

/// Ends the keys of a purpose in haste, and lets the seconds go by that this takes.
async fn end(running: &Running, clock: &Clock, purpose: Purpose) {
    let (master, timetable) = (MasterKey::new(MASTER), KeyTimetable::default());
    let means = Means { master: &master, timetable: &timetable };
    compromised(&running.registry(), means, purpose).await.unwrap();
    clock.advance(TimeDelta::seconds(3));
    running.server.keyring.follow(&running.server.store, clock.now()).await.unwrap();
}

async fn with_clock(engine: crate::harness::databases::Engine) -> (World, Clock) {
    let clock = Clock::standing_at(Clock::system().now());
    (World::with(engine, Options { clock: clock.clone(), ..Options::default() }).await, clock)
}

async fn published(running: &Running) -> usize {
    let url = format!("{}/.well-known/jwks.json", running.own);
    let set: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
    set["keys"].as_array().unwrap().len()
}

on_both_engines! {
    async fn a_signing_key_that_was_ended_signs_nothing_that_is_believed(engine) {
        let (world, clock) = with_clock(engine).await;
        let running = &world.running;
        let (client, service) = (world.client(Dialect::Plugin).await, world.client(Dialect::Service).await);
        let code = running.code(&client).await;
        let (_, tokens) = running.redeem(&client, &code).await;
        let access = tokens["access_token"].as_str().unwrap();
        assert_eq!(running.introspect(&service, access).await.1["active"], true);
        // The thief has the very keys of now.
        let stolen = running.server.keyring.current();
        let claims = tokens::access::read(&stolen, &running.url, access, clock.now()).unwrap();
        end(running, &clock, Purpose::Sign).await;

        let forged = tokens::access::write(&stolen, SigningAlgorithm::Es256, &claims).unwrap();
        for token in [access, &forged] {
            assert_eq!(running.introspect(&service, token).await.1["active"], false);
        }
        assert_eq!(published(running).await, 1, "the old one is not published any more");
        // The connection itself goes on.
        let (status, next) = running.refresh(&client, tokens["refresh_token"].as_str().unwrap()).await;
        assert_eq!(status, 200, "{next}");
        assert_eq!(running.introspect(&service, next["access_token"].as_str().unwrap()).await.1["active"], true);
        // What is left of it is wiped.
        jobs::keys::once(&running.server).await.unwrap();
        assert_eq!(world.database.count("working_keys where purpose = 'sign' and length(wrapped) = 0").await, 1);
        assert_eq!(world.database.audited("key.ended").await, 1);
    }

    async fn a_mac_key_that_was_ended_opens_no_connection(engine) {
        let (world, clock) = with_clock(engine).await;
        let running = &world.running;
        let client = world.client(Dialect::Plugin).await;
        let code = running.code(&client).await;
        let (_, tokens) = running.redeem(&client, &code).await;
        let refresh = tokens["refresh_token"].as_str().unwrap();
        let stolen = running.server.keyring.current();
        let line = tokens::refresh::read(&stolen, refresh).unwrap();
        end(running, &clock, Purpose::Mac).await;
        for counter in 0..3 {
            let forged = tokens::refresh::write(stolen.mac().unwrap(), &line.at(counter));
            let (status, told) = running.refresh(&client, &forged).await;
            assert_eq!((status.as_u16(), &told["error"]), (400, &Value::from("invalid_grant")), "{counter}");
        }
    }

    async fn a_token_under_a_known_kid_with_another_algorithm_is_none(engine) {
        let (world, clock) = with_clock(engine).await;
        let running = &world.running;
        let (client, service) = (world.client(Dialect::Plugin).await, world.client(Dialect::Service).await);
        let (master, timetable) = (MasterKey::new(MASTER), KeyTimetable::default());
        let means = Means { master: &master, timetable: &timetable };
        let canonical = world.plugin.resource.parse::<ResourceIdentifier>().unwrap().canonical();
        sign_for(&running.registry(), means, &canonical, SigningAlgorithm::Rs256).await.unwrap();
        clock.advance(TimeDelta::seconds(311));
        running.server.keyring.follow(&running.server.store, clock.now()).await.unwrap();
        let code = running.code(&client).await;
        let (_, tokens) = running.redeem(&client, &code).await;
        let honest = tokens["access_token"].as_str().unwrap();
        let header = jsonwebtoken::decode_header(honest).unwrap();
        assert_eq!(header.alg, Algorithm::RS256);
        assert_eq!(running.introspect(&service, honest).await.1["active"], true);

        // Whoever can read the key set knows these bytes; a verifier that believed the header would take them as a secret.
        let url = format!("{}/.well-known/jwks.json", running.own);
        let set: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
        let of = |kid: &str| set["keys"].as_array().unwrap().iter().find(|key| key["kid"] == kid).unwrap().clone();
        let rsa = of(header.kid.as_deref().unwrap());
        let elliptic = set["keys"].as_array().unwrap().iter().find(|key| key["kty"] == "EC").unwrap()["kid"].clone();
        let n = rsa["n"].as_str().unwrap();
        let claims: Value = {
            let part = honest.split('.').nth(1).unwrap();
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
        };
        let thief = Signer::es256("thief");
        let signed = |algorithm, kid: &Value, key: &EncodingKey| {
            let mut forged = Header::new(algorithm);
            (forged.typ, forged.kid) = (header.typ.clone(), kid.as_str().map(str::to_owned));
            jsonwebtoken::encode(&forged, &claims, key).unwrap()
        };
        let mut forged = Vec::new();
        for secret in [n.as_bytes().to_vec(), URL_SAFE_NO_PAD.decode(n).unwrap(), rsa.to_string().into_bytes(), Vec::new()] {
            forged.push(signed(Algorithm::HS256, &rsa["kid"], &EncodingKey::from_secret(&secret)));
            forged.push(signed(Algorithm::HS256, &elliptic, &EncodingKey::from_secret(&secret)));
        }
        for kid in [&rsa["kid"], &elliptic] {
            forged.push(thief.sign_with(&serde_json::json!({ "kid": kid, "typ": "at+jwt" }), &claims));
        }
        let (signed_part, _) = honest.rsplit_once('.').unwrap();
        let (_, body) = signed_part.split_once('.').unwrap();
        for alg in ["none", "HS256", "ES256", "RS384", "PS256"] {
            let head = serde_json::json!({ "alg": alg, "typ": "at+jwt", "kid": rsa["kid"] }).to_string();
            let signature = honest.rsplit_once('.').unwrap().1;
            forged.push(format!("{}.{body}.{signature}", URL_SAFE_NO_PAD.encode(&head)));
            forged.push(format!("{}.{body}.", URL_SAFE_NO_PAD.encode(&head)));
        }
        for token in forged {
            assert_eq!(running.introspect(&service, &token).await.1["active"], false, "{token}");
        }
    }

    async fn codes_and_requests_of_keys_that_were_ended_lead_nowhere(engine) {
        let (world, clock) = with_clock(engine).await;
        let running = &world.running;
        let client = world.client(Dialect::Plugin).await;
        let code = running.code(&client).await;
        end(running, &clock, Purpose::SealCode).await;
        let (status, told) = running.redeem(&client, &code).await;
        assert_eq!((status.as_u16(), &told["error"]), (400, &Value::from("invalid_grant")));

        let browser = crate::attacks::by_hand::ByHand::new();
        let request = crate::harness::browser::plugin_request(&client);
        let to_sign_in = browser.get(running, &request).await.redirect().to_owned();
        assert_eq!(browser.get(running, &to_sign_in).await.status, 200);
        end(running, &clock, Purpose::SealRequest).await;
        assert_eq!(browser.get(running, &to_sign_in).await.status, 400);
    }
}
