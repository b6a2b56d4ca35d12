//! The token endpoint before any grant: how requests are encoded, who proves to be whom, what answers look like
//! (RFC 6749 §2.3, §3.2, §5.1 and §5.2; the dialects' table in `protocol::dialect`).

use consentry::model::client::Dialect;
use reqwest::{
    Method,
    header::{CONTENT_TYPE, ORIGIN},
};
use serde_json::{Value, json};

use super::wire::{Answer, VERIFIER, http, send, text};
use crate::harness::{
    databases::Engine,
    server::{CALLBACK, Registered, World},
};

/// The parameters that redeem a code, without credentials.
fn redeem(code: &str) -> Vec<(&'static str, String)> {
    vec![
        ("grant_type", "authorization_code".to_owned()),
        ("code", code.to_owned()),
        ("redirect_uri", CALLBACK.to_owned()),
    ]
}

fn in_body(client: &Registered) -> Vec<(&'static str, String)> {
    vec![("client_id", client.client_id.clone()), ("client_secret", client.client_secret.clone())]
}

impl World {
    async fn send_form(&self, fields: &[(&str, String)]) -> Answer {
        send(http().post(self.running.at("/token")).form(fields)).await
    }

    async fn send_json(&self, fields: &[(&str, String)]) -> Answer {
        let body: serde_json::Map<_, _> =
            fields.iter().map(|(name, value)| ((*name).to_owned(), Value::from(value.as_str()))).collect();
        send(http().post(self.running.at("/token")).json(&body)).await
    }

