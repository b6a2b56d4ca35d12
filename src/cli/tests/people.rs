//! `account` beyond adding one, run as from a shell.

use super::*;
use crate::{
    cli::desk::audit,
    model::id::PasskeyId,
    random,
    store::factors::{NewApp, NewPasskey},
};

async fn with_ada() -> Shell {
    let shell = Shell::new().await;
    let password = shell.file("password", "a password of some length");
    let words = ["account", "add", "--email", "ada@example.com", "--name", "Ada", "--password-file"];
    shell.run(&[&words[..], &[password.to_str().unwrap()]].concat()).await;
    shell
}

const ADA: [&str; 2] = ["--email", "Ada@example.com"];

async fn run(shell: &Shell, verb: &str) -> Answer {
    shell.run(&[&["account", verb][..], &ADA].concat()).await
}

#[tokio::test]
async fn an_invitation_is_a_link_to_hand_over() {
    let shell = with_ada().await;
    let answer = shell.run(&["account", "invite", "--email", "Olive@example.com", "--role", "owner"]).await;
    let link = answer.json["link"].as_str().unwrap();
    let text = link.strip_prefix("https://consent.example.com/auth/invitation?link=").unwrap();
    assert!(secret::SecretText::parse(secret::LINK, text).is_some() && answer.text.contains(link), "{link}");
    assert_eq!((&answer.json["email"], &answer.json["role"]), (&json!("olive@example.com"), &json!("owner")));
    assert_eq!(answer.json["expires_at"], "2027-01-22T08:00:00.000Z");
    assert!(shell.refused(&["account", "invite", "--email", "ada@example.com"]).await.contains("already"));
    assert!(shell.refused(&["account", "invite", "--email", "olive"]).await.contains("no address"));
    let mut off = shell;
    off.desk.sign_ups = crate::model::account::SignUps::Off;
    assert!(off.refused(&["account", "invite", "--email", "grace@example.com"]).await.contains("sign_up"));
}

#[tokio::test]
async fn the_operator_looks_after_an_account() {
    let shell = with_ada().await;
    assert_eq!(shell.run(&["account", "list"]).await.json[0]["email_verified_at"], Value::Null);
    assert_eq!(run(&shell, "verify-email").await.json["email_verified_at"], "2027-01-15T08:00:00.000Z");
    assert_eq!(run(&shell, "disable").await.json["enabled"], false);
    assert!(shell.run(&["account", "list"]).await.text.contains("disabled"));
    assert_eq!(run(&shell, "enable").await.json["enabled"], true);
    let password = shell.file("another", "another password of some length\n");
    let words =
        ["account", "set-password", "--email", "ada@example.com", "--password-file", password.to_str().unwrap()];
    shell.run(&words).await;
    let (_, hash) = shell.desk.store.account_by_email(&"ada@example.com".parse().unwrap()).await.unwrap().unwrap();
    let passwords = crate::passwords::Passwords::new();
    assert!(passwords.verify(hash.as_deref(), "another password of some length").await.unwrap());
    let export = run(&shell, "export").await.json;
    assert_eq!(export["account"]["email"], "ada@example.com");
    let told: Vec<_> =
        export["events"].as_array().unwrap().iter().map(|event| event["action"].as_str().unwrap()).collect();
    assert_eq!(told.len(), 5, "{told:?}");
    assert_eq!(run(&shell, "delete").await.json["deleted"], true);
    for verb in ["delete", "export", "enable", "disable", "verify-email"] {
        assert!(shell.refused(&[&["account", verb][..], &ADA].concat()).await.contains("no account"), "{verb}");
    }
    assert_eq!(shell.run(&["account", "list"]).await.json, json!([]));
}

#[tokio::test]
async fn a_long_list_goes_on_where_it_ended() {
    let shell = with_ada().await;
    let password = shell.file("p", "a password of some length");
    let words = ["account", "add", "--email", "grace@example.com", "--name", "Grace", "--password-file"];
    shell.run(&[&words[..], &[password.to_str().unwrap()]].concat()).await;
    let first = shell.run(&["account", "list", "--limit", "1"]).await.json;
    assert_eq!(first.as_array().unwrap().len(), 1);
    let rest = shell.run(&["account", "list", "--after", first[0]["account_id"].as_str().unwrap()]).await.json;
    assert_eq!(rest.as_array().unwrap().len(), 1);
    assert_ne!(first[0]["email"], rest[0]["email"]);
}

