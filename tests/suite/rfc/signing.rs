//! Access tokens are signed as each resource wants, and the key set (RFC 7517 §5) says with what (RFC 9068 §4).

use chrono::TimeDelta;
use consentry::{
    clock::Clock,
    keys::master::MasterKey,
    model::{client::Dialect, key_timetable::KeyTimetable, public_key::SigningAlgorithm, resource::ResourceIdentifier},
    registry::keys::{Means, sign_for},
};
use jsonwebtoken::{DecodingKey, Validation, jwk::JwkSet};
use serde_json::Value;

use crate::{
    harness::server::{MASTER, Options, World},
    on_both_engines,
};

on_both_engines! {
    async fn access_tokens_are_signed_as_each_resource_wants(engine) {
        let clock = Clock::standing_at(Clock::system().now());
        let world = World::with(engine, Options { clock: clock.clone(), ..Options::default() }).await;
        let (running, store) = (&world.running, &world.running.server.store);
        let (client, service) = (world.client(Dialect::Plugin).await, world.client(Dialect::Service).await);
        let code = running.code(&client).await;
        let (_, tokens) = running.redeem(&client, &code).await;
        let mut refresh = tokens["refresh_token"].as_str().unwrap().to_owned();
        let (master, timetable) = (MasterKey::new(MASTER), KeyTimetable::default());
        let means = Means { master: &master, timetable: &timetable };
        let canonical = world.plugin.resource.parse::<ResourceIdentifier>().unwrap().canonical();
        let follow = async || running.server.keyring.follow(store, clock.now()).await.unwrap();

        let mut before = "ES256";
        for (algorithm, keys) in [
            (SigningAlgorithm::Rs256, 2), (SigningAlgorithm::EdDsa, 3), (SigningAlgorithm::Es256, 3), (SigningAlgorithm::Rs256, 3),
        ] {
            let begins = sign_for(&running.registry(), means, &canonical, algorithm).await.unwrap().1;
            follow().await;
            // The set has it before anything is signed with it.
            let url = format!("{}/.well-known/jwks.json", running.own);
            let published: Value = reqwest::get(&url).await.unwrap().json().await.unwrap();
            assert_eq!(published["keys"].as_array().map(Vec::len), Some(keys), "{published}");
            let set: JwkSet = serde_json::from_value(published.clone()).unwrap();
            let mut signed_with = Vec::new();
            for seconds in [0, 311] {
                clock.advance(TimeDelta::seconds(seconds));
                sign_for(&running.registry(), means, &canonical, algorithm).await.unwrap();
                follow().await;
                let (status, tokens) = running.refresh(&client, &refresh).await;
                assert_eq!(status, 200, "{tokens}");
                refresh = tokens["refresh_token"].as_str().unwrap().to_owned();
                let access = tokens["access_token"].as_str().unwrap();
                assert_eq!(running.introspect(&service, access).await.1["active"], true);
                // And by a library that knows nothing of this server but the set.
                let header = jsonwebtoken::decode_header(access).unwrap();
                let jwk = set.find(header.kid.as_deref().unwrap()).unwrap();
                let mut validation = Validation::new(header.alg);
                validation.set_audience(&[&world.plugin.resource]);
                validation.validate_exp = false;
                jsonwebtoken::decode::<Value>(access, &DecodingKey::from_jwk(jwk).unwrap(), &validation).unwrap();
                let own = published["keys"].as_array().unwrap().iter();
                let own = own.filter(|key| key["kid"].as_str() == header.kid.as_deref()).collect::<Vec<_>>();
                assert_eq!((own.len(), own[0]["alg"].as_str()), (1, Some(format!("{:?}", header.alg).as_str())));
                signed_with.push(format!("{:?}", header.alg));
            }
            let expected = if begins.is_some() { before } else { algorithm.as_str() };
            assert_eq!(signed_with, [expected, algorithm.as_str()], "begins {begins:?}");
            before = algorithm.as_str();
        }
        assert_eq!(world.database.audited("resource.signing_changed").await, 4);
        sign_for(&running.registry(), means, &canonical, SigningAlgorithm::Rs256).await.unwrap();
        assert_eq!(world.database.audited("resource.signing_changed").await, 4, "nothing changed, nothing told");
        let nowhere = sign_for(&running.registry(), means, "https://nowhere.example", SigningAlgorithm::Rs256).await;
        assert!(nowhere.is_err());
    }

    async fn the_key_set_says_what_each_kind_of_key_is_made_of(engine) {
        let world = World::new(engine).await;
        let running = &world.running;
        let (master, timetable) = (MasterKey::new(MASTER), KeyTimetable::default());
        let means = Means { master: &master, timetable: &timetable };
        let canonical = world.plugin.resource.parse::<ResourceIdentifier>().unwrap().canonical();
        for algorithm in [SigningAlgorithm::Rs256, SigningAlgorithm::EdDsa] {
            sign_for(&running.registry(), means, &canonical, algorithm).await.unwrap();
        }
        let server = &running.server;
        server.keyring.follow(&server.store, server.clock.now()).await.unwrap();
        let url = format!("{}/.well-known/jwks.json", running.own);
        let published: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
        let mut shapes: Vec<String> = published["keys"]
            .as_array()
            .unwrap()
            .iter()
            .map(|key| {
                let members = key.as_object().unwrap().iter();
                let shape = members.map(|(name, value)| match name.as_str() {
                    "kid" => name.clone(),
                    "x" | "y" | "n" => format!("{name}:{}", value.as_str().unwrap().len()),
                    _ => format!("{name}={}", value.as_str().unwrap()),
                });
                let mut shape: Vec<_> = shape.collect();
                shape.sort();
                shape.join(" ")
            })
            .collect();
        shapes.sort();
        assert_eq!(
            shapes,
            [
                "alg=ES256 crv=P-256 kid kty=EC use=sig x:43 y:43",
                "alg=EdDSA crv=Ed25519 kid kty=OKP use=sig x:43",
                "alg=RS256 e=AQAB kid kty=RSA n:342 use=sig",
            ]
        );
    }
}
