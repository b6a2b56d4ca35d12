//! Managing a registration (RFC 7592): looking, changing, leaving, and nobody but the client itself.

use consentry::model::client::Client;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::wire::{Answer, http, send, text};
use crate::{
    harness::{
        connector::{Connector, Proof, refresh_token},
        databases::Engine,
        log,
        server::World,
    },
    on_both_engines,
};

const CALLBACK: &str = "https://app.example/cb";

/// A client that registered itself, and what it was told.
struct Own<'a> {
    world: &'a World,
    told: Value,
}

impl<'a> Own<'a> {
    async fn register(world: &'a World, method: &str) -> Self {
        let body = json!({
            "client_name": "Example App",
            "redirect_uris": [CALLBACK],
            "token_endpoint_auth_method": method,
        });
        let (status, told) = world.running.json("/register", &body).await;
        assert_eq!(status, 201, "{told}");
        Self { world, told }
    }

    async fn row(&self) -> Client {
        let now = self.world.running.server.clock.now();
        self.world.running.server.store.client(self.id(), now).await.unwrap().unwrap()
    }

    /// All that is kept of it, but for when its keys came.
    async fn kept(&self) -> String {
        let mut row = self.row().await;
        row.keys.fetched_at = None;
        format!("{row:?}")
    }

    fn id(&self) -> &str {
        text(&self.told, "client_id")
    }

    fn request(&self, method: Method) -> RequestBuilder {
        let token = text(&self.told, "registration_access_token");
        http().request(method, text(&self.told, "registration_client_uri")).bearer_auth(token)
    }

    async fn look(&self) -> Answer {
        send(self.request(Method::GET)).await
    }

    async fn change(&self, body: &Value) -> Answer {
        send(self.request(Method::PUT).json(body)).await
    }

    async fn leave(&self) -> Answer {
        send(self.request(Method::DELETE)).await
    }

    /// What it was told, as RFC 7592 §2.2 wants it sent back.
    fn body(&self) -> Value {
        let mut body = self.told.clone();
        for member in
            ["registration_access_token", "registration_client_uri", "client_secret_expires_at", "client_id_issued_at"]
        {
            body.as_object_mut().unwrap().remove(member);
        }
        body
    }

    fn connector(&self) -> Connector<'_> {
        let proof = self.told["client_secret"].as_str().map_or(Proof::Nothing, Proof::Secret);
        Connector { client_id: self.id(), redirect_uri: CALLBACK, ..Connector::new(&self.world.running, proof) }
    }
}

