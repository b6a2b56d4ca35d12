//! The owners' API about whether a plugin works: the doctor's findings, previews, and what came before an attempt.

use consentry::{clock::Clock, jobs, outbound};
use serde_json::{Value, json};

use crate::{
    attacks::by_hand::ByHand,
    harness::{
        program::Program,
        server::{Options, World},
    },
    on_both_engines,
};

/// A server that may be asked from itself, and whose clock stands, so that what an account may do in a minute is counted
/// and not timed.
fn reaching_itself() -> Options {
    let allow = ["127.0.0.0/8", "::1/128"].map(|range| range.parse().unwrap()).to_vec();
    let outbound = outbound::Settings { allow, ..outbound::Settings::default() };
    Options { outbound, clock: Clock::standing_at(Clock::system().now()), ..Options::default() }
}

async fn owners(world: &World) -> Program {
    let (program, account) = Program::of_a_new_owner(&world.running, "owner@example.com").await;
    world.running.server.store.add_owner(world.plugin.id, account, &world.running.operator()).await.unwrap();
    program
}

on_both_engines! {
    async fn the_doctor_says_what_it_says_in_the_console(engine) {
        let world = World::with(engine, reaching_itself()).await;
        let program = owners(&world).await;
        let before = world.database.count("audit_events").await;
        let find = async |body: Value| program.call_with("POST", "/plugins/todo/findings", &body).await;
        let told = find(json!({ "caller": "chatgpt-plugin" })).await;
        assert_eq!(told.status, 200, "{}", told.json);
        let checks = told.json["checks"].as_array().unwrap();
        assert!(checks.len() > 1, "{}", told.json);
        assert_eq!(world.database.count("audit_events").await, before, "it changes nothing");

        let browser = ByHand::signed_in(&world.running, "owner@example.com").await;
        let path = "/console/plugins/todo/working";
        let form = browser.get(&world.running, path).await;
        let (csrf, account) = (form.hidden("csrf"), form.hidden("account"));
        let fields = [("csrf", csrf.as_str()), ("account", &account), ("caller", "chatgpt-plugin")];
        let page = browser.post(&world.running, path, &fields).await;
        for check in checks.iter().filter(|check| check["state"] != "left_out") {
            let name = check["name"].as_str().unwrap();
            assert!(page.body.contains(name), "{name} is not on the page: {}", page.body);
        }
        assert_eq!(find(json!({ "caller": "nobody" })).await.fields(), ["caller"]);
        assert_eq!(find(json!({ "who": "nobody" })).await.fields(), ["who"]);
        // Five in all, here and there, and one more each minute.
        for _ in 0..3 {
            assert_eq!(find(json!({})).await.status, 200);
        }
        let told = find(json!({})).await;
        assert_eq!((told.status, told.header("retry-after")), (429, "61"), "{}", told.json);
    }

    async fn a_listing_is_previewed_and_not_kept(engine) {
        let world = World::new(engine).await;
        let program = owners(&world).await;
        let before = (world.database.count("audit_events").await, program.call("GET", "/plugins/todo").await.json);
        let mut listing = before.1["listing"].clone();
        listing["description"] = json!("Does something else.");
        let shown = program.must("POST", "/plugins/todo/listing/preview", &listing).await;
        assert_eq!(shown["problems"], json!([]), "{shown}");
        assert_eq!(shown["manifest"]["description_for_human"], "Does something else.");
        assert_eq!(shown["manifest"]["auth"]["type"], "oauth");
        listing["contact_email"] = json!("nobody");
        let shown = program.must("POST", "/plugins/todo/listing/preview", &listing).await;
        assert!(!shown["problems"].as_array().unwrap().is_empty(), "{shown}");
        assert_eq!(program.call("GET", "/plugins/todo").await.json, before.1);
        assert_eq!(world.database.count("audit_events").await, before.0);
    }

    /// A document that somebody read, and an attempt that began after it.
    async fn an_attempt_is_told_with_what_came_before(engine) {
        let world = World::new(engine).await;
        let program = owners(&world).await;
        let running = &world.running;
        let client = world.client(consentry::model::client::Dialect::Plugin).await;
        let manifest = format!("{}/.well-known/ai-plugin.json", running.own);
        reqwest::Client::new().get(manifest).header("host", world.plugin.host.as_str()).send().await.unwrap();
        running.code(&client).await;
        jobs::flows::keep(&running.server).await.unwrap();
        let listed = program.call("GET", "/plugins/todo/attempts").await.json;
        let id = listed["attempts"][0]["attempt_id"].as_str().unwrap();
        assert!(listed["attempts"][0].get("before").is_none(), "{listed}");
        let told = program.call("GET", &format!("/plugins/todo/attempts/{id}")).await.json;
        let before = told["before"].as_array().unwrap();
        assert!(before.iter().any(|event| event["step"] == "discovery"), "{told}");
        assert!(told["events"].as_array().unwrap().iter().all(|event| event["step"] != "discovery"), "{told}");
    }
}
