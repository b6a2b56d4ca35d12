//! Known callers from the shell.

use super::*;

#[tokio::test]
async fn the_callers_that_are_known_are_listed_with_where_that_was_read() {
    let shell = Shell::unmigrated().await;
    let list = shell.run(&["preset", "list"]).await;
    let presets = list.json.as_array().unwrap();
    let names = presets.iter().map(|preset| preset["name"].as_str().unwrap()).collect::<Vec<_>>();
    for name in ["chatgpt-plugin", "chatgpt-action", "chatgpt-connector", "claude", "vs-code", "mcp-inspector"] {
        assert!(names.contains(&name) && list.text.contains(name), "{name}");
    }
    for preset in presets {
        assert!(preset["read_at"].is_string() && preset["source"].is_string(), "{preset}");
    }
    let one = shell.run(&["preset", "show", "grok"]).await;
    assert_eq!(Some(&one.json), presets.iter().find(|preset| preset["name"] == "grok"));
    for part in
        ["https://grok.com/oauth/mcp-client.json", "https://console.x.ai/", "The slash at the end", "2026-11-23"]
    {
        assert!(one.text.contains(part), "{part} in {}", one.text);
    }
    let told = shell.refused(&["preset", "show", "grock"]).await;
    assert!(told.contains("no preset \"grock\"") && told.contains("preset list"), "{told}");
}

#[tokio::test]
async fn a_known_caller_is_registered_by_its_name() {
    let shell = Shell::with_plugin().await;
    let add = ["client", "add", "--plugin", "todo", "--name", "Claude", "--preset"];
    let added = shell.run(&[&add[..], &["claude"]].concat()).await;
    let callbacks = json!(["https://claude.ai/api/mcp/auth_callback", "https://claude.com/api/mcp/auth_callback"]);
    assert_eq!((&added.json["redirect_uris"], &added.json["preset"]), (&callbacks, &json!("connector")));
    assert!(added.json["client_secret"].is_null());
    let with = [&add[..], &["chatgpt-action", "--callback", "https://chatgpt.com/aip/g-1f/oauth/callback"]].concat();
    let added = shell.run(&with).await;
    assert_eq!(added.json["redirect_uris"][1], json!("https://chat.openai.com/aip/g-1f/oauth/callback"));
    assert!(added.json["client_secret"].is_string());
    let told = shell.refused(&[&add[..], &["chatgpt-action", "--callback", CALLBACK]].concat()).await;
    assert!(told.contains(CALLBACK) && told.contains("preset action"), "{told}");
    assert_eq!(shell.run(&["client", "list"]).await.json.as_array().unwrap().len(), 2, "and nothing was registered");
}
