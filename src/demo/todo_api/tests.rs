//! The sample API over HTTP, with tokens of an issuer that runs on loopback.

use std::sync::atomic::Ordering;

use actix_web::web;
use jsonwebtoken::Algorithm;
use reqwest::{Client, Method, Response, StatusCode};
use serde_json::{Value, json};

use super::{TodoApi, TodoApiConfig, configure};
use crate::demo::fake_issuer::{self, AUDIENCE, FakeIssuer, SERVICE, free_port, serve};
use crate::demo::{Secret, bounded};

const METADATA: &str = "http://localhost:8081/.well-known/oauth-protected-resource";

struct Api {
    issuer: FakeIssuer,
    url: String,
    http: Client,
}

impl Api {
    fn start() -> Self {
        let issuer = FakeIssuer::start();
        let url = serve_api(&issuer.url, SERVICE);
        Self { issuer, url, http: bounded::client().unwrap() }
    }

    async fn call(&self, method: Method, path: &str, token: &str) -> Response {
        let url = format!("{}{path}", self.url);
        let request = self.http.request(method, url).bearer_auth(token);
        request.send().await.unwrap()
    }

    async fn list(&self, token: &str) -> Response {
        self.call(Method::GET, "/todos", token).await
    }

    async fn add(&self, token: &str, text: &str) -> Response {
        let request = self.http.post(format!("{}/todos", self.url));
        let request = request.bearer_auth(token).json(&json!({ "text": text }));
        request.send().await.unwrap()
    }
}

fn serve_api(issuer: &str, service: (&str, &str)) -> String {
    let (listener, url) = free_port();
    let api = TodoApi::new(TodoApiConfig {
        issuer: issuer.to_owned(),
        audience: AUDIENCE.to_owned(),
        resource_metadata: METADATA.to_owned(),
        introspection: (service.0.to_owned(), Secret::new(service.1)),
        now: fake_issuer::now,
    });
    let api = web::Data::new(api.unwrap());
    serve(listener, move |cfg| configure(cfg, api.clone()));
    url
}

fn challenge(response: &Response) -> &str {
    response.headers()["www-authenticate"].to_str().unwrap()
}

#[tokio::test]
async fn each_person_has_a_list_of_their_own() {
    let api = Api::start();
    let ada = api.issuer.token(&json!({ "sub": "ada" }));
    let bob = api.issuer.token(&json!({ "sub": "bob" }));

    let added = api.add(&ada, "  Feed the cat ").await;
    assert_eq!(added.status(), StatusCode::CREATED);
    let item: Value = added.json().await.unwrap();
    assert_eq!(item["text"], "Feed the cat");
    let path = format!("/todos/{}", item["id"]);

    let seen: Value = api.list(&bob).await.json().await.unwrap();
    assert_eq!(seen, json!({ "items": [] }));
    let theft = api.call(Method::DELETE, &path, &bob).await;
    assert_eq!(theft.status(), StatusCode::NOT_FOUND);
    let seen: Value = api.list(&ada).await.json().await.unwrap();
    assert_eq!(seen, json!({ "items": [item] }));

    let removed = api.call(Method::DELETE, &path, &ada).await;
    assert_eq!(removed.status(), StatusCode::NO_CONTENT);
    let seen: Value = api.list(&ada).await.json().await.unwrap();
    assert_eq!(seen, json!({ "items": [] }));
}

