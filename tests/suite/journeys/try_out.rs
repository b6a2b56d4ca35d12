//! "Try it as ChatGPT": an owner's own browser goes the way that everybody's goes, and the server plays the caller.

use actix_web::HttpResponse;
use chrono::TimeDelta;
use consentry::{
    clock::Clock,
    jobs,
    model::{
        account::Role,
        counts::{Counted, Grain},
        id::PluginId,
        plugin::{Plugin, PluginState},
    },
    outbound,
    protocol::presets,
    random,
    registry::{
        RegistryError,
        clients::{Which, callbacks, changes, secrets},
    },
    store::{owners, plugins::PluginImport},
};
use serde_json::json;

use crate::{
    harness::{
        browser::{Browser, Page},
        databases::Engine,
        hostile::{Asked, Hostile},
        server::{Options, PASSWORD, World},
    },
    on_both_engines,
};

const OWNER: &str = "owner@example.com";
const WORKING: &str = "/console/plugins/todo/working";

/// A server that may be asked from itself, and a plugin with a description that is served.
pub async fn world(engine: Engine) -> World {
    let allow = ["127.0.0.0/8", "::1/128"].map(|range| range.parse().unwrap()).to_vec();
    let outbound = outbound::Settings { allow, ..outbound::Settings::default() };
    let clock = Clock::standing_at(Clock::system().now());
    let world = World::with(engine, Options { clock, outbound, ..Options::default() }).await;
    let owner = world.running.add_account_as(OWNER, "Olive Owner", Role::Owner).await;
    world.running.server.store.add_owner(world.plugin.id, owner, &world.running.operator()).await.unwrap();
    let description = format!("{}/openapi.json", world.running.url);
    world
        .import(|plugin| {
            plugin.manifest["api"] = json!({ "type": "openapi", "url": description });
            plugin.state = PluginState::Published;
        })
        .await;
    world
}

/// A browser in which the owner has signed in.
pub async fn signed_in(world: &World, email: &str) -> Browser {
    let browser = Browser::new(&world.running);
    let page = browser.get("/console").await.page();
    let (csrf, next) = (page.hidden("csrf"), page.hidden("next"));
    let fields = [("csrf", csrf.as_str()), ("next", &next), ("email", email), ("password", PASSWORD)];
    browser.post("/sign-in", &fields).await.page();
    browser
}

/// Presses the button: the page that it leads to.
async fn begun(browser: &Browser, kind: &str) -> Page {
    begun_at(browser, "todo", kind).await
}

async fn begun_at(browser: &Browser, slug: &str, kind: &str) -> Page {
    let form = browser.get(&format!("/console/plugins/{slug}/working")).await.page();
    let (csrf, account) = (form.hidden("csrf"), form.hidden("account"));
    let fields = [("csrf", csrf.as_str()), ("account", &account), ("kind", kind)];
    browser.post(&format!("/console/plugins/{slug}/try"), &fields).await.page()
}

/// A plugin of somebody's whose API is at that address, whatever its host is.
pub async fn leading(world: &World, resource: &str, owner: &str) -> Plugin {
    let (server, audit) = (&world.running.server, world.running.operator());
    let plugin = Plugin {
        id: PluginId(random::id(server.clock.now())),
        slug: "leading".to_owned(),
        host: "leading.example".parse().unwrap(),
        resource: resource.to_owned(),
        ..world.plugin.clone()
    };
    let import = PluginImport::of(plugin.clone(), Vec::new(), server.clock.now());
    server.store.import_plugin(&import, &audit).await.unwrap();
    let plugin = server.store.plugin_by_slug("leading").await.unwrap().unwrap();
    let (account, _) = server.store.account_by_email(&owner.parse().unwrap()).await.unwrap().unwrap();
    assert!(server.store.add_owner(plugin.id, account.id, &audit).await.unwrap());
    plugin
}

/// An MCP server of somebody's that takes this server's tokens; `elsewhere` is this server.
fn mcp_server(asked: &Asked) -> Option<HttpResponse> {
    let resource = format!("{}/mcp", asked.origin);
    Some(match asked.path.as_str() {
        "/mcp" if asked.said.is_empty() => HttpResponse::Unauthorized().finish(),
        "/mcp" => HttpResponse::Ok().json(json!({ "jsonrpc": "2.0", "id": 1, "result": {} })),
        "/.well-known/oauth-protected-resource/mcp" => {
            HttpResponse::Ok().json(json!({ "resource": resource, "authorization_servers": [asked.elsewhere] }))
        }
        path if path.starts_with("/.well-known/") => HttpResponse::NotFound().finish(),
        _ => return None,
    })
}

/// Whether a text holds a secret of this server's, and not its beginning alone.
fn holds_a_secret(html: &str) -> bool {
    html.match_indices("cst_").any(|(at, _)| {
        let secret = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
        html[at..].chars().take_while(|c| secret(*c)).count() > 20
    })
}

