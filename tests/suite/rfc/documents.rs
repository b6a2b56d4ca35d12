//! What plugins publish on their own hosts: the manifest with its computed `auth`, the API's description, the logo;
//! and what is not found on a host, told in the form the caller reads.

use consentry::{
    model::{
        id::PluginId,
        plugin::{Document, DocumentKind, Plugin, SubjectSalt},
    },
    random,
    store::plugins::{ImportPlugin, PluginImport},
};
use reqwest::{
    Method,
    header::{ACCEPT, HOST, ORIGIN},
};
use serde_json::json;

use super::wire::{Answer, http, send};
use crate::{
    harness::{databases::Engine, server::World},
    on_both_engines,
};

const MANIFEST: &str = "/.well-known/ai-plugin.json";
const LOGO: [u8; 12] = [0x89, b'P', b'N', b'G', 13, 10, 26, 10, 0, 255, 0, 255];

/// Asks as a web page elsewhere would, on the host of the test's choosing.
async fn on(world: &World, host: &str, path: &str) -> Answer {
    send(http().get(world.running.at(path)).header(HOST, host).header(ORIGIN, "https://chatgpt.com")).await
}

/// A second plugin, on a host of its own.
async fn another(world: &World) -> Plugin {
    let running = &world.running;
    let now = running.server.clock.now();
    let mut manifest = world.plugin.manifest.clone();
    manifest["name_for_human"] = json!("Weather");
    manifest["auth"] = json!({
        "scope": "weather.read",
        "authorization_content_type": "application/x-www-form-urlencoded",
        "verification_tokens": { "openai": "0123456789abcdef0123456789abcdef" },
        // What an owner's file says here does not count.
        "type": "none",
        "client_url": "https://evil.example/authorize",
        "authorization_url": "https://evil.example/token",
    });
    let plugin = Plugin {
        id: PluginId(random::id(now)),
        slug: "weather".into(),
        host: "weather.example.com".parse().unwrap(),
        resource: "https://weather.example.com".into(),
        subject_salt: SubjectSalt(random::bytes()),
        manifest,
        ..world.plugin.clone()
    };
    let documents = vec![
        Document {
            kind: DocumentKind::OpenApi,
            content_type: "application/yaml".into(),
            body: b"openapi: 3.1.0\n".to_vec(),
        },
        Document { kind: DocumentKind::Logo, content_type: "image/png".into(), body: LOGO.to_vec() },
    ];
    let import = PluginImport::of(plugin.clone(), documents, now);
    let outcome = running.server.store.import_plugin(&import, &running.operator()).await.unwrap();
    assert!(matches!(outcome, ImportPlugin::Created(_)), "{outcome:?}");
    plugin
}

