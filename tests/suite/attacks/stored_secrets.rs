//! API keys that owners have put away, against other owners, against programs that have no business with them, and against
//! every place that could tell one again.

use chrono::TimeDelta;
use consentry::{
    clock::Clock,
    model::{
        account::Role,
        id::AccountId,
        plugin_secret::label,
        rotator::{Rotator, Way},
    },
    registry::plugin_secrets::{self, SettingsForm},
    vault::SecretValue,
};
use serde_json::json;

use super::by_hand::{Answer, ByHand};
use crate::{
    harness::{
        log::Details,
        program::{Program, all_scopes, make},
        route_table::calls,
        server::{Options, PASSWORD, World},
    },
    on_both_engines,
    store::tables::{Tables, hexadecimal},
};

const LIST: &str = "/console/plugins/todo/secrets";
const PAGE: &str = "/console/plugins/todo/secrets/upstream-key";
const SECRETS: &str = "/plugins/todo/secrets";
const KEY: &str = "/plugins/todo/secrets/upstream-key";

/// Puts a key of the world's plugin away, as the command line does.
async fn put(world: &World, name: &str, value: &str) {
    let running = &world.running;
    let form = SettingsForm { routes: vec![format!("GET /{name}/*")], ..SettingsForm::default() };
    let (ring, value) = (running.server.keyring.current(), SecretValue::new(value.to_owned()));
    plugin_secrets::put(&running.registry(), &ring, (world.plugin.id, name), &value, &form).await.unwrap();
}

/// Somebody who owns the plugin.
async fn owner(world: &World) -> (Program, AccountId) {
    let (program, account) = Program::of_a_new_owner(&world.running, "owner@example.com").await;
    world.running.server.store.add_owner(world.plugin.id, account, &world.running.operator()).await.unwrap();
    (program, account)
}

/// How a text could stand somewhere: as it is, encoded in an address, in hexadecimal, in base64 in any place.
fn spellings(text: &str) -> Vec<String> {
    use base64::{Engine, engine::general_purpose::STANDARD};
    let encoded: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
    // Whole groups of three bytes, wherever the text begins.
    let base64 = (0..3).map(|skipped| STANDARD.encode(&text.as_bytes()[skipped..])[..12].to_owned());
    [text.to_owned(), encoded, hexadecimal(text.as_bytes())].into_iter().chain(base64).collect()
}