on_both_engines! {
    async fn it_is_shown_again_without_its_secret(engine) {
        let world = World::new(engine).await;
        let own = Own::register(&world, "client_secret_basic").await;
        let answer = own.look().await;
        assert_eq!((answer.status, answer.header("cache-control")), (200, Some("no-store")));
        let mut expected = own.told.clone();
        expected.as_object_mut().unwrap().retain(|member, _| !member.starts_with("client_secret"));
        assert_eq!(answer.json(), expected);
    }

    /// RFC 7592 §3: what is told is what was registered, whoever is told it and when. And what is told changes nothing
    /// when it is sent back.
    async fn every_member_is_told_again_and_can_be_sent_back(engine) {
        let world = World::new(engine).await;
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        let key = json!({ "kty": "OKP", "crv": "Ed25519", "x": x, "alg": "EdDSA", "use": "sig" });
        let with_key = json!({ "jwks": { "keys": [key] }, "token_endpoint_auth_signing_alg": "EdDSA" });
        let with_address = json!({ "jwks_uri": "https://app.example/jwks.json" });
        for (method, keys) in [
            ("none", json!({})),
            ("client_secret_post", json!({})),
            ("client_secret_basic", json!({})),
            ("private_key_jwt", with_key),
            ("private_key_jwt", with_address),
        ] {
            let mut body = json!({
                "client_name": "Example App",
                "redirect_uris": [CALLBACK, "http://127.0.0.1/cb", "com.example.app:/cb"],
                "token_endpoint_auth_method": method,
                "grant_types": ["authorization_code", "refresh_token"],
                "response_types": ["code"],
                "scope": "todo.write",
                "application_type": "native",
                "client_uri": "https://app.example/",
                "logo_uri": "https://app.example/logo.png",
                "policy_uri": "https://app.example/policy",
                "tos_uri": "https://app.example/terms",
            });
            body.as_object_mut().unwrap().extend(keys.as_object().unwrap().clone());
            let (status, told) = world.running.json("/register", &body).await;
            assert_eq!(status, 201, "{told}");
            for (member, value) in body.as_object().unwrap() {
                assert_eq!(&told[member], value, "{member}");
            }
            let own = Own { world: &world, told };
            let mut expected = own.told.clone();
            expected.as_object_mut().unwrap().retain(|member, _| !member.starts_with("client_secret"));
            assert_eq!(own.look().await.json(), expected, "{method}");
            let before = own.kept().await;
            let answer = own.change(&own.look().await.json()).await;
            assert_eq!((answer.status, answer.json()), (200, expected.clone()), "{method}");
            assert_eq!(own.look().await.json(), expected, "{method}");
            assert_eq!(own.kept().await, before, "{method}");
            // With less, less is told.
            let less = json!({ "client_id": own.id(), "redirect_uris": [CALLBACK] });
            let told = own.change(&less).await.json();
            let mut expected = told.clone();
            expected.as_object_mut().unwrap().retain(|member, _| !member.starts_with("client_secret"));
            assert_eq!(own.look().await.json(), expected);
            for gone in ["client_uri", "logo_uri", "policy_uri", "tos_uri", "application_type", "jwks", "jwks_uri"] {
                assert_eq!(told[gone], Value::Null, "{gone}");
            }
            assert_eq!(told["scope"], "todo.read todo.write", "nothing is named, so everything is meant");
        }
    }

    /// A client that named no scope is told all there are. Sending them back, it has still named none, and gets what is
    /// added later.
    async fn a_scope_that_is_only_sent_back_is_no_choice(engine) {
        let world = World::new(engine).await;
        let own = Own::register(&world, "none").await;
        let before = own.kept().await;
        let told = own.look().await.json();
        assert_eq!(told["scope"], "todo.read todo.write");
        assert_eq!(own.change(&told).await.json(), told);
        assert_eq!(own.kept().await, before);
        assert_eq!(own.row().await.default_scopes, None);
        // A choice is one, however often it is sent back.
        let mut chosen = told.clone();
        chosen["scope"] = "todo.write mcp".into();
        let told = own.change(&chosen).await.json();
        assert_eq!(told["scope"], "todo.write");
        for _ in 0..2 {
            assert_eq!(own.change(&told).await.json(), told);
            assert_eq!(own.row().await.default_scopes.unwrap().to_string(), "mcp todo.write");
        }
    }

    /// What a client registered as its scope is what it gets when it names none, and no limit.
    async fn a_registered_scope_is_where_a_client_begins(engine) {
        let world = World::new(engine).await;
        let own = Own::register(&world, "none").await;
        let granted = async |more: &[(&str, &str)]| {
            let (status, tokens) = own.connector().redeem(&own.connector().code(more).await).await;
            assert_eq!(status, 200, "{tokens}");
            tokens["scope"].as_str().unwrap().to_owned()
        };
        let both = "todo.read todo.write";
        assert_eq!(granted(&[]).await, both, "it named none");
        let mut body = own.body();
        for (registered, begins_with) in [("todo.read", "todo.read"), ("mcp todo.write", "todo.write"), ("mcp", both)] {
            body["scope"] = registered.into();
            assert_eq!(own.change(&body).await.json()["scope"], begins_with);
            assert_eq!(granted(&[]).await, begins_with);
            assert_eq!(granted(&[("scope", "")]).await, begins_with);
            assert_eq!(granted(&[("scope", "openid")]).await, begins_with, "what names nothing of ours names nothing");
            assert_eq!(granted(&[("scope", both)]).await, both, "it steps up");
        }
        body.as_object_mut().unwrap().remove("scope");
        assert_eq!(own.change(&body).await.json()["scope"], both);
        assert_eq!(granted(&[]).await, both);
    }

    async fn it_is_replaced_whole(engine) {
        let world = World::new(engine).await;
        let own = Own::register(&world, "client_secret_basic").await;
        let mut body = own.body();
        body["client_name"] = "Renamed".into();
        body["redirect_uris"] = json!(["https://app.example/new"]);
        let answer = own.change(&body).await;
        assert_eq!((answer.status, answer.header("cache-control")), (200, Some("no-store")), "{answer:?}");
        let told = answer.json();
        assert_eq!((&told["client_name"], &told["redirect_uris"]), (&json!("Renamed"), &body["redirect_uris"]));
        assert_eq!(told["client_secret"], Value::Null, "it has one");
        assert_eq!(told["registration_access_token"], own.told["registration_access_token"]);
        assert_eq!(own.look().await.json(), told);
        // What is left out is gone; what it may not send is passed over.
        let mut body = own.told.clone();
        body.as_object_mut().unwrap().remove("client_name");
        let told = own.change(&body).await.json();
        assert_eq!((&told["client_name"], &told["redirect_uris"]), (&json!("app.example"), &json!([CALLBACK])));
    }

    async fn a_method_that_needs_a_secret_gets_one_and_one_that_does_not_has_no_use_for_it(engine) {
        let world = World::new(engine).await;
        let own = Own::register(&world, "none").await;
        let mut body = own.body();
        body["token_endpoint_auth_method"] = "client_secret_post".into();
        let told = own.change(&body).await.json();
        let secret = text(&told, "client_secret").to_owned();
        assert_eq!(told["client_secret_expires_at"], 0);
        let own = Own { told, ..own };
        let (status, tokens) = own.connector().redeem(&own.connector().code(&[]).await).await;
        assert_eq!(status, 200, "{tokens}");
        let (status, refused) = own.connector().by(Proof::Nothing).refresh(&refresh_token(&tokens)).await;
        assert_eq!((status.as_u16(), &refused["error"]), (401, &json!("invalid_client")));
        let mut body = own.body();
        body["token_endpoint_auth_method"] = "none".into();
        assert_eq!(own.change(&body).await.status, 200);
        let (status, refused) = own.connector().by(Proof::Secret(&secret)).refresh(&refresh_token(&tokens)).await;
        assert_eq!((status.as_u16(), &refused["error"]), (401, &json!("invalid_client")));
        assert_eq!(own.connector().by(Proof::Nothing).refresh(&refresh_token(&tokens)).await.0, 200);
    }

    async fn leaving_ends_everything_it_was_given(engine) {
        let world = World::new(engine).await;
        let own = Own::register(&world, "client_secret_post").await;
        let (status, tokens) = own.connector().redeem(&own.connector().code(&[]).await).await;
        assert_eq!(status, 200, "{tokens}");
        let service = world.client(consentry::model::client::Dialect::Service).await;
        let access = text(&tokens, "access_token");
        assert_eq!(world.running.introspect(&service, access).await.1["active"], true);
        let answer = own.leave().await;
        assert_eq!((answer.status, answer.text.as_str(), answer.header("cache-control")), (204, "", Some("no-store")));
        assert_eq!(world.running.introspect(&service, access).await.1["active"], false);
        let (status, refused) = own.connector().refresh(&refresh_token(&tokens)).await;
        assert_eq!((status.as_u16(), &refused["error"]), (401, &json!("invalid_client")));
        for answer in [own.look().await, own.change(&own.body()).await, own.leave().await] {
            assert_eq!(answer.error(), (401, "invalid_token".into()));
        }
    }
}

