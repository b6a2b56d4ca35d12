//! A lost answer: the connection to the database is cut after the commit and before the answer, and nobody notices.
//!
//! On Postgres, through a proxy that cuts. SQLite has no connection to lose; there `store::redeem` runs the same
//! request twice instead.

use consentry::{model::client::Dialect, store::OpenOptions};

use crate::harness::{
    cut::Cut,
    databases::{Database, Engine, without_postgres},
    server::{CALLBACK, Options, Running},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_code_and_a_refresh_token_survive_a_cut_connection() {
    if without_postgres() {
        return;
    }
    let database = Database::migrated(Engine::Postgres).await;
    let cut = Cut::before(&database.url).await;
    let open = OpenOptions { url: cut.url().to_owned(), ..database.options() };
    let running = Running::start(&database, Options { open: Some(open), ..Options::default() }).await;
    running.add_account("ada@example.com", "Ada Lovelace").await;
    let plugin = running.add_plugin("todo").await;
    let client = running.add_client(&plugin, Dialect::Plugin, &[CALLBACK]).await;
    let service = running.add_client(&plugin, Dialect::Service, &[]).await;

    let code = running.code(&client).await;
    cut.arm("insert into families");
    let (status, tokens) = running.redeem(&client, &code).await;
    assert_eq!((status.as_u16(), cut.cuts()), (200, 1), "{tokens}");
    let (_, active) = running.introspect(&service, tokens["access_token"].as_str().unwrap()).await;
    assert_eq!(active["active"], true, "{active}");

    let first = tokens["refresh_token"].as_str().unwrap();
    cut.arm("update families");
    let (status, next) = running.refresh(&client, first).await;
    assert_eq!((status.as_u16(), cut.cuts()), (200, 2), "{next}");
    let (status, again) = running.refresh(&client, first).await;
    assert_eq!(status, 200, "{again}");
    assert_eq!(next["refresh_token"], again["refresh_token"], "one and the same successor");

    let (status, replayed) = running.redeem(&client, &code).await;
    assert_eq!((status.as_u16(), replayed["error"].as_str()), (400, Some("invalid_grant")));
}
