//! Client assertions (RFC 7523): forged, borrowed, replayed, and a client that falls back to less than it had.

use consentry::random;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::{
    harness::{
        connector::{CLIENT_ID, Connector, Proof, now, publish, refresh_token, shapes},
        databases::{Engine, without_postgres},
        server::{Options, Running, World},
        signer::Signer,
        strangers::{Strangers, host::Host},
    },
    on_both_engines,
};

/// A connected client that proves itself with a key, and whose document offers to do without as well.
struct Victim {
    world: World,
    signer: Signer,
    token: String,
    strangers: Strangers,
    _host: Host,
}

impl Victim {
    async fn new(engine: Engine) -> Self {
        let strangers = Strangers::new();
        let host = strangers.host("chatgpt.com");
        let signer = Signer::rs256("key-1");
        publish(&host, &shapes()[2].1, &signer);
        let options = Options { outbound: strangers.settings(), ..Options::default() };
        let world = World::with(engine, options).await;
        let token = Connector::new(&world.running, Proof::Key(&signer)).connect().await;
        Self { world, signer, token, strangers, _host: host }
    }

    fn running(&self) -> &Running {
        &self.world.running
    }

    /// Presents the stolen refresh token with an assertion.
    async fn present(&self, assertion: &str) -> (StatusCode, Value) {
        Connector::new(self.running(), Proof::Assertion(assertion)).refresh(&self.token).await
    }

    fn claims(&self) -> Value {
        Signer::claims(CLIENT_ID, &self.running().url, now(&self.running().server))
    }
}

/// An assertion whose header says anything, signed with anything.
fn forged(header: &Value, claims: &Value, signature: &[u8]) -> String {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!("{}.{}.{}", part(header), part(claims), URL_SAFE_NO_PAD.encode(signature))
}

/// An assertion under a key of the attacker's, with a header of the attacker's.
fn signed(mut header: Header, claims: &Value, key: &EncodingKey) -> String {
    header.kid = Some("key-1".into());
    jsonwebtoken::encode(&header, claims, key).unwrap()
}

