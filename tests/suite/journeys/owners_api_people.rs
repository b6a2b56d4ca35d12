//! The owners' API about people: who may connect, the reviewers' account, and the webhook that tells of them. What a
//! program does there ends as the functions end that the console and the command line call.

use chrono::DateTime;
use consentry::{
    clock::Clock,
    model::{account::Role, client::Dialect, id::AccountId, plugin::Plugin, scope::Scope},
    passwords::Passwords,
    registry::{
        Registry,
        access::{self, Change, Named},
        reviewer, webhooks,
    },
    store::webhooks::Delivery,
};
use serde_json::{Value, json};

use crate::{
    attacks::by_hand::ByHand,
    harness::{
        databases::Engine,
        hooked::Hooked,
        program::Program,
        server::{Options, World},
        strangers::answer::Answer,
    },
    on_both_engines,
};

const ACCESS: &str = "/plugins/todo/access";
const RULES: &str = "/plugins/todo/access/rules";
const REVIEWER: &str = "/plugins/todo/reviewer";
const WEBHOOK: &str = "/plugins/todo/webhook";

fn standing() -> Clock {
    Clock::standing_at(DateTime::from_timestamp(1_800_000_000, 0).unwrap())
}

/// A program of somebody who owns the plugin.
async fn owners(world: &World) -> (Program, AccountId) {
    let (program, account) = Program::of_a_new_owner(&world.running, "owner@example.com").await;
    world.running.server.store.add_owner(world.plugin.id, account, &world.running.operator()).await.unwrap();
    (program, account)
}

/// Where the operator changes things.
fn registry(world: &World) -> Registry<'_> {
    world.running.registry()
}

/// A server with a group and two scopes, and its plugin as it is now.
async fn with_a_group(engine: Engine) -> World {
    let world = World::new(engine).await;
    world
        .import(|plugin| {
            let scope = Scope { optional: true, ..Scope::new("todo.share", "Share lists") };
            plugin.scopes.put(scope).unwrap();
        })
        .await;
    access::create_group(&registry(&world), "beta").await.unwrap();
    world
}

/// Who may connect, and what was told of it.
async fn rules(world: &World) -> Value {
    let (version, access) = world.running.server.store.access(world.plugin.id).await.unwrap().unwrap();
    let rules = access.rules().iter().map(|rule| format!("{} {:?}", rule.who, rule.grants)).collect::<Vec<_>>();
    let told = world.database.count("audit_events where action = 'plugin.access_changed'").await;
    json!([version, access == consentry::model::access::Access::Open, rules, told])
}

/// What the API does below, by hand.
async fn rules_by_hand(world: &World) {
    let registry = registry(world);
    let named =
        |who: &str, scopes: Option<&str>| Named { who: who.into(), scopes: scopes.map(|names| names.parse().unwrap()) };
    let whole = Change::Whole(vec![named("group:beta", None), named("@corp.example", Some("todo.share"))]);
    let add = |who: &str, scopes: Option<&str>| Change::Add {
        who: who.into(),
        scopes: scopes.map(|names| names.parse().unwrap()),
    };
    let changes = [
        whole,
        add("grace@example.com\n@CORP.example", None),
        Change::Remove { who: "group:beta".into() },
        Change::Open,
        add("everyone", Some("todo.share")),
    ];
    for change in changes {
        let plugin = registry.store.plugin_by_slug(&world.plugin.slug).await.unwrap().unwrap();
        access::change_anyway(&registry, &plugin, &change).await.unwrap();
    }
}

/// What became of events, without what is made by chance; so is their order where the clock stands.
fn told(deliveries: &[Delivery]) -> Vec<String> {
    let line = |it: &Delivery| format!("{} {} {} {:?}", it.event.as_str(), it.attempts, it.state().as_str(), it.says);
    let mut lines: Vec<String> = deliveries.iter().map(line).collect();
    lines.sort();
    lines
}

async fn deliveries(it: &Hooked) -> Vec<String> {
    told(&it.world.running.server.store.deliveries(it.world.plugin.id, 25).await.unwrap())
}

