//! What a page of the console asks of the database: few statements, and no more of them however many rows there are.

use std::collections::BTreeMap;

use consentry::{
    model::{account::Role, client::Dialect},
    registry::plugin_secrets::{self, SettingsForm},
    vault::SecretValue,
};
use sqlx::{Connection, PgConnection};

use crate::{
    attacks::by_hand::ByHand,
    harness::{
        databases::{Database, Engine, without_postgres},
        route_table::{CLIENT, FLOW, SECRET, pages},
        server::World,
    },
};

/// As many as a page may need.
const STATEMENTS_MAX: i64 = 8;

/// How often the server was asked anything in one database.
async fn calls(database: &Database) -> i64 {
    let mut server = url::Url::parse(&database.url).unwrap();
    let name = server.path().trim_start_matches('/').to_owned();
    server.set_path("postgres");
    let mut connection = PgConnection::connect(server.as_str()).await.unwrap();
    let sum = "select coalesce(cast(sum(s.calls) as bigint), 0)
                 from pg_stat_statements s join pg_database d on d.oid = s.dbid where d.datname = $1";
    sqlx::query_scalar(sum).bind(name).fetch_one(&mut connection).await.unwrap()
}

/// The statements of each page of the console, one visit each.
async fn visited(world: &World, browser: &ByHand, client_id: &str) -> BTreeMap<String, i64> {
    let mut asked = BTreeMap::new();
    // One attempt to connect has a page only once somebody has made it; it is read as a page of attempts is.
    let is_there = |path: &str| path.starts_with("/console") && !path.contains(FLOW);
    for route in pages().into_iter().filter(|route| is_there(&route.path)) {
        let path = route.path.replace(CLIENT, client_id);
        let before = calls(&world.database).await;
        let page = browser.get(&world.running, &path).await;
        assert!(page.status < 400, "{path}: {} {}", page.status, page.body);
        asked.insert(route.path, calls(&world.database).await - before);
    }
    asked
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_page_of_the_console_asks_much_or_more_with_more_rows() {
    if without_postgres() {
        return;
    }
    let world = World::new(Engine::Postgres).await;
    world.running.add_account_as("admin@example.com", "Adam Admin", Role::Admin).await;
    let client = world.client(Dialect::Action).await;
    let (ring, value) = (world.running.server.keyring.current(), SecretValue::new("q7-upstream-Zk2f".to_owned()));
    let key = (world.plugin.id, SECRET);
    plugin_secrets::put(&world.running.registry(), &ring, key, &value, &SettingsForm::default()).await.unwrap();
    let browser = ByHand::signed_in(&world.running, "admin@example.com").await;
    let few = visited(&world, &browser, &client.client_id).await;
    assert!(few.len() > 6, "{few:?}");
    for (path, asked) in &few {
        assert!((1..=STATEMENTS_MAX).contains(asked), "{path} asks {asked} times");
    }
    for number in 0..60 {
        world.running.add_client(&world.plugin, Dialect::Action, &["https://chat.example/cb"]).await;
        world.running.add_plugin_at(&format!("other-{number}"), &format!("other-{number}.example")).await;
    }
    for (path, asked) in visited(&world, &browser, &client.client_id).await {
        // The server may count a statement a moment after it has answered it.
        assert!(
            asked <= few[&path] + 1 && asked <= STATEMENTS_MAX,
            "{path} asks {asked} times, and {} before",
            few[&path]
        );
    }
}
