//! API keys as the operator keeps them: put away, listed, replaced and removed on the command line, followed by a server
//! that runs, and told to nobody.

use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use consentry::{
    clock::Clock,
    jobs,
    mail::Security,
    model::audit::Origin,
    registry::plugin_secrets::{self, SettingsForm},
    server::injection::{Injected, Route},
    vault::SecretValue,
};
use reqwest::header::HeaderMap;
use serde_json::Value;
use tokio::time::Instant;

use crate::{
    harness::{
        databases::{Engine, without_postgres},
        process::{Consentry, Heard, Installation, write_private},
        server::{Options, Running, World},
        smtp::SmtpServer,
    },
    on_both_engines,
};

const FIRST: &str = "sk-q7upstreamZk2f9x";
const SECOND: &str = "sk-w3upstreamQm8v4t";

/// What a command that must fail says.
fn refused(consentry: &Consentry<'_>, arguments: &[&str]) -> String {
    let output = consentry.command().args(arguments).heard();
    assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    String::from_utf8(output.stderr).unwrap()
}

on_both_engines! {
    async fn a_key_is_put_away_replaced_and_removed_and_never_told(engine) {
        let installed = Installation::new(engine).await;
        let consentry = installed.program();
        consentry.set_up();
        consentry.import_plugin("todo");
        let serving = consentry.serve().await;
        write_private(&installed.folder.path().join("first.key"), FIRST);
        write_private(&installed.folder.path().join("second.key"), &format!("{SECOND}\n"));
        let mut said = String::new();
        let mut answer = |arguments: &[&str]| {
            let answer = consentry.answer(&[arguments, &["--json"]].concat());
            said.push_str(&answer.to_string());
            answer
        };

        let put = answer(&[
            "secret", "put", "upstream", "--plugin", "todo", "--from", "file:first.key", "--rotate-every", "90d",
            "--route", "get /items/{id}", "--route", "* /v1/*", "--grace", "2h",
        ]);
        assert_eq!((&put["name"], &put["version"], &put["plugin"]), (&"upstream".into(), &1.into(), &"todo".into()));
        let due: chrono::DateTime<chrono::Utc> = put["due_at"].as_str().unwrap().parse().unwrap();
        let days = (due - Clock::system().now()).num_hours();
        assert!((90 * 24 - 2..=90 * 24).contains(&days), "{put}");
        assert_eq!(put["routes"], serde_json::json!(["GET /items/{id}", "* /v1/*"]));

        let rotated = answer(&["secret", "rotate", "upstream", "--from", "file:second.key"]);
        assert_eq!((&rotated["version"], rotated["versions"].as_array().map(Vec::len)), (&2.into(), Some(2)));
        assert!(rotated["versions"][1]["ends_at"].is_string() && rotated["versions"][1]["ended_at"].is_null());
        let changed = answer(&["secret", "change", "upstream", "--remove-route", "* /v1/*", "--add-route", "POST /items"]);
        assert_eq!(changed["routes"], serde_json::json!(["GET /items/{id}", "POST /items"]));
        assert_eq!(changed["due_at"], rotated["due_at"], "how it is used says nothing of its age");
        let ended = answer(&["secret", "end", "upstream", "--version", "1"]);
        assert!(ended["versions"][1]["ended_at"].is_string(), "{ended}");
        let listed = answer(&["secret", "list"]);
        assert_eq!((listed.as_array().map(Vec::len), &listed[0]["version"]), (Some(1), &2.into()));
        let unused = answer(&["secret", "put", "unused", "--plugin", "todo", "--from", "file:first.key", "--header", "x-unused"]);
        assert_eq!((&unused["routes"], &unused["due_at"]), (&serde_json::json!([]), &Value::Null));
        assert_eq!(answer(&["secret", "remove", "unused"])["removed"], true);
        answer(&["audit", "list", "--plugin", "todo"]);

        let mut told = said.clone() + &serving.log();
        for arguments in [&["secret", "list"][..], &["audit", "list"], &["audit", "export"]] {
            told += &String::from_utf8(consentry.command().args(arguments).heard().stdout).unwrap();
        }
        for value in [FIRST, SECOND] {
            assert!(!told.contains(value) && !told.contains(&value[4..12]), "a value is told: {told}");
        }
        for action in ["added", "rotated", "changed", "version_ended", "removed"] {
            assert!(told.contains(&format!("secret.{action}")), "{action}");
        }
    }

    async fn what_cannot_be_done_is_said_with_its_cure_and_without_the_value(engine) {
        let installed = Installation::new(engine).await;
        let consentry = installed.program();
        consentry.set_up();
        consentry.import_plugin("todo");
        consentry.import_plugin("other");
        for (name, text, mode) in [("good.key", FIRST, 0o600), ("open.key", FIRST, 0o644), ("empty.key", "changeme1", 0o600)] {
            use std::os::unix::fs::PermissionsExt;
            let path = installed.folder.path().join(name);
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        }
        let put = |more: &[&str]| refused(&consentry, &[&["secret", "put", "upstream", "--plugin", "todo"], more].concat());
        for (more, expected) in [
            (&["--from", FIRST][..], "--from: it is no reference to a secret; write file:PATH"),
            (&["--from", "file:open.key"], "chmod 600"),
            (&["--from", "file:none.key"], "cannot be read"),
            (&["--from", "file:empty.key"], "it is a placeholder"),
            (&["--from", "file:good.key", "--route", "/items"], "write a method and a path"),
            (&["--from", "file:good.key", "--header", "Host"], "no secret goes there"),
            (&["--from", "file:good.key", "--grace", "3s"], "write 0, to end the version before at once, or 5s to 30d"),
            (&["--from", "file:good.key", "--rotate-every", "soon"], "write a number and a unit"),
            (&["--from", "file:good.key", "--rotate-every", "1m"], "write a time from 1h to 3660d"),
        ] {
            let told = put(more);
            assert!(told.contains(expected), "{more:?}: {told}");
            assert!(!told.contains(&FIRST[4..]), "{told}");
        }
        let name = refused(&consentry, &["secret", "put", "Up stream", "--plugin", "todo", "--from", "file:good.key"]);
        assert!(name.contains("small letters, digits and hyphens"), "{name}");
        for slug in ["todo", "other"] {
            consentry.answer(&["secret", "put", "upstream", "--plugin", slug, "--from", "file:good.key"]);
        }
        assert!(put(&["--from", "file:good.key"]).contains("there is one of the name upstream"));
        let rotate = ["secret", "rotate", "upstream", "--from", "file:good.key"];
        assert!(refused(&consentry, &rotate).contains("several plugins have an API key upstream; add --plugin"));
        consentry.answer(&[&rotate[..], &["--plugin", "other"]].concat());
        assert!(refused(&consentry, &["secret", "remove", "nothing"]).contains("there is no API key \"nothing\""));
        let newest = refused(&consentry, &["secret", "end", "upstream", "--plugin", "other", "--version", "2"]);
        assert!(newest.contains("it is the newest"), "{newest}");
        let route = ["secret", "change", "upstream", "--plugin", "other", "--remove-route", "GET /a"];
        assert!(refused(&consentry, &route).contains("--remove-route: it is not for GET /a"));
    }

    async fn owners_are_told_before_a_key_is_due_and_when_it_is_late(engine) {
        let smtp = SmtpServer::start(Security::Plain, false).await;
        let clock = Clock::standing_at(DateTime::from_timestamp(1_800_000_000, 0).unwrap());
        let options = Options { clock: clock.clone(), mail: Some(smtp.way.clone()), ..Options::default() };
        let world = World::with(engine, options).await;
        let (server, running) = (&world.running.server, &world.running);
        let operator = running.operator();
        let (ada, _) = server.store.account_by_email(&"ada@example.com".parse().unwrap()).await.unwrap().unwrap();
        server.store.add_owner(world.plugin.id, ada.id, &operator).await.unwrap();
        server.store.vouch_for_email(&"ada@example.com".parse().unwrap(), &running.operator()).await.unwrap().unwrap();
        put(running, FIRST).await;
        let after = async |days| {
            clock.advance(TimeDelta::days(days));
            jobs::due_secrets::once(server).await.unwrap();
            jobs::mail::once(server).await.unwrap();
            smtp.mails().len()
        };
        assert_eq!(after(75).await, 0);
        assert_eq!((after(2).await, after(5).await), (1, 1), "once, fourteen days before");
        assert_eq!((after(9).await, after(30).await), (2, 2), "and once when it is late");
        let subjects: Vec<_> = smtp.mails().iter().map(|mail| mail["headers"]["subject"].as_str().unwrap().to_owned()).collect();
        assert!(subjects[0].contains("is due soon") && subjects[1].contains("is overdue"), "{subjects:?}");
        assert!(smtp.mails().iter().all(|mail| mail["text"].as_str().unwrap().contains("the API key upstream into")));
        assert!(smtp.mails().iter().all(|mail| !mail.to_string().contains(FIRST)));
        assert_eq!((world.database.audited("secret.overdue").await, server.store.overdue_secrets(clock.now()).await.unwrap()), (1, 1));

        // A new version begins anew.
        let secret = plugin_secrets::find(&running.registry(), world.plugin.id, "upstream").await.unwrap();
        let (ring, value) = (server.keyring.current(), SecretValue::new(SECOND.into()));
        plugin_secrets::rotate(&running.registry(), &ring, (&secret, 1), &value, None).await.unwrap();
        assert_eq!((after(1).await, server.store.overdue_secrets(clock.now()).await.unwrap()), (2, 0));
        assert_eq!(after(80).await, 3);
    }

    async fn uses_are_written_down_once_a_minute_and_the_first_is_told(engine) {
        let world = World::new(engine).await;
        put(&world.running, FIRST).await;
        for _ in 0..5 {
            assert_eq!(use_it(&world.running).await, (1, FIRST.to_owned()));
        }
        jobs::notes::keep(&world.running.server).await.unwrap();
        let found = plugin_secrets::find(&world.running.registry(), world.plugin.id, "upstream").await.unwrap();
        assert!(found.versions[0].last_used_at.is_some());
        assert_eq!(world.database.audited("secret.used").await, 1);
        world.running.server.injections.forget(world.plugin.id).await;
        use_it(&world.running).await;
        assert!(world.running.server.secret_uses.take().is_empty(), "it was written down less than a minute ago");
    }
}

