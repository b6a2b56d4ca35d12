//! Authorization server metadata (RFC 8414), the JWK set (RFC 7517) and what it verifies (RFC 9068): whatever is
//! advertised works, and whatever is signed can be checked with what is published.

use std::sync::OnceLock;

use consentry::{clock::Clock, model::client::Dialect, protocol::client_authentication::ASSERTION_TYPE};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use reqwest::header::{HOST, ORIGIN};
use serde_json::{Value, json};

use super::wire::{CHALLENGE, VERIFIER, http, pkce_request, send, text};
use crate::harness::{
    browser::authorize,
    databases::Engine,
    server::{CALLBACK, Registered, World},
    signer::Signer,
};

const METADATA: &str = "/.well-known/oauth-authorization-server";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_metadata_is_exactly_this() {
    let world = World::new(Engine::Sqlite).await;
    let answer = world.running.look(METADATA).await;
    assert_eq!(answer.status, 200);
    let metadata: Value = serde_json::from_str(&answer.text.replace(&world.running.url, "[origin]")).unwrap();
    insta::assert_json_snapshot!(metadata, @r#"
    {
      "authorization_endpoint": "[origin]/authorize",
      "authorization_response_iss_parameter_supported": true,
      "client_id_metadata_document_supported": true,
      "code_challenge_methods_supported": [
        "S256"
      ],
      "grant_types_supported": [
        "authorization_code",
        "refresh_token",
        "client_credentials"
      ],
      "introspection_endpoint": "[origin]/introspect",
      "introspection_endpoint_auth_methods_supported": [
        "client_secret_post",
        "client_secret_basic",
        "private_key_jwt"
      ],
      "introspection_endpoint_auth_signing_alg_values_supported": [
        "RS256",
        "ES256",
        "EdDSA"
      ],
      "issuer": "[origin]",
      "jwks_uri": "[origin]/.well-known/jwks.json",
      "registration_endpoint": "[origin]/register",
      "response_modes_supported": [
        "query"
      ],
      "response_types_supported": [
        "code"
      ],
      "revocation_endpoint": "[origin]/revoke",
      "revocation_endpoint_auth_methods_supported": [
        "none",
        "client_secret_post",
        "client_secret_basic",
        "private_key_jwt"
      ],
      "revocation_endpoint_auth_signing_alg_values_supported": [
        "RS256",
        "ES256",
        "EdDSA"
      ],
      "token_endpoint": "[origin]/token",
      "token_endpoint_auth_methods_supported": [
        "none",
        "client_secret_post",
        "client_secret_basic",
        "private_key_jwt"
      ],
      "token_endpoint_auth_signing_alg_values_supported": [
        "RS256",
        "ES256",
        "EdDSA"
      ]
    }
    "#);
}

/// Posts to an advertised endpoint with an advertised method of proving oneself: status and answer.
async fn post(endpoint: &str, method: &str, client: &Registered, fields: &[(&str, &str)]) -> (u16, Value) {
    let (id, secret) = (client.client_id.as_str(), client.client_secret.as_str());
    let issuer = endpoint.rsplit_once('/').unwrap().0;
    let assertion = signer().assertion(id, issuer, Clock::system().now());
    let in_body = match method {
        "client_secret_post" => vec![("client_id", id), ("client_secret", secret)],
        "client_secret_basic" => vec![],
        "none" => vec![("client_id", id)],
        "private_key_jwt" => vec![("client_assertion_type", ASSERTION_TYPE), ("client_assertion", &assertion)],
        other => panic!("{other} is advertised and unknown to this test"),
    };
    let mut request = http().post(endpoint);
    if method == "client_secret_basic" {
        request = request.basic_auth(id, Some(secret));
    }
    let answer = send(request.form(&[in_body.as_slice(), fields].concat())).await;
    let body = if answer.text.is_empty() { Value::Null } else { answer.json() };
    (answer.status, body)
}

/// The key of every client here that has one.
fn signer() -> &'static Signer {
    static SIGNER: OnceLock<Signer> = OnceLock::new();
    SIGNER.get_or_init(|| Signer::es256("key-1"))
}