/// Before anybody has consented there is no audit of a client's doings, so the log tells of each, and from where.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_log_tells_what_a_client_does_with_its_registration() {
    log::listen();
    let world = World::new(Engine::Sqlite).await;
    let own = Own::register(&world, "none").await;
    assert_eq!(own.change(&own.body()).await.status, 200);
    assert_eq!(own.leave().await.status, 204);
    let log = log::told();
    for told in ["A client registered itself", "a client changed its registration", "a client ended its registration"] {
        let is_it = |line: &&str| line.contains(told) && line.contains(own.id());
        let lines: Vec<&str> = log.lines().filter(is_it).collect();
        assert!(
            matches!(lines.as_slice(), [line] if line.contains("client.address=\"127.0.0.1\"")),
            "{told}: {lines:?}"
        );
    }
    assert_eq!(world.database.count("audit_events where action like 'client.%'").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_is_not_the_client_is_told_nothing() {
    let world = World::new(Engine::Sqlite).await;
    let own = Own::register(&world, "none").await;
    let other = Own::register(&world, "none").await;
    let by_hand = world.client(consentry::model::client::Dialect::Custom).await;
    let token = text(&own.told, "registration_access_token");
    let of_other = text(&other.told, "registration_access_token");
    let mut answers = Vec::new();
    for (id, shown) in [
        (own.id(), Some(of_other)),
        (own.id(), Some("cst_ra_x")),
        (own.id(), Some(own.id())),
        (own.id(), None),
        (by_hand.client_id.as_str(), Some(token)),
        (&by_hand.client_id, Some(&by_hand.client_secret)),
        ("01890a5d-ac96-774b-bcce-b302099a8057", Some(token)),
        ("nobody", Some(token)),
        ("%00", Some(token)),
    ] {
        for method in [Method::GET, Method::PUT, Method::DELETE] {
            let request = http().request(method, world.running.at(&format!("/register/{id}"))).json(&own.body());
            let request = if let Some(shown) = shown { request.bearer_auth(shown) } else { request };
            let answer = send(request).await;
            assert_eq!(answer.error(), (401, "invalid_token".into()), "{id} {shown:?}");
            let challenge = if shown.is_some() { "Bearer error=\"invalid_token\"" } else { "Bearer" };
            assert_eq!(answer.header("www-authenticate"), Some(challenge));
            answers.push(text(&answer.json(), "error_description").to_owned());
        }
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "one answer for all: {answers:?}");
    assert_eq!(own.look().await.status, 200, "nothing happened");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_names_its_client_and_no_other() {
    let world = World::new(Engine::Sqlite).await;
    let own = Own::register(&world, "client_secret_post").await;
    let other = Own::register(&world, "client_secret_post").await;
    for (member, value, code) in [
        ("client_id", Value::Null, "invalid_client_metadata"),
        ("client_id", json!(other.id()), "invalid_client_metadata"),
        ("client_secret", other.told["client_secret"].clone(), "invalid_client_metadata"),
        ("client_secret", json!("x"), "invalid_client_metadata"),
        ("redirect_uris", Value::Null, "invalid_redirect_uri"),
        ("redirect_uris", json!(["javascript:alert(1)"]), "invalid_redirect_uri"),
        ("tos_uri", json!("javascript:alert(1)"), "invalid_client_metadata"),
    ] {
        let mut body = own.body();
        body[member] = value;
        let answer = own.change(&body).await;
        assert_eq!(answer.error(), (400, code.into()), "{body}");
        assert!(text(&answer.json(), "error_description").starts_with(member), "{answer:?}");
    }
    let mut body = own.body();
    body.as_object_mut().unwrap().remove("client_secret");
    assert_eq!(own.change(&body).await.status, 200, "it need not be sent");
}