/// Puts a key away for every route.
async fn put(running: &Running, value: &str) {
    let plugin = running.server.store.plugin_by_slug("todo").await.unwrap().unwrap();
    let form = SettingsForm { routes: vec!["* /*".into()], rotate_every: "90d".into(), ..SettingsForm::default() };
    let (ring, value) = (running.server.keyring.current(), SecretValue::new(value.into()));
    plugin_secrets::put(&running.registry(), &ring, (plugin.id, "upstream"), &value, &form).await.unwrap();
}

/// Uses it: which version, and what was sent.
async fn use_it(running: &Running) -> (i64, String) {
    let plugin = running.server.store.plugin_by_slug("todo").await.unwrap().unwrap();
    let mut headers = HeaderMap::new();
    let route = Route { method: "GET", path: "/items" };
    let injected = running.server.inject(plugin.id, route, &mut headers, &Origin::default()).await.unwrap();
    let [Injected { version, .. }] = injected.as_slice() else { panic!("{injected:?}") };
    (*version, headers["authorization"].to_str().unwrap().trim_start_matches("Bearer ").to_owned())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_version_is_used_by_every_node_without_a_restart() {
    if without_postgres() {
        return;
    }
    let world = World::new(Engine::Postgres).await;
    let options = Options { public_url: Some(world.running.url.clone()), ..Options::default() };
    let second = Running::start(&world.database, options).await;
    put(&world.running, FIRST).await;
    for node in [&world.running, &second] {
        assert_eq!(use_it(node).await, (1, FIRST.to_owned()));
    }
    let secret = plugin_secrets::find(&world.running.registry(), world.plugin.id, "upstream").await.unwrap();
    let (ring, value) = (world.running.server.keyring.current(), SecretValue::new(SECOND.into()));
    plugin_secrets::rotate(&world.running.registry(), &ring, (&secret, 1), &value, None).await.unwrap();
    let (began, mut followed) = (Instant::now(), [false; 2]);
    while followed != [true; 2] {
        for (node, follows) in [&world.running, &second].into_iter().zip(&mut followed) {
            let (version, sent) = use_it(node).await;
            assert_eq!(sent, if version == 2 { SECOND } else { FIRST });
            assert!(version == 2 || !*follows, "a node went back");
            *follows = version == 2;
        }
        assert!(began.elapsed() < Duration::from_secs(30), "a node does not follow: {followed:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