on_both_engines! {
    async fn who_may_connect_is_said_as_by_hand(engine) {
        let (api, hand) = (with_a_group(engine).await, with_a_group(engine).await);
        rules_by_hand(&hand).await;
        let (program, _) = owners(&api).await;
        let read = program.call("GET", ACCESS).await.json;
        assert_eq!((&read["open"], &read["rules"]), (&json!(true), &json!([])));
        let whole = json!({ "version": read["version"], "open": false, "rules": [
            { "who": "group:beta" }, { "who": "@corp.example", "scopes": ["todo.share"] } ] });
        let set = program.must("PUT", ACCESS, &whole).await;
        let rules_now = json!([
            { "who": "group:beta", "scopes": null }, { "who": "@corp.example", "scopes": ["todo.share"] },
        ]);
        assert_eq!((&set["open"], &set["rules"]), (&json!(false), &rules_now));
        assert_eq!(program.call_with("PUT", ACCESS, &whole).await.status, 409, "that version is gone");
        let same = json!({ "version": set["version"], "open": false, "rules": [set["rules"][1], set["rules"][0]] });
        assert_eq!(program.must("PUT", ACCESS, &same).await["version"], set["version"], "the same is no change");
        let more = json!({ "version": set["version"], "who": ["grace@example.com", "@CORP.example"] });
        let added = program.must("POST", RULES, &more).await;
        assert_eq!(added["rules"].as_array().unwrap().len(), 3, "{added}");
        assert_eq!(program.call_with("POST", RULES, &more).await.status, 409);
        let less = json!({ "version": added["version"], "who": ["group:beta"] });
        let removed = program.must("POST", &format!("{RULES}/remove"), &less).await;
        assert_eq!(removed["rules"].as_array().unwrap().len(), 2, "{removed}");
        let open = program.must("PUT", ACCESS, &json!({ "version": removed["version"], "open": true })).await;
        let everyone = json!({ "version": open["version"], "who": ["everyone"], "scopes": ["todo.share"] });
        program.must("POST", RULES, &everyone).await;
        assert_eq!(rules(&api).await, rules(&hand).await);
    }

    /// What is wrong is said of the member it stands in, and nobody who is connected is shut out by accident.
    async fn a_rule_shuts_nobody_out_by_accident(engine) {
        let world = with_a_group(engine).await;
        let (program, _) = owners(&world).await;
        let client = world.client(Dialect::Plugin).await;
        let (_, tokens) = world.running.redeem(&client, &world.running.code(&client).await).await;
        let refresh = tokens["refresh_token"].as_str().unwrap();
        let version = program.call("GET", ACCESS).await.json["version"].clone();
        let with = |rules: Value| json!({ "version": version, "open": false, "rules": rules });
        for (body, field) in [
            (with(json!([{ "who": "@corp" }])), "rules.who"),
            (with(json!([{ "who": "group:alpha" }])), "rules.who"),
            (with(json!([{ "who": "everyone" }, { "who": "Everyone" }])), "rules.who"),
            (with(json!([{ "who": "everyone", "scopes": ["todo.fly"] }])), "rules.scopes"),
            (with(json!([{ "who": "everyone", "scopes": [] }])), "rules.scopes"),
            (with(json!([{ "whom": "everyone" }])), "rules[0].whom"),
            (with(Value::Array(vec![json!({ "who": "everyone" }); 101])), "rules.who"),
            (json!({ "version": version, "open": true, "rules": [{ "who": "everyone" }] }), "rules"),
            (json!({ "version": version }), ""),
            (with(json!([{ "who": "@corp.example" }])), "shut_out"),
        ] {
            let told = program.call_with("PUT", ACCESS, &body).await;
            assert_eq!((told.status, told.fields()), (422, vec![field]), "{body}: {}", told.json);
        }
        let asked = program.call_with("POST", RULES, &json!({ "version": version, "who": ["@corp.example"] })).await;
        let says = asked.json["errors"][0]["problem"].as_str().unwrap();
        assert!(says.starts_with("this shuts out between 1 and 4 people who are connected;"), "{says}");
        let (status, next) = world.running.refresh(&client, refresh).await;
        assert_eq!(status, 200, "nothing was changed");
        let meant = json!({ "version": version, "who": ["@corp.example"], "shut_out": true });
        program.must("POST", RULES, &meant).await;
        assert_eq!(world.running.refresh(&client, next["refresh_token"].as_str().unwrap()).await.0, 400);
    }

    async fn reviewers_get_an_account_as_by_hand(engine) {
        let clock = standing();
        let options = || Options { clock: clock.clone(), ..Options::default() };
        let (api, hand) = (World::with(engine, options()).await, World::with(engine, options()).await);
        let (program, _) = owners(&api).await;
        assert_eq!(program.call("GET", REVIEWER).await.json, json!({ "reviewer": null }));
        assert_eq!(program.call_with("PATCH", REVIEWER, &json!({ "days": 7 })).await.status, 404);
        for days in [0, 181] {
            assert_eq!(program.call_with("POST", REVIEWER, &json!({ "days": days })).await.fields(), ["days"]);
        }
        let made = program.must("POST", REVIEWER, &json!({})).await;
        let (name, password) = (made["reviewer"]["name"].as_str().unwrap(), made["password"].as_str().unwrap());
        assert_eq!(made["reviewer"]["ends_at"], json!("2027-02-14T08:00:00.000Z"));
        let may_sign_in = async |password: &str| {
            let browser = ByHand::new();
            let page = browser.get(&api.running, "/sign-in").await;
            browser.sign_in(&api.running, &page, name, password).await.location() == Some("/")
        };
        assert!(may_sign_in(password).await);
        let renewed = program.must("POST", REVIEWER, &json!({ "days": 7 })).await;
        assert_eq!(renewed["reviewer"]["name"], name);
        assert!(!may_sign_in(password).await && may_sign_in(renewed["password"].as_str().unwrap()).await);
        let prolonged = program.must("PATCH", REVIEWER, &json!({ "days": 60 })).await;
        assert_eq!(prolonged["reviewer"]["ends_at"], json!("2027-03-16T08:00:00.000Z"));
        assert!(prolonged.get("password").is_none());
        assert_eq!(program.call("GET", REVIEWER).await.json, prolonged);
        assert_eq!(program.call("DELETE", REVIEWER).await.status, 204);
        assert_eq!(program.call("DELETE", REVIEWER).await.status, 404);
        assert_eq!(program.call("GET", REVIEWER).await.json["reviewer"]["has_ended"], true);

        let (registry, passwords) = (registry(&hand), &hand.running.server.passwords);
        reviewer_by_hand(&registry, passwords, &hand.plugin).await;
        let ended = async |world: &World| {
            let found = world.running.server.store.reviewer_of(world.plugin.id).await.unwrap().unwrap();
            let told = world.database.count("audit_events where action like 'plugin.reviewer%'").await;
            (found.created_at, found.ends_at, told)
        };
        assert_eq!(ended(&api).await, ended(&hand).await);
    }

    async fn a_webhook_is_kept_as_by_hand(engine) {
        let (clock, hand_clock) = (standing(), standing());
        let (api, hand) = (Hooked::new(engine, clock.clone()).await, Hooked::new(engine, hand_clock.clone()).await);
        let (program, _) = owners(&api.world).await;
        let at = |path: &str| format!("{WEBHOOK}{path}");
        let read = async || program.call("GET", WEBHOOK).await.json;
        let seen = async || json!({ "version": read().await["webhook"]["version"] });

        program.call_with("POST", &at("/remove"), &seen().await).await;
        assert_eq!(read().await, json!({ "webhook": null, "deliveries": [] }));
        let address = api.host.url("/hook").to_string();
        let first = json!({ "version": 0, "address": address });
        let made = program.must("PUT", WEBHOOK, &first).await;
        let secret = made["secret"].as_str().unwrap();
        assert!(secret.starts_with("whsec_"));
        assert_eq!(program.call_with("PUT", WEBHOOK, &first).await.status, 409);
        let inside = json!({ "version": made["webhook"]["version"], "address": "https://10.0.0.1/" });
        assert_eq!(program.call_with("PUT", WEBHOOK, &inside).await.fields(), ["address"]);
        assert_eq!(program.call("POST", &at("/test")).await.status, 204);
        assert_eq!(program.call("POST", &at("/test")).await.status, 422, "one is on its way");
        api.told().await;
        let delivered = read().await["deliveries"][0].clone();
        assert_eq!((&delivered["type"], &delivered["state"]), (&json!("webhook.test"), &json!("taken")), "{delivered}");
        assert!(!read().await.to_string().contains("whsec_"), "it was shown once");
        let again = json!({ "message": delivered["message"] });
        assert_eq!(program.call_with("POST", &at("/send-again"), &again).await.status, 204);
        assert_eq!(program.call_with("POST", &at("/send-again"), &json!({ "message": "x" })).await.fields(), ["message"]);
        api.told().await;
        let renewal = seen().await;
        let renewed = program.must("POST", &at("/secret"), &renewal).await;
        assert_ne!(renewed["secret"], secret);
        assert_eq!(renewed["webhook"]["has_old_secret"], true);
        assert_eq!(program.call_with("POST", &at("/secret"), &renewal).await.status, 409, "sent twice it makes one");
        let alone = program.must("POST", &at("/secret/end-old"), &seen().await).await;
        assert_eq!((&alone["has_old_secret"], alone.get("secret")), (&json!(false), None));
        assert_eq!(program.call_with("POST", &at("/secret/end-old"), &seen().await).await.status, 422);
        assert_eq!(program.call_with("POST", &at("/start"), &seen().await).await.status, 422, "it has not stopped");
        api.host.answer("/hook", Answer::status(410));
        program.call("POST", &at("/test")).await;
        api.told().await;
        let stopped = read().await["webhook"].clone();
        assert!(stopped["stopped_at"].is_string() && stopped["stopped_because"].is_string(), "{stopped}");
        let started = program.must("POST", &at("/start"), &seen().await).await;
        assert!(started["stopped_at"].is_null(), "{started}");
        let moved = json!({ "version": started["version"], "address": format!("{address}?for=todo") });
        assert_eq!(program.must("PUT", WEBHOOK, &moved).await.get("secret"), None, "a move makes none");

        webhook_by_hand(&hand).await;
        assert_eq!(deliveries(&api).await, deliveries(&hand).await);
        let (one, other) = (api.webhook().await, hand.webhook().await);
        assert_eq!((one.version, one.has_old_secret, one.missed), (other.version, other.has_old_secret, other.missed));
        let events = "audit_events where action like 'plugin.webhook%'";
        assert_eq!(api.world.database.count(events).await, hand.world.database.count(events).await);
    }

    /// Whoever owns a plugin sees by which token something was done, and that it was by none.
    async fn the_log_says_by_which_token(engine) {
        let world = World::new(engine).await;
        let (program, account) = owners(&world).await;
        program.must("POST", "/plugins/todo/reviewer", &json!({})).await;
        let store = &world.running.server.store;
        let token = store.owner_tokens(account, world.running.server.clock.now()).await.unwrap().remove(0);
        let browser = ByHand::signed_in(&world.running, "owner@example.com").await;
        let page = browser.get(&world.running, "/console/plugins/todo/reviewer").await;
        let (csrf, own) = (page.hidden("csrf"), page.hidden("account"));
        let fields = [("csrf", csrf.as_str()), ("account", &own), ("change", "prolong"), ("days", "60")];
        assert_eq!(browser.post(&world.running, "/console/plugins/todo/reviewer", &fields).await.status, 303);

        let read = async |action: &str| {
            let lines = program.call("GET", &format!("/plugins/todo/log?search={action}")).await.json;
            let line = &lines["lines"][0];
            assert_eq!(line["by"], "Olive Owner", "{lines}");
            (line["token_id"].as_str().unwrap().to_owned(), line["token_name"].as_str().unwrap().to_owned())
        };
        let by_the_token = (token.id.to_string(), "The build".to_owned());
        assert_eq!(read("plugin.reviewer_made").await, by_the_token);
        assert_eq!(read("plugin.reviewer_prolonged").await, (String::new(), String::new()));
        let page = browser.get(&world.running, "/console/plugins/todo/log").await;
        assert_eq!(page.body.matches("by the token <bdi>The build</bdi>").count(), 1, "{}", page.body);
        let file = browser.get(&world.running, "/console/plugins/todo/log.csv").await;
        let line = file.body.lines().find(|line| line.contains("reviewer_made")).unwrap();
        assert!(line.contains(&format!("\"{}\",\"The build\",\"", token.id)), "{line}");
        assert!(file.body.lines().next().unwrap().ends_with("\"token_id\",\"token_name\",\"request_id\""), "{}", file.body);
        // It is gone, and the log still says what it was called.
        store.end_owner_token(account, token.id, &world.running.operator()).await.unwrap();
        let page = browser.get(&world.running, "/console/plugins/todo/log").await;
        assert!(page.body.contains("by the token <bdi>The build</bdi>"), "{}", page.body);
    }

    /// Who disconnects themselves as a person is not told from an owner who does it, whatever they did it with.
    async fn a_token_tells_no_owner_who_a_person_is(engine) {
        let world = World::new(engine).await;
        let (program, _) = owners(&world).await;
        let other = world.running.add_account_as("other@example.com", "Other Owner", Role::Owner).await;
        let store = &world.running.server.store;
        store.add_owner(world.plugin.id, other, &world.running.operator()).await.unwrap();
        let client = world.client(Dialect::Plugin).await;
        let left = crate::harness::browser::Browser::new(&world.running)
            .agree(&crate::harness::browser::plugin_request(&client), "owner@example.com")
            .await;
        let code = crate::harness::browser::parameter(&left, "code").unwrap();
        assert_eq!(world.running.redeem(&client, &code).await.0, 200);
        let people = program.call("GET", "/plugins/todo/people").await.json;
        let consent = people["people"][0]["consent_id"].as_str().unwrap();
        assert_eq!(program.call("DELETE", &format!("/plugins/todo/people/{consent}")).await.status, 204);
        let line = program.call("GET", "/plugins/todo/log?search=consent.revoked").await.json["lines"][0].clone();
        assert_eq!((&line["by"], &line["token_name"]), (&json!("the person"), &json!("")), "{line}");
    }
}

