//! The numbers owners look at: what happens at the endpoints is counted for its plugin, in the background.

use chrono::{DateTime, TimeDelta};
use consentry::{
    clock::Clock,
    http::console::numbers,
    jobs,
    model::{
        client::Dialect,
        counts::{Counted, Grain, Period, Refusal},
        id::PluginId,
        plugin::Plugin,
    },
    random,
    store::plugins::PluginImport,
};
use serde_json::json;

use crate::{
    harness::{
        browser::{Browser, plugin_request},
        connected::Connected,
        connector::{Proof, publish, refresh_token, shapes},
        databases::Engine,
        process::Installation,
        server::{Options, Registered, World},
    },
    on_both_engines,
};

/// What is counted of a plugin: the words and how often, once everything is kept.
async fn counted(world: &World, plugin: PluginId) -> Vec<(Counted, i64)> {
    let server = &world.running.server;
    jobs::counts::keep(server).await.unwrap();
    let rows = server.store.counts(plugin, Grain::Day, DateTime::UNIX_EPOCH).await.unwrap();
    let mut counted: Vec<(Counted, i64)> = rows.iter().map(|row| (row.what, row.count)).collect();
    counted.sort_unstable();
    counted
}

/// A second plugin, so that it matters whose something is.
async fn second_plugin(world: &World) -> Plugin {
    let plugin = Plugin {
        id: PluginId(random::id(world.running.server.clock.now())),
        slug: "other".to_owned(),
        host: "other.example".parse().unwrap(),
        resource: "https://other.example".to_owned(),
        ..world.plugin.clone()
    };
    let import = PluginImport::of(plugin.clone(), vec![], world.running.server.clock.now());
    world.running.server.store.import_plugin(&import, &world.running.operator()).await.unwrap();
    plugin
}

async fn standing(engine: Engine) -> (World, Clock) {
    let clock = Clock::standing_at(DateTime::from_timestamp(1_800_000_000, 0).unwrap());
    (World::with(engine, Options { clock: clock.clone(), ..Options::default() }).await, clock)
}