on_both_engines! {
    async fn an_owner_connects_as_each_kind_of_caller_and_nothing_stays(engine) {
        let world = world(engine).await;
        let server = &world.running.server;
        let browser = signed_in(&world, OWNER).await;
        for (kind, outcome) in [("plugin", "Works"), ("action", "Works"), ("connector", "Stopped")] {
            let consent = begun(&browser, kind).await;
            assert_eq!(consent.url.path(), "/consent", "{kind}: {}", consent.html);
            assert!(consent.html.contains("Your own try-out") && consent.html.contains("See your to-do list"));
            let preset = presets::named(&format!("chatgpt-{kind}")).unwrap();
            assert!(!consent.html.contains(&preset.callbacks[0]));
            let result = browser.decide(&consent, "allow").await.page();
            assert_eq!(result.status, 200);
            assert!(result.url.path().ends_with("/try/return"));
            let html = &result.html;
            for words in [outcome, "Finding where to sign in", "Tokens for the code", "The first call", "Renewing the connection"] {
                assert!(html.contains(words), "{kind} {words}: {html}");
            }
            // Nobody serves MCP there: the API is told from the tokens.
            assert_eq!(html.contains("Your API has to take"), kind == "connector", "{html}");
            assert!(html.contains("grant_type=authorization_code") || html.contains("&#34;grant_type&#34;"), "{html}");
            assert!(!holds_a_secret(html), "{kind}: {html}");
            assert!(server.store.clients(server.clock.now()).await.unwrap().is_empty(), "{kind}");
            let over = browser.get(result.url.as_str()).await.page();
            assert!(over.html.contains("That try-out is over"), "{}", over.html);
        }
        jobs::flows::keep(server).await.unwrap();
        let list = browser.get(WORKING).await.page();
        assert_eq!(list.html.matches("\"rail\"").count(), 3, "{}", list.html);
        jobs::counts::keep(server).await.unwrap();
        let counts = server.store.counts(world.plugin.id, Grain::Day, chrono::DateTime::UNIX_EPOCH).await.unwrap();
        let calls: Vec<i64> = counts.iter().filter(|it| it.what == Counted::TokenRequest).map(|it| it.count).collect();
        assert_eq!(calls, [6]);
        while jobs::sweep::once(server).await.unwrap() > 0 {}
        for table in ["clients", "client_secrets", "consents", "families"] {
            assert_eq!(world.database.count(table).await, 0, "{table}");
        }
    }

    async fn a_no_is_told_and_ends_what_was_made(engine) {
        let world = world(engine).await;
        let browser = signed_in(&world, OWNER).await;
        let consent = begun(&browser, "plugin").await;
        let told = browser.decide(&consent, "deny").await.page();
        assert!(told.html.contains("access_denied") && told.html.contains("If you said no"), "{}", told.html);
        let server = &world.running.server;
        assert!(server.store.clients(server.clock.now()).await.unwrap().is_empty());
    }

    async fn a_connector_is_tried_at_the_whole_address_of_its_server(engine) {
        let world = world(engine).await;
        let api = Hostile::start(mcp_server, &world.running.url);
        // As the console registers one: the plugin's resource is the origin, and the address a further one.
        let plugin = leading(&world, &api.url, OWNER).await;
        world.running.add_resource(&plugin, &format!("{}/mcp", api.url)).await;
        let browser = signed_in(&world, OWNER).await;
        let form = browser.get("/console/plugins/leading/working").await.page();
        let chosen = form.html.split("value=\"connector\"").nth(1).unwrap();
        assert!(chosen.split('>').next().unwrap().contains("selected"), "{}", form.html);
        let consent = begun_at(&browser, "leading", "connector").await;
        assert_eq!(consent.url.path(), "/consent", "{}", consent.html);
        let result = browser.decide(&consent, "allow").await.page();
        assert!(result.html.contains("Works"), "{}", result.html);
        assert!(result.html.contains(&format!("{}/mcp", api.url)), "{}", result.html);
    }

    async fn one_that_is_not_over_passes_for_no_client_id_and_cannot_be_made_one(engine) {
        let world = world(engine).await;
        let server = &world.running.server;
        let browser = signed_in(&world, OWNER).await;
        assert_eq!(begun(&browser, "plugin").await.url.path(), "/consent");
        let now = server.clock.now();
        let made = server.store.clients(now).await.unwrap().remove(0);
        let page = owners::Page { before: None, rows_max: 10 };
        assert!(server.store.clients_of(world.plugin.id, now, page).await.unwrap().is_empty());
        let registry = world.running.registry();
        let which = Which { client_id: &made.client_id, seen: None };
        let other = ["https://elsewhere.example/cb".to_owned()];
        let changed = [
            changes::rename(&registry, which, "ChatGPT").await.err(),
            changes::enable(&registry, which).await.err(),
            callbacks::add(&registry, which, &other).await.err(),
            callbacks::remove(&registry, which, made.redirect_uris[0].as_str()).await.err(),
            callbacks::approve(&registry, which, &other[0]).await.err(),
            secrets::rotate(&registry, which.client_id, TimeDelta::zero(), None).await.err(),
            secrets::end(&registry, which.client_id, made.secrets[0].id).await.err(),
        ];
        for error in changed {
            let Some(RegistryError::Wrong(wrong)) = &error else { panic!("{error:?}") };
            assert!(wrong[0].problem.contains("a try-out's"), "{wrong:?}");
        }
        let after = server.store.client(&made.client_id, now).await.unwrap().unwrap();
        assert_eq!((after.version, after.name, after.redirect_uris), (made.version, made.name, made.redirect_uris));
        changes::disable(&registry, &made.client_id).await.unwrap();
        changes::delete(&registry, &made.client_id).await.unwrap();
    }

    async fn documents_that_lead_elsewhere_send_nobody_there(engine) {
        let world = world(engine).await;
        let elsewhere = World::new(engine).await;
        // A plugin whose own address is another server's, which calls itself the place where people sign in.
        leading(&world, &elsewhere.plugin.resource, OWNER).await;
        let browser = signed_in(&world, OWNER).await;
        let before = world.database.count("clients").await;
        for kind in ["plugin", "connector"] {
            let told = begun_at(&browser, "leading", kind).await;
            assert!(told.url.path().ends_with("/try"), "{}", told.url);
            assert!(told.html.contains("which is not this server&#39;s"), "{kind}: {}", told.html);
        }
        assert_eq!(world.database.count("clients").await, before);
        assert_eq!(elsewhere.database.count("clients").await, 0);
    }
}