async fn reviewer_by_hand(registry: &Registry<'_>, passwords: &Passwords, plugin: &Plugin) {
    reviewer::make(registry, passwords, plugin, "30").await.unwrap();
    reviewer::make(registry, passwords, plugin, "7").await.unwrap();
    reviewer::prolong(registry, plugin, "60").await.unwrap();
    reviewer::finish(registry, plugin).await.unwrap();
}

/// What the API does, by the functions that the console and the command line call.
async fn webhook_by_hand(it: &Hooked) {
    let (registry, plugin) = (it.registry(), it.world.plugin.id);
    let ring = it.world.running.server.keyring.current();
    let seen = async || it.webhook().await.version;
    webhooks::remove(&registry, plugin, seen().await).await.unwrap();
    let address = it.host.url("/hook").to_string();
    it.set(&address).await.unwrap().expect("a secret");
    webhooks::send_test(&registry, plugin).await.unwrap();
    it.told().await;
    let message = it.world.running.server.store.deliveries(plugin, 1).await.unwrap()[0].id.clone();
    webhooks::send_again(&registry, plugin, &message).await.unwrap();
    it.told().await;
    webhooks::renew_secret(&registry, &ring, (plugin, seen().await)).await.unwrap();
    webhooks::end_old_secret(&registry, plugin, seen().await).await.unwrap();
    it.host.answer("/hook", Answer::status(410));
    webhooks::send_test(&registry, plugin).await.unwrap();
    it.told().await;
    webhooks::start(&registry, plugin, seen().await).await.unwrap();
    it.set(&format!("{address}?for=todo")).await.unwrap();
}
