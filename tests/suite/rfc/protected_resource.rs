//! Protected resource metadata (RFC 9728): the document of every registered resource stands on its own host, with the
//! well-known path inserted before the identifier's path, and says what was registered, byte for byte.

use chrono::TimeDelta;
use consentry::{
    model::id::ResourceId,
    random,
    store::resources::{AddResource, NewResource},
};
use reqwest::{
    Method,
    header::{ACCEPT, HOST, ORIGIN},
};
use serde_json::{Value, json};

use super::wire::{Answer, http, send, text};
use crate::harness::{
    databases::Engine,
    server::{Options, World},
};

const PLACE: &str = "/.well-known/oauth-protected-resource";
const SERVER_PLACE: &str = "/.well-known/oauth-authorization-server";
const BROWSER: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

async fn register(world: &World, identifier: &str) {
    let store = &world.running.server.store;
    // A millisecond after the last one, so that it is known which was first.
    let earlier = i64::try_from(store.resources().await.unwrap().len()).unwrap();
    let now = world.running.server.clock.now() + TimeDelta::milliseconds(earlier);
    let resource = NewResource {
        id: ResourceId(random::id(now)),
        plugin_id: world.plugin.id,
        identifier: identifier.parse().unwrap(),
        at: now,
    };
    let added = store.add_resource(&resource, &world.running.operator()).await.unwrap();
    assert!(matches!(added, AddResource::Added(_)), "{added:?}");
}

/// Asks for a path, counted from the root, as a web page elsewhere would that reached the server by this host.
async fn ask(world: &World, method: Method, host: &str, path: &str) -> Answer {
    let request = http().request(method, format!("{}{path}", world.running.own)).header(HOST, host);
    send(request.header(ORIGIN, "https://app.example").header(ACCEPT, BROWSER)).await
}

/// The `resource` that is told there; none for an honest 404.
async fn told(world: &World, host: &str, path: &str) -> Option<String> {
    let answer = ask(world, Method::GET, host, path).await;
    if answer.status != 200 {
        assert_eq!(answer.error(), (404, "not_found".into()), "{host}{path}");
        return None;
    }
    Some(text(&answer.json(), "resource").to_owned())
}