#[tokio::test]
async fn who_has_which_second_factor_is_listed() {
    let shell = with_ada().await;
    let password = shell.file("p", "a password of some length");
    for (email, name) in [("grace@example.com", "Grace"), ("joan@example.com", "Joan")] {
        let words = ["account", "add", "--email", email, "--name", name, "--password-file"];
        shell.run(&[&words[..], &[password.to_str().unwrap()]].concat()).await;
    }
    let (store, now) = (&shell.desk.store, shell.desk.clock.now());
    let id = async |email: &str| store.account_by_email(&email.parse().unwrap()).await.unwrap().unwrap().0.id;
    let (ada, grace) = (id("ada@example.com").await, id("grace@example.com").await);
    for (number, account_id) in [ada, grace, grace].into_iter().enumerate() {
        let passkey = NewPasskey {
            id: PasskeyId(random::id(now)),
            account_id,
            credential_id: vec![u8::try_from(number).unwrap()],
            credential: "{}".into(),
            name: "Key".into(),
            challenge_at: 1,
        };
        assert!(store.add_passkey(&passkey, &audit(now)).await.unwrap());
    }
    let app = NewApp { account_id: grace, sealed: vec![1], step: 1 };
    assert!(store.add_authenticator_app(&app, &audit(now)).await.unwrap());
    let listed = shell.run(&["account", "list"]).await;
    assert!(listed.text.lines().next().unwrap().ends_with("SECOND FACTORS"), "{}", listed.text);
    // They were made in the same millisecond, so in no order.
    for (email, has_app, passkeys, told) in [
        ("ada@example.com", false, 1, "1 passkey"),
        ("grace@example.com", true, 2, "authenticator app, 2 passkeys"),
        ("joan@example.com", false, 0, "none"),
    ] {
        let account = listed.json.as_array().unwrap().iter().find(|account| account["email"] == email).unwrap();
        assert_eq!((&account["authenticator_app"], &account["passkeys"]), (&json!(has_app), &json!(passkeys)));
        let line = listed.text.lines().find(|line| line.starts_with(email)).unwrap();
        assert!(line.ends_with(&format!("  {told}")), "{line}");
    }
    let with_app = shell.run(&["account", "list", "--with-app", "--limit", "1"]).await.json;
    assert_eq!((with_app.as_array().map(Vec::len), &with_app[0]["email"]), (Some(1), &json!("grace@example.com")));
}

#[tokio::test]
async fn a_token_is_made_shown_once_and_ended() {
    let shell = with_ada().await;
    let create = |scope: &'static str, days: &'static str| {
        let words = ["owner-token", "create", "--name", "The build", "--scope", scope, "--days", days];
        [&words[..], &ADA].concat()
    };
    let made = shell.run(&create("plugins:read", "30")).await;
    let text = made.json["token"].as_str().unwrap();
    assert!(secret::SecretText::parse(secret::OWNER_TOKEN, text).is_some() && made.text.contains(text), "{text}");
    assert_eq!(
        (&made.json["scopes"], &made.json["expires_at"]),
        (&json!(["plugins:read"]), &json!("2027-02-14T08:00:00.000Z"))
    );
    assert!(
        shell
            .refused(&create("everything", "30"))
            .await
            .starts_with("--scope: there is no everything; there are plugins:read")
    );
    for days in ["0", "367", "x"] {
        assert_eq!(shell.refused(&create("log:read", days)).await, "--days: write a number from 1 to 366", "{days}");
    }
    let listed = shell.run(&[&["owner-token", "list"][..], &ADA].concat()).await;
    assert_eq!((&listed.json[0]["name"], listed.json[0].get("token")), (&json!("The build"), None));
    assert!(!listed.text.contains(text), "it was shown once");
    let id = made.json["token_id"].as_str().unwrap();
    let end = [&["owner-token", "end", id][..], &ADA].concat();
    assert_eq!(shell.run(&end).await.json["ended"], true);
    assert_eq!(shell.refused(&end).await, "there is no such thing");
    assert_eq!(shell.run(&[&["owner-token", "list"][..], &ADA].concat()).await.json, json!([]));
}
