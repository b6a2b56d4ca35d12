//! The audit log, from the request that something came with to what the operator reads.

use std::{collections::HashMap, os::unix::fs::PermissionsExt, time::Duration};

use chrono::{DateTime, TimeDelta};
use consentry::{
    audit::export::{Export, Part},
    clock::Clock,
    jobs::audit_links,
    model::{
        audit::{Actor, Audit, AuditAction, Origin, Subjects},
        client::Dialect,
        id::{AuditEventId, PluginId},
    },
    random,
    store::audit::Telling,
};
use reqwest::Client;
use serde_json::{Value, json};

use crate::{
    harness::{
        databases::{Engine, without_postgres},
        process::{Heard, Installation},
        server::{CALLBACK, Options, Registered, World},
    },
    on_both_engines,
    store::tables::Tables,
};

/// Asks the token endpoint for something; what it answers, and the id it gave the request.
async fn token(world: &World, client: &Registered, grant: &[(&str, &str)]) -> (serde_json::Value, String) {
    let own = [("client_id", client.client_id.as_str()), ("client_secret", client.client_secret.as_str())];
    let request = Client::new().post(format!("{}/token", world.running.url)).form(&[&own, grant].concat());
    let answer = request.send().await.unwrap();
    let id = answer.headers()["x-request-id"].to_str().unwrap().to_owned();
    (answer.json().await.unwrap(), id)
}

