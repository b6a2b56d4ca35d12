//! The owners' API against who has no token, a wrong one, one for something else, or one of another owner. The calls are
//! those of its own table, so that a new one is attacked on the day it is made.

use chrono::TimeDelta;
use consentry::model::{account::Role, client::Dialect};
use reqwest::Client;
use serde_json::{Value, json};

use super::by_hand::ByHand;
use crate::{
    harness::{
        program::{Program, Told, all_scopes, make},
        route_table::{Call, SECRET, SLUG, calls},
        server::{Options, PASSWORD, World},
    },
    on_both_engines,
};

/// Every call that takes a token.
fn protected() -> Vec<Call> {
    let calls: Vec<Call> = calls().into_iter().filter(|call| call.path != "/openapi.json").collect();
    assert!(calls.len() > 30, "{}", calls.len());
    calls
}

/// Sends a call with a body that is none of its own.
async fn send(program: &Program, call: &Call, path: &str) -> Told {
    match call.method {
        "GET" | "DELETE" => program.call(call.method, path).await,
        method => program.call_with(method, path, &json!({})).await,
    }
}

async fn description(world: &World) -> Value {
    reqwest::get(format!("{}/api/v1/openapi.json", world.running.url)).await.unwrap().json().await.unwrap()
}

on_both_engines! {
    /// Row 50: without a token that is good there is nothing, whatever else is shown.
    async fn without_a_good_token_there_is_nothing(engine) {
        let clock = consentry::clock::Clock::standing_at(chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap());
        let world = World::with(engine, Options { clock: clock.clone(), ..Options::default() }).await;
        let (good, account) = Program::of_a_new_owner(&world.running, "owner@example.com").await;
        world.running.server.store.add_owner(world.plugin.id, account, &world.running.operator()).await.unwrap();
        let running = &world.running;
        let ended = make(running, account, &all_scopes()).await;
        assert!(running.server.store.end_owner_token(account, ended.token.id, &running.operator()).await.unwrap());
        let client = world.client(Dialect::Action).await;
        let mut misspelled = good.token.clone();
        misspelled.replace_range(20..21, if &good.token[20..21] == "A" { "B" } else { "A" });
        let browser = ByHand::signed_in(running, "owner@example.com").await;
        let session = browser.cookie("consentry_session").unwrap();
        let before = world.database.count("audit_events").await;
        let wrong = ["x", &misspelled, ended.secret.reveal(), &client.client_secret, PASSWORD, &good.token[..40]];
        for call in protected() {
            for token in wrong {
                let told = send(&Program::with(running, token), &call, &call.path).await;
                assert_eq!(told.status, 401, "{} {}", call.method, call.path);
                assert_eq!(told.header("www-authenticate"), "Bearer error=\"invalid_token\"");
            }
            let method = reqwest::Method::from_bytes(call.method.as_bytes()).unwrap();
            let cookies = format!("consentry_session={session}");
            let by_cookie = Client::new().request(method, format!("{}/api/v1{}", running.url, call.path));
            let told = Told::read(by_cookie.header("cookie", cookies).json(&json!({})).send().await.unwrap()).await;
            assert_eq!((told.status, told.header("www-authenticate")), (401, "Bearer"), "{}", call.path);
            assert_eq!(told.header("content-type"), "application/problem+json");
            assert_eq!(told.header("access-control-allow-origin"), "", "no web page reads it");
        }
        assert_eq!(good.call("GET", "/plugins").await.status, 200);
        clock.advance(TimeDelta::days(30));
        assert_eq!(good.call("GET", "/plugins").await.status, 401, "it has expired");
        assert_eq!(world.database.count("audit_events").await, before);
    }

    /// Row 50: a token does what it was made for and nothing else; what each call takes is what its description says.
    async fn a_token_does_only_what_it_was_made_for(engine) {
        let world = World::new(engine).await;
        let (_, account) = Program::of_a_new_owner(&world.running, "owner@example.com").await;
        world.running.server.store.add_owner(world.plugin.id, account, &world.running.operator()).await.unwrap();
        let description = description(&world).await;
        let before = world.database.count("audit_events").await;
        let mut made = 0;
        for call in protected() {
            let operation = &description["paths"][call.template.as_str()][call.method.to_lowercase().as_str()];
            let taken = operation["security"][0]["owner_token"][0].as_str().unwrap();
            let others: Vec<&str> = all_scopes().into_iter().filter(|scope| *scope != taken).collect();
            let program = Program::with(&world.running, make(&world.running, account, &others).await.secret.reveal());
            made += 1;
            let told = send(&program, &call, &call.path).await;
            assert_eq!(told.status, 403, "{} {}", call.method, call.path);
            let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{taken}\"");
            assert_eq!(told.header("www-authenticate"), challenge);
            world.database.execute("delete from owner_tokens").await;
        }
        assert_eq!(world.database.count("audit_events").await, before + made);
    }

    /// Row 50: another owner's plugin is not there, whatever is asked of it.
    async fn another_owners_plugin_is_not_there(engine) {
        let world = World::new(engine).await;
        let running = &world.running;
        let owner = running.add_account_as("owner@example.com", "Olive Owner", Role::Owner).await;
        running.server.store.add_owner(world.plugin.id, owner, &running.operator()).await.unwrap();
        let client = world.client(Dialect::Action).await;
        let (rival, account) = Program::of_a_new_owner(running, "rival@example.com").await;
        let own = running.add_plugin_at("own", "own.example").await;
        running.server.store.add_owner(own.id, account, &running.operator()).await.unwrap();
        let mine = running.add_client(&own, Dialect::Action, &["https://chat.example/cb"]).await;
        let secret = running.server.store.client(&client.client_id, running.server.clock.now()).await.unwrap().unwrap();
        let secret = secret.secrets[0].id.to_string();
        let before = world.database.count("audit_events").await;
        let (mut tried, mut below_own) = (0, 0);
        for call in protected().into_iter().filter(|call| call.template.contains("{slug}")) {
            let fill = |slug: &str, client_id: &str| {
                let names = [
                    ("{slug}", slug), ("{client_id}", client_id), ("{secret_id}", secret.as_str()),
                    ("{account_id}", &owner.to_string()), ("{consent_id}", &owner.to_string()),
                    ("{attempt_id}", &owner.to_string()), ("{name}", SECRET), ("{number}", "1"),
                ];
                names.iter().fold(call.template.clone(), |path, (name, value)| path.replace(name, value))
            };
            let told = send(&rival, &call, &fill(SLUG, &client.client_id)).await;
            assert_eq!(told.status, 404, "{} {}", call.method, call.template);
            assert!(!told.json.to_string().contains(SLUG), "{}", told.json);
            tried += 1;
            if call.template.contains("{client_id}") {
                let told = send(&rival, &call, &fill("own", &client.client_id)).await;
                assert_eq!(told.status, 404, "{} {}", call.method, call.template);
            }
            let names_more = ["{secret_id}", "{account_id}", "{consent_id}", "{attempt_id}", "{name}"];
            if names_more.iter().any(|name| call.template.contains(name)) {
                let told = send(&rival, &call, &fill("own", &mine.client_id)).await;
                assert_eq!(told.status, 404, "{} {}", call.method, call.template);
                below_own += 1;
            }
        }
        assert!(tried > 25 && below_own >= 4);
        assert_eq!(world.database.count("audit_events").await, before);
        let listed = rival.call("GET", "/plugins").await.json;
        assert_eq!(listed["plugins"].as_array().unwrap().len(), 1);
        assert_eq!(listed["plugins"][0]["slug"], "own");
    }

    /// Row 34: a browser that was left open makes no token, which would outlive it, until its owner shows that it is them.
    async fn a_browser_left_open_makes_no_token(engine) {
        let clock = consentry::clock::Clock::standing_at(chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap());
        let world = World::with(engine, Options { clock: clock.clone(), ..Options::default() }).await;
        let running = &world.running;
        running.add_account_as("owner@example.com", "Olive Owner", Role::Owner).await;
        let browser = ByHand::signed_in(running, "owner@example.com").await;
        clock.advance(TimeDelta::minutes(11));
        let page = browser.get(running, "/console/tokens").await;
        let (csrf, account) = (page.hidden("csrf"), page.hidden("account"));
        let fields = [
            ("csrf", csrf.as_str()), ("account", &account), ("change", "make"), ("name", "The build"),
            ("scope", "plugins:read"), ("days", "30"),
        ];
        let asked = browser.post(running, "/console/tokens", &fields).await;
        assert_eq!(asked.redirect(), "/prove?next=tokens");
        assert_eq!(world.database.count("owner_tokens").await, 0);
        let page = browser.get(running, asked.redirect()).await;
        let csrf = page.hidden("csrf");
        let proof = [("csrf", csrf.as_str()), ("next", "tokens"), ("password", PASSWORD)];
        assert_eq!(browser.post(running, "/prove", &proof).await.redirect(), "/console/tokens");
        let csrf = browser.get(running, "/console/tokens").await.hidden("csrf");
        let fields = fields.map(|(name, value)| if name == "csrf" { (name, csrf.as_str()) } else { (name, value) });
        assert_eq!(browser.post(running, "/console/tokens", &fields).await.status, 200);
        assert_eq!(world.database.count("owner_tokens").await, 1);
        let history = browser.get(running, "/connected-apps").await;
        assert!(history.body.contains("A token was made with which a program acts for you"), "{}", history.body);
    }

    /// Row 34: a token makes no token, and is no way into the pages; a person who owns nothing registers nothing.
    async fn a_token_makes_no_token_and_no_owner(engine) {
        let world = World::new(engine).await;
        let (owner, account) = Program::of_a_new_owner(&world.running, "owner@example.com").await;
        let console = Client::builder().redirect(reqwest::redirect::Policy::none()).build().unwrap();
        let page = console.get(format!("{}/console/tokens", world.running.url)).bearer_auth(&owner.token);
        assert_eq!(page.send().await.unwrap().status(), 303, "whoever wants the page signs in");
        for path in ["/tokens", "/owner-tokens", "/accounts", "/console/tokens"] {
            let told = owner.call_with("POST", path, &json!({ "name": "More", "account_id": account })).await;
            assert_eq!((told.status, told.header("content-type")), (404, "application/problem+json"), "{path}");
        }
        let person = world.running.add_account_as("person@example.com", "A Person", Role::Person).await;
        let made = make(&world.running, person, &all_scopes()).await;
        let person = Program::with(&world.running, made.secret.reveal());
        assert_eq!(person.call_with("POST", "/plugins", &json!({})).await.status, 404);
        assert_eq!(world.database.count("plugins").await, 1);
        assert_eq!(world.database.count("owner_tokens").await, 2);
    }
}