on_both_engines! {
    async fn a_forged_assertion_proves_nothing(engine) {
        let victim = Victim::new(engine).await;
        let claims = victim.claims();
        let published = victim.signer.key_set()["keys"][0].clone();
        let modulus = published["n"].as_str().unwrap().to_owned();
        let stranger = Signer::es256("key-1");
        let mut embedded = Header::new(Algorithm::ES256);
        embedded.jwk = serde_json::from_value(stranger.key_set()["keys"][0].clone()).ok();
        // What the honest one signed, and below it what it did not.
        let honest = victim.signer.sign(&victim.claims());
        let (head, signature) = (honest.split_once('.').unwrap().0, honest.rsplit_once('.').unwrap().1);
        let changed = forged(&json!({}), &claims, b"");
        let changed = changed.split('.').nth(1).unwrap();
        let attempts = [
            ("a signature from elsewhere", format!("{head}.{changed}.{signature}")),
            ("no signature", forged(&json!({ "alg": "none" }), &claims, b"")),
            ("none by another spelling", forged(&json!({ "alg": "None", "kid": "key-1" }), &claims, b"")),
            ("the public key as a secret", signed(Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(modulus.as_bytes()))),
            ("a key of the attacker's under the victim's name", stranger.sign(&claims)),
            ("a key that came along", jsonwebtoken::encode(&embedded, &claims, &attacker()).unwrap()),
            ("an unknown critical header", victim.signer.sign_with(&json!({ "crit": ["b64"], "b64": false }), &claims)),
            ("nonsense", "a.b.c".to_owned()),
            ("half of it", victim.signer.sign(&claims).rsplit_once('.').unwrap().0.to_owned()),
        ];
        for (how, assertion) in attempts {
            let (status, told) = victim.present(&assertion).await;
            assert_eq!((status, &told["error"]), (StatusCode::UNAUTHORIZED, &json!("invalid_client")), "{how}: {told}");
        }
        let (status, answer) = victim.present(&victim.signer.sign(&claims)).await;
        assert_eq!(status, StatusCode::OK, "the honest one still serves: {answer}");
    }

    async fn an_assertion_for_somebody_else_or_another_time_proves_nothing(engine) {
        let victim = Victim::new(engine).await;
        let url = victim.running().url.clone();
        let at = now(&victim.running().server).timestamp();
        let with = |member: &str, value: Value| {
            let mut claims = victim.claims();
            claims[member] = value;
            claims
        };
        let without = |member: &str| {
            let mut claims = victim.claims();
            claims.as_object_mut().unwrap().remove(member);
            claims
        };
        for (member, claims) in [
            ("aud", with("aud", json!("https://elsewhere.example"))),
            ("aud", with("aud", json!(format!("{url}/")))),
            ("aud", with("aud", json!([url, "https://elsewhere.example"]))),
            ("aud", without("aud")),
            ("iss", with("iss", json!("https://chatgpt.com/oauth/other/client.json"))),
            ("sub", with("sub", json!("https://chatgpt.com/oauth/other/client.json"))),
            ("exp", with("exp", json!(at - 1))),
            ("exp", with("exp", json!(at + 3600))),
            ("exp", without("exp")),
            ("nbf", with("nbf", json!(at + 600))),
            ("iat", with("iat", json!(at + 600))),
            ("jti", without("jti")),
            ("jti", with("jti", json!("x".repeat(300)))),
        ] {
            let (status, told) = victim.present(&victim.signer.sign(&claims)).await;
            assert_eq!((status, &told["error"]), (StatusCode::UNAUTHORIZED, &json!("invalid_client")), "{claims}");
            let description = told["error_description"].as_str().unwrap();
            assert!(description.contains(member), "{claims}: {description}");
        }
        for audience in [json!(url), json!([url]), json!(format!("{url}/token"))] {
            let (status, told) = victim.present(&victim.signer.sign(&with("aud", audience))).await;
            assert_eq!(status, StatusCode::OK, "{told}");
        }
    }

    async fn an_assertion_is_good_once_even_for_fifty_at_the_same_time(engine) {
        let victim = Victim::new(engine).await;
        let assertion = victim.signer.sign(&victim.claims());
        let answers = futures_util::future::join_all((0..50).map(|_| victim.present(&assertion))).await;
        let good = answers.iter().filter(|(status, _)| *status == StatusCode::OK).count();
        assert_eq!(good, 1);
        assert!(answers.iter().all(|(status, told)| *status == StatusCode::OK || told["error"] == "invalid_client"));
        // Nothing of it was taken for a theft of the token.
        let (status, told) = Connector::new(victim.running(), Proof::Key(&victim.signer)).refresh(&victim.token).await;
        assert_eq!(status, StatusCode::OK, "{told}");
    }

    async fn a_used_assertion_serves_no_other_endpoint(engine) {
        let victim = Victim::new(engine).await;
        let connector = Connector::new(victim.running(), Proof::Key(&victim.signer));
        let (_, answer) = connector.refresh(&victim.token).await;
        let access = answer["access_token"].as_str().unwrap();
        let assertion = victim.signer.sign(&victim.claims());
        let with_it = connector.by(Proof::Assertion(&assertion));
        let (status, told) = with_it.call("/introspect", &[("token", access)]).await;
        assert_eq!((status, &told["active"]), (StatusCode::OK, &json!(true)));
        for (path, token) in [("/introspect", access), ("/revoke", victim.token.as_str())] {
            let (status, told) = with_it.call(path, &[("token", token)]).await;
            assert_eq!((status, &told["error"]), (StatusCode::UNAUTHORIZED, &json!("invalid_client")), "{path}");
        }
        let (status, told) = with_it.refresh(&refresh_token(&answer)).await;
        assert_eq!((status, &told["error"]), (StatusCode::UNAUTHORIZED, &json!("invalid_client")));
        let (status, _) = connector.refresh(&refresh_token(&answer)).await;
        assert_eq!(status, StatusCode::OK);
    }

    async fn a_stolen_refresh_token_of_a_client_with_a_key_is_worth_nothing_without_it(engine) {
        let victim = Victim::new(engine).await;
        // The document offers `none` too; the family does not.
        let (status, told) = Connector::new(victim.running(), Proof::Nothing).refresh(&victim.token).await;
        assert_eq!((status, &told["error"]), (StatusCode::BAD_REQUEST, &json!("invalid_grant")), "{told}");
        let (status, told) = Connector::new(victim.running(), Proof::Secret("guess")).refresh(&victim.token).await;
        assert_eq!((status, &told["error"]), (StatusCode::UNAUTHORIZED, &json!("invalid_client")), "{told}");
        let (status, told) = Connector::new(victim.running(), Proof::Key(&victim.signer)).refresh(&victim.token).await;
        assert_eq!(status, StatusCode::OK, "trying cost the victim nothing: {told}");
    }
}

/// A key pair of the attacker's.
fn attacker() -> EncodingKey {
    EncodingKey::from_ec_der(&consentry::keys::signing::generate().unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_assertion_used_at_one_node_is_refused_at_another() {
    if without_postgres() {
        return;
    }
    let victim = Victim::new(Engine::Postgres).await;
    let options = Options {
        public_url: Some(victim.running().url.clone()),
        outbound: victim.strangers.settings(),
        ..Options::default()
    };
    let mut second = Running::start(&victim.world.database, options).await;
    // Called under its own address: machine endpoints answer on any host, and the issuer is the shared one.
    second.url.clone_from(&second.own);
    let assertion = victim.signer.sign(&victim.claims());
    let (status, answer) = victim.present(&assertion).await;
    assert_eq!(status, StatusCode::OK, "{answer}");
    let there = Connector::new(&second, Proof::Assertion(&assertion));
    let (status, told) = there.refresh(&refresh_token(&answer)).await;
    assert_eq!((status, &told["error"]), (StatusCode::UNAUTHORIZED, &json!("invalid_client")), "{told}");
    let fresh = victim.signer.sign(&victim.claims());
    let (status, told) = there.by(Proof::Assertion(&fresh)).refresh(&refresh_token(&answer)).await;
    assert_eq!(status, StatusCode::OK, "{told}");
    // Whoever makes ids up does not get in by chance either.
    let made_up: [u8; 16] = random::bytes();
    let (status, _) = there.by(Proof::Assertion(&format!("{made_up:?}"))).refresh(&refresh_token(&answer)).await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}