on_both_engines! {
    async fn every_call_and_every_refusal_is_counted_once_for_its_plugin(engine) {
        let (world, _clock) = standing(engine).await;
        let other = second_plugin(&world).await;
        let running = &world.running;
        let client = world.client(Dialect::Plugin).await;
        let code = running.code(&client).await;
        let (_, tokens) = running.redeem(&client, &code).await;
        let (status, _) = running.refresh(&client, &refresh_token(&tokens)).await;
        assert_eq!(status, 200);
        // The same said again within a minute is one step of a flow, and is counted each time.
        for _ in 0..3 {
            assert_eq!(running.redeem(&client, "nonsense").await.0, 400);
        }
        let wrong = Registered { client_secret: "wrong".to_owned(), ..client.clone() };
        assert_eq!(running.redeem(&wrong, &code).await.0, 401);
        assert_eq!(running.form("/token", &[("grant_type", "magic")]).await.0, 401);
        let unknown = Registered { client_id: "nobody".to_owned(), ..client.clone() };
        assert_eq!(running.redeem(&unknown, &code).await.0, 401);
        // Where people are.
        let browser = Browser::new(running);
        let elsewhere = plugin_request(&client).replace("aip%2Fplugin", "aip%2Felsewhere");
        browser.get(&elsewhere).await.page();
        let page = browser.get(&plugin_request(&client)).await.page();
        let arrived = browser.sign_in(&page, "nobody@example.com").await.page();
        let page = browser.sign_in(&arrived, "grace@example.com").await.page();
        browser.decide(&page, "deny").await.left();

        let store = &running.server.store;
        let rows = store.counts(world.plugin.id, Grain::Day, DateTime::UNIX_EPOCH).await.unwrap();
        assert!(rows.is_empty(), "nothing is written in a request: {rows:?}");
        let expected = [
            (Counted::TokenRequest, 6),
            (Counted::Refused(Refusal::InvalidClient), 1),
            (Counted::Refused(Refusal::InvalidGrant), 3),
            (Counted::Refused(Refusal::AccessDenied), 1),
            (Counted::Refused(Refusal::RedirectUri), 1),
            (Counted::Refused(Refusal::SignIn), 1),
        ];
        assert_eq!(counted(&world, world.plugin.id).await, expected);
        assert_eq!(counted(&world, other.id).await, []);
        assert_eq!(counted(&world, world.plugin.id).await, expected, "what is kept is not counted again");
    }

    async fn where_there_is_one_plugin_everything_is_about_it(engine) {
        let (world, _clock) = standing(engine).await;
        let unknown = Registered { client_id: "nobody".to_owned(), client_secret: "x".to_owned() };
        assert_eq!(world.running.redeem(&unknown, "x").await.0, 401);
        // But documents that are not there: those are looked for by everybody.
        Browser::new(&world.running).get("/.well-known/oauth-authorization-server/nothing").await;
        let expected = [(Counted::TokenRequest, 1), (Counted::Refused(Refusal::InvalidClient), 1)];
        assert_eq!(counted(&world, world.plugin.id).await, expected);
    }

    async fn a_client_of_no_plugin_counts_for_the_one_it_comes_for(engine) {
        let connected = Connected::new(engine).await;
        let world = &connected.world;
        publish(&connected.host, &shapes()[0].1, &connected.signer);
        let other = second_plugin(world).await;
        let connector = connected.connector(Proof::Nothing);
        let more = [("resource", world.plugin.resource.as_str())];
        let (status, tokens) = connector.redeem(&connector.code(&more).await).await;
        assert_eq!(status, 200, "{tokens}");
        assert_eq!(connector.refresh(&refresh_token(&tokens)).await.0, 200);
        // Refused before anything of ours was found: the resource it names says whose it is.
        let fields = [("grant_type", "refresh_token"), ("refresh_token", "nonsense"), more[0]];
        assert_eq!(connector.call("/token", &fields).await.0, 400);
        let expected = [(Counted::TokenRequest, 3), (Counted::Refused(Refusal::InvalidGrant), 1)];
        assert_eq!(counted(world, world.plugin.id).await, expected);
        assert_eq!(counted(world, other.id).await, []);
    }

    async fn who_connects_and_leaves_is_seen_in_the_numbers(engine) {
        let (world, clock) = standing(engine).await;
        let server = &world.running.server;
        let client = world.client(Dialect::Plugin).await;
        let totals = async |period| {
            let view = numbers::look(server, world.plugin.id, period).await.unwrap();
            view.totals.iter().map(|(_, count)| count.clone()).collect::<Vec<_>>()
        };
        jobs::counts::look(server).await.unwrap();
        assert_eq!(totals(Period::Day).await, ["0"; 6]);
        let (_, tokens) = world.running.redeem(&client, &world.running.code(&client).await).await;
        jobs::counts::look(server).await.unwrap();
        assert_eq!(totals(Period::Day).await[..2], ["0", "0"], "it may still be being written");
        clock.advance(TimeDelta::seconds(11));
        jobs::counts::keep(server).await.unwrap();
        jobs::counts::look(server).await.unwrap();
        assert_eq!(totals(Period::Year).await, ["1", "1", "1", "0", "1", "0"]);
        let token = refresh_token(&tokens);
        let (id, secret) = (client.client_id.as_str(), client.client_secret.as_str());
        let own = [("client_id", id), ("client_secret", secret), ("token", &token)];
        assert_eq!(world.running.form("/revoke", &own).await.0, 200);
        clock.advance(TimeDelta::minutes(1));
        jobs::counts::look(server).await.unwrap();
        jobs::counts::look(server).await.unwrap();
        assert_eq!(totals(Period::Month).await, ["0", "0", "1", "1", "1", "0"]);
        // A day later nothing of it is in the last 24 hours.
        clock.advance(TimeDelta::hours(25));
        assert_eq!(totals(Period::Day).await, ["0"; 6]);
        let hours = async || {
            server.store.counts(world.plugin.id, Grain::Hour, DateTime::UNIX_EPOCH).await.unwrap().len()
        };
        assert_eq!(hours().await, 4, "people, gained, lost, a token request");
        clock.advance(TimeDelta::hours(25));
        jobs::sweep::once(server).await.unwrap();
        assert_eq!(hours().await, 0, "what is too old to be shown leaves with everything else");
        assert_eq!(totals(Period::Month).await, ["0", "0", "1", "1", "1", "0"]);
    }

    /// The real binary: what was counted until it was asked to stop is kept, and told on the command line.
    async fn what_was_counted_last_is_kept_when_the_server_stops(engine) {
        let installed = Installation::new(engine).await;
        let Installation { folder, port, .. } = &installed;
        let consentry = installed.program();
        consentry.set_up();
        std::fs::write(folder.path().join("ai-plugin.json"), consentry::demo::MANIFEST).unwrap();
        let host = format!("localhost:{port}");
        let scope = "todo.read=Read it";
        let import = ["plugin", "import", "ai-plugin.json", "--host", &host, "--scope", scope, "--json"];
        let plugin = consentry.answer(&import);
        let slug = plugin["slug"].as_str().unwrap();
        let numbers = |over: &str| consentry.answer(&["plugin", "numbers", slug, "--over", over, "--json"]);
        let mut serving = consentry.serve().await;
        let fields = [("grant_type", "authorization_code"), ("client_id", "nobody"), ("code", "x")];
        let answer = reqwest::Client::new().post(format!("{}/token", consentry.own())).form(&fields).send().await;
        assert_eq!(answer.unwrap().status(), 401);
        assert_eq!(numbers("year")["refusals"], json!([]));
        serving.stop();
        let told = numbers("year");
        let last = told["parts"].as_array().unwrap().last().unwrap();
        assert_eq!((&last["token_requests"], &last["refused"]), (&json!(1), &json!(1)), "{told:#}");
        assert_eq!(told["refusals"][0]["reason"], "invalid_client");
        assert_eq!(told["parts"].as_array().map(Vec::len), Some(12));
        assert_eq!(numbers("day")["parts"].as_array().map(Vec::len), Some(24));
    }
}
