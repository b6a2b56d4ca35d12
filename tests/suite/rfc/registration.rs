//! Dynamic registration (RFC 7591): what is answered, what is refused with which code, and who may.

use consentry::model::{
    client::Dialect,
    digest::Digest,
    mechanisms::{Mechanisms, RedirectKinds, Registrants, RegistrationPolicy},
};
use reqwest::{
    Method, RequestBuilder,
    header::{AUTHORIZATION, CONTENT_TYPE, ORIGIN},
};
use serde_json::{Value, json};

use super::wire::{Answer, http, send, text};
use crate::{
    harness::{
        databases::Engine,
        server::{Options, World},
    },
    on_both_engines,
};

const METADATA: &str = "/.well-known/oauth-authorization-server";

fn policy(policy: RegistrationPolicy) -> Options {
    Options { mechanisms: Mechanisms { registration: policy, ..Mechanisms::default() }, ..Options::default() }
}

fn registrants(registrants: Registrants) -> Options {
    policy(RegistrationPolicy { registrants, ..RegistrationPolicy::default() })
}

fn asking(world: &World, body: &Value) -> RequestBuilder {
    http().post(world.running.at("/register")).json(body)
}

async fn register(world: &World, body: &Value) -> Answer {
    send(asking(world, body)).await
}

fn minimal() -> Value {
    json!({ "redirect_uris": ["https://app.example/cb"] })
}

fn with(member: &str, value: Value) -> Value {
    let mut body = minimal();
    body[member] = value;
    body
}