#[tokio::test]
async fn a_scope_opens_only_its_own_calls() {
    let api = Api::start();
    let reader = api.issuer.token(&json!({ "scope": "todo.read" }));
    let writer = api.issuer.token(&json!({ "scope": "todo.write" }));

    assert_eq!(api.list(&reader).await.status(), StatusCode::OK);
    assert_eq!(api.add(&writer, "one").await.status(), StatusCode::CREATED);
    for (needed, refused) in [
        ("todo.write", api.add(&reader, "two").await),
        ("todo.write", api.call(Method::DELETE, "/todos/1", &reader).await),
        ("todo.read", api.list(&writer).await),
    ] {
        assert_eq!(refused.status(), StatusCode::FORBIDDEN);
        assert!(challenge(&refused).starts_with(r#"Bearer error="insufficient_scope""#));
        let where_and_what = format!(r#"resource_metadata="{METADATA}", scope="{needed}""#);
        assert!(challenge(&refused).ends_with(&where_and_what), "{}", challenge(&refused));
        let body: Value = refused.json().await.unwrap();
        assert_eq!(body["error"], "insufficient_scope");
    }
}

#[tokio::test]
async fn a_token_that_is_not_quite_right_is_refused() {
    let api = Api::start();
    let issuer = &api.issuer;
    let past = fake_issuer::now().timestamp() - 60;
    let mut id_token = fake_issuer::header();
    id_token.typ = Some("JWT".to_owned());
    let mut unknown_key = fake_issuer::header();
    unknown_key.kid = Some("k2".to_owned());
    let mut critical = fake_issuer::header();
    critical.crit = Some(vec!["b64".to_owned()]);
    let good = issuer.token(&json!({}));
    let (signed, signature) = good.rsplit_once('.').unwrap();
    let flipped: String = signature.chars().rev().collect();
    let mac = jsonwebtoken::encode(
        &{
            let mut header = fake_issuer::header();
            header.alg = Algorithm::HS256;
            header
        },
        &json!({ "sub": "ada" }),
        &jsonwebtoken::EncodingKey::from_secret(b"public key bytes"),
    );

    for (why, token) in [
        ("expired", issuer.token(&json!({ "exp": past }))),
        ("another API", issuer.token(&json!({ "aud": "http://localhost:9" }))),
        ("another issuer", issuer.token(&json!({ "iss": "http://localhost:9" }))),
        ("no subject", issuer.token(&json!({ "sub": "" }))),
        ("an ID token", issuer.token_with_header(&id_token, &json!({}))),
        ("an unknown key", issuer.token_with_header(&unknown_key, &json!({}))),
        ("a critical extension", issuer.token_with_header(&critical, &json!({}))),
        ("a forged signature", format!("{signed}.{flipped}")),
        ("another algorithm", mac.unwrap()),
        ("not a JWT", "opaque".to_owned()),
        ("far too long", "a".repeat(9000)),
    ] {
        let refused = api.list(&token).await;
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED, "{why}");
        assert!(challenge(&refused).starts_with(r#"Bearer error="invalid_token", error_description=""#), "{why}");
        assert!(challenge(&refused).contains(METADATA), "{why}");
        let body: Value = refused.json().await.unwrap();
        assert_eq!(body["error"], "invalid_token", "{why}");
    }
    assert_eq!(api.list(&good).await.status(), StatusCode::OK);
    let several = issuer.token(&json!({ "aud": ["http://localhost:9", AUDIENCE] }));
    assert_eq!(api.list(&several).await.status(), StatusCode::OK);
}

#[tokio::test]
async fn a_call_without_a_token_is_told_where_to_get_one() {
    let api = Api::start();
    let url = format!("{}/todos", api.url);
    let refused = api.http.get(&url).send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(challenge(&refused), format!(r#"Bearer resource_metadata="{METADATA}", scope="todo.read""#));
    // A stranger's body is not even read.
    let refused = api.http.post(&url).body("not json").send().await.unwrap();
    assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(challenge(&refused), format!(r#"Bearer resource_metadata="{METADATA}", scope="todo.write""#));
}

#[tokio::test]
async fn a_disconnect_is_effective_on_the_next_call() {
    let api = Api::start();
    let token = api.issuer.token(&json!({}));
    assert_eq!(api.list(&token).await.status(), StatusCode::OK);
    api.issuer.inside.revoked.store(true, Ordering::SeqCst);
    assert_eq!(api.list(&token).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn unknown_keys_cause_one_fetch_a_second() {
    let api = Api::start();
    let mut header = fake_issuer::header();
    for number in 0..20 {
        header.kid = Some(format!("forged-{number}"));
        let token = api.issuer.token_with_header(&header, &json!({}));
        assert_eq!(api.list(&token).await.status(), StatusCode::UNAUTHORIZED);
    }
    assert_eq!(api.issuer.inside.jwks_fetches.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn nobody_is_let_in_while_tokens_cannot_be_checked() {
    let api = Api::start();
    let token = api.issuer.token(&json!({}));
    api.issuer.inside.down.store(true, Ordering::SeqCst);
    let refused = api.list(&token).await;
    assert_eq!(refused.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.headers()["retry-after"], "1");

    // Nor when the API's own credentials are wrong.
    let issuer = FakeIssuer::start();
    let url = serve_api(&issuer.url, ("svc", "wrong"));
    let request = api.http.get(format!("{url}/todos"));
    let refused = request.bearer_auth(issuer.token(&json!({}))).send().await;
    assert_eq!(refused.unwrap().status(), StatusCode::SERVICE_UNAVAILABLE);
}

#[tokio::test]
async fn bodies_are_bounded_and_must_make_sense() {
    let api = Api::start();
    let token = api.issuer.token(&json!({}));
    let long = api.add(&token, &"a".repeat(5000)).await;
    assert_eq!(long.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let wordy = api.add(&token, &"a".repeat(201)).await;
    assert_eq!(wordy.status(), StatusCode::BAD_REQUEST);
    let request = api.http.post(format!("{}/todos", api.url)).bearer_auth(&token);
    let nonsense = request.json(&json!({ "title": "x" })).send().await.unwrap();
    assert_eq!(nonsense.status(), StatusCode::BAD_REQUEST);
    let body: Value = nonsense.json().await.unwrap();
    assert_eq!(body["error"], "invalid_body");
}

#[tokio::test]
async fn the_openapi_document_names_every_call_and_its_scope() {
    let api = Api::start();
    let url = format!("{}/openapi.json", api.url);
    let document: Value = api.http.get(url).send().await.unwrap().json().await.unwrap();
    let scope = |path: &str, method: &str| document["paths"][path][method]["security"][0]["oauth"][0].clone();
    assert_eq!(scope("/todos", "get"), "todo.read");
    assert_eq!(scope("/todos", "post"), "todo.write");
    assert_eq!(scope("/todos/{id}", "delete"), "todo.write");
}
