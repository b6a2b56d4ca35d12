//! `plugin access` and `group`, run as from a shell.

use super::*;

#[tokio::test]
async fn the_operator_says_who_may_connect() {
    let shell = Shell::with_plugin().await;
    let access = async |words: &[&str]| shell.run(&[&["plugin", "access", "todo"][..], words].concat()).await;
    assert!(access(&[]).await.text.contains("Everybody may connect to todo"));
    let refused = async |words: &[&str]| shell.refused(&[&["plugin", "access", "todo"][..], words].concat()).await;
    assert!(refused(&["--who", "@corp"]).await.starts_with("--who: @corp is not @ and a domain"));
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
