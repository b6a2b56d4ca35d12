//! "Is it working?" in the console: the latest attempts as timelines, and what the doctor says of one's own plugin.

use std::sync::Mutex;

use actix_web::HttpResponse;
use consentry::{
    clock::Clock,
    jobs,
    model::{client::Dialect, id::PluginId, plugin::Plugin},
    outbound, random,
    store::plugins::PluginImport,
};
use serde_json::json;

use super::try_out::leading;
use crate::{
    harness::{
        browser::{Browser, Page, authorize, plugin_request},
        chromium::Chromium,
        databases::Engine,
        hostile::{Asked, Hostile},
        server::{CALLBACK, Options, World},
    },
    on_both_engines,
};

const ADA: &str = "ada@example.com";
const GRACE: &str = "grace@example.com";
const WORKING: &str = "/console/plugins/todo/working";

/// Makes somebody an owner of the world's plugin.
async fn owns(world: &World, email: &str) {
    let server = &world.running.server;
    let (account, _) = server.store.account_by_email(&email.parse().unwrap()).await.unwrap().unwrap();
    assert!(server.store.add_owner(world.plugin.id, account.id, &world.running.operator()).await.unwrap());
}

/// A browser in which somebody has signed in.
async fn signed_in(world: &World, email: &str) -> Browser {
    let browser = Browser::new(&world.running);
    let page = browser.get("/console").await.page();
    let (csrf, next) = (page.hidden("csrf"), page.hidden("next"));
    let fields =
        [("csrf", csrf.as_str()), ("next", &next), ("email", email), ("password", crate::harness::server::PASSWORD)];
    assert_eq!(browser.post("/sign-in", &fields).await.page().url.path(), "/console");
    browser
}

async fn kept(world: &World) {
    jobs::flows::keep(&world.running.server).await.unwrap();
}

/// The addresses of the attempts on a page.
fn attempts(page: &Page) -> Vec<String> {
    let marker = format!("href=\"{WORKING}/");
    page.html.split(&marker).skip(1).map(|rest| format!("{WORKING}/{}", rest.split('"').next().unwrap())).collect()
}

/// A server that may be asked from itself.
fn reaching_itself() -> Options {
    let allow = ["127.0.0.0/8", "::1/128"].map(|range| range.parse().unwrap()).to_vec();
    let outbound = outbound::Settings { allow, ..outbound::Settings::default() };
    // Its clock stands, so that what an account may do in a minute is counted and not timed.
    Options { outbound, clock: Clock::standing_at(Clock::system().now()), ..Options::default() }
}

async fn examined(browser: &Browser, caller: &str) -> Page {
    examined_at(browser, WORKING, caller).await
}

async fn examined_at(browser: &Browser, path: &str, caller: &str) -> Page {
    let form = browser.get(path).await.page();
    let (csrf, account) = (form.hidden("csrf"), form.hidden("account"));
    browser.post(path, &[("csrf", &csrf), ("account", &account), ("caller", caller)]).await.page()
}

