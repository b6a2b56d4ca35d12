//! Manifests, good, careless and hostile.

use serde_json::{Value, json};
use uuid::Uuid;

use super::*;
use crate::model::{
    id::PluginId,
    plugin::{Plugin, PluginState, SubjectSalt},
    scope::Catalogue,
};

mod comparison;

fn good() -> Value {
    json!({
        "schema_version": "v1",
        "name_for_human": "To-Do",
        "name_for_model": "todo_list",
        "description_for_human": "Keep your to-do list.",
        "description_for_model": "Reads and changes the to-do list.\nAsk before removing.",
        "auth": {
            "type": "oauth",
            "client_url": "https://api.example.co.uk/authorize",
            "scope": "",
            "authorization_url": "https://api.example.co.uk/token",
            "authorization_content_type": "application/json",
            "verification_tokens": { "openai": "d1f4c6e0a2b94f7e8d35b1c09a7e6f21" }
        },
        "api": { "type": "openapi", "url": "https://api.example.co.uk/openapi.yaml", "is_user_authenticated": true },
        "logo_url": "https://cdn.example.net/logo.png",
        "contact_email": "help@Example.co.uk",
        "legal_info_url": "https://www.example.co.uk/legal"
    })
}

fn read_on(host: &str, manifest: &Value) -> Result<(OwnersWords, Vec<Warning>), Vec<Mistake>> {
    read(&serde_json::to_vec(manifest).unwrap(), &host.parse().unwrap())
}

fn changed(pointer: &str, value: Value) -> Value {
    let mut manifest = good();
    let (above, member) = pointer.rsplit_once('/').unwrap();
    manifest.pointer_mut(above).unwrap()[member] = value;
    manifest
}

/// The members that are refused when one member of a good manifest is changed.
fn refused(pointer: &str, value: Value) -> Vec<String> {
    match read_on("api.example.co.uk", &changed(pointer, value)) {
        Ok(_) => Vec::new(),
        Err(mistakes) => mistakes.into_iter().map(|mistake| mistake.member).collect(),
    }
}

fn plugin(host: &str, manifest: Value) -> Plugin {
    Plugin {
        id: PluginId(Uuid::nil()),
        slug: "todo-list".into(),
        host: host.parse().unwrap(),
        state: PluginState::Draft,
        upstream: None,
        routes: None,
        resource: format!("https://{host}"),
        subject_salt: SubjectSalt([0; 32]),
        scopes: Catalogue::default(),
        manifest,
        accent_color: None,
        version: 1,
    }
}

/// Whoever has an MCP server and no manifest begins with the one in the guide, under the name its commands use.
#[test]
fn the_manifest_in_the_guide_is_a_good_one() {
    let guide = include_str!("../../../docs/connectors.md");
    let begins = guide.find("```json\n").unwrap() + "```json\n".len();
    let text = guide[begins..].split("```").next().unwrap();
    let (words, warnings) = read(text.as_bytes(), &"mcp.example.com".parse().unwrap()).unwrap();
    assert_eq!((words.slug.as_str(), warnings), ("todo", Vec::new()));
    for command in guide.lines().filter(|line| line.contains("--plugin ")) {
        assert!(command.contains("--plugin todo"), "{command}");
    }
}

#[test]
fn a_good_manifest_is_kept_word_for_word_but_for_what_is_computed() {
    let (words, warnings) = read_on("api.example.co.uk", &good()).unwrap();
    assert_eq!(warnings, []);
    assert_eq!(words.slug, "todo-list");
    let mut expected = good();
    for computed in ["type", "client_url", "authorization_url"] {
        expected["auth"].as_object_mut().unwrap().remove(computed);
    }
    assert_eq!(words.manifest, expected);
}

#[test]
fn what_is_served_has_both_endpoints_under_their_misleading_names() {
    let (words, _) = read_on("api.example.co.uk", &good()).unwrap();
    let served = served(&plugin("api.example.co.uk", words.manifest), "https");
    assert_eq!(served, good());
}

#[test]
fn endpoints_stand_on_the_plugins_host() {
    let host = "localhost:8080".parse().unwrap();
    assert_eq!(authorization_endpoint(&host, "http"), "http://localhost:8080/authorize");
    assert_eq!(token_endpoint(&host, "http"), "http://localhost:8080/token");
}

#[test]
fn a_manifest_kept_without_auth_is_served_with_a_whole_one() {
    let served = served(&plugin("api.example.com", json!({})), "https");
    assert_eq!(
        served["auth"],
        json!({
            "type": "oauth",
            "client_url": "https://api.example.com/authorize",
            "scope": "",
            "authorization_url": "https://api.example.com/token",
            "authorization_content_type": "application/json",
            "verification_tokens": {}
        })
    );
}

