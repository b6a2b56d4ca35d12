//! Words of strangers on our pages: names, scope words, manifests and typed text are shown as text.

use consentry::{
    model::{
        client::{AuthenticationMethod, ClientKeys, Dialect, Registration},
        id::ClientId,
        legible,
        plugin::{Document, DocumentKind},
        scope::{Catalogue, Scope},
    },
    random,
    store::{
        clients::{NewClient, OwnWords},
        plugins::PluginImport,
    },
};
use reqwest::header::HOST;
use serde_json::json;

use super::by_hand::ByHand;
use crate::{
    harness::{
        browser::authorize,
        connector::{Connector, Proof},
        server::{CALLBACK, Options, PASSWORD, World},
        strangers::{Strangers, answer::Answer},
    },
    on_both_engines,
};

/// Breaks out of text, of an attribute in either quotes, of a comment, of a style sheet, and of a template.
const HOSTILE: &str = "\"'></bdi></title><script>alert(1)</script><img src=x onerror=alert(2)>{{7*7}}--><style>";

/// Asserts that what a stranger wrote is there as text and nowhere as markup.
fn is_harmless(html: &str) {
    assert!(html.contains("&#60;script&#62;alert(1)"), "the words are shown: {html}");
    // The one script of ours, on the page to sign in.
    let lower = html.replace("<script src=\"/static/passkeys.js?", "").to_lowercase();
    for markup in [
        "<script",
        "<img src=x",
        "<img/src",
        "<style",
        "</bdi></title>",
        "javascript:",
        "data:",
        "49--",
        " onerror=alert(2)>",
    ] {
        assert!(!lower.contains(markup), "{markup} in {html}");
    }
}

/// Makes everything a stranger can name hostile: plugin, scope words, client and documents. Answers the client's id.
async fn poison(world: &World) -> String {
    let server = &world.running.server;
    let now = server.clock.now();
    let mut plugin = world.plugin.clone();
    let mut scopes = Catalogue::default();
    let words = HOSTILE.to_owned();
    scopes.put(Scope::new("todo.read", words.clone())).unwrap();
    scopes.put(Scope::new("<img/src=x/onerror=alert(2)>", words)).unwrap();
    plugin.scopes = scopes;
    for member in ["name_for_human", "description_for_human", "contact_email"] {
        plugin.manifest[member] = HOSTILE.into();
    }
    plugin.manifest["legal_info_url"] = "javascript:alert(document.domain)".into();
    let body = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>".to_vec();
    let document = |kind, content_type: &str| Document { kind, content_type: content_type.into(), body: body.clone() };
    let documents = vec![document(DocumentKind::Logo, "image/svg+xml"), document(DocumentKind::OpenApi, "text/html")];
    let import = PluginImport::of(plugin.clone(), documents, now);
    server.store.import_plugin(&import, &world.running.operator()).await.unwrap();
    let id = ClientId(random::id(now));
    let client = NewClient {
        id,
        client_id: id.to_string(),
        plugin_id: Some(plugin.id),
        registration: Registration::ByHand,
        name: HOSTILE.into(),
        dialect: Dialect::Plugin,
        authentication_methods: AuthenticationMethod::ClientSecret.into(),
        signing_algorithm: None,
        keys: ClientKeys::default(),
        registration_digest: None,
        ends_at: None,
        own_words: OwnWords::default(),
        redirect_uris: vec![CALLBACK.parse().unwrap()],
        scopes: Some(plugin.scopes.names()),
        secret: None,
        at: now,
    };
    server.store.add_client(&client, &world.running.operator()).await.unwrap();
    client.client_id
}

