//! Clients that sign, from the shell.

use serde_json::{Value, json};

use super::*;
use crate::{
    keys::signing::{SigningKey, generate},
    model::{
        client::AuthenticationMethod,
        key::{KeyAlgorithm, Kid},
    },
    protocol::presets::{self, Address},
    server::documents::{self, Document},
};

const URI: &str = "https://a.example/keys.json";

/// A key set as a client publishes it.
fn key_set(name: &str) -> Value {
    let key = SigningKey::from_pkcs8(Kid(1), KeyAlgorithm::Es256, &generate(KeyAlgorithm::Es256).unwrap()).unwrap();
    let mut key = serde_json::to_value(key.jwk()).unwrap();
    key["kid"] = json!(name);
    json!({ "keys": [key] })
}

impl Shell {
    fn key_file(&self, name: &str) -> String {
        self.file(&format!("{name}.json"), key_set(name).to_string()).to_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn a_client_may_sign_instead_of_showing_a_secret() {
    let shell = Shell::with_plugin().await;
    let file = shell.key_file("one");
    for (preset, more) in [
        ("service", &["--jwks-file", &file][..]),
        ("custom", &["--callback", CALLBACK, "--jwks-file", &file]),
        ("connector", &["--callback", CALLBACK, "--jwks-uri", URI]),
    ] {
        let added = shell.add_client(preset, more).await;
        assert_eq!(added.json["client_secret"], Value::Null, "{preset}");
        assert_eq!(added.json["authentication_methods"], json!(["private_key_jwt"]), "{preset}");
        let audience = "Their aud is https://consent.example.com/auth.";
        assert!(added.text.contains("private_key_jwt") && added.text.contains(audience), "{}", added.text);
        assert!(!added.text.contains("secret is shown"), "{}", added.text);
        let kept = shell.desk.store.client(added.json["client_id"].as_str().unwrap(), shell.desk.clock.now());
        let kept = kept.await.unwrap().unwrap();
        assert_eq!(kept.authentication_methods, AuthenticationMethod::PrivateKeyJwt.into());
        assert!(kept.secrets.is_empty() && kept.keys.fetched_at.is_none());
        let keys = if preset == "connector" {
            json!({ "jwks_uri": URI, "key_ids": null })
        } else {
            json!({ "jwks_uri": null, "key_ids": ["one"] })
        };
        assert_eq!(added.json["keys"], keys, "{preset}");
    }
    let list = shell.run(&["client", "list"]).await;
    assert!(list.json.as_array().unwrap().iter().all(|client| !client["keys"].is_null()));
}

#[tokio::test]
async fn a_key_set_is_supplied_and_replaced_by_hand() {
    let shell = Shell::with_plugin().await;
    let added = shell.add_client("connector", &["--callback", CALLBACK, "--jwks-uri", URI]).await;
    let id = added.json["client_id"].as_str().unwrap();
    for name in ["one", "two"] {
        let supplied = shell.run(&["client", "supply-keys", id, "--jwks-file", &shell.key_file(name)]).await;
        assert_eq!(supplied.json["keys"], json!({ "jwks_uri": URI, "key_ids": [name] }));
        assert!(supplied.text.contains(&format!("  {name} (ES256)")), "{}", supplied.text);
    }
    let shows_a_secret = shell.add_client("service", &[]).await;
    let id = shows_a_secret.json["client_id"].as_str().unwrap();
    let told = shell.refused(&["client", "supply-keys", id, "--jwks-file", &shell.key_file("one")]).await;
    assert!(told.contains("signs no assertions"), "{told}");
    for (nobody, part) in [("nobody", "client list"), ("https://a.example/client.json", "first consent")] {
        let told = shell.refused(&["client", "supply-keys", nobody, "--jwks-file", &shell.key_file("one")]).await;
        assert!(told.contains(part), "{told}");
    }
}

/// The first pinned client that signs, or the first that does not.
fn known_vendors(signs: bool) -> (String, Document) {
    let ids = presets::documents().filter_map(|document| match &document.address {
        Address::ClientId(id) => Some(id.clone()),
        Address::Template(_) => None,
    });
    let mut pinned = ids.map(|id| (id.clone(), documents::pinned(&id, chrono::DateTime::UNIX_EPOCH).unwrap()));
    let method = AuthenticationMethod::PrivateKeyJwt;
    pinned.find(|(_, document)| document.metadata.methods.contains(method) == signs).unwrap()
}

#[tokio::test]
async fn a_known_vendors_client_is_given_keys_before_anybody_consents_to_it() {
    let shell = Shell::with_plugin().await;
    let (id, document) = known_vendors(true);
    for name in ["one", "two"] {
        let supplied = shell.run(&["client", "supply-keys", &id, "--jwks-file", &shell.key_file(name)]).await;
        assert_eq!(supplied.json["keys"]["key_ids"], json!([name]));
    }
    let kept = shell.desk.store.client(&id, shell.desk.clock.now()).await.unwrap().unwrap();
    assert_eq!((kept.redirect_uris, kept.enabled), (document.metadata.redirect_uris, true));
    assert!(kept.document.unwrap().is_pinned);
    // One that shows nothing has no keys to supply, and gets no row for it.
    let (id, _) = known_vendors(false);
    let told = shell.refused(&["client", "supply-keys", &id, "--jwks-file", &shell.key_file("one")]).await;
    assert!(told.contains("signs no assertions"), "{told}");
    assert_eq!(shell.run(&["client", "list"]).await.json.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_no_key_set_is_refused_with_the_member_at_fault() {
    let shell = Shell::with_plugin().await;
    let mut private = key_set("one");
    private["keys"][0]["d"] = json!("c2VjcmV0");
    for (text, part) in [
        ("not json".to_owned(), "JSON"),
        (r#"{"keys":[]}"#.to_owned(), "keys is empty"),
        (private.to_string(), "keys[0].d is secret"),
        (" ".repeat(70_000), "more than"),
    ] {
        let file = shell.file("keys.json", text);
        let told = shell.refused_client("custom", &["--jwks-file", file.to_str().unwrap()]).await;
        assert!(told.contains(part) && told.contains("keys.json"), "{part} in {told}");
    }
    for (uri, part) in [
        ("http://a.example/keys.json", "https://"),
        ("keys.json", "not a URL"),
        ("https://me@a.example/keys.json", "user name"),
        ("https://a.example/keys.json#x", "fragment"),
    ] {
        let told = shell.refused_client("custom", &["--jwks-uri", uri]).await;
        assert!(told.contains("--jwks-uri") && told.contains(part), "{told}");
    }
    assert!(shell.refused_client("custom", &["--jwks-file", "no such file"]).await.contains("cannot be read"));
    for preset in ["plugin", "action"] {
        let told = shell.refused_client(preset, &["--jwks-file", &shell.key_file("one")]).await;
        assert!(told.contains(preset) && told.contains("leave them out"), "{told}");
    }
    assert_eq!(shell.run(&["client", "list"]).await.json, json!([]));
    let both = ["consentry", "client", "add", "--plugin", "todo", "--name", "A", "--preset", "service"];
    let both = both.into_iter().chain(["--jwks-file", "f", "--jwks-uri", URI]);
    assert_eq!(Arguments::try_parse_from(both).unwrap_err().exit_code(), 2);
}

impl Shell {
    async fn refused_client(&self, preset: &str, more: &[&str]) -> String {
        let words = ["client", "add", "--plugin", "todo", "--name", "A", "--callback", CALLBACK, "--preset", preset];
        self.refused(&[&words, more].concat()).await
    }
}

#[tokio::test]
async fn where_clients_are_not_registered_by_hand_only_services_are() {
    let mut shell = Shell::with_plugin().await;
    shell.desk.clients.by_hand = false;
    let add = |preset| ["client", "add", "--plugin", "todo", "--name", "A", "--preset", preset, "--callback", CALLBACK];
    for preset in ["plugin", "action", "connector", "custom"] {
        let told = shell.refused(&add(preset)).await;
        assert!(told.contains("clients_by_hand"), "{preset}: {told}");
    }
    shell.add_client("service", &[]).await;
}
