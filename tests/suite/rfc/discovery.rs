//! Where clients look for the metadata (RFC 8414 §3.1), for an issuer at the root and under a path: the same bytes in
//! every form they try, nothing in any other, and one spelling of the issuer or no server at all.

use consentry::{
    clock::Clock,
    keys::master::MasterKey,
    outbound,
    server::{Server, Settings, StartError},
};
use reqwest::{
    Method, StatusCode,
    header::{ACCEPT, HOST, ORIGIN},
};

use super::wire::{Answer, http, send, text};
use crate::harness::{
    databases::{Database, Engine},
    server::{MASTER, Options, World},
};

const METADATA: &str = "/.well-known/oauth-authorization-server";
const OPENID: &str = "/.well-known/openid-configuration";
const BROWSER: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

/// Each base, and the forms in which its metadata is there.
const FORMS: [(&str, &[&str]); 3] = [
    ("", &["/.well-known/oauth-authorization-server", "/.well-known/oauth-authorization-server/"]),
    (
        "/auth",
        &[
            "/.well-known/oauth-authorization-server/auth",
            "/.well-known/oauth-authorization-server/auth/",
            "/auth/.well-known/oauth-authorization-server",
            "/auth/.well-known/oauth-authorization-server/",
            "/.well-known/oauth-authorization-server",
            "/.well-known/oauth-authorization-server/",
        ],
    ),
    (
        "/a/b.c~d",
        &[
            "/.well-known/oauth-authorization-server/a/b.c~d",
            "/.well-known/oauth-authorization-server/a/b.c~d/",
            "/a/b.c~d/.well-known/oauth-authorization-server",
            "/a/b.c~d/.well-known/oauth-authorization-server/",
            "/.well-known/oauth-authorization-server",
            "/.well-known/oauth-authorization-server/",
        ],
    ),
];

/// Asks as a web page elsewhere would; the path is counted from the root of the host.
async fn ask(world: &World, method: Method, path: &str) -> Answer {
    let request = http().request(method, format!("{}{path}", world.running.own));
    send(request.header(ORIGIN, "https://app.example").header(ACCEPT, BROWSER)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_metadata_is_the_same_in_every_form() {
    for (base, forms) in FORMS {
        let world = World::with(Engine::Sqlite, Options::under(base)).await;
        let first = ask(&world, Method::GET, forms[0]).await;
        let metadata = first.json();
        assert_eq!(text(&metadata, "issuer"), format!("{}{base}", world.running.own));
        for (member, path) in [
            ("authorization_endpoint", "/authorize"),
            ("token_endpoint", "/token"),
            ("revocation_endpoint", "/revoke"),
            ("introspection_endpoint", "/introspect"),
            ("jwks_uri", "/.well-known/jwks.json"),
        ] {
            assert_eq!(text(&metadata, member), world.running.at(path));
        }
        for form in forms {
            let answer = ask(&world, Method::GET, form).await;
            assert_eq!((answer.status, &answer.text), (200, &first.text), "{form}");
            let head = ask(&world, Method::HEAD, form).await;
            assert_eq!((head.status, head.text.as_str()), (200, ""), "{form}");
            for answer in [&answer, &head] {
                assert_eq!(answer.header("content-type"), Some("application/json"), "{form}");
                assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{form}");
                assert_eq!(answer.header("cache-control"), Some("public, max-age=300"), "{form}");
            }
            let posted = ask(&world, Method::POST, form).await;
            assert_eq!((posted.error().0, posted.header("allow")), (405, Some("GET, HEAD")), "{form}");
            // Whatever the host: whoever found us by the API's host is told the one issuer.
            let foreign = http().get(format!("{}{form}", world.running.own)).header(HOST, "api.example.com");
            assert_eq!(send(foreign).await.text, first.text, "{form}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_keys_are_below_the_issuer_and_at_the_root() {
    for (base, _) in FORMS {
        let world = World::with(Engine::Sqlite, Options::under(base)).await;
        let named = send(http().get(text(&ask(&world, Method::GET, METADATA).await.json(), "jwks_uri"))).await;
        assert_eq!(named.json()["keys"].as_array().map(Vec::len), Some(1));
        let root = ask(&world, Method::GET, "/.well-known/jwks.json").await;
        assert_eq!(root.text, named.text);
        assert_eq!(root.header("access-control-allow-origin"), Some("*"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_other_path_has_metadata() {
    for (base, _) in FORMS {
        let world = World::with(Engine::Sqlite, Options::under(base)).await;
        for path in
            ["//", "/other", "/auth//", "/auth/x", "//auth", "/AUTH", "/%61uth", "/a", "/a/b.c%7Ed", "/a/%62.c~d"]
        {
            for method in [Method::GET, Method::HEAD] {
                let answer = ask(&world, method.clone(), &format!("{METADATA}{path}")).await;
                assert_eq!((answer.status, answer.header("content-type")), (404, Some("application/json")), "{path}");
                assert_eq!(answer.header("access-control-allow-origin"), Some("*"), "{base} {path}");
                if method == Method::GET {
                    assert_eq!(answer.error(), (404, "not_found".into()), "{base} {path}");
                }
            }
        }
        let glued = send(http().get(format!("{}{METADATA}x", world.running.own))).await;
        assert_eq!(glued.error(), (404, "not_found".into()));
    }
}

/// Half of OpenID is worse than none: a client that finds a document expects an ID token and fails without it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_is_no_openid_configuration_in_any_form() {
    for (base, _) in FORMS {
        let world = World::with(Engine::Sqlite, Options::under(base)).await;
        for path in [OPENID.to_owned(), format!("{OPENID}{base}"), format!("{base}{OPENID}"), format!("{OPENID}/x")] {
            for accept in ["application/json", "*/*", ""] {
                for host in [world.running.server.settings.host.as_str(), "api.example.com"] {
                    let request = http().get(format!("{}{path}", world.running.own));
                    let answer = send(request.header(ACCEPT, accept).header(HOST, host)).await;
                    assert_eq!(answer.error(), (404, "not_found".into()), "{host}{path}");
                }
            }
            assert_eq!(ask(&world, Method::HEAD, &path).await.status, StatusCode::NOT_FOUND.as_u16(), "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_whose_issuer_has_two_spellings_does_not_start() {
    let database = Database::migrated(Engine::Sqlite).await;
    let assemble = async |settings: Settings| {
        let store = database.open().await;
        Server::assemble(settings, Clock::system(), store, vec![MasterKey::new(MASTER)], outbound::Settings::default())
            .await
    };
    let settings = |public_url: &str| Settings::defaults(public_url, "Example Accounts").unwrap();
    for (public_url, cure) in [
        ("http://localhost:8080/", "write http://localhost:8080"),
        ("http://localhost:8080/auth/", "write http://localhost:8080/auth"),
        ("http://LOCALHOST:8080/auth", "write http://localhost:8080/auth"),
        ("https://a.example:443", "write https://a.example"),
    ] {
        let error = assemble(settings(public_url)).await.err().expect("no server");
        assert!(matches!(error, StartError::Issuer(_)), "{error}");
        assert!(error.to_string().ends_with(cure), "{error}");
    }
    let moved = Settings { base: "/auth".into(), ..settings("http://localhost:8080") };
    let error = assemble(moved).await.err().expect("no server");
    assert!(matches!(error, StartError::Issuer(_)), "{error}");
    assert!(assemble(settings("http://localhost:8080/auth")).await.is_ok());
}
