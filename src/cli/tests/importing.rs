//! `account import`.

use serde_json::json;

use super::Shell;

const BCRYPT: &str = "$2b$05$abcdefghijklmnopqrstuuFiPhXf1sVd3pCCRO.uVh34H/qI/ZsuS";

fn line(email: &str, hash: &str) -> String {
    json!({ "email": email, "name": "Ada", "password_hash": hash }).to_string()
}

#[tokio::test]
async fn people_are_imported_once() {
    let shell = Shell::new().await;
    let owner = json!({ "email": "Bob@example.com", "name": "Bob", "role": "owner", "password_hash": BCRYPT });
    let file = shell.file("people", format!("{}\r\n\n{owner}\n", line("ada@example.com", BCRYPT)));
    let words = ["account", "import", file.to_str().unwrap()];
    let answer = shell.run(&words).await;
    assert_eq!(answer.json, json!({ "added": 2, "known": 0, "skipped": 0, "mistakes": [] }));
    let (bob, hash) = shell.desk.store.account_by_email(&"bob@example.com".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!((bob.role.as_str(), hash.as_deref()), ("owner", Some(BCRYPT)));
    let again = shell.run(&words).await;
    assert_eq!(again.json, json!({ "added": 0, "known": 2, "skipped": 0, "mistakes": [] }));
}

#[tokio::test]
async fn every_mistake_is_told_with_its_line_and_nothing_imported() {
    let shell = Shell::new().await;
    let lines = [
        line("ada@example.com", BCRYPT),
        line("nobody", BCRYPT),
        line("bob@example.com", "5f4dcc3b5aa765d61d8327deb882cf99"),
        line("carl@example.com", "$2b$20$abcdefghijklmnopqrstuuFiPhXf1sVd3pCCRO.uVh34H/qI/ZsuS"),
        line("ADA@example.com", BCRYPT),
        json!({ "email": "dora@example.com", "name": "", "password_hash": BCRYPT }).to_string(),
        json!({ "email": "emil@example.com", "name": "Emil", "role": "king", "password_hash": BCRYPT }).to_string(),
        json!({ "email": "fred@example.com", "name": "Fred", "password": "in clear" }).to_string(),
        "{\"email\": ".to_owned(),
        line("gus@example.com", &"x".repeat(9000)),
    ];
    let file = shell.file("people", lines.join("\n"));
    let words = ["account", "import", file.to_str().unwrap()];
    let told = shell.refused(&words).await;
    for (number, problem) in [
        (2, "no address"),
        (3, "no hash of a kind"),
        (4, "more memory or time"),
        (5, "line 1 has the same email"),
        (6, "name"),
        (7, "role"),
        (8, "must be an object"),
        (9, "no JSON"),
        (10, "longer than"),
    ] {
        let line = told.lines().find(|line| line.contains(&format!("line {number}:"))).unwrap_or_default();
        assert!(line.contains(problem), "{number}, {problem}: {told}");
    }
    assert!(told.contains("nothing was imported") && !told.contains("line 1:"), "{told}");
    assert!(!told.contains("in clear") && !told.contains("$2b$"), "{told}");
    let ada = "ada@example.com".parse().unwrap();
    assert!(shell.desk.store.account_by_email(&ada).await.unwrap().is_none());
    let answer = shell.run(&[&words[..], &["--skip-mistakes"]].concat()).await;
    assert_eq!((&answer.json["added"], &answer.json["skipped"]), (&json!(1), &json!(9)));
    assert!(shell.desk.store.account_by_email(&ada).await.unwrap().is_some());
}
