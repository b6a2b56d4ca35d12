//! A person's own account in a real browser: another name, another address by the mail from a real mail server, another
//! password, one's data as a file, and the end of it. The forms are opened by keyboard.

use serde_json::{Value, json};

use super::people::Town;
use crate::harness::{chromium::Chromium, databases::Engine, server::PASSWORD, smtp::link};

const NEW: &str = "seven unlikely herons disagree";

/// Opens the form behind the words with this number.
async fn unfold(chromium: &Chromium, number: usize) {
    chromium.evaluate(&format!("document.querySelectorAll('summary')[{number}].focus(); return null;")).await;
    chromium.keys(" ").await;
}

async fn fill(chromium: &Chromium, field: &str, text: &str) {
    let field = chromium.find(field).await;
    field.clear().await.expect("a field");
    field.send_keys(text).await.expect("a field");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_changes_everything_about_their_account_and_leaves() {
    let town = Town::new(Engine::Sqlite).await;
    let url = &town.world.running.url;
    let chromium = Chromium::start().await;
    chromium.open(url).await;
    chromium.open(&format!("{url}/sign-in")).await;
    chromium.sign_in("ada@example.com").await;
    chromium.press("Your account").await;
    chromium.arrives(&format!("{url}/account")).await;
    chromium.looks_well("settings").await;
    fill(&chromium, "#name", "Ada King").await;
    chromium.press("Save the name").await;
    chromium.reads("Your name is saved").await;

    unfold(&chromium, 0).await;
    fill(&chromium, "#email", "countess@example.com").await;
    fill(&chromium, "#email-password", "not the password").await;
    chromium.press("Send the link").await;
    chromium.reads("That is not your current password").await;
    chromium.looks_well("settings_wrong_password").await;
    fill(&chromium, "#email-password", PASSWORD).await;
    chromium.press("Send the link").await;
    chromium.reads("on its way to countess@example.com").await;
    let (page, secret) = link(&town.mail_to("countess@example.com").await);
    chromium.open(&format!("{page}?link={secret}")).await;
    chromium.looks_well("change_email").await;
    chromium.press("Yes, this is my address").await;
    chromium.reads("Your account has this address now").await;

    chromium.open(&format!("{url}/account")).await;
    chromium.reads("countess@example.com").await;
    unfold(&chromium, 1).await;
    fill(&chromium, "#password", PASSWORD).await;
    fill(&chromium, "#new-password", NEW).await;
    chromium.press("Save the password").await;
    chromium.reads("All other browsers were signed out").await;

    let folder = tempfile::tempdir().expect("a temporary folder");
    let download = json!({ "behavior": "allow", "downloadPath": folder.path() });
    chromium.tools("Browser.setDownloadBehavior", download).await;
    unfold(&chromium, 2).await;
    fill(&chromium, "#export-password", NEW).await;
    chromium.press("Download").await;
    let export = downloaded(&folder.path().join("account.json")).await;
    assert_eq!(
        (&export["account"]["name"], &export["account"]["email"]),
        (&"Ada King".into(), &"countess@example.com".into())
    );

    chromium.press("Delete my account").await;
    chromium.arrives(&format!("{url}/account/delete")).await;
    chromium.looks_well("delete_account").await;
    fill(&chromium, "#password", NEW).await;
    chromium.press("Delete the account for good").await;
    chromium.reads("Your account is deleted").await;
    chromium.looks_well("account_deleted").await;
    chromium.open(&format!("{url}/account")).await;
    chromium.arrives(&format!("{url}/sign-in")).await;
    assert_eq!(town.world.database.count("accounts").await, 1, "Grace's");
}

/// What a file holds, once it is whole.
async fn downloaded(path: &std::path::Path) -> Value {
    for _ in 0..300 {
        if let Some(value) = std::fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()) {
            return value;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("nothing came to {}", path.display());
}
