//! Client assertions (RFC 7523): forged, borrowed, and meant for somebody else or for another time. Used twice they are
//! in `assertion_replays`, left out in `downgrades`.

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use reqwest::{StatusCode, header::HOST};
use serde_json::{Value, json};

use crate::{
    harness::{
        browser::read,
        connector::{CLIENT_ID, Connector, Proof, now, of_any_algorithm, publish},
        databases::Engine,
        server::{Options, Running, World},
        signer::Signer,
        strangers::{Strangers, host::Host},
    },
    on_both_engines,
};

/// A connected client that proves itself with a key, and whose document offers to do without as well.
pub struct Victim {
    pub world: World,
    pub signer: Signer,
    /// The refresh token that was stolen.
    pub token: String,
    pub strangers: Strangers,
    pub host: Host,
}

/// Its document, which names no algorithm: the key alone decides.
pub fn document() -> Value {
    of_any_algorithm(2)
}

impl Victim {
    /// One with a key such as ChatGPT's.
    pub async fn new(engine: Engine) -> Self {
        Self::with(engine, Signer::rs256("key-1"), Options::default()).await
    }

    /// One with a key of its own, at a server of its own.
    pub async fn with(engine: Engine, signer: Signer, options: Options) -> Self {
        let strangers = Strangers::new();
        let host = strangers.host("chatgpt.com");
        publish(&host, &document(), &signer);
        let world = World::with(engine, Options { outbound: strangers.settings(), ..options }).await;
        let token = Connector::new(&world.running, Proof::Key(&signer)).connect().await;
        Self { world, signer, token, strangers, host }
    }

    pub fn running(&self) -> &Running {
        &self.world.running
    }

    pub fn connector<'a>(&'a self, proof: Proof<'a>) -> Connector<'a> {
        Connector::new(self.running(), proof)
    }

    /// An assertion nobody has used.
    pub fn assertion(&self) -> String {
        self.signer.sign(&self.claims())
    }