#[test]
fn every_mistake_is_told_at_once() {
    let mistakes = read_on("api.example.com", &json!({})).unwrap_err();
    let members: Vec<_> = mistakes.iter().map(|mistake| mistake.member.as_str()).collect();
    for member in [
        "schema_version",
        "name_for_human",
        "name_for_model",
        "description_for_human",
        "description_for_model",
        "api",
        "logo_url",
        "contact_email",
        "legal_info_url",
    ] {
        assert_eq!(members.iter().filter(|told| **told == member).count(), 1, "{member} in {members:?}");
    }
}

#[test]
fn lengths_are_counted_in_characters() {
    assert!(refused("/name_for_human", json!("ä".repeat(50))).is_empty());
    assert_eq!(refused("/name_for_human", json!("ä".repeat(51))), ["name_for_human"]);
    assert_eq!(refused("/name_for_model", json!("a".repeat(51))), ["name_for_model"]);
    assert_eq!(refused("/description_for_human", json!("a".repeat(121))), ["description_for_human"]);
    assert_eq!(refused("/description_for_model", json!("a".repeat(8001))), ["description_for_model"]);
    let (_, warnings) = read_on("api.example.co.uk", &changed("/name_for_human", json!("a".repeat(21)))).unwrap();
    assert_eq!(warnings[0].member, "name_for_human");
    let (_, warnings) =
        read_on("api.example.co.uk", &changed("/description_for_human", json!("a".repeat(101)))).unwrap();
    assert_eq!(warnings[0].member, "description_for_human");
}

#[test]
fn the_short_name_comes_from_the_name_for_model() {
    for (name, slug) in [("Todo_List", "todo-list"), ("_x1_", "x1"), ("a-b", "a-b")] {
        let (words, _) = read_on("api.example.co.uk", &changed("/name_for_model", json!(name))).unwrap();
        assert_eq!(words.slug, slug);
    }
    for name in ["to do", "to.do", "tödo", "___", "../etc", "a/b", ""] {
        assert_eq!(refused("/name_for_model", json!(name)), ["name_for_model"], "{name}");
    }
}

#[test]
fn characters_that_deceive_are_refused() {
    for text in ["To\u{202e}oD", "To\u{0}Do", "To\u{200b}Do", "To\nDo"] {
        assert_eq!(refused("/name_for_human", json!(text)), ["name_for_human"], "{text:?}");
    }
    assert_eq!(refused("/description_for_model", json!("a\u{2066}b")), ["description_for_model"]);
}

#[test]
fn the_description_of_the_api_is_at_home() {
    for url in [
        "https://example.co.uk/o.json",
        "https://api.example.co.uk.evil.example/o.json",
        "https://evilapi.example.co.uk/o.json",
        "https://other.co.uk/o.json",
        "http://api.example.co.uk/o.json",
        "https://api.example.co.uk@evil.example/o.json",
        "https://user@api.example.co.uk/o.json",
        "https://api.example.co.uk\\@evil.example/",
        "ftp://api.example.co.uk/o.json",
        "/openapi.json",
        "",
    ] {
        let refused = refused("/api/url", json!(url));
        assert!(!refused.is_empty() && refused.iter().all(|member| member == "api.url"), "{url}: {refused:?}");
    }
    for url in ["https://API.example.co.uk/o.json", "https://v1.api.example.co.uk:8443/o.json"] {
        assert!(refused("/api/url", json!(url)).is_empty(), "{url}");
    }
    assert_eq!(refused("/api/type", json!("graphql")), ["api.type"]);
    assert_eq!(refused("/api/is_user_authenticated", json!("no")), ["api.is_user_authenticated"]);
    assert_eq!(refused("/api", json!([])), ["api"]);
}

#[test]
fn a_leading_www_is_no_part_of_the_root_domain() {
    let manifest = changed("/api/url", json!("https://example.co.uk/o.json"));
    assert!(read_on("www.example.co.uk", &manifest).is_ok());
}

