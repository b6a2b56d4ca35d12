//! Whoever watches a server with Prometheus and Grafana: what they read is well-formed, the alerts fire on what they are
//! for, and neither an alert nor a graph waits for a number that nobody counts.

use std::{
    collections::BTreeSet,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::harness::{
    chromium::setting,
    databases::{Database, Engine},
    process::{Consentry, free_port, write_private},
    server::{MASTER, Node},
};

const ALERTS: &str = "examples/prometheus/alerts.yml";
const ALERTS_TEST: &str = "examples/prometheus/alerts_test.yml";
const DASHBOARD: &str = "examples/grafana/consentry.json";

/// How the names of our metrics begin, and what Prometheus adds to the name of a histogram or a summary.
const OURS: &str = "consentry_";
const PARTS: [&str; 3] = ["_bucket", "_sum", "_count"];

/// What Grafana puts into a query before it is sent.
const VARIABLES: [(&str, &str); 2] = [("$__rate_interval", "5m"), ("$job", "consentry")];

fn path(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(file)
}

fn read(file: &str) -> String {
    std::fs::read_to_string(path(file)).unwrap()
}

/// Each rule of the alerts.
fn alerts() -> Vec<Value> {
    let alerts: Value = serde_saphyr::from_str(&read(ALERTS)).unwrap();
    let groups = alerts["groups"].as_array().unwrap();
    groups.iter().flat_map(|group| group["rules"].as_array().unwrap()).cloned().collect()
}

/// Each query of the dashboard, with the title of its panel.
fn queries() -> Vec<(String, String)> {
    let dashboard: Value = serde_json::from_str(&read(DASHBOARD)).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().flat_map(|panel| {
        panel["targets"].as_array().into_iter().flatten().map(|target| {
            let query = target["expr"].as_str().unwrap().to_owned();
            let query = VARIABLES.iter().fold(query, |query, (name, value)| query.replace(name, value));
            (panel["title"].as_str().unwrap().to_owned(), query)
        })
    });
    targets.collect()
}

/// The names of our metrics in a text.
fn names(text: &str) -> BTreeSet<&str> {
    let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
    words.filter(|word| word.starts_with(OURS)).collect()
}

/// Runs promtool, which must be content.
pub fn promtool(arguments: &[&str], input: &str) -> String {
    let mut running = Command::new(setting("CONSENTRY_TEST_PROMTOOL"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    running.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = running.wait_with_output().unwrap();
    let told = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "promtool {arguments:?}: {told}");
    told
}

/// What a server shows that has just started, at its operations listener.
async fn exposition() -> String {
    let database = Database::migrated(Engine::Sqlite).await;
    let folder = tempfile::tempdir().unwrap();
    write_private(&folder.path().join("master.key"), &STANDARD.encode(MASTER));
    let (port, ops_listen) = (free_port(), format!("127.0.0.1:{}", free_port()));
    let public_url = format!("http://localhost:{port}");
    let consentry = Consentry { folder: folder.path(), database: &database, port, public_url };
    let _node = consentry.serve_with(&[("CONSENTRY_OPS_LISTEN", &ops_listen)]).await;
    // What a table has is shown once it was counted, and the last of them is counted last.
    loop {
        let text = reqwest::get(format!("http://{ops_listen}/metrics")).await.unwrap().text().await.unwrap();
        if text.contains("consentry_rows{table=\"working_keys\"}") {
            return text;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// What a server shows from its start on, so that an alert on an increase misses nothing.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_alert_and_no_graph_waits_for_what_nobody_counts() {
    let text = exposition().await;
    let told = promtool(&["check", "metrics"], &text);
    assert!(told.is_empty(), "promtool says of what is shown: {told}");

    let shown: BTreeSet<&str> =
        text.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split(' ').next()).collect();
    let is_shown = |name: &str| {
        let whole = PARTS.iter().find_map(|part| name.strip_suffix(part));
        shown.contains(name) || whole.is_some_and(|whole| shown.contains(whole))
    };
    let queries = queries();
    assert!(queries.len() > 10, "{queries:?}");
    for file in [ALERTS, ALERTS_TEST, DASHBOARD] {
        let text = read(file);
        let named: Vec<&str> = names(&text).into_iter().filter(|name| !is_shown(name)).collect();
        assert!(named.is_empty(), "{file} names what no server shows: {named:?}");
    }
    assert!(!is_shown("consentry_refresh_replays_total"), "a name that is nearly right is found");
}

#[test]
fn the_alerts_fire_on_what_they_are_for() {
    promtool(&["check", "rules", path(ALERTS).to_str().unwrap()], "");
    promtool(&["test", "rules", path(ALERTS_TEST).to_str().unwrap()], "");

    let tested = read(ALERTS_TEST);
    let runbook = read("docs/watching.md");
    let alerts = alerts();
    assert!(alerts.len() > 10, "{alerts:?}");
    for alert in &alerts {
        let name = alert["alert"].as_str().unwrap();
        let fires = format!("alertname: {name}\n        exp_alerts:\n          - exp_labels:");
        let is_silent = format!("alertname: {name}\n        exp_alerts: []");
        assert!(tested.contains(&fires) && tested.contains(&is_silent), "{ALERTS_TEST} tries {name} in only one way");
        let leads = format!("docs/watching.md#{}", name.to_lowercase());
        assert_eq!(alert["annotations"]["runbook"].as_str(), Some(&*leads), "{name}");
        let section = runbook.split_once(&format!("\n### {name}\n\n")).map(|(_, section)| section);
        assert!(section.is_some_and(|section| section.len() > 100), "docs/watching.md says nothing of {name}");
    }
    let told = runbook.lines().filter(|line| line.starts_with("### ")).count();
    assert_eq!(told, alerts.len(), "docs/watching.md tells of an alert that is gone");
}

/// A query is what a rule may be made of, so that promtool can be asked about it.
#[test]
fn the_dashboard_asks_what_prometheus_understands() {
    let queries = queries();
    let rules: Vec<Value> = queries
        .iter()
        .enumerate()
        .map(|(at, (title, query))| json!({ "record": format!("panel:{at}"), "labels": { "title": title }, "expr": query }))
        .collect();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("dashboard.yml");
    // JSON is YAML.
    std::fs::write(&file, json!({ "groups": [{ "name": "dashboard", "rules": rules }] }).to_string()).unwrap();
    let told = promtool(&["check", "rules", file.to_str().unwrap()], "");
    assert!(told.contains(&format!("{} rules found", queries.len())), "{told}");
    assert!(
        queries.iter().all(|(_, query)| !query.contains('$')),
        "a variable that Grafana would have to know: {queries:?}"
    );
}

/// The fields that docs/logging.md lists; tests/tidy holds the code to the same list.
fn listed_fields() -> BTreeSet<String> {
    let list = read("docs/logging.md");
    let (_, table) = list.split_once("\n## Fields\n").unwrap();
    let fields = table.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    fields.map(|(field, _)| field.to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_line_of_the_log_is_an_object_of_known_fields() {
    let database = Database::migrated(Engine::Sqlite).await;
    let folder = tempfile::tempdir().unwrap();
    write_private(&folder.path().join("master.key"), &STANDARD.encode(MASTER));
    let port = free_port();
    let public_url = format!("http://localhost:{port}");
    let consentry = Consentry { folder: folder.path(), database: &database, port, public_url };
    let mut node = consentry.serve_with(&[("CONSENTRY_LOG_FORMAT", "json"), ("CONSENTRY_LOG", "debug")]).await;
    let grant =
        [("grant_type", "client_credentials"), ("client_id", "nobody\n{\"level\":\"INFO\"}"), ("client_secret", "x")];
    let token = reqwest::Client::new().post(format!("{}/token", node.own())).form(&grant).send().await.unwrap();
    assert_eq!(token.status(), 401);
    let request_id = token.headers()["x-request-id"].to_str().unwrap().to_owned();
    let page = reqwest::get(format!("{}/authorize?client_id=nobody", node.own())).await.unwrap();
    assert!(page.status().is_client_error());
    node.stop();

    let log = node.log();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    let mut fields = listed_fields();
    fields.extend(["timestamp", "level", "target", "message"].map(str::to_owned));
    for line in &lines {
        let object = line.as_object().unwrap();
        for always in ["timestamp", "level", "target"] {
            assert!(line[always].is_string(), "{always}: {line}");
        }
        if line["target"].as_str().unwrap().starts_with("consentry") {
            let unlisted: Vec<&String> = object.keys().filter(|key| !fields.contains(*key)).collect();
            assert!(unlisted.is_empty() && line["message"].is_string(), "{unlisted:?}: {line}");
        }
    }
    let refused = lines.iter().find(|line| line["request.id"] == json!(request_id)).expect(&log);
    assert_eq!((&refused["level"], &refused["flow.step"]), (&json!("WARN"), &json!("token")), "{refused}");
    assert_eq!(refused["message"], "a step of a connection was refused");
    assert!(refused["says"].as_str().is_some_and(|says| !says.is_empty()), "{refused}");
    assert!(lines.iter().any(|line| line["listen"].is_string()), "the start is told: {log}");
}
