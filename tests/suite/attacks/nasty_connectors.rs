//! Nasty input in what connectors send: assertions and their claims, resources, bearer tokens, registrations and their
//! management. Row 39; `nasty` has the values and what every answer must be, `nasty_documents` what is fetched.

use reqwest::{StatusCode, header::HeaderValue};
use serde_json::{Value, json};

use super::nasty::{Asked, Attempt, all_are_answered, client, is_well, unhurried, values};
use crate::{
    harness::{
        browser::read,
        connector::{CLIENT_ID, Connector, Proof, now, publish, refresh_token, shapes},
        server::{Options, World},
        signer::Signer,
        strangers::Strangers,
    },
    on_both_engines,
};

const ASSERTION_TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/// Values that are no text, for members that are one.
fn wrong_types() -> Vec<Value> {
    let deep = (0..6).fold(json!("x"), |inner, _| json!([inner]));
    vec![
        Value::Null,
        json!(true),
        json!(0),
        json!(-1),
        json!(1e300),
        json!(u64::MAX),
        json!([]),
        json!([null]),
        json!(["x", 1]),
        json!([["x"]]),
        json!({}),
        json!({ "x": { "y": [{}] } }),
        json!({ "keys": [{ "kty": "EC", "crv": "P-256", "x": "AA", "y": null }] }),
        json!(vec!["x"; 1000]),
        deep,
    ]
}

/// Every nasty value as a text, and every wrong type.
fn members() -> Vec<Value> {
    values().into_iter().map(Value::from).chain(wrong_types()).collect()
}

/// What a nasty member is called in a failure, and looked for in an answer.
fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