on_both_engines! {
    async fn an_owner_sees_that_a_stranger_asked_for_their_api(engine) {
        let world = World::new(engine).await;
        world.running.add_plugin_at("other", "other.example").await;
        owns(&world, ADA).await;
        let browser = signed_in(&world, ADA).await;
        let spelled = format!("{}/", world.plugin.resource.replacen("http", "HTTP", 1));
        let request = [("client_id", "nobody"), ("redirect_uri", "https://chat.example/cb"), ("response_type", "code"),
                       ("resource", &spelled)];
        assert_eq!(browser.get(&authorize(&request)).await.page().status, 400);
        kept(&world).await;
        let list = browser.get(WORKING).await.page();
        let found = attempts(&list);
        assert_eq!(found.len(), 1, "{}", list.html);
        let attempt = browser.get(&found[0]).await.page();
        assert!(attempt.html.contains("nobody"), "{}", attempt.html);
    }

    async fn an_owner_sees_who_tried_to_connect_and_where_it_stopped(engine) {
        let world = World::new(engine).await;
        owns(&world, ADA).await;
        let browser = signed_in(&world, ADA).await;
        let none = browser.get(WORKING).await.page();
        assert!(none.html.contains("Nobody has tried to connect"), "{}", none.html);
        let client = world.client(Dialect::Plugin).await;
        let running = &world.running;
        let code = running.code(&client).await;
        running.redeem(&client, &code).await;
        let mut wrong = client.clone();
        wrong.client_secret.push('x');
        let code = running.code(&client).await;
        running.redeem(&wrong, &code).await;
        kept(&world).await;

        let list = browser.get(WORKING).await.page();
        let found = attempts(&list);
        assert_eq!(found.len(), 2, "{}", list.html);
        assert!(list.html.contains("Connected") && list.html.contains("The secret is not the client"), "{}", list.html);
        let refused = browser.get(&found[0]).await.page();
        // Of what was agreed to before nobody is asked.
        for words in ["ChatGPT", "Request", "Sign-in", "Sent back", "Tokens", "Refused", "give it a new one"] {
            assert!(refused.html.contains(words), "{words}: {}", refused.html);
        }
        let connected = browser.get(&found[1]).await.page();
        assert!(connected.html.contains("It was connected.") && connected.html.contains("<strong>Answer</strong>"));
    }

    async fn another_owners_attempts_are_not_there(engine) {
        let world = World::new(engine).await;
        owns(&world, ADA).await;
        let server = &world.running.server;
        let other = Plugin {
            id: PluginId(random::id(server.clock.now())),
            slug: "mail".to_owned(),
            host: "mail.example".parse().unwrap(),
            resource: "https://mail.example/api".to_owned(),
            ..world.plugin.clone()
        };
        let import = PluginImport::of(other.clone(), Vec::new(), server.clock.now());
        server.store.import_plugin(&import, &world.running.operator()).await.unwrap();
        let (grace, _) = server.store.account_by_email(&GRACE.parse().unwrap()).await.unwrap().unwrap();
        server.store.add_owner(other.id, grace.id, &world.running.operator()).await.unwrap();
        let client = world.client(Dialect::Plugin).await;
        Browser::new(&world.running).agree(&plugin_request(&client), ADA).await;
        // Another plugin's client that names this one's resource, and somebody whom nobody knows.
        let theirs = world.running.add_client(&other, Dialect::Plugin, &[CALLBACK]).await;
        for id in [theirs.client_id.as_str(), "nobody"] {
            let asked = [
                ("response_type", "code"), ("client_id", id), ("redirect_uri", CALLBACK), ("state", "s"),
                ("resource", &world.plugin.resource),
            ];
            let _ = Browser::new(&world.running).get(&authorize(&asked)).await;
        }
        kept(&world).await;
        let (ada, grace) = (signed_in(&world, ADA).await, signed_in(&world, GRACE).await);
        let own = attempts(&ada.get(WORKING).await.page());
        assert_eq!(own.len(), 2, "her own, and after that the stranger's who named her API");
        let theirs = grace.get("/console/plugins/mail/working").await.page();
        let flow = theirs.html.split("/console/plugins/mail/working/").nth(1).unwrap().split('"').next().unwrap();
        let flow_of_ada = own[1].rsplit('/').next().unwrap();
        for (browser, path) in [
            (&grace, WORKING.to_owned()),
            (&grace, own[0].clone()),
            (&grace, own[1].clone()),
            (&grace, format!("/console/plugins/mail/working/{flow_of_ada}")),
            (&ada, format!("{WORKING}/{flow}")),
            (&ada, format!("{WORKING}/00000000-0000-0000-0000-000000000000")),
            (&ada, format!("{WORKING}/x")),
            (&ada, format!("{WORKING}?before=x")),
        ] {
            assert_eq!(browser.get(&path).await.page().status, 404, "{path}");
        }
        let form = grace.get("/console/plugins/mail/working").await.page();
        let fields = [("csrf", &*form.hidden("csrf")), ("account", &form.hidden("account")), ("caller", "chatgpt-plugin")];
        let refused = grace.post(WORKING, &fields).await.page();
        assert_eq!(refused.status, 404);
    }

    async fn the_doctor_looks_at_an_owners_plugin(engine) {
        let world = World::with(engine, reaching_itself()).await;
        owns(&world, ADA).await;
        world.client(Dialect::Plugin).await;
        let browser = signed_in(&world, ADA).await;
        let page = examined(&browser, "chatgpt-plugin").await;
        assert_eq!(page.status, 200, "{}", page.html);
        for words in ["What the doctor found", "reach.answers", "manifest.found", "authorize.answers", "token.errors"] {
            assert!(page.html.contains(words), "{words}: {}", page.html);
        }
        let first = |class: &str| page.html.find(&format!("<span class=\"badge {class}\">"));
        assert!(first("bad").is_none_or(|bad| first("good").is_none_or(|good| bad < good)), "the worst first");
        assert_eq!(examined(&browser, "nobody").await.status, 404);
        // An account has a pace.
        let mut statuses = Vec::new();
        for _ in 0..5 {
            statuses.push(examined(&browser, "chatgpt-plugin").await.status.as_u16());
        }
        assert_eq!(statuses, [200, 200, 200, 200, 429]);
    }
}