on_both_engines! {
    /// Row 38 (and 6: no page links to a scheme that runs something).
    async fn hostile_names_are_shown_as_text(engine) {
        let world = World::new(engine).await;
        let client_id = poison(&world).await;
        world.running.add_account("<script>alert(1)</script>\"'@example.com", HOSTILE).await;
        let request = authorize(&[
            ("response_type", "code"),
            ("client_id", &client_id),
            ("redirect_uri", CALLBACK),
            ("state", HOSTILE),
        ]);
        let browser = ByHand::new();
        let start = browser.get(&world.running, &request).await;
        let sign_in = browser.get(&world.running, start.redirect()).await;
        is_harmless(&sign_in.body);
        let failed = browser.sign_in(&world.running, &sign_in, HOSTILE, PASSWORD).await;
        assert_eq!(failed.status, 422);
        is_harmless(&failed.body);
        let email = "<script>alert(1)</script>\"'@example.com";
        let signed_in = browser.sign_in(&world.running, &sign_in, email, PASSWORD).await;
        let consent = browser.get(&world.running, signed_in.redirect()).await;
        assert_eq!(consent.status, 200);
        is_harmless(&consent.body);
        assert!(consent.body.matches("&#60;script&#62;alert(1)").count() >= 6, "{}", consent.body);
        is_harmless(&browser.get(&world.running, "/").await.body);
        let left = browser.decide(&world.running, &consent, "allow").await;
        assert!(left.redirect().starts_with(&format!("{CALLBACK}?code=")), "{left:?}");
        assert!(!left.redirect().contains(['<', '"', '\'', '>']), "{left:?}");
    }

    /// Row 38: the same of clients that came by themselves, by a document and by registering.
    async fn names_that_strangers_gave_themselves_are_shown_as_text(engine) {
        let strangers = Strangers::new();
        let host = strangers.host("client.example");
        let world = World::with(engine, Options { outbound: strangers.settings(), ..Options::default() }).await;
        let running = &world.running;
        poison(&world).await;
        let callbacks =
            ["https://app.example/cb?'\"><script>alert(1)</script>", "com.example.app:/cb/'\"><script>alert(1)"];
        let mut body = json!({
            "client_name": HOSTILE,
            "redirect_uris": callbacks,
            "token_endpoint_auth_method": "none",
            "logo_uri": "https://app.example/logo.png?x=\"onerror=alert(2)",
            "tos_uri": "https://app.example/?<script>alert(1)</script>",
        });
        let (status, told) = running.json("/register", &body).await;
        assert_eq!(status, 201, "{told}");
        let address = host.url("/client.json").to_string();
        body["client_id"] = address.as_str().into();
        host.answer("/client.json", Answer::json(&body));
        let own = "<bdi>&#34;&#39;&#62;&#60;/bdi&#62;&#60;/title&#62;&#60;script&#62;alert(1)";
        let registered = told["client_id"].as_str().unwrap();
        for (client_id, shown) in [
            (registered, [format!("Allow {own}"), "Nobody has checked who made it".into()]),
            // Within our quotation marks it has none of its own.
            (&address, [
                "Allow <bdi>client.example</bdi>".into(),
                format!("It calls itself “{}", own.replace("&#34;", "&#39;")),
            ]),
        ] {
            let shown = &shown;
            for redirect_uri in callbacks {
                let connector = Connector { client_id, redirect_uri, ..Connector::new(running, Proof::Nothing) };
                let browser = ByHand::new();
                let start = browser.get(running, &connector.request(&[("nonce", HOSTILE)])).await;
                let sign_in = browser.get(running, start.redirect()).await;
                is_harmless(&sign_in.body);
                let signed_in = browser.sign_in(running, &sign_in, "ada@example.com", PASSWORD).await;
                let consent = browser.get(running, signed_in.redirect()).await;
                is_harmless(&consent.body);
                for words in shown {
                    assert!(consent.body.contains(words), "{words}: {}", consent.body);
                }
                assert!(!consent.body.contains("logo.png") && !consent.body.contains("/cb"), "{}", consent.body);
                let left = browser.decide(running, &consent, "allow").await;
                let added = left.redirect().strip_prefix(redirect_uri).unwrap_or_else(|| panic!("{left:?}"));
                assert!(!added.contains(['<', '"', '>']), "{added}");
            }
        }
    }

    /// Row 38: a page that says what is wrong with a description says it in our words, and quotes nothing that acts or
    /// deceives.
    async fn hostile_descriptions_are_told_as_text(engine) {
        let strangers = Strangers::new();
        let host = strangers.host("client.example");
        let world = World::with(engine, Options { outbound: strangers.settings(), ..Options::default() }).await;
        let address = host.url("/client.json").to_string();
        let connector = Connector { client_id: &address, ..Connector::new(&world.running, Proof::Nothing) };
        let turned = "<script>alert(1)</script>\u{202e}moc.elgoog\0\r\n\u{2066}";
        for (member, value) in [
            ("client_name", json!(turned)),
            ("redirect_uris", json!([HOSTILE])),
            ("redirect_uris", json!([turned])),
            ("redirect_uris", json!(["W".repeat(3000)])),
            ("redirect_uris", json!([format!("javascript:{HOSTILE}")])),
            ("token_endpoint_auth_method", json!(format!("client_secret{turned}"))),
            ("token_endpoint_auth_methods_supported", json!([format!("client_secret{HOSTILE}")])),
            ("client_secret\"'><script>alert(1)</script>\u{202e}", json!("x")),
            ("logo_uri", json!("javascript:alert(1)")),
            ("jwks", json!({ "keys": [{ "kty": turned }] })),
            ("scope", json!(turned)),
        ] {
            let mut document = json!({ "client_id": address, "redirect_uris": [CALLBACK] });
            if member == "jwks" {
                document["token_endpoint_auth_method"] = "private_key_jwt".into();
            }
            document[member] = value;
            host.answer("/client.json", Answer::json(&document));
            let page = ByHand::new().get(&world.running, &connector.request(&[])).await;
            assert_eq!(page.status, 400, "{member}: {}", page.body);
            let named = member.split(|c: char| !c.is_ascii_lowercase() && c != '_').next().unwrap();
            assert!(page.body.contains(named), "{member} is named: {}", page.body);
            for markup in ["<script", "<img src=x", "</bdi></title>", "<style"] {
                assert!(!page.body.contains(markup), "{member}: {markup} in {}", page.body);
            }
            let deceiving = page.body.chars().find(|c| legible::deceives(*c) && *c != '\n');
            assert_eq!(deceiving, None, "{member}: {}", page.body);
        }
    }

    /// Row 38: what was asked for is never repeated on an error page or in a machine's error as markup.
    async fn hostile_requests_are_not_repeated(engine) {
        let world = World::new(engine).await;
        let browser = ByHand::new();
        let encoded: String = url::form_urlencoded::byte_serialize(HOSTILE.as_bytes()).collect();
        for address in [
            format!("/authorize?client_id={encoded}&redirect_uri={encoded}"),
            format!("/consent?r={encoded}"),
            format!("/sign-in?r={encoded}"),
            format!("/{encoded}"),
        ] {
            let page = browser.get(&world.running, &address).await;
            assert!(!page.body.contains("alert("), "{address}: {}", page.body);
        }
        for field in ["client_id", "grant_type", "code"] {
            let answer = browser.post(&world.running, "/token", &[(field, HOSTILE)]).await;
            assert!(answer.header("content-type").starts_with("application/json"), "{answer:?}");
            assert!(!answer.body.contains("alert("), "{}", answer.body);
        }
    }

    /// Rows 38 and 47: an owner's file is served so that it cannot act as a page of ours.
    async fn an_owners_file_cannot_act_as_a_page(engine) {
        let world = World::new(engine).await;
        poison(&world).await;
        for path in ["/logo.png", "/openapi.json", "/openapi.yaml"] {
            let url = format!("{}{path}", world.running.url);
            let host = world.plugin.host.as_str();
            let answer = reqwest::Client::new().get(url).header(HOST, host).send().await.unwrap();
            assert_eq!(answer.status(), 200, "{path}");
            let policy = answer.headers()["content-security-policy"].to_str().unwrap();
            assert!(policy.contains("sandbox") && !policy.contains("allow-"), "{path}: {policy}");
            assert_eq!(answer.headers()["x-content-type-options"], "nosniff", "{path}");
        }
    }
}