on_both_engines! {
    /// Row 39: with a genuine refresh token beside it, so that everything about the assertion is looked at.
    async fn nasty_assertions_are_answered(engine) {
        let strangers = Strangers::new();
        let host = strangers.host("chatgpt.com");
        let signer = Signer::es256("key-1");
        let mut document = shapes()[1].1.clone();
        document["token_endpoint_auth_signing_alg"] = "ES256".into();
        publish(&host, &document, &signer);
        let world = World::with(engine, Options { outbound: strangers.settings(), ..Options::default() }).await;
        let (http, running) = (client(), &world.running);
        let token = Connector::new(running, Proof::Key(&signer)).connect().await;
        // Of another connection, since some of these assertions are good and will end it.
        let given_up = Connector::new(running, Proof::Key(&signer)).connect().await;
        let claims = || Signer::claims(CLIENT_ID, &running.url, now(&running.server));
        let mut attempts = Vec::new();
        let mut add = |place: &str, value: &str, changed: &[(&str, &str)]| {
            // Each in its turn: all three read an assertion by the same code.
            let endpoints = [("/token", &token), ("/revoke", &given_up), ("/introspect", &token)];
            let (path, token) = endpoints[attempts.len() % 3];
            let honest = signer.sign(&claims());
            let mut fields = vec![
                ("client_id", CLIENT_ID),
                ("client_assertion_type", ASSERTION_TYPE),
                ("client_assertion", honest.as_str()),
                ("grant_type", "refresh_token"),
                ("refresh_token", token.as_str()),
                ("token", token.as_str()),
            ];
            fields.retain(|(name, _)| !changed.iter().any(|(changed, _)| name == changed));
            fields.extend(changed);
            let post = http.post(format!("{}{path}", running.url)).form(&fields);
            attempts.push(Attempt::new(format!("{path} {place}"), value, post));
        };
        for value in &values() {
            for field in ["client_assertion", "client_assertion_type", "client_id", "resource"] {
                add(field, value, &[(field, value)]);
            }
        }
        for value in members() {
            let text = shown(&value);
            for claim in ["iss", "sub", "aud", "exp", "nbf", "iat", "jti"] {
                let mut claims = claims();
                claims[claim] = value.clone();
                add(claim, &text, &[("client_assertion", &signer.sign(&claims))]);
            }
            for member in ["alg", "kid", "typ", "crit"] {
                let assertion = signer.sign_with(&json!({ member: value }), &claims());
                add(member, &text, &[("client_assertion", &assertion)]);
            }
        }
        let counted = all_are_answered(Asked::MachineAndAHost, attempts).await;
        assert!(counted.of(401) > 1000 && counted.of(200) > 100, "they were looked at, the good ones too");
        let (status, told) = Connector::new(running, Proof::Key(&signer)).refresh(&token).await;
        assert_eq!(status, StatusCode::OK, "trying cost the honest one nothing: {told}");
        // And what is asked for beside a proof that is good.
        let mut newest = refresh_token(&told);
        for value in values().iter().filter(|value| value.len() < 3000) {
            let connector = Connector::new(running, Proof::Key(&signer));
            let fields = [("grant_type", "refresh_token"), ("refresh_token", newest.as_str()), ("resource", value)];
            let (status, told) = connector.call("/token", &fields).await;
            if status == StatusCode::OK {
                assert!(value.is_empty(), "{value:?}: {told}");
                newest = refresh_token(&told);
                continue;
            }
            assert_eq!(status, StatusCode::BAD_REQUEST, "{value:?}: {told}");
            assert!(["invalid_target", "invalid_request"].contains(&told["error"].as_str().unwrap()), "{told}");
        }
        let (status, told) = Connector::new(running, Proof::Key(&signer)).refresh(&newest).await;
        assert_eq!(status, StatusCode::OK, "{told}");
    }

    /// Row 39: each member of a registration, as a text, in a list, and as what it is not.
    async fn nasty_registrations_are_answered(engine) {
        let world = World::with(engine, unhurried()).await;
        let http = client();
        let url = format!("{}/register", world.running.url);
        let good = json!({ "redirect_uris": ["https://app.example/cb"], "token_endpoint_auth_method": "none" });
        let mut attempts = Vec::new();
        let mut add = |place: &str, member: &str, value: &Value, nasty: &str| {
            let mut body = good.clone();
            body[member] = value.clone();
            attempts.push(Attempt::new(format!("{place} {member}"), nasty, http.post(&url).json(&body)));
        };
        let texts = ["client_name", "scope", "token_endpoint_auth_method", "token_endpoint_auth_signing_alg",
            "application_type", "client_uri", "logo_uri", "policy_uri", "tos_uri", "jwks_uri", "software_statement",
            "client_id", "client_secret", "client_name#de", "contacts"];
        let lists = ["redirect_uris", "grant_types", "response_types", "token_endpoint_auth_methods_supported"];
        for value in values() {
            for member in texts {
                add("text", member, &json!(value), &value);
            }
            for member in lists {
                add("list of", member, &json!([value]), &value);
            }
            add("name of a member", &value, &json!("x"), &value);
            let key = json!({ "kty": value, "kid": value, "n": value, "e": value });
            add("a key's member", "jwks", &json!({ "keys": [key] }), &value);
        }
        for value in wrong_types() {
            for member in texts.into_iter().chain(lists).chain(["jwks"]) {
                add("wrong type of", member, &value, "");
            }
        }
        let counted = all_are_answered(Asked::Machine, attempts).await;
        // What is legible, or in a member nobody reads, is registered; nothing else is.
        assert!(counted.of(201) > 200 && counted.of(400) > 1000, "{} and {}", counted.of(201), counted.of(400));
        assert_eq!(world.database.count("clients").await, i64::try_from(counted.of(201)).unwrap());
        is_well(&world).await;
    }

    /// Row 39: ids and tokens of registrations, and bearer tokens wherever nobody asks for one.
    async fn nasty_ids_and_bearer_tokens_are_answered(engine) {
        let world = World::with(engine, unhurried()).await;
        let http = client();
        let good = json!({ "redirect_uris": ["https://app.example/cb"], "token_endpoint_auth_method": "none" });
        let register = http.post(format!("{}/register", world.running.url)).json(&good).send();
        let (status, told) = read(register.await.unwrap()).await;
        assert_eq!(status, StatusCode::CREATED, "{told}");
        let uri: url::Url = told["registration_client_uri"].as_str().unwrap().parse().unwrap();
        let token = told["registration_access_token"].as_str().unwrap();
        let mut changed = good.clone();
        changed["client_id"] = told["client_id"].clone();
        let mut attempts = Vec::new();
        for value in values() {
            let mut nasty = uri.clone();
            nasty.path_segments_mut().unwrap().pop().push(&value);
            // As it is, where that is an address of a registration at all.
            let bare = uri.join(&format!("./{value}")).ok();
            let is_one =
                |address: &url::Url| address.origin() == uri.origin() && address.path().starts_with("/register/");
            for address in [Some(nasty), bare].into_iter().flatten().filter(is_one) {
                for request in
                    [http.get(address.clone()), http.put(address.clone()).json(&changed), http.delete(address)]
                {
                    attempts.push(Attempt::new("the id in the path", &value, request.bearer_auth(token)));
                }
            }
            for member in ["client_id", "client_secret", "registration_access_token", "client_name"] {
                // Of the name only what is refused, so that the registration stays as it was.
                let mut body = changed.clone();
                body[member] = json!(value);
                body["redirect_uris"] = json!([]);
                let put = http.put(uri.clone()).bearer_auth(token).json(&body);
                attempts.push(Attempt::new(format!("a changed {member}"), &value, put));
            }
            let Ok(line) = HeaderValue::from_bytes(format!("Bearer {value}").as_bytes()) else { continue };
            let at = |path: &str| format!("{}{path}", world.running.url);
            for request in [
                http.get(uri.clone()),
                http.delete(uri.clone()),
                http.put(uri.clone()).json(&changed),
                http.post(at("/register")).json(&good),
                http.post(at("/token")).form(&[("grant_type", "client_credentials"), ("client_id", "x")]),
                http.post(at("/revoke")).form(&[("token", "x"), ("client_id", "x")]),
                http.post(at("/introspect")).form(&[("token", "x")]),
                http.get(at("/.well-known/oauth-authorization-server")),
            ] {
                attempts.push(Attempt::new("a bearer token", &value, request.header("authorization", &line)));
            }
            let scheme = [value.as_bytes(), b" ", token.as_bytes()].concat();
            if let Ok(line) = HeaderValue::from_bytes(&scheme) {
                let get = http.get(uri.clone()).header("authorization", line);
                attempts.push(Attempt::new("a scheme before a good token", &value, get));
            }
        }
        let counted = all_are_answered(Asked::Machine, attempts).await;
        assert!(counted.of(401) > 1000, "{}", counted.of(401));
        let still = http.get(uri).bearer_auth(token).send().await.unwrap();
        assert_eq!(still.status(), StatusCode::OK, "nobody has changed or ended the registration");
    }
}
