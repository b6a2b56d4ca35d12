//! API keys that a whole server renews by itself, as an operator sets it up: with references that it follows in a real
//! vault (OpenBao) and in an emulator of AWS Secrets Manager (moto), with a program of the operator's, and killed in the
//! middle of it all.

use std::{fs, path::Path, process::Output, time::Duration};

use serde_json::{Value, json};

use crate::{
    harness::{
        databases::Engine,
        moto::Moto,
        openbao::OpenBao,
        process::{Heard, Installation, Serving, write_private},
        strangers::{
            Strangers,
            issuer::{ADMIN_KEY, PROJECT, SERVICE_ACCOUNT},
        },
    },
    on_both_engines,
    store::tables::Tables,
};

const FIRST: &str = "uk_first-Zmlyc3Qga2V5";
const SECOND: &str = "uk_second-c2Vjb25kIGtl";

type Variables = [(&'static str, String)];

/// A server with a plugin, and what is in the environment of it and of its commands.
struct Place {
    installed: Installation,
    variables: Vec<(&'static str, String)>,
}

impl Place {
    async fn new(engine: Engine, variables: &Variables) -> Self {
        let installed = Installation::new(engine).await;
        installed.program().set_up();
        installed.program().import_plugin("todo");
        Self { installed, variables: variables.to_vec() }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let variables = self.variables.iter().map(|(name, value)| (*name, value.as_str()));
        self.installed.program().command().args(arguments).envs(variables).heard()
    }

    fn answer(&self, arguments: &[&str]) -> Value {
        let output = self.run(&[arguments, &["--json"]].concat());
        let (out, told) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{arguments:?}: {out}{told}");
        serde_json::from_str(&out).unwrap()
    }

    async fn serve(&self) -> Serving {
        let variables: Vec<_> = self.variables.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.installed.program().serve_with(&variables).await
    }

    fn folder(&self) -> &Path {
        self.installed.folder.path()
    }

    fn secret(&self) -> Value {
        self.answer(&["secret", "list"])[0].clone()
    }

    /// Waits until the newest version is that.
    async fn reaches(&self, number: i64, serving: &Serving) {
        for turn in 0.. {
            let secret = self.secret();
            if secret["version"] == number {
                return;
            }
            assert!(turn < 150, "version {number} never came: {secret}: {}", serving.log());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Nothing that is kept or told has a key in it.
    async fn keeps_quiet(&self, serving: &Serving, keys: &[&str]) {
        let everything = Tables::everything(&self.installed.database).await + &serving.log();
        for key in keys {
            assert!(!everything.contains(key), "{key} is there to be read");
        }
    }
}

fn put(place: &Place, from: &str, more: &[&str]) -> Value {
    let put = ["secret", "put", "upstream", "--plugin", "todo", "--route", "* /*", "--grace", "5s", "--from", from];
    place.answer(&[&put[..], more].concat())
}

on_both_engines! {
    async fn what_is_changed_in_a_vault_is_a_new_version_here(engine) {
        let mut vault = OpenBao::start().await;
        vault.put("consentry/upstream", json!({ "key": FIRST })).await;
        let renewal = [("CONSENTRY_SECRETS_RENEWAL", "1".to_owned())];
        let place = Place::new(engine, &[&vault.variables()[..], &renewal].concat()).await;
        put(&place, "vault://secret/consentry/upstream#key", &["--follow"]);
        let mut serving = place.serve().await;
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert_eq!(place.secret()["version"], 1, "nothing was changed");
        vault.put("consentry/upstream", json!({ "key": SECOND })).await;
        place.reaches(2, &serving).await;
        for turn in 0.. {
            if !place.secret()["versions"][1]["ended_at"].is_null() {
                break;
            }
            assert!(turn < 100, "the first version never ended: {}", place.secret());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        // What will not do, and an outage, leave the last good one, and say so.
        vault.put("consentry/upstream", json!({ "key": "changeme-now" })).await;
        for (says, then) in [("it is a placeholder", false), ("the vault did not tell it", true)] {
            for turn in 0.. {
                let secret = place.secret();
                if secret["says"].as_str().is_some_and(|told| told.contains(says)) {
                    break;
                }
                assert!(turn < 150, "it never said {says:?}: {secret}");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            if !then {
                vault.kill();
            }
        }
        assert_eq!(place.secret()["version"], 2);
        place.keeps_quiet(&serving, &[FIRST, SECOND, "changeme-now"]).await;
        serving.stop();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_aws_rotates_is_a_new_version_here() {
    let moto = Moto::start(None).await;
    moto.create("consentry/upstream", &json!({ "key": FIRST }).to_string()).await;
    let renewal = [("CONSENTRY_SECRETS_RENEWAL", "1".to_owned())];
    let place = Place::new(Engine::Sqlite, &[&moto.variables()[..], &renewal].concat()).await;
    put(&place, "aws-sm://consentry/upstream#key", &["--follow"]);
    let mut serving = place.serve().await;
    moto.rotate("consentry/upstream", &json!({ "key": SECOND }).to_string()).await;
    place.reaches(2, &serving).await;
    // Asked for now, it looks and finds what it knows.
    let asked = place.answer(&["secret", "rotate", "upstream"]);
    assert_eq!(asked["version"], 2);
    place.keeps_quiet(&serving, &[FIRST, SECOND]).await;
    serving.stop();
}

/// Makes keys that are its numbers, and writes down what it was asked.
const PROGRAM: &str = r#"
read -r order
echo "$order" >> "$1/orders"
case "$order" in
*'"order":"make"'*)
    number=$(/usr/bin/wc -l < "$1/orders")
    echo "{\"value\":\"uk_made-by-a-program-$number\",\"id\":\"made-$number\"}"
    ;;
esac
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_of_the_operators_makes_keys_and_ends_them() {
    let place = Place::new(Engine::Sqlite, &[]).await;
    let folder = place.folder().display().to_string();
    fs::write(place.folder().join("new-key.sh"), PROGRAM).unwrap();
    write_private(&place.folder().join("first"), FIRST);
    let table =
        format!("[rotators.own]\nkind = \"command\"\ncommand = [\"/bin/sh\", \"{folder}/new-key.sh\", \"{folder}\"]\n");
    fs::write(place.folder().join("consentry.toml"), table).unwrap();
    let refused = place.run(&[
        "secret",
        "put",
        "upstream",
        "--plugin",
        "todo",
        "--from",
        "file:first",
        "--rotator",
        "none",
        "--rotate-every",
        "1d",
    ]);
    assert!(
        String::from_utf8_lossy(&refused.stderr).contains("no rotator of this name to choose; it has own"),
        "{refused:?}"
    );
    put(&place, "file:first", &["--rotator", "own", "--rotate-every", "1d"]);
    let mut serving = place.serve().await;
    for number in [2, 3] {
        place.answer(&["secret", "rotate", "upstream"]);
        place.reaches(number, &serving).await;
    }
    place.answer(&["secret", "end", "upstream", "--version", "2"]);
    let orders = || fs::read_to_string(place.folder().join("orders")).unwrap();
    for turn in 0.. {
        if orders().contains(r#""order":"end""#) {
            break;
        }
        assert!(turn < 100, "it was never asked to end one: {} {}", orders(), serving.log());
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let orders: Vec<Value> = orders().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let words: Vec<&str> = orders.iter().map(|order| order["order"].as_str().unwrap()).collect();
    assert_eq!(words, ["abandon", "make", "abandon", "make", "end"]);
    assert_eq!(orders[4]["id"], "made-2");
    assert_eq!((&orders[1]["plugin"], &orders[1]["name"]), (&json!("todo"), &json!("upstream")));
    place.keeps_quiet(&serving, &[FIRST, "uk_made-by-a-program"]).await;
    serving.stop();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_that_people_make_is_not_rotated_without_a_new_value() {
    let place = Place::new(Engine::Sqlite, &[]).await;
    write_private(&place.folder().join("first"), FIRST);
    put(&place, "file:first", &[]);
    let refused = place.run(&["secret", "rotate", "upstream"]);
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(!refused.status.success() && told.contains("--from file:PATH"), "{told}");
    let refused = place.run(&["secret", "rotate", "upstream", "--grace", "0"]);
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--from"), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_makes_new_versions_is_changed_on_the_command_line() {
    let place = Place::new(Engine::Sqlite, &[]).await;
    write_private(&place.folder().join("first"), FIRST);
    let table = |name: &str| format!("[rotators.{name}]\nkind = \"command\"\ncommand = [\"/bin/false\"]\n");
    fs::write(place.folder().join("consentry.toml"), table("own") + &table("spare")).unwrap();
    put(&place, "file:first", &[]);
    let change = |more| [&["secret", "change", "upstream", "--plugin", "todo"][..], more].concat();
    let refused = |more| String::from_utf8(place.run(&change(more)).stderr).unwrap();
    let told = refused(&["--rotator", "own"]);
    assert!(told.contains("--rotate-every: say how often"), "{told}");
    let given = place.answer(&change(&["--rotator", "own", "--rotate-every", "1d"]));
    assert_eq!((&given["rotator"], &given["next_try_at"]), (&json!("own"), &given["due_at"]));
    assert!(given["due_at"].is_string(), "{given}");
    let told = refused(&["--rotator", "none"]);
    assert!(
        told.contains("--rotator: the configuration has no rotator of this name to choose; it has own, spare"),
        "{told}"
    );
    let told = refused(&["--rotator", "spare", "--no-rotator"]);
    assert!(told.contains("cannot be used with"), "{told}");
    assert_eq!(place.answer(&change(&["--rotator", "spare"]))["rotator"], "spare");
    let output = place.run(&change(&["--no-rotator"]));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(said.starts_with("Changed: people make new versions from now on."), "{said}");
    let kept = place.secret();
    assert_eq!(
        (&kept["rotator"], &kept["next_try_at"], &kept["due_at"]),
        (&json!(null), &json!(null), &given["due_at"])
    );
    let told = refused(&["--no-rotator"]);
    assert!(told.contains("--no-rotator: people make new versions"), "{told}");

    // What is followed is no rotator's to leave, and a rotator may take its place.
    let from = format!("file:{}/first", place.folder().display());
    let put = ["secret", "put", "followed", "--plugin", "todo", "--from", &from, "--follow", "--header", "x-followed"];
    assert_eq!(place.answer(&put)["follows"], json!(from));
    let change = |more| [&["secret", "change", "followed"][..], more].concat();
    let told = String::from_utf8(place.run(&change(&["--no-rotator"])).stderr).unwrap();
    assert!(told.contains(&format!("--no-rotator: new versions come from {from}")), "{told}");
    let given = place.answer(&change(&["--rotator", "own", "--rotate-every", "30d"]));
    assert_eq!((&given["rotator"], &given["follows"]), (&json!("own"), &json!(null)));
    let log = place.answer(&["audit", "list", "--plugin", "todo"]);
    let changes = log.as_array().unwrap().iter().filter(|event| event["action"] == "secret.changed");
    // The log is listed in words.
    let befores: Vec<&str> = changes.map(|event| event["detail"].as_str().unwrap()).collect();
    assert_eq!(befores.len(), 4, "{log}");
    for before in [
        json!({ "rotator": null, "rotate_every": null }),
        json!({ "rotator": "own" }),
        json!({ "rotator": "spare" }),
        json!({ "rotator": null, "rotate_every": null, "follows": from }),
    ] {
        let told = format!("before: {before}");
        assert!(befores.iter().any(|detail| detail.contains(&told)), "{told}: {befores:?}");
    }
}

on_both_engines! {
    async fn a_server_that_is_killed_between_making_and_keeping_leaves_no_key_behind(engine) {
        let strangers = Strangers::new();
        let issuer = strangers.issuer("admin.issuer.example");
        let place = Place::new(engine, &[]).await;
        for (name, text) in [("first", FIRST), ("admin.key", ADMIN_KEY), ("ca.pem", &strangers.authority_pem())] {
            write_private(&place.folder().join(name), text);
        }
        let table = format!(
            "outbound_allow = [\"127.0.0.0/8\", \"::1\"]\noutbound_ca_file = \"ca.pem\"\n[rotators.keys]\n\
             kind = \"openai-key\"\nurl = \"{}\"\nproject = \"{PROJECT}\"\nservice_account = \"{SERVICE_ACCOUNT}\"\n\
             admin_key = \"file:admin.key\"\n",
            issuer.local_url("/v1")
        );
        fs::write(place.folder().join("consentry.toml"), table).unwrap();
        put(&place, "file:first", &["--rotator", "keys", "--rotate-every", "1d"]);
        issuer.hold();
        let killed = place.serve().await;
        place.answer(&["secret", "rotate", "upstream"]);
        for turn in 0.. {
            if issuer.keys().len() == 1 {
                break;
            }
            assert!(turn < 100, "no key was made: {}", killed.log());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        // SIGKILL, which nobody can prepare for.
        drop(killed);
        issuer.go_on();
        assert_eq!(issuer.good().len(), 1, "one that nobody knows");
        // As if its turn were over.
        place.installed.database.execute("update plugin_secrets set taken_until = created_at").await;
        let mut serving = place.serve().await;
        place.reaches(2, &serving).await;
        let keys = issuer.keys();
        assert_eq!(keys.len(), 2);
        assert!(keys[0].ended_at.is_some() && keys[1].ended_at.is_none(), "{keys:?}");
        place.keeps_quiet(&serving, &[FIRST, ADMIN_KEY, &keys[0].value, &keys[1].value]).await;
        serving.stop();
    }
}