#[test]
fn who_answers_for_the_plugin_has_the_same_domain() {
    assert_eq!(refused("/legal_info_url", json!("https://other.co.uk/legal")), ["legal_info_url"]);
    assert_eq!(refused("/legal_info_url", json!("http://example.co.uk/legal")), ["legal_info_url"]);
    assert_eq!(refused("/contact_email", json!("help@other.co.uk")), ["contact_email"]);
    assert_eq!(refused("/contact_email", json!("help@co.uk")), ["contact_email"]);
    assert_eq!(refused("/contact_email", json!("help")), ["contact_email"]);
    assert!(refused("/contact_email", json!("help@mail.example.co.uk")).is_empty());
    // Under a public suffix of a private owner every name is somebody else's.
    let mut manifest = good();
    manifest["api"]["url"] = json!("https://mine.github.io/o.json");
    manifest["legal_info_url"] = json!("https://yours.github.io/legal");
    manifest["contact_email"] = json!("me@mine.github.io");
    let mistakes = read_on("mine.github.io", &manifest).unwrap_err();
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
    assert_eq!(mistakes[0].member, "legal_info_url");
}

#[test]
fn on_loopback_names_are_compared_as_they_stand() {
    let mut manifest = good();
    manifest["api"]["url"] = json!("http://localhost:8080/openapi.json");
    manifest["logo_url"] = json!("http://localhost:8080/logo.png");
    manifest["legal_info_url"] = json!("http://localhost:8080/legal");
    manifest["contact_email"] = json!("me@anywhere.example");
    assert!(read_on("localhost:8080", &manifest).is_ok());
    assert!(read_on("127.0.0.1:8080", &manifest).is_err());
    manifest["api"]["url"] = json!("https://evil.example/openapi.json");
    assert!(read_on("localhost:8080", &manifest).is_err());
}

#[test]
fn urls_that_run_are_refused_wherever_they_stand() {
    for text in
        ["javascript:alert(1)", " JaVaScRiPt:alert(1)", "java\nscript:alert(1)", "data:text/html,x", "file:///x"]
    {
        assert_eq!(refused("/logo_url", json!(text)), ["logo_url"], "{text:?}");
        assert_eq!(refused("/extra", json!({ "links": [text] })), ["extra.links[0]"], "{text:?}");
    }
    assert!(refused("/description_for_human", json!("Data: bring your own.")).is_empty());
}

#[test]
fn the_owners_part_of_auth_is_checked() {
    assert_eq!(refused("/auth", json!("none")), ["auth"]);
    assert_eq!(refused("/auth/scope", json!(["a"])), ["auth.scope"]);
    assert_eq!(refused("/auth/scope", json!("a\"b")), ["auth.scope"]);
    assert_eq!(refused("/auth/authorization_content_type", json!("text/xml")), ["auth.authorization_content_type"]);
    assert_eq!(refused("/auth/verification_tokens", json!([])), ["auth.verification_tokens"]);
    for token in
        [json!("abc123456"), json!("REPLACE_ME"), json!(""), json!(7), json!("with spaces in it"), json!("short")]
    {
        assert_eq!(
            refused("/auth/verification_tokens", json!({ "openai": token })),
            ["auth.verification_tokens.openai"]
        );
    }
    assert!(refused("/auth/verification_tokens", json!({})).is_empty());
    assert!(refused("/auth/verification_tokens", json!({ "other_service": "d1f4c6e0a2b94f7e" })).is_empty());
}

#[test]
fn what_the_file_says_about_the_endpoints_is_told_when_it_is_replaced() {
    let mut manifest = good();
    manifest["auth"]["type"] = json!("none");
    manifest["auth"]["client_url"] = json!("https://api.example.co.uk/token");
    manifest["auth"]["authorization_url"] = json!("https://elsewhere.example/token");
    let (_, warnings) = read_on("api.example.co.uk", &manifest).unwrap();
    let members: Vec<_> = warnings.iter().map(|warning| warning.member.as_str()).collect();
    assert_eq!(members, ["auth.type", "auth.client_url", "auth.authorization_url"]);
}

#[test]
fn what_is_no_manifest_is_refused() {
    let host = "api.example.com".parse().unwrap();
    let (deep, large) = ("[".repeat(200), " ".repeat(BYTES_MAX + 1));
    for bytes in [b"".as_slice(), b"[]", b"null", b"{", b"\xff", deep.as_bytes(), large.as_bytes()] {
        let mistakes = read(bytes, &host).unwrap_err();
        assert_eq!(mistakes[0].member, "the file");
    }
    let with_mark = [b"\xef\xbb\xbf".as_slice(), &serde_json::to_vec(&good()).unwrap()].concat();
    assert!(read(&with_mark, &"api.example.co.uk".parse().unwrap()).is_ok());
}

#[test]
fn the_repositorys_own_sample_is_good() {
    let sample = include_bytes!("../../../.well-known/ai-plugin.json");
    let (words, warnings) = read(sample, &"localhost:8080".parse().unwrap()).unwrap();
    assert!(warnings.iter().all(|warning| warning.member == "name_for_human"), "{warnings:?}");
    assert!(!words.slug.is_empty());
}
