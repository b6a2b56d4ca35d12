//! `plugin access` and `group`, run as from a shell.

use super::*;

#[tokio::test]
async fn the_operator_says_who_may_connect() {
    let shell = Shell::with_plugin().await;
    let access = async |words: &[&str]| shell.run(&[&["plugin", "access", "todo"][..], words].concat()).await;
    assert!(access(&[]).await.text.contains("Everybody may connect to todo"));
    let refused = async |words: &[&str]| shell.refused(&[&["plugin", "access", "todo"][..], words].concat()).await;
    assert!(refused(&["--who", "@corp"]).await.starts_with("--who: @corp is not a whole domain"));
    assert!(refused(&["--who", "group:staff"]).await.contains("there is no group staff"));
    assert!(refused(&["--who", "corp.example"]).await.contains("none of @domain"));
    assert!(
        refused(&["--who", "everyone", "--scopes", "nothing.like.it"]).await.starts_with("--scopes: the plugin has no")
    );
    shell.run(&["group", "create", "Staff"]).await;
    assert!(shell.refused(&["group", "create", "staff"]).await.contains("there is a group staff already"));
    assert!(
        shell.refused(&["group", "add", "staff", "--email", "no@body.example"]).await.contains("nobody has an account")
    );
    let set = access(&["--who", "@Corp.example", "--who", "group:staff"]).await;
    assert_eq!(set.json["open"], false);
    assert_eq!(set.json["rules"][0], json!({ "who": "@corp.example", "scopes": null }));
    assert!(set.text.contains("group:staff"), "{}", set.text);
    let less = access(&["--remove", "@corp.example"]).await;
    assert_eq!(less.json["rules"], json!([{ "who": "group:staff", "scopes": null }]));
    assert!(refused(&["--remove", "@corp.example"]).await.contains("no rule names @corp.example"));
    assert!(shell.run(&["group", "list"]).await.text.contains("staff"));
    shell.run(&["group", "delete", "staff"]).await;
    assert!(access(&[]).await.text.contains("Nobody may connect"));
    assert_eq!(access(&["--open"]).await.json["open"], true);
}

#[tokio::test]
async fn the_operator_makes_an_account_for_reviewers() {
    let shell = Shell::with_plugin().await;
    let run = async |words: &[&str]| shell.run(&[&["plugin", "reviewer"][..], words].concat()).await;
    let refused = async |words: &[&str]| shell.refused(&[&["plugin", "reviewer"][..], words].concat()).await;
    assert!(refused(&["show", "todo"]).await.contains("has no account for reviewers"));
    for days in ["0", "181", "-1", "many", ""] {
        assert!(
            refused(&["make", "todo", &format!("--days={days}")]).await.starts_with("--days: write a number"),
            "{days}"
        );
    }
    let made = run(&["make", "todo"]).await;
    let (name, password) = (made.json["name"].as_str().unwrap(), made.json["password"].as_str().unwrap());
    assert_eq!(made.json["ends_at"], "2027-02-14T08:00:00.000Z");
    assert!(name.ends_with("@reviewers.invalid") && made.text.contains(password));
    let passwords = crate::passwords::Passwords::new();
    let hash = async || {
        let found = shell.desk.store.account_by_email(&name.parse().unwrap()).await.unwrap().unwrap();
        found.1
    };
    assert!(passwords.verify(hash().await.as_deref(), password).await.unwrap());
    let renewed = run(&["make", "todo", "--days", "10"]).await;
    assert_eq!(renewed.json["name"], name, "the same account");
    assert!(!passwords.verify(hash().await.as_deref(), password).await.unwrap());
    assert_eq!(run(&["prolong", "todo", "--days", "180"]).await.json["ends_at"], "2027-07-14T08:00:00.000Z");
    run(&["end", "todo"]).await;
    assert!(refused(&["end", "todo"]).await.contains("make one first"));
    assert!(refused(&["prolong", "todo"]).await.contains("make one first"));
}