    /// Presents the stolen refresh token with an assertion.
    async fn present(&self, assertion: &str) -> (StatusCode, Value) {
        self.connector(Proof::Assertion(assertion)).refresh(&self.token).await
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

/// An assertion under what everybody knows, taken for a secret.
fn hashed(secret: &str, claims: &Value) -> String {
    let mut header = Header::new(Algorithm::HS256);
    header.kid = Some("key-1".into());
    jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(secret.as_bytes())).unwrap()
}

/// Everything somebody can write who has a key of the same kind, one of the other kind, and a host to publish them on.
fn forgeries(victim: &Victim, same: &Signer, other: &Signer, host: &Host) -> Vec<(&'static str, String)> {
    let claims = &victim.claims();
    let (honest, changed) = (victim.assertion(), forged(&json!({}), claims, b""));
    // What the honest one signed, and below it what it did not.
    let (head, signature) = (honest.split_once('.').unwrap().0, honest.rsplit_once('.').unwrap().1);
    let changed = changed.split('.').nth(1).unwrap();
    let public = &victim.signer.key_set()["keys"][0];
    let own = &same.key_set()["keys"][0];
    let number = public["n"].as_str().or(public["x"].as_str()).unwrap();
    let alg = &public["alg"];
    let address = host.url("/jwks.json");
    vec![
        ("a signature from elsewhere", format!("{head}.{changed}.{signature}")),
        ("no signature", forged(&json!({ "alg": "none" }), claims, b"")),
        ("none by another spelling", forged(&json!({ "alg": "None", "kid": "key-1" }), claims, b"")),
        ("nothing for a signature", forged(&json!({ "alg": alg, "kid": "key-1" }), claims, b"")),
        ("zeros as long as an elliptic one", forged(&json!({ "alg": alg, "kid": "key-1" }), claims, &[0; 64])),
        ("zeros as long as the other one", forged(&json!({ "alg": alg, "kid": "key-1" }), claims, &[0; 256])),
        ("the public number as a secret", hashed(number, claims)),
        ("the published key as a secret", hashed(&public.to_string(), claims)),
        ("the published set as a secret", hashed(&victim.signer.key_set().to_string(), claims)),
        ("a key of the attacker's under the victim's name", same.sign(claims)),
        ("a key of another kind under the victim's name", other.sign(claims)),
        ("a key of another kind for the victim's algorithm", other.sign_with(&json!({ "alg": alg }), claims)),
        ("a key under no name", same.sign_without_name(claims)),
        ("a key that came along", same.sign_with(&json!({ "jwk": own }), claims)),
        ("a key that came along alone", same.sign_with(&json!({ "jwk": own, "kid": null }), claims)),
        (
            "a key of another kind that came along",
            other.sign_with(&json!({ "jwk": other.key_set()["keys"][0] }), claims),
        ),
        ("a set of the attacker's", same.sign_with(&json!({ "jku": address }), claims)),
        ("a set of the attacker's and no name", same.sign_with(&json!({ "jku": address, "kid": null }), claims)),
        ("a certificate of the attacker's", same.sign_with(&json!({ "x5u": address }), claims)),
        ("an unknown critical header", victim.signer.sign_with(&json!({ "crit": ["b64"], "b64": false }), claims)),
        ("nonsense", "a.b.c".to_owned()),
        ("half of it", honest.rsplit_once('.').unwrap().0.to_owned()),
    ]
}

on_both_engines! {
    /// Row 21. The victim's document names no algorithm, so the key and the signature are all that is in the way.
    async fn a_forged_assertion_proves_nothing(engine) {
        let pairs = [
            (Signer::rs256("key-1"), Signer::another_rs256("key-1"), Signer::es256("key-1")),
            (Signer::es256("key-1"), Signer::es256("key-1"), Signer::another_rs256("key-1")),
        ];
        for (own, same, other) in pairs {
            let victim = Victim::with(engine, own, Options::default()).await;
            let host = victim.strangers.host("evil.example");
            host.answer("/jwks.json", crate::harness::strangers::answer::Answer::json(&same.key_set()));
            for (how, assertion) in forgeries(&victim, &same, &other, &host) {
                let (status, told) = victim.present(&assertion).await;
                let refused = (StatusCode::UNAUTHORIZED, &json!("invalid_client"));
                assert_eq!((status, &told["error"]), refused, "{how}: {told}");
            }
            let visited = (host.connections(), victim.strangers.asked("evil.example"));
            assert_eq!(visited, (0, 0), "nobody goes where an assertion points");
            let (status, answer) = victim.present(&victim.assertion()).await;
            assert_eq!(status, StatusCode::OK, "the honest one still serves: {answer}");
        }
    }

    async fn a_client_is_held_to_the_algorithm_it_named(engine) {
        let victim = Victim::new(engine).await;
        // Both keys are its own, and published.
        let other = Signer::es256("key-2");
        let keys = json!({ "keys": [victim.signer.key_set()["keys"][0], other.key_set()["keys"][0]] });
        let running = victim.running();
        for (named, status) in [(None, StatusCode::OK), (Some("RS256"), StatusCode::UNAUTHORIZED)] {
            let client = running.add_service_with_key(&victim.world.plugin, &keys).await;
            let named = named.map_or("null".to_owned(), |alg| format!("'{alg}'"));
            let id = &client.client_id;
            let naming = format!("update clients set signing_algorithm = {named} where client_id = '{id}'");
            victim.world.database.execute(&naming).await;
            let service = Connector { client_id: &client.client_id, ..victim.connector(Proof::Key(&other)) };
            let (answered, told) = service.call("/token", &[("grant_type", "client_credentials")]).await;
            assert_eq!(answered, status, "{named}: {told}");
            let own = service.by(Proof::Key(&victim.signer));
            let (answered, told) = own.call("/token", &[("grant_type", "client_credentials")]).await;
            assert_eq!(answered, StatusCode::OK, "{named}: {told}");
        }
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
        // A second more than ten minutes, half of it over.
        let mut long_lived = with("iat", json!(at - 300));
        long_lived["exp"] = json!(at + 301);
        let mut long_due = long_lived.clone();
        long_due["nbf"] = long_due.as_object_mut().unwrap().remove("iat").unwrap();
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
            ("exp", long_lived),
            ("exp", long_due),
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
        let mut longest = with("iat", json!(at - 300));
        longest["exp"] = json!(at + 300);
        let (status, told) = victim.present(&victim.signer.sign(&longest)).await;
        assert_eq!(status, StatusCode::OK, "{told}");
        for audience in [json!(url), json!([url]), json!(format!("{url}/token"))] {
            let (status, told) = victim.present(&victim.signer.sign(&with("aud", audience))).await;
            assert_eq!(status, StatusCode::OK, "{told}");
        }
    }

    /// `/token` answers on every host and at the root of each; the names it has there are not the server's.
    async fn an_assertion_is_for_the_issuer_wherever_it_is_brought(engine) {
        for base in ["", "/auth"] {
            let world = World::with(engine, Options::under(base)).await;
            let running = &world.running;
            let signer = Signer::es256("key-1");
            let client = running.add_service_with_key(&world.plugin, &signer.key_set()).await;
            let metadata = reqwest::get(format!("{}/.well-known/oauth-authorization-server", running.own)).await;
            let metadata: Value = metadata.unwrap().json().await.unwrap();
            let (issuer, own) = (metadata["issuer"].as_str().unwrap(), running.own.as_str());
            let advertised = metadata["token_endpoint"].as_str().unwrap();
            assert_eq!((issuer, advertised), (running.url.as_str(), format!("{own}{base}/token").as_str()));
            let public = running.server.settings.host.to_string();
            let audiences = [
                (issuer.to_owned(), true),
                (advertised.to_owned(), true),
                (own.to_owned(), base.is_empty()),
                (format!("{own}/token"), base.is_empty()),
                (format!("{issuer}/token/"), false),
                (format!("{issuer}/introspect"), false),
                ("https://api.example.com".to_owned(), false),
                (format!("https://api.example.com{base}"), false),
                (format!("https://api.example.com{base}/token"), false),
                ("http://api.example.com/token".to_owned(), false),
            ];
            let paths = ["/token".to_owned(), format!("{base}/token")];
            for (host, path) in paths.iter().flat_map(|path| [(public.as_str(), path), ("api.example.com", path)]) {
                for (audience, is_good) in &audiences {
                    let assertion = signer.assertion(&client.client_id, audience, now(&running.server));
                    let asked = reqwest::Client::new().post(format!("{own}{path}")).header(HOST, host);
                    let asked = asked.form(&[
                        ("grant_type", "client_credentials"),
                        ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
                        ("client_assertion", &assertion),
                    ]);
                    let (status, told) = read(asked.send().await.unwrap()).await;
                    let told = told["error_description"].as_str();
                    let refused = (StatusCode::UNAUTHORIZED, Some("client_assertion: aud is not this server"));
                    let expected = if *is_good { (StatusCode::OK, None) } else { refused };
                    assert_eq!((status, told), expected, "{host}{path} for {audience}");
                }
            }
        }
    }
}
