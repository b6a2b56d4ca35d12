//! The same handshake from a shell: the token by a reference, what is wrong told with its exit code, and the proof of a
//! domain where it is looked for.

use std::process::Output;

use consentry::{model::account::Role, protocol::manifest};
use serde_json::{Value, json};

use crate::{
    attacks::by_hand::{Answer, ByHand},
    harness::{
        process::{Consentry, Heard, Installation, write_private},
        server::World,
        strangers::{self, Strangers},
    },
    on_both_engines,
};

const TOKEN: &str = "d1f4c6e0a2b94f7e8d35b1c09a7e6f21";

/// Runs a command that may fetch from hosts on this computer.
fn run(consentry: &Consentry<'_>, arguments: &[&str]) -> Output {
    let outbound = [("CONSENTRY_OUTBOUND_ALLOW", "127.0.0.1, ::1"), ("CONSENTRY_OUTBOUND_CA_FILE", "ca.pem")];
    consentry.command().args(arguments).envs(outbound).env("TOKEN", TOKEN).heard()
}

fn told(output: &Output) -> String {
    String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned()
}

fn answer(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", told(output)))
}

on_both_engines! {
    async fn an_owner_sets_a_proof_and_the_second_of_two_is_told(engine) {
        let world = World::new(engine).await;
        world.running.add_account_as("admin@example.com", "Adam Admin", Role::Admin).await;
        let admin = ByHand::signed_in(&world.running, "admin@example.com").await;
        let path = "/console/plugins/todo/verification";
        let post = async |page: &Answer, token: &str| {
            let (csrf, account, seen) = (page.hidden("csrf"), page.hidden("account"), page.hidden("seen"));
            let fields = [("csrf", csrf.as_str()), ("account", &account), ("seen", &seen), ("change", "challenge"), ("token", token)];
            admin.post(&world.running, path, &fields).await
        };
        let host = world.plugin.host.clone();
        let served = async || world.running.server.store.challenge(&host).await.unwrap();
        let first = admin.get(&world.running, path).await;
        assert_eq!(post(&first, "the-first-proof").await.status, 303);
        assert_eq!(served().await.as_deref(), Some("the-first-proof"));
        let second = admin.get(&world.running, path).await;
        assert_eq!(post(&second, "the-second-proof").await.status, 303);
        let late = post(&first, "a-late-proof").await;
        assert!(late.status == 422 && late.body.contains("Somebody else has set another text"), "{}", late.body);
        assert!(late.body.contains("value=\"a-late-proof\""), "what was typed is kept");
        assert_eq!(served().await.as_deref(), Some("the-second-proof"));
    }

    async fn a_shell_goes_the_whole_way(engine) {
        let installed = Installation::new(engine).await;
        let Installation { database, folder, .. } = &installed;
        let consentry = installed.program();
        consentry.set_up();
        let strangers = Strangers::new();
        let host = strangers.host("plugin.example");
        let name = format!("localhost:{}", host.address().port());
        std::fs::write(folder.path().join("ca.pem"), strangers.authority_pem()).unwrap();
        let manifest_file = consentry::demo::MANIFEST.replace("localhost:8080", &name);
        std::fs::write(folder.path().join("ai-plugin.json"), manifest_file).unwrap();
        let imported = consentry.answer(&["plugin", "import", "ai-plugin.json", "--host", &name, "--json"]);
        let slug = imported["slug"].as_str().unwrap();
        let by = |command: &'static str, from: &'static str| ["plugin", command, slug, "--from", from, "--json"];

        write_private(&folder.path().join("placeholder"), "abc123456\n");
        for (from, problem) in [
            ("file:placeholder", "--from: it is a placeholder"),
            ("file:none", "cannot be read"),
            ("env:NONE", "the variable NONE is not set"),
            (TOKEN, "--from: it is no reference"),
        ] {
            for command in ["verification-token", "challenge"] {
                let refused = run(&consentry, &["plugin", command, slug, "--from", from]);
                assert_eq!(refused.status.code(), Some(1), "{from}");
                assert!(told(&refused).contains(problem), "{from}: {}", told(&refused));
                assert!(!told(&refused).contains(TOKEN) && !told(&refused).contains("abc123456"), "{}", told(&refused));
            }
        }
        let set = run(&consentry, &by("verification-token", "env:TOKEN"));
        let set = answer(&set);
        assert_eq!((&set["slug"], &set["host"], &set["state"]), (&json!(slug), &json!(name), &json!("published")));
        assert_eq!(set["plugin_id"], imported["plugin_id"]);

        let shown = answer(&run(&consentry, &["plugin", "show", slug, "--json"]));
        let mut stale = shown["manifest"].clone();
        stale["auth"]["verification_tokens"] = json!({ "openai": "77a0b1c2d3e4f5061728394a5b6c7d8e" });
        stale["name_for_human"] = json!("An older name");
        host.answer(manifest::PLACE, strangers::answer::Answer::json(&stale));
        let wrong = run(&consentry, &["plugin", "verify", slug, "--json"]);
        assert_eq!(wrong.status.code(), Some(1), "{}", told(&wrong));
        let said = answer(&wrong);
        assert_eq!((&said["state"], &said["verification"]["outcome"]), (&json!("published"), &json!("differs")));
        assert_eq!(said["verification"]["findings"][1]["found"], "An older name");
        let for_people = told(&run(&consentry, &["plugin", "verify", slug]));
        assert!(for_people.contains("another token") && for_people.contains("found there: An older name"), "{for_people}");
        assert!(!for_people.contains("77a0b1") && for_people.contains("is not verified; it is published"), "{for_people}");

        host.answer(manifest::PLACE, strangers::answer::Answer::json(&shown["manifest"]));
        let verified = run(&consentry, &["plugin", "verify", slug, "--json"]);
        assert!(verified.status.success(), "{}", told(&verified));
        assert_eq!((&answer(&verified)["state"], &answer(&verified)["verification"]["outcome"]), (&json!("verified"), &json!("matches")));
        let list = consentry.answer(&["plugin", "list", "--json"]);
        assert_eq!(list[0]["state"], "verified");

        let proof = async |host: &str, path: &str| {
            let get = reqwest::Client::new().get(format!("{}{path}", consentry.own()));
            get.header("host", host).send().await.unwrap()
        };
        let serving = consentry.serve().await;
        let none = proof(&name, manifest::CHALLENGE_PLACE).await;
        assert_eq!((none.status().as_u16(), &none.headers()["content-type"]), (404, &"application/json".parse().unwrap()));
        let set = answer(&run(&consentry, &by("challenge", "env:TOKEN")));
        assert_eq!((&set["slug"], &set["state"]), (&json!(slug), &json!("verified")), "it is another proof");
        let there = proof(&name, manifest::CHALLENGE_PLACE).await;
        assert_eq!(there.status(), 200);
        assert_eq!(there.headers()["content-type"], "text/plain; charset=utf-8");
        assert_eq!(there.headers()["cache-control"], "no-cache");
        assert_eq!(there.text().await.unwrap(), TOKEN, "the token alone");
        let own = consentry.public_url.trim_start_matches("http://");
        assert_eq!(proof(own, manifest::CHALLENGE_PLACE).await.status(), 404, "it is the plugin's host alone");
        drop(serving);
        let audited = ["plugin.verification_token_set", "plugin.verified", "plugin.challenge_set"];
        for action in audited {
            assert_eq!(database.audited(action).await, 1, "{action}");
        }
    }
}