fn list(metadata: &Value, member: &str) -> Vec<String> {
    let values = metadata[member].as_array().unwrap_or_else(|| panic!("{member}"));
    values.iter().map(|value| value.as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_endpoint_and_method_that_is_advertised_works() {
    let world = World::new(Engine::Sqlite).await;
    let metadata = world.running.look(METADATA).await.json();
    let service = world.client(Dialect::Service).await;
    let [token, revoke, introspect] =
        ["token_endpoint", "revocation_endpoint", "introspection_endpoint"].map(|member| text(&metadata, member));
    assert_eq!(list(&metadata, "code_challenge_methods_supported"), ["S256"]);
    for method in list(&metadata, "token_endpoint_auth_methods_supported") {
        let client = match method.as_str() {
            "none" => world.client(Dialect::Connector).await,
            "private_key_jwt" => world.running.add_client_with_key(&world.plugin, &signer().key_set()).await,
            _ => world.client(Dialect::Custom).await,
        };
        let request = authorize(&pkce_request(&client));
        let address = format!("{}{}", text(&metadata, "authorization_endpoint"), &request["/authorize".len()..]);
        let code = world.running.code_for(&address).await;
        let fields = [
            ("grant_type", "authorization_code"),
            ("code", code.as_str()),
            ("redirect_uri", CALLBACK),
            ("code_verifier", VERIFIER),
        ];
        let (status, tokens) = post(token, &method, &client, &fields).await;
        assert_eq!(status, 200, "{method}: {tokens}");
        let fields = [("grant_type", "refresh_token"), ("refresh_token", text(&tokens, "refresh_token"))];
        let (status, tokens) = post(token, &method, &client, &fields).await;
        assert_eq!(status, 200, "{method}: {tokens}");
        let access = text(&tokens, "access_token");
        assert_eq!(world.running.introspect(&service, access).await.1["active"], true);

        if list(&metadata, "introspection_endpoint_auth_methods_supported").contains(&method) {
            let (status, answer) = post(introspect, &method, &client, &[("token", access)]).await;
            assert_eq!((status, &answer["active"]), (200, &json!(true)), "{method}");
        }
        assert!(list(&metadata, "revocation_endpoint_auth_methods_supported").contains(&method));
        let (status, _) = post(revoke, &method, &client, &[("token", access)]).await;
        assert_eq!(status, 200, "{method}");
        assert_eq!(world.running.introspect(&service, access).await.1, json!({ "active": false }));
    }
    for grant in list(&metadata, "grant_types_supported") {
        let (_, refused) = post(token, "client_secret_post", &service, &[("grant_type", &grant)]).await;
        assert_ne!(refused["error"], "unsupported_grant_type", "{grant}");
    }
    let jwks = send(http().get(text(&metadata, "jwks_uri"))).await;
    assert_eq!(jwks.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn metadata_and_keys_are_the_same_on_every_host_and_for_every_page() {
    let world = World::new(Engine::Sqlite).await;
    for path in [METADATA, "/.well-known/jwks.json"] {
        let own = world.running.look(path).await;
        let request = http().get(world.running.at(path)).header(HOST, "api.example.com");
        let foreign = send(request.header(ORIGIN, "https://app.example")).await;
        assert_eq!(own.json(), foreign.json(), "{path}");
        assert_eq!(foreign.header("access-control-allow-origin"), Some("*"), "{path}");
        assert_eq!(foreign.header("cache-control"), Some("public, max-age=300"), "{path}");
        let answer = send(http().post(world.running.at(path))).await;
        assert_eq!(
            (answer.error(), answer.header("allow")),
            ((405, "invalid_request".into()), Some("GET, HEAD")),
            "{path}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_key_set_has_public_members_only() {
    let world = World::new(Engine::Sqlite).await;
    let jwks = world.running.look("/.well-known/jwks.json").await.json();
    assert_eq!(jwks.as_object().unwrap().keys().collect::<Vec<_>>(), ["keys"]);
    let keys = jwks["keys"].as_array().unwrap();
    assert!(!keys.is_empty());
    for key in keys {
        let members: Vec<_> = key.as_object().unwrap().keys().map(String::as_str).collect();
        assert_eq!(members, ["alg", "crv", "kid", "kty", "use", "x", "y"], "no `d`, and nothing else");
        for (member, expected) in [("alg", "ES256"), ("crv", "P-256"), ("kty", "EC"), ("use", "sig")] {
            assert_eq!(key[member], expected);
        }
        assert_eq!((text(key, "x").len(), text(key, "y").len()), (43, 43), "32 bytes each: {key}");
    }
}

/// Verifies a token as an API does that knows nothing but the issuer.
async fn verify(world: &World, token: &str) -> Value {
    let header = decode_header(token).unwrap();
    assert_eq!((header.typ.as_deref(), header.alg), (Some("at+jwt"), Algorithm::ES256), "RFC 9068 §2.1");
    let jwks = world.running.look("/.well-known/jwks.json").await.json();
    let named = |key: &&Value| key["kid"].as_str() == header.kid.as_deref();
    let key = jwks["keys"].as_array().unwrap().iter().find(named).expect("the key is published");
    let key = DecodingKey::from_ec_components(text(key, "x"), text(key, "y")).unwrap();
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_issuer(&[&world.running.url]);
    validation.set_audience(&[&world.plugin.resource]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    let claims = decode::<Value>(token, &key, &validation).expect("a good token").claims;
    let mut changed = token.to_owned();
    let last = if changed.pop() == Some('A') { 'Q' } else { 'A' };
    changed.insert(changed.rfind('.').unwrap() + 1, last);
    assert!(decode::<Value>(&changed, &key, &validation).is_err());
    claims
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_access_token_is_verified_with_the_published_key() {
    let world = World::new(Engine::Sqlite).await;
    let client = world.client(Dialect::Custom).await;
    let code = world.running.code_pkce(&client).await;
    let tokens = world.running.redeem_pkce(&client, &code).await.json();
    let access = text(&tokens, "access_token");
    let claims = verify(&world, access).await;
    // RFC 9068 §2.2: all of these are required.
    for required in ["iss", "exp", "aud", "sub", "client_id", "iat", "jti"] {
        assert!(!claims[required].is_null(), "{required} is missing: {claims}");
    }
    assert_eq!(claims["client_id"], client.client_id.as_str());
    assert_eq!(claims["scope"], tokens["scope"]);
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), 900);
    assert!(claims["auth_time"].as_i64().unwrap() <= claims["iat"].as_i64().unwrap());
    for private in ["ada@example.com", "Ada", CHALLENGE] {
        assert!(!claims.to_string().contains(private), "{claims}");
    }
    // The same person is the same to the API through any client, and the tokens are not.
    let other = world.client(Dialect::Plugin).await;
    let others = verify(&world, text(&world.running.tokens(&other).await, "access_token")).await;
    assert_eq!(others["sub"], claims["sub"]);
    assert_ne!(others["jti"], claims["jti"]);

    let service = world.client(Dialect::Service).await;
    let tokens = world.running.post_basic("/token", &service, &[("grant_type", "client_credentials")]).await.json();
    let claims = verify(&world, text(&tokens, "access_token")).await;
    assert_eq!((&claims["sub"], &claims["auth_time"]), (&json!(service.client_id), &Value::Null), "RFC 9068 §2.2");
}