/// What the servers elsewhere were asked, in all tests of this file.
static ASKED: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// Plays along.
fn noted(asked: &Asked) -> Option<HttpResponse> {
    ASKED.lock().unwrap().push(format!("{} {}", asked.method, asked.path));
    None
}

on_both_engines! {
    /// Whatever authorization server a plugin's documents name: no client is left there, and no token is tried.
    async fn the_doctor_leaves_nothing_at_another_server(engine) {
        let world = World::with(engine, reaching_itself()).await;
        let elsewhere = World::new(engine).await;
        owns(&world, ADA).await;
        let plugin = leading(&world, &elsewhere.plugin.resource, ADA).await;
        let browser = signed_in(&world, ADA).await;
        let page = examined_at(&browser, "/console/plugins/leading/working", "cursor").await;
        assert!(page.html.contains("it would leave a client at"), "{}", page.html);
        world.running.add_client(&plugin, Dialect::Plugin, &[CALLBACK]).await;
        let page = examined_at(&browser, "/console/plugins/leading/working", "chatgpt-plugin").await;
        assert!(page.html.contains("how a token that was made up is refused"), "{}", page.html);
        assert_eq!(elsewhere.database.count("clients").await, 0);

        // A server that tells what it was asked.
        let world = World::with(engine, reaching_itself()).await;
        let hostile = Hostile::start(noted, "");
        owns(&world, ADA).await;
        leading(&world, &format!("{}/mcp", hostile.url), ADA).await;
        let browser = signed_in(&world, ADA).await;
        let page = examined_at(&browser, "/console/plugins/leading/working", "cursor").await;
        assert!(page.html.contains("What the doctor found"), "{}", page.html);
        let asked = ASKED.lock().unwrap().clone();
        assert!(asked.iter().any(|asked| asked == "GET /.well-known/oauth-authorization-server"), "{asked:?}");
        assert!(!asked.iter().any(|asked| ["POST /token", "POST /register"].contains(&asked.as_str())), "{asked:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn timelines_and_findings_look_well() {
    let world = World::with(Engine::Sqlite, reaching_itself()).await;
    owns(&world, ADA).await;
    let client = world.client(Dialect::Plugin).await;
    let running = &world.running;
    let code = running.code(&client).await;
    running.redeem(&client, &code).await;
    let mut wrong = client.clone();
    wrong.client_secret.push('x');
    let code = running.code(&client).await;
    running.redeem(&wrong, &code).await;
    let hostile = json!({ "redirect_uris": [CALLBACK], "client_name": "W".repeat(200) });
    running.json("/register", &hostile).await;
    kept(&world).await;
    let chromium = Chromium::start().await;
    chromium.open(&format!("{}/console", running.url)).await;
    chromium.sign_in(ADA).await;
    chromium.open(&format!("{}{WORKING}", running.url)).await;
    chromium.reads("The secret is not the client").await;
    chromium.looks_well("console_working").await;
    chromium.evaluate("document.querySelector('.attempts a').click(); return null;").await;
    chromium.reads("Step by step").await;
    chromium.looks_well("console_attempt").await;
    chromium.open(&format!("{}{WORKING}", running.url)).await;
    chromium.press("Look at it now").await;
    chromium.reads("What the doctor found").await;
    chromium.looks_well("console_findings").await;
}