on_both_engines! {
    /// Another owner's key is not there: not to be read, replaced, ended, changed or removed, under whichever plugin.
    async fn another_owners_secret_is_not_there(engine) {
        let world = World::new(engine).await;
        let running = &world.running;
        owner(&world).await;
        put(&world, "upstream-key", "First-9fK2xQ7b").await;
        let (rival, account) = Program::of_a_new_owner(running, "rival@example.com").await;
        let own = running.add_plugin_at("own", "own.example").await;
        running.server.store.add_owner(own.id, account, &running.operator()).await.unwrap();
        let before = world.database.count("audit_events").await;
        let find = async || plugin_secrets::find(&running.registry(), world.plugin.id, "upstream-key").await.unwrap();
        let unchanged = find().await;
        let body = json!({ "name": "upstream-key", "version": 1, "revision": 1, "value": "Mine-2zX6cV9b" });
        let mut tried = 0;
        for call in calls().into_iter().filter(|call| call.template.contains("/secrets/{name}")) {
            for slug in ["todo", "own"] {
                let path = call.template.replace("{slug}", slug).replace("{name}", "upstream-key").replace("{number}", "1");
                let told = match call.method {
                    "GET" | "DELETE" => rival.call(call.method, &path).await,
                    method => rival.call_with(method, &path, &body).await,
                };
                assert_eq!(told.status, 404, "{} {path}", call.method);
                tried += 1;
            }
        }
        assert_eq!(tried, 10);
        assert_eq!(rival.call("GET", SECRETS).await.status, 404);
        assert_eq!(rival.call("GET", "/plugins/own/secrets").await.json, json!({ "secrets": [], "rotators": [] }));
        let browser = ByHand::signed_in(running, "rival@example.com").await;
        let form = browser.get(running, "/console/plugins/own/secrets").await;
        let (csrf, account) = (form.hidden("csrf"), form.hidden("account"));
        for page in [PAGE, "/console/plugins/own/secrets/upstream-key"] {
            assert_eq!(browser.get(running, page).await.status, 404, "{page}");
            for change in ["change", "rotate", "end", "remove"] {
                let fields = [
                    ("csrf", csrf.as_str()), ("account", &account), ("change", change), ("confirmed", "yes"),
                    ("version", "1"), ("revision", "1"), ("value", "Mine-2zX6cV9b"), ("number", "1"),
                ];
                assert_eq!(browser.post(running, page, &fields).await.status, 404, "{page} {change}");
            }
        }
        assert_eq!(world.database.count("audit_events").await, before);
        let kept = find().await;
        assert_eq!((kept.revision, kept.settings, kept.versions), (unchanged.revision, unchanged.settings, unchanged.versions));
        // A key of one's own by the same name is another one.
        rival.must("POST", "/plugins/own/secrets", &body_of("upstream-key", "Mine-2zX6cV9b")).await;
        assert_eq!(rival.call("DELETE", "/plugins/own/secrets/upstream-key").await.status, 204);
        assert_eq!(running.server.store.injectable_secrets(world.plugin.id).await.unwrap().len(), 1);
    }

    /// Whoever put a value away is told it by nothing: no page, no answer, no mistake, no log, no export, no row.
    async fn a_value_is_never_told_again(engine) {
        let listener = Details::listen();
        let world = World::new(engine).await;
        let running = &world.running;
        let (program, account) = owner(&world).await;
        let browser = ByHand::signed_in(running, "owner@example.com").await;
        // Each is typed or sent once; the refused ones are as secret as the others.
        let values = [
            "Geheim-a1F4k9Xq2Lm7", "Geheim-b8R3t6Zp5Wn1", "Geheim-c2V7y4Jd9Hs6", "Geheim-d5B1u8Gf3Kc0",
            "Geheim e9 two words", "Geheim-f6N2i7Ta4Yb3", "Geheim-g3Q8o5Ve1Ru9",
        ];
        let mut told: Vec<String> = Vec::new();
        let mut hear = |answer: &Answer| told.push(format!("{:?} {}", answer.headers, answer.body));
        let form = browser.get(running, LIST).await;
        let (csrf, id) = (form.hidden("csrf"), form.hidden("account"));
        let own = [("csrf", csrf.as_str()), ("account", id.as_str())];
        let post = async |path: &str, fields: &[(&str, &str)]| browser.post(running, path, &[&own[..], fields].concat()).await;
        let wrong = post(LIST, &[("name", "No Name"), ("value", values[0]), ("routes", "GET /items")]).await;
        assert!(wrong.status == 422 && wrong.body.contains("value=\"No Name\""), "{}", wrong.body);
        hear(&wrong);
        hear(&post(LIST, &[("name", "upstream-key"), ("value", values[4])]).await);
        let done = post(LIST, &[("name", "upstream-key"), ("value", values[0]), ("routes", "GET /items")]).await;
        assert_eq!(done.status, 303, "{}", done.body);
        hear(&done);
        let seen = [("change", "rotate"), ("version", "1"), ("grace", "soon"), ("value", values[1])];
        let wrong = post(PAGE, &seen).await;
        assert_eq!(wrong.status, 422);
        hear(&wrong);
        let late = post(PAGE, &[("change", "rotate"), ("version", "7"), ("grace", "1h"), ("value", values[1])]).await;
        assert!(late.status == 422 && late.body.contains("Somebody else"), "{}", late.body);
        hear(&late);
        let rotated = post(PAGE, &[("change", "rotate"), ("version", "1"), ("grace", "1h"), ("value", values[1])]).await;
        assert_eq!(rotated.status, 303, "{}", rotated.body);
        hear(&post("/console/plugins/none/secrets", &[("name", "x"), ("value", values[6])]).await);
        // Whoever was signed out while they typed gets back what they typed, but for the value.
        let stranger = ByHand::new();
        let page = stranger.get(running, "/sign-in").await;
        let typed = [("csrf", page.hidden("csrf")), ("account", id.clone()), ("name", "other-key".into()), ("value", values[5].into())];
        let typed: Vec<(&str, &str)> = typed.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let again = stranger.post(running, LIST, &typed).await;
        assert!(again.status == 403 && again.body.contains("value=\"other-key\""), "{}", again.body);
        assert!(again.body.contains("type=\"password\""), "it is typed once more: {}", again.body);
        hear(&again);
        for path in [LIST, PAGE, "/console/plugins/todo", "/console/plugins/todo/log", "/console/plugins/todo/log.csv", "/connected-apps"] {
            hear(&browser.get(running, path).await);
        }
        let export = post("/account", &[("change", "export"), ("password", PASSWORD)]).await;
        assert!(export.status == 200 && export.body.contains("owner@example.com"), "{}", export.body);
        hear(&export);
        // The same by a program.
        let third = json!({ "version": 2, "value": values[2] });
        let mut answers = vec![program.call_with("POST", &format!("{KEY}/versions"), &third).await];
        answers.push(program.call_with("POST", &format!("{KEY}/versions"), &third).await);
        answers.push(program.call_with("POST", SECRETS, &json!({ "name": "api-key", "value": values[3], "routes": [7] })).await);
        answers.push(program.call_with("POST", SECRETS, &body_of("api-key", values[3])).await);
        answers.push(program.call_with("PATCH", KEY, &json!({ "revision": 99, "value": values[2] })).await);
        for path in [SECRETS.to_owned(), KEY.to_owned(), "/plugins/todo".into(), "/plugins/todo/log".into()] {
            answers.push(program.call("GET", &path).await);
        }
        let statuses: Vec<u16> = answers.iter().map(|answer| answer.status).collect();
        assert_eq!(statuses, [201, 409, 422, 201, 422, 200, 200, 200, 200]);
        told.extend(answers.iter().map(|answer| format!("{:?} {}", answer.headers, answer.json)));
        answers.clear();
        assert!(told.iter().any(|answer| answer.contains("secret.rotated")), "the log was read");
        let page = browser.get(running, LIST).await.body;
        assert!(page.contains("upstream-key") && page.contains("api-key"), "{page}");
        let exported = running.server.store.export_account(account).await.unwrap();
        told.push(format!("{exported:?}"));
        told.push(Tables::everything(&world.database).await);
        told.push(listener.written());
        for value in values {
            for spelling in spellings(value) {
                for text in &told {
                    assert!(!text.contains(&spelling), "{spelling} stands in {}", &text[..text.len().min(2000)]);
                }
            }
        }
    }

    /// A token that was made for something else neither sees nor changes keys; reading is not writing.
    async fn a_token_without_the_scope_is_refused(engine) {
        let world = World::new(engine).await;
        let (_, account) = owner(&world).await;
        put(&world, "upstream-key", "First-9fK2xQ7b").await;
        let mut tried = 0;
        for call in calls().into_iter().filter(|call| call.template.starts_with("/plugins/{slug}/secrets")) {
            let takes = if call.method == "GET" { "secrets:read" } else { "secrets:write" };
            let others: Vec<&str> = all_scopes().into_iter().filter(|scope| *scope != takes).collect();
            let program = Program::with(&world.running, make(&world.running, account, &others).await.secret.reveal());
            let path = call.template.replace("{slug}", "todo").replace("{name}", "upstream-key").replace("{number}", "1");
            let told = match call.method {
                "GET" | "DELETE" => program.call(call.method, &path).await,
                method => program.call_with(method, &path, &json!({ "name": "mine", "value": "Mine-2zX6cV9b" })).await,
            };
            assert_eq!(told.status, 403, "{} {path}", call.method);
            let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{takes}\"");
            assert_eq!(told.header("www-authenticate"), challenge);
            assert!(!told.json.to_string().contains("upstream-key"), "{}", told.json);
            world.database.execute("delete from owner_tokens").await;
            tried += 1;
        }
        assert_eq!(tried, 7);
        assert_eq!(world.database.count("audit_events where action like 'secret.%'").await, 1, "it was put away");
    }

    /// A rotator that is not for owners is not there: not in a list, not on a page, and not told from one that is nowhere.
    async fn an_owner_names_no_rotator_that_is_not_for_owners(engine) {
        let own = |name: &str, for_owners| {
            let way = Way::Command(vec!["/bin/false".to_owned()]);
            Rotator { name: name.to_owned(), for_owners, way }
        };
        let rotators = vec![own("offered", true), own("withheld", false)];
        let world = World::with(engine, Options { rotators, ..Options::default() }).await;
        let running = &world.running;
        let (program, _) = owner(&world).await;
        put(&world, "upstream-key", "First-9fK2xQ7b").await;
        let browser = ByHand::signed_in(running, "owner@example.com").await;
        let mut told = [Vec::new(), Vec::new()];
        for (answers, name) in told.iter_mut().zip(["withheld", "nowhere"]) {
            let new = json!({ "name": "mine", "value": "Mine-2zX6cV9b", "rotate_every": "90d", "rotator": name });
            let change = json!({ "revision": 1, "rotate_every": "90d", "rotator": name });
            for mut refused in [program.call_with("POST", SECRETS, &new).await, program.call_with("PATCH", KEY, &change).await] {
                assert_eq!((refused.status, refused.fields()), (422, vec!["rotator"]), "{}", refused.json);
                refused.json["request_id"] = json!("");
                answers.push(refused.json.to_string());
            }
            for path in [LIST, PAGE] {
                let page = browser.get(running, path).await;
                assert!(page.body.contains("offered") && !page.body.contains("withheld"), "{}", page.body);
                let (csrf, account) = (page.hidden("csrf"), page.hidden("account"));
                let fields = [
                    ("csrf", csrf.as_str()), ("account", &account), ("name", "mine"), ("value", "Mine-2zX6cV9b"),
                    ("change", "change"), ("revision", "1"), ("rotate_every", "90d"), ("rotator", name),
                ];
                let refused = browser.post(running, path, &fields).await;
                assert_eq!(refused.status, 422, "{path}");
                answers.push(refused.body.replace(&refused.hidden("csrf"), ""));
            }
        }
        let [hidden, absent] = told;
        assert_eq!(hidden, absent);
        assert!(hidden.iter().all(|answer| answer.contains("no rotator of this name to choose; it has offered")));
        assert_eq!(program.call("GET", SECRETS).await.json["rotators"], json!(["offered"]));
        assert_eq!(world.database.audited("secret.changed").await, 0);
    }

    /// A command that owners may choose is run as the operator wrote it; its order has a key's name, the plugin's and a
    /// label of the server's, and nothing else that somebody typed.
    async fn nothing_that_an_owner_types_reaches_a_commands_arguments(engine) {
        const SCRIPT: &str = r#"read -r order; echo "$# $*" >> "$0"; echo "$order" >> "$0"
            case "$order" in *'"make"'*) echo '{"value":"uk_made-by-a-command","id":"made-1"}' ;; esac"#;
        let folder = tempfile::tempdir().unwrap();
        let heard = folder.path().join("heard").display().to_string();
        let command = ["/bin/sh", "-c", SCRIPT, &heard, "--live"].map(str::to_owned).to_vec();
        let rotators = vec![Rotator { name: "theirs".to_owned(), for_owners: true, way: Way::Command(command) }];
        let clock = Clock::standing_at(chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap());
        let world = World::with(engine, Options { clock: clock.clone(), rotators, ..Options::default() }).await;
        let (program, _) = owner(&world).await;
        let mut new = json!({
            "name": "upstream-key", "value": "Typed-$(id)-first", "header": "x-typed", "prefix": "Typed --also ",
            "routes": ["GET /typed/*"], "grace": "7m", "rotate_every": "1h",
        });
        for name in ["theirs --also", "theirs\n", "Theirs", "theirs;id", "../theirs", "/bin/sh", "", "$(id)"] {
            new["rotator"] = json!(name);
            let refused = program.call_with("POST", SECRETS, &new).await;
            assert_eq!((refused.status, refused.fields()), (422, vec!["rotator"]), "{name:?}: {}", refused.json);
        }
        new["rotator"] = json!("theirs");
        program.must("POST", SECRETS, &new).await;
        clock.advance(TimeDelta::minutes(61));
        consentry::jobs::secrets::once(&world.running.server).await.unwrap();
        assert_eq!(program.call("GET", KEY).await.json["version"], 2);
        let secret = plugin_secrets::find(&world.running.registry(), world.plugin.id, "upstream-key").await.unwrap();
        let heard = std::fs::read_to_string(heard).unwrap();
        let lines: Vec<&str> = heard.lines().collect();
        let [first, abandon, second, make] = lines.as_slice() else { panic!("{heard}") };
        assert_eq!((*first, *second), ("1 --live", "1 --live"));
        let orders = [abandon, make].map(|order| serde_json::from_str::<serde_json::Value>(order).unwrap());
        let labels = [1, 2].map(|number| label(secret.id, number));
        assert_eq!(orders, [
            json!({ "order": "abandon", "labels": labels }),
            json!({ "order": "make", "label": labels[1], "plugin": "todo", "name": "upstream-key" }),
        ]);
    }

    /// A browser that was left open puts no key away, replaces, ends, changes or removes none, until its owner shows that
    /// it is them.
    async fn a_browser_left_open_changes_no_key(engine) {
        let clock = Clock::standing_at(chrono::DateTime::from_timestamp(1_800_000_000, 0).unwrap());
        let world = World::with(engine, Options { clock: clock.clone(), ..Options::default() }).await;
        let running = &world.running;
        let olive = running.add_account_as("owner@example.com", "Olive Owner", Role::Owner).await;
        running.server.store.add_owner(world.plugin.id, olive, &running.operator()).await.unwrap();
        put(&world, "upstream-key", "First-9fK2xQ7b").await;
        let browser = ByHand::signed_in(running, "owner@example.com").await;
        let page = browser.get(running, LIST).await;
        let (csrf, account) = (page.hidden("csrf"), page.hidden("account"));
        clock.advance(TimeDelta::minutes(11));
        let before = world.database.count("audit_events").await;
        for path in [LIST, PAGE] {
            let page = browser.get(running, path).await.body;
            assert!(page.contains("upstream-key") && !page.contains("type=\"password\"") && !page.contains("name=\"change\""), "{page}");
        }
        let own = [("csrf", csrf.as_str()), ("account", account.as_str()), ("value", "Mine-2zX6cV9b"), ("confirmed", "yes")];
        let asked = browser.post(running, LIST, &[&own[..], &[("name", "mine")]].concat()).await;
        assert_eq!(asked.redirect(), "/prove?next=console.plugins/todo/secrets");
        for (change, seen) in [("rotate", "1"), ("change", "1"), ("end", "1"), ("remove", "1")] {
            let fields = [("change", change), ("version", seen), ("revision", seen), ("number", seen), ("grace", "0"), ("header", "x-key")];
            let asked = browser.post(running, PAGE, &[&own[..], &fields].concat()).await;
            assert_eq!(asked.redirect(), "/prove?next=console.plugins/todo/secrets/upstream-key", "{change}");
        }
        assert_eq!(world.database.count("audit_events").await, before);
        let page = browser.get(running, asked.redirect()).await;
        let csrf = page.hidden("csrf");
        let proof = [("csrf", csrf.as_str()), ("next", "console.plugins/todo/secrets"), ("password", PASSWORD)];
        assert_eq!(browser.post(running, "/prove", &proof).await.redirect(), LIST);
        let page = browser.get(running, LIST).await;
        let (csrf, account) = (page.hidden("csrf"), page.hidden("account"));
        let fields = [("csrf", csrf.as_str()), ("account", &account), ("name", "mine"), ("value", "Mine-2zX6cV9b")];
        assert_eq!(browser.post(running, LIST, &fields).await.redirect(), "/console/plugins/todo/secrets/mine?done=put-away");
    }
}

fn body_of(name: &str, value: &str) -> serde_json::Value {
    json!({ "name": name, "value": value })
}
