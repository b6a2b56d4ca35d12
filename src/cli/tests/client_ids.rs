//! What owners do with client ids, from the shell.

use super::*;
use crate::{model::id::ClientId, store::callback_offers::CallbackSeen};

const GPT: &str = "https://chatgpt.com/aip/g-1f/oauth/callback";
const TWIN: &str = "https://chat.openai.com/aip/g-1f/oauth/callback";

fn id_of(answer: &Answer) -> String {
    answer.json["client_id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn everything_that_is_wrong_with_a_client_is_told_at_once() {
    let shell = Shell::with_plugin().await;
    let told = shell
        .refused(&[
            "client",
            "add",
            "--plugin",
            "todo",
            "--name",
            " ",
            "--preset",
            "plugin",
            "--callback",
            "ftp://x",
            "--scope",
            "admin",
            "--jwks-uri",
            "http://a.example/keys",
        ])
        .await;
    for part in ["--name: ", "--callback: ", "--scope: ", "--jwks-uri: "] {
        assert!(told.contains(part), "{part} in {told}");
    }
}

#[tokio::test]
async fn a_client_is_renamed_disabled_enabled_and_shown() {
    let shell = Shell::with_plugin().await;
    let id = id_of(&shell.add_client("action", &["--callback", CALLBACK]).await);
    assert_eq!(shell.run(&["client", "rename", &id, "--name", "My GPT"]).await.json["name"], "My GPT");
    assert!(shell.refused(&["client", "rename", &id, "--name", "\u{202e}x"]).await.starts_with("--name: "));
    assert_eq!(shell.run(&["client", "disable", &id]).await.json["enabled"], false);
    let shown = shell.run(&["client", "show", &id]).await;
    assert!(shown.text.contains("My GPT") && shown.text.contains("disabled") && shown.text.contains(CALLBACK));
    assert_eq!(shell.run(&["client", "enable", &id]).await.json["enabled"], true);
    for command in ["show", "enable", "callbacks"] {
        assert!(shell.refused(&["client", command, "nope"]).await.contains("client list"), "{command}");
    }
}

#[tokio::test]
async fn the_old_secret_is_ended_by_its_id_and_the_last_one_is_not() {
    let shell = Shell::with_plugin().await;
    let id = id_of(&shell.add_client("service", &[]).await);
    shell.run(&["client", "rotate-secret", &id]).await;
    let shown = shell.run(&["client", "show", &id]).await;
    let secrets = shown.json["secrets"].as_array().unwrap();
    // Of two that were made within a millisecond either may stand first.
    let ending = |is_ending: bool| secrets.iter().find(|it| it["expires_at"].is_string() == is_ending).unwrap();
    let [new, old] = [false, true].map(|is_ending| ending(is_ending)["id"].as_str().unwrap());
    assert!(secrets[0]["last_used_at"].is_null() && shown.text.contains(new) && shown.text.contains("never"));
    assert!(shell.refused(&["client", "end-secret", &id, new]).await.contains("left with none"));
    let ended = shell.run(&["client", "end-secret", &id, old]).await;
    assert_eq!(ended.json["secrets"].as_array().unwrap().len(), 1);
    assert!(shell.refused(&["client", "end-secret", &id, old]).await.contains("no longer valid"));
}

#[tokio::test]
async fn a_client_is_deleted_when_that_is_said_twice() {
    let shell = Shell::with_plugin().await;
    let id = id_of(&shell.add_client("service", &[]).await);
    let told = shell.refused(&["client", "delete", &id]).await;
    assert!(told.contains("0 connections") && told.contains("--yes"), "{told}");
    assert_eq!(shell.run(&["client", "list"]).await.json.as_array().unwrap().len(), 1);
    let deleted = shell.run(&["client", "delete", &id, "--yes"]).await;
    assert_eq!((&deleted.json["deleted"], &deleted.json["connections_ended"]), (&json!(true), &json!(0)));
    assert_eq!(shell.run(&["client", "list"]).await.json, json!([]));
    assert!(shell.refused(&["client", "delete", &id, "--yes"]).await.contains("client list"));
}

#[tokio::test]
async fn callbacks_are_approved_dismissed_and_removed() {
    let shell = Shell::with_plugin().await;
    let id = id_of(&shell.add_client("action", &["--callback", CALLBACK]).await);
    let (store, now) = (&shell.desk.store, shell.desk.clock.now());
    let offer = async |uri: &str| {
        let client_id: ClientId = store.client(&id, now).await.unwrap().unwrap().id;
        let seen =
            CallbackSeen { client_id, redirect_uri: uri.parse().unwrap(), first_at: now, last_at: now, times: 2 };
        store.note_callbacks(&[seen], 10).await.unwrap();
    };
    assert!(shell.refused(&["client", "approve-callback", &id, GPT]).await.contains("not offered"));
    offer(GPT).await;
    let listed = shell.run(&["client", "callbacks", &id]).await;
    assert_eq!(
        (&listed.json["offered"][0]["redirect_uri"], &listed.json["offered"][0]["seen"]),
        (&json!(GPT), &json!(2))
    );
    assert!(listed.text.contains(GPT) && listed.text.contains("letter for letter"), "{}", listed.text);
    shell.run(&["client", "dismiss-callback", &id, GPT]).await;
    assert_eq!(shell.run(&["client", "callbacks", &id]).await.json["offered"], json!([]));
    offer(TWIN).await;
    let approved = shell.run(&["client", "approve-callback", &id, TWIN]).await;
    assert_eq!(approved.json["redirect_uris"], json!([CALLBACK, TWIN, GPT]));
    assert_eq!(shell.run(&["client", "callbacks", &id]).await.json["offered"], json!([]));
    let removed = shell.run(&["client", "remove-callback", &id, GPT]).await;
    assert_eq!(removed.json["redirect_uris"], json!([CALLBACK]));
    assert!(shell.refused(&["client", "remove-callback", &id, GPT]).await.contains("not registered"));
    let custom = id_of(&shell.add_client("custom", &["--callback", CALLBACK]).await);
    assert!(shell.refused(&["client", "remove-callback", &custom, CALLBACK]).await.contains("the only one"));
}