on_both_engines! {
    async fn a_client_is_told_what_it_was_registered_as(engine) {
        let world = World::new(engine).await;
        let body = json!({
            "client_name": "Example App",
            "redirect_uris": ["https://app.example/cb", "http://127.0.0.1/cb", "com.example.app:/cb"],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "client_secret_post",
            "scope": "todo.read offline_access",
            "application_type": "native",
            "client_uri": "https://app.example/",
            "logo_uri": "https://app.example/logo.png",
            "policy_uri": "https://app.example/policy",
            "tos_uri": "https://app.example/terms",
            "contacts": ["owner@app.example"],
            "software_id": "4NRB1-0XZABZI9E6-5SM3R",
            "com.example.unknown": { "a": [1, 2] },
        });
        let answer = register(&world, &body).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("pragma"), Some("no-cache"));
        let told = answer.json();
        let (id, origin) = (text(&told, "client_id"), world.running.url.as_str());
        assert!(uuid::Uuid::parse_str(id).is_ok(), "{id}");
        assert_eq!(told["registration_client_uri"], format!("{origin}/register/{id}"));
        let now = world.running.server.clock.now().timestamp();
        assert!((now - told["client_id_issued_at"].as_i64().unwrap()).abs() < 60);
        for (member, prefix) in [("client_secret", "cst_cs_"), ("registration_access_token", "cst_ra_")] {
            assert!(text(&told, member).starts_with(prefix) && text(&told, member).len() == 56, "{told}");
        }
        insta::allow_duplicates! { insta::assert_json_snapshot!(told, {
            ".client_id" => "[id]",
            ".client_id_issued_at" => "[seconds]",
            ".client_secret" => "[secret]",
            ".registration_access_token" => "[token]",
            ".registration_client_uri" => "[origin]/register/[id]",
        }, @r#"
        {
          "application_type": "native",
          "client_id": "[id]",
          "client_id_issued_at": "[seconds]",
          "client_name": "Example App",
          "client_secret": "[secret]",
          "client_secret_expires_at": 0,
          "client_uri": "https://app.example/",
          "grant_types": [
            "authorization_code",
            "refresh_token"
          ],
          "logo_uri": "https://app.example/logo.png",
          "policy_uri": "https://app.example/policy",
          "redirect_uris": [
            "https://app.example/cb",
            "http://127.0.0.1/cb",
            "com.example.app:/cb"
          ],
          "registration_access_token": "[token]",
          "registration_client_uri": "[origin]/register/[id]",
          "response_types": [
            "code"
          ],
          "scope": "todo.read",
          "token_endpoint_auth_method": "client_secret_post",
          "tos_uri": "https://app.example/terms"
        }
        "#) };
    }

    async fn the_row_is_a_connectors_that_belongs_to_nobody(engine) {
        let world = World::new(engine).await;
        let told = register(&world, &minimal()).await.json();
        assert_eq!(told["client_name"], "app.example", "without a name of its own it has its host's");
        assert_eq!(told["token_endpoint_auth_method"], "client_secret_basic", "the default of RFC 7591 §2");
        let now = world.running.server.clock.now();
        let row = world.running.server.store.client(text(&told, "client_id"), now).await.unwrap().unwrap();
        assert_eq!((row.dialect, row.home.is_none(), row.scopes), (Dialect::Connector, true, None));
        assert_eq!(row.secrets.len(), 1);
        for (digest, member) in
            [(row.secrets[0].digest, "client_secret"), (row.registration_digest.unwrap(), "registration_access_token")]
        {
            assert_eq!(digest, Digest::of(text(&told, member)), "only digests are kept");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_method_gets_what_it_needs_and_no_more() {
    let world = World::new(Engine::Sqlite).await;
    let key =
        json!({ "kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", "kid": "k1" });
    for (method, more, has_secret) in [
        ("none", json!({}), false),
        ("client_secret_post", json!({}), true),
        ("client_secret_basic", json!({}), true),
        ("private_key_jwt", json!({ "jwks": { "keys": [key] } }), false),
        ("private_key_jwt", json!({ "jwks_uri": "https://app.example/jwks.json" }), false),
    ] {
        let mut body = with("token_endpoint_auth_method", method.into());
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let answer = register(&world, &body).await;
        assert_eq!(answer.status, 201, "{answer:?}");
        let told = answer.json();
        assert_eq!(told["token_endpoint_auth_method"], method);
        assert_eq!(told["client_secret"].is_string(), has_secret, "{told}");
        assert_eq!(told["client_secret_expires_at"], if has_secret { json!(0) } else { Value::Null });
        assert_eq!(told["jwks_uri"], body["jwks_uri"]);
        assert_eq!(told["jwks"]["keys"][0]["x"], body["jwks"]["keys"][0]["x"]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_scope_is_what_was_named_or_everything() {
    let world = World::new(Engine::Sqlite).await;
    // One plugin: of what is named what that has, and all it has when that is nothing.
    for (scope, told_of) in [
        (Value::Null, "todo.read todo.write"),
        (json!(""), "todo.read todo.write"),
        (json!("offline_access mcp"), "todo.read todo.write"),
        (json!("todo.read"), "todo.read"),
        (json!("mcp todo.write todo.write"), "todo.write"),
    ] {
        let told = register(&world, &with("scope", scope)).await.json();
        assert_eq!(told["scope"], told_of);
    }
    // Two: nobody knows yet which.
    let mut other = world.plugin.clone();
    other.id = consentry::model::id::PluginId(consentry::random::id(world.running.server.clock.now()));
    (other.slug, other.resource, other.host) =
        ("other".into(), "https://o.example".into(), "o.example".parse().unwrap());
    let import = consentry::store::plugins::PluginImport::of(other, vec![], world.running.server.clock.now());
    world.running.server.store.import_plugin(&import, &world.running.operator()).await.unwrap();
    assert_eq!(register(&world, &with("scope", json!("todo.read x"))).await.json()["scope"], "todo.read x");
    assert_eq!(register(&world, &minimal()).await.json()["scope"], Value::Null);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_says_which_member_is_at_fault() {
    let world = World::new(Engine::Sqlite).await;
    let uri = "invalid_redirect_uri";
    let other = "invalid_client_metadata";
    let deep = json!({ "redirect_uris": ["https://a.example/cb"], "x": [[[[[[[[[1]]]]]]]]] });
    for (body, code, member) in [
        (json!({}), uri, "redirect_uris"),
        (with("redirect_uris", json!([])), uri, "redirect_uris"),
        (with("redirect_uris", json!("https://a.example/cb")), uri, "redirect_uris"),
        (with("redirect_uris", json!(["http://a.example/cb"])), uri, "redirect_uris[0]"),
        (with("redirect_uris", json!(["https://a.example/cb", "javascript:alert(1)"])), uri, "redirect_uris[1]"),
        (with("redirect_uris", json!(vec!["https://a.example/cb"; 21])), uri, "redirect_uris"),
        (with("client_name", json!(7)), other, "client_name"),
        (with("client_name", json!("Chat\u{202e}TPG")), other, "client_name"),
        (with("client_name", json!("x".repeat(101))), other, "client_name"),
        (with("token_endpoint_auth_method", json!("client_secret_jwt")), other, "token_endpoint_auth_method"),
        (with("token_endpoint_auth_method", json!("private_key_jwt")), other, "jwks_uri"),
        (with("grant_types", json!(["password"])), other, "grant_types"),
        (with("response_types", json!(["token"])), other, "response_types"),
        (with("application_type", json!("toaster")), other, "application_type"),
        (with("logo_uri", json!("data:image/svg+xml,x")), other, "logo_uri"),
        (with("scope", json!("a \"b\"")), other, "scope"),
        (json!([]), other, "the request"),
        (deep, other, "the request"),
    ] {
        let answer = register(&world, &body).await;
        assert_eq!(answer.error(), (400, code.into()), "{body}");
        let description = answer.json()["error_description"].as_str().unwrap().to_owned();
        assert!(description.starts_with(member), "{body}: {description}");
        assert!(description.bytes().all(|b| (b' '..=b'~').contains(&b) && b != b'"' && b != b'\\'), "{description}");
    }
    assert_eq!(world.database.count("clients").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_body_is_json_and_no_longer_than_it_may_be() {
    let world = World::new(Engine::Sqlite).await;
    let post = |kind: &str, body: String| {
        send(http().post(world.running.at("/register")).header(CONTENT_TYPE, kind).body(body))
    };
    let good = minimal().to_string();
    for kind in ["application/x-www-form-urlencoded", "text/plain", "", "application/jwt"] {
        let answer = post(kind, good.clone()).await;
        assert_eq!(answer.error(), (400, "invalid_client_metadata".into()), "{kind}");
        assert!(text(&answer.json(), "error_description").contains("application/json"), "{kind}");
    }
    assert_eq!(post("Application/JSON; charset=utf-8", good.clone()).await.status, 201);
    for body in ["", "{", "nul", "\u{0}", "{\"redirect_uris\":[\"https://a.example/\"],\"redirect_uris\":[]}"] {
        assert_eq!(
            post("application/json", body.into()).await.error(),
            (400, "invalid_client_metadata".into()),
            "{body}"
        );
    }
    assert_eq!(post("application/json", "[".repeat(60_000)).await.error().0, 400, "deep");
    let padded = |length: usize| format!("{good}{}", " ".repeat(length - good.len()));
    assert_eq!(post("application/json", padded(8 * 1024)).await.status, 201);
    assert_eq!(post("application/json", padded(8 * 1024 + 1)).await.error(), (400, "invalid_client_metadata".into()));
    assert_eq!(post("application/json", padded(64 * 1024 + 1)).await.error(), (413, "invalid_request".into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_a_token_only_its_holders_register() {
    let token = "Zm9yIHdob2V2ZXIgcmVnaXN0ZXJz";
    let world = World::with(Engine::Sqlite, registrants(Registrants::Bearer(Digest::of(token).into()))).await;
    let body = minimal();
    let stored = format!("{:x?}", Digest::of(token).0);
    for shown in [
        None,
        Some(String::new()),
        Some("Bearer".into()),
        Some("Bearer x".into()),
        Some(format!("Basic {token}")),
        Some(format!("Bearer {token}x")),
        Some(format!("Bearer {stored}")),
    ] {
        let request = asking(&world, &body);
        let request = if let Some(shown) = &shown { request.header(AUTHORIZATION, shown) } else { request };
        let answer = send(request).await;
        assert_eq!(answer.error(), (401, "invalid_token".into()), "{shown:?}");
        // RFC 6750 §3.1: no token is no error of a token's.
        let showed_one = shown.is_some_and(|shown| shown.starts_with("Bearer "));
        let challenge = if showed_one { "Bearer error=\"invalid_token\"" } else { "Bearer" };
        assert_eq!(answer.header("www-authenticate"), Some(challenge));
    }
    assert_eq!(world.database.count("clients").await, 0);
    for scheme in ["Bearer", "bearer"] {
        let answer = send(asking(&world, &body).header(AUTHORIZATION, format!("{scheme} {token}"))).await;
        assert_eq!(answer.status, 201, "{answer:?}");
    }
    assert!(world.running.look(METADATA).await.json()["registration_endpoint"].is_string());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_it_is_off_nobody_registers_and_it_is_not_advertised() {
    let world = World::with(Engine::Sqlite, registrants(Registrants::Nobody)).await;
    let answer = register(&world, &minimal()).await;
    assert_eq!(answer.error(), (403, "access_denied".into()));
    assert_eq!(world.running.look(METADATA).await.json()["registration_endpoint"], Value::Null);
    assert_eq!(world.database.count("clients").await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn redirects_of_other_kinds_are_left_out_and_do_not_sink_the_rest() {
    let redirects = RedirectKinds { loopback: false, private_use: false };
    let world =
        World::with(Engine::Sqlite, policy(RegistrationPolicy { redirects, ..RegistrationPolicy::default() })).await;
    // What one client of today sends, whatever it will use.
    let three = [
        "cursor://anysphere.cursor-mcp/oauth/callback",
        "https://www.cursor.com/agents/mcp/oauth/callback",
        "http://localhost:8787/callback",
    ];
    let told = register(&world, &with("redirect_uris", json!(three))).await.json();
    assert_eq!(told["redirect_uris"], json!([three[1]]));
    let answer = register(&world, &with("redirect_uris", json!([three[0], three[2]]))).await;
    assert_eq!(answer.error(), (400, "invalid_redirect_uri".into()));
    let open = World::new(Engine::Sqlite).await;
    let told = register(&open, &with("redirect_uris", json!(three))).await.json();
    assert_eq!(told["redirect_uris"], json!(three));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_may_register_from_anywhere_and_only_by_post() {
    let world = World::new(Engine::Sqlite).await;
    let answer = send(asking(&world, &minimal()).header(ORIGIN, "https://inspector.example")).await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (201, Some("*")));
    let preflight = |path: &str, method: &str| {
        let request =
            http().request(Method::OPTIONS, world.running.at(path)).header(ORIGIN, "https://inspector.example");
        let request = request.header("access-control-request-method", method);
        send(request.header("access-control-request-headers", "authorization,content-type"))
    };
    for (path, method) in
        [("/register", "POST"), ("/register/x", "GET"), ("/register/x", "PUT"), ("/register/x", "DELETE")]
    {
        let answer = preflight(path, method).await;
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, Some("*")), "{method} {path}");
        assert!(answer.header("access-control-allow-methods").unwrap().contains(method), "{method} {path}");
    }
    let answer = world.running.look("/register").await;
    assert_eq!((answer.error(), answer.header("allow")), ((405, "invalid_request".into()), Some("POST")));
    let answer = send(http().post(world.running.at("/register/x"))).await;
    assert_eq!((answer.error().0, answer.header("allow")), (405, Some("GET, PUT, DELETE")));
}