on_both_engines! {
    /// A connection's birth and its ends are written in statements of their own, on the engine that has those.
    async fn each_event_names_the_request_that_it_came_with(engine) {
        let clock = Clock::standing_at(DateTime::from_timestamp(1_800_000_000, 0).unwrap());
        let world = World::with(engine, Options { clock: clock.clone(), ..Options::default() }).await;
        let client = world.client(Dialect::Plugin).await;
        let code = world.running.code(&client).await;
        let redeem = [("grant_type", "authorization_code"), ("code", code.as_str()), ("redirect_uri", CALLBACK)];
        let (answer, born) = token(&world, &client, &redeem).await;
        let mut tokens = vec![answer["refresh_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()];
        for _ in 0..3 {
            let refresh = [("grant_type", "refresh_token"), ("refresh_token", tokens.last().unwrap().as_str())];
            let (answer, _) = token(&world, &client, &refresh).await;
            tokens.push(answer["refresh_token"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned());
            clock.advance(world.running.server.settings.refresh_grace + TimeDelta::seconds(1));
        }
        let (_, stolen) = token(&world, &client, &[("grant_type", "refresh_token"), ("refresh_token", &tokens[0])]).await;

        clock.advance(TimeDelta::milliseconds(1));
        let again = world.running.code(&client).await;
        let redeem = [("grant_type", "authorization_code"), ("code", again.as_str()), ("redirect_uri", CALLBACK)];
        let (_, second) = token(&world, &client, &redeem).await;
        clock.advance(TimeDelta::milliseconds(1));
        let (_, replayed) = token(&world, &client, &redeem).await;

        let told = "select action || ' ' || coalesce(request_id, '-') from audit_events where action like 'family.%' order by id";
        let lines = Tables::of(&world.database).await.lines(told).await;
        let expected = [("born", born), ("ended", stolen), ("born", second), ("ended", replayed)];
        assert_eq!(lines, expected.map(|(word, id)| format!("family.{word} {id}")));
        let consented = "audit_events where action = 'consent.granted' and length(request_id) = 16";
        assert_eq!(world.database.count(consented).await, 1);
    }

    /// From the command line: what somebody did is linked by the server, is whole, and shows when it was altered.
    async fn the_log_is_taken_elsewhere_and_shows_what_was_altered(engine) {
        let installed = Installation::new(engine).await;
        let Installation { database, folder, .. } = &installed;
        let consentry = installed.program();
        consentry.set_up();
        let before = consentry.answer(&["audit", "verify", "--json"]);
        assert_eq!((&before["links"], &before["head"]), (&json!(0), &json!(null)), "no server has run yet");
        let mut serving = consentry.serve().await;
        consentry.answer(&["group", "create", "team", "--json"]);
        let count = database.count("audit_events").await;
        for _ in 0..100 {
            if consentry.answer(&["audit", "verify", "--json"])["events"] == count {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        serving.stop();
        let whole = consentry.answer(&["audit", "verify", "--json"]);
        assert_eq!((&whole["events"], &whole["waiting"], &whole["found"]), (&json!(count), &json!(0), &json!(0)));
        let anchor = whole["head"]["anchor"].as_str().unwrap();
        assert!(serving.log().contains(anchor), "it says where the chain stands when it stops: {}", serving.log());
        assert_eq!(consentry.answer(&["audit", "verify", "--json", "--expect", anchor]), whole);

        let run = |arguments: &[&str]| {
            let output = consentry.command().args(arguments).heard();
            (output.status.code(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
        };
        let (code, jsonl, _) = run(&["audit", "export", "--format", "jsonl"]);
        let lines: Vec<Value> = jsonl.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!((code, i64::try_from(lines.len()).unwrap()), (Some(0), count));
        assert!(lines.iter().all(|line| line["link"].as_i64().is_some_and(|number| number > 0)), "{jsonl}");
        let group = lines.last().unwrap();
        assert_eq!((&group["action"], &group["actor"], &group["detail"]["name"]), (&json!("group.created"), &json!("operator"), &json!("team")));
        let (code, csv, _) = run(&["audit", "export", "--format", "csv"]);
        let mut rows = csv.split("\r\n");
        assert_eq!(rows.next(), Some("\"id\",\"at\",\"action\",\"actor\",\"actor_id\",\"token_id\",\"token_name\",\"address\",\"request_id\",\"account_id\",\"client_id\",\"plugin_id\",\"detail\",\"link\""));
        assert_eq!((code, i64::try_from(rows.count()).unwrap()), (Some(0), count + 1), "{csv}");
        let file = folder.path().join("audit.jsonl");
        let output = ["audit", "export", "--format", "jsonl", "--output", file.to_str().unwrap()];
        assert_eq!(consentry.answer(&[&output[..], &["--json"]].concat())["events"], count);
        assert_eq!(std::fs::read_to_string(&file).unwrap(), jsonl);
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(run(&output).0, Some(1), "what is there stays");
        assert_eq!(run(&["audit", "export", "--format", "jsonl", "--until", "2020-01-01"]).1, "");
        assert_eq!(run(&["audit", "export", "--format", "jsonl", "--since", "2020-01-01"]).1, jsonl);

        database.execute("update audit_events set action = 'group.deleted' where action = 'group.created'").await;
        let (code, out, told) = run(&["audit", "verify", "--json"]);
        let found: Value = serde_json::from_str(&out).unwrap();
        assert_eq!((code, &found["found"], &found["findings"][0]["kind"]), (Some(1), &json!(1), &json!("changed")), "{told}");
        assert_eq!((&found["findings"][0]["event"], &found["findings"][0]["link"]), (&group["id"], &group["link"]));
        assert!(told.contains("not as it was written"), "{told}");
        let (code, out, _) = run(&["audit", "verify"]);
        assert_eq!(code, Some(1));
        assert!(out.contains(&format!("event {} of link", group["id"].as_str().unwrap())), "{out}");
        let (code, _, told) = run(&["audit", "verify", "--expect", "1:2"]);
        assert_eq!(code, Some(2), "{told}");
    }

    /// Pages of a thousand, a plugin's own, and late ones with the link that they stand in.
    async fn an_export_is_whole_and_names_the_links(engine) {
        let clock = Clock::standing_at(DateTime::from_timestamp(1_800_000_000, 0).unwrap());
        let world = World::with(engine, Options { clock: clock.clone(), ..Options::default() }).await;
        let server = &world.running.server;
        let plugin = world.plugin.id;
        let tell = async |ago: TimeDelta, plugin_id: Option<PluginId>| {
            let at = clock.now() - ago;
            let audit = Audit { id: AuditEventId(random::id(at)), at, actor: Actor::Server, origin: Origin::default() };
            let subjects = Subjects { plugin_id, ..Subjects::default() };
            server.store.tell(Telling { action: AuditAction::KeyResealed, subjects, detail: json!({}) }, &audit).await.unwrap();
            audit.id
        };
        let (mut all, mut own) = (Vec::new(), Vec::new());
        for round in 0..3 {
            clock.advance(TimeDelta::minutes(5));
            for number in 0..450 {
                let is_own = number % 50 == 0;
                let id = tell(TimeDelta::milliseconds(3000 + number), is_own.then_some(plugin)).await;
                all.push(id);
                own.extend(is_own.then_some(id));
            }
            audit_links::link(server).await.unwrap();
            if round > 0 {
                all.push(tell(TimeDelta::minutes(6), None).await);
                audit_links::link_late(server).await.unwrap();
            }
        }
        let waiting = tell(TimeDelta::zero(), Some(plugin)).await;
        own.push(waiting);
        all.push(waiting);
        all.sort();
        own.sort();
        let mut links = HashMap::new();
        for link in server.store.audit_links(0, 1000).await.unwrap() {
            links.extend(link.members.iter().map(|member| (member.event, link.number)));
        }
        let read = async |part: Part| {
            let mut export = Export::of(&server.store, part);
            let mut ids = Vec::new();
            loop {
                let page = export.page().await.unwrap();
                if page.is_empty() {
                    return ids;
                }
                for one in page {
                    assert_eq!(one.link, links.get(&one.event.id).copied(), "{}", one.event.id);
                    ids.push(one.event.id);
                }
            }
        };
        let since = Some(DateTime::from_timestamp(1_800_000_001, 0).unwrap());
        assert_eq!(read(Part { plugin: None, since, until: None }).await, all);
        assert_eq!(read(Part { plugin: Some(plugin), since, until: None }).await, own);
        let middle = all[700];
        let (since, until) = (Some(middle.time()), Some(all[900].time()));
        let expected: Vec<_> = all.iter().copied().filter(|id| id.time() >= middle.time() && id.time() < all[900].time()).collect();
        assert_eq!(read(Part { plugin: None, since, until }).await, expected);
        assert!(!links.contains_key(&waiting));
    }
}

/// All nodes on one Postgres go by its clock, and so does whoever works beside them with a clock that is wrong.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_command_goes_by_the_databases_clock() {
    if without_postgres() {
        return;
    }
    let installed = Installation::new(Engine::Postgres).await;
    let Installation { database, .. } = &installed;
    let consentry = installed.program();
    consentry.set_up();
    database
        .execute(
            "create function public.clock_timestamp() returns timestamptz language sql
             as $$ select pg_catalog.clock_timestamp() + interval '1 hour' $$",
        )
        .await;
    let name = database.url.rsplit('/').next().unwrap();
    database.execute(&format!("alter database {name} set search_path = public, pg_catalog")).await;
    consentry.answer(&["group", "create", "team", "--json"]);
    let ahead = "audit_events where action = 'group.created' and at > pg_catalog.now() + interval '50 minutes'";
    assert_eq!(database.count(ahead).await, 1);
}