fn own_host(world: &World) -> &str {
    world.running.server.settings.host.as_str()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_document_says_what_is_registered_and_no_more() {
    for base in ["", "/auth"] {
        let world = World::with(Engine::Sqlite, Options::under(base)).await;
        let answer = ask(&world, Method::GET, own_host(&world), &format!("{PLACE}/api")).await;
        assert_eq!(
            answer.json(),
            json!({
                "resource": world.plugin.resource,
                "authorization_servers": [world.running.url],
                "scopes_supported": ["todo.read", "todo.write"],
                "bearer_methods_supported": ["header"],
                "resource_name": "To-do",
            })
        );
        let metadata = ask(&world, Method::GET, own_host(&world), SERVER_PLACE).await.json();
        assert_eq!(answer.json()["authorization_servers"][0], metadata["issuer"], "byte for byte");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_read_like_every_other_document() {
    let world = World::new(Engine::Sqlite).await;
    let host = own_host(&world);
    let first = ask(&world, Method::GET, host, &format!("{PLACE}/api")).await;
    for path in [PLACE.to_owned(), format!("{PLACE}/"), format!("{PLACE}/api"), format!("{PLACE}/api/")] {
        let answer = ask(&world, Method::GET, host, &path).await;
        assert_eq!((answer.status, &answer.text), (200, &first.text), "{path}");
        let head = ask(&world, Method::HEAD, host, &path).await;
        assert_eq!((head.status, head.text.as_str()), (200, ""), "{path}");
        for answer in [&answer, &head] {
            assert_eq!(answer.header("content-type"), Some("application/json"), "{path}");
            assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{path}");
            assert_eq!(answer.header("cache-control"), Some("public, max-age=300"), "{path}");
        }
        let posted = ask(&world, Method::POST, host, &path).await;
        assert_eq!((posted.error().0, posted.header("allow")), (405, Some("GET, HEAD")), "{path}");
    }
    let missing = ask(&world, Method::GET, host, &format!("{PLACE}/other")).await;
    assert_eq!(missing.error(), (404, "not_found".into()));
    assert_eq!(missing.header("access-control-allow-origin"), Some("*"));
    assert_eq!(missing.header("cache-control"), Some("no-store"));
    assert_eq!(ask(&world, Method::HEAD, host, &format!("{PLACE}/other")).await.status, 404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_resource_is_told_on_its_own_host_in_every_spelling_of_it() {
    let world = World::new(Engine::Sqlite).await;
    for identifier in [
        "HTTPS://API.example/mcp/",
        "https://api.example/a/b",
        "https://api.example:8443/mcp",
        "https://tenants.example/mcp?tenant=1",
        "http://localhost:9/plain",
        "https://localhost:9/tls",
    ] {
        register(&world, identifier).await;
    }
    for (host, path, expected) in [
        ("api.example", "/mcp", Some("HTTPS://API.example/mcp/")),
        ("API.EXAMPLE", "/mcp/", Some("HTTPS://API.example/mcp/")),
        ("api.example:443", "/mcp", Some("HTTPS://API.example/mcp/")),
        ("api.example", "/a/b", Some("https://api.example/a/b")),
        ("api.example:8443", "/mcp", Some("https://api.example:8443/mcp")),
        ("tenants.example", "/mcp?tenant=1", Some("https://tenants.example/mcp?tenant=1")),
        // On loopback nobody can know whether there is TLS in front.
        ("localhost:9", "/plain", Some("http://localhost:9/plain")),
        ("localhost:9", "/tls", Some("https://localhost:9/tls")),
        // Another path, port, host or query is another resource.
        ("api.example", "/MCP", None),
        ("api.example", "/mcp/x", None),
        ("api.example", "/mcp//", None),
        ("api.example", "//api.example/mcp", None),
        ("api.example", "/%6dcp", None),
        ("api.example", "/mcp?tenant=1", None),
        ("api.example", "/a", None),
        ("api.example", "/api", None),
        ("api.example:8443", "/a/b", None),
        ("evil.example", "/mcp", None),
        ("api.example.evil.example", "/mcp", None),
        ("tenants.example", "/mcp", None),
        ("tenants.example", "/mcp?tenant=2", None),
        ("localhost:10", "/plain", None),
    ] {
        assert_eq!(told(&world, host, &format!("{PLACE}{path}")).await.as_deref(), expected, "{host} {path}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_root_tells_of_the_origin_or_the_first_below_it() {
    let world = World::new(Engine::Sqlite).await;
    for identifier in [
        "https://api.example/first",
        "https://api.example/second",
        "https://api.example.org/other",
        "http://localhost:9/x",
    ] {
        register(&world, identifier).await;
    }
    for root in [PLACE.to_owned(), format!("{PLACE}/")] {
        assert_eq!(told(&world, "api.example", &root).await.as_deref(), Some("https://api.example/first"));
        assert_eq!(told(&world, "localhost:9", &root).await.as_deref(), Some("http://localhost:9/x"));
        assert_eq!(told(&world, "example", &root).await, None);
        assert_eq!(told(&world, "evil.example", &root).await, None);
    }
    register(&world, "https://api.example/").await;
    register(&world, "https://api.example?tenant=1").await;
    for root in [PLACE.to_owned(), format!("{PLACE}/")] {
        assert_eq!(told(&world, "api.example", &root).await.as_deref(), Some("https://api.example/"));
        let with_query = format!("{root}?tenant=1");
        assert_eq!(told(&world, "api.example", &with_query).await.as_deref(), Some("https://api.example?tenant=1"));
        assert_eq!(told(&world, "api.example", &format!("{root}?tenant=2")).await, None);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whoever_takes_the_resource_for_the_server_is_told_of_the_server() {
    for base in ["", "/auth"] {
        let world = World::with(Engine::Sqlite, Options::under(base)).await;
        register(&world, "https://api.example/mcp").await;
        let metadata = ask(&world, Method::GET, own_host(&world), SERVER_PLACE).await.text;
        for (host, path, known) in [
            ("api.example", "/mcp", true),
            ("api.example", "", true),
            ("api.example", "/other", false),
            ("other.example", "/mcp", false),
            (own_host(&world), "/api", true),
            (own_host(&world), "/mcp", false),
        ] {
            let answer = ask(&world, Method::GET, host, &format!("{SERVER_PLACE}{path}")).await;
            if known {
                assert_eq!((answer.status, &answer.text), (200, &metadata), "{host}{path}: the one document");
            } else {
                assert_eq!(answer.error(), (404, "not_found".into()), "{host}{path}");
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_head_of_a_request_is_a_fault_of_ours() {
    let world = World::new(Engine::Sqlite).await;
    let long = format!("{PLACE}/{}", "a".repeat(3000));
    for path in [&format!("{PLACE}/%00"), &format!("{PLACE}/%ff?%00"), &format!("{PLACE}/'--"), &long] {
        for host in ["api.example", "[::1]:9", "127.0.0.1", "localhost"] {
            assert_eq!(told(&world, host, path).await, None, "{host} {path}");
        }
    }
    let gone: Value = ask(&world, Method::GET, "a b", PLACE).await.json();
    assert_eq!(gone["error"], "not_found");
}
