//! Resources from the shell.

use serde_json::json;

use super::*;

const MCP: &str = "https://api.example.com/mcp";
const METADATA: &str = "https://api.example.com/.well-known/oauth-protected-resource/mcp";

#[tokio::test]
async fn a_resource_is_registered_with_what_its_api_has_to_do() {
    let shell = Shell::with_plugin().await;
    let added = shell.run(&["resource", "add", MCP, "--plugin", "todo"]).await;
    assert!(added.json["resource_id"].is_string());
    assert_eq!((&added.json["resource"], &added.json["plugin"]), (&json!(MCP), &json!("todo")));
    assert_eq!((&added.json["default"], &added.json["metadata_url"]), (&json!(false), &json!(METADATA)));
    assert!(added.text.starts_with("https://api.example.com/mcp is registered for todo."), "{}", added.text);
    let header = format!(r#"WWW-Authenticate: Bearer resource_metadata="{METADATA}", scope="todo.read todo.write""#);
    for part in [METADATA, &header, "docs/connectors.md"] {
        assert!(added.text.contains(part), "{part} in {}", added.text);
    }
    let again = shell.run(&["resource", "add", "HTTPS://API.example.com:443/mcp/", "--plugin", "todo"]).await;
    assert_eq!(again.json, added.json, "what counts is what was registered first");
    assert!(again.text.starts_with("https://api.example.com/mcp was registered before"), "{}", again.text);
}

#[tokio::test]
async fn resources_are_listed_and_shown_with_their_plugin() {
    let shell = Shell::new().await;
    let none = shell.run(&["resource", "list"]).await;
    assert_eq!(none.json, json!([]));
    assert!(none.text.contains("plugin import"), "{}", none.text);
    let shell = Shell::with_plugin().await;
    shell.desk.clock.advance(chrono::TimeDelta::seconds(1));
    shell.run(&["resource", "add", MCP, "--plugin", "todo"]).await;
    let list = shell.run(&["resource", "list"]).await;
    let seen: Vec<_> =
        list.json.as_array().unwrap().iter().map(|resource| (&resource["resource"], &resource["default"])).collect();
    assert_eq!(seen, [(&json!("https://api.example.com"), &json!(true)), (&json!(MCP), &json!(false))]);
    assert!(list.text.contains(METADATA), "{}", list.text);
    let show = shell.run(&["plugin", "show", "todo"]).await;
    assert_eq!(show.json["resources"], list.json);
    for line in ["  https://api.example.com (default)\n", "  https://api.example.com/mcp\n"] {
        assert!(show.text.contains(line), "{line} in {}", show.text);
    }
}

#[tokio::test]
async fn a_resource_is_removed_unless_it_is_the_default() {
    let shell = Shell::with_plugin().await;
    let added = shell.run(&["resource", "add", MCP, "--plugin", "todo"]).await;
    let removed = shell.run(&["resource", "remove", "https://API.example.com/mcp/"]).await;
    assert_eq!(removed.json, added.json);
    let told = shell.refused(&["resource", "remove", MCP]).await;
    assert!(told.contains("resource list"), "{told}");
    let told = shell.refused(&["resource", "remove", "https://api.example.com"]).await;
    assert!(told.contains("default") && told.contains("--host"), "{told}");
    assert_eq!(shell.run(&["resource", "list"]).await.json.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn what_is_no_resource_or_anothers_is_refused() {
    let shell = Shell::with_plugin().await;
    let mut other = manifest();
    other["name_for_model"] = json!("other");
    for member in ["api", "logo_url", "contact_email", "legal_info_url"] {
        let moved = other[member].to_string().replace("example.com", "example.org");
        other[member] = serde_json::from_str(&moved).unwrap();
    }
    let file = shell.file("other.json", other.to_string());
    shell.run(&["plugin", "import", file.to_str().unwrap(), "--host", "api.example.org"]).await;
    let told = shell.refused(&["resource", "add", "https://api.example.com/", "--plugin", "other"]).await;
    assert!(told.contains("\"todo\""), "{told}");
    for (identifier, part) in [
        ("api.example.com/mcp", "https://api.example.com/mcp"),
        ("http://api.example.com/mcp", "neither https"),
        ("https://api.example.com/mcp#x", "fragment"),
        ("https://me:secret@api.example.com/mcp", "user name"),
        ("", "absolute"),
    ] {
        let told = shell.refused(&["resource", "add", identifier, "--plugin", "todo"]).await;
        assert!(told.contains(part), "{told}");
        shell.refused(&["resource", "remove", identifier]).await;
    }
    assert!(shell.refused(&["resource", "add", MCP, "--plugin", "nope"]).await.contains("plugin list"));
    assert_eq!(shell.run(&["resource", "list"]).await.json.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_host_that_was_registered_as_a_resource_is_not_imported_over() {
    let shell = Shell::with_plugin().await;
    shell.run(&["resource", "add", "https://api.example.org", "--plugin", "todo"]).await;
    let mut other = manifest();
    other["name_for_model"] = json!("other");
    let other = other.to_string().replace("example.com", "example.org");
    let file = shell.file("other.json", other);
    let told = shell.refused(&["plugin", "import", file.to_str().unwrap(), "--host", "api.example.org"]).await;
    assert!(told.contains("\"todo\"") && told.contains("resource list"), "{told}");
}
