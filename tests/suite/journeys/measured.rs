//! What is measured of requests, of the store and of what stands in it, at a real process; and that strangers, whatever
//! they write into paths, methods and grants, make no series.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use consentry::model::client::Dialect;
use reqwest::{Client, Method};

use super::watching::promtool;
use crate::{
    harness::{
        process::{Consentry, free_port, write_private},
        server::{MASTER, Node, Registered, World},
    },
    on_both_engines,
};

/// What the operations listener shows.
struct Shown(String);

impl Shown {
    async fn at(ops: &str) -> Self {
        Self(reqwest::get(format!("http://{ops}/metrics")).await.unwrap().text().await.unwrap())
    }

    /// The same, once a line begins with this.
    async fn with(ops: &str, beginning: &str) -> Self {
        for _ in 0..100 {
            let shown = Self::at(ops).await;
            if shown.0.lines().any(|line| line.starts_with(beginning)) {
                return shown;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        panic!("{beginning} is not shown: {}", Self::at(ops).await.0);
    }

    /// The value of a series; none where there is no such series.
    fn value(&self, series: &str) -> Option<f64> {
        let line = self.0.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
        line.map(|value| value.parse().expect("a number"))
    }

    /// The names and labels of everything that is shown.
    fn series(&self) -> BTreeSet<&str> {
        let lines = self.0.lines().filter(|line| line.starts_with("consentry_"));
        lines.filter_map(|line| line.rsplit_once(' ').map(|(series, _)| series)).collect()
    }
}

async fn ask_for_tokens(node: &impl Node, client: &Registered, more: &[(&str, &str)]) -> u16 {
    let own = [("client_id", client.client_id.as_str()), ("client_secret", client.client_secret.as_str())];
    let request = Client::new().post(format!("{}/token", node.own())).form(&[&own, more].concat());
    request.send().await.expect("an answer").status().as_u16()
}

/// Whatever a stranger may make up, told apart by the number of the storm.
async fn storm(node: &impl Node, client: &Registered, number: usize) {
    let own = node.own();
    for step in 0..20 {
        let word = format!("x{number}y{step}");
        for path in [
            format!("/{word}"),
            format!("/logos/{word}"),
            format!("/console/plugins/{word}/log"),
            format!("/register/{word}"),
            format!("/static/{word}"),
            format!("/.well-known/oauth-protected-resource/{word}/{word}"),
            format!("/token?{word}"),
            format!("/token/{word}"),
        ] {
            reqwest::get(format!("{own}{path}")).await.unwrap();
        }
        let method = Method::from_bytes(word.to_uppercase().as_bytes()).unwrap();
        for path in ["/token", "/authorize", "/nowhere"] {
            Client::new().request(method.clone(), format!("{own}{path}")).send().await.unwrap();
        }
        assert_eq!(ask_for_tokens(node, client, &[("grant_type", &word)]).await, 400);
        let stranger = Registered { client_id: word.clone(), client_secret: word.clone() };
        assert_eq!(ask_for_tokens(node, &stranger, &[("grant_type", "refresh_token")]).await, 401);
        let forged = [("grant_type", "refresh_token"), ("refresh_token", word.as_str())];
        assert_eq!(ask_for_tokens(node, client, &forged).await, 400);
    }
}

on_both_engines! {
    async fn requests_the_store_and_what_stands_in_it_are_measured(engine) {
        let world = World::new(engine).await;
        let client = world.client(Dialect::Plugin).await;
        let folder = tempfile::tempdir().unwrap();
        write_private(&folder.path().join("master.key"), &STANDARD.encode(MASTER));
        let (port, ops) = (free_port(), format!("127.0.0.1:{}", free_port()));
        let consentry =
            Consentry { folder: folder.path(), database: &world.database, port, public_url: world.running.url.clone() };

        let code = world.running.code(&client).await;
        let (status, tokens) = world.running.redeem(&client, &code).await;
        assert_eq!(status, 200, "{tokens}");
        // Rows are counted when a process starts.
        let node = consentry.serve_with(&[("CONSENTRY_OPS_LISTEN", &ops)]).await;
        let refresh = [("grant_type", "refresh_token"), ("refresh_token", tokens["refresh_token"].as_str().unwrap())];
        assert_eq!(ask_for_tokens(&node, &client, &refresh).await, 200);
        storm(&node, &client, 1).await;

        let shown = Shown::with(&ops, "consentry_rows{table=\"working_keys\"}").await;
        for (series, value) in [
            ("consentry_requests_total{endpoint=\"/token\",method=\"POST\",status=\"200\"}", 1.0),
            ("consentry_requests_total{endpoint=\"/token\",method=\"POST\",status=\"401\"}", 20.0),
            ("consentry_requests_total{endpoint=\"/token\",method=\"POST\",status=\"400\"}", 40.0),
            ("consentry_requests_total{endpoint=\"/token\",method=\"_OTHER\",status=\"405\"}", 20.0),
            ("consentry_requests_total{endpoint=\"other\",method=\"_OTHER\",status=\"404\"}", 20.0),
            ("consentry_request_seconds_count{endpoint=\"/token\"}", 101.0),
            ("consentry_token_requests_total{grant=\"refresh_token\",outcome=\"issued\"}", 1.0),
            ("consentry_token_requests_total{grant=\"refresh_token\",outcome=\"invalid_grant\"}", 20.0),
            ("consentry_token_requests_total{grant=\"unknown\",outcome=\"invalid_client\"}", 20.0),
            ("consentry_token_requests_total{grant=\"unknown\",outcome=\"unsupported_grant_type\"}", 20.0),
            ("consentry_token_request_seconds_count{grant=\"refresh_token\"}", 21.0),
            ("consentry_refusals_total{reason=\"invalid_client\"}", 20.0),
            ("consentry_refusals_total{reason=\"redirect_uri\"}", 0.0),
            ("consentry_store_seconds_count{operation=\"rotate\"}", 1.0),
            ("consentry_store_failures_total{operation=\"ping\"}", 0.0),
            ("consentry_keys_due{purpose=\"sign\"}", 0.0),
            ("consentry_rows{table=\"families\"}", 1.0),
            ("consentry_queue_length{queue=\"webhook_deliveries\"}", 0.0),
            ("consentry_queue_length{queue=\"passwords\"}", 0.0),
        ] {
            assert_eq!(shown.value(series), Some(value), "{series} in {}", shown.0);
        }
        assert!(shown.value("consentry_key_age_seconds{purpose=\"mac\"}").is_some(), "{}", shown.0);
        let told = promtool(&["check", "metrics"], &shown.0);
        assert!(told.is_empty(), "promtool says of what is shown: {told}");

        storm(&node, &client, 2).await;
        let later = Shown::at(&ops).await;
        // What the server does by itself begins at its own time.
        let more: Vec<&str> =
            later.series().difference(&shown.series()).copied().filter(|series| !series.contains("_store_")).collect();
        assert!(more.is_empty(), "a stranger made {more:?}");
        assert!(!later.0.contains("x1y1") && !later.0.contains("X1Y1"), "a stranger's word is a label: {}", later.0);
        assert!(later.series().len() < 2000, "{} series", later.series().len());
    }
}