on_both_engines! {
    async fn each_host_serves_its_own_manifest_with_a_computed_auth(engine) {
        let world = World::new(engine).await;
        let plugin = another(&world).await;
        let own = on(&world, world.plugin.host.as_str(), MANIFEST).await;
        let host = &world.plugin.host;
        assert_eq!(own.json()["name_for_human"], "To-do");
        assert_eq!(own.json()["auth"], json!({
            "type": "oauth",
            "client_url": format!("http://{host}/authorize"),
            "scope": "",
            "authorization_url": format!("http://{host}/token"),
            "authorization_content_type": "application/json",
            "verification_tokens": {},
        }));
        for spelling in ["weather.example.com", "WEATHER.example.com", "weather.example.com:443"] {
            let answer = on(&world, spelling, MANIFEST).await;
            assert_eq!(answer.status, 200, "{spelling}");
            let manifest = answer.json();
            assert_eq!(manifest["name_for_human"], "Weather", "{spelling}");
            assert_eq!(manifest["auth"], json!({
                "type": "oauth",
                "client_url": "https://weather.example.com/authorize",
                "scope": "weather.read",
                "authorization_url": "https://weather.example.com/token",
                "authorization_content_type": "application/x-www-form-urlencoded",
                "verification_tokens": { "openai": "0123456789abcdef0123456789abcdef" },
            }));
            for member in ["schema_version", "name_for_model", "contact_email", "legal_info_url"] {
                assert_eq!(manifest[member], plugin.manifest[member]);
            }
            assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
            assert_eq!(answer.header("cache-control"), Some("no-cache"));
            assert_eq!(answer.header("set-cookie"), None);
        }
    }

    async fn an_owners_files_are_served_unchanged_and_cannot_act_as_ours(engine) {
        let world = World::new(engine).await;
        another(&world).await;
        for (host, path, content_type, body) in [
            (world.plugin.host.as_str(), "/openapi.json", "application/json", b"{\"openapi\":\"3.1.0\"}".as_slice()),
            ("weather.example.com", "/openapi.yaml", "application/yaml", b"openapi: 3.1.0\n"),
            ("weather.example.com", "/logo.png", "image/png", &LOGO),
        ] {
            let request = http().get(world.running.at(path)).header(HOST, host).header(ORIGIN, "https://chatgpt.com");
            let response = request.send().await.unwrap();
            let headers = response.headers().clone();
            assert_eq!(response.status(), 200, "{path}");
            assert_eq!(response.bytes().await.unwrap(), body, "{path}");
            assert_eq!(headers["content-type"], content_type, "{path}");
            assert!(headers["content-security-policy"].to_str().unwrap().starts_with("sandbox;"), "{path}");
            assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
            assert_eq!(headers["access-control-allow-origin"], "*", "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_host_without_a_plugin_has_no_documents() {
    let world = World::new(Engine::Sqlite).await;
    for host in ["unknown.example.com", "weather.example.com", "127.0.0.1", "-", "a b"] {
        for path in [MANIFEST, "/openapi.json", "/openapi.yaml", "/logo.png"] {
            let answer = on(&world, host, path).await;
            assert_eq!(answer.error(), (404, "not_found".into()), "{host}{path}");
            assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{host}{path}");
        }
    }
    let no_logo = on(&world, world.plugin.host.as_str(), "/logo.png").await;
    assert_eq!(no_logo.error(), (404, "not_found".into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_stand_on_the_public_host_alone() {
    let world = World::new(Engine::Sqlite).await;
    another(&world).await;
    for path in ["/", "/sign-in", "/consent?r=x", "/signed-out", "/sign-out"] {
        for host in ["weather.example.com", "unknown.example.com"] {
            let answer = on(&world, host, path).await;
            assert_eq!(answer.error(), (404, "not_found".into()), "{host}{path}");
            assert_eq!(answer.header("set-cookie"), None, "{host}{path}");
            let posted = send(http().post(world.running.at(path)).header(HOST, host).form(&[("a", "b")])).await;
            assert_eq!(posted.error(), (404, "not_found".into()), "{host}{path}");
        }
    }
    for path in ["/", "/sign-in", "/signed-out"] {
        let answer = on(&world, world.plugin.host.as_str(), path).await;
        assert_eq!(answer.status, 200, "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), None, "{path}");
    }
    // The token endpoint answers on a plugin's host in place.
    let request = http().post(world.running.at("/token")).header(HOST, "weather.example.com");
    assert_eq!(send(request.form(&[("a", "b")])).await.error(), (401, "invalid_client".into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_there_is_told_in_the_form_the_caller_reads() {
    let world = World::new(Engine::Sqlite).await;
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    for (method, path, status, allow) in [
        (Method::GET, "/nothing", 404, None),
        (Method::POST, "/nothing", 404, None),
        (Method::GET, "/.well-known/openid-configuration", 404, None),
        (Method::GET, "/static/nothing", 404, None),
        (Method::GET, "/token/", 404, None),
        (Method::GET, "/%2e%2e/etc/passwd", 404, None),
        (Method::DELETE, "/consent", 405, Some("GET, POST")),
        (Method::PUT, "/sign-in", 405, Some("GET, POST")),
        (Method::GET, "/sign-out", 405, Some("POST")),
        (Method::POST, "/", 405, Some("GET")),
        (Method::POST, "/health/ready", 405, Some("GET, HEAD")),
        (Method::POST, "/static/consentry.css", 405, Some("GET, HEAD")),
    ] {
        let case = format!("{method} {path}");
        for accept in ["application/json", "*/*", ""] {
            let request = http().request(method.clone(), world.running.at(path)).header(ACCEPT, accept);
            let answer = send(request).await;
            let expected = if status == 404 { "not_found" } else { "invalid_request" };
            assert_eq!(answer.error(), (status, expected.into()), "{case}");
            assert_eq!(answer.header("allow"), allow, "{case}");
        }
        let answer = send(http().request(method, world.running.at(path)).header(ACCEPT, browser)).await;
        answer.assert_page(reqwest::StatusCode::from_u16(status).unwrap(), &case);
        assert_eq!(answer.header("allow"), allow, "{case}");
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none';"), "{case}: {policy}");
        assert!(answer.text.contains(answer.header("x-request-id").unwrap()), "{case}");
    }
    // Machine endpoints and documents never answer in HTML, whatever the caller says it accepts.
    for (method, path, allow) in [
        (Method::GET, "/token", "POST"),
        (Method::GET, "/revoke", "POST"),
        (Method::GET, "/introspect", "POST"),
        (Method::POST, MANIFEST, "GET, HEAD"),
        (Method::PUT, "/openapi.json", "GET, HEAD"),
    ] {
        let answer = send(http().request(method, world.running.at(path)).header(ACCEPT, browser)).await;
        assert_eq!((answer.error(), answer.header("allow")), ((405, "invalid_request".into()), Some(allow)), "{path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_only_looks_whether_a_document_is_there_gets_its_head() {
    let world = World::new(Engine::Sqlite).await;
    for path in [MANIFEST, "/openapi.json", "/.well-known/oauth-authorization-server", "/health/ready"] {
        let answer = send(http().head(world.running.at(path))).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, ""), "{path}");
    }
}
