//! From nothing to a working plugin with the command line alone: the real binary, the repository's own sample
//! manifest, then the whole classic flow against `consentry serve`.

use std::process::Command;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::{
    harness::{
        browser::{Browser, parameter, plugin_request, read},
        process::{Heard, Installation, write_private},
        server::{CALLBACK, Registered},
    },
    on_both_engines,
};

on_both_engines! {
    async fn the_sample_manifest_drives_a_whole_classic_flow(engine) {
        let installed = Installation::new(engine).await;
        let Installation { folder, port, .. } = &installed;
        let consentry = installed.program();
        let account = consentry.set_up();
        assert_eq!(account["role"], "person");

        // The seed's own manifest: `scope` is empty and the token request is JSON. Only its host is this run's.
        let here = |text: &str| text.replace("localhost:8080", &format!("localhost:{port}"));
        std::fs::write(folder.path().join("ai-plugin.json"), here(consentry::demo::MANIFEST)).unwrap();
        std::fs::write(folder.path().join("openapi.json"), here(consentry::demo::OPENAPI)).unwrap();
        let host = format!("localhost:{port}");
        let plugin = consentry.answer(&[
            "plugin", "import", "ai-plugin.json", "--host", &host, "--openapi", "openapi.json", "--json",
        ]);
        assert_eq!((plugin["host"].as_str(), plugin["state"].as_str()), (Some(host.as_str()), Some("draft")));
        let slug = plugin["slug"].as_str().unwrap();
        assert_eq!(consentry.answer(&["plugin", "show", slug, "--json"])["plugin_id"], plugin["plugin_id"]);

        let made = consentry.answer(&[
            "client", "add", "--plugin", slug, "--preset", "plugin", "--name", "ChatGPT", "--json",
        ]);
        assert_eq!(made["redirect_uris"], json!([]), "its callback is not known yet");
        let id = made["client_id"].as_str().unwrap();
        let added = consentry.answer(&["client", "add-callback", id, CALLBACK, "--json"]);
        let twin = CALLBACK.replace("chat.openai.com", "chatgpt.com");
        assert_eq!(added["redirect_uris"], json!([CALLBACK, twin]), "one callback brings its twin");
        let client = Registered {
            client_id: made["client_id"].as_str().unwrap().to_owned(),
            client_secret: made["client_secret"].as_str().unwrap().to_owned(),
        };

        let serving = consentry.serve().await;
        let manifest: Value =
            reqwest::get(format!("{}/.well-known/ai-plugin.json", consentry.own())).await.unwrap().json().await.unwrap();
        assert_eq!(manifest["auth"]["client_url"], format!("{}/authorize", consentry.own()));
        assert_eq!(manifest["auth"]["authorization_url"], format!("{}/token", consentry.own()));
        assert_eq!((&manifest["auth"]["scope"], &manifest["auth"]["authorization_content_type"]),
            (&json!(""), &json!("application/json")));

        let browser = Browser::at(&consentry.own());
        let left = browser.agree(&plugin_request(&client), "ada@example.com").await;
        let token = manifest["auth"]["authorization_url"].as_str().unwrap();
        let ask = async |body: Value| read(reqwest::Client::new().post(token).json(&body).send().await.unwrap()).await;
        let (status, tokens) = ask(json!({
            "grant_type": "authorization_code", "client_id": client.client_id, "client_secret": client.client_secret,
            "code": parameter(&left, "code"), "redirect_uri": CALLBACK,
        })).await;
        assert_eq!(status, 200, "{tokens}");
        assert_eq!(tokens["scope"], "todo.read todo.write");
        let refresh = json!({
            "grant_type": "refresh_token", "client_id": client.client_id, "client_secret": client.client_secret,
            "refresh_token": tokens["refresh_token"],
        });
        let (status, next) = ask(refresh).await;
        assert_eq!(status, 200, "{next}");

        // Administration works beside the running server, and takes effect on the next call.
        let fewer = consentry.answer(&["client", "scopes", &client.client_id, "--scope", "todo.read", "--json"]);
        assert_eq!(fewer["scopes"], json!(["todo.read"]));
        let (_, narrowed) = ask(json!({
            "grant_type": "refresh_token", "client_id": client.client_id, "client_secret": client.client_secret,
            "refresh_token": next["refresh_token"],
        })).await;
        assert_eq!(narrowed["scope"], "todo.read", "{narrowed}");
        let rotated = consentry.answer(&["client", "rotate-secret", &client.client_id, "--keep-old", "0", "--json"]);
        let again = |secret: &Value| json!({
            "grant_type": "refresh_token", "client_id": client.client_id, "client_secret": secret,
            "refresh_token": next["refresh_token"],
        });
        assert_eq!(ask(again(&json!(client.client_secret))).await.0, 401);
        assert_eq!(ask(again(&rotated["client_secret"])).await.0, 200);
        consentry.answer(&["client", "disable", &client.client_id, "--json"]);
        assert_eq!(ask(again(&rotated["client_secret"])).await.0, 401);
        drop(serving);
    }
}

#[test]
fn a_start_with_everything_wrong_tells_all_of_it_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_consentry"))
        .current_dir(folder.path())
        .arg("serve")
        .env("CONSENTRY_PUBLIC_URL", "http://auth.example.com/")
        .env("CONSENTRY_MASTER_KEYS", "env:SHORT_KEY,env:PLACEHOLDER_KEY")
        .env("SHORT_KEY", "c2hvcnQ=")
        .env("PLACEHOLDER_KEY", "REPLACE_ME")
        .env("CONSENTRY_REFRESH_GRCE", "5")
        .heard();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    for word in ["public_url", "SHORT_KEY", "PLACEHOLDER_KEY", "REFRESH_GRCE"] {
        assert!(told.to_lowercase().contains(&word.to_lowercase()), "{word} is not told of in: {told}");
    }
}

#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    write_private(&file, "");
    write_private(&folder.path().join("master.key"), &STANDARD.encode(consentry::random::bytes::<32>()));
    let output = Command::new(env!("CARGO_BIN_EXE_consentry"))
        .current_dir(folder.path())
        .arg("serve")
        .env("CONSENTRY_PUBLIC_URL", "http://localhost:1")
        .env("CONSENTRY_MASTER_KEYS", "file:master.key")
        .env("CONSENTRY_DATABASE_URL", format!("sqlite://{}/consentry.db", file.display()))
        .heard();
    let told = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(2), "{told}");
    assert!(told.contains("cannot be written"), "{told}");
}