    async fn send_raw(&self, content_type: Option<&str>, body: impl Into<reqwest::Body>) -> Answer {
        let request = http().post(self.running.at("/token")).body(body);
        send(match content_type {
            Some(content_type) => request.header(CONTENT_TYPE, content_type),
            None => request,
        })
        .await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn json_and_form_are_read_as_the_dialect_says() {
    let world = World::new(Engine::Sqlite).await;
    for dialect in [Dialect::Plugin, Dialect::Action] {
        let client = world.client(dialect).await;
        let fields = [redeem(&world.running.code(&client).await), in_body(&client)].concat();
        assert_eq!(world.send_json(&fields).await.status, 200, "{dialect:?}");
        let fields = [redeem(&world.running.code(&client).await), in_body(&client)].concat();
        assert_eq!(world.send_form(&fields).await.status, 200, "{dialect:?}");
    }
    for dialect in [Dialect::Custom, Dialect::Connector] {
        let client = world.client(dialect).await;
        let mut fields = redeem(&world.running.code_pkce(&client).await);
        fields.extend([("code_verifier", VERIFIER.to_owned()), ("client_id", client.client_id.clone())]);
        if dialect == Dialect::Custom {
            fields.push(("client_secret", client.client_secret));
        }
        assert_eq!(world.send_json(&fields).await.error(), (400, "invalid_request".into()), "{dialect:?}");
        assert_eq!(world.send_form(&fields).await.status, 200, "the code is as good as before: {dialect:?}");
    }
    let service = world.client(Dialect::Service).await;
    let fields = [vec![("grant_type", "client_credentials".to_owned())], in_body(&service)].concat();
    assert_eq!(world.send_json(&fields).await.error(), (400, "invalid_request".into()));
    assert_eq!(world.send_form(&fields).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn media_types_have_parameters_and_cases_and_others_are_refused() {
    let world = World::new(Engine::Sqlite).await;
    let client = world.client(Dialect::Plugin).await;
    let body = json!({
        "grant_type": "authorization_code",
        "client_id": client.client_id,
        "client_secret": client.client_secret,
        "code": world.running.code(&client).await,
        "redirect_uri": CALLBACK,
    })
    .to_string();
    for content_type in
        [None, Some("text/plain"), Some("multipart/form-data; boundary=x"), Some("application/jsonp"), Some("")]
    {
        let answer = world.send_raw(content_type, body.clone()).await;
        assert_eq!(answer.error(), (400, "invalid_request".into()), "{content_type:?}");
    }
    let misnamed = world.send_raw(Some("application/x-www-form-urlencoded"), body.clone()).await;
    assert_eq!(misnamed.status, 401, "JSON that calls itself a form has no client: {misnamed:?}");
    assert_eq!(world.send_raw(Some("Application/JSON; charset=utf-8"), body).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http_basic_is_read_where_the_dialect_has_it() {
    let world = World::new(Engine::Sqlite).await;
    let client = world.client(Dialect::Plugin).await;
    let code = world.running.code(&client).await;
    let fields = redeem(&code);
    let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let answer = world.running.post_basic("/token", &client, &fields).await;
    assert_eq!(answer.error(), (401, "invalid_client".into()));
    assert!(answer.header("www-authenticate").unwrap().starts_with("Basic realm="), "{answer:?}");
    assert_eq!(world.running.redeem(&client, &code).await.0, 200, "the code is as good as before");

    let client = world.client(Dialect::Action).await;
    let fields = redeem(&world.running.code(&client).await);
    let mut fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    fields.push(("client_id", &client.client_id));
    assert_eq!(world.running.post_basic("/token", &client, &fields).await.status, 200, "the same id in the body");

    let client = world.client(Dialect::Service).await;
    let answer = world.running.post_basic("/token", &client, &[("grant_type", "client_credentials")]).await;
    assert_eq!(answer.status, 200);

    let client = world.client(Dialect::Custom).await;
    let mut fields = redeem(&world.running.code_pkce(&client).await);
    fields.push(("code_verifier", VERIFIER.to_owned()));
    let fields: Vec<_> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    assert_eq!(world.running.post_basic("/token", &client, &fields).await.status, 200);
}

/// RFC 6749 §2.3.1 form-encodes both halves, and leaves open which characters a caller spells out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http_basic_is_form_encoded_inside() {
    let world = World::new(Engine::Sqlite).await;
    let client = world.client(Dialect::Service).await;
    let spelled = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    let Registered { client_id, client_secret } = &client;
    for (client_id, client_secret, status) in [
        (spelled(client_id), spelled(client_secret), 200),
        (client_id.replace('-', "%2d"), client_secret.replace('_', "%5f"), 200),
        (client_id.clone(), spelled(&spelled(client_secret)), 401),
        (client_id.clone(), format!("{client_secret}+"), 401),
        (client_id.clone(), format!("{client_secret}%"), 401),
    ] {
        let caller = Registered { client_id, client_secret };
        let answer = world.running.post_basic("/token", &caller, &[("grant_type", "client_credentials")]).await;
        assert_eq!(answer.status, status, "{caller:?}: {answer:?}");
    }
    // The id of a document has colons, of which the first would end the user name. No such client has a secret, so
    // being taken for the same one as in the body is all there is to see.
    let document = Registered { client_id: "https%3A%2F%2Fc.example%2Fdoc".into(), client_secret: "x".into() };
    let fields = [("grant_type", "client_credentials"), ("client_id", "https://c.example/doc")];
    let answer = world.running.post_basic("/token", &document, &fields).await;
    assert_eq!(answer.error(), (401, "invalid_client".into()), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_credentials_at_once_are_refused() {
    let world = World::new(Engine::Sqlite).await;
    let client = world.client(Dialect::Service).await;
    let other = world.client(Dialect::Service).await;
    let grant = ("grant_type", "client_credentials");
    let secret = ("client_secret", client.client_secret.as_str());
    for fields in [vec![grant, secret], vec![grant, ("client_id", &other.client_id)]] {
        let answer = world.running.post_basic("/token", &client, &fields).await;
        assert_eq!(answer.error(), (400, "invalid_request".into()), "{fields:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_does_not_prove_itself_is_told_the_same() {
    let world = World::new(Engine::Sqlite).await;
    let client = world.client(Dialect::Service).await;
    let other = world.client(Dialect::Service).await;
    let disabled = world.client(Dialect::Service).await;
    let store = &world.running.server.store;
    store.disable_client(&disabled.client_id, &world.running.operator()).await.unwrap();
    let unknown = Registered { client_id: "nobody".into(), client_secret: client.client_secret.clone() };
    let wrong = Registered { client_secret: format!("{}x", client.client_secret), ..client.clone() };
    let swapped = Registered { client_secret: other.client_secret, ..client.clone() };
    let without = Registered { client_secret: String::new(), ..client.clone() };
    let mut told = Vec::new();
    for caller in [&wrong, &swapped, &without, &unknown, &disabled] {
        let fields = [vec![("grant_type", "client_credentials".to_owned())], in_body(caller)].concat();
        let answer = world.send_form(&fields).await;
        assert_eq!(answer.error(), (401, "invalid_client".into()), "{caller:?}");
        assert_eq!(answer.header("www-authenticate"), None, "Basic was not tried: {caller:?}");
        told.push(text(&answer.json(), "error_description").to_owned());

        let answer = world.running.post_basic("/token", caller, &[("grant_type", "client_credentials")]).await;
        assert_eq!(answer.error(), (401, "invalid_client".into()), "{caller:?}");
        assert!(answer.header("www-authenticate").unwrap().starts_with("Basic realm="), "{caller:?}");
        told.push(text(&answer.json(), "error_description").to_owned());
    }
    told.dedup();
    assert_eq!(told.len(), 1, "{told:?}");
    for header in ["Basic", "Basic ", "Basic !!!", "basic bm9jb2xvbg==", "Basic /////w=="] {
        let request = http().post(world.running.at("/token")).header("authorization", header);
        let answer = send(request.form(&[("grant_type", "client_credentials")])).await;
        assert_eq!(answer.error(), (401, "invalid_client".into()), "{header}");
        assert!(answer.header("www-authenticate").is_some(), "{header}");
    }
    // A public client has no secret; one that shows any is not it.
    let connector = world.client(Dialect::Connector).await;
    let code = world.running.code_pkce(&connector).await;
    let pretender = Registered { client_secret: "anything".into(), ..connector.clone() };
    assert_eq!(world.running.redeem_pkce(&pretender, &code).await.error(), (401, "invalid_client".into()));
    assert_eq!(world.running.redeem_pkce(&connector, &code).await.status, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_parameter_that_is_missing_repeated_or_too_long_is_named() {
    let world = World::new(Engine::Sqlite).await;
    let client = world.client(Dialect::Plugin).await;
    let code = world.running.code(&client).await;
    let whole = [redeem(&code), in_body(&client)].concat();
    for name in ["grant_type", "code", "redirect_uri"] {
        let lacking: Vec<_> = whole.iter().filter(|(known, _)| *known != name).cloned().collect();
        let answer = world.send_form(&lacking).await;
        assert_eq!(answer.error(), (400, "invalid_request".into()), "{name}");
        assert_eq!(text(&answer.json(), "error_description"), format!("{name} is missing"));
        let empty = [lacking, vec![(name, String::new())]].concat();
        assert_eq!(world.send_form(&empty).await.error(), (400, "invalid_request".into()), "empty {name}");
    }
    for (name, value) in &whole {
        let twice = [whole.clone(), vec![(*name, value.clone())]].concat();
        let answer = world.send_form(&twice).await;
        assert_eq!(answer.error(), (400, "invalid_request".into()), "{name} twice");
        assert!(text(&answer.json(), "error_description").starts_with(name), "{answer:?}");
        let long: Vec<_> = whole.iter().filter(|(known, _)| known != name).cloned().collect();
        let long = [long, vec![(*name, "x".repeat(9000))]].concat();
        assert_eq!(world.send_form(&long).await.error(), (400, "invalid_request".into()), "{name} too long");
    }
    let lacking: Vec<_> = whole.iter().filter(|(known, _)| *known != "client_id").cloned().collect();
    assert_eq!(world.send_form(&lacking).await.error(), (401, "invalid_client".into()));
    let members = format!("\"client_id\":\"{}\",\"client_secret\":\"{}\"", client.client_id, client.client_secret);
    for body in [
        format!("{{{members},\"grant_type\":\"refresh_token\",\"grant_type\":\"authorization_code\"}}"),
        format!("{{{members},\"grant_type\":[\"authorization_code\"]}}"),
        format!("{{{members},\"code\":{{}}}}"),
        format!("[{{{members}}}]"),
        format!("{{{members}"),
        String::new(),
    ] {
        let answer = world.send_raw(Some("application/json"), body.clone()).await;
        assert_eq!(answer.error(), (400, "invalid_request".into()), "{body}");
    }
    assert_eq!(world.send_form(&whole).await.status, 200, "after all of that the code is as good as before");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_above_64_kib_is_413() {
    let world = World::new(Engine::Sqlite).await;
    for content_type in ["application/x-www-form-urlencoded", "application/json"] {
        let answer = world.send_raw(Some(content_type), "x".repeat(64 * 1024 + 1)).await;
        assert_eq!(answer.error(), (413, "invalid_request".into()), "{content_type}");
    }
    let largest = world.send_raw(Some("application/x-www-form-urlencoded"), "x".repeat(64 * 1024)).await;
    assert_eq!(largest.error(), (401, "invalid_client".into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn answers_are_json_that_nobody_keeps_and_every_page_may_read() {
    let world = World::new(Engine::Sqlite).await;
    let client = world.client(Dialect::Service).await;
    for (secret, status) in [(client.client_secret.as_str(), 200), ("wrong", 401)] {
        let caller = Registered { client_secret: secret.to_owned(), ..client.clone() };
        let fields = [vec![("grant_type", "client_credentials".to_owned())], in_body(&caller)].concat();
        let request = http().post(world.running.at("/token")).header(ORIGIN, "https://app.example").form(&fields);
        let answer = send(request).await;
        assert_eq!(answer.status, status);
        answer.json();
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{answer:?}");
        assert_eq!(answer.header("access-control-allow-credentials"), None);
        assert_eq!(answer.header("set-cookie"), None);
        let id = answer.header("x-request-id").unwrap();
        assert!(id.len() == 16 && id.bytes().all(|b| b.is_ascii_hexdigit()), "{id}");
    }
    let chosen = http().post(world.running.at("/token")).header("x-request-id", "0000000000000000");
    assert_ne!(send(chosen).await.header("x-request-id"), Some("0000000000000000"), "not the caller's to choose");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_may_ask_before_and_only_post_is_a_token_request() {
    let world = World::new(Engine::Sqlite).await;
    for path in ["/token", "/revoke"] {
        let preflight = http()
            .request(Method::OPTIONS, world.running.at(path))
            .header(ORIGIN, "https://app.example")
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,content-type");
        let answer = send(preflight).await;
        assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, Some("*")), "{path}");
        assert!(answer.header("access-control-allow-methods").unwrap().contains("POST"), "{answer:?}");
        let headers = answer.header("access-control-allow-headers").unwrap();
        assert!(headers.contains("authorization") && headers.contains("content-type"), "{answer:?}");
    }
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let answer = send(http().request(method.clone(), world.running.at("/token?grant_type=x"))).await;
        assert_eq!(answer.error(), (405, "invalid_request".into()), "{method}");
        assert_eq!(answer.header("allow"), Some("POST"), "{method}");
    }
}
