//! Row 19: an owner types where their plugin is, and has the doctor look. It goes nowhere that only this server
//! reaches, and what it tells is the same whatever is there.

use std::time::Duration;

use consentry::{
    model::{client::Dialect, id::PluginId, plugin::Plugin},
    outbound, random,
    store::plugins::PluginImport,
};
use serde_json::json;
use tokio::{net::TcpListener, time::timeout};

use super::by_hand::{Answer, ByHand};
use crate::{
    harness::{
        databases::Engine,
        program::{Program, make},
        server::{Options, PASSWORD, World},
        strangers::{Strangers, answer::Answer as Served},
    },
    on_both_engines,
};

const ADA: &str = "ada@example.com";

/// A world of strangers, of whom only those at one address may be asked.
async fn world(engine: Engine, strangers: &Strangers) -> World {
    let allow = vec!["127.0.0.1/32".parse().unwrap()];
    World::with(
        engine,
        Options { outbound: outbound::Settings { allow, ..strangers.settings() }, ..Options::default() },
    )
    .await
}

/// What the doctor tells the owner of a plugin at that address.
async fn told(world: &World, slug: &str, resource: &str) -> Answer {
    let running = &world.running;
    let now = running.server.clock.now();
    let plugin = Plugin {
        id: PluginId(random::id(now)),
        slug: slug.to_owned(),
        host: format!("{slug}.example").parse().unwrap(),
        resource: resource.to_owned(),
        ..world.plugin.clone()
    };
    let import = PluginImport::of(plugin.clone(), Vec::new(), now);
    running.server.store.import_plugin(&import, &running.operator()).await.unwrap();
    running.add_client(&plugin, Dialect::Plugin, &[crate::harness::server::CALLBACK]).await;
    let (account, _) = running.server.store.account_by_email(&ADA.parse().unwrap()).await.unwrap().unwrap();
    running.server.store.add_owner(plugin.id, account.id, &running.operator()).await.unwrap();
    let owner = ByHand::new();
    let page = owner.get(running, "/sign-in").await;
    owner.sign_in(running, &page, ADA, PASSWORD).await;
    let path = format!("/console/plugins/{slug}/working");
    let form = owner.get(running, &path).await;
    let fields = [("csrf", &*form.hidden("csrf")), ("account", &form.hidden("account")), ("caller", "chatgpt-plugin")];
    let answer = owner.post(running, &path, &fields).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer
}

async fn was_called(listener: &TcpListener) -> bool {
    timeout(Duration::from_millis(50), listener.accept()).await.is_ok()
}

/// The findings of a page, without the plugin's own name.
fn findings(answer: &Answer, own: &str) -> String {
    let (_, rest) = answer.body.split_once("part-findings").expect("findings");
    rest.split_once("</section>").expect("their end").0.replace(own, "")
}

on_both_engines! {
    /// Row 19: nothing is learnt of what is inside, nor whether anything is.
    async fn a_plugin_that_leads_inside_learns_nothing_of_what_is_there(engine) {
        let strangers = Strangers::new();
        let world = world(engine, &strangers).await;
        let inside = TcpListener::bind("127.0.0.2:0").await.unwrap();
        let open = inside.local_addr().unwrap();
        // Nobody listens there.
        let shut = "127.0.0.3:9".parse().unwrap();
        strangers.lead("a.inside.example", &[open]);
        strangers.lead("b.inside.example", &[shut]);
        let a = told(&world, "a", "https://a.inside.example/api").await;
        let b = told(&world, "b", "https://b.inside.example/api").await;
        assert!(!was_called(&inside).await);
        assert!(a.body.contains("a.inside.example has an address that is for loopback"), "{}", a.body);
        assert!(!a.body.contains("127.0.0.2") && !b.body.contains("127.0.0.3"), "no address is told");
        assert_eq!(findings(&a, "a.inside.example"), findings(&b, "b.inside.example"));
        for (slug, host) in [("c", format!("https://{open}/")), ("d", format!("http://{open}/"))] {
            let answer = told(&world, slug, &host).await;
            assert!(answer.body.contains("has an address that is for loopback"), "{host}: {}", answer.body);
        }
        assert!(!was_called(&inside).await);
        // Nor by a program of the same owner's.
        let (ada, _) = world.running.server.store.account_by_email(&ADA.parse().unwrap()).await.unwrap().unwrap();
        let program = make(&world.running, ada.id, &["plugins:write"]).await;
        let program = Program::with(&world.running, program.secret.reveal());
        let asked = json!({ "caller": "chatgpt-plugin" });
        let found = program.call_with("POST", "/plugins/a/findings", &asked).await;
        let says = found.json.to_string();
        assert!(says.contains("a.inside.example has an address that is for loopback"), "{says}");
        assert!(!says.contains("127.0.0.2"), "no address is told: {says}");
        assert!(!was_called(&inside).await);
    }

    /// Row 19: neither does a name that changes its meaning between two requests, nor a document that leads inside.
    async fn a_plugin_that_turns_inside_is_followed_there_by_nobody(engine) {
        let strangers = Strangers::new();
        let world = world(engine, &strangers).await;
        let inside = TcpListener::bind("127.0.0.2:0").await.unwrap();
        let host = strangers.host("turning.example");
        let address = inside.local_addr().unwrap();
        strangers.lead_in_turn("turning.example", &[&[host.address()], &[address]]);
        let answer = told(&world, "turning", "https://turning.example/api").await;
        assert_eq!(host.requests(), 1, "it was there once: {}", answer.body);
        assert!(!was_called(&inside).await);

        let leading = strangers.host("leading.example");
        let elsewhere = format!("https://{address}/x");
        let challenge = format!("Bearer resource_metadata=\"{elsewhere}\"");
        leading.answer("/api", Served::status(401).header("WWW-Authenticate", &challenge));
        let auth = serde_json::json!({
            "auth": { "type": "oauth", "client_url": elsewhere, "authorization_url": elsewhere, "scope": "" },
            "api": { "type": "openapi", "url": elsewhere },
        });
        leading.answer("/.well-known/ai-plugin.json", Served::json(&auth));
        let answer = told(&world, "leading", "https://leading.example/api").await;
        assert!(leading.requests() > 1, "{}", answer.body);
        assert!(!was_called(&inside).await);
    }
}
